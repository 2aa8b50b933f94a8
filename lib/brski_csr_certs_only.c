/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr_certs_only.c: PKCS#7 that carries nothing but certificates, the body of /cacerts and of
 * every certificate that EST hands out (RFC 7030 4.1.3 and 4.2.3, RFC 5272 4.1), in the very octets
 * that RFC 7030 A.1 and RFC 9148 A.1 print: certificates in the order given, an empty list of CRLs,
 * no signers.
 */
#include "brski_csr.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "brski_bytes.h"
#include "brski_cms_alg.h"
#include "brski_der.h"
#include "brski_der_values.h"
#include "brski_err.h"

/* version 1; no digestAlgorithms; id-data without content; no CRLs, no signers */
static const unsigned char before[] = { 0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0B, 0x06, 0x09,
                                        0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01 };
static const unsigned char after[] = { 0xA1, 0x00, 0x31, 0x00 };

brski_err_t *brski_certs_only_make(brski_bytes_t *out, const apr_array_header_t *certs,
                                   apr_pool_t *pool)
{
    brski_bytes_t list = brski_der_make(BRSKI_DER_CONTEXT(0), pool, certs->nelts,
                                        (const brski_bytes_t *)certs->elts);
    brski_bytes_t signed_data[] = { BRSKI_LITERAL(before), list, BRSKI_LITERAL(after) };
    brski_bytes_t content_info[2];

    content_info[0] = brski_der_wrap(BRSKI_DER_OID, brski_oid_signed_data, pool);
    content_info[1] = brski_der_wrap(BRSKI_DER_CONTEXT(0),
                                     BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, signed_data, pool), pool);
    *out = BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, content_info, pool);
    return BRSKI_OK;
}

static brski_err_t *broken(const char *why, apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, pool, "certs-only: %s", why), pool,
                         "The answer is not PKCS#7 with certificates: it %s.", why);
}

/* Down to the certificates; whatever digests, CRLs or signers are there is passed over. */
static const char *enter(brski_der_t *certificates, brski_bytes_t der)
{
    brski_der_t in = brski_der(der), info, outer, data;
    brski_der_tlv_t oid, skipped;
    const char *why;

    if ((why = brski_der_enter(&info, &in, BRSKI_DER_SEQUENCE))) {
        return why;
    }
    if (!brski_der_end(&in)) {
        return "is followed by more octets";
    }
    if ((why = brski_der_expect(&oid, &info, BRSKI_DER_OID))) {
        return why;
    }
    if (!brski_bytes_equal(oid.value, brski_oid_signed_data)) {
        return "is of another content type";
    }
    if ((why = brski_der_enter(&outer, &info, BRSKI_DER_CONTEXT(0)))
        || (why = brski_der_enter(&data, &outer, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&skipped, &data, BRSKI_DER_INTEGER))
        || (why = brski_der_expect(&skipped, &data, BRSKI_DER_SET))
        || (why = brski_der_expect(&skipped, &data, BRSKI_DER_SEQUENCE))) {
        return why;
    }
    return brski_der_enter(certificates, &data, BRSKI_DER_CONTEXT(0));
}

/* Some servers write BER, with lengths that only the end tells: OpenSSL reads it and writes DER. */
static brski_bytes_t as_der(brski_bytes_t ber, apr_pool_t *pool)
{
    const unsigned char *at = ber.data;
    unsigned char *made = NULL;
    brski_bytes_t der = { NULL, 0 };
    PKCS7 *p7;
    int len;

    ERR_set_mark();
    p7 = d2i_PKCS7(NULL, &at, (long)ber.len);
    if (p7 && at == ber.data + ber.len && (len = i2d_PKCS7(p7, &made)) > 0) {
        der = brski_bytes_dup(brski_bytes(made, (apr_size_t)len), pool);
    }
    PKCS7_free(p7);
    OPENSSL_free(made);
    ERR_pop_to_mark();
    return der;
}

static const char *enter_any(brski_der_t *certificates, brski_bytes_t ber, apr_pool_t *pool)
{
    const char *why = enter(certificates, ber);
    brski_bytes_t der = { NULL, 0 };

    if (why && ber.len > 1 && ber.data[1] == 0x80) {
        der = as_der(ber, pool);
    }
    return der.len ? enter(certificates, der) : why;
}

brski_err_t *brski_certs_only_parse(apr_array_header_t **certs, brski_bytes_t der,
                                    const brski_limits_t *limits, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    brski_der_t in;
    const char *why = enter_any(&in, der, pool);
    brski_der_tlv_t one;

    *certs = NULL;
    if (why) {
        return broken(why, pool);
    }
    while (!brski_der_end(&in)) {
        const brski_cert_t *cert;

        if ((why = brski_der_next(&one, &in))) {
            return broken(why, pool);
        }
        if (list->nelts == limits->certificates) {
            return broken("holds too many certificates", pool);
        }
        BRSKI_TRY(brski_cert_parse(&cert, one.whole, limits, NULL, pool));
        APR_ARRAY_PUSH(list, const brski_cert_t *) = cert;
    }
    if (!list->nelts) {
        return broken("holds no certificate", pool);
    }
    *certs = list;
    return BRSKI_OK;
}
