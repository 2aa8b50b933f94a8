/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_steps.h: what the files of the registrar's decisions share and nobody else needs: the checks of a pledge's request
 * and of a voucher, which are pure, and the job, which is a leased row at work. A step of a job changes the row in memory and tells
 * what happened; brski_registrar_work() writes the row and then tells the humans. Everything of a job lives in its pool.
 */
#ifndef BRSKI_REGISTRAR_STEPS_H
#define BRSKI_REGISTRAR_STEPS_H

#include "brski_registrar.h"

/** A leased row at work. */
typedef struct brski_registrar_job_t {
    const brski_registrar_t *registrar;
    const brski_manufacturer_t *manufacturer;
    brski_request_t *request;         /**< what is written back */
    apr_time_t now;                   /**< one clock reading a step */
    apr_array_header_t *notes;        /**< brski_note_t *: told when the row has been written */
    apr_pool_t *pool;
} brski_registrar_job_t;

/* ---- brski_registrar.c ---- */

/** An error, moved to a pool that lives longer than the one it was made in; NULL stays NULL. */
brski_err_t *brski_registrar_err(const brski_err_t *err, apr_pool_t *pool);
/** Manufacturer by name, NULL when there is none any more. */
const brski_manufacturer_t *brski_registrar_manufacturer(const brski_registrar_t *registrar, const char *name);
/** A note for humans, made complete; device names may be NULL, text printable. */
brski_note_t *brski_registrar_note(const brski_registrar_t *registrar, const char *kind, int alarm,
                                   const char *manufacturer, const char *serial_number, const char *text,
                                   apr_pool_t *pool);
/** Tell it: an alarm through the host, anything else into the records. A failure is nobody's. */
void brski_registrar_tell(const brski_registrar_t *registrar, const brski_note_t *note, apr_pool_t *scratch_pool);

/* ---- brski_registrar_work.c: outcomes that several steps know ---- */

/** A human should know, once the row is written. */
void brski_job_alarm(brski_registrar_job_t *job, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Nothing but time helps, or whoever runs the MASA: try again with growing pauses, as long as the pledge may come back. The third
 *  failure in a row is told (kind), and is the row's answer from then on; with loud set it is so at once.
 *  @param wait  seconds the MASA asked for, or -1 */
void brski_job_trouble(brski_registrar_job_t *job, brski_err_t *err, const char *kind, int loud, apr_int64_t wait);
/** The pledge is told no, until a human or the pledge's coming again has it looked at anew. status 0: the code's own. */
void brski_job_refuse(brski_registrar_job_t *job, brski_err_t *err, int status);
/** Parked for a human's word; the pledge waits. */
void brski_job_park(brski_registrar_job_t *job, const char *why);
/** Next thing to do, and when. */
void brski_job_next(brski_registrar_job_t *job, brski_task_t task, apr_time_t at);

/* ---- brski_registrar_pledge.c ---- */

/**
 * A pledge's voucher-request against the device and the connection that it came on. 5.2, spec of each step in the code.
 * @return NULL; BRSKI_E_PVR_SIGNATURE, _PVR_SERIAL (403), _PVR_PROXIMITY (401), _FIELD (400), _ALGORITHM, _SIGNED_ATTRS (403)
 */
brski_err_t *brski_registrar_check_pvr(brski_signed_t *pvr, const brski_registrar_t *registrar,
                                       const brski_device_id_t *device, const brski_peer_tls_t *peer,
                                       apr_pool_t *scratch_pool);

/* ---- brski_registrar_rvr.c ---- */

/** The registrar certificate whose key the server certificate has. @return NULL or BRSKI_E_REGISTRAR_KEY (503) */
brski_err_t *brski_registrar_own_cert(const brski_registrar_cert_t **own, const brski_registrar_t *registrar,
                                      const brski_cert_t *server_cert, apr_pool_t *pool);
/** 5.5: the registrar's request for a pledge's. @return NULL or BRSKI_E_REGISTRAR_KEY, BRSKI_E_INTERNAL */
brski_err_t *brski_registrar_make_rvr(brski_bytes_t *rvr, const brski_registrar_t *registrar,
                                      const brski_device_id_t *device, const brski_signed_t *pvr,
                                      const brski_cert_t *server_cert, apr_time_t now,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** 5.8: a row's request once more, made now: it proves to a MASA that knows us by nothing else that we are its owner still.
 *  @return NULL or BRSKI_E_REGISTRAR_KEY: another front end has the key */
brski_err_t *brski_registrar_fresh_rvr(brski_bytes_t *rvr, const brski_registrar_t *registrar,
                                       const brski_request_t *request, apr_time_t now, apr_pool_t *pool);

/* ---- brski_registrar_masa.c ---- */

/** The MASA's base URL for a device: the manufacturer's configured one, else the IDevID's. @return BRSKI_E_MASA_URL (403) */
brski_err_t *brski_registrar_masa_base(const char **base, const brski_registrar_t *registrar,
                                       const brski_manufacturer_t *manufacturer, const brski_cert_t *idevid,
                                       apr_pool_t *pool);
/** The way to a MASA, as the client's callbacks see it: of one question at a time. */
typedef struct brski_masa_line_t {
    const brski_registrar_t *registrar;
    int configured;                   /**< the URL is our operator's, not the IDevID's */
    int allowed;                      /**< an address was */
    const char *refused;              /**< address that was; NULL */
    apr_array_header_t *shown;        /**< brski_bytes_t: by a server of a stranger; NULL */
    apr_pool_t *pool;                 /**< of the question */
    brski_client_t *client;           /**< NULL: to be made, in own or in pool */
    apr_pool_t *own;                  /**< where a line lives that may be kept; NULL: in pool */
    const brski_manufacturer_t *manufacturer; /**< of a line that may be kept; as which we ask whom */
    const char *base;
    apr_time_t made_at;
    apr_time_t used_at;
    struct brski_masa_line_t *next;
} brski_masa_line_t;

/** A line for a question: one that was kept, or a new one without client. lines NULL: it dies with the pool. Never NULL.
 *  brski_registrar_lines.c */
brski_masa_line_t *brski_masa_line_take(brski_masa_lines_t *lines, const brski_manufacturer_t *manufacturer, const char *base,
                                        apr_time_t now, apr_pool_t *pool);
/** The question was answered: the line may serve another one. */
void brski_masa_line_keep(brski_masa_lines_t *lines, brski_masa_line_t *line, apr_time_t now);
/** It was not. */
void brski_masa_line_end(brski_masa_line_t *line);

/**
 * Send to the row's MASA: a POST of a request to an operation, or a GET of a URL that it named. 401, and whatever is no answer,
 * is dealt with here (trouble, refusal, parked).
 * @param url   NULL: POST rvr to operation
 * @return the answer; NULL when the row says already what comes next
 */
brski_client_answer_t *brski_registrar_ask(brski_registrar_job_t *job, const char *operation, brski_bytes_t rvr,
                                           const char *url);
/** 5.5: ask for the voucher, and deal with what comes. On success the row holds it, unverified. @return 1 when it does */
int brski_registrar_ask_voucher(brski_registrar_job_t *job);
/** Where the address guard lets us go: one address and port, as the client asks it. */
int brski_registrar_address_ok(const brski_registrar_t *registrar, int configured, const char *address, int port,
                               apr_pool_t *scratch_pool);

/* ---- brski_registrar_voucher.c ---- */

/** What the records know about who signs vouchers for a manufacturer. */
typedef struct brski_voucher_trust_t {
    const brski_anchors_t *anchors;   /**< configured, or approved by humans; NULL: none */
    const apr_array_header_t *distrusted; /**< const char *: hex SPKI hashes; may be NULL */
} brski_voucher_trust_t;

/**
 * 5.6: is this the voucher for our request? Signature, serial-number, nonce, assertion, pin, times; then its signer.
 * @param voucher  opened, also when only the signer is not trusted; NULL when it is no voucher
 * @return NULL; BRSKI_E_VOUCHER_WRONG saying what; BRSKI_E_VOUCHER_SIGNER
 */
brski_err_t *brski_registrar_check_voucher(brski_signed_t **voucher, const brski_registrar_t *registrar,
                                           const brski_request_t *request, const brski_voucher_trust_t *trust,
                                           brski_bytes_t raw, apr_time_t now, apr_pool_t *pool);
/** The row's voucher, verified; a signer seen for the first time parks it. @return 1 when the pledge may have it */
brski_err_t *brski_registrar_verify_voucher(int *good, brski_registrar_job_t *job);
/** Certificates that a MASA may pin for a request of ours: its own, and the chain of the registrar certificate that signed it. */
brski_err_t *brski_registrar_pins(apr_array_header_t **pins, const brski_registrar_t *registrar,
                                  const brski_request_t *request, apr_pool_t *pool);

/* ---- brski_registrar_telemetry.c ---- */

/** A pledge's report, read. */
typedef struct brski_report_t {
    apr_int64_t version;
    int status;
    const char *reason;               /**< printable, reason-context included; NULL */
    const char *unknown;              /**< printable names of other members; NULL */
} brski_report_t;

/** 5.7: version and status are there, reason may be, and whatever a later version adds. @return NULL or BRSKI_E_TELEMETRY */
brski_err_t *brski_report_read(brski_report_t *report, brski_bytes_t body, const brski_limits_t *limits, apr_pool_t *pool);

/* ---- brski_registrar_audit.c ---- */

/** 5.8: the log after the voucher. */
brski_err_t *brski_registrar_audit(brski_registrar_job_t *job);
/** The look after voucher_status, or after it stayed away. */
brski_err_t *brski_registrar_await_telemetry(brski_registrar_job_t *job);
/** A look at any later time. */
brski_err_t *brski_registrar_recheck(brski_registrar_job_t *job);
/** A Location of the MASA's answer as a URL of the same origin; NULL when it leads elsewhere. */
const char *brski_registrar_location(const char *asked, const char *location, apr_pool_t *pool);

#endif
