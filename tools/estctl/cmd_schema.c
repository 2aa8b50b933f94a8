/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_schema.c: the tables of a registrar: made, brought up to date, told (../common/schema.c).
 */
#include "../common/schema.h"

static const opt_t apply_options[] = {
    {"user", 'u', "NAME", "SQLite: httpd's user; default www-data as root"}, {NULL, 0, NULL, NULL}};

static const command_t commands[] = {
    {"schema apply", "", 0, 0, "Make the tables, or bring them up to date", apply_options, NULL,
     schema_apply},
    {"schema status", "", 0, 0, "Tell which version the tables are of", NULL, NULL, schema_status},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"schema", "the tables of the database", 10, commands, NULL};
COMMAND_GROUP(group)
