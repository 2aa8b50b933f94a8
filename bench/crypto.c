/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.c: the floor of a voucher's arithmetic, measured with nothing of this project: what
 * OpenSSL's EVP needs for the signatures that a decision cannot do without when the registrar's
 * certificates are known already. Those are: verify the registrar's request, the pledge's request
 * and the IDevID's certificate, decode the one key that is new (the IDevID's), hash each message,
 * sign the voucher. Prints CPU time in microseconds as JSON.
 *
 *   crypto ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "crypto: %s failed\n", what);
        exit(1);
    }
}

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void sign(message_t *m, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    m->signature_len = sizeof(m->signature);
    must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
         && EVP_DigestSign(ctx, m->signature, &m->signature_len, m->text, m->len) == 1, "sign");
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

static message_t *make(size_t len, EVP_PKEY *key)
{
    message_t *m = calloc(1, sizeof(*m));

    must(m != NULL, "memory");
    memset(m->text, 'x', len);
    m->len = len;
    sign(m, key);
    return m;
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

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 2000, i;
    EVP_PKEY *registrar = EVP_EC_gen("P-256"), *idevid_ca = EVP_EC_gen("P-256");
    EVP_PKEY *idevid = EVP_EC_gen("P-256"), *masa = EVP_EC_gen("P-256");
    message_t *rvr, *pvr, *tbs, *voucher;
    unsigned char point[POINT_OCTETS];
    size_t point_len;
    double start, all, one_verify, one_sign;

    must(registrar && idevid_ca && idevid && masa && rounds > 0, "make keys");
    must(EVP_PKEY_get_octet_string_param(idevid, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                                         sizeof(point), &point_len) == 1, "point");
    rvr = make(RVR_OCTETS, registrar);
    pvr = make(PVR_OCTETS, idevid);
    tbs = make(TBS_OCTETS, idevid_ca);
    voucher = make(VOUCHER_OCTETS, masa);

    start = cpu_us();
    for (i = 0; i < rounds; i++) {
        EVP_PKEY *key = decode(point);

        verify(rvr, registrar);
        verify(tbs, idevid_ca);
        verify(pvr, key);
        sign(voucher, masa);
        EVP_PKEY_free(key);
    }
    all = (cpu_us() - start) / rounds;
    start = cpu_us();
    for (i = 0; i < rounds; i++) {
        verify(rvr, registrar);
    }
    one_verify = (cpu_us() - start) / rounds;
    start = cpu_us();
    for (i = 0; i < rounds; i++) {
        sign(voucher, masa);
    }
    one_sign = (cpu_us() - start) / rounds;
    printf("{\"voucher_us\": %.1f, \"verify_us\": %.1f, \"sign_us\": %.1f}\n", all, one_verify,
           one_sign);
    free(rvr);
    free(pvr);
    free(tbs);
    free(voucher);
    EVP_PKEY_free(registrar);
    EVP_PKEY_free(idevid_ca);
    EVP_PKEY_free(idevid);
    EVP_PKEY_free(masa);
    return 0;
}
