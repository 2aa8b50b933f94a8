/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_import.c: device import. A list is read once and every line judged into staging (stage.h);
 * when all are good, or bad ones are to be skipped, it is written in key order in short
 * transactions, between which others get their turn. The same list again changes nothing, so what
 * was interrupted is simply repeated.
 */
#include "import.h"
#include "judge.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define STATEMENT_ROWS 32             /* of STMT_IMPORT_APPLY and STMT_IMPORT_TOUCH */
#define BATCH_DEFAULT 2048
#define BATCH_MAX 100000
#define SORT_MEMORY (32 * 1024 * 1024)
#define ERRORS_TOLD 20
#define BUSY_RETRIES 600
#define BUSY_WAIT (100 * 1000)        /* microseconds */
#define REST_LEAST 1000               /* microseconds between two transactions, */
#define REST_SHARE 10                 /* and a tenth of what the last one took */
#define CSV_LINES 4096                /* between two looks at the clock */

/* One import. */
typedef struct import_t {
    call_t *call;
    db_t *db;
    judge_t *judge;
    stage_t *stage;
    const char *source;
    const char *batch;                /* its name in import_batch */
    EVP_MD_CTX *hash;
    const char *source_hash;
    apr_int64_t size;                 /* of the file, 0 unknown */
    apr_int64_t lines;
    apr_int64_t bad;
    apr_int64_t devices;              /* written or found to be so already */
    apr_int64_t changed;
    apr_int64_t batch_rows;
    int skip_bad;
    brski_json_t *errors;
    apr_array_header_t *pending;      /* stage_row_t: of the next transaction */
    int pending_changed;
    apr_pool_t *pending_pool;
    say_progress_t progress;
    apr_time_t started;
    apr_pool_t *pool;
    apr_pool_t *scratch;              /* of one line or one batch */
} import_t;

/* ---- bad lines ---- */

static void tell_bad(import_t *im, apr_int64_t line, const char *reason)
{
    brski_json_t *error;

    im->bad++;
    if (im->bad > ERRORS_TOLD && !opt_has(im->call, "all-errors")) {
        return;
    }
    fprintf(im->call->say->err, "%s line %" APR_INT64_T_FMT ": %s\n", im->source, line, reason);
    if (im->bad <= ERRORS_TOLD) {
        error = brski_json_object(im->pool);
        brski_json_set_int(error, "line", line);
        brski_json_set_string(error, "reason", reason);
        brski_json_append(im->errors, error);
    }
}

static void tell_more_bad(const import_t *im)
{
    if (im->bad > ERRORS_TOLD && !opt_has(im->call, "all-errors")) {
        fprintf(im->call->say->err, "... and %s more; --all-errors tells each\n",
                say_count(im->bad - ERRORS_TOLD, im->pool));
    }
}

/* ---- reading and judging ---- */

static void see_octets(void *baton, const void *data, apr_size_t len)
{
    EVP_DigestUpdate(((import_t *)baton)->hash, data, len);
}

static apr_status_t free_hash(void *data)
{
    EVP_MD_CTX_free(data);
    return APR_SUCCESS;
}

static void start_hash(import_t *im)
{
    im->hash = EVP_MD_CTX_new();
    apr_pool_cleanup_register(im->pool, im->hash, free_hash, apr_pool_cleanup_null);
    EVP_DigestInit_ex(im->hash, EVP_sha256(), NULL);
}

static void end_hash(import_t *im)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    EVP_DigestFinal_ex(im->hash, digest, &len);
    im->source_hash = brski_hex(brski_bytes(digest, len), im->pool);
}

static brski_err_t *read_header(import_t *im, csv_t *csv)
{
    csv_record_t header;
    int rv = csv_next(csv, &header);

    if (rv < 0) {
        return say_refuse(im->pool, "cannot read %s: %s", im->source, strerror(errno));
    }
    if (!rv) {
        return say_refuse(im->pool, "%s is empty; its first line names the columns: %s", im->source,
                          IMPORT_HEADER);
    }
    return judge_header(im->judge, &header);
}

static brski_err_t *take_line(import_t *im, const csv_record_t *record)
{
    const char *reason;
    stage_row_t row;

    im->lines++;
    judge_line(&reason, &row, im->judge, record, im->scratch);
    if (reason) {
        if (record->last > record->line) {
            reason = apr_psprintf(im->scratch, "%s (the line goes on to line %" APR_INT64_T_FMT ")",
                                  reason, record->last);
        }
        tell_bad(im, record->line, reason);
    }
    else {
        BRSKI_TRY(stage_put(im->stage, &row));
    }
    apr_pool_clear(im->scratch);
    return BRSKI_OK;
}

static brski_err_t *read_lines(import_t *im, csv_t *csv)
{
    say_progress_t progress;
    csv_record_t record;
    int rv;

    say_progress_start(&progress, im->call->say, "checking", "kB", im->size / 1024);
    while ((rv = csv_next(csv, &record)) > 0) {
        BRSKI_TRY(take_line(im, &record));
        if (im->lines % CSV_LINES == 0) {
            say_progress_at(&progress, csv_offset(csv) / 1024);
        }
    }
    say_progress_end(&progress);
    return rv < 0 ? say_refuse(im->pool, "cannot read %s: %s", im->source, strerror(errno))
                  : BRSKI_OK;
}

static brski_err_t *read_list(import_t *im, FILE *in)
{
    csv_t *csv = csv_make(in, im->pool);
    struct stat st;

    if (!fstat(fileno(in), &st) && S_ISREG(st.st_mode)) {
        im->size = st.st_size;
    }
    start_hash(im);
    csv_watch(csv, see_octets, im);
    BRSKI_TRY(read_header(im, csv));
    BRSKI_TRY(read_lines(im, csv));
    end_hash(im);
    return BRSKI_OK;
}

/* ---- devices one after the other ---- */

/* A walk over what is staged: tells a device that stands once from one that stands more often. */
typedef struct walk_t {
    stage_row_t row;                  /* in hand, copied */
    int times;                        /* lines that name the device in hand */
    apr_pool_t *pools[2];
    int turn;
} walk_t;

static int same_device(const stage_row_t *a, const stage_row_t *b)
{
    return !strcmp(a->fields[STAGE_SERIAL_NUMBER], b->fields[STAGE_SERIAL_NUMBER])
        && !strcmp(a->fields[STAGE_PRODUCT], b->fields[STAGE_PRODUCT]);
}

static void copy_row(stage_row_t *to, const stage_row_t *from, apr_pool_t *pool)
{
    to->line = from->line;
    for (int i = 0; i < STAGE_COLUMNS; i++) {
        to->fields[i] = from->fields[i] ? apr_pstrdup(pool, from->fields[i]) : NULL;
    }
}

/* What is done with a device that stands once, and with each further line of one that does not. */
typedef brski_err_t *each_t(import_t *im, const stage_row_t *row);
typedef void twice_t(import_t *im, const stage_row_t *first, const stage_row_t *again);

static brski_err_t *walk_stage(import_t *im, each_t *each, twice_t *twice)
{
    walk_t walk = { .times = 0 };
    stage_row_t next;
    int more;

    apr_pool_create(&walk.pools[0], im->pool);
    apr_pool_create(&walk.pools[1], im->pool);
    BRSKI_TRY(stage_rewind(im->stage));
    for (;;) {
        BRSKI_TRY(stage_next(&more, &next, im->stage));
        if (more && walk.times && same_device(&walk.row, &next)) {
            walk.times++;
            if (twice) {
                twice(im, &walk.row, &next);
            }
            continue;
        }
        if (walk.times == 1 && each) {
            BRSKI_TRY(each(im, &walk.row));
        }
        if (!more) {
            break;
        }
        walk.turn = !walk.turn;
        apr_pool_clear(walk.pools[walk.turn]);
        copy_row(&walk.row, &next, walk.pools[walk.turn]);
        walk.times = 1;
    }
    apr_pool_destroy(walk.pools[0]);
    apr_pool_destroy(walk.pools[1]);
    return BRSKI_OK;
}

static void tell_twice(import_t *im, const stage_row_t *first, const stage_row_t *again)
{
    tell_bad(im, again->line,
             apr_psprintf(im->scratch, "%s of product %s stands on line %" APR_INT64_T_FMT " too",
                          first->fields[STAGE_SERIAL_NUMBER], first->fields[STAGE_PRODUCT],
                          first->line));
    apr_pool_clear(im->scratch);
}

/* ---- writing ---- */

static int blocks(const stage_row_t *row)
{
    const char *status = row->fields[STAGE_STATUS];

    return status && *status && strcmp(status, "active");
}

static const char *now_text(const import_t *im)
{
    return db_num(im->call->ctx->now(im->call->ctx->baton), im->scratch);
}

static const stage_row_t *pending_row(const import_t *im, int i)
{
    return &APR_ARRAY_IDX(im->pending, i, stage_row_t);
}

static brski_err_t *write_block(import_t *im, const stage_row_t *row)
{
    const char *tenant = im->db->tenant;
    const char *serial = row->fields[STAGE_SERIAL_NUMBER];
    const char *product = row->fields[STAGE_PRODUCT];
    const char *status = row->fields[STAGE_STATUS];

    return db_exec(NULL, im->db, STMT_IMPORT_BLOCK,
                   DB_ARGS(tenant, serial, product, status, now_text(im), tenant, serial, product,
                           row->fields[STAGE_AS_OF], status), im->scratch);
}

static brski_err_t *write_touch(import_t *im, int first, int n)
{
    const char *args[1 + STATEMENT_ROWS * 3] = { im->db->tenant };

    for (int i = 0; i < n; i++) {
        const stage_row_t *row = pending_row(im, first + i);
        args[1 + i * 3] = row->fields[STAGE_SERIAL_NUMBER];
        args[2 + i * 3] = row->fields[STAGE_PRODUCT];
        args[3 + i * 3] = row->fields[STAGE_AS_OF];
    }
    return db_exec(NULL, im->db, STMT_IMPORT_TOUCH, args, im->scratch);
}

/* Up to STATEMENT_ROWS rows; those that say nothing new are newer all the same. */
static brski_err_t *write_rows(import_t *im, int first, int n)
{
    const char *args[1 + STATEMENT_ROWS * STAGE_COLUMNS] = { im->db->tenant };
    int changed = 0;

    for (int i = 0; i < n; i++) {
        const stage_row_t *row = pending_row(im, first + i);
        memcpy(&args[1 + i * STAGE_COLUMNS], row->fields, sizeof(row->fields));
        if (blocks(row)) {
            BRSKI_TRY(write_block(im, row));
        }
    }
    BRSKI_TRY(db_exec(&changed, im->db, STMT_IMPORT_APPLY, args, im->scratch));
    im->pending_changed += changed;
    return changed < n ? write_touch(im, first, n) : BRSKI_OK;
}

/* One transaction. */
static brski_err_t *write_batch(db_t *db, void *baton)
{
    import_t *im = baton;
    int n = im->pending->nelts;
    const stage_row_t *last = pending_row(im, n - 1);

    im->pending_changed = 0;
    for (int i = 0; i < n; i += STATEMENT_ROWS) {
        BRSKI_TRY(write_rows(im, i, n - i < STATEMENT_ROWS ? n - i : STATEMENT_ROWS));
    }
    return db_exec(NULL, db, STMT_IMPORT_ADVANCE,
                   DB_ARGS(db_num(n, im->scratch), db_num(im->pending_changed, im->scratch),
                           last->fields[STAGE_SERIAL_NUMBER], last->fields[STAGE_PRODUCT],
                           now_text(im), db->tenant, im->batch),
                   im->scratch);
}

/* Vouchers wait for the same lock on SQLite, and look for it only now and then: rest a while. */
static void let_others(const import_t *im, apr_interval_time_t worked)
{
    if (im->db->dialect == BRSKI_SQLITE3) {
        apr_sleep(REST_LEAST + worked / REST_SHARE);
    }
}

/*
 * Write what is pending. Everything in it may be written twice, so a lock that was not to be had
 * is waited for.
 */
static brski_err_t *flush(import_t *im)
{
    apr_time_t began = apr_time_now();
    brski_err_t *err = BRSKI_OK;

    if (!im->pending->nelts) {
        return BRSKI_OK;
    }
    for (int tries = 0; tries < BUSY_RETRIES; tries++) {
        err = db_change(im->db, write_batch, im);
        if (!brski_err_is(err, BRSKI_E_STORE_BUSY)) {
            break;
        }
        apr_sleep(BUSY_WAIT);
    }
    BRSKI_TRY(err);
    im->devices += im->pending->nelts;
    im->changed += im->pending_changed;
    apr_array_clear(im->pending);
    apr_pool_clear(im->pending_pool);
    apr_pool_clear(im->scratch);
    say_progress_at(&im->progress, im->devices);
    let_others(im, apr_time_now() - began);
    return BRSKI_OK;
}

static brski_err_t *write_device(import_t *im, const stage_row_t *row)
{
    copy_row(&APR_ARRAY_PUSH(im->pending, stage_row_t), row, im->pending_pool);
    return im->pending->nelts < im->batch_rows ? BRSKI_OK : flush(im);
}

/* import_batch tells who imported what, and whether it came to its end. */
static brski_err_t *note_begin(import_t *im)
{
    apr_time_t now = im->call->ctx->now(im->call->ctx->baton);
    unsigned char random[4];

    im->call->ctx->random(random, sizeof(random), im->call->ctx->baton);
    im->batch = apr_psprintf(im->pool, "%s-%s", brski_time_rfc3339(now, im->pool),
                             brski_hex(brski_bytes(random, sizeof(random)), im->pool));
    BRSKI_TRY(db_exec(NULL, im->db, STMT_IMPORT_PUT,
                      DB_ARGS(im->db->tenant, im->batch, "applying", im->source, im->source_hash,
                              db_num(now, im->pool), db_num(now, im->pool)), im->pool));
    return db_exec(NULL, im->db, STMT_IMPORT_STATE_PUT,
                   DB_ARGS("applying", db_num(stage_count(im->stage), im->pool),
                           db_num(im->bad, im->pool), db_num(now, im->pool), im->db->tenant,
                           im->batch),
                   im->pool);
}

static brski_err_t *note_end(import_t *im)
{
    return db_exec(NULL, im->db, STMT_IMPORT_STATE_PUT,
                   DB_ARGS("done", db_num(stage_count(im->stage), im->pool),
                           db_num(im->bad, im->pool), now_text(im), im->db->tenant, im->batch),
                   im->pool);
}

static brski_err_t *write_all(import_t *im)
{
    brski_err_t *err;

    im->pending = apr_array_make(im->pool, (int)im->batch_rows, sizeof(stage_row_t));
    apr_pool_create(&im->pending_pool, im->pool);
    BRSKI_TRY(note_begin(im));
    say_progress_start(&im->progress, im->call->say, "importing", "devices",
                       stage_count(im->stage));
    err = walk_stage(im, write_device, NULL);
    if (!err) {
        err = flush(im);
    }
    say_progress_end(&im->progress);
    if (err) {
        return brski_err_say(brski_err(BRSKI_E_INPUT, err, im->pool, NULL), im->pool,
                             "the import stopped after %s devices; the same command again goes on "
                             "from there",
                             say_count(im->devices, im->pool));
    }
    return note_end(im);
}

/* ---- the command ---- */

static void tell_oddities(import_t *im, brski_json_t *told)
{
    const apr_array_header_t *oddities = judge_oddities(im->judge, im->pool);

    for (int i = 0; i < oddities->nelts; i++) {
        const char *text = APR_ARRAY_IDX(oddities, i, const char *);
        say_warn(im->call->say, "%s", text);
        brski_json_append_string(told, text);
    }
}

static void tell_result(import_t *im, int written)
{
    brski_json_t *result = brski_json_object(im->pool);
    brski_json_t *oddities = brski_json_array(im->pool);
    double seconds = (double)(apr_time_now() - im->started) / APR_USEC_PER_SEC;

    tell_more_bad(im);
    tell_oddities(im, oddities);
    brski_json_set_string(result, "source", im->source);
    brski_json_set_int(result, "lines", im->lines);
    brski_json_set_int(result, "bad", im->bad);
    brski_json_set_bool(result, "written", written);
    brski_json_set_int(result, "devices", im->devices);
    brski_json_set_int(result, "changed", im->changed);
    brski_json_set_int(result, "milliseconds", (apr_int64_t)(seconds * 1000));
    brski_json_set(result, "errors", im->errors);
    brski_json_set(result, "warnings", oddities);
    say_json(im->call->say, result);
    if (written) {
        say_line(im->call->say,
                 "%s devices, %s of them new or changed, %s bad lines skipped, %.1f s",
                 say_count(im->devices, im->pool), say_count(im->changed, im->pool),
                 say_count(im->bad, im->pool), seconds);
    }
}

static brski_err_t *finish(import_t *im)
{
    int dry_run = opt_has(im->call, "dry-run");

    if (im->bad && !im->skip_bad) {
        tell_result(im, 0);
        return say_refuse(im->pool, "%s of %s lines are bad; nothing was imported",
                          say_count(im->bad, im->pool), say_count(im->lines, im->pool));
    }
    if (!dry_run) {
        BRSKI_TRY(write_all(im));
    }
    tell_result(im, !dry_run);
    if (dry_run) {
        say_line(im->call->say, "%s lines, %s bad; nothing was written",
                 say_count(im->lines, im->pool), say_count(im->bad, im->pool));
    }
    return BRSKI_OK;
}

static brski_err_t *run(import_t *im, FILE *in)
{
    apr_time_t as_of;

    BRSKI_TRY(opt_time(&as_of, im->call, "as-of", im->call->ctx->now(im->call->ctx->baton)));
    BRSKI_TRY(opt_int(&im->batch_rows, im->call, "batch", 1, BATCH_MAX, BATCH_DEFAULT));
    BRSKI_TRY(db_open(&im->db, im->call));
    BRSKI_TRY(judge_make(&im->judge, im->db, as_of, im->pool));
    BRSKI_TRY(stage_make(&im->stage, SORT_MEMORY, NULL, im->pool));
    BRSKI_TRY(read_list(im, in));
    BRSKI_TRY(walk_stage(im, NULL, tell_twice));
    return finish(im);
}

brski_err_t *device_import(call_t *call)
{
    const char *name = call->args[0];
    int is_stdin = !strcmp(name, "-");
    import_t im = { .call = call, .pool = call->pool, .source = is_stdin ? "stdin" : name };
    FILE *in = is_stdin ? stdin : fopen(name, "r");
    brski_err_t *err;

    if (!in) {
        return say_refuse(call->pool, "cannot read %s: %s", name, strerror(errno));
    }
    im.started = apr_time_now();
    im.skip_bad = opt_has(call, "skip-bad");
    im.errors = brski_json_array(call->pool);
    apr_pool_create(&im.scratch, call->pool);
    err = run(&im, in);
    if (!is_stdin) {
        fclose(in);
    }
    return err;
}

const opt_t import_options[] = {
    { "skip-bad", 0, NULL, "import the good lines of a list that has bad ones" },
    { "dry-run", 'n', NULL, "only judge the list" },
    { "all-errors", 0, NULL, "tell every bad line, not only the first 20" },
    { "as-of", 0, "TIME", "what a list without as_of speaks of; default now" },
    { "batch", 0, "N", "devices a transaction; default 2048" },
    { NULL, 0, NULL, NULL }
};
