/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr_key.h: what the files about certification requests share: their key and its signature,
 * and lists of extensions. Everybody else: brski_csr.h.
 */
#ifndef BRSKI_CSR_KEY_H
#define BRSKI_CSR_KEY_H

#include "brski_csr.h"
#include "brski_der.h"

/** What was signed and how; all inside the request. */
typedef struct brski_csr_signed_t {
    brski_bytes_t text;
    brski_bytes_t algorithm; /**< content of the AlgorithmIdentifier */
    brski_bytes_t signature;
} brski_csr_signed_t;

/** The key of a SubjectPublicKeyInfo, if it is one that is certified here; belongs to pool. @return
 * NULL or BRSKI_E_CSR_KEY */
brski_err_t *brski_csr_key_decode(EVP_PKEY **key, brski_bytes_t spki, apr_pool_t *pool);

/** @return NULL or BRSKI_E_CSR_SIGNATURE */
brski_err_t *brski_csr_key_verify(EVP_PKEY *key, const brski_csr_signed_t *proof, apr_pool_t *pool);

/** Append the extensions of an Extensions' content (brski_csr_extension_t *). @return NULL;
 * BRSKI_E_CSR when there are too many or one stands there twice */
brski_err_t *brski_csr_extensions_read(apr_array_header_t *extensions, brski_der_t in,
                                       apr_pool_t *pool);

#endif
