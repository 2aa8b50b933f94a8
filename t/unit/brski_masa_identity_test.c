/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_identity_test.c: what a request proves of its sender, RFC 8995 5.4 and 5.5.4: keys
 * always, names and CAs only on a path to MASACustomerAnchor.
 */
#include "testmasa.h"

#include <apr_strings.h>
#include <string.h>

static apr_pool_t *pool;              /* of the test at hand */

static brski_chain_t *chain_of(const testpki_t *ee)
{
    brski_chain_t *chain;

    if (brski_chain_build(&chain, ee->cert, testpki_chain(ee, 0, pool), pool, pool)) {
        bail_out("chain");
    }
    return chain;
}

/* The keys in one line. */
static const char *keys(testmasa_t *w, const brski_chain_t *chain,
                        const brski_masa_request_t *request)
{
    brski_identity_t *identity;

    is_ok(brski_masa_identity(&identity, &w->masa, chain, request, pool, pool), "5.5.4 identity");
    return apr_array_pstrcat(pool, identity->keys, ' ');
}

static const char *spki(const testpki_t *t)
{
    return apr_pstrcat(pool, "spki:", t->cert->spki_hex, NULL);
}

static void test_keys(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_masa_request_t request = { 0 };
    testpki_t *tls = testmasa_domain(w, "Northbound");

    is_str(keys(w, NULL, &request), "", "5.4 nothing proves nothing");
    is_str(keys(w, chain_of(w->registrar), &request), spki(w->registrar),
           "5.5.4 the signature proves the signer's key, not its CA's");
    request.client_cert = tls->cert;
    is_str(keys(w, NULL, &request), spki(tls), "5.4 TLS proves its key");
    request.client_cert = w->registrar->cert;
    request.user = "acme-web";
    is_str(keys(w, chain_of(w->registrar), &request),
           apr_pstrcat(pool, spki(w->registrar), " user:acme-web", NULL),
           "5.4 each once, and the user that httpd authenticated");
}

static void test_anchored(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_masa_request_t request = { 0 };
    const char *line;

    w->masa.customer_anchors = testmasa_anchors(w, w->domain_root);
    line = keys(w, chain_of(w->registrar), &request);
    has_str(line, "dns:registrar.example.com", "5.4 a name on a verified path");
    has_str(line, apr_pstrcat(pool, "ca:", w->domain_ca->cert->spki_hex, NULL), "5.4 its issuer");
    has_str(line, apr_pstrcat(pool, "ca:", w->domain_root->cert->spki_hex, NULL), "5.4 the root");
    w->masa.customer_anchors = testmasa_anchors(w, w->masa_root);
    is_str(keys(w, chain_of(w->registrar), &request), spki(w->registrar),
           "5.4 no path to the anchor: neither name nor CA");
}

static void test_tls_anchored(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_masa_request_t request = { 0 };

    w->masa.customer_anchors = testmasa_anchors(w, w->domain_root);
    request.client_cert = w->registrar->cert;
    is_str(keys(w, NULL, &request), spki(w->registrar), "5.4 TLS without its intermediate");
    request.client_chain = testpki_certs(pool, w->domain_ca, NULL);
    has_str(keys(w, NULL, &request), "dns:registrar.example.com", "5.4 and with it");
    unit_ctx_set_now(w->ctx, unit_time("2040-01-01T00:00:00Z"));
    is_str(keys(w, NULL, &request), spki(w->registrar), "5.4 a name expires, a key does not");
}

static void test_public_anchor(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_masa_request_t request = { 0 };

    w->masa.customer_anchors = testmasa_anchors(w, w->domain_root);
    w->masa.public_cas = w->masa.customer_anchors;
    is_str(keys(w, chain_of(w->registrar), &request),
           apr_pstrcat(pool, spki(w->registrar), " dns:registrar.example.com", NULL),
           "5.4 a public CA vouches for names, and is nobody's own");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_keys, test_anchored, test_tls_anchored, test_public_anchor,
    };
    apr_pool_t *parent = unit_start();
    apr_size_t i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        apr_pool_create(&pool, parent);
        tests[i]();
        apr_pool_destroy(pool);
    }
    return done_testing();
}
