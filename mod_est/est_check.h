/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check.h: the check_config hook: whether the configuration is right, as `apachectl configtest` and every start ask; and
 * what its parts share.
 */
#ifndef EST_CHECK_H
#define EST_CHECK_H

#include <httpd.h>
#include <apr_hash.h>

#include "brski_err.h"
#include "est_runtime.h"

/**
 * Make the engine of every server with ESTEngine On, saying all that is wrong: directive, value, what would be right.
 * @return OK, or an error after which httpd does not start
 */
int est_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** One server's configuration under judgement. */
typedef struct est_check_t {
    server_rec *main_server;
    server_rec *server;
    est_engine_t *engine;         /**< being made for it */
    const char *where;            /**< "file:line" of the server, for what is nowhere in a file */
    apr_hash_t *databases;        /**< those already looked into, by driver and parameters */
    apr_pool_t *pool;             /**< pconf */
    apr_pool_t *temp;
    int modules_checked;
    int failed;
} est_check_t;

/** Say an error: httpd will not start. The text begins with its number and ends with what would be right. */
void est_check_wrong(est_check_t *c, const char *where, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Say a warning. */
void est_check_doubtful(const est_check_t *c, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** What an error says to the administrator. */
const char *est_check_reason(const brski_err_t *err);

/** "file:line" of the directive that holds for the server, or the server's own place. */
const char *est_check_place(const est_check_t *c, const char *directive);

/** Nonzero when the user that httpd's children run as may read a file: what is read anew there must be. */
int est_check_readable(const char *path, apr_pool_t *pool);

/** The key in a file, when it is that of a certificate. @return NULL or BRSKI_E_CONFIG whose public text says what is wrong */
brski_err_t *est_check_key(EVP_PKEY **key, const char *file, const brski_cert_t *cert, apr_pool_t *pool);

/** The certificates that mod_ssl shows for the server, end entities, array of const brski_cert_t *. */
apr_array_header_t *est_check_tls_certificates(const est_check_t *c);

/** Registrar certificates, manufacturers, what is accepted of a device's history (est_check_registrar.c). */
void est_check_registrar(est_check_t *c);

/** CAs, profiles, labels (est_check_enroll.c). */
void est_check_enroll(est_check_t *c);

/** What the server needs of mod_ssl, mod_dbd and its sections (est_check_httpd.c). */
void est_check_httpd(est_check_t *c);

#endif
