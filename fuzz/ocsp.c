/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp.c: fuzz target of OCSP responses about the device of RFC 8995, Appendix C: one that counts
 * says when it ends, and does not count for another certificate.
 */
#include "fuzz.h"

#include "brski_revoke_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static brski_subject_t subject, other;
    apr_pool_t *pool = fuzz_pool();
    brski_bytes_t der = brski_bytes(data, size);
    brski_revocation_state_t state;
    brski_err_t *err;

    if (!subject.cert) {
        subject.cert = fuzz_vector_cert("idevid_00-D0-E5-F2-00-02.crt.pem");
        subject.issuer = other.issuer = fuzz_vector_cert("vendor.crt.pem");
        other.cert = fuzz_vector_cert("masa.crt.pem");
    }
    err = brski_ocsp_judge(&state, der, &subject, fuzz_now(), pool);
    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(!state.until || state.until > fuzz_now() - BRSKI_REVOKE_SKEW);
        FUZZ_MUST(brski_ocsp_judge(&state, der, &other, fuzz_now(), pool));
    }
    return 0;
}
