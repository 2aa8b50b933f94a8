/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_backup.c: says what to use until there is `estctl backup`.
 */
#include "../common/opts.h"

static brski_err_t *backup(call_t *call)
{
    return opt_usage(call,
                     "this version has no %s yet: use the database's own tools "
                     "(SQLite: .backup; PostgreSQL: pg_dump, WAL archive)",
                     call->command->words);
}

static const command_t backup_commands[] = {
    {"backup", "", 0, -1, "Not in this version: use the database's own tools", NULL, NULL, backup},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static const command_t restore_commands[] = {
    {"restore", "", 0, -1, "Not in this version: use the database's own tools", NULL, NULL, backup},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t backup_group = {"backup", "not in this version", 70, backup_commands, NULL};
COMMAND_GROUP(backup_group)

static command_group_t restore_group = {"restore", "not in this version", 71, restore_commands,
                                        NULL};
COMMAND_GROUP(restore_group)
