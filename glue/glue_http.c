/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_http.c: from request_rec to operation and back, as glue_http.h says.
 */
#include "glue_http.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "brski_bytes.h"
#include "glue_body.h"

/* Octets of client text in a log line or environment value. */
#define PRINT_MAX 200

static ap_filter_rec_t *error_filter_handle;

/* ---- the request ---- */

static void log_request_line(void *baton, brski_log_level_t level, int number, const char *text)
{
    glue_http_t *http = baton;

    if (number) {
        ap_log_rerror(APLOG_MARK, (int)level, 0, http->r, "BRSKI%04d: %s (request %s)", number,
                      text, http->request_id);
    }
    else {
        ap_log_rerror(APLOG_MARK, (int)level, 0, http->r, "%s (request %s)", text,
                      http->request_id);
    }
}

/* mod_unique_id's where it is loaded, so that all logs of the server agree. */
static const char *request_id(const request_rec *r, const glue_engine_t *engine)
{
    const char *id = apr_table_get(r->subprocess_env, "UNIQUE_ID");
    unsigned char random[16];

    if (id && *id) {
        return id;
    }
    engine->ctx->random(random, sizeof(random), engine->ctx->baton);
    return brski_hex(brski_bytes(random, sizeof(random)), r->pool);
}

glue_http_t *glue_http_get(request_rec *r)
{
    glue_engine_t *engine = glue_module.engine(r->server);
    glue_http_t *http = ap_get_module_config(r->request_config, glue_module.module);

    if (http || !engine) {
        return http;
    }
    http = apr_pcalloc(r->pool, glue_module.http_size);
    http->r = r;
    http->engine = engine;
    http->operation = "";
    http->log.write = log_request_line;
    http->log.baton = http;
    http->log.level = glue_log_level(ap_get_request_module_loglevel(r, APLOG_MODULE_INDEX));
    http->request_id = request_id(r, engine);
    ap_set_module_config(r->request_config, glue_module.module, http);
    apr_table_setn(r->subprocess_env, glue_module.env_request_id, http->request_id);
    if (glue_module.begin) {
        glue_module.begin(http);
    }
    return http;
}

/* ---- paths ---- */

/* What follows a base, or NULL when the path is not below it. */
static const char *after_base(const char *path, const char *base)
{
    apr_size_t n = strlen(base);

    return path && !strncmp(path, base, n) && path[n] == '/' ? path + n + 1 : NULL;
}

int glue_http_is_ours(const request_rec *r, const glue_engine_t *engine)
{
    int i;

    for (i = 0; i < engine->bases->nelts; i++) {
        if (after_base(r->uri, APR_ARRAY_IDX(engine->bases, i, glue_base_t).path)) {
            return 1;
        }
    }
    return 0;
}

static const glue_operation_t *find_below(const glue_base_t *base, const char *name)
{
    const glue_operation_t *op;

    for (op = glue_module.operations; op->name; op++) {
        if ((op->kind & base->operations) && !strcmp(name, op->name)) {
            return op;
        }
    }
    return NULL;
}

const glue_operation_t *glue_http_operation(const char **label, const glue_http_t *http)
{
    const apr_array_header_t *bases = http->engine->bases;
    const glue_operation_t *op = NULL;
    int i;

    *label = NULL;
    for (i = 0; i < bases->nelts && !op; i++) {
        const glue_base_t *base = &APR_ARRAY_IDX(bases, i, glue_base_t);
        const char *rest = after_base(http->r->uri, base->path);
        const char *slash = rest && base->labels ? strchr(rest, '/') : NULL;

        op = rest ? find_below(base, slash ? slash + 1 : rest) : NULL;
        if (op && slash) {
            *label = apr_pstrmemdup(http->r->pool, rest, slash - rest);
        }
    }
    return op;
}

brski_err_t *glue_http_peer(glue_http_t *http)
{
    /* access rules ask before httpd authenticates, and the operation after it */
    http->user = glue_tls_user(http->r);
    if (http->peer) {
        return BRSKI_OK;
    }
    BRSKI_TRY(glue_tls_check(http->r, http->engine));
    return glue_tls_peer(&http->peer, http->r, http->engine);
}

/* ---- the answer ---- */

void glue_http_env(const glue_http_t *http, const char *name, const char *value)
{
    if (value && *value) {
        apr_table_setn(http->r->subprocess_env, name,
                       brski_printable(value, PRINT_MAX, http->r->pool));
    }
}

/* For logs and expressions, set for refusals too, as far as the decision came. */
static void set_environment(const glue_http_t *http, const char *result)
{
    glue_http_env(http, glue_module.env_result, result);
    glue_module.environment(http);
}

static void send_reply(const glue_http_t *http)
{
    const glue_reply_t *reply = &http->reply;
    request_rec *r = http->r;

    set_environment(http, http->result);
    r->status = reply->status ? reply->status : HTTP_OK;
    if (reply->content_type) {
        ap_set_content_type(r, reply->content_type);
    }
    if (!apr_table_get(r->headers_out, "Cache-Control")) {
        apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    }
    if (reply->retry_after) {
        apr_table_setn(r->headers_out, "Retry-After",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT, reply->retry_after));
    }
    if (r->status != HTTP_NO_CONTENT) {
        ap_set_content_length(r, (apr_off_t)reply->body.len);
        ap_rwrite(reply->body.data, (int)reply->body.len, r);
    }
}

/* ---- refusals ---- */

static int httpd_level(char level)
{
    return level == 'E' ? APLOG_ERR : level == 'W' ? APLOG_WARNING : APLOG_INFO;
}

static void log_refusal(const glue_http_t *http, const brski_err_t *err)
{
    apr_pool_t *pool = http->r->pool;

    ap_log_rerror(APLOG_MARK, httpd_level(err->level), 0, http->r,
                  "BRSKI%04d: %s answered %d: %s%s%s (serial-number %s, request %s)",
                  (int)err->code, *http->operation ? http->operation : "a request", err->status,
                  err->detail ? err->public_text : "", err->detail ? " " : "",
                  brski_err_text(err, pool),
                  http->subject ? brski_printable(http->subject, PRINT_MAX, pool) : "not read",
                  http->request_id);
}

/* Statuses that httpd may give on these paths by itself, and ours. */
static const int text_statuses[] = {
    HTTP_BAD_REQUEST, HTTP_UNAUTHORIZED, HTTP_FORBIDDEN, HTTP_NOT_FOUND, HTTP_METHOD_NOT_ALLOWED,
    HTTP_NOT_ACCEPTABLE, HTTP_REQUEST_TIME_OUT, HTTP_LENGTH_REQUIRED,
    HTTP_REQUEST_ENTITY_TOO_LARGE, HTTP_UNSUPPORTED_MEDIA_TYPE, HTTP_EXPECTATION_FAILED,
    HTTP_MISDIRECTED_REQUEST, HTTP_TOO_MANY_REQUESTS, HTTP_INTERNAL_SERVER_ERROR,
    HTTP_NOT_IMPLEMENTED, HTTP_SERVICE_UNAVAILABLE, 0
};

/* An ErrorDocument written for people would take our place: a registrar's operator needs the
 * sentence. */
static void claim_errors(request_rec *r)
{
    const int *status;

    for (status = text_statuses; *status; status++) {
        ap_custom_response(r, *status, "refused");
    }
}

int glue_http_refuse(glue_http_t *http, const brski_err_t *err)
{
    http->err = err;
    log_refusal(http, err);
    set_environment(http, err->name);
    if (glue_module.refused) {
        glue_module.refused(http, err);
    }
    claim_errors(http->r);
    return err->status;
}

/* What httpd refused by itself; it has logged why. */
static const char *httpd_text(int status, apr_pool_t *pool)
{
    switch (status) {
    case HTTP_UNAUTHORIZED:
        return apr_psprintf(pool, "This %s requires HTTP authentication.", glue_module.service);
    case HTTP_FORBIDDEN:
        return "This server's access rules do not let this client in.";
    case HTTP_NOT_FOUND:
        return "There is no such resource here.";
    case HTTP_REQUEST_ENTITY_TOO_LARGE:
        return "The request body is larger than this server reads.";
    case HTTP_REQUEST_TIME_OUT:
        return "The request did not arrive in time.";
    case HTTP_MISDIRECTED_REQUEST:
        return brski_err_row(BRSKI_E_WRONG_HOST)->public_text;
    default:
        return ap_is_HTTP_SERVER_ERROR(status) ? "The server failed internally; try again later."
                                               : "The server could not understand the request.";
    }
}

static const char *retry_after(const brski_err_t *err)
{
    return err->code == BRSKI_E_STORE_BUSY || err->code == BRSKI_E_RACE ? "5" : "60";
}

static void set_error_headers(const glue_http_t *http, int status)
{
    request_rec *r = http->r;
    const char *label;
    const glue_operation_t *op = glue_http_operation(&label, http);

    ap_set_content_type(r, "text/plain; charset=utf-8");
    apr_table_unset(r->headers_out, "Content-Length");
    apr_table_unset(r->headers_out, "Content-Language");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    if (status == HTTP_METHOD_NOT_ALLOWED) {
        apr_table_setn(r->headers_out, "Allow",
                       op && op->method == M_GET ? "GET, HEAD" : "POST");
    }
    if (status == HTTP_UNSUPPORTED_MEDIA_TYPE && op && op->media_type) {
        apr_table_setn(r->headers_out, "Accept", op->media_type);
    }
    if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->headers_out, "Retry-After", http->err ? retry_after(http->err) : "60");
    }
}

/* Clients that try again with a password may take an answer whose length they know, and have not
 * read, for a broken one (BouncyCastle does): there it comes in chunks. */
static apr_status_t pass_line(ap_filter_t *f, apr_bucket_brigade *bb)
{
    apr_bucket_alloc_t *alloc = f->c->bucket_alloc;

    if (f->r->status == HTTP_UNAUTHORIZED && !f->r->header_only) {
        apr_status_t rv;

        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(alloc));
        rv = ap_pass_brigade(f->next, bb);
        apr_brigade_cleanup(bb);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(f->next, bb);
}

/* Puts our line in the place of httpd's page. What comes after it is dropped. */
static apr_status_t error_filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    glue_http_t *http = glue_http_get(r);

    apr_brigade_cleanup(bb);
    if (f->ctx) {
        return APR_SUCCESS;
    }
    f->ctx = f;
    if (http->err) {
        /* An authorization provider cannot choose the status; our error knows it. */
        r->status = http->err->status;
        r->status_line = NULL;
    }
    else {
        set_environment(http, "HTTPD");
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "%s: httpd answered %d (request %s)",
                      glue_module.log_httpd, r->status, http->request_id);
    }
    set_error_headers(http, r->status);
    if (!r->header_only) {
        apr_brigade_printf(bb, NULL, NULL, "%s (request %s)\n",
                           http->err ? http->err->public_text : httpd_text(r->status, r->pool),
                           http->request_id);
    }
    return pass_line(f, bb);
}

static void insert_error_filter(request_rec *r)
{
    glue_http_t *http = ap_is_HTTP_ERROR(r->status) ? glue_http_get(r) : NULL;

    if (http && (http->err || glue_http_is_ours(r, http->engine))) {
        ap_add_output_filter_handle(error_filter_handle, NULL, r, r->connection);
    }
}

/* ---- hooks ---- */

static brski_err_t *wrong_method(const glue_http_t *http, const glue_operation_t *op)
{
    apr_pool_t *pool = http->r->pool;
    brski_err_t *err = brski_err(BRSKI_E_METHOD, NULL, pool, NULL);

    if (op->method == M_GET) {
        return brski_err_say(err, pool, "This resource takes GET.");
    }
    return op->wants ? brski_err_say(err, pool, "This resource takes POST with %s as its body.",
                                     op->wants) : err;
}

static brski_err_t *read_body(glue_http_t *http, const glue_operation_t *op)
{
    brski_err_t *err = glue_body_read(http);

    if (err && err->code == BRSKI_E_BODY_EMPTY && op->wants) {
        return brski_err_say(err, http->r->pool, "The request has no body; %s was expected.",
                             op->wants);
    }
    return err;
}

static brski_err_t *drop_body(glue_http_t *http)
{
    const int rv = ap_discard_request_body(http->r);

    http->body_done = rv == OK;
    return rv == OK ? BRSKI_OK : brski_err(rv == HTTP_REQUEST_ENTITY_TOO_LARGE
                                               ? BRSKI_E_BODY_TOO_LARGE : BRSKI_E_BODY_BROKEN,
                                           NULL, http->r->pool, "discarding the body");
}

static brski_err_t *serve(glue_http_t *http, apr_pool_t *scratch_pool)
{
    const glue_operation_t *op = glue_http_operation(&http->label, http);

    if (!op) {
        return brski_err(BRSKI_E_OPERATION, NULL, http->r->pool, NULL);
    }
    http->operation = op->name;
    if (http->r->method_number != op->method) {
        return wrong_method(http, op);
    }
    BRSKI_TRY(glue_http_peer(http));
    BRSKI_TRY(glue_module.admit(http, scratch_pool));
    BRSKI_TRY(op->method == M_POST ? read_body(http, op) : drop_body(http));
    return op->run(http, scratch_pool);
}

static int handler(request_rec *r)
{
    glue_http_t *http;
    apr_pool_t *scratch_pool;
    brski_err_t *err;

    if (!r->handler || strcmp(r->handler, glue_module.handler)) {
        return DECLINED;
    }
    http = glue_http_get(r);
    if (!http) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: SetHandler %s, but %s On is missing for "
                      "this server", glue_module.log_no_engine, glue_module.handler,
                      glue_module.directive);
        return HTTP_NOT_FOUND;
    }
    /* Dies with the request: an error that lives in it is told after we return. */
    apr_pool_create(&scratch_pool, r->pool);
    apr_pool_tag(scratch_pool, "glue_request");
    err = serve(http, scratch_pool);
    if (!err) {
        send_reply(http);
        return OK;
    }
    if (http->answered) {
        return AP_FILTER_ERROR;
    }
    glue_body_drop(http);
    return glue_http_refuse(http, err);
}

/* Before any other module may answer: mod_rewrite does so while it translates a path. */
static int claim_request(request_rec *r)
{
    const glue_engine_t *engine = glue_module.engine(r->server);

    if (engine && glue_http_is_ours(r, engine)) {
        claim_errors(r);
    }
    return DECLINED;
}

/* Before any access rule: what a rule sees of the client must be of a connection made for this
 * host. */
static int check_access(request_rec *r)
{
    glue_engine_t *engine = glue_module.engine(r->server);
    glue_http_t *http;
    brski_err_t *err;

    if (!engine || !glue_http_is_ours(r, engine)) {
        return DECLINED;
    }
    claim_errors(r);                  /* again: the path is decoded now */
    http = glue_http_get(r);
    err = glue_http_peer(http);
    return err ? glue_http_refuse(http, err) : DECLINED;
}

void glue_http_hooks(void)
{
    error_filter_handle = ap_register_output_filter(glue_module.env_result, error_filter, NULL,
                                                    AP_FTYPE_RESOURCE);
    ap_hook_insert_error_filter(insert_error_filter, NULL, NULL, APR_HOOK_LAST);
    ap_hook_post_read_request(claim_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_access_checker(check_access, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
