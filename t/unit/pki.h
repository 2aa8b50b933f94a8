/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h: certificates and CMS messages for the unit tests, good and bad ones, made by OpenSSL
 * while the test runs. What does not work ends the program (bail_out). All objects live until the
 * pool dies.
 */
#ifndef PKI_H
#define PKI_H

#include "brski.h"
#include "brski_x509.h"

/** A party: a key and its certificate. */
typedef struct pki_party_t {
    EVP_PKEY *key;
    X509 *x509;
    const brski_cert_t *cert;
} pki_party_t;

/** How a certificate shall be. What is left out has the defaults that a good one has. */
typedef struct pki_spec_t {
    const char *subject;              /**< "CN=Registrar,serialNumber=1": no commas in values */
    const char *key;                  /**< "P-256" (default), "P-384", "RSA-2048", "ED25519", ... */
    int ca;                           /**< basicConstraints CA:TRUE */
    const char *digest;               /**< of the signature; default SHA256 */
    const char *from;                 /**< RFC 3339; default 2020-01-01T00:00:00Z */
    const char *to;                   /**< default 2030-01-01T00:00:00Z */
    int plain;                        /**< no extensions but those of ext */
    const char *ext[8];               /**< more, as in openssl.cnf: "extendedKeyUsage=cmcRA" */
    const EVP_PKEY *same_key;         /**< this key instead of a new one */
} pki_spec_t;

/** Make a party whose certificate issuer signs; NULL for a self-signed one. */
const pki_party_t *pki_make(const pki_party_t *issuer, pki_spec_t spec, apr_pool_t *pool);

/** Make a key; the names of pki_spec_t.key. */
EVP_PKEY *pki_key(const char *name, apr_pool_t *pool);

/** Parse what was made, with the library. */
const brski_cert_t *pki_parse(X509 *x509, apr_pool_t *pool);

/** An array of const brski_cert_t *, of as many as are not NULL. */
apr_array_header_t *pki_certs(apr_pool_t *pool, const pki_party_t *a, const pki_party_t *b,
                              const pki_party_t *c, const pki_party_t *d);

/** Certificates as PEM in a file. */
void pki_save_certs(const char *path, const apr_array_header_t *certs);

/** A private key as PKCS#8 PEM in a file of this mode, with a passphrase unless it is NULL. */
void pki_save_key(const char *path, EVP_PKEY *key, int mode, const char *passphrase);

/** Flags of pki_cms(); OpenSSL's CMS_ flags may be added. */
#define PKI_CMS_BER 0x40000000        /* indefinite lengths */

/** CMS SignedData by OpenSSL with id-data; other is a second signer, or NULL. */
brski_bytes_t pki_cms(const char *content, const pki_party_t *signer, const pki_party_t *other,
                      const char *digest, unsigned flags, apr_pool_t *pool);

#endif
