/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est.c: many requests at an EST server, each connection as another device of a lab, with its
 * IDevID, as real ones come. Certification requests are made on the way, one key each. Prints JSON.
 *
 *   est LAB enroll|cacerts FIRST DEVICES EACH THREADS
 *
 * Devices FIRST to FIRST + DEVICES - 1 send EACH requests on one TLS 1.3 connection; so many
 * THREADS do it at once.
 */
#include <apr_atomic.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "../tools/brski/https.h"
#include "../tools/brski/lab.h"
#include "../tools/brski/sign.h"
#include "brski_bytes.h"
#include "brski_err.h"

#define THREADS_MAX 512

typedef struct field_t {
    const lab_t *lab;
    const apr_array_header_t *serials;
    const https_target_t *there;
    const char *path;
    int enroll;
    apr_uint32_t first, devices, each;
    volatile apr_uint32_t next, good, bad;
    apr_uint32_t *us;             /* of each request */
    char why[200];
} field_t;

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must_be(const brski_err_t *err, const char *what, apr_pool_t *pool)
{
    if (err) {
        fprintf(stderr, "est: %s: %s\n", what, brski_err_text(err, pool));
        exit(1);
    }
}

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "est: %s failed\n", what);
        exit(1);
    }
}

/* RFC 7030 4.2.1: PKCS#10 as base64. */
static brski_bytes_t make_csr(const char *serial, apr_pool_t *pool)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    brski_bytes_t text;
    int len;

    must(key && req && X509_REQ_set_pubkey(req, key)
             && X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "serialNumber",
                                           MBSTRING_ASC, (const unsigned char *)serial, -1, -1, 0)
             && X509_REQ_sign(req, key, EVP_sha256()) > 0 && (len = i2d_X509_REQ(req, &der)) > 0,
         "request");
    text = brski_bytes_str(brski_base64_encode(brski_bytes(der, (apr_size_t)len), pool));
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    return text;
}

static void note_bad(field_t *f, https_failure_t failure, const https_answer_t *answer,
                     const https_conn_t *conn)
{
    if (apr_atomic_inc32(&f->bad) == 0) {
        snprintf(f->why, sizeof(f->why), "%s %d %.100s", https_failure_text(failure),
                 answer->status, failure ? https_why(conn) : (const char *)answer->body);
    }
}

static void ask(field_t *f, https_conn_t *conn, apr_uint32_t number, const char *serial,
                apr_pool_t *pool)
{
    https_request_t request = { .method = "GET", .path = f->path };
    https_answer_t answer = { 0, NULL, 0 };
    https_failure_t failure;
    double started;

    if (f->enroll) {
        request.method = "POST";
        request.content_type = "application/pkcs10";
        request.body = make_csr(serial, pool);
    }
    started = now_seconds();
    failure = https_exchange(&answer, conn, &request);
    f->us[number] = (apr_uint32_t)((now_seconds() - started) * 1e6);
    if (failure || answer.status != 200) {
        note_bad(f, failure, &answer, conn);
    }
    else {
        apr_atomic_inc32(&f->good);
    }
}

static void be_device(field_t *f, apr_uint32_t number, apr_pool_t *pool)
{
    const char *serial = APR_ARRAY_IDX(f->serials, (int)(f->first + number), const char *);
    https_options_t options = { .anchors = apr_pstrcat(pool, f->lab->dir, "/domain/ca.pem", NULL),
                                .like = f->there,
                                .timeout = 60 };
    lab_identity_t files;
    https_target_t *target;
    https_conn_t *conn;
    apr_uint32_t i;

    must_be(lab_device(&files, f->lab, serial, pool), "device", pool);
    options.chain_file = files.chain_file;
    options.key_file = files.key_file;
    must_be(https_target_make(&target, &options, pool), "target", pool);
    conn = https_conn_make(target);
    must(conn != NULL, "memory");
    for (i = 0; i < f->each; i++) {
        ask(f, conn, number * f->each + i, serial, pool);
    }
    https_conn_free(conn);
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *baton)
{
    field_t *f = baton;
    apr_allocator_t *allocator;
    apr_uint32_t number;
    apr_pool_t *pool;

    (void)thread;
    apr_allocator_create(&allocator);
    apr_pool_create_ex(&pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    while ((number = apr_atomic_inc32(&f->next)) < f->devices) {
        be_device(f, number, pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static double run(field_t *f, int threads, apr_pool_t *pool)
{
    apr_thread_t *all[THREADS_MAX];
    double started = now_seconds();
    apr_status_t rv;
    int i;

    for (i = 0; i < threads; i++) {
        must(apr_thread_create(&all[i], NULL, work, f, pool) == APR_SUCCESS, "thread");
    }
    for (i = 0; i < threads; i++) {
        apr_thread_join(&rv, all[i]);
    }
    return now_seconds() - started;
}

static int by_size(const void *a, const void *b)
{
    apr_uint32_t x = *(const apr_uint32_t *)a, y = *(const apr_uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void tell(field_t *f, double seconds)
{
    apr_uint32_t n = f->devices * f->each;

    qsort(f->us, n, sizeof(*f->us), by_size);
    printf("{\"good\": %u, \"bad\": %u, \"seconds\": %.3f, \"rate_per_second\": %.1f, "
           "\"latency_us\": {\"p50\": %u, \"p99\": %u, \"max\": %u}}\n",
           f->good, f->bad, seconds, f->good / seconds, f->us[n / 2], f->us[n - 1 - n / 100],
           f->us[n - 1]);
    if (f->bad) {
        fprintf(stderr, "est: the first that failed: %s\n", f->why);
    }
}

static void aim(field_t *f, apr_pool_t *pool)
{
    https_options_t options = { .url = apr_pstrcat(pool, f->lab->registrar_url, "/", NULL),
                                .provisional = 1,
                                .timeout = 60 };
    https_target_t *there;

    must_be(https_target_make(&there, &options, pool), "target", pool);
    f->there = there;
}

int main(int argc, char **argv)
{
    field_t f = { .first = 0 };
    apr_array_header_t *serials;
    apr_pool_t *pool;
    lab_t *lab;
    int threads;

    if (argc != 7) {
        fprintf(stderr, "usage: est LAB enroll|cacerts FIRST DEVICES EACH THREADS\n");
        return 2;
    }
    must(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS, "APR");
    signal(SIGPIPE, SIG_IGN);
    must_be(lab_open(&lab, argv[1], pool), argv[1], pool);
    must_be(lab_serials(&serials, lab, pool), argv[1], pool);
    f.lab = lab;
    f.serials = serials;
    f.enroll = !strcmp(argv[2], "enroll");
    f.path = f.enroll ? "/.well-known/est/simpleenroll" : "/.well-known/est/cacerts";
    f.first = (apr_uint32_t)atoi(argv[3]) - 1;
    f.devices = (apr_uint32_t)atoi(argv[4]);
    f.each = (apr_uint32_t)atoi(argv[5]);
    threads = atoi(argv[6]);
    must(threads > 0 && threads <= THREADS_MAX && f.devices && f.each
             && f.first + f.devices <= (apr_uint32_t)serials->nelts, "numbers");
    f.us = apr_pcalloc(pool, (apr_size_t)f.devices * f.each * sizeof(*f.us));
    aim(&f, pool);
    tell(&f, run(&f, threads, pool));
    apr_pool_destroy(pool);
    return f.bad ? 1 : 0;
}
