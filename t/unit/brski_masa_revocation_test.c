/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_revocation_test.c: when a decision asks whether the registrar was revoked, RFC 8995
 * 5.5.3. Whom to ask is a stranger's word, so it is asked after everything else has passed. A
 * listener on loopback counts who is asked; how answers are judged is brski_revoke_test's.
 */
#include "testmasa.h"

#include <apr_network_io.h>
#include <apr_strings.h>

static apr_pool_t *pool;              /* of the test at hand */
static apr_socket_t *listener;        /* takes connections and never answers */
static apr_port_t port;

static void listen_somewhere(apr_pool_t *parent)
{
    apr_sockaddr_t *address;

    apr_sockaddr_info_get(&address, "127.0.0.1", APR_INET, 0, 0, parent);
    apr_socket_create(&listener, APR_INET, SOCK_STREAM, APR_PROTO_TCP, parent);
    if (apr_socket_bind(listener, address) || apr_socket_listen(listener, 16)
        || apr_socket_addr_get(&address, APR_LOCAL, listener)) {
        exit(1);
    }
    port = address->port;
    apr_socket_timeout_set(listener, 0);
}

/* How many connections came since this was asked last. */
static int connections(void)
{
    apr_socket_t *s;
    int n = 0;

    while (apr_socket_accept(&s, listener, pool) == APR_SUCCESS) {
        apr_socket_close(s);
        n++;
    }
    return n;
}

/* A world whose checker may reach the listener; the registrar's certificate names it. */
static testmasa_t *make(testpki_t **registrar, brski_revocation_t mode)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_spec_t spec = { .cn = "Registrar with a CRL", .cmc_ra = 1, .client_auth = 1 };
    brski_revoke_options_t options = { .timeout = apr_time_from_msec(200), .allow_private = 1 };

    spec.crl = apr_psprintf(pool, "http://127.0.0.1:%d/crl", port);
    *registrar = testpki_make(&spec, w->domain_ca, pool);
    is_ok(brski_revoke_make(&w->masa.revoke, &options, w->ctx, pool), "a checker");
    w->masa.revocation = mode;
    return w;
}

static void test_modes(void)
{
    testpki_t *registrar;
    testmasa_t *w = make(&registrar, BRSKI_REVOCATION_HARD);
    testmasa_ask_t ask = testmasa_ask_from(w, registrar);

    is_err(testmasa_voucher(w, &ask), REVOCATION_UNKNOWN, "5.5.3 hard: what cannot be learned");
    ok(connections() > 0, "5.5.3 hard: the distribution point was asked");
    is_int(w->store->events->nelts, 0, "5.5.3 hard: no event");
    w = make(&registrar, BRSKI_REVOCATION_SOFT);
    ask = testmasa_ask_from(w, registrar);
    is_ok(testmasa_voucher(w, &ask), "5.5.3 soft: what cannot be learned counts as good");
    ok(connections() > 0, "5.5.3 soft: the distribution point was asked");
    w = make(&registrar, BRSKI_REVOCATION_OFF);
    ask = testmasa_ask_from(w, registrar);
    is_ok(testmasa_voucher(w, &ask), "5.5.3 off: nothing stands in the way");
    is_int(connections(), 0, "5.5.3 off: nobody was asked");
}

static void test_strangers(void)
{
    testpki_t *registrar;
    testmasa_t *w = make(&registrar, BRSKI_REVOCATION_HARD);
    testmasa_ask_t ask = testmasa_ask_from(w, registrar);

    ask.rvr.serial_number = "not-a-device";
    is_err(testmasa_voucher(w, &ask), DEVICE_UNKNOWN, "5.6 no device of ours");
    is_int(connections(), 0, "5.5.3 for that nobody is asked");
    ask = testmasa_ask_from(w, registrar);
    ask.pledge = NULL;
    is_err(testmasa_voucher(w, &ask), PRIOR_MISSING, "5.5.5 no pledge's request");
    is_int(connections(), 0, "5.5.3 without the pledge's proof nobody is asked");
    ask = testmasa_ask_from(w, registrar);
    ask.break_pvr = 1;
    is_err(testmasa_voucher(w, &ask), PRIOR_SIGNATURE, "5.5.5 the pledge signed something else");
    is_int(connections(), 0, "5.5.3 for a forged proof nobody is asked");
}

static void test_log(void)
{
    testpki_t *registrar;
    testmasa_t *w = make(&registrar, BRSKI_REVOCATION_OFF);
    testmasa_ask_t ask = testmasa_ask_from(w, registrar);

    ask.request.client_cert = registrar->cert;
    is_ok(testmasa_voucher(w, &ask), "5.6 a voucher, before revocation is looked at");
    w->masa.revocation = BRSKI_REVOCATION_HARD;
    is_err(testmasa_log(w, &ask), REVOCATION_UNKNOWN, "5.8 a log is for registrars not revoked");
    ok(connections() > 0, "5.5.3 the distribution point was asked");
    is_err(testmasa_voucher(w, &ask), REVOCATION_UNKNOWN, "5.6 nor is the voucher sent again");
}

int main(void)
{
    static void (*const tests[])(void) = { test_modes, test_strangers, test_log };
    apr_pool_t *parent = unit_start();
    apr_size_t i;

    listen_somewhere(parent);
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        apr_pool_create(&pool, parent);
        tests[i]();
        apr_pool_destroy(pool);
    }
    return done_testing();
}
