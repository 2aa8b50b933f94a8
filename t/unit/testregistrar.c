/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testregistrar.c: a small world for tests of the registrar, as testregistrar.h says.
 */
#include "testregistrar.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

#define TENANT "default"

static testregistrar_t *world;        /* a client is made without a baton */

static void must(brski_err_t *err, const char *what)
{
    if (err) {
        bail_out("%s: %s", what, brski_err_text(err, world->pool));
    }
}

/* ---- the MASA ---- */

static brski_err_t *decide(testregistrar_t *w, brski_client_answer_t *answer,
                           const brski_client_request_t *r)
{
    brski_masa_request_t ask = { .body = r->body, .content_type = r->content_type };
    brski_masa_answer_t *a;
    brski_err_t *err;

    ask.address = "192.0.2.1";
    ask.request_id = apr_psprintf(w->pool, "req-%d", w->asked);
    err = (strstr(r->url, "requestauditlog") ? brski_masa_requestauditlog
                                             : brski_masa_requestvoucher)(
        &a, &w->maker->masa, &ask, w->pool, w->pool);
    if (err) {
        answer->status = err->status;
        answer->content_type = "text/plain; charset=utf-8";
        answer->body = brski_bytes_str(err->public_text);
        return BRSKI_OK;
    }
    answer->content_type = a->content_type;
    answer->body = a->body;
    return BRSKI_OK;
}

static brski_err_t *canned(testregistrar_t *w, brski_client_answer_t *answer,
                           const brski_client_request_t *r)
{
    (void)r;
    answer->status = w->status;
    answer->content_type = w->type;
    answer->body = w->text;
    return BRSKI_OK;
}

static brski_err_t *vouch(testregistrar_t *w, brski_client_answer_t *answer,
                          const brski_client_request_t *r)
{
    const testpki_t *signer = w->signer ? w->signer : w->maker->masa_ee;

    if (strstr(r->url, "requestauditlog")) {
        answer->status = 404;
        return BRSKI_OK;
    }
    answer->content_type = "application/voucher-cms+json";
    answer->body = testpki_sign_voucher(&w->voucher, signer, testpki_chain(signer, 0, w->pool),
                                        w->pool);
    return BRSKI_OK;
}

/* Body and headers get a copy that dies with the caller's pool, as with a real client. */
static brski_err_t *send_request(brski_client_answer_t **answer, brski_client_t *client,
                                 const brski_client_request_t *request, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    testregistrar_t *w = client->state;
    brski_client_answer_t *a = apr_pcalloc(result_pool, sizeof(*a));

    (void)scratch_pool;
    w->asked++;
    w->url = apr_pstrdup(w->pool, request->url);
    w->sent = brski_bytes_dup(request->body, w->pool);
    a->status = 200;
    a->retry_after = -1;
    BRSKI_TRY((w->says ? w->says : decide)(w, a, request));
    a->body = brski_bytes_dup(a->body, result_pool);
    a->content_type = apr_pstrdup(result_pool, a->content_type);
    *answer = a;
    return BRSKI_OK;
}

/* The caller's pool is gone when a test looks. */
static const apr_array_header_t *kept(const apr_array_header_t *ders)
{
    apr_array_header_t *copy = apr_array_make(world->pool, 2, sizeof(brski_bytes_t));
    int i;

    for (i = 0; ders && i < ders->nelts; i++) {
        APR_ARRAY_PUSH(copy, brski_bytes_t) =
            brski_bytes_dup(APR_ARRAY_IDX(ders, i, brski_bytes_t), world->pool);
    }
    return ders ? copy : NULL;
}

static brski_err_t *make_client(brski_client_t **out, const brski_client_options_t *options,
                                apr_pool_t *pool)
{
    brski_client_t *client = apr_pcalloc(pool, sizeof(*client));

    client->name = "test";
    client->send = send_request;
    client->state = world;
    world->clients++;
    world->options = *options;
    world->options.trusted = kept(options->trusted);
    *out = client;
    return BRSKI_OK;
}

void testregistrar_canned(testregistrar_t *w, int status, const char *type, const char *text)
{
    w->says = canned;
    w->status = status;
    w->type = type;
    w->text = brski_bytes_str(text);
}

void testregistrar_vouches(testregistrar_t *w)
{
    memset(&w->voucher, 0, sizeof(w->voucher));
    w->voucher.kind = BRSKI_VOUCHER;
    w->voucher.assertion = BRSKI_ASSERTION_PROXIMITY;
    w->voucher.created_on = w->maker->ctx->now(w->maker->ctx->baton);
    w->voucher.serial_number = w->pvr.serial_number;
    w->voucher.nonce = w->pvr.nonce;
    w->voucher.pinned_domain_cert = w->maker->domain_ca->cert->der;
    w->voucher.domain_cert_revocation_checks = -1;
    w->says = vouch;
}

void testregistrar_decides(testregistrar_t *w)
{
    w->says = NULL;
}

/* ---- making ---- */

static void take_alarm(const brski_note_t *note, void *baton)
{
    testregistrar_t *w = baton;
    brski_note_t *copy = apr_pmemdup(w->pool, note, sizeof(*note));

    copy->kind = apr_pstrdup(w->pool, note->kind);
    copy->text = apr_pstrdup(w->pool, note->text);
    APR_ARRAY_PUSH(w->told, const brski_note_t *) = copy;
}

static brski_manufacturer_t *make_manufacturer(testregistrar_t *w)
{
    brski_manufacturer_t *m = apr_pcalloc(w->pool, sizeof(*m));

    m->name = "maker";
    m->idevid_anchors = testmasa_anchors(w->maker, w->maker->maker_root);
    m->serial_from = BRSKI_SERIAL_X520;
    m->pledges = BRSKI_PLEDGES_ANY;
    m->voucher_trust = BRSKI_TRUST_ANCHORS;
    m->voucher_anchors = testmasa_anchors(w->maker, w->maker->masa_root);
    m->tls_trust = BRSKI_TRUST_WEBPKI;
    m->masa_url = "https://masa.example";
    return m;
}

static void make_registrar(testregistrar_t *w)
{
    brski_registrar_t *r = &w->registrar;

    r->ctx = w->maker->ctx;
    r->limits = &brski_limits_default;
    must(brski_records_make(&r->records, TENANT, database_host(w->database, 4, w->pool),
                            w->database->dialect, 4, apr_time_from_sec(30), r->ctx, w->pool),
         "records");
    r->manufacturers = apr_array_make(w->pool, 2, sizeof(brski_manufacturer_t *));
    APR_ARRAY_PUSH(r->manufacturers, brski_manufacturer_t *) = w->manufacturer;
    r->certificates = apr_array_make(w->pool, 2, sizeof(brski_registrar_cert_t *));
    APR_ARRAY_PUSH(r->certificates, brski_registrar_cert_t *) = w->own;
    r->rvr_chain = BRSKI_RVR_CHAIN;
    w->policy = brski_audit_policy_default;
    r->policy = &w->policy;
    r->telemetry_wait = apr_time_from_sec(300);
    r->keep = apr_time_from_sec(4 * 86400);
    r->masa_timeout = apr_time_from_sec(30);
    r->masa_max_answer = 256 * 1024;
    r->skew = apr_time_from_sec(300);
    r->node = "test";
    r->alarm = take_alarm;
    r->alarm_baton = w;
    r->make_client = make_client;
}

static void make_request(testregistrar_t *w)
{
    w->pvr.kind = BRSKI_VOUCHER_REQUEST;
    w->pvr.assertion = BRSKI_ASSERTION_PROXIMITY;
    w->pvr.serial_number = TESTMASA_SERIAL;
    w->pvr.nonce = TESTMASA_NONCE;
    w->pvr.created_on = w->maker->ctx->now(w->maker->ctx->baton);
    w->pvr.domain_cert_revocation_checks = -1;
    w->pvr.proximity_registrar_cert = w->maker->registrar->cert->der;
    w->peer.client_cert = w->maker->pledge->cert;
    w->peer.client_chain = testpki_certs(w->pool, w->maker->idevid_ca, NULL);
    w->peer.server_cert = w->maker->registrar->cert;
    w->peer.address = "192.0.2.7";
    w->peer.request_id = "pledge-1";
}

testregistrar_t *testregistrar_on(database_t *database, apr_pool_t *pool)
{
    testregistrar_t *w = apr_pcalloc(pool, sizeof(*w));
    apr_time_t now = unit_time(TESTMASA_NOW);

    world = w;
    w->pool = pool;
    w->told = apr_array_make(pool, 4, sizeof(const brski_note_t *));
    w->masa_database = database;
    w->database = database_est(w->masa_database, pool);
    w->maker = testmasa_on(database_store(w->masa_database, TENANT, 4, unit_ctx(now, pool), pool),
                           pool);
    database_device(database_open(w->masa_database, pool), TENANT, TESTMASA_SERIAL, "thermostat");
    w->manufacturer = make_manufacturer(w);
    w->own = apr_pcalloc(pool, sizeof(*w->own));
    w->own->chain_file = "registrar.pem";
    w->own->chain = testpki_chain(w->maker->registrar, 0, pool);
    w->own->key = w->maker->registrar->key;
    make_registrar(w);
    make_request(w);
    must(brski_registrar_note_domain_ids(&w->registrar, pool), "domainIDs");
    return w;
}

testregistrar_t *testregistrar_make(apr_pool_t *pool)
{
    return testregistrar_on(database_sqlite(pool), pool);
}

/* ---- doing ---- */

brski_err_t *testregistrar_post(testregistrar_t *w)
{
    apr_pool_t *scratch;
    brski_err_t *err;

    if (!w->body.len) {
        w->body = testpki_sign_voucher(&w->pvr, w->maker->pledge,
                                       testpki_chain(w->maker->pledge, 0, w->pool), w->pool);
    }
    apr_pool_create(&scratch, w->pool);
    err = brski_registrar_requestvoucher(&w->answer, &w->registrar, &w->peer, w->body,
                                         "application/voucher-cms+json", NULL, w->pool, scratch);
    apr_pool_destroy(scratch);
    return err;
}

static brski_request_t *take(testregistrar_t *w)
{
    apr_time_t now = w->maker->ctx->now(w->maker->ctx->baton);
    brski_request_t *row;

    if (w->answer && w->answer->fresh) {
        w->answer->fresh = 0;
        return apr_pmemdup(w->pool, w->answer->row, sizeof(*w->answer->row));
    }
    must(brski_records_request_take(&row, w->registrar.records, "test:1", now,
                                    now + apr_time_from_sec(120), w->pool, w->pool), "take");
    return row;
}

brski_request_t *testregistrar_step(testregistrar_t *w)
{
    brski_request_t *row = take(w), *after;
    apr_pool_t *scratch;

    if (!row) {
        return NULL;
    }
    apr_pool_create(&scratch, w->pool);
    must(brski_registrar_work(&w->registrar, row, scratch), "work");
    apr_pool_destroy(scratch);
    must(brski_records_request_get(&after, w->registrar.records, row->id, w->pool, w->pool), "row");
    return after;
}

int testregistrar_run(testregistrar_t *w)
{
    int n = 0;

    while (n < 20 && testregistrar_step(w)) {
        n++;
    }
    return n;
}

brski_request_t *testregistrar_row(testregistrar_t *w)
{
    brski_request_t *row;

    must(brski_records_request_get(&row, w->registrar.records, w->answer->request, w->pool,
                                   w->pool), "row");
    return row;
}

brski_pledge_t *testregistrar_pledge(testregistrar_t *w)
{
    brski_pledge_t *pledge;

    must(brski_records_pledge_get(&pledge, w->registrar.records, "maker", w->pvr.serial_number,
                                  w->pool, w->pool), "pledge");
    return pledge;
}

void testregistrar_later(testregistrar_t *w, int seconds)
{
    unit_ctx_set_now(w->maker->ctx,
                     w->maker->ctx->now(w->maker->ctx->baton) + apr_time_from_sec(seconds));
}

int testregistrar_told(testregistrar_t *w, const char *kind)
{
    int i, n = 0;

    for (i = 0; i < w->told->nelts; i++) {
        n += !strcmp(APR_ARRAY_IDX(w->told, i, const brski_note_t *)->kind, kind);
    }
    return n;
}

const char *testregistrar_last(testregistrar_t *w, const char *kind)
{
    int i;

    for (i = w->told->nelts - 1; i >= 0; i--) {
        const brski_note_t *note = APR_ARRAY_IDX(w->told, i, const brski_note_t *);

        if (!strcmp(note->kind, kind)) {
            return note->text;
        }
    }
    return NULL;
}

int testregistrar_gate(testregistrar_t *w)
{
    brski_gate_answer_t gate;
    brski_pledge_t *pledge;
    apr_pool_t *scratch;
    brski_err_t *err;

    apr_pool_create(&scratch, w->pool);
    err = brski_registrar_gate(&gate, &pledge, &w->registrar, "maker", w->pvr.serial_number,
                               w->peer.client_cert->spki_hex, w->pool, scratch);
    apr_pool_destroy(scratch);
    return err ? err->status : gate == BRSKI_GATE_OPEN ? 0 : 202;
}

brski_err_t *testregistrar_report(testregistrar_t *w, const char *what, const char *json)
{
    return brski_registrar_telemetry(&w->registrar, &w->peer, what, brski_bytes_str(json),
                                     "application/json", w->pool);
}
