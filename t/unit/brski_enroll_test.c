/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll_test.c: the EST server's decision on records on SQLite: who may have a certificate
 * and who not, the same request again, races, renewals, a human's word, CSR attributes, the CRL.
 */
#include "brski_enroll.h"

#include <apr_strings.h>
#include <openssl/x509.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "pki.h"
#include "testcsr.h"
#include "testregistrar.h"

#define GOOD "{\"version\":1,\"status\":true}"
#define BAD "{\"version\":1,\"status\":false,\"reason\":\"no\"}"
#define DAY 86400
#define MAKER "maker"

typedef struct world_t {
    testregistrar_t *r;
    testpki_t *ca_root;
    brski_ca_t *ca;
    brski_profile_t profile;
    brski_label_t label;
    brski_est_t est;
    brski_enroll_request_t req;
    EVP_PKEY *key;
    brski_enroll_answer_t *a;
} world_t;

static apr_pool_t *pool;

/* ---- a world ---- */

static const char *files;

static brski_ca_t *make_ca(const testpki_t *ca, const brski_ctx_t *ctx)
{
    apr_array_header_t *args = apr_array_make(pool, 2, sizeof(const char *));
    const char *chain = apr_pstrcat(pool, files, "/", ca->cert->spki_hex, ".pem", NULL);
    const char *key = apr_pstrcat(pool, files, "/", ca->cert->spki_hex, ".key", NULL);
    brski_ca_t *made;

    pki_save_certs(chain, testpki_chain(ca, 0, pool));
    pki_save_key(key, ca->key, 0600, NULL);
    APR_ARRAY_PUSH(args, const char *) = chain;
    APR_ARRAY_PUSH(args, const char *) = key;
    if (brski_ca_kind_local.make(&made, args, ctx, pool)) {
        bail_out("no CA");
    }
    return made;
}

static brski_csr_t *body(world_t *w, EVP_PKEY *key, const char *subject, brski_bytes_t attributes)
{
    brski_bytes_t der = testcsr_make(key, testcsr_name(subject, pool), attributes, pool);

    w->req.body = brski_bytes_str(brski_base64_encode(der, pool));
    return testcsr_parsed(der, pool);
}

static world_t *make_world(void)
{
    world_t *w = apr_pcalloc(pool, sizeof(*w));
    testpki_spec_t root = { .cn = "est root", .ca = 1 };
    brski_label_t *label = &w->label;

    w->r = testregistrar_make(pool);
    w->ca_root = testpki_make(&root, NULL, pool);
    w->ca = make_ca(w->ca_root, w->r->registrar.ctx);
    w->profile = brski_profile_default;
    w->profile.subject = "serialNumber=%{serial},O=Example";
    w->profile.lifetime = apr_time_from_sec(100 * DAY);
    label->name = "";
    label->ca = w->ca;
    label->profile = &w->profile;
    label->require_voucher = label->accept_idevid = label->reenroll_same_key = 1;
    label->pop = BRSKI_POP_OPTIONAL;
    w->est.ctx = w->r->registrar.ctx;
    w->est.limits = &brski_limits_default;
    w->est.registrar = &w->r->registrar;
    w->est.labels = apr_array_make(pool, 2, sizeof(brski_label_t *));
    APR_ARRAY_PUSH(w->est.labels, brski_label_t *) = label;
    w->est.skew = apr_time_from_sec(60);
    w->req.operation = BRSKI_SIMPLEENROLL;
    w->req.label = label;
    w->req.content_type = "application/pkcs10";
    w->req.peer = &w->r->peer;
    w->key = testcsr_key("p256", pool);
    body(w, w->key, "", NO_OCTETS);
    return w;
}

/* The device has its voucher, and its history is known and good. */
static world_t *joined(void)
{
    world_t *w = make_world();

    testregistrar_post(w->r);
    testregistrar_step(w->r);
    testregistrar_post(w->r);
    testregistrar_run(w->r);
    if (testregistrar_gate(w->r)) {
        bail_out("the gate is not open: %d", testregistrar_gate(w->r));
    }
    return w;
}

static brski_err_t *enroll(world_t *w)
{
    apr_pool_t *scratch;
    brski_err_t *err;

    apr_pool_create(&scratch, pool);
    err = brski_enroll(&w->a, &w->est, &w->req, pool, scratch);
    if (err) {
        err = brski_registrar_err(err, pool);
    }
    apr_pool_destroy(scratch);
    return err;
}

static const brski_cert_t *answered(world_t *w)
{
    apr_array_header_t *certs;

    if (!w->a->certs_only.len
        || brski_certs_only_parse(&certs, w->a->certs_only, &brski_limits_default, pool)
        || certs->nelts != 1) {
        bail_out("no certificate in the answer");
    }
    return APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
}

/* Enrolled; the certificate. */
static const brski_cert_t *enrolled(world_t *w)
{
    is_ok(enroll(w), "7030-4.2.1 an enrolment");
    is_int(w->a->status, 200, "7030-4.2.3 is answered at once");
    return answered(w);
}

/* From now on the device comes with this certificate and renews it. */
static void come_with(world_t *w, const brski_cert_t *cert, brski_est_operation_t operation)
{
    w->r->peer.client_cert = cert;
    w->r->peer.client_chain = NULL;
    w->req.operation = operation;
}

static const char *const own_name = "serialNumber=" TESTMASA_SERIAL ",O=Example";

static void revoke_cert(world_t *w, const brski_cert_t *cert)
{
    int done;

    is_ok(brski_records_certificate_revoke(&done, w->r->registrar.records, w->ca->key_id,
                                           cert->cert_serial_hex, 1,
                                           w->est.ctx->now(w->est.ctx->baton), pool),
          "a certificate is revoked");
    is_int(done, 1, "now");
}

static int certificates(world_t *w)
{
    apr_array_header_t *list;

    if (brski_records_certificates(&list, w->r->registrar.records, "", "", NULL, NULL, 100, pool,
                                   pool)) {
        bail_out("certificates");
    }
    return list->nelts;
}

/* ---- devices ---- */

static void test_gate(void)
{
    world_t *w = make_world();

    is_err(enroll(w), NO_VOUCHER, "8995-5.9 refuses a device that never came");
    testregistrar_post(w->r);
    is_err(enroll(w), NO_VOUCHER, "8995-5.9 refuses a device whose voucher is not there");
    testregistrar_step(w->r);
    is_err(enroll(w), NO_VOUCHER, "8995-5.9 refuses a device that has not fetched its voucher");
    testregistrar_post(w->r);
    is_ok(enroll(w), "8995-5.8.3 a device whose history is not judged");
    is_int(w->a->status, 202, "8995-5.8.3 is told to come again");
    ok(w->a->retry_after >= 1, "7030-4.2.3 with Retry-After");
    is_int(w->a->certs_only.len, 0, "7030-4.2.3 and gets nothing");
    testregistrar_run(w->r);
    is_ok(enroll(w), "8995-5.9 a device with voucher and good history");
    is_int(w->a->status, 200, "8995-5.9 gets its certificate");
    is_str(w->a->requester, "device " TESTMASA_SERIAL " of maker", "7030-4.2 who asked is known");
    is_str(w->a->manufacturer, MAKER, "7030-4.2 its manufacturer");
    is_str(w->a->serial_number, TESTMASA_SERIAL, "7030-4.2 and serial-number");
}

static void test_bad_devices(void)
{
    world_t *w = joined();
    int done;

    is_ok(testregistrar_report(w->r, "voucher", BAD), "5.7 a device rejects its voucher");
    is_err(enroll(w), STATUS_FALSE, "8995-5.9 refuses a device that rejected its voucher");
    w = joined();
    is_ok(brski_records_verdict_put(&done, w->r->registrar.records, MAKER, TESTMASA_SERIAL,
                                    testregistrar_pledge(w->r)->request, BRSKI_VERDICT_BAD, "rule",
                                    "stolen", NO_OCTETS, 1, pool),
          "5.8.3 a history turns out bad");
    is_err(enroll(w), AUDIT_BAD, "8995-5.8.3 refuses a device with a bad history");
    w->label.require_voucher = 0;
    is_err(enroll(w), AUDIT_BAD, "8995-5.8.3 also where no voucher is wanted");
    w = joined();
    brski_records_pledge_welcome(w->r->registrar.records, MAKER, TESTMASA_SERIAL,
                                 BRSKI_WELCOME_REFUSED, -1, "alice", 1, pool);
    is_err(enroll(w), PLEDGE_REFUSED, "8995-5.9 refuses a device that a human refused");
    w->label.require_voucher = 0;
    is_err(enroll(w), PLEDGE_REFUSED, "8995-5.9 also where no voucher is wanted");
    is_int(certificates(w), 0, "8995-5.9 none of them got a certificate");
}

static void test_certificate(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);
    brski_issued_t *row;
    apr_array_header_t *notes;

    is_str(cert->subject, own_name, "8995-5.9.2 its subject");
    is_int(EVP_PKEY_eq(cert->key, w->key), 1, "7030-4.2.3 its key");
    is_int(brski_cert_signed_by(cert, w->ca_root->cert), 1, "7030-4.2.3 by the CA");
    is_ok(brski_records_certificate_get(&row, w->r->registrar.records, w->ca->key_id,
                                        cert->cert_serial_hex, pool, pool),
          "8995-5.9 its row");
    if (!row) {
        bail_out("no row");
    }
    is_mem(row->der.data, row->der.len, cert->der.data, cert->der.len, "8995-5.9 has the octets");
    is_str(row->subject, own_name, "8995-5.9 the subject");
    is_str(row->spki, cert->spki_hex, "8995-5.9 the key");
    is_str(row->manufacturer, MAKER, "8995-5.9 the manufacturer");
    is_str(row->serial_number, TESTMASA_SERIAL, "8995-5.9 the serial-number");
    is_int(row->not_before, cert->not_before, "8995-5.9 the begin");
    is_int(row->not_after, cert->not_after, "8995-5.9 the end");
    brski_records_notes(&notes, w->r->registrar.records, MAKER, TESTMASA_SERIAL, 0, 10, pool, pool);
    ok(notes->nelts == 1 && !strcmp(APR_ARRAY_IDX(notes, 0, brski_note_t *)->kind, "issued"),
       "8995-5.9 and an event tells of it");
}

/* RFC 8995 5.9.3: identical requests give one certificate. */
static void test_again(void)
{
    world_t *w = joined();
    const brski_cert_t *first = enrolled(w), *second;

    is_int(w->a->again, 0, "8995-5.9.3 the first is new");
    second = enrolled(w);
    is_int(w->a->again, 1, "8995-5.9.3 the same request again is known");
    is_mem(second->der.data, second->der.len, first->der.data, first->der.len,
           "8995-5.9.3 and gets the same certificate");
    body(w, w->key, "", NO_OCTETS);
    is_str(enrolled(w)->cert_serial_hex, first->cert_serial_hex,
           "8995-5.9.3 also when it is signed anew");
    body(w, w->key, "",
         testcsr_challenge(0x0C, brski_base64_encode(brski_bytes("x", 1), pool), pool));
    w->label.pop = BRSKI_POP_OFF;
    is_str(enrolled(w)->cert_serial_hex, first->cert_serial_hex,
           "8995-5.9.3 also when it comes on another connection");
    body(w, testcsr_key("p256", pool), "", NO_OCTETS);
    ok(strcmp(enrolled(w)->cert_serial_hex, first->cert_serial_hex),
       "8995-5.9.3 another key gets another certificate");
    body(w, w->key, own_name, NO_OCTETS);
    ok(strcmp(enrolled(w)->cert_serial_hex, first->cert_serial_hex),
       "8995-5.9.3 other words for its name too");
    is_int(certificates(w), 3, "8995-5.9.3 three in all");
}

static void test_expired_again(void)
{
    world_t *w = joined();
    const brski_cert_t *first = enrolled(w);

    testregistrar_later(w->r, 101 * DAY);
    ok(strcmp(enrolled(w)->cert_serial_hex, first->cert_serial_hex),
       "8995-5.9.3 one that has expired is not given again");
    revoke_cert(w, answered(w));
    is_err(enroll(w), CSR_KEY, "7030-4.2.1 a key whose certificate was revoked gets no other");
    body(w, testcsr_key("p256", pool), "", NO_OCTETS);
    is_ok(enroll(w), "7030-4.2.1 a new key does");
}

/* A device that was reset and got a new voucher is another one. */
static void test_reset(void)
{
    world_t *w = joined();
    const brski_cert_t *first = enrolled(w);

    w->r->pvr.nonce = "another nonce of this device";
    w->r->body = NO_OCTETS;
    testregistrar_post(w->r);
    testregistrar_step(w->r);
    testregistrar_post(w->r);
    testregistrar_run(w->r);
    is_int(testregistrar_gate(w->r), 0, "8995-5.9 a reset device joins again");
    ok(strcmp(enrolled(w)->cert_serial_hex, first->cert_serial_hex),
       "8995-5.9.3 and gets a new certificate for the same request");
    is_int(w->a->again, 0, "8995-5.9.3 not the old one");
}

static void test_without_voucher(void)
{
    world_t *w = make_world();

    w->label.require_voucher = 0;
    is_ok(enroll(w), "7030-3.3 where no voucher is wanted, any device may enrol");
    is_int(w->a->status, 200, "7030-3.3 at once");
    w = make_world();
    w->label.require_voucher = 0;
    w->r->manufacturer->pledges = BRSKI_PLEDGES_LISTED;
    is_err(enroll(w), PLEDGE_UNKNOWN, "7030-3.3 but only listed ones where there is a list");
    brski_records_pledge_welcome(w->r->registrar.records, MAKER, TESTMASA_SERIAL,
                                 BRSKI_WELCOME_ALLOWED, -1, "alice", 1, pool);
    is_ok(enroll(w), "7030-3.3 a listed one may");
    w = make_world();
    w->label.require_voucher = 0;
    w->r->manufacturer->pledges = BRSKI_PLEDGES_APPROVE;
    is_ok(enroll(w), "7030-3.3 where a human decides");
    is_int(w->a->status, 202, "7030-3.3 it waits");
    ok(testregistrar_pledge(w->r) != NULL, "7030-3.3 and is seen to have knocked");
    is_int(certificates(w), 0, "7030-3.3 without a certificate");
}

/* ---- others ---- */

static void test_nobody(void)
{
    world_t *w = make_world();
    testpki_spec_t spec = { .cn = "somebody", .client_auth = 1 };
    testpki_t *stranger = testpki_make(&spec, NULL, pool);

    w->r->peer.client_cert = NULL;
    is_err(enroll(w), EST_AUTH, "7030-3.2.3 refuses who says nothing");
    w->req.user = "alice";
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.2.3 refuses a user where users may not");
    w->req.user = NULL;
    come_with(w, stranger->cert, BRSKI_SIMPLEENROLL);
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.3 refuses a strange certificate");
    come_with(w, w->r->maker->pledge->cert, BRSKI_SIMPLEENROLL);
    w->label.accept_idevid = 0;
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.3 refuses a device where devices may not");
}

static void test_user(void)
{
    world_t *w = make_world();
    const brski_cert_t *cert;

    w->r->peer.client_cert = NULL;
    w->req.user = "alice";
    w->label.accept_user = 1;
    w->profile.subject = "UID=%{user}";
    cert = enrolled(w);
    is_str(cert->subject, "UID=alice", "7030-3.2.3 a user gets a certificate of its own");
    is_str(w->a->requester, "user alice", "7030-3.2.3 and is named");
    w->req.user = "bob";
    ok(strcmp(enrolled(w)->cert_serial_hex, cert->cert_serial_hex),
       "7030-3.2.3 another user gets another");
    w->req.user = NULL;
    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    body(w, testcsr_key("p256", pool), "UID=alice", NO_OCTETS);
    is_str(enrolled(w)->subject, "UID=alice", "7030-4.2.2 and renews it with it");
    is_str(w->a->requester, "user alice", "7030-4.2.2 as that user");
    w->label.name = "other";
    is_ok(enroll(w), "7030-3.2.2 and under another label that takes users");
    w->label.accept_user = 0;
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-3.2.2 but under none that does not");
}

static void test_foreign(void)
{
    world_t *w = make_world();
    testpki_spec_t ca_spec = { .cn = "partner CA", .ca = 1 }, spec = { .cn = "partner" };
    testpki_t *ca = testpki_make(&ca_spec, NULL, pool), *ee = testpki_make(&spec, ca, pool);
    brski_anchors_t *anchors;

    brski_anchors_make(&anchors, testpki_certs(pool, ca, NULL), pool);
    w->label.client_anchors = anchors;
    w->profile.subject = "CN=%{cn}";
    come_with(w, ee->cert, BRSKI_SIMPLEENROLL);
    body(w, w->key, "CN=box", NO_OCTETS);
    is_str(enrolled(w)->subject, "CN=box", "7030-3.3.2 a certificate of a known CA may enrol");
    is_str(w->a->requester, "certificate CN=partner", "7030-3.3.2 and is named");
    w->req.operation = BRSKI_SIMPLEREENROLL;
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-4.2.2 but is not renewed here");
    w->req.operation = BRSKI_SIMPLEENROLL;
    testregistrar_later(w->r, 20 * 365 * DAY);
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.3.2 nor may it when it has expired");
}

/* ---- requests ---- */

static void test_requests(void)
{
    world_t *w = joined();

    w->req.content_type = "application/json";
    is_err(enroll(w), MEDIA_TYPE, "7030-4.2.1 refuses another media type");
    w->req.content_type = "application/pkcs10x";
    is_err(enroll(w), MEDIA_TYPE, "7030-4.2.1 refuses one that begins alike");
    w->req.content_type = "Application/PKCS10; charset=x";
    is_ok(enroll(w), "7030-4.2.1 takes it in any case, with parameters");
    w->req.content_type = NULL;
    is_ok(enroll(w), "7030-4.2.1 takes none");
    w->req.body = brski_bytes_str("hello");
    is_err(enroll(w), EST_BODY, "7030-4.2.1 refuses no base64");
    w->req.body = brski_bytes_str("AAAA");
    is_err(enroll(w), CSR, "7030-4.2.1 refuses no request");
    body(w, w->key, "CN=evil", NO_OCTETS);
    is_err(enroll(w), CSR_SUBJECT, "8995-5.9.2 refuses another name");
    body(w, w->key, "",
         testcsr_ext_request(testcsr_ext("basicConstraints", "CA:TRUE", pool), NO_OCTETS, pool));
    is_err(enroll(w), CSR_EXTENSION, "8995-5.9.2 refuses CA:TRUE");
    body(w, testcsr_key("rsa2048", pool), "", NO_OCTETS);
    w->profile.key_types = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(w->profile.key_types, const char *) = "p256";
    is_err(enroll(w), CSR_KEY, "8995-5.9.2 refuses a key type that is not wanted");
}

static void test_binding(void)
{
    world_t *w = joined();
    const unsigned char unique[12] = "this finish";
    const char *told;

    w->req.binding.unique = brski_bytes(unique, 12);
    told = brski_base64_encode(w->req.binding.unique, pool);
    w->label.pop = BRSKI_POP_REQUIRED;
    is_err(enroll(w), POP_REQUIRED, "7030-3.5 refuses a request without binding");
    body(w, w->key, "", testcsr_challenge(0x13, told, pool));
    is_ok(enroll(w), "7030-3.5 takes one with it");
    w->req.binding.unique = brski_bytes(unique, 11);
    is_err(enroll(w), POP, "7030-3.5 refuses another connection's");
}

/* ---- a human ---- */

static const char *waiting_key(world_t *w, const char *state)
{
    apr_array_header_t *list;

    brski_records_approvals(&list, w->r->registrar.records, state, pool, pool);
    return list->nelts == 1 ? APR_ARRAY_IDX(list, 0, brski_approval_t *)->request_key : NULL;
}

static void test_approval(void)
{
    world_t *w = joined();
    const char *key;
    int done;

    w->label.approve = 1;
    is_ok(enroll(w), "7030-4.2.3 where a human decides");
    is_int(w->a->status, 202, "7030-4.2.3 the requester is told to come again");
    is_int(w->a->retry_after, 60, "7030-4.2.3 in a minute");
    is_ok(enroll(w), "7030-4.2.3 it does");
    is_int(w->a->status, 202, "7030-4.2.3 and waits on");
    key = waiting_key(w, "waiting");
    ok(key != NULL, "7030-4.2.3 one thing waits for a human");
    body(w, w->key, "", NO_OCTETS);
    enroll(w);
    ok(waiting_key(w, "waiting") != NULL, "7030-4.2.3 the same, signed anew, is not another");
    is_int(certificates(w), 0, "7030-4.2.3 nothing was issued");
    brski_records_approval_decide(&done, w->r->registrar.records, key, 1, "alice", 1, pool);
    is_str(enrolled(w)->subject, own_name, "7030-4.2.3 approved, it is issued");
    body(w, testcsr_key("p256", pool), "", NO_OCTETS);
    enroll(w);
    brski_records_approval_decide(&done, w->r->registrar.records, waiting_key(w, "waiting"), 0,
                                  "alice", 1, pool);
    is_err(enroll(w), ENROLL_REFUSED, "7030-4.2.3 refused, it is not");
}

/* One requester must not take all places before somebody's eyes. */
static void test_many_wait(void)
{
    world_t *w = joined();
    brski_err_t *err = NULL;
    apr_array_header_t *list;
    int i;

    w->label.approve = 1;
    for (i = 0; i < 30 && !err; i++) {
        body(w, testcsr_key("p256", pool), "", NO_OCTETS);
        err = enroll(w);
    }
    is_err(err, STORE_BUSY, "7030-4.2.3 so many enrolments of one wait for a human");
    is_ok(brski_records_approvals(&list, w->r->registrar.records, "waiting", pool, pool),
          "7030-4.2.3 what waits");
    is_int(list->nelts, 16, "7030-4.2.3 and no more");
}

/* ---- renewal ---- */

static void test_renewal(void)
{
    world_t *w = joined();
    const brski_cert_t *first = enrolled(w), *second;
    EVP_PKEY *fresh = testcsr_key("p256", pool);

    w->req.operation = BRSKI_SIMPLEREENROLL;
    body(w, w->key, own_name, NO_OCTETS);
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-4.2.2 an IDevID is not renewed here");
    come_with(w, first, BRSKI_SIMPLEREENROLL);
    second = enrolled(w);
    ok(strcmp(first->cert_serial_hex, second->cert_serial_hex), "7030-4.2.2 a renewal is new");
    is_str(second->subject, first->subject, "7030-4.2.2 of the same name");
    is_str(enrolled(w)->cert_serial_hex, second->cert_serial_hex,
           "7030-4.2.2 the same again is the same");
    body(w, fresh, own_name, NO_OCTETS);
    is_int(EVP_PKEY_eq(enrolled(w)->key, fresh), 1, "7030-4.2.2 a new key is taken");
    come_with(w, second, BRSKI_SIMPLEREENROLL);
    body(w, w->key, own_name, NO_OCTETS);
    ok(strcmp(enrolled(w)->cert_serial_hex, second->cert_serial_hex),
       "7030-4.2.2 the renewed one is renewed in turn");
    w->label.reenroll_same_key = 0;
    body(w, w->key, own_name, NO_OCTETS);
    is_err(enroll(w), CSR_KEY, "7030-4.2.2 refuses the same key where a new one is wanted");
    body(w, fresh, "serialNumber=OTHER,O=Example", NO_OCTETS);
    is_err(enroll(w), REENROLL_SUBJECT, "7030-4.2.2 refuses another subject");
    body(w, fresh, "", NO_OCTETS);
    is_err(enroll(w), REENROLL_SUBJECT, "7030-4.2.2 refuses none");
}

static void test_late_renewal(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);
    apr_time_t end = cert->not_after;
    brski_ctx_t *clock = w->r->maker->ctx;

    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    body(w, w->key, own_name, NO_OCTETS);
    unit_ctx_set_now(clock, end + w->est.skew);
    is_ok(enroll(w), "7030-4.2.2 takes a certificate to its end, and the skew of clocks");
    body(w, testcsr_key("p256", pool), own_name, NO_OCTETS);
    unit_ctx_set_now(clock, end + w->est.skew + 1);
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-4.2.2 refuses it a moment later");
    w->label.reenroll_grace = apr_time_from_sec(DAY);
    is_ok(enroll(w), "7030-4.2.2 but for the grace that is given");
    body(w, testcsr_key("p256", pool), own_name, NO_OCTETS);
    unit_ctx_set_now(clock, end + w->est.skew + apr_time_from_sec(DAY) + 1);
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-4.2.2 which ends");
    unit_ctx_set_now(clock, end + w->est.skew + 1);
    w->req.operation = BRSKI_SIMPLEENROLL;
    is_err(enroll(w), EST_FORBIDDEN, "7030-4.2.1 and is for renewal alone");
    unit_ctx_set_now(clock, cert->not_before - w->est.skew - 1);
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.3 refuses one that is not valid yet");
}

static void test_early_renewal(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);

    w->label.reenroll_before = apr_time_from_sec(30 * DAY);
    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    body(w, w->key, own_name, NO_OCTETS);
    is_str(enrolled(w)->cert_serial_hex, cert->cert_serial_hex,
           "7030-4.2.2 too early, it gets the same certificate again");
    body(w, testcsr_key("p256", pool), own_name, NO_OCTETS);
    ok(strcmp(enrolled(w)->cert_serial_hex, cert->cert_serial_hex),
       "7030-4.2.2 a new key is taken at any time");
    body(w, w->key, own_name, NO_OCTETS);
    unit_ctx_set_now(w->r->maker->ctx, cert->not_after - w->label.reenroll_before);
    ok(strcmp(enrolled(w)->cert_serial_hex, cert->cert_serial_hex),
       "7030-4.2.2 near its end it is renewed");
}

static void test_refused_renewal(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);
    int done;

    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    body(w, w->key, own_name, NO_OCTETS);
    brski_records_verdict_put(&done, w->r->registrar.records, MAKER, TESTMASA_SERIAL,
                              testregistrar_pledge(w->r)->request, BRSKI_VERDICT_BAD, "rule",
                              "stolen", NO_OCTETS, 1, pool);
    is_err(enroll(w), AUDIT_BAD, "8995-5.8.3 a bad history refuses renewal too");
    w = joined();
    cert = enrolled(w);
    revoke_cert(w, cert);
    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    body(w, testcsr_key("p256", pool), own_name, NO_OCTETS);
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-4.2.2 a revoked certificate is not renewed");
    w->req.operation = BRSKI_SIMPLEENROLL;
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.3 and opens nothing");
}

/* What our CA signed elsewhere has no row, and nobody copies a name into a certificate of its own
 * CA. */
static void test_unrecorded(void)
{
    world_t *w = joined();
    testpki_spec_t spec = { .cn = "web server", .cmc_ra = 1 }, copy = { .cn = "est root", .ca = 1 };
    testpki_t *ours = testpki_make(&spec, w->ca_root, pool);
    testpki_t *evil = testpki_make(&copy, NULL, pool);

    come_with(w, ours->cert, BRSKI_SIMPLEENROLL);
    is_err(enroll(w), EST_FORBIDDEN,
           "7030-3.3 refuses a certificate of our CA that is not in the records, cmcRA or not");
    come_with(w, testpki_make(&spec, evil, pool)->cert, BRSKI_SIMPLEREENROLL);
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-3.3 refuses a CA of the same name");
}

/* The same names and the same serial number as a certificate of the records, under another key. */
static void test_forged(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);
    testpki_t victim = { .cert = cert, .key = w->key, .issuer = w->ca_root };

    come_with(w, testpki_impostor(&victim, pool)->cert, BRSKI_SIMPLEREENROLL);
    body(w, w->key, own_name, NO_OCTETS);
    is_str(w->req.peer->client_cert->cert_serial_hex, cert->cert_serial_hex,
           "7030-3.3 a certificate that says what one of ours says");
    is_err(enroll(w), REENROLL_CERTIFICATE, "7030-3.3 is refused when the CA did not sign it");
}

/* What is meant for servers is no client's. */
static void test_purpose(void)
{
    world_t *w = make_world();
    testpki_spec_t ca_spec = { .cn = "partner CA", .ca = 1 };
    testpki_spec_t server = { .cn = "server", .server_auth = 1 }, both = server;
    testpki_t *ca = testpki_make(&ca_spec, NULL, pool);
    brski_anchors_t *anchors;

    both.client_auth = 1;
    brski_anchors_make(&anchors, testpki_certs(pool, ca, NULL), pool);
    w->label.client_anchors = anchors;
    w->profile.subject = "CN=%{cn}";
    body(w, w->key, "CN=box", NO_OCTETS);
    come_with(w, testpki_make(&server, ca, pool)->cert, BRSKI_SIMPLEENROLL);
    is_err(enroll(w), EST_FORBIDDEN, "7030-3.3.2 refuses a certificate for servers only");
    come_with(w, testpki_make(&both, ca, pool)->cert, BRSKI_SIMPLEENROLL);
    is_ok(enroll(w), "7030-3.3.2 takes one for clients too");
}

/* ---- labels ---- */

static void test_labels(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);
    brski_label_t other = w->label;

    other.name = "vip";
    APR_ARRAY_PUSH(w->est.labels, brski_label_t *) = &other;
    ok(brski_est_label(&w->est, "vip") == &other, "7030-3.2.2 a label is found");
    ok(brski_est_label(&w->est, "") == &w->label, "7030-3.2.2 and the server itself");
    ok(!brski_est_label(&w->est, "VIP"), "7030-3.2.2 no other");
    w->req.label = &other;
    ok(strcmp(enrolled(w)->cert_serial_hex, cert->cert_serial_hex),
       "7030-3.2.2 under another label is another certificate");
    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    other.accept_idevid = 0;
    body(w, w->key, own_name, NO_OCTETS);
    is_err(enroll(w), REENROLL_CERTIFICATE,
           "7030-3.2.2 what one label gave does not open one that takes no devices");
}

/* A device with an open gate and ever new keys. */
static void test_many(void)
{
    world_t *w = joined();
    brski_err_t *err = NULL;
    const brski_cert_t *cert = enrolled(w);
    EVP_PKEY *key = w->key;
    int i;

    for (i = 0; i < 120 && !err; i++) {
        body(w, testcsr_key("p256", pool), "", NO_OCTETS);
        err = enroll(w);
    }
    is_err(err, RACE, "7030-4.2.1 a device gets so many certificates within an hour");
    is_int(certificates(w), 100, "7030-4.2.1 and no more");
    body(w, key, "", NO_OCTETS);
    is_str(enrolled(w)->cert_serial_hex, cert->cert_serial_hex,
           "8995-5.9.3 what it has it is given still");
    revoke_cert(w, cert);
    testregistrar_later(w->r, 3601);
    is_err(enroll(w), CSR_KEY, "7030-4.2.1 among many, too, a revoked key is known");
    body(w, testcsr_key("p256", pool), "", NO_OCTETS);
    is_ok(enroll(w), "7030-4.2.1 an hour later it gets more");
}

/* A certificate that was had without a voucher is none. */
static void test_lax_label(void)
{
    world_t *w = make_world();
    brski_label_t strict = w->label;
    const brski_cert_t *cert;

    w->label.require_voucher = 0;
    strict.name = "strict";
    APR_ARRAY_PUSH(w->est.labels, brski_label_t *) = &strict;
    cert = enrolled(w);
    w->req.label = &strict;
    is_err(enroll(w), NO_VOUCHER, "8995-5.9 a label that wants a voucher is closed to the IDevID");
    come_with(w, cert, BRSKI_SIMPLEENROLL);
    is_err(enroll(w), NO_VOUCHER, "8995-5.9 and to a certificate of a label that wants none");
    come_with(w, cert, BRSKI_SIMPLEREENROLL);
    body(w, w->key, own_name, NO_OCTETS);
    is_err(enroll(w), NO_VOUCHER, "8995-5.9 also when that is to be renewed under it");
    w->req.label = &w->label;
    is_ok(enroll(w), "7030-4.2.2 which its own label does");
}

/* ---- another CA, and races ---- */

/* A CA double that does something while it issues. */
static struct {
    world_t *w;
    void (*meanwhile)(world_t *w);
    int calls;
} double_ca;

static brski_err_t *double_issue(brski_bytes_t *cert, brski_ca_t *ca, const brski_template_t *tmpl,
                                 apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    BRSKI_TRY(brski_ca_kind_local.issue(cert, ca, tmpl, result_pool, scratch_pool));
    if (!double_ca.calls++) {
        double_ca.meanwhile(double_ca.w);
    }
    return BRSKI_OK;
}

static brski_ca_kind_t double_kind;

static void interrupt(world_t *w, void (*meanwhile)(world_t *w))
{
    double_kind = brski_ca_kind_local;
    double_kind.issue = double_issue;
    w->ca->kind = &double_kind;
    double_ca.w = w;
    double_ca.meanwhile = meanwhile;
    double_ca.calls = 0;
}

static const char *winner;

static void somebody_is_faster(world_t *w)
{
    brski_enroll_answer_t *mine;

    if (brski_enroll(&mine, &w->est, &w->req, pool, pool) || mine->status != 200) {
        bail_out("the faster one fails");
    }
    winner = mine->issued->serial;
}

static void device_is_refused(world_t *w)
{
    brski_records_pledge_welcome(w->r->registrar.records, MAKER, TESTMASA_SERIAL,
                                 BRSKI_WELCOME_REFUSED, -1, "alice", 1, pool);
}

static void nothing_that_matters(world_t *w)
{
    brski_records_pledge_welcome(w->r->registrar.records, MAKER, TESTMASA_SERIAL,
                                 BRSKI_WELCOME_ALLOWED, -1, "alice", 1, pool);
}

static void test_interrupted(void)
{
    world_t *w = joined();
    const brski_cert_t *cert;

    interrupt(w, somebody_is_faster);
    cert = enrolled(w);
    is_str(cert->cert_serial_hex, winner, "8995-5.9.3 who is second gets the first one's");
    is_int(w->a->again, 1, "8995-5.9.3 and it is known as such");
    is_int(certificates(w), 1, "8995-5.9.3 there is one");
    w = joined();
    interrupt(w, device_is_refused);
    is_err(enroll(w), PLEDGE_REFUSED, "8995-5.9 a device that is refused meanwhile gets nothing");
    is_int(certificates(w), 0, "8995-5.9 nothing was recorded");
    w = joined();
    interrupt(w, nothing_that_matters);
    is_ok(enroll(w), "8995-5.9 what moves without harm is decided again");
    is_int(double_ca.calls, 2, "8995-5.9 with another certificate");
    is_int(certificates(w), 1, "8995-5.9 of which one counts");
}

static brski_err_t *issue_other_key(brski_bytes_t *cert, brski_ca_t *ca,
                                    const brski_template_t *tmpl, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool)
{
    brski_template_t other = *tmpl;

    other.spki = testcsr_spki(testcsr_key("p256", pool), pool);
    return brski_ca_kind_local.issue(cert, ca, &other, result_pool, scratch_pool);
}

static brski_ca_t *other_ca;

static brski_err_t *issue_elsewhere(brski_bytes_t *cert, brski_ca_t *ca,
                                    const brski_template_t *tmpl, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool)
{
    (void)ca;
    return brski_ca_kind_local.issue(cert, other_ca, tmpl, result_pool, scratch_pool);
}

static brski_err_t *issue_junk(brski_bytes_t *cert, brski_ca_t *ca, const brski_template_t *tmpl,
                               apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    (void)ca;
    (void)tmpl;
    (void)result_pool;
    (void)scratch_pool;
    *cert = brski_bytes_str("junk");
    return BRSKI_OK;
}

static brski_err_t *issue_nothing(brski_bytes_t *cert, brski_ca_t *ca, const brski_template_t *tmpl,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    (void)cert;
    (void)ca;
    (void)tmpl;
    (void)scratch_pool;
    return brski_err(BRSKI_E_CA_REFUSED, NULL, result_pool, "policy");
}

static void test_other_cas(void)
{
    world_t *w = joined();
    testpki_spec_t spec = { .cn = "another CA", .ca = 1 };

    double_kind = brski_ca_kind_local;
    w->ca->kind = &double_kind;
    double_kind.issue = issue_other_key;
    is_err(enroll(w), CA_UNAVAILABLE, "7030-4.2.3 a certificate for another key is not given");
    other_ca = make_ca(testpki_make(&spec, NULL, pool), w->r->registrar.ctx);
    double_kind.issue = issue_elsewhere;
    is_err(enroll(w), CA_UNAVAILABLE, "7030-4.2.3 nor one by another issuer");
    double_kind.issue = issue_junk;
    is_err(enroll(w), CA_UNAVAILABLE, "7030-4.2.3 nor is what is none");
    double_kind.issue = issue_nothing;
    is_err(enroll(w), CA_REFUSED, "7030-4.2.3 a CA may refuse");
    is_int(certificates(w), 0, "7030-4.2.3 nothing was recorded");
}

typedef struct crew_t {
    world_t *w;
    char text[2][80]; /* of each thread: pools are not for two */
} crew_t;

static void enroll_at_once(void *baton, int number, apr_pool_t *own_pool)
{
    crew_t *crew = baton;
    brski_enroll_answer_t *a;
    brski_err_t *err = brski_enroll(&a, &crew->w->est, &crew->w->req, own_pool, own_pool);

    apr_cpystrn(crew->text[number], err ? err->name : a->issued->serial, sizeof(crew->text[0]));
}

static void test_at_once(void)
{
    int round, i, others = 0, count = 0;
    world_t *w = joined();

    w->r->maker->ctx->random = brski_ctx_default()->random; /* the repeated one is for one thread */
    for (round = 0; round < 8; round++) {
        crew_t crew = { .w = w };

        body(w, testcsr_key("p256", pool), "", NO_OCTETS);
        database_crew(2, enroll_at_once, &crew);
        for (i = 1; i < 2; i++) {
            others += strcmp(crew.text[0], crew.text[i]) != 0;
        }
        count++;
        if (others) {
            diag("%s and %s", crew.text[0], crew.text[1]);
        }
    }
    is_int(others, 0, "8995-5.9.3 two threads with the same request get the same certificate");
    is_int(certificates(w), count, "8995-5.9.3 one each time");
}

/* ---- CSR attributes ---- */

static brski_csrattrs_t *attributes(world_t *w)
{
    brski_csrattrs_t *attrs;
    brski_bytes_t der;

    is_ok(brski_enroll_csrattrs(&der, &w->est, &w->req, pool, pool), "7030-4.5 CSR attributes");
    if (brski_csrattrs_parse(&attrs, der, &brski_limits_default, pool)) {
        bail_out("CSR attributes");
    }
    return attrs;
}

static void test_csrattrs(void)
{
    world_t *w = make_world();

    is_str(brski_csr_name_text(attributes(w)->subject, pool), own_name,
           "8995-5.9.2 a device is told its name before it may enrol");
    w->r->peer.client_cert = NULL;
    is_int(attributes(w)->subject.len, 0, "7030-4.5.1 nobody is told no name");
    is_str(attributes(w)->key_type, "p256", "7030-4.5.1 but the key type");
}

/* ---- the CRL ---- */

static brski_crl_row_t *crl_of(world_t *w)
{
    brski_crl_row_t *row;

    is_ok(brski_enroll_crl(&row, &w->est, &w->label, pool, pool), "5280-5 a CRL is there");
    if (!row) {
        bail_out("no CRL");
    }
    return row;
}

static int entries(const brski_crl_row_t *row, const testpki_t *ca)
{
    const unsigned char *at = row->der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)row->der.len);
    int n = crl && X509_CRL_verify(crl, ca->key) == 1 ? 0 : -1;

    if (!n && X509_CRL_get_REVOKED(crl)) {
        n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
    }
    X509_CRL_free(crl);
    return n;
}

static void test_crl(void)
{
    world_t *w = joined();
    const brski_cert_t *cert = enrolled(w);

    is_int(crl_of(w)->number, 1, "5280-5.2.3 the first CRL");
    is_int(entries(crl_of(w), w->ca_root), 0, "5280-5.1.2.6 is empty");
    is_int(crl_of(w)->number, 1, "5280-5 it is kept");
    testregistrar_later(w->r, 3600);
    revoke_cert(w, cert);
    is_int(crl_of(w)->number, 2, "5280-5 a revocation makes a new one");
    is_int(entries(crl_of(w), w->ca_root), 1, "5280-5.1.2.6 with what was revoked");
    is_int(crl_of(w)->number, 2, "5280-5 which is kept");
    testregistrar_later(w->r, 13 * 3600);
    is_int(crl_of(w)->number, 3, "5280-5.1.2.5 long before nextUpdate there is another");
    testregistrar_later(w->r, 200 * DAY);
    is_int(entries(crl_of(w), w->ca_root), 0, "5280-5 what has expired leaves it");
    double_kind = brski_ca_kind_local;
    double_kind.crl = NULL;
    w->ca->kind = &double_kind;
    {
        brski_crl_row_t *row;

        is_err(brski_enroll_crl(&row, &w->est, &w->label, pool, pool), OPERATION,
               "5280-5 a CA that is not ours has its own");
    }
}

static void crl_at_once(void *baton, int number, apr_pool_t *own_pool)
{
    crew_t *crew = baton;
    brski_crl_row_t *row;
    brski_err_t *err = brski_enroll_crl(&row, &crew->w->est, &crew->w->label, own_pool, own_pool);

    apr_cpystrn(crew->text[number], err ? err->name : brski_sha256_hex(row->der, own_pool),
                sizeof(crew->text[0]));
}

static void test_crls_at_once(void)
{
    world_t *w = make_world();
    crew_t crew = { .w = w };

    database_crew(2, crl_at_once, &crew);
    is_str(crew.text[0], crew.text[1], "5280-5.2.3 two threads make one CRL");
    is_int(crl_of(w)->number, 1, "5280-5.2.3 number 1");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_gate,
        test_bad_devices,
        test_certificate,
        test_again,
        test_expired_again,
        test_reset,
        test_without_voucher,
        test_nobody,
        test_user,
        test_foreign,
        test_requests,
        test_binding,
        test_approval, test_many_wait,
        test_renewal,
        test_late_renewal,
        test_early_renewal,
        test_refused_renewal,
        test_unrecorded,
        test_forged,
        test_purpose,
        test_labels, test_many, test_lax_label,
        test_interrupted,
        test_other_cas,
        test_at_once,
        test_csrattrs,
        test_crl,
        test_crls_at_once,
    };
    apr_pool_t *root = unit_start();
    size_t i;

    files = unit_tempdir(root);
    apr_pool_create(&pool, root);
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        tests[i]();
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
