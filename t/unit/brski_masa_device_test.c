/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_device_test.c: which device a request means when serial numbers repeat, whether it may
 * have vouchers, and whose key signs them.
 */
#include "testmasa.h"

#include <apr_strings.h>

#include "brski_bytes.h"

static apr_pool_t *pool;              /* of the test at hand */

static void test_unknown(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->store->devices->nelts = 0;
    is_err(testmasa_voucher(w, &ask), DEVICE_UNKNOWN, "5.6 refuses an unknown device");
    is_int(testmasa_voucher(w, &ask)->status, 404, "5.6 with 404");
    teststore_device(w->store, "gone", TESTMASA_SERIAL);
    is_err(testmasa_voucher(w, &ask), PRODUCT_MISSING, "5.6 a product line this node lacks");
    is_int(testmasa_voucher(w, &ask)->status, 503, "5.6 is 503, never 404");
}

static void test_one_row(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.rvr.idevid_issuer = w->pledge->cert->aki_keyid;
    w->device->idevid_issuer = brski_hex(w->masa_root->cert->ski, pool);
    is_err(testmasa_voucher(w, &ask), DEVICE_UNKNOWN, "5.6 another issuer's is another device");
    w->device->idevid_issuer = brski_hex(w->pledge->cert->aki_keyid, pool);
    is_ok(testmasa_voucher(w, &ask), "5.6 the row's issuer is the device's");
    w->device->idevid_issuer = "";
    ask.request.body.data = NULL;
    is_ok(testmasa_voucher(w, &ask), "5.6 an empty column says nothing");
}

/* Two product lines, each with a device of the same serial number. */
static testmasa_t *two_lines(testpki_t **toaster)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *ca;

    testmasa_product(w, "toaster", &ca);
    teststore_device(w->store, "toaster", TESTMASA_SERIAL);
    *toaster = testpki_make(&(testpki_spec_t){ .cn = "toaster",
                                               .serial_number = TESTMASA_SERIAL }, ca, pool);
    return w;
}

static void test_two_by_prior(void)
{
    testpki_t *toaster;
    testmasa_t *w = two_lines(&toaster);
    testmasa_ask_t ask = testmasa_ask(w);

    is_ok(testmasa_voucher(w, &ask), "5.6 a serial shared by two lines: the IDevID tells");
    is_str(w->answer->product, "thermostat", "5.6 it is the thermostat");
    ok(brski_bytes_equal(testmasa_opened(w)->voucher->idevid_issuer,
                         brski_idevid_issuer_make(w->pledge->cert, pool)),
       "8366-5.3 idevid-issuer is in the voucher where the serial is not unique");
    ask = testmasa_ask(w);
    ask.pledge = toaster;
    is_ok(testmasa_voucher(w, &ask), "5.6 the other line's pledge");
    is_str(w->answer->product, "toaster", "5.6 it is the toaster");
    is_int(teststore_event(w->store, 0)->seq, 1, "5.8 each has a chain of its own");
}

static void test_two_by_issuer(void)
{
    testpki_t *toaster;
    testmasa_t *w = two_lines(&toaster);
    testmasa_ask_t ask = testmasa_ask(w);

    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    ask.pledge = NULL;
    is_err(testmasa_voucher(w, &ask), DEVICE_AMBIGUOUS, "5.6 refuses when nothing tells which");
    ask.request.body.data = NULL;
    w->device->idevid_issuer = brski_hex(w->pledge->cert->aki_keyid, pool);
    ask.rvr.idevid_issuer = w->pledge->cert->aki_keyid;
    is_ok(testmasa_voucher(w, &ask), "5.6 idevid-issuer tells: the row names it");
    is_str(w->answer->product, "thermostat", "5.6 it is the thermostat");
    is_mem(testmasa_opened(w)->voucher->idevid_issuer.data, 26,
           brski_idevid_issuer_make(w->pledge->cert, pool).data, 26,
           "8366-5.3 a bare key identifier is sent in the form of 8366bis");
    w->device->idevid_issuer = NULL;
    ask.request.body.data = NULL;
    ask.rvr.idevid_issuer = toaster->cert->aki_keyid;
    is_err(testmasa_voucher(w, &ask), PRIOR_MISSING, "5.6 or an anchor of the line does");
    is_str(w->answer->product, "toaster", "5.6 it is the toaster");
}

static void test_two_with_a_missing_line(void)
{
    testpki_t *toaster;
    testmasa_t *w = two_lines(&toaster);
    testmasa_ask_t ask = testmasa_ask(w);

    w->masa.products->nelts = 1;
    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    ask.pledge = NULL;
    is_err(testmasa_voucher(w, &ask), PRODUCT_MISSING, "5.6 another node may know which");
    ask = testmasa_ask(w);
    is_ok(testmasa_voucher(w, &ask), "5.6 what the IDevID tells needs no other line");
}

static void test_two_and_outstanding(void)
{
    testpki_t *toaster;
    testmasa_t *w = two_lines(&toaster);
    testmasa_ask_t ask = testmasa_ask(w);

    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    testmasa_nonceless(&ask);
    ask.rvr.idevid_issuer = w->maker_root->cert->ski;
    is_ok(testmasa_voucher(w, &ask), "5.6 nonceless, by an anchor's key identifier");
    ask = testmasa_ask_from(w, testmasa_domain(w, "Other"));
    ask.pledge = toaster;
    is_ok(testmasa_voucher(w, &ask), "5.6 it is in nobody's way in another product line");
}

/* A forged prior request must not choose the line whose rules are laxer. */
static void test_two_forged(void)
{
    testpki_t *toaster;
    testmasa_t *w = two_lines(&toaster);
    testmasa_ask_t ask = testmasa_ask(w);

    ask.pledge = testpki_impostor(toaster, pool);
    is_err(testmasa_voucher(w, &ask), PRIOR_SIGNATURE, "5.5.5 a copied IDevID selects, no more");
    ask = testmasa_ask(w);
    ask.rvr.idevid_issuer = toaster->cert->aki_keyid;
    is_err(testmasa_voucher(w, &ask), PRIOR_CHAIN, "5.5.5 the named issuer's line judges");
}

static void state(testmasa_t *w, const char *status, const char *text, const char *said)
{
    testmasa_ask_t ask = testmasa_ask(w);
    brski_err_t *err;

    w->device->status = status;
    w->device->status_text = text;
    err = testmasa_voucher(w, &ask);
    is_err(err, DEVICE_BLOCKED, "10.4 refuses what is %s", status);
    has_str(err ? err->public_text : "", said, "10.4 and says: %s", said);
}

static void test_state(void)
{
    testmasa_t *w = testmasa_make(pool);

    state(w, "stolen", NULL, "reported stolen");
    state(w, "end-of-life", "", "end of its life");
    state(w, "owner-locked", NULL, "owner has locked");
    state(w, "blocked", "call +1 555 0100", "call +1 555 0100");
    state(w, "some-new-word", NULL, "blocked");
    is_int(w->store->events->nelts, 0, "10.4 and nothing was written");
}

/* ---- signers ---- */

static const char *signed_by(testmasa_t *w)
{
    testmasa_ask_t ask = testmasa_ask(w);

    return testmasa_voucher(w, &ask) ? NULL : w->answer->signer;
}

static void test_signer(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_signer_t *second = testmasa_signer(w, "second", w->masa_root, 0);

    APR_ARRAY_PUSH(w->product->signers, brski_signer_t *) = second;
    is_str(signed_by(w), "main", "5.6 the product line's first signer");
    w->device->signer = "second";
    is_str(signed_by(w), "second", "5.6 the signer that the device's row names");
    is_str(testmasa_opened(w)->cms->signer->spki_hex, brski_signer_key_id(second),
           "5.6 its key signed");
    w->device->signer = brski_signer_key_id(second);
    is_str(signed_by(w), "second", "5.6 by its key id too");
    w->device->signer = "";
    is_str(signed_by(w), "main", "5.6 an empty column is none");
    w->device->signer = "third";
    is_err(testmasa_voucher(w, &ask), PRODUCT_MISSING, "5.6 a signer that this node lacks: 503");
}

static void test_key_away(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_signer_t *second = testmasa_signer(w, "second", w->masa_root, 0);
    brski_err_t *err;

    APR_ARRAY_PUSH(w->product->signers, brski_signer_t *) = second;
    w->signer->key = NULL;
    w->signer->away = brski_err(BRSKI_E_KEY_UNAVAILABLE, NULL, pool, "token is gone");
    err = testmasa_voucher(w, &ask);
    is_err(err, KEY_UNAVAILABLE, "5.6 a key that is away is 503 for its devices");
    ok(err && err->prev, "and the log says why");
    w->device->signer = "second";
    is_str(signed_by(w), "second", "5.6 and no other's devices");
}

static const char *nonceless_by(testmasa_t *w)
{
    testmasa_ask_t ask = testmasa_ask(w);

    testmasa_nonceless(&ask);
    ask.rvr.created_on += apr_time_from_sec(w->requests);   /* other bytes each time */
    return testmasa_voucher(w, &ask) ? NULL : w->answer->signer;
}

static void test_nonceless_signer(void)
{
    testmasa_t *w = testmasa_make(pool);
    testpki_t *root = testpki_make(&(testpki_spec_t){ .cn = "other root", .ca = 1 }, NULL, pool);

    teststore_customer(w->store, "acme", "spki:", w->registrar->cert->spki_hex);
    teststore_grant(w->store, "nonceless", "");
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    is_str(nonceless_by(w), "main", "11.6.2.2 without a signer of their own: the product line's");
    APR_ARRAY_PUSH(w->product->signers, brski_signer_t *) =
        testmasa_signer(w, "foreign", root, 1);
    APR_ARRAY_PUSH(w->product->signers, brski_signer_t *) =
        testmasa_signer(w, "offline", w->masa_root, 1);
    is_str(nonceless_by(w), "foreign", "11.6.2.2 with one: it and no other");
    is_str(signed_by(w), "main", "11.6.2.2 which signs nothing else");
    w->device->signer = "main";
    is_str(nonceless_by(w), "offline", "11.6.2.2 of the root that the device trusts");
    w->device->signer = "offline";
    is_str(nonceless_by(w), "offline", "11.6.2.2 or the one its row names");
    is_str(signed_by(w), "main", "11.6.2.2 beside the ordinary one of that root");
    w->device->signer = "foreign";
    is_str(signed_by(w), NULL, "5.6 and none where no signer is trusted for it");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_unknown, test_one_row, test_two_by_prior, test_two_by_issuer,
        test_two_with_a_missing_line, test_two_and_outstanding, test_two_forged, test_state,
        test_signer, test_key_away,
        test_nonceless_signer,
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
