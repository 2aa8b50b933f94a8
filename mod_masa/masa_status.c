/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_status.c: the handler masa-status, and what its three forms share, as masa_status.h says.
 */
#include "masa_status.h"

#include <http_config.h>

#include "glue_page.h"

/* ---- words ---- */

const char *masa_status_nonceless(const brski_product_t *product)
{
    static const char *const words[] = { "", "deny", "sold", "customer" };

    return words[product->nonceless];
}

const char *masa_status_proximity(const brski_product_t *product)
{
    static const char *const words[] = { "", "required", "optional", "downgrade" };

    return words[product->proximity];
}

const brski_cert_t *masa_status_cert(const brski_signer_t *signer)
{
    return APR_ARRAY_IDX(signer->chain, 0, const brski_cert_t *);
}

/* ---- the handler ---- */

typedef struct masa_form_t {
    const char *args;                 /* of the URL */
    const char *type;
    const char *(*make)(const masa_status_t *status, apr_pool_t *pool);
} masa_form_t;

static const masa_form_t forms[] = {
    { "json", "application/json", masa_status_json },
    { "metrics", "text/plain; version=0.0.4; charset=utf-8", masa_status_metrics },
    { NULL, "text/html; charset=utf-8", masa_status_html }
};

static const masa_form_t *find_form(const request_rec *r)
{
    const masa_form_t *form = forms;

    while (form->args && (!r->args || strcmp(r->args, form->args))) {
        form++;
    }
    return form;
}

static int handler(request_rec *r)
{
    const masa_form_t *form = find_form(r);
    masa_status_t status = { 0 };
    glue_engine_t *glue;
    masa_engine_t *engine;
    const int rv = glue_page_begin(&glue, r, "masa-status");

    if (rv != OK) {
        return rv;
    }
    engine = glue->of;
    status.engine = engine;
    status.tenant = masa_get_text(engine->conf, tenant);
    status.now = engine->ctx.now(engine->ctx.baton);
    masa_health_ask(&status.health, engine);
    status.database = status.health.database;
    masa_count_read(&status.sums, engine, r->pool);
    /* nothing on it is active, should a name ever be */
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    return glue_page_send(r, HTTP_OK, form->type, form->make(&status, r->pool));
}

void masa_status_hooks(void)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
