/* SPDX-License-Identifier: Apache-2.0 */
/*
 * https.c: bare HTTP/1.1 over TLS, as https.h says. Blocking sockets: each connection has its
 * thread.
 */
#include "https.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_x509.h"

#define FIRST_ROOM 16384
#define MAX_ANSWER (8 * 1024 * 1024)

struct https_target_t {
    SSL_CTX *ctx;
    const char *host;
    const char *port;
    const char *authority;        /* for the header field Host */
    const char *head;             /* request up to Content-Length's value */
    apr_size_t head_len;
    struct sockaddr_storage address;
    socklen_t address_len;
    int timeout;
    int close;
    int provisional;
};

struct https_conn_t {
    const https_target_t *target;
    SSL *ssl;
    int fd;
    int used;                     /* answers got since it was opened */
    int stale;                    /* the last request met a connection that had ended */
    int opened;
    unsigned char *in;
    apr_size_t room;
    apr_size_t have;
    unsigned char *out;
    apr_size_t out_room;
    char why[160];
};

const char *https_failure_text(https_failure_t failure)
{
    static const char *const texts[HTTPS_FAILURES] = { "none", "connect", "handshake",
                                                       "send", "receive", "parse" };

    return failure >= 0 && failure < HTTPS_FAILURES ? texts[failure] : "unknown";
}

/* ---- the target ---- */

static apr_status_t free_ctx(void *ctx)
{
    SSL_CTX_free(ctx);
    return APR_SUCCESS;
}

/* https://HOST[:PORT]/PATH, HOST perhaps in brackets. */
static brski_err_t *split_url(https_target_t *t, const char **path, const char *url,
                              apr_pool_t *pool)
{
    const char *rest = url + 8, *slash, *colon;
    char *authority;

    if (strncasecmp(url, "https://", 8) != 0 || !*rest) {
        return say_refuse(pool, "%s is not an https URL.", brski_printable(url, 300, pool));
    }
    slash = strchr(rest, '/');
    *path = slash ? slash : "/";
    authority = apr_pstrmemdup(pool, rest, slash ? (apr_size_t)(slash - rest) : strlen(rest));
    colon = strrchr(authority, ':');
    if (colon && strchr(colon, ']')) {
        colon = NULL;
    }
    t->port = colon ? colon + 1 : "443";
    t->host = colon ? apr_pstrmemdup(pool, authority, (apr_size_t)(colon - authority)) : authority;
    if (t->host[0] == '[' && strchr(t->host, ']')) {
        t->host = apr_pstrmemdup(pool, t->host + 1, strlen(t->host) - 2);
    }
    t->authority = apr_psprintf(pool, strchr(t->host, ':') ? "[%s]:%s" : "%s:%s", t->host, t->port);
    return BRSKI_OK;
}

static int is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in6 *v6 = (const void *)address;
    const struct sockaddr_in *v4 = (const void *)address;

    if (address->sa_family == AF_INET) {
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static int open_socket(const struct sockaddr *address, socklen_t len, int timeout)
{
    struct timeval patience = { timeout, 0 };
    int one = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, address, len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* No name at all is this machine, which localhost is even where no hosts file says so (RFC 6761
 * 6.3). */
static int find_host(const https_target_t *t, struct addrinfo **all)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

    return getaddrinfo(strcasecmp(t->host, "localhost") ? t->host : NULL, t->port, &hints, all);
}

/* The first address that answers is everybody's. */
static brski_err_t *choose_address(https_target_t *t, int any_host, apr_pool_t *pool)
{
    struct addrinfo *all, *at;
    int rv = find_host(t, &all), fd = -1, stranger = 0, number = 0;

    if (rv != 0) {
        return say_refuse(pool, "Cannot find %s: %s.", brski_printable(t->host, 200, pool),
                          gai_strerror(rv));
    }
    for (at = all; at && fd < 0; at = at->ai_next) {
        if (!any_host && !is_loopback(at->ai_addr)) {
            stranger = 1;
            continue;
        }
        fd = open_socket(at->ai_addr, at->ai_addrlen, t->timeout);
        number = errno;
        memcpy(&t->address, at->ai_addr, at->ai_addrlen);
        t->address_len = at->ai_addrlen;
    }
    freeaddrinfo(all);
    if (fd >= 0) {
        close(fd);
        return BRSKI_OK;
    }
    if (stranger) {
        return say_refuse(pool, "%s is not this machine; load is for your own servers"
                          " (--i-own-this-server).", brski_printable(t->host, 200, pool));
    }
    return brski_err_say(brski_err(BRSKI_E_IO, NULL, pool, NULL), pool,
                         "No connection to %s port %s: %s.", brski_printable(t->host, 200, pool),
                         brski_printable(t->port, 20, pool), strerror(number));
}

/* An identity in memory, with what issued it. */
static int take_identity(SSL_CTX *ctx, const https_options_t *o)
{
    int i, ok = SSL_CTX_use_certificate(ctx, APR_ARRAY_IDX(o->certs, 0, const brski_cert_t *)->x509)
                == 1;

    for (i = 1; ok && i < o->certs->nelts; i++) {
        ok = SSL_CTX_add1_chain_cert(ctx, APR_ARRAY_IDX(o->certs, i, const brski_cert_t *)->x509);
    }
    /* without this OpenSSL would complete the chain from the anchors */
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    return ok && SSL_CTX_use_PrivateKey(ctx, o->key) == 1;
}

static int load_identity(SSL_CTX *ctx, const https_options_t *o)
{
    if (o->certs) {
        return take_identity(ctx, o);
    }
    return !o->chain_file
           || (SSL_CTX_use_certificate_chain_file(ctx, o->chain_file) == 1
               && SSL_CTX_use_PrivateKey_file(ctx, o->key_file, SSL_FILETYPE_PEM) == 1);
}

static brski_err_t *load_anchors(SSL_CTX *ctx, const https_options_t *o, apr_pool_t *pool)
{
    if (o->provisional) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return BRSKI_OK;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (o->anchors ? SSL_CTX_load_verify_file(ctx, o->anchors) != 1
                   : SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return brski_err_openssl(BRSKI_E_INPUT, NULL, pool, "%s holds no anchors", o->anchors);
    }
    return BRSKI_OK;
}

static brski_err_t *make_ctx(https_target_t *t, const https_options_t *o, apr_pool_t *pool)
{
    int version = o->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;

    t->ctx = SSL_CTX_new(TLS_client_method());
    if (!t->ctx) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "SSL_CTX_new");
    }
    apr_pool_cleanup_register(pool, t->ctx, free_ctx, apr_pool_cleanup_null);
    SSL_CTX_set_min_proto_version(t->ctx, o->tls_any ? TLS1_2_VERSION : version);
    SSL_CTX_set_max_proto_version(t->ctx, o->tls_any ? TLS1_3_VERSION : version);
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    BRSKI_TRY(load_anchors(t->ctx, o, pool));
    return load_identity(t->ctx, o) ? BRSKI_OK
                                    : brski_err_openssl(BRSKI_E_INPUT, NULL, pool,
                                                        "%s and %s do not make an"
                                                        " identity",
                                                        o->chain_file, o->key_file);
}

static void make_head(https_target_t *t, const https_options_t *o, const char *path,
                      apr_pool_t *pool)
{
    if (!o->content_type) {
        return;                       /* https_exchange() makes its own */
    }
    t->head = apr_pstrcat(pool, "POST ", path, " HTTP/1.1\r\nHost: ", t->authority,
                          "\r\nUser-Agent: brski-load/" BRSKI_VERSION "\r\nContent-Type: ",
                          o->content_type, "\r\nAccept: ", o->accept,
                          o->close ? "\r\nConnection: close" : "", "\r\nContent-Length: ", NULL);
    t->head_len = strlen(t->head);
}

static void go_there_too(https_target_t *t, const https_target_t *like)
{
    t->host = like->host;
    t->port = like->port;
    t->authority = like->authority;
    t->address = like->address;
    t->address_len = like->address_len;
}

const char *https_host(const https_target_t *target)
{
    return target->host;
}

brski_err_t *https_target_make(https_target_t **out, const https_options_t *options,
                               apr_pool_t *pool)
{
    https_target_t *t = apr_pcalloc(pool, sizeof(*t));
    const char *path = "/";

    *out = NULL;
    t->timeout = options->timeout;
    t->close = options->close;
    t->provisional = options->provisional;
    if (options->like) {
        go_there_too(t, options->like);
        BRSKI_TRY(make_ctx(t, options, pool));
    }
    else {
        BRSKI_TRY(split_url(t, &path, options->url, pool));
        BRSKI_TRY(make_ctx(t, options, pool));
        BRSKI_TRY(choose_address(t, options->any_host, pool));
    }
    make_head(t, options, path, pool);
    *out = t;
    return BRSKI_OK;
}

/* ---- a connection ---- */

https_conn_t *https_conn_make(const https_target_t *target)
{
    https_conn_t *conn = calloc(1, sizeof(*conn));

    if (conn) {
        conn->target = target;
        conn->fd = -1;
    }
    return conn;
}

static void hang_up(https_conn_t *conn)
{
    if (conn->ssl) {
        if (SSL_is_init_finished(conn->ssl)) {
            SSL_shutdown(conn->ssl);
        }
        SSL_free(conn->ssl);
    }
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    conn->ssl = NULL;
    conn->fd = -1;
    conn->used = 0;
    ERR_clear_error();
}

void https_conn_free(https_conn_t *conn)
{
    if (conn) {
        hang_up(conn);
        free(conn->in);
        free(conn->out);
        free(conn);
    }
}

int https_conn_opened(const https_conn_t *conn)
{
    return conn->opened;
}

const char *https_why(const https_conn_t *conn)
{
    return conn->why;
}

static https_failure_t failed(https_conn_t *conn, https_failure_t failure)
{
    unsigned long code = ERR_peek_last_error();
    long verdict = conn->ssl ? SSL_get_verify_result(conn->ssl) : X509_V_OK;
    int number = errno;

    if (failure == HTTPS_HANDSHAKE && verdict != X509_V_OK) {
        apr_cpystrn(conn->why, X509_verify_cert_error_string(verdict), sizeof(conn->why));
    }
    else if (code) {
        ERR_error_string_n(code, conn->why, sizeof(conn->why));
    }
    else {
        apr_cpystrn(conn->why, number ? strerror(number) : "the server closed the connection",
                    sizeof(conn->why));
    }
    ERR_clear_error();
    return failure;
}

static int name_is_address(const char *host)
{
    return strchr(host, ':') || strspn(host, "0123456789.") == strlen(host);
}

/* RFC 6066 3: no address literal in SNI; RFC 9110 4.3.5: it must then be in the certificate. */
static int expect_name(SSL *ssl, const https_target_t *t)
{
    const char *host = t->host;

    if (t->provisional) {
        return 1;                     /* RFC 8995 5.1: a pledge knows no name */
    }
    if (name_is_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static https_failure_t open_conn(https_conn_t *conn)
{
    const https_target_t *t = conn->target;

    errno = 0;
    conn->fd = open_socket((const struct sockaddr *)&t->address, t->address_len, t->timeout);
    if (conn->fd < 0) {
        return failed(conn, HTTPS_CONNECT);
    }
    conn->opened++;
    conn->ssl = SSL_new(t->ctx);
    if (!conn->ssl || !expect_name(conn->ssl, t) || SSL_set_fd(conn->ssl, conn->fd) != 1
        || SSL_connect(conn->ssl) != 1) {
        return failed(conn, HTTPS_HANDSHAKE);
    }
    return HTTPS_OK;
}

/* ---- a request ---- */

static int make_room(unsigned char **buffer, apr_size_t *room, apr_size_t need)
{
    unsigned char *more;

    if (need <= *room) {
        return 1;
    }
    more = realloc(*buffer, 2 * need);
    if (!more) {
        return 0;
    }
    *buffer = more;
    *room = 2 * need;
    return 1;
}

/*
 * Head and body leave in one TLS record: one packet, one wake-up. head ends before the length's
 * value.
 */
static https_failure_t send_request(https_conn_t *conn, const char *head, apr_size_t len,
                                    brski_bytes_t body)
{
    if (!make_room(&conn->out, &conn->out_room, len + 32 + body.len)) {
        return failed(conn, HTTPS_SEND);
    }
    memcpy(conn->out, head, len);
    len += (apr_size_t)sprintf((char *)conn->out + len, "%lu\r\n\r\n", (unsigned long)body.len);
    if (body.len > 0) {
        memcpy(conn->out + len, body.data, body.len);
        len += body.len;
    }
    errno = 0;
    return SSL_write(conn->ssl, conn->out, (int)len) == (int)len ? HTTPS_OK
                                                                 : failed(conn, HTTPS_SEND);
}

/* ---- its answer ---- */

/* Read until at least want octets are there; a NUL follows them. */
static int fill(https_conn_t *conn, apr_size_t want)
{
    while (conn->have < want) {
        int n;

        if (conn->have >= MAX_ANSWER) {
            errno = EMSGSIZE;         /* "Message too long" */
            return 0;
        }
        if (!make_room(&conn->in, &conn->room, conn->have + FIRST_ROOM + 1)) {
            return 0;
        }
        errno = 0;
        n = SSL_read(conn->ssl, conn->in + conn->have, FIRST_ROOM);
        if (n <= 0) {
            return 0;
        }
        conn->have += (apr_size_t)n;
        conn->in[conn->have] = '\0';
    }
    return 1;
}

/* Value of a header field, up to its line's end; NULL when absent. */
static const char *field(const char *head, const char *name)
{
    apr_size_t len = strlen(name);
    const char *line = strstr(head, "\r\n");

    for (; line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            return line + 3 + len + strspn(line + 3 + len, " \t");
        }
    }
    return NULL;
}

/* Where the body begins; 0 when the answer ended before. */
static apr_size_t read_head(https_conn_t *conn)
{
    char *end = NULL;

    while (!end) {
        if (!fill(conn, conn->have + 1)) {
            return 0;
        }
        end = strstr((char *)conn->in, "\r\n\r\n");
    }
    return (apr_size_t)((unsigned char *)end + 4 - conn->in);
}

/* Puts the chunks of a body together in place. RFC 9112 7.1 */
static int read_chunks(https_conn_t *conn, apr_size_t start, apr_size_t *len)
{
    apr_size_t at = start, out = start;
    unsigned long size = 1;

    while (size) {
        char *end;

        if (!fill(conn, at + 1)) {
            return 0;
        }
        while (!(end = strstr((char *)conn->in + at, "\r\n"))) {
            if (!fill(conn, conn->have + 1)) {
                return 0;
            }
        }
        size = strtoul((char *)conn->in + at, NULL, 16);
        at = (apr_size_t)((unsigned char *)end + 2 - conn->in);
        if (size > MAX_ANSWER || !fill(conn, at + size + 2)) {
            return 0;
        }
        memmove(conn->in + out, conn->in + at, size);
        out += size;
        at += size + 2;
    }
    *len = out - start;
    return 1;
}

static int read_body(https_conn_t *conn, int status, apr_size_t start, apr_size_t *len,
                     int *close_after)
{
    const char *head = (char *)conn->in;
    const char *length = field(head, "Content-Length"), *coding = field(head, "Transfer-Encoding");
    const char *connection = field(head, "Connection");

    *close_after = conn->target->close || (connection && strncasecmp(connection, "close", 5) == 0);
    if (status == 204 || status == 304) {
        *len = 0;                     /* RFC 9112 6.3: no body, whatever the fields say */
        return 1;
    }
    if (coding && strncasecmp(coding, "chunked", 7) == 0) {
        return read_chunks(conn, start, len);
    }
    if (length) {
        *len = strtoul(length, NULL, 10);
        errno = EMSGSIZE;
        return *len <= MAX_ANSWER && fill(conn, start + *len);
    }
    *close_after = 1;
    while (fill(conn, conn->have + 1)) {
    }
    *len = conn->have - start;
    return 1;
}

static https_failure_t read_answer(https_answer_t *answer, https_conn_t *conn)
{
    apr_size_t start;
    int close_after = 0;

    conn->have = 0;
    start = read_head(conn);
    if (!start) {
        return failed(conn, HTTPS_RECEIVE);
    }
    if (conn->have < 12 || memcmp(conn->in, "HTTP/1.", 7) != 0) {
        return failed(conn, HTTPS_PARSE);
    }
    answer->status = atoi((char *)conn->in + 9);
    if (!read_body(conn, answer->status, start, &answer->len, &close_after)) {
        return failed(conn, HTTPS_RECEIVE);
    }
    answer->body = conn->in + start;
    conn->used++;
    if (close_after) {
        hang_up(conn);
    }
    return HTTPS_OK;
}

static https_failure_t attempt(https_answer_t *answer, https_conn_t *conn, brski_bytes_t body)
{
    https_failure_t failure = conn->ssl ? HTTPS_OK : open_conn(conn);

    if (!failure) {
        failure = send_request(conn, conn->target->head, conn->target->head_len, body);
    }
    return failure ? failure : read_answer(answer, conn);
}

https_failure_t https_post(https_answer_t *answer, https_conn_t *conn, brski_bytes_t body)
{
    int kept = conn->used > 0;
    https_failure_t failure;

    conn->have = 0;
    failure = attempt(answer, conn, body);
    if (failure) {
        hang_up(conn);
    }
    if (kept && conn->have == 0 && (failure == HTTPS_SEND || failure == HTTPS_RECEIVE)) {
        failure = attempt(answer, conn, body);
        if (failure) {
            hang_up(conn);
        }
    }
    return failure;
}

/* ---- a pledge's requests ---- */

https_failure_t https_open(https_conn_t *conn)
{
    https_failure_t failure = conn->ssl ? HTTPS_OK : open_conn(conn);

    if (failure) {
        hang_up(conn);
    }
    return failure;
}

void https_close(https_conn_t *conn)
{
    hang_up(conn);
}

/* Its head up to the length's value, in malloc'ed memory; NULL: none left. */
static char *head_of(const https_conn_t *conn, const https_request_t *r)
{
    static const char form[] = "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: brski/" BRSKI_VERSION
                               "%s%s%s%s\r\nContent-Length: ";
    const char *type = r->content_type ? "\r\nContent-Type: " : "";
    const char *accept = r->accept ? "\r\nAccept: " : "";
    const char *type_value = r->content_type ? r->content_type : "";
    const char *accept_value = r->accept ? r->accept : "";
    apr_size_t room = sizeof(form) + strlen(r->method) + strlen(r->path) + 64
                      + strlen(conn->target->authority) + strlen(type_value)
                      + strlen(accept_value);
    char *head = malloc(room);

    if (head) {
        snprintf(head, room, form, r->method, r->path, conn->target->authority, type, type_value,
                 accept, accept_value);
    }
    return head;
}

https_failure_t https_exchange(https_answer_t *answer, https_conn_t *conn,
                               const https_request_t *request)
{
    int kept = conn->ssl && conn->used > 0;
    https_failure_t failure;
    char *head;

    memset(answer, 0, sizeof(*answer));
    conn->have = 0;
    conn->stale = 0;
    failure = https_open(conn);
    if (failure) {
        return failure;
    }
    head = head_of(conn, request);
    failure = head ? send_request(conn, head, strlen(head), request->body)
                   : failed(conn, HTTPS_SEND);
    free(head);
    if (!failure) {
        failure = read_answer(answer, conn);
    }
    if (failure) {
        conn->stale = kept && conn->have == 0;
        hang_up(conn);
    }
    return failure;
}

int https_was_stale(const https_conn_t *conn)
{
    return conn->stale;
}

SSL *https_ssl(const https_conn_t *conn)
{
    return conn->ssl;
}

const char *https_field(const https_conn_t *conn, const char *name, apr_pool_t *pool)
{
    const char *value = conn->have ? field((const char *)conn->in, name) : NULL;

    return value ? apr_pstrmemdup(pool, value, strcspn(value, "\r\n")) : NULL;
}
