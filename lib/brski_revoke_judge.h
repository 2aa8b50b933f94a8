/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_judge.h: OCSP (RFC 6960) and CRLs (RFC 5280 section 5 and 6.3) without the network: where a certificate
 * says its state can be learned, what to ask, and what an answer is worth. An answer counts only when the certificate's
 * issuer, or a responder it delegated to, signed it, it covers this certificate, and it is of now.
 */
#ifndef BRSKI_REVOKE_JUDGE_H
#define BRSKI_REVOKE_JUDGE_H

#include "brski.h"
#include "brski_x509.h"

/** A certificate that is asked about. */
typedef struct brski_subject_t {
    const brski_cert_t *cert;
    const brski_cert_t *issuer;       /**< whose key signed it */
} brski_subject_t;

typedef struct brski_revocation_state_t {
    int revoked;
    apr_time_t revoked_at;            /**< when revoked */
    apr_time_t until;                 /**< nextUpdate; 0 when the answer names none */
} brski_revocation_state_t;

/** Clocks may differ by so much. */
#define BRSKI_REVOKE_SKEW apr_time_from_sec(5 * 60)

/** URLs of OCSP responders (AIA), const char *; empty when none. */
apr_array_header_t *brski_ocsp_urls(const brski_cert_t *cert, apr_pool_t *pool);

/**
 * URLs of CRLs that cover every reason and are signed by the certificate's issuer (CDP), const char *.
 * @param named  set to 1 when the certificate has distribution points at all, usable or not
 */
apr_array_header_t *brski_crl_urls(int *named, const brski_cert_t *cert, apr_pool_t *pool);

/** DER of an OCSP request for one certificate: CertID with SHA-1, as every responder understands, no nonce. */
brski_err_t *brski_ocsp_ask(brski_bytes_t *der, const brski_subject_t *subject, apr_pool_t *pool);

/**
 * What an OCSP response says.
 * @return NULL with the state good or revoked; BRSKI_E_REVOCATION_UNKNOWN saying why it says nothing that counts
 */
brski_err_t *brski_ocsp_judge(brski_revocation_state_t *state, brski_bytes_t der, const brski_subject_t *subject,
                              apr_time_t now, apr_pool_t *pool);

/**
 * What a CRL says, DER or PEM.
 * @param url  where it came from: a CRL that names its own distribution point must name this one (RFC 5280 6.3.3 (b)(2)),
 *             so that no other part of a divided CRL can stand in for it
 * @return NULL with the state; BRSKI_E_REVOCATION_UNKNOWN saying why it says nothing that counts
 */
brski_err_t *brski_crl_judge(brski_revocation_state_t *state, brski_bytes_t crl, const char *url,
                             const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool);

#endif
