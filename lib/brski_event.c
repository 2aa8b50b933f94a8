/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_event.c: the chain of a device's events: what is hashed, in which order, and whether rows
 * read back still prove it. The format is fixed in docs/design.md; a change of one octet here makes
 * every log in the field unreadable, so a new format takes a new name ("masa-event-2").
 */
#include "brski_event.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_voucher.h"

#define EVENT_FORMAT "masa-event-1"

/* ---- canonical text ---- */

/* Netstrings collected as pieces, joined once. */
typedef struct canon_t {
    apr_array_header_t *pieces;       /* const char * */
    apr_pool_t *pool;
} canon_t;

static void add(canon_t *c, const char *text)
{
    const char *value = text ? text : "";

    APR_ARRAY_PUSH(c->pieces, const char *) =
        apr_psprintf(c->pool, "%" APR_SIZE_T_FMT ":%s,", strlen(value), value);
}

static void add_int(canon_t *c, apr_int64_t value)
{
    add(c, apr_psprintf(c->pool, "%" APR_INT64_T_FMT, value));
}

/* An absent text and an empty one are two things where JSON tells them apart: the nonce. */
static void add_optional(canon_t *c, const char *text)
{
    add(c, text ? apr_pstrcat(c->pool, "+", text, NULL) : "-");
}

brski_bytes_t brski_event_canonical(const brski_event_t *event, apr_pool_t *pool)
{
    canon_t c = { apr_array_make(pool, 24, sizeof(const char *)), pool };

    add(&c, EVENT_FORMAT);
    add(&c, event->prev_hash);
    add(&c, event->tenant);
    add(&c, event->product);
    add(&c, event->serial_number);
    add_int(&c, event->epoch);
    add_int(&c, event->seq);
    add_int(&c, event->created_at);
    add(&c, event->request_id);
    add(&c, event->request_hash);
    add_optional(&c, event->nonce);
    add(&c, brski_assertion_text(event->assertion));
    add_int(&c, event->proximity ? 1 : 0);
    add_int(&c, event->verified ? 1 : 0);
    add(&c, event->domain_id);
    add(&c, event->pin_spki);
    add(&c, event->pin_cert);
    add(&c, event->signer_spki);
    add(&c, event->issuer_spki);
    add(&c, event->customer);
    add(&c, event->signer);
    add(&c, event->signer_key);
    add_int(&c, event->expires_on);
    add(&c, brski_format_text(event->format));
    add(&c, event->voucher_hash);
    return brski_bytes_str(apr_array_pstrcat(pool, c.pieces, 0));
}

const char *brski_event_hash(const brski_event_t *event, apr_pool_t *pool)
{
    return brski_sha256_hex(brski_event_canonical(event, pool), pool);
}

/* ---- a chain read back ---- */

static int same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

const char *brski_event_link_check(const brski_event_t *e, const brski_event_t *before,
                                   apr_pool_t *pool)
{
    if (e->seq != (before ? before->seq : 0) + 1) {
        return "its number does not follow the one before";
    }
    if (!same(e->prev_hash, before ? before->hash : "")) {
        return "it does not name the hash of the event before it";
    }
    if (before && e->epoch < before->epoch) {
        return "its epoch is lower than that of the event before it";
    }
    if (before && (!same(e->product, before->product)
                   || !same(e->serial_number, before->serial_number))) {
        return "it is of another device";
    }
    if (!same(e->hash, brski_event_hash(e, pool))) {
        return "its content does not have its hash";
    }
    if (e->voucher.len > 0 && !same(e->voucher_hash, brski_sha256_hex(e->voucher, pool))) {
        return "its voucher does not have the voucher's hash";
    }
    return NULL;
}

void brski_event_chain_check(const char **reason, const apr_array_header_t *events,
                             apr_pool_t *pool)
{
    const brski_event_t *before = NULL;
    apr_pool_t *iteration;
    const char *why = NULL;
    int i;

    *reason = NULL;
    apr_pool_create(&iteration, pool);
    for (i = 0; i < events->nelts && !why; i++) {
        const brski_event_t *e = APR_ARRAY_IDX(events, i, const brski_event_t *);

        apr_pool_clear(iteration);
        why = brski_event_link_check(e, before, iteration);
        if (why) {
            *reason = apr_psprintf(pool, "event %" APR_INT64_T_FMT " (row %d): %s", e->seq, i + 1,
                                   why);
        }
        before = e;
    }
    apr_pool_destroy(iteration);
}
