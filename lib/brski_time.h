/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_time.h: RFC 3339 date-time as vouchers and audit logs write it, and durations as administrators write them.
 */
#ifndef BRSKI_TIME_H
#define BRSKI_TIME_H

#include "brski.h"

/** "2021-04-13T21:43:24Z", UTC, whole seconds (fractions are cut off). */
char *brski_time_rfc3339(apr_time_t t, apr_pool_t *pool);

/**
 * Read RFC 3339 with T (or t), Z or a numeric offset, and an optional fraction.
 * @return NULL, or BRSKI_E_TIME for anything else, impossible dates included
 */
brski_err_t *brski_time_parse(apr_time_t *t, const char *text, apr_pool_t *pool);

/**
 * Read a duration: digits and one of s, min, h, d, y (365 d); "0" needs no unit.
 * @return NULL, or BRSKI_E_TIME saying what would be right; overflow is an error
 */
brski_err_t *brski_duration_parse(apr_interval_time_t *d, const char *text, apr_pool_t *pool);

/** "20min", "3d": the largest unit that divides it, for snapshots and messages. */
char *brski_duration_text(apr_interval_time_t d, apr_pool_t *pool);

#endif
