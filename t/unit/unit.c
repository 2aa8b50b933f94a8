/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.c: what the library's unit tests share beyond TAP, as unit.h says.
 */
#include "unit.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "brski_log.h"
#include "brski_time.h"

#ifndef UNIT_SRCDIR
#define UNIT_SRCDIR "."
#endif

typedef struct unit_baton_t {
    apr_time_t now;
    apr_uint64_t random;
} unit_baton_t;

apr_pool_t *unit_start(void)
{
    apr_pool_t *pool;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        bail_out("APR does not start");
    }
    atexit(apr_terminate);
    return pool;
}

apr_time_t unit_time(const char *rfc3339)
{
    apr_pool_t *pool;
    apr_time_t t = 0;
    brski_err_t *err;

    apr_pool_create(&pool, NULL);
    err = brski_time_parse(&t, rfc3339, pool);
    if (err) {
        bail_out("unit_time: %s", brski_err_text(err, pool));
    }
    apr_pool_destroy(pool);
    return t;
}

static apr_time_t held_now(void *baton)
{
    return ((unit_baton_t *)baton)->now;
}

/* xorshift64*: no cryptography, the same in every run. */
static void repeated_random(unsigned char *out, apr_size_t len, void *baton)
{
    unit_baton_t *b = baton;

    while (len-- > 0) {
        b->random ^= b->random >> 12;
        b->random ^= b->random << 25;
        b->random ^= b->random >> 27;
        *out++ = (unsigned char)((b->random * APR_UINT64_C(0x2545F4914F6CDD1D)) >> 56);
    }
}

static void note_log(void *baton, brski_log_level_t level, int number, const char *text)
{
    (void)baton;
    note("log %d BRSKI%d: %s", (int)level, number, text);
}

brski_ctx_t *unit_ctx(apr_time_t now, apr_pool_t *pool)
{
    brski_ctx_t *ctx = apr_pcalloc(pool, sizeof(*ctx));
    unit_baton_t *baton = apr_pcalloc(pool, sizeof(*baton));

    baton->now = now;
    baton->random = APR_UINT64_C(0x9E3779B97F4A7C15);
    ctx->now = held_now;
    ctx->random = repeated_random;
    ctx->baton = baton;
    if (getenv("UNIT_LOG")) {
        ctx->log = apr_pcalloc(pool, sizeof(*ctx->log));
        ctx->log->write = note_log;
        ctx->log->level = BRSKI_LOG_DEBUG;
    }
    return ctx;
}

void unit_ctx_set_now(brski_ctx_t *ctx, apr_time_t now)
{
    ((unit_baton_t *)ctx->baton)->now = now;
}

brski_bytes_t unit_file(const char *path, apr_pool_t *pool)
{
    brski_bytes_t content = { NULL, 0 };
    apr_file_t *file;
    apr_finfo_t info = { 0 };
    char *data;
    char why[200];
    apr_status_t rv;

    rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    }
    if (rv == APR_SUCCESS) {
        data = apr_pcalloc(pool, (apr_size_t)info.size + 1);
        rv = apr_file_read_full(file, data, (apr_size_t)info.size, &content.len);
        content.data = (unsigned char *)data;
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS && !(APR_STATUS_IS_EOF(rv) && info.size == 0)) {
        bail_out("%s: %s", path, apr_strerror(rv, why, sizeof(why)));
    }
    return content;
}

const char *unit_source(const char *path, apr_pool_t *pool)
{
    const char *top = getenv("top_srcdir");

    return apr_pstrcat(pool, top ? top : UNIT_SRCDIR, "/", path, NULL);
}

const char *unit_vector(const char *path, apr_pool_t *pool)
{
    const char *dir = getenv("BRSKI_VECTORS");
    const char *full;
    apr_finfo_t info;

    if (!dir || !*dir) {
        return NULL;
    }
    full = apr_pstrcat(pool, dir, "/", path, NULL);
    return apr_stat(&info, full, APR_FINFO_TYPE, pool) == APR_SUCCESS ? full : NULL;
}

/* Remove a directory with the files and directories in it. */
static void remove_tree(const char *path, apr_pool_t *pool)
{
    apr_dir_t *dir;
    apr_finfo_t entry;
    const char *full;

    if (apr_dir_open(&dir, path, pool) == APR_SUCCESS) {
        while (apr_dir_read(&entry, APR_FINFO_NAME | APR_FINFO_TYPE, dir) == APR_SUCCESS) {
            if (!strcmp(entry.name, ".") || !strcmp(entry.name, "..")) {
                continue;
            }
            full = apr_pstrcat(pool, path, "/", entry.name, NULL);
            if (entry.filetype == APR_DIR) {
                remove_tree(full, pool);
            }
            else {
                apr_file_remove(full, pool);
            }
        }
        apr_dir_close(dir);
    }
    apr_dir_remove(path, pool);
}

static apr_status_t tempdir_cleanup(void *baton)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    remove_tree(baton, pool);
    apr_pool_destroy(pool);
    return APR_SUCCESS;
}

const char *unit_tempdir(apr_pool_t *pool)
{
    const char *base;
    char *path;

    if (apr_temp_dir_get(&base, pool) != APR_SUCCESS) {
        bail_out("no directory for temporary files");
    }
    path = apr_pstrcat(pool, base, "/brski-unit-XXXXXX", NULL);
    if (!mkdtemp(path)) {
        bail_out("%s cannot be made", path);
    }
    apr_pool_cleanup_register(pool, path, tempdir_cleanup, apr_pool_cleanup_null);
    return path;
}

static void show_err(const brski_err_t *err)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    diag("got: %s", err ? brski_err_text(err, pool) : "no error");
    apr_pool_destroy(pool);
}

static int report(const char *file, int line, int passed, const char *fmt, va_list args)
{
    char label[1000];

    vsnprintf(label, sizeof(label), fmt, args);
    return tap_ok(file, line, passed, "%s", label);
}

int unit_is_ok(const char *file, int line, const brski_err_t *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(file, line, err == NULL, fmt, args);
    va_end(args);
    if (err) {
        show_err(err);
    }
    return err == NULL;
}

int unit_is_err(const char *file, int line, const brski_err_t *err, brski_err_code_t code,
                const char *name, const char *fmt, ...)
{
    int passed = err && err->code == code;
    va_list args;

    va_start(args, fmt);
    report(file, line, passed, fmt, args);
    va_end(args);
    if (!passed) {
        show_err(err);
        diag("want: BRSKI_E_%s (BRSKI%d)", name, (int)code);
    }
    return passed;
}
