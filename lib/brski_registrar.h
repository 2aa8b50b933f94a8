/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar.h: the registrar's decisions (RFC 8995 5.2-5.9): a pledge's voucher-request in, a voucher, "wait" or a refusal
 * out; its telemetry; whether it may enrol. The question to the MASA and the judgement of the audit log are work on rows
 * (brski_records.h) that any thread of any front end may do: nothing of it needs the connection that the pledge came on,
 * because the registrar's own request is signed when the pledge's arrives. The configuration is made at start and never changes; any number of
 * threads decide at once.
 */
#ifndef BRSKI_REGISTRAR_H
#define BRSKI_REGISTRAR_H

#include "brski.h"
#include "brski_address.h"
#include "brski_audit_policy.h"
#include "brski_client.h"
#include "brski_cms.h"
#include "brski_records.h"
#include "brski_signer.h"
#include "brski_voucher.h"

/** How an unknown issuer is met: of vouchers, of a MASA's TLS server. */
typedef enum brski_trust_t {
    BRSKI_TRUST_ANCHORS = 1,          /**< configured anchors only */
    BRSKI_TRUST_WEBPKI,               /**< the system's; TLS only */
    BRSKI_TRUST_TOFU                  /**< anchors a human has approved; an unknown one parks the request */
} brski_trust_t;

/** Which devices of a known manufacturer are welcome. */
typedef enum brski_pledges_t {
    BRSKI_PLEDGES_LISTED = 1,         /**< only those `estctl pledge allow` has named; others 403 */
    BRSKI_PLEDGES_APPROVE,            /**< unknown ones wait (202) for `estctl pledge allow` */
    BRSKI_PLEDGES_ANY
} brski_pledges_t;

/** Where the serial-number stands in an IDevID. */
typedef enum brski_serial_from_t {
    BRSKI_SERIAL_X520 = 1,            /**< subject serialNumber, 2.5.4.5 (RFC 8995 2.3.1) */
    BRSKI_SERIAL_CN,
    BRSKI_SERIAL_HWMODULE             /**< subjectAltName hardwareModuleName (RFC 4108) */
} brski_serial_from_t;

/** A manufacturer whose devices are welcome (<ESTManufacturer>). Every field set. */
typedef struct brski_manufacturer_t {
    const char *name;
    const brski_anchors_t *idevid_anchors;
    int ignore_idevid_expiry;
    brski_serial_from_t serial_from;
    brski_pledges_t pledges;
    brski_trust_t voucher_trust;
    const brski_anchors_t *voucher_anchors; /**< NULL with tofu */
    brski_trust_t tls_trust;
    const char *tls_anchor_file;      /**< PEM; NULL unless tls_trust is ANCHORS */
    const char *masa_url;             /**< overrides the IDevID's; NULL */
    const char *client_chain_file;    /**< TLS client certificate towards the MASA; NULL: none */
    const char *client_key_file;
    const char *login_user;           /**< HTTP; NULL: none */
    const char *login_password;
} brski_manufacturer_t;

/** A registrar certificate (ESTRegistrarCertificate): signs the requests of pledges that were shown it. */
typedef struct brski_registrar_cert_t {
    const char *chain_file;
    apr_array_header_t *chain;        /**< const brski_cert_t *, end entity first, up to the domain CA */
    EVP_PKEY *key;                    /**< NULL while away */
} brski_registrar_cert_t;

/** How many certificates of the chain go into the registrar's request: the candidates for pinning. RFC 8995 5.5.2. */
typedef enum brski_rvr_chain_t { BRSKI_RVR_CHAIN = 1, BRSKI_RVR_EE } brski_rvr_chain_t;

/** Connections to MASAs that wait for their next question. */
typedef struct brski_masa_lines_t brski_masa_lines_t;

/** None yet; at most so many wait, each half a minute. Ends with the pool, after all that ask. Any thread may use it. */
brski_masa_lines_t *brski_masa_lines_make(int most, apr_pool_t *pool);

typedef struct brski_registrar_t {
    const brski_ctx_t *ctx;
    const brski_limits_t *limits;
    brski_records_t *records;
    brski_cert_cache_t *cache;        /**< may be NULL */
    apr_array_header_t *manufacturers;/**< brski_manufacturer_t * */
    apr_array_header_t *certificates; /**< brski_registrar_cert_t * */
    brski_rvr_chain_t rvr_chain;
    const brski_audit_policy_t *policy;
    int withhold;                     /**< 1: the voucher waits for the verdict; 0: EST waits, the voucher goes at once (D4) */
    int revoke_on_bad;                /**< a bad verdict at joining revokes what was issued */
    int recheck_revokes;              /**< a later look that turns bad closes EST and revokes too; off: it is told, the verdict is WARN */
    apr_interval_time_t recheck;      /**< 0: never */
    apr_interval_time_t telemetry_wait; /**< voucher_status is missed after that; default 5 min */
    apr_interval_time_t keep;         /**< how long a PVR's answer is kept; default 4 d */
    apr_interval_time_t masa_timeout; /**< of one question; default 30 s */
    apr_size_t masa_max_answer;       /**< default 256 KiB */
    int addresses_any;                /**< ESTMASAAddresses any */
    apr_array_header_t *addresses;    /**< apr_ipsubnet_t *: private ones that may be spoken to; may be empty */
    const char *proxy;                /**< ESTMASAProxy URL; then only configured MASA names are asked; NULL */
    const char *resolve;              /**< tests: "HOST:PORT:ADDRESS"; NULL */
    apr_interval_time_t skew;
    const char *node;                 /**< names this process in leases */
    brski_masa_lines_t *lines;        /**< NULL: every question makes its own connection */
    apr_array_header_t *issuers;      /**< const brski_cert_t *: our own CAs, to know a certificate that was just issued; may be NULL */
    /** How a MASA is asked; NULL: brski_client_curl_make(). For tests. */
    brski_err_t *(*make_client)(brski_client_t **out, const brski_client_options_t *options, apr_pool_t *pool);
    /** Tell a human: log, event row, ESTNotify. Called from any thread. */
    void (*alarm)(const brski_note_t *note, void *baton);
    void *alarm_baton;
} brski_registrar_t;

/** Who stands at the other end of the connection. */
typedef struct brski_peer_tls_t {
    const brski_cert_t *client_cert;  /**< key proven by TLS; NULL when none */
    const apr_array_header_t *client_chain; /**< const brski_cert_t *: sent beside it */
    const brski_cert_t *server_cert;  /**< the one that was shown to the client on this connection */
    const char *address;
    const char *request_id;
    const brski_log_t *log;           /**< may be NULL */
} brski_peer_tls_t;

/** A device as its IDevID tells it, checked. 5.2. */
typedef struct brski_device_id_t {
    const brski_manufacturer_t *manufacturer;
    const char *serial_number;
    const brski_cert_t *idevid;
} brski_device_id_t;

/**
 * 5.2: whose device is this? Chain to one manufacturer's anchors, serial-number as configured.
 * @return NULL; BRSKI_E_PLEDGE_CERTIFICATE (401) without a certificate; BRSKI_E_MANUFACTURER_UNKNOWN (404);
 *         BRSKI_E_IDEVID (403) when the anchors match and the certificate is not valid (expired), or names no serial-number
 */
brski_err_t *brski_registrar_device(brski_device_id_t **device, const brski_registrar_t *registrar,
                                    const brski_peer_tls_t *peer, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** Answer to requestvoucher. */
typedef struct brski_registrar_answer_t {
    int status;                       /**< 200 or 202 */
    apr_int64_t retry_after;          /**< seconds, with 202, and with an error 503 that names a time; 0: none */
    brski_bytes_t voucher;
    const char *content_type;
    const char *request;              /**< id of the row; set when one was made or found (202 for a human's word has none) */
    int fresh;                        /**< this call made the row: its work is leased to brski_registrar_t.node and must be begun */
    const brski_request_t *row;       /**< that row, for brski_jobs_begin(); NULL unless fresh */
    brski_device_id_t *device;        /**< as far as it came; NULL */
} brski_registrar_answer_t;

/**
 * A pledge's voucher-request. 5.2-5.5: device, media type, parse, signed with the TLS client's own key, serial-number,
 * proximity-registrar-cert is the one of this connection, device welcome, MASA URL; the registrar's request is built
 * and signed with the key of the connection's certificate and stored. An identical one (same octets, same IDevID) is answered from its row.
 * @param answer  always set, also with an error: device as far as it came
 * @return NULL with answer 200 or 202; an error with its status. BRSKI_E_PVR_PROXIMITY (401): the caller must close the connection
 */
brski_err_t *brski_registrar_requestvoucher(brski_registrar_answer_t **answer, const brski_registrar_t *registrar,
                                            const brski_peer_tls_t *peer, brski_bytes_t body, const char *content_type,
                                            const char *accept, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** What a row answers now: as above; used after work on it has ended within the time a pledge is kept waiting. Marks
 *  the voucher as forwarded (brski_records_pledge_voucher()) before it is returned. */
brski_err_t *brski_registrar_answer(brski_registrar_answer_t **answer, const brski_registrar_t *registrar,
                                    const char *request, apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/**
 * Do what a leased row needs next, whatever it is, and write it back: ask the MASA (5.5), verify the voucher (5.6: signature,
 * signer trusted, serial-number, nonce, assertion, pin in our own chain, not expired), fetch the audit log (5.8) and judge it
 * (5.8.3), miss telemetry, look again. Blocks as long as the MASA takes; never called from a thread that serves requests. Failures
 * of the MASA are tried again with growing pauses, and told to a human once; they are not errors of this function.
 * One step a call: request->task and next_at then say what is due next, maybe at once.
 * @param request  as brski_records_request_take() gave it, or made fresh by this process; lease_by and lease_until set
 * @return NULL, or BRSKI_E_STORE...: the lease will run out and somebody else takes over
 */
brski_err_t *brski_registrar_work(const brski_registrar_t *registrar, brski_request_t *request, apr_pool_t *scratch_pool);

/** voucher_status (what "voucher", 5.7) and enrollstatus ("enroll", 5.9.4). @return BRSKI_E_TELEMETRY (400), BRSKI_E_MEDIA_TYPE (415),
 *  BRSKI_E_NO_VOUCHER (404) when this device never got one here. A bad status is told to a human; status false stops EST.
 *  client certificate: IDevID, or (enrollstatus) the certificate that was just issued: whether it is is recorded. */
brski_err_t *brski_registrar_telemetry(const brski_registrar_t *registrar, const brski_peer_tls_t *peer, const char *what,
                                       brski_bytes_t body, const char *content_type, apr_pool_t *scratch_pool);

/** May this device use EST now? 5.9, spec of gate: voucher forwarded here to this very IDevID key, telemetry not false, verdict. */
typedef enum brski_gate_answer_t { BRSKI_GATE_OPEN = 1, BRSKI_GATE_WAIT } brski_gate_answer_t;
/**
 * @param pledge  as read: brski_records_certificate_put() guards on it
 * @param idevid_spki  hex of the IDevID key in use; NULL when the device comes with a certificate that we issued
 * @return NULL with OPEN or WAIT (202); BRSKI_E_NO_VOUCHER, BRSKI_E_STATUS_FALSE, BRSKI_E_AUDIT_BAD, BRSKI_E_PLEDGE_REFUSED (all 403)
 */
brski_err_t *brski_registrar_gate(brski_gate_answer_t *gate, brski_pledge_t **pledge, const brski_registrar_t *registrar,
                                  const char *manufacturer, const char *serial_number, const char *idevid_spki,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** Note the domainIDs of everything a MASA may pin of our chains: at start. */
brski_err_t *brski_registrar_note_domain_ids(const brski_registrar_t *registrar, apr_pool_t *scratch_pool);

#endif
