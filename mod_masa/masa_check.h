/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_check.h: the check_config hook: whether the configuration is right, as `apachectl configtest` and every start ask; and
 * what its parts share.
 */
#ifndef MASA_CHECK_H
#define MASA_CHECK_H

#include <httpd.h>
#include <apr_hash.h>

#include "brski_err.h"
#include "masa_runtime.h"

/**
 * Make the engine of every server with MASAEngine On, saying all that is wrong: directive, value, what would be right.
 * @return OK, or an error after which httpd does not start
 */
int masa_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** One server's configuration under judgement. */
typedef struct masa_check_t {
    server_rec *main_server;
    server_rec *server;
    masa_engine_t *engine;        /**< being made for it */
    const char *where;            /**< "file:line" of the server, for what is nowhere in a file */
    apr_hash_t *databases;        /**< those already looked into, by driver and parameters */
    apr_pool_t *pool;             /**< pconf */
    apr_pool_t *temp;
    int modules_checked;
    int failed;
} masa_check_t;

/** Say an error: httpd will not start. The text begins with its number and ends with what would be right. */
void masa_check_wrong(masa_check_t *c, const char *where, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Say a warning. */
void masa_check_doubtful(const masa_check_t *c, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** What an error says to the administrator. */
const char *masa_check_reason(const brski_err_t *err);

/** "file:line" of the directive that holds for the server, or the server's own place. */
const char *masa_check_place(const masa_check_t *c, const char *directive);

/** What the server needs of mod_ssl, mod_dbd and its sections (masa_check_httpd.c). */
void masa_check_httpd(masa_check_t *c);

#endif
