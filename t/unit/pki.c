/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.c: certificates and CMS messages for the unit tests, as pki.h says.
 */
#include "pki.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "unit.h"

static void *must(void *made, const char *what)
{
    if (!made) {
        ERR_print_errors_fp(stderr);
        bail_out("pki: %s", what);
    }
    return made;
}

static void must_do(int done, const char *what)
{
    must(done > 0 ? (void *)what : NULL, what);
}

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static apr_status_t free_x509(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

EVP_PKEY *pki_key(const char *name, apr_pool_t *pool)
{
    EVP_PKEY *key;

    if (!strncmp(name, "RSA-", 4)) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(name + 4));
    }
    else if (!strncmp(name, "ED", 2) || !strncmp(name, "X", 1)) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, name);
    }
    else {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", (char *)name);
    }
    apr_pool_cleanup_register(pool, must(key, name), free_key, apr_pool_cleanup_null);
    return key;
}

static void set_name(X509_NAME *name, const char *text, apr_pool_t *pool)
{
    char *rest = apr_pstrdup(pool, text), *last, *part;

    for (part = apr_strtok(rest, ",", &last); part; part = apr_strtok(NULL, ",", &last)) {
        char *value = strchr(part, '=');

        *value++ = '\0';
        must_do(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *)value,
                                           -1, -1, 0),
                text);
    }
}

static void set_time(ASN1_TIME *t, const char *rfc3339)
{
    must(ASN1_TIME_adj(t, (time_t)apr_time_sec(unit_time(rfc3339)), 0, 0), rfc3339);
}

static void add_extension(X509 *x509, X509 *issuer, const char *text, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, text), *value = strchr(name, '=');
    X509_EXTENSION *extension;
    X509V3_CTX ctx;

    *value++ = '\0';
    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    extension = must(X509V3_EXT_nconf(NULL, &ctx, name, value), text);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *x509, X509 *issuer, const pki_spec_t *spec, apr_pool_t *pool)
{
    size_t i;

    if (!spec->plain) {
        add_extension(x509, issuer,
                      spec->ca ? "basicConstraints=critical,CA:TRUE" : "basicConstraints=CA:FALSE",
                      pool);
        add_extension(x509, issuer, "subjectKeyIdentifier=hash", pool);
        if (issuer != x509 && X509_get0_subject_key_id(issuer)) {
            add_extension(x509, issuer, "authorityKeyIdentifier=keyid", pool);
        }
    }
    for (i = 0; i < sizeof(spec->ext) / sizeof(spec->ext[0]) && spec->ext[i]; i++) {
        add_extension(x509, issuer, spec->ext[i], pool);
    }
}

static void sign(X509 *x509, EVP_PKEY *key, const char *digest)
{
    const EVP_MD *md = EVP_get_digestbyname(digest ? digest : "SHA256");

    if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448")) {
        md = NULL;
    }
    must_do(X509_sign(x509, key, md), "X509_sign");
}

const brski_cert_t *pki_parse(X509 *x509, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    const brski_cert_t *cert = NULL;
    brski_err_t *err = brski_cert_parse(&cert, brski_bytes(der, (apr_size_t)len),
                                        &brski_limits_default, NULL, pool);

    OPENSSL_free(der);
    if (err) {
        bail_out("pki: %s", brski_err_text(err, pool));
    }
    return cert;
}

const pki_party_t *pki_make(const pki_party_t *issuer, pki_spec_t spec, apr_pool_t *pool)
{
    static long serial = 1000;
    pki_party_t *party = apr_pcalloc(pool, sizeof(*party));
    X509 *x509 = party->x509 = must(X509_new(), "X509_new");

    apr_pool_cleanup_register(pool, x509, free_x509, apr_pool_cleanup_null);
    party->key =
        spec.same_key ? (EVP_PKEY *)spec.same_key : pki_key(spec.key ? spec.key : "P-256", pool);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    set_name(X509_get_subject_name(x509), spec.subject, pool);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509 : x509));
    set_time(X509_getm_notBefore(x509), spec.from ? spec.from : "2020-01-01T00:00:00Z");
    set_time(X509_getm_notAfter(x509), spec.to ? spec.to : "2030-01-01T00:00:00Z");
    must_do(X509_set_pubkey(x509, party->key), "X509_set_pubkey");
    add_extensions(x509, issuer ? issuer->x509 : x509, &spec, pool);
    sign(x509, issuer ? issuer->key : party->key, spec.digest);
    party->cert = pki_parse(x509, pool);
    return party;
}

apr_array_header_t *pki_certs(apr_pool_t *pool, const pki_party_t *a, const pki_party_t *b,
                              const pki_party_t *c, const pki_party_t *d)
{
    const pki_party_t *parties[] = { a, b, c, d };
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    size_t i;

    for (i = 0; i < 4; i++) {
        if (parties[i]) {
            APR_ARRAY_PUSH(certs, const brski_cert_t *) = parties[i]->cert;
        }
    }
    return certs;
}

void pki_save_certs(const char *path, const apr_array_header_t *certs)
{
    FILE *file = must(fopen(path, "w"), path);
    int i;

    for (i = 0; i < certs->nelts; i++) {
        PEM_write_X509(file, APR_ARRAY_IDX(certs, i, const brski_cert_t *)->x509);
    }
    fclose(file);
}

void pki_save_key(const char *path, EVP_PKEY *key, int mode, const char *passphrase)
{
    FILE *file = must(fopen(path, "w"), path);

    must_do(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
                                 (const unsigned char *)passphrase,
                                 passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
            path);
    fclose(file);
    must_do(chmod(path, (mode_t)mode) == 0, path);
}

static void add_signer(CMS_ContentInfo *cms, const pki_party_t *signer, const char *digest,
                       unsigned flags)
{
    must(CMS_add1_signer(cms, signer->x509, signer->key,
                         EVP_get_digestbyname(digest ? digest : "SHA256"), flags | CMS_NOSMIMECAP),
         "CMS_add1_signer");
}

brski_bytes_t pki_cms(const char *content, const pki_party_t *signer, const pki_party_t *other,
                      const char *digest, unsigned flags, apr_pool_t *pool)
{
    unsigned openssl = flags & ~(unsigned)PKI_CMS_BER;
    BIO *in = must(BIO_new_mem_buf(content, -1), "BIO"), *out = must(BIO_new(BIO_s_mem()), "BIO");
    CMS_ContentInfo *cms =
        must(CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY | openssl), "CMS_sign");
    brski_bytes_t made;
    char *data;

    if (signer) {
        add_signer(cms, signer, digest, openssl);
    }
    if (other) {
        add_signer(cms, other, digest, openssl);
    }
    if (flags & PKI_CMS_BER) {
        must_do(i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY), "CMS in BER");
    }
    else {
        must_do(CMS_final(cms, in, NULL, CMS_BINARY | openssl), "CMS_final");
        must_do(i2d_CMS_bio(out, cms), "CMS in DER");
    }
    made.len = (apr_size_t)BIO_get_mem_data(out, &data);
    made = brski_bytes_dup(brski_bytes(data, made.len), pool);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    return made;
}
