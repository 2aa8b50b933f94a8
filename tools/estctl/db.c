/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c: a registrar's database, and who works on it.
 */
#include "db.h"
#include "brski_bytes.h"
#include "brski_est_statements.h"

#include <apr_env.h>
#include <apr_strings.h>
#include <pwd.h>
#include <stdarg.h>
#include <unistd.h>

#define NAME_SHOWN 64
#define ID_OCTETS 16

static brski_err_t *make_records(db_t *db, const brski_store_host_t *host,
                                 apr_interval_time_t patience)
{
    brski_records_t *records;

    BRSKI_TRY(brski_records_make(&records, db->tenant, host, db->dialect, 1, patience,
                                 db->call->ctx, db->pool));
    db->own = records;
    return BRSKI_OK;
}

static brski_err_t *check_schema(db_t *db)
{
    return brski_records_schema_check(db_records(db), db->pool);
}

const db_kind_t estctl_database = {
    .config = "/etc/estctl.conf",
    .variable = "ESTCTL_CONFIG",
    .example = "/var/lib/est/est.db",
    .module = "mod_est",
    .set = &brski_dbd_set_est,
    .settings = STMT_EST_DATABASE_SETTINGS,
    .make = make_records,
    .check = check_schema,
};

brski_records_t *db_records(const db_t *db)
{
    return db->own;
}

apr_time_t db_now(const db_t *db)
{
    return db->call->ctx->now(db->call->ctx->baton);
}

const char *db_who(const db_t *db)
{
    struct passwd *pw = getpwuid(getuid());
    char *behind = NULL;

    if (getuid() == 0 && apr_env_get(&behind, "SUDO_USER", db->pool) == APR_SUCCESS && *behind) {
        return brski_printable(behind, NAME_SHOWN, db->pool);
    }
    return pw ? brski_printable(pw->pw_name, NAME_SHOWN, db->pool)
              : apr_psprintf(db->pool, "user %ld", (long)getuid());
}

/* Unique among all front ends and tools. */
static const char *new_id(const db_t *db)
{
    unsigned char octets[ID_OCTETS];

    db->call->ctx->random(octets, sizeof(octets), db->call->ctx->baton);
    return brski_hex(brski_bytes(octets, sizeof(octets)), db->pool);
}

brski_err_t *db_note(db_t *db, const char *kind, const char *manufacturer,
                     const char *serial_number, const char *fmt, ...)
{
    brski_note_t note = {.at = db_now(db),
                         .kind = kind,
                         .manufacturer = manufacturer,
                         .serial_number = serial_number,
                         .request_id = "",
                         .address = ""};
    va_list ap;

    va_start(ap, fmt);
    note.text = apr_pvsprintf(db->pool, fmt, ap);
    va_end(ap);
    note.id = new_id(db);
    return brski_records_note_put(db_records(db), &note, db->pool);
}
