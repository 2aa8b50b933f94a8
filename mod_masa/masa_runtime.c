/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_runtime.c: brings engines to work: snapshots in the parent, then in each child the store
 * over mod_dbd, the spool, the caches and the keys that must not cross a fork. What fails here is
 * logged and answered with 503: it never ends a child.
 */
#include "masa_runtime.h"

#include <apr_strings.h>
#include <http_log.h>

#include "brski_err.h"
#include "brski_snapshot.h"
#include "glue_dbd.h"
#include "masa_count.h"
#include "masa_health.h"

APLOG_USE_MODULE(masa);

#define LEGACY_BASE "/.well-known/est"

masa_engine_t *masa_engine(const server_rec *s)
{
    return masa_conf(s)->runtime;
}

/* ---- in the parent ---- */

static int verify_mode(masa_client_mode_t mode)
{
    switch (mode) {
    case MASA_CLIENT_NONE:
        return SSL_VERIFY_NONE;
    case MASA_CLIENT_REQUEST:
        return SSL_VERIFY_PEER;
    case MASA_CLIENT_REQUIRE:
    case MASA_CLIENT_KNOWN:
        break;
    }
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static apr_array_header_t *bases_of(const masa_conf_t *conf, apr_pool_t *pool)
{
    apr_array_header_t *bases = apr_array_make(pool, 2, sizeof(glue_base_t));
    const glue_base_t base = { masa_get_text(conf, base), 1, 0 };
    const glue_base_t legacy = { LEGACY_BASE, 1, 0 };

    APR_ARRAY_PUSH(bases, glue_base_t) = base;
    if (masa_get(conf, legacy)) {
        APR_ARRAY_PUSH(bases, glue_base_t) = legacy;
    }
    return bases;
}

static void describe_engine(masa_engine_t *engine, apr_pool_t *pool)
{
    glue_engine_t *glue = &engine->glue;

    glue->server = engine->server;
    glue->of = engine;
    glue->ctx = &engine->ctx;
    glue->limits = &engine->limits;
    glue->dialect = engine->dialect;
    glue->sqlite_file = engine->sqlite_file;
    glue->bases = bases_of(engine->conf, pool);
    glue->verify = verify_mode((masa_client_mode_t)masa_get(engine->conf, client));
}

int masa_runtime_describe(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    for (; s; s = s->next) {
        if (masa_engine(s)) {
            describe_engine(masa_engine(s), pconf);
        }
    }
    return OK;
}

static void prepare_engine(masa_engine_t *engine, apr_pool_t *pconf, server_rec *main_server)
{
    const brski_err_t *err;

    engine->node = glue_node_name(engine->server, pconf);
    masa_count_attach(engine, pconf);
    err = brski_snapshot_make(&engine->snapshot, &engine->snapshot_hash, &engine->masa, pconf);
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                     "BRSKI2101: the configuration of %s cannot be shown to the tools: %s",
                     engine->node, brski_err_text(err, pconf));
        engine->snapshot = NULL;
    }
    if (!engine->glue.ssl_ctx) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                     "BRSKI2102: mod_ssl does not serve %s: every request is refused",
                     engine->node);
    }
}

int masa_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    server_rec *main_server = s;

    (void)plog;
    (void)ptemp;
    for (; s; s = s->next) {
        if (masa_engine(s)) {
            prepare_engine(masa_engine(s), pconf, main_server);
        }
    }
    return OK;
}

/* ---- in a child ---- */

static brski_err_t *publish_snapshot(brski_store_t *store, void *baton, apr_pool_t *scratch_pool)
{
    const masa_engine_t *engine = baton;
    const apr_time_t now = engine->ctx.now(engine->ctx.baton);

    if (engine->snapshot) {
        BRSKI_TRY(brski_store_snapshot_put(store, engine->node, engine->snapshot,
                                           engine->snapshot_hash, now, scratch_pool));
        masa_count_snapshot(engine, now);
    }
    return BRSKI_OK;
}

/* A process that serves nobody would show those of its last request. */
static void show_numbers(void *baton)
{
    const masa_engine_t *engine = baton;

    masa_count_levels(&engine->glue);
}

/* Keys that live in tokens: as the user that serves, after the fork. */
static void load_late_keys(masa_engine_t *engine, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < engine->signers->nelts; i++) {
        brski_signer_t *signer = APR_ARRAY_IDX(engine->signers, i, brski_signer_t *);
        const brski_err_t *err = signer->kind->late ? brski_signer_load(signer, pool) : NULL;

        if (err) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, engine->server,
                         "BRSKI2103: the key of MASASigner %s is away, its devices get 503: %s",
                         signer->name, brski_err_text(err, pool));
        }
    }
}

static brski_err_t *start_engine(masa_engine_t *engine, apr_pool_t *pool)
{
    const masa_conf_t *c = engine->conf;
    const brski_revoke_options_t revoke = {
        .timeout = apr_time_from_sec(3), .max_answer = 1024 * 1024, .cache_entries = 1024,
        .at_once = 4
    };
    const brski_spool_options_t spool = {
        .entries = 512, .octets = 8 * 1024 * 1024, .every = apr_time_from_msec(500),
        .retention = masa_get(c, refusal_retention), .at_start = publish_snapshot,
        .each_round = show_numbers, .baton = engine
    };
    brski_store_host_t *host = apr_pcalloc(pool, sizeof(*host));

    glue_count_child(&engine->glue, pool);
    glue_dbd_host(host, &engine->glue);
    if (masa_get(c, certificate_cache)) {
        engine->masa.cache = brski_cert_cache_make(masa_get(c, certificate_cache), pool);
        engine->glue.cache = engine->masa.cache;
    }
    if (engine->masa.revocation != BRSKI_REVOCATION_OFF) {
        BRSKI_TRY(brski_revoke_make(&engine->masa.revoke, &revoke, &engine->ctx, pool));
    }
    BRSKI_TRY(brski_store_make(&engine->masa.store, masa_get_text(c, tenant), host,
                               engine->dialect, engine->database_workers,
                               masa_get(c, database_patience), &engine->ctx, pool));
    masa_health_child(engine, pool);
    return brski_spool_start(&engine->spool, engine->masa.store, &spool, &engine->ctx, pool);
}

/* The spool writes what it still holds when its pool dies, and needs a connection for it: so
 * before mod_dbd's pool, which is another child of pchild, is gone. */
static apr_status_t stop_engine(void *pool)
{
    apr_pool_destroy(pool);
    return APR_SUCCESS;
}

void masa_runtime_child_init(apr_pool_t *pchild, server_rec *s)
{
    for (; s; s = s->next) {
        masa_engine_t *engine = masa_engine(s);
        const brski_err_t *err;
        apr_pool_t *pool;

        if (!engine) {
            continue;
        }
        apr_pool_create(&pool, pchild);
        apr_pool_tag(pool, "masa_engine");
        apr_pool_pre_cleanup_register(pchild, pool, stop_engine);
        load_late_keys(engine, pool);
        err = start_engine(engine, pool);
        if (err) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                         "BRSKI2104: the engine of this process could not start, it answers 503: "
                         "%s", brski_err_text(err, pool));
            engine->masa.store = NULL;
        }
    }
}
