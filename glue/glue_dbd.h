/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_dbd.h: connections from mod_dbd, which is reached by its optional functions alone, so that httpd starts without it
 * where no engine is on.
 */
#ifndef GLUE_DBD_H
#define GLUE_DBD_H

#include "brski_store.h"
#include "glue.h"

/**
 * Give mod_dbd the module's statements, once for each of its configurations that an engine uses. A post_config hook that
 * runs before mod_dbd's, which then prepares them on every connection it opens.
 */
int glue_dbd_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** Look up mod_dbd's functions; once all modules are loaded. */
void glue_dbd_optional(void);

/** Lend the connections of an engine's server. */
void glue_dbd_host(brski_store_host_t *host, glue_engine_t *engine);

#endif
