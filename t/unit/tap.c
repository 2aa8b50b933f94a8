/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.c: the Test Anything Protocol for the unit tests, as tap.h says. It uses nothing but the C
 * library, so that it can test everything above that.
 */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int planned = -1;
static int run;
static int failed;

/* A label must not end its line early, and '#' would begin a TAP directive. */
static void print_label(const char *fmt, va_list args)
{
    char label[1024];
    const char *c;

    vsnprintf(label, sizeof(label), fmt, args);
    for (c = label; *c; c++) {
        if (*c == '#' || *c == '\\') {
            putchar('\\');
        }
        putchar(*c == '\n' || *c == '\r' ? ' ' : *c);
    }
}

static void say(FILE *to, const char *fmt, va_list args)
{
    char text[4096];
    char *line = text, *end;

    vsnprintf(text, sizeof(text), fmt, args);
    do {
        end = strchr(line, '\n');
        if (end) {
            *end = '\0';
        }
        fprintf(to, "# %s\n", line);
        line = end ? end + 1 : "";
    } while (*line);
    fflush(to);
}

static int result(const char *file, int line, int passed, const char *fmt, va_list args)
{
    run++;
    printf("%sok %d - ", passed ? "" : "not ", run);
    print_label(fmt, args);
    putchar('\n');
    fflush(stdout);
    if (!passed) {
        failed++;
        diag("failed at %s line %d", file, line);
    }
    return passed;
}

void plan(int tests)
{
    planned = tests;
    printf("1..%d\n", tests);
    fflush(stdout);
}

int tap_ok(const char *file, int line, int passed, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    result(file, line, passed, fmt, args);
    va_end(args);
    return passed;
}

static void diag_string(const char *word, const char *s)
{
    if (s) {
        diag("%s: '%.2000s'", word, s);
    }
    else {
        diag("%s: NULL", word);
    }
}

int tap_is_str(const char *file, int line, const char *got, const char *want, const char *fmt, ...)
{
    int passed = got && want ? strcmp(got, want) == 0 : got == want;
    va_list args;

    va_start(args, fmt);
    result(file, line, passed, fmt, args);
    va_end(args);
    if (!passed) {
        diag_string(" got", got);
        diag_string("want", want);
    }
    return passed;
}

int tap_has_str(const char *file, int line, const char *text, const char *part, const char *fmt,
                ...)
{
    int passed = text && part && strstr(text, part) != NULL;
    va_list args;

    va_start(args, fmt);
    result(file, line, passed, fmt, args);
    va_end(args);
    if (!passed) {
        diag_string("    got", text);
        diag_string("without", part);
    }
    return passed;
}

int tap_is_int(const char *file, int line, long long got, long long want, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    result(file, line, got == want, fmt, args);
    va_end(args);
    if (got != want) {
        diag(" got: %lld\nwant: %lld", got, want);
    }
    return got == want;
}

static void diag_octets(const char *word, const unsigned char *octets, size_t len, size_t from)
{
    char hex[3 * 16 + 1] = "";
    size_t i;

    for (i = 0; i < 16 && from + i < len; i++) {
        snprintf(hex + 3 * i, 4, "%02x ", octets[from + i]);
    }
    diag("%s: %lu octets, from %lu: %s", word, (unsigned long)len, (unsigned long)from, hex);
}

int tap_is_mem(const char *file, int line, const void *got, size_t got_len, const void *want,
               size_t want_len, const char *fmt, ...)
{
    const unsigned char *g = got, *w = want;
    size_t common = got_len < want_len ? got_len : want_len, i = 0;
    int passed;
    va_list args;

    while (i < common && g[i] == w[i]) {
        i++;
    }
    passed = i == got_len && i == want_len;
    va_start(args, fmt);
    result(file, line, passed, fmt, args);
    va_end(args);
    if (!passed) {
        diag_octets(" got", g, got_len, i);
        diag_octets("want", w, want_len, i);
    }
    return passed;
}

void skip(int tests, const char *why, ...)
{
    va_list args;

    while (tests-- > 0) {
        printf("ok %d # SKIP ", ++run);
        va_start(args, why);
        print_label(why, args);
        va_end(args);
        putchar('\n');
    }
    fflush(stdout);
}

int skip_all(const char *why, ...)
{
    va_list args;

    printf("1..0 # SKIP ");
    va_start(args, why);
    print_label(why, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    return 0;
}

void diag(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(stderr, fmt, args);
    va_end(args);
}

void note(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(stdout, fmt, args);
    va_end(args);
}

void bail_out(const char *why, ...)
{
    va_list args;

    printf("Bail out!  ");
    va_start(args, why);
    print_label(why, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    exit(255);
}

int done_testing(void)
{
    if (planned < 0) {
        printf("1..%d\n", run);
        fflush(stdout);
    }
    else if (planned != run) {
        diag("planned %d tests, ran %d", planned, run);
        return 1;
    }
    if (failed) {
        diag("%d of %d tests failed", failed, run);
    }
    return failed ? 1 : 0;
}
