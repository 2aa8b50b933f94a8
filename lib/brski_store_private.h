/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_private.h: what the files of the store share and nobody else sees: the store itself,
 * a visit to the database through the gate, arguments and rows.
 */
#ifndef BRSKI_STORE_PRIVATE_H
#define BRSKI_STORE_PRIVATE_H

#include "brski_commit.h"
#include "brski_err.h"
#include "brski_log.h"
#include "brski_statements.h"
#include "brski_store.h"
#include "brski_store_gate.h"

#include <apr_thread_mutex.h>

/* Columns of an event, from its first: those of STMT_EVENT_LIST, then the voucher. */
#define BRSKI_EVENT_COLUMNS 25

struct brski_store_t {
    const char *tenant;
    brski_store_host_t host;
    brski_dialect_t dialect;
    const brski_ctx_t *ctx;
    brski_gate_t *gate;
    brski_commit_t *commit;           /* SQLite: events go through it; NULL on PostgreSQL */
    apr_thread_mutex_t *writing;      /* SQLite: one writer of this process at a time */
};

/** Inside the gate with a connection. */
typedef struct brski_visit_t {
    brski_store_t *store;
    brski_dbd_t *db;
    apr_pool_t *pool;                 /* dies when the visit ends */
    int place;
    int writing;
} brski_visit_t;

/**
 * Enter. @param write  nonzero when something will be changed
 * @return NULL; BRSKI_E_STORE_BUSY; BRSKI_E_STORE
 */
brski_err_t *brski_visit_begin(brski_visit_t *visit, brski_store_t *store, int write,
                               apr_pool_t *scratch_pool);
void brski_visit_end(brski_visit_t *visit);

/** Enter, run one statement, leave. */
brski_err_t *brski_store_all(apr_array_header_t **rows, brski_store_t *store, int stmt,
                             const char *const *args, apr_pool_t *result_pool,
                             apr_pool_t *scratch_pool);
brski_err_t *brski_store_one(brski_row_t **row, brski_store_t *store, int stmt,
                             const char *const *args, apr_pool_t *result_pool,
                             apr_pool_t *scratch_pool);
brski_err_t *brski_store_exec(int *changed, brski_store_t *store, int stmt, const char *const *args,
                              apr_pool_t *scratch_pool);

/** A whole number as an argument. */
const char *brski_store_number(apr_int64_t n, apr_pool_t *pool);

/** Text of a column, NULL for SQL NULL and for "". */
const char *brski_store_text_or_null(const brski_row_t *row, int column);

/**
 * A stranger's text made fit to be kept: UTF-8 stays as it is, what is none or is long is kept as
 * brski_printable() shows it. NULL stays NULL. PostgreSQL refuses a row with other text.
 */
const char *brski_store_clean(const char *text, apr_pool_t *pool);

/** Fill BRSKI_IDENTITY_MAX arguments with the keys of an identity, NULL where there is none. */
void brski_store_identity_args(const char **args, const brski_identity_t *identity);

/**
 * The customer of rows (customer, identity, what, product, value, until_at from column first on). When several
 * match: the first by name, and a warning. NULL when there is no row.
 */
brski_customer_t *brski_store_pick_customer(brski_store_t *store, const apr_array_header_t *rows, int first,
                                            apr_time_t now, apr_pool_t *pool);

#endif
