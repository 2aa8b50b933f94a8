/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_cacerts.c: RFC 7030 section 4.1 over HTTP: the CA certificates of a label, for everybody.
 */
#include "est_http.h"

brski_err_t *est_cacerts(est_http_t *http, apr_pool_t *scratch_pool)
{
    const brski_ca_t *ca = http->label->ca;

    (void)scratch_pool;
    if (!ca->cacerts.len) {
        return brski_err(BRSKI_E_CA_UNAVAILABLE, ca->away, http->glue.r->pool,
                         "its certificates are not known");
    }
    est_http_reply_base64(http, "application/pkcs7-mime", ca->cacerts);
    http->glue.result = "cacerts";
    return BRSKI_OK;
}
