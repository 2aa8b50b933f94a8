/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_metrics.c: Prometheus' text format.
 */
#include "glue_metrics.h"

#include <string.h>

const char *glue_metric_label(const char *value, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 2 * strlen(value) + 1);
    char *o = out;

    for (; *value; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n') {
            *o++ = '\\';
        }
        *o++ = *value;
        if (*value == '\n') {
            o[-1] = 'n';
        }
    }
    *o = '\0';
    return out;
}

void glue_metric_head(glue_text_t *text, const char *name, const char *type, const char *help)
{
    glue_text_add(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void glue_metric(glue_text_t *text, const char *name, const char *type, const char *help,
                 apr_int64_t value)
{
    glue_metric_head(text, name, type, help);
    glue_text_add(text, "%s %" APR_INT64_T_FMT "\n", name, value);
}
