/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cms_alg.h: the algorithms that a CMS signature may use, by their object identifiers. RFC 5754 (SHA-2, RSA, ECDSA),
 * RFC 4056 (PSS), RFC 8419 (EdDSA). What is not in these tables is refused.
 */
#ifndef BRSKI_CMS_ALG_H
#define BRSKI_CMS_ALG_H

#include "brski.h"
#include <openssl/evp.h>

/** Object identifiers as content octets, without header. */
extern const brski_bytes_t brski_oid_signed_data;
extern const brski_bytes_t brski_oid_data;
extern const brski_bytes_t brski_oid_anima_json;
extern const brski_bytes_t brski_oid_content_type;
extern const brski_bytes_t brski_oid_message_digest;
extern const brski_bytes_t brski_oid_signing_time;

typedef struct brski_cms_digest_t {
    const char *name;                 /**< OpenSSL's */
    brski_bytes_t oid;
    apr_size_t len;                   /**< octets of the result */
} brski_cms_digest_t;

/** How a signature is computed. */
typedef struct brski_cms_scheme_t {
    const char *key_type;             /**< OpenSSL's: "EC" */
    const char *other_key_type;       /**< also allowed, or NULL */
    const brski_cms_digest_t *digest; /**< of the message, and of the signed attributes unless pure */
    int pure;                         /**< the scheme hashes by itself (EdDSA) */
    int pss;
    brski_bytes_t oid;                /**< what signatureAlgorithm says when we sign */
    int null_parameters;              /**< and whether NULL parameters follow it */
} brski_cms_scheme_t;

/** Digest of an AlgorithmIdentifier's content; NULL when it is not allowed or unknown. */
const brski_cms_digest_t *brski_cms_digest_find(brski_bytes_t algorithm);

/**
 * Scheme of a signatureAlgorithm (its content) beside a digestAlgorithm.
 * @return NULL, or why it cannot be used, as the end of a sentence
 */
const char *brski_cms_scheme_find(brski_cms_scheme_t *out, brski_bytes_t algorithm, const brski_cms_digest_t *digest);

/** The scheme that we sign with for a key; NULL, or why there is none. */
const char *brski_cms_scheme_choose(brski_cms_scheme_t *out, const EVP_PKEY *key);

/** Hash; out has room for EVP_MAX_MD_SIZE. @return nonzero when it worked */
int brski_cms_digest(unsigned char *out, const brski_cms_digest_t *digest, brski_bytes_t data, OSSL_LIB_CTX *libctx);

/** Set up a signature context after its init, for RSA-PSS. @return nonzero when it worked */
int brski_cms_scheme_setup(EVP_PKEY_CTX *ctx, const brski_cms_scheme_t *scheme);

#endif
