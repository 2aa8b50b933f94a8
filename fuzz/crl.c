/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl.c: fuzz target of CRLs about the device of RFC 8995, Appendix C: one that counts is of now,
 * and does not when it is judged as that of another CA.
 */
#include "fuzz.h"

#include "brski_revoke_judge.h"

#define URL "http://ca.example/crl"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static brski_subject_t subject, other;
    apr_pool_t *pool = fuzz_pool();
    brski_bytes_t crl = brski_bytes(data, size);
    brski_revocation_state_t state;
    brski_err_t *err;

    if (!subject.cert) {
        subject.cert = other.cert = fuzz_vector_cert("idevid_00-D0-E5-F2-00-02.crt.pem");
        subject.issuer = fuzz_vector_cert("vendor.crt.pem");
        other.issuer = fuzz_vector_cert("ownerca_secp384r1.crt.pem");
    }
    err = brski_crl_judge(&state, crl, URL, &subject, fuzz_now(), pool);
    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(!state.until || state.until > fuzz_now() - BRSKI_REVOKE_SKEW);
        FUZZ_MUST(brski_crl_judge(&state, crl, URL, &other, fuzz_now(), pool));
    }
    return 0;
}
