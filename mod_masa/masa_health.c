/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_health.c: SetHandler masa-health, and what it asks, as masa_health.h says.
 */
#include "masa_health.h"

#include <apr_strings.h>
#include <http_config.h>

#include "glue_health.h"
#include "glue_page.h"

static brski_err_t *look(void *of, apr_pool_t *scratch_pool)
{
    const masa_engine_t *engine = of;

    return brski_store_schema_check(engine->masa.store, scratch_pool);
}

void masa_health_child(masa_engine_t *engine, apr_pool_t *pool)
{
    engine->health = glue_health_child(&engine->glue, look,
                                       masa_get(engine->conf, database_patience), pool);
}

static int has_key(const masa_engine_t *engine)
{
    int i;

    for (i = 0; i < engine->signers->nelts; i++) {
        if (APR_ARRAY_IDX(engine->signers, i, const brski_signer_t *)->key) {
            return 1;
        }
    }
    return 0;
}

void masa_health_ask(masa_health_report_t *report, const masa_engine_t *engine)
{
    report->key = has_key(engine);
    report->database = glue_health_text(glue_health_ask(engine->masa.store ? engine->health
                                                                           : NULL));
}

/* ---- the handler ---- */

static int handler(request_rec *r)
{
    masa_health_report_t report;
    glue_engine_t *engine;
    const char *text = "ok\n";
    const int rv = glue_page_begin(&engine, r, "masa-health");

    if (rv != OK) {
        return rv;
    }
    masa_health_ask(&report, engine->of);
    if (report.database || !report.key) {
        text = apr_pstrcat(r->pool, report.database ? report.database : "",
                           report.database ? "\n" : "",
                           report.key ? "" : "No signer's key can be used.\n", NULL);
    }
    return glue_page_send(r, report.database || !report.key ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK,
                          "text/plain; charset=utf-8", text);
}

void masa_health_hooks(void)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
