/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_log.c: the log of vouchers: show one device's, prove that nothing was altered or removed,
 * export it. What has to do with checkpoints is in cmd_checkpoint.c.
 */
#include "device.h"
#include "cmd_checkpoint.h"
#include "verify.h"
#include "brski_audit.h"
#include "brski_bytes.h"
#include "brski_time.h"
#include "brski_voucher.h"

#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- events as JSON ---- */

static brski_json_t *event_json(const brski_event_t *e, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "product", e->product);
    brski_json_set_string(obj, "serial_number", e->serial_number);
    brski_json_set_int(obj, "epoch", e->epoch);
    brski_json_set_int(obj, "seq", e->seq);
    db_json_time(obj, "date", e->created_at, pool);
    brski_json_set_string(obj, "assertion", brski_assertion_text(e->assertion));
    brski_json_set_bool(obj, "proximity", e->proximity);
    brski_json_set_bool(obj, "verified", e->verified);
    brski_json_set_string(obj, "nonce", e->nonce);
    brski_json_set_string(obj, "domain_id", e->domain_id);
    brski_json_set_string(obj, "customer", e->customer);
    brski_json_set_string(obj, "signer", e->signer);
    brski_json_set_string(obj, "signer_key", e->signer_key);
    db_json_time(obj, "expires_on", e->expires_on, pool);
    brski_json_set_string(obj, "format", brski_format_text(e->format));
    brski_json_set_string(obj, "request_id", e->request_id);
    brski_json_set_string(obj, "request_hash", e->request_hash);
    brski_json_set_string(obj, "voucher_hash", e->voucher_hash);
    brski_json_set_string(obj, "pin_spki", e->pin_spki);
    brski_json_set_string(obj, "pin_cert", e->pin_cert);
    brski_json_set_string(obj, "request_signer_spki", e->signer_spki);
    brski_json_set_string(obj, "request_issuer_spki", e->issuer_spki);
    brski_json_set_string(obj, "tls_spki", e->tls_spki);
    brski_json_set_string(obj, "prev_hash", e->prev_hash);
    brski_json_set_string(obj, "hash", e->hash);
    return obj;
}

/* ---- show ---- */

static const say_column_t show_view[] = { { "seq", "EVENT", 5 },
                                          { "date", "DATE", 20 },
                                          { "assertion", "ASSERTION", 10 },
                                          { "customer", "CUSTOMER", 12 },
                                          { "domain_id", "DOMAIN ID", 28 },
                                          { "address", "ADDRESS", 15 },
                                          { "nonce", "NONCE", 0 },
                                          { NULL, NULL, 0 } };

/* Who asked is kept beside the chain, and may be gone. */
static brski_err_t *add_peer(brski_json_t *obj, db_t *db, const brski_event_t *e, apr_pool_t *pool)
{
    brski_row_t *row;

    BRSKI_TRY(db_one(&row, db, STMT_EVENT_PEER_GET, DB_ARGS(db->tenant, e->request_id), pool));
    brski_json_set_string(obj, "address", row ? brski_row_text(row, 0) : NULL);
    brski_json_set_string(obj, "tls_subject", row ? brski_row_text(row, 1) : NULL);
    if (!e->nonce && !db->call->say->json) {
        brski_json_set_string(obj, "nonce", "(nonceless)");
    }
    return BRSKI_OK;
}

static brski_err_t *show_events(db_t *db, const apr_array_header_t *events)
{
    say_t *say = db->call->say;

    say_head(say, show_view);
    for (int i = 0; i < events->nelts; i++) {
        const brski_event_t *e = APR_ARRAY_IDX(events, i, const brski_event_t *);
        brski_json_t *obj = event_json(e, say_scratch(say));
        BRSKI_TRY(add_peer(obj, db, e, say_scratch(say)));
        say_row(say, show_view, obj);
    }
    return BRSKI_OK;
}

/* RFC 8995 5.8.1: what an owner would read. */
static brski_err_t *show_audit(db_t *db, const apr_array_header_t *events)
{
    brski_json_t *answer;
    const char *json;

    BRSKI_TRY(brski_audit_make(&json, events, db->pool));
    BRSKI_TRY(brski_json_parse(&answer, brski_bytes_str(json), &brski_limits_default, db->pool));
    fprintf(db->call->say->out, "%s\n", brski_json_text(answer, 1, db->pool));
    return BRSKI_OK;
}

static brski_err_t *log_show(call_t *call)
{
    apr_array_header_t *events;
    const char *reason;
    brski_row_t *row;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(device_find(&row, db, call->args[0]));
    BRSKI_TRY(brski_store_events(&events, db_store(db), brski_row_text(row, 0), call->args[0],
                                 db->pool, db->pool));
    if (!events->nelts) {
        say_note(call->say, "no voucher was ever issued for %s",
                 brski_printable(call->args[0], 128, db->pool));
        return BRSKI_OK;
    }
    BRSKI_TRY(opt_has(call, "audit") ? show_audit(db, events) : show_events(db, events));
    brski_event_chain_check(&reason, events, db->pool);
    return reason ? say_refuse(db->pool, "the log of this device does not prove itself: %s", reason)
                  : BRSKI_OK;
}

/* ---- verify ---- */

/* Those in the database can be removed with the events, but who forgets them is found out. */
static brski_err_t *check_kept(db_t *db, const verify_t *found, const char **reason)
{
    brski_row_t *row;

    *reason = NULL;
    BRSKI_TRY(db_one(&row, db, STMT_CHECKPOINT_LAST, DB_ARGS(db->tenant), db->pool));
    if (row && (brski_row_int(row, 3) > found->devices || brski_row_int(row, 4) > found->events)) {
        *reason = apr_psprintf(db->pool,
                               "checkpoint %s counted %s devices with %s events; the log has "
                               "%" APR_INT64_T_FMT " with %" APR_INT64_T_FMT,
                               brski_row_text(row, 0), brski_row_text(row, 3),
                               brski_row_text(row, 4), found->devices, found->events);
    }
    return BRSKI_OK;
}

static void tell_verified(call_t *call, const verify_t *found, const checkpoint_t *c,
                          const char *reason)
{
    brski_json_t *result = brski_json_object(call->pool);

    brski_json_set_int(result, "devices", found->devices);
    brski_json_set_int(result, "events", found->events);
    brski_json_set_int(result, "problem_count", found->problems);
    brski_json_set(result, "problems", found->told);
    if (c) {
        brski_json_set(result, "checkpoint", checkpoint_record_json(c, call->pool));
    }
    say_json(call->say, result);
    say_line(call->say, "%s events of %s devices: %s", say_count(found->events, call->pool),
             say_count(found->devices, call->pool),
             found->problems || reason ? "NOT GOOD"
             : c                       ? "every chain is whole, and nothing that the checkpoint "
                                         "knows is missing"
                                       : "every chain is whole");
    if (!c && !found->problems && !reason) {
        say_note(call->say,
                 "only a checkpoint (--checkpoint) shows that nothing was cut off at the end");
    }
}

static brski_err_t *log_verify(call_t *call)
{
    const char *name = opt_get(call, "checkpoint");
    const char *document;
    const char *reason;
    checkpoint_t *c = NULL;
    heads_t *heads = NULL;
    verify_t *found;
    db_t *db;

    if (!name != !opt_has(call, "key")) {
        return opt_usage(call, "--checkpoint FILE and --key PUBLIC.pem belong together");
    }
    BRSKI_TRY(db_open(&db, call));
    if (name) {
        BRSKI_TRY(checkpoint_option(&c, &document, call, db->tenant));
        BRSKI_TRY(heads_open(&heads, heads_name(name, call->pool), call->pool));
    }
    BRSKI_TRY(verify_log(&found, db, heads));
    BRSKI_TRY(check_kept(db, found, &reason));
    tell_verified(call, found, c, reason);
    if (reason) {
        return say_refuse(call->pool, "%s", reason);
    }
    call->status = found->problems ? EXIT_REFUSED : EXIT_DONE;
    return BRSKI_OK;
}

/* ---- export ---- */

static brski_err_t *export_event(const brski_event_t *e, void *baton, apr_pool_t *pool)
{
    brski_json_t *obj = event_json(e, pool);

    brski_json_set_string(obj, "voucher", brski_base64_encode(e->voucher, pool));
    fprintf(baton, "%s\n", brski_json_text(obj, 0, pool));
    return ferror(baton) ? say_refuse(pool, "cannot write the export: %s", strerror(errno))
                         : BRSKI_OK;
}

static brski_err_t *log_export(call_t *call)
{
    const char *name = opt_get(call, "output");
    FILE *out = stdout;
    brski_err_t *err;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    if (name) {
        BRSKI_TRY(checkpoint_new_file(&out, name, call->pool));
    }
    err = verify_walk(db, export_event, out);
    if (name) {
        brski_err_t *closed = checkpoint_close_file(out, name, call->pool);
        err = err ? err : closed;
    }
    return err;
}

/* ---- the group ---- */

static const opt_t show_options[] = {
    { "product", 'p', "NAME", "product line, if the serial stands in several" },
    { "audit", 'a', NULL, "what an owner would read: RFC 8995 5.8.1" },
    { NULL, 0, NULL, NULL }
};

static const opt_t verify_options[] = {
    { "checkpoint", 'c', "FILE", "prove too that nothing it knows was cut off" },
    { "key", 'k', "PUBLIC.pem", "public key (or certificate) that signed it" },
    { NULL, 0, NULL, NULL }
};

static const opt_t export_options[] = {
    { "output", 'o', "FILE", "default stdout" },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "log show", "SERIAL", 1, 1, "Show the vouchers issued for a device", show_options, NULL,
      log_show },
    { "log verify", "", 0, 0, "Prove that the log is whole", verify_options, NULL, log_verify },
    { "log checkpoint", "", 0, 0, "Sign how far the log has come", checkpoint_options, NULL,
      log_checkpoint },
    { "log prove", "[SERIAL]", 0, 1, "Prove one device's place without showing the others",
      prove_options, NULL, log_prove },
    { "log export", "", 0, 0, "Write every event as one line of JSON", export_options, NULL,
      log_export },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "log", "the log of vouchers, and proof that it is whole", 40,
                                 commands, NULL };
COMMAND_GROUP(group)
