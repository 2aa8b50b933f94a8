/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa.c: the MASA's decision on a voucher-request, RFC 8995 5.5 to 5.6, from top to bottom:
 * what the message alone proves (brski_masa_verify), what the records say of it (brski_masa_judge),
 * the voucher, and its event, which is durable before anybody can see the voucher. Where the
 * records moved between reading and writing, the last three are done again; the first is not.
 */
#include "brski_masa_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_event.h"
#include "brski_log.h"
#include "brski_time.h"

/* So often a decision is made again when others write to the same device meanwhile. */
#define ROUNDS 5

/* 5.6: "A pledge SHOULD be willing to maintain a 202 retry-state for up to 4 days". */
#define RETRY_STATE apr_time_from_sec(4 * 24 * 60 * 60)

/* ---- a decision ---- */

brski_decision_t *brski_decision_make(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                      const brski_masa_request_t *request, apr_time_t now,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_decision_t *d = apr_pcalloc(scratch_pool, sizeof(*d));

    d->masa = masa;
    d->request = request;
    d->now = now;
    d->result_pool = result_pool;
    d->pool = scratch_pool;
    d->answer = *answer = apr_pcalloc(result_pool, sizeof(**answer));
    return d;
}

brski_err_t *brski_decision_err(const brski_decision_t *d, brski_err_t *err)
{
    brski_err_t *kept;

    if (!err || d->pool == d->result_pool) {
        return err;
    }
    kept = apr_pmemdup(d->result_pool, err, sizeof(*err));
    kept->public_text = apr_pstrdup(d->result_pool, err->public_text);
    kept->detail = apr_pstrdup(d->result_pool, err->detail);
    kept->prev = brski_decision_err(d, (brski_err_t *)err->prev);
    return kept;
}

const brski_log_t *brski_decision_log(const brski_decision_t *d)
{
    return d->request->log ? d->request->log : d->masa->ctx->log;
}

static const brski_cert_t *signer_of(const brski_decision_t *d)
{
    return APR_ARRAY_IDX(d->chain->certs, 0, const brski_cert_t *);
}

static const char *serial_for_log(const brski_decision_t *d)
{
    return brski_printable(d->rvr->voucher->serial_number, 128, d->pool);
}

/* ---- what the message alone proves ---- */

/* 5.6: whether the device can be served in a type that is asked for is judged when it is known. */
static brski_err_t *check_media_types(brski_decision_t *d)
{
    static const brski_format_t all[] = { BRSKI_FORMAT_CMS, BRSKI_FORMAT_JWS, BRSKI_FORMAT_COSE };
    apr_array_header_t *any = apr_array_make(d->pool, 3, sizeof(brski_format_t));
    brski_format_t ignored;
    brski_err_t *err;
    apr_size_t i;

    BRSKI_TRY(brski_format_from_content_type(&d->format, d->request->content_type, d->pool));
    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        APR_ARRAY_PUSH(any, brski_format_t) = all[i];
    }
    err = brski_format_negotiate(&ignored, d->request->accept, d->format, any, d->pool);
    if (err && err->code == BRSKI_E_ACCEPT) {
        return err;
    }
    BRSKI_SAW(d, "%s", brski_format_media_type(d->format));
    return BRSKI_OK;
}

static brski_err_t *check_body(brski_decision_t *d)
{
    if (d->request->body.len == 0) {
        return brski_err(BRSKI_E_BODY_EMPTY, NULL, d->pool, "no octets");
    }
    if (d->request->body.len > d->masa->limits->body) {
        return brski_err(BRSKI_E_BODY_TOO_LARGE, NULL, d->pool, "%" APR_SIZE_T_FMT " octets",
                         d->request->body.len);
    }
    d->request_hash = brski_sha256_hex(d->request->body, d->pool);
    BRSKI_SAW(d, "%" APR_SIZE_T_FMT " octets, SHA-256 %s", d->request->body.len, d->request_hash);
    return BRSKI_OK;
}

static brski_err_t *open_request(brski_decision_t *d)
{
    BRSKI_TRY(brski_signed_open(&d->rvr, d->request->body, d->format, BRSKI_VOUCHER_REQUEST,
                                d->masa->limits, d->masa->cache, d->pool));
    d->answer->serial_number = apr_pstrdup(d->result_pool, d->rvr->voucher->serial_number);
    BRSKI_SAW(d, "%d certificates, serial-number %s", d->rvr->cms->certs->nelts,
              serial_for_log(d));
    return BRSKI_OK;
}

/* 5.5: "The proximity-registrar-cert field MUST NOT be present". */
static brski_err_t *refuse_proximity(const brski_decision_t *d)
{
    const brski_voucher_t *v = d->rvr->voucher;
    brski_err_t *err;

    if (!v->proximity_registrar_cert.len && !v->proximity_registrar_pubk.len
        && !v->proximity_registrar_pubk_sha256.len) {
        return BRSKI_OK;
    }
    err = brski_err(BRSKI_E_FIELD, NULL, d->pool, "proximity-registrar-* in the outer request");
    return brski_err_say(err, d->pool, "A registrar voucher-request must not contain "
                         "proximity-registrar-cert; it belongs into the pledge's request.");
}

/* RFC 8366, 8995 5.5: leaves of vouchers and strangers' members mean nothing in a request. */
static const char *ignored_members(const brski_decision_t *d)
{
    const brski_voucher_t *v = d->rvr->voucher;
    apr_array_header_t *names = apr_array_make(d->pool, 4, sizeof(const char *));

    if (v->pinned_domain_cert.len) {
        APR_ARRAY_PUSH(names, const char *) = "pinned-domain-cert";
    }
    if (v->last_renewal_date) {
        APR_ARRAY_PUSH(names, const char *) = "last-renewal-date";
    }
    if (v->domain_cert_revocation_checks != -1) {
        APR_ARRAY_PUSH(names, const char *) = "domain-cert-revocation-checks";
    }
    if (v->unknown) {
        apr_array_cat(names, v->unknown);
    }
    return names->nelts ? apr_array_pstrcat(d->pool, names, ' ') : NULL;
}

/* Four forms of idevid-issuer are in use; what is none of them selects nothing. */
static void read_issuer(brski_decision_t *d)
{
    brski_bytes_t value = d->rvr->voucher->idevid_issuer;

    if (!value.len) {
        return;
    }
    brski_idevid_issuer_parse(&d->issuer_keyid, &d->issuer_name, value, d->pool);
    if (!d->issuer_keyid && !d->issuer_name) {
        brski_logf(brski_decision_log(d), BRSKI_LOG_INFO, 1102,
                   "idevid-issuer of %s is neither a key identifier nor a name, and ignored: %s",
                   serial_for_log(d),
                   brski_printable(brski_hex(value, d->pool), 128, d->pool));
    }
}

static brski_err_t *check_fields(brski_decision_t *d)
{
    const char *ignored;

    BRSKI_TRY(refuse_proximity(d));
    read_issuer(d);
    ignored = ignored_members(d);
    if (ignored) {
        brski_logf(brski_decision_log(d), BRSKI_LOG_INFO, 1103,
                   "members of the request for %s ignored: %s", serial_for_log(d),
                   brski_printable(ignored, 400, d->pool));
        BRSKI_SAW(d, "ignored: %s", brski_printable(ignored, 400, d->pool));
    }
    return BRSKI_OK;
}

/* 5.5.2: from the message and nothing else; an unknown top is a trust anchor for this request. */
static brski_err_t *build_chain(brski_decision_t *d)
{
    if (!d->rvr->cms->signer) {
        return brski_err(BRSKI_E_CHAIN, NULL, d->pool, "the signer's certificate is not included");
    }
    BRSKI_TRY(brski_chain_build(&d->chain, d->rvr->cms->signer, d->rvr->cms->certs, d->pool,
                                d->pool));
    BRSKI_SAW(d, "%d from %s up", d->chain->certs->nelts, signer_of(d)->subject);
    return BRSKI_OK;
}

static brski_err_t *verify_signature(brski_decision_t *d)
{
    BRSKI_TRY(brski_cms_verify(d->rvr->cms, d->pool));
    BRSKI_SAW(d, "by key %s", signer_of(d)->spki_hex);
    return BRSKI_OK;
}

static brski_err_t *verify_chain(brski_decision_t *d)
{
    BRSKI_TRY(brski_chain_verify(d->chain, d->now, d->masa->skew, d->pool));
    BRSKI_SAW(d, "valid at %s", brski_time_rfc3339(d->now, d->pool));
    return BRSKI_OK;
}

/* 5.5.4. That a client certificate of TLS marked so should allow clientAuth too is worth a line,
 * not a refusal: the registrar of RFC 8995 Appendix C lacks it. */
static brski_err_t *require_cmc_ra(brski_decision_t *d)
{
    const brski_cert_t *tls = d->request->client_cert;

    if (!signer_of(d)->cmc_ra) {
        return brski_err(BRSKI_E_CMC_RA, NULL, d->pool, "signer %s", signer_of(d)->subject);
    }
    if (tls && tls->cmc_ra && !tls->client_auth) {
        brski_logf(brski_decision_log(d), BRSKI_LOG_INFO, 1104,
                   "TLS client certificate %s has id-kp-cmcRA without clientAuth", tls->subject);
    }
    BRSKI_SAW(d, "%s has id-kp-cmcRA", signer_of(d)->subject);
    return BRSKI_OK;
}

brski_err_t *brski_masa_verify(brski_decision_t *d)
{
    /* 5.6     types that we read and write */
    BRSKI_STEP(d, "5.6", "media types", check_media_types(d));
    /* 5.5     a CMS-signed voucher-request, and what it may say */
    BRSKI_STEP(d, "5.5", "body", check_body(d));
    BRSKI_STEP(d, "8366-5.4", "container", open_request(d));
    BRSKI_STEP(d, "5.5", "members", check_fields(d));
    /* 5.5.2   the chain that it came with is this domain's temporary trust anchor */
    BRSKI_STEP(d, "5.5.2", "chain", build_chain(d));
    /* 5.5.3   the signature holds, the chain does now */
    BRSKI_STEP(d, "5.5.3", "signature", verify_signature(d));
    BRSKI_STEP(d, "5.5.3", "validity", verify_chain(d));
    /* 5.5.4   the signer is a registrar: id-kp-cmcRA, self-signed or not */
    BRSKI_STEP(d, "5.5.4", "registrar", require_cmc_ra(d));
    return BRSKI_OK;
}

/* ---- what the records say ---- */

/* The responders to ask are a stranger's word. So they are asked last, when all that we can judge
 * by ourselves has passed: a flood of requests for no device of ours, or without a pledge's proof,
 * makes this server connect to nobody. */
brski_err_t *brski_masa_check_revocation(brski_decision_t *d)
{
    if (!d->masa->revoke || d->masa->revocation == BRSKI_REVOCATION_OFF) {
        BRSKI_SKIP(d, "revocation is not checked here");
        return BRSKI_OK;
    }
    return brski_revoke_check(d->masa->revoke, d->chain, d->masa->revocation, d->now, d->pool);
}

brski_err_t *brski_masa_read(brski_decision_t *d, const brski_identity_t *identity)
{
    BRSKI_TRY(brski_store_facts(&d->facts, d->masa->store, d->rvr->voucher->serial_number,
                                d->request_hash, identity, d->now, d->pool, d->pool));
    if (d->facts->customer) {
        d->answer->customer = apr_pstrdup(d->result_pool, d->facts->customer->name);
    }
    return BRSKI_OK;
}

static int sold_to_requester(const brski_decision_t *d)
{
    const char *sold_to = d->device->customer;

    return sold_to && *sold_to && !strcmp(sold_to, d->facts->customer->name);
}

static brski_err_t *refuse_nonceless(const brski_decision_t *d, const char *why)
{
    return brski_err(BRSKI_E_NONCELESS, NULL, d->pool, "%s", why);
}

/* 5.5.4: a nonceless voucher can be used again and again, so the registrar MUST be authenticated;
 * 7.4.1: and allowed to have it. */
static brski_err_t *check_nonceless(brski_decision_t *d)
{
    if (d->rvr->voucher->nonce) {
        BRSKI_SKIP(d, "the request has a nonce");
        return BRSKI_OK;
    }
    if (d->product->nonceless == BRSKI_NONCELESS_DENY) {
        return refuse_nonceless(d, "the product line has none");
    }
    if (!d->facts->customer) {
        return brski_err(BRSKI_E_NOT_AUTHENTICATED, NULL, d->pool, "nonceless, and no customer");
    }
    if (d->product->nonceless == BRSKI_NONCELESS_SOLD && !sold_to_requester(d)) {
        return refuse_nonceless(d, "the device was not sold to this customer");
    }
    if (d->product->nonceless == BRSKI_NONCELESS_CUSTOMER && !brski_masa_grant(d, "nonceless")) {
        return refuse_nonceless(d, "the customer has no such grant");
    }
    BRSKI_SAW(d, "customer %s may have it", d->facts->customer->name);
    return BRSKI_OK;
}

static brski_err_t *refuse_stale(const brski_decision_t *d, const char *whose, const char *why)
{
    brski_err_t *err = brski_err(BRSKI_E_STALE, NULL, d->pool, "created-on of the %s is %s", whose,
                                 why);

    return brski_err_say(err, d->pool, "The %s is stale: its created-on is %s; make a new one, or "
                         "correct the clock.", whose, why);
}

static brski_err_t *check_created_on(const brski_decision_t *d, apr_time_t created_on,
                                     apr_interval_time_t max_age, const char *whose)
{
    if (!created_on) {
        return BRSKI_OK;
    }
    if (created_on < d->now - max_age) {
        return refuse_stale(d, whose, "too old");
    }
    if (created_on > d->now + d->masa->skew) {
        return refuse_stale(d, whose, "in the future");
    }
    return BRSKI_OK;
}

/* 5.6: "403 is appropriate if the voucher-request is stale". The pledge's own may be older: it has
 * to send the same one again as long as its registrar answers 202. */
static brski_err_t *check_age(brski_decision_t *d)
{
    const brski_voucher_t *inner = brski_masa_prior_voucher(d);
    apr_interval_time_t max_age = d->masa->max_age;

    if (!max_age) {
        BRSKI_SKIP(d, "age is not looked at here");
        return BRSKI_OK;
    }
    BRSKI_TRY(check_created_on(d, d->rvr->voucher->created_on, max_age, "request"));
    if (inner) {
        BRSKI_TRY(check_created_on(d, inner->created_on, max_age + RETRY_STATE,
                                   "pledge's request"));
    }
    return BRSKI_OK;
}

/* The product line's policy: may this requester have this device? */
static brski_err_t *check_ownership(brski_decision_t *d)
{
    brski_owner_question_t question = { 0 };

    question.device = d->device;
    question.customer = d->facts->customer;
    question.nonceless = d->rvr->voucher->nonce == NULL;
    question.proximity = d->proximity;
    question.now = d->now;
    d->verified = 0;
    BRSKI_TRY(d->product->owner->authorize(&d->verified, &question, d->pool));
    BRSKI_SAW(d, "policy %s, customer %s%s", d->product->owner->name,
              d->facts->customer ? d->facts->customer->name : "unknown",
              d->verified ? ", named by the sales record" : "");
    return BRSKI_OK;
}

/* Does an earlier event belong to the domain that asks now? Keys and proven customers count, the
 * domainID does not: anybody can copy a key identifier. */
static int same_domain(const brski_decision_t *d, const brski_event_t *e)
{
    if (brski_masa_chain_has(d->chain, 0, e->pin_spki)
        || brski_masa_chain_has(d->chain, 1, e->issuer_spki)
        || !strcmp(signer_of(d)->spki_hex, e->signer_spki)) {
        return 1;
    }
    return d->facts->customer && e->customer && *e->customer
           && !strcmp(d->facts->customer->name, e->customer);
}

/* 5.6: "or if the pledge has another outstanding voucher that cannot be overridden". The sales
 * record overrides: it is how a device changes hands. 5.5.1: a renewal is of the same domain. */
static brski_err_t *check_outstanding(brski_decision_t *d)
{
    int i;

    for (i = 0; i < d->facts->outstanding->nelts && !d->verified; i++) {
        const brski_event_t *e = APR_ARRAY_IDX(d->facts->outstanding, i, const brski_event_t *);

        if (!strcmp(e->product, d->device->product) && !same_domain(d, e)) {
            return brski_err(BRSKI_E_OUTSTANDING, NULL, d->pool, "event %" APR_INT64_T_FMT
                             " of domain %s, expires %s", e->seq, e->domain_id,
                             e->expires_on ? brski_time_rfc3339(e->expires_on, d->pool) : "never");
        }
    }
    BRSKI_SAW(d, "%d nonceless ones, none in the way", d->facts->outstanding->nelts);
    return BRSKI_OK;
}

static brski_err_t *choose_format(brski_decision_t *d)
{
    BRSKI_TRY(brski_format_negotiate(&d->voucher_format, d->request->accept, d->format,
                                     d->product->formats, d->pool));
    BRSKI_SAW(d, "%s", brski_format_media_type(d->voucher_format));
    return BRSKI_OK;
}

/* 5.5.5: the strongest that was proven; both facts go into the event. */
static brski_err_t *choose_assertion(brski_decision_t *d)
{
    d->assertion = d->verified ? BRSKI_ASSERTION_VERIFIED
                   : d->proximity ? BRSKI_ASSERTION_PROXIMITY
                                  : BRSKI_ASSERTION_LOGGED;
    d->answer->assertion = d->assertion;
    BRSKI_SAW(d, "%s", brski_assertion_text(d->assertion));
    return BRSKI_OK;
}

/* 5.6, RFC 8366 5.3: expires-on only without a nonce, and never after the pinned certificate. */
static brski_err_t *choose_lifetime(brski_decision_t *d)
{
    apr_interval_time_t lifetime = d->product->nonceless_lifetime;

    d->expires_on = 0;
    if (d->rvr->voucher->nonce || !lifetime) {
        BRSKI_SAW(d, "%s", d->rvr->voucher->nonce ? "as long as the nonce" : "without end");
        return BRSKI_OK;
    }
    d->expires_on = d->now + lifetime;
    if (d->expires_on > d->pin->not_after) {
        d->expires_on = d->pin->not_after;
    }
    if (d->expires_on <= d->now) {
        return brski_err(BRSKI_E_PIN, NULL, d->pool, "%s ends now", d->pin->subject);
    }
    BRSKI_SAW(d, "until %s", brski_time_rfc3339(d->expires_on, d->pool));
    return BRSKI_OK;
}

/* 5.6: is the voucher that these bytes brought still to be had? Right after a lost reply it always
 * is: it is this request's own. */
static brski_err_t *check_reuse(brski_decision_t *d)
{
    const brski_event_t *e = d->facts->stored;
    int own = !strcmp(e->request_id, d->request->request_id);

    if (strcmp(e->product, d->device->product) || (e->expires_on && e->expires_on <= d->now)
        || (!own && e->created_at + d->masa->reuse <= d->now)) {
        return brski_err(BRSKI_E_STALE, NULL, d->pool, "answered at %s as event %" APR_INT64_T_FMT,
                         brski_time_rfc3339(e->created_at, d->pool), e->seq);
    }
    if (strcmp(e->voucher_hash, brski_sha256_hex(e->voucher, d->pool))) {
        return brski_err(BRSKI_E_CHAIN_BROKEN, NULL, d->pool, "voucher of event %" APR_INT64_T_FMT
                         " has another hash", e->seq);
    }
    BRSKI_SAW(d, "the voucher of event %" APR_INT64_T_FMT " again", e->seq);
    return BRSKI_OK;
}

/* These very bytes were answered before. */
static brski_err_t *judge_again(brski_decision_t *d)
{
    d->proximity = d->facts->stored->proximity;
    BRSKI_STEP(d, "5.5.4", "ownership", check_ownership(d));
    BRSKI_STEP(d, "5.6", "format", choose_format(d));
    BRSKI_STEP(d, "5.6", "identical request", check_reuse(d));
    BRSKI_STEP(d, "5.5.3", "revocation", brski_masa_check_revocation(d));
    return BRSKI_OK;
}

brski_err_t *brski_masa_judge(brski_decision_t *d)
{
    /* 5.6     a device that we know and still answer for */
    BRSKI_STEP(d, "5.6", "device", brski_masa_find_device(d));
    BRSKI_STEP(d, "10.4", "device state", brski_masa_check_state(d));
    /* 5.5.4   without a nonce only for authenticated registrars that may */
    BRSKI_STEP(d, "5.5.4", "nonceless", check_nonceless(d));
    if (d->facts->stored) {
        return judge_again(d);
    }
    /* 5.5.5   the pledge's own request names this registrar and this device */
    BRSKI_TRY(brski_masa_check_prior(d));
    /* 5.5.6   one nonce */
    BRSKI_STEP(d, "5.5.6", "nonce", brski_masa_check_nonce(d));
    /* 5.6     fresh, allowed, and in nobody's way */
    BRSKI_STEP(d, "5.6", "age", check_age(d));
    BRSKI_STEP(d, "5.5.4", "ownership", check_ownership(d));
    BRSKI_STEP(d, "5.6", "outstanding vouchers", check_outstanding(d));
    /* 5.6     the voucher's parts */
    BRSKI_STEP(d, "5.6", "format", choose_format(d));
    BRSKI_STEP(d, "5.5.2", "pin", brski_masa_choose_pin(d));
    BRSKI_STEP(d, "5.5.5", "assertion", choose_assertion(d));
    BRSKI_STEP(d, "5.6", "lifetime", choose_lifetime(d));
    BRSKI_STEP(d, "5.6", "signer", brski_masa_choose_signer(d));
    /* 5.5.3   nothing in the registrar's chain is revoked, as far as others can tell */
    BRSKI_STEP(d, "5.5.3", "revocation", brski_masa_check_revocation(d));
    return BRSKI_OK;
}

/* ---- the voucher ---- */

/* RFC 8366bis 6.3, for a device whose serial number another one has too. What the IDevID itself
 * says is best: the pledge compares it with its own. */
static brski_bytes_t issuer_to_send(brski_decision_t *d)
{
    const brski_cert_t *idevid = brski_masa_prior_idevid(d);
    unsigned char head[] = { 0x04, 0, 0x30, 0, 0x80, 0 };
    brski_bytes_t keyid, none = { NULL, 0 };
    unsigned char *out;

    if (d->facts->devices->nelts < 2) {
        return none;
    }
    if (d->proximity && idevid) {
        return brski_idevid_issuer_make(idevid, d->pool);
    }
    if (!d->issuer_keyid || brski_hex_decode(&keyid, d->issuer_keyid, d->pool)
        || keyid.len > 100) {
        return d->rvr->voucher->idevid_issuer;
    }
    head[5] = (unsigned char)keyid.len;
    head[3] = (unsigned char)(keyid.len + 2);
    head[1] = (unsigned char)(keyid.len + 4);
    out = apr_palloc(d->pool, sizeof(head) + keyid.len);
    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), keyid.data, keyid.len);
    return brski_bytes(out, sizeof(head) + keyid.len);
}

static brski_err_t *write_json(const char **json, brski_decision_t *d)
{
    brski_voucher_t *v = apr_pcalloc(d->pool, sizeof(*v));

    v->kind = BRSKI_VOUCHER;
    v->assertion = d->assertion;
    v->created_on = d->now;
    v->expires_on = d->expires_on;
    v->serial_number = d->rvr->voucher->serial_number;
    v->idevid_issuer = issuer_to_send(d);
    v->nonce = d->rvr->voucher->nonce;
    v->pinned_domain_cert = d->pin->der;
    v->domain_cert_revocation_checks = -1;
    return brski_voucher_json(json, v, d->pool);
}

/* Sign, unless a round before signed the same. RFC 8366 5.4: the chain and its root go along. */
static brski_err_t *make_voucher(brski_decision_t *d)
{
    const char *json;

    BRSKI_TRY(write_json(&json, d));
    if (d->voucher_signer == d->signer && !strcmp(json, d->voucher_json)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_cms_sign(&d->voucher, brski_bytes_str(json), d->product->econtent,
                             d->signer->chain, d->signer->key, d->now, d->result_pool, d->pool));
    d->voucher_json = json;
    d->voucher_signer = d->signer;
    return BRSKI_OK;
}

/* ---- its event ---- */

static brski_event_t *make_event(brski_decision_t *d)
{
    const brski_cert_t *tls = d->request->client_cert;
    brski_event_t *e = apr_pcalloc(d->pool, sizeof(*e));

    e->tenant = brski_store_tenant(d->masa->store);
    e->product = d->device->product;
    e->serial_number = d->device->serial_number;
    e->epoch = d->facts->epoch > d->device->head_epoch ? d->facts->epoch : d->device->head_epoch;
    e->seq = d->device->head_seq + 1;
    e->prev_hash = d->device->head_hash ? d->device->head_hash : "";
    e->created_at = d->now;
    e->request_id = d->request->request_id;
    e->request_hash = d->request_hash;
    e->nonce = d->rvr->voucher->nonce;
    e->assertion = d->assertion;
    e->proximity = d->proximity;
    e->verified = d->verified;
    e->domain_id = d->answer->domain_id;
    e->pin_spki = d->pin->spki_hex;
    e->pin_cert = brski_base64_encode(d->pin->der, d->pool);
    e->signer_spki = signer_of(d)->spki_hex;
    e->issuer_spki = brski_masa_private_issuer(d);
    e->tls_spki = tls ? tls->spki_hex : "";
    e->customer = d->facts->customer ? d->facts->customer->name : "";
    e->signer = d->signer->name;
    e->signer_key = brski_signer_key_id(d->signer);
    e->expires_on = d->expires_on;
    e->format = d->voucher_format;
    e->voucher = d->voucher;
    e->voucher_hash = brski_sha256_hex(d->voucher, d->pool);
    e->hash = brski_event_hash(e, d->pool);
    return e;
}

static void answer_with(brski_decision_t *d, brski_bytes_t voucher, brski_format_t format)
{
    d->answer->body = voucher;
    d->answer->format = format;
    d->answer->content_type = brski_format_media_type(format);
}

static void answer_stored(brski_decision_t *d)
{
    const brski_event_t *e = d->facts->stored;
    brski_masa_answer_t *answer = d->answer;

    answer_with(d, brski_bytes_dup(e->voucher, d->result_pool), e->format);
    answer->domain_id = apr_pstrdup(d->result_pool, e->domain_id);
    answer->signer = apr_pstrdup(d->result_pool, e->signer);
    answer->assertion = e->assertion;
    answer->reused = strcmp(e->request_id, d->request->request_id) != 0;
}

/* Read, judge, sign, write, until the records stood still in between. */
static brski_err_t *decide(brski_decision_t *d)
{
    const brski_identity_t *identity = brski_decision_identity(d, d->request, d->chain);
    brski_err_t *unknown = NULL;
    int round, put;

    for (round = 0; round < ROUNDS; round++) {
        BRSKI_TRY(brski_masa_read(d, identity));
        BRSKI_TRY(brski_masa_judge(d));
        if (d->facts->stored) {
            answer_stored(d);
            return BRSKI_OK;
        }
        BRSKI_TRY(make_voucher(d));
        unknown = brski_store_event_put(&put, d->masa->store, make_event(d), d->device, d->facts,
                                        d->pool);
        if (!unknown && put) {
            answer_with(d, d->voucher, d->voucher_format);
            return BRSKI_OK;
        }
        if (unknown && unknown->code != BRSKI_E_STORE) {
            return unknown;
        }
        brski_logf(brski_decision_log(d), BRSKI_LOG_INFO, 1105,
                   "the records of %s moved, or the reply was lost (%s): deciding again",
                   serial_for_log(d), unknown ? brski_err_text(unknown, d->pool) : "moved");
    }
    return unknown ? unknown
                   : brski_err(BRSKI_E_RACE, NULL, d->pool, "the records moved %d times", ROUNDS);
}

brski_err_t *brski_masa_requestvoucher(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                       const brski_masa_request_t *request,
                                       apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_decision_t *d = brski_decision_make(answer, masa, request,
                                              masa->ctx->now(masa->ctx->baton), result_pool,
                                              scratch_pool);
    brski_err_t *err = brski_masa_verify(d);

    return brski_decision_err(d, err ? err : decide(d));
}
