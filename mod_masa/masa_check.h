/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_check.h: the check_config hook: whether the configuration is right, as `apachectl configtest` and every start ask; and
 * what its parts share.
 */
#ifndef MASA_CHECK_H
#define MASA_CHECK_H

#include "masa_runtime.h"
#include "glue_check.h"

/**
 * Make the engine of every server with MASAEngine On, saying all that is wrong: directive, value, what would be right.
 * @return OK, or an error after which httpd does not start
 */
int masa_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** The engine that is being made. */
#define masa_checked(c) ((masa_engine_t *)(c)->of)

/** What the server needs of mod_ssl, mod_dbd and its sections (masa_check_httpd.c). */
void masa_check_httpd(glue_check_t *c);

#endif
