/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.c: making a lab's keys and certificates, as pki.h says.
 */
#include "pki.h"

#include <apr_strings.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"

#define OID_CMC_RA "1.3.6.1.5.5.7.3.28"
#define OID_MASA_URL "1.3.6.1.5.5.7.1.32"

#define OPENSSL_FAILED(pool, what) brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "%s", what)

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

EVP_PKEY *pki_own_key(EVP_PKEY *key, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, key, free_key, apr_pool_cleanup_null);
    return key;
}

/* The words for keys, as brski_profile.h writes them too. */
static EVP_PKEY *generate(const char *type)
{
    static const struct {
        const char *type;
        const char *curve;
    } curves[] = { { "p256", "P-256" }, { "p384", "P-384" }, { "p521", "P-521" } };
    size_t i, bits = strncmp(type, "rsa", 3) == 0 ? (size_t)strtoul(type + 3, NULL, 10) : 0;

    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(type, curves[i].type) == 0) {
            return EVP_EC_gen(curves[i].curve);
        }
    }
    if (strcmp(type, "ed25519") == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return bits >= 1024 && bits <= 8192 ? EVP_RSA_gen((unsigned int)bits) : NULL;
}

brski_err_t *pki_key_make(EVP_PKEY **out, const char *type, apr_pool_t *pool)
{
    EVP_PKEY *key = generate(type);

    if (!key && !ERR_peek_error()) {
        return say_refuse(pool, "The key type %s is none of p256, p384, p521, rsa2048, ed25519.",
                          brski_printable(type, 40, pool));
    }
    if (!key) {
        return OPENSSL_FAILED(pool, "making a key");
    }
    *out = pki_own_key(key, pool);
    return BRSKI_OK;
}

/* ---- the fields of a certificate; each gives 1 when it went well, as OpenSSL does ---- */

/* 16 random octets, positive and not zero. RFC 5280 4.1.2.2 */
static int set_serial(X509 *cert)
{
    unsigned char octets[16];
    BIGNUM *n;
    int ok;

    if (RAND_bytes(octets, sizeof(octets)) != 1) {
        return 0;
    }
    octets[0] = (unsigned char)((octets[0] & 0x7f) | 0x40);
    n = BN_bin2bn(octets, sizeof(octets), NULL);
    ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    BN_free(n);
    return ok;
}

static int set_times(X509 *cert, const pki_spec_t *spec)
{
    time_t from = (time_t)apr_time_sec(spec->not_before),
           to = (time_t)apr_time_sec(spec->not_after);

    if (!ASN1_TIME_set(X509_getm_notBefore(cert), from)) {
        return 0;
    }
    if (spec->not_after == 0) {
        return ASN1_TIME_set_string(X509_getm_notAfter(cert), "99991231235959Z");
    }
    return ASN1_TIME_set(X509_getm_notAfter(cert), to) != NULL;
}

static int add_name(X509_NAME *name, const char *field, const char *value)
{
    return !value || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                                (const unsigned char *)value, -1, -1, 0);
}

static int set_subject(X509 *cert, const pki_spec_t *spec)
{
    X509_NAME *name = X509_get_subject_name(cert);

    return add_name(name, "O", spec->organization) && add_name(name, "CN", spec->name)
           && add_name(name, "serialNumber", spec->serial_number);
}

static int add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *ext;
    X509V3_CTX ctx;
    int ok;

    if (!value) {
        return 1;
    }
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok;
}

/* RFC 8995 2.3.2: the extension's value is an IA5String. */
static int add_masa_url(X509 *cert, const char *url)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(OID_MASA_URL, 1);
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    unsigned char *der = NULL;
    int len, ok;

    ok = oid && text && value && ASN1_STRING_set(text, url, -1)
         && (len = i2d_ASN1_IA5STRING(text, &der)) > 0 && ASN1_OCTET_STRING_set(value, der, len)
         && (ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value)) != NULL
         && X509_add_ext(cert, ext, -1);
    OPENSSL_free(der);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_IA5STRING_free(text);
    ASN1_OBJECT_free(oid);
    return ok;
}

/* What a role may do. */
typedef struct role_t {
    const char *constraints;
    const char *usage;
    const char *extended;
    int key_id;                   /* has a SubjectKeyIdentifier */
} role_t;

static const role_t *role_of(pki_role_t role)
{
    static const role_t roles[] = {
        [PKI_ROOT] = { "critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL, 1 },
        [PKI_CA] = { "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL, 1 },
        [PKI_SIGNER] = { "critical,CA:FALSE", "critical,digitalSignature", NULL, 1 },
        [PKI_SERVER] = { "critical,CA:FALSE", "critical,digitalSignature", "serverAuth", 1 },
        [PKI_REGISTRAR] = { "critical,CA:FALSE", "critical,digitalSignature",
                            OID_CMC_RA ",serverAuth,clientAuth", 1 },
        [PKI_CLIENT] = { "critical,CA:FALSE", "critical,digitalSignature", "clientAuth", 1 },
        /* A device's certificate is kept small: its own key identifier tells nobody anything. */
        [PKI_IDEVID] = { "critical,CA:FALSE", "critical,digitalSignature", NULL, 0 },
    };

    return &roles[role];
}

static int add_extensions(X509 *cert, X509 *issuer, const pki_spec_t *spec)
{
    const role_t *role = role_of(spec->role);

    return add_ext(cert, issuer, NID_basic_constraints, role->constraints) &&
           add_ext(cert, issuer, NID_key_usage, role->usage) &&
           add_ext(cert, issuer, NID_ext_key_usage, spec->usage ? spec->usage : role->extended) &&
           (!role->key_id || add_ext(cert, issuer, NID_subject_key_identifier,
                                     spec->key_id ? spec->key_id : "hash")) &&
           (issuer == cert ||
            add_ext(cert, issuer, NID_authority_key_identifier, "keyid:always")) &&
           add_ext(cert, issuer, NID_subject_alt_name, spec->alt_names) &&
           (!spec->masa_url || add_masa_url(cert, spec->masa_url));
}

/* A digest as strong as the key that signs. */
static const EVP_MD *digest_for(const pki_spec_t *spec, const EVP_PKEY *key)
{
    if (spec->digest) {
        return EVP_get_digestbyname(spec->digest);
    }
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

brski_err_t *pki_make(pki_id_t **out, const pki_spec_t *spec, const pki_id_t *issuer,
                      apr_pool_t *pool)
{
    pki_id_t *id = apr_pcalloc(pool, sizeof(*id));
    const pki_id_t *by = issuer ? issuer : id;

    *out = NULL;
    BRSKI_TRY(pki_key_make(&id->key, spec->key, pool));
    id->issuer = issuer;
    id->cert = X509_new();
    if (!id->cert) {
        return OPENSSL_FAILED(pool, "making a certificate");
    }
    apr_pool_cleanup_register(pool, id->cert, free_cert, apr_pool_cleanup_null);
    if (!X509_set_version(id->cert, X509_VERSION_3) || !set_serial(id->cert)
        || !set_times(id->cert, spec) || !set_subject(id->cert, spec)
        || !X509_set_issuer_name(id->cert, X509_get_subject_name(by->cert))
        || !X509_set_pubkey(id->cert, id->key) || !add_extensions(id->cert, by->cert, spec)
        || !X509_sign(id->cert, by->key, digest_for(spec, by->key))) {
        return OPENSSL_FAILED(pool, apr_psprintf(pool, "making the certificate of %s", spec->name));
    }
    *out = id;
    return BRSKI_OK;
}

/* ---- as files ---- */

static brski_bytes_t take_bio(BIO *bio, apr_pool_t *pool)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    brski_bytes_t out = brski_bytes_dup(brski_bytes(data, (apr_size_t)len), pool);

    BIO_free(bio);
    return out;
}

brski_err_t *pki_pem(brski_bytes_t *out, const pki_id_t *id, int certs, apr_pool_t *pool)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const pki_id_t *at;
    int ok = bio != NULL;

    for (at = id; ok && at && certs-- > 0; at = at->issuer) {
        ok = PEM_write_bio_X509(bio, at->cert);
    }
    if (!ok) {
        BIO_free(bio);
        return OPENSSL_FAILED(pool, "writing a certificate");
    }
    *out = take_bio(bio, pool);
    return BRSKI_OK;
}

brski_err_t *pki_key_pem(brski_bytes_t *out, EVP_PKEY *key, apr_pool_t *pool)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
        BIO_free(bio);
        return OPENSSL_FAILED(pool, "writing a key");
    }
    *out = take_bio(bio, pool);
    return BRSKI_OK;
}

brski_err_t *pki_write(const pki_id_t *id, const char *dir, const char *name, int certs,
                       apr_pool_t *scratch_pool)
{
    const char *cert_file = apr_pstrcat(scratch_pool, dir, "/", name, ".pem", NULL);
    const char *key_file = apr_pstrcat(scratch_pool, dir, "/", name, ".key", NULL);
    brski_bytes_t cert, key;
    brski_err_t *err;

    BRSKI_TRY(pki_pem(&cert, id, certs, scratch_pool));
    BRSKI_TRY(pki_key_pem(&key, id->key, scratch_pool));
    err = files_write(key_file, key, FILES_SECRET, scratch_pool);
    OPENSSL_cleanse((void *)key.data, key.len);
    BRSKI_TRY(err);
    return files_write(cert_file, cert, FILES_PUBLIC, scratch_pool);
}

/* OpenSSL would ask the terminal for a passphrase; a tool in a script must not wait for one. */
static int no_passphrase(char *buf, int size, int writing, void *baton)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)baton;
    return -1;
}

brski_err_t *pki_key_load(EVP_PKEY **key, const char *path, apr_pool_t *pool)
{
    brski_bytes_t file;
    const unsigned char *p;
    EVP_PKEY *found;
    BIO *bio;

    *key = NULL;
    BRSKI_TRY(files_read(&file, path, pool));
    bio = BIO_new_mem_buf(file.data, (int)file.len);
    found = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    p = file.data;
    if (!found && file.len > 0) {
        found = d2i_AutoPrivateKey(NULL, &p, (long)file.len);
    }
    OPENSSL_cleanse((void *)file.data, file.len);
    ERR_clear_error();
    if (!found) {
        return say_refuse(pool, "%s holds no private key that can be read without a passphrase.",
                          brski_printable(path, 200, pool));
    }
    *key = pki_own_key(found, pool);
    return BRSKI_OK;
}

char *pki_key_id(X509 *cert, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    char *hex = len > 0 ? brski_sha256_hex(brski_bytes(der, (apr_size_t)len), pool) : NULL;

    OPENSSL_free(der);
    return hex;
}
