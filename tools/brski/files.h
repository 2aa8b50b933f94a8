/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h: the files that brski reads and writes: whole, bounded, with the mode said; "-" is standard input or output.
 * What is wrong with a file is BRSKI_E_INPUT and names it.
 */
#ifndef BRSKI_TOOL_FILES_H
#define BRSKI_TOOL_FILES_H

#include "brski.h"
#include "brski_err.h"

/** Larger files are refused: nothing that brski reads is near it. */
#define FILES_MAX (64 * 1024 * 1024)

#define FILES_SECRET 0600             /**< mode of a file with a key in it */
#define FILES_PUBLIC 0644

/** Whole content of a file, or of standard input for "-"; a NUL follows that len does not count. */
brski_err_t *files_read(brski_bytes_t *out, const char *path, apr_pool_t *pool);

/** Write a file, replacing it; "-" writes to standard output. mode holds from the first moment on. */
brski_err_t *files_write(const char *path, brski_bytes_t content, int mode, apr_pool_t *scratch_pool);

/** Make one directory; fine when it is there already. */
brski_err_t *files_mkdir(const char *path, int mode, apr_pool_t *scratch_pool);

/** *empty is 1 when path is absent or a directory without entries. @return BRSKI_E_INPUT when it is a file */
brski_err_t *files_dir_empty(int *empty, const char *path, apr_pool_t *scratch_pool);

/** Names in a directory without "." and "..", sorted; array of const char *. */
brski_err_t *files_list(apr_array_header_t **names, const char *path, apr_pool_t *pool);

/** dir/name. */
const char *files_join(const char *dir, const char *name, apr_pool_t *pool);

/** Nonzero when there is a regular file (or what a link leads to) of this name. */
int files_exists(const char *path, apr_pool_t *scratch_pool);

#endif
