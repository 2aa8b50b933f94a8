/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opts.h: the command line that brski, masactl and estctl share. A command is a row of a table: its words, options, arguments
 * and function; a file of commands registers its group, so that a new command is a new file and nothing else changes.
 * From the rows come parsing, the refusal of what is wrong, --help, and the exit status: 0 done, 1 refused or a problem
 * found, 2 wrong usage. Options may stand before or after arguments; "--" ends them, "-" alone is an argument.
 */
#ifndef TOOLS_OPTS_H
#define TOOLS_OPTS_H

#include "brski.h"
#include "brski_err.h"
#include <apr_hash.h>

#define EXIT_DONE 0
#define EXIT_REFUSED 1
#define EXIT_USAGE 2

/** One option; a table of them ends with a row without name. */
typedef struct opt_t {
    const char *name;             /**< long name without dashes: "anchor" */
    char letter;                  /**< short name, or 0 */
    const char *value;            /**< what follows it, for help: "PEM"; NULL: a switch */
    const char *help;             /**< one line; NULL: told by the manual only */
} opt_t;

struct call_t;

/** One command; a table of them ends with a row without words. */
typedef struct command_t {
    const char *words;            /**< "device import": as typed, one blank between */
    const char *args;             /**< arguments for help: "FILE.csv|-"; "" for none */
    int min_args;
    int max_args;                 /**< -1: any number */
    const char *summary;          /**< one line, no full stop */
    const opt_t *options;         /**< own options; NULL for none */
    const char *more;             /**< further lines of --help, or NULL */
    /** Do it. An error is printed and means exit 1; else the exit status is call->status, 0 unless set. */
    brski_err_t *(*run)(struct call_t *call);
} command_t;

/** Commands that belong together, told in one line of the program's --help. */
typedef struct command_group_t {
    const char *name;             /**< first word of its commands */
    const char *summary;          /**< one line, no full stop */
    int order;                    /**< place in --help */
    const command_t *commands;
    struct command_group_t *next; /**< set by command_register() */
} command_group_t;

void command_register(command_group_t *group);

/** At the end of a file of commands: registers its group before main() runs. */
#define COMMAND_GROUP(group)                                                                      \
    static void __attribute__((constructor)) register_##group(void)                               \
    {                                                                                             \
        command_register(&group);                                                                 \
    }

/** The program: what --help and --version say, and options that every command takes. */
typedef struct program_t {
    const char *name;             /**< "masactl" */
    const char *summary;          /**< one line */
    const opt_t *options;         /**< beside --json, --quiet, --help and --version; NULL for none */
    const char *more;             /**< last lines of --help, or NULL */
    const struct db_kind_t *database; /**< database.h; NULL: its commands work on none */
} program_t;

/** One run of one command. */
typedef struct call_t {
    const program_t *program;
    const command_t *command;
    apr_hash_t *values;           /**< long name -> array of const char * */
    const char *const *args;
    int nargs;
    struct say_t *say;            /**< say.h */
    const brski_ctx_t *ctx;       /**< clock and randomness */
    int status;                   /**< exit status when no error is returned */
    apr_pool_t *pool;             /**< lives as long as the run */
} call_t;

/** Was the option given? The name must be in the command's or the program's table. */
int opt_has(const call_t *call, const char *name);

/** Its last value; NULL when it was not given. */
const char *opt_get(const call_t *call, const char *name);

/** All its values in order, const char *; empty when it was not given. */
const apr_array_header_t *opt_all(const call_t *call, const char *name);

/**
 * Its value as an integer within bounds; fallback when it was not given.
 * @return NULL, or BRSKI_E_INPUT naming option, value and bounds
 */
brski_err_t *opt_int(apr_int64_t *out, const call_t *call, const char *name, apr_int64_t min, apr_int64_t max,
                     apr_int64_t fallback);

/**
 * Its value as a time: RFC 3339, or a day "2031-12-31" (its beginning, UTC); fallback when it was not given.
 * @return NULL, or BRSKI_E_INPUT
 */
brski_err_t *opt_time(apr_time_t *out, const call_t *call, const char *name, apr_time_t fallback);

/** Read a time as opt_time() does; what names the place for the error ("--until", "line 7: sold_at"). */
brski_err_t *opt_time_parse(apr_time_t *out, const char *text, const char *what, apr_pool_t *pool);

/** Say what is wrong with the command line and how it would be right: sets exit status 2. Returns NULL. */
brski_err_t *opt_usage(call_t *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** The whole program: starts APR, parses, runs, prints the error if any. @return the exit status of main() */
int command_main(const program_t *program, int argc, const char *const *argv);

#endif
