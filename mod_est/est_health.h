/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_health.h: SetHandler est-health: is this process ready to take devices in? For balancers.
 */
#ifndef EST_HEALTH_H
#define EST_HEALTH_H

#include "est_runtime.h"

/** What was found. */
typedef struct est_health_report_t {
    const char *database;         /**< a sentence of what is wrong with it, for everybody's eyes; NULL: nothing */
    int ca;                       /**< nonzero: a CA can issue */
} est_health_report_t;

/** Ask; waits for the database no longer than ESTDatabasePatience. */
void est_health_ask(est_health_report_t *report, const est_engine_t *engine);

/** Register the handler. */
void est_health_hooks(void);

#endif
