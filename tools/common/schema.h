/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h: the commands `schema apply` and `schema status` of masactl and estctl; whose tables is the program's db_kind_t to
 * say. Their options stand in the program's own cmd_schema.c.
 */
#ifndef TOOLS_SCHEMA_H
#define TOOLS_SCHEMA_H

#include "opts.h"

/** Make the tables or bring them up to date, and give SQLite's files to the server's user. Option: user. */
brski_err_t *schema_apply(call_t *call);

/** Tell which version the tables are of; exit status 1 when it is not this program's. */
brski_err_t *schema_status(call_t *call);

#endif
