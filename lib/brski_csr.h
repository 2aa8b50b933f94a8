/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr.h: a PKCS#10 certification request (RFC 2986), read liberally and judged strictly. What
 * clients send: base64 in one line or many, PEM, plain DER, with or without
 * Content-Transfer-Encoding (RFC 8951). Nothing in it is believed beyond the key, whose possession
 * its signature proves; subject, names and extensions are wishes for brski_profile.h.
 */
#ifndef BRSKI_CSR_H
#define BRSKI_CSR_H

#include "brski.h"
#include "brski_x509.h"

typedef struct brski_csr_t {
    brski_bytes_t der;
    EVP_PKEY *key;            /**< belongs to the pool */
    brski_bytes_t spki;       /**< DER of SubjectPublicKeyInfo */
    const char *spki_hex;     /**< hex SHA-256 of it */
    brski_bytes_t subject;    /**< DER of the Name */
    const char *subject_text; /**< RFC 2253, printable */
    apr_array_header_t *extensions; /**< brski_csr_extension_t *: of the extensionRequest */
    brski_bytes_t san;        /**< extnValue's content (GeneralNames DER); len 0 when absent */
    const char *challenge_password; /**< NULL when absent */
    brski_bytes_t change_subject;   /**< id-cmc-changeSubjectName value DER; len 0 when absent */
    apr_array_header_t *other;      /**< const char *: dotted OIDs of other attributes */
} brski_csr_t;

typedef struct brski_csr_extension_t {
    const char *oid; /**< dotted */
    int critical;
    brski_bytes_t value; /**< content of extnValue's OCTET STRING */
} brski_csr_extension_t;

/** The octets of an EST body: PEM, base64 with any white space, or DER. RFC 7030 4.2.1, RFC 8951 3.1.
 *  @return NULL, or BRSKI_E_EST_BODY; BRSKI_E_LIMIT */
brski_err_t *brski_est_body_decode(brski_bytes_t *der, brski_bytes_t body,
                                   const brski_limits_t *limits, apr_pool_t *pool);

/**
 * Parse, and verify the proof of possession (its own signature).
 * @return NULL; BRSKI_E_CSR (400) for what is no CSR, naming an X.509 certificate when it is one;
 * BRSKI_E_CSR_SIGNATURE (400); BRSKI_E_CSR_KEY (400) for weak or unknown keys
 */
brski_err_t *brski_csr_parse(brski_csr_t **out, brski_bytes_t der, const brski_limits_t *limits,
                             apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** RFC 2253 text of a Name's DER, safe to print; "" for an empty one, NULL when it is none. */
const char *brski_csr_name_text(brski_bytes_t name, apr_pool_t *pool);

/** PKCS#7 certs-only (degenerate SignedData) of certificates' DER (brski_bytes_t), as RFC
 * 7030 4.1.3 and 4.2.3 want it: version 1, empty digestAlgorithms, id-data without content, empty
 * signerInfos. */
brski_err_t *brski_certs_only_make(brski_bytes_t *out, const apr_array_header_t *certs,
                                   apr_pool_t *pool);
/** Take one apart; array of const brski_cert_t *. For clients and tests. */
brski_err_t *brski_certs_only_parse(apr_array_header_t **certs, brski_bytes_t der,
                                    const brski_limits_t *limits, apr_pool_t *pool);

/** What TLS offers to bind a request to its connection. */
typedef struct brski_binding_t {
    brski_bytes_t unique;   /**< tls-unique (RFC 5929), TLS 1.2 with extended master secret; or len 0 */
    brski_bytes_t exporter; /**< tls-exporter (RFC 9266), 32 octets; TLS 1.2 and 1.3 */
} brski_binding_t;
typedef enum brski_pop_t { BRSKI_POP_OFF = 1, BRSKI_POP_OPTIONAL, BRSKI_POP_REQUIRED } brski_pop_t;
/** RFC 7030 3.5: challengePassword against the connection. @return NULL; BRSKI_E_POP_REQUIRED;
 * BRSKI_E_POP (both 403) */
brski_err_t *brski_csr_check_pop(const brski_csr_t *csr, const brski_binding_t *binding,
                                 brski_pop_t pop, apr_pool_t *scratch_pool);

#endif
