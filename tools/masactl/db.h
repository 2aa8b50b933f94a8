/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h: a MASA's database for masactl's commands: ../common/database.h with the store that a server uses too, and what every
 * change of a decision's grounds must not forget.
 */
#ifndef MASACTL_DB_H
#define MASACTL_DB_H

#include "../common/database.h"
#include "brski_statements.h"
#include "brski_store.h"

/** A MASA's databases. */
extern const db_kind_t masactl_database;

/** The store over the one connection. */
brski_store_t *db_store(const db_t *db);

/** As db_change(), for what decisions rely on: bumps the tenant's policy version in the same transaction. */
brski_err_t *db_change_policy(db_t *db, brski_err_t *(*change)(db_t *db, void *baton), void *baton);

#endif
