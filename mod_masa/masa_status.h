/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_status.h: SetHandler masa-status: what a MASA is and does, for people (HTML), for scripts (JSON) and for Prometheus. All
 * three are made from one masa_status_t. It holds what an administrator wrote and what was counted: nothing of a device or
 * customer, no path, no address of the database.
 */
#ifndef MASA_STATUS_H
#define MASA_STATUS_H

#include <httpd.h>

#include "glue_page.h"
#include "masa_count.h"
#include "masa_health.h"

typedef struct masa_status_t {
    const masa_engine_t *engine;
    const char *tenant;
    apr_time_t now;
    masa_sums_t sums;
    masa_health_report_t health;
    const char *database;         /**< what is wrong with it; NULL: nothing */
} masa_status_t;

/** Words of the directives. */
const char *masa_status_nonceless(const brski_product_t *product);
const char *masa_status_proximity(const brski_product_t *product);

/** The certificate of a signer. */
const brski_cert_t *masa_status_cert(const brski_signer_t *signer);

/** The three forms. */
const char *masa_status_html(const masa_status_t *status, apr_pool_t *pool);
const char *masa_status_json(const masa_status_t *status, apr_pool_t *pool);
const char *masa_status_metrics(const masa_status_t *status, apr_pool_t *pool);

/** Register the handler. */
void masa_status_hooks(void);

#endif
