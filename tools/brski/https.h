/* SPDX-License-Identifier: Apache-2.0 */
/*
 * https.h: HTTP/1.1 over TLS, bare: for measuring, one POST and its answer on a connection that a thread owns, with as little of the
 * client's own time as can be; and for a pledge, which judges the server's certificate itself and needs to see the connection. For
 * asking a MASA there is brski_client.h. Sessions are never resumed, TCP_NODELAY is set; the server's certificate and name are
 * verified unless the target is provisional.
 */
#ifndef BRSKI_TOOL_HTTPS_H
#define BRSKI_TOOL_HTTPS_H

#include "brski.h"
#include "brski_err.h"
#include <openssl/ssl.h>

/** Where all connections go, and as whom; made once, shared by threads, never changed. */
typedef struct https_target_t https_target_t;

typedef struct https_options_t {
    const char *url;              /**< https://HOST[:PORT]/PATH */
    const char *anchors;          /**< PEM file */
    const char *chain_file;       /**< client certificate, or NULL */
    const char *key_file;
    const apr_array_header_t *certs; /**< instead: const brski_cert_t *, end entity first; NULL: none */
    EVP_PKEY *key;
    const char *content_type;     /**< of https_post(); NULL when only https_exchange() is used */
    const char *accept;
    int close;                    /**< a new connection for every request */
    int tls12;                    /**< TLS 1.2 instead of 1.3 */
    int tls_any;                  /**< TLS 1.2 or 1.3 */
    int any_host;                 /**< not only loopback: the caller owns the server */
    int provisional;              /**< nothing is verified and no name sent: the caller judges https_ssl(). RFC 8995 5.1 */
    const https_target_t *like;   /**< the same host and address as this one's; url is not read */
    int timeout;                  /**< seconds of silence after which a connection has failed */
} https_options_t;

/**
 * Look the host up and load keys. @return BRSKI_E_INPUT for a URL that is not one, files, or a host that is not loopback
 */
brski_err_t *https_target_make(https_target_t **out, const https_options_t *options, apr_pool_t *pool);

/** What went wrong with a request that got no answer. */
typedef enum https_failure_t {
    HTTPS_OK = 0, HTTPS_CONNECT, HTTPS_HANDSHAKE, HTTPS_SEND, HTTPS_RECEIVE, HTTPS_PARSE, HTTPS_FAILURES
} https_failure_t;

/** "connect", "handshake", ... */
const char *https_failure_text(https_failure_t failure);

typedef struct https_conn_t https_conn_t;

/** A connection, not yet open; lives until https_conn_free(). NULL: no memory. */
https_conn_t *https_conn_make(const https_target_t *target);
void https_conn_free(https_conn_t *conn);

/** How often it was opened. */
int https_conn_opened(const https_conn_t *conn);

typedef struct https_answer_t {
    int status;
    const unsigned char *body;    /**< until the next request of this connection */
    apr_size_t len;
} https_answer_t;

/** Post and wait. A kept connection that the server had closed meanwhile is opened again once. */
https_failure_t https_post(https_answer_t *answer, https_conn_t *conn, brski_bytes_t body);

/** One request that is not its target's POST. */
typedef struct https_request_t {
    const char *method;           /**< "GET", "POST" */
    const char *path;
    const char *content_type;     /**< NULL: none */
    const char *accept;           /**< NULL: none */
    brski_bytes_t body;           /**< of a POST */
} https_request_t;

/** Open the connection, which https_post() and https_exchange() do by themselves; fine when it is open. */
https_failure_t https_open(https_conn_t *conn);

/** Close it. */
void https_close(https_conn_t *conn);

/** Send once and wait; a connection that the server had closed is not opened again. */
https_failure_t https_exchange(https_answer_t *answer, https_conn_t *conn, const https_request_t *request);

/** Nonzero when the last failure was of a kept connection that ended before a word of answer: RFC 9112 9.3.1, send again. */
int https_was_stale(const https_conn_t *conn);

/** The connection, to be looked at; NULL when it is closed. */
SSL *https_ssl(const https_conn_t *conn);

/** Value of a header field of the last answer; NULL when absent. */
const char *https_field(const https_conn_t *conn, const char *name, apr_pool_t *pool);

/** The host of the target, as its URL names it, without port and brackets. */
const char *https_host(const https_target_t *target);

/** Why the last request of this connection failed, in OpenSSL's or the system's words. */
const char *https_why(const https_conn_t *conn);

#endif
