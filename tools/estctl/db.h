/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h: a registrar's database for estctl's commands: ../common/database.h with the records that a server uses too.
 */
#ifndef ESTCTL_DB_H
#define ESTCTL_DB_H

#include "../common/database.h"
#include "brski_records.h"

/** A registrar's databases. */
extern const db_kind_t estctl_database;

/** The records over the one connection. */
brski_records_t *db_records(const db_t *db);

/** The time of this run. */
apr_time_t db_now(const db_t *db);

/** Who decides: the login name behind sudo, else the user that runs this; printable. */
const char *db_who(const db_t *db);

/** Keep what was done by whom beside the records: kind as brski_note_t has it; no alarm. */
brski_err_t *db_note(db_t *db, const char *kind, const char *manufacturer, const char *serial_number,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
