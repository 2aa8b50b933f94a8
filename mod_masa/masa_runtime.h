/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_runtime.h: an engine at work: one a server or virtual host with MASAEngine On. masa_check.c makes it from the
 * configuration, in the parent; a child adds what must not cross a fork (connections, threads, caches, keys in tokens). From
 * then on it is read by all threads of the child and changed by none.
 */
#ifndef MASA_RUNTIME_H
#define MASA_RUNTIME_H

#include "brski_log.h"
#include "brski_masa.h"
#include "brski_spool.h"
#include "glue.h"
#include "masa_conf.h"

typedef struct masa_engine_t {
    glue_engine_t glue;           /**< what the glue knows of it; made in post_config, before mod_dbd and mod_ssl look */
    server_rec *server;
    const masa_conf_t *conf;
    brski_dialect_t dialect;
    const char *sqlite_file;      /**< path of the database, NULL unless it is SQLite's */
    int database_workers;         /**< threads of a process that may be inside the store at once */
    brski_limits_t limits;
    brski_ctx_t ctx;
    brski_log_t log;              /**< of this server, for what belongs to no request */
    apr_array_header_t *signers;  /**< brski_signer_t *: all MASASigner of this server */
    brski_masa_t masa;            /**< what decides */
    const char *node;             /**< how this server is called in its snapshot */
    const char *snapshot;         /**< JSON, published by each child; NULL when it could not be made */
    const char *snapshot_hash;
    brski_spool_t *spool;         /**< NULL in the parent, and where it could not start */
    struct glue_health_t *health; /**< NULL in the parent, and where it could not start */
} masa_engine_t;

/** The engine of a server, or NULL. */
masa_engine_t *masa_engine(const server_rec *s);

/** Hooks: first and last in post_config, and child_init. */
int masa_runtime_describe(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
int masa_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
void masa_runtime_child_init(apr_pool_t *pchild, server_rec *s);

#endif
