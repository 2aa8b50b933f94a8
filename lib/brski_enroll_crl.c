/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll_crl.c: the CRL of a label's CA (RFC 5280 5), made when somebody asks and the last
 * one is stale. Of front ends that make one at once, one's number counts and the others read that
 * CRL.
 */
#include "brski_enroll.h"

#include "brski_err.h"

#define LIFE apr_time_from_sec(86400)
/* Clients' clocks may be a little behind. */
#define MARGIN apr_time_from_sec(10)
#define TRIES 4

static int is_fresh(const brski_crl_row_t *row, apr_time_t now)
{
    return row->number && row->revocations == row->revocations_now
           && now < row->this_update + (row->next_update - row->this_update) / 2;
}

static brski_err_t *make(int *put, const brski_crl_row_t *last, const brski_est_t *est,
                         const brski_label_t *label, apr_time_t now, apr_pool_t *scratch_pool)
{
    brski_crl_row_t row = { .ca = label->ca->key_id,
                            .number = last->number + 1,
                            .revocations = last->revocations_now,
                            .this_update = now - MARGIN,
                            .next_update = now + LIFE };
    apr_array_header_t *revoked;

    row.this_update -= row.this_update % APR_USEC_PER_SEC;
    BRSKI_TRY(brski_records_certificate_revoked(&revoked, est->registrar->records, row.ca, now,
                                                scratch_pool, scratch_pool));
    BRSKI_TRY(label->ca->kind->crl(&row.der, label->ca, revoked, row.number, row.this_update,
                                   row.next_update, scratch_pool, scratch_pool));
    return brski_records_crl_put(put, est->registrar->records, &row, scratch_pool);
}

/* The one just made is the newest there is, also when a revocation of this moment makes the next
 * one due. */
brski_err_t *brski_enroll_crl(brski_crl_row_t **crl, const brski_est_t *est,
                              const brski_label_t *label, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool)
{
    apr_time_t now = est->ctx->now(est->ctx->baton);
    int tries, put = 0;

    *crl = NULL;
    if (!label->ca->kind->crl) {
        return brski_err_say(brski_err(BRSKI_E_OPERATION, NULL, result_pool, "a CA without CRL"),
                             result_pool, "The CRL of this CA is not to be had here.");
    }
    for (tries = 0; tries < TRIES; tries++) {
        BRSKI_TRY(brski_records_crl_get(crl, est->registrar->records, label->ca->key_id,
                                        result_pool, scratch_pool));
        if (put || is_fresh(*crl, now)) {
            return BRSKI_OK;
        }
        BRSKI_TRY(make(&put, *crl, est, label, now, scratch_pool));
    }
    return (*crl)->number ? BRSKI_OK
                          : brski_err(BRSKI_E_RACE, NULL, result_pool, "CRL moved %d times", TRIES);
}
