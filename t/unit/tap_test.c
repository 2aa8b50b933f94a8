/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap_test.c: the test library tests itself: what must pass passes, and what must fail prints
 * "not ok", for a test library that cannot fail proves nothing.
 */
#include "tap.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run body in a child whose output is caught; its exit status, or -1. */
static int in_child(void (*body)(void), char *out, size_t size)
{
    int fds[2], status;
    ssize_t n;
    size_t len = 0;
    pid_t pid;

    fflush(stdout);
    if (pipe(fds) != 0 || (pid = fork()) < 0) {
        return -1;
    }
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        body();
        _exit(done_testing());
    }
    close(fds[1]);
    while ((n = read(fds[0], out + len, size - 1 - len)) > 0) {
        len += (size_t)n;
    }
    out[len] = '\0';
    close(fds[0]);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void failing(void)
{
    ok(0, "a false condition");
    is_str("a", "b", "two strings");
    is_str(NULL, "b", "NULL and a string");
    is_int(1, 2, "two integers");
    is_mem("ab", 2, "ac", 2, "two runs");
    has_str("abc", "x", "a part");
}

static void short_of_plan(void)
{
    plan(2000);
    pass("only one");
}

static void skipping(void)
{
    skip(2, "no %s here", "database");
}

int main(void)
{
    char out[8192];

    ok(1, "a true condition");
    is_str("a", "a", "the same string");
    is_str(NULL, NULL, "NULL is NULL");
    is_int(-1, -1LL, "the same integer");
    is_mem("a\0b", 3, "a\0b", 3, "the same octets");
    has_str("abc", "bc", "a part of it");

    is_int(in_child(failing, out, sizeof(out)), 1, "failing tests end with status 1");
    has_str(out, "not ok 7 - a false condition", "ok() can fail");
    has_str(out, "not ok 8 - two strings", "is_str() can fail");
    has_str(out, "not ok 9 - NULL and a string", "is_str() can fail with NULL");
    has_str(out, "not ok 10 - two integers", "is_int() can fail");
    has_str(out, "not ok 11 - two runs", "is_mem() can fail");
    has_str(out, "not ok 12 - a part", "has_str() can fail");
    is_int(in_child(short_of_plan, out, sizeof(out)), 1, "a plan that is not kept is a failure");
    is_int(in_child(skipping, out, sizeof(out)), 0, "skipped tests are no failure");
    has_str(out, "# SKIP no database here", "skip() says why");
    return done_testing();
}
