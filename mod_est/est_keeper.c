/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_keeper.c: the thread that keeps the records in order, as est_keeper.h says. Where a database
 * is away, it is the one that waits for it, not the start of a child.
 */
#include "est_keeper.h"

#include <apr_signal.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

/* After a failure and while there is something to tidy up, and between two rounds. */
#define AGAIN apr_time_from_sec(5)
#define ROUND apr_time_from_sec(10 * 60)
/* Events of interest to somebody who looks back a year later. */
#define NOTES_KEPT apr_time_from_sec(400 * 86400)

typedef struct keeper_t {
    est_engine_t *engine;
    apr_thread_mutex_t *mutex;        /* of stop */
    apr_thread_cond_t *changed;
    apr_thread_t *thread;
    int stop;
    int told;                         /* the records know this node */
    int more;                         /* the last round found something too old */
    int complained;                   /* of a failure that lasts */
} keeper_t;

/* ---- a round ---- */

static brski_err_t *tell_records(const est_engine_t *engine, apr_time_t now, apr_pool_t *pool)
{
    brski_records_t *records = engine->registrar.records;

    BRSKI_TRY(brski_registrar_note_domain_ids(&engine->registrar, pool));
    return engine->snapshot
           ? brski_records_snapshot_put(records, engine->node, engine->snapshot,
                                        engine->snapshot_hash, now, pool)
           : BRSKI_OK;
}

/* A bounded number a call: as often as there is something. */
static brski_err_t *tidy(keeper_t *keeper, apr_time_t now, apr_pool_t *pool)
{
    const brski_registrar_t *registrar = &keeper->engine->registrar;
    int requests, notes;

    BRSKI_TRY(brski_records_request_expire(&requests, registrar->records, now - registrar->keep,
                                           pool));
    BRSKI_TRY(brski_records_note_expire(&notes, registrar->records, now - NOTES_KEPT, pool));
    keeper->more = requests > 0 || notes > 0;
    return BRSKI_OK;
}

static brski_err_t *do_round(keeper_t *keeper, apr_pool_t *pool)
{
    const est_engine_t *engine = keeper->engine;
    const apr_time_t now = engine->ctx.now(engine->ctx.baton);

    if (!keeper->told) {
        BRSKI_TRY(tell_records(engine, now, pool));
        keeper->told = 1;
    }
    return tidy(keeper, now, pool);
}

static apr_interval_time_t next_round(keeper_t *keeper, apr_pool_t *pool)
{
    const brski_err_t *err = do_round(keeper, pool);

    if (err && !keeper->complained) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, keeper->engine->server,
                     "BRSKI3106: the records do not know this server's configuration yet, or keep "
                     "what is too old; tried again: %s", brski_err_text(err, pool));
    }
    keeper->complained = err != NULL;
    return err || keeper->more ? AGAIN : ROUND;
}

/* ---- the thread ---- */

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    keeper_t *keeper = data;
    apr_interval_time_t pause;
    apr_pool_t *pool;

    (void)thread;
    apr_setup_signal_thread();        /* signals are for httpd's own threads */
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    apr_thread_mutex_lock(keeper->mutex);
    while (!keeper->stop) {
        apr_thread_mutex_unlock(keeper->mutex);
        pause = next_round(keeper, pool);
        apr_pool_clear(pool);
        apr_thread_mutex_lock(keeper->mutex);
        if (!keeper->stop) {
            apr_thread_cond_timedwait(keeper->changed, keeper->mutex, pause);
        }
    }
    apr_thread_mutex_unlock(keeper->mutex);
    apr_pool_destroy(pool);
    return NULL;
}

static apr_status_t stop_thread(void *baton)
{
    keeper_t *keeper = baton;
    apr_status_t rv;

    apr_thread_mutex_lock(keeper->mutex);
    keeper->stop = 1;
    apr_thread_cond_broadcast(keeper->changed);
    apr_thread_mutex_unlock(keeper->mutex);
    apr_thread_join(&rv, keeper->thread);
    return APR_SUCCESS;
}

brski_err_t *est_keeper_start(est_engine_t *engine, apr_pool_t *pool)
{
    keeper_t *keeper = apr_pcalloc(pool, sizeof(*keeper));

    keeper->engine = engine;
    if (apr_thread_mutex_create(&keeper->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS
        || apr_thread_cond_create(&keeper->changed, pool) != APR_SUCCESS
        || apr_thread_create(&keeper->thread, NULL, work, keeper, pool) != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no thread could be made");
    }
    apr_pool_pre_cleanup_register(pool, keeper, stop_thread);
    return BRSKI_OK;
}
