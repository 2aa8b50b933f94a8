/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_voucher.c: `brski voucher` signs a voucher by hand, to try pledges and registrars with. It
 * decides nothing: whoever holds the key gets what is asked for, and no record remembers it. A MASA
 * is mod_masa.
 */
#include <apr_strings.h>
#include <string.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_voucher.h"
#include "files.h"
#include "roles.h"

/* The top of the chain that came with the request: certificates in a CMS are in no order. */
static brski_err_t *pin_top(brski_voucher_t *v, const brski_cms_t *cms, apr_pool_t *pool)
{
    brski_chain_t *chain;

    if (!cms->signer) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_chain_build(&chain, cms->signer, cms->certs, pool, pool));
    v->pinned_domain_cert =
        APR_ARRAY_IDX(chain->certs, chain->certs->nelts - 1, const brski_cert_t *)->der;
    return BRSKI_OK;
}

/* Serial number and nonce of the request, and what it would have pinned. */
static brski_err_t *read_request(brski_voucher_t *v, const char *path, apr_pool_t *pool)
{
    brski_signed_t *request;
    brski_bytes_t der;

    BRSKI_TRY(files_read(&der, path, pool));
    BRSKI_TRY(brski_signed_open(&request, der, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                                &brski_limits_default, NULL, pool));
    v->serial_number = request->voucher->serial_number;
    v->nonce = request->voucher->nonce;
    return pin_top(v, request->cms, pool);
}

static brski_err_t *read_pin(brski_voucher_t *v, const char *path, apr_pool_t *pool)
{
    apr_array_header_t *certs;

    BRSKI_TRY(brski_cert_load(&certs, path, pool));
    if (certs->nelts == 0) {
        return say_refuse(pool, "%s holds no certificate.", path);
    }
    v->pinned_domain_cert = APR_ARRAY_IDX(certs, 0, const brski_cert_t *)->der;
    return BRSKI_OK;
}

static brski_err_t *read_assertion(brski_voucher_t *v, const char *word, apr_pool_t *pool)
{
    v->assertion = brski_assertion_parse(word ? word : "logged");
    return v->assertion
               ? BRSKI_OK
               : say_refuse(pool, "--assertion is verified, logged, proximity or agent-proximity.");
}

static brski_err_t *read_voucher(brski_voucher_t *v, call_t *call)
{
    const char *request = opt_get(call, "request"), *pin = opt_get(call, "pin");

    memset(v, 0, sizeof(*v));
    v->kind = BRSKI_VOUCHER;
    v->domain_cert_revocation_checks = -1;
    if (request) {
        BRSKI_TRY(read_request(v, request, call->pool));
    }
    if (pin) {
        BRSKI_TRY(read_pin(v, pin, call->pool));
    }
    v->serial_number = opt_has(call, "serial") ? opt_get(call, "serial") : v->serial_number;
    v->nonce = opt_has(call, "nonce") ? opt_get(call, "nonce") : v->nonce;
    BRSKI_TRY(opt_time(&v->expires_on, call, "expires-on", 0));
    if (v->expires_on) {
        v->nonce = NULL;              /* RFC 8366 5.3: one excludes the other */
    }
    BRSKI_TRY(read_assertion(v, opt_get(call, "assertion"), call->pool));
    return role_created_on(&v->created_on, call);
}

static brski_err_t *run(call_t *call)
{
    const char *chain = opt_get(call, "cert"), *key = opt_get(call, "key"), *json;
    brski_voucher_t v;
    brski_bytes_t message;
    signing_t signing;
    identity_t signer;

    if (!chain || !key || !opt_has(call, "output")) {
        return opt_usage(call,
                         "say who signs and where to write it: --cert PEM --key FILE -o FILE");
    }
    BRSKI_TRY(read_voucher(&v, call));
    if (!v.serial_number || !v.pinned_domain_cert.len) {
        return opt_usage(
            call, "say for which device and domain: --request FILE, or --serial TEXT --pin PEM");
    }
    BRSKI_TRY(identity_load(&signer, chain, key, call->pool));
    signing = role_signing_plain(&signer, call);
    BRSKI_TRY(econtent_parse(&signing.econtent, opt_get(call, "econtent"), call->pool));
    BRSKI_TRY(defect_parse(&signing.defect, opt_get(call, "defect"), call->pool));
    BRSKI_TRY(brski_voucher_json(&json, &v, call->pool));
    BRSKI_TRY(sign_content(&message, brski_bytes_str(json), &signing, call->pool));
    return role_write(call, "voucher", message);
}

static const opt_t options[] = {
    { "cert", 0, "PEM", "the signer's certificate, chain and root" },
    { "key", 0, "FILE", "its key" },
    { "output", 'o', "FILE", "where to write it; - is standard output" },
    { "request", 0, "FILE", "serial number, nonce and top to pin" },
    { "serial", 0, "TEXT", "the device" },
    { "nonce", 0, "TEXT", "its nonce" },
    { "pin", 0, "PEM", "the certificate to pin" },
    { "assertion", 0, "WORD", "verified, logged, proximity (logged)" },
    { "expires-on", 0, "TIME", "an end, without nonce" },
    { "created-on", 0, "TIME", "instead of now; none leaves it out" },
    { "econtent", 0, "TYPE", "anima or data (anima)" },
    { "defect", 0, "KIND", "sign it badly; see brski-pvr(1)" },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "voucher", "", 0, 0, "Signs a voucher by hand, without asking anyone", options, NULL, run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "voucher", "sign a voucher by hand", 6, commands, NULL };
COMMAND_GROUP(group)
