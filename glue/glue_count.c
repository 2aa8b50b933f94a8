/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_count.c: counters in shared memory, as glue_count.h says. They are machine words changed by
 * atomic operations; a reader may see one request half counted, and nobody waits.
 */
#include "glue_count.h"

#include <ap_mpm.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <errno.h>
#include <http_protocol.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "glue_http.h"

#define HTTPD_FIRST 400
#define HTTPD_STATUSES 200
/* Those of a module, and what its table has not. */
#define OPERATIONS_MAX 16

/* What a request may end with: served, one of these, or a status of httpd's. */
static const int served[] = { HTTP_OK, HTTP_ACCEPTED, HTTP_NO_CONTENT };
#define SERVED ((int)(sizeof(served) / sizeof(served[0])))
static const int refusals[] = {
#define BRSKI_ERR(name, number, status, level, section, text) number,
#include "brski_err_codes.h"
#undef BRSKI_ERR
};
#define REFUSALS ((int)(sizeof(refusals) / sizeof(refusals[0])))
#define RESULTS (SERVED + REFUSALS + HTTPD_STATUSES)

/* A process. What grew moves to the sums when it ends. */
typedef struct glue_place_t {
    unsigned long pid;                /* 0: free */
    unsigned long levels[GLUE_LEVELS];
    unsigned long growing[GLUE_GROWING];
} glue_place_t;

typedef struct glue_counts_t {
    apr_time_t since;
    unsigned long requests[OPERATIONS_MAX][RESULTS];
    unsigned long events[GLUE_EVENTS];
    glue_place_t ended;               /* of processes that are no more */
    int places;
    glue_place_t place[];
} glue_counts_t;

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
static const char *memory_key(const glue_engine_t *engine, const char *identity, apr_size_t size,
                              apr_pool_t *pool)
{
    const server_rec *s = engine->server;

    return apr_psprintf(pool, "%s_counts/%s/%u/%s/%s/%" APR_SIZE_T_FMT, glue_module.handler,
                        s->server_hostname ? s->server_hostname : "",
                        (unsigned)(s->addrs ? s->addrs->host_port : s->port),
                        s->addrs && s->addrs->virthost ? s->addrs->virthost : "", identity, size);
}

static glue_counts_t *make_memory(const char *key, apr_size_t size, int places, server_rec *s,
                                  apr_pool_t *pconf)
{
    apr_pool_t *pool = s->process->pool;
    glue_counts_t *counts;
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, size, NULL, pool);

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s, "%s: no shared memory for counters: "
                     "%s-status will show those of the process that answers",
                     glue_module.log_no_memory, glue_module.handler);
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

void glue_count_attach(glue_engine_t *engine, const char *identity, apr_pool_t *pconf)
{
    server_rec *s = engine->server;
    glue_counts_t *counts = NULL;
    const char *key;
    apr_size_t size;
    int places = 0;

    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &places) != APR_SUCCESS || places < 1) {
        places = 1;
    }
    size = sizeof(*counts) + (apr_size_t)places * sizeof(counts->place[0]);
    key = memory_key(engine, identity, size, pconf);
    apr_pool_userdata_get((void **)&counts, key, s->process->pool);
    engine->counts = counts ? counts : make_memory(key, size, places, s, pconf);
}

/* ---- a process's place ---- */

static void add_growing(glue_place_t *to, const glue_place_t *from)
{
    int i;

    for (i = 0; i < GLUE_GROWING; i++) {
        add(&to->growing[i], get(&from->growing[i]));
    }
}

static int is_gone(unsigned long pid)
{
    return kill((pid_t)pid, 0) && errno == ESRCH;
}

/* The place's holder is gone, or is the caller. */
static void empty_place(glue_counts_t *counts, glue_place_t *place)
{
    int i;

    add_growing(&counts->ended, place);
    for (i = 0; i < GLUE_LEVELS; i++) {
        set(&place->levels[i], 0);
    }
    for (i = 0; i < GLUE_GROWING; i++) {
        set(&place->growing[i], 0);
    }
}

static glue_place_t *take_place(glue_counts_t *counts)
{
    int i;

    for (i = 0; i < counts->places; i++) {
        glue_place_t *place = &counts->place[i];
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
    glue_engine_t *engine = baton;

    empty_place(engine->counts, engine->place);
    __atomic_store_n(&engine->place->pid, 0, __ATOMIC_RELEASE);
    engine->place = NULL;
    return APR_SUCCESS;
}

void glue_count_child(glue_engine_t *engine, apr_pool_t *pool)
{
    engine->place = take_place(engine->counts);
    if (engine->place) {
        apr_pool_cleanup_register(pool, engine, give_back, apr_pool_cleanup_null);
    }
}

/* ---- counting ---- */

void glue_count_event(const glue_engine_t *engine, int event, unsigned long n)
{
    add(&engine->counts->events[event], n);
}

void glue_count_event_set(const glue_engine_t *engine, int event, unsigned long value)
{
    set(&engine->counts->events[event], value);
}

void glue_count_step(const glue_engine_t *engine, int level, int step)
{
    if (engine->place) {
        add(&engine->place->levels[level], (unsigned long)step);
    }
}

void glue_count_level(const glue_engine_t *engine, int level, unsigned long value)
{
    if (engine->place) {
        set(&engine->place->levels[level], value);
    }
}

void glue_count_growing(const glue_engine_t *engine, int which, unsigned long value)
{
    if (engine->place) {
        set(&engine->place->growing[which], value);
    }
}

/* The name's place in the module's table; the one after its last is "other". */
static int operation_place(const glue_operation_t *op)
{
    int i = 0;

    while (glue_module.operations[i].name && &glue_module.operations[i] != op) {
        i++;
    }
    return i < OPERATIONS_MAX ? i : OPERATIONS_MAX - 1;
}

static int place_in(const int *list, int count, int value)
{
    int i;

    for (i = 0; i < count && list[i] != value; i++) {
        ;
    }
    return i < count ? i : -1;
}

/* -1 for what is nobody's refusal: a redirection, say. */
static int result_place(const glue_http_t *http)
{
    const int status = http->r->status;
    int place;

    if (http->err) {
        place = place_in(refusals, REFUSALS, (int)http->err->code);
        return place < 0 ? -1 : SERVED + place;
    }
    if (status >= HTTPD_FIRST && status < HTTPD_FIRST + HTTPD_STATUSES) {
        return SERVED + REFUSALS + status - HTTPD_FIRST;
    }
    return http->result ? place_in(served, SERVED, status) : -1;
}

static int count_request(request_rec *r)
{
    glue_engine_t *engine = glue_module.engine(r->server);
    glue_http_t *http;
    const char *label;
    int result;

    if (!engine || !glue_http_is_ours(r, engine) || !(http = glue_http_get(r))) {
        return DECLINED;
    }
    result = result_place(http);
    if (result >= 0) {
        const int operation = operation_place(glue_http_operation(&label, http));

        add(&engine->counts->requests[operation][result], 1);
    }
    if (result >= 0 && result < SERVED && glue_module.served) {
        glue_module.served(http);
    }
    if (glue_module.levels) {
        glue_module.levels(engine);
    }
    return DECLINED;
}

/* ---- adding up ---- */

static void read_result(glue_sums_t *sums, int operation, int result, unsigned long count)
{
    glue_request_sum_t *sum = apr_array_push(sums->requests);
    const char *name = glue_module.operations[operation].name;
    const int refusal = result - SERVED;

    sum->operation = name ? name : "other";
    sum->count = count;
    if (refusal < 0) {
        sum->number = 0;
        sum->status = served[result];
    }
    else if (refusal < REFUSALS) {
        sum->number = refusals[refusal];
        sum->status = brski_err_row(sum->number)->status;
    }
    else {
        sum->number = atoi(glue_module.log_httpd + strlen("BRSKI"));
        sum->status = refusal - REFUSALS + HTTPD_FIRST;
    }
}

static void read_requests(glue_sums_t *sums, const glue_counts_t *counts, apr_pool_t *pool)
{
    const int operations = operation_place(NULL) + 1;
    int operation, result;

    sums->requests = apr_array_make(pool, 16, sizeof(glue_request_sum_t));
    for (operation = 0; operation < operations; operation++) {
        for (result = 0; result < RESULTS; result++) {
            const unsigned long n = get(&counts->requests[operation][result]);

            if (n) {
                read_result(sums, operation, result, n);
            }
        }
    }
}

static void read_place(glue_sums_t *sums, glue_place_t *all, const glue_place_t *place)
{
    const unsigned long pid = get(&place->pid);
    int i;

    if (!pid) {
        return;
    }
    add_growing(all, place);
    if (!is_gone(pid)) {
        sums->processes++;
        for (i = 0; i < GLUE_LEVELS; i++) {
            sums->levels[i] += get(&place->levels[i]);
        }
    }
}

void glue_count_read(glue_sums_t *sums, const glue_engine_t *engine, apr_pool_t *pool)
{
    const glue_counts_t *counts = engine->counts;
    glue_place_t all = { 0 };
    int i;

    memset(sums, 0, sizeof(*sums));
    if (glue_module.levels) {
        glue_module.levels(engine);
    }
    sums->since = counts->since;
    for (i = 0; i < GLUE_EVENTS; i++) {
        sums->events[i] = get(&counts->events[i]);
    }
    read_requests(sums, counts, pool);
    add_growing(&all, &counts->ended);
    for (i = 0; i < counts->places; i++) {
        read_place(sums, &all, &counts->place[i]);
    }
    memcpy(sums->growing, all.growing, sizeof(all.growing));
}

void glue_count_hooks(void)
{
    ap_hook_log_transaction(count_request, NULL, NULL, APR_HOOK_MIDDLE);
}
