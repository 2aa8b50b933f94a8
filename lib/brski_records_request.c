/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_request.c: pledges' voucher-requests and the work on them. Work is leased: a row is
 * taken, or was made, by somebody until a time, and only who still holds that very lease writes
 * back.
 */
#include "brski_records_private.h"

#include <apr_strings.h>
#include <string.h>

/* How many rows one call removes: a short transaction. */
#define EXPIRE_AT_ONCE 500

static const char *const tasks[] = { "none",    "voucher", "audit", "telemetry",
                                     "recheck", "human",   NULL };

/* ---- rows ---- */

/* Columns of STMT_EST_REQUEST_GET. */
enum {
    R_ID,
    R_MANUFACTURER,
    R_SERIAL_NUMBER,
    R_IDEVID_SPKI,
    R_NONCE,
    R_ACCEPT,
    R_MASA_URL,
    R_CREATED_AT,
    R_TASK,
    R_NEXT_AT,
    R_ATTEMPTS,
    R_LEASE_BY,
    R_LEASE_UNTIL,
    R_NUMBER,
    R_STATUS,
    R_TEXT,
    R_DETAIL,
    R_VOUCHER_TYPE,
    R_ANSWERED_AT,
    R_PVR,
    R_RVR,
    R_VOUCHER
};

static void read_asked(brski_request_t *r, const brski_row_t *row)
{
    r->id = brski_row_text(row, R_ID);
    r->manufacturer = brski_row_text(row, R_MANUFACTURER);
    r->serial_number = brski_row_text(row, R_SERIAL_NUMBER);
    r->idevid_spki = brski_row_text(row, R_IDEVID_SPKI);
    r->nonce = brski_row_null(row, R_NONCE) ? NULL : brski_row_text(row, R_NONCE);
    r->accept = brski_column_text(row, R_ACCEPT);
    r->masa_url = brski_column_text(row, R_MASA_URL);
    r->created_at = brski_row_int(row, R_CREATED_AT);
}

static void read_work(brski_request_t *r, const brski_row_t *row)
{
    r->task = (brski_task_t)brski_records_word(tasks, brski_row_text(row, R_TASK));
    r->next_at = brski_row_int(row, R_NEXT_AT);
    r->attempts = (int)brski_row_int(row, R_ATTEMPTS);
    r->lease_by = brski_column_text(row, R_LEASE_BY);
    r->lease_until = brski_row_int(row, R_LEASE_UNTIL);
    r->number = (int)brski_row_int(row, R_NUMBER);
    r->status = (int)brski_row_int(row, R_STATUS);
    r->text = brski_column_text(row, R_TEXT);
    r->detail = brski_column_text(row, R_DETAIL);
    r->voucher_type = brski_column_text(row, R_VOUCHER_TYPE);
    r->answered_at = brski_row_int(row, R_ANSWERED_AT);
}

brski_err_t *brski_records_request_row(brski_request_t **request, const brski_row_t *row,
                                       apr_pool_t *pool)
{
    brski_request_t *r = apr_pcalloc(pool, sizeof(*r));

    read_asked(r, row);
    read_work(r, row);
    BRSKI_TRY(brski_column_octets(&r->pvr, row, R_PVR, pool));
    BRSKI_TRY(brski_column_octets(&r->rvr, row, R_RVR, pool));
    BRSKI_TRY(brski_column_octets(&r->voucher, row, R_VOUCHER, pool));
    *request = r;
    return BRSKI_OK;
}

brski_err_t *brski_records_request_get(brski_request_t **request, brski_records_t *records,
                                       const char *id, apr_pool_t *result_pool,
                                       apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, id };
    brski_row_t *row;

    *request = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_REQUEST_GET, args, result_pool,
                               scratch_pool));
    return row ? brski_records_request_row(request, row, result_pool) : BRSKI_OK;
}

brski_err_t *brski_records_request_count(int *count, brski_records_t *records,
                                         const char *manufacturer, const char *serial_number,
                                         apr_time_t since, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, manufacturer,
                           brski_records_key(serial_number, scratch_pool),
                           brski_arg_number(since, scratch_pool) };
    brski_row_t *row;

    *count = 0;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_REQUEST_COUNT, args, scratch_pool,
                               scratch_pool));
    *count = row ? (int)brski_row_int(row, 0) : 0;
    return BRSKI_OK;
}

/* ---- leases ---- */

brski_err_t *brski_records_request_put(int *put, brski_records_t *records,
                                       const brski_request_t *request, const char *by,
                                       apr_time_t lease_until, apr_pool_t *scratch_pool)
{
    const char *created_at = brski_arg_number(request->created_at, scratch_pool);
    const char *args[] = { records->tenant,
                           request->id,
                           request->manufacturer,
                           brski_records_key(request->serial_number, scratch_pool),
                           brski_records_key(request->idevid_spki, scratch_pool),
                           brski_arg_clean(request->nonce, scratch_pool),
                           brski_arg_clean(request->accept, scratch_pool),
                           brski_arg_clean(request->masa_url, scratch_pool),
                           created_at,
                           created_at,
                           by,
                           brski_arg_number(lease_until, scratch_pool),
                           brski_arg_octets(request->pvr, scratch_pool),
                           brski_arg_octets(request->rvr, scratch_pool) };

    *put = 0;
    return brski_access_exec(put, records->access, STMT_EST_REQUEST_PUT, args, scratch_pool);
}

/* A row that tells when the oldest work became due that nobody holds; NULL when there is none. */
static brski_err_t *oldest_due(brski_row_t **row, brski_records_t *records, const char *now,
                               apr_pool_t *pool)
{
    const char *args[] = { records->tenant, now, now };

    return brski_access_one(row, records->access, STMT_EST_WORK_DUE, args, pool, pool);
}

/* Mostly there is nothing to do, and then nobody's writes wait for this one. */
brski_err_t *brski_records_request_take(brski_request_t **request, brski_records_t *records,
                                        const char *by, apr_time_t now, apr_time_t lease_until,
                                        apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *at = brski_arg_number(now, scratch_pool);
    const char *args[] = {
        by, brski_arg_number(lease_until, scratch_pool), records->tenant, records->tenant, at, at
    };
    brski_row_t *row;

    *request = NULL;
    BRSKI_TRY(oldest_due(&row, records, at, scratch_pool));
    if (!row) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_access_change(&row, records->access, STMT_EST_REQUEST_TAKE, args, result_pool,
                                  scratch_pool));
    return row ? brski_records_request_row(request, row, result_pool) : BRSKI_OK;
}

brski_err_t *brski_records_request_done(int *done, brski_records_t *records,
                                        const brski_request_t *r, const char *by,
                                        apr_pool_t *scratch_pool)
{
    const char *next_at = brski_arg_number(r->next_at, scratch_pool);
    const char *args[] = { tasks[r->task],
                           next_at,
                           next_at,
                           brski_arg_number(r->attempts, scratch_pool),
                           brski_arg_number(r->number, scratch_pool),
                           brski_arg_number(r->status, scratch_pool),
                           brski_arg_clean(r->text, scratch_pool),
                           brski_arg_clean(r->detail, scratch_pool),
                           brski_arg_octets(r->voucher, scratch_pool),
                           brski_arg_clean(r->voucher_type, scratch_pool),
                           brski_arg_number(r->answered_at, scratch_pool),
                           records->tenant,
                           r->id,
                           by,
                           brski_arg_number(r->lease_until, scratch_pool) };

    *done = 0;
    return brski_access_exec(done, records->access, STMT_EST_REQUEST_DONE, args, scratch_pool);
}

brski_err_t *brski_records_request_release(int *released, brski_records_t *records, const char *by,
                                           apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *at = brski_arg_number(now, scratch_pool);
    const char *args[] = { records->tenant, at, by, at };

    *released = 0;
    return brski_access_exec(released, records->access, STMT_EST_REQUEST_RELEASE, args,
                             scratch_pool);
}

/* Who is to be woken: all devices of a manufacturer. */
typedef struct wake_t {
    const char *tenant, *manufacturer, *at;
    int worked, parked;
} wake_t;

/* In this order: work that parks a row between the two is found by the second. */
static brski_err_t *wake_all(brski_dbd_t *db, void *baton, apr_pool_t *pool)
{
    wake_t *w = baton;
    const char *worked[] = { w->at, w->tenant, w->at, w->at, w->manufacturer };
    const char *parked[] = { w->at, w->at, w->at, w->tenant, w->manufacturer };

    BRSKI_TRY(brski_dbd_exec(&w->worked, db, STMT_EST_REQUEST_WAKE_WORKED, worked, pool));
    return brski_dbd_exec(&w->parked, db, STMT_EST_REQUEST_WAKE_PARKED, parked, pool);
}

brski_err_t *brski_records_request_wake(int *woken, brski_records_t *records,
                                        const char *manufacturer, const char *serial_number,
                                        apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *at = brski_arg_number(now, scratch_pool);
    const char *device[] = {
        at, at, at, records->tenant, manufacturer, brski_records_key(serial_number, scratch_pool),
        at
    };
    wake_t all = { records->tenant, manufacturer, at, 0, 0 };

    *woken = 0;
    if (serial_number) {
        return brski_access_exec(woken, records->access, STMT_EST_REQUEST_WAKE_DEVICE, device,
                                 scratch_pool);
    }
    BRSKI_TRY(brski_access_together(records->access, wake_all, &all, scratch_pool));
    *woken = all.worked + all.parked;
    return BRSKI_OK;
}

brski_err_t *brski_records_request_expire(int *removed, brski_records_t *records,
                                          apr_time_t created_before, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, records->tenant,
                           brski_arg_number(created_before, scratch_pool),
                           brski_arg_number(EXPIRE_AT_ONCE, scratch_pool) };

    *removed = 0;
    return brski_access_exec(removed, records->access, STMT_EST_REQUEST_EXPIRE, args,
                             scratch_pool);
}

/* ---- how much there is to do ---- */

brski_err_t *brski_records_work(brski_work_t *work, brski_records_t *records, apr_time_t now,
                                apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant };
    apr_array_header_t *rows;
    brski_row_t *due;
    int i;

    memset(work, 0, sizeof(*work));
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_WORK_COUNT, args, scratch_pool,
                               scratch_pool));
    for (i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);

        work->waiting[brski_records_word(tasks, brski_row_text(row, 0))] = brski_row_int(row, 1);
    }
    BRSKI_TRY(oldest_due(&due, records, brski_arg_number(now, scratch_pool), scratch_pool));
    work->oldest_due_at = due ? brski_row_int(due, 0) : 0;
    return BRSKI_OK;
}
