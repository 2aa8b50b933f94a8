/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_conf_manufacturer.c: <ESTManufacturer> and what stands inside: whose devices are welcome, who
 * signs their vouchers, and where their MASA is.
 */
#include "est_conf_set.h"

#include <apr_strings.h>

const est_manufacturer_conf_t est_manufacturer_defaults = {
    .ignore_idevid_expiry = 0,
    .serial_from = BRSKI_SERIAL_X520,
    .pledges = BRSKI_PLEDGES_LISTED,
    .tls_trust = BRSKI_TRUST_WEBPKI
};

static est_manufacturer_conf_t *manufacturer_create(apr_pool_t *pool, const char *name,
                                                    const char *where)
{
    est_manufacturer_conf_t *m = apr_pcalloc(pool, sizeof(*m));

    m->name = name;
    m->where = where;
    m->ignore_idevid_expiry = EST_UNSET;
    m->serial_from = EST_UNSET;
    m->pledges = EST_UNSET;
    m->voucher_trust = EST_UNSET;
    m->tls_trust = EST_UNSET;
    m->anchors = apr_array_make(pool, 1, sizeof(const char *));
    m->voucher_anchors = apr_array_make(pool, 1, sizeof(const char *));
    return m;
}

/* ---- the section ---- */

const char *est_set_manufacturer_section(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char *const inside[] = {
        "ESTIDevIDAnchor", "ESTVoucherAnchor", "ESTMASATLSAnchor", "ESTMASAURL",
        "ESTMASAClientCertificate", "ESTMASALogin", "ESTIgnoreIDevIDExpiry", "ESTSerialFrom",
        "ESTPledges", NULL
    };
    est_conf_t *c = est_conf_of(cmd);
    const char *name;
    const char *problem = glue_conf_section(&name, cmd, arg);
    int i;

    (void)dir;
    for (i = 0; i < c->manufacturers->nelts && !problem; i++) {
        const est_manufacturer_conf_t *other =
            APR_ARRAY_IDX(c->manufacturers, i, const est_manufacturer_conf_t *);

        if (!strcmp(other->name, name)) {
            problem = apr_psprintf(cmd->pool, "<ESTManufacturer %s>: there is another section of "
                                   "this name (%s); write all of a manufacturer in one", name,
                                   other->where);
        }
    }
    if (problem) {
        return problem;
    }
    c->open_manufacturer = manufacturer_create(cmd->pool, name, glue_conf_where(cmd));
    APR_ARRAY_PUSH(c->manufacturers, est_manufacturer_conf_t *) = c->open_manufacturer;
    problem = est_conf_walk(cmd, inside);
    c->open_manufacturer = NULL;
    return problem;
}

/* The manufacturer whose section is being read, or NULL and what to say. */
static est_manufacturer_conf_t *manufacturer_of(const cmd_parms *cmd, const char **problem)
{
    est_manufacturer_conf_t *m = est_conf_of(cmd)->open_manufacturer;

    *problem = m ? NULL : apr_psprintf(cmd->pool, "%s belongs to a manufacturer: write it inside "
                                       "<ESTManufacturer NAME> ... </ESTManufacturer>",
                                       cmd->cmd->name);
    return m;
}

/* ---- its devices ---- */

const char *est_set_idevid_anchor(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    return m ? est_conf_add_file(&m->anchors, cmd, arg) : problem;
}

const char *est_set_ignore_expiry(cmd_parms *cmd, void *dir, int on)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    if (m) {
        m->ignore_idevid_expiry = on;
    }
    return problem;
}

const char *est_set_serial_from(cmd_parms *cmd, void *dir, const char *arg)
{
    static const glue_word_t words[] = {
        { "x520", BRSKI_SERIAL_X520 }, { "cn", BRSKI_SERIAL_CN },
        { "hwmodule", BRSKI_SERIAL_HWMODULE }, { NULL, 0 }
    };
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    return m ? glue_conf_word(&m->serial_from, cmd, words, arg) : problem;
}

const char *est_set_pledges(cmd_parms *cmd, void *dir, const char *arg)
{
    static const glue_word_t words[] = {
        { "listed", BRSKI_PLEDGES_LISTED }, { "approve", BRSKI_PLEDGES_APPROVE },
        { "any", BRSKI_PLEDGES_ANY }, { NULL, 0 }
    };
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    return m ? glue_conf_word(&m->pledges, cmd, words, arg) : problem;
}

/* ---- its vouchers ---- */

static const char *both_anchors(const cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s: tofu stands alone; leave out the files, or name files only",
                        cmd->cmd->name);
}

const char *est_set_voucher_anchor(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);
    const int trust = ap_cstr_casecmp(arg, "tofu") ? BRSKI_TRUST_ANCHORS : BRSKI_TRUST_TOFU;

    (void)dir;
    if (!m) {
        return problem;
    }
    if (!ap_cstr_casecmp(arg, "webpki")) {
        return "ESTVoucherAnchor: 'webpki': public CAs make no signers of vouchers; name the "
               "manufacturer's own anchors, or write tofu";
    }
    if (m->voucher_trust != EST_UNSET && m->voucher_trust != trust) {
        return both_anchors(cmd);
    }
    m->voucher_trust = trust;
    return trust == BRSKI_TRUST_TOFU ? NULL : est_conf_add_file(&m->voucher_anchors, cmd, arg);
}

/* ---- its MASA ---- */

const char *est_set_tls_anchor(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    if (!m) {
        return problem;
    }
    if (m->tls_trust != EST_UNSET) {
        return "ESTMASATLSAnchor: said twice; write one of webpki, tofu and a file (which may "
               "hold several anchors)";
    }
    if (!ap_cstr_casecmp(arg, "webpki") || !ap_cstr_casecmp(arg, "tofu")) {
        m->tls_trust = ap_cstr_casecmp(arg, "tofu") ? BRSKI_TRUST_WEBPKI : BRSKI_TRUST_TOFU;
        return NULL;
    }
    m->tls_trust = BRSKI_TRUST_ANCHORS;
    return glue_conf_file(&m->tls_anchor_file, cmd, arg);
}

const char *est_set_masa_url(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    if (m) {
        m->masa_url = arg;
    }
    return problem;
}

const char *est_set_masa_certificate(cmd_parms *cmd, void *dir, const char *chain, const char *key)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    problem = m ? glue_conf_file(&m->client_chain_file, cmd, chain) : problem;
    return problem ? problem : est_conf_key_file(&m->client_key_file, cmd, key);
}

const char *est_set_masa_login(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem;
    est_manufacturer_conf_t *m = manufacturer_of(cmd, &problem);

    (void)dir;
    return m ? glue_conf_file(&m->login_file, cmd, arg) : problem;
}
