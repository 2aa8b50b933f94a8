/* SPDX-License-Identifier: Apache-2.0 */
/*
 * voucher.c: fuzz target of the leaves of vouchers and voucher-requests: what is read can be
 * written, and reads as the same again.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_voucher.h"

static void read_as(brski_voucher_kind_t kind, brski_bytes_t json, apr_pool_t *pool)
{
    brski_voucher_t *voucher, *again;
    const char *text, *text_again;
    brski_err_t *err = brski_voucher_parse(&voucher, json, kind, &brski_limits_default, pool);
    int i;

    fuzz_check_err(err, pool);
    if (err) {
        return;
    }
    FUZZ_MUST(voucher->kind == kind && voucher->serial_number);
    for (i = 0; voucher->unknown && i < voucher->unknown->nelts; i++) {
        FUZZ_MUST(fuzz_is_printable(APR_ARRAY_IDX(voucher->unknown, i, const char *)));
    }
    if (!brski_voucher_json(&text, voucher, pool)) {
        FUZZ_MUST(!brski_voucher_parse(&again, brski_bytes_str(text), kind, &brski_limits_default,
                                       pool));
        FUZZ_MUST(!brski_voucher_json(&text_again, again, pool));
        FUZZ_MUST(!strcmp(text, text_again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    read_as(BRSKI_VOUCHER, brski_bytes(data, size), pool);
    read_as(BRSKI_VOUCHER_REQUEST, brski_bytes(data, size), pool);
    return 0;
}
