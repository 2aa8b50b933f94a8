/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h: the Test Anything Protocol for the unit tests: say what you expect, end with
 * `return done_testing();`. Labels are printf formats and begin with the section of the RFC they
 * prove ("5.5.6 refuses two nonces"), from which docs/rfc-coverage.md is made. Single-threaded.
 * Each function returns nonzero when the expectation held.
 */
#ifndef TAP_H
#define TAP_H

#include <stddef.h>

#define TAP_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/** Say beforehand how many tests there are; without it done_testing() prints the number. */
void plan(int tests);

/** One test: passes when cond is nonzero. */
#define ok(cond, ...) tap_ok(__FILE__, __LINE__, (cond) ? 1 : 0, __VA_ARGS__)
#define pass(...) tap_ok(__FILE__, __LINE__, 1, __VA_ARGS__)
#define fail(...) tap_ok(__FILE__, __LINE__, 0, __VA_ARGS__)

/** Two strings are equal; NULL equals only NULL. */
#define is_str(got, want, ...) tap_is_str(__FILE__, __LINE__, got, want, __VA_ARGS__)

/** Two integers of any width are equal. */
#define is_int(got, want, ...) tap_is_int(__FILE__, __LINE__, (long long)(got), (long long)(want), __VA_ARGS__)

/** Two runs of octets are equal; the first difference is shown in hex. */
#define is_mem(got, got_len, want, want_len, ...) \
    tap_is_mem(__FILE__, __LINE__, got, got_len, want, want_len, __VA_ARGS__)

/** text contains part. */
#define has_str(text, part, ...) tap_has_str(__FILE__, __LINE__, text, part, __VA_ARGS__)

/** Count tests tests as skipped, with the reason. */
void skip(int tests, const char *why, ...) TAP_PRINTF(2, 3);

/** Skip the whole program, before any test ran; the caller returns its value from main(). */
int skip_all(const char *why, ...) TAP_PRINTF(1, 2);

/** A remark on stderr that people see even when the harness hides passed tests. */
void diag(const char *fmt, ...) TAP_PRINTF(1, 2);

/** A remark in the TAP stream. */
void note(const char *fmt, ...) TAP_PRINTF(1, 2);

/** Nothing more can be tested: ends the program. */
void bail_out(const char *why, ...) TAP_PRINTF(1, 2) __attribute__((noreturn));

/** Print the plan if plan() did not; the exit status of main(): 0 when everything passed. */
int done_testing(void);

int tap_ok(const char *file, int line, int passed, const char *fmt, ...) TAP_PRINTF(4, 5);
int tap_is_str(const char *file, int line, const char *got, const char *want, const char *fmt, ...)
    TAP_PRINTF(5, 6);
int tap_is_int(const char *file, int line, long long got, long long want, const char *fmt, ...)
    TAP_PRINTF(5, 6);
int tap_is_mem(const char *file, int line, const void *got, size_t got_len, const void *want,
               size_t want_len, const char *fmt, ...) TAP_PRINTF(7, 8);
int tap_has_str(const char *file, int line, const char *text, const char *part, const char *fmt, ...)
    TAP_PRINTF(5, 6);

#endif
