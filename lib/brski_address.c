/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_address.c: tells public addresses from those a stranger must not make us talk to, by the
 * registries of RFC 6890. IPv4 is public unless listed; IPv6 is public only where listed.
 */
#include "brski_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* A network: its first octets, and how many bits of them count. */
typedef struct network_t {
    unsigned char prefix[8];
    int bits;
    brski_address_t kind;
} network_t;

/* What is not listed is public. */
static const network_t ipv4[] = {
    { { 0 }, 8, BRSKI_ADDRESS_NEVER },                /* "this network" */
    { { 10 }, 8, BRSKI_ADDRESS_PRIVATE },
    { { 100, 64 }, 10, BRSKI_ADDRESS_PRIVATE },       /* shared, RFC 6598 */
    { { 127 }, 8, BRSKI_ADDRESS_PRIVATE },            /* loopback */
    { { 169, 254 }, 16, BRSKI_ADDRESS_NEVER },        /* link-local, metadata services */
    { { 172, 16 }, 12, BRSKI_ADDRESS_PRIVATE },
    { { 192, 0, 0 }, 24, BRSKI_ADDRESS_NEVER },       /* IETF protocols */
    { { 192, 0, 2 }, 24, BRSKI_ADDRESS_NEVER },       /* documentation */
    { { 192, 88, 99 }, 24, BRSKI_ADDRESS_NEVER },     /* 6to4 relays, retired */
    { { 192, 168 }, 16, BRSKI_ADDRESS_PRIVATE },
    { { 198, 18 }, 15, BRSKI_ADDRESS_NEVER },         /* benchmarks */
    { { 198, 51, 100 }, 24, BRSKI_ADDRESS_NEVER },    /* documentation */
    { { 203, 0, 113 }, 24, BRSKI_ADDRESS_NEVER },     /* documentation */
    { { 224 }, 4, BRSKI_ADDRESS_NEVER },              /* multicast */
    { { 240 }, 4, BRSKI_ADDRESS_NEVER },              /* reserved, broadcast */
};

/* First match; what is not listed is reserved. */
static const network_t ipv6[] = {
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, BRSKI_ADDRESS_NEVER },  /* documentation */
    { { 0x20, 0x01, 0x00 }, 23, BRSKI_ADDRESS_NEVER },        /* Teredo and other protocols */
    { { 0x3f, 0xff, 0x00 }, 20, BRSKI_ADDRESS_NEVER },        /* documentation */
    { { 0x20 }, 3, BRSKI_ADDRESS_PUBLIC },
    { { 0xfc }, 7, BRSKI_ADDRESS_PRIVATE },                   /* unique local */
};

/* IPv6 prefixes that carry an IPv4 address, and where. */
static const struct {
    unsigned char prefix[12];
    int len, at;
} embedded[] = {
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 12, 12 },         /* mapped */
    { { 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 12 },   /* NAT64, RFC 6052 */
    { { 0x20, 0x02 }, 2, 2 },                                         /* 6to4 */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int inside(const unsigned char *addr, const network_t *net)
{
    int whole = net->bits / 8, rest = net->bits % 8;

    return memcmp(addr, net->prefix, (size_t)whole) == 0
           && (rest == 0 || ((addr[whole] ^ net->prefix[whole]) >> (8 - rest)) == 0);
}

static brski_address_t kind_of(const unsigned char *addr, const network_t *table, size_t count,
                               brski_address_t otherwise)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (inside(addr, &table[i])) {
            return table[i].kind;
        }
    }
    return otherwise;
}

static brski_address_t ipv4_kind(const unsigned char *addr)
{
    return kind_of(addr, ipv4, COUNT(ipv4), BRSKI_ADDRESS_PUBLIC);
}

static brski_address_t ipv6_kind(const unsigned char *addr)
{
    static const unsigned char loopback[16] = { [15] = 1 };
    size_t i;

    for (i = 0; i < COUNT(embedded); i++) {
        if (memcmp(addr, embedded[i].prefix, (size_t)embedded[i].len) == 0) {
            return ipv4_kind(addr + embedded[i].at);
        }
    }
    if (memcmp(addr, loopback, sizeof(loopback)) == 0) {
        return BRSKI_ADDRESS_PRIVATE;
    }
    return kind_of(addr, ipv6, COUNT(ipv6), BRSKI_ADDRESS_NEVER);
}

brski_address_t brski_address_kind(const struct sockaddr *addr, apr_size_t len)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (len >= sizeof(in) && addr->sa_family == AF_INET) {
        memcpy(&in, addr, sizeof(in));
        return ipv4_kind((const unsigned char *)&in.sin_addr);
    }
    if (len >= sizeof(in6) && addr->sa_family == AF_INET6) {
        memcpy(&in6, addr, sizeof(in6));
        return ipv6_kind((const unsigned char *)&in6.sin6_addr);
    }
    return BRSKI_ADDRESS_NEVER;
}

brski_address_t brski_address_kind_text(const char *text)
{
    char copy[INET6_ADDRSTRLEN + 1];
    unsigned char addr[16];
    size_t len = text ? strcspn(text, "%") : 0;

    if (len == 0 || len >= sizeof(copy)) {
        return BRSKI_ADDRESS_NEVER;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, addr) == 1) {
        return text[len] ? BRSKI_ADDRESS_NEVER : ipv4_kind(addr);
    }
    return inet_pton(AF_INET6, copy, addr) == 1 ? ipv6_kind(addr) : BRSKI_ADDRESS_NEVER;
}
