/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_telemetry.c: what a pledge reports of its voucher (RFC 8995 5.7) and of its
 * enrolment (5.9.4). Its words are untrusted text; they count only when they come from the
 * device's own connection.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_log.h"

#define KNOWN_VERSION 1
#define REASON_MAX 500

/* So many events of one device are kept and told within an hour: its reports may all differ. What
 * the registrar itself finds out is told in any case. */
#define EVENTS_MAX 50

/* Who reports. */
typedef struct reporter_t {
    const char *manufacturer;
    const char *serial_number;
    int new_certificate;              /* the connection uses a certificate that we issued to it */
} reporter_t;

/* ---- reading ---- */

static brski_err_t *check_type(const char *content_type, apr_pool_t *pool)
{
    static const char json[] = "application/json";
    apr_size_t len = sizeof(json) - 1;

    if (content_type && !strncasecmp(content_type, json, len)
        && (content_type[len] == '\0' || strchr("; \t", content_type[len]))) {
        return BRSKI_OK;
    }
    return brski_err_say(brski_err(BRSKI_E_MEDIA_TYPE, NULL, pool, "%s",
                                   brski_printable(content_type, 100, pool)), pool,
                         "A status report is sent as application/json.");
}

static const char *other_members(const brski_json_t *json, apr_pool_t *pool)
{
    static const char *const known[] = { "version", "status", "reason", "reason-context" };
    const char *names = NULL;
    apr_size_t i, k;

    for (i = 0; i < brski_json_size(json); i++) {
        const char *key = brski_json_key(json, i);

        for (k = 0; k < sizeof(known) / sizeof(known[0]) && strcmp(key, known[k]); k++) {
        }
        if (k == sizeof(known) / sizeof(known[0])) {
            names = names ? apr_pstrcat(pool, names, " ", key, NULL) : key;
        }
    }
    return names ? brski_printable(names, 200, pool) : NULL;
}

static const char *reason_of(const brski_json_t *json, apr_pool_t *pool)
{
    const char *reason = brski_json_get_string(json, "reason"), *text = NULL;
    brski_json_t *context = brski_json_get(json, "reason-context");

    if (reason) {
        text = brski_printable(reason, REASON_MAX, pool);
    }
    if (brski_json_size(context)) {
        const char *more = brski_printable(brski_json_text(context, 0, pool), REASON_MAX, pool);

        text = apr_pstrcat(pool, text ? text : "", text ? " " : "", more, NULL);
    }
    return text;
}

static brski_err_t *no_report(const brski_err_t *cause, apr_pool_t *pool, const char *what)
{
    return brski_err(BRSKI_E_TELEMETRY, cause, pool, "%s", what);
}

brski_err_t *brski_report_read(brski_report_t *report, brski_bytes_t body,
                               const brski_limits_t *limits, apr_pool_t *pool)
{
    brski_json_t *json, *version, *reason, *context;
    brski_err_t *err = brski_json_parse(&json, body, limits, pool);

    memset(report, 0, sizeof(*report));
    if (err) {
        return no_report(err, pool, "no JSON");
    }
    version = brski_json_get(json, "version");
    reason = brski_json_get(json, "reason");
    context = brski_json_get(json, "reason-context");
    if (brski_json_type(json) != BRSKI_JSON_OBJECT
        || brski_json_type(version) != BRSKI_JSON_INTEGER || brski_json_int(version) < 1
        || brski_json_bool(brski_json_get(json, "status")) < 0) {
        return no_report(NULL, pool, "no object with version and status");
    }
    if ((reason && !brski_json_string(reason))
        || (context && brski_json_type(context) != BRSKI_JSON_OBJECT
            && brski_json_type(context) != BRSKI_JSON_NULL)) {
        return no_report(NULL, pool, "reason is no text, or reason-context no object");
    }
    report->version = brski_json_int(version);
    report->status = brski_json_bool(brski_json_get(json, "status"));
    report->reason = reason_of(json, pool);
    report->unknown = other_members(json, pool);
    return BRSKI_OK;
}

/* ---- who ---- */

/* 5.9.4: success comes over a connection with the certificate that was just issued. */
static brski_err_t *find_issued(reporter_t *who, const brski_registrar_t *registrar,
                                const brski_cert_t *cert, apr_pool_t *pool)
{
    brski_issued_t *issued;
    int i;

    for (i = 0; registrar->issuers && i < registrar->issuers->nelts; i++) {
        const brski_cert_t *ca = APR_ARRAY_IDX(registrar->issuers, i, const brski_cert_t *);

        if (!brski_cert_signed_by(cert, ca)) {
            continue;
        }
        BRSKI_TRY(brski_records_certificate_get(&issued, registrar->records, ca->spki_hex,
                                                cert->cert_serial_hex, pool, pool));
        if (issued && !issued->revoked_at && issued->serial_number && *issued->serial_number) {
            who->manufacturer = issued->manufacturer;
            who->serial_number = issued->serial_number;
            who->new_certificate = 1;
            return BRSKI_OK;
        }
    }
    return BRSKI_OK;
}

static brski_err_t *find_reporter(reporter_t *who, const brski_registrar_t *registrar,
                                  const brski_peer_tls_t *peer, int enroll, apr_pool_t *pool)
{
    brski_device_id_t *device;

    memset(who, 0, sizeof(*who));
    if (enroll && peer->client_cert) {
        BRSKI_TRY(find_issued(who, registrar, peer->client_cert, pool));
        if (who->new_certificate) {
            return BRSKI_OK;
        }
    }
    BRSKI_TRY(brski_registrar_device(&device, registrar, peer, pool, pool));
    who->manufacturer = device->manufacturer->name;
    who->serial_number = device->serial_number;
    return BRSKI_OK;
}

static brski_err_t *no_voucher(const reporter_t *who, apr_pool_t *pool, const char *why)
{
    brski_err_t *err = brski_err(BRSKI_E_NO_VOUCHER, NULL, pool, "%s: %s",
                                 brski_printable(who->serial_number, 128, pool), why);

    err->status = 404;
    return err;
}

/* The device's own connection: the IDevID key that brought the request whose voucher it got. */
static brski_err_t *check_reporter(const brski_pledge_t *pledge, const reporter_t *who,
                                   const brski_peer_tls_t *peer, apr_pool_t *pool)
{
    if (!pledge || !pledge->request || !pledge->voucher_at) {
        return no_voucher(who, pool, "it got no voucher here");
    }
    if (!who->new_certificate && strcmp(pledge->voucher_spki, peer->client_cert->spki_hex)) {
        return no_voucher(who, pool, "its voucher went to another key");
    }
    return BRSKI_OK;
}

/* ---- keeping ---- */

static int is_flood(const brski_registrar_t *registrar, const brski_note_t *note, apr_pool_t *pool)
{
    apr_array_header_t *last;

    return *note->serial_number
           && !brski_records_notes(&last, registrar->records, note->manufacturer,
                                   note->serial_number, 0, EVENTS_MAX, pool, pool)
           && last->nelts == EVENTS_MAX
           && APR_ARRAY_IDX(last, EVENTS_MAX - 1, const brski_note_t *)->at
                  > note->at - apr_time_from_sec(3600);
}

static void tell_report(const brski_registrar_t *registrar, const brski_note_t *note,
                        apr_pool_t *pool)
{
    if (!is_flood(registrar, note, pool)) {
        brski_registrar_tell(registrar, note, pool);
        return;
    }
    brski_logf(registrar->ctx->log, BRSKI_LOG_INFO, 1155,
               "the event %s of %s is not kept: it had %d within an hour", note->kind,
               brski_printable(note->serial_number, 128, pool), EVENTS_MAX);
}

static void look_at_oddities(const brski_registrar_t *registrar, const brski_peer_tls_t *peer,
                             const reporter_t *who, const brski_report_t *report, apr_pool_t *pool)
{
    const brski_log_t *log = peer->log ? peer->log : registrar->ctx->log;

    if (report->unknown) {
        brski_logf(log, BRSKI_LOG_INFO, 1152, "members of the report of %s ignored: %s",
                   brski_printable(who->serial_number, 128, pool), report->unknown);
    }
    if (report->version > KNOWN_VERSION) {
        brski_note_t *note =
            brski_registrar_note(registrar, "telemetry-version", 1, who->manufacturer,
                                 who->serial_number,
                                 apr_psprintf(pool, "The device sent a report of version %"
                                              APR_INT64_T_FMT ": %s", report->version,
                                              report->reason ? report->reason : ""), pool);
        note->address = peer->address;
        note->request_id = peer->request_id;
        tell_report(registrar, note, pool);
    }
}

/* 5.9.4: whether the certificate was used to say that it works is recorded. */
static const char *reason_to_keep(const brski_report_t *report, const reporter_t *who, int enroll,
                                  apr_pool_t *pool)
{
    const char *how = who->new_certificate ? "told with the certificate issued"
                                           : "told with the IDevID";

    if (!enroll) {
        return report->reason;
    }
    return report->reason ? apr_pstrcat(pool, report->reason, " (", how, ")", NULL) : how;
}

static void tell_status(const brski_registrar_t *registrar, const brski_peer_tls_t *peer,
                        const reporter_t *who, const brski_report_t *report, int enroll,
                        const char *reason, apr_pool_t *pool)
{
    const char *kind = enroll ? "enroll" : "voucher";
    brski_note_t *note = brski_registrar_note(
        registrar, report->status ? apr_pstrcat(pool, kind, "-status", NULL) : "telemetry-false",
        !report->status, who->manufacturer, who->serial_number,
        apr_psprintf(pool, "The device reports that %s%s%s",
                     enroll ? (report->status ? "it uses its certificate"
                                              : "it could not use its certificate")
                            : (report->status ? "it accepted its voucher"
                                              : "it did not accept its voucher"),
                     reason ? ": " : "", reason ? reason : ""), pool);

    note->address = peer->address;
    note->request_id = peer->request_id;
    tell_report(registrar, note, pool);
}

/* The same report again changes nothing and tells nobody. */
static int is_known(const brski_pledge_t *pledge, const brski_report_t *report, int enroll,
                    const char *reason)
{
    int status = enroll ? pledge->enroll_status : pledge->voucher_status;
    const char *known = enroll ? pledge->enroll_reason : pledge->voucher_reason;

    return status == report->status && !strcmp(known ? known : "", reason ? reason : "");
}

static brski_err_t *keep(const brski_registrar_t *registrar, const brski_peer_tls_t *peer,
                         const reporter_t *who, const brski_report_t *report, const char *what,
                         const brski_pledge_t *pledge, apr_pool_t *pool)
{
    apr_time_t now = registrar->ctx->now(registrar->ctx->baton);
    int enroll = !strcmp(what, "enroll"), done, woken;
    const char *reason = reason_to_keep(report, who, enroll, pool);

    if (is_known(pledge, report, enroll, reason)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_pledge_status(&done, registrar->records, who->manufacturer,
                                          who->serial_number, what, report->status, reason, now,
                                          pool));
    if (!done) {
        return BRSKI_OK;
    }
    look_at_oddities(registrar, peer, who, report, pool);
    tell_status(registrar, peer, who, report, enroll, reason, pool);
    if (enroll) {
        return BRSKI_OK;
    }
    return brski_records_request_wake(&woken, registrar->records, who->manufacturer,
                                      who->serial_number, now, pool);
}

brski_err_t *brski_registrar_telemetry(const brski_registrar_t *registrar,
                                       const brski_peer_tls_t *peer, const char *what,
                                       brski_bytes_t body, const char *content_type,
                                       apr_pool_t *scratch_pool)
{
    brski_report_t report;
    reporter_t who;
    brski_pledge_t *pledge;

    /* 5.7, 5.9.4  from a device, in a form that can be read */
    BRSKI_TRY(find_reporter(&who, registrar, peer, !strcmp(what, "enroll"), scratch_pool));
    BRSKI_TRY(check_type(content_type, scratch_pool));
    BRSKI_TRY(brski_report_read(&report, body, registrar->limits, scratch_pool));
    /* which got its voucher here, by this very key */
    BRSKI_TRY(brski_records_pledge_get(&pledge, registrar->records, who.manufacturer,
                                       who.serial_number, scratch_pool, scratch_pool));
    BRSKI_TRY(check_reporter(pledge, &who, peer, scratch_pool));
    return keep(registrar, peer, &who, &report, what, pledge, scratch_pool);
}
