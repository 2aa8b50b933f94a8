/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store.h: what a MASA keeps, one function a question. A decision is one read (brski_store_facts) and one write
 * (brski_store_event_put), each a single statement. The read tells everything a decision asks of the records; the write is a
 * guarded insert that lands only if what was read is still so. Around both stands a gate: a hung database holds a
 * bounded number of threads, the others get BRSKI_E_STORE_BUSY at once. On SQLite the writers of a process form a
 * group that one leader commits. Times are microseconds; binaries are base64 text; hashes are hex. The tenant is part of every key.
 */
#ifndef BRSKI_STORE_H
#define BRSKI_STORE_H

#include "brski.h"
#include "brski_dbd.h"

/** How a host lends connections. Both functions are called from any thread. */
typedef struct brski_store_host_t {
    /** Lend a connection; may block as long as the host's pool does. @return NULL or BRSKI_E_STORE */
    brski_err_t *(*open)(brski_dbd_t **db, void *baton, apr_pool_t *pool);
    void (*close)(brski_dbd_t *db, void *baton);
    void *baton;
} brski_store_host_t;

/**
 * Make a store for one tenant; safe for threads. Dies with the pool.
 * @param inside   at most so many threads of this process use the database at once
 * @param patience how long a thread waits for its turn, and how long one inside may take before newcomers are
 *                 turned away at once
 */
brski_err_t *brski_store_make(brski_store_t **out, const char *tenant, const brski_store_host_t *host,
                              brski_dialect_t dialect, int inside, apr_interval_time_t patience,
                              const brski_ctx_t *ctx, apr_pool_t *pool);

const char *brski_store_tenant(const brski_store_t *store);

/** How many calls are inside and turned away since start: for the status page and tests. */
void brski_store_gate_numbers(brski_store_t *store, int *inside, apr_int64_t *turned_away);

/** A device as the importer wrote it, with what the service decided about it. */
typedef struct brski_device_t {
    const char *serial_number;
    const char *product;
    const char *customer;             /**< sold to; NULL when unknown */
    const char *signer;               /**< factory's key id or MASASigner name; NULL: the product's */
    const char *idevid_issuer;        /**< hex key identifier, or "name:" and RFC 2253 name; NULL when not said */
    apr_time_t made_at;               /**< 0 unknown */
    apr_time_t sold_at;
    apr_int64_t version;              /**< of the importer's row */
    const char *status;               /**< "active", "blocked", "stolen", "end-of-life", "owner-locked" */
    const char *status_text;          /**< what to tell the asker; may be NULL */
    apr_time_t downgrade_until;       /**< proximity may be downgraded until then; 0 never */
    apr_int64_t state_version;        /**< of the service's row; 0 when there is none */
    apr_int64_t head_epoch;           /**< last event; 0 when there is none */
    apr_int64_t head_seq;
    const char *head_hash;            /**< hex, "" when there is none */
} brski_device_t;

/** One issued voucher: a row of the audit log and a link of the device's chain (brski_event.h). */
typedef struct brski_event_t {
    const char *tenant;
    const char *product;
    const char *serial_number;
    apr_int64_t epoch;
    apr_int64_t seq;                  /**< from 1 */
    const char *prev_hash;            /**< hex; "" for the first */
    const char *hash;                 /**< hex SHA-256 over prev_hash and the canonical event */
    apr_time_t created_at;
    const char *request_id;
    const char *request_hash;         /**< hex SHA-256 of the request's bytes */
    const char *nonce;                /**< NULL for nonceless */
    brski_assertion_t assertion;
    int proximity;                    /**< fact: proximity was proven */
    int verified;                     /**< fact: ownership was confirmed */
    const char *domain_id;            /**< base64 */
    const char *pin_spki;             /**< hex: key of the pinned certificate */
    const char *pin_cert;             /**< base64 DER of the pinned certificate */
    const char *signer_spki;          /**< hex: key that signed the request */
    const char *issuer_spki;          /**< hex: key of that signer's issuer when it is a private CA, else "" */
    const char *tls_spki;             /**< hex: key of the TLS client certificate, "" when none; not part of the hash, erasable */
    const char *customer;             /**< known customer, or "" */
    const char *signer;               /**< MASASigner's name */
    const char *signer_key;           /**< hex SPKI hash of the voucher's signer */
    apr_time_t expires_on;            /**< 0 none */
    brski_format_t format;
    const char *voucher_hash;         /**< hex SHA-256 */
    brski_bytes_t voucher;            /**< as sent; len 0 when it was not asked for */
} brski_event_t;

/** What proves a requester to be a customer; matched against customer_key in the one read. */
typedef struct brski_identity_t {
    /** const char *: "spki:HEX" proven keys, "ca:HEX" issuing keys and "dns:NAME" on a path verified to
     *  MASACustomerAnchor, "user:NAME" authenticated by httpd. At most BRSKI_IDENTITY_MAX are used. */
    apr_array_header_t *keys;
} brski_identity_t;
#define BRSKI_IDENTITY_MAX 16

/** A known customer and what it was granted. */
typedef struct brski_customer_t {
    const char *name;
    const char *matched;              /**< the key that matched: "spki:..." */
    apr_array_header_t *grants;       /**< brski_grant_t * */
} brski_customer_t;
typedef struct brski_grant_t {
    const char *what;                 /**< "nonceless", "downgrade", "pin" */
    const char *product;              /**< "" for every product */
    const char *value;                /**< of "pin": ee, lowest-ca, highest-ca; else "" */
    apr_time_t until;                 /**< 0: without end */
} brski_grant_t;

/** Everything one decision asks of the records. */
typedef struct brski_facts_t {
    apr_array_header_t *devices;      /**< brski_device_t *: all with this serial-number, 0..n */
    brski_event_t *stored;            /**< the event made for these very bytes, voucher included; NULL when new */
    apr_array_header_t *outstanding;  /**< brski_event_t *: nonceless ones not expired at the asked time, any product of this serial */
    brski_customer_t *customer;       /**< NULL when unknown; when keys match several customers the first by name, logged */
    apr_int64_t policy_version;       /**< of the tenant */
    apr_int64_t epoch;                /**< of the tenant, from 1 */
} brski_facts_t;

/**
 * The one read of a decision: a single statement.
 * @param request_hash  hex SHA-256 of the request's bytes
 * @return NULL; BRSKI_E_STORE; BRSKI_E_STORE_BUSY; BRSKI_E_STORE_SCHEMA
 */
brski_err_t *brski_store_facts(brski_facts_t **facts, brski_store_t *store, const char *serial_number,
                               const char *request_hash, const brski_identity_t *identity, apr_time_t now,
                               apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/**
 * The one write: insert the event if the device's row, its state, the tenant's policy and the chain's head are as read,
 * and no event exists for this request. Durable when it returns with *put set.
 * @param put  1 inserted; 0 something moved: read again and decide again
 * @return NULL; BRSKI_E_STORE when the outcome is unknown (read again: the event may be there); BRSKI_E_STORE_READONLY;
 *         BRSKI_E_STORE_BUSY
 */
brski_err_t *brski_store_event_put(int *put, brski_store_t *store, const brski_event_t *event,
                                   const brski_device_t *device, const brski_facts_t *facts,
                                   apr_pool_t *scratch_pool);

/** All events of one device, oldest first, without vouchers. array of brski_event_t *. */
brski_err_t *brski_store_events(apr_array_header_t **events, brski_store_t *store, const char *product,
                                const char *serial_number, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/**
 * An event from a row of STMT_EVENT_LIST, STMT_EVENT_SCAN or STMT_EVENT_BY_REQUEST_HASH: for tools that walk the log.
 * Texts stay the row's.
 * @param first  column of its product
 * @return NULL, or BRSKI_E_CHAIN_BROKEN when the voucher's text was spoiled
 */
brski_err_t *brski_store_event_row(brski_event_t **event, const brski_row_t *row, int first, const char *tenant,
                                   apr_pool_t *pool);

/**
 * Note that a fresh request was used to read a log, so that a copy of it opens nothing. RFC 8995 5.8.
 * @param first  1 when these bytes were not used before, or were used by the same TLS key
 */
brski_err_t *brski_store_fresh_use(int *first, brski_store_t *store, const char *request_hash, const char *tls_spki,
                                   apr_time_t now, apr_pool_t *scratch_pool);

/** A refused request, kept as evidence for a while. */
typedef struct brski_refusal_t {
    const char *request_id;
    apr_time_t at;
    const char *operation;            /**< "requestvoucher", "requestauditlog" */
    int number;                       /**< of the error: 1041 */
    int status;
    const char *public_text;
    const char *detail;
    const char *serial_number;        /**< as far as it was read; printable */
    const char *address;              /**< of the peer */
    const char *content_type;
    const char *accept;
    const char *user;
    brski_bytes_t client_cert;        /**< DER, len 0 none */
    brski_bytes_t client_chain;       /**< concatenated DER of what TLS sent beside it */
    brski_bytes_t request;            /**< bytes of the body, cut at the body limit */
} brski_refusal_t;

/** A TLS identity or address belonging to an event: kept beside the chain, erasable. */
typedef struct brski_peer_t {
    const char *request_id;
    const char *address;
    const char *tls_subject;
} brski_peer_t;

/** Written by the spool's thread (brski_spool.h), many in one transaction. expires_at = at + retention. */
brski_err_t *brski_store_refusals_put(brski_store_t *store, const apr_array_header_t *refusals,
                                      apr_interval_time_t retention, apr_pool_t *scratch_pool);
brski_err_t *brski_store_peers_put(brski_store_t *store, const apr_array_header_t *peers,
                                   apr_pool_t *scratch_pool);
/** Remove expired refusals and fresh-use notes, and the oldest refusals beyond 50,000 or 256 MiB; a bounded number a call. */
brski_err_t *brski_store_expire(int *removed, brski_store_t *store, apr_time_t now, apr_pool_t *scratch_pool);

/** Read one refusal; *refusal NULL when there is none. */
brski_err_t *brski_store_refusal_get(brski_refusal_t **refusal, brski_store_t *store, const char *request_id,
                                     apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** Does TLS or HTTP identity belong to a known customer? For `Require masa-customer`. *customer NULL when not. */
brski_err_t *brski_store_customer(brski_customer_t **customer, brski_store_t *store,
                                  const brski_identity_t *identity, apr_time_t now,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** Publish this node's configuration snapshot (JSON without secrets). */
brski_err_t *brski_store_snapshot_put(brski_store_t *store, const char *node, const char *json, const char *hash,
                                      apr_time_t now, apr_pool_t *scratch_pool);

/** Check that the schema is there and of this version. @return NULL or BRSKI_E_STORE_SCHEMA saying "masactl schema apply" or that it is newer */
brski_err_t *brski_store_schema_check(brski_store_t *store, apr_pool_t *scratch_pool);

#endif
