/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_snapshot_test.c: a configuration written and read again decides as before; equal ones have
 * equal hashes, and no secret is in them.
 */
#include "brski_snapshot.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_json.h"
#include "testmasa.h"

static apr_pool_t *pool;              /* of the test at hand */

static const char *snapshot(const testmasa_t *w, const char **hash)
{
    const char *json = NULL, *unused = NULL;

    is_ok(brski_snapshot_make(&json, hash ? hash : &unused, &w->masa, pool), "a snapshot");
    return apr_pstrdup(pool, json);
}

static brski_masa_t *read_again(testmasa_t *w, const char *json)
{
    brski_masa_t *masa = NULL;

    is_ok(brski_snapshot_read(&masa, json, w->store->store, w->ctx, pool), "which can be read");
    return masa;
}

/* A configuration in which nothing is as by default. */
static testmasa_t *odd_world(void)
{
    testmasa_t *w = testmasa_make(pool);

    w->masa.skew = apr_time_from_sec(61);
    w->masa.reuse = 0;
    w->masa.max_age = apr_time_from_sec(3 * 86400);
    w->masa.revocation = BRSKI_REVOCATION_HARD;
    w->masa.customer_anchors = testmasa_anchors(w, w->domain_root);
    w->masa.public_cas = testmasa_anchors(w, w->masa_root);
    w->product->owner = &brski_owner_sold;
    w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    w->product->nonceless_lifetime = 0;
    w->product->pin_nonced = BRSKI_PIN_EE;
    w->product->pin_nonceless = BRSKI_PIN_LOWEST_CA;
    w->product->proximity = BRSKI_PROXIMITY_DOWNGRADE;
    w->product->econtent = BRSKI_ECONTENT_DATA;
    w->product->ignore_idevid_expiry = 1;
    APR_ARRAY_PUSH(w->product->signers, brski_signer_t *) =
        testmasa_signer(w, "offline", w->masa_root, 1);
    return w;
}

static void test_round_trip(void)
{
    testmasa_t *w = odd_world();
    const char *json = snapshot(w, NULL);
    brski_masa_t *masa = read_again(w, json);
    const brski_product_t *p;
    const brski_signer_t *s;

    is_int(masa->skew, w->masa.skew, "skew");
    is_int(masa->reuse, 0, "reuse");
    is_int(masa->max_age, w->masa.max_age, "max_age");
    is_int(masa->revocation, BRSKI_REVOCATION_HARD, "revocation");
    is_int(masa->limits->body, brski_limits_default.body, "limits");
    is_int(brski_anchors_certs(masa->customer_anchors)->nelts, 1, "customer anchors");
    is_int(masa->products->nelts, 1, "products");
    p = APR_ARRAY_IDX(masa->products, 0, const brski_product_t *);
    is_str(p->name, "thermostat", "its name");
    ok(p->owner == &brski_owner_sold, "its owner policy");
    is_int(p->nonceless, BRSKI_NONCELESS_CUSTOMER, "its nonceless policy");
    is_int(p->nonceless_lifetime, 0, "and lifetime");
    is_int(p->pin_nonced, BRSKI_PIN_EE, "its pin");
    is_int(p->pin_nonceless, BRSKI_PIN_LOWEST_CA, "and without nonce");
    is_int(p->proximity, BRSKI_PROXIMITY_DOWNGRADE, "its proximity");
    is_int(p->econtent, BRSKI_ECONTENT_DATA, "its content type");
    is_int(p->ignore_idevid_expiry, 1, "its IDevIDs");
    is_int(p->formats->nelts, 1, "its formats");
    is_int(p->signers->nelts, 2, "its signers");
    s = APR_ARRAY_IDX(p->signers, 1, const brski_signer_t *);
    is_str(s->name, "offline", "in their order");
    is_int(s->nonceless, 1, "the nonceless one");
    is_int(s->chain->nelts, 2, "its chain");
    ok(s->key == NULL && s->away, "its key is away");
    is_str(s->kind->name, "file", "its kind");
}

static void test_judges_alike(void)
{
    testmasa_t *w = testmasa_make(pool);
    testmasa_ask_t ask = testmasa_ask(w);
    const char *domain_id;

    is_ok(testmasa_explain(w, &ask, "requestvoucher"), "5.6 the server would give a voucher");
    domain_id = w->answer->domain_id;
    w->masa = *read_again(w, snapshot(w, NULL));
    is_ok(testmasa_explain(w, &ask, "requestvoucher"), "5.6 so would its snapshot");
    is_str(w->answer->domain_id, domain_id, "5.8.2 to the same domain");
    is_str(w->answer->signer, "main", "5.6 by the same signer");
    ask = testmasa_ask(w);
    ask.break_pvr = 1;
    is_err(testmasa_explain(w, &ask, "requestvoucher"), PRIOR_SIGNATURE, "5.5.5 and refuse alike");
}

static void test_hash(void)
{
    testmasa_t *w = odd_world();
    const char *first, *again, *other;

    snapshot(w, &first);
    w->signer->key_uri = "file:/elsewhere";
    w->signer->chain_file = "/elsewhere";
    snapshot(w, &again);
    is_str(again, first, "nodes with other paths are configured alike");
    w->masa.skew = apr_time_from_sec(62);
    snapshot(w, &other);
    ok(strcmp(first, other), "another policy is another hash");
    w->masa.skew = apr_time_from_sec(61);
    w->masa.public_cas = testmasa_anchors(w, w->domain_root);
    snapshot(w, &other);
    ok(strcmp(first, other), "so are other public CAs");
}

static void test_no_secrets(void)
{
    testmasa_t *w = testmasa_make(pool);
    const char *json;

    w->signer->key_uri = "pkcs11:token=masa;object=v?pin-value=1234";
    json = snapshot(w, NULL);
    ok(!strstr(json, "1234") && !strstr(json, "pkcs11"), "no key URI is in a snapshot");
    ok(!strstr(json, "PRIVATE"), "nor a key");
}

/* Replace a word of a good snapshot. */
static brski_err_t *with(testmasa_t *w, const char *from, const char *to)
{
    const char *json = snapshot(w, NULL), *at = strstr(json, from);
    brski_masa_t *masa;

    if (!at) {
        bail_out("no %s in the snapshot", from);
    }
    json = apr_pstrcat(pool, apr_pstrmemdup(pool, json, (apr_size_t)(at - json)), to,
                       at + strlen(from), NULL);
    return brski_snapshot_read(&masa, json, w->store->store, w->ctx, pool);
}

static void test_unknown_words(void)
{
    testmasa_t *w = testmasa_make(pool);
    brski_owner_t third = { "erp-system", NULL };
    brski_masa_t *masa;
    brski_err_t *err;

    is_err(with(w, "\"format\":1", "\"format\":2"), INPUT, "refuses another format");
    is_err(with(w, "\"required\"", "\"maybe\""), INPUT, "refuses an unknown word");
    is_err(with(w, "\"lowest-ca\"", "\"lowest\""), INPUT, "refuses an unknown pin");
    is_err(with(w, "[\"main\"]", "[\"other\"]"), INPUT, "refuses a signer that is not there");
    is_err(with(w, "BEGIN CERT", "BEGIN CERF"), INPUT, "refuses what is no certificate");
    is_err(with(w, "[\"cms\"]", "[]"), INPUT, "refuses a product line without formats");
    is_err(brski_snapshot_read(&masa, "{}", NULL, w->ctx, pool), INPUT, "refuses nothing at all");
    is_err(brski_snapshot_read(&masa, "no", NULL, w->ctx, pool), JSON, "refuses what is no JSON");
    w->product->owner = &third;
    err = brski_snapshot_read(&masa, snapshot(w, NULL), NULL, w->ctx, pool);
    is_err(err, INPUT, "refuses an owner policy of a third module");
    has_str(err ? err->public_text : "", "erp-system", "and names it");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_round_trip, test_judges_alike, test_hash, test_no_secrets, test_unknown_words,
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
