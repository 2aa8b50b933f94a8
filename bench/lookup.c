/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.c: the decision's one read (brski_store_facts), for serial numbers picked at random.
 * Prints JSON; the caller adds the CPU time of a database server, which this program cannot see.
 * Parameters come from the environment, because a password would show in the list of processes.
 *
 *   BENCH_PARAMS=... lookup DRIVER N COUNT     N reads of devices BENCH-0000000 to BENCH-<COUNT-1>
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_store.h"

static void must(brski_err_t *err, apr_pool_t *pool)
{
    if (err) {
        fprintf(stderr, "lookup: %s\n", brski_err_text(err, pool));
        exit(1);
    }
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef struct watch_t {
    double wall;
    double cpu;
} watch_t;

static watch_t start(void)
{
    watch_t w;

    w.wall = seconds(CLOCK_MONOTONIC);
    w.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    return w;
}

static void stop(watch_t w, int n)
{
    printf("{\"n\": %d, \"wall_us\": %.2f, \"cpu_us\": %.2f}\n", n,
           (seconds(CLOCK_MONOTONIC) - w.wall) * 1e6 / n,
           (seconds(CLOCK_PROCESS_CPUTIME_ID) - w.cpu) * 1e6 / n);
}

static brski_err_t *lend(brski_dbd_t **db, void *baton, apr_pool_t *pool)
{
    (void)pool;
    *db = baton;
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *db, void *baton)
{
    (void)db;
    (void)baton;
}

static void read_one(brski_store_t *store, unsigned int number, apr_pool_t *scratch)
{
    const char *serial = apr_psprintf(scratch, "BENCH-%07u", number);
    const char *hash = brski_sha256_hex(brski_bytes_str(serial), scratch);
    brski_identity_t identity = { apr_array_make(scratch, 1, sizeof(const char *)) };
    brski_facts_t *facts;

    APR_ARRAY_PUSH(identity.keys, const char *) = apr_pstrcat(scratch, "spki:", hash, NULL);
    must(brski_store_facts(&facts, store, serial, hash, &identity, apr_time_now(), scratch,
                           scratch), scratch);
    if (facts->devices->nelts != 1) {
        fprintf(stderr, "lookup: %s is not there\n", serial);
        exit(1);
    }
}

static void facts(brski_dbd_t *db, int n, unsigned int count, apr_pool_t *pool)
{
    brski_store_host_t host = { lend, take_back, NULL };
    brski_store_t *store;
    apr_pool_t *scratch;
    unsigned int at = 12345;
    int i;
    watch_t w;

    host.baton = db;
    must(brski_dbd_prepare(db, pool), pool);
    must(brski_store_make(&store, "default", &host, db->dialect, 1, apr_time_from_sec(5),
                          brski_ctx_default(), pool), pool);
    apr_pool_create(&scratch, pool);
    for (i = 0; i < n / 10; i++) {    /* caches warm alike */
        at = at * 1664525u + 1013904223u;
        read_one(store, (at >> 8) % count, scratch);
        apr_pool_clear(scratch);
    }
    w = start();
    for (i = 0; i < n; i++) {
        at = at * 1664525u + 1013904223u;
        read_one(store, (at >> 8) % count, scratch);
        apr_pool_clear(scratch);
    }
    stop(w, n);
}

int main(int argc, char **argv)
{
    const char *params = getenv("BENCH_PARAMS");
    apr_pool_t *pool;
    brski_dbd_t *db;

    if (argc != 4 || !params) {
        fprintf(stderr, "usage: BENCH_PARAMS=... lookup DRIVER N COUNT\n");
        return 2;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    must(brski_dbd_open(&db, &brski_dbd_set_masa, argv[1], params, pool), pool);
    facts(db, atoi(argv[2]), (unsigned int)strtoul(argv[3], NULL, 10), pool);
    brski_dbd_close(db);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
