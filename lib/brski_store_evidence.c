/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_evidence.c: what is kept beside the chain and goes away again: refused requests, who
 * asked for an event's voucher, and fresh requests that have opened a log.
 */
#include "brski_store_private.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

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

/* NULL for no octets. */
static const char *base64_or_null(brski_bytes_t b, apr_pool_t *pool)
{
    return b.len ? brski_base64_encode(b, pool) : NULL;
}

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
                           brski_store_clean(r->request_id, pool),
                           brski_store_number(r->at, pool),
                           brski_store_number(r->at + retention, pool),
                           brski_store_clean(r->operation, pool),
                           brski_store_number(r->number, pool),
                           brski_store_number(r->status, pool),
                           brski_store_clean(r->public_text, pool),
                           brski_store_clean(r->detail, pool),
                           brski_store_clean(r->serial_number, pool),
                           brski_store_clean(r->address, pool),
                           brski_store_clean(r->content_type, pool),
                           brski_store_clean(r->accept, pool),
                           brski_store_clean(r->user, pool),
                           base64_or_null(r->client_cert, pool),
                           base64_or_null(r->client_chain, pool),
                           base64_or_null(r->request, pool),
                           NULL };

    args[OCTETS] = brski_store_number((apr_int64_t)octets_of(args, OCTETS), pool);
    return brski_dbd_exec(NULL, db, STMT_REFUSAL_PUT, args, pool);
}

static brski_err_t *put_refusals(brski_dbd_t *db, const char *tenant,
                                 const apr_array_header_t *refusals, apr_interval_time_t retention,
                                 apr_pool_t *pool)
{
    apr_pool_t *each;
    brski_err_t *err = BRSKI_OK;
    int i;

    apr_pool_create(&each, pool);
    for (i = 0; i < refusals->nelts && !err; i++) {
        apr_pool_clear(each);
        err = put_refusal(db, tenant, APR_ARRAY_IDX(refusals, i, const brski_refusal_t *),
                          retention, each);
    }
    /* The error of the last one is in its pool, which dies with the caller's. */
    return err;
}

/* Begin, and end by the outcome. */
static brski_err_t *end_transaction(brski_dbd_t *db, brski_err_t *err, apr_pool_t *pool)
{
    if (err) {
        brski_dbd_rollback(db, pool);
        return err;
    }
    return brski_dbd_commit(db, pool);
}

brski_err_t *brski_store_refusals_put(brski_store_t *store, const apr_array_header_t *refusals,
                                      apr_interval_time_t retention, apr_pool_t *scratch_pool)
{
    brski_visit_t visit;
    brski_err_t *err;

    BRSKI_TRY(brski_visit_begin(&visit, store, 1, scratch_pool));
    err = brski_dbd_begin(visit.db, scratch_pool);
    if (!err) {
        err = put_refusals(visit.db, store->tenant, refusals, retention, scratch_pool);
        err = end_transaction(visit.db, err, scratch_pool);
    }
    brski_visit_end(&visit);
    return err;
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
    BRSKI_TRY(brski_store_one(&row, store, STMT_REFUSAL_GET, args, result_pool, scratch_pool));
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

static brski_err_t *put_peers(brski_dbd_t *db, const char *tenant, const apr_array_header_t *peers,
                              apr_pool_t *pool)
{
    int i;

    for (i = 0; i < peers->nelts; i++) {
        const brski_peer_t *p = APR_ARRAY_IDX(peers, i, const brski_peer_t *);
        const char *args[] = { tenant, p->request_id, brski_store_clean(p->address, pool),
                               brski_store_clean(p->tls_subject, pool) };

        BRSKI_TRY(brski_dbd_exec(NULL, db, STMT_EVENT_PEER_PUT, args, pool));
    }
    return BRSKI_OK;
}

brski_err_t *brski_store_peers_put(brski_store_t *store, const apr_array_header_t *peers,
                                   apr_pool_t *scratch_pool)
{
    brski_visit_t visit;
    brski_err_t *err;

    BRSKI_TRY(brski_visit_begin(&visit, store, 1, scratch_pool));
    err = brski_dbd_begin(visit.db, scratch_pool);
    if (!err) {
        err = put_peers(visit.db, store->tenant, peers, scratch_pool);
        err = end_transaction(visit.db, err, scratch_pool);
    }
    brski_visit_end(&visit);
    return err;
}

/* ---- fresh use ---- */

static brski_err_t *was_mine(int *mine, brski_store_t *store, const char *request_hash,
                             const char *tls_spki, apr_pool_t *pool)
{
    const char *args[] = { store->tenant, request_hash };
    brski_row_t *row;

    BRSKI_TRY(brski_store_one(&row, store, STMT_FRESH_USE_GET, args, pool, pool));
    /* Two requesters without a key are not known to be one. */
    *mine = row && *tls_spki && strcmp(brski_row_text(row, 0), tls_spki) == 0;
    return BRSKI_OK;
}

brski_err_t *brski_store_fresh_use(int *first, brski_store_t *store, const char *request_hash,
                                   const char *tls_spki, apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *key = tls_spki ? tls_spki : "";
    const char *args[] = { store->tenant, request_hash, key, brski_store_number(now, scratch_pool),
                           brski_store_number(now + FRESH_USE_KEPT, scratch_pool) };

    *first = 0;
    BRSKI_TRY(brski_store_exec(first, store, STMT_FRESH_USE_PUT, args, scratch_pool));
    if (*first) {
        return BRSKI_OK;
    }
    return was_mine(first, store, request_hash, key, scratch_pool);
}

/* ---- expiry ---- */

brski_err_t *brski_store_expire(int *removed, brski_store_t *store, apr_time_t now,
                                apr_pool_t *scratch_pool)
{
    const char *many = brski_store_number(EXPIRE_AT_ONCE, scratch_pool);
    const char *by_time[] = { store->tenant, store->tenant, brski_store_number(now, scratch_pool),
                              many };
    const char *by_size[] = { store->tenant, store->tenant,
                              brski_store_number(REFUSALS_KEPT, scratch_pool),
                              brski_store_number(REFUSAL_OCTETS_KEPT, scratch_pool), many };
    int refusals, surplus, notes;

    *removed = 0;
    BRSKI_TRY(brski_store_exec(&refusals, store, STMT_REFUSAL_EXPIRE, by_time, scratch_pool));
    BRSKI_TRY(brski_store_exec(&surplus, store, STMT_REFUSAL_TRIM, by_size, scratch_pool));
    BRSKI_TRY(brski_store_exec(&notes, store, STMT_FRESH_USE_EXPIRE, by_time, scratch_pool));
    *removed = refusals + surplus + notes;
    return BRSKI_OK;
}
