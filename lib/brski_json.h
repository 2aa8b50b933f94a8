/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_json.h: JSON, and the only door to jansson. A value belongs to the pool it was made with and dies with it;
 * strings handed out live as long as the value. Reading is strict: duplicate keys, NUL inside strings, invalid UTF-8,
 * depth and length beyond the limits and anything after the value are refused.
 */
#ifndef BRSKI_JSON_H
#define BRSKI_JSON_H

#include "brski.h"

typedef struct brski_json_t brski_json_t;

/**
 * Read one JSON text. NUL-termination is not needed.
 * @return NULL, BRSKI_E_JSON with line and column and what is wrong, or BRSKI_E_LIMIT for depth or length
 */
brski_err_t *brski_json_parse(brski_json_t **out, brski_bytes_t text, const brski_limits_t *limits,
                              apr_pool_t *pool);

brski_json_t *brski_json_object(apr_pool_t *pool);
brski_json_t *brski_json_array(apr_pool_t *pool);

/** Set a member, keys keep their order; value NULL gives JSON null. */
void brski_json_set_string(brski_json_t *obj, const char *key, const char *value);
void brski_json_set_int(brski_json_t *obj, const char *key, apr_int64_t value);
void brski_json_set_bool(brski_json_t *obj, const char *key, int value);
/** The child may be used and changed afterwards; the parent keeps its own reference. */
void brski_json_set(brski_json_t *obj, const char *key, brski_json_t *child);
void brski_json_append(brski_json_t *array, brski_json_t *child);
void brski_json_append_string(brski_json_t *array, const char *value);

/** Kind of a value; BRSKI_JSON_NONE for NULL. */
typedef enum brski_json_type_t {
    BRSKI_JSON_NONE = 0, BRSKI_JSON_OBJECT, BRSKI_JSON_ARRAY, BRSKI_JSON_STRING, BRSKI_JSON_INTEGER,
    BRSKI_JSON_REAL, BRSKI_JSON_BOOLEAN, BRSKI_JSON_NULL
} brski_json_type_t;
brski_json_type_t brski_json_type(const brski_json_t *v);

/** Member or element, NULL when absent or v is another type. The result lives in v's pool. */
brski_json_t *brski_json_get(const brski_json_t *v, const char *key);
brski_json_t *brski_json_at(const brski_json_t *v, apr_size_t index);
/** Number of members or elements. */
apr_size_t brski_json_size(const brski_json_t *v);
/** Key of the nth member, in order. */
const char *brski_json_key(const brski_json_t *v, apr_size_t index);

/** NULL when v is no string. */
const char *brski_json_string(const brski_json_t *v);
/** Integer, or 0 when v is none. */
apr_int64_t brski_json_int(const brski_json_t *v);
/** 1, 0, or -1 when v is no boolean. */
int brski_json_bool(const brski_json_t *v);

/** Member's string, NULL when absent or no string: the shortest way to read our own documents. */
const char *brski_json_get_string(const brski_json_t *v, const char *key);

/** Text of a value: compact on one line, or indented by two; NUL-terminated. */
char *brski_json_text(const brski_json_t *v, int indented, apr_pool_t *pool);

#endif
