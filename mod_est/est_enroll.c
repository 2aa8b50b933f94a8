/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_enroll.c: RFC 7030 section 4.2 over HTTP: a certification request in; a certificate, or
 * "wait", out.
 */
#include "est_http.h"

#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>

#include "brski_bytes.h"
#include "est_tls.h"

void est_enroll_request(brski_enroll_request_t *request, const est_http_t *http,
                        brski_est_operation_t operation)
{
    memset(request, 0, sizeof(*request));
    request->operation = operation;
    request->label = http->label;
    request->body = http->glue.body;
    request->content_type = http->content_type;
    request->peer = &http->peer;
    request->user = http->glue.user;
    est_tls_binding(&request->binding, http->glue.r);
}

static void take_answer(est_http_t *http, const brski_enroll_answer_t *answer)
{
    if (answer) {
        http->manufacturer = answer->manufacturer;
        http->serial_number = answer->serial_number;
        http->certificate = answer->issued ? answer->issued->serial : NULL;
    }
}

/* Where everybody is let in httpd asks nobody who he is; a password that came all the same, with
 * no certificate, is looked at here. */
static void authenticate(est_http_t *http)
{
    request_rec *r = http->glue.r;

    if (!http->glue.user && !http->peer.client_cert && http->label->accept_user && ap_auth_type(r)
        && apr_table_get(r->headers_in, "Authorization") && ap_run_check_user_id(r) == OK) {
        http->glue.user = glue_tls_user(r);
    }
}

/* RFC 7030 3.2.3: a client without certificate may try HTTP authentication, where this place has
 * any. */
static void invite(est_http_t *http, const brski_err_t *err)
{
    if (err->status == HTTP_UNAUTHORIZED && http->label->accept_user
        && ap_auth_type(http->glue.r)) {
        ap_note_auth_failure(http->glue.r);
    }
}

static void log_answer(const est_http_t *http, const brski_enroll_answer_t *answer,
                       apr_pool_t *scratch_pool)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, http->glue.r,
                  "BRSKI3213: %s answered %s: certificate %s of %s, label %s (request %s)",
                  http->glue.operation, http->glue.result,
                  http->certificate ? http->certificate : "none yet",
                  answer->requester
                      ? brski_printable(answer->requester, EST_PRINT_MAX, scratch_pool)
                      : "somebody", *http->label->name ? http->label->name : "none",
                  http->glue.request_id);
}

/*
 * The audit log is read while the device is on its way: an honest one must not notice. Where the
 * verdict comes soon, the question is decided again.
 */
static brski_err_t *decide(brski_enroll_answer_t **answer, est_http_t *http,
                           const brski_enroll_request_t *request, apr_pool_t *scratch_pool)
{
    const est_engine_t *engine = est_http_engine(http);
    apr_pool_t *pool = http->glue.r->pool;

    BRSKI_TRY(brski_enroll(answer, &engine->est, request, pool, scratch_pool));
    if ((*answer)->status != HTTP_ACCEPTED || !(*answer)->waits_for || !engine->jobs
        || !brski_jobs_wait(engine->jobs, (*answer)->waits_for,
                            est_get(engine->conf, answer_within))) {
        return BRSKI_OK;
    }
    return brski_enroll(answer, &engine->est, request, pool, scratch_pool);
}

static brski_err_t *enroll(est_http_t *http, brski_est_operation_t operation,
                           apr_pool_t *scratch_pool)
{
    brski_enroll_answer_t *answer = NULL;
    brski_enroll_request_t request;
    brski_err_t *err;

    authenticate(http);
    est_enroll_request(&request, http, operation);
    err = decide(&answer, http, &request, scratch_pool);
    take_answer(http, answer);
    if (err) {
        invite(http, err);
        return err;
    }
    if (answer->status == HTTP_ACCEPTED) {
        est_http_reply_wait(http, answer->retry_after);
    }
    else {
        est_http_reply_base64(http, "application/pkcs7-mime; smime-type=certs-only",
                              answer->certs_only);
        http->glue.result = answer->again ? EST_RESULT_AGAIN : EST_RESULT_ISSUED;
    }
    log_answer(http, answer, scratch_pool);
    return BRSKI_OK;
}

brski_err_t *est_simpleenroll(est_http_t *http, apr_pool_t *scratch_pool)
{
    return enroll(http, BRSKI_SIMPLEENROLL, scratch_pool);
}

brski_err_t *est_simplereenroll(est_http_t *http, apr_pool_t *scratch_pool)
{
    return enroll(http, BRSKI_SIMPLEREENROLL, scratch_pool);
}
