/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records.c: the records themselves: making them, and what is of no one part: the schema's
 * version, our own domainIDs, the nodes' snapshots.
 */
#include "brski_records_private.h"

#include <apr_strings.h>
#include <string.h>

/* The writes that every device causes; on SQLite those who wait together share a commit. */
static brski_err_t *group_writes(brski_access_t *access, apr_pool_t *pool)
{
    BRSKI_TRY(brski_access_group(access, STMT_EST_REQUEST_PUT, pool));
    BRSKI_TRY(brski_access_group(access, STMT_EST_CERTIFICATE_PUT, pool));
    return brski_access_group(access, STMT_EST_CERTIFICATE_PUT_PLEDGE, pool);
}

brski_err_t *brski_records_make(brski_records_t **out, const char *tenant,
                                const brski_store_host_t *host, brski_dialect_t dialect, int inside,
                                apr_interval_time_t patience, const brski_ctx_t *ctx,
                                apr_pool_t *pool)
{
    brski_records_t *records = apr_pcalloc(pool, sizeof(*records));

    (void)ctx;
    *out = NULL;
    records->tenant = apr_pstrdup(pool, tenant);
    BRSKI_TRY(brski_access_make(&records->access, tenant, host, &brski_dbd_set_est, dialect, inside,
                                patience, pool));
    BRSKI_TRY(group_writes(records->access, pool));
    *out = records;
    return BRSKI_OK;
}

const char *brski_records_tenant(const brski_records_t *records)
{
    return records->tenant;
}

void brski_records_gate_numbers(brski_records_t *records, int *inside, apr_int64_t *turned_away)
{
    brski_access_numbers(records->access, inside, turned_away);
}

brski_err_t *brski_records_schema_check(brski_records_t *records, apr_pool_t *scratch_pool)
{
    return brski_access_schema_check(records->access, scratch_pool);
}

/* ---- words ---- */

int brski_records_word(const char *const *words, const char *word)
{
    int i;

    for (i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return 0;
}

const char *brski_records_key(const char *text, apr_pool_t *pool)
{
    return text ? brski_arg_clean(text, pool) : "";
}

/* ---- our own domainIDs ---- */

brski_err_t *brski_records_domain_id_put(brski_records_t *records, const char *domain_id,
                                         const char *subject, apr_time_t now,
                                         apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, domain_id, brski_arg_clean(subject, scratch_pool),
                           brski_arg_number(now, scratch_pool) };

    return brski_access_exec(NULL, records->access, STMT_EST_DOMAIN_ID_PUT, args, scratch_pool);
}

brski_err_t *brski_records_domain_ids(apr_array_header_t **ids, brski_records_t *records,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant };
    apr_array_header_t *rows;
    int i;

    *ids = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_DOMAIN_ID_LIST, args, result_pool,
                               scratch_pool));
    *ids = apr_array_make(result_pool, rows->nelts, sizeof(const char *));
    for (i = 0; i < rows->nelts; i++) {
        APR_ARRAY_PUSH(*ids, const char *) =
            brski_row_text(APR_ARRAY_IDX(rows, i, brski_row_t *), 0);
    }
    return BRSKI_OK;
}

/* ---- nodes ---- */

brski_err_t *brski_records_snapshot_put(brski_records_t *records, const char *node,
                                        const char *json, const char *hash, apr_time_t now,
                                        apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, node, hash, brski_arg_number(now, scratch_pool), json };

    return brski_access_exec(NULL, records->access, STMT_EST_SNAPSHOT_PUT, args, scratch_pool);
}

brski_err_t *brski_records_nodes(apr_array_header_t **nodes, brski_records_t *records,
                                 apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    enum { NODE, HASH, JSON, PUBLISHED_AT };
    const char *args[] = { records->tenant };
    apr_array_header_t *rows;
    int i;

    *nodes = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_SNAPSHOT_LIST, args, result_pool,
                               scratch_pool));
    *nodes = apr_array_make(result_pool, rows->nelts, sizeof(brski_node_t *));
    for (i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        brski_node_t *node = apr_palloc(result_pool, sizeof(*node));

        node->node = brski_row_text(row, NODE);
        node->hash = brski_row_text(row, HASH);
        node->json = brski_row_text(row, JSON);
        node->published_at = brski_row_int(row, PUBLISHED_AT);
        APR_ARRAY_PUSH(*nodes, brski_node_t *) = node;
    }
    return BRSKI_OK;
}
