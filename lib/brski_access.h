/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_access.h: the way to a database that a MASA's store and a registrar's records have in common: connections that a
 * host lends, behind a gate, so that a hung database holds a bounded number of threads; on SQLite one writer of this
 * process at a time, and one commit for all who wait with the same statement. A statement's number is of the set that the
 * host's connections were made for. Private to the library.
 */
#ifndef BRSKI_ACCESS_H
#define BRSKI_ACCESS_H

#include "brski_dbd.h"
#include "brski_store.h"

typedef struct brski_access_t brski_access_t;

/**
 * Make one for one tenant; safe for threads. Dies with the pool.
 * @param inside, patience  as for brski_store_make()
 */
brski_err_t *brski_access_make(brski_access_t **out, const char *tenant, const brski_store_host_t *host,
                               const brski_dbd_set_t *set, brski_dialect_t dialect, int inside,
                               apr_interval_time_t patience, apr_pool_t *pool);

/** Let those who run this change at the same time share a commit, where that is worth it (SQLite). Only at start. */
brski_err_t *brski_access_group(brski_access_t *access, int stmt, apr_pool_t *pool);

const char *brski_access_tenant(const brski_access_t *access);

/** How many calls are inside, and how many were turned away since start. */
void brski_access_numbers(brski_access_t *access, int *inside, apr_int64_t *turned_away);

/** Inside the gate with a connection. */
typedef struct brski_visit_t {
    brski_access_t *access;
    brski_dbd_t *db;
    apr_pool_t *pool;                 /* dies when the visit ends */
    int place;
    int writing;
} brski_visit_t;

/**
 * Enter. @param write  nonzero when something will be changed
 * @return NULL; BRSKI_E_STORE_BUSY; BRSKI_E_STORE
 */
brski_err_t *brski_visit_begin(brski_visit_t *visit, brski_access_t *access, int write, apr_pool_t *scratch_pool);
void brski_visit_end(brski_visit_t *visit);

/** Enter, run one query, leave. */
brski_err_t *brski_access_all(apr_array_header_t **rows, brski_access_t *access, int stmt, const char *const *args,
                              apr_pool_t *result_pool, apr_pool_t *scratch_pool);
brski_err_t *brski_access_one(brski_row_t **row, brski_access_t *access, int stmt, const char *const *args,
                              apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** As brski_access_one() for a change that returns the row it changed. When the connection is lost it may run twice, and
 *  only the second row comes back: for changes that stand that. */
brski_err_t *brski_access_change(brski_row_t **row, brski_access_t *access, int stmt, const char *const *args,
                                 apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** Enter, run one change, leave; in a group when its statement has one. @param changed  rows, or NULL */
brski_err_t *brski_access_exec(int *changed, brski_access_t *access, int stmt, const char *const *args,
                               apr_pool_t *scratch_pool);

/** Run several statements as one: committed when work returns NULL, else rolled back. */
brski_err_t *brski_access_together(brski_access_t *access, brski_err_t *(*work)(brski_dbd_t *db, void *baton, apr_pool_t *pool),
                                   void *baton, apr_pool_t *scratch_pool);

/** @return NULL, or BRSKI_E_STORE_SCHEMA that says what to do when the tables are missing, older or newer */
brski_err_t *brski_access_schema_check(brski_access_t *access, apr_pool_t *scratch_pool);

/* ---- arguments and columns ---- */

/** A whole number as an argument. */
const char *brski_arg_number(apr_int64_t n, apr_pool_t *pool);

/**
 * A stranger's text made fit to be kept: UTF-8 stays as it is, what is none or is long is kept as
 * brski_printable() shows it. NULL stays NULL. PostgreSQL refuses a row with other text.
 */
const char *brski_arg_clean(const char *text, apr_pool_t *pool);

/** Octets as base64; NULL for none. */
const char *brski_arg_octets(brski_bytes_t b, apr_pool_t *pool);

/** Text of a column, NULL for SQL NULL and for "". */
const char *brski_column_text(const brski_row_t *row, int column);

/** Octets of a column, len 0 for SQL NULL. @return NULL or BRSKI_E_BASE64 */
brski_err_t *brski_column_octets(brski_bytes_t *out, const brski_row_t *row, int column, apr_pool_t *pool);

#endif
