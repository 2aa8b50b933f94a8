/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_counts.h: how much a registrar's records hold, for its status page. Rows are counted up to a bound, so that a
 * page costs the same however many devices there are.
 */
#ifndef BRSKI_RECORDS_COUNTS_H
#define BRSKI_RECORDS_COUNTS_H

#include "brski_records.h"

/** Rows of a table that are looked at. */
#define BRSKI_COUNT_MAX 10000

typedef struct brski_counts_t {
    apr_int64_t pledges;              /**< at most BRSKI_COUNT_MAX */
    int pledges_more;                 /**< nonzero: there are more, and what follows is of the first by key */
    apr_int64_t verdicts[BRSKI_VERDICT_BAD + 1];
    apr_int64_t undecided;            /**< nobody has said whether they are welcome */
    apr_int64_t refused;              /**< by a human */
    apr_int64_t certificates;         /**< as pledges */
    int certificates_more;
    apr_int64_t live;
    apr_int64_t expired;
    apr_int64_t revoked;
} brski_counts_t;

brski_err_t *brski_records_counts(brski_counts_t *counts, brski_records_t *records, apr_time_t now,
                                  apr_pool_t *scratch_pool);

#endif
