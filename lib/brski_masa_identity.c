/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_identity.c: what a request proves of who sends it, RFC 8995 5.4 and 5.5.4: keys whose
 * possession was shown (the signature, the TLS handshake), names and CAs on a path verified to
 * MASACustomerAnchor, the user that httpd authenticated. Which customer that is, the records say.
 */
#include "brski_masa_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_err.h"

/* Keys in order of weight, each once, no more than are asked for. */
static void add_key(brski_identity_t *identity, const char *kind, const char *value)
{
    const char *key = apr_pstrcat(identity->keys->pool, kind, value, NULL);
    int i;

    for (i = 0; i < identity->keys->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(identity->keys, i, const char *), key)) {
            return;
        }
    }
    if (identity->keys->nelts < BRSKI_IDENTITY_MAX) {
        APR_ARRAY_PUSH(identity->keys, const char *) = key;
    }
}

/* "ca:" and "dns:" of an end entity whose path to MASACustomerAnchor holds. */
static void add_anchored(brski_identity_t *identity, const brski_masa_t *masa,
                         const brski_cert_t *ee, const apr_array_header_t *helpers, apr_time_t at,
                         apr_pool_t *scratch_pool)
{
    apr_array_header_t *names;
    brski_chain_t *path;
    int i;

    if (!helpers) {
        helpers = apr_array_make(scratch_pool, 1, sizeof(const brski_cert_t *));
    }
    if (!masa->customer_anchors
        || brski_anchors_verify(&path, masa->customer_anchors, ee, helpers, at, masa->skew, 0,
                                scratch_pool, scratch_pool)) {
        return;
    }
    names = brski_cert_dns_names(ee, scratch_pool);
    for (i = 0; i < names->nelts; i++) {
        add_key(identity, "dns:", APR_ARRAY_IDX(names, i, const char *));
    }
    /* a public CA vouches for names, never for a customer: what it issues anybody can have */
    if (brski_masa_public_chain(masa, path, at, scratch_pool)) {
        return;
    }
    for (i = 1; i < path->certs->nelts; i++) {
        add_key(identity, "ca:", APR_ARRAY_IDX(path->certs, i, const brski_cert_t *)->spki_hex);
    }
}

static brski_identity_t *identity_at(const brski_masa_t *masa, const brski_chain_t *chain,
                                     const brski_masa_request_t *request, apr_time_t at,
                                     apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_identity_t *identity = apr_pcalloc(result_pool, sizeof(*identity));
    const brski_cert_t *ee = NULL;

    identity->keys = apr_array_make(result_pool, 4, sizeof(const char *));
    if (request->client_cert) {
        add_key(identity, "spki:", request->client_cert->spki_hex);
    }
    if (chain) {
        ee = APR_ARRAY_IDX(chain->certs, 0, const brski_cert_t *);
        add_key(identity, "spki:", ee->spki_hex);
    }
    if (request->user && *request->user) {
        add_key(identity, "user:", request->user);
    }
    if (request->client_cert) {
        add_anchored(identity, masa, request->client_cert, request->client_chain, at,
                     scratch_pool);
    }
    if (ee) {
        add_anchored(identity, masa, ee, chain->certs, at, scratch_pool);
    }
    return identity;
}

brski_err_t *brski_masa_identity(brski_identity_t **identity, const brski_masa_t *masa,
                                 const brski_chain_t *chain, const brski_masa_request_t *request,
                                 apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    *identity = identity_at(masa, chain, request, masa->ctx->now(masa->ctx->baton), result_pool,
                            scratch_pool);
    return BRSKI_OK;
}

brski_identity_t *brski_decision_identity(brski_decision_t *d, const brski_masa_request_t *request,
                                          const brski_chain_t *chain)
{
    return identity_at(d->masa, chain, request, d->now, d->pool, d->pool);
}
