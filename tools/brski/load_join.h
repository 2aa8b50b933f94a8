/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_join.h: many pledges that join at once, for `brski load --join`: each is a whole strict join from the first handshake to
 * enrollstatus, as `brski join` makes it. One thread a pledge on the way; one that is told to come again later sleeps and costs nothing.
 */
#ifndef BRSKI_TOOL_LOAD_JOIN_H
#define BRSKI_TOOL_LOAD_JOIN_H

#include "../common/opts.h"
#include "lab.h"
#include "load.h"

/** What to do. */
typedef struct load_join_plan_t {
    const lab_t *lab;
    const char *url;              /**< of the registrar */
    apr_size_t pledges;
    apr_size_t first_device;      /**< of the lab, from 0 */
    int connections;              /**< pledges on the way at once */
    int tls12;
    int any_host;
    int timeout;
    apr_int64_t max_wait;         /**< seconds that one may be told to wait in all */
    int pid;                      /**< of the registrar; 0 unknown */
} load_join_plan_t;

/** Where a join stopped. */
typedef enum load_join_stage_t {
    LOAD_JOIN_DONE = 0, LOAD_JOIN_IDENTITY, LOAD_JOIN_CONNECT, LOAD_JOIN_VOUCHER, LOAD_JOIN_VERIFY, LOAD_JOIN_STATUS,
    LOAD_JOIN_CACERTS, LOAD_JOIN_CSRATTRS, LOAD_JOIN_ENROLL, LOAD_JOIN_CERTIFICATE, LOAD_JOIN_RECONNECT,
    LOAD_JOIN_ENROLLED, LOAD_JOIN_STAGES
} load_join_stage_t;

typedef struct load_join_report_t {
    apr_size_t stopped[LOAD_JOIN_STAGES]; /**< at [LOAD_JOIN_DONE] those that joined */
    const char *why;              /**< the first that did not, in words; NULL: all joined */
    apr_size_t waited;            /**< joined ones that were told to come again */
    double seconds;
    apr_uint32_t *latencies;      /**< microseconds, sorted, of those that joined */
    apr_uint32_t *waits;          /**< microseconds until the voucher was verified, sorted, of the same */
    load_usage_t before, after;   /**< of the server; processes 0: unknown */
    double client_cpu;
} load_join_report_t;

/** "connect", "voucher", ... */
const char *load_join_stage_text(load_join_stage_t stage);

/** Do it. Pledges that do not join are a result; only what is wrong with this side is an error. */
brski_err_t *load_join_run(load_join_report_t **out, const load_join_plan_t *plan, call_t *call);

/** `brski load --join`: reads the options, runs, tells. */
brski_err_t *load_join(call_t *call);

#endif
