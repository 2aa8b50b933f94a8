/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_status_html.c: masa-status for people: one page without scripts, readable in any browser and
 * on a small screen. Every string on it is escaped, whoever wrote it.
 */
#include "masa_status.h"

#include "brski_signer.h"
#include "brski_voucher.h"
#include "glue_html.h"

static void add_readiness(glue_text_t *text, const masa_status_t *status)
{
    if (!status->database && status->health.key) {
        glue_text_add(text, "<p class=\"good\">Ready: the database answers, and there is a key to "
                      "sign with.</p>\n");
        return;
    }
    if (status->database) {
        glue_text_add(text, "<p class=\"bad\">%s</p>\n", glue_html(status->database, text->pool));
    }
    if (!status->health.key) {
        glue_text_add(text, "<p class=\"bad\">No signer's key can be used.</p>\n");
    }
}

static void add_server(glue_text_t *text, const masa_status_t *status)
{
    apr_pool_t *pool = text->pool;

    glue_text_add(text, "<h2>Server</h2>\n<table>\n");
    glue_html_row(text, "Version", BRSKI_VERSION);
    glue_html_row(text, "Tenant", status->tenant);
    glue_html_row(text, "Now", glue_text_time(status->now, pool));
    glue_html_row(text, "Counting since", glue_text_time(status->sums.since, pool));
    glue_html_number(text, "Processes", status->sums.processes);
    glue_html_row(text, "Configuration published", glue_text_time(status->sums.snapshot_at, pool));
    if (status->engine->snapshot) {
        glue_text_add(text, "<tr><th>Configuration</th><td><code>%s</code></td></tr>\n",
                      glue_html(status->engine->snapshot_hash, pool));
    }
    glue_text_add(text, "</table>\n");
}

static void add_products(glue_text_t *text, const masa_status_t *status)
{
    const apr_array_header_t *all = status->engine->masa.products;
    apr_pool_t *pool = text->pool;
    int i;

    glue_text_add(text, "<h2>Product lines</h2>\n<table>\n<tr><th>Name</th><th>Owner</th>"
                  "<th>Proximity</th><th>Nonceless</th></tr>\n");
    for (i = 0; i < all->nelts; i++) {
        const brski_product_t *product = APR_ARRAY_IDX(all, i, const brski_product_t *);

        glue_text_add(text, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                      glue_html(product->name, pool), glue_html(product->owner->name, pool),
                      masa_status_proximity(product), masa_status_nonceless(product));
    }
    glue_text_add(text, "</table>\n");
}

static void add_signer(glue_text_t *text, const brski_signer_t *signer, apr_time_t now)
{
    const apr_time_t end = masa_status_cert(signer)->not_after;

    glue_text_add(text, "<tr><td>%s%s</td><td><code>%s</code></td><td%s>%s</td><td class=\"%s\">%s"
                  "</td></tr>\n", glue_html(signer->name, text->pool),
                  signer->nonceless ? " (nonceless)" : "", brski_signer_key_id(signer),
                  end < now ? " class=\"bad\"" : "", glue_text_day(end, text->pool),
                  signer->key ? "good" : "bad", signer->key ? "there" : "away");
}

static void add_signers(glue_text_t *text, const masa_status_t *status)
{
    const apr_array_header_t *all = status->engine->signers;
    int i;

    glue_text_add(text, "<h2>Signers</h2>\n<table>\n<tr><th>Name</th><th>Key id</th>"
                  "<th>Expires</th><th>Key</th></tr>\n");
    for (i = 0; i < all->nelts; i++) {
        add_signer(text, APR_ARRAY_IDX(all, i, const brski_signer_t *), status->now);
    }
    glue_text_add(text, "</table>\n");
}

static void add_vouchers(glue_text_t *text, const masa_sums_t *sums)
{
    glue_text_add(text, "<h2>Vouchers</h2>\n<table>\n");
    glue_html_number(text, "Verified", sums->issued[BRSKI_ASSERTION_VERIFIED]);
    glue_html_number(text, "Proximity", sums->issued[BRSKI_ASSERTION_PROXIMITY]);
    glue_html_number(text, "Logged", sums->issued[BRSKI_ASSERTION_LOGGED]);
    glue_html_number(text, "Issued again to identical requests", sums->reissued);
    glue_text_add(text, "</table>\n");
}

static void add_database(glue_text_t *text, const masa_status_t *status)
{
    const masa_sums_t *sums = &status->sums;

    glue_text_add(text, "<h2>Database</h2>\n<table>\n");
    glue_html_row(text, "Kind", status->engine->dialect == BRSKI_SQLITE3 ? "SQLite" : "PostgreSQL");
    glue_html_row(text, "State", status->database ? status->database : "It answers.");
    glue_html_number(text, "Threads that use it now", sums->inside);
    glue_html_number(text, "Requests that did not get their turn", sums->turned_away);
    glue_html_number(text, "Refusals and addresses to be written", sums->waiting);
    glue_html_number(text, "Refusals dropped", sums->dropped);
    glue_text_add(text, "</table>\n");
}

static void add_cache(glue_text_t *text, const masa_sums_t *sums)
{
    glue_text_add(text, "<h2>Certificate cache</h2>\n<table>\n");
    glue_html_number(text, "Certificates", sums->cached);
    glue_html_number(text, "Known when asked for", sums->cache_hits);
    glue_html_number(text, "Parsed", sums->cache_misses);
    glue_text_add(text, "</table>\n");
}

const char *masa_status_html(const masa_status_t *status, apr_pool_t *pool)
{
    glue_text_t *text = glue_text_make(pool);

    glue_html_begin(text, "MASA", status->engine->node);
    add_readiness(text, status);
    add_server(text, status);
    add_products(text, status);
    add_signers(text, status);
    add_vouchers(text, &status->sums);
    glue_html_requests(text, status->sums.requests);
    add_database(text, status);
    add_cache(text, &status->sums);
    glue_html_end(text);
    return glue_text_all(text);
}
