/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_count.h: what a MASA did since its process tree started, added up over all processes (glue_count.h).
 */
#ifndef MASA_COUNT_H
#define MASA_COUNT_H

#include "glue_count.h"
#include "masa_http.h"
#include "masa_runtime.h"

/** The numbers of a server. */
typedef struct masa_sums_t {
    apr_time_t since;             /**< start of the process tree */
    apr_time_t snapshot_at;       /**< when a process last published the configuration; 0: not yet */
    apr_array_header_t *requests; /**< glue_request_sum_t: those that are not 0 */
    unsigned long issued[BRSKI_ASSERTION_AGENT_PROXIMITY + 1]; /**< new vouchers, by assertion */
    unsigned long reissued;
    int processes;
    unsigned long inside;         /**< threads that use the database now */
    unsigned long turned_away;
    unsigned long waiting;        /**< entries of the spool */
    unsigned long dropped;
    unsigned long cached;         /**< certificates */
    unsigned long cache_hits;
    unsigned long cache_misses;
} masa_sums_t;

/** Find or make the shared memory of an engine; in the parent. */
void masa_count_attach(masa_engine_t *engine, apr_pool_t *pconf);

/** This process has published the snapshot. */
void masa_count_snapshot(const masa_engine_t *engine, apr_time_t at);

/** What glue_module wants of the MASA (glue.h). */
void masa_count_inside(const glue_engine_t *engine, int step);
void masa_count_served(const glue_http_t *http);
void masa_count_levels(const glue_engine_t *engine);

/** Add up. */
void masa_count_read(masa_sums_t *sums, const masa_engine_t *engine, apr_pool_t *pool);

#endif
