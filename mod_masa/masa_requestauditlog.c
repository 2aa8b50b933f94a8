/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_requestauditlog.c: RFC 8995 section 5.8 over HTTP: a voucher-request in, the device's audit
 * log out.
 */
#include "masa_http.h"

#include <http_log.h>

#include "brski_bytes.h"

APLOG_USE_MODULE(masa);

brski_err_t *masa_requestauditlog(masa_http_t *http, apr_pool_t *scratch_pool)
{
    const brski_masa_answer_t *a;

    BRSKI_TRY(brski_masa_requestauditlog(&http->answer, &masa_http_engine(http)->masa,
                                         &http->request, http->glue.r->pool, scratch_pool));
    a = http->answer;
    http->glue.result = "auditlog";
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, http->glue.r,
                  "BRSKI2212: audit log read: serial-number %s, product %s, by %s (request %s)",
                  brski_printable(a->serial_number, 200, scratch_pool),
                  a->product ? a->product : "unknown",
                  a->customer ? a->customer : a->domain_id ? a->domain_id : "an owner's key",
                  http->request.request_id);
    return BRSKI_OK;
}
