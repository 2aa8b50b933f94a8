/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_peer.h: who stands at the other end: the TLS client certificate of a request with what was sent beside it, its key
 * proven by the handshake and nothing else known of it, and the user whom httpd authenticated.
 */
#ifndef MASA_PEER_H
#define MASA_PEER_H

#include <httpd.h>

#include "masa_runtime.h"

/** The user that httpd has authenticated by now, NULL when none. */
const char *masa_peer_user(const request_rec *r);

/**
 * Fill client_cert, client_chain and address of a request. RFC 8995 5.4.
 * @return NULL, a missing certificate included; BRSKI_E_CERTIFICATE when one cannot be read
 */
brski_err_t *masa_peer_fill(brski_masa_request_t *request, request_rec *r, const masa_engine_t *engine);

/**
 * Hold MASAClientCertificate against a request: the handshake has done so already for this host, and says nothing of `known`.
 * @return NULL; BRSKI_E_CLIENT_CERTIFICATE; BRSKI_E_CLIENT_UNKNOWN; errors of the store
 */
brski_err_t *masa_peer_check(const brski_masa_request_t *request, const masa_engine_t *engine, apr_pool_t *scratch_pool);

/** The known customer that a request's transport proves, *customer NULL when none. */
brski_err_t *masa_peer_customer(brski_customer_t **customer, const brski_masa_request_t *request,
                                const masa_engine_t *engine, apr_pool_t *pool);

#endif
