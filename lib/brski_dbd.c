/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_dbd.c: rows and statements over APR DBD, and the only place that knows how its drivers
 * behave.
 *
 * Results are asked for with random access: without it the PostgreSQL driver hides errors behind
 * empty results. All rows are taken before the next statement. NULL is told from "" by
 * apr_dbd_datum_get() alone. apr_dbd_transaction_start() is never called (it crashes when
 * PostgreSQL was restarted); BEGIN and its kin are plain statements, and a transaction that lost
 * its connection or a statement is never committed.
 */
#include "brski_dbd.h"

#include <apr_strings.h>
#include <dlfcn.h>
#include <string.h>

#include "brski_dbd_trouble.h"
#include "brski_err.h"

/* While another process holds the lock. The driver asks 16 times, with 100 ms between. */
#define SQLITE_BUSY_PRAGMA "PRAGMA busy_timeout=250"
#define PREPARE_PATIENCE apr_time_from_sec(2)
#define PREPARE_PAUSE apr_time_from_msec(50)
/* libpq's PQERRORS_VERBOSE: the text then names the SQLSTATE, in whatever language it is. */
#define PGSQL_VERBOSE 2

/* A statement on its way: what was asked, and the connection it is asked on. */
typedef struct run_t {
    brski_dbd_t *db;
    const brski_statement_t *statement;
    const char **args;
    apr_pool_t *pool; /* dies with the call */
    apr_pool_t *err_pool;
    apr_dbd_results_t *results; /* of a query */
    int changed;                /* of a change */
    brski_trouble_t trouble;
    brski_err_t *err;
} run_t;

int brski_dbd_newest(const brski_dbd_set_t *set, brski_dialect_t dialect)
{
    const brski_upgrade_t *u;
    int number = 0;

    for (u = set->upgrades[dialect]; u->number; u++) {
        number = u->number;
    }
    return number;
}

static const brski_statement_t *statements_of(const brski_dbd_t *db)
{
    return db->set->statements[db->dialect];
}

brski_dialect_t brski_dialect_parse(const char *driver_name)
{
    if (driver_name && strcmp(driver_name, "sqlite3") == 0) {
        return BRSKI_SQLITE3;
    }
    if (driver_name && strcmp(driver_name, "pgsql") == 0) {
        return BRSKI_PGSQL;
    }
    return 0;
}

const char *brski_row_text(const brski_row_t *row, int column)
{
    const char *text = column < row->columns ? row->text[column] : NULL;

    return text ? text : "";
}

apr_int64_t brski_row_int(const brski_row_t *row, int column)
{
    return apr_atoi64(brski_row_text(row, column));
}

int brski_row_null(const brski_row_t *row, int column)
{
    return column >= row->columns || row->text[column] == NULL;
}

/* ---- opening ---- */

/* A pragma that answers with a row looks like an error to the driver: nothing is learnt from rv. */
static void set_pragma(brski_dbd_t *db, const char *pragma)
{
    int rows = 0;

    apr_dbd_query(db->driver, db->handle, &rows, pragma);
}

static apr_status_t close_handle(void *data)
{
    brski_dbd_t *db = data;

    if (db->handle) {
        apr_dbd_close(db->driver, db->handle);
        db->handle = NULL;
    }
    return APR_SUCCESS;
}

static brski_err_t *load_driver(const apr_dbd_driver_t **driver, const char *name, apr_pool_t *pool)
{
    apr_status_t rv = apr_dbd_init(pool);
    char reason[128];

    if (rv == APR_SUCCESS) {
        rv = apr_dbd_get_driver(pool, name, driver);
    }
    if (rv != APR_SUCCESS) {
        apr_strerror(rv, reason, sizeof(reason));
        return brski_err(BRSKI_E_STORE, NULL, pool,
                         "APR has no DBD driver '%s': %s "
                         "(on Debian: package libaprutil1-dbd-%s)",
                         name, reason, name);
    }
    return BRSKI_OK;
}

brski_err_t *brski_dbd_open(brski_dbd_t **out, const brski_dbd_set_t *set, const char *driver_name,
                            const char *params, apr_pool_t *pool)
{
    brski_dialect_t dialect = brski_dialect_parse(driver_name);
    const char *reason = NULL;
    brski_dbd_t *db;

    *out = NULL;
    if (!dialect) {
        return brski_err(BRSKI_E_STORE, NULL, pool,
                         "database driver '%s' is neither sqlite3 nor pgsql",
                         driver_name ? driver_name : "");
    }
    db = apr_pcalloc(pool, sizeof(*db));
    db->pool = pool;
    db->dialect = dialect;
    db->set = set;
    db->prepared = apr_hash_make(pool);
    BRSKI_TRY(load_driver(&db->driver, driver_name, pool));
    if (apr_dbd_open_ex(db->driver, pool, params, &db->handle, &reason) != APR_SUCCESS) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "cannot open the %s database: %s", driver_name,
                         brski_dbd_trouble_text(reason, pool));
    }
    apr_pool_cleanup_register(pool, db, close_handle, apr_pool_cleanup_null);
    if (dialect == BRSKI_SQLITE3) {
        set_pragma(db, SQLITE_BUSY_PRAGMA);
        set_pragma(db, "PRAGMA journal_mode=WAL");
        set_pragma(db, "PRAGMA synchronous=FULL");
    }
    *out = db;
    return BRSKI_OK;
}

void brski_dbd_close(brski_dbd_t *db)
{
    apr_pool_cleanup_run(db->pool, db, close_handle);
}

/* ---- preparing ---- */

/*
 * Without this PostgreSQL's errors are sentences in the server's language. libpq came with the
 * driver.
 */
static void want_sqlstate(brski_dbd_t *db)
{
    typedef int (*set_verbosity_t)(void *connection, int verbosity);
    union {
        void *symbol;
        set_verbosity_t call;
    } set;

    if (db->dialect == BRSKI_PGSQL && !db->sqlstate) {
        set.symbol = dlsym(RTLD_DEFAULT, "PQsetErrorVerbosity");
        if (set.symbol) {
            set.call(apr_dbd_native_handle(db->driver, db->handle), PGSQL_VERBOSE);
        }
        db->sqlstate = 1;
    }
}

static brski_trouble_t trouble_of(brski_dbd_t *db, int rv)
{
    return brski_dbd_trouble(db->dialect, apr_dbd_error(db->driver, db->handle, rv));
}

/*
 * Prepare one statement. On PostgreSQL the driver's object is no more than its name, so one that is
 * there stays in use and the new one goes with the scratch pool; SQLite's object is the statement.
 */
static int prepare(brski_dbd_t *db, const brski_statement_t *s, brski_trouble_t *trouble,
                   apr_pool_t *scratch_pool)
{
    apr_dbd_prepared_t *known = apr_hash_get(db->prepared, s->label, APR_HASH_KEY_STRING);
    int renew = known && db->dialect == BRSKI_PGSQL;
    apr_dbd_prepared_t *made = NULL;
    int rv;

    rv = apr_dbd_prepare(db->driver, renew ? scratch_pool : db->pool, db->handle, s->sql, s->label,
                         &made);
    *trouble = rv ? trouble_of(db, rv) : BRSKI_TROUBLE_OTHER;
    if (*trouble == BRSKI_TROUBLE_PREPARED && made) {
        rv = 0;
    }
    if (!rv && !renew) {
        apr_hash_set(db->prepared, s->label, APR_HASH_KEY_STRING, made);
    }
    return rv;
}

/* A lock that another process holds for a moment, as while it starts, is waited for. */
static brski_err_t *prepare_one(brski_dbd_t *db, const brski_statement_t *s,
                                brski_trouble_t *trouble, apr_pool_t *scratch_pool)
{
    const apr_time_t until = apr_time_now() + PREPARE_PATIENCE;
    brski_err_code_t code;
    int rv;

    while ((rv = prepare(db, s, trouble, scratch_pool)) != 0) {
        if (*trouble != BRSKI_TROUBLE_LOCKED || apr_time_now() >= until) {
            break;
        }
        apr_sleep(PREPARE_PAUSE);
    }
    if (!rv) {
        return BRSKI_OK;
    }
    /* What cannot be prepared, and is not the connection's fault, is not in this schema. */
    code = brski_dbd_trouble_code(*trouble);
    if (*trouble == BRSKI_TROUBLE_OTHER && db->dialect == BRSKI_PGSQL) {
        code = BRSKI_E_STORE_SCHEMA;
    }
    return brski_err(
        code, NULL, scratch_pool, "statement %s cannot be prepared: %s", s->label,
        brski_dbd_trouble_text(apr_dbd_error(db->driver, db->handle, rv), scratch_pool));
}

brski_err_t *brski_dbd_prepare(brski_dbd_t *db, apr_pool_t *scratch_pool)
{
    const brski_statement_t *statements = statements_of(db);
    brski_trouble_t trouble;
    int i;

    want_sqlstate(db);
    for (i = 0; i < db->set->count; i++) {
        BRSKI_TRY(prepare_one(db, &statements[i], &trouble, scratch_pool));
    }
    return BRSKI_OK;
}

/* ---- after an error ---- */

/*
 * Open a lost connection again and prepare on it what was prepared before. NULL when it serves
 * again.
 */
static brski_err_t *recover(run_t *run)
{
    brski_dbd_t *db = run->db;
    const brski_statement_t *statements = statements_of(db);
    brski_err_t *err = BRSKI_OK;
    brski_trouble_t trouble;
    int i;

    if (apr_dbd_check_conn(db->driver, run->pool, db->handle) != APR_SUCCESS) {
        return run->err;
    }
    for (i = 0; i < db->set->count && !err; i++) {
        if (apr_hash_get(db->prepared, statements[i].label, APR_HASH_KEY_STRING)) {
            err = prepare_one(db, &statements[i], &trouble, run->err_pool);
        }
    }
    return err;
}

static void note_failure(run_t *run, int rv)
{
    brski_dbd_t *db = run->db;
    const char *text = apr_dbd_error(db->driver, db->handle, rv);

    run->trouble = brski_dbd_trouble(db->dialect, text);
    run->err = brski_err(brski_dbd_trouble_code(run->trouble), NULL, run->err_pool, "%s: %s",
                         run->statement->label, brski_dbd_trouble_text(text, run->err_pool));
    if (db->transaction) {
        db->transaction = -1;
    }
}

/* ---- running ---- */

static brski_err_t *get_prepared(apr_dbd_prepared_t **prepared, run_t *run)
{
    brski_dbd_t *db = run->db;

    *prepared = apr_hash_get(db->prepared, run->statement->label, APR_HASH_KEY_STRING);
    if (!*prepared) {
        brski_err_t *err = prepare_one(db, run->statement, &run->trouble, run->err_pool);

        /* on a lost connection it did not run, so it may be run on another */
        if (run->trouble == BRSKI_TROUBLE_DEAD) {
            run->trouble = BRSKI_TROUBLE_FORGOTTEN;
        }
        BRSKI_TRY(err);
        *prepared = apr_hash_get(db->prepared, run->statement->label, APR_HASH_KEY_STRING);
    }
    return BRSKI_OK;
}

static void run_once(run_t *run)
{
    brski_dbd_t *db = run->db;
    apr_dbd_prepared_t *prepared;
    int rv;

    run->trouble = BRSKI_TROUBLE_OTHER;
    run->results = NULL;
    run->changed = 0;
    want_sqlstate(db);
    run->err = get_prepared(&prepared, run);
    if (run->err) {
        db->transaction = db->transaction ? -1 : 0;
        return;
    }
    if (run->statement->query) {
        rv = apr_dbd_pselect(db->driver, run->pool, db->handle, &run->results, prepared, 1,
                             run->statement->params, run->args);
    }
    else {
        rv = apr_dbd_pquery(db->driver, run->pool, db->handle, &run->changed, prepared,
                            run->statement->params, run->args);
    }
    if (rv) {
        note_failure(run, rv);
    }
}

/*
 * Run a statement, and once more where that is safe: a statement that the connection had forgotten
 * did not run; a query may run twice. Inside a transaction nothing is repeated: what came before
 * is lost with the connection.
 */
static void run_statement(run_t *run)
{
    int in_transaction = run->db->transaction != 0;
    brski_err_t *err;
    int again;

    run_once(run);
    if (run->trouble != BRSKI_TROUBLE_DEAD && run->trouble != BRSKI_TROUBLE_FORGOTTEN) {
        return;
    }
    again = run->trouble == BRSKI_TROUBLE_FORGOTTEN || run->statement->query;
    err = recover(run);
    if (!again || in_transaction) {
        return;
    }
    if (!err) {
        run_once(run);
    }
    else if (err->code != BRSKI_E_STORE) {
        run->err = err;   /* a lock, a table that is gone: more than that it was lost for it */
    }
}

static brski_err_t *start_run(run_t *run, brski_dbd_t *db, int stmt, const char *const *args,
                              apr_pool_t *scratch_pool)
{
    static const char *none[1];

    memset(run, 0, sizeof(*run));
    run->db = db;
    run->statement = &statements_of(db)[stmt];
    run->args = (const char **)(args ? args : none);
    run->err_pool = scratch_pool;
    if (db->transaction < 0) {
        return brski_err(BRSKI_E_STORE, NULL, scratch_pool, "%s: its transaction has failed",
                         run->statement->label);
    }
    apr_pool_create(&run->pool, scratch_pool);
    return BRSKI_OK;
}

/* ---- rows ---- */

static brski_row_t *copy_row(run_t *run, apr_dbd_row_t *from, int columns, apr_pool_t *pool)
{
    brski_row_t *row = apr_palloc(pool, sizeof(*row));
    int i;

    row->columns = columns;
    row->text = apr_palloc(pool, (apr_size_t)columns * sizeof(*row->text));
    for (i = 0; i < columns; i++) {
        char *value = NULL;

        if (apr_dbd_datum_get(run->db->driver, from, i, APR_DBD_TYPE_STRING, &value) !=
            APR_SUCCESS) {
            value = NULL;
        }
        row->text[i] = value ? apr_pstrdup(pool, value) : NULL;
    }
    return row;
}

/*
 * The next row, NULL after the last. By number, as every driver can; but SQLite's counts from the
 * first row each time, so there the rows are taken one after another.
 */
static apr_dbd_row_t *next_row(run_t *run, int number)
{
    brski_dbd_t *db = run->db;
    apr_dbd_row_t *row = NULL;
    int wanted = db->dialect == BRSKI_SQLITE3 ? -1 : number;

    if (apr_dbd_get_row(db->driver, run->pool, run->results, &row, wanted) != 0) {
        return NULL;
    }
    return row;
}

brski_err_t *brski_dbd_all(apr_array_header_t **rows, brski_dbd_t *db, int stmt,
                           const char *const *args, apr_pool_t *result_pool,
                           apr_pool_t *scratch_pool)
{
    apr_dbd_row_t *row;
    int columns, n;
    run_t run;

    *rows = apr_array_make(result_pool, 4, sizeof(brski_row_t *));
    BRSKI_TRY(start_run(&run, db, stmt, args, scratch_pool));
    run_statement(&run);
    if (!run.err) {
        columns = apr_dbd_num_cols(db->driver, run.results);
        for (n = 1; (row = next_row(&run, n)) != NULL; n++) {
            APR_ARRAY_PUSH(*rows, brski_row_t *) = copy_row(&run, row, columns, result_pool);
        }
    }
    apr_pool_destroy(run.pool);
    return run.err;
}

brski_err_t *brski_dbd_one(brski_row_t **row, brski_dbd_t *db, int stmt, const char *const *args,
                           apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows;

    *row = NULL;
    BRSKI_TRY(brski_dbd_all(&rows, db, stmt, args, result_pool, scratch_pool));
    if (rows->nelts > 0) {
        *row = APR_ARRAY_IDX(rows, 0, brski_row_t *);
    }
    return BRSKI_OK;
}

brski_err_t *brski_dbd_exec(int *changed, brski_dbd_t *db, int stmt, const char *const *args,
                            apr_pool_t *scratch_pool)
{
    run_t run;

    if (changed) {
        *changed = 0;
    }
    BRSKI_TRY(start_run(&run, db, stmt, args, scratch_pool));
    run_statement(&run);
    if (changed && !run.err) {
        *changed = run.changed;
    }
    apr_pool_destroy(run.pool);
    return run.err;
}

/* ---- transactions ---- */

static brski_err_t *plain(brski_dbd_t *db, const char *statement, apr_pool_t *pool)
{
    brski_trouble_t trouble;
    const char *text;
    int rows = 0, rv;

    want_sqlstate(db);
    rv = apr_dbd_query(db->driver, db->handle, &rows, statement);
    if (rv == 0) {
        return BRSKI_OK;
    }
    text = apr_dbd_error(db->driver, db->handle, rv);
    trouble = brski_dbd_trouble(db->dialect, text);
    return brski_err(brski_dbd_trouble_code(trouble), NULL, pool, "%.60s: %s", statement,
                     brski_dbd_trouble_text(text, pool));
}

/* Nothing has happened yet, so a connection that was lost meanwhile is opened again. */
brski_err_t *brski_dbd_begin(brski_dbd_t *db, apr_pool_t *scratch_pool)
{
    const char *begin = db->dialect == BRSKI_SQLITE3 ? "BEGIN IMMEDIATE" : "BEGIN";
    brski_err_t *err = plain(db, begin, scratch_pool);
    run_t run = { 0 };

    if (err && err->code == BRSKI_E_STORE && db->dialect == BRSKI_PGSQL) {
        run.db = db;
        run.pool = scratch_pool;
        run.err_pool = scratch_pool;
        run.err = err;
        if (!recover(&run)) {
            err = plain(db, begin, scratch_pool);
        }
    }
    if (!err) {
        db->transaction = 1;
    }
    return err;
}

brski_err_t *brski_dbd_commit(brski_dbd_t *db, apr_pool_t *scratch_pool)
{
    int failed = db->transaction < 0;
    brski_err_t *err;

    if (failed) {
        brski_dbd_rollback(db, scratch_pool);
        return brski_err(BRSKI_E_STORE, NULL, scratch_pool,
                         "nothing to commit: a statement failed");
    }
    err = plain(db, "COMMIT", scratch_pool);
    if (err) {
        db->transaction = -1;
        brski_dbd_rollback(db, scratch_pool);
        return err;
    }
    db->transaction = 0;
    return BRSKI_OK;
}

/*
 * An error here changes nothing: a lost connection, and SQLite after some errors, have rolled
 * back.
 */
void brski_dbd_rollback(brski_dbd_t *db, apr_pool_t *scratch_pool)
{
    plain(db, "ROLLBACK", scratch_pool);
    db->transaction = 0;
}

brski_err_t *brski_dbd_ddl(brski_dbd_t *db, const char *statement, apr_pool_t *scratch_pool)
{
    brski_err_t *err = plain(db, statement, scratch_pool);

    if (err && db->transaction) {
        db->transaction = -1;
    }
    return err;
}
