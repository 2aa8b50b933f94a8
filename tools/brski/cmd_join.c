/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_join.c: `brski join` is a pledge that joins a network, RFC 8995 section 5, strictly and step
 * by step: it needs what a device has from its factory, its IDevID and what it trusts.
 */
#include <apr_strings.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"
#include "join.h"
#include "lab.h"
#include "roles.h"

#define MAX_WAIT 300

/* ---- who the pledge is ---- */

/* What --lab and --device say, where no files do. */
typedef struct pledge_files_t {
    lab_t *lab;
    lab_identity_t idevid;        /* chain_file NULL: none */
    const char *anchor;
} pledge_files_t;

static brski_err_t *find_files(pledge_files_t *f, const call_t *call)
{
    const char *serial = opt_get(call, "device");

    memset(f, 0, sizeof(*f));
    BRSKI_TRY(role_lab(&f->lab, call));
    f->idevid.chain_file = opt_get(call, "idevid");
    f->idevid.key_file = opt_get(call, "key");
    f->anchor = opt_get(call, "anchor");
    if (f->lab && serial && !f->idevid.chain_file) {
        BRSKI_TRY(lab_device(&f->idevid, f->lab, serial, call->pool));
    }
    if (f->lab && !f->anchor) {
        f->anchor = f->lab->voucher_anchor;
    }
    return BRSKI_OK;
}

/* What is missing on the command line; NULL when nothing is. */
static const char *missing(const pledge_files_t *f, const call_t *call)
{
    int renews = opt_has(call, "reenroll");

    if (!call->nargs && !(f->lab && f->lab->registrar_url)) {
        return "say which registrar: a URL, or --lab DIR";
    }
    if (renews
        && !(opt_has(call, "cert") && opt_has(call, "certkey") && opt_has(call, "cacerts"))) {
        return "--reenroll needs --cert PEM, --certkey FILE and --cacerts PEM";
    }
    if (renews) {
        return NULL;
    }
    if (!f->idevid.chain_file || !f->idevid.key_file) {
        return "say who the pledge is: --idevid PEM --key FILE, or --lab DIR --device SERIAL";
    }
    return f->anchor ? NULL : "say what the device trusts: --anchor PEM, its manufacturer's root";
}

/* RFC 8995 5, RFC 7030 3.2.2: the paths are registered; only the authority is the user's to say. */
static brski_err_t *check_url(const char *url, apr_pool_t *pool)
{
    const char *path = strncasecmp(url, "https://", 8) == 0 ? strchr(url + 8, '/') : NULL;

    return !path || !path[1] ? BRSKI_OK
                             : say_refuse(pool, "%s: write https://HOST[:PORT]; what follows is the"
                                          " same everywhere (an EST label is --label).",
                                          brski_printable(url, 200, pool));
}

static brski_err_t *load_anchor(pledge_plan_t *plan, const char *path, apr_pool_t *pool)
{
    apr_array_header_t *paths = apr_array_make(pool, 1, sizeof(const char *));
    brski_anchors_t *anchors;

    APR_ARRAY_PUSH(paths, const char *) = path;
    BRSKI_TRY(brski_anchors_load(&anchors, paths, pool));
    plan->manufacturer = anchors;
    return BRSKI_OK;
}

/* ---- what it shall do ---- */

static brski_err_t *read_plan(join_t *j, const pledge_files_t *f)
{
    call_t *call = j->call;
    pledge_plan_t *plan = &j->plan;
    apr_int64_t timeout;

    plan->url = call->nargs ? call->args[0] : f->lab->registrar_url;
    plan->label = opt_get(call, "label");
    plan->nonce = opt_get(call, "nonce");
    plan->serial = opt_get(call, "serial");
    plan->key_type = opt_get(call, "new-key");
    plan->nonceless_ok = opt_has(call, "nonceless-ok");
    plan->tls12 = opt_has(call, "tls1.2");
    plan->same_key = opt_has(call, "same-key");
    plan->other_csr_key = opt_has(call, "other-csr-key");
    plan->status = opt_has(call, "no-status")      ? PLEDGE_STATUS_NONE
                   : opt_has(call, "status-false") ? PLEDGE_STATUS_FALSE : PLEDGE_STATUS_HONEST;
    BRSKI_TRY(check_url(plan->url, call->pool));
    BRSKI_TRY(opt_int(&plan->max_wait, call, "max-wait", 0, 345600, MAX_WAIT));
    BRSKI_TRY(opt_int(&timeout, call, "timeout", 1, 3600, 60));
    plan->timeout = (int)timeout;
    if (opt_has(call, "replay")) {
        BRSKI_TRY(files_read(&plan->replay, opt_get(call, "replay"), call->pool));
    }
    return f->anchor ? load_anchor(plan, f->anchor, call->pool) : BRSKI_OK;
}

/* The certificate to renew, and whom its server has to lead to. */
static brski_err_t *take_certificate(join_t *j)
{
    call_t *call = j->call;
    pledge_t *p = j->pledge;
    brski_anchors_t *anchors;

    if (!opt_has(call, "cert")) {
        return BRSKI_OK;
    }
    if (!opt_has(call, "certkey") || !opt_has(call, "cacerts")) {
        return say_refuse(call->pool, "--cert, --certkey and --cacerts go together.");
    }
    BRSKI_TRY(identity_load(&p->ldevid, opt_get(call, "cert"), opt_get(call, "certkey"),
                            call->pool));
    BRSKI_TRY(brski_cert_load(&p->cacerts, opt_get(call, "cacerts"), call->pool));
    BRSKI_TRY(brski_anchors_make(&anchors, p->cacerts, call->pool));
    p->anchors = anchors;
    return BRSKI_OK;
}

/* ---- the command ---- */

static void tell_end(join_t *j, const brski_err_t *err, const char *done)
{
    brski_json_t *doc = brski_json_object(j->call->pool);
    const char *who = j->pledge->ldevid.certs ? identity_ee(&j->pledge->ldevid)->subject
                                              : "the device";

    brski_json_set_string(doc, "step", "end");
    brski_json_set_string(doc, "result", err ? "refused" : done);
    if (err) {
        say_line(j->call->say, "Not %s.", done);
    }
    else {
        say_line(j->call->say, "%s has %s.", who, done);
    }
    if (j->out && !err) {
        brski_json_set_string(doc, "out", j->out);
        say_line(j->call->say, "Its key, certificate and what it trusts are in %s.", j->out);
    }
    if (j->call->say->json) {
        say_row(j->call->say, NULL, doc);
    }
    j->call->status = err ? EXIT_REFUSED : EXIT_DONE;
}

static brski_err_t *join(join_t *j)
{
    BRSKI_TRY(join_voucher(j));
    return join_enroll(j);
}

static brski_err_t *run(call_t *call)
{
    pledge_files_t files;
    const char *wrong;
    join_t j;

    signal(SIGPIPE, SIG_IGN);     /* a server that hangs up while we wait is asked again */
    memset(&j, 0, sizeof(j));
    j.call = call;
    j.out = opt_get(call, "out");
    BRSKI_TRY(find_files(&files, call));
    wrong = missing(&files, call);
    if (wrong) {
        return opt_usage(call, "%s", wrong);
    }
    BRSKI_TRY(read_plan(&j, &files));
    if (files.idevid.chain_file && files.idevid.key_file) {
        BRSKI_TRY(identity_load(&j.idevid, files.idevid.chain_file, files.idevid.key_file,
                                call->pool));
    }
    BRSKI_TRY(join_files_start(&j));
    join_reset(&j);
    BRSKI_TRY(take_certificate(&j));
    if (opt_has(call, "shell")) {
        return join_shell(&j);
    }
    if (opt_has(call, "reenroll")) {
        tell_end(&j, join_reenroll(&j), "renewed");
    }
    else {
        tell_end(&j, join(&j), "joined");
    }
    return BRSKI_OK;
}

static const opt_t options[] = {
    { "lab", 0, "DIR", "registrar, device and anchor of this lab" },
    { "device", 0, "SERIAL", "as this device of the lab" },
    { "idevid", 0, "PEM", "instead: the device's certificate, with issuers" },
    { "key", 0, "FILE", "and its key" },
    { "anchor", 0, "PEM", "what it trusts: its manufacturer's root" },
    { "out", 'o', "DIR", "save key, certificates and voucher there" },
    { "max-wait", 0, "SECONDS", "come again so long when told to (300)" },
    { "tls1.2", 0, NULL, "no TLS 1.3" },
    { "shell", 0, NULL, "take the steps one by one, from standard input" },
    { "reenroll", 0, NULL, "renew a certificate instead" },
    { "cert", 0, "PEM", "the one to renew" },
    { "certkey", 0, "FILE", "its key" },
    { "cacerts", 0, "PEM", "whom the server has to lead to" },
    { "same-key", 0, NULL, NULL },
    { "nonceless-ok", 0, NULL, NULL },
    { "new-key", 0, "TYPE", NULL },
    { "label", 0, "NAME", NULL },
    { "timeout", 0, "SECONDS", NULL },
    { "nonce", 0, "TEXT", NULL },
    { "serial", 0, "TEXT", NULL },
    { "replay", 0, "FILE", NULL },
    { "no-status", 0, NULL, NULL },
    { "status-false", 0, NULL, NULL },
    { "other-csr-key", 0, NULL, NULL },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "join", "[URL]", 0, 1, "Joins a network as a new device, step by step", options,
      "Exit status 0: joined, 1: not. Faults to test a registrar with: brski-join(1).", run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = {"join", "join a network as a new device", 8, commands, NULL};
COMMAND_GROUP(group)
