/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_load.c: `brski load` measures a MASA: prepares requests, fires them at so many connections,
 * and tells rates, percentiles, statuses, and what a request costs the server in CPU time. It is
 * bounded by design and refuses a target that is not this machine unless told that it is one's own.
 */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_client.h"
#include "brski_voucher.h"
#include "check.h"
#include "files.h"
#include "load.h"
#include "load_join.h"
#include "load_requests.h"
#include "roles.h"

#define MAX_REQUESTS 10000000
#define MAX_DISTINCT 2000000
#define MAX_CONNECTIONS 512
#define MAX_SECONDS 3600

/* What the command line asks for. */
typedef struct order_t {
    call_t *call;
    lab_t *lab;
    const char *url;
    lab_identity_t registrar;
    int has_registrar;
    apr_int64_t total;
    apr_int64_t distinct;
    apr_int64_t warmup;
    apr_int64_t connections;
    apr_int64_t seconds;
    apr_int64_t verify;           /* each so manieth voucher; 0 none */
    apr_int64_t expect;
    apr_int64_t pid;
    apr_int64_t first;
    load_requests_t requests;
} order_t;

/* ---- the order ---- */

static brski_err_t *read_numbers(order_t *o)
{
    call_t *call = o->call;

    BRSKI_TRY(opt_int(&o->seconds, call, "seconds", 1, MAX_SECONDS, 0));
    BRSKI_TRY(
        opt_int(&o->total, call, "number", 1, MAX_REQUESTS, o->seconds ? MAX_REQUESTS : 1000));
    BRSKI_TRY(opt_int(&o->connections, call, "connections", 1, MAX_CONNECTIONS, 8));
    BRSKI_TRY(opt_int(&o->warmup, call, "warmup", 0, MAX_DISTINCT, 0));
    BRSKI_TRY(opt_int(&o->verify, call, "verify", 0, MAX_REQUESTS, 100));
    BRSKI_TRY(opt_int(&o->expect, call, "expect", 100, 599, 200));
    BRSKI_TRY(opt_int(&o->first, call, "first", 1, MAX_REQUESTS, 1));
    BRSKI_TRY(opt_int(&o->pid, call, "pid", 1, 4194304, 0));
    return opt_int(&o->distinct, call, "distinct", 1, MAX_DISTINCT,
                   o->total + o->warmup < MAX_DISTINCT && !o->seconds ? o->total + o->warmup
                                                                      : 10000);
}

/* A lab's httpd says in its pid file whom to watch. */
static void find_pid(order_t *o)
{
    const char *path = o->lab ? files_join(o->lab->dir, LAB_RUN "/httpd.pid", o->call->pool) : NULL;
    brski_bytes_t text;

    if (!o->pid && path && files_exists(path, o->call->pool) &&
        !files_read(&text, path, o->call->pool)) {
        o->pid = atoi((const char *)text.data);
    }
}

static brski_err_t *read_order(order_t *o, call_t *call)
{
    const char *operation = opt_has(call, "auditlog") ? "requestauditlog" : "requestvoucher";

    memset(o, 0, sizeof(*o));
    o->call = call;
    BRSKI_TRY(role_lab(&o->lab, call));
    BRSKI_TRY(role_registrar_files(&o->registrar, &o->has_registrar, o->lab, call));
    BRSKI_TRY(read_numbers(o));
    find_pid(o);
    if (!call->nargs && !o->lab) {
        return BRSKI_OK;
    }
    return brski_client_masa_url(&o->url, call->nargs ? call->args[0] : o->lab->url, operation,
                                 call->pool);
}

static const char *missing(const order_t *o)
{
    int files = opt_has(o->call, "requests");

    if (!o->url && !opt_has(o->call, "prepare")) {
        return "say whom to ask: a URL, or --lab DIR";
    }
    if (!files && !(o->lab && o->has_registrar)) {
        return "say what to send: --lab DIR makes requests for its devices, --requests DIR has "
               "them";
    }
    return NULL;
}

/* ---- requests ---- */

static brski_err_t *make_requests(order_t *o)
{
    const char *include = opt_get(o->call, "include");
    load_recipe_t recipe;
    identity_t registrar;

    memset(&recipe, 0, sizeof(recipe));
    BRSKI_TRY(
        identity_load(&registrar, o->registrar.chain_file, o->registrar.key_file, o->call->pool));
    BRSKI_TRY(econtent_parse(&recipe.econtent, opt_get(o->call, "econtent"), o->call->pool));
    recipe.lab = o->lab;
    recipe.registrar = &registrar;
    recipe.count = (apr_size_t)o->distinct;
    recipe.first_device = (apr_size_t)o->first - 1;
    recipe.ee_only = include && strcmp(include, "ee") == 0;
    return load_requests_make(&o->requests, &recipe, o->call);
}

static brski_err_t *get_requests(order_t *o)
{
    const char *dir = opt_get(o->call, "requests");

    return dir ? load_requests_read(&o->requests, dir, o->call->pool) : make_requests(o);
}

static brski_err_t *prepare(order_t *o, const char *dir)
{
    int empty;

    BRSKI_TRY(files_dir_empty(&empty, dir, o->call->pool));
    if (!empty) {
        return say_refuse(o->call->pool,
                          "%s is not empty; the requests need a directory of their own.", dir);
    }
    BRSKI_TRY(make_requests(o));
    BRSKI_TRY(load_requests_write(&o->requests, dir, o->call));
    say_line(o->call->say, "%s: %s requests", dir,
             say_count((apr_int64_t)o->requests.count, o->call->pool));
    return BRSKI_OK;
}

/* ---- firing ---- */

static brski_err_t *aim(https_target_t **target, const order_t *o)
{
    call_t *call = o->call;
    const char *anchor = opt_get(call, "anchor");
    int tls = o->has_registrar && !opt_has(call, "no-tls-cert");
    https_options_t options;
    apr_int64_t timeout;

    memset(&options, 0, sizeof(options));
    BRSKI_TRY(opt_int(&timeout, call, "timeout", 1, 600, 30));
    options.url = o->url;
    options.anchors = anchor ? anchor : o->lab ? o->lab->tls_anchor : NULL;
    options.chain_file = tls ? o->registrar.chain_file : NULL;
    options.key_file = tls ? o->registrar.key_file : NULL;
    options.content_type = brski_format_media_type(BRSKI_FORMAT_CMS);
    options.accept = opt_has(call, "auditlog") ? "application/json" : options.content_type;
    options.close = opt_has(call, "new-connections");
    options.tls12 = opt_has(call, "tls12");
    options.any_host = opt_has(call, "i-own-this-server");
    options.timeout = (int)timeout;
    return https_target_make(target, &options, call->pool);
}

/* ---- vouchers ---- */

/* What was checked of what came. */
typedef struct verdict_t {
    apr_size_t checked;
    apr_size_t bad;
    const char *why;              /* of the first bad one */
} verdict_t;

static const char *first_failure(const apr_array_header_t *checks, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < checks->nelts; i++) {
        const check_t *check = &APR_ARRAY_IDX(checks, i, check_t);

        if (check->passed == 0) {
            return apr_pstrcat(pool, check->name, ": ", check->text, NULL);
        }
    }
    return "unknown";
}

static void check_one(verdict_t *v, const order_t *o, const load_kept_t *kept, check_want_t *want,
                      apr_pool_t *result_pool, apr_pool_t *pool)
{
    brski_signed_t *request;
    apr_array_header_t *checks;

    if (brski_signed_open(&request, o->requests.all[kept->request], BRSKI_FORMAT_CMS,
                          BRSKI_VOUCHER_REQUEST, &brski_limits_default, NULL, pool)) {
        return;                   /* what we cannot read ourselves has no expected answer */
    }
    want->serial_number = request->voucher->serial_number;
    want->nonce = request->voucher->nonce;
    want->nonceless_ok = !want->nonce;
    v->checked++;
    if (!check_voucher(&checks, kept->body, want, pool) && !v->bad++) {
        v->why = apr_pstrdup(result_pool, first_failure(checks, pool));
    }
}

static brski_err_t *check_vouchers(verdict_t *v, const order_t *o, const load_report_t *report)
{
    call_t *call = o->call;
    apr_array_header_t *paths = apr_array_copy(call->pool, opt_all(call, "voucher-anchor"));
    brski_anchors_t *anchors;
    check_want_t want;
    apr_pool_t *each;
    int i;

    memset(v, 0, sizeof(*v));
    if (opt_has(call, "auditlog") || (!o->lab && !paths->nelts)) {
        return BRSKI_OK;
    }
    if (!paths->nelts) {
        APR_ARRAY_PUSH(paths, const char *) = o->lab->voucher_anchor;
    }
    BRSKI_TRY(brski_anchors_load(&anchors, paths, call->pool));
    memset(&want, 0, sizeof(want));
    want.anchors = anchors;
    want.at = call->ctx->now(call->ctx->baton);
    apr_pool_create(&each, call->pool);
    for (i = 0; i < report->kept->nelts; i++) {
        check_one(v, o, &APR_ARRAY_IDX(report->kept, i, load_kept_t), &want, call->pool, each);
        apr_pool_clear(each);
    }
    return BRSKI_OK;
}

/* ---- the report ---- */

static double ms(const load_report_t *r, double share)
{
    return load_percentile(r, share) / 1000.0;
}

/* Numbers with one decimal as text would not be numbers: microseconds are whole. */
static void put_latency(brski_json_t *doc, const load_report_t *r, apr_pool_t *pool)
{
    brski_json_t *latency = brski_json_object(pool);

    brski_json_set_int(latency, "p50", load_percentile(r, 0.50));
    brski_json_set_int(latency, "p90", load_percentile(r, 0.90));
    brski_json_set_int(latency, "p99", load_percentile(r, 0.99));
    brski_json_set_int(latency, "max", load_percentile(r, 1.0));
    brski_json_set(doc, "latency_us", latency);
}

static void put_counts(brski_json_t *doc, const load_report_t *r, apr_pool_t *pool)
{
    brski_json_t *statuses = brski_json_object(pool), *failures = brski_json_object(pool);
    int i;

    for (i = 0; i < LOAD_STATUS_MAX; i++) {
        if (r->statuses[i]) {
            brski_json_set_int(statuses, apr_itoa(pool, i), (apr_int64_t)r->statuses[i]);
        }
    }
    for (i = HTTPS_CONNECT; i < HTTPS_FAILURES; i++) {
        if (r->failures[i]) {
            brski_json_set_int(failures, https_failure_text(i), (apr_int64_t)r->failures[i]);
        }
    }
    brski_json_set(doc, "statuses", statuses);
    brski_json_set(doc, "failures", failures);
    if (r->why) {
        brski_json_set_string(doc, "first_failure", r->why);
    }
}

static apr_int64_t per_request(double seconds, const load_report_t *r)
{
    return r->answered ? (apr_int64_t)(seconds * 1e6 / (double)r->answered + 0.5) : 0;
}

static void put_server(brski_json_t *doc, const load_report_t *r, apr_pool_t *pool)
{
    brski_json_t *server = brski_json_object(pool);

    if (!r->before.processes || !r->after.processes) {
        return;
    }
    brski_json_set_int(server, "cpu_us_per_request", per_request(r->after.cpu - r->before.cpu, r));
    brski_json_set_int(server, "processes", r->after.processes);
    brski_json_set_int(server, "memory_before", r->before.memory);
    brski_json_set_int(server, "memory_after", r->after.memory);
    brski_json_set(doc, "server", server);
}

static void tell_programs(const order_t *o, const load_report_t *r, const verdict_t *v)
{
    apr_pool_t *pool = o->call->pool;
    brski_json_t *doc = brski_json_object(pool);

    brski_json_set_string(doc, "url", o->url);
    brski_json_set_int(doc, "connections", o->connections);
    brski_json_set_bool(doc, "new_connections", opt_has(o->call, "new-connections"));
    brski_json_set_int(doc, "distinct", (apr_int64_t)o->requests.count);
    brski_json_set_int(doc, "answered", (apr_int64_t)r->answered);
    brski_json_set_int(doc, "failed", (apr_int64_t)r->failed);
    brski_json_set_int(doc, "opened", (apr_int64_t)r->opened);
    brski_json_set_int(doc, "duration_us", (apr_int64_t)(r->seconds * 1e6));
    brski_json_set_int(doc, "rate_per_second",
                       (apr_int64_t)((double)r->answered / r->seconds + 0.5));
    put_latency(doc, r, pool);
    put_counts(doc, r, pool);
    put_server(doc, r, pool);
    brski_json_set_int(doc, "client_cpu_us_per_request", per_request(r->client_cpu, r));
    brski_json_set_int(doc, "vouchers_checked", (apr_int64_t)v->checked);
    brski_json_set_int(doc, "vouchers_bad", (apr_int64_t)v->bad);
    say_json(o->call->say, doc);
}

/* "200: 9,990   503: 10" */
static const char *statuses_text(const load_report_t *r, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < LOAD_STATUS_MAX; i++) {
        if (r->statuses[i]) {
            text = apr_psprintf(pool, "%s%s%d: %s", text, *text ? "   " : "", i,
                                say_count((apr_int64_t)r->statuses[i], pool));
        }
    }
    return *text ? text : "none";
}

static const char *failures_text(const load_report_t *r, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = HTTPS_CONNECT; i < HTTPS_FAILURES; i++) {
        if (r->failures[i]) {
            text = apr_psprintf(pool, "%s%s%s: %s", text, *text ? "   " : "", https_failure_text(i),
                                say_count((apr_int64_t)r->failures[i], pool));
        }
    }
    return *text ? apr_pstrcat(pool, text, "   (", brski_printable(r->why, 160, pool), ")", NULL)
                 : "none";
}

static void tell_people(const order_t *o, const load_report_t *r, const verdict_t *v)
{
    say_t *say = o->call->say;
    apr_pool_t *pool = o->call->pool;

    say_line(say, "%s", o->url);
    say_line(say, "requests   %s in %.2f s: %.1f a second, at %d connections%s, %s opened",
             say_count((apr_int64_t)r->answered, pool), r->seconds,
             (double)r->answered / r->seconds, (int)o->connections,
             opt_has(o->call, "new-connections") ? ", a new one each" : "",
             say_count((apr_int64_t)r->opened, pool));
    say_line(say, "latency    p50 %.2f   p90 %.2f   p99 %.2f   max %.2f ms", ms(r, 0.50),
             ms(r, 0.90), ms(r, 0.99), ms(r, 1.0));
    say_line(say, "answers    %s", statuses_text(r, pool));
    say_line(say, "failures   %s", failures_text(r, pool));
    if (r->before.processes && r->after.processes) {
        say_line(say, "server     %s us CPU a request; %d processes, %.1f MB before, %.1f MB after",
                 say_count(per_request(r->after.cpu - r->before.cpu, r), pool), r->after.processes,
                 (double)r->before.memory / 1e6, (double)r->after.memory / 1e6);
    }
    say_line(say, "client     %s us CPU a request", say_count(per_request(r->client_cpu, r), pool));
    if (v->checked) {
        say_line(say, "vouchers   %s checked, %s bad%s%s", say_count((apr_int64_t)v->checked, pool),
                 v->bad ? say_count((apr_int64_t)v->bad, pool) : "none", v->why ? ": " : "",
                 v->why ? v->why : "");
    }
}

/* Anything but what was expected makes the run a failed one. */
static int as_expected(const order_t *o, const load_report_t *r, const verdict_t *v)
{
    return !r->failed && !v->bad && r->answered && r->statuses[o->expect] == r->answered;
}

static void warn_of_repetition(const order_t *o)
{
    if (!o->seconds && (apr_size_t)(o->total + o->warmup) > o->requests.count) {
        say_note(o->call->say,
                 "%s requests are sent more than once; a MASA answers those from its records",
                 say_count((apr_int64_t)o->requests.count, o->call->pool));
    }
}

static brski_err_t *fire(order_t *o)
{
    call_t *call = o->call;
    load_plan_t plan;
    load_report_t *report;
    https_target_t *target;
    verdict_t verdict;

    memset(&plan, 0, sizeof(plan));
    BRSKI_TRY(aim(&target, o));
    BRSKI_TRY(get_requests(o));
    warn_of_repetition(o);
    plan.target = target;
    plan.requests = o->requests.all;
    plan.distinct = o->requests.count;
    plan.total = (apr_size_t)o->total;
    plan.warmup = (apr_size_t)o->warmup;
    plan.connections = (int)o->connections;
    plan.seconds = (int)o->seconds;
    plan.keep_every = (int)o->verify;
    plan.pid = (int)o->pid;
    BRSKI_TRY(load_run(&report, &plan, call->say, call->pool));
    BRSKI_TRY(check_vouchers(&verdict, o, report));
    tell_people(o, report, &verdict);
    tell_programs(o, report, &verdict);
    call->status = as_expected(o, report, &verdict) ? EXIT_DONE : EXIT_REFUSED;
    return BRSKI_OK;
}

static brski_err_t *run(call_t *call)
{
    order_t order;
    const char *wrong;

    if (opt_has(call, "join")) {
        return load_join(call);
    }
    BRSKI_TRY(read_order(&order, call));
    wrong = missing(&order);
    if (wrong) {
        return opt_usage(call, "%s", wrong);
    }
    return opt_has(call, "prepare") ? prepare(&order, opt_get(call, "prepare")) : fire(&order);
}

static const opt_t options[] = {
    { "lab", 0, "DIR", "devices, registrar, anchors, MASA of this lab" },
    { "number", 'n', "N", "requests (1000)" },
    { "connections", 'c', "C", "at once, a thread each (8)" },
    { "seconds", 's', "S", "instead of a number" },
    { "new-connections", 0, NULL, "a new TLS connection for each" },
    { "warmup", 0, "N", "requests before the clock starts (0)" },
    { "distinct", 0, "N", "make so many, then begin again (all)" },
    { "prepare", 0, "DIR", "only make requests, into files" },
    { "requests", 0, "DIR", "send these files" },
    { "auditlog", 0, NULL, "ask for audit logs" },
    { "join", 0, NULL, "devices of the lab join its registrar instead" },
    { "verify", 0, "K", "check each Kth voucher (100; 0 none)" },
    { "pid", 0, "PID", NULL },
    { "i-own-this-server", 0, NULL, "which is not on this machine" },
    { "domain", 0, "NAME", NULL },
    { "cert", 0, "PEM", NULL },
    { "key", 0, "FILE", NULL },
    { "no-tls-cert", 0, NULL, NULL },
    { "anchor", 0, "PEM", NULL },
    { "voucher-anchor", 0, "PEM", NULL },
    { "first", 0, "N", NULL },
    { "include", 0, "WHAT", NULL },
    { "econtent", 0, "TYPE", NULL },
    { "expect", 0, "STATUS", NULL },
    { "tls12", 0, NULL, NULL },
    { "timeout", 0, "SECONDS", NULL },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    {"load", "[URL]", 0, 1, "Measures a MASA: rates, latencies, statuses, CPU time a request",
     options, "More in brski-load(1). Exit status 1: a failure, a bad voucher, not all 200.", run},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = { "load", "measure a MASA or a registrar with many requests", 9,
                                 commands, NULL };
COMMAND_GROUP(group)
