/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_health.h: is this process ready to issue vouchers? It is when its database answers and a signer's key is there.
 */
#ifndef MASA_HEALTH_H
#define MASA_HEALTH_H

#include <httpd.h>

#include "brski_err.h"
#include "masa_runtime.h"

/** What was found. */
typedef struct masa_health_report_t {
    const char *database;         /**< a sentence for everybody's eyes; NULL: it answers */
    int key;                      /**< nonzero: a signer's key is there */
} masa_health_report_t;

/** Make an engine's part of this process able to tell; ends with the pool. */
void masa_health_child(masa_engine_t *engine, apr_pool_t *pool);

/** Ask. */
void masa_health_ask(masa_health_report_t *report, const masa_engine_t *engine);

/** Register the handler. */
void masa_health_hooks(void);

#endif
