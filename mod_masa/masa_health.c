/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_health.c: SetHandler masa-health, and what it asks, as masa_health.h says. The thread is
 * started by the first question: where nobody asks there is none.
 */
#include "masa_health.h"

#include <apr_signal.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <http_config.h>
#include <http_log.h>

#include "masa_page.h"

APLOG_USE_MODULE(masa);

/* An answer is good for so long. */
#define FRESH apr_time_from_sec(1)
#define DETAIL_MAX 400

typedef struct masa_health_t {
    const masa_engine_t *engine;
    apr_pool_t *pool;                 /* used with the mutex held */
    apr_interval_time_t patience;
    apr_thread_mutex_t *mutex;        /* of all that follows */
    apr_thread_cond_t *changed;
    apr_thread_t *thread;             /* NULL: not started */
    int stop;
    int asking;                       /* the thread has a question to answer */
    apr_time_t asked_at;
    apr_time_t answered_at;
    brski_err_code_t found;
    brski_err_code_t told;            /* in the error log */
    char detail[DETAIL_MAX];
} masa_health_t;

/* ---- the thread ---- */

static brski_err_code_t look(const masa_engine_t *engine, char *detail, apr_pool_t *pool)
{
    const brski_err_t *err = brski_store_schema_check(engine->masa.store, pool);

    apr_cpystrn(detail, err ? brski_err_text(err, pool) : "", DETAIL_MAX);
    return err ? err->code : BRSKI_E_NONE;
}

/* With the mutex held; it is not while the database is asked. */
static void answer(masa_health_t *health, apr_pool_t *pool)
{
    char detail[DETAIL_MAX];
    brski_err_code_t found;

    apr_thread_mutex_unlock(health->mutex);
    found = look(health->engine, detail, pool);
    apr_pool_clear(pool);
    apr_thread_mutex_lock(health->mutex);
    memcpy(health->detail, detail, sizeof(detail));
    health->found = found;
    health->answered_at = apr_time_now();
    health->asking = 0;
    apr_thread_cond_broadcast(health->changed);
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    masa_health_t *health = data;
    apr_pool_t *pool;

    apr_setup_signal_thread();        /* signals are for httpd's own threads */
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    apr_thread_mutex_lock(health->mutex);
    while (!health->stop) {
        if (health->asking) {
            answer(health, pool);
        }
        else {
            apr_thread_cond_wait(health->changed, health->mutex);
        }
    }
    apr_thread_mutex_unlock(health->mutex);
    apr_pool_destroy(pool);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static apr_status_t stop_thread(void *baton)
{
    masa_health_t *health = baton;
    apr_status_t rv;

    apr_thread_mutex_lock(health->mutex);
    health->stop = 1;
    apr_thread_cond_broadcast(health->changed);
    apr_thread_mutex_unlock(health->mutex);
    if (health->thread) {
        apr_thread_join(&rv, health->thread);
    }
    return APR_SUCCESS;
}

void masa_health_child(masa_engine_t *engine, apr_pool_t *pool)
{
    masa_health_t *health = apr_pcalloc(pool, sizeof(*health));

    health->engine = engine;
    health->patience = masa_get(engine->conf, database_patience);
    apr_pool_create(&health->pool, pool);
    apr_pool_tag(health->pool, "masa_health");
    if (apr_thread_mutex_create(&health->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS
        && apr_thread_cond_create(&health->changed, pool) == APR_SUCCESS) {
        engine->health = health;
        apr_pool_pre_cleanup_register(pool, health, stop_thread);
    }
}

/* ---- asking ---- */

/* Once for each change, since probes come every second. */
static void tell(masa_health_t *health, brski_err_code_t code, const char *detail)
{
    if (code == health->told) {
        return;
    }
    if (code != BRSKI_E_NONE) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, health->engine->server,
                     "BRSKI2231: not ready: %s", detail);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, health->engine->server,
                     "BRSKI2232: ready again: the database answers");
    }
    health->told = code;
}

/* With the mutex held. */
static void ask_thread(masa_health_t *health, apr_time_t now)
{
    if (health->asking || (health->answered_at && now - health->answered_at < FRESH)) {
        return;
    }
    if (!health->thread
        && apr_thread_create(&health->thread, NULL, work, health, health->pool) != APR_SUCCESS) {
        health->thread = NULL;
        health->found = BRSKI_E_INTERNAL;
        apr_cpystrn(health->detail, "no thread could be made", sizeof(health->detail));
        return;
    }
    health->asking = 1;
    health->asked_at = now;
    apr_thread_cond_broadcast(health->changed);
}

/* A question that has been open for longer is not waited for: the database hangs. */
static brski_err_code_t ask_database(masa_health_t *health)
{
    apr_time_t now = apr_time_now();
    brski_err_code_t code;

    apr_thread_mutex_lock(health->mutex);
    ask_thread(health, now);
    while (health->asking && now < health->asked_at + health->patience) {
        apr_thread_cond_timedwait(health->changed, health->mutex,
                                  health->asked_at + health->patience - now);
        now = apr_time_now();
    }
    code = health->asking ? BRSKI_E_STORE_BUSY : health->found;
    tell(health, code, health->asking ? "the database does not answer in time" : health->detail);
    apr_thread_mutex_unlock(health->mutex);
    return code;
}

static int has_key(const masa_engine_t *engine)
{
    int i;

    for (i = 0; i < engine->signers->nelts; i++) {
        if (APR_ARRAY_IDX(engine->signers, i, const brski_signer_t *)->key) {
            return 1;
        }
    }
    return 0;
}

void masa_health_ask(masa_health_report_t *report, const masa_engine_t *engine)
{
    report->key = has_key(engine);
    report->database = engine->masa.store && engine->health ? ask_database(engine->health)
                                                            : BRSKI_E_INTERNAL;
}

const char *masa_health_database(const masa_health_report_t *report)
{
    switch (report->database) {
    case BRSKI_E_NONE:
        return NULL;
    case BRSKI_E_INTERNAL:
        return "This process of the MASA could not start.";
    case BRSKI_E_STORE_BUSY:
        return "The database does not answer in time.";
    case BRSKI_E_STORE_SCHEMA:
        return "The database's tables are not those that this version needs.";
    default:
        return "The database cannot be reached.";
    }
}

/* ---- the handler ---- */

static int handler(request_rec *r)
{
    masa_health_report_t report;
    masa_engine_t *engine;
    const char *database;
    const char *text = "ok\n";
    const int rv = masa_page_begin(&engine, r, "masa-health");

    if (rv != OK) {
        return rv;
    }
    masa_health_ask(&report, engine);
    database = masa_health_database(&report);
    if (database || !report.key) {
        text = apr_pstrcat(r->pool, database ? database : "", database ? "\n" : "",
                           report.key ? "" : "No signer's key can be used.\n", NULL);
    }
    return masa_page_send(r, database || !report.key ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK,
                          "text/plain; charset=utf-8", text);
}

void masa_health_hooks(void)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
