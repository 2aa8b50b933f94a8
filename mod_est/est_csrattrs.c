/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_csrattrs.c: RFC 7030 section 4.5 over HTTP: what a certification request should hold; for a
 * device, with its own names.
 */
#include "est_http.h"

brski_err_t *est_csrattrs(est_http_t *http, apr_pool_t *scratch_pool)
{
    const est_engine_t *engine = est_http_engine(http);
    brski_enroll_request_t request;
    brski_bytes_t der;

    est_enroll_request(&request, http, BRSKI_SIMPLEENROLL);
    BRSKI_TRY(brski_enroll_csrattrs(&der, &engine->est, &request, http->glue.r->pool,
                                    scratch_pool));
    http->glue.result = "csrattrs";
    if (der.len) {
        est_http_reply_base64(http, "application/csrattrs", der);
    }
    else {
        http->glue.reply.status = HTTP_NO_CONTENT;
    }
    return BRSKI_OK;
}
