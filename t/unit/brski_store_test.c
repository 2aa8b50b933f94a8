/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_test.c: what the store answers and keeps, on both databases: the one read, the
 * guarded insert against everything that may have moved, evidence, customers, the schema's
 * version.
 */
#include "brski_store.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "brski_event.h"
#include "brski_statements.h"
#include "database.h"
#include "unit.h"

#define NOW apr_time_from_sec(1700000000)
#define HOUR apr_time_from_sec(3600)

/* One database under test. */
typedef struct t_t {
    const database_t *database;
    const char *d; /* its name, for labels */
    const char *tenant;
    brski_dbd_t *db; /* what an administrator does */
    brski_store_t *store;
    brski_ctx_t *ctx;
    apr_pool_t *pool;
} t_t;

static const char *text_of(apr_int64_t n, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, n);
}

static brski_facts_t *facts_of(t_t *t, const char *serial_number, const char *request_hash)
{
    return database_facts(t->store, serial_number, request_hash, NOW, t->pool);
}

static brski_device_t *device_of(const brski_facts_t *facts, int i)
{
    return APR_ARRAY_IDX(facts->devices, i, brski_device_t *);
}

static int put(t_t *t, const brski_event_t *event, const brski_facts_t *facts)
{
    int done = -1;
    brski_err_t *err =
        brski_store_event_put(&done, t->store, event, device_of(facts, 0), facts, t->pool);

    if (err) {
        diag("%s", brski_err_text(err, t->pool));
        return -1;
    }
    return done;
}

/* Issue one voucher as a decision does. */
static brski_event_t *issue(t_t *t, const char *serial_number, const char *request_hash,
                            const char *nonce)
{
    brski_facts_t *facts = facts_of(t, serial_number, request_hash);
    brski_event_t *event = database_event(facts, t->tenant, request_hash, nonce, t->pool);

    if (put(t, event, facts) != 1) {
        bail_out("%s: no event for %s", t->d, request_hash);
    }
    return event;
}

/* ---- the one read ---- */

static void test_facts_devices(t_t *t)
{
    brski_facts_t *f = facts_of(t, "nobody", "h0");
    brski_device_t *d;

    is_int(f->devices->nelts, 0, "5.6 %s: an unknown device is an answer", t->d);
    is_int(f->epoch, 1, "%s: the first epoch", t->d);
    is_int(f->policy_version, 0, "%s: no policy yet", t->d);
    ok(!f->stored && !f->customer && f->outstanding->nelts == 0, "%s: nothing else", t->d);

    database_exec(t->db, STMT_DEVICE_ADD, t->tenant, "S1", "router", "alice", "main", "ab12", "",
                  "1000", "2000", "0");
    f = facts_of(t, "S1", "h0");
    is_int(f->devices->nelts, 1, "5.6 %s: a device by its serial number", t->d);
    d = device_of(f, 0);
    is_str(d->customer, "alice", "%s: its customer", t->d);
    is_str(d->signer, "main", "%s: its signer", t->d);
    is_str(d->idevid_issuer, "ab12", "%s: its issuer", t->d);
    is_int(d->made_at, 1000, "%s: when it was made", t->d);
    is_int(d->sold_at, 2000, "%s: when it was sold", t->d);
    is_int(d->version, 1, "%s: its version", t->d);
    is_str(d->status, "active", "%s: active when nothing is said", t->d);
    is_int(d->state_version, 0, "%s: no state", t->d);
    is_str(d->head_hash, "", "%s: no event yet", t->d);

    database_device(t->db, t->tenant, "S1", "switch");
    database_device(t->db, "another tenant", "S1", "phone");
    database_device(t->db, t->tenant, "s1", "router");
    f = facts_of(t, "S1", "h0");
    is_int(f->devices->nelts, 2, "5.6 %s: a serial number of two product lines, of one tenant",
           t->d);
    d = device_of(f, 1);
    ok(!d->customer && !d->signer && !d->idevid_issuer, "%s: what is not known is NULL", t->d);
    database_exec(t->db, STMT_DEVICE_STATE_PUT, "stolen", "ask us", "1", t->tenant, "S1", "switch");
    database_exec(t->db, STMT_DEVICE_DOWNGRADE_PUT, "99", "2", t->tenant, "S1", "switch");
    d = device_of(facts_of(t, "S1", "h0"), 1);
    is_str(d->status, "stolen", "10.4 %s: a state", t->d);
    is_str(d->status_text, "ask us", "%s: its text", t->d);
    is_int(d->downgrade_until, 99, "%s: a downgrade keeps the state", t->d);
    is_int(d->state_version, 2, "%s: each change counts", t->d);
}

static void test_facts_events(t_t *t)
{
    brski_facts_t *f;
    brski_event_t *e, *kept;

    database_device(t->db, t->tenant, "E1", "router");
    kept = issue(t, "E1", "e1", "bm9uY2U=");
    f = facts_of(t, "E1", "e1");
    e = f->stored;
    ok(e != NULL, "5.6 %s: the event of these very bytes", t->d);
    is_str(e->hash, kept->hash, "%s: its hash", t->d);
    is_str(brski_event_hash(e, t->pool), e->hash, "%s: is that of what came back", t->d);
    is_mem(e->voucher.data, e->voucher.len, kept->voucher.data, kept->voucher.len,
           "5.6 %s: the voucher comes back to the octet", t->d);
    is_str(e->nonce, "bm9uY2U=", "%s: its nonce", t->d);
    is_str(e->tls_spki, "a4", "%s: the TLS key beside the chain", t->d);
    is_int(e->assertion, BRSKI_ASSERTION_PROXIMITY, "%s: its assertion", t->d);
    is_int(e->format, BRSKI_FORMAT_CMS, "%s: its format", t->d);
    ok(e->proximity == 1 && e->verified == 0, "%s: both facts", t->d);
    is_int(device_of(f, 0)->head_seq, 1, "%s: the chain's head", t->d);
    is_str(device_of(f, 0)->head_hash, kept->hash, "%s: its hash", t->d);
    is_int(f->outstanding->nelts, 0, "5.6 %s: a nonced voucher is never outstanding", t->d);
    ok(!facts_of(t, "E1", "other")->stored, "%s: other bytes have no event", t->d);

    e = database_event(facts_of(t, "E1", "e2"), t->tenant, "e2", NULL, t->pool);
    e->expires_on = NOW + HOUR;
    put(t, e, facts_of(t, "E1", "e2"));
    issue(t, "E1", "e3", NULL);
    issue(t, "E1", "e4", "bg==");
    f = facts_of(t, "E1", "e5");
    is_int(f->outstanding->nelts, 2, "5.6 %s: nonceless vouchers are outstanding", t->d);
    e = APR_ARRAY_IDX(f->outstanding, 0, brski_event_t *);
    ok(e->nonce == NULL, "5.5.1 %s: a nonceless event has no nonce", t->d);
    is_int(e->voucher.len, 0, "%s: their vouchers are not read", t->d);
    is_int(device_of(f, 0)->head_seq, 4, "%s: the head moved", t->d);
    f = database_facts(t->store, "E1", "e5", NOW + HOUR, t->pool);
    is_int(f->outstanding->nelts, 1, "5.6 %s: until they expire", t->d);
}

/* ---- the guarded insert ---- */

/* Something moves between reading and writing. */
static void guard(t_t *t, const char *what, int stmt, const char *const *args)
{
    brski_facts_t *f = facts_of(t, "G1", what);
    brski_event_t *e = database_event(f, t->tenant, what, "bg==", t->pool);

    database_exec_args(t->db, stmt, args);
    is_int(put(t, e, f), 0, "%s: not written when %s", t->d, what);
    f = facts_of(t, "G1", what);
    ok(!f->stored, "%s: nothing is there", t->d);
    is_int(put(t, database_event(f, t->tenant, what, "bg==", t->pool), f), 1,
           "%s: written when decided again", t->d);
}

static void test_guard(t_t *t)
{
    brski_facts_t *f, *older;
    brski_event_t *e;
    apr_array_header_t *events;
    const char *reason;

    database_device(t->db, t->tenant, "G1", "router");
    older = facts_of(t, "G1", "g1");
    issue(t, "G1", "g1", "bg==");
    f = facts_of(t, "G1", "g2");
    e = database_event(f, t->tenant, "g1", "bg==", t->pool);
    is_int(put(t, e, f), 0, "5.6 %s: the same bytes are answered once", t->d);
    e = database_event(older, t->tenant, "g3", "bg==", t->pool);
    is_int(put(t, e, older), 0, "%s: not written when the chain has grown", t->d);

    guard(t, "the sales record changed", STMT_DEVICE_ASSIGN,
          (const char *const[]){ "bob", "1", "1", t->tenant, "G1", "router" });
    guard(t, "the device was blocked", STMT_DEVICE_STATE_PUT,
          (const char *const[]){ "blocked", NULL, "1", t->tenant, "G1", "router" });
    guard(t, "its state changed again", STMT_DEVICE_STATE_PUT,
          (const char *const[]){ "active", NULL, "1", t->tenant, "G1", "router" });
    guard(t, "a customer changed", STMT_POLICY_BUMP, (const char *const[]){ t->tenant });
    guard(t, "and once more", STMT_POLICY_BUMP, (const char *const[]){ t->tenant });

    f = facts_of(t, "G1", "g9");
    f->epoch = 2;
    e = database_event(f, t->tenant, "g9", "bg==", t->pool);
    is_int(put(t, e, f), 0, "%s: not written in another epoch", t->d);
    e = database_event(facts_of(t, "G1", "g9"), t->tenant, "g9", "bg==", t->pool);
    device_of(f, 0)->serial_number = "G2";
    is_int(put(t, e, f), 0, "%s: not written for a device that is not there", t->d);

    is_ok(brski_store_events(&events, t->store, "router", "G1", t->pool, t->pool),
          "5.8 %s: the log", t->d);
    is_int(events->nelts, 6, "5.8 %s: has each event once", t->d);
    brski_event_chain_check(&reason, events, t->pool);
    is_str(reason, NULL, "5.8 %s: in one chain", t->d);
    is_int(APR_ARRAY_IDX(events, 0, brski_event_t *)->voucher.len, 0, "%s: without vouchers", t->d);
    is_ok(brski_store_events(&events, t->store, "router", "G2", t->pool, t->pool), "%s: no device",
          t->d);
    is_int(events->nelts, 0, "%s: has no events", t->d);
}

/* As after a restore: the same place in the chain, another event. */
static void test_other_head(t_t *t)
{
    brski_facts_t *f;
    brski_event_t *e;

    database_device(t->db, t->tenant, "H1", "router");
    issue(t, "H1", "head1", "bg==");
    f = facts_of(t, "H1", "head2");
    e = database_event(f, t->tenant, "head2", "bg==", t->pool);
    database_do(t->db, "UPDATE voucher_event SET hash = 'other' WHERE request_hash = 'head1'");
    is_int(put(t, e, f), 0, "%s: not written behind an event that was not read", t->d);
}

static void test_tenants(t_t *t)
{
    brski_store_t *other = database_store(t->database, "next door", 1, t->ctx, t->pool);
    brski_facts_t *f;

    database_device(t->db, "next door", "E1", "router");
    f = database_facts(other, "E1", "e1", NOW, t->pool);
    ok(!f->stored && f->outstanding->nelts == 0 && device_of(f, 0)->head_seq == 0,
       "%s: a tenant sees nothing of another's events", t->d);
    is_str(brski_store_tenant(other), "next door", "%s: a store is one tenant's", t->d);
}

/* ---- customers ---- */

static brski_identity_t *identity(apr_pool_t *pool, const char *const *keys)
{
    brski_identity_t *id = apr_pcalloc(pool, sizeof(*id));

    id->keys = apr_array_make(pool, 4, sizeof(const char *));
    for (; *keys; keys++) {
        APR_ARRAY_PUSH(id->keys, const char *) = *keys;
    }
    return id;
}

static brski_customer_t *match(t_t *t, const char *const *keys)
{
    brski_identity_t *id = identity(t->pool, keys);
    brski_customer_t *customer, *same = NULL;
    brski_facts_t *f;

    is_ok(brski_store_customer(&customer, t->store, id, NOW, t->pool, t->pool), "%s: a match",
          t->d);
    is_ok(brski_store_facts(&f, t->store, "S1", "h0", id, NOW, t->pool, t->pool), "%s: in the read",
          t->d);
    same = f->customer;
    is_str(same ? same->name : NULL, customer ? customer->name : NULL, "%s: the same in both",
           t->d);
    return same;
}
#define MATCH(t, ...) match(t, (const char *const[]){ __VA_ARGS__, NULL })

static void add_customer(t_t *t, const char *name, const char *key)
{
    database_exec(t->db, STMT_CUSTOMER_PUT, t->tenant, name, NULL, "0");
    database_exec(t->db, STMT_CUSTOMER_KEY_PUT, t->tenant, key, name, NULL, "0");
    database_exec(t->db, STMT_POLICY_BUMP, t->tenant);
}

static void test_customers(t_t *t)
{
    brski_customer_t *c;
    brski_grant_t *g;
    apr_array_header_t *many = apr_array_make(t->pool, 20, sizeof(const char *));
    int i;

    add_customer(t, "alice", "spki:aa");
    add_customer(t, "bob", "ca:bb");
    database_exec(t->db, STMT_CUSTOMER_KEY_PUT, t->tenant, "user:alice", "alice", NULL, "0");
    database_exec(t->db, STMT_GRANT_PUT, t->tenant, "alice", "nonceless", "", "", "0");
    database_exec(t->db, STMT_GRANT_PUT, t->tenant, "alice", "pin", "router", "ee",
                  text_of(NOW + 1, t->pool));
    database_exec(t->db, STMT_GRANT_PUT, t->tenant, "alice", "downgrade", "", "",
                  text_of(NOW, t->pool));

    ok(!MATCH(t, "spki:cc"), "5.5.4 %s: a stranger's key", t->d);
    c = MATCH(t, "spki:cc", "spki:aa");
    is_str(c->name, "alice", "5.5.4 %s: a known key", t->d);
    is_str(c->matched, "spki:aa", "%s: which key", t->d);
    is_int(c->grants->nelts, 2, "%s: what was granted, and has not ended", t->d);
    g = APR_ARRAY_IDX(c->grants, 1, brski_grant_t *);
    ok(strcmp(g->what, "pin") == 0 && strcmp(g->value, "ee") == 0 && g->until == NOW + 1,
       "%s: with product, value and end", t->d);
    is_int(MATCH(t, "user:alice", "spki:aa")->grants->nelts, 2, "%s: two keys grant nothing twice",
           t->d);
    is_int(MATCH(t, "ca:bb")->grants->nelts, 0, "%s: nothing was granted", t->d);
    is_str(MATCH(t, "ca:bb", "spki:aa")->name, "alice", "%s: of several the first by name", t->d);
    is_int(facts_of(t, "S1", "h0")->policy_version, 2, "%s: the policy's version", t->d);

    database_exec(t->db, STMT_CUSTOMER_KEY_RETIRE, text_of(NOW + 1, t->pool), t->tenant, "ca:bb",
                  "bob");
    ok(MATCH(t, "ca:bb"), "5.5.4 %s: a key counts until it is retired", t->d);
    database_exec(t->db, STMT_CUSTOMER_KEY_RETIRE, text_of(NOW, t->pool), t->tenant, "ca:bb",
                  "bob");
    ok(!MATCH(t, "ca:bb"), "5.5.4 %s: a retired key is nobody's", t->d);

    ok(!MATCH(t, "dns:\xFF\xFE.example"), "%s: a name that is no text is nobody's, and no failure",
       t->d);
    is_str(MATCH(t, "dns:\xC3\x28", "spki:aa")->name, "alice", "%s: nor does it hide another key",
           t->d);
    for (i = 0; i < 20; i++) {
        APR_ARRAY_PUSH(many, const char *) = apr_psprintf(t->pool, "spki:%02d", i);
    }
    APR_ARRAY_PUSH(many, const char *) = NULL;
    ok(!match(t, (const char *const *)many->elts), "%s: more keys than are used", t->d);
    ok(!match(t, (const char *const[]){ NULL }), "%s: no key", t->d);
}

/* ---- evidence ---- */

static void test_fresh_use(t_t *t)
{
    int first = -1;

    is_ok(brski_store_fresh_use(&first, t->store, "f1", "k1", NOW, t->pool), "5.8 %s: fresh", t->d);
    is_int(first, 1, "5.8 %s: used the first time", t->d);
    brski_store_fresh_use(&first, t->store, "f1", "k1", NOW, t->pool);
    is_int(first, 1, "5.8 %s: again by the same TLS key", t->d);
    brski_store_fresh_use(&first, t->store, "f1", "k2", NOW, t->pool);
    is_int(first, 0, "5.8 %s: a copy with another key opens nothing", t->d);
    brski_store_fresh_use(&first, t->store, "f1", "", NOW, t->pool);
    is_int(first, 0, "5.8 %s: nor without one", t->d);
    brski_store_fresh_use(&first, t->store, "f2", NULL, NOW, t->pool);
    is_int(first, 1, "5.8 %s: the first without a key", t->d);
    brski_store_fresh_use(&first, t->store, "f2", "", NOW, t->pool);
    is_int(first, 0, "5.8 %s: the second may be anybody", t->d);
}

static brski_refusal_t *make_refusal(const char *id, apr_time_t at, apr_pool_t *pool)
{
    brski_refusal_t *r = apr_pcalloc(pool, sizeof(*r));

    r->request_id = id;
    r->at = at;
    r->operation = "requestvoucher";
    r->number = 1041;
    r->status = 403;
    r->public_text = "no";
    return r;
}

static apr_array_header_t *list_of(void *one, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(void *));

    APR_ARRAY_PUSH(list, void *) = one;
    return list;
}

static void test_refusals(t_t *t)
{
    brski_refusal_t *r = make_refusal("r1", NOW, t->pool), *back;
    brski_err_t *err;

    r->accept = "text/\xFF;q=\"1\"";
    r->content_type = "application/voucher-cms+json; x=\"\xC3\xA9\"";
    r->client_cert = brski_bytes("\0\1\2", 3);
    r->request = brski_bytes("\0junk\xFF", 6);
    is_ok(brski_store_refusals_put(t->store, list_of(r, t->pool), HOUR, t->pool), "%s: a refusal",
          t->d);
    err = brski_store_refusal_get(&back, t->store, "r1", t->pool, t->pool);
    is_ok(err, "%s: comes back", t->d);
    is_mem(back->request.data, back->request.len, "\0junk\xFF", 6, "%s: to the octet", t->d);
    is_mem(back->client_cert.data, back->client_cert.len, "\0\1\2", 3, "%s: with the certificate",
           t->d);
    is_int(back->client_chain.len, 0, "%s: and no chain", t->d);
    is_str(back->content_type, r->content_type, "%s: text as it was", t->d);
    is_str(back->accept, "text/\\xff;q=\\x221\\x22", "%s: what is no text is kept as shown", t->d);
    is_str(back->user, NULL, "%s: nobody", t->d);
    is_int(back->number, 1041, "%s: the rule", t->d);
    is_ok(brski_store_refusals_put(t->store, list_of(r, t->pool), HOUR, t->pool), "%s: again",
          t->d);
    is_ok(brski_store_refusal_get(&back, t->store, "nothing", t->pool, t->pool), "%s: no such",
          t->d);
    ok(back == NULL, "%s: is an answer", t->d);
}

static void test_expiry(t_t *t)
{
    brski_refusal_t *back;
    brski_row_t *row;
    int removed = -1, first;

    is_ok(brski_store_expire(&removed, t->store, NOW + HOUR - 1, t->pool), "%s: too early", t->d);
    is_int(removed, 0, "%s: nothing has expired", t->d);
    is_ok(brski_store_expire(&removed, t->store, NOW + HOUR, t->pool), "%s: later", t->d);
    is_int(removed, 1, "%s: the refusal has", t->d);
    brski_store_refusal_get(&back, t->store, "r1", t->pool, t->pool);
    ok(back == NULL, "%s: and is gone", t->d);
    brski_store_fresh_use(&first, t->store, "f1", "k9", NOW + HOUR, t->pool);
    is_int(first, 0, "5.8 %s: that a request was used is remembered longer", t->d);
    is_ok(brski_dbd_one(&row, t->db, STMT_FRESH_USE_GET, (const char *const[]){ t->tenant, "f1" },
                        t->pool, t->pool),
          "%s: by whom", t->d);
    is_str(brski_row_text(row, 0), "k1", "%s: the first", t->d);
}

/* More than is kept goes, the oldest first. */
static void test_trimming(t_t *t)
{
    brski_refusal_t r = { 0 }, *back;
    int removed = -1, i;

    for (i = 1; i <= 4; i++) {
        r.request_id = apr_psprintf(t->pool, "big%d", i);
        r.at = NOW + i;
        r.request = brski_bytes_str("0123456789");
        is_ok(brski_store_refusals_put(t->store, list_of(&r, t->pool), HOUR, t->pool),
              "%s: a refusal", t->d);
    }
    is_ok(brski_store_expire(&removed, t->store, NOW, t->pool), "%s: few", t->d);
    is_int(removed, 0, "%s: are kept", t->d);
    database_do(t->db, "UPDATE refusal SET octets = 100000000 + octets");
    is_ok(brski_store_expire(&removed, t->store, NOW, t->pool), "%s: what is too large", t->d);
    is_int(removed, 2, "%s: is removed", t->d);
    brski_store_refusal_get(&back, t->store, "big2", t->pool, t->pool);
    ok(back == NULL, "%s: the oldest first", t->d);
    brski_store_refusal_get(&back, t->store, "big3", t->pool, t->pool);
    ok(back != NULL, "%s: the others stay", t->d);
    database_do(t->db, "UPDATE refusal SET octets = 0");
    is_ok(brski_store_expire(&removed, t->store, NOW, t->pool), "%s: which are small", t->d);
    is_int(removed, 0, "%s: as long as they are few", t->d);
}

static void test_peers(t_t *t)
{
    brski_peer_t peer = { "p1", "192.0.2.1", "CN=\xFF" };
    brski_row_t *row;

    is_ok(brski_store_peers_put(t->store, list_of(&peer, t->pool), t->pool), "%s: a peer", t->d);
    is_ok(brski_store_peers_put(t->store, list_of(&peer, t->pool), t->pool), "%s: twice", t->d);
    brski_dbd_one(&row, t->db, STMT_EVENT_PEER_GET, (const char *const[]){ t->tenant, "p1" },
                  t->pool, t->pool);
    is_str(row ? brski_row_text(row, 0) : NULL, "192.0.2.1", "%s: its address", t->d);
    is_str(row ? brski_row_text(row, 1) : NULL, "CN=\\xff", "%s: its name", t->d);
}

/* ---- nodes and the schema ---- */

static void test_snapshot(t_t *t)
{
    brski_row_t *row;

    is_ok(brski_store_snapshot_put(t->store, "n1", "{\"a\":1}", "h1", NOW, t->pool),
          "%s: published", t->d);
    is_ok(brski_store_snapshot_put(t->store, "n1", "{\"a\":2}", "h2", NOW, t->pool), "%s: again",
          t->d);
    brski_dbd_one(&row, t->db, STMT_SNAPSHOT_GET, (const char *const[]){ t->tenant, "n1" }, t->pool,
                  t->pool);
    is_str(brski_row_text(row, 3), "{\"a\":2}", "%s: the last one stays", t->d);
}

static void test_schema(t_t *t)
{
    brski_err_t *err;

    is_ok(brski_store_schema_check(t->store, t->pool), "%s: the schema is the expected one", t->d);
    database_exec(t->db, STMT_SCHEMA_VERSION_PUT, "999", "from-the-future", "0");
    err = brski_store_schema_check(t->store, t->pool);
    is_err(err, STORE_SCHEMA, "%s: a newer schema", t->d);
    has_str(err->detail, "newer", "%s: is said to be newer", t->d);
    database_do(t->db, "DELETE FROM schema_version");
    err = brski_store_schema_check(t->store, t->pool);
    is_err(err, STORE_SCHEMA, "%s: no version", t->d);
    database_exec(t->db, STMT_SCHEMA_VERSION_PUT, "0", "from-the-past", "0");
    err = brski_store_schema_check(t->store, t->pool);
    is_err(err, STORE_SCHEMA, "%s: an older schema", t->d);
    has_str(err->detail, "masactl schema apply", "%s: what to do is said", t->d);
    database_do(t->db, "DELETE FROM schema_version");
    database_exec(t->db, STMT_SCHEMA_VERSION_PUT, "1", "masa", "0");
}

/* Its connections cannot be prepared, as mod_dbd's could not. */
static brski_err_t *lend_unprepared(brski_dbd_t **db, void *baton, apr_pool_t *pool)
{
    const database_t *database = baton;

    return brski_dbd_open(db, &brski_dbd_set_masa, database->name, database->params, pool);
}

static void take_back(brski_dbd_t *db, void *baton)
{
    (void)baton;
    brski_dbd_close(db);
}

static void test_empty(t_t *t)
{
    brski_store_host_t host = { lend_unprepared, take_back, database_empty(t->database, t->pool) };
    brski_store_t *store;
    brski_facts_t *facts;
    brski_err_t *err;

    brski_store_make(&store, "t", &host, t->database->dialect, 2, HOUR, t->ctx, t->pool);
    err = brski_store_schema_check(store, t->pool);
    is_err(err, STORE_SCHEMA, "%s: a database without tables", t->d);
    has_str(err->detail, "masactl schema apply", "%s: what to do is said", t->d);
    is_err(brski_store_facts(&facts, store, "S", "h", NULL, NOW, t->pool, t->pool), STORE_SCHEMA,
           "%s: a read without tables", t->d);
    ok(facts == NULL, "%s: gives nothing", t->d);
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *databases[] = { database_sqlite(pool), database_pgsql(pool) };
    t_t t = { 0 };
    int i;

    for (i = 0; i < 2; i++) {
        if (!databases[i]) {
            continue;
        }
        t.database = databases[i];
        t.d = databases[i]->name;
        t.tenant = "store test";
        t.pool = pool;
        t.ctx = unit_ctx(NOW, pool);
        t.db = database_open(t.database, pool);
        t.store = database_store(t.database, t.tenant, 2, t.ctx, pool);
        test_facts_devices(&t);
        test_facts_events(&t);
        test_customers(&t);
        test_guard(&t);
        test_other_head(&t);
        test_tenants(&t);
        test_fresh_use(&t);
        test_refusals(&t);
        test_expiry(&t);
        test_trimming(&t);
        test_peers(&t);
        test_snapshot(&t);
        test_schema(&t);
        test_empty(&t);
        brski_dbd_close(t.db);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
