/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_authz.h: `Require masa-customer`: the transport belongs to a known customer. It says nothing of who signed the request.
 */
#ifndef MASA_AUTHZ_H
#define MASA_AUTHZ_H

#include <apr_pools.h>

/** Register the authorization provider. */
void masa_authz_hooks(apr_pool_t *pool);

#endif
