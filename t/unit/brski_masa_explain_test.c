/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_explain_test.c: a kept request judged again, rule by rule, by the same code and
 * without leaving a trace.
 */
#include "testmasa.h"

#include <apr_strings.h>
#include <string.h>

static apr_pool_t *pool;              /* of the test at hand */

static const brski_step_t *step(const testmasa_t *w, const char *rule)
{
    static const brski_step_t none = { "", "", -2, "" };
    int i;

    for (i = 0; w->answer->steps && i < w->answer->steps->nelts; i++) {
        const brski_step_t *s = &APR_ARRAY_IDX(w->answer->steps, i, const brski_step_t);

        if (!strcmp(s->rule, rule)) {
            return s;
        }
    }
    return &none;
}

static const brski_step_t *last(const testmasa_t *w)
{
    return &APR_ARRAY_IDX(w->answer->steps, w->answer->steps->nelts - 1, const brski_step_t);
}

static void test_good(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->signer->key = NULL;
    is_ok(testmasa_explain(w, &ask, "requestvoucher"), "a good request is explained without keys");
    is_int(w->store->puts, 0, "and writes nothing");
    is_int(w->answer->body.len, 0, "and makes nothing");
    is_int(step(w, "signature")->passed, 1, "5.5.3 signature: passed");
    is_str(step(w, "signature")->section, "5.5.3", "5.5.3 under its section");
    is_int(step(w, "revocation")->passed, -1, "5.5.3 revocation: not judged");
    is_int(step(w, "proximity")->passed, 1, "5.5.5 proximity: passed");
    has_str(step(w, "proximity")->text, w->registrar->cert->spki_hex, "5.5.5 and what was seen");
    is_str(last(w)->rule, "revocation", "5.5.3 the last rule is revocation");
    is_str(w->answer->product, "thermostat", "the answer is filled as by the decision");
}

static void test_refused(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_err_t *decided, *explained;

    ask.pvr.nonce = "another";
    decided = testmasa_voucher(w, &ask);
    is_str(decided ? decided->name : "", "NONCE", "5.5.6 refused");
    is_int(w->answer->steps == NULL, 1, "the decision itself records no steps");
    explained = testmasa_explain(w, &ask, "requestvoucher");
    is_err(explained, NONCE, "5.5.6 refused again");
    is_str(last(w)->rule, "nonce", "5.5.6 the last rule is the one that failed");
    is_int(last(w)->passed, 0, "5.5.6 failed");
    has_str(last(w)->text, "another", "5.5.6 and says what it saw");
    is_int(step(w, "proximity")->passed, 1, "5.5.5 what came before passed");
    is_int(step(w, "ownership")->passed, -2, "5.5.4 what comes after was not reached");
}

static void test_then(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    brski_masa_answer_t *answer;

    ask.request.body = testmasa_body(w, &ask);
    ask.request.request_id = "req-then";
    unit_ctx_set_now(w->ctx, unit_time("2050-01-01T00:00:00Z"));
    is_err(brski_masa_explain(&answer, &w->masa, &ask.request, "requestvoucher",
                              w->ctx->now(w->ctx->baton), pool, pool), PKIX,
           "5.5.3 decades later its certificates have expired");
    is_ok(brski_masa_explain(&answer, &w->masa, &ask.request, "requestvoucher",
                             unit_time(TESTMASA_NOW), pool, pool),
          "5.5.3 it is judged at the time it came");
    is_err(brski_masa_explain(&answer, &w->masa, &ask.request, "teapot", 0, pool, pool), OPERATION,
           "and only what there is");
}

static void test_downgraded(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    w->product->proximity = BRSKI_PROXIMITY_DOWNGRADE;
    w->device->downgrade_until = unit_time("2027-01-01T00:00:00Z");
    ask.pvr.proximity_registrar_cert = w->masa_ee->cert->der;
    is_ok(testmasa_explain(w, &ask, "requestvoucher"), "5.5.5 a downgrade is explained");
    is_int(step(w, "proximity")->passed, 0, "5.5.5 what failed");
    is_int(step(w, "downgrade")->passed, 1, "5.5.5 and why it did not matter");
    has_str(step(w, "assertion")->text, "logged", "5.5.5 and what came of it");
}

static void test_log(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);

    is_ok(testmasa_voucher(w, &ask), "5.6 a voucher");
    ask = testmasa_ask(w);
    ask.rvr.created_on++;
    is_ok(testmasa_explain(w, &ask, "requestauditlog"), "5.8 a log request is explained");
    has_str(step(w, "owner")->text, "fresh request", "5.8 how the owner was recognised");
    is_int(w->store->fresh_uses, 0, "5.8 without using it up");
    ask = testmasa_ask_from(w, testmasa_domain(w, "Stranger"));
    is_err(testmasa_explain(w, &ask, "requestauditlog"), NO_OWNER, "5.8 a stranger's too");
    is_int(step(w, "owner")->passed, 0, "5.8 failed");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_good, test_refused, test_then, test_downgraded, test_log,
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
