/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_der.c: the strict reader and writer of DER that brski_der.h promises.
 */
#include "brski_der.h"

#include <apr_strings.h>
#include <string.h>

#define NUMBER_IN_MORE_OCTETS 0x1F
#define ANY (-1)

brski_der_t brski_der(brski_bytes_t b)
{
    brski_der_t in = { b.data, b.data ? b.data + b.len : b.data };

    return in;
}

int brski_der_end(const brski_der_t *in)
{
    return in->at == in->end;
}

int brski_der_peek(const brski_der_t *in)
{
    return brski_der_end(in) ? -1 : *in->at;
}

static apr_size_t left(const brski_der_t *in)
{
    return brski_der_end(in) ? 0 : (apr_size_t)(in->end - in->at);
}

/* X.690 8.1.3 and 10.1: the shortest form, never indefinite. */
static const char *read_length(apr_size_t *len, brski_der_t *in)
{
    int octets;

    if (!left(in)) {
        return "ends early";
    }
    *len = *in->at++;
    if (*len < 0x80) {
        return NULL;
    }
    if (*len == 0x80) {
        return "has an indefinite length";
    }
    octets = (int)(*len & 0x7F);
    if (octets > 4 || left(in) < (apr_size_t)octets) {
        return "ends early";
    }
    *len = 0;
    while (octets-- > 0) {
        if (!*len && !*in->at) {
            return "has a length that is not in its shortest form";
        }
        *len = *len << 8 | *in->at++;
    }
    return *len < 0x80 ? "has a length that is not in its shortest form" : NULL;
}

/* On failure out is all zero and nothing is taken. */
static const char *take(brski_der_tlv_t *out, brski_der_t *in, int wanted)
{
    brski_der_t try = *in;
    brski_der_tlv_t tlv;
    const char *why;

    memset(out, 0, sizeof(*out));
    if (brski_der_end(in)) {
        return "ends early";
    }
    tlv.tag = *try.at++;
    if ((tlv.tag & NUMBER_IN_MORE_OCTETS) == NUMBER_IN_MORE_OCTETS) {
        return "has a tag that does not belong there";
    }
    if ((why = read_length(&tlv.value.len, &try))) {
        return why;
    }
    if (tlv.value.len > left(&try)) {
        return "ends early";
    }
    if (wanted != ANY && tlv.tag != wanted) {
        return "has another structure";
    }
    tlv.value.data = try.at;
    tlv.whole.data = in->at;
    tlv.whole.len = (apr_size_t)(try.at - in->at) + tlv.value.len;
    in->at = try.at + tlv.value.len;
    *out = tlv;
    return NULL;
}

const char *brski_der_next(brski_der_tlv_t *out, brski_der_t *in)
{
    return take(out, in, ANY);
}

const char *brski_der_expect(brski_der_tlv_t *out, brski_der_t *in, int tag)
{
    return take(out, in, tag);
}

const char *brski_der_enter(brski_der_t *inside, brski_der_t *in, int tag)
{
    brski_der_tlv_t tlv;
    const char *why = brski_der_expect(&tlv, in, tag);

    *inside = brski_der(tlv.value);
    return why;
}

const char *brski_der_optional(brski_der_tlv_t *out, brski_der_t *in, int tag)
{
    memset(out, 0, sizeof(*out));
    return brski_der_peek(in) == tag ? brski_der_next(out, in) : NULL;
}

/* Identifier and length octets; returns how many. */
static apr_size_t put_header(unsigned char out[6], int tag, apr_size_t len)
{
    apr_size_t n = 0;
    int shift = 24;

    out[n++] = (unsigned char)tag;
    if (len < 0x80) {
        out[n++] = (unsigned char)len;
        return n;
    }
    while (!(len >> shift)) {
        shift -= 8;
    }
    out[n++] = (unsigned char)(0x80 | (shift / 8 + 1));
    for (; shift >= 0; shift -= 8) {
        out[n++] = (unsigned char)(len >> shift);
    }
    return n;
}

brski_bytes_t brski_der_make(int tag, apr_pool_t *pool, int n, const brski_bytes_t *pieces)
{
    unsigned char header[6], *at;
    apr_size_t len = 0, header_len;
    brski_bytes_t made;
    int i;

    for (i = 0; i < n; i++) {
        len += pieces[i].len;
    }
    header_len = put_header(header, tag, len);
    made.len = header_len + len;
    made.data = at = apr_palloc(pool, made.len);
    memcpy(at, header, header_len);
    at += header_len;
    for (i = 0; i < n; i++) {
        if (pieces[i].len) {
            memcpy(at, pieces[i].data, pieces[i].len);
        }
        at += pieces[i].len;
    }
    return made;
}

/* X.690 11.6: as octet strings, the shorter padded with zeros. */
static int is_before(brski_bytes_t a, brski_bytes_t b)
{
    int diff = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return diff ? diff < 0 : a.len < b.len;
}

brski_bytes_t brski_der_make_set(int tag, apr_pool_t *pool, int n, const brski_bytes_t *elements)
{
    brski_bytes_t *sorted = apr_palloc(pool, sizeof(*sorted) * (apr_size_t)(n + 1));
    int i, j;

    for (i = 0; i < n; i++) {
        for (j = i; j > 0 && is_before(elements[i], sorted[j - 1]); j--) {
            sorted[j] = sorted[j - 1];
        }
        sorted[j] = elements[i];
    }
    return brski_der_make(tag, pool, n, sorted);
}
