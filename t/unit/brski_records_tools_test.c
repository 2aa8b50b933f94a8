/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_tools_test.c: what people ask of a registrar's records, on both databases: requests
 * by state and device, another look at a device's history, a server that is gone.
 */
#include "brski_records_tools.h"

#include <string.h>

#include "brski_bytes.h"
#include "database.h"
#include "unit.h"

#define NOW 1700000000000000
#define SECOND 1000000LL
#define HOUR (3600 * SECOND)
#define MAKER "Acme"

typedef struct t_t {
    const char *d; /* name of the database, for labels */
    brski_records_t *records;
    apr_pool_t *pool;
} t_t;

/* One that was made, and worked on until it stands so. */
static void make(t_t *t, const char *id, const char *serial, brski_task_t task, int minute,
                 const char *voucher)
{
    brski_request_t r = { .id = id, .manufacturer = MAKER, .serial_number = serial,
                          .idevid_spki = "k", .pvr = brski_bytes_str("pvr"),
                          .rvr = brski_bytes_str("rvr"), .created_at = NOW + minute * SECOND };
    brski_err_t *err;
    int done;

    err = brski_records_request_put(&done, t->records, &r, "w", NOW + HOUR, t->pool);
    r.task = task;
    r.next_at = NOW + HOUR - minute * SECOND;
    r.lease_until = NOW + HOUR;
    r.voucher = brski_bytes_str(voucher);
    r.status = *voucher ? 200 : 0;
    if (!err) {
        err = brski_records_request_done(&done, t->records, &r, "w", t->pool);
    }
    if (err || !done) {
        bail_out("request %s: %s", id, brski_err_text(err, t->pool));
    }
}

/* The ids of a list, in its order. */
static const char *ids(const apr_array_header_t *list, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 4, sizeof(const char *));

    for (int i = 0; list && i < list->nelts; i++) {
        APR_ARRAY_PUSH(all, const char *) = APR_ARRAY_IDX(list, i, const brski_request_t *)->id;
    }
    return apr_array_pstrcat(pool, all, ' ');
}

static void test_lists(t_t *t)
{
    apr_array_header_t *list;
    const brski_request_t *r;

    make(t, "a", "S1", BRSKI_TASK_HUMAN, 1, "");
    make(t, "b", "S1", BRSKI_TASK_NONE, 2, "v");
    make(t, "c", "S2", BRSKI_TASK_VOUCHER, 3, "");
    make(t, "d", "S1", BRSKI_TASK_NONE, 4, "");
    is_ok(brski_records_requests_open(&list, t->records, BRSKI_TASK_NONE, 10, t->pool, t->pool),
          "%s: open requests", t->d);
    is_str(ids(list, t->pool), "c a", "%s: what is due first stands first", t->d);
    r = APR_ARRAY_IDX(list, 1, const brski_request_t *);
    is_str(r->serial_number, "S1", "%s: with its device", t->d);
    is_int(r->task, BRSKI_TASK_HUMAN, "%s: and its task", t->d);
    is_int(r->pvr.len + r->rvr.len + r->voucher.len, 0, "%s: without what is large", t->d);
    brski_records_requests_open(&list, t->records, BRSKI_TASK_HUMAN, 10, t->pool, t->pool);
    is_str(ids(list, t->pool), "a", "%s: those of one task", t->d);
    brski_records_requests_open(&list, t->records, BRSKI_TASK_NONE, 1, t->pool, t->pool);
    is_str(ids(list, t->pool), "c", "%s: no more than asked for", t->d);
    is_ok(brski_records_requests_done(&list, t->records, 10, t->pool, t->pool),
          "%s: those that are done", t->d);
    is_str(ids(list, t->pool), "d b", "%s: the newest first", t->d);
    is_ok(brski_records_requests_device(&list, t->records, MAKER, "S1", 10, t->pool, t->pool),
          "%s: all of a device", t->d);
    is_str(ids(list, t->pool), "d b a", "%s: the newest first, done or not", t->d);
    brski_records_requests_device(&list, t->records, "Other", "S1", 10, t->pool, t->pool);
    is_int(list->nelts, 0, "%s: another manufacturer's device of this serial-number is another",
           t->d);
}

static brski_task_t task_of(t_t *t, const char *id)
{
    brski_request_t *r;

    if (brski_records_request_get(&r, t->records, id, t->pool, t->pool) || !r) {
        bail_out("no request %s", id);
    }
    return r->task;
}

static int judge(t_t *t, const char *request)
{
    brski_pledge_t pledge = { .manufacturer = MAKER, .serial_number = "J", .request = request };
    int done;

    is_ok(brski_records_request_judge(&done, t->records, &pledge, NOW, t->pool),
          "%s: 5.8.3 a judgement of %s", t->d, request ? request : "nothing");
    return done;
}

static void test_judge(t_t *t)
{
    brski_request_t *r;

    make(t, "joined", "J", BRSKI_TASK_NONE, 1, "v");
    make(t, "joining", "J", BRSKI_TASK_TELEMETRY, 1, "v");
    make(t, "bad", "J", BRSKI_TASK_HUMAN, 1, "v");
    make(t, "none", "J", BRSKI_TASK_NONE, 1, "");
    make(t, "busy", "J", BRSKI_TASK_AUDIT, HOUR / SECOND, "v");
    is_int(judge(t, "joined"), 1, "%s: 5.8.3 of a device that joined", t->d);
    is_int(task_of(t, "joined"), BRSKI_TASK_RECHECK, "%s: 5.8.3 is a later look", t->d);
    is_int(judge(t, "joining"), 1, "%s: 5.8.3 of one that is joining", t->d);
    is_int(task_of(t, "joining"), BRSKI_TASK_AUDIT, "%s: 5.8.3 is part of that", t->d);
    is_int(judge(t, "bad"), 1, "%s: 5.8.3 of one that was refused", t->d);
    is_int(task_of(t, "bad"), BRSKI_TASK_HUMAN, "%s: 5.8.3 is what was parked", t->d);
    is_int(judge(t, "none"), 0, "%s: 5.8.3 not without a voucher", t->d);
    is_int(judge(t, "gone"), 0, "%s: 5.8.3 nor of what is not kept", t->d);
    is_int(judge(t, NULL), 0, "%s: 5.8.3 nor of what never was", t->d);
    brski_records_request_take(&r, t->records, "somebody", NOW, NOW + HOUR, t->pool, t->pool);
    ok(r && !judge(t, r->id), "%s: 5.8.3 nor while somebody works on it", t->d);
}

static void test_forget(t_t *t)
{
    apr_array_header_t *nodes;
    int done;

    brski_records_snapshot_put(t->records, "n1", "{}", "h", NOW, t->pool);
    brski_records_snapshot_put(t->records, "n2", "{}", "h", NOW, t->pool);
    is_ok(brski_records_snapshot_forget(&done, t->records, "n1", t->pool), "%s: a node goes", t->d);
    is_int(done, 1, "%s: it was there", t->d);
    brski_records_nodes(&nodes, t->records, t->pool, t->pool);
    is_int(nodes->nelts, 1, "%s: the other stays", t->d);
    brski_records_snapshot_forget(&done, t->records, "n1", t->pool);
    is_int(done, 0, "%s: it goes once", t->d);
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *databases[] = { database_sqlite(pool), database_pgsql(pool) };
    t_t t = { .pool = pool };

    for (int i = 0; i < 2; i++) {
        const database_t *database;

        if (!databases[i]) {
            continue;
        }
        database = database_est(databases[i], pool);
        t.d = databases[i]->name;
        t.records = database_records(database, "tools test", 2, unit_ctx(NOW, pool), pool);
        test_lists(&t);
        test_judge(&t);
        test_forget(&t);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
