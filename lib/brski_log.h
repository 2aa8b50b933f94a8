/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_log.h: the sink that the host lends us. The library says what it did at DEBUG, what it ignored at INFO and
 * what somebody should look at at WARNING; a failure is not logged here but returned (brski_err.h), and the host logs
 * it once. The host may wrap a request in a log of its own, so that lines carry the request's id.
 */
#ifndef BRSKI_LOG_H
#define BRSKI_LOG_H

#include "brski.h"

typedef enum brski_log_level_t {
    BRSKI_LOG_WARNING = 4,
    BRSKI_LOG_INFO = 6,
    BRSKI_LOG_DEBUG = 7
} brski_log_level_t;

struct brski_log_t {
    /** Write one line: number is BRSKI1nnn without its prefix (1041) or 0 at DEBUG; text has no line end. */
    void (*write)(void *baton, brski_log_level_t level, int number, const char *text);
    void *baton;
    brski_log_level_t level;      /**< lines above this level are not made */
};

/** Format and write a line; log may be NULL. Client text in arguments has gone through brski_printable(). */
void brski_logf(const brski_log_t *log, brski_log_level_t level, int number, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
