/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_test.c: the registrar's decision and the rows it makes, from the pledge's
 * request to an open gate, against a MASA in this process and records on SQLite.
 */
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "testregistrar.h"

static apr_pool_t *pool;

#define GOOD "{\"version\":1,\"status\":true}"

static void join_on(testregistrar_t *w)
{
    brski_signed_t *voucher;

    is_int(testregistrar_gate(w), 403, "5.9 a device that never came may not enrol");
    is_ok(testregistrar_post(w), "5.2 a pledge's request is taken");
    is_int(w->answer->status, 202, "5.6 and the pledge is told to wait");
    ok(w->answer->retry_after >= 1 && w->answer->retry_after <= 5, "5.6 for a few seconds");
    ok(w->answer->fresh && w->answer->row, "5.5 there is work now");
    is_str(w->answer->device->serial_number, TESTMASA_SERIAL, "5.2 of this device");
    is_int(testregistrar_step(w)->status, 200, "5.5 the MASA gives the voucher");
    is_str(w->url, "https://masa.example/.well-known/brski/requestvoucher",
           "5.5 where it was asked");
    is_ok(testregistrar_post(w), "5.6 the pledge asks again");
    is_int(w->answer->status, 200, "5.6 and has its voucher");
    ok(!w->answer->fresh, "5.6 without another row");
    is_ok(brski_signed_open(&voucher, w->answer->voucher, BRSKI_FORMAT_CMS, BRSKI_VOUCHER,
                            &brski_limits_default, NULL, pool), "5.6 which is one");
    is_str(voucher->voucher->nonce, TESTMASA_NONCE, "5.6 with the pledge's nonce");
    is_int(testregistrar_gate(w), 202, "5.9 EST waits for the device's history");
    is_int(testregistrar_pledge(w)->verdict, BRSKI_VERDICT_PENDING, "5.8 which is not known yet");
    ok(testregistrar_run(w) > 0, "5.8 the log is fetched");
    is_int(testregistrar_pledge(w)->verdict, BRSKI_VERDICT_GOOD, "5.8.3 and good");
    is_int(testregistrar_gate(w), 0, "5.9 now it may enrol");
    is_int(w->told->nelts, 0, "5.8.3 nobody had to be told");
}

static void test_join(void)
{
    join_on(testregistrar_make(pool));
}

static void test_join_pgsql(void)
{
    database_t *database = database_pgsql(pool);

    if (!database) {
        skip(1, "there is no PostgreSQL");
        return;
    }
    join_on(testregistrar_on(database, pool));
}

static void test_rvr(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    brski_signed_t *rvr;
    brski_voucher_t *v;
    const char *keyid, *name;

    is_ok(testregistrar_post(w), "5.5 a request");
    is_ok(brski_signed_open(&rvr, w->answer->row->rvr, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                            &brski_limits_default, NULL, pool), "5.5 the registrar's own");
    is_ok(brski_cms_verify(rvr->cms, pool), "5.5 signed");
    is_str(rvr->cms->signer->spki_hex, w->peer.server_cert->spki_hex,
           "5.5 with the key that the pledge saw");
    is_int(rvr->cms->certs->nelts, 3, "5.5.2 with all that may be pinned");
    v = rvr->voucher;
    is_str(v->nonce, TESTMASA_NONCE, "5.5 nonce as it came");
    is_str(v->serial_number, TESTMASA_SERIAL, "5.5 serial-number of the IDevID");
    is_int(v->created_on, unit_time(TESTMASA_NOW), "5.5 created now");
    is_int(v->assertion, BRSKI_ASSERTION_PROXIMITY, "5.5 the assertion is copied");
    ok(brski_bytes_equal(v->prior_signed_voucher_request, w->body),
       "5.5 the pledge's request, octet for octet");
    is_int(v->proximity_registrar_cert.len, 0, "5.5 no proximity-registrar-cert");
    brski_idevid_issuer_parse(&keyid, &name, v->idevid_issuer, pool);
    is_str(keyid, brski_hex(w->maker->pledge->cert->aki_keyid, pool),
           "5.5 idevid-issuer is its AKI");

    w->registrar.rvr_chain = BRSKI_RVR_EE;
    w->body.len = 0;
    w->pvr.nonce = "another nonce";
    is_ok(testregistrar_post(w), "5.5.2 where only the registrar shall be pinned");
    is_ok(brski_signed_open(&rvr, w->answer->row->rvr, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                            &brski_limits_default, NULL, pool), "5.5.2 there is a request too");
    is_int(rvr->cms->certs->nelts, 1, "5.5.2 and its certificate is alone");
}

static void test_keys(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    brski_registrar_cert_t *other = apr_pcalloc(pool, sizeof(*other));
    testpki_t *domain = testmasa_domain(w->maker, "second");

    other->chain = testpki_chain(domain, 0, pool);
    other->key = domain->key;
    w->own->key = NULL;
    is_err(testregistrar_post(w), REGISTRAR_KEY, "5.5 the key of this connection is away");
    ok(testregistrar_pledge(w) != NULL, "5.3 the device was seen all the same");
    APR_ARRAY_PUSH(w->registrar.certificates, brski_registrar_cert_t *) = other;
    w->peer.server_cert = domain->cert;
    w->pvr.proximity_registrar_cert = domain->cert->der;
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.5 another connection has another key");
    w->peer.server_cert = w->maker->masa_ee->cert;
    w->pvr.proximity_registrar_cert = w->maker->masa_ee->cert->der;
    w->body.len = 0;
    is_err(testregistrar_post(w), REGISTRAR_KEY, "5.5 a certificate that is no registrar's");
}

/* The same octets are the same row, whoever reads it; another IDevID makes another. */
static void test_identical(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    const char *first;

    is_ok(testregistrar_post(w), "5.6 a request");
    first = w->answer->request;
    testregistrar_run(w);
    w->registrar.node = "another front end";
    is_ok(testregistrar_post(w), "5.6 the same at another front end");
    is_str(w->answer->request, first, "5.6 is the same row");
    is_int(w->answer->status, 200, "5.6 with the same answer");
    is_int(w->asked, 3, "5.6 the MASA was asked once for the voucher, and twice for the log");
    w->body.len = 0;
    w->pvr.nonce = "a new nonce, 123456";
    is_ok(testregistrar_post(w), "5.6 a new request");
    ok(w->answer->fresh && strcmp(w->answer->request, first), "5.6 is a new row");
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.6 whose voucher");
    is_str(testregistrar_pledge(w)->request, w->answer->request, "5.9 is then the one that counts");
}

#define CREW 8

typedef struct race_t {
    testregistrar_t *w;
    int failed[CREW];
    int fresh[CREW];
    int status[CREW];
} race_t;

static void post_too(void *baton, int number, apr_pool_t *own)
{
    race_t *race = baton;
    testregistrar_t *w = race->w;
    brski_registrar_answer_t *answer;

    race->failed[number] = brski_registrar_requestvoucher(&answer, &w->registrar, &w->peer, w->body,
                                                          "application/voucher-cms+json", NULL,
                                                          own, own) != NULL;
    race->fresh[number] = answer->fresh;
    race->status[number] = answer->status;
}

static int sum(const int *n)
{
    int i, all = 0;

    for (i = 0; i < CREW; i++) {
        all += n[i];
    }
    return all;
}

/* The same request on many connections at once: one row, and later one answer. */
static void test_race(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    race_t race = { .w = w };

    w->body = testpki_sign_voucher(&w->pvr, w->maker->pledge,
                                   testpki_chain(w->maker->pledge, 0, pool), pool);
    database_crew(CREW, post_too, &race);
    is_int(sum(race.failed), 0, "5.6 the same request many times at once");
    is_int(sum(race.fresh), 1, "5.6 is begun by one");
    is_int(sum(race.status), CREW * 202, "5.6 and all wait");
    testregistrar_later(w, 600);
    testregistrar_run(w);
    database_crew(CREW, post_too, &race);
    is_int(sum(race.status), CREW * 200, "5.6 then all have the voucher");
    is_int(testregistrar_gate(w), 0, "5.9 and its verdict");
}

/* A verdict that was there before the voucher was fetched counts when it is. */
static void test_late_pledge(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    is_ok(testregistrar_post(w), "5.6 a request");
    testregistrar_run(w);
    is_int(testregistrar_gate(w), 403, "5.9 before the voucher is fetched nobody may enrol");
    is_ok(testregistrar_post(w), "5.6 the pledge comes back");
    is_int(w->answer->status, 200, "5.6 for its voucher");
    is_int(testregistrar_gate(w), 0, "5.9 and may enrol, for its history was judged before");
}

/* A MASA that knows us by nothing but our requests wants one that is new. */
static void test_fresh_request(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    is_ok(testregistrar_post(w), "5.8 a request");
    testregistrar_step(w);
    is_ok(testregistrar_post(w), "5.8 its voucher");
    w->own->key = NULL;
    testregistrar_step(w);
    is_int(testregistrar_gate(w), 202,
           "5.8 without our key here nobody can say that there is no log");
    testregistrar_later(w, 3600);
    w->own->key = w->maker->registrar->key;
    testregistrar_run(w);
    is_int(testregistrar_gate(w), 0, "5.8 an hour later, with it, the log is there");
    ok(!brski_bytes_equal(w->sent, testregistrar_row(w)->rvr), "5.8 asked with a new request");
}

/* Each with a nonce of its own: a device that asks without end. */
static void test_flood(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    brski_err_t *err = NULL;
    int i;

    for (i = 0; i < 100 && !err; i++) {
        w->pvr.nonce = apr_psprintf(pool, "nonce number %d", i);
        w->body.len = 0;
        err = testregistrar_post(w);
    }
    is_int(i, 100, "11.1 a device may ask often");
    w->pvr.nonce = "one too many";
    w->body.len = 0;
    err = testregistrar_post(w);
    is_err(err, RACE, "11.1 but not without end");
    is_int(err ? err->status : 0, 503, "11.1 it may come again later");
    testregistrar_later(w, 3601);
    is_ok(testregistrar_post(w), "11.1 as it does");
}

static void test_welcome(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    brski_records_t *records = w->registrar.records;

    w->manufacturer->pledges = BRSKI_PLEDGES_LISTED;
    is_err(testregistrar_post(w), PLEDGE_UNKNOWN, "5.3 a device that nobody listed");
    is_ok(brski_records_pledge_welcome(records, "maker", TESTMASA_SERIAL, BRSKI_WELCOME_ALLOWED,
                                       -1, "me", unit_time(TESTMASA_NOW), pool), "allowed");
    is_ok(testregistrar_post(w), "5.3 a listed one is welcome");
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.3 and gets its voucher");
    is_int(testregistrar_gate(w), 0, "5.9 and may enrol");
    is_ok(brski_records_pledge_welcome(records, "maker", TESTMASA_SERIAL, BRSKI_WELCOME_REFUSED,
                                       -1, "me", unit_time(TESTMASA_NOW), pool), "refused");
    is_err(testregistrar_post(w), PLEDGE_REFUSED,
           "5.3 refused, it gets not even the stored voucher");
    is_int(testregistrar_gate(w), 403, "5.9 and may not enrol any more");
}

static void test_approval(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    w->manufacturer->pledges = BRSKI_PLEDGES_APPROVE;
    is_ok(testregistrar_post(w), "5.3 an unknown device waits for a human");
    is_int(w->answer->status, 202, "5.6 with 202");
    ok(!w->answer->fresh, "5.3 nobody is asked meanwhile");
    is_int(testregistrar_told(w, "pledge-new"), 1, "5.3 a human is told");
    testregistrar_later(w, 100);
    is_ok(testregistrar_post(w), "5.3 it waits on");
    is_int(testregistrar_told(w, "pledge-new"), 1, "5.3 a human is told once");
    is_int(w->answer->retry_after, 25, "5.6 it comes back less and less often");
    testregistrar_later(w, 100000);
    is_ok(testregistrar_post(w), "5.3 it waits on and on");
    is_int(w->answer->retry_after, 60, "5.6 but once a minute");
    is_ok(brski_records_pledge_welcome(w->registrar.records, "maker", TESTMASA_SERIAL,
                                       BRSKI_WELCOME_ALLOWED, -1, "me", unit_time(TESTMASA_NOW),
                                       pool), "allowed");
    is_ok(testregistrar_post(w), "5.3 allowed");
    ok(w->answer->fresh, "5.3 its work begins");
}

/* D4: withheld, the voucher waits for the verdict. */
static void test_withhold(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    w->registrar.withhold = 1;
    is_ok(testregistrar_post(w), "5.8.3 a request");
    is_int(testregistrar_step(w)->task, BRSKI_TASK_AUDIT, "5.8.3 the voucher is there");
    is_ok(testregistrar_post(w), "5.8.3 the pledge asks");
    is_int(w->answer->status, 202, "5.8.3 and waits for the verdict");
    is_int(testregistrar_step(w)->status, 200, "5.8.3 which is good");
    is_ok(testregistrar_post(w), "5.8.3 then");
    is_int(w->answer->status, 200, "5.8.3 it has its voucher");
    is_int(testregistrar_gate(w), 0, "5.9 and may enrol");
}

/* Somebody else had a voucher before. */
static void somebody_else(testregistrar_t *w)
{
    testpki_t *other = testmasa_domain(w->maker, "thief");
    testmasa_ask_t ask = testmasa_ask_from(w->maker, other);

    is_ok(testmasa_voucher(w->maker, &ask), "5.8 another domain got a voucher for it");
}

static void test_bad_history(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    somebody_else(w);
    is_ok(testregistrar_post(w), "5.8.3 a request");
    testregistrar_step(w);
    is_ok(testregistrar_post(w), "5.8.3 its voucher");
    is_int(w->answer->status, 200, "5.8.3 goes at once");
    testregistrar_run(w);
    is_int(testregistrar_gate(w), 403, "5.8.3 but the device may not enrol");
    is_int(testregistrar_told(w, "audit-bad"), 1, "5.8.3 and a human is told");
    has_str(testregistrar_last(w, "audit-bad"), "stranger", "5.8.3 why");
    is_err(testregistrar_post(w), AUDIT_BAD, "5.8.3 nor does it get its voucher again");
    is_ok(brski_records_pledge_welcome(w->registrar.records, "maker", TESTMASA_SERIAL,
                                       BRSKI_WELCOME_ALLOWED, 1, "me", unit_time(TESTMASA_NOW),
                                       pool), "attested");
    testregistrar_later(w, 400);
    is_ok(testregistrar_post(w), "5.8.3 a human attests it: looked at again");
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.8.3 then");
    is_int(w->answer->status, 200, "5.8.3 it has its voucher again");
    is_int(testregistrar_gate(w), 0, "5.8.3 and may enrol");
    is_int(testregistrar_pledge(w)->verdict, BRSKI_VERDICT_WARN, "5.8.3 with a warning");
}

/* The device sends a request of better days again. */
static void test_old_request(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    brski_bytes_t old;

    is_ok(testregistrar_post(w), "5.8.3 a device");
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.8.3 joins");
    is_int(testregistrar_gate(w), 0, "5.8.3 with a good history");
    old = w->body;
    testregistrar_later(w, 60);
    somebody_else(w);
    w->pvr.nonce = "a new nonce, 123456";
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.8.3 it comes again");
    testregistrar_step(w);
    is_ok(testregistrar_post(w), "5.8.3 has a new voucher");
    testregistrar_run(w);
    is_int(testregistrar_gate(w), 403, "5.8.3 and a bad history");
    w->body = old;
    is_ok(testregistrar_post(w), "5.8.3 its old request");
    is_int(testregistrar_gate(w), 403, "5.8.3 brings back no old verdict");
}

/* Another device with the same serial-number, when the row of the first is long gone. */
static void test_same_serial(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    testpki_spec_t same = { .cn = "twin", .serial_number = TESTMASA_SERIAL };
    const brski_cert_t *first = w->peer.client_cert;
    int removed;

    is_ok(testregistrar_post(w), "5.9 a device");
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.9 has its voucher");
    testregistrar_later(w, 400);
    testregistrar_run(w);
    is_ok(brski_records_request_expire(&removed, w->registrar.records,
                                       unit_time("2027-01-01T00:00:00Z"), pool),
          "5.9 its row is removed");
    is_int(removed, 1, "5.9 one row");
    is_int(testregistrar_gate(w), 0, "5.9 it may enrol all the same");
    w->maker->pledge = testpki_make(&same, w->maker->idevid_ca, pool);
    w->peer.client_cert = w->maker->pledge->cert;
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.9 a twin asks for a voucher");
    is_int(testregistrar_gate(w), 403, "5.9 before it has one it may not enrol");
    w->peer.client_cert = first;
    is_int(testregistrar_gate(w), 0, "5.9 the first may still");
    w->peer.client_cert = w->maker->pledge->cert;
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.9 when the twin has its voucher");
    is_int(testregistrar_gate(w), 0, "5.9 it may");
    w->peer.client_cert = first;
    is_int(testregistrar_gate(w), 403, "5.9 and the first may not any more");
}

static void test_withheld_bad(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    w->registrar.withhold = 1;
    somebody_else(w);
    is_ok(testregistrar_post(w), "5.8.3 a request");
    testregistrar_run(w);
    is_err(testregistrar_post(w), AUDIT_BAD, "5.8.3 withheld, the voucher never goes");
    is_int(testregistrar_gate(w), 403, "5.9 nor may the device enrol");
}

static brski_err_t *ask(testregistrar_t *w, const char *type, const char *accept)
{
    return brski_registrar_requestvoucher(&w->answer, &w->registrar, &w->peer, w->body, type,
                                          accept, pool, pool);
}

static void test_media_types(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    brski_err_t *err;

    w->body = brski_bytes_str("{}");
    err = ask(w, "application/json", NULL);
    is_err(err, MEDIA_TYPE, "5.3 no voucher's media type");
    is_int(err->status, 415, "5.3 is 415");
    is_err(ask(w, NULL, NULL), MEDIA_TYPE, "5.3 none at all");
    is_err(ask(w, "application/voucher-jws+json", NULL), MEDIA_TYPE,
           "5.3 one that is not read yet");
    is_err(ask(w, "application/voucher-cms+json", NULL), CMS, "5.3 no CMS");
    w->body.len = 0;
    is_err(ask(w, "application/voucher-cms+json", NULL), BODY_EMPTY, "5.3 nothing");
    w->body.len = 2;
    is_err(ask(w, "application/voucher-cms+json", "application/voucher+cose"), NOT_ACCEPTABLE,
           "5.6 a type that is not offered");
    is_err(ask(w, "application/voucher-cms+json", "a b"), ACCEPT, "5.6 an Accept that is none");
    w->body = brski_bytes(apr_pcalloc(pool, 70000), 70000);
    is_err(ask(w, "application/voucher-cms+json", NULL), BODY_TOO_LARGE, "5.3 too much");
    is_int(w->asked, 0, "5.3 for none of them the MASA was asked");
}

/* Any octet of a request spoiled: refused, never an error of ours. */
static void test_spoiled(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    apr_size_t i, len;
    brski_bytes_t good;
    int refused = 0, tried = 0;

    is_ok(testregistrar_post(w), "5.2 a right request");
    good = w->body;
    len = good.len;
    for (i = 0; i < len; i += 7) {
        apr_pool_t *p;
        brski_registrar_answer_t *a;
        brski_err_t *err;
        unsigned char *copy;

        apr_pool_create(&p, pool);
        copy = apr_pmemdup(p, good.data, len);
        copy[i] ^= 0x41;
        testregistrar_later(w, 60);
        err = brski_registrar_requestvoucher(&a, &w->registrar, &w->peer, brski_bytes(copy, len),
                                             "application/voucher-cms+json", NULL, p, p);
        tried++;
        /* what the signature does not cover may change: other certificates, unsigned parts */
        refused += !err || (err->status >= 400 && err->status < 500);
        err = brski_registrar_requestvoucher(&a, &w->registrar, &w->peer, brski_bytes(copy, i),
                                             "application/voucher-cms+json", NULL, p, p);
        tried++;
        refused += err && err->status >= 400 && err->status < 500;
        apr_pool_destroy(p);
    }
    is_int(refused, tried, "5.2 a request spoiled or cut anywhere is the client's mistake");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_join, test_join_pgsql, test_rvr, test_keys, test_identical, test_race,
        test_late_pledge, test_fresh_request, test_flood, test_welcome, test_approval,
        test_withhold, test_bad_history, test_old_request, test_same_serial, test_withheld_bad,
        test_media_types, test_spoiled,
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
