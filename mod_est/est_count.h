/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_count.h: what a registrar and EST server did since its process tree started, added up over all processes
 * (glue_count.h).
 */
#ifndef EST_COUNT_H
#define EST_COUNT_H

#include "est_http.h"
#include "glue_count.h"

/** The numbers of a server. */
typedef struct est_sums_t {
    apr_time_t since;             /**< start of the process tree */
    apr_array_header_t *requests; /**< glue_request_sum_t: those that are not 0 */
    unsigned long vouchers;       /**< handed to pledges */
    unsigned long issued;         /**< new certificates */
    unsigned long again;          /**< certificates given again to identical requests */
    unsigned long alarms;
    int processes;
    unsigned long inside;         /**< threads that use the database now */
    unsigned long turned_away;
    unsigned long working;        /**< threads that ask a MASA now */
    unsigned long queued;         /**< questions that wait for one */
    unsigned long waiting;        /**< requests that wait for an answer */
    unsigned long cached;         /**< certificates of clients */
    unsigned long cache_hits;
    unsigned long cache_misses;
} est_sums_t;

/** Somebody was told. */
void est_count_alarm(const est_engine_t *engine);

/** What glue_module wants of the registrar (glue.h). */
void est_count_inside(const glue_engine_t *engine, int step);
void est_count_served(const glue_http_t *http);
void est_count_levels(const glue_engine_t *engine);

/** Add up. */
void est_count_read(est_sums_t *sums, const est_engine_t *engine, apr_pool_t *pool);

#endif
