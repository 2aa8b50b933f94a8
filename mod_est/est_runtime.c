/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_runtime.c: brings engines to work: what the glue knows of them in the parent, then in each
 * child the records over mod_dbd, the caches, and the threads that ask MASAs. What fails here is
 * logged and answered with 503: it never ends a child.
 */
#include "est_runtime.h"

#include <unistd.h>

#include <apr_strings.h>

#include "est_alarm.h"
#include "est_keeper.h"
#include "est_status.h"
#include "glue_count.h"
#include "glue_dbd.h"
#include "glue_health.h"

#define BRSKI_BASE "/.well-known/brski"
#define EST_BASE "/.well-known/est"

est_engine_t *est_engine(const server_rec *s)
{
    return est_conf(s)->runtime;
}

/* ---- in the parent ---- */

static void add_base(apr_array_header_t *bases, const char *path, int operations, int labels)
{
    const glue_base_t base = { path, operations, labels };

    APR_ARRAY_PUSH(bases, glue_base_t) = base;
}

static void describe_engine(est_engine_t *engine, apr_pool_t *pool)
{
    glue_engine_t *glue = &engine->glue;

    glue->server = engine->server;
    glue->of = engine;
    glue->ctx = &engine->ctx;
    glue->limits = &engine->limits;
    glue->dialect = engine->dialect;
    glue->sqlite_file = engine->sqlite_file;
    glue->verify = SSL_VERIFY_PEER;
    glue->bases = apr_array_make(pool, 3, sizeof(glue_base_t));
    add_base(glue->bases, BRSKI_BASE, EST_KIND_BRSKI, 0);
    add_base(glue->bases, EST_BASE, EST_KIND_EST, 1);
    if (est_get(engine->conf, legacy)) {
        add_base(glue->bases, EST_BASE, EST_KIND_BRSKI, 0);
    }
}

int est_runtime_describe(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    for (; s; s = s->next) {
        if (est_engine(s)) {
            describe_engine(est_engine(s), pconf);
        }
    }
    return OK;
}

int est_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    server_rec *main_server = s;

    (void)plog;
    (void)ptemp;
    for (; s; s = s->next) {
        est_engine_t *engine = est_engine(s);

        if (engine) {
            engine->node = glue_node_name(s, pconf);
            glue_count_attach(&engine->glue, est_get_text(engine->conf, tenant), pconf);
        }
        if (engine && !engine->glue.ssl_ctx) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                         "BRSKI3102: mod_ssl does not serve %s: every request is refused",
                         engine->node);
        }
    }
    return OK;
}

/* ---- in a child ---- */

static brski_err_t *look(void *of, apr_pool_t *scratch_pool)
{
    const est_engine_t *engine = of;

    return brski_records_schema_check(engine->registrar.records, scratch_pool);
}

static brski_err_t *make_records(est_engine_t *engine, apr_pool_t *pool)
{
    const est_conf_t *c = engine->conf;
    brski_store_host_t *host = apr_pcalloc(pool, sizeof(*host));

    glue_dbd_host(host, &engine->glue);
    return brski_records_make(&engine->registrar.records, est_get_text(c, tenant), host,
                              engine->dialect, engine->database_workers,
                              est_get(c, database_patience), &engine->ctx, pool);
}

static brski_err_t *start_engine(est_engine_t *engine, apr_pool_t *pool)
{
    const est_conf_t *c = engine->conf;

    engine->registrar.alarm = est_alarm_raise;
    engine->registrar.alarm_baton = engine;
    engine->registrar.node = apr_psprintf(engine->server->process->pool, "%s:%ld", engine->node,
                                          (long)getpid());
    if (est_get(c, certificate_cache)) {
        engine->registrar.cache = brski_cert_cache_make(est_get(c, certificate_cache), pool);
        engine->glue.cache = engine->registrar.cache;
    }
    glue_count_child(&engine->glue, pool);
    est_alarm_child(engine, pool);
    est_status_child(engine, pool);
    BRSKI_TRY(make_records(engine, pool));
    engine->health = glue_health_child(&engine->glue, look, est_get(c, database_patience), pool);
    engine->registrar.lines = brski_masa_lines_make(engine->jobs_options.threads, pool);
    BRSKI_TRY(est_keeper_start(engine, pool));
    return brski_jobs_start(&engine->jobs, &engine->registrar, &engine->jobs_options, pool);
}

/* Threads that write what they have found out need a connection for it: they end before mod_dbd's
 * pool, which is another child of pchild, is gone. */
static apr_status_t stop_engine(void *pool)
{
    apr_pool_destroy(pool);
    return APR_SUCCESS;
}

/* Threads that were started end with the pool. */
static void give_up(est_engine_t *engine, const brski_err_t *err, apr_pool_t *pool)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, engine->server,
                 "BRSKI3104: the engine of this process could not start, it answers 503: %s",
                 brski_err_text(err, pool));
    apr_pool_destroy(pool);
    engine->registrar.records = NULL;
    engine->registrar.lines = NULL;
    engine->registrar.cache = engine->glue.cache = NULL;
    engine->health = NULL;
    engine->alarm = NULL;
    engine->status = NULL;
    engine->jobs = NULL;
}

void est_runtime_child_init(apr_pool_t *pchild, server_rec *s)
{
    for (; s; s = s->next) {
        est_engine_t *engine = est_engine(s);
        const brski_err_t *err;
        apr_pool_t *pool;

        if (!engine) {
            continue;
        }
        apr_pool_create(&pool, pchild);
        apr_pool_tag(pool, "est_engine");
        err = start_engine(engine, pool);
        if (err) {
            give_up(engine, err, pool);
        }
        else {
            apr_pool_pre_cleanup_register(pchild, pool, stop_engine);
        }
    }
}
