/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_gate_test.c: the gate before the database: places, turns, patience; and with a PostgreSQL
 * that hangs: so many threads wait for it as there are places, all others go on at once.
 */
#include "brski_store_gate.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <string.h>

#include "brski_statements.h"
#include "database.h"
#include "unit.h"

#define MS apr_time_from_msec(1)
#define THREADS 32

/* ---- the gate alone ---- */

typedef struct turns_t {
    brski_gate_t *gate;
    apr_uint32_t inside;
    apr_uint32_t most;
    apr_uint32_t refused;
    apr_uint32_t passed;
} turns_t;

static void take_turns(void *baton, int number, apr_pool_t *pool)
{
    turns_t *t = baton;
    int i, place;

    (void)number;
    for (i = 0; i < 50; i++) {
        apr_uint32_t now;

        if (brski_gate_enter(&place, t->gate, pool)) {
            apr_atomic_inc32(&t->refused);
            continue;
        }
        now = apr_atomic_inc32(&t->inside) + 1;
        while (now > apr_atomic_read32(&t->most)) {
            apr_atomic_set32(&t->most, now);
        }
        apr_sleep(MS / 5);
        apr_atomic_dec32(&t->inside);
        brski_gate_leave(t->gate, place);
        apr_atomic_inc32(&t->passed);
    }
}

static void test_turns(apr_pool_t *pool)
{
    turns_t t = { 0 };
    apr_int64_t turned_away;
    int inside;

    is_ok(brski_gate_make(&t.gate, 4, 5000 * MS, pool), "a gate");
    database_crew(THREADS, take_turns, &t);
    is_int(t.passed, THREADS * 50, "%d threads, 4 places: each gets its turn", THREADS);
    is_int(t.refused, 0, "nobody is turned away under a normal load");
    ok(t.most <= 4, "never more than 4 inside: %u", t.most);
    ok(t.most > 1, "more than one inside: %u", t.most);
    brski_gate_numbers(t.gate, &inside, &turned_away);
    is_int(inside, 0, "all have left");
    is_int(turned_away, 0, "none was turned away");
}

static void test_patience(apr_pool_t *pool)
{
    apr_time_t start = apr_time_now();
    apr_int64_t turned_away;
    brski_gate_t *gate;
    int first, second, inside;

    brski_gate_make(&gate, 1, 200 * MS, pool);
    is_ok(brski_gate_enter(&first, gate, pool), "the first goes in");
    is_err(brski_gate_enter(&second, gate, pool), STORE_BUSY,
           "the second waits, and is turned away");
    ok(apr_time_now() - start >= 190 * MS, "after its patience");
    apr_sleep(20 * MS);
    start = apr_time_now();
    is_err(brski_gate_enter(&second, gate, pool), STORE_BUSY, "the third is turned away");
    ok(apr_time_now() - start < 50 * MS, "at once: the one inside hangs");
    brski_gate_numbers(gate, &inside, &turned_away);
    is_int(inside, 1, "one inside");
    is_int(turned_away, 2, "two turned away");
    brski_gate_leave(gate, first);
    is_ok(brski_gate_enter(&second, gate, pool), "when it has left, the next goes in");
    brski_gate_leave(gate, second);
    is_ok(brski_gate_make(&gate, 0, MS, pool), "a gate without places");
    is_ok(brski_gate_enter(&first, gate, pool), "has one");
}

/* ---- a database that hangs ---- */

typedef struct hung_t {
    brski_store_t *store;
    apr_uint32_t answered;
    apr_uint32_t busy;
    apr_uint32_t other;
    apr_uint32_t longest_busy; /* ms, of those turned away */
} hung_t;

static void note_wait(hung_t *h, apr_uint32_t ms)
{
    apr_uint32_t longest = apr_atomic_read32(&h->longest_busy);

    apr_atomic_inc32(&h->busy);
    while (ms > longest) {
        apr_uint32_t seen = apr_atomic_cas32(&h->longest_busy, ms, longest);

        if (seen == longest) {
            break;
        }
        longest = seen;
    }
}

static void ask(void *baton, int number, apr_pool_t *pool)
{
    hung_t *h = baton;
    apr_time_t start = apr_time_now();
    brski_facts_t *facts;
    brski_err_t *err;

    apr_sleep(number * 20 * MS);
    start = apr_time_now();
    err = brski_store_facts(&facts, h->store, "S", "h", NULL, 1, pool, pool);
    if (!err) {
        apr_atomic_inc32(&h->answered);
    }
    else if (err->code == BRSKI_E_STORE_BUSY) {
        note_wait(h, (apr_uint32_t)((apr_time_now() - start) / MS));
    }
    else {
        apr_atomic_inc32(&h->other);
    }
}

static void thaw_later(void *baton, int number, apr_pool_t *pool)
{
    if (number == 0) {
        apr_sleep(3000 * MS);
        database_thaw(((const database_t **)baton)[0]);
    }
    else {
        database_crew(THREADS, ask, ((void **)baton)[1]);
    }
    (void)pool;
}

static void test_hung(const database_t *database, apr_pool_t *pool)
{
    brski_store_t *store;
    hung_t h = { 0 };
    const void *both[] = { database, &h };
    apr_time_t start;
    brski_facts_t *facts;
    int i;

    brski_store_make(&store, "gate", database_host(database, 3, pool), database->dialect, 3,
                     500 * MS, unit_ctx(1, pool), pool);
    h.store = store;
    for (i = 0; i < 3; i++) {
        is_ok(brski_store_facts(&facts, store, "S", "h", NULL, 1, pool, pool), "an answer");
    }
    database_freeze(database);
    start = apr_time_now();
    database_crew(2, thaw_later, both);
    is_int(h.answered, 3, "a hung PostgreSQL holds as many threads as there are places");
    is_int(h.busy, THREADS - 3, "all others are turned away");
    is_int(h.other, 0, "nothing else happens");
    ok(h.longest_busy < 1000, "after their patience at most: %d ms", (int)h.longest_busy);
    ok(apr_time_now() - start >= 2900 * MS, "the three wait until it goes on");
    is_ok(brski_store_facts(&facts, store, "S", "h", NULL, 1, pool, pool), "then all is as before");
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *pgsql = database_pgsql(pool);

    test_turns(pool);
    test_patience(pool);
    if (pgsql) {
        test_hung(pgsql, pool);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
