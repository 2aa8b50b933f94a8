/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_bytes_test.c: base64 strict and liberal, hex, SHA-256, and what may be printed.
 */
#include "brski_bytes.h"

#include <apr_strings.h>
#include <string.h>

#include "unit.h"

static void plain(apr_pool_t *pool)
{
    brski_bytes_t none = { NULL, 0 }, copy;

    copy = brski_bytes_dup(brski_bytes("a\0b", 3), pool);
    is_mem(copy.data, copy.len, "a\0b", 3, "bytes: a copy is equal");
    is_int(copy.data[3], 0, "bytes: a NUL follows a copy");
    is_int(brski_bytes_dup(none, pool).data[0], 0, "bytes: nothing can be copied");
    ok(brski_bytes_equal(brski_bytes_str("ab"), brski_bytes("abc", 2)), "bytes: equal");
    ok(!brski_bytes_equal(brski_bytes_str("ab"), brski_bytes_str("ac")), "bytes: other octets");
    ok(!brski_bytes_equal(brski_bytes_str("ab"), brski_bytes_str("abc")), "bytes: other length");
    ok(brski_bytes_equal(none, brski_bytes_str("")), "bytes: nothing equals nothing");
}

/* RFC 4648 section 10. */
static const char *const rfc4648[][2] = {
    { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
};

/* Strictly refused; the offset that the error must name. */
static const struct {
    const char *text, *offset, *why;
} broken[] = {
    { "Zg", "2", "no padding" },
    { "Zg=", "3", "half a padding" },
    { "Z===", "1", "three pads" },
    { "====", "0", "padding alone" },
    { "Zm9v====", "4", "a group of pads" },
    { "Zg==Zg==", "2", "two texts" },
    { "Zm9v\nZm9v\n\n\n", "4", "line breaks" },
    { " Zm9vZm9", "0", "a blank" },
    { "Zm9-", "3", "base64url" },
    { "Zm_v", "2", "base64url" },
    { "Zh==", "1", "trailing bits of one octet" },
    { "Zm9=", "2", "trailing bits of two octets" },
    { "Zm\xc3\xa4", "2", "UTF-8" },
    { "=m9v", "0", "leading padding" },
};

static void base64_strict(apr_pool_t *pool)
{
    brski_bytes_t out;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(rfc4648) / sizeof(rfc4648[0]); i++) {
        is_str(brski_base64_encode(brski_bytes_str(rfc4648[i][0]), pool), rfc4648[i][1],
               "RFC 4648 10 encodes \"%s\"", rfc4648[i][0]);
        is_ok(brski_base64_decode(&out, rfc4648[i][1], pool), "RFC 4648 10 decodes \"%s\"",
              rfc4648[i][1]);
        is_mem(out.data, out.len, rfc4648[i][0], strlen(rfc4648[i][0]), "RFC 4648 10 to \"%s\"",
               rfc4648[i][0]);
    }
    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        err = brski_base64_decode(&out, broken[i].text, pool);
        is_err(err, BASE64, "RFC 4648 4 refuses %s", broken[i].why);
        has_str(err ? err->detail : "", apr_psprintf(pool, "offset %s:", broken[i].offset),
                "RFC 4648 4 names the offset of %s", broken[i].why);
        is_int(out.len, 0, "RFC 4648 4 gives nothing for %s", broken[i].why);
    }
}

static void base64_all(apr_pool_t *pool)
{
    unsigned char octets[256];
    brski_bytes_t out;
    size_t i, wrong = 0;

    for (i = 0; i < sizeof(octets); i++) {
        octets[i] = (unsigned char)(i * 167 + 13);
    }
    for (i = 0; i < sizeof(octets); i++) {
        char *text = brski_base64_encode(brski_bytes(octets, i), pool);

        if (brski_base64_decode(&out, text, pool) || out.len != i || memcmp(out.data, octets, i)
            || brski_base64_decode_liberal(&out, text, strlen(text), pool) || out.len != i
            || memcmp(out.data, octets, i)) {
            wrong++;
        }
    }
    is_int(wrong, 0, "base64: there and back for every length and every octet");
}

static void liberal(const char *text, const char *want, apr_pool_t *pool)
{
    brski_bytes_t out;
    brski_err_t *err = brski_base64_decode_liberal(&out, text, strlen(text), pool);

    text = brski_printable(text, 40, pool);
    if (want) {
        is_ok(err, "base64 liberal: reads %s", text);
        is_mem(out.data, out.len, want, strlen(want), "base64 liberal: \"%s\"", want);
    }
    else {
        is_err(err, BASE64, "base64 liberal: refuses %s", text);
    }
}

static void base64_liberal(apr_pool_t *pool)
{
    brski_bytes_t out;

    liberal("Zm9v\r\nYmFy\n", "foobar", pool);
    liberal(" Z g", "f", pool);
    liberal("Zm8", "fo", pool);
    liberal("Zm8=\n", "fo", pool);
    liberal("Zh==", "f", pool);
    liberal("", "", pool);
    liberal("Z", NULL, pool);
    liberal("Zm9vZ", NULL, pool);
    liberal("Zg==Zg==", NULL, pool);
    liberal("Zg===", NULL, pool);
    liberal("Zm9v-", NULL, pool);
    is_err(brski_base64_decode_liberal(&out, "Zm\0v", 4, pool), BASE64,
           "base64 liberal: refuses a NUL");
    is_ok(brski_base64_decode_liberal(&out, "Zm9vXXXX", 4, pool), "base64 liberal: keeps to len");
    is_int(out.len, 3, "base64 liberal: and reads no further");
}

static void hex(apr_pool_t *pool)
{
    static const char *const bad[] = { "0", "0g", "abc", ":ab", "ab:", "ab::cd", "a:bc", "ab cd",
                                       "0x12" };
    brski_bytes_t out;
    size_t i;

    is_str(brski_hex(brski_bytes("\x00\xff\x1a", 3), pool), "00ff1a", "hex: lower case");
    is_ok(brski_hex_decode(&out, "00fF1A", pool), "hex: reads either case");
    is_mem(out.data, out.len, "\x00\xff\x1a", 3, "hex: the octets");
    is_ok(brski_hex_decode(&out, "00:ff:1a", pool), "hex: reads colons");
    is_mem(out.data, out.len, "\x00\xff\x1a", 3, "hex: the octets");
    is_ok(brski_hex_decode(&out, "", pool), "hex: nothing is nothing");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_err(brski_hex_decode(&out, bad[i], pool), HEX, "hex: refuses \"%s\"", bad[i]);
    }
}

static void sha256(apr_pool_t *pool)
{
    brski_bytes_t none = { NULL, 0 };

    /* FIPS 180-4's examples. */
    is_str(brski_sha256_hex(brski_bytes_str("abc"), pool),
           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "SHA-256 of abc");
    is_str(brski_hex(brski_sha256(none, pool), pool),
           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
           "SHA-256 of nothing");
}

static void printable(apr_pool_t *pool)
{
    is_str(brski_printable(NULL, 10, pool), "(none)", "printable: NULL");
    is_str(brski_printable("", 10, pool), "", "printable: nothing");
    is_str(brski_printable("plain text", 10, pool), "plain text", "printable: as it is");
    is_str(brski_printable("plain text!", 10, pool), "plain text...", "printable: cut");
    is_str(brski_printable("a\nb\x1b[0m\"'\\\x7f", 99, pool),
           "a\\x0ab\\x1b[0m\\x22\\x27\\x5c\\x7f", "printable: controls and quotes");
    is_str(brski_printable("M\xc3\xbcller \xf0\x9f\x94\x91", 99, pool),
           "M\xc3\xbcller \xf0\x9f\x94\x91", "printable: UTF-8 stays");
    is_str(brski_printable("M\xfcller", 99, pool), "M\\xfcller", "printable: Latin-1");
    is_str(brski_printable("\xc3", 99, pool), "\\xc3", "printable: half a character");
    is_str(brski_printable("\xc0\xaf|\xe0\x80\xaf|\xed\xa0\x80|\xf4\x90\x80\x80", 99, pool),
           "\\xc0\\xaf|\\xe0\\x80\\xaf|\\xed\\xa0\\x80|\\xf4\\x90\\x80\\x80",
           "printable: overlong, surrogate, beyond Unicode");
    is_str(brski_printable("\xc2\x9b|\xe2\x80\xae|\xef\xbb\xbf", 99, pool),
           "\\xc2\\x9b|\\xe2\\x80\\xae|\\xef\\xbb\\xbf",
           "printable: C1 controls, right-to-left override, BOM");
    is_str(brski_printable("ab\xc3\xbc", 3, pool), "ab...", "printable: no cut inside a character");
    is_str(brski_printable("abc", 0, pool), "...", "printable: room for nothing");
    is_str(brski_printable("abc", (apr_size_t)-1, pool), "abc", "printable: room for all");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    plain(pool);
    base64_strict(pool);
    base64_all(pool);
    base64_liberal(pool);
    hex(pool);
    sha256(pool);
    printable(pool);
    return done_testing();
}
