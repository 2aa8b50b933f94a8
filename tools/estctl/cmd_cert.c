/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_cert.c: certificates that were issued: list, show and revoke them; and enrolments that wait
 * for a human's word.
 */
#include "cas.h"
#include "words.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define PAGE 500
#define KEY_LEAST 8 /* characters of a request's name that must be given */

/* ---- as JSON ---- */

static brski_json_t *cert_json(const brski_issued_t *c, apr_time_t now, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "serial", c->serial);
    brski_json_set_string(obj, "ca", c->ca);
    brski_json_set_string(obj, "subject", c->subject);
    brski_json_set_string(obj, "state", words_certificate(c, now));
    brski_json_set_string(obj, "label", c->label);
    brski_json_set_string(obj, "manufacturer", c->manufacturer);
    brski_json_set_string(obj, "serial_number", c->serial_number);
    brski_json_set_string(obj, "user", c->user);
    db_json_time(obj, "issued_at", c->issued_at, pool);
    db_json_time(obj, "not_before", c->not_before, pool);
    db_json_time(obj, "not_after", c->not_after, pool);
    db_json_time(obj, "revoked_at", c->revoked_at, pool);
    brski_json_set_string(obj, "reason", c->revoked_at ? words_reason(c->reason) : NULL);
    brski_json_set_string(obj, "spki", c->spki);
    return obj;
}

/* Whose it is, for a column. */
static const char *holder(const brski_issued_t *c, apr_pool_t *pool)
{
    return *c->serial_number ? apr_pstrcat(pool, c->manufacturer, " ", c->serial_number, NULL)
           : *c->user        ? apr_pstrcat(pool, "user ", c->user, NULL)
                             : "";
}

/* ---- list ---- */

static const say_column_t list_view[] = {{"serial", "SERIAL", 32},  {"state", "STATE", 8},
                                         {"not_after", "ENDS", 20}, {"holder", "HOLDER", 24},
                                         {"subject", "SUBJECT", 0}, {NULL, NULL, 0}};

/* Which are asked for, and where a walk over them stands. */
typedef struct walk_t {
    db_t *db;
    const char *manufacturer; /* NULL: any */
    const char *serial_number;
    const char *state;
    const char *ca;
    const char *serial;
    apr_int64_t left; /* -1: all */
    int more;
} walk_t;

static void list_row(walk_t *w, const brski_issued_t *c)
{
    say_t *say = w->db->call->say;
    apr_time_t now = db_now(w->db);
    brski_json_t *obj;

    if (w->state && strcmp(w->state, words_certificate(c, now))) {
        return;
    }
    obj = cert_json(c, now, say_scratch(say));
    if (!say->json) {
        brski_json_set_string(obj, "holder", holder(c, say_scratch(say)));
    }
    say_row(say, list_view, obj);
    w->left -= w->left > 0;
}

static brski_err_t *walk_page(walk_t *w, apr_pool_t *page, apr_pool_t *keep)
{
    const brski_issued_t *c = NULL;
    apr_array_header_t *list;
    int i;

    BRSKI_TRY(brski_records_certificates(&list, db_records(w->db), w->ca, w->serial,
                                         w->manufacturer, w->serial_number, PAGE, page, page));
    for (i = 0; i < list->nelts && w->left != 0; i++) {
        c = APR_ARRAY_IDX(list, i, const brski_issued_t *);
        list_row(w, c);
    }
    w->more = list->nelts == PAGE || i < list->nelts;
    if (c) {
        w->ca = apr_pstrdup(keep, c->ca);
        w->serial = apr_pstrdup(keep, c->serial);
    }
    return BRSKI_OK;
}

/* Page by page, with two pools in turn: the last key outlives its page. */
static brski_err_t *walk_all(walk_t *w)
{
    apr_pool_t *keep[2];
    apr_pool_t *page;

    apr_pool_create(&page, w->db->pool);
    apr_pool_create(&keep[0], w->db->pool);
    apr_pool_create(&keep[1], w->db->pool);
    w->more = 1;
    for (int turn = 0; w->more && w->left != 0; turn = !turn) {
        apr_pool_clear(page);
        apr_pool_clear(keep[turn]);
        BRSKI_TRY(walk_page(w, page, keep[turn]));
    }
    return BRSKI_OK;
}

static brski_err_t *cert_list(call_t *call)
{
    walk_t w = {.ca = "", .serial = ""};

    w.manufacturer = opt_get(call, "manufacturer");
    w.serial_number = opt_get(call, "serial-number");
    w.state = opt_get(call, "state");
    if (w.serial_number && !w.manufacturer) {
        return opt_usage(call, "--serial-number needs --manufacturer");
    }
    if (w.state && strcmp(w.state, "valid") && strcmp(w.state, "expired") &&
        strcmp(w.state, "revoked")) {
        return opt_usage(call, "--state is one of valid, expired, revoked");
    }
    if (opt_has(call, "after") != opt_has(call, "ca")) {
        return opt_usage(call, "--ca and --after belong together");
    }
    BRSKI_TRY(opt_int(&w.left, call, "limit", 0, APR_INT32_MAX, 100));
    w.left = w.left ? w.left : -1;
    BRSKI_TRY(db_open(&w.db, call));
    if (opt_has(call, "after")) {
        w.ca = opt_get(call, "ca");
        w.serial = opt_get(call, "after");
    }
    say_head(call->say, list_view);
    BRSKI_TRY(walk_all(&w));
    if (w.left == 0 && w.more) {
        say_note(call->say, "more may follow: --ca %s --after %s", w.ca, w.serial);
    }
    return BRSKI_OK;
}

/* ---- show ---- */

/* Hex as the table has it: lower case, without colons. NULL when it is none. */
static const char *serial_hex(const char *text, apr_pool_t *pool)
{
    char *hex = apr_pstrdup(pool, text);
    char *to = hex;

    for (const char *c = text; *c; c++) {
        if (apr_isxdigit(*c)) {
            *to++ = (char)apr_tolower(*c);
        }
        else if (*c != ':') {
            return NULL;
        }
    }
    *to = '\0';
    return *hex ? hex : NULL;
}

/* The certificate with this serial number, whichever CA issued it; several CAs hardly ever have the
 * same. */
static brski_err_t *find_cert(brski_issued_t **out, db_t *db, const char *text)
{
    const char *hex = serial_hex(text, db->pool);
    apr_array_header_t *cas;
    int found = 0;

    *out = NULL;
    if (!hex) {
        return say_refuse(db->pool, "'%s' is not the serial number of a certificate: hex digits",
                          brski_printable(text, 128, db->pool));
    }
    BRSKI_TRY(cas_list(&cas, db));
    for (int i = 0; i < cas->nelts; i++) {
        brski_issued_t *one;
        BRSKI_TRY(brski_records_certificate_get(
            &one, db_records(db), APR_ARRAY_IDX(cas, i, const char *), hex, db->pool, db->pool));
        if (one) {
            *out = one;
            found++;
        }
    }
    if (found > 1) {
        return say_refuse(db->pool, "%d CAs have issued a certificate %s", found, hex);
    }
    return found ? BRSKI_OK
                 : say_refuse(db->pool, "tenant %s has issued no certificate %s", db->tenant, hex);
}

static brski_err_t *cert_show(call_t *call)
{
    brski_issued_t *c;
    const brski_cert_t *cert;
    brski_json_t *obj;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(find_cert(&c, db, call->args[0]));
    BRSKI_TRY(brski_cert_parse(&cert, c->der, &brski_limits_default, NULL, db->pool));
    if (opt_has(call, "pem")) {
        fputs(brski_cert_pem(cert, db->pool), call->say->out);
        return BRSKI_OK;
    }
    obj = cert_json(c, db_now(db), db->pool);
    brski_json_set_string(obj, "issuer", cert->issuer);
    brski_json_set_string(obj, "sha256", brski_sha256_hex(c->der, db->pool));
    if (call->say->json) {
        brski_json_set_string(obj, "pem", brski_cert_pem(cert, db->pool));
    }
    say_record(call->say, obj);
    return BRSKI_OK;
}

/* ---- revoke ---- */

static void tell_revoked(call_t *call, int revoked, const char *reason)
{
    brski_json_t *obj = brski_json_object(call->pool);

    brski_json_set_int(obj, "revoked", revoked);
    brski_json_set_string(obj, "reason", reason);
    say_json(call->say, obj);
    say_line(call->say, "%d certificate%s revoked: %s; the next CRL that a server gives out has %s",
             revoked, revoked == 1 ? "" : "s", reason, revoked == 1 ? "it" : "them");
}

static brski_err_t *revoke_one(db_t *db, int reason)
{
    brski_issued_t *c;
    int done;

    BRSKI_TRY(find_cert(&c, db, db->call->args[0]));
    if (c->revoked_at) {
        return say_refuse(db->pool, "%s was revoked %s: %s", c->serial,
                          brski_time_rfc3339(c->revoked_at, db->pool), words_reason(c->reason));
    }
    BRSKI_TRY(brski_records_certificate_revoke(&done, db_records(db), c->ca, c->serial, reason,
                                               db_now(db), db->pool));
    if (!done) {
        return say_refuse(db->pool, "%s was revoked by somebody else this moment", c->serial);
    }
    BRSKI_TRY(db_note(db, "revoked", c->manufacturer, c->serial_number,
                      "%s revoked certificate %s: %s", db_who(db), c->serial,
                      words_reason(reason)));
    tell_revoked(db->call, 1, words_reason(reason));
    return BRSKI_OK;
}

static brski_err_t *revoke_device(db_t *db, int reason)
{
    const char *manufacturer = db->call->args[0];
    const char *serial = db->call->args[1];
    int revoked;

    BRSKI_TRY(brski_records_certificate_revoke_device(&revoked, db_records(db), manufacturer,
                                                      serial, reason, db_now(db), db->pool));
    if (!revoked) {
        return say_refuse(db->pool, "device %s of manufacturer %s has no valid certificate",
                          brski_printable(serial, 128, db->pool),
                          brski_printable(manufacturer, 128, db->pool));
    }
    BRSKI_TRY(db_note(db, "revoked", manufacturer, serial,
                      "%s revoked %d certificates of the device: %s", db_who(db), revoked,
                      words_reason(reason)));
    tell_revoked(db->call, revoked, words_reason(reason));
    say_note(db->call->say, "it may enrol again unless 'estctl pledge refuse' says otherwise");
    return BRSKI_OK;
}

static brski_err_t *cert_revoke(call_t *call)
{
    int device = opt_has(call, "device");
    int reason = 0;
    db_t *db;

    if (call->nargs != (device ? 2 : 1)) {
        return opt_usage(call, "say the certificate's SERIAL, or --device MANUFACTURER SERIAL");
    }
    if (opt_get(call, "reason") && (reason = words_reason_parse(opt_get(call, "reason"))) < 0) {
        return opt_usage(call, "--reason is one of %s", words_reasons(call->pool));
    }
    BRSKI_TRY(db_open(&db, call));
    return device ? revoke_device(db, reason) : revoke_one(db, reason);
}

/* ---- enrolments that wait ---- */

static const say_column_t waiting_view[] = {
    {"key", "KEY", 16},     {"state", "STATE", 8},         {"created_at", "SINCE", 20},
    {"label", "LABEL", 10}, {"requester", "REQUESTER", 0}, {NULL, NULL, 0}};

static brski_json_t *approval_json(const brski_approval_t *a, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "key", a->request_key);
    brski_json_set_string(obj, "state", a->state);
    brski_json_set_string(obj, "requester", a->requester);
    brski_json_set_string(obj, "label", a->label);
    db_json_time(obj, "created_at", a->created_at, pool);
    brski_json_set_string(obj, "by", a->by);
    db_json_time(obj, "decided_at", a->decided_at, pool);
    brski_json_set_string(obj, "csr", brski_base64_encode(a->csr, pool));
    return obj;
}

static brski_err_t *cert_waiting(call_t *call)
{
    const char *state = opt_get(call, "state") ? opt_get(call, "state") : "waiting";
    apr_array_header_t *list;
    db_t *db;

    if (strcmp(state, "waiting") && strcmp(state, "approved") && strcmp(state, "refused")) {
        return opt_usage(call, "--state is one of waiting, approved, refused");
    }
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(brski_records_approvals(&list, db_records(db), state, db->pool, db->pool));
    say_head(call->say, waiting_view);
    for (int i = 0; i < list->nelts; i++) {
        const brski_approval_t *a = APR_ARRAY_IDX(list, i, const brski_approval_t *);
        brski_json_t *obj = approval_json(a, say_scratch(call->say));
        if (!call->say->json) {
            brski_json_set_string(obj, "key",
                                  apr_pstrndup(say_scratch(call->say), a->request_key, 16));
        }
        say_row(call->say, waiting_view, obj);
    }
    return BRSKI_OK;
}

/* Waiting ones are named by the beginning of their key. */
static brski_err_t *find_waiting(const brski_approval_t **out, db_t *db, const char *key)
{
    apr_array_header_t *list;
    int found = 0;

    *out = NULL;
    BRSKI_TRY(brski_records_approvals(&list, db_records(db), "waiting", db->pool, db->pool));
    for (int i = 0; i < list->nelts; i++) {
        const brski_approval_t *a = APR_ARRAY_IDX(list, i, const brski_approval_t *);
        if (!strncmp(a->request_key, key, strlen(key))) {
            *out = a;
            found++;
        }
    }
    if (found > 1) {
        return say_refuse(db->pool, "%d enrolments that wait begin with %s: write more of it",
                          found, brski_printable(key, 128, db->pool));
    }
    return found ? BRSKI_OK
                 : say_refuse(db->pool, "no enrolment that waits begins with %s",
                              brski_printable(key, 128, db->pool));
}

static brski_err_t *decide(call_t *call, int approve)
{
    const char *word = approve ? "approved" : "refused";
    brski_json_t *obj = brski_json_object(call->pool);
    const brski_approval_t *a;
    int done;
    db_t *db;

    if (strlen(call->args[0]) < KEY_LEAST) {
        return opt_usage(call, "write at least %d characters of KEY", KEY_LEAST);
    }
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(find_waiting(&a, db, call->args[0]));
    BRSKI_TRY(brski_records_approval_decide(&done, db_records(db), a->request_key, approve,
                                            db_who(db), db_now(db), db->pool));
    if (!done) {
        return say_refuse(db->pool, "it does not wait any more");
    }
    brski_json_set_string(obj, "key", a->request_key);
    brski_json_set_string(obj, "state", word);
    say_json(call->say, obj);
    say_line(call->say, "%s: %s; %s", brski_printable(a->requester, 200, db->pool), word,
             approve ? "it gets its certificate when it asks again"
                     : "it is told when it asks again");
    return BRSKI_OK;
}

static brski_err_t *cert_approve(call_t *call)
{
    return decide(call, 1);
}

static brski_err_t *cert_refuse(call_t *call)
{
    return decide(call, 0);
}

/* ---- the group ---- */

static const opt_t list_options[] = {
    {"manufacturer", 'm', "NAME", "only those of this manufacturer's devices"},
    {"serial-number", 0, "SERIAL", "only those of this device"},
    {"state", 's', "WORD", "only valid, expired or revoked ones"},
    {"ca", 0, "HEX", "go on in this CA's ..."},
    {"after", 0, "SERIAL", "... behind this one"},
    {"limit", 'n', "N", "at most so many; 0: all; default 100"},
    {NULL, 0, NULL, NULL}};

static const opt_t show_options[] = {{"pem", 0, NULL, "the certificate itself"},
                                     {NULL, 0, NULL, NULL}};

static const opt_t revoke_options[] = {
    {"device", 0, NULL, "all valid ones of a device: MANUFACTURER SERIAL"},
    {"reason", 'r', "WORD", "of RFC 5280: keyCompromise, superseded, ..."},
    {NULL, 0, NULL, NULL}};

static const opt_t waiting_options[] = {
    {"state", 's', "WORD", "waiting (default), approved or refused ones"}, {NULL, 0, NULL, NULL}};

static const command_t commands[] = {
    {"cert list", "", 0, 0, "List certificates that were issued", list_options, NULL, cert_list},
    {"cert show", "SERIAL", 1, 1, "Show a certificate", show_options, NULL, cert_show},
    {"cert revoke", "SERIAL", 1, 2, "Revoke a certificate, or all of a device", revoke_options,
     NULL, cert_revoke},
    {"cert waiting", "", 0, 0, "List enrolments that wait for a human", waiting_options, NULL,
     cert_waiting},
    {"cert approve", "KEY", 1, 1, "Let an enrolment that waits have its certificate", NULL, NULL,
     cert_approve},
    {"cert refuse", "KEY", 1, 1, "Refuse an enrolment that waits", NULL, NULL, cert_refuse},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"cert", "certificates", 40,
                                commands, NULL};
COMMAND_GROUP(group)
