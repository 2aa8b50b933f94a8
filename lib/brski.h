/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski.h: the words that every file of the library shares: bytes, assertion,
 * artifact format, and the context through which the clock, randomness and the
 * log reach a decision. Nothing here has behaviour.
 */
#ifndef BRSKI_H
#define BRSKI_H

#include <apr.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <apr_tables.h>

/** Octets with their length; not NUL-terminated unless a function says so. data may be NULL when len is 0. */
typedef struct brski_bytes_t {
    const unsigned char *data;
    apr_size_t len;
} brski_bytes_t;

/** RFC 8366 section 5.3 leaf "assertion"; agent-proximity is known so that it can be read and shown. */
typedef enum brski_assertion_t {
    BRSKI_ASSERTION_NONE = 0,
    BRSKI_ASSERTION_VERIFIED,
    BRSKI_ASSERTION_LOGGED,
    BRSKI_ASSERTION_PROXIMITY,
    BRSKI_ASSERTION_AGENT_PROXIMITY
} brski_assertion_t;

/** How an artifact is signed and encoded. Only CMS around JSON is implemented today. */
typedef enum brski_format_t {
    BRSKI_FORMAT_NONE = 0,
    BRSKI_FORMAT_CMS,             /**< application/voucher-cms+json */
    BRSKI_FORMAT_JWS,             /**< application/voucher-jws+json */
    BRSKI_FORMAT_COSE             /**< application/voucher+cose */
} brski_format_t;

typedef struct brski_err_t brski_err_t;
typedef struct brski_log_t brski_log_t;
typedef struct brski_cert_t brski_cert_t;
typedef struct brski_cert_cache_t brski_cert_cache_t;
typedef struct brski_anchors_t brski_anchors_t;
typedef struct brski_signer_t brski_signer_t;
typedef struct brski_store_t brski_store_t;

/**
 * What a decision needs from the world: time, randomness, a place to log. The server fills it with the
 * real ones, a test with ones that stand still. Lives as long as the configuration; its functions may
 * be called from several threads at once.
 */
typedef struct brski_ctx_t {
    /** Now, in microseconds since 1970 UTC. */
    apr_time_t (*now)(void *baton);
    /** Fill len octets with unpredictable values; never fails silently (a failing generator aborts). */
    void (*random)(unsigned char *out, apr_size_t len, void *baton);
    void *baton;
    /** Where lines of DEBUG and WARNING go; may be NULL. */
    brski_log_t *log;
} brski_ctx_t;

/** The real clock and OpenSSL's generator, no log. Static, never freed. */
const brski_ctx_t *brski_ctx_default(void);

/**
 * Sizes beyond which an input is refused (BRSKI_E_LIMIT or BRSKI_E_BODY_TOO_LARGE). Stated in
 * docs/mod_masa.md and tested.
 */
typedef struct brski_limits_t {
    apr_size_t body;              /**< octets of a request body */
    int certificates;             /**< certificates in one CMS */
    apr_size_t certificate;       /**< octets of one certificate */
    int json_depth;               /**< nesting of JSON arrays and objects */
    apr_size_t serial_number;     /**< octets of serial-number */
    apr_size_t nonce;             /**< octets of the nonce's text */
    apr_size_t string;            /**< octets of any other JSON string, prior request included */
} brski_limits_t;

/** 64 KiB body, 16 certificates of 16 KiB, depth 8, serial 128, nonce 128, string 48 KiB. */
extern const brski_limits_t brski_limits_default;

#endif
