/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.c: what the fuzz targets share, as fuzz.h says.
 */
#include "fuzz.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2030-01-01T00:00:00Z */
#define NOW apr_time_from_sec(1893456000)

static apr_pool_t *lasting;
static apr_pool_t *input;

void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

apr_pool_t *fuzz_lasting_pool(void)
{
    if (!lasting) {
        FUZZ_MUST(apr_initialize() == APR_SUCCESS);
        FUZZ_MUST(apr_pool_create(&lasting, NULL) == APR_SUCCESS);
        atexit(apr_terminate);
    }
    return lasting;
}

apr_pool_t *fuzz_pool(void)
{
    if (!input) {
        FUZZ_MUST(apr_pool_create(&input, fuzz_lasting_pool()) == APR_SUCCESS);
    }
    apr_pool_clear(input);
    return input;
}

const char *fuzz_text(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    return size ? apr_pstrndup(pool, (const char *)data, size) : "";
}

const brski_cert_t *fuzz_vector_cert(const char *name)
{
    const char *top = getenv("top_srcdir");
    apr_pool_t *pool = fuzz_lasting_pool();
    apr_array_header_t *certs;
    brski_err_t *err = brski_cert_load(
        &certs, apr_pstrcat(pool, top ? top : FUZZ_SRCDIR, "/t/vectors/rfc8995-appC/", name, NULL),
        pool);

    if (err) {
        fprintf(stderr, "%s\n", brski_err_text(err, pool));
    }
    FUZZ_MUST(!err && certs->nelts == 1);
    return APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
}

apr_time_t fuzz_now(void)
{
    return NOW;
}

int fuzz_is_printable(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    for (; c && *c; c++) {
        if (*c < 0x20 || *c == 0x7f) {
            return 0;
        }
    }
    return !text || brski_is_utf8(text);
}

void fuzz_check_err(const brski_err_t *err, apr_pool_t *pool)
{
    if (getenv("FUZZ_SAY")) {
        fprintf(stderr, "%s\n", err ? brski_err_text(err, pool) : "fine");
    }
    if (err) {
        FUZZ_MUST(fuzz_is_printable(err->public_text));
        FUZZ_MUST(fuzz_is_printable(brski_err_text(err, pool)));
        /* What a stranger sends is the stranger's mistake. */
        FUZZ_MUST(err->code != BRSKI_E_INTERNAL);
    }
}

brski_bytes_t fuzz_turn_bit(brski_bytes_t octets, size_t bit, apr_pool_t *pool)
{
    unsigned char *copy = apr_pmemdup(pool, octets.data, octets.len);

    copy[bit / 8 % octets.len] ^= (unsigned char)(1u << bit % 8);
    return brski_bytes(copy, octets.len);
}
