/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_requests.c: making and reading the requests of `brski load`, as load_requests.h says.
 */
#include "load_requests.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"
#include "request.h"

/* What the threads share. */
typedef struct work_t {
    const load_recipe_t *recipe;
    const apr_array_header_t *serials;
    brski_bytes_t *out;
    const brski_ctx_t *ctx;
    volatile apr_uint32_t next;
    volatile apr_uint32_t done;
    volatile apr_uint32_t failed;
} work_t;

typedef struct worker_t {
    work_t *work;
    apr_pool_t *pool;
    apr_thread_t *thread;
    brski_err_t *err;
} worker_t;

static signing_t sign_as(const work_t *w, const identity_t *who, apr_time_t at)
{
    signing_t signing;

    memset(&signing, 0, sizeof(signing));
    signing.who = *who;
    signing.econtent = w->recipe->econtent;
    signing.at = at;
    return signing;
}

static brski_err_t *make_pvr(rvr_t *rvr, const work_t *w, const identity_t *device, apr_time_t at,
                             apr_pool_t *pool)
{
    signing_t signing = sign_as(w, device, at);
    pvr_t pvr;

    memset(&pvr, 0, sizeof(pvr));
    signing.ee_only = w->recipe->ee_only;
    pvr.serial_number = identity_ee(device)->serial_number;
    pvr.nonce = request_nonce(w->ctx, pool);
    pvr.created_on = at;
    pvr.registrar = identity_ee(w->recipe->registrar);
    BRSKI_TRY(request_pvr(&rvr->prior, &pvr, &signing, pool));
    rvr->serial_number = pvr.serial_number;
    rvr->nonce = pvr.nonce;
    rvr->assertion = "proximity";
    rvr->idevid_issuer = brski_idevid_issuer_make(identity_ee(device), pool);
    return BRSKI_OK;
}

static brski_err_t *make_one(const work_t *w, apr_uint32_t number, apr_pool_t *pool)
{
    apr_size_t which = (w->recipe->first_device + number) % (apr_size_t)w->serials->nelts;
    apr_time_t at = w->ctx->now(w->ctx->baton);
    signing_t signing = sign_as(w, w->recipe->registrar, at);
    lab_identity_t files;
    identity_t device;
    brski_bytes_t message;
    unsigned char *kept;
    rvr_t rvr;

    memset(&rvr, 0, sizeof(rvr));
    BRSKI_TRY(
        lab_device(&files, w->recipe->lab, APR_ARRAY_IDX(w->serials, which, const char *), pool));
    BRSKI_TRY(identity_load(&device, files.chain_file, files.key_file, pool));
    BRSKI_TRY(make_pvr(&rvr, w, &device, at, pool));
    rvr.created_on = at;
    BRSKI_TRY(request_rvr(&message, &rvr, &signing, pool));
    kept = malloc(message.len);
    if (!kept) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "out of memory for requests");
    }
    memcpy(kept, message.data, message.len);
    w->out[number] = brski_bytes(kept, message.len);
    return BRSKI_OK;
}

static void *APR_THREAD_FUNC make_many(apr_thread_t *thread, void *baton)
{
    worker_t *worker = baton;
    work_t *w = worker->work;
    apr_pool_t *each;
    apr_uint32_t number;

    (void)thread;
    apr_pool_create(&each, worker->pool);
    while (!apr_atomic_read32(&w->failed) &&
           (number = apr_atomic_inc32(&w->next)) < w->recipe->count) {
        worker->err = make_one(w, number, each);
        if (worker->err) {
            apr_atomic_set32(&w->failed, 1);
            break;                /* the error lives in this pool */
        }
        apr_atomic_inc32(&w->done);
        apr_pool_clear(each);
    }
    return NULL;
}

static apr_pool_t *thread_pool(apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    apr_allocator_create(&allocator);
    apr_pool_create_ex(&pool, parent, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

static brski_err_t *finish(worker_t *workers, int count, work_t *w, call_t *call)
{
    say_progress_t progress;
    brski_err_t *err = BRSKI_OK;
    apr_status_t rv;
    int i;

    say_progress_start(&progress, call->say, "preparing", "requests",
                       (apr_int64_t)w->recipe->count);
    while (!apr_atomic_read32(&w->failed) && apr_atomic_read32(&w->done) < w->recipe->count) {
        say_progress_at(&progress, apr_atomic_read32(&w->done));
        apr_sleep(20000);
    }
    say_progress_end(&progress);
    for (i = 0; i < count; i++) {
        if (workers[i].thread) {
            apr_thread_join(&rv, workers[i].thread);
        }
        err = err ? err : workers[i].err;
    }
    return err;
}

brski_err_t *load_requests_make(load_requests_t *out, const load_recipe_t *recipe, call_t *call)
{
    apr_array_header_t *serials;
    worker_t workers[16];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int i, count = processors < 1 ? 1 : processors > 16 ? 16 : (int)processors;
    work_t w;

    BRSKI_TRY(lab_serials(&serials, recipe->lab, call->pool));
    memset(&w, 0, sizeof(w));
    memset(workers, 0, sizeof(workers));
    w.recipe = recipe;
    w.serials = serials;
    w.ctx = call->ctx;
    w.out = calloc(recipe->count, sizeof(*w.out));
    if (!w.out || serials->nelts == 0) {
        free(w.out);
        return say_refuse(call->pool,
                          "The lab has no devices, or there is no memory for the requests.");
    }
    for (i = 0; i < count; i++) {
        workers[i].work = &w;
        workers[i].pool = thread_pool(call->pool);
        if (apr_thread_create(&workers[i].thread, NULL, make_many, &workers[i], call->pool)
            != APR_SUCCESS) {
            apr_atomic_set32(&w.failed, 1);
            workers[i].thread = NULL;
            workers[i].err = brski_err(BRSKI_E_INTERNAL, NULL, call->pool, "cannot start a thread");
            break;
        }
    }
    out->all = w.out;
    out->count = recipe->count;
    return finish(workers, count, &w, call);
}

brski_err_t *load_requests_write(const load_requests_t *requests, const char *dir, call_t *call)
{
    apr_pool_t *each;
    brski_err_t *err = BRSKI_OK;
    apr_size_t i;

    BRSKI_TRY(files_mkdir(dir, 0755, call->pool));
    apr_pool_create(&each, call->pool);
    for (i = 0; !err && i < requests->count; i++) {
        apr_pool_clear(each);
        err = files_write(apr_psprintf(each, "%s/%08" APR_SIZE_T_FMT ".vcj", dir, i + 1),
                          requests->all[i], FILES_PUBLIC, each);
    }
    return err;
}

brski_err_t *load_requests_read(load_requests_t *out, const char *dir, apr_pool_t *pool)
{
    apr_array_header_t *names;
    int i;

    BRSKI_TRY(files_list(&names, dir, pool));
    if (names->nelts == 0) {
        return say_refuse(pool, "%s holds no requests; 'brski load --prepare' makes some.", dir);
    }
    out->count = (apr_size_t)names->nelts;
    out->all = apr_palloc(pool, out->count * sizeof(*out->all));
    for (i = 0; i < names->nelts; i++) {
        BRSKI_TRY(files_read(&out->all[i],
                             files_join(dir, APR_ARRAY_IDX(names, i, const char *), pool), pool));
    }
    return BRSKI_OK;
}
