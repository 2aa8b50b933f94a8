/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_race_test.c: many front ends at the same rows: each piece of work goes to one, one
 * request gets one certificate, no certificate slips past a verdict, no revocation past a CRL.
 */
#include <apr_atomic.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_records.h"
#include "database.h"
#include "unit.h"

#define THREADS 16
#define NOW 1700000000000000
#define HOUR 3600000000LL
#define MAKER "Acme"

/* Front ends: each thread is of one of two, with connections of its own. */
typedef struct crowd_t {
    const char *d;
    brski_records_t *nodes[2];
    int rows;
    int round;
    apr_uint32_t done[512]; /* how often each row was */
    apr_uint32_t total;
    apr_uint32_t lost;
    apr_uint32_t errors;
} crowd_t;

static void count_error(crowd_t *crowd, const brski_err_t *err, apr_pool_t *pool)
{
    if (apr_atomic_inc32(&crowd->errors) < 3) {
        diag("%s", brski_err_text(err, pool));
    }
}

static brski_records_t *node_of(const crowd_t *crowd, int number)
{
    return crowd->nodes[number % 2];
}

static crowd_t make_crowd(const database_t *database, const char *tenant, apr_pool_t *pool)
{
    int max = database->dialect == BRSKI_SQLITE3 ? 1 : 8, i;
    crowd_t crowd = { 0 };

    crowd.d = database->name;
    for (i = 0; i < 2; i++) {
        crowd.nodes[i] = database_records(database, tenant, max, unit_ctx(NOW, pool), pool);
    }
    return crowd;
}

/* ---- work ---- */

static brski_request_t *make_request(const char *id, apr_pool_t *pool)
{
    brski_request_t *r = apr_pcalloc(pool, sizeof(*r));

    r->id = id;
    r->manufacturer = MAKER;
    r->serial_number = id;
    r->created_at = NOW;
    r->pvr = brski_bytes_str("pvr");
    return r;
}

static void put_rows(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    brski_err_t *err;
    int i, put;

    for (i = 0; i < crowd->rows; i++) {
        err = brski_records_request_put(&put, node_of(crowd, number),
                                        make_request(apr_psprintf(pool, "%d", i), pool), "dead",
                                        NOW, pool);
        if (err) {
            count_error(crowd, err, pool);
        }
        apr_atomic_add32(&crowd->done[i], (apr_uint32_t)put);
    }
}

static int finish(crowd_t *crowd, int number, brski_request_t *r, const char *by, apr_pool_t *pool)
{
    brski_err_t *err;
    int done;

    r->task = BRSKI_TASK_NONE;
    err = brski_records_request_done(&done, node_of(crowd, number), r, by, pool);
    if (err) {
        count_error(crowd, err, pool);
        return 0;
    }
    apr_atomic_inc32(done ? &crowd->total : &crowd->lost);
    return done;
}

static void take_rows(void *baton, int number, apr_pool_t *pool)
{
    const char *by = apr_psprintf(pool, "node-%d", number);
    crowd_t *crowd = baton;
    brski_request_t *r;
    apr_pool_t *each;
    brski_err_t *err;

    apr_pool_create(&each, pool);
    do {
        apr_pool_clear(each);
        err = brski_records_request_take(&r, node_of(crowd, number), by, NOW, NOW + HOUR, each,
                                         each);
        if (err) {
            count_error(crowd, err, each);
        }
        if (r) {
            apr_atomic_inc32(&crowd->done[atoi(r->id)]);
            finish(crowd, number, r, by, each);
        }
    } while (r);
}

static int all_once(const crowd_t *crowd)
{
    int i;

    for (i = 0; i < crowd->rows; i++) {
        if (crowd->done[i] != 1) {
            diag("row %d: %u times", i, crowd->done[i]);
            return 0;
        }
    }
    return 1;
}

static void test_takers(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "takers", pool);

    crowd.rows = 300;
    database_crew(THREADS, put_rows, &crowd);
    ok(all_once(&crowd), "%s: of those who make one row together one makes it", crowd.d);
    memset(crowd.done, 0, sizeof(crowd.done));
    database_crew(THREADS, take_rows, &crowd);
    ok(all_once(&crowd), "%s: each row goes to one taker", crowd.d);
    is_int(crowd.total, crowd.rows, "%s: all are written back", crowd.d);
    is_int(crowd.lost, 0, "%s: no lease is lost", crowd.d);
    is_int(crowd.errors, 0, "%s: nothing fails", crowd.d);
}

/* ---- certificates ---- */

static brski_issued_t *make_certificate(const char *serial, const char *key, apr_pool_t *pool)
{
    brski_issued_t *c = apr_pcalloc(pool, sizeof(*c));

    c->ca = "ca";
    c->serial = serial;
    c->request_key = key;
    c->subject = "CN=x";
    c->manufacturer = MAKER;
    c->serial_number = "D";
    c->not_after = NOW + HOUR;
    c->der = brski_bytes_str("der");
    return c;
}

/* Everybody wants a certificate for the same requests. */
static void put_certificates(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    brski_err_t *err;
    int i, put;

    for (i = 0; i < crowd->rows; i++) {
        const char *key = apr_psprintf(pool, "key%d", i);
        const char *serial = apr_psprintf(pool, "%d-%d-%d", crowd->round, i, number);

        err = brski_records_certificate_put(&put, node_of(crowd, number),
                                            make_certificate(serial, key, pool), NULL, NOW, pool);
        if (err) {
            count_error(crowd, err, pool);
        }
        apr_atomic_add32(&crowd->done[i], (apr_uint32_t)put);
    }
}

static void revoke_all(crowd_t *crowd, apr_pool_t *pool)
{
    int revoked;

    is_ok(brski_records_certificate_revoke_device(&revoked, crowd->nodes[0], MAKER, "D", 4, NOW,
                                                  pool),
          "%s: all are revoked", crowd->d);
    is_int(revoked, crowd->rows, "%s: one for each request", crowd->d);
}

static void test_certificates(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "certificates", pool);

    crowd.rows = 40;
    database_crew(THREADS, put_certificates, &crowd);
    ok(all_once(&crowd), "7030 4.2.3 %s: one request gets one certificate", crowd.d);
    is_int(crowd.errors, 0, "%s: nothing fails", crowd.d);
    revoke_all(&crowd, pool);
    memset(crowd.done, 0, sizeof(crowd.done));
    crowd.round++;
    database_crew(THREADS, put_certificates, &crowd);
    ok(all_once(&crowd), "%s: and after it was revoked one more", crowd.d);
    revoke_all(&crowd, pool);
}

/* ---- a verdict in between ---- */

/* The first thread judges the device, then revokes; the others enrol it as they read it. */
static void enrol_or_judge(void *baton, int number, apr_pool_t *pool)
{
    brski_records_t *records = node_of(baton, number);
    const char *name = apr_psprintf(pool, "%d-%d", ((crowd_t *)baton)->round, number);
    crowd_t *crowd = baton;
    brski_pledge_t *pledge;
    brski_err_t *err;
    int done = 0;

    if (number == 0) {
        apr_sleep(crowd->round * 100); /* at another moment in each round */
        err = brski_records_verdict_put(&done, records, MAKER, "D", "r", BRSKI_VERDICT_BAD, "rule",
                                        "text", brski_bytes(NULL, 0), NOW + crowd->round, pool);
        if (!err) {
            err = brski_records_certificate_revoke_device(&done, records, MAKER, "D", 4,
                                                          NOW + crowd->round, pool);
        }
    }
    else {
        err = brski_records_pledge_get(&pledge, records, MAKER, "D", pool, pool);
        if (!err && pledge->verdict != BRSKI_VERDICT_BAD) {
            err = brski_records_certificate_put(&done, records, make_certificate(name, name, pool),
                                                pledge, NOW, pool);
            apr_atomic_add32(&crowd->total, (apr_uint32_t)done);
        }
    }
    if (err) {
        count_error(crowd, err, pool);
    }
}

static int live_certificates(crowd_t *crowd, apr_pool_t *pool)
{
    apr_array_header_t *list;
    int i, live = 0;

    brski_records_certificates(&list, crowd->nodes[0], "", "", MAKER, "D", 9999, pool, pool);
    for (i = 0; i < list->nelts; i++) {
        live += APR_ARRAY_IDX(list, i, brski_issued_t *)->revoked_at == 0;
    }
    return live;
}

static void test_verdict(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "verdict", pool);
    brski_pledge_t *pledge;
    int done, live = 0;

    brski_records_pledge_seen(crowd.nodes[0], MAKER, "D", brski_bytes_str("c"), "k", NOW, pool);
    for (crowd.round = 0; crowd.round < 30; crowd.round++) {
        brski_records_pledge_get(&pledge, crowd.nodes[0], MAKER, "D", pool, pool);
        brski_records_pledge_voucher(&done, crowd.nodes[0], pledge, "other", BRSKI_VERDICT_GOOD,
                                     NOW, pool);
        brski_records_pledge_get(&pledge, crowd.nodes[0], MAKER, "D", pool, pool);
        brski_records_pledge_voucher(&done, crowd.nodes[0], pledge, "r", BRSKI_VERDICT_GOOD, NOW,
                                     pool);
        database_crew(8, enrol_or_judge, &crowd);
        live += live_certificates(&crowd, pool);
    }
    is_int(crowd.errors, 0, "%s: nothing fails", crowd.d);
    note("%s: %u enrolled before the verdict", crowd.d, crowd.total);
    is_int(live, 0, "5.8.3 %s: none of a device with a bad verdict stays alive", crowd.d);
}

/* ---- revocations and CRLs ---- */

/* Half of the crowd revoke, the others make CRLs: the last must tell when it lacks one. */
static void revoke_or_list(void *baton, int number, apr_pool_t *pool)
{
    brski_records_t *records = node_of(baton, number / 2);
    apr_array_header_t *list;
    crowd_t *crowd = baton;
    brski_crl_row_t *crl;
    brski_err_t *err = BRSKI_OK;
    int i, done;

    for (i = 0; i < 10 && !err; i++) {
        if (number % 2) {
            err = brski_records_certificate_revoke(
                &done, records, "ca", apr_psprintf(pool, "%d", number * 100 + i), 1, NOW, pool);
            continue;
        }
        err = brski_records_crl_get(&crl, records, "ca", pool, pool);
        if (!err) {
            err = brski_records_certificate_revoked(&list, records, "ca", NOW, pool, pool);
        }
        if (!err) {
            crl->number++;
            crl->revocations = crl->revocations_now;
            crl->next_update = list->nelts;
            crl->der = brski_bytes_str("crl");
            err = brski_records_crl_put(&done, records, crl, pool);
        }
    }
    if (err) {
        count_error(crowd, err, pool);
    }
}

static void test_crl(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "crl", pool);
    brski_crl_row_t *crl;
    int i, k, put, revoked = 0;

    for (i = 1; i < 8; i += 2) {
        for (k = 0; k < 10; k++, revoked++) {
            const char *serial = apr_psprintf(pool, "%d", i * 100 + k);

            brski_records_certificate_put(&put, crowd.nodes[0],
                                          make_certificate(serial, serial, pool), NULL, NOW, pool);
        }
    }
    database_crew(8, revoke_or_list, &crowd);
    is_int(crowd.errors, 0, "%s: nothing fails", crowd.d);
    brski_records_crl_get(&crl, crowd.nodes[0], "ca", pool, pool);
    is_int(crl->revocations_now, revoked, "%s: all revocations are counted", crowd.d);
    ok(crl->revocations != crl->revocations_now || crl->next_update == revoked,
       "%s: a CRL that lacks one is known to", crowd.d);
}

/* ---- a voucher forwarded while it is judged ---- */

static void forward_or_judge(void *baton, int number, apr_pool_t *pool)
{
    const char *request = apr_psprintf(pool, "r%d", ((crowd_t *)baton)->round);
    brski_records_t *records = node_of(baton, number);
    brski_verdict_t verdict = BRSKI_VERDICT_PENDING;
    crowd_t *crowd = baton;
    apr_array_header_t *list;
    brski_pledge_t *pledge;
    brski_err_t *err;
    int done = 0;

    if (number == 0) {
        err = brski_records_verdict_put(&done, records, MAKER, "D", request, BRSKI_VERDICT_GOOD,
                                        "rule", "text", brski_bytes(NULL, 0), NOW + crowd->round,
                                        pool);
        done = 1;
    }
    for (err = BRSKI_OK; !done && !err;) {
        err = brski_records_pledge_get(&pledge, records, MAKER, "D", pool, pool);
        if (!err) {
            err = brski_records_verdicts(&list, records, MAKER, "D", pool, pool);
        }
        if (!err && list->nelts
            && !strcmp(APR_ARRAY_IDX(list, 0, brski_judged_t *)->request, request)) {
            verdict = APR_ARRAY_IDX(list, 0, brski_judged_t *)->verdict;
        }
        if (!err) {
            err = brski_records_pledge_voucher(&done, records, pledge, request, verdict, NOW, pool);
        }
    }
    if (err) {
        count_error(crowd, err, pool);
    }
}

static void test_forward(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "forward", pool);
    brski_pledge_t *pledge;
    int pending = 0;

    brski_records_pledge_seen(crowd.nodes[0], MAKER, "D", brski_bytes_str("c"), "k", NOW, pool);
    for (crowd.round = 0; crowd.round < 40; crowd.round++) {
        database_crew(4, forward_or_judge, &crowd);
        brski_records_pledge_get(&pledge, crowd.nodes[0], MAKER, "D", pool, pool);
        pending += pledge->verdict != BRSKI_VERDICT_GOOD;
    }
    is_int(crowd.errors, 0, "%s: nothing fails", crowd.d);
    is_int(pending, 0, "5.8.3 %s: a verdict reaches the pledge before or after its voucher",
           crowd.d);
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *databases[] = { database_sqlite(pool), database_pgsql(pool) };
    int i;

    for (i = 0; i < 2; i++) {
        const database_t *database = databases[i] ? database_est(databases[i], pool) : NULL;

        if (database) {
            test_takers(database, pool);
            test_certificates(database, pool);
            test_verdict(database, pool);
            test_crl(database, pool);
            test_forward(database, pool);
        }
    }
    apr_pool_destroy(pool);
    return done_testing();
}
