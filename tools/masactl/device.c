/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.c: finding the one device that a command is about.
 */
#include "device.h"
#include "brski_bytes.h"

#include <apr_strings.h>
#include <string.h>

#define COLUMN_PRODUCT 0

const db_column_t device_columns[] = { { "product", DB_TEXT, 0 },
                                       { "serial_number", DB_TEXT, 0 },
                                       { "customer", DB_TEXT, 0 },
                                       { "signer", DB_TEXT, 0 },
                                       { "idevid_issuer", DB_TEXT, 0 },
                                       { "made_at", DB_TIME, 0 },
                                       { "sold_at", DB_TIME, 0 },
                                       { "version", DB_INT, 0 },
                                       { "status", DB_TEXT, 0 },
                                       { "status_text", DB_TEXT, 0 },
                                       { "downgrade_until", DB_TIME, 0 },
                                       { "state_version", DB_INT, 0 },
                                       { "epoch", DB_INT, 0 },
                                       { "events", DB_INT, 0 },
                                       { "head", DB_TEXT, 0 },
                                       { "as_of", DB_TIME, 0 },
                                       { "imported_status", DB_TEXT, 0 },
                                       DB_END };

static const char *product_names(const apr_array_header_t *rows, apr_pool_t *pool)
{
    const char *names = "";

    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        names = apr_pstrcat(pool, names, i ? ", " : "", brski_row_text(row, COLUMN_PRODUCT), NULL);
    }
    return names;
}

brski_err_t *device_find(brski_row_t **row, db_t *db, const char *serial)
{
    const char *product = opt_get(db->call, "product");
    apr_array_header_t *rows;

    *row = NULL;
    BRSKI_TRY(db_all(&rows, db, STMT_DEVICE_GET, DB_ARGS(db->tenant, serial), db->pool));
    if (!product && rows->nelts > 1) {
        return say_refuse(db->pool,
                          "several devices have the serial number %s; add --product, one of: %s",
                          brski_printable(serial, 128, db->pool), product_names(rows, db->pool));
    }
    for (int i = 0; i < rows->nelts && !*row; i++) {
        brski_row_t *candidate = APR_ARRAY_IDX(rows, i, brski_row_t *);
        if (!product || !strcmp(product, brski_row_text(candidate, COLUMN_PRODUCT))) {
            *row = candidate;
        }
    }
    if (!*row) {
        return say_refuse(db->pool, "tenant %s has no device %s%s%s", db->tenant,
                          brski_printable(serial, 128, db->pool), product ? " of product " : "",
                          product ? brski_printable(product, 128, db->pool) : "");
    }
    return BRSKI_OK;
}
