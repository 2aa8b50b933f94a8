/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_log_test.c: who may read an audit log, RFC 8995 5.8: each way in which an owner is
 * recognised, and each in which a stranger tries to be taken for one.
 */
#include "testmasa.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_json.h"

static apr_pool_t *pool;              /* of the test at hand */

#define LATER "2026-03-01T00:00:00Z"

/* A world in which w's registrar was given a voucher; ask is that request, to be posted again. */
static testmasa_t *after_voucher(testmasa_ask_t *ask, int with_tls)
{
    testmasa_t *w = testmasa_make(pool);

    *ask = testmasa_ask(w);
    ask->request.client_cert = with_tls ? w->registrar->cert : NULL;
    if (testmasa_voucher(w, ask)) {
        bail_out("no voucher");
    }
    ask->request.client_cert = NULL;
    return w;
}

static void is_log(testmasa_t *w, brski_err_t *err, int events, const char *label)
{
    brski_json_t *json = NULL;

    is_ok(err, "%s", label);
    if (!err) {
        brski_json_parse(&json, w->answer->body, &brski_limits_default, pool);
    }
    is_int(brski_json_size(brski_json_get(json, "events")), events, "%s: with its events", label);
}

static testpki_t *colleague(testmasa_t *w, const char *cn)
{
    return testpki_make(&(testpki_spec_t){ .cn = cn, .cmc_ra = 1, .client_auth = 1 },
                        w->domain_ca, pool);
}

/* ---- owners ---- */

static void test_same_request(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);

    ask.request.client_cert = w->registrar->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 the same request over TLS with its own key");
    is_str(w->answer->content_type, "application/json", "5.8.1 as JSON");
    is_str(w->answer->product, "thermostat", "5.8 the answer says the product line");
    unit_ctx_set_now(w->ctx, unit_time(LATER));
    is_log(w, testmasa_log(w, &ask), 1, "5.8 months later too: neither age nor reuse is judged");
    is_int(w->store->fresh_uses, 0, "5.8 and nothing is noted for it");
}

static void test_content(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    brski_json_t *json = NULL, *event;

    ask.request.client_cert = w->registrar->cert;
    is_ok(testmasa_log(w, &ask), "5.8 the log");
    is_ok(brski_json_parse(&json, w->answer->body, &brski_limits_default, pool), "5.8.1 JSON");
    event = brski_json_at(brski_json_get(json, "events"), 0);
    is_str(brski_json_get_string(event, "date"), TESTMASA_NOW, "5.8.1 date");
    is_str(brski_json_get_string(event, "domainID"), brski_domain_id(w->domain_ca->cert, pool),
           "5.8.2 domainID of the pinned certificate");
    is_str(brski_json_get_string(event, "nonce"), TESTMASA_NONCE, "5.8.1 nonce");
    is_str(brski_json_get_string(event, "assertion"), "proximity", "5.8.1 assertion");
}

static void test_tls_recorded(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = testmasa_make(pool);
    testpki_t *northbound = testmasa_domain(w, "Northbound");

    ask = testmasa_ask(w);
    ask.request.client_cert = northbound->cert;
    is_ok(testmasa_voucher(w, &ask), "5.5 TLS key and signing key may differ");
    is_log(w, testmasa_log(w, &ask), 1, "5.8 the TLS key recorded with the event");
    teststore_event(w->store, 0)->tls_spki = "";
    is_err(testmasa_log(w, &ask), NO_OWNER, "10.2 not when it was erased");
}

static void test_tls_of_domain_ca(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 0);
    testpki_t *next = colleague(w, "next registrar");

    ask.request.client_cert = next->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 a TLS certificate of the domain's private CA");
    next = testpki_make(&(testpki_spec_t){ .cn = "old registrar", .client_auth = 1,
        .not_after = "2025-01-01T00:00:00Z" }, w->domain_ca, pool);
    ask.request.client_cert = next->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 but not an expired one");
    unit_ctx_set_now(w->ctx, unit_time("2039-12-31T01:00:00Z"));
    is_err(testmasa_log(w, &ask), PKIX, "5.5.3 nor with an expired request");
}

/* The recorded issuer counts, whatever was pinned. */
static void test_tls_and_pin(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    testpki_t *sister, *elsewhere;

    w->product->pin_nonced = BRSKI_PIN_EE;
    is_ok(testmasa_voucher(w, &ask), "5.6 the registrar itself is pinned");
    ask.request.client_cert = colleague(w, "next registrar")->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 the domain's CA opens it all the same");
    w->product->pin_nonced = BRSKI_PIN_HIGHEST_CA;
    w->store->events->nelts = 0;
    is_ok(testmasa_voucher(w, &ask), "5.6 the root is pinned");
    sister = testpki_make(&(testpki_spec_t){ .cn = "Sister CA", .ca = 1 }, w->domain_root, pool);
    elsewhere = testpki_make(&(testpki_spec_t){ .cn = "elsewhere", .client_auth = 1 }, sister,
                             pool);
    ask.request.client_cert = elsewhere->cert;
    ask.request.client_chain = testpki_chain(elsewhere, 0, pool);
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 TLS of a sister CA does not");
}

static void test_chain_key(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 0);
    testpki_t *next = colleague(w, "next registrar");

    ask = testmasa_ask_from(w, next);
    ask.request.client_cert = next->cert;
    ask.rvr.created_on = 0;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 another registrar of the domain, its own request");
}

static void test_customer(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = testmasa_make(pool);
    testpki_t *office = testmasa_domain(w, "Office");

    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    teststore_customer(w->store, "acme", "spki:", office->cert->spki_hex);
    teststore_customer(w->store, "acme", "user:", "acme-web");
    ask = testmasa_ask(w);
    is_ok(testmasa_voucher(w, &ask), "5.6 a customer's voucher");
    unit_ctx_set_now(w->ctx, unit_time(LATER));
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 its copied request proves no customer");
    ask.request.user = "acme-web";
    is_log(w, testmasa_log(w, &ask), 1, "5.8 the customer by its HTTP user");
    ask.request.user = NULL;
    ask.request.client_cert = office->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 the customer by another of its keys");
    ask = testmasa_ask_from(w, office);
    is_log(w, testmasa_log(w, &ask), 1, "5.8 the customer by a fresh request");
    office = testmasa_domain(w, "New office");
    teststore_customer(w->store, "acme", "spki:", office->cert->spki_hex);
    teststore_customer(w->store, "aaa", "spki:", w->masa_ee->cert->spki_hex);
    ask = testmasa_ask_from(w, office);
    ask.request.client_cert = w->masa_ee->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 whoever's TLS key brings it");
}

static void test_fresh(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 0);
    testpki_t *stranger = testmasa_domain(w, "Stranger");

    unit_ctx_set_now(w->ctx, unit_time(LATER));
    ask = testmasa_ask(w);
    is_log(w, testmasa_log(w, &ask), 1, "5.8 a fresh request of the domain, without TLS key");
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 it opens the log once");
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 and never for who copied it");
    ask = testmasa_ask(w);
    ask.rvr.created_on += 1000000;
    ask.request.client_cert = stranger->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 with any TLS key that comes with it first");
    is_log(w, testmasa_log(w, &ask), 1, "5.8 which may repeat it");
}

/* A pledge can name any MASA, and a registrar asks that one. */
static void test_handed_on(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 0);
    testpki_t *maker = testpki_make(&(testpki_spec_t){ .cn = "Other maker", .ca = 1 }, NULL, pool);

    unit_ctx_set_now(w->ctx, unit_time(LATER));
    ask = testmasa_ask(w);
    ask.pledge = testpki_make(&(testpki_spec_t){ .cn = "pledge",
        .serial_number = TESTMASA_SERIAL }, maker, pool);
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 a fresh request around another maker's pledge");
    ask = testmasa_ask(w);
    ask.pvr.serial_number = "another";
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 or around another device of ours");
    ask = testmasa_ask(w);
    ask.break_pvr = 1;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 or around a forged request");
    ask = testmasa_ask(w);
    ask.prior = brski_bytes_str("no CMS");
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 or around what is none");
    ask.request.client_cert = w->registrar->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 whose sender has the key may send what it wants");
    w->masa.products->nelts = 0;
    ask = testmasa_ask(w);
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 no line, no judgement of a pledge's request");
    ask = testmasa_ask(w);
    ask.pledge = NULL;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 one without a pledge's request needs none");
}

static void test_former_owner(void)
{
    testmasa_ask_t ask, sold_on;
    testmasa_t *w = after_voucher(&ask, 0);
    testpki_t *buyer = testmasa_domain(w, "Buyer");

    sold_on = testmasa_ask_from(w, buyer);
    is_ok(testmasa_voucher(w, &sold_on), "5.6 the device was sold on");
    ask.request.client_cert = w->registrar->cert;
    is_log(w, testmasa_log(w, &ask), 2, "5.8 a former owner sees the new one");
    sold_on.request.client_cert = buyer->cert;
    is_log(w, testmasa_log(w, &sold_on), 2, "5.8 and the new one the former");
    w->device->status = "stolen";
    is_log(w, testmasa_log(w, &ask), 2, "5.8 also of a device that is stolen");
    w->masa.products->nelts = 0;
    is_log(w, testmasa_log(w, &ask), 2, "5.8 and of a product line this node lacks");
}

/* ---- strangers ---- */

static const char *text_of(const brski_err_t *err)
{
    return err ? err->public_text : "no error";
}

static void test_stranger(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    testpki_t *stranger = testmasa_domain(w, "Stranger");
    brski_err_t *never, *unknown;

    ask = testmasa_ask_from(w, stranger);
    ask.request.client_cert = stranger->cert;
    never = testmasa_log(w, &ask);
    is_err(never, NO_OWNER, "5.8 a stranger's own good request opens nothing");
    is_int(never ? never->status : 0, 404, "5.8 with 404");
    is_int(w->store->fresh_uses, 0, "5.8 and is not even noted");
    w->store->devices->nelts = 0;
    unknown = testmasa_log(w, &ask);
    is_err(unknown, DEVICE_UNKNOWN, "5.8 nor when the device is unknown");
    is_int(unknown ? unknown->status : 0, 404, "5.8 with 404");
    is_str(text_of(unknown), text_of(never), "5.8 and in the same words");
}

static void test_replayed(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    testpki_t *stranger = testmasa_domain(w, "Stranger");

    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 a copied request without TLS key opens nothing");
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 nor with a stranger's TLS key");
    ask.request.client_chain = testpki_chain(w->registrar, 0, pool);
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 nor with the owner's certificates beside it");
    is_int(w->answer->body.len, 0, "5.8 and nothing leaves");
}

static void test_refused_request(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 0);
    testpki_t *stranger = testmasa_domain(w, "Stranger");

    /* one that no voucher was made for: kept as evidence, or overheard */
    ask = testmasa_ask(w);
    ask.rvr.created_on = unit_time("2025-12-31T23:54:59Z");
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 one that is not fresh opens nothing");
    ask = testmasa_ask(w);
    ask.rvr.created_on = 0;
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 nor one that does not say when it was made");
    ask = testmasa_ask(w);
    ask.rvr.created_on = unit_time("2026-01-01T00:05:01Z");
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 nor one of the future");
}

static void test_copied_ski(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    testpki_t *ca, *thief;

    ca = testpki_make(&(testpki_spec_t){ .cn = "Domain CA", .ca = 1,
        .ski = brski_hex(w->domain_ca->cert->ski, pool) }, NULL, pool);
    thief = testpki_make(&(testpki_spec_t){ .cn = "Domain registrar", .cmc_ra = 1,
        .client_auth = 1, .ski = brski_hex(w->registrar->cert->ski, pool) }, ca, pool);
    is_str(brski_domain_id(ca->cert, pool), brski_domain_id(w->domain_ca->cert, pool),
           "11.2 an owner's key identifier copied into a stranger's certificate");
    ask = testmasa_ask_from(w, thief);
    ask.request.client_cert = thief->cert;
    ask.request.client_chain = testpki_chain(thief, 0, pool);
    is_err(testmasa_log(w, &ask), NO_OWNER, "11.2 opens nothing");
}

static void test_not_a_registrar(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    testpki_t *laptop;

    laptop = testpki_make(&(testpki_spec_t){ .cn = "laptop", .client_auth = 1 }, w->domain_ca,
                          pool);
    ask = testmasa_ask_from(w, laptop);
    ask.request.client_cert = laptop->cert;
    is_err(testmasa_log(w, &ask), CMC_RA, "5.5.4 a request that no registrar signed is refused");
    ask = testmasa_ask(w);
    ask.break_rvr = 1;
    is_err(testmasa_log(w, &ask), SIGNATURE, "5.5.3 so is one with a broken signature");
    ask = testmasa_ask(w);
    ask.request.content_type = "text/plain";
    is_err(testmasa_log(w, &ask), MEDIA_TYPE, "5.6 and one of another type");
}

/* Whoever a public CA certifies is no owner because of that CA. */
static void test_public_ca(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *neighbour = colleague(w, "neighbour");
    testmasa_ask_t ask = testmasa_ask(w), theirs;

    w->masa.public_cas = testmasa_anchors(w, w->domain_root);
    is_ok(testmasa_voucher(w, &ask), "5.6 a registrar of a public CA");
    is_str(teststore_event(w->store, 0)->issuer_spki, "", "5.8 whose CA is not recorded");
    is_str(teststore_event(w->store, 0)->pin_spki, w->registrar->cert->spki_hex,
           "5.5 and not pinned");
    ask.request.client_cert = neighbour->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 a neighbour's TLS certificate opens nothing");
    theirs = testmasa_ask_from(w, neighbour);
    theirs.request.client_cert = neighbour->cert;
    is_err(testmasa_log(w, &theirs), NO_OWNER, "5.8 nor does a neighbour's request");
}

/* ---- records ---- */

static void test_no_events(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.request.client_cert = w->registrar->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 a device without events has no owner");
}

static void test_two_lines(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    testpki_t *ca, *toaster;

    testmasa_product(w, "toaster", &ca);
    teststore_device(w->store, "toaster", TESTMASA_SERIAL);
    toaster = testpki_make(&(testpki_spec_t){ .cn = "toaster",
                                              .serial_number = TESTMASA_SERIAL }, ca, pool);
    ask = testmasa_ask(w);
    ask.pledge = NULL;
    ask.request.client_cert = w->registrar->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 of two devices, the one that the asker owned");
    is_str(w->answer->product, "thermostat", "5.8 it is the thermostat");
    ask = testmasa_ask(w);
    ask.pledge = toaster;
    is_ok(testmasa_voucher(w, &ask), "5.6 now the toaster too");
    ask = testmasa_ask(w);
    ask.pledge = NULL;
    ask.request.client_cert = w->registrar->cert;
    is_err(testmasa_log(w, &ask), DEVICE_AMBIGUOUS, "5.8 an owner of both has to say which");
    ask = testmasa_ask(w);
    ask.pledge = toaster;
    ask.request.client_cert = w->registrar->cert;
    is_log(w, testmasa_log(w, &ask), 1, "5.8 and does by the IDevID");
    is_str(w->answer->product, "toaster", "5.8 it is the toaster");
}

static void test_tampered(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);
    testpki_t *stranger = testmasa_domain(w, "Stranger");

    teststore_event(w->store, 0)->assertion = BRSKI_ASSERTION_VERIFIED;
    ask.request.client_cert = w->registrar->cert;
    is_err(testmasa_log(w, &ask), CHAIN_BROKEN, "5.8 an altered log is no answer");
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(w, &ask), NO_OWNER, "5.8 which a stranger does not learn");
}

static void test_store_away(void)
{
    testmasa_ask_t ask;
    testmasa_t *w = after_voucher(&ask, 1);

    w->store->read_fails = BRSKI_E_STORE_BUSY;
    ask.request.client_cert = w->registrar->cert;
    is_err(testmasa_log(w, &ask), STORE_BUSY, "5.8 a database that hangs is 503");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_same_request, test_content, test_tls_recorded, test_tls_of_domain_ca, test_tls_and_pin,
        test_chain_key, test_customer, test_fresh, test_handed_on,
        test_former_owner, test_stranger, test_replayed,
        test_refused_request, test_copied_ski, test_not_a_registrar, test_public_ca,
        test_no_events, test_two_lines, test_tampered, test_store_away,
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
