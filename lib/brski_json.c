/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_json.c: JSON by way of jansson, the only file that knows it. A value is a jansson reference
 * beside its pool. Depth and string lengths are judged in one pass over the text before jansson
 * sees it: its own depth limit is 2048, and a long string should not be copied to be refused.
 * jansson takes a string apart octet by octet, and most of a voucher-request is one of base64: long
 * strings of plain characters are kept from it, and put in afterwards.
 */
#include "brski_json.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"

/* A string from here on is worth keeping from jansson. */
#define LONG_OCTETS 256
/* Opens the name that stands in a long string's place; no text that holds one is shortened. */
#define MARK 0x7F

struct brski_json_t {
    json_t *json;                 /* lives as long as pool: held there, or by a parent that is */
    apr_pool_t *pool;
};

static apr_status_t release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

static brski_json_t *borrow(json_t *json, apr_pool_t *pool)
{
    brski_json_t *v = apr_palloc(pool, sizeof(*v));

    v->json = json;
    v->pool = pool;
    return v;
}

/* Give our reference to the pool. */
static brski_json_t *own(json_t *json, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, json, release, apr_pool_cleanup_null);
    return borrow(json, pool);
}

/* ---- reading ---- */

static int hex4(const unsigned char *s, const unsigned char *end, unsigned *code)
{
    int i;

    *code = 0;
    for (i = 0; i < 4; i++, s++) {
        if (s >= end) {
            return 0;
        }
        if (*s >= '0' && *s <= '9') {
            *code = *code << 4 | (unsigned)(*s - '0');
        }
        else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f') {
            *code = *code << 4 | (unsigned)((*s | 0x20) - 'a' + 10);
        }
        else {
            return 0;
        }
    }
    return 1;
}

/* Step over a string whose quote was read; octets counts its UTF-8, not its escapes. */
static const unsigned char *skip_string(const unsigned char *s, const unsigned char *end,
                                        apr_size_t *octets)
{
    unsigned code;

    *octets = 0;
    while (s < end && *s != '"') {
        if (*s != '\\') {
            s++;
            ++*octets;
            continue;
        }
        s++;
        if (s < end && *s == 'u' && hex4(s + 1, end, &code)) {
            /* Half of a surrogate pair is half of four octets. */
            *octets += code < 0x80 ? 1 : code < 0x800 || (code & 0xF800) == 0xD800 ? 2 : 3;
            s += 5;
        }
        else if (s < end) {
            s++;
            ++*octets;
        }
    }
    return s < end ? s + 1 : end;
}

/* What is no JSON is left to jansson to say; here only sizes count. */
static brski_err_t *check_sizes(brski_bytes_t text, const brski_limits_t *limits, apr_pool_t *pool)
{
    const unsigned char *s = text.data, *end = s + text.len;
    apr_size_t octets;
    int depth = 0;

    while (s < end) {
        switch (*s++) {
        case '{':
        case '[':
            if (++depth > limits->json_depth) {
                return brski_err_say(
                    brski_err(BRSKI_E_LIMIT, NULL, pool, "JSON nested deeper than %d",
                              limits->json_depth),
                    pool, "The JSON is nested deeper than %d arrays and objects.",
                    limits->json_depth);
            }
            break;
        case '}':
        case ']':
            depth--;
            break;
        case '"':
            s = skip_string(s, end, &octets);
            if (octets > limits->string) {
                return brski_err_say(
                    brski_err(BRSKI_E_LIMIT, NULL, pool,
                              "JSON string of %" APR_SIZE_T_FMT " octets", octets),
                    pool, "A JSON string is longer than %" APR_SIZE_T_FMT " octets.",
                    limits->string);
            }
            break;
        default:
            break;
        }
    }
    return BRSKI_OK;
}

/* ---- long strings ---- */

/* Could a string be taken for one of our marks? */
static int may_hold_mark(brski_bytes_t text)
{
    const unsigned char *s = text.data, *end = s + text.len;

    if (memchr(s, MARK, text.len)) {
        return 1;
    }
    while (s < end && (s = memchr(s, '\\', (size_t)(end - s)))) {
        if (s + 1 < end && s[1] == 'u') {
            return 1;
        }
        s++;
    }
    return 0;
}

/* The quote that ends a string in which every octet stands for itself, or NULL. */
static const unsigned char *plain_end(const unsigned char *s, const unsigned char *end)
{
    while (s < end && *s >= 0x20 && *s < MARK && *s != '"' && *s != '\\') {
        s++;
    }
    return s < end && *s == '"' ? s : NULL;
}

static int is_key(const unsigned char *after, const unsigned char *end)
{
    while (after < end && (*after == ' ' || *after == '\t' || *after == '\r' || *after == '\n')) {
        after++;
    }
    return after < end && *after == ':';
}

/* The text with a mark in the place of each long plain string; those are the spans. */
static brski_bytes_t shorten(brski_bytes_t text, apr_array_header_t *spans, apr_pool_t *pool)
{
    const unsigned char *s = text.data, *end = s + text.len, *next, *quote;
    char *out = apr_palloc(pool, text.len), *to = out;
    apr_size_t octets;

    while (s < end) {
        if (*s != '"') {
            *to++ = (char)*s++;
            continue;
        }
        quote = plain_end(s + 1, end);
        if (quote && quote - s > LONG_OCTETS && !is_key(quote + 1, end)) {
            to += apr_snprintf(to, LONG_OCTETS, "\"%c%d\"", MARK, spans->nelts);
            APR_ARRAY_PUSH(spans, brski_bytes_t) =
                brski_bytes(s + 1, (apr_size_t)(quote - s - 1));
            next = quote + 1;
        }
        else {
            next = skip_string(s + 1, end, &octets);
            memcpy(to, s, (size_t)(next - s));
            to += next - s;
        }
        s = next;
    }
    return brski_bytes(out, (apr_size_t)(to - out));
}

static void put_back(json_t *json, const apr_array_header_t *spans)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(json)) {
        json_object_foreach(json, key, value) {
            put_back(value, spans);
        }
    }
    else if (json_is_array(json)) {
        json_array_foreach(json, i, value) {
            put_back(value, spans);
        }
    }
    else if (json_is_string(json) && *json_string_value(json) == MARK) {
        const brski_bytes_t span =
            APR_ARRAY_IDX(spans, atoi(json_string_value(json) + 1), brski_bytes_t);

        json_string_setn_nocheck(json, (const char *)span.data, span.len);
    }
}

/* NULL also when jansson should see the whole text: for what it holds, or to tell what is wrong. */
static json_t *load_shortened(brski_bytes_t text, apr_pool_t *pool)
{
    apr_array_header_t *spans;
    brski_bytes_t rest;
    json_t *json;

    if (text.len < LONG_OCTETS || may_hold_mark(text)) {
        return NULL;
    }
    spans = apr_array_make(pool, 4, sizeof(brski_bytes_t));
    rest = shorten(text, spans, pool);
    json = json_loadb((const char *)rest.data, rest.len, JSON_REJECT_DUPLICATES, NULL);
    if (json) {
        put_back(json, spans);
    }
    return json;
}

/* jansson ends many messages with "near '<the client's bytes>'", which only the log should get. */
static brski_err_t *syntax_error(json_error_t *error, apr_pool_t *pool)
{
    brski_err_t *err;
    char *near;

    err = brski_err(BRSKI_E_JSON, NULL, pool, "JSON, line %d, column %d: %s", error->line,
                    error->column, brski_printable(error->text, sizeof(error->text), pool));
    near = strstr(error->text, " near ");
    if (near) {
        *near = '\0';
    }
    return brski_err_say(err, pool, "The JSON is not right in line %d, column %d: %s.", error->line,
                         error->column, brski_printable(error->text, 80, pool));
}

brski_err_t *brski_json_parse(brski_json_t **out, brski_bytes_t text, const brski_limits_t *limits,
                              apr_pool_t *pool)
{
    json_error_t error;
    json_t *json;

    *out = NULL;
    if (text.len == 0) {
        return brski_err_say(brski_err(BRSKI_E_JSON, NULL, pool, "JSON of no octets"), pool,
                             "The JSON is empty.");
    }
    BRSKI_TRY(check_sizes(text, limits ? limits : &brski_limits_default, pool));
    json = load_shortened(text, pool);
    if (!json) {
        json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    }
    if (!json) {
        return syntax_error(&error, pool);
    }
    *out = own(json, pool);
    return BRSKI_OK;
}

brski_json_type_t brski_json_type(const brski_json_t *v)
{
    if (!v) {
        return BRSKI_JSON_NONE;
    }
    switch (json_typeof(v->json)) {
    case JSON_OBJECT:
        return BRSKI_JSON_OBJECT;
    case JSON_ARRAY:
        return BRSKI_JSON_ARRAY;
    case JSON_STRING:
        return BRSKI_JSON_STRING;
    case JSON_INTEGER:
        return BRSKI_JSON_INTEGER;
    case JSON_REAL:
        return BRSKI_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return BRSKI_JSON_BOOLEAN;
    case JSON_NULL:
        return BRSKI_JSON_NULL;
    }
    return BRSKI_JSON_NONE;
}

brski_json_t *brski_json_get(const brski_json_t *v, const char *key)
{
    json_t *json = v ? json_object_get(v->json, key) : NULL;

    return json ? borrow(json, v->pool) : NULL;
}

brski_json_t *brski_json_at(const brski_json_t *v, apr_size_t index)
{
    json_t *json = v ? json_array_get(v->json, index) : NULL;

    return json ? borrow(json, v->pool) : NULL;
}

apr_size_t brski_json_size(const brski_json_t *v)
{
    /* Each gives 0 for what is not its type. */
    return v ? json_object_size(v->json) + json_array_size(v->json) : 0;
}

const char *brski_json_key(const brski_json_t *v, apr_size_t index)
{
    void *iter = v ? json_object_iter(v->json) : NULL;

    while (iter && index-- > 0) {
        iter = json_object_iter_next(v->json, iter);
    }
    return iter ? json_object_iter_key(iter) : NULL;
}

const char *brski_json_string(const brski_json_t *v)
{
    return v ? json_string_value(v->json) : NULL;
}

apr_int64_t brski_json_int(const brski_json_t *v)
{
    return v ? json_integer_value(v->json) : 0;
}

int brski_json_bool(const brski_json_t *v)
{
    return v && json_is_boolean(v->json) ? json_is_true(v->json) : -1;
}

const char *brski_json_get_string(const brski_json_t *v, const char *key)
{
    return v ? json_string_value(json_object_get(v->json, key)) : NULL;
}

/* ---- writing ---- */

brski_json_t *brski_json_object(apr_pool_t *pool)
{
    return own(json_object(), pool);
}

brski_json_t *brski_json_array(apr_pool_t *pool)
{
    return own(json_array(), pool);
}

/* Set a member, whose reference is taken. Somebody may still look at the value it replaces. */
static void set_new(brski_json_t *obj, const char *key, json_t *json)
{
    json_t *old = json_object_get(obj->json, key);

    if (old) {
        apr_pool_cleanup_register(obj->pool, json_incref(old), release, apr_pool_cleanup_null);
    }
    json_object_set_new(obj->json, key, json);
}

/* jansson refuses a string that is no UTF-8; escaped it says at least what it was. */
static json_t *make_string(const char *value, apr_pool_t *pool)
{
    json_t *json;

    if (!value) {
        return json_null();
    }
    json = json_string(value);
    return json ? json : json_string(brski_printable(value, strlen(value), pool));
}

void brski_json_set_string(brski_json_t *obj, const char *key, const char *value)
{
    set_new(obj, key, make_string(value, obj->pool));
}

void brski_json_set_int(brski_json_t *obj, const char *key, apr_int64_t value)
{
    set_new(obj, key, json_integer(value));
}

void brski_json_set_bool(brski_json_t *obj, const char *key, int value)
{
    set_new(obj, key, json_boolean(value));
}

void brski_json_set(brski_json_t *obj, const char *key, brski_json_t *child)
{
    set_new(obj, key, child ? json_incref(child->json) : json_null());
}

void brski_json_append(brski_json_t *array, brski_json_t *child)
{
    json_array_append_new(array->json, child ? json_incref(child->json) : json_null());
}

void brski_json_append_string(brski_json_t *array, const char *value)
{
    json_array_append_new(array->json, make_string(value, array->pool));
}

char *brski_json_text(const brski_json_t *v, int indented, apr_pool_t *pool)
{
    char *dump, *text;

    dump = json_dumps(v->json, JSON_ENCODE_ANY | (indented ? JSON_INDENT(2) : JSON_COMPACT));
    text = apr_pstrdup(pool, dump ? dump : "");
    free(dump);
    return text;
}
