/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke.c: the checker: which certificates of a chain to ask about, in which order to ask,
 * what to remember, how many may ask at once. Fetching and judging are other files'.
 *
 * What is remembered is a verdict on one certificate, never a CRL: verdicts are small and their
 * number is bounded, while a stranger could fill any memory with lists.
 */
#include "brski_revoke.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_log.h"
#include "brski_revoke_fetch.h"
#include "brski_revoke_judge.h"

#define TIMEOUT apr_time_from_sec(3)
#define MAX_ANSWER (1024 * 1024)
#define CACHE_ENTRIES 1024
#define AT_ONCE 4

/* A failure is asked about again soon; news of a certificate is at most a day old. */
#define REMEMBER_FAILURE apr_time_from_sec(60)
#define REMEMBER_UNDATED apr_time_from_sec(5 * 60)
#define REMEMBER_AT_MOST apr_time_from_sec(24 * 3600)

/* Of the places that a certificate names so many are asked, each for an OCSP response and a CRL. */
#define MAX_PLACES 2

/* All fetches for one chain take at most so many timeouts. */
#define TIMEOUTS_PER_CHAIN 3

typedef enum verdict_t {
    VERDICT_NONE = 0,
    VERDICT_GOOD,
    VERDICT_REVOKED,
    VERDICT_FAILED
} verdict_t;

typedef struct entry_t {
    unsigned char key[BRSKI_SHA256_LEN];
    verdict_t verdict;
    apr_time_t until;
    apr_uint64_t used;                /* the higher, the later */
} entry_t;

struct brski_revoke_t {
    brski_revoke_options_t options;
    const brski_ctx_t *ctx;
    apr_thread_mutex_t *mutex;        /* for all below */
    int fetching;
    apr_hash_t *found;                /* key -> entry_t * */
    entry_t *entries;
    apr_size_t filled;
    apr_uint64_t clock;
};

/* One brski_revoke_check() on its way. */
typedef struct check_t {
    brski_revoke_t *revoke;
    apr_time_t now;
    apr_time_t deadline;              /* by the context's clock */
    apr_pool_t *pool;
} check_t;

/* ---- making ---- */

static void fill_options(brski_revoke_options_t *o, const brski_revoke_options_t *given)
{
    memset(o, 0, sizeof(*o));
    if (given) {
        *o = *given;
    }
    o->timeout = o->timeout > 0 ? o->timeout : TIMEOUT;
    o->max_answer = o->max_answer ? o->max_answer : MAX_ANSWER;
    o->cache_entries = o->cache_entries ? o->cache_entries : CACHE_ENTRIES;
    o->at_once = o->at_once > 0 ? o->at_once : AT_ONCE;
}

brski_err_t *brski_revoke_make(brski_revoke_t **out, const brski_revoke_options_t *options,
                               const brski_ctx_t *ctx, apr_pool_t *pool)
{
    brski_revoke_t *r = apr_pcalloc(pool, sizeof(*r));

    *out = NULL;
    fill_options(&r->options, options);
    r->ctx = ctx ? ctx : brski_ctx_default();
    r->found = apr_hash_make(pool);
    r->entries = apr_pcalloc(pool, r->options.cache_entries * sizeof(entry_t));
    if (apr_thread_mutex_create(&r->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no mutex");
    }
    BRSKI_TRY(brski_fetch_init(pool));
    *out = r;
    return BRSKI_OK;
}

/* ---- what is remembered ---- */

/* The certificate, and the key that vouches for it. */
static void make_key(unsigned char *key, const brski_subject_t *subject, apr_pool_t *pool)
{
    unsigned char both[2 * BRSKI_SHA256_LEN];

    memcpy(both, subject->cert->hash, BRSKI_SHA256_LEN);
    memcpy(both + BRSKI_SHA256_LEN, subject->issuer->spki_hash, BRSKI_SHA256_LEN);
    memcpy(key, brski_sha256(brski_bytes(both, sizeof(both)), pool).data, BRSKI_SHA256_LEN);
}

static verdict_t recall(brski_revoke_t *r, const unsigned char *key, apr_time_t now)
{
    verdict_t verdict = VERDICT_NONE;
    entry_t *entry;

    apr_thread_mutex_lock(r->mutex);
    entry = apr_hash_get(r->found, key, BRSKI_SHA256_LEN);
    if (entry && now < entry->until) {
        entry->used = ++r->clock;
        verdict = entry->verdict;
    }
    apr_thread_mutex_unlock(r->mutex);
    return verdict;
}

/* A place for a new entry: a free one, or that of the one not used for longest. */
static entry_t *make_room(brski_revoke_t *r)
{
    entry_t *oldest = r->entries;
    apr_size_t i;

    if (r->filled < r->options.cache_entries) {
        return &r->entries[r->filled++];
    }
    for (i = 1; i < r->filled; i++) {
        if (r->entries[i].used < oldest->used) {
            oldest = &r->entries[i];
        }
    }
    apr_hash_set(r->found, oldest->key, BRSKI_SHA256_LEN, NULL);
    return oldest;
}

static void remember(brski_revoke_t *r, const unsigned char *key, verdict_t verdict,
                     apr_time_t until)
{
    entry_t *entry;

    apr_thread_mutex_lock(r->mutex);
    entry = apr_hash_get(r->found, key, BRSKI_SHA256_LEN);
    if (!entry) {
        entry = make_room(r);
        memcpy(entry->key, key, BRSKI_SHA256_LEN);
        apr_hash_set(r->found, entry->key, BRSKI_SHA256_LEN, entry);
    }
    entry->verdict = verdict;
    entry->until = until;
    entry->used = ++r->clock;
    apr_thread_mutex_unlock(r->mutex);
}

static int start_fetching(brski_revoke_t *r)
{
    int may;

    apr_thread_mutex_lock(r->mutex);
    may = r->fetching < r->options.at_once;
    r->fetching += may;
    apr_thread_mutex_unlock(r->mutex);
    return may;
}

static void end_fetching(brski_revoke_t *r)
{
    apr_thread_mutex_lock(r->mutex);
    r->fetching--;
    apr_thread_mutex_unlock(r->mutex);
}

/* ---- asking ---- */

static brski_err_t *fetch(brski_bytes_t *body, check_t *c, const char *url, brski_bytes_t post,
                          const char *content_type)
{
    const brski_revoke_options_t *o = &c->revoke->options;
    brski_fetch_t f = { url, content_type, post, o->timeout, o->max_answer, o->allow_private };
    apr_time_t left = c->deadline - c->revoke->ctx->now(c->revoke->ctx->baton);

    if (left <= 0) {
        return brski_err(BRSKI_E_IO, NULL, c->pool, "no time is left for %s",
                         brski_printable(url, 200, c->pool));
    }
    f.timeout = left < f.timeout ? left : f.timeout;
    return brski_fetch(body, &f, c->pool, c->pool);
}

static brski_err_t *ask_ocsp(brski_revocation_state_t *state, check_t *c, const char *url,
                             const brski_subject_t *subject)
{
    brski_bytes_t request, answer;

    BRSKI_TRY(brski_ocsp_ask(&request, subject, c->pool));
    BRSKI_TRY(fetch(&answer, c, url, request, "application/ocsp-request"));
    return brski_ocsp_judge(state, answer, subject, c->now, c->pool);
}

static brski_err_t *ask_crl(brski_revocation_state_t *state, check_t *c, const char *url,
                            const brski_subject_t *subject)
{
    brski_bytes_t answer;

    BRSKI_TRY(fetch(&answer, c, url, brski_bytes(NULL, 0), NULL));
    return brski_crl_judge(state, answer, url, subject, c->now, c->pool);
}

typedef brski_err_t *(*ask_t)(brski_revocation_state_t *state, check_t *c, const char *url,
                              const brski_subject_t *subject);

static int is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* Ask one place after the other until one knows; why one did not is the cause of the next. */
static brski_err_t *ask_each(brski_revocation_state_t *state, check_t *c, ask_t ask,
                             const apr_array_header_t *urls, const brski_subject_t *subject,
                             brski_err_t *err)
{
    brski_err_t *why;
    const char *url;
    int i, asked = 0;

    for (i = 0; i < urls->nelts && asked < MAX_PLACES; i++) {
        url = APR_ARRAY_IDX(urls, i, const char *);
        if (!is_http(url)) {
            continue;
        }
        asked++;
        why = ask(state, c, url, subject);
        if (!why) {
            return BRSKI_OK;
        }
        err = brski_err(BRSKI_E_REVOCATION_UNKNOWN, err, c->pool, "%s",
                        brski_err_text(why, c->pool));
    }
    return err;
}

/* OCSP first: it is smaller and newer. What was fetched is gone afterwards. */
static brski_err_t *learn(brski_revocation_state_t *state, const check_t *check,
                          const apr_array_header_t *ocsp, const apr_array_header_t *crls,
                          const brski_subject_t *subject)
{
    check_t c = *check;
    brski_err_t *err;

    apr_pool_create(&c.pool, check->pool);
    err = brski_err(BRSKI_E_REVOCATION_UNKNOWN, NULL, c.pool, "nothing more to ask over http");
    err = ask_each(state, &c, ask_ocsp, ocsp, subject, err);
    err = err ? ask_each(state, &c, ask_crl, crls, subject, err) : BRSKI_OK;
    if (err) {
        err = brski_err(BRSKI_E_REVOCATION_UNKNOWN, NULL, check->pool, "%s",
                        brski_err_text(err, check->pool));
    }
    apr_pool_destroy(c.pool);
    return err;
}

static brski_err_t *revoked(const brski_subject_t *subject, apr_pool_t *pool)
{
    const char *name = brski_printable(subject->cert->subject, 200, pool);

    return brski_err_say(brski_err(BRSKI_E_REVOKED, NULL, pool, "%s was revoked", name), pool,
                         "The certificate of %s has been revoked.", name);
}

static apr_time_t remember_until(const brski_revocation_state_t *state, apr_time_t now)
{
    apr_time_t until = state->until ? state->until : now + REMEMBER_UNDATED;

    return until < now + REMEMBER_AT_MOST ? until : now + REMEMBER_AT_MOST;
}

/* Ask about one certificate and remember what came of it. */
static brski_err_t *ask(check_t *c, const unsigned char *key, const apr_array_header_t *ocsp,
                        const apr_array_header_t *crls, const brski_subject_t *subject)
{
    brski_revoke_t *r = c->revoke;
    brski_revocation_state_t state = { 0, 0, 0 };
    brski_err_t *err;

    /* Our own haste is nothing to remember of a certificate. */
    if (!start_fetching(r)) {
        return brski_err(BRSKI_E_REVOCATION_UNKNOWN, NULL, c->pool,
                         "%d fetches are under way already", r->options.at_once);
    }
    err = learn(&state, c, ocsp, crls, subject);
    end_fetching(r);
    if (err) {
        remember(r, key, VERDICT_FAILED, c->now + REMEMBER_FAILURE);
        return err;
    }
    remember(r, key, state.revoked ? VERDICT_REVOKED : VERDICT_GOOD,
             remember_until(&state, c->now));
    return state.revoked ? revoked(subject, c->pool) : BRSKI_OK;
}

/* One certificate; one that names no way to be checked is good. */
static brski_err_t *check_one(check_t *c, const brski_subject_t *subject)
{
    apr_array_header_t *ocsp = brski_ocsp_urls(subject->cert, c->pool), *crls;
    unsigned char key[BRSKI_SHA256_LEN];
    int named;

    crls = brski_crl_urls(&named, subject->cert, c->pool);
    if (ocsp->nelts == 0 && !named) {
        return BRSKI_OK;
    }
    make_key(key, subject, c->pool);
    switch (recall(c->revoke, key, c->now)) {
    case VERDICT_GOOD:
        return BRSKI_OK;
    case VERDICT_REVOKED:
        return revoked(subject, c->pool);
    case VERDICT_FAILED:
        return brski_err(BRSKI_E_REVOCATION_UNKNOWN, NULL, c->pool,
                         "asked in vain less than a minute ago");
    default:
        return ask(c, key, ocsp, crls, subject);
    }
}

brski_err_t *brski_revoke_check(brski_revoke_t *revoke, const brski_chain_t *chain,
                                brski_revocation_t mode, apr_time_t now, apr_pool_t *scratch_pool)
{
    check_t c = { revoke, now, 0, scratch_pool };
    brski_subject_t subject;
    brski_err_t *err;
    int i;

    if (mode == BRSKI_REVOCATION_OFF || !revoke) {
        return BRSKI_OK;
    }
    c.deadline = revoke->ctx->now(revoke->ctx->baton)
                 + TIMEOUTS_PER_CHAIN * revoke->options.timeout;
    for (i = 0; i + 1 < chain->certs->nelts; i++) {
        subject.cert = APR_ARRAY_IDX(chain->certs, i, const brski_cert_t *);
        subject.issuer = APR_ARRAY_IDX(chain->certs, i + 1, const brski_cert_t *);
        err = check_one(&c, &subject);
        if (err && (err->code != BRSKI_E_REVOCATION_UNKNOWN || mode == BRSKI_REVOCATION_HARD)) {
            return err;
        }
        if (err) {
            brski_logf(revoke->ctx->log, BRSKI_LOG_WARNING, BRSKI_E_REVOCATION_UNKNOWN,
                       "revocation of %s is unknown, taken as good: %s",
                       brski_printable(subject.cert->subject, 200, scratch_pool),
                       brski_err_text(err, scratch_pool));
        }
    }
    return BRSKI_OK;
}
