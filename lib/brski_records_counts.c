/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_counts.c: counts rows up to a bound, as brski_records_counts.h says.
 */
#include "brski_records_counts.h"

#include <string.h>

#include "brski_records_private.h"

static void add_pledges(brski_counts_t *counts, const char *welcome, const char *verdict,
                        apr_int64_t n)
{
    int v;

    for (v = BRSKI_VERDICT_NONE; v <= BRSKI_VERDICT_BAD; v++) {
        if (!strcmp(brski_verdict_text((brski_verdict_t)v), verdict)) {
            counts->verdicts[v] += n;
        }
    }
    counts->pledges += n;
    counts->undecided += strcmp(welcome, "undecided") ? 0 : n;
    counts->refused += strcmp(welcome, "refused") ? 0 : n;
}

static brski_err_t *count_pledges(brski_counts_t *counts, brski_records_t *records,
                                  apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, brski_arg_number(BRSKI_COUNT_MAX, scratch_pool) };
    apr_array_header_t *rows;
    int i;

    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_PLEDGE_COUNT, args, scratch_pool,
                               scratch_pool));
    for (i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);

        add_pledges(counts, brski_row_text(row, 0), brski_row_text(row, 1), brski_row_int(row, 2));
    }
    counts->pledges_more = counts->pledges >= BRSKI_COUNT_MAX;
    return BRSKI_OK;
}

static brski_err_t *count_certificates(brski_counts_t *counts, brski_records_t *records,
                                       apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *args[] = { brski_arg_number(now, scratch_pool), records->tenant,
                           brski_arg_number(BRSKI_COUNT_MAX, scratch_pool) };
    apr_array_header_t *rows;
    int i;

    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_CERTIFICATE_COUNT, args,
                               scratch_pool, scratch_pool));
    for (i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        const char *state = brski_row_text(row, 0);
        apr_int64_t *sum = !strcmp(state, "live") ? &counts->live
                           : !strcmp(state, "expired") ? &counts->expired : &counts->revoked;

        *sum += brski_row_int(row, 1);
        counts->certificates += brski_row_int(row, 1);
    }
    counts->certificates_more = counts->certificates >= BRSKI_COUNT_MAX;
    return BRSKI_OK;
}

brski_err_t *brski_records_counts(brski_counts_t *counts, brski_records_t *records, apr_time_t now,
                                  apr_pool_t *scratch_pool)
{
    memset(counts, 0, sizeof(*counts));
    BRSKI_TRY(count_pledges(counts, records, scratch_pool));
    return count_certificates(counts, records, now, scratch_pool);
}
