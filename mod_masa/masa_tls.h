/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_tls.h: TLS of an engine's server. mod_ssl would turn away, in the handshake, registrars that RFC 8995 wants judged by
 * their request (only id-kp-cmcRA as extended key usage, self-signed, unknown CA, expired), and would let a resumed session
 * pass as verified. So the engine's SSL_CTX takes any well-formed certificate, remembers that it was not verified, and never
 * resumes; what a certificate is worth is decided for each request.
 */
#ifndef MASA_TLS_H
#define MASA_TLS_H

#include <httpd.h>
#include <openssl/ssl.h>

#include "masa_runtime.h"

/** Register mod_ssl's hooks; nothing happens when mod_ssl is absent. */
void masa_tls_hooks(void);

/** The SSL of the connection a request came on, HTTP/2 included; NULL without TLS. Not to be freed. */
SSL *masa_tls_get0(const request_rec *r);

/**
 * Was the connection made for the host that serves the request? Its settings (which certificates are asked for) are those
 * of the host named by SNI; another host's rules cannot be had on it, nor those of a resumed session.
 * @return NULL, or BRSKI_E_WRONG_HOST (421)
 */
brski_err_t *masa_tls_check(const request_rec *r, const masa_engine_t *engine);

#endif
