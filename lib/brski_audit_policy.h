/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_audit_policy.h: reading a MASA's audit log and judging it, RFC 8995 5.8.1 and 5.8.3: who has had this device, and does the operator
 * accept that? Pure: octets and a policy in, a verdict with its reason out.
 */
#ifndef BRSKI_AUDIT_POLICY_H
#define BRSKI_AUDIT_POLICY_H

#include "brski.h"
#include "brski_records.h"

typedef enum brski_audit_word_t { BRSKI_AUDIT_ACCEPT = 1, BRSKI_AUDIT_WARN, BRSKI_AUDIT_REFUSE } brski_audit_word_t;

/** ESTAuditPolicy. Zero-filled it is not a policy: brski_audit_policy_default is. */
typedef struct brski_audit_policy_t {
    apr_array_header_t *known;        /**< const char *: domainIDs (base64) that are accepted beside our own; may be NULL */
    apr_array_header_t *nonceless_known; /**< const char *: domainIDs that may have nonceless events; may be NULL */
    brski_audit_word_t unknown;       /**< entries "nonced" of a domain that is neither ours nor known; refuse */
    brski_audit_word_t logged;        /**< of such a domain whose assertion was only "logged"; refuse */
    brski_audit_word_t nonceless;     /**< nonceless entries of domains not in nonceless_known; ours too unless listed; refuse */
    brski_audit_word_t truncated;     /**< "arbitrary" above 0, or more duplicates than the entries shown account for; warn */
    brski_audit_word_t version;       /**< a version above 1; warn: what is known is judged */
    brski_audit_word_t missing;       /**< the MASA has no log for us (404), or ours is not in it; refuse */
    brski_audit_word_t garbage;       /**< an answer that is no audit log; refuse */
    apr_time_t ignore_before;         /**< entries older than this do not count (bought second hand); 0: all count */
    int ignore_history;               /**< all entries but ours: only with attestation by other means */
    int max_events;                   /**< more than these warn; 0: any number */
} brski_audit_policy_t;

extern const brski_audit_policy_t brski_audit_policy_default;

typedef struct brski_audit_judgement_t {
    brski_verdict_t verdict;          /**< GOOD, WARN or BAD */
    const char *rule;                 /**< the policy word that decided: "unknown", "nonceless", ... ; "" when good */
    const char *text;                 /**< for a human, printable: which domainID, when */
    int version;
    int events;
} brski_audit_judgement_t;

/**
 * @param own       const char *: our domainIDs, history included
 * @param log       octets of the MASA's answer; len 0: there is none (404)
 * @param attested  nonzero: a human vouches for the device: history is read, told and overridden (never "garbage")
 * @return always NULL but for BRSKI_E_INTERNAL: what cannot be read is judged as garbage
 */
brski_err_t *brski_audit_judge(brski_audit_judgement_t **out, const brski_audit_policy_t *policy,
                               const apr_array_header_t *own, brski_bytes_t log, int attested,
                               const brski_limits_t *limits, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

#endif
