/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_masa_away.c: a third module for tests, of the kind that lib/brski_signer.h invites: it
 * provides the key URIs away:FILE, keys that a process opens only when it starts, as those of a
 * token are. While FILE is not there the key is away.
 */
#include <httpd.h>
#include <ap_provider.h>
#include <http_config.h>

#include "brski_err.h"
#include "brski_signer.h"

#define SCHEME "away:"

static brski_err_t *check(const char *key_uri, apr_pool_t *scratch_pool)
{
    (void)key_uri;
    (void)scratch_pool;
    return BRSKI_OK;
}

static brski_err_t *load(EVP_PKEY **key, const char *key_uri, apr_pool_t *pool)
{
    return brski_signer_kind_file.load(key, key_uri + sizeof(SCHEME) - 1, pool);
}

static const brski_signer_kind_t kind = { "away", check, load, 1 };

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, BRSKI_SIGNER_PROVIDER_GROUP, kind.name,
                         BRSKI_SIGNER_PROVIDER_VERSION, &kind);
}

AP_DECLARE_MODULE(masa_away) = {
    STANDARD20_MODULE_STUFF,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
