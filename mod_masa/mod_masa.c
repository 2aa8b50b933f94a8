/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_masa.c: the module record, its hooks and what it provides to others; nothing else.
 */
#include <httpd.h>
#include <ap_provider.h>
#include <http_config.h>

#include "brski_owner.h"
#include "brski_signer.h"
#include "brski_x509.h"
#include "glue_dbd.h"
#include "masa_authz.h"
#include "masa_check.h"
#include "masa_conf.h"
#include "masa_count.h"
#include "masa_health.h"
#include "masa_http.h"
#include "masa_runtime.h"
#include "masa_status.h"

extern module AP_MODULE_DECLARE_DATA masa_module;

static glue_engine_t *engine_of(const server_rec *s)
{
    masa_engine_t *engine = masa_engine(s);

    return engine ? &engine->glue : NULL;
}

const glue_module_t glue_module = {
    .module = &masa_module, .service = "MASA", .handler = "masa", .directive = "MASAEngine",
    .env_result = "MASA_RESULT", .env_request_id = "MASA_REQUEST_ID",
    .log_httpd = "BRSKI2201", .log_no_engine = "BRSKI2202", .log_no_page = "BRSKI2203",
    .log_no_memory = "BRSKI2105", .log_not_ready = "BRSKI2231", .log_ready = "BRSKI2232",
    .statements = &brski_dbd_set_masa, .operations = masa_operations,
    .http_size = sizeof(masa_http_t), .engine = engine_of, .inside = masa_count_inside,
    .begin = masa_http_begin, .admit = masa_http_admit, .environment = masa_http_environment,
    .refused = masa_http_refused, .served = masa_count_served, .levels = masa_count_levels
};

/* A third module may add more under the same groups. */
static void register_providers(apr_pool_t *pool)
{
    static const brski_owner_t *const owners[] = {
        &brski_owner_any, &brski_owner_customer, &brski_owner_sold
    };
    apr_size_t i;

    for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        ap_register_provider(pool, BRSKI_OWNER_PROVIDER_GROUP, owners[i]->name,
                             BRSKI_OWNER_PROVIDER_VERSION, owners[i]);
    }
    ap_register_provider(pool, BRSKI_SIGNER_PROVIDER_GROUP, brski_signer_kind_file.name,
                         BRSKI_SIGNER_PROVIDER_VERSION, &brski_signer_kind_file);
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_dbd[] = { "mod_dbd.c", NULL };
    static const char *const after_ssl[] = { "mod_ssl.c", NULL };

    /* before all that is made of the configuration, so that it is ended after that */
    brski_x509_end_with(pool);
    register_providers(pool);
    ap_hook_optional_fn_retrieve(glue_dbd_optional, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(masa_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(masa_runtime_describe, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_config(glue_dbd_post_config, NULL, before_dbd, APR_HOOK_FIRST);
    ap_hook_post_config(masa_runtime_post_config, after_ssl, NULL, APR_HOOK_LAST);
    ap_hook_child_init(masa_runtime_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    glue_tls_hooks();
    glue_http_hooks();
    glue_count_hooks();
    masa_health_hooks();
    masa_status_hooks();
    masa_authz_hooks(pool);
}

AP_DECLARE_MODULE(masa) = {
    STANDARD20_MODULE_STUFF,
    NULL,
    NULL,
    masa_conf_create,
    masa_conf_merge,
    masa_commands,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
