/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_alarm.c: tells a human, as est_alarm.h says. The command is started without a shell and
 * without fork(): this process has threads.
 */
#include "est_alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "brski_bytes.h"
#include "brski_time.h"
#include "est_count.h"

/* Commands of one process that run at once; with more the command hangs, or somebody plays. */
#define COMMANDS_MAX 16
#define TEXT_MAX 1000

extern char **environ;

typedef struct est_alarm_t {
    apr_thread_mutex_t *mutex;        /* of running */
    pid_t running[COMMANDS_MAX];      /* 0: free */
} est_alarm_t;

void est_alarm_child(est_engine_t *engine, apr_pool_t *pool)
{
    est_alarm_t *alarm = apr_pcalloc(pool, sizeof(*alarm));

    if (apr_thread_mutex_create(&alarm->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS) {
        engine->alarm = alarm;
    }
}

/* ---- the command ---- */

/* Ended ones are taken off the list of processes here: nobody else waits for them. */
static int free_place(est_alarm_t *alarm)
{
    int i, free_one = -1;

    for (i = 0; i < COMMANDS_MAX; i++) {
        if (alarm->running[i] && waitpid(alarm->running[i], NULL, WNOHANG) != 0) {
            alarm->running[i] = 0;
        }
        if (!alarm->running[i]) {
            free_one = i;
        }
    }
    return free_one;
}

static void add_printable(apr_array_header_t *env, const char *name, const char *value)
{
    APR_ARRAY_PUSH(env, const char *) = apr_pstrcat(env->pool, name, "=", value ? value : "", NULL);
}

static void add(apr_array_header_t *env, const char *name, const char *value)
{
    add_printable(env, name, value ? brski_printable(value, TEXT_MAX, env->pool) : NULL);
}

/* A note's text is printable already: escaped twice, it would be hard to read. */
static const char *text_of(const brski_note_t *note, apr_pool_t *pool)
{
    return note->text ? apr_pstrndup(pool, note->text, TEXT_MAX) : "";
}

static char *const *environment(const brski_note_t *note, apr_pool_t *pool)
{
    apr_array_header_t *env = apr_array_make(pool, 32, sizeof(const char *));
    char **e;

    for (e = environ; *e; e++) {
        if (strncmp(*e, "EST_", 4)) {
            APR_ARRAY_PUSH(env, const char *) = *e;
        }
    }
    add(env, "EST_KIND", note->kind);
    add_printable(env, "EST_TEXT", text_of(note, pool));
    add(env, "EST_MANUFACTURER", note->manufacturer);
    add(env, "EST_SERIAL", note->serial_number);
    add(env, "EST_REQUEST_ID", note->request_id);
    add(env, "EST_ADDRESS", note->address);
    add(env, "EST_TIME", note->at ? brski_time_rfc3339(note->at, pool) : NULL);
    APR_ARRAY_PUSH(env, const char *) = NULL;
    return (char *const *)env->elts;
}

static char *const *arguments(const apr_array_header_t *words, apr_pool_t *pool)
{
    apr_array_header_t *argv = apr_array_copy(pool, words);

    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (char *const *)argv->elts;
}

/* A session of its own, so that httpd's end is not its end; of httpd's files only the error log;
 * none of the signals that httpd's threads keep out or ignore. */
static int start(pid_t *pid, char *const *argv, char *const *env)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    int rv;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
#if __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
#endif
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
                                       | POSIX_SPAWN_SETSID);
    rv = posix_spawn(pid, argv[0], &files, &how, argv, env);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return rv;
}

static void run_command(const est_engine_t *engine, const brski_note_t *note, apr_pool_t *pool)
{
    est_alarm_t *alarm = engine->alarm;
    char *const *argv = arguments(engine->conf->notify, pool);
    char *const *env = environment(note, pool);
    int place, rv = 0;

    apr_thread_mutex_lock(alarm->mutex);
    place = free_place(alarm);
    if (place >= 0) {
        rv = start(&alarm->running[place], argv, env);
        if (rv) {
            alarm->running[place] = 0;
        }
    }
    apr_thread_mutex_unlock(alarm->mutex);
    if (place < 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, engine->server,
                     "BRSKI3222: ESTNotify: %d commands are running still; none was started",
                     COMMANDS_MAX);
    }
    else if (rv) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, APR_FROM_OS_ERROR(rv), engine->server,
                     "BRSKI3223: ESTNotify: %s cannot be started", argv[0]);
    }
}

/* ---- the alarm ---- */

static void log_note(const est_engine_t *engine, const brski_note_t *note, apr_pool_t *pool)
{
    ap_log_error(APLOG_MARK, note->alarm ? APLOG_ERR : APLOG_NOTICE, 0, engine->server,
                 "BRSKI3221: %s: %s (manufacturer %s, serial-number %s, request %s)", note->kind,
                 text_of(note, pool),
                 note->manufacturer && *note->manufacturer ? note->manufacturer : "unknown",
                 note->serial_number && *note->serial_number
                     ? brski_printable(note->serial_number, TEXT_MAX, pool) : "not read",
                 note->request_id && *note->request_id ? note->request_id : "none");
}

static void keep_note(const est_engine_t *engine, const brski_note_t *note, apr_pool_t *pool)
{
    const brski_err_t *err = engine->registrar.records
                             ? brski_records_note_put(engine->registrar.records, note, pool)
                             : NULL;

    if (err) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, engine->server,
                     "BRSKI3224: what was told is not among the records: %s",
                     brski_err_text(err, pool));
    }
}

void est_alarm_raise(const brski_note_t *note, void *baton)
{
    const est_engine_t *engine = baton;
    apr_pool_t *pool;

    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    log_note(engine, note, pool);
    keep_note(engine, note, pool);
    if (note->alarm) {
        est_count_alarm(engine);
    }
    if (note->alarm && engine->alarm && engine->conf->notify && engine->conf->notify->nelts) {
        run_command(engine, note, pool);
    }
    apr_pool_destroy(pool);
}
