/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h: where the validated lines of a list wait. They are sorted by device in bounded memory (runs in an unlinked
 * temporary file, merged), so that a device that stands twice is found, the database sees its keys in order, and
 * nothing reaches it before the whole list was judged. One thread; dies with its pool.
 */
#ifndef MASACTL_STAGE_H
#define MASACTL_STAGE_H

#include "brski.h"
#include "brski_err.h"

/** Columns of a device list, in the order of device's columns. The first two are the key. */
typedef enum stage_column_t {
    STAGE_SERIAL_NUMBER,
    STAGE_PRODUCT,
    STAGE_CUSTOMER,
    STAGE_SIGNER,
    STAGE_IDEVID_ISSUER,
    STAGE_STATUS,
    STAGE_MADE_AT,
    STAGE_SOLD_AT,
    STAGE_AS_OF,
    STAGE_COLUMNS
} stage_column_t;

typedef struct stage_row_t {
    apr_int64_t line;                     /**< where it stood in the list */
    const char *fields[STAGE_COLUMNS];    /**< NULL: the list has no such column */
} stage_row_t;

typedef struct stage_t stage_t;

/**
 * @param memory  octets that sorting may take; more goes to a file
 * @param dir     where that file is made; NULL: the system's directory for temporary files
 */
brski_err_t *stage_make(stage_t **out, apr_size_t memory, const char *dir, apr_pool_t *pool);

/** Copy a row. */
brski_err_t *stage_put(stage_t *stage, const stage_row_t *row);

/** Begin reading, in order of (serial number, product, line); again for every pass. Nothing may be put after. */
brski_err_t *stage_rewind(stage_t *stage);

/** The next row; *more is 0 at the end. What row points to holds until the next call. */
brski_err_t *stage_next(int *more, stage_row_t *row, stage_t *stage);

apr_int64_t stage_count(const stage_t *stage);

#endif
