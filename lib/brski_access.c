/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_access.c: the way to a database, as brski_access.h says.
 */
#include "brski_access.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_commit.h"
#include "brski_err.h"
#include "brski_store_gate.h"

#define MAX_CLEAN 4096
#define MAX_GROUPS 4

typedef struct group_t {
    int stmt;
    brski_commit_t *commit;
} group_t;

struct brski_access_t {
    const char *tenant;
    brski_store_host_t host;
    const brski_dbd_set_t *set;
    brski_dialect_t dialect;
    brski_gate_t *gate;
    apr_interval_time_t patience;
    apr_thread_mutex_t *writing; /* SQLite: one writer of this process at a time */
    group_t groups[MAX_GROUPS];  /* SQLite */
    int ngroups;
};

/* ---- visits ---- */

static void leave(brski_visit_t *visit)
{
    if (visit->writing) {
        apr_thread_mutex_unlock(visit->access->writing);
    }
    brski_gate_leave(visit->access->gate, visit->place);
    apr_pool_destroy(visit->pool);
}

/*
 * SQLite's driver holds a lock of the whole process while SQLite waits for another writer: the
 * writer, if it is of this process, could not go on. So this process never has two.
 */
brski_err_t *brski_visit_begin(brski_visit_t *visit, brski_access_t *access, int write,
                               apr_pool_t *scratch_pool)
{
    brski_err_t *err;

    memset(visit, 0, sizeof(*visit));
    visit->access = access;
    BRSKI_TRY(brski_gate_enter(&visit->place, access->gate, scratch_pool));
    apr_pool_create(&visit->pool, scratch_pool);
    visit->writing = write && access->writing;
    if (visit->writing) {
        apr_thread_mutex_lock(access->writing);
    }
    err = access->host.open(&visit->db, access->host.baton, visit->pool);
    if (err) {
        err = brski_err(err->code, NULL, scratch_pool, "%s", err->detail ? err->detail : err->name);
        leave(visit);
    }
    return err;
}

void brski_visit_end(brski_visit_t *visit)
{
    visit->access->host.close(visit->db, visit->access->host.baton);
    leave(visit);
}

/* ---- making ---- */

brski_err_t *brski_access_make(brski_access_t **out, const char *tenant,
                               const brski_store_host_t *host, const brski_dbd_set_t *set,
                               brski_dialect_t dialect, int inside, apr_interval_time_t patience,
                               apr_pool_t *pool)
{
    brski_access_t *access = apr_pcalloc(pool, sizeof(*access));

    *out = NULL;
    access->tenant = apr_pstrdup(pool, tenant);
    access->host = *host;
    access->set = set;
    access->dialect = dialect;
    access->patience = patience;
    BRSKI_TRY(brski_gate_make(&access->gate, inside, patience, pool));
    if (dialect == BRSKI_SQLITE3
        && apr_thread_mutex_create(&access->writing, APR_THREAD_MUTEX_DEFAULT, pool)
               != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no mutex for the database");
    }
    *out = access;
    return BRSKI_OK;
}

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

brski_err_t *brski_access_group(brski_access_t *access, int stmt, apr_pool_t *pool)
{
    brski_commit_host_t host = { lend_to_leader, take_back_from_leader, access };
    group_t *group = &access->groups[access->ngroups];

    if (access->dialect != BRSKI_SQLITE3 || access->ngroups == MAX_GROUPS) {
        return BRSKI_OK;
    }
    group->stmt = stmt;
    BRSKI_TRY(brski_commit_make(&group->commit, &host, stmt, access->patience, pool));
    access->ngroups++;
    return BRSKI_OK;
}

const char *brski_access_tenant(const brski_access_t *access)
{
    return access->tenant;
}

void brski_access_numbers(brski_access_t *access, int *inside, apr_int64_t *turned_away)
{
    int i;

    brski_gate_numbers(access->gate, inside, turned_away);
    for (i = 0; i < access->ngroups; i++) {
        *turned_away += brski_commit_turned_away(access->groups[i].commit);
    }
}

/* ---- statements ---- */

static brski_err_t *run(apr_array_header_t **rows, brski_access_t *access, int stmt, int write,
                        const char *const *args, apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_visit_t visit;
    brski_err_t *err;

    *rows = NULL;
    BRSKI_TRY(brski_visit_begin(&visit, access, write, scratch_pool));
    err = brski_dbd_all(rows, visit.db, stmt, args, result_pool, scratch_pool);
    brski_visit_end(&visit);
    return err;
}

static brski_row_t *first_of(const apr_array_header_t *rows)
{
    return rows->nelts > 0 ? APR_ARRAY_IDX(rows, 0, brski_row_t *) : NULL;
}

brski_err_t *brski_access_all(apr_array_header_t **rows, brski_access_t *access, int stmt,
                              const char *const *args, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool)
{
    return run(rows, access, stmt, 0, args, result_pool, scratch_pool);
}

brski_err_t *brski_access_one(brski_row_t **row, brski_access_t *access, int stmt,
                              const char *const *args, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows;

    *row = NULL;
    BRSKI_TRY(run(&rows, access, stmt, 0, args, result_pool, scratch_pool));
    *row = first_of(rows);
    return BRSKI_OK;
}

brski_err_t *brski_access_change(brski_row_t **row, brski_access_t *access, int stmt,
                                 const char *const *args, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows;

    *row = NULL;
    BRSKI_TRY(run(&rows, access, stmt, 1, args, result_pool, scratch_pool));
    *row = first_of(rows);
    return BRSKI_OK;
}

static brski_commit_t *group_of(const brski_access_t *access, int stmt)
{
    int i;

    for (i = 0; i < access->ngroups; i++) {
        if (access->groups[i].stmt == stmt) {
            return access->groups[i].commit;
        }
    }
    return NULL;
}

brski_err_t *brski_access_exec(int *changed, brski_access_t *access, int stmt,
                               const char *const *args, apr_pool_t *scratch_pool)
{
    const brski_statement_t *s = &access->set->statements[access->dialect][stmt];
    brski_commit_t *commit = group_of(access, stmt);
    brski_visit_t visit;
    brski_err_t *err;
    int ignored;

    if (commit) {
        return brski_commit_put(changed ? changed : &ignored, commit, args, s->params,
                                scratch_pool);
    }
    BRSKI_TRY(brski_visit_begin(&visit, access, 1, scratch_pool));
    err = brski_dbd_exec(changed, visit.db, stmt, args, scratch_pool);
    brski_visit_end(&visit);
    return err;
}

brski_err_t *brski_access_together(brski_access_t *access,
                                   brski_err_t *(*work)(brski_dbd_t *db, void *baton,
                                                        apr_pool_t *pool),
                                   void *baton, apr_pool_t *scratch_pool)
{
    brski_visit_t visit;
    brski_err_t *err;

    BRSKI_TRY(brski_visit_begin(&visit, access, 1, scratch_pool));
    err = brski_dbd_begin(visit.db, scratch_pool);
    if (!err) {
        err = work(visit.db, baton, scratch_pool);
        if (err) {
            brski_dbd_rollback(visit.db, scratch_pool);
        }
        else {
            err = brski_dbd_commit(visit.db, scratch_pool);
        }
    }
    brski_visit_end(&visit);
    return err;
}

/* ---- the schema ---- */

static brski_err_t *wrong_schema(const brski_access_t *access, int found, int wanted,
                                 const brski_err_t *prev, apr_pool_t *pool)
{
    const char *name = access->set->name;

    if (!found) {
        return brski_err(BRSKI_E_STORE_SCHEMA, prev, pool,
                         "the database has no tables for this; run '%sctl schema apply'", name);
    }
    if (found < wanted) {
        return brski_err(BRSKI_E_STORE_SCHEMA, prev, pool,
                         "the database has schema %d, this version needs %d; "
                         "run '%sctl schema apply'",
                         found, wanted, name);
    }
    return brski_err(BRSKI_E_STORE_SCHEMA, prev, pool,
                     "the database has schema %d, which is newer than the %d of this version; "
                     "upgrade mod_%s and %sctl",
                     found, wanted, name, name);
}

brski_err_t *brski_access_schema_check(brski_access_t *access, apr_pool_t *scratch_pool)
{
    int wanted = brski_dbd_newest(access->set, access->dialect), found;
    brski_err_t *err;
    brski_row_t *row;

    err = brski_access_one(&row, access, access->set->version_get, NULL, scratch_pool,
                           scratch_pool);
    if (err && err->code != BRSKI_E_STORE_SCHEMA) {
        return err;
    }
    found = err || !row ? 0 : (int)brski_row_int(row, 0);
    return found == wanted ? BRSKI_OK : wrong_schema(access, found, wanted, err, scratch_pool);
}

/* ---- arguments and columns ---- */

const char *brski_arg_number(apr_int64_t n, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, n);
}

const char *brski_arg_clean(const char *text, apr_pool_t *pool)
{
    if (!text || (strlen(text) <= MAX_CLEAN && brski_is_utf8(text))) {
        return text;
    }
    return brski_printable(text, MAX_CLEAN, pool);
}

const char *brski_arg_octets(brski_bytes_t b, apr_pool_t *pool)
{
    return b.len ? brski_base64_encode(b, pool) : NULL;
}

const char *brski_column_text(const brski_row_t *row, int column)
{
    const char *text = brski_row_text(row, column);

    return *text ? text : NULL;
}

brski_err_t *brski_column_octets(brski_bytes_t *out, const brski_row_t *row, int column,
                                 apr_pool_t *pool)
{
    return brski_base64_decode(out, brski_row_text(row, column), pool);
}
