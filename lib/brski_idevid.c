/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_idevid.c: what BRSKI puts into or takes from device certificates: the MASA URL extension
 * (RFC 8995 section 2.3.2), DNS names, and idevid-issuer, the leaf that implementations write in
 * four ways.
 */
#include "brski_cert.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der.h"

#define SHA1_LEN 20
#define URL_MAX 2048

/* ---- extensions ---- */

/* id-pe-masa-url, 1.3.6.1.5.5.7.1.32 */
static const unsigned char masa_url_oid[] = { 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x20 };

static const ASN1_OCTET_STRING *find_extension(const X509 *x509, const unsigned char *oid,
                                               size_t len)
{
    int i;

    for (i = 0; i < X509_get_ext_count(x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);

        if (OBJ_length(object) == len && !memcmp(OBJ_get0_data(object), oid, len)) {
            return X509_EXTENSION_get_data(extension);
        }
    }
    return NULL;
}

const char *brski_cert_masa_url(const brski_cert_t *cert, apr_pool_t *pool)
{
    const ASN1_OCTET_STRING *value = find_extension(cert->x509, masa_url_oid, sizeof(masa_url_oid));
    brski_der_tlv_t text;
    brski_der_t in;

    if (!value) {
        return NULL;
    }
    in =
        brski_der(brski_bytes(ASN1_STRING_get0_data(value), (apr_size_t)ASN1_STRING_length(value)));
    if (brski_der_next(&text, &in) || !brski_der_end(&in)
        || (text.tag != V_ASN1_IA5STRING && text.tag != V_ASN1_UTF8STRING) || !text.value.len
        || memchr(text.value.data, 0, text.value.len)) {
        return NULL;
    }
    return brski_printable((const char *)brski_bytes_dup(text.value, pool).data, URL_MAX, pool);
}

apr_array_header_t *brski_cert_dns_names(const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));
    GENERAL_NAMES *san;
    int i;

    ERR_set_mark();
    san = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
    for (i = 0; i < sk_GENERAL_NAME_num(san); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(san, i), &type);
        char *name;

        if (type != GEN_DNS || ASN1_STRING_length(value) <= 0
            || memchr(ASN1_STRING_get0_data(value), 0, (size_t)ASN1_STRING_length(value))) {
            continue;
        }
        name = apr_pstrmemdup(pool, (const char *)ASN1_STRING_get0_data(value),
                              (apr_size_t)ASN1_STRING_length(value));
        APR_ARRAY_PUSH(names, const char *) = name;
        for (; *name; name++) {
            *name = (char)apr_tolower(*name);
        }
    }
    GENERAL_NAMES_free(san);
    ERR_pop_to_mark();
    return names;
}

/* ---- idevid-issuer ---- */

static const char *name_text(brski_bytes_t der, apr_pool_t *pool)
{
    const unsigned char *at = der.data;
    X509_NAME *name;
    const char *text = NULL;
    char *made;

    ERR_set_mark();
    name = d2i_X509_NAME(NULL, &at, (long)der.len);
    if (name && X509_NAME_entry_count(name) && (made = brski_cert_name_text(name))) {
        text = apr_pstrdup(pool, made);
        free(made);
    }
    X509_NAME_free(name);
    ERR_pop_to_mark();
    return text;
}

/* authorityCertIssuer: the first directoryName among its GeneralNames. */
static const char *directory_name(brski_bytes_t names, apr_pool_t *pool)
{
    brski_der_t in = brski_der(names);
    brski_der_tlv_t name;

    while (!brski_der_end(&in) && !brski_der_next(&name, &in)) {
        if (name.tag == BRSKI_DER_CONTEXT(4)) {
            return name_text(name.value, pool);
        }
    }
    return NULL;
}

/* RFC 5280 4.2.1.1: AuthorityKeyIdentifier; 0 when it is none. */
static int parse_aki(const char **keyid, const char **name, brski_bytes_t sequence,
                     apr_pool_t *pool)
{
    brski_der_t in = brski_der(sequence), aki;
    brski_der_tlv_t key, issuer, serial;

    if (brski_der_enter(&aki, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)
        || brski_der_optional(&key, &aki, BRSKI_DER_CONTEXT_PRIMITIVE(0))
        || brski_der_optional(&issuer, &aki, BRSKI_DER_CONTEXT(1))
        || brski_der_optional(&serial, &aki, BRSKI_DER_CONTEXT_PRIMITIVE(2))
        || !brski_der_end(&aki)) {
        return 0;
    }
    if (key.value.len) {
        *keyid = brski_hex(key.value, pool);
    }
    else if (issuer.value.len) {
        *name = directory_name(issuer.value, pool);
    }
    return *keyid || *name;
}

/* Digests in use as key identifiers: RFC 5280 4.2.1.2 (20 and 8 octets), RFC 7093 (the others). */
static int is_keyid_length(apr_size_t len)
{
    return len == SHA1_LEN || len == 8 || len == 32 || len == 48 || len == 64;
}

void brski_idevid_issuer_parse(const char **keyid, const char **name, brski_bytes_t value,
                               apr_pool_t *pool)
{
    brski_der_t in = brski_der(value);
    brski_der_tlv_t inner;

    *keyid = *name = NULL;
    if (!brski_der_expect(&inner, &in, BRSKI_DER_OCTET_STRING) && brski_der_end(&in)) {
        if (parse_aki(keyid, name, inner.value, pool)) {
            return;
        }
        if (is_keyid_length(inner.value.len)) {
            *keyid = brski_hex(inner.value, pool);
            return;
        }
    }
    if (parse_aki(keyid, name, value, pool)) {
        return;
    }
    in = brski_der(value);
    if (!brski_der_expect(&inner, &in, BRSKI_DER_SEQUENCE) && brski_der_end(&in)
        && (*name = name_text(value, pool))) {
        return;
    }
    if (is_keyid_length(value.len)) {
        *keyid = brski_hex(value, pool);
    }
}

/* RFC 5280 4.2.1.2 method 1, of the certificate's own key. */
static brski_bytes_t key_sha1(const brski_cert_t *cert, apr_pool_t *pool)
{
    const brski_cert_full_t *full = brski_cert_full(cert);
    unsigned char *hash = apr_palloc(pool, SHA1_LEN);
    size_t len = SHA1_LEN;

    if (!EVP_Q_digest(NULL, "SHA1", NULL, full->key_bits.data, full->key_bits.len, hash, &len)) {
        return brski_bytes(NULL,
                           0); /* no SHA-1 in this process (FIPS without it): nothing to send */
    }
    return brski_bytes(hash, len);
}

brski_bytes_t brski_idevid_issuer_make(const brski_cert_t *idevid, apr_pool_t *pool)
{
    brski_bytes_t aki = idevid->aki, keyid;

    if (!aki.len) {
        keyid = key_sha1(idevid, pool);
        if (!keyid.len) {
            return keyid;
        }
        keyid = brski_der_make(BRSKI_DER_CONTEXT_PRIMITIVE(0), pool, 1, &keyid);
        aki = brski_der_make(BRSKI_DER_SEQUENCE, pool, 1, &keyid);
    }
    return brski_der_make(BRSKI_DER_OCTET_STRING, pool, 1, &aki);
}
