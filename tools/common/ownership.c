/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ownership.c: looking at and repairing the owner of SQLite's files.
 */
#include "ownership.h"

#include <apr_strings.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "www-data"

static const char *const suffixes[] = { "", "-wal", "-shm" };
#define SUFFIXES 3

static const char *user_name(uid_t uid, apr_pool_t *pool)
{
    struct passwd *pw = getpwuid(uid);

    return pw ? apr_pstrdup(pool, pw->pw_name) : apr_psprintf(pool, "user %ld", (long)uid);
}

static const char *directory_of(const char *file, apr_pool_t *pool)
{
    const char *slash = strrchr(file, '/');

    return !slash          ? "."
           : slash == file ? "/"
                           : apr_pstrmemdup(pool, file, (apr_size_t)(slash - file));
}

brski_err_t *ownership_check(const db_t *db)
{
    struct stat st;

    if (!db->file || geteuid() == 0 || stat(db->file, &st) || st.st_uid == geteuid()) {
        return BRSKI_OK;
    }
    return say_refuse(db->pool,
                      "%s belongs to %s, and you are %s: the server could not write what SQLite "
                      "would leave; run this as root or with 'sudo -u %s'",
                      db->file, user_name(st.st_uid, db->pool), user_name(geteuid(), db->pool),
                      user_name(st.st_uid, db->pool));
}

/* ---- before the database is made ---- */

static void take_user(server_user_t *user, const struct passwd *pw, apr_pool_t *pool)
{
    user->name = apr_pstrdup(pool, pw->pw_name);
    user->uid = pw->pw_uid;
    user->gid = pw->pw_gid;
}

static brski_err_t *find_user(server_user_t *user, const db_t *db, const char *name)
{
    const struct passwd *pw = name             ? getpwnam(name)
                              : geteuid() == 0 ? getpwnam(DEFAULT_USER)
                                               : NULL;

    if (name && !pw) {
        return say_refuse(db->pool, "--user: there is no user '%s' on this machine", name);
    }
    if (name && geteuid() != 0 && pw->pw_uid != geteuid()) {
        return say_refuse(db->pool, "only root can make a database for %s; run this with sudo",
                          name);
    }
    if (pw) {
        take_user(user, pw, db->pool);
        return BRSKI_OK;
    }
    user->uid = geteuid();
    user->gid = getegid();
    user->name = user_name(user->uid, db->pool);
    return BRSKI_OK;
}

static int in_group(const server_user_t *user, gid_t gid)
{
    gid_t groups[128];
    int n = 128;

    if (getgrouplist(user->name, user->gid, groups, &n) < 0) {
        return user->gid == gid;
    }
    while (n-- > 0) {
        if (groups[n] == gid) {
            return 1;
        }
    }
    return 0;
}

/* Can this user make files there? */
static int may_write(const server_user_t *user, const struct stat *st)
{
    if (user->uid == 0) {
        return 1;
    }
    if (st->st_uid == user->uid) {
        return (st->st_mode & (S_IWUSR | S_IXUSR)) == (S_IWUSR | S_IXUSR);
    }
    if (in_group(user, st->st_gid)) {
        return (st->st_mode & (S_IWGRP | S_IXGRP)) == (S_IWGRP | S_IXGRP);
    }
    return (st->st_mode & (S_IWOTH | S_IXOTH)) == (S_IWOTH | S_IXOTH);
}

static brski_err_t *make_directory(const char *dir, const server_user_t *user, const db_t *db)
{
    if (mkdir(dir, 0750)) {
        return say_refuse(db->pool, "cannot make the directory %s: %s", dir, strerror(errno));
    }
    if (geteuid() == 0 && chown(dir, user->uid, user->gid)) {
        return say_refuse(db->pool, "cannot give the directory %s to %s: %s", dir, user->name,
                          strerror(errno));
    }
    say_note(db->call->say, "made the directory %s for %s", dir, user->name);
    return BRSKI_OK;
}

brski_err_t *ownership_prepare(server_user_t *user, const db_t *db, const char *name)
{
    const char *dir;
    struct stat st;

    memset(user, 0, sizeof(*user));
    if (!db->file) {
        return name ? say_refuse(db->pool, "--user is for SQLite, whose files have an owner")
                    : BRSKI_OK;
    }
    BRSKI_TRY(ownership_check(db));
    BRSKI_TRY(find_user(user, db, name));
    dir = directory_of(db->file, db->pool);
    if (stat(dir, &st)) {
        return errno == ENOENT
                   ? make_directory(dir, user, db)
                   : say_refuse(db->pool, "cannot look at %s: %s", dir, strerror(errno));
    }
    if (!may_write(user, &st)) {
        return say_refuse(db->pool,
                          "%s cannot make files in %s, which SQLite does beside its database: "
                          "chown %s %s, or name the server's user with --user",
                          user->name, dir, user->name, dir);
    }
    return BRSKI_OK;
}

/* ---- after ---- */

static brski_err_t *give_file(const char *file, const server_user_t *user, const db_t *db,
                              int *given)
{
    struct stat st;

    if (lstat(file, &st) || !S_ISREG(st.st_mode)
        || (st.st_uid == user->uid && st.st_gid == user->gid)) {
        return BRSKI_OK;
    }
    if (chown(file, user->uid, user->gid)) {
        return say_refuse(db->pool, "cannot give %s to %s: %s", file, user->name, strerror(errno));
    }
    *given = 1;
    return BRSKI_OK;
}

brski_err_t *ownership_give(const server_user_t *user, const db_t *db)
{
    int given = 0;

    if (!db->file || geteuid() != 0) {
        return BRSKI_OK;
    }
    for (int i = 0; i < SUFFIXES; i++) {
        BRSKI_TRY(give_file(apr_pstrcat(db->pool, db->file, suffixes[i], NULL), user, db, &given));
    }
    if (given) {
        say_note(db->call->say, "%s and what SQLite makes beside it belong to %s now", db->file,
                 user->name);
    }
    return BRSKI_OK;
}

/* ---- for doctor ---- */

static void add_problem(apr_array_header_t *problems, const char *text)
{
    APR_ARRAY_PUSH(problems, const char *) = text;
}

static void file_problems(apr_array_header_t *problems, const char *file, const struct stat *main,
                          apr_pool_t *pool)
{
    struct stat st;

    if (stat(file, &st)) {
        return;
    }
    if (st.st_uid != main->st_uid) {
        add_problem(problems,
                    apr_psprintf(pool, "%s belongs to %s, the database to %s: chown %s %s", file,
                                 user_name(st.st_uid, pool), user_name(main->st_uid, pool),
                                 user_name(main->st_uid, pool), file));
    }
    if (st.st_mode & S_IWOTH) {
        add_problem(problems, apr_psprintf(pool, "anybody can write %s: chmod o-w %s", file, file));
    }
}

apr_array_header_t *ownership_problems(const db_t *db, apr_pool_t *pool)
{
    apr_array_header_t *problems = apr_array_make(pool, 4, sizeof(const char *));
    const char *dir = db->file ? directory_of(db->file, pool) : NULL;
    server_user_t owner;
    struct stat st;

    if (!db->file || stat(db->file, &st)) {
        return problems;
    }
    owner.uid = st.st_uid;
    owner.gid = st.st_gid;
    owner.name = user_name(st.st_uid, pool);
    for (int i = 0; i < SUFFIXES; i++) {
        file_problems(problems, apr_pstrcat(pool, db->file, suffixes[i], NULL), &st, pool);
    }
    if (st.st_uid == 0 && getpwnam(DEFAULT_USER)) {
        add_problem(problems, apr_psprintf(pool,
                                           "the database belongs to root, and httpd's children run "
                                           "as another user: %s schema apply --user %s",
                                           db->call->program->name, DEFAULT_USER));
    }
    if (!stat(dir, &st) && !may_write(&owner, &st)) {
        add_problem(problems, apr_psprintf(pool, "%s cannot make files in %s: chown %s %s",
                                           owner.name, dir, owner.name, dir));
    }
    return problems;
}
