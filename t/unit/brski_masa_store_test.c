/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_store_test.c: the decision on a real store, on both databases: what is written comes
 * back as it was hashed, threads that race for one device leave one chain, and what the records say
 * reaches the decision.
 */
#include "testmasa.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_event.h"
#include "brski_statements.h"
#include "database.h"

#define CREW 6
#define EACH 3

static apr_pool_t *pool;              /* of the test at hand */

/* A database with the thermostat, and the world on it. */
typedef struct room_t {
    const database_t *database;
    brski_dbd_t *db;                  /* what an administrator does */
    const char *tenant;
    testmasa_t *w;
} room_t;

static room_t room_on(const database_t *database, const char *tenant)
{
    room_t room = { database, database_open(database, pool), tenant, NULL };
    brski_store_t *store = database_store(database, tenant, 4, unit_ctx(unit_time(TESTMASA_NOW),
                                                                        pool), pool);

    room.w = testmasa_on(store, pool);
    database_device(room.db, tenant, TESTMASA_SERIAL, "thermostat");
    return room;
}

static apr_array_header_t *events_of(const room_t *room)
{
    apr_array_header_t *events = NULL;

    is_ok(brski_store_events(&events, room->w->masa.store, "thermostat", TESTMASA_SERIAL, pool,
                             pool), "%s: the events", room->database->name);
    return events;
}

static const brski_event_t *event_at(const apr_array_header_t *events, int i)
{
    return APR_ARRAY_IDX(events, i, const brski_event_t *);
}

static void chain_holds(const room_t *room, int events)
{
    apr_array_header_t *all = events_of(room);
    const char *reason;

    is_int(all->nelts, events, "5.8 %s: %d events", room->database->name, events);
    brski_event_chain_check(&reason, all, pool);
    is_str(reason, NULL, "5.8 %s: in one chain", room->database->name);
}

static void customer(const room_t *room, const char *name, const testpki_t *registrar)
{
    database_exec(room->db, STMT_CUSTOMER_PUT, room->tenant, name, "", "0");
    database_do(room->db, apr_psprintf(pool, "INSERT INTO customer_key "
                "(tenant, identity, customer, added_at) VALUES ('%s', 'spki:%s', '%s', 0)",
                room->tenant, registrar->cert->spki_hex, name));
    database_do(room->db, apr_psprintf(pool, "INSERT INTO customer_grant (tenant, customer, what) "
                "VALUES ('%s', '%s', 'nonceless')", room->tenant, name));
}

/* ---- one decider ---- */

static void test_round_trip(const database_t *database)
{
    room_t room = room_on(database, "round trip");
    testmasa_ask_t ask = testmasa_ask(room.w);
    apr_array_header_t *events;

    ask.pvr.nonce = ask.rvr.nonce = "100% \"odd\" \\ '; \xc3\xa9";
    ask.request.client_cert = room.w->registrar->cert;
    is_ok(testmasa_voucher(room.w, &ask), "5.6 %s: a voucher", database->name);
    events = events_of(&room);
    is_str(event_at(events, 0)->nonce, ask.rvr.nonce, "5.5.6 %s: the nonce as it came",
           database->name);
    chain_holds(&room, 1);
    is_ok(testmasa_voucher(room.w, &ask), "5.6 %s: the same again", database->name);
    is_int(room.w->answer->reused, 1, "5.6 %s: is the stored one", database->name);
    is_ok(testmasa_log(room.w, &ask), "5.8 %s: the log", database->name);
    chain_holds(&room, 1);
}

static void test_records_reach_the_decision(const database_t *database)
{
    room_t room = room_on(database, "records");
    testpki_t *other = testmasa_domain(room.w, "Other");
    testmasa_ask_t ask = testmasa_ask(room.w);

    room.w->product->nonceless = BRSKI_NONCELESS_CUSTOMER;
    room.w->product->nonceless_lifetime = 0;
    testmasa_nonceless(&ask);
    is_err(testmasa_voucher(room.w, &ask), NOT_AUTHENTICATED, "5.5.4 %s: unknown", database->name);
    customer(&room, "acme", room.w->registrar);
    is_ok(testmasa_voucher(room.w, &ask), "7.4.1 %s: a customer with a grant", database->name);
    is_str(event_at(events_of(&room), 0)->nonce, NULL, "5.5.6 %s: no nonce", database->name);
    ask = testmasa_ask_from(room.w, other);
    is_err(testmasa_voucher(room.w, &ask), OUTSTANDING, "5.6 %s: outstanding", database->name);
    database_exec(room.db, STMT_DEVICE_STATE_PUT, "stolen", "", "0", room.tenant, TESTMASA_SERIAL,
                  "thermostat");
    ask = testmasa_ask(room.w);
    is_err(testmasa_voucher(room.w, &ask), DEVICE_BLOCKED, "10.4 %s: stolen", database->name);
    chain_holds(&room, 1);
}

static void test_fresh_request_once(const database_t *database)
{
    room_t room = room_on(database, "fresh");
    testmasa_ask_t ask = testmasa_ask(room.w);
    testpki_t *stranger = testmasa_domain(room.w, "Stranger");

    is_ok(testmasa_voucher(room.w, &ask), "5.6 %s: a voucher", database->name);
    ask = testmasa_ask(room.w);
    ask.rvr.created_on += 1000000;
    is_ok(testmasa_log(room.w, &ask), "5.8 %s: a fresh request without TLS key", database->name);
    is_err(testmasa_log(room.w, &ask), NO_OWNER, "5.8 %s: opens once", database->name);
    ask.request.client_cert = stranger->cert;
    is_err(testmasa_log(room.w, &ask), NO_OWNER, "5.8 %s: never for a copy", database->name);
}

/* ---- many ---- */

/* What the crew shares. */
typedef struct race_t {
    testmasa_t *w;
    brski_bytes_t bodies[CREW * EACH];
    int per_thread;                   /* 0: all post the first */
    apr_uint32_t refused;
    apr_uint32_t races;
    brski_bytes_t answers[CREW];
} race_t;

/* One request, again as a registrar would when it is told to come again. */
static brski_err_t *persist(race_t *race, brski_masa_answer_t **answer, brski_bytes_t body,
                            const char *id, apr_pool_t *p)
{
    brski_masa_request_t request = { 0 };
    brski_err_t *err;

    request.body = body;
    request.content_type = "application/voucher-cms+json";
    request.request_id = id;
    do {
        err = brski_masa_requestvoucher(answer, &race->w->masa, &request, p, p);
        if (err && err->code == BRSKI_E_RACE) {
            apr_atomic_inc32(&race->races);
        }
    } while (err && err->code == BRSKI_E_RACE);
    return err;
}

static void run(void *baton, int number, apr_pool_t *p)
{
    race_t *race = baton;
    brski_masa_answer_t *answer;
    int i;

    for (i = 0; i < EACH; i++) {
        int which = race->per_thread ? number * EACH + i : 0;

        if (persist(race, &answer, race->bodies[which],
                    apr_psprintf(p, "req-%d-%d", number, i), p)) {
            apr_atomic_inc32(&race->refused);
            return;
        }
    }
    race->answers[number] = brski_bytes_dup(answer->body, p);
}

static race_t *race_in(const room_t *room, int per_thread)
{
    race_t *race = apr_pcalloc(pool, sizeof(*race));
    int i;

    race->w = room->w;
    race->per_thread = per_thread;
    for (i = 0; i < CREW * EACH; i++) {
        testmasa_ask_t ask = testmasa_ask(room->w);

        ask.rvr.nonce = ask.pvr.nonce = apr_psprintf(pool, "nonce %d", i);
        race->bodies[i] = testmasa_body(room->w, &ask);
    }
    return race;
}

static void test_race(const database_t *database)
{
    room_t room = room_on(database, "race");
    race_t *race = race_in(&room, 1);

    database_crew(CREW, run, race);
    is_int(race->refused, 0, "5.6 %s: %d threads ask for one device at once: all are served",
           database->name, CREW);
    note("%s: told to come again %d times", database->name, (int)race->races);
    chain_holds(&room, CREW * EACH);
}

static void test_race_identical(const database_t *database)
{
    room_t room = room_on(database, "identical");
    race_t *race = race_in(&room, 0);
    brski_masa_answer_t *answer;
    apr_array_header_t *events;

    database_crew(CREW, run, race);
    is_int(race->refused, 0, "5.6 %s: %d threads post the same bytes", database->name, CREW);
    chain_holds(&room, 1);
    is_ok(persist(race, &answer, race->bodies[0], "req-last", pool), "5.6 %s: once more",
          database->name);
    events = events_of(&room);
    is_str(brski_sha256_hex(answer->body, pool), event_at(events, 0)->voucher_hash,
           "5.6 %s: all get the voucher that was written", database->name);
}

int main(void)
{
    static void (*const tests[])(const database_t *) = {
        test_round_trip, test_records_reach_the_decision, test_fresh_request_once, test_race,
        test_race_identical,
    };
    apr_pool_t *parent = unit_start();
    database_t *databases[] = { database_sqlite(parent), database_pgsql(parent) };
    apr_size_t i, d;

    for (d = 0; d < 2; d++) {
        for (i = 0; databases[d] && i < sizeof(tests) / sizeof(tests[0]); i++) {
            apr_pool_create(&pool, parent);
            tests[i](databases[d]);
            apr_pool_destroy(pool);
        }
    }
    apr_pool_destroy(parent);
    return done_testing();
}
