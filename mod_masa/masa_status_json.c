/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_status_json.c: masa-status?json. Times are RFC 3339, null where there is none; members are
 * added in later versions, and none changes its meaning.
 */
#include "masa_status.h"

#include <apr_strings.h>

#include "brski_json.h"
#include "brski_signer.h"
#include "brski_time.h"
#include "brski_voucher.h"

static void set_time(brski_json_t *json, const char *key, apr_time_t at, apr_pool_t *pool)
{
    brski_json_set_string(json, key, at ? brski_time_rfc3339(at, pool) : NULL);
}

static void set_count(brski_json_t *json, const char *key, unsigned long count)
{
    brski_json_set_int(json, key, (apr_int64_t)count);
}

static brski_json_t *products(const masa_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *all = status->engine->masa.products;
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < all->nelts; i++) {
        const brski_product_t *product = APR_ARRAY_IDX(all, i, const brski_product_t *);
        brski_json_t *json = brski_json_object(pool);

        brski_json_set_string(json, "name", product->name);
        brski_json_set_string(json, "owner", product->owner->name);
        brski_json_set_string(json, "proximity", masa_status_proximity(product));
        brski_json_set_string(json, "nonceless", masa_status_nonceless(product));
        brski_json_append(list, json);
    }
    return list;
}

static brski_json_t *signers(const masa_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *all = status->engine->signers;
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < all->nelts; i++) {
        const brski_signer_t *signer = APR_ARRAY_IDX(all, i, const brski_signer_t *);
        brski_json_t *json = brski_json_object(pool);

        brski_json_set_string(json, "name", signer->name);
        brski_json_set_string(json, "kind", signer->kind->name);
        brski_json_set_bool(json, "nonceless", signer->nonceless);
        brski_json_set_string(json, "key_id", brski_signer_key_id(signer));
        set_time(json, "expires", masa_status_cert(signer)->not_after, pool);
        brski_json_set_bool(json, "key_present", signer->key != NULL);
        brski_json_append(list, json);
    }
    return list;
}

static brski_json_t *requests(const masa_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *all = status->sums.requests;
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < all->nelts; i++) {
        const glue_request_sum_t *sum = &APR_ARRAY_IDX(all, i, const glue_request_sum_t);
        brski_json_t *json = brski_json_object(pool);

        brski_json_set_string(json, "operation", sum->operation);
        brski_json_set_int(json, "status", sum->status);
        brski_json_set_string(json, "number", sum->number
                              ? apr_psprintf(pool, "BRSKI%04d", sum->number) : NULL);
        set_count(json, "count", sum->count);
        brski_json_append(list, json);
    }
    return list;
}

static brski_json_t *vouchers(const masa_sums_t *sums, apr_pool_t *pool)
{
    static const brski_assertion_t made[] = {
        BRSKI_ASSERTION_VERIFIED, BRSKI_ASSERTION_LOGGED, BRSKI_ASSERTION_PROXIMITY
    };
    brski_json_t *json = brski_json_object(pool);
    apr_size_t i;

    for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        set_count(json, brski_assertion_text(made[i]), sums->issued[made[i]]);
    }
    set_count(json, "reissued", sums->reissued);
    return json;
}

static brski_json_t *database(const masa_status_t *status, apr_pool_t *pool)
{
    const masa_sums_t *sums = &status->sums;
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "kind",
                          status->engine->dialect == BRSKI_SQLITE3 ? "sqlite3" : "pgsql");
    brski_json_set_bool(json, "answers", !status->database);
    brski_json_set_string(json, "trouble", status->database);
    set_count(json, "inside", sums->inside);
    set_count(json, "turned_away", sums->turned_away);
    set_count(json, "waiting_to_be_written", sums->waiting);
    set_count(json, "refusals_dropped", sums->dropped);
    return json;
}

static brski_json_t *cache(const masa_sums_t *sums, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    set_count(json, "certificates", sums->cached);
    set_count(json, "hits", sums->cache_hits);
    set_count(json, "misses", sums->cache_misses);
    return json;
}

static brski_json_t *snapshot(const masa_status_t *status, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "node", status->engine->node);
    brski_json_set_string(json, "hash",
                          status->engine->snapshot ? status->engine->snapshot_hash : NULL);
    set_time(json, "published", status->sums.snapshot_at, pool);
    return json;
}

const char *masa_status_json(const masa_status_t *status, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "version", BRSKI_VERSION);
    brski_json_set_string(json, "tenant", status->tenant);
    set_time(json, "now", status->now, pool);
    set_time(json, "since", status->sums.since, pool);
    brski_json_set_int(json, "processes", status->sums.processes);
    brski_json_set_bool(json, "ready", !status->database && status->health.key);
    brski_json_set(json, "products", products(status, pool));
    brski_json_set(json, "signers", signers(status, pool));
    brski_json_set(json, "requests", requests(status, pool));
    brski_json_set(json, "vouchers", vouchers(&status->sums, pool));
    brski_json_set(json, "database", database(status, pool));
    brski_json_set(json, "certificate_cache", cache(&status->sums, pool));
    brski_json_set(json, "snapshot", snapshot(status, pool));
    return apr_pstrcat(pool, brski_json_text(json, 1, pool), "\n", NULL);
}
