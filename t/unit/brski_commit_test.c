/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_commit_test.c: the group commit: everybody's statement runs once and is durable when its
 * caller goes on; one that fails takes nobody along; who waits too long leaves and knows what
 * it can know.
 */
#include "brski_commit.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "brski_statements.h"
#include "database.h"
#include "unit.h"

/* A millisecond, or more where threads are slow to start: under valgrind. */
static apr_interval_time_t ms;
#define MS ms
#define THREADS 32
#define EACH 20

/* The connection that leaders get, and how it behaves. */
typedef struct lender_t {
    brski_dbd_t *db;
    apr_uint32_t loans;
    apr_interval_time_t slow_lend;
    apr_interval_time_t slow_return;
    int fails;
} lender_t;

static brski_err_t *lend(brski_dbd_t **db, void **loan, void *baton, apr_pool_t *pool)
{
    lender_t *lender = baton;

    *loan = NULL;
    apr_atomic_inc32(&lender->loans);
    apr_sleep(lender->slow_lend);
    if (lender->fails) {
        return brski_err(BRSKI_E_STORE_BUSY, NULL, pool, "no connection for you");
    }
    *db = lender->db;
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *db, void *loan, void *baton)
{
    (void)db;
    (void)loan;
    apr_sleep(((lender_t *)baton)->slow_return);
}

static brski_commit_t *make(lender_t *lender, int stmt, apr_interval_time_t patience,
                            apr_pool_t *pool)
{
    brski_commit_host_t host = { lend, take_back, lender };
    brski_commit_t *commit;

    if (brski_commit_make(&commit, &host, stmt, patience, pool)) {
        bail_out("no group commit");
    }
    return commit;
}

/* ---- many at once ---- */

typedef struct crowd_t {
    brski_commit_t *commit;
    const char *tenant;
    apr_uint32_t changed;
    apr_uint32_t busy;
    apr_uint32_t unknown;
    apr_uint32_t internal;
    apr_uint32_t other;
    apr_interval_time_t last_waited;
} crowd_t;

static void count(crowd_t *crowd, const brski_err_t *err, int changed)
{
    if (!err) {
        apr_atomic_add32(&crowd->changed, (apr_uint32_t)changed);
    }
    else {
        apr_atomic_inc32(err->code == BRSKI_E_STORE_BUSY ? &crowd->busy
                         : err->code == BRSKI_E_STORE    ? &crowd->unknown
                         : err->code == BRSKI_E_INTERNAL ? &crowd->internal
                                                         : &crowd->other);
    }
}

static void put_one(crowd_t *crowd, const char *name, apr_pool_t *pool)
{
    const char *args[] = { crowd->tenant, name, "note", "1" };
    int changed;
    brski_err_t *err = brski_commit_put(&changed, crowd->commit, args, 4, pool);

    count(crowd, err, changed);
}

static void put_many(void *baton, int number, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < EACH; i++) {
        put_one(baton, apr_psprintf(pool, "%d-%d", number, i), pool);
    }
}

static int rows_of(brski_dbd_t *db, const char *tenant, apr_pool_t *pool)
{
    return atoi(database_ask(
        db, apr_psprintf(pool, "SELECT count(*) FROM customer WHERE tenant = '%s'", tenant), pool));
}

static void test_crowd(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 2 * MS, 0, 0 };
    crowd_t crowd = {
        make(&lender, STMT_CUSTOMER_PUT, 9000 * MS, pool), "crowd", 0, 0, 0, 0, 0, 0
    };

    database_crew(THREADS, put_many, &crowd);
    is_int(crowd.changed, THREADS * EACH, "each statement of %d threads changed its row", THREADS);
    is_int(rows_of(db, "crowd", pool), THREADS * EACH, "and all rows are there");
    ok(lender.loans * 4 <= THREADS * EACH, "in %u commits for %d statements", lender.loans,
       THREADS * EACH);
    is_int(brski_commit_turned_away(crowd.commit), 0, "nobody was turned away");
}

/* Every fifth cannot be: a name is missing. */
static void put_some_bad(void *baton, int number, apr_pool_t *pool)
{
    put_one(baton, number % 5 ? apr_itoa(pool, number) : NULL, pool);
}

static void test_bad_member(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 20 * MS, 0, 0 };
    crowd_t crowd = { make(&lender, STMT_CUSTOMER_PUT, 9000 * MS, pool), "bad", 0, 0, 0, 0, 0, 0 };

    database_crew(THREADS, put_some_bad, &crowd);
    is_int(crowd.internal, 7, "those that cannot be fail");
    is_int(crowd.changed, THREADS - 7, "and take nobody along");
    is_int(rows_of(db, "bad", pool), THREADS - 7, "the rows of the others are there");
    is_int(crowd.busy + crowd.unknown + crowd.other, 0, "nothing else happens");
}

/* The same key from all: one changes, the others learn so. */
static void use_same(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    const char *args[] = { crowd->tenant, "same", apr_itoa(pool, number), "1", "2" };
    int changed;
    brski_err_t *err = brski_commit_put(&changed, crowd->commit, args, 5, pool);

    count(crowd, err, changed);
}

static void test_conflict(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 20 * MS, 0, 0 };
    crowd_t crowd = {
        make(&lender, STMT_FRESH_USE_PUT, 5000 * MS, pool), "same", 0, 0, 0, 0, 0, 0
    };

    database_crew(THREADS, use_same, &crowd);
    is_int(crowd.changed, 1, "of one group only one wins a key");
    is_int(crowd.busy + crowd.unknown + crowd.internal + crowd.other, 0, "the others learn so");
}

/* ---- trouble ---- */

static void put_number(void *baton, int number, apr_pool_t *pool)
{
    put_one(baton, apr_itoa(pool, number), pool);
}

static void test_no_connection(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 20 * MS, 0, 1 };
    crowd_t crowd = { make(&lender, STMT_CUSTOMER_PUT, 9000 * MS, pool), "none", 0, 0, 0, 0, 0, 0 };

    database_crew(THREADS, put_number, &crowd);
    is_int(crowd.busy, THREADS, "without a connection all learn so");
    ok(lender.loans < THREADS / 2, "together: %u tries", lender.loans);
    lender.fails = 0;
    put_one(&crowd, "later", pool);
    is_int(crowd.changed, 1, "the next one goes on");
}

/* The first is the leader and hangs before it has the lock: 0.6 s, patience 0.2 s. */
static void come_one_by_one(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    apr_time_t start;

    apr_sleep(number * 20 * MS);
    start = apr_time_now();
    put_number(crowd, number, pool);
    if (number == 19) {
        crowd->last_waited = apr_time_now() - start;
    }
}

static void test_stuck_leader(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 600 * MS, 0, 0 };
    crowd_t crowd = { make(&lender, STMT_CUSTOMER_PUT, 200 * MS, pool), "stuck", 0, 0, 0, 0, 0, 0 };
    apr_time_t start = apr_time_now();

    database_crew(20, come_one_by_one, &crowd);
    is_int(crowd.changed, 1, "a leader that hangs goes on by itself");
    is_int(crowd.busy, 19, "who waited for it leaves");
    ok(crowd.last_waited < 100 * MS, "newcomers at once: %d ms", (int)(crowd.last_waited / MS));
    is_int(rows_of(db, "stuck", pool), 1, "and nothing of theirs has happened");
    ok(apr_time_now() - start < 1000 * MS, "nobody hangs with it");
    is_int(brski_commit_turned_away(crowd.commit), 19, "they are counted");
}

/* It hangs after the commit, before it can tell: the others do not know. */
static void test_slow_result(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 30 * MS, 500 * MS, 0 };
    crowd_t crowd = { make(&lender, STMT_CUSTOMER_PUT, 100 * MS, pool), "slow", 0, 0, 0, 0, 0, 0 };

    database_crew(5, put_number, &crowd);
    is_int(crowd.changed, 1, "the leader knows");
    is_int(crowd.unknown, 4, "who left while it was being done does not know the outcome");
    is_int(rows_of(db, "slow", pool), 5, "it was done");
}

static void put_large(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    char *large = apr_palloc(pool, 100001);
    const char *args[] = { crowd->tenant, apr_itoa(pool, number), large, "1" };
    int changed;
    brski_err_t *err;

    memset(large, 'x', 100000);
    large[100000] = '\0';
    err = brski_commit_put(&changed, crowd->commit, args, 4, pool);
    if (err && err->code == BRSKI_E_STORE_READONLY) {
        apr_atomic_inc32(&crowd->unknown);
        return;
    }
    count(crowd, err, changed);
}

static void test_full(brski_dbd_t *db, apr_pool_t *pool)
{
    lender_t lender = { db, 0, 10 * MS, 0, 0 };
    crowd_t crowd = { make(&lender, STMT_CUSTOMER_PUT, 9000 * MS, pool), "full", 0, 0, 0, 0, 0, 0 };

    database_do(db, "PRAGMA max_page_count=1");
    database_crew(8, put_large, &crowd);
    ok(crowd.unknown >= 7, "a full disk takes nobody's: %u", crowd.unknown);
    is_int(rows_of(db, "full", pool), crowd.changed, "what was said to be there is there");
    is_int(crowd.busy + crowd.internal + crowd.other, 0, "nothing else happens");
    database_do(db, "PRAGMA max_page_count=1000000");
    database_crew(8, put_large, &crowd);
    is_int(rows_of(db, "full", pool), 8, "with room again all go in");
}

static void do_nothing(void *baton, int number, apr_pool_t *pool)
{
    (void)baton;
    (void)number;
    (void)pool;
}

static void measure(void)
{
    apr_time_t start = apr_time_now();
    apr_interval_time_t took;

    database_crew(THREADS, do_nothing, NULL);
    took = (apr_time_now() - start) / 20;
    ms = took < apr_time_from_msec(1)    ? apr_time_from_msec(1)
         : took > apr_time_from_msec(20) ? apr_time_from_msec(20)
                                         : took;
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    brski_dbd_t *db = database_open(database_sqlite(pool), pool);

    measure();
    test_crowd(db, pool);
    test_bad_member(db, pool);
    test_conflict(db, pool);
    test_no_connection(db, pool);
    test_stuck_leader(db, pool);
    test_slow_result(db, pool);
    test_full(db, pool);
    brski_dbd_close(db);
    apr_pool_destroy(pool);
    return done_testing();
}
