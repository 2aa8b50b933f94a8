/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_bytes.c: octets and their texts: base64, hex, SHA-256, and what a log may print. The base64
 * decoder is our own because EVP_DecodeBlock lets white space and missing padding pass.
 */
#include "brski_bytes.h"

#include <apr_strings.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "brski_err.h"

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789abcdef";

brski_bytes_t brski_bytes(const void *data, apr_size_t len)
{
    brski_bytes_t b = { data, len };

    return b;
}

brski_bytes_t brski_bytes_str(const char *s)
{
    return brski_bytes(s, strlen(s));
}

brski_bytes_t brski_bytes_dup(brski_bytes_t b, apr_pool_t *pool)
{
    unsigned char *copy = apr_palloc(pool, b.len + 1);

    if (b.len) {
        memcpy(copy, b.data, b.len);
    }
    copy[b.len] = '\0';
    return brski_bytes(copy, b.len);
}

int brski_bytes_equal(brski_bytes_t a, brski_bytes_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ---- base64 ---- */

char *brski_base64_encode(brski_bytes_t b, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (b.len + 2) / 3 * 4 + 1), *out = text;
    const unsigned char *in = b.data;
    apr_size_t left;

    for (left = b.len; left >= 3; left -= 3, in += 3) {
        *out++ = base64_alphabet[in[0] >> 2];
        *out++ = base64_alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *out++ = base64_alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        *out++ = base64_alphabet[in[2] & 63];
    }
    if (left) {
        *out++ = base64_alphabet[in[0] >> 2];
        *out++ = base64_alphabet[(in[0] & 3) << 4 | (left == 2 ? in[1] >> 4 : 0)];
        *out++ = left == 2 ? base64_alphabet[(in[1] & 15) << 2] : '=';
        *out++ = '=';
    }
    *out = '\0';
    return text;
}

/* One more than the value of a base64 character: what has no place here is 0. A table, because the
 * branches of a comparison cannot be foretold for text that looks random. */
static const unsigned char base64_place[256] = {
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7,
    ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13,
    ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19,
    ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25,
    ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31,
    ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43,
    ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55,
    ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61,
    ['9'] = 62, ['+'] = 63, ['/'] = 64
};

/* Value of a base64 character, or -1. */
static int sextet(unsigned char c)
{
    return (int)base64_place[c] - 1;
}

static brski_err_t *bad_base64(apr_size_t offset, const char *why, apr_pool_t *pool)
{
    return brski_err(BRSKI_E_BASE64, NULL, pool, "base64, offset %" APR_SIZE_T_FMT ": %s", offset,
                     why);
}

brski_err_t *brski_base64_decode(brski_bytes_t *out, const char *text, apr_pool_t *pool)
{
    apr_size_t len = strlen(text), digits = len, i;
    unsigned char *data, *to;
    unsigned bits = 0;
    int value;

    *out = brski_bytes(NULL, 0);
    if (len % 4) {
        return bad_base64(len, "the length is no multiple of four", pool);
    }
    while (digits > 0 && len - digits < 2 && text[digits - 1] == '=') {
        digits--;
    }
    data = to = apr_palloc(pool, len / 4 * 3 + 1);
    for (i = 0; i < digits; i++) {
        value = sextet((unsigned char)text[i]);
        if (value < 0) {
            return bad_base64(i, "not a character of the alphabet", pool);
        }
        bits = bits << 6 | (unsigned)value;
        if (i % 4 == 3) {
            *to++ = (unsigned char)(bits >> 16);
            *to++ = (unsigned char)(bits >> 8);
            *to++ = (unsigned char)bits;
            bits = 0;
        }
    }
    if ((digits % 4 == 2 && (bits & 15)) || (digits % 4 == 3 && (bits & 3))) {
        return bad_base64(digits - 1, "bits after the last octet are not zero", pool);
    }
    if (digits % 4 == 2) {
        *to++ = (unsigned char)(bits >> 4);
    }
    else if (digits % 4 == 3) {
        *to++ = (unsigned char)(bits >> 10);
        *to++ = (unsigned char)(bits >> 2);
    }
    *to = '\0';
    *out = brski_bytes(data, (apr_size_t)(to - data));
    return BRSKI_OK;
}

static int is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

brski_err_t *brski_base64_decode_liberal(brski_bytes_t *out, const char *text, apr_size_t len,
                                         apr_pool_t *pool)
{
    unsigned char *data = apr_palloc(pool, len / 4 * 3 + 4), *to = data;
    unsigned bits = 0;
    apr_size_t i, digits = 0, padding = 0;
    int value;

    *out = brski_bytes(NULL, 0);
    for (i = 0; i < len; i++) {
        if (is_blank((unsigned char)text[i])) {
            continue;
        }
        if (text[i] == '=' && padding < 2) {
            padding++;
            continue;
        }
        value = sextet((unsigned char)text[i]);
        if (value < 0 || padding) {
            return bad_base64(i, "not a character of the alphabet, or one after padding", pool);
        }
        bits = (bits << 6 | (unsigned)value) & 0xFFFFFF;
        /* Every digit but the first of four completes an octet. */
        switch (digits++ % 4) {
        case 1:
            *to++ = (unsigned char)(bits >> 4);
            break;
        case 2:
            *to++ = (unsigned char)(bits >> 2);
            break;
        case 3:
            *to++ = (unsigned char)bits;
            break;
        }
    }
    if (digits % 4 == 1) {
        return bad_base64(len, "the last octet is incomplete", pool);
    }
    *to = '\0';
    *out = brski_bytes(data, (apr_size_t)(to - data));
    return BRSKI_OK;
}

/* ---- hex ---- */

char *brski_hex(brski_bytes_t b, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * b.len + 1), *out = text;
    apr_size_t i;

    for (i = 0; i < b.len; i++) {
        *out++ = hex_digits[b.data[i] >> 4];
        *out++ = hex_digits[b.data[i] & 15];
    }
    *out = '\0';
    return text;
}

static int nibble(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

brski_err_t *brski_hex_decode(brski_bytes_t *out, const char *text, apr_pool_t *pool)
{
    unsigned char *data = apr_palloc(pool, strlen(text) / 2 + 1), *to = data;
    const char *in = text;
    int high, low;

    *out = brski_bytes(NULL, 0);
    while (*in) {
        if (*in == ':' && in != text && in[1]) {
            in++;
        }
        high = nibble((unsigned char)in[0]);
        low = high < 0 ? -1 : nibble((unsigned char)in[1]);
        if (low < 0) {
            return brski_err(BRSKI_E_HEX, NULL, pool, "hex, offset %ld: two digits were expected",
                             (long)(in - text));
        }
        *to++ = (unsigned char)(high << 4 | low);
        in += 2;
    }
    *to = '\0';
    *out = brski_bytes(data, (apr_size_t)(to - data));
    return BRSKI_OK;
}

/* ---- SHA-256 ---- */

static void sha256(unsigned char *out, brski_bytes_t b)
{
    /* It fails only when OpenSSL has lost its default provider, and then nothing else works. */
    if (!SHA256(b.len ? b.data : (const unsigned char *)"", b.len, out)) {
        abort();
    }
}

brski_bytes_t brski_sha256(brski_bytes_t b, apr_pool_t *pool)
{
    unsigned char *hash = apr_palloc(pool, BRSKI_SHA256_LEN);

    sha256(hash, b);
    return brski_bytes(hash, BRSKI_SHA256_LEN);
}

char *brski_sha256_hex(brski_bytes_t b, apr_pool_t *pool)
{
    unsigned char hash[BRSKI_SHA256_LEN];

    sha256(hash, b);
    return brski_hex(brski_bytes(hash, sizeof(hash)), pool);
}

/* ---- printable ---- */

/* Octets of the UTF-8 character at s and its code, or 0 when there is none. Stops at the NUL. */
static int utf8_char(const unsigned char *s, unsigned *code)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int len, i;

    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4) {
        return 0;
    }
    *code = s[0] & (0xFFu >> (len + 1));
    for (i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (s[i] & 0x3Fu);
    }
    if (*code < least[len] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF)) {
        return 0;
    }
    return len;
}

int brski_is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned code;
    int len;

    for (; *s; s += len) {
        len = utf8_char(s, &code);
        if (len == 0) {
            return 0;
        }
    }
    return 1;
}

/* Quotes, backslash, controls, and what makes a terminal show another order than is there. */
static int must_escape(unsigned code)
{
    return code < 0x20 || code == '"' || code == '\'' || code == '\\'
           || (code >= 0x7F && code <= 0x9F)
           || (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E)
           || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

static char *escape(char *to, const unsigned char *from, int len)
{
    while (len-- > 0) {
        *to++ = '\\';
        *to++ = 'x';
        *to++ = hex_digits[*from >> 4];
        *to++ = hex_digits[*from++ & 15];
    }
    return to;
}

const char *brski_printable(const char *text, apr_size_t max, apr_pool_t *pool)
{
    const unsigned char *in = (const unsigned char *)text, *end;
    char *out, *to;
    unsigned code;
    int len;

    if (!text) {
        return "(none)";
    }
    end = in + strnlen(text, max);
    out = to = apr_palloc(pool, 4 * (apr_size_t)(end - in) + 4);
    while (in < end) {
        len = utf8_char(in, &code);
        if (len > end - in) {
            break;
        }
        if (len == 0 || must_escape(code)) {
            len = len ? len : 1;
            to = escape(to, in, len);
        }
        else {
            memcpy(to, in, (size_t)len);
            to += len;
        }
        in += len;
    }
    if (*in) {
        memcpy(to, "...", 3);
        to += 3;
    }
    *to = '\0';
    return out;
}
