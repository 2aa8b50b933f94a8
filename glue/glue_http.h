/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_http.h: HTTP of an engine: which operation a request names, its peer, its body, its answer. The one writer of responses,
 * and the one place where a failure is logged. Errors, httpd's own included, leave through one filter, so that every one on
 * these paths is a line of text/plain with the request's id.
 */
#ifndef GLUE_HTTP_H
#define GLUE_HTTP_H

#include "glue.h"
#include "glue_tls.h"

/** An answer that is none of an error's. */
typedef struct glue_reply_t {
    int status;                   /**< 0: 200 */
    const char *content_type;     /**< NULL: none */
    brski_bytes_t body;
    apr_int64_t retry_after;      /**< seconds, 0: not said */
} glue_reply_t;

/** A request on an engine's server; one a request_rec, made when it is first asked for. The module's own struct begins with it. */
typedef struct glue_http_t {
    request_rec *r;
    glue_engine_t *engine;
    const char *request_id;
    const char *operation;        /**< "requestvoucher", once it is served; "" before, and when the path names none */
    const char *label;            /**< what stood between base and operation; NULL */
    const char *result;           /**< a success in one word, for the environment: "issued" */
    const char *subject;          /**< serial-number that the log shall name; NULL: not read */
    const glue_peer_t *peer;      /**< NULL: not read yet */
    const char *user;             /**< as httpd knows it by now */
    brski_bytes_t body;
    glue_reply_t reply;
    brski_log_t log;
    const brski_err_t *err;       /**< why it was refused; NULL: not (yet), or by httpd */
    int body_done;                /**< the body was read to its end */
    int answered;                 /**< a filter has sent an error by itself */
} glue_http_t;

/** The engine's view of a request; NULL when no engine is on for its server. */
glue_http_t *glue_http_get(request_rec *r);

/** Nonzero when a request's path belongs to the engine: below one of its bases. */
int glue_http_is_ours(const request_rec *r, const glue_engine_t *engine);

/** The operation that a request's path names, and the label in it, NULL when there is none; NULL for no operation. */
const glue_operation_t *glue_http_operation(const char **label, const glue_http_t *http);

/** Check the connection and read the peer, once a request. @return BRSKI_E_WRONG_HOST, BRSKI_E_CERTIFICATE */
brski_err_t *glue_http_peer(glue_http_t *http);

/**
 * Refuse: log, set the environment, tell the module, and make httpd's error response carry our text.
 * @return the status to give back to httpd
 */
int glue_http_refuse(glue_http_t *http, const brski_err_t *err);

/** Set a value of a request's environment, safe to print; NULL and "" are left out. */
void glue_http_env(const glue_http_t *http, const char *name, const char *value);

/** Register handler, hooks and filter. */
void glue_http_hooks(void);

#endif
