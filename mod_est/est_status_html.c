/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_status_html.c: est-status for people: what waits for them first, then what is. Every string
 * on it is escaped, whoever wrote it.
 */
#include "est_status.h"

#include <apr_strings.h>

#include "brski_bytes.h"
#include "glue_html.h"

#define SHOWN_MAX 300                     /* octets of what a stranger may have written */

static const char *shown(const char *text, apr_pool_t *pool)
{
    return glue_html(text ? brski_printable(text, SHOWN_MAX, pool) : "", pool);
}

/* What was made printable when it was written down. */
static const char *printed(const char *text, apr_pool_t *pool)
{
    return text ? glue_html(text, pool) : "";
}

/* Minutes are enough for eyes. */
static const char *minute(apr_time_t at, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, glue_text_time(at, pool));

    if (strlen(text) > 16) {
        text[10] = ' ';
        text[16] = '\0';
    }
    return text;
}

/* ---- how it is ---- */

static void add_readiness(glue_text_t *text, const est_status_t *status)
{
    if (!status->health.database && status->health.ca) {
        glue_text_add(text, "<p class=\"good\">Ready: the database answers, and there is a CA to "
                      "issue with.</p>\n");
        return;
    }
    if (status->health.database) {
        glue_text_add(text, "<p class=\"bad\">%s</p>\n",
                      glue_html(status->health.database, text->pool));
    }
    if (!status->health.ca) {
        glue_text_add(text, "<p class=\"bad\">No CA can issue.</p>\n");
    }
}

/* ---- what waits for somebody ---- */

static void add_anchor(glue_text_t *text, const brski_first_use_t *use)
{
    glue_text_add(text, "<tr><td>%s</td><td>Is this who %s of %s? Key <code>%s</code></td>"
                  "<td><code>estctl masa show %s %s</code></td></tr>\n",
                  minute(use->first_seen_at, text->pool),
                  strcmp(use->purpose, "tls") ? "signs vouchers" : "is the MASA server",
                  shown(use->manufacturer, text->pool), shown(use->spki, text->pool),
                  shown(use->manufacturer, text->pool), shown(use->purpose, text->pool));
}

static void add_parked(glue_text_t *text, const brski_request_t *request)
{
    glue_text_add(text, "<tr><td>%s</td><td>%s %s: %s</td>"
                  "<td><code>estctl pledge show %s %s</code></td></tr>\n",
                  minute(request->created_at, text->pool),
                  shown(request->manufacturer, text->pool),
                  shown(request->serial_number, text->pool), printed(request->detail, text->pool),
                  shown(request->manufacturer, text->pool),
                  shown(request->serial_number, text->pool));
}

static void add_decisions(glue_text_t *text, const est_status_t *status)
{
    const est_facts_t *facts = status->facts;
    int i;

    if (!est_status_decisions(facts)) {
        return;
    }
    glue_text_add(text, "<h2>Waiting for somebody's word</h2>\n<table>\n<tr><th>Since</th>"
                  "<th>What</th><th>Look</th></tr>\n");
    for (i = 0; i < facts->anchors->nelts; i++) {
        add_anchor(text, APR_ARRAY_IDX(facts->anchors, i, const brski_first_use_t *));
    }
    for (i = 0; i < facts->open->nelts; i++) {
        const brski_request_t *request = APR_ARRAY_IDX(facts->open, i, const brski_request_t *);

        if (request->task == BRSKI_TASK_HUMAN) {
            add_parked(text, request);
        }
    }
    if (facts->approvals) {
        glue_text_add(text, "<tr><td></td><td>%d enrolments</td><td><code>estctl cert waiting"
                      "</code></td></tr>\n", facts->approvals);
    }
    glue_text_add(text, "</table>\n");
}

static void add_alarms(glue_text_t *text, const est_facts_t *facts)
{
    int i;

    glue_text_add(text, "<h2>Alarms</h2>\n");
    if (!facts->alarms->nelts) {
        glue_text_add(text, "<p>None.</p>\n");
        return;
    }
    glue_text_add(text, "<table>\n<tr><th>When</th><th>Kind</th><th>Device</th><th>What</th>"
                  "</tr>\n");
    for (i = 0; i < facts->alarms->nelts; i++) {
        const brski_note_t *note = APR_ARRAY_IDX(facts->alarms, i, const brski_note_t *);

        glue_text_add(text, "<tr><td>%s</td><td>%s</td><td>%s %s</td><td>%s</td></tr>\n",
                      minute(note->at, text->pool), shown(note->kind, text->pool),
                      shown(note->manufacturer, text->pool),
                      shown(note->serial_number, text->pool), printed(note->text, text->pool));
    }
    glue_text_add(text, "</table>\n");
}

/* ---- devices and certificates ---- */

static void count(glue_text_t *text, const char *name, apr_int64_t value, int more)
{
    glue_text_add(text, "<tr><th>%s</th><td class=\"n\">%s%" APR_INT64_T_FMT "</td></tr>\n", name,
                  more ? "more than " : "", value);
}

static void add_devices(glue_text_t *text, const brski_counts_t *counts)
{
    glue_text_add(text, "<h2>Devices</h2>\n<table>\n");
    count(text, "Known", counts->pledges, counts->pledges_more);
    count(text, "History good", counts->verdicts[BRSKI_VERDICT_GOOD], 0);
    count(text, "History accepted, somebody should look", counts->verdicts[BRSKI_VERDICT_WARN], 0);
    count(text, "History not judged yet", counts->verdicts[BRSKI_VERDICT_PENDING], 0);
    glue_text_add(text, "<tr><th>History bad</th><td class=\"n%s\">%" APR_INT64_T_FMT
                  "</td></tr>\n", counts->verdicts[BRSKI_VERDICT_BAD] ? " bad" : "",
                  counts->verdicts[BRSKI_VERDICT_BAD]);
    count(text, "No voucher yet", counts->verdicts[BRSKI_VERDICT_NONE], 0);
    count(text, "Named by nobody (estctl pledge allow)", counts->undecided, 0);
    count(text, "Refused", counts->refused, 0);
    glue_text_add(text, "</table>\n");
    if (counts->pledges_more) {
        glue_text_add(text, "<p>The lines below the first are of the first %d.</p>\n",
                      BRSKI_COUNT_MAX);
    }
}

static void add_certificates(glue_text_t *text, const brski_counts_t *counts)
{
    glue_text_add(text, "<h2>Certificates issued</h2>\n<table>\n");
    count(text, "All", counts->certificates, counts->certificates_more);
    count(text, "Valid", counts->live, 0);
    count(text, "Expired", counts->expired, 0);
    count(text, "Revoked", counts->revoked, 0);
    glue_text_add(text, "</table>\n");
    if (counts->certificates_more) {
        glue_text_add(text, "<p>The lines below the first are of %d.</p>\n", BRSKI_COUNT_MAX);
    }
}

/* ---- work ---- */

static void add_request(glue_text_t *text, const brski_request_t *request)
{
    glue_text_add(text, "<tr><td>%s</td><td>%s %s</td><td>%s</td><td class=\"n\">%d</td>"
                  "<td>%s</td></tr>\n", minute(request->created_at, text->pool),
                  shown(request->manufacturer, text->pool),
                  shown(request->serial_number, text->pool), est_status_task(request->task),
                  request->attempts, printed(request->detail, text->pool));
}

static void add_work(glue_text_t *text, const est_status_t *status)
{
    const brski_work_t *work = &status->facts->work;
    const apr_array_header_t *open = status->facts->open;
    int i;

    glue_text_add(text, "<h2>Work</h2>\n<table>\n");
    glue_html_number(text, "MASAs to be asked for vouchers", work->waiting[BRSKI_TASK_VOUCHER]);
    glue_html_number(text, "Audit logs to be fetched", work->waiting[BRSKI_TASK_AUDIT]);
    glue_html_number(text, "Devices that should report", work->waiting[BRSKI_TASK_TELEMETRY]);
    glue_html_number(text, "Audit logs to be looked at again", work->waiting[BRSKI_TASK_RECHECK]);
    glue_html_number(text, "Parked until somebody decides", work->waiting[BRSKI_TASK_HUMAN]);
    glue_html_row(text, "Oldest that is due", work->oldest_due_at
                  ? glue_text_time(work->oldest_due_at, text->pool) : "none");
    glue_html_number(text, "Threads at work", status->sums.working);
    glue_html_number(text, "Handed over to them and not begun", status->sums.queued);
    glue_html_number(text, "Devices that wait for their answer", status->sums.waiting);
    glue_text_add(text, "</table>\n");
    if (!open->nelts) {
        return;
    }
    glue_text_add(text, "<h2>Being worked on</h2>\n<table>\n<tr><th>Since</th><th>Device</th>"
                  "<th>Next</th><th>Tries</th><th>What happened last</th></tr>\n");
    for (i = 0; i < open->nelts; i++) {
        add_request(text, APR_ARRAY_IDX(open, i, const brski_request_t *));
    }
    glue_text_add(text, "</table>\n");
}

/* ---- configuration ---- */

static void add_manufacturers(glue_text_t *text, const brski_registrar_t *registrar)
{
    const apr_array_header_t *all = registrar->manufacturers;
    int i;

    glue_text_add(text, "<h2>Manufacturers</h2>\n");
    if (!all->nelts) {
        glue_text_add(text, "<p>None: this is an EST server only.</p>\n");
        return;
    }
    glue_text_add(text, "<table>\n<tr><th>Name</th><th>Devices</th><th>Vouchers</th>"
                  "<th>MASA's TLS</th><th>MASA</th></tr>\n");
    for (i = 0; i < all->nelts; i++) {
        const brski_manufacturer_t *m = APR_ARRAY_IDX(all, i, const brski_manufacturer_t *);

        glue_text_add(text, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                      shown(m->name, text->pool), est_status_pledges(m),
                      est_status_trust(m->voucher_trust), est_status_trust(m->tls_trust),
                      m->masa_url ? shown(m->masa_url, text->pool) : "as the IDevID says");
    }
    glue_text_add(text, "</table>\n");
}

static void add_end(glue_text_t *text, const brski_cert_t *cert, apr_time_t now)
{
    glue_text_add(text, "<td>%s</td><td%s>%s</td>", shown(cert->subject, text->pool),
                  cert->not_after < now ? " class=\"bad\"" : "",
                  glue_text_day(cert->not_after, text->pool));
}

static void add_labels(glue_text_t *text, const est_status_t *status)
{
    const apr_array_header_t *all = status->engine->est.labels;
    int i;

    glue_text_add(text, "<h2>CAs</h2>\n<table>\n<tr><th>Label</th><th>Issuer</th><th>Expires</th>"
                  "<th>State</th></tr>\n");
    for (i = 0; i < all->nelts; i++) {
        const brski_label_t *label = APR_ARRAY_IDX(all, i, const brski_label_t *);

        glue_text_add(text, "<tr><td>%s</td>", shown(est_status_label(label), text->pool));
        add_end(text, est_status_first(label->ca->chain), status->now);
        glue_text_add(text, "<td class=\"%s\">%s</td></tr>\n", label->ca->away ? "bad" : "good",
                      label->ca->away ? "away" : "can issue");
    }
    glue_text_add(text, "</table>\n");
}

static void add_registrar_certificates(glue_text_t *text, const est_status_t *status)
{
    const apr_array_header_t *all = status->engine->registrar.certificates;
    int i;

    if (!all->nelts) {
        return;
    }
    glue_text_add(text, "<h2>Registrar certificates</h2>\n<table>\n<tr><th>Subject</th>"
                  "<th>Expires</th><th>Key</th></tr>\n");
    for (i = 0; i < all->nelts; i++) {
        const brski_registrar_cert_t *c = APR_ARRAY_IDX(all, i, const brski_registrar_cert_t *);

        glue_text_add(text, "<tr>");
        add_end(text, est_status_first(c->chain), status->now);
        glue_text_add(text, "<td><code>%s</code></td></tr>\n",
                      est_status_first(c->chain)->spki_hex);
    }
    glue_text_add(text, "</table>\n");
}

static void add_nodes(glue_text_t *text, const est_status_t *status)
{
    const apr_array_header_t *all = status->facts->nodes;
    const char *hash = status->engine->snapshot ? status->engine->snapshot_hash : "";
    int i;

    glue_text_add(text, "<h2>Servers on this database</h2>\n<table>\n<tr><th>Name</th>"
                  "<th>Started</th><th>Configuration</th></tr>\n");
    for (i = 0; i < all->nelts; i++) {
        const brski_node_t *node = APR_ARRAY_IDX(all, i, const brski_node_t *);
        const int same = !strcmp(node->hash, hash);

        glue_text_add(text, "<tr><td>%s</td><td>%s</td><td%s>%s</td></tr>\n",
                      shown(node->node, text->pool), minute(node->published_at, text->pool),
                      same ? "" : " class=\"bad\"", same ? "as this one" : "differs");
    }
    glue_text_add(text, "</table>\n");
}

static void add_server(glue_text_t *text, const est_status_t *status)
{
    glue_text_add(text, "<h2>Server</h2>\n<table>\n");
    glue_html_row(text, "Version", BRSKI_VERSION);
    glue_html_row(text, "Tenant", status->tenant);
    glue_html_row(text, "Now", glue_text_time(status->now, text->pool));
    glue_html_row(text, "Counting since", glue_text_time(status->sums.since, text->pool));
    glue_html_number(text, "Processes", status->sums.processes);
    glue_html_row(text, "Database", status->engine->dialect == BRSKI_SQLITE3 ? "SQLite"
                                                                             : "PostgreSQL");
    glue_html_row(text, "State of the database",
                  status->health.database ? status->health.database : "It answers.");
    glue_html_number(text, "Threads that use it now", status->sums.inside);
    glue_html_number(text, "Requests that did not get their turn", status->sums.turned_away);
    glue_html_number(text, "Certificates kept parsed", status->sums.cached);
    glue_text_add(text, "</table>\n");
}

/* ---- what was counted ---- */

static void add_counted(glue_text_t *text, const est_sums_t *sums)
{
    glue_text_add(text, "<h2>Since httpd was started</h2>\n<table>\n");
    glue_html_number(text, "Vouchers handed to devices", sums->vouchers);
    glue_html_number(text, "Certificates issued", sums->issued);
    glue_html_number(text, "Certificates given again to identical requests", sums->again);
    glue_html_number(text, "Alarms", sums->alarms);
    glue_text_add(text, "</table>\n");
    glue_html_requests(text, sums->requests);
}

const char *est_status_html(const est_status_t *status, apr_pool_t *pool)
{
    glue_text_t *text = glue_text_make(pool);

    glue_html_begin(text, "Registrar", status->engine->node);
    add_readiness(text, status);
    if (status->facts->known) {
        add_decisions(text, status);
        add_alarms(text, status->facts);
        add_devices(text, &status->facts->counts);
        add_certificates(text, &status->facts->counts);
        add_work(text, status);
    }
    else if (!status->health.database) {
        glue_text_add(text, "<p class=\"bad\">The records cannot be read now.</p>\n");
    }
    add_counted(text, &status->sums);
    add_manufacturers(text, &status->engine->registrar);
    add_labels(text, status);
    add_registrar_certificates(text, status);
    if (status->facts->known) {
        add_nodes(text, status);
    }
    add_server(text, status);
    glue_html_end(text);
    return glue_text_all(text);
}
