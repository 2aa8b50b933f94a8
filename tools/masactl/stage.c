/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.c: an external merge sort. A row is one piece of memory: its length, its line, and its
 * fields one after the other, each behind a mark that tells an absent one from an empty one. Full
 * memory is sorted and written as a run; reading merges the runs. What fits into memory never
 * touches a file.
 */
#include "stage.h"
#include "../common/say.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_WINDOW 65536
#define ROW_MAX 8192

/* The head of a row in memory and in the file. */
typedef struct packed_t {
    apr_uint32_t size;                /* with this head */
    apr_uint32_t line_high;
    apr_uint32_t line_low;
} packed_t;

/* A sorted part of the file. */
typedef struct run_t {
    apr_off_t start;
    apr_off_t end;
    apr_off_t at;                     /* read up to here */
    char *window;
    apr_size_t used;                  /* of the window */
    apr_size_t filled;
    const char *row;                  /* present row, NULL when the run is at its end */
} run_t;

struct stage_t {
    apr_pool_t *pool;
    const char *dir;
    char *memory;
    apr_size_t size;
    apr_size_t used;                  /* rows grow from the begin */
    const char **rows;                /* their addresses, sorted before use */
    apr_size_t nrows;
    apr_size_t max_rows;
    apr_int64_t count;
    int fd;                           /* -1: nothing was written */
    apr_off_t written;
    apr_array_header_t *runs;         /* run_t */
    run_t **heap;                     /* runs that have rows, smallest first */
    int nheap;
    run_t *taken;                     /* whose row was handed out last */
    apr_size_t cursor;                /* next row when all is in memory */
    int sorted;
};

static const char *row_key(const char *row)
{
    return row + sizeof(packed_t) + 1;
}

static apr_int64_t row_line(const char *row)
{
    packed_t head;

    memcpy(&head, row, sizeof(head));
    return (apr_int64_t)head.line_high << 32 | head.line_low;
}

/* By serial number, product, line. */
static int compare_rows(const char *a, const char *b)
{
    const char *x = row_key(a);
    const char *y = row_key(b);
    int order = strcmp(x, y);

    if (!order) {
        apr_size_t skip = strlen(x) + 2;
        order = strcmp(x + skip, y + skip);
    }
    if (!order) {
        order = row_line(a) < row_line(b) ? -1 : row_line(a) > row_line(b);
    }
    return order;
}

static int compare_addresses(const void *a, const void *b)
{
    return compare_rows(*(const char *const *)a, *(const char *const *)b);
}

static apr_status_t stage_cleanup(void *data)
{
    stage_t *stage = data;

    free(stage->memory);
    free(stage->rows);
    if (stage->fd >= 0) {
        close(stage->fd);
    }
    return APR_SUCCESS;
}

brski_err_t *stage_make(stage_t **out, apr_size_t memory, const char *dir, apr_pool_t *pool)
{
    stage_t *stage = apr_pcalloc(pool, sizeof(*stage));

    *out = NULL;
    stage->pool = pool;
    stage->dir = dir;
    stage->fd = -1;
    stage->size = memory > 4 * ROW_MAX ? memory : 4 * ROW_MAX;
    stage->max_rows = stage->size / 64;
    stage->memory = malloc(stage->size);
    stage->rows = malloc(stage->max_rows * sizeof(*stage->rows));
    stage->runs = apr_array_make(pool, 16, sizeof(run_t));
    apr_pool_cleanup_register(pool, stage, stage_cleanup, apr_pool_cleanup_null);
    if (!stage->memory || !stage->rows) {
        return say_refuse(pool, "there is no memory to sort the list in");
    }
    *out = stage;
    return BRSKI_OK;
}

apr_int64_t stage_count(const stage_t *stage)
{
    return stage->count;
}

/* ---- writing ---- */

static brski_err_t *file_failed(const stage_t *stage, const char *what)
{
    return say_refuse(stage->pool,
                      "cannot %s the temporary file in %s: %s; set TMPDIR to a directory with room",
                      what, stage->dir, strerror(errno));
}

/* An unlinked file: it vanishes with the process, whatever happens. */
static brski_err_t *open_file(stage_t *stage)
{
    char *name;

    if (!stage->dir && apr_temp_dir_get(&stage->dir, stage->pool) != APR_SUCCESS) {
        stage->dir = "/tmp";
    }
    name = apr_pstrcat(stage->pool, stage->dir, "/masactl-XXXXXX", NULL);
    stage->fd = mkstemp(name);
    if (stage->fd < 0) {
        return file_failed(stage, "make");
    }
    unlink(name);
    return BRSKI_OK;
}

static brski_err_t *write_all(stage_t *stage, const char *data, apr_size_t len)
{
    while (len) {
        ssize_t n = write(stage->fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return file_failed(stage, "write");
        }
        data += n;
        len -= (apr_size_t)n;
        stage->written += n;
    }
    return BRSKI_OK;
}

static apr_size_t row_size(const char *row)
{
    packed_t head;

    memcpy(&head, row, sizeof(head));
    return head.size;
}

static void sort_memory(stage_t *stage)
{
    qsort(stage->rows, stage->nrows, sizeof(*stage->rows), compare_addresses);
}

/* Write the rows in order, through a window so that a row is not a system call. */
static brski_err_t *write_rows(stage_t *stage)
{
    char window[RUN_WINDOW];
    apr_size_t filled = 0;

    for (apr_size_t i = 0; i < stage->nrows; i++) {
        apr_size_t size = row_size(stage->rows[i]);
        if (filled + size > sizeof(window)) {
            BRSKI_TRY(write_all(stage, window, filled));
            filled = 0;
        }
        memcpy(window + filled, stage->rows[i], size);
        filled += size;
    }
    return write_all(stage, window, filled);
}

/* Memory is full: what is there becomes a run of the file. */
static brski_err_t *spill(stage_t *stage)
{
    run_t *run;

    if (stage->fd < 0) {
        BRSKI_TRY(open_file(stage));
    }
    run = &APR_ARRAY_PUSH(stage->runs, run_t);
    memset(run, 0, sizeof(*run));
    run->start = stage->written;
    sort_memory(stage);
    BRSKI_TRY(write_rows(stage));
    run->end = stage->written;
    stage->used = 0;
    stage->nrows = 0;
    return BRSKI_OK;
}

static apr_size_t packed_size(const stage_row_t *row)
{
    apr_size_t size = sizeof(packed_t);

    for (int i = 0; i < STAGE_COLUMNS; i++) {
        size += row->fields[i] ? strlen(row->fields[i]) + 2 : 1;
    }
    return size;
}

static void pack(char *to, apr_size_t size, const stage_row_t *row)
{
    packed_t head = { (apr_uint32_t)size, (apr_uint32_t)(row->line >> 32),
                      (apr_uint32_t)row->line };

    memcpy(to, &head, sizeof(head));
    to += sizeof(head);
    for (int i = 0; i < STAGE_COLUMNS; i++) {
        *to++ = row->fields[i] ? 1 : 0;
        if (row->fields[i]) {
            apr_size_t len = strlen(row->fields[i]) + 1;
            memcpy(to, row->fields[i], len);
            to += len;
        }
    }
}

brski_err_t *stage_put(stage_t *stage, const stage_row_t *row)
{
    apr_size_t size = packed_size(row);

    if (size > ROW_MAX) {
        return say_refuse(stage->pool, "line %" APR_INT64_T_FMT " is too long", row->line);
    }
    if (stage->used + size > stage->size || stage->nrows == stage->max_rows) {
        BRSKI_TRY(spill(stage));
    }
    pack(stage->memory + stage->used, size, row);
    stage->rows[stage->nrows++] = stage->memory + stage->used;
    stage->used += size;
    stage->count++;
    return BRSKI_OK;
}

/* ---- reading ---- */

/* Read on until the window holds len octets from used; at the run's end it may hold none. */
static brski_err_t *run_need(stage_t *stage, run_t *run, apr_size_t len)
{
    if (run->filled - run->used >= len) {
        return BRSKI_OK;
    }
    memmove(run->window, run->window + run->used, run->filled - run->used);
    run->filled -= run->used;
    run->used = 0;
    while (run->filled < len && run->at < run->end) {
        apr_size_t room = RUN_WINDOW - run->filled;
        apr_size_t left = (apr_size_t)(run->end - run->at);
        ssize_t n = pread(stage->fd, run->window + run->filled, room < left ? room : left, run->at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return file_failed(stage, "read");
        }
        run->filled += (apr_size_t)n;
        run->at += n;
    }
    return BRSKI_OK;
}

/* Step to the run's next row. */
static brski_err_t *run_step(stage_t *stage, run_t *run)
{
    apr_size_t size;

    run->row = NULL;
    BRSKI_TRY(run_need(stage, run, sizeof(packed_t)));
    if (run->filled - run->used < sizeof(packed_t)) {
        return BRSKI_OK;
    }
    size = row_size(run->window + run->used);
    BRSKI_TRY(run_need(stage, run, size));
    run->row = run->window + run->used;
    run->used += size;
    return BRSKI_OK;
}

static void heap_sink(stage_t *stage, int i)
{
    for (;;) {
        int least = i;
        for (int child = 2 * i + 1; child <= 2 * i + 2 && child < stage->nheap; child++) {
            if (compare_rows(stage->heap[child]->row, stage->heap[least]->row) < 0) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        run_t *moved = stage->heap[i];
        stage->heap[i] = stage->heap[least];
        stage->heap[least] = moved;
        i = least;
    }
}

static brski_err_t *rewind_runs(stage_t *stage)
{
    int n = stage->runs->nelts;

    stage->nheap = 0;
    if (!stage->heap) {
        stage->heap = apr_palloc(stage->pool, sizeof(*stage->heap) * (apr_size_t)n);
    }
    for (int i = 0; i < n; i++) {
        run_t *run = &APR_ARRAY_IDX(stage->runs, i, run_t);
        if (!run->window) {
            run->window = apr_palloc(stage->pool, RUN_WINDOW);
        }
        run->at = run->start;
        run->used = run->filled = 0;
        BRSKI_TRY(run_step(stage, run));
        stage->heap[stage->nheap++] = run;
    }
    for (int i = n / 2; i >= 0; i--) {
        heap_sink(stage, i);
    }
    return BRSKI_OK;
}

brski_err_t *stage_rewind(stage_t *stage)
{
    stage->taken = NULL;
    stage->cursor = 0;
    if (!stage->sorted) {
        stage->sorted = 1;
        if (stage->runs->nelts && stage->nrows) {
            BRSKI_TRY(spill(stage));
        }
        sort_memory(stage);
    }
    return stage->runs->nelts ? rewind_runs(stage) : BRSKI_OK;
}

static void unpack(stage_row_t *row, const char *from)
{
    row->line = row_line(from);
    from += sizeof(packed_t);
    for (int i = 0; i < STAGE_COLUMNS; i++) {
        row->fields[i] = *from++ ? from : NULL;
        if (row->fields[i]) {
            from += strlen(from) + 1;
        }
    }
}

/* The row handed out last has been used: its run steps on, or leaves the heap. */
static brski_err_t *step_taken(stage_t *stage)
{
    BRSKI_TRY(run_step(stage, stage->taken));
    if (!stage->taken->row) {
        stage->heap[0] = stage->heap[--stage->nheap];
    }
    heap_sink(stage, 0);
    return BRSKI_OK;
}

brski_err_t *stage_next(int *more, stage_row_t *row, stage_t *stage)
{
    *more = 0;
    if (!stage->runs->nelts) {
        if (stage->cursor < stage->nrows) {
            *more = 1;
            unpack(row, stage->rows[stage->cursor++]);
        }
        return BRSKI_OK;
    }
    if (stage->taken) {
        BRSKI_TRY(step_taken(stage));
    }
    if (stage->nheap) {
        *more = 1;
        stage->taken = stage->heap[0];
        unpack(row, stage->taken->row);
    }
    return BRSKI_OK;
}
