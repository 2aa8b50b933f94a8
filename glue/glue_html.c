/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_html.c: what the pages for people look like.
 */
#include "glue_html.h"

#include <apr_escape.h>

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s %s</title>\n<style>\n"
    "body { font: 16px/1.4 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em;"
    " color: #222; background: #fff }\n"
    "h1 { font-size: 1.6em } h2 { font-size: 1.15em; margin: 1.8em 0 .4em }\n"
    "table { border-collapse: collapse } th, td { text-align: left; padding: .25em 1.4em .25em 0;"
    " border-bottom: 1px solid #ddd; vertical-align: top }\n"
    "th { font-weight: 600 } td.n { text-align: right; font-variant-numeric: tabular-nums }\n"
    "code { font-size: .85em; overflow-wrap: anywhere }\n"
    ".good { color: #14642d } .bad { color: #a4161a; font-weight: 600 }\n"
    "</style>\n</head>\n<body>\n<h1>%s %s</h1>\n";

const char *glue_html(const char *text, apr_pool_t *pool)
{
    return apr_pescape_entity(pool, text, 0);
}

void glue_html_begin(glue_text_t *text, const char *what, const char *name)
{
    const char *shown = glue_html(name, text->pool);

    glue_text_add(text, page_head, what, shown, what, shown);
}

void glue_html_row(glue_text_t *text, const char *name, const char *value)
{
    glue_text_add(text, "<tr><th>%s</th><td>%s</td></tr>\n", name, glue_html(value, text->pool));
}

void glue_html_number(glue_text_t *text, const char *name, apr_int64_t value)
{
    glue_text_add(text, "<tr><th>%s</th><td>%" APR_INT64_T_FMT "</td></tr>\n", name, value);
}

static void add_request(glue_text_t *text, const glue_request_sum_t *sum)
{
    const brski_err_t *error = sum->number ? brski_err_row(sum->number) : NULL;

    glue_text_add(text, "<tr><td>%s</td><td>%d</td><td>", sum->operation, sum->status);
    if (error) {
        glue_text_add(text, "BRSKI%04d %s", sum->number, error->name);
    }
    else if (sum->number) {
        glue_text_add(text, "BRSKI%04d refused by httpd", sum->number);
    }
    else {
        glue_text_add(text, "served");
    }
    glue_text_add(text, "</td><td class=\"n\">%lu</td></tr>\n", sum->count);
}

void glue_html_requests(glue_text_t *text, const apr_array_header_t *requests)
{
    int i;

    glue_text_add(text, "<h2>Requests</h2>\n");
    if (!requests->nelts) {
        glue_text_add(text, "<p>None yet.</p>\n");
        return;
    }
    glue_text_add(text, "<table>\n<tr><th>Operation</th><th>Status</th><th>Result</th>"
                  "<th>Count</th></tr>\n");
    for (i = 0; i < requests->nelts; i++) {
        add_request(text, &APR_ARRAY_IDX(requests, i, const glue_request_sum_t));
    }
    glue_text_add(text, "</table>\n");
}

void glue_html_end(glue_text_t *text)
{
    glue_text_add(text, "<p>Also as <a href=\"?json\">JSON</a> and <a href=\"?metrics\">"
                  "metrics</a>.</p>\n</body>\n</html>\n");
}
