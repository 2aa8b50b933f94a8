/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_audit.c: the device's history, RFC 8995 5.8: the log is fetched with the
 * request that got the voucher, judged, and the verdict kept; again when the pledge has
 * reported, or has not; and later, if the operator wants to know what becomes of a device that
 * is his.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"

/* RFC 5280 5.3.1: privilegeWithdrawn */
#define REASON_PRIVILEGE_WITHDRAWN 9

/* At what occasion a log is looked at. */
typedef enum occasion_t { JOINING, LATER } occasion_t;

/* ---- fetching ---- */

const char *brski_registrar_location(const char *asked, const char *location, apr_pool_t *pool)
{
    apr_size_t origin = strlen("https://");

    if (!location || strncasecmp(asked, "https://", origin) || strpbrk(location, " \t\r\n\\")) {
        return NULL;
    }
    origin += strcspn(asked + origin, "/");
    if (*location == '/' && location[1] != '/') {
        return apr_pstrcat(pool, apr_pstrmemdup(pool, asked, origin), location, NULL);
    }
    return !strncasecmp(asked, location, origin) && location[origin] == '/' ? location : NULL;
}

static void no_log(brski_registrar_job_t *job, const char *what)
{
    brski_job_trouble(job, brski_err(BRSKI_E_MASA_FAILED, NULL, job->pool, "%s", what),
                      "audit-failed", 0, -1);
}

/* A body is judged whatever it is; only an absent one means that there is no log. */
static brski_bytes_t body_of(const brski_client_answer_t *a)
{
    return a->body.len ? a->body : brski_bytes(" ", 1);
}

/* 5.8: "201 Created" with the place of the log. 1 when something can be judged. */
static int follow(brski_bytes_t *log, brski_registrar_job_t *job, const brski_client_answer_t *a)
{
    const char *base = job->manufacturer->masa_url ? job->manufacturer->masa_url
                                                   : job->request->masa_url;
    const char *asked = NULL, *url;

    if (brski_client_masa_url(&asked, base, "requestauditlog", job->pool)
        || !(url = brski_registrar_location(asked, a->location, job->pool))) {
        no_log(job, apr_psprintf(job->pool, "the MASA says that the log is at %s, which is another "
                                 "place than its own", brski_printable(a->location, 200,
                                                                       job->pool)));
        return 0;
    }
    a = brski_registrar_ask(job, "requestauditlog", job->request->rvr, url);
    if (!a) {
        return 0;
    }
    if (a->status != 200) {
        no_log(job, apr_psprintf(job->pool, "the MASA answers %d for the log", a->status));
        return 0;
    }
    *log = body_of(a);
    return 1;
}

static int is_no(const brski_client_answer_t *a)
{
    return a->status == 403 || a->status == 404 || a->status == 406;
}

/* 5.8: the request that got the voucher. A MASA that knows us by neither TLS nor login may want one
 * that nobody can have copied: "If the registrar generates a new request". */
static const brski_client_answer_t *ask_for_log(brski_registrar_job_t *job)
{
    const brski_client_answer_t *a = brski_registrar_ask(job, "requestauditlog",
                                                         job->request->rvr, NULL);
    brski_bytes_t fresh;
    brski_err_t *err;

    if (!a || !is_no(a)) {
        return a;
    }
    err = brski_registrar_fresh_rvr(&fresh, job->registrar, job->request, job->now, job->pool);
    if (err) {
        /* a front end that has the key may learn more */
        brski_job_trouble(job, err, "audit-failed", 0, -1);
        return NULL;
    }
    return brski_registrar_ask(job, "requestauditlog", fresh, NULL);
}

/* 1 when something can be judged: a log, or that there is none for us. */
static int fetch(brski_bytes_t *log, brski_registrar_job_t *job)
{
    const brski_client_answer_t *a = ask_for_log(job);

    *log = brski_bytes(NULL, 0);
    if (!a) {
        return 0;
    }
    if (is_no(a)) {
        return 1;
    }
    switch (a->status) {
    case 200:
        *log = body_of(a);
        return 1;
    case 201:
        return follow(log, job, a);
    default:
        no_log(job, apr_psprintf(job->pool, "the MASA answers %d to the request for the log",
                                 a->status));
        return 0;
    }
}

/* ---- judging ---- */

/* 5.8.2: everything that was ever pinned for us, and what this very request may have pinned. */
static brski_err_t *own_ids(apr_array_header_t **ids, const brski_registrar_job_t *job)
{
    apr_array_header_t *pins;
    int i;

    BRSKI_TRY(brski_records_domain_ids(ids, job->registrar->records, job->pool, job->pool));
    BRSKI_TRY(brski_registrar_pins(&pins, job->registrar, job->request, job->pool));
    for (i = 0; i < pins->nelts; i++) {
        APR_ARRAY_PUSH(*ids, const char *) =
            brski_domain_id(APR_ARRAY_IDX(pins, i, const brski_cert_t *), job->pool);
    }
    return BRSKI_OK;
}

/* A stranger can cause entries when a device is long in use: then a human is told, and no device
 * loses its certificate unless the operator wants that. */
static void soften(brski_audit_judgement_t *j, const brski_registrar_job_t *job,
                   occasion_t occasion)
{
    if (occasion == LATER && j->verdict == BRSKI_VERDICT_BAD && !job->registrar->recheck_revokes) {
        j->verdict = BRSKI_VERDICT_WARN;
    }
}

static brski_err_t *judge(brski_audit_judgement_t **out, brski_registrar_job_t *job,
                          const brski_pledge_t *pledge, brski_bytes_t log, occasion_t occasion)
{
    const brski_registrar_t *r = job->registrar;
    apr_array_header_t *own;
    int done;

    BRSKI_TRY(own_ids(&own, job));
    BRSKI_TRY(brski_audit_judge(out, r->policy, own, log, pledge && pledge->attested, r->limits,
                                job->pool, job->pool));
    soften(*out, job, occasion);
    return brski_records_verdict_put(&done, r->records, job->request->manufacturer,
                                     job->request->serial_number, job->request->id,
                                     (*out)->verdict, (*out)->rule, (*out)->text, log, job->now,
                                     job->pool);
}

static brski_err_t *revoke_all(brski_registrar_job_t *job, occasion_t occasion)
{
    const brski_registrar_t *r = job->registrar;
    int revoked = 0;

    if (!(occasion == JOINING ? r->revoke_on_bad : r->recheck_revokes)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_certificate_revoke_device(&revoked, r->records,
                                                      job->request->manufacturer,
                                                      job->request->serial_number,
                                                      REASON_PRIVILEGE_WITHDRAWN, job->now,
                                                      job->pool));
    if (revoked) {
        brski_job_alarm(job, "revoked", "%d certificates were revoked for the device's history",
                        revoked);
    }
    return BRSKI_OK;
}

/* What a human has been told already need not be told again. */
static int is_news(const brski_pledge_t *pledge, const brski_registrar_job_t *job,
                   const brski_audit_judgement_t *j)
{
    return !pledge || !pledge->request || strcmp(pledge->request, job->request->id)
           || pledge->verdict != j->verdict || !pledge->verdict_text
           || strcmp(pledge->verdict_text, j->text);
}

static void tell(brski_registrar_job_t *job, const brski_pledge_t *pledge,
                 const brski_audit_judgement_t *j)
{
    if (j->verdict == BRSKI_VERDICT_GOOD || !is_news(pledge, job, j)) {
        return;
    }
    brski_job_alarm(job, j->verdict == BRSKI_VERDICT_BAD ? "audit-bad" : "audit-warn", "%s",
                    j->text);
}

/* Fetch, judge, keep, tell. *out NULL: there was no answer, and the row says what comes next. */
static brski_err_t *look(brski_audit_judgement_t **out, brski_registrar_job_t *job,
                         occasion_t occasion)
{
    brski_pledge_t *pledge;
    brski_bytes_t log;

    *out = NULL;
    if (!fetch(&log, job)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_pledge_get(&pledge, job->registrar->records, job->request->manufacturer,
                                       job->request->serial_number, job->pool, job->pool));
    BRSKI_TRY(judge(out, job, pledge, log, occasion));
    tell(job, pledge, *out);
    if ((*out)->verdict == BRSKI_VERDICT_BAD) {
        BRSKI_TRY(revoke_all(job, occasion));
    }
    return BRSKI_OK;
}

/* ---- steps ---- */

static void refuse(brski_registrar_job_t *job, const brski_audit_judgement_t *j)
{
    brski_job_refuse(job, brski_err(BRSKI_E_AUDIT_BAD, NULL, job->pool, "%s: %s", j->rule, j->text),
                     0);
}

static void look_again_later(brski_registrar_job_t *job)
{
    apr_interval_time_t recheck = job->registrar->recheck;

    brski_job_next(job, recheck ? BRSKI_TASK_RECHECK : BRSKI_TASK_NONE,
                   recheck ? job->now + recheck : 0);
}

brski_err_t *brski_registrar_audit(brski_registrar_job_t *job)
{
    brski_audit_judgement_t *j;

    BRSKI_TRY(look(&j, job, JOINING));
    if (!j) {
        return BRSKI_OK;
    }
    if (j->verdict == BRSKI_VERDICT_BAD) {
        refuse(job, j);
        return BRSKI_OK;
    }
    job->request->status = 200;
    job->request->number = 0;
    job->request->text = NULL;
    job->request->detail = j->text;
    /* a look at once, in case the pledge has reported meanwhile */
    brski_job_next(job, BRSKI_TASK_TELEMETRY, job->now);
    return BRSKI_OK;
}

/* 5.8.3, seed of it in 5.7: whose voucher arrived first shows only after the pledge has spoken. A
 * pledge that stays silent may have been given somebody else's. */
static brski_err_t *second_look(brski_registrar_job_t *job, int silent)
{
    brski_audit_judgement_t *j;

    if (silent) {
        brski_job_alarm(job, "telemetry-missing", "The device has not reported what became of its "
                        "voucher; look whether somebody else's reached it first");
    }
    BRSKI_TRY(look(&j, job, JOINING));
    if (!j) {
        return BRSKI_OK;
    }
    if (j->verdict == BRSKI_VERDICT_BAD) {
        refuse(job, j);
        return BRSKI_OK;
    }
    look_again_later(job);
    return BRSKI_OK;
}

/* Is this row still the one that the device got its voucher from? */
static int is_current(const brski_pledge_t *pledge, const brski_registrar_job_t *job)
{
    return pledge && pledge->request && !strcmp(pledge->request, job->request->id);
}

brski_err_t *brski_registrar_await_telemetry(brski_registrar_job_t *job)
{
    const brski_registrar_t *r = job->registrar;
    apr_time_t ends = job->request->created_at + r->keep;
    brski_pledge_t *pledge;

    BRSKI_TRY(brski_records_pledge_get(&pledge, r->records, job->request->manufacturer,
                                       job->request->serial_number, job->pool, job->pool));
    if (!is_current(pledge, job)) {
        /* not fetched yet, or another request of the device was answered since */
        apr_time_t next = job->now + r->telemetry_wait;

        brski_job_next(job, next < ends ? BRSKI_TASK_TELEMETRY : BRSKI_TASK_NONE, next);
        return BRSKI_OK;
    }
    if (pledge->voucher_status != -1) {
        if (pledge->verdict > BRSKI_VERDICT_PENDING
            && pledge->verdict_at > pledge->voucher_status_at) {
            /* the first look came after the report already */
            look_again_later(job);
            return BRSKI_OK;
        }
        return second_look(job, 0);
    }
    if (job->now >= pledge->voucher_at + r->telemetry_wait) {
        return second_look(job, job->request->attempts == 0);
    }
    brski_job_next(job, BRSKI_TASK_TELEMETRY, pledge->voucher_at + r->telemetry_wait);
    return BRSKI_OK;
}

brski_err_t *brski_registrar_recheck(brski_registrar_job_t *job)
{
    brski_audit_judgement_t *j;
    brski_pledge_t *pledge;

    BRSKI_TRY(brski_records_pledge_get(&pledge, job->registrar->records, job->request->manufacturer,
                                       job->request->serial_number, job->pool, job->pool));
    if (!is_current(pledge, job)) {
        brski_job_next(job, BRSKI_TASK_NONE, 0);
        return BRSKI_OK;
    }
    BRSKI_TRY(look(&j, job, LATER));
    if (j) {
        look_again_later(job);
    }
    return BRSKI_OK;
}
