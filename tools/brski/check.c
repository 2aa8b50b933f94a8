/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: the strict pledge, as check.h says.
 */
#include "check.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_time.h"
#include "brski_voucher.h"
#include "show.h"

/* Clocks differ; RFC 8995 names no tolerance. */
#define SKEW apr_time_from_sec(300)

typedef struct judge_t {
    apr_array_header_t *checks;
    const check_want_t *want;
    const brski_signed_t *signed_voucher;
    const brski_voucher_t *v;
    int good;
    apr_pool_t *pool;
} judge_t;

static void say_check(judge_t *j, const char *section, const char *name, int passed,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void say_check(judge_t *j, const char *section, const char *name, int passed,
                      const char *fmt, ...)
{
    check_t *check = apr_array_push(j->checks);
    va_list ap;

    va_start(ap, fmt);
    check->section = section;
    check->name = name;
    check->passed = passed;
    check->text = apr_pvsprintf(j->pool, fmt, ap);
    va_end(ap);
    if (passed == 0) {
        j->good = 0;
    }
}

static const char *printable(judge_t *j, const char *text)
{
    return brski_printable(text, 128, j->pool);
}

/* ---- the checks, in the order a pledge makes them ---- */

static void judge_signature(judge_t *j)
{
    const brski_cms_t *cms = j->signed_voucher->cms;
    brski_err_t *err = brski_cms_verify(cms, j->pool);

    if (err) {
        say_check(j, "8366-5.4", "signature", 0, "%s", show_sentence(err, j->pool));
    }
    else {
        say_check(j, "8366-5.4", "signature", 1, "by %s", cms->signer->subject);
    }
}

static void judge_chain(judge_t *j)
{
    const check_want_t *want = j->want;
    const brski_cms_t *cms = j->signed_voucher->cms;
    int flags = want->at ? 0 : BRSKI_VERIFY_IGNORE_EXPIRY;
    brski_chain_t *chain;
    brski_err_t *err;

    if (!want->anchors) {
        say_check(j, "5.6.1", "chain", -1, "no anchor was given (--anchor)");
        return;
    }
    if (!cms->signer) {
        say_check(j, "5.6.1", "chain", 0, "the signer's certificate is not in the voucher");
        return;
    }
    err = brski_anchors_verify(&chain, want->anchors, cms->signer, cms->certs, want->at, SKEW,
                               flags, j->pool, j->pool);
    if (err) {
        say_check(j, "5.6.1", "chain", 0, "%s", show_sentence(err, j->pool));
        return;
    }
    say_check(j, "5.6.1", "chain", 1, "to %s",
              APR_ARRAY_IDX(chain->certs, chain->certs->nelts - 1, const brski_cert_t *)->subject);
}

static void judge_serial(judge_t *j)
{
    const char *serial = j->want->serial_number;

    if (!serial) {
        say_check(j, "5.6.1", "serial-number", -1, "it is %s; none was given (--serial)",
                  printable(j, j->v->serial_number));
    }
    else {
        say_check(j, "5.6.1", "serial-number", strcmp(serial, j->v->serial_number) == 0, "it is %s",
                  printable(j, j->v->serial_number));
    }
}

static void judge_nonce(judge_t *j)
{
    const char *nonce = j->v->nonce;

    if (!nonce) {
        say_check(j, "5.6.1", "nonce", j->want->nonceless_ok, "the voucher has none%s",
                  j->want->nonceless_ok ? ", which is allowed" : " (--nonceless-ok allows that)");
    }
    else if (!j->want->nonce) {
        say_check(j, "5.6.1", "nonce", -1, "it is %s; none was given (--nonce)",
                  printable(j, nonce));
    }
    else {
        say_check(j, "5.6.1", "nonce", strcmp(nonce, j->want->nonce) == 0, "it is %s",
                  printable(j, nonce));
    }
}

static void judge_times(judge_t *j)
{
    const brski_voucher_t *v = j->v;
    const char *created = v->created_on ? brski_time_rfc3339(v->created_on, j->pool) : "absent";

    say_check(j, "8366-5.3", "created-on",
              v->created_on != 0 && (!j->want->at || v->created_on <= j->want->at + SKEW), "%s%s",
              created, v->created_on > j->want->at + SKEW && j->want->at ? ", in the future" : "");
    if (!v->expires_on) {
        say_check(j, "8366-5.3", "expires-on", 1, "the voucher has no end");
    }
    else if (!j->want->at) {
        say_check(j, "8366-5.3", "expires-on", -1, "%s, without a clock",
                  brski_time_rfc3339(v->expires_on, j->pool));
    }
    else {
        say_check(j, "8366-5.3", "expires-on", v->expires_on > j->want->at, "%s",
                  brski_time_rfc3339(v->expires_on, j->pool));
    }
}

/* RFC 8366 5.3: what must not stand beside what. */
static void judge_exclusions(judge_t *j)
{
    if (j->v->nonce && j->v->expires_on) {
        say_check(j, "8366-5.3", "exclusions", 0, "nonce and expires-on exclude each other");
    }
    else if (j->v->last_renewal_date && !j->v->expires_on) {
        say_check(j, "8366-5.3", "exclusions", 0, "last-renewal-date needs expires-on");
    }
    else if (j->v->assertion == BRSKI_ASSERTION_NONE) {
        say_check(j, "8366-5.3", "assertion", 0, "the voucher has none");
    }
    else {
        say_check(j, "8366-5.3", "assertion", 1, "%s", brski_assertion_text(j->v->assertion));
    }
}

static void judge_issuer(judge_t *j)
{
    const char *keyid, *name;

    if (!j->v->idevid_issuer.len || !j->want->idevid) {
        return;
    }
    brski_idevid_issuer_parse(&keyid, &name, j->v->idevid_issuer, j->pool);
    say_check(j, "8366-5.3", "idevid-issuer",
              (keyid && strcmp(keyid, brski_hex(j->want->idevid->aki_keyid, j->pool)) == 0)
                  || (name && strcmp(name, j->want->idevid->issuer) == 0),
              "it is %s", keyid ? keyid : name ? name : "of an unknown form");
}

/* RFC 8995 5.6.2: the registrar's TLS certificate must lead to the pinned one; only the key
 * matters. */
static void judge_registrar(judge_t *j, const brski_cert_t *pin)
{
    int i;

    if (!j->want->registrar) {
        return;
    }
    for (i = 0; i < j->want->registrar->nelts; i++) {
        const brski_cert_t *cert = APR_ARRAY_IDX(j->want->registrar, i, const brski_cert_t *);

        if (memcmp(cert->spki_hash, pin->spki_hash, sizeof(pin->spki_hash)) == 0) {
            say_check(j, "5.6.2", "registrar", 1, "the pinned key is in its chain: %s",
                      cert->subject);
            return;
        }
    }
    say_check(j, "5.6.2", "registrar", 0, "the pinned key is not in its chain");
}

static void judge_pin(judge_t *j)
{
    const brski_cert_t *pin;
    brski_err_t *err;

    if (j->v->pinned_domain_cert.len == 0) {
        say_check(j, "8366-5.3", "pinned-domain-cert", 0, "the voucher pins nothing");
        return;
    }
    err = brski_cert_parse(&pin, j->v->pinned_domain_cert, &brski_limits_default, NULL, j->pool);
    if (err) {
        say_check(j, "8366-5.3", "pinned-domain-cert", 0, "%s", show_sentence(err, j->pool));
        return;
    }
    say_check(j, "8366-5.3", "pinned-domain-cert", 1, "%s, domainID %s", pin->subject,
              brski_domain_id(pin, j->pool));
    judge_registrar(j, pin);
}

int check_voucher(apr_array_header_t **checks, brski_bytes_t der, const check_want_t *want,
                  apr_pool_t *pool)
{
    judge_t j = { apr_array_make(pool, 12, sizeof(check_t)), want, NULL, NULL, 1, pool };
    brski_signed_t *opened;
    brski_err_t *err;

    *checks = j.checks;
    err = brski_signed_open(&opened, der, BRSKI_FORMAT_CMS, BRSKI_VOUCHER, &brski_limits_default,
                            NULL, pool);
    if (err) {
        say_check(&j, "8366-5", "form", 0, "%s", show_sentence(err, pool));
        return 0;
    }
    j.signed_voucher = opened;
    j.v = opened->voucher;
    say_check(&j, "8366-5", "form", 1, "a voucher in CMS, %" APR_SIZE_T_FMT " octets", der.len);
    judge_signature(&j);
    judge_chain(&j);
    judge_serial(&j);
    judge_nonce(&j);
    judge_issuer(&j);
    judge_times(&j);
    judge_exclusions(&j);
    judge_pin(&j);
    return j.good;
}

/* ---- telling ---- */

static const char *result_of(const check_t *check)
{
    return check->passed > 0 ? "passed" : check->passed == 0 ? "failed" : "not checked";
}

brski_json_t *check_json(const apr_array_header_t *checks, apr_pool_t *pool)
{
    brski_json_t *array = brski_json_array(pool);
    int i;

    for (i = 0; i < checks->nelts; i++) {
        const check_t *check = &APR_ARRAY_IDX(checks, i, check_t);
        brski_json_t *row = brski_json_object(pool);

        brski_json_set_string(row, "section", check->section);
        brski_json_set_string(row, "check", check->name);
        brski_json_set_string(row, "result", result_of(check));
        brski_json_set_string(row, "text", check->text);
        brski_json_append(array, row);
    }
    return array;
}

void check_say(say_t *say, const apr_array_header_t *checks)
{
    int i;

    for (i = 0; i < checks->nelts; i++) {
        const check_t *check = &APR_ARRAY_IDX(checks, i, check_t);

        say_line(say, "  %-12s %-20s %s", result_of(check), check->name, check->text);
    }
}
