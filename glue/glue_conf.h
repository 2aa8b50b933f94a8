/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_conf.h: what setters of directives share: words, durations, numbers, names, files. Each refuses with the directive,
 * the value and what would be right, and returns NULL when all is well. Used while httpd reads its configuration, by one thread.
 */
#ifndef GLUE_CONF_H
#define GLUE_CONF_H

#include <httpd.h>
#include <http_config.h>

/** A word of a directive; a table ends with a NULL word. */
typedef struct glue_word_t {
    const char *word;
    int value;
} glue_word_t;

/** One of a table's words, in any case. */
const char *glue_conf_word(int *value, const cmd_parms *cmd, const glue_word_t *words, const char *arg);

/** As above; what: which part of the directive the word belongs to, for the answer; NULL: the directive itself. */
const char *glue_conf_word_of(int *value, const cmd_parms *cmd, const char *what, const glue_word_t *words,
                              const char *arg);

/** A number and its unit. */
const char *glue_conf_duration(apr_interval_time_t *value, const cmd_parms *cmd, const char *arg);

/** A whole number from min to max. */
const char *glue_conf_number(int *value, const cmd_parms *cmd, const char *arg, int min, int max);

/** Names of tenants, sections, labels: they become keys of tables and stand in logs. */
const char *glue_conf_name(const cmd_parms *cmd, const char *name);

/** A file's absolute path; whether it is there is judged later. */
const char *glue_conf_file(const char **path, const cmd_parms *cmd, const char *arg);

/** The one name of a section's start, <Something NAME>, from RAW_ARGS. */
const char *glue_conf_section(const char **name, const cmd_parms *cmd, const char *arg);

/** "file:line" of the directive that is being read. */
const char *glue_conf_where(const cmd_parms *cmd);

#endif
