/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_conf.h: what an administrator wrote. One est_conf_t a server or virtual host, merged by httpd; what was not said is
 * visible as such (EST_UNSET, NULL) and gets its default when it is read (est_get), because httpd never merges the main
 * server. Words and files are judged later, by est_check.c, except what a setter can refuse at once. A request finds what
 * decides in its engine (est_runtime.h), made from this; from here it takes only what is httpd's matter.
 */
#ifndef EST_CONF_H
#define EST_CONF_H

#include <httpd.h>
#include <http_config.h>

#include "brski_enroll.h"

/** A number or duration that was not said; a pointer that was not said is NULL. */
#define EST_UNSET (-1)

typedef enum est_engine_mode_t { EST_ENGINE_OFF, EST_ENGINE_ON } est_engine_mode_t;

/** Where a MASA URL may point (ESTMASAAddresses); EST_ADDRESSES_LISTED: public ones and those of addresses. */
typedef enum est_addresses_t { EST_ADDRESSES_PUBLIC, EST_ADDRESSES_LISTED, EST_ADDRESSES_ANY } est_addresses_t;

/** Who may enrol (ESTClients), bits. */
#define EST_CLIENTS_DEVICE 1
#define EST_CLIENTS_USER 2

/** One <ESTManufacturer>; numbers as in brski_manufacturer_t, EST_UNSET where nothing was said. */
typedef struct est_manufacturer_conf_t {
    const char *name;
    const char *where;            /**< "file:line" of the section */
    apr_array_header_t *anchors;  /**< const char *: paths, ESTIDevIDAnchor */
    int ignore_idevid_expiry;
    int serial_from;
    int pledges;
    int voucher_trust;
    apr_array_header_t *voucher_anchors; /**< const char *: paths */
    int tls_trust;
    const char *tls_anchor_file;
    const char *masa_url;
    const char *client_chain_file;
    const char *client_key_file;
    const char *login_file;
} est_manufacturer_conf_t;

/** One ESTRegistrarCertificate. */
typedef struct est_certificate_conf_t {
    const char *where;
    const char *chain_file;
    const char *key_file;
} est_certificate_conf_t;

/** ESTProfile, as brski_profile_t; what was not said is NULL or EST_UNSET. */
typedef struct est_profile_conf_t {
    const char *where;            /**< of the last ESTProfile; NULL: nothing was said */
    const char *subject;
    apr_array_header_t *san;
    int key_usage;
    apr_array_header_t *eku;
    apr_array_header_t *policies;
    apr_interval_time_t lifetime;
    apr_interval_time_t backdate;
    apr_array_header_t *key_types;
    int excess;
    int crl_ocsp;
} est_profile_conf_t;

/** What a label may have of its own: <ESTLabel>, and the server itself, whose values labels take where they say nothing. */
typedef struct est_label_conf_t {
    const char *name;             /**< "" is the server itself */
    const char *where;
    const char *ca_where;         /**< of ESTCA */
    apr_array_header_t *ca;       /**< const char *: words of ESTCA, kind first; NULL: nothing was said */
    est_profile_conf_t profile;
    int require_voucher;
    int approve;
    int clients;                  /**< EST_CLIENTS_... */
    int pop;
    int reenroll_same_key;
    apr_interval_time_t reenroll_grace;
    apr_interval_time_t reenroll_before;
    apr_array_header_t *client_anchors; /**< const char *: paths; NULL: nothing was said */
} est_label_conf_t;

/** ESTAuditPolicy, as brski_audit_policy_t. */
typedef struct est_audit_conf_t {
    apr_array_header_t *known;    /**< const char *: domainIDs */
    apr_array_header_t *nonceless_known;
    int unknown;
    int logged;
    int nonceless;
    int truncated;
    int version;
    int missing;
    int garbage;
    apr_time_t ignore_before;
    int ignore_history;
    int max_events;
    int withhold;
    int revoke;
} est_audit_conf_t;

struct est_engine_t;

typedef struct est_conf_t {
    int engine;
    const char *tenant;
    int legacy;                   /**< ESTLegacyPaths: requestvoucher and telemetry below /.well-known/est too */
    apr_array_header_t *manufacturers; /**< est_manufacturer_conf_t * */
    apr_array_header_t *certificates;  /**< est_certificate_conf_t * */
    est_label_conf_t label;       /**< what the server says for itself and its labels */
    apr_array_header_t *labels;   /**< est_label_conf_t *: <ESTLabel> */
    est_audit_conf_t audit;
    apr_interval_time_t recheck;  /**< 0: never */
    int recheck_revokes;
    int addresses;                /**< est_addresses_t */
    apr_array_header_t *networks; /**< apr_ipsubnet_t *: of ESTMASAAddresses; NULL: nothing was said */
    apr_array_header_t *network_words; /**< const char *: the same as written */
    const char *proxy;
    const char *resolve;
    apr_interval_time_t masa_timeout;
    int rvr_chain;                /**< brski_rvr_chain_t */
    apr_array_header_t *notify;   /**< const char *: program and arguments; NULL: none */
    apr_interval_time_t answer_within; /**< so long a request waits for the MASA before 202 */
    int workers;
    int waiters;
    apr_interval_time_t telemetry_wait;
    apr_interval_time_t request_retention;
    apr_interval_time_t skew;
    int transfer_encoding;        /**< ESTContentTransferEncoding */
    int body_limit;
    int database_workers;
    apr_interval_time_t database_patience;
    int certificate_cache;

    est_manufacturer_conf_t *open_manufacturer; /**< while its section is read */
    est_label_conf_t *open_label;               /**< the same */
    struct est_engine_t *runtime; /**< of this server alone, made by check_config; NULL: no engine here */
} est_conf_t;

/** Every default there is, but for a profile's and an audit policy's, which are the library's. */
extern const est_conf_t est_defaults;
extern const est_manufacturer_conf_t est_manufacturer_defaults;

/** A number's value or its default. */
#define est_get(c, field) ((c)->field != EST_UNSET ? (c)->field : est_defaults.field)
#define est_manufacturer_get(m, field) ((m)->field != EST_UNSET ? (m)->field : est_manufacturer_defaults.field)
/** The same of a string or list. */
#define est_get_text(c, field) ((c)->field ? (c)->field : est_defaults.field)

/** The configuration of a server. */
est_conf_t *est_conf(const server_rec *s);

/** The directive table, and what makes and merges its values. */
extern const command_rec est_commands[];
void *est_conf_create(apr_pool_t *pool, server_rec *s);
void *est_conf_merge(apr_pool_t *pool, void *base, void *add);

#endif
