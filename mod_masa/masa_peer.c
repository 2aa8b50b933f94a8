/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_peer.c: reads the peer from mod_ssl's connection, as masa_peer.h says. The certificates are
 * the ones that OpenSSL has parsed already: parsing them again would cost more than verifying what
 * they signed.
 */
#include "masa_peer.h"

#include "brski_err.h"
#include "masa_tls.h"

/* A user name counts only when httpd authenticated it: SSLUserName would set one from a
 * certificate that nobody verified. */
const char *masa_peer_user(const request_rec *r)
{
    return r->user && r->ap_auth_type ? r->user : NULL;
}

static brski_err_t *fill_chain(brski_masa_request_t *request, STACK_OF(X509) *sent,
                               const masa_engine_t *engine, apr_pool_t *pool)
{
    apr_array_header_t *chain = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    int i;

    for (i = 0; i < sk_X509_num(sent) && i < engine->limits.certificates; i++) {
        const brski_cert_t *cert;

        BRSKI_TRY(brski_cert_wrap(&cert, sk_X509_value(sent, i), engine->masa.cache, pool));
        APR_ARRAY_PUSH(chain, const brski_cert_t *) = cert;
    }
    request->client_chain = chain;
    return BRSKI_OK;
}

brski_err_t *masa_peer_fill(brski_masa_request_t *request, request_rec *r,
                            const masa_engine_t *engine)
{
    SSL *ssl = masa_tls_get0(r);
    X509 *leaf = ssl ? SSL_get0_peer_certificate(ssl) : NULL;

    request->address = r->useragent_ip;
    if (!leaf || masa_get(engine->conf, client) == MASA_CLIENT_NONE) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_cert_wrap(&request->client_cert, leaf, engine->masa.cache, r->pool));
    return fill_chain(request, SSL_get_peer_cert_chain(ssl), engine, r->pool);
}

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
