/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_test.c: every statement of both sets prepares on both databases and is answered through
 * an index: none reads a table from end to end, and those of a decision and of the evidence find
 * their rows by more than the tenant. On PostgreSQL the planner's own estimate of a decision
 * does not grow with the records.
 */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "brski_est_statements.h"
#include "brski_statements.h"
#include "database.h"
#include "unit.h"

/*
 * What walks through all rows of a tenant because that is its purpose: short lists of
 * few rows, and the last of an order.
 */
static const int whole_tenant[] = {
    STMT_REFUSAL_TRIM, STMT_SNAPSHOT_LIST, STMT_SNAPSHOT_LAST,
    STMT_CHECKPOINT_LAST, STMT_IMPORT_LIST, STMT_CUSTOMER_DEVICES,
    STMT_DEVICE_KINDS, -1
};

/*
 * Those of an EST server: short lists, the newest first, all work that is open, and what counts up
 * to a bound.
 */
static const int whole_est_tenant[] = {
    STMT_EST_DOMAIN_ID_LIST, STMT_EST_FIRST_USE_LIST, STMT_EST_SNAPSHOT_LIST,
    STMT_EST_NOTE_LIST, STMT_EST_NOTE_ALARMS, STMT_EST_REQUEST_OLD, STMT_EST_REQUEST_OPEN,
    STMT_EST_WORK_COUNT, STMT_EST_PLEDGE_COUNT, STMT_EST_CERTIFICATE_COUNT, -1
};

static int may_walk(const brski_dbd_t *db, int stmt)
{
    const int *whole = db->set == &brski_dbd_set_est ? whole_est_tenant : whole_tenant;
    int i;

    for (i = 0; whole[i] >= 0; i++) {
        if (whole[i] == stmt) {
            return 1;
        }
    }
    return 0;
}

/* The plan, one line each; NULL, after a remark, when the database refuses the statement. */
static apr_array_header_t *explain(brski_dbd_t *db, const char *sql, int column, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 16, sizeof(const char *));
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    int rv = apr_dbd_select(db->driver, pool, db->handle, &results, sql, 1);

    if (rv) {
        diag("%s", apr_dbd_error(db->driver, db->handle, rv));
        return NULL;
    }
    while (apr_dbd_get_row(db->driver, pool, results, &row, -1) == 0) {
        APR_ARRAY_PUSH(lines, const char *) =
            apr_pstrdup(pool, apr_dbd_get_entry(db->driver, row, column));
    }
    return lines;
}

/* ---- SQLite ---- */

/* APR DBD's marks as SQLite's. */
static const char *with_question_marks(const char *sql, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, strlen(sql) + 1), *to = text;

    while (*sql) {
        if (strncmp(sql, "%lld", 4) == 0 || strncmp(sql, "%s", 2) == 0) {
            sql += sql[1] == 's' ? 2 : 4;
            *to++ = '?';
        }
        else {
            *to++ = *sql++;
        }
    }
    *to = '\0';
    return text;
}

/* "SCAN device" is a table; constants, subqueries, pragmas and an order by an index are none. */
static int scans_table(const char *line)
{
    const char *scan = strstr(line, "SCAN ");
    int len;

    if (!scan || strstr(scan, "CONSTANT ROW") || strstr(scan, "VIRTUAL TABLE") ||
        strstr(scan, "(subquery")) {
        return 0;
    }
    scan += strlen("SCAN ");
    len = (int)strcspn(scan, " ");
    /* v: the VALUES of an import; schema_version: one row an upgrade, asked for the last */
    return !(len == 1 && *scan == 'v') && !strstr(scan, "schema_version");
}

static void test_sqlite(brski_dbd_t *db, apr_pool_t *pool)
{
    const brski_statement_t *s = db->set->statements[BRSKI_SQLITE3];
    int stmt, i;

    for (stmt = 0; stmt < db->set->count; stmt++) {
        const char *sql =
            apr_pstrcat(pool, "EXPLAIN QUERY PLAN ", with_question_marks(s[stmt].sql, pool), NULL);
        apr_array_header_t *lines = explain(db, sql, 3, pool);
        const char *bad = lines ? NULL : "refused";

        for (i = 0; lines && i < lines->nelts; i++) {
            const char *line = APR_ARRAY_IDX(lines, i, const char *);

            if (scans_table(line) ||
                (strstr(line, "(tenant=?)") && !strstr(line, "SEARCH t ") &&
                 strncmp(line, "SEARCH tenant_state", 19) != 0 && !may_walk(db, stmt))) {
                bad = line;
            }
        }
        is_str(bad, NULL, "sqlite3: %s goes through an index", s[stmt].label);
    }
}

/* ---- PostgreSQL ---- */

static const char *const masa_tables[] = {
    "INSERT INTO device (tenant, serial_number, product) SELECT 't', 's' || n, 'p' FROM %s n",
    "INSERT INTO device_state (tenant, serial_number, product) SELECT 't', 's' || n, 'p' FROM "
    "%s n",
    "INSERT INTO voucher_event SELECT 't', 'p', 's' || n, 1, 1, '', 'h', 1, 'i' || n, 'r' || "
    "n, "
    "CASE WHEN n %% 10 = 0 THEN NULL ELSE 'n' END, 'logged', 0, 0, 'd', 'k', 'k', 'k', 'k', "
    "'c', 's', "
    "'k', 0, 'cms', 'v', 'p', 'v' FROM %s n",
    "INSERT INTO event_peer SELECT 't', 'i' || n, 'a', 's' FROM %s n",
    "INSERT INTO customer SELECT 't', 'c' || n, NULL, 0 FROM %s n",
    "INSERT INTO customer_key SELECT 't', 'spki:' || n, 'c' || n, NULL, 0, 0 FROM %s n",
    "INSERT INTO customer_grant SELECT 't', 'c' || n, 'pin', '', '', 0 FROM %s n",
    "INSERT INTO fresh_use SELECT 't', 'r' || n, '', n, n FROM %s n",
    "INSERT INTO refusal (tenant, request_id, at, expires_at, number, status) "
    "SELECT 't', 'i' || n, n, n, 1, 1 FROM %s n",
    "INSERT INTO checkpoint SELECT 't', n, 1, 1, 1, 1, 'r', 'd' FROM %s n",
    "INSERT INTO node_snapshot SELECT 't', 'n' || n, 'h', n, 'j' FROM %s n",
    "INSERT INTO tenant_state SELECT 't' || n, 1, 1 FROM %s n",
    "INSERT INTO import_batch SELECT 't', 'b' || n, 's', 's', 'h', 0, 0, 0, 0, '', '', 0, 0 "
    "FROM %s n",
    NULL
};

static const char *const est_tables[] = {
    "INSERT INTO est_pledge (tenant, manufacturer, serial_number, request) "
    "SELECT 't', 'm' || n %% 90, 's' || n, 'r' || n FROM %s n",
    "INSERT INTO est_verdict SELECT 't', 'm', 's' || n, n, 'r' || n, 'good' FROM %s n",
    "INSERT INTO est_request (tenant, id, manufacturer, serial_number, idevid_spki, created_at, "
    "task, next_at) SELECT 't', 'r' || n, 'm' || n %% 90, 's' || n, 'k', n, "
    "CASE WHEN n %% 10 = 0 THEN 'audit' ELSE 'none' END, n FROM %s n",
    "INSERT INTO est_domain_id SELECT 't', 'd' || n, 's', n FROM %s n",
    "INSERT INTO est_certificate SELECT 't', 'c' || n %% 3, 's' || n, '', 'k' || n, 1, 's', 'k', "
    "'m', 's' || n, '', 0, n, n, CASE WHEN n %% 10 = 0 THEN n ELSE 0 END, 0, 'd' FROM %s n",
    "INSERT INTO est_ca SELECT 't', 'c' || n, 1, n FROM %s n",
    "INSERT INTO est_crl SELECT 't', 'c' || n, 1, 1, n, n, 'd' FROM %s n",
    "INSERT INTO est_approval SELECT 't', 'k' || n, '', 'r', "
    "CASE WHEN n %% 10 = 0 THEN 'waiting' ELSE 'approved' END, NULL, n, n, 'c' FROM %s n",
    "INSERT INTO est_first_use SELECT 't', 'm' || n, 'tls', 'k', 'h', 'waiting', NULL, n FROM %s n",
    "INSERT INTO est_note SELECT 't', n, 'i' || n, 'k', CASE WHEN n %% 10 = 0 THEN 1 ELSE 0 END, "
    "'m', 's' || n FROM %s n",
    "INSERT INTO est_node_snapshot SELECT 't', 'n' || n, 'h', n, 'j' FROM %s n",
    NULL
};

static void fill(brski_dbd_t *db, int from, int to, apr_pool_t *pool)
{
    const char *const *tables = db->set == &brski_dbd_set_est ? est_tables : masa_tables;
    int i;

    for (i = 0; tables[i]; i++) {
        database_do(db, apr_psprintf(pool, tables[i],
                                     apr_psprintf(pool, "generate_series(%d, %d)", from, to)));
    }
    database_do(db, "ANALYZE");
}

/* "EXPLAIN EXECUTE label (NULL, ...)": the plan that a prepared statement gets. */
static apr_array_header_t *plan_of(brski_dbd_t *db, const brski_statement_t *s, apr_pool_t *pool)
{
    const char *args = "";
    int i;

    for (i = 0; i < s->params; i++) {
        args = apr_pstrcat(pool, args, i ? ", NULL" : "NULL", NULL);
    }
    return explain(db,
                   apr_psprintf(pool, "EXPLAIN EXECUTE %s%s%s%s", s->label, *args ? "(" : "", args,
                                *args ? ")" : ""),
                   0, pool);
}

static double cost_of(brski_dbd_t *db, int stmt, apr_pool_t *pool)
{
    apr_array_header_t *lines = plan_of(db, &db->set->statements[BRSKI_PGSQL][stmt], pool);
    const char *cost =
        lines && lines->nelts ? strstr(APR_ARRAY_IDX(lines, 0, const char *), "..") : NULL;

    return cost ? atof(cost + 2) : -1;
}

static void test_pgsql(brski_dbd_t *db, apr_pool_t *pool)
{
    const brski_statement_t *s = db->set->statements[BRSKI_PGSQL];
    int stmt, i;

    for (stmt = 0; stmt < db->set->count; stmt++) {
        apr_array_header_t *lines = plan_of(db, &s[stmt], pool);
        const char *bad = lines ? NULL : "refused";

        for (i = 0; lines && i < lines->nelts; i++) {
            const char *line = APR_ARRAY_IDX(lines, i, const char *),
                       *cond = strstr(line, "Index Cond: (");

            if (strstr(line, "Seq Scan")) {
                bad = line;
            }
            /* One condition has one pair of parentheses around it, several have more. */
            if (cond && strncmp(cond, "Index Cond: (tenant = ", 22) == 0 && !may_walk(db, stmt) &&
                i > 0 && !strstr(APR_ARRAY_IDX(lines, i - 1, const char *), "tenant_state")) {
                bad = line;
            }
        }
        is_str(bad, NULL, "pgsql: %s goes through an index", s[stmt].label);
    }
}

/* A list of statements whose cost must not grow, ended by -1. */
static void test_flat(brski_dbd_t *db, const int *stmts, apr_pool_t *pool)
{
    const brski_statement_t *s = db->set->statements[BRSKI_PGSQL];
    double before[16], after;
    int i;

    for (i = 0; stmts[i] >= 0; i++) {
        before[i] = cost_of(db, stmts[i], pool);
    }
    fill(db, 2001, 20000, pool);
    for (i = 0; stmts[i] >= 0; i++) {
        after = cost_of(db, stmts[i], pool);
        ok(before[i] > 0 && after < before[i] * 2,
           "pgsql: %s costs the same with ten times the records "
           "(%.1f, %.1f)",
           s[stmts[i]].label, before[i], after);
    }
}

static const int decision[] = { STMT_FACTS,      STMT_EVENT_PUT,   STMT_CUSTOMER_MATCH,
                                STMT_EVENT_LIST, STMT_REFUSAL_GET, STMT_DEVICE_GET,
                                -1 };
static const int enrolment[] = { STMT_EST_PLEDGE_GET,
                                 STMT_EST_REQUEST_GET,
                                 STMT_EST_REQUEST_TAKE,
                                 STMT_EST_WORK_DUE,
                                 STMT_EST_CERTIFICATE_SAME,
                                 STMT_EST_CERTIFICATE_PUT,
                                 STMT_EST_CERTIFICATE_PUT_PLEDGE,
                                 STMT_EST_CERTIFICATE_GET,
                                 STMT_EST_CRL_GET,
                                 -1 };

static void on_pgsql(const database_t *database, const int *flat, apr_pool_t *pool)
{
    brski_dbd_t *db = database_open(database, pool);

    fill(db, 1, 2000, pool);
    database_do(db, "SET plan_cache_mode = force_generic_plan");
    database_do(db, "SET enable_seqscan = off");
    test_pgsql(db, pool);
    test_flat(db, flat, pool);
    brski_dbd_close(db);
}

static void on_sqlite(const database_t *database, apr_pool_t *pool)
{
    brski_dbd_t *db = database_open(database, pool);

    test_sqlite(db, pool);
    brski_dbd_close(db);
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *pgsql = database_pgsql(pool), *sqlite = database_sqlite(pool);

    on_sqlite(sqlite, pool);
    on_sqlite(database_est(sqlite, pool), pool);
    if (pgsql) {
        on_pgsql(pgsql, decision, pool);
        on_pgsql(database_est(pgsql, pool), enrolment, pool);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
