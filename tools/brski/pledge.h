/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge.h: a pledge as RFC 8995 section 5 tells it, strictly: what it was told, what it knows so far, and each thing that it does, one
 * function each, which `brski join` puts in order (join_steps.h). A step that fails returns an error whose public text is for people;
 * what it saw on the way it says to the plan's teller. Nothing that comes from the other side is believed before the voucher
 * is verified and the connection's certificate leads to what it pins (5.6.2).
 */
#ifndef BRSKI_TOOL_PLEDGE_H
#define BRSKI_TOOL_PLEDGE_H

#include "brski.h"
#include "brski_csr.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_profile.h"
#include "brski_voucher.h"
#include "https.h"
#include "sign.h"

/** Whether the pledge tells the registrar what it thinks of the voucher (5.7). */
typedef enum pledge_status_t { PLEDGE_STATUS_HONEST = 0, PLEDGE_STATUS_NONE, PLEDGE_STATUS_FALSE } pledge_status_t;

/** What the pledge was told; zero or NULL where nothing was. */
typedef struct pledge_plan_t {
    const char *url;              /**< https://HOST[:PORT] */
    const char *label;            /**< EST label, or NULL */
    const https_target_t *like;   /**< its address, when it was looked up already */
    int timeout;                  /**< seconds of silence */
    apr_int64_t max_wait;         /**< seconds that all waiting for 202s may take */
    int tls12;
    const brski_anchors_t *manufacturer; /**< what the device trusts; NULL: it only renews */
    int nonceless_ok;             /**< local policy: a voucher without nonce will do. RFC 8995 5.6.1, 7.2 */
    const char *key_type;         /**< of the new key; NULL: what csrattrs say, or p256 */
    /* faults, for those who test a registrar */
    const char *nonce;
    const char *serial;
    brski_bytes_t replay;         /**< send this voucher-request */
    pledge_status_t status;
    int other_csr_key;            /**< sign the CSR with a key that is not in it */
    int same_key;                 /**< renew with the key that it has */
    /** A line for people, about what is seen on the way; NULL: silence. */
    void (*tell)(void *baton, const char *line);
    /** A fact for programs. */
    void (*fact)(void *baton, const char *name, const char *value);
    void *baton;
} pledge_plan_t;

/** How far the connection is trusted. */
typedef enum pledge_trust_t { PLEDGE_PROVISIONAL = 0, PLEDGE_PINNED, PLEDGE_ANCHORED } pledge_trust_t;

typedef struct pledge_t {
    pledge_plan_t plan;
    const brski_ctx_t *ctx;
    identity_t idevid;
    identity_t ldevid;            /**< what it got; certs NULL: nothing yet */
    const identity_t *as;         /**< whom the connection speaks for */
    https_target_t *target;
    https_conn_t *conn;
    apr_array_header_t *peer;     /**< const brski_cert_t *: the server's chain, end entity first; NULL: never connected */
    pledge_trust_t trust;
    apr_int64_t waited;           /**< seconds, for 202s, so far */
    const char *nonce;
    brski_bytes_t request;        /**< the voucher-request, sent again as it is (5.4) */
    brski_bytes_t voucher;
    apr_array_header_t *checks;   /**< check_t of check.h, of the voucher */
    const brski_cert_t *pin;
    apr_array_header_t *cacerts;  /**< const brski_cert_t * */
    const brski_anchors_t *anchors; /**< of cacerts, and the pinned certificate */
    brski_csrattrs_t *attrs;      /**< NULL: none were asked for yet, or the server has no wishes */
    int attrs_known;
    EVP_PKEY *new_key;
    apr_array_header_t *issued;   /**< const brski_cert_t *: what the last enrolment answered */
    apr_pool_t *pool;
} pledge_t;

/** A pledge that has done nothing. plan is copied. */
pledge_t *pledge_make(const pledge_plan_t *plan, const identity_t *idevid, const brski_ctx_t *ctx, apr_pool_t *pool);

/** Close its connection; what it knows stays. */
void pledge_hang_up(pledge_t *p);

/** Say a line to the plan's teller. */
void pledge_tell(pledge_t *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Tell a fact. */
void pledge_fact(pledge_t *p, const char *name, const char *value);

/* ---- the connection: pledge_tls.c ---- */

/** Connect with the IDevID; the server's certificate is kept and not trusted. RFC 8995 5.1 */
brski_err_t *pledge_connect(pledge_t *p);

/** Connect anew as somebody (its new certificate); the server must lead to cacerts or the pin, and be the host or a registrar.
 *  RFC 8995 5.9.4, RFC 7030 3.6.1 */
brski_err_t *pledge_connect_trusted(pledge_t *p, const identity_t *as);

/** The connection that there is leads to what the voucher pins, or not. RFC 8995 5.6.2 */
brski_err_t *pledge_judge_registrar(pledge_t *p);

/** What TLS offers to bind a CSR to this connection, as base64 text for challengePassword; NULL when it offers nothing.
 *  RFC 7030 3.5, RFC 9266 */
const char *pledge_binding(const pledge_t *p, const char **which, apr_pool_t *pool);

/** An answer. */
typedef struct pledge_answer_t {
    int status;
    const char *content_type;     /**< NULL: none */
    brski_bytes_t body;
} pledge_answer_t;

/** What to send; body may depend on the connection it goes out on. */
typedef struct pledge_send_t {
    const char *method;
    const char *path;
    const char *content_type;
    const char *accept;
    brski_bytes_t body;
    /** Make body anew before it is sent; NULL: it stays. */
    brski_err_t *(*remake)(brski_bytes_t *body, pledge_t *p);
} pledge_send_t;

/**
 * Send, wait for the answer, and come again when it says so (202, and 503 with Retry-After), as long as the plan allows; a connection that
 * was closed meanwhile is opened again, to the same server. RFC 8995 5.6, RFC 7030 4.2.3
 * @return NULL with an answer of any other status
 */
brski_err_t *pledge_send(pledge_answer_t *answer, pledge_t *p, const pledge_send_t *send);

/** An error that tells what was asked, the status, and the server's own sentence. */
brski_err_t *pledge_refused(const pledge_t *p, const char *what, const pledge_answer_t *answer);

/** The answer's media type is this one, parameters aside; else an error. */
brski_err_t *pledge_expect_type(const pledge_t *p, const pledge_answer_t *answer, const char *type);

/* ---- the voucher: pledge_voucher.c ---- */

/** Sign the voucher-request that names the server met. RFC 8995 5.2 */
brski_err_t *pledge_make_request(pledge_t *p);
/** Send it until there is a voucher. 5.4 to 5.6 */
brski_err_t *pledge_ask_voucher(pledge_t *p);
/** Every check that needs no connection; the failed ones are told. 5.6.1 */
brski_err_t *pledge_verify_voucher(pledge_t *p);
/** Say what it thinks of the voucher; reason NULL: it is good. The answer is not looked at. 5.7 */
brski_err_t *pledge_voucher_status(pledge_t *p, const char *reason);

/* ---- the certificate: pledge_est.c, pledge_csr.c ---- */

/** The domain's CA certificates. RFC 8995 5.9.1, RFC 7030 4.1 */
brski_err_t *pledge_get_cacerts(pledge_t *p);
/** What a CSR shall say. RFC 8995 5.9.2, RFC 7030 4.5 */
brski_err_t *pledge_get_csrattrs(pledge_t *p);
/** Make a key and ask for a certificate. RFC 8995 5.9.3, RFC 7030 4.2 */
brski_err_t *pledge_enroll(pledge_t *p);
/** Ask for the next certificate in place of the one it has. RFC 7030 4.2.2 */
brski_err_t *pledge_reenroll(pledge_t *p);
/** What was issued: of its key, for it, leading to cacerts, no CA; then it becomes ldevid. RFC 7030 4.2.3 */
brski_err_t *pledge_check_certificate(pledge_t *p);
/** Tell how enrolment went; reason NULL: well. RFC 8995 5.9.4 */
brski_err_t *pledge_enroll_status(pledge_t *p, const char *reason);

/** The CSR for new_key, following csrattrs; old: the certificate whose subject and names it repeats, or NULL. DER */
brski_err_t *pledge_csr(brski_bytes_t *der, pledge_t *p, const brski_cert_t *old);

#endif
