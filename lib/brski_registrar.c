/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar.c: the registrar's decision on a pledge's voucher-request, RFC 8995 5.2 to
 * 5.5, from top to bottom, and what follows from the rows that it makes: the answer to the
 * same request again, and the gate before EST (5.9). Nothing is allowed unless something here
 * says so.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_log.h"

/* 5.6: "Retry-After"; a pledge waits no longer than a minute anyway. */
#define RETRY_MIN 1
#define RETRY_MAX 60

/* A refusal is repeated so long, times the number of tries, before anybody asks again. */
#define REPEAT 10
#define REPEAT_MAX 300

/* So many different requests of one device are taken within an hour. */
#define REQUESTS_MAX 100
#define REQUESTS_WITHIN apr_time_from_sec(3600)

/* One request on its way. */
typedef struct decision_t {
    const brski_registrar_t *registrar;
    const brski_peer_tls_t *peer;
    brski_bytes_t body;
    const char *content_type;
    const char *accept;
    brski_registrar_answer_t *answer;
    apr_time_t now;
    apr_pool_t *result_pool;
    apr_pool_t *pool;

    const brski_device_id_t *device;
    brski_format_t format;
    brski_signed_t *pvr;
    brski_pledge_t *pledge;
    const char *id;                   /* of the row */
    const char *masa_url;
} decision_t;

/* ---- what other files use ---- */

brski_err_t *brski_registrar_err(const brski_err_t *err, apr_pool_t *pool)
{
    brski_err_t *kept;

    if (!err) {
        return BRSKI_OK;
    }
    kept = apr_pmemdup(pool, err, sizeof(*err));
    kept->public_text = apr_pstrdup(pool, err->public_text);
    kept->detail = apr_pstrdup(pool, err->detail);
    kept->prev = brski_registrar_err(err->prev, pool);
    return kept;
}

const brski_manufacturer_t *brski_registrar_manufacturer(const brski_registrar_t *registrar,
                                                         const char *name)
{
    int i;

    for (i = 0; i < registrar->manufacturers->nelts; i++) {
        const brski_manufacturer_t *m = APR_ARRAY_IDX(registrar->manufacturers, i,
                                                      const brski_manufacturer_t *);

        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

static apr_time_t clock_of(const brski_registrar_t *registrar)
{
    return registrar->ctx->now(registrar->ctx->baton);
}

brski_note_t *brski_registrar_note(const brski_registrar_t *registrar, const char *kind, int alarm,
                                   const char *manufacturer, const char *serial_number,
                                   const char *text, apr_pool_t *pool)
{
    brski_note_t *note = apr_pcalloc(pool, sizeof(*note));
    unsigned char id[16];

    registrar->ctx->random(id, sizeof(id), registrar->ctx->baton);
    note->id = brski_hex(brski_bytes(id, sizeof(id)), pool);
    note->at = clock_of(registrar);
    note->kind = kind;
    note->alarm = alarm;
    note->manufacturer = manufacturer ? manufacturer : "";
    note->serial_number = serial_number ? serial_number : "";
    note->text = text;
    return note;
}

void brski_registrar_tell(const brski_registrar_t *registrar, const brski_note_t *note,
                          apr_pool_t *scratch_pool)
{
    brski_err_t *err;

    if (note->alarm && registrar->alarm) {
        registrar->alarm(note, registrar->alarm_baton);
        return;
    }
    err = brski_records_note_put(registrar->records, note, scratch_pool);
    if (err) {
        brski_logf(registrar->ctx->log, BRSKI_LOG_WARNING, 1153,
                   "the event %s of %s is not kept: %s", note->kind,
                   brski_printable(note->serial_number, 128, scratch_pool),
                   brski_err_text(err, scratch_pool));
    }
}

brski_err_t *brski_registrar_note_domain_ids(const brski_registrar_t *registrar,
                                             apr_pool_t *scratch_pool)
{
    apr_time_t now = clock_of(registrar);
    int i, k;

    for (i = 0; i < registrar->certificates->nelts; i++) {
        const brski_registrar_cert_t *own = APR_ARRAY_IDX(registrar->certificates, i,
                                                          const brski_registrar_cert_t *);

        for (k = 0; k < own->chain->nelts; k++) {
            const brski_cert_t *cert = APR_ARRAY_IDX(own->chain, k, const brski_cert_t *);

            BRSKI_TRY(brski_records_domain_id_put(registrar->records,
                                                  brski_domain_id(cert, scratch_pool),
                                                  cert->subject, now, scratch_pool));
        }
    }
    return BRSKI_OK;
}

/* ---- what the message and the connection prove ---- */

static brski_err_t *identify(decision_t *d)
{
    BRSKI_TRY(brski_registrar_device(&d->answer->device, d->registrar, d->peer, d->result_pool,
                                     d->pool));
    d->device = d->answer->device;
    return BRSKI_OK;
}

/* The table's words are a MASA's. */
static brski_err_t *in_our_words(brski_err_t *err, apr_pool_t *pool)
{
    if (!err) {
        return BRSKI_OK;
    }
    switch (err->code) {
    case BRSKI_E_MEDIA_TYPE:
        return brski_err_say(err, pool, "The Content-Type is not a voucher media type that this "
                             "registrar reads; send application/voucher-cms+json.");
    case BRSKI_E_BODY_TOO_LARGE:
    case BRSKI_E_LIMIT:
        return brski_err_say(err, pool, "The voucher-request is larger than this registrar reads.");
    default:
        return err;
    }
}

/* Vouchers are verified before they are forwarded: what cannot be read here is not asked for. */
static brski_err_t *check_media_types(decision_t *d)
{
    apr_array_header_t *offered = apr_array_make(d->pool, 1, sizeof(brski_format_t));
    brski_format_t voucher;

    APR_ARRAY_PUSH(offered, brski_format_t) = BRSKI_FORMAT_CMS;
    BRSKI_TRY(in_our_words(brski_format_from_content_type(&d->format, d->content_type, d->pool),
                           d->pool));
    return brski_format_negotiate(&voucher, d->accept, d->format, offered, d->pool);
}

static brski_err_t *open_request(decision_t *d)
{
    if (!d->body.len) {
        return brski_err(BRSKI_E_BODY_EMPTY, NULL, d->pool, "no octets");
    }
    if (d->body.len > d->registrar->limits->body) {
        return in_our_words(brski_err(BRSKI_E_BODY_TOO_LARGE, NULL, d->pool, "%" APR_SIZE_T_FMT
                                      " octets", d->body.len), d->pool);
    }
    return in_our_words(brski_signed_open(&d->pvr, d->body, d->format, BRSKI_VOUCHER_REQUEST,
                                          d->registrar->limits, d->registrar->cache, d->pool),
                        d->pool);
}

/* ---- what the operator says ---- */

static brski_err_t *read_pledge(decision_t *d)
{
    return brski_records_pledge_get(&d->pledge, d->registrar->records,
                                    d->device->manufacturer->name, d->device->serial_number,
                                    d->pool, d->pool);
}

/* Two devices of one serial-number, or one with a new IDevID: it needs a voucher of its own. */
static void look_at_key(const decision_t *d)
{
    const char *key = d->device->idevid->spki_hex;

    if (d->pledge && *d->pledge->voucher_spki && strcmp(d->pledge->voucher_spki, key)) {
        brski_logf(d->peer->log ? d->peer->log : d->registrar->ctx->log, BRSKI_LOG_INFO, 1154,
                   "%s of %s comes with another IDevID, key %s, than the one that got its voucher",
                   brski_printable(d->device->serial_number, 128, d->pool),
                   d->device->manufacturer->name, key);
    }
}

/* Noted before anything is decided, so that a human finds it among those who knocked. */
static brski_err_t *note_knock(decision_t *d)
{
    const brski_cert_t *idevid = d->device->idevid;

    BRSKI_TRY(read_pledge(d));
    look_at_key(d);
    if (!d->pledge && d->device->manufacturer->pledges == BRSKI_PLEDGES_APPROVE) {
        brski_registrar_tell(d->registrar,
                             brski_registrar_note(d->registrar, "pledge-new", 1,
                                                  d->device->manufacturer->name,
                                                  d->device->serial_number,
                                                  "A device that nobody has allowed yet asks to "
                                                  "join", d->pool), d->pool);
    }
    return brski_records_pledge_seen(d->registrar->records, d->device->manufacturer->name,
                                     d->device->serial_number, idevid->der, idevid->spki_hex,
                                     d->now, d->pool);
}

static apr_int64_t retry_after(apr_time_t since, apr_time_t now)
{
    apr_int64_t seconds = since && now > since ? apr_time_sec(now - since) / 4 : 0;

    return seconds < RETRY_MIN ? RETRY_MIN : seconds > RETRY_MAX ? RETRY_MAX : seconds;
}

static void answer_wait(brski_registrar_answer_t *answer, apr_time_t since, apr_time_t now)
{
    answer->status = 202;
    answer->retry_after = retry_after(since, now);
}

/* 5.3: "by local policy". *wait: a human is to decide first. */
static brski_err_t *check_welcome(int *wait, decision_t *d)
{
    brski_welcome_t welcome = d->pledge ? d->pledge->welcome : BRSKI_WELCOME_UNDECIDED;
    brski_pledges_t policy = d->device->manufacturer->pledges;

    *wait = 0;
    if (welcome == BRSKI_WELCOME_REFUSED) {
        return brski_err(BRSKI_E_PLEDGE_REFUSED, NULL, d->pool, "by %s",
                         d->pledge->welcome_by ? d->pledge->welcome_by : "?");
    }
    if (welcome == BRSKI_WELCOME_ALLOWED || policy == BRSKI_PLEDGES_ANY) {
        return BRSKI_OK;
    }
    if (policy == BRSKI_PLEDGES_APPROVE) {
        *wait = 1;
        return BRSKI_OK;
    }
    return brski_err(BRSKI_E_PLEDGE_UNKNOWN, NULL, d->pool, "%s of %s",
                     brski_printable(d->device->serial_number, 128, d->pool),
                     d->device->manufacturer->name);
}

/* ---- rows ---- */

/* The identical request of the same device has the same name on every front end. */
static const char *row_id(const decision_t *d)
{
    brski_bytes_t idevid = d->device->idevid->der;
    unsigned char *both = apr_palloc(d->pool, d->body.len + idevid.len);

    memcpy(both, d->body.data, d->body.len);
    memcpy(both + d->body.len, idevid.data, idevid.len);
    return brski_sha256_hex(brski_bytes(both, d->body.len + idevid.len), d->pool);
}

static int is_refused(const brski_request_t *row)
{
    return row->status >= 400;
}

/* A refusal stands for a while, and for ever when nothing more will be done. */
static int stands(const brski_request_t *row, apr_time_t now)
{
    apr_int64_t seconds = (apr_int64_t)REPEAT * (row->attempts > 0 ? row->attempts : 1);

    if (seconds > REPEAT_MAX) {
        seconds = REPEAT_MAX;
    }
    return row->task == BRSKI_TASK_NONE || now < row->answered_at + apr_time_from_sec(seconds);
}

static brski_err_t *refusal(const brski_request_t *row, brski_registrar_answer_t *answer,
                            apr_time_t now, apr_pool_t *pool)
{
    brski_err_t *err = brski_err((brski_err_code_t)row->number, NULL, pool, "%s",
                                 row->detail ? row->detail : "as before");

    if (row->text) {
        brski_err_say(err, pool, "%s", row->text);
    }
    err->status = row->status;
    if (row->status == 503) {
        answer->retry_after = row->next_at > now
                                  ? apr_time_sec(row->next_at - now) + 1 : RETRY_MIN;
    }
    return err;
}

/* What is known of the device's history when this row's voucher goes to it; NULL: this row's log
 * has not been judged yet. The newest verdict counts, whichever request it was made for: an old
 * request sent again must not bring back an old verdict. */
static brski_err_t *judged_of(const brski_judged_t **judged, const brski_registrar_t *registrar,
                              const brski_request_t *row, apr_pool_t *pool)
{
    apr_array_header_t *list;
    int i;

    *judged = NULL;
    BRSKI_TRY(brski_records_verdicts(&list, registrar->records, row->manufacturer,
                                     row->serial_number, pool, pool));
    for (i = 0; i < list->nelts; i++) {
        const brski_judged_t *j = APR_ARRAY_IDX(list, i, const brski_judged_t *);

        if (!strcmp(j->request, row->id)) {
            *judged = APR_ARRAY_IDX(list, 0, const brski_judged_t *);
            return BRSKI_OK;
        }
    }
    return BRSKI_OK;
}

/* 5.9: from now on EST asks for this request. A device that asks again gets the same voucher, and
 * nothing it has reported is forgotten. *done 0: another request or a verdict came in between. */
static brski_err_t *note_forwarding(int *done, const brski_registrar_t *registrar,
                                    const brski_request_t *row, apr_time_t now, apr_pool_t *pool)
{
    const brski_judged_t *judged;
    brski_pledge_t *pledge;

    *done = 1;
    BRSKI_TRY(brski_records_pledge_get(&pledge, registrar->records, row->manufacturer,
                                       row->serial_number, pool, pool));
    if (!pledge) {
        return brski_err(BRSKI_E_NO_VOUCHER, NULL, pool, "the device's record is gone");
    }
    if (pledge->request && !strcmp(pledge->request, row->id)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(judged_of(&judged, registrar, row, pool));
    return brski_records_pledge_voucher(done, registrar->records, pledge, row->id,
                                        judged ? judged->verdict : BRSKI_VERDICT_PENDING, now,
                                        pool);
}

/* 5.6: the voucher, opaque from here on. */
static brski_err_t *answer_voucher(brski_registrar_answer_t *answer,
                                   const brski_registrar_t *registrar, const brski_request_t *row,
                                   apr_time_t now, apr_pool_t *result_pool, apr_pool_t *pool)
{
    int done, round;

    for (round = 0, done = 0; round < 3 && !done; round++) {
        BRSKI_TRY(note_forwarding(&done, registrar, row, now, pool));
    }
    if (!done) {
        answer_wait(answer, 0, now);
        return BRSKI_OK;
    }
    answer->status = 200;
    answer->voucher = brski_bytes_dup(row->voucher, result_pool);
    answer->content_type = apr_pstrdup(result_pool, row->voucher_type);
    return BRSKI_OK;
}

/* Who asks again after a refusal has work on its row begun again. A MASA in trouble is not hurried
 * by that: it is asked when it said, or after growing pauses. */
static brski_err_t *answer_later(brski_registrar_answer_t *answer,
                                 const brski_registrar_t *registrar, const brski_request_t *row,
                                 int again, apr_time_t now, apr_pool_t *pool)
{
    int woken;

    answer_wait(answer, is_refused(row) ? row->answered_at : row->created_at, now);
    if (!again || !is_refused(row) || row->status == 503 || row->next_at <= now) {
        return BRSKI_OK;
    }
    return brski_records_request_wake(&woken, registrar->records, row->manufacturer,
                                      row->serial_number, now, pool);
}

/* What a row answers. again: a pledge has asked for it. */
static brski_err_t *answer_row(brski_registrar_answer_t *answer, const brski_registrar_t *registrar,
                               const brski_request_t *row, int again, apr_time_t now,
                               apr_pool_t *result_pool, apr_pool_t *pool)
{
    answer->request = apr_pstrdup(result_pool, row->id);
    if (is_refused(row) && (!again || stands(row, now))) {
        return refusal(row, answer, now, pool);
    }
    if (row->status == 200 && row->voucher.len) {
        return answer_voucher(answer, registrar, row, now, result_pool, pool);
    }
    if (row->task == BRSKI_TASK_NONE) {
        return brski_err(BRSKI_E_MASA_FAILED, NULL, pool, "nothing more is done for this request");
    }
    return answer_later(answer, registrar, row, again, now, pool);
}

/* ---- a new row ---- */

static brski_err_t *make_row(brski_request_t **out, decision_t *d)
{
    brski_request_t *row = apr_pcalloc(d->result_pool, sizeof(*row));

    BRSKI_TRY(brski_registrar_make_rvr(&row->rvr, d->registrar, d->device, d->pvr,
                                       d->peer->server_cert, d->now, d->result_pool, d->pool));
    row->id = apr_pstrdup(d->result_pool, d->id);
    row->manufacturer = d->device->manufacturer->name;
    row->serial_number = d->device->serial_number;
    row->idevid_spki = d->device->idevid->spki_hex;
    row->pvr = brski_bytes_dup(d->body, d->result_pool);
    row->nonce = apr_pstrdup(d->result_pool, d->pvr->voucher->nonce);
    row->accept = d->accept ? brski_printable(d->accept, 200, d->result_pool) : NULL;
    row->masa_url = apr_pstrdup(d->result_pool, d->masa_url);
    row->created_at = d->now;
    row->task = BRSKI_TASK_VOUCHER;
    row->next_at = d->now;
    row->lease_by = d->registrar->node;
    row->lease_until = d->now + 2 * d->registrar->masa_timeout + apr_time_from_sec(60);
    *out = row;
    return BRSKI_OK;
}

/* A device may try again, and with several nonces at once; it must not fill the records. */
static brski_err_t *check_number(const decision_t *d)
{
    int count;

    BRSKI_TRY(brski_records_request_count(&count, d->registrar->records,
                                          d->device->manufacturer->name, d->device->serial_number,
                                          d->now - REQUESTS_WITHIN, d->pool));
    if (count >= REQUESTS_MAX) {
        return brski_err(BRSKI_E_RACE, NULL, d->pool, "%s made %d requests within an hour",
                         brski_printable(d->device->serial_number, 128, d->pool), count);
    }
    return BRSKI_OK;
}

/* *put 0: another front end was faster, or this one's earlier try, whose reply was lost. */
static brski_err_t *put_row(int *put, decision_t *d)
{
    brski_request_t *row;

    BRSKI_TRY(check_number(d));
    BRSKI_TRY(make_row(&row, d));
    BRSKI_TRY(brski_records_request_put(put, d->registrar->records, row, row->lease_by,
                                        row->lease_until, d->pool));
    if (*put) {
        d->answer->fresh = 1;
        d->answer->row = row;
        d->answer->request = row->id;
        answer_wait(d->answer, d->now, d->now);
    }
    return BRSKI_OK;
}

static brski_err_t *find_or_make_row(decision_t *d)
{
    brski_request_t *row;
    int put = 0;

    BRSKI_TRY(brski_records_request_get(&row, d->registrar->records, d->id, d->pool, d->pool));
    if (!row) {
        BRSKI_TRY(put_row(&put, d));
        if (put) {
            return BRSKI_OK;
        }
        BRSKI_TRY(brski_records_request_get(&row, d->registrar->records, d->id, d->pool, d->pool));
    }
    if (!row) {
        return brski_err(BRSKI_E_RACE, NULL, d->pool, "the row came and went");
    }
    return answer_row(d->answer, d->registrar, row, 1, d->now, d->result_pool, d->pool);
}

/* ---- the decision ---- */

static brski_err_t *decide(decision_t *d)
{
    int wait;

    /* 5.2     a device of a manufacturer that we know, proven by TLS */
    BRSKI_TRY(identify(d));
    /* 5.3     in a format that we read */
    BRSKI_TRY(check_media_types(d));
    BRSKI_TRY(open_request(d));
    /* 5.2     its own request, for itself, at this registrar */
    BRSKI_TRY(brski_registrar_check_pvr(d->pvr, d->registrar, d->device, d->peer, d->pool));
    /* 5.3     welcome here */
    BRSKI_TRY(note_knock(d));
    BRSKI_TRY(check_welcome(&wait, d));
    if (wait) {
        answer_wait(d->answer, d->pledge ? d->pledge->first_seen_at : d->now, d->now);
        return BRSKI_OK;
    }
    /* 5.4     with a MASA that may be asked */
    BRSKI_TRY(brski_registrar_masa_base(&d->masa_url, d->registrar, d->device->manufacturer,
                                        d->device->idevid, d->pool));
    /* 5.5     asked before: the stored answer; else our own request, signed now */
    d->id = row_id(d);
    return find_or_make_row(d);
}

brski_err_t *brski_registrar_requestvoucher(brski_registrar_answer_t **answer,
                                            const brski_registrar_t *registrar,
                                            const brski_peer_tls_t *peer, brski_bytes_t body,
                                            const char *content_type, const char *accept,
                                            apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    decision_t d = { .registrar = registrar, .peer = peer, .body = body };

    d.content_type = content_type;
    d.accept = accept;
    d.answer = *answer = apr_pcalloc(result_pool, sizeof(**answer));
    d.now = clock_of(registrar);
    d.result_pool = result_pool;
    d.pool = scratch_pool;
    return brski_registrar_err(decide(&d), result_pool);
}

brski_err_t *brski_registrar_answer(brski_registrar_answer_t **answer,
                                    const brski_registrar_t *registrar, const char *request,
                                    apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_request_t *row;
    brski_err_t *err;

    *answer = apr_pcalloc(result_pool, sizeof(**answer));
    err = brski_records_request_get(&row, registrar->records, request, scratch_pool, scratch_pool);
    if (!err && !row) {
        err = brski_err(BRSKI_E_NO_VOUCHER, NULL, scratch_pool, "no row %s", request);
    }
    if (!err) {
        err = answer_row(*answer, registrar, row, 0, clock_of(registrar), result_pool,
                         scratch_pool);
    }
    return brski_registrar_err(err, result_pool);
}

/* ---- the gate ---- */

static brski_err_t *closed(brski_err_code_t code, const brski_pledge_t *pledge, const char *why,
                           apr_pool_t *pool)
{
    return brski_err(code, NULL, pool, "%s: %s",
                     pledge ? brski_printable(pledge->serial_number, 128, pool) : "unknown device",
                     why);
}

/* 5.9: the IDevID that enrols is the one whose request got the voucher. */
static brski_err_t *check_key(const brski_pledge_t *pledge, const char *idevid_spki,
                              apr_pool_t *pool)
{
    if (idevid_spki && strcmp(pledge->voucher_spki, idevid_spki)) {
        return closed(BRSKI_E_NO_VOUCHER, pledge, "its voucher went to another key", pool);
    }
    return BRSKI_OK;
}

static brski_err_t *judge_gate(brski_gate_answer_t *gate, const brski_pledge_t *pledge,
                               const char *idevid_spki, apr_pool_t *pool)
{
    if (!pledge) {
        return closed(BRSKI_E_NO_VOUCHER, NULL, "it never asked for a voucher", pool);
    }
    /* a human's no holds for everything */
    if (pledge->welcome == BRSKI_WELCOME_REFUSED) {
        return closed(BRSKI_E_PLEDGE_REFUSED, pledge, "refused by a human", pool);
    }
    /* 5.9     with a voucher of this domain, forwarded to this very device */
    if (!pledge->request || !pledge->voucher_at) {
        return closed(BRSKI_E_NO_VOUCHER, pledge, "no voucher went to it", pool);
    }
    BRSKI_TRY(check_key(pledge, idevid_spki, pool));
    /* 5.7     which it did not reject */
    if (pledge->voucher_status == 0) {
        return closed(BRSKI_E_STATUS_FALSE, pledge, pledge->voucher_reason
                      ? pledge->voucher_reason : "no reason given", pool);
    }
    /* 5.8.3   and a history that is known and acceptable */
    if (pledge->verdict == BRSKI_VERDICT_BAD) {
        return closed(BRSKI_E_AUDIT_BAD, pledge, pledge->verdict_text
                      ? pledge->verdict_text : "bad", pool);
    }
    *gate = pledge->verdict == BRSKI_VERDICT_GOOD || pledge->verdict == BRSKI_VERDICT_WARN
                ? BRSKI_GATE_OPEN : BRSKI_GATE_WAIT;
    return BRSKI_OK;
}

brski_err_t *brski_registrar_gate(brski_gate_answer_t *gate, brski_pledge_t **pledge,
                                  const brski_registrar_t *registrar, const char *manufacturer,
                                  const char *serial_number, const char *idevid_spki,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_err_t *err;

    *gate = BRSKI_GATE_WAIT;
    err = brski_records_pledge_get(pledge, registrar->records, manufacturer, serial_number,
                                   result_pool, scratch_pool);
    if (!err) {
        err = judge_gate(gate, *pledge, idevid_spki, scratch_pool);
    }
    return brski_registrar_err(err, result_pool);
}
