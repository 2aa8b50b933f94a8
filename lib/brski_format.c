/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_format.c: which media type a request has and which one its voucher gets: Content-Type and
 * Accept of RFC 9110 sections 8.3 and 12.5.1, as RFC 8995 section 5.6 uses them. It belongs to
 * brski_voucher.h.
 */
#include "brski_voucher.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"

/* What is shown of a client's header field. */
#define MAX_SHOWN 200

/* A format's first name is the one we send; the others are read. */
static const struct {
    const char *type, *subtype;
    brski_format_t format;
} names[] = {
    { "application", "voucher-cms+json", BRSKI_FORMAT_CMS },
    { "application", "voucher-jws+json", BRSKI_FORMAT_JWS },
    { "application", "voucher+cose", BRSKI_FORMAT_COSE },
    /* before the RFCs */
    { "application", "pkcs7-mime", BRSKI_FORMAT_CMS },
    { "application", "voucher-cose+cbor", BRSKI_FORMAT_COSE },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *brski_format_text(brski_format_t f)
{
    static const char *const words[] = { NULL, "cms", "jws", "cose" };

    return f >= BRSKI_FORMAT_NONE && f <= BRSKI_FORMAT_COSE ? words[f] : NULL;
}

const char *brski_format_media_type(brski_format_t f)
{
    static const char *const types[] = { NULL, "application/voucher-cms+json",
                                         "application/voucher-jws+json",
                                         "application/voucher+cose" };

    return f >= BRSKI_FORMAT_NONE && f <= BRSKI_FORMAT_COSE ? types[f] : NULL;
}

/* ---- RFC 9110's words ---- */

/* A run of octets inside a header field. */
typedef struct span_t {
    const char *text;
    apr_size_t len;
} span_t;

static int span_is(span_t s, const char *word)
{
    return strlen(word) == s.len && strncasecmp(s.text, word, s.len) == 0;
}

static void skip_blanks(const char **p)
{
    *p += strspn(*p, " \t");
}

/* RFC 9110 5.6.2; an empty one is none. */
static int read_token(span_t *s, const char **p)
{
    s->text = *p;
    while (apr_isalnum((unsigned char)**p) || (**p && strchr("!#$%&'*+-.^_`|~", **p))) {
        (*p)++;
    }
    s->len = (apr_size_t)(*p - s->text);
    return s->len > 0;
}

/* RFC 9110 5.6.4; what it says does not matter here, where it ends does. */
static int read_quoted(const char **p)
{
    if (*(*p)++ != '"') {
        return 0;
    }
    for (; **p != '"'; (*p)++) {
        if (**p == '\\') {
            (*p)++;
        }
        if ((unsigned char)**p < 0x20 && **p != '\t') {
            return 0;
        }
    }
    (*p)++;
    return 1;
}

static int read_type(span_t *type, span_t *subtype, const char **p)
{
    if (!read_token(type, p) || **p != '/') {
        return 0;
    }
    (*p)++;
    return read_token(subtype, p);
}

static brski_format_t format_of(span_t type, span_t subtype)
{
    size_t i;

    for (i = 0; i < NAMES; i++) {
        if (span_is(type, names[i].type) && span_is(subtype, names[i].subtype)) {
            return names[i].format;
        }
    }
    return BRSKI_FORMAT_NONE;
}

/* ---- Content-Type ---- */

brski_err_t *brski_format_from_content_type(brski_format_t *f, const char *content_type,
                                            apr_pool_t *scratch_pool)
{
    const char *p = content_type;
    span_t type, subtype;

    *f = BRSKI_FORMAT_NONE;
    if (!content_type) {
        return brski_err_say(brski_err(BRSKI_E_MEDIA_TYPE, NULL, scratch_pool, "no Content-Type"),
                             scratch_pool, "The request has no Content-Type; send %s.",
                             brski_format_media_type(BRSKI_FORMAT_CMS));
    }
    skip_blanks(&p);
    if (read_type(&type, &subtype, &p)) {
        skip_blanks(&p);
        if (!*p || *p == ';') {
            *f = format_of(type, subtype);
        }
    }
    if (*f == BRSKI_FORMAT_CMS) {
        return BRSKI_OK;
    }
    if (*f != BRSKI_FORMAT_NONE) {
        p = brski_format_media_type(*f);
        *f = BRSKI_FORMAT_NONE;
        return brski_err_say(brski_err(BRSKI_E_MEDIA_TYPE, NULL, scratch_pool, "Content-Type: %s",
                                       p),
                             scratch_pool, "This server does not read %s yet; send %s.", p,
                             brski_format_media_type(BRSKI_FORMAT_CMS));
    }
    return brski_err(BRSKI_E_MEDIA_TYPE, NULL, scratch_pool, "Content-Type '%s'",
                     brski_printable(content_type, MAX_SHOWN, scratch_pool));
}

/* ---- Accept ---- */

/* How closely a range names a format; the closest decides (RFC 9110 12.5.1). */
enum { CLOSE_NONE = -1, CLOSE_ANY, CLOSE_TYPE, CLOSE_NAMED };

/* What the field says of each format so far; q in thousandths. */
typedef struct wish_t {
    int close;
    int q;
} wish_t;

typedef struct range_t {
    span_t type, subtype;
    int q;
} range_t;

/* RFC 9110 12.4.2: "0.5", at most three decimals, at most 1. */
static int read_qvalue(int *q, const char **p)
{
    int scale = 100;

    if (**p != '0' && **p != '1') {
        return 0;
    }
    *q = (*(*p)++ - '0') * 1000;
    if (**p == '.') {
        for ((*p)++; apr_isdigit((unsigned char)**p) && scale > 0; (*p)++, scale /= 10) {
            *q += (**p - '0') * scale;
        }
    }
    return *q <= 1000;
}

/* One ";name=value"; after q extensions may lack a value. */
static int read_parameter(range_t *range, int *weighed, const char **p)
{
    span_t name, value;

    skip_blanks(p);
    if (**p == ';' || **p == ',' || !**p) {
        return 1;                        /* RFC 9110 5.6.6: an empty parameter */
    }
    if (!read_token(&name, p)) {
        return 0;
    }
    if (**p != '=') {
        return *weighed;
    }
    (*p)++;
    if (span_is(name, "q") && !*weighed) {
        *weighed = 1;
        return read_qvalue(&range->q, p);
    }
    return **p == '"' ? read_quoted(p) : read_token(&value, p);
}

/* One media range with its parameters, up to the comma or the end. */
static int read_range(range_t *range, const char **p)
{
    int weighed = 0;

    range->q = 1000;
    if (!read_type(&range->type, &range->subtype, p)) {
        return 0;
    }
    if (span_is(range->type, "*") && !span_is(range->subtype, "*")) {
        return 0;
    }
    skip_blanks(p);
    while (**p == ';') {
        (*p)++;
        if (!read_parameter(range, &weighed, p)) {
            return 0;
        }
        skip_blanks(p);
    }
    return !**p || **p == ',';
}

static int closeness(const range_t *range, brski_format_t f)
{
    if (span_is(range->type, "*")) {
        return CLOSE_ANY;
    }
    if (span_is(range->subtype, "*")) {
        return span_is(range->type, "application") ? CLOSE_TYPE : CLOSE_NONE;
    }
    return format_of(range->type, range->subtype) == f ? CLOSE_NAMED : CLOSE_NONE;
}

static void apply_range(wish_t *wishes, const range_t *range)
{
    int f, close;

    for (f = BRSKI_FORMAT_CMS; f <= BRSKI_FORMAT_COSE; f++) {
        close = closeness(range, (brski_format_t)f);
        if (close == CLOSE_NONE || close < wishes[f].close) {
            continue;
        }
        if (close > wishes[f].close || range->q > wishes[f].q) {
            wishes[f].close = close;
            wishes[f].q = range->q;
        }
    }
}

/* RFC 9110 5.6.1: empty elements of a list are skipped. An empty field wishes nothing. */
static brski_err_t *read_accept(wish_t *wishes, int *ranges, const char *accept, apr_pool_t *pool)
{
    const char *p = accept;
    range_t range;

    for (*ranges = 0; *p; ) {
        skip_blanks(&p);
        if (*p == ',') {
            p++;
            continue;
        }
        if (!*p) {
            break;
        }
        if (!read_range(&range, &p)) {
            return brski_err(BRSKI_E_ACCEPT, NULL, pool, "Accept '%s', offset %ld",
                             brski_printable(accept, MAX_SHOWN, pool), (long)(p - accept));
        }
        apply_range(wishes, &range);
        ++*ranges;
    }
    return BRSKI_OK;
}

static brski_err_t *not_acceptable(const char *accept, const apr_array_header_t *offered,
                                   apr_pool_t *pool)
{
    const char *types = "";
    int i;

    for (i = 0; i < offered->nelts; i++) {
        types = apr_pstrcat(pool, types, i ? " or " : "",
                            brski_format_media_type(APR_ARRAY_IDX(offered, i, brski_format_t)),
                            NULL);
    }
    return brski_err_say(brski_err(BRSKI_E_NOT_ACCEPTABLE, NULL, pool, "Accept '%s', offered %s",
                                   brski_printable(accept, MAX_SHOWN, pool), types),
                         pool, "This device understands vouchers of type %s, which the Accept "
                         "header field does not allow.", types);
}

brski_err_t *brski_format_negotiate(brski_format_t *f, const char *accept,
                                    brski_format_t request_format,
                                    const apr_array_header_t *offered, apr_pool_t *scratch_pool)
{
    wish_t wishes[BRSKI_FORMAT_COSE + 1];
    brski_format_t one;
    int i, q, best = 0, ranges = 0;

    *f = BRSKI_FORMAT_NONE;
    for (i = 0; i <= BRSKI_FORMAT_COSE; i++) {
        wishes[i].close = CLOSE_NONE;
        wishes[i].q = 0;
    }
    if (accept) {
        BRSKI_TRY(read_accept(wishes, &ranges, accept, scratch_pool));
    }
    for (i = 0; i < offered->nelts; i++) {
        one = APR_ARRAY_IDX(offered, i, brski_format_t);
        q = ranges ? wishes[one].q : 1000;
        /* Among equals the request's own format wins, then the order of the product. */
        if (q > best || (q == best && q > 0 && one == request_format)) {
            best = q;
            *f = one;
        }
    }
    return *f ? BRSKI_OK : not_acceptable(accept, offered, scratch_pool);
}
