/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr.c: fuzz target of an EST client's body and the PKCS#10 request in it: DER and base64 of it
 * are the same request, and one that proves its key does not when a bit of it is turned.
 */
#include "fuzz.h"

#include "brski_csr.h"

/* What is inside the octets that the signature is over. */
static void turn_one(const brski_csr_t *csr, apr_pool_t *pool)
{
    brski_csr_t *other;
    size_t at = (size_t)(csr->spki.data - csr->der.data);

    if (csr->spki.data >= csr->der.data && at + csr->spki.len <= csr->der.len) {
        at = at * 8 + csr->der.data[csr->der.len - 1] % (csr->spki.len * 8);
        FUZZ_MUST(brski_csr_parse(&other, fuzz_turn_bit(csr->der, at, pool),
                                  &brski_limits_default, pool, pool));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_bytes_t der, again;
    brski_csr_t *csr;
    brski_err_t *err =
        brski_est_body_decode(&der, brski_bytes(data, size), &brski_limits_default, pool);

    fuzz_check_err(err, pool);
    if (err) {
        return 0;
    }
    err = brski_csr_parse(&csr, der, &brski_limits_default, pool, pool);
    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(fuzz_is_printable(csr->subject_text));
        FUZZ_MUST(csr->key != NULL && csr->spki.len);
        turn_one(csr, pool);
        FUZZ_MUST(!brski_est_body_decode(&again, brski_bytes_str(brski_base64_encode(der, pool)),
                                         &brski_limits_default, pool));
        FUZZ_MUST(brski_bytes_equal(der, again));
    }
    return 0;
}
