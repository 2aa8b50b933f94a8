/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_peer.h: what the other end of a connection must show, and whose it is.
 */
#ifndef MASA_PEER_H
#define MASA_PEER_H

#include <httpd.h>

#include "masa_runtime.h"

/**
 * Hold MASAClientCertificate against a request: the handshake has done so already for this host, and says nothing of `known`.
 * @return NULL; BRSKI_E_CLIENT_CERTIFICATE; BRSKI_E_CLIENT_UNKNOWN; errors of the store
 */
brski_err_t *masa_peer_check(const brski_masa_request_t *request, const masa_engine_t *engine, apr_pool_t *scratch_pool);

/** The known customer that a request's transport proves, *customer NULL when none. */
brski_err_t *masa_peer_customer(brski_customer_t **customer, const brski_masa_request_t *request,
                                const masa_engine_t *engine, apr_pool_t *pool);

#endif
