/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_requestvoucher.c: RFC 8995 sections 5.2 to 5.6 over HTTP: a pledge's voucher-request in; its
 * voucher, or "wait", out. Asking the MASA is the work of other threads: a request waits for them a
 * short while at most.
 */
#include "est_http.h"

#include "brski_bytes.h"

static void take_device(est_http_t *http, const brski_registrar_answer_t *answer)
{
    if (answer && answer->device) {
        http->serial_number = answer->device->serial_number;
        http->manufacturer = answer->device->manufacturer
                             ? answer->device->manufacturer->name : NULL;
    }
}

/* The row was made by this request and is leased to this process. */
static brski_err_t *begin_work(brski_registrar_answer_t **answer, est_http_t *http,
                               apr_pool_t *scratch_pool)
{
    const est_engine_t *engine = est_http_engine(http);
    const char *request = (*answer)->request;

    if (!engine->jobs || !(*answer)->row) {
        return BRSKI_OK;                  /* found in the table when the lease is over */
    }
    brski_jobs_begin(engine->jobs, (*answer)->row);
    if (!brski_jobs_wait(engine->jobs, request, est_get(engine->conf, answer_within))) {
        return BRSKI_OK;
    }
    return brski_registrar_answer(answer, &engine->registrar, request, http->glue.r->pool,
                                  scratch_pool);
}

static brski_err_t *decide(brski_registrar_answer_t **answer, est_http_t *http,
                           apr_pool_t *scratch_pool)
{
    const est_engine_t *engine = est_http_engine(http);
    brski_err_t *err;

    *answer = NULL;
    err = brski_registrar_requestvoucher(answer, &engine->registrar, &http->peer, http->glue.body,
                                         http->content_type, http->accept, http->glue.r->pool,
                                         scratch_pool);
    take_device(http, *answer);
    if (!err && (*answer)->fresh) {
        err = begin_work(answer, http, scratch_pool);
    }
    /* 5.2: whoever shows another registrar's certificate is spoken to through somebody else */
    if (brski_err_is(err, BRSKI_E_PVR_PROXIMITY)) {
        glue_tls_end(http->glue.r);
    }
    return err;
}

/* A 200 without a voucher would be taken for one. */
static brski_err_t *reply(est_http_t *http, const brski_registrar_answer_t *answer)
{
    if (answer->status == HTTP_ACCEPTED) {
        est_http_reply_wait(http, answer->retry_after);
        return BRSKI_OK;
    }
    if (!answer->voucher.len) {
        return brski_err(BRSKI_E_INTERNAL, NULL, http->glue.r->pool, "an answer without voucher");
    }
    http->glue.reply.content_type = answer->content_type;
    http->glue.reply.body = answer->voucher;
    http->glue.result = EST_RESULT_VOUCHER;
    return BRSKI_OK;
}

brski_err_t *est_requestvoucher(est_http_t *http, apr_pool_t *scratch_pool)
{
    brski_registrar_answer_t *answer;

    BRSKI_TRY(decide(&answer, http, scratch_pool));
    BRSKI_TRY(reply(http, answer));
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, http->glue.r,
                  "BRSKI3211: requestvoucher answered %s: serial-number %s, manufacturer %s "
                  "(request %s)", http->glue.result,
                  brski_printable(http->serial_number, EST_PRINT_MAX, scratch_pool),
                  http->manufacturer ? http->manufacturer : "unknown", http->glue.request_id);
    return BRSKI_OK;
}
