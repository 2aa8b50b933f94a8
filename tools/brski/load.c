/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: firing requests and gathering what came of them, as load.h says. Threads take the next
 * number from one counter; between warm-up and measurement they meet at a barrier, so that the
 * clock and the server's CPU time begin together.
 */
#include "load.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One measured request. */
typedef struct sample_t {
    apr_uint32_t us;
    apr_uint16_t status;          /* 0: failed */
} sample_t;

/* What the threads share. */
typedef struct field_t {
    const load_plan_t *plan;
    pthread_barrier_t gate;       /* all threads and the one that watches */
    volatile apr_uint32_t warm_next;
    volatile apr_uint32_t next;
    volatile apr_uint32_t done;
    volatile apr_uint32_t stop;
    volatile apr_uint32_t running;
    double ended;                 /* set by the last thread */
} field_t;

/* One thread and its connection. */
typedef struct gun_t {
    field_t *field;
    https_conn_t *conn;
    apr_thread_t *thread;
    sample_t *samples;
    apr_size_t count;
    apr_size_t room;
    load_kept_t *kept;
    apr_size_t kept_count;
    apr_size_t kept_room;
    apr_size_t failures[HTTPS_FAILURES];
    char why[160];
    int opened_before;
    int out_of_memory;
} gun_t;

static double now_seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- one thread ---- */

static void *grow(void *array, apr_size_t *room, apr_size_t count, size_t size)
{
    void *more;

    if (count < *room) {
        return array;
    }
    more = realloc(array, (*room * 2 + 256) * size);
    if (more) {
        *room = *room * 2 + 256;
    }
    return more;
}

static void note_sample(gun_t *gun, double seconds, int status)
{
    sample_t *more = grow(gun->samples, &gun->room, gun->count, sizeof(*more));

    if (!more) {
        gun->out_of_memory = 1;
        return;
    }
    gun->samples = more;
    more[gun->count].us = (apr_uint32_t)(seconds * 1e6);
    more[gun->count].status = (apr_uint16_t)(status > 0 && status < LOAD_STATUS_MAX ? status : 0);
    gun->count++;
}

static void keep_answer(gun_t *gun, apr_size_t request, const https_answer_t *answer)
{
    load_kept_t *more = grow(gun->kept, &gun->kept_room, gun->kept_count, sizeof(*more));
    unsigned char *copy = malloc(answer->len + 1);

    if (!more || !copy) {
        gun->out_of_memory = 1;
        gun->kept = more ? more : gun->kept;
        free(copy);
        return;
    }
    memcpy(copy, answer->body, answer->len);
    gun->kept = more;
    more[gun->kept_count].request = request;
    more[gun->kept_count].body.data = copy;
    more[gun->kept_count].body.len = answer->len;
    gun->kept_count++;
}

static void note_failure(gun_t *gun, https_failure_t failure)
{
    gun->failures[failure]++;
    if (!gun->why[0]) {
        apr_snprintf(gun->why, sizeof(gun->why), "%s: %s", https_failure_text(failure),
                     https_why(gun->conn));
    }
}

static void fire(gun_t *gun, apr_size_t number)
{
    const load_plan_t *plan = gun->field->plan;
    apr_size_t request = (plan->warmup + number) % plan->distinct;
    double started = now_seconds(CLOCK_MONOTONIC);
    https_answer_t answer = { 0, NULL, 0 };
    https_failure_t failure = https_post(&answer, gun->conn, plan->requests[request]);

    note_sample(gun, now_seconds(CLOCK_MONOTONIC) - started, failure ? 0 : answer.status);
    if (failure) {
        note_failure(gun, failure);
    }
    else if (plan->keep_every && answer.status == 200 &&
             number % (apr_size_t)plan->keep_every == 0) {
        keep_answer(gun, request, &answer);
    }
}

static void warm_up(gun_t *gun)
{
    const load_plan_t *plan = gun->field->plan;
    apr_uint32_t number;
    https_answer_t answer;

    while ((number = apr_atomic_inc32(&gun->field->warm_next)) < plan->warmup) {
        https_post(&answer, gun->conn, plan->requests[number % plan->distinct]);
    }
}

static void *APR_THREAD_FUNC shoot(apr_thread_t *thread, void *baton)
{
    gun_t *gun = baton;
    field_t *field = gun->field;
    apr_uint32_t number;

    (void)thread;
    warm_up(gun);
    gun->opened_before = https_conn_opened(gun->conn);
    pthread_barrier_wait(&field->gate);       /* warm */
    pthread_barrier_wait(&field->gate);       /* the clock runs */
    while (!apr_atomic_read32(&field->stop) && !gun->out_of_memory
           && (number = apr_atomic_inc32(&field->next)) < field->plan->total) {
        fire(gun, number);
        apr_atomic_inc32(&field->done);
    }
    if (apr_atomic_dec32(&field->running) == 0) {
        field->ended = now_seconds(CLOCK_MONOTONIC);
    }
    return NULL;
}

/* ---- all of them ---- */

static brski_err_t *start(gun_t *guns, field_t *field, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < field->plan->connections; i++) {
        guns[i].field = field;
        guns[i].conn = https_conn_make(field->plan->target);
        if (!guns[i].conn
            || apr_thread_create(&guns[i].thread, NULL, shoot, &guns[i], pool) != APR_SUCCESS) {
            /* those that wait at the gate cannot be called back */
            return brski_err_say(brski_err(BRSKI_E_INTERNAL, NULL, pool, NULL), pool,
                                 "Cannot start %d threads.", field->plan->connections);
        }
    }
    return BRSKI_OK;
}

static void watch(field_t *field, say_t *say, double started)
{
    const load_plan_t *plan = field->plan;
    say_progress_t progress;

    say_progress_start(&progress, say, "asking", "requests",
                       plan->seconds ? 0 : (apr_int64_t)plan->total);
    while (apr_atomic_read32(&field->running)) {
        apr_sleep(20000);
        if (plan->seconds && now_seconds(CLOCK_MONOTONIC) - started >= plan->seconds) {
            apr_atomic_set32(&field->stop, 1);
        }
        say_progress_at(&progress, apr_atomic_read32(&field->done));
    }
    say_progress_end(&progress);
}

static int by_size(const void *a, const void *b)
{
    apr_uint32_t x = *(const apr_uint32_t *)a, y = *(const apr_uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void gather_one(load_report_t *r, gun_t *gun, apr_pool_t *pool)
{
    apr_size_t i;
    int f;

    for (i = 0; i < gun->count; i++) {
        if (gun->samples[i].status) {
            r->latencies[r->answered++] = gun->samples[i].us;
            r->statuses[gun->samples[i].status]++;
        }
        else {
            r->failed++;
        }
    }
    for (i = 0; i < gun->kept_count; i++) {
        APR_ARRAY_PUSH(r->kept, load_kept_t) = gun->kept[i];
    }
    for (f = 0; f < HTTPS_FAILURES; f++) {
        r->failures[f] += gun->failures[f];
    }
    if (gun->why[0] && !r->why) {
        r->why = apr_pstrdup(pool, gun->why);
    }
    r->opened += (apr_size_t)(https_conn_opened(gun->conn) - gun->opened_before);
}

static apr_status_t free_memory(void *memory)
{
    free(memory);
    return APR_SUCCESS;
}

static apr_status_t free_kept(void *report)
{
    load_report_t *r = report;
    int i;

    for (i = 0; i < r->kept->nelts; i++) {
        free((void *)APR_ARRAY_IDX(r->kept, i, load_kept_t).body.data);
    }
    return APR_SUCCESS;
}

static brski_err_t *gather(load_report_t *r, gun_t *guns, int count, apr_pool_t *pool)
{
    apr_size_t all = 0;
    int i;

    for (i = 0; i < count; i++) {
        all += guns[i].count;
        if (guns[i].out_of_memory) {
            return brski_err(BRSKI_E_INTERNAL, NULL, pool, "out of memory for results");
        }
    }
    r->latencies = malloc((all + 1) * sizeof(*r->latencies));
    if (!r->latencies) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "out of memory for results");
    }
    apr_pool_cleanup_register(pool, r->latencies, free_memory, apr_pool_cleanup_null);
    r->kept = apr_array_make(pool, 64, sizeof(load_kept_t));
    apr_pool_cleanup_register(pool, r, free_kept, apr_pool_cleanup_null);
    for (i = 0; i < count; i++) {
        gather_one(r, &guns[i], pool);
    }
    qsort(r->latencies, r->answered, sizeof(*r->latencies), by_size);
    return BRSKI_OK;
}

static void join(gun_t *guns, int count)
{
    apr_status_t rv;
    int i;

    for (i = 0; i < count; i++) {
        apr_thread_join(&rv, guns[i].thread);
    }
}

static void clear(gun_t *guns, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        https_conn_free(guns[i].conn);
        free(guns[i].samples);
        free(guns[i].kept);       /* the bodies live on in the report */
    }
}

brski_err_t *load_run(load_report_t **out, const load_plan_t *plan, say_t *say, apr_pool_t *pool)
{
    load_report_t *r = apr_pcalloc(pool, sizeof(*r));
    gun_t *guns = apr_pcalloc(pool, (apr_size_t)plan->connections * sizeof(*guns));
    field_t field;
    double started;
    brski_err_t *err;

    *out = r;
    memset(&field, 0, sizeof(field));
    field.plan = plan;
    field.running = (apr_uint32_t)plan->connections;
    signal(SIGPIPE, SIG_IGN);     /* a server that hangs up is a result */
    pthread_barrier_init(&field.gate, NULL, (unsigned)plan->connections + 1);
    BRSKI_TRY(start(guns, &field, pool));
    pthread_barrier_wait(&field.gate);
    load_usage(&r->before, plan->pid);
    r->client_cpu = -now_seconds(CLOCK_PROCESS_CPUTIME_ID);
    started = now_seconds(CLOCK_MONOTONIC);
    pthread_barrier_wait(&field.gate);
    watch(&field, say, started);
    join(guns, plan->connections);
    r->seconds = field.ended - started;
    r->client_cpu += now_seconds(CLOCK_PROCESS_CPUTIME_ID);
    load_usage(&r->after, plan->pid);
    err = gather(r, guns, plan->connections, pool);
    clear(guns, plan->connections);
    pthread_barrier_destroy(&field.gate);
    return err;
}

apr_uint32_t load_percentile(const load_report_t *report, double share)
{
    apr_size_t at = (apr_size_t)(share * (double)report->answered);

    if (!report->answered) {
        return 0;
    }
    return report->latencies[at < report->answered ? at : report->answered - 1];
}
