/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store.c: the store itself: making it, and what is of no one part: the schema's version and
 * the nodes' snapshots.
 */
#include "brski_store_private.h"

#include <apr_strings.h>

brski_err_t *brski_store_make(brski_store_t **out, const char *tenant,
                              const brski_store_host_t *host, brski_dialect_t dialect, int inside,
                              apr_interval_time_t patience, const brski_ctx_t *ctx,
                              apr_pool_t *pool)
{
    brski_store_t *store = apr_pcalloc(pool, sizeof(*store));

    *out = NULL;
    store->tenant = apr_pstrdup(pool, tenant);
    store->ctx = ctx;
    BRSKI_TRY(brski_access_make(&store->access, tenant, host, &brski_dbd_set_masa, dialect, inside,
                                patience, pool));
    BRSKI_TRY(brski_access_group(store->access, STMT_EVENT_PUT, pool));
    *out = store;
    return BRSKI_OK;
}

const char *brski_store_tenant(const brski_store_t *store)
{
    return store->tenant;
}

void brski_store_gate_numbers(brski_store_t *store, int *inside, apr_int64_t *turned_away)
{
    brski_access_numbers(store->access, inside, turned_away);
}

/* ---- nodes and the schema ---- */

brski_err_t *brski_store_snapshot_put(brski_store_t *store, const char *node, const char *json,
                                      const char *hash, apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *args[] = { store->tenant, node, hash, brski_arg_number(now, scratch_pool), json };

    return brski_access_exec(NULL, store->access, STMT_SNAPSHOT_PUT, args, scratch_pool);
}

brski_err_t *brski_store_schema_check(brski_store_t *store, apr_pool_t *scratch_pool)
{
    return brski_access_schema_check(store->access, scratch_pool);
}
