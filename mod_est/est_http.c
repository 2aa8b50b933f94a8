/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_http.c: what is the registrar's own about its requests: operations, labels, the peer as the
 * decisions want it, words of the environment.
 */
#include "est_http.h"

#include <string.h>

#include "brski_bytes.h"

est_engine_t *est_http_engine(const est_http_t *http)
{
    return http->glue.engine->of;
}

void est_http_begin(glue_http_t *glue)
{
    est_http_t *http = (est_http_t *)glue;

    http->content_type = apr_table_get(glue->r->headers_in, "Content-Type");
    http->accept = apr_table_get(glue->r->headers_in, "Accept");
    http->peer.address = glue->r->useragent_ip;
    http->peer.request_id = glue->request_id;
    http->peer.log = &glue->log;
}

/* RFC 7030 3.2.2: a label chooses a CA; one that nobody configured chooses none. */
static brski_err_t *find_label(est_http_t *http, const est_engine_t *engine)
{
    const char *name = http->glue.label;

    if (!name || *name) {
        http->label = brski_est_label(&engine->est, name ? name : "");
    }
    return http->label ? BRSKI_OK
                       : brski_err(BRSKI_E_EST_LABEL, NULL, http->glue.r->pool, "%s",
                                   name ? brski_printable(name, EST_PRINT_MAX, http->glue.r->pool)
                                        : "this server has no CA of its own");
}

brski_err_t *est_http_admit(glue_http_t *glue, apr_pool_t *scratch_pool)
{
    est_http_t *http = (est_http_t *)glue;
    const est_engine_t *engine = est_http_engine(http);
    const char *label;
    const glue_operation_t *op = glue_http_operation(&label, glue);

    (void)scratch_pool;
    http->peer.client_cert = glue->peer->client_cert;
    http->peer.client_chain = glue->peer->client_chain;
    http->peer.server_cert = glue->peer->server_cert;
    if (op->kind == EST_KIND_EST) {
        BRSKI_TRY(find_label(http, engine));
    }
    /* what is only told needs no records */
    if (!engine->registrar.records && op->method == M_POST) {
        return brski_err(BRSKI_E_STORE, NULL, glue->r->pool, "the engine did not start");
    }
    return BRSKI_OK;
}

void est_http_environment(const glue_http_t *glue)
{
    const est_http_t *http = (const est_http_t *)glue;

    glue_http_env(glue, "EST_OPERATION", glue->operation);
    glue_http_env(glue, "EST_LABEL", http->label ? http->label->name : NULL);
    glue_http_env(glue, "EST_MANUFACTURER", http->manufacturer);
    glue_http_env(glue, "EST_SERIAL", http->serial_number);
    glue_http_env(glue, "EST_CERT_SERIAL", http->certificate);
}

/* ---- replies ---- */

void est_http_reply_base64(est_http_t *http, const char *content_type, brski_bytes_t der)
{
    request_rec *r = http->glue.r;

    http->glue.reply.content_type = content_type;
    http->glue.reply.body = brski_bytes_str(brski_base64_encode(der, r->pool));
    if (est_get(est_http_engine(http)->conf, transfer_encoding)) {
        apr_table_setn(r->headers_out, "Content-Transfer-Encoding", "base64");
    }
}

void est_http_reply_wait(est_http_t *http, apr_int64_t retry_after)
{
    http->glue.reply.status = HTTP_ACCEPTED;
    http->glue.reply.retry_after = retry_after > 0 ? retry_after : 1;
    http->glue.reply.content_type = NULL;
    http->glue.reply.body = brski_bytes(NULL, 0);
    http->glue.result = "waiting";
}

/* ---- the operations ---- */

static brski_err_t *run(brski_err_t *(*operation)(est_http_t *, apr_pool_t *), glue_http_t *glue,
                        apr_pool_t *scratch_pool)
{
    est_http_t *http = (est_http_t *)glue;
    brski_err_t *err = operation(http, scratch_pool);

    glue->subject = http->serial_number;
    return err;
}

#define RUN(operation) \
    static brski_err_t *run_##operation(glue_http_t *glue, apr_pool_t *scratch_pool) \
    { \
        return run(est_##operation, glue, scratch_pool); \
    }

RUN(requestvoucher)
RUN(voucher_status)
RUN(enrollstatus)
RUN(cacerts)
RUN(csrattrs)
RUN(simpleenroll)
RUN(simplereenroll)

/* RFC 8995 5 and RFC 7030 3.2.2. serverkeygen and fullcmc are optional there and not here. */
const glue_operation_t est_operations[] = {
    { "requestvoucher", EST_KIND_BRSKI, M_POST, "a signed voucher-request",
      "application/voucher-cms+json", run_requestvoucher },
    { "voucher_status", EST_KIND_BRSKI, M_POST, "a status report", "application/json",
      run_voucher_status },
    { "enrollstatus", EST_KIND_BRSKI, M_POST, "a status report", "application/json",
      run_enrollstatus },
    { "cacerts", EST_KIND_EST, M_GET, NULL, NULL, run_cacerts },
    { "csrattrs", EST_KIND_EST, M_GET, NULL, NULL, run_csrattrs },
    { "simpleenroll", EST_KIND_EST, M_POST, "a certification request", "application/pkcs10",
      run_simpleenroll },
    { "simplereenroll", EST_KIND_EST, M_POST, "a certification request", "application/pkcs10",
      run_simplereenroll },
    { NULL, 0, 0, NULL, NULL, NULL }
};
