/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_conf.h: what an administrator wrote. One masa_conf_t a server or virtual host, merged by httpd; what was not said is
 * visible as such (MASA_UNSET, NULL) and gets its default when it is read (masa_get), because httpd never merges the main
 * server. Words and files are judged later, by masa_check.c, except what a setter can refuse at once.
 */
#ifndef MASA_CONF_H
#define MASA_CONF_H

#include <httpd.h>
#include <http_config.h>

#include "brski_masa.h"

/** A number or duration that was not said; a pointer that was not said is NULL. */
#define MASA_UNSET (-1)

typedef enum masa_engine_mode_t { MASA_ENGINE_OFF, MASA_ENGINE_ON } masa_engine_mode_t;

/** MASAClientCertificate. */
typedef enum masa_client_mode_t {
    MASA_CLIENT_NONE,
    MASA_CLIENT_REQUEST,
    MASA_CLIENT_REQUIRE,
    MASA_CLIENT_KNOWN
} masa_client_mode_t;

/** One <MASAProduct>; numbers as in brski_product_t, MASA_UNSET where nothing was said. */
typedef struct masa_product_conf_t {
    const char *name;
    const char *where;            /**< "file:line" of the section */
    apr_array_header_t *anchors;  /**< const char *: paths */
    apr_array_header_t *signers;  /**< const char *: names of MASASigner */
    const char *policy_oid;       /**< MASASignerPolicyOID */
    const char *owner;            /**< name of a provider */
    int nonceless;
    apr_interval_time_t nonceless_lifetime;
    int pin_nonced;
    int pin_nonceless;
    int proximity;
    apr_array_header_t *formats;  /**< brski_format_t */
    int econtent;
    int ignore_idevid_expiry;
} masa_product_conf_t;

/** One MASASigner. */
typedef struct masa_signer_conf_t {
    const char *name;
    const char *where;
    const char *chain_file;
    const char *key_uri;
    int nonceless;
} masa_signer_conf_t;

struct masa_engine_t;

typedef struct masa_conf_t {
    int engine;
    const char *tenant;
    const char *base;
    int legacy;
    apr_array_header_t *products; /**< masa_product_conf_t * */
    apr_array_header_t *signers;  /**< masa_signer_conf_t * */
    apr_array_header_t *customer_anchors; /**< const char *: paths */
    const char *public_anchors;   /**< path, or "" for none */
    int client;
    int revocation;
    apr_interval_time_t reuse;
    apr_interval_time_t max_age;
    apr_interval_time_t skew;
    int database_workers;
    apr_interval_time_t database_patience;
    apr_interval_time_t refusal_retention;
    int certificate_cache;
    int body_limit;

    masa_product_conf_t *open_product; /**< while its section is read */
    struct masa_engine_t *runtime;     /**< of this server alone, made by check_config; NULL: no engine here */
} masa_conf_t;

/** Every default there is. */
extern const masa_conf_t masa_defaults;
extern const masa_product_conf_t masa_product_defaults;

/** A number's value or its default. */
#define masa_get(c, field) ((c)->field != MASA_UNSET ? (c)->field : masa_defaults.field)
#define masa_product_get(c, field) ((c)->field != MASA_UNSET ? (c)->field : masa_product_defaults.field)
/** The same of a string. */
#define masa_get_text(c, field) ((c)->field ? (c)->field : masa_defaults.field)

/** The configuration of a server. */
masa_conf_t *masa_conf(const server_rec *s);

/** The directive table, and what makes and merges its values. */
extern const command_rec masa_commands[];
void *masa_conf_create(apr_pool_t *pool, server_rec *s);
void *masa_conf_merge(apr_pool_t *pool, void *base, void *add);

#endif
