/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke_lab.c: CRLs, OCSP responses and a small HTTP server for tests, as revoke_lab.h says.
 */
#include "revoke_lab.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "unit.h"

#define LAST "2026-01-14T00:00:00Z"
#define NEXT "2026-01-20T00:00:00Z"

static void must(int done, const char *what)
{
    if (!done) {
        bail_out("revoke_lab: %s", what);
    }
}

static ASN1_TIME *asn1_time(const char *text, const char *fallback)
{
    if (text && !*text) {
        return NULL;
    }
    return ASN1_TIME_set(NULL, (time_t)apr_time_sec(unit_time(text ? text : fallback)));
}

static brski_bytes_t take(int len, unsigned char *der, apr_pool_t *pool)
{
    brski_bytes_t copy;

    must(len > 0, "encoding");
    copy = brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool);
    OPENSSL_free(der);
    return copy;
}

/* ---- CRLs ---- */

static void add_revoked(X509_CRL *crl, const X509 *x509, ASN1_TIME *when)
{
    X509_REVOKED *entry = X509_REVOKED_new();

    must(entry && X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)X509_get0_serialNumber(x509))
         && X509_REVOKED_set_revocationDate(entry, when) && X509_CRL_add0_revoked(crl, entry),
         "revoked entry");
}

static void add_ext(X509_CRL *crl, const char *ext, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, ext), *value = strchr(name, '=');
    X509_EXTENSION *made;
    X509V3_CTX ctx;

    *value++ = '\0';
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, crl, 0);
    made = X509V3_EXT_conf(NULL, &ctx, name, value);
    must(made && X509_CRL_add_ext(crl, made, -1), ext);
    X509_EXTENSION_free(made);
}

static brski_bytes_t encode_crl(X509_CRL *crl, int pem, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    brski_bytes_t bytes;
    char *text;
    BIO *bio;
    int len;

    if (!pem) {
        len = i2d_X509_CRL(crl, &der);
        return take(len, der, pool);
    }
    bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509_CRL(bio, crl), "PEM");
    bytes.len = (apr_size_t)BIO_get_mem_data(bio, &text);
    bytes.data = (unsigned char *)text;
    bytes = brski_bytes_dup(bytes, pool);
    BIO_free(bio);
    return bytes;
}

brski_bytes_t lab_crl(const pki_party_t *signer, lab_crl_t spec, apr_pool_t *pool)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *last = asn1_time(spec.last, LAST), *next = asn1_time(spec.next, NEXT);
    const X509 *name = spec.issuer_name ? spec.issuer_name : signer->x509;
    const EVP_MD *md = EVP_get_digestbyname(spec.digest ? spec.digest : "SHA256");
    brski_bytes_t bytes;
    int i;

    must(X509_CRL_set_version(crl, X509_CRL_VERSION_2)
         && X509_CRL_set_issuer_name(crl, X509_get_subject_name(name))
         && X509_CRL_set1_lastUpdate(crl, last)
         && (!next || X509_CRL_set1_nextUpdate(crl, next)), "CRL");
    if (spec.revoked) {
        add_revoked(crl, spec.revoked, last);
    }
    for (i = 0; i < 3 && spec.ext[i]; i++) {
        add_ext(crl, spec.ext[i], pool);
    }
    must(X509_CRL_sort(crl) && X509_CRL_sign(crl, signer->key, md), "signature of CRL");
    bytes = encode_crl(crl, spec.pem, pool);
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
    return bytes;
}

/* ---- OCSP ---- */

static ASN1_GENERALIZEDTIME *generalized(const char *text, const char *fallback)
{
    ASN1_TIME *t = asn1_time(text, fallback);
    ASN1_GENERALIZEDTIME *g = t ? ASN1_TIME_to_generalizedtime(t, NULL) : NULL;

    ASN1_TIME_free(t);
    return g;
}

static void add_status(OCSP_BASICRESP *basic, const pki_party_t *subject,
                       const pki_party_t *issuer, const lab_ocsp_t *spec)
{
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), subject->x509, issuer->x509);
    ASN1_GENERALIZEDTIME *from = generalized(spec->from, LAST);
    ASN1_GENERALIZEDTIME *next = generalized(spec->next, NEXT);
    ASN1_GENERALIZEDTIME *revoked = generalized(NULL, LAST);

    must(OCSP_basic_add1_status(basic, id, spec->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked,
                                from, next) != NULL, "OCSP status");
    OCSP_CERTID_free(id);
    ASN1_GENERALIZEDTIME_free(from);
    ASN1_GENERALIZEDTIME_free(next);
    ASN1_GENERALIZEDTIME_free(revoked);
}

brski_bytes_t lab_ocsp(const pki_party_t *subject, const pki_party_t *issuer, lab_ocsp_t spec,
                       apr_pool_t *pool)
{
    const pki_party_t *signer = spec.signer ? spec.signer : issuer;
    const EVP_MD *md = EVP_get_digestbyname(spec.digest ? spec.digest : "SHA256");
    unsigned long flags = spec.by_key ? OCSP_RESPID_KEY : 0;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_RESPONSE *response;
    unsigned char *der = NULL;
    brski_bytes_t bytes;
    int len;

    flags |= spec.without_cert ? OCSP_NOCERTS : 0;
    add_status(basic, subject, issuer, &spec);
    must(OCSP_basic_sign(basic, signer->x509, signer->key, md, NULL, flags), "signature of OCSP");
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = i2d_OCSP_RESPONSE(response, &der);
    bytes = take(len, der, pool);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return bytes;
}

brski_bytes_t lab_ocsp_error(int status, apr_pool_t *pool)
{
    OCSP_RESPONSE *response = OCSP_response_create(status, NULL);
    unsigned char *der = NULL;
    int len = i2d_OCSP_RESPONSE(response, &der);
    brski_bytes_t bytes = take(len, der, pool);

    OCSP_RESPONSE_free(response);
    return bytes;
}

/* ---- the server ---- */

#define MAX_ANSWERS 32
#define MAX_REQUEST 16384

struct lab_server_t {
    int fd;
    int port;
    int stop[2];
    pthread_t thread;
    pthread_mutex_t mutex;            /* for all below */
    lab_answer_t answers[MAX_ANSWERS];
    int known;
    int hits;
    char last[MAX_REQUEST];
    size_t last_len;
};

/* A whole request: its head, and as much body as Content-Length says. */
static size_t read_request(int fd, char *request)
{
    size_t len = 0, want = MAX_REQUEST - 1;
    char *end, *length;
    ssize_t n;

    while (len < want && (n = read(fd, request + len, MAX_REQUEST - 1 - len)) > 0) {
        len += (size_t)n;
        request[len] = '\0';
        end = strstr(request, "\r\n\r\n");
        if (end) {
            length = strcasestr(request, "\r\nContent-Length:");
            want = (size_t)(end + 4 - request)
                   + (length && length < end ? (size_t)atol(length + 17) : 0);
        }
    }
    return len;
}

static void send_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    ssize_t n;

    while (len > 0 && (n = send(fd, p, len, MSG_NOSIGNAL)) > 0) {
        p += n;
        len -= (size_t)n;
    }
}

static lab_answer_t find_answer(lab_server_t *s, const char *request, size_t len)
{
    lab_answer_t missing = { NULL, 404, NULL, { NULL, 0 }, 0, 0 };
    const char *path = strchr(request, ' ');
    size_t path_len = path ? strcspn(path + 1, " ?\r\n") : 0;
    lab_answer_t found = missing;
    int i;

    pthread_mutex_lock(&s->mutex);
    s->hits++;
    memcpy(s->last, request, len);
    s->last_len = len;
    for (i = 0; path && i < s->known; i++) {
        if (strlen(s->answers[i].path) == path_len
            && !strncmp(s->answers[i].path, path + 1, path_len)) {
            found = s->answers[i];
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return found;
}

static void serve(lab_server_t *s, int fd)
{
    char request[MAX_REQUEST] = "", head[1024];
    size_t len = read_request(fd, request);
    lab_answer_t a = find_answer(s, request, len);
    int n;

    if (a.delay) {
        usleep((useconds_t)a.delay * 1000);
    }
    n = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nConnection: close\r\n%s",
                 a.status ? a.status : 200, a.header ? a.header : "");
    if (!a.no_length) {
        n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %lu\r\n",
                      (unsigned long)a.body.len);
    }
    n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
    send_all(fd, head, (size_t)n);
    send_all(fd, a.body.data, a.body.len);
}

static void *run(void *baton)
{
    lab_server_t *s = baton;
    struct pollfd fds[2] = { { s->fd, POLLIN, 0 }, { s->stop[0], POLLIN, 0 } };
    int fd;

    while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
        fd = accept(s->fd, NULL, NULL);
        if (fd >= 0) {
            serve(s, fd);
            shutdown(fd, SHUT_WR);
            close(fd);
        }
    }
    return NULL;
}

static apr_status_t end_server(void *baton)
{
    lab_server_t *s = baton;

    must(write(s->stop[1], "x", 1) == 1, "ending the server");
    pthread_join(s->thread, NULL);
    close(s->fd);
    close(s->stop[0]);
    close(s->stop[1]);
    pthread_mutex_destroy(&s->mutex);
    return APR_SUCCESS;
}

lab_server_t *lab_server(apr_pool_t *pool)
{
    lab_server_t *s = apr_pcalloc(pool, sizeof(*s));
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    must(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&addr, len) == 0 && listen(s->fd, 16) == 0
         && getsockname(s->fd, (struct sockaddr *)&addr, &len) == 0 && pipe(s->stop) == 0,
         "a port on loopback");
    s->port = ntohs(addr.sin_port);
    pthread_mutex_init(&s->mutex, NULL);
    must(pthread_create(&s->thread, NULL, run, s) == 0, "a thread");
    apr_pool_cleanup_register(pool, s, end_server, apr_pool_cleanup_null);
    return s;
}

int lab_port(const lab_server_t *server)
{
    return server->port;
}

const char *lab_url(const lab_server_t *server, const char *path, apr_pool_t *pool)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d%s", server->port, path);
}

void lab_answer(lab_server_t *server, lab_answer_t answer)
{
    int i;

    pthread_mutex_lock(&server->mutex);
    for (i = 0; i < server->known && strcmp(server->answers[i].path, answer.path); i++) {
    }
    must(i < MAX_ANSWERS, "too many answers");
    server->answers[i] = answer;
    server->known += i == server->known;
    pthread_mutex_unlock(&server->mutex);
}

int lab_hits(lab_server_t *server)
{
    int hits;

    pthread_mutex_lock(&server->mutex);
    hits = server->hits;
    pthread_mutex_unlock(&server->mutex);
    return hits;
}

brski_bytes_t lab_last(lab_server_t *server, apr_pool_t *pool)
{
    brski_bytes_t last;

    pthread_mutex_lock(&server->mutex);
    last = brski_bytes_dup(brski_bytes(server->last, server->last_len), pool);
    pthread_mutex_unlock(&server->mutex);
    return last;
}
