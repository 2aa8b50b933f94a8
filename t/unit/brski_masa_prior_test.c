/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_prior_test.c: the pledge's request inside the registrar's, RFC 8995 5.5.5 and 5.5.6:
 * one test for each way in which it can fail to prove what it says, and for each policy.
 */
#include "testmasa.h"

#include <apr_strings.h>

#include "brski_bytes.h"

static apr_pool_t *pool;              /* of the test at hand */

static testpki_t *idevid(testmasa_t *w, const testpki_t *issuer, const char *serial_number)
{
    (void)w;
    return testpki_make(&(testpki_spec_t){ .cn = "thermostat", .serial_number = serial_number },
                        issuer, pool);
}

static void test_missing(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pledge = NULL;
    is_err(testmasa_voucher(w, &ask), PRIOR_MISSING, "5.5.5 refuses when required and missing");
    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 optional: may be missing");
    is_int(testmasa_opened(w)->voucher->assertion, BRSKI_ASSERTION_LOGGED, "5.5.5 then: logged");
    w->product->proximity = BRSKI_PROXIMITY_DOWNGRADE;
    ask.request.body.data = NULL;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 downgrade: may be missing");
}

static void test_unreadable(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.prior = brski_bytes_str("{\"ietf-voucher-request:voucher\":{\"serial-number\":\"x\"}}");
    is_err(testmasa_voucher(w, &ask), PRIOR_BROKEN, "5.5.5 refuses a prior request in plain JSON");
    ask = testmasa_ask(w);
    ask.prior = testpki_sign("{}", w->pledge, testpki_chain(w->pledge, 0, pool), pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_BROKEN, "5.5.5 refuses a prior that is no request");
}

static void test_signature(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.break_pvr = 1;
    is_err(testmasa_voucher(w, &ask), PRIOR_SIGNATURE,
           "5.5.5 refuses a broken prior signature though the outer one is good");
    ask = testmasa_ask(w);
    ask.pledge = testpki_impostor(w->pledge, pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_SIGNATURE,
           "5.5.5 refuses a copied IDevID certificate without its key");
    is_int(w->store->events->nelts, 0, "and nothing was written");
}

static void test_lineage(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    testpki_t *root, *ca;

    root = testpki_make(&(testpki_spec_t){ .cn = "Maker root", .ca = 1 }, NULL, pool);
    ca = testpki_make(&(testpki_spec_t){ .cn = "Maker IDevID CA", .ca = 1 }, root, pool);
    ask.pledge = idevid(w, ca, TESTMASA_SERIAL);
    is_err(testmasa_voucher(w, &ask), PRIOR_CHAIN,
           "5.5.5 refuses an IDevID of a CA that only has the maker's name");
    ask = testmasa_ask(w);
    ask.pledge = testpki_make(&(testpki_spec_t){ .cn = "self", .serial_number = TESTMASA_SERIAL },
                              NULL, pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_CHAIN, "5.5.5 refuses a self-signed IDevID");
}

static void test_expired_idevid(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pledge = testpki_make(&(testpki_spec_t){ .cn = "old", .serial_number = TESTMASA_SERIAL,
        .not_after = "2025-01-01T00:00:00Z" }, w->idevid_ca, pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_CHAIN, "5.5.5 refuses an expired IDevID");
    w->product->ignore_idevid_expiry = 1;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 unless the product line outlives its certificates");
}

static void test_serial(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    teststore_device(w->store, "thermostat", "JADA000000000");
    ask.rvr.serial_number = "JADA000000000";
    is_err(testmasa_voucher(w, &ask), PRIOR_SERIAL, "5.5.5 refuses a swapped serial-number");
    ask = testmasa_ask(w);
    ask.pvr.serial_number = "JADA000000000";
    is_err(testmasa_voucher(w, &ask), PRIOR_SERIAL, "5.5.5 refuses another one inside");
    ask = testmasa_ask(w);
    ask.pledge = idevid(w, w->idevid_ca, "JADA000000000");
    is_err(testmasa_voucher(w, &ask), PRIOR_SERIAL, "5.5.5 refuses another one in the IDevID");
    ask = testmasa_ask(w);
    ask.pledge = idevid(w, w->idevid_ca, NULL);
    is_err(testmasa_voucher(w, &ask), PRIOR_SERIAL, "5.5.5 refuses an IDevID without one");
}

static void test_proximity(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *other = testmasa_domain(w, "Other");
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pvr.proximity_registrar_cert = other->cert->der;
    is_err(testmasa_voucher(w, &ask), PROXIMITY,
           "5.5.5 refuses a request signed by A with the proximity certificate of B");
    ask.request.body.data = NULL;
    ask.certs = testpki_certs(pool, w->registrar, w->domain_ca, w->domain_root, other, NULL);
    is_err(testmasa_voucher(w, &ask), PROXIMITY,
           "5.5.5 refuses it though B's certificate lies in the message");
    ask = testmasa_ask(w);
    ask.pvr.proximity_registrar_cert.len = 0;
    is_err(testmasa_voucher(w, &ask), PROXIMITY_MISSING, "5.5.5 refuses when none is named");
    ask = testmasa_ask(w);
    ask.pvr.proximity_registrar_cert = brski_bytes_str("no certificate");
    is_err(testmasa_voucher(w, &ask), PRIOR_BROKEN, "5.5.5 refuses what is no certificate");
}

static void test_proximity_by_key(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    testpki_t *renewed;

    renewed = testpki_make(&(testpki_spec_t){ .cn = "renewed", .cmc_ra = 1,
        .same_key = w->registrar->key }, w->domain_ca, pool);
    ask.pvr.proximity_registrar_cert = renewed->cert->der;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 keys count: a renewed certificate will do");
    ask = testmasa_ask(w);
    ask.pvr.proximity_registrar_cert.len = 0;
    ask.pvr.proximity_registrar_pubk_sha256 = brski_bytes(w->registrar->cert->spki_hash, 32);
    is_ok(testmasa_voucher(w, &ask), "5.5.5 the hash of the key will do");
    is_int(testmasa_opened(w)->voucher->assertion, BRSKI_ASSERTION_PROXIMITY, "5.5.5 proximity");
    ask = testmasa_ask(w);
    ask.pvr.proximity_registrar_pubk_sha256 = brski_bytes(w->masa_ee->cert->spki_hash, 32);
    is_err(testmasa_voucher(w, &ask), PROXIMITY, "5.5.5 but not that of another key");
    ask = testmasa_ask(w);
    ask.pvr.proximity_registrar_cert = w->domain_ca->cert->der;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 a CA of the chain is in the chain");
}

static void test_issuer(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.rvr.idevid_issuer = brski_idevid_issuer_make(w->pledge->cert, pool);
    is_ok(testmasa_voucher(w, &ask), "5.5 idevid-issuer as RFC 8366bis has it");
    ask = testmasa_ask(w);
    ask.rvr.idevid_issuer = w->pledge->cert->aki;
    is_ok(testmasa_voucher(w, &ask), "5.5 without the header of the octet string");
    ask = testmasa_ask(w);
    ask.rvr.idevid_issuer = w->pledge->cert->aki_keyid;
    is_ok(testmasa_voucher(w, &ask), "5.5 the bare key identifier");
    ask = testmasa_ask(w);
    ask.rvr.idevid_issuer = brski_bytes_str("\x30\x03junk");
    is_ok(testmasa_voucher(w, &ask), "5.5 what is none of the four selects nothing");
    ask = testmasa_ask(w);
    ask.rvr.idevid_issuer = w->masa_ee->cert->aki_keyid;
    is_err(testmasa_voucher(w, &ask), PRIOR_ISSUER, "5.5.5 refuses another issuer's");
    ask = testmasa_ask(w);
    w->device->idevid_issuer = brski_hex(w->masa_ee->cert->aki_keyid, pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_ISSUER, "5.5.5 refuses another than the row says");
    w->device->idevid_issuer = brski_hex(w->pledge->cert->aki_keyid, pool);
    is_ok(testmasa_voucher(w, &ask), "5.5.5 takes what the row says");
}

static void test_issuer_name(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_issuer_name(w->pledge->cert->x509), &der);

    ask.rvr.idevid_issuer = brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);
    OPENSSL_free(der);
    is_ok(testmasa_voucher(w, &ask), "5.5 idevid-issuer as the issuer's name");
    w->device->idevid_issuer = apr_pstrcat(pool, "name:", w->pledge->cert->issuer, NULL);
    ask.request.body.data = NULL;
    is_ok(testmasa_voucher(w, &ask), "5.5 which the row may say as well");
    w->device->idevid_issuer = "name:CN=Somebody else";
    ask.request.body.data = NULL;
    is_err(testmasa_voucher(w, &ask), DEVICE_UNKNOWN, "5.6 another name is another device");
}

static void test_no_aki(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pledge = testpki_make(&(testpki_spec_t){ .cn = "bare", .serial_number = TESTMASA_SERIAL,
        .no_aki = 1 }, w->idevid_ca, pool);
    ask.rvr.idevid_issuer = brski_idevid_issuer_make(ask.pledge->cert, pool);
    is_ok(testmasa_voucher(w, &ask), "5.5 an IDevID without AKI: the hash of 8366bis 6.3");
    ask.request.body.data = NULL;
    ask.rvr.idevid_issuer = w->idevid_ca->cert->ski;
    is_ok(testmasa_voucher(w, &ask), "5.5 or its issuer's key identifier");
    ask.request.body.data = NULL;
    ask.rvr.idevid_issuer = w->masa_ee->cert->aki_keyid;
    is_err(testmasa_voucher(w, &ask), PRIOR_ISSUER, "5.5.5 but no other");
}

static void test_order(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pvr.created_on = ask.rvr.created_on + apr_time_from_sec(301);
    is_err(testmasa_voucher(w, &ask), STALE, "5.5.5 refuses a request older than what is in it");
    ask = testmasa_ask(w);
    ask.pvr.created_on = ask.rvr.created_on + apr_time_from_sec(299);
    is_ok(testmasa_voucher(w, &ask), "5.5.5 bears clocks that differ");
    ask = testmasa_ask(w);
    ask.pvr.created_on = 0;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 bears a pledge without a clock");
}

static void test_nonce(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pvr.nonce = "another";
    is_err(testmasa_voucher(w, &ask), NONCE, "5.5.6 refuses two nonces");
    ask = testmasa_ask(w);
    ask.pvr.nonce = NULL;
    is_err(testmasa_voucher(w, &ask), NONCE, "5.5.6 refuses a nonce that the pledge did not send");
    ask = testmasa_ask(w);
    ask.rvr.nonce = ask.pvr.nonce = "1 = \"odd\" text/\xc3\xa9";
    is_ok(testmasa_voucher(w, &ask), "5.5.6 a nonce is a text, whatever it says");
    is_str(testmasa_opened(w)->voucher->nonce, ask.rvr.nonce, "5.5.6 and copied as it is");
    is_str(teststore_event(w->store, 0)->nonce, ask.rvr.nonce, "5.5.6 into the log too");
}

static void test_nonce_dropped(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    ask.rvr.nonce = NULL;
    is_err(testmasa_voucher(w, &ask), NONCE, "5.5.6 refuses a registrar that drops the nonce");
    ask = testmasa_ask(w);
    ask.rvr.nonce = ask.pvr.nonce = NULL;
    is_ok(testmasa_voucher(w, &ask), "5.5.6 neither has one: a nonceless voucher");
}

static void test_downgrade(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    ask.pvr.proximity_registrar_cert = w->masa_ee->cert->der;
    is_err(testmasa_voucher(w, &ask), PROXIMITY, "5.5.5 optional: what fails is refused");
    w->product->proximity = BRSKI_PROXIMITY_DOWNGRADE;
    is_err(testmasa_voucher(w, &ask), PROXIMITY, "5.5.5 downgrade: refused without a grant");
    w->device->downgrade_until = unit_time(TESTMASA_NOW);
    is_err(testmasa_voucher(w, &ask), PROXIMITY, "5.5.5 downgrade: refused when it has ended");
    w->device->downgrade_until = unit_time("2026-01-01T00:00:01Z");
    is_ok(testmasa_voucher(w, &ask), "5.5.5 downgrade: as the device's row grants");
    is_int(testmasa_opened(w)->voucher->assertion, BRSKI_ASSERTION_LOGGED, "5.5.5 to logged");
    is_int(teststore_event(w->store, 0)->proximity, 0, "5.8 and not as a fact");
    w->device->downgrade_until = 0;
    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    teststore_grant(w->store, "downgrade", "thermostat");
    ask.request.body.data = NULL;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 downgrade: as the customer was granted");
    ask = testmasa_ask(w);
    ask.break_pvr = 1;
    is_ok(testmasa_voucher(w, &ask), "5.5.5 downgrade: as if none had been sent");
}

static void test_downgrade_limits(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->product->proximity = BRSKI_PROXIMITY_DOWNGRADE;
    w->device->downgrade_until = unit_time("2027-01-01T00:00:00Z");
    ask.pvr.serial_number = "JADA000000000";
    is_err(testmasa_voucher(w, &ask), PRIOR_SERIAL, "5.5.5 no downgrade of whose request it is");
    ask = testmasa_ask(w);
    ask.pvr.proximity_registrar_cert.len = 0;
    ask.pvr.nonce = "another";
    is_err(testmasa_voucher(w, &ask), NONCE, "5.5.6 no downgrade of the nonce");
}

static void test_renewal(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_bytes_t old;

    is_ok(testmasa_voucher(w, &ask), "5.5.1 a voucher");
    old = w->answer->body;
    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    teststore_grant(w->store, "nonceless", "");
    ask = testmasa_ask(w);
    testmasa_nonceless(&ask);
    ask.prior = old;
    is_ok(testmasa_voucher(w, &ask), "5.5.1 an old voucher of ours in its place asks for renewal");
    ask.request.body.data = NULL;
    ask.prior = testmasa_spoiled(old, pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_BROKEN, "5.5.1 a forged one does not");
    teststore_device(w->store, "thermostat", "JADA000000000");
    ask.request.body.data = NULL;
    ask.rvr.serial_number = "JADA000000000";
    ask.prior = old;
    is_err(testmasa_voucher(w, &ask), PRIOR_BROKEN, "5.5.1 nor another device's");
    ask = testmasa_ask(w);
    ask.prior = old;
    is_err(testmasa_voucher(w, &ask), PRIOR_MISSING, "5.5.5 an old voucher proves no proximity");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_missing, test_unreadable, test_signature, test_lineage, test_expired_idevid,
        test_serial, test_proximity, test_proximity_by_key, test_issuer, test_issuer_name,
        test_no_aki, test_order, test_nonce, test_nonce_dropped, test_downgrade,
        test_downgrade_limits, test_renewal,
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
