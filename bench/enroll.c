/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enroll.c: what a certificate costs beside its arithmetic. The floor is what OpenSSL's EVP needs
 * when the octets lie ready: decode the request's key from its point, verify the request, sign the
 * certificate. A CA of OpenSSL's X.509 functions alone is told beside it: parse and verify a
 * request, build a certificate with the usual extensions, sign and encode it. Against both stands
 * what the library does without its records: take the base64 apart, parse and verify the request,
 * fill the profile, issue, read what was issued, write PKCS#7 in base64. Prints CPU time in
 * microseconds as JSON.
 *
 *   enroll ROUNDS CHAIN.pem KEY.pem
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "brski_bytes.h"
#include "brski_ca.h"
#include "brski_csr.h"
#include "brski_enroll_steps.h"
#include "brski_err.h"
#include "brski_profile.h"

#define POINT_OCTETS 65
#define SIGNATURE_OCTETS 80
#define STEPS 6

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "enroll: %s failed\n", what);
        exit(1);
    }
}

static void must_be(const brski_err_t *err, const char *what, apr_pool_t *pool)
{
    if (err) {
        fprintf(stderr, "enroll: %s: %s\n", what, brski_err_text(err, pool));
        exit(1);
    }
}

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the floor ---- */

typedef struct floor_t {
    unsigned char text[400]; /* as long as what is signed in both cases */
    unsigned char signature[SIGNATURE_OCTETS];
    size_t signature_len;
    unsigned char point[POINT_OCTETS];
    EVP_PKEY *device;
    EVP_PKEY *ca;
} floor_t;

static void sign(floor_t *f, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    f->signature_len = sizeof(f->signature);
    must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
             && EVP_DigestSign(ctx, f->signature, &f->signature_len, f->text, sizeof(f->text)) == 1,
         "sign");
    EVP_MD_CTX_free(ctx);
}

static void verify(const floor_t *f, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
             && EVP_DigestVerify(ctx, f->signature, f->signature_len, f->text, sizeof(f->text))
                    == 1,
         "verify");
    EVP_MD_CTX_free(ctx);
}

static EVP_PKEY *decode(const floor_t *f)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)f->point, POINT_OCTETS),
        OSSL_PARAM_construct_end()
    };

    must(ctx && EVP_PKEY_fromdata_init(ctx) == 1
             && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1,
         "decode a key");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static double measure_floor(floor_t *f, int rounds)
{
    unsigned char requested[SIGNATURE_OCTETS];
    size_t requested_len;
    double start;
    int i;

    sign(f, f->device);
    requested_len = f->signature_len;
    memcpy(requested, f->signature, requested_len);
    start = cpu_us();
    for (i = 0; i < rounds; i++) {
        EVP_PKEY *key = decode(f);

        memcpy(f->signature, requested, requested_len);
        f->signature_len = requested_len;
        verify(f, key);
        sign(f, f->ca);
        EVP_PKEY_free(key);
    }
    return (cpu_us() - start) / rounds;
}

/* ---- plain OpenSSL ---- */

static void add_extensions(X509 *cert, X509 *issuer, const unsigned char *key_id)
{
    BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
    EXTENDED_KEY_USAGE *eku = EXTENDED_KEY_USAGE_new();
    ASN1_BIT_STRING *ku = ASN1_BIT_STRING_new();
    ASN1_OCTET_STRING *skid = ASN1_OCTET_STRING_new();
    GENERAL_NAMES *san = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *host = ASN1_IA5STRING_new();

    akid->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(issuer));
    ASN1_OCTET_STRING_set(skid, key_id, 20);
    ASN1_BIT_STRING_set_bit(ku, 0, 1);
    sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_client_auth));
    sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth));
    ASN1_STRING_set(host, "jada-0001.devices.example", -1);
    GENERAL_NAME_set0_value(name, GEN_DNS, host);
    sk_GENERAL_NAME_push(san, name);
    must(X509_add1_ext_i2d(cert, NID_basic_constraints, bc, 1, 0) == 1
             && X509_add1_ext_i2d(cert, NID_key_usage, ku, 1, 0) == 1
             && X509_add1_ext_i2d(cert, NID_ext_key_usage, eku, 0, 0) == 1
             && X509_add1_ext_i2d(cert, NID_subject_key_identifier, skid, 0, 0) == 1
             && X509_add1_ext_i2d(cert, NID_authority_key_identifier, akid, 0, 0) == 1
             && X509_add1_ext_i2d(cert, NID_subject_alt_name, san, 0, 0) == 1,
         "extensions");
    BASIC_CONSTRAINTS_free(bc);
    AUTHORITY_KEYID_free(akid);
    EXTENDED_KEY_USAGE_free(eku);
    ASN1_BIT_STRING_free(ku);
    ASN1_OCTET_STRING_free(skid);
    GENERAL_NAMES_free(san);
}

static void set_fields(X509 *cert, X509 *issuer, X509_REQ *req)
{
    unsigned char serial[16];
    BIGNUM *number;

    must(RAND_bytes(serial, sizeof(serial)) == 1, "random");
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert))
             && X509_set_version(cert, X509_VERSION_3) == 1
             && X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1
             && X509_set_subject_name(cert, X509_REQ_get_subject_name(req)) == 1
             && X509_set_pubkey(cert, X509_REQ_get0_pubkey(req)) == 1
             && X509_gmtime_adj(X509_getm_notBefore(cert), 0)
             && X509_gmtime_adj(X509_getm_notAfter(cert), 365 * 86400),
         "fields");
    BN_free(number);
}

static void certify(X509 *issuer, EVP_PKEY *key, brski_bytes_t csr)
{
    const unsigned char *at = csr.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)csr.len);
    unsigned char key_id[EVP_MAX_MD_SIZE], *der = NULL;
    X509 *cert = X509_new();
    unsigned int len;

    must(req && cert && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1, "verify a request");
    set_fields(cert, issuer, req);
    must(X509_pubkey_digest(cert, EVP_sha1(), key_id, &len) == 1, "key identifier");
    add_extensions(cert, issuer, key_id);
    must(X509_sign(cert, key, EVP_sha256()) > 0 && i2d_X509(cert, &der) > 0, "certificate");
    OPENSSL_free(der);
    X509_free(cert);
    X509_REQ_free(req);
}

static double measure_plain(char **argv, brski_bytes_t csr, int rounds)
{
    FILE *chain = fopen(argv[2], "r"), *file = fopen(argv[3], "r");
    X509 *issuer = chain ? PEM_read_X509(chain, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    double start;
    int i;

    must(issuer && key, "the CA");
    fclose(chain);
    fclose(file);
    certify(issuer, key, csr);
    start = cpu_us();
    for (i = 0; i < rounds; i++) {
        certify(issuer, key, csr);
    }
    X509_free(issuer);
    EVP_PKEY_free(key);
    return (cpu_us() - start) / rounds;
}

/* ---- the library ---- */

static brski_bytes_t make_request(EVP_PKEY *key, apr_pool_t *pool)
{
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    brski_bytes_t text;
    int len;

    must(req && X509_REQ_set_pubkey(req, key)
             && X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "serialNumber",
                                           MBSTRING_ASC, (const unsigned char *)"JADA-0001", -1, -1,
                                           0)
             && X509_REQ_sign(req, key, EVP_sha256()) > 0 && (len = i2d_X509_REQ(req, &der)) > 0,
         "request");
    text = brski_bytes_str(brski_base64_encode(brski_bytes(der, (apr_size_t)len), pool));
    OPENSSL_free(der);
    X509_REQ_free(req);
    return text;
}

/* One certificate; times of its steps are added up. */
static void issue(double *spent, brski_ca_t *ca, brski_bytes_t body, apr_pool_t *pool)
{
    static const brski_requester_t device = { .manufacturer = "acme",
                                              .serial_number = "JADA-0001" };
    apr_array_header_t *one = apr_array_make(pool, 1, sizeof(brski_bytes_t));
    double at[STEPS + 1];
    brski_bytes_t der, cert, answer;
    brski_template_t *tmpl;
    brski_issued_t *row;
    brski_csr_t *csr;
    int i;

    at[0] = cpu_us();
    must_be(brski_est_body_decode(&der, body, &brski_limits_default, pool), "body", pool);
    at[1] = cpu_us();
    must_be(brski_csr_parse(&csr, der, &brski_limits_default, pool, pool), "request", pool);
    at[2] = cpu_us();
    must_be(brski_profile_apply(&tmpl, &brski_profile_default, &device, csr, apr_time_now(), pool,
                                pool),
            "profile", pool);
    at[3] = cpu_us();
    must_be(ca->kind->issue(&cert, ca, tmpl, pool, pool), "CA", pool);
    at[4] = cpu_us();
    must_be(brski_enroll_row(&row, cert, ca, csr, pool, pool), "row", pool);
    at[5] = cpu_us();
    APR_ARRAY_PUSH(one, brski_bytes_t) = cert;
    must_be(brski_certs_only_make(&answer, one, pool), "PKCS#7", pool);
    brski_base64_encode(answer, pool);
    at[6] = cpu_us();
    for (i = 0; i < STEPS; i++) {
        spent[i] += at[i + 1] - at[i];
    }
}

static double measure_library(double *spent, brski_ca_t *ca, brski_bytes_t body, int rounds,
                              apr_pool_t *pool)
{
    apr_pool_t *each;
    double start;
    int i;

    apr_pool_create(&each, pool);
    issue(spent, ca, body, each);
    memset(spent, 0, sizeof(*spent) * STEPS);
    start = cpu_us();
    for (i = 0; i < rounds; i++) {
        issue(spent, ca, body, each);
        apr_pool_clear(each);
    }
    return (cpu_us() - start) / rounds;
}

static brski_ca_t *make_ca(char **argv, apr_pool_t *pool)
{
    apr_array_header_t *args = apr_array_make(pool, 2, sizeof(const char *));
    brski_ca_t *ca;

    APR_ARRAY_PUSH(args, const char *) = argv[2];
    APR_ARRAY_PUSH(args, const char *) = argv[3];
    must_be(brski_ca_kind_local.make(&ca, args, brski_ctx_default(), pool), "CA", pool);
    if (ca->away) {
        must_be(ca->away, "the CA's key", pool);
    }
    return ca;
}

int main(int argc, char **argv)
{
    static const char *const names[STEPS] = {
        "body", "request", "profile", "issue", "row", "answer"
    };
    int rounds = argc > 1 ? atoi(argv[1]) : 0, i;
    double spent[STEPS], floor_us, plain_us, library_us;
    brski_bytes_t request, csr;
    floor_t f = { .device = EVP_EC_gen("P-256"), .ca = EVP_EC_gen("P-256") };
    apr_pool_t *pool;
    size_t len;

    must(argc == 4 && rounds > 0, "usage: enroll ROUNDS CHAIN.pem KEY.pem;");
    must(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS, "APR");
    must(f.device && f.ca
             && EVP_PKEY_get_octet_string_param(f.device, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                f.point, sizeof(f.point), &len)
                    == 1,
         "keys");
    memset(f.text, 'x', sizeof(f.text));
    floor_us = measure_floor(&f, rounds);
    request = make_request(f.device, pool);
    must_be(brski_est_body_decode(&csr, request, &brski_limits_default, pool), "body", pool);
    plain_us = measure_plain(argv, csr, rounds);
    library_us = measure_library(spent, make_ca(argv, pool), request, rounds, pool);
    printf("{\"floor_us\": %.1f, \"plain_us\": %.1f, \"enroll_us\": %.1f, \"ratio\": %.2f",
           floor_us, plain_us, library_us, library_us / floor_us);
    for (i = 0; i < STEPS; i++) {
        printf(", \"%s_us\": %.1f", names[i], spent[i] / rounds);
    }
    printf("}\n");
    EVP_PKEY_free(f.device);
    EVP_PKEY_free(f.ca);
    apr_pool_destroy(pool);
    return 0;
}
