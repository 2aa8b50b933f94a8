/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_peer.c: holds MASAClientCertificate against a request, as masa_peer.h says.
 */
#include "masa_peer.h"

#include "brski_err.h"

brski_err_t *masa_peer_customer(brski_customer_t **customer, const brski_masa_request_t *request,
                                const masa_engine_t *engine, apr_pool_t *pool)
{
    brski_identity_t *identity;

    *customer = NULL;
    BRSKI_TRY(brski_masa_identity(&identity, &engine->masa, NULL, request, pool, pool));
    return brski_store_customer(customer, engine->masa.store, identity,
                                engine->ctx.now(engine->ctx.baton), pool, pool);
}

brski_err_t *masa_peer_check(const brski_masa_request_t *request, const masa_engine_t *engine,
                             apr_pool_t *scratch_pool)
{
    const int mode = masa_get(engine->conf, client);
    brski_customer_t *customer;

    if ((mode == MASA_CLIENT_REQUIRE || mode == MASA_CLIENT_KNOWN) && !request->client_cert) {
        return brski_err(BRSKI_E_CLIENT_CERTIFICATE, NULL, scratch_pool, NULL);
    }
    if (mode != MASA_CLIENT_KNOWN) {
        return BRSKI_OK;
    }
    BRSKI_TRY(masa_peer_customer(&customer, request, engine, scratch_pool));
    return customer ? BRSKI_OK : brski_err(BRSKI_E_CLIENT_UNKNOWN, NULL, scratch_pool, "%s",
                                           request->client_cert->subject);
}
