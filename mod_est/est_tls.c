/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_tls.c: channel bindings, computed from OpenSSL's connection: httpd has no variable for them.
 */
#include "est_tls.h"

#include <openssl/ssl.h>

#include "brski_bytes.h"
#include "glue_tls.h"

/* RFC 9266 2 */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_LENGTH 32
/* A Finished message of TLS 1.2 has 12 octets. */
#define FINISHED_MAX 64

static brski_bytes_t octets(const unsigned char *data, apr_size_t len, apr_pool_t *pool)
{
    return brski_bytes_dup(brski_bytes(data, len), pool);
}

/* RFC 5929 3.1: the first Finished message: the client's, since sessions are never resumed here. */
static void tls_unique(brski_bytes_t *out, const SSL *ssl, apr_pool_t *pool)
{
    unsigned char finished[FINISHED_MAX];
    apr_size_t len = SSL_session_reused(ssl) ? SSL_get_finished(ssl, finished, sizeof(finished))
                                             : SSL_get_peer_finished(ssl, finished,
                                                                     sizeof(finished));

    if (len && len <= sizeof(finished)) {
        *out = octets(finished, len, pool);
    }
}

/* RFC 9266 2: the context is there and empty; in TLS 1.2 that is not the same as none. */
static void tls_exporter(brski_bytes_t *out, SSL *ssl, apr_pool_t *pool)
{
    static const unsigned char empty[1] = { 0 };
    unsigned char value[EXPORTER_LENGTH];

    if (SSL_export_keying_material(ssl, value, sizeof(value), EXPORTER_LABEL,
                                   sizeof(EXPORTER_LABEL) - 1, empty, 0, 1) == 1) {
        *out = octets(value, sizeof(value), pool);
    }
}

/* Without the extended master secret (RFC 7627) somebody in the middle can have two connections
 * with the same values: then there are none. tls-unique is not defined for TLS 1.3. */
void est_tls_binding(brski_binding_t *binding, const request_rec *r)
{
    SSL *ssl = glue_tls_get0(r);
    const int modern = ssl && SSL_version(ssl) >= TLS1_3_VERSION;

    binding->unique = binding->exporter = brski_bytes(NULL, 0);
    if (!ssl || (!modern && SSL_get_extms_support(ssl) != 1)) {
        return;
    }
    if (!modern) {
        tls_unique(&binding->unique, ssl, r->pool);
    }
    tls_exporter(&binding->exporter, ssl, r->pool);
}
