/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database.h: databases for unit tests: an SQLite file, or a private PostgreSQL that t/lib/pg-start
 * starts; with the schema applied, connections pooled as mod_dbd pools them, and ways to take them
 * away. What goes wrong here ends the program (bail_out). A test keeps to a tenant of its own.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include "brski_records.h"
#include "brski_store.h"
#include "unit.h"

typedef struct database_t {
    brski_dialect_t dialect;
    const char *name;                 /**< "sqlite3" or "pgsql": for labels */
    const char *params;               /**< DBD parameters */
    const char *dir;
    const brski_dbd_set_t *set;       /**< whose statements its connections run: a MASA's */
} database_t;

/** A new SQLite file with the schema; gone with the pool. */
database_t *database_sqlite(apr_pool_t *pool);

/** A new private PostgreSQL with the schema, ended with the pool; NULL, after a remark, when the machine has none. */
database_t *database_pgsql(apr_pool_t *pool);

/** A database without tables on the same server, or a new file. */
database_t *database_empty(const database_t *like, apr_pool_t *pool);

/** The same database as an EST server's, whose tables are added to the MASA's. */
database_t *database_est(const database_t *like, apr_pool_t *pool);

/** A connection of one's own, statements prepared. */
brski_dbd_t *database_open(const database_t *database, apr_pool_t *pool);

/** Apply the upgrades of the connection's set and note them. */
void database_apply_schema(brski_dbd_t *db, apr_pool_t *pool);

/** Run a change or any statement without parameters that the schema does not have (tests only). */
void database_do(brski_dbd_t *db, const char *sql);

/** First column of the first row of any statement; NULL when there is none. */
const char *database_ask(brski_dbd_t *db, const char *sql, apr_pool_t *pool);

/** Run a statement of the schema; the arguments are text. */
#define database_exec(db, stmt, ...) \
    database_exec_args(db, stmt, (const char *const[]){ __VA_ARGS__ })
void database_exec_args(brski_dbd_t *db, int stmt, const char *const *args);

/** A host with at most max connections, checked when they are lent as mod_dbd does. Safe for threads. */
brski_store_host_t *database_host(const database_t *database, int max, apr_pool_t *pool);

/** A store on such a host: as many places as connections, 30 s of patience. */
brski_store_t *database_store(const database_t *database, const char *tenant, int max,
                              const brski_ctx_t *ctx, apr_pool_t *pool);

/** Records of an EST server on such a host, of a database made by database_est(). */
brski_records_t *database_records(const database_t *database, const char *tenant, int max,
                                  const brski_ctx_t *ctx, apr_pool_t *pool);

/** PostgreSQL: end it and start it again; end it as a crash does; stop and continue its processes. */
void database_restart(const database_t *database);
void database_stop(const database_t *database);
void database_start(const database_t *database);
void database_freeze(const database_t *database);
void database_thaw(const database_t *database);

/** A device in the records. */
void database_device(brski_dbd_t *db, const char *tenant, const char *serial_number, const char *product);

/** The device's next event, made from what was read; each request_hash once. */
brski_event_t *database_event(const brski_facts_t *facts, const char *tenant, const char *request_hash,
                              const char *nonce, apr_pool_t *pool);

/** Facts of a serial number without an identity; bails out on an error. */
brski_facts_t *database_facts(brski_store_t *store, const char *serial_number, const char *request_hash,
                              apr_time_t now, apr_pool_t *pool);

/** Run work(baton, 0..count-1) in as many threads, each with a pool of its own, and wait for all. TAP is not for threads. */
void database_crew(int count, void (*work)(void *baton, int number, apr_pool_t *pool), void *baton);

#endif
