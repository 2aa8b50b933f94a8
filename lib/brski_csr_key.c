/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr_key.c: which keys are certified, and the proof that the requester has one. Keys are
 * decoded here and not by d2i_PUBKEY(), whose search through all decoders costs more than the
 * verification.
 */
#include "brski_csr_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_cms_alg.h"
#include "brski_der.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define RSA_MIN_BITS 2048
/* Larger ones buy no strength that P-384 has not, and cost us and every later reader. */
#define RSA_MAX_BITS 4096
#define RSA_EXPONENT_MAX_OCTETS 5
#define ED25519_OCTETS 32

/* Contents of AlgorithmIdentifiers: RFC 5480, RFC 3279, RFC 8410. */
static const unsigned char p256[] = { 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                                      0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07 };
static const unsigned char p384[] = { 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
                                      0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22 };
static const unsigned char p521[] = { 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
                                      0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23 };
static const unsigned char rsa[] = { 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                                     0x0D, 0x01, 0x01, 0x01, 0x05, 0x00 };
static const unsigned char ed25519[] = { 0x06, 0x03, 0x2B, 0x65, 0x70 };

static const struct {
    brski_bytes_t algorithm;
    const char *group;
    apr_size_t octets; /* of a coordinate */
} curves[] = {
    { BRSKI_LITERAL(p256), "P-256", 32 },
    { BRSKI_LITERAL(p384), "P-384", 48 },
    { BRSKI_LITERAL(p521), "P-521", 66 },
};

static brski_err_t *refuse(const char *why, apr_pool_t *pool)
{
    return brski_err_say(brski_err_openssl(BRSKI_E_CSR_KEY, NULL, pool, "key of CSR %s", why), pool,
                         "The key of the certification request %s; use ECDSA P-256, P-384 or "
                         "P-521, RSA of 2048 to 4096 bits, or Ed25519.",
                         why);
}

/* ---- decoding ---- */

/* RFC 5480 2.2: uncompressed, or compressed. OpenSSL checks that the point is on the curve. */
static EVP_PKEY *decode_ec(const char *group, apr_size_t octets, brski_bytes_t point)
{
    EVP_PKEY_CTX *ctx;
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point.data, point.len),
        OSSL_PARAM_construct_end()
    };

    if (!(point.len == 2 * octets + 1 && *point.data == 4)
        && !(point.len == octets + 1 && (*point.data == 2 || *point.data == 3))) {
        return NULL;
    }
    ctx = EVP_PKEY_CTX_new_from_name(brski_x509_libctx(), "EC", NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1) {
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* RFC 8017 A.1.1, cut before OpenSSL computes with it: odd modulus and exponent within bounds. */
static const char *check_rsa(brski_bytes_t bits)
{
    brski_der_t in = brski_der(bits), numbers;
    brski_der_tlv_t n, e;
    brski_bytes_t modulus;

    if (brski_der_enter(&numbers, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)
        || brski_der_expect(&n, &numbers, BRSKI_DER_INTEGER)
        || brski_der_expect(&e, &numbers, BRSKI_DER_INTEGER) || !brski_der_end(&numbers)
        || n.value.len < 2 || *n.value.data & 0x80 || !e.value.len || *e.value.data & 0x80) {
        return "cannot be read";
    }
    modulus = n.value;
    if (!*modulus.data) {
        modulus = brski_bytes(modulus.data + 1, modulus.len - 1);
    }
    if (modulus.len > RSA_MAX_BITS / 8) {
        return "is larger than 4096 bits";
    }
    if (!(modulus.data[modulus.len - 1] & 1) || e.value.len > RSA_EXPONENT_MAX_OCTETS
        || !(e.value.data[e.value.len - 1] & 1) || (e.value.len == 1 && *e.value.data == 1)) {
        return "is no good RSA key";
    }
    return NULL;
}

static EVP_PKEY *decode_rsa(const char **why, brski_bytes_t spki, brski_bytes_t bits)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *key;

    if ((*why = check_rsa(bits))) {
        return NULL;
    }
    key = d2i_PUBKEY_ex(NULL, &at, (long)spki.len, brski_x509_libctx(), NULL);
    if (key && EVP_PKEY_get_bits(key) < RSA_MIN_BITS) {
        *why = "is smaller than 2048 bits";
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static EVP_PKEY *decode(const char **why, brski_bytes_t spki, brski_bytes_t algorithm,
                        brski_bytes_t bits)
{
    size_t i;

    *why = "cannot be read";
    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (brski_bytes_equal(algorithm, curves[i].algorithm)) {
            return decode_ec(curves[i].group, curves[i].octets, bits);
        }
    }
    if (brski_bytes_equal(algorithm, brski_bytes(rsa, sizeof(rsa)))) {
        return decode_rsa(why, spki, bits);
    }
    if (brski_bytes_equal(algorithm, brski_bytes(ed25519, sizeof(ed25519)))) {
        return bits.len == ED25519_OCTETS ? EVP_PKEY_new_raw_public_key_ex(
                   brski_x509_libctx(), "ED25519", NULL, bits.data, bits.len)
                                          : NULL;
    }
    *why = "is of a type that is not certified here";
    return NULL;
}

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

brski_err_t *brski_csr_key_decode(EVP_PKEY **key, brski_bytes_t spki, apr_pool_t *pool)
{
    brski_der_t in = brski_der(spki), info;
    brski_der_tlv_t algorithm, bits;
    const char *why;

    *key = NULL;
    if (brski_der_enter(&info, &in, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&algorithm, &info, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&bits, &info, BRSKI_DER_BIT_STRING) || !brski_der_end(&info)
        || bits.value.len < 2 || *bits.value.data) {
        return refuse("cannot be read", pool);
    }
    ERR_set_mark();
    *key =
        decode(&why, spki, algorithm.value, brski_bytes(bits.value.data + 1, bits.value.len - 1));
    ERR_pop_to_mark();
    if (!*key) {
        return refuse(why, pool);
    }
    apr_pool_cleanup_register(pool, *key, free_key, apr_pool_cleanup_null);
    return BRSKI_OK;
}

/* ---- verifying ---- */

static brski_err_t *not_verified(const char *why, apr_pool_t *pool)
{
    return brski_err_say(
        brski_err_openssl(BRSKI_E_CSR_SIGNATURE, NULL, pool, "signature of CSR %s", why), pool,
        "The signature of the certification request %s.", why);
}

/* In CMS an algorithm may be named by its key type; here it is a signature algorithm's own name. */
static int is_key_type(brski_bytes_t algorithm)
{
    static const unsigned char rsa_encryption[] = { 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                    0xF7, 0x0D, 0x01, 0x01, 0x01 };
    static const unsigned char ec_public_key[] = { 0x06, 0x07, 0x2A, 0x86, 0x48,
                                                   0xCE, 0x3D, 0x02, 0x01 };

    return (algorithm.len >= sizeof(rsa_encryption)
            && !memcmp(algorithm.data, rsa_encryption, sizeof(rsa_encryption)))
           || (algorithm.len >= sizeof(ec_public_key)
               && !memcmp(algorithm.data, ec_public_key, sizeof(ec_public_key)));
}

/* The digest stands in the algorithm's name: the one of SHA-2 that fits. */
static int find_scheme(brski_cms_scheme_t *scheme, brski_bytes_t algorithm)
{
    static const unsigned char digests[][11] = {
        { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 },
        { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 },
        { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03 },
    };
    size_t i;

    for (i = 0; i < sizeof(digests) / sizeof(digests[0]) && !is_key_type(algorithm); i++) {
        const brski_cms_digest_t *digest =
            brski_cms_digest_find(brski_bytes(digests[i], sizeof(digests[i])));

        if (!brski_cms_scheme_find(scheme, algorithm, digest)) {
            return 1;
        }
    }
    return 0;
}

static int verifies(EVP_PKEY *key, const brski_cms_scheme_t *scheme,
                    const brski_csr_signed_t *proof)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx;
    int good = ctx
               && EVP_DigestVerifyInit_ex(ctx, &key_ctx, scheme->pure ? NULL : scheme->digest->name,
                                          brski_x509_libctx(), NULL, key, NULL)
                      == 1
               && brski_cms_scheme_setup(key_ctx, scheme)
               && EVP_DigestVerify(ctx, proof->signature.data, proof->signature.len,
                                   proof->text.data, proof->text.len)
                      == 1;

    EVP_MD_CTX_free(ctx);
    return good;
}

brski_err_t *brski_csr_key_verify(EVP_PKEY *key, const brski_csr_signed_t *proof, apr_pool_t *pool)
{
    brski_cms_scheme_t scheme;
    int good;

    if (!find_scheme(&scheme, proof->algorithm)) {
        return not_verified("uses an algorithm that is not allowed; use SHA-256 or better with "
                            "the key's own algorithm",
                            pool);
    }
    if (!EVP_PKEY_is_a(key, scheme.key_type)) {
        return not_verified("uses an algorithm that is not the key's", pool);
    }
    ERR_set_mark();
    good = verifies(key, &scheme, proof);
    ERR_pop_to_mark();
    return good ? BRSKI_OK : not_verified("does not verify", pool);
}
