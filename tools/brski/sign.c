/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.c: signing well and badly, as sign.h says. What is well signed comes from the library; what
 * it refuses to make is put together here with OpenSSL's CMS.
 */
#include "sign.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"
#include "pki.h"

#define OID_ANIMA_JSON_VOUCHER "1.2.840.113549.1.9.16.1.40"
#define OID_DATA "1.2.840.113549.1.7.1"

/* ---- who ---- */

const brski_cert_t *identity_ee(const identity_t *identity)
{
    return APR_ARRAY_IDX(identity->certs, 0, const brski_cert_t *);
}

brski_err_t *identity_load(identity_t *out, const char *chain_file, const char *key_file,
                           apr_pool_t *pool)
{
    BRSKI_TRY(brski_cert_load(&out->certs, chain_file, pool));
    BRSKI_TRY(pki_key_load(&out->key, key_file, pool));
    if (out->certs->nelts == 0) {
        return say_refuse(pool, "%s holds no certificate.", brski_printable(chain_file, 200, pool));
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(identity_ee(out)->x509), out->key) != 1) {
        ERR_clear_error();
        return say_refuse(pool, "The key %s is not that of the first certificate of %s.",
                          brski_printable(key_file, 200, pool),
                          brski_printable(chain_file, 200, pool));
    }
    return BRSKI_OK;
}

/* ---- words ---- */

static const struct {
    const char *word;
    defect_t defect;
} defects[] = {
    { "none", DEFECT_NONE },
    { "signature", DEFECT_SIGNATURE },
    { "content", DEFECT_CONTENT },
    { "detached", DEFECT_DETACHED },
    { "no-attributes", DEFECT_NO_ATTRIBUTES },
    { "two-signers", DEFECT_TWO_SIGNERS },
    { "no-signer", DEFECT_NO_SIGNER },
    { "no-certificates", DEFECT_NO_CERTIFICATES },
    { "sha1", DEFECT_SHA1 },
    { "empty", DEFECT_EMPTY },
    { "other-key", DEFECT_OTHER_KEY },
    { "trailing", DEFECT_TRAILING },
    { "truncated", DEFECT_TRUNCATED },
};

#define DEFECTS (sizeof(defects) / sizeof(defects[0]))

brski_err_t *defect_parse(defect_t *out, const char *word, apr_pool_t *pool)
{
    const char *all = "";
    size_t i;

    *out = DEFECT_NONE;
    for (i = 0; word && i < DEFECTS; i++) {
        if (strcmp(word, defects[i].word) == 0) {
            *out = defects[i].defect;
            return BRSKI_OK;
        }
        all = apr_pstrcat(pool, all, i ? ", " : "", defects[i].word, NULL);
    }
    return word ? say_refuse(pool, "There is no defect %s; there are %s.",
                             brski_printable(word, 40, pool), all)
                : BRSKI_OK;
}

brski_err_t *econtent_parse(brski_econtent_t *out, const char *word, apr_pool_t *pool)
{
    *out = BRSKI_ECONTENT_ANIMA_JSON;
    if (word && strcmp(word, "data") == 0) {
        *out = BRSKI_ECONTENT_DATA;
    }
    else if (word && strcmp(word, "anima") != 0) {
        return say_refuse(pool,
                          "--econtent is anima (RFC 8366) or data (what most software writes).");
    }
    return BRSKI_OK;
}

/* ---- what the library would not make ---- */

static unsigned int cms_flags(defect_t defect)
{
    unsigned int flags = CMS_PARTIAL | CMS_BINARY;

    return defect == DEFECT_DETACHED ? flags | CMS_DETACHED : flags;
}

static int add_signer_with(CMS_ContentInfo *cms, const signing_t *s, X509 *cert, EVP_PKEY *key,
                           unsigned int more)
{
    unsigned int flags = CMS_NOSMIMECAP | more;

    if (s->defect == DEFECT_NO_ATTRIBUTES) {
        flags |= CMS_NOATTR;
    }
    if (s->defect == DEFECT_NO_CERTIFICATES) {
        flags |= CMS_NOCERTS;
    }
    return CMS_add1_signer(cms, cert, key, s->defect == DEFECT_SHA1 ? EVP_sha1() : EVP_sha256(),
                           flags) != NULL;
}

/* The thief of a certificate has no key of it: a copy with the thief's key names the same signer.
 */
static int add_impostor(CMS_ContentInfo *cms, const signing_t *s)
{
    X509 *real = identity_ee(&s->who)->x509, *copy = X509_dup(real);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    int ok = copy && key && X509_set_pubkey(copy, key)
             && add_signer_with(cms, s, copy, key, CMS_NOCERTS) && CMS_add1_cert(cms, real);

    X509_free(copy);
    EVP_PKEY_free(key);
    return ok;
}

static int add_signer(CMS_ContentInfo *cms, const signing_t *s, unsigned int more)
{
    return s->defect == DEFECT_OTHER_KEY
               ? add_impostor(cms, s)
               : add_signer_with(cms, s, identity_ee(&s->who)->x509, s->who.key, more);
}

static int add_certificates(CMS_ContentInfo *cms, const signing_t *s)
{
    int i, ok = 1;

    for (i = 1; ok && !s->ee_only && i < s->who.certs->nelts; i++) {
        ok = CMS_add1_cert(cms, APR_ARRAY_IDX(s->who.certs, i, const brski_cert_t *)->x509);
    }
    return ok;
}

static int set_type(CMS_ContentInfo *cms, const signing_t *s)
{
    ASN1_OBJECT *type =
        OBJ_txt2obj(s->econtent == BRSKI_ECONTENT_DATA ? OID_DATA : OID_ANIMA_JSON_VOUCHER, 1);
    int ok = type && CMS_set1_eContentType(cms, type);

    ASN1_OBJECT_free(type);
    return ok;
}

static int build(CMS_ContentInfo *cms, brski_bytes_t content, const signing_t *s)
{
    BIO *in = BIO_new_mem_buf(content.data ? content.data : (const void *)"", (int)content.len);
    int ok = in && set_type(cms, s) && add_signer(cms, s, 0)
             && (s->defect != DEFECT_TWO_SIGNERS || add_signer(cms, s, CMS_NOCERTS))
             && add_certificates(cms, s) && CMS_final(cms, in, NULL, cms_flags(s->defect));

    BIO_free(in);
    return ok;
}

/* OpenSSL signs only with a signer: without one it is taken out for the time of encoding. */
static int encode(unsigned char **der, CMS_ContentInfo *cms, defect_t defect)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    CMS_SignerInfo *out = defect == DEFECT_NO_SIGNER ? sk_CMS_SignerInfo_pop(signers) : NULL;
    int len = i2d_CMS_ContentInfo(cms, der);

    if (out) {
        sk_CMS_SignerInfo_push(signers, out);
    }
    return len;
}

static brski_err_t *sign_badly(brski_bytes_t *out, brski_bytes_t content, const signing_t *s,
                               apr_pool_t *pool)
{
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, cms_flags(s->defect));
    unsigned char *der = NULL;
    int len = cms && build(cms, content, s) ? encode(&der, cms, s->defect) : 0;

    CMS_ContentInfo_free(cms);
    if (len <= 0) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "making a CMS message");
    }
    *out = brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);
    OPENSSL_free(der);
    return BRSKI_OK;
}

/* ---- what is spoilt afterwards ---- */

/* The signature is the last thing in the message: without unsigned attributes nothing follows it.
 */
static brski_err_t *turn_bit(brski_bytes_t *message, brski_bytes_t part, apr_pool_t *pool)
{
    unsigned char *data = (unsigned char *)message->data;
    apr_size_t at = message->len - 1;

    if (part.len > 0) {
        for (at = 0; at + part.len <= message->len && memcmp(data + at, part.data, part.len);
             at++) {
        }
        if (at + part.len > message->len) {
            return brski_err(BRSKI_E_INTERNAL, NULL, pool, "the content is not in the message");
        }
        /* of a letter or digit that stays one, so that JSON and base64 still are what they were */
        for (at += part.len / 2; at + 1 < message->len
             && !(apr_isalnum(data[at]) && apr_isalnum(data[at] ^ 1)); at++) {
        }
    }
    data[at] ^= 1;
    return BRSKI_OK;
}

static brski_err_t *spoil(brski_bytes_t *message, brski_bytes_t content, defect_t defect,
                          apr_pool_t *pool)
{
    brski_bytes_t longer;

    switch (defect) {
    case DEFECT_SIGNATURE:
        return turn_bit(message, brski_bytes(NULL, 0), pool);
    case DEFECT_CONTENT:
        return turn_bit(message, content, pool);
    case DEFECT_TRAILING:
        longer = brski_bytes(apr_pstrmemdup(pool, (const char *)message->data, message->len),
                             message->len + 1);
        *message = longer;        /* apr_pstrmemdup() put a zero octet there */
        return BRSKI_OK;
    case DEFECT_TRUNCATED:
        message->len--;
        return BRSKI_OK;
    default:
        return BRSKI_OK;
    }
}

static apr_array_header_t *included(const signing_t *s, apr_pool_t *pool)
{
    apr_array_header_t *ee;

    if (!s->ee_only) {
        return s->who.certs;
    }
    ee = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    APR_ARRAY_PUSH(ee, const brski_cert_t *) = identity_ee(&s->who);
    return ee;
}

brski_err_t *sign_content(brski_bytes_t *out, brski_bytes_t content, const signing_t *s,
                          apr_pool_t *pool)
{
    switch (s->defect) {
    case DEFECT_NONE:
    case DEFECT_SIGNATURE:
    case DEFECT_CONTENT:
    case DEFECT_TRAILING:
    case DEFECT_TRUNCATED:
        BRSKI_TRY(brski_cms_sign(out, content, s->econtent, included(s, pool), s->who.key, s->at,
                                 pool, pool));
        break;
    case DEFECT_EMPTY:
        BRSKI_TRY(sign_badly(out, brski_bytes("", 0), s, pool));
        break;
    default:
        BRSKI_TRY(sign_badly(out, content, s, pool));
    }
    return spoil(out, content, s->defect, pool);
}
