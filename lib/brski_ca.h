/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_ca.h: an issuing CA, as a vtable. A kind is an httpd provider of group "est-ca" (name
 * "local"; a third module may add one): it turns a template that a registrar has approved into a
 * certificate. It decides nothing and keeps nothing: what is issued is recorded by the caller
 * before anybody sees it (brski_enroll.h). Used by many threads at once. issue() may block (another
 * CA far away); a kind that says so is never called with a database connection in hand.
 */
#ifndef BRSKI_CA_H
#define BRSKI_CA_H

#include "brski.h"
#include "brski_profile.h"
#include "brski_records.h"

#define BRSKI_CA_PROVIDER_GROUP "est-ca"
#define BRSKI_CA_PROVIDER_VERSION "0"

typedef struct brski_ca_t brski_ca_t;

typedef struct brski_ca_kind_t {
    const char *name; /**< "local": first word of ESTCA */
    int blocks;       /**< issue() may take long */
    /** Check arguments, files and keys (check_config, estctl doctor). @return NULL or
     * BRSKI_E_CONFIG whose public text says what is wrong and would be right */
    brski_err_t *(*check)(const apr_array_header_t *args, apr_time_t now, apr_pool_t *scratch_pool);
    /** Make one usable in this process. args: const char * after the kind's word. */
    brski_err_t *(*make)(brski_ca_t **out, const apr_array_header_t *args, const brski_ctx_t *ctx,
                         apr_pool_t *pool);
    /**
     * Issue. @param cert DER
     * @return NULL; BRSKI_E_CA_UNAVAILABLE (503); BRSKI_E_CA_REFUSED (403) when that CA will not
     */
    brski_err_t *(*issue)(brski_bytes_t *cert, brski_ca_t *ca, const brski_template_t *tmpl,
                          apr_pool_t *result_pool, apr_pool_t *scratch_pool);
    /** Make a CRL; NULL member when the CA is not ours to speak for. revoked: brski_issued_t *. */
    brski_err_t *(*crl)(brski_bytes_t *der, brski_ca_t *ca, const apr_array_header_t *revoked,
                        apr_int64_t number, apr_time_t this_update, apr_time_t next_update,
                        apr_pool_t *result_pool, apr_pool_t *scratch_pool);
} brski_ca_kind_t;

struct brski_ca_t {
    const brski_ca_kind_t *kind;
    const char *key_id;        /**< hex SHA-256 of the issuing SPKI */
    apr_array_header_t *chain; /**< const brski_cert_t *: issuing certificate up to the root, then
                                  rollover certificates */
    brski_bytes_t cacerts;     /**< certs-only DER of what /cacerts tells; made once */
    const char *crl_url;       /**< stands in certificates; NULL */
    const char *ocsp_url;
    const brski_err_t *away; /**< why it cannot issue now; NULL */
    void *state;
};

/** A CA whose key is in a file here: ESTCA local CHAIN.pem KEY-URI. Serial numbers are random, 128
 * bits (RFC 5280 4.1.2.2). notAfter never passes the CA's own. */
extern const brski_ca_kind_t brski_ca_kind_local;

#endif
