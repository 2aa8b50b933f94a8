/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h: reading CSV strictly (RFC 4180) and in flat memory. Records end with LF or CRLF; a field may be quoted, with
 * quotes doubled inside and line ends kept; a byte order mark and empty lines are skipped. What is not CSV is told with
 * the line it began on, and reading goes on at a following line, so that one pass finds every bad line.
 */
#ifndef TOOLS_CSV_H
#define TOOLS_CSV_H

#include <apr_pools.h>
#include <stdio.h>

#define CSV_FIELDS_MAX 64
#define CSV_RECORD_MAX 65536          /* octets of one record */

typedef struct csv_t csv_t;

typedef struct csv_record_t {
    apr_int64_t line;                 /**< where it began, from 1 */
    apr_int64_t last;                 /**< its last line: more than line when a quoted field holds line ends */
    const char *bad;                  /**< NULL, or what is wrong; then there are no fields */
    int count;
    char *fields[CSV_FIELDS_MAX];     /**< NUL-terminated, without quotes; valid until the next call */
} csv_record_t;

/** Read from a file that the caller opened and closes. */
csv_t *csv_make(FILE *in, apr_pool_t *pool);

/** Let see() have every octet once, as it is read: for a hash of the whole file. */
void csv_watch(csv_t *csv, void (*see)(void *baton, const void *data, apr_size_t len), void *baton);

/** The next record. @return 1; 0 at the end; -1 when the file could not be read (errno tells why) */
int csv_next(csv_t *csv, csv_record_t *record);

/** Octets consumed: for progress. */
apr_int64_t csv_offset(const csv_t *csv);

#endif
