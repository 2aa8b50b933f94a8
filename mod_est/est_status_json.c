/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_status_json.c: est-status?json. Times are RFC 3339, null where there is none; members are
 * added in later versions, and none changes its meaning.
 */
#include "est_status.h"

#include <apr_strings.h>

#include "brski_bytes.h"
#include "brski_json.h"
#include "brski_time.h"

#define SHOWN_MAX 1000

static void set_time(brski_json_t *json, const char *key, apr_time_t at, apr_pool_t *pool)
{
    brski_json_set_string(json, key, at ? brski_time_rfc3339(at, pool) : NULL);
}

/* What a stranger may have written. */
static void set_shown(brski_json_t *json, const char *key, const char *text, apr_pool_t *pool)
{
    brski_json_set_string(json, key, text ? brski_printable(text, SHOWN_MAX, pool) : NULL);
}

/* ---- from the database ---- */

static brski_json_t *pledges(const brski_counts_t *counts, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);
    int v;

    brski_json_set_int(json, "known", counts->pledges);
    brski_json_set_bool(json, "more", counts->pledges_more);
    for (v = BRSKI_VERDICT_NONE; v <= BRSKI_VERDICT_BAD; v++) {
        brski_json_set_int(json, brski_verdict_text((brski_verdict_t)v), counts->verdicts[v]);
    }
    brski_json_set_int(json, "undecided", counts->undecided);
    brski_json_set_int(json, "refused", counts->refused);
    return json;
}

static brski_json_t *certificates(const brski_counts_t *counts, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_int(json, "issued", counts->certificates);
    brski_json_set_bool(json, "more", counts->certificates_more);
    brski_json_set_int(json, "live", counts->live);
    brski_json_set_int(json, "expired", counts->expired);
    brski_json_set_int(json, "revoked", counts->revoked);
    return json;
}

static brski_json_t *work(const est_status_t *status, apr_pool_t *pool)
{
    const brski_work_t *w = &status->facts->work;
    brski_json_t *json = brski_json_object(pool);
    int task;

    for (task = BRSKI_TASK_VOUCHER; task <= BRSKI_TASK_HUMAN; task++) {
        brski_json_set_int(json, est_status_task((brski_task_t)task), w->waiting[task]);
    }
    set_time(json, "oldest_due", w->oldest_due_at, pool);
    return json;
}

static brski_json_t *alarms(const est_facts_t *facts, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < facts->alarms->nelts; i++) {
        const brski_note_t *note = APR_ARRAY_IDX(facts->alarms, i, const brski_note_t *);
        brski_json_t *json = brski_json_object(pool);

        set_time(json, "at", note->at, pool);
        set_shown(json, "kind", note->kind, pool);
        set_shown(json, "manufacturer", note->manufacturer, pool);
        set_shown(json, "serial_number", note->serial_number, pool);
        brski_json_set_string(json, "text", note->text);
        brski_json_append(list, json);
    }
    return list;
}

static brski_json_t *nodes(const est_status_t *status, apr_pool_t *pool)
{
    const apr_array_header_t *all = status->facts->nodes;
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < all->nelts; i++) {
        const brski_node_t *node = APR_ARRAY_IDX(all, i, const brski_node_t *);
        brski_json_t *json = brski_json_object(pool);

        set_shown(json, "node", node->node, pool);
        brski_json_set_string(json, "hash", node->hash);
        set_time(json, "published", node->published_at, pool);
        brski_json_append(list, json);
    }
    return list;
}

static brski_json_t *waiting(const est_facts_t *facts, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_int(json, "anchors", facts->anchors->nelts);
    brski_json_set_int(json, "enrolments", facts->approvals);
    brski_json_set_int(json, "requests", facts->work.waiting[BRSKI_TASK_HUMAN]);
    return json;
}

static void set_facts(brski_json_t *json, const est_status_t *status, apr_pool_t *pool)
{
    brski_json_set(json, "waiting_for_somebody", waiting(status->facts, pool));
    brski_json_set(json, "pledges", pledges(&status->facts->counts, pool));
    brski_json_set(json, "certificates", certificates(&status->facts->counts, pool));
    brski_json_set(json, "work", work(status, pool));
    brski_json_set(json, "alarms", alarms(status->facts, pool));
    brski_json_set(json, "nodes", nodes(status, pool));
}

/* ---- from the configuration ---- */

static brski_json_t *manufacturers(const brski_registrar_t *registrar, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < registrar->manufacturers->nelts; i++) {
        const brski_manufacturer_t *m =
            APR_ARRAY_IDX(registrar->manufacturers, i, const brski_manufacturer_t *);
        brski_json_t *json = brski_json_object(pool);

        brski_json_set_string(json, "name", m->name);
        brski_json_set_string(json, "pledges", est_status_pledges(m));
        brski_json_set_string(json, "voucher_trust", est_status_trust(m->voucher_trust));
        brski_json_set_string(json, "tls_trust", est_status_trust(m->tls_trust));
        brski_json_append(list, json);
    }
    return list;
}

static void set_certificate(brski_json_t *json, const brski_cert_t *cert, apr_pool_t *pool)
{
    brski_json_set_string(json, "subject", cert->subject);
    brski_json_set_string(json, "key", cert->spki_hex);
    set_time(json, "expires", cert->not_after, pool);
}

static brski_json_t *labels(const brski_est_t *est, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < est->labels->nelts; i++) {
        const brski_label_t *label = APR_ARRAY_IDX(est->labels, i, const brski_label_t *);
        brski_json_t *json = brski_json_object(pool);

        brski_json_set_string(json, "name", label->name);
        brski_json_set_string(json, "ca", label->ca->kind->name);
        set_certificate(json, est_status_first(label->ca->chain), pool);
        brski_json_set_bool(json, "can_issue", !label->ca->away);
        brski_json_append(list, json);
    }
    return list;
}

static brski_json_t *registrar_certificates(const brski_registrar_t *registrar, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < registrar->certificates->nelts; i++) {
        const brski_registrar_cert_t *c =
            APR_ARRAY_IDX(registrar->certificates, i, const brski_registrar_cert_t *);
        brski_json_t *json = brski_json_object(pool);

        set_certificate(json, est_status_first(c->chain), pool);
        brski_json_append(list, json);
    }
    return list;
}

/* ---- what was counted ---- */

static void set_count(brski_json_t *json, const char *key, unsigned long count)
{
    brski_json_set_int(json, key, (apr_int64_t)count);
}

static brski_json_t *jobs(const est_sums_t *sums, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    set_count(json, "working", sums->working);
    set_count(json, "queued", sums->queued);
    set_count(json, "waiting", sums->waiting);
    return json;
}

static brski_json_t *requests(const est_sums_t *sums, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < sums->requests->nelts; i++) {
        const glue_request_sum_t *sum = &APR_ARRAY_IDX(sums->requests, i,
                                                       const glue_request_sum_t);
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

static brski_json_t *cache(const est_sums_t *sums, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    set_count(json, "certificates", sums->cached);
    set_count(json, "hits", sums->cache_hits);
    set_count(json, "misses", sums->cache_misses);
    return json;
}

static void set_counted(brski_json_t *json, const est_sums_t *sums, apr_pool_t *pool)
{
    brski_json_t *done = brski_json_object(pool);

    set_count(done, "vouchers", sums->vouchers);
    set_count(done, "certificates", sums->issued);
    set_count(done, "certificates_again", sums->again);
    set_count(done, "alarms", sums->alarms);
    set_time(json, "since", sums->since, pool);
    brski_json_set_int(json, "processes", sums->processes);
    brski_json_set(json, "done", done);
    brski_json_set(json, "requests", requests(sums, pool));
    brski_json_set(json, "jobs", jobs(sums, pool));
    brski_json_set(json, "certificate_cache", cache(sums, pool));
}

static brski_json_t *database(const est_status_t *status, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "kind",
                          status->engine->dialect == BRSKI_SQLITE3 ? "sqlite3" : "pgsql");
    brski_json_set_bool(json, "answers", !status->health.database);
    brski_json_set_string(json, "trouble", status->health.database);
    set_count(json, "inside", status->sums.inside);
    set_count(json, "turned_away", status->sums.turned_away);
    return json;
}

const char *est_status_json(const est_status_t *status, apr_pool_t *pool)
{
    const est_engine_t *engine = status->engine;
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "version", BRSKI_VERSION);
    brski_json_set_string(json, "tenant", status->tenant);
    brski_json_set_string(json, "node", engine->node);
    brski_json_set_string(json, "hash", engine->snapshot ? engine->snapshot_hash : NULL);
    set_time(json, "now", status->now, pool);
    brski_json_set_bool(json, "ready", !status->health.database && status->health.ca);
    brski_json_set_bool(json, "records_read", status->facts->known);
    if (status->facts->known) {
        set_facts(json, status, pool);
    }
    brski_json_set(json, "manufacturers", manufacturers(&engine->registrar, pool));
    brski_json_set(json, "labels", labels(&engine->est, pool));
    brski_json_set(json, "registrar_certificates",
                   registrar_certificates(&engine->registrar, pool));
    set_counted(json, &status->sums, pool);
    brski_json_set(json, "database", database(status, pool));
    return apr_pstrcat(pool, brski_json_text(json, 1, pool), "\n", NULL);
}
