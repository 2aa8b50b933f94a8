/* SPDX-License-Identifier: Apache-2.0 */
/*
 * estctl.c: the program that administers a registrar's and EST server's records: tables, devices,
 * trust in manufacturers, certificates, audit logs. Its commands are the cmd_*.c files, each of
 * which registers its group.
 */
#include "db.h"

static const opt_t options[] = {
    {"config", 0, "FILE", "names the database; default /etc/estctl.conf"},
    {"db", 0, "DRIVER:PARAMS", "instead: sqlite3:/path or pgsql:dbname=est"},
    {"tenant", 0, "NAME", "whose records; default \"default\""},
    {NULL, 0, NULL, NULL}};

static const program_t estctl = {
    "estctl",
    "Administers the records of a registrar and EST server (mod_est).",
    options,
    "estctl(1) is the manual. Exit status: 0 done, 1 refused or a problem, 2 usage.",
    &estctl_database,
};

int main(int argc, const char *const *argv)
{
    return command_main(&estctl, argc, argv);
}
