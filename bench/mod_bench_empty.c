/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_bench_empty.c: a handler that reads a body and answers as many octets as a voucher has, and
 * nothing else: what httpd and mod_ssl cost by themselves. For `make bench` alone; never installed.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#define ANSWER_OCTETS 2200

static int answer(request_rec *r)
{
    static const char text[ANSWER_OCTETS];
    char buffer[8192];
    int rc;

    if (!r->handler || strcmp(r->handler, "bench-empty")) {
        return DECLINED;
    }
    rc = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    if (rc != OK) {
        return rc;
    }
    if (ap_should_client_block(r)) {
        while (ap_get_client_block(r, buffer, sizeof(buffer)) > 0) {
        }
    }
    ap_set_content_type(r, "application/voucher-cms+json");
    ap_set_content_length(r, sizeof(text));
    ap_rwrite(text, sizeof(text), r);
    return OK;
}

static void hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(bench_empty) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, AP_MODULE_FLAG_NONE
};
