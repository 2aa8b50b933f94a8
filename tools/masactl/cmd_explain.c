/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_explain.c: why was this request refused? A kept refusal is judged again, rule by rule, at the
 * time it came, with the configuration that a server has published and the records as they are now;
 * what differs from then is told.
 */
#include "db.h"
#include "brski_bytes.h"
#include "brski_masa.h"
#include "brski_snapshot.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <openssl/x509.h>
#include <string.h>

#define LAST_AT "9223372036854775807"

/* ---- the list of what is kept ---- */

static const db_column_t list_columns[] = {
    { "request_id", DB_TEXT, 0 },    { "at", DB_TIME, 0 },      { "operation", DB_TEXT, 0 },
    { "number", DB_INT, 0 },         { "status", DB_INT, 0 },   { "public_text", DB_TEXT, 0 },
    { "serial_number", DB_TEXT, 0 }, { "address", DB_TEXT, 0 }, DB_END
};
static const say_column_t list_view[] = { { "request_id", "REQUEST ID", 28 },
                                          { "at", "CAME", 20 },
                                          { "serial_number", "SERIAL NUMBER", 20 },
                                          { "address", "FROM", 15 },
                                          { "rule", "RULE", 0 },
                                          { NULL, NULL, 0 } };

/* "5.5.6 NONCE" */
static const char *rule_name(int number, apr_pool_t *pool)
{
    const brski_err_t *row = brski_err_row(number);

    return row ? apr_psprintf(pool, "%s %s", row->section, row->name)
               : apr_psprintf(pool, "BRSKI%d", number);
}

static brski_err_t *list_refusals(call_t *call)
{
    apr_array_header_t *rows;
    apr_int64_t limit;
    db_t *db;

    BRSKI_TRY(opt_int(&limit, call, "limit", 1, 10000, 20));
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(db_all(&rows, db, STMT_REFUSAL_LIST,
                     DB_ARGS(db->tenant, LAST_AT, "", db_num(limit, db->pool)), db->pool));
    say_head(call->say, list_view);
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        apr_pool_t *scratch = say_scratch(call->say);
        brski_json_t *obj = db_row_json(row, list_columns, scratch);
        brski_json_set_string(obj, "rule", rule_name((int)brski_row_int(row, 3), scratch));
        say_row(call->say, list_view, obj);
    }
    return BRSKI_OK;
}

/* ---- the request again ---- */

/* Certificates one after the other, as TLS sent them; what cannot be read ends the list. */
static apr_array_header_t *split_chain(brski_bytes_t der, apr_pool_t *pool)
{
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    const unsigned char *p = der.data;
    const unsigned char *end = der.data + der.len;

    while (p < end) {
        X509 *x509 = d2i_X509(NULL, &p, (long)(end - p));
        const brski_cert_t *cert;
        brski_err_t *err;
        if (!x509) {
            break;
        }
        err = brski_cert_wrap(&cert, x509, NULL, pool);
        X509_free(x509);
        if (err) {
            break;
        }
        APR_ARRAY_PUSH(certs, const brski_cert_t *) = cert;
    }
    return certs;
}

static void request_of(brski_masa_request_t *request, const brski_refusal_t *r, apr_pool_t *pool)
{
    memset(request, 0, sizeof(*request));
    request->body = r->request;
    request->content_type = r->content_type;
    request->accept = r->accept;
    request->request_id = r->request_id;
    request->user = r->user;
    request->address = r->address;
    if (r->client_cert.len
        && brski_cert_parse(&request->client_cert, r->client_cert, &brski_limits_default, NULL,
                            pool)) {
        request->client_cert = NULL;
    }
    if (r->client_chain.len) {
        request->client_chain = split_chain(r->client_chain, pool);
    }
}

/* The configuration of --node, or the one that was published last. */
static brski_err_t *find_snapshot(brski_row_t **row, db_t *db)
{
    const char *node = opt_get(db->call, "node");

    if (node) {
        BRSKI_TRY(db_one(row, db, STMT_SNAPSHOT_GET, DB_ARGS(db->tenant, node), db->pool));
    }
    else {
        BRSKI_TRY(db_one(row, db, STMT_SNAPSHOT_LAST, DB_ARGS(db->tenant), db->pool));
    }
    return *row ? BRSKI_OK
                : say_refuse(db->pool,
                             "%s has published no configuration for tenant %s in this database",
                             node ? node : "no server", db->tenant);
}

/* ---- telling ---- */

static const char *mark_of(const brski_step_t *step)
{
    return step->passed > 0 ? "passed" : step->passed == 0 ? "FAILED" : "skipped";
}

static const say_column_t step_view[] = { { "result", "RESULT", 8 },
                                          { "section", "SECTION", 8 },
                                          { "rule", "RULE", 18 },
                                          { "text", "SEEN", 0 },
                                          { NULL, NULL, 0 } };

static brski_json_t *steps_json(const apr_array_header_t *steps, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);

    for (int i = 0; steps && i < steps->nelts; i++) {
        const brski_step_t *step = &APR_ARRAY_IDX(steps, i, const brski_step_t);
        brski_json_t *obj = brski_json_object(pool);
        brski_json_set_string(obj, "section", step->section);
        brski_json_set_string(obj, "rule", step->rule);
        brski_json_set_string(obj, "result", mark_of(step));
        brski_json_set_string(obj, "text", step->text);
        brski_json_append(list, obj);
    }
    return list;
}

static brski_json_t *refusal_json(const brski_refusal_t *r, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "request_id", r->request_id);
    db_json_time(obj, "at", r->at, pool);
    brski_json_set_string(obj, "operation", r->operation);
    brski_json_set_string(obj, "address", r->address);
    brski_json_set_string(obj, "user", r->user);
    brski_json_set_string(obj, "serial_number", r->serial_number);
    brski_json_set_string(obj, "content_type", r->content_type);
    brski_json_set_int(obj, "octets", (apr_int64_t)r->request.len);
    brski_json_set_string(obj, "rule", rule_name(r->number, pool));
    brski_json_set_int(obj, "number", r->number);
    brski_json_set_int(obj, "status", r->status);
    brski_json_set_string(obj, "answer", r->public_text);
    brski_json_set_string(obj, "detail", r->detail);
    return obj;
}

/* What judging again came to, against what was decided then. */
static const char *verdict(const brski_refusal_t *r, const brski_err_t *now, apr_pool_t *pool)
{
    if (now && (int)now->code == r->number) {
        return "the same rule refuses it still";
    }
    if (now) {
        return apr_psprintf(pool,
                            "now another rule refuses it (%s): records or configuration have "
                            "changed since, or the server saw something that is not kept",
                            rule_name((int)now->code, pool));
    }
    return "now it would be granted: records or configuration have changed since, or the server "
           "refused it before these rules (TLS, limits)";
}

static void tell_steps(call_t *call, const brski_json_t *steps)
{
    say_line(call->say, "%s", "");
    say_head(call->say, step_view);
    for (apr_size_t i = 0; i < brski_json_size(steps); i++) {
        say_row(call->say, step_view, brski_json_at(steps, i));
    }
    say_line(call->say, "%s", "");
}

static brski_json_t *node_json(const brski_row_t *snapshot, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "node", brski_row_text(snapshot, 0));
    db_json_time(obj, "published_at", brski_row_int(snapshot, 2), pool);
    return obj;
}

static void tell(db_t *db, const brski_refusal_t *r, const brski_row_t *snapshot,
                 const brski_masa_answer_t *answer, const brski_err_t *now)
{
    call_t *call = db->call;
    brski_json_t *record = refusal_json(r, db->pool);
    brski_json_t *steps = steps_json(answer ? answer->steps : NULL, db->pool);
    const char *text = verdict(r, now, db->pool);

    brski_json_set(record, "configuration", node_json(snapshot, db->pool));
    if (call->say->json) {
        brski_json_set(record, "steps", steps);
        brski_json_set_string(record, "verdict", text);
        say_json(call->say, record);
        return;
    }
    say_record(call->say, record);
    tell_steps(call, steps);
    say_line(call->say, "%s", text);
    if (brski_row_int(snapshot, 2) > r->at) {
        say_note(call->say, "that configuration was published after the request came");
    }
}

/* ---- the command ---- */

/* It could not be judged: the records failed, not the request. */
static int is_ours(const brski_err_t *err)
{
    return err
           && (err->code == BRSKI_E_INTERNAL
               || (err->code >= BRSKI_E_STORE && err->code <= BRSKI_E_STORE_READONLY));
}

static brski_err_t *explain_one(call_t *call)
{
    brski_masa_request_t request;
    brski_masa_answer_t *answer = NULL;
    brski_refusal_t *refusal;
    brski_masa_t *masa;
    brski_row_t *snapshot;
    brski_err_t *now;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(brski_store_refusal_get(&refusal, db_store(db), call->args[0], db->pool, db->pool));
    if (!refusal) {
        return say_refuse(db->pool, "no refusal %s is kept; 'masactl explain' lists those that are",
                          brski_printable(call->args[0], 64, db->pool));
    }
    BRSKI_TRY(find_snapshot(&snapshot, db));
    BRSKI_TRY(
        brski_snapshot_read(&masa, brski_row_text(snapshot, 3), db_store(db), call->ctx, db->pool));
    request_of(&request, refusal, db->pool);
    now = brski_masa_explain(&answer, masa, &request,
                             refusal->operation ? refusal->operation : "requestvoucher",
                             refusal->at, db->pool, db->pool);
    if (is_ours(now)) {
        return now;
    }
    tell(db, refusal, snapshot, answer, now);
    return BRSKI_OK;
}

static brski_err_t *explain(call_t *call)
{
    return call->nargs ? explain_one(call) : list_refusals(call);
}

static const opt_t explain_options[] = {
    { "node", 0, "NAME", "by this server's configuration; default the last" },
    { "limit", 'n', "N", "without REQUEST-ID: list so many; default 20" },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "explain", "[REQUEST-ID]", 0, 1,
      "Judge a refused request again, rule by rule; or list what was refused", explain_options,
      NULL, explain },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "explain", "why a request was refused, rule by rule", 50, commands,
                                 NULL };
COMMAND_GROUP(group)
