/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_metrics.h: Prometheus' text format 0.0.4.
 */
#ifndef GLUE_METRICS_H
#define GLUE_METRICS_H

#include "glue_page.h"

/** A label's value: the format wants backslash, quote and line end escaped. */
const char *glue_metric_label(const char *value, apr_pool_t *pool);

/** What stands before a metric's values. type: "gauge" or "counter". */
void glue_metric_head(glue_text_t *text, const char *name, const char *type, const char *help);

/** A metric of one value without labels. */
void glue_metric(glue_text_t *text, const char *name, const char *type, const char *help, apr_int64_t value);

#endif
