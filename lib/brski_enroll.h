/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll.h: the EST server's decision: who may have which certificate. RFC 7030 4.2, RFC
 * 8995 5.9. One function reads top to bottom: who asks, may they, the CSR, its binding to the
 * connection, the profile, was the same asked before, a human's word, issue, record, answer. A
 * certificate is recorded durably before it leaves; identical requests give one certificate,
 * whichever front end they reach.
 */
#ifndef BRSKI_ENROLL_H
#define BRSKI_ENROLL_H

#include "brski_ca.h"
#include "brski_csr.h"
#include "brski_profile.h"
#include "brski_registrar.h"

/** One label's policy; the label "" is the server itself. Every field set. */
typedef struct brski_label_t {
    const char *name;
    brski_ca_t *ca;
    const brski_profile_t *profile;
    int require_voucher;              /**< a device with IDevID needs a voucher accepted here */
    int approve;                      /**< enrolments wait for `estctl cert approve` */
    int accept_idevid;                /**< devices with IDevID may enrol here */
    int accept_user;                  /**< HTTP users whom httpd let in may */
    const brski_anchors_t *client_anchors; /**< of other clients that may (ESTClientAnchor); NULL */
    brski_pop_t pop;
    int reenroll_same_key;            /**< renewal with the same key is allowed */
    apr_interval_time_t reenroll_grace; /**< how long after its end one still renews itself; 0: not */
    /** Renewal with the same key earlier than this before the end gets the same certificate again;
     *  0: any time. */
    apr_interval_time_t reenroll_before;
} brski_label_t;

typedef struct brski_est_t {
    const brski_ctx_t *ctx;
    const brski_limits_t *limits;
    const brski_registrar_t *registrar; /**< devices, gate, records */
    apr_array_header_t *labels;         /**< brski_label_t *, "" among them */
    apr_interval_time_t skew;
} brski_est_t;

typedef enum brski_est_operation_t {
    BRSKI_SIMPLEENROLL = 1,
    BRSKI_SIMPLEREENROLL
} brski_est_operation_t;

typedef struct brski_enroll_request_t {
    brski_est_operation_t operation;
    const brski_label_t *label;
    brski_bytes_t body;
    const char *content_type;
    const brski_peer_tls_t *peer;
    const char *user; /**< whom httpd authenticated and let in; NULL */
    brski_binding_t binding;
} brski_enroll_request_t;

typedef struct brski_enroll_answer_t {
    int status; /**< 200 or 202 */
    apr_int64_t retry_after;
    const char *waits_for;    /**< on 202 for a verdict: the voucher-request whose work makes it
                                 (brski_jobs_wait()); else NULL */
    brski_bytes_t certs_only; /**< DER; the host writes it in base64 on one line */
    const brski_issued_t *issued;
    int again;             /**< one that was issued before */
    const char *requester; /**< printable, for logs: "device SERIAL of MANUFACTURER", "user X",
                              "certificate SUBJECT" */
    const char *manufacturer;
    const char *serial_number;
} brski_enroll_answer_t;

/** *label NULL when there is none of this name. */
const brski_label_t *brski_est_label(const brski_est_t *est, const char *name);

/**
 * Who asks: a device by IDevID, a device or user by a certificate that we issued (not revoked), a
 * foreign certificate of client_anchors, an HTTP user.
 * @return NULL; BRSKI_E_EST_AUTH (401) when nobody can be told; BRSKI_E_EST_FORBIDDEN (403)
 */
brski_err_t *brski_enroll_requester(brski_requester_t **requester, const brski_est_t *est,
                                    const brski_enroll_request_t *request, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool);

/**
 * Decide, issue, record.
 * @param answer  always set; certs_only on 200 only
 * @return NULL with 200 or 202; else the error whose status and public text are the answer
 */
brski_err_t *brski_enroll(brski_enroll_answer_t **answer, const brski_est_t *est,
                          const brski_enroll_request_t *request, apr_pool_t *result_pool,
                          apr_pool_t *scratch_pool);

/** CSR attributes for who asks (nobody known: the label's without names). der len 0: 204. */
brski_err_t *brski_enroll_csrattrs(brski_bytes_t *der, const brski_est_t *est,
                                   const brski_enroll_request_t *request, apr_pool_t *result_pool,
                                   apr_pool_t *scratch_pool);

/** The CRL of a label's CA, made anew when the last one is stale: half its life is over or
 * something was revoked since. DER. */
brski_err_t *brski_enroll_crl(brski_crl_row_t **crl, const brski_est_t *est,
                              const brski_label_t *label, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool);

#endif
