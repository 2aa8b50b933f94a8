/* SPDX-License-Identifier: Apache-2.0 */
/*
 * teststore.c: a store in memory for tests of the decision, as teststore.h says.
 */
#include "teststore.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

struct brski_store_t {
    teststore_t *t;
    apr_hash_t *used;                 /* request_hash -> tls_spki */
    apr_pool_t *pool;
};

/* ---- filling it ---- */

teststore_t *teststore_make(apr_pool_t *pool)
{
    teststore_t *t = apr_pcalloc(pool, sizeof(*t));

    t->store = apr_pcalloc(pool, sizeof(*t->store));
    t->store->t = t;
    t->store->pool = pool;
    t->store->used = apr_hash_make(pool);
    t->devices = apr_array_make(pool, 4, sizeof(brski_device_t *));
    t->events = apr_array_make(pool, 4, sizeof(brski_event_t *));
    t->keys = apr_array_make(pool, 4, sizeof(teststore_key_t));
    t->grants = apr_array_make(pool, 4, sizeof(brski_grant_t *));
    t->epoch = 1;
    return t;
}

brski_device_t *teststore_device(teststore_t *t, const char *product, const char *serial_number)
{
    brski_device_t *device = apr_pcalloc(t->store->pool, sizeof(*device));

    device->product = product;
    device->serial_number = serial_number;
    device->version = 1;
    device->status = "active";
    APR_ARRAY_PUSH(t->devices, brski_device_t *) = device;
    return device;
}

void teststore_customer(teststore_t *t, const char *name, const char *kind, const char *value)
{
    teststore_key_t key = { name, apr_pstrcat(t->store->pool, kind, value, NULL) };

    APR_ARRAY_PUSH(t->keys, teststore_key_t) = key;
}

brski_grant_t *teststore_grant(teststore_t *t, const char *what, const char *product)
{
    brski_grant_t *grant = apr_pcalloc(t->store->pool, sizeof(*grant));

    grant->what = what;
    grant->product = product;
    grant->value = "";
    APR_ARRAY_PUSH(t->grants, brski_grant_t *) = grant;
    return grant;
}

brski_event_t *teststore_event(const teststore_t *t, int from_last)
{
    if (from_last >= t->events->nelts) {
        bail_out("there are only %d events", t->events->nelts);
    }
    return APR_ARRAY_IDX(t->events, t->events->nelts - 1 - from_last, brski_event_t *);
}

/* ---- the questions ---- */

const char *brski_store_tenant(const brski_store_t *store)
{
    (void)store;
    return "default";
}

static const brski_event_t *head_of(const teststore_t *t, const brski_device_t *device)
{
    const brski_event_t *head = NULL;
    int i;

    for (i = 0; i < t->events->nelts; i++) {
        const brski_event_t *e = APR_ARRAY_IDX(t->events, i, const brski_event_t *);

        if (!strcmp(e->product, device->product)
            && !strcmp(e->serial_number, device->serial_number)) {
            head = e;
        }
    }
    return head;
}

static brski_device_t *device_as_read(const teststore_t *t, const brski_device_t *row,
                                      apr_pool_t *pool)
{
    brski_device_t *device = apr_pmemdup(pool, row, sizeof(*row));
    const brski_event_t *head = head_of(t, row);

    device->head_hash = "";
    if (head) {
        device->head_epoch = head->epoch;
        device->head_seq = head->seq;
        device->head_hash = head->hash;
    }
    return device;
}

static const brski_event_t *stored(const teststore_t *t, const char *request_hash)
{
    int i;

    for (i = 0; i < t->events->nelts; i++) {
        const brski_event_t *e = APR_ARRAY_IDX(t->events, i, const brski_event_t *);

        if (!strcmp(e->request_hash, request_hash)) {
            return e;
        }
    }
    return NULL;
}

static void add_outstanding(brski_facts_t *facts, const teststore_t *t, const char *serial_number,
                            apr_time_t now)
{
    int i;

    for (i = 0; i < t->events->nelts; i++) {
        brski_event_t *e = APR_ARRAY_IDX(t->events, i, brski_event_t *);

        if (!e->nonce && !strcmp(e->serial_number, serial_number)
            && (!e->expires_on || e->expires_on > now)) {
            APR_ARRAY_PUSH(facts->outstanding, brski_event_t *) = e;
        }
    }
}

/* The first by name, as the store has it. */
static brski_customer_t *customer_of(const teststore_t *t, const brski_identity_t *identity,
                                     apr_pool_t *pool)
{
    brski_customer_t *customer = NULL;
    int i, k;

    for (i = 0; i < identity->keys->nelts; i++) {
        for (k = 0; k < t->keys->nelts; k++) {
            const teststore_key_t *key = &APR_ARRAY_IDX(t->keys, k, const teststore_key_t);

            if (strcmp(key->key, APR_ARRAY_IDX(identity->keys, i, const char *))
                || (customer && strcmp(customer->name, key->customer) <= 0)) {
                continue;
            }
            customer = apr_pcalloc(pool, sizeof(*customer));
            customer->name = key->customer;
            customer->matched = key->key;
            customer->grants = t->grants;
        }
    }
    return customer;
}

static brski_err_t *away(const teststore_t *t, apr_pool_t *pool)
{
    return t->read_fails ? brski_err(t->read_fails, NULL, pool, "the test says so") : BRSKI_OK;
}

brski_err_t *brski_store_facts(brski_facts_t **facts, brski_store_t *store,
                               const char *serial_number, const char *request_hash,
                               const brski_identity_t *identity, apr_time_t now,
                               apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const teststore_t *t = store->t;
    const brski_event_t *e;
    int i;

    store->t->reads++;
    *facts = NULL;
    BRSKI_TRY(away(t, scratch_pool));
    *facts = apr_pcalloc(result_pool, sizeof(**facts));
    (*facts)->devices = apr_array_make(result_pool, 2, sizeof(brski_device_t *));
    (*facts)->outstanding = apr_array_make(result_pool, 2, sizeof(brski_event_t *));
    for (i = 0; i < t->devices->nelts; i++) {
        const brski_device_t *row = APR_ARRAY_IDX(t->devices, i, const brski_device_t *);

        if (!strcmp(row->serial_number, serial_number)) {
            APR_ARRAY_PUSH((*facts)->devices, brski_device_t *) =
                device_as_read(t, row, result_pool);
        }
    }
    e = stored(t, request_hash);
    if (e) {
        (*facts)->stored = apr_pmemdup(result_pool, e, sizeof(*e));
    }
    add_outstanding(*facts, t, serial_number, now);
    (*facts)->customer = customer_of(t, identity, result_pool);
    (*facts)->policy_version = t->policy_version;
    (*facts)->epoch = t->epoch;
    return BRSKI_OK;
}

brski_err_t *brski_store_customer(brski_customer_t **customer, brski_store_t *store,
                                  const brski_identity_t *identity, apr_time_t now,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    (void)now;
    *customer = NULL;
    BRSKI_TRY(away(store->t, scratch_pool));
    *customer = customer_of(store->t, identity, result_pool);
    return BRSKI_OK;
}

brski_err_t *brski_store_events(apr_array_header_t **events, brski_store_t *store,
                                const char *product, const char *serial_number,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    int i;

    BRSKI_TRY(away(store->t, scratch_pool));
    *events = apr_array_make(result_pool, 4, sizeof(brski_event_t *));
    for (i = 0; i < store->t->events->nelts; i++) {
        brski_event_t *e = APR_ARRAY_IDX(store->t->events, i, brski_event_t *);

        if (!strcmp(e->product, product) && !strcmp(e->serial_number, serial_number)) {
            e = apr_pmemdup(result_pool, e, sizeof(*e));
            e->voucher = brski_bytes(NULL, 0);
            APR_ARRAY_PUSH(*events, brski_event_t *) = e;
        }
    }
    return BRSKI_OK;
}

brski_err_t *brski_store_fresh_use(int *first, brski_store_t *store, const char *request_hash,
                                   const char *tls_spki, apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *by = apr_hash_get(store->used, request_hash, APR_HASH_KEY_STRING);

    (void)now;
    BRSKI_TRY(away(store->t, scratch_pool));
    store->t->fresh_uses++;
    *first = !by || !strcmp(by, tls_spki);
    if (!by) {
        apr_hash_set(store->used, apr_pstrdup(store->pool, request_hash), APR_HASH_KEY_STRING,
                     apr_pstrdup(store->pool, tls_spki));
    }
    return BRSKI_OK;
}

/* ---- the one write ---- */

static const brski_device_t *row_of(const teststore_t *t, const brski_device_t *device)
{
    int i;

    for (i = 0; i < t->devices->nelts; i++) {
        const brski_device_t *row = APR_ARRAY_IDX(t->devices, i, const brski_device_t *);

        if (!strcmp(row->product, device->product)
            && !strcmp(row->serial_number, device->serial_number)) {
            return row;
        }
    }
    return NULL;
}

static int still_so(const teststore_t *t, const brski_event_t *event, const brski_device_t *device,
                    const brski_facts_t *facts)
{
    const brski_device_t *row = row_of(t, device);
    const brski_event_t *head = head_of(t, device);

    return row && row->version == device->version && row->state_version == device->state_version
           && t->policy_version == facts->policy_version && t->epoch == facts->epoch
           && !strcmp(head ? head->hash : "", device->head_hash)
           && !stored(t, event->request_hash);
}

static const char *copy(apr_pool_t *pool, const char *s)
{
    return apr_pstrdup(pool, s);
}

/* A deep copy: the decision's pools may go. */
static brski_event_t *kept(const brski_event_t *event, apr_pool_t *pool)
{
    brski_event_t *e = apr_pmemdup(pool, event, sizeof(*event));

    e->tenant = copy(pool, e->tenant);
    e->product = copy(pool, e->product);
    e->serial_number = copy(pool, e->serial_number);
    e->prev_hash = copy(pool, e->prev_hash);
    e->hash = copy(pool, e->hash);
    e->request_id = copy(pool, e->request_id);
    e->request_hash = copy(pool, e->request_hash);
    e->nonce = copy(pool, e->nonce);
    e->domain_id = copy(pool, e->domain_id);
    e->pin_spki = copy(pool, e->pin_spki);
    e->pin_cert = copy(pool, e->pin_cert);
    e->signer_spki = copy(pool, e->signer_spki);
    e->issuer_spki = copy(pool, e->issuer_spki);
    e->tls_spki = copy(pool, e->tls_spki);
    e->customer = copy(pool, e->customer);
    e->signer = copy(pool, e->signer);
    e->signer_key = copy(pool, e->signer_key);
    e->voucher_hash = copy(pool, e->voucher_hash);
    e->voucher = brski_bytes_dup(e->voucher, pool);
    return e;
}

brski_err_t *brski_store_event_put(int *put, brski_store_t *store, const brski_event_t *event,
                                   const brski_device_t *device, const brski_facts_t *facts,
                                   apr_pool_t *scratch_pool)
{
    teststore_t *t = store->t;
    void (*before_put)(teststore_t *) = t->before_put;

    *put = 0;
    t->put_hashes[t->puts++ % 8] = apr_pstrdup(store->pool, event->voucher_hash);
    if (before_put) {
        t->before_put = NULL;
        before_put(t);
    }
    if (t->fail_puts > 0) {
        t->fail_puts--;
        return brski_err(t->fail_code, NULL, scratch_pool, "the test says so");
    }
    if (still_so(t, event, device, facts)) {
        APR_ARRAY_PUSH(t->events, brski_event_t *) = kept(event, store->pool);
        *put = 1;
    }
    if (t->lose_replies > 0) {
        t->lose_replies--;
        *put = 0;
        return brski_err(BRSKI_E_STORE, NULL, scratch_pool, "the reply is lost");
    }
    return BRSKI_OK;
}
