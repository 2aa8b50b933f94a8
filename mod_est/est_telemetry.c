/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_telemetry.c: RFC 8995 sections 5.7 and 5.9.4 over HTTP: what a pledge reports of its voucher
 * and its enrolment.
 */
#include "est_http.h"

/* For logs alone: whose report it is has been decided already, or will be refused. */
static void name_device(est_http_t *http, apr_pool_t *scratch_pool)
{
    brski_device_id_t *device;

    if (!brski_registrar_device(&device, &est_http_engine(http)->registrar, &http->peer,
                                http->glue.r->pool, scratch_pool)) {
        http->serial_number = device->serial_number;
        http->manufacturer = device->manufacturer->name;
    }
}

static brski_err_t *take_report(est_http_t *http, const char *what, apr_pool_t *scratch_pool)
{
    const est_engine_t *engine = est_http_engine(http);

    name_device(http, scratch_pool);
    BRSKI_TRY(brski_registrar_telemetry(&engine->registrar, &http->peer, what, http->glue.body,
                                        http->content_type, scratch_pool));
    if (engine->jobs) {
        brski_jobs_wake(engine->jobs);
    }
    http->glue.result = "noted";
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, http->glue.r,
                  "BRSKI3212: status report taken: %s, by %s (request %s)", what,
                  http->peer.client_cert ? http->peer.client_cert->subject : "nobody",
                  http->glue.request_id);
    return BRSKI_OK;
}

brski_err_t *est_voucher_status(est_http_t *http, apr_pool_t *scratch_pool)
{
    return take_report(http, "voucher", scratch_pool);
}

brski_err_t *est_enrollstatus(est_http_t *http, apr_pool_t *scratch_pool)
{
    return take_report(http, "enroll", scratch_pool);
}
