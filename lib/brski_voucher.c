/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_voucher.c: vouchers and voucher-requests, JSON to struct and back, by one table of leaves
 * in the order of the trees of RFC 8366 section 5.1 and RFC 8995 section 3.2.
 */
#include "brski_voucher.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_time.h"

/* Of what is ignored a log needs a few names, however many there are. */
#define MAX_UNKNOWN 16
#define MAX_LOOKED_AT 64
#define MAX_NAME 64

typedef enum leaf_type_t {
    LEAF_TEXT,
    LEAF_BINARY,
    LEAF_TIME,
    LEAF_BOOLEAN,
    LEAF_ASSERTION
} leaf_type_t;

/* Where a leaf has a meaning; in a request some have none and are not judged (RFC 8995 5.5). */
#define IN_VOUCHER 1
#define IN_REQUEST 2
#define IGNORED_IN_REQUEST 4

typedef struct leaf_t {
    const char *name;
    leaf_type_t type;
    int where;
    size_t offset;
} leaf_t;

#define LEAF(name, type, where, field) { name, type, where, offsetof(brski_voucher_t, field) }
#define BOTH (IN_VOUCHER | IN_REQUEST)
#define IGNORED (BOTH | IGNORED_IN_REQUEST)

static const leaf_t leaves[] = {
    LEAF("created-on", LEAF_TIME, BOTH, created_on),
    LEAF("expires-on", LEAF_TIME, IGNORED, expires_on),
    LEAF("assertion", LEAF_ASSERTION, BOTH, assertion),
    LEAF("serial-number", LEAF_TEXT, BOTH, serial_number),
    LEAF("idevid-issuer", LEAF_BINARY, BOTH, idevid_issuer),
    LEAF("pinned-domain-cert", LEAF_BINARY, IGNORED, pinned_domain_cert),
    LEAF("domain-cert-revocation-checks", LEAF_BOOLEAN, IGNORED, domain_cert_revocation_checks),
    LEAF("nonce", LEAF_TEXT, BOTH, nonce),
    LEAF("last-renewal-date", LEAF_TIME, IGNORED, last_renewal_date),
    LEAF("prior-signed-voucher-request", LEAF_BINARY, IN_REQUEST, prior_signed_voucher_request),
    LEAF("proximity-registrar-cert", LEAF_BINARY, IN_REQUEST, proximity_registrar_cert),
    LEAF("proximity-registrar-pubk", LEAF_BINARY, IN_REQUEST, proximity_registrar_pubk),
    LEAF("proximity-registrar-pubk-sha256", LEAF_BINARY, IN_REQUEST,
         proximity_registrar_pubk_sha256),
};

#define LEAVES (sizeof(leaves) / sizeof(leaves[0]))
#define FIELD(v, leaf, type) ((type *)(void *)((char *)(v) + (leaf)->offset))

static const char *const assertions[] = { NULL, "verified", "logged", "proximity",
                                          "agent-proximity" };

const char *brski_assertion_text(brski_assertion_t a)
{
    return a >= BRSKI_ASSERTION_NONE && a <= BRSKI_ASSERTION_AGENT_PROXIMITY ? assertions[a] : NULL;
}

brski_assertion_t brski_assertion_parse(const char *text)
{
    int a;

    for (a = BRSKI_ASSERTION_VERIFIED; text && a <= BRSKI_ASSERTION_AGENT_PROXIMITY; a++) {
        if (!strcmp(text, assertions[a])) {
            return (brski_assertion_t)a;
        }
    }
    return BRSKI_ASSERTION_NONE;
}

static const char *top_name(brski_voucher_kind_t kind)
{
    return kind == BRSKI_VOUCHER ? "ietf-voucher:voucher" : "ietf-voucher-request:voucher";
}

static const char *kind_name(brski_voucher_kind_t kind)
{
    return kind == BRSKI_VOUCHER ? "voucher" : "voucher-request";
}

static int belongs(const leaf_t *leaf, brski_voucher_kind_t kind)
{
    return leaf->where & (kind == BRSKI_VOUCHER ? IN_VOUCHER : IN_REQUEST);
}

static const leaf_t *find_leaf(const char *name, brski_voucher_kind_t kind)
{
    size_t i;

    for (i = 0; i < LEAVES; i++) {
        if (belongs(&leaves[i], kind) && !strcmp(leaves[i].name, name)) {
            return &leaves[i];
        }
    }
    return NULL;
}

/* ---- JSON to struct ---- */

typedef struct reader_t {
    brski_voucher_t *voucher;
    const brski_limits_t *limits;
    apr_pool_t *pool;
} reader_t;

static brski_err_t *bad_leaf(reader_t *r, brski_err_code_t code, const brski_err_t *prev,
                             const leaf_t *leaf, const char *why)
{
    const char *text = apr_psprintf(r->pool, "The %s's %s %s.", kind_name(r->voucher->kind),
                                    leaf->name, why);

    return brski_err_say(brski_err(code, prev, r->pool, "%s %s", leaf->name, why), r->pool, "%s",
                         text);
}

static void note_unknown(reader_t *r, const char *name)
{
    apr_array_header_t *unknown = r->voucher->unknown;

    if (unknown->nelts < MAX_UNKNOWN) {
        APR_ARRAY_PUSH(unknown, const char *) = brski_printable(name, MAX_NAME, r->pool);
    }
}

static brski_err_t *read_text(reader_t *r, const leaf_t *leaf, const char *text)
{
    apr_size_t most = leaf->offset == offsetof(brski_voucher_t, nonce) ? r->limits->nonce
                                                                        : r->limits->serial_number;

    /* An empty nonce would be one that every request shares. */
    if (!*text) {
        return bad_leaf(r, BRSKI_E_FIELD, NULL, leaf, "is empty");
    }
    if (strlen(text) > most) {
        return bad_leaf(r, BRSKI_E_LIMIT, NULL, leaf,
                        apr_psprintf(r->pool, "is longer than %" APR_SIZE_T_FMT " octets", most));
    }
    *FIELD(r->voucher, leaf, const char *) = text;
    return BRSKI_OK;
}

static brski_err_t *read_binary(reader_t *r, const leaf_t *leaf, const char *text)
{
    brski_bytes_t octets;
    brski_err_t *err = brski_base64_decode(&octets, text, r->pool);

    if (err) {
        return bad_leaf(r, BRSKI_E_FIELD, err, leaf,
                        "is not base64 with padding and without line breaks");
    }
    if (octets.len == 0) {
        return bad_leaf(r, BRSKI_E_FIELD, NULL, leaf, "is empty");
    }
    if (leaf->offset == offsetof(brski_voucher_t, proximity_registrar_pubk_sha256)
        && octets.len != BRSKI_SHA256_LEN) {
        return bad_leaf(r, BRSKI_E_FIELD, NULL, leaf, "is not the 32 octets of a SHA-256");
    }
    *FIELD(r->voucher, leaf, brski_bytes_t) = octets;
    return BRSKI_OK;
}

/* A pledge without a clock, or with a newer word, still makes a valid request. */
static brski_err_t *unreadable(reader_t *r, const leaf_t *leaf, const brski_err_t *prev,
                               const char *why)
{
    if (r->voucher->kind == BRSKI_VOUCHER) {
        return bad_leaf(r, BRSKI_E_FIELD, prev, leaf, why);
    }
    note_unknown(r, leaf->name);
    return BRSKI_OK;
}

static brski_err_t *read_time(reader_t *r, const leaf_t *leaf, const char *text)
{
    brski_err_t *err = brski_time_parse(FIELD(r->voucher, leaf, apr_time_t), text, r->pool);

    return err ? unreadable(r, leaf, err, "is not an RFC 3339 date-time") : BRSKI_OK;
}

static brski_err_t *read_assertion(reader_t *r, const leaf_t *leaf, const char *text)
{
    r->voucher->assertion = brski_assertion_parse(text);
    return r->voucher->assertion ? BRSKI_OK : unreadable(r, leaf, NULL, "is no known assertion");
}

/* RFC 8366's own example has a quoted boolean. */
static brski_err_t *read_boolean(reader_t *r, const leaf_t *leaf, const brski_json_t *value)
{
    const char *text = brski_json_string(value);
    int flag = brski_json_bool(value);

    if (text) {
        flag = !strcmp(text, "true") ? 1 : !strcmp(text, "false") ? 0 : -1;
    }
    if (flag < 0) {
        return bad_leaf(r, BRSKI_E_FIELD, NULL, leaf, "is neither true nor false");
    }
    *FIELD(r->voucher, leaf, int) = flag;
    return BRSKI_OK;
}

static brski_err_t *read_leaf(reader_t *r, const leaf_t *leaf, const brski_json_t *value)
{
    const char *text = brski_json_string(value);

    if (leaf->type == LEAF_BOOLEAN) {
        return read_boolean(r, leaf, value);
    }
    if (!text) {
        return bad_leaf(r, BRSKI_E_FIELD, NULL, leaf, "is not a string");
    }
    switch (leaf->type) {
    case LEAF_BINARY:
        return read_binary(r, leaf, text);
    case LEAF_TIME:
        return read_time(r, leaf, text);
    case LEAF_ASSERTION:
        return read_assertion(r, leaf, text);
    default:
        return read_text(r, leaf, text);
    }
}

static brski_err_t *read_leaves(reader_t *r, const brski_json_t *body)
{
    brski_voucher_kind_t kind = r->voucher->kind;
    const brski_json_t *value;
    const leaf_t *leaf;
    brski_err_t *err;

    for (leaf = leaves; leaf < leaves + LEAVES; leaf++) {
        value = belongs(leaf, kind) ? brski_json_get(body, leaf->name) : NULL;
        err = value ? read_leaf(r, leaf, value) : BRSKI_OK;
        if (err && kind == BRSKI_VOUCHER_REQUEST && (leaf->where & IGNORED_IN_REQUEST)) {
            note_unknown(r, leaf->name);
            err = BRSKI_OK;
        }
        BRSKI_TRY(err);
    }
    if (!r->voucher->serial_number) {
        return bad_leaf(r, BRSKI_E_FIELD, NULL, find_leaf("serial-number", kind),
                        "is missing");
    }
    return BRSKI_OK;
}

static void note_unknown_members(reader_t *r, const brski_json_t *body)
{
    const char *name;
    apr_size_t i;

    for (i = 0; i < MAX_LOOKED_AT && (name = brski_json_key(body, i)) != NULL; i++) {
        if (!find_leaf(name, r->voucher->kind)) {
            note_unknown(r, name);
        }
    }
}

/* RFC 7951 section 4: an object with the one member that names the module. */
static brski_err_t *open_top(brski_json_t **body, const brski_json_t *top,
                             brski_voucher_kind_t kind, apr_pool_t *pool)
{
    const char *why = NULL;

    *body = brski_json_get(top, top_name(kind));
    if (brski_json_type(top) != BRSKI_JSON_OBJECT) {
        why = "it is not an object";
    }
    else if (brski_json_size(top) != 1) {
        why = "it does not have exactly one member";
    }
    else if (!*body) {
        why = apr_psprintf(pool, "its member is called '%s'",
                           brski_printable(brski_json_key(top, 0), MAX_NAME, pool));
    }
    else if (brski_json_type(*body) != BRSKI_JSON_OBJECT) {
        why = "its member is not an object";
    }
    if (why) {
        return brski_err_say(brski_err(BRSKI_E_JSON, NULL, pool, "%s: %s", kind_name(kind), why),
                             pool, "The signed content is not the JSON of a %s: %s; "
                             "an object with the one member '%s' was expected.",
                             kind_name(kind), why, top_name(kind));
    }
    return BRSKI_OK;
}

brski_err_t *brski_voucher_parse(brski_voucher_t **out, brski_bytes_t json,
                                 brski_voucher_kind_t kind, const brski_limits_t *limits,
                                 apr_pool_t *pool)
{
    brski_voucher_t *v = apr_pcalloc(pool, sizeof(*v));
    reader_t r = { v, limits ? limits : &brski_limits_default, pool };
    brski_json_t *top, *body;

    *out = NULL;
    v->kind = kind;
    v->domain_cert_revocation_checks = -1;
    v->unknown = apr_array_make(pool, 0, sizeof(const char *));
    BRSKI_TRY(brski_json_parse(&top, json, r.limits, pool));
    BRSKI_TRY(open_top(&body, top, kind, pool));
    BRSKI_TRY(read_leaves(&r, body));
    note_unknown_members(&r, body);
    *out = v;
    return BRSKI_OK;
}

/* ---- struct to JSON ---- */

/* The must-statements of RFC 8366 section 5.3, and its mandatory key. */
static brski_err_t *check_rules(const brski_voucher_t *v, apr_pool_t *pool)
{
    const char *why = NULL;

    if (v->kind != BRSKI_VOUCHER && v->kind != BRSKI_VOUCHER_REQUEST) {
        why = "kind is not set";
    }
    else if (!v->serial_number || !*v->serial_number) {
        why = "serial-number is missing";
    }
    else if (v->nonce && !*v->nonce) {
        why = "nonce is empty";
    }
    else if (v->nonce && v->expires_on) {
        why = "nonce and expires-on exclude each other";
    }
    else if (v->last_renewal_date && !v->expires_on) {
        why = "last-renewal-date needs expires-on";
    }
    return why ? brski_err(BRSKI_E_INTERNAL, NULL, pool, "voucher: %s", why) : BRSKI_OK;
}

static void write_binary(brski_json_t *body, const leaf_t *leaf, brski_bytes_t octets,
                         apr_pool_t *pool)
{
    if (octets.len) {
        brski_json_set_string(body, leaf->name, brski_base64_encode(octets, pool));
    }
}

static void write_leaf(brski_json_t *body, const leaf_t *leaf, const brski_voucher_t *v,
                       apr_pool_t *pool)
{
    const char *text = NULL;

    switch (leaf->type) {
    case LEAF_TEXT:
        text = *FIELD(v, leaf, const char *const);
        break;
    case LEAF_ASSERTION:
        text = brski_assertion_text(v->assertion);
        break;
    case LEAF_TIME:
        if (*FIELD(v, leaf, const apr_time_t)) {
            text = brski_time_rfc3339(*FIELD(v, leaf, const apr_time_t), pool);
        }
        break;
    case LEAF_BINARY:
        write_binary(body, leaf, *FIELD(v, leaf, const brski_bytes_t), pool);
        break;
    case LEAF_BOOLEAN:
        if (*FIELD(v, leaf, const int) >= 0) {
            brski_json_set_bool(body, leaf->name, *FIELD(v, leaf, const int));
        }
        break;
    }
    if (text) {
        brski_json_set_string(body, leaf->name, text);
    }
}

brski_err_t *brski_voucher_json(const char **out, const brski_voucher_t *v, apr_pool_t *pool)
{
    brski_json_t *top, *body;
    size_t i;

    *out = NULL;
    BRSKI_TRY(check_rules(v, pool));
    top = brski_json_object(pool);
    body = brski_json_object(pool);
    for (i = 0; i < LEAVES; i++) {
        if (belongs(&leaves[i], v->kind)) {
            write_leaf(body, &leaves[i], v, pool);
        }
    }
    brski_json_set(top, top_name(v->kind), body);
    *out = brski_json_text(top, 0, pool);
    return BRSKI_OK;
}

/* ---- signed artifacts ---- */

brski_err_t *brski_signed_open(brski_signed_t **out, brski_bytes_t raw, brski_format_t format,
                               brski_voucher_kind_t kind, const brski_limits_t *limits,
                               brski_cert_cache_t *cache, apr_pool_t *pool)
{
    brski_signed_t *s = apr_pcalloc(pool, sizeof(*s));

    *out = NULL;
    if (format != BRSKI_FORMAT_CMS) {
        return brski_err(BRSKI_E_MEDIA_TYPE, NULL, pool, "format %d is not implemented",
                         (int)format);
    }
    limits = limits ? limits : &brski_limits_default;
    s->format = format;
    s->raw = raw;
    BRSKI_TRY(brski_cms_parse(&s->cms, raw, limits, cache, pool));
    BRSKI_TRY(brski_voucher_parse(&s->voucher, s->cms->content, kind, limits, pool));
    *out = s;
    return BRSKI_OK;
}
