/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_prior.c: the pledge's own request inside the registrar's, RFC 8995 5.5.5 and 5.5.6. It
 * proves that this device, at this manufacturer, talked to this registrar: signed with an IDevID of
 * the product line, naming a key of the registrar's chain, with the same serial-number and nonce.
 * What depends on the message alone is worked out once, however often the records have to be read.
 */
#include "brski_masa_steps.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_log.h"

/* What a product line's anchors say of the IDevID. */
typedef struct lineage_t {
    brski_chain_t *path;
    brski_err_t *err;
} lineage_t;

struct brski_prior_t {
    brski_signed_t *pvr;              /* NULL when it cannot be read or is no request */
    int renewal;                      /* it is a voucher of ours: RFC 8366bis 10.1 */
    brski_err_t *broken;
    int verified;                     /* signature has been judged: */
    brski_err_t *signature;
    apr_hash_t *lineages;             /* brski_product_t * -> lineage_t * */
};

/* ---- opening ---- */

/* A voucher that a key of ours signed for this serial-number: the registrar asks for a renewal. */
static int is_our_voucher(const brski_decision_t *d, brski_bytes_t raw)
{
    const brski_masa_t *masa = d->masa;
    brski_signed_t *old;
    int i, k;

    if (brski_signed_open(&old, raw, d->format, BRSKI_VOUCHER, masa->limits, masa->cache, d->pool)
        || !old->cms->signer || brski_cms_verify(old->cms, d->pool)
        || strcmp(old->voucher->serial_number, d->rvr->voucher->serial_number)) {
        return 0;
    }
    for (i = 0; i < masa->products->nelts; i++) {
        const brski_product_t *p = APR_ARRAY_IDX(masa->products, i, const brski_product_t *);

        for (k = 0; k < p->signers->nelts; k++) {
            if (!strcmp(brski_signer_key_id(APR_ARRAY_IDX(p->signers, k, const brski_signer_t *)),
                        old->cms->signer->spki_hex)) {
                return 1;
            }
        }
    }
    return 0;
}

static void open_prior(brski_prior_t *prior, const brski_decision_t *d, brski_bytes_t raw)
{
    brski_err_t *err;

    err = brski_signed_open(&prior->pvr, raw, d->format, BRSKI_VOUCHER_REQUEST, d->masa->limits,
                            d->masa->cache, d->pool);
    if (!err) {
        return;
    }
    prior->pvr = NULL;
    prior->renewal = is_our_voucher(d, raw);
    prior->broken = brski_err(BRSKI_E_PRIOR_BROKEN, err, d->pool, NULL);
}

/* The prior request, opened once; NULL when the registrar sent none. */
static brski_prior_t *prior_of(brski_decision_t *d)
{
    brski_bytes_t raw = d->rvr->voucher->prior_signed_voucher_request;

    if (!d->prior && raw.len) {
        d->prior = apr_pcalloc(d->pool, sizeof(*d->prior));
        d->prior->lineages = apr_hash_make(d->pool);
        open_prior(d->prior, d, raw);
    }
    return d->prior;
}

const brski_cert_t *brski_masa_prior_idevid(brski_decision_t *d)
{
    brski_prior_t *prior = prior_of(d);

    return prior && prior->pvr ? prior->pvr->cms->signer : NULL;
}

/* The IDevID's path to a product line's anchors, verified once for each line. */
static const lineage_t *lineage_of(brski_decision_t *d, const brski_product_t *product)
{
    brski_prior_t *prior = prior_of(d);
    lineage_t *l = apr_hash_get(prior->lineages, &product, sizeof(product));
    const brski_product_t **key;

    if (!l) {
        l = apr_pcalloc(d->pool, sizeof(*l));
        l->err = brski_anchors_verify(&l->path, product->idevid_anchors,
                                      prior->pvr->cms->signer, prior->pvr->cms->certs, d->now,
                                      d->masa->skew,
                                      product->ignore_idevid_expiry ? BRSKI_VERIFY_IGNORE_EXPIRY
                                                                    : 0,
                                      d->pool, d->pool);
        key = apr_pmemdup(d->pool, &product, sizeof(product));
        apr_hash_set(prior->lineages, key, sizeof(product), l);
    }
    return l;
}

/* ---- idevid-issuer ---- */

/* Does the IDevID have this key identifier of its issuer? One without AuthorityKeyIdentifier is
 * known by its issuer's, or by the hash of RFC 8366bis 6.3. */
static int issued_by_key(const brski_cert_t *idevid, const brski_chain_t *path, const char *keyid,
                         apr_pool_t *pool)
{
    const brski_cert_t *issuer;
    const char *made, *name;

    if (idevid->aki_keyid.len) {
        return !strcasecmp(keyid, brski_hex(idevid->aki_keyid, pool));
    }
    issuer = path && path->certs->nelts > 1 ? APR_ARRAY_IDX(path->certs, 1, const brski_cert_t *)
                                            : NULL;
    if (issuer && issuer->ski.len && !strcasecmp(keyid, brski_hex(issuer->ski, pool))) {
        return 1;
    }
    brski_idevid_issuer_parse(&made, &name, brski_idevid_issuer_make(idevid, pool), pool);
    return made && !strcasecmp(keyid, made);
}

/* Nonzero when a device's row that names its issuer names this IDevID's. */
static int row_agrees(const char *row, const brski_cert_t *idevid, const brski_chain_t *path,
                      apr_pool_t *pool)
{
    if (!row || !*row) {
        return 1;
    }
    if (!strncmp(row, "name:", 5)) {
        return !strcmp(row + 5, idevid->issuer);
    }
    return issued_by_key(idevid, path, row, pool);
}

static int request_agrees(const brski_decision_t *d, const brski_cert_t *idevid,
                          const brski_chain_t *path)
{
    if (brski_bytes_equal(d->rvr->voucher->idevid_issuer,
                          brski_idevid_issuer_make(idevid, d->pool))) {
        return 1;
    }
    if (d->issuer_keyid) {
        return issued_by_key(idevid, path, d->issuer_keyid, d->pool);
    }
    return !d->issuer_name || !strcmp(d->issuer_name, idevid->issuer);
}

int brski_masa_prior_is_of(brski_decision_t *d, const brski_product_t *product,
                           const brski_device_t *device)
{
    const brski_cert_t *idevid = brski_masa_prior_idevid(d);
    const lineage_t *l;

    if (!idevid) {
        return 0;
    }
    l = lineage_of(d, product);
    return !l->err && row_agrees(device->idevid_issuer, idevid, l->path, d->pool);
}

/* ---- 5.5.5, rule by rule ---- */

static brski_err_t *check_readable(brski_decision_t *d)
{
    const brski_prior_t *prior = prior_of(d);

    if (prior->broken) {
        return prior->broken;
    }
    BRSKI_SAW(d, "a signed voucher-request of %" APR_SIZE_T_FMT " octets", prior->pvr->raw.len);
    return BRSKI_OK;
}

/* The signature's error, worked out once. */
static brski_err_t *signature_of(brski_decision_t *d)
{
    brski_prior_t *prior = prior_of(d);
    brski_err_t *err;

    if (!prior->verified) {
        prior->verified = 1;
        err = brski_cms_verify(prior->pvr->cms, d->pool);
        if (err) {
            prior->signature = brski_err(BRSKI_E_PRIOR_SIGNATURE, err, d->pool, NULL);
        }
    }
    return prior->signature;
}

static brski_err_t *check_signature(brski_decision_t *d)
{
    const brski_prior_t *prior = prior_of(d);

    if (!signature_of(d)) {
        BRSKI_SAW(d, "signed by %s", prior->pvr->cms->signer->subject);
    }
    return prior->signature;
}

static brski_err_t *check_lineage(brski_decision_t *d)
{
    const lineage_t *l = lineage_of(d, d->product);

    if (l->err) {
        return brski_err(BRSKI_E_PRIOR_CHAIN, l->err, d->pool, "IDevID %s issued by %s",
                         brski_masa_prior_idevid(d)->subject, brski_masa_prior_idevid(d)->issuer);
    }
    BRSKI_SAW(d, "an IDevID of product line %s", d->product->name);
    return BRSKI_OK;
}

static brski_err_t *check_serial(brski_decision_t *d)
{
    const char *outer = d->rvr->voucher->serial_number;
    const char *inner = prior_of(d)->pvr->voucher->serial_number;
    const char *certified = brski_masa_prior_idevid(d)->serial_number;

    if (!certified || strcmp(outer, inner) || strcmp(outer, certified)) {
        return brski_err(BRSKI_E_PRIOR_SERIAL, NULL, d->pool,
                         "request \"%s\", pledge's request \"%s\", IDevID \"%s\"",
                         brski_printable(outer, 128, d->pool),
                         brski_printable(inner, 128, d->pool),
                         brski_printable(certified, 128, d->pool));
    }
    BRSKI_SAW(d, "%s in all three", brski_printable(outer, 128, d->pool));
    return BRSKI_OK;
}

static brski_err_t *check_issuer(brski_decision_t *d)
{
    const brski_cert_t *idevid = brski_masa_prior_idevid(d);
    const brski_chain_t *path = lineage_of(d, d->product)->path;

    if (d->rvr->voucher->idevid_issuer.len && !request_agrees(d, idevid, path)) {
        return brski_err(BRSKI_E_PRIOR_ISSUER, NULL, d->pool, "idevid-issuer %s, IDevID of %s",
                         d->issuer_keyid ? d->issuer_keyid : d->issuer_name, idevid->issuer);
    }
    if (!row_agrees(d->device->idevid_issuer, idevid, path, d->pool)) {
        return brski_err(BRSKI_E_PRIOR_ISSUER, NULL, d->pool, "device's row says %s, IDevID of %s",
                         d->device->idevid_issuer, idevid->issuer);
    }
    BRSKI_SAW(d, "issued by %s", idevid->issuer);
    return BRSKI_OK;
}

/* Key of proximity-registrar-cert. It usually is a certificate of this message, already parsed. */
static brski_err_t *cert_key(const char **spki_hex, brski_decision_t *d, brski_bytes_t der)
{
    const apr_array_header_t *certs = d->rvr->cms->certs;
    const brski_cert_t *cert;
    brski_err_t *err;
    int i;

    for (i = 0; i < certs->nelts; i++) {
        cert = APR_ARRAY_IDX(certs, i, const brski_cert_t *);
        if (brski_bytes_equal(cert->der, der)) {
            *spki_hex = cert->spki_hex;
            return BRSKI_OK;
        }
    }
    err = brski_cert_parse(&cert, der, d->masa->limits, d->masa->cache, d->pool);
    if (err) {
        return brski_err(BRSKI_E_PRIOR_BROKEN, err, d->pool, "proximity-registrar-cert");
    }
    *spki_hex = cert->spki_hex;
    return BRSKI_OK;
}

/* The key that the pledge saw, hex SHA-256 of its SPKI; NULL when it does not say. Where it says it
 * several times, the order is that of RFC 8366bis. */
static brski_err_t *proximity_key(const char **spki_hex, brski_decision_t *d)
{
    const brski_voucher_t *v = prior_of(d)->pvr->voucher;

    *spki_hex = NULL;
    if (v->proximity_registrar_pubk_sha256.len) {
        *spki_hex = brski_hex(v->proximity_registrar_pubk_sha256, d->pool);
    }
    else if (v->proximity_registrar_pubk.len) {
        *spki_hex = brski_sha256_hex(v->proximity_registrar_pubk, d->pool);
    }
    else if (v->proximity_registrar_cert.len) {
        return cert_key(spki_hex, d, v->proximity_registrar_cert);
    }
    return BRSKI_OK;
}

static brski_err_t *check_proximity(brski_decision_t *d)
{
    const char *key;

    BRSKI_TRY(proximity_key(&key, d));
    if (!key) {
        return brski_err(BRSKI_E_PROXIMITY_MISSING, NULL, d->pool, NULL);
    }
    /* the signer's chain only: a certificate that merely lies in the message proves nothing */
    if (!brski_masa_chain_has(d->chain, 0, key)) {
        return brski_err(BRSKI_E_PROXIMITY, NULL, d->pool, "the pledge saw key %s", key);
    }
    BRSKI_SAW(d, "the pledge saw key %s, which is the registrar's", key);
    return BRSKI_OK;
}

static brski_err_t *check_order(brski_decision_t *d)
{
    apr_time_t outer = d->rvr->voucher->created_on;
    apr_time_t inner = prior_of(d)->pvr->voucher->created_on;
    brski_err_t *err;

    if (!outer || !inner) {
        BRSKI_SKIP(d, "one of the two does not say when it was made");
        return BRSKI_OK;
    }
    if (inner > outer + d->masa->skew) {
        err = brski_err(BRSKI_E_STALE, NULL, d->pool, "made %d s before what it contains",
                        (int)apr_time_sec(inner - outer));
        return brski_err_say(err, d->pool, "The request says that it is older than the pledge's "
                             "request which it contains; check the registrar's clock.");
    }
    return BRSKI_OK;
}

/* 5.5.5, every rule of it. */
static brski_err_t *prove_proximity(brski_decision_t *d)
{
    BRSKI_STEP(d, "5.5.5", "pledge's request", check_readable(d));
    BRSKI_STEP(d, "5.5.5", "pledge's signature", check_signature(d));
    BRSKI_STEP(d, "5.5.5", "IDevID", check_lineage(d));
    BRSKI_STEP(d, "5.5.5", "serial-number", check_serial(d));
    BRSKI_STEP(d, "5.5.5", "idevid-issuer", check_issuer(d));
    BRSKI_STEP(d, "5.5.5", "proximity", check_proximity(d));
    BRSKI_STEP(d, "5.5.5", "order of created-on", check_order(d));
    d->proximity = 1;
    return BRSKI_OK;
}

int brski_masa_prior_is_from(brski_decision_t *d, const brski_product_t *product,
                             const brski_device_t *device)
{
    const brski_prior_t *prior = prior_of(d);

    if (!prior || prior->renewal) {
        return 1;
    }
    return prior->pvr && !signature_of(d) && brski_masa_prior_is_of(d, product, device)
           && !check_serial(d);
}

/* ---- 5.5.5 as policy has it ---- */

/* A request without the pledge's. A nonceless one cannot have it (5.5): the pledge is not there,
 * and the registrar has been authenticated instead. */
static brski_err_t *without_prior(brski_decision_t *d)
{
    if (d->product->proximity == BRSKI_PROXIMITY_REQUIRED && d->rvr->voucher->nonce) {
        return brski_err(BRSKI_E_PRIOR_MISSING, NULL, d->pool, "product line %s requires proximity",
                         d->product->name);
    }
    BRSKI_SKIP(d, "%s", d->prior ? "an earlier voucher of ours: a renewal" : "none was sent");
    return BRSKI_OK;
}

/* A legacy fleet may fail to prove proximity, where device or customer was granted it. Which device
 * is meant has to be clear all the same. */
static int may_downgrade(const brski_decision_t *d, const brski_err_t *err)
{
    if (d->product->proximity != BRSKI_PROXIMITY_DOWNGRADE || err->status != 403
        || err->code == BRSKI_E_PRIOR_SERIAL) {
        return 0;
    }
    return d->device->downgrade_until > d->now || brski_masa_grant(d, "downgrade");
}

static brski_err_t *downgrade(brski_decision_t *d, const brski_err_t *err)
{
    d->proximity = 0;
    BRSKI_SAW(d, "granted: %s does not matter, the voucher says less", err->name);
    brski_logf(brski_decision_log(d), BRSKI_LOG_INFO, 1101,
               "proximity of %s downgraded as granted: %s",
               brski_printable(d->rvr->voucher->serial_number, 128, d->pool),
               brski_err_text(err, d->pool));
    return BRSKI_OK;
}

brski_err_t *brski_masa_check_prior(brski_decision_t *d)
{
    const brski_prior_t *prior = prior_of(d);
    brski_err_t *err;

    d->proximity = 0;
    if (!prior || prior->renewal) {
        BRSKI_STEP(d, "5.5.5", "pledge's request", without_prior(d));
        return BRSKI_OK;
    }
    err = prove_proximity(d);
    if (err && may_downgrade(d, err)) {
        BRSKI_STEP(d, "5.5.5", "downgrade", downgrade(d, err));
        return BRSKI_OK;
    }
    return err;
}

/* ---- 5.5.6 ---- */

const brski_voucher_t *brski_masa_prior_voucher(brski_decision_t *d)
{
    const brski_prior_t *prior = prior_of(d);

    return prior && prior->pvr ? prior->pvr->voucher : NULL;
}

brski_err_t *brski_masa_check_nonce(brski_decision_t *d)
{
    const brski_voucher_t *inner = brski_masa_prior_voucher(d);
    const char *nonce = d->rvr->voucher->nonce;

    if (!inner) {
        BRSKI_SKIP(d, "nothing to compare with");
        return BRSKI_OK;
    }
    if (!nonce && !inner->nonce) {
        BRSKI_SAW(d, "neither has one");
        return BRSKI_OK;
    }
    if (!nonce || !inner->nonce || strcmp(nonce, inner->nonce)) {
        return brski_err(BRSKI_E_NONCE, NULL, d->pool, "request %s, pledge's request %s",
                         brski_printable(nonce, 128, d->pool),
                         brski_printable(inner->nonce, 128, d->pool));
    }
    BRSKI_SAW(d, "the same in both");
    return BRSKI_OK;
}
