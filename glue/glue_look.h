/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_look.h: a look into a database while the configuration is checked.
 */
#ifndef GLUE_LOOK_H
#define GLUE_LOOK_H

#include "brski_store.h"
#include "glue.h"

/** A database that needs longer than this is not there: microseconds. */
#define GLUE_LOOK_PATIENCE apr_time_from_sec(5)

/** Are the tables those of this version? Make a store or records on host with this patience, and ask its schema. */
typedef brski_err_t *glue_look_t(const brski_store_host_t *host, brski_dialect_t dialect, apr_pool_t *pool);

/**
 * Look into a database as the user that will serve, in a process of its own, so that configtest run as root leaves no
 * files that the server cannot write, and a database that hangs cannot hold it up. Waits a few seconds at most.
 * @return NULL; BRSKI_E_STORE_SCHEMA when the tables are missing or of another version; BRSKI_E_STORE when it cannot be
 *         reached now
 */
brski_err_t *glue_look(const char *driver, const char *params, glue_look_t *schema_check, apr_pool_t *pool);

/** The path in SQLite's parameters, which may be a file: URI. */
const char *glue_look_sqlite_file(const char *params, apr_pool_t *pool);

#endif
