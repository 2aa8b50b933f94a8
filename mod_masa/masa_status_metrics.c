/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_status_metrics.c: masa-status?metrics: Prometheus' text format 0.0.4. docs/mod_masa.md has
 * the table of names.
 */
#include "masa_status.h"

#include <apr_strings.h>

#include "brski_signer.h"
#include "brski_voucher.h"
#include "glue_metrics.h"

static void add_requests(glue_text_t *text, const masa_sums_t *sums)
{
    int i;

    glue_metric_head(text, "masa_requests_total", "counter",
                     "Requests by operation, status and log number (0: served).");
    for (i = 0; i < sums->requests->nelts; i++) {
        const glue_request_sum_t *sum = &APR_ARRAY_IDX(sums->requests, i,
                                                       const glue_request_sum_t);

        glue_text_add(text, "masa_requests_total{operation=\"%s\",status=\"%d\",number=\"%d\"} "
                      "%lu\n", sum->operation, sum->status, sum->number, sum->count);
    }
}

static void add_vouchers(glue_text_t *text, const masa_sums_t *sums)
{
    static const brski_assertion_t made[] = {
        BRSKI_ASSERTION_VERIFIED, BRSKI_ASSERTION_LOGGED, BRSKI_ASSERTION_PROXIMITY
    };
    apr_size_t i;

    glue_metric_head(text, "masa_vouchers_total", "counter", "Vouchers issued, by assertion.");
    for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        glue_text_add(text, "masa_vouchers_total{assertion=\"%s\"} %lu\n",
                      brski_assertion_text(made[i]), sums->issued[made[i]]);
    }
    glue_metric(text, "masa_vouchers_reissued_total", "counter",
                "Vouchers sent again to identical requests.", (apr_int64_t)sums->reissued);
}

static void add_products(glue_text_t *text, const masa_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *all = status->engine->masa.products;
    int i;

    glue_metric_head(text, "masa_product_info", "gauge", "Product lines and their policies.");
    for (i = 0; i < all->nelts; i++) {
        const brski_product_t *product = APR_ARRAY_IDX(all, i, const brski_product_t *);

        glue_text_add(text, "masa_product_info{product=\"%s\",owner=\"%s\",proximity=\"%s\","
                      "nonceless=\"%s\"} 1\n", glue_metric_label(product->name, pool),
                      glue_metric_label(product->owner->name, pool), masa_status_proximity(product),
                      masa_status_nonceless(product));
    }
}

static void add_signers(glue_text_t *text, const masa_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *all = status->engine->signers;
    int i;

    glue_metric_head(text, "masa_signer_expires_seconds", "gauge",
                     "End of the signer's certificate, in seconds since 1970.");
    for (i = 0; i < all->nelts; i++) {
        const brski_signer_t *signer = APR_ARRAY_IDX(all, i, const brski_signer_t *);

        glue_text_add(text, "masa_signer_expires_seconds{signer=\"%s\",key=\"%s\"} %"
                      APR_INT64_T_FMT "\n", glue_metric_label(signer->name, pool),
                      brski_signer_key_id(signer),
                      (apr_int64_t)apr_time_sec(masa_status_cert(signer)->not_after));
    }
    glue_metric_head(text, "masa_signer_key_present", "gauge",
                     "1 when the signer's key can be used.");
    for (i = 0; i < all->nelts; i++) {
        const brski_signer_t *signer = APR_ARRAY_IDX(all, i, const brski_signer_t *);

        glue_text_add(text, "masa_signer_key_present{signer=\"%s\",key=\"%s\"} %d\n",
                      glue_metric_label(signer->name, pool),
                      brski_signer_key_id(signer), signer->key != NULL);
    }
}

static void add_database(glue_text_t *text, const masa_status_t *status)
{
    const masa_sums_t *sums = &status->sums;

    glue_metric(text, "masa_database_up", "gauge",
                "1 when the database answers.", !status->database);
    glue_metric(text, "masa_database_inside", "gauge", "Threads that use the database now.",
                (apr_int64_t)sums->inside);
    glue_metric(text, "masa_database_turned_away_total", "counter",
                "Requests that did not get their turn in the database.",
                (apr_int64_t)sums->turned_away);
    glue_metric(text, "masa_spool_waiting", "gauge",
                "Refusals and addresses that wait to be written.", (apr_int64_t)sums->waiting);
    glue_metric(text, "masa_spool_dropped_total", "counter",
                "Refusals dropped because more came than are kept.", (apr_int64_t)sums->dropped);
}

static void add_cache(glue_text_t *text, const masa_sums_t *sums)
{
    glue_metric(text, "masa_certificate_cache_certificates", "gauge",
                "Parsed certificates that are kept.", (apr_int64_t)sums->cached);
    glue_metric(text, "masa_certificate_cache_hits_total", "counter",
                "Certificates that the cache knew.", (apr_int64_t)sums->cache_hits);
    glue_metric(text, "masa_certificate_cache_misses_total", "counter",
                "Certificates that had to be parsed.", (apr_int64_t)sums->cache_misses);
}

const char *masa_status_metrics(const masa_status_t *status, apr_pool_t *pool)
{
    const masa_sums_t *sums = &status->sums;
    glue_text_t *text = glue_text_make(pool);

    glue_metric_head(text, "masa_info", "gauge", "This MASA.");
    glue_text_add(text, "masa_info{version=\"%s\",tenant=\"%s\",node=\"%s\"} 1\n",
                  glue_metric_label(BRSKI_VERSION, pool), glue_metric_label(status->tenant, pool),
                  glue_metric_label(status->engine->node, pool));
    glue_metric(text, "masa_start_time_seconds", "gauge",
                "When counting began, in seconds since 1970.",
                (apr_int64_t)apr_time_sec(sums->since));
    glue_metric(text, "masa_processes", "gauge",
                "Processes of httpd that serve this MASA.", sums->processes);
    add_requests(text, sums);
    add_vouchers(text, sums);
    add_products(text, status, pool);
    add_signers(text, status, pool);
    add_database(text, status);
    add_cache(text, sums);
    glue_metric(text, "masa_snapshot_published_seconds", "gauge",
                "When the configuration was published, in seconds since 1970 (0: not yet).",
                (apr_int64_t)apr_time_sec(sums->snapshot_at));
    return glue_text_all(text);
}
