/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue.h: what mod_masa and mod_est do alike with httpd is in glue/, and is compiled into both: each module has a copy of its own
 * and exports none of it. The glue knows a module by its one glue_module, and an engine (a server or virtual host that the
 * module is switched on for) by the glue_engine_t that the module keeps for it.
 */
#ifndef GLUE_H
#define GLUE_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <openssl/ssl.h>

#include "brski.h"
#include "brski_dbd.h"
#include "brski_err.h"
#include "brski_log.h"

/* Lines of the glue are the module's: LogLevel of the module holds for them. */
#undef APLOG_MODULE_INDEX
#define APLOG_MODULE_INDEX (glue_module.module->module_index)

/** A path below which a module serves. Base and all that follows decide: a rule written for one <Location> must not be walked
 *  around through another path to the same operation. */
typedef struct glue_base_t {
    const char *path;             /**< "/.well-known/brski" */
    int operations;               /**< the kinds served below it, ored together (glue_operation_t) */
    int labels;                   /**< nonzero: one segment more may stand between base and operation (RFC 7030 3.2.2) */
} glue_base_t;

/** One engine, as the glue needs it. The module fills it before mod_dbd's and mod_ssl's post_config run. */
typedef struct glue_engine_t {
    server_rec *server;
    void *of;                     /**< the module's own engine */
    const brski_ctx_t *ctx;
    const brski_limits_t *limits;
    brski_dialect_t dialect;
    const char *sqlite_file;      /**< path of the database, NULL unless it is SQLite's */
    apr_array_header_t *bases;    /**< glue_base_t */
    int verify;                   /**< SSL_VERIFY_...: what the handshake asks of clients; SSL_VERIFY_NONE: no certificates */
    SSL_CTX *ssl_ctx;             /**< of this server; NULL when mod_ssl does not serve it */
    brski_cert_cache_t *cache;    /**< of this process; may be NULL */
    struct glue_counts_t *counts; /**< shared by all processes (glue_count.h) */
    struct glue_place_t *place;   /**< this process's in them; NULL when it has none */
} glue_engine_t;

struct glue_http_t;

/** One operation. */
typedef struct glue_operation_t {
    const char *name;             /**< "requestvoucher" */
    int kind;                     /**< a bit of glue_base_t.operations */
    int method;                   /**< M_POST: its body is read first; M_GET */
    const char *wants;            /**< what its body is, as a sentence has it: "a certification request"; NULL: the table's words */
    const char *media_type;       /**< what a 415 says would be right; NULL */
    /** Answer: fill http->reply. @return NULL, or why not */
    brski_err_t *(*run)(struct glue_http_t *http, apr_pool_t *scratch_pool);
} glue_operation_t;

/** What a module tells about itself. */
typedef struct glue_module_t {
    module *module;
    const char *service;          /**< in sentences: "MASA" */
    const char *handler;          /**< SetHandler's word */
    const char *directive;        /**< that switches an engine on: "MASAEngine" */
    const char *env_result;       /**< names in a request's environment */
    const char *env_request_id;
    const char *log_httpd;        /**< "BRSKI2201": httpd answered an error by itself */
    const char *log_no_engine;    /**< handler without an engine */
    const char *log_no_page;      /**< the same for what looks after it */
    const char *log_no_memory;    /**< no shared memory for counters */
    const char *log_not_ready;    /**< the database does not answer */
    const char *log_ready;        /**< it answers again */
    const brski_dbd_set_t *statements; /**< that its engines run */
    const glue_operation_t *operations; /**< ended by a NULL name */
    int server_certificate;       /**< nonzero: the certificate shown to the client matters */
    apr_size_t http_size;         /**< of what it keeps of a request; begins with a glue_http_t */

    /** The engine of a server, or NULL. */
    glue_engine_t *(*engine)(const server_rec *s);
    /** A thread begins (1) or ends (-1) to use the database; may be NULL. */
    void (*inside)(const glue_engine_t *engine, int step);
    /** A request's struct was made; may be NULL. */
    void (*begin)(struct glue_http_t *http);
    /** The peer is known, the body is not read yet: may it go on? */
    brski_err_t *(*admit)(struct glue_http_t *http, apr_pool_t *scratch_pool);
    /** The module's own words of the environment; called once the outcome is known. */
    void (*environment)(const struct glue_http_t *http);
    /** A request was refused, by us; may be NULL. */
    void (*refused)(const struct glue_http_t *http, const brski_err_t *err);
    /** A request was served and counted; may be NULL. */
    void (*served)(const struct glue_http_t *http);
    /** Show this process's levels and growing numbers (glue_count.h); may be NULL. */
    void (*levels)(const glue_engine_t *engine);
} glue_module_t;

/** Each module defines its own. */
extern const glue_module_t glue_module;

/** Levels that a log is asked for, from httpd's. */
brski_log_level_t glue_log_level(int httpd_level);

/** A log whose lines go to a server's error log. */
void glue_log_server(brski_log_t *log, server_rec *s);

/** How a server calls itself: "machine/host:port". */
const char *glue_node_name(const server_rec *s, apr_pool_t *pool);

#endif
