/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_crl.c: the handler est-crl, as est_crl.h says. Caches may keep a list until the next one is
 * due; whoever has it already is told so.
 */
#include "est_crl.h"

#include <apr_strings.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>

#include "brski_err.h"
#include "est_runtime.h"
#include "glue_page.h"

/* ---- which list ---- */

static int same_name(const server_rec *a, const server_rec *b)
{
    return a->server_hostname && b->server_hostname
        && !ap_cstr_casecmp(a->server_hostname, b->server_hostname);
}

static est_engine_t *find_engine(const request_rec *r)
{
    est_engine_t *found = est_engine(r->server), *only = NULL;
    const server_rec *s;
    int engines = 0;

    for (s = ap_server_conf; s && !found; s = s->next) {
        est_engine_t *engine = est_engine(s);

        if (engine) {
            only = engine;
            engines++;
        }
        if (engine && same_name(s, r->server)) {
            found = engine;
        }
    }
    return found ? found : engines == 1 ? only : NULL;
}

static const brski_label_t *find_label(const est_engine_t *engine, const request_rec *r)
{
    const brski_label_t *label = brski_est_label(&engine->est, r->args ? r->args : "");

    return label && label->ca->kind->crl ? label : NULL;
}

/* ---- the answer ---- */

static const char *http_date(apr_time_t at, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, APR_RFC822_DATE_LEN);

    apr_rfc822_date(text, at);
    return text;
}

static int send_crl(request_rec *r, const brski_crl_row_t *crl)
{
    int rv;

    ap_set_content_type(r, "application/pkix-crl");
    ap_update_mtime(r, crl->this_update);
    ap_set_last_modified(r);
    apr_table_setn(r->headers_out, "Expires", http_date(crl->next_update, r->pool));
    apr_table_setn(r->headers_out, "ETag",
                   apr_psprintf(r->pool, "\"%.16s-%" APR_INT64_T_FMT "\"", crl->ca, crl->number));
    if ((rv = ap_meets_conditions(r)) != OK) {
        return rv;
    }
    ap_set_content_length(r, (apr_off_t)crl->der.len);
    ap_rwrite(crl->der.data, (int)crl->der.len, r);
    return OK;
}

static int refuse(request_rec *r, const brski_err_t *err)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "BRSKI3232: the revocation list cannot be made: %s",
                  brski_err_text(err, r->pool));
    apr_table_setn(r->err_headers_out, "Retry-After", "60");
    return glue_page_send(r, HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8",
                          "The revocation list cannot be made now; try again later.\n");
}

static int handler(request_rec *r)
{
    const est_engine_t *engine;
    const brski_label_t *label;
    brski_crl_row_t *crl;
    brski_err_t *err;
    int rv;

    if (!r->handler || strcmp(r->handler, "est-crl")) {
        return DECLINED;
    }
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if ((rv = ap_discard_request_body(r)) != OK) {
        return rv;
    }
    engine = find_engine(r);
    if (!engine) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "BRSKI3231: SetHandler est-crl, but no server "
                      "of this name has ESTEngine On");
        return HTTP_NOT_FOUND;
    }
    label = find_label(engine, r);
    if (!label) {
        return HTTP_NOT_FOUND;
    }
    err = engine->registrar.records
          ? brski_enroll_crl(&crl, &engine->est, label, r->pool, r->pool)
          : brski_err(BRSKI_E_STORE, NULL, r->pool, "the engine did not start");
    return err ? refuse(r, err) : send_crl(r, crl);
}

void est_crl_hooks(void)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
