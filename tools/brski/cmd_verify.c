/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_verify.c: `brski verify FILE` plays the strict pledge: is this voucher for me, from my
 * manufacturer, now?
 */
#include <apr_strings.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_voucher.h"
#include "check.h"
#include "files.h"
#include "lab.h"

/* The nonce and serial number of a request that the voucher must answer. */
static brski_err_t *want_request(check_want_t *want, const char *path, apr_pool_t *pool)
{
    brski_bytes_t der;
    brski_signed_t *request;

    BRSKI_TRY(files_read(&der, path, pool));
    BRSKI_TRY(brski_signed_open(&request, der, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                                &brski_limits_default, NULL, pool));
    want->serial_number = request->voucher->serial_number;
    want->nonce = request->voucher->nonce;
    want->nonceless_ok = want->nonceless_ok || !want->nonce;
    return BRSKI_OK;
}

static brski_err_t *want_idevid(check_want_t *want, const char *path, apr_pool_t *pool)
{
    apr_array_header_t *certs;

    BRSKI_TRY(brski_cert_load(&certs, path, pool));
    if (certs->nelts == 0) {
        return say_refuse(pool, "%s holds no certificate.", path);
    }
    want->idevid = APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
    want->serial_number = want->idevid->serial_number;
    return BRSKI_OK;
}

/* With --lab the anchor, and with --device too what that device knows of itself. */
static brski_err_t *want_lab(check_want_t *want, apr_array_header_t *anchors, call_t *call)
{
    lab_identity_t device;
    lab_t *lab;

    if (!opt_has(call, "lab")) {
        return BRSKI_OK;
    }
    BRSKI_TRY(lab_open(&lab, opt_get(call, "lab"), call->pool));
    APR_ARRAY_PUSH(anchors, const char *) = lab->voucher_anchor;
    if (!opt_has(call, "device")) {
        return BRSKI_OK;
    }
    BRSKI_TRY(lab_device(&device, lab, opt_get(call, "device"), call->pool));
    return want_idevid(want, device.chain_file, call->pool);
}

static brski_err_t *want_clock(check_want_t *want, call_t *call)
{
    BRSKI_TRY(opt_time(&want->at, call, "at", call->ctx->now(call->ctx->baton)));
    if (opt_has(call, "no-clock")) {
        want->at = 0;
    }
    return BRSKI_OK;
}

static brski_err_t *read_want(check_want_t *want, call_t *call)
{
    apr_array_header_t *anchors = apr_array_copy(call->pool, opt_all(call, "anchor")), *registrar;
    brski_anchors_t *loaded;

    want->nonceless_ok = opt_has(call, "nonceless-ok");
    BRSKI_TRY(want_clock(want, call));
    BRSKI_TRY(want_lab(want, anchors, call));
    if (opt_has(call, "idevid")) {
        BRSKI_TRY(want_idevid(want, opt_get(call, "idevid"), call->pool));
    }
    if (opt_has(call, "request")) {
        BRSKI_TRY(want_request(want, opt_get(call, "request"), call->pool));
    }
    if (opt_has(call, "registrar")) {
        BRSKI_TRY(brski_cert_load(&registrar, opt_get(call, "registrar"), call->pool));
        want->registrar = registrar;
    }
    if (anchors->nelts) {
        BRSKI_TRY(brski_anchors_load(&loaded, anchors, call->pool));
        want->anchors = loaded;
    }
    want->serial_number = opt_has(call, "serial") ? opt_get(call, "serial") : want->serial_number;
    want->nonce = opt_has(call, "nonce") ? opt_get(call, "nonce") : want->nonce;
    return BRSKI_OK;
}

/* A voucher as it is, or in base64. */
static brski_err_t *read_voucher(brski_bytes_t *der, const char *path, apr_pool_t *pool)
{
    brski_bytes_t decoded;

    BRSKI_TRY(files_read(der, path, pool));
    if (der->len && der->data[0] != 0x30
        && !brski_base64_decode_liberal(&decoded, (const char *)der->data, der->len, pool)) {
        *der = decoded;
    }
    return BRSKI_OK;
}

static brski_err_t *run(call_t *call)
{
    apr_array_header_t *checks;
    check_want_t want = { 0 };
    brski_json_t *doc = brski_json_object(call->pool);
    brski_bytes_t der;
    int good;

    BRSKI_TRY(read_want(&want, call));
    if (!want.anchors) {
        return opt_usage(call, "say whom to trust: --anchor PEM, or --lab DIR");
    }
    BRSKI_TRY(read_voucher(&der, call->args[0], call->pool));
    good = check_voucher(&checks, der, &want, call->pool);
    brski_json_set_string(doc, "file", call->args[0]);
    brski_json_set_string(doc, "verdict", good ? "good" : "bad");
    brski_json_set(doc, "checks", check_json(checks, call->pool));
    say_json(call->say, doc);
    check_say(call->say, checks);
    say_line(call->say, "%s: %s", call->args[0], good ? "a pledge accepts this voucher"
                                                      : "a pledge refuses this voucher");
    call->status = good ? EXIT_DONE : EXIT_REFUSED;
    return BRSKI_OK;
}

static const opt_t options[] = {
    { "anchor", 0, "PEM", "what the pledge trusts; may be repeated" },
    { "lab", 0, "DIR", "trust the manufacturer of this lab" },
    { "device", 0, "SERIAL", "be this device of the lab" },
    { "idevid", 0, "PEM", "be the device with this certificate" },
    { "serial", 0, "TEXT", "the pledge's serial number" },
    { "nonce", 0, "TEXT", "the nonce it sent" },
    { "request", 0, "FILE", "serial number and nonce of this request" },
    { "nonceless-ok", 0, NULL, "a voucher without nonce is fine" },
    { "registrar", 0, "PEM", "its chain must lead to the pinned key" },
    { "at", 0, "TIME", "judge as of this time (now)" },
    { "no-clock", 0, NULL, "the pledge knows no time" },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "verify", "FILE", 1, 1, "Judges a voucher as a strict pledge does, check by check", options,
      "Exit status 0: accepted, 1: refused.", run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = {"verify", "judge a voucher as a strict pledge does", 3, commands,
                                NULL};
COMMAND_GROUP(group)
