/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h: what the library's unit tests share beyond TAP: a pool, a context whose clock stands
 * still and whose randomness repeats, files, the vectors, and tests of an error. What goes wrong
 * here ends the program (bail_out), so that a test reads as if nothing could.
 */
#ifndef UNIT_H
#define UNIT_H

#include "brski.h"
#include "brski_err.h"
#include "tap.h"

/** First call of main(): starts APR and OpenSSL's part of it; the pool lives until exit. */
apr_pool_t *unit_start(void);

/** A time as it is written: "2021-04-13T21:43:24Z". */
apr_time_t unit_time(const char *rfc3339);

/**
 * A context whose clock stands at now and whose randomness is the same in every run; each call of
 * random() gives other octets. Its log goes to TAP remarks when UNIT_LOG is set.
 */
brski_ctx_t *unit_ctx(apr_time_t now, apr_pool_t *pool);

/** Move the clock of a context made by unit_ctx(). */
void unit_ctx_set_now(brski_ctx_t *ctx, apr_time_t now);

/** Whole content of a file. */
brski_bytes_t unit_file(const char *path, apr_pool_t *pool);

/** Path of a file of the source tree, also when the build is elsewhere: unit_source("t/vectors/x"). */
const char *unit_source(const char *path, apr_pool_t *pool);

/**
 * Path of a file below the directory that BRSKI_VECTORS names, or NULL when the variable is unset
 * or the file absent: the caller then says so with skip().
 */
const char *unit_vector(const char *path, apr_pool_t *pool);

/** A new empty directory that is removed, with what is in it, when pool is cleared. */
const char *unit_tempdir(apr_pool_t *pool);

/** No error. */
#define is_ok(err, ...) unit_is_ok(__FILE__, __LINE__, err, __VA_ARGS__)

/** This error and no other; the name without BRSKI_E_: is_err(err, NONCE, "5.5.6 ..."). */
#define is_err(err, name, ...) unit_is_err(__FILE__, __LINE__, err, BRSKI_E_##name, #name, __VA_ARGS__)

int unit_is_ok(const char *file, int line, const brski_err_t *err, const char *fmt, ...)
    TAP_PRINTF(4, 5);
int unit_is_err(const char *file, int line, const brski_err_t *err, brski_err_code_t code,
                const char *name, const char *fmt, ...) TAP_PRINTF(6, 7);

#endif
