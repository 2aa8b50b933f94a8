/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_health.h: is this process ready to issue vouchers? The database is asked by one thread of the process, at most once
 * a second and through the store's gate; who wants to know waits for it no longer than MASADatabasePatience. So
 * neither probes nor a database that hangs can hold more than that.
 */
#ifndef MASA_HEALTH_H
#define MASA_HEALTH_H

#include <httpd.h>

#include "brski_err.h"
#include "masa_runtime.h"

/** What was found. */
typedef struct masa_health_report_t {
    brski_err_code_t database;    /**< BRSKI_E_NONE: it answers */
    int key;                      /**< nonzero: a signer's key is there */
} masa_health_report_t;

/** Make an engine's part of this process able to tell; ends with the pool. */
void masa_health_child(masa_engine_t *engine, apr_pool_t *pool);

/** Ask. */
void masa_health_ask(masa_health_report_t *report, const masa_engine_t *engine);

/** A sentence of what is wrong with the database, for everybody's eyes; NULL when nothing is. */
const char *masa_health_database(const masa_health_report_t *report);

/** Register the handler. */
void masa_health_hooks(void);

#endif
