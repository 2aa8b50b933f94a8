/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_facts.c: the one read of a decision. Its rows are of several kinds
 * (schema/queries.sql, STMT_FACTS); each is put where it belongs.
 */
#include "brski_store_private.h"

#include <apr_strings.h>
#include <string.h>

/* Column of the first value; before it stands the kind. */
#define FIRST 1

/* Columns of a device, from its first. */
enum {
    D_PRODUCT,
    D_SERIAL_NUMBER,
    D_CUSTOMER,
    D_SIGNER,
    D_IDEVID_ISSUER,
    D_MADE_AT,
    D_SOLD_AT,
    D_VERSION,
    D_STATUS,
    D_STATUS_TEXT,
    D_DOWNGRADE_UNTIL,
    D_STATE_VERSION,
    D_HEAD
};

/* The last event: epoch:seq:hash in one column, because it costs one look instead of three. */
static void read_head(brski_device_t *d, const char *text)
{
    char *end;

    d->head_hash = "";
    if (*text) {
        d->head_epoch = apr_strtoi64(text, &end, 10);
        d->head_seq = apr_strtoi64(*end ? end + 1 : end, &end, 10);
        d->head_hash = *end ? end + 1 : end;
    }
}

static brski_device_t *make_device(const brski_row_t *row, apr_pool_t *pool)
{
    brski_device_t *d = apr_pcalloc(pool, sizeof(*d));

    d->product = brski_row_text(row, FIRST + D_PRODUCT);
    d->serial_number = brski_row_text(row, FIRST + D_SERIAL_NUMBER);
    d->customer = brski_column_text(row, FIRST + D_CUSTOMER);
    d->signer = brski_column_text(row, FIRST + D_SIGNER);
    d->idevid_issuer = brski_column_text(row, FIRST + D_IDEVID_ISSUER);
    d->made_at = brski_row_int(row, FIRST + D_MADE_AT);
    d->sold_at = brski_row_int(row, FIRST + D_SOLD_AT);
    d->version = brski_row_int(row, FIRST + D_VERSION);
    d->status = brski_row_text(row, FIRST + D_STATUS);
    d->status_text = brski_column_text(row, FIRST + D_STATUS_TEXT);
    d->downgrade_until = brski_row_int(row, FIRST + D_DOWNGRADE_UNTIL);
    d->state_version = brski_row_int(row, FIRST + D_STATE_VERSION);
    read_head(d, brski_row_text(row, FIRST + D_HEAD));
    return d;
}

static brski_err_t *take_row(brski_facts_t *facts, apr_array_header_t *customers,
                             const brski_row_t *row, brski_store_t *store, apr_pool_t *pool)
{
    const char *kind = brski_row_text(row, 0);

    if (strcmp(kind, "device") == 0) {
        APR_ARRAY_PUSH(facts->devices, brski_device_t *) = make_device(row, pool);
    }
    else if (strcmp(kind, "stored") == 0) {
        return brski_store_event_row(&facts->stored, row, FIRST, store->tenant, pool);
    }
    else if (strcmp(kind, "outstanding") == 0) {
        return brski_store_event_row((brski_event_t **)apr_array_push(facts->outstanding), row,
                                     FIRST, store->tenant, pool);
    }
    else if (strcmp(kind, "customer") == 0) {
        APR_ARRAY_PUSH(customers, const brski_row_t *) = row;
    }
    else {
        facts->policy_version = brski_row_int(row, FIRST);
        facts->epoch = brski_row_int(row, FIRST + 1);
    }
    return BRSKI_OK;
}

static brski_facts_t *make_facts(apr_pool_t *pool)
{
    brski_facts_t *facts = apr_pcalloc(pool, sizeof(*facts));

    facts->devices = apr_array_make(pool, 1, sizeof(brski_device_t *));
    facts->outstanding = apr_array_make(pool, 1, sizeof(brski_event_t *));
    facts->epoch = 1;
    return facts;
}

static brski_err_t *ask(apr_array_header_t **rows, brski_store_t *store, const char *serial_number,
                        const char *request_hash, const brski_identity_t *identity, apr_time_t now,
                        apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *tenant = store->tenant, *at = brski_arg_number(now, scratch_pool);
    const char *args[7 + 1 + BRSKI_IDENTITY_MAX + 2] = {
        tenant, request_hash, tenant, serial_number, tenant, serial_number, at, tenant
    };

    brski_store_identity_args(args + 8, identity);
    args[8 + BRSKI_IDENTITY_MAX] = at;
    args[8 + BRSKI_IDENTITY_MAX + 1] = tenant;
    return brski_access_all(rows, store->access, STMT_FACTS, args, result_pool, scratch_pool);
}

brski_err_t *brski_store_facts(brski_facts_t **facts, brski_store_t *store,
                               const char *serial_number, const char *request_hash,
                               const brski_identity_t *identity, apr_time_t now,
                               apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows, *customers = apr_array_make(scratch_pool, 4, sizeof(brski_row_t *));
    brski_facts_t *f = make_facts(result_pool);
    int i;

    *facts = NULL;
    BRSKI_TRY(
        ask(&rows, store, serial_number, request_hash, identity, now, result_pool, scratch_pool));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(
            take_row(f, customers, APR_ARRAY_IDX(rows, i, brski_row_t *), store, result_pool));
    }
    f->customer = brski_store_pick_customer(store, customers, FIRST, now, result_pool);
    *facts = f;
    return BRSKI_OK;
}
