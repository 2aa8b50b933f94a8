/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wishes.c: fuzz target of what a certification request asks for: the input is its subject and its
 * attributes, which the target signs, since no fuzzer finds a signature. Whatever is asked for, no
 * profile gives a CA certificate or a name that cannot be read.
 */
#include "fuzz.h"

#include <openssl/evp.h>
#include <string.h>

#include "brski_der.h"
#include "brski_der_values.h"
#include "brski_profile.h"

/* Any 32 octets are a key of Ed25519, whose signatures are the same in every run. */
static EVP_PKEY *the_key(void)
{
    static const unsigned char seed[32] = "a key of the fuzz target, public";
    static EVP_PKEY *key;

    if (!key) {
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
        FUZZ_MUST(key != NULL);
    }
    return key;
}

static brski_bytes_t spki_of(EVP_PKEY *key, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    brski_bytes_t spki = brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);

    OPENSSL_free(der);
    return spki;
}

static brski_bytes_t signature_of(brski_bytes_t info, apr_pool_t *pool)
{
    unsigned char signature[65] = { 0 }; /* a BIT STRING begins with its unused bits */
    size_t len = 64;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    FUZZ_MUST(ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, the_key()) == 1);
    FUZZ_MUST(EVP_DigestSign(ctx, signature + 1, &len, info.data, info.len) == 1);
    EVP_MD_CTX_free(ctx);
    return brski_bytes_dup(brski_bytes(signature, sizeof(signature)), pool);
}

/* The octets are the Name and after it the attributes. */
static brski_bytes_t make_csr(brski_bytes_t input, apr_pool_t *pool)
{
    brski_der_t in = brski_der(input);
    brski_der_tlv_t name;
    brski_bytes_t info[4], request[3];

    brski_der_next(&name, &in);
    info[0] = brski_der_integer(0, pool);
    info[1] = name.whole;
    info[2] = spki_of(the_key(), pool);
    info[3] = brski_der_wrap(BRSKI_DER_CONTEXT(0),
                             brski_bytes(in.at, (apr_size_t)(in.end - in.at)), pool);
    request[0] = brski_der_make(BRSKI_DER_SEQUENCE, pool, 4, info);
    request[1] = brski_der_wrap(BRSKI_DER_SEQUENCE, brski_der_oid("1.3.101.112", pool), pool);
    request[2] = brski_der_wrap(BRSKI_DER_BIT_STRING, signature_of(request[0], pool), pool);
    return brski_der_make(BRSKI_DER_SEQUENCE, pool, 3, request);
}

/* basicConstraints with CA:TRUE holds a BOOLEAN of FF. */
static void no_ca(const brski_template_t *made)
{
    int i;

    for (i = 0; i < made->extensions->nelts; i++) {
        brski_csr_extension_t *e = APR_ARRAY_IDX(made->extensions, i, brski_csr_extension_t *);
        brski_bytes_t empty = brski_bytes("\x30\x00", 2);

        FUZZ_MUST(strcmp(e->oid, "2.5.29.19") || brski_bytes_equal(e->value, empty));
    }
}

static void apply(const brski_csr_t *csr, brski_excess_t excess, apr_pool_t *pool)
{
    brski_requester_t requester = { "vendor", "00-D0-E5-F2-00-02", NULL, NULL };
    brski_profile_t profile = brski_profile_default;
    brski_template_t *made;
    brski_err_t *err;

    profile.excess = excess;
    err = brski_profile_apply(&made, &profile, &requester, csr, fuzz_now(), pool, pool);
    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(brski_csr_name_text(made->subject, pool) != NULL);
        FUZZ_MUST(made->not_after > made->not_before);
        no_ca(made);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_csr_t *csr;
    brski_err_t *err = brski_csr_parse(&csr, make_csr(brski_bytes(data, size), pool),
                                       &brski_limits_default, pool, pool);

    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(fuzz_is_printable(csr->subject_text));
        apply(csr, BRSKI_EXCESS_REFUSE, pool);
        apply(csr, BRSKI_EXCESS_DROP, pool);
    }
    return 0;
}
