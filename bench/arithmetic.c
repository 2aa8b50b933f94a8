/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic.c: the floor of a voucher's arithmetic, as arithmetic.h says.
 */
#include "arithmetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define RVR_OCTETS 2600
#define PVR_OCTETS 1500
#define TBS_OCTETS 500
#define VOUCHER_OCTETS 1200
#define POINT_OCTETS 65

typedef struct message_t {
    unsigned char text[RVR_OCTETS];
    size_t len;
    unsigned char signature[80];
    size_t signature_len;
} message_t;

struct arithmetic_t {
    EVP_PKEY *registrar, *idevid_ca, *masa;
    unsigned char idevid[POINT_OCTETS];
    message_t rvr, pvr, tbs, voucher;
};

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "arithmetic: %s failed\n", what);
        exit(1);
    }
}

static void sign(const message_t *m, unsigned char *signature, size_t *len, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    *len = sizeof(m->signature);
    must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
         && EVP_DigestSign(ctx, signature, len, m->text, m->len) == 1, "sign");
    EVP_MD_CTX_free(ctx);
}

static void verify(const message_t *m, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
         && EVP_DigestVerify(ctx, m->signature, m->signature_len, m->text, m->len) == 1,
         "verify");
    EVP_MD_CTX_free(ctx);
}

static void make_message(message_t *m, size_t len, EVP_PKEY *key)
{
    memset(m->text, 'x', len);
    m->len = len;
    sign(m, m->signature, &m->signature_len, key);
}

/* The cheapest way to a key from the point that a certificate holds. */
static EVP_PKEY *decode(const unsigned char *point)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, POINT_OCTETS),
        OSSL_PARAM_construct_end()
    };

    must(ctx && EVP_PKEY_fromdata_init(ctx) == 1
         && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1, "decode a key");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

arithmetic_t *arithmetic_make(void)
{
    arithmetic_t *a = calloc(1, sizeof(*a));
    EVP_PKEY *idevid = EVP_EC_gen("P-256");
    size_t len;

    must(a != NULL, "memory");
    a->registrar = EVP_EC_gen("P-256");
    a->idevid_ca = EVP_EC_gen("P-256");
    a->masa = EVP_EC_gen("P-256");
    must(a->registrar && a->idevid_ca && a->masa && idevid, "make keys");
    must(EVP_PKEY_get_octet_string_param(idevid, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, a->idevid,
                                         sizeof(a->idevid), &len) == 1, "point");
    make_message(&a->rvr, RVR_OCTETS, a->registrar);
    make_message(&a->pvr, PVR_OCTETS, idevid);
    make_message(&a->tbs, TBS_OCTETS, a->idevid_ca);
    make_message(&a->voucher, VOUCHER_OCTETS, a->masa);
    EVP_PKEY_free(idevid);
    return a;
}

void arithmetic_verify(const arithmetic_t *a)
{
    verify(&a->rvr, a->registrar);
}

void arithmetic_sign(const arithmetic_t *a)
{
    unsigned char signature[sizeof(a->voucher.signature)];
    size_t len;

    sign(&a->voucher, signature, &len, a->masa);
}

void arithmetic_voucher(const arithmetic_t *a)
{
    EVP_PKEY *idevid = decode(a->idevid);

    verify(&a->rvr, a->registrar);
    verify(&a->tbs, a->idevid_ca);
    verify(&a->pvr, idevid);
    arithmetic_sign(a);
    EVP_PKEY_free(idevid);
}

void arithmetic_free(arithmetic_t *a)
{
    EVP_PKEY_free(a->registrar);
    EVP_PKEY_free(a->idevid_ca);
    EVP_PKEY_free(a->masa);
    free(a);
}
