/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_spool_test.c: what is written outside the request arrives, within bounds: of memory, of
 * what a stranger can make us write, and of what a database that is away can lose.
 */
#include "brski_spool.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_statements.h"
#include "database.h"
#include "unit.h"

#define MS apr_time_from_msec(1)
#define NOW apr_time_from_sec(1700000000)
#define LATER (apr_time_from_sec(30 * 86400))

typedef struct t_t {
    const database_t *database;
    const char *d;
    brski_dbd_t *db;
    const brski_ctx_t *ctx;
} t_t;

static brski_spool_t *start(t_t *t, const char *tenant, const brski_spool_options_t *options,
                            apr_pool_t *pool)
{
    brski_store_t *store = database_store(t->database, tenant, 1, t->ctx, pool);
    brski_spool_t *spool;

    if (brski_spool_start(&spool, store, options, t->ctx, pool)) {
        bail_out("no spool");
    }
    return spool;
}

static brski_spool_options_t options_of(apr_size_t entries, apr_size_t octets,
                                        apr_interval_time_t every)
{
    brski_spool_options_t o = { 0 };

    o.entries = entries;
    o.octets = octets;
    o.every = every;
    o.retention = LATER;
    return o;
}

static void refuse(brski_spool_t *spool, const char *id, apr_size_t octets)
{
    char *junk = calloc(1, octets + 1), *name = strdup(id);
    brski_refusal_t r = { 0 };

    r.request_id = name;
    r.at = NOW;
    r.operation = "requestvoucher";
    r.request = brski_bytes(junk, octets);
    brski_spool_refusal(spool, &r);
    /* What it was made of is gone at once. */
    memset(name, '?', strlen(name));
    free(name);
    free(junk);
}

static void meet(brski_spool_t *spool, const char *id)
{
    brski_peer_t p = { id, "192.0.2.1", "CN=x" };

    brski_spool_peer(spool, &p);
}

static int rows(t_t *t, const char *table, const char *tenant)
{
    apr_pool_t *pool;
    int n;

    apr_pool_create(&pool, NULL);
    n = atoi(database_ask(
        t->db, apr_psprintf(pool, "SELECT count(*) FROM %s WHERE tenant = '%s'", table, tenant),
        pool));
    apr_pool_destroy(pool);
    return n;
}

/* Until nothing waits, or for a while. */
static apr_size_t drain(brski_spool_t *spool)
{
    apr_size_t waiting = 1;
    apr_int64_t dropped;
    int i;

    for (i = 0; i < 500 && waiting; i++) {
        apr_sleep(10 * MS);
        brski_spool_numbers(spool, &waiting, &dropped);
    }
    return waiting;
}

static apr_int64_t dropped(brski_spool_t *spool)
{
    apr_size_t waiting;
    apr_int64_t n;

    brski_spool_numbers(spool, &waiting, &n);
    return n;
}

static void test_writes(t_t *t)
{
    brski_spool_options_t o = options_of(0, 0, 50 * MS);
    brski_spool_t *spool;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    spool = start(t, "writes", &o, pool);
    refuse(spool, "r1", 100);
    meet(spool, "p1");
    is_int(drain(spool), 0, "%s: what is spooled is written", t->d);
    is_int(rows(t, "refusal", "writes"), 1, "%s: a refusal", t->d);
    is_int(rows(t, "event_peer", "writes"), 1, "%s: a peer", t->d);
    is_str(database_ask(t->db, "SELECT request_id FROM refusal WHERE tenant = 'writes'", pool),
           "r1", "%s: copied when it came", t->d);
    for (i = 0; i < 300; i++) {
        meet(spool, apr_itoa(pool, i));
        refuse(spool, apr_itoa(pool, i), 10);
    }
    apr_pool_destroy(pool);
    is_int(rows(t, "event_peer", "writes"), 301, "%s: the end waits until all is written: peers",
           t->d);
    is_int(rows(t, "refusal", "writes"), 301, "%s: and refusals", t->d);
}

/* ---- bounds ---- */

static void test_entries(t_t *t)
{
    brski_spool_options_t o = options_of(20, 0, 100000 * MS);
    brski_spool_t *spool;
    apr_size_t waiting;
    apr_int64_t lost;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    spool = start(t, "entries", &o, pool);
    apr_sleep(200 * MS);
    meet(spool, "p1");
    for (i = 0; i < 100; i++) {
        refuse(spool, apr_psprintf(pool, "r%03d", i), 10);
    }
    brski_spool_numbers(spool, &waiting, &lost);
    is_int(waiting, 21, "%s: at most so many refusals wait", t->d);
    is_int(lost, 80, "%s: the others are counted", t->d);
    apr_pool_destroy(pool);
    apr_pool_create(&pool, NULL);
    is_str(
        database_ask(t->db, "SELECT min(request_id) FROM refusal WHERE tenant = 'entries'", pool),
        "r080", "%s: the oldest went first", t->d);
    is_int(rows(t, "event_peer", "entries"), 1, "%s: refusals push nobody else out", t->d);
    apr_pool_destroy(pool);
}

static void test_octets(t_t *t)
{
    brski_spool_options_t o = options_of(1000, 100000, 100000 * MS);
    brski_spool_t *spool;
    apr_size_t waiting;
    apr_int64_t lost;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    spool = start(t, "octets", &o, pool);
    apr_sleep(200 * MS);
    for (i = 0; i < 50; i++) {
        refuse(spool, apr_psprintf(pool, "r%03d", i), 10000);
    }
    brski_spool_numbers(spool, &waiting, &lost);
    ok(waiting >= 7 && waiting <= 9, "%s: at most so many octets wait: %d", t->d, (int)waiting);
    is_int(lost + (apr_int64_t)waiting, 50, "%s: the others are counted", t->d);
    apr_pool_destroy(pool);
}

static void test_rate(t_t *t)
{
    brski_spool_options_t o = options_of(10000, 0, 300 * MS);
    brski_spool_t *spool;
    apr_pool_t *pool;
    int i, n;

    apr_pool_create(&pool, NULL);
    spool = start(t, "rate", &o, pool);
    for (i = 0; i < 1000; i++) {
        refuse(spool, apr_itoa(pool, i), 10);
    }
    for (i = 0; i < 1000 && !rows(t, "refusal", "rate"); i++) {
        apr_sleep(10 * MS);
    }
    n = rows(t, "refusal", "rate");
    apr_sleep(650 * MS);
    n = rows(t, "refusal", "rate") - n;
    ok(n > 0 && n <= 4 * 64, "%s: junk is written a batch a round: %d", t->d, n);
    apr_pool_destroy(pool);
}

static void test_retention(t_t *t)
{
    brski_spool_options_t o = options_of(0, 0, 20 * MS);
    brski_spool_t *spool;
    apr_pool_t *pool;

    o.retention = 0;
    apr_pool_create(&pool, NULL);
    spool = start(t, "none", &o, pool);
    refuse(spool, "r1", 10);
    meet(spool, "p1");
    drain(spool);
    apr_pool_destroy(pool);
    is_int(rows(t, "refusal", "none"), 0, "%s: without retention no refusal is kept", t->d);
    is_int(rows(t, "event_peer", "none"), 1, "%s: a peer is", t->d);
}

static void test_expiry(t_t *t)
{
    brski_spool_options_t o = options_of(0, 0, 20 * MS);
    apr_pool_t *pool;
    int i;

    database_exec(t->db, STMT_REFUSAL_PUT, "expiry", "old", "1", "2", NULL, "1", "2", NULL, NULL,
                  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "0");
    apr_pool_create(&pool, NULL);
    start(t, "expiry", &o, pool);
    for (i = 0; i < 300 && rows(t, "refusal", "expiry"); i++) {
        apr_sleep(10 * MS);
    }
    is_int(rows(t, "refusal", "expiry"), 0, "%s: what has expired goes", t->d);
    apr_pool_destroy(pool);
}

/* ---- at_start ---- */

static brski_err_t *third_time(brski_store_t *store, void *baton, apr_pool_t *pool)
{
    apr_uint32_t times = apr_atomic_inc32(baton) + 1;

    (void)store;
    return times < 3 ? brski_err(BRSKI_E_STORE, NULL, pool, "not yet") : BRSKI_OK;
}

static void test_at_start(t_t *t)
{
    brski_spool_options_t o = options_of(0, 0, 20 * MS);
    apr_uint32_t times = 0;
    brski_spool_t *spool;
    apr_pool_t *pool;

    o.at_start = third_time;
    o.baton = &times;
    apr_pool_create(&pool, NULL);
    spool = start(t, "start", &o, pool);
    refuse(spool, "r1", 10);
    is_int(drain(spool), 0, "%s: what is done first is tried again until it is done", t->d);
    apr_sleep(100 * MS);
    is_int(apr_atomic_read32(&times), 3, "%s: and then no more", t->d);
    apr_pool_destroy(pool);
    is_int(rows(t, "refusal", "start"), 1, "%s: then the queue is written", t->d);
}

/* ---- trouble ---- */

static void test_stranger(t_t *t)
{
    brski_spool_options_t o = options_of(0, 0, 20 * MS);
    brski_refusal_t r = { 0 };
    brski_spool_t *spool;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    spool = start(t, "stranger", &o, pool);
    r.request_id = "r1";
    r.at = NOW;
    r.accept = r.content_type = r.user = r.address = r.serial_number = r.detail =
        "\xFF\xC0\x80'\"%s\x01";
    brski_spool_refusal(spool, &r);
    r.request_id = NULL;
    brski_spool_refusal(spool, &r);
    refuse(spool, "r2", 10);
    is_int(drain(spool), 0, "%s: octets that are no text, and a record that cannot be kept", t->d);
    apr_pool_destroy(pool);
    is_int(rows(t, "refusal", "stranger"), 2, "%s: keep nothing else from being written", t->d);
}

static void test_away(t_t *t)
{
    brski_spool_options_t o = options_of(30, 0, 20 * MS);
    brski_spool_t *spool;
    apr_size_t waiting;
    apr_int64_t lost;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    spool = start(t, "away", &o, pool);
    meet(spool, "before");
    drain(spool);
    database_stop(t->database);
    for (i = 0; i < 100; i++) {
        refuse(spool, apr_itoa(pool, i), 10);
        meet(spool, apr_itoa(pool, i));
        apr_sleep(2 * MS);
    }
    apr_sleep(200 * MS);
    brski_spool_numbers(spool, &waiting, &lost);
    ok(waiting <= 60, "a database that is away: the queue keeps its bound: %d", (int)waiting);
    ok(lost >= 130, "the others are counted: %d", (int)lost);
    database_start(t->database);
    is_int(drain(spool), 0, "when it is back, what was kept is written");
    brski_dbd_close(t->db);
    t->db = database_open(t->database, pool);
    is_int(rows(t, "refusal", "away"), 30, "refusals");
    is_int(rows(t, "event_peer", "away"), 31, "and peers");
    brski_dbd_close(t->db);
    database_stop(t->database);
    refuse(spool, "last", 10);
    apr_pool_destroy(pool);
    pass("without a database the end comes all the same");
    database_start(t->database);
}

static void junk(void *baton, int number, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < 2000; i++) {
        refuse(baton, apr_psprintf(pool, "%d-%d", number, i), 100);
        apr_pool_clear(pool);
    }
}

static void test_threads(t_t *t)
{
    brski_spool_options_t o = options_of(100, 0, 10 * MS);
    brski_spool_t *spool;
    apr_time_t begin;
    apr_pool_t *pool;
    apr_int64_t lost;

    apr_pool_create(&pool, NULL);
    spool = start(t, "threads", &o, pool);
    begin = apr_time_now();
    database_crew(16, junk, spool);
    begin = apr_time_now() - begin;
    ok(begin < apr_time_from_sec(20), "%s: 32,000 refusals from 16 threads block nobody: %d ms",
       t->d, (int)(begin / MS));
    drain(spool);
    lost = dropped(spool);
    apr_pool_destroy(pool);
    is_int(rows(t, "refusal", "threads") + lost, 32000, "%s: each was written or counted", t->d);
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
        t.db = database_open(databases[i], pool);
        t.ctx = unit_ctx(NOW, pool);
        test_writes(&t);
        test_entries(&t);
        test_octets(&t);
        test_rate(&t);
        test_retention(&t);
        test_expiry(&t);
        test_at_start(&t);
        test_stranger(&t);
        test_threads(&t);
    }
    if (databases[1]) {
        test_away(&t);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
