/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.c: fuzz target of a MASA's audit log: whatever it is, it is judged, in words that can be
 * printed; and a human's word never makes it worse.
 */
#include "fuzz.h"

#include "brski_audit_policy.h"

#define OURS "YWFhYWFhYWFhYWFhYWFhYWFhYWE="

static const brski_audit_judgement_t *judge(brski_bytes_t log, int attested, apr_pool_t *pool)
{
    apr_array_header_t *own = apr_array_make(pool, 1, sizeof(const char *));
    brski_audit_judgement_t *judgement;

    APR_ARRAY_PUSH(own, const char *) = OURS;
    FUZZ_MUST(!brski_audit_judge(&judgement, &brski_audit_policy_default, own, log, attested,
                                 &brski_limits_default, pool, pool));
    FUZZ_MUST(judgement->verdict >= BRSKI_VERDICT_GOOD && judgement->verdict <= BRSKI_VERDICT_BAD);
    FUZZ_MUST(judgement->rule && fuzz_is_printable(judgement->rule));
    FUZZ_MUST(fuzz_is_printable(judgement->text));
    return judgement;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_bytes_t log = brski_bytes(data, size);

    FUZZ_MUST(judge(log, 1, pool)->verdict <= judge(log, 0, pool)->verdict);
    return 0;
}
