/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_status_metrics.c: est-status?metrics: Prometheus' text format 0.0.4. docs/mod_est.md has the
 * table of names. What the database tells is left out while it does not answer.
 */
#include "est_status.h"

#include <apr_strings.h>

#include "glue_metrics.h"

#define P "est_"

static void add_pledges(glue_text_t *text, const brski_counts_t *counts)
{
    int v;

    glue_metric_head(text, P "pledges", "gauge", "Devices by the verdict over their audit log.");
    for (v = BRSKI_VERDICT_NONE; v <= BRSKI_VERDICT_BAD; v++) {
        glue_text_add(text, P "pledges{verdict=\"%s\"} %" APR_INT64_T_FMT "\n",
                      brski_verdict_text((brski_verdict_t)v), counts->verdicts[v]);
    }
    glue_metric(text, P "pledges_waiting", "gauge",
                "Devices of which nobody has said whether they are welcome.", counts->undecided);
}

static void add_certificates(glue_text_t *text, const brski_counts_t *counts)
{
    const char *const states[] = { "live", "expired", "revoked" };
    const apr_int64_t values[] = { counts->live, counts->expired, counts->revoked };
    int i;

    glue_metric_head(text, P "certificates", "gauge", "Certificates issued, by state.");
    for (i = 0; i < 3; i++) {
        glue_text_add(text, P "certificates{state=\"%s\"} %" APR_INT64_T_FMT "\n", states[i],
                      values[i]);
    }
}

static void add_work(glue_text_t *text, const est_status_t *status)
{
    const brski_work_t *work = &status->facts->work;
    int task;

    glue_metric_head(text, P "work_waiting", "gauge", "Requests by what is to be done next.");
    for (task = BRSKI_TASK_VOUCHER; task <= BRSKI_TASK_HUMAN; task++) {
        glue_text_add(text, P "work_waiting{task=\"%s\"} %" APR_INT64_T_FMT "\n",
                      est_status_task((brski_task_t)task), work->waiting[task]);
    }
    glue_metric(text, P "work_oldest_seconds", "gauge", "How long the oldest due work has waited.",
                work->oldest_due_at ? apr_time_sec(status->now - work->oldest_due_at) : 0);
}

static void add_cas(glue_text_t *text, const est_status_t *status)
{
    const apr_array_header_t *all = status->engine->est.labels;
    int i;

    glue_metric_head(text, P "ca_expires_seconds", "gauge",
                     "End of the CA's certificate, in seconds since 1970.");
    for (i = 0; i < all->nelts; i++) {
        const brski_label_t *label = APR_ARRAY_IDX(all, i, const brski_label_t *);

        glue_text_add(text, P "ca_expires_seconds{label=\"%s\"} %" APR_INT64_T_FMT "\n",
                      glue_metric_label(label->name, text->pool),
                      (apr_int64_t)apr_time_sec(est_status_first(label->ca->chain)->not_after));
    }
    glue_metric_head(text, P "ca_up", "gauge", "1 when the CA can issue.");
    for (i = 0; i < all->nelts; i++) {
        const brski_label_t *label = APR_ARRAY_IDX(all, i, const brski_label_t *);

        glue_text_add(text, P "ca_up{label=\"%s\"} %d\n",
                      glue_metric_label(label->name, text->pool), !label->ca->away);
    }
}

static void add_registrar_certificates(glue_text_t *text, const est_status_t *status)
{
    const apr_array_header_t *all = status->engine->registrar.certificates;
    int i;

    glue_metric_head(text, P "registrar_certificate_expires_seconds", "gauge",
                     "End of a registrar certificate, in seconds since 1970.");
    for (i = 0; i < all->nelts; i++) {
        const brski_cert_t *cert = est_status_first(
            APR_ARRAY_IDX(all, i, const brski_registrar_cert_t *)->chain);

        glue_text_add(text, P "registrar_certificate_expires_seconds{key=\"%s\"} %"
                      APR_INT64_T_FMT "\n", cert->spki_hex,
                      (apr_int64_t)apr_time_sec(cert->not_after));
    }
}

static void add_requests(glue_text_t *text, const est_sums_t *sums)
{
    int i;

    glue_metric_head(text, P "requests_total", "counter",
                     "Requests by operation, status and log number (0: served).");
    for (i = 0; i < sums->requests->nelts; i++) {
        const glue_request_sum_t *sum = &APR_ARRAY_IDX(sums->requests, i,
                                                       const glue_request_sum_t);

        glue_text_add(text, P "requests_total{operation=\"%s\",status=\"%d\",number=\"%d\"} "
                      "%lu\n", sum->operation, sum->status, sum->number, sum->count);
    }
}

static void add_done(glue_text_t *text, const est_sums_t *sums)
{
    glue_metric(text, P "start_time_seconds", "gauge",
                "When counting began, in seconds since 1970.", apr_time_sec(sums->since));
    glue_metric(text, P "processes", "gauge", "Processes of httpd that serve this registrar.",
                sums->processes);
    glue_metric(text, P "vouchers_total", "counter", "Vouchers handed to devices.",
                (apr_int64_t)sums->vouchers);
    glue_metric(text, P "certificates_issued_total", "counter", "New certificates.",
                (apr_int64_t)sums->issued);
    glue_metric(text, P "certificates_again_total", "counter",
                "Certificates given again to identical requests.", (apr_int64_t)sums->again);
    glue_metric(text, P "alarms_total", "counter", "What somebody was told.",
                (apr_int64_t)sums->alarms);
}

static void add_levels(glue_text_t *text, const est_sums_t *sums)
{
    glue_metric(text, P "masa_working", "gauge", "Threads that ask a MASA now.",
                (apr_int64_t)sums->working);
    glue_metric(text, P "masa_queued", "gauge", "Questions that wait for a thread.",
                (apr_int64_t)sums->queued);
    glue_metric(text, P "masa_waiting", "gauge", "Devices that wait for their answer.",
                (apr_int64_t)sums->waiting);
    glue_metric(text, P "database_inside", "gauge", "Threads that use the database now.",
                (apr_int64_t)sums->inside);
    glue_metric(text, P "database_turned_away_total", "counter",
                "Requests that did not get their turn in the database.",
                (apr_int64_t)sums->turned_away);
    glue_metric(text, P "certificate_cache_hits_total", "counter",
                "Certificates that the cache knew.", (apr_int64_t)sums->cache_hits);
    glue_metric(text, P "certificate_cache_misses_total", "counter",
                "Certificates that had to be parsed.", (apr_int64_t)sums->cache_misses);
}

const char *est_status_metrics(const est_status_t *status, apr_pool_t *pool)
{
    glue_text_t *text = glue_text_make(pool);

    glue_metric_head(text, P "info", "gauge", "This registrar.");
    glue_text_add(text, P "info{version=\"%s\",tenant=\"%s\",node=\"%s\"} 1\n",
                  glue_metric_label(BRSKI_VERSION, pool), glue_metric_label(status->tenant, pool),
                  glue_metric_label(status->engine->node, pool));
    glue_metric(text, P "database_up", "gauge", "1 when the database answers.",
                !status->health.database);
    if (status->facts->known) {
        add_pledges(text, &status->facts->counts);
        add_certificates(text, &status->facts->counts);
        add_work(text, status);
    }
    add_cas(text, status);
    add_registrar_certificates(text, status);
    add_requests(text, &status->sums);
    add_done(text, &status->sums);
    add_levels(text, &status->sums);
    return glue_text_all(text);
}
