/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_ctx.c: the real world as a context (clock, generator), and the limits that hold when
 * nobody says otherwise.
 */
#include "brski.h"

#include <openssl/rand.h>
#include <limits.h>
#include <stdlib.h>

static apr_time_t real_now(void *baton)
{
    (void)baton;
    return apr_time_now();
}

/* Going on with predictable values would be worse than ending: audit log links are secrets. */
static void real_random(unsigned char *out, apr_size_t len, void *baton)
{
    int part;

    (void)baton;
    while (len > 0) {
        part = len > INT_MAX ? INT_MAX : (int)len;
        if (RAND_bytes(out, part) != 1) {
            abort();
        }
        out += part;
        len -= (apr_size_t)part;
    }
}

static const brski_ctx_t real = { real_now, real_random, NULL, NULL };

const brski_ctx_t *brski_ctx_default(void)
{
    return &real;
}

const brski_limits_t brski_limits_default = {
    .body = 64 * 1024,
    .certificates = 16,
    .certificate = 16 * 1024,
    .json_depth = 8,
    .serial_number = 128,
    .nonce = 128,
    .string = 48 * 1024,
};
