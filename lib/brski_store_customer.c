/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_customer.c: which known customer do proven keys belong to, and what was it granted?
 */
#include "brski_store_private.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

/* Columns of a match, from its first. */
enum { C_CUSTOMER, C_IDENTITY, C_WHAT, C_PRODUCT, C_VALUE, C_UNTIL };

/* A name from a stranger's certificate may be any octets; what is no UTF-8 is nobody's key. */
void brski_store_identity_args(const char **args, const brski_identity_t *identity)
{
    int i, n = 0;

    for (i = 0; i < BRSKI_IDENTITY_MAX; i++) {
        args[i] = NULL;
    }
    for (i = 0; identity && i < identity->keys->nelts && n < BRSKI_IDENTITY_MAX; i++) {
        const char *key = APR_ARRAY_IDX(identity->keys, i, const char *);

        if (brski_is_utf8(key)) {
            args[n++] = key;
        }
    }
}

/* The row whose customer comes first by name, and of its keys the first. */
static const brski_row_t *first_match(int *several, const apr_array_header_t *rows, int first)
{
    const brski_row_t *best = NULL;
    int i, order;

    *several = 0;
    for (i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);

        if (!best) {
            best = row;
            continue;
        }
        order = strcmp(brski_row_text(row, first + C_CUSTOMER),
                       brski_row_text(best, first + C_CUSTOMER));
        *several |= order != 0;
        if (order == 0) {
            order = strcmp(brski_row_text(row, first + C_IDENTITY),
                           brski_row_text(best, first + C_IDENTITY));
        }
        if (order < 0) {
            best = row;
        }
    }
    return best;
}

static void add_grant(brski_customer_t *customer, const brski_row_t *row, int first, apr_time_t now,
                      apr_pool_t *pool)
{
    apr_time_t until = brski_row_int(row, first + C_UNTIL);
    brski_grant_t *grant;

    if (brski_row_null(row, first + C_WHAT) || (until && until <= now)) {
        return;
    }
    grant = apr_palloc(pool, sizeof(*grant));
    grant->what = brski_row_text(row, first + C_WHAT);
    grant->product = brski_row_text(row, first + C_PRODUCT);
    grant->value = brski_row_text(row, first + C_VALUE);
    grant->until = until;
    APR_ARRAY_PUSH(customer->grants, brski_grant_t *) = grant;
}

brski_customer_t *brski_store_pick_customer(brski_store_t *store, const apr_array_header_t *rows,
                                            int first, apr_time_t now, apr_pool_t *pool)
{
    const brski_row_t *match;
    brski_customer_t *customer;
    int several, i;

    match = first_match(&several, rows, first);
    if (!match) {
        return NULL;
    }
    customer = apr_palloc(pool, sizeof(*customer));
    customer->name = brski_row_text(match, first + C_CUSTOMER);
    customer->matched = brski_row_text(match, first + C_IDENTITY);
    customer->grants = apr_array_make(pool, 4, sizeof(brski_grant_t *));
    for (i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);

        /* A customer that is known by two keys comes twice, each time with all its grants. */
        if (strcmp(brski_row_text(row, first + C_CUSTOMER), customer->name) == 0 &&
            strcmp(brski_row_text(row, first + C_IDENTITY), customer->matched) == 0) {
            add_grant(customer, row, first, now, pool);
        }
    }
    if (several) {
        brski_logf(store->ctx->log, BRSKI_LOG_WARNING, 1120,
                   "the keys of one request belong to several "
                   "customers; it counts as %s's",
                   brski_printable(customer->name, 64, pool));
    }
    return customer;
}

brski_err_t *brski_store_customer(brski_customer_t **customer, brski_store_t *store,
                                  const brski_identity_t *identity, apr_time_t now,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[BRSKI_IDENTITY_MAX + 2];
    apr_array_header_t *rows;

    *customer = NULL;
    args[0] = store->tenant;
    brski_store_identity_args(args + 1, identity);
    args[BRSKI_IDENTITY_MAX + 1] = brski_arg_number(now, scratch_pool);
    if (!args[1]) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_access_all(&rows, store->access, STMT_CUSTOMER_MATCH, args, result_pool,
                               scratch_pool));
    *customer = brski_store_pick_customer(store, rows, 0, now, result_pool);
    return BRSKI_OK;
}
