/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_log.c: who may read a device's audit log, RFC 8995 5.8: its owners, past and present.
 * An owner is recognised by a key proven now that an event recorded, or as the customer of an
 * event. A domainID is a label that anybody can copy (11.2) and a request can be copied too:
 * neither opens anything by itself. What a stranger learns is the same whether the device exists.
 */
#include "brski_masa_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_audit.h"
#include "brski_err.h"
#include "brski_event.h"

/* Who asks, as far as it has been proven. */
typedef struct asker_t {
    const brski_chain_t *tls_chain;   /* of the TLS client certificate, valid now; or NULL */
    int tls_key_in_request;           /* the TLS key is among the request's verified chain */
    int fresh;                        /* the request was made now, for this; use not yet noted */
    const brski_customer_t *fresh_customer; /* whom a fresh request's signature proves; or NULL */
} asker_t;

/* ---- who asks ---- */

/* The TLS client certificate's chain, from what TLS sent and what the request holds. */
static brski_chain_t *tls_chain(const brski_decision_t *d)
{
    const brski_masa_request_t *r = d->request;
    apr_array_header_t *certs = apr_array_copy(d->pool, d->rvr->cms->certs);
    brski_chain_t *chain;

    if (!r->client_cert) {
        return NULL;
    }
    if (r->client_chain) {
        apr_array_cat(certs, r->client_chain);
    }
    if (brski_chain_build(&chain, r->client_cert, certs, d->pool, d->pool)
        || brski_chain_verify(chain, d->now, d->masa->skew, d->pool)) {
        return NULL;
    }
    return chain;
}

/* 5.8: "If the registrar generates a new request": one that no voucher was made for, made now. */
static int is_fresh(const brski_decision_t *d)
{
    apr_time_t made = d->rvr->voucher->created_on;

    return !d->facts->stored && made && made >= d->now - d->masa->skew
           && made <= d->now + d->masa->skew;
}

/* The customer that the request's signature proves, whoever sends it. */
static brski_err_t *customer_by_signature(brski_customer_t **customer, brski_decision_t *d)
{
    brski_masa_request_t unsent = *d->request;

    unsent.client_cert = NULL;
    unsent.user = NULL;
    return brski_store_customer(customer, d->masa->store,
                                brski_decision_identity(d, &unsent, d->chain), d->now, d->pool,
                                d->pool);
}

static brski_err_t *know_asker(asker_t *asker, brski_decision_t *d)
{
    brski_customer_t *customer = NULL;

    memset(asker, 0, sizeof(*asker));
    asker->tls_chain = tls_chain(d);
    asker->tls_key_in_request = d->request->client_cert
        && brski_masa_chain_has(d->chain, 0, d->request->client_cert->spki_hex);
    asker->fresh = is_fresh(d);
    if (asker->fresh) {
        BRSKI_TRY(customer_by_signature(&customer, d));
        asker->fresh_customer = customer;
    }
    return BRSKI_OK;
}

/* ---- what an event says of them ---- */

/* The request's chain is of the domain that this event's voucher was for. */
static int request_of_domain(const brski_decision_t *d, const brski_event_t *e)
{
    const brski_cert_t *ee = APR_ARRAY_IDX(d->chain->certs, 0, const brski_cert_t *);

    return brski_masa_chain_has(d->chain, 0, e->pin_spki)
           || brski_masa_chain_has(d->chain, 1, e->issuer_spki)
           || !strcmp(ee->spki_hex, e->signer_spki);
}

static int is_customer_of(const brski_customer_t *customer, const brski_event_t *e)
{
    return customer && e->customer && *e->customer && !strcmp(customer->name, e->customer);
}

/* How the transport alone proves an owner of this event; NULL when it does not. */
static const char *by_transport(const brski_decision_t *d, const asker_t *asker,
                                const brski_event_t *e)
{
    const brski_cert_t *tls = d->request->client_cert;

    if (tls && asker->tls_key_in_request && request_of_domain(d, e)) {
        return "TLS key in the chain of the request";
    }
    if (tls && e->tls_spki && *e->tls_spki && !strcmp(tls->spki_hex, e->tls_spki)) {
        return "TLS key recorded with the event";
    }
    if (asker->tls_chain && brski_masa_chain_has(asker->tls_chain, 1, e->issuer_spki)) {
        return "TLS certificate issued by the domain's CA";
    }
    return is_customer_of(d->facts->customer, e) ? "customer of the event" : NULL;
}

/* How a fresh request's signature proves an owner of this event; NULL when it does not. */
static const char *by_fresh_request(const brski_decision_t *d, const asker_t *asker,
                                    const brski_event_t *e)
{
    if (request_of_domain(d, e)) {
        return "fresh request of the domain";
    }
    return is_customer_of(asker->fresh_customer, e) ? "fresh request of the customer" : NULL;
}

static const char *any_event(const brski_decision_t *d, const asker_t *asker,
                             const apr_array_header_t *events,
                             const char *(*proves)(const brski_decision_t *, const asker_t *,
                                                   const brski_event_t *))
{
    const char *how = NULL;
    int i;

    for (i = events->nelts - 1; i >= 0 && !how; i--) {
        how = proves(d, asker, APR_ARRAY_IDX(events, i, const brski_event_t *));
    }
    return how;
}

/* ---- a fresh request is used once ---- */

/* Note the use. Without a TLS key nobody can be told from anybody, so then it is used up. */
static brski_err_t *use_up(int *first, brski_decision_t *d)
{
    const brski_cert_t *tls = d->request->client_cert;
    const char *by = tls ? tls->spki_hex : apr_pstrcat(d->pool, "request:",
                                                       d->request->request_id, NULL);

    *first = 1;
    if (d->judge_only) {
        return BRSKI_OK;
    }
    return brski_store_fresh_use(first, d->masa->store, d->request_hash, by, d->now, d->pool);
}

/* ---- the decision ---- */

/* A registrar asks whatever MASA a pledge names, which could hand the request on to another one to
 * read its log. Made for that one, it holds no request of a device of ours. */
static int made_for_us(brski_decision_t *d, const brski_device_t *device)
{
    const brski_product_t *product = brski_masa_product(d->masa, device->product);

    return product ? brski_masa_prior_is_from(d, product, device)
                   : !d->rvr->voucher->prior_signed_voucher_request.len;
}

/* Is the asker an owner by these events? *how tells by what; NULL when not. */
static brski_err_t *recognise(const char **how, brski_decision_t *d, const asker_t *asker,
                              const brski_device_t *device, const apr_array_header_t *events)
{
    int first;

    *how = any_event(d, asker, events, by_transport);
    if (*how) {
        return BRSKI_OK;
    }
    *how = asker->fresh && made_for_us(d, device) ? any_event(d, asker, events, by_fresh_request)
                                                  : NULL;
    if (*how) {
        BRSKI_TRY(use_up(&first, d));
        *how = first ? *how : NULL;
    }
    return BRSKI_OK;
}

/* 5.8: "a device that does not exist, or for which the requesting owner was never an owner, returns
 * an HTTP 404": in the same words, so that a stranger cannot tell which. */
static brski_err_t *nothing_to_read(const brski_decision_t *d, brski_err_code_t code,
                                    const char *why)
{
    brski_err_t *err = brski_err(code, NULL, d->pool, "%s", why);

    return brski_err_say(err, d->pool, "%s", brski_err_row(BRSKI_E_NO_OWNER)->public_text);
}

static brski_err_t *take(brski_decision_t *d, const brski_device_t *device,
                         const apr_array_header_t *device_events,
                         const apr_array_header_t **events, const char *how)
{
    if (*events) {
        return brski_err(BRSKI_E_DEVICE_AMBIGUOUS, NULL, d->pool, "an owner of several devices");
    }
    *events = device_events;
    d->device = device;
    d->answer->product = apr_pstrdup(d->result_pool, device->product);
    BRSKI_SAW(d, "%s", how);
    return BRSKI_OK;
}

/* The events of the device whose owner asks; of several that are possible, that is the one. */
static brski_err_t *find_events(const apr_array_header_t **events, brski_decision_t *d)
{
    apr_array_header_t *candidates = brski_masa_candidates(d), *found;
    const char *how;
    asker_t asker;
    int i;

    *events = NULL;
    if (candidates->nelts == 0) {
        return nothing_to_read(d, BRSKI_E_DEVICE_UNKNOWN, "no such device");
    }
    BRSKI_TRY(know_asker(&asker, d));
    for (i = 0; i < candidates->nelts; i++) {
        const brski_device_t *device = APR_ARRAY_IDX(candidates, i, const brski_device_t *);

        BRSKI_TRY(brski_store_events(&found, d->masa->store, device->product,
                                     device->serial_number, d->pool, d->pool));
        BRSKI_TRY(recognise(&how, d, &asker, device, found));
        if (how) {
            BRSKI_TRY(take(d, device, found, events, how));
        }
    }
    return *events ? BRSKI_OK
                   : nothing_to_read(d, BRSKI_E_NO_OWNER, asker.fresh
                                     ? "never an owner, or a request made for another MASA"
                                     : "never an owner, or nothing but a copied request");
}

/* A log that was tampered with is no answer. */
static brski_err_t *check_chain(brski_decision_t *d, const apr_array_header_t *events)
{
    const char *reason;

    brski_event_chain_check(&reason, events, d->pool);
    if (reason) {
        return brski_err(BRSKI_E_CHAIN_BROKEN, NULL, d->pool, "product %s: %s",
                         d->device->product, reason);
    }
    BRSKI_SAW(d, "%d events", events->nelts);
    return BRSKI_OK;
}

brski_err_t *brski_masa_judge_log(brski_decision_t *d)
{
    const apr_array_header_t *events;
    const char *json;

    /* 5.8     the same request as for a voucher, or a new one: signed by a registrar. Nonce,
     *         proximity and age were judged when the voucher was asked for, and not again */
    BRSKI_TRY(brski_masa_verify(d));
    /* 5.8     of a device that exists, to one who owns or owned it */
    BRSKI_TRY(brski_masa_read(d, brski_decision_identity(d, d->request, NULL)));
    BRSKI_STEP(d, "5.8", "owner", find_events(&events, d));
    BRSKI_STEP(d, "5.5.3", "revocation", brski_masa_check_revocation(d));
    BRSKI_STEP(d, "5.8", "chain of events", check_chain(d, events));
    /* 5.8.1   the answer */
    BRSKI_TRY(brski_audit_make(&json, events, d->result_pool));
    d->answer->body.data = (const unsigned char *)json;
    d->answer->body.len = strlen(json);
    d->answer->content_type = "application/json";
    return BRSKI_OK;
}

brski_err_t *brski_masa_requestauditlog(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                        const brski_masa_request_t *request,
                                        apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_decision_t *d = brski_decision_make(answer, masa, request,
                                              masa->ctx->now(masa->ctx->baton), result_pool,
                                              scratch_pool);

    return brski_decision_err(d, brski_masa_judge_log(d));
}
