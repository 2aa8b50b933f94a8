/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_tls.h: what a TLS connection offers to bind a certification request to it. RFC 7030 3.5.
 */
#ifndef EST_TLS_H
#define EST_TLS_H

#include <httpd.h>

#include "brski_csr.h"

/** The channel bindings of a request's connection; what it has not has no length. */
void est_tls_binding(brski_binding_t *binding, const request_rec *r);

#endif
