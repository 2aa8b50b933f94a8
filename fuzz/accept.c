/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c: fuzz target of Accept: what is chosen is one of those offered, and the same whether the
 * field is read once or twice.
 */
#include "fuzz.h"

#include "brski_voucher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *accept = fuzz_text(data, size, pool);
    apr_array_header_t *offered = apr_array_make(pool, 2, sizeof(brski_format_t));
    brski_format_t format, again;
    brski_err_t *err;

    APR_ARRAY_PUSH(offered, brski_format_t) = BRSKI_FORMAT_CMS;
    APR_ARRAY_PUSH(offered, brski_format_t) = BRSKI_FORMAT_COSE;
    err = brski_format_negotiate(&format, accept, BRSKI_FORMAT_CMS, offered, pool);
    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(format == BRSKI_FORMAT_CMS || format == BRSKI_FORMAT_COSE);
        FUZZ_MUST(!brski_format_negotiate(&again, accept, BRSKI_FORMAT_CMS, offered, pool));
        FUZZ_MUST(format == again);
    }
    return 0;
}
