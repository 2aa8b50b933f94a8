/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_check.h: what the check_config hooks share: saying what is wrong, and what an engine needs of mod_dbd. Used while httpd
 * checks its configuration, by one thread.
 */
#ifndef GLUE_CHECK_H
#define GLUE_CHECK_H

#include <apr_hash.h>

#include "brski_err.h"
#include "glue_look.h"

/** One server's configuration under judgement. */
typedef struct glue_check_t {
    server_rec *main_server;
    server_rec *server;
    void *of;                     /**< the module's engine that is being made for it */
    const char *where;            /**< "file:line" of the server, for what is nowhere in a file */
    apr_hash_t *databases;        /**< those already looked into, by driver and parameters */
    apr_pool_t *pool;             /**< pconf */
    apr_pool_t *temp;
    int modules_checked;
    int failed;
} glue_check_t;

/** Say an error: httpd will not start. The text begins with its number and ends with what would be right. */
void glue_check_wrong(glue_check_t *c, const char *where, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Say a warning. */
void glue_check_doubtful(const glue_check_t *c, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** What an error says to the administrator. */
const char *glue_check_reason(const brski_err_t *err);

/** "file:line" of the server, for glue_check_t.where. */
const char *glue_check_server(const glue_check_t *c);

/** First argument of the directive that holds for the server; NULL: it is not said. */
const char *glue_check_value(const glue_check_t *c, const char *directive);

/** Say an error when another module's engine is on for the same server: both have a requestvoucher, and one connection cannot
 *  obey the rules of both. @param number  "BRSKI2048"; other  "ESTEngine" */
void glue_check_alone(glue_check_t *c, const char *number, const char *other);

/** "file:line" of the directive that holds for the server, or the server's own place. */
const char *glue_check_place(const glue_check_t *c, const char *directive);

/** Does the server speak TLS itself? */
int glue_check_tls_is_on(const glue_check_t *c);

/** Numbers of what can be wrong with mod_dbd: "BRSKI2050". */
typedef struct glue_check_numbers_t {
    const char *no_driver;
    const char *driver;
    const char *no_params;
    const char *max;              /**< a warning */
    const char *persist;
    const char *schema;
    const char *away;             /**< a warning */
} glue_check_numbers_t;

/** What an engine's database is. */
typedef struct glue_database_t {
    brski_dialect_t dialect;      /**< 0: none that will do */
    const char *sqlite_file;      /**< NULL unless it is SQLite's */
    int connections;              /**< DBDMax; 0: not said */
} glue_database_t;

/**
 * Check the directives of mod_dbd, and look into the database.
 * @param database      in c->pool
 * @param schema_check  as for glue_look()
 */
void glue_check_dbd(glue_database_t *database, glue_check_t *c, const glue_check_numbers_t *numbers,
                    glue_look_t *schema_check);

#endif
