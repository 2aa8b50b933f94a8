/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_status.c: the handler est-status, the facts that it reads from the database, and what its
 * three forms share, as est_status.h says.
 */
#include "est_status.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_config.h>

#include "brski_err.h"
#include "brski_records_tools.h"

/* Facts are as old as this at most, failures too. */
#define FRESH apr_time_from_sec(5)
#define ALARMS_SHOWN 20
#define WORK_SHOWN 20

/* One process's facts; read, used and replaced with the mutex held. */
typedef struct est_facts_keeper_t {
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool;                 /* of facts */
    est_facts_t facts;
} est_facts_keeper_t;

/* ---- words ---- */

const char *est_status_pledges(const brski_manufacturer_t *m)
{
    static const char *const words[] = { "", "listed", "approve", "any" };

    return words[m->pledges];
}

const char *est_status_trust(brski_trust_t trust)
{
    static const char *const words[] = { "", "anchors", "webpki", "tofu" };

    return words[trust];
}

const char *est_status_task(brski_task_t task)
{
    static const char *const words[] = { "none", "voucher", "audit", "telemetry", "recheck",
                                         "human" };

    return words[task];
}

const char *est_status_label(const brski_label_t *label)
{
    return *label->name ? label->name : "(none)";
}

const brski_cert_t *est_status_first(const apr_array_header_t *chain)
{
    return APR_ARRAY_IDX(chain, 0, const brski_cert_t *);
}

int est_status_decisions(const est_facts_t *facts)
{
    return (int)facts->work.waiting[BRSKI_TASK_HUMAN] + facts->approvals + facts->anchors->nelts;
}

/* ---- facts ---- */

static brski_err_t *read_anchors(est_facts_t *facts, brski_records_t *records, apr_pool_t *pool)
{
    apr_array_header_t *all;
    int i;

    BRSKI_TRY(brski_records_first_uses(&all, records, NULL, NULL, pool, pool));
    for (i = 0; i < all->nelts; i++) {
        brski_first_use_t *use = APR_ARRAY_IDX(all, i, brski_first_use_t *);

        if (!strcmp(use->state, "waiting")) {
            APR_ARRAY_PUSH(facts->anchors, brski_first_use_t *) = use;
        }
    }
    return BRSKI_OK;
}

static brski_err_t *read_facts(est_facts_t *facts, brski_records_t *records, apr_pool_t *pool)
{
    apr_array_header_t *approvals;

    BRSKI_TRY(brski_records_counts(&facts->counts, records, facts->at, pool));
    BRSKI_TRY(brski_records_work(&facts->work, records, facts->at, pool));
    BRSKI_TRY(brski_records_requests_open(&facts->open, records, BRSKI_TASK_NONE, WORK_SHOWN, pool,
                                          pool));
    BRSKI_TRY(brski_records_notes(&facts->alarms, records, NULL, NULL, 1, ALARMS_SHOWN, pool,
                                  pool));
    BRSKI_TRY(read_anchors(facts, records, pool));
    BRSKI_TRY(brski_records_approvals(&approvals, records, "waiting", pool, pool));
    facts->approvals = approvals->nelts;
    return brski_records_nodes(&facts->nodes, records, pool, pool);
}

static void clear_facts(est_facts_t *facts, apr_time_t now, apr_pool_t *pool)
{
    memset(facts, 0, sizeof(*facts));
    facts->at = now;
    facts->open = apr_array_make(pool, 0, sizeof(brski_request_t *));
    facts->alarms = apr_array_make(pool, 0, sizeof(brski_note_t *));
    facts->anchors = apr_array_make(pool, 2, sizeof(brski_first_use_t *));
    facts->nodes = apr_array_make(pool, 0, sizeof(brski_node_t *));
}

/* With the mutex held. A database that is known to be away is not asked. */
static const est_facts_t *facts_of(est_facts_keeper_t *keeper, const est_status_t *status)
{
    brski_records_t *records = status->engine->registrar.records;
    est_facts_t *facts = &keeper->facts;

    if (facts->at && status->now - facts->at < FRESH && status->now >= facts->at
        && !(status->health.database && facts->known)) {
        return facts;
    }
    apr_pool_clear(keeper->pool);
    clear_facts(facts, status->now, keeper->pool);
    facts->known = !status->health.database && records
                   && !read_facts(facts, records, keeper->pool);
    if (!facts->known) {
        clear_facts(facts, status->now, keeper->pool);
    }
    return facts;
}

void est_status_child(est_engine_t *engine, apr_pool_t *pool)
{
    est_facts_keeper_t *keeper = apr_pcalloc(pool, sizeof(*keeper));

    apr_pool_create(&keeper->pool, pool);
    apr_pool_tag(keeper->pool, "est_status");
    if (apr_thread_mutex_create(&keeper->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS) {
        engine->status = keeper;
    }
}

/* ---- the handler ---- */

typedef struct est_form_t {
    const char *args;                 /* of the URL */
    const char *type;
    const char *(*make)(const est_status_t *status, apr_pool_t *pool);
} est_form_t;

static const est_form_t forms[] = {
    { "json", "application/json", est_status_json },
    { "metrics", "text/plain; version=0.0.4; charset=utf-8", est_status_metrics },
    { NULL, "text/html; charset=utf-8", est_status_html }
};

static const est_form_t *find_form(const request_rec *r)
{
    const est_form_t *form = forms;

    while (form->args && (!r->args || strcmp(r->args, form->args))) {
        form++;
    }
    return form;
}

static void take_numbers(est_status_t *status, const est_engine_t *engine, apr_pool_t *pool)
{
    status->engine = engine;
    status->tenant = est_get_text(engine->conf, tenant);
    status->now = engine->ctx.now(engine->ctx.baton);
    est_health_ask(&status->health, engine);
    est_count_read(&status->sums, engine, pool);
}

/* The text is made while the facts cannot change. */
static const char *make_text(const est_form_t *form, est_status_t *status, apr_pool_t *pool)
{
    est_facts_keeper_t *keeper = status->engine->status;
    est_facts_t none;
    const char *text;

    if (!keeper) {
        clear_facts(&none, status->now, pool);
        status->facts = &none;
        return form->make(status, pool);
    }
    apr_thread_mutex_lock(keeper->mutex);
    status->facts = facts_of(keeper, status);
    text = form->make(status, pool);
    apr_thread_mutex_unlock(keeper->mutex);
    return text;
}

static int handler(request_rec *r)
{
    const est_form_t *form = find_form(r);
    est_status_t status = { 0 };
    glue_engine_t *glue;
    const int rv = glue_page_begin(&glue, r, "est-status");

    if (rv != OK) {
        return rv;
    }
    take_numbers(&status, glue->of, r->pool);
    /* nothing on it is active, should a name ever be */
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    return glue_page_send(r, HTTP_OK, form->type, make_text(form, &status, r->pool));
}

void est_status_hooks(void)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
