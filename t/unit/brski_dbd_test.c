/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_dbd_test.c: rows and statements on both databases: NULL and "", rows in order,
 * transactions, each kind of trouble, and a PostgreSQL that was restarted between two calls.
 */
#include "brski_dbd.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brski_dbd_trouble.h"
#include "brski_statements.h"
#include "database.h"
#include "unit.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__ })
#define MASA (&brski_dbd_set_masa)

static brski_err_t *add_customer(brski_dbd_t *db, const char *tenant, const char *name,
                                 const char *note, apr_pool_t *pool)
{
    return brski_dbd_exec(NULL, db, STMT_CUSTOMER_PUT, ARGS(tenant, name, note, "7"), pool);
}

static const char *note_of(brski_dbd_t *db, const char *tenant, const char *name, apr_pool_t *pool)
{
    brski_row_t *row;
    brski_err_t *err = brski_dbd_one(&row, db, STMT_CUSTOMER_GET, ARGS(tenant, name), pool, pool);

    if (err) {
        return brski_err_text(err, pool);
    }
    return row ? (brski_row_null(row, 1) ? "(null)" : brski_row_text(row, 1)) : "(none)";
}

/* ---- rows ---- */

static void test_rows(const database_t *database, apr_pool_t *pool)
{
    const char *d = database->name;
    brski_dbd_t *db = database_open(database, pool);
    apr_array_header_t *rows;
    brski_row_t *row;
    int changed = -1, i, in_order = 1;

    is_ok(add_customer(db, "rows", "a", NULL, pool), "%s: NULL is written", d);
    is_ok(add_customer(db, "rows", "b", "", pool), "%s: an empty text is written", d);
    is_ok(add_customer(db, "rows", "c", "it's %s; \"100%%\" \\ \xC3\xA9\n", pool),
          "%s: any text is written", d);
    is_str(note_of(db, "rows", "a", pool), "(null)", "%s: NULL comes back", d);
    is_str(note_of(db, "rows", "b", pool), "", "%s: an empty text is not NULL", d);
    is_str(note_of(db, "rows", "c", pool), "it's %s; \"100%%\" \\ \xC3\xA9\n",
           "%s: a text comes back", d);
    is_str(note_of(db, "rows", "d", pool), "(none)", "%s: no row is an answer", d);

    for (i = 0; i < 300; i++) {
        add_customer(db, "many", apr_psprintf(pool, "c%03d", i), "x", pool);
    }
    is_ok(brski_dbd_all(&rows, db, STMT_CUSTOMER_LIST, ARGS("many", "", "1000"), pool, pool),
          "%s: many rows", d);
    is_int(rows->nelts, 300, "%s: all of them", d);
    for (i = 0; i < rows->nelts; i++) {
        row = APR_ARRAY_IDX(rows, i, brski_row_t *);
        in_order &= strcmp(brski_row_text(row, 0), apr_psprintf(pool, "c%03d", i)) == 0;
    }
    ok(in_order, "%s: in order", d);
    row = APR_ARRAY_IDX(rows, 0, brski_row_t *);
    is_int(brski_row_int(row, 2), 7, "%s: a number", d);
    is_str(brski_row_text(row, 99), "", "%s: a column that is not there is empty", d);
    ok(brski_row_null(row, 99), "%s: and NULL", d);

    is_ok(brski_dbd_exec(&changed, db, STMT_CUSTOMER_DELETE, ARGS("rows", "a"), pool),
          "%s: a change", d);
    is_int(changed, 1, "%s: of one row", d);
    is_ok(brski_dbd_exec(&changed, db, STMT_CUSTOMER_DELETE, ARGS("rows", "a"), pool), "%s: again",
          d);
    is_int(changed, 0, "%s: of none", d);
    brski_dbd_close(db);
}

static void test_transactions(const database_t *database, apr_pool_t *pool)
{
    const char *d = database->name;
    brski_dbd_t *db = database_open(database, pool);

    is_ok(brski_dbd_begin(db, pool), "%s: begin", d);
    add_customer(db, "tx", "a", "x", pool);
    brski_dbd_rollback(db, pool);
    is_str(note_of(db, "tx", "a", pool), "(none)", "%s: what is rolled back is gone", d);

    is_ok(brski_dbd_begin(db, pool), "%s: begin", d);
    add_customer(db, "tx", "b", "x", pool);
    is_ok(brski_dbd_commit(db, pool), "%s: commit", d);
    is_str(note_of(db, "tx", "b", pool), "x", "%s: what is committed stays", d);

    is_ok(brski_dbd_begin(db, pool), "%s: begin", d);
    add_customer(db, "tx", "c", "x", pool);
    is_err(add_customer(db, "tx", NULL, "x", pool), INTERNAL, "%s: a name must not be NULL", d);
    is_err(add_customer(db, "tx", "d", "x", pool), STORE,
           "%s: nothing more in a failed transaction", d);
    is_err(brski_dbd_commit(db, pool), STORE, "%s: a failed transaction is not committed", d);
    is_str(note_of(db, "tx", "c", pool), "(none)", "%s: nothing of it is left", d);
    is_ok(add_customer(db, "tx", "e", "x", pool), "%s: the connection goes on", d);
    brski_dbd_close(db);
}

/* ---- trouble ---- */

static void test_schema(const database_t *database, apr_pool_t *pool)
{
    const char *d = database->name;
    brski_dbd_t *db;
    brski_row_t *row;
    brski_err_t *err;

    database = database_empty(database, pool);
    is_ok(brski_dbd_open(&db, MASA, d, database->params, pool), "%s: an empty database opens", d);
    err = brski_dbd_prepare(db, pool);
    is_err(err, STORE_SCHEMA, "%s: it has no tables", d);
    has_str(err->detail, "brski_facts", "%s: the first statement that fails is named", d);
    is_err(brski_dbd_one(&row, db, STMT_SCHEMA_VERSION_GET, NULL, pool, pool), STORE_SCHEMA,
           "%s: not even a version", d);
    is_err(brski_dbd_exec(NULL, db, STMT_POLICY_BUMP, ARGS("x"), pool), STORE_SCHEMA,
           "%s: a change", d);
    database_apply_schema(db, pool);
    is_ok(brski_dbd_prepare(db, pool), "%s: after the upgrades all statements prepare", d);
    is_ok(brski_dbd_one(&row, db, STMT_SCHEMA_VERSION_GET, NULL, pool, pool), "%s: a version", d);
    is_int(brski_row_int(row, 0), 1, "%s: the last one", d);
    is_ok(brski_dbd_prepare(db, pool), "%s: preparing twice does no harm", d);
    is_str(note_of(db, "x", "a", pool), "(none)", "%s: a query", d);
    database_do(db, "DROP TABLE customer");
    err = brski_dbd_one(&row, db, STMT_CUSTOMER_GET, ARGS("x", "a"), pool, pool);
    is_err(err, STORE_SCHEMA, "%s: a table that is gone while we run", d);
    is_err(add_customer(db, "x", "a", "x", pool), STORE_SCHEMA, "%s: and a change of it", d);
    is_ok(brski_dbd_exec(NULL, db, STMT_POLICY_BUMP, ARGS("x"), pool), "%s: others go on", d);
    brski_dbd_close(db);
}

/* A table changed by another process spoils SQLite's statements, a changed result PostgreSQL's. */
static void test_altered(const database_t *database, apr_pool_t *pool)
{
    const char *d = database->name;
    brski_dbd_t *db = database_open(database, pool), *other = database_open(database, pool);

    add_customer(db, "alter", "a", "x", pool);
    database_do(other, "ALTER TABLE customer ADD COLUMN altered BIGINT");
    is_str(note_of(db, "alter", "a", pool), "x", "%s: a query after ALTER TABLE", d);
    database_do(other, "ALTER TABLE customer ADD COLUMN altered2 BIGINT");
    is_ok(add_customer(db, "alter", "b", "y", pool), "%s: a change after ALTER TABLE", d);
    is_str(note_of(db, "alter", "b", pool), "y", "%s: is made once", d);
    brski_dbd_close(other);
    brski_dbd_close(db);
}

static void test_open(const database_t *database, apr_pool_t *pool)
{
    brski_dbd_t *db = database_open(database, pool);
    brski_err_t *err;

    is_err(brski_dbd_open(&db, MASA, "mysql", "x", pool), STORE, "a driver that is not ours");
    ok(db == NULL, "leaves no connection");
    is_err(brski_dbd_open(&db, MASA, NULL, "x", pool), STORE, "no driver");
    err = brski_dbd_open(&db, MASA, "pgsql", "host=127.0.0.1 port=1 user=u password=hush", pool);
    is_err(err, STORE, "a server that is not there");
    ok(!strstr(err->detail, "hush"), "the password is not in the reason: %s", err->detail);
    err = brski_dbd_open(&db, MASA, "pgsql", "user=u password=hush hush2", pool);
    is_err(err, STORE, "parameters that PostgreSQL does not read");
    ok(!strstr(err->detail, "hush"), "the password is not in the reason: %s", err->detail);
    err = brski_dbd_open(&db, MASA, "sqlite3", "/nowhere/masa.db", pool);
    is_err(err ? err : brski_dbd_prepare(db, pool), STORE,
           "a file in a directory that is not there");
}

static void test_readonly(const database_t *database, apr_pool_t *pool)
{
    brski_dbd_t *db = database_open(database, pool);
    int changed;

    database_do(db, database->dialect == BRSKI_SQLITE3 ? "PRAGMA query_only=1"
                                                       : "SET default_transaction_read_only=on");
    is_err(brski_dbd_exec(&changed, db, STMT_POLICY_BUMP, ARGS("ro"), pool), STORE_READONLY,
           "%s: a database that is read-only", database->name);
    is_str(note_of(db, "ro", "a", pool), "(none)", "%s: still answers questions", database->name);
    brski_dbd_close(db);
}

/* In another process, as a backup or an administrator's shell would. */
static pid_t hold_lock(const database_t *database, int seconds, apr_pool_t *pool)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready) != 0 || (pid = fork()) < 0) {
        bail_out("no process to hold the lock");
    }
    if (pid == 0) {
        brski_dbd_t *db = database_open(database, pool);

        database_do(db, database->dialect == BRSKI_SQLITE3
                            ? "BEGIN IMMEDIATE"
                            : "BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE");
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        sleep((unsigned)seconds);
        _exit(0);
    }
    if (read(ready[0], &byte, 1) != 1) {
        bail_out("the lock is not held");
    }
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void test_locked(const database_t *database, apr_pool_t *pool)
{
    const char *d = database->name;
    brski_dbd_t *db = database_open(database, pool);
    apr_time_t start;
    pid_t pid;

    if (database->dialect == BRSKI_PGSQL) {
        database_do(db, "SET lock_timeout=500");
    }
    pid = hold_lock(database, 20, pool);
    start = apr_time_now();
    is_err(add_customer(db, "lock", "a", "x", pool), STORE_BUSY, "%s: a lock of another process",
           d);
    ok(apr_time_now() - start < apr_time_from_sec(10), "%s: is not waited for for ever", d);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    is_ok(add_customer(db, "lock", "a", "x", pool), "%s: without the lock it goes on", d);
    if (database->dialect == BRSKI_SQLITE3) {
        pid = hold_lock(database, 20, pool);
        is_str(note_of(db, "lock", "a", pool), "x", "%s: a writer keeps no reader out", d);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    brski_dbd_close(db);
}

static void test_full(const database_t *database, apr_pool_t *pool)
{
    brski_dbd_t *db = database_open(database, pool);
    char *large = apr_pcalloc(pool, 200001);
    brski_err_t *err = NULL;
    int i;

    memset(large, 'x', 200000);
    database_do(db, "PRAGMA max_page_count=1");
    for (i = 0; i < 100 && !err; i++) {
        err = add_customer(db, "full", apr_itoa(pool, i), large, pool);
    }
    is_err(err, STORE_READONLY, "sqlite3: a disk that is full");
    database_do(db, "PRAGMA max_page_count=1000000");
    is_ok(add_customer(db, "full", "after", large, pool), "sqlite3: room again");
    brski_dbd_close(db);
}

/* ---- PostgreSQL restarted ---- */

static void test_restart(const database_t *database, apr_pool_t *pool)
{
    brski_dbd_t *db = database_open(database, pool), *spare = database_open(database, pool);
    brski_row_t *row;
    int changed;

    add_customer(db, "restart", "a", "x", pool);
    database_restart(database);
    is_str(note_of(db, "restart", "a", pool), "x", "a query after a restart is answered");
    database_restart(database);
    is_err(add_customer(db, "restart", "b", "x", pool), STORE,
           "a change after a restart: outcome unknown");
    is_ok(add_customer(db, "restart", "c", "x", pool), "the next one is made");
    database_restart(database);
    is_ok(brski_dbd_begin(db, pool), "a transaction after a restart begins");
    is_ok(add_customer(db, "restart", "d", "x", pool), "and goes on");
    is_ok(brski_dbd_commit(db, pool), "and is committed");

    is_ok(brski_dbd_begin(db, pool), "a transaction");
    is_ok(add_customer(db, "restart", "e", "x", pool), "that has changed something");
    database_restart(database);
    is_err(brski_dbd_one(&row, db, STMT_CUSTOMER_GET, ARGS("restart", "a"), pool, pool), STORE,
           "is not continued on another connection");
    is_err(brski_dbd_commit(db, pool), STORE, "nor committed");
    is_str(note_of(db, "restart", "e", pool), "(none)", "nothing of it is left");

    /* What a reset leaves that a server makes when it lends a connection. */
    apr_dbd_check_conn(spare->driver, pool, spare->handle);
    add_customer(spare, "restart", "f", "x", pool);
    database_do(spare, "DEALLOCATE ALL");
    is_ok(brski_dbd_exec(&changed, spare, STMT_CUSTOMER_PUT, ARGS("restart", "g", "x", "1"), pool),
          "a change whose statement was forgotten is made");
    is_int(changed, 1, "once");

    database_stop(database);
    is_err(brski_dbd_one(&row, db, STMT_CUSTOMER_GET, ARGS("restart", "a"), pool, pool), STORE,
           "a server that is away");
    is_err(brski_dbd_begin(db, pool), STORE, "begins nothing");
    database_start(database);
    is_str(note_of(db, "restart", "a", pool), "x", "and answers when it is back");
    brski_dbd_close(db);
    brski_dbd_close(spare);
}

static void test_texts(apr_pool_t *pool)
{
    is_int(brski_dbd_trouble(BRSKI_PGSQL, "FEHLER:  42P01: Relation existiert nicht\nLOCATION:  x"),
           BRSKI_TROUBLE_SCHEMA, "a code in any language");
    is_int(brski_dbd_trouble(BRSKI_PGSQL, "FATAL:  57P01: terminating connection"),
           BRSKI_TROUBLE_DEAD, "a server that ends");
    is_int(brski_dbd_trouble(BRSKI_PGSQL, "server closed the connection unexpectedly"),
           BRSKI_TROUBLE_DEAD, "no code: the connection");
    is_int(brski_dbd_trouble(BRSKI_PGSQL, "ERROR:  53100: could not extend file"),
           BRSKI_TROUBLE_READONLY, "a full disk");
    is_int(brski_dbd_trouble(BRSKI_PGSQL, "ERROR:  XX000: internal"), BRSKI_TROUBLE_OTHER,
           "another code");
    is_int(brski_dbd_trouble(BRSKI_PGSQL, NULL), BRSKI_TROUBLE_DEAD, "no text");
    is_int(brski_dbd_trouble(BRSKI_SQLITE3, "disk I/O error"), BRSKI_TROUBLE_READONLY,
           "a failing disk");
    is_int(brski_dbd_trouble(BRSKI_SQLITE3, "file is not a database"), BRSKI_TROUBLE_OTHER,
           "another text");
    is_str(
        brski_dbd_trouble_text("ERROR:  42P01: no\n\tthing \x01\xFF \nLOCATION:  f.c:12\n", pool),
        "ERROR: 42P01: no thing ?", "one line, without the place in the source");
    is_str(brski_dbd_trouble_text("", pool), "the driver gave no reason", "an empty text");
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *databases[] = { database_sqlite(pool), database_pgsql(pool) };
    int i;

    for (i = 0; i < 2; i++) {
        if (databases[i]) {
            test_rows(databases[i], pool);
            test_transactions(databases[i], pool);
            test_schema(databases[i], pool);
            test_altered(databases[i], pool);
            test_readonly(databases[i], pool);
            test_locked(databases[i], pool);
        }
    }
    test_full(databases[0], pool);
    test_open(databases[0], pool);
    test_texts(pool);
    if (databases[1]) {
        test_restart(databases[1], pool);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
