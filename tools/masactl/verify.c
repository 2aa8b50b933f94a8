/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c: the walk over all chains, beside the heads of a checkpoint, both in the same order.
 */
#include "verify.h"

#include <apr_strings.h>
#include <string.h>

#define PAGE 500
#define TOLD_MAX 1000

/* Where the walk stands. */
typedef struct state_t {
    db_t *db;
    verify_t *found;
    heads_t *heads;
    const brski_head_t *head;         /* next one of the checkpoint, NULL behind the last */
    int passed;                       /* the chain went through head */
    brski_event_t *before;            /* of the same device, NULL at its first */
    apr_pool_t *pools[2];             /* of before, in turn */
    int turn;
    say_progress_t progress;
} state_t;

/* ---- problems ---- */

static void problem(state_t *s, const char *product, const char *serial, apr_int64_t seq,
                    const char *text)
{
    brski_json_t *obj;

    s->found->problems++;
    say_progress_end(&s->progress);
    say_line(s->db->call->say, "%s of product %s, event %" APR_INT64_T_FMT ": %s", serial, product,
             seq, text);
    if (s->found->problems > TOLD_MAX) {
        return;
    }
    obj = brski_json_object(s->db->pool);
    brski_json_set_string(obj, "product", product);
    brski_json_set_string(obj, "serial_number", serial);
    brski_json_set_int(obj, "seq", seq);
    brski_json_set_string(obj, "problem", text);
    brski_json_append(s->found->told, obj);
}

/* ---- the heads of a checkpoint ---- */

static brski_err_t *next_head(state_t *s)
{
    s->passed = 0;
    return heads_next(&s->head, s->heads);
}

/* The chain of a head that it did not pass has been cut off, or is gone. */
static brski_err_t *leave_head(state_t *s, apr_int64_t last_seq)
{
    const brski_head_t *h = s->head;

    if (!s->passed) {
        problem(s, h->product, h->serial_number, h->seq,
                last_seq ? apr_psprintf(s->db->pool,
                                        "the checkpoint knows it, but the log ends at event "
                                        "%" APR_INT64_T_FMT,
                                        last_seq)
                         : "the checkpoint knows it, but the log has no event of this device");
    }
    return next_head(s);
}

/* Heads of devices that stand before this one in order have no events in the log. */
static brski_err_t *skip_heads(state_t *s, const brski_event_t *e)
{
    while (s->head
           && heads_compare(s->head->product, s->head->serial_number, e->product, e->serial_number)
                  < 0) {
        BRSKI_TRY(leave_head(s, 0));
    }
    return BRSKI_OK;
}

static void compare_head(state_t *s, const brski_event_t *e)
{
    const brski_head_t *h = s->head;

    if (!h || heads_compare(h->product, h->serial_number, e->product, e->serial_number)
        || h->seq != e->seq) {
        return;
    }
    s->passed = 1;
    if (strcmp(h->hash, e->hash) || h->epoch != e->epoch) {
        problem(s, e->product, e->serial_number, e->seq,
                "it is not the event that the checkpoint knows");
    }
}

/* ---- events ---- */

static int same_device(const brski_event_t *a, const brski_event_t *b)
{
    return !heads_compare(a->product, a->serial_number, b->product, b->serial_number);
}

static brski_err_t *end_device(state_t *s)
{
    const brski_event_t *last = s->before;
    int mine = last && s->head
               && !heads_compare(s->head->product, s->head->serial_number, last->product,
                                 last->serial_number);

    s->before = NULL;
    return mine ? leave_head(s, last->seq) : BRSKI_OK;
}

/* What the next link is compared with; lives until the one after. */
static void keep(state_t *s, const brski_event_t *e)
{
    apr_pool_t *pool = s->pools[s->turn = !s->turn];

    apr_pool_clear(pool);
    s->before = apr_pcalloc(pool, sizeof(*s->before));
    s->before->product = apr_pstrdup(pool, e->product);
    s->before->serial_number = apr_pstrdup(pool, e->serial_number);
    s->before->hash = apr_pstrdup(pool, e->hash);
    s->before->epoch = e->epoch;
    s->before->seq = e->seq;
}

static brski_err_t *verify_event(const brski_event_t *e, void *baton, apr_pool_t *pool)
{
    state_t *s = baton;
    const char *reason;

    if (!s->before || !same_device(s->before, e)) {
        BRSKI_TRY(end_device(s));
        BRSKI_TRY(skip_heads(s, e));
        s->found->devices++;
    }
    s->found->events++;
    reason = brski_event_link_check(e, s->before, pool);
    if (!reason && !e->voucher.len) {
        reason = "its voucher is gone or spoiled";
    }
    if (reason) {
        problem(s, e->product, e->serial_number, e->seq, reason);
    }
    compare_head(s, e);
    keep(s, e);
    if (s->found->events % PAGE == 0) {
        say_progress_at(&s->progress, s->found->events);
    }
    return BRSKI_OK;
}

/* ---- the walk ---- */

/* The key behind which the next page begins, kept beyond the page. */
typedef struct place_t {
    const char *product;
    const char *serial;
    const char *epoch;
    const char *seq;
} place_t;

/* A voucher that is not even base64 counts as none. */
static brski_err_t *read_event(brski_event_t **event, brski_row_t *row, db_t *db, apr_pool_t *pool)
{
    brski_err_t *err = brski_store_event_row(event, row, 0, db->tenant, pool);

    if (brski_err_is(err, BRSKI_E_CHAIN_BROKEN)) {
        row->text[row->columns - 1] = NULL;
        err = brski_store_event_row(event, row, 0, db->tenant, pool);
    }
    return err;
}

static brski_err_t *each_of_page(const apr_array_header_t *rows, db_t *db, verify_each_t *each,
                                 void *baton, apr_pool_t *pool)
{
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (int i = 0; i < rows->nelts; i++) {
        brski_event_t *event;
        apr_pool_clear(scratch);
        BRSKI_TRY(read_event(&event, APR_ARRAY_IDX(rows, i, brski_row_t *), db, scratch));
        BRSKI_TRY(each(event, baton, scratch));
    }
    return BRSKI_OK;
}

static void keep_place(place_t *place, const brski_row_t *row, apr_pool_t *pool)
{
    place->product = apr_pstrdup(pool, brski_row_text(row, 0));
    place->serial = apr_pstrdup(pool, brski_row_text(row, 1));
    place->epoch = apr_pstrdup(pool, brski_row_text(row, 2));
    place->seq = apr_pstrdup(pool, brski_row_text(row, 3));
}

brski_err_t *verify_walk(db_t *db, verify_each_t *each, void *baton)
{
    place_t place = { "", "", "0", "0" };
    apr_pool_t *pages[2];
    apr_array_header_t *rows;
    brski_err_t *err = BRSKI_OK;
    int turn = 0;

    apr_pool_create(&pages[0], db->pool);
    apr_pool_create(&pages[1], db->pool);
    do {
        apr_pool_t *page = pages[turn = !turn];
        apr_pool_clear(page);
        err = db_all(&rows, db, STMT_EVENT_SCAN,
                     DB_ARGS(db->tenant, place.product, place.serial, place.epoch, place.seq,
                             db_num(PAGE, page)),
                     page);
        if (!err && rows->nelts) {
            keep_place(&place, APR_ARRAY_IDX(rows, rows->nelts - 1, const brski_row_t *), page);
            err = each_of_page(rows, db, each, baton, page);
        }
    } while (!err && rows->nelts == PAGE);
    return err;
}

brski_err_t *verify_log(verify_t **out, db_t *db, heads_t *heads)
{
    state_t s = { .db = db, .heads = heads };
    verify_t *found = apr_pcalloc(db->pool, sizeof(*found));

    *out = s.found = found;
    found->told = brski_json_array(db->pool);
    apr_pool_create(&s.pools[0], db->pool);
    apr_pool_create(&s.pools[1], db->pool);
    say_progress_start(&s.progress, db->call->say, "verifying", "events", 0);
    if (heads) {
        BRSKI_TRY(next_head(&s));
    }
    BRSKI_TRY(verify_walk(db, verify_event, &s));
    BRSKI_TRY(end_device(&s));
    while (s.head) {
        BRSKI_TRY(leave_head(&s, 0));
    }
    say_progress_end(&s.progress);
    return BRSKI_OK;
}
