/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_dbd.c: lends mod_dbd's connections to the library, as glue_dbd.h says. A connection is lent
 * for one unit of work, not for a request (ap_dbd_acquire would keep it until the answer has been
 * written to a slow client).
 */
#include "glue_dbd.h"

#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_dbd.h>

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) *dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) *dbd_close;
static APR_OPTIONAL_FN_TYPE(ap_dbd_prepare) *dbd_prepare;

void glue_dbd_optional(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    dbd_prepare = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_prepare);
}

static void prepare_all(server_rec *s, brski_dialect_t dialect)
{
    const brski_dbd_set_t *set = glue_module.statements;
    const brski_statement_t *statements = set->statements[dialect];
    int i;

    for (i = 0; i < set->count; i++) {
        dbd_prepare(s, statements[i].sql, statements[i].label);
    }
}

int glue_dbd_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    module *dbd = ap_find_linked_module("mod_dbd.c");
    apr_hash_t *done = apr_hash_make(ptemp);

    (void)pconf;
    (void)plog;
    for (; s; s = s->next) {
        const glue_engine_t *engine = glue_module.engine(s);
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

/* Which file a connection was opened on. */
typedef struct identity_t {
    apr_dev_t device;
    apr_ino_t inode;
} identity_t;

/*
 * A connection of SQLite goes on writing into a file that was removed or replaced, and nobody would
 * ever read those events. So its file must be the one that it was opened on.
 */
static brski_err_t *check_file(const glue_engine_t *engine, ap_dbd_t *lent, apr_pool_t *pool)
{
    identity_t *opened = NULL;
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, engine->sqlite_file, APR_FINFO_IDENT, pool);

    apr_pool_userdata_get((void **)&opened, "glue_dbd_file", lent->pool);
    if (rv == APR_SUCCESS && !opened) {
        opened = apr_palloc(lent->pool, sizeof(*opened));
        opened->device = info.device;
        opened->inode = info.inode;
        apr_pool_userdata_setn(opened, "glue_dbd_file", NULL, lent->pool);
    }
    if (rv != APR_SUCCESS || opened->device != info.device || opened->inode != info.inode) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "%s is not the file that was opened any more; "
                         "put it back, or restart httpd", engine->sqlite_file);
    }
    return BRSKI_OK;
}

/* It is made for each loan; what it names belongs to mod_dbd's connection and outlives it. */
static brski_dbd_t *wrap(const glue_engine_t *engine, ap_dbd_t *lent, apr_pool_t *pool)
{
    brski_dbd_t *db = apr_pcalloc(pool, sizeof(*db));

    db->driver = lent->driver;
    db->handle = lent->handle;
    db->prepared = lent->prepared;
    db->pool = lent->pool;
    db->dialect = engine->dialect;
    db->set = glue_module.statements;
    db->host = lent;
    return db;
}

static void count_inside(const glue_engine_t *engine, int step)
{
    if (glue_module.inside) {
        glue_module.inside(engine, step);
    }
}

static brski_err_t *lend(brski_dbd_t **out, void *baton, apr_pool_t *pool)
{
    const glue_engine_t *engine = baton;
    brski_err_t *err;
    ap_dbd_t *lent;

    *out = NULL;
    count_inside(engine, 1);
    lent = dbd_open ? dbd_open(pool, engine->server) : NULL;
    if (!lent) {
        count_inside(engine, -1);
        return brski_err(BRSKI_E_STORE, NULL, pool, "mod_dbd has no connection to lend");
    }
    err = engine->sqlite_file ? check_file(engine, lent, pool) : BRSKI_OK;
    if (err) {
        dbd_close(engine->server, lent);
        count_inside(engine, -1);
        return err;
    }
    *out = wrap(engine, lent, pool);
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *db, void *baton)
{
    const glue_engine_t *engine = baton;

    dbd_close(engine->server, db->host);
    count_inside(engine, -1);
}

void glue_dbd_host(brski_store_host_t *host, glue_engine_t *engine)
{
    host->open = lend;
    host->close = take_back;
    host->baton = engine;
}
