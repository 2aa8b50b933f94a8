/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_der_values.c: reading and writing the single values that brski_der_values.h names.
 */
#include "brski_der_values.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

#define OID_MAX_OCTETS 128
#define ARC_MAX_BITS 63

brski_bytes_t brski_der_wrap(int tag, brski_bytes_t content, apr_pool_t *pool)
{
    return brski_der_make(tag, pool, 1, &content);
}

/* ---- object identifiers ---- */

/* X.690 8.19: seven bits an octet, all but the last with the high bit; 0 when there is no room. */
static apr_size_t put_arc(unsigned char *out, apr_size_t room, apr_uint64_t arc)
{
    apr_size_t n = 1, i;
    apr_uint64_t left;

    for (left = arc >> 7; left; left >>= 7) {
        n++;
    }
    if (n > room) {
        return 0;
    }
    for (i = n; i > 0; i--, arc >>= 7) {
        out[i - 1] = (unsigned char)((arc & 0x7F) | (i == n ? 0 : 0x80));
    }
    return n;
}

/* A number without zeros in front, and the dot after it; 0 when there is none. */
static int read_arc(apr_uint64_t *arc, const char **text)
{
    const char *at = *text;

    *arc = 0;
    if (*at < '0' || *at > '9' || (*at == '0' && at[1] >= '0' && at[1] <= '9')) {
        return 0;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        if (*arc > ((apr_uint64_t)1 << (ARC_MAX_BITS - 4))) {
            return 0;
        }
        *arc = *arc * 10 + (apr_uint64_t)(*at - '0');
    }
    if (*at == '.' && at[1]) {
        at++;
    }
    else if (*at) {
        return 0;
    }
    *text = at;
    return 1;
}

brski_bytes_t brski_der_oid(const char *dotted, apr_pool_t *pool)
{
    const brski_bytes_t none = { NULL, 0 };
    unsigned char octets[OID_MAX_OCTETS];
    apr_uint64_t first, arc;
    apr_size_t len = 0, n;

    if (!read_arc(&first, &dotted) || first > 2 || !*dotted || !read_arc(&arc, &dotted)
        || (first < 2 && arc > 39)) {
        return none;
    }
    arc += 40 * first;
    for (;;) {
        if (!(n = put_arc(octets + len, sizeof(octets) - len, arc))) {
            return none;
        }
        len += n;
        if (!*dotted) {
            return brski_der_wrap(BRSKI_DER_OID, brski_bytes(octets, len), pool);
        }
        if (!read_arc(&arc, &dotted)) {
            return none;
        }
    }
}

/* One subidentifier; 0 when it is not in its shortest form, too large or cut off. */
static int take_arc(apr_uint64_t *arc, brski_bytes_t *content)
{
    *arc = 0;
    if (!content->len || *content->data == 0x80) {
        return 0;
    }
    while (content->len) {
        unsigned char octet = *content->data++;

        content->len--;
        if (*arc >> (ARC_MAX_BITS - 7)) {
            return 0;
        }
        *arc = *arc << 7 | (octet & 0x7F);
        if (!(octet & 0x80)) {
            return 1;
        }
    }
    return 0;
}

const char *brski_der_oid_text(brski_bytes_t content, apr_pool_t *pool)
{
    char *text, *at, *end;
    apr_uint64_t arc, first;

    if (content.len > OID_MAX_OCTETS || !take_arc(&arc, &content)) {
        return NULL;
    }
    /* an octet of content gives at most four characters */
    text = at = apr_palloc(pool, 24 + 4 * content.len + 24);
    end = text + 24 + 4 * content.len + 24;
    first = arc < 40 ? 0 : arc < 80 ? 1 : 2;
    at += apr_snprintf(at, (apr_size_t)(end - at), "%d.%" APR_UINT64_T_FMT, (int)first,
                       arc - 40 * first);
    while (content.len) {
        if (!take_arc(&arc, &content)) {
            return NULL;
        }
        at += apr_snprintf(at, (apr_size_t)(end - at), ".%" APR_UINT64_T_FMT, arc);
    }
    return text;
}

/* ---- times ---- */

brski_bytes_t brski_der_time(apr_time_t t, apr_pool_t *pool)
{
    apr_time_exp_t e;
    char text[32];

    apr_time_exp_gmt(&e, t);
    if (e.tm_year >= 50 && e.tm_year < 150) {
        apr_snprintf(text, sizeof(text), "%02d%02d%02d%02d%02d%02dZ", e.tm_year % 100, e.tm_mon + 1,
                     e.tm_mday, e.tm_hour, e.tm_min, e.tm_sec);
        return brski_der_wrap(BRSKI_DER_UTC_TIME, brski_bytes_str(text), pool);
    }
    apr_snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", e.tm_year + 1900, e.tm_mon + 1,
                 e.tm_mday, e.tm_hour, e.tm_min, e.tm_sec);
    return brski_der_wrap(BRSKI_DER_GENERALIZED_TIME, brski_bytes_str(text), pool);
}

static int two_digits(const unsigned char *at)
{
    return 10 * (at[0] - '0') + at[1] - '0';
}

static int are_digits(const unsigned char *at, apr_size_t n)
{
    while (n > 0 && at[n - 1] >= '0' && at[n - 1] <= '9') {
        n--;
    }
    return n == 0;
}

apr_time_t brski_der_time_read(const brski_der_tlv_t *tlv)
{
    const unsigned char *at = tlv->value.data;
    apr_size_t year_len = tlv->tag == BRSKI_DER_UTC_TIME ? 2 : 4;
    apr_time_exp_t e;
    apr_time_t t;

    memset(&e, 0, sizeof(e));
    if ((tlv->tag != BRSKI_DER_UTC_TIME && tlv->tag != BRSKI_DER_GENERALIZED_TIME)
        || tlv->value.len != year_len + 11 || !are_digits(at, year_len + 10)
        || at[year_len + 10] != 'Z') {
        return 0;
    }
    e.tm_year = two_digits(at);
    if (year_len == 2) {
        e.tm_year += e.tm_year < 50 ? 100 : 0;
    }
    else {
        e.tm_year = 100 * e.tm_year + two_digits(at + 2) - 1900;
    }
    at += year_len;
    e.tm_mon = two_digits(at) - 1;
    e.tm_mday = two_digits(at + 2);
    e.tm_hour = two_digits(at + 4);
    e.tm_min = two_digits(at + 6);
    e.tm_sec = two_digits(at + 8);
    return apr_time_exp_gmt_get(&t, &e) == APR_SUCCESS && t > 0 ? t : 0;
}

/* ---- integers ---- */

brski_bytes_t brski_der_integer_octets(brski_bytes_t octets, apr_pool_t *pool)
{
    static const unsigned char zero[] = { 0 };
    brski_bytes_t pieces[2] = { BRSKI_LITERAL(zero), octets };

    while (pieces[1].len && !*pieces[1].data) {
        pieces[1].data++;
        pieces[1].len--;
    }
    if (!pieces[1].len || *pieces[1].data & 0x80) {
        return brski_der_make(BRSKI_DER_INTEGER, pool, 2, pieces);
    }
    return brski_der_make(BRSKI_DER_INTEGER, pool, 1, pieces + 1);
}

brski_bytes_t brski_der_integer(apr_int64_t n, apr_pool_t *pool)
{
    unsigned char octets[8];
    int i;

    for (i = 7; i >= 0; i--, n >>= 8) {
        octets[i] = (unsigned char)n;
    }
    return brski_der_integer_octets(brski_bytes(octets, sizeof(octets)), pool);
}

const char *brski_der_serial_hex(brski_bytes_t content, apr_pool_t *pool)
{
    while (content.len > 1 && !*content.data) {
        content.data++;
        content.len--;
    }
    return brski_hex(content, pool);
}
