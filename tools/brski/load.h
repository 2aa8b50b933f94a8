/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h: many requests at a MASA and what came of them: one thread a connection, results kept in memory until the end,
 * so that counting costs nothing while the clock runs.
 */
#ifndef BRSKI_TOOL_LOAD_H
#define BRSKI_TOOL_LOAD_H

#include "../common/say.h"
#include "brski.h"
#include "brski_err.h"
#include "https.h"

/** What to do. */
typedef struct load_plan_t {
    const https_target_t *target;
    const brski_bytes_t *requests;
    apr_size_t distinct;          /**< how many there are; used round and round */
    apr_size_t total;             /**< to be measured; with seconds: at most */
    apr_size_t warmup;            /**< sent before the clock starts */
    int connections;
    int seconds;                  /**< 0: no limit of time */
    int keep_every;               /**< keep each so manieth answer; 0 none */
    int pid;                      /**< of the server; 0 unknown */
} load_plan_t;

/** An answer that was kept. */
typedef struct load_kept_t {
    apr_size_t request;           /**< index into plan->requests */
    brski_bytes_t body;
} load_kept_t;

#define LOAD_STATUS_MAX 600

/** CPU time and memory of a process and all below it. */
typedef struct load_usage_t {
    double cpu;                   /**< seconds, user and system */
    apr_int64_t memory;           /**< octets resident, shared pages shared out */
    int processes;
} load_usage_t;

typedef struct load_report_t {
    apr_size_t answered;          /**< with any status */
    apr_size_t failed;            /**< without an answer */
    double seconds;
    apr_uint32_t *latencies;      /**< microseconds, sorted, of what was answered */
    apr_size_t statuses[LOAD_STATUS_MAX];
    apr_size_t failures[HTTPS_FAILURES];
    const char *why;              /**< the first failure in words; NULL when there was none */
    apr_size_t opened;            /**< connections */
    apr_array_header_t *kept;     /**< load_kept_t */
    load_usage_t before, after;   /**< of the server; processes 0: unknown */
    double client_cpu;            /**< seconds */
} load_report_t;

/** Do it. Answers of every status count as answered; only what is wrong with this side is an error. */
brski_err_t *load_run(load_report_t **out, const load_plan_t *plan, say_t *say, apr_pool_t *pool);

/** Latency of a share of the requests: load_percentile(report, 0.99); microseconds. */
apr_uint32_t load_percentile(const load_report_t *report, double share);

/** What a process and its children have used; processes 0 when there is none. */
void load_usage(load_usage_t *out, int pid);

#endif
