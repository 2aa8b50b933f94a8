/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.c: a window over the file that always holds the whole record. A record is first looked at
 * without changing it (scan), so that it can be looked at again when the window ended too early;
 * then its fields are cut out in place.
 */
#include "csv.h"

#include <apr_strings.h>
#include <string.h>

/* Where a field stands in the window. */
typedef struct span_t {
    apr_size_t start;
    apr_size_t len;
    int doubled;                      /* holds doubled quotes */
} span_t;

struct csv_t {
    FILE *in;
    void (*see)(void *baton, const void *data, apr_size_t len);
    void *baton;
    int eof;
    int failed;
    apr_int64_t line;                 /* of the next record */
    apr_int64_t offset;               /* of the window's begin in the file */
    apr_size_t at;                    /* next record */
    apr_size_t end;                   /* of what was read */
    span_t spans[CSV_FIELDS_MAX];
    int count;
    const char *bad;
    char window[4 * CSV_RECORD_MAX + 1];
};

/* What scanning came to. */
typedef enum scan_t { SCAN_RECORD, SCAN_BAD, SCAN_MORE } scan_t;

csv_t *csv_make(FILE *in, apr_pool_t *pool)
{
    csv_t *csv = apr_pcalloc(pool, sizeof(*csv));

    csv->in = in;
    csv->line = 1;
    return csv;
}

void csv_watch(csv_t *csv, void (*see)(void *baton, const void *data, apr_size_t len), void *baton)
{
    csv->see = see;
    csv->baton = baton;
}

apr_int64_t csv_offset(const csv_t *csv)
{
    return csv->offset + (apr_int64_t)csv->at;
}

/* Move what is left to the window's begin and read on. */
static void fill(csv_t *csv)
{
    apr_size_t room;
    apr_size_t n;

    memmove(csv->window, csv->window + csv->at, csv->end - csv->at);
    csv->offset += (apr_int64_t)csv->at;
    csv->end -= csv->at;
    csv->at = 0;
    room = sizeof(csv->window) - 1 - csv->end;
    n = fread(csv->window + csv->end, 1, room, csv->in);
    if (csv->see) {
        csv->see(csv->baton, csv->window + csv->end, n);
    }
    csv->end += n;
    if (n < room) {
        csv->eof = 1;
        csv->failed = ferror(csv->in);
    }
}

static scan_t bad(csv_t *csv, const char *why)
{
    csv->bad = why;
    return SCAN_BAD;
}

/* The window ended inside a record: read more, or the record is too long. */
static scan_t ended(csv_t *csv, apr_size_t p)
{
    if (p - csv->at > CSV_RECORD_MAX) {
        return bad(csv, "is longer than 65536 octets");
    }
    return SCAN_MORE;
}

static scan_t quote_open(csv_t *csv)
{
    if (csv->eof && csv->end - csv->at <= CSV_RECORD_MAX) {
        return bad(csv, "has a quote that is never closed");
    }
    return ended(csv, csv->end);
}

/* After the opening quote; *p is moved behind the closing one, if there is one. */
static scan_t scan_quoted(csv_t *csv, span_t *span, apr_size_t *p)
{
    apr_size_t i = *p;

    span->start = *p;
    for (;;) {
        const char *quote = memchr(csv->window + i, '"', csv->end - i);
        if (!quote) {
            return quote_open(csv);
        }
        i = (apr_size_t)(quote - csv->window) + 1;
        if (i == csv->end && !csv->eof) {
            return ended(csv, i);
        }
        if (i == csv->end || csv->window[i] != '"') {
            span->len = i - 1 - span->start;
            *p = i;
            return SCAN_RECORD;
        }
        span->doubled = 1;
        i++;
    }
}

static scan_t scan_plain(csv_t *csv, span_t *span, apr_size_t *p)
{
    const char *w = csv->window;
    apr_size_t i = *p;

    while (i < csv->end && w[i] != ',' && w[i] != '\n' && w[i] != '\r' && w[i] != '"') {
        i++;
    }
    span->start = *p;
    span->len = i - *p;
    *p = i;
    if (i < csv->end && w[i] == '"') {
        return bad(csv, "has a quote inside a field that is not quoted");
    }
    return i == csv->end && !csv->eof ? ended(csv, i) : SCAN_RECORD;
}

static scan_t scan_field(csv_t *csv, apr_size_t *p)
{
    span_t *span = &csv->spans[csv->count];

    if (csv->count == CSV_FIELDS_MAX) {
        return bad(csv, "has more than 64 fields");
    }
    csv->count++;
    span->doubled = 0;
    if (*p < csv->end && csv->window[*p] == '"') {
        ++*p;
        return scan_quoted(csv, span, p);
    }
    return scan_plain(csv, span, p);
}

/* At a record's end? Moves behind the line end. *more when the window ends between CR and LF. */
static int line_end(csv_t *csv, apr_size_t *p, int *more)
{
    *more = 0;
    if (*p == csv->end) {
        return 1;
    }
    if (csv->window[*p] == '\n') {
        ++*p;
        return 1;
    }
    if (csv->window[*p] == '\r' && *p + 1 < csv->end && csv->window[*p + 1] == '\n') {
        *p += 2;
        return 1;
    }
    *more = csv->window[*p] == '\r' && *p + 1 == csv->end && !csv->eof;
    return 0;
}

/* Find the fields of the record at csv->at; *next is where the following begins. */
static scan_t scan(csv_t *csv, apr_size_t *next)
{
    apr_size_t p = csv->at;
    int more;

    csv->count = 0;
    for (;;) {
        scan_t found = scan_field(csv, &p);
        *next = p;
        if (found != SCAN_RECORD) {
            return found;
        }
        if (line_end(csv, &p, &more)) {
            if (*next - csv->at > CSV_RECORD_MAX) {
                return bad(csv, "is longer than 65536 octets");
            }
            *next = p;
            return SCAN_RECORD;
        }
        if (more) {
            return ended(csv, p);
        }
        if (csv->window[p] != ',') {
            return bad(csv, csv->window[p] == '\r' ? "has a carriage return without line feed"
                                                   : "has text after a closing quote");
        }
        p++;
        if (p == csv->end && !csv->eof) {
            return ended(csv, p);
        }
    }
}

static apr_int64_t count_lines(const char *from, const char *to)
{
    apr_int64_t n = 0;

    while ((from = memchr(from, '\n', (apr_size_t)(to - from)))) {
        n++;
        from++;
    }
    return n;
}

/* Cut a field out in place: what follows it was read already. */
static char *cut(csv_t *csv, const span_t *span)
{
    char *start = csv->window + span->start;
    char *to = start;

    start[span->len] = '\0';
    if (span->doubled) {
        for (const char *from = start; from < csv->window + span->start + span->len; from++) {
            *to++ = *from;
            from += *from == '"';
        }
        *to = '\0';
    }
    return start;
}

static int has_nul(const csv_t *csv, const span_t *span)
{
    return memchr(csv->window + span->start, '\0', span->len) != NULL;
}

static void take_fields(csv_t *csv, csv_record_t *record, apr_size_t next)
{
    for (int i = 0; i < csv->count; i++) {
        if (has_nul(csv, &csv->spans[i])) {
            record->bad = "contains a NUL octet";
            csv->count = 0;
        }
    }
    csv->line += count_lines(csv->window + csv->at, csv->window + next);
    for (int i = 0; i < csv->count; i++) {
        record->fields[i] = cut(csv, &csv->spans[i]);
    }
    record->count = csv->count;
    csv->at = next;
}

/*
 * After a bad record: go on behind the line on which it was found to be bad. A quote that is never
 * closed is found where it opens, so that it swallows no other line.
 */
static void skip_bad(csv_t *csv, apr_size_t from)
{
    for (;;) {
        const char *lf = memchr(csv->window + from, '\n', csv->end - from);
        if (lf) {
            apr_size_t next = (apr_size_t)(lf - csv->window) + 1;
            csv->line += count_lines(csv->window + csv->at, csv->window + next);
            csv->at = next;
            return;
        }
        csv->line += count_lines(csv->window + csv->at, csv->window + csv->end);
        csv->at = from = csv->end;
        if (csv->eof) {
            return;
        }
        fill(csv);
        from = csv->at;
    }
}

/* The byte order mark, once, and empty lines. */
static void skip_empty(csv_t *csv)
{
    if (csv->offset + (apr_int64_t)csv->at == 0 && csv->end >= 3
        && !memcmp(csv->window, "\xef\xbb\xbf", 3)) {
        csv->at = 3;
    }
    for (;;) {
        const char *p = csv->window + csv->at;
        apr_size_t left = csv->end - csv->at;
        apr_size_t n = left && *p == '\n' ? 1 : left > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
        if (!n) {
            return;
        }
        csv->at += n;
        csv->line++;
    }
}

/* At least one longest record ahead, so that scanning rarely starts over. */
static void look_ahead(csv_t *csv)
{
    do {
        if (!csv->eof && csv->end - csv->at <= CSV_RECORD_MAX + 2) {
            fill(csv);
        }
        skip_empty(csv);
    } while (!csv->eof && csv->at == csv->end);
}

int csv_next(csv_t *csv, csv_record_t *record)
{
    apr_size_t next;
    scan_t found;

    record->count = 0;
    record->bad = NULL;
    look_ahead(csv);
    if (csv->failed) {
        return -1;
    }
    if (csv->at == csv->end) {
        return 0;
    }
    record->line = csv->line;
    while ((found = scan(csv, &next)) == SCAN_MORE) {
        fill(csv);
    }
    if (found == SCAN_BAD) {
        record->bad = csv->bad;
        skip_bad(csv, next);
        record->last = csv->line > record->line ? csv->line - 1 : record->line;
        return 1;
    }
    take_fields(csv, record, next);
    record->last = csv->line > record->line ? csv->line - 1 : record->line;
    return 1;
}
