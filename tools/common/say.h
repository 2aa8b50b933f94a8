/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h: what brski, masactl and estctl say. Results go to stdout, for people or with --json for programs: a record is one JSON
 * document, a list one JSON object a line. Warnings, errors and progress go to stderr; progress only to a terminal.
 */
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include "brski.h"
#include "brski_err.h"
#include "brski_json.h"
#include <stdio.h>

typedef struct say_t {
    const char *program;
    FILE *out;
    FILE *err;
    int json;                     /**< --json */
    int quiet;                    /**< --quiet: no progress, no remarks */
    int terminal;                 /**< stderr is one */
    apr_pool_t *pool;             /**< of the run */
    apr_pool_t *scratch;          /**< cleared with every row */
} say_t;

/** Made by command_main(). */
say_t *say_make(const char *program, apr_pool_t *pool);

/** A line for people on stdout; nothing with --json. */
void say_line(say_t *say, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** A remark on stderr: "masactl: ..."; nothing with --quiet. */
void say_note(say_t *say, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** A warning on stderr: "masactl: warning: ...". */
void say_warn(say_t *say, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** An error on stderr, with what caused it: the telling sentence, or the detail that a server would only log. */
void say_error(say_t *say, const brski_err_t *err);

/** An error with a sentence of our own: BRSKI_E_INPUT. */
brski_err_t *say_refuse(apr_pool_t *pool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** With --json the value as one document; else nothing. */
void say_json(say_t *say, const brski_json_t *value);

/**
 * An object: with --json one document; else "key   value" lines, keys with blanks for '_', members that are null or
 * empty left out, arrays of strings joined, nested objects indented.
 */
void say_record(say_t *say, const brski_json_t *record);

/** A column of a list. */
typedef struct say_column_t {
    const char *key;              /**< member of the row's object */
    const char *title;            /**< "SERIAL" */
    int width;                    /**< at least so wide; 0 for the last */
} say_column_t;

/** Head of a list for people; nothing with --json. Columns end with a row without key. */
void say_head(say_t *say, const say_column_t *columns);

/** A row: with --json the whole object on one line; else its columns. */
void say_row(say_t *say, const say_column_t *columns, const brski_json_t *row);

/** A pool for one row's object, cleared by the call. */
apr_pool_t *say_scratch(say_t *say);

/** Progress of long work on a terminal, redrawn a few times a second; silent elsewhere. */
typedef struct say_progress_t {
    say_t *say;
    const char *what;             /**< "checking" */
    const char *unit;             /**< "lines" */
    apr_int64_t total;            /**< 0: unknown */
    apr_time_t started;
    apr_time_t drawn;
    int open;                     /**< a line is on the screen */
    apr_pool_t *pool;             /**< of one drawing */
} say_progress_t;

void say_progress_start(say_progress_t *p, say_t *say, const char *what, const char *unit, apr_int64_t total);
void say_progress_at(say_progress_t *p, apr_int64_t done);
/** Wipe the line. */
void say_progress_end(say_progress_t *p);

/** "1,234,567" */
const char *say_count(apr_int64_t n, apr_pool_t *pool);

#endif
