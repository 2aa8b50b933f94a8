/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_race_test.c: many deciding at once, in threads and processes, on one device and on many,
 * while the database is fine, locked, read-only, full, restarted, or while one of the processes
 * is killed: each acknowledged voucher has its event, each device's events form one chain, and
 * under a normal load nobody is turned away.
 */
#include <apr_atomic.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "brski_event.h"
#include "brski_statements.h"
#include "brski_store.h"
#include "database.h"
#include "unit.h"

#define THREADS 32
#define NOBODY 65534

/* Those who ask for vouchers together. */
typedef struct crowd_t {
    const database_t *database;
    brski_store_t *store;
    const char *tenant;
    const char *prefix; /* of request hashes: no two crowds ask for the same */
    int devices;        /* 1: all for one */
    int each;           /* vouchers for each thread */
    int acknowledge;    /* file to write each issued request hash to, or -1 */
    apr_uint32_t issued;
    apr_uint32_t again; /* decided again because something had moved */
    apr_uint32_t busy;
    apr_uint32_t unknown;
    apr_uint32_t other;
} crowd_t;

static const char *serial_of(const crowd_t *crowd, int number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "S%d", number % crowd->devices);
}

static void count_error(crowd_t *crowd, const brski_err_t *err, apr_pool_t *pool)
{
    apr_atomic_inc32(err->code == BRSKI_E_STORE_BUSY ? &crowd->busy
                     : err->code == BRSKI_E_STORE    ? &crowd->unknown
                                                     : &crowd->other);
    if (err->code != BRSKI_E_STORE_BUSY && err->code != BRSKI_E_STORE) {
        diag("%s", brski_err_text(err, pool));
    }
}

/*
 * As a decision does: read, write, and read again when something moved. 1 issued, 0 to be tried
 * again.
 */
static int try_once(crowd_t *crowd, const char *serial_number, const char *request_hash,
                    apr_pool_t *pool)
{
    brski_facts_t *facts;
    brski_event_t *event;
    brski_err_t *err;
    int put = 0;

    err = brski_store_facts(&facts, crowd->store, serial_number, request_hash, NULL, 1, pool, pool);
    if (!err && facts->stored) {
        return 1;
    }
    if (!err) {
        event = database_event(facts, crowd->tenant, request_hash, "bg==", pool);
        err =
            brski_store_event_put(&put, crowd->store, event,
                                  APR_ARRAY_IDX(facts->devices, 0, brski_device_t *), facts, pool);
    }
    if (err) {
        count_error(crowd, err, pool);
        apr_sleep(apr_time_from_msec(5));
        return 0;
    }
    if (!put) {
        apr_atomic_inc32(&crowd->again);
    }
    return put;
}

static void note_issued(crowd_t *crowd, const char *request_hash)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "%-40s\n", request_hash);

    apr_atomic_inc32(&crowd->issued);
    if (crowd->acknowledge >= 0 && write(crowd->acknowledge, line, (size_t)len) != len) {
        _exit(3);
    }
}

static void decide(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    const char *serial_number = serial_of(crowd, number, pool), *request_hash;
    apr_pool_t *each;
    int i, tries;

    apr_pool_create(&each, pool);
    for (i = 0; i < crowd->each; i++) {
        request_hash = apr_psprintf(pool, "%s-%d-%d", crowd->prefix, number, i);
        for (tries = 0; tries < 2000; tries++) {
            apr_pool_clear(each);
            if (try_once(crowd, serial_number, request_hash, each)) {
                note_issued(crowd, request_hash);
                break;
            }
        }
    }
}

static crowd_t make_crowd(const database_t *database, const char *tenant, int devices, int each,
                          apr_pool_t *pool)
{
    crowd_t crowd = { 0 };
    brski_dbd_t *db = database_open(database, pool);
    int i;

    crowd.database = database;
    crowd.tenant = tenant;
    crowd.prefix = "a";
    crowd.devices = devices;
    crowd.each = each;
    crowd.acknowledge = -1;
    crowd.store = database_store(database, tenant, database->dialect == BRSKI_SQLITE3 ? 1 : 8,
                                 unit_ctx(1, pool), pool);
    for (i = 0; i < devices; i++) {
        database_device(db, tenant, apr_psprintf(pool, "S%d", i), "router");
    }
    brski_dbd_close(db);
    return crowd;
}

/* All events of the crowd's devices; a remark when a chain is broken. */
static int count_events(crowd_t *crowd, apr_pool_t *pool)
{
    apr_array_header_t *events;
    const char *reason;
    brski_err_t *err;
    int i, n = 0;

    for (i = 0; i < crowd->devices; i++) {
        err = brski_store_events(&events, crowd->store, "router", serial_of(crowd, i, pool), pool,
                                 pool);
        if (err) {
            bail_out("%s", brski_err_text(err, pool));
        }
        n += events->nelts;
        brski_event_chain_check(&reason, events, pool);
        if (reason) {
            diag("%s", reason);
            return -1;
        }
    }
    return n;
}

static void is_quiet(crowd_t *crowd, const char *d)
{
    apr_int64_t turned_away;
    int inside;

    brski_store_gate_numbers(crowd->store, &inside, &turned_away);
    is_int(turned_away, 0, "%s: nobody was turned away", d);
    is_int(inside, 0, "%s: all have left", d);
    is_int(crowd->busy + crowd->unknown + crowd->other, 0, "%s: nothing failed", d);
}

/* ---- threads ---- */

static void test_one_device(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "one", 1, 4, pool);

    database_crew(THREADS, decide, &crowd);
    is_int(crowd.issued, THREADS * 4, "%s: %d threads, one device: all get theirs", database->name,
           THREADS);
    is_int(count_events(&crowd, pool), THREADS * 4, "%s: one event each, in one chain",
           database->name);
    ok(crowd.again > 0, "%s: after deciding again %u times", database->name, crowd.again);
    is_quiet(&crowd, database->name);
}

static void test_many_devices(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "many", THREADS, 40, pool);
    apr_time_t start = apr_time_now();

    database_crew(THREADS, decide, &crowd);
    start = apr_time_now() - start;
    is_int(crowd.issued, THREADS * 40, "%s: %d threads, a device each", database->name, THREADS);
    is_int(count_events(&crowd, pool), THREADS * 40, "%s: one event each", database->name);
    is_int(crowd.again, 0, "%s: nobody had to decide again", database->name);
    is_quiet(&crowd, database->name);
    note("%s: %d decisions a second", database->name,
         (int)(crowd.issued * APR_USEC_PER_SEC / start));
}

static void same_request(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;
    int tries;

    (void)number;
    for (tries = 0; tries < 100 && !try_once(crowd, "S0", "same", pool); tries++) {
    }
}

static void test_same_request(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "same", 1, 1, pool);

    database_crew(THREADS, same_request, &crowd);
    is_int(count_events(&crowd, pool), 1, "5.6 %s: the same bytes from %d threads make one event",
           database->name, THREADS);
    is_quiet(&crowd, database->name);
}

/* ---- processes ---- */

/* A child with a store of its own; the parent has no thread at this time. */
static pid_t start_process(crowd_t *crowd, const char *prefix, int threads)
{
    pid_t pid = fork();
    apr_pool_t *pool;

    if (pid < 0) {
        bail_out("no process");
    }
    if (pid == 0) {
        apr_pool_create(&pool, NULL);
        crowd->prefix = prefix;
        crowd->store = database_store(crowd->database, crowd->tenant,
                                      crowd->database->dialect == BRSKI_SQLITE3 ? 1 : 8,
                                      unit_ctx(1, pool), pool);
        database_crew(threads, decide, crowd);
        if (crowd->busy || crowd->unknown || crowd->other ||
            (int)crowd->issued != threads * crowd->each) {
            diag("%s: %u issued, %u busy, %u unknown, %u other", prefix, crowd->issued, crowd->busy,
                 crowd->unknown, crowd->other);
            _exit(1);
        }
        _exit(0);
    }
    return pid;
}

static void test_two_processes(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "two", 4, 10, pool);
    pid_t one = start_process(&crowd, "one", 16), two = start_process(&crowd, "two", 16);
    int status;

    waitpid(one, &status, 0);
    is_int(status, 0, "%s: two processes on four devices: the first got all its own",
           database->name);
    waitpid(two, &status, 0);
    is_int(status, 0, "%s: and so did the second", database->name);
    is_int(count_events(&crowd, pool), 2 * 16 * 10, "%s: one event each, in chains",
           database->name);
}

/* Each acknowledged request hash is in the log. */
static int missing(crowd_t *crowd, const char *path, int *acknowledged, apr_pool_t *pool)
{
    brski_bytes_t text = unit_file(path, pool);
    char *lines = apr_pstrmemdup(pool, (const char *)text.data, text.len), *last, *line;
    int n = 0;

    *acknowledged = 0;
    for (line = apr_strtok(lines, " \n", &last); line; line = apr_strtok(NULL, " \n", &last)) {
        ++*acknowledged;
        n += database_facts(crowd->store, "S0", line, 1, pool)->stored == NULL;
    }
    return n;
}

static void await_size(const char *path, off_t size)
{
    struct stat st = { 0 };
    int i;

    for (i = 0; i < 6000 && (stat(path, &st) || st.st_size < size); i++) {
        apr_sleep(apr_time_from_msec(5));
    }
}

static void test_killed(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "killed", 4, 100000, pool);
    const char *path = apr_pstrcat(pool, unit_tempdir(pool), "/acknowledged", NULL);
    int acknowledged, i, status, lost = 0, total = 0;
    pid_t pid;

    for (i = 0; i < 3; i++) {
        crowd.acknowledge = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        pid = start_process(&crowd, apr_psprintf(pool, "k%d", i), 16);
        await_size(path, 2000 + 500 * i);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        close(crowd.acknowledge);
        lost += missing(&crowd, path, &acknowledged, pool);
        total += acknowledged;
    }
    ok(total >= 150, "%s: a process killed in the middle of its work, %d vouchers out",
       database->name, total);
    is_int(lost, 0, "5.6 %s: none is without its event", database->name);
    ok(count_events(&crowd, pool) >= total, "%s: the chains are whole", database->name);
}

/* ---- a database that is not well ---- */

static void restart_meanwhile(void *baton, int number, apr_pool_t *pool)
{
    crowd_t *crowd = baton;

    if (number == 0) {
        apr_sleep(apr_time_from_msec(300));
        database_restart(crowd->database);
    }
    else {
        decide(crowd, number, pool);
    }
}

static void test_restart(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "restart", 4, 1, pool);
    brski_facts_t *facts;
    brski_event_t *event;
    int put;

    database_crew(8, decide, &crowd);
    facts = database_facts(crowd.store, "S0", "r1", 1, pool);
    event = database_event(facts, "restart", "r1", "bg==", pool);
    database_restart(database);
    brski_store_event_put(&put, crowd.store, event,
                          APR_ARRAY_IDX(facts->devices, 0, brski_device_t *), facts, pool);
    ok(try_once(&crowd, "S0", "r1", pool) || try_once(&crowd, "S0", "r1", pool),
       "a restart between reading and writing ends in a voucher");
    ok(database_facts(crowd.store, "S0", "r1", 1, pool)->stored, "and in its event");

    crowd = make_crowd(database, "restart2", 4, 200, pool);
    database_crew(9, restart_meanwhile, &crowd);
    is_int(crowd.issued, 8 * 200, "a crash and restart under load: all get theirs in the end");
    is_int(count_events(&crowd, pool), 8 * 200, "one event each, in chains");
    is_int(crowd.other, 0, "nothing else happened (%u unknown, %u busy)", crowd.unknown,
           crowd.busy);
}

/* An administrator's shell with a transaction open. */
static pid_t hold_lock(const database_t *database, apr_pool_t *pool)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready) != 0 || (pid = fork()) < 0) {
        bail_out("no process to hold the lock");
    }
    if (pid == 0) {
        database_do(database_open(database, pool), "BEGIN IMMEDIATE");
        _exit(write(ready[1], "x", 1) == 1 ? (int)sleep(200) : 1);
    }
    if (read(ready[0], &byte, 1) != 1) {
        bail_out("the lock is not held");
    }
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void try_one(void *baton, int number, apr_pool_t *pool)
{
    try_once(baton, serial_of(baton, number, pool), apr_psprintf(pool, "l%d", number), pool);
}

static void test_locked(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "locked", 8, 1, pool);
    apr_time_t start = apr_time_now();
    pid_t pid = hold_lock(database, pool);

    database_crew(8, try_one, &crowd);
    is_int(crowd.busy, 8, "a file that another process has locked: all learn so");
    ok(apr_time_now() - start < apr_time_from_sec(60), "in bounded time: %d s",
       (int)apr_time_sec(apr_time_now() - start));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    is_int(count_events(&crowd, pool), 0, "nothing was written");
    database_crew(8, try_one, &crowd);
    is_int(count_events(&crowd, pool), 8, "without the lock all goes on");
}

/* As a server's user for whom the file was not meant. */
static void test_readonly(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "readonly", 1, 1, pool);
    brski_facts_t *facts = database_facts(crowd.store, "S0", "ro", 1, pool);
    brski_event_t *event = database_event(facts, "readonly", "ro", "bg==", pool);
    int status, put;
    pid_t pid;

    if (geteuid() != 0) {
        skip(1, "only root can become somebody else");
        return;
    }
    chmod(database->dir, 0755);
    chmod(database->params, 0644);
    pid = fork();
    if (pid == 0) {
        brski_err_t *err;

        if (setgid(NOBODY) || setuid(NOBODY)) {
            _exit(2);
        }
        crowd.store = database_store(database, "readonly", 1, unit_ctx(1, pool), pool);
        err =
            brski_store_event_put(&put, crowd.store, event,
                                  APR_ARRAY_IDX(facts->devices, 0, brski_device_t *), facts, pool);
        if (err) {
            diag("%s", brski_err_text(err, pool));
        }
        _exit(err && (err->code == BRSKI_E_STORE_READONLY || err->code == BRSKI_E_STORE) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    is_int(status, 0, "a file that may only be read: no event, no crash");
}

static void test_full(const database_t *database, apr_pool_t *pool)
{
    crowd_t crowd = make_crowd(database, "full", 8, 1, pool);
    brski_store_host_t *host = database_host(database, 1, pool);
    brski_facts_t *facts = database_facts(crowd.store, "S0", "f", 1, pool);
    brski_event_t *event = database_event(facts, "full", "f", "bg==", pool);
    brski_device_t *device = APR_ARRAY_IDX(facts->devices, 0, brski_device_t *);
    brski_store_t *store;
    brski_dbd_t *db;
    int put;

    brski_store_make(&store, "full", host, database->dialect, 1, apr_time_from_sec(5),
                     unit_ctx(1, pool), pool);
    host->open(&db, host->baton, pool);
    database_do(db, "PRAGMA max_page_count=1");
    host->close(db, host->baton);
    event->voucher = brski_bytes(apr_pcalloc(pool, 300000), 300000);
    is_err(brski_store_event_put(&put, store, event, device, facts, pool), STORE_READONLY,
           "5.6 a full disk: no event");
    is_int(put, 0, "and so no voucher");
    is_int(count_events(&crowd, pool), 0, "nothing is there");
    host->open(&db, host->baton, pool);
    database_do(db, "PRAGMA max_page_count=1000000");
    host->close(db, host->baton);
    is_ok(brski_store_event_put(&put, store, event, device, facts, pool), "with room again");
    is_int(put, 1, "it is written");
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    database_t *databases[] = { database_sqlite(pool), database_pgsql(pool) };
    int i;

    for (i = 0; i < 2; i++) {
        if (databases[i]) {
            test_one_device(databases[i], pool);
            test_many_devices(databases[i], pool);
            test_same_request(databases[i], pool);
            test_two_processes(databases[i], pool);
            test_killed(databases[i], pool);
        }
    }
    test_locked(databases[0], pool);
    test_readonly(databases[0], pool);
    test_full(databases[0], pool);
    if (databases[1]) {
        test_restart(databases[1], pool);
    }
    apr_pool_destroy(pool);
    return done_testing();
}
