/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_doctor.c: is all well? Each check looks at one thing and says what it saw; each problem says
 * what to do about it.
 */
#include "cas.h"
#include "db.h"
#include "../common/doctor.h"
#include "brski_bytes.h"
#include "brski_records_tools.h"
#include "brski_time.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#define MINUTE (apr_time_from_sec(60))
#define DAY (apr_time_from_sec(86400))
#define CLOCK_SLACK (5 * MINUTE)
#define OVERDUE (2 * MINUTE)  /* work that is due waits that long only when nobody works */
#define UNHEARD (15 * MINUTE) /* a device says sooner what it makes of its voucher */
#define PAGE 1000
#define TOLD 10 /* of a kind */
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

/* ---- what the servers run ---- */

static void check_same(doctor_t *d, const apr_array_header_t *nodes)
{
    const brski_node_t *first = APR_ARRAY_IDX(nodes, 0, const brski_node_t *);
    int differ = 0;

    for (int i = 1; i < nodes->nelts; i++) {
        const brski_node_t *node = APR_ARRAY_IDX(nodes, i, const brski_node_t *);
        if (strcmp(node->hash, first->hash)) {
            differ++;
            doctor_problem(d, "servers",
                           "%s (started %s) and %s (started %s) are configured differently: make "
                           "them alike and reload, or 'estctl doctor --forget NODE' one that is "
                           "gone",
                           brski_printable(first->node, 128, d->pool),
                           brski_time_rfc3339(first->published_at, d->pool),
                           brski_printable(node->node, 128, d->pool),
                           brski_time_rfc3339(node->published_at, d->pool));
        }
    }
    if (!differ) {
        doctor_fine(d, "servers", "%d%s", nodes->nelts,
                    nodes->nelts > 1 ? ", all configured alike" : "");
    }
}

static brski_err_t *check_servers(doctor_t *d)
{
    const apr_array_header_t *nodes = d->own;

    for (int i = 0; i < nodes->nelts; i++) {
        const brski_node_t *node = APR_ARRAY_IDX(nodes, i, const brski_node_t *);
        if (node->published_at > d->now + CLOCK_SLACK) {
            doctor_problem(d, "clock", "the clock of %s is ahead of this machine's: set both",
                           brski_printable(node->node, 128, d->pool));
        }
    }
    if (nodes->nelts) {
        check_same(d, nodes);
    }
    else {
        doctor_problem(d, "servers",
                       "none has published its configuration here for tenant %s: start httpd with "
                       "ESTEngine On, ESTTenant %s and this database",
                       d->db->tenant, d->db->tenant);
    }
    return BRSKI_OK;
}

/* ---- the end of certificates ---- */

/* Going through a configuration. */
typedef struct search_t {
    doctor_t *doctor;
    apr_hash_t *seen; /* hash of a certificate: the same is told once */
    int good;
} search_t;

/* A name for what a part of the configuration is about: "labels office, ca, chain". */
static const char *name_of(const brski_json_t *obj, const char *key, apr_pool_t *pool)
{
    const char *name = brski_json_get_string(obj, "name");
    char *words = apr_pstrdup(pool, key);

    for (char *c = words; *c; c++) {
        *c = *c == '_' ? ' ' : *c;
    }
    return name && *name ? apr_psprintf(pool, "%s %s", words, brski_printable(name, 64, pool))
                         : words;
}

static void look_at(search_t *s, const brski_cert_t *cert, const char *what)
{
    const char *cure = strstr(what, "anchors") ? "get a new one from whose it is, and reload httpd"
                                               : "renew it, and reload httpd";

    if (!apr_hash_get(s->seen, cert->hash, sizeof(cert->hash))) {
        apr_hash_set(s->seen, cert->hash, sizeof(cert->hash), cert);
        s->good &= doctor_certificate(s->doctor, cert, what, cure);
    }
}

static void search_pem(search_t *s, const char *text, const char *what)
{
    apr_pool_t *pool = s->doctor->pool;
    const char *from;

    while ((from = strstr(text, PEM_BEGIN))) {
        const char *to = strstr(from, PEM_END);
        const brski_cert_t *cert;
        brski_bytes_t der;

        from += strlen(PEM_BEGIN);
        if (!to) {
            return;
        }
        if (!brski_base64_decode_liberal(&der, from, (apr_size_t)(to - from), pool) &&
            !brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool)) {
            look_at(s, cert, what);
        }
        text = to + strlen(PEM_END);
    }
}

/* The end of an IDevID's issuer does not matter where that of an IDevID does not. */
static int is_ignored(const brski_json_t *obj, const char *key)
{
    return !strcmp(key, "idevid_anchors") &&
           brski_json_bool(brski_json_get(obj, "ignore_idevid_expiry")) == 1;
}

/* Wherever the configuration holds certificates. */
static void search(search_t *s, const brski_json_t *v, const char *what)
{
    apr_pool_t *pool = s->doctor->pool;

    if (brski_json_type(v) == BRSKI_JSON_STRING) {
        search_pem(s, brski_json_string(v), what);
    }
    for (apr_size_t i = 0; brski_json_type(v) == BRSKI_JSON_ARRAY && i < brski_json_size(v); i++) {
        const brski_json_t *one = brski_json_at(v, i);
        search(s, one, name_of(one, what, pool));
    }
    for (apr_size_t i = 0; brski_json_type(v) == BRSKI_JSON_OBJECT && i < brski_json_size(v); i++) {
        const char *key = brski_json_key(v, i);
        const brski_json_t *one = brski_json_get(v, key);
        if (!is_ignored(v, key)) {
            search(s, one,
                   name_of(one, *what ? apr_psprintf(pool, "%s, %s", what, key) : key, pool));
        }
    }
}

static brski_err_t *check_expiry(doctor_t *d)
{
    static const brski_limits_t limits = {.body = 1 << 24, .json_depth = 32, .string = 1 << 20};
    search_t s = {.doctor = d, .seen = apr_hash_make(d->pool), .good = 1};
    const apr_array_header_t *nodes = d->own;

    for (int i = 0; i < nodes->nelts; i++) {
        const brski_node_t *node = APR_ARRAY_IDX(nodes, i, const brski_node_t *);
        brski_json_t *json;
        if (brski_json_parse(&json, brski_bytes_str(node->json), &limits, d->pool)) {
            doctor_note(d, "expiry", "the configuration that %s published cannot be read",
                        brski_printable(node->node, 128, d->pool));
            continue;
        }
        search(&s, json, "");
    }
    if (s.good && nodes->nelts) {
        doctor_fine(d, "expiry", "no certificate of a CA, registrar or anchor ends within 30 days");
    }
    return BRSKI_OK;
}

/* ---- work ---- */

/* Of what is parked some waits for a human's word; the rest was refused, and a human may only think
 * again. */
static brski_err_t *check_parked(doctor_t *d)
{
    apr_array_header_t *list;
    int waiting = 0;

    BRSKI_TRY(brski_records_requests_open(&list, db_records(d->db), BRSKI_TASK_HUMAN, PAGE, d->pool,
                                          d->pool));
    for (int i = 0; i < list->nelts; i++) {
        waiting += !APR_ARRAY_IDX(list, i, const brski_request_t *)->number;
    }
    if (waiting) {
        doctor_problem(d, "requests",
                       "%d wait for a human: 'estctl voucher list --task human' tells for what",
                       waiting);
    }
    if (list->nelts > waiting) {
        doctor_note(d, "requests", "%d were refused: 'estctl voucher list --task human' tells why",
                    list->nelts - waiting);
    }
    return BRSKI_OK;
}

static brski_err_t *check_work(doctor_t *d)
{
    apr_int64_t busy = 0;
    brski_work_t work;

    BRSKI_TRY(brski_records_work(&work, db_records(d->db), d->now, d->pool));
    for (int i = BRSKI_TASK_VOUCHER; i < BRSKI_TASK_HUMAN; i++) {
        busy += work.waiting[i];
    }
    if (work.oldest_due_at && work.oldest_due_at < d->now - OVERDUE) {
        doctor_problem(d, "requests",
                       "work has been due since %s and nobody does it: is httpd running, with "
                       "this database, and does its error log tell of it?",
                       brski_time_rfc3339(work.oldest_due_at, d->pool));
    }
    doctor_note(d, "requests", "%s being worked on, %s of them wait for the manufacturer's MASA",
                say_count(busy, d->pool), say_count(work.waiting[BRSKI_TASK_VOUCHER], d->pool));
    return BRSKI_OK;
}

/* ---- devices ---- */

/* What was counted. */
typedef struct devices_t {
    apr_int64_t all;
    apr_int64_t undecided;
    apr_int64_t unheard;
    apr_int64_t unhappy;
    apr_int64_t bad;
    apr_int64_t pending;
} devices_t;

static void count_device(devices_t *n, const brski_pledge_t *p, apr_time_t now)
{
    n->all++;
    n->undecided += p->welcome == BRSKI_WELCOME_UNDECIDED && !p->voucher_at;
    n->unheard += p->voucher_at && p->voucher_status < 0 && p->voucher_at < now - UNHEARD;
    n->unhappy += p->voucher_status == 0;
    n->bad += p->verdict == BRSKI_VERDICT_BAD;
    n->pending += p->verdict == BRSKI_VERDICT_PENDING && p->voucher_at < now - UNHEARD;
}

static brski_err_t *count_page(devices_t *n, doctor_t *d, brski_pledge_t **last, apr_pool_t *pool)
{
    const char *manufacturer = *last ? (*last)->manufacturer : "";
    const char *serial = *last ? (*last)->serial_number : "";
    apr_array_header_t *list;

    BRSKI_TRY(
        brski_records_pledges(&list, db_records(d->db), manufacturer, serial, PAGE, pool, pool));
    for (int i = 0; i < list->nelts; i++) {
        count_device(n, APR_ARRAY_IDX(list, i, const brski_pledge_t *), d->now);
    }
    *last = list->nelts == PAGE ? APR_ARRAY_IDX(list, PAGE - 1, brski_pledge_t *) : NULL;
    return BRSKI_OK;
}

/* Two pools in turn: the last key of a page is asked with for the next. */
static brski_err_t *count_devices(devices_t *n, doctor_t *d)
{
    brski_pledge_t *last = NULL;
    say_progress_t progress;
    brski_err_t *err;
    apr_pool_t *pool[2];
    int turn = 0;

    memset(n, 0, sizeof(*n));
    apr_pool_create(&pool[0], d->pool);
    apr_pool_create(&pool[1], d->pool);
    say_progress_start(&progress, d->call->say, "looking at", "devices", 0);
    do {
        apr_pool_clear(pool[turn]);
        err = count_page(n, d, &last, pool[turn]);
        say_progress_at(&progress, n->all);
        turn = !turn;
    } while (!err && last);
    say_progress_end(&progress);
    return err;
}

static brski_err_t *check_devices(doctor_t *d)
{
    devices_t n;

    BRSKI_TRY(count_devices(&n, d));
    if (n.unheard) {
        doctor_problem(d, "devices",
                       "%s got a voucher and never said what they make of it: 'estctl pledge list "
                       "--unheard'; somebody may hold the voucher back, or the device went away",
                       say_count(n.unheard, d->pool));
    }
    if (n.unhappy) {
        doctor_problem(d, "devices",
                       "%s did not accept their voucher: 'estctl pledge show' tells why",
                       say_count(n.unhappy, d->pool));
    }
    if (n.bad) {
        doctor_problem(d, "devices",
                       "%s have a history that is not acceptable: 'estctl pledge list --verdict "
                       "bad', then 'estctl audit show'",
                       say_count(n.bad, d->pool));
    }
    if (n.pending) {
        doctor_problem(d, "devices",
                       "the history of %s is still not judged: does their MASA answer? 'estctl "
                       "voucher list --task audit'",
                       say_count(n.pending, d->pool));
    }
    if (n.undecided) {
        doctor_note(d, "devices",
                    "%s knocked and nobody has decided: 'estctl pledge list "
                    "--welcome undecided'",
                    say_count(n.undecided, d->pool));
    }
    doctor_note(d, "devices", "%s known", say_count(n.all, d->pool));
    return BRSKI_OK;
}

/* ---- what waits for a human ---- */

static brski_err_t *check_first_uses(doctor_t *d)
{
    apr_array_header_t *uses;
    int told = 0;

    BRSKI_TRY(brski_records_first_uses(&uses, db_records(d->db), NULL, NULL, d->pool, d->pool));
    for (int i = 0; i < uses->nelts; i++) {
        const brski_first_use_t *use = APR_ARRAY_IDX(uses, i, const brski_first_use_t *);
        if (!strcmp(use->state, "waiting") && told++ < TOLD) {
            const char *name = brski_printable(use->manufacturer, 128, d->pool);
            doctor_problem(d, "trust",
                           "since %s it waits whether the MASA of %s may be trusted (%s): 'estctl "
                           "masa show %s'",
                           brski_time_rfc3339(use->first_seen_at, d->pool), name, use->purpose,
                           name);
        }
    }
    if (!told) {
        doctor_fine(d, "trust", "nothing that a MASA showed waits to be approved");
    }
    return BRSKI_OK;
}

static brski_err_t *check_approvals(doctor_t *d)
{
    apr_array_header_t *list;

    BRSKI_TRY(brski_records_approvals(&list, db_records(d->db), "waiting", d->pool, d->pool));
    if (list->nelts) {
        doctor_problem(d, "enrolment", "%d wait for a human: 'estctl cert waiting'", list->nelts);
    }
    return BRSKI_OK;
}

/* ---- CRLs ---- */

static brski_err_t *check_crl(doctor_t *d, const char *ca)
{
    const char *name = apr_pstrndup(d->pool, ca, 16);
    apr_array_header_t *revoked;
    brski_crl_row_t *crl;

    BRSKI_TRY(brski_records_crl_get(&crl, db_records(d->db), ca, d->pool, d->pool));
    BRSKI_TRY(brski_records_certificate_revoked(&revoked, db_records(d->db), ca, d->now, d->pool,
                                                d->pool));
    if (!crl || !crl->number) {
        if (revoked->nelts) {
            doctor_problem(d, "crl",
                           "CA %s: %d certificates are revoked and no CRL was ever made: nobody "
                           "asks for one; SetHandler est-crl gives it out",
                           name, revoked->nelts);
        }
        else {
            doctor_fine(d, "crl", "CA %s: nothing is revoked, no CRL was asked for", name);
        }
    }
    else if (crl->next_update < d->now) {
        doctor_problem(d, "crl",
                       "CA %s: the last CRL ended %s and nobody has asked for one since: do those "
                       "who check certificates reach it (SetHandler est-crl)?",
                       name, brski_time_rfc3339(crl->next_update, d->pool));
    }
    else {
        doctor_fine(d, "crl", "CA %s: CRL %" APR_INT64_T_FMT " ends %s", name, crl->number,
                    brski_time_rfc3339(crl->next_update, d->pool));
    }
    return BRSKI_OK;
}

static brski_err_t *check_crls(doctor_t *d)
{
    apr_array_header_t *cas;

    BRSKI_TRY(cas_list(&cas, d->db));
    for (int i = 0; i < cas->nelts; i++) {
        BRSKI_TRY(check_crl(d, APR_ARRAY_IDX(cas, i, const char *)));
    }
    return BRSKI_OK;
}

/* ---- alarms ---- */

static brski_err_t *check_alarms(doctor_t *d)
{
    apr_array_header_t *notes;
    int recent = 0;

    BRSKI_TRY(
        brski_records_notes(&notes, db_records(d->db), NULL, NULL, 1, PAGE, d->pool, d->pool));
    for (int i = 0; i < notes->nelts; i++) {
        recent += APR_ARRAY_IDX(notes, i, const brski_note_t *)->at > d->now - DAY;
    }
    doctor_note(d, "alarms", "%s%d in the last day%s", recent == PAGE ? "more than " : "", recent,
                recent ? ": 'estctl alarm list'" : "");
    return BRSKI_OK;
}

/* ---- the command ---- */

static brski_err_t *forget(doctor_t *d, const char *node)
{
    int done;

    BRSKI_TRY(brski_records_snapshot_forget(&done, db_records(d->db), node, d->pool));
    return done ? BRSKI_OK
                : say_refuse(d->pool, "no server %s has published its configuration",
                             brski_printable(node, 128, d->pool));
}

static brski_err_t *examine(doctor_t *d)
{
    static brski_err_t *(*const checks[])(doctor_t * d) = {
        doctor_clock, doctor_files,  doctor_database,  check_servers,   check_expiry, check_work,
        check_parked, check_devices, check_first_uses, check_approvals, check_crls,   check_alarms};

    for (apr_size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
        BRSKI_TRY(checks[i](d));
    }
    return BRSKI_OK;
}

static brski_err_t *doctor(call_t *call)
{
    apr_array_header_t *nodes;
    doctor_t d;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    doctor_begin(&d, db);
    if (opt_has(call, "forget")) {
        return forget(&d, opt_get(call, "forget"));
    }
    BRSKI_TRY(brski_records_nodes(&nodes, db_records(db), db->pool, db->pool));
    d.own = nodes;
    BRSKI_TRY(examine(&d));
    doctor_end(&d);
    return BRSKI_OK;
}

static const opt_t doctor_options[] = {
    {"forget", 0, "NODE", "forget the configuration of a server that is gone"},
    {NULL, 0, NULL, NULL}};

static const command_t commands[] = {{"doctor", "", 0, 0,
                                      "Look at everything and say what is not as it should be",
                                      doctor_options, NULL, doctor},
                                     {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"doctor", "is all well? what to do when not", 60, commands, NULL};
COMMAND_GROUP(group)
