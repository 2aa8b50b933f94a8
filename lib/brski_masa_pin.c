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

/* Each certificate of a chain is signed by the next, so a CA issued by a public one has that one's
 * key above it, or stands at the top without it. */
int brski_masa_public_chain(const brski_masa_t *masa, const brski_chain_t *chain, apr_time_t at,
                            apr_pool_t *scratch_pool)
{
    const brski_cert_t *top = APR_ARRAY_IDX(chain->certs, chain->certs->nelts - 1,
                                            const brski_cert_t *);
    int i;

    if (!masa->public_cas) {
        return 0;
    }
    for (i = 1; i < chain->certs->nelts; i++) {
        const brski_cert_t *ca = APR_ARRAY_IDX(chain->certs, i, const brski_cert_t *);

        if (brski_anchors_has_key(masa->public_cas, ca->spki_hash)) {
            return 1;
        }
    }
    return !chain->self_signed_top
           && !brski_anchors_verify(NULL, masa->public_cas, top, chain->certs, at, masa->skew,
                                    BRSKI_VERIFY_IGNORE_EXPIRY | BRSKI_VERIFY_CA, scratch_pool,
                                    scratch_pool);
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

/* Worked out once a decision. */
static int public_chain(brski_decision_t *d)
{
    if (!d->chain_judged) {
        d->chain_judged = 1;
        d->chain_public = brski_masa_public_chain(d->masa, d->chain, d->now, d->pool);
    }
    return d->chain_public;
}

const char *brski_masa_private_issuer(brski_decision_t *d)
{
    return d->chain->certs->nelts > 1 && !public_chain(d) ? nth(d, 1)->spki_hex : "";
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

/* The CA nearest to the registrar, or the farthest; the registrar's own certificate when it has
 * none, or public ones. */
static const brski_cert_t *pin_by(brski_decision_t *d, brski_pin_policy_t policy)
{
    int n = d->chain->certs->nelts;

    if (policy == BRSKI_PIN_EE || n == 1 || public_chain(d)) {
        return nth(d, 0);
    }
    return nth(d, policy == BRSKI_PIN_LOWEST_CA ? 1 : n - 1);
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
