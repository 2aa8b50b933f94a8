/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_private.h: what the files of the store share and nobody else sees: the store itself
 * and its customers.
 */
#ifndef BRSKI_STORE_PRIVATE_H
#define BRSKI_STORE_PRIVATE_H

#include "brski_access.h"
#include "brski_err.h"
#include "brski_log.h"
#include "brski_statements.h"
#include "brski_store.h"

/* Columns of an event, from its first: those of STMT_EVENT_LIST, then the voucher. */
#define BRSKI_EVENT_COLUMNS 25

struct brski_store_t {
    const char *tenant;
    const brski_ctx_t *ctx;
    brski_access_t *access;
};

/** Fill BRSKI_IDENTITY_MAX arguments with the keys of an identity, NULL where there is none. */
void brski_store_identity_args(const char **args, const brski_identity_t *identity);

/**
 * The customer of rows (customer, identity, what, product, value, until_at from column first on). When several
 * match: the first by name, and a warning. NULL when there is no row.
 */
brski_customer_t *brski_store_pick_customer(brski_store_t *store, const apr_array_header_t *rows, int first,
                                            apr_time_t now, apr_pool_t *pool);

#endif
