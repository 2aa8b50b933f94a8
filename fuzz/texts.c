/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.c: fuzz target of the small readers that the others stand on: base64, hex, times, and the
 * making of printable text.
 */
#include "fuzz.h"

#include <string.h>

#include "brski_time.h"

static void decode(const char *text, size_t len, apr_pool_t *pool)
{
    brski_bytes_t octets, again;

    if (!brski_base64_decode(&octets, text, pool)) {
        FUZZ_MUST(!strcmp(brski_base64_encode(octets, pool), text));
    }
    if (!brski_base64_decode_liberal(&octets, text, len, pool)) {
        FUZZ_MUST(!brski_base64_decode(&again, brski_base64_encode(octets, pool), pool));
        FUZZ_MUST(brski_bytes_equal(octets, again));
    }
    if (!brski_hex_decode(&octets, text, pool)) {
        FUZZ_MUST(!brski_hex_decode(&again, brski_hex(octets, pool), pool));
        FUZZ_MUST(brski_bytes_equal(octets, again));
    }
}

static void times(const char *text, apr_pool_t *pool)
{
    apr_time_t time, time_again;
    apr_interval_time_t duration, duration_again;

    if (!brski_time_parse(&time, text, pool) && time > 0) {
        FUZZ_MUST(!brski_time_parse(&time_again, brski_time_rfc3339(time, pool), pool));
        FUZZ_MUST(apr_time_sec(time) == apr_time_sec(time_again));
    }
    if (!brski_duration_parse(&duration, text, pool)) {
        text = brski_duration_text(duration, pool);
        FUZZ_MUST(!brski_duration_parse(&duration_again, text, pool));
        FUZZ_MUST(duration == duration_again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = fuzz_text(data, size, pool);

    FUZZ_MUST(fuzz_is_printable(brski_printable(text, 100, pool)));
    FUZZ_MUST(fuzz_is_printable(brski_printable(text, size + 1, pool)));
    brski_is_utf8(text);
    decode(text, strlen(text), pool);
    times(text, pool);
    return 0;
}
