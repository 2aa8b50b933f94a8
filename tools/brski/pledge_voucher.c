/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge_voucher.c: how a pledge gets its voucher, judges it, and says what it thinks: RFC 8995
 * sections 5.2 to 5.7.
 */
#include <apr_strings.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "check.h"
#include "pledge.h"
#include "request.h"
#include "show.h"

#define BASE "/.well-known/brski/"
#define VOUCHER_TYPE "application/voucher-cms+json"

/* ---- the request ---- */

/* A request of before, to be sent again; what it says is what the voucher is held against. */
static brski_err_t *take_replay(pledge_t *p)
{
    brski_signed_t *opened;

    p->request = p->plan.replay;
    pledge_tell(p, "an old request is sent again, on purpose");
    if (!brski_signed_open(&opened, p->request, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                           &brski_limits_default, NULL, p->pool)) {
        p->nonce = opened->voucher->nonce;
    }
    return BRSKI_OK;
}

brski_err_t *pledge_make_request(pledge_t *p)
{
    signing_t signing;
    pvr_t pvr;

    if (p->plan.replay.len) {
        return take_replay(p);
    }
    memset(&signing, 0, sizeof(signing));
    signing.who = p->idevid;
    signing.econtent = BRSKI_ECONTENT_ANIMA_JSON;
    signing.at = p->ctx->now(p->ctx->baton);
    memset(&pvr, 0, sizeof(pvr));
    pvr.serial_number = p->plan.serial ? p->plan.serial
                                       : identity_ee(&p->idevid)->serial_number;
    pvr.nonce = p->nonce = p->plan.nonce ? p->plan.nonce : request_nonce(p->ctx, p->pool);
    pvr.created_on = signing.at;
    pvr.registrar = APR_ARRAY_IDX(p->peer, 0, const brski_cert_t *);
    BRSKI_TRY(request_pvr(&p->request, &pvr, &signing, p->pool));
    pledge_tell(p, "serial-number %s, nonce %s, assertion proximity",
                brski_printable(pvr.serial_number, 128, p->pool),
                brski_printable(pvr.nonce, 128, p->pool));
    pledge_tell(p, "proximity-registrar-cert %s", pvr.registrar->subject);
    pledge_fact(p, "serial_number", pvr.serial_number);
    pledge_fact(p, "nonce", pvr.nonce);
    return BRSKI_OK;
}

/* ---- the voucher ---- */

brski_err_t *pledge_ask_voucher(pledge_t *p)
{
    pledge_send_t send = { "POST", BASE "requestvoucher", VOUCHER_TYPE, VOUCHER_TYPE, p->request,
                           NULL };
    pledge_answer_t answer;

    BRSKI_TRY(pledge_send(&answer, p, &send));
    if (answer.status != 200) {
        return pledge_refused(p, "No voucher", &answer);
    }
    BRSKI_TRY(pledge_expect_type(p, &answer, VOUCHER_TYPE));
    if (answer.body.len == 0) {
        return say_refuse(p->pool, "The server answered 200 with nothing in it.");
    }
    p->voucher = answer.body;
    pledge_tell(p, "a voucher of %" APR_SIZE_T_FMT " octets", p->voucher.len);
    pledge_fact(p, "voucher", brski_base64_encode(p->voucher, p->pool));
    return BRSKI_OK;
}

/* ---- its verification ---- */

/* What failed, in one sentence. */
static const char *first_failed(const apr_array_header_t *checks, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < checks->nelts; i++) {
        const check_t *check = &APR_ARRAY_IDX(checks, i, check_t);

        if (check->passed == 0) {
            return apr_psprintf(pool, "%s: %s", check->name, check->text);
        }
    }
    return "nothing failed";
}

static void tell_checks(pledge_t *p)
{
    int i;

    for (i = 0; i < p->checks->nelts; i++) {
        const check_t *check = &APR_ARRAY_IDX(p->checks, i, check_t);

        pledge_tell(p, "%-7s %-18s %s",
                    check->passed > 0 ? "good" : check->passed ? "unknown" : "WRONG",
                    check->name, check->text);
    }
}

static brski_err_t *take_pin(pledge_t *p)
{
    brski_signed_t *opened;

    BRSKI_TRY(brski_signed_open(&opened, p->voucher, BRSKI_FORMAT_CMS, BRSKI_VOUCHER,
                                &brski_limits_default, NULL, p->pool));
    return brski_cert_parse(&p->pin, opened->voucher->pinned_domain_cert, &brski_limits_default,
                            NULL, p->pool);
}

/* The device's own serial number counts, not what a tester made it write into the request. */
brski_err_t *pledge_verify_voucher(pledge_t *p)
{
    check_want_t want;
    int good;

    memset(&want, 0, sizeof(want));
    want.anchors = p->plan.manufacturer;
    want.at = p->ctx->now(p->ctx->baton);
    want.serial_number = identity_ee(&p->idevid)->serial_number;
    want.nonce = p->nonce;
    want.nonceless_ok = p->plan.nonceless_ok;
    want.idevid = identity_ee(&p->idevid);
    good = check_voucher(&p->checks, p->voucher, &want, p->pool);
    tell_checks(p);
    if (!good) {
        return say_refuse(p->pool, "The voucher is not to be believed: %s",
                          first_failed(p->checks, p->pool));
    }
    return take_pin(p);
}

/* ---- telemetry ---- */

static brski_bytes_t status_text(const char *reason, const char *fine, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_int(json, "version", 1);
    brski_json_set_bool(json, "status", reason == NULL);
    brski_json_set_string(json, "reason", reason ? reason : fine);
    return brski_bytes_str(brski_json_text(json, 0, pool));
}

/* RFC 8995 5.7, 5.9.4: the answer's status is of interest to people only. */
static brski_err_t *post_status(pledge_t *p, const char *path, brski_bytes_t text)
{
    pledge_send_t send = { "POST", path, "application/json", NULL, text, NULL };
    pledge_answer_t answer;

    BRSKI_TRY(pledge_send(&answer, p, &send));
    pledge_tell(p, "%.*s", (int)text.len, (const char *)text.data);
    pledge_tell(p, "the server answered %d, which changes nothing for the pledge", answer.status);
    pledge_fact(p, "status", apr_itoa(p->pool, answer.status));
    return BRSKI_OK;
}

brski_err_t *pledge_voucher_status(pledge_t *p, const char *reason)
{
    if (p->plan.status == PLEDGE_STATUS_NONE) {
        pledge_tell(p, "nothing is said, on purpose");
        return BRSKI_OK;
    }
    if (!reason && p->plan.status == PLEDGE_STATUS_FALSE) {
        reason = "refused on purpose";
    }
    return post_status(p, BASE "voucher_status",
                       status_text(reason, "the voucher is good", p->pool));
}

brski_err_t *pledge_enroll_status(pledge_t *p, const char *reason)
{
    return post_status(p, BASE "enrollstatus", status_text(reason, "enrolled", p->pool));
}
