/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c: states of devices, requests and certificates as sentences. Text that came from a device
 * is escaped where it is printed (../common/say.c), not here.
 */
#include "words.h"
#include "../common/database.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define GROUP 4 /* hex digits */
#define GROUPS_A_LINE 8

static const char *time_text(apr_time_t t, apr_pool_t *pool)
{
    return t ? brski_time_rfc3339(t, pool) : "an unknown time";
}

/* ---- devices ---- */

const char *words_welcome(brski_welcome_t welcome)
{
    switch (welcome) {
    case BRSKI_WELCOME_ALLOWED:
        return "allowed";
    case BRSKI_WELCOME_REFUSED:
        return "refused";
    default:
        return "undecided";
    }
}

const char *words_may_join(const brski_pledge_t *pledge, apr_pool_t *pool)
{
    const char *by = pledge->welcome_by ? pledge->welcome_by : "somebody";

    switch (pledge->welcome) {
    case BRSKI_WELCOME_ALLOWED:
        return apr_psprintf(pool, "yes, %s allowed it%s", by,
                            pledge->attested ? " and vouches for it: its history is overridden"
                                             : "");
    case BRSKI_WELCOME_REFUSED:
        return apr_psprintf(pool, "no, %s refused it: it gets neither vouchers nor certificates",
                            by);
    default:
        return "nobody has decided, so ESTPledges of its manufacturer does; "
               "'estctl pledge allow' or 'refuse' decide on this one";
    }
}

const char *words_voucher(const brski_pledge_t *pledge, apr_pool_t *pool)
{
    const char *reason = pledge->voucher_reason ? pledge->voucher_reason : "it gave no reason";
    const char *given;

    if (!pledge->voucher_at) {
        return "it got none yet";
    }
    given = apr_psprintf(pool, "given %s", time_text(pledge->voucher_at, pool));
    if (pledge->voucher_status < 0) {
        return apr_psprintf(pool, "%s; the device has not said whether it accepts it", given);
    }
    if (!pledge->voucher_status) {
        return apr_psprintf(pool, "%s; the device DID NOT ACCEPT it (%s): %s", given,
                            time_text(pledge->voucher_status_at, pool), reason);
    }
    return apr_psprintf(pool, "%s; the device accepted it (%s)", given,
                        time_text(pledge->voucher_status_at, pool));
}

const char *words_enrolment(const brski_pledge_t *pledge, apr_pool_t *pool)
{
    if (pledge->enroll_status < 0) {
        return "the device has not reported any";
    }
    if (!pledge->enroll_status) {
        return apr_psprintf(pool, "the device reported FAILURE (%s): %s",
                            time_text(pledge->enroll_status_at, pool),
                            pledge->enroll_reason ? pledge->enroll_reason : "it gave no reason");
    }
    return apr_psprintf(pool, "the device reported success (%s)",
                        time_text(pledge->enroll_status_at, pool));
}

const char *words_verdict(const brski_pledge_t *pledge, apr_pool_t *pool)
{
    const char *rule = pledge->verdict_rule && *pledge->verdict_rule
                           ? apr_psprintf(pool, " (rule '%s')", pledge->verdict_rule)
                           : "";
    const char *text = pledge->verdict_text && *pledge->verdict_text
                           ? apr_pstrcat(pool, ": ", pledge->verdict_text, NULL)
                           : "";

    switch (pledge->verdict) {
    case BRSKI_VERDICT_PENDING:
        return "not judged yet: the device waits before it may enrol";
    case BRSKI_VERDICT_GOOD:
        return apr_psprintf(pool, "good, judged %s%s", time_text(pledge->verdict_at, pool), text);
    case BRSKI_VERDICT_WARN:
        return apr_psprintf(pool, "accepted, but look at it, judged %s%s%s",
                            time_text(pledge->verdict_at, pool), rule, text);
    case BRSKI_VERDICT_BAD:
        return apr_psprintf(pool, "BAD, judged %s%s%s; the device may not enrol",
                            time_text(pledge->verdict_at, pool), rule, text);
    default:
        return "there was nothing to judge yet";
    }
}

/* ---- requests ---- */

const char *words_task(brski_task_t task)
{
    static const char *const words[] = {"none",      "voucher", "audit",
                                        "telemetry", "recheck", "human"};

    return task >= BRSKI_TASK_NONE && task <= BRSKI_TASK_HUMAN ? words[task] : "unknown";
}

static const char *doing(const brski_request_t *request)
{
    switch (request->task) {
    case BRSKI_TASK_VOUCHER:
        return "the manufacturer's MASA is asked for the voucher";
    case BRSKI_TASK_AUDIT:
        return "the voucher is there; the audit log is fetched and judged";
    case BRSKI_TASK_TELEMETRY:
        return "the voucher was given; the device's report is waited for";
    case BRSKI_TASK_RECHECK:
        return "done; the audit log will be looked at again";
    case BRSKI_TASK_HUMAN:
        return request->number ? "refused, unless a human decides otherwise" : "WAITS FOR YOU";
    default:
        return request->voucher.len || request->status == 200 ? "done, with a voucher"
               : request->status                              ? "refused"
                                                              : "done, without an answer";
    }
}

const char *words_request(const brski_request_t *request, apr_time_t now, apr_pool_t *pool)
{
    const char *words = doing(request);
    const char *detail = request->detail && *request->detail ? request->detail : request->text;

    if (request->attempts > 1 && request->task != BRSKI_TASK_NONE) {
        words = apr_psprintf(pool, "%s, %d attempts", words, request->attempts);
    }
    if (request->task != BRSKI_TASK_NONE && request->next_at > now) {
        words = apr_psprintf(pool, "%s, next %s", words, time_text(request->next_at, pool));
    }
    return detail && *detail ? apr_pstrcat(pool, words, ": ", detail, NULL) : words;
}

/* ---- certificates ---- */

/* RFC 5280 5.3.1; a place without word is none that a certificate is revoked for. */
static const char *const reasons[] = {
    "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", NULL,
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
#define REASONS ((int)(sizeof(reasons) / sizeof(*reasons)))
#define HOLD 6
#define REMOVE 8

const char *words_reason(int reason)
{
    return reason >= 0 && reason < REASONS && reasons[reason] ? reasons[reason] : "unknown";
}

/* What is revoked stays so: holding, and letting go again, is not offered. */
static int may_revoke(int reason)
{
    return reasons[reason] && reason != HOLD && reason != REMOVE;
}

int words_reason_parse(const char *word)
{
    for (int i = 0; i < REASONS; i++) {
        if (may_revoke(i) && !strcasecmp(word, reasons[i])) {
            return i;
        }
    }
    return -1;
}

const char *words_reasons(apr_pool_t *pool)
{
    const char *all = "";

    for (int i = 0; i < REASONS; i++) {
        if (may_revoke(i)) {
            all = apr_pstrcat(pool, all, *all ? ", " : "", reasons[i], NULL);
        }
    }
    return all;
}

const char *words_certificate(const brski_issued_t *issued, apr_time_t now)
{
    return issued->revoked_at ? "revoked" : issued->not_after < now ? "expired" : "valid";
}

const char *words_groups(const char *hex, int indent, apr_pool_t *pool)
{
    const char *out = "";
    apr_size_t len = strlen(hex);

    for (apr_size_t at = 0; at < len; at += GROUP) {
        char *group = apr_pstrmemdup(pool, hex + at, len - at < GROUP ? len - at : GROUP);
        const char *before = !at                          ? ""
                             : at / GROUP % GROUPS_A_LINE ? " "
                                                          : apr_psprintf(pool, "\n%*s", indent, "");
        for (char *c = group; *c; c++) {
            *c = (char)apr_toupper(*c);
        }
        out = apr_pstrcat(pool, out, before, group, NULL);
    }
    return out;
}

brski_json_t *words_cert(brski_bytes_t der, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);
    const brski_cert_t *cert;
    brski_err_t *err = brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool);

    if (err) {
        brski_json_set_string(obj, "problem", brski_err_text(err, pool));
        return obj;
    }
    brski_json_set_string(obj, "subject", cert->subject);
    brski_json_set_string(obj, "issuer", cert->issuer);
    db_json_time(obj, "not_before", cert->not_before, pool);
    db_json_time(obj, "not_after", cert->not_after, pool);
    brski_json_set_string(obj, "certificate_sha256", brski_sha256_hex(cert->der, pool));
    brski_json_set_string(obj, "key_sha256", cert->spki_hex);
    return obj;
}
