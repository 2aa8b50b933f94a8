/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testpki.h: keys and certificates made while a test runs, and requests signed with them: a
 * manufacturer, domains, registrars and pledges in a line each. What goes wrong here ends the
 * program. Everything lives in the pool it was made with.
 */
#ifndef TESTPKI_H
#define TESTPKI_H

#include "brski.h"
#include "brski_cms.h"
#include "brski_voucher.h"
#include "brski_x509.h"

/** A certificate to be made; what is left out is the usual. */
typedef struct testpki_spec_t {
    const char *cn;
    const char *serial_number;        /**< X520SerialNumber; NULL none */
    int ca;                           /**< basicConstraints CA:TRUE, keyCertSign */
    int cmc_ra;
    int client_auth;
    int server_auth;
    const char *dns;                  /**< one DNS name of subjectAltName */
    const char *crl;                  /**< URI of its CRL; NULL none */
    const char *not_before;           /**< RFC 3339; 2020-01-01T00:00:00Z */
    const char *not_after;            /**< RFC 3339; 2039-12-31T00:00:00Z */
    const char *ski;                  /**< key identifier to claim, hex; "" none, NULL the key's */
    int no_aki;
    const char *key;                  /**< "p256", "p384", "rsa2048", "rsa1024", "ed25519" */
    const char *digest;               /**< "sha256"; NULL for it, and for Ed25519 */
    EVP_PKEY *same_key;               /**< use this key: a renewed certificate */
} testpki_spec_t;

/** A certificate with its key and its issuer. */
typedef struct testpki_t {
    const brski_cert_t *cert;
    EVP_PKEY *key;
    const struct testpki_t *issuer;   /**< NULL when self-signed */
    const brski_cert_t *shown;        /**< of an impostor: the copied certificate that it shows */
} testpki_t;

/** Make a key and a certificate; issuer NULL: self-signed. */
testpki_t *testpki_make(const testpki_spec_t *spec, const testpki_t *issuer, apr_pool_t *pool);

/** Who copied a certificate, but has not its key: what it signs carries the certificate copied. */
testpki_t *testpki_impostor(const testpki_t *victim, apr_pool_t *pool);

/** Its certificate, that of its issuer and so on up to the root; at most max, 0 for all. */
apr_array_header_t *testpki_chain(const testpki_t *ee, int max, apr_pool_t *pool);

/** Several certificates in an array; ended by NULL. */
apr_array_header_t *testpki_certs(apr_pool_t *pool, const testpki_t *first, ...);

/** Sign text as eContent, with certs included; a clock of 2026-01-01. */
brski_bytes_t testpki_sign(const char *text, const testpki_t *signer,
                           const apr_array_header_t *certs, apr_pool_t *pool);

/** JSON of a voucher or voucher-request, signed likewise. */
brski_bytes_t testpki_sign_voucher(const brski_voucher_t *v, const testpki_t *signer,
                                   const apr_array_header_t *certs, apr_pool_t *pool);

/** Write certificates (and a key, which may be NULL) as PEM into one file. */
void testpki_write(const char *path, const apr_array_header_t *certs, EVP_PKEY *key);

#endif
