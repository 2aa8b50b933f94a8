/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_count.c: counters in shared memory, as masa_count.h says. They are machine words changed by
 * atomic operations; a reader may see one request half counted, and nobody waits.
 */
#include "masa_count.h"

#include <ap_mpm.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <errno.h>
#include <http_log.h>
#include <http_protocol.h>
#include <signal.h>
#include <unistd.h>

APLOG_USE_MODULE(masa);

#define NUMBER_HTTPD 2201
#define HTTPD_FIRST 400
#define HTTPD_STATUSES 200

/* What a request may end with: served, one of these, or a status of httpd's. */
static const int refusals[] = {
#define BRSKI_ERR(name, number, status, level, section, text) number,
#include "brski_err_codes.h"
#undef BRSKI_ERR
};
#define REFUSALS ((int)(sizeof(refusals) / sizeof(refusals[0])))
#define RESULTS (1 + REFUSALS + HTTPD_STATUSES)

static const char *const operations[] = { "requestvoucher", "requestauditlog", "other" };
#define OPERATIONS ((int)(sizeof(operations) / sizeof(operations[0])))

/* A process. Its counters move to the sums when it ends. */
typedef struct masa_place_t {
    unsigned long pid;                /* 0: free */
    unsigned long inside;
    unsigned long waiting;
    unsigned long cached;
    unsigned long turned_away;
    unsigned long dropped;
    unsigned long hits;
    unsigned long misses;
} masa_place_t;

typedef struct masa_counts_t {
    apr_time_t since;
    unsigned long snapshot_at;        /* seconds: one word */
    unsigned long requests[OPERATIONS][RESULTS];
    unsigned long issued[BRSKI_ASSERTION_AGENT_PROXIMITY + 1];
    unsigned long reissued;
    masa_place_t ended;               /* of processes that are no more */
    int places;
    masa_place_t place[];
} masa_counts_t;

static unsigned long get(const unsigned long *n)
{
    return __atomic_load_n(n, __ATOMIC_RELAXED);
}

static void set(unsigned long *n, unsigned long value)
{
    __atomic_store_n(n, value, __ATOMIC_RELAXED);
}

static void add(unsigned long *n, unsigned long value)
{
    __atomic_fetch_add(n, value, __ATOMIC_RELAXED);
}

/* ---- the memory ---- */

/* Kept by the process under this name. The size is in it: another version of the module, loaded by
 * a graceful restart, begins anew. */
static const char *memory_key(const masa_engine_t *engine, apr_size_t size, apr_pool_t *pool)
{
    const server_rec *s = engine->server;

    return apr_psprintf(pool, "masa_counts/%s/%u/%s/%s/%" APR_SIZE_T_FMT,
                        s->server_hostname ? s->server_hostname : "",
                        (unsigned)(s->addrs ? s->addrs->host_port : s->port),
                        s->addrs && s->addrs->virthost ? s->addrs->virthost : "",
                        masa_get_text(engine->conf, tenant), size);
}

static masa_counts_t *make_memory(const char *key, apr_size_t size, int places, server_rec *s,
                                  apr_pool_t *pconf)
{
    apr_pool_t *pool = s->process->pool;
    masa_counts_t *counts;
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, size, NULL, pool);

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s, "BRSKI2105: no shared memory for counters: "
                     "masa-status will show those of the process that answers");
        counts = apr_pcalloc(pconf, size);
    }
    else {
        counts = apr_shm_baseaddr_get(shm);
        memset(counts, 0, size);
        apr_pool_userdata_set(counts, key, apr_pool_cleanup_null, pool);
    }
    counts->since = apr_time_now();
    counts->places = places;
    return counts;
}

void masa_count_attach(masa_engine_t *engine, apr_pool_t *pconf)
{
    server_rec *s = engine->server;
    masa_counts_t *counts = NULL;
    const char *key;
    apr_size_t size;
    int places = 0;

    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &places) != APR_SUCCESS || places < 1) {
        places = 1;
    }
    size = sizeof(*counts) + (apr_size_t)places * sizeof(counts->place[0]);
    key = memory_key(engine, size, pconf);
    apr_pool_userdata_get((void **)&counts, key, s->process->pool);
    engine->counts = counts ? counts : make_memory(key, size, places, s, pconf);
    /* this configuration has not been published yet */
    set(&engine->counts->snapshot_at, 0);
}

/* ---- a process's place ---- */

static void add_counters(masa_place_t *to, const masa_place_t *from)
{
    add(&to->turned_away, get(&from->turned_away));
    add(&to->dropped, get(&from->dropped));
    add(&to->hits, get(&from->hits));
    add(&to->misses, get(&from->misses));
}

static int is_gone(unsigned long pid)
{
    return kill((pid_t)pid, 0) && errno == ESRCH;
}

/* The place's holder is gone, or is the caller. */
static void empty_place(masa_counts_t *counts, masa_place_t *place)
{
    add_counters(&counts->ended, place);
    set(&place->inside, 0);
    set(&place->waiting, 0);
    set(&place->cached, 0);
    set(&place->turned_away, 0);
    set(&place->dropped, 0);
    set(&place->hits, 0);
    set(&place->misses, 0);
}

static masa_place_t *take_place(masa_counts_t *counts)
{
    int i;

    for (i = 0; i < counts->places; i++) {
        masa_place_t *place = &counts->place[i];
        unsigned long pid = get(&place->pid);

        /* one that was killed could not give it back */
        if ((!pid || is_gone(pid))
            && __atomic_compare_exchange_n(&place->pid, &pid, (unsigned long)getpid(), 0,
                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            empty_place(counts, place);
            return place;
        }
    }
    return NULL;
}

static apr_status_t give_back(void *baton)
{
    masa_engine_t *engine = baton;

    empty_place(engine->counts, engine->place);
    __atomic_store_n(&engine->place->pid, 0, __ATOMIC_RELEASE);
    engine->place = NULL;
    return APR_SUCCESS;
}

void masa_count_child(masa_engine_t *engine, apr_pool_t *pool)
{
    engine->place = take_place(engine->counts);
    if (engine->place) {
        apr_pool_cleanup_register(pool, engine, give_back, apr_pool_cleanup_null);
    }
}

void masa_count_inside(const masa_engine_t *engine, int step)
{
    masa_place_t *place = engine->place;

    if (place) {
        add(&place->inside, (unsigned long)step);
    }
}

void masa_count_snapshot(const masa_engine_t *engine, apr_time_t at)
{
    set(&engine->counts->snapshot_at, (unsigned long)apr_time_sec(at));
}

void masa_count_own(const masa_engine_t *engine)
{
    masa_place_t *place = engine->place;
    brski_cert_cache_numbers_t cache;
    apr_int64_t away = 0, dropped = 0;
    apr_size_t waiting = 0;
    int inside;

    if (!place || !engine->masa.store || !engine->spool) {
        return;
    }
    brski_store_gate_numbers(engine->masa.store, &inside, &away);
    brski_spool_numbers(engine->spool, &waiting, &dropped);
    brski_cert_cache_numbers(&cache, engine->masa.cache);
    set(&place->turned_away, (unsigned long)away);
    set(&place->waiting, (unsigned long)waiting);
    set(&place->dropped, (unsigned long)dropped);
    set(&place->cached, (unsigned long)cache.certificates);
    set(&place->hits, (unsigned long)cache.hits);
    set(&place->misses, (unsigned long)cache.misses);
}

/* ---- counting ---- */

static int operation_place(const char *name)
{
    int i = 0;

    while (i < OPERATIONS - 1 && strcmp(operations[i], name)) {
        i++;
    }
    return i;
}

/* -1 for what is nobody's refusal: a redirection, say. */
static int result_place(const masa_http_t *http)
{
    const int status = http->glue.r->status;
    int i;

    if (!http->glue.err) {
        return http->answer && status == HTTP_OK ? 0
             : status >= HTTPD_FIRST && status < HTTPD_FIRST + HTTPD_STATUSES
                   ? 1 + REFUSALS + status - HTTPD_FIRST : -1;
    }
    for (i = 0; i < REFUSALS; i++) {
        if (refusals[i] == (int)http->glue.err->code) {
            return 1 + i;
        }
    }
    return -1;
}

static void count_voucher(masa_counts_t *counts, const brski_masa_answer_t *answer)
{
    if (answer->reused) {
        add(&counts->reissued, 1);
    }
    else {
        add(&counts->issued[answer->assertion], 1);
    }
}

static int count_request(request_rec *r)
{
    masa_engine_t *engine = masa_engine(r->server);
    masa_http_t *http;
    const glue_operation_t *op;
    const char *label;
    int operation, result;

    if (!engine || !glue_http_is_ours(r, &engine->glue) || !(http = masa_http_get(r))) {
        return DECLINED;
    }
    op = glue_http_operation(&label, &http->glue);
    operation = operation_place(op ? op->name : "");
    result = result_place(http);
    if (result >= 0) {
        add(&engine->counts->requests[operation][result], 1);
    }
    if (!result && !operation) {
        count_voucher(engine->counts, http->answer);
    }
    masa_count_own(engine);
    return DECLINED;
}

/* ---- adding up ---- */

static void read_result(masa_sums_t *sums, int operation, int result, unsigned long count)
{
    masa_request_sum_t *sum = apr_array_push(sums->requests);
    const int refusal = result - 1;

    sum->operation = operations[operation];
    sum->count = count;
    sum->number = !result ? 0 : refusal < REFUSALS ? refusals[refusal] : NUMBER_HTTPD;
    sum->status = !result ? HTTP_OK
                : refusal < REFUSALS ? brski_err_row(sum->number)->status
                : refusal - REFUSALS + HTTPD_FIRST;
}

static void read_requests(masa_sums_t *sums, const masa_counts_t *counts, apr_pool_t *pool)
{
    int operation, result;

    sums->requests = apr_array_make(pool, 16, sizeof(masa_request_sum_t));
    for (operation = 0; operation < OPERATIONS; operation++) {
        for (result = 0; result < RESULTS; result++) {
            const unsigned long n = get(&counts->requests[operation][result]);

            if (n) {
                read_result(sums, operation, result, n);
            }
        }
    }
}

static void read_places(masa_sums_t *sums, const masa_counts_t *counts)
{
    masa_place_t all = { 0 };
    int i;

    add_counters(&all, &counts->ended);
    for (i = 0; i < counts->places; i++) {
        const masa_place_t *place = &counts->place[i];
        const unsigned long pid = get(&place->pid);

        if (!pid) {
            continue;
        }
        add_counters(&all, place);
        if (!is_gone(pid)) {
            sums->processes++;
            sums->inside += get(&place->inside);
            sums->waiting += get(&place->waiting);
            sums->cached += get(&place->cached);
        }
    }
    sums->turned_away = all.turned_away;
    sums->dropped = all.dropped;
    sums->cache_hits = all.hits;
    sums->cache_misses = all.misses;
}

void masa_count_read(masa_sums_t *sums, const masa_engine_t *engine, apr_pool_t *pool)
{
    const masa_counts_t *counts = engine->counts;
    int i;

    memset(sums, 0, sizeof(*sums));
    masa_count_own(engine);
    sums->since = counts->since;
    sums->snapshot_at = apr_time_from_sec((apr_time_t)get(&counts->snapshot_at));
    sums->reissued = get(&counts->reissued);
    for (i = 0; i <= BRSKI_ASSERTION_AGENT_PROXIMITY; i++) {
        sums->issued[i] = get(&counts->issued[i]);
    }
    read_requests(sums, counts, pool);
    read_places(sums, counts);
}

void masa_count_hooks(void)
{
    ap_hook_log_transaction(count_request, NULL, NULL, APR_HOOK_MIDDLE);
}
