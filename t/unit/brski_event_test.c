/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_event_test.c: the chain of events: its canonical text to the octet, and that every way of
 * altering, dropping or moving a row is seen.
 */
#include "brski_event.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

static brski_event_t *event(const brski_event_t *before, apr_pool_t *pool)
{
    brski_event_t *e = apr_pcalloc(pool, sizeof(*e));

    e->tenant = "default";
    e->product = "thermostat";
    e->serial_number = "JADA123456789";
    e->epoch = before ? before->epoch : 1;
    e->seq = before ? before->seq + 1 : 1;
    e->prev_hash = before ? before->hash : "";
    e->created_at = APR_INT64_C(1618350204000000) + e->seq;
    e->request_id = apr_psprintf(pool, "req-%d", (int)e->seq);
    e->request_hash = apr_psprintf(pool, "%064d", (int)e->seq);
    e->nonce = "62a2e7693d82fcda2624de58fb6722e5";
    e->assertion = BRSKI_ASSERTION_PROXIMITY;
    e->proximity = 1;
    e->domain_id = "uaX2yxHhB6RJLKcIxnwQvIezdCY=";
    e->pin_spki = "aa";
    e->pin_cert = "MIIB";
    e->signer_spki = "bb";
    e->issuer_spki = "cc";
    e->tls_spki = "dd";
    e->customer = "";
    e->signer = "main";
    e->signer_key = "ee";
    e->format = BRSKI_FORMAT_CMS;
    e->voucher = brski_bytes_str("voucher");
    e->voucher_hash = brski_sha256_hex(e->voucher, pool);
    e->hash = brski_event_hash(e, pool);
    return e;
}

static apr_array_header_t *chain(int n, apr_pool_t *pool)
{
    apr_array_header_t *events = apr_array_make(pool, n, sizeof(brski_event_t *));
    brski_event_t *e = NULL;

    while (n-- > 0) {
        e = event(e, pool);
        APR_ARRAY_PUSH(events, brski_event_t *) = e;
    }
    return events;
}

static brski_event_t *nth(const apr_array_header_t *events, int i)
{
    return APR_ARRAY_IDX(events, i, brski_event_t *);
}

static const char *verdict(const apr_array_header_t *events, apr_pool_t *pool)
{
    const char *reason = "not set";

    brski_event_chain_check(&reason, events, pool);
    return reason;
}

static void test_canonical(apr_pool_t *pool)
{
    brski_event_t *e = event(NULL, pool);
    brski_bytes_t text;

    e->voucher_hash = "ff";
    text = brski_event_canonical(e, pool);
    is_str((const char *)text.data,
           "12:masa-event-1,0:,7:default,10:thermostat,13:JADA123456789,1:1,1:1,"
           "16:1618350204000001,5:req-1,"
           "64:0000000000000000000000000000000000000000000000000000000000000001,"
           "33:+62a2e7693d82fcda2624de58fb6722e5,9:proximity,1:1,1:0,"
           "28:uaX2yxHhB6RJLKcIxnwQvIezdCY=,2:aa,4:MIIB,2:bb,2:cc,0:,4:main,2:ee,1:0,3:cms,2:ff,",
           "5.8 the canonical text of an event is what docs/design.md says");
    e->tls_spki = "";
    is_mem(brski_event_canonical(e, pool).data, text.len, text.data, text.len,
           "5.8 a TLS identity can be erased without breaking the chain");
}

static void test_nonce_null(apr_pool_t *pool)
{
    brski_event_t *e = event(NULL, pool);
    const char *with, *empty, *without;

    with = brski_event_hash(e, pool);
    e->nonce = "";
    empty = brski_event_hash(e, pool);
    e->nonce = NULL;
    without = brski_event_hash(e, pool);
    ok(strcmp(with, empty) && strcmp(empty, without),
       "5.5.6 a nonce, an empty nonce and none hash differently");
}

static void test_good(apr_pool_t *pool)
{
    apr_array_header_t *events = chain(5, pool);
    int i;

    is_str(verdict(chain(0, pool), pool), NULL, "5.8 no events are no broken chain");
    is_str(verdict(events, pool), NULL, "5.8 a chain holds");
    for (i = 0; i < 5; i++) {
        nth(events, i)->voucher = brski_bytes(NULL, 0);
    }
    is_str(verdict(events, pool), NULL, "5.8 a chain holds without its vouchers");
}

static void test_epoch(apr_pool_t *pool)
{
    apr_array_header_t *events = chain(3, pool);
    brski_event_t *last = nth(events, 2);

    last->epoch = 4;
    last->hash = brski_event_hash(last, pool);
    is_str(verdict(events, pool), NULL, "5.8 an epoch may rise");
    nth(events, 0)->epoch = 2;
    nth(events, 0)->hash = brski_event_hash(nth(events, 0), pool);
    nth(events, 1)->prev_hash = nth(events, 0)->hash;
    nth(events, 1)->hash = brski_event_hash(nth(events, 1), pool);
    has_str(verdict(events, pool), "event 2 (row 2): its epoch is lower",
            "5.8 an epoch never falls");
}

static void test_dropped(apr_pool_t *pool)
{
    apr_array_header_t *events = chain(4, pool), *cut;

    cut = apr_array_make(pool, 4, sizeof(brski_event_t *));
    APR_ARRAY_PUSH(cut, brski_event_t *) = nth(events, 0);
    APR_ARRAY_PUSH(cut, brski_event_t *) = nth(events, 2);
    has_str(verdict(cut, pool), "event 3 (row 2): its number", "5.8 sees a dropped event");

    cut = apr_array_copy(pool, events);
    apr_array_pop(cut);
    is_str(verdict(cut, pool), NULL, "5.8 an end cut off needs a checkpoint to be seen");

    cut = apr_array_make(pool, 4, sizeof(brski_event_t *));
    APR_ARRAY_PUSH(cut, brski_event_t *) = nth(events, 1);
    has_str(verdict(cut, pool), "its number", "5.8 sees a beginning cut off");

    cut = apr_array_copy(pool, events);
    APR_ARRAY_IDX(cut, 1, brski_event_t *) = nth(events, 2);
    APR_ARRAY_IDX(cut, 2, brski_event_t *) = nth(events, 1);
    has_str(verdict(cut, pool), "event 3 (row 2)", "5.8 sees events that changed places");
}

static void test_renumbered(apr_pool_t *pool)
{
    apr_array_header_t *events = chain(3, pool);
    brski_event_t *e = nth(events, 2);

    apr_array_pop(events);
    apr_array_pop(events);
    e->seq = 2;
    e->hash = brski_event_hash(e, pool);
    APR_ARRAY_PUSH(events, brski_event_t *) = e;
    has_str(verdict(events, pool), "does not name the hash",
            "5.8 sees a dropped event whose follower was renumbered");
}

/* Each field altered in the second of three rows. */
#define ALTERED(field, value)                                                            \
    do {                                                                                 \
        apr_array_header_t *events = chain(3, pool);                                     \
        nth(events, 1)->field = (value);                                                 \
        ok(verdict(events, pool) != NULL, "5.8 sees an altered " #field);                \
    } while (0)

static void test_altered(apr_pool_t *pool)
{
    ALTERED(tenant, "other");
    ALTERED(product, "other");
    ALTERED(serial_number, "JADA123456780");
    ALTERED(epoch, 2);
    ALTERED(seq, 3);
    ALTERED(prev_hash, "");
    ALTERED(hash, "00");
    ALTERED(created_at, 1);
    ALTERED(request_id, "x");
    ALTERED(request_hash, "x");
    ALTERED(nonce, NULL);
    ALTERED(assertion, BRSKI_ASSERTION_VERIFIED);
    ALTERED(proximity, 0);
    ALTERED(verified, 1);
    ALTERED(domain_id, "x");
    ALTERED(pin_spki, "x");
    ALTERED(pin_cert, "x");
    ALTERED(signer_spki, "x");
    ALTERED(issuer_spki, "");
    ALTERED(customer, "mallory");
    ALTERED(signer, "x");
    ALTERED(signer_key, "x");
    ALTERED(expires_on, 1);
    ALTERED(format, BRSKI_FORMAT_JWS);
    ALTERED(voucher_hash, "x");
    ALTERED(voucher, brski_bytes_str("forged!"));
}

static void test_moved_between_fields(apr_pool_t *pool)
{
    brski_event_t *a = event(NULL, pool), *b = event(NULL, pool);

    a->product = "ab";
    a->serial_number = "c";
    b->product = "a";
    b->serial_number = "bc";
    ok(strcmp(brski_event_hash(a, pool), brski_event_hash(b, pool)),
       "5.8 octets moved from one field to the next hash differently");
}

static void test_of_another_device(apr_pool_t *pool)
{
    apr_array_header_t *events = chain(2, pool);
    brski_event_t *e = nth(events, 1);

    e->serial_number = "JADA000000000";
    e->hash = brski_event_hash(e, pool);
    has_str(verdict(events, pool), "another device", "5.8 sees another device's event spliced in");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    test_canonical(pool);
    test_nonce_null(pool);
    test_good(pool);
    test_epoch(pool);
    test_dropped(pool);
    test_renumbered(pool);
    test_altered(pool);
    test_moved_between_fields(pool);
    test_of_another_device(pool);
    return done_testing();
}
