/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testcsr.c: certification requests for the unit tests, as testcsr.h says.
 */
#include "testcsr.h"

#include <apr_strings.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_ca_write.h"
#include "brski_der_values.h"
#include "brski_profile_parts.h"
#include "unit.h"

static void must(int good, const char *what)
{
    if (!good) {
        bail_out("testcsr: %s", what);
    }
}

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

EVP_PKEY *testcsr_key(const char *kind, apr_pool_t *pool)
{
    static const char *const curves[][2] = {
        { "p256", "P-256" }, { "p384", "P-384" }, { "p521", "P-521" }, { "secp256k1", "secp256k1" }
    };
    EVP_PKEY *key = NULL;
    size_t i;

    for (i = 0; i < 4; i++) {
        if (!strcmp(kind, curves[i][0])) {
            key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i][1]);
        }
    }
    if (!strncmp(kind, "rsa", 3)) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 3));
    }
    if (!strcmp(kind, "ed25519")) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    must(key != NULL, kind);
    apr_pool_cleanup_register(pool, key, free_key, apr_pool_cleanup_null);
    return key;
}

brski_bytes_t testcsr_spki(EVP_PKEY *key, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    brski_bytes_t b;

    must(len > 0, "i2d_PUBKEY");
    b = brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);
    OPENSSL_free(der);
    return b;
}

brski_bytes_t testcsr_name(const char *text, apr_pool_t *pool)
{
    const brski_profile_facts_t nobody = { NULL, NULL, NULL };
    brski_bytes_t der;

    if (!*text) {
        return brski_der_wrap(BRSKI_DER_SEQUENCE, NO_OCTETS, pool);
    }
    must(!brski_profile_name(&der, text, &nobody, 0, pool, pool), text);
    return der;
}

brski_bytes_t testcsr_ext_der(const char *oid, int critical, brski_bytes_t value, apr_pool_t *pool)
{
    static const unsigned char true_value[] = { 1, 1, 0xFF };
    brski_bytes_t pieces[] = { brski_der_oid(oid, pool), BRSKI_LITERAL(true_value),
                               brski_der_wrap(BRSKI_DER_OCTET_STRING, value, pool) };

    if (!critical) {
        pieces[1].len = 0;
    }
    return BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

brski_bytes_t testcsr_ext(const char *name, const char *value, apr_pool_t *pool)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    unsigned char *der = NULL;
    brski_bytes_t b;
    int len = 0;

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    ext = X509V3_EXT_conf(NULL, &ctx, name, value);
    must(ext && (len = i2d_X509_EXTENSION(ext, &der)) > 0, value);
    b = brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);
    OPENSSL_free(der);
    X509_EXTENSION_free(ext);
    return b;
}

brski_bytes_t testcsr_attr(const char *oid, brski_bytes_t value, apr_pool_t *pool)
{
    brski_bytes_t pieces[] = { brski_der_oid(oid, pool),
                               brski_der_wrap(BRSKI_DER_SET, value, pool) };

    return BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

brski_bytes_t testcsr_ext_request(brski_bytes_t a, brski_bytes_t b, apr_pool_t *pool)
{
    return testcsr_attr("1.2.840.113549.1.9.14",
                        brski_der_wrap(BRSKI_DER_SEQUENCE, testcsr_join(a, b, pool), pool), pool);
}

brski_bytes_t testcsr_challenge(int tag, const char *text, apr_pool_t *pool)
{
    return testcsr_attr("1.2.840.113549.1.9.7", brski_der_wrap(tag, brski_bytes_str(text), pool),
                        pool);
}

brski_bytes_t testcsr_join(brski_bytes_t a, brski_bytes_t b, apr_pool_t *pool)
{
    unsigned char *both = apr_palloc(pool, a.len + b.len + 1);

    if (a.len) {
        memcpy(both, a.data, a.len);
    }
    if (b.len) {
        memcpy(both + a.len, b.data, b.len);
    }
    return brski_bytes(both, a.len + b.len);
}

brski_bytes_t testcsr_info(EVP_PKEY *key, brski_bytes_t subject, brski_bytes_t attributes,
                           apr_pool_t *pool)
{
    static const unsigned char version[] = { BRSKI_DER_INTEGER, 1, 0 };
    brski_bytes_t pieces[] = { BRSKI_LITERAL(version), subject, testcsr_spki(key, pool),
                               brski_der_wrap(BRSKI_DER_CONTEXT(0), attributes, pool) };

    return BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

/* Content of a BIT STRING. */
static brski_bytes_t signature(EVP_PKEY *key, const char *digest, brski_bytes_t text,
                               apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *made = apr_pcalloc(pool, len + 1);

    must(ctx && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1
             && EVP_DigestSign(ctx, made + 1, &len, text.data, text.len) == 1,
         "signature");
    EVP_MD_CTX_free(ctx);
    return brski_bytes(made, len + 1);
}

brski_bytes_t testcsr_sign(EVP_PKEY *key, brski_bytes_t info, brski_bytes_t algorithm,
                           const char *digest, apr_pool_t *pool)
{
    brski_ca_scheme_t scheme = { "SHA2-256", { NULL, 0 } };
    brski_bytes_t pieces[3];

    brski_ca_scheme(&scheme, key);
    pieces[0] = info;
    pieces[1] = algorithm.len ? algorithm : scheme.algorithm;
    pieces[2] = brski_der_wrap(BRSKI_DER_BIT_STRING,
                               signature(key, digest ? digest : scheme.digest, info, pool), pool);
    return BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool);
}

brski_bytes_t testcsr_make(EVP_PKEY *key, brski_bytes_t subject, brski_bytes_t attributes,
                           apr_pool_t *pool)
{
    return testcsr_sign(key, testcsr_info(key, subject, attributes, pool), NO_OCTETS, NULL, pool);
}

brski_csr_t *testcsr_parsed(brski_bytes_t der, apr_pool_t *pool)
{
    brski_csr_t *csr;
    brski_err_t *err = brski_csr_parse(&csr, der, &brski_limits_default, pool, pool);

    if (err) {
        bail_out("testcsr: %s", brski_err_text(err, pool));
    }
    return csr;
}
