/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_x509_test.c: what is read out of a certificate, which certificates are refused, who holds
 * them, and what the cache keeps.
 */
#include "brski_x509.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_time.h"
#include "pki.h"
#include "unit.h"

#define APPENDIX "t/vectors/rfc8995-appC/"

static const brski_cert_t *load_one(const char *path, apr_pool_t *pool)
{
    apr_array_header_t *certs;

    if (brski_cert_load(&certs, path, pool)) {
        bail_out("%s cannot be loaded", path);
    }
    return APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
}

static const brski_cert_t *appendix(const char *file, apr_pool_t *pool)
{
    return load_one(unit_source(apr_pstrcat(pool, APPENDIX, file, NULL), pool), pool);
}

static void reads_the_registrar(apr_pool_t *pool)
{
    const brski_cert_t *cert = appendix("jrc_prime256v1.crt.pem", pool);

    ok(cert->cmc_ra && cert->has_eku, "5.5.4 sees id-kp-cmcRA in a critical EKU");
    ok(!cert->client_auth && !cert->ca && !cert->self_issued, "5.5.4 and nothing else");
    ok(!cert->weak_key && !cert->weak_signature, "5.5.3 P-256 and SHA-256 are not weak");
    is_str(cert->cert_serial_hex, "3f989b52", "5280-4.1.2.2 certificate serial number");
    is_str(cert->subject, "CN=fountain-test.example.com,DC=sandelman,DC=ca",
           "5280-4.1.2.6 subject");
    is_str(cert->serial_number, NULL, "2.3.1 no serialNumber attribute");
    is_str(brski_time_rfc3339(cert->not_before, pool), "2020-02-25T21:31:54Z",
           "5280-4.1.2.5 not valid before");
    is_str(brski_time_rfc3339(cert->not_after, pool), "2022-02-24T21:31:54Z",
           "5280-4.1.2.5 not valid after");
    is_int(cert->ski.len, 0, "5280-4.2.1.2 no SubjectKeyIdentifier");
    is_int(strlen(cert->spki_hex), 64, "7469-2.4 fingerprint in hex");
    is_str(brski_domain_id(cert, pool), "Oy6w2vS8ar8m/FtEHuzs7sl7LSD3pW9yTCgCecoIL3M=",
           "5.8.2 domainID is the fingerprint of the key");
}

static void reads_the_others(apr_pool_t *pool)
{
    const brski_cert_t *ca = appendix("ownerca_secp384r1.crt.pem", pool);
    const brski_cert_t *idevid = appendix("idevid_00-D0-E5-F2-00-02.crt.pem", pool);

    ok(ca->ca && ca->self_issued && !ca->weak_key, "5.5.2 sees a CA with a P-384 key");
    is_str(brski_domain_id(ca, pool),
           "uaX2yxHhB6RJLKcIxnwQvIezdCY=", "5.8.2 domainID is the SubjectKeyIdentifier");
    is_str(idevid->serial_number, "00-D0-E5-F2-00-02", "2.3.1 X520SerialNumber");
    is_str(brski_time_rfc3339(idevid->not_after, pool), "2999-12-31T00:00:00Z",
           "5280-4.1.2.5 a time of centuries to come");
    is_int(idevid->aki.len, 0, "5280-4.2.1.1 no AuthorityKeyIdentifier");
}

/* Expected values of the index of the vectors. */
static void computes_domain_ids(apr_pool_t *pool)
{
    static const struct {
        const char *file;
        const char *id;
    } expected[] = {
        { "cms-rfc8995-appC/jrc_prime256v1.crt.pem",
          "Oy6w2vS8ar8m/FtEHuzs7sl7LSD3pW9yTCgCecoIL3M=" },
        { "cose-draft31/domain_ca.pem", "kup2QEBKj6tPJwvzvDedhs1ygPg=" },
    };
    size_t i;

    for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const char *path = unit_vector(expected[i].file, pool);

        if (!path) {
            skip(1, "BRSKI_VECTORS names no vectors");
            continue;
        }
        is_str(brski_domain_id(load_one(path, pool), pool), expected[i].id, "5.8.2 domainID of %s",
               expected[i].file);
    }
}

static void keeps_the_domain_id_on_renewal(apr_pool_t *pool)
{
    pki_spec_t spec = { .subject = "CN=Registrar", .plain = 1 };
    const pki_party_t *old = pki_make(NULL, spec, pool), *new;

    spec.same_key = old->key;
    spec.to = "2035-01-01T00:00:00Z";
    new = pki_make(NULL, spec, pool);
    is_str(brski_domain_id(new->cert, pool), brski_domain_id(old->cert, pool),
           "5.8.2 a renewed certificate without SubjectKeyIdentifier keeps its domainID");
    ok(memcmp(new->cert->hash, old->cert->hash, 32), "5.8.2 though it is another certificate");
}

static brski_err_t *parse_octets(const void *data, size_t len, apr_pool_t *pool)
{
    const brski_cert_t *cert;

    return brski_cert_parse(&cert, brski_bytes(data, len), &brski_limits_default, NULL, pool);
}

/* A certificate that was changed after it had been parsed. */
static brski_err_t *parse_changed(X509 *x509, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    brski_err_t *err;
    int len;

    i2d_re_X509_tbs(x509, NULL);
    len = i2d_X509(x509, &der);
    err = parse_octets(der, (size_t)len, pool);
    OPENSSL_free(der);
    X509_free(x509);
    return err;
}

/* serialNumber of a certificate whose attribute has this type and these octets. */
static const char *serial_number(const pki_party_t *party, int type, const char *octets, int len,
                                 apr_pool_t *pool)
{
    X509 *x509 = X509_dup(party->x509);
    X509_NAME *name = X509_get_subject_name(x509);
    const char *text;

    X509_NAME_add_entry_by_NID(name, NID_serialNumber, type, (const unsigned char *)octets, len, -1,
                               0);
    i2d_re_X509_tbs(x509, NULL);
    text = pki_parse(x509, pool)->serial_number;
    X509_free(x509);
    return text;
}

static void reads_serial_numbers(apr_pool_t *pool)
{
    pki_spec_t two = { .subject = "serialNumber=A-1,serialNumber=A-2,CN=Two" };
    const pki_party_t *none = pki_make(NULL, (pki_spec_t){ .subject = "CN=None" }, pool);

    is_str(pki_make(NULL, two, pool)->cert->serial_number, NULL,
           "2.3.1 two serialNumber attributes identify nothing");
    is_str(serial_number(none, V_ASN1_PRINTABLESTRING, "A-1", 3, pool), "A-1",
           "2.3.1 serialNumber as the RFC has it");
    is_str(serial_number(none, V_ASN1_UTF8STRING, "G\xC3\xA4-1", 5, pool), "G\xC3\xA4-1",
           "2.3.1 in UTF-8");
    is_str(serial_number(none, V_ASN1_BMPSTRING, "\0A\0-\0001", 6, pool), "A-1",
           "2.3.1 other string types become UTF-8");
    is_str(serial_number(none, V_ASN1_PRINTABLESTRING, "A-1\0B", 5, pool), NULL,
           "2.3.1 a NUL inside identifies nothing");
}

static void prints_names_safely(apr_pool_t *pool)
{
    pki_spec_t umlaut = { .subject = "CN=M\xC3\xBCller" };
    pki_spec_t control = { .subject = "CN=a\nb\x1B[2J" };
    pki_spec_t c1 = { .subject = "CN=a\xC2\x9B"
                                 "2J" };

    is_str(pki_make(NULL, umlaut, pool)->cert->subject, "CN=M\xC3\xBCller",
           "4514-2.4 letters stay letters");
    is_str(pki_make(NULL, control, pool)->cert->subject, "CN=a\\0Ab\\1B[2J",
           "4514-2.4 control characters are escaped");
    is_str(pki_make(NULL, c1, pool)->cert->subject, "CN=a\\9B2J",
           "4514-2.4 those of eight bits too");
}

static void sees_weakness(apr_pool_t *pool)
{
    static const struct {
        const char *key;
        const char *digest;
        int weak_key;
        int weak_signature;
    } cases[] = {
        { "P-256", "SHA256", 0, 0 },     { "P-384", "SHA384", 0, 0 },
        { "P-521", "SHA512", 0, 0 },     { "ED25519", NULL, 0, 0 },
        { "ED448", NULL, 0, 0 },         { "RSA-2048", "SHA256", 0, 0 },
        { "RSA-1024", "SHA256", 1, 0 },  { "P-224", "SHA256", 1, 0 },
        { "secp256k1", "SHA256", 1, 0 }, { "P-256", "SHA1", 0, 1 },
        { "RSA-2048", "MD5", 0, 1 },     { "P-256", "SHA224", 0, 1 },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pki_spec_t spec = { .subject = "CN=x", .key = cases[i].key, .digest = cases[i].digest };
        const brski_cert_t *cert = pki_make(NULL, spec, pool)->cert;

        is_int(cert->weak_key, cases[i].weak_key, "5.5.3 key %s", cases[i].key);
        is_int(cert->weak_signature, cases[i].weak_signature, "5.5.3 signed by %s with %s",
               cases[i].key, cases[i].digest ? cases[i].digest : "itself");
    }
}

/* Nobody has the private keys of these, and making real ones takes minutes. */
static void sees_monstrous_key(apr_size_t n_octets, apr_size_t e_octets, const char *label,
                               apr_pool_t *pool)
{
    const pki_party_t *usual = pki_make(NULL, (pki_spec_t){ .subject = "CN=x" }, pool);
    unsigned char n[1200], e[400];
    OSSL_PARAM params[] = { OSSL_PARAM_construct_BN("n", n, n_octets),
                            OSSL_PARAM_construct_BN("e", e, e_octets),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    X509 *x509 = X509_dup(usual->x509);
    EVP_PKEY *key = NULL;
    const brski_cert_t *cert;

    memset(n, 0xFF, sizeof(n));
    memset(e, 0x7F, sizeof(e));
    if (EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        bail_out("no RSA key");
    }
    X509_set_pubkey(x509, key);
    i2d_re_X509_tbs(x509, NULL);
    cert = pki_parse(x509, pool);
    is_int(EVP_PKEY_get_bits(cert->key), (int)(8 * n_octets), "an RSA key of that size");
    ok(cert->weak_key && !brski_cert_signed_by(usual->cert, cert), "%s", label);
    X509_free(x509);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
}

static void sees_monstrous_keys(apr_pool_t *pool)
{
    sees_monstrous_key(1200, 3, "5.5.3 an RSA key of 9600 bits is not computed with", pool);
    sees_monstrous_key(384, 383, "5.5.3 nor one with an exponent of 3063 bits", pool);
    sees_monstrous_key(384, 5, "5.5.3 nor one with an exponent of 39 bits", pool);
}

static void sees_usages(apr_pool_t *pool)
{
    pki_spec_t any = { .subject = "CN=x", .ext = { "extendedKeyUsage=anyExtendedKeyUsage" } };
    pki_spec_t both = { .subject = "CN=x", .ext = { "extendedKeyUsage=clientAuth,cmcRA" } };
    pki_spec_t none = { .subject = "CN=x" };
    const brski_cert_t *cert = pki_make(NULL, any, pool)->cert;

    ok(cert->has_eku && !cert->cmc_ra, "5.5.4 anyExtendedKeyUsage is not id-kp-cmcRA");
    cert = pki_make(NULL, both, pool)->cert;
    ok(cert->cmc_ra && cert->client_auth, "5.5.4 several usages");
    ok(!pki_make(NULL, none, pool)->cert->has_eku, "5.5.4 no extended key usage");
}

static void refuses_what_is_none(apr_pool_t *pool)
{
    const brski_cert_t *good = appendix("jrc_prime256v1.crt.pem", pool), *cert;
    unsigned char *longer = apr_pcalloc(pool, good->der.len + 1);
    brski_limits_t limits = brski_limits_default;
    apr_size_t len;
    int parsed = 0;

    is_err(parse_octets("", 0, pool), CERTIFICATE, "5.5.2 refuses no octets");
    is_err(parse_octets("\x30\x00", 2, pool), CERTIFICATE, "5.5.2 refuses an empty SEQUENCE");
    memcpy(longer, good->der.data, good->der.len);
    is_err(parse_octets(longer, good->der.len + 1, pool), CERTIFICATE,
           "5.5.2 refuses octets after the certificate");
    for (len = 0; len < good->der.len; len++) {
        unsigned char *cut = malloc(len + 1);

        memcpy(cut, good->der.data, len);
        parsed += parse_octets(cut, len, pool) == NULL;
        free(cut);
    }
    is_int(parsed, 0, "5.5.2 refuses a certificate cut off anywhere");
    limits.certificate = good->der.len - 1;
    is_err(brski_cert_parse(&cert, good->der, &limits, NULL, pool), LIMIT,
           "5.5.2 refuses a certificate over the limit");
    ok(!cert, "5.5.2 and makes none");
}

static void survives_bit_flips(apr_pool_t *pool)
{
    const brski_cert_t *good = appendix("ownerca_secp384r1.crt.pem", pool);
    apr_pool_t *scratch;
    apr_size_t at;
    int same = 0;

    apr_pool_create(&scratch, pool);
    for (at = 0; at < good->der.len; at++) {
        unsigned char *changed = apr_pmemdup(scratch, good->der.data, good->der.len);
        const brski_cert_t *cert;

        changed[at] ^= (unsigned char)(1 << at % 8);
        if (!brski_cert_parse(&cert, brski_bytes(changed, good->der.len), &brski_limits_default,
                              NULL, scratch)) {
            same += brski_cert_signed_by(cert, cert);
        }
        apr_pool_clear(scratch);
    }
    is_int(same, 0, "5.5.3 a certificate with one bit changed never verifies");
}

static void refuses_bad_content(apr_pool_t *pool)
{
    pki_spec_t spec = { .subject = "CN=x", .ext = { "1.2.3.4=ASN1:NULL" } };
    pki_spec_t broken = { .subject = "CN=x", .plain = 1, .ext = { "1.2.3.4=ASN1:NULL" } };
    X509 *x509 = X509_dup(pki_make(NULL, spec, pool)->x509);

    X509_add_ext(x509, X509_get_ext(x509, X509_get_ext_count(x509) - 1), -1);
    is_err(parse_changed(x509, pool), CERTIFICATE, "5280-4.2 refuses an extension twice");
    x509 = X509_dup(pki_make(NULL, spec, pool)->x509);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_organizationName, V_ASN1_UTF8STRING,
                               (const unsigned char *)"\xFF\xFE", 2, -1, 0);
    is_err(parse_changed(x509, pool), CERTIFICATE, "5280-4.1.2.4 refuses a name that is no UTF-8");
    x509 = X509_dup(pki_make(NULL, broken, pool)->x509);
    X509_EXTENSION_set_object(X509_get_ext(x509, 0), OBJ_nid2obj(NID_basic_constraints));
    is_err(parse_changed(x509, pool), CERTIFICATE, "5280-4.2 refuses an extension that is junk");
}

static void counts_holders(apr_pool_t *pool)
{
    apr_pool_t *first, *second;
    const brski_cert_t *cert, *again;
    brski_bytes_t der = appendix("masa.crt.pem", pool)->der;

    apr_pool_create(&first, pool);
    apr_pool_create(&second, pool);
    if (brski_cert_parse(&cert, der, &brski_limits_default, NULL, first)) {
        bail_out("masa.crt.pem");
    }
    again = brski_cert_ref(cert, second);
    ok(again == cert, "5.5.2 another holder gets the same certificate");
    is_int(brski_cert_full(cert)->refs, 2, "5.5.2 two holders");
    apr_pool_destroy(first);
    is_int(brski_cert_full(again)->refs, 1, "5.5.2 one left");
    is_str(again->subject, "CN=highway-test.example.com MASA", "5.5.2 who can still use it");
    apr_pool_destroy(second);
}

static void wraps_what_others_parsed(apr_pool_t *pool)
{
    pki_spec_t spec = { .subject = "CN=TLS client" };
    const pki_party_t *party = pki_make(NULL, spec, pool);
    brski_cert_cache_t *cache = brski_cert_cache_make(8, pool);
    const brski_cert_t *wrapped, *again;

    is_ok(brski_cert_wrap(&wrapped, party->x509, cache, pool), "5.4 wraps a TLS certificate");
    ok(!memcmp(wrapped->hash, party->cert->hash, 32), "5.4 as if we had parsed it");
    ok(wrapped->x509 == party->x509, "5.4 without parsing");
    is_ok(brski_cert_wrap(&again, party->x509, cache, pool), "5.4 wraps it again");
    ok(again == wrapped, "5.4 and finds it in the cache");
    ok(brski_cert_signed_by(wrapped, party->cert), "5.4 keys of both contexts fit");
}

static void writes_pem(apr_pool_t *pool)
{
    const char *path = unit_source(APPENDIX "masa.crt.pem", pool);
    const char *text = (const char *)unit_file(path, pool).data;

    is_str(brski_cert_pem(load_one(path, pool), pool), apr_pstrcat(pool, text, "\n", NULL),
           "7468-5.1 PEM is what the RFC prints");
}

static const char *written(const char *name, const char *text, size_t len, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, unit_tempdir(pool), "/", name, NULL);
    FILE *file = fopen(path, "w");

    fwrite(text, 1, len, file);
    fclose(file);
    return path;
}

static void loads_files(apr_pool_t *pool)
{
    pki_spec_t spec = { .subject = "CN=one" };
    const pki_party_t *one = pki_make(NULL, spec, pool), *two = pki_make(one, spec, pool);
    const char *path = apr_pstrcat(pool, unit_tempdir(pool), "/two.pem", NULL), *der;
    apr_array_header_t *certs;
    brski_err_t *err;

    pki_save_certs(path, pki_certs(pool, one, two, NULL, NULL));
    is_ok(brski_cert_load(&certs, path, pool), "7468-5 loads two certificates of a PEM file");
    is_int(certs->nelts, 2, "7468-5 two");
    der = written("one.der", (const char *)one->cert->der.data, one->cert->der.len, pool);
    is_ok(brski_cert_load(&certs, der, pool), "7468-5 loads a certificate in DER");
    is_int(certs->nelts, 1, "7468-5 one");
    err = brski_cert_load(&certs, "/nonexistent/x.pem", pool);
    is_err(err, IO, "7468-5 no such file");
    has_str(err->public_text, "/nonexistent/x.pem", "7468-5 is named");
    is_err(brski_cert_load(&certs, unit_tempdir(pool), pool), IO, "7468-5 a directory is no file");
    err = brski_cert_load(&certs, written("empty", "", 0, pool), pool);
    is_err(err, CERTIFICATE, "7468-5 an empty file has no certificate");
    err = brski_cert_load(&certs, unit_source(APPENDIX "masa.key.pem", pool), pool);
    is_err(err, CERTIFICATE, "7468-5 nor has a key");
    has_str(err->public_text, "masa.key.pem", "7468-5 which is named");
    err = brski_cert_load(&certs,
                          written("bad.pem",
                                  "-----BEGIN CERTIFICATE-----\nMAA=\n"
                                  "-----END CERTIFICATE-----\n",
                                  60, pool),
                          pool);
    is_err(err, CERTIFICATE, "7468-5 PEM of something else");
}

/* As a module does that is loaded, unloaded and loaded again. Before any certificate is held. */
static void ends_and_starts_again(apr_pool_t *pool)
{
    int round, made = 0;

    for (round = 0; round < 3; round++) {
        apr_pool_t *life;

        apr_pool_create(&life, pool);
        brski_x509_end_with(life);
        made += appendix("jrc_prime256v1.crt.pem", life)->key != NULL;
        apr_pool_destroy(life);
    }
    is_int(made, 3, "5.5.2 certificates can be parsed again after everything was freed");
}

/* ---- cache ---- */

static const brski_cert_t *via(brski_cert_cache_t *cache, const brski_cert_t *cert,
                               apr_pool_t *pool)
{
    const brski_cert_t *out;

    if (brski_cert_parse(&out, cert->der, &brski_limits_default, cache, pool)) {
        bail_out("a good certificate is refused");
    }
    return out;
}

static int is_cached(brski_cert_cache_t *cache, const brski_cert_t *cert)
{
    const brski_cert_t *found = brski_cert_cache_get(cache, cert->hash);

    if (found) {
        brski_cert_release(found);
    }
    return found != NULL;
}

static const pki_party_t *one_more(const EVP_PKEY *key, int ca, apr_pool_t *pool)
{
    pki_spec_t spec = { .subject = "CN=one time", .ca = ca, .same_key = key };

    return pki_make(NULL, spec, pool);
}

static void caches(apr_pool_t *pool)
{
    pki_spec_t spec = { .subject = "CN=registrar" };
    const pki_party_t *registrar = pki_make(NULL, spec, pool), *ca;
    brski_cert_cache_t *cache = brski_cert_cache_make(16, pool);
    brski_cert_cache_numbers_t numbers;
    apr_pool_t *request;
    int i;

    ca = one_more(registrar->key, 1, pool);
    apr_pool_create(&request, pool);
    ok(via(cache, registrar->cert, request) == via(cache, registrar->cert, request),
       "5.5.2 a certificate that comes again is not parsed again");
    brski_cert_cache_numbers(&numbers, cache);
    ok(numbers.certificates == 1 && numbers.hits == 1 && numbers.misses == 1,
       "the cache tells what it holds and what it knew");
    brski_cert_cache_numbers(&numbers, NULL);
    ok(!numbers.certificates && !numbers.hits && !numbers.misses, "no cache has no numbers");
    via(cache, ca->cert, request);
    apr_pool_clear(request);
    for (i = 0; i < 200; i++) {
        via(cache, one_more(registrar->key, 0, request)->cert, request);
        apr_pool_clear(request);
    }
    ok(is_cached(cache, registrar->cert), "5.5.2 a flood of one-time certificates leaves it there");
    ok(is_cached(cache, ca->cert), "5.5.2 and the CA");
    for (i = 0; i < 200; i++) {
        via(cache, one_more(registrar->key, 1, request)->cert, request);
        apr_pool_clear(request);
    }
    ok(is_cached(cache, registrar->cert), "5.5.2 a flood of CAs too");
    apr_pool_destroy(request);
}

static void bounds_the_cache(apr_pool_t *pool)
{
    const pki_party_t *first = pki_make(NULL, (pki_spec_t){ .subject = "CN=x" }, pool), *certs[40];
    brski_cert_cache_t *cache = brski_cert_cache_make(16, pool);
    int i, kept = 0;

    for (i = 0; i < 40; i++) {
        certs[i] = one_more(first->key, 0, pool);
        via(cache, certs[i]->cert, pool);
        via(cache, certs[i]->cert, pool);
    }
    for (i = 0; i < 40; i++) {
        kept += is_cached(cache, certs[i]->cert);
    }
    ok(kept > 8 && kept <= 16, "5.5.2 at most as many as asked for stay (%d of 16)", kept);
    ok(is_cached(cache, certs[39]->cert) && !is_cached(cache, certs[0]->cert),
       "5.5.2 the least recently used left");
    for (kept = 0, i = 0; i < 40; i++) {
        certs[i] = one_more(first->key, i % 2, pool);
        via(cache, certs[i]->cert, pool);
    }
    for (i = 0; i < 40; i++) {
        kept += is_cached(cache, certs[i]->cert);
    }
    ok(kept > 0 && kept <= 16, "5.5.2 strangers' certificates too (%d of 16)", kept);
    for (i = 0; i < 3; i++) {
        brski_cert_cache_t *tiny = brski_cert_cache_make((apr_size_t)i, pool);

        ok(via(tiny, first->cert, pool) && via(tiny, first->cert, pool)
               && via(tiny, first->cert, pool),
           "5.5.2 a cache of %d works", i);
    }
}

/* ---- threads ---- */

typedef struct crowd_t {
    brski_cert_cache_t *cache;
    const pki_party_t *certs[8];
    const pki_party_t *issuer;
    volatile apr_uint32_t wrong;
} crowd_t;

static void *APR_THREAD_FUNC crowd_member(apr_thread_t *thread, void *baton)
{
    crowd_t *crowd = baton;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    for (i = 0; i < 400; i++) {
        const pki_party_t *party = crowd->certs[i % 8];
        const brski_cert_t *cert = via(crowd->cache, party->cert, pool);

        if (memcmp(cert->hash, party->cert->hash, 32)
            || !brski_cert_signed_by(cert, crowd->issuer->cert)) {
            apr_atomic_set32(&crowd->wrong, 1);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void shares_between_threads(apr_pool_t *pool)
{
    crowd_t crowd = { .cache = brski_cert_cache_make(4, pool) };
    apr_thread_t *threads[4];
    apr_status_t rv;
    int i;

    crowd.issuer = pki_make(NULL, (pki_spec_t){ .subject = "CN=CA", .ca = 1 }, pool);
    for (i = 0; i < 8; i++) {
        crowd.certs[i] =
            pki_make(crowd.issuer, (pki_spec_t){ .subject = "CN=x", .ca = i % 2 }, pool);
    }
    for (i = 0; i < 4; i++) {
        if (apr_thread_create(&threads[i], NULL, crowd_member, &crowd, pool) != APR_SUCCESS) {
            bail_out("no threads");
        }
    }
    for (i = 0; i < 4; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    ok(!crowd.wrong, "5.5.2 four threads share a cache of four");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    ends_and_starts_again(pool);
    reads_the_registrar(pool);
    reads_the_others(pool);
    computes_domain_ids(pool);
    keeps_the_domain_id_on_renewal(pool);
    reads_serial_numbers(pool);
    prints_names_safely(pool);
    sees_weakness(pool);
    sees_monstrous_keys(pool);
    sees_usages(pool);
    refuses_what_is_none(pool);
    survives_bit_flips(pool);
    refuses_bad_content(pool);
    counts_holders(pool);
    wraps_what_others_parsed(pool);
    writes_pem(pool);
    loads_files(pool);
    caches(pool);
    bounds_the_cache(pool);
    shares_between_threads(pool);
    return done_testing();
}
