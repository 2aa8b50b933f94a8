/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cms.c: fuzz target of CMS SignedData: a message that verifies does so no more when one bit of its
 * content is turned, and everything taken out of it lies within it.
 */
#include "fuzz.h"

#include "brski_cms.h"

static int verifies(brski_bytes_t der, apr_pool_t *pool)
{
    brski_cms_t *cms;

    return !brski_cms_parse(&cms, der, &brski_limits_default, NULL, pool)
           && !brski_cms_verify(cms, pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_bytes_t der = brski_bytes(data, size);
    brski_cms_t *cms;
    size_t at;
    brski_err_t *err = brski_cms_parse(&cms, der, &brski_limits_default, NULL, pool);

    fuzz_check_err(err, pool);
    if (err) {
        return 0;
    }
    FUZZ_MUST(cms->certs->nelts <= brski_limits_default.certificates);
    FUZZ_MUST(cms->content.len <= size);
    err = brski_cms_verify(cms, pool);
    fuzz_check_err(err, pool);
    if (!err && cms->content.len) {
        FUZZ_MUST(cms->signer != NULL);
        FUZZ_MUST(cms->content.data >= data && cms->content.data < data + size);
        at = (size_t)(cms->content.data - data) * 8 + data[size - 1] % (cms->content.len * 8);
        FUZZ_MUST(!verifies(fuzz_turn_bit(der, at, pool), pool));
    }
    return 0;
}
