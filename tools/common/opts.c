/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opts.c: finding the command, reading its options and arguments, telling how it is used.
 */
#include "opts.h"
#include "say.h"
#include "brski_time.h"

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_IN_TWO_LINES 8

static command_group_t *groups;

static const opt_t builtin_options[] = {
    { "json", 0, NULL, "say results as JSON" },
    { "quiet", 'q', NULL, "no progress, no remarks" },
    { "help", 'h', NULL, "show this" },
    { "version", 0, NULL, "say the version" },
    { NULL, 0, NULL, NULL }
};

/* ---- the tables ---- */

void command_register(command_group_t *group)
{
    command_group_t **at = &groups;

    while (*at && (*at)->order <= group->order) {
        at = &(*at)->next;
    }
    group->next = *at;
    *at = group;
}

static const opt_t *find_in(const opt_t *table, const char *name, apr_size_t len, char letter)
{
    for (; table && table->name; table++) {
        if (name ? strlen(table->name) == len && !strncmp(table->name, name, len)
                 : table->letter && table->letter == letter) {
            return table;
        }
    }
    return NULL;
}

/* By long name, or by letter when name is NULL; the command's own options come first. */
static const opt_t *find_option(const call_t *call, const char *name, apr_size_t len, char letter)
{
    const opt_t *opt = call->command ? find_in(call->command->options, name, len, letter) : NULL;

    if (!opt) {
        opt = find_in(call->program->options, name, len, letter);
    }
    return opt ? opt : find_in(builtin_options, name, len, letter);
}

/* How many of the words at argv are this command's words; 0 when they are not all there. */
static int match_words(const char *words, int argc, const char *const *argv)
{
    int n = 0;

    while (*words) {
        apr_size_t len = strcspn(words, " ");
        if (n >= argc || strlen(argv[n]) != len || strncmp(argv[n], words, len)) {
            return 0;
        }
        n++;
        words += len;
        words += strspn(words, " ");
    }
    return n;
}

static int find_command(const command_t **command, int argc, const char *const *argv)
{
    int best = 0;

    *command = NULL;
    for (const command_group_t *g = groups; g; g = g->next) {
        for (const command_t *c = g->commands; c->words; c++) {
            int n = match_words(c->words, argc, argv);
            if (n > best) {
                best = n;
                *command = c;
            }
        }
    }
    return best;
}

static const command_group_t *find_group(const char *name)
{
    const command_group_t *g = groups;

    while (g && strcmp(g->name, name)) {
        g = g->next;
    }
    return g;
}

/* ---- help ---- */

static void help_options(FILE *out, const opt_t *table)
{
    for (; table && table->name; table++) {
        char left[40];
        char letter[5] = "    ";
        if (!table->help) {
            continue;
        }
        if (table->letter) {
            apr_snprintf(letter, sizeof(letter), "-%c, ", table->letter);
        }
        apr_snprintf(left, sizeof(left), "%s--%s%s%s", letter, table->name, table->value ? " " : "",
                     table->value ? table->value : "");
        fprintf(out, "  %-25s %s\n", left, table->help);
    }
}

static void help_command(FILE *out, const program_t *program, const command_t *c)
{
    fprintf(out, "usage: %s %s%s%s%s\n%s.\n", program->name, c->words,
            c->options ? " [options]" : "", *c->args ? " " : "", c->args, c->summary);
    if (c->options) {
        fputs("\n", out);
        help_options(out, c->options);
    }
    if (c->more) {
        fprintf(out, "\n%s\n", c->more);
    }
    fputs("\nand for every command:\n", out);
    help_options(out, program->options);
    help_options(out, builtin_options);
}

static void help_group(FILE *out, const program_t *program, const command_group_t *g)
{
    fprintf(out, "%s %s: %s\n\n", program->name, g->name, g->summary);
    for (const command_t *c = g->commands; c->words; c++) {
        fprintf(out, "  %s %s%s%s\n      %s\n", program->name, c->words, *c->args ? " " : "",
                c->args, c->summary);
    }
    fprintf(out, "\n'%s %s --help' tells the options of one.\n", program->name, g->commands->words);
}

/* "import, show, key add": the words of a group's commands after its name, behind a beginning. */
static void help_group_words(FILE *out, const command_group_t *g, const char *begin)
{
    apr_size_t skip = strlen(g->name) + 1;

    if (!strcmp(g->commands->words, g->name)) {
        return;
    }
    for (const command_t *c = g->commands; c->words; c++) {
        fprintf(out, "%s%s", c == g->commands ? begin : ", ", c->words + skip);
    }
}

/* A program of many groups has one line for each, so that all of it fits a screen. */
static void help_groups(FILE *out)
{
    int many = 0;

    for (const command_group_t *g = groups; g; g = g->next) {
        many++;
    }
    for (const command_group_t *g = groups; g; g = g->next) {
        fprintf(out, "  %-11s %s", g->name, g->summary);
        help_group_words(out, g, many > GROUPS_IN_TWO_LINES ? ": " : "\n              ");
        fputs("\n", out);
    }
}

static void help_program(FILE *out, const program_t *program)
{
    fprintf(out, "usage: %s [options] COMMAND [options] [arguments]\n%s\n\n", program->name,
            program->summary);
    help_groups(out);
    fputs("\n", out);
    help_options(out, program->options);
    help_options(out, builtin_options);
    if (program->more) {
        fprintf(out, "\n%s\n", program->more);
    }
}

/* ---- wrong usage ---- */

brski_err_t *opt_usage(call_t *call, const char *fmt, ...)
{
    va_list ap;
    const char *text;

    va_start(ap, fmt);
    text = apr_pvsprintf(call->pool, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s: %s\n", call->program->name, text);
    if (call->command) {
        fprintf(stderr, "usage: %s %s%s%s%s\n", call->program->name, call->command->words,
                call->command->options ? " [options]" : "", *call->command->args ? " " : "",
                call->command->args);
    }
    fprintf(stderr, "'%s%s%s --help' tells more.\n", call->program->name, call->command ? " " : "",
            call->command ? call->command->words : "");
    call->status = EXIT_USAGE;
    return BRSKI_OK;
}

/* ---- reading the command line ---- */

/* Where reading stands. */
typedef struct reader_t {
    call_t *call;
    int argc;
    const char *const *argv;
    int at;
    apr_array_header_t *args;
} reader_t;

static void add_value(call_t *call, const opt_t *opt, const char *value)
{
    apr_array_header_t *all = apr_hash_get(call->values, opt->name, APR_HASH_KEY_STRING);

    if (!all) {
        all = apr_array_make(call->pool, 2, sizeof(const char *));
        apr_hash_set(call->values, opt->name, APR_HASH_KEY_STRING, all);
    }
    APR_ARRAY_PUSH(all, const char *) = value;
}

/* The value of an option: attached, or the next word. NULL when there is none. */
static const char *take_value(reader_t *r, const char *attached)
{
    if (attached) {
        return attached;
    }
    return r->at + 1 < r->argc ? r->argv[++r->at] : NULL;
}

static int read_long(reader_t *r, const char *word)
{
    apr_size_t len = strcspn(word, "=");
    const char *attached = word[len] ? word + len + 1 : NULL;
    const opt_t *opt = find_option(r->call, word, len, 0);
    const char *value = "";

    if (!opt) {
        opt_usage(r->call, "there is no option --%.*s%s", (int)len, word,
                  r->call->command ? " here" : "");
        return 0;
    }
    if (!opt->value && attached) {
        opt_usage(r->call, "--%s takes no value", opt->name);
        return 0;
    }
    if (opt->value && !(value = take_value(r, attached))) {
        opt_usage(r->call, "--%s needs a value: --%s %s", opt->name, opt->name, opt->value);
        return 0;
    }
    add_value(r->call, opt, value);
    return 1;
}

/* "-q", "-oFILE", "-o FILE", "-qo FILE" */
static int read_letters(reader_t *r, const char *letters)
{
    for (; *letters; letters++) {
        const opt_t *opt = find_option(r->call, NULL, 0, *letters);
        const char *value;

        if (!opt) {
            opt_usage(r->call, "there is no option -%c%s", *letters,
                      r->call->command ? " here" : "");
            return 0;
        }
        if (!opt->value) {
            add_value(r->call, opt, "");
            continue;
        }
        if (!(value = take_value(r, letters[1] ? letters + 1 : NULL))) {
            opt_usage(r->call, "-%c needs a value: -%c %s", opt->letter, opt->letter, opt->value);
            return 0;
        }
        add_value(r->call, opt, value);
        return 1;
    }
    return 1;
}

static int is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

static int read_option(reader_t *r)
{
    const char *word = r->argv[r->at];

    return word[1] == '-' ? read_long(r, word + 2) : read_letters(r, word + 1);
}

/* Options that stand before the command: the program's only. */
static int read_before_command(reader_t *r)
{
    for (; r->at < r->argc && is_option(r->argv[r->at]); r->at++) {
        if (!read_option(r)) {
            return 0;
        }
    }
    return 1;
}

static int read_after_command(reader_t *r)
{
    int ended = 0;

    for (; r->at < r->argc; r->at++) {
        if (!ended && !strcmp(r->argv[r->at], "--")) {
            ended = 1;
        }
        else if (!ended && is_option(r->argv[r->at])) {
            if (!read_option(r)) {
                return 0;
            }
        }
        else {
            APR_ARRAY_PUSH(r->args, const char *) = r->argv[r->at];
        }
    }
    r->call->args = (const char *const *)r->args->elts;
    r->call->nargs = r->args->nelts;
    return 1;
}

static int check_arguments(call_t *call)
{
    const command_t *c = call->command;

    if (call->nargs < c->min_args) {
        opt_usage(call, "%s needs %s", c->words, c->args);
        return 0;
    }
    if (c->max_args >= 0 && call->nargs > c->max_args) {
        opt_usage(call, "'%s' is one argument too many", call->args[c->max_args]);
        return 0;
    }
    return 1;
}

/* No command at this place: help when asked for, else say what is wrong. */
static void no_command(reader_t *r)
{
    call_t *call = r->call;
    const char *word = r->at < r->argc ? r->argv[r->at] : NULL;
    const command_group_t *group = word ? find_group(word) : NULL;
    const char *next = group && r->at + 1 < r->argc ? r->argv[r->at + 1] : NULL;

    if (opt_has(call, "version")) {
        printf("%s %s\n", call->program->name, BRSKI_VERSION);
    }
    else if (group && (!next || !strcmp(next, "--help") || !strcmp(next, "-h"))) {
        help_group(next ? stdout : stderr, call->program, group);
        call->status = next ? EXIT_DONE : EXIT_USAGE;
    }
    else if (opt_has(call, "help")) {
        help_program(stdout, call->program);
    }
    else if (!word) {
        help_program(stderr, call->program);
        call->status = EXIT_USAGE;
    }
    else {
        opt_usage(call, "there is no command '%s%s%s'", word, next ? " " : "", next ? next : "");
    }
}

/* "help device import" is "device import --help". */
static void skip_help_word(reader_t *r)
{
    if (r->at < r->argc && !strcmp(r->argv[r->at], "help")) {
        add_value(r->call, find_option(r->call, "help", 4, 0), "");
        r->at++;
    }
}

/* Fill call from the command line. @return 1 when a command is to be run */
static int read_call(call_t *call, int argc, const char *const *argv)
{
    reader_t r = { call, argc, argv, 1, apr_array_make(call->pool, 4, sizeof(const char *)) };
    int words;

    if (!read_before_command(&r)) {
        return 0;
    }
    skip_help_word(&r);
    words = find_command(&call->command, argc - r.at, argv + r.at);
    if (!call->command) {
        no_command(&r);
        return 0;
    }
    r.at += words;
    if (!read_after_command(&r)) {
        return 0;
    }
    if (opt_has(call, "help")) {
        help_command(stdout, call->program, call->command);
        return 0;
    }
    return check_arguments(call);
}

/* ---- what commands ask ---- */

const apr_array_header_t *opt_all(const call_t *call, const char *name)
{
    const apr_array_header_t *all = apr_hash_get(call->values, name, APR_HASH_KEY_STRING);

    if (!find_option(call, name, strlen(name), 0)) {
        fprintf(stderr, "%s: internal: option --%s is in no table\n", call->program->name, name);
        abort();
    }
    return all ? all : apr_array_make(call->pool, 1, sizeof(const char *));
}

int opt_has(const call_t *call, const char *name)
{
    return opt_all(call, name)->nelts > 0;
}

const char *opt_get(const call_t *call, const char *name)
{
    const apr_array_header_t *all = opt_all(call, name);

    return all->nelts ? APR_ARRAY_IDX(all, all->nelts - 1, const char *) : NULL;
}

brski_err_t *opt_int(apr_int64_t *out, const call_t *call, const char *name, apr_int64_t min,
                     apr_int64_t max, apr_int64_t fallback)
{
    const char *text = opt_get(call, name);
    char *end;

    *out = fallback;
    if (!text) {
        return BRSKI_OK;
    }
    errno = 0;
    *out = apr_strtoi64(text, &end, 10);
    if (errno || end == text || *end || *out < min || *out > max) {
        return say_refuse(call->pool,
                          "--%s: '%s' is not a number from %" APR_INT64_T_FMT
                          " to %" APR_INT64_T_FMT,
                          name, text, min, max);
    }
    return BRSKI_OK;
}

/* "2031-12-31": ten characters, digits but for the two dashes. */
static int is_day(const char *text)
{
    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7 ? text[i] != '-' : !apr_isdigit(text[i])) {
            return 0;
        }
    }
    return !text[10];
}

brski_err_t *opt_time_parse(apr_time_t *out, const char *text, const char *what, apr_pool_t *pool)
{
    const char *full = is_day(text) ? apr_pstrcat(pool, text, "T00:00:00Z", NULL) : text;

    if (brski_time_parse(out, full, pool)) {
        return say_refuse(pool, "%s: '%s' is not a time; write 2031-12-31 or 2031-12-31T23:59:59Z",
                          what, text);
    }
    return BRSKI_OK;
}

brski_err_t *opt_time(apr_time_t *out, const call_t *call, const char *name, apr_time_t fallback)
{
    const char *text = opt_get(call, name);

    *out = fallback;
    return text ? opt_time_parse(out, text, apr_pstrcat(call->pool, "--", name, NULL), call->pool)
                : BRSKI_OK;
}

/* ---- the program ---- */

static void run_command(call_t *call)
{
    brski_err_t *err = call->command->run(call);

    if (err) {
        say_error(call->say, err);
        call->status = EXIT_REFUSED;
    }
}

/* A full disk behind stdout must not look like success. */
static void close_output(call_t *call)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "%s: cannot write the output: %s\n", call->program->name, strerror(errno));
        call->status = EXIT_REFUSED;
    }
}

int command_main(const program_t *program, int argc, const char *const *argv)
{
    call_t call = { .program = program };

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&call.pool, NULL) != APR_SUCCESS) {
        fprintf(stderr, "%s: cannot start APR\n", program->name);
        return EXIT_REFUSED;
    }
    call.values = apr_hash_make(call.pool);
    call.say = say_make(program->name, call.pool);
    call.ctx = brski_ctx_default();
    if (read_call(&call, argc, argv)) {
        call.say->json = opt_has(&call, "json");
        call.say->quiet = opt_has(&call, "quiet");
        run_command(&call);
    }
    close_output(&call);
    apr_pool_destroy(call.pool);
    apr_terminate();
    return call.status;
}
