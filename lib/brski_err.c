/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_err.c: makes errors out of the one table, brski_err_codes.h, and tells a chain of them on
 * one line for a log.
 */
#include "brski_err.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "brski_bytes.h"

/* More of OpenSSL's queue, or of a chain of causes, tells nobody anything. */
#define MAX_OPENSSL_ERRORS 8
#define MAX_CAUSES 16

/* The levels of the table, as characters. */
#define LEVEL_I 'I'
#define LEVEL_W 'W'
#define LEVEL_E 'E'

static const brski_err_t rows[] = {
#define BRSKI_ERR(name, number, status, level, section, text) \
    { BRSKI_E_##name, status, LEVEL_##level, #name, section, text, NULL, NULL, 0, NULL },
#include "brski_err_codes.h"
#undef BRSKI_ERR
};

const brski_err_t *brski_err_row(int number)
{
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((int)rows[i].code == number) {
            return &rows[i];
        }
    }
    return NULL;
}

/* libc's formatting, which the format attribute promises to callers; APR's lacks %zu. */
static char *format(apr_pool_t *pool, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

static char *format(apr_pool_t *pool, const char *fmt, va_list args)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0) {
        return apr_pstrdup(pool, fmt);
    }
    text = apr_palloc(pool, (apr_size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    return text;
}

static brski_err_t *make(brski_err_code_t code, const brski_err_t *prev, apr_pool_t *pool,
                         const char *file, int line)
{
    const brski_err_t *row = brski_err_row(code);
    brski_err_t *err = apr_palloc(pool, sizeof(*err));

    *err = row ? *row : *brski_err_row(BRSKI_E_INTERNAL);
    err->prev = prev;
    err->file = file;
    err->line = line;
    return err;
}

brski_err_t *brski_err_make(brski_err_code_t code, const brski_err_t *prev, apr_pool_t *pool,
                            const char *file, int line, const char *fmt, ...)
{
    brski_err_t *err = make(code, prev, pool, file, line);
    va_list args;

    if (fmt) {
        va_start(args, fmt);
        err->detail = format(pool, fmt, args);
        va_end(args);
    }
    return err;
}

/* What OpenSSL has to say, oldest first; its queue is empty afterwards. */
static const char *drain_openssl(apr_pool_t *pool)
{
    const char *text = NULL, *data, *one;
    char reason[256];
    unsigned long code;
    int flags, n;

    for (n = 0; n < MAX_OPENSSL_ERRORS; n++) {
        code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
        if (!code) {
            break;
        }
        ERR_error_string_n(code, reason, sizeof(reason));
        one = reason;
        if (data && *data && (flags & ERR_TXT_STRING)) {
            one = apr_pstrcat(pool, reason, " (", brski_printable(data, 200, pool), ")", NULL);
        }
        text = text ? apr_pstrcat(pool, text, ", ", one, NULL) : apr_pstrdup(pool, one);
    }
    ERR_clear_error();
    return text;
}

brski_err_t *brski_err_make_openssl(brski_err_code_t code, const brski_err_t *prev,
                                    apr_pool_t *pool, const char *file, int line, const char *fmt,
                                    ...)
{
    brski_err_t *err = make(code, prev, pool, file, line);
    const char *openssl = drain_openssl(pool);
    va_list args;

    if (fmt) {
        va_start(args, fmt);
        err->detail = format(pool, fmt, args);
        va_end(args);
    }
    if (openssl) {
        err->detail = apr_pstrcat(pool, err->detail ? err->detail : "", err->detail ? ": " : "",
                                  openssl, NULL);
    }
    return err;
}

brski_err_t *brski_err_say(brski_err_t *err, apr_pool_t *pool, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    err->public_text = format(pool, fmt, args);
    va_end(args);
    return err;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *brski_err_text(const brski_err_t *err, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, "");
    char *c;
    int n;

    for (n = 0; err && n < MAX_CAUSES; err = err->prev, n++) {
        text = apr_pstrcat(pool, text, n ? " <- " : "", err->name, " ", err->section, ": ",
                           err->detail ? err->detail : err->public_text, NULL);
        if (err->file) {
            text = apr_psprintf(pool, "%s (%s:%d)", text, file_name(err->file), err->line);
        }
    }
    /* One line, whatever a detail was made of. */
    for (c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
    return text;
}

int brski_err_is(const brski_err_t *err, brski_err_code_t code)
{
    for (; err; err = err->prev) {
        if (err->code == code) {
            return 1;
        }
    }
    return 0;
}
