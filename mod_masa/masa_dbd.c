/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_dbd.c: lends mod_dbd's connections to the library, as masa_dbd.h says. A connection is lent
 * for one unit of work, not for a request (ap_dbd_acquire would keep it until the answer has been
 * written to a slow client).
 */
#include "masa_dbd.h"

#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <http_log.h>
#include <mod_dbd.h>

#include "brski_err.h"
#include "brski_statements.h"

APLOG_USE_MODULE(masa);

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) *dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) *dbd_close;
static APR_OPTIONAL_FN_TYPE(ap_dbd_prepare) *dbd_prepare;

void masa_dbd_optional(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    dbd_prepare = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_prepare);
}

static void prepare_all(server_rec *s, brski_dialect_t dialect)
{
    const brski_statement_t *statements = brski_dbd_statements(dialect);
    int i;

    for (i = 0; i < STMT_COUNT; i++) {
        dbd_prepare(s, statements[i].sql, statements[i].label);
    }
}

int masa_dbd_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    module *dbd = ap_find_linked_module("mod_dbd.c");
    apr_hash_t *done = apr_hash_make(ptemp);

    (void)pconf;
    (void)plog;
    for (; s; s = s->next) {
        masa_engine_t *engine = masa_engine(s);
        /* Virtual hosts that say nothing of a database share one configuration; a label prepared
         * there twice is an error of mod_dbd's. */
        void *config = dbd ? ap_get_module_config(s->module_config, dbd) : NULL;

        if (engine && dbd_prepare && !apr_hash_get(done, &config, sizeof(config))) {
            prepare_all(s, engine->dialect);
            apr_hash_set(done, apr_pmemdup(ptemp, &config, sizeof(config)), sizeof(config), "");
        }
    }
    return OK;
}

/* A brski_dbd_t is made for each loan; what it names belongs to mod_dbd's connection and
 * outlives it. */
static brski_err_t *lend(brski_dbd_t **out, void *baton, apr_pool_t *pool)
{
    const masa_engine_t *engine = baton;
    brski_dbd_t *db;
    ap_dbd_t *lent;

    *out = NULL;
    lent = dbd_open ? dbd_open(pool, engine->server) : NULL;
    if (!lent) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "mod_dbd has no connection to lend");
    }
    db = apr_pcalloc(pool, sizeof(*db));
    db->driver = lent->driver;
    db->handle = lent->handle;
    db->prepared = lent->prepared;
    db->pool = lent->pool;
    db->dialect = engine->dialect;
    db->host = lent;
    *out = db;
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *db, void *baton)
{
    const masa_engine_t *engine = baton;

    dbd_close(engine->server, db->host);
}

void masa_dbd_host(brski_store_host_t *host, masa_engine_t *engine)
{
    host->open = lend;
    host->close = take_back;
    host->baton = engine;
}
