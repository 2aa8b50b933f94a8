/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_body.h: a request's body, read whole and never further than a limit.
 */
#ifndef GLUE_BODY_H
#define GLUE_BODY_H

#include "glue_http.h"

/**
 * Read it into http->body, which holds what came before a failure too.
 * @return NULL; BRSKI_E_BODY_TOO_LARGE; BRSKI_E_BODY_BROKEN; BRSKI_E_BODY_EMPTY
 */
brski_err_t *glue_body_read(glue_http_t *http);

/** A body that was not read to its end, and is longer than we would read: the connection is not worth it. */
void glue_body_drop(const glue_http_t *http);

#endif
