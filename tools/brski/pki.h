/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h: keys and certificates for a lab: roots, issuing CAs, and end entities in the roles that BRSKI has. Made with
 * OpenSSL in memory and written as PEM. A key or certificate belongs to the pool it was made with. Source: RFC 5280,
 * RFC 8995 sections 2.3 and 5.5.4, RFC 6402 section 2.10. For labs and tests: nothing here protects a CA's key.
 */
#ifndef BRSKI_TOOL_PKI_H
#define BRSKI_TOOL_PKI_H

#include "brski.h"
#include "brski_err.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

typedef enum pki_role_t {
    PKI_ROOT = 1,                 /**< CA, self-signed */
    PKI_CA,                       /**< CA below another, pathlen 0 */
    PKI_SIGNER,                   /**< signs vouchers */
    PKI_SERVER,                   /**< TLS server */
    PKI_REGISTRAR,                /**< cmcRA, serverAuth, clientAuth */
    PKI_CLIENT,                   /**< clientAuth only: what a registrar must not be */
    PKI_IDEVID                    /**< 802.1AR: serialNumber, MASA URL, no end */
} pki_role_t;

/** What a certificate shall say. */
typedef struct pki_spec_t {
    pki_role_t role;
    const char *organization;     /**< O of the subject, or NULL */
    const char *name;             /**< CN of the subject */
    const char *serial_number;    /**< serialNumber of the subject, or NULL */
    const char *key;              /**< "p256", "p384", "rsa2048", for tests also "rsa1024" */
    const char *digest;           /**< "SHA256"; NULL: what suits the issuer's key */
    apr_time_t not_before;
    apr_time_t not_after;         /**< 0: 99991231235959Z, no end (RFC 5280 4.1.2.5) */
    const char *alt_names;        /**< as OpenSSL writes them, "DNS:localhost,IP:127.0.0.1", or NULL */
    const char *usage;            /**< extended key usage as OpenSSL writes it; NULL: the role's */
    const char *key_id;           /**< subjectKeyIdentifier in hex; NULL: the key's hash */
    const char *masa_url;         /**< IDevID's MASA URL, RFC 8995 2.3.2, or NULL */
} pki_spec_t;

/** A key with its certificate, and who issued it. */
typedef struct pki_id_t {
    X509 *cert;
    EVP_PKEY *key;
    const struct pki_id_t *issuer; /**< NULL: itself */
} pki_id_t;

/** Make a key and a certificate for it; issuer NULL signs itself. Safe in several threads with an issuer shared. */
brski_err_t *pki_make(pki_id_t **out, const pki_spec_t *spec, const pki_id_t *issuer, apr_pool_t *pool);

#define PKI_WHOLE_CHAIN 100

/** PEM of the certificate and of what issued it: at most certs certificates, at most up to the root. */
brski_err_t *pki_pem(brski_bytes_t *out, const pki_id_t *id, int certs, apr_pool_t *pool);

/** Write what pki_pem() gives to NAME.pem, and the key to NAME.key, mode 0600. */
brski_err_t *pki_write(const pki_id_t *id, const char *dir, const char *name, int certs, apr_pool_t *scratch_pool);

/** Make a key: "p256", "p384", "p521", "ed25519", or "rsa" and how many bits. @return BRSKI_E_INPUT for another word */
brski_err_t *pki_key_make(EVP_PKEY **key, const char *type, apr_pool_t *pool);

/** PEM of a private key, without a passphrase. */
brski_err_t *pki_key_pem(brski_bytes_t *out, EVP_PKEY *key, apr_pool_t *pool);

/** Read a private key, PEM or DER; a passphrase is not asked for. */
brski_err_t *pki_key_load(EVP_PKEY **key, const char *path, apr_pool_t *pool);

/** Give a key to a pool. */
EVP_PKEY *pki_own_key(EVP_PKEY *key, apr_pool_t *pool);

/** Hex SHA-256 of the certificate's SubjectPublicKeyInfo: the name of its key. */
char *pki_key_id(X509 *cert, apr_pool_t *pool);

#endif
