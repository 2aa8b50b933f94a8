/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c: a MASA's database: its store, and the policy version that moves with every change that
 * decisions rest on.
 */
#include "db.h"

static brski_err_t *make_store(db_t *db, const brski_store_host_t *host,
                               apr_interval_time_t patience)
{
    brski_store_t *store;

    BRSKI_TRY(brski_store_make(&store, db->tenant, host, db->dialect, 1, patience, db->call->ctx,
                               db->pool));
    db->own = store;
    return BRSKI_OK;
}

static brski_err_t *check_schema(db_t *db)
{
    return brski_store_schema_check(db_store(db), db->pool);
}

const db_kind_t masactl_database = {
    .config = "/etc/masactl.conf",
    .variable = "MASACTL_CONFIG",
    .example = "/var/lib/masa/masa.db",
    .module = "mod_masa",
    .set = &brski_dbd_set_masa,
    .settings = STMT_DATABASE_SETTINGS,
    .make = make_store,
    .check = check_schema,
};

brski_store_t *db_store(const db_t *db)
{
    return db->own;
}

/* A change, and what must not be forgotten beside it. */
typedef struct policy_change_t {
    brski_err_t *(*change)(db_t *db, void *baton);
    void *baton;
} policy_change_t;

static brski_err_t *change_and_bump(db_t *db, void *baton)
{
    policy_change_t *p = baton;

    BRSKI_TRY(p->change(db, p->baton));
    return db_exec(NULL, db, STMT_POLICY_BUMP, DB_ARGS(db->tenant), db->pool);
}

brski_err_t *db_change_policy(db_t *db, brski_err_t *(*change)(db_t *db, void *baton), void *baton)
{
    policy_change_t p = {change, baton};

    return db_change(db, change_and_bump, &p);
}
