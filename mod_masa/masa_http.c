/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_http.c: what is the MASA's own about its requests: operations, the peer as the decision
 * wants it, words of the environment, and refusals kept as evidence.
 */
#include "masa_http.h"

#include "brski_bytes.h"
#include "brski_voucher.h"
#include "masa_peer.h"

/* Octets of client text in evidence. */
#define PRINT_MAX 200

masa_http_t *masa_http_get(request_rec *r)
{
    return (masa_http_t *)glue_http_get(r);
}

masa_engine_t *masa_http_engine(const masa_http_t *http)
{
    return http->glue.engine->of;
}

void masa_http_begin(glue_http_t *glue)
{
    masa_http_t *http = (masa_http_t *)glue;

    http->request.request_id = glue->request_id;
    http->request.content_type = apr_table_get(glue->r->headers_in, "Content-Type");
    http->request.accept = apr_table_get(glue->r->headers_in, "Accept");
    http->request.address = glue->r->useragent_ip;
    http->request.log = &glue->log;
}

brski_err_t *masa_http_peer(masa_http_t *http)
{
    BRSKI_TRY(glue_http_peer(&http->glue));
    http->request.user = http->glue.user;
    http->request.client_cert = http->glue.peer->client_cert;
    http->request.client_chain = http->glue.peer->client_chain;
    return BRSKI_OK;
}

brski_err_t *masa_http_admit(glue_http_t *glue, apr_pool_t *scratch_pool)
{
    masa_http_t *http = (masa_http_t *)glue;
    const masa_engine_t *engine = masa_http_engine(http);

    BRSKI_TRY(masa_http_peer(http));
    if (!engine->masa.store) {
        return brski_err(BRSKI_E_STORE, NULL, glue->r->pool, "the engine did not start");
    }
    return masa_peer_check(&http->request, engine, scratch_pool);
}

void masa_http_environment(const glue_http_t *glue)
{
    const brski_masa_answer_t *a = ((const masa_http_t *)glue)->answer;

    if (a) {
        glue_http_env(glue, "MASA_SERIAL", a->serial_number);
        glue_http_env(glue, "MASA_PRODUCT", a->product);
        glue_http_env(glue, "MASA_DOMAINID", a->domain_id);
        glue_http_env(glue, "MASA_ASSERTION", brski_assertion_text(a->assertion));
        glue_http_env(glue, "MASA_SIGNER", a->signer);
    }
}

/* ---- the operations ---- */

static brski_err_t *run(brski_err_t *(*operation)(masa_http_t *, apr_pool_t *), glue_http_t *glue,
                        apr_pool_t *scratch_pool)
{
    masa_http_t *http = (masa_http_t *)glue;
    brski_err_t *err;

    http->request.body = glue->body;
    err = operation(http, scratch_pool);
    glue->subject = http->answer ? http->answer->serial_number : NULL;
    if (!err) {
        glue->reply.content_type = http->answer->content_type;
        glue->reply.body = http->answer->body;
    }
    return err;
}

static brski_err_t *run_requestvoucher(glue_http_t *glue, apr_pool_t *scratch_pool)
{
    return run(masa_requestvoucher, glue, scratch_pool);
}

static brski_err_t *run_requestauditlog(glue_http_t *glue, apr_pool_t *scratch_pool)
{
    return run(masa_requestauditlog, glue, scratch_pool);
}

/* RFC 8995 section 5; the legacy base had the same two (8.3.1). */
const glue_operation_t masa_operations[] = {
    { "requestvoucher", 1, M_POST, NULL, "application/voucher-cms+json", run_requestvoucher },
    { "requestauditlog", 1, M_POST, NULL, "application/voucher-cms+json", run_requestauditlog },
    { NULL, 0, 0, NULL, NULL, NULL }
};

/* ---- evidence ---- */

static brski_bytes_t chain_octets(const apr_array_header_t *chain, apr_pool_t *pool)
{
    apr_size_t len = 0;
    unsigned char *all;
    unsigned char *p;
    int i;

    for (i = 0; chain && i < chain->nelts; i++) {
        len += APR_ARRAY_IDX(chain, i, const brski_cert_t *)->der.len;
    }
    all = p = apr_palloc(pool, len + 1);
    for (i = 0; chain && i < chain->nelts; i++) {
        const brski_bytes_t der = APR_ARRAY_IDX(chain, i, const brski_cert_t *)->der;

        memcpy(p, der.data, der.len);
        p += der.len;
    }
    return brski_bytes(all, len);
}

/* A database that failed is not asked to remember that it did. */
static int is_evidence(const glue_http_t *glue, const masa_engine_t *engine,
                       const brski_err_t *err)
{
    const int store_failed = err->code == BRSKI_E_STORE || err->code == BRSKI_E_STORE_BUSY
        || err->code == BRSKI_E_STORE_READONLY || err->code == BRSKI_E_STORE_SCHEMA;

    return engine->spool && glue->r->method_number == M_POST && *glue->operation
        && !store_failed;
}

void masa_http_refused(const glue_http_t *glue, const brski_err_t *err)
{
    const masa_http_t *http = (const masa_http_t *)glue;
    const masa_engine_t *engine = masa_http_engine(http);
    const brski_masa_request_t *q = &http->request;
    apr_pool_t *pool = glue->r->pool;
    brski_refusal_t refusal = {
        .request_id = q->request_id, .at = glue->r->request_time, .operation = glue->operation,
        .number = (int)err->code, .status = err->status, .public_text = err->public_text,
        .detail = brski_err_text(err, pool), .address = q->address, .content_type = q->content_type,
        .accept = q->accept, .user = q->user, .request = glue->body
    };

    if (!is_evidence(glue, engine, err)) {
        return;
    }
    if (http->answer && http->answer->serial_number) {
        refusal.serial_number = brski_printable(http->answer->serial_number, PRINT_MAX, pool);
    }
    if (q->client_cert) {
        refusal.client_cert = q->client_cert->der;
        refusal.client_chain = chain_octets(q->client_chain, pool);
    }
    brski_spool_refusal(engine->spool, &refusal);
}
