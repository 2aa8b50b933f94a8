/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_asn1.c: times and signature algorithms of OCSP responses and CRLs.
 */
#include "brski_revoke_asn1.h"

#include <openssl/objects.h>

#include "brski_revoke_judge.h"

int brski_asn1_time(apr_time_t *out, const ASN1_TIME *t)
{
    int days, seconds;
    ASN1_TIME *epoch;
    int rc;

    *out = 0;
    epoch = ASN1_TIME_set(NULL, 0);
    rc = t && epoch && ASN1_TIME_diff(&days, &seconds, epoch, t);
    ASN1_TIME_free(epoch);
    if (rc) {
        *out = apr_time_from_sec((apr_int64_t)days * 86400 + seconds);
    }
    return rc;
}

const char *brski_update_times(apr_time_t *until, const ASN1_TIME *this_update,
                               const ASN1_TIME *next_update, apr_time_t now)
{
    apr_time_t from;

    *until = 0;
    if (!brski_asn1_time(&from, this_update) || from > now + BRSKI_REVOKE_SKEW) {
        return "it is not valid yet";
    }
    if (!next_update) {
        return NULL;
    }
    if (!brski_asn1_time(until, next_update) || *until < now - BRSKI_REVOKE_SKEW) {
        return "it is out of date";
    }
    return NULL;
}

int brski_signature_allowed(const X509_ALGOR *alg)
{
    const ASN1_OBJECT *oid;
    int digest = NID_undef, key;

    X509_ALGOR_get0(&oid, NULL, NULL, alg);
    if (!OBJ_find_sigid_algs(OBJ_obj2nid(oid), &digest, &key)) {
        return 0;
    }
    /* None is named by EdDSA, which has its own, and by RSA-PSS, whose parameters do. */
    return digest == NID_undef || digest == NID_sha256 || digest == NID_sha384
           || digest == NID_sha512;
}
