/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_san.c: alternative names (RFC 5280 4.2.1.6) from patterns. What is filled in is
 * held to what the place can hold: a host name is LDH, a URI is percent-encoded, and neither "@"
 * nor "+" comes from a device into the name that RFC 8994 gives a meaning to.
 */
#include "brski_profile_parts.h"

#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define NAMES_MAX 64
#define DNS_MAX 253
#define LABEL_MAX 63
#define TEXT_MAX 1024
#define CSR_DNS "csr-dns:"

static brski_err_t *bad_pattern(const char *pattern, const char *why, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "'%s' %s", brski_printable(pattern, TEXT_MAX, pool), why);

    return brski_err_say(brski_err(BRSKI_E_CONFIG, NULL, pool, "profile: %s", text), pool, "%s",
                         text);
}

static brski_err_t *unfit(const char *value, const char *why, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "'%s' %s", brski_printable(value, 80, pool), why);

    return brski_err_say(brski_err(BRSKI_E_CSR_SUBJECT, NULL, pool, "profile: %s", text), pool,
                         "The alternative name that belongs to this requester cannot be made: %s.",
                         text);
}

/* ---- what may stand where ---- */

static int is_ldh(const char *text)
{
    for (; *text && (apr_isalnum(*text) || *text == '-' || *text == '.'); text++) {
    }
    return !*text;
}

/* RFC 1123 2.1, without a wildcard and without the root's dot. */
static int is_dns(const char *text)
{
    apr_size_t len = strlen(text), label;

    if (!len || len > DNS_MAX || !is_ldh(text)) {
        return 0;
    }
    for (;;) {
        label = strcspn(text, ".");
        if (!label || label > LABEL_MAX || *text == '-' || text[label - 1] == '-') {
            return 0;
        }
        if (!text[label]) {
            return 1;
        }
        text += label + 1;
    }
}

static const char *lower(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text), *c;

    for (c = copy; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    return copy;
}

static const char *fit_dns(const char *value, apr_pool_t *pool)
{
    return is_ldh(value) ? lower(value, pool) : NULL;
}

/* RFC 3986 2.3: all but the unreserved characters are encoded. */
static const char *fit_uri(const char *value, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 3 * strlen(value) + 1), *to = text;

    for (; *value; value++) {
        if (apr_isalnum(*value) || strchr("-._~", *value)) {
            *to++ = *value;
        }
        else {
            to += apr_snprintf(to, 4, "%%%02X", (unsigned)(unsigned char)*value);
        }
    }
    *to = '\0';
    return text;
}

/* For mailboxes and otherNames: what no grammar gives a meaning to. */
static const char *fit_word(const char *value, apr_pool_t *pool)
{
    const char *at = value;

    (void)pool;
    for (; apr_isalnum(*at) || (*at && strchr("-._", *at)); at++) {
    }
    return *at ? NULL : value;
}

static int is_visible_ascii(const char *text)
{
    for (; *text > 0x20 && *text < 0x7F; text++) {
    }
    return !*text;
}

/* ---- making ---- */

static brski_bytes_t general_name(int tag, const char *text, apr_pool_t *pool)
{
    return brski_der_wrap(tag, brski_bytes_str(text), pool);
}

static brski_err_t *make_dns(brski_bytes_t *der, const char *text, apr_pool_t *pool)
{
    if (!is_dns(text)) {
        return unfit(text, "is no host name", pool);
    }
    *der = general_name(BRSKI_NAME_DNS, lower(text, pool), pool);
    return BRSKI_OK;
}

/* RFC 5280 4.2.1.6: absolute, with a scheme and something behind it. */
static brski_err_t *make_uri(brski_bytes_t *der, const char *text, apr_pool_t *pool)
{
    const char *at = text;

    while (apr_isalnum(*at) || (at > text && *at && strchr("+-.", *at))) {
        at++;
    }
    if (at == text || !apr_isalpha(*text) || *at != ':' || !at[1] || !is_visible_ascii(text)) {
        return unfit(text, "is no URI", pool);
    }
    *der = general_name(BRSKI_NAME_URI, text, pool);
    return BRSKI_OK;
}

static brski_err_t *make_email(brski_bytes_t *der, const char *text, apr_pool_t *pool)
{
    const char *at = strchr(text, '@');

    if (!at || at == text || !is_dns(at + 1) || !is_visible_ascii(text)
        || strpbrk(text, "\"(),:;<>[\\]")) {
        return unfit(text, "is no mailbox", pool);
    }
    *der = general_name(BRSKI_NAME_EMAIL, text, pool);
    return BRSKI_OK;
}

static brski_err_t *make_ip(brski_bytes_t *der, const char *text, apr_pool_t *pool)
{
    unsigned char octets[16];

    if (inet_pton(AF_INET, text, octets) == 1) {
        *der = brski_der_wrap(BRSKI_NAME_IP, brski_bytes(octets, 4), pool);
    }
    else if (inet_pton(AF_INET6, text, octets) == 1) {
        *der = brski_der_wrap(BRSKI_NAME_IP, brski_bytes(octets, 16), pool);
    }
    else {
        return unfit(text, "is no IP address", pool);
    }
    return BRSKI_OK;
}

/* "OID;IA5:text" or "OID;UTF8:text". */
static brski_err_t *make_other(brski_bytes_t *der, const char *text, apr_pool_t *pool)
{
    const char *semicolon = strchr(text, ';');
    brski_bytes_t oid = { NULL, 0 }, pieces[2];
    int tag = 0;

    if (semicolon) {
        oid = brski_der_oid(apr_pstrmemdup(pool, text, (apr_size_t)(semicolon - text)), pool);
        text = semicolon + 1;
        tag = !strncmp(text, "IA5:", 4)    ? BRSKI_DER_IA5_STRING
              : !strncmp(text, "UTF8:", 5) ? BRSKI_DER_UTF8_STRING
                                           : 0;
    }
    if (!oid.len || !tag) {
        return bad_pattern(text,
                           "is no otherName; write otherName:OID;IA5:TEXT or "
                           "otherName:OID;UTF8:TEXT",
                           pool);
    }
    text += tag == BRSKI_DER_IA5_STRING ? 4 : 5;
    if (!*text || !brski_is_utf8(text)
        || (tag == BRSKI_DER_IA5_STRING && !is_visible_ascii(text))) {
        return unfit(text, "cannot stand in an otherName", pool);
    }
    pieces[0] = oid;
    pieces[1] = brski_der_wrap(BRSKI_DER_CONTEXT(0),
                               brski_der_wrap(tag, brski_bytes_str(text), pool), pool);
    *der = BRSKI_DER_MAKE(BRSKI_NAME_OTHER, pieces, pool);
    return BRSKI_OK;
}

static const struct {
    const char *word;
    brski_err_t *(*make)(brski_bytes_t *der, const char *text, apr_pool_t *pool);
    brski_profile_fit_t fit;
} kinds[] = {
    { "DNS:", make_dns, fit_dns },          { "URI:", make_uri, fit_uri },
    { "email:", make_email, fit_word },     { "IP:", make_ip, fit_word },
    { "otherName:", make_other, fit_word },
};

static brski_err_t *make(brski_bytes_t *der, const char *pattern,
                         const brski_profile_facts_t *facts, apr_pool_t *pool)
{
    const char *text;
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        apr_size_t len = strlen(kinds[i].word);

        if (!strncasecmp(pattern, kinds[i].word, len)) {
            BRSKI_TRY(brski_profile_fill(&text, pattern + len, facts, kinds[i].fit, pool));
            return kinds[i].make(der, text, pool);
        }
    }
    return bad_pattern(pattern,
                       "is no alternative name; write DNS:, URI:, IP:, email:, "
                       "otherName: or csr-dns:",
                       pool);
}

static brski_err_t *add(apr_array_header_t *names, brski_bytes_t name, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < names->nelts; i++) {
        if (brski_profile_same_name(APR_ARRAY_IDX(names, i, brski_bytes_t), name)) {
            return BRSKI_OK;
        }
    }
    if (names->nelts == NAMES_MAX) {
        return brski_err_say(
            brski_err(BRSKI_E_CSR_SUBJECT, NULL, pool, "over %d alternative names", NAMES_MAX),
            pool, "The certification request asks for too many names.");
    }
    APR_ARRAY_PUSH(names, brski_bytes_t) = name;
    return BRSKI_OK;
}

/* Below a domain at any depth: "a.example" and "b.a.example" of "*.example". */
static int is_below(const char *name, const char *domain)
{
    apr_size_t len = strlen(name), domain_len = strlen(domain);

    return len > domain_len + 1 && name[len - domain_len - 1] == '.'
           && !strcasecmp(name + len - domain_len, domain);
}

/* The names that a CSR asks for and that a pattern "*.domain" lets it have. */
static brski_err_t *pick(apr_array_header_t *names, const char *pattern,
                         const brski_profile_facts_t *facts, apr_pool_t *pool)
{
    const char *domain = pattern + 2;
    apr_array_header_t *asked;
    int i;

    if (strncmp(pattern, "*.", 2) || !is_dns(domain)) {
        return bad_pattern(pattern, "is no domain; write csr-dns:*.example.com", pool);
    }
    if (!facts->csr || !facts->csr->san.len) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_profile_san_cut(&asked, facts->csr->san, pool));
    for (i = 0; i < asked->nelts; i++) {
        brski_der_t in = brski_der(APR_ARRAY_IDX(asked, i, brski_bytes_t));
        brski_der_tlv_t name;
        const char *text;
        brski_bytes_t der;

        if (brski_der_expect(&name, &in, BRSKI_NAME_DNS) || !name.value.len
            || memchr(name.value.data, 0, name.value.len)) {
            continue;
        }
        text = apr_pstrmemdup(pool, (const char *)name.value.data, name.value.len);
        if (is_dns(text) && is_below(text, domain)) {
            BRSKI_TRY(make_dns(&der, text, pool));
            BRSKI_TRY(add(names, der, pool));
        }
    }
    return BRSKI_OK;
}

brski_err_t *brski_profile_san(apr_array_header_t **names, const brski_profile_t *profile,
                               const brski_profile_facts_t *facts, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(brski_bytes_t));
    int i;

    *names = NULL;
    for (i = 0; i < profile->san->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(profile->san, i, const char *);
        brski_bytes_t der;

        if (!strncasecmp(pattern, CSR_DNS, strlen(CSR_DNS))) {
            BRSKI_TRY(pick(list, pattern + strlen(CSR_DNS), facts, pool));
            continue;
        }
        BRSKI_TRY(make(&der, pattern, facts, pool));
        BRSKI_TRY(add(list, der, pool));
    }
    *names = list;
    return BRSKI_OK;
}

brski_err_t *brski_profile_san_cut(apr_array_header_t **names, brski_bytes_t san, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(brski_bytes_t));
    brski_der_t in = brski_der(san), inside;
    brski_der_tlv_t name;
    const char *why = brski_der_enter(&inside, &in, BRSKI_DER_SEQUENCE);

    *names = list;
    if (!why && !brski_der_end(&in)) {
        why = "is followed by more octets";
    }
    while (!why && !brski_der_end(&inside)) {
        if (!(why = brski_der_next(&name, &inside))) {
            APR_ARRAY_PUSH(list, brski_bytes_t) = name.whole;
        }
    }
    return why ? brski_err_say(brski_err(BRSKI_E_CSR, NULL, pool, "subjectAltName %s", why), pool,
                               "The subjectAltName cannot be read: it %s.", why)
               : BRSKI_OK;
}

int brski_profile_same_name(brski_bytes_t a, brski_bytes_t b)
{
    apr_size_t i;

    if (a.len && a.len == b.len && *a.data == BRSKI_NAME_DNS && *b.data == BRSKI_NAME_DNS) {
        for (i = 0; i < a.len && apr_tolower(a.data[i]) == apr_tolower(b.data[i]); i++) {
        }
        return i == a.len;
    }
    return brski_bytes_equal(a, b);
}

brski_bytes_t brski_profile_san_der(const apr_array_header_t *names, apr_pool_t *pool)
{
    return brski_der_make(BRSKI_DER_SEQUENCE, pool, names->nelts,
                          (const brski_bytes_t *)names->elts);
}
