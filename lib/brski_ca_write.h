/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_ca_write.h: certificates and CRLs (RFC 5280) written with our own DER and signed with a key
 * at hand: what brski_ca_local.c and tests share.
 */
#ifndef BRSKI_CA_WRITE_H
#define BRSKI_CA_WRITE_H

#include "brski_ca.h"

/** How a CA's key signs; RFC 5758, RFC 4055, RFC 8410. */
typedef struct brski_ca_scheme_t {
    const char *digest;      /**< OpenSSL's name; NULL: the scheme hashes by itself */
    brski_bytes_t algorithm; /**< AlgorithmIdentifier in DER */
} brski_ca_scheme_t;

/** @return NULL, or why the key cannot sign certificates, as the end of a sentence */
const char *brski_ca_scheme(brski_ca_scheme_t *out, const EVP_PKEY *key);

/** An issuer with its key. */
typedef struct brski_ca_issuer_t {
    brski_bytes_t name;   /**< DER of its subject */
    brski_bytes_t key_id; /**< its subjectKeyIdentifier's octets */
    EVP_PKEY *key;
    brski_ca_scheme_t scheme;
} brski_ca_issuer_t;

/** Name and key identifier out of a CA's certificate; the octets are the certificate's. */
void brski_ca_issuer(brski_ca_issuer_t *out, const brski_cert_t *cert, apr_pool_t *pool);

/**
 * A certificate of a template.
 * @param serial  octets, the most significant first; taken as a positive number
 * @param crl_url, ocsp_url  NULL: none
 * @return NULL or BRSKI_E_CA_UNAVAILABLE
 */
brski_err_t *brski_ca_write_cert(brski_bytes_t *der, const brski_ca_issuer_t *issuer,
                                 const brski_template_t *tmpl, brski_bytes_t serial,
                                 const char *crl_url, const char *ocsp_url, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);

/** A CRL of version 2. revoked: brski_issued_t *. @return NULL or BRSKI_E_CA_UNAVAILABLE */
brski_err_t *brski_ca_write_crl(brski_bytes_t *der, const brski_ca_issuer_t *issuer,
                                const apr_array_header_t *revoked, apr_int64_t number,
                                apr_time_t this_update, apr_time_t next_update,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool);

#endif
