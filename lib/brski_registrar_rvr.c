/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_rvr.c: the registrar's own voucher-request, RFC 8995 5.5: what the device
 * says, what the registrar knows of it, the pledge's request as it came, signed with the key
 * that the pledge saw in TLS.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"

static const brski_cert_t *end_entity(const brski_registrar_cert_t *own)
{
    return APR_ARRAY_IDX(own->chain, 0, const brski_cert_t *);
}

brski_err_t *brski_registrar_own_cert(const brski_registrar_cert_t **own,
                                      const brski_registrar_t *registrar,
                                      const brski_cert_t *server_cert, apr_pool_t *pool)
{
    int i, away = 0;

    *own = NULL;
    for (i = 0; server_cert && i < registrar->certificates->nelts; i++) {
        const brski_registrar_cert_t *c = APR_ARRAY_IDX(registrar->certificates, i,
                                                        const brski_registrar_cert_t *);

        if (strcmp(end_entity(c)->spki_hex, server_cert->spki_hex)) {
            continue;
        }
        if (c->key) {
            *own = c;
            return BRSKI_OK;
        }
        away = 1;
    }
    return brski_err(BRSKI_E_REGISTRAR_KEY, NULL, pool, "%s: %s",
                     server_cert ? server_cert->subject : "(no server certificate)",
                     away ? "its key is away" : "no registrar certificate has its key");
}

/* 5.5.2: whatever is included may be pinned. */
static const apr_array_header_t *included(const brski_registrar_cert_t *own,
                                          brski_rvr_chain_t rvr_chain, apr_pool_t *pool)
{
    apr_array_header_t *certs;

    if (rvr_chain != BRSKI_RVR_EE) {
        return own->chain;
    }
    certs = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    APR_ARRAY_PUSH(certs, const brski_cert_t *) = end_entity(own);
    return certs;
}

/* 5.5: nonce, assertion and request are the pledge's; serial-number and issuer the IDevID's. A
 * proximity-registrar-cert "MUST NOT be present". */
static brski_err_t *write_json(const char **json, const brski_device_id_t *device,
                               const brski_signed_t *pvr, apr_time_t now, apr_pool_t *pool)
{
    brski_voucher_t v;

    memset(&v, 0, sizeof(v));
    v.kind = BRSKI_VOUCHER_REQUEST;
    v.created_on = now;
    v.nonce = pvr->voucher->nonce;
    v.serial_number = device->serial_number;
    v.idevid_issuer = brski_idevid_issuer_make(device->idevid, pool);
    v.assertion = pvr->voucher->assertion;
    v.prior_signed_voucher_request = pvr->raw;
    v.domain_cert_revocation_checks = -1;
    return brski_voucher_json(json, &v, pool);
}

brski_err_t *brski_registrar_make_rvr(brski_bytes_t *rvr, const brski_registrar_t *registrar,
                                      const brski_device_id_t *device, const brski_signed_t *pvr,
                                      const brski_cert_t *server_cert, apr_time_t now,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const brski_registrar_cert_t *own;
    /* a MASA reads what its devices write */
    brski_econtent_t econtent = pvr->cms->econtent == BRSKI_ECONTENT_DATA
                                    ? BRSKI_ECONTENT_DATA : BRSKI_ECONTENT_ANIMA_JSON;
    const char *json;

    BRSKI_TRY(brski_registrar_own_cert(&own, registrar, server_cert, scratch_pool));
    BRSKI_TRY(write_json(&json, device, pvr, now, scratch_pool));
    return brski_cms_sign(rvr, brski_bytes_str(json), econtent,
                          included(own, registrar->rvr_chain, scratch_pool), own->key, now,
                          result_pool, scratch_pool);
}

/*
 * White space that means nothing (RFC 8259 2), never the same again. RSA signs the same text with
 * the same octets, and times are told in seconds: two requests of one second would be copies of
 * each other, which prove nothing to a MASA.
 */
static const char *blanks(const brski_registrar_t *registrar, apr_pool_t *pool)
{
    unsigned char random[8];
    char *text = apr_palloc(pool, 8 * sizeof(random) + 1);
    apr_size_t i;

    registrar->ctx->random(random, sizeof(random), registrar->ctx->baton);
    for (i = 0; i < 8 * sizeof(random); i++) {
        text[i] = random[i / 8] >> (i % 8) & 1 ? '\n' : ' ';
    }
    text[i] = '\0';
    return text;
}

brski_err_t *brski_registrar_fresh_rvr(brski_bytes_t *rvr, const brski_registrar_t *registrar,
                                       const brski_request_t *request, apr_time_t now,
                                       apr_pool_t *pool)
{
    const brski_registrar_cert_t *own;
    brski_signed_t *old;
    const char *json;

    BRSKI_TRY(brski_signed_open(&old, request->rvr, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                                registrar->limits, registrar->cache, pool));
    BRSKI_TRY(brski_registrar_own_cert(&own, registrar, old->cms->signer, pool));
    old->voucher->created_on = now;
    BRSKI_TRY(brski_voucher_json(&json, old->voucher, pool));
    json = apr_pstrcat(pool, json, blanks(registrar, pool), NULL);
    return brski_cms_sign(rvr, brski_bytes_str(json), old->cms->econtent,
                          included(own, registrar->rvr_chain, pool), own->key, now, pool, pool);
}
