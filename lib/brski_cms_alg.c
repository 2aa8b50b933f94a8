/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cms_alg.c: the tables of allowed algorithms that brski_cms_alg.h promises.
 */
#include "brski_cms_alg.h"

#include <openssl/rsa.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der.h"

#define OID(text)                                                                                  \
    {                                                                                              \
        (const unsigned char *)(text), sizeof(text) - 1                                            \
    }
#define PKCS "\x2A\x86\x48\x86\xF7\x0D\x01"
#define ANSI_X962 "\x2A\x86\x48\xCE\x3D"
#define NIST_HASH "\x60\x86\x48\x01\x65\x03\x04\x02"

const brski_bytes_t brski_oid_data = OID(PKCS "\x07\x01");
const brski_bytes_t brski_oid_signed_data = OID(PKCS "\x07\x02");
const brski_bytes_t brski_oid_anima_json = OID(PKCS "\x09\x10\x01\x28");
const brski_bytes_t brski_oid_content_type = OID(PKCS "\x09\x03");
const brski_bytes_t brski_oid_message_digest = OID(PKCS "\x09\x04");
const brski_bytes_t brski_oid_signing_time = OID(PKCS "\x09\x05");

static const brski_bytes_t mgf1 = OID(PKCS "\x01\x08");

enum { SHA256, SHA384, SHA512, SHAKE256 };

static const brski_cms_digest_t digests[] = {
    [SHA256] = { "SHA2-256", OID(NIST_HASH "\x01"), 32 },
    [SHA384] = { "SHA2-384", OID(NIST_HASH "\x02"), 48 },
    [SHA512] = { "SHA2-512", OID(NIST_HASH "\x03"), 64 },
    [SHAKE256] = { "SHAKE-256", OID(NIST_HASH "\x0C"), 64 },
};

/*
 * A row without a digest takes that of digestAlgorithm. The last is BouncyCastle's: a key type
 * for an algorithm.
 */
static const brski_cms_scheme_t schemes[] = {
    { "EC", NULL, &digests[SHA256], 0, 0, OID(ANSI_X962 "\x04\x03\x02"), 0 },
    { "EC", NULL, &digests[SHA384], 0, 0, OID(ANSI_X962 "\x04\x03\x03"), 0 },
    { "EC", NULL, &digests[SHA512], 0, 0, OID(ANSI_X962 "\x04\x03\x04"), 0 },
    { "RSA", NULL, NULL, 0, 0, OID(PKCS "\x01\x01"), 1 },
    { "RSA", NULL, &digests[SHA256], 0, 0, OID(PKCS "\x01\x0B"), 1 },
    { "RSA", NULL, &digests[SHA384], 0, 0, OID(PKCS "\x01\x0C"), 1 },
    { "RSA", NULL, &digests[SHA512], 0, 0, OID(PKCS "\x01\x0D"), 1 },
    { "RSA", "RSA-PSS", NULL, 0, 1, OID(PKCS "\x01\x0A"), 0 },
    { "ED25519", NULL, NULL, 1, 0, OID("\x2B\x65\x70"), 0 },
    { "ED448", NULL, NULL, 1, 0, OID("\x2B\x65\x71"), 0 },
    { "EC", NULL, NULL, 0, 0, OID(ANSI_X962 "\x02\x01"), 0 },
};

#define KEY_TYPE_ROW (&schemes[COUNT(schemes) - 1])
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The identifier of an AlgorithmIdentifier's content; empty when there is none. */
static brski_bytes_t id_of(brski_bytes_t algorithm, brski_der_t *parameters)
{
    brski_der_tlv_t oid;

    *parameters = brski_der(algorithm);
    return brski_der_expect(&oid, parameters, BRSKI_DER_OID) ? brski_bytes(NULL, 0) : oid.value;
}

/* RFC 5754 2: absent or NULL; nothing else has a meaning here. */
static int are_empty(brski_der_t parameters)
{
    brski_der_tlv_t null;

    return brski_der_end(&parameters)
           || (!brski_der_expect(&null, &parameters, BRSKI_DER_NULL) && !null.value.len
               && brski_der_end(&parameters));
}

const brski_cms_digest_t *brski_cms_digest_find(brski_bytes_t algorithm)
{
    brski_der_t parameters;
    brski_bytes_t oid = id_of(algorithm, &parameters);
    size_t i;

    if (!are_empty(parameters)) {
        return NULL;
    }
    for (i = 0; i < COUNT(digests); i++) {
        if (brski_bytes_equal(oid, digests[i].oid)) {
            return &digests[i];
        }
    }
    return NULL;
}

static const brski_cms_digest_t *explicit_digest(brski_der_t *in, int n)
{
    brski_der_t outer;
    brski_der_tlv_t algorithm;

    return brski_der_enter(&outer, in, BRSKI_DER_CONTEXT(n))
                   || brski_der_expect(&algorithm, &outer, BRSKI_DER_SEQUENCE)
               ? NULL
               : brski_cms_digest_find(algorithm.value);
}

/*
 * RFC 4055 3.1: hash and MGF1 hash must be written out, because what is left out means SHA-1, and
 * be the message's.
 */
static const char *check_pss(brski_der_t *parameters, const brski_cms_digest_t *digest)
{
    static const char *const why = "uses RSA-PSS with another digest than digestAlgorithm says";
    brski_der_t in, outer, mgf;
    brski_der_tlv_t oid, hash;

    if (brski_der_enter(&in, parameters, BRSKI_DER_SEQUENCE) || explicit_digest(&in, 0) != digest
        || brski_der_enter(&outer, &in, BRSKI_DER_CONTEXT(1))
        || brski_der_enter(&mgf, &outer, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&oid, &mgf, BRSKI_DER_OID) || !brski_bytes_equal(oid.value, mgf1)
        || brski_der_expect(&hash, &mgf, BRSKI_DER_SEQUENCE)
        || brski_cms_digest_find(hash.value) != digest || !brski_der_end(parameters)) {
        return why;
    }
    return NULL;
}

const char *brski_cms_scheme_find(brski_cms_scheme_t *out, brski_bytes_t algorithm,
                                  const brski_cms_digest_t *digest)
{
    brski_der_t parameters;
    brski_bytes_t oid = id_of(algorithm, &parameters);
    size_t i;

    for (i = 0; i < COUNT(schemes) && !brski_bytes_equal(oid, schemes[i].oid); i++) {
    }
    if (i == COUNT(schemes)) {
        return "uses a signature algorithm that is not allowed";
    }
    *out = schemes[i];
    if (out->digest && out->digest != digest) {
        return "names one digest in digestAlgorithm and another in signatureAlgorithm";
    }
    out->digest = digest;
    /* RFC 8419 3.1: SHAKE256 belongs to Ed448 alone */
    if (digest == &digests[SHAKE256] && strcmp(out->key_type, "ED448")) {
        return "uses SHAKE256 with another scheme than Ed448";
    }
    if (out->pss) {
        return check_pss(&parameters, digest);
    }
    /* beside a key type there may be its curve */
    return are_empty(parameters) || &schemes[i] == KEY_TYPE_ROW
               ? NULL
               : "has parameters that its algorithm does not have";
}

static const char *row(brski_cms_scheme_t *out, const char *key_type, int digest)
{
    size_t i;

    for (i = 0; i < COUNT(schemes); i++) {
        if (!strcmp(schemes[i].key_type, key_type)
            && (!schemes[i].digest || schemes[i].digest == &digests[digest])) {
            *out = schemes[i];
            out->digest = &digests[digest];
            return NULL;
        }
    }
    return "is of a type that does not sign vouchers";
}

/* RFC 5754 and RFC 8419: the digest that is as strong as the key. */
const char *brski_cms_scheme_choose(brski_cms_scheme_t *out, const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);

    if (EVP_PKEY_is_a(key, "EC")) {
        return row(out, "EC", bits <= 256 ? SHA256 : bits <= 384 ? SHA384 : SHA512);
    }
    if (EVP_PKEY_is_a(key, "RSA")) {
        return row(out, "RSA", SHA256);
    }
    if (EVP_PKEY_is_a(key, "ED25519")) {
        return row(out, "ED25519", SHA512);
    }
    if (EVP_PKEY_is_a(key, "ED448")) {
        return row(out, "ED448", SHAKE256);
    }
    return "is of a type that does not sign vouchers";
}

int brski_cms_digest(unsigned char *out, const brski_cms_digest_t *digest, brski_bytes_t data,
                     OSSL_LIB_CTX *libctx)
{
    EVP_MD *md = EVP_MD_fetch(libctx, digest->name, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int done = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL)
               && EVP_DigestUpdate(ctx, data.data, data.len)
               && (digest == &digests[SHAKE256] ? EVP_DigestFinalXOF(ctx, out, digest->len)
                                                : EVP_DigestFinal_ex(ctx, out, NULL));

    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    return done;
}

int brski_cms_scheme_setup(EVP_PKEY_CTX *ctx, const brski_cms_scheme_t *scheme)
{
    return !scheme->pss
           || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0
               && EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, scheme->digest->name, NULL) > 0
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) > 0);
}
