/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_asn1.h: what judging OCSP and judging CRLs share: times and signature algorithms.
 */
#ifndef BRSKI_REVOKE_ASN1_H
#define BRSKI_REVOKE_ASN1_H

#include "brski.h"
#include <openssl/x509.h>

/** Read an ASN.1 time. Nonzero when it is one. */
int brski_asn1_time(apr_time_t *out, const ASN1_TIME *t);

/**
 * Are thisUpdate and nextUpdate around now? BRSKI_REVOKE_SKEW on both sides.
 * @param until  nextUpdate, 0 when absent
 * @return NULL, or what is wrong as part of a sentence
 */
const char *brski_update_times(apr_time_t *until, const ASN1_TIME *this_update, const ASN1_TIME *next_update,
                               apr_time_t now);

/** Nonzero unless the signature's digest is MD5, SHA-1 or the like. */
int brski_signature_allowed(const X509_ALGOR *alg);

#endif
