/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit.c: who had a device before: show the log that was judged, entry by entry, with what was
 * made of it; judge a log in a file with a policy; have a server fetch and judge a device's log
 * again. RFC 8995 5.8.
 */
#include "pledge.h"
#include "policy.h"
#include "requests.h"
#include "brski_audit_policy.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>

#define LOG_MAX (4 * 1024 * 1024) /* octets of a file */

/* A MASA's answer is a stranger's, but may be longer than a request. */
static const brski_limits_t log_limits = {.body = LOG_MAX,
                                          .certificates = 16,
                                          .certificate = 16384,
                                          .json_depth = 16,
                                          .serial_number = 1024,
                                          .nonce = 1024,
                                          .string = 65536};

/* ---- the log, entry by entry ---- */

static const say_column_t entry_view[] = {{"date", "DATE", 24},           {"whose", "WHOSE", 8},
                                          {"assertion", "ASSERTION", 15}, {"nonce", "NONCE", 24},
                                          {"domain_id", "DOMAIN ID", 0},  {NULL, NULL, 0}};

/* DomainIDs as octets: base64 has more than one way to write some. */
static apr_hash_t *own_ids(const apr_array_header_t *ids, apr_pool_t *pool)
{
    apr_hash_t *own = apr_hash_make(pool);

    for (int i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);
        brski_bytes_t octets;
        if (!brski_base64_decode_liberal(&octets, id, strlen(id), pool)) {
            apr_hash_set(own, octets.data, (apr_ssize_t)octets.len, id);
        }
    }
    return own;
}

static int is_own(const apr_hash_t *own, const char *id, apr_pool_t *pool)
{
    brski_bytes_t octets;

    return id && !brski_base64_decode_liberal(&octets, id, strlen(id), pool) &&
           apr_hash_get((apr_hash_t *)own, octets.data, (apr_ssize_t)octets.len) != NULL;
}

static brski_json_t *entry_json(const brski_json_t *event, const apr_hash_t *own, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);
    const char *id = brski_json_get_string(event, "domainID");
    const char *nonce = brski_json_get_string(event, "nonce");

    brski_json_set_string(obj, "date", brski_json_get_string(event, "date"));
    brski_json_set_string(obj, "whose", is_own(own, id, pool) ? "ours" : "OTHER");
    brski_json_set_string(obj, "assertion", brski_json_get_string(event, "assertion"));
    brski_json_set_string(obj, "nonce", nonce);
    brski_json_set_string(obj, "domain_id", id);
    return obj;
}

static brski_json_t *entries_json(const brski_json_t *log, const apr_hash_t *own, apr_pool_t *pool)
{
    const brski_json_t *events = brski_json_get(log, "events");
    brski_json_t *list = brski_json_array(pool);

    for (apr_size_t i = 0; i < brski_json_size(events); i++) {
        brski_json_append(list, entry_json(brski_json_at(events, i), own, pool));
    }
    return list;
}

/* As a table; what the MASA left out is told below it. */
static void show_entries(say_t *say, const brski_json_t *log, const brski_json_t *entries)
{
    brski_json_t *truncation = brski_json_get(log, "truncation");
    int left_out = 0;

    say_head(say, entry_view);
    for (apr_size_t i = 0; i < brski_json_size(entries); i++) {
        brski_json_t *entry = brski_json_at(entries, i);
        if (!brski_json_get_string(entry, "nonce")) {
            brski_json_set_string(entry, "nonce", "(nonceless)");
        }
        say_row(say, entry_view, entry);
    }
    for (apr_size_t i = 0; i < brski_json_size(truncation); i++) {
        const brski_json_t *n = brski_json_get(truncation, brski_json_key(truncation, i));
        left_out |= brski_json_type(n) != BRSKI_JSON_INTEGER || brski_json_int(n) != 0;
    }
    if (left_out) {
        say_line(say, "%s", "left out of the log:");
        say_record(say, truncation);
    }
}

/* The log as a document, or why it is none. */
static brski_err_t *log_json(brski_json_t **log, const char **problem, brski_bytes_t octets,
                             apr_pool_t *pool)
{
    brski_err_t *err;

    *log = NULL;
    *problem = NULL;
    if (!octets.len) {
        *problem = "the MASA had no log";
        return BRSKI_OK;
    }
    err = brski_json_parse(log, octets, &log_limits, pool);
    if (err) {
        *problem = apr_psprintf(pool, "what came is no audit log: %s", brski_err_text(err, pool));
    }
    return BRSKI_OK;
}

/* ---- show ---- */

static brski_err_t *judged_json(brski_json_t **out, const brski_judged_t *judged,
                                const apr_hash_t *own, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);
    const char *problem;
    brski_json_t *log;

    BRSKI_TRY(log_json(&log, &problem, judged->log, pool));
    brski_json_set_string(obj, "request", judged->request);
    db_json_time(obj, "at", judged->at, pool);
    brski_json_set_string(obj, "verdict", brski_verdict_text(judged->verdict));
    brski_json_set_string(obj, "rule", judged->rule);
    brski_json_set_string(obj, "text", judged->text);
    brski_json_set_string(obj, "problem", problem);
    if (log) {
        brski_json_set(obj, "entries", entries_json(log, own, pool));
        brski_json_set(obj, "log", log);
    }
    *out = obj;
    return BRSKI_OK;
}

static void show_judged(say_t *say, const brski_json_t *judged, apr_pool_t *pool)
{
    static const char *const members[] = {"at", "verdict", "rule", "text", "problem"};
    brski_json_t *head = brski_json_object(pool);
    const brski_json_t *log = brski_json_get(judged, "log");

    for (apr_size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        brski_json_set_string(head, members[i], brski_json_get_string(judged, members[i]));
    }
    say_record(say, head);
    if (log) {
        show_entries(say, log, brski_json_get(judged, "entries"));
    }
}

static brski_err_t *audit_show(call_t *call)
{
    brski_json_t *list = brski_json_array(call->pool);
    apr_array_header_t *verdicts, *ids;
    apr_hash_t *own;
    brski_pledge_t *p;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(pledge_find(&p, db, call->args[0], call->args[1]));
    BRSKI_TRY(brski_records_verdicts(&verdicts, db_records(db), p->manufacturer, p->serial_number,
                                     db->pool, db->pool));
    BRSKI_TRY(brski_records_domain_ids(&ids, db_records(db), db->pool, db->pool));
    if (!verdicts->nelts) {
        return say_refuse(db->pool, "no audit log of this device was judged yet");
    }
    own = own_ids(ids, db->pool);
    for (int i = 0; i < verdicts->nelts && (!i || opt_has(call, "all")); i++) {
        brski_json_t *judged;
        BRSKI_TRY(judged_json(&judged, APR_ARRAY_IDX(verdicts, i, const brski_judged_t *), own,
                              db->pool));
        brski_json_append(list, judged);
        if (!call->say->json) {
            say_line(call->say, "%s", i ? "" : "the last audit log that was judged:");
            show_judged(call->say, judged, db->pool);
        }
    }
    say_json(call->say, list);
    return BRSKI_OK;
}

/* ---- check: a file ---- */

static brski_err_t *read_all(brski_bytes_t *out, FILE *in, const char *name, apr_pool_t *pool)
{
    unsigned char *data = apr_palloc(pool, LOG_MAX + 1);
    apr_size_t len = fread(data, 1, LOG_MAX + 1, in);

    if (ferror(in)) {
        return say_refuse(pool, "cannot read %s: %s", name, strerror(errno));
    }
    *out = brski_bytes(data, len);
    return len > LOG_MAX ? say_refuse(pool, "%s is larger than %d octets", name, LOG_MAX)
                         : BRSKI_OK;
}

static brski_err_t *read_file(brski_bytes_t *out, const char *name, apr_pool_t *pool)
{
    brski_err_t *err;
    FILE *in;

    if (!strcmp(name, "-")) {
        return read_all(out, stdin, "the input", pool);
    }
    if (!(in = fopen(name, "rb"))) {
        return say_refuse(pool, "cannot read %s: %s", name, strerror(errno));
    }
    err = read_all(out, in, name, pool);
    fclose(in);
    return err;
}

/* Our own domainIDs: those of --own, else those that the database has. */
static brski_err_t *find_own(const apr_array_header_t **own, call_t *call)
{
    apr_array_header_t *ids;
    db_t *db;

    *own = opt_all(call, "own");
    if ((*own)->nelts) {
        return BRSKI_OK;
    }
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(brski_records_domain_ids(&ids, db_records(db), db->pool, db->pool));
    *own = ids;
    return BRSKI_OK;
}

static void show_judgement(call_t *call, const brski_audit_judgement_t *j, brski_bytes_t octets,
                           const apr_array_header_t *own)
{
    brski_json_t *obj = brski_json_object(call->pool);
    brski_json_t *entries = NULL;
    const char *problem;
    brski_json_t *log;

    log_json(&log, &problem, octets, call->pool);
    brski_json_set_string(obj, "verdict", brski_verdict_text(j->verdict));
    brski_json_set_string(obj, "rule", j->rule);
    brski_json_set_string(obj, "text", j->text);
    brski_json_set_int(obj, "log_version", j->version);
    brski_json_set_int(obj, "events", j->events);
    if (log) {
        entries = entries_json(log, own_ids(own, call->pool), call->pool);
    }
    if (!call->say->json) {
        say_record(call->say, obj);
        if (entries) {
            show_entries(call->say, log, entries);
        }
        return;
    }
    if (entries) {
        brski_json_set(obj, "entries", entries);
    }
    say_json(call->say, obj);
}

static brski_err_t *check_file(call_t *call)
{
    const apr_array_header_t *own;
    brski_audit_judgement_t *j;
    brski_audit_policy_t policy;
    brski_bytes_t octets;
    int wrong;

    BRSKI_TRY(policy_read(&wrong, &policy, call));
    if (wrong) {
        return BRSKI_OK;
    }
    BRSKI_TRY(read_file(&octets, call->args[0], call->pool));
    BRSKI_TRY(find_own(&own, call));
    BRSKI_TRY(brski_audit_judge(&j, &policy, own, octets, opt_has(call, "attested"), &log_limits,
                                call->pool, call->pool));
    show_judgement(call, j, octets, own);
    call->status = j->verdict == BRSKI_VERDICT_BAD ? EXIT_REFUSED : EXIT_DONE;
    return BRSKI_OK;
}

/* ---- check: a device ---- */

static brski_err_t *check_device(call_t *call)
{
    brski_json_t *obj = brski_json_object(call->pool);
    brski_pledge_t *p;
    int done;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(pledge_find(&p, db, call->args[0], call->args[1]));
    if (!p->request) {
        return say_refuse(db->pool, "the device has got no voucher here: there is no log to judge");
    }
    BRSKI_TRY(requests_judge_again(&done, db, p, db->pool));
    if (!done) {
        return say_refuse(db->pool, "it cannot be asked for now: a server is at work on it this "
                                    "moment, or what was asked then is not kept any more");
    }
    brski_json_set_string(obj, "manufacturer", p->manufacturer);
    brski_json_set_string(obj, "serial_number", p->serial_number);
    brski_json_set_string(obj, "request", p->request);
    say_json(call->say, obj);
    say_line(call->say, "a server fetches and judges the log in a moment; "
                        "'estctl audit show' tells what came of it");
    return BRSKI_OK;
}

static brski_err_t *audit_check(call_t *call)
{
    if (call->nargs == 1) {
        return check_file(call);
    }
    if (opt_has(call, "policy") || opt_has(call, "own") || opt_has(call, "attested")) {
        return opt_usage(call, "a device's log is judged by the server with ITS policy; "
                               "--policy, --own and --attested are for a FILE");
    }
    return check_device(call);
}

/* ---- the group ---- */

static const opt_t show_options[] = {{"all", 'a', NULL, "all that were judged, not the last alone"},
                                     {NULL, 0, NULL, NULL}};

static const opt_t check_options[] = {
    {"policy", 'p', "RULE", "\"unknown warn\": as behind ESTAuditPolicy; repeatable"},
    {"own", 0, "ID", "our domainIDs (base64); default: the database's"},
    {"attested", 0, NULL, "somebody vouches for the device"},
    {NULL, 0, NULL, NULL}};

static const char check_help[] =
    "FILE is what a MASA answered to requestauditlog. With MANUFACTURER SERIAL a\n"
    "server fetches that device's log anew and judges it with its own policy.\n"
    "Exit status 1: the verdict is bad.";

static const command_t commands[] = {{"audit show", "MANUFACTURER SERIAL", 2, 2,
                                      "Show the audit log that was judged last", show_options, NULL,
                                      audit_show},
                                     {"audit check", "FILE|- | MANUFACTURER SERIAL", 1, 2,
                                      "Judge an audit log", check_options, check_help, audit_check},
                                     {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"audit", "the history of devices", 50, commands, NULL};
COMMAND_GROUP(group)
