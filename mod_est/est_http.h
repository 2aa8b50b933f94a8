/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_http.h: a request to the registrar or EST server. The glue reads and answers it; an operation gets an est_http_t, and
 * leaves a reply or returns an error.
 */
#ifndef EST_HTTP_H
#define EST_HTTP_H

#include "est_runtime.h"
#include "glue_http.h"

typedef struct est_http_t {
    glue_http_t glue;             /**< first: a glue_http_t * of this module is a pointer to this */
    brski_peer_tls_t peer;
    const brski_label_t *label;   /**< of an EST operation */
    const char *content_type;     /**< header fields; NULL: absent */
    const char *accept;
    /* what came out, for logs; NULL: not known */
    const char *manufacturer;
    const char *serial_number;
    const char *certificate;      /**< hex serial number of the certificate that was issued */
} est_http_t;

/** The engine that serves a request. */
est_engine_t *est_http_engine(const est_http_t *http);

/** EST_RESULT of what is counted. */
#define EST_RESULT_VOUCHER "voucher"
#define EST_RESULT_ISSUED "issued"
#define EST_RESULT_AGAIN "again"

/** Octets of client text in a log line. */
#define EST_PRINT_MAX 200

/** Reply with DER in base64, on one line: RFC 7030 4.1.3 as corrected by RFC 8951 2.1. */
void est_http_reply_base64(est_http_t *http, const char *content_type, brski_bytes_t der);

/** Reply 202 with Retry-After: RFC 7030 4.2.3, RFC 8995 5.6. */
void est_http_reply_wait(est_http_t *http, apr_int64_t retry_after);

/** What glue_module wants of the registrar (glue.h). */
extern const glue_operation_t est_operations[];
void est_http_begin(glue_http_t *glue);
brski_err_t *est_http_admit(glue_http_t *glue, apr_pool_t *scratch_pool);
void est_http_environment(const glue_http_t *glue);

/** The operations. @return NULL with a reply; else why not */
brski_err_t *est_requestvoucher(est_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *est_voucher_status(est_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *est_enrollstatus(est_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *est_cacerts(est_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *est_csrattrs(est_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *est_simpleenroll(est_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *est_simplereenroll(est_http_t *http, apr_pool_t *scratch_pool);

/** As the library asks for it: who wants what, bound to this connection (est_enroll.c). */
void est_enroll_request(brski_enroll_request_t *request, const est_http_t *http, brski_est_operation_t operation);

#endif
