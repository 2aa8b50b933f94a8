/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_device.c: which device a request means (RFC 8995 5.6: serial-number and, where that is
 * not enough, its issuer), whether the manufacturer still answers for it (10.4), and which signer
 * it trusts: a fact of its making that the importer wrote, never a guess.
 */
#include "brski_masa_steps.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"

#define NAME_PREFIX "name:"

const brski_product_t *brski_masa_product(const brski_masa_t *masa, const char *name)
{
    int i;

    for (i = 0; i < masa->products->nelts; i++) {
        const brski_product_t *p = APR_ARRAY_IDX(masa->products, i, const brski_product_t *);

        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

const brski_grant_t *brski_masa_grant(const brski_decision_t *d, const char *what)
{
    const brski_customer_t *customer = d->facts->customer;
    const brski_grant_t *general = NULL;
    int i;

    if (!customer) {
        return NULL;
    }
    for (i = 0; i < customer->grants->nelts; i++) {
        const brski_grant_t *g = APR_ARRAY_IDX(customer->grants, i, const brski_grant_t *);

        if (strcmp(g->what, what) || (g->until && g->until <= d->now)) {
            continue;
        }
        if (!strcmp(g->product, d->device->product)) {
            return g;                 /* one for this product line says more than one for all */
        }
        if (!*g->product) {
            general = g;
        }
    }
    return general;
}

/* ---- which device ---- */

/* Nonzero when one of the product line's anchors has this key identifier and this name; either may
 * be NULL, and then is not asked. */
static int anchors_say(const brski_product_t *product, const char *keyid, const char *name,
                       apr_pool_t *pool)
{
    const apr_array_header_t *certs;
    int i;

    if (!product) {
        return 0;
    }
    certs = brski_anchors_certs(product->idevid_anchors);
    for (i = 0; i < certs->nelts; i++) {
        const brski_cert_t *c = APR_ARRAY_IDX(certs, i, const brski_cert_t *);

        if ((!keyid || (c->ski.len && !strcasecmp(keyid, brski_hex(c->ski, pool))))
            && (!name || !strcmp(name, c->subject))) {
            return 1;
        }
    }
    return 0;
}

typedef enum match_t { MISMATCH = 0, MATCH, CANNOT_SAY } match_t;

/* Does a row that names its issuer agree with the request's idevid-issuer? */
static match_t row_issuer(const char *row, const brski_product_t *product, const char *keyid,
                          const char *name, apr_pool_t *pool)
{
    const char *row_name = NULL;

    if (!strncmp(row, NAME_PREFIX, sizeof(NAME_PREFIX) - 1)) {
        row_name = row + sizeof(NAME_PREFIX) - 1;
    }
    if (row_name && name) {
        return strcmp(row_name, name) ? MISMATCH : MATCH;
    }
    if (!row_name && keyid) {
        return strcasecmp(row, keyid) ? MISMATCH : MATCH;
    }
    /* one says a name, the other a key: an anchor that has both connects them */
    return anchors_say(product, row_name ? keyid : row, row_name ? row_name : name, pool)
               ? MATCH : CANNOT_SAY;
}

static match_t issuer_match(const brski_decision_t *d, const brski_device_t *device)
{
    const brski_product_t *product = brski_masa_product(d->masa, device->product);

    if (!d->issuer_keyid && !d->issuer_name) {
        return CANNOT_SAY;
    }
    if (device->idevid_issuer && *device->idevid_issuer) {
        return row_issuer(device->idevid_issuer, product, d->issuer_keyid, d->issuer_name,
                          d->pool);
    }
    return anchors_say(product, d->issuer_keyid, d->issuer_name, d->pool) ? MATCH : CANNOT_SAY;
}

static apr_array_header_t *rows_with(const brski_decision_t *d, match_t wanted)
{
    apr_array_header_t *rows = apr_array_make(d->pool, 2, sizeof(brski_device_t *));
    int i;

    for (i = 0; i < d->facts->devices->nelts; i++) {
        brski_device_t *row = APR_ARRAY_IDX(d->facts->devices, i, brski_device_t *);

        if (issuer_match(d, row) == wanted) {
            APR_ARRAY_PUSH(rows, brski_device_t *) = row;
        }
    }
    return rows;
}

/* Those whose product line made the IDevID that signed the pledge's request; all when none did. */
static apr_array_header_t *narrowed_by_prior(brski_decision_t *d, apr_array_header_t *rows)
{
    apr_array_header_t *narrowed = apr_array_make(d->pool, 2, sizeof(brski_device_t *));
    int i;

    for (i = 0; i < rows->nelts; i++) {
        brski_device_t *row = APR_ARRAY_IDX(rows, i, brski_device_t *);
        const brski_product_t *product = brski_masa_product(d->masa, row->product);

        if (product && brski_masa_prior_is_of(d, product, row)) {
            APR_ARRAY_PUSH(narrowed, brski_device_t *) = row;
        }
    }
    return narrowed->nelts ? narrowed : rows;
}

apr_array_header_t *brski_masa_candidates(brski_decision_t *d)
{
    apr_array_header_t *rows = rows_with(d, MATCH);

    if (rows->nelts == 0) {
        rows = rows_with(d, CANNOT_SAY);
    }
    return rows->nelts > 1 ? narrowed_by_prior(d, rows) : rows;
}

/* Several rows remain. Where this node lacks one of their product lines, another node may know. */
static brski_err_t *ambiguous(const brski_decision_t *d, const apr_array_header_t *rows)
{
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const brski_device_t *row = APR_ARRAY_IDX(rows, i, const brski_device_t *);

        if (!brski_masa_product(d->masa, row->product)) {
            return brski_err(BRSKI_E_PRODUCT_MISSING, NULL, d->pool, "product \"%s\"",
                             row->product);
        }
    }
    return brski_err(BRSKI_E_DEVICE_AMBIGUOUS, NULL, d->pool, "%d devices with this serial-number",
                     rows->nelts);
}

brski_err_t *brski_masa_find_device(brski_decision_t *d)
{
    apr_array_header_t *rows = brski_masa_candidates(d);

    if (rows->nelts == 0) {
        return brski_err(BRSKI_E_DEVICE_UNKNOWN, NULL, d->pool, "%s",
                         d->facts->devices->nelts ? "known, but not by this idevid-issuer"
                                                  : "no such serial-number");
    }
    if (rows->nelts > 1) {
        return ambiguous(d, rows);
    }
    d->device = APR_ARRAY_IDX(rows, 0, const brski_device_t *);
    d->answer->product = apr_pstrdup(d->result_pool, d->device->product);
    d->product = brski_masa_product(d->masa, d->device->product);
    if (!d->product) {
        return brski_err(BRSKI_E_PRODUCT_MISSING, NULL, d->pool, "product \"%s\"",
                         d->device->product);
    }
    BRSKI_SAW(d, "product line %s, %d with this serial-number", d->product->name,
              d->facts->devices->nelts);
    return BRSKI_OK;
}

/* ---- its state ---- */

static const char *state_text(const char *status)
{
    static const char *const texts[][2] = {
        { "stolen", "it has been reported stolen" },
        { "end-of-life", "it has reached the end of its life" },
        { "owner-locked", "its owner has locked it" },
        { "blocked", "it is blocked" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!strcmp(status, texts[i][0])) {
            return texts[i][1];
        }
    }
    return "it is blocked";
}

brski_err_t *brski_masa_check_state(brski_decision_t *d)
{
    const char *status = d->device->status ? d->device->status : "active";
    const char *text = d->device->status_text;
    brski_err_t *err;

    if (!strcmp(status, "active")) {
        BRSKI_SAW(d, "active");
        return BRSKI_OK;
    }
    err = brski_err(BRSKI_E_DEVICE_BLOCKED, NULL, d->pool, "status \"%s\"", status);
    return brski_err_say(err, d->pool,
                         "The manufacturer does not issue vouchers for this device: %s.",
                         text && *text ? brski_printable(text, 200, d->pool) : state_text(status));
}

/* ---- its signer ---- */

static const brski_signer_t *signer_named(const brski_product_t *product, const char *name)
{
    int i;

    for (i = 0; i < product->signers->nelts; i++) {
        const brski_signer_t *s = APR_ARRAY_IDX(product->signers, i, const brski_signer_t *);

        if (!strcmp(s->name, name) || !strcasecmp(brski_signer_key_id(s), name)) {
            return s;
        }
    }
    return NULL;
}

static const char *root_key(const brski_signer_t *signer)
{
    return APR_ARRAY_IDX(signer->chain, signer->chain->nelts - 1, const brski_cert_t *)->spki_hex;
}

/* A device whose row names a signer trusts others only under the same root. */
static int fits(const brski_signer_t *signer, const brski_signer_t *named, int nonceless)
{
    if (signer->nonceless != nonceless) {
        return 0;
    }
    return !named || named == signer || !strcmp(root_key(named), root_key(signer));
}

static const brski_signer_t *first_that_fits(const brski_product_t *product,
                                             const brski_signer_t *named, int nonceless)
{
    int i;

    for (i = 0; i < product->signers->nelts; i++) {
        const brski_signer_t *s = APR_ARRAY_IDX(product->signers, i, const brski_signer_t *);

        if (fits(s, named, nonceless)) {
            return s;
        }
    }
    return NULL;
}

static int has_nonceless_signer(const brski_product_t *product)
{
    return first_that_fits(product, NULL, 1) != NULL;
}

/* RFC 8995 11.6.2.2: where a signer is kept for nonceless vouchers, it and no other signs them. */
static const brski_signer_t *signer_for(const brski_product_t *product,
                                        const brski_signer_t *named, int nonceless)
{
    int want = nonceless && has_nonceless_signer(product);

    if (named && named->nonceless == want) {
        return named;
    }
    return first_that_fits(product, named, want);
}

static brski_err_t *no_signer(const brski_decision_t *d, brski_err_code_t code, const char *why)
{
    return brski_err(code, NULL, d->pool, "product %s, signer of the device \"%s\": %s",
                     d->product->name, d->device->signer ? d->device->signer : "", why);
}

brski_err_t *brski_masa_choose_signer(brski_decision_t *d)
{
    const char *name = d->device->signer;
    const brski_signer_t *named = NULL;

    if (name && *name) {
        named = signer_named(d->product, name);
        if (!named) {
            return no_signer(d, BRSKI_E_PRODUCT_MISSING, "this server has no such MASASigner");
        }
    }
    d->signer = signer_for(d->product, named, d->rvr->voucher->nonce == NULL);
    if (!d->signer) {
        return no_signer(d, BRSKI_E_KEY_UNAVAILABLE, "none that the device trusts may sign this");
    }
    d->answer->signer = apr_pstrdup(d->result_pool, d->signer->name);
    if (!d->signer->key && !d->judge_only) {
        return brski_err(BRSKI_E_KEY_UNAVAILABLE, d->signer->away, d->pool, "signer %s",
                         d->signer->name);
    }
    BRSKI_SAW(d, "%s, key %s", d->signer->name, brski_signer_key_id(d->signer));
    return BRSKI_OK;
}
