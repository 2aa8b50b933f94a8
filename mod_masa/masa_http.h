/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_http.h: a request to the MASA. The glue reads and answers it; an operation gets a masa_http_t, and leaves an answer and
 * a reply, or returns an error.
 */
#ifndef MASA_HTTP_H
#define MASA_HTTP_H

#include "glue_http.h"
#include "masa_runtime.h"

typedef struct masa_http_t {
    glue_http_t glue;             /**< first: a glue_http_t * of this module is a pointer to this */
    brski_masa_request_t request;
    brski_masa_answer_t *answer;  /**< NULL before a decision */
} masa_http_t;

/** The MASA's view of a request; NULL when no engine is on for its server. */
masa_http_t *masa_http_get(request_rec *r);

/** The engine that serves it. */
masa_engine_t *masa_http_engine(const masa_http_t *http);

/** Check the connection and read the peer. @return BRSKI_E_WRONG_HOST, BRSKI_E_CERTIFICATE */
brski_err_t *masa_http_peer(masa_http_t *http);

/** What glue_module wants of the MASA (glue.h). */
extern const glue_operation_t masa_operations[];
void masa_http_begin(glue_http_t *glue);
brski_err_t *masa_http_admit(glue_http_t *glue, apr_pool_t *scratch_pool);
void masa_http_environment(const glue_http_t *glue);
void masa_http_refused(const glue_http_t *glue, const brski_err_t *err);

/** The operations. @return NULL with http->answer; an error after which http->answer may tell how far it came */
brski_err_t *masa_requestvoucher(masa_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *masa_requestauditlog(masa_http_t *http, apr_pool_t *scratch_pool);

#endif
