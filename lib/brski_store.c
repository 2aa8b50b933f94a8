/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store.c: the store itself: making it, visiting the database through its gate, and what is
 * of no one part: the schema's version and the nodes' snapshots.
 */
#include "brski_store_private.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

#define MAX_CLEAN 4096

/* ---- visits ---- */

static void leave(brski_visit_t *visit)
{
    if (visit->writing) {
        apr_thread_mutex_unlock(visit->store->writing);
    }
    brski_gate_leave(visit->store->gate, visit->place);
    apr_pool_destroy(visit->pool);
}

/*
 * SQLite's driver holds a lock of the whole process while SQLite waits for another writer: the
 * writer, if it is of this process, could not go on. So this process never has two.
 */
brski_err_t *brski_visit_begin(brski_visit_t *visit, brski_store_t *store, int write,
                               apr_pool_t *scratch_pool)
{
    brski_err_t *err;

    memset(visit, 0, sizeof(*visit));
    visit->store = store;
    BRSKI_TRY(brski_gate_enter(&visit->place, store->gate, scratch_pool));
    apr_pool_create(&visit->pool, scratch_pool);
    visit->writing = write && store->writing;
    if (visit->writing) {
        apr_thread_mutex_lock(store->writing);
    }
    err = store->host.open(&visit->db, store->host.baton, visit->pool);
    if (err) {
        err = brski_err(err->code, NULL, scratch_pool, "%s", err->detail ? err->detail : err->name);
        leave(visit);
    }
    return err;
}

void brski_visit_end(brski_visit_t *visit)
{
    visit->store->host.close(visit->db, visit->store->host.baton);
    leave(visit);
}

brski_err_t *brski_store_all(apr_array_header_t **rows, brski_store_t *store, int stmt,
                             const char *const *args, apr_pool_t *result_pool,
                             apr_pool_t *scratch_pool)
{
    brski_visit_t visit;
    brski_err_t *err;

    *rows = NULL;
    BRSKI_TRY(brski_visit_begin(&visit, store, 0, scratch_pool));
    err = brski_dbd_all(rows, visit.db, stmt, args, result_pool, scratch_pool);
    brski_visit_end(&visit);
    return err;
}

brski_err_t *brski_store_one(brski_row_t **row, brski_store_t *store, int stmt,
                             const char *const *args, apr_pool_t *result_pool,
                             apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows;

    *row = NULL;
    BRSKI_TRY(brski_store_all(&rows, store, stmt, args, result_pool, scratch_pool));
    if (rows->nelts > 0) {
        *row = APR_ARRAY_IDX(rows, 0, brski_row_t *);
    }
    return BRSKI_OK;
}

brski_err_t *brski_store_exec(int *changed, brski_store_t *store, int stmt, const char *const *args,
                              apr_pool_t *scratch_pool)
{
    brski_visit_t visit;
    brski_err_t *err;

    BRSKI_TRY(brski_visit_begin(&visit, store, 1, scratch_pool));
    err = brski_dbd_exec(changed, visit.db, stmt, args, scratch_pool);
    brski_visit_end(&visit);
    return err;
}

/* ---- making ---- */

static brski_err_t *lend_to_leader(brski_dbd_t **db, void **loan, void *baton, apr_pool_t *pool)
{
    brski_visit_t *visit = apr_palloc(pool, sizeof(*visit));

    BRSKI_TRY(brski_visit_begin(visit, baton, 1, pool));
    *db = visit->db;
    *loan = visit;
    return BRSKI_OK;
}

static void take_back_from_leader(brski_dbd_t *db, void *loan, void *baton)
{
    (void)db;
    (void)baton;
    brski_visit_end(loan);
}

static brski_err_t *make_sqlite_writers(brski_store_t *store, apr_interval_time_t patience,
                                        apr_pool_t *pool)
{
    brski_commit_host_t host = { lend_to_leader, take_back_from_leader, store };

    if (apr_thread_mutex_create(&store->writing, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no mutex for the store");
    }
    return brski_commit_make(&store->commit, &host, STMT_EVENT_PUT, patience, pool);
}

brski_err_t *brski_store_make(brski_store_t **out, const char *tenant,
                              const brski_store_host_t *host, brski_dialect_t dialect, int inside,
                              apr_interval_time_t patience, const brski_ctx_t *ctx,
                              apr_pool_t *pool)
{
    brski_store_t *store = apr_pcalloc(pool, sizeof(*store));

    *out = NULL;
    store->tenant = apr_pstrdup(pool, tenant);
    store->host = *host;
    store->dialect = dialect;
    store->ctx = ctx;
    BRSKI_TRY(brski_gate_make(&store->gate, inside, patience, pool));
    if (dialect == BRSKI_SQLITE3) {
        BRSKI_TRY(make_sqlite_writers(store, patience, pool));
    }
    *out = store;
    return BRSKI_OK;
}

const char *brski_store_tenant(const brski_store_t *store)
{
    return store->tenant;
}

void brski_store_gate_numbers(brski_store_t *store, int *inside, apr_int64_t *turned_away)
{
    brski_gate_numbers(store->gate, inside, turned_away);
    if (store->commit) {
        *turned_away += brski_commit_turned_away(store->commit);
    }
}

/* ---- arguments and columns ---- */

const char *brski_store_number(apr_int64_t n, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, n);
}

const char *brski_store_text_or_null(const brski_row_t *row, int column)
{
    const char *text = brski_row_text(row, column);

    return *text ? text : NULL;
}

const char *brski_store_clean(const char *text, apr_pool_t *pool)
{
    if (!text || (strlen(text) <= MAX_CLEAN && brski_is_utf8(text))) {
        return text;
    }
    return brski_printable(text, MAX_CLEAN, pool);
}

/* ---- nodes and the schema ---- */

brski_err_t *brski_store_snapshot_put(brski_store_t *store, const char *node, const char *json,
                                      const char *hash, apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *args[] = { store->tenant, node, hash, brski_store_number(now, scratch_pool), json };

    return brski_store_exec(NULL, store, STMT_SNAPSHOT_PUT, args, scratch_pool);
}

static int newest_upgrade(brski_dialect_t dialect)
{
    const brski_upgrade_t *u;
    int number = 0;

    for (u = brski_dbd_upgrades(dialect); u->number; u++) {
        number = u->number;
    }
    return number;
}

brski_err_t *brski_store_schema_check(brski_store_t *store, apr_pool_t *scratch_pool)
{
    int wanted = newest_upgrade(store->dialect);
    brski_err_t *err;
    brski_row_t *row;
    int found;

    err = brski_store_one(&row, store, STMT_SCHEMA_VERSION_GET, NULL, scratch_pool, scratch_pool);
    if (err && err->code != BRSKI_E_STORE_SCHEMA) {
        return err;
    }
    if (err || !row) {
        return brski_err(BRSKI_E_STORE_SCHEMA, err, scratch_pool,
                         "the database has no tables of this MASA; run 'masactl schema apply'");
    }
    found = (int)brski_row_int(row, 0);
    if (found < wanted) {
        return brski_err(BRSKI_E_STORE_SCHEMA, NULL, scratch_pool,
                         "the database has schema %d, this "
                         "version needs %d; run 'masactl schema apply'",
                         found, wanted);
    }
    if (found > wanted) {
        return brski_err(BRSKI_E_STORE_SCHEMA, NULL, scratch_pool,
                         "the database has schema %d, which "
                         "is newer than the %d of this version; upgrade this MASA",
                         found, wanted);
    }
    return BRSKI_OK;
}
