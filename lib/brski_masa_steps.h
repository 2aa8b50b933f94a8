/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_steps.h: what the files of the MASA's decision share and nobody else needs: one request on its way, and the
 * steps that are long enough to have a file of their own. A decision has three phases: what the message alone proves (done
 * once), what the records say of it (done again when they moved), and the one write. Everything lives in the decision's
 * scratch pool; only the answer leaves it.
 */
#ifndef BRSKI_MASA_STEPS_H
#define BRSKI_MASA_STEPS_H

#include "brski_masa.h"

typedef struct brski_prior_t brski_prior_t;

typedef struct brski_decision_t {
    const brski_masa_t *masa;
    const brski_masa_request_t *request;
    brski_masa_answer_t *answer;
    apr_time_t now;                   /**< one clock reading a decision */
    int judge_only;                   /**< explain: nothing is signed or written */
    apr_pool_t *result_pool;
    apr_pool_t *pool;                 /**< scratch, as long as the decision */

    /* proven by the message alone: brski_masa_verify() */
    brski_format_t format;
    const char *request_hash;
    brski_signed_t *rvr;
    const char *issuer_keyid;         /**< of idevid-issuer, hex; NULL when it does not say */
    const char *issuer_name;
    brski_chain_t *chain;
    brski_prior_t *prior;             /**< opened when first asked for */
    int chain_judged;                 /**< whether it is a public CA's is known: */
    int chain_public;

    /* said by the records */
    brski_identity_t *identity;
    brski_facts_t *facts;
    const brski_device_t *device;
    const brski_product_t *product;

    /* decided */
    int proximity;
    int verified;
    brski_format_t voucher_format;
    const brski_cert_t *pin;
    brski_assertion_t assertion;
    apr_time_t expires_on;
    const brski_signer_t *signer;
    const char *voucher_json;
    const brski_signer_t *voucher_signer; /**< who made voucher, which is kept between rounds */
    brski_bytes_t voucher;

    const char *seen;                 /**< of the step at hand, for explain */
    int skipped;
} brski_decision_t;

/** A decision at its beginning; sets *answer. */
brski_decision_t *brski_decision_make(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                      const brski_masa_request_t *request, apr_time_t now,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** An error, moved to the answer's pool: it is returned, and scratch may be gone by then. */
brski_err_t *brski_decision_err(const brski_decision_t *d, brski_err_t *err);

/** Where this decision's lines go; may be NULL. */
const brski_log_t *brski_decision_log(const brski_decision_t *d);

/* ---- steps ---- */

/** Judge one rule, keep it for explain, and leave with its error when it failed. */
#define BRSKI_STEP(d, section, rule, call) BRSKI_TRY(brski_step(d, section, rule, call))

/** Record a rule with its outcome when somebody wants to know; returns err. */
brski_err_t *brski_step(brski_decision_t *d, const char *section, const char *rule, brski_err_t *err);

/** Say what a rule saw, for explain; printable. Costs nothing in the server. */
#define BRSKI_SAW(d, ...) do { if ((d)->answer->steps) brski_saw(d, 0, __VA_ARGS__); } while (0)
/** Say why a rule was not judged. */
#define BRSKI_SKIP(d, ...) do { if ((d)->answer->steps) brski_saw(d, 1, __VA_ARGS__); } while (0)
void brski_saw(brski_decision_t *d, int skipped, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- brski_masa.c ---- */

/** RFC 8995 5.5 to 5.5.4: everything that the message alone proves. */
brski_err_t *brski_masa_verify(brski_decision_t *d);
/** Read the facts for this request and an identity. */
brski_err_t *brski_masa_read(brski_decision_t *d, const brski_identity_t *identity);
/** RFC 8995 5.5.4 to 5.6: everything that is judged by the records. Changes nothing outside d. */
brski_err_t *brski_masa_judge(brski_decision_t *d);
/** RFC 8995 5.5.3: OCSP and CRLs of the registrar's chain, asked when everything else has passed. */
brski_err_t *brski_masa_check_revocation(brski_decision_t *d);
/** As brski_masa_identity(), at the decision's time; brski_masa_identity.c. */
brski_identity_t *brski_decision_identity(brski_decision_t *d, const brski_masa_request_t *request,
                                          const brski_chain_t *chain);

/* ---- brski_masa_device.c ---- */

/** The devices that this request can mean, brski_device_t *: none, one or several. RFC 8995 5.6. */
apr_array_header_t *brski_masa_candidates(brski_decision_t *d);
/** The one device, and its product line. */
brski_err_t *brski_masa_find_device(brski_decision_t *d);
/** 10.4: blocked, stolen, end of life, locked by its owner. */
brski_err_t *brski_masa_check_state(brski_decision_t *d);
/** 5.6: the signer that the device trusts. */
brski_err_t *brski_masa_choose_signer(brski_decision_t *d);
/** Product line by name, NULL when this node has none. */
const brski_product_t *brski_masa_product(const brski_masa_t *masa, const char *name);
/** A grant of the known customer that holds for the product now; NULL when there is none. */
const brski_grant_t *brski_masa_grant(const brski_decision_t *d, const char *what);

/* ---- brski_masa_prior.c ---- */

/** 5.5.5: the pledge's own request proves proximity, or policy does without. Sets d->proximity. */
brski_err_t *brski_masa_check_prior(brski_decision_t *d);
/** 5.5.6: one nonce. */
brski_err_t *brski_masa_check_nonce(brski_decision_t *d);
/** Nonzero when the prior request's IDevID chains to the product line's anchors; its signature is not looked at. */
int brski_masa_prior_is_of(brski_decision_t *d, const brski_product_t *product, const brski_device_t *device);
/** Nonzero when the prior request is signed by this very device, or none was sent. Nonce and proximity are not looked at. */
int brski_masa_prior_is_from(brski_decision_t *d, const brski_product_t *product, const brski_device_t *device);
/** The pledge's request, NULL when there is none that can be read. */
const brski_voucher_t *brski_masa_prior_voucher(brski_decision_t *d);
/** IDevID that the pledge's request names as its signer, NULL when there is none. */
const brski_cert_t *brski_masa_prior_idevid(brski_decision_t *d);

/* ---- brski_masa_log.c ---- */

/** RFC 8995 5.8 on a decision already made; with judge_only nothing is noted. */
brski_err_t *brski_masa_judge_log(brski_decision_t *d);

/* ---- brski_masa_pin.c ---- */

/** 5.5.2: the certificate that the voucher pins, and its domainID. */
brski_err_t *brski_masa_choose_pin(brski_decision_t *d);
/** Nonzero when a CA of a verified chain is public, or was issued by a public one; expired ones included. */
int brski_masa_public_chain(const brski_masa_t *masa, const brski_chain_t *chain, apr_time_t at,
                            apr_pool_t *scratch_pool);
/** Key of the CA that issued the request's signer when it is private, else "". */
const char *brski_masa_private_issuer(brski_decision_t *d);
/** Nonzero when a key is among the chain's certificates from the nth on. */
int brski_masa_chain_has(const brski_chain_t *chain, int from, const char *spki_hex);

#endif
