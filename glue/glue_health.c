/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_health.c: the thread that asks the database, as glue_health.h says. It is started by the
 * first question: where nobody asks there is none.
 */
#include "glue_health.h"

#include <apr_signal.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

/* An answer is good for so long. */
#define FRESH apr_time_from_sec(1)
#define DETAIL_MAX 400

struct glue_health_t {
    const glue_engine_t *engine;
    glue_health_look_t *look;
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
};

/* ---- the thread ---- */

static brski_err_code_t look(const glue_health_t *health, char *detail, apr_pool_t *pool)
{
    const brski_err_t *err = health->look(health->engine->of, pool);

    apr_cpystrn(detail, err ? brski_err_text(err, pool) : "", DETAIL_MAX);
    return err ? err->code : BRSKI_E_NONE;
}

/* With the mutex held; it is not while the database is asked. */
static void answer(glue_health_t *health, apr_pool_t *pool)
{
    char detail[DETAIL_MAX];
    brski_err_code_t found;

    apr_thread_mutex_unlock(health->mutex);
    found = look(health, detail, pool);
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
    glue_health_t *health = data;
    apr_pool_t *pool;

    (void)thread;
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
    return NULL;
}

static apr_status_t stop_thread(void *baton)
{
    glue_health_t *health = baton;
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

glue_health_t *glue_health_child(const glue_engine_t *engine, glue_health_look_t *look,
                                 apr_interval_time_t patience, apr_pool_t *pool)
{
    glue_health_t *health = apr_pcalloc(pool, sizeof(*health));

    health->engine = engine;
    health->look = look;
    health->patience = patience;
    apr_pool_create(&health->pool, pool);
    apr_pool_tag(health->pool, "glue_health");
    if (apr_thread_mutex_create(&health->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS
        || apr_thread_cond_create(&health->changed, pool) != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_pre_cleanup_register(pool, health, stop_thread);
    return health;
}

/* ---- asking ---- */

/* Once for each change, since probes come every second. */
static void tell(glue_health_t *health, brski_err_code_t code, const char *detail)
{
    if (code == health->told) {
        return;
    }
    if (code != BRSKI_E_NONE) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, health->engine->server,
                     "%s: not ready: %s", glue_module.log_not_ready, detail);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, health->engine->server,
                     "%s: ready again: the database answers", glue_module.log_ready);
    }
    health->told = code;
}

/* With the mutex held. */
static void ask_thread(glue_health_t *health, apr_time_t now)
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
brski_err_code_t glue_health_ask(glue_health_t *health)
{
    apr_time_t now = apr_time_now();
    brski_err_code_t code;

    if (!health) {
        return BRSKI_E_INTERNAL;
    }
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

const char *glue_health_text(brski_err_code_t found)
{
    switch (found) {
    case BRSKI_E_NONE:
        return NULL;
    case BRSKI_E_INTERNAL:
        return "This process could not start its engine.";
    case BRSKI_E_STORE_BUSY:
        return "The database does not answer in time.";
    case BRSKI_E_STORE_SCHEMA:
        return "The database's tables are not those that this version needs.";
    default:
        return "The database cannot be reached.";
    }
}
