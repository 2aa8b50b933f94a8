/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.c: fuzz target of building chains: certificates one after the other, the first the end
 * entity, the last also the anchor. Each certificate of a chain is signed by the next, and none
 * comes twice.
 */
#include "fuzz.h"

#include "brski_cert.h"
#include "brski_der.h"

#define SKEW apr_time_from_sec(300)

static apr_array_header_t *read_certs(brski_bytes_t octets, apr_pool_t *pool)
{
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    brski_der_t in = brski_der(octets);
    brski_der_tlv_t tlv;
    const brski_cert_t *cert;

    while (certs->nelts < brski_limits_default.certificates && !brski_der_end(&in)
           && !brski_der_next(&tlv, &in)) {
        if (!brski_cert_parse(&cert, tlv.whole, &brski_limits_default, NULL, pool)) {
            APR_ARRAY_PUSH(certs, const brski_cert_t *) = cert;
        }
    }
    return certs;
}

static void check(const brski_chain_t *chain, const brski_cert_t *ee, int most)
{
    int i, k;

    FUZZ_MUST(chain->certs->nelts >= 1 && chain->certs->nelts <= most);
    FUZZ_MUST(APR_ARRAY_IDX(chain->certs, 0, const brski_cert_t *) == ee);
    for (i = 1; i < chain->certs->nelts; i++) {
        const brski_cert_t *upper = APR_ARRAY_IDX(chain->certs, i, const brski_cert_t *);

        FUZZ_MUST(brski_cert_signed_by(APR_ARRAY_IDX(chain->certs, i - 1, const brski_cert_t *),
                                       upper));
        for (k = 0; k < i; k++) {
            FUZZ_MUST(APR_ARRAY_IDX(chain->certs, k, const brski_cert_t *) != upper);
        }
    }
}

static void verify_anchored(const brski_cert_t *ee, const apr_array_header_t *certs,
                            apr_time_t at, apr_pool_t *pool)
{
    apr_array_header_t *top = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    brski_anchors_t *anchors;
    brski_chain_t *chain;
    brski_err_t *err;

    APR_ARRAY_PUSH(top, const brski_cert_t *) =
        APR_ARRAY_IDX(certs, certs->nelts - 1, const brski_cert_t *);
    FUZZ_MUST(!brski_anchors_make(&anchors, top, pool));
    err = brski_anchors_verify(&chain, anchors, ee, certs, at, SKEW, 0, pool, pool);
    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(chain->anchored);
    }
    fuzz_check_err(brski_anchors_verify(NULL, anchors, ee, certs, at, SKEW,
                                        BRSKI_VERIFY_IGNORE_EXPIRY | BRSKI_VERIFY_CA, pool, pool),
                   pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    apr_array_header_t *certs = read_certs(brski_bytes(data, size), pool);
    const brski_cert_t *ee;
    brski_chain_t *chain;
    apr_time_t at;

    if (certs->nelts) {
        ee = APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
        at = ee->not_before + SKEW;
        FUZZ_MUST(!brski_chain_build(&chain, ee, certs, pool, pool));
        check(chain, ee, certs->nelts);
        fuzz_check_err(brski_chain_verify(chain, at, SKEW, pool), pool);
        verify_anchored(ee, certs, at, pool);
    }
    return 0;
}
