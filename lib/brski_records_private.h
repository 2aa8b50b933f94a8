/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_private.h: what the files of the records share and nobody else sees: the records
 * themselves, and words of the tables.
 */
#ifndef BRSKI_RECORDS_PRIVATE_H
#define BRSKI_RECORDS_PRIVATE_H

#include "brski_access.h"
#include "brski_err.h"
#include "brski_est_statements.h"
#include "brski_records.h"

struct brski_records_t {
    const char *tenant;
    brski_access_t *access;
};

/** The number of a word in a list that ends with NULL; 0, its first, for an unknown one. */
int brski_records_word(const char *const *words, const char *word);

/** A key that a stranger may have chosen: as brski_arg_clean(), "" for NULL. */
const char *brski_records_key(const char *text, apr_pool_t *pool);

/** A row of STMT_EST_REQUEST_GET. */
brski_err_t *brski_records_request_row(brski_request_t **request, const brski_row_t *row, apr_pool_t *pool);

#endif
