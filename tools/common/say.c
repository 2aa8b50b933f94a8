/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c: results for people or for programs, errors with their causes, progress.
 */
#include "say.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

say_t *say_make(const char *program, apr_pool_t *pool)
{
    say_t *say = apr_pcalloc(pool, sizeof(*say));

    say->program = program;
    say->out = stdout;
    say->err = stderr;
    say->terminal = isatty(STDERR_FILENO);
    say->pool = pool;
    apr_pool_create(&say->scratch, pool);
    return say;
}

/* ---- lines ---- */

void say_line(say_t *say, const char *fmt, ...)
{
    va_list ap;

    if (say->json) {
        return;
    }
    va_start(ap, fmt);
    vfprintf(say->out, fmt, ap);
    va_end(ap);
    fputc('\n', say->out);
}

/* Keeps the order of what was said when stdout and stderr are one file. */
static void to_stderr(say_t *say, const char *kind, const char *fmt, va_list ap)
{
    fflush(say->out);
    fprintf(say->err, "%s: %s", say->program, kind);
    vfprintf(say->err, fmt, ap);
    fputc('\n', say->err);
}

void say_note(say_t *say, const char *fmt, ...)
{
    va_list ap;

    if (say->quiet) {
        return;
    }
    va_start(ap, fmt);
    to_stderr(say, "", fmt, ap);
    va_end(ap);
}

void say_warn(say_t *say, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    to_stderr(say, "warning: ", fmt, ap);
    va_end(ap);
}

/* ---- errors ---- */

/*
 * The sentence of an error: one made for the place, else the detail (the one who runs a tool may
 * read what a server would only log), else the table's.
 */
static const char *telling_text(const brski_err_t *err)
{
    const brski_err_t *row = brski_err_row(err->code);

    if (err->public_text && (!row || strcmp(err->public_text, row->public_text))) {
        return err->public_text;
    }
    return err->detail ? err->detail : err->public_text;
}

void say_error(say_t *say, const brski_err_t *err)
{
    const char *last = telling_text(err);

    fflush(say->out);
    fprintf(say->err, "%s: %s\n", say->program, last);
    for (err = err->prev; err; err = err->prev) {
        const char *text = telling_text(err);
        if (strcmp(text, last)) {
            fprintf(say->err, "  because: %s\n", text);
            last = text;
        }
    }
}

brski_err_t *say_refuse(apr_pool_t *pool, const char *fmt, ...)
{
    va_list ap;
    const char *text;

    va_start(ap, fmt);
    text = apr_pvsprintf(pool, fmt, ap);
    va_end(ap);
    return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, pool, NULL), pool, "%s", text);
}

/* ---- values for people ---- */

/* Text that came from elsewhere must not steer the terminal. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        unsigned char next = (unsigned char)text[1];
        if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            fprintf(out, "\\x%02x\\x%02x", c, next);    /* C1 controls: both octets */
            text++;
        }
        else if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
        }
        else {
            fputc(c, out);
        }
    }
}

static const char *scalar_text(const brski_json_t *v, apr_pool_t *pool)
{
    switch (brski_json_type(v)) {
    case BRSKI_JSON_STRING:
        return brski_json_string(v);
    case BRSKI_JSON_INTEGER:
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, brski_json_int(v));
    case BRSKI_JSON_BOOLEAN:
        return brski_json_bool(v) ? "yes" : "no";
    case BRSKI_JSON_NONE:
    case BRSKI_JSON_NULL:
        return "";
    default:
        return brski_json_text(v, 0, pool);
    }
}

static int is_scalar(const brski_json_t *v)
{
    brski_json_type_t type = brski_json_type(v);

    return type != BRSKI_JSON_OBJECT && type != BRSKI_JSON_ARRAY;
}

static const char *key_title(const char *key, apr_pool_t *pool)
{
    char *title = apr_pstrdup(pool, key);

    for (char *c = title; *c; c++) {
        if (*c == '_') {
            *c = ' ';
        }
    }
    return title;
}

static void record_lines(say_t *say, const brski_json_t *record, int indent, apr_pool_t *pool);

/* An array: scalars on one line, objects each on lines of their own. */
static void array_lines(say_t *say, const brski_json_t *array, int indent, apr_pool_t *pool)
{
    int scalars = 1;

    for (apr_size_t i = 0; i < brski_json_size(array); i++) {
        brski_json_t *v = brski_json_at(array, i);
        scalars = is_scalar(v);
        if (scalars) {
            fputs(i ? ", " : "", say->out);
            put_text(say->out, scalar_text(v, pool));
        }
        else {
            fputc('\n', say->out);
            record_lines(say, v, indent + 2, pool);
        }
    }
    fputs(scalars ? "\n" : "", say->out);
}

static void record_member(say_t *say, const char *key, const brski_json_t *v, int indent,
                          apr_pool_t *pool)
{
    int width = 20 > indent ? 20 - indent : 1;

    fprintf(say->out, "%*s%-*s ", indent, "", width, key_title(key, pool));
    if (brski_json_type(v) == BRSKI_JSON_ARRAY) {
        array_lines(say, v, indent, pool);
    }
    else if (brski_json_type(v) == BRSKI_JSON_OBJECT) {
        fputc('\n', say->out);
        record_lines(say, v, indent + 2, pool);
    }
    else {
        put_text(say->out, scalar_text(v, pool));
        fputc('\n', say->out);
    }
}

static int is_empty(const brski_json_t *v)
{
    switch (brski_json_type(v)) {
    case BRSKI_JSON_STRING:
        return !*brski_json_string(v);
    case BRSKI_JSON_OBJECT:
    case BRSKI_JSON_ARRAY:
        return brski_json_size(v) == 0;
    case BRSKI_JSON_NONE:
    case BRSKI_JSON_NULL:
        return 1;
    default:
        return 0;
    }
}

static void record_lines(say_t *say, const brski_json_t *record, int indent, apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < brski_json_size(record); i++) {
        const char *key = brski_json_key(record, i);
        brski_json_t *v = brski_json_get(record, key);
        if (!is_empty(v)) {
            record_member(say, key, v, indent, pool);
        }
    }
}

void say_json(say_t *say, const brski_json_t *value)
{
    if (say->json) {
        fprintf(say->out, "%s\n", brski_json_text(value, 1, say->pool));
    }
}

void say_record(say_t *say, const brski_json_t *record)
{
    if (say->json) {
        say_json(say, record);
        return;
    }
    record_lines(say, record, 0, say->pool);
}

/* ---- lists ---- */

/* Characters, not octets, so that columns stay straight. */
static int text_width(const char *text)
{
    int n = 0;

    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static void put_cell(say_t *say, const char *text, int width)
{
    int pad = width - text_width(text);

    put_text(say->out, text);
    if (width) {
        fprintf(say->out, "%*s ", pad > 0 ? pad : 0, "");
    }
}

void say_head(say_t *say, const say_column_t *columns)
{
    if (say->json) {
        return;
    }
    for (; columns->key; columns++) {
        put_cell(say, columns->title, columns->width);
    }
    fputc('\n', say->out);
}

void say_row(say_t *say, const say_column_t *columns, const brski_json_t *row)
{
    if (say->json) {
        fprintf(say->out, "%s\n", brski_json_text(row, 0, say->scratch));
    }
    else {
        for (; columns->key; columns++) {
            put_cell(say, scalar_text(brski_json_get(row, columns->key), say->scratch),
                     columns->width);
        }
        fputc('\n', say->out);
    }
    apr_pool_clear(say->scratch);
}

apr_pool_t *say_scratch(say_t *say)
{
    return say->scratch;
}

/* ---- progress ---- */

const char *say_count(apr_int64_t n, apr_pool_t *pool)
{
    const char *digits = apr_psprintf(pool, "%" APR_INT64_T_FMT, n < 0 ? -n : n);
    apr_size_t len = strlen(digits);
    char *out = apr_palloc(pool, len + len / 3 + 2);
    char *to = out;

    if (n < 0) {
        *to++ = '-';
    }
    for (apr_size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

void say_progress_start(say_progress_t *p, say_t *say, const char *what, const char *unit,
                        apr_int64_t total)
{
    memset(p, 0, sizeof(*p));
    p->say = say;
    p->what = what;
    p->unit = unit;
    p->total = total;
    p->started = apr_time_now();
    apr_pool_create(&p->pool, say->pool);
}

static void progress_draw(say_progress_t *p, apr_int64_t done, apr_time_t now)
{
    apr_pool_t *pool = p->pool;
    double seconds = (double)(now - p->started) / APR_USEC_PER_SEC;
    double rate = seconds > 0 ? done / seconds : 0;

    fprintf(p->say->err, "\r%s %s", p->what, say_count(done, pool));
    if (p->total > 0) {
        fprintf(p->say->err, " of %s %s, %d %%", say_count(p->total, pool), p->unit,
                (int)(done * 100 / p->total));
    }
    else {
        fprintf(p->say->err, " %s", p->unit);
    }
    fprintf(p->say->err, ", %s/s", say_count((apr_int64_t)rate, pool));
    if (p->total > done && rate > 0) {
        fprintf(p->say->err, ", %.0f s left", (p->total - done) / rate);
    }
    fputs("\033[K", p->say->err);
    fflush(p->say->err);
    apr_pool_clear(pool);
}

void say_progress_at(say_progress_t *p, apr_int64_t done)
{
    apr_time_t now;

    if (!p->say->terminal || p->say->quiet) {
        return;
    }
    now = apr_time_now();
    if (now - p->drawn < APR_USEC_PER_SEC / 5) {
        return;
    }
    p->drawn = now;
    p->open = 1;
    progress_draw(p, done, now);
}

void say_progress_end(say_progress_t *p)
{
    if (p->open) {
        fputs("\r\033[K", p->say->err);
        p->open = 0;
    }
}
