/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_requests.c: making and reading the requests of `brski load`, as load_requests.h says.
 */
#include "load_requests.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "crew.h"
#include "files.h"
#include "request.h"

/* What every request is made from. */
typedef struct work_t {
    const load_recipe_t *recipe;
    const apr_array_header_t *serials;
    brski_bytes_t *out;
    const brski_ctx_t *ctx;
} work_t;

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

static brski_err_t *make_one(void *baton, apr_uint32_t number, apr_pool_t *pool)
{
    const work_t *w = baton;
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

static apr_status_t free_requests(void *requests)
{
    load_requests_t *r = requests;
    apr_size_t i;

    for (i = 0; r->all && i < r->count; i++) {
        free((void *)r->all[i].data);
    }
    free(r->all);
    return APR_SUCCESS;
}

brski_err_t *load_requests_make(load_requests_t *out, const load_recipe_t *recipe, call_t *call)
{
    apr_array_header_t *serials;
    work_t w;

    BRSKI_TRY(lab_serials(&serials, recipe->lab, call->pool));
    out->count = recipe->count;
    out->all = calloc(recipe->count, sizeof(*out->all));
    apr_pool_cleanup_register(call->pool, apr_pmemdup(call->pool, out, sizeof(*out)), free_requests,
                              apr_pool_cleanup_null);
    if (!out->all || serials->nelts == 0) {
        return say_refuse(call->pool,
                          "The lab has no devices, or there is no memory for requests.");
    }
    w.recipe = recipe;
    w.serials = serials;
    w.ctx = call->ctx;
    w.out = out->all;
    return crew_run(make_one, &w, (apr_uint32_t)recipe->count, "preparing", "requests", call->say,
                    call->pool);
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
