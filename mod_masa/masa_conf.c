/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_conf.c: the directive table, one setter a kind of directive, merge and defaults. A setter
 * refuses what it can judge by itself and says directive, value and what would be right; files,
 * keys and names that belong together are judged by masa_check.c when all has been read.
 */
#include "masa_conf.h"

#include <stddef.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "glue_conf.h"

extern module AP_MODULE_DECLARE_DATA masa_module;

const masa_conf_t masa_defaults = {
    .engine = MASA_ENGINE_OFF,
    .tenant = "default",
    .base = "/.well-known/brski",
    .legacy = 0,
    .client = MASA_CLIENT_REQUEST,
    .revocation = BRSKI_REVOCATION_HARD,
    .reuse = apr_time_from_sec(10 * 60),
    .max_age = apr_time_from_sec(5 * 24 * 60 * 60),
    .skew = apr_time_from_sec(5 * 60),
    .database_workers = 10,
    .database_patience = apr_time_from_sec(2),
    .refusal_retention = apr_time_from_sec(30 * 24 * 60 * 60),
    .certificate_cache = 1000,
    .body_limit = 64 * 1024
};

const masa_product_conf_t masa_product_defaults = {
    .nonceless = BRSKI_NONCELESS_DENY,
    .nonceless_lifetime = apr_time_from_sec(20 * 60),
    .pin_nonced = BRSKI_PIN_LOWEST_CA,
    .pin_nonceless = BRSKI_PIN_HIGHEST_CA,
    .proximity = BRSKI_PROXIMITY_REQUIRED,
    .econtent = BRSKI_ECONTENT_ANIMA_JSON,
    .ignore_idevid_expiry = 0
};

masa_conf_t *masa_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &masa_module);
}

void *masa_conf_create(apr_pool_t *pool, server_rec *s)
{
    masa_conf_t *c = apr_pcalloc(pool, sizeof(*c));

    (void)s;
    c->engine = MASA_UNSET;
    c->legacy = MASA_UNSET;
    c->client = MASA_UNSET;
    c->revocation = MASA_UNSET;
    c->reuse = MASA_UNSET;
    c->max_age = MASA_UNSET;
    c->skew = MASA_UNSET;
    c->database_workers = MASA_UNSET;
    c->database_patience = MASA_UNSET;
    c->refusal_retention = MASA_UNSET;
    c->certificate_cache = MASA_UNSET;
    c->body_limit = MASA_UNSET;
    c->products = apr_array_make(pool, 2, sizeof(masa_product_conf_t *));
    c->signers = apr_array_make(pool, 2, sizeof(masa_signer_conf_t *));
    c->customer_anchors = apr_array_make(pool, 1, sizeof(const char *));
    return c;
}

#define MERGE(field) merged->field = a->field != MASA_UNSET ? a->field : b->field
#define MERGE_TEXT(field) merged->field = a->field ? a->field : b->field
#define MERGE_LIST(field) merged->field = apr_array_append(pool, b->field, a->field)

void *masa_conf_merge(apr_pool_t *pool, void *base, void *add)
{
    const masa_conf_t *b = base;
    const masa_conf_t *a = add;
    masa_conf_t *merged = apr_pcalloc(pool, sizeof(*merged));

    MERGE(engine);
    MERGE_TEXT(tenant);
    MERGE_TEXT(base);
    MERGE(legacy);
    MERGE_LIST(products);
    MERGE_LIST(signers);
    MERGE_LIST(customer_anchors);
    MERGE_TEXT(public_anchors);
    MERGE(client);
    MERGE(revocation);
    MERGE(reuse);
    MERGE(max_age);
    MERGE(skew);
    MERGE(database_workers);
    MERGE(database_patience);
    MERGE(refusal_retention);
    MERGE(certificate_cache);
    MERGE(body_limit);
    return merged;
}

static masa_product_conf_t *product_create(apr_pool_t *pool, const char *name, const char *where)
{
    masa_product_conf_t *p = apr_pcalloc(pool, sizeof(*p));

    p->name = name;
    p->where = where;
    p->nonceless = MASA_UNSET;
    p->nonceless_lifetime = MASA_UNSET;
    p->pin_nonced = MASA_UNSET;
    p->pin_nonceless = MASA_UNSET;
    p->proximity = MASA_UNSET;
    p->econtent = MASA_UNSET;
    p->ignore_idevid_expiry = MASA_UNSET;
    p->anchors = apr_array_make(pool, 1, sizeof(const char *));
    p->signers = apr_array_make(pool, 1, sizeof(const char *));
    p->formats = apr_array_make(pool, 1, sizeof(brski_format_t));
    return p;
}

/* ---- what setters share ---- */

static masa_conf_t *conf_of(const cmd_parms *cmd)
{
    return masa_conf(cmd->server);
}

/* The product whose section is being read, or NULL and what to say. */
static masa_product_conf_t *product_of(const cmd_parms *cmd, const char **problem)
{
    masa_product_conf_t *p = conf_of(cmd)->open_product;

    *problem = p ? NULL : apr_psprintf(cmd->pool, "%s belongs to a product line: write it inside "
                                       "<MASAProduct NAME> ... </MASAProduct>", cmd->cmd->name);
    return p;
}

static const glue_word_t client_words[] = {
    { "none", MASA_CLIENT_NONE }, { "request", MASA_CLIENT_REQUEST },
    { "require", MASA_CLIENT_REQUIRE }, { "known", MASA_CLIENT_KNOWN }, { NULL, 0 }
};
static const glue_word_t revocation_words[] = {
    { "off", BRSKI_REVOCATION_OFF }, { "soft", BRSKI_REVOCATION_SOFT },
    { "hard", BRSKI_REVOCATION_HARD }, { NULL, 0 }
};
static const glue_word_t nonceless_words[] = {
    { "deny", BRSKI_NONCELESS_DENY }, { "sold", BRSKI_NONCELESS_SOLD },
    { "customer", BRSKI_NONCELESS_CUSTOMER }, { NULL, 0 }
};
static const glue_word_t pin_words[] = {
    { "ee", BRSKI_PIN_EE }, { "lowest-ca", BRSKI_PIN_LOWEST_CA },
    { "highest-ca", BRSKI_PIN_HIGHEST_CA }, { NULL, 0 }
};
static const glue_word_t proximity_words[] = {
    { "required", BRSKI_PROXIMITY_REQUIRED }, { "optional", BRSKI_PROXIMITY_OPTIONAL },
    { "downgrade", BRSKI_PROXIMITY_DOWNGRADE }, { NULL, 0 }
};
static const glue_word_t econtent_words[] = {
    { "anima", BRSKI_ECONTENT_ANIMA_JSON }, { "data", BRSKI_ECONTENT_DATA }, { NULL, 0 }
};

/* An int of masa_conf_t at an offset, given by cmd->info. */
#define FIELD(type, base, offset) ((type *)((char *)(base) + (apr_size_t)(offset)))
#define OFFSET(field) ((void *)offsetof(masa_conf_t, field))

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    *FIELD(int, conf_of(cmd), cmd->info) = on;
    return NULL;
}

static const char *set_duration(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_duration(FIELD(apr_interval_time_t, conf_of(cmd), cmd->info), cmd, arg);
}

/* Files are read by masa_check.c; here they only get their place. */
static const char *add_file(apr_array_header_t *list, cmd_parms *cmd, const char *arg)
{
    const char *path;
    const char *problem = glue_conf_file(&path, cmd, arg);

    if (!problem) {
        APR_ARRAY_PUSH(list, const char *) = path;
    }
    return problem;
}

/* ---- the engine ---- */

static const char *set_engine(cmd_parms *cmd, void *dir, const char *arg)
{
    masa_conf_t *c = conf_of(cmd);

    (void)dir;
    if (!ap_cstr_casecmp(arg, "front")) {
        return "MASAEngine: 'Front' (a tier that holds no key) is not in this version; write On "
               "on the server that decides and signs, Off elsewhere";
    }
    if (ap_cstr_casecmp(arg, "on") && ap_cstr_casecmp(arg, "off")) {
        return apr_psprintf(cmd->pool, "MASAEngine: '%s' is none of On, Off", arg);
    }
    c->engine = ap_cstr_casecmp(arg, "on") ? MASA_ENGINE_OFF : MASA_ENGINE_ON;
    return NULL;
}

static const char *set_tenant(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    conf_of(cmd)->tenant = arg;
    return glue_conf_name(cmd, arg);
}

static const char *set_base(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_size_t n = strlen(arg);

    (void)dir;
    if (n < 2 || arg[0] != '/' || arg[n - 1] == '/' || strstr(arg, "//") || strstr(arg, "/./")
        || strstr(arg, "/../") || strpbrk(arg, "?#%* ")) {
        return apr_psprintf(cmd->pool, "MASABase: '%s' is not a path; write it as in the devices' "
                            "MASA URL, such as /.well-known/brski, without a '/' at its end", arg);
    }
    conf_of(cmd)->base = arg;
    return NULL;
}

static const char *set_client(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_word(&conf_of(cmd)->client, cmd, client_words, arg);
}

static const char *set_revocation(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_word(&conf_of(cmd)->revocation, cmd, revocation_words, arg);
}

static const char *add_customer_anchor(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return add_file(conf_of(cmd)->customer_anchors, cmd, arg);
}

static const char *set_public_anchors(cmd_parms *cmd, void *dir, const char *arg)
{
    const int none = !ap_cstr_casecmp(arg, "none");
    const char *path = none ? "" : ap_server_root_relative(cmd->pool, arg);

    (void)dir;
    conf_of(cmd)->public_anchors = path;
    return path ? NULL : apr_psprintf(cmd->pool, "MASAPublicAnchors: '%s' is not a file name", arg);
}

static const char *set_database_workers(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&conf_of(cmd)->database_workers, cmd, arg, 1, 10000);
}

static const char *set_certificate_cache(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&conf_of(cmd)->certificate_cache, cmd, arg, 0, 1000000);
}

static const char *set_body_limit(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&conf_of(cmd)->body_limit, cmd, arg, 1024, 16 * 1024 * 1024);
}

static const char *set_patience(cmd_parms *cmd, void *dir, const char *arg)
{
    masa_conf_t *c = conf_of(cmd);
    const char *problem = glue_conf_duration(&c->database_patience, cmd, arg);

    (void)dir;
    if (!problem && c->database_patience < apr_time_from_sec(1)) {
        return apr_psprintf(cmd->pool, "MASADatabasePatience: '%s' is too short; write 1s or more",
                            arg);
    }
    return problem;
}

/* ---- signers ---- */

/* Scheme of a key URI, or "file" for a bare path. A one-letter scheme would be a drive. */
static const char *key_scheme(apr_pool_t *pool, const char *uri)
{
    const char *p = uri;

    while (apr_isalnum(*p) || *p == '+' || *p == '-') {
        p++;
    }
    return *p == ':' && p - uri > 1 ? apr_pstrmemdup(pool, uri, p - uri) : "file";
}

static const char *add_signer(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    masa_conf_t *c = conf_of(cmd);
    masa_signer_conf_t *s = apr_pcalloc(cmd->pool, sizeof(*s));
    const char *problem;
    int i;

    (void)dir;
    if (argc < 3 || argc > 4 || (argc == 4 && ap_cstr_casecmp(argv[3], "nonceless"))) {
        return "MASASigner: write NAME CHAIN.pem KEY-URI and, for one that signs nonceless "
               "vouchers, the word nonceless";
    }
    if ((problem = glue_conf_name(cmd, argv[0]))) {
        return problem;
    }
    if (!ap_cstr_casecmp(argv[1], "raw")) {
        return apr_psprintf(cmd->pool, "MASASigner %s: 'raw' (a key without a certificate) is not "
                            "in this version; name a PEM file with the signer's certificate, its "
                            "chain and its root", argv[0]);
    }
    for (i = 0; i < c->signers->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(c->signers, i, masa_signer_conf_t *)->name, argv[0])) {
            return apr_psprintf(cmd->pool, "MASASigner %s: there is another one of this name (%s)",
                                argv[0], APR_ARRAY_IDX(c->signers, i, masa_signer_conf_t *)->where);
        }
    }
    s->name = argv[0];
    s->where = glue_conf_where(cmd);
    s->chain_file = ap_server_root_relative(cmd->pool, argv[1]);
    s->key_uri = strcmp(key_scheme(cmd->pool, argv[2]), "file") || !strncmp(argv[2], "file:", 5)
                     ? argv[2] : ap_server_root_relative(cmd->pool, argv[2]);
    s->nonceless = argc == 4;
    if (!s->chain_file || !s->key_uri) {
        return apr_psprintf(cmd->pool, "MASASigner %s: '%s' is not a file name", argv[0],
                            s->chain_file ? argv[2] : argv[1]);
    }
    APR_ARRAY_PUSH(c->signers, masa_signer_conf_t *) = s;
    return NULL;
}

/* ---- product lines ---- */

static const char *product_open(masa_product_conf_t **out, cmd_parms *cmd, const char *arg)
{
    masa_conf_t *c = conf_of(cmd);
    const char *name;
    const char *problem = glue_conf_section(&name, cmd, arg);
    int i;

    if (problem) {
        return problem;
    }
    if (c->open_product) {
        return apr_psprintf(cmd->pool, "<MASAProduct %s> stands inside <MASAProduct %s>; close "
                            "that one first", name, c->open_product->name);
    }
    for (i = 0; i < c->products->nelts; i++) {
        const masa_product_conf_t *other = APR_ARRAY_IDX(c->products, i, masa_product_conf_t *);

        if (!strcmp(other->name, name)) {
            return apr_psprintf(cmd->pool, "<MASAProduct %s>: there is another section of this "
                                "name (%s); write all of a product line in one", name,
                                other->where);
        }
    }
    *out = product_create(cmd->pool, name, glue_conf_where(cmd));
    return NULL;
}

static int belongs_to_product(const char *directive);

static const char *product_section(cmd_parms *cmd, void *dir, const char *arg)
{
    masa_conf_t *c = conf_of(cmd);
    masa_product_conf_t *product = NULL;
    const ap_directive_t *d;
    const char *problem = product_open(&product, cmd, arg);

    (void)dir;
    if (problem) {
        return problem;
    }
    for (d = cmd->directive->first_child; d; d = d->next) {
        if (!belongs_to_product(d->directive)) {
            cmd->err_directive = d;
            return apr_psprintf(cmd->pool, "%s does not belong inside <MASAProduct>", d->directive);
        }
    }
    APR_ARRAY_PUSH(c->products, masa_product_conf_t *) = product;
    c->open_product = product;
    problem = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    c->open_product = NULL;
    return problem;
}

static const char *add_idevid_anchor(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    return p ? add_file(p->anchors, cmd, arg) : problem;
}

static const char *add_sign_with(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    if (!p) {
        return problem;
    }
    if (ap_strchr_c(arg, '=')) {
        return apr_psprintf(cmd->pool, "MASASignWith: '%s': match= and made= check imports and are "
                            "not in this version; let the column signer of the device list name "
                            "each device's signer", arg);
    }
    APR_ARRAY_PUSH(p->signers, const char *) = arg;
    return glue_conf_name(cmd, arg);
}

static const char *set_policy_oid(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    if (p && (strspn(arg, "0123456789.") != strlen(arg) || !ap_strchr_c(arg, '.'))) {
        return apr_psprintf(cmd->pool, "MASASignerPolicyOID: '%s' is not an object identifier; "
                            "write numbers with dots, such as 1.3.6.1.4.1.32473.1", arg);
    }
    if (p) {
        p->policy_oid = arg;
    }
    return problem;
}

static const char *set_owner(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    if (p) {
        p->owner = arg;
    }
    return problem;
}

static const char *set_nonceless(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    return p ? glue_conf_word(&p->nonceless, cmd, nonceless_words, arg) : problem;
}

static const char *set_nonceless_lifetime(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    if (!p) {
        return problem;
    }
    if (!ap_cstr_casecmp(arg, "none")) {
        p->nonceless_lifetime = 0;
        return NULL;
    }
    problem = glue_conf_duration(&p->nonceless_lifetime, cmd, arg);
    if (!problem && p->nonceless_lifetime == 0) {
        return "MASANoncelessLifetime: a voucher that is valid for no time is of no use; write a "
               "duration such as 20min, or none for one without end";
    }
    return problem;
}

static const char *set_pin(cmd_parms *cmd, void *dir, const char *one, const char *two)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);
    const int nonced = !two || !ap_cstr_casecmp(one, "nonced");
    const int nonceless = !two || !ap_cstr_casecmp(one, "nonceless");

    (void)dir;
    if (p && !nonced && !nonceless) {
        return apr_psprintf(cmd->pool, "MASAPin: '%s' is none of nonced, nonceless", one);
    }
    if (p && nonced) {
        problem = glue_conf_word(&p->pin_nonced, cmd, pin_words, two ? two : one);
    }
    if (p && nonceless && !problem) {
        problem = glue_conf_word(&p->pin_nonceless, cmd, pin_words, two ? two : one);
    }
    return problem;
}

static const char *set_proximity(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    return p ? glue_conf_word(&p->proximity, cmd, proximity_words, arg) : problem;
}

static const char *add_format(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    if (!p) {
        return problem;
    }
    if (!ap_cstr_casecmp(arg, "jws") || !ap_cstr_casecmp(arg, "cose")) {
        return apr_psprintf(cmd->pool, "MASAFormats: '%s' is not in this version; write cms", arg);
    }
    if (ap_cstr_casecmp(arg, "cms")) {
        return apr_psprintf(cmd->pool, "MASAFormats: '%s' is none of cms", arg);
    }
    APR_ARRAY_PUSH(p->formats, brski_format_t) = BRSKI_FORMAT_CMS;
    return NULL;
}

static const char *set_econtent(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    return p ? glue_conf_word(&p->econtent, cmd, econtent_words, arg) : problem;
}

static const char *set_ignore_expiry(cmd_parms *cmd, void *dir, int on)
{
    const char *problem;
    masa_product_conf_t *p = product_of(cmd, &problem);

    (void)dir;
    if (p) {
        p->ignore_idevid_expiry = on;
    }
    return problem;
}

/* ---- the table ---- */

/* Marks directives that belong inside <MASAProduct>; the others stand at the server or virtual
 * host. */
static char in_product[] = "P";

const command_rec masa_commands[] = {
    AP_INIT_TAKE1("MASAEngine", set_engine, NULL, RSRC_CONF,
                  "On: this server or virtual host is a MASA; Off (default): it is none"),
    AP_INIT_TAKE1("MASATenant", set_tenant, NULL, RSRC_CONF,
                  "name under which the records are kept (default: default)"),
    AP_INIT_TAKE1("MASABase", set_base, NULL, RSRC_CONF,
                  "path before the operations (default /.well-known/brski)"),
    AP_INIT_FLAG("MASALegacyPaths", set_flag, OFFSET(legacy), RSRC_CONF,
                 "On: /.well-known/est/requestvoucher and requestauditlog are served too"),
    AP_INIT_RAW_ARGS("<MASAProduct", product_section, NULL, RSRC_CONF,
                     "container of one product line's directives: <MASAProduct NAME>"),
    AP_INIT_TAKE1("MASAIDevIDAnchor", add_idevid_anchor, in_product, RSRC_CONF,
                  "PEM file of anchors that this line's IDevIDs chain to; repeatable"),
    AP_INIT_ITERATE("MASASignWith", add_sign_with, in_product, RSRC_CONF,
                    "names of the MASASigner that sign this line's vouchers"),
    AP_INIT_TAKE1("MASASignerPolicyOID", set_policy_oid, in_product, RSRC_CONF,
                  "certificate policy that each of this line's signers must carry"),
    AP_INIT_TAKE1("MASAOwner", set_owner, in_product, RSRC_CONF,
                  "who may have a voucher: any, customer or sold; required"),
    AP_INIT_TAKE1("MASANonceless", set_nonceless, in_product, RSRC_CONF,
                  "who may have nonceless vouchers: deny (default), sold or customer"),
    AP_INIT_TAKE1("MASANoncelessLifetime", set_nonceless_lifetime, in_product, RSRC_CONF,
                  "how long a nonceless voucher is valid: a duration (default 20min), or none"),
    AP_INIT_TAKE12("MASAPin", set_pin, in_product, RSRC_CONF,
                   "[nonced|nonceless] ee, lowest-ca or highest-ca: the certificate to pin"),
    AP_INIT_TAKE1("MASAProximity", set_proximity, in_product, RSRC_CONF,
                  "required (default), optional or downgrade: the pledge's own request"),
    AP_INIT_ITERATE("MASAFormats", add_format, in_product, RSRC_CONF,
                    "voucher formats that this line's devices understand: cms (default)"),
    AP_INIT_TAKE1("MASAEContentType", set_econtent, in_product, RSRC_CONF,
                  "content type written in CMS vouchers: anima (default) or data"),
    AP_INIT_FLAG("MASAIgnoreIDevIDExpiry", set_ignore_expiry, in_product, RSRC_CONF,
                 "On: IDevIDs may have outlived their certificate; Off (default)"),
    AP_INIT_TAKE_ARGV("MASASigner", add_signer, NULL, RSRC_CONF,
                      "NAME CHAIN.pem KEY-URI [nonceless]: a key that signs vouchers"),
    AP_INIT_TAKE1("MASAClientCertificate", set_client, NULL, RSRC_CONF,
                  "none, request (default), require or known: the TLS client certificate"),
    AP_INIT_TAKE1("MASACustomerAnchor", add_customer_anchor, NULL, RSRC_CONF,
                  "PEM file of anchors on which a customer's DNS name or CA counts; repeatable"),
    AP_INIT_TAKE1("MASAPublicAnchors", set_public_anchors, NULL, RSRC_CONF,
                  "PEM file of public CAs, which are never pinned; none; default OpenSSL's"),
    AP_INIT_TAKE1("MASARevocation", set_revocation, NULL, RSRC_CONF,
                  "off, soft or hard (default): whether registrars' certificates are revoked"),
    AP_INIT_TAKE1("MASAReuse", set_duration, OFFSET(reuse), RSRC_CONF,
                  "how long an identical request gets its voucher again (default 10min)"),
    AP_INIT_TAKE1("MASAMaxAge", set_duration, OFFSET(max_age), RSRC_CONF,
                  "age beyond which a request is stale (default 1d; 0: any age)"),
    AP_INIT_TAKE1("MASAClockSkew", set_duration, OFFSET(skew), RSRC_CONF,
                  "how far others' clocks may be off (default 5min)"),
    AP_INIT_TAKE1("MASADatabaseWorkers", set_database_workers, NULL, RSRC_CONF,
                  "how many threads of a process use the database at once (default 10)"),
    AP_INIT_TAKE1("MASADatabasePatience", set_patience, NULL, RSRC_CONF,
                  "how long to wait for the database before 503 is answered (default 2s)"),
    AP_INIT_TAKE1("MASARefusalRetention", set_duration, OFFSET(refusal_retention), RSRC_CONF,
                  "how long refused requests are kept as evidence (default 30d; 0: not)"),
    AP_INIT_TAKE1("MASACertificateCache", set_certificate_cache, NULL, RSRC_CONF,
                  "how many parsed certificates a process keeps (default 1000; 0: none)"),
    AP_INIT_TAKE1("MASABodyLimit", set_body_limit, NULL, RSRC_CONF,
                  "octets of a request body that are read (default 65536)"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};

static int belongs_to_product(const char *directive)
{
    const command_rec *cmd;

    for (cmd = masa_commands; cmd->name; cmd++) {
        if (cmd->cmd_data == in_product && !ap_cstr_casecmp(cmd->name, directive)) {
            return 1;
        }
    }
    return 0;
}
