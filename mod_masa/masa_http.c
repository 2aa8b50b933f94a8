/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_http.c: from request_rec to operation and back, as masa_http.h says. Errors, httpd's own
 * included, leave through one filter, so that every one on these paths is a line of text/plain with
 * the request's id.
 */
#include "masa_http.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "brski_bytes.h"
#include "masa_peer.h"
#include "masa_tls.h"

APLOG_USE_MODULE(masa);

extern module AP_MODULE_DECLARE_DATA masa_module;

#define ERROR_FILTER "MASA_ERROR"
#define LEGACY_BASE "/.well-known/est"
/* Octets of client text in a log line or environment value. */
#define PRINT_MAX 200

typedef struct masa_operation_t {
    const char *name;
    brski_err_t *(*run)(masa_http_t *http, apr_pool_t *scratch_pool);
} masa_operation_t;

/* RFC 8995 section 5; the legacy base had the same two (8.3.1). */
static const masa_operation_t operations[] = {
    { "requestvoucher", masa_requestvoucher },
    { "requestauditlog", masa_requestauditlog },
    { NULL, NULL }
};

/* ---- the request ---- */

static void log_request_line(void *baton, brski_log_level_t level, int number, const char *text)
{
    masa_http_t *http = baton;

    if (number) {
        ap_log_rerror(APLOG_MARK, (int)level, 0, http->r, "BRSKI%04d: %s (request %s)", number,
                      text, http->request.request_id);
    }
    else {
        ap_log_rerror(APLOG_MARK, (int)level, 0, http->r, "%s (request %s)", text,
                      http->request.request_id);
    }
}

/* mod_unique_id's where it is loaded, so that all logs of the server agree. */
static const char *request_id(const request_rec *r, const masa_engine_t *engine)
{
    const char *id = apr_table_get(r->subprocess_env, "UNIQUE_ID");
    unsigned char random[16];

    if (id && *id) {
        return id;
    }
    engine->ctx.random(random, sizeof(random), engine->ctx.baton);
    return brski_hex(brski_bytes(random, sizeof(random)), r->pool);
}

masa_http_t *masa_http_get(request_rec *r)
{
    masa_engine_t *engine = masa_engine(r->server);
    masa_http_t *http = ap_get_module_config(r->request_config, &masa_module);

    if (http || !engine) {
        return http;
    }
    http = apr_pcalloc(r->pool, sizeof(*http));
    http->r = r;
    http->engine = engine;
    http->operation = "";
    http->log.write = log_request_line;
    http->log.baton = http;
    http->log.level = masa_log_level(ap_get_request_module_loglevel(r, APLOG_MODULE_INDEX));
    http->request.request_id = request_id(r, engine);
    http->request.content_type = apr_table_get(r->headers_in, "Content-Type");
    http->request.accept = apr_table_get(r->headers_in, "Accept");
    http->request.address = r->useragent_ip;
    http->request.log = &http->log;
    ap_set_module_config(r->request_config, &masa_module, http);
    apr_table_setn(r->subprocess_env, "MASA_REQUEST_ID", http->request.request_id);
    return http;
}

/* What follows a base, or NULL when the path is not below it. */
static const char *after_base(const char *path, const char *base)
{
    apr_size_t n = strlen(base);

    return !strncmp(path, base, n) && path[n] == '/' ? path + n + 1 : NULL;
}

/* What follows one of the bases that are served. */
static const char *operation_path(const request_rec *r, const masa_engine_t *engine)
{
    const char *rest = r->uri ? after_base(r->uri, masa_get_text(engine->conf, base)) : NULL;

    if (!rest && r->uri && masa_get(engine->conf, legacy)) {
        rest = after_base(r->uri, LEGACY_BASE);
    }
    return rest;
}

int masa_http_is_ours(const request_rec *r, const masa_engine_t *engine)
{
    return operation_path(r, engine) != NULL;
}

/* Base and all that follows it decide, never the last segment alone: a rule written for one
 * <Location> must not be walked around through another path to the same operation. */
static const masa_operation_t *find_operation(const masa_http_t *http)
{
    const char *rest = operation_path(http->r, http->engine);
    const masa_operation_t *op;

    for (op = operations; rest && op->name; op++) {
        if (!strcmp(rest, op->name)) {
            return op;
        }
    }
    return NULL;
}

const char *masa_http_operation(const masa_http_t *http)
{
    const masa_operation_t *op = find_operation(http);

    return op ? op->name : "";
}

brski_err_t *masa_http_peer(masa_http_t *http)
{
    /* access rules ask before httpd authenticates, and the operation after it */
    http->request.user = masa_peer_user(http->r);
    if (http->peer_filled) {
        return BRSKI_OK;
    }
    BRSKI_TRY(masa_tls_check(http->r, http->engine));
    BRSKI_TRY(masa_peer_fill(&http->request, http->r, http->engine));
    http->peer_filled = 1;
    return BRSKI_OK;
}

/* ---- the body ---- */

static brski_err_t *body_length(apr_size_t *length, const masa_http_t *http)
{
    const char *text = apr_table_get(http->r->headers_in, "Content-Length");
    apr_off_t n = 0;
    char *end;

    *length = 0;
    if (!text) {
        return BRSKI_OK;
    }
    if (apr_strtoff(&n, text, &end, 10) != APR_SUCCESS || *end || n < 0) {
        return brski_err(BRSKI_E_BODY_BROKEN, NULL, http->r->pool, "Content-Length %s",
                         brski_printable(text, PRINT_MAX, http->r->pool));
    }
    if ((apr_uint64_t)n > http->engine->limits.body) {
        return brski_err(BRSKI_E_BODY_TOO_LARGE, NULL, http->r->pool, "Content-Length %s", text);
    }
    *length = (apr_size_t)n;
    return BRSKI_OK;
}

/* What a failed read means; AP_FILTER_ERROR: a filter has answered by itself. */
static brski_err_t *read_error(masa_http_t *http, apr_status_t rv)
{
    const int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    char text[128];

    http->answered = status == AP_FILTER_ERROR;
    return brski_err(status == HTTP_REQUEST_ENTITY_TOO_LARGE ? BRSKI_E_BODY_TOO_LARGE
                                                             : BRSKI_E_BODY_BROKEN,
                     NULL, http->r->pool, "reading the body: %s",
                     apr_strerror(rv, text, sizeof(text)));
}

typedef struct masa_body_t {
    unsigned char *data;
    apr_size_t len;
    apr_size_t room;
    apr_size_t limit;
} masa_body_t;

/* Room grows by doubling: a stranger who announces much and sends little costs little. */
static brski_err_t *body_append(masa_body_t *body, const char *data, apr_size_t len,
                                apr_pool_t *pool)
{
    if (len > body->limit - body->len) {
        return brski_err(BRSKI_E_BODY_TOO_LARGE, NULL, pool, "more than %" APR_SIZE_T_FMT
                         " octets", body->limit);
    }
    if (len > body->room - body->len) {
        apr_size_t room = body->room * 2;
        unsigned char *larger;

        while (room < body->len + len) {
            room *= 2;
        }
        larger = apr_palloc(pool, room);
        memcpy(larger, body->data, body->len);
        body->data = larger;
        body->room = room;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    return BRSKI_OK;
}

static brski_err_t *body_take(masa_body_t *body, int *end, apr_bucket_brigade *bb,
                              masa_http_t *http)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(b)) {
            *end = 1;
            break;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        if ((rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ)) != APR_SUCCESS) {
            return read_error(http, rv);
        }
        BRSKI_TRY(body_append(body, data, len, http->r->pool));
    }
    return BRSKI_OK;
}

static brski_err_t *body_read(masa_http_t *http)
{
    request_rec *r = http->r;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    masa_body_t body = { NULL, 0, 4096, http->engine->limits.body };
    apr_size_t announced;
    int end = 0;

    BRSKI_TRY(body_length(&announced, http));
    body.data = apr_palloc(r->pool, body.room);
    while (!end) {
        apr_status_t rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                                         HUGE_STRING_LEN);
        brski_err_t *err = rv == APR_SUCCESS ? body_take(&body, &end, bb, http)
                                             : read_error(http, rv);

        apr_brigade_cleanup(bb);
        http->request.body = brski_bytes(body.data, body.len);
        BRSKI_TRY(err);
    }
    if (body.len < announced) {
        return brski_err(BRSKI_E_BODY_BROKEN, NULL, r->pool, "%" APR_SIZE_T_FMT " of %"
                         APR_SIZE_T_FMT " octets came", body.len, announced);
    }
    http->body_done = 1;
    return body.len ? BRSKI_OK : brski_err(BRSKI_E_BODY_EMPTY, NULL, r->pool, NULL);
}

/* ---- the answer ---- */

static void set_env(const masa_http_t *http, const char *name, const char *value)
{
    if (value && *value) {
        apr_table_setn(http->r->subprocess_env, name,
                       brski_printable(value, PRINT_MAX, http->r->pool));
    }
}

/* For logs and expressions, set for refusals too, as far as the decision came. */
static void set_environment(const masa_http_t *http, const char *result)
{
    const brski_masa_answer_t *a = http->answer;

    set_env(http, "MASA_RESULT", result);
    if (a) {
        set_env(http, "MASA_SERIAL", a->serial_number);
        set_env(http, "MASA_PRODUCT", a->product);
        set_env(http, "MASA_DOMAINID", a->domain_id);
        set_env(http, "MASA_ASSERTION", brski_assertion_text(a->assertion));
        set_env(http, "MASA_SIGNER", a->signer);
    }
}

static void send_answer(const masa_http_t *http)
{
    const brski_masa_answer_t *a = http->answer;
    request_rec *r = http->r;

    set_environment(http, http->result);
    ap_set_content_type(r, a->content_type);
    ap_set_content_length(r, (apr_off_t)a->body.len);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_rwrite(a->body.data, (int)a->body.len, r);
}

/* ---- refusals ---- */

static int httpd_level(char level)
{
    return level == 'E' ? APLOG_ERR : level == 'W' ? APLOG_WARNING : APLOG_INFO;
}

static void log_refusal(const masa_http_t *http, const brski_err_t *err)
{
    apr_pool_t *pool = http->r->pool;
    const char *serial = http->answer ? http->answer->serial_number : NULL;

    ap_log_rerror(APLOG_MARK, httpd_level(err->level), 0, http->r,
                  "BRSKI%04d: %s answered %d: %s%s%s (serial-number %s, request %s)",
                  (int)err->code, *http->operation ? http->operation : "a request", err->status,
                  err->detail ? err->public_text : "", err->detail ? " " : "",
                  brski_err_text(err, pool),
                  serial ? brski_printable(serial, PRINT_MAX, pool) : "not read",
                  http->request.request_id);
}

static brski_bytes_t chain_octets(const apr_array_header_t *chain, apr_pool_t *pool)
{
    apr_size_t len = 0;
    unsigned char *all;
    unsigned char *p;
    int i;

    for (i = 0; chain && i < chain->nelts; i++) {
        len += APR_ARRAY_IDX(chain, i, const brski_cert_t *)->der.len;
    }
    all = p = apr_palloc(pool, len + 1);
    for (i = 0; chain && i < chain->nelts; i++) {
        const brski_bytes_t der = APR_ARRAY_IDX(chain, i, const brski_cert_t *)->der;

        memcpy(p, der.data, der.len);
        p += der.len;
    }
    return brski_bytes(all, len);
}

/* A database that failed is not asked to remember that it did. */
static int is_evidence(const masa_http_t *http, const brski_err_t *err)
{
    const int store_failed = err->code == BRSKI_E_STORE || err->code == BRSKI_E_STORE_BUSY
        || err->code == BRSKI_E_STORE_READONLY || err->code == BRSKI_E_STORE_SCHEMA;

    return http->engine->spool && http->r->method_number == M_POST && *http->operation
        && !store_failed;
}

static void keep_evidence(const masa_http_t *http, const brski_err_t *err)
{
    const brski_masa_request_t *q = &http->request;
    apr_pool_t *pool = http->r->pool;
    brski_refusal_t refusal = {
        .request_id = q->request_id, .at = http->r->request_time, .operation = http->operation,
        .number = (int)err->code, .status = err->status, .public_text = err->public_text,
        .detail = brski_err_text(err, pool), .address = q->address, .content_type = q->content_type,
        .accept = q->accept, .user = q->user, .request = q->body
    };

    if (http->answer && http->answer->serial_number) {
        refusal.serial_number = brski_printable(http->answer->serial_number, PRINT_MAX, pool);
    }
    if (q->client_cert) {
        refusal.client_cert = q->client_cert->der;
        refusal.client_chain = chain_octets(q->client_chain, pool);
    }
    brski_spool_refusal(http->engine->spool, &refusal);
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

int masa_http_refuse(masa_http_t *http, const brski_err_t *err)
{
    http->err = err;
    log_refusal(http, err);
    set_environment(http, err->name);
    if (is_evidence(http, err)) {
        keep_evidence(http, err);
    }
    claim_errors(http->r);
    return err->status;
}

/* What httpd refused by itself; it has logged why. */
static const char *httpd_text(int status)
{
    switch (status) {
    case HTTP_UNAUTHORIZED:
        return "This MASA requires HTTP authentication.";
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

static void set_error_headers(const masa_http_t *http, int status)
{
    request_rec *r = http->r;

    ap_set_content_type(r, "text/plain; charset=utf-8");
    apr_table_unset(r->headers_out, "Content-Length");
    apr_table_unset(r->headers_out, "Content-Language");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    if (status == HTTP_METHOD_NOT_ALLOWED) {
        apr_table_setn(r->headers_out, "Allow", "POST");
    }
    if (status == HTTP_UNSUPPORTED_MEDIA_TYPE) {
        apr_table_setn(r->headers_out, "Accept", brski_format_media_type(BRSKI_FORMAT_CMS));
    }
    if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->headers_out, "Retry-After", http->err ? retry_after(http->err) : "60");
    }
}

/* Puts our line in the place of httpd's page. What comes after it is dropped. */
static apr_status_t error_filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    masa_http_t *http = masa_http_get(r);
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;

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
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "BRSKI2201: httpd answered %d (request %s)",
                      r->status, http->request.request_id);
    }
    set_error_headers(http, r->status);
    if (!r->header_only) {
        apr_brigade_printf(bb, NULL, NULL, "%s (request %s)\n",
                           http->err ? http->err->public_text : httpd_text(r->status),
                           http->request.request_id);
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(f->next, bb);
}

static void insert_error_filter(request_rec *r)
{
    masa_http_t *http = masa_http_get(r);

    if (http && (http->err || masa_http_is_ours(r, http->engine))
        && ap_is_HTTP_ERROR(r->status)) {
        ap_add_output_filter(ERROR_FILTER, NULL, r, r->connection);
    }
}

/* ---- hooks ---- */

static brski_err_t *serve(masa_http_t *http, apr_pool_t *scratch_pool)
{
    const masa_operation_t *op = find_operation(http);

    if (!op) {
        return brski_err(BRSKI_E_OPERATION, NULL, http->r->pool, NULL);
    }
    http->operation = op->name;
    if (http->r->method_number != M_POST) {
        return brski_err(BRSKI_E_METHOD, NULL, http->r->pool, NULL);
    }
    BRSKI_TRY(masa_http_peer(http));
    if (!http->engine->masa.store) {
        return brski_err(BRSKI_E_STORE, NULL, http->r->pool, "the engine did not start");
    }
    BRSKI_TRY(masa_peer_check(&http->request, http->engine, scratch_pool));
    BRSKI_TRY(body_read(http));
    return op->run(http, scratch_pool);
}

/* A body that was not read to its end, and is longer than we would read: the connection is not
 * worth it. */
static void drop_body(const masa_http_t *http)
{
    apr_size_t announced;

    if (!http->body_done && (apr_table_get(http->r->headers_in, "Transfer-Encoding")
                             || body_length(&announced, http))) {
        http->r->connection->keepalive = AP_CONN_CLOSE;
    }
}

static int handler(request_rec *r)
{
    masa_http_t *http;
    apr_pool_t *scratch_pool;
    brski_err_t *err;

    if (!r->handler || strcmp(r->handler, "masa")) {
        return DECLINED;
    }
    http = masa_http_get(r);
    if (!http) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "BRSKI2202: SetHandler masa, but MASAEngine On "
                      "is missing for this server");
        return HTTP_NOT_FOUND;
    }
    /* Dies with the request: an error that lives in it is told after we return. */
    apr_pool_create(&scratch_pool, r->pool);
    apr_pool_tag(scratch_pool, "masa_request");
    err = serve(http, scratch_pool);
    if (!err) {
        send_answer(http);
        return OK;
    }
    if (http->answered) {
        return AP_FILTER_ERROR;
    }
    drop_body(http);
    return masa_http_refuse(http, err);
}

/* Before any other module may answer: mod_rewrite does so while it translates a path. */
static int claim_request(request_rec *r)
{
    const masa_engine_t *engine = masa_engine(r->server);

    if (engine && masa_http_is_ours(r, engine)) {
        claim_errors(r);
    }
    return DECLINED;
}

/* Before any access rule: what a rule sees of the client must be of a connection made for this
 * host. */
static int check_access(request_rec *r)
{
    masa_engine_t *engine = masa_engine(r->server);
    masa_http_t *http;
    brski_err_t *err;

    if (!engine || !masa_http_is_ours(r, engine)) {
        return DECLINED;
    }
    claim_errors(r);                  /* again: the path is decoded now */
    http = masa_http_get(r);
    err = masa_http_peer(http);
    return err ? masa_http_refuse(http, err) : DECLINED;
}

void masa_http_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_register_output_filter(ERROR_FILTER, error_filter, NULL, AP_FTYPE_RESOURCE);
    ap_hook_insert_error_filter(insert_error_filter, NULL, NULL, APR_HOOK_LAST);
    ap_hook_post_read_request(claim_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_access_checker(check_access, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
