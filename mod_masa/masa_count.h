/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_count.h: what a MASA did since its process tree started, added up over all processes. The numbers are in anonymous
 * shared memory that the parent makes once and keeps over graceful restarts; each process has a place in it for what lives
 * in the process alone (gate, spool, cache). Counting takes no lock and never fails.
 */
#ifndef MASA_COUNT_H
#define MASA_COUNT_H

#include "masa_http.h"
#include "masa_runtime.h"

/** Requests of one operation that ended alike. */
typedef struct masa_request_sum_t {
    const char *operation;        /**< "requestvoucher"; "other" when the path names none */
    int status;
    int number;                   /**< of the log; 0: served */
    unsigned long count;
} masa_request_sum_t;

/** The numbers of a server. */
typedef struct masa_sums_t {
    apr_time_t since;             /**< start of the process tree */
    apr_time_t snapshot_at;       /**< when a process last published the configuration; 0: not yet */
    apr_array_header_t *requests; /**< masa_request_sum_t: those that are not 0 */
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

/** Take a place for this process; given back when the pool dies. */
void masa_count_child(masa_engine_t *engine, apr_pool_t *pool);

/** A thread of this process begins (1) or ends (-1) to use the database. */
void masa_count_inside(const masa_engine_t *engine, int step);

/** This process has published the snapshot. */
void masa_count_snapshot(const masa_engine_t *engine, apr_time_t at);

/** Show the other processes what this one's gate, spool and cache count. */
void masa_count_own(const masa_engine_t *engine);

/** Add up. */
void masa_count_read(masa_sums_t *sums, const masa_engine_t *engine, apr_pool_t *pool);

/** Count each request when it has been answered. */
void masa_count_hooks(void);

#endif
