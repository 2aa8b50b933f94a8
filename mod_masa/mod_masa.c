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
#include "masa_authz.h"
#include "masa_check.h"
#include "masa_conf.h"
#include "masa_count.h"
#include "masa_dbd.h"
#include "masa_health.h"
#include "masa_http.h"
#include "masa_runtime.h"
#include "masa_status.h"
#include "masa_tls.h"

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
    ap_hook_optional_fn_retrieve(masa_dbd_optional, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(masa_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(masa_dbd_post_config, NULL, before_dbd, APR_HOOK_FIRST);
    ap_hook_post_config(masa_runtime_post_config, after_ssl, NULL, APR_HOOK_LAST);
    ap_hook_child_init(masa_runtime_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    masa_tls_hooks();
    masa_http_hooks(pool);
    masa_count_hooks();
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
