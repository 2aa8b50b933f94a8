/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check_registrar.c: makes what decides on pledges (RFC 8995 5.2 to 5.8): the registrar's
 * certificates, the manufacturers whose devices are welcome, where their MASAs may be, and which
 * history of a device is accepted.
 */
#include "est_check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <unixd.h>

/* ---- the registrar's certificates ---- */

/* A sentence inside another one. */
static const char *without_stop(const char *text, apr_pool_t *pool)
{
    const apr_size_t len = strlen(text);

    return len && text[len - 1] == '.' ? apr_pstrmemdup(pool, text, len - 1) : text;
}

/* End entity first, each signed by the next. */
static const brski_cert_t *load_chain(glue_check_t *c, brski_registrar_cert_t *certificate,
                                      const est_certificate_conf_t *conf)
{
    apr_array_header_t *certs;
    const brski_cert_t *ee;
    brski_chain_t *chain;
    brski_err_t *err = brski_cert_load(&certs, conf->chain_file, c->pool);

    if (err) {
        glue_check_wrong(c, conf->where, "BRSKI3010: ESTRegistrarCertificate: %s",
                         glue_check_reason(err));
        return NULL;
    }
    ee = APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
    if (ee->ca) {
        glue_check_wrong(c, conf->where,
                         "BRSKI3012: ESTRegistrarCertificate %s: the first certificate, of %s, is "
                         "a CA's; the registrar's own must come first",
                         conf->chain_file, ee->subject);
        return NULL;
    }
    err = brski_chain_build(&chain, ee, certs, c->pool, c->temp);
    certificate->chain_file = conf->chain_file;
    certificate->chain = err ? certs : chain->certs;
    if (!err) {
        err = brski_chain_verify(chain, apr_time_now(), 0, c->temp);
    }
    if (err) {
        glue_check_wrong(c, conf->where,
                         "BRSKI3011: ESTRegistrarCertificate %s: the chain of %s does not hold: "
                         "%s; a file of certificates that are valid now, the registrar's first, "
                         "would be right",
                         conf->chain_file, ee->subject,
                         without_stop(glue_check_reason(err), c->temp));
        return NULL;
    }
    return ee;
}

/* RFC 8995 5.5.4: the certificate says that its holder is a registrar; a MASA refuses others. */
static void check_cmc_ra(glue_check_t *c, const est_certificate_conf_t *conf,
                         const brski_cert_t *ee)
{
    if (!ee->cmc_ra) {
        glue_check_wrong(c, conf->where,
                         "BRSKI3013: ESTRegistrarCertificate %s: the certificate of %s is no "
                         "registrar's: its extended key usage lacks id-kp-cmcRA "
                         "(1.3.6.1.5.5.7.3.28), and every MASA would refuse it; have one made "
                         "with it, and with serverAuth",
                         conf->chain_file, ee->subject);
    }
}

static int same_key(const brski_cert_t *a, const brski_cert_t *b)
{
    return !memcmp(a->spki_hash, b->spki_hash, sizeof(a->spki_hash));
}

static int has_key(const apr_array_header_t *certs, const brski_cert_t *cert)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (same_key(APR_ARRAY_IDX(certs, i, const brski_cert_t *), cert)) {
            return 1;
        }
    }
    return 0;
}

static void make_certificate(glue_check_t *c, const est_certificate_conf_t *conf,
                             apr_array_header_t *own, const apr_array_header_t *shown)
{
    brski_registrar_cert_t *certificate = apr_pcalloc(c->pool, sizeof(*certificate));
    const brski_cert_t *ee = load_chain(c, certificate, conf);
    brski_err_t *err;

    if (!ee) {
        return;
    }
    check_cmc_ra(c, conf, ee);
    err = est_check_key(&certificate->key, conf->key_file, ee, c->pool);
    if (err) {
        glue_check_wrong(c, conf->where, "BRSKI3014: ESTRegistrarCertificate %s: %s",
                         conf->chain_file, glue_check_reason(err));
        return;
    }
    if (shown->nelts && !has_key(shown, ee)) {
        glue_check_wrong(c, conf->where,
                         "BRSKI3015: ESTRegistrarCertificate %s: the key of %s is none that this "
                         "server shows in TLS, so no pledge would be served with it; name the same "
                         "certificate and key in SSLCertificateFile and SSLCertificateKeyFile",
                         conf->chain_file, ee->subject);
    }
    APR_ARRAY_PUSH(own, const brski_cert_t *) = ee;
    APR_ARRAY_PUSH(est_checked(c)->registrar.certificates, brski_registrar_cert_t *) = certificate;
}

/* A pledge that is shown a certificate without its ESTRegistrarCertificate gets 503. */
static void check_shown(glue_check_t *c, const apr_array_header_t *own,
                        const apr_array_header_t *shown)
{
    int i;

    for (i = 0; i < shown->nelts; i++) {
        const brski_cert_t *cert = APR_ARRAY_IDX(shown, i, const brski_cert_t *);

        if (!has_key(own, cert)) {
            glue_check_doubtful(c, glue_check_place(c, "SSLCertificateFile"),
                                "BRSKI3016: SSLCertificateFile: pledges that are shown the "
                                "certificate of %s get 503, because no ESTRegistrarCertificate "
                                "has its key; name it there too",
                                cert->subject);
        }
    }
}

static void make_certificates(glue_check_t *c)
{
    const apr_array_header_t *all = est_checked(c)->conf->certificates;
    const apr_array_header_t *shown = est_check_tls_certificates(c);
    apr_array_header_t *own = apr_array_make(c->temp, 2, sizeof(const brski_cert_t *));
    int i;

    for (i = 0; i < all->nelts; i++) {
        make_certificate(c, APR_ARRAY_IDX(all, i, const est_certificate_conf_t *), own, shown);
    }
    if (all->nelts && own->nelts == all->nelts) {
        check_shown(c, own, shown);
    }
    if (!all->nelts && est_checked(c)->conf->manufacturers->nelts) {
        glue_check_wrong(c, glue_check_place(c, "ESTEngine"),
                         "BRSKI3017: there are manufacturers, but no certificate of this "
                         "registrar; write ESTRegistrarCertificate CHAIN.pem KEY, with the "
                         "certificate that SSLCertificateFile names");
    }
}

/* ---- a manufacturer ---- */

static void take_idevid_anchors(glue_check_t *c, brski_manufacturer_t *made,
                                const est_manufacturer_conf_t *m)
{
    brski_anchors_t *anchors;
    brski_err_t *err;

    if (!m->anchors->nelts) {
        glue_check_wrong(c, m->where,
                         "BRSKI3020: <ESTManufacturer %s> has no ESTIDevIDAnchor; name the PEM "
                         "file of the CA that its devices' IDevIDs chain to",
                         m->name);
        return;
    }
    err = brski_anchors_load(&anchors, m->anchors, c->pool);
    if (err) {
        glue_check_wrong(c, m->where, "BRSKI3021: ESTIDevIDAnchor in <ESTManufacturer %s>: %s",
                         m->name, glue_check_reason(err));
        return;
    }
    made->idevid_anchors = anchors;
}

static void take_voucher_anchors(glue_check_t *c, brski_manufacturer_t *made,
                                 const est_manufacturer_conf_t *m)
{
    brski_anchors_t *anchors;
    brski_err_t *err;

    made->voucher_trust = (brski_trust_t)m->voucher_trust;
    if (m->voucher_trust == EST_UNSET) {
        glue_check_wrong(c, m->where,
                         "BRSKI3022: <ESTManufacturer %s> does not say who signs its vouchers; "
                         "write ESTVoucherAnchor and the PEM file of the signers' root, or "
                         "ESTVoucherAnchor tofu to compare its fingerprint with the packaging "
                         "when the first voucher has come",
                         m->name);
        return;
    }
    if (m->voucher_trust == BRSKI_TRUST_TOFU) {
        return;
    }
    err = brski_anchors_load(&anchors, m->voucher_anchors, c->pool);
    if (err) {
        glue_check_wrong(c, m->where, "BRSKI3023: ESTVoucherAnchor in <ESTManufacturer %s>: %s",
                         m->name, glue_check_reason(err));
        return;
    }
    made->voucher_anchors = anchors;
}

/* Files that libcurl opens in the children. */
static void check_readable(glue_check_t *c, const est_manufacturer_conf_t *m, const char *directive,
                           const char *file)
{
    if (!est_check_readable(file, c->temp)) {
        glue_check_doubtful(c, m->where,
                            "BRSKI3024: %s in <ESTManufacturer %s>: the user that serves (%s) "
                            "cannot read '%s', which is opened for each MASA; give its group the "
                            "right to read it",
                            directive, m->name,
                            ap_unixd_config.user_name ? ap_unixd_config.user_name : "of httpd",
                            file);
    }
}

static void take_tls_anchor(glue_check_t *c, brski_manufacturer_t *made,
                            const est_manufacturer_conf_t *m)
{
    apr_array_header_t *files = apr_array_make(c->temp, 1, sizeof(const char *));
    brski_anchors_t *anchors;
    brski_err_t *err;

    made->tls_trust = (brski_trust_t)est_manufacturer_get(m, tls_trust);
    made->tls_anchor_file = m->tls_anchor_file;
    if (!m->tls_anchor_file) {
        return;
    }
    APR_ARRAY_PUSH(files, const char *) = m->tls_anchor_file;
    err = brski_anchors_load(&anchors, files, c->temp);
    if (err) {
        glue_check_wrong(c, m->where, "BRSKI3025: ESTMASATLSAnchor in <ESTManufacturer %s>: %s",
                         m->name, glue_check_reason(err));
        return;
    }
    check_readable(c, m, "ESTMASATLSAnchor", m->tls_anchor_file);
}

static void take_client_certificate(glue_check_t *c, brski_manufacturer_t *made,
                                    const est_manufacturer_conf_t *m)
{
    apr_array_header_t *certs;
    EVP_PKEY *key;
    brski_err_t *err;

    made->client_chain_file = m->client_chain_file;
    made->client_key_file = m->client_key_file;
    if (!m->client_chain_file) {
        return;
    }
    err = brski_cert_load(&certs, m->client_chain_file, c->temp);
    if (!err) {
        err = est_check_key(&key, m->client_key_file,
                            APR_ARRAY_IDX(certs, 0, const brski_cert_t *), c->temp);
    }
    if (err) {
        glue_check_wrong(c, m->where,
                         "BRSKI3026: ESTMASAClientCertificate in <ESTManufacturer %s>: %s",
                         m->name, glue_check_reason(err));
        return;
    }
    check_readable(c, m, "ESTMASAClientCertificate", m->client_key_file);
}

/* Passwords do not outlive the configuration. */
static apr_status_t cleanse_line(void *line)
{
    OPENSSL_cleanse(line, strlen(line));
    return APR_SUCCESS;
}

/* The first line of a file, NULL when it cannot be read; of a longer one the beginning. */
static char *first_line(const char *path, apr_pool_t *pool)
{
    const apr_size_t size = 1024;
    char *line = apr_pcalloc(pool, size);
    FILE *in = fopen(path, "r");
    const char *got = in ? fgets(line, (int)size, in) : NULL;

    if (in) {
        fclose(in);
    }
    line[strcspn(line, "\r\n")] = '\0';
    apr_pool_cleanup_register(pool, line, cleanse_line, apr_pool_cleanup_null);
    return got ? line : NULL;
}

static void take_login(glue_check_t *c, brski_manufacturer_t *made,
                       const est_manufacturer_conf_t *m)
{
    struct stat info;
    char *line = m->login_file ? first_line(m->login_file, c->pool) : NULL;
    char *colon = line ? strchr(line, ':') : NULL;

    if (!m->login_file) {
        return;
    }
    if (!colon || colon == line || !colon[1]) {
        glue_check_wrong(c, m->where,
                         "BRSKI3027: ESTMASALogin in <ESTManufacturer %s>: '%s' %s; a file whose "
                         "first line is USER:PASSWORD would be right",
                         m->name, m->login_file, line ? "holds no login" : "cannot be read");
        return;
    }
    if (stat(m->login_file, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))) {
        glue_check_wrong(c, m->where,
                         "BRSKI3028: ESTMASALogin in <ESTManufacturer %s>: '%s' can be read or "
                         "written by others, and holds a password; chmod 0600 it",
                         m->name, m->login_file);
        return;
    }
    made->login_user = apr_pstrmemdup(c->pool, line, colon - line);
    made->login_password = colon + 1;
}

static void take_masa(glue_check_t *c, brski_manufacturer_t *made, const est_manufacturer_conf_t *m)
{
    const char *url;
    brski_err_t *err;

    made->masa_url = m->masa_url;
    err = m->masa_url ? brski_client_masa_url(&url, m->masa_url, "requestvoucher", c->temp) : NULL;
    if (err) {
        glue_check_wrong(c, m->where,
                         "BRSKI3029: ESTMASAURL %s in <ESTManufacturer %s>: %s; write it as "
                         "https://masa.example/.well-known/brski, or as masa.example:9443",
                         m->masa_url, m->name, glue_check_reason(err));
    }
    if (!m->masa_url && est_checked(c)->conf->proxy) {
        glue_check_wrong(c, m->where,
                         "BRSKI3030: ESTMASAProxy, but <ESTManufacturer %s> has no ESTMASAURL: "
                         "behind a proxy nobody sees where a name leads, so only MASAs that you "
                         "name are asked; write ESTMASAURL",
                         m->name);
    }
    take_tls_anchor(c, made, m);
    take_client_certificate(c, made, m);
    take_login(c, made, m);
}

/* A device that chains to both would be of two manufacturers. */
static void check_foreign_anchors(glue_check_t *c, const brski_manufacturer_t *made,
                                  const est_manufacturer_conf_t *m)
{
    const apr_array_header_t *all = est_checked(c)->registrar.manufacturers;
    const apr_array_header_t *certs =
        made->idevid_anchors ? brski_anchors_certs(made->idevid_anchors) : NULL;
    int i, k;

    for (i = 0; certs && i < all->nelts; i++) {
        const brski_manufacturer_t *other = APR_ARRAY_IDX(all, i, const brski_manufacturer_t *);

        for (k = 0; other->idevid_anchors && k < certs->nelts; k++) {
            const brski_cert_t *cert = APR_ARRAY_IDX(certs, k, const brski_cert_t *);

            if (brski_anchors_has_key(other->idevid_anchors, cert->spki_hash)) {
                glue_check_wrong(c, m->where,
                                 "BRSKI3031: ESTIDevIDAnchor in <ESTManufacturer %s>: %s is an "
                                 "anchor of <ESTManufacturer %s> too, so nobody could tell whose "
                                 "a device is; give each its own, or make one of both",
                                 m->name, cert->subject, other->name);
            }
        }
    }
}

static void make_manufacturer(glue_check_t *c, const est_manufacturer_conf_t *m)
{
    brski_manufacturer_t *made = apr_pcalloc(c->pool, sizeof(*made));

    made->name = m->name;
    made->ignore_idevid_expiry = est_manufacturer_get(m, ignore_idevid_expiry);
    made->serial_from = (brski_serial_from_t)est_manufacturer_get(m, serial_from);
    made->pledges = (brski_pledges_t)est_manufacturer_get(m, pledges);
    take_idevid_anchors(c, made, m);
    check_foreign_anchors(c, made, m);
    take_voucher_anchors(c, made, m);
    take_masa(c, made, m);
    APR_ARRAY_PUSH(est_checked(c)->registrar.manufacturers, brski_manufacturer_t *) = made;
}

static void make_manufacturers(glue_check_t *c)
{
    const apr_array_header_t *all = est_checked(c)->conf->manufacturers;
    int i, k;

    for (i = 0; i < all->nelts; i++) {
        const est_manufacturer_conf_t *m = APR_ARRAY_IDX(all, i, const est_manufacturer_conf_t *);

        for (k = 0; k < i; k++) {
            const est_manufacturer_conf_t *other =
                APR_ARRAY_IDX(all, k, const est_manufacturer_conf_t *);

            if (!strcmp(other->name, m->name)) {
                glue_check_wrong(c, m->where,
                                 "BRSKI3032: <ESTManufacturer %s>: there is another section of "
                                 "this name (%s); write all of a manufacturer in one",
                                 m->name, other->where);
            }
        }
        make_manufacturer(c, m);
    }
}

/* ---- a device's history ---- */

static void make_policy(glue_check_t *c)
{
    const est_audit_conf_t *conf = &est_checked(c)->conf->audit;
    brski_audit_policy_t *policy =
        apr_pmemdup(c->pool, &brski_audit_policy_default, sizeof(*policy));

#define TAKE(type, field) \
    policy->field = conf->field != EST_UNSET ? (type)conf->field : policy->field
    TAKE(brski_audit_word_t, unknown);
    TAKE(brski_audit_word_t, logged);
    TAKE(brski_audit_word_t, nonceless);
    TAKE(brski_audit_word_t, truncated);
    TAKE(brski_audit_word_t, version);
    TAKE(brski_audit_word_t, missing);
    TAKE(brski_audit_word_t, garbage);
    TAKE(apr_time_t, ignore_before);
    TAKE(int, ignore_history);
    TAKE(int, max_events);
#undef TAKE
    policy->known = conf->known ? conf->known : policy->known;
    policy->nonceless_known = conf->nonceless_known ? conf->nonceless_known
                                                    : policy->nonceless_known;
    est_checked(c)->registrar.policy = policy;
    est_checked(c)->registrar.withhold = est_get(est_checked(c)->conf, audit.withhold);
    est_checked(c)->registrar.revoke_on_bad = est_get(est_checked(c)->conf, audit.revoke);
    if (policy->ignore_history == 1) {
        glue_check_doubtful(c, glue_check_place(c, "ESTAuditPolicy"),
                            "BRSKI3033: ESTAuditPolicy ignore-history: who had a device before is "
                            "not looked at, and a former owner may still control it; leave it out "
                            "unless devices prove their state by other means");
    }
}

/* ---- the rest ---- */

static void check_notify(glue_check_t *c)
{
    const apr_array_header_t *notify = est_checked(c)->conf->notify;
    const char *program = notify ? APR_ARRAY_IDX(notify, 0, const char *) : NULL;
    struct stat info;

    if (program && (stat(program, &info) != 0 || !S_ISREG(info.st_mode)
                    || access(program, X_OK) != 0)) {
        glue_check_wrong(c, glue_check_place(c, "ESTNotify"),
                         "BRSKI3034: ESTNotify %s: there is no program of this name that can be "
                         "run; name one by its path, and chmod +x it",
                         program);
    }
}

static void set_numbers(glue_check_t *c)
{
    const est_conf_t *conf = est_checked(c)->conf;
    brski_registrar_t *registrar = &est_checked(c)->registrar;

    registrar->rvr_chain = (brski_rvr_chain_t)est_get(conf, rvr_chain);
    registrar->recheck = est_get(conf, recheck);
    registrar->recheck_revokes = est_get(conf, recheck_revokes);
    registrar->telemetry_wait = est_get(conf, telemetry_wait);
    registrar->keep = est_get(conf, request_retention);
    registrar->masa_timeout = est_get(conf, masa_timeout);
    registrar->masa_max_answer = 256 * 1024;
    registrar->addresses_any = est_get(conf, addresses) == EST_ADDRESSES_ANY;
    registrar->addresses = conf->networks && est_get(conf, addresses) == EST_ADDRESSES_LISTED
                               ? conf->networks
                               : apr_array_make(c->pool, 0, sizeof(apr_ipsubnet_t *));
    registrar->proxy = conf->proxy;
    registrar->resolve = conf->resolve;
}

void est_check_registrar(glue_check_t *c)
{
    brski_registrar_t *registrar = &est_checked(c)->registrar;

    registrar->manufacturers = apr_array_make(c->pool, 2, sizeof(brski_manufacturer_t *));
    registrar->certificates = apr_array_make(c->pool, 2, sizeof(brski_registrar_cert_t *));
    make_certificates(c);
    make_manufacturers(c);
    make_policy(c);
    check_notify(c);
    set_numbers(c);
}
