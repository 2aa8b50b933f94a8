/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_count.h: what an engine did since its process tree started, added up over all processes. The numbers are in anonymous
 * shared memory that the parent makes once and keeps over graceful restarts; each process has a place in it for what lives
 * in the process alone (gate, queues, cache). Counting takes no lock and never fails. Requests are counted here, by operation
 * and outcome; what else there is, a module numbers from 0: events (of all processes), levels (of a process, as it is now) and
 * growing numbers (of a process; they outlive it).
 */
#ifndef GLUE_COUNT_H
#define GLUE_COUNT_H

#include "glue.h"

#define GLUE_EVENTS 16
#define GLUE_LEVELS 8
#define GLUE_GROWING 8

/** Requests of one operation that ended alike. */
typedef struct glue_request_sum_t {
    const char *operation;        /**< "requestvoucher"; "other" when the path names none */
    int status;
    int number;                   /**< of the log; 0: served */
    unsigned long count;
} glue_request_sum_t;

/** The numbers of an engine. */
typedef struct glue_sums_t {
    apr_time_t since;             /**< start of the process tree */
    apr_array_header_t *requests; /**< glue_request_sum_t: those that are not 0 */
    unsigned long events[GLUE_EVENTS];
    int processes;
    unsigned long levels[GLUE_LEVELS];
    unsigned long growing[GLUE_GROWING];
} glue_sums_t;

/**
 * Find or make the shared memory of an engine; in the parent.
 * @param identity  what a graceful restart must leave alike for it to go on counting: the tenant
 */
void glue_count_attach(glue_engine_t *engine, const char *identity, apr_pool_t *pconf);

/** Take a place for this process; given back when the pool dies. */
void glue_count_child(glue_engine_t *engine, apr_pool_t *pool);

/** An event came n times; an event's number is set (what is last, not how often). */
void glue_count_event(const glue_engine_t *engine, int event, unsigned long n);
void glue_count_event_set(const glue_engine_t *engine, int event, unsigned long value);

/** This process's level moves by a step, or is set; so is what only grows. */
void glue_count_step(const glue_engine_t *engine, int level, int step);
void glue_count_level(const glue_engine_t *engine, int level, unsigned long value);
void glue_count_growing(const glue_engine_t *engine, int which, unsigned long value);

/** Add up. */
void glue_count_read(glue_sums_t *sums, const glue_engine_t *engine, apr_pool_t *pool);

/** Count each request when it has been answered. */
void glue_count_hooks(void);

#endif
