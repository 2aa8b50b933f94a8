/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_voucher.h: RFC 8366 voucher and RFC 8995 voucher-request, struct <-> JSON <-> signed artifact. One struct for
 * all of them, since they share their leaves; kind says which one it is. Text that is carried through unchanged (nonce,
 * serial-number) is kept exactly as it was written.
 */
#ifndef BRSKI_VOUCHER_H
#define BRSKI_VOUCHER_H

#include "brski.h"
#include "brski_cms.h"

typedef enum brski_voucher_kind_t {
    BRSKI_VOUCHER = 1,                /**< "ietf-voucher:voucher" */
    BRSKI_VOUCHER_REQUEST             /**< "ietf-voucher-request:voucher": PVR and RVR */
} brski_voucher_kind_t;

typedef struct brski_voucher_t {
    brski_voucher_kind_t kind;
    brski_assertion_t assertion;
    apr_time_t created_on;            /**< 0 when absent or unreadable in a request */
    apr_time_t expires_on;            /**< 0 when absent */
    apr_time_t last_renewal_date;     /**< 0 when absent */
    const char *serial_number;        /**< UTF-8, as written; mandatory */
    brski_bytes_t idevid_issuer;      /**< as received, all forms; len 0 when absent */
    const char *nonce;                /**< text as written, never decoded; NULL when absent */
    brski_bytes_t pinned_domain_cert; /**< DER */
    int domain_cert_revocation_checks;/**< 1, 0, -1 absent */
    brski_bytes_t prior_signed_voucher_request;
    brski_bytes_t proximity_registrar_cert; /**< DER of the registrar's TLS certificate as the pledge saw it */
    brski_bytes_t proximity_registrar_pubk; /**< SPKI DER */
    brski_bytes_t proximity_registrar_pubk_sha256;
    apr_array_header_t *unknown;      /**< const char *: names of members that were ignored, printable */
} brski_voucher_t;

/** A signed artifact, opened: leaves and the CMS they came from. Its signature is not verified by opening. */
typedef struct brski_signed_t {
    brski_format_t format;
    brski_bytes_t raw;                /**< the whole message, kept by the caller */
    brski_cms_t *cms;
    brski_voucher_t *voucher;
} brski_signed_t;

/**
 * Read the JSON of a voucher or voucher-request. RFC 8366 5.3, RFC 7951: one top-level member, base64 binaries, booleans (also
 * quoted), duplicate keys refused, unknown members noted. In a request created-on that is no date-time is noted as unknown.
 * @param kind  what it must be; the other top-level member is BRSKI_E_JSON
 * @return NULL; BRSKI_E_JSON; BRSKI_E_FIELD naming the member; BRSKI_E_LIMIT
 */
brski_err_t *brski_voucher_parse(brski_voucher_t **out, brski_bytes_t json, brski_voucher_kind_t kind,
                                 const brski_limits_t *limits, apr_pool_t *pool);

/** JSON text of v, compact; members in the order of the RFC's tree; absent ones left out. Keeps RFC 8366's exclusions
 * (nonce with expires-on, last-renewal-date without expires-on): BRSKI_E_INTERNAL. */
brski_err_t *brski_voucher_json(const char **out, const brski_voucher_t *v, apr_pool_t *pool);

/** Open a signed artifact: container and leaves, no signature. Format CMS only today. */
brski_err_t *brski_signed_open(brski_signed_t **out, brski_bytes_t raw, brski_format_t format,
                               brski_voucher_kind_t kind, const brski_limits_t *limits,
                               brski_cert_cache_t *cache, apr_pool_t *pool);

/** "verified", "logged", "proximity", "agent-proximity"; NULL for none. */
const char *brski_assertion_text(brski_assertion_t a);
brski_assertion_t brski_assertion_parse(const char *text);

/** "cms", "jws", "cose"; and the media type to send. */
const char *brski_format_text(brski_format_t f);
const char *brski_format_media_type(brski_format_t f);

/**
 * Format of a request from its Content-Type: application/voucher-cms+json, and the names of before the RFC
 * (application/pkcs7-mime with or without smime-type). Parameters are ignored.
 * @return NULL, or BRSKI_E_MEDIA_TYPE for a missing, unparsable or unknown one (one that names JWS or COSE says
 *         that this MASA does not read it yet)
 */
brski_err_t *brski_format_from_content_type(brski_format_t *f, const char *content_type, apr_pool_t *scratch_pool);

/**
 * Choose the voucher's format. No Accept, or one with a wildcard, means the request's own format if the device understands it, else the
 * product's first. RFC 8995 5.6, RFC 9110 12.5.1 (q values, q=0 excludes).
 * @param offered  array of brski_format_t the device understands, default first
 * @return NULL; BRSKI_E_ACCEPT when it cannot be parsed; BRSKI_E_NOT_ACCEPTABLE
 */
brski_err_t *brski_format_negotiate(brski_format_t *f, const char *accept, brski_format_t request_format,
                                    const apr_array_header_t *offered, apr_pool_t *scratch_pool);

#endif
