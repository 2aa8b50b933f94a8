/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_html.h: pages for people: no scripts, readable in any browser and on a small screen. Whoever adds text to a page
 * escapes it, whoever wrote it.
 */
#ifndef GLUE_HTML_H
#define GLUE_HTML_H

#include "glue_count.h"
#include "glue_page.h"

/** Text as it may stand on a page. */
const char *glue_html(const char *text, apr_pool_t *pool);

/** Everything up to the heading: "MASA", and the name of the node. */
void glue_html_begin(glue_text_t *text, const char *what, const char *name);

/** A row of a table of two columns. name is ours, value anybody's. */
void glue_html_row(glue_text_t *text, const char *name, const char *value);
void glue_html_number(glue_text_t *text, const char *name, apr_int64_t value);

/** A heading, and the table of requests: glue_request_sum_t. */
void glue_html_requests(glue_text_t *text, const apr_array_header_t *requests);

/** The other forms of the page, and its end. */
void glue_html_end(glue_text_t *text);

#endif
