/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_work.c: work on a leased row: which step is due, what its outcome means for
 * the row, and the one write at its end. Humans are told after that write, so that of two who
 * took the row for theirs only one tells.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"

/* Pauses between tries double up to this. */
#define PAUSE_MAX 300

/* A failure that comes again so often in a row is told to a human, and to the pledge. */
#define LOUD_AT 3

/* So many alarms are looked at for whether the same was told already. */
#define LATELY 50

/* A parked row is looked at so often by itself, should nobody wake it. */
#define PARKED apr_time_from_sec(10 * 60)

/* ---- outcomes ---- */

void brski_job_next(brski_registrar_job_t *job, brski_task_t task, apr_time_t at)
{
    job->request->task = task;
    job->request->next_at = at;
    job->request->attempts = 0;
}

void brski_job_alarm(brski_registrar_job_t *job, const char *kind, const char *fmt, ...)
{
    const char *text;
    va_list args;

    va_start(args, fmt);
    text = apr_pvsprintf(job->pool, fmt, args);
    va_end(args);
    APR_ARRAY_PUSH(job->notes, brski_note_t *) =
        brski_registrar_note(job->registrar, kind, 1, job->request->manufacturer,
                             job->request->serial_number, text, job->pool);
}

static void answer_no(brski_registrar_job_t *job, const brski_err_t *err, int status)
{
    brski_request_t *row = job->request;

    row->number = (int)err->code;
    row->status = status ? status : err->status;
    row->text = err->public_text;
    row->answered_at = job->now;
}

/* What humans know a refusal by; NULL for what its own place tells. */
static const char *kind_of(const brski_err_t *err)
{
    switch (err->code) {
    case BRSKI_E_MASA_URL:
        return "masa-url";
    case BRSKI_E_VOUCHER_SIGNER:
        return "voucher-signer";
    case BRSKI_E_AUDIT_BAD:
        return NULL;
    default:
        return "masa-refused";
    }
}

void brski_job_refuse(brski_registrar_job_t *job, brski_err_t *err, int status)
{
    brski_request_t *row = job->request;
    const char *kind = kind_of(err);

    if (kind && row->number != (int)err->code) {
        brski_job_alarm(job, kind, "%s (%s)", err->public_text, err->detail);
    }
    answer_no(job, err, status);
    row->detail = err->detail;
    row->attempts++;
    row->task = BRSKI_TASK_HUMAN;
    row->next_at = row->created_at + job->registrar->keep;
}

void brski_job_park(brski_registrar_job_t *job, const char *why)
{
    brski_job_next(job, BRSKI_TASK_HUMAN, job->now + PARKED);
    job->request->status = job->request->number = 0;
    job->request->text = NULL;
    job->request->detail = why;
}

/* Half of a pause is left to chance: a MASA that comes back must not be met by everybody. Nobody
 * comes before the time that it named. */
static apr_interval_time_t pause_after(const brski_registrar_job_t *job, apr_int64_t wait)
{
    int tries = job->request->attempts;
    apr_int64_t seconds = tries < 10 ? 1 << tries : PAUSE_MAX;
    unsigned char chance;

    seconds = seconds > PAUSE_MAX ? PAUSE_MAX : seconds;
    job->registrar->ctx->random(&chance, 1, job->registrar->ctx->baton);
    if (wait >= seconds) {
        return apr_time_from_sec(wait) * (1024 + chance) / 1024;
    }
    return apr_time_from_sec(seconds) * (384 + chance) / 512;
}

static int begins_with(const char *text, const char *kind)
{
    return text && !strncmp(text, kind, strlen(kind)) && text[strlen(kind)] == ':';
}

/* A voucher that stands is not taken back because the log cannot be had. */
static int is_answered(const brski_request_t *row)
{
    return row->task != BRSKI_TASK_VOUCHER || row->voucher.len;
}

void brski_job_trouble(brski_registrar_job_t *job, brski_err_t *err, const char *kind, int loud,
                       apr_int64_t wait)
{
    brski_request_t *row = job->request;
    const char *what = brski_printable(err->detail ? err->detail : err->public_text, 400,
                                       job->pool);
    int told = begins_with(row->detail, kind) && row->attempts > 0;

    row->attempts++;
    row->next_at = job->now + pause_after(job, wait);
    if (loud ? !told : row->attempts == LOUD_AT) {
        brski_job_alarm(job, kind, "%s (tried %d times)", what, row->attempts);
    }
    if (!is_answered(row) && (loud || row->attempts >= LOUD_AT)) {
        answer_no(job, err, 0);
    }
    row->detail = apr_pstrcat(job->pool, kind, ": ", what, NULL);
    if (row->next_at < row->created_at + job->registrar->keep
        || row->task == BRSKI_TASK_RECHECK) {
        return;
    }
    if (!is_answered(row)) {
        answer_no(job, err, 0);
    }
    row->task = BRSKI_TASK_NONE;
}

/* ---- steps ---- */

/* 5.6: the voucher is the pledge's, unless the operator wants its history known first. */
static brski_err_t *take_voucher(brski_registrar_job_t *job)
{
    brski_request_t *row = job->request;
    int good;

    BRSKI_TRY(brski_registrar_verify_voucher(&good, job));
    if (good) {
        row->status = job->registrar->withhold ? 0 : 200;
        row->number = 0;
        row->text = row->detail = NULL;
        row->answered_at = job->now;
        brski_job_next(job, BRSKI_TASK_AUDIT, job->now);
    }
    return BRSKI_OK;
}

static brski_err_t *get_voucher(brski_registrar_job_t *job)
{
    job->request->task = BRSKI_TASK_VOUCHER;
    job->request->voucher.len = 0;
    return brski_registrar_ask_voucher(job) ? take_voucher(job) : BRSKI_OK;
}

/* Woken by a human's word, by the pledge's coming again, or at the end of its time. */
static brski_err_t *unpark(brski_registrar_job_t *job)
{
    brski_request_t *row = job->request;

    if (job->now >= row->created_at + job->registrar->keep) {
        brski_job_next(job, BRSKI_TASK_NONE, 0);
        if (!row->status) {
            answer_no(job, brski_err(BRSKI_E_MASA_FAILED, NULL, job->pool, NULL), 0);
        }
        return BRSKI_OK;
    }
    if (!row->voucher.len) {
        return get_voucher(job);
    }
    if (row->number == BRSKI_E_AUDIT_BAD) {
        return brski_registrar_audit(job);
    }
    row->task = BRSKI_TASK_VOUCHER;
    return take_voucher(job);
}

static brski_err_t *step(brski_registrar_job_t *job)
{
    switch (job->request->task) {
    case BRSKI_TASK_VOUCHER:
        return get_voucher(job);
    case BRSKI_TASK_AUDIT:
        return brski_registrar_audit(job);
    case BRSKI_TASK_TELEMETRY:
        return brski_registrar_await_telemetry(job);
    case BRSKI_TASK_RECHECK:
        return brski_registrar_recheck(job);
    case BRSKI_TASK_HUMAN:
        return unpark(job);
    default:
        return BRSKI_OK;
    }
}

static int is_the_records(const brski_err_t *err)
{
    return err->code == BRSKI_E_STORE || err->code == BRSKI_E_STORE_BUSY
           || err->code == BRSKI_E_STORE_SCHEMA || err->code == BRSKI_E_STORE_READONLY;
}

/* Another front end may know it still, or know it already. */
static void no_manufacturer(brski_registrar_job_t *job)
{
    brski_job_trouble(job, brski_err(BRSKI_E_MANUFACTURER_UNKNOWN, NULL, job->pool,
                                     "%s is not configured here", job->request->manufacturer),
                      "manufacturer-missing", 0, 60);
}

static brski_err_t *do_step(brski_registrar_job_t *job)
{
    brski_err_t *err;

    if (!job->manufacturer) {
        no_manufacturer(job);
        return BRSKI_OK;
    }
    err = step(job);
    if (err && !is_the_records(err)) {
        brski_job_trouble(job, err, "work-failed", 1, -1);
        err = NULL;
    }
    return err;
}

/* ---- telling ---- */

/* Whatever ails a MASA ails every device of its manufacturer. */
static int is_of_the_masa(const char *kind)
{
    static const char *const kinds[] = { "masa-failed", "masa-login", "masa-distrusted", "masa-url",
                                         "audit-failed", "work-failed", "manufacturer-missing" };
    apr_size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(kind, kinds[i])) {
            return 1;
        }
    }
    return 0;
}

/* Has a human been told the same of this manufacturer's MASA within the last hour? */
static int is_told(const brski_registrar_job_t *job, const brski_note_t *note)
{
    apr_array_header_t *list;
    int i;

    if (!is_of_the_masa(note->kind)
        || brski_records_notes(&list, job->registrar->records, NULL, NULL, 1, LATELY, job->pool,
                               job->pool)) {
        return 0;
    }
    for (i = 0; i < list->nelts; i++) {
        const brski_note_t *old = APR_ARRAY_IDX(list, i, const brski_note_t *);

        if (!strcmp(old->kind, note->kind) && !strcmp(old->manufacturer, note->manufacturer)
            && old->at > note->at - apr_time_from_sec(3600)) {
            return 1;
        }
    }
    return 0;
}

static void tell_all(const brski_registrar_job_t *job)
{
    int i;

    for (i = 0; i < job->notes->nelts; i++) {
        brski_note_t *note = APR_ARRAY_IDX(job->notes, i, brski_note_t *);

        note->alarm = !is_told(job, note);
        brski_registrar_tell(job->registrar, note, job->pool);
    }
}

brski_err_t *brski_registrar_work(const brski_registrar_t *registrar, brski_request_t *request,
                                  apr_pool_t *scratch_pool)
{
    brski_registrar_job_t job = { .registrar = registrar, .request = request };
    int done;

    job.pool = scratch_pool;
    job.now = registrar->ctx->now(registrar->ctx->baton);
    job.notes = apr_array_make(scratch_pool, 2, sizeof(brski_note_t *));
    job.manufacturer = brski_registrar_manufacturer(registrar, request->manufacturer);
    BRSKI_TRY(do_step(&job));
    BRSKI_TRY(brski_records_request_done(&done, registrar->records, request, request->lease_by,
                                         scratch_pool));
    if (done) {
        tell_all(&job);
    }
    return BRSKI_OK;
}
