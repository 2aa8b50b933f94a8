/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_check.c: what the check_config hooks share, as glue_check.h says.
 */
#include "glue_check.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <stdlib.h>

#include "glue_tree.h"

/* ---- saying what is wrong ---- */

/* The main server's log is the one that works this early: configtest shows it on the terminal. */
static void say(const glue_check_t *c, int level, const char *where, const char *text)
{
    ap_log_error(APLOG_MARK, level | APLOG_STARTUP, 0, c->main_server, "%s (%s)", text, where);
}

void glue_check_wrong(glue_check_t *c, const char *where, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, APLOG_ERR, where, apr_pvsprintf(c->temp, fmt, args));
    va_end(args);
    c->failed = 1;
}

void glue_check_doubtful(const glue_check_t *c, const char *where, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, APLOG_WARNING, where, apr_pvsprintf(c->temp, fmt, args));
    va_end(args);
}

/* A text that was said for this case tells all; the one of the table was written for clients. */
const char *glue_check_reason(const brski_err_t *err)
{
    const brski_err_t *row = brski_err_row((int)err->code);

    return err->detail && row && !strcmp(row->public_text, err->public_text) ? err->detail
                                                                             : err->public_text;
}

/* ---- the server ---- */

const char *glue_check_server(const glue_check_t *c)
{
    return c->server->defn_name ? apr_psprintf(c->temp, "%s:%u", c->server->defn_name,
                                               c->server->defn_line_number)
                                : "main server";
}

const char *glue_check_value(const glue_check_t *c, const char *directive)
{
    return glue_tree_value(c->main_server, c->server, directive, c->temp);
}

const char *glue_check_place(const glue_check_t *c, const char *directive)
{
    const ap_directive_t *d = glue_tree_last(c->main_server, c->server, directive);

    return d ? glue_tree_where(d, c->temp) : c->where;
}

int glue_check_tls_is_on(const glue_check_t *c)
{
    const char *engine = glue_check_value(c, "SSLEngine");
    const char *protocol = ap_get_server_protocol(c->server);

    return engine ? ap_cstr_casecmp(engine, "off") != 0 : protocol && !strcmp(protocol, "https");
}

/* ---- mod_dbd ---- */

static void check_schema(glue_check_t *c, const glue_check_numbers_t *numbers, const char *driver,
                         const char *params, glue_look_t *schema_check)
{
    const char *key = apr_pstrcat(c->temp, driver, " ", params, NULL);
    const brski_err_t *err;

    if (apr_hash_get(c->databases, key, APR_HASH_KEY_STRING)) {
        return;
    }
    apr_hash_set(c->databases, key, APR_HASH_KEY_STRING, "");
    err = glue_look(driver, params, schema_check, c->temp);
    if (err && err->code == BRSKI_E_STORE_SCHEMA) {
        glue_check_wrong(c, glue_check_place(c, "DBDParams"),
                         "%s: DBDParams: the database is not as this version needs it: %s",
                         numbers->schema, err->detail);
    }
    else if (err) {
        glue_check_doubtful(c, glue_check_place(c, "DBDParams"),
                            "%s: DBDParams: the database cannot be asked now, the server will "
                            "answer 503 until it can: %s", numbers->away, err->detail);
    }
}

/* Threads of one process that wait for SQLite's lock hold the driver's one mutex, and with it the
 * thread that has the lock. */
static void check_pool(glue_check_t *c, const glue_check_numbers_t *numbers,
                       brski_dialect_t dialect)
{
    const char *max = glue_check_value(c, "DBDMax");
    const char *persist = glue_check_value(c, "DBDPersist");

    if (dialect == BRSKI_SQLITE3 && (!max || strcmp(max, "1"))) {
        glue_check_doubtful(c, glue_check_place(c, "DBDMax"),
                            "%s: DBDMax %s with sqlite3: connections of one process would wait "
                            "for each other; write DBDMax 1", numbers->max,
                            max ? max : "10 (default)");
    }
    if (persist && !ap_cstr_casecmp(persist, "off")) {
        glue_check_wrong(c, glue_check_place(c, "DBDPersist"),
                         "%s: DBDPersist Off opens a connection for each question; leave it out "
                         "or write DBDPersist On", numbers->persist);
    }
}

/* @return nonzero when there is a database to look into */
static int check_words(glue_check_t *c, const glue_check_numbers_t *numbers, const char *driver,
                       const char *params)
{
    if (!driver) {
        glue_check_wrong(c, c->where,
                         "%s: %s On, but no database; write DBDriver sqlite3 and DBDParams FILE, "
                         "or DBDriver pgsql and DBDParams \"host=... dbname=...\"",
                         numbers->no_driver, glue_module.directive);
    }
    else if (!brski_dialect_parse(driver)) {
        glue_check_wrong(c, glue_check_place(c, "DBDriver"),
                         "%s: DBDriver %s: a %s keeps its records in sqlite3 or pgsql; write one "
                         "of them", numbers->driver, driver, glue_module.service);
    }
    else if (!params) {
        glue_check_wrong(c, glue_check_place(c, "DBDriver"),
                         "%s: DBDriver %s, but no DBDParams; write where the database is",
                         numbers->no_params, driver);
    }
    return driver && params && brski_dialect_parse(driver);
}

void glue_check_dbd(glue_database_t *database, glue_check_t *c, const glue_check_numbers_t *numbers,
                    glue_look_t *schema_check)
{
    const char *driver = glue_check_value(c, "DBDriver");
    const char *params = glue_check_value(c, "DBDParams");
    const char *max = glue_check_value(c, "DBDMax");

    memset(database, 0, sizeof(*database));
    database->connections = max ? atoi(max) : 0;
    if (!check_words(c, numbers, driver, params)) {
        return;
    }
    database->dialect = brski_dialect_parse(driver);
    if (database->dialect == BRSKI_SQLITE3) {
        database->sqlite_file = apr_pstrdup(c->pool, glue_look_sqlite_file(params, c->temp));
    }
    check_pool(c, numbers, database->dialect);
    check_schema(c, numbers, driver, params, schema_check);
}

void glue_check_alone(glue_check_t *c, const char *number, const char *other)
{
    const char *value = glue_check_value(c, other);

    if (value && !ap_cstr_casecmp(value, "on")) {
        glue_check_wrong(c, glue_check_place(c, other), "%s: %s On and %s On for the same server; "
                         "give each a <VirtualHost> of its own", number, glue_module.directive,
                         other);
    }
}
