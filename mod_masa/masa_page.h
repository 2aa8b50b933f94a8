/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_page.h: what the handlers for people and machines that look after a MASA (masa-status, masa-health) have in common.
 * They are served outside of the MASA's own paths, by GET and HEAD.
 */
#ifndef MASA_PAGE_H
#define MASA_PAGE_H

#include <httpd.h>

#include "masa_runtime.h"

/**
 * What such a handler does first: is the request for it, may it be asked so, is there an engine?
 * @param handler  as SetHandler names it
 * @return OK with *engine: answer it; else what the handler returns
 */
int masa_page_begin(masa_engine_t **engine, request_rec *r, const char *handler);

/** Answer a NUL-terminated text. @return what the handler returns */
int masa_page_send(request_rec *r, int status, const char *type, const char *text);

#endif
