/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_vectors_test.c: registrar voucher-requests that others made, each with the verdict
 * that a strict MASA must give. RFC 8995 Appendix C comes with the source; the rest is found
 * through BRSKI_VECTORS.
 */
#include "testmasa.h"

static apr_pool_t *pool;              /* of the test at hand */

/* RFC 8995 Appendix C, which comes with the source. */
#define APPC(file) unit_source("t/vectors/rfc8995-appC/" file, pool)

/* A world at a time that knows one device of a product line with this anchor. */
static testmasa_t *world(const char *at, const char *serial_number, const char *anchor)
{
    testmasa_t *w = testmasa_make(pool);
    apr_array_header_t *paths = apr_array_make(pool, 1, sizeof(const char *));
    brski_anchors_t *anchors;

    unit_ctx_set_now(w->ctx, unit_time(at));
    w->device->serial_number = serial_number;
    if (anchor) {
        APR_ARRAY_PUSH(paths, const char *) = anchor;
        is_ok(brski_anchors_load(&anchors, paths, pool), "anchors of the product line");
        w->product->idevid_anchors = anchors;
    }
    return w;
}

static brski_err_t *post(testmasa_t *w, const char *path)
{
    testmasa_ask_t ask = testmasa_ask(w);

    ask.request.body = unit_file(path, pool);
    return testmasa_voucher(w, &ask);
}

#define APPC_SERIAL "00-D0-E5-F2-00-02"
#define APPC_NOW "2021-04-13T21:43:24Z"

static void test_rfc8995_appendix_c(void)
{
    const char *rvr = APPC("rvr.der");
    testmasa_t *w;
    brski_voucher_t *v;

    w = world(APPC_NOW, APPC_SERIAL, APPC("vendor.crt.pem"));
    is_ok(post(w, rvr), "8995-C.2.2 the example request gets a voucher on 13 April 2021");
    v = testmasa_opened(w)->voucher;
    is_int(v->assertion, BRSKI_ASSERTION_PROXIMITY, "8995-C.2.2 its proximity is proven");
    is_str(v->serial_number, APPC_SERIAL, "8995-C.2.2 for its serial-number");
    is_str(w->answer->domain_id, "uaX2yxHhB6RJLKcIxnwQvIezdCY=", "5.8.2 the owner CA's domainID");
    w->product->pin_nonced = BRSKI_PIN_EE;
    w->store->events->nelts = 0;
    is_ok(post(w, rvr), "8995-C.2.3 the example voucher pins the registrar");
    is_str(w->answer->domain_id, "Oy6w2vS8ar8m/FtEHuzs7sl7LSD3pW9yTCgCecoIL3M=",
           "5.8.2 the registrar's domainID");
}

static void test_rfc8995_appendix_c_variants(void)
{
    const char *rvr = APPC("rvr.der");
    testmasa_t *w;

    w = world("2022-02-25T00:00:00Z", APPC_SERIAL, APPC("vendor.crt.pem"));
    is_err(post(w, rvr), PKIX, "5.5.3 the registrar of Appendix C has expired since");
    w = world(APPC_NOW, "00-D0-E5-F2-00-03", APPC("vendor.crt.pem"));
    is_err(post(w, rvr), DEVICE_UNKNOWN, "5.6 a MASA that does not know its device");
    w = world(APPC_NOW, APPC_SERIAL, NULL);
    is_err(post(w, rvr), PRIOR_CHAIN, "5.5.5 a MASA of another manufacturer");
    is_err(post(w, APPC("pvr.der")), FIELD,
           "5.5 the pledge's request is not a registrar's");
}

/* A request that must be refused whatever the policy: here the laxest. */
static void refused(const char *path, const char *at, const char *serial_number,
                    const char *anchor, int status)
{
    const char *file = unit_vector(path, pool);
    brski_err_t *err;
    testmasa_t *w;

    if (!file) {
        skip(1, "%s is not here: set BRSKI_VECTORS", path);
        return;
    }
    w = world(at, serial_number, unit_vector(anchor, pool));
    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    err = post(w, file);
    is_int(err ? err->status : 200, status, "5.5 %s: %d", path, status);
    note("%s", err ? brski_err_text(err, pool) : "accepted");
    is_int(w->store->events->nelts, 0, "5.5 and writes no event");
}

static void test_refused(void)
{
    static const char highway[] = "cms-highway-negative/highway-test-ca-2019.crt.pem";

    refused("cms-minerva-2d/rvr.der", "2019-05-15T21:25:55Z", "00-d0-e5-02-00-2d",
            "cms-minerva-2d/highway-ca.crt.pem", 403);
    refused("cms-highway-negative/rvr-serial-and-proximity-mismatch.der", "2019-04-04T16:27:09Z",
            "JADA_f2-00-01", highway, 403);
    refused("cms-highway-negative/rvr-f2-00-02-2017.der", "2017-10-12T18:09:12Z",
            "00-D0-E5-F2-00-02", highway, 403);
    refused("cms-highway-negative/rvr-prior-is-plain-json.der", "2018-11-22T20:25:17Z",
            "00-12-34-56-78-9A", highway, 403);
    refused("cms-highway-negative/rvr-broken.b64", "2019-04-04T16:27:09Z", "00-D0-E5-F2-00-02",
            highway, 400);
    refused("cms-fountain/voucher-empty.der", "2019-04-04T16:27:09Z", "00-D0-E5-F2-00-02",
            highway, 400);
    refused("cose-known-bad/pvr-es256k-der.cose", "2019-04-04T16:27:09Z", "00-D0-E5-F2-00-02",
            highway, 400);
}

static void test_siemens(void)
{
    const char *rvr = unit_vector("cms-highway-negative/rvr-siemens-nonced-no-prior.der",
                                  pool);
    testmasa_t *w;

    if (!rvr) {
        skip(1, "the Siemens registrar's request is not here: set BRSKI_VECTORS");
        return;
    }
    w = world("2018-12-14T05:59:09Z", "", NULL);
    is_err(post(w, rvr), DEVICE_UNKNOWN, "5.6 its device is unknown here");
    w->device->serial_number = w->answer->serial_number;
    is_err(post(w, rvr), PRIOR_MISSING, "5.5.5 it has no prior request: refused where required");
    w->product->proximity = BRSKI_PROXIMITY_OPTIONAL;
    is_ok(post(w, rvr), "5.5.5 by policy it gets one");
    is_int(w->answer->assertion, BRSKI_ASSERTION_LOGGED, "5.5.5 logged, never proximity");
    is_str(teststore_event(w->store, 0)->nonce, "9730977110184206", "5.5.6 its nonce as it came");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_rfc8995_appendix_c, test_rfc8995_appendix_c_variants, test_refused, test_siemens,
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
