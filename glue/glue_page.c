/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_page.c: the common part of what looks after an engine, as glue_page.h says.
 */
#include "glue_page.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "brski_time.h"

int glue_page_begin(glue_engine_t **engine, request_rec *r, const char *handler)
{
    *engine = NULL;
    if (!r->handler || strcmp(r->handler, handler)) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    *engine = glue_module.engine(r->server);
    if (!*engine) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: SetHandler %s, but %s On is missing for "
                      "this server", glue_module.log_no_page, handler, glue_module.directive);
        return HTTP_NOT_FOUND;
    }
    if (r->method_number != M_GET) {          /* httpd calls HEAD so too */
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    return ap_discard_request_body(r);
}

int glue_page_send(request_rec *r, int status, const char *type, const char *text)
{
    const apr_size_t length = strlen(text);

    r->status = status;
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)length);
    ap_rwrite(text, (int)length, r);
    return OK;
}

/* ---- text ---- */

glue_text_t *glue_text_make(apr_pool_t *pool)
{
    return apr_array_make(pool, 64, sizeof(const char *));
}

void glue_text_add(glue_text_t *text, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    APR_ARRAY_PUSH(text, const char *) = apr_pvsprintf(text->pool, fmt, ap);
    va_end(ap);
}

const char *glue_text_all(const glue_text_t *text)
{
    return apr_array_pstrcat(text->pool, text, 0);
}

const char *glue_text_time(apr_time_t at, apr_pool_t *pool)
{
    return at ? brski_time_rfc3339(at, pool) : "never";
}

const char *glue_text_day(apr_time_t at, apr_pool_t *pool)
{
    return at ? apr_pstrmemdup(pool, brski_time_rfc3339(at, pool), 10) : "never";
}
