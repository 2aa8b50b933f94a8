/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_dbd.h: rows and statements over APR DBD, whose only caller it is. Holds the driver lore once: random access and
 * all rows drained, NULL told from empty, no SELECT outside prepared statements, no apr_dbd_transaction_start (it crashes
 * after a PostgreSQL restart), statements prepared again when a connection was silently reset. Statements come from
 * schema/ through the generated brski_statements.h and are named by number.
 */
#ifndef BRSKI_DBD_H
#define BRSKI_DBD_H

#include "brski.h"
#include <apr_hash.h>
#include <apr_dbd.h>

/** One named statement, made by tools/sql2c from schema/. */
typedef struct brski_statement_t {
    const char *label;                /**< lower case SQL identifier, unique: "brski_device_get" */
    const char *sql;                  /**< with APR DBD parameter marks */
    int params;                       /**< how many parameter marks */
    int query;                        /**< 1 returns rows, 0 changes them */
} brski_statement_t;

/** One numbered upgrade of the schema, split into single statements. */
typedef struct brski_upgrade_t {
    int number;
    const char *name;
    const char *const *statements;    /**< NULL-terminated */
} brski_upgrade_t;

typedef enum brski_dialect_t { BRSKI_SQLITE3 = 1, BRSKI_PGSQL } brski_dialect_t;
#define BRSKI_DIALECTS (BRSKI_PGSQL + 1)

/** Statements and upgrades that belong together: a MASA's, an EST server's. One database may hold the tables of both. */
typedef struct brski_dbd_set_t {
    const char *name;                 /**< "masa", "est": the tool that applies its schema is NAMEctl */
    int count;                        /**< of statements */
    const brski_statement_t *statements[BRSKI_DIALECTS]; /**< by dialect, then by number */
    const brski_upgrade_t *upgrades[BRSKI_DIALECTS];     /**< by dialect; in order, ended by number 0 */
    int version_get;                  /**< number of its statement ..SCHEMA_VERSION_GET: columns number, name, applied_at */
    int version_put;                  /**< number of its statement ..SCHEMA_VERSION_PUT: parameters number, name, applied_at */
} brski_dbd_set_t;

/** Made by tools/sql2c: numbers are brski_stmt_t of brski_statements.h, brski_est_stmt_t of brski_est_statements.h. */
extern const brski_dbd_set_t brski_dbd_set_masa;
extern const brski_dbd_set_t brski_dbd_set_est;

/** An open connection with its prepared statements. Used by one thread at a time. */
typedef struct brski_dbd_t {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_hash_t *prepared;             /**< label -> apr_dbd_prepared_t * */
    apr_pool_t *pool;                 /**< life of the connection: statements are prepared again here */
    brski_dialect_t dialect;
    const brski_dbd_set_t *set;       /**< whose statements are run on it */
    void *host;                       /**< the host's own handle (ap_dbd_t *), not ours */
    int transaction;                  /**< ours: 0 none, 1 open, -1 open and failed; a host begins with 0 */
    int sqlstate;                     /**< ours: PostgreSQL was asked to name its errors' codes; a host begins with 0 */
} brski_dbd_t;

/** A row: columns by number from 0. */
typedef struct brski_row_t {
    int columns;
    const char **text;                /**< NULL for SQL NULL */
} brski_row_t;

const char *brski_row_text(const brski_row_t *row, int column);   /**< "" for NULL */
apr_int64_t brski_row_int(const brski_row_t *row, int column);    /**< 0 for NULL */
int brski_row_null(const brski_row_t *row, int column);

/** Number of the newest upgrade: the version of the schema that this program needs. */
int brski_dbd_newest(const brski_dbd_set_t *set, brski_dialect_t dialect);

/** Dialect of a driver's name ("sqlite3", "pgsql"), or 0. */
brski_dialect_t brski_dialect_parse(const char *driver_name);

/**
 * Open a connection of our own (tools, tests); loads the driver, for which no apr_dbd_init() is needed before. A new SQLite
 * database becomes a WAL one; commits are durable (synchronous=FULL) and a lock of another process is waited for a
 * while. Statements are prepared by brski_dbd_prepare(), or each at its first use: before the schema is there.
 * @param set          whose statements will be run
 * @param driver_name  "sqlite3" or "pgsql"
 * @param params       as DBDParams; may hold a password: never logged
 * @return NULL, or BRSKI_E_STORE
 */
brski_err_t *brski_dbd_open(brski_dbd_t **db, const brski_dbd_set_t *set, const char *driver_name,
                            const char *params, apr_pool_t *pool);
void brski_dbd_close(brski_dbd_t *db);

/** Prepare every statement of its set. @return NULL, or BRSKI_E_STORE_SCHEMA naming the first that fails */
brski_err_t *brski_dbd_prepare(brski_dbd_t *db, apr_pool_t *scratch_pool);

/**
 * Run a query and hand over all rows. Arguments are NUL-terminated text, NULL for SQL NULL, as many as the statement has marks.
 * A dead connection is opened again and the query repeated once (queries only: a change is never repeated blindly).
 * @return NULL; BRSKI_E_STORE; BRSKI_E_STORE_SCHEMA
 */
brski_err_t *brski_dbd_all(apr_array_header_t **rows, brski_dbd_t *db, int stmt, const char *const *args,
                           apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** As brski_dbd_all() for at most one row; *row is NULL when there is none. */
brski_err_t *brski_dbd_one(brski_row_t **row, brski_dbd_t *db, int stmt, const char *const *args,
                           apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/**
 * Run a change. @param changed rows changed; a unique conflict is an error unless the statement says DO NOTHING.
 * @return NULL; BRSKI_E_STORE (outcome unknown: the reply may be lost); BRSKI_E_STORE_READONLY when the database says so
 *         (read-only, full, disk error); BRSKI_E_STORE_BUSY when locked; BRSKI_E_STORE_SCHEMA
 */
brski_err_t *brski_dbd_exec(int *changed, brski_dbd_t *db, int stmt, const char *const *args,
                            apr_pool_t *scratch_pool);

/** BEGIN (IMMEDIATE on SQLite), COMMIT, ROLLBACK as plain statements. A failed commit's outcome is unknown. */
brski_err_t *brski_dbd_begin(brski_dbd_t *db, apr_pool_t *scratch_pool);
brski_err_t *brski_dbd_commit(brski_dbd_t *db, apr_pool_t *scratch_pool);
void brski_dbd_rollback(brski_dbd_t *db, apr_pool_t *scratch_pool);

/** Run one statement of an upgrade (tools only; text comes from schema/ alone). */
brski_err_t *brski_dbd_ddl(brski_dbd_t *db, const char *statement, apr_pool_t *scratch_pool);

#endif
