/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cms.c: reading CMS SignedData. RFC 5652 sections 3 to 5 and 11, cut by the strict reader of
 * DER; the certificates go through the cache, the signature is one call of EVP. OpenSSL's own CMS
 * would parse every certificate again and take BER, several signers and absent attributes, all of
 * which RFC 8366 section 5.4 does not.
 */
#include "brski_cms.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_cms_alg.h"
#include "brski_der.h"
#include "brski_err.h"

#define SIGNED_DATA_VERSION_MAX 5
#define SIGNER_INFO_VERSION_MAX 3

/* The one SignerInfo, RFC 5652 5.3; all point into the message. */
typedef struct signer_info_t {
    brski_bytes_t content_oid; /* eContentType */
    brski_bytes_t issuer; /* Name and INTEGER, or len 0 */
    brski_bytes_t serial;
    brski_bytes_t ski; /* or this */
    brski_bytes_t digest_algorithm;
    brski_bytes_t signed_attrs; /* [0] with its header, or len 0 */
    brski_bytes_t signature_algorithm;
    brski_bytes_t signature;
} signer_info_t;

/* RFC 5652 5.4 and 11: what the signed attributes say. */
typedef struct attributes_t {
    int content_types;
    int message_digests;
    brski_bytes_t content_type;
    brski_bytes_t message_digest;
    apr_time_t signing_time;
} attributes_t;

static brski_err_t *not_cms(const char *what, const char *why, apr_pool_t *pool)
{
    return brski_err_say(
        brski_err(BRSKI_E_CMS, NULL, pool, "%s %s", what, why), pool,
        "The body is not a DER-encoded CMS SignedData with attached content and one signer: "
        "%s %s.",
        what, why);
}

/* ---- taking apart ---- */

static brski_err_t *enter_signed_data(brski_der_t *signed_data, brski_bytes_t der, apr_pool_t *pool)
{
    brski_der_t in = brski_der(der), content_info, explicit_;
    brski_der_tlv_t oid;
    const char *why;

    if ((why = brski_der_enter(&content_info, &in, BRSKI_DER_SEQUENCE))) {
        return not_cms("the message", why, pool);
    }
    if (!brski_der_end(&in)) {
        return not_cms("the message", "is followed by more octets", pool);
    }
    if ((why = brski_der_expect(&oid, &content_info, BRSKI_DER_OID))) {
        return not_cms("its content type", why, pool);
    }
    if (!brski_bytes_equal(oid.value, brski_oid_signed_data)) {
        return not_cms("its content type", "is not SignedData", pool);
    }
    if ((why = brski_der_enter(&explicit_, &content_info, BRSKI_DER_CONTEXT(0)))
        || (why = brski_der_enter(signed_data, &explicit_, BRSKI_DER_SEQUENCE))) {
        return not_cms("SignedData", why, pool);
    }
    if (!brski_der_end(&content_info) || !brski_der_end(&explicit_)) {
        return not_cms("SignedData", "is followed by more octets", pool);
    }
    return BRSKI_OK;
}

static brski_econtent_t econtent_of(brski_bytes_t oid)
{
    return brski_bytes_equal(oid, brski_oid_anima_json) ? BRSKI_ECONTENT_ANIMA_JSON
           : brski_bytes_equal(oid, brski_oid_data)     ? BRSKI_ECONTENT_DATA
                                                        : BRSKI_ECONTENT_OTHER;
}

/* EncapsulatedContentInfo, RFC 5652 5.2 */
static brski_err_t *read_content(brski_cms_t *cms, signer_info_t *info, brski_der_t *signed_data,
                                 apr_pool_t *pool)
{
    brski_der_t encap, explicit_;
    brski_der_tlv_t oid, content;
    const char *why;

    if ((why = brski_der_enter(&encap, signed_data, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&oid, &encap, BRSKI_DER_OID))) {
        return not_cms("encapContentInfo", why, pool);
    }
    cms->econtent = econtent_of(oid.value);
    info->content_oid = oid.value;
    if (cms->econtent == BRSKI_ECONTENT_OTHER) {
        return not_cms("eContentType", "is neither id-ct-animaJSONVoucher nor id-data", pool);
    }
    if (brski_der_end(&encap)) {
        return not_cms("the content", "is detached", pool);
    }
    if ((why = brski_der_enter(&explicit_, &encap, BRSKI_DER_CONTEXT(0)))
        || (why = brski_der_expect(&content, &explicit_, BRSKI_DER_OCTET_STRING))) {
        return not_cms("eContent", why, pool);
    }
    if (!brski_der_end(&explicit_) || !brski_der_end(&encap)) {
        return not_cms("eContent", "is followed by more octets", pool);
    }
    if (!content.value.len) {
        return not_cms("the content", "is empty", pool);
    }
    cms->content = content.value;
    return BRSKI_OK;
}

static brski_err_t *too_many(int max, apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_LIMIT, NULL, pool, "over %d certificates", max), pool,
                         "The request contains more than %d certificates.", max);
}

/* CertificateSet, RFC 5652 10.2.3: other kinds than X.509 certificates are of no use here. */
static brski_err_t *read_certificates(brski_cms_t *cms, brski_bytes_t set,
                                      const brski_limits_t *limits, brski_cert_cache_t *cache,
                                      apr_pool_t *pool)
{
    brski_der_t in = brski_der(set);
    brski_der_tlv_t choice;
    const brski_cert_t *cert;
    const char *why;
    int n;

    for (n = 0; !brski_der_end(&in); n++) {
        if (n == limits->certificates) {
            return too_many(limits->certificates, pool);
        }
        if ((why = brski_der_next(&choice, &in))) {
            return not_cms("the certificates", why, pool);
        }
        if (choice.tag == BRSKI_DER_SEQUENCE) {
            BRSKI_TRY(brski_cert_parse(&cert, choice.whole, limits, cache, pool));
            APR_ARRAY_PUSH(cms->certs, const brski_cert_t *) = cert;
        }
    }
    return BRSKI_OK;
}

/* SignerIdentifier, RFC 5652 5.3 */
static const char *read_sid(signer_info_t *info, brski_der_t *in)
{
    brski_der_tlv_t sid, issuer, serial;
    brski_der_t inner;
    const char *why;

    if ((why = brski_der_next(&sid, in))) {
        return why;
    }
    if (sid.tag == BRSKI_DER_CONTEXT_PRIMITIVE(0)) {
        info->ski = sid.value;
        return sid.value.len ? NULL : "names nobody";
    }
    if (sid.tag != BRSKI_DER_SEQUENCE) {
        return "names its signer in an unknown way";
    }
    inner = brski_der(sid.value);
    if ((why = brski_der_expect(&issuer, &inner, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&serial, &inner, BRSKI_DER_INTEGER))) {
        return why;
    }
    info->issuer = issuer.whole;
    info->serial = serial.whole;
    return brski_der_end(&inner) ? NULL : "has another structure";
}

/* CMSVersion, RFC 5652 10.2.5; which one goes with what else is written wrongly too often. */
static const char *read_version(brski_der_t *in, int max)
{
    brski_der_tlv_t version;
    const char *why = brski_der_expect(&version, in, BRSKI_DER_INTEGER);

    if (why) {
        return why;
    }
    return version.value.len == 1 && version.value.data[0] >= 1 && version.value.data[0] <= max
               ? NULL
               : "has an unknown version";
}

static const char *read_signer_info(signer_info_t *info, brski_der_t *in)
{
    brski_der_t si;
    brski_der_tlv_t digest, attrs, algorithm, signature, unsigned_attrs;
    const char *why;

    if ((why = brski_der_enter(&si, in, BRSKI_DER_SEQUENCE))
        || (why = read_version(&si, SIGNER_INFO_VERSION_MAX)) || (why = read_sid(info, &si))
        || (why = brski_der_expect(&digest, &si, BRSKI_DER_SEQUENCE))
        || (why = brski_der_optional(&attrs, &si, BRSKI_DER_CONTEXT(0)))
        || (why = brski_der_expect(&algorithm, &si, BRSKI_DER_SEQUENCE))
        || (why = brski_der_expect(&signature, &si, BRSKI_DER_OCTET_STRING))
        || (why = brski_der_optional(&unsigned_attrs, &si, BRSKI_DER_CONTEXT(1)))) {
        return why;
    }
    info->digest_algorithm = digest.value;
    info->signed_attrs = attrs.whole;
    info->signature_algorithm = algorithm.value;
    info->signature = signature.value;
    return brski_der_end(&si) ? NULL : "has another structure";
}

static brski_err_t *read_signer_infos(signer_info_t *info, brski_der_t *signed_data,
                                      apr_pool_t *pool)
{
    brski_der_t infos;
    const char *why;

    if ((why = brski_der_enter(&infos, signed_data, BRSKI_DER_SET))) {
        return not_cms("signerInfos", why, pool);
    }
    if (!brski_der_end(signed_data)) {
        return not_cms("SignedData", "is followed by more octets", pool);
    }
    if (brski_der_end(&infos)) {
        return not_cms("it", "has no signer", pool);
    }
    if ((why = read_signer_info(info, &infos))) {
        return not_cms("SignerInfo", why, pool);
    }
    return brski_der_end(&infos) ? BRSKI_OK : not_cms("it", "has more than one signer", pool);
}

/* ---- who signed ---- */

static int same_name(brski_bytes_t der, const brski_cert_t *cert)
{
    const unsigned char *at = der.data;
    X509_NAME *name;
    int same;

    if (brski_bytes_equal(der, brski_cert_full(cert)->issuer_der)) {
        return 1;
    }
    /* RFC 5280 7.1: one name may be written in several ways */
    ERR_set_mark();
    name = d2i_X509_NAME(NULL, &at, (long)der.len);
    same = name && !X509_NAME_cmp(name, X509_get_issuer_name(cert->x509));
    X509_NAME_free(name);
    ERR_pop_to_mark();
    return same;
}

static int is_signer(const signer_info_t *info, const brski_cert_t *cert)
{
    if (info->ski.len) {
        return brski_bytes_equal(info->ski, cert->ski);
    }
    return brski_bytes_equal(info->serial, brski_cert_full(cert)->serial_der)
           && same_name(info->issuer, cert);
}

static const brski_cert_t *find_signer(const signer_info_t *info, const apr_array_header_t *certs)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (is_signer(info, APR_ARRAY_IDX(certs, i, const brski_cert_t *))) {
            return APR_ARRAY_IDX(certs, i, const brski_cert_t *);
        }
    }
    return NULL;
}

/* ---- signed attributes ---- */

static apr_time_t attribute_time(brski_der_tlv_t value)
{
    const unsigned char *at = value.whole.data;
    ASN1_TIME *time = NULL;
    apr_time_t t = 0;

    ERR_set_mark();
    if ((value.tag == BRSKI_DER_UTC_TIME || value.tag == BRSKI_DER_GENERALIZED_TIME)
        && (time = d2i_ASN1_TIME(NULL, &at, (long)value.whole.len))) {
        t = brski_cert_time(time);
    }
    ASN1_TIME_free(time);
    ERR_pop_to_mark();
    return t;
}

static void note_attribute(attributes_t *a, brski_bytes_t oid, brski_der_tlv_t value)
{
    if (brski_bytes_equal(oid, brski_oid_content_type)) {
        a->content_types++;
        a->content_type = value.tag == BRSKI_DER_OID ? value.value : brski_bytes(NULL, 0);
    }
    else if (brski_bytes_equal(oid, brski_oid_message_digest)) {
        a->message_digests++;
        a->message_digest =
            value.tag == BRSKI_DER_OCTET_STRING ? value.value : brski_bytes(NULL, 0);
    }
    else if (brski_bytes_equal(oid, brski_oid_signing_time)) {
        a->signing_time = attribute_time(value);
    }
}

/*
 * 0 when they are not DER. Of the ones that we know, RFC 5652 11 wants a single value: another
 * counts as a repetition.
 */
static int read_attributes(attributes_t *a, brski_bytes_t signed_attrs)
{
    brski_der_t in = brski_der(signed_attrs), attrs, attr, values;
    brski_der_tlv_t oid, value;

    memset(a, 0, sizeof(*a));
    if (brski_der_enter(&attrs, &in, BRSKI_DER_CONTEXT(0))) {
        return 0;
    }
    while (!brski_der_end(&attrs)) {
        if (brski_der_enter(&attr, &attrs, BRSKI_DER_SEQUENCE)
            || brski_der_expect(&oid, &attr, BRSKI_DER_OID)
            || brski_der_enter(&values, &attr, BRSKI_DER_SET) || !brski_der_end(&attr)) {
            return 0;
        }
        while (!brski_der_end(&values)) {
            if (brski_der_next(&value, &values)) {
                return 0;
            }
            note_attribute(a, oid.value, value);
        }
    }
    return 1;
}

brski_err_t *brski_cms_parse(brski_cms_t **out, brski_bytes_t der, const brski_limits_t *limits,
                             brski_cert_cache_t *cache, apr_pool_t *pool)
{
    brski_cms_t *cms = apr_pcalloc(pool, sizeof(*cms));
    signer_info_t *info = apr_pcalloc(pool, sizeof(*info));
    brski_der_t signed_data;
    brski_der_tlv_t digests, certs, crls;
    attributes_t attributes;
    const char *why;

    *out = NULL;
    cms->native = info;
    cms->certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    BRSKI_TRY(enter_signed_data(&signed_data, der, pool));
    if ((why = read_version(&signed_data, SIGNED_DATA_VERSION_MAX))
        || (why = brski_der_expect(&digests, &signed_data, BRSKI_DER_SET))) {
        return not_cms("SignedData", why, pool);
    }
    BRSKI_TRY(read_content(cms, info, &signed_data, pool));
    if ((why = brski_der_optional(&certs, &signed_data, BRSKI_DER_CONTEXT(0)))
        || (why = brski_der_optional(&crls, &signed_data, BRSKI_DER_CONTEXT(1)))) {
        return not_cms("SignedData", why, pool);
    }
    BRSKI_TRY(read_signer_infos(info, &signed_data, pool));
    BRSKI_TRY(read_certificates(cms, certs.value, limits, cache, pool));
    cms->signer = find_signer(info, cms->certs);
    if (info->signed_attrs.len && read_attributes(&attributes, info->signed_attrs)) {
        cms->signing_time = attributes.signing_time;
    }
    *out = cms;
    return BRSKI_OK;
}

/* ---- verifying ---- */

static brski_err_t *bad_attributes(const char *why, apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_SIGNED_ATTRS, NULL, pool, "%s", why), pool,
                         "The signed attributes of the CMS are not right: %s.", why);
}

static brski_err_t *check_attributes(attributes_t *a, const signer_info_t *info, apr_pool_t *pool)
{
    if (!info->signed_attrs.len) {
        return bad_attributes("there are none", pool);
    }
    if (!read_attributes(a, info->signed_attrs)) {
        return bad_attributes("they are not DER", pool);
    }
    if (a->content_types != 1 || a->message_digests != 1) {
        return bad_attributes("contentType and messageDigest must be there, once", pool);
    }
    if (!brski_bytes_equal(a->content_type, info->content_oid)) {
        return bad_attributes("contentType is not the eContentType", pool);
    }
    return BRSKI_OK;
}

static brski_err_t *bad_algorithm(const char *why, apr_pool_t *pool)
{
    return brski_err_say(
        brski_err(BRSKI_E_ALGORITHM, NULL, pool, "signature %s", why), pool,
        "The signature %s; use SHA-256 or better with ECDSA P-256 or better or RSA of 2048 bits "
        "or more.",
        why);
}

static brski_err_t *check_algorithm(brski_cms_scheme_t *scheme, const signer_info_t *info,
                                    const brski_cert_t *signer, apr_pool_t *pool)
{
    const brski_cms_digest_t *digest = brski_cms_digest_find(info->digest_algorithm);
    const char *why;

    if (!digest) {
        return bad_algorithm("uses a digest that is not allowed", pool);
    }
    if ((why = brski_cms_scheme_find(scheme, info->signature_algorithm, digest))) {
        return bad_algorithm(why, pool);
    }
    if (signer->weak_key) {
        return bad_algorithm("is made with a key that is too weak or of a type that is not allowed",
                             pool);
    }
    if (!EVP_PKEY_is_a(signer->key, scheme->key_type)
        && !(scheme->other_key_type && EVP_PKEY_is_a(signer->key, scheme->other_key_type))) {
        return bad_algorithm("uses an algorithm that is not one of the signer's key", pool);
    }
    return BRSKI_OK;
}

/* RFC 5652 5.4: what is signed are the attributes with the tag of a SET OF instead of [0]. */
static int signature_is_good(const signer_info_t *info, const brski_cms_scheme_t *scheme,
                             const brski_cert_t *signer, apr_pool_t *pool)
{
    brski_bytes_t attrs = brski_bytes_dup(info->signed_attrs, pool);
    const char *digest = scheme->pure ? NULL : scheme->digest->name;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx;
    int good;

    *(unsigned char *)attrs.data = BRSKI_DER_SET;
    good =
        ctx
        && EVP_DigestVerifyInit_ex(ctx, &key_ctx, digest, brski_cert_full(signer)->libctx, NULL,
                                   signer->key, NULL)
               == 1
        && brski_cms_scheme_setup(key_ctx, scheme)
        && EVP_DigestVerify(ctx, info->signature.data, info->signature.len, attrs.data, attrs.len)
               == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static brski_err_t *bad_signature(const char *why, apr_pool_t *pool)
{
    return brski_err_openssl(BRSKI_E_SIGNATURE, NULL, pool, "%s", why);
}

brski_err_t *brski_cms_verify(const brski_cms_t *cms, apr_pool_t *scratch_pool)
{
    const signer_info_t *info = cms->native;
    const brski_cert_t *signer = cms->signer;
    unsigned char hash[EVP_MAX_MD_SIZE];
    brski_cms_scheme_t scheme;
    attributes_t attributes;

    if (!signer) {
        return brski_err_say(
            brski_err(BRSKI_E_CHAIN, NULL, scratch_pool, "no certificate of the signer"),
            scratch_pool, "The request does not contain the certificate of its signer.");
    }
    BRSKI_TRY(check_attributes(&attributes, info, scratch_pool));
    BRSKI_TRY(check_algorithm(&scheme, info, signer, scratch_pool));
    if (!brski_cms_digest(hash, scheme.digest, cms->content, brski_cert_full(signer)->libctx)) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, scratch_pool, "%s", scheme.digest->name);
    }
    if (!brski_bytes_equal(attributes.message_digest, brski_bytes(hash, scheme.digest->len))) {
        return bad_signature("messageDigest is not the content's", scratch_pool);
    }
    if (!signature_is_good(info, &scheme, signer, scratch_pool)) {
        return bad_signature("the signature is not one of the signer's key", scratch_pool);
    }
    return BRSKI_OK;
}
