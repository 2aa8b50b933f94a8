/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_evidence.c: what is kept beside the chain and goes away again: refused requests, who
 * asked for an event's voucher, and fresh requests that have opened a log.
 */
#include "brski_store_private.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_json.h"

/* How many rows one call removes of each kind: a short transaction. */
#define EXPIRE_AT_ONCE 500
/* A stranger can cause refusals, so their number and size are bounded too; beyond the oldest go
 * first. A full disk would be the end of vouchers. */
#define REFUSALS_KEPT 50000
#define REFUSAL_OCTETS_KEPT (256 * 1024 * 1024)
/*
 * A fresh request opens a log as long as its signer's certificate is valid, so the note that it was
 * used outlives registrars' certificates.
 */
#define FRESH_USE_KEPT (apr_time_from_sec(10 * 365 * 86400LL))

/* ---- refusals ---- */

/* What the texts of a row take. */
static apr_size_t octets_of(const char *const *args, int n)
{
    apr_size_t octets = 0;
    int i;

    for (i = 0; i < n; i++) {
        octets += args[i] ? strlen(args[i]) : 0;
    }
    return octets;
}

static brski_err_t *put_refusal(brski_dbd_t *db, const char *tenant, const brski_refusal_t *r,
                                apr_interval_time_t retention, apr_pool_t *pool)
{
    enum { OCTETS = 17 };
    const char *args[] = { tenant,
                           brski_arg_clean(r->request_id, pool),
                           brski_arg_number(r->at, pool),
                           brski_arg_number(r->at + retention, pool),
                           brski_arg_clean(r->operation, pool),
                           brski_arg_number(r->number, pool),
                           brski_arg_number(r->status, pool),
                           brski_arg_clean(r->public_text, pool),
                           brski_arg_clean(r->detail, pool),
                           brski_arg_clean(r->serial_number, pool),
                           brski_arg_clean(r->address, pool),
                           brski_arg_clean(r->content_type, pool),
                           brski_arg_clean(r->accept, pool),
                           brski_arg_clean(r->user, pool),
                           brski_arg_octets(r->client_cert, pool),
                           brski_arg_octets(r->client_chain, pool),
                           brski_arg_octets(r->request, pool),
                           NULL };

    args[OCTETS] = brski_arg_number((apr_int64_t)octets_of(args, OCTETS), pool);
    return brski_dbd_exec(NULL, db, STMT_REFUSAL_PUT, args, pool);
}

/* Rows on their way: refusals or peers. */
typedef struct rows_t {
    const char *tenant;
    const apr_array_header_t *rows;
    apr_interval_time_t retention;
} rows_t;

static brski_err_t *put_refusals(brski_dbd_t *db, void *baton, apr_pool_t *pool)
{
    const rows_t *r = baton;
    apr_pool_t *each;
    brski_err_t *err = BRSKI_OK;
    int i;

    apr_pool_create(&each, pool);
    for (i = 0; i < r->rows->nelts && !err; i++) {
        apr_pool_clear(each);
        err = put_refusal(db, r->tenant, APR_ARRAY_IDX(r->rows, i, const brski_refusal_t *),
                          r->retention, each);
    }
    /* The error of the last one is in its pool, which dies with the caller's. */
    return err;
}

brski_err_t *brski_store_refusals_put(brski_store_t *store, const apr_array_header_t *refusals,
                                      apr_interval_time_t retention, apr_pool_t *scratch_pool)
{
    rows_t rows = { store->tenant, refusals, retention };

    return brski_access_together(store->access, put_refusals, &rows, scratch_pool);
}

/* Columns of STMT_REFUSAL_GET. */
enum {
    R_REQUEST_ID,
    R_AT,
    R_OPERATION,
    R_NUMBER,
    R_STATUS,
    R_PUBLIC_TEXT,
    R_DETAIL,
    R_SERIAL_NUMBER,
    R_ADDRESS,
    R_CONTENT_TYPE,
    R_ACCEPT,
    R_USERNAME,
    R_CLIENT_CERT,
    R_CLIENT_CHAIN,
    R_REQUEST
};

static const char *text_or_null(const brski_row_t *row, int column)
{
    return brski_row_null(row, column) ? NULL : brski_row_text(row, column);
}

static brski_err_t *read_octets(brski_refusal_t *r, const brski_row_t *row, apr_pool_t *pool)
{
    BRSKI_TRY(brski_base64_decode(&r->client_cert, brski_row_text(row, R_CLIENT_CERT), pool));
    BRSKI_TRY(brski_base64_decode(&r->client_chain, brski_row_text(row, R_CLIENT_CHAIN), pool));
    return brski_base64_decode(&r->request, brski_row_text(row, R_REQUEST), pool);
}

brski_err_t *brski_store_refusal_get(brski_refusal_t **refusal, brski_store_t *store,
                                     const char *request_id, apr_pool_t *result_pool,
                                     apr_pool_t *scratch_pool)
{
    const char *args[] = { store->tenant, request_id };
    brski_refusal_t *r;
    brski_row_t *row;

    *refusal = NULL;
    BRSKI_TRY(brski_access_one(&row, store->access, STMT_REFUSAL_GET, args, result_pool,
                               scratch_pool));
    if (!row) {
        return BRSKI_OK;
    }
    r = apr_pcalloc(result_pool, sizeof(*r));
    r->request_id = brski_row_text(row, R_REQUEST_ID);
    r->at = brski_row_int(row, R_AT);
    r->operation = text_or_null(row, R_OPERATION);
    r->number = (int)brski_row_int(row, R_NUMBER);
    r->status = (int)brski_row_int(row, R_STATUS);
    r->public_text = text_or_null(row, R_PUBLIC_TEXT);
    r->detail = text_or_null(row, R_DETAIL);
    r->serial_number = text_or_null(row, R_SERIAL_NUMBER);
    r->address = text_or_null(row, R_ADDRESS);
    r->content_type = text_or_null(row, R_CONTENT_TYPE);
    r->accept = text_or_null(row, R_ACCEPT);
    r->user = text_or_null(row, R_USERNAME);
    BRSKI_TRY(read_octets(r, row, result_pool));
    *refusal = r;
    return BRSKI_OK;
}

/* ---- peers ---- */

/* All in one statement: a statement for each would cost PostgreSQL as much as a decision's read. */
static brski_err_t *put_peers(brski_dbd_t *db, void *baton, apr_pool_t *pool)
{
    const rows_t *r = baton;
    brski_json_t *rows = brski_json_array(pool);
    const char *args[] = { r->tenant, NULL };
    int i;

    for (i = 0; i < r->rows->nelts; i++) {
        const brski_peer_t *p = APR_ARRAY_IDX(r->rows, i, const brski_peer_t *);
        brski_json_t *row = brski_json_array(pool);

        brski_json_append_string(row, p->request_id);
        brski_json_append_string(row, brski_arg_clean(p->address, pool));
        brski_json_append_string(row, brski_arg_clean(p->tls_subject, pool));
        brski_json_append(rows, row);
    }
    args[1] = brski_json_text(rows, 0, pool);
    return brski_dbd_exec(NULL, db, STMT_EVENT_PEER_PUT, args, pool);
}

brski_err_t *brski_store_peers_put(brski_store_t *store, const apr_array_header_t *peers,
                                   apr_pool_t *scratch_pool)
{
    rows_t rows = { store->tenant, peers, 0 };

    return brski_access_together(store->access, put_peers, &rows, scratch_pool);
}

/* ---- fresh use ---- */

static brski_err_t *was_mine(int *mine, brski_store_t *store, const char *request_hash,
                             const char *tls_spki, apr_pool_t *pool)
{
    const char *args[] = { store->tenant, request_hash };
    brski_row_t *row;

    BRSKI_TRY(brski_access_one(&row, store->access, STMT_FRESH_USE_GET, args, pool, pool));
    /* Two requesters without a key are not known to be one. */
    *mine = row && *tls_spki && strcmp(brski_row_text(row, 0), tls_spki) == 0;
    return BRSKI_OK;
}

brski_err_t *brski_store_fresh_use(int *first, brski_store_t *store, const char *request_hash,
                                   const char *tls_spki, apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *key = tls_spki ? tls_spki : "";
    const char *args[] = { store->tenant, request_hash, key, brski_arg_number(now, scratch_pool),
                           brski_arg_number(now + FRESH_USE_KEPT, scratch_pool) };

    *first = 0;
    BRSKI_TRY(brski_access_exec(first, store->access, STMT_FRESH_USE_PUT, args, scratch_pool));
    if (*first) {
        return BRSKI_OK;
    }
    return was_mine(first, store, request_hash, key, scratch_pool);
}

/* ---- expiry ---- */

brski_err_t *brski_store_expire(int *removed, brski_store_t *store, apr_time_t now,
                                apr_pool_t *scratch_pool)
{
    const char *many = brski_arg_number(EXPIRE_AT_ONCE, scratch_pool);
    const char *by_time[] = { store->tenant, store->tenant, brski_arg_number(now, scratch_pool),
                              many };
    const char *by_size[] = { store->tenant, store->tenant,
                              brski_arg_number(REFUSALS_KEPT, scratch_pool),
                              brski_arg_number(REFUSAL_OCTETS_KEPT, scratch_pool), many };
    brski_access_t *db = store->access;
    int refusals, surplus, notes;

    *removed = 0;
    BRSKI_TRY(brski_access_exec(&refusals, db, STMT_REFUSAL_EXPIRE, by_time, scratch_pool));
    BRSKI_TRY(brski_access_exec(&surplus, db, STMT_REFUSAL_TRIM, by_size, scratch_pool));
    BRSKI_TRY(brski_access_exec(&notes, db, STMT_FRESH_USE_EXPIRE, by_time, scratch_pool));
    *removed = refusals + surplus + notes;
    return BRSKI_OK;
}
