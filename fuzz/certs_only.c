/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certs_only.c: fuzz target of the answers of an EST server, PKCS#7 with nothing but certificates:
 * those that are read can be written, and are then read as the same.
 */
#include "fuzz.h"

#include "brski_csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    apr_array_header_t *certs, *again, *ders;
    brski_bytes_t der;
    brski_err_t *err =
        brski_certs_only_parse(&certs, brski_bytes(data, size), &brski_limits_default, pool);
    int i;

    fuzz_check_err(err, pool);
    if (err) {
        return 0;
    }
    ders = apr_array_make(pool, 4, sizeof(brski_bytes_t));
    for (i = 0; i < certs->nelts; i++) {
        APR_ARRAY_PUSH(ders, brski_bytes_t) = APR_ARRAY_IDX(certs, i, const brski_cert_t *)->der;
    }
    FUZZ_MUST(!brski_certs_only_make(&der, ders, pool));
    FUZZ_MUST(!brski_certs_only_parse(&again, der, &brski_limits_default, pool));
    FUZZ_MUST(again->nelts == certs->nelts);
    return 0;
}
