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
#include "masa_count.h"
#include "masa_dbd.h"
#include "masa_health.h"

APLOG_USE_MODULE(masa);

masa_engine_t *masa_engine(const server_rec *s)
{
    return masa_conf(s)->runtime;
}

brski_log_level_t masa_log_level(int httpd_level)
{
    return httpd_level >= APLOG_DEBUG ? BRSKI_LOG_DEBUG
         : httpd_level >= APLOG_INFO ? BRSKI_LOG_INFO : BRSKI_LOG_WARNING;
}

static void log_server_line(void *baton, brski_log_level_t level, int number, const char *text)
{
    server_rec *s = baton;

    if (number) {
        ap_log_error(APLOG_MARK, (int)level, 0, s, "BRSKI%04d: %s", number, text);
    }
    else {
        ap_log_error(APLOG_MARK, (int)level, 0, s, "%s", text);
    }
}

void masa_log_server(brski_log_t *log, server_rec *s)
{
    log->write = log_server_line;
    log->baton = s;
    log->level = masa_log_level(ap_get_server_module_loglevel(s, APLOG_MODULE_INDEX));
}

/* ---- in the parent ---- */

static const char *node_name(const server_rec *s, apr_pool_t *pool)
{
    char host[APRMAXHOSTLEN + 1];

    if (apr_gethostname(host, sizeof(host), pool) != APR_SUCCESS) {
        apr_cpystrn(host, "localhost", sizeof(host));
    }
    return apr_psprintf(pool, "%s/%s:%u", host, s->server_hostname ? s->server_hostname : "",
                        (unsigned)(s->port || !s->addrs ? s->port : s->addrs->host_port));
}

static void prepare_engine(masa_engine_t *engine, apr_pool_t *pconf, server_rec *main_server)
{
    const brski_err_t *err;

    engine->node = node_name(engine->server, pconf);
    masa_count_attach(engine, pconf);
    err = brski_snapshot_make(&engine->snapshot, &engine->snapshot_hash, &engine->masa, pconf);
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                     "BRSKI2101: the configuration of %s cannot be shown to the tools: %s",
                     engine->node, brski_err_text(err, pconf));
        engine->snapshot = NULL;
    }
    if (!engine->ssl_ctx) {
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
    masa_count_own(baton);
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

    masa_count_child(engine, pool);
    masa_dbd_host(host, engine);
    if (masa_get(c, certificate_cache)) {
        engine->masa.cache = brski_cert_cache_make(masa_get(c, certificate_cache), pool);
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
