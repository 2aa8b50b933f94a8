/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_pin_test.c: which certificate is pinned, RFC 8995 5.5.2, for each policy, each length
 * of chain, and chains of public CAs, which are never pinned.
 */
#include "testmasa.h"

#include <apr_strings.h>

#include "brski_bytes.h"

static apr_pool_t *pool;              /* of the test at hand */

static void pins(testmasa_t *w, apr_array_header_t *certs, const testpki_t *want, const char *label)
{
    testmasa_ask_t ask = testmasa_ask(w);
    brski_signed_t *opened;

    ask.certs = certs;
    if (!is_ok(testmasa_voucher(w, &ask), "%s: a voucher", label)) {
        return;
    }
    opened = testmasa_opened(w);
    ok(brski_bytes_equal(opened->voucher->pinned_domain_cert, want->cert->der), "%s", label);
    is_str(w->answer->domain_id, brski_domain_id(want->cert, pool), "5.8.2 and its domainID");
}

static void test_policies(void)
{
    testmasa_t *w = testmasa_make(pool);

    pins(w, NULL, w->domain_ca, "5.5.2 lowest-ca");
    w->product->pin_nonced = BRSKI_PIN_HIGHEST_CA;
    pins(w, NULL, w->domain_root, "5.5.2 highest-ca");
    pins(w, testpki_chain(w->registrar, 2, pool), w->domain_ca,
         "5.5.2 highest-ca: the highest that the registrar included");
    w->product->pin_nonced = BRSKI_PIN_EE;
    pins(w, NULL, w->registrar, "5.5.2 ee");
    w->product->pin_nonced = BRSKI_PIN_LOWEST_CA;
    pins(w, testpki_certs(pool, w->registrar, NULL), w->registrar,
         "5.5.2 lowest-ca without a CA: the registrar's own");
    pins(w, testpki_certs(pool, w->registrar, w->domain_root, NULL), w->registrar,
         "5.5.2 a root that does not connect is no part of the chain");
}

static void test_granted(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_grant_t *grant;

    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    teststore_grant(w->store, "pin", "")->value = "ee";
    pins(w, NULL, w->registrar, "5.5.2 as the customer was granted");
    grant = teststore_grant(w->store, "pin", "thermostat");
    grant->value = "highest-ca";
    pins(w, NULL, w->domain_root, "5.5.2 for this product line rather than for all");
    grant->value = "nonsense";
    pins(w, NULL, w->domain_ca, "5.5.2 a word that is none leaves the policy");
    grant->until = 1;
    pins(w, NULL, w->registrar, "5.5.2 a grant that has ended is none");
}

static void test_public(void)
{
    testmasa_t *w = testmasa_make(pool);

    w->masa.public_cas = testmasa_anchors(w, w->domain_root);
    pins(w, NULL, w->registrar, "5.5 never a public CA: the registrar's own");
    w->product->pin_nonced = BRSKI_PIN_HIGHEST_CA;
    pins(w, NULL, w->registrar, "5.5 nor the highest of them");
    pins(w, testpki_chain(w->registrar, 2, pool), w->registrar,
         "5.5 nor one whose public root is left out");
}

/* One certificate with the key of another. */
static void test_public_key(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *root, *renamed, *ee;
    testmasa_ask_t ask;

    root = testpki_make(&(testpki_spec_t){ .cn = "Public root", .ca = 1 }, NULL, pool);
    renamed = testpki_make(&(testpki_spec_t){ .cn = "My private root", .ca = 1,
        .same_key = root->key }, NULL, pool);
    ee = testpki_make(&(testpki_spec_t){ .cn = "registrar", .cmc_ra = 1 }, renamed, pool);
    w->masa.public_cas = testmasa_anchors(w, root);
    ask = testmasa_ask_from(w, ee);
    is_ok(testmasa_voucher(w, &ask), "5.5 a public CA under another name");
    is_str(w->answer->domain_id, brski_domain_id(ee->cert, pool), "5.5 is not pinned either");
    is_str(teststore_event(w->store, 0)->issuer_spki, "", "5.8 nor recorded");
}

static void test_public_elsewhere(void)
{
    testmasa_t *w = testmasa_make(pool);

    w->masa.public_cas = testmasa_anchors(w, w->masa_root);
    pins(w, NULL, w->domain_ca, "5.5.2 other public CAs do not matter");
    w->masa.public_cas = testmasa_anchors(w, w->registrar);
    {
        testmasa_ask_t ask = testmasa_ask(w);

        w->product->pin_nonced = BRSKI_PIN_EE;
        is_err(testmasa_voucher(w, &ask), PIN, "5.5 refuses when only a public CA is left");
    }
}

static void test_no_ski(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask;
    testpki_t *self;

    self = testpki_make(&(testpki_spec_t){ .cn = "self", .cmc_ra = 1, .ski = "" }, NULL, pool);
    ask = testmasa_ask_from(w, self);
    is_ok(testmasa_voucher(w, &ask), "5.5.2 a self-signed registrar");
    is_str(w->answer->domain_id,
           brski_base64_encode(brski_bytes(self->cert->spki_hash, 32), pool),
           "5.8.2 without key identifier: the hash of the key");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_policies, test_granted, test_public, test_public_key, test_public_elsewhere,
        test_no_ski,
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
