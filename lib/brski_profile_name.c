/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_name.c: subjects from patterns. A pattern is taken apart first and filled
 * afterwards, value by value, so that a serial number with a comma, a plus sign or a quote in it
 * stays a value; and names are compared and taken apart.
 */
#include "brski_profile_parts.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define VALUE_MAX 256
#define SHOWN_MAX 64
#define ATTRIBUTES_MAX 64

typedef enum charset_t { UTF8, PRINTABLE, IA5 } charset_t;

/* RFC 5280 appendix A.1: types, their strings and the most characters they may have. */
static const struct {
    const char *word, *oid;
    charset_t charset;
    apr_size_t max;
} types[] = {
    { "CN", "2.5.4.3", UTF8, 64 },
    { "O", "2.5.4.10", UTF8, 64 },
    { "OU", "2.5.4.11", UTF8, 64 },
    { "C", "2.5.4.6", PRINTABLE, 2 },
    { "ST", "2.5.4.8", UTF8, 128 },
    { "L", "2.5.4.7", UTF8, 128 },
    { "serialNumber", "2.5.4.5", PRINTABLE, 64 },
    { "title", "2.5.4.12", UTF8, 64 },
    { "dnQualifier", "2.5.4.46", PRINTABLE, 64 },
    { "SN", "2.5.4.4", UTF8, 64 },
    { "GN", "2.5.4.42", UTF8, 64 },
    { "UID", "0.9.2342.19200300.100.1.1", UTF8, 256 },
    { "DC", "0.9.2342.19200300.100.1.25", IA5, 63 },
    { "emailAddress", "1.2.840.113549.1.9.1", IA5, 255 },
};

/* ---- filling ---- */

static brski_err_t *bad_pattern(const char *why, const char *what, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "'%s' %s", brski_printable(what, VALUE_MAX, pool), why);

    return brski_err_say(brski_err(BRSKI_E_CONFIG, NULL, pool, "profile: %s", text), pool, "%s",
                         text);
}

static brski_err_t *unfit(const char *why, const char *value, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "'%s' %s", brski_printable(value, SHOWN_MAX, pool), why);

    return brski_err_say(brski_err(BRSKI_E_CSR_SUBJECT, NULL, pool, "profile: %s", text), pool,
                         "The name that belongs to this requester cannot be made: %s.", text);
}

static const char *common_name(const brski_csr_t *csr, apr_pool_t *pool)
{
    apr_array_header_t *attributes;
    const char *cn = NULL;
    int i;

    if (brski_profile_attributes(&attributes, csr->subject, pool)) {
        return NULL;
    }
    for (i = 0; i < attributes->nelts; i++) {
        const brski_profile_attribute_t *a =
            &APR_ARRAY_IDX(attributes, i, brski_profile_attribute_t);

        if (!strcmp(a->type, "2.5.4.3")) {
            if (cn) {
                return NULL; /* which of two would be a guess */
            }
            cn = a->text;
        }
    }
    return cn;
}

void brski_profile_facts(brski_profile_facts_t *facts, const brski_requester_t *requester,
                         const brski_csr_t *csr, apr_pool_t *pool)
{
    facts->requester = requester;
    facts->csr = csr;
    facts->cn = csr ? common_name(csr, pool) : NULL;
}

brski_err_t *brski_profile_value(const char **value, const char **at,
                                 const brski_profile_facts_t *facts, apr_pool_t *pool)
{
    const brski_requester_t *r = facts->requester;
    const char *name = *at + 2, *end = strchr(name, '}');
    const char *word = end ? apr_pstrmemdup(pool, name, (apr_size_t)(end - name)) : "";

    if (!strcmp(word, "serial")) {
        *value = r ? r->serial_number : NULL;
    }
    else if (!strcmp(word, "manufacturer")) {
        *value = r ? r->manufacturer : NULL;
    }
    else if (!strcmp(word, "user")) {
        *value = r ? r->user : NULL;
    }
    else if (!strcmp(word, "cn")) {
        *value = facts->cn;
    }
    else {
        return bad_pattern("is no placeholder; there are %{serial}, %{manufacturer}, %{user} and "
                           "%{cn}",
                           *at, pool);
    }
    *at = end + 1;
    if (!*value || !**value) {
        return unfit("is not known of it", word, pool);
    }
    return BRSKI_OK;
}

brski_err_t *brski_profile_fill(const char **out, const char *pattern,
                                const brski_profile_facts_t *facts, brski_profile_fit_t fit,
                                apr_pool_t *pool)
{
    const char *at = pattern, *next, *value, *fitted;
    char *text = apr_pstrdup(pool, "");

    *out = NULL;
    while ((next = strstr(at, "%{"))) {
        text = apr_pstrcat(pool, text, apr_pstrmemdup(pool, at, (apr_size_t)(next - at)), NULL);
        at = next;
        BRSKI_TRY(brski_profile_value(&value, &at, facts, pool));
        if (!(fitted = fit(value, pool))) {
            return unfit("cannot stand in it", value, pool);
        }
        text = apr_pstrcat(pool, text, fitted, NULL);
    }
    *out = apr_pstrcat(pool, text, at, NULL);
    return BRSKI_OK;
}

/* ---- making ---- */

/* A pattern being taken apart. */
typedef struct name_t {
    const char *pattern;
    const char *at;
    const brski_profile_facts_t *facts;
    int as_template;
    apr_pool_t *pool;
} name_t;

typedef struct type_t {
    const char *oid;
    charset_t charset;
    apr_size_t max;
} type_t;

static brski_err_t *read_type(type_t *type, name_t *n)
{
    const char *equals = strchr(n->at, '=');
    char *word;
    size_t i;

    if (!equals) {
        return bad_pattern("is no subject; write it as CN=...,O=...", n->pattern, n->pool);
    }
    word = apr_pstrmemdup(n->pool, n->at, (apr_size_t)(equals - n->at));
    apr_collapse_spaces(word, word);
    n->at = equals + 1;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcasecmp(word, types[i].word)) {
            type->oid = types[i].oid;
            type->charset = types[i].charset;
            type->max = types[i].max;
            return BRSKI_OK;
        }
    }
    type->oid = word;
    type->charset = UTF8;
    type->max = VALUE_MAX;
    return brski_der_oid(word, n->pool).len
               ? BRSKI_OK
               : bad_pattern("is no attribute of a name that is known here; write CN, O, OU, C, "
                             "ST, L, serialNumber, UID, DC, emailAddress, or an object identifier "
                             "in dots",
                             word, n->pool);
}

static int hex_pair(const char *at)
{
    char pair[3] = { at[0], at[0] ? at[1] : '\0', '\0' };

    return apr_isxdigit(pair[0]) && apr_isxdigit(pair[1]) ? (int)strtol(pair, NULL, 16) : -1;
}

/* RFC 4514 2.4: a character behind a backslash, or the octet of two hexadecimal digits. */
static brski_err_t *read_escape(char *out, name_t *n)
{
    int octet = hex_pair(n->at + 1);

    if (octet > 0) {
        *out = (char)octet;
        n->at += 3;
        return BRSKI_OK;
    }
    if (octet == 0 || !n->at[1]) {
        return bad_pattern("ends in a backslash or has a NUL", n->pattern, n->pool);
    }
    *out = n->at[1];
    n->at += 2;
    return BRSKI_OK;
}

static brski_err_t *append(char *text, apr_size_t *len, const char *more, apr_size_t more_len,
                           const name_t *n)
{
    if (more_len > VALUE_MAX - *len) {
        return unfit("has a value that is too long", n->pattern, n->pool);
    }
    memcpy(text + *len, more, more_len);
    *len += more_len;
    return BRSKI_OK;
}

/*
 * Up to the next comma or plus sign of the pattern. A placeholder whose value is not known makes
 * *missing, when that is allowed.
 */
static brski_err_t *read_value(const char **out, int *missing, name_t *n)
{
    char *text = apr_palloc(n->pool, VALUE_MAX + 1), c;
    apr_size_t len = 0, kept = 0;
    const char *value;
    brski_err_t *err;

    *missing = 0;
    while (*n->at == ' ') {
        n->at++;
    }
    while (*n->at && *n->at != ',' && *n->at != '+') {
        if (n->at[0] == '%' && n->at[1] == '{') {
            if (!(err = brski_profile_value(&value, &n->at, n->facts, n->pool))) {
                BRSKI_TRY(append(text, &len, value, strlen(value), n));
            }
            else if (!n->as_template || err->code != BRSKI_E_CSR_SUBJECT) {
                return err;
            }
            else {
                *missing = 1;
            }
            kept = len;
            continue;
        }
        c = *n->at;
        if (c == '\\') {
            BRSKI_TRY(read_escape(&c, n));
            BRSKI_TRY(append(text, &len, &c, 1, n));
            kept = len;
            continue;
        }
        n->at++;
        BRSKI_TRY(append(text, &len, &c, 1, n));
        kept = c == ' ' ? kept : len;
    }
    text[kept] = '\0';
    *out = text;
    return kept || *missing ? BRSKI_OK
                            : bad_pattern("has an attribute without a value", n->pattern, n->pool);
}

static int is_printable_string(const char *text)
{
    for (; *text; text++) {
        if (!apr_isalnum(*text) && !strchr(" '()+,-./:=?", *text)) {
            return 0;
        }
    }
    return 1;
}

/* Characters of UTF-8 text; controls have no place in a name. */
static int measure(apr_size_t *characters, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    *characters = 0;
    for (; *at; at++) {
        if (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0)) {
            return 0;
        }
        *characters += (*at & 0xC0) != 0x80;
    }
    return brski_is_utf8(text);
}

static int is_ascii(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x80) {
            return 0;
        }
    }
    return 1;
}

/* RFC 5280 4.1.2.4: PrintableString where the type wants it and the value allows, else UTF8String.
 */
static brski_err_t *make_string(brski_bytes_t *der, const type_t *type, const char *text,
                                apr_pool_t *pool)
{
    apr_size_t characters;
    int tag = BRSKI_DER_UTF8_STRING;

    if (!measure(&characters, text)) {
        return unfit("has characters that cannot stand in a name", text, pool);
    }
    if (characters > type->max) {
        return unfit(apr_psprintf(pool,
                                  "is longer than the %d characters that its place in a "
                                  "name has",
                                  (int)type->max),
                     text, pool);
    }
    if (type->charset == IA5) {
        if (!is_ascii(text)) {
            return unfit("has characters that cannot stand in its place in a name", text, pool);
        }
        tag = BRSKI_DER_IA5_STRING;
    }
    else if (type->charset == PRINTABLE && is_printable_string(text)) {
        tag = BRSKI_DER_PRINTABLE_STRING;
    }
    *der = brski_der_wrap(tag, brski_bytes_str(text), pool);
    return BRSKI_OK;
}

static brski_err_t *read_attribute(brski_bytes_t *der, name_t *n)
{
    brski_bytes_t pieces[2];
    const char *text;
    type_t type = { NULL, UTF8, 0 };
    int missing;

    BRSKI_TRY(read_type(&type, n));
    BRSKI_TRY(read_value(&text, &missing, n));
    pieces[0] = brski_der_oid(type.oid, n->pool);
    if (!missing) {
        BRSKI_TRY(make_string(&pieces[1], &type, text, n->pool));
    }
    *der = brski_der_make(BRSKI_DER_SEQUENCE, n->pool, missing ? 1 : 2, pieces);
    return BRSKI_OK;
}

static brski_err_t *read_rdn(brski_bytes_t *der, name_t *n)
{
    apr_array_header_t *attributes = apr_array_make(n->pool, 1, sizeof(brski_bytes_t));

    for (;;) {
        BRSKI_TRY(read_attribute(apr_array_push(attributes), n));
        if (*n->at != '+') {
            break;
        }
        n->at++;
    }
    *der = brski_der_make_set(BRSKI_DER_SET, n->pool, attributes->nelts,
                              (const brski_bytes_t *)attributes->elts);
    return BRSKI_OK;
}

/* RFC 4514 2.1: the text begins with the last. */
static brski_bytes_t reversed(const apr_array_header_t *rdns, apr_pool_t *result_pool,
                              apr_pool_t *pool)
{
    brski_bytes_t *order = apr_palloc(pool, sizeof(*order) * (apr_size_t)rdns->nelts);
    int i;

    for (i = 0; i < rdns->nelts; i++) {
        order[i] = APR_ARRAY_IDX(rdns, rdns->nelts - 1 - i, brski_bytes_t);
    }
    return brski_der_make(BRSKI_DER_SEQUENCE, result_pool, rdns->nelts, order);
}

brski_err_t *brski_profile_name(brski_bytes_t *der, const char *pattern,
                                const brski_profile_facts_t *facts, int as_template,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    name_t n = { pattern, pattern, facts, as_template, scratch_pool };
    apr_array_header_t *rdns = apr_array_make(scratch_pool, 4, sizeof(brski_bytes_t));

    *der = brski_bytes(NULL, 0);
    for (;;) {
        BRSKI_TRY(read_rdn(apr_array_push(rdns), &n));
        if (*n.at != ',') {
            break;
        }
        n.at++;
    }
    *der = reversed(rdns, result_pool, scratch_pool);
    return BRSKI_OK;
}

/* ---- reading and comparing ---- */

static brski_err_t *no_name(apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_CSR, NULL, pool, "no Name"), pool,
                         "The subject of the certification request cannot be read.");
}

static const char *text_of(const brski_der_tlv_t *value, apr_pool_t *pool)
{
    const char *text;

    if ((value->tag != BRSKI_DER_UTF8_STRING && value->tag != BRSKI_DER_PRINTABLE_STRING
         && value->tag != BRSKI_DER_IA5_STRING)
        || !value->value.len || memchr(value->value.data, 0, value->value.len)) {
        return NULL;
    }
    text = apr_pstrmemdup(pool, (const char *)value->value.data, value->value.len);
    return brski_is_utf8(text) ? text : NULL;
}

static brski_err_t *cut_attribute(apr_array_header_t *attributes, brski_der_t *rdn,
                                  apr_pool_t *pool)
{
    brski_profile_attribute_t *a = apr_array_push(attributes);
    brski_der_t in;
    brski_der_tlv_t type;

    if (brski_der_enter(&in, rdn, BRSKI_DER_SEQUENCE) || brski_der_expect(&type, &in, BRSKI_DER_OID)
        || brski_der_next(&a->value, &in) || !brski_der_end(&in)
        || !(a->type = brski_der_oid_text(type.value, pool))
        || attributes->nelts > ATTRIBUTES_MAX) {
        return no_name(pool);
    }
    a->text = text_of(&a->value, pool);
    return BRSKI_OK;
}

brski_err_t *brski_profile_attributes(apr_array_header_t **attributes, brski_bytes_t name,
                                      apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(brski_profile_attribute_t));
    brski_der_t in = brski_der(name), rdns, rdn;

    *attributes = NULL;
    if (brski_der_enter(&rdns, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)) {
        return no_name(pool);
    }
    while (!brski_der_end(&rdns)) {
        if (brski_der_enter(&rdn, &rdns, BRSKI_DER_SET) || brski_der_end(&rdn)) {
            return no_name(pool);
        }
        while (!brski_der_end(&rdn)) {
            BRSKI_TRY(cut_attribute(list, &rdn, pool));
        }
    }
    *attributes = list;
    return BRSKI_OK;
}

static X509_NAME *parse(brski_bytes_t der)
{
    const unsigned char *at = der.data;

    return d2i_X509_NAME(NULL, &at, (long)der.len);
}

int brski_profile_same_subject(brski_bytes_t a, brski_bytes_t b)
{
    X509_NAME *one, *other;
    int same;

    if (brski_bytes_equal(a, b)) {
        return 1;
    }
    ERR_set_mark();
    one = parse(a);
    other = parse(b);
    same = one && other && !X509_NAME_cmp(one, other);
    X509_NAME_free(one);
    X509_NAME_free(other);
    ERR_pop_to_mark();
    return same;
}
