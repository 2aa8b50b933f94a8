/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h: is a line of a device list right? Each value is checked and brought into the form that the records keep.
 * What only looks odd (a product that no server serves, a customer that is not known) is counted and told at the end.
 */
#ifndef MASACTL_JUDGE_H
#define MASACTL_JUDGE_H

#include "../common/csv.h"
#include "db.h"
#include "stage.h"

typedef struct judge_t judge_t;

/** @param as_of  what a list without that column speaks of */
brski_err_t *judge_make(judge_t **out, db_t *db, apr_time_t as_of, apr_pool_t *pool);

/** The header line: which column is where. @return NULL, or BRSKI_E_INPUT naming the column */
brski_err_t *judge_header(judge_t *judge, const csv_record_t *header);

/**
 * One line.
 * @param reason  NULL when it is good, else what is wrong, in scratch_pool
 * @param row     its values as they are kept, in scratch_pool or in the record
 */
void judge_line(const char **reason, stage_row_t *row, judge_t *judge, const csv_record_t *record,
                apr_pool_t *scratch_pool);

/** What looked odd, const char * each, with how many lines. */
apr_array_header_t *judge_oddities(judge_t *judge, apr_pool_t *pool);

/**
 * idevid_issuer in any form that people have (hex or base64 of key identifier or extension, "name:DN") as records
 * keep it: lower-case hex of the key identifier, or "name:DN"; NULL when it is none.
 */
const char *judge_idevid_issuer(const char *text, apr_pool_t *pool);

#endif
