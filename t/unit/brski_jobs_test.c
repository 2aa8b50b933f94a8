/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_jobs_test.c: the threads that do a registrar's work: what is handed over, what others left,
 * what becomes due again, who waits and how many may, an end in the middle of work. The work itself
 * is played: brski_registrar_work() is defined here.
 */
#include "brski_jobs.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_log.h"
#include "database.h"
#include "unit.h"

#define MS 1000
#define SECOND (1000 * MS)
#define MAKER "Acme"
#define DEAD "Dead"
#define NODE "node-1"

/* ---- the work that is played ---- */

static struct {
    apr_uint32_t begun;    /* steps */
    apr_uint32_t at_once;  /* threads at work now */
    apr_uint32_t most;     /* at one time */
    apr_uint32_t lost;     /* leases that were not ours any more */
    apr_uint32_t hold;     /* nonzero: work does not end */
    apr_uint32_t dead;     /* nonzero: that for DEAD does not */
    apr_uint32_t fails;    /* so many steps fail */
    apr_uint32_t warnings; /* of the log */
    apr_uint32_t hours;    /* that the records' clock is ahead */
} played;

static void forget(void)
{
    memset(&played, 0, sizeof(played));
}

static void count_in(void)
{
    apr_uint32_t now = apr_atomic_inc32(&played.at_once) + 1;

    apr_atomic_inc32(&played.begun);
    while (now > apr_atomic_read32(&played.most)) {
        apr_atomic_set32(&played.most, now);
    }
}

static void hold_on(const brski_request_t *request)
{
    apr_uint32_t *hold = strcmp(request->manufacturer, DEAD) ? &played.hold : &played.dead;

    while (apr_atomic_read32(hold)) {
        apr_sleep(MS);
    }
}

static int must_fail(void)
{
    apr_uint32_t left = apr_atomic_read32(&played.fails);

    return left && apr_atomic_cas32(&played.fails, left - 1, left) == left;
}

/* A voucher, then at once its log, then nothing. */
static void play(brski_request_t *request, apr_time_t now)
{
    request->task = request->task == BRSKI_TASK_VOUCHER ? BRSKI_TASK_AUDIT : BRSKI_TASK_NONE;
    request->next_at = now;
    request->status = 200;
    request->attempts++;
}

brski_err_t *brski_registrar_work(const brski_registrar_t *registrar, brski_request_t *request,
                                  apr_pool_t *scratch_pool)
{
    int done = 0;

    count_in();
    hold_on(request);
    apr_atomic_dec32(&played.at_once);
    if (must_fail()) {
        return brski_err(BRSKI_E_STORE, NULL, scratch_pool, "the test says so");
    }
    play(request, registrar->ctx->now(registrar->ctx->baton));
    BRSKI_TRY(brski_records_request_done(&done, registrar->records, request, request->lease_by,
                                         scratch_pool));
    if (!done) {
        apr_atomic_inc32(&played.lost);
    }
    return BRSKI_OK;
}

static apr_time_t now_ahead(void *baton)
{
    (void)baton;
    return apr_time_now() + apr_atomic_read32(&played.hours) * (3600LL * SECOND);
}

static void write_log(void *baton, brski_log_level_t level, int number, const char *text)
{
    (void)baton;
    (void)level;
    if (number == 1160 || number == 1161) {
        apr_atomic_inc32(&played.warnings);
    }
    else {
        fprintf(stderr, "# unexpected: %d %s\n", number, text);
    }
}

/* ---- a registrar ---- */

typedef struct t_t {
    const database_t *database;
    const char *d;
    brski_registrar_t registrar;
    brski_ctx_t ctx;
    brski_log_t log;
    apr_pool_t *pool;
} t_t;

static void make_registrar(t_t *t, const database_t *database, const char *tenant,
                           apr_pool_t *pool)
{
    memset(t, 0, sizeof(*t));
    t->database = database;
    t->d = database->name;
    t->pool = pool;
    t->log.write = write_log;
    t->log.level = BRSKI_LOG_WARNING;
    t->ctx = *brski_ctx_default();
    t->ctx.log = &t->log;
    t->ctx.now = now_ahead;
    t->registrar.ctx = &t->ctx;
    t->registrar.node = NODE;
    t->registrar.records =
        database_records(database, tenant, database->dialect == BRSKI_SQLITE3 ? 1 : 8, &t->ctx,
                         pool);
    forget();
}

static brski_jobs_t *start(t_t *t, const brski_jobs_options_t *options, apr_pool_t *pool)
{
    brski_jobs_t *jobs;
    brski_err_t *err = brski_jobs_start(&jobs, &t->registrar, options, pool);

    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    return jobs;
}

static brski_request_t *put_of(t_t *t, const char *maker, const char *id, const char *by,
                               apr_time_t until)
{
    brski_request_t *r = apr_pcalloc(t->pool, sizeof(*r));
    brski_err_t *err;
    int put;

    r->id = id;
    r->manufacturer = maker;
    r->serial_number = id;
    r->idevid_spki = "";
    r->created_at = apr_time_now();
    err = brski_records_request_put(&put, t->registrar.records, r, by, until, t->pool);
    if (err || !put) {
        bail_out("%s: %s", id, err ? brski_err_text(err, t->pool) : "is there");
    }
    return r;
}

static brski_request_t *put_leased(t_t *t, const char *id, const char *by, apr_time_t until)
{
    return put_of(t, MAKER, id, by, until);
}

/* A row as this process makes it. */
static brski_request_t *put_own(t_t *t, brski_jobs_t *jobs, const char *id)
{
    return put_leased(t, id, NODE, brski_jobs_lease_until(jobs, apr_time_now()));
}

static brski_task_t task_of(t_t *t, const char *id)
{
    brski_request_t *r;
    brski_err_t *err = brski_records_request_get(&r, t->registrar.records, id, t->pool, t->pool);

    if (err || !r) {
        bail_out("%s: %s", id, err ? brski_err_text(err, t->pool) : "is not there");
    }
    return r->task;
}

/* Patience without a limit of the machine's: a minute is for broken code alone. */
#define until(condition) \
    do { \
        int tries_ = 0; \
        while (!(condition) && ++tries_ < 60000) { \
            apr_sleep(MS); \
        } \
        ok(condition, "%s: until %s", t->d, #condition); \
    } while (0)

/* ---- tests ---- */

static void test_handed_over(t_t *t)
{
    brski_jobs_options_t options = { .threads = 2, .every = 3600LL * SECOND };
    brski_jobs_t *jobs;
    apr_pool_t *pool;

    apr_pool_create(&pool, t->pool);
    jobs = start(t, &options, pool);
    brski_jobs_begin(jobs, put_own(t, jobs, "own"));
    until(task_of(t, "own") == BRSKI_TASK_NONE);
    is_int(apr_atomic_read32(&played.begun), 2, "%s: one step follows the other by itself", t->d);
    is_int(apr_atomic_read32(&played.lost), 0, "%s: the lease held", t->d);
    is_int(brski_jobs_wait(jobs, "own", 60LL * SECOND), 1, "%s: nobody waits for what is done",
           t->d);
    apr_pool_destroy(pool);
}

static void test_left_by_others(t_t *t)
{
    brski_jobs_options_t options = { .threads = 4, .every = 20 * MS };
    apr_time_t later = apr_time_now() + 3600LL * SECOND;
    brski_jobs_t *jobs;
    apr_pool_t *pool;
    int i;

    forget();
    apr_pool_create(&pool, t->pool);
    for (i = 0; i < 20; i++) {
        put_leased(t, apr_psprintf(t->pool, "left%d", i), "dead", apr_time_now());
    }
    put_leased(t, "held", "alive", later);
    jobs = start(t, &options, pool);
    until(apr_atomic_read32(&played.begun) == 40);
    until(task_of(t, "left19") == BRSKI_TASK_NONE);
    is_int(task_of(t, "held"), BRSKI_TASK_VOUCHER, "%s: what somebody holds is left to him", t->d);
    brski_jobs_begin(jobs, put_leased(t, "not-ours", "alive", later));
    until(apr_atomic_read32(&played.begun) == 40);
    put_leased(t, "found", "dead", apr_time_now());
    until(task_of(t, "found") == BRSKI_TASK_NONE);
    is_int(task_of(t, "not-ours"), BRSKI_TASK_VOUCHER, "%s: handed over or not", t->d);
    is_int(apr_atomic_read32(&played.lost), 0, "%s: nothing was worked on twice", t->d);
    apr_pool_destroy(pool);
}

static void test_woken(t_t *t)
{
    brski_jobs_options_t options = { .threads = 2, .every = 3600LL * SECOND };
    brski_jobs_t *jobs;
    apr_pool_t *pool;

    forget();
    apr_pool_create(&pool, t->pool);
    jobs = start(t, &options, pool);
    put_leased(t, "woken", "dead", apr_time_now());
    brski_jobs_wake(jobs);
    until(task_of(t, "woken") == BRSKI_TASK_NONE);
    apr_pool_destroy(pool);
}

/* Their MASA does not answer. */
static void put_dead(t_t *t, const char *word, int many)
{
    int i;

    apr_atomic_set32(&played.dead, 1);
    for (i = 0; i < many; i++) {
        put_of(t, DEAD, apr_psprintf(t->pool, "%s%d", word, i), "gone", apr_time_now());
    }
}

static void test_dead(t_t *t)
{
    brski_jobs_options_t options = { .threads = 4, .queue = 20, .every = 20 * MS,
                                     .slow = 3600LL * SECOND, .lease = 3600LL * SECOND };
    brski_jobs_t *jobs;
    apr_pool_t *pool;

    apr_pool_create(&pool, t->pool);
    put_dead(t, "dead", 40);
    jobs = start(t, &options, pool);
    until(apr_atomic_read32(&played.begun) == 3);
    brski_jobs_begin(jobs, put_own(t, jobs, "alive"));
    until(task_of(t, "alive") == BRSKI_TASK_NONE);
    put_leased(t, "alive too", "gone", apr_time_now());
    until(task_of(t, "alive too") == BRSKI_TASK_NONE);
    is_int(apr_atomic_read32(&played.begun), 7, "%s: a dead MASA holds up nobody else's devices",
           t->d);
    apr_atomic_set32(&played.dead, 0);
    until(apr_atomic_read32(&played.begun) >= 7 + 3 + 2 * 10);
    apr_atomic_set32(&played.hours, 1);
    until(apr_atomic_read32(&played.begun) == 4 + 2 * 40);
    is_int(apr_atomic_read32(&played.lost), 0, "%s: nor was its own work lost", t->d);
    apr_pool_destroy(pool);
}

static void test_slow(t_t *t)
{
    brski_jobs_options_t options = { .threads = 4, .every = 20 * MS, .slow = 50 * MS };
    brski_jobs_t *jobs;
    apr_pool_t *pool;

    forget();
    apr_pool_create(&pool, t->pool);
    put_dead(t, "first", 1);
    jobs = start(t, &options, pool);
    until(apr_atomic_read32(&played.begun) == 1);
    apr_sleep(60 * MS);
    apr_atomic_set32(&played.dead, 0);
    until(task_of(t, "first0") == BRSKI_TASK_NONE);
    put_dead(t, "slow", 8);
    brski_jobs_begin(jobs, put_own(t, jobs, "quick"));
    until(task_of(t, "quick") == BRSKI_TASK_NONE);
    until(apr_atomic_read32(&played.begun) == 5);
    is_int(apr_atomic_read32(&played.at_once), 1, "%s: one that was slow gets few threads", t->d);
    apr_atomic_set32(&played.dead, 0);
    until(apr_atomic_read32(&played.begun) == 4 + 2 * 8);
    until(task_of(t, "slow7") == BRSKI_TASK_NONE);
    apr_pool_destroy(pool);
}

typedef struct wait_t {
    brski_jobs_t *jobs;
    apr_uint32_t ended;
    apr_uint32_t gave_up;
} wait_t;

static void wait_long(void *baton, int number, apr_pool_t *pool)
{
    wait_t *w = baton;

    (void)number;
    (void)pool;
    apr_atomic_inc32(brski_jobs_wait(w->jobs, "slow", 600LL * SECOND) ? &w->ended : &w->gave_up);
}

/* One of the crew lets the work end when all that may wait do, and who may not has gone. */
static void wait_or_release(void *baton, int number, apr_pool_t *pool)
{
    wait_t *w = baton;
    int working, queued, waiting = 0;

    if (number > 0) {
        wait_long(baton, number, pool);
        return;
    }
    while (waiting < 3 || apr_atomic_read32(&w->gave_up) < 5) {
        brski_jobs_numbers(w->jobs, &working, &queued, &waiting);
        apr_sleep(MS);
    }
    apr_atomic_set32(&played.hold, 0);
}

static void test_waiters(t_t *t)
{
    brski_jobs_options_t options = { .threads = 1, .queue = 2, .waiters = 3,
                                     .every = 3600LL * SECOND };
    wait_t w = { 0 };
    apr_pool_t *pool;
    int working, queued, waiting;

    forget();
    apr_pool_create(&pool, t->pool);
    apr_atomic_set32(&played.hold, 1);
    w.jobs = start(t, &options, pool);
    brski_jobs_begin(w.jobs, put_own(t, w.jobs, "slow"));
    until(apr_atomic_read32(&played.begun) == 1);
    brski_jobs_begin(w.jobs, put_own(t, w.jobs, "q1"));
    brski_jobs_begin(w.jobs, put_own(t, w.jobs, "q2"));
    brski_jobs_begin(w.jobs, put_own(t, w.jobs, "q3"));
    brski_jobs_numbers(w.jobs, &working, &queued, &waiting);
    is_int(working, 1, "%s: one at work", t->d);
    is_int(queued, 2, "%s: the queue is bounded", t->d);
    is_int(brski_jobs_wait(w.jobs, "slow", MS), 0, "%s: patience ends", t->d);
    is_int(brski_jobs_wait(w.jobs, "q2", MS), 0, "%s: also for what is queued", t->d);
    is_int(brski_jobs_wait(w.jobs, "q3", 600LL * SECOND), 1,
           "%s: what is not here is not waited for", t->d);
    database_crew(9, wait_or_release, &w);
    is_int(w.ended, 3, "%s: so many may wait, and are told", t->d);
    is_int(w.gave_up, 5, "%s: others go at once", t->d);
    until(task_of(t, "q2") == BRSKI_TASK_NONE);
    is_int(apr_atomic_read32(&played.most), 1, "%s: one thread is one", t->d);
    brski_jobs_numbers(w.jobs, &working, &queued, &waiting);
    is_int(waiting, 0, "%s: nobody waits", t->d);
    apr_pool_destroy(pool);
}

static void test_failure(t_t *t)
{
    brski_jobs_options_t options = { .threads = 1, .every = 20 * MS, .lease = 3600LL * SECOND };
    brski_jobs_t *jobs;
    apr_pool_t *pool;

    forget();
    apr_pool_create(&pool, t->pool);
    apr_atomic_set32(&played.fails, 1);
    jobs = start(t, &options, pool);
    brski_jobs_begin(jobs, put_own(t, jobs, "fails"));
    until(apr_atomic_read32(&played.warnings) == 1);
    is_int(task_of(t, "fails"), BRSKI_TASK_VOUCHER, "%s: the row is as it was", t->d);
    apr_atomic_set32(&played.hours, 2);
    until(task_of(t, "fails") == BRSKI_TASK_NONE);
    apr_pool_destroy(pool);
}

static void end_pool(void *baton, int number, apr_pool_t *pool)
{
    (void)pool;
    if (number == 0) {
        apr_pool_destroy(baton);
        return;
    }
    apr_sleep(50 * MS);
    apr_atomic_set32(&played.hold, 0);
}

static void test_end(t_t *t)
{
    brski_jobs_options_t options = { .threads = 2, .every = 20 * MS };
    brski_jobs_t *jobs;
    apr_pool_t *pool;
    int i;

    forget();
    apr_pool_create(&pool, t->pool);
    apr_atomic_set32(&played.hold, 1);
    jobs = start(t, &options, pool);
    for (i = 0; i < 5; i++) {
        brski_jobs_begin(jobs, put_own(t, jobs, apr_psprintf(t->pool, "end%d", i)));
    }
    until(apr_atomic_read32(&played.begun) == 2);
    database_crew(2, end_pool, pool);
    is_int(apr_atomic_read32(&played.begun), 2, "%s: at the end no new row is taken", t->d);
    is_int(apr_atomic_read32(&played.lost), 0, "%s: those begun are written back", t->d);
    for (i = 0; i < 5; i++) {
        brski_request_t *r;

        is_ok(brski_records_request_take(&r, t->registrar.records, "other", apr_time_now(),
                                         apr_time_now() + 3600LL * SECOND, t->pool, t->pool),
              "%s: another process looks for work", t->d);
        ok(r != NULL, "%s: and need not wait for the end of a lease", t->d);
    }
}

/* A host that counts how often it is asked for a connection. */
static brski_store_host_t *counted;
static apr_uint32_t loans;

static brski_err_t *lend_counted(brski_dbd_t **db, void *baton, apr_pool_t *pool)
{
    apr_atomic_inc32(&loans);
    return counted->open(db, baton, pool);
}

static void test_rest(t_t *t)
{
    brski_jobs_options_t options = { .threads = 8, .every = 100 * MS };
    brski_store_host_t host;
    apr_time_t begin;
    apr_pool_t *pool;

    apr_pool_create(&pool, t->pool);
    counted = database_host(t->database, 1, t->pool);
    host = *counted;
    host.open = lend_counted;
    is_ok(brski_records_make(&t->registrar.records, "jobs rest", &host, t->database->dialect, 1,
                             SECOND, &t->ctx, t->pool),
          "%s: records that nobody writes into", t->d);
    apr_atomic_set32(&loans, 0);
    begin = apr_time_now();
    start(t, &options, pool);
    while (apr_atomic_read32(&loans) < 3) {
        apr_sleep(MS);
    }
    apr_sleep(500 * MS);
    apr_pool_destroy(pool);
    ok(apr_atomic_read32(&loans) <= 2 + (apr_time_now() - begin) / (options.every * 3 / 4),
       "%s: idle threads look no more often together than one has to (%u)", t->d,
       apr_atomic_read32(&loans));
    is_int(apr_atomic_read32(&played.begun), 0, "%s: without work there is none", t->d);
}

static void test_all(const database_t *database, apr_pool_t *pool)
{
    t_t t;

    make_registrar(&t, database, "jobs", pool);
    test_handed_over(&t);
    test_left_by_others(&t);
    test_woken(&t);
    test_waiters(&t);
    make_registrar(&t, database, "jobs failure", pool);
    test_failure(&t);
    make_registrar(&t, database, "jobs dead", pool);
    test_dead(&t);
    test_slow(&t);
    make_registrar(&t, database, "jobs end", pool);
    test_end(&t);
    make_registrar(&t, database, "jobs rest", pool);
    test_rest(&t);
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *databases[] = { database_sqlite(pool), database_pgsql(pool) };
    int i;

    for (i = 0; i < 2; i++) {
        if (databases[i]) {
            test_all(database_est(databases[i], pool), pool);
        }
    }
    apr_pool_destroy(pool);
    return done_testing();
}
