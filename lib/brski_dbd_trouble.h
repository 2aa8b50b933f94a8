/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_dbd_trouble.h: what a database means by an error text. APR DBD hands over no code that two
 * drivers share, so the text decides: SQLSTATE on PostgreSQL, SQLite's fixed English sentences.
 */
#ifndef BRSKI_DBD_TROUBLE_H
#define BRSKI_DBD_TROUBLE_H

#include "brski_dbd.h"
#include "brski_err.h"

typedef enum brski_trouble_t {
    BRSKI_TROUBLE_OTHER = 0,
    BRSKI_TROUBLE_DEAD,               /**< the connection is gone: whether the statement ran is unknown */
    BRSKI_TROUBLE_FORGOTTEN,          /**< the prepared statement is no more: it did not run */
    BRSKI_TROUBLE_PREPARED,           /**< a statement of this name is prepared already */
    BRSKI_TROUBLE_LOCKED,             /**< locked, cancelled, out of connections: it did not run */
    BRSKI_TROUBLE_READONLY,           /**< read-only, full, or the disk fails */
    BRSKI_TROUBLE_SCHEMA,             /**< a table or column is missing */
    BRSKI_TROUBLE_DATA                /**< the values are not such as the database keeps: ours to mend */
} brski_trouble_t;

/** @param text  of apr_dbd_error(); may be NULL */
brski_trouble_t brski_dbd_trouble(brski_dialect_t dialect, const char *text);

/** The code that a caller of brski_dbd.h gets for it. */
brski_err_code_t brski_dbd_trouble_code(brski_trouble_t trouble);

/**
 * The text made fit for a log: on one line, without the place in PostgreSQL's source, and without
 * connection parameters, which may hold a password.
 */
const char *brski_dbd_trouble_text(const char *text, apr_pool_t *pool);

#endif
