/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_jobs.h: the threads of a process that do a registrar's work: a bounded number, each taking a leased row at a time.
 * What this process made itself is handed over at once; what others left (a child that died, a front end that was
 * switched off) is found by looking at the table. A request may wait a short while for its own row; how many wait is bounded too, so
 * that a slow MASA cannot hold the server's workers.
 */
#ifndef BRSKI_JOBS_H
#define BRSKI_JOBS_H

#include "brski_registrar.h"

typedef struct brski_jobs_t brski_jobs_t;

typedef struct brski_jobs_options_t {
    int threads;                      /**< default 8 */
    int queue;                        /**< handed-over rows that wait in memory; default 1000; more stay in the table alone */
    int waiters;                      /**< requests that may wait at once; default 8 */
    apr_interval_time_t every;        /**< the table is looked at so often when idle; default 5 s, jittered */
    apr_interval_time_t lease;        /**< longer than a MASA may take; default 2 min */
    apr_interval_time_t slow;         /**< a step that takes longer makes its manufacturer's MASA a slow one, which gets a quarter of
                                           the threads for two minutes; others leave a quarter free, of four or more; default 5 s */
} brski_jobs_options_t;

/** Start; ends when the pool is destroyed: no new row is taken, those begun are finished or given up within the lease. */
brski_err_t *brski_jobs_start(brski_jobs_t **out, const brski_registrar_t *registrar, const brski_jobs_options_t *options,
                              apr_pool_t *pool);
/** Until when a row made now is leased to this process (brski_registrar_t.node). */
apr_time_t brski_jobs_lease_until(const brski_jobs_t *jobs, apr_time_t now);
/** Hand over a row that this process has just made: its id; the row is read again. Never blocks. */
void brski_jobs_begin(brski_jobs_t *jobs, const brski_request_t *request);
/** Something became due in the table (telemetry came, a human decided): look soon. */
void brski_jobs_wake(brski_jobs_t *jobs);
/** Wait until work on a row of this process has ended a step. @return 1 ended, or this process has nothing to do with it;
 *  0 patience ended or too many wait already */
int brski_jobs_wait(brski_jobs_t *jobs, const char *request, apr_interval_time_t patience);
/** Threads at work, rows queued, requests waiting. */
void brski_jobs_numbers(brski_jobs_t *jobs, int *working, int *queued, int *waiting);

#endif
