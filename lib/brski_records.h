/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records.h: what a registrar keeps, one function a question: pledges, their requests and the work on them, verdicts,
 * certificates, approvals by humans, anchors of trust on first use, events. Everything is rows, so that any front end may
 * take over what another began. Whatever is decided on what was read is written as one guarded statement. Behind the same gate
 * as a MASA's store: a hung database holds a bounded number of threads. Times are microseconds since 1970 UTC, 0 unknown;
 * binaries are base64 text in the tables and octets here; hashes and serial numbers of certificates are lower-case hex.
 * The tenant is part of every key. All results live in result_pool.
 */
#ifndef BRSKI_RECORDS_H
#define BRSKI_RECORDS_H

#include "brski.h"
#include "brski_dbd.h"
#include "brski_store.h"

typedef struct brski_records_t brski_records_t;

/** As brski_store_make(), for a registrar's tables. */
brski_err_t *brski_records_make(brski_records_t **out, const char *tenant, const brski_store_host_t *host,
                                brski_dialect_t dialect, int inside, apr_interval_time_t patience,
                                const brski_ctx_t *ctx, apr_pool_t *pool);
const char *brski_records_tenant(const brski_records_t *records);
void brski_records_gate_numbers(brski_records_t *records, int *inside, apr_int64_t *turned_away);
/** @return NULL or BRSKI_E_STORE_SCHEMA saying "estctl schema apply" or that it is newer */
brski_err_t *brski_records_schema_check(brski_records_t *records, apr_pool_t *scratch_pool);

/* ---- pledges ---- */

/** What a human decided about a device. */
typedef enum brski_welcome_t {
    BRSKI_WELCOME_UNDECIDED = 0,      /**< it knocked, nobody has said anything */
    BRSKI_WELCOME_ALLOWED,            /**< `estctl pledge allow` */
    BRSKI_WELCOME_REFUSED             /**< `estctl pledge refuse`: holds for every EST action too */
} brski_welcome_t;

/** What was made of a device's audit log. RFC 8995 5.8.3. */
typedef enum brski_verdict_t {
    BRSKI_VERDICT_NONE = 0,           /**< no voucher was forwarded yet */
    BRSKI_VERDICT_PENDING,            /**< voucher there, log not judged yet */
    BRSKI_VERDICT_GOOD,
    BRSKI_VERDICT_WARN,               /**< accepted, a human should look */
    BRSKI_VERDICT_BAD                 /**< every EST action of the device is refused */
} brski_verdict_t;
/** "none", "pending", "good", "warn", "bad". */
const char *brski_verdict_text(brski_verdict_t verdict);

/** A device, by manufacturer (<ESTManufacturer> name) and serial-number of its IDevID. */
typedef struct brski_pledge_t {
    const char *manufacturer;
    const char *serial_number;
    brski_welcome_t welcome;
    const char *welcome_by;           /**< who decided, NULL */
    brski_bytes_t idevid;             /**< DER of the IDevID last seen; len 0 when it never came */
    const char *idevid_spki;          /**< hex; "" */
    apr_time_t first_seen_at;
    apr_time_t last_seen_at;
    const char *request;              /**< id of the request whose voucher it got last; NULL */
    apr_time_t voucher_at;            /**< when that voucher was first forwarded; 0 */
    const char *voucher_spki;         /**< hex: key of the IDevID that asked for it; "" when none; outlives the request */
    int voucher_status;               /**< telemetry: 1 good, 0 the pledge refused it, -1 not heard */
    apr_time_t voucher_status_at;
    const char *voucher_reason;       /**< printable; NULL */
    int enroll_status;                /**< the same for enrollstatus */
    apr_time_t enroll_status_at;
    const char *enroll_reason;
    brski_verdict_t verdict;
    apr_time_t verdict_at;
    const char *verdict_rule;         /**< name of the rule that decided; NULL */
    const char *verdict_text;         /**< a sentence for humans; NULL */
    int attested;                     /**< `estctl pledge allow --attested`: history is overridden */
    apr_int64_t version;              /**< grows with every change of welcome, request, telemetry or verdict */
} brski_pledge_t;

/** *pledge NULL when unknown. */
brski_err_t *brski_records_pledge_get(brski_pledge_t **pledge, brski_records_t *records, const char *manufacturer,
                                      const char *serial_number, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** Note that a device knocked with this IDevID: insert or update last_seen_at (at most once a minute) and idevid. */
brski_err_t *brski_records_pledge_seen(brski_records_t *records, const char *manufacturer, const char *serial_number,
                                       brski_bytes_t idevid, const char *idevid_spki, apr_time_t now,
                                       apr_pool_t *scratch_pool);
/** A human's word; makes the row when the device never came. attested: -1 leaves it. */
brski_err_t *brski_records_pledge_welcome(brski_records_t *records, const char *manufacturer, const char *serial_number,
                                          brski_welcome_t welcome, int attested, const char *by, apr_time_t now,
                                          apr_pool_t *scratch_pool);
/** The voucher of request goes to the pledge: request becomes the current one, telemetry is not heard, verdict as given.
 *  Nothing changes when request is the current one already.
 *  @param done 0 when something moved since pledge was read: read and decide again */
brski_err_t *brski_records_pledge_voucher(int *done, brski_records_t *records, const brski_pledge_t *pledge,
                                          const char *request, brski_verdict_t verdict, apr_time_t now,
                                          apr_pool_t *scratch_pool);
/** Telemetry. what: "voucher" or "enroll". Counts only for the current request. */
brski_err_t *brski_records_pledge_status(int *done, brski_records_t *records, const char *manufacturer,
                                         const char *serial_number, const char *what, int status, const char *reason,
                                         apr_time_t now, apr_pool_t *scratch_pool);
/** A verdict over request's log: kept in the history, and made the pledge's own when request is still its current one. Its
 *  version grows in either case, so that a voucher is not forwarded with an older verdict.
 *  @param done 1 when it is the pledge's own now
 *  @param log  the audit log as received; len 0 when there was none */
brski_err_t *brski_records_verdict_put(int *done, brski_records_t *records, const char *manufacturer,
                                       const char *serial_number, const char *request, brski_verdict_t verdict,
                                       const char *rule, const char *text, brski_bytes_t log, apr_time_t now,
                                       apr_pool_t *scratch_pool);
typedef struct brski_judged_t {
    const char *request;
    brski_verdict_t verdict;
    const char *rule;
    const char *text;
    brski_bytes_t log;
    apr_time_t at;
} brski_judged_t;
/** History of verdicts, newest first; array of brski_judged_t *. */
brski_err_t *brski_records_verdicts(apr_array_header_t **verdicts, brski_records_t *records, const char *manufacturer,
                                    const char *serial_number, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** Pledges by key after (manufacturer, serial_number), at most max; array of brski_pledge_t *. For tools and pages. */
brski_err_t *brski_records_pledges(apr_array_header_t **pledges, brski_records_t *records, const char *after_manufacturer,
                                   const char *after_serial, int max, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/* ---- voucher-requests and the work on them ---- */

/** What is to be done next with a request. */
typedef enum brski_task_t {
    BRSKI_TASK_NONE = 0,              /**< nothing: the answer stands */
    BRSKI_TASK_VOUCHER,               /**< ask the MASA for the voucher */
    BRSKI_TASK_AUDIT,                 /**< voucher there: fetch and judge the audit log */
    BRSKI_TASK_TELEMETRY,             /**< wait for voucher_status; when it stays away: an alarm, and fetch the log again */
    BRSKI_TASK_RECHECK,               /**< a later look at the log (optional) */
    BRSKI_TASK_HUMAN                  /**< parked until somebody approves an anchor or the device; looked at again at next_at */
} brski_task_t;

/** A pledge's voucher-request and all that came of it. id: hex SHA-256 over the PVR's octets and the IDevID's DER, so that
 *  the identical PVR finds the stored answer, on any front end. */
typedef struct brski_request_t {
    const char *id;
    const char *manufacturer;
    const char *serial_number;
    const char *idevid_spki;          /**< hex: key of the TLS connection that brought it */
    brski_bytes_t pvr;
    brski_bytes_t rvr;                /**< signed when the PVR came, with the key of its connection */
    const char *nonce;                /**< NULL: none */
    const char *accept;               /**< media type that the pledge wants */
    const char *masa_url;             /**< base, as found in IDevID or configuration */
    apr_time_t created_at;
    brski_task_t task;
    apr_time_t next_at;               /**< not to be worked on before */
    int attempts;
    const char *lease_by;             /**< node:process:thread that works on it; NULL */
    apr_time_t lease_until;
    int number;                       /**< 0; or the code (brski_err_code_t) of the answer, a refusal */
    int status;                       /**< HTTP status of the answer; 0 while there is none */
    const char *text;                 /**< public text of a refusal; NULL */
    const char *detail;               /**< for humans and estctl: what happened last; NULL */
    brski_bytes_t voucher;            /**< len 0 while there is none */
    const char *voucher_type;         /**< its media type */
    apr_time_t answered_at;
} brski_request_t;

/** *request NULL when there is none. */
brski_err_t *brski_records_request_get(brski_request_t **request, brski_records_t *records, const char *id,
                                       apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** How many requests a device has made since a time, that are still kept: a bound for those who ask without end. */
brski_err_t *brski_records_request_count(int *count, brski_records_t *records, const char *manufacturer,
                                         const char *serial_number, apr_time_t since, apr_pool_t *scratch_pool);
/** Insert with task VOUCHER, leased by by until lease_until. @param put 0: it is there already (read it) */
brski_err_t *brski_records_request_put(int *put, brski_records_t *records, const brski_request_t *request,
                                       const char *by, apr_time_t lease_until, apr_pool_t *scratch_pool);
/** Take the oldest due one that nobody holds. *request NULL when there is none. Two takers never get the same one. */
brski_err_t *brski_records_request_take(brski_request_t **request, brski_records_t *records, const char *by,
                                        apr_time_t now, apr_time_t lease_until, apr_pool_t *result_pool,
                                        apr_pool_t *scratch_pool);
/** Write back what was done: task, next_at, attempts, number, status, text, detail, voucher, voucher_type, answered_at; ends the lease.
 *  When brski_records_request_wake() came meanwhile, the row is due at once instead of at next_at. The lease is that of by
 *  until request->lease_until.
 *  @param done 0 when the lease was lost to somebody else meanwhile: what was done does not count */
brski_err_t *brski_records_request_done(int *done, brski_records_t *records, const brski_request_t *request,
                                        const char *by, apr_pool_t *scratch_pool);
/** End all leases of by: who ends lets others go on at once. */
brski_err_t *brski_records_request_release(int *released, brski_records_t *records, const char *by, apr_time_t now,
                                           apr_pool_t *scratch_pool);
/** Make work due now because a human has decided or telemetry came: what is parked (HUMAN) of a manufacturer's devices, and when
 *  serial_number is given also what waits for that device's telemetry. What somebody is working on is looked at once more. */
brski_err_t *brski_records_request_wake(int *woken, brski_records_t *records, const char *manufacturer,
                                        const char *serial_number, apr_time_t now, apr_pool_t *scratch_pool);
/** Requests whose pledge cannot come back for them any more: older than created_before, no task. A bounded number a call. */
brski_err_t *brski_records_request_expire(int *removed, brski_records_t *records, apr_time_t created_before,
                                          apr_pool_t *scratch_pool);
/** For pages and tools: how many per task, and the oldest due. */
typedef struct brski_work_t {
    apr_int64_t waiting[BRSKI_TASK_HUMAN + 1];
    apr_time_t oldest_due_at;         /**< 0: none is due */
} brski_work_t;
brski_err_t *brski_records_work(brski_work_t *work, brski_records_t *records, apr_time_t now, apr_pool_t *scratch_pool);

/* ---- our own domainIDs ---- */

/** Note domainIDs (base64) of certificates that a MASA may have pinned; known ones keep their first_at. */
brski_err_t *brski_records_domain_id_put(brski_records_t *records, const char *domain_id, const char *subject,
                                         apr_time_t now, apr_pool_t *scratch_pool);
/** All of them, array of const char *. */
brski_err_t *brski_records_domain_ids(apr_array_header_t **ids, brski_records_t *records, apr_pool_t *result_pool,
                                      apr_pool_t *scratch_pool);

/* ---- certificates ---- */

typedef struct brski_issued_t {
    const char *ca;                   /**< hex SHA-256 of the issuing CA's SPKI */
    const char *serial;               /**< hex of the certificate's serial number */
    const char *label;                /**< EST label, "" for none */
    const char *request_key;          /**< who asks for what (brski_enroll.h): the same request gets the same certificate */
    const char *subject;              /**< RFC 2253 */
    const char *spki;                 /**< hex */
    const char *manufacturer;         /**< of the device it belongs to; "" when none */
    const char *serial_number;
    const char *user;                 /**< HTTP user it was issued to; "" when none */
    apr_time_t not_before;
    apr_time_t not_after;
    apr_time_t issued_at;
    apr_time_t revoked_at;            /**< 0: not */
    int reason;                       /**< CRLReason */
    brski_bytes_t der;
} brski_issued_t;

/**
 * Insert, if no live certificate has this request_key and, when pledge is given, its version is still the one read.
 * Durable when it returns with *put 1.
 * @param put  0: somebody was faster or something moved: read and decide again
 */
brski_err_t *brski_records_certificate_put(int *put, brski_records_t *records, const brski_issued_t *certificate,
                                           const brski_pledge_t *pledge, apr_time_t now, apr_pool_t *scratch_pool);
/** The live (not revoked, not expired at now) certificate of a request_key; *issued NULL when none. */
brski_err_t *brski_records_certificate_same(brski_issued_t **issued, brski_records_t *records, const char *request_key,
                                            apr_time_t now, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
brski_err_t *brski_records_certificate_get(brski_issued_t **issued, brski_records_t *records, const char *ca,
                                           const char *serial, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** @param done 0 when it is not there or revoked already */
brski_err_t *brski_records_certificate_revoke(int *done, brski_records_t *records, const char *ca, const char *serial,
                                              int reason, apr_time_t now, apr_pool_t *scratch_pool);
/** Revoke all live certificates of a device. */
brski_err_t *brski_records_certificate_revoke_device(int *revoked, brski_records_t *records, const char *manufacturer,
                                                     const char *serial_number, int reason, apr_time_t now,
                                                     apr_pool_t *scratch_pool);
/** What belongs on a CRL at now (expired ones leave); array of brski_issued_t * without der. */
brski_err_t *brski_records_certificate_revoked(apr_array_header_t **list, brski_records_t *records, const char *ca,
                                               apr_time_t now, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** What a device has had: *recent certificates issued after since (microseconds); *revoked the serial number (hex) of a revoked one of
 *  the key spki (hex SHA-256), or NULL. */
brski_err_t *brski_records_certificate_sums(int *recent, const char **revoked, brski_records_t *records, const char *manufacturer,
                                            const char *serial_number, const char *spki, apr_time_t since,
                                            apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** By key after (ca, serial), at most max; filters may be NULL. For tools. */
brski_err_t *brski_records_certificates(apr_array_header_t **list, brski_records_t *records, const char *after_ca,
                                        const char *after_serial, const char *manufacturer, const char *serial_number,
                                        int max, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/**
 * The last CRL made for a CA: number 0 when there is none. It lacks something when revocations differs from revocations_now:
 * clocks of front ends differ, and a revocation may be under way when the list is read, so times do not tell. Who makes
 * one reads this row first, then brski_records_certificate_revoked(), and puts revocations_now of before as revocations.
 */
typedef struct brski_crl_row_t {
    const char *ca;
    apr_int64_t number;
    apr_time_t this_update;
    apr_time_t next_update;
    apr_int64_t revocations;          /**< how many there had been of this CA when the CRL was made, at least */
    apr_int64_t revocations_now;      /**< how many there have been; not written */
    apr_time_t newest_revocation_at;  /**< for humans; not written */
    brski_bytes_t der;
} brski_crl_row_t;
brski_err_t *brski_records_crl_get(brski_crl_row_t **crl, brski_records_t *records, const char *ca,
                                   apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** Replaces the last. @param put 0: another front end made this number already: read that */
brski_err_t *brski_records_crl_put(int *put, brski_records_t *records, const brski_crl_row_t *crl,
                                   apr_pool_t *scratch_pool);

/* ---- enrolments that wait for a human ---- */

typedef struct brski_approval_t {
    const char *request_key;
    const char *label;
    const char *requester;            /**< printable: device or user */
    brski_bytes_t csr;
    const char *state;                /**< "waiting", "approved", "refused" */
    const char *by;
    apr_time_t created_at;
    apr_time_t decided_at;
} brski_approval_t;
/** Read; when absent insert as waiting (at most 10000, and 16 of one requester: BRSKI_E_STORE_BUSY). */
brski_err_t *brski_records_approval(brski_approval_t **approval, brski_records_t *records, const brski_approval_t *asked,
                                    apr_pool_t *result_pool, apr_pool_t *scratch_pool);
brski_err_t *brski_records_approval_decide(int *done, brski_records_t *records, const char *request_key, int approve,
                                           const char *by, apr_time_t now, apr_pool_t *scratch_pool);
brski_err_t *brski_records_approvals(apr_array_header_t **list, brski_records_t *records, const char *state,
                                     apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/* ---- trust on first use ---- */

typedef struct brski_first_use_t {
    const char *manufacturer;
    const char *purpose;              /**< "voucher" or "tls" */
    const char *spki;                 /**< hex: key of the topmost certificate that was shown */
    const char *host;                 /**< MASA that showed it */
    apr_array_header_t *chain;        /**< brski_bytes_t: DER, end entity first */
    const char *state;                /**< "waiting", "approved", "distrusted" */
    const char *by;
    apr_time_t first_seen_at;
    apr_time_t decided_at;
} brski_first_use_t;
/** Read by (manufacturer, purpose, spki); when absent insert as waiting (at most 32 waiting per manufacturer: BRSKI_E_LIMIT). */
brski_err_t *brski_records_first_use(brski_first_use_t **known, brski_records_t *records, const brski_first_use_t *shown,
                                     apr_pool_t *result_pool, apr_pool_t *scratch_pool);
/** All of a manufacturer and purpose (NULL: all), array of brski_first_use_t *. */
brski_err_t *brski_records_first_uses(apr_array_header_t **list, brski_records_t *records, const char *manufacturer,
                                      const char *purpose, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
brski_err_t *brski_records_first_use_decide(int *done, brski_records_t *records, const char *manufacturer,
                                            const char *purpose, const char *spki, const char *state, const char *by,
                                            apr_time_t now, apr_pool_t *scratch_pool);

/* ---- events ---- */

/** What a human may want to know later; "alarm" ones were told to one. */
typedef struct brski_note_t {
    apr_time_t at;
    const char *id;                   /**< unique */
    const char *kind;                 /**< "audit-bad", "telemetry-false", "masa-login", "issued", "revoked", ... */
    int alarm;
    const char *manufacturer;         /**< "" when none */
    const char *serial_number;
    const char *text;                 /**< printable */
    const char *request_id;
    const char *address;
} brski_note_t;
brski_err_t *brski_records_note_put(brski_records_t *records, const brski_note_t *note, apr_pool_t *scratch_pool);
/** Newest first, at most max, of one device (NULLs: all). */
brski_err_t *brski_records_notes(apr_array_header_t **list, brski_records_t *records, const char *manufacturer,
                                 const char *serial_number, int alarms_only, int max, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);
/** Remove notes older than before, a bounded number a call. */
brski_err_t *brski_records_note_expire(int *removed, brski_records_t *records, apr_time_t before, apr_pool_t *scratch_pool);

/** Publish this node's configuration snapshot (JSON without secrets), and read all nodes' (brski_snapshot.h's shape of rows). */
brski_err_t *brski_records_snapshot_put(brski_records_t *records, const char *node, const char *json, const char *hash,
                                        apr_time_t now, apr_pool_t *scratch_pool);
typedef struct brski_node_t {
    const char *node;
    const char *hash;
    const char *json;
    apr_time_t published_at;
} brski_node_t;
brski_err_t *brski_records_nodes(apr_array_header_t **nodes, brski_records_t *records, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);

#endif
