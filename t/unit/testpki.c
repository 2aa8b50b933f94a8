/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testpki.c: keys and certificates made while a test runs, as testpki.h says.
 */
#include "testpki.h"

#include <apr_strings.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

#define SIGNING_TIME "2026-01-01T00:00:00Z"

static void must(int good, const char *what)
{
    if (!good) {
        bail_out("testpki: %s", what);
    }
}

static void must_ok(const brski_err_t *err, const char *what, apr_pool_t *pool)
{
    if (err) {
        bail_out("testpki: %s: %s", what, brski_err_text(err, pool));
    }
}

/* ---- keys ---- */

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static EVP_PKEY *make_key(const char *kind, apr_pool_t *pool)
{
    EVP_PKEY *key;

    if (!kind || !strcmp(kind, "p256")) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    }
    else if (!strcmp(kind, "p384")) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    }
    else if (!strcmp(kind, "ed25519")) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    else {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
                                (size_t)(strcmp(kind, "rsa1024") ? 2048 : 1024));
    }
    must(key != NULL, "key");
    apr_pool_cleanup_register(pool, key, free_key, apr_pool_cleanup_null);
    return key;
}

/* ---- certificates ---- */

static void set_time(ASN1_TIME *to, const char *rfc3339, const char *usual)
{
    must(ASN1_TIME_set(to, (time_t)apr_time_sec(unit_time(rfc3339 ? rfc3339 : usual))) != NULL,
         "time");
}

static void set_subject(X509 *x, const testpki_spec_t *spec)
{
    X509_NAME *name = X509_get_subject_name(x);

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->cn, -1, -1,
                               0);
    if (spec->serial_number) {
        X509_NAME_add_entry_by_txt(name, "serialNumber", MBSTRING_UTF8,
                                   (const unsigned char *)spec->serial_number, -1, -1, 0);
    }
}

static void add_extension(X509 *x, const testpki_t *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer ? issuer->cert->x509 : x, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(ext && X509_add_ext(x, ext, -1), value);
    X509_EXTENSION_free(ext);
}

static void add_usage(X509 *x, const testpki_spec_t *spec, apr_pool_t *pool)
{
    const char *eku = apr_pstrcat(pool, spec->cmc_ra ? ",1.3.6.1.5.5.7.3.28" : "",
                                  spec->client_auth ? ",clientAuth" : "",
                                  spec->server_auth ? ",serverAuth" : "", NULL);

    add_extension(x, NULL, NID_basic_constraints, spec->ca ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(x, NULL, NID_key_usage,
                  spec->ca && !*eku ? "critical,keyCertSign,cRLSign"
                                    : spec->ca ? "critical,keyCertSign,digitalSignature"
                                               : "critical,digitalSignature");
    if (*eku) {
        add_extension(x, NULL, NID_ext_key_usage, eku + 1);
    }
    if (spec->dns) {
        add_extension(x, NULL, NID_subject_alt_name, apr_pstrcat(pool, "DNS:", spec->dns, NULL));
    }
    if (spec->crl) {
        add_extension(x, NULL, NID_crl_distribution_points,
                      apr_pstrcat(pool, "URI:", spec->crl, NULL));
    }
}

static void add_identifiers(X509 *x, const testpki_spec_t *spec, const testpki_t *issuer)
{
    if (!spec->ski || *spec->ski) {
        add_extension(x, issuer, NID_subject_key_identifier, spec->ski ? spec->ski : "hash");
    }
    if (issuer && issuer->cert->ski.len && !spec->no_aki) {
        add_extension(x, issuer, NID_authority_key_identifier, "keyid:always");
    }
}

static X509 *make_x509(const testpki_spec_t *spec, EVP_PKEY *key, const testpki_t *issuer,
                       apr_pool_t *pool)
{
    X509 *x = X509_new();
    apr_uint64_t serial = 0;

    must(x && RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1, "certificate");
    X509_set_version(x, 2);
    must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1), "serial");
    set_time(X509_getm_notBefore(x), spec->not_before, "2020-01-01T00:00:00Z");
    set_time(X509_getm_notAfter(x), spec->not_after, "2039-12-31T00:00:00Z");
    set_subject(x, spec);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->cert->x509)
                                   : X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    add_usage(x, spec, pool);
    add_identifiers(x, spec, issuer);
    return x;
}

/* The certificate as the library reads it; frees x. */
static const brski_cert_t *parsed(X509 *x, apr_pool_t *pool)
{
    const brski_cert_t *cert;
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    must(len > 0, "encoding");
    must_ok(brski_cert_parse(&cert, brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool),
                             &brski_limits_default, NULL, pool), "certificate", pool);
    OPENSSL_free(der);
    X509_free(x);
    return cert;
}

testpki_t *testpki_make(const testpki_spec_t *spec, const testpki_t *issuer, apr_pool_t *pool)
{
    testpki_t *t = apr_pcalloc(pool, sizeof(*t));
    EVP_PKEY *by;
    const EVP_MD *md;
    X509 *x;

    t->issuer = issuer;
    t->key = spec->same_key ? spec->same_key : make_key(spec->key, pool);
    by = issuer ? issuer->key : t->key;
    md = EVP_PKEY_is_a(by, "ED25519") ? NULL
         : EVP_get_digestbyname(spec->digest ? spec->digest : "sha256");
    x = make_x509(spec, t->key, issuer, pool);
    must(X509_sign(x, by, md) > 0, "signature");
    t->cert = parsed(x, pool);
    return t;
}

/* A look-alike with the same names and number, and of the same length, so that the copied one can
 * take its place in a finished message. */
static const brski_cert_t *look_alike(const brski_cert_t *victim, EVP_PKEY *key, apr_pool_t *pool)
{
    const brski_cert_t *cert = NULL;
    X509 *x;

    while (!cert || cert->der.len != victim->der.len) {
        x = X509_dup(victim->x509);
        must(x && X509_set_pubkey(x, key) && X509_sign(x, key, EVP_sha256()) > 0, "look-alike");
        cert = parsed(x, pool);
    }
    return cert;
}

testpki_t *testpki_impostor(const testpki_t *victim, apr_pool_t *pool)
{
    testpki_t *t = apr_pmemdup(pool, victim, sizeof(*victim));

    t->key = make_key(NULL, pool);
    t->cert = look_alike(victim->cert, t->key, pool);
    t->shown = victim->cert;
    return t;
}

apr_array_header_t *testpki_chain(const testpki_t *ee, int max, apr_pool_t *pool)
{
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));

    for (; ee && (!max || certs->nelts < max); ee = ee->issuer) {
        APR_ARRAY_PUSH(certs, const brski_cert_t *) = ee->cert;
    }
    return certs;
}

apr_array_header_t *testpki_certs(apr_pool_t *pool, const testpki_t *first, ...)
{
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    const testpki_t *t;
    va_list args;

    va_start(args, first);
    for (t = first; t; t = va_arg(args, const testpki_t *)) {
        APR_ARRAY_PUSH(certs, const brski_cert_t *) = t->cert;
    }
    va_end(args);
    return certs;
}

/* ---- signed messages ---- */

static void show_copied(brski_bytes_t message, const testpki_t *impostor)
{
    unsigned char *at = (unsigned char *)message.data;
    apr_size_t len = impostor->cert->der.len, i;

    for (i = 0; i + len <= message.len; i++) {
        if (!memcmp(at + i, impostor->cert->der.data, len)) {
            memcpy(at + i, impostor->shown->der.data, len);
            return;
        }
    }
    must(0, "the look-alike is not in the message");
}

brski_bytes_t testpki_sign(const char *text, const testpki_t *signer,
                           const apr_array_header_t *certs, apr_pool_t *pool)
{
    brski_bytes_t out;

    must_ok(brski_cms_sign(&out, brski_bytes_str(text), BRSKI_ECONTENT_ANIMA_JSON, certs,
                           signer->key, unit_time(SIGNING_TIME), pool, pool), "signing", pool);
    if (signer->shown) {
        show_copied(out, signer);
    }
    return out;
}

brski_bytes_t testpki_sign_voucher(const brski_voucher_t *v, const testpki_t *signer,
                                   const apr_array_header_t *certs, apr_pool_t *pool)
{
    const char *json;

    must_ok(brski_voucher_json(&json, v, pool), "JSON", pool);
    return testpki_sign(json, signer, certs, pool);
}

void testpki_write(const char *path, const apr_array_header_t *certs, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    int i;

    must(file != NULL, path);
    for (i = 0; certs && i < certs->nelts; i++) {
        must(PEM_write_X509(file, APR_ARRAY_IDX(certs, i, const brski_cert_t *)->x509), path);
    }
    if (key) {
        must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), path);
    }
    must(fclose(file) == 0, path);
}
