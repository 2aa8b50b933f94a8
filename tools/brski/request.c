/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c: voucher-requests, as request.h says.
 */
#include "request.h"

#include <apr_strings.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_time.h"
#include "files.h"

#define NONCE_OCTETS 16

const char *request_nonce(const brski_ctx_t *ctx, apr_pool_t *pool)
{
    unsigned char octets[NONCE_OCTETS];

    ctx->random(octets, sizeof(octets), ctx->baton);
    return brski_base64_encode(brski_bytes(octets, sizeof(octets)), pool);
}

/* ---- members ---- */

/* An object being filled, with what shall differ. */
typedef struct draft_t {
    brski_json_t *object;
    const edits_t *edits;
    apr_pool_t *pool;
} draft_t;

static int names(const char *edit, const char *member)
{
    size_t len = strlen(member);

    return strncmp(edit, member, len) == 0 && (edit[len] == '=' || edit[len] == '\0');
}

static int listed(const apr_array_header_t *edits, const char *member)
{
    int i;

    for (i = 0; edits && i < edits->nelts; i++) {
        if (names(APR_ARRAY_IDX(edits, i, const char *), member)) {
            return 1;
        }
    }
    return 0;
}

static void put_text(draft_t *d, const char *member, const char *value)
{
    if (value && !listed(d->edits->set, member) && !listed(d->edits->unset, member)) {
        brski_json_set_string(d->object, member, value);
    }
}

static void put_bytes(draft_t *d, const char *member, brski_bytes_t value)
{
    put_text(d, member, value.len ? brski_base64_encode(value, d->pool) : NULL);
}

static void put_time(draft_t *d, const char *member, apr_time_t value)
{
    put_text(d, member, value ? brski_time_rfc3339(value, d->pool) : NULL);
}

/* A value as JSON, which the library reads only inside an object; text when it is no JSON. */
static void put_edit(draft_t *d, const char *member, const char *value)
{
    const char *wrapped = apr_pstrcat(d->pool, "{\"v\":", value, "}", NULL);
    brski_json_t *json;

    if (brski_json_parse(&json, brski_bytes_str(wrapped), &brski_limits_default, d->pool)
        || brski_json_size(json) != 1) {
        brski_json_set_string(d->object, member, value);
    }
    else {
        brski_json_set(d->object, member, brski_json_get(json, "v"));
    }
}

static brski_err_t *put_edits(draft_t *d)
{
    const apr_array_header_t *set = d->edits->set;
    int i;

    for (i = 0; set && i < set->nelts; i++) {
        char *edit = apr_pstrdup(d->pool, APR_ARRAY_IDX(set, i, const char *));
        char *value = strchr(edit, '=');

        if (!value || value == edit) {
            return say_refuse(d->pool, "--set %s: write member=value.",
                              brski_printable(edit, 80, d->pool));
        }
        *value++ = '\0';
        put_edit(d, edit, value);
    }
    return BRSKI_OK;
}

/* The signed text: of a file, or the object inside its one top-level member. */
static brski_err_t *finish(brski_bytes_t *text, draft_t *d)
{
    brski_json_t *top = brski_json_object(d->pool);

    if (d->edits->content_file) {
        return files_read(text, d->edits->content_file, d->pool);
    }
    BRSKI_TRY(put_edits(d));
    brski_json_set(top, "ietf-voucher-request:voucher", d->object);
    *text = brski_bytes_str(brski_json_text(top, 0, d->pool));
    return BRSKI_OK;
}

/* ---- requests ---- */

brski_err_t *request_pvr(brski_bytes_t *out, const pvr_t *pvr, const signing_t *signing,
                         apr_pool_t *pool)
{
    draft_t d = { brski_json_object(pool), &pvr->edits, pool };
    brski_bytes_t text;

    /* RFC 8995 5.2: without a registrar to name there is no proximity to claim */
    put_text(&d, "assertion", pvr->registrar ? "proximity" : NULL);
    put_time(&d, "created-on", pvr->created_on);
    put_text(&d, "serial-number", pvr->serial_number);
    put_text(&d, "nonce", pvr->nonce);
    put_bytes(&d, "proximity-registrar-cert",
              pvr->registrar ? pvr->registrar->der : brski_bytes(NULL, 0));
    BRSKI_TRY(finish(&text, &d));
    return sign_content(out, text, signing, pool);
}

brski_err_t *request_rvr(brski_bytes_t *out, const rvr_t *rvr, const signing_t *signing,
                         apr_pool_t *pool)
{
    draft_t d = { brski_json_object(pool), &rvr->edits, pool };
    brski_bytes_t text;

    put_text(&d, "assertion", rvr->assertion);
    put_time(&d, "created-on", rvr->created_on);
    put_text(&d, "serial-number", rvr->serial_number);
    put_bytes(&d, "idevid-issuer", rvr->idevid_issuer);
    put_text(&d, "nonce", rvr->nonce);
    put_bytes(&d, "prior-signed-voucher-request", rvr->prior);
    BRSKI_TRY(finish(&text, &d));
    return sign_content(out, text, signing, pool);
}

brski_err_t *request_rvr_from(rvr_t *rvr, brski_bytes_t prior, apr_pool_t *pool)
{
    brski_signed_t *pvr;

    rvr->prior = prior;
    BRSKI_TRY(brski_signed_open(&pvr, prior, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                                &brski_limits_default, NULL, pool));
    rvr->nonce = pvr->voucher->nonce;
    rvr->assertion = brski_assertion_text(pvr->voucher->assertion);
    rvr->serial_number = pvr->voucher->serial_number;
    if (pvr->cms->signer) {
        rvr->idevid_issuer = brski_idevid_issuer_make(pvr->cms->signer, pool);
        if (pvr->cms->signer->serial_number) {
            rvr->serial_number = pvr->cms->signer->serial_number;
        }
    }
    return BRSKI_OK;
}
