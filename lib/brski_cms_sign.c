/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cms_sign.c: writing CMS SignedData in the profile of RFC 8366 section 5.4. The structure
 * follows from the input alone; only the signature (ECDSA) differs from run to run. SETs are in
 * DER's order.
 */
#include "brski_cms.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <openssl/evp.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_cms_alg.h"
#include "brski_der.h"
#include "brski_err.h"

/*
 * RFC 5652 5.1: 3 when the content is not id-data, else 1; SignerInfo with issuerAndSerialNumber
 * is always 1.
 */
static const unsigned char version_1[] = { BRSKI_DER_INTEGER, 1, 1 };
static const unsigned char version_3[] = { BRSKI_DER_INTEGER, 1, 3 };
static const unsigned char null_parameters[] = { BRSKI_DER_NULL, 0 };

#define LITERAL(array)                                                                             \
    {                                                                                              \
        (array), sizeof(array)                                                                     \
    }
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define MAKE(tag, array, pool) brski_der_make(tag, pool, COUNT(array), array)

static brski_bytes_t wrap(int tag, brski_bytes_t content, apr_pool_t *pool)
{
    return brski_der_make(tag, pool, 1, &content);
}

static brski_bytes_t algorithm(brski_bytes_t oid, int with_null, apr_pool_t *pool)
{
    brski_bytes_t pieces[] = { wrap(BRSKI_DER_OID, oid, pool), LITERAL(null_parameters) };

    return brski_der_make(BRSKI_DER_SEQUENCE, pool, with_null ? 2 : 1, pieces);
}

static brski_bytes_t attribute(brski_bytes_t oid, brski_bytes_t value, apr_pool_t *pool)
{
    brski_bytes_t pieces[] = { wrap(BRSKI_DER_OID, oid, pool), wrap(BRSKI_DER_SET, value, pool) };

    return MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

/* RFC 5652 11.3: UTCTime until 2049, GeneralizedTime after. */
static brski_bytes_t time_value(apr_time_t t, apr_pool_t *pool)
{
    apr_time_exp_t e;
    const char *rest;

    apr_time_exp_gmt(&e, t);
    rest = apr_psprintf(pool, "%02d%02d%02d%02d%02dZ", e.tm_mon + 1, e.tm_mday, e.tm_hour, e.tm_min,
                        e.tm_sec);
    if (e.tm_year >= 50 && e.tm_year < 150) {
        rest = apr_psprintf(pool, "%02d%s", e.tm_year % 100, rest);
        return wrap(BRSKI_DER_UTC_TIME, brski_bytes_str(rest), pool);
    }
    rest = apr_psprintf(pool, "%04d%s", e.tm_year + 1900, rest);
    return wrap(BRSKI_DER_GENERALIZED_TIME, brski_bytes_str(rest), pool);
}

/* As a SET OF, which is what gets signed. */
static brski_err_t *make_attributes(brski_bytes_t *out, brski_bytes_t content_oid,
                                    brski_bytes_t content, const brski_cms_digest_t *digest,
                                    apr_time_t signing_time, apr_pool_t *pool)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    brski_bytes_t attrs[3];

    if (!brski_cms_digest(hash, digest, content, NULL)) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "%s", digest->name);
    }
    attrs[0] = attribute(brski_oid_content_type, wrap(BRSKI_DER_OID, content_oid, pool), pool);
    attrs[1] = attribute(brski_oid_signing_time, time_value(signing_time, pool), pool);
    attrs[2] = attribute(brski_oid_message_digest,
                         wrap(BRSKI_DER_OCTET_STRING, brski_bytes(hash, digest->len), pool), pool);
    *out = brski_der_make_set(BRSKI_DER_SET, pool, COUNT(attrs), attrs);
    return BRSKI_OK;
}

static brski_err_t *sign(brski_bytes_t *signature, brski_bytes_t data,
                         const brski_cms_scheme_t *scheme, EVP_PKEY *key, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *made = apr_palloc(pool, len);
    int done = ctx
               && EVP_DigestSignInit_ex(ctx, NULL, scheme->pure ? NULL : scheme->digest->name, NULL,
                                        NULL, key, NULL)
                      == 1
               && EVP_DigestSign(ctx, made, &len, data.data, data.len) == 1;

    EVP_MD_CTX_free(ctx);
    if (!done) {
        return brski_err_openssl(BRSKI_E_KEY_UNAVAILABLE, NULL, pool, "the key does not sign");
    }
    *signature = brski_bytes(made, len);
    return BRSKI_OK;
}

static brski_bytes_t retagged(brski_bytes_t element, int tag, apr_pool_t *pool)
{
    brski_bytes_t copy = brski_bytes_dup(element, pool);

    *(unsigned char *)copy.data = (unsigned char)tag;
    return copy;
}

static brski_bytes_t make_signer_info(const brski_cert_t *signer, const brski_cms_scheme_t *scheme,
                                      brski_bytes_t attributes, brski_bytes_t signature,
                                      apr_pool_t *pool)
{
    const brski_cert_full_t *full = brski_cert_full(signer);
    brski_bytes_t sid[] = { full->issuer_der, full->serial_der };
    brski_bytes_t pieces[] = { LITERAL(version_1),
                               MAKE(BRSKI_DER_SEQUENCE, sid, pool),
                               algorithm(scheme->digest->oid, 0, pool),
                               retagged(attributes, BRSKI_DER_CONTEXT(0), pool),
                               algorithm(scheme->oid, scheme->null_parameters, pool),
                               wrap(BRSKI_DER_OCTET_STRING, signature, pool) };

    return MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

static brski_bytes_t make_certificates(const apr_array_header_t *certs, apr_pool_t *pool)
{
    brski_bytes_t *ders = apr_palloc(pool, sizeof(*ders) * (apr_size_t)certs->nelts);
    int i;

    for (i = 0; i < certs->nelts; i++) {
        ders[i] = APR_ARRAY_IDX(certs, i, const brski_cert_t *)->der;
    }
    return brski_der_make_set(BRSKI_DER_CONTEXT(0), pool, certs->nelts, ders);
}

static brski_bytes_t make_content(brski_bytes_t content_oid, brski_bytes_t content,
                                  apr_pool_t *pool)
{
    brski_bytes_t pieces[] = { wrap(BRSKI_DER_OID, content_oid, pool),
                               wrap(BRSKI_DER_CONTEXT(0),
                                    wrap(BRSKI_DER_OCTET_STRING, content, pool), pool) };

    return MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

/* ContentInfo around SignedData, RFC 5652 3 and 5.1. */
static brski_bytes_t make_message(brski_econtent_t econtent, brski_bytes_t encap,
                                  brski_bytes_t digest_oid, brski_bytes_t certificates,
                                  brski_bytes_t signer_info, apr_pool_t *result_pool,
                                  apr_pool_t *pool)
{
    brski_bytes_t v1 = LITERAL(version_1), v3 = LITERAL(version_3);
    brski_bytes_t signed_data[] = { econtent == BRSKI_ECONTENT_DATA ? v1 : v3,
                                    wrap(BRSKI_DER_SET, algorithm(digest_oid, 0, pool), pool),
                                    encap, certificates, wrap(BRSKI_DER_SET, signer_info, pool) };
    brski_bytes_t content_info[] = { wrap(BRSKI_DER_OID, brski_oid_signed_data, pool),
                                     wrap(BRSKI_DER_CONTEXT(0),
                                          MAKE(BRSKI_DER_SEQUENCE, signed_data, pool), pool) };

    return MAKE(BRSKI_DER_SEQUENCE, content_info, result_pool);
}

static brski_err_t *check_input(brski_cms_scheme_t *scheme, const apr_array_header_t *certs,
                                EVP_PKEY *key, apr_pool_t *pool)
{
    const char *why;

    if (!certs || !certs->nelts || !key) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "CMS needs a key and its certificate");
    }
    if ((why = brski_cms_scheme_choose(scheme, key))) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "the key %s", why);
    }
    if (EVP_PKEY_eq(APR_ARRAY_IDX(certs, 0, const brski_cert_t *)->key, key) != 1) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool,
                                 "the key is not the first certificate's");
    }
    return BRSKI_OK;
}

brski_err_t *brski_cms_sign(brski_bytes_t *out, brski_bytes_t content, brski_econtent_t econtent,
                            const apr_array_header_t *certs, EVP_PKEY *key, apr_time_t signing_time,
                            apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_bytes_t oid = econtent == BRSKI_ECONTENT_DATA ? brski_oid_data : brski_oid_anima_json;
    brski_bytes_t attributes, signature, signer_info;
    brski_cms_scheme_t scheme;

    out->data = NULL;
    out->len = 0;
    BRSKI_TRY(check_input(&scheme, certs, key, scratch_pool));
    BRSKI_TRY(
        make_attributes(&attributes, oid, content, scheme.digest, signing_time, scratch_pool));
    BRSKI_TRY(sign(&signature, attributes, &scheme, key, scratch_pool));
    signer_info = make_signer_info(APR_ARRAY_IDX(certs, 0, const brski_cert_t *), &scheme,
                                   attributes, signature, scratch_pool);
    *out = make_message(econtent, make_content(oid, content, scratch_pool), scheme.digest->oid,
                        make_certificates(certs, scratch_pool), signer_info, result_pool,
                        scratch_pool);
    return BRSKI_OK;
}
