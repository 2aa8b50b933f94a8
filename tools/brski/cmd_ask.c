/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_ask.c: `brski ask` is a registrar that asks a MASA for a voucher, or for the audit log, RFC
 * 8995 sections 5.5 to 5.8: it makes the pledge's and its own request (or sends a file), and tells
 * the answer in plain words.
 */
#include <apr_strings.h>
#include <string.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_client.h"
#include "brski_voucher.h"
#include "check.h"
#include "files.h"
#include "roles.h"
#include "show.h"

/* One question. */
typedef struct ask_t {
    call_t *call;
    lab_t *lab;                   /* NULL: none */
    const char *operation;
    const char *url;
    lab_identity_t tls;           /* client certificate; chain_file NULL: none */
    brski_bytes_t request;
    const brski_voucher_t *asked; /* what the request says; NULL when it cannot be read */
    brski_client_t *client;
    brski_client_answer_t *answer;
    brski_json_t *doc;            /* for programs */
} ask_t;

/* ---- the question ---- */

static brski_err_t *read_url(ask_t *a)
{
    call_t *call = a->call;
    const char *base = call->nargs ? call->args[0] : a->lab->url;

    a->operation = opt_has(call, "auditlog") ? "requestauditlog" : "requestvoucher";
    return brski_client_masa_url(&a->url, base, a->operation, call->pool);
}

/* Who the registrar is in TLS: by default the one who signs. */
static brski_err_t *read_tls(ask_t *a, const lab_identity_t *registrar, int found)
{
    call_t *call = a->call;
    const char *chain = opt_get(call, "tls-cert"), *key = opt_get(call, "tls-key");

    if (!chain != !key) {
        return say_refuse(call->pool, "--tls-cert and --tls-key go together.");
    }
    if (chain) {
        a->tls.chain_file = chain;
        a->tls.key_file = key;
    }
    else if (found && !opt_has(call, "no-tls-cert")) {
        a->tls = *registrar;
    }
    return BRSKI_OK;
}

static brski_err_t *make_prior(rvr_t *rvr, ask_t *a, const identity_t *registrar)
{
    call_t *call = a->call;
    const char *path = opt_get(call, "pvr"), *serial = opt_get(call, "device");
    lab_identity_t files;
    identity_t device;
    brski_bytes_t pvr;

    if (path) {
        BRSKI_TRY(files_read(&pvr, path, call->pool));
        return request_rvr_from(rvr, pvr, call->pool);
    }
    BRSKI_TRY(lab_device(&files, a->lab, serial, call->pool));
    BRSKI_TRY(identity_load(&device, files.chain_file, files.key_file, call->pool));
    BRSKI_TRY(role_pvr(&pvr, &device, identity_ee(registrar), call));
    return request_rvr_from(rvr, pvr, call->pool);
}

static brski_err_t *make_request(ask_t *a, const lab_identity_t *files)
{
    call_t *call = a->call;
    identity_t registrar;
    signing_t signing;
    rvr_t rvr;

    memset(&rvr, 0, sizeof(rvr));
    BRSKI_TRY(identity_load(&registrar, files->chain_file, files->key_file, call->pool));
    signing = role_signing_plain(&registrar, call);
    BRSKI_TRY(make_prior(&rvr, a, &registrar));
    rvr.created_on = signing.at;
    if (opt_has(call, "nonceless")) {
        rvr.nonce = NULL;
        rvr.assertion = NULL;
        rvr.prior = brski_bytes(NULL, 0);
    }
    return request_rvr(&a->request, &rvr, &signing, call->pool);
}

static brski_err_t *read_request(ask_t *a, const lab_identity_t *registrar)
{
    const char *path = opt_get(a->call, "request"), *save = opt_get(a->call, "save-request");
    brski_signed_t *opened;

    if (path) {
        BRSKI_TRY(files_read(&a->request, path, a->call->pool));
    }
    else {
        BRSKI_TRY(make_request(a, registrar));
    }
    if (!brski_signed_open(&opened, a->request, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                           &brski_limits_default, NULL, a->call->pool)) {
        a->asked = opened->voucher;
    }
    return save ? files_write(save, a->request, FILES_PUBLIC, a->call->pool) : BRSKI_OK;
}

/* "user:password" on the first line of a file: a command line is everybody's to read. */
static brski_err_t *read_login(brski_client_options_t *options, const char *path, apr_pool_t *pool)
{
    brski_bytes_t file;
    char *line, *colon;

    BRSKI_TRY(files_read(&file, path, pool));
    line = (char *)file.data;
    line[strcspn(line, "\r\n")] = '\0';
    colon = strchr(line, ':');
    if (!colon) {
        return say_refuse(pool, "%s: its first line must be user:password.", path);
    }
    *colon = '\0';
    options->user = line;
    options->password = colon + 1;
    return BRSKI_OK;
}

static brski_err_t *make_client(ask_t *a)
{
    call_t *call = a->call;
    const char *anchor = opt_get(call, "anchor");
    brski_client_options_t options;
    apr_int64_t timeout;

    memset(&options, 0, sizeof(options));
    BRSKI_TRY(opt_int(&timeout, call, "timeout", 1, 3600, 60));
    options.anchors = anchor ? anchor : a->lab ? a->lab->tls_anchor : NULL;
    options.chain_file = a->tls.chain_file;
    options.key_file = a->tls.key_file;
    options.timeout = apr_time_from_sec(timeout);
    options.resolve = opt_get(call, "resolve");
    if (opt_has(call, "login")) {
        BRSKI_TRY(read_login(&options, opt_get(call, "login"), call->pool));
    }
    return brski_client_curl_make(&a->client, &options, call->pool);
}

static const char *media_type(const ask_t *a, const char *option)
{
    const char *given = opt_get(a->call, option);

    if (given && strcmp(given, "none") == 0) {
        return NULL;
    }
    return given ? given : brski_format_media_type(BRSKI_FORMAT_CMS);
}

static brski_err_t *post(ask_t *a)
{
    brski_client_request_t request;

    memset(&request, 0, sizeof(request));
    request.method = "POST";
    request.url = a->url;
    request.content_type = media_type(a, "content-type");
    request.accept = opt_has(a->call, "auditlog") && !opt_has(a->call, "accept")
                         ? "application/json" : media_type(a, "accept");
    request.body = a->request;
    return a->client->send(&a->answer, a->client, &request, a->call->pool, a->call->pool);
}

/* RFC 8995 5.8: 201 names where the log is. Only at the same MASA: a URL elsewhere is not asked. */
static brski_err_t *follow_location(ask_t *a)
{
    brski_client_request_t request;
    const char *location = a->answer->location;
    apr_size_t origin = 8 + strcspn(a->url + 8, "/");

    if (!location || (location[0] != '/' && strncmp(location, a->url, origin) != 0)) {
        return say_refuse(a->call->pool,
                          "The MASA says the log is at %s, which is not at this MASA.",
                          brski_printable(location, 300, a->call->pool));
    }
    memset(&request, 0, sizeof(request));
    request.method = "GET";
    request.url = location[0] == '/'
                      ? apr_pstrcat(a->call->pool, apr_pstrmemdup(a->call->pool, a->url, origin),
                                    location, NULL)
                      : location;
    request.accept = "application/json";
    return a->client->send(&a->answer, a->client, &request, a->call->pool, a->call->pool);
}

/* ---- the answer ---- */

static void tell_question(ask_t *a)
{
    say_line(a->call->say, "asked        %s%s%s", a->url, a->asked ? " for " : "",
             a->asked ? brski_printable(a->asked->serial_number, 128, a->call->pool) : "");
    brski_json_set_string(a->doc, "url", a->url);
    brski_json_set_string(a->doc, "operation", a->operation);
    if (a->asked) {
        brski_json_set_string(a->doc, "serial_number", a->asked->serial_number);
    }
    brski_json_set_string(a->doc, "request_sha256", brski_sha256_hex(a->request, a->call->pool));
}

static void tell_answer(ask_t *a)
{
    const brski_client_answer_t *answer = a->answer;
    const char *type = answer->content_type
                           ? brski_printable(answer->content_type, 100, a->call->pool)
                           : "no Content-Type";

    say_line(a->call->say, "answered     %d, %s, %" APR_SIZE_T_FMT " octets, in %.1f ms",
             answer->status, type, answer->body.len, (double)answer->took / 1000);
    brski_json_set_int(a->doc, "status", answer->status);
    if (answer->content_type) {
        brski_json_set_string(a->doc, "content_type", answer->content_type);
    }
    brski_json_set_int(a->doc, "took_us", answer->took);
}

/* The MASA ends its sentence with "(request ID)". */
static const char *request_id(const char *text, apr_pool_t *pool)
{
    const char *at = strstr(text, "(request "), *end = at ? strchr(at, ')') : NULL;

    return end ? apr_pstrmemdup(pool, at + 9, (apr_size_t)(end - at - 9)) : NULL;
}

static void tell_refusal(ask_t *a)
{
    const brski_client_answer_t *answer = a->answer;
    char *text = apr_pstrmemdup(a->call->pool, (const char *)answer->body.data, answer->body.len);
    const char *id = request_id(text, a->call->pool);

    text[strcspn(text, "\r\n")] = '\0';
    say_line(a->call->say, "refused      %s", *text ? show_text(text, 500, a->call->pool)
                                                   : "without a word");
    brski_json_set_string(a->doc, "text", text);
    if (id) {
        say_line(a->call->say, "             'masactl explain %s' tells the manufacturer why",
                 brski_printable(id, 80, a->call->pool));
        brski_json_set_string(a->doc, "request_id", id);
    }
    if (answer->retry_after >= 0) {
        say_line(a->call->say, "             to be asked again in %" APR_INT64_T_FMT " s",
                 answer->retry_after);
        brski_json_set_int(a->doc, "retry_after", answer->retry_after);
    }
    a->call->status = EXIT_REFUSED;
}

/* The strict pledge's judgement, when its anchor is known. */
static brski_err_t *judge(ask_t *a)
{
    call_t *call = a->call;
    apr_array_header_t *paths = apr_array_copy(call->pool, opt_all(call, "voucher-anchor")),
                       *checks;
    brski_anchors_t *anchors;
    check_want_t want;
    int good;

    memset(&want, 0, sizeof(want));
    if (paths->nelts == 0 && a->lab) {
        APR_ARRAY_PUSH(paths, const char *) = a->lab->voucher_anchor;
    }
    if (paths->nelts) {
        BRSKI_TRY(brski_anchors_load(&anchors, paths, call->pool));
        want.anchors = anchors;
    }
    want.at = call->ctx->now(call->ctx->baton);
    want.serial_number = a->asked ? a->asked->serial_number : NULL;
    want.nonce = a->asked ? a->asked->nonce : NULL;
    want.nonceless_ok = a->asked && !a->asked->nonce;
    good = check_voucher(&checks, a->answer->body, &want, call->pool);
    say_line(call->say, "verified     %s",
             !good          ? "a pledge refuses it:"
             : want.anchors ? "a pledge accepts it:"
                            : "as far as it can be without an anchor (--voucher-anchor):");
    check_say(call->say, checks);
    brski_json_set_string(a->doc, "verdict",
                          !good          ? "bad"
                          : want.anchors ? "good"
                                         : "not anchored");
    brski_json_set(a->doc, "checks", check_json(checks, call->pool));
    call->status = good ? EXIT_DONE : EXIT_REFUSED;
    return BRSKI_OK;
}

static brski_err_t *save(ask_t *a)
{
    const char *path = opt_get(a->call, "output");

    if (!path) {
        return BRSKI_OK;
    }
    BRSKI_TRY(files_write(path, a->answer->body, FILES_PUBLIC, a->call->pool));
    say_line(a->call->say, "saved        %s", path);
    brski_json_set_string(a->doc, "saved", path);
    return BRSKI_OK;
}

static brski_err_t *tell_voucher(ask_t *a)
{
    brski_err_t *err;

    BRSKI_TRY(save(a));
    brski_json_set(a->doc, "voucher", show_signed(a->answer->body, a->call->pool));
    err = judge(a);
    say_json(a->call->say, a->doc);
    return err;
}

/* With --json the log alone is the document, as `brski inspect` would say it. */
static brski_err_t *tell_log(ask_t *a)
{
    if (a->answer->status == 201) {
        BRSKI_TRY(follow_location(a));
        tell_answer(a);
    }
    BRSKI_TRY(save(a));
    return show_audit_log(a->call->say, a->answer->body, a->call->pool);
}

static brski_err_t *tell(ask_t *a)
{
    int status = a->answer->status;

    tell_answer(a);
    if (status != 200 && status != 201) {
        tell_refusal(a);
        say_json(a->call->say, a->doc);
        return BRSKI_OK;
    }
    return opt_has(a->call, "auditlog") ? tell_log(a) : tell_voucher(a);
}

/* ---- the command ---- */

/* What is missing on the command line; NULL when nothing is. */
static const char *missing(const ask_t *a, int registrar)
{
    const call_t *call = a->call;

    if (!call->nargs && !a->lab) {
        return "say whom to ask: a URL, or --lab DIR";
    }
    if (opt_has(call, "request")) {
        return NULL;
    }
    if (!opt_has(call, "pvr") && !(opt_has(call, "device") && a->lab)) {
        return "say for which device: --device SERIAL with --lab, --pvr FILE, or send a --request "
               "FILE";
    }
    return registrar ? NULL : "say who the registrar is: --lab DIR, or --cert PEM --key FILE";
}

static brski_err_t *run(call_t *call)
{
    ask_t a;
    lab_identity_t registrar;
    const char *wrong;
    int found;

    memset(&a, 0, sizeof(a));
    a.call = call;
    a.doc = brski_json_object(call->pool);
    BRSKI_TRY(role_lab(&a.lab, call));
    BRSKI_TRY(role_registrar_files(&registrar, &found, a.lab, call));
    wrong = missing(&a, found);
    if (wrong) {
        return opt_usage(call, "%s", wrong);
    }
    BRSKI_TRY(read_url(&a));
    BRSKI_TRY(read_tls(&a, &registrar, found));
    BRSKI_TRY(read_request(&a, &registrar));
    BRSKI_TRY(make_client(&a));
    tell_question(&a);
    BRSKI_TRY(post(&a));
    return tell(&a);
}

static const opt_t options[] = {
    { "lab", 0, "DIR", "registrar, anchors and MASA of this lab" },
    { "device", 0, "SERIAL", "ask for this device of the lab" },
    { "domain", 0, "NAME", "as registrar of: domain or stranger (domain)" },
    { "cert", 0, "PEM", "instead: the registrar's chain (--key FILE)" },
    { "key", 0, "FILE", NULL },
    { "pvr", 0, "FILE", "instead: the pledge's request" },
    { "request", 0, "FILE", "instead: send this request" },
    { "nonceless", 0, NULL, "ask without nonce and pledge's request" },
    { "auditlog", 0, NULL, "ask for the audit log" },
    { "output", 'o', "FILE", "save the voucher or log" },
    { "save-request", 0, "FILE", "save what was sent" },
    { "anchor", 0, "PEM", "issuer of the MASA's TLS certificate" },
    { "voucher-anchor", 0, "PEM", "what the device trusts" },
    { "timeout", 0, "SECONDS", NULL },
    { "tls-cert", 0, "PEM", NULL },
    { "tls-key", 0, "FILE", NULL },
    { "no-tls-cert", 0, NULL, NULL },
    { "login", 0, "FILE", NULL },
    { "accept", 0, "TYPE", NULL },
    { "content-type", 0, "TYPE", NULL },
    { "resolve", 0, "HOST:PORT:ADDRESS", NULL },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "ask", "[URL]", 0, 1, "Asks a MASA for a voucher or an audit log, as a registrar", options,
      "Exit status 0: got it, 1: refused or failed. TLS options: brski-ask(1).", run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = {"ask", "ask a MASA for a voucher or an audit log", 7, commands,
                                NULL};
COMMAND_GROUP(group)
