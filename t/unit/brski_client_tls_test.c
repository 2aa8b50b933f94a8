/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_client_tls_test.c: the client against a real TLS server: whom it trusts when the
 * anchors are in memory, what a server of a stranger shows, and what it never does: follow,
 * wait for ever, or talk to an address that is not allowed.
 */
#include <apr_strings.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "brski_client.h"
#include "testpki.h"
#include "unit.h"

static apr_pool_t *pool;

/* ---- a server ---- */

typedef struct server_t {
    SSL_CTX *ctx;
    int socket;
    int port;
    volatile int connections;
    volatile int stop;
    pthread_t thread;
} server_t;

/* Up to the end of the headers; these requests have no body. */
static int read_request(SSL *ssl, char *buffer, int size)
{
    int len = 0, n;

    while (len < size - 1 && (n = SSL_read(ssl, buffer + len, size - 1 - len)) > 0) {
        len += n;
        buffer[len] = '\0';
        if (strstr(buffer, "\r\n\r\n")) {
            return 1;
        }
    }
    return 0;
}

static void say(SSL *ssl, const char *text)
{
    SSL_write(ssl, text, (int)strlen(text));
}

static void drip(const server_t *s, SSL *ssl)
{
    int i;

    say(ssl, "HTTP/1.1 200 OK\r\n\r\n");
    for (i = 0; i < 600 && !s->stop && SSL_write(ssl, ".", 1) > 0; i++) {
        usleep(50000);
    }
}

/* The same name again and again: what is put together of it must not grow with the square. */
static void flood(const server_t *s, SSL *ssl, int lines)
{
    int i;

    say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (i = 0; i < lines && !s->stop && SSL_write(ssl, "X: 123456\r\n", 11) > 0; i++) {
    }
    say(ssl, "\r\n");
}

static void answer(const server_t *s, SSL *ssl, const char *request)
{
    char big[4096];
    int i;

    if (!strncmp(request, "GET /redirect", 13)) {
        say(ssl, "HTTP/1.1 307 There\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    }
    else if (!strncmp(request, "GET /big", 8)) {
        memset(big, 'x', sizeof(big));
        say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 409600\r\n\r\n");
        for (i = 0; i < 100 && SSL_write(ssl, big, sizeof(big)) > 0; i++) {
        }
    }
    else if (!strncmp(request, "GET /endless", 12)) {
        drip(s, ssl);
    }
    else if (!strncmp(request, "GET /headers", 12)) {
        flood(s, ssl, request[12] == '/' ? 20000 : 1000);
    }
    else {
        say(ssl, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
    }
}

static void serve(const server_t *s, int connection)
{
    SSL *ssl = SSL_new(s->ctx);
    char buffer[4096];

    SSL_set_fd(ssl, connection);
    if (SSL_accept(ssl) > 0 && read_request(ssl, buffer, sizeof(buffer))) {
        answer(s, ssl, buffer);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(connection);
}

static void *run(void *baton)
{
    server_t *s = baton;
    struct pollfd p = { s->socket, POLLIN, 0 };

    while (!s->stop) {
        if (poll(&p, 1, 100) > 0) {
            s->connections++;
            serve(s, accept(s->socket, NULL, NULL));
        }
    }
    return NULL;
}

static apr_status_t end_server(void *baton)
{
    server_t *s = baton;

    s->stop = 1;
    pthread_join(s->thread, NULL);
    close(s->socket);
    SSL_CTX_free(s->ctx);
    return APR_SUCCESS;
}

/* Shows its own certificate and that of its issuer, not the root. */
static server_t *start(const testpki_t *ee)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);
    server_t *s = apr_pcalloc(pool, sizeof(*s));

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->ctx = SSL_CTX_new(TLS_server_method());
    s->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (SSL_CTX_use_certificate(s->ctx, ee->cert->x509) != 1
        || SSL_CTX_use_PrivateKey(s->ctx, ee->key) != 1
        || (ee->issuer && SSL_CTX_add1_chain_cert(s->ctx, ee->issuer->cert->x509) != 1)
        || bind(s->socket, (struct sockaddr *)&at, sizeof(at)) || listen(s->socket, 8)
        || getsockname(s->socket, (struct sockaddr *)&at, &len)
        || pthread_create(&s->thread, NULL, run, s)) {
        bail_out("no server");
    }
    s->port = ntohs(at.sin_port);
    apr_pool_cleanup_register(pool, s, end_server, apr_pool_cleanup_null);
    return s;
}

/* ---- a manufacturer's server ---- */

typedef struct lab_t {
    testpki_t *root, *ca, *ee, *other;
    server_t *server;
    brski_client_options_t options;
    apr_array_header_t *shown;        /* brski_bytes_t: what untrusted() got; NULL: not called */
} lab_t;

static void untrusted(void *baton, const apr_array_header_t *chain)
{
    lab_t *lab = baton;
    int i;

    lab->shown = apr_array_make(pool, 2, sizeof(brski_bytes_t));
    for (i = 0; i < chain->nelts; i++) {
        APR_ARRAY_PUSH(lab->shown, brski_bytes_t) =
            brski_bytes_dup(APR_ARRAY_IDX(chain, i, brski_bytes_t), pool);
    }
}

static testpki_t *make(const testpki_t *issuer, testpki_spec_t spec)
{
    return testpki_make(&spec, issuer, pool);
}

static lab_t *lab_make(void)
{
    lab_t *lab = apr_pcalloc(pool, sizeof(*lab));

    lab->root = make(NULL, (testpki_spec_t){ .cn = "root", .ca = 1 });
    lab->ca = make(lab->root, (testpki_spec_t){ .cn = "CA", .ca = 1 });
    lab->other = make(NULL, (testpki_spec_t){ .cn = "other", .ca = 1 });
    lab->ee = make(lab->ca, (testpki_spec_t){ .cn = "masa", .dns = "masa.example",
                                              .server_auth = 1 });
    lab->server = start(lab->ee);
    lab->options.resolve = apr_psprintf(pool, "masa.example:%d:127.0.0.1", lab->server->port);
    lab->options.timeout = apr_time_from_sec(20);
    lab->options.baton = lab;
    return lab;
}

static const apr_array_header_t *trusting(const testpki_t *a, const testpki_t *b)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(brski_bytes_t));

    if (a) {
        APR_ARRAY_PUSH(list, brski_bytes_t) = a->cert->der;
    }
    if (b) {
        APR_ARRAY_PUSH(list, brski_bytes_t) = b->cert->der;
    }
    return list;
}

static brski_err_t *get_from(lab_t *lab, const char *host, const char *path,
                             brski_client_answer_t **a)
{
    brski_client_request_t request = { .method = "GET" };
    brski_client_t *client;
    brski_err_t *err;

    *a = NULL;
    lab->shown = NULL;
    request.url = apr_psprintf(pool, "https://%s:%d%s", host, lab->server->port, path);
    err = brski_client_curl_make(&client, &lab->options, pool);
    return err ? err : client->send(a, client, &request, pool, pool);
}

static brski_err_t *get(lab_t *lab, const char *path, brski_client_answer_t **a)
{
    return get_from(lab, "masa.example", path, a);
}

static void test_trust(void)
{
    lab_t *lab = lab_make();
    brski_client_answer_t *a;

    lab->options.trusted = trusting(lab->root, NULL);
    is_ok(get(lab, "/ok", &a), "5.4 a root in memory is trusted");
    is_str(a ? (const char *)a->body.data : "", "hello", "5.4 and its server answers");
    lab->options.trusted = trusting(lab->other, lab->ca);
    is_ok(get(lab, "/ok", &a), "5.4 an anchor need not be a root: the top of what was shown");
    lab->options.trusted = trusting(lab->ee, NULL);
    is_ok(get(lab, "/ok", &a), "5.4 the server's own certificate will do");
    lab->options.trusted = trusting(lab->other, NULL);
    is_err(get(lab, "/ok", &a), IO, "5.4 another's is not enough");
    lab->options.trusted = trusting(NULL, NULL);
    is_err(get(lab, "/ok", &a), IO, "5.4 an empty list trusts nobody");
    lab->options.trusted = NULL;
    is_err(get(lab, "/ok", &a), IO, "5.4 nor does WebPKI know it");
}

static void test_shown(void)
{
    lab_t *lab = lab_make();
    brski_client_answer_t *a;

    lab->options.untrusted = untrusted;
    lab->options.trusted = trusting(NULL, NULL);
    is_err(get(lab, "/ok", &a), IO, "5.4 a stranger's server is not asked");
    is_int(lab->shown ? lab->shown->nelts : 0, 2, "5.4 but what it shows is told");
    ok(lab->shown && brski_bytes_equal(APR_ARRAY_IDX(lab->shown, 0, brski_bytes_t),
                                       lab->ee->cert->der), "5.4 its certificate first");
    ok(lab->shown && brski_bytes_equal(APR_ARRAY_IDX(lab->shown, 1, brski_bytes_t),
                                       lab->ca->cert->der), "5.4 its CA's last");
    lab->options.trusted = trusting(lab->ca, NULL);
    is_ok(get(lab, "/ok", &a), "5.4 approved, it is asked");
    ok(lab->shown == NULL, "5.4 then nothing is told");
    lab->options.trusted = NULL;
    is_err(get(lab, "/ok", &a), IO, "5.4 a stranger to WebPKI");
    ok(lab->shown != NULL, "5.4 is told too");
}

/* Trust does not make another's name right, nor an old certificate new. */
static void test_names(void)
{
    lab_t *lab = lab_make();
    testpki_t *old = make(lab->ca, (testpki_spec_t){ .cn = "old", .dns = "masa.example",
                                                     .server_auth = 1,
                                                     .not_after = "2025-01-01T00:00:00Z" });
    brski_client_answer_t *a;

    lab->options.untrusted = untrusted;
    lab->options.trusted = trusting(lab->ca, NULL);
    lab->options.resolve = apr_psprintf(pool, "evil.example:%d:127.0.0.1", lab->server->port);
    is_err(get_from(lab, "evil.example", "/ok", &a), IO, "5.4 the name must be the certificate's");
    ok(lab->shown == NULL, "5.4 which is no question of first use");
    lab->server = start(old);
    lab->options.resolve = apr_psprintf(pool, "masa.example:%d:127.0.0.1", lab->server->port);
    is_err(get(lab, "/ok", &a), IO, "5.4 an expired certificate is not taken");
    ok(lab->shown == NULL, "5.4 which is none either");
}

static int nowhere(void *baton, const char *address, int port)
{
    (void)baton;
    (void)port;
    return strcmp(address, "127.0.0.1") != 0;
}

static void test_bounds(void)
{
    lab_t *lab = lab_make();
    brski_client_answer_t *a;
    brski_err_t *err;
    int connections;

    lab->options.trusted = trusting(lab->root, NULL);
    lab->options.max_answer = 100000;
    is_ok(get(lab, "/redirect", &a), "5.4 a redirect is an answer");
    is_int(a ? a->status : 0, 307, "5.4 and not followed");
    is_str(a ? a->location : "", "/ok", "5.4 where to is told");
    is_err(get(lab, "/big", &a), LIMIT, "5.4 an answer that is too large");
    is_err(get(lab, "/headers/", &a), LIMIT, "5.4 a header that is too large");
    is_ok(get(lab, "/headers", &a), "5.4 one field a thousand times");
    ok(a && strlen(apr_table_get(a->headers, "X")) < 2000, "5.4 is not kept so often");
    lab->options.timeout = apr_time_from_sec(1);
    is_err(get(lab, "/endless", &a), IO, "5.4 an answer without end");
    lab->options.address_ok = nowhere;
    connections = lab->server->connections;
    err = get(lab, "/ok", &a);
    is_err(err, IO, "11.4 an address that is not allowed");
    has_str(err ? err->public_text : "", "127.0.0.1", "11.4 is named");
    lab->options.address_ok = NULL;
    is_ok(get(lab, "/ok", &a), "11.4 one that is allowed");
    is_int(lab->server->connections, connections + 1, "11.4 nobody knocked at the other");
}

int main(void)
{
    static void (*const tests[])(void) = { test_trust, test_shown, test_names, test_bounds };
    apr_pool_t *parent = unit_start();
    apr_size_t i;

    signal(SIGPIPE, SIG_IGN);
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        apr_pool_create(&pool, parent);
        tests[i]();
        apr_pool_destroy(pool);
    }
    return done_testing();
}
