/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_conf.h: the httpd configuration of a lab's MASA, complete, so that `apache2 -f DIR/masa.conf` serves it on
 * loopback with SQLite.
 */
#ifndef BRSKI_TOOL_LAB_CONF_H
#define BRSKI_TOOL_LAB_CONF_H

#include "brski.h"

typedef struct lab_conf_t {
    const char *dir;              /**< absolute path of the lab */
    const char *host;             /**< ServerName */
    int port;
    const char *product;
    const char *modules;          /**< directory of httpd's own modules */
    const char *module;           /**< mod_masa.so */
    const char *user;             /**< User and Group when started as root; NULL: not root */
    const char *group;
} lab_conf_t;

/** Text of masa.conf, NUL-terminated. */
const char *lab_conf_text(const lab_conf_t *conf, apr_pool_t *pool);

/** Text of masactl.conf, which tells masactl the same database. */
const char *lab_conf_masactl(const lab_conf_t *conf, apr_pool_t *pool);

#endif
