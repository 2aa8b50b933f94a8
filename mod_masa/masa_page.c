/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_page.c: the common part of masa-status and masa-health, as masa_page.h says.
 */
#include "masa_page.h"

#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

APLOG_USE_MODULE(masa);

int masa_page_begin(masa_engine_t **engine, request_rec *r, const char *handler)
{
    *engine = NULL;
    if (!r->handler || strcmp(r->handler, handler)) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    *engine = masa_engine(r->server);
    if (!*engine) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "BRSKI2203: SetHandler %s, but MASAEngine On "
                      "is missing for this server", handler);
        return HTTP_NOT_FOUND;
    }
    if (r->method_number != M_GET) {          /* httpd calls HEAD so too */
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    return ap_discard_request_body(r);
}

int masa_page_send(request_rec *r, int status, const char *type, const char *text)
{
    const apr_size_t length = strlen(text);

    r->status = status;
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)length);
    ap_rwrite(text, (int)length, r);
    return OK;
}
