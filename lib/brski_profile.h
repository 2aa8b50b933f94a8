/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile.h: the template that certificates are built from (ESTProfile). A certificate is
 * made from the profile, the requester's facts and the CSR's key; of the CSR's wishes only those
 * that the profile names are taken. From the same profile come the CSR attributes that a client is
 * told (RFC 7030 4.5.2 as corrected by RFC 8951, templates of RFC 9908), so that what is asked for
 * is what is given.
 */
#ifndef BRSKI_PROFILE_H
#define BRSKI_PROFILE_H

#include "brski.h"
#include "brski_csr.h"
#include "brski_x509.h"

/** What is done with a wish that the profile does not grant. */
typedef enum brski_excess_t { BRSKI_EXCESS_REFUSE = 1, BRSKI_EXCESS_DROP } brski_excess_t;

/** Key usages, bits of RFC 5280 4.2.1.3 that an end entity may have. */
#define BRSKI_KU_DIGITAL_SIGNATURE 1
#define BRSKI_KU_KEY_ENCIPHERMENT 2
#define BRSKI_KU_KEY_AGREEMENT 4

/**
 * Every field set. Patterns may hold %{serial}, %{manufacturer}, %{user} and %{cn} (the CSR's common
 * name) and are filled per requester, value by value: what is filled in never becomes syntax.
 */
typedef struct brski_profile_t {
    /** "CN=%{serial},O=Example" as in RFC 4514, or "csr": the CSR's own subject. */
    const char *subject;
    /** const char *: "DNS:%{serial}.example", "URI:", "IP:", "email:", "otherName:OID;IA5:...",
     *  "csr-dns:*.example" (DNS names of the CSR below a domain). */
    apr_array_header_t *san;
    int key_usage;                    /**< BRSKI_KU_..., as far as the key can */
    apr_array_header_t *eku;          /**< const char *: dotted OIDs */
    apr_array_header_t *policies;     /**< const char *: certificatePolicies, dotted */
    apr_interval_time_t lifetime;
    apr_interval_time_t backdate;     /**< notBefore is so much earlier, for clocks that are late */
    /** const char *: "p256", "p384", "p521", "ed25519", "rsa2048" (that or longer) to "rsa4096"; the
     *  first is what csrattrs asks for. */
    apr_array_header_t *key_types;
    brski_excess_t excess;
    int crl_ocsp;                     /**< 1: the CA's CRL and OCSP URLs stand in it */
} brski_profile_t;

/** A device's serial-number as subject, client authentication, one year, excess refused. */
extern const brski_profile_t brski_profile_default;

/** Who asks, as far as it is known. */
typedef struct brski_requester_t {
    const char *manufacturer; /**< NULL: not a device */
    const char *serial_number;
    const char *user;                /**< authenticated by httpd; NULL */
    const brski_cert_t *client_cert; /**< TLS; NULL */
} brski_requester_t;

/** What goes into a certificate; subject and extensions in DER. */
typedef struct brski_template_t {
    brski_bytes_t subject;
    apr_array_header_t *extensions; /**< brski_csr_extension_t *: all but AKI, SKI, CRL and AIA,
                                       which the CA adds */
    brski_bytes_t spki;
    apr_time_t not_before;
    apr_time_t not_after;
    int crl_ocsp; /**< the CA's CRL and OCSP URLs stand in it */
} brski_template_t;

/** Read a profile's words, as directives have them.
 *  @return what is wrong and would be right, or NULL */
const char *brski_profile_check(const brski_profile_t *profile, apr_pool_t *pool);

/**
 * Build the template. RFC 7030 4.2.1, RFC 8995 5.9.2: the CSR is held against what the profile
 * offers.
 * @return NULL; BRSKI_E_CSR_KEY (400); BRSKI_E_CSR_SUBJECT, BRSKI_E_CSR_EXTENSION (403) when excess
 * is refuse and the CSR wants more (CA:TRUE, keyCertSign, foreign names, unknown extensions are
 * never granted under any setting)
 */
brski_err_t *brski_profile_apply(brski_template_t **out, const brski_profile_t *profile,
                                 const brski_requester_t *requester, const brski_csr_t *csr,
                                 apr_time_t now, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** As brski_profile_apply() for simplereenroll, RFC 7030 4.2.2: subject and SAN are the old
 * certificate's, byte for byte as far as DER goes; BRSKI_E_REENROLL_SUBJECT (403) when the CSR
 * differs. Everything else is the profile's. */
brski_err_t *brski_profile_renew(brski_template_t **out, const brski_profile_t *profile,
                                 const brski_requester_t *requester, const brski_csr_t *csr,
                                 const brski_cert_t *old, apr_time_t now, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);

/**
 * CSR attributes (DER CsrAttrs) for a requester: key type, extensionRequest with SAN and EKU where
 * they are fixed, challengePassword when pop is required, signature algorithm; and the RFC 9908
 * template beside them. RFC 7030 4.5.2, RFC 8951 3.5, RFC 8995 5.9.2.
 * @param der  len 0: no wishes (204)
 */
brski_err_t *brski_csrattrs_make(brski_bytes_t *der, const brski_profile_t *profile,
                                 const brski_requester_t *requester, brski_pop_t pop,
                                 apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** CSR attributes as a client reads them. */
typedef struct brski_csrattrs_t {
    int challenge_password;
    const char *key_type;           /**< "p256", ..., NULL */
    brski_bytes_t san;              /**< GeneralNames DER asked for; len 0 */
    brski_bytes_t subject;          /**< Name DER dictated by a template; len 0 */
    apr_array_header_t *extensions; /**< brski_csr_extension_t * asked for */
    apr_array_header_t *unknown;    /**< const char *: dotted OIDs that were ignored */
} brski_csrattrs_t;
/**
 * Read them, old style (bare OIDs inside extensionRequest included) and RFC 9908, whose template
 * counts alone when it is there (but for challengePassword).
 * @return NULL or BRSKI_E_INPUT
 */
brski_err_t *brski_csrattrs_parse(brski_csrattrs_t **out, brski_bytes_t der,
                                  const brski_limits_t *limits, apr_pool_t *pool);

#endif
