/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_conf.c: what setters of directives share, as glue_conf.h says.
 */
#include "glue_conf.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "brski_time.h"

const char *glue_conf_word_of(int *value, const cmd_parms *cmd, const char *what,
                              const glue_word_t *words, const char *arg)
{
    const glue_word_t *w;
    const char *known = "";

    for (w = words; w->word; w++) {
        if (!ap_cstr_casecmp(w->word, arg)) {
            *value = w->value;
            return NULL;
        }
        known = apr_pstrcat(cmd->pool, known, *known ? ", " : "", w->word, NULL);
    }
    return apr_psprintf(cmd->pool, "%s%s%s: '%s' is none of %s", cmd->cmd->name, what ? " " : "",
                        what ? what : "", arg, known);
}

const char *glue_conf_word(int *value, const cmd_parms *cmd, const glue_word_t *words,
                           const char *arg)
{
    return glue_conf_word_of(value, cmd, NULL, words, arg);
}

const char *glue_conf_duration(apr_interval_time_t *value, const cmd_parms *cmd, const char *arg)
{
    if (brski_duration_parse(value, arg, cmd->temp_pool)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a duration; write a number and s, min, h, "
                            "d or y, such as 20min", cmd->cmd->name, arg);
    }
    return NULL;
}

const char *glue_conf_number(int *value, const cmd_parms *cmd, const char *arg, int min, int max)
{
    char *end;
    const apr_int64_t n = apr_strtoi64(arg, &end, 10);

    if (!apr_isdigit(*arg) || *end || n < min || n > max) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number from %d to %d",
                            cmd->cmd->name, arg, min, max);
    }
    *value = (int)n;
    return NULL;
}

const char *glue_conf_name(const cmd_parms *cmd, const char *name)
{
    const apr_size_t n = strlen(name);
    const char *p = name;

    while (apr_isalnum(*p) || (p > name && (*p == '.' || *p == '_' || *p == '-'))) {
        p++;
    }
    if (*p || n < 1 || n > 64) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a name; use at most 64 letters, digits, "
                            "'.', '_' and '-', beginning with a letter or digit",
                            cmd->cmd->name, name);
    }
    return NULL;
}

const char *glue_conf_file(const char **path, const cmd_parms *cmd, const char *arg)
{
    *path = *arg ? ap_server_root_relative(cmd->pool, arg) : NULL;
    return *path ? NULL : apr_psprintf(cmd->pool, "%s: '%s' is not a file name", cmd->cmd->name,
                                       arg);
}

const char *glue_conf_section(const char **name, const cmd_parms *cmd, const char *arg)
{
    const char *end = ap_strrchr_c(arg, '>');
    const char *line = end ? apr_pstrmemdup(cmd->pool, arg, end - arg) : "";

    *name = ap_getword_conf(cmd->pool, &line);
    if (!end || !**name || *line) {
        return apr_psprintf(cmd->pool, "%s>: write %s NAME> with one name", cmd->cmd->name,
                            cmd->cmd->name);
    }
    return glue_conf_name(cmd, *name);
}

const char *glue_conf_where(const cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}
