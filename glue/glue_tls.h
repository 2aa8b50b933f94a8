/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_tls.h: TLS of an engine's server. mod_ssl would turn away, in the handshake, clients that RFC 8995 wants judged by their
 * request (only id-kp-cmcRA as extended key usage, self-signed, unknown CA, expired), and would let a resumed session pass
 * as verified. So the engine's SSL_CTX takes any well-formed certificate, remembers that it was not verified, and never
 * resumes; what a certificate is worth is decided for each request.
 */
#ifndef GLUE_TLS_H
#define GLUE_TLS_H

#include "glue.h"

/** Register mod_ssl's hooks; nothing happens when mod_ssl is absent. */
void glue_tls_hooks(void);

/** The SSL of the connection a request came on, HTTP/2 included; NULL without TLS. Not to be freed. */
SSL *glue_tls_get0(const request_rec *r);

/**
 * Was the connection made for the host that serves the request? Its settings (which certificates are asked for) are those
 * of the host named by SNI; another host's rules cannot be had on it, nor those of a resumed session.
 * @return NULL, or BRSKI_E_WRONG_HOST (421)
 */
brski_err_t *glue_tls_check(const request_rec *r, const glue_engine_t *engine);

/** Who is at the other end of a connection: its key proven by the handshake, and nothing else known of it. */
typedef struct glue_peer_t {
    const brski_cert_t *client_cert; /**< NULL: none */
    apr_array_header_t *client_chain;/**< const brski_cert_t *: what was sent beside it; NULL: nothing */
    const brski_cert_t *server_cert; /**< that was shown to the client; NULL unless glue_module.server_certificate */
} glue_peer_t;

/**
 * The peer of a request's connection. What OpenSSL has parsed already is not parsed again, and it is read once a connection: it
 * lives as long as that.
 * @return NULL, a missing certificate included; BRSKI_E_CERTIFICATE when one cannot be read
 */
brski_err_t *glue_tls_peer(const glue_peer_t **peer, const request_rec *r, const glue_engine_t *engine);

/** The user that httpd has authenticated by now, NULL when none. */
const char *glue_tls_user(const request_rec *r);

/** Nothing more is to be heard from this client: the connection ends with this answer; where it cannot (HTTP/2),
 *  glue_tls_check() refuses all that comes after. */
void glue_tls_end(const request_rec *r);

#endif
