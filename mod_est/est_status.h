/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_status.h: SetHandler est-status: what a registrar is and does, for people (HTML), for scripts (JSON) and for Prometheus.
 * All three are made from one est_status_t: what was counted since httpd's start, and what the database tells. That is read
 * at most once in some seconds by a process, however often the page is asked for, and in a bounded number of rows. Nothing
 * secret is in it: no key, no path, no password.
 */
#ifndef EST_STATUS_H
#define EST_STATUS_H

#include "brski_records_counts.h"
#include "est_count.h"
#include "est_health.h"
#include "glue_page.h"

/** What the database told. */
typedef struct est_facts_t {
    apr_time_t at;
    int known;                    /**< 0: it did not answer, and the rest is empty */
    brski_counts_t counts;
    brski_work_t work;
    apr_array_header_t *open;     /**< brski_request_t *: the first of what is being worked on */
    apr_array_header_t *alarms;   /**< brski_note_t *: the last */
    apr_array_header_t *anchors;  /**< brski_first_use_t *: those that wait */
    int approvals;                /**< enrolments that wait */
    apr_array_header_t *nodes;    /**< brski_node_t * */
} est_facts_t;

typedef struct est_status_t {
    const est_engine_t *engine;
    const char *tenant;
    apr_time_t now;
    est_health_report_t health;
    const est_facts_t *facts;
    est_sums_t sums;              /**< what was counted */
} est_status_t;

/** Words of the directives. */
const char *est_status_pledges(const brski_manufacturer_t *m);
const char *est_status_trust(brski_trust_t trust);

/** "work that ..." of a task, and its word. */
const char *est_status_task(brski_task_t task);

/** A label's name, for eyes: the server's own has none. */
const char *est_status_label(const brski_label_t *label);

/** Certificate that issues, or that the registrar signs with. */
const brski_cert_t *est_status_first(const apr_array_header_t *chain);

/** Pledges of which somebody must say whether they are welcome. */
int est_status_decisions(const est_facts_t *facts);

/** The three forms. */
const char *est_status_html(const est_status_t *status, apr_pool_t *pool);
const char *est_status_json(const est_status_t *status, apr_pool_t *pool);
const char *est_status_metrics(const est_status_t *status, apr_pool_t *pool);

/** Make an engine's part of this process able to tell; ends with the pool. */
void est_status_child(est_engine_t *engine, apr_pool_t *pool);

/** Register the handler. */
void est_status_hooks(void);

#endif
