/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: fuzz target of the JSON reader: what it takes, it writes and reads again unchanged.
 */
#include "fuzz.h"

#include <string.h>

#include "brski_json.h"

static void walk(const brski_json_t *v, int depth)
{
    apr_size_t i;

    FUZZ_MUST(depth <= brski_limits_default.json_depth);
    for (i = 0; i < brski_json_size(v); i++) {
        const char *key = brski_json_key(v, i);
        int array = brski_json_type(v) == BRSKI_JSON_ARRAY;

        FUZZ_MUST(array || key);
        FUZZ_MUST(array || brski_is_utf8(key));
        walk(array ? brski_json_at(v, i) : brski_json_get(v, key), depth + 1);
    }
    FUZZ_MUST(!brski_json_string(v) || brski_is_utf8(brski_json_string(v)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_json_t *json, *again;
    const char *text;
    brski_err_t *err =
        brski_json_parse(&json, brski_bytes(data, size), &brski_limits_default, pool);

    fuzz_check_err(err, pool);
    if (!err) {
        walk(json, 0);
        text = brski_json_text(json, 0, pool);
        FUZZ_MUST(!brski_json_parse(&again, brski_bytes_str(text), &brski_limits_default, pool));
        FUZZ_MUST(!strcmp(brski_json_text(again, 0, pool), text));
    }
    return 0;
}
