/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_err.h: the error. Functions that can fail return brski_err_t *, NULL for fine; results come through the first
 * parameters, set to NULL first. An error is allocated in the pool it was made with and needs no freeing. Code, status,
 * section, log number and public text come from brski_err_codes.h; detail is for the log alone and never leaves the server.
 * "No such device" is an answer, not an error, where a caller may go on without it.
 */
#ifndef BRSKI_ERR_H
#define BRSKI_ERR_H

#include "brski.h"

typedef enum brski_err_code_t {
#define BRSKI_ERR(name, number, status, level, section, text) BRSKI_E_##name = number,
#include "brski_err_codes.h"
#undef BRSKI_ERR
    BRSKI_E_NONE = 0
} brski_err_code_t;

struct brski_err_t {
    brski_err_code_t code;
    int status;                   /**< HTTP status */
    char level;                   /**< 'I', 'W' or 'E' */
    const char *name;             /**< "NONCE" */
    const char *section;          /**< "5.5.6": RFC 8995 unless it starts with another RFC's number, as "8366-5.4" */
    const char *public_text;      /**< one sentence for the client, UTF-8, without client bytes that are not escaped */
    const char *detail;           /**< for our log; may be NULL */
    const char *file;             /**< where it was made */
    int line;
    const brski_err_t *prev;      /**< what it was caused by, or NULL */
};

#define BRSKI_OK ((brski_err_t *)0)

/** Return early with the error of expr, if there is one. */
#define BRSKI_TRY(expr) \
    do { brski_err_t *brski_try_ = (expr); if (brski_try_) return brski_try_; } while (0)

/** Make an error with a detail for the log (printf format; NULL for none). */
#define brski_err(code, prev, pool, ...) brski_err_make(code, prev, pool, __FILE__, __LINE__, __VA_ARGS__)

/** As brski_err(), with OpenSSL's error queue drained into the detail. */
#define brski_err_openssl(code, prev, pool, ...) \
    brski_err_make_openssl(code, prev, pool, __FILE__, __LINE__, __VA_ARGS__)

brski_err_t *brski_err_make(brski_err_code_t code, const brski_err_t *prev, apr_pool_t *pool, const char *file,
                            int line, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
brski_err_t *brski_err_make_openssl(brski_err_code_t code, const brski_err_t *prev, apr_pool_t *pool,
                                    const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/** Replace the public text by a more telling sentence (client text in it escaped). Returns err. */
brski_err_t *brski_err_say(brski_err_t *err, apr_pool_t *pool, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** The whole chain on one line for a log: "NONCE 5.5.6: detail (file:line) <- ...". */
const char *brski_err_text(const brski_err_t *err, apr_pool_t *pool);

/** Nonzero when err or one it was caused by has this code. NULL has none. */
int brski_err_is(const brski_err_t *err, brski_err_code_t code);

/** The row of a code, for `masactl explain` and the docs' check: name, section, text; NULL for an unknown number. */
const brski_err_t *brski_err_row(int number);

#endif
