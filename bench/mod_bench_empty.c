/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_bench_empty.c: two handlers that read a body and answer as many octets as a voucher has.
 * bench-empty does nothing else: what httpd and mod_ssl cost by themselves. bench-floor does a
 * voucher's arithmetic and one durable insert through mod_dbd between: the whole floor at work in
 * one server, with its threads, its cold caches and its waiting. For `make bench` alone; never
 * installed.
 */
#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mod_dbd.h>

#include "arithmetic.h"

#define ANSWER_OCTETS 2200
/* Key and value are as long as an event's columns together. */
#define KEY_OCTETS 32
#define ROW_OCTETS 3930

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) *dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) *dbd_close;
static arithmetic_t *arithmetic;

static int commit(request_rec *r)
{
    ap_dbd_t *dbd = dbd_open ? dbd_open(r->pool, r->server) : NULL;
    apr_dbd_prepared_t *put =
        dbd ? apr_hash_get(dbd->prepared, "bench_put", APR_HASH_KEY_STRING) : NULL;
    unsigned char random[(KEY_OCTETS + ROW_OCTETS) / 2];
    char text[KEY_OCTETS + ROW_OCTETS + 1];
    const char *args[] = { NULL, text + KEY_OCTETS };
    int rows = 0, rv = -1;

    apr_generate_random_bytes(random, sizeof(random));
    ap_bin2hex(random, sizeof(random), text);
    args[0] = apr_pstrmemdup(r->pool, text, KEY_OCTETS);
    if (put) {
        rv = apr_dbd_pquery(dbd->driver, r->pool, dbd->handle, &rows, put, 2, args);
    }
    if (dbd) {
        dbd_close(r->server, dbd);
    }
    return rv == 0 && rows == 1;
}

static int answer(request_rec *r)
{
    static const char text[ANSWER_OCTETS];
    int is_floor = r->handler && !strcmp(r->handler, "bench-floor");
    char buffer[8192];
    int rc;

    if (!r->handler || (!is_floor && strcmp(r->handler, "bench-empty"))) {
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
    if (is_floor) {
        arithmetic_voucher(arithmetic);
        if (!commit(r)) {
            return HTTP_SERVICE_UNAVAILABLE;
        }
    }
    ap_set_content_type(r, "application/voucher-cms+json");
    ap_set_content_length(r, sizeof(text));
    ap_rwrite(text, sizeof(text), r);
    return OK;
}

static void start(apr_pool_t *pool, server_rec *s)
{
    (void)pool;
    (void)s;
    arithmetic = arithmetic_make();
}

static void find_dbd(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
}

static void hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_optional_fn_retrieve(find_dbd, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(start, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(bench_empty) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, AP_MODULE_FLAG_NONE
};
