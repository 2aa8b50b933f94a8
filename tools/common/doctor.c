/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c: telling what was seen, and looking at clock, files, database and the end of
 * certificates.
 */
#include "doctor.h"
#include "ownership.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <string.h>

#define DAY (apr_time_from_sec(86400))
#define EXPIRY_SOON (30 * DAY)
#define CLOCK_LEAST (apr_time_from_sec(1700000000)) /* 2023: before that no such program was */

void doctor_begin(doctor_t *d, db_t *db)
{
    memset(d, 0, sizeof(*d));
    d->call = db->call;
    d->db = db;
    d->pool = db->pool;
    d->now = db->call->ctx->now(db->call->ctx->baton);
    d->told = brski_json_array(d->pool);
}

/* ---- telling ---- */

static void tell(doctor_t *d, const char *check, const char *state, const char *fmt, va_list ap)
{
    const char *text = apr_pvsprintf(d->pool, fmt, ap);
    brski_json_t *obj = brski_json_object(d->pool);

    brski_json_set_string(obj, "check", check);
    brski_json_set_string(obj, "state", state);
    brski_json_set_string(obj, "text", text);
    brski_json_append(d->told, obj);
    say_line(d->call->say, "%-8s %-9s %s", state, check, text);
}

void doctor_fine(doctor_t *d, const char *check, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(d, check, "fine", fmt, ap);
    va_end(ap);
}

void doctor_note(doctor_t *d, const char *check, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(d, check, "note", fmt, ap);
    va_end(ap);
}

void doctor_problem(doctor_t *d, const char *check, const char *fmt, ...)
{
    va_list ap;

    d->problems++;
    va_start(ap, fmt);
    tell(d, check, "PROBLEM", fmt, ap);
    va_end(ap);
}

/* ---- the clock, files, the database ---- */

brski_err_t *doctor_clock(doctor_t *d)
{
    if (d->now < CLOCK_LEAST) {
        doctor_problem(d, "clock", "this machine believes it is %s: set its clock (chrony, ntpd)",
                       brski_time_rfc3339(d->now, d->pool));
    }
    else {
        doctor_fine(d, "clock", "%s", brski_time_rfc3339(d->now, d->pool));
    }
    return BRSKI_OK;
}

brski_err_t *doctor_files(doctor_t *d)
{
    const apr_array_header_t *problems = ownership_problems(d->db, d->pool);

    for (int i = 0; i < problems->nelts; i++) {
        doctor_problem(d, "files", "%s", APR_ARRAY_IDX(problems, i, const char *));
    }
    if (d->db->file && !problems->nelts) {
        doctor_fine(d, "files", "the database's owner can write all that SQLite makes");
    }
    return BRSKI_OK;
}

static const char *setting(const apr_array_header_t *rows, const char *name)
{
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        if (!strcmp(brski_row_text(row, 0), name)) {
            return brski_row_text(row, 1);
        }
    }
    return "";
}

static void check_sqlite(doctor_t *d, const apr_array_header_t *rows)
{
    if (strcmp(setting(rows, "journal_mode"), "wal")) {
        doctor_problem(d, "database",
                       "journal_mode is %s: %s schema apply sets WAL, on a local file system",
                       setting(rows, "journal_mode"), d->call->program->name);
        return;
    }
    doctor_fine(d, "database", "SQLite %s, journal_mode WAL; %s commits with synchronous=FULL",
                setting(rows, "server_version"), d->db->kind->module);
}

/* A setting of PostgreSQL that must not be off. */
static int must_be_on(doctor_t *d, const apr_array_header_t *rows, const char *name,
                      const char *why)
{
    const char *value = setting(rows, name);

    if (strcmp(value, "off")) {
        return 1;
    }
    doctor_problem(d, "database", "%s is off: %s; ALTER SYSTEM SET %s = on", name, why, name);
    return 0;
}

static void check_pgsql(doctor_t *d, const apr_array_header_t *rows)
{
    const char *commit = setting(rows, "synchronous_commit");
    const char *standbys = setting(rows, "synchronous_standby_names");
    int good =
        must_be_on(d, rows, "fsync", "a crash of the machine loses what was answered") &
        must_be_on(d, rows, "full_page_writes", "a crash of the machine can spoil the records") &
        must_be_on(d, rows, "synchronous_commit", "a crash loses what was answered");

    if (!strcmp(commit, "local") && *standbys) {
        good = 0;
        doctor_problem(
            d, "database",
            "synchronous_commit is local though there are synchronous standbys: a failover "
            "loses what was answered; ALTER ROLE of the server SET synchronous_commit = on");
    }
    if (!strcmp(setting(rows, "transaction_read_only"), "on")) {
        good = 0;
        doctor_problem(d, "database",
                       "this is a read-only standby: name the primary, or "
                       "target_session_attrs=read-write");
    }
    if (good) {
        doctor_fine(d, "database", "PostgreSQL %s, synchronous_commit %s%s",
                    setting(rows, "server_version"), commit,
                    *standbys ? ", with synchronous standbys" : "");
    }
}

brski_err_t *doctor_database(doctor_t *d)
{
    apr_array_header_t *rows;

    BRSKI_TRY(db_all(&rows, d->db, d->db->kind->settings, NULL, d->pool));
    if (d->db->dialect == BRSKI_PGSQL) {
        check_pgsql(d, rows);
    }
    else {
        check_sqlite(d, rows);
    }
    return BRSKI_OK;
}

/* ---- certificates ---- */

int doctor_certificate(doctor_t *d, const brski_cert_t *cert, const char *what, const char *cure)
{
    const char *when = brski_time_rfc3339(cert->not_after, d->pool);

    if (cert->not_after < d->now) {
        doctor_problem(d, "expiry", "%s: %s expired %s: %s", what, cert->subject, when, cure);
        return 0;
    }
    if (cert->not_after < d->now + EXPIRY_SOON) {
        doctor_problem(d, "expiry", "%s: %s expires %s: %s", what, cert->subject, when, cure);
        return 0;
    }
    return 1;
}

int doctor_certificates(doctor_t *d, const apr_array_header_t *certs, const char *what,
                        const char *cure)
{
    int good = 1;

    for (int i = 0; certs && i < certs->nelts; i++) {
        good &= doctor_certificate(d, APR_ARRAY_IDX(certs, i, const brski_cert_t *), what, cure);
    }
    return good;
}

/* ---- the end ---- */

void doctor_end(doctor_t *d)
{
    say_json(d->call->say, d->told);
    say_line(d->call->say, d->problems ? "%d problem%s" : "all is well", d->problems,
             d->problems == 1 ? "" : "s");
    d->call->status = d->problems ? EXIT_REFUSED : EXIT_DONE;
}
