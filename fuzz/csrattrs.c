/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csrattrs.c: fuzz target of the CSR attributes that a client is sent, RFC 8951 and RFC 9908.
 */
#include "fuzz.h"

#include "brski_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_csrattrs_t *wishes;
    brski_err_t *err =
        brski_csrattrs_parse(&wishes, brski_bytes(data, size), &brski_limits_default, pool);
    int i;

    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(fuzz_is_printable(wishes->key_type));
        for (i = 0; wishes->unknown && i < wishes->unknown->nelts; i++) {
            FUZZ_MUST(fuzz_is_printable(APR_ARRAY_IDX(wishes->unknown, i, const char *)));
        }
        for (i = 0; wishes->extensions && i < wishes->extensions->nelts; i++) {
            brski_csr_extension_t *e =
                APR_ARRAY_IDX(wishes->extensions, i, brski_csr_extension_t *);

            FUZZ_MUST(fuzz_is_printable(e->oid) && e->value.len <= size);
        }
    }
    return 0;
}
