/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_page.h: what the handlers for people and machines that look after an engine (status, health, administration) have in
 * common. They are served outside of the protocols' own paths.
 */
#ifndef GLUE_PAGE_H
#define GLUE_PAGE_H

#include "glue.h"

/**
 * What such a handler for GET and HEAD does first: is the request for it, may it be asked so, is there an engine?
 * @param handler  as SetHandler names it
 * @return OK with *engine: answer it; else what the handler returns
 */
int glue_page_begin(glue_engine_t **engine, request_rec *r, const char *handler);

/** Answer a NUL-terminated text. @return what the handler returns */
int glue_page_send(request_rec *r, int status, const char *type, const char *text);

/** Text in pieces: append with printf's format; the whole, NUL-terminated. */
typedef apr_array_header_t glue_text_t;
glue_text_t *glue_text_make(apr_pool_t *pool);
void glue_text_add(glue_text_t *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *glue_text_all(const glue_text_t *text);

/** The day of a time, and the time, as RFC 3339 has them; "never" for 0. */
const char *glue_text_day(apr_time_t at, apr_pool_t *pool);
const char *glue_text_time(apr_time_t at, apr_pool_t *pool);

#endif
