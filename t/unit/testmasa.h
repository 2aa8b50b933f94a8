/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testmasa.h: a small world for tests of the decision: a manufacturer with one product line, a
 * domain with a registrar, a clock that stands at 2026-01-01, and either a store in memory that
 * knows one device or whatever store the test brings. An ask begins as a request that is right in
 * every way; a test changes what it is about.
 */
#ifndef TESTMASA_H
#define TESTMASA_H

#include "brski_masa.h"
#include "testpki.h"
#include "teststore.h"
#include "unit.h"

#define TESTMASA_SERIAL "JADA123456789"
#define TESTMASA_NONCE "62a2e7693d82fcda2624de58fb6722e5"
#define TESTMASA_NOW "2026-01-01T00:00:00Z"

typedef struct testmasa_t {
    apr_pool_t *pool;
    brski_ctx_t *ctx;
    teststore_t *store;               /* NULL when the test brought its own */
    brski_masa_t masa;
    brski_product_t *product;         /* "thermostat": any owner, proximity required, lowest CA */
    brski_device_t *device;           /* its row in the store in memory */
    brski_signer_t *signer;           /* "main" */
    testpki_t *maker_root;
    testpki_t *idevid_ca;
    testpki_t *pledge;                /* IDevID of TESTMASA_SERIAL */
    testpki_t *masa_root;
    testpki_t *masa_ee;
    testpki_t *domain_root;
    testpki_t *domain_ca;
    testpki_t *registrar;
    brski_masa_answer_t *answer;      /* of the last call */
    int requests;
} testmasa_t;

/** With a store in memory (testmasa_memory.c), which takes the place of brski_store.c. */
testmasa_t *testmasa_make(apr_pool_t *pool);

/** On a store of the test's own. */
testmasa_t *testmasa_on(brski_store_t *store, apr_pool_t *pool);

/** Another product line with its own IDevID CA (returned in *ca), sharing the signer. */
brski_product_t *testmasa_product(testmasa_t *w, const char *name, testpki_t **ca);

/** A signer with a new key under root. */
brski_signer_t *testmasa_signer(testmasa_t *w, const char *name, const testpki_t *root,
                                int nonceless);

/** Anchors of one certificate. */
const brski_anchors_t *testmasa_anchors(testmasa_t *w, const testpki_t *anchor);

/** A registrar of its own private CA, which is its issuer. */
testpki_t *testmasa_domain(testmasa_t *w, const char *name);

/** What is asked. */
typedef struct testmasa_ask_t {
    /* the pledge's request; pledge NULL: none is included */
    const testpki_t *pledge;
    brski_voucher_t pvr;
    brski_bytes_t prior;              /* instead of it, when len is set */
    int break_pvr;                    /* spoil its signature */
    /* the registrar's */
    const testpki_t *registrar;
    apr_array_header_t *certs;        /* NULL: the registrar's chain with root */
    brski_voucher_t rvr;
    const char *json;                 /* instead of rvr */
    int break_rvr;
    /* how it comes */
    brski_masa_request_t request;     /* body is made when it has none */
} testmasa_ask_t;

/** A right request of w's registrar for w's device. */
testmasa_ask_t testmasa_ask(testmasa_t *w);

/** The same from another registrar: signed by it, and its certificate seen by the pledge. */
testmasa_ask_t testmasa_ask_from(testmasa_t *w, const testpki_t *registrar);

/** Leave out nonce and pledge's request. */
void testmasa_nonceless(testmasa_ask_t *ask);

/** Make the bytes of the request. */
brski_bytes_t testmasa_body(testmasa_t *w, testmasa_ask_t *ask);

/** Ask; the body is made once and stays, request_id is new each time. The answer is in w. */
brski_err_t *testmasa_voucher(testmasa_t *w, testmasa_ask_t *ask);
brski_err_t *testmasa_log(testmasa_t *w, testmasa_ask_t *ask);
brski_err_t *testmasa_explain(testmasa_t *w, testmasa_ask_t *ask, const char *operation);

/** The voucher of the last answer, its signature verified up to w's MASA root. */
brski_signed_t *testmasa_opened(testmasa_t *w);

/** Spoil the signature of a message: its last octet. */
brski_bytes_t testmasa_spoiled(brski_bytes_t message, apr_pool_t *pool);

#endif
