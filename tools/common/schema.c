/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c: the tables: make them, bring them up to this version one numbered upgrade after the
 * other, each in a transaction that also records it, and tell where they stand. An upgrade is
 * written so that yesterday's server still works.
 */
#include "schema.h"
#include "database.h"
#include "ownership.h"

#include <apr_strings.h>
#include <sys/stat.h>

/* The number of the last upgrade of this program. */
static int newest(const db_t *db)
{
    return brski_dbd_newest(db->kind->set, db->dialect);
}

/* The last upgrade that was applied, 0 when there are no tables yet. */
static brski_err_t *applied(int *number, db_t *db)
{
    brski_row_t *row;
    brski_err_t *err = db_one(&row, db, db->kind->set->version_get, NULL, db->pool);

    *number = 0;
    if (brski_err_is(err, BRSKI_E_STORE_SCHEMA)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(err);
    *number = row ? (int)brski_row_int(row, 0) : 0;
    return BRSKI_OK;
}

static brski_err_t *apply_one(db_t *db, void *baton)
{
    const brski_upgrade_t *u = baton;
    apr_time_t now = db->call->ctx->now(db->call->ctx->baton);

    for (int i = 0; u->statements[i]; i++) {
        BRSKI_TRY(brski_dbd_ddl(db->dbd, u->statements[i], db->pool));
    }
    return db_exec(NULL, db, db->kind->set->version_put,
                   DB_ARGS(db_num(u->number, db->pool), u->name, db_num(now, db->pool)), db->pool);
}

static brski_err_t *apply_all(db_t *db, int from, brski_json_t *done)
{
    for (const brski_upgrade_t *u = db->kind->set->upgrades[db->dialect]; u->number; u++) {
        if (u->number <= from) {
            continue;
        }
        BRSKI_TRY(db_change(db, apply_one, (void *)u));
        say_line(db->call->say, "applied %04d-%s", u->number, u->name);
        brski_json_append_string(done, apr_psprintf(db->pool, "%04d-%s", u->number, u->name));
    }
    return BRSKI_OK;
}

static brski_err_t *upgrade(db_t *db)
{
    brski_json_t *result = brski_json_object(db->pool);
    brski_json_t *done = brski_json_array(db->pool);
    int from;

    BRSKI_TRY(applied(&from, db));
    if (from > newest(db)) {
        return say_refuse(db->pool,
                          "the tables are of version %d, made by a newer %s; this one knows %d",
                          from, db->call->program->name, newest(db));
    }
    BRSKI_TRY(apply_all(db, from, done));
    brski_json_set_int(result, "version", newest(db));
    brski_json_set(result, "applied", done);
    say_json(db->call->say, result);
    say_line(db->call->say, "the tables are of version %d", newest(db));
    return BRSKI_OK;
}

brski_err_t *schema_apply(call_t *call)
{
    server_user_t user;
    brski_err_t *err;
    db_t *db;

    BRSKI_TRY(db_find(&db, call));
    BRSKI_TRY(ownership_prepare(&user, db, opt_get(call, "user")));
    umask(027); /* the records hold evidence: not for everybody's eyes */
    BRSKI_TRY(db_connect(db));
    err = upgrade(db);
    if (!err) {
        return ownership_give(&user, db);
    }
    ownership_give(&user, db);
    return err;
}

static const char *state_text(db_t *db, int number)
{
    const char *program = db->call->program->name;

    return number == newest(db) ? "up to date"
           : number > newest(db)
               ? apr_psprintf(db->pool, "newer than this %s", program)
               : apr_psprintf(db->pool, "to be upgraded: %s schema apply", program);
}

brski_err_t *schema_status(call_t *call)
{
    brski_json_t *status = brski_json_object(call->pool);
    int number;
    db_t *db;

    BRSKI_TRY(db_open_any(&db, call));
    BRSKI_TRY(applied(&number, db));
    brski_json_set_string(status, "driver", db->driver);
    brski_json_set_int(status, "version", number);
    brski_json_set_int(status, "known", newest(db));
    brski_json_set_string(status, "state", state_text(db, number));
    say_record(call->say, status);
    call->status = number == newest(db) ? EXIT_DONE : EXIT_REFUSED;
    return BRSKI_OK;
}
