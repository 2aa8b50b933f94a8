/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_join_tell.c: `brski load --join`: what the command line asks of load_join.h, and the report.
 */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"
#include "load_join.h"
#include "roles.h"

#define MAX_PLEDGES 1000000
#define MAX_CONNECTIONS 4096

/* A lab's registrar says in its pid file whom to watch. */
static int find_pid(const lab_t *lab, apr_pool_t *pool)
{
    const char *path = files_join(lab->dir, LAB_RUN "/est.pid", pool);
    brski_bytes_t text;

    return files_exists(path, pool) && !files_read(&text, path, pool)
               ? atoi((const char *)text.data) : 0;
}

static brski_err_t *read_plan(load_join_plan_t *plan, lab_t *lab, const call_t *call)
{
    apr_int64_t pledges, connections, first, timeout, pid;

    memset(plan, 0, sizeof(*plan));
    BRSKI_TRY(opt_int(&pledges, call, "number", 1, MAX_PLEDGES,
                      lab->devices < MAX_PLEDGES ? lab->devices : MAX_PLEDGES));
    BRSKI_TRY(opt_int(&connections, call, "connections", 1, MAX_CONNECTIONS, 8));
    BRSKI_TRY(opt_int(&first, call, "first", 1, MAX_PLEDGES, 1));
    BRSKI_TRY(opt_int(&timeout, call, "timeout", 1, 600, 30));
    BRSKI_TRY(opt_int(&pid, call, "pid", 1, 4194304, find_pid(lab, call->pool)));
    plan->lab = lab;
    plan->url = call->nargs ? call->args[0] : lab->registrar_url;
    plan->pledges = (apr_size_t)pledges;
    plan->first_device = (apr_size_t)first - 1;
    plan->connections = (int)(connections < pledges ? connections : pledges);
    plan->tls12 = opt_has(call, "tls12");
    plan->any_host = opt_has(call, "i-own-this-server");
    plan->timeout = (int)timeout;
    plan->max_wait = 600;
    plan->pid = (int)pid;
    return BRSKI_OK;
}

/* ---- the report ---- */

static apr_uint32_t share(const load_join_report_t *r, const apr_uint32_t *sorted, double part)
{
    apr_size_t joined = r->stopped[LOAD_JOIN_DONE], at = (apr_size_t)(part * (double)joined);

    return joined ? sorted[at < joined ? at : joined - 1] : 0;
}

static apr_int64_t each(double seconds, const load_join_report_t *r)
{
    apr_size_t joined = r->stopped[LOAD_JOIN_DONE];

    return joined ? (apr_int64_t)(seconds * 1e6 / (double)joined + 0.5) : 0;
}

static brski_json_t *latency_json(const load_join_report_t *r, const apr_uint32_t *sorted,
                                  apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);

    brski_json_set_int(doc, "p50", share(r, sorted, 0.50));
    brski_json_set_int(doc, "p90", share(r, sorted, 0.90));
    brski_json_set_int(doc, "p99", share(r, sorted, 0.99));
    brski_json_set_int(doc, "max", share(r, sorted, 1.0));
    return doc;
}

static brski_json_t *stopped_json(const load_join_report_t *r, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);
    int i;

    for (i = LOAD_JOIN_DONE + 1; i < LOAD_JOIN_STAGES; i++) {
        if (r->stopped[i]) {
            brski_json_set_int(doc, load_join_stage_text(i), (apr_int64_t)r->stopped[i]);
        }
    }
    return doc;
}

static void tell_programs(const call_t *call, const load_join_plan_t *plan,
                          const load_join_report_t *r)
{
    brski_json_t *doc = brski_json_object(call->pool);
    apr_size_t joined = r->stopped[LOAD_JOIN_DONE];

    brski_json_set_string(doc, "url", plan->url);
    brski_json_set_int(doc, "connections", plan->connections);
    brski_json_set_int(doc, "pledges", (apr_int64_t)plan->pledges);
    brski_json_set_int(doc, "joined", (apr_int64_t)joined);
    brski_json_set_int(doc, "waited", (apr_int64_t)r->waited);
    brski_json_set(doc, "stopped", stopped_json(r, call->pool));
    if (r->why) {
        brski_json_set_string(doc, "first_failure", r->why);
    }
    brski_json_set_int(doc, "duration_us", (apr_int64_t)(r->seconds * 1e6));
    brski_json_set_int(doc, "rate_per_second", (apr_int64_t)((double)joined / r->seconds + 0.5));
    brski_json_set(doc, "latency_us", latency_json(r, r->latencies, call->pool));
    brski_json_set(doc, "voucher_us", latency_json(r, r->waits, call->pool));
    if (r->before.processes && r->after.processes) {
        brski_json_set_int(doc, "server_cpu_us_per_join", each(r->after.cpu - r->before.cpu, r));
        brski_json_set_int(doc, "server_memory_before", r->before.memory);
        brski_json_set_int(doc, "server_memory_after", r->after.memory);
    }
    brski_json_set_int(doc, "client_cpu_us_per_join", each(r->client_cpu, r));
    say_json(call->say, doc);
}

static const char *latency_text(const load_join_report_t *r, const apr_uint32_t *sorted,
                                apr_pool_t *pool)
{
    return apr_psprintf(pool, "p50 %.1f   p90 %.1f   p99 %.1f   max %.1f ms",
                        share(r, sorted, 0.50) / 1000.0, share(r, sorted, 0.90) / 1000.0,
                        share(r, sorted, 0.99) / 1000.0, share(r, sorted, 1.0) / 1000.0);
}

static const char *stopped_text(const load_join_report_t *r, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = LOAD_JOIN_DONE + 1; i < LOAD_JOIN_STAGES; i++) {
        if (r->stopped[i]) {
            text = apr_psprintf(pool, "%s%s%s: %s", text, *text ? "   " : "",
                                load_join_stage_text(i),
                                say_count((apr_int64_t)r->stopped[i], pool));
        }
    }
    return *text ? apr_pstrcat(pool, text, "   (", brski_printable(r->why, 300, pool), ")", NULL)
                 : "none";
}

static void tell_people(const call_t *call, const load_join_plan_t *plan,
                        const load_join_report_t *r)
{
    apr_pool_t *pool = call->pool;
    apr_size_t joined = r->stopped[LOAD_JOIN_DONE];

    say_line(call->say, "%s", plan->url);
    say_line(call->say, "joined     %s of %s in %.2f s: %.1f a second, %d at once",
             say_count((apr_int64_t)joined, pool), say_count((apr_int64_t)plan->pledges, pool),
             r->seconds, (double)joined / r->seconds, plan->connections);
    say_line(call->say, "whole join %s", latency_text(r, r->latencies, pool));
    say_line(call->say, "to voucher %s", latency_text(r, r->waits, pool));
    say_line(call->say, "waited     %s were told to come again",
             say_count((apr_int64_t)r->waited, pool));
    say_line(call->say, "stopped    %s", stopped_text(r, pool));
    if (r->before.processes && r->after.processes) {
        say_line(call->say, "server     %s us CPU a join; %d processes, %.1f MB before, %.1f after",
                 say_count(each(r->after.cpu - r->before.cpu, r), pool), r->after.processes,
                 (double)r->before.memory / 1e6, (double)r->after.memory / 1e6);
    }
    say_line(call->say, "client     %s us CPU a join", say_count(each(r->client_cpu, r), pool));
}

brski_err_t *load_join(call_t *call)
{
    load_join_plan_t plan;
    load_join_report_t *report;
    lab_t *lab;

    BRSKI_TRY(role_lab(&lab, call));
    if (!lab || !(call->nargs || lab->registrar_url)) {
        return opt_usage(call, "say which devices join: --lab DIR");
    }
    BRSKI_TRY(read_plan(&plan, lab, call));
    BRSKI_TRY(load_join_run(&report, &plan, call));
    tell_people(call, &plan, report);
    tell_programs(call, &plan, report);
    call->status = report->stopped[LOAD_JOIN_DONE] == plan.pledges ? EXIT_DONE : EXIT_REFUSED;
    return BRSKI_OK;
}
