/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_address.h: where a stranger's URL may lead. A certificate names URLs that we shall fetch; whoever made it must
 * not reach through us what only we can reach: our own host, its network, a cloud's metadata service. Addresses are
 * judged, never names, since a name may mean something else a moment later.
 */
#ifndef BRSKI_ADDRESS_H
#define BRSKI_ADDRESS_H

#include "brski.h"
#include <sys/socket.h>

typedef enum brski_address_t {
    BRSKI_ADDRESS_NEVER = 0,          /**< link-local (metadata services), multicast, reserved, unspecified, not IP */
    BRSKI_ADDRESS_PRIVATE,            /**< loopback, RFC 1918, shared (RFC 6598), unique local: by permission only */
    BRSKI_ADDRESS_PUBLIC              /**< unicast on the Internet */
} brski_address_t;

/**
 * Kind of an address, RFC 6890. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4) is of the kind of that one.
 * @param len  octets of addr
 */
brski_address_t brski_address_kind(const struct sockaddr *addr, apr_size_t len);

/** Kind of a numeric address as text ("192.0.2.1", "fe80::1%eth0"); NEVER for anything else. */
brski_address_t brski_address_kind_text(const char *text);

#endif
