/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_test.c: the decision on a voucher-request, step by step in the order of RFC 8995 5.5
 * to 5.6, the voucher and the event that come of it, and what happens when others decide meanwhile.
 */
#include "testmasa.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_event.h"

static apr_pool_t *pool;              /* of the test at hand */

/* ---- what comes out ---- */

static void test_voucher(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_voucher_t *v;
    brski_signed_t *opened;

    is_ok(testmasa_voucher(w, &ask), "5.6 a right request gets a voucher");
    is_str(w->answer->content_type, "application/voucher-cms+json", "5.6 of this media type");
    opened = testmasa_opened(w);
    v = opened->voucher;
    is_int(opened->cms->certs->nelts, 2, "8366-5.4 the signer's chain and root go along");
    is_int(opened->cms->econtent, BRSKI_ECONTENT_ANIMA_JSON, "8366-5.4 the content is so marked");
    is_int(v->assertion, BRSKI_ASSERTION_PROXIMITY, "5.5.5 proximity was proven");
    is_str(v->serial_number, TESTMASA_SERIAL, "5.6 serial-number");
    is_str(v->nonce, TESTMASA_NONCE, "5.6 nonce as it came");
    is_int(v->created_on, unit_time(TESTMASA_NOW), "5.6 created-on is always there");
    is_int(v->expires_on, 0, "8366-5.3 no expires-on beside a nonce");
    is_int(v->idevid_issuer.len, 0, "8366-5.3 no idevid-issuer where the serial is unique");
    ok(brski_bytes_equal(v->pinned_domain_cert, w->domain_ca->cert->der),
       "5.5.2 the lowest CA is pinned");
    is_str(w->answer->serial_number, TESTMASA_SERIAL, "the answer says the serial-number");
    is_str(w->answer->product, "thermostat", "and the product line");
    is_str(w->answer->signer, "main", "and the signer");
    is_str(w->answer->domain_id, brski_domain_id(w->domain_ca->cert, pool), "and the domainID");
}

static void test_event(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_event_t *e;
    const char *reason;

    ask.request.client_cert = w->registrar->cert;
    is_ok(testmasa_voucher(w, &ask), "5.6 a voucher");
    is_int(w->store->events->nelts, 1, "5.6 its event is written");
    e = teststore_event(w->store, 0);
    is_int(e->seq, 1, "5.8 it is the first of its device");
    is_str(e->prev_hash, "", "5.8 nothing before it");
    is_str(e->request_hash, brski_sha256_hex(ask.request.body, pool), "5.8 of these bytes");
    ok(brski_bytes_equal(e->voucher, w->answer->body), "5.8 with this voucher");
    is_str(e->pin_spki, w->domain_ca->cert->spki_hex, "5.8 the pinned key");
    is_str(e->signer_spki, w->registrar->cert->spki_hex, "5.8 the registrar's key");
    is_str(e->issuer_spki, w->domain_ca->cert->spki_hex, "5.8 the private issuer's key");
    is_str(e->tls_spki, w->registrar->cert->spki_hex, "5.8 the TLS key");
    is_str(e->signer, "main", "5.8 the signer");
    is_str(e->signer_key, w->masa_ee->cert->spki_hex, "5.8 its key");
    is_int(e->proximity, 1, "5.8 the fact of proximity");
    is_int(e->verified, 0, "5.8 the fact of ownership");
    ask = testmasa_ask(w);
    is_ok(testmasa_voucher(w, &ask), "5.6 another voucher");
    is_str(teststore_event(w->store, 0)->prev_hash, e->hash, "5.8 its event follows the first");
    brski_event_chain_check(&reason, w->store->events, pool);
    is_str(reason, NULL, "5.8 the chain holds");
}

/* ---- 5.6 types, 5.5 body and members ---- */

static void test_media_types(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.request.content_type = NULL;
    is_err(testmasa_voucher(w, &ask), MEDIA_TYPE, "5.6 refuses a missing Content-Type");
    ask.request.content_type = "text/html";
    is_err(testmasa_voucher(w, &ask), MEDIA_TYPE, "5.6 refuses an unknown Content-Type");
    ask.request.content_type = "application/voucher-jws+json";
    is_err(testmasa_voucher(w, &ask), MEDIA_TYPE, "5.6 refuses what it cannot read yet");
    ask.request.content_type = "application/voucher-cms+json";
    ask.request.accept = ";;;";
    is_err(testmasa_voucher(w, &ask), ACCEPT, "5.6 refuses an Accept that cannot be understood");
    ask.request.body = brski_bytes_str("junk");
    is_err(testmasa_voucher(w, &ask), ACCEPT, "5.6 before anything else of it is looked at");
    ask.request.body.data = NULL;
    ask.request.accept = "text/html";
    is_err(testmasa_voucher(w, &ask), NOT_ACCEPTABLE, "5.6 refuses what the device cannot read");
    ask.request.accept = "application/voucher-jws+json, application/voucher+cose;q=0.5";
    is_err(testmasa_voucher(w, &ask), NOT_ACCEPTABLE, "5.6 refuses other voucher types");
    ask.request.accept = "application/voucher-cms+json;q=0.1, */*;q=0";
    is_ok(testmasa_voucher(w, &ask), "5.6 gives what is asked for");
    is_int(w->store->events->nelts, 1, "5.6 refusals write no event");
}

static void test_body(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_bytes_t good = testmasa_body(w, &ask);

    ask.request.body = brski_bytes("", 0);
    is_err(testmasa_voucher(w, &ask), BODY_EMPTY, "5.5 refuses an empty body");
    ask.request.body = brski_bytes(apr_pcalloc(pool, 65537), 65537);
    is_err(testmasa_voucher(w, &ask), BODY_TOO_LARGE, "5.5 refuses a body over the limit");
    ask.request.body = brski_bytes_str("not a CMS");
    is_err(testmasa_voucher(w, &ask), CMS, "8366-5.4 refuses what is no CMS");
    ask.request.body = brski_bytes(good.data, good.len - 1);
    is_err(testmasa_voucher(w, &ask), CMS, "8366-5.4 refuses a body that was cut off");
    is_str(w->answer->serial_number, NULL, "and nothing was read of it");
}

static brski_err_t *ask_json(testmasa_t *w, const char *json)
{
    testmasa_ask_t ask = testmasa_ask(w);

    ask.json = json;
    return testmasa_voucher(w, &ask);
}

#define REQUEST(members) "{\"ietf-voucher-request:voucher\":{" members "}}"

static void test_members(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    is_err(ask_json(w, "[]"), JSON, "8366-5 refuses an array");
    is_err(ask_json(w, REQUEST("\"nonce\":\"x\"")), FIELD, "5.5 refuses no serial-number");
    is_err(ask_json(w, REQUEST("\"serial-number\":7")), FIELD, "5.5 refuses a wrong type");
    is_err(ask_json(w, REQUEST("\"serial-number\":\"a\",\"serial-number\":\"b\"")), JSON,
           "8366-5 refuses duplicate keys");
    ask.rvr.proximity_registrar_cert = w->registrar->cert->der;
    is_err(testmasa_voucher(w, &ask), FIELD, "5.5 refuses proximity-registrar-cert outside");
    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    is_ok(ask_json(w, REQUEST("\"serial-number\":\"" TESTMASA_SERIAL "\",\"nonce\":\"n\","
                              "\"last-renewal-date\":\"2026-01-01T00:00:00Z\","
                              "\"domain-cert-revocation-checks\":true,\"assertion\":\"verified\","
                              "\"pinned-domain-cert\":\"MIIB\",\"surprise\":{\"a\":1}")),
          "5.5 ignores what means nothing in a request");
    is_int(testmasa_opened(w)->voucher->assertion, BRSKI_ASSERTION_LOGGED,
           "5.5.5 and the assertion that the registrar wished");
}

/* ---- 5.5.2 to 5.5.4: the registrar ---- */

static void test_signature(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.break_rvr = 1;
    is_err(testmasa_voucher(w, &ask), SIGNATURE, "5.5.3 refuses a broken signature");
    ask = testmasa_ask_from(w, testpki_impostor(w->registrar, pool));
    is_err(testmasa_voucher(w, &ask), SIGNATURE, "5.5.3 refuses a copied registrar certificate");
    is_int(w->store->reads, 0, "5.5.3 strangers do not reach the database");
}

static testpki_t *registrar(testmasa_t *w, testpki_spec_t spec)
{
    spec.cn = "another registrar";
    spec.cmc_ra = 1;
    return testpki_make(&spec, w->domain_ca, pool);
}

static void test_validity(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask;

    ask = testmasa_ask_from(w, registrar(w, (testpki_spec_t){
        .not_after = "2025-12-31T23:50:00Z" }));
    is_err(testmasa_voucher(w, &ask), PKIX, "5.5.3 refuses an expired registrar");
    ask = testmasa_ask_from(w, registrar(w, (testpki_spec_t){
        .not_before = "2026-01-01T00:10:00Z" }));
    is_err(testmasa_voucher(w, &ask), PKIX, "5.5.3 refuses a registrar of the future");
    ask = testmasa_ask_from(w, registrar(w, (testpki_spec_t){
        .not_after = "2025-12-31T23:56:00Z" }));
    is_ok(testmasa_voucher(w, &ask), "5.5.3 bears a clock that is four minutes off");
    ask = testmasa_ask_from(w, registrar(w, (testpki_spec_t){ .key = "rsa1024" }));
    is_err(testmasa_voucher(w, &ask), ALGORITHM, "5.5.3 refuses RSA of 1024 bits");
    ask = testmasa_ask_from(w, registrar(w, (testpki_spec_t){ .key = "rsa2048" }));
    is_ok(testmasa_voucher(w, &ask), "5.5.3 takes RSA of 2048 bits");
}

static void test_chain_from_message(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.certs = testpki_certs(pool, w->registrar, NULL);
    is_ok(testmasa_voucher(w, &ask), "5.5.2 a chain of one is fine");
    ok(brski_bytes_equal(testmasa_opened(w)->voucher->pinned_domain_cert, w->registrar->cert->der),
       "5.5.2 and then it is pinned");
    ask = testmasa_ask(w);
    ask.certs = testpki_certs(pool, w->registrar, w->masa_root, w->domain_root, w->domain_ca, NULL);
    is_ok(testmasa_voucher(w, &ask), "5.5.2 order and what is superfluous do not matter");
}

static void test_cmc_ra(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *plain, *self;
    testmasa_ask_t ask;

    plain = testpki_make(&(testpki_spec_t){ .cn = "laptop", .client_auth = 1 }, w->domain_ca, pool);
    ask = testmasa_ask_from(w, plain);
    is_err(testmasa_voucher(w, &ask), CMC_RA, "5.5.4 refuses a certificate without cmcRA");
    plain = testpki_make(&(testpki_spec_t){ .cn = "no EKU" }, w->domain_ca, pool);
    ask = testmasa_ask_from(w, plain);
    is_err(testmasa_voucher(w, &ask), CMC_RA, "5.5.4 refuses a certificate without any EKU");
    self = testpki_make(&(testpki_spec_t){ .cn = "self" }, NULL, pool);
    ask = testmasa_ask_from(w, self);
    is_err(testmasa_voucher(w, &ask), CMC_RA, "5.5.4 refuses a self-signed one without cmcRA");
    self = testpki_make(&(testpki_spec_t){ .cn = "self", .cmc_ra = 1 }, NULL, pool);
    ask = testmasa_ask_from(w, self);
    is_ok(testmasa_voucher(w, &ask), "5.5.4 takes a self-signed one with cmcRA");
    is_str(teststore_event(w->store, 0)->issuer_spki, "", "5.8 which no CA issued");
}

/* ---- nonceless ---- */

static brski_err_t *nonceless(testmasa_t *w)
{
    testmasa_ask_t ask = testmasa_ask(w);

    testmasa_nonceless(&ask);
    return testmasa_voucher(w, &ask);
}

static void known(testmasa_t *w, const char *name)
{
    teststore_customer(w->store, name, "spki:", w->registrar->cert->spki_hex);
}

static void test_nonceless_refused(void)
{
    testmasa_t *w = testmasa_make(pool);

    is_err(nonceless(w), NONCELESS, "5.5.4 nonceless vouchers are denied by default");
    w->product->nonceless = BRSKI_NONCELESS_SOLD;
    is_err(nonceless(w), NOT_AUTHENTICATED, "5.5.4 nonceless only for who is authenticated");
    known(w, "acme");
    is_err(nonceless(w), NONCELESS, "7.4.1 sold: not what was sold to nobody");
    w->device->customer = "other";
    is_err(nonceless(w), NONCELESS, "7.4.1 sold: not what was sold to another");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    is_err(nonceless(w), NONCELESS, "7.4.1 customer: not without a grant");
    teststore_grant(w->store, "nonceless", "toaster");
    is_err(nonceless(w), NONCELESS, "7.4.1 customer: not by a grant for another product line");
    teststore_grant(w->store, "nonceless", "")->until = unit_time(TESTMASA_NOW);
    is_err(nonceless(w), NONCELESS, "7.4.1 customer: not by a grant that has ended");
    w->product->nonceless = BRSKI_NONCELESS_DENY;
    teststore_grant(w->store, "nonceless", "thermostat");
    is_err(nonceless(w), NONCELESS, "7.4.1 deny: no grant changes it");
    is_int(w->store->events->nelts, 0, "and nothing was written");
}

static void test_nonceless_sold(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_voucher_t *v;

    known(w, "acme");
    w->device->customer = "acme";
    w->product->nonceless = BRSKI_NONCELESS_SOLD;
    is_ok(nonceless(w), "7.4.1 sold: the buyer's registrar gets one, without the pledge");
    v = testmasa_opened(w)->voucher;
    is_str(v->nonce, NULL, "5.6 it has no nonce");
    is_int(v->expires_on, unit_time("2026-01-01T00:20:00Z"), "5.6 it expires after 20 minutes");
    is_int(v->assertion, BRSKI_ASSERTION_VERIFIED, "5.5.5 ownership is verified");
    ok(brski_bytes_equal(v->pinned_domain_cert, w->domain_root->cert->der),
       "5.5.2 nonceless: the highest CA is pinned");
    is_str(teststore_event(w->store, 0)->nonce, NULL, "5.5.6 the log has null");
    is_str(w->answer->customer, "acme", "the answer says the customer");
}

static void test_nonceless_lifetime(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask;
    testpki_t *ca, *short_lived;

    known(w, "acme");
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    w->product->nonceless_lifetime = 0;
    is_ok(nonceless(w), "7.4.1 customer: by a grant");
    is_int(testmasa_opened(w)->voucher->expires_on, 0, "5.6 lifetime none: without end");

    ca = testpki_make(&(testpki_spec_t){ .cn = "short CA", .ca = 1,
                                         .not_after = "2026-01-01T00:05:00Z" }, NULL, pool);
    short_lived = testpki_make(&(testpki_spec_t){ .cn = "short", .cmc_ra = 1 }, ca, pool);
    teststore_customer(w->store, "acme", "spki:", short_lived->cert->spki_hex);
    w->product->nonceless_lifetime = apr_time_from_sec(1200);
    ask = testmasa_ask_from(w, short_lived);
    testmasa_nonceless(&ask);
    is_ok(testmasa_voucher(w, &ask), "5.6 another one");
    is_int(testmasa_opened(w)->voucher->expires_on, unit_time("2026-01-01T00:05:00Z"),
           "8366-5.3 expires-on is not after the pinned certificate");
    unit_ctx_set_now(w->ctx, unit_time("2026-01-01T00:06:00Z"));
    ask.request.body.data = NULL;
    ask.rvr.created_on++;
    is_err(testmasa_voucher(w, &ask), PIN, "5.6 none where it would have ended already");
}

/* ---- age, ownership, outstanding vouchers ---- */

static void test_age(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.rvr.created_on = ask.pvr.created_on = unit_time("2025-01-01T00:00:00Z");
    is_ok(testmasa_voucher(w, &ask), "5.6 an old request is fine where age is not looked at");
    w->masa.max_age = apr_time_from_sec(86400);
    ask.request.body.data = NULL;
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 refuses a request that is too old");
    ask = testmasa_ask(w);
    ask.pvr.created_on = unit_time("2025-12-27T00:00:01Z");
    is_ok(testmasa_voucher(w, &ask), "5.6 the pledge may have waited for four days more");
    ask = testmasa_ask(w);
    ask.pvr.created_on = unit_time("2025-12-26T23:59:59Z");
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 refuses a pledge's request that is too old");
    ask = testmasa_ask(w);
    ask.rvr.created_on = unit_time("2026-01-01T00:06:00Z");
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 refuses a request of the future");
    ask = testmasa_ask(w);
    ask.rvr.created_on = ask.pvr.created_on = 0;
    is_ok(testmasa_voucher(w, &ask), "5.6 created-on may be missing");
}

static void test_ownership(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->product->owner = &brski_owner_sold;
    w->device->customer = "acme";
    is_err(testmasa_voucher(w, &ask), NOT_AUTHENTICATED, "5.5.4 sold: refuses the unknown");
    known(w, "evil");
    is_err(testmasa_voucher(w, &ask), NOT_OWNER, "5.5.4 sold: refuses another customer");
    w->device->customer = "evil";
    is_ok(testmasa_voucher(w, &ask), "5.5.4 sold: the buyer gets it");
    is_int(testmasa_opened(w)->voucher->assertion, BRSKI_ASSERTION_VERIFIED,
           "5.5.5 verified says more than proximity");
    is_int(teststore_event(w->store, 0)->proximity, 1, "5.8 both facts are kept");
    is_int(teststore_event(w->store, 0)->verified, 1, "5.8 both of them");
}

static void test_outstanding(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *other = testmasa_domain(w, "Other");
    testmasa_ask_t ask;

    known(w, "acme");
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    is_ok(nonceless(w), "5.6 a nonceless voucher is outstanding");
    ask = testmasa_ask_from(w, other);
    is_err(testmasa_voucher(w, &ask), OUTSTANDING, "5.6 refuses another domain meanwhile");
    ask = testmasa_ask(w);
    is_ok(testmasa_voucher(w, &ask), "5.5.1 the same domain may ask again");
    ask = testmasa_ask_from(w, testpki_make(&(testpki_spec_t){ .cn = "next registrar",
        .cmc_ra = 1 }, w->domain_ca, pool));
    is_ok(testmasa_voucher(w, &ask), "5.5.1 with another registrar of the same CA too");
    teststore_customer(w->store, "buyer", "spki:", other->cert->spki_hex);
    w->device->customer = "buyer";
    ask = testmasa_ask_from(w, other);
    is_ok(testmasa_voucher(w, &ask), "5.6 the sales record overrides: the device was sold on");
    w->device->customer = NULL;
    unit_ctx_set_now(w->ctx, unit_time("2026-01-01T00:21:00Z"));
    ask = testmasa_ask_from(w, other);
    is_ok(testmasa_voucher(w, &ask), "5.6 an expired one is in nobody's way");
}

/* The nonceless voucher pinned the registrar itself, so other keys have to connect the domain. */
static void test_outstanding_by_keys(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *ca, *ee;
    testmasa_ask_t ask;

    known(w, "acme");
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    w->product->pin_nonceless = BRSKI_PIN_EE;
    is_ok(nonceless(w), "5.6 a nonceless voucher is outstanding");
    w->store->keys->nelts = 0;
    ee = testpki_make(&(testpki_spec_t){ .cn = "next registrar", .cmc_ra = 1 }, w->domain_ca, pool);
    ask = testmasa_ask_from(w, ee);
    is_ok(testmasa_voucher(w, &ask), "5.5.1 a registrar of the same private CA");
    ca = testpki_make(&(testpki_spec_t){ .cn = "next CA", .ca = 1 }, NULL, pool);
    ee = testpki_make(&(testpki_spec_t){ .cn = "certified anew", .cmc_ra = 1,
        .same_key = w->registrar->key }, ca, pool);
    ask = testmasa_ask_from(w, ee);
    is_ok(testmasa_voucher(w, &ask), "5.5.1 the same key under another CA");
    teststore_event(w->store, 2)->pin_spki = teststore_event(w->store, 2)->issuer_spki = "";
    ask.request.body.data = NULL;
    is_ok(testmasa_voucher(w, &ask), "5.5.1 by the key that signed");
}

static void test_outstanding_copied_ski(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *ca, *thief;
    testmasa_ask_t ask;

    known(w, "acme");
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    is_ok(nonceless(w), "5.6 a nonceless voucher is outstanding");
    ca = testpki_make(&(testpki_spec_t){ .cn = "Domain root", .ca = 1,
        .ski = brski_hex(w->domain_root->cert->ski, pool) }, NULL, pool);
    thief = testpki_make(&(testpki_spec_t){ .cn = "thief", .cmc_ra = 1 }, ca, pool);
    is_str(brski_domain_id(ca->cert, pool), brski_domain_id(w->domain_root->cert, pool),
           "11.2 a domainID can be copied");
    ask = testmasa_ask_from(w, thief);
    is_err(testmasa_voucher(w, &ask), OUTSTANDING, "11.2 a copied domainID is not the domain");
}

/* ---- identical requests, other deciders, lost replies ---- */

static void test_identical(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_bytes_t first;

    is_ok(testmasa_voucher(w, &ask), "5.6 a voucher");
    first = w->answer->body;
    is_int(w->answer->reused, 0, "5.6 a new one");
    unit_ctx_set_now(w->ctx, unit_time("2026-01-01T23:59:59Z"));
    is_ok(testmasa_voucher(w, &ask), "5.6 the identical request again");
    ok(brski_bytes_equal(w->answer->body, first), "5.6 gets the very same voucher");
    is_int(w->answer->reused, 1, "5.6 which is said");
    is_int(w->answer->assertion, BRSKI_ASSERTION_PROXIMITY, "5.6 with its assertion");
    is_int(w->store->events->nelts, 1, "5.6 and adds nothing to the log");
    w->device->status = "blocked";
    is_err(testmasa_voucher(w, &ask), DEVICE_BLOCKED, "10.4 not when it is blocked meanwhile");
    w->device->status = "active";
    w->product->owner = &brski_owner_sold;
    is_err(testmasa_voucher(w, &ask), NOT_AUTHENTICATED, "5.5.4 not when policy changed meanwhile");
    w->product->owner = &brski_owner_any;
    unit_ctx_set_now(w->ctx, unit_time("2026-01-02T00:00:00Z"));
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 after a day it is stale");
    w->masa.reuse = 0;
    unit_ctx_set_now(w->ctx, unit_time(TESTMASA_NOW));
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 at once where nothing is given twice");
}

static void test_identical_expired(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    known(w, "acme");
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    testmasa_nonceless(&ask);
    is_ok(testmasa_voucher(w, &ask), "5.6 a nonceless voucher");
    unit_ctx_set_now(w->ctx, unit_time("2026-01-01T00:20:00Z"));
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 an expired voucher is not given again");
    w->store->grants->nelts = 0;
    unit_ctx_set_now(w->ctx, unit_time("2026-01-01T00:10:00Z"));
    is_err(testmasa_voucher(w, &ask), NONCELESS, "7.4.1 nor one whose grant was taken back");
}

/* A policy of somebody's own: only those that proved proximity. */
static brski_err_t *near_only(int *verified, const brski_owner_question_t *question,
                              apr_pool_t *scratch_pool)
{
    *verified = 0;
    return question->proximity ? BRSKI_OK
                               : brski_err(BRSKI_E_NOT_OWNER, NULL, scratch_pool, "far away");
}

static void test_identical_facts(void)
{
    static const brski_owner_t near = { "near", near_only };
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    testpki_t *ca;

    w->product->owner = &near;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 a policy that asks for proximity");
    is_ok(testmasa_voucher(w, &ask), "5.6 is told that it was proven, when asked again");
    testmasa_product(w, "toaster", &ca);
    w->device->product = "toaster";
    is_err(testmasa_voucher(w, &ask), STALE, "5.6 the voucher of another line's device is stale");
}

static void test_identical_tampered(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    is_ok(testmasa_voucher(w, &ask), "5.6 a voucher");
    teststore_event(w->store, 0)->voucher = brski_bytes_str("forged");
    is_err(testmasa_voucher(w, &ask), CHAIN_BROKEN, "5.6 a stored voucher that was altered stays");
}

/* Another front end answers for the same device between our read and our write. */
static void other_decider(teststore_t *t)
{
    testmasa_t *w = t->baton;
    testmasa_ask_t ask = testmasa_ask_from(w, testmasa_domain(w, "Other"));
    brski_masa_answer_t *ours = w->answer;

    is_ok(testmasa_voucher(w, &ask), "5.6 another server is faster");
    w->answer = ours;
}

static void test_race(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    const char *reason;

    w->store->before_put = other_decider;
    w->store->baton = w;
    is_ok(testmasa_voucher(w, &ask), "5.6 two servers decide for a device at once: both answer");
    is_int(w->store->events->nelts, 2, "5.6 with one event each");
    is_int(teststore_event(w->store, 0)->seq, 2, "5.8 one after the other");
    brski_event_chain_check(&reason, w->store->events, pool);
    is_str(reason, NULL, "5.8 in one chain");
    is_int(w->store->reads, 3, "5.6 the slower one read again");
    ok(brski_bytes_equal(teststore_event(w->store, 0)->voucher, w->answer->body),
       "5.6 and its voucher is the one written");
    is_str(w->store->put_hashes[2], w->store->put_hashes[0], "5.6 which was signed once");
}

static testmasa_ask_t *same;

/* The same bytes come to two front ends. */
static void same_decider(teststore_t *t)
{
    testmasa_t *w = t->baton;
    testmasa_ask_t ask = *same;
    brski_masa_answer_t *ours = w->answer;

    is_ok(testmasa_voucher(w, &ask), "5.6 the same request on another server");
    w->answer = ours;
}

static void test_race_identical(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.request.body = testmasa_body(w, &ask);
    same = &ask;
    w->store->before_put = same_decider;
    w->store->baton = w;
    is_ok(testmasa_voucher(w, &ask), "5.6 identical requests at once: both get a voucher");
    is_int(w->store->events->nelts, 1, "5.6 the same one, and one event");
    ok(brski_bytes_equal(teststore_event(w->store, 0)->voucher, w->answer->body),
       "5.6 which is the one written");
    is_int(w->answer->reused, 1, "5.6 the slower one says so");
}

static void block_device(teststore_t *t)
{
    testmasa_t *w = t->baton;

    w->device->status = "stolen";
    w->device->state_version++;
}

static void test_race_blocked(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->store->before_put = block_device;
    w->store->baton = w;
    is_err(testmasa_voucher(w, &ask), DEVICE_BLOCKED,
           "10.4 a device blocked between deciding and writing gets no voucher");
    is_int(w->store->events->nelts, 0, "10.4 and no event");
    is_int(w->answer->body.len, 0, "10.4 and nothing leaves");
}

static void always_moves(teststore_t *t)
{
    t->policy_version++;
    t->before_put = always_moves;
}

static void test_race_without_end(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->store->before_put = always_moves;
    is_err(testmasa_voucher(w, &ask), RACE, "5.6 gives up when the records never stand still");
    is_int(w->store->puts, 5, "5.6 after five rounds");
}

static void test_lost_reply(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->masa.reuse = 0;
    w->store->lose_replies = 1;
    is_ok(testmasa_voucher(w, &ask), "5.6 a lost reply of the database: the voucher is found");
    is_int(w->store->events->nelts, 1, "5.6 with one event");
    is_int(w->answer->reused, 0, "5.6 it is this request's own");
    ok(brski_bytes_equal(teststore_event(w->store, 0)->voucher, w->answer->body),
       "5.6 the voucher that was written leaves");
}

static void test_lost_write(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->store->fail_puts = 1;
    w->store->fail_code = BRSKI_E_STORE;
    is_ok(testmasa_voucher(w, &ask), "5.6 a write that did not arrive is made again");
    is_int(w->store->events->nelts, 1, "5.6 once");
    ask = testmasa_ask(w);
    w->store->fail_puts = 100;
    is_err(testmasa_voucher(w, &ask), STORE, "5.6 no voucher without its event");
    is_int(w->answer->body.len, 0, "5.6 nothing leaves");
    w->store->fail_puts = 1;
    w->store->fail_code = BRSKI_E_STORE_READONLY;
    ask = testmasa_ask(w);
    is_err(testmasa_voucher(w, &ask), STORE_READONLY, "5.6 a full disk is a refusal at once");
    w->store->fail_puts = 1;
    w->store->fail_code = BRSKI_E_STORE_BUSY;
    is_err(testmasa_voucher(w, &ask), STORE_BUSY, "5.6 so is a database that hangs");
    w->store->read_fails = BRSKI_E_STORE;
    is_err(testmasa_voucher(w, &ask), STORE, "5.6 and one that cannot be read");
    is_int(w->store->events->nelts, 1, "5.6 nothing was written by all that");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_voucher, test_event, test_media_types, test_body, test_members, test_signature,
        test_validity, test_chain_from_message, test_cmc_ra, test_nonceless_refused,
        test_nonceless_sold, test_nonceless_lifetime, test_age, test_ownership, test_outstanding,
        test_outstanding_by_keys, test_outstanding_copied_ski, test_identical,
        test_identical_expired, test_identical_facts, test_identical_tampered, test_race,
        test_race_identical, test_race_blocked, test_race_without_end, test_lost_reply,
        test_lost_write,
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
