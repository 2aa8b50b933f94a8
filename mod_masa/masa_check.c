/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_check.c: makes the engines from the configuration, and says all that is wrong with it: the
 * directive, its value, what is wrong and what would be right. It runs on `apachectl configtest`
 * and before every start, so nothing that it passes may take the server down later. What it makes
 * lives in pconf and is what the children use.
 */
#include "masa_check.h"

#include <ap_provider.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "masa_runtime.h"

APLOG_USE_MODULE(masa);

extern module AP_MODULE_DECLARE_DATA masa_module;

/* ---- signers ---- */

/* Scheme of a key URI, or "file" for a bare path. */
static const brski_signer_kind_t *find_kind(glue_check_t *c, const masa_signer_conf_t *s)
{
    const char *colon = ap_strchr_c(s->key_uri, ':');
    const char *scheme = *s->key_uri == '/' || !colon
                             ? "file"
                             : apr_pstrmemdup(c->temp, s->key_uri, colon - s->key_uri);
    const brski_signer_kind_t *kind =
        ap_lookup_provider(BRSKI_SIGNER_PROVIDER_GROUP, scheme, BRSKI_SIGNER_PROVIDER_VERSION);

    if (!kind) {
        glue_check_wrong(c, s->where,
                         "BRSKI2010: MASASigner %s: no module knows keys of kind '%s'; name a "
                         "PEM file, or load the module that provides this kind",
                         s->name, scheme);
    }
    return kind;
}

/* The library names the signer too: once is enough. */
static const char *signer_reason(const masa_signer_conf_t *s, const brski_err_t *err)
{
    static const char prefix[] = "Signer '";
    const char *text = glue_check_reason(err);
    const apr_size_t n = sizeof(prefix) - 1;
    const apr_size_t name = strlen(s->name);

    if (!strncmp(text, prefix, n) && !strncmp(text + n, s->name, name)
        && !strncmp(text + n + name, "': ", 3)) {
        text += n + name + 3;
    }
    return text;
}

/* Keys in files are loaded here, once, to see that they are the chain's; the children
 * inherit them. */
static void make_signer(glue_check_t *c, const masa_signer_conf_t *s)
{
    const brski_signer_kind_t *kind = find_kind(c, s);
    brski_signer_t *signer;
    brski_err_t *err;

    if (!kind) {
        return;
    }
    err = brski_signer_make(&signer, s->name, s->chain_file, s->key_uri, s->nonceless, kind,
                            apr_time_now(), c->pool);
    if (err) {
        glue_check_wrong(c, s->where, "BRSKI2011: MASASigner %s: %s", s->name,
                         signer_reason(s, err));
        return;
    }
    err = kind->check(s->key_uri, c->temp);
    if (err) {
        glue_check_wrong(c, s->where, "BRSKI2012: MASASigner %s: %s", s->name,
                         glue_check_reason(err));
        return;
    }
    err = kind->late ? BRSKI_OK : brski_signer_load(signer, c->pool);
    if (err) {
        glue_check_wrong(c, s->where, "BRSKI2013: MASASigner %s: %s", s->name,
                         signer_reason(s, err));
        return;
    }
    APR_ARRAY_PUSH(masa_checked(c)->signers, brski_signer_t *) = signer;
}

static void make_signers(glue_check_t *c)
{
    const apr_array_header_t *all = masa_checked(c)->conf->signers;
    int i, k;

    for (i = 0; i < all->nelts; i++) {
        const masa_signer_conf_t *s = APR_ARRAY_IDX(all, i, const masa_signer_conf_t *);
        const masa_signer_conf_t *other = NULL;

        for (k = 0; k < i; k++) {
            other = APR_ARRAY_IDX(all, k, const masa_signer_conf_t *);
            if (!strcmp(other->name, s->name)) {
                glue_check_wrong(c, s->where,
                                 "BRSKI2014: MASASigner %s: there is another one of this name "
                                 "(%s); give each signer a name of its own",
                                 s->name, other->where);
            }
        }
        make_signer(c, s);
    }
}

/* ---- product lines ---- */

static brski_signer_t *find_signer(const glue_check_t *c, const char *name)
{
    int i;

    for (i = 0; i < masa_checked(c)->signers->nelts; i++) {
        brski_signer_t *s = APR_ARRAY_IDX(masa_checked(c)->signers, i, brski_signer_t *);

        if (!strcmp(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

/* Does the configuration name such a signer, good or not? One that is wrong has been told
 * already. */
static int names_signer(const glue_check_t *c, const char *name)
{
    const apr_array_header_t *all = masa_checked(c)->conf->signers;
    int i;

    for (i = 0; i < all->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(all, i, const masa_signer_conf_t *)->name, name)) {
            return 1;
        }
    }
    return 0;
}

/* Does a certificate carry a policy? */
static int has_policy(const brski_cert_t *cert, const char *oid)
{
    CERTIFICATEPOLICIES *policies =
        X509_get_ext_d2i(cert->x509, NID_certificate_policies, NULL, NULL);
    char text[128];
    int found = 0;
    int i;

    for (i = 0; i < sk_POLICYINFO_num(policies); i++) {
        OBJ_obj2txt(text, sizeof(text), sk_POLICYINFO_value(policies, i)->policyid, 1);
        found |= !strcmp(text, oid);
    }
    CERTIFICATEPOLICIES_free(policies);
    return found;
}

/* The end entity, or its issuer where that is not the root: a device that looks for the policy must
 * not take what a sibling of the signer signs. */
static void check_policy(glue_check_t *c, const masa_product_conf_t *p, const brski_signer_t *s)
{
    const apr_array_header_t *chain = s->chain;

    if (!p->policy_oid ||
        has_policy(APR_ARRAY_IDX(chain, 0, const brski_cert_t *), p->policy_oid) ||
        (chain->nelts > 2 &&
         has_policy(APR_ARRAY_IDX(chain, 1, const brski_cert_t *), p->policy_oid))) {
        return;
    }
    glue_check_wrong(
        c, p->where,
        "BRSKI2020: MASASignerPolicyOID %s: neither the certificate of MASASigner "
        "%s nor its issuer below the root carries this policy; have the certificate made with "
        "it",
        p->policy_oid, s->name);
}

static void take_signers(glue_check_t *c, brski_product_t *product, const masa_product_conf_t *p)
{
    int nonced = 0;
    int unknown = 0;
    int i;

    for (i = 0; i < p->signers->nelts; i++) {
        const char *name = APR_ARRAY_IDX(p->signers, i, const char *);
        brski_signer_t *s = find_signer(c, name);

        if (s) {
            APR_ARRAY_PUSH(product->signers, brski_signer_t *) = s;
            nonced |= !s->nonceless;
            check_policy(c, p, s);
        }
        else {
            unknown = 1;
            if (!names_signer(c, name)) {
                glue_check_wrong(c, p->where,
                                 "BRSKI2021: MASASignWith %s: there is no MASASigner of this "
                                 "name; write MASASigner %s CHAIN.pem KEY",
                                 name, name);
            }
        }
    }
    if (!p->signers->nelts) {
        glue_check_wrong(c, p->where,
                         "BRSKI2022: <MASAProduct %s> names no signer; write MASASignWith and "
                         "the name of a MASASigner",
                         p->name);
    }
    else if (!nonced && !unknown) {
        glue_check_wrong(c, p->where,
                         "BRSKI2023: <MASAProduct %s>: all its signers are for nonceless "
                         "vouchers; name one more in MASASignWith",
                         p->name);
    }
}

static const char *known_owners(const glue_check_t *c)
{
    const apr_array_header_t *names =
        ap_list_provider_names(c->temp, BRSKI_OWNER_PROVIDER_GROUP, BRSKI_OWNER_PROVIDER_VERSION);
    const char *all = "";
    int i;

    for (i = 0; i < names->nelts; i++) {
        all = apr_pstrcat(c->temp, all, i ? ", " : "",
                          APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name, NULL);
    }
    return all;
}

static void take_owner(glue_check_t *c, brski_product_t *product, const masa_product_conf_t *p)
{
    if (!p->owner) {
        glue_check_wrong(
            c, p->where,
            "BRSKI2024: <MASAProduct %s> does not say who may have its devices; "
            "write MASAOwner any (anyone, logged), customer (known ones) or sold (only whom the "
            "sales record names)",
            p->name);
        return;
    }
    product->owner =
        ap_lookup_provider(BRSKI_OWNER_PROVIDER_GROUP, p->owner, BRSKI_OWNER_PROVIDER_VERSION);
    if (!product->owner) {
        glue_check_wrong(c, p->where,
                         "BRSKI2025: MASAOwner %s in <MASAProduct %s>: no such policy; there are "
                         "%s",
                         p->owner, p->name, known_owners(c));
    }
}

static void take_anchors(glue_check_t *c, brski_product_t *product, const masa_product_conf_t *p)
{
    brski_anchors_t *anchors;
    brski_err_t *err;

    if (!p->anchors->nelts) {
        glue_check_wrong(c, p->where,
                         "BRSKI2026: <MASAProduct %s> has no MASAIDevIDAnchor; name the PEM file "
                         "of the CA that its devices' IDevIDs chain to",
                         p->name);
        return;
    }
    err = brski_anchors_load(&anchors, p->anchors, c->pool);
    if (err) {
        glue_check_wrong(c, p->where, "BRSKI2027: MASAIDevIDAnchor in <MASAProduct %s>: %s",
                         p->name, glue_check_reason(err));
        return;
    }
    product->idevid_anchors = anchors;
}

static void make_product(glue_check_t *c, const masa_product_conf_t *p)
{
    brski_product_t *product = apr_pcalloc(c->pool, sizeof(*product));

    product->name = p->name;
    product->signers = apr_array_make(c->pool, 2, sizeof(brski_signer_t *));
    product->nonceless = masa_product_get(p, nonceless);
    product->nonceless_lifetime = masa_product_get(p, nonceless_lifetime);
    product->pin_nonced = masa_product_get(p, pin_nonced);
    product->pin_nonceless = masa_product_get(p, pin_nonceless);
    product->proximity = masa_product_get(p, proximity);
    product->econtent = masa_product_get(p, econtent);
    product->ignore_idevid_expiry = masa_product_get(p, ignore_idevid_expiry);
    product->formats = p->formats;
    if (!product->formats->nelts) {
        APR_ARRAY_PUSH(product->formats, brski_format_t) = BRSKI_FORMAT_CMS;
    }
    take_anchors(c, product, p);
    take_signers(c, product, p);
    take_owner(c, product, p);
    APR_ARRAY_PUSH(masa_checked(c)->masa.products, brski_product_t *) = product;
}

static void make_products(glue_check_t *c)
{
    const apr_array_header_t *all = masa_checked(c)->conf->products;
    int i, k;

    for (i = 0; i < all->nelts; i++) {
        const masa_product_conf_t *p = APR_ARRAY_IDX(all, i, const masa_product_conf_t *);

        for (k = 0; k < i; k++) {
            const masa_product_conf_t *other = APR_ARRAY_IDX(all, k, const masa_product_conf_t *);

            if (!strcmp(other->name, p->name)) {
                glue_check_wrong(c, p->where,
                                 "BRSKI2028: <MASAProduct %s>: there is another section of this "
                                 "name (%s); write all of a product line in one",
                                 p->name, other->where);
            }
        }
        make_product(c, p);
    }
    if (!all->nelts) {
        glue_check_wrong(c, glue_check_place(c, "MASAEngine"),
                         "BRSKI2029: MASAEngine On, but no product line; write "
                         "<MASAProduct NAME> ... </MASAProduct> for each");
    }
}

/* ---- anchors of the server ---- */

static void make_customer_anchors(glue_check_t *c)
{
    const apr_array_header_t *files = masa_checked(c)->conf->customer_anchors;
    brski_anchors_t *anchors;
    brski_err_t *err;

    if (!files->nelts) {
        return;
    }
    err = brski_anchors_load(&anchors, files, c->pool);
    if (err) {
        glue_check_wrong(c, glue_check_place(c, "MASACustomerAnchor"),
                         "BRSKI2030: MASACustomerAnchor: %s", glue_check_reason(err));
        return;
    }
    masa_checked(c)->masa.customer_anchors = anchors;
}

/* The bundle of public CAs that OpenSSL was built to use, in one of the two places it may be. */
static const char *default_public_anchors(const glue_check_t *c)
{
    const char *const candidates[] = {
        X509_get_default_cert_file(),
        apr_pstrcat(c->temp, X509_get_default_cert_dir(), "/ca-certificates.crt", NULL)};
    apr_finfo_t info;
    apr_size_t i;

    for (i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        if (apr_stat(&info, candidates[i], APR_FINFO_TYPE, c->temp) == APR_SUCCESS) {
            return candidates[i];
        }
    }
    return NULL;
}

/* RFC 8995 5.5.2 lets a MASA pin a CA; a public one would let everybody be the owner. */
static void make_public_anchors(glue_check_t *c)
{
    const char *said = masa_checked(c)->conf->public_anchors;
    const char *path = said ? said : default_public_anchors(c);
    apr_array_header_t *files = apr_array_make(c->temp, 1, sizeof(const char *));
    brski_anchors_t *anchors;
    brski_err_t *err;

    if (!path) {
        glue_check_doubtful(
            c, c->where,
            "BRSKI2031: OpenSSL's list of public CAs is not on this machine, so "
            "one could be pinned; install ca-certificates, or write MASAPublicAnchors FILE, "
            "or MASAPublicAnchors none if that is meant");
    }
    if (!path || !*path) {
        return;
    }
    APR_ARRAY_PUSH(files, const char *) = path;
    err = brski_anchors_load(&anchors, files, c->pool);
    if (err) {
        glue_check_wrong(c, said ? glue_check_place(c, "MASAPublicAnchors") : c->where,
                         "BRSKI2032: MASAPublicAnchors %s: %s", path, glue_check_reason(err));
        return;
    }
    masa_checked(c)->masa.public_cas = anchors;
}

/* ---- the engine ---- */

static void set_policies(masa_engine_t *engine)
{
    const masa_conf_t *conf = engine->conf;
    brski_masa_t *masa = &engine->masa;

    masa->ctx = &engine->ctx;
    masa->limits = &engine->limits;
    masa->revocation = masa_get(conf, revocation);
    masa->skew = masa_get(conf, skew);
    masa->reuse = masa_get(conf, reuse);
    masa->max_age = masa_get(conf, max_age);
}

/* A virtual host that says nothing of ours shares the main server's struct: each engine gets its
 * own. */
static masa_engine_t *make_engine(const glue_check_t *c)
{
    masa_engine_t *engine = apr_pcalloc(c->pool, sizeof(*engine));
    masa_conf_t *conf = apr_pmemdup(c->pool, masa_conf(c->server), sizeof(*conf));

    engine->server = c->server;
    engine->conf = conf;
    engine->limits = brski_limits_default;
    engine->limits.body = (apr_size_t)masa_get(conf, body_limit);
    engine->ctx = *brski_ctx_default();
    glue_log_server(&engine->log, c->server);
    engine->ctx.log = &engine->log;
    engine->signers = apr_array_make(c->pool, 2, sizeof(brski_signer_t *));
    engine->masa.products = apr_array_make(c->pool, 2, sizeof(brski_product_t *));
    set_policies(engine);
    conf->runtime = engine;
    ap_set_module_config(c->server->module_config, &masa_module, conf);
    return engine;
}

static void check_server(glue_check_t *c)
{
    c->of = make_engine(c);
    c->where = glue_check_server(c);
    make_signers(c);
    make_products(c);
    make_customer_anchors(c);
    make_public_anchors(c);
    masa_check_httpd(c);
}

/* Once: they are there for all servers or for none. */
static void check_modules(glue_check_t *c)
{
    if (!ap_find_linked_module("mod_ssl.c")) {
        glue_check_wrong(c, glue_check_place(c, "MASAEngine"),
                         "BRSKI2001: MASAEngine On, but mod_ssl is not loaded; "
                         "write LoadModule ssl_module (Debian: a2enmod ssl)");
    }
    if (!ap_find_linked_module("mod_dbd.c")) {
        glue_check_wrong(c, glue_check_place(c, "MASAEngine"),
                         "BRSKI2002: MASAEngine On, but mod_dbd is not loaded; "
                         "write LoadModule dbd_module (Debian: a2enmod dbd)");
    }
}

int masa_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    glue_check_t c = { .main_server = s, .where = "main server", .pool = pconf, .temp = ptemp,
                       .databases = apr_hash_make(ptemp) };

    (void)plog;
    for (c.server = s; c.server; c.server = c.server->next) {
        if (masa_get(masa_conf(c.server), engine) != MASA_ENGINE_ON) {
            continue;
        }
        if (!c.modules_checked++) {
            check_modules(&c);
        }
        check_server(&c);
    }
    return c.failed ? HTTP_INTERNAL_SERVER_ERROR : OK;
}
