/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_leak_test.c: a refused request leaves nothing behind. Requests of every kind that is
 * refused are judged over and over in one process, each in pools of its own, and neither the heap
 * nor the process may grow. BRSKI_LONG=1: a hundred thousand of them,
 * twice.
 */
#include <apr_strings.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "testmasa.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#define ROUNDS 10000
#define ROUNDS_LONG 100000
#define ROUNDS_WATCHED 140 /* where another tool looks for leaks, and is slow */
#define KINDS 14

/* Octets beyond what was after a tenth of the rounds. */
#define HEAP_SLACK 1024
#define PROCESS_SLACK (1024 * 1024)
/* What a thread keeps of freed memory would count as used: it must be off when a process starts. */
#define TUNABLES "GLIBC_TUNABLES"
#define NO_THREAD_CACHE "glibc.malloc.tcache_count=0"

typedef struct kind_t {
    const char *what;
    testmasa_ask_t ask;
    int log; /* ask for the log */
    brski_err_code_t code;
} kind_t;

static apr_pool_t *pool;

/* ---- what is refused ---- */

static kind_t kind(testmasa_t *w, const char *what, brski_err_code_t code)
{
    kind_t k = { what, testmasa_ask(w), 0, code };

    return k;
}

static kind_t with_body(testmasa_t *w, const char *what, brski_err_code_t code, const char *body)
{
    kind_t k = kind(w, what, code);

    k.ask.request.body = brski_bytes_str(body);
    return k;
}

static kind_t with_json(testmasa_t *w, const char *what, brski_err_code_t code, const char *json)
{
    kind_t k = kind(w, what, code);

    k.ask.json = json;
    return k;
}

static void make_messages(kind_t *k, testmasa_t *w)
{
    k[0] = with_body(w, "no CMS", BRSKI_E_CMS, "no CMS at all");
    k[1] = with_json(w, "no JSON", BRSKI_E_JSON, "{\"ietf-voucher-request:voucher\":{\"x\":");
    k[2] = with_json(w, "a member missing", BRSKI_E_FIELD,
                     "{\"ietf-voucher-request:voucher\":{\"nonce\":\"x\"}}");
    k[3] = kind(w, "a media type", BRSKI_E_MEDIA_TYPE);
    k[3].ask.request.content_type = "text/html";
    k[4] = kind(w, "a broken signature", BRSKI_E_SIGNATURE);
    k[4].ask.break_rvr = 1;
}

static void make_requesters(kind_t *k, testmasa_t *w)
{
    const testpki_t *no_registrar =
        testpki_make(&(testpki_spec_t){ .cn = "client", .client_auth = 1 }, w->domain_ca, pool);
    const testpki_t *expired =
        testpki_make(&(testpki_spec_t){ .cn = "old", .cmc_ra = 1,
                                        .not_after = "2025-01-01T00:00:00Z" }, w->domain_ca, pool);

    k[0] = kind(w, "no registrar", BRSKI_E_CMC_RA);
    k[0].ask = testmasa_ask_from(w, no_registrar);
    k[1] = kind(w, "an expired registrar", BRSKI_E_PKIX);
    k[1].ask = testmasa_ask_from(w, expired);
    k[2] = kind(w, "a device that is not ours", BRSKI_E_DEVICE_UNKNOWN);
    k[2].ask.rvr.serial_number = k[2].ask.pvr.serial_number = "unknown";
    k[3] = kind(w, "a stranger who asks for the log", BRSKI_E_NO_OWNER);
    k[3].ask.request.client_cert = expired->cert;
    k[3].ask.request.client_chain = testpki_chain(expired, 0, pool);
    k[3].log = 1;
}

static void make_pledges(kind_t *k, testmasa_t *w)
{
    k[0] = kind(w, "a pledge's broken signature", BRSKI_E_PRIOR_SIGNATURE);
    k[0].ask.break_pvr = 1;
    k[1] = kind(w, "a pledge's request that is none", BRSKI_E_PRIOR_BROKEN);
    k[1].ask.prior = brski_bytes_str("no CMS");
    k[2] = kind(w, "a swapped nonce", BRSKI_E_NONCE);
    k[2].ask.pvr.nonce = "another";
    k[3] = kind(w, "another registrar's proximity", BRSKI_E_PROXIMITY);
    k[3].ask.pvr.proximity_registrar_cert = w->masa_ee->cert->der;
    k[4] = kind(w, "no nonce", BRSKI_E_NONCELESS);
    testmasa_nonceless(&k[4].ask);
}

/* ---- over and over ---- */

/* Judge one in pools that go away; zero when the verdict is another one. */
static int judge(const testmasa_t *w, kind_t *k, apr_pool_t *parent)
{
    brski_masa_answer_t *answer;
    apr_pool_t *result, *scratch;
    brski_err_t *err;
    int right;

    apr_pool_create(&result, parent);
    apr_pool_create(&scratch, parent);
    err = k->log ? brski_masa_requestauditlog(&answer, &w->masa, &k->ask.request, result, scratch)
                 : brski_masa_requestvoucher(&answer, &w->masa, &k->ask.request, result, scratch);
    apr_pool_destroy(scratch);
    right = err && err->code == k->code && answer->body.len == 0
            && brski_err_text(err, result) != NULL;
    apr_pool_destroy(result);
    return right;
}

static void prepare(kind_t *kinds, testmasa_t *w)
{
    int i;

    for (i = 0; i < KINDS; i++) {
        if (!kinds[i].ask.request.body.data) {
            kinds[i].ask.request.body = testmasa_body(w, &kinds[i].ask);
        }
        kinds[i].ask.request.request_id = "the request";
        ok(judge(w, &kinds[i], pool), "%s is refused", kinds[i].what);
    }
}

/* Resident octets of this process. */
static long resident(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0, pages = 0;

    if (statm) {
        if (fscanf(statm, "%ld %ld", &size, &pages) != 2) {
            pages = 0;
        }
        fclose(statm);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static long in_use(void)
{
    return (long)mallinfo2().uordblks;
}

static int run(int rounds, kind_t *kinds, const testmasa_t *w, apr_pool_t *parent)
{
    int i, right = 0;

    for (i = 0; i < rounds; i++) {
        right += judge(w, &kinds[i % KINDS], parent);
    }
    return right;
}

static int is_watched(void)
{
    const char *preload = getenv("LD_PRELOAD");

#ifdef SANITIZED
    return 1;
#endif
    return preload && (strstr(preload, "vgpreload") || strstr(preload, "asan"));
}

static void refuse_over_and_over(testmasa_t *w, kind_t *kinds)
{
    const char *longer = getenv("BRSKI_LONG");
    int rounds = is_watched() ? ROUNDS_WATCHED : longer && *longer ? ROUNDS_LONG : ROUNDS;
    long heap, process;
    apr_pool_t *parent;

    apr_pool_create_unmanaged_ex(&parent, NULL, NULL);
    is_int(run(rounds / 10, kinds, w, parent), rounds / 10, "5.6 a tenth is refused rightly");
    heap = in_use();
    process = resident();
    is_int(run(rounds, kinds, w, parent), rounds, "5.6 and %d more", rounds);
    heap = in_use() - heap;
    process = resident() - process;
    if (is_watched()) {
        skip(2, "another tool looks at the memory");
    }
    else {
        ok(heap < HEAP_SLACK, "5.6 leak nothing from the heap (%ld octets)", heap);
        ok(process < PROCESS_SLACK, "5.6 and the process is as large as before (%ld octets)",
           process);
    }
    apr_pool_destroy(parent);
}

static void start_without_thread_cache(char **argv)
{
    const char *tunables = getenv(TUNABLES);

    if (!is_watched() && (!tunables || strcmp(tunables, NO_THREAD_CACHE))) {
        setenv(TUNABLES, NO_THREAD_CACHE, 1);
        execv("/proc/self/exe", argv);
        bail_out("cannot start again without a thread cache");
    }
}

int main(int argc, char **argv)
{
    kind_t kinds[KINDS];
    testmasa_t *w;

    (void)argc;
    start_without_thread_cache(argv);
    pool = unit_start();
    w = testmasa_make(pool);
    make_messages(kinds, w);
    make_requesters(kinds + 5, w);
    make_pledges(kinds + 9, w);
    prepare(kinds, w);
    refuse_over_and_over(w, kinds);
    /* too small for all that come: each round puts some in and pushes others out */
    w->masa.cache = brski_cert_cache_make(4, pool);
    refuse_over_and_over(w, kinds);
    return done_testing();
}
