/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c: reading and writing whole files, as files.h says.
 */
#include "files.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brski_bytes.h"
#include "../common/say.h"

static brski_err_t *wrong(const char *what, const char *path, int number, apr_pool_t *pool)
{
    return say_refuse(pool, "%s %s: %s.", what, brski_printable(path, 200, pool), strerror(number));
}

/* Read until the end; doubles the room, so that pipes work like files. */
static brski_err_t *read_all(brski_bytes_t *out, int fd, const char *path, apr_pool_t *pool)
{
    apr_size_t room = 16384, len = 0;
    char *data = apr_palloc(pool, room + 1);

    for (;;) {
        ssize_t n = read(fd, data + len, room - len);

        if (n < 0 && errno != EINTR) {
            return wrong("Cannot read", path, errno, pool);
        }
        if (n == 0) {
            break;
        }
        len += n > 0 ? (apr_size_t)n : 0;
        if (len > FILES_MAX) {
            return wrong("Cannot read", path, EFBIG, pool);
        }
        if (len == room) {
            char *more = apr_palloc(pool, 2 * room + 1);

            memcpy(more, data, len);
            data = more;
            room *= 2;
        }
    }
    data[len] = '\0';
    *out = brski_bytes(data, len);
    return BRSKI_OK;
}

brski_err_t *files_read(brski_bytes_t *out, const char *path, apr_pool_t *pool)
{
    brski_err_t *err;
    int fd;

    *out = brski_bytes(NULL, 0);
    if (strcmp(path, "-") == 0) {
        return read_all(out, STDIN_FILENO, "standard input", pool);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return wrong("Cannot read", path, errno, pool);
    }
    err = read_all(out, fd, path, pool);
    close(fd);
    return err;
}

static brski_err_t *write_all(int fd, brski_bytes_t content, const char *path, apr_pool_t *pool)
{
    apr_size_t at = 0;

    while (at < content.len) {
        ssize_t n = write(fd, content.data + at, content.len - at);

        if (n < 0 && errno != EINTR) {
            return wrong("Cannot write", path, errno, pool);
        }
        at += n > 0 ? (apr_size_t)n : 0;
    }
    return BRSKI_OK;
}

brski_err_t *files_write(const char *path, brski_bytes_t content, int mode,
                         apr_pool_t *scratch_pool)
{
    brski_err_t *err;
    int fd;

    if (strcmp(path, "-") == 0) {
        return write_all(STDOUT_FILENO, content, "to standard output", scratch_pool);
    }
    /* O_CREAT leaves the mode of a file that is there: a secret must not land in one others can
     * read. */
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) {
        return wrong("Cannot write", path, errno, scratch_pool);
    }
    if (mode == FILES_SECRET && fchmod(fd, (mode_t)mode) != 0 && errno != EPERM) {
        err = wrong("Cannot protect", path, errno, scratch_pool);
    }
    else {
        err = write_all(fd, content, path, scratch_pool);
    }
    if (close(fd) != 0 && !err) {
        err = wrong("Cannot write", path, errno, scratch_pool);
    }
    return err;
}

brski_err_t *files_mkdir(const char *path, int mode, apr_pool_t *scratch_pool)
{
    if (mkdir(path, (mode_t)mode) != 0 && errno != EEXIST) {
        return wrong("Cannot make the directory", path, errno, scratch_pool);
    }
    return BRSKI_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

brski_err_t *files_list(apr_array_header_t **names, const char *path, apr_pool_t *pool)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    apr_status_t rv;

    *names = apr_array_make(pool, 64, sizeof(const char *));
    rv = apr_dir_open(&dir, path, pool);
    if (rv != APR_SUCCESS) {
        return wrong("Cannot read the directory", path, rv, pool);
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strcmp(info.name, ".") != 0 && strcmp(info.name, "..") != 0) {
            APR_ARRAY_PUSH(*names, const char *) = apr_pstrdup(pool, info.name);
        }
    }
    apr_dir_close(dir);
    qsort((*names)->elts, (size_t)(*names)->nelts, sizeof(const char *), by_name);
    return BRSKI_OK;
}

brski_err_t *files_dir_empty(int *empty, const char *path, apr_pool_t *scratch_pool)
{
    apr_array_header_t *names;
    struct stat info;

    *empty = 1;
    if (stat(path, &info) != 0) {
        return errno == ENOENT ? BRSKI_OK : wrong("Cannot look at", path, errno, scratch_pool);
    }
    if (!S_ISDIR(info.st_mode)) {
        return wrong("Cannot use", path, ENOTDIR, scratch_pool);
    }
    BRSKI_TRY(files_list(&names, path, scratch_pool));
    *empty = names->nelts == 0;
    return BRSKI_OK;
}

const char *files_join(const char *dir, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

int files_exists(const char *path, apr_pool_t *scratch_pool)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, scratch_pool) == APR_SUCCESS
           && info.filetype == APR_REG;
}
