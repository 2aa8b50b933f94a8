/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_x509.c: making certificates: parse once, work out what decisions ask, count holders; and
 * reading and writing them as files and text.
 */
#include "brski_cert.h"

#include <apr_atomic.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der.h"
#include "brski_err.h"

/* RFC 5280 names some 20 extensions; comparing each with each must stay cheap. */
#define EXTENSIONS_MAX 64
#define FILE_MAX_OCTETS (16 * 1024 * 1024)
#define RSA_MIN_BITS 2048
/* Beyond, a stranger could make us compute for milliseconds with each certificate. */
#define RSA_MAX_BITS 8192
#define RSA_EXPONENT_MAX_BITS 32

/*
 * AlgorithmIdentifiers of the key types that may sign; EC with a named curve. RFC 5480, RFC 8410.
 */
static const unsigned char p256_id[] = { 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                         0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
                                         0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07 };
static const unsigned char p384_id[] = { 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
                                         0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22 };
static const unsigned char p521_id[] = { 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
                                         0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23 };
static const unsigned char ed25519_id[] = { 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70 };
static const unsigned char ed448_id[] = { 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x71 };

/* ---- holders ---- */

void brski_cert_hold(const brski_cert_t *cert)
{
    apr_atomic_inc32(&brski_cert_full(cert)->refs);
}

void brski_cert_release(const brski_cert_t *cert)
{
    brski_cert_full_t *full = brski_cert_full(cert);

    if (!apr_atomic_dec32(&full->refs)) {
        X509_free(full->pub.x509);
        free(full);
    }
}

static apr_status_t release(void *baton)
{
    brski_cert_release(baton);
    return APR_SUCCESS;
}

const brski_cert_t *brski_cert_own(const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, cert, release, apr_pool_cleanup_null);
    return cert;
}

const brski_cert_t *brski_cert_ref(const brski_cert_t *cert, apr_pool_t *pool)
{
    brski_cert_hold(cert);
    return brski_cert_own(cert, pool);
}

/* ---- working out ---- */

/* C1 controls, which UTF-8 hides from OpenSSL's escaping, could still drive a terminal. */
static int has_c1_control(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    for (; *at; at++) {
        if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0) {
            return 1;
        }
    }
    return 0;
}

static char *print_name(const X509_NAME *name, unsigned long flags)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *data;
    long len;

    if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        len = BIO_get_mem_data(bio, &data);
        if (len >= 0 && (text = malloc((size_t)len + 1))) {
            if (len) { /* an empty name has no data */
                memcpy(text, data, (size_t)len);
            }
            text[len] = '\0';
        }
    }
    BIO_free(bio);
    return text;
}

char *brski_cert_name_text(const X509_NAME *name)
{
    char *text;

    ERR_set_mark();
    text = print_name(name, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    if (!text || has_c1_control(text)) {
        free(text); /* ill-formed strings too: octets instead of characters */
        text = print_name(name, (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_UTF8_CONVERT)
                                    | ASN1_STRFLGS_ESC_MSB);
    }
    ERR_pop_to_mark();
    return text;
}

const char *brski_cert_short_subject(const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_size_t max = 160;

    if (strlen(cert->subject) <= max) {
        return *cert->subject ? cert->subject : "(empty subject)";
    }
    while (max && ((unsigned char)cert->subject[max] & 0xC0) == 0x80) {
        max--; /* not inside a character */
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, cert->subject, max), "...", NULL);
}

apr_time_t brski_cert_time(const ASN1_TIME *t)
{
    struct tm tm;
    apr_time_exp_t exp;
    apr_time_t at = 0;

    memset(&exp, 0, sizeof(exp));
    if (!ASN1_TIME_to_tm(t, &tm)) {
        return 0;
    }
    exp.tm_sec = tm.tm_sec;
    exp.tm_min = tm.tm_min;
    exp.tm_hour = tm.tm_hour;
    exp.tm_mday = tm.tm_mday;
    exp.tm_mon = tm.tm_mon;
    exp.tm_year = tm.tm_year;
    return apr_time_exp_gmt_get(&at, &exp) == APR_SUCCESS ? at : 0;
}

/*
 * RFC 8995 2.3.1: X520SerialNumber; one that is not alone, or has a NUL inside, identifies
 * nothing.
 */
static char *serial_number_of(const X509_NAME *subject)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_serialNumber, -1);
    unsigned char *utf8 = NULL;
    char *text = NULL;
    int len;

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_serialNumber, at) >= 0) {
        return NULL;
    }
    len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0 && !memchr(utf8, 0, (size_t)len)) {
        text = strdup((const char *)utf8);
    }
    OPENSSL_free(utf8);
    return text;
}

static int same(brski_bytes_t b, const unsigned char *id, apr_size_t len)
{
    return b.len == len && !memcmp(b.data, id, len);
}

static int is_rsa(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
}

/* OpenSSL bounds the exponent only of moduli beyond 3072 bits. */
static int is_dear_rsa(const EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    int dear = EVP_PKEY_get_bits(key) > RSA_MAX_BITS
               || !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e)
               || BN_num_bits(e) > RSA_EXPONENT_MAX_BITS;

    BN_free(e);
    return dear;
}

static int is_weak_key(const EVP_PKEY *key, brski_bytes_t algorithm)
{
    if (!key) {
        return 1; /* a type that our context does not decode */
    }
    if (is_rsa(key)) {
        return EVP_PKEY_get_bits(key) < RSA_MIN_BITS || is_dear_rsa(key);
    }
    return !same(algorithm, p256_id, sizeof(p256_id)) && !same(algorithm, p384_id, sizeof(p384_id))
           && !same(algorithm, p521_id, sizeof(p521_id))
           && !same(algorithm, ed25519_id, sizeof(ed25519_id))
           && !same(algorithm, ed448_id, sizeof(ed448_id));
}

const char *brski_digest_allowed(int nid)
{
    switch (nid) {
    case NID_sha256:
        return "SHA2-256";
    case NID_sha384:
        return "SHA2-384";
    case NID_sha512:
        return "SHA2-512";
    default:
        return NULL;
    }
}

static int is_weak_signature(X509 *x509)
{
    int nid = X509_get_signature_nid(x509), digest = NID_undef;

    if (nid == NID_ED25519 || nid == NID_ED448) {
        return 0;
    }
    if (nid == NID_rsassaPss) {
        X509_get_signature_info(x509, &digest, NULL, NULL, NULL);
    }
    else {
        OBJ_find_sigid_algs(nid, &digest, NULL);
    }
    return !brski_digest_allowed(digest);
}

/* RFC 5280 4.2: no extension twice. */
static int has_repeated_extension(const X509 *x509)
{
    const STACK_OF(X509_EXTENSION) *extensions = X509_get0_extensions(x509);
    int i, j, n = sk_X509_EXTENSION_num(extensions);

    for (i = 1; i < n && n <= EXTENSIONS_MAX; i++) {
        for (j = 0; j < i; j++) {
            if (!OBJ_cmp(X509_EXTENSION_get_object(sk_X509_EXTENSION_value(extensions, i)),
                         X509_EXTENSION_get_object(sk_X509_EXTENSION_value(extensions, j)))) {
                return 1;
            }
        }
    }
    return n > EXTENSIONS_MAX;
}

static void note_eku(brski_cert_t *cert)
{
    EXTENDED_KEY_USAGE *eku;
    int i;

    cert->has_eku = X509_get_ext_by_NID(cert->x509, NID_ext_key_usage, -1) >= 0;
    if (!cert->has_eku || !(eku = X509_get_ext_d2i(cert->x509, NID_ext_key_usage, NULL, NULL))) {
        return;
    }
    for (i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i));

        cert->cmc_ra |= nid == NID_cmcRA;
        cert->client_auth |= nid == NID_client_auth;
    }
    EXTENDED_KEY_USAGE_free(eku);
}

static brski_bytes_t bytes_of(const ASN1_STRING *s)
{
    return s ? brski_bytes(ASN1_STRING_get0_data(s), (apr_size_t)ASN1_STRING_length(s))
             : brski_bytes(NULL, 0);
}

static brski_bytes_t extension_value(const X509 *x509, int nid)
{
    int at = X509_get_ext_by_NID(x509, nid, -1);

    return at < 0 ? brski_bytes(NULL, 0)
                  : bytes_of(X509_EXTENSION_get_data(X509_get_ext(x509, at)));
}

/* What is of fixed size. The octets that pub points to belong to x509 until pack() copies them. */
static void work_out(brski_cert_full_t *full, brski_bytes_t key_algorithm)
{
    brski_cert_t *cert = &full->pub;
    X509 *x509 = cert->x509;
    unsigned flags = X509_get_extension_flags(x509);

    cert->key = X509_get0_pubkey(x509);
    cert->ski = bytes_of(X509_get0_subject_key_id(x509));
    cert->aki_keyid = bytes_of(X509_get0_authority_key_id(x509));
    cert->aki = extension_value(x509, NID_authority_key_identifier);
    cert->not_before = brski_cert_time(X509_get0_notBefore(x509));
    cert->not_after = brski_cert_time(X509_get0_notAfter(x509));
    cert->ca = (flags & EXFLAG_BCONS) && (flags & EXFLAG_CA);
    cert->self_issued = (flags & EXFLAG_SI) != 0;
    cert->weak_key = is_weak_key(cert->key, key_algorithm);
    cert->weak_signature = is_weak_signature(x509);
    note_eku(cert);
}

/* Cut TBSCertificate (RFC 5280 4.1) into what we look at as octets. */
static const char *cut(brski_cert_full_t *full, brski_bytes_t *key_algorithm, brski_bytes_t der)
{
    brski_der_t in = brski_der(der), certificate, tbs, spki;
    brski_der_tlv_t skipped, serial, issuer, info, algorithm, bits;
    const char *why;

    if ((why = brski_der_enter(&certificate, &in, BRSKI_DER_SEQUENCE))) {
        return why;
    }
    if (!brski_der_end(&in)) {
        return "is followed by more octets";
    }
    if ((why = brski_der_enter(&tbs, &certificate, BRSKI_DER_SEQUENCE))
        || (why = brski_der_optional(&skipped, &tbs, BRSKI_DER_CONTEXT(0)))
        || (why = brski_der_expect(&serial, &tbs, BRSKI_DER_INTEGER))
        || (why = brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&issuer, &tbs, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&info, &tbs, BRSKI_DER_SEQUENCE))) {
        return why;
    }
    spki = brski_der(info.value);
    if ((why = brski_der_expect(&algorithm, &spki, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&bits, &spki, BRSKI_DER_BIT_STRING))) {
        return why;
    }
    if (!bits.value.len || bits.value.data[0]) {
        return "has a public key that is not whole octets";
    }
    full->serial_der = serial.whole;
    full->issuer_der = issuer.whole;
    full->spki_der = info.whole;
    full->key_bits = brski_bytes(bits.value.data + 1, bits.value.len - 1);
    *key_algorithm = algorithm.whole;
    return NULL;
}

/* ---- making ---- */

/* Texts and octets, before they are packed into one block with the certificate. */
typedef struct texts_t {
    char *subject;
    char *issuer;
    char *serial_number;
} texts_t;

static brski_bytes_t pack_bytes(unsigned char **at, brski_bytes_t b)
{
    brski_bytes_t packed = { *at, b.len };

    if (b.len) {
        memcpy(*at, b.data, b.len);
    }
    (*at)[b.len] = '\0';
    *at += b.len + 1;
    return packed;
}

static const char *pack_text(unsigned char **at, const char *text)
{
    return text ? (const char *)pack_bytes(at, brski_bytes_str(text)).data : NULL;
}

static void pack_hex(unsigned char **at, const char **out, brski_bytes_t b)
{
    static const char digits[] = "0123456789abcdef";
    apr_size_t i;

    *out = (const char *)*at;
    for (i = 0; i < b.len; i++) {
        *(*at)++ = (unsigned char)digits[b.data[i] >> 4];
        *(*at)++ = (unsigned char)digits[b.data[i] & 15];
    }
    *(*at)++ = '\0';
}

static brski_bytes_t moved(brski_bytes_t b, brski_bytes_t from, brski_bytes_t to)
{
    return brski_bytes(to.data + (b.data - from.data), b.len);
}

static apr_size_t room_for(const brski_cert_full_t *draft, const texts_t *texts,
                           brski_bytes_t serial)
{
    const brski_cert_t *cert = &draft->pub;

    return cert->der.len + cert->ski.len + cert->aki_keyid.len + cert->aki.len
           + strlen(texts->subject) + strlen(texts->issuer)
           + (texts->serial_number ? strlen(texts->serial_number) : 0) + 2 * sizeof(cert->spki_hash)
           + 2 * serial.len + 9 /* NULs */;
}

/* One block: the struct, then all that it points to. */
static brski_cert_full_t *pack(const brski_cert_full_t *draft, const texts_t *texts)
{
    brski_bytes_t serial = { draft->serial_der.data + 2, draft->serial_der.len - 2 };
    brski_bytes_t from = draft->pub.der;
    brski_cert_full_t *full;
    brski_cert_t *cert;
    unsigned char *at;

    while (serial.len > 1 && !*serial.data) {
        serial.data++;
        serial.len--;
    }
    if (!(full = malloc(sizeof(*full) + room_for(draft, texts, serial)))) {
        return NULL;
    }
    *full = *draft;
    cert = &full->pub;
    at = (unsigned char *)(full + 1);
    cert->der = pack_bytes(&at, from);
    cert->ski = pack_bytes(&at, cert->ski);
    cert->aki_keyid = pack_bytes(&at, cert->aki_keyid);
    cert->aki = pack_bytes(&at, cert->aki);
    cert->subject = pack_text(&at, texts->subject);
    cert->issuer = pack_text(&at, texts->issuer);
    cert->serial_number = pack_text(&at, texts->serial_number);
    pack_hex(&at, &cert->spki_hex, brski_bytes(cert->spki_hash, sizeof(cert->spki_hash)));
    pack_hex(&at, &cert->cert_serial_hex, serial);
    full->serial_der = moved(draft->serial_der, from, cert->der);
    full->issuer_der = moved(draft->issuer_der, from, cert->der);
    full->spki_der = moved(draft->spki_der, from, cert->der);
    full->key_bits = moved(draft->key_bits, from, cert->der);
    return full;
}

static brski_cert_full_t *pack_with_texts(const brski_cert_full_t *draft)
{
    const X509_NAME *subject = X509_get_subject_name(draft->pub.x509);
    brski_cert_full_t *full = NULL;
    texts_t texts;

    texts.subject = brski_cert_name_text(subject);
    texts.issuer = brski_cert_name_text(X509_get_issuer_name(draft->pub.x509));
    texts.serial_number = serial_number_of(subject);
    if (texts.subject && texts.issuer) {
        full = pack(draft, &texts);
    }
    free(texts.subject);
    free(texts.issuer);
    free(texts.serial_number);
    return full;
}

static brski_err_t *broken(apr_pool_t *pool, const char *why)
{
    return brski_err_say(brski_err_openssl(BRSKI_E_CERTIFICATE, NULL, pool, "certificate %s", why),
                         pool, "A certificate in the request cannot be parsed: it %s.", why);
}

/* Takes x509 over, also when it fails. */
static brski_err_t *make_cert(const brski_cert_t **out, X509 *x509, brski_bytes_t der,
                              const unsigned char *hash, OSSL_LIB_CTX *libctx, apr_pool_t *pool)
{
    brski_cert_full_t draft, *full = NULL;
    brski_bytes_t key_algorithm;
    const char *why;

    memset(&draft, 0, sizeof(draft));
    draft.pub.x509 = x509;
    draft.pub.der = der;
    draft.refs = 1;
    draft.libctx = libctx;
    memcpy(draft.pub.hash, hash, sizeof(draft.pub.hash));
    if (!(why = cut(&draft, &key_algorithm, der))) {
        ERR_set_mark();
        work_out(&draft, key_algorithm);
        ERR_pop_to_mark();
        memcpy(draft.pub.spki_hash, brski_sha256(draft.spki_der, pool).data,
               sizeof(draft.pub.spki_hash));
        if (X509_get_extension_flags(x509) & EXFLAG_INVALID) {
            why = "has an extension that cannot be read";
        }
        else if (has_repeated_extension(x509)) {
            why = "has an extension twice, or too many";
        }
        else if (!(full = pack_with_texts(&draft))) {
            why = "has a name that cannot be read";
        }
    }
    if (!full) {
        X509_free(x509);
        return broken(pool, why);
    }
    *out = brski_cert_own(&full->pub, pool);
    return BRSKI_OK;
}

static int found_in_cache(const brski_cert_t **out, const unsigned char *hash,
                          brski_cert_cache_t *cache, apr_pool_t *pool)
{
    const brski_cert_t *cert = cache ? brski_cert_cache_get(cache, hash) : NULL;

    if (cert) {
        *out = brski_cert_own(cert, pool);
    }
    return cert != NULL;
}

static brski_err_t *too_large(apr_size_t max, apr_pool_t *pool)
{
    return brski_err_say(
        brski_err(BRSKI_E_LIMIT, NULL, pool, "certificate of over %lu octets", (unsigned long)max),
        pool, "A certificate in the request is larger than %lu octets.", (unsigned long)max);
}

brski_err_t *brski_cert_parse(const brski_cert_t **out, brski_bytes_t der,
                              const brski_limits_t *limits, brski_cert_cache_t *cache,
                              apr_pool_t *pool)
{
    OSSL_LIB_CTX *libctx;
    const unsigned char *hash, *at = der.data;
    X509 *x509;

    *out = NULL;
    if (der.len > limits->certificate) {
        return too_large(limits->certificate, pool);
    }
    hash = brski_sha256(der, pool).data;
    if (found_in_cache(out, hash, cache, pool)) {
        return BRSKI_OK;
    }
    libctx = brski_x509_libctx();
    if (!(x509 = X509_new_ex(libctx, NULL))) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "X509_new_ex");
    }
    /* on failure d2i frees what it was given and clears x509 */
    if (!d2i_X509(&x509, &at, (long)der.len)) {
        return broken(pool, "is not the DER of a certificate");
    }
    if (at != der.data + der.len) {
        X509_free(x509);
        return broken(pool, "is followed by more octets");
    }
    BRSKI_TRY(make_cert(out, x509, der, hash, libctx, pool));
    if (cache) {
        brski_cert_cache_put(cache, *out);
    }
    return BRSKI_OK;
}

brski_err_t *brski_cert_wrap(const brski_cert_t **out, X509 *x509, brski_cert_cache_t *cache,
                             apr_pool_t *pool)
{
    unsigned char *encoded = NULL;
    int len = i2d_X509(x509, &encoded);
    brski_bytes_t der;
    const unsigned char *hash;

    *out = NULL;
    if (len <= 0) {
        return brski_err_openssl(BRSKI_E_CERTIFICATE, NULL, pool, "i2d_X509");
    }
    der = brski_bytes_dup(brski_bytes(encoded, (apr_size_t)len), pool);
    OPENSSL_free(encoded);
    hash = brski_sha256(der, pool).data;
    if (found_in_cache(out, hash, cache, pool)) {
        return BRSKI_OK;
    }
    X509_up_ref(x509);
    BRSKI_TRY(make_cert(out, x509, der, hash, NULL, pool));
    if (cache) {
        brski_cert_cache_put(cache, *out);
    }
    return BRSKI_OK;
}

/* ---- signatures between certificates ---- */

/* Of weak keys only small RSA ones are computed with: they are cheap, and told from none. */
static int is_verifiable(const brski_cert_t *issuer)
{
    return issuer->key
           && (!issuer->weak_key || (is_rsa(issuer->key) && !is_dear_rsa(issuer->key)));
}

enum { SIGNER_UNKNOWN, SIGNER_BEING_NOTED, SIGNER_KNOWN };

int brski_cert_signed_by(const brski_cert_t *cert, const brski_cert_t *issuer)
{
    brski_cert_full_t *full = brski_cert_full(cert);

    if (apr_atomic_read32(&full->signer_known) == SIGNER_KNOWN
        && !memcmp(full->signer_spki, issuer->spki_hash, sizeof(full->signer_spki))) {
        return 1;
    }
    ERR_set_mark();
    if (!is_verifiable(issuer) || X509_verify(cert->x509, issuer->key) != 1) {
        ERR_pop_to_mark();
        return 0;
    }
    ERR_pop_to_mark();
    /* written by one thread, once, before anybody may read it */
    if (apr_atomic_cas32(&full->signer_known, SIGNER_BEING_NOTED, SIGNER_UNKNOWN)
        == SIGNER_UNKNOWN) {
        memcpy(full->signer_spki, issuer->spki_hash, sizeof(full->signer_spki));
        apr_atomic_set32(&full->signer_known, SIGNER_KNOWN);
    }
    return 1;
}

/* ---- files and text ---- */

static brski_err_t *unreadable(const char *path, apr_status_t rv, apr_pool_t *pool)
{
    char text[120];

    apr_strerror(rv, text, sizeof(text));
    return brski_err_say(brski_err(BRSKI_E_IO, NULL, pool, "%s: %s", path, text), pool,
                         "The file '%s' cannot be read: %s.", path, text);
}

static brski_err_t *read_file(brski_bytes_t *out, const char *path, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv;
    char *data;

    if ((rv = apr_file_open(&file, path, APR_READ | APR_BINARY, 0, pool)) != APR_SUCCESS) {
        return unreadable(path, rv, pool);
    }
    rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_TYPE, file);
    if (rv == APR_SUCCESS && (info.filetype != APR_REG || info.size > FILE_MAX_OCTETS)) {
        rv = info.filetype == APR_DIR ? APR_FROM_OS_ERROR(EISDIR) : APR_EINVAL;
    }
    if (rv == APR_SUCCESS) {
        data = apr_palloc(pool, (apr_size_t)info.size + 1);
        rv = apr_file_read_full(file, data, (apr_size_t)info.size, &out->len);
        out->data = (unsigned char *)data;
    }
    apr_file_close(file);
    return rv == APR_SUCCESS || rv == APR_EOF ? BRSKI_OK : unreadable(path, rv, pool);
}

static brski_err_t *add_file_cert(apr_array_header_t *certs, brski_bytes_t der, const char *path,
                                  apr_pool_t *pool)
{
    const brski_limits_t limits = { .certificate = FILE_MAX_OCTETS };
    const brski_cert_t *cert;
    brski_err_t *err = brski_cert_parse(&cert, der, &limits, NULL, pool);

    if (err) {
        return brski_err_say(brski_err(BRSKI_E_CERTIFICATE, err, pool, "%s", path), pool,
                             "Certificate %d of the file '%s' cannot be parsed.", certs->nelts + 1,
                             path);
    }
    APR_ARRAY_PUSH(certs, const brski_cert_t *) = cert;
    return BRSKI_OK;
}

static int is_certificate_label(const char *label)
{
    return !strcmp(label, PEM_STRING_X509) || !strcmp(label, PEM_STRING_X509_OLD);
}

static brski_err_t *add_pem_certs(apr_array_header_t *certs, brski_bytes_t text, const char *path,
                                  apr_pool_t *pool)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    brski_err_t *err = BRSKI_OK;
    long len = 0;

    ERR_set_mark();
    while (bio && !err && PEM_read_bio(bio, &label, &header, &data, &len) > 0) {
        if (is_certificate_label(label)) {
            err = add_file_cert(certs, brski_bytes(data, (apr_size_t)len), path, pool);
        }
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
    }
    ERR_pop_to_mark();
    BIO_free(bio);
    return err;
}

brski_err_t *brski_cert_load(apr_array_header_t **out, const char *path, apr_pool_t *pool)
{
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    brski_bytes_t text = { NULL, 0 };
    brski_err_t *err;

    *out = NULL;
    BRSKI_TRY(read_file(&text, path, pool));
    if (text.len && text.data[0] == BRSKI_DER_SEQUENCE) {
        err = add_file_cert(certs, text, path, pool);
    }
    else {
        err = add_pem_certs(certs, text, path, pool);
    }
    OPENSSL_cleanse((void *)text.data, text.len); /* a file may hold a private key too */
    BRSKI_TRY(err);
    if (!certs->nelts) {
        return brski_err_say(
            brski_err(BRSKI_E_CERTIFICATE, NULL, pool, "%s: no certificate", path), pool,
            "The file '%s' contains no certificate; it must hold certificates in PEM "
            "(-----BEGIN CERTIFICATE-----) or one in DER.",
            path);
    }
    *out = certs;
    return BRSKI_OK;
}

char *brski_cert_pem(const brski_cert_t *cert, apr_pool_t *pool)
{
    const char *base64 = brski_base64_encode(cert->der, pool);
    apr_size_t len = strlen(base64), n;
    char *pem = apr_palloc(pool, len + len / 64 + 80), *at;

    at = apr_cpystrn(pem, "-----BEGIN CERTIFICATE-----\n", 40);
    for (; len; base64 += n, len -= n) {
        n = len < 64 ? len : 64;
        memcpy(at, base64, n);
        at += n;
        *at++ = '\n';
    }
    apr_cpystrn(at, "-----END CERTIFICATE-----\n", 40);
    return pem;
}

char *brski_domain_id(const brski_cert_t *cert, apr_pool_t *pool)
{
    return brski_base64_encode(
        cert->ski.len ? cert->ski : brski_bytes(cert->spki_hash, sizeof(cert->spki_hash)), pool);
}
