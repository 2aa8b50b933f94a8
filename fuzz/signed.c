/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signed.c: fuzz target of signed artifacts, opened as what they are not, too, and with the request
 * inside a request: each must be what it was opened as.
 */
#include "fuzz.h"

#include "brski_voucher.h"

#define NESTED_MAX 3

static void open_as(brski_bytes_t raw, brski_voucher_kind_t kind, int nested, apr_pool_t *pool)
{
    brski_signed_t *artifact;
    brski_err_t *err = brski_signed_open(&artifact, raw, BRSKI_FORMAT_CMS, kind,
                                         &brski_limits_default, NULL, pool);

    fuzz_check_err(err, pool);
    if (err) {
        return;
    }
    FUZZ_MUST(artifact->voucher->kind == kind && artifact->voucher->serial_number);
    FUZZ_MUST(kind == BRSKI_VOUCHER_REQUEST
              || !artifact->voucher->prior_signed_voucher_request.len);
    fuzz_check_err(brski_cms_verify(artifact->cms, pool), pool);
    if (artifact->voucher->prior_signed_voucher_request.len && nested < NESTED_MAX) {
        open_as(artifact->voucher->prior_signed_voucher_request, kind, nested + 1, pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    open_as(brski_bytes(data, size), BRSKI_VOUCHER, 0, pool);
    open_as(brski_bytes(data, size), BRSKI_VOUCHER_REQUEST, 0, pool);
    return 0;
}
