/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_tls.c: the hooks of mod_ssl that make an engine's TLS, and what is kept of a connection, as
 * glue_tls.h says. They are optional hooks: no symbol of mod_ssl is needed, and the order of
 * LoadModule does not matter.
 */
#include "glue_tls.h"

#include <http_connection.h>
#include <mod_ssl_openssl.h>

#include "brski_bytes.h"
#include "brski_x509.h"

/* Nonzero when an engine's server speaks TLS: without one connections are none of ours. */
static int engines;

/* A connection. The requests of an HTTP/2 connection run in several threads, and its pool is none
 * of theirs: what they find out lives in a pool of its own, published once. */
typedef struct glue_conn_t {
    SSL *ssl;
    struct known_t *known;            /* NULL: nobody has asked yet */
    int ended;                        /* glue_tls_end() */
} glue_conn_t;

typedef struct known_t {
    apr_pool_t *pool;
    X509 *leaf;                       /* what it was made from, held; NULL: the client sent none */
    glue_peer_t peer;
} known_t;

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

/* Any issuer will do, whatever CAs are named for other purposes. */
static void ask_anybody(SSL_CTX *ctx)
{
    STACK_OF(X509_NAME) *nobody = sk_X509_NAME_new_null();

    if (nobody) {
        SSL_CTX_set_client_CA_list(ctx, nobody);
    }
}

static int init_server(server_rec *s, apr_pool_t *pool, int is_proxy, SSL_CTX *ctx)
{
    glue_engine_t *engine = glue_module.engine(s);

    (void)pool;
    if (is_proxy || !engine) {
        return DECLINED;
    }
    engines = 1;
    engine->ssl_ctx = ctx;
    ask_anybody(ctx);
    SSL_CTX_set_verify(ctx, engine->verify, SSL_CTX_get_verify_callback(ctx));
    SSL_CTX_set_cert_verify_callback(ctx, take_certificate, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_cb(ctx, no_tickets, NULL);
    return OK;
}

/* ---- the connection ---- */

static void forget(known_t *known)
{
    X509_free(known->leaf);
    apr_pool_destroy(known->pool);
}

static apr_status_t end_connection(void *baton)
{
    glue_conn_t *conn = baton;

    if (conn->known) {
        forget(conn->known);
        conn->known = NULL;
    }
    return APR_SUCCESS;
}

/* mod_ssl has no function that gives away its SSL: it is caught when the handshake begins. Whose
 * connection it will be is not known yet, so this happens to those of other sites too. */
static int pre_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    glue_conn_t *conn;

    if (!is_proxy && engines) {
        conn = apr_pcalloc(c->pool, sizeof(*conn));
        conn->ssl = ssl;
        apr_pool_cleanup_register(c->pool, conn, end_connection, apr_pool_cleanup_null);
        ap_set_module_config(c->conn_config, glue_module.module, conn);
    }
    return OK;
}

void glue_tls_hooks(void)
{
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, pre_handshake, NULL, NULL, APR_HOOK_MIDDLE);
}

static glue_conn_t *connection(const request_rec *r)
{
    const conn_rec *c = r->connection->master ? r->connection->master : r->connection;

    return ap_get_module_config(c->conn_config, glue_module.module);
}

SSL *glue_tls_get0(const request_rec *r)
{
    const glue_conn_t *conn = connection(r);

    return conn ? conn->ssl : NULL;
}

brski_err_t *glue_tls_check(const request_rec *r, const glue_engine_t *engine)
{
    const glue_conn_t *conn = connection(r);

    if (!conn) {
        return brski_err_say(brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "no TLS"), r->pool,
                             "This %s is reached through TLS only.", glue_module.service);
    }
    if (SSL_get_SSL_CTX(conn->ssl) != engine->ssl_ctx) {
        const char *sni = SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name);

        return brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "server_name was %s, the request is "
                         "for %s", brski_printable(sni, 100, r->pool),
                         brski_printable(r->hostname, 100, r->pool));
    }
    if (SSL_session_reused(conn->ssl)) {
        return brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "the TLS session was resumed");
    }
    if (__atomic_load_n(&conn->ended, __ATOMIC_RELAXED)) {
        return brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "an earlier request ended this "
                         "connection");
    }
    return BRSKI_OK;
}

void glue_tls_end(const request_rec *r)
{
    glue_conn_t *conn = connection(r);

    r->connection->keepalive = AP_CONN_CLOSE;
    if (conn) {
        __atomic_store_n(&conn->ended, 1, __ATOMIC_RELAXED);
    }
}

/* ---- the peer ---- */

/* A user name counts only when httpd authenticated it: SSLUserName would set one from a
 * certificate that nobody verified. */
const char *glue_tls_user(const request_rec *r)
{
    return r->user && r->ap_auth_type ? r->user : NULL;
}

static brski_err_t *read_chain(glue_peer_t *peer, STACK_OF(X509) *sent,
                               const glue_engine_t *engine, apr_pool_t *pool)
{
    apr_array_header_t *chain = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    int i;

    for (i = 0; i < sk_X509_num(sent) && i < engine->limits->certificates; i++) {
        const brski_cert_t *cert;

        BRSKI_TRY(brski_cert_wrap(&cert, sk_X509_value(sent, i), engine->cache, pool));
        APR_ARRAY_PUSH(chain, const brski_cert_t *) = cert;
    }
    peer->client_chain = chain;
    return BRSKI_OK;
}

static brski_err_t *read_peer(glue_peer_t *peer, SSL *ssl, X509 *leaf,
                              const glue_engine_t *engine, apr_pool_t *pool)
{
    X509 *shown = glue_module.server_certificate ? SSL_get_certificate(ssl) : NULL;

    if (shown) {
        BRSKI_TRY(brski_cert_wrap(&peer->server_cert, shown, engine->cache, pool));
    }
    if (!leaf) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_cert_wrap(&peer->client_cert, leaf, engine->cache, pool));
    return read_chain(peer, SSL_get_peer_cert_chain(ssl), engine, pool);
}

static brski_err_t *learn(known_t **out, SSL *ssl, X509 *leaf, const glue_engine_t *engine,
                          apr_pool_t *err_pool)
{
    apr_pool_t *pool;
    known_t *known;
    brski_err_t *err;

    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    known = apr_pcalloc(pool, sizeof(*known));
    known->pool = pool;
    err = read_peer(&known->peer, ssl, leaf, engine, pool);
    if (err) {
        err = brski_err(err->code, NULL, err_pool, "%s", brski_err_text(err, pool));
        apr_pool_destroy(pool);
        return err;
    }
    if (leaf) {
        X509_up_ref(leaf);
        known->leaf = leaf;
    }
    *out = known;
    return BRSKI_OK;
}

brski_err_t *glue_tls_peer(const glue_peer_t **peer, const request_rec *r,
                           const glue_engine_t *engine)
{
    static const glue_peer_t nobody = { NULL, NULL, NULL };
    glue_conn_t *conn = connection(r);
    X509 *leaf = conn && engine->verify != SSL_VERIFY_NONE ? SSL_get0_peer_certificate(conn->ssl)
                                                           : NULL;
    known_t *known = conn ? __atomic_load_n(&conn->known, __ATOMIC_ACQUIRE) : NULL;
    known_t *first = NULL;

    *peer = &nobody;
    if (!conn) {
        return BRSKI_OK;
    }
    if (!known) {
        BRSKI_TRY(learn(&known, conn->ssl, leaf, engine, r->pool));
        if (!__atomic_compare_exchange_n(&conn->known, &first, known, 0, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            forget(known);
            known = first;
        }
    }
    if (known->leaf != leaf) {
        return brski_err(BRSKI_E_WRONG_HOST, NULL, r->pool, "the client's certificate changed "
                         "within the connection");
    }
    *peer = &known->peer;
    return BRSKI_OK;
}
