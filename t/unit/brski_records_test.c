/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_test.c: a registrar's records on both databases: pledges, requests and leases,
 * verdicts, certificates and their CRLs, what waits for a human, notes, nodes, the schema.
 */
#include "brski_records.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_est_statements.h"
#include "database.h"
#include "unit.h"

#define NOW 1700000000000000
#define SECOND 1000000LL
#define HOUR (3600 * SECOND)
#define MAKER "Acme"

typedef struct t_t {
    const database_t *database;
    const char *d; /* its name, for labels */
    brski_dbd_t *db;
    brski_records_t *records;
    brski_ctx_t *ctx;
    apr_pool_t *pool;
} t_t;

static brski_bytes_t octets(const char *text)
{
    return brski_bytes_str(text);
}

/* A pledge that must be there. */
static brski_pledge_t *pledge_of(t_t *t, const char *serial)
{
    brski_pledge_t *p;

    is_ok(brski_records_pledge_get(&p, t->records, MAKER, serial, t->pool, t->pool),
          "%s: the pledge is read", t->d);
    if (!p) {
        bail_out("no pledge %s", serial);
    }
    return p;
}

static brski_pledge_t *new_pledge(t_t *t, const char *serial)
{
    brski_err_t *err = brski_records_pledge_seen(t->records, MAKER, serial, octets("cert"), "k1",
                                                 NOW, t->pool);

    if (err) {
        bail_out("%s", brski_err_text(err, t->pool));
    }
    return pledge_of(t, serial);
}

static void forward(t_t *t, const char *serial, const char *request, brski_verdict_t verdict)
{
    int done;

    is_ok(brski_records_pledge_voucher(&done, t->records, pledge_of(t, serial), request, verdict,
                                       NOW, t->pool),
          "%s: a voucher goes to the pledge", t->d);
    is_int(done, 1, "%s: and is noted", t->d);
}

static brski_request_t *make_request(const char *id, const char *serial, apr_pool_t *pool)
{
    brski_request_t *r = apr_pcalloc(pool, sizeof(*r));

    r->id = id;
    r->manufacturer = MAKER;
    r->serial_number = serial;
    r->idevid_spki = "k1";
    r->pvr = octets("pvr");
    r->rvr = octets("rvr");
    r->nonce = "nonce";
    r->accept = "application/voucher-cms+json";
    r->masa_url = "https://masa.example";
    r->created_at = NOW;
    return r;
}

static void put_request(t_t *t, const char *id, const char *serial, apr_time_t lease_until)
{
    int put;
    brski_request_t *r = make_request(id, serial, t->pool);
    brski_err_t *err = brski_records_request_put(&put, t->records, r, "n1", lease_until, t->pool);

    if (err || !put) {
        bail_out("request %s", id);
    }
}

static int finish(t_t *t, brski_request_t *r, const char *by, brski_task_t task, apr_time_t next_at)
{
    int done;

    r->task = task;
    r->next_at = next_at;
    is_ok(brski_records_request_done(&done, t->records, r, by, t->pool), "%s: %s is done", t->d,
          r->id);
    return done;
}

/* ---- pledges ---- */

static void test_seen(t_t *t)
{
    brski_pledge_t *p;

    is_ok(brski_records_pledge_get(&p, t->records, MAKER, "nobody", t->pool, t->pool),
          "%s: an unknown pledge", t->d);
    ok(!p, "%s: is none", t->d);
    p = new_pledge(t, "seen");
    is_str(p->manufacturer, MAKER, "%s: its manufacturer", t->d);
    is_str(p->serial_number, "seen", "%s: its serial-number", t->d);
    is_int(p->welcome, BRSKI_WELCOME_UNDECIDED, "%s: nobody has decided", t->d);
    is_int(p->verdict, BRSKI_VERDICT_NONE, "%s: nothing was judged", t->d);
    is_int(p->voucher_status, -1, "%s: nothing was heard of a voucher", t->d);
    is_int(p->enroll_status, -1, "%s: nor of an enrolment", t->d);
    is_str(p->idevid_spki, "k1", "%s: its key", t->d);
    is_mem(p->idevid.data, p->idevid.len, "cert", 4, "%s: its IDevID", t->d);
    is_int(p->first_seen_at, NOW, "%s: when it came first", t->d);
    ok(!p->request && !p->voucher_reason && !p->verdict_rule, "%s: what is not there is NULL",
       t->d);

    brski_records_pledge_seen(t->records, MAKER, "seen", octets("cert"), "k1", NOW + 59 * SECOND,
                              t->pool);
    is_int(pledge_of(t, "seen")->last_seen_at, NOW, "%s: within a minute nothing is written", t->d);
    brski_records_pledge_seen(t->records, MAKER, "seen", octets("cert"), "k1", NOW + 60 * SECOND,
                              t->pool);
    p = pledge_of(t, "seen");
    is_int(p->last_seen_at, NOW + 60 * SECOND, "%s: after a minute it is", t->d);
    is_int(p->first_seen_at, NOW, "%s: the first time stays", t->d);
    brski_records_pledge_seen(t->records, MAKER, "seen", octets("new"), "k2", NOW + 61 * SECOND,
                              t->pool);
    is_str(pledge_of(t, "seen")->idevid_spki, "k2", "%s: another IDevID is noted at once", t->d);
    is_int(pledge_of(t, "seen")->version, p->version, "%s: its version is not moved by that",
           t->d);
}

static void test_welcome(t_t *t)
{
    apr_int64_t version;
    brski_pledge_t *p;

    is_ok(brski_records_pledge_welcome(t->records, MAKER, "guest", BRSKI_WELCOME_ALLOWED, -1,
                                       "alice", NOW, t->pool),
          "%s: a device that never came is allowed", t->d);
    p = pledge_of(t, "guest");
    is_int(p->welcome, BRSKI_WELCOME_ALLOWED, "%s: it is welcome", t->d);
    is_str(p->welcome_by, "alice", "%s: by whom", t->d);
    is_int(p->attested, 0, "%s: not attested", t->d);
    is_int(p->first_seen_at, 0, "%s: it never came", t->d);
    version = p->version;
    brski_records_pledge_welcome(t->records, MAKER, "guest", BRSKI_WELCOME_ALLOWED, 1, "bob", NOW,
                                 t->pool);
    is_int(pledge_of(t, "guest")->attested, 1, "%s: attested", t->d);
    brski_records_pledge_welcome(t->records, MAKER, "guest", BRSKI_WELCOME_REFUSED, -1, "bob", NOW,
                                 t->pool);
    p = pledge_of(t, "guest");
    is_int(p->attested, 1, "%s: -1 leaves it", t->d);
    is_int(p->welcome, BRSKI_WELCOME_REFUSED, "%s: refused", t->d);
    is_int(p->version, version + 2, "%s: each word moves the version", t->d);
    brski_records_pledge_seen(t->records, MAKER, "guest", octets("c"), "k", NOW + 5, t->pool);
    p = pledge_of(t, "guest");
    is_int(p->first_seen_at, NOW + 5, "%s: then it comes", t->d);
    is_int(p->welcome, BRSKI_WELCOME_REFUSED, "%s: and is still refused", t->d);
}

static void test_voucher(t_t *t)
{
    brski_pledge_t *before = new_pledge(t, "V"), *p;
    brski_request_t *r;
    int done;

    is_ok(brski_records_pledge_status(&done, t->records, MAKER, "V", "voucher", 1, NULL, NOW,
                                      t->pool),
          "%s: telemetry without a voucher", t->d);
    is_int(done, 0, "5.7 %s: does not count", t->d);
    put_request(t, "r1", "V", NOW);
    forward(t, "V", "r1", BRSKI_VERDICT_PENDING);
    brski_records_pledge_seen(t->records, MAKER, "V", octets("c2"), "k2", NOW, t->pool);
    p = pledge_of(t, "V");
    is_str(p->voucher_spki, "k1", "5.9 %s: and whose key asked for it, whoever knocks later", t->d);
    is_str(p->request, "r1", "%s: the request is the current one", t->d);
    is_int(p->voucher_at, NOW, "%s: since when", t->d);
    is_int(p->verdict, BRSKI_VERDICT_PENDING, "%s: its verdict", t->d);
    brski_records_pledge_voucher(&done, t->records, before, "r2", BRSKI_VERDICT_GOOD, NOW, t->pool);
    is_int(done, 0, "%s: who read an older version does not overwrite it", t->d);

    brski_records_pledge_status(&done, t->records, MAKER, "V", "voucher", 0, "no \xff", NOW + 1,
                                t->pool);
    is_int(done, 1, "5.7 %s: the pledge refuses its voucher", t->d);
    brski_records_pledge_status(&done, t->records, MAKER, "V", "enroll", 1, "fine", NOW + 2,
                                t->pool);
    p = pledge_of(t, "V");
    is_int(p->voucher_status, 0, "5.7 %s: that is kept", t->d);
    is_str(p->voucher_reason, "no \\xff", "%s: with its reason, fit to be shown", t->d);
    is_int(p->voucher_status_at, NOW + 1, "%s: and its time", t->d);
    is_int(p->enroll_status, 1, "5.9.4 %s: so is the status of its enrolment", t->d);

    brski_records_pledge_voucher(&done, t->records, before, "r1", BRSKI_VERDICT_GOOD, NOW + 9,
                                 t->pool);
    is_int(done, 1, "%s: the same voucher again", t->d);
    is_int(pledge_of(t, "V")->voucher_status, 0, "%s: leaves what was heard", t->d);
    is_int(pledge_of(t, "V")->voucher_at, NOW, "%s: and when it came", t->d);
    brski_records_pledge_voucher(&done, t->records, pledge_of(t, "V"), "r2", BRSKI_VERDICT_GOOD,
                                 NOW + 9, t->pool);
    is_int(done, 1, "%s: another voucher", t->d);
    p = pledge_of(t, "V");
    is_int(p->voucher_status, -1, "%s: begins anew", t->d);
    is_int(p->enroll_status, -1, "%s: in all", t->d);
    ok(!p->voucher_reason, "%s: without the old reason", t->d);
    brski_records_request_get(&r, t->records, "r1", t->pool, t->pool);
    finish(t, r, "n1", BRSKI_TASK_NONE, 0);
}

static void judge(t_t *t, const char *request, brski_verdict_t verdict, const char *log,
                  apr_time_t at, int own)
{
    int done;

    is_ok(brski_records_verdict_put(&done, t->records, MAKER, "J", request, verdict, "rule", "text",
                                    octets(log), at, t->pool),
          "5.8.3 %s: a verdict over %s", t->d, request);
    is_int(done, own, "%s: is the pledge's own: %d", t->d, own);
}

static void test_verdicts(t_t *t)
{
    apr_array_header_t *list;
    const brski_judged_t *j;
    apr_int64_t version;
    int i, done;

    version = new_pledge(t, "J")->version;
    judge(t, "r1", BRSKI_VERDICT_WARN, "early", NOW, 0);
    is_int(pledge_of(t, "J")->verdict, BRSKI_VERDICT_NONE, "%s: the pledge has no voucher yet",
           t->d);
    ok(pledge_of(t, "J")->version > version, "%s: who is forwarding it will read again", t->d);
    forward(t, "J", "r2", BRSKI_VERDICT_PENDING);
    judge(t, "r1", BRSKI_VERDICT_GOOD, "old", NOW + 1, 0);
    is_int(pledge_of(t, "J")->verdict, BRSKI_VERDICT_PENDING, "%s: of another voucher", t->d);
    judge(t, "r2", BRSKI_VERDICT_BAD, "", NOW + 2, 1);
    is_int(pledge_of(t, "J")->verdict, BRSKI_VERDICT_BAD, "5.8.3 %s: of this one", t->d);
    is_str(pledge_of(t, "J")->verdict_rule, "rule", "%s: and why", t->d);

    brski_records_verdicts(&list, t->records, MAKER, "J", t->pool, t->pool);
    is_int(list->nelts, 3, "%s: the history has all", t->d);
    j = APR_ARRAY_IDX(list, 0, brski_judged_t *);
    is_int(j->verdict, BRSKI_VERDICT_BAD, "%s: the newest first", t->d);
    is_int(j->log.len, 0, "%s: without a log", t->d);
    j = APR_ARRAY_IDX(list, 2, brski_judged_t *);
    is_mem(j->log.data, j->log.len, "early", 5, "%s: the log as it came", t->d);
    is_str(j->request, "r1", "%s: of which request", t->d);

    for (i = 0; i < 110; i++) {
        brski_records_verdict_put(&done, t->records, MAKER, "J", "r2", BRSKI_VERDICT_GOOD, NULL,
                                  NULL, octets("x"), NOW + 10 + i, t->pool);
    }
    brski_records_verdicts(&list, t->records, MAKER, "J", t->pool, t->pool);
    is_int(list->nelts, 100, "%s: the history is bounded", t->d);
    is_int(APR_ARRAY_IDX(list, 0, brski_judged_t *)->at, NOW + 119, "%s: by its oldest", t->d);
    is_str(brski_verdict_text(BRSKI_VERDICT_PENDING), "pending", "verdicts have names");
}

static void test_pledges(t_t *t)
{
    brski_records_t *other = database_records(t->database, "list", 1, t->ctx, t->pool);
    apr_array_header_t *list;
    int i;

    for (i = 0; i < 5; i++) {
        brski_records_pledge_seen(other, i < 3 ? "A" : "B", apr_psprintf(t->pool, "%d", i),
                                  octets("c"), "k", NOW, t->pool);
    }
    brski_records_pledges(&list, other, "", "", 4, t->pool, t->pool);
    is_int(list->nelts, 4, "%s: so many pledges as were asked for", t->d);
    is_str(APR_ARRAY_IDX(list, 3, brski_pledge_t *)->manufacturer, "B", "%s: in order", t->d);
    brski_records_pledges(&list, other, "B", "3", 4, t->pool, t->pool);
    is_int(list->nelts, 1, "%s: the rest after them", t->d);
    is_str(APR_ARRAY_IDX(list, 0, brski_pledge_t *)->serial_number, "4",
           "%s: and no other tenant's", t->d);
}

/* ---- requests ---- */

static brski_request_t *take(t_t *t, const char *by, apr_time_t now)
{
    brski_request_t *r;

    is_ok(brski_records_request_take(&r, t->records, by, now, now + HOUR, t->pool, t->pool),
          "%s: %s looks for work", t->d, by);
    return r;
}

static void test_request(t_t *t)
{
    brski_request_t *r;
    int put;

    is_ok(brski_records_request_get(&r, t->records, "none", t->pool, t->pool),
          "%s: an unknown request", t->d);
    ok(!r, "%s: is none", t->d);
    put_request(t, "q1", "Q", NOW + HOUR);
    brski_records_request_put(&put, t->records, make_request("q1", "other", t->pool), "n2",
                              NOW + HOUR, t->pool);
    is_int(put, 0, "%s: the same again is there already", t->d);
    brski_records_request_get(&r, t->records, "q1", t->pool, t->pool);
    is_str(r->serial_number, "Q", "%s: the first stays", t->d);
    is_int(r->task, BRSKI_TASK_VOUCHER, "%s: the MASA is to be asked", t->d);
    is_str(r->lease_by, "n1", "%s: by who made it", t->d);
    is_int(r->lease_until, NOW + HOUR, "%s: until then", t->d);
    is_mem(r->pvr.data, r->pvr.len, "pvr", 3, "%s: the pledge's request", t->d);
    is_mem(r->rvr.data, r->rvr.len, "rvr", 3, "%s: and ours", t->d);
    is_int(r->voucher.len, 0, "%s: no voucher yet", t->d);
    is_str(r->nonce, "nonce", "%s: its nonce", t->d);
    ok(!take(t, "n2", NOW + HOUR - 1), "%s: nobody else gets it while it is leased", t->d);

    r->status = 200;
    r->voucher = octets("voucher");
    r->voucher_type = "application/voucher-cms+json";
    r->detail = "got it";
    r->attempts = 3;
    r->answered_at = NOW + 7;
    is_int(finish(t, r, "n1", BRSKI_TASK_NONE, 0), 1, "%s: who holds it writes back", t->d);
    is_int(finish(t, r, "n1", BRSKI_TASK_NONE, 0), 0, "%s: once", t->d);
    brski_records_request_get(&r, t->records, "q1", t->pool, t->pool);
    is_mem(r->voucher.data, r->voucher.len, "voucher", 7, "%s: the voucher is there", t->d);
    is_int(r->status, 200, "%s: the status", t->d);
    is_str(r->detail, "got it", "%s: what happened", t->d);
    is_int(r->attempts, 3, "%s: how often", t->d);
    is_int(r->answered_at, NOW + 7, "%s: when", t->d);
    ok(!r->lease_by && !r->lease_until, "%s: nobody holds it", t->d);
    ok(!take(t, "n2", NOW + 10 * HOUR), "%s: there is no more work in it", t->d);
}

static void test_lease(t_t *t)
{
    brski_request_t *old, *taken;

    put_request(t, "l1", "L1", NOW + HOUR);
    put_request(t, "l2", "L2", NOW + HOUR);
    brski_records_request_get(&old, t->records, "l1", t->pool, t->pool);
    taken = take(t, "n2", NOW + HOUR);
    is_str(taken->id, "l1", "%s: a lease that ran out is taken over", t->d);
    is_str(taken->lease_by, "n2", "%s: by the taker", t->d);
    is_int(taken->lease_until, NOW + 2 * HOUR, "%s: until then", t->d);
    is_mem(taken->rvr.data, taken->rvr.len, "rvr", 3, "%s: with all that is needed", t->d);
    is_int(finish(t, old, "n1", BRSKI_TASK_NONE, 0), 0, "%s: who lost it does not write", t->d);
    old->lease_until = taken->lease_until;
    is_int(finish(t, old, "n1", BRSKI_TASK_NONE, 0), 0, "%s: whatever it says", t->d);
    is_int(finish(t, taken, "n2", BRSKI_TASK_AUDIT, NOW + 3 * HOUR), 1, "%s: the taker does", t->d);
    taken = take(t, "n2", NOW + HOUR);
    is_str(taken->id, "l2", "%s: the next is the other", t->d);
    finish(t, taken, "n2", BRSKI_TASK_NONE, 0);
    ok(!take(t, "n2", NOW + 3 * HOUR - 1), "%s: what is not due is not taken", t->d);
    taken = take(t, "n2", NOW + 3 * HOUR);
    is_int(taken->task, BRSKI_TASK_AUDIT, "%s: when it is due it is", t->d);
    finish(t, taken, "n2", BRSKI_TASK_NONE, 0);
}

/* The same process takes a row again that it has lost: its first thread must not write. */
static void test_lease_of_one_node(t_t *t)
{
    brski_request_t *first, *second;

    put_request(t, "o1", "O", NOW);
    first = take(t, "n1", NOW);
    second = take(t, "n1", NOW + HOUR);
    is_int(finish(t, first, "n1", BRSKI_TASK_NONE, 0), 0, "%s: a lease is one of a time", t->d);
    is_int(finish(t, second, "n1", BRSKI_TASK_NONE, 0), 1, "%s: the later one holds", t->d);
}

static void test_release(t_t *t)
{
    brski_request_t *r;
    int released;

    put_request(t, "y1", "Y", NOW + HOUR);
    is_ok(brski_records_request_release(&released, t->records, "n2", NOW, t->pool),
          "%s: somebody who holds nothing ends", t->d);
    is_int(released, 0, "%s: and ends no lease", t->d);
    brski_records_request_release(&released, t->records, "n1", NOW, t->pool);
    is_int(released, 1, "%s: who holds something ends its lease", t->d);
    r = take(t, "n2", NOW);
    is_str(r ? r->id : NULL, "y1", "%s: others have it at once", t->d);
    finish(t, r, "n2", BRSKI_TASK_NONE, 0);
}

static void is_woken(t_t *t, const char *serial, int want, const char *what)
{
    int woken;

    is_ok(brski_records_request_wake(&woken, t->records, MAKER, serial, NOW + 5, t->pool),
          "%s: waking %s", t->d, what);
    is_int(woken, want, "%s: %d of them", t->d, want);
}

static void test_wake(t_t *t)
{
    brski_request_t *r;

    put_request(t, "w1", "W", NOW);
    finish(t, take(t, "n1", NOW), "n1", BRSKI_TASK_HUMAN, NOW + 9 * HOUR);
    ok(!take(t, "n1", NOW + HOUR), "%s: what waits for a human is not looked at", t->d);
    is_woken(t, "other", 0, "another device");
    is_woken(t, "W", 1, "the device");
    r = take(t, "n1", NOW + 5);
    is_str(r ? r->id : NULL, "w1", "%s: it is due then", t->d);

    is_woken(t, NULL, 1, "what is being worked on");
    is_int(finish(t, r, "n1", BRSKI_TASK_HUMAN, NOW + 9 * HOUR), 1, "%s: and parked again", t->d);
    r = take(t, "n1", NOW + 5);
    is_str(r ? r->id : NULL, "w1", "%s: is looked at once more", t->d);
    finish(t, r, "n1", BRSKI_TASK_HUMAN, NOW + 9 * HOUR);
    ok(!take(t, "n1", NOW + HOUR), "%s: and only once", t->d);

    is_woken(t, NULL, 1, "all of a manufacturer");
    finish(t, take(t, "n1", NOW + 5), "n1", BRSKI_TASK_TELEMETRY, NOW + HOUR);
    is_woken(t, NULL, 0, "what waits for telemetry, by manufacturer");
    is_woken(t, "W", 1, "what waits for the device's telemetry");
    finish(t, take(t, "n1", NOW + 5), "n1", BRSKI_TASK_RECHECK, NOW + HOUR);
    is_woken(t, "W", 0, "what will be looked at again some day");
    finish(t, take(t, "n1", NOW + HOUR), "n1", BRSKI_TASK_NONE, 0);

    put_request(t, "w2", "W2", NOW + HOUR);
    brski_records_request_get(&r, t->records, "w2", t->pool, t->pool);
    is_woken(t, NULL, 1, "a manufacturer of whom a MASA is being asked");
    finish(t, r, "n1", BRSKI_TASK_HUMAN, NOW + 9 * HOUR);
    r = take(t, "n1", NOW + 5);
    is_str(r ? r->id : NULL, "w2", "%s: what is parked then is looked at once more", t->d);
    finish(t, r, "n1", BRSKI_TASK_NONE, 0);
}

static void test_work(t_t *t)
{
    brski_work_t work;

    is_ok(brski_records_work(&work, t->records, NOW + HOUR, t->pool), "%s: no work", t->d);
    is_int(work.oldest_due_at, 0, "%s: nothing is due", t->d);
    put_request(t, "k1", "K1", NOW + HOUR);
    put_request(t, "k2", "K2", NOW + HOUR);
    brski_records_work(&work, t->records, NOW, t->pool);
    is_int(work.waiting[BRSKI_TASK_VOUCHER], 2, "%s: two vouchers to fetch", t->d);
    is_int(work.waiting[BRSKI_TASK_HUMAN], 0, "%s: nobody waits for a human", t->d);
    is_int(work.oldest_due_at, 0, "%s: all of it is in somebody's hands", t->d);
    brski_records_work(&work, t->records, NOW + HOUR, t->pool);
    is_int(work.oldest_due_at, NOW, "%s: until the leases run out", t->d);
    finish(t, take(t, "n1", NOW + HOUR), "n1", BRSKI_TASK_NONE, 0);
    finish(t, take(t, "n1", NOW + HOUR), "n1", BRSKI_TASK_NONE, 0);
}

static void test_request_expire(t_t *t)
{
    brski_request_t *r;
    int removed;

    put_request(t, "x1", "X", NOW + HOUR);
    is_ok(brski_records_request_expire(&removed, t->records, NOW, t->pool), "%s: none is older",
          t->d);
    is_int(removed, 0, "%s: none goes", t->d);
    brski_records_request_expire(&removed, t->records, NOW + 1, t->pool);
    ok(removed > 0, "%s: old answers go", t->d);
    brski_records_request_get(&r, t->records, "q1", t->pool, t->pool);
    ok(!r, "%s: as this one", t->d);
    brski_records_request_get(&r, t->records, "x1", t->pool, t->pool);
    ok(r != NULL, "%s: what is still to be done stays", t->d);
    finish(t, r, "n1", BRSKI_TASK_NONE, 0);
}

/* ---- certificates ---- */

static brski_issued_t *make_certificate(const char *serial, const char *key, apr_pool_t *pool)
{
    brski_issued_t *c = apr_pcalloc(pool, sizeof(*c));

    c->ca = "ca1";
    c->serial = serial;
    c->label = "";
    c->request_key = key;
    c->subject = "CN=x";
    c->spki = "ab";
    c->manufacturer = MAKER;
    c->serial_number = "C";
    c->user = "";
    c->not_before = NOW;
    c->not_after = NOW + HOUR;
    c->issued_at = NOW;
    c->der = octets("der");
    return c;
}

static int put(t_t *t, const char *serial, const char *key, const brski_pledge_t *pledge,
               apr_time_t now)
{
    brski_issued_t *c = make_certificate(serial, key, t->pool);
    int done;

    c->not_after = now + HOUR;
    is_ok(brski_records_certificate_put(&done, t->records, c, pledge, now, t->pool),
          "%s: certificate %s", t->d, serial);
    return done;
}

static const char *same(t_t *t, const char *key, apr_time_t now)
{
    brski_issued_t *c;

    is_ok(brski_records_certificate_same(&c, t->records, key, now, t->pool, t->pool),
          "%s: whose is %s", t->d, key);
    return c ? c->serial : NULL;
}

static void test_certificate(t_t *t)
{
    brski_issued_t *c;
    int done;

    is_str(same(t, "key", NOW), NULL, "%s: nothing was issued", t->d);
    is_int(put(t, "01", "key", NULL, NOW), 1, "%s: the first is issued", t->d);
    is_int(put(t, "02", "key", NULL, NOW), 0, "%s: a second for the same request is not", t->d);
    is_int(put(t, "01", "key2", NULL, NOW), 0, "%s: a serial number is used once", t->d);
    is_int(put(t, "03", "key3", NULL, NOW), 1, "%s: another request gets another", t->d);
    is_str(same(t, "key", NOW), "01", "%s: the first is the one", t->d);
    is_str(same(t, "key", NOW + HOUR), NULL, "%s: until it expires", t->d);
    is_int(put(t, "04", "key", NULL, NOW + HOUR), 1, "%s: then another is issued", t->d);
    is_str(same(t, "key", NOW + HOUR), "04", "%s: and is the one", t->d);
    brski_records_certificate_revoke(&done, t->records, "ca1", "04", 1, NOW + HOUR, t->pool);
    is_int(done, 1, "%s: it is revoked", t->d);
    is_str(same(t, "key", NOW + HOUR), NULL, "%s: a revoked one is none", t->d);
    is_int(put(t, "05", "key", NULL, NOW + HOUR), 1, "%s: another follows it", t->d);
    is_int(put(t, "06", "key", NULL, NOW + HOUR), 0, "%s: and only one", t->d);

    brski_records_certificate_get(&c, t->records, "ca1", "04", t->pool, t->pool);
    is_int(c->revoked_at, NOW + HOUR, "%s: when it was revoked", t->d);
    is_int(c->reason, 1, "%s: why", t->d);
    is_mem(c->der.data, c->der.len, "der", 3, "%s: the certificate itself", t->d);
    is_str(c->subject, "CN=x", "%s: its subject", t->d);
    brski_records_certificate_get(&c, t->records, "ca2", "04", t->pool, t->pool);
    ok(!c, "%s: another CA's is another", t->d);
}

static void test_guard(t_t *t)
{
    brski_pledge_t *p = new_pledge(t, "C");
    int done;

    is_int(put(t, "11", "guarded", p, NOW), 1, "%s: for a device as it was read", t->d);
    forward(t, "C", "rc", BRSKI_VERDICT_PENDING);
    is_int(put(t, "12", "guarded2", p, NOW), 0, "5.9 %s: not when something moved", t->d);
    is_str(same(t, "guarded2", NOW), NULL, "%s: nothing is written", t->d);
    p = pledge_of(t, "C");
    brski_records_verdict_put(&done, t->records, MAKER, "C", "rc", BRSKI_VERDICT_BAD, "r", "t",
                              octets(""), NOW, t->pool);
    is_int(put(t, "12", "guarded2", p, NOW), 0, "5.8.3 %s: nor when the verdict came meanwhile",
           t->d);
    is_int(put(t, "12", "guarded", pledge_of(t, "C"), NOW), 0, "%s: one request, one certificate",
           t->d);
}

static void test_lists(t_t *t)
{
    apr_array_header_t *list;

    brski_records_certificates(&list, t->records, "", "", NULL, NULL, 3, t->pool, t->pool);
    is_int(list->nelts, 3, "%s: so many certificates as were asked for", t->d);
    is_str(APR_ARRAY_IDX(list, 2, brski_issued_t *)->serial, "04", "%s: in order", t->d);
    brski_records_certificates(&list, t->records, "ca1", "05", MAKER, NULL, 9, t->pool, t->pool);
    is_int(list->nelts, 1, "%s: the rest", t->d);
    is_str(APR_ARRAY_IDX(list, 0, brski_issued_t *)->serial, "11", "%s: after them", t->d);
    brski_records_certificates(&list, t->records, "", "", "nobody", NULL, 9, t->pool, t->pool);
    is_int(list->nelts, 0, "%s: of a manufacturer", t->d);
    brski_records_certificates(&list, t->records, "ca1", "03", MAKER, "C", 9, t->pool, t->pool);
    is_int(list->nelts, 3, "%s: of a device", t->d);
    brski_records_certificates(&list, t->records, "", "", MAKER, "D", 9, t->pool, t->pool);
    is_int(list->nelts, 0, "%s: of another", t->d);
}

static brski_crl_row_t *crl_of(t_t *t, const char *ca)
{
    brski_crl_row_t *crl;

    is_ok(brski_records_crl_get(&crl, t->records, ca, t->pool, t->pool), "%s: the CRL of %s", t->d,
          ca);
    return crl;
}

static int put_crl(t_t *t, apr_int64_t number, apr_int64_t revocations)
{
    brski_crl_row_t crl = { .ca = "ca1", .number = number, .this_update = NOW,
                            .next_update = NOW + HOUR, .revocations = revocations };
    int done;

    crl.der = octets("crl");
    is_ok(brski_records_crl_put(&done, t->records, &crl, t->pool), "%s: CRL %d", t->d,
          (int)number);
    return done;
}

static void test_crl(t_t *t)
{
    brski_crl_row_t *crl = crl_of(t, "nobody");

    is_int(crl->number, 0, "%s: a CA without CRL", t->d);
    is_int(crl->revocations_now, 0, "%s: and without revocations", t->d);
    crl = crl_of(t, "ca1");
    is_int(crl->number, 0, "%s: none was made", t->d);
    is_int(crl->revocations_now, 1, "%s: there is something to put on it", t->d);
    is_int(crl->newest_revocation_at, NOW + HOUR, "%s: since when", t->d);
    is_int(put_crl(t, 1, 1), 1, "%s: the first", t->d);
    is_int(put_crl(t, 1, 1), 0, "%s: a number is used once", t->d);
    is_int(put_crl(t, 2, 1), 1, "%s: the next", t->d);
    is_int(put_crl(t, 1, 1), 0, "%s: there is no way back", t->d);
    crl = crl_of(t, "ca1");
    is_int(crl->number, 2, "%s: the last is kept", t->d);
    is_int(crl->revocations, crl->revocations_now, "%s: it is complete", t->d);
    is_int(crl->next_update, NOW + HOUR, "%s: for how long", t->d);
    is_mem(crl->der.data, crl->der.len, "crl", 3, "%s: the CRL itself", t->d);
}

static void test_revoke(t_t *t)
{
    apr_array_header_t *list;
    int done;

    brski_records_certificate_revoke(&done, t->records, "ca1", "04", 4, NOW, t->pool);
    is_int(done, 0, "%s: nothing is revoked twice", t->d);
    brski_records_certificate_revoke(&done, t->records, "ca1", "ff", 4, NOW, t->pool);
    is_int(done, 0, "%s: nor what is not there", t->d);
    is_int(crl_of(t, "ca1")->revocations_now, 1, "%s: that is not counted", t->d);
    is_ok(brski_records_certificate_revoke_device(&done, t->records, MAKER, "C", 4,
                                                  NOW + HOUR, t->pool),
          "%s: all of a device", t->d);
    is_int(done, 1, "%s: what is alive", t->d);
    ok(crl_of(t, "ca1")->revocations_now > crl_of(t, "ca1")->revocations,
       "%s: the CRL is not complete any more", t->d);
    brski_records_certificate_revoke_device(&done, t->records, MAKER, "C", 4, NOW + HOUR, t->pool);
    is_int(done, 0, "%s: once", t->d);
    brski_records_certificate_revoked(&list, t->records, "ca1", NOW + HOUR, t->pool, t->pool);
    is_int(list->nelts, 2, "%s: what belongs on the CRL", t->d);
    is_int(APR_ARRAY_IDX(list, 0, brski_issued_t *)->revoked_at, NOW + HOUR, "%s: since when",
           t->d);
    is_int(APR_ARRAY_IDX(list, 0, brski_issued_t *)->der.len, 0, "%s: without the certificate",
           t->d);
    brski_records_certificate_revoked(&list, t->records, "ca1", NOW + 2 * HOUR, t->pool, t->pool);
    is_int(list->nelts, 0, "%s: expired ones leave it", t->d);
}

/* ---- humans ---- */

static void test_approvals(t_t *t)
{
    brski_approval_t asked = { .request_key = "a1", .label = "iot", .requester = "user bob",
                               .created_at = NOW };
    brski_approval_t *a;
    apr_array_header_t *list;
    int done;

    asked.csr = octets("csr");
    is_ok(brski_records_approval(&a, t->records, &asked, t->pool, t->pool),
          "7030 4.2.3 %s: an enrolment waits for a human", t->d);
    is_str(a->state, "waiting", "%s: it waits", t->d);
    is_mem(a->csr.data, a->csr.len, "csr", 3, "%s: what was asked for", t->d);
    is_str(a->requester, "user bob", "%s: by whom", t->d);
    asked.created_at = NOW + 5;
    brski_records_approval(&a, t->records, &asked, t->pool, t->pool);
    is_int(a->created_at, NOW, "%s: asked again it is the same", t->d);
    brski_records_approvals(&list, t->records, "waiting", t->pool, t->pool);
    is_int(list->nelts, 1, "%s: those that wait", t->d);
    brski_records_approval_decide(&done, t->records, "a1", 1, "alice", NOW + 6, t->pool);
    is_int(done, 1, "%s: a human decides", t->d);
    brski_records_approval_decide(&done, t->records, "a2", 1, "alice", NOW + 6, t->pool);
    is_int(done, 0, "%s: only what was asked", t->d);
    brski_records_approval(&a, t->records, &asked, t->pool, t->pool);
    is_str(a->state, "approved", "%s: approved", t->d);
    is_str(a->by, "alice", "%s: by whom", t->d);
    is_int(a->decided_at, NOW + 6, "%s: when", t->d);
    brski_records_approvals(&list, t->records, "waiting", t->pool, t->pool);
    is_int(list->nelts, 0, "%s: nothing waits", t->d);
}

static brski_first_use_t *show(t_t *t, const char *purpose, const char *spki)
{
    brski_first_use_t shown = { .manufacturer = MAKER, .purpose = purpose, .spki = spki,
                                .host = "masa.example", .first_seen_at = NOW }, *known = NULL;
    brski_err_t *err;

    shown.chain = apr_array_make(t->pool, 2, sizeof(brski_bytes_t));
    APR_ARRAY_PUSH(shown.chain, brski_bytes_t) = octets("leaf");
    APR_ARRAY_PUSH(shown.chain, brski_bytes_t) = octets("root");
    err = brski_records_first_use(&known, t->records, &shown, t->pool, t->pool);
    if (err && err->code != BRSKI_E_LIMIT) {
        bail_out("%s", brski_err_text(err, t->pool));
    }
    return known;
}

static void test_first_use(t_t *t)
{
    brski_first_use_t *u = show(t, "tls", "s0");
    apr_array_header_t *list;
    brski_bytes_t root;
    int done, i;

    is_str(u->state, "waiting", "%s: an unknown anchor waits", t->d);
    is_int(u->chain->nelts, 2, "%s: its chain", t->d);
    root = APR_ARRAY_IDX(u->chain, 1, brski_bytes_t);
    is_mem(root.data, root.len, "root", 4, "%s: in order", t->d);
    brski_records_first_use_decide(&done, t->records, MAKER, "tls", "s0", "approved", "alice", NOW,
                                   t->pool);
    is_int(done, 1, "%s: a human decides", t->d);
    is_str(show(t, "tls", "s0")->state, "approved", "%s: shown again it is approved", t->d);
    is_str(show(t, "tls", "s0")->by, "alice", "%s: by whom", t->d);
    is_str(show(t, "voucher", "s0")->state, "waiting", "%s: for one purpose", t->d);
    for (i = 1; i < 32; i++) {
        ok(show(t, "tls", apr_psprintf(t->pool, "s%d", i)) != NULL, "%s: anchor %d", t->d, i);
    }
    ok(!show(t, "tls", "one more"), "%s: no more than 32 wait", t->d);
    ok(show(t, "tls", "s1") != NULL, "%s: those that wait are still known", t->d);
    brski_records_first_uses(&list, t->records, MAKER, "voucher", t->pool, t->pool);
    is_int(list->nelts, 1, "%s: those of a purpose", t->d);
    brski_records_first_uses(&list, t->records, NULL, NULL, t->pool, t->pool);
    is_int(list->nelts, 33, "%s: all", t->d);
    brski_records_first_uses(&list, t->records, "nobody", NULL, t->pool, t->pool);
    is_int(list->nelts, 0, "%s: of another manufacturer", t->d);
}

/* ---- the rest ---- */

static void add_note(t_t *t, const char *id, int alarm, const char *serial, apr_time_t at)
{
    brski_note_t note = { .at = at, .id = id, .kind = "test", .alarm = alarm,
                          .manufacturer = MAKER, .serial_number = serial, .text = "bad \xfe" };

    is_ok(brski_records_note_put(t->records, &note, t->pool), "%s: a note", t->d);
}

static void test_notes(t_t *t)
{
    apr_array_header_t *list;
    const brski_note_t *n;
    int removed;

    add_note(t, "n1", 0, "N", NOW);
    add_note(t, "n1", 0, "N", NOW);
    add_note(t, "n2", 1, "N", NOW + 1);
    add_note(t, "n3", 1, "M", NOW + 2);
    brski_records_notes(&list, t->records, NULL, NULL, 0, 9, t->pool, t->pool);
    is_int(list->nelts, 3, "%s: each note once", t->d);
    n = APR_ARRAY_IDX(list, 0, brski_note_t *);
    is_str(n->id, "n3", "%s: the newest first", t->d);
    is_str(n->text, "bad \\xfe", "%s: fit to be shown", t->d);
    is_int(n->alarm, 1, "%s: an alarm", t->d);
    brski_records_notes(&list, t->records, NULL, NULL, 1, 1, t->pool, t->pool);
    is_int(list->nelts, 1, "%s: so many alarms as were asked for", t->d);
    brski_records_notes(&list, t->records, MAKER, "N", 0, 9, t->pool, t->pool);
    is_int(list->nelts, 2, "%s: of a device", t->d);
    brski_records_notes(&list, t->records, MAKER, "N", 1, 9, t->pool, t->pool);
    is_int(list->nelts, 1, "%s: its alarms", t->d);
    is_ok(brski_records_note_expire(&removed, t->records, NOW + 2, t->pool), "%s: old notes go",
          t->d);
    is_int(removed, 2, "%s: two", t->d);
    brski_records_note_expire(&removed, t->records, NOW + 2, t->pool);
    is_int(removed, 0, "%s: the rest stays", t->d);
}

static void test_domain_ids(t_t *t)
{
    apr_array_header_t *list;

    is_ok(brski_records_domain_id_put(t->records, "aWQx", "CN=1", NOW, t->pool), "%s: a domainID",
          t->d);
    brski_records_domain_id_put(t->records, "aWQx", "CN=1", NOW + 1, t->pool);
    brski_records_domain_id_put(t->records, "aWQy", "CN=2", NOW + 1, t->pool);
    brski_records_domain_ids(&list, t->records, t->pool, t->pool);
    is_int(list->nelts, 2, "%s: each once", t->d);
    is_str(APR_ARRAY_IDX(list, 0, const char *), "aWQx", "%s: the oldest first", t->d);
}

static void test_nodes(t_t *t)
{
    apr_array_header_t *list;

    brski_records_snapshot_put(t->records, "n1", "{}", "h1", NOW, t->pool);
    is_ok(brski_records_snapshot_put(t->records, "n1", "{\"a\":1}", "h2", NOW + 1, t->pool),
          "%s: a node's configuration", t->d);
    brski_records_nodes(&list, t->records, t->pool, t->pool);
    is_int(list->nelts, 1, "%s: the last of each node", t->d);
    is_str(APR_ARRAY_IDX(list, 0, brski_node_t *)->json, "{\"a\":1}", "%s: as published", t->d);
    is_int(APR_ARRAY_IDX(list, 0, brski_node_t *)->published_at, NOW + 1, "%s: when", t->d);
}

static void test_schema(t_t *t)
{
    brski_err_t *err;

    is_ok(brski_records_schema_check(t->records, t->pool), "%s: the schema is the expected one",
          t->d);
    is_str(brski_records_tenant(t->records), "records test", "the tenant is known");
    database_exec(t->db, STMT_EST_SCHEMA_VERSION_PUT, "999", "from-the-future", "0");
    err = brski_records_schema_check(t->records, t->pool);
    is_err(err, STORE_SCHEMA, "%s: a newer schema", t->d);
    has_str(err->detail, "newer", "%s: is said to be newer", t->d);
    database_do(t->db, "DELETE FROM est_schema_version");
    err = brski_records_schema_check(t->records, t->pool);
    is_err(err, STORE_SCHEMA, "%s: no version", t->d);
    has_str(err->detail, "estctl schema apply", "%s: what to do is said", t->d);
    database_exec(t->db, STMT_EST_SCHEMA_VERSION_PUT, "1", "est", "0");
}

/* Its connections cannot be prepared, as mod_dbd's could not. */
static brski_err_t *lend_unprepared(brski_dbd_t **db, void *baton, apr_pool_t *pool)
{
    const database_t *database = baton;

    return brski_dbd_open(db, &brski_dbd_set_est, database->name, database->params, pool);
}

static void take_back(brski_dbd_t *db, void *baton)
{
    (void)baton;
    brski_dbd_close(db);
}

static void test_empty(t_t *t)
{
    brski_store_host_t host = { lend_unprepared, take_back, database_empty(t->database, t->pool) };
    brski_records_t *records;
    brski_pledge_t *p;
    brski_err_t *err;

    brski_records_make(&records, "t", &host, t->database->dialect, 2, HOUR, t->ctx, t->pool);
    err = brski_records_schema_check(records, t->pool);
    is_err(err, STORE_SCHEMA, "%s: a database without tables", t->d);
    has_str(err->detail, "estctl schema apply", "%s: what to do is said", t->d);
    is_err(brski_records_pledge_get(&p, records, MAKER, "S", t->pool, t->pool), STORE_SCHEMA,
           "%s: a read without tables", t->d);
    ok(p == NULL, "%s: gives nothing", t->d);
}

static void test_restart(t_t *t)
{
    brski_request_t *r;

    if (t->database->dialect != BRSKI_PGSQL) {
        return;
    }
    put_request(t, "restart", "R", NOW);
    database_restart(t->database);
    while (brski_records_request_take(&r, t->records, "n9", NOW, NOW + HOUR, t->pool, t->pool)) {
        apr_sleep(1000);
    }
    is_str(r ? r->id : NULL, "restart", "%s: work goes on after a restart of the database", t->d);
    is_int(finish(t, r, "n9", BRSKI_TASK_NONE, 0), 1, "%s: and is written back", t->d);
}

static void test_stranger(t_t *t)
{
    brski_pledge_t *p;

    is_ok(brski_records_pledge_seen(t->records, MAKER, "S\xff", octets("c"), "k", NOW, t->pool),
          "%s: a serial-number that is no UTF-8", t->d);
    is_ok(brski_records_pledge_get(&p, t->records, MAKER, "S\xff", t->pool, t->pool),
          "%s: is found again", t->d);
    ok(p != NULL, "%s: under the same octets", t->d);
}

static void test_all(t_t *t)
{
    test_seen(t);
    test_welcome(t);
    test_voucher(t);
    test_verdicts(t);
    test_pledges(t);
    test_request(t);
    test_lease(t);
    test_lease_of_one_node(t);
    test_release(t);
    test_wake(t);
    test_work(t);
    test_request_expire(t);
    test_certificate(t);
    test_guard(t);
    test_lists(t);
    test_crl(t);
    test_revoke(t);
    test_approvals(t);
    test_first_use(t);
    test_notes(t);
    test_domain_ids(t);
    test_nodes(t);
    test_schema(t);
    test_stranger(t);
    test_empty(t);
    test_restart(t);
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
        t.database = database_est(databases[i], pool);
        t.d = databases[i]->name;
        t.pool = pool;
        t.ctx = unit_ctx(NOW, pool);
        t.db = database_open(t.database, pool);
        t.records = database_records(t.database, "records test", 2, t.ctx, pool);
        test_all(&t);
        brski_dbd_close(t.db);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
