/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_client_curl.c: the HTTPS client on libcurl, as brski_client.h says. libcurl is told once,
 * when the client is made, everything that must hold for each request: https alone, verified names,
 * no redirects, limits.
 */
#include "brski_client.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "brski_bytes.h"
#include "brski_err.h"

#ifndef BRSKI_VERSION
#define BRSKI_VERSION "0"
#endif

#define CONNECT_TIMEOUT apr_time_from_sec(10)
#define TIMEOUT apr_time_from_sec(60)
#define MAX_ANSWER (8 * 1024 * 1024)
/* libcurl bounds a line of a header, and neither their number nor what interim answers bring. */
#define HEADERS_MAX (64 * 1024)
#define HEADER_LINES_MAX 200

typedef struct state_t {
    CURL *curl;
    struct curl_slist *resolve;
    const brski_client_options_t *options;
    apr_size_t max_answer;
    X509_STORE *store;            /* of options->trusted; NULL: curl's */
    apr_pool_t *pool;
    char error[CURL_ERROR_SIZE];
} state_t;

/* One exchange, as curl's callbacks see it. */
typedef struct exchange_t {
    state_t *state;
    apr_pool_t *pool;
    apr_table_t *headers;
    int header_lines;             /* of this answer */
    apr_size_t header_octets;     /* of all answers */
    char *body;
    apr_size_t len;
    apr_size_t room;
    int too_large;
    int allowed;                  /* an address was */
    int refused;                  /* an address was */
    char address[80];
} exchange_t;

/* ---- what curl calls ---- */

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    exchange_t *x = baton;
    size_t len = size * count;

    if (len > x->state->max_answer - x->len) {
        x->too_large = 1;
        return 0;
    }
    if (x->len + len > x->room) {
        apr_size_t room = 2 * (x->len + len) + 4096;
        char *more = apr_palloc(x->pool, room + 1);

        if (x->len) {
            memcpy(more, x->body, x->len);
        }
        x->body = more;
        x->room = room;
    }
    memcpy(x->body + x->len, data, len);
    x->len += len;
    return len;
}

/* A status line begins a new answer: what an interim one (100, 401 before a login) said is dropped.
 */
static size_t take_header(char *data, size_t size, size_t count, void *baton)
{
    exchange_t *x = baton;
    size_t len = size * count;
    char *line, *colon, *value;

    if (len > HEADERS_MAX - x->header_octets) {
        x->too_large = 1;
        return 0;
    }
    x->header_octets += len;
    line = apr_pstrmemdup(x->pool, data, len);
    colon = strchr(line, ':');
    if (strncmp(line, "HTTP/", 5) == 0) {
        apr_table_clear(x->headers);
        x->header_lines = 0;
    }
    else if (colon && x->header_lines++ < HEADER_LINES_MAX) {
        *colon = '\0';
        value = colon + 1 + strspn(colon + 1, " \t");
        value[strcspn(value, "\r\n")] = '\0';
        apr_table_mergen(x->headers, line, value);
    }
    return len;
}

static int is_allowed(exchange_t *x, const char *address, int port)
{
    const brski_client_options_t *o = x->state->options;

    apr_cpystrn(x->address, address ? address : "", sizeof(x->address));
    if (o->address_ok && !o->address_ok(o->baton, x->address, port)) {
        x->refused = 1;
        return 0;
    }
    x->allowed = 1;
    return 1;
}

/* Asked with each address that a name leads to, before anything is sent to it: who is only spoken
 * TLS to learns something, too, and so does who made us try. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *at)
{
    char text[INET6_ADDRSTRLEN] = "";
    int port = 0;

    (void)purpose;
    if (at->family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&at->addr;

        inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        port = ntohs(in->sin_port);
    }
    else if (at->family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)&at->addr;

        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
        port = ntohs(in6->sin6_port);
    }
    if (!is_allowed(baton, text, port)) {
        return CURL_SOCKET_BAD;
    }
    return socket(at->family, at->socktype, at->protocol);
}

/* Asked with the connected socket's address, before the request is sent. */
static int judge_address(void *baton, char *address, char *local, int port, int local_port)
{
    (void)local;
    (void)local_port;
    return is_allowed(baton, address, port) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- whom to trust ---- */

/* Errors that say nothing but that the issuer is a stranger. */
static int is_stranger(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
           || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
           || error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
           || error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
           || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
           || error == X509_V_ERR_CERT_UNTRUSTED;
}

static void tell_chain(const state_t *state, X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(ctx);
    apr_array_header_t *chain;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, state->pool);
    chain = apr_array_make(pool, 4, sizeof(brski_bytes_t));
    for (i = 0; i < sk_X509_num(shown); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(shown, i), &der);

        if (len > 0) {
            APR_ARRAY_PUSH(chain, brski_bytes_t) =
                brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);
        }
        OPENSSL_free(der);
    }
    if (chain->nelts) {
        state->options->untrusted(state->options->baton, chain);
    }
    apr_pool_destroy(pool);
}

/* OpenSSL's verification, and what the server showed when it came to a stranger. */
static int verify(X509_STORE_CTX *ctx, void *baton)
{
    const state_t *state = baton;
    int good = X509_verify_cert(ctx);

    if (good <= 0 && state->options->untrusted && is_stranger(X509_STORE_CTX_get_error(ctx))) {
        tell_chain(state, ctx);
    }
    return good;
}

static CURLcode prepare_tls(CURL *curl, void *ssl_ctx, void *baton)
{
    state_t *state = baton;

    (void)curl;
    if (state->store) {
        /* the context takes a reference of its own */
        SSL_CTX_set1_cert_store(ssl_ctx, state->store);
    }
    SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, state);
    return CURLE_OK;
}

/* An anchor need not be self-signed: a server may leave its root out. */
static brski_err_t *make_store(state_t *state, const apr_array_header_t *trusted, apr_pool_t *pool)
{
    int i, good = 1;

    state->store = X509_STORE_new();
    if (!state->store || !X509_STORE_set_flags(state->store, X509_V_FLAG_PARTIAL_CHAIN)) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "X509_STORE");
    }
    for (i = 0; i < trusted->nelts && good; i++) {
        brski_bytes_t der = APR_ARRAY_IDX(trusted, i, brski_bytes_t);
        const unsigned char *at = der.data;
        X509 *x509 = d2i_X509(NULL, &at, (long)der.len);

        good = x509 && X509_STORE_add_cert(state->store, x509);
        X509_free(x509);
    }
    return good ? BRSKI_OK
                : brski_err_openssl(BRSKI_E_INPUT, NULL, pool, "a trusted certificate");
}

/* ---- making ---- */

static apr_status_t close_state(void *baton)
{
    state_t *state = baton;

    curl_easy_cleanup(state->curl);
    X509_STORE_free(state->store);
    curl_slist_free_all(state->resolve);
    return APR_SUCCESS;
}

static long milliseconds(apr_interval_time_t given, apr_interval_time_t fallback)
{
    return (long)apr_time_as_msec(given > 0 ? given : fallback);
}

static void set_tls(CURL *curl, const brski_client_options_t *o)
{
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (o->anchors || o->trusted) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, o->trusted ? NULL : o->anchors);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (o->chain_file) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, o->chain_file);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, o->key_file);
        /* an encrypted key must not ask the terminal */
        curl_easy_setopt(curl, CURLOPT_KEYPASSWD, "");
    }
}

static void set_limits(CURL *curl, const brski_client_options_t *o)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     milliseconds(o->connect_timeout, CONNECT_TIMEOUT));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(o->timeout, TIMEOUT));
    curl_easy_setopt(curl, CURLOPT_PROXY, o->proxy ? o->proxy : "");
    /* libcurl's own files are nobody's configuration of ours */
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
}

static void set_identity(CURL *curl, const brski_client_options_t *o)
{
    curl_easy_setopt(curl, CURLOPT_USERAGENT,
                     o->user_agent ? o->user_agent : "brski/" BRSKI_VERSION);
    if (o->user) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, o->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, o->password ? o->password : "");
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
    }
}

/* libcurl would say so at the first request only, and in other words. */
static brski_err_t *readable(const char *path, apr_pool_t *pool)
{
    apr_file_t *file;

    if (!path) {
        return BRSKI_OK;
    }
    if (apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool) != APR_SUCCESS) {
        return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, pool, "%s", path), pool,
                             "%s cannot be read.", brski_printable(path, 200, pool));
    }
    apr_file_close(file);
    return BRSKI_OK;
}

static brski_client_options_t *copy_options(const brski_client_options_t *o, apr_pool_t *pool)
{
    brski_client_options_t *own = apr_pmemdup(pool, o, sizeof(*o));

    own->anchors = apr_pstrdup(pool, o->anchors);
    own->chain_file = apr_pstrdup(pool, o->chain_file);
    own->key_file = apr_pstrdup(pool, o->key_file ? o->key_file : o->chain_file);
    own->resolve = apr_pstrdup(pool, o->resolve);
    own->proxy = apr_pstrdup(pool, o->proxy);
    return own;
}

static brski_err_t *send_request(brski_client_answer_t **answer, brski_client_t *client,
                                 const brski_client_request_t *request, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool);

brski_err_t *brski_client_curl_make(brski_client_t **out, const brski_client_options_t *options,
                                    apr_pool_t *pool)
{
    brski_client_t *client = apr_pcalloc(pool, sizeof(*client));
    state_t *state = apr_pcalloc(pool, sizeof(*state));

    *out = NULL;
    state->options = copy_options(options, pool);
    state->pool = pool;
    BRSKI_TRY(readable(state->options->anchors, pool));
    BRSKI_TRY(readable(state->options->chain_file, pool));
    BRSKI_TRY(readable(state->options->key_file, pool));
    state->max_answer = options->max_answer ? options->max_answer : MAX_ANSWER;
    state->curl = curl_easy_init();
    if (!state->curl) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "curl_easy_init");
    }
    apr_pool_cleanup_register(pool, state, close_state, apr_pool_cleanup_null);
    if (options->resolve) {
        state->resolve = curl_slist_append(NULL, options->resolve);
    }
    if (options->trusted) {
        BRSKI_TRY(make_store(state, options->trusted, pool));
    }
    client->name = "curl";
    client->send = send_request;
    client->state = state;
    *out = client;
    return BRSKI_OK;
}

/* ---- sending ---- */

static void set_options(state_t *state)
{
    curl_easy_reset(state->curl);     /* keeps connections, forgets the last request */
    set_tls(state->curl, state->options);
    set_limits(state->curl, state->options);
    set_identity(state->curl, state->options);
    curl_easy_setopt(state->curl, CURLOPT_RESOLVE, state->resolve);
    curl_easy_setopt(state->curl, CURLOPT_ERRORBUFFER, state->error);
    curl_easy_setopt(state->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(state->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(state->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(state->curl, CURLOPT_PREREQFUNCTION, judge_address);
}

/* Only what asks for it needs libcurl to be the one on OpenSSL. */
static brski_err_t *set_trust(state_t *state, apr_pool_t *pool)
{
    if (!state->store && !state->options->untrusted) {
        return BRSKI_OK;
    }
    if (curl_easy_setopt(state->curl, CURLOPT_SSL_CTX_FUNCTION, prepare_tls) != CURLE_OK
        || curl_easy_setopt(state->curl, CURLOPT_SSL_CTX_DATA, state) != CURLE_OK) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "libcurl is not the one on OpenSSL");
    }
    return BRSKI_OK;
}

static struct curl_slist *header_lines(const brski_client_request_t *r, apr_pool_t *pool)
{
    const char *type = r->content_type, *accept = r->accept;
    struct curl_slist *list;

    /* "Name:" takes a field away that curl would send by itself */
    list = curl_slist_append(NULL, type ? apr_pstrcat(pool, "Content-Type: ", type, NULL)
                                        : "Content-Type:");
    list =
        curl_slist_append(list, accept ? apr_pstrcat(pool, "Accept: ", accept, NULL) : "Accept:");
    return curl_slist_append(list, "Expect:");
}

static void set_request(CURL *curl, const brski_client_request_t *r)
{
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    if (strcmp(r->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body.len ? (const char *)r->body.data : "");
    }
    else if (strcmp(r->method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
    }
}

/* libcurl's words may repeat a server's; its apostrophes may stay. */
static const char *reason(const exchange_t *x, CURLcode code)
{
    const char *why = x->state->error[0] ? x->state->error : curl_easy_strerror(code);
    char *text = apr_pstrdup(x->pool, brski_printable(why, 300, x->pool)), *at;

    while ((at = strstr(text, "\\x27")) != NULL) {
        *at = '\'';
        memmove(at + 1, at + 4, strlen(at + 4) + 1);
    }
    return text;
}

static brski_err_t *say_failure(const exchange_t *x, const brski_client_request_t *r, CURLcode code,
                                apr_pool_t *pool)
{
    if (x->too_large) {
        return brski_err_say(brski_err(BRSKI_E_LIMIT, NULL, pool, "%s", r->url), pool,
                             "The answer of %s is larger than %" APR_SIZE_T_FMT " octets.",
                             brski_printable(r->url, 300, pool), x->state->max_answer);
    }
    if (x->refused && !x->allowed) {
        return brski_err_say(brski_err(BRSKI_E_IO, NULL, pool, "%s", x->address), pool,
                             "%s leads to %s, an address that is not allowed.",
                             brski_printable(r->url, 300, pool), x->address);
    }
    return brski_err_say(brski_err(BRSKI_E_IO, NULL, pool, "curl %d", (int)code), pool,
                         "No answer from %s: %s.", brski_printable(r->url, 300, pool),
                         reason(x, code));
}

static apr_int64_t seconds_of(const char *text)
{
    char *end;
    apr_int64_t n = text ? apr_strtoi64(text, &end, 10) : -1;

    return text && end != text && *end == '\0' && n >= 0 ? n : -1;
}

static brski_client_answer_t *make_answer(const exchange_t *x, apr_interval_time_t took)
{
    brski_client_answer_t *a = apr_pcalloc(x->pool, sizeof(*a));
    long status = 0;

    curl_easy_getinfo(x->state->curl, CURLINFO_RESPONSE_CODE, &status);
    a->status = (int)status;
    a->headers = x->headers;
    a->content_type = apr_table_get(x->headers, "Content-Type");
    a->location = apr_table_get(x->headers, "Location");
    a->retry_after = seconds_of(apr_table_get(x->headers, "Retry-After"));
    if (x->len) {
        x->body[x->len] = '\0';
    }
    a->body = brski_bytes(x->len ? x->body : "", x->len);
    a->address = apr_pstrdup(x->pool, x->address);
    a->took = took;
    return a;
}

static int is_https(const char *url)
{
    return strncasecmp(url, "https://", 8) == 0 && url[8];
}

static brski_err_t *send_request(brski_client_answer_t **answer, brski_client_t *client,
                                 const brski_client_request_t *request, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    state_t *state = client->state;
    exchange_t x;
    struct curl_slist *headers;
    apr_time_t started = apr_time_now();
    CURLcode code;

    *answer = NULL;
    if (!is_https(request->url)) {
        return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, result_pool, NULL), result_pool,
                             "%s is not an https URL.",
                             brski_printable(request->url, 300, result_pool));
    }
    memset(&x, 0, sizeof(x));
    x.state = state;
    x.pool = result_pool;
    x.headers = apr_table_make(result_pool, 16);
    state->error[0] = '\0';
    set_options(state);
    BRSKI_TRY(set_trust(state, result_pool));
    set_request(state->curl, request);
    headers = header_lines(request, scratch_pool);
    curl_easy_setopt(state->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(state->curl, CURLOPT_WRITEDATA, &x);
    curl_easy_setopt(state->curl, CURLOPT_HEADERDATA, &x);
    curl_easy_setopt(state->curl, CURLOPT_OPENSOCKETDATA, &x);
    curl_easy_setopt(state->curl, CURLOPT_PREREQDATA, &x);
    code = curl_easy_perform(state->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return say_failure(&x, request, code, result_pool);
    }
    *answer = make_answer(&x, apr_time_now() - started);
    return BRSKI_OK;
}
