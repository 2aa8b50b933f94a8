/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage_test.c: where the lines of a device list wait: sorted, whole, also when they do not fit
 * into memory, and as often as they are asked for.
 */
#include "unit.h"
#include "../../tools/masactl/stage.h"

#include <apr_strings.h>
#include <string.h>

#define ROWS 20000
#define SMALL (64 * 1024)             /* octets: many runs */
#define LARGE (64 * 1024 * 1024)      /* all of it */

/* Row n of a list in no order: every number below ROWS once. */
static void make_row(stage_row_t *row, int n, apr_pool_t *pool)
{
    int k = (int)((long long)n * 7919 % ROWS);

    memset(row, 0, sizeof(*row));
    row->line = n;
    row->fields[STAGE_SERIAL_NUMBER] = apr_psprintf(pool, "S%06d", k);
    row->fields[STAGE_PRODUCT] = k % 2 ? "odd" : "even";
    row->fields[STAGE_CUSTOMER] = k % 3 ? NULL : "";
    row->fields[STAGE_AS_OF] = apr_psprintf(pool, "%d", k);
}

static stage_t *filled(apr_size_t memory, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    stage_t *stage;
    stage_row_t row;

    apr_pool_create(&scratch, pool);
    if (stage_make(&stage, memory, NULL, pool)) {
        bail_out("stage_make failed");
    }
    for (int n = 0; n < ROWS; n++) {
        apr_pool_clear(scratch);
        make_row(&row, n, scratch);
        if (stage_put(stage, &row)) {
            bail_out("stage_put failed");
        }
    }
    return stage;
}

/* Is this the kth row in order, with all that was put into it? */
static int right(const stage_row_t *row, int k, apr_pool_t *pool)
{
    const char *customer = row->fields[STAGE_CUSTOMER];

    return !strcmp(row->fields[STAGE_SERIAL_NUMBER], apr_psprintf(pool, "S%06d", k))
        && !strcmp(row->fields[STAGE_PRODUCT], k % 2 ? "odd" : "even")
        && (k % 3 ? customer == NULL : customer && !*customer) && !row->fields[STAGE_SIGNER]
        && !strcmp(row->fields[STAGE_AS_OF], apr_psprintf(pool, "%d", k))
        && row->line * 7919 % ROWS == k;
}

static void reads_back(apr_size_t memory, const char *how, apr_pool_t *pool)
{
    stage_t *stage = filled(memory, pool);

    is_int(stage_count(stage), ROWS, "%s: every row is counted", how);
    for (int pass = 1; pass <= 2; pass++) {
        apr_pool_t *scratch;
        stage_row_t row;
        int more = 1;
        int k = 0;
        int wrong = 0;
        brski_err_t *err = stage_rewind(stage);

        apr_pool_create(&scratch, pool);
        while (!err && !(err = stage_next(&more, &row, stage)) && more) {
            apr_pool_clear(scratch);
            wrong += !right(&row, k++, scratch);
        }
        is_ok(err, "%s: pass %d reads", how, pass);
        is_int(k, ROWS, "%s: pass %d has every row", how, pass);
        is_int(wrong, 0, "%s: pass %d has each in its place and whole", how, pass);
    }
}

/* Lines of one device come together, by their numbers. */
static void equal_keys(apr_pool_t *pool)
{
    stage_row_t row = { 0, { "S", "p", NULL, NULL, NULL, NULL, NULL, NULL, "0" } };
    apr_int64_t lines[3] = { 5000000000, 7, 300 };
    const char *order = "";
    stage_t *stage;
    int more = 1;

    is_ok(stage_make(&stage, LARGE, NULL, pool), "a stage is made");
    for (int i = 0; i < 3; i++) {
        row.line = lines[i];
        is_ok(stage_put(stage, &row), "line %d is put", i);
    }
    is_ok(stage_rewind(stage), "rewind");
    while (!stage_next(&more, &row, stage) && more) {
        order = apr_psprintf(pool, "%s %" APR_INT64_T_FMT, order, row.line);
    }
    is_str(order, " 7 300 5000000000", "lines of one device are in order");
}

static void limits(apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 10001);
    stage_row_t row = { 1, { "S", "p", NULL, NULL, NULL, NULL, NULL, NULL, "0" } };
    stage_t *stage;
    int more = 1;

    memset(text, 'x', 10000);
    text[10000] = '\0';
    row.fields[STAGE_SERIAL_NUMBER] = text;
    is_ok(stage_make(&stage, 0, "/no/such/directory", pool), "a stage needs no file to begin with");
    is_err(stage_put(stage, &row), INPUT, "a row that is too long is refused");
    is_ok(stage_rewind(stage), "an empty stage is read");
    is_ok(stage_next(&more, &row, stage), "to its end");
    is_int(more, 0, "at once");
}

static void no_room(apr_pool_t *pool)
{
    stage_row_t row = { 1, { "S", "p", NULL, NULL, NULL, NULL, NULL, NULL, "0" } };
    brski_err_t *err = NULL;
    stage_t *stage;

    stage_make(&stage, 0, "/no/such/directory", pool);
    for (int i = 0; i < ROWS && !err; i++) {
        err = stage_put(stage, &row);
    }
    is_err(err, INPUT, "where no file can be made that is an error");
    has_str(err ? err->public_text : "", "TMPDIR", "which says what would help");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    reads_back(LARGE, "in memory", pool);
    reads_back(SMALL, "in a file", pool);
    equal_keys(pool);
    limits(pool);
    no_room(pool);
    return done_testing();
}
