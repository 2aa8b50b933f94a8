/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_join.c: many pledges at once, as load_join.h says. Threads take the next device from one
 * counter; what a pledge needs of the lab is read before its clock starts.
 */
#include "load_join.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/say.h"
#include "pledge.h"
#include "show.h"

/* OpenSSL needs little; with thousands of threads the default would be too much. */
#define STACK (512 * 1024)

/* One join. */
typedef struct sample_t {
    apr_uint32_t us;
    apr_uint32_t voucher_us;
    apr_byte_t stage;             /* load_join_stage_t */
    apr_byte_t waited;
} sample_t;

/* What the threads share. */
typedef struct field_t {
    const load_join_plan_t *plan;
    pledge_plan_t pledge;
    const apr_array_header_t *serials;
    const brski_ctx_t *ctx;
    sample_t *samples;            /* one a pledge */
    volatile apr_uint32_t next;
    volatile apr_uint32_t done;
    volatile apr_uint32_t failed; /* the first one tells why */
    char why[300];
} field_t;

typedef struct worker_t {
    field_t *field;
    apr_thread_t *thread;
    apr_pool_t *pool;
} worker_t;

const char *load_join_stage_text(load_join_stage_t stage)
{
    static const char *const texts[LOAD_JOIN_STAGES] = {
        "joined", "identity", "connect", "voucher", "verify", "voucher_status", "cacerts",
        "csrattrs", "enroll", "certificate", "reconnect", "enrollstatus"
    };

    return stage >= 0 && stage < LOAD_JOIN_STAGES ? texts[stage] : "unknown";
}

static double now_seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- one pledge ---- */

#define STEP(s, call)         \
    do {                      \
        sample->stage = (s);  \
        BRSKI_TRY(call);      \
    } while (0)

static brski_err_t *get_voucher(sample_t *sample, pledge_t *p)
{
    STEP(LOAD_JOIN_CONNECT, pledge_connect(p));
    STEP(LOAD_JOIN_VOUCHER, pledge_make_request(p));
    STEP(LOAD_JOIN_VOUCHER, pledge_ask_voucher(p));
    STEP(LOAD_JOIN_VERIFY, pledge_verify_voucher(p));
    STEP(LOAD_JOIN_VERIFY, pledge_judge_registrar(p));
    return BRSKI_OK;
}

static brski_err_t *get_certificate(sample_t *sample, pledge_t *p)
{
    STEP(LOAD_JOIN_STATUS, pledge_voucher_status(p, NULL));
    STEP(LOAD_JOIN_CACERTS, pledge_get_cacerts(p));
    STEP(LOAD_JOIN_CSRATTRS, pledge_get_csrattrs(p));
    STEP(LOAD_JOIN_ENROLL, pledge_enroll(p));
    STEP(LOAD_JOIN_CERTIFICATE, pledge_check_certificate(p));
    STEP(LOAD_JOIN_RECONNECT, pledge_connect_trusted(p, &p->ldevid));
    STEP(LOAD_JOIN_ENROLLED, pledge_enroll_status(p, NULL));
    sample->stage = LOAD_JOIN_DONE;
    return BRSKI_OK;
}

static brski_err_t *load_device(identity_t *who, const field_t *field, apr_size_t number,
                                apr_pool_t *pool)
{
    const load_join_plan_t *plan = field->plan;
    const char *serial = APR_ARRAY_IDX(field->serials, plan->first_device + number, const char *);
    lab_identity_t files;

    BRSKI_TRY(lab_device(&files, plan->lab, serial, pool));
    return identity_load(who, files.chain_file, files.key_file, pool);
}

static brski_err_t *join_one(sample_t *sample, field_t *field, apr_size_t number, apr_pool_t *pool)
{
    identity_t who;
    pledge_t *p;
    double started;
    brski_err_t *err;

    STEP(LOAD_JOIN_IDENTITY, load_device(&who, field, number, pool));
    p = pledge_make(&field->pledge, &who, field->ctx, pool);
    started = now_seconds(CLOCK_MONOTONIC);
    err = get_voucher(sample, p);
    sample->voucher_us = (apr_uint32_t)((now_seconds(CLOCK_MONOTONIC) - started) * 1e6);
    if (!err) {
        err = get_certificate(sample, p);
    }
    sample->us = (apr_uint32_t)((now_seconds(CLOCK_MONOTONIC) - started) * 1e6);
    sample->waited = p->waited > 0;
    return err;
}

static void note_failure(field_t *field, const sample_t *sample, const brski_err_t *err,
                         apr_pool_t *pool)
{
    if (apr_atomic_inc32(&field->failed) == 0) {
        apr_snprintf(field->why, sizeof(field->why), "%s: %s",
                     load_join_stage_text(sample->stage), show_sentence(err, pool));
    }
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *baton)
{
    worker_t *w = baton;
    field_t *field = w->field;
    apr_uint32_t number;

    (void)thread;
    while ((number = apr_atomic_inc32(&field->next)) < field->plan->pledges) {
        sample_t *sample = &field->samples[number];
        brski_err_t *err = join_one(sample, field, number, w->pool);

        if (err) {
            note_failure(field, sample, err, w->pool);
        }
        apr_pool_clear(w->pool);
        apr_atomic_inc32(&field->done);
    }
    return NULL;
}

/* ---- all of them ---- */

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

static brski_err_t *start(worker_t *workers, field_t *field, apr_pool_t *pool)
{
    apr_threadattr_t *attr;
    int i;

    apr_threadattr_create(&attr, pool);
    apr_threadattr_stacksize_set(attr, STACK);
    for (i = 0; i < field->plan->connections; i++) {
        workers[i].field = field;
        workers[i].pool = thread_pool(pool);
        if (apr_thread_create(&workers[i].thread, attr, work, &workers[i], pool) != APR_SUCCESS) {
            apr_atomic_set32(&field->next, (apr_uint32_t)field->plan->pledges);
            workers[i].thread = NULL;
            return brski_err_say(brski_err(BRSKI_E_INTERNAL, NULL, pool, NULL), pool,
                                 "Cannot start %d threads.", field->plan->connections);
        }
    }
    return BRSKI_OK;
}

static void watch(field_t *field, say_t *say)
{
    say_progress_t progress;

    say_progress_start(&progress, say, "joining", "devices", (apr_int64_t)field->plan->pledges);
    while (apr_atomic_read32(&field->done) < field->plan->pledges) {
        apr_sleep(5000);
        say_progress_at(&progress, apr_atomic_read32(&field->done));
    }
    say_progress_end(&progress);
}

static void finish(worker_t *workers, int count)
{
    apr_status_t rv;
    int i;

    for (i = 0; i < count && workers[i].thread; i++) {
        apr_thread_join(&rv, workers[i].thread);
    }
}

static int by_size(const void *a, const void *b)
{
    apr_uint32_t x = *(const apr_uint32_t *)a, y = *(const apr_uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void gather(load_join_report_t *r, const field_t *field, apr_pool_t *pool)
{
    apr_size_t i, joined = 0;

    r->latencies = apr_palloc(pool, (field->plan->pledges + 1) * sizeof(*r->latencies));
    r->waits = apr_palloc(pool, (field->plan->pledges + 1) * sizeof(*r->waits));
    for (i = 0; i < field->plan->pledges; i++) {
        const sample_t *sample = &field->samples[i];

        r->stopped[sample->stage]++;
        if (sample->stage == LOAD_JOIN_DONE) {
            r->latencies[joined] = sample->us;
            r->waits[joined++] = sample->voucher_us;
            r->waited += sample->waited;
        }
    }
    qsort(r->latencies, joined, sizeof(*r->latencies), by_size);
    qsort(r->waits, joined, sizeof(*r->waits), by_size);
    r->why = field->why[0] ? apr_pstrdup(pool, field->why) : NULL;
}

/* What all pledges have in common: where they go, whom they trust. */
static brski_err_t *make_field(field_t *field, const load_join_plan_t *plan, call_t *call)
{
    apr_array_header_t *anchors = apr_array_make(call->pool, 1, sizeof(const char *)), *serials;
    brski_anchors_t *manufacturer;
    https_options_t o;
    https_target_t *target;

    memset(field, 0, sizeof(*field));
    memset(&o, 0, sizeof(o));
    o.url = plan->url;
    o.any_host = plan->any_host;
    o.provisional = 1;
    o.timeout = plan->timeout;
    BRSKI_TRY(https_target_make(&target, &o, call->pool));
    APR_ARRAY_PUSH(anchors, const char *) = plan->lab->voucher_anchor;
    BRSKI_TRY(brski_anchors_load(&manufacturer, anchors, call->pool));
    BRSKI_TRY(lab_serials(&serials, plan->lab, call->pool));
    if ((apr_size_t)serials->nelts < plan->first_device + plan->pledges) {
        return say_refuse(call->pool, "The lab has %d devices: too few for %s from number %s on.",
                          serials->nelts, say_count((apr_int64_t)plan->pledges, call->pool),
                          say_count((apr_int64_t)plan->first_device + 1, call->pool));
    }
    field->plan = plan;
    field->serials = serials;
    field->ctx = call->ctx;
    field->pledge.url = plan->url;
    field->pledge.like = target;
    field->pledge.manufacturer = manufacturer;
    field->pledge.timeout = plan->timeout;
    field->pledge.max_wait = plan->max_wait;
    field->pledge.tls12 = plan->tls12;
    field->samples = apr_pcalloc(call->pool, plan->pledges * sizeof(*field->samples));
    return BRSKI_OK;
}

brski_err_t *load_join_run(load_join_report_t **out, const load_join_plan_t *plan, call_t *call)
{
    load_join_report_t *r = apr_pcalloc(call->pool, sizeof(*r));
    worker_t *workers = apr_pcalloc(call->pool,
                                    (apr_size_t)plan->connections * sizeof(*workers));
    field_t field;
    double started;
    brski_err_t *err;

    *out = r;
    BRSKI_TRY(make_field(&field, plan, call));
    signal(SIGPIPE, SIG_IGN);     /* a server that hangs up is a result */
    load_usage(&r->before, plan->pid);
    r->client_cpu = -now_seconds(CLOCK_PROCESS_CPUTIME_ID);
    started = now_seconds(CLOCK_MONOTONIC);
    err = start(workers, &field, call->pool);
    if (!err) {
        watch(&field, call->say);
    }
    finish(workers, plan->connections);
    BRSKI_TRY(err);
    r->seconds = now_seconds(CLOCK_MONOTONIC) - started;
    r->client_cpu += now_seconds(CLOCK_PROCESS_CPUTIME_ID);
    load_usage(&r->after, plan->pid);
    gather(r, &field, call->pool);
    return BRSKI_OK;
}
