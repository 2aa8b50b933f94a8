/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_pin.c: which certificate of the registrar's chain the voucher pins, RFC 8995 5.5.2.
 * The registrar says by what it includes how far it wants to go, policy says how far it may. A
 * public CA is never pinned (5.5): whoever it certifies would own the device.
 */
#include "brski_masa_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_err.h"

int brski_masa_public_ca(const brski_masa_t *masa, const brski_cert_t *ca,
                         const apr_array_header_t *helpers, apr_time_t at,
                         apr_pool_t *scratch_pool)
{
    if (!masa->public_cas) {
        return 0;
    }
    if (brski_anchors_has_key(masa->public_cas, ca->spki_hash)) {
        return 1;
    }
    if (ca->self_issued) {
        return 0;
    }
    return brski_anchors_verify(NULL, masa->public_cas, ca, helpers, at, masa->skew,
                                BRSKI_VERIFY_IGNORE_EXPIRY | BRSKI_VERIFY_CA, scratch_pool,
                                scratch_pool) == NULL;
}

int brski_masa_chain_has(const brski_chain_t *chain, int from, const char *spki_hex)
{
    int i;

    if (!spki_hex || !*spki_hex) {
        return 0;
    }
    for (i = from; i < chain->certs->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(chain->certs, i, const brski_cert_t *)->spki_hex, spki_hex)) {
            return 1;
        }
    }
    return 0;
}

static const brski_cert_t *nth(const brski_decision_t *d, int i)
{
    return APR_ARRAY_IDX(d->chain->certs, i, const brski_cert_t *);
}

static int private_ca(const brski_decision_t *d, const brski_cert_t *cert)
{
    return cert->ca && !brski_masa_public_ca(d->masa, cert, d->chain->certs, d->now, d->pool);
}

const char *brski_masa_private_issuer(brski_decision_t *d)
{
    return d->chain->certs->nelts > 1 && private_ca(d, nth(d, 1)) ? nth(d, 1)->spki_hex : "";
}

/* ---- the policy ---- */

/* In the order of the enumeration. */
static const char *const words[] = { NULL, "ee", "lowest-ca", "highest-ca" };
#define WORDS (sizeof(words) / sizeof(words[0]))

brski_pin_policy_t brski_pin_policy_parse(const char *word)
{
    apr_size_t i;

    for (i = 1; i < WORDS; i++) {
        if (!strcmp(words[i], word)) {
            return (brski_pin_policy_t)i;
        }
    }
    return (brski_pin_policy_t)0;
}

const char *brski_pin_policy_text(brski_pin_policy_t policy)
{
    return (apr_size_t)policy < WORDS ? words[policy] : NULL;
}

/* What the customer was granted, else the product line's policy. */
static brski_pin_policy_t pin_policy(const brski_decision_t *d)
{
    const brski_grant_t *grant = brski_masa_grant(d, "pin");
    brski_pin_policy_t granted = grant ? brski_pin_policy_parse(grant->value) : 0;

    if (granted) {
        return granted;
    }
    return d->rvr->voucher->nonce ? d->product->pin_nonced : d->product->pin_nonceless;
}

/* The CA nearest to the registrar, or the farthest, that is not public; the registrar's own
 * certificate when there is none. */
static const brski_cert_t *pin_by(const brski_decision_t *d, brski_pin_policy_t policy)
{
    const brski_cert_t *pin = nth(d, 0);
    int i;

    for (i = 1; policy != BRSKI_PIN_EE && i < d->chain->certs->nelts; i++) {
        if (!private_ca(d, nth(d, i))) {
            break;                    /* what is above a public CA is public too */
        }
        pin = nth(d, i);
        if (policy == BRSKI_PIN_LOWEST_CA) {
            break;
        }
    }
    return pin;
}

brski_err_t *brski_masa_choose_pin(brski_decision_t *d)
{
    d->pin = pin_by(d, pin_policy(d));
    if (d->masa->public_cas && brski_anchors_has_key(d->masa->public_cas, d->pin->spki_hash)) {
        return brski_err(BRSKI_E_PIN, NULL, d->pool, "%s is a public CA", d->pin->subject);
    }
    d->answer->domain_id = brski_domain_id(d->pin, d->result_pool);
    BRSKI_SAW(d, "%s, domainID %s", d->pin->subject, d->answer->domain_id);
    return BRSKI_OK;
}
