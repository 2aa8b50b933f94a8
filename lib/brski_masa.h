/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa.h: the MASA's two decisions: a voucher-request in, a voucher or a refusal out (RFC 8995 5.5-5.7); a
 * voucher-request in, the audit log or a refusal out (5.8). Each is one function that reads like those sections from top
 * to bottom. Deciding, signing and writing the event are one call: no caller ever sees a key, and no voucher exists
 * without its durable event. The configuration is made at start and never changes; any number of threads decide at once.
 */
#ifndef BRSKI_MASA_H
#define BRSKI_MASA_H

#include "brski.h"
#include "brski_cms.h"
#include "brski_owner.h"
#include "brski_revoke.h"
#include "brski_signer.h"
#include "brski_store.h"
#include "brski_voucher.h"

typedef enum brski_pin_policy_t { BRSKI_PIN_EE = 1, BRSKI_PIN_LOWEST_CA, BRSKI_PIN_HIGHEST_CA } brski_pin_policy_t;
/** "ee", "lowest-ca", "highest-ca", as directives and grants have them; 0 and NULL for what is none. */
brski_pin_policy_t brski_pin_policy_parse(const char *word);
const char *brski_pin_policy_text(brski_pin_policy_t policy);
typedef enum brski_proximity_policy_t {
    BRSKI_PROXIMITY_REQUIRED = 1,     /**< a missing or failing prior request is refused */
    BRSKI_PROXIMITY_OPTIONAL,         /**< a missing one gives "logged"; a failing one is refused */
    BRSKI_PROXIMITY_DOWNGRADE         /**< as optional, and a failing one gives "logged" where device or customer was granted it */
} brski_proximity_policy_t;
typedef enum brski_nonceless_policy_t {
    BRSKI_NONCELESS_DENY = 1, BRSKI_NONCELESS_SOLD, BRSKI_NONCELESS_CUSTOMER
} brski_nonceless_policy_t;

/** One product line (<MASAProduct>). Every field set: defaults were applied by the maker. */
typedef struct brski_product_t {
    const char *name;
    const brski_anchors_t *idevid_anchors;
    apr_array_header_t *signers;      /**< brski_signer_t *: of this line, in configured order; nonceless ones among them */
    const brski_owner_t *owner;
    brski_nonceless_policy_t nonceless;
    apr_interval_time_t nonceless_lifetime; /**< 0: without end */
    brski_pin_policy_t pin_nonced;
    brski_pin_policy_t pin_nonceless;
    brski_proximity_policy_t proximity;
    apr_array_header_t *formats;      /**< brski_format_t, default first */
    brski_econtent_t econtent;        /**< what is written in vouchers */
    int ignore_idevid_expiry;
} brski_product_t;

typedef struct brski_masa_t {
    const brski_ctx_t *ctx;
    const brski_limits_t *limits;
    brski_store_t *store;             /**< tenant included */
    brski_cert_cache_t *cache;        /**< may be NULL */
    brski_revoke_t *revoke;           /**< NULL when revocation is off */
    brski_revocation_t revocation;
    apr_array_header_t *products;     /**< brski_product_t * */
    const brski_anchors_t *public_cas;/**< never pinned, never an owner's CA; may be NULL */
    const brski_anchors_t *customer_anchors; /**< MASACustomerAnchor; may be NULL */
    apr_interval_time_t skew;         /**< of clocks; 5 min */
    apr_interval_time_t reuse;        /**< how long identical bytes get the stored voucher; 0 never */
    apr_interval_time_t max_age;      /**< a created-on older than this is stale; 0: not looked at */
} brski_masa_t;

/** A request as the host received it. */
typedef struct brski_masa_request_t {
    brski_bytes_t body;
    const char *content_type;         /**< NULL when missing */
    const char *accept;               /**< NULL when missing */
    const char *request_id;           /**< made by the host, printable, unique */
    const brski_cert_t *client_cert;  /**< TLS client certificate, its key proven; NULL when none */
    const apr_array_header_t *client_chain; /**< const brski_cert_t *: sent beside it; may be NULL */
    const char *user;                 /**< authenticated by httpd; NULL when none */
    const char *address;
    const brski_log_t *log;           /**< of this request; may be NULL */
} brski_masa_request_t;

/** What was decided, filled as far as the decision came, also when it fails: for logs, environment and evidence. */
typedef struct brski_masa_answer_t {
    brski_bytes_t body;               /**< voucher, or audit log's JSON */
    const char *content_type;
    brski_format_t format;
    const char *serial_number;        /**< as read; NULL until then */
    const char *product;
    const char *domain_id;
    const char *signer;
    const char *customer;
    brski_assertion_t assertion;
    int reused;                       /**< a stored voucher was sent again */
    apr_array_header_t *steps;        /**< brski_step_t: rule by rule, when trace was asked for; else NULL */
} brski_masa_answer_t;

/** One rule as it was judged, for `masactl explain`. */
typedef struct brski_step_t {
    const char *section;              /**< "5.5.6" */
    const char *rule;                 /**< "nonce" */
    int passed;                       /**< 1 passed, 0 failed, -1 not judged */
    const char *text;                 /**< what was seen, one line, printable */
} brski_step_t;

/**
 * Decide on a voucher-request, sign, write the event. RFC 8995 5.5-5.7.
 * @param answer   always set, also when refused; answer->body only on success
 * @return NULL with the voucher; else an error whose status and public text are the answer to the client; it lives in
 *         result_pool, as the answer does
 */
brski_err_t *brski_masa_requestvoucher(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                       const brski_masa_request_t *request, apr_pool_t *result_pool,
                                       apr_pool_t *scratch_pool);

/**
 * Decide who may read a device's log, and make it. RFC 8995 5.8. A requester is an owner when a key proven now is one the
 * events record: TLS key in the request's chain or recorded with the event, a known customer of the event, the pinned key or a
 * private issuing CA in the verified chain of a fresh request. A domainID or key identifier alone opens nothing.
 * @return NULL with the JSON; BRSKI_E_DEVICE_UNKNOWN and BRSKI_E_NO_OWNER are both 404
 */
brski_err_t *brski_masa_requestauditlog(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                        const brski_masa_request_t *request, apr_pool_t *result_pool,
                                        apr_pool_t *scratch_pool);

/**
 * Judge a kept request again, rule by rule, without signing or writing: `masactl explain`. Stops at the first rule that
 * fails, as the decision did. answer->steps tells each.
 * @param at  the time it came: the clock of the judgement
 */
brski_err_t *brski_masa_explain(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                const brski_masa_request_t *request, const char *operation, apr_time_t at,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/**
 * The identity that a request proves, RFC 8995 5.4 and 5.5.4: keys "spki:", "ca:", "dns:", "user:" (brski_identity_t).
 * @param chain  verified chain of the voucher-request's signer; NULL for the transport alone
 */
brski_err_t *brski_masa_identity(brski_identity_t **identity, const brski_masa_t *masa, const brski_chain_t *chain,
                                 const brski_masa_request_t *request, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);

#endif
