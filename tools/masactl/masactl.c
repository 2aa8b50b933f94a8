/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masactl.c: the program that administers a MASA's records: tables, devices, customers, the log,
 * refusals. Its commands are the cmd_*.c files, each of which registers its group.
 */
#include "db.h"

static const opt_t options[] = {
    { "config", 0, "FILE", "names the database; default /etc/masactl.conf" },
    { "db", 0, "DRIVER:PARAMS", "instead: sqlite3:/path or pgsql:dbname=masa" },
    { "tenant", 0, "NAME", "whose records; default \"default\"" },
    { NULL, 0, NULL, NULL }
};

static const program_t masactl = {
    "masactl",
    "Administers the records of a MASA (mod_masa).",
    options,
    "masactl(1) is the manual. Exit status: 0 done, 1 refused or a problem, 2 usage.",
    &masactl_database,
};

int main(int argc, const char *const *argv)
{
    return command_main(&masactl, argc, argv);
}
