/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_conf.h: the httpd configurations of a lab's MASA and of its registrar, each complete, so that `apache2 -f DIR/masa.conf` and
 * `apache2 -f DIR/est.conf` serve them on loopback with SQLite.
 */
#ifndef BRSKI_TOOL_LAB_CONF_H
#define BRSKI_TOOL_LAB_CONF_H

#include "brski.h"

typedef struct lab_conf_t {
    const char *dir;              /**< absolute path of the lab */
    const char *host;             /**< ServerName */
    int port;                     /**< the MASA's */
    int est_port;                 /**< the registrar's */
    const char *product;
    const char *modules;          /**< directory of httpd's own modules */
    const char *module;           /**< mod_masa.so */
    const char *est_module;       /**< mod_est.so */
    const char *user;             /**< User and Group when started as root; NULL: not root */
    const char *group;
} lab_conf_t;

/** Text of masa.conf, NUL-terminated. */
const char *lab_conf_text(const lab_conf_t *conf, apr_pool_t *pool);

/** Text of est.conf. */
const char *lab_conf_est(const lab_conf_t *conf, apr_pool_t *pool);

/** Text of masactl.conf or estctl.conf, which tells the tool the same database. */
const char *lab_conf_tool(const lab_conf_t *conf, const char *tool, const char *db, apr_pool_t *pool);

#endif
