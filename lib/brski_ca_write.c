/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_ca_write.c: TBSCertificate and TBSCertList of RFC 5280 in DER, and their signature. Writing
 * them costs next to nothing beside the signature, where OpenSSL's X509 objects would cost twice as
 * much as it.
 */
#include "brski_ca_write.h"

#include <openssl/evp.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_der.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define KEY_ID_OCTETS 20

#define OID_SKI "2.5.29.14"
#define OID_AKI "2.5.29.35"
#define OID_CRL_NUMBER "2.5.29.20"
#define OID_REASON "2.5.29.21"
#define OID_CRL_POINTS "2.5.29.31"
#define OID_AUTHORITY_INFO "1.3.6.1.5.5.7.1.1"
#define OID_OCSP "1.3.6.1.5.5.7.48.1"

/* ---- signing ---- */

static const unsigned char ecdsa_sha256[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                              0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02 };
static const unsigned char ecdsa_sha384[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                              0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03 };
static const unsigned char ecdsa_sha512[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                              0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04 };
static const unsigned char rsa_sha256[] = { 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                            0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00 };
static const unsigned char ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70 };

static const struct {
    const char *type;
    int most_bits;
    brski_ca_scheme_t scheme;
} schemes[] = {
    { "EC", 256, { "SHA2-256", BRSKI_LITERAL(ecdsa_sha256) } },
    { "EC", 384, { "SHA2-384", BRSKI_LITERAL(ecdsa_sha384) } },
    { "EC", 521, { "SHA2-512", BRSKI_LITERAL(ecdsa_sha512) } },
    { "RSA", 16384, { "SHA2-256", BRSKI_LITERAL(rsa_sha256) } },
    { "ED25519", 256, { NULL, BRSKI_LITERAL(ed25519) } },
};

const char *brski_ca_scheme(brski_ca_scheme_t *out, const EVP_PKEY *key)
{
    size_t i;

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (EVP_PKEY_is_a(key, schemes[i].type) && EVP_PKEY_get_bits(key) <= schemes[i].most_bits) {
            *out = schemes[i].scheme;
            return NULL;
        }
    }
    return "is of a type that does not sign certificates here";
}

static brski_err_t *sign(brski_bytes_t *signature, brski_bytes_t text,
                         const brski_ca_issuer_t *issuer, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_get_size(issuer->key);
    unsigned char *made = apr_palloc(pool, len + 1);
    int done;

    *made = 0; /* of a BIT STRING: no bits are unused */
    done = ctx
           && EVP_DigestSignInit_ex(ctx, NULL, issuer->scheme.digest, NULL, NULL, issuer->key, NULL)
                  == 1
           && EVP_DigestSign(ctx, made + 1, &len, text.data, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!done) {
        return brski_err_openssl(BRSKI_E_CA_UNAVAILABLE, NULL, pool, "the CA's key does not sign");
    }
    *signature = brski_bytes(made, len + 1);
    return BRSKI_OK;
}

/* SEQUENCE of what is signed, the algorithm and the signature. */
static brski_err_t *sign_and_wrap(brski_bytes_t *der, brski_bytes_t tbs,
                                  const brski_ca_issuer_t *issuer, apr_pool_t *result_pool,
                                  apr_pool_t *scratch_pool)
{
    brski_bytes_t pieces[3];

    pieces[0] = tbs;
    pieces[1] = issuer->scheme.algorithm;
    BRSKI_TRY(sign(&pieces[2], tbs, issuer, scratch_pool));
    pieces[2] = brski_der_wrap(BRSKI_DER_BIT_STRING, pieces[2], scratch_pool);
    *der = BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, result_pool);
    return BRSKI_OK;
}

/* ---- key identifiers ---- */

/* RFC 7093 2 (1): the leftmost 160 bits of SHA-256 over the key's bits. */
static brski_bytes_t key_id_of(brski_bytes_t key_bits, apr_pool_t *pool)
{
    return brski_bytes(brski_sha256(key_bits, pool).data, KEY_ID_OCTETS);
}

static brski_bytes_t key_bits_of(brski_bytes_t spki)
{
    brski_der_t in = brski_der(spki), info;
    brski_der_tlv_t algorithm, bits;

    if (brski_der_enter(&info, &in, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&algorithm, &info, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&bits, &info, BRSKI_DER_BIT_STRING) || !bits.value.len) {
        return brski_bytes(NULL, 0);
    }
    return brski_bytes(bits.value.data + 1, bits.value.len - 1);
}

/* Subject of a certificate that was parsed before. */
static brski_bytes_t subject_of(const brski_cert_t *cert)
{
    brski_der_t in = brski_der(cert->der), certificate, tbs;
    brski_der_tlv_t piece;
    int i;

    memset(&piece, 0, sizeof(piece));
    brski_der_enter(&certificate, &in, BRSKI_DER_SEQUENCE);
    brski_der_enter(&tbs, &certificate, BRSKI_DER_SEQUENCE);
    brski_der_optional(&piece, &tbs, BRSKI_DER_CONTEXT(0));
    for (i = 0; i < 5; i++) { /* serial, algorithm, issuer, validity, subject */
        brski_der_next(&piece, &tbs);
    }
    return piece.whole;
}

void brski_ca_issuer(brski_ca_issuer_t *out, const brski_cert_t *cert, apr_pool_t *pool)
{
    memset(out, 0, sizeof(*out));
    out->name = subject_of(cert);
    out->key_id = cert->ski.len ? cert->ski : key_id_of(brski_cert_full(cert)->key_bits, pool);
}

/* ---- extensions ---- */

static brski_bytes_t extension(const char *oid, int critical, brski_bytes_t value, apr_pool_t *pool)
{
    static const unsigned char true_value[] = { BRSKI_DER_BOOLEAN, 1, 0xFF };
    brski_bytes_t pieces[] = { brski_der_oid(oid, pool),
                               { NULL, 0 },
                               brski_der_wrap(BRSKI_DER_OCTET_STRING, value, pool) };

    if (critical) {
        pieces[1] = brski_bytes(true_value, sizeof(true_value));
    }
    return BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

static brski_bytes_t authority_key_id(brski_bytes_t key_id, apr_pool_t *pool)
{
    brski_bytes_t inner = brski_der_wrap(BRSKI_DER_CONTEXT_PRIMITIVE(0), key_id, pool);

    return extension(OID_AKI, 0, brski_der_wrap(BRSKI_DER_SEQUENCE, inner, pool), pool);
}

static brski_bytes_t uri(const char *url, apr_pool_t *pool)
{
    return brski_der_wrap(BRSKI_DER_CONTEXT_PRIMITIVE(6), brski_bytes_str(url), pool);
}

/* RFC 5280 4.2.1.13: one point, its fullName one URI. */
static brski_bytes_t crl_points(const char *url, apr_pool_t *pool)
{
    brski_bytes_t name = brski_der_wrap(
        BRSKI_DER_CONTEXT(0), brski_der_wrap(BRSKI_DER_CONTEXT(0), uri(url, pool), pool), pool);

    name = brski_der_wrap(BRSKI_DER_SEQUENCE, brski_der_wrap(BRSKI_DER_SEQUENCE, name, pool), pool);
    return extension(OID_CRL_POINTS, 0, name, pool);
}

/* RFC 5280 4.2.2.1. */
static brski_bytes_t authority_info(const char *ocsp_url, apr_pool_t *pool)
{
    brski_bytes_t access[] = { brski_der_oid(OID_OCSP, pool), uri(ocsp_url, pool) };
    brski_bytes_t one = BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, access, pool);

    return extension(OID_AUTHORITY_INFO, 0, brski_der_wrap(BRSKI_DER_SEQUENCE, one, pool), pool);
}

static brski_bytes_t cert_extensions(const brski_ca_issuer_t *issuer, const brski_template_t *tmpl,
                                     const char *crl_url, const char *ocsp_url, apr_pool_t *pool)
{
    brski_bytes_t *list =
        apr_palloc(pool, sizeof(*list) * (apr_size_t)(tmpl->extensions->nelts + 4));
    brski_bytes_t ski =
        brski_der_wrap(BRSKI_DER_OCTET_STRING, key_id_of(key_bits_of(tmpl->spki), pool), pool);
    int n = 0, i;

    list[n++] = authority_key_id(issuer->key_id, pool);
    list[n++] = extension(OID_SKI, 0, ski, pool);
    for (i = 0; i < tmpl->extensions->nelts; i++) {
        const brski_csr_extension_t *e =
            APR_ARRAY_IDX(tmpl->extensions, i, brski_csr_extension_t *);

        list[n++] = extension(e->oid, e->critical, e->value, pool);
    }
    if (crl_url) {
        list[n++] = crl_points(crl_url, pool);
    }
    if (ocsp_url) {
        list[n++] = authority_info(ocsp_url, pool);
    }
    return brski_der_wrap(BRSKI_DER_CONTEXT(3), brski_der_make(BRSKI_DER_SEQUENCE, pool, n, list),
                          pool);
}

/* ---- certificates ---- */

brski_err_t *brski_ca_write_cert(brski_bytes_t *der, const brski_ca_issuer_t *issuer,
                                 const brski_template_t *tmpl, brski_bytes_t serial,
                                 const char *crl_url, const char *ocsp_url, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    static const unsigned char version_3[] = { 0xA0, 3, BRSKI_DER_INTEGER, 1, 2 };
    brski_bytes_t validity[] = { brski_der_time(tmpl->not_before, scratch_pool),
                                 brski_der_time(tmpl->not_after, scratch_pool) };
    brski_bytes_t tbs[] = {
        BRSKI_LITERAL(version_3),
        brski_der_integer_octets(serial, scratch_pool),
        issuer->scheme.algorithm,
        issuer->name,
        BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, validity, scratch_pool),
        tmpl->subject,
        tmpl->spki,
        cert_extensions(issuer, tmpl, crl_url, ocsp_url, scratch_pool),
    };

    return sign_and_wrap(der, BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, tbs, scratch_pool), issuer,
                         result_pool, scratch_pool);
}

/* ---- CRLs ---- */

/* RFC 5280 5.3.1: unspecified is said by saying nothing. */
static brski_bytes_t reason_extensions(int reason, apr_pool_t *pool)
{
    unsigned char code = (unsigned char)reason;
    brski_bytes_t value;

    if (reason <= 0 || reason > 10) {
        return brski_bytes(NULL, 0);
    }
    value = brski_der_wrap(BRSKI_DER_ENUMERATED, brski_bytes(&code, 1), pool);
    return brski_der_wrap(BRSKI_DER_SEQUENCE, extension(OID_REASON, 0, value, pool), pool);
}

static brski_err_t *revoked_entry(brski_bytes_t *der, const brski_issued_t *issued,
                                  apr_pool_t *pool)
{
    brski_bytes_t pieces[3], serial;

    BRSKI_TRY(brski_hex_decode(&serial, issued->serial, pool));
    pieces[0] = brski_der_integer_octets(serial, pool);
    pieces[1] = brski_der_time(issued->revoked_at, pool);
    pieces[2] = reason_extensions(issued->reason, pool);
    *der = BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
    return BRSKI_OK;
}

/* RFC 5280 5.1.2.6: absent when there are none. */
static brski_err_t *revoked_list(brski_bytes_t *der, const apr_array_header_t *revoked,
                                 apr_pool_t *pool)
{
    brski_bytes_t *list = apr_palloc(pool, sizeof(*list) * (apr_size_t)(revoked->nelts + 1));
    int i;

    *der = brski_bytes(NULL, 0);
    for (i = 0; i < revoked->nelts; i++) {
        BRSKI_TRY(revoked_entry(&list[i], APR_ARRAY_IDX(revoked, i, brski_issued_t *), pool));
    }
    if (revoked->nelts) {
        *der = brski_der_make(BRSKI_DER_SEQUENCE, pool, revoked->nelts, list);
    }
    return BRSKI_OK;
}

static brski_bytes_t crl_extensions(const brski_ca_issuer_t *issuer, apr_int64_t number,
                                    apr_pool_t *pool)
{
    brski_bytes_t list[] = { authority_key_id(issuer->key_id, pool),
                             extension(OID_CRL_NUMBER, 0, brski_der_integer(number, pool), pool) };

    return brski_der_wrap(BRSKI_DER_CONTEXT(0), BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, list, pool),
                          pool);
}

brski_err_t *brski_ca_write_crl(brski_bytes_t *der, const brski_ca_issuer_t *issuer,
                                const apr_array_header_t *revoked, apr_int64_t number,
                                apr_time_t this_update, apr_time_t next_update,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    static const unsigned char version_2[] = { BRSKI_DER_INTEGER, 1, 1 };
    brski_bytes_t tbs[] = {
        BRSKI_LITERAL(version_2),
        issuer->scheme.algorithm,
        issuer->name,
        brski_der_time(this_update, scratch_pool),
        brski_der_time(next_update, scratch_pool),
        { NULL, 0 },
        crl_extensions(issuer, number, scratch_pool),
    };

    BRSKI_TRY(revoked_list(&tbs[5], revoked, scratch_pool));
    return sign_and_wrap(der, BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, tbs, scratch_pool), issuer,
                         result_pool, scratch_pool);
}
