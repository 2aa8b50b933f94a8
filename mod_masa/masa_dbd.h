/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_dbd.h: connections from mod_dbd, which is reached by its optional functions alone, so that httpd starts without it
 * where no engine is on.
 */
#ifndef MASA_DBD_H
#define MASA_DBD_H

#include <httpd.h>

#include "masa_runtime.h"

/**
 * Give mod_dbd the statements, once for each of its configurations that an engine uses. A post_config hook that runs
 * before mod_dbd's, which then prepares them on every connection it opens.
 */
int masa_dbd_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** Look up mod_dbd's functions; once all modules are loaded. */
void masa_dbd_optional(void);

/** Lend an engine's store connections of its server's pool. */
void masa_dbd_host(brski_store_host_t *host, masa_engine_t *engine);

#endif
