/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_pledge.c: devices: when they knocked, what humans decided about them, which voucher
 * they got, what they said of it, and what was made of their audit logs.
 */
#include "brski_records_private.h"

#include <apr_strings.h>
#include <string.h>

/* A device that knocks again and again is noted so often. */
#define SEEN_EVERY apr_time_from_sec(60)
/* A device's history of verdicts is no longer than this: each may hold a log. */
#define VERDICTS_KEPT 100

static const char *const welcomes[] = { "undecided", "allowed", "refused", NULL };
static const char *const verdicts[] = { "none", "pending", "good", "warn", "bad", NULL };

const char *brski_verdict_text(brski_verdict_t verdict)
{
    return verdicts[verdict];
}

/* ---- rows ---- */

/* Columns of STMT_EST_PLEDGE_GET. */
enum {
    P_MANUFACTURER,
    P_SERIAL_NUMBER,
    P_VERSION,
    P_WELCOME,
    P_WELCOME_BY,
    P_ATTESTED,
    P_FIRST_SEEN_AT,
    P_LAST_SEEN_AT,
    P_REQUEST,
    P_VOUCHER_AT,
    P_VOUCHER_STATUS,
    P_VOUCHER_STATUS_AT,
    P_VOUCHER_REASON,
    P_ENROLL_STATUS,
    P_ENROLL_STATUS_AT,
    P_ENROLL_REASON,
    P_VERDICT,
    P_VERDICT_AT,
    P_VERDICT_RULE,
    P_VERDICT_TEXT,
    P_IDEVID_SPKI,
    P_IDEVID,
    P_VOUCHER_SPKI
};

static void read_voucher(brski_pledge_t *p, const brski_row_t *row)
{
    p->request = brski_column_text(row, P_REQUEST);
    p->voucher_at = brski_row_int(row, P_VOUCHER_AT);
    p->voucher_spki = brski_row_text(row, P_VOUCHER_SPKI);
    p->voucher_status = (int)brski_row_int(row, P_VOUCHER_STATUS);
    p->voucher_status_at = brski_row_int(row, P_VOUCHER_STATUS_AT);
    p->voucher_reason = brski_column_text(row, P_VOUCHER_REASON);
    p->enroll_status = (int)brski_row_int(row, P_ENROLL_STATUS);
    p->enroll_status_at = brski_row_int(row, P_ENROLL_STATUS_AT);
    p->enroll_reason = brski_column_text(row, P_ENROLL_REASON);
    p->verdict = (brski_verdict_t)brski_records_word(verdicts, brski_row_text(row, P_VERDICT));
    p->verdict_at = brski_row_int(row, P_VERDICT_AT);
    p->verdict_rule = brski_column_text(row, P_VERDICT_RULE);
    p->verdict_text = brski_column_text(row, P_VERDICT_TEXT);
}

static brski_err_t *read_pledge(brski_pledge_t **pledge, const brski_row_t *row, apr_pool_t *pool)
{
    brski_pledge_t *p = apr_pcalloc(pool, sizeof(*p));

    p->manufacturer = brski_row_text(row, P_MANUFACTURER);
    p->serial_number = brski_row_text(row, P_SERIAL_NUMBER);
    p->version = brski_row_int(row, P_VERSION);
    p->welcome = (brski_welcome_t)brski_records_word(welcomes, brski_row_text(row, P_WELCOME));
    p->welcome_by = brski_column_text(row, P_WELCOME_BY);
    p->attested = (int)brski_row_int(row, P_ATTESTED);
    p->first_seen_at = brski_row_int(row, P_FIRST_SEEN_AT);
    p->last_seen_at = brski_row_int(row, P_LAST_SEEN_AT);
    p->idevid_spki = brski_row_text(row, P_IDEVID_SPKI);
    read_voucher(p, row);
    *pledge = p;
    return brski_column_octets(&p->idevid, row, P_IDEVID, pool);
}

brski_err_t *brski_records_pledge_get(brski_pledge_t **pledge, brski_records_t *records,
                                      const char *manufacturer, const char *serial_number,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, manufacturer,
                           brski_records_key(serial_number, scratch_pool) };
    brski_row_t *row;

    *pledge = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_PLEDGE_GET, args, result_pool,
                               scratch_pool));
    return row ? read_pledge(pledge, row, result_pool) : BRSKI_OK;
}

brski_err_t *brski_records_pledges(apr_array_header_t **pledges, brski_records_t *records,
                                   const char *after_manufacturer, const char *after_serial,
                                   int max, apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, brski_records_key(after_manufacturer, scratch_pool),
                           brski_records_key(after_serial, scratch_pool),
                           brski_arg_number(max, scratch_pool) };
    apr_array_header_t *rows;
    int i;

    *pledges = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_PLEDGE_LIST, args, result_pool,
                               scratch_pool));
    *pledges = apr_array_make(result_pool, rows->nelts, sizeof(brski_pledge_t *));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(read_pledge((brski_pledge_t **)apr_array_push(*pledges),
                              APR_ARRAY_IDX(rows, i, brski_row_t *), result_pool));
    }
    return BRSKI_OK;
}

/* ---- knocking ---- */

/* Most knocks change nothing, and then nothing is written. */
brski_err_t *brski_records_pledge_seen(brski_records_t *records, const char *manufacturer,
                                       const char *serial_number, brski_bytes_t idevid,
                                       const char *idevid_spki, apr_time_t now,
                                       apr_pool_t *scratch_pool)
{
    const char *at = brski_arg_number(now, scratch_pool);
    const char *spki = idevid_spki ? idevid_spki : "";
    const char *args[] = { records->tenant, manufacturer,
                           brski_records_key(serial_number, scratch_pool), at, at, spki, NULL };
    brski_row_t *row;

    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_PLEDGE_SEEN_GET, args, scratch_pool,
                               scratch_pool));
    if (row && brski_row_int(row, 0) > now - SEEN_EVERY
        && strcmp(brski_row_text(row, 1), spki) == 0) {
        return BRSKI_OK;
    }
    args[6] = brski_arg_octets(idevid, scratch_pool);
    return brski_access_exec(NULL, records->access, STMT_EST_PLEDGE_SEEN_PUT, args, scratch_pool);
}

brski_err_t *brski_records_pledge_welcome(brski_records_t *records, const char *manufacturer,
                                          const char *serial_number, brski_welcome_t welcome,
                                          int attested, const char *by, apr_time_t now,
                                          apr_pool_t *scratch_pool)
{
    const char *change = brski_arg_number(attested, scratch_pool);
    const char *args[] = { records->tenant,
                           manufacturer,
                           brski_records_key(serial_number, scratch_pool),
                           welcomes[welcome],
                           brski_arg_clean(by, scratch_pool),
                           brski_arg_number(now, scratch_pool),
                           attested > 0 ? "1" : "0",
                           change,
                           change };

    return brski_access_exec(NULL, records->access, STMT_EST_PLEDGE_WELCOME, args, scratch_pool);
}

/* ---- the voucher and what the device says of it ---- */

static brski_err_t *is_current(int *current, brski_records_t *records, const brski_pledge_t *pledge,
                               const char *request, apr_pool_t *pool)
{
    brski_pledge_t *now;

    BRSKI_TRY(brski_records_pledge_get(&now, records, pledge->manufacturer, pledge->serial_number,
                                       pool, pool));
    *current = now && now->request && strcmp(now->request, request) == 0;
    return BRSKI_OK;
}

brski_err_t *brski_records_pledge_voucher(int *done, brski_records_t *records,
                                          const brski_pledge_t *pledge, const char *request,
                                          brski_verdict_t verdict, apr_time_t now,
                                          apr_pool_t *scratch_pool)
{
    const char *at = brski_arg_number(now, scratch_pool);
    const char *args[] = { request,
                           records->tenant,
                           request,
                           at,
                           verdicts[verdict],
                           at,
                           records->tenant,
                           pledge->manufacturer,
                           brski_records_key(pledge->serial_number, scratch_pool),
                           brski_arg_number(pledge->version, scratch_pool),
                           request };

    *done = 0;
    BRSKI_TRY(brski_access_exec(done, records->access, STMT_EST_PLEDGE_VOUCHER, args,
                                scratch_pool));
    /* Forwarded again, it leaves telemetry and verdict alone. */
    return *done ? BRSKI_OK : is_current(done, records, pledge, request, scratch_pool);
}

brski_err_t *brski_records_pledge_status(int *done, brski_records_t *records,
                                         const char *manufacturer, const char *serial_number,
                                         const char *what, int status, const char *reason,
                                         apr_time_t now, apr_pool_t *scratch_pool)
{
    int stmt = strcmp(what, "enroll") == 0 ? STMT_EST_PLEDGE_ENROLL_STATUS
                                           : STMT_EST_PLEDGE_VOUCHER_STATUS;
    const char *args[] = { brski_arg_number(status, scratch_pool),
                           brski_arg_number(now, scratch_pool),
                           brski_arg_clean(reason, scratch_pool),
                           records->tenant,
                           manufacturer,
                           brski_records_key(serial_number, scratch_pool) };

    *done = 0;
    return brski_access_exec(done, records->access, stmt, args, scratch_pool);
}

/* ---- verdicts ---- */

/* A verdict on its way: the device's key, and what of it the statements ask for. */
typedef struct judgement_t {
    const char *key[3]; /* tenant, manufacturer, serial_number */
    const char *request, *verdict, *rule, *text, *log, *at;
    int current; /* it became the pledge's own */
} judgement_t;

/*
 * The pledge's row is touched first, by its key alone: who forwards the voucher at this moment then
 * has gone before and is seen by what follows, or waits and, finding another version, reads the
 * history again. (PostgreSQL judges a condition on the row as it was when the statement began.)
 */
static brski_err_t *put_verdict(brski_dbd_t *db, void *baton, apr_pool_t *pool)
{
    judgement_t *j = baton;
    const char *own[] = { j->verdict, j->at,     j->rule,   j->text,
                          j->key[0],  j->key[1], j->key[2], j->request };
    const char *kept[] = { j->key[0],  j->key[1], j->key[2], j->at, j->request,
                           j->verdict, j->rule,   j->text,   j->log };
    const char *trimmed[] = { j->key[0], j->key[1], j->key[2], j->key[0],
                              j->key[1], j->key[2], brski_arg_number(VERDICTS_KEPT, pool) };

    BRSKI_TRY(brski_dbd_exec(NULL, db, STMT_EST_PLEDGE_TOUCH, j->key, pool));
    BRSKI_TRY(brski_dbd_exec(&j->current, db, STMT_EST_PLEDGE_VERDICT, own, pool));
    BRSKI_TRY(brski_dbd_exec(NULL, db, STMT_EST_VERDICT_PUT, kept, pool));
    return brski_dbd_exec(NULL, db, STMT_EST_VERDICT_TRIM, trimmed, pool);
}

brski_err_t *brski_records_verdict_put(int *done, brski_records_t *records,
                                       const char *manufacturer, const char *serial_number,
                                       const char *request, brski_verdict_t verdict,
                                       const char *rule, const char *text, brski_bytes_t log,
                                       apr_time_t now, apr_pool_t *scratch_pool)
{
    judgement_t j = { { records->tenant, manufacturer,
                        brski_records_key(serial_number, scratch_pool) },
                      request,
                      verdicts[verdict],
                      brski_arg_clean(rule, scratch_pool),
                      brski_arg_clean(text, scratch_pool),
                      brski_arg_octets(log, scratch_pool),
                      brski_arg_number(now, scratch_pool),
                      0 };

    *done = 0;
    BRSKI_TRY(brski_access_together(records->access, put_verdict, &j, scratch_pool));
    *done = j.current;
    return BRSKI_OK;
}

static brski_err_t *read_judged(brski_judged_t **judged, const brski_row_t *row, apr_pool_t *pool)
{
    enum { REQUEST, VERDICT, RULE, TEXT, LOG, AT };
    brski_judged_t *j = apr_palloc(pool, sizeof(*j));

    j->request = brski_row_text(row, REQUEST);
    j->verdict = (brski_verdict_t)brski_records_word(verdicts, brski_row_text(row, VERDICT));
    j->rule = brski_column_text(row, RULE);
    j->text = brski_column_text(row, TEXT);
    j->at = brski_row_int(row, AT);
    *judged = j;
    return brski_column_octets(&j->log, row, LOG, pool);
}

brski_err_t *brski_records_verdicts(apr_array_header_t **list, brski_records_t *records,
                                    const char *manufacturer, const char *serial_number,
                                    apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, manufacturer,
                           brski_records_key(serial_number, scratch_pool) };
    apr_array_header_t *rows;
    int i;

    *list = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_VERDICT_LIST, args, result_pool,
                               scratch_pool));
    *list = apr_array_make(result_pool, rows->nelts, sizeof(brski_judged_t *));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(read_judged((brski_judged_t **)apr_array_push(*list),
                              APR_ARRAY_IDX(rows, i, brski_row_t *), result_pool));
    }
    return BRSKI_OK;
}
