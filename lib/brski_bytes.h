/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_bytes.h: octets and their texts: strict base64 (RFC 4648 section 4), hex, SHA-256, comparison, and
 * making a stranger's bytes fit to print.
 */
#ifndef BRSKI_BYTES_H
#define BRSKI_BYTES_H

#include "brski.h"

#define BRSKI_SHA256_LEN 32

/** Wrap octets that the caller keeps alive. */
brski_bytes_t brski_bytes(const void *data, apr_size_t len);

/** Wrap a NUL-terminated string, without its NUL. */
brski_bytes_t brski_bytes_str(const char *s);

/** Copy octets into a pool; a NUL follows that len does not count. */
brski_bytes_t brski_bytes_dup(brski_bytes_t b, apr_pool_t *pool);

/** Nonzero when both hold the same octets. Not constant-time: for public values. */
int brski_bytes_equal(brski_bytes_t a, brski_bytes_t b);

/** Standard base64 with padding, one line, NUL-terminated. */
char *brski_base64_encode(brski_bytes_t b, apr_pool_t *pool);

/**
 * Decode strict base64: alphabet of RFC 4648 section 4, padding required, no white space, zero trailing bits.
 * @return NULL, or BRSKI_E_BASE64 naming the offset
 */
brski_err_t *brski_base64_decode(brski_bytes_t *out, const char *text, apr_pool_t *pool);

/**
 * Decode base64 that people and old software wrote: line breaks, blanks and missing padding are tolerated.
 * @return NULL, or BRSKI_E_BASE64
 */
brski_err_t *brski_base64_decode_liberal(brski_bytes_t *out, const char *text, apr_size_t len, apr_pool_t *pool);

/** Lower-case hex, NUL-terminated. */
char *brski_hex(brski_bytes_t b, apr_pool_t *pool);

/** Decode hex of either case, optional ':' between octets. @return NULL or BRSKI_E_HEX */
brski_err_t *brski_hex_decode(brski_bytes_t *out, const char *text, apr_pool_t *pool);

/** SHA-256 of b into a pool. */
brski_bytes_t brski_sha256(brski_bytes_t b, apr_pool_t *pool);

/** SHA-256 of b as 64 lower-case hex digits. */
char *brski_sha256_hex(brski_bytes_t b, apr_pool_t *pool);

/**
 * A stranger's text made fit for a log line or an error body: control characters, invalid UTF-8, quotes and
 * backslashes become \xNN, and what is longer than max octets ends in "...". NULL gives "(none)".
 */
const char *brski_printable(const char *text, apr_size_t max, apr_pool_t *pool);

/** Nonzero when the text is UTF-8 throughout: what PostgreSQL takes as text. */
int brski_is_utf8(const char *text);

#endif
