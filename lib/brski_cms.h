/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cms.h: the CMS profile of RFC 8366 section 5.4: DER SignedData, attached content, one signer with signed
 * attributes. The message is cut open before OpenSSL sees it, so that each certificate is parsed once (or found in the
 * cache) and every length is checked. Verifying a signature says nothing of who signed: that is the chain's question.
 */
#ifndef BRSKI_CMS_H
#define BRSKI_CMS_H

#include "brski.h"
#include "brski_x509.h"

/** eContentType: id-ct-animaJSONVoucher (RFC 8366) or id-data (what most software writes); both are read. */
typedef enum brski_econtent_t {
    BRSKI_ECONTENT_OTHER = 0,
    BRSKI_ECONTENT_ANIMA_JSON,        /**< 1.2.840.113549.1.9.16.1.40 */
    BRSKI_ECONTENT_DATA               /**< 1.2.840.113549.1.7.1 */
} brski_econtent_t;

typedef struct brski_cms_t {
    brski_econtent_t econtent;
    brski_bytes_t content;            /**< the attached eContent */
    apr_array_header_t *certs;        /**< const brski_cert_t *, as in the message, each parsed once */
    const brski_cert_t *signer;       /**< the certificate SignerInfo names, NULL when not in the message */
    apr_time_t signing_time;          /**< signed attribute, 0 when absent: informative only */
    void *native;                     /**< the pieces of SignerInfo, for brski_cms_verify() */
} brski_cms_t;

/**
 * Take a message apart. RFC 8366 5.4; strict DER of the outer structure, attached content, exactly one SignerInfo.
 * @return NULL; BRSKI_E_CMS saying what is wrong (detached, no signer, two signers, wrong content type, trailing
 *         octets, indefinite length); BRSKI_E_CERTIFICATE; BRSKI_E_LIMIT
 */
brski_err_t *brski_cms_parse(brski_cms_t **out, brski_bytes_t der, const brski_limits_t *limits,
                             brski_cert_cache_t *cache, apr_pool_t *pool);

/**
 * Verify the one signature with the signer's key; no chain, no time. RFC 8995 5.5.3, RFC 5652 5.4 and 5.6: signed
 * attributes must be there, contentType must equal eContentType, messageDigest must match, the algorithm must be
 * allowed (SHA-256/384/512 with ECDSA P-256 or better, RSA >= 2048 PKCS#1 v1.5 or PSS, Ed25519).
 * A signatureAlgorithm of id-ecPublicKey is read as ECDSA with the digestAlgorithm (a known BouncyCastle defect).
 * @return NULL; BRSKI_E_CHAIN when the signer's certificate is not in the message; BRSKI_E_SIGNED_ATTRS;
 *         BRSKI_E_ALGORITHM; BRSKI_E_SIGNATURE
 */
brski_err_t *brski_cms_verify(const brski_cms_t *cms, apr_pool_t *scratch_pool);

/**
 * Sign content. RFC 8366 5.4: signed attributes contentType, signingTime, messageDigest; SignedData version 3 with
 * the anima content type, attached.
 * @param certs  const brski_cert_t * to include, the signer's first; NULL or empty for a raw key is an error
 * @param signing_time  also the signingTime attribute
 */
brski_err_t *brski_cms_sign(brski_bytes_t *out, brski_bytes_t content, brski_econtent_t econtent,
                            const apr_array_header_t *certs, EVP_PKEY *key, apr_time_t signing_time,
                            apr_pool_t *result_pool, apr_pool_t *scratch_pool);

#endif
