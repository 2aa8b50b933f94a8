/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_est.c: the module record, its hooks and what it provides to others; nothing else.
 */
#include <httpd.h>
#include <ap_provider.h>
#include <http_config.h>

#include "brski_ca.h"
#include "brski_x509.h"
#include "est_check.h"
#include "est_conf.h"
#include "est_count.h"
#include "est_crl.h"
#include "est_health.h"
#include "est_http.h"
#include "est_runtime.h"
#include "est_status.h"
#include "glue_dbd.h"

extern module AP_MODULE_DECLARE_DATA est_module;

static glue_engine_t *engine_of(const server_rec *s)
{
    est_engine_t *engine = est_engine(s);

    return engine ? &engine->glue : NULL;
}

const glue_module_t glue_module = {
    .module = &est_module, .service = "registrar", .handler = "est", .directive = "ESTEngine",
    .env_result = "EST_RESULT", .env_request_id = "EST_REQUEST_ID",
    .log_httpd = "BRSKI3201", .log_no_engine = "BRSKI3202", .log_no_page = "BRSKI3203",
    .log_no_memory = "BRSKI3105", .log_not_ready = "BRSKI3204", .log_ready = "BRSKI3205",
    .statements = &brski_dbd_set_est, .operations = est_operations, .server_certificate = 1,
    .http_size = sizeof(est_http_t), .engine = engine_of,
    .begin = est_http_begin, .admit = est_http_admit, .environment = est_http_environment,
    .inside = est_count_inside, .served = est_count_served, .levels = est_count_levels
};

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_dbd[] = { "mod_dbd.c", NULL };
    static const char *const after_ssl[] = { "mod_ssl.c", NULL };

    /* before all that is made of the configuration, so that it is ended after that */
    brski_x509_end_with(pool);
    /* a third module may add more under the same group */
    ap_register_provider(pool, BRSKI_CA_PROVIDER_GROUP, brski_ca_kind_local.name,
                         BRSKI_CA_PROVIDER_VERSION, &brski_ca_kind_local);
    ap_hook_optional_fn_retrieve(glue_dbd_optional, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(est_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(est_runtime_describe, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_config(glue_dbd_post_config, NULL, before_dbd, APR_HOOK_FIRST);
    ap_hook_post_config(est_runtime_post_config, after_ssl, NULL, APR_HOOK_LAST);
    ap_hook_child_init(est_runtime_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    glue_tls_hooks();
    glue_http_hooks();
    glue_count_hooks();
    est_crl_hooks();
    est_health_hooks();
    est_status_hooks();
}

AP_DECLARE_MODULE(est) = {
    STANDARD20_MODULE_STUFF,
    NULL,
    NULL,
    est_conf_create,
    est_conf_merge,
    est_commands,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
