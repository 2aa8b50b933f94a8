/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_pledge.c: devices that knocked or are expected: list and show them, let them join or not. A
 * decision wakes what waits for it.
 */
#include "pledge.h"
#include "requests.h"
#include "words.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <string.h>

#define PAGE 500
#define SHOWN 10        /* requests, certificates, notes of a device */
#define BATCH 200       /* devices that are decided on in one transaction */
#define REST (5 * 1000) /* microseconds between two */

/* ---- list ---- */

static const say_column_t list_view[] = {{"manufacturer", "MANUFACTURER", 16},
                                         {"serial_number", "SERIAL NUMBER", 24},
                                         {"welcome", "MAY JOIN", 10},
                                         {"voucher", "VOUCHER", 12},
                                         {"verdict", "AUDIT LOG", 9},
                                         {"last_seen_at", "LAST SEEN", 0},
                                         {NULL, NULL, 0}};

/* Which devices are asked for. */
typedef struct filter_t {
    const char *manufacturer;
    const char *welcome;
    const char *verdict;
    int unheard;
} filter_t;

static int wanted(const filter_t *f, const brski_pledge_t *p)
{
    return (!f->manufacturer || !strcmp(f->manufacturer, p->manufacturer)) &&
           (!f->welcome || !strcmp(f->welcome, words_welcome(p->welcome))) &&
           (!f->verdict || !strcmp(f->verdict, brski_verdict_text(p->verdict))) &&
           (!f->unheard || (p->voucher_at && p->voucher_status < 0));
}

static const char *voucher_word(const brski_pledge_t *p)
{
    return !p->voucher_at          ? "none"
           : p->voucher_status < 0 ? "given"
           : p->voucher_status     ? "accepted"
                                   : "NOT ACCEPTED";
}

static void list_row(say_t *say, const brski_pledge_t *p)
{
    brski_json_t *obj = pledge_json(p, say_scratch(say));

    if (!say->json) {
        brski_json_set_string(obj, "voucher", voucher_word(p));
    }
    say_row(say, list_view, obj);
}

/* Where a walk over devices stands. */
typedef struct walk_t {
    db_t *db;
    filter_t filter;
    const char *manufacturer;
    const char *serial_number;
    apr_int64_t left; /* -1: all */
    int more;
} walk_t;

/* One page; the key of its last device is kept beyond the page's pool. */
static brski_err_t *walk_page(walk_t *w, apr_pool_t *page, apr_pool_t *keep)
{
    apr_array_header_t *pledges;
    const brski_pledge_t *p = NULL;
    int i;

    BRSKI_TRY(brski_records_pledges(&pledges, db_records(w->db), w->manufacturer, w->serial_number,
                                    PAGE, page, page));
    for (i = 0; i < pledges->nelts && w->left != 0; i++) {
        p = APR_ARRAY_IDX(pledges, i, const brski_pledge_t *);
        if (wanted(&w->filter, p)) {
            list_row(w->db->call->say, p);
            w->left -= w->left > 0;
        }
    }
    w->more = pledges->nelts == PAGE || i < pledges->nelts;
    if (p) {
        w->manufacturer = apr_pstrdup(keep, p->manufacturer);
        w->serial_number = apr_pstrdup(keep, p->serial_number);
    }
    return BRSKI_OK;
}

/* Page by page, with two pools in turn: the last key outlives its page. */
static brski_err_t *walk_all(walk_t *w)
{
    apr_pool_t *keep[2];
    apr_pool_t *page;

    apr_pool_create(&page, w->db->pool);
    apr_pool_create(&keep[0], w->db->pool);
    apr_pool_create(&keep[1], w->db->pool);
    w->more = 1;
    for (int turn = 0; w->more && w->left != 0; turn = !turn) {
        apr_pool_clear(page);
        apr_pool_clear(keep[turn]);
        BRSKI_TRY(walk_page(w, page, keep[turn]));
    }
    return BRSKI_OK;
}

static int is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (!strcmp(*words, word)) {
            return 1;
        }
    }
    return 0;
}

static brski_err_t *pledge_list(call_t *call)
{
    static const char *const welcomes[] = {"undecided", "allowed", "refused", NULL};
    static const char *const verdicts[] = {"none", "pending", "good", "warn", "bad", NULL};
    walk_t w = {.manufacturer = "", .serial_number = ""};

    w.filter.manufacturer = opt_get(call, "manufacturer");
    w.filter.welcome = opt_get(call, "welcome");
    w.filter.verdict = opt_get(call, "verdict");
    w.filter.unheard = opt_has(call, "unheard");
    if (w.filter.welcome && !is_one_of(w.filter.welcome, welcomes)) {
        return opt_usage(call, "--welcome is one of undecided, allowed, refused");
    }
    if (w.filter.verdict && !is_one_of(w.filter.verdict, verdicts)) {
        return opt_usage(call, "--verdict is one of none, pending, good, warn, bad");
    }
    BRSKI_TRY(opt_int(&w.left, call, "limit", 0, APR_INT32_MAX, 100));
    w.left = w.left ? w.left : -1;
    BRSKI_TRY(db_open(&w.db, call));
    if (w.filter.manufacturer || opt_get(call, "after")) {
        w.manufacturer = w.filter.manufacturer ? w.filter.manufacturer : "";
        w.serial_number = opt_get(call, "after") ? opt_get(call, "after") : "";
    }
    say_head(call->say, list_view);
    BRSKI_TRY(walk_all(&w));
    if (w.left == 0 && w.more) {
        say_note(call->say, "more may follow: --manufacturer %s --after %s",
                 brski_printable(w.manufacturer, 128, call->pool),
                 brski_printable(w.serial_number, 128, call->pool));
    }
    return BRSKI_OK;
}

/* ---- show ---- */

static brski_json_t *certificates_json(const apr_array_header_t *list, apr_time_t now,
                                       apr_pool_t *pool)
{
    brski_json_t *array = brski_json_array(pool);

    for (int i = 0; i < list->nelts; i++) {
        const brski_issued_t *issued = APR_ARRAY_IDX(list, i, const brski_issued_t *);
        brski_json_t *obj = brski_json_object(pool);
        brski_json_set_string(obj, "serial", issued->serial);
        brski_json_set_string(obj, "subject", issued->subject);
        brski_json_set_string(obj, "state", words_certificate(issued, now));
        db_json_time(obj, "issued_at", issued->issued_at, pool);
        db_json_time(obj, "not_after", issued->not_after, pool);
        brski_json_append(array, obj);
    }
    return array;
}

static brski_json_t *notes_json(const apr_array_header_t *list, apr_pool_t *pool)
{
    brski_json_t *array = brski_json_array(pool);

    for (int i = 0; i < list->nelts; i++) {
        const brski_note_t *note = APR_ARRAY_IDX(list, i, const brski_note_t *);
        brski_json_t *obj = brski_json_object(pool);
        db_json_time(obj, "at", note->at, pool);
        brski_json_set_string(obj, "kind", note->kind);
        brski_json_set_bool(obj, "alarm", note->alarm);
        brski_json_set_string(obj, "text", note->text);
        brski_json_append(array, obj);
    }
    return array;
}

/* Everything that belongs to it, beside its own row. */
static brski_err_t *add_belongings(brski_json_t *obj, db_t *db, const brski_pledge_t *p)
{
    apr_array_header_t *list;
    apr_time_t now = db_now(db);

    BRSKI_TRY(requests_of(&list, db, p->manufacturer, p->serial_number, SHOWN));
    brski_json_set(obj, "requests", requests_json(list, now, db->pool));
    BRSKI_TRY(brski_records_certificates(&list, db_records(db), "", "", p->manufacturer,
                                         p->serial_number, SHOWN, db->pool, db->pool));
    brski_json_set(obj, "certificates", certificates_json(list, now, db->pool));
    BRSKI_TRY(brski_records_notes(&list, db_records(db), p->manufacturer, p->serial_number, 0,
                                  SHOWN, db->pool, db->pool));
    brski_json_set(obj, "notes", notes_json(list, db->pool));
    return BRSKI_OK;
}

/* The row in plain words. */
static brski_json_t *told(const brski_pledge_t *p, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "manufacturer", p->manufacturer);
    brski_json_set_string(obj, "serial_number", p->serial_number);
    brski_json_set_string(obj, "may_join", words_may_join(p, pool));
    brski_json_set_string(obj, "first_seen",
                          p->first_seen_at ? brski_time_rfc3339(p->first_seen_at, pool)
                                           : "it never came yet");
    db_json_time(obj, "last_seen", p->last_seen_at, pool);
    brski_json_set_string(obj, "voucher", words_voucher(p, pool));
    brski_json_set_string(obj, "audit_log", words_verdict(p, pool));
    brski_json_set_string(obj, "enrolment", words_enrolment(p, pool));
    return obj;
}

static brski_err_t *pledge_show(call_t *call)
{
    brski_pledge_t *p;
    brski_json_t *obj;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(pledge_find(&p, db, call->args[0], call->args[1]));
    obj = call->say->json ? pledge_json(p, db->pool) : told(p, db->pool);
    if (p->idevid.len) {
        brski_json_set(obj, "idevid", words_cert(p->idevid, db->pool));
    }
    BRSKI_TRY(add_belongings(obj, db, p));
    say_record(call->say, obj);
    return BRSKI_OK;
}

/* ---- allow, refuse ---- */

/* A decision about devices. */
typedef struct decision_t {
    db_t *db;
    brski_welcome_t welcome;
    int attested; /* 1, 0, -1 leaves it */
    const char *by;
    apr_time_t now;
    int woken;
} decision_t;

/* The device's history counts differently now: it is judged again where it was judged. */
static brski_err_t *judge_again(decision_t *d, const pledge_name_t *name, apr_pool_t *pool)
{
    brski_pledge_t *p;
    int done;

    if (d->attested < 0) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_pledge_get(&p, db_records(d->db), name->manufacturer,
                                       name->serial_number, pool, pool));
    return p && p->request ? requests_judge_again(&done, d->db, p, pool) : BRSKI_OK;
}

static brski_err_t *decide(decision_t *d, const pledge_name_t *name, apr_pool_t *pool)
{
    int woken;

    BRSKI_TRY(brski_records_pledge_welcome(db_records(d->db), name->manufacturer,
                                           name->serial_number, d->welcome, d->attested, d->by,
                                           d->now, pool));
    BRSKI_TRY(judge_again(d, name, pool));
    BRSKI_TRY(brski_records_request_wake(&woken, db_records(d->db), name->manufacturer,
                                         name->serial_number, d->now, pool));
    d->woken += woken;
    return BRSKI_OK;
}

/* A part of the list, in one transaction. */
typedef struct batch_t {
    decision_t *decision;
    const apr_array_header_t *names;
    int from;
    int to;
    apr_pool_t *pool;
} batch_t;

static brski_err_t *decide_batch(db_t *db, void *baton)
{
    batch_t *b = baton;

    (void)db;
    for (int i = b->from; i < b->to; i++) {
        BRSKI_TRY(decide(b->decision, &APR_ARRAY_IDX(b->names, i, pledge_name_t), b->pool));
    }
    return BRSKI_OK;
}

/* Servers write too: on SQLite they wait for the same lock, so it is held for short and let go. */
static brski_err_t *decide_all(decision_t *d, const apr_array_header_t *names)
{
    batch_t b = {.decision = d, .names = names};
    say_progress_t progress;
    brski_err_t *err = BRSKI_OK;

    apr_pool_create(&b.pool, d->db->pool);
    say_progress_start(&progress, d->db->call->say, "deciding", "devices", names->nelts);
    for (; b.from < names->nelts; b.from = b.to) {
        b.to = b.from + BATCH < names->nelts ? b.from + BATCH : names->nelts;
        apr_pool_clear(b.pool);
        if ((err = db_change(d->db, decide_batch, &b))) {
            break;
        }
        say_progress_at(&progress, b.to);
        if (b.to < names->nelts) {
            apr_sleep(REST);
        }
    }
    say_progress_end(&progress);
    if (err && names->nelts > 1) {
        say_note(d->db->call->say, "%d of %d devices were done; repeat the list to go on", b.from,
                 names->nelts);
    }
    return err;
}

static void tell_decided(const decision_t *d, const apr_array_header_t *names)
{
    const pledge_name_t *first = &APR_ARRAY_IDX(names, 0, pledge_name_t);
    const char *word = words_welcome(d->welcome);
    call_t *call = d->db->call;
    brski_json_t *obj = brski_json_object(call->pool);

    brski_json_set_string(obj, "welcome", word);
    brski_json_set_int(obj, "devices", names->nelts);
    brski_json_set_int(obj, "woken", d->woken);
    say_json(call->say, obj);
    if (names->nelts == 1) {
        say_line(call->say, "%s %s is %s", brski_printable(first->manufacturer, 128, call->pool),
                 brski_printable(first->serial_number, 128, call->pool), word);
    }
    else {
        say_line(call->say, "%s devices are %s", say_count(names->nelts, call->pool), word);
    }
    if (d->woken) {
        say_line(call->say, "%d request%s that waited go%s on now", d->woken,
                 d->woken == 1 ? "" : "s", d->woken == 1 ? "es" : "");
    }
}

/* The device of the command line, or those of stdin. *names NULL: wrong usage, told. */
static brski_err_t *named(apr_array_header_t **names, call_t *call)
{
    const char *manufacturer = opt_get(call, "manufacturer");
    pledge_name_t *name;

    *names = NULL;
    if (call->nargs == 1 && !strcmp(call->args[0], "-")) {
        return pledge_list_read(names, stdin, manufacturer, call);
    }
    if (call->nargs != 2 || manufacturer) {
        return opt_usage(call, "say MANUFACTURER and SERIAL, or - to read a list from stdin");
    }
    if (!*call->args[0] || !*call->args[1]) {
        return say_refuse(call->pool, "neither manufacturer nor serial number can be empty");
    }
    *names = apr_array_make(call->pool, 1, sizeof(pledge_name_t));
    name = apr_array_push(*names);
    name->manufacturer = call->args[0];
    name->serial_number = call->args[1];
    return BRSKI_OK;
}

static brski_err_t *run_decision(call_t *call, decision_t *d)
{
    apr_array_header_t *names;

    BRSKI_TRY(named(&names, call));
    if (!names) {
        return BRSKI_OK;
    }
    BRSKI_TRY(db_open(&d->db, call));
    d->by = db_who(d->db);
    d->now = db_now(d->db);
    BRSKI_TRY(pledge_warn_strange(d->db, names));
    BRSKI_TRY(decide_all(d, names));
    tell_decided(d, names);
    return BRSKI_OK;
}

static brski_err_t *pledge_allow(call_t *call)
{
    decision_t d = {.welcome = BRSKI_WELCOME_ALLOWED, .attested = -1};

    if (opt_has(call, "attested") && opt_has(call, "not-attested")) {
        return opt_usage(call, "--attested or --not-attested, not both");
    }
    d.attested = opt_has(call, "attested") ? 1 : opt_has(call, "not-attested") ? 0 : -1;
    return run_decision(call, &d);
}

static brski_err_t *pledge_refuse(call_t *call)
{
    decision_t d = {.welcome = BRSKI_WELCOME_REFUSED, .attested = -1};

    BRSKI_TRY(run_decision(call, &d));
    if (!call->status) {
        say_note(call->say, "certificates that it has stay valid: 'estctl cert revoke --device'");
    }
    return BRSKI_OK;
}

/* ---- the group ---- */

static const opt_t list_options[] = {
    {"manufacturer", 'm', "NAME", "only devices of this manufacturer"},
    {"welcome", 'w', "WORD", "only undecided, allowed or refused ones"},
    {"verdict", 0, "WORD", "only where the log is none, pending, good, warn, bad"},
    {"unheard", 0, NULL, "only those that never said what they make of it"},
    {"after", 0, "SERIAL", "go on behind this one; with --manufacturer"},
    {"limit", 'n', "N", "at most so many; 0: all; default 100"},
    {NULL, 0, NULL, NULL}};

static const opt_t allow_options[] = {
    {"manufacturer", 'm', "NAME", "whose devices a list of serial numbers is of"},
    {"attested", 0, NULL, "you vouch for it: its history is overridden"},
    {"not-attested", 0, NULL, "take that back"},
    {NULL, 0, NULL, NULL}};

static const opt_t refuse_options[] = {
    {"manufacturer", 'm', "NAME", "whose devices a list of serial numbers is of"},
    {NULL, 0, NULL, NULL}};

static const char list_help[] =
    "A list (-) is CSV with the columns manufacturer,serial_number, or one serial\n"
    "number a line with --manufacturer. With a bad line nothing of it is used.";

static const command_t commands[] = {
    {"pledge list", "", 0, 0, "List devices", list_options, NULL, pledge_list},
    {"pledge show", "MANUFACTURER SERIAL", 2, 2, "Show all that is known of a device", NULL, NULL,
     pledge_show},
    {"pledge allow", "MANUFACTURER SERIAL | -", 1, 2, "Let devices join", allow_options, list_help,
     pledge_allow},
    {"pledge refuse", "MANUFACTURER SERIAL | -", 1, 2,
     "Let devices not join, nor use what they got", refuse_options, list_help, pledge_refuse},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"pledge", "devices, and who may join", 20, commands, NULL};
COMMAND_GROUP(group)
