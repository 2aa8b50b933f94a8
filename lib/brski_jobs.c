/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_jobs.c: the threads that do a registrar's work.
 *
 * A thread takes what this process made itself from a queue of ids, reads the row again and works
 * on it while the lease stands. When the queue is empty it looks into the table: after a while,
 * when somebody says so, when a row that it wrote back becomes due, and at once as long as looking
 * finds work. One thread looks at a time, so that idle processes ask the database no more often
 * than they must.
 *
 * No manufacturer's MASA gets all threads: some are kept free of the one that has most, and one
 * that was slow lately gets a few. What must wait for that waits in the queue, while its lease
 * stands.
 */
#include "brski_jobs.h"

#include <apr_allocator.h>
#include <apr_signal.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_log.h"

#define THREADS 8
#define QUEUE 1000
#define WAITERS 8
#define EVERY apr_time_from_sec(5)
#define LEASE apr_time_from_sec(120)
#define SLOW apr_time_from_sec(5)

/* So long, and so many, manufacturers are known as slow. */
#define SLOW_FOR apr_time_from_sec(120)
#define SLOW_ONES 32
/* What finds no place in the queue comes again after so long. */
#define LATER apr_time_from_sec(60)

/* Hex SHA-256; a longer id is none of ours. Of a longer manufacturer's name so much counts. */
#define ID_LEN 64
/* Memory that a thread keeps for its next row. */
#define KEEP_OCTETS (256 * 1024)

typedef struct row_id_t {
    char text[ID_LEN + 1]; /* "": none */
} row_id_t;

/* A row of the queue. */
typedef struct item_t {
    row_id_t id;
    row_id_t maker;
} item_t;

typedef struct worker_t {
    brski_jobs_t *jobs;
    apr_thread_t *thread;
    row_id_t id; /* of the row that it works on */
    row_id_t maker;
    apr_time_t begun; /* by the machine's clock */
} worker_t;

typedef struct slow_t {
    row_id_t maker;
    apr_time_t until;
} slow_t;

typedef struct waiter_t {
    row_id_t id; /* "": this place is free */
    int ended;
    apr_thread_cond_t *turn;
} waiter_t;

struct brski_jobs_t {
    const brski_registrar_t *registrar;
    brski_jobs_options_t options;
    apr_thread_mutex_t *mutex; /* of all below */
    apr_thread_cond_t *work;   /* there may be something to do, or the end has come */
    worker_t *workers;
    waiter_t *waiters;
    item_t *queue; /* a ring */
    slow_t slow[SLOW_ONES];
    int first, queued;
    int waiting;
    int looking;        /* one thread asks the table */
    apr_time_t look_at; /* when it is to be asked again, by the machine's clock */
    int trouble;        /* the last look failed, and that was told */
    int ending;
};

/* ---- time and chance ---- */

static apr_time_t now_of(const brski_jobs_t *jobs)
{
    const brski_ctx_t *ctx = jobs->registrar->ctx;

    return ctx->now(ctx->baton);
}

/* Between three and five quarters of an interval: processes that start together drift apart. */
static apr_interval_time_t jittered(const brski_jobs_t *jobs, apr_interval_time_t interval)
{
    const brski_ctx_t *ctx = jobs->registrar->ctx;
    unsigned char chance;

    ctx->random(&chance, 1, ctx->baton);
    return interval * (384 + chance) / 512;
}

apr_time_t brski_jobs_lease_until(const brski_jobs_t *jobs, apr_time_t now)
{
    return now + jobs->options.lease;
}

/* ---- ids; all with the mutex held ---- */

static int is_id(const row_id_t *id, const char *text)
{
    return strcmp(id->text, text) == 0;
}

static int is_worked_on(const brski_jobs_t *jobs, const char *id)
{
    int i;

    for (i = 0; i < jobs->options.threads; i++) {
        if (is_id(&jobs->workers[i].id, id)) {
            return 1;
        }
    }
    return 0;
}

static item_t *queued_at(const brski_jobs_t *jobs, int i)
{
    return &jobs->queue[(jobs->first + i) % jobs->options.queue];
}

static int is_queued(const brski_jobs_t *jobs, const char *id)
{
    int i;

    for (i = 0; i < jobs->queued; i++) {
        if (is_id(&queued_at(jobs, i)->id, id)) {
            return 1;
        }
    }
    return 0;
}

static int enqueue(brski_jobs_t *jobs, const brski_request_t *request, int room)
{
    item_t *last;

    if (jobs->queued >= room || is_queued(jobs, request->id)) {
        return 0;
    }
    last = queued_at(jobs, jobs->queued++);
    apr_cpystrn(last->id.text, request->id, sizeof(last->id.text));
    apr_cpystrn(last->maker.text, request->manufacturer, sizeof(last->maker.text));
    return 1;
}

static void remove_queued(brski_jobs_t *jobs, int at)
{
    for (; at > 0; at--) {
        *queued_at(jobs, at) = *queued_at(jobs, at - 1);
    }
    jobs->first = (jobs->first + 1) % jobs->options.queue;
    jobs->queued--;
}

/* ---- a manufacturer's share of the threads; all with the mutex held ---- */

static int was_slow(const brski_jobs_t *jobs, const char *maker, apr_time_t now)
{
    int i;

    for (i = 0; i < SLOW_ONES; i++) {
        if (jobs->slow[i].until > now && is_id(&jobs->slow[i].maker, maker)) {
            return 1;
        }
    }
    return 0;
}

/* The oldest makes room. */
static void note_slow(brski_jobs_t *jobs, const row_id_t *maker, apr_time_t now)
{
    slow_t *place = &jobs->slow[0];
    int i;

    for (i = 0; i < SLOW_ONES; i++) {
        if (is_id(&jobs->slow[i].maker, maker->text)) {
            place = &jobs->slow[i];
            break;
        }
        if (jobs->slow[i].until < place->until) {
            place = &jobs->slow[i];
        }
    }
    place->maker = *maker;
    place->until = now + SLOW_FOR;
}

static int may_begin(const brski_jobs_t *jobs, const char *maker)
{
    int i, busy = 0, threads = jobs->options.threads, few = threads < 8 ? 1 : threads / 4;
    int most = threads < 4 ? threads : threads - few;
    apr_time_t now = apr_time_now();
    int slow = was_slow(jobs, maker, now);

    for (i = 0; i < threads; i++) {
        const worker_t *w = &jobs->workers[i];

        if (*w->id.text && is_id(&w->maker, maker)) {
            busy++;
            slow = slow || now - w->begun > jobs->options.slow;
        }
    }
    return busy < (slow ? few : most);
}

/* The first of the queue that a thread may take, or need not take any more; -1: none. */
static int first_ready(const brski_jobs_t *jobs)
{
    const item_t *item, *refused = NULL;
    int i;

    for (i = 0; i < jobs->queued; i++) {
        item = queued_at(jobs, i);
        if (is_worked_on(jobs, item->id.text)) {
            return i;
        }
        if (refused && is_id(&refused->maker, item->maker.text)) {
            continue;
        }
        if (may_begin(jobs, item->maker.text)) {
            return i;
        }
        refused = item;
    }
    return -1;
}

static void take_on(worker_t *worker, const char *id, const char *maker)
{
    apr_cpystrn(worker->id.text, id, sizeof(worker->id.text));
    apr_cpystrn(worker->maker.text, maker, sizeof(worker->maker.text));
    worker->begun = apr_time_now();
}

/* One of the queue goes to the worker, unless another has it in hand already. */
static int pop(worker_t *worker)
{
    brski_jobs_t *jobs = worker->jobs;
    int at;

    while ((at = first_ready(jobs)) >= 0) {
        const item_t item = *queued_at(jobs, at);

        remove_queued(jobs, at);
        if (!is_worked_on(jobs, item.id.text)) {
            take_on(worker, item.id.text, item.maker.text);
            return 1;
        }
    }
    return 0;
}

static void end_step(worker_t *worker)
{
    brski_jobs_t *jobs = worker->jobs;
    apr_time_t now = apr_time_now();
    int i;

    if (now - worker->begun > jobs->options.slow) {
        note_slow(jobs, &worker->maker, now);
    }
    for (i = 0; i < jobs->options.waiters; i++) {
        waiter_t *w = &jobs->waiters[i];

        if (*w->id.text && is_id(&w->id, worker->id.text)) {
            w->ended = 1;
            apr_thread_cond_signal(w->turn);
        }
    }
    *worker->id.text = '\0';
}

/* A thread that sleeps until look_at is woken when that comes nearer. */
static void look_soon(brski_jobs_t *jobs, apr_time_t at)
{
    if (at < jobs->look_at) {
        jobs->look_at = at;
        apr_thread_cond_signal(jobs->work);
    }
}

/* ---- work; without the mutex ---- */

static void complain(const brski_jobs_t *jobs, const char *id, const brski_err_t *err,
                     apr_pool_t *pool)
{
    brski_logf(jobs->registrar->ctx->log, BRSKI_LOG_WARNING, 1160,
               "work on request %s is left to who looks next: %s", id, brski_err_text(err, pool));
}

/* When the row is due again, by the machine's clock; 0 when it is not. */
static apr_time_t due_again(const brski_jobs_t *jobs, const brski_request_t *request)
{
    apr_interval_time_t wait = request->next_at - now_of(jobs);

    if (request->task == BRSKI_TASK_NONE) {
        return 0;
    }
    return apr_time_now() + (wait > 0 ? wait : 0);
}

/* @return when to look at the table because of it; 0: need not be */
static apr_time_t work_on(brski_jobs_t *jobs, brski_request_t *request, apr_pool_t *pool)
{
    brski_err_t *err = brski_registrar_work(jobs->registrar, request, pool);

    if (err) {
        complain(jobs, request->id, err, pool);
        return 0;
    }
    return due_again(jobs, request);
}

/* A row of our own may have waited in the queue for longer than its lease. */
static int is_ours(const brski_jobs_t *jobs, const brski_request_t *request)
{
    return request && request->task != BRSKI_TASK_NONE && request->lease_by
           && strcmp(request->lease_by, jobs->registrar->node) == 0
           && request->lease_until > now_of(jobs);
}

static apr_time_t work_on_queued(worker_t *worker, apr_pool_t *pool)
{
    brski_jobs_t *jobs = worker->jobs;
    brski_request_t *request;
    brski_err_t *err = brski_records_request_get(&request, jobs->registrar->records,
                                                 worker->id.text, pool, pool);

    if (err) {
        complain(jobs, worker->id.text, err, pool);
        return 0;
    }
    return is_ours(jobs, request) ? work_on(jobs, request, pool) : 0;
}

/* ---- looking into the table ---- */

static brski_request_t *take(brski_jobs_t *jobs, apr_pool_t *pool)
{
    apr_time_t now = now_of(jobs);
    brski_request_t *request;
    brski_err_t *err;

    err = brski_records_request_take(&request, jobs->registrar->records, jobs->registrar->node, now,
                                     now + jobs->options.lease, pool, pool);
    if (err && !jobs->trouble) {
        brski_logf(jobs->registrar->ctx->log, BRSKI_LOG_WARNING, 1161,
                   "the table of work cannot be read, it is tried again: %s",
                   brski_err_text(err, pool));
    }
    jobs->trouble = err != NULL;
    return request;
}

static void put_off(const brski_jobs_t *jobs, brski_request_t *request, apr_pool_t *pool)
{
    brski_err_t *err;
    int done;

    request->next_at = now_of(jobs) + jittered(jobs, LATER);
    err = brski_records_request_done(&done, jobs->registrar->records, request, request->lease_by,
                                     pool);
    if (err) {
        complain(jobs, request->id, err, pool);
    }
}

/* With the mutex held at both ends. Half of the queue is for what this process makes itself. */
static void set_aside(brski_jobs_t *jobs, brski_request_t *request, apr_pool_t *pool)
{
    if (!enqueue(jobs, request, jobs->options.queue / 2)) {
        apr_thread_mutex_unlock(jobs->mutex);
        put_off(jobs, request, pool);
        apr_thread_mutex_lock(jobs->mutex);
    }
}

/*
 * With the mutex held at both ends. What was found says that there may be more: the next thread
 * looks at once.
 */
static brski_request_t *look(worker_t *worker, apr_pool_t *pool)
{
    brski_jobs_t *jobs = worker->jobs;
    brski_request_t *request;

    jobs->looking = 1;
    jobs->look_at = apr_time_now() + jittered(jobs, jobs->options.every);
    apr_thread_mutex_unlock(jobs->mutex);
    request = take(jobs, pool);
    apr_thread_mutex_lock(jobs->mutex);
    jobs->looking = 0;
    if (!request) {
        apr_thread_cond_signal(jobs->work);
        return NULL;
    }
    look_soon(jobs, 0);
    if (may_begin(jobs, request->manufacturer)) {
        take_on(worker, request->id, request->manufacturer);
        return request;
    }
    set_aside(jobs, request, pool);
    return NULL;
}

/* ---- threads ---- */

static int must_look(const brski_jobs_t *jobs)
{
    return !jobs->looking && apr_time_now() >= jobs->look_at;
}

/* With the mutex held: until there is something to do, or the end. Who looks wakes the next. */
static void await_work(brski_jobs_t *jobs)
{
    while (!jobs->ending && first_ready(jobs) < 0 && !must_look(jobs)) {
        if (jobs->looking) {
            apr_thread_cond_wait(jobs->work, jobs->mutex);
        }
        else {
            apr_thread_cond_timedwait(jobs->work, jobs->mutex, jobs->look_at - apr_time_now());
        }
    }
}

/* With the mutex held at both ends: one row, from the queue or from the table. */
static void one_step(worker_t *worker, apr_pool_t *pool)
{
    brski_jobs_t *jobs = worker->jobs;
    brski_request_t *request = NULL;
    apr_time_t again;

    if (!pop(worker) && must_look(jobs)) {
        request = look(worker, pool);
    }
    if (!*worker->id.text) {
        return;
    }
    apr_thread_mutex_unlock(jobs->mutex);
    again = request ? work_on(jobs, request, pool) : work_on_queued(worker, pool);
    apr_thread_mutex_lock(jobs->mutex);
    end_step(worker);
    if (again) {
        look_soon(jobs, again);
    }
}

static apr_pool_t *make_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    if (apr_allocator_create(&allocator) != APR_SUCCESS) {
        return NULL;
    }
    apr_allocator_max_free_set(allocator, KEEP_OCTETS);
    if (apr_pool_create_unmanaged_ex(&pool, NULL, allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    worker_t *worker = data;
    brski_jobs_t *jobs = worker->jobs;
    apr_pool_t *pool = make_pool();

    (void)thread;
    apr_setup_signal_thread(); /* signals are for the host's own threads */
    apr_thread_mutex_lock(jobs->mutex);
    while (pool && !jobs->ending) {
        await_work(jobs);
        if (!jobs->ending) {
            one_step(worker, pool);
            apr_pool_clear(pool);
        }
    }
    apr_thread_mutex_unlock(jobs->mutex);
    if (pool) {
        apr_pool_destroy(pool);
    }
    return NULL;
}

/* ---- beginning and end ---- */

/* What nobody will work on here need not wait for the end of its lease; if that fails it does. */
static void release_queued(brski_jobs_t *jobs)
{
    apr_pool_t *pool = jobs->queued ? make_pool() : NULL;
    int released;

    if (pool) {
        brski_records_request_release(&released, jobs->registrar->records, jobs->registrar->node,
                                      now_of(jobs), pool);
        apr_pool_destroy(pool);
    }
}

/*
 * Threads are waited for: what they use dies after this. A question to a MASA ends by the limits of
 * its time; what is then left of a row's work is found in the table by others.
 */
static apr_status_t end(void *data)
{
    brski_jobs_t *jobs = data;
    apr_status_t rv;
    int i;

    apr_thread_mutex_lock(jobs->mutex);
    jobs->ending = 1;
    apr_thread_cond_broadcast(jobs->work);
    for (i = 0; i < jobs->options.waiters; i++) {
        apr_thread_cond_signal(jobs->waiters[i].turn);
    }
    apr_thread_mutex_unlock(jobs->mutex);
    for (i = 0; i < jobs->options.threads; i++) {
        if (jobs->workers[i].thread) {
            apr_thread_join(&rv, jobs->workers[i].thread);
        }
    }
    release_queued(jobs);
    return APR_SUCCESS;
}

static void set_options(brski_jobs_options_t *to, const brski_jobs_options_t *from)
{
    static const brski_jobs_options_t none;

    *to = from ? *from : none;
    to->threads = to->threads > 0 ? to->threads : THREADS;
    to->queue = to->queue > 0 ? to->queue : QUEUE;
    to->waiters = to->waiters > 0 ? to->waiters : WAITERS;
    to->every = to->every > 0 ? to->every : EVERY;
    to->lease = to->lease > 0 ? to->lease : LEASE;
    to->slow = to->slow > 0 ? to->slow : SLOW;
}

static int make_locks(brski_jobs_t *jobs, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < jobs->options.waiters; i++) {
        if (apr_thread_cond_create(&jobs->waiters[i].turn, pool) != APR_SUCCESS) {
            return 0;
        }
    }
    return apr_thread_mutex_create(&jobs->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS
           && apr_thread_cond_create(&jobs->work, pool) == APR_SUCCESS;
}

static int start_threads(brski_jobs_t *jobs, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < jobs->options.threads; i++) {
        jobs->workers[i].jobs = jobs;
        if (apr_thread_create(&jobs->workers[i].thread, NULL, run, &jobs->workers[i], pool)
            != APR_SUCCESS) {
            return 0;
        }
    }
    return 1;
}

brski_err_t *brski_jobs_start(brski_jobs_t **out, const brski_registrar_t *registrar,
                              const brski_jobs_options_t *options, apr_pool_t *pool)
{
    brski_jobs_t *jobs = apr_pcalloc(pool, sizeof(*jobs));

    *out = NULL;
    jobs->registrar = registrar;
    set_options(&jobs->options, options);
    jobs->workers = apr_pcalloc(pool, (apr_size_t)jobs->options.threads * sizeof(worker_t));
    jobs->waiters = apr_pcalloc(pool, (apr_size_t)jobs->options.waiters * sizeof(waiter_t));
    jobs->queue = apr_pcalloc(pool, (apr_size_t)jobs->options.queue * sizeof(item_t));
    jobs->look_at = apr_time_now() + jittered(jobs, jobs->options.every) / 4;
    if (!make_locks(jobs, pool)) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no mutex for the registrar's threads");
    }
    /* Before the pools that hang on this one go, and with them what the threads use. */
    apr_pool_pre_cleanup_register(pool, jobs, end);
    if (!start_threads(jobs, pool)) {
        apr_pool_cleanup_run(pool, jobs, end);
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no threads for the registrar's work");
    }
    *out = jobs;
    return BRSKI_OK;
}

/* ---- what others ask ---- */

void brski_jobs_begin(brski_jobs_t *jobs, const brski_request_t *request)
{
    if (strlen(request->id) > ID_LEN) {
        return;
    }
    apr_thread_mutex_lock(jobs->mutex);
    if (enqueue(jobs, request, jobs->options.queue)) {
        apr_thread_cond_signal(jobs->work);
    }
    apr_thread_mutex_unlock(jobs->mutex);
}

void brski_jobs_wake(brski_jobs_t *jobs)
{
    apr_thread_mutex_lock(jobs->mutex);
    look_soon(jobs, 0);
    apr_thread_mutex_unlock(jobs->mutex);
}

/* With the mutex held; NULL when too many wait. */
static waiter_t *take_place(brski_jobs_t *jobs, const char *request)
{
    int i;

    for (i = 0; i < jobs->options.waiters; i++) {
        waiter_t *w = &jobs->waiters[i];

        if (!*w->id.text) {
            apr_cpystrn(w->id.text, request, sizeof(w->id.text));
            w->ended = 0;
            return w;
        }
    }
    return NULL;
}

/* With the mutex held. */
static int await_step(brski_jobs_t *jobs, waiter_t *w, apr_interval_time_t patience)
{
    const apr_time_t until = apr_time_now() + patience;
    apr_time_t now = apr_time_now();

    jobs->waiting++;
    while (!w->ended && !jobs->ending && now < until) {
        apr_thread_cond_timedwait(w->turn, jobs->mutex, until - now);
        now = apr_time_now();
    }
    jobs->waiting--;
    *w->id.text = '\0';
    return w->ended;
}

int brski_jobs_wait(brski_jobs_t *jobs, const char *request, apr_interval_time_t patience)
{
    int ended = 1;
    waiter_t *w;

    if (strlen(request) > ID_LEN) {
        return 0;
    }
    apr_thread_mutex_lock(jobs->mutex);
    if (is_worked_on(jobs, request) || is_queued(jobs, request)) {
        w = take_place(jobs, request);
        ended = w && await_step(jobs, w, patience);
    }
    apr_thread_mutex_unlock(jobs->mutex);
    return ended;
}

void brski_jobs_numbers(brski_jobs_t *jobs, int *working, int *queued, int *waiting)
{
    int i;

    apr_thread_mutex_lock(jobs->mutex);
    *working = 0;
    for (i = 0; i < jobs->options.threads; i++) {
        *working += *jobs->workers[i].id.text != '\0';
    }
    *queued = jobs->queued;
    *waiting = jobs->waiting;
    apr_thread_mutex_unlock(jobs->mutex);
}
