/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_csrattrs.c: CSR attributes (RFC 7030 4.5.2 with the ASN.1 of RFC 8951 3.5): a
 * profile told to a client in the old style, and beside it as the template of RFC 9908, which alone
 * can say "a name of your own choice goes here"; and the reading of both.
 */
#include "brski_profile_parts.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_csr_key.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define OID_CHALLENGE_PASSWORD "1.2.840.113549.1.9.7"
#define OID_EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define OID_TEMPLATE "1.2.840.113549.1.9.16.2.61"
#define OID_EXTENSION_TEMPLATE "1.2.840.113549.1.9.16.2.62"
#define OID_EC "1.2.840.10045.2.1"
#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_ED25519 "1.3.101.112"
#define ITEMS_MAX 64

static const char *const curves[][2] = {
    { "p256", "1.2.840.10045.3.1.7" },
    { "p384", "1.3.132.0.34" },
    { "p521", "1.3.132.0.35" },
};

/* ---- making ---- */

/* What is told, before it is written in either style. */
typedef struct told_t {
    const brski_profile_t *profile;
    brski_key_type_t key;
    apr_array_header_t *san; /* brski_bytes_t; NULL: the client chooses */
    brski_bytes_t subject;   /* RDNSequenceTemplate; len 0: the client chooses */
    int pop;
    apr_pool_t *pool;
} told_t;

static brski_bytes_t oid(const char *dotted, const told_t *t)
{
    return brski_der_oid(dotted, t->pool);
}

/* Attribute; a value of len 0 leaves its SET empty. */
static brski_bytes_t attribute(const char *type, brski_bytes_t value, const told_t *t)
{
    brski_bytes_t pieces[] = { oid(type, t), brski_der_wrap(BRSKI_DER_SET, value, t->pool) };

    return BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, t->pool);
}

static brski_bytes_t none(void)
{
    return brski_bytes(NULL, 0);
}

static brski_bytes_t key_attribute(const told_t *t)
{
    brski_bytes_t value = none();

    if (t->key.curve) {
        value = oid(t->key.curve, t);
    }
    else if (t->key.rsa_bits) {
        value = brski_der_integer(t->key.rsa_bits, t->pool);
    }
    return attribute(t->key.oid, value, t);
}

/* Extension, or ExtensionTemplate when value.len is 0. */
static brski_bytes_t extension(const char *dotted, int critical, brski_bytes_t value,
                               const told_t *t)
{
    static const unsigned char true_value[] = { BRSKI_DER_BOOLEAN, 1, 0xFF };
    brski_bytes_t pieces[3];
    int n = 0;

    pieces[n++] = oid(dotted, t);
    if (critical) {
        pieces[n++] = brski_bytes(true_value, sizeof(true_value));
    }
    if (value.len) {
        pieces[n++] = brski_der_wrap(BRSKI_DER_OCTET_STRING, value, t->pool);
    }
    return brski_der_make(BRSKI_DER_SEQUENCE, t->pool, n, pieces);
}

/* SAN and EKU: all of them in one Extensions; len 0 when nothing is asked for. */
static brski_bytes_t extensions(const told_t *t)
{
    brski_bytes_t pieces[2];
    int n = 0;

    if (!t->san) {
        pieces[n++] = extension(BRSKI_EXT_SAN, 0, none(), t);
    }
    else if (t->san->nelts) {
        pieces[n++] = extension(BRSKI_EXT_SAN, t->subject.len == 2,
                                brski_profile_san_der(t->san, t->pool), t);
    }
    if (t->profile->eku->nelts) {
        pieces[n++] =
            extension(BRSKI_EXT_EKU, 0, brski_profile_oids_der(t->profile->eku, t->pool), t);
    }
    return n ? brski_der_make(BRSKI_DER_SEQUENCE, t->pool, n, pieces) : none();
}

/* A public key of the right size and no meaning: how RFC 9908 asks for an RSA key's length. */
static brski_bytes_t placeholder_key(const told_t *t)
{
    static const unsigned char exponent[] = { BRSKI_DER_INTEGER, 3, 1, 0, 1 };
    static const unsigned char whole_octets[] = { 0 };
    apr_size_t len = (apr_size_t)t->key.rsa_bits / 8;
    unsigned char *modulus = apr_palloc(t->pool, len);
    brski_bytes_t numbers[2], bits[2] = { BRSKI_LITERAL(whole_octets) };

    memset(modulus, 0xFF, len);
    numbers[0] = brski_der_integer_octets(brski_bytes(modulus, len), t->pool);
    numbers[1] = brski_bytes(exponent, sizeof(exponent));
    bits[1] = BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, numbers, t->pool);
    return BRSKI_DER_MAKE(BRSKI_DER_BIT_STRING, bits, t->pool);
}

/* SubjectPublicKeyInfoTemplate, as [0]. */
static brski_bytes_t key_template(const told_t *t)
{
    static const unsigned char null[] = { BRSKI_DER_NULL, 0 };
    brski_bytes_t algorithm[2] = { oid(t->key.oid, t), none() }, pieces[2];

    if (t->key.curve) {
        algorithm[1] = oid(t->key.curve, t);
    }
    else if (t->key.rsa_bits) {
        algorithm[1] = brski_bytes(null, sizeof(null));
    }
    pieces[0] = BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, algorithm, t->pool);
    pieces[1] = t->key.rsa_bits ? placeholder_key(t) : none();
    return BRSKI_DER_MAKE(BRSKI_DER_CONTEXT(0), pieces, t->pool);
}

/* CertificationRequestInfoTemplate, RFC 9908. */
static brski_bytes_t info_template(const told_t *t)
{
    static const unsigned char version[] = { BRSKI_DER_INTEGER, 1, 0 };
    brski_bytes_t pieces[] = { BRSKI_LITERAL(version), t->subject, key_template(t), none() };
    brski_bytes_t asked = extensions(t), attributes[1];

    if (asked.len) {
        attributes[0] =
            attribute(t->san ? OID_EXTENSION_REQUEST : OID_EXTENSION_TEMPLATE, asked, t);
    }
    pieces[3] = brski_der_make_set(BRSKI_DER_CONTEXT(1), t->pool, asked.len ? 1 : 0, attributes);
    return attribute(OID_TEMPLATE, BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, t->pool), t);
}

/* In the order of RFC 8951's example. */
static brski_bytes_t write_all(const told_t *t, apr_pool_t *result_pool)
{
    brski_bytes_t items[5], asked = extensions(t);
    int n = 0;

    if (t->pop) {
        items[n++] = oid(OID_CHALLENGE_PASSWORD, t);
    }
    items[n++] = key_attribute(t);
    if (t->san && asked.len) {
        items[n++] = attribute(OID_EXTENSION_REQUEST, asked, t);
    }
    items[n++] = oid(t->key.signature, t);
    items[n++] = info_template(t);
    return brski_der_make(BRSKI_DER_SEQUENCE, result_pool, n, items);
}

static int is_chosen_by_client(const brski_profile_t *profile)
{
    int i;

    for (i = 0; i < profile->san->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(profile->san, i, const char *);

        if (!strncmp(pattern, "csr-dns:", 8) || strstr(pattern, "%{cn}")) {
            return 1;
        }
    }
    return 0;
}

/* What cannot be made for this requester (or for nobody) is left to it, and judged when its CSR
 * comes. */
static brski_err_t *find_names(told_t *t, const brski_requester_t *requester)
{
    brski_profile_facts_t facts;
    brski_err_t *err;

    brski_profile_facts(&facts, requester, NULL, t->pool);
    if (strcmp(t->profile->subject, "csr")) {
        err = brski_profile_name(&t->subject, t->profile->subject, &facts, 1, t->pool, t->pool);
        if (err && err->code != BRSKI_E_CSR_SUBJECT) {
            return err;
        }
    }
    if (is_chosen_by_client(t->profile)) {
        return BRSKI_OK;
    }
    err = brski_profile_san(&t->san, t->profile, &facts, t->pool);
    return err && err->code != BRSKI_E_CSR_SUBJECT ? err : BRSKI_OK;
}

brski_err_t *brski_csrattrs_make(brski_bytes_t *der, const brski_profile_t *profile,
                                 const brski_requester_t *requester, brski_pop_t pop,
                                 apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    told_t t = { .profile = profile, .pop = pop == BRSKI_POP_REQUIRED, .pool = scratch_pool };

    *der = none();
    if (!profile->key_types->nelts
        || !brski_profile_key_type(&t.key, APR_ARRAY_IDX(profile->key_types, 0, const char *))) {
        return brski_err(BRSKI_E_CONFIG, NULL, result_pool, "a profile without a key type");
    }
    BRSKI_TRY(find_names(&t, requester));
    *der = write_all(&t, result_pool);
    return BRSKI_OK;
}

/* ---- reading ---- */

typedef struct reading_t {
    brski_csrattrs_t *attrs;
    brski_bytes_t tmpl; /* content of the template; data NULL when there is none */
    apr_pool_t *pool;
} reading_t;

static brski_err_t *broken(const char *why, apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, pool, "CSR attributes: %s", why), pool,
                         "The CSR attributes cannot be read: %s.", why);
}

static const char *oid_text(brski_bytes_t content, apr_pool_t *pool)
{
    const char *text = brski_der_oid_text(content, pool);

    return text ? text : apr_pstrcat(pool, "?", brski_hex(content, pool), NULL);
}

static void ignore(reading_t *r, const char *type)
{
    APR_ARRAY_PUSH(r->attrs->unknown, const char *) = type;
}

static int note_curve(reading_t *r, brski_der_t in)
{
    brski_der_tlv_t curve;
    const char *text;
    size_t i;

    if (brski_der_expect(&curve, &in, BRSKI_DER_OID) || !brski_der_end(&in)) {
        return 0;
    }
    text = oid_text(curve.value, r->pool);
    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (!strcmp(text, curves[i][1])) {
            r->attrs->key_type = curves[i][0];
            return 1;
        }
    }
    return 0;
}

static int note_rsa_bits(reading_t *r, brski_der_t in)
{
    brski_der_tlv_t number;
    unsigned bits = 0;
    apr_size_t i;

    if (brski_der_expect(&number, &in, BRSKI_DER_INTEGER) || !brski_der_end(&in)
        || !number.value.len || number.value.len > 3) {
        return 0;
    }
    for (i = 0; i < number.value.len; i++) {
        bits = bits << 8 | number.value.data[i];
    }
    r->attrs->key_type = apr_psprintf(r->pool, "rsa%u", bits);
    return 1;
}

/* A bare identifier instead of an Extension, as in the example of RFC 8951: it says nothing of a
 * value. */
static brski_err_t *note_extensions(reading_t *r, brski_der_t in)
{
    brski_der_t inside = in;
    brski_der_tlv_t first;
    brski_err_t *err;
    int i;

    if (brski_der_peek(&in) == BRSKI_DER_OID) {
        while (!brski_der_end(&in)) {
            if (brski_der_expect(&first, &in, BRSKI_DER_OID)) {
                return broken("an extension request is malformed", r->pool);
            }
            ignore(r, oid_text(first.value, r->pool));
        }
        return BRSKI_OK;
    }
    if (brski_der_enter(&inside, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)) {
        return broken("an extension request is malformed", r->pool);
    }
    if ((err = brski_csr_extensions_read(r->attrs->extensions, inside, r->pool))) {
        return broken("an extension request is malformed", r->pool);
    }
    for (i = 0; i < r->attrs->extensions->nelts; i++) {
        brski_csr_extension_t *e = APR_ARRAY_IDX(r->attrs->extensions, i, brski_csr_extension_t *);

        if (!strcmp(e->oid, BRSKI_EXT_SAN)) {
            r->attrs->san = e->value;
        }
    }
    return BRSKI_OK;
}

/* Extensions of a template, of which some have no value: those are the client's to fill. */
static brski_err_t *note_partial_extensions(reading_t *r, brski_der_t in)
{
    brski_der_t list, fields, rest;
    brski_der_tlv_t type, critical, value;

    if (brski_der_enter(&list, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)) {
        return broken("an extension template is malformed", r->pool);
    }
    while (!brski_der_end(&list)) {
        brski_csr_extension_t *e = apr_pcalloc(r->pool, sizeof(*e));

        rest = list;
        if (brski_der_enter(&fields, &rest, BRSKI_DER_SEQUENCE)
            || brski_der_expect(&type, &fields, BRSKI_DER_OID)
            || brski_der_optional(&critical, &fields, BRSKI_DER_BOOLEAN)
            || brski_der_optional(&value, &fields, BRSKI_DER_OCTET_STRING)
            || !brski_der_end(&fields) || r->attrs->extensions->nelts == ITEMS_MAX) {
            return broken("an extension template is malformed", r->pool);
        }
        list = rest;
        e->oid = oid_text(type.value, r->pool);
        e->critical = critical.value.len == 1 && *critical.value.data;
        e->value = value.value;
        APR_ARRAY_PUSH(r->attrs->extensions, brski_csr_extension_t *) = e;
        if (!strcmp(e->oid, BRSKI_EXT_SAN)) {
            r->attrs->san = e->value;
        }
    }
    return BRSKI_OK;
}

static brski_err_t *note_attribute(reading_t *r, const char *type, brski_der_t values)
{
    brski_der_tlv_t value;

    if (!strcmp(type, OID_TEMPLATE)) {
        if (r->tmpl.data || brski_der_expect(&value, &values, BRSKI_DER_SEQUENCE)
            || !brski_der_end(&values)) {
            return broken("a template is malformed or there are two", r->pool);
        }
        r->tmpl = value.value;
        return BRSKI_OK;
    }
    if (!strcmp(type, OID_EXTENSION_REQUEST)) {
        return note_extensions(r, values);
    }
    if (!strcmp(type, OID_CHALLENGE_PASSWORD)) {
        r->attrs->challenge_password = 1;
    }
    else if (!strcmp(type, OID_ED25519)) {
        r->attrs->key_type = "ed25519";
    }
    else if (!(!strcmp(type, OID_EC) && note_curve(r, values))
             && !(!strcmp(type, OID_RSA) && note_rsa_bits(r, values))) {
        ignore(r, type);
    }
    return BRSKI_OK;
}

/* AttrOrOID. Signature algorithms and what else is bare are for the client to know or to ignore. */
static brski_err_t *note_item(reading_t *r, const brski_der_tlv_t *item)
{
    brski_der_t in = brski_der(item->value), values;
    brski_der_tlv_t type;
    const char *text;

    if (item->tag == BRSKI_DER_OID) {
        text = oid_text(item->value, r->pool);
        if (!strcmp(text, OID_CHALLENGE_PASSWORD)) {
            r->attrs->challenge_password = 1;
        }
        else {
            ignore(r, text);
        }
        return BRSKI_OK;
    }
    if (item->tag != BRSKI_DER_SEQUENCE || brski_der_expect(&type, &in, BRSKI_DER_OID)
        || brski_der_enter(&values, &in, BRSKI_DER_SET) || !brski_der_end(&in)) {
        return broken("an item is neither an object identifier nor an attribute", r->pool);
    }
    return note_attribute(r, oid_text(type.value, r->pool), values);
}

/* A subject of which every attribute has its value; others are the client's to fill. */
static int is_complete(brski_bytes_t subject, apr_pool_t *pool)
{
    apr_array_header_t *attributes;

    return !brski_profile_attributes(&attributes, subject, pool);
}

static brski_err_t *note_key_template(reading_t *r, brski_bytes_t content)
{
    brski_der_t in = brski_der(content), algorithm, key, numbers;
    brski_der_tlv_t type, bits, modulus;
    const char *text;

    if (brski_der_enter(&algorithm, &in, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&type, &algorithm, BRSKI_DER_OID)
        || brski_der_optional(&bits, &in, BRSKI_DER_BIT_STRING) || !brski_der_end(&in)) {
        return broken("the key of a template is malformed", r->pool);
    }
    text = oid_text(type.value, r->pool);
    r->attrs->key_type = NULL;
    if (!strcmp(text, OID_ED25519)) {
        r->attrs->key_type = "ed25519";
    }
    else if (!strcmp(text, OID_EC)) {
        note_curve(r, algorithm);
    }
    else if (!strcmp(text, OID_RSA) && bits.value.len > 1) {
        key = brski_der(brski_bytes(bits.value.data + 1, bits.value.len - 1));
        if (brski_der_enter(&numbers, &key, BRSKI_DER_SEQUENCE)
            || brski_der_expect(&modulus, &numbers, BRSKI_DER_INTEGER)) {
            return broken("the key of a template is malformed", r->pool);
        }
        r->attrs->key_type =
            apr_psprintf(r->pool, "rsa%d", (int)(modulus.value.len & ~(apr_size_t)1) * 8);
    }
    return BRSKI_OK;
}

static brski_err_t *note_template_attributes(reading_t *r, brski_bytes_t content)
{
    brski_der_t in = brski_der(content), fields, values;
    brski_der_tlv_t type;
    const char *text;

    while (!brski_der_end(&in)) {
        if (brski_der_enter(&fields, &in, BRSKI_DER_SEQUENCE)
            || brski_der_expect(&type, &fields, BRSKI_DER_OID)
            || brski_der_enter(&values, &fields, BRSKI_DER_SET)) {
            return broken("the attributes of a template are malformed", r->pool);
        }
        text = oid_text(type.value, r->pool);
        if (!strcmp(text, OID_EXTENSION_TEMPLATE)) {
            BRSKI_TRY(note_partial_extensions(r, values));
        }
        else if (strcmp(text, OID_TEMPLATE)) {
            BRSKI_TRY(note_attribute(r, text, values));
        }
    }
    return BRSKI_OK;
}

/* RFC 9908: who knows the template uses nothing of the old style but the wish for a
 * challengePassword. */
static brski_err_t *note_template(reading_t *r)
{
    brski_der_t in = brski_der(r->tmpl);
    brski_der_tlv_t version, subject, key, attributes;

    if (brski_der_expect(&version, &in, BRSKI_DER_INTEGER)
        || brski_der_optional(&subject, &in, BRSKI_DER_SEQUENCE)
        || brski_der_optional(&key, &in, BRSKI_DER_CONTEXT(0))
        || brski_der_optional(&attributes, &in, BRSKI_DER_CONTEXT(1)) || !brski_der_end(&in)) {
        return broken("a template is malformed", r->pool);
    }
    r->attrs->san = none();
    apr_array_clear(r->attrs->extensions);
    if (subject.tag && is_complete(subject.whole, r->pool)) {
        r->attrs->subject = subject.whole;
    }
    if (key.tag) {
        BRSKI_TRY(note_key_template(r, key.value));
    }
    return note_template_attributes(r, attributes.value);
}

brski_err_t *brski_csrattrs_parse(brski_csrattrs_t **out, brski_bytes_t der,
                                  const brski_limits_t *limits, apr_pool_t *pool)
{
    brski_csrattrs_t *attrs = apr_pcalloc(pool, sizeof(*attrs));
    reading_t r = { .attrs = attrs, .pool = pool };
    brski_der_t in, items;
    brski_der_tlv_t item;
    int n;

    *out = NULL;
    if (der.len > limits->body) {
        return broken("there are too many octets", pool);
    }
    in = brski_der(brski_bytes_dup(der, pool));
    attrs->extensions = apr_array_make(pool, 4, sizeof(brski_csr_extension_t *));
    attrs->unknown = apr_array_make(pool, 4, sizeof(const char *));
    if (brski_der_enter(&items, &in, BRSKI_DER_SEQUENCE)) {
        return broken("there is no sequence", pool);
    }
    if (!brski_der_end(&in)) {
        return broken("more octets follow", pool);
    }
    for (n = 0; !brski_der_end(&items); n++) {
        if (n == ITEMS_MAX || brski_der_next(&item, &items)) {
            return broken("an item is malformed, or there are too many", pool);
        }
        BRSKI_TRY(note_item(&r, &item));
    }
    if (r.tmpl.data) {
        BRSKI_TRY(note_template(&r));
    }
    *out = attrs;
    return BRSKI_OK;
}
