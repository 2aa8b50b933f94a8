/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_client.h: an HTTPS client, as a vtable: what a registrar needs to ask a MASA (RFC 8995 5.4-5.8). A client is one
 * identity towards one set of anchors; it may be used by one thread at a time and keeps its connection for the next
 * request to the same host. The server's certificate and name are always verified and there is no switch against it;
 * redirects are never followed; every answer is bounded in size and time. A MASA URL is a stranger's input: a host may
 * give a judge of addresses, asked about each before it is connected to (names rebind).
 */
#ifndef BRSKI_CLIENT_H
#define BRSKI_CLIENT_H

#include "brski.h"

/** How a client behaves; zero-fill it, every zero is a default. */
typedef struct brski_client_options_t {
    const char *anchors;          /**< PEM file: issuers of acceptable servers; NULL: the system's (WebPKI) */
    const apr_array_header_t *trusted; /**< brski_bytes_t, DER: instead of anchors; an empty one trusts nobody; NULL: anchors count */
    const char *chain_file;       /**< PEM file of the TLS client certificate, end entity first; NULL: none */
    const char *key_file;         /**< its key */
    const char *user;             /**< HTTP authentication (Basic, Digest); NULL: none */
    const char *password;
    apr_interval_time_t connect_timeout; /**< default 10 s */
    apr_interval_time_t timeout;  /**< of a whole request; default 60 s */
    apr_size_t max_answer;        /**< octets of a body; default 8 MiB */
    const char *resolve;          /**< "HOST:PORT:ADDRESS": this name is there (tests, pinned names); NULL: ask DNS */
    const char *user_agent;       /**< NULL: "brski/VERSION" */
    const char *proxy;            /**< URL of an HTTP proxy; the address asked about is then its own; NULL: none */
    /** Nonzero when this address may be spoken to; asked before anything is sent. NULL: any address. */
    int (*address_ok)(void *baton, const char *address, int port);
    /** The server's certificates lead to no known issuer: what it showed (brski_bytes_t, DER, end entity first, as long as the call).
     *  The request fails all the same. NULL: nobody wants to know. */
    void (*untrusted)(void *baton, const apr_array_header_t *chain);
    void *baton;
} brski_client_options_t;

typedef struct brski_client_request_t {
    const char *method;           /**< "POST" or "GET" */
    const char *url;              /**< https only */
    const char *content_type;     /**< NULL: header field is left out */
    const char *accept;           /**< the same */
    brski_bytes_t body;
} brski_client_request_t;

typedef struct brski_client_answer_t {
    int status;
    const char *content_type;     /**< NULL when absent */
    const char *location;         /**< as sent */
    apr_int64_t retry_after;      /**< seconds, -1 when absent */
    apr_table_t *headers;         /**< of the last answer, all */
    brski_bytes_t body;           /**< a NUL follows that len does not count */
    const char *address;          /**< whom we spoke to */
    const char *tls_version;      /**< not told by every implementation: NULL */
    apr_interval_time_t took;
} brski_client_answer_t;

typedef struct brski_client_t {
    const char *name;             /**< "curl" */
    /**
     * Send and wait for the answer; any HTTP status is an answer.
     * @return NULL; BRSKI_E_INPUT for a URL that is not https; BRSKI_E_LIMIT for an answer too large; BRSKI_E_IO whose
     *         public text says what failed: name, connection, TLS with the reason, time
     */
    brski_err_t *(*send)(brski_client_answer_t **answer, struct brski_client_t *client,
                         const brski_client_request_t *request, apr_pool_t *result_pool, apr_pool_t *scratch_pool);
    void *state;
} brski_client_t;

/** The client on libcurl. Dies with the pool. @return NULL, or BRSKI_E_INPUT for files that are not usable */
brski_err_t *brski_client_curl_make(brski_client_t **out, const brski_client_options_t *options, apr_pool_t *pool);

/**
 * The URL of an operation at a MASA, RFC 8995 2.3.2 and 5: base is what an IDevID names, an authority ("masa.example:9443") or a
 * URL; without a path the registered one is added. operation "requestvoucher" or "requestauditlog"; a base that ends in either
 * is understood too.
 * @return BRSKI_E_INPUT when base is not an https URL or authority, or holds a query, fragment or user
 */
brski_err_t *brski_client_masa_url(const char **url, const char *base, const char *operation, apr_pool_t *pool);

#endif
