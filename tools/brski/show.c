/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.c: reading artifacts for people, as show.h says.
 */
#include "show.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_time.h"
#include "show_parts.h"

/* A request in a request in a request is nobody's; deeper ones are not opened. */
#define MAX_NESTING 3

static brski_json_t *show_signed_at(brski_bytes_t der, int depth, apr_pool_t *pool);

void show_merge(brski_json_t *a, const brski_json_t *b)
{
    apr_size_t i;

    for (i = 0; i < brski_json_size(b); i++) {
        brski_json_set(a, brski_json_key(b, i), brski_json_get(b, brski_json_key(b, i)));
    }
}

const char *show_sentence(const brski_err_t *err, apr_pool_t *pool)
{
    const brski_err_t *row = brski_err_row(err->code);

    if (!err->detail || !*err->detail || !row || strcmp(err->public_text, row->public_text) != 0) {
        return err->public_text;      /* made for the place: says it all */
    }
    return apr_psprintf(pool, "%s (%s)", err->public_text, err->detail);
}

/* What brski_printable() made of a quote is one again: a backslash of the text's own reads \\x5c.
 */
const char *show_text(const char *text, apr_size_t max, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, brski_printable(text, max, pool)), *to = out;
    const char *from;

    for (from = out; *from; from++) {
        if (strncmp(from, "\\x22", 4) == 0 || strncmp(from, "\\x27", 4) == 0) {
            *to++ = from[3] == '2' ? '"' : '\'';
            from += 3;
        }
        else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return out;
}

static void set_time(brski_json_t *doc, const char *key, apr_time_t t, apr_pool_t *pool)
{
    if (t) {
        brski_json_set_string(doc, key, brski_time_rfc3339(t, pool));
    }
}

static void set_text(brski_json_t *doc, const char *key, const char *text)
{
    if (text) {
        brski_json_set_string(doc, key, text);
    }
}

/* ---- voucher leaves ---- */

static void set_cert_leaf(brski_json_t *doc, const char *key, brski_bytes_t der, apr_pool_t *pool)
{
    const brski_cert_t *cert;
    brski_err_t *err;

    if (der.len == 0) {
        return;
    }
    err = brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool);
    if (err) {
        brski_json_set_string(doc, key,
                              apr_psprintf(pool, "%" APR_SIZE_T_FMT " octets: %s", der.len,
                                           show_sentence(err, pool)));
    }
    else {
        brski_json_set(doc, key, show_cert(cert, 0, pool));
    }
}

static void set_issuer_leaf(brski_json_t *doc, brski_bytes_t value, apr_pool_t *pool)
{
    const char *keyid, *name;

    if (value.len == 0) {
        return;
    }
    brski_idevid_issuer_parse(&keyid, &name, value, pool);
    brski_json_set_string(doc, "idevid-issuer",
                          keyid ? apr_pstrcat(pool, "key ", keyid, NULL)
                          : name
                              ? apr_pstrcat(pool, "name ", name, NULL)
                              : apr_pstrcat(pool, "unknown form ", brski_hex(value, pool), NULL));
}

static void set_bytes_leaf(brski_json_t *doc, const char *key, brski_bytes_t value,
                           apr_pool_t *pool)
{
    if (value.len) {
        brski_json_set_string(doc, key, brski_hex(value, pool));
    }
}

static void set_unknown(brski_json_t *doc, const apr_array_header_t *unknown, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; unknown && i < unknown->nelts; i++) {
        brski_json_append_string(list, APR_ARRAY_IDX(unknown, i, const char *));
    }
    if (brski_json_size(list)) {
        brski_json_set(doc, "ignored_members", list);
    }
}

static void set_leaves(brski_json_t *doc, const brski_voucher_t *v, int depth, apr_pool_t *pool)
{
    set_text(doc, "serial-number", v->serial_number);
    set_text(doc, "assertion", brski_assertion_text(v->assertion));
    set_time(doc, "created-on", v->created_on, pool);
    set_time(doc, "expires-on", v->expires_on, pool);
    set_time(doc, "last-renewal-date", v->last_renewal_date, pool);
    set_text(doc, "nonce", v->nonce ? v->nonce : "none");
    set_issuer_leaf(doc, v->idevid_issuer, pool);
    if (v->domain_cert_revocation_checks >= 0) {
        brski_json_set_bool(doc, "domain-cert-revocation-checks", v->domain_cert_revocation_checks);
    }
    set_cert_leaf(doc, "pinned-domain-cert", v->pinned_domain_cert, pool);
    set_cert_leaf(doc, "proximity-registrar-cert", v->proximity_registrar_cert, pool);
    set_bytes_leaf(doc, "proximity-registrar-pubk", v->proximity_registrar_pubk, pool);
    set_bytes_leaf(doc, "proximity-registrar-pubk-sha256", v->proximity_registrar_pubk_sha256,
                   pool);
    set_unknown(doc, v->unknown, pool);
    if (v->prior_signed_voucher_request.len && depth < MAX_NESTING) {
        brski_json_set(doc, "prior-signed-voucher-request",
                       show_signed_at(v->prior_signed_voucher_request, depth + 1, pool));
    }
}

/* ---- the signature ---- */

static const char *econtent_text(brski_econtent_t type)
{
    return type == BRSKI_ECONTENT_ANIMA_JSON ? "id-ct-animaJSONVoucher"
           : type == BRSKI_ECONTENT_DATA     ? "id-data"
                                             : "unknown";
}

/* "CN=Registrar < CN=Root CA (self-signed)": who stands behind the signature, in the message. */
static void set_chain(brski_json_t *doc, const brski_cms_t *cms, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    brski_chain_t *chain;
    int i;

    if (!cms->signer || brski_chain_build(&chain, cms->signer, cms->certs, pool, pool)) {
        return;
    }
    for (i = 1; i < chain->certs->nelts; i++) {
        brski_json_append_string(list,
                                 APR_ARRAY_IDX(chain->certs, i, const brski_cert_t *)->subject);
    }
    if (brski_json_size(list)) {
        brski_json_set(doc, "issued_by", list);
    }
    brski_json_set_bool(doc, "root_included", chain->self_signed_top);
}

static void set_signature(brski_json_t *doc, const brski_cms_t *cms, apr_pool_t *pool)
{
    brski_json_t *signature = brski_json_object(pool);
    brski_err_t *err = brski_cms_verify(cms, pool);

    brski_json_set_string(signature, "verdict", err ? show_sentence(err, pool) : "holds");
    set_time(signature, "signing_time", cms->signing_time, pool);
    brski_json_set_string(signature, "content_type", econtent_text(cms->econtent));
    brski_json_set_int(signature, "certificates", cms->certs->nelts);
    if (cms->signer) {
        brski_json_set(signature, "signer", show_cert(cms->signer, 0, pool));
    }
    set_chain(signature, cms, pool);
    brski_json_set(doc, "signature", signature);
}

/* ---- vouchers and requests ---- */

static int is_voucher(brski_bytes_t json, apr_pool_t *pool)
{
    brski_json_t *top;

    return !brski_json_parse(&top, json, &brski_limits_default, pool)
           && brski_json_get(top, "ietf-voucher:voucher") != NULL;
}

static const char *request_name(const brski_voucher_t *v, const brski_cms_t *cms)
{
    if (v->prior_signed_voucher_request.len || (cms->signer && cms->signer->cmc_ra)) {
        return "voucher-request of a registrar";
    }
    return v->proximity_registrar_cert.len || (cms->signer && cms->signer->serial_number)
               ? "voucher-request of a pledge" : "voucher-request";
}

static void set_content(brski_json_t *doc, const brski_cms_t *cms, int depth, apr_pool_t *pool)
{
    int voucher = is_voucher(cms->content, pool);
    brski_voucher_t *v;
    brski_err_t *err =
        brski_voucher_parse(&v, cms->content, voucher ? BRSKI_VOUCHER : BRSKI_VOUCHER_REQUEST,
                            &brski_limits_default, pool);

    if (err) {
        brski_json_set_string(doc, "kind", "signed message");
        brski_json_set_string(doc, "problem", show_sentence(err, pool));
        brski_json_set_string(doc, "content",
                              brski_printable(apr_pstrmemdup(pool, (const char *)cms->content.data,
                                                             cms->content.len), 2000, pool));
        return;
    }
    brski_json_set_string(doc, "kind", voucher ? "voucher" : request_name(v, cms));
    set_leaves(doc, v, depth, pool);
}

static brski_json_t *show_signed_at(brski_bytes_t der, int depth, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);
    brski_cms_t *cms;
    brski_err_t *err = brski_cms_parse(&cms, der, &brski_limits_default, NULL, pool);

    if (err) {
        brski_json_set_string(doc, "kind", "broken CMS message");
        brski_json_set_string(doc, "problem", show_sentence(err, pool));
    }
    else {
        set_content(doc, cms, depth, pool);
        set_signature(doc, cms, pool);
    }
    brski_json_set_int(doc, "octets", (apr_int64_t)der.len);
    brski_json_set_string(doc, "sha256", brski_sha256_hex(der, pool));
    return doc;
}

brski_json_t *show_signed(brski_bytes_t der, apr_pool_t *pool)
{
    return show_signed_at(der, 0, pool);
}

/* ---- audit logs ---- */

static const say_column_t event_columns[] = {
    { "date", "DATE", 20 },
    { "assertion", "ASSERTION", 11 },
    { "nonce", "NONCE", 24 },
    { "domainID", "DOMAIN", 0 },
    { NULL, NULL, 0 }
};

/* Counters that are not zero: something was left out of the log. */
static void say_truncation(say_t *say, const brski_json_t *truncation)
{
    apr_size_t i;

    for (i = 0; i < brski_json_size(truncation); i++) {
        const char *key = brski_json_key(truncation, i);
        apr_int64_t n = brski_json_int(brski_json_get(truncation, key));

        if (n) {
            say_line(say, "left out: %" APR_INT64_T_FMT " %s", n,
                     brski_printable(key, 60, say->pool));
        }
    }
}

static void say_events(say_t *say, const brski_json_t *log)
{
    brski_json_t *events = brski_json_get(log, "events");
    apr_size_t i;

    say_head(say, event_columns);
    for (i = 0; i < brski_json_size(events); i++) {
        say_row(say, event_columns, brski_json_at(events, i));
    }
    say_truncation(say, brski_json_get(log, "truncation"));
}

static int is_audit_log(const brski_json_t *json)
{
    return brski_json_type(brski_json_get(json, "events")) == BRSKI_JSON_ARRAY
           && brski_json_get(json, "version");
}

/* A log may be longer than any request: its own limit on depth, none that matters on length. */
static brski_err_t *parse_json(brski_json_t **out, brski_bytes_t text, apr_pool_t *pool)
{
    brski_limits_t limits = brski_limits_default;

    limits.string = 16 * 1024 * 1024;
    return brski_json_parse(out, text, &limits, pool);
}

brski_err_t *show_audit_log(say_t *say, brski_bytes_t json, apr_pool_t *pool)
{
    brski_json_t *log;

    BRSKI_TRY(parse_json(&log, json, pool));
    if (!is_audit_log(log)) {
        return brski_err_say(brski_err(BRSKI_E_JSON, NULL, pool, NULL), pool,
                             "This JSON is no audit log: it has no version and events.");
    }
    say_json(say, log);
    if (!say->json) {
        say_events(say, log);
    }
    return BRSKI_OK;
}

static brski_json_t *show_json(brski_bytes_t text, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool), *json;
    brski_err_t *err = parse_json(&json, text, pool);

    if (err) {
        brski_json_set_string(doc, "kind", "text that begins like JSON");
        brski_json_set_string(doc, "problem", show_sentence(err, pool));
    }
    else if (is_audit_log(json)) {
        brski_json_set_string(doc, "kind", "audit log");
        show_merge(doc, json);
    }
    else if (brski_json_get(json, "signatures") && brski_json_get(json, "payload")) {
        brski_json_set_string(doc, "kind", "JWS, which this version does not read");
    }
    else {
        brski_json_set_string(doc, "kind", "JSON, not signed");
        show_merge(doc, json);
    }
    return doc;
}

static void say_member(say_t *say, const brski_json_t *doc, const char *key)
{
    const brski_json_t *v = brski_json_get(doc, key);
    const char *text = brski_json_string(v);

    say_line(say, "%-20s %s", key,
             brski_printable(text ? text : brski_json_text(v, 0, say->pool), 200, say->pool));
}

void show_say(say_t *say, brski_json_t *document)
{
    const char *kind = brski_json_get_string(document, "kind");

    if (say->json || !kind || strcmp(kind, "audit log") != 0) {
        say_record(say, document);
        return;
    }
    if (brski_json_get(document, "file")) {
        say_member(say, document, "file");
    }
    say_member(say, document, "kind");
    say_member(say, document, "version");
    say_events(say, document);
}

/* ---- anything ---- */

static brski_json_t *nothing_known(brski_bytes_t content, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);

    brski_json_set_string(doc, "kind", "unknown");
    brski_json_set_string(doc, "problem",
                          content.len == 0 ? "It is empty."
                          : content.data[0] == 0xd2 || content.data[0] == 0x84
                              ? "It looks like COSE, which this version does not read."
                              : "It is no voucher, request, certificate, audit log or key.");
    brski_json_set_int(doc, "octets", (apr_int64_t)content.len);
    return doc;
}

static brski_json_t *show_der(brski_bytes_t der, apr_pool_t *pool)
{
    brski_json_t *doc = show_part_der(der, pool);

    return doc ? doc : show_signed(der, pool);
}

/* The first octet that is no blank. */
static brski_bytes_t trim(brski_bytes_t content)
{
    while (content.len && apr_isspace(content.data[0])) {
        content.data++;
        content.len--;
    }
    return content;
}

brski_json_t *show_any(brski_bytes_t content, apr_pool_t *pool)
{
    brski_bytes_t text = trim(content), decoded;

    if (content.len && content.data[0] == 0x30) {
        return show_der(content, pool);
    }
    if (text.len && text.data[0] == '{') {
        return show_json(text, pool);
    }
    if (text.len > 11 && memcmp(text.data, "-----BEGIN ", 11) == 0) {
        return show_part_pem(text, pool);
    }
    if (text.len && !brski_base64_decode_liberal(&decoded, (const char *)text.data, text.len, pool)
        && decoded.len > 1 && (decoded.data[0] == 0x30 || decoded.data[0] == '{')) {
        brski_json_t *doc = show_any(decoded, pool);

        brski_json_set_string(doc, "encoding", "base64");
        return doc;
    }
    return nothing_known(content, pool);
}
