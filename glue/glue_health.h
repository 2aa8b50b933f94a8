/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_health.h: does the database answer? It is asked by one thread of the process, at most once a second; who wants to know
 * waits for it no longer than its patience. So neither probes nor a database that hangs can hold more than that.
 */
#ifndef GLUE_HEALTH_H
#define GLUE_HEALTH_H

#include "glue.h"

typedef struct glue_health_t glue_health_t;

/** Ask the database of the module's engine: through its gate. */
typedef brski_err_t *glue_health_look_t(void *of, apr_pool_t *scratch_pool);

/**
 * Make an engine's part of this process able to tell; ends with the pool, so look must be able to until then.
 * @return NULL when it could not be made
 */
glue_health_t *glue_health_child(const glue_engine_t *engine, glue_health_look_t *look, apr_interval_time_t patience,
                                 apr_pool_t *pool);

/** Ask. @return BRSKI_E_NONE: it answers; BRSKI_E_INTERNAL when health is NULL */
brski_err_code_t glue_health_ask(glue_health_t *health);

/** A sentence of what is wrong with the database, for everybody's eyes; NULL when nothing is. */
const char *glue_health_text(brski_err_code_t found);

#endif
