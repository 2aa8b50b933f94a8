/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_runtime.h: an engine at work: one a server or virtual host with ESTEngine On. est_check.c makes it from the
 * configuration, in the parent; a child adds what must not cross a fork (connections, threads, caches, keys in tokens).
 * From then on it is read by all threads of the child and changed by none.
 */
#ifndef EST_RUNTIME_H
#define EST_RUNTIME_H

#include "brski_enroll.h"
#include "brski_jobs.h"
#include "brski_log.h"
#include "brski_registrar.h"
#include "est_conf.h"
#include "glue.h"

typedef struct est_engine_t {
    glue_engine_t glue;           /**< what the glue knows of it; made in post_config, before mod_dbd and mod_ssl look */
    server_rec *server;
    const est_conf_t *conf;
    brski_dialect_t dialect;
    const char *sqlite_file;      /**< path of the database, NULL unless it is SQLite's */
    int database_workers;         /**< threads of a process that may be inside the database at once */
    brski_limits_t limits;
    brski_ctx_t ctx;
    brski_log_t log;              /**< of this server, for what belongs to no request */
    brski_registrar_t registrar;  /**< RFC 8995: what decides on pledges */
    brski_est_t est;              /**< RFC 7030: what decides on enrolments */
    brski_jobs_options_t jobs_options;
    const char *node;             /**< how this server is called in its snapshot and in leases */
    const char *snapshot;         /**< JSON, published by each child; NULL when it could not be made */
    const char *snapshot_hash;
    brski_jobs_t *jobs;           /**< NULL in the parent, and where it could not start */
    struct glue_health_t *health; /**< the same */
    struct est_alarm_t *alarm;    /**< the same */
    struct est_facts_keeper_t *status; /**< the same */
} est_engine_t;

/** Kinds of operations (glue_base_t). */
#define EST_KIND_BRSKI 1
#define EST_KIND_EST 2

/** The engine of a server, or NULL. */
est_engine_t *est_engine(const server_rec *s);

/** Hooks: first and last in post_config, and child_init. */
int est_runtime_describe(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
int est_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
void est_runtime_child_init(apr_pool_t *pchild, server_rec *s);

#endif
