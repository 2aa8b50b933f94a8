/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ownership.h: whose files SQLite's are. The server writes the database, its -wal and its -shm as its own user and makes
 * the last two anew again and again; a tool run by somebody else must not leave files that the server cannot write.
 */
#ifndef TOOLS_OWNERSHIP_H
#define TOOLS_OWNERSHIP_H

#include "database.h"

#include <sys/types.h>

/** The user that a server runs as. */
typedef struct server_user_t {
    const char *name;
    uid_t uid;
    gid_t gid;
} server_user_t;

/**
 * May this user work on the database without leaving files that its owner cannot write? Root may: SQLite gives what it
 * makes to the database's owner. @return NULL, or BRSKI_E_INPUT saying as whom to run
 */
brski_err_t *ownership_check(const db_t *db);

/**
 * Before the database is made or upgraded: who will own it, and can that user make files beside it? A missing directory is
 * made. name NULL: www-data when root runs this and it exists, else the user who runs this.
 */
brski_err_t *ownership_prepare(server_user_t *user, const db_t *db, const char *name);

/** After: give the files to that user, and say so when they were somebody else's. */
brski_err_t *ownership_give(const server_user_t *user, const db_t *db);

/** The database, its -wal and its -shm; for doctor: what is wrong for their owner, one const char * each. */
apr_array_header_t *ownership_problems(const db_t *db, apr_pool_t *pool);

#endif
