/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr.c: cuts a certification request (RFC 2986) into its pieces, strictly, and lets
 * brski_csr_key.c judge its key and its signature. What stands in it twice, or in a way that two
 * readers could read differently, is refused.
 */
#include "brski_csr_key.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_der.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define ATTRIBUTES_MAX 32
#define EXTENSIONS_MAX 32
#define SUBJECT_MAX_OCTETS 4096
/* RFC 2985 5.4.1: pkcs-9-ub-challengePassword */
#define CHALLENGE_MAX 255

#define EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define EXTENSION_REQUEST_MICROSOFT "1.3.6.1.4.1.311.2.1.14"
#define CHALLENGE_PASSWORD "1.2.840.113549.1.9.7"
#define CHANGE_SUBJECT_NAME "1.3.6.1.5.5.7.7.36"
#define SUBJECT_ALT_NAME "2.5.29.17"

/* A request being read. */
typedef struct reading_t {
    brski_csr_t *csr;
    apr_array_header_t *seen; /* const char *: types of attributes */
    int has_extensions;
    apr_pool_t *pool;
    apr_pool_t *scratch_pool;
} reading_t;

static brski_err_t *broken(const char *why, apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_CSR, NULL, pool, "PKCS#10: %s", why), pool,
                         "The body is not a PKCS#10 certification request that can be read: it %s.",
                         why);
}

/* why: as brski_der.h says it, or NULL. */
#define CUT(expr, pool)                                                                            \
    do {                                                                                           \
        const char *cut_why_ = (expr);                                                             \
        if (cut_why_)                                                                              \
            return broken(cut_why_, pool);                                                         \
    } while (0)

/* ---- attributes ---- */

static int is_there(const apr_array_header_t *texts, const char *text)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(texts, i, const char *), text)) {
            return 1;
        }
    }
    return 0;
}

static brski_err_t *read_oid(const char **text, brski_der_t *in, apr_pool_t *pool)
{
    brski_der_tlv_t oid;

    CUT(brski_der_expect(&oid, in, BRSKI_DER_OID), pool);
    *text = brski_der_oid_text(oid.value, pool);
    return *text ? BRSKI_OK : broken("has an object identifier that cannot be read", pool);
}

/* DEFAULT FALSE that is written out is no DER, but says what it says. */
static brski_err_t *read_critical(int *critical, brski_der_t *in, apr_pool_t *pool)
{
    brski_der_tlv_t value;

    CUT(brski_der_optional(&value, in, BRSKI_DER_BOOLEAN), pool);
    *critical = value.value.len == 1 && *value.value.data == 0xFF;
    if (value.tag && (value.value.len != 1 || (*value.value.data && !*critical))) {
        return broken("has an extension whose criticality cannot be read", pool);
    }
    return BRSKI_OK;
}

static int has_extension(const apr_array_header_t *extensions, const char *oid)
{
    int i;

    for (i = 0; i < extensions->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(extensions, i, brski_csr_extension_t *)->oid, oid)) {
            return 1;
        }
    }
    return 0;
}

/* RFC 5280 4.1. */
static brski_err_t *read_extension(brski_csr_extension_t *extension, brski_der_t *in,
                                   apr_pool_t *pool)
{
    brski_der_t fields;
    brski_der_tlv_t value;

    CUT(brski_der_enter(&fields, in, BRSKI_DER_SEQUENCE), pool);
    BRSKI_TRY(read_oid(&extension->oid, &fields, pool));
    BRSKI_TRY(read_critical(&extension->critical, &fields, pool));
    CUT(brski_der_expect(&value, &fields, BRSKI_DER_OCTET_STRING), pool);
    extension->value = value.value;
    return brski_der_end(&fields) ? BRSKI_OK
                                  : broken("has an extension with more than belongs there", pool);
}

brski_err_t *brski_csr_extensions_read(apr_array_header_t *extensions, brski_der_t in,
                                       apr_pool_t *pool)
{
    while (!brski_der_end(&in)) {
        brski_csr_extension_t *extension = apr_pcalloc(pool, sizeof(*extension));

        BRSKI_TRY(read_extension(extension, &in, pool));
        if (has_extension(extensions, extension->oid)) {
            return broken(apr_psprintf(pool, "asks for the extension %s twice", extension->oid),
                          pool);
        }
        if (extensions->nelts == EXTENSIONS_MAX) {
            return broken("asks for too many extensions", pool);
        }
        APR_ARRAY_PUSH(extensions, brski_csr_extension_t *) = extension;
    }
    return BRSKI_OK;
}

/* RFC 2985 5.4.2, and Microsoft's name for it. */
static brski_err_t *note_extensions(reading_t *r, const brski_der_tlv_t *value)
{
    int i;

    if (r->has_extensions) {
        return broken("has two requests for extensions", r->pool);
    }
    r->has_extensions = 1;
    if (value->tag != BRSKI_DER_SEQUENCE) {
        return broken("has a request for extensions that is none", r->pool);
    }
    BRSKI_TRY(brski_csr_extensions_read(r->csr->extensions, brski_der(value->value), r->pool));
    for (i = 0; i < r->csr->extensions->nelts; i++) {
        brski_csr_extension_t *e = APR_ARRAY_IDX(r->csr->extensions, i, brski_csr_extension_t *);

        if (!strcmp(e->oid, SUBJECT_ALT_NAME)) {
            r->csr->san = e->value;
        }
    }
    return BRSKI_OK;
}

/* BMPString and UniversalString: width octets a character, of which only ASCII is of use here. */
static brski_bytes_t narrow(brski_bytes_t wide, apr_size_t width, apr_pool_t *pool)
{
    unsigned char *text = apr_pcalloc(pool, wide.len / width + 1);
    apr_size_t i;

    if (wide.len % width) {
        return brski_bytes(NULL, 0);
    }
    for (i = 0; i < wide.len; i++) {
        if (i % width == width - 1 ? wide.data[i] >= 0x80 : wide.data[i]) {
            return brski_bytes(NULL, 0);
        }
        text[i / width] = wide.data[i];
    }
    return brski_bytes(text, wide.len / width);
}

/* RFC 2985 5.4.1: a DirectoryString; IA5String is what some write. */
static brski_err_t *note_challenge(reading_t *r, const brski_der_tlv_t *value)
{
    brski_bytes_t text = value->value;

    switch (value->tag) {
    case BRSKI_DER_UTF8_STRING:
    case BRSKI_DER_PRINTABLE_STRING:
    case BRSKI_DER_TELETEX_STRING:
    case BRSKI_DER_IA5_STRING:
        break;
    case BRSKI_DER_BMP_STRING:
        text = narrow(text, 2, r->scratch_pool);
        break;
    case BRSKI_DER_UNIVERSAL_STRING:
        text = narrow(text, 4, r->scratch_pool);
        break;
    default:
        text.len = 0;
    }
    if (!text.len || text.len > CHALLENGE_MAX || memchr(text.data, 0, text.len)) {
        return broken("has a challengePassword that cannot be read", r->pool);
    }
    r->csr->challenge_password = apr_pstrmemdup(r->pool, (const char *)text.data, text.len);
    return BRSKI_OK;
}

static brski_err_t *note_attribute(reading_t *r, const char *type, const brski_der_tlv_t *value)
{
    if (!strcmp(type, EXTENSION_REQUEST) || !strcmp(type, EXTENSION_REQUEST_MICROSOFT)) {
        return note_extensions(r, value);
    }
    if (!strcmp(type, CHALLENGE_PASSWORD)) {
        return note_challenge(r, value);
    }
    r->csr->change_subject = value->whole;
    return BRSKI_OK;
}

static int is_ours(const char *type)
{
    return !strcmp(type, EXTENSION_REQUEST) || !strcmp(type, EXTENSION_REQUEST_MICROSOFT)
           || !strcmp(type, CHALLENGE_PASSWORD) || !strcmp(type, CHANGE_SUBJECT_NAME);
}

static brski_err_t *read_attribute(reading_t *r, brski_der_t *in)
{
    brski_der_t attribute, values;
    brski_der_tlv_t value;
    const char *type;

    CUT(brski_der_enter(&attribute, in, BRSKI_DER_SEQUENCE), r->pool);
    BRSKI_TRY(read_oid(&type, &attribute, r->pool));
    CUT(brski_der_enter(&values, &attribute, BRSKI_DER_SET), r->pool);
    if (!brski_der_end(&attribute)) {
        return broken("has an attribute with more than belongs there", r->pool);
    }
    if (is_there(r->seen, type)) {
        return broken(apr_psprintf(r->pool, "has the attribute %s twice", type), r->pool);
    }
    if (r->seen->nelts == ATTRIBUTES_MAX) {
        return broken("has too many attributes", r->pool);
    }
    APR_ARRAY_PUSH(r->seen, const char *) = type;
    if (!is_ours(type)) {
        APR_ARRAY_PUSH(r->csr->other, const char *) = type;
        return BRSKI_OK;
    }
    CUT(brski_der_next(&value, &values), r->pool);
    if (!brski_der_end(&values)) {
        return broken(apr_psprintf(r->pool, "has the attribute %s with two values", type), r->pool);
    }
    return note_attribute(r, type, &value);
}

/* ---- the request ---- */

const char *brski_csr_name_text(brski_bytes_t der, apr_pool_t *pool)
{
    const unsigned char *at = der.data;
    X509_NAME *name;
    const char *text = NULL;
    char *made;

    ERR_set_mark();
    name = d2i_X509_NAME(NULL, &at, (long)der.len);
    if (name && (made = brski_cert_name_text(name))) {
        text = apr_pstrdup(pool, made);
        free(made);
    }
    X509_NAME_free(name);
    ERR_pop_to_mark();
    return text;
}

/* RFC 5280 4.1.2.4: sets of at least one type with a value; OpenSSL takes empty ones. */
static int is_name(brski_bytes_t content)
{
    brski_der_t in = brski_der(content), rdn, attribute;
    brski_der_tlv_t piece;

    while (!brski_der_end(&in)) {
        if (brski_der_enter(&rdn, &in, BRSKI_DER_SET) || brski_der_end(&rdn)) {
            return 0;
        }
        while (!brski_der_end(&rdn)) {
            if (brski_der_enter(&attribute, &rdn, BRSKI_DER_SEQUENCE)
                || brski_der_expect(&piece, &attribute, BRSKI_DER_OID)
                || brski_der_next(&piece, &attribute) || !brski_der_end(&attribute)) {
                return 0;
            }
        }
    }
    return 1;
}

static brski_err_t *note_subject(reading_t *r, const brski_der_tlv_t *subject)
{
    if (subject->whole.len > SUBJECT_MAX_OCTETS) {
        return broken("has a subject that is too long", r->pool);
    }
    r->csr->subject = subject->whole;
    if (is_name(subject->value)) {
        r->csr->subject_text = brski_csr_name_text(subject->whole, r->pool);
    }
    return r->csr->subject_text ? BRSKI_OK : broken("has a subject that is no name", r->pool);
}

/* CertificationRequestInfo. OpenSSL's leaves empty attributes out where RFC 2986 has them. */
static brski_err_t *read_info(reading_t *r, brski_bytes_t info)
{
    brski_der_t in = brski_der(info), attributes;
    brski_der_tlv_t version, subject, spki, list;

    CUT(brski_der_expect(&version, &in, BRSKI_DER_INTEGER), r->pool);
    if (version.value.len != 1 || *version.value.data) {
        return broken("is of another version than 1", r->pool);
    }
    CUT(brski_der_expect(&subject, &in, BRSKI_DER_SEQUENCE), r->pool);
    CUT(brski_der_expect(&spki, &in, BRSKI_DER_SEQUENCE), r->pool);
    CUT(brski_der_optional(&list, &in, BRSKI_DER_CONTEXT(0)), r->pool);
    if (!brski_der_end(&in)) {
        return broken("has more than belongs there", r->pool);
    }
    BRSKI_TRY(note_subject(r, &subject));
    r->csr->spki = spki.whole;
    attributes = brski_der(list.value);
    while (!brski_der_end(&attributes)) {
        BRSKI_TRY(read_attribute(r, &attributes));
    }
    return BRSKI_OK;
}

/* Who sends a certificate wants to hear it. */
static brski_err_t *broken_or_certificate(brski_err_t *err, brski_bytes_t der,
                                          const brski_limits_t *limits, apr_pool_t *pool,
                                          apr_pool_t *scratch_pool)
{
    const brski_cert_t *cert;

    if (brski_cert_parse(&cert, der, limits, NULL, scratch_pool)) {
        return err;
    }
    return brski_err_say(brski_err(BRSKI_E_CSR, err, pool, "an X.509 certificate"), pool,
                         "The body is an X.509 certificate, not a certification request "
                         "(PKCS#10).");
}

static brski_err_t *read_request(reading_t *r, brski_csr_signed_t *proof, brski_bytes_t der)
{
    brski_der_t in = brski_der(der), request;
    brski_der_tlv_t info, algorithm, signature;

    CUT(brski_der_enter(&request, &in, BRSKI_DER_SEQUENCE), r->pool);
    if (!brski_der_end(&in)) {
        return broken("is followed by more octets", r->pool);
    }
    CUT(brski_der_expect(&info, &request, BRSKI_DER_SEQUENCE), r->pool);
    CUT(brski_der_expect(&algorithm, &request, BRSKI_DER_SEQUENCE), r->pool);
    CUT(brski_der_expect(&signature, &request, BRSKI_DER_BIT_STRING), r->pool);
    if (!brski_der_end(&request)) {
        return broken("has more than belongs there", r->pool);
    }
    if (signature.value.len < 2 || *signature.value.data) {
        return broken("has a signature that is not whole octets", r->pool);
    }
    proof->text = info.whole;
    proof->algorithm = algorithm.value;
    proof->signature = brski_bytes(signature.value.data + 1, signature.value.len - 1);
    return read_info(r, info.value);
}

brski_err_t *brski_csr_parse(brski_csr_t **out, brski_bytes_t der, const brski_limits_t *limits,
                             apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_csr_t *csr = apr_pcalloc(result_pool, sizeof(*csr));
    reading_t r = { .csr = csr, .pool = result_pool, .scratch_pool = scratch_pool };
    brski_csr_signed_t proof;
    brski_err_t *err;

    *out = NULL;
    if (der.len > limits->body) {
        return brski_err(BRSKI_E_LIMIT, NULL, result_pool, "CSR of %lu octets",
                         (unsigned long)der.len);
    }
    csr->der = brski_bytes_dup(der, result_pool);
    csr->extensions = apr_array_make(result_pool, 4, sizeof(brski_csr_extension_t *));
    csr->other = apr_array_make(result_pool, 2, sizeof(const char *));
    r.seen = apr_array_make(scratch_pool, 4, sizeof(const char *));
    if ((err = read_request(&r, &proof, csr->der))) {
        return broken_or_certificate(err, der, limits, result_pool, scratch_pool);
    }
    BRSKI_TRY(brski_csr_key_decode(&csr->key, csr->spki, result_pool));
    BRSKI_TRY(brski_csr_key_verify(csr->key, &proof, result_pool));
    csr->spki_hex = brski_sha256_hex(csr->spki, result_pool);
    *out = csr;
    return BRSKI_OK;
}

/* ---- proof of possession, linked to the connection ---- */

static int is_binding(brski_bytes_t told, brski_bytes_t binding)
{
    return binding.len && brski_bytes_equal(told, binding);
}

brski_err_t *brski_csr_check_pop(const brski_csr_t *csr, const brski_binding_t *binding,
                                 brski_pop_t pop, apr_pool_t *scratch_pool)
{
    brski_bytes_t told;

    if (pop == BRSKI_POP_OFF) {
        return BRSKI_OK;
    }
    if (!csr->challenge_password) {
        return pop == BRSKI_POP_REQUIRED
                   ? brski_err(BRSKI_E_POP_REQUIRED, NULL, scratch_pool, "no challengePassword")
                   : BRSKI_OK;
    }
    if (!brski_base64_decode_liberal(&told, csr->challenge_password,
                                     strlen(csr->challenge_password), scratch_pool)
        && (is_binding(told, binding->unique) || is_binding(told, binding->exporter))) {
        return BRSKI_OK;
    }
    return brski_err(BRSKI_E_POP, NULL, scratch_pool,
                     "challengePassword is neither tls-unique (%lu octets) nor tls-exporter "
                     "(%lu octets) of this connection",
                     (unsigned long)binding->unique.len, (unsigned long)binding->exporter.len);
}
