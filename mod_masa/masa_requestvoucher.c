/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_requestvoucher.c: RFC 8995 sections 5.5 and 5.6 over HTTP: a voucher-request in, a voucher
 * out.
 */
#include "masa_http.h"

#include <http_log.h>

#include "brski_bytes.h"
#include "brski_voucher.h"

APLOG_USE_MODULE(masa);

/* Address and TLS identity stand beside the event's chain, where they can be erased. */
static void keep_peer(const masa_http_t *http)
{
    const brski_masa_request_t *q = &http->request;
    const brski_peer_t peer = {
        .request_id = q->request_id, .address = q->address,
        .tls_subject = q->client_cert ? q->client_cert->subject : NULL
    };

    if (masa_http_engine(http)->spool) {
        brski_spool_peer(masa_http_engine(http)->spool, &peer);
    }
}

brski_err_t *masa_requestvoucher(masa_http_t *http, apr_pool_t *scratch_pool)
{
    const brski_masa_answer_t *a;

    BRSKI_TRY(brski_masa_requestvoucher(&http->answer, &masa_http_engine(http)->masa,
                                        &http->request, http->glue.r->pool, scratch_pool));
    a = http->answer;
    http->glue.result = a->reused ? "reissued" : "issued";
    if (!a->reused) {
        keep_peer(http);
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, http->glue.r,
                  "BRSKI2211: voucher %s: serial-number %s, product %s, domainID %s, assertion %s, "
                  "signer %s (request %s)", http->glue.result,
                  brski_printable(a->serial_number, 200, scratch_pool),
                  a->product, a->domain_id, brski_assertion_text(a->assertion), a->signer,
                  http->request.request_id);
    return BRSKI_OK;
}
