/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_look.c: looks into a database from a process of its own, as glue_look.h says. That
 * process is the run user, so it sees what the children will see: files that they cannot write,
 * certificates that libpq cannot read in root's home.
 */
#include "glue_look.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unixd.h>

/* A database that needs longer than this is not there. */
#define PATIENCE_MS (GLUE_LOOK_PATIENCE / 1000)
#define VERDICT_MAX 2000

/* ---- in the process of its own ---- */

static brski_err_t *lend(brski_dbd_t **out, void *baton, apr_pool_t *pool)
{
    (void)pool;
    *out = baton;
    return BRSKI_OK;
}

static void take_back(brski_dbd_t *db, void *baton)
{
    (void)db;
    (void)baton;
}

const char *glue_look_sqlite_file(const char *params, apr_pool_t *pool)
{
    const char *end;

    if (strncmp(params, "file:", 5)) {
        return params;
    }
    params += !strncmp(params + 5, "//", 2) ? 7 : 5;
    end = strchr(params, '?');
    return end ? apr_pstrmemdup(pool, params, end - params) : params;
}

/* SQLite would make a missing file, and an empty one would look like one of an old schema. */
static brski_err_t *check_file(const char *params, apr_pool_t *pool)
{
    const char *path = glue_look_sqlite_file(params, pool);
    char text[128];
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE, pool);

    if (APR_STATUS_IS_ENOENT(rv)) {
        return brski_err(BRSKI_E_STORE_SCHEMA, NULL, pool, "%s does not exist; run '%sctl "
                         "schema apply'", path, glue_module.statements->name);
    }
    return rv == APR_SUCCESS ? BRSKI_OK
                             : brski_err(BRSKI_E_STORE, NULL, pool, "%s: %s", path,
                                         apr_strerror(rv, text, sizeof(text)));
}

static brski_err_t *look(const char *driver, const char *params, glue_look_t *schema_check,
                         apr_pool_t *pool)
{
    brski_store_host_t host = { lend, take_back, NULL };
    const brski_dialect_t dialect = brski_dialect_parse(driver);
    brski_dbd_t *db;

    if (dialect == BRSKI_SQLITE3) {
        BRSKI_TRY(check_file(params, pool));
    }
    BRSKI_TRY(brski_dbd_open(&db, glue_module.statements, driver, params, pool));
    host.baton = db;
    BRSKI_TRY(schema_check(&host, dialect, pool));
    return brski_dbd_prepare(db, pool);
}

static brski_err_t *become_run_user(apr_pool_t *pool)
{
    const uid_t uid = ap_unixd_config.user_id;
    const gid_t gid = ap_unixd_config.group_id;
    const char *name = ap_unixd_config.user_name;

    if (geteuid() != 0 || uid == (uid_t)-1) {
        return BRSKI_OK;
    }
    if (setgid(gid) || (name && *name != '#' && initgroups(name, gid)) || setuid(uid)) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "cannot look into it as user %s: %s",
                         name ? name : "of httpd", strerror(errno));
    }
    return BRSKI_OK;
}

static brski_err_t *look_as_run_user(const char *driver, const char *params,
                                     glue_look_t *schema_check, apr_pool_t *pool)
{
    BRSKI_TRY(become_run_user(pool));
    return look(driver, params, schema_check, pool);
}

/* "CODE reason", "0" when all is well. */
static void report(int fd, const char *driver, const char *params, glue_look_t *schema_check)
{
    apr_pool_t *pool;
    const brski_err_t *err;
    const char *text;

    apr_pool_create(&pool, NULL);
    err = look_as_run_user(driver, params, schema_check, pool);
    text = err ? apr_psprintf(pool, "%d %s", (int)err->code,
                              err->detail ? err->detail : err->public_text)
               : "0";
    if (write(fd, text, strlen(text)) < 0) {
        _exit(1);
    }
    apr_pool_destroy(pool);               /* closes the database: SQLite puts its files away */
    _exit(0);
}

/* ---- in httpd's ---- */

/* What the process said within the time, NUL-terminated. @return 0 when it did not come to an
 * end */
static int hear(char *verdict, apr_size_t size, int fd)
{
    const apr_time_t end = apr_time_now() + apr_time_from_msec(PATIENCE_MS);
    struct pollfd wait = { fd, POLLIN, 0 };
    apr_size_t len = 0;
    ssize_t n = 1;

    while (n > 0) {
        const apr_interval_time_t left = end - apr_time_now();
        const int ready = left > 0 ? poll(&wait, 1, (int)(left / 1000) + 1) : 0;

        if (ready <= 0 && !(ready < 0 && errno == EINTR)) {
            return 0;
        }
        if (ready < 0) {
            continue;
        }
        n = read(fd, verdict + len, size - 1 - len);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        len += n > 0 ? (apr_size_t)n : 0;
    }
    verdict[len] = '\0';
    return len > 0;
}

static brski_err_t *judge(const char *verdict, apr_pool_t *pool)
{
    char *text;
    const long code = strtol(verdict, &text, 10);

    if (code == 0) {
        return BRSKI_OK;
    }
    return brski_err(code == BRSKI_E_STORE_SCHEMA ? BRSKI_E_STORE_SCHEMA : BRSKI_E_STORE, NULL,
                     pool, "%s", text + (*text == ' '));
}

brski_err_t *glue_look(const char *driver, const char *params, glue_look_t *schema_check,
                       apr_pool_t *pool)
{
    char verdict[VERDICT_MAX];
    int fds[2];
    int ended, status;
    pid_t pid;

    if (pipe(fds)) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "pipe: %s", strerror(errno));
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        report(fds[1], driver, params, schema_check);
    }
    close(fds[1]);
    ended = pid > 0 && hear(verdict, sizeof(verdict), fds[0]);
    close(fds[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    return ended ? judge(verdict, pool)
                 : brski_err(BRSKI_E_STORE, NULL, pool, "it did not answer within %d seconds",
                             (int)(PATIENCE_MS / 1000));
}
