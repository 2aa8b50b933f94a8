/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_x509.h: certificates, parsed once. A brski_cert_t is immutable, may be shared by threads and is counted; every
 * pool that got one holds a reference until it dies. What decisions ask of a certificate (key hash, key identifiers,
 * cmcRA, serialNumber attribute) is worked out when it is made. Parsing costs more than verifying in OpenSSL 3.0, so a
 * cache keyed on the hash of the DER keeps those that come again (registrars, CAs). Source: RFC 5280, RFC 8995
 * sections 2.3.1 and 5.5.2-5.5.4. OpenSSL types appear here because CMS, TLS glue and tools need them.
 */
#ifndef BRSKI_X509_H
#define BRSKI_X509_H

#include "brski.h"
#include <openssl/x509.h>
#include <openssl/evp.h>

struct brski_cert_t {
    X509 *x509;                       /**< owned */
    EVP_PKEY *key;                    /**< get0: belongs to x509; NULL when it cannot be read, and then weak_key is set */
    brski_bytes_t der;
    unsigned char hash[32];           /**< SHA-256 of the DER */
    unsigned char spki_hash[32];      /**< SHA-256 of the SubjectPublicKeyInfo DER (RFC 7469 2.4 style) */
    const char *spki_hex;             /**< the same as 64 hex digits */
    brski_bytes_t ski;                /**< octets of SubjectKeyIdentifier, or len 0 */
    brski_bytes_t aki_keyid;          /**< keyIdentifier of AuthorityKeyIdentifier, or len 0 */
    brski_bytes_t aki;                /**< whole extnValue content of AuthorityKeyIdentifier (DER SEQUENCE), or len 0 */
    const char *subject;              /**< RFC 2253 text, UTF-8, escaped: safe to print */
    const char *issuer;               /**< the same of the issuer */
    const char *serial_number;        /**< X520SerialNumber of the subject, UTF-8; NULL when absent or with NUL inside */
    const char *cert_serial_hex;      /**< certificate serial number */
    apr_time_t not_before;
    apr_time_t not_after;
    unsigned ca : 1;                  /**< basicConstraints CA:TRUE */
    unsigned self_issued : 1;         /**< subject equals issuer */
    unsigned has_eku : 1;
    unsigned cmc_ra : 1;              /**< EKU contains id-kp-cmcRA; anyExtendedKeyUsage does not count */
    unsigned client_auth : 1;
    unsigned weak_key : 1;            /**< RSA below 2048 bits, EC below 256 bits, or a key type that is not allowed */
    unsigned weak_signature : 1;      /**< signed with MD5 or SHA-1; irrelevant for a trust anchor */
};

/**
 * Parse one DER certificate; the cache, when not NULL, is asked first and fed.
 * @param der  exactly one certificate; trailing octets are an error
 * @return NULL, or BRSKI_E_CERTIFICATE; BRSKI_E_LIMIT when larger than limits->certificate
 */
brski_err_t *brski_cert_parse(const brski_cert_t **out, brski_bytes_t der, const brski_limits_t *limits,
                              brski_cert_cache_t *cache, apr_pool_t *pool);

/** Wrap an X509 that somebody else parsed (mod_ssl); takes its own reference. */
brski_err_t *brski_cert_wrap(const brski_cert_t **out, X509 *x509, brski_cert_cache_t *cache, apr_pool_t *pool);

/** Let another pool hold a reference too. */
const brski_cert_t *brski_cert_ref(const brski_cert_t *cert, apr_pool_t *pool);

/** Read all certificates of a PEM (or one DER) file; array of const brski_cert_t *. Error names the file. */
brski_err_t *brski_cert_load(apr_array_header_t **out, const char *path, apr_pool_t *pool);

/** PEM text of a certificate, NUL-terminated. */
char *brski_cert_pem(const brski_cert_t *cert, apr_pool_t *pool);

/**
 * Make a cache of at most max certificates, safe for threads of one process; dies with the pool (never one that dies
 * before its users). When full, the least recently used leaves. Only certificates seen at least twice, and CAs, stay
 * long: a flood of one-time certificates cannot empty it.
 */
brski_cert_cache_t *brski_cert_cache_make(apr_size_t max, apr_pool_t *pool);

/** What a cache holds, and how often it knew a certificate that was asked for. */
typedef struct brski_cert_cache_numbers_t {
    apr_size_t certificates;
    apr_int64_t hits;
    apr_int64_t misses;
} brski_cert_cache_numbers_t;

/** @param cache  may be NULL: all 0 */
void brski_cert_cache_numbers(brski_cert_cache_numbers_t *numbers, brski_cert_cache_t *cache);

/** domainID of a certificate, RFC 8995 section 5.8.2: SubjectKeyIdentifier octets, or SHA-256 of the SPKI. Base64. */
char *brski_domain_id(const brski_cert_t *cert, apr_pool_t *pool);

/** MASA URL extension of an IDevID (1.3.6.1.5.5.7.1.32), NULL when absent; printable. */
const char *brski_cert_masa_url(const brski_cert_t *cert, apr_pool_t *pool);

/** DNS names of subjectAltName (no CN fallback), array of const char *, lower case; empty when none. */
apr_array_header_t *brski_cert_dns_names(const brski_cert_t *cert, apr_pool_t *pool);

/**
 * idevid-issuer as received (RFC 8366bis 6.3 and the forms seen in the wild: extnValue with OCTET STRING header, AKI
 * SEQUENCE, raw key identifier, issuer Name) reduced to what it says.
 * @param keyid  hex of the key identifier, or NULL
 * @param name   RFC 2253 text of the issuer name, or NULL
 * Neither when it is none of the four forms: such a value selects nothing and is logged.
 */
void brski_idevid_issuer_parse(const char **keyid, const char **name, brski_bytes_t value, apr_pool_t *pool);

/** idevid-issuer to send for an IDevID: form 1 (04 len, AKI SEQUENCE); SHA-1 of its key wrapped likewise without AKI. */
brski_bytes_t brski_idevid_issuer_make(const brski_cert_t *idevid, apr_pool_t *pool);

/**
 * When pool dies, free what OpenSSL needs for parsing certificates: for a module, whose code is unloaded with the
 * configuration. To be called before the first certificate is made in that pool or one below it; programs need not.
 */
void brski_x509_end_with(apr_pool_t *pool);

/* ---- chains ---- */

/** A chain from an end entity up; each verified to be signed by the next. */
typedef struct brski_chain_t {
    apr_array_header_t *certs;        /**< const brski_cert_t *, end entity first */
    int anchored;                     /**< top was found in the anchors given, not in the message */
    int self_signed_top;
} brski_chain_t;

/**
 * Build the chain of ee from a message's certificates alone, in any order, superfluous ones ignored. RFC 8995 5.5.2.
 * Issuer is found by name and key identifier and confirmed by its signature. Loops and lengths over the number of
 * certificates end.
 * @return NULL; a chain of one is fine
 */
brski_err_t *brski_chain_build(brski_chain_t **out, const brski_cert_t *ee, const apr_array_header_t *certs,
                               apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/**
 * PKIX validity of a built chain at a time, its top a temporary trust anchor. RFC 8995 5.5.3, RFC 5280 6.1: signatures,
 * validity with skew on both sides, basicConstraints, pathlen, keyUsage (an EE's must allow digitalSignature when
 * present), critical extensions, weak keys and digests. No purpose is required of the EE.
 * @return NULL; BRSKI_E_ALGORITHM; BRSKI_E_PKIX saying which certificate and why (expired since, not valid before, ...)
 */
brski_err_t *brski_chain_verify(const brski_chain_t *chain, apr_time_t at, apr_interval_time_t skew,
                                apr_pool_t *scratch_pool);

/** Trust anchors from PEM files; parsed once, immutable, shared by threads. array of const char * paths. */
brski_err_t *brski_anchors_load(brski_anchors_t **out, const apr_array_header_t *paths, apr_pool_t *pool);

/** Make anchors from certificates in memory. */
brski_err_t *brski_anchors_make(brski_anchors_t **out, const apr_array_header_t *certs, apr_pool_t *pool);

/** Certificates of the anchors, array of const brski_cert_t *. */
const apr_array_header_t *brski_anchors_certs(const brski_anchors_t *anchors);

/** Nonzero when a key (SPKI hash) is among the anchors. */
int brski_anchors_has_key(const brski_anchors_t *anchors, const unsigned char *spki_hash);

/** Flags of brski_anchors_verify(). */
#define BRSKI_VERIFY_IGNORE_EXPIRY 1  /**< IDevIDs that outlived their certificate: validity is not looked at */
#define BRSKI_VERIFY_CA 2             /**< ee is itself a CA that is asked about: it need not be allowed to sign messages */

/**
 * Verify ee up to one of the anchors, with certs as helpers. An anchor needs not be self-signed.
 * @param chain  the path found, EE first, anchor last; may be NULL
 * @return NULL, or BRSKI_E_PKIX saying why
 */
brski_err_t *brski_anchors_verify(brski_chain_t **chain, const brski_anchors_t *anchors, const brski_cert_t *ee,
                                  const apr_array_header_t *certs, apr_time_t at, apr_interval_time_t skew,
                                  int flags, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

#endif
