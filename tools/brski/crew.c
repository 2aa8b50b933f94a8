/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew.c: threads that take the next number until there is none, as crew.h says.
 */
#include "crew.h"

#include <apr_atomic.h>
#include <apr_thread_proc.h>
#include <string.h>
#include <unistd.h>

#define MAX_THREADS 16

/* What the threads share. */
typedef struct crew_t {
    crew_job_t job;
    void *baton;
    apr_uint32_t count;
    volatile apr_uint32_t next;
    volatile apr_uint32_t done;
    volatile apr_uint32_t failed;
} crew_t;

typedef struct worker_t {
    crew_t *crew;
    apr_pool_t *pool;
    apr_thread_t *thread;
    brski_err_t *err;
} worker_t;

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *baton)
{
    worker_t *w = baton;
    crew_t *crew = w->crew;
    apr_pool_t *each;
    apr_uint32_t number;

    (void)thread;
    apr_pool_create(&each, w->pool);
    while (!apr_atomic_read32(&crew->failed)
           && (number = apr_atomic_inc32(&crew->next)) < crew->count) {
        w->err = crew->job(crew->baton, number, each);
        if (w->err) {
            apr_atomic_set32(&crew->failed, 1);
            break;                /* the error lives in this pool */
        }
        apr_atomic_inc32(&crew->done);
        apr_pool_clear(each);
    }
    return NULL;
}

/* A pool that one thread may use without asking the others. */
static apr_pool_t *thread_pool(apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    apr_allocator_create(&allocator);
    apr_pool_create_ex(&pool, parent, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

static int processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

static void start(worker_t *workers, int count, crew_t *crew, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < count && !apr_atomic_read32(&crew->failed); i++) {
        workers[i].crew = crew;
        workers[i].pool = thread_pool(pool);
        if (apr_thread_create(&workers[i].thread, NULL, work, &workers[i], pool) != APR_SUCCESS) {
            workers[i].thread = NULL;
            workers[i].err = brski_err(BRSKI_E_INTERNAL, NULL, pool, "cannot start a thread");
            apr_atomic_set32(&crew->failed, 1);
        }
    }
}

static brski_err_t *join(worker_t *workers, int count)
{
    brski_err_t *err = BRSKI_OK;
    apr_status_t rv;
    int i;

    for (i = 0; i < count; i++) {
        if (workers[i].thread) {
            apr_thread_join(&rv, workers[i].thread);
        }
        err = err ? err : workers[i].err;
    }
    return err;
}

brski_err_t *crew_run(crew_job_t job, void *baton, apr_uint32_t count, const char *what,
                      const char *unit, say_t *say, apr_pool_t *pool)
{
    crew_t crew = { job, baton, count, 0, 0, 0 };
    worker_t workers[MAX_THREADS];
    say_progress_t progress;

    memset(workers, 0, sizeof(workers));
    start(workers, processors(), &crew, pool);
    say_progress_start(&progress, say, what, unit, count);
    while (!apr_atomic_read32(&crew.failed) && apr_atomic_read32(&crew.done) < count) {
        say_progress_at(&progress, apr_atomic_read32(&crew.done));
        apr_sleep(10000);
    }
    say_progress_end(&progress);
    return join(workers, MAX_THREADS);
}
