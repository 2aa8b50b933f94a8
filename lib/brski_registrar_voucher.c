/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_voucher.c: a voucher before it is forwarded, RFC 8995 5.6: is it the answer
 * to our request, for this device and this domain, and signed by somebody whom the operator
 * lets sign for this manufacturer? The pledge checks again, with anchors of its own; a wrong
 * one must not cost it its join.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_err.h"
#include "brski_time.h"

/* created-on decides nothing; further off it is not the time of this answer. */
#define CREATED_SLACK apr_time_from_sec(86400)

static brski_err_t *wrong(const brski_err_t *cause, apr_pool_t *pool, const char *what)
{
    return brski_err(BRSKI_E_VOUCHER_WRONG, cause, pool, "%s", what);
}

/* ---- pins ---- */

static void push_all(apr_array_header_t *to, const apr_array_header_t *certs)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        APR_ARRAY_PUSH(to, const brski_cert_t *) = APR_ARRAY_IDX(certs, i, const brski_cert_t *);
    }
}

brski_err_t *brski_registrar_pins(apr_array_header_t **pins, const brski_registrar_t *registrar,
                                  const brski_request_t *request, apr_pool_t *pool)
{
    brski_signed_t *rvr;
    int i;

    *pins = apr_array_make(pool, 8, sizeof(const brski_cert_t *));
    BRSKI_TRY(brski_signed_open(&rvr, request->rvr, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                                registrar->limits, registrar->cache, pool));
    push_all(*pins, rvr->cms->certs);
    for (i = 0; rvr->cms->signer && i < registrar->certificates->nelts; i++) {
        const brski_registrar_cert_t *own = APR_ARRAY_IDX(registrar->certificates, i,
                                                          const brski_registrar_cert_t *);
        const brski_cert_t *ee = APR_ARRAY_IDX(own->chain, 0, const brski_cert_t *);

        if (!strcmp(ee->spki_hex, rvr->cms->signer->spki_hex)) {
            push_all(*pins, own->chain);
        }
    }
    return BRSKI_OK;
}

/* 5.6: the domain that is pinned is ours, by the registrar's certificate or that of a CA above. */
static brski_err_t *check_pin(const brski_voucher_t *v, const brski_registrar_t *registrar,
                              const brski_request_t *request, apr_pool_t *pool)
{
    apr_array_header_t *pins;
    const brski_cert_t *pinned;
    int i;

    if (!v->pinned_domain_cert.len) {
        return wrong(NULL, pool, "it pins no certificate");
    }
    BRSKI_TRY(brski_registrar_pins(&pins, registrar, request, pool));
    for (i = 0; i < pins->nelts; i++) {
        if (brski_bytes_equal(APR_ARRAY_IDX(pins, i, const brski_cert_t *)->der,
                              v->pinned_domain_cert)) {
            return BRSKI_OK;
        }
    }
    if (brski_cert_parse(&pinned, v->pinned_domain_cert, registrar->limits, NULL, pool)) {
        return wrong(NULL, pool, "what it pins is no certificate");
    }
    return wrong(NULL, pool, apr_psprintf(pool, "it pins %s, which is none of ours",
                                          brski_cert_short_subject(pinned, pool)));
}

/* ---- leaves ---- */

static brski_err_t *check_names(const brski_voucher_t *v, const brski_request_t *request,
                                apr_pool_t *pool)
{
    if (strcmp(v->serial_number, request->serial_number)) {
        return wrong(NULL, pool, apr_psprintf(pool, "it is for the device %s",
                                              brski_printable(v->serial_number, 128, pool)));
    }
    if (!v->nonce != !request->nonce || (v->nonce && strcmp(v->nonce, request->nonce))) {
        return wrong(NULL, pool, apr_psprintf(pool, "its nonce is %s",
                                              brski_printable(v->nonce, 128, pool)));
    }
    if (v->assertion == BRSKI_ASSERTION_NONE) {
        return wrong(NULL, pool, "it asserts nothing that is known");
    }
    return BRSKI_OK;
}

static brski_err_t *check_times(const brski_voucher_t *v, const brski_request_t *request,
                                const brski_registrar_t *registrar, apr_time_t now,
                                apr_pool_t *pool)
{
    if (!v->created_on || v->created_on > now + CREATED_SLACK
        || v->created_on < request->created_at - CREATED_SLACK) {
        return wrong(NULL, pool, v->created_on
                     ? apr_pstrcat(pool, "it says that it was made on ",
                                   brski_time_rfc3339(v->created_on, pool), NULL)
                     : "it does not say when it was made");
    }
    if (v->expires_on && v->expires_on <= now - registrar->skew) {
        return wrong(NULL, pool, apr_psprintf(pool, "it expired on %s",
                                              brski_time_rfc3339(v->expires_on, pool)));
    }
    return BRSKI_OK;
}

/* ---- signer ---- */

static int is_distrusted(const brski_voucher_trust_t *trust, const apr_array_header_t *certs)
{
    int i, k;

    for (i = 0; trust->distrusted && i < trust->distrusted->nelts; i++) {
        for (k = 0; k < certs->nelts; k++) {
            if (!strcmp(APR_ARRAY_IDX(trust->distrusted, i, const char *),
                        APR_ARRAY_IDX(certs, k, const brski_cert_t *)->spki_hex)) {
                return 1;
            }
        }
    }
    return 0;
}

static brski_err_t *check_signer(const brski_signed_t *voucher, const brski_registrar_t *registrar,
                                 const brski_voucher_trust_t *trust, apr_time_t now,
                                 apr_pool_t *pool)
{
    const brski_cert_t *signer = voucher->cms->signer;
    brski_chain_t *path = NULL;
    brski_err_t *err = NULL;

    if (is_distrusted(trust, voucher->cms->certs)) {
        return brski_err(BRSKI_E_VOUCHER_SIGNER, NULL, pool, "%s: distrusted", signer->subject);
    }
    /* its issuer's root is often the signers' too, and its key is in strangers' hands */
    if (brski_cert_masa_url(signer, pool)) {
        return brski_err(BRSKI_E_VOUCHER_SIGNER, NULL, pool, "%s: an IDevID, which signs no "
                         "vouchers", signer->subject);
    }
    if (trust->anchors) {
        err = brski_anchors_verify(&path, trust->anchors, signer, voucher->cms->certs, now,
                                   registrar->skew, 0, pool, pool);
    }
    if (!trust->anchors || err) {
        return brski_err(BRSKI_E_VOUCHER_SIGNER, err, pool, "%s", signer->subject);
    }
    if (is_distrusted(trust, path->certs)) {
        return brski_err(BRSKI_E_VOUCHER_SIGNER, NULL, pool, "%s: distrusted", signer->subject);
    }
    return BRSKI_OK;
}

/* ---- all of it ---- */

static brski_err_t *open_voucher(brski_signed_t **voucher, const brski_registrar_t *registrar,
                                 brski_bytes_t raw, apr_pool_t *pool)
{
    brski_err_t *err = brski_signed_open(voucher, raw, BRSKI_FORMAT_CMS, BRSKI_VOUCHER,
                                         registrar->limits, registrar->cache, pool);

    if (err) {
        *voucher = NULL;
        return wrong(err, pool, "it is no voucher");
    }
    if (!(*voucher)->cms->signer) {
        return wrong(NULL, pool, "it does not contain its signer's certificate");
    }
    err = brski_cms_verify((*voucher)->cms, pool);
    return err ? wrong(err, pool, "its signature does not verify") : BRSKI_OK;
}

brski_err_t *brski_registrar_check_voucher(brski_signed_t **voucher,
                                           const brski_registrar_t *registrar,
                                           const brski_request_t *request,
                                           const brski_voucher_trust_t *trust, brski_bytes_t raw,
                                           apr_time_t now, apr_pool_t *pool)
{
    const brski_voucher_t *v;

    /* 5.6     a voucher, whole */
    BRSKI_TRY(open_voucher(voucher, registrar, raw, pool));
    v = (*voucher)->voucher;
    /* 5.6     for this device and this request of it */
    BRSKI_TRY(check_names(v, request, pool));
    /* 5.6.2   for this domain */
    BRSKI_TRY(check_pin(v, registrar, request, pool));
    /* 5.6     now */
    BRSKI_TRY(check_times(v, request, registrar, now, pool));
    /* 5.6     by the manufacturer's authority */
    return check_signer(*voucher, registrar, trust, now, pool);
}

/* ---- the row's voucher ---- */

/* What humans have approved and distrusted. Several approvals are several anchors. */
static brski_err_t *decided(brski_voucher_trust_t *trust, const brski_registrar_job_t *job)
{
    apr_array_header_t *list, *good = apr_array_make(job->pool, 2, sizeof(const brski_cert_t *));
    apr_array_header_t *bad = apr_array_make(job->pool, 2, sizeof(const char *));
    brski_anchors_t *anchors;
    const brski_cert_t *cert;
    int i;

    BRSKI_TRY(brski_records_first_uses(&list, job->registrar->records, job->manufacturer->name,
                                       "voucher", job->pool, job->pool));
    for (i = 0; i < list->nelts; i++) {
        const brski_first_use_t *f = APR_ARRAY_IDX(list, i, const brski_first_use_t *);

        if (!strcmp(f->state, "distrusted")) {
            APR_ARRAY_PUSH(bad, const char *) = f->spki;
        }
        else if (!strcmp(f->state, "approved") && f->chain->nelts
                 && !brski_cert_parse(&cert, APR_ARRAY_IDX(f->chain, f->chain->nelts - 1,
                                                           brski_bytes_t),
                                      job->registrar->limits, NULL, job->pool)) {
            APR_ARRAY_PUSH(good, const brski_cert_t *) = cert;
        }
    }
    trust->distrusted = bad;
    if (good->nelts) {
        BRSKI_TRY(brski_anchors_make(&anchors, good, job->pool));
        trust->anchors = anchors;
    }
    return BRSKI_OK;
}

static apr_array_header_t *der_of(const apr_array_header_t *certs, apr_pool_t *pool)
{
    apr_array_header_t *chain = apr_array_make(pool, certs->nelts, sizeof(brski_bytes_t));
    int i;

    for (i = 0; i < certs->nelts; i++) {
        APR_ARRAY_PUSH(chain, brski_bytes_t) = APR_ARRAY_IDX(certs, i, const brski_cert_t *)->der;
    }
    return chain;
}

/* The top of what the voucher carries, which a human compares with the manufacturer's word. */
static brski_err_t *ask_human(brski_registrar_job_t *job, const brski_signed_t *voucher)
{
    brski_first_use_t shown = { .purpose = "voucher", .state = "waiting" }, *known;
    const brski_cert_t *top;
    brski_chain_t *chain;

    BRSKI_TRY(brski_chain_build(&chain, voucher->cms->signer, voucher->cms->certs, job->pool,
                                job->pool));
    top = APR_ARRAY_IDX(chain->certs, chain->certs->nelts - 1, const brski_cert_t *);
    shown.manufacturer = job->manufacturer->name;
    shown.spki = top->spki_hex;
    shown.host = job->request->masa_url;
    shown.chain = der_of(chain->certs, job->pool);
    shown.first_seen_at = job->now;
    BRSKI_TRY(brski_records_first_use(&known, job->registrar->records, &shown, job->pool,
                                      job->pool));
    if (known->first_seen_at == job->now) {
        brski_job_alarm(job, "voucher-signer-new", "Vouchers of %s are signed by a chain that "
                        "nobody has approved yet: %s, SHA-256 of its key %s; compare it with the "
                        "manufacturer's and approve or distrust it", job->manufacturer->name,
                        top->subject, top->spki_hex);
    }
    brski_job_park(job, "the voucher's signer waits for approval");
    return BRSKI_OK;
}

/* A wrong voucher is not kept; it is asked for again later. One of a stranger is, for the human's
 * answer may come when the MASA would not give it again. */
static brski_err_t *not_good(brski_registrar_job_t *job, const brski_signed_t *voucher,
                             brski_err_t *err, const brski_voucher_trust_t *trust)
{
    if (err->code == BRSKI_E_VOUCHER_SIGNER) {
        if (job->manufacturer->voucher_trust == BRSKI_TRUST_TOFU
            && !is_distrusted(trust, voucher->cms->certs)) {
            return ask_human(job, voucher);
        }
        brski_job_refuse(job, err, 0);
        return BRSKI_OK;
    }
    job->request->voucher.len = 0;
    brski_job_trouble(job, err, "voucher-wrong", 1, -1);
    return BRSKI_OK;
}

brski_err_t *brski_registrar_verify_voucher(int *good, brski_registrar_job_t *job)
{
    brski_voucher_trust_t trust = { NULL, NULL };
    brski_signed_t *voucher;
    brski_err_t *err;

    *good = 0;
    if (job->manufacturer->voucher_trust == BRSKI_TRUST_TOFU) {
        BRSKI_TRY(decided(&trust, job));
    }
    else {
        trust.anchors = job->manufacturer->voucher_anchors;
    }
    err = brski_registrar_check_voucher(&voucher, job->registrar, job->request, &trust,
                                        job->request->voucher, job->now, job->pool);
    if (err) {
        return not_good(job, voucher, err, &trust);
    }
    *good = 1;
    return BRSKI_OK;
}
