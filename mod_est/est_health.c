/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_health.c: SetHandler est-health, as est_health.h says.
 */
#include "est_health.h"

#include <apr_strings.h>
#include <http_config.h>

#include "glue_health.h"
#include "glue_page.h"

static int can_issue(const est_engine_t *engine)
{
    int i;

    for (i = 0; i < engine->est.labels->nelts; i++) {
        if (!APR_ARRAY_IDX(engine->est.labels, i, const brski_label_t *)->ca->away) {
            return 1;
        }
    }
    return 0;
}

void est_health_ask(est_health_report_t *report, const est_engine_t *engine)
{
    report->ca = can_issue(engine);
    report->database = glue_health_text(
        glue_health_ask(engine->registrar.records ? engine->health : NULL));
}

static int handler(request_rec *r)
{
    est_health_report_t report;
    glue_engine_t *engine;
    const char *text = "ok\n";
    const int rv = glue_page_begin(&engine, r, "est-health");

    if (rv != OK) {
        return rv;
    }
    est_health_ask(&report, engine->of);
    if (report.database || !report.ca) {
        text = apr_pstrcat(r->pool, report.database ? report.database : "",
                           report.database ? "\n" : "", report.ca ? "" : "No CA can issue.\n",
                           NULL);
    }
    return glue_page_send(r, report.database || !report.ca ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK,
                          "text/plain; charset=utf-8", text);
}

void est_health_hooks(void)
{
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
