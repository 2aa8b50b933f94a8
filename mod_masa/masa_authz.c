/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_authz.c: the authorization provider behind `Require masa-customer`, as masa_authz.h says.
 * The TLS certificate is asked first; where it names nobody and HTTP authentication is configured,
 * the user is.
 */
#include "masa_authz.h"

#include <ap_provider.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <mod_auth.h>

#include "masa_http.h"
#include "masa_peer.h"

APLOG_USE_MODULE(masa);

/* Without a user there may be one after authentication, if this place asks for any. */
static authz_status unknown(const masa_http_t *http)
{
    return !http->request.user && ap_auth_type(http->glue.r) ? AUTHZ_DENIED_NO_USER : AUTHZ_DENIED;
}

static authz_status is_customer(request_rec *r, const char *require_args, const void *parsed)
{
    masa_http_t *http = masa_http_get(r);
    brski_customer_t *customer = NULL;
    brski_err_t *err;

    (void)require_args;
    (void)parsed;
    if (!http || !masa_http_engine(http)->masa.store) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "BRSKI2221: Require masa-customer, but no "
                      "engine works for this server");
        return AUTHZ_DENIED;
    }
    err = masa_http_peer(http);
    if (!err) {
        err = masa_peer_customer(&customer, &http->request, masa_http_engine(http), r->pool);
    }
    if (err) {
        glue_http_refuse(&http->glue, err);
        return AUTHZ_GENERAL_ERROR;
    }
    return customer ? AUTHZ_GRANTED : unknown(http);
}

static const char *parse(cmd_parms *cmd, const char *args, const void **parsed)
{
    *parsed = NULL;
    return *args ? apr_psprintf(cmd->pool, "Require masa-customer: '%s' is too much; it takes no "
                                "argument", args) : NULL;
}

static const authz_provider customer_provider = { is_customer, parse };

void masa_authz_hooks(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "masa-customer", AUTHZ_PROVIDER_VERSION,
                              &customer_provider, AP_AUTH_INTERNAL_PER_CONF);
}
