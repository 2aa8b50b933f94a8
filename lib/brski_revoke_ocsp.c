/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_ocsp.c: asks and judges OCSP. OCSP_basic_verify() is used for the signature alone:
 * who may sign is decided here, with our clock and our chain rules.
 */
#include "brski_revoke_judge.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_revoke_asn1.h"

apr_array_header_t *brski_ocsp_urls(const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_array_header_t *urls = apr_array_make(pool, 1, sizeof(const char *));
    STACK_OF(OPENSSL_STRING) *found = X509_get1_ocsp(cert->x509);
    int i;

    for (i = 0; i < sk_OPENSSL_STRING_num(found); i++) {
        APR_ARRAY_PUSH(urls, const char *) =
            apr_pstrdup(pool, sk_OPENSSL_STRING_value(found, i));
    }
    X509_email_free(found);
    return urls;
}

static OCSP_CERTID *make_id(const brski_subject_t *subject)
{
    return OCSP_cert_to_id(EVP_sha1(), subject->cert->x509, subject->issuer->x509);
}

brski_err_t *brski_ocsp_ask(brski_bytes_t *der, const brski_subject_t *subject, apr_pool_t *pool)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = make_id(subject);
    unsigned char *encoded = NULL;
    int len = -1;

    *der = brski_bytes(NULL, 0);
    if (request && id && OCSP_request_add0_id(request, id)) {
        id = NULL;                       /* the request's now */
        len = i2d_OCSP_REQUEST(request, &encoded);
    }
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    if (len < 0) {
        return brski_err_openssl(BRSKI_E_REVOCATION_UNKNOWN, NULL, pool, "OCSP request");
    }
    *der = brski_bytes_dup(brski_bytes(encoded, (apr_size_t)len), pool);
    OPENSSL_free(encoded);
    return BRSKI_OK;
}

/* ---- judging ---- */

static brski_err_t *unknown(const char *why, apr_pool_t *pool)
{
    return brski_err_openssl(BRSKI_E_REVOCATION_UNKNOWN, NULL, pool, "OCSP: %s", why);
}

/*
 * RFC 6960 4.2.2.2: a responder the issuer delegated to: certified by the issuer itself, for this
 * purpose. Whether its own certificate was revoked is not asked: that way lies no end.
 */
static brski_err_t *check_delegate(X509 *x509, const brski_subject_t *subject, apr_time_t now,
                                   apr_pool_t *pool)
{
    apr_array_header_t *certs = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    const brski_cert_t *signer;
    brski_chain_t *chain;
    brski_err_t *err;

    if (!(X509_get_extension_flags(x509) & EXFLAG_XKUSAGE)
        || !(X509_get_extended_key_usage(x509) & XKU_OCSP_SIGN)) {
        return unknown("the responder's certificate is not for signing OCSP", pool);
    }
    APR_ARRAY_PUSH(certs, const brski_cert_t *) = subject->issuer;
    err = brski_cert_wrap(&signer, x509, NULL, pool);
    err = err ? err : brski_chain_build(&chain, signer, certs, pool, pool);
    if (!err && chain->certs->nelts != 2) {
        return unknown("the responder's certificate was not issued by the certificate's issuer",
                       pool);
    }
    err = err ? err : brski_chain_verify(chain, now, BRSKI_REVOKE_SKEW, pool);
    return err ? brski_err(BRSKI_E_REVOCATION_UNKNOWN, err, pool,
                           "OCSP: the responder's certificate is not good")
               : BRSKI_OK;
}

/* The certificate whose key must have signed: the issuer, or one inside the response. */
static brski_err_t *find_signer(X509 **signer, OCSP_BASICRESP *basic,
                                const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool)
{
    STACK_OF(X509) *issuer = sk_X509_new_null();
    int found;

    *signer = NULL;
    sk_X509_push(issuer, subject->issuer->x509);
    found = OCSP_resp_get0_signer(basic, signer, issuer);
    sk_X509_free(issuer);
    if (!found || !*signer) {
        return unknown("its signer is neither the issuer nor in the response", pool);
    }
    if (X509_cmp(*signer, subject->issuer->x509) != 0) {
        BRSKI_TRY(check_delegate(*signer, subject, now, pool));
    }
    return BRSKI_OK;
}

static brski_err_t *verify_signature(OCSP_BASICRESP *basic, X509 *signer, apr_pool_t *pool)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int rc;

    if (!brski_signature_allowed(OCSP_resp_get0_tbs_sigalg(basic))) {
        sk_X509_free(certs);
        return unknown("it is signed with a weak digest", pool);
    }
    sk_X509_push(certs, signer);
    rc = OCSP_basic_verify(basic, certs, NULL, OCSP_NOINTERN | OCSP_NOVERIFY);
    sk_X509_free(certs);
    return rc == 1 ? BRSKI_OK : unknown("its signature does not verify", pool);
}

/* RFC 6960 3.2: of this certificate, and of now. */
static brski_err_t *read_status(brski_revocation_state_t *state, OCSP_BASICRESP *basic,
                                const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool)
{
    ASN1_GENERALIZEDTIME *revoked_at = NULL, *this_update = NULL, *next_update = NULL;
    OCSP_CERTID *id = make_id(subject);
    int found, status = V_OCSP_CERTSTATUS_UNKNOWN, reason;
    const char *why;

    found = id && OCSP_resp_find_status(basic, id, &status, &reason, &revoked_at, &this_update,
                                        &next_update);
    OCSP_CERTID_free(id);
    if (!found) {
        return unknown("it does not speak of the certificate", pool);
    }
    why = brski_update_times(&state->until, this_update, next_update, now);
    if (why) {
        return unknown(why, pool);
    }
    if (status != V_OCSP_CERTSTATUS_GOOD && status != V_OCSP_CERTSTATUS_REVOKED) {
        return unknown("the responder does not know the certificate", pool);
    }
    state->revoked = status == V_OCSP_CERTSTATUS_REVOKED;
    if (state->revoked && revoked_at) {
        brski_asn1_time(&state->revoked_at, revoked_at);
    }
    return BRSKI_OK;
}

static brski_err_t *judge_basic(brski_revocation_state_t *state, OCSP_BASICRESP *basic,
                                const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool)
{
    X509 *signer;

    BRSKI_TRY(find_signer(&signer, basic, subject, now, pool));
    BRSKI_TRY(verify_signature(basic, signer, pool));
    return read_status(state, basic, subject, now, pool);
}

brski_err_t *brski_ocsp_judge(brski_revocation_state_t *state, brski_bytes_t der,
                              const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool)
{
    const unsigned char *p = der.data;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic = NULL;
    brski_err_t *err;
    int status;

    memset(state, 0, sizeof(*state));
    response = der.len && der.len <= LONG_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)der.len) : NULL;
    if (!response || p != der.data + der.len) {
        OCSP_RESPONSE_free(response);
        return unknown("the answer is no OCSP response", pool);
    }
    status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        err = unknown(apr_psprintf(pool, "the responder says %s",
                                   OCSP_response_status_str(status)), pool);
    }
    else if (!(basic = OCSP_response_get1_basic(response))) {
        err = unknown("it is no basic response", pool);
    }
    else {
        err = judge_basic(state, basic, subject, now, pool);
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return err;
}
