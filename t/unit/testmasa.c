/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testmasa.c: a small world for tests of the decision, as testmasa.h says.
 */
#include "testmasa.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

static testpki_t *make(testmasa_t *w, const testpki_t *issuer, testpki_spec_t spec)
{
    return testpki_make(&spec, issuer, w->pool);
}

#define MAKE(w, issuer, ...) make(w, issuer, (testpki_spec_t){ __VA_ARGS__ })

const brski_anchors_t *testmasa_anchors(testmasa_t *w, const testpki_t *anchor)
{
    brski_anchors_t *anchors;
    brski_err_t *err = brski_anchors_make(&anchors, testpki_certs(w->pool, anchor, NULL), w->pool);

    if (err) {
        bail_out("anchors: %s", brski_err_text(err, w->pool));
    }
    return anchors;
}

static brski_signer_t *signer_of(testmasa_t *w, const char *name, const testpki_t *ee,
                                 int nonceless)
{
    brski_signer_t *signer = apr_pcalloc(w->pool, sizeof(*signer));

    signer->name = name;
    signer->kind = &brski_signer_kind_file;
    signer->key_uri = "file:/somewhere/key.pem";
    signer->chain = testpki_chain(ee, 0, w->pool);
    signer->key = ee->key;
    signer->nonceless = nonceless;
    return signer;
}

brski_signer_t *testmasa_signer(testmasa_t *w, const char *name, const testpki_t *root,
                                int nonceless)
{
    return signer_of(w, name, MAKE(w, root, .cn = apr_pstrcat(w->pool, "signer ", name, NULL)),
                     nonceless);
}

static brski_product_t *make_product(testmasa_t *w, const char *name, const testpki_t *anchor)
{
    brski_product_t *p = apr_pcalloc(w->pool, sizeof(*p));

    p->name = name;
    p->idevid_anchors = testmasa_anchors(w, anchor);
    p->signers = apr_array_make(w->pool, 2, sizeof(brski_signer_t *));
    APR_ARRAY_PUSH(p->signers, brski_signer_t *) = w->signer;
    p->owner = &brski_owner_any;
    p->nonceless = BRSKI_NONCELESS_DENY;
    p->nonceless_lifetime = apr_time_from_sec(20 * 60);
    p->pin_nonced = BRSKI_PIN_LOWEST_CA;
    p->pin_nonceless = BRSKI_PIN_HIGHEST_CA;
    p->proximity = BRSKI_PROXIMITY_REQUIRED;
    p->formats = apr_array_make(w->pool, 1, sizeof(brski_format_t));
    APR_ARRAY_PUSH(p->formats, brski_format_t) = BRSKI_FORMAT_CMS;
    p->econtent = BRSKI_ECONTENT_ANIMA_JSON;
    APR_ARRAY_PUSH(w->masa.products, brski_product_t *) = p;
    return p;
}

brski_product_t *testmasa_product(testmasa_t *w, const char *name, testpki_t **ca)
{
    *ca = MAKE(w, NULL, .cn = apr_pstrcat(w->pool, name, " root", NULL), .ca = 1);
    return make_product(w, name, *ca);
}

testpki_t *testmasa_domain(testmasa_t *w, const char *name)
{
    testpki_t *ca = MAKE(w, NULL, .cn = apr_pstrcat(w->pool, name, " CA", NULL), .ca = 1);

    return MAKE(w, ca, .cn = apr_pstrcat(w->pool, name, " registrar", NULL), .cmc_ra = 1,
                .client_auth = 1, .server_auth = 1);
}

static void make_pki(testmasa_t *w)
{
    w->maker_root = MAKE(w, NULL, .cn = "Maker root", .ca = 1);
    w->idevid_ca = MAKE(w, w->maker_root, .cn = "Maker IDevID CA", .ca = 1);
    w->pledge = MAKE(w, w->idevid_ca, .cn = "thermostat", .serial_number = TESTMASA_SERIAL);
    w->masa_root = MAKE(w, NULL, .cn = "Maker MASA root", .ca = 1);
    w->masa_ee = MAKE(w, w->masa_root, .cn = "Maker MASA");
    w->domain_root = MAKE(w, NULL, .cn = "Domain root", .ca = 1);
    w->domain_ca = MAKE(w, w->domain_root, .cn = "Domain CA", .ca = 1);
    w->registrar = MAKE(w, w->domain_ca, .cn = "Domain registrar", .cmc_ra = 1, .client_auth = 1,
                        .server_auth = 1, .dns = "registrar.example.com");
}

testmasa_t *testmasa_on(brski_store_t *store, apr_pool_t *pool)
{
    testmasa_t *w = apr_pcalloc(pool, sizeof(*w));

    w->pool = pool;
    w->ctx = unit_ctx(unit_time(TESTMASA_NOW), pool);
    make_pki(w);
    w->masa.ctx = w->ctx;
    w->masa.limits = &brski_limits_default;
    w->masa.store = store;
    w->masa.revocation = BRSKI_REVOCATION_OFF;
    w->masa.products = apr_array_make(pool, 2, sizeof(brski_product_t *));
    w->masa.skew = apr_time_from_sec(300);
    w->masa.reuse = apr_time_from_sec(86400);
    w->signer = signer_of(w, "main", w->masa_ee, 0);
    w->product = make_product(w, "thermostat", w->maker_root);
    return w;
}

/* ---- asking ---- */

testmasa_ask_t testmasa_ask_from(testmasa_t *w, const testpki_t *registrar)
{
    testmasa_ask_t ask;

    memset(&ask, 0, sizeof(ask));
    ask.pledge = w->pledge;
    ask.pvr.kind = ask.rvr.kind = BRSKI_VOUCHER_REQUEST;
    ask.pvr.assertion = ask.rvr.assertion = BRSKI_ASSERTION_PROXIMITY;
    ask.pvr.serial_number = ask.rvr.serial_number = TESTMASA_SERIAL;
    ask.pvr.nonce = ask.rvr.nonce = TESTMASA_NONCE;
    ask.pvr.created_on = ask.rvr.created_on = w->ctx->now(w->ctx->baton);
    ask.pvr.domain_cert_revocation_checks = ask.rvr.domain_cert_revocation_checks = -1;
    ask.pvr.proximity_registrar_cert = registrar->cert->der;
    ask.registrar = registrar;
    ask.request.content_type = "application/voucher-cms+json";
    ask.request.address = "192.0.2.1";
    return ask;
}

testmasa_ask_t testmasa_ask(testmasa_t *w)
{
    return testmasa_ask_from(w, w->registrar);
}

void testmasa_nonceless(testmasa_ask_t *ask)
{
    ask->pledge = NULL;
    ask->rvr.nonce = NULL;
    ask->rvr.assertion = BRSKI_ASSERTION_NONE;
}

brski_bytes_t testmasa_spoiled(brski_bytes_t message, apr_pool_t *pool)
{
    brski_bytes_t copy = brski_bytes_dup(message, pool);

    ((unsigned char *)copy.data)[copy.len - 1] ^= 1;
    return copy;
}

static brski_bytes_t prior(testmasa_t *w, const testmasa_ask_t *ask)
{
    brski_bytes_t pvr = { NULL, 0 };

    if (ask->prior.len || !ask->pledge) {
        return ask->prior;
    }
    pvr = testpki_sign_voucher(&ask->pvr, ask->pledge, testpki_chain(ask->pledge, 0, w->pool),
                               w->pool);
    return ask->break_pvr ? testmasa_spoiled(pvr, w->pool) : pvr;
}

brski_bytes_t testmasa_body(testmasa_t *w, testmasa_ask_t *ask)
{
    apr_array_header_t *certs = ask->certs ? ask->certs : testpki_chain(ask->registrar, 0, w->pool);
    brski_bytes_t body;

    ask->rvr.prior_signed_voucher_request = prior(w, ask);
    body = ask->json ? testpki_sign(ask->json, ask->registrar, certs, w->pool)
                     : testpki_sign_voucher(&ask->rvr, ask->registrar, certs, w->pool);
    return ask->break_rvr ? testmasa_spoiled(body, w->pool) : body;
}

typedef brski_err_t *operation_t(brski_masa_answer_t **, const brski_masa_t *,
                                 const brski_masa_request_t *, apr_pool_t *, apr_pool_t *);

/* What was scratch is gone afterwards, so that nothing in the answer may live there. */
static brski_err_t *call(testmasa_t *w, testmasa_ask_t *ask, operation_t *operation)
{
    apr_pool_t *scratch;
    brski_err_t *err;

    if (!ask->request.body.data) {
        ask->request.body = testmasa_body(w, ask);
    }
    ask->request.request_id = apr_psprintf(w->pool, "req-%d", ++w->requests);
    apr_pool_create(&scratch, w->pool);
    err = operation(&w->answer, &w->masa, &ask->request, w->pool, scratch);
    apr_pool_destroy(scratch);
    return err;
}

brski_err_t *testmasa_voucher(testmasa_t *w, testmasa_ask_t *ask)
{
    return call(w, ask, brski_masa_requestvoucher);
}

brski_err_t *testmasa_log(testmasa_t *w, testmasa_ask_t *ask)
{
    return call(w, ask, brski_masa_requestauditlog);
}

static brski_err_t *explain_voucher(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                    const brski_masa_request_t *request, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool)
{
    return brski_masa_explain(answer, masa, request, "requestvoucher",
                              masa->ctx->now(masa->ctx->baton), result_pool, scratch_pool);
}

static brski_err_t *explain_log(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                const brski_masa_request_t *request, apr_pool_t *result_pool,
                                apr_pool_t *scratch_pool)
{
    return brski_masa_explain(answer, masa, request, "requestauditlog",
                              masa->ctx->now(masa->ctx->baton), result_pool, scratch_pool);
}

brski_err_t *testmasa_explain(testmasa_t *w, testmasa_ask_t *ask, const char *operation)
{
    return call(w, ask, strcmp(operation, "requestvoucher") ? explain_log : explain_voucher);
}

brski_signed_t *testmasa_opened(testmasa_t *w)
{
    brski_signed_t *voucher;
    brski_err_t *err;

    err = brski_signed_open(&voucher, w->answer->body, BRSKI_FORMAT_CMS, BRSKI_VOUCHER,
                            &brski_limits_default, NULL, w->pool);
    if (!err) {
        err = brski_cms_verify(voucher->cms, w->pool);
    }
    if (!err) {
        err = brski_anchors_verify(NULL, testmasa_anchors(w, w->masa_root), voucher->cms->signer,
                                   voucher->cms->certs, w->ctx->now(w->ctx->baton), 0, 0, w->pool,
                                   w->pool);
    }
    if (err) {
        bail_out("the voucher: %s", brski_err_text(err, w->pool));
    }
    return voucher;
}
