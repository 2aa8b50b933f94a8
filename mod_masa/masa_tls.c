/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_tls.c: the hooks of mod_ssl that make an engine's TLS, as masa_tls.h says. They are optional
 * hooks: no symbol of mod_ssl is needed, and the order of LoadModule does not matter.
 */
#include "masa_tls.h"

#include <http_connection.h>
#include <http_log.h>
#include <mod_ssl_openssl.h>

#include "brski_bytes.h"
#include "brski_err.h"

APLOG_USE_MODULE(masa);

extern module AP_MODULE_DECLARE_DATA masa_module;

/*
 * Takes what the client sent: TLS itself proves that the client holds the certificate's key. The
 * error is told to mod_ssl's own callback, as if OpenSSL had found it: under optional_no_ca that
 * notes "GENEROUS" and goes on, else it refuses. The note is what matters: in TLS 1.2 mod_ssl sets
 * the result of the verification to OK with every request, and only the note keeps
 * SSL_CLIENT_VERIFY from reading SUCCESS then.
 */
static int take_certificate(X509_STORE_CTX *store_ctx, void *baton)
{
    X509_STORE_CTX_verify_cb tell = X509_STORE_CTX_get_verify_cb(store_ctx);

    (void)baton;
    X509_STORE_CTX_set_current_cert(store_ctx, X509_STORE_CTX_get0_cert(store_ctx));
    X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    return tell && tell(0, store_ctx);
}

/* Runs after the host was chosen by SNI. The number of tickets was taken from the first host of
 * the address when the connection came; under SSL_OP_NO_TICKET TLS 1.3 would still send that
 * many, as keys into a session cache. */
static int no_tickets(SSL *ssl, void *baton)
{
    (void)baton;
    SSL_set_num_tickets(ssl, 0);
    return 1;
}

static int verify_mode(masa_client_mode_t mode)
{
    switch (mode) {
    case MASA_CLIENT_NONE:
        return SSL_VERIFY_NONE;
    case MASA_CLIENT_REQUEST:
        return SSL_VERIFY_PEER;
    case MASA_CLIENT_REQUIRE:
    case MASA_CLIENT_KNOWN:
        break;
    }
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static int init_server(server_rec *s, apr_pool_t *pool, int is_proxy, SSL_CTX *ctx)
{
    masa_engine_t *engine = masa_engine(s);
    masa_client_mode_t mode;

    (void)pool;
    if (is_proxy || !engine) {
        return DECLINED;
    }
    mode = (masa_client_mode_t)masa_get(engine->conf, client);
    engine->ssl_ctx = ctx;
    SSL_CTX_set_verify(ctx, verify_mode(mode), SSL_CTX_get_verify_callback(ctx));
    SSL_CTX_set_cert_verify_callback(ctx, take_certificate, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_cb(ctx, no_tickets, NULL);
    return OK;
}

/* mod_ssl has no function that gives away its SSL: it is caught when the handshake begins. */
static int pre_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    if (!is_proxy) {
        ap_set_module_config(c->conn_config, &masa_module, ssl);
    }
    return OK;
}

void masa_tls_hooks(void)
{
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, pre_handshake, NULL, NULL, APR_HOOK_MIDDLE);
}

SSL *masa_tls_get0(const request_rec *r)
{
    const conn_rec *c = r->connection->master ? r->connection->master : r->connection;

    return ap_get_module_config(c->conn_config, &masa_module);
}

brski_err_t *masa_tls_check(const request_rec *r, const masa_engine_t *engine)
{
    SSL *ssl = masa_tls_get0(r);

    if (!ssl) {
        return brski_err_say(brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "no TLS"), r->pool,
                             "This MASA is reached through TLS only.");
    }
    if (SSL_get_SSL_CTX(ssl) != engine->ssl_ctx) {
        const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

        return brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "server_name was %s, the request is "
                         "for %s", brski_printable(sni, 100, r->pool),
                         brski_printable(r->hostname, 100, r->pool));
    }
    if (SSL_session_reused(ssl)) {
        return brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "the TLS session was resumed");
    }
    return BRSKI_OK;
}
