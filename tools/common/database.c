/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database.c: finding and opening the database, asking it, and making rows into JSON.
 */
#include "database.h"
#include "ownership.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_env.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_LINE_MAX 4096

/* ---- which database ---- */

static int has_password(const char *params)
{
    return params && strstr(params, "password") != NULL;
}

/* Others must not read a password, nor point the tool to another database. */
static brski_err_t *check_secrecy(const db_t *db, FILE *in)
{
    struct stat st;

    if (fstat(fileno(in), &st)) {
        return BRSKI_OK;
    }
    if (has_password(db->params) && (st.st_mode & S_IROTH)) {
        return say_refuse(db->pool, "%s holds a password and everybody can read it: chmod o-r %s",
                          db->config, db->config);
    }
    if (st.st_mode & S_IWOTH) {
        return say_refuse(db->pool, "everybody can write %s: chmod o-w %s", db->config, db->config);
    }
    return BRSKI_OK;
}

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (apr_isspace(*text)) {
        text++;
    }
    while (end > text && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    return text;
}

/* One line: a word and its value. */
static brski_err_t *config_line(db_t *db, char *line, int number)
{
    char *word = trim(line);
    char *value;

    if (!*word || *word == '#') {
        return BRSKI_OK;
    }
    value = word + strcspn(word, " \t");
    if (*value) {
        *value++ = '\0';
    }
    value = trim(value);
    if (!*value) {
        return say_refuse(db->pool, "%s line %d: '%s' needs a value", db->config, number, word);
    }
    value = apr_pstrdup(db->pool, value);
    if (!strcmp(word, "driver")) {
        db->driver = value;
    }
    else if (!strcmp(word, "params")) {
        db->params = value;
    }
    else if (!strcmp(word, "tenant")) {
        db->tenant = value;
    }
    else {
        return say_refuse(db->pool,
                          "%s line %d: there is no word '%s'; driver, params and tenant are known",
                          db->config, number, brski_printable(word, 40, db->pool));
    }
    return BRSKI_OK;
}

static brski_err_t *read_lines(db_t *db, FILE *in)
{
    char line[CONFIG_LINE_MAX];

    for (int number = 1; fgets(line, sizeof(line), in); number++) {
        if (!strchr(line, '\n') && !feof(in)) {
            return say_refuse(db->pool, "%s line %d is too long", db->config, number);
        }
        BRSKI_TRY(config_line(db, line, number));
    }
    return check_secrecy(db, in);
}

static brski_err_t *read_config(db_t *db)
{
    FILE *in = fopen(db->config, "r");
    brski_err_t *err;

    if (!in) {
        return say_refuse(db->pool,
                          "cannot read %s: %s; it says which database, as --db DRIVER:PARAMS does",
                          db->config, strerror(errno));
    }
    err = read_lines(db, in);
    fclose(in);
    if (!err && (!db->driver || !db->params)) {
        err = say_refuse(db->pool,
                         "%s does not say which database: write 'driver sqlite3' and 'params %s'",
                         db->config, db->kind->example);
    }
    return err;
}

/* --db DRIVER:PARAMS */
static brski_err_t *read_option(db_t *db, const char *text)
{
    const char *colon = strchr(text, ':');

    if (!colon || colon == text || !colon[1]) {
        return say_refuse(db->pool, "--db: write DRIVER:PARAMS, such as sqlite3:%s",
                          db->kind->example);
    }
    db->driver = apr_pstrmemdup(db->pool, text, (apr_size_t)(colon - text));
    db->params = colon + 1;
    if (has_password(db->params)) {
        say_warn(db->call->say, "a password in --db shows in the list of processes; a "
                                "configuration file does not");
    }
    return BRSKI_OK;
}

static const char *config_name(const db_kind_t *kind, call_t *call)
{
    char *name = NULL;

    if (opt_get(call, "config")) {
        return opt_get(call, "config");
    }
    return apr_env_get(&name, kind->variable, call->pool) == APR_SUCCESS && *name ? name
                                                                                  : kind->config;
}

static brski_err_t *check_found(db_t *db)
{
    db->dialect = brski_dialect_parse(db->driver);
    if (!db->dialect) {
        return say_refuse(db->pool, "there is no database driver '%s'; sqlite3 and pgsql are known",
                          brski_printable(db->driver, 40, db->pool));
    }
    if (db->dialect == BRSKI_SQLITE3) {
        db->file = db->params;
    }
    if (opt_get(db->call, "tenant")) {
        db->tenant = opt_get(db->call, "tenant");
    }
    return *db->tenant ? BRSKI_OK : say_refuse(db->pool, "a tenant's name cannot be empty");
}

brski_err_t *db_find(db_t **out, call_t *call)
{
    db_t *db = apr_pcalloc(call->pool, sizeof(*db));
    const char *option = opt_get(call, "db");

    *out = NULL;
    db->call = call;
    db->kind = call->program->database;
    db->pool = call->pool;
    db->tenant = "default";
    if (option) {
        BRSKI_TRY(read_option(db, option));
    }
    else {
        db->config = config_name(db->kind, call);
        BRSKI_TRY(read_config(db));
    }
    BRSKI_TRY(check_found(db));
    *out = db;
    return BRSKI_OK;
}

/* ---- opening ---- */

/* What the program made borrows our one connection. */
static brski_err_t *lend(brski_dbd_t **dbd, void *baton, apr_pool_t *pool)
{
    (void)pool;
    *dbd = ((db_t *)baton)->dbd;
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *dbd, void *baton)
{
    (void)dbd;
    (void)baton;
}

static apr_status_t close_dbd(void *data)
{
    brski_dbd_close(data);
    return APR_SUCCESS;
}

brski_err_t *db_connect(db_t *db)
{
    static const apr_interval_time_t patience = 30 * APR_USEC_PER_SEC;
    brski_store_host_t *host = apr_pcalloc(db->pool, sizeof(*host));

    BRSKI_TRY(brski_dbd_open(&db->dbd, db->kind->set, db->driver, db->params, db->pool));
    apr_pool_cleanup_register(db->pool, db->dbd, close_dbd, apr_pool_cleanup_null);
    host->open = lend;
    host->close = take_back;
    host->baton = db;
    return db->kind->make(db, host, patience);
}

/* A file that is not there would be made empty by opening it. */
static brski_err_t *check_file(const db_t *db)
{
    struct stat st;

    if (!db->file) {
        return BRSKI_OK;
    }
    if (stat(db->file, &st)) {
        int missing = errno == ENOENT;
        return say_refuse(db->pool, "cannot find the database %s: %s%s", db->file, strerror(errno),
                          !missing ? ""
                                   : apr_psprintf(db->pool, "; '%s schema apply' makes it",
                                                  db->call->program->name));
    }
    return ownership_check(db);
}

brski_err_t *db_open_any(db_t **out, call_t *call)
{
    db_t *db;

    *out = NULL;
    BRSKI_TRY(db_find(&db, call));
    BRSKI_TRY(check_file(db));
    BRSKI_TRY(db_connect(db));
    *out = db;
    return BRSKI_OK;
}

brski_err_t *db_open(db_t **out, call_t *call)
{
    db_t *db;

    *out = NULL;
    BRSKI_TRY(db_open_any(&db, call));
    BRSKI_TRY(db->kind->check(db));
    *out = db;
    return BRSKI_OK;
}

/* ---- asking ---- */

brski_err_t *db_all(apr_array_header_t **rows, db_t *db, int stmt, const char *const *args,
                    apr_pool_t *pool)
{
    return brski_dbd_all(rows, db->dbd, stmt, args, pool, pool);
}

brski_err_t *db_one(brski_row_t **row, db_t *db, int stmt, const char *const *args,
                    apr_pool_t *pool)
{
    return brski_dbd_one(row, db->dbd, stmt, args, pool, pool);
}

brski_err_t *db_exec(int *changed, db_t *db, int stmt, const char *const *args, apr_pool_t *pool)
{
    int ignored;

    return brski_dbd_exec(changed ? changed : &ignored, db->dbd, stmt, args, pool);
}

const char *db_num(apr_int64_t n, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, n);
}

brski_err_t *db_change(db_t *db, brski_err_t *(*change)(db_t *db, void *baton), void *baton)
{
    brski_err_t *err;

    BRSKI_TRY(brski_dbd_begin(db->dbd, db->pool));
    err = change(db, baton);
    if (!err) {
        err = brski_dbd_commit(db->dbd, db->pool);
    }
    if (err) {
        brski_dbd_rollback(db->dbd, db->pool);
    }
    return err;
}

/* ---- rows as JSON ---- */

void db_json_time(brski_json_t *obj, const char *key, apr_time_t t, apr_pool_t *pool)
{
    brski_json_set_string(obj, key, t ? brski_time_rfc3339(t, pool) : NULL);
}

static void set_column(brski_json_t *obj, const db_column_t *column, const brski_row_t *row, int i,
                       apr_pool_t *pool)
{
    if (brski_row_null(row, i)) {
        brski_json_set_string(obj, column->key, NULL);
        return;
    }
    switch (column->type) {
    case DB_TEXT:
        brski_json_set_string(obj, column->key, brski_row_text(row, i));
        break;
    case DB_INT:
        brski_json_set_int(obj, column->key, brski_row_int(row, i));
        break;
    case DB_TIME:
        db_json_time(obj, column->key, brski_row_int(row, i), pool);
        break;
    case DB_BOOL:
        brski_json_set_bool(obj, column->key, brski_row_int(row, i) != 0);
        break;
    }
}

brski_json_t *db_row_json(const brski_row_t *row, const db_column_t *columns, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    for (int i = 0; !columns[i].end && i < row->columns; i++) {
        if (columns[i].key) {
            set_column(obj, &columns[i], row, i, pool);
        }
    }
    return obj;
}
