/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_err_test.c: the error table, the chain on one line, OpenSSL's queue, and the log's sink.
 */
#include "brski_err.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "brski_log.h"
#include "unit.h"

static const int numbers[] = {
#define BRSKI_ERR(name, number, status, level, section, text) number,
#include "brski_err_codes.h"
#undef BRSKI_ERR
};

static void table(void)
{
    const brski_err_t *row;
    size_t i, j, n = sizeof(numbers) / sizeof(numbers[0]), bad = 0, twice = 0;

    for (i = 0; i < n; i++) {
        row = brski_err_row(numbers[i]);
        if (!row || (int)row->code != numbers[i] || row->status < 400 || row->status > 599
            || !strchr("IWE", row->level) || !row->name || !row->section
            || row->public_text[strlen(row->public_text) - 1] != '.') {
            diag("BRSKI%d", numbers[i]);
            bad++;
        }
        for (j = 0; j < i; j++) {
            twice += numbers[i] == numbers[j];
        }
    }
    is_int(bad, 0, "err: every row has number, status, level, name, section and a sentence");
    is_int(twice, 0, "err: no log number is used twice");
    ok(!brski_err_row(0) && !brski_err_row(1999), "err: an unknown number has no row");
    is_str(brski_err_row(1042)->name, "NONCE", "err: 1042 is NONCE");
    is_int(brski_err_row(BRSKI_E_DEVICE_UNKNOWN)->status, 404, "5.6 an unknown device is 404");
}

static brski_err_t *tries(int fails, apr_pool_t *pool)
{
    BRSKI_TRY(fails ? brski_err(BRSKI_E_NONCE, NULL, pool, "no %d", 1) : BRSKI_OK);
    return brski_err(BRSKI_E_TIME, NULL, pool, NULL);
}

static void chain(apr_pool_t *pool)
{
    brski_err_t *first, *second;
    const char *text;

    first = brski_err(BRSKI_E_BASE64, NULL, pool, "offset %d\nof %s", 7, "it");
    second = brski_err(BRSKI_E_FIELD, first, pool, "member %s", "nonce");
    ok(brski_err_is(second, BRSKI_E_FIELD) && brski_err_is(second, BRSKI_E_BASE64),
       "err: is what it is and what it was caused by");
    ok(!brski_err_is(second, BRSKI_E_NONCE) && !brski_err_is(NULL, BRSKI_E_NONCE),
       "err: is nothing else");
    text = brski_err_text(second, pool);
    has_str(text, "FIELD 5.5: member nonce (brski_err_test.c:",
            "err: text tells code, detail, place");
    has_str(text, ") <- BASE64 8366-5: offset 7 of it (", "err: text tells the cause, on one line");
    is_str(brski_err_text(NULL, pool), "", "err: no error has no text");
    is_str(second->public_text, brski_err_row(BRSKI_E_FIELD)->public_text,
           "err: the public text is the table's");
    ok(brski_err_say(second, pool, "The %s.", "nonce") == second, "err: say returns the error");
    is_str(second->public_text, "The nonce.", "err: say replaces the public text");
    is_err(tries(1, pool), NONCE, "err: BRSKI_TRY returns early");
    is_err(tries(0, pool), TIME, "err: BRSKI_TRY goes on");
    ok(tries(0, pool)->detail == NULL, "err: no detail is fine");
    has_str(brski_err_text(tries(0, pool), pool), "TIME 8366-5: A time is not",
            "err: without detail the text tells the public one");
    is_int(brski_err((brski_err_code_t)7, NULL, pool, NULL)->status, 500,
           "err: an unknown code is our own failure");
}

static void endless(apr_pool_t *pool)
{
    brski_err_t *err = NULL;
    int i;

    for (i = 0; i < 1000; i++) {
        err = brski_err(BRSKI_E_IO, err, pool, "%d", i);
    }
    ok(strlen(brski_err_text(err, pool)) < 2000, "err: a long chain is cut");
}

static void openssl(apr_pool_t *pool)
{
    brski_err_t *err;
    int i;

    ERR_raise_data(ERR_LIB_X509, ERR_R_INTERNAL_ERROR, "first \"%c\"", 1);
    ERR_raise(ERR_LIB_X509, ERR_R_MALLOC_FAILURE);
    err = brski_err_openssl(BRSKI_E_CERTIFICATE, NULL, pool, "certificate %d", 3);
    has_str(err->detail, "certificate 3: error:", "err: OpenSSL's reason follows the detail");
    has_str(err->detail, "(first \\x22\\x01\\x22)", "err: its data is made printable");
    has_str(err->detail, "malloc failure", "err: the second reason is there too");
    is_int(ERR_peek_error(), 0, "err: OpenSSL's queue is empty afterwards");
    for (i = 0; i < 15; i++) {
        ERR_raise_data(ERR_LIB_X509, ERR_R_INTERNAL_ERROR, "number %d", i);
    }
    err = brski_err_openssl(BRSKI_E_CERTIFICATE, NULL, pool, NULL);
    has_str(err->detail, "number 0", "err: the oldest reason comes first");
    ok(!strstr(err->detail, "number 9"), "err: a long queue is cut");
    is_int(ERR_peek_error(), 0, "err: and emptied");
    err = brski_err_openssl(BRSKI_E_CERTIFICATE, NULL, pool, NULL);
    ok(err->detail == NULL, "err: an empty queue adds nothing");
}

typedef struct sink_t {
    int lines;
    int number;
    char text[4096];
} sink_t;

static void sink_write(void *baton, brski_log_level_t level, int number, const char *text)
{
    sink_t *sink = baton;

    (void)level;
    sink->lines++;
    sink->number = number;
    apr_cpystrn(sink->text, text, sizeof(sink->text));
}

static void log_lines(apr_pool_t *pool)
{
    sink_t sink = { 0, 0, "" };
    brski_log_t log = { sink_write, &sink, BRSKI_LOG_INFO };
    char *big = apr_palloc(pool, 10001);
    size_t len;
    int i;

    brski_logf(NULL, BRSKI_LOG_WARNING, 1041, "nobody hears %d", 1);
    brski_logf(&log, BRSKI_LOG_DEBUG, 0, "too fine");
    is_int(sink.lines, 0, "log: no line above the level");
    brski_logf(&log, BRSKI_LOG_WARNING, 1041, "a %s\r\nb", "line");
    is_str(sink.text, "a line  b", "log: a line is one line");
    is_int(sink.number, 1041, "log: with its number");
    for (i = 0; i < 10000; i += 2) {
        memcpy(big + i, "\xc3\xa4", 2);
    }
    big[10000] = '\0';
    brski_logf(&log, BRSKI_LOG_INFO, 0, "%s", big);
    len = strlen(sink.text);
    ok(len < 2048 && len % 2 == 0, "log: a long line is cut between characters (%d)", (int)len);
    brski_logf(&log, BRSKI_LOG_INFO, 0, "x%s", big);
    len = strlen(sink.text);
    ok(len < 2048 && len % 2 == 1, "log: wherever they stand (%d)", (int)len);
}

static void context(void)
{
    const brski_ctx_t *ctx = brski_ctx_default();
    unsigned char a[16] = { 0 }, b[16] = { 0 };
    apr_time_t before = apr_time_now();

    ok(ctx->now(ctx->baton) >= before, "ctx: the default clock goes");
    ctx->random(a, sizeof(a), ctx->baton);
    ctx->random(b, sizeof(b), ctx->baton);
    ok(memcmp(a, b, sizeof(a)) != 0, "ctx: the default generator does not repeat itself");
    ok(ctx->log == NULL, "ctx: the default has no log");
    is_int(brski_limits_default.body, 65536, "limits: 64 KiB body");
    is_int(brski_limits_default.json_depth, 8, "limits: depth 8");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    table();
    chain(pool);
    endless(pool);
    openssl(pool);
    log_lines(pool);
    context();
    return done_testing();
}
