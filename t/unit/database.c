/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database.c: databases for unit tests, as database.h says.
 */
#include "database.h"

#include <apr_file_io.h>
#include <apr_reslist.h>
#include <apr_signal.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "brski_event.h"
#include "brski_statements.h"

#define NOT_HERE 77

/* ---- making ---- */

void database_apply_schema(brski_dbd_t *db, apr_pool_t *pool)
{
    const brski_upgrade_t *u;
    const char *const *statement;
    brski_err_t *err;

    for (u = db->set->upgrades[db->dialect]; u->number; u++) {
        for (statement = u->statements; *statement; statement++) {
            err = brski_dbd_ddl(db, *statement, pool);
            if (err) {
                bail_out("upgrade %d: %s", u->number, brski_err_text(err, pool));
            }
        }
        database_exec(db, db->set->version_put, apr_itoa(pool, u->number), u->name, "0");
    }
}

static void apply_schema(const database_t *database)
{
    brski_dbd_t *db;
    brski_err_t *err;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    err = brski_dbd_open(&db, database->set, database->name, database->params, pool);
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    database_apply_schema(db, pool);
    brski_dbd_close(db);
    apr_pool_destroy(pool);
}

static database_t *make_sqlite(apr_pool_t *pool)
{
    database_t *database = apr_pcalloc(pool, sizeof(*database));

    database->dialect = BRSKI_SQLITE3;
    database->set = &brski_dbd_set_masa;
    database->name = "sqlite3";
    database->dir = unit_tempdir(pool);
    database->params = apr_pstrcat(pool, database->dir, "/masa.db", NULL);
    return database;
}

database_t *database_sqlite(apr_pool_t *pool)
{
    database_t *database = make_sqlite(pool);

    apply_schema(database);
    return database;
}

/* Run a script of t/lib; its last line comes back. @return its exit status */
static int run_script(char *line, size_t len, const char *command)
{
    FILE *out = popen(command, "r");
    char text[1024];

    *line = '\0';
    if (!out) {
        return -1;
    }
    while (fgets(text, sizeof(text), out)) {
        text[strcspn(text, "\n")] = '\0';
        apr_cpystrn(line, text, len);
    }
    return WEXITSTATUS(pclose(out));
}

static int pg_script(char *line, size_t len, const char *script, const char *options,
                     const char *dir)
{
    apr_pool_t *pool;
    const char *path;
    int status;

    apr_pool_create(&pool, NULL);
    path = unit_source(apr_pstrcat(pool, "t/lib/", script, NULL), pool);
    status = run_script(line, len, apr_psprintf(pool, "'%s' %s '%s'", path, options, dir));
    apr_pool_destroy(pool);
    return status;
}

static apr_status_t end_pgsql(void *data)
{
    database_t *database = data;
    char line[64];

    pg_script(line, sizeof(line), "pg-stop", "", database->dir);
    return APR_SUCCESS;
}

database_t *database_pgsql(apr_pool_t *pool)
{
    database_t *database = apr_pcalloc(pool, sizeof(*database));
    const char *base;
    char *dir, dsn[512];
    int status;

    apr_temp_dir_get(&base, pool);
    dir = apr_pstrcat(pool, base, "/brski-pg-XXXXXX", NULL);
    if (!mkdtemp(dir)) {
        bail_out("%s cannot be made", dir);
    }
    status = pg_script(dsn, sizeof(dsn), "pg-start",
                       apr_psprintf(pool, "--while %d", (int)getpid()), dir);
    if (status == NOT_HERE) {
        rmdir(dir);
        diag("no PostgreSQL here: its tests are left out");
        return NULL;
    }
    if (status) {
        bail_out("pg-start ended with %d", status);
    }
    database->dialect = BRSKI_PGSQL;
    database->set = &brski_dbd_set_masa;
    database->name = "pgsql";
    database->dir = dir;
    database->params = apr_pstrdup(pool, dsn);
    apr_pool_cleanup_register(pool, database, end_pgsql, apr_pool_cleanup_null);
    apply_schema(database);
    return database;
}

/* On PostgreSQL an empty schema of the same database stands for an empty database. */
database_t *database_empty(const database_t *like, apr_pool_t *pool)
{
    static int number;
    database_t *database;
    const char *schema;
    brski_dbd_t *db;

    if (like->dialect == BRSKI_SQLITE3) {
        return make_sqlite(pool);
    }
    database = apr_pmemdup(pool, like, sizeof(*like));
    schema = apr_psprintf(pool, "empty%d", ++number);
    db = database_open(like, pool);
    database_do(db, apr_pstrcat(pool, "CREATE SCHEMA ", schema, NULL));
    brski_dbd_close(db);
    database->params = apr_psprintf(pool, "%s options='-c search_path=%s'", like->params, schema);
    return database;
}

database_t *database_est(const database_t *like, apr_pool_t *pool)
{
    database_t *database = apr_pmemdup(pool, like, sizeof(*like));

    database->set = &brski_dbd_set_est;
    apply_schema(database);
    return database;
}

/* ---- the server ---- */

static pid_t postmaster(const database_t *database)
{
    char path[512];
    FILE *file;
    int pid = 0;

    snprintf(path, sizeof(path), "%s/data/postmaster.pid", database->dir);
    file = fopen(path, "r");
    if (!file || fscanf(file, "%d", &pid) != 1 || pid <= 1) {
        bail_out("%s names no process", path);
    }
    fclose(file);
    return (pid_t)pid;
}

void database_stop(const database_t *database)
{
    pid_t pid = postmaster(database);
    int tries;

    kill(pid, SIGQUIT);
    for (tries = 0; kill(pid, 0) == 0; tries++) {
        if (tries > 600) {
            bail_out("PostgreSQL does not end");
        }
        apr_sleep(apr_time_from_msec(50));
    }
}

void database_start(const database_t *database)
{
    char line[512];

    if (pg_script(line, sizeof(line), "pg-start", "", database->dir)) {
        bail_out("PostgreSQL does not start again");
    }
}

void database_restart(const database_t *database)
{
    database_stop(database);
    database_start(database);
}

/* The server's processes are children of the postmaster. */
static void signal_all(const database_t *database, const char *signal)
{
    pid_t pid = postmaster(database);
    char command[200], line[64];

    snprintf(command, sizeof(command), "kill -%s %d $(ps -o pid= --ppid %d)", signal, (int)pid,
             (int)pid);
    run_script(line, sizeof(line), command);
}

void database_freeze(const database_t *database)
{
    signal_all(database, "STOP");
}

void database_thaw(const database_t *database)
{
    signal_all(database, "CONT");
}

/* ---- connections ---- */

brski_dbd_t *database_open(const database_t *database, apr_pool_t *pool)
{
    brski_dbd_t *db;
    brski_err_t *err;

    err = brski_dbd_open(&db, database->set, database->name, database->params, pool);
    if (!err) {
        err = brski_dbd_prepare(db, pool);
    }
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    return db;
}

/* A pragma answers with a row, which the driver takes for an error. */
void database_do(brski_dbd_t *db, const char *sql)
{
    int rows;
    int rv = apr_dbd_query(db->driver, db->handle, &rows, sql);

    if (rv && strncmp(sql, "PRAGMA", 6) != 0) {
        bail_out("%s: %s", sql, apr_dbd_error(db->driver, db->handle, rv));
    }
}

const char *database_ask(brski_dbd_t *db, const char *sql, apr_pool_t *pool)
{
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    const char *value = NULL;
    int rv = apr_dbd_select(db->driver, pool, db->handle, &results, sql, 1);

    if (rv) {
        bail_out("%s: %s", sql, apr_dbd_error(db->driver, db->handle, rv));
    }
    while (apr_dbd_get_row(db->driver, pool, results, &row, -1) == 0) {
        if (!value) {
            value = apr_pstrdup(pool, apr_dbd_get_entry(db->driver, row, 0));
        }
    }
    return value;
}

void database_exec_args(brski_dbd_t *db, int stmt, const char *const *args)
{
    apr_pool_t *pool;
    brski_err_t *err;

    apr_pool_create(&pool, NULL);
    err = brski_dbd_exec(NULL, db, stmt, args, pool);
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    apr_pool_destroy(pool);
}

/* ---- a pool of connections, as mod_dbd's ---- */

typedef struct host_t {
    const database_t *database;
    apr_reslist_t *connections;
} host_t;

static apr_status_t connect_one(void **resource, void *params, apr_pool_t *pool)
{
    host_t *host = params;
    brski_err_t *err;
    brski_dbd_t *db;
    apr_pool_t *own;

    /* No child of the list's pool: that would be gone when the list is emptied. */
    (void)pool;
    apr_pool_create(&own, NULL);
    err = brski_dbd_open(&db, host->database->set, host->database->name, host->database->params,
                         own);
    if (!err) {
        err = brski_dbd_prepare(db, own);
    }
    if (err) {
        apr_pool_destroy(own);
        return APR_EGENERAL;
    }
    *resource = db;
    return APR_SUCCESS;
}

static apr_status_t disconnect_one(void *resource, void *params, apr_pool_t *pool)
{
    (void)params;
    (void)pool;
    apr_pool_destroy(((brski_dbd_t *)resource)->pool);
    return APR_SUCCESS;
}

/*
 * Lent afresh each time, as a server does, and checked: a lost connection is opened again,
 * without statements.
 */
static brski_err_t *lend(brski_dbd_t **db, void *baton, apr_pool_t *pool)
{
    host_t *host = baton;
    void *resource;

    *db = NULL;
    if (apr_reslist_acquire(host->connections, &resource) != APR_SUCCESS) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "no connection");
    }
    *db = apr_pmemdup(pool, resource, sizeof(**db));
    (*db)->host = resource;
    (*db)->transaction = 0;
    (*db)->sqlstate = 0;
    if (apr_dbd_check_conn((*db)->driver, pool, (*db)->handle) != APR_SUCCESS) {
        apr_reslist_invalidate(host->connections, resource);
        return brski_err(BRSKI_E_STORE, NULL, pool, "the connection is gone");
    }
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *db, void *baton)
{
    apr_reslist_release(((host_t *)baton)->connections, db->host);
}

brski_store_host_t *database_host(const database_t *database, int max, apr_pool_t *pool)
{
    brski_store_host_t *host = apr_pcalloc(pool, sizeof(*host));
    host_t *own = apr_pcalloc(pool, sizeof(*own));

    own->database = database;
    if (apr_reslist_create(&own->connections, 0, max, max, 0, connect_one, disconnect_one, own,
                           pool)) {
        bail_out("no list of connections");
    }
    host->open = lend;
    host->close = take_back;
    host->baton = own;
    return host;
}

brski_store_t *database_store(const database_t *database, const char *tenant, int max,
                              const brski_ctx_t *ctx, apr_pool_t *pool)
{
    brski_store_t *store;
    brski_err_t *err;

    err = brski_store_make(&store, tenant, database_host(database, max, pool), database->dialect,
                           max, apr_time_from_sec(30), ctx, pool);
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    return store;
}

brski_records_t *database_records(const database_t *database, const char *tenant, int max,
                                  const brski_ctx_t *ctx, apr_pool_t *pool)
{
    brski_records_t *records;
    brski_err_t *err;

    err = brski_records_make(&records, tenant, database_host(database, max, pool),
                             database->dialect, max, apr_time_from_sec(30), ctx, pool);
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    return records;
}

/* ---- rows ---- */

void database_device(brski_dbd_t *db, const char *tenant, const char *serial_number,
                     const char *product)
{
    database_exec(db, STMT_DEVICE_ADD, tenant, serial_number, product, NULL, NULL, NULL, NULL, NULL,
                  NULL, "0");
}

brski_facts_t *database_facts(brski_store_t *store, const char *serial_number,
                              const char *request_hash, apr_time_t now, apr_pool_t *pool)
{
    brski_facts_t *facts;
    brski_err_t *err;

    err = brski_store_facts(&facts, store, serial_number, request_hash, NULL, now, pool, pool);
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    return facts;
}

brski_event_t *database_event(const brski_facts_t *facts, const char *tenant,
                              const char *request_hash, const char *nonce, apr_pool_t *pool)
{
    const brski_device_t *d = APR_ARRAY_IDX(facts->devices, 0, brski_device_t *);
    brski_event_t *e = apr_pcalloc(pool, sizeof(*e));

    e->tenant = tenant;
    e->product = d->product;
    e->serial_number = d->serial_number;
    e->epoch = facts->epoch;
    e->seq = d->head_seq + 1;
    e->prev_hash = d->head_hash;
    e->created_at = unit_time("2024-01-02T03:04:05Z");
    e->request_id = apr_pstrcat(pool, "id-", request_hash, NULL);
    e->request_hash = request_hash;
    e->nonce = nonce;
    e->assertion = BRSKI_ASSERTION_PROXIMITY;
    e->proximity = 1;
    e->domain_id = "ZG9tYWlu";
    e->pin_spki = "a1";
    e->pin_cert = "cGlu";
    e->signer_spki = "a2";
    e->issuer_spki = "a3";
    e->tls_spki = "a4";
    e->customer = "";
    e->signer = "main";
    e->signer_key = "a5";
    e->format = BRSKI_FORMAT_CMS;
    e->voucher = brski_bytes_str(apr_pstrcat(pool, "voucher of ", request_hash, NULL));
    e->voucher_hash = brski_sha256_hex(e->voucher, pool);
    e->hash = brski_event_hash(e, pool);
    return e;
}

/* ---- threads ---- */

typedef struct crew_t {
    void (*work)(void *baton, int number, apr_pool_t *pool);
    void *baton;
    int number;
} crew_t;

static void *APR_THREAD_FUNC run_one(apr_thread_t *thread, void *data)
{
    crew_t *crew = data;
    apr_pool_t *pool;

    (void)thread;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    crew->work(crew->baton, crew->number, pool);
    apr_pool_destroy(pool);
    return NULL;
}

void database_crew(int count, void (*work)(void *baton, int number, apr_pool_t *pool), void *baton)
{
    apr_pool_t *pool;
    apr_thread_t **threads;
    crew_t *crews;
    apr_status_t rv;
    int i;

    apr_pool_create(&pool, NULL);
    threads = apr_palloc(pool, (apr_size_t)count * sizeof(*threads));
    crews = apr_palloc(pool, (apr_size_t)count * sizeof(*crews));
    for (i = 0; i < count; i++) {
        crews[i].work = work;
        crews[i].baton = baton;
        crews[i].number = i;
        if (apr_thread_create(&threads[i], NULL, run_one, &crews[i], pool) != APR_SUCCESS) {
            bail_out("no thread");
        }
    }
    for (i = 0; i < count; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    apr_pool_destroy(pool);
}
