/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_address_test.c: which addresses a stranger's URL may lead to.
 */
#include "brski_address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "unit.h"

#define NEVER BRSKI_ADDRESS_NEVER
#define PRIVATE BRSKI_ADDRESS_PRIVATE
#define PUBLIC BRSKI_ADDRESS_PUBLIC

static const struct {
    const char *text;
    brski_address_t kind;
} addresses[] = {
    { "8.8.8.8", PUBLIC }, { "1.0.0.1", PUBLIC }, { "223.255.255.255", PUBLIC },
    { "9.255.255.255", PUBLIC }, { "11.0.0.0", PUBLIC }, { "172.15.255.255", PUBLIC },
    { "172.32.0.0", PUBLIC }, { "192.167.1.1", PUBLIC }, { "192.169.0.0", PUBLIC },
    { "100.63.255.255", PUBLIC }, { "100.128.0.0", PUBLIC }, { "198.17.0.0", PUBLIC },
    { "198.20.0.0", PUBLIC }, { "192.0.1.0", PUBLIC }, { "128.0.0.1", PUBLIC },
    { "10.0.0.0", PRIVATE }, { "10.255.255.255", PRIVATE }, { "127.0.0.1", PRIVATE },
    { "127.255.255.254", PRIVATE }, { "172.16.0.1", PRIVATE }, { "172.31.255.255", PRIVATE },
    { "192.168.0.1", PRIVATE }, { "100.64.0.1", PRIVATE }, { "100.127.255.255", PRIVATE },
    { "0.0.0.0", NEVER }, { "0.1.2.3", NEVER }, { "169.254.169.254", NEVER },
    { "192.0.0.170", NEVER }, { "192.0.2.1", NEVER }, { "198.18.0.1", NEVER },
    { "198.19.255.255", NEVER }, { "198.51.100.7", NEVER }, { "203.0.113.9", NEVER },
    { "192.88.99.1", NEVER }, { "224.0.0.1", NEVER }, { "239.255.255.250", NEVER },
    { "240.0.0.1", NEVER }, { "255.255.255.255", NEVER },
    { "2001:4860:4860::8888", PUBLIC }, { "2a00::1", PUBLIC }, { "2001:200::1", PUBLIC },
    { "2000::1", PUBLIC }, { "3ffe::1", PUBLIC },
    { "::1", PRIVATE }, { "fc00::1", PRIVATE }, { "fdff::1", PRIVATE },
    { "::", NEVER }, { "::2", NEVER }, { "::8.8.8.8", NEVER }, { "fe80::1", NEVER },
    { "febf::1", NEVER }, { "fec0::1", NEVER }, { "ff02::1", NEVER }, { "100::1", NEVER },
    { "2001::1", NEVER }, { "2001:1ff::1", NEVER }, { "2001:db8::1", NEVER }, { "3fff::1", NEVER },
    { "4000::1", NEVER }, { "5f00::1", NEVER }, { "64:ff9b:1::8.8.8.8", NEVER },
    { "::ffff:8.8.8.8", PUBLIC }, { "::ffff:127.0.0.1", PRIVATE }, { "::ffff:10.1.2.3", PRIVATE },
    { "::ffff:169.254.169.254", NEVER }, { "::ffff:0.0.0.0", NEVER },
    { "64:ff9b::8.8.8.8", PUBLIC }, { "64:ff9b::192.168.1.1", PRIVATE },
    { "64:ff9b::169.254.169.254", NEVER }, { "64:ff9b::1:808:808", NEVER },
    { "2002:808:808::1", PUBLIC }, { "2002:7f00:1::1", PRIVATE }, { "2002:a9fe:a9fe::", NEVER },
    { "fe80::1%eth0", NEVER }, { "2a00::1%eth0", PUBLIC }, { "8.8.8.8%eth0", NEVER },
    { "", NEVER }, { "localhost", NEVER }, { "8.8.8", NEVER }, { "8.8.8.8.8", NEVER },
    { "0x8.8.8.8", NEVER }, { "134744072", NEVER }, { "[2a00::1]", NEVER }, { "%", NEVER },
    { "2a00:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", NEVER },
};

static const char *word(brski_address_t kind)
{
    return kind == PUBLIC ? "public" : kind == PRIVATE ? "private" : "never";
}

int main(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    size_t i;

    unit_start();
    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        is_str(word(brski_address_kind_text(addresses[i].text)), word(addresses[i].kind),
               "address: '%s' is %s", addresses[i].text, word(addresses[i].kind));
    }
    is_int(brski_address_kind_text(NULL), NEVER, "address: NULL is none");
    in.sin_addr.s_addr = htonl(0x08080808);
    is_int(brski_address_kind((struct sockaddr *)&in, sizeof(in)), PUBLIC, "address: IPv4 socket");
    is_int(brski_address_kind((struct sockaddr *)&in, sizeof(in) - 1), NEVER, "address: cut short");
    in6.sin6_addr = in6addr_loopback;
    is_int(brski_address_kind((struct sockaddr *)&in6, sizeof(in6)), PRIVATE,
           "address: IPv6 socket");
    is_int(brski_address_kind((struct sockaddr *)&in6, sizeof(in)), NEVER, "address: cut short");
    is_int(brski_address_kind((struct sockaddr *)&un, sizeof(un)), NEVER, "address: a Unix socket");
    return done_testing();
}
