/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cert_cache.c: parsed certificates by the hash of their DER, for the threads of one process.
 * Two lists: a newcomer is on probation, a queue that newer ones push it out of; one that is asked
 * for again moves to the kept list, whose least recently used leaves. A CA is kept at once, but
 * behind all others, so that strangers' CAs only push out each other.
 */
#include "brski_cert.h"

#include <apr_thread_mutex.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry_t entry_t;
typedef struct list_t {
    entry_t *first;
    entry_t *last;
    apr_size_t count;
    apr_size_t max;
} list_t;

struct entry_t {
    const brski_cert_t *cert;
    list_t *list;
    entry_t *prev;
    entry_t *next;
    entry_t *same_bucket;
};

struct brski_cert_cache_t {
    apr_thread_mutex_t *lock;
    list_t kept;
    list_t probation;
    entry_t **buckets;
    apr_size_t bucket_mask;
    apr_int64_t hits;
    apr_int64_t misses;
};

static entry_t **bucket_of(brski_cert_cache_t *cache, const unsigned char *hash)
{
    apr_size_t n;

    memcpy(&n, hash, sizeof(n)); /* any octets of a SHA-256 will do */
    return &cache->buckets[n & cache->bucket_mask];
}

static entry_t *find(brski_cert_cache_t *cache, const unsigned char *hash)
{
    entry_t *e = *bucket_of(cache, hash);

    while (e && memcmp(e->cert->hash, hash, sizeof(e->cert->hash))) {
        e = e->same_bucket;
    }
    return e;
}

static void leave_list(entry_t *e)
{
    list_t *list = e->list;

    *(e->prev ? &e->prev->next : &list->first) = e->next;
    *(e->next ? &e->next->prev : &list->last) = e->prev;
    list->count--;
    e->prev = e->next = NULL;
    e->list = NULL;
}

static void join_front(entry_t *e, list_t *list)
{
    e->list = list;
    e->next = list->first;
    *(list->first ? &list->first->prev : &list->last) = e;
    list->first = e;
    list->count++;
}

static void join_back(entry_t *e, list_t *list)
{
    e->list = list;
    e->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = e;
    list->last = e;
    list->count++;
}

static void drop(brski_cert_cache_t *cache, entry_t *e)
{
    entry_t **at = bucket_of(cache, e->cert->hash);

    while (*at != e) {
        at = &(*at)->same_bucket;
    }
    *at = e->same_bucket;
    leave_list(e);
    brski_cert_release(e->cert);
    free(e);
}

static void make_room(brski_cert_cache_t *cache, list_t *list)
{
    while (list->count && list->count >= list->max) {
        drop(cache, list->last);
    }
}

static void keep(brski_cert_cache_t *cache, entry_t *e)
{
    if (cache->kept.max) {
        leave_list(e);
        make_room(cache, &cache->kept);
        join_front(e, &cache->kept);
    }
}

const brski_cert_t *brski_cert_cache_get(brski_cert_cache_t *cache, const unsigned char *hash)
{
    const brski_cert_t *cert = NULL;
    entry_t *e;

    apr_thread_mutex_lock(cache->lock);
    if ((e = find(cache, hash))) {
        cert = e->cert;
        brski_cert_hold(cert);
        keep(cache, e);
        cache->hits++;
    }
    else {
        cache->misses++;
    }
    apr_thread_mutex_unlock(cache->lock);
    return cert;
}

static void put(brski_cert_cache_t *cache, const brski_cert_t *cert)
{
    list_t *list = cert->ca ? &cache->kept : &cache->probation;
    entry_t **bucket = bucket_of(cache, cert->hash);
    entry_t *e;

    if (!list->max || !(e = calloc(1, sizeof(*e)))) {
        return;
    }
    brski_cert_hold(cert);
    make_room(cache, list);
    e->cert = cert;
    e->same_bucket = *bucket;
    *bucket = e;
    if (cert->ca) {
        join_back(e, list);
    }
    else {
        join_front(e, list);
    }
}

void brski_cert_cache_put(brski_cert_cache_t *cache, const brski_cert_t *cert)
{
    apr_thread_mutex_lock(cache->lock);
    if (!find(cache, cert->hash)) {
        put(cache, cert);
    }
    apr_thread_mutex_unlock(cache->lock);
}

void brski_cert_cache_numbers(brski_cert_cache_numbers_t *numbers, brski_cert_cache_t *cache)
{
    memset(numbers, 0, sizeof(*numbers));
    if (cache) {
        apr_thread_mutex_lock(cache->lock);
        numbers->certificates = cache->kept.count + cache->probation.count;
        numbers->hits = cache->hits;
        numbers->misses = cache->misses;
        apr_thread_mutex_unlock(cache->lock);
    }
}

static apr_status_t empty(void *baton)
{
    brski_cert_cache_t *cache = baton;

    while (cache->kept.first) {
        drop(cache, cache->kept.first);
    }
    while (cache->probation.first) {
        drop(cache, cache->probation.first);
    }
    return APR_SUCCESS;
}

brski_cert_cache_t *brski_cert_cache_make(apr_size_t max, apr_pool_t *pool)
{
    brski_cert_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));
    apr_size_t buckets = 16;

    while (buckets < max && buckets < 1u << 20) {
        buckets *= 2;
    }
    cache->bucket_mask = buckets - 1;
    cache->buckets = apr_pcalloc(pool, sizeof(*cache->buckets) * buckets);
    cache->probation.max = (max + 3) / 4;
    cache->kept.max = max - cache->probation.max;
    if (apr_thread_mutex_create(&cache->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return NULL; /* works without, dearer */
    }
    apr_pool_cleanup_register(pool, cache, empty, apr_pool_cleanup_null);
    return cache;
}
