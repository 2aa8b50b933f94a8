/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c: run a fuzz target without a fuzzer: over its seeds and over what is a little wrong with
 * each (cut short, an octet changed), or over the files named. For `make check` with any compiler,
 * with sanitizers and under valgrind. Each input lies in memory of its very size, so that reading
 * beyond it is seen. Under libFuzzer, which brings a main() of its own, this is an empty file.
 */
#include "fuzz.h"

#ifndef BRSKI_LIBFUZZER

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So often each seed is cut, and changed: more of it is the fuzzer's. */
#define WRONG_TIMES 16

static void run(const unsigned char *data, size_t size)
{
    unsigned char *exact = malloc(size ? size : 1);

    FUZZ_MUST(exact != NULL);
    if (size) {
        memcpy(exact, data, size);
    }
    LLVMFuzzerTestOneInput(size ? exact : NULL, size);
    free(exact);
}

static void run_wrong(const unsigned char *data, size_t size)
{
    unsigned char *changed = malloc(size ? size : 1);
    size_t i, at;

    FUZZ_MUST(changed != NULL);
    for (i = 0; i < WRONG_TIMES && i < size; i++) {
        at = size * i / (size < WRONG_TIMES ? size : WRONG_TIMES);
        run(data, at);
        memcpy(changed, data, size);
        changed[at] ^= (unsigned char)(1u << i % 8);
        run(changed, size);
    }
    free(changed);
}

static void run_file(const char *path, int wrong, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t len = 0;
    unsigned char *data;

    FUZZ_MUST(!apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, pool));
    FUZZ_MUST(!apr_file_info_get(&info, APR_FINFO_SIZE, file));
    data = apr_palloc(pool, (apr_size_t)info.size + 1);
    FUZZ_MUST(!info.size || !apr_file_read_full(file, data, (apr_size_t)info.size, &len));
    apr_file_close(file);
    run(data, len);
    if (wrong) {
        run_wrong(data, len);
    }
}

/* @return how many there are; each is a test of its own */
static int run_folder(const char *path, apr_pool_t *parent)
{
    apr_dir_t *dir;
    apr_finfo_t entry;
    apr_pool_t *pool;
    int n = 0;

    apr_pool_create(&pool, parent);
    FUZZ_MUST(apr_dir_open(&dir, path, pool) == APR_SUCCESS);
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (*entry.name != '.') {
            run_file(apr_pstrcat(pool, path, "/", entry.name, NULL), 1, pool);
            printf("ok %d - %s\n", ++n, entry.name);
            fflush(stdout);
        }
    }
    apr_dir_close(dir);
    apr_pool_destroy(pool);
    return n;
}

/* The folder of seeds that has the program's name. */
static const char *seeds_of(const char *program, apr_pool_t *pool)
{
    const char *top = getenv("top_srcdir"), *slash = strrchr(program, '/');

    return apr_pstrcat(pool, top ? top : FUZZ_SRCDIR, "/fuzz/seeds/", slash ? slash + 1 : program,
                       NULL);
}

int main(int argc, char **argv)
{
    apr_pool_t *pool = fuzz_lasting_pool();
    int i, n;

    for (i = 1; i < argc; i++) {
        run_file(argv[i], 0, pool);
        printf("%s: fine\n", argv[i]);
    }
    if (argc == 1) {
        n = run_folder(seeds_of(argv[0], pool), pool);
        printf("1..%d\n", n);
        return n ? 0 : 1;
    }
    return 0;
}

#endif
