/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_http.h: HTTP of the MASA: which operation a request names, its body, its answer. The one writer of responses, and the
 * one place where a failure is logged. An operation gets a masa_http_t and leaves an answer or returns an error.
 */
#ifndef MASA_HTTP_H
#define MASA_HTTP_H

#include <httpd.h>

#include "brski_err.h"
#include "masa_runtime.h"

/** A request on an engine's server; one a request_rec, made when it is first asked for. */
typedef struct masa_http_t {
    request_rec *r;
    masa_engine_t *engine;
    const char *operation;        /**< "requestvoucher"; "" when the path names none */
    const char *result;           /**< MASA_RESULT of a success: "issued" */
    brski_masa_request_t request;
    brski_masa_answer_t *answer;  /**< NULL before a decision */
    brski_log_t log;
    const brski_err_t *err;       /**< why it was refused; NULL: not (yet), or by httpd */
    int peer_filled;              /**< request has the peer */
    int body_done;                /**< the body was read to its end */
    int answered;                 /**< a filter has sent an error by itself */
} masa_http_t;

/** The engine's view of a request; NULL when no engine is on for its server. */
masa_http_t *masa_http_get(request_rec *r);

/** Nonzero when a request's path belongs to the MASA: below MASABase, or the legacy base when that is on. */
int masa_http_is_ours(const request_rec *r, const masa_engine_t *engine);

/** The operation that a request's path names: "requestvoucher"; "" for none. */
const char *masa_http_operation(const masa_http_t *http);

/** Check the connection and read the peer, once a request. @return BRSKI_E_WRONG_HOST, BRSKI_E_CERTIFICATE */
brski_err_t *masa_http_peer(masa_http_t *http);

/**
 * Refuse: log, set the environment, keep the evidence, and make httpd's error response carry our text.
 * @return the status to give back to httpd
 */
int masa_http_refuse(masa_http_t *http, const brski_err_t *err);

/** The operations. @return NULL with http->answer; an error after which http->answer may tell how far it came */
brski_err_t *masa_requestvoucher(masa_http_t *http, apr_pool_t *scratch_pool);
brski_err_t *masa_requestauditlog(masa_http_t *http, apr_pool_t *scratch_pool);

/** Register handler, hooks and filter. */
void masa_http_hooks(apr_pool_t *pool);

#endif
