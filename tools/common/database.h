/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database.h: the database that a command of masactl or estctl works on: which one (a configuration file, or --db), opened
 * and checked, and the short ways to ask it. One connection, one thread; closed with the run's pool.
 */
#ifndef TOOLS_DATABASE_H
#define TOOLS_DATABASE_H

#include "opts.h"
#include "say.h"
#include "brski_dbd.h"
#include "brski_json.h"
#include "brski_store.h"

struct db_t;

/** How one program's databases are; program_t points to it. */
typedef struct db_kind_t {
    const char *config;               /**< configuration file when nothing else is said: "/etc/masactl.conf" */
    const char *variable;             /**< of the environment, names another one: "MASACTL_CONFIG" */
    const char *example;              /**< an SQLite file, for messages: "/var/lib/masa/masa.db" */
    const char *module;               /**< of httpd: "mod_masa" */
    const brski_dbd_set_t *set;       /**< its statements and tables */
    int settings;                     /**< statement: what the database says about durability, name and value */
    /** Make what the program asks its records through, over a host that lends the one connection: own. */
    brski_err_t *(*make)(struct db_t *db, const brski_store_host_t *host, apr_interval_time_t patience);
    /** Are the tables those of this program? */
    brski_err_t *(*check)(struct db_t *db);
} db_kind_t;

typedef struct db_t {
    call_t *call;
    const db_kind_t *kind;
    brski_dbd_t *dbd;
    void *own;                        /**< what kind->make() made */
    const char *tenant;
    const char *driver;               /**< "sqlite3", "pgsql" */
    const char *params;               /**< may hold a password: never printed */
    brski_dialect_t dialect;
    const char *file;                 /**< SQLite's; NULL elsewhere */
    const char *config;               /**< file that said so; NULL for --db */
    apr_pool_t *pool;
} db_t;

/** Which database: nothing is opened. */
brski_err_t *db_find(db_t **out, call_t *call);

/** Open it, whatever is in it: for `schema`. The user running this must be the one whose files SQLite makes. */
brski_err_t *db_connect(db_t *db);

/** Find and open one that is there, whatever its tables are. */
brski_err_t *db_open_any(db_t **out, call_t *call);

/** Find, open, and make sure that the tables are those of this program. */
brski_err_t *db_open(db_t **out, call_t *call);

/** Arguments of a statement: DB_ARGS(db->tenant, serial). */
#define DB_ARGS(...) ((const char *const[]){ __VA_ARGS__ })

/** Rows, brski_row_t *, in pool. */
brski_err_t *db_all(apr_array_header_t **rows, db_t *db, int stmt, const char *const *args, apr_pool_t *pool);

/** The one row, NULL when there is none. */
brski_err_t *db_one(brski_row_t **row, db_t *db, int stmt, const char *const *args, apr_pool_t *pool);

/** Change rows; changed may be NULL. */
brski_err_t *db_exec(int *changed, db_t *db, int stmt, const char *const *args, apr_pool_t *pool);

/** A number as an argument. */
const char *db_num(apr_int64_t n, apr_pool_t *pool);

/** Do something in one transaction; an error takes all of it back. */
brski_err_t *db_change(db_t *db, brski_err_t *(*change)(db_t *db, void *baton), void *baton);

/** What a column holds. */
typedef enum db_type_t { DB_TEXT, DB_INT, DB_TIME, DB_BOOL } db_type_t;

/** How a row becomes JSON: its columns in order; a row without key is left out, the end has no type. */
typedef struct db_column_t {
    const char *key;
    db_type_t type;
    int end;
} db_column_t;
#define DB_END { NULL, DB_TEXT, 1 }

brski_json_t *db_row_json(const brski_row_t *row, const db_column_t *columns, apr_pool_t *pool);

/** A time as RFC 3339 text, JSON null for 0. */
void db_json_time(brski_json_t *obj, const char *key, apr_time_t t, apr_pool_t *pool);

#endif
