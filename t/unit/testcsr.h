/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testcsr.h: certification requests for the unit tests, good ones and such as no tool would make:
 * put together octet by octet and signed. What goes wrong here ends the program.
 */
#ifndef TESTCSR_H
#define TESTCSR_H

#include "brski.h"
#include "brski_csr.h"

/** A key: "p256", "p384", "p521", "rsa2048", "rsa1024", "rsa5120", "ed25519", "secp256k1". */
EVP_PKEY *testcsr_key(const char *kind, apr_pool_t *pool);

/** SubjectPublicKeyInfo of a key. */
brski_bytes_t testcsr_spki(EVP_PKEY *key, apr_pool_t *pool);

/** Name of "CN=a,O=b" (RFC 4514: the last is the first in DER); "" is the empty one. */
brski_bytes_t testcsr_name(const char *text, apr_pool_t *pool);

/** One Extension, of an extension's content as OpenSSL's configuration writes it, or of octets. */
brski_bytes_t testcsr_ext(const char *name, const char *value, apr_pool_t *pool);
brski_bytes_t testcsr_ext_der(const char *oid, int critical, brski_bytes_t value, apr_pool_t *pool);

/** An Attribute with one value. */
brski_bytes_t testcsr_attr(const char *oid, brski_bytes_t value, apr_pool_t *pool);

/** The extensionRequest of as many Extensions as are not empty. */
brski_bytes_t testcsr_ext_request(brski_bytes_t a, brski_bytes_t b, apr_pool_t *pool);

/** A challengePassword as a string of this tag. */
brski_bytes_t testcsr_challenge(int tag, const char *text, apr_pool_t *pool);

/** A request: subject in DER, the octets of its attributes. */
brski_bytes_t testcsr_make(EVP_PKEY *key, brski_bytes_t subject, brski_bytes_t attributes,
                           apr_pool_t *pool);

/** The same with a CertificationRequestInfo and an AlgorithmIdentifier of one's own; what has len 0
 * is as usual. */
brski_bytes_t testcsr_sign(EVP_PKEY *key, brski_bytes_t info, brski_bytes_t algorithm,
                           const char *digest, apr_pool_t *pool);

/** CertificationRequestInfo. */
brski_bytes_t testcsr_info(EVP_PKEY *key, brski_bytes_t subject, brski_bytes_t attributes,
                           apr_pool_t *pool);

/** Octets one after the other. */
brski_bytes_t testcsr_join(brski_bytes_t a, brski_bytes_t b, apr_pool_t *pool);

/** Parsed; ends the program when it does not parse. */
brski_csr_t *testcsr_parsed(brski_bytes_t der, apr_pool_t *pool);

/** Nothing. */
#define NO_OCTETS brski_bytes(NULL, 0)

#endif
