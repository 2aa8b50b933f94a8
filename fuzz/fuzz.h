/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h: what the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(), for libFuzzer or for replay.c. It gives a
 * stranger's octets to one parser of the library and checks what must hold of whatever comes out; what does not hold aborts.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "brski.h"
#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_x509.h"

/** The target. @return 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A pool for one input, empty: it is cleared by the next call. */
apr_pool_t *fuzz_pool(void);

/** A pool for what is made once, and lives until exit. */
apr_pool_t *fuzz_lasting_pool(void);

/** The input as text: up to its first NUL, as it comes out of an HTTP header field. */
const char *fuzz_text(const uint8_t *data, size_t size, apr_pool_t *pool);

/** The certificate in a file of t/vectors/rfc8995-appC: "vendor.crt.pem". */
const brski_cert_t *fuzz_vector_cert(const char *name);

/** 2030-01-01, when the seeds that have times are valid. */
apr_time_t fuzz_now(void);

/** Nonzero for what brski_printable() may give: UTF-8 without control characters. NULL is fine. */
int fuzz_is_printable(const char *text);

/** An error, or NULL, can be told to a client and to a log, and is not ours. Told at once with FUZZ_SAY in the environment. */
void fuzz_check_err(const brski_err_t *err, apr_pool_t *pool);

/** A copy of octets with one bit turned. */
brski_bytes_t fuzz_turn_bit(brski_bytes_t octets, size_t bit, apr_pool_t *pool);

/** What must hold, whatever the input. */
#define FUZZ_MUST(holds) ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds))
void fuzz_fail(const char *file, int line, const char *what) __attribute__((noreturn));

#endif
