/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_json_test.c: JSON strictly read, written in order, and owned by its pool.
 */
#include "brski_json.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

static brski_err_t *parse(brski_json_t **v, const char *text, apr_pool_t *pool)
{
    return brski_json_parse(v, brski_bytes_str(text), &brski_limits_default, pool);
}

static void reading(apr_pool_t *pool)
{
    brski_json_t *v, *list;

    is_ok(parse(&v, " {\"s\":\"a\\u00fc\\/\",\"i\":-7,\"r\":1.5,\"t\":true,\"f\":false,\"n\":null,"
                "\"l\":[1,\"x\",{}],\"o\":{\"k\":\"w\"}}\n", pool), "json: reads an object");
    is_int(brski_json_type(v), BRSKI_JSON_OBJECT, "json: an object");
    is_int(brski_json_size(v), 8, "json: its size");
    is_str(brski_json_get_string(v, "s"), "a\xc3\xbc/", "json: a string, escapes decoded");
    is_int(brski_json_int(brski_json_get(v, "i")), -7, "json: an integer");
    is_int(brski_json_type(brski_json_get(v, "i")), BRSKI_JSON_INTEGER, "json: its type");
    is_int(brski_json_type(brski_json_get(v, "r")), BRSKI_JSON_REAL, "json: a real number");
    is_int(brski_json_bool(brski_json_get(v, "t")), 1, "json: true");
    is_int(brski_json_bool(brski_json_get(v, "f")), 0, "json: false");
    is_int(brski_json_type(brski_json_get(v, "f")), BRSKI_JSON_BOOLEAN, "json: a boolean");
    is_int(brski_json_type(brski_json_get(v, "n")), BRSKI_JSON_NULL, "json: null");
    is_str(brski_json_key(v, 0), "s", "json: the first key");
    is_str(brski_json_key(v, 7), "o", "json: the last key");
    ok(brski_json_key(v, 8) == NULL, "json: no key after it");
    list = brski_json_get(v, "l");
    is_int(brski_json_type(list), BRSKI_JSON_ARRAY, "json: an array");
    is_int(brski_json_size(list), 3, "json: its size");
    is_str(brski_json_string(brski_json_at(list, 1)), "x", "json: an element");
    ok(brski_json_at(list, 3) == NULL, "json: no element after the last");
    is_str(brski_json_get_string(brski_json_get(v, "o"), "k"), "w", "json: a member's member");
}

static char *long_text(char filler, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 301);

    memset(text, filler, 300);
    text[300] = '\0';
    return text;
}

static brski_json_t *parse_all(apr_pool_t *pool, const char *first, ...)
{
    apr_array_header_t *pieces = apr_array_make(pool, 8, sizeof(const char *));
    brski_json_t *v = NULL;
    va_list more;

    va_start(more, first);
    for (; first; first = va_arg(more, const char *)) {
        APR_ARRAY_PUSH(pieces, const char *) = first;
    }
    va_end(more);
    parse(&v, apr_array_pstrcat(pool, pieces, 0), pool);
    return v;
}

/* Long strings take a way of their own through the parser. */
static void long_strings(apr_pool_t *pool)
{
    const char *a = long_text('a', pool), *b = long_text('b', pool);
    brski_json_t *v, *err_at = NULL;
    brski_err_t *err;

    v = parse_all(pool, "{\"x\":\"", a, "\" , \"l\":[\"", b, "\",\"0\"],\"o\":{\"y\":\"", b,
                  "\"}}", NULL);
    is_str(brski_json_get_string(v, "x"), a, "json: a long string");
    is_str(brski_json_string(brski_json_at(brski_json_get(v, "l"), 0)), b, "json: in a list");
    is_str(brski_json_string(brski_json_at(brski_json_get(v, "l"), 1)), "0", "json: a short one");
    is_str(brski_json_get_string(brski_json_get(v, "o"), "y"), b, "json: in an object");
    ok(strstr(brski_json_text(v, 0, pool), a) != NULL, "json: and written again");

    v = parse_all(pool, "{\"", a, "\" : \"", b, "\"}", NULL);
    is_str(brski_json_key(v, 0), a, "json: a long key");
    is_str(brski_json_get_string(v, a), b, "json: and what it names");
    ok(!parse_all(pool, "{\"", a, "\":1,\"", a, "\":2}", NULL), "json: no long key twice");

    v = parse_all(pool, "[\"", a, "\",\"\\u007f0\"]", NULL);
    is_str(brski_json_string(brski_json_at(v, 1)), "\x7f" "0", "json: an escape is what it says");
    v = parse_all(pool, "[\"", a, "\",\"\x7f" "0\"]", NULL);
    is_str(brski_json_string(brski_json_at(v, 1)), "\x7f" "0", "json: and so is the character");
    v = parse_all(pool, "[\"", a, "\xc3\xbc", "\",\"", b, "\\n\"]", NULL);
    is_int((long)strlen(brski_json_string(brski_json_at(v, 0))), 302, "json: long, not ASCII");
    is_int((long)strlen(brski_json_string(brski_json_at(v, 1))), 301, "json: long, an escape");

    ok(!parse_all(pool, "[\"", a, "\xff\"]", NULL), "json: long, no UTF-8");
    ok(!parse_all(pool, "[\"", a, "\n\"]", NULL), "json: long, a control");
    ok(!parse_all(pool, "[\"", a, NULL), "json: long, without an end");
    ok(!parse_all(pool, "[\"", a, "\"", b, NULL), "json: long, and then something");
    err = parse(&err_at, apr_pstrcat(pool, "[\"", a, "\",}", NULL), pool);
    ok(err && strstr(err->public_text, "column 305"), "json: where the mistake is");
}

/* What is not there, or is something else, answers and does not crash. */
static void other_types(apr_pool_t *pool)
{
    brski_json_t *v, *n;

    parse(&v, "{\"n\":1.0,\"s\":\"1\"}", pool);
    n = brski_json_get(v, "n");
    ok(brski_json_string(n) == NULL, "json: a number is no string");
    is_int(brski_json_int(n), 0, "json: a real number is no integer");
    is_int(brski_json_bool(n), -1, "json: a number is no boolean");
    ok(!brski_json_get(n, "x") && !brski_json_at(n, 0), "json: a number holds nothing");
    is_int(brski_json_size(n), 0, "json: a number has no size");
    ok(brski_json_key(n, 0) == NULL, "json: a number has no keys");
    ok(brski_json_get_string(v, "n") == NULL, "json: a number is no string member");
    is_int(brski_json_int(brski_json_get(v, "s")), 0, "json: a string is no integer");
    ok(brski_json_at(v, 0) == NULL, "json: an object has no elements");
    ok(brski_json_get(v, "absent") == NULL, "json: an absent member");
    is_int(brski_json_type(NULL), BRSKI_JSON_NONE, "json: NULL has no type");
    ok(!brski_json_string(NULL) && !brski_json_get(NULL, "x") && !brski_json_at(NULL, 0)
       && !brski_json_size(NULL) && !brski_json_key(NULL, 0) && !brski_json_int(NULL)
       && brski_json_bool(NULL) == -1 && !brski_json_get_string(NULL, "x"),
       "json: NULL answers every question");
}

static const struct {
    const char *text, *why;
} broken[] = {
    { "", "nothing" },
    { "{", "an open object" },
    { "[1,2", "an open array" },
    { "{\"a\":1}x", "something after the value" },
    { "{\"a\":1}{}", "a second value" },
    { "{\"a\":1,}", "a trailing comma" },
    { "{a:1}", "a bare key" },
    { "{'a':1}", "single quotes" },
    { "{\"a\":01}", "a leading zero" },
    { "{\"a\":NaN}", "NaN" },
    { "{\"a\":1e999}", "a number beyond all" },
    { "{\"a\":99999999999999999999}", "an integer beyond 64 bits" },
    { "{\"a\":1,\"a\":2}", "duplicate keys" },
    { "{\"o\":{\"a\":1,\"a\":1}}", "duplicate keys further in" },
    { "{\"a\":1,\"\\u0061\":2}", "duplicate keys, one escaped" },
    { "{\"a\":\"x\\u0000y\"}", "an escaped NUL in a string" },
    { "{\"x\\u0000y\":1}", "an escaped NUL in a key" },
    { "{\"a\":\"\xff\"}", "an octet that is no UTF-8" },
    { "{\"a\":\"\xc0\xaf\"}", "overlong UTF-8" },
    { "{\"a\":\"\xed\xa0\x80\"}", "a surrogate in UTF-8" },
    { "{\"a\":\"\\ud800\"}", "half of a surrogate pair" },
    { "{\"a\":\"line\nbreak\"}", "a control character in a string" },
    { "{\"a\":\"\\x41\"}", "an unknown escape" },
    { "{\"a\":\"\\u12", "an escape that ends" },
    { "{\"a\":\"\\", "a backslash that ends" },
    { "\xef\xbb\xbf{}", "a byte order mark" },
    { "/* c */{}", "a comment" },
    { "]]]]][[[[[", "brackets closed before they open" },
    { "\"text\"", "a string alone" },
};

static void refusals(apr_pool_t *pool)
{
    brski_json_t *v;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        err = parse(&v, broken[i].text, pool);
        is_err(err, JSON, "RFC 8259 refuses %s", broken[i].why);
        ok(v == NULL, "RFC 8259 gives nothing for %s", broken[i].why);
    }
    err = brski_json_parse(&v, brski_bytes("{\"a\":\"\0\"}", 9), &brski_limits_default, pool);
    is_err(err, JSON, "RFC 8259 refuses a NUL in a string");
    is_err(brski_json_parse(&v, brski_bytes("{}\0", 3), &brski_limits_default, pool), JSON,
           "RFC 8259 refuses a NUL after the value");
    is_ok(brski_json_parse(&v, brski_bytes("{}x", 2), &brski_limits_default, pool),
          "json: reads no further than its length");
    err = parse(&v, "{\n \"nonce\":1,\n \"nonce\":2}", pool);
    has_str(err->detail, "line 3, column ", "json: names line and column");
    has_str(err->detail, "duplicate object key", "json: says what is wrong");
    err = parse(&v, "{\"<script>\":}", pool);
    has_str(err->public_text, "The JSON is not right in line 1, column ", "json: tells the client");
    ok(!strstr(err->public_text, "script"), "json: without the client's own text");
}

static char *nested(int depth, char open, char close, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * (apr_size_t)depth + 1);

    memset(text, open, (size_t)depth);
    memset(text + depth, close, (size_t)depth);
    text[2 * depth] = '\0';
    return text;
}

static char *filled(const char *unit, int times, apr_pool_t *pool)
{
    size_t len = strlen(unit);
    char *text = apr_palloc(pool, len * (apr_size_t)times + 8), *to = text;

    memcpy(to, "[\"", 2);
    for (to += 2; times > 0; times--, to += len) {
        memcpy(to, unit, len);
    }
    memcpy(to, "\"]", 3);
    return text;
}

static void limits(apr_pool_t *pool)
{
    brski_limits_t small = brski_limits_default;
    brski_json_t *v;
    brski_err_t *err;

    is_ok(parse(&v, nested(8, '[', ']', pool), pool), "limit: depth 8 is read");
    err = parse(&v, nested(9, '[', ']', pool), pool);
    is_err(err, LIMIT, "limit: depth 9 is refused");
    has_str(err->public_text, "deeper than 8", "limit: and the limit named");
    is_err(parse(&v, nested(1000000, '[', ']', pool), pool), LIMIT, "limit: a million deep");
    is_err(parse(&v, nested(100000, '{', '}', pool), pool), LIMIT,
           "limit: objects that never begin");
    is_ok(parse(&v, "[\"[[[[[[[[[[[[{{{{{{{{{\\\"[[[[[\"]", pool), "limit: brackets in a string");
    is_ok(parse(&v, "[[],[],[],[],[],[],[],[],[],[],[]]", pool), "limit: width is no depth");

    small.string = 12;
    is_ok(brski_json_parse(&v, brski_bytes_str(filled("x", 12, pool)), &small, pool),
          "limit: a string of 12");
    err = brski_json_parse(&v, brski_bytes_str(filled("x", 13, pool)), &small, pool);
    is_err(err, LIMIT, "limit: a string of 13");
    has_str(err->public_text, "longer than 12 octets", "limit: and the limit named");
    is_ok(brski_json_parse(&v, brski_bytes_str(filled("\\u0041", 12, pool)), &small, pool),
          "limit: escapes count as what they mean");
    is_ok(brski_json_parse(&v, brski_bytes_str(filled("\\/", 12, pool)), &small, pool),
          "limit: short escapes too");
    is_ok(brski_json_parse(&v, brski_bytes_str(filled("\\u20ac", 4, pool)), &small, pool),
          "limit: three octets of UTF-8 each");
    is_err(brski_json_parse(&v, brski_bytes_str(filled("\\u20ac", 5, pool)), &small, pool), LIMIT,
           "limit: counted as UTF-8");
    is_ok(brski_json_parse(&v, brski_bytes_str(filled("\\ud83d\\udd11", 3, pool)), &small, pool),
          "limit: a surrogate pair is four octets");
    is_err(brski_json_parse(&v, brski_bytes_str("{\"a key too long\":1}"), &small, pool), LIMIT,
           "limit: keys count");
    is_err(parse(&v, filled("0123456789abcdef", 65536, pool), pool), LIMIT,
           "limit: a string of 1 MB");
}

static void writing(apr_pool_t *pool)
{
    brski_json_t *v = brski_json_object(pool), *list = brski_json_array(pool), *old;

    brski_json_set_string(v, "z", "\"q\" /");
    brski_json_set_int(v, "a", -1);
    brski_json_set_bool(v, "b", 2);
    brski_json_set_string(v, "n", NULL);
    brski_json_set(v, "list", list);
    brski_json_set(v, "nothing", NULL);
    brski_json_append_string(list, "x");
    brski_json_append_string(list, NULL);
    brski_json_append(list, brski_json_object(pool));
    is_str(brski_json_text(v, 0, pool),
           "{\"z\":\"\\\"q\\\" /\",\"a\":-1,\"b\":true,\"n\":null,\"list\":[\"x\",null,{}],"
           "\"nothing\":null}", "json: written compactly, in the order it was set");
    is_str(brski_json_text(list, 1, pool), "[\n  \"x\",\n  null,\n  {}\n]", "json: indented");
    old = brski_json_get(v, "list");
    brski_json_set_int(v, "list", 1);
    is_int(brski_json_size(old), 3, "json: a replaced value lives on for who holds it");
    is_str(brski_json_key(v, 4), "list", "json: a replaced value keeps its place");
    brski_json_set_string(v, "bad", "\xff");
    is_str(brski_json_get_string(v, "bad"), "\\xff", "json: what is no UTF-8 is written escaped");
    is_str(brski_json_text(brski_json_get(v, "z"), 0, pool), "\"\\\"q\\\" /\"",
           "json: a string alone can be written");
}

static void pools(apr_pool_t *pool)
{
    apr_pool_t *outer, *inner;
    brski_json_t *keep, *part;
    const char *text;

    apr_pool_create(&outer, pool);
    apr_pool_create(&inner, pool);
    keep = brski_json_object(outer);
    parse(&part, "{\"part\":[1,2]}", inner);
    brski_json_set(keep, "part", brski_json_get(part, "part"));
    apr_pool_destroy(inner);
    text = brski_json_text(keep, 0, pool);
    is_str(text, "{\"part\":[1,2]}", "json: a part outlives the pool it came from");
    apr_pool_destroy(outer);
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    reading(pool);
    long_strings(pool);
    other_types(pool);
    refusals(pool);
    limits(pool);
    writing(pool);
    pools(pool);
    return done_testing();
}
