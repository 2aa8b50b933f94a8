/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_spool.c: what is written outside the request. Two queues, because their worth differs: who
 * asked for a voucher is written as fast as vouchers are issued; of refusals, which a stranger can
 * cause, a batch a round and no more. Each entry lives in memory of its own until it is written
 * or dropped; the memory of dead ones is kept for new ones, because to give it back to the system
 * stops every processor that runs a thread of this process.
 */
#include "brski_spool.h"

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <string.h>

#include "brski_err.h"
#include "brski_log.h"

#define DEFAULT_ENTRIES 512
#define DEFAULT_OCTETS (8 * 1024 * 1024)
#define DEFAULT_EVERY apr_time_from_msec(500)
#define DEFAULT_RETENTION apr_time_from_sec(30 * 86400)
/* One transaction; refusals one a round, so that junk costs the primary at most this much. */
#define BATCH_ENTRIES 64
#define BATCH_OCTETS (1024 * 1024)
/* Memory that is kept for the next entries. */
#define KEEP_OCTETS (1024 * 1024)
#define EXPIRE_EVERY apr_time_from_sec(60)
/* A warning about the same thing is not repeated sooner. */
#define WARN_EVERY apr_time_from_sec(60)
/* The longest that the spool leaves a database in trouble alone. */
#define MAX_PAUSE apr_time_from_sec(10)

typedef struct entry_t {
    apr_pool_t *pool; /* its own */
    struct entry_t *next;
    apr_size_t octets;
    brski_refusal_t refusal; /* one of the two */
    brski_peer_t peer;
} entry_t;

typedef struct queue_t {
    entry_t *first, *last;
    apr_size_t entries;
    apr_size_t octets;
} queue_t;

/* Writes the entries of a queue, NULL or an error for all of them. */
typedef brski_err_t *(*write_t)(brski_spool_t *spool, const queue_t *batch, apr_pool_t *pool);

struct brski_spool_t {
    brski_store_t *store;
    brski_spool_options_t options;
    const brski_ctx_t *ctx;
    apr_thread_t *thread;
    apr_allocator_t *allocator; /* of the entries' pools, with its own lock */
    apr_thread_mutex_t *mutex; /* of what follows */
    apr_thread_cond_t *wake;
    queue_t refusals;
    queue_t peers;
    apr_size_t writing; /* entries out of the queues, in the hands of the thread */
    apr_int64_t dropped;
    int stop;
    /* the thread's own */
    int started; /* at_start has succeeded */
    apr_time_t expired_at;
    apr_time_t warned_at;
    apr_int64_t warned_dropped;
};

/* ---- queues ---- */

static void append(queue_t *q, entry_t *e)
{
    e->next = NULL;
    if (q->last) {
        q->last->next = e;
    }
    else {
        q->first = e;
    }
    q->last = e;
    q->entries++;
    q->octets += e->octets;
}

static entry_t *pop(queue_t *q)
{
    entry_t *e = q->first;

    q->first = e->next;
    if (!q->first) {
        q->last = NULL;
    }
    q->entries--;
    q->octets -= e->octets;
    return e;
}

/* The older ones come first. */
static void put_back(queue_t *q, queue_t *older)
{
    if (older->first) {
        older->last->next = q->first;
        q->last = q->last ? q->last : older->last;
        q->first = older->first;
        q->entries += older->entries;
        q->octets += older->octets;
        memset(older, 0, sizeof(*older));
    }
}

static void free_all(queue_t *q)
{
    while (q->first) {
        apr_pool_destroy(pop(q)->pool);
    }
}

/* ---- entries ---- */

static entry_t *make_entry(brski_spool_t *spool)
{
    apr_pool_t *pool = NULL;
    entry_t *e;

    if (apr_pool_create_unmanaged_ex(&pool, NULL, spool->allocator) != APR_SUCCESS) {
        return NULL;
    }
    e = apr_pcalloc(pool, sizeof(*e));
    e->pool = pool;
    e->octets = sizeof(*e);
    return e;
}

static const char *keep_text(entry_t *e, const char *text)
{
    if (text) {
        e->octets += strlen(text) + 1;
        text = apr_pstrdup(e->pool, text);
    }
    return text;
}

static brski_bytes_t keep_octets(entry_t *e, brski_bytes_t b)
{
    if (b.len) {
        e->octets += b.len;
        b.data = apr_pmemdup(e->pool, b.data, b.len);
    }
    return b;
}

static void copy_refusal(entry_t *e, const brski_refusal_t *r)
{
    e->refusal = *r;
    e->refusal.request_id = keep_text(e, r->request_id);
    e->refusal.operation = keep_text(e, r->operation);
    e->refusal.public_text = keep_text(e, r->public_text);
    e->refusal.detail = keep_text(e, r->detail);
    e->refusal.serial_number = keep_text(e, r->serial_number);
    e->refusal.address = keep_text(e, r->address);
    e->refusal.content_type = keep_text(e, r->content_type);
    e->refusal.accept = keep_text(e, r->accept);
    e->refusal.user = keep_text(e, r->user);
    e->refusal.client_cert = keep_octets(e, r->client_cert);
    e->refusal.client_chain = keep_octets(e, r->client_chain);
    e->refusal.request = keep_octets(e, r->request);
}

static void copy_peer(entry_t *e, const brski_peer_t *p)
{
    e->peer.request_id = keep_text(e, p->request_id);
    e->peer.address = keep_text(e, p->address);
    e->peer.tls_subject = keep_text(e, p->tls_subject);
}

/* With the mutex held: the oldest go until the queue is within its bounds. */
static void drop_oldest(brski_spool_t *spool, queue_t *q)
{
    while (q->entries > spool->options.entries ||
           (q->octets > spool->options.octets && q->entries > 1)) {
        apr_pool_destroy(pop(q)->pool);
        spool->dropped++;
    }
}

static void enqueue(brski_spool_t *spool, queue_t *q, entry_t *e)
{
    apr_thread_mutex_lock(spool->mutex);
    append(q, e);
    drop_oldest(spool, q);
    /* Refusals wait for the round; who asked does not, when many do. */
    if (q == &spool->peers && q->entries >= spool->options.entries / 4) {
        apr_thread_cond_signal(spool->wake);
    }
    apr_thread_mutex_unlock(spool->mutex);
}

void brski_spool_refusal(brski_spool_t *spool, const brski_refusal_t *refusal)
{
    entry_t *e = spool->options.retention > 0 ? make_entry(spool) : NULL;

    if (e) {
        copy_refusal(e, refusal);
        enqueue(spool, &spool->refusals, e);
    }
}

void brski_spool_peer(brski_spool_t *spool, const brski_peer_t *peer)
{
    entry_t *e = make_entry(spool);

    if (e) {
        copy_peer(e, peer);
        enqueue(spool, &spool->peers, e);
    }
}

void brski_spool_numbers(brski_spool_t *spool, apr_size_t *waiting, apr_int64_t *dropped)
{
    apr_thread_mutex_lock(spool->mutex);
    *waiting = spool->refusals.entries + spool->peers.entries + spool->writing;
    *dropped = spool->dropped;
    apr_thread_mutex_unlock(spool->mutex);
}

/* ---- writing ---- */

static brski_err_t *write_refusals(brski_spool_t *spool, const queue_t *batch, apr_pool_t *pool)
{
    apr_array_header_t *rows = apr_array_make(pool, (int)batch->entries, sizeof(brski_refusal_t *));
    entry_t *e;

    for (e = batch->first; e; e = e->next) {
        APR_ARRAY_PUSH(rows, brski_refusal_t *) = &e->refusal;
    }
    return brski_store_refusals_put(spool->store, rows, spool->options.retention, pool);
}

static brski_err_t *write_peers(brski_spool_t *spool, const queue_t *batch, apr_pool_t *pool)
{
    apr_array_header_t *rows = apr_array_make(pool, (int)batch->entries, sizeof(brski_peer_t *));
    entry_t *e;

    for (e = batch->first; e; e = e->next) {
        APR_ARRAY_PUSH(rows, brski_peer_t *) = &e->peer;
    }
    return brski_store_peers_put(spool->store, rows, pool);
}

static void take_batch(queue_t *batch, brski_spool_t *spool, queue_t *from)
{
    memset(batch, 0, sizeof(*batch));
    apr_thread_mutex_lock(spool->mutex);
    while (from->first && batch->entries < BATCH_ENTRIES && batch->octets < BATCH_OCTETS) {
        append(batch, pop(from));
    }
    spool->writing = batch->entries;
    apr_thread_mutex_unlock(spool->mutex);
}

static void end_batch(brski_spool_t *spool, queue_t *to, queue_t *batch, int written)
{
    apr_thread_mutex_lock(spool->mutex);
    spool->writing = 0;
    if (!written) {
        put_back(to, batch);
        drop_oldest(spool, to);
    }
    apr_thread_mutex_unlock(spool->mutex);
    free_all(batch);
}

/* One by one: what the database will never take must not keep the others from it. */
static brski_err_t *write_each(brski_spool_t *spool, queue_t *batch, write_t write,
                               apr_pool_t *pool)
{
    while (batch->first) {
        queue_t one = { batch->first, batch->first, 1, batch->first->octets };
        entry_t *rest = batch->first->next;
        brski_err_t *err;

        batch->first->next = NULL;
        err = write(spool, &one, pool);
        batch->first->next = rest;
        if (err && err->code != BRSKI_E_INTERNAL) {
            return err;
        }
        if (err) {
            brski_logf(spool->ctx->log, BRSKI_LOG_WARNING, 1121,
                       "a record of a request cannot be kept: %s", brski_err_text(err, pool));
        }
        apr_pool_destroy(pop(batch)->pool);
    }
    return BRSKI_OK;
}

/* @return how many were taken; 0 also when the database did not take them */
static apr_size_t write_batch(brski_spool_t *spool, queue_t *from, write_t write, brski_err_t **err,
                              apr_pool_t *pool)
{
    queue_t batch;
    apr_size_t taken;

    take_batch(&batch, spool, from);
    taken = batch.entries;
    *err = BRSKI_OK;
    if (taken) {
        *err = write(spool, &batch, pool);
        if (*err && (*err)->code == BRSKI_E_INTERNAL) {
            *err = write_each(spool, &batch, write, pool);
        }
    }
    end_batch(spool, from, &batch, *err == BRSKI_OK);
    return *err ? 0 : taken;
}

static brski_err_t *write_all_peers(brski_spool_t *spool, apr_pool_t *pool)
{
    apr_pool_t *each;
    brski_err_t *err;

    apr_pool_create(&each, pool);
    while (write_batch(spool, &spool->peers, write_peers, &err, each) > 0) {
        apr_pool_clear(each);
    }
    return err;
}

/* ---- the thread ---- */

static brski_err_t *expire(brski_spool_t *spool, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    int removed;

    if (now - spool->expired_at < EXPIRE_EVERY) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_store_expire(&removed, spool->store, spool->ctx->now(spool->ctx->baton), pool));
    /* As long as there is much to remove, the next round goes on. */
    spool->expired_at = removed > 0 ? 0 : now;
    return BRSKI_OK;
}

/* All there is to do; the first error ends it, the rest waits for the next round. */
static brski_err_t *work(brski_spool_t *spool, apr_pool_t *pool)
{
    brski_err_t *err = BRSKI_OK;

    if (!spool->started && spool->options.at_start) {
        BRSKI_TRY(spool->options.at_start(spool->store, spool->options.baton, pool));
    }
    spool->started = 1;
    BRSKI_TRY(write_all_peers(spool, pool));
    write_batch(spool, &spool->refusals, write_refusals, &err, pool);
    BRSKI_TRY(err);
    return expire(spool, pool);
}

static void warn(brski_spool_t *spool, const brski_err_t *err, apr_pool_t *pool)
{
    apr_size_t waiting;
    apr_int64_t dropped;
    apr_time_t now = apr_time_now();

    brski_spool_numbers(spool, &waiting, &dropped);
    if (now - spool->warned_at < WARN_EVERY || (!err && dropped == spool->warned_dropped)) {
        return;
    }
    spool->warned_at = now;
    if (err) {
        brski_logf(spool->ctx->log, BRSKI_LOG_WARNING, 1122,
                   "records of requests wait for the database "
                   "(%" APR_SIZE_T_FMT " now): %s",
                   waiting, brski_err_text(err, pool));
    }
    if (dropped != spool->warned_dropped) {
        brski_logf(spool->ctx->log, BRSKI_LOG_WARNING, 1123,
                   "%" APR_INT64_T_FMT " records of requests "
                   "were dropped: more came than are kept",
                   dropped - spool->warned_dropped);
        spool->warned_dropped = dropped;
    }
}

/* With the mutex held. A round comes when it is time, when many peers wait, or at the end. */
static int await_round(brski_spool_t *spool)
{
    if (!spool->stop && spool->peers.entries < spool->options.entries / 4) {
        apr_thread_cond_timedwait(spool->wake, spool->mutex, spool->options.every);
    }
    return spool->stop;
}

/* A database that took no batch in the last round is not asked for more than one. */
static void empty_queues(brski_spool_t *spool, apr_pool_t *pool)
{
    apr_size_t waiting, before;
    apr_int64_t dropped;

    brski_spool_numbers(spool, &waiting, &dropped);
    do {
        before = waiting;
        apr_pool_clear(pool);
        if (work(spool, pool)) {
            break;
        }
        brski_spool_numbers(spool, &waiting, &dropped);
    } while (waiting && waiting < before);
}

static void end_round(brski_spool_t *spool)
{
    if (spool->options.each_round) {
        spool->options.each_round(spool->options.baton);
    }
}

/* A database that is locked answers after seconds, and on SQLite the connection that asks is the
 * only one: those who would read get it for longer than we had it. */
static apr_interval_time_t pause_after(const brski_spool_t *spool, apr_interval_time_t took)
{
    apr_interval_time_t pause = 2 * took < MAX_PAUSE ? 2 * took : MAX_PAUSE;

    return pause > spool->options.every ? pause : spool->options.every;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    brski_spool_t *spool = data;
    brski_err_t *err = BRSKI_OK;
    apr_time_t began;
    apr_pool_t *pool;
    int stop = 0;

    (void)thread;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    while (!stop) {
        apr_pool_clear(pool);
        began = apr_time_now();
        err = work(spool, pool);
        warn(spool, err, pool);
        end_round(spool);
        apr_thread_mutex_lock(spool->mutex);
        if (err && !spool->stop) {
            /* Not woken by peers: a dead database is asked once a round. */
            apr_thread_cond_timedwait(spool->wake, spool->mutex,
                                      pause_after(spool, apr_time_now() - began));
        }
        stop = await_round(spool);
        apr_thread_mutex_unlock(spool->mutex);
    }
    empty_queues(spool, pool);
    end_round(spool);
    apr_pool_destroy(pool);
    return NULL;
}

/* Before the pool's children go: the connections may be among them. */
static apr_status_t stop_thread(void *data)
{
    brski_spool_t *spool = data;
    apr_status_t rv;

    apr_thread_mutex_lock(spool->mutex);
    spool->stop = 1;
    apr_thread_cond_signal(spool->wake);
    apr_thread_mutex_unlock(spool->mutex);
    apr_thread_join(&rv, spool->thread);
    free_all(&spool->refusals);
    free_all(&spool->peers);
    return APR_SUCCESS;
}

static void set_options(brski_spool_t *spool, const brski_spool_options_t *options)
{
    brski_spool_options_t *o = &spool->options;

    o->retention = DEFAULT_RETENTION;
    if (options) {
        *o = *options;
    }
    o->entries = o->entries ? o->entries : DEFAULT_ENTRIES;
    o->octets = o->octets ? o->octets : DEFAULT_OCTETS;
    o->every = o->every > 0 ? o->every : DEFAULT_EVERY;
}

static apr_status_t destroy_allocator(void *allocator)
{
    apr_allocator_destroy(allocator);
    return APR_SUCCESS;
}

static int make_allocator(brski_spool_t *spool, apr_pool_t *pool)
{
    apr_thread_mutex_t *lock;

    if (apr_allocator_create(&spool->allocator) != APR_SUCCESS) {
        return 0;
    }
    apr_pool_cleanup_register(pool, spool->allocator, destroy_allocator, apr_pool_cleanup_null);
    if (apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return 0;
    }
    apr_allocator_mutex_set(spool->allocator, lock);
    apr_allocator_max_free_set(spool->allocator, KEEP_OCTETS);
    return 1;
}

brski_err_t *brski_spool_start(brski_spool_t **out, brski_store_t *store,
                               const brski_spool_options_t *options, const brski_ctx_t *ctx,
                               apr_pool_t *pool)
{
    brski_spool_t *spool = apr_pcalloc(pool, sizeof(*spool));

    *out = NULL;
    spool->store = store;
    spool->ctx = ctx;
    set_options(spool, options);
    if (!make_allocator(spool, pool) ||
        apr_thread_mutex_create(&spool->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&spool->wake, pool) != APR_SUCCESS ||
        apr_thread_create(&spool->thread, NULL, run, spool, pool) != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool,
                         "cannot start the thread that writes records");
    }
    apr_pool_pre_cleanup_register(pool, spool, stop_thread);
    *out = spool;
    return BRSKI_OK;
}
