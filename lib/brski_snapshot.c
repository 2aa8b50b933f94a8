/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_snapshot.c: a node's configuration as JSON, and a MASA for judging made from it again. What
 * decides is in it: policies, limits, anchors, signers' certificates. Keys, their URIs, paths, the
 * node's name and times are not, so that nodes configured alike have equal hashes. Of the public
 * CAs there is a count and a hash only: they are a system's list, and long.
 */
#include "brski_snapshot.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_time.h"

#define SNAPSHOT_FORMAT 1
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

/* What we wrote ourselves may be larger than what strangers send. */
static const brski_limits_t snapshot_limits = {
    0, 0, 64 * 1024, 16, 0, 0, 1024 * 1024
};

/* ---- words ---- */

/* In the order of the enumerations. */
static const char *const proximity_words[] = { NULL, "required", "optional", "downgrade", NULL };
static const char *const nonceless_words[] = { NULL, "deny", "sold", "customer", NULL };
static const char *const revocation_words[] = { NULL, "off", "soft", "hard", NULL };
static const char *const econtent_words[] = { NULL, "anima-json", "data", NULL };
static const char *const format_words[] = { NULL, "cms", "jws", "cose", NULL };

static const brski_owner_t *const owners[] = {
    &brski_owner_any, &brski_owner_customer, &brski_owner_sold
};

/* ---- writing ---- */

static void set_duration(brski_json_t *json, const char *key, apr_interval_time_t d,
                         apr_pool_t *pool)
{
    brski_json_set_string(json, key, brski_duration_text(d, pool));
}

static brski_json_t *certs_json(const apr_array_header_t *certs, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < certs->nelts; i++) {
        brski_json_append_string(
            list, brski_cert_pem(APR_ARRAY_IDX(certs, i, const brski_cert_t *), pool));
    }
    return list;
}

static brski_json_t *signer_json(const brski_signer_t *signer, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "name", signer->name);
    brski_json_set_string(json, "kind", signer->kind ? signer->kind->name : "");
    brski_json_set_string(json, "key_id", brski_signer_key_id(signer));
    brski_json_set_bool(json, "nonceless", signer->nonceless);
    brski_json_set(json, "chain", certs_json(signer->chain, pool));
    return json;
}

static brski_json_t *signer_names(const brski_product_t *product, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < product->signers->nelts; i++) {
        brski_json_append_string(
            list, APR_ARRAY_IDX(product->signers, i, const brski_signer_t *)->name);
    }
    return list;
}

static brski_json_t *formats_json(const brski_product_t *product, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < product->formats->nelts; i++) {
        brski_json_append_string(list,
                                 format_words[APR_ARRAY_IDX(product->formats, i, brski_format_t)]);
    }
    return list;
}

static brski_json_t *product_json(const brski_product_t *p, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "name", p->name);
    brski_json_set_string(json, "owner", p->owner->name);
    brski_json_set_string(json, "nonceless", nonceless_words[p->nonceless]);
    set_duration(json, "nonceless_lifetime", p->nonceless_lifetime, pool);
    brski_json_set_string(json, "pin_nonced", brski_pin_policy_text(p->pin_nonced));
    brski_json_set_string(json, "pin_nonceless", brski_pin_policy_text(p->pin_nonceless));
    brski_json_set_string(json, "proximity", proximity_words[p->proximity]);
    brski_json_set(json, "formats", formats_json(p, pool));
    brski_json_set_string(json, "econtent", econtent_words[p->econtent]);
    brski_json_set_bool(json, "ignore_idevid_expiry", p->ignore_idevid_expiry);
    brski_json_set(json, "signers", signer_names(p, pool));
    brski_json_set(json, "anchors", certs_json(brski_anchors_certs(p->idevid_anchors), pool));
    return json;
}

/* Every signer of every product line once, as configured. */
static apr_array_header_t *all_signers(const brski_masa_t *masa, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 4, sizeof(const brski_signer_t *));
    int i, k, n;

    for (i = 0; i < masa->products->nelts; i++) {
        const brski_product_t *p = APR_ARRAY_IDX(masa->products, i, const brski_product_t *);

        for (k = 0; k < p->signers->nelts; k++) {
            const brski_signer_t *s = APR_ARRAY_IDX(p->signers, k, const brski_signer_t *);

            for (n = 0; n < all->nelts; n++) {
                if (!strcmp(APR_ARRAY_IDX(all, n, const brski_signer_t *)->name, s->name)) {
                    break;
                }
            }
            if (n == all->nelts) {
                APR_ARRAY_PUSH(all, const brski_signer_t *) = s;
            }
        }
    }
    return all;
}

static brski_json_t *limits_json(const brski_limits_t *limits, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_int(json, "body", (apr_int64_t)limits->body);
    brski_json_set_int(json, "certificates", limits->certificates);
    brski_json_set_int(json, "certificate", (apr_int64_t)limits->certificate);
    brski_json_set_int(json, "json_depth", limits->json_depth);
    brski_json_set_int(json, "serial_number", (apr_int64_t)limits->serial_number);
    brski_json_set_int(json, "nonce", (apr_int64_t)limits->nonce);
    brski_json_set_int(json, "string", (apr_int64_t)limits->string);
    return json;
}

static brski_json_t *public_cas_json(const brski_anchors_t *anchors, apr_pool_t *pool)
{
    const apr_array_header_t *certs = brski_anchors_certs(anchors);
    apr_array_header_t *hashes = apr_array_make(pool, certs->nelts, sizeof(const char *));
    brski_json_t *json = brski_json_object(pool);
    int i;

    for (i = 0; i < certs->nelts; i++) {
        const brski_cert_t *c = APR_ARRAY_IDX(certs, i, const brski_cert_t *);

        APR_ARRAY_PUSH(hashes, const char *) =
            brski_hex(brski_bytes(c->hash, sizeof(c->hash)), pool);
    }
    brski_json_set_int(json, "count", certs->nelts);
    brski_json_set_string(json, "sha256",
                          brski_sha256_hex(brski_bytes_str(apr_array_pstrcat(pool, hashes, ' ')),
                                           pool));
    return json;
}

static void set_server(brski_json_t *json, const brski_masa_t *masa, apr_pool_t *pool)
{
    brski_json_set_int(json, "format", SNAPSHOT_FORMAT);
    brski_json_set_string(json, "version", BRSKI_VERSION);
    set_duration(json, "skew", masa->skew, pool);
    set_duration(json, "reuse", masa->reuse, pool);
    set_duration(json, "max_age", masa->max_age, pool);
    brski_json_set_string(json, "revocation", revocation_words[masa->revocation]);
    brski_json_set(json, "limits", limits_json(masa->limits, pool));
}

brski_err_t *brski_snapshot_make(const char **json, const char **hash, const brski_masa_t *masa,
                                 apr_pool_t *pool)
{
    brski_json_t *root = brski_json_object(pool), *products = brski_json_array(pool),
                 *signers = brski_json_array(pool);
    apr_array_header_t *all = all_signers(masa, pool);
    int i;

    set_server(root, masa, pool);
    for (i = 0; i < all->nelts; i++) {
        brski_json_append(signers,
                          signer_json(APR_ARRAY_IDX(all, i, const brski_signer_t *), pool));
    }
    for (i = 0; i < masa->products->nelts; i++) {
        brski_json_append(products, product_json(APR_ARRAY_IDX(masa->products, i,
                                                               const brski_product_t *), pool));
    }
    brski_json_set(root, "signers", signers);
    brski_json_set(root, "products", products);
    if (masa->customer_anchors) {
        brski_json_set(root, "customer_anchors",
                       certs_json(brski_anchors_certs(masa->customer_anchors), pool));
    }
    if (masa->public_cas) {
        brski_json_set(root, "public_cas", public_cas_json(masa->public_cas, pool));
    }
    *json = brski_json_text(root, 0, pool);
    *hash = brski_sha256_hex(brski_bytes_str(*json), pool);
    return BRSKI_OK;
}

/* ---- reading ---- */

static brski_err_t *wrong(apr_pool_t *pool, const char *what, const char *value)
{
    const char *shown = brski_printable(value, 100, pool);

    return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, pool, "snapshot: %s %s", what, shown),
                         pool, "The server's snapshot has %s %s, which this version does not know.",
                         what, shown);
}

/* Place of a member's word among words, from 1. */
static brski_err_t *get_word(int *place, const brski_json_t *json, const char *key,
                             const char *const *words, apr_pool_t *pool)
{
    const char *word = brski_json_get_string(json, key);

    for (*place = 1; word && words[*place]; ++*place) {
        if (!strcmp(words[*place], word)) {
            return BRSKI_OK;
        }
    }
    return wrong(pool, key, word);
}

static brski_err_t *get_duration(apr_interval_time_t *d, const brski_json_t *json, const char *key,
                                 apr_pool_t *pool)
{
    const char *text = brski_json_get_string(json, key);

    return text ? brski_duration_parse(d, text, pool) : wrong(pool, key, NULL);
}

static brski_err_t *get_pin(brski_pin_policy_t *policy, const brski_json_t *json, const char *key,
                            apr_pool_t *pool)
{
    const char *word = brski_json_get_string(json, key);

    *policy = word ? brski_pin_policy_parse(word) : 0;
    return *policy ? BRSKI_OK : wrong(pool, key, word);
}

static brski_err_t *cert_of_pem(const brski_cert_t **cert, const char *pem, apr_pool_t *pool)
{
    const char *from = pem ? strstr(pem, PEM_BEGIN) : NULL;
    const char *to = from ? strstr(from, PEM_END) : NULL;
    brski_bytes_t der;

    if (!to) {
        return wrong(pool, "a certificate", pem);
    }
    from += sizeof(PEM_BEGIN) - 1;
    BRSKI_TRY(brski_base64_decode_liberal(&der, from, (apr_size_t)(to - from), pool));
    return brski_cert_parse(cert, der, &snapshot_limits, NULL, pool);
}

static brski_err_t *get_certs(apr_array_header_t **certs, const brski_json_t *json,
                              const char *key, apr_pool_t *pool)
{
    const brski_json_t *list = brski_json_get(json, key);
    apr_size_t i;

    *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    for (i = 0; i < brski_json_size(list); i++) {
        const brski_cert_t *cert;

        BRSKI_TRY(cert_of_pem(&cert, brski_json_string(brski_json_at(list, i)), pool));
        APR_ARRAY_PUSH(*certs, const brski_cert_t *) = cert;
    }
    return (*certs)->nelts ? BRSKI_OK : wrong(pool, key, NULL);
}

static brski_err_t *get_anchors(const brski_anchors_t **anchors, const brski_json_t *json,
                                const char *key, apr_pool_t *pool)
{
    apr_array_header_t *certs;
    brski_anchors_t *made;

    BRSKI_TRY(get_certs(&certs, json, key, pool));
    BRSKI_TRY(brski_anchors_make(&made, certs, pool));
    *anchors = made;
    return BRSKI_OK;
}

/* Whatever home its key has, it is not here. */
static brski_err_t *no_key_check(const char *key_uri, apr_pool_t *scratch_pool)
{
    (void)key_uri;
    return brski_err(BRSKI_E_KEY_UNAVAILABLE, NULL, scratch_pool, "only the server has this key");
}

static brski_err_t *no_key_load(EVP_PKEY **key, const char *key_uri, apr_pool_t *pool)
{
    *key = NULL;
    return no_key_check(key_uri, pool);
}

static brski_err_t *get_signer(brski_signer_t **out, const brski_json_t *json, apr_pool_t *pool)
{
    brski_signer_t *signer = *out = apr_pcalloc(pool, sizeof(*signer));
    brski_signer_kind_t *kind = apr_pcalloc(pool, sizeof(*kind));

    signer->name = brski_json_get_string(json, "name");
    kind->name = brski_json_get_string(json, "kind");
    if (!signer->name || !kind->name) {
        return wrong(pool, "a signer", signer->name);
    }
    kind->check = no_key_check;
    kind->load = no_key_load;
    signer->kind = kind;
    signer->chain_file = signer->key_uri = "";
    signer->nonceless = brski_json_bool(brski_json_get(json, "nonceless")) == 1;
    signer->away = no_key_check("", pool);
    return get_certs(&signer->chain, json, "chain", pool);
}

static brski_err_t *get_signers(apr_array_header_t **signers, const brski_json_t *root,
                                apr_pool_t *pool)
{
    const brski_json_t *list = brski_json_get(root, "signers");
    apr_size_t i;

    *signers = apr_array_make(pool, 4, sizeof(brski_signer_t *));
    for (i = 0; i < brski_json_size(list); i++) {
        brski_signer_t *signer;

        BRSKI_TRY(get_signer(&signer, brski_json_at(list, i), pool));
        APR_ARRAY_PUSH(*signers, brski_signer_t *) = signer;
    }
    return BRSKI_OK;
}

/* The signers that a product line names, out of all. */
static brski_err_t *pick_signers(brski_product_t *p, const brski_json_t *json,
                                 const apr_array_header_t *all, apr_pool_t *pool)
{
    const brski_json_t *names = brski_json_get(json, "signers");
    apr_size_t i;
    int k;

    p->signers = apr_array_make(pool, 2, sizeof(brski_signer_t *));
    for (i = 0; i < brski_json_size(names); i++) {
        const char *name = brski_json_string(brski_json_at(names, i));

        for (k = 0; name && k < all->nelts; k++) {
            brski_signer_t *s = APR_ARRAY_IDX(all, k, brski_signer_t *);

            if (!strcmp(s->name, name)) {
                APR_ARRAY_PUSH(p->signers, brski_signer_t *) = s;
            }
        }
        if (p->signers->nelts != (int)i + 1) {
            return wrong(pool, "a signer", name);
        }
    }
    return BRSKI_OK;
}

static brski_err_t *get_owner(brski_product_t *p, const brski_json_t *json, apr_pool_t *pool)
{
    const char *name = brski_json_get_string(json, "owner");
    apr_size_t i;

    for (i = 0; name && i < sizeof(owners) / sizeof(owners[0]); i++) {
        if (!strcmp(owners[i]->name, name)) {
            p->owner = owners[i];
            return BRSKI_OK;
        }
    }
    return wrong(pool, "the owner policy", name);
}

static brski_err_t *get_formats(brski_product_t *p, const brski_json_t *json, apr_pool_t *pool)
{
    const brski_json_t *list = brski_json_get(json, "formats");
    apr_size_t i;
    int place;

    p->formats = apr_array_make(pool, 2, sizeof(brski_format_t));
    for (i = 0; i < brski_json_size(list); i++) {
        const char *word = brski_json_string(brski_json_at(list, i));

        for (place = 1; word && format_words[place]; place++) {
            if (!strcmp(format_words[place], word)) {
                APR_ARRAY_PUSH(p->formats, brski_format_t) = (brski_format_t)place;
            }
        }
    }
    return p->formats->nelts ? BRSKI_OK : wrong(pool, "formats", NULL);
}

static brski_err_t *get_product(brski_product_t **out, const brski_json_t *json,
                                const apr_array_header_t *signers, apr_pool_t *pool)
{
    brski_product_t *p = *out = apr_pcalloc(pool, sizeof(*p));
    int nonceless, proximity, econtent;

    p->name = brski_json_get_string(json, "name");
    if (!p->name) {
        return wrong(pool, "a product line", NULL);
    }
    BRSKI_TRY(get_owner(p, json, pool));
    BRSKI_TRY(get_word(&nonceless, json, "nonceless", nonceless_words, pool));
    BRSKI_TRY(get_word(&proximity, json, "proximity", proximity_words, pool));
    BRSKI_TRY(get_word(&econtent, json, "econtent", econtent_words, pool));
    p->nonceless = (brski_nonceless_policy_t)nonceless;
    p->proximity = (brski_proximity_policy_t)proximity;
    p->econtent = (brski_econtent_t)econtent;
    p->ignore_idevid_expiry = brski_json_bool(brski_json_get(json, "ignore_idevid_expiry")) == 1;
    BRSKI_TRY(get_duration(&p->nonceless_lifetime, json, "nonceless_lifetime", pool));
    BRSKI_TRY(get_pin(&p->pin_nonced, json, "pin_nonced", pool));
    BRSKI_TRY(get_pin(&p->pin_nonceless, json, "pin_nonceless", pool));
    BRSKI_TRY(get_formats(p, json, pool));
    BRSKI_TRY(get_anchors(&p->idevid_anchors, json, "anchors", pool));
    return pick_signers(p, json, signers, pool);
}

static brski_limits_t *get_limits(const brski_json_t *root, apr_pool_t *pool)
{
    brski_limits_t *limits = apr_pmemdup(pool, &brski_limits_default, sizeof(*limits));
    const brski_json_t *json = brski_json_get(root, "limits");

    if (json) {
        limits->body = (apr_size_t)brski_json_int(brski_json_get(json, "body"));
        limits->certificates = (int)brski_json_int(brski_json_get(json, "certificates"));
        limits->certificate = (apr_size_t)brski_json_int(brski_json_get(json, "certificate"));
        limits->json_depth = (int)brski_json_int(brski_json_get(json, "json_depth"));
        limits->serial_number = (apr_size_t)brski_json_int(brski_json_get(json, "serial_number"));
        limits->nonce = (apr_size_t)brski_json_int(brski_json_get(json, "nonce"));
        limits->string = (apr_size_t)brski_json_int(brski_json_get(json, "string"));
    }
    return limits;
}

static brski_err_t *get_server(brski_masa_t *masa, const brski_json_t *root, apr_pool_t *pool)
{
    int revocation;

    if (brski_json_int(brski_json_get(root, "format")) != SNAPSHOT_FORMAT) {
        return wrong(pool, "the format", brski_json_get_string(root, "version"));
    }
    BRSKI_TRY(get_duration(&masa->skew, root, "skew", pool));
    BRSKI_TRY(get_duration(&masa->reuse, root, "reuse", pool));
    BRSKI_TRY(get_duration(&masa->max_age, root, "max_age", pool));
    BRSKI_TRY(get_word(&revocation, root, "revocation", revocation_words, pool));
    masa->revocation = (brski_revocation_t)revocation;
    masa->limits = get_limits(root, pool);
    if (brski_json_get(root, "customer_anchors")) {
        BRSKI_TRY(get_anchors(&masa->customer_anchors, root, "customer_anchors", pool));
    }
    return BRSKI_OK;
}

brski_err_t *brski_snapshot_read(brski_masa_t **out, const char *json, brski_store_t *store,
                                 const brski_ctx_t *ctx, apr_pool_t *pool)
{
    brski_masa_t *masa = apr_pcalloc(pool, sizeof(*masa));
    const brski_json_t *list;
    apr_array_header_t *signers;
    brski_json_t *root;
    apr_size_t i;

    *out = NULL;
    BRSKI_TRY(brski_json_parse(&root, brski_bytes_str(json), &snapshot_limits, pool));
    BRSKI_TRY(get_server(masa, root, pool));
    BRSKI_TRY(get_signers(&signers, root, pool));
    masa->products = apr_array_make(pool, 4, sizeof(brski_product_t *));
    list = brski_json_get(root, "products");
    for (i = 0; i < brski_json_size(list); i++) {
        brski_product_t *product;

        BRSKI_TRY(get_product(&product, brski_json_at(list, i), signers, pool));
        APR_ARRAY_PUSH(masa->products, brski_product_t *) = product;
    }
    masa->ctx = ctx;
    masa->store = store;
    *out = masa;
    return BRSKI_OK;
}
