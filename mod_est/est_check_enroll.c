/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check_enroll.c: makes what decides on enrolments (RFC 7030): the CAs, the profiles, and the
 * labels, of which the server itself is one. A label takes from the server what it does not say.
 */
#include "est_check.h"

#include <ap_provider.h>
#include <apr_strings.h>

#include "brski_ca.h"

/* What a label says, or the server for it, or its default. */
#define LABEL_GET(said, own, field) \
    ((said)->field != EST_UNSET ? (said)->field \
     : (own)->field != EST_UNSET ? (own)->field : label_defaults->field)

static const est_label_conf_t *const label_defaults = &est_defaults.label;

/* "ESTLabel" and its name, for a sentence. */
static const char *whose(const glue_check_t *c, const est_label_conf_t *label)
{
    return *label->name ? apr_psprintf(c->temp, "<ESTLabel %s>", label->name) : "this server";
}

/* ---- CAs ---- */

static const char *known_kinds(const glue_check_t *c)
{
    const apr_array_header_t *names =
        ap_list_provider_names(c->temp, BRSKI_CA_PROVIDER_GROUP, BRSKI_CA_PROVIDER_VERSION);
    const char *all = "";
    int i;

    for (i = 0; i < names->nelts; i++) {
        all = apr_pstrcat(c->temp, all, i ? ", " : "",
                          APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name, NULL);
    }
    return all;
}

/* The library begins with whose words they are; here the directive stands before. */
static const char *ca_reason(const brski_err_t *err)
{
    const char *text = glue_check_reason(err);

    return strncmp(text, "CA: ", 4) ? text : text + 4;
}

static brski_ca_t *make_ca(glue_check_t *c, const est_label_conf_t *label)
{
    const char *word = APR_ARRAY_IDX(label->ca, 0, const char *);
    const brski_ca_kind_t *kind =
        ap_lookup_provider(BRSKI_CA_PROVIDER_GROUP, word, BRSKI_CA_PROVIDER_VERSION);
    apr_array_header_t *args = apr_array_make(c->pool, label->ca->nelts, sizeof(const char *));
    brski_ca_t *ca = NULL;
    brski_err_t *err;
    int i;

    if (!kind) {
        glue_check_wrong(c, label->ca_where,
                         "BRSKI3040: ESTCA %s: there is no such kind of CA here; there are %s "
                         "(ESTCA local CHAIN.pem KEY)",
                         word, known_kinds(c));
        return NULL;
    }
    for (i = 1; i < label->ca->nelts; i++) {
        APR_ARRAY_PUSH(args, const char *) = APR_ARRAY_IDX(label->ca, i, const char *);
    }
    err = kind->check(args, apr_time_now(), c->temp);
    if (!err) {
        err = kind->make(&ca, args, &est_checked(c)->ctx, c->pool);
    }
    if (err) {
        glue_check_wrong(c, label->ca_where, "BRSKI3041: ESTCA %s: %s", word,
                         ca_reason(err));
        return NULL;
    }
    return ca;
}

/* One CA for all labels that name none; that it is missing is told once, for the server. */
static brski_ca_t *find_ca(glue_check_t *c, const est_label_conf_t *label, brski_ca_t *own)
{
    if (label->ca) {
        return make_ca(c, label);
    }
    if (!*label->name) {
        glue_check_wrong(c, glue_check_place(c, "ESTEngine"),
                         "BRSKI3042: this server has no CA; write ESTCA local CHAIN.pem KEY");
    }
    return own;
}

/* ---- profiles ---- */

static const brski_profile_t *make_profile(glue_check_t *c, const est_label_conf_t *label)
{
    const est_profile_conf_t *said = &label->profile;
    const est_profile_conf_t *own = &est_checked(c)->conf->label.profile;
    brski_profile_t *profile = apr_pmemdup(c->pool, &brski_profile_default, sizeof(*profile));
    const char *problem;

#define EITHER(field) (said->field != EST_UNSET ? said->field : own->field)
#define TAKE(field) profile->field = EITHER(field) != EST_UNSET ? EITHER(field) : profile->field
#define TAKE_TEXT(field) \
    profile->field = said->field ? said->field : own->field ? own->field : profile->field
    TAKE_TEXT(subject);
    TAKE_TEXT(san);
    TAKE(key_usage);
    TAKE_TEXT(eku);
    TAKE_TEXT(policies);
    TAKE(lifetime);
    TAKE(backdate);
    TAKE_TEXT(key_types);
    TAKE(crl_ocsp);
    if (EITHER(excess) != EST_UNSET) {
        profile->excess = (brski_excess_t)EITHER(excess);
    }
#undef EITHER
#undef TAKE
#undef TAKE_TEXT
    problem = brski_profile_check(profile, c->temp);
    if (problem) {
        glue_check_wrong(c, said->where ? said->where : own->where ? own->where : c->where,
                         "BRSKI3043: ESTProfile of %s: %s", whose(c, label), problem);
    }
    return profile;
}

/* ---- labels ---- */

static const brski_anchors_t *make_client_anchors(glue_check_t *c, const est_label_conf_t *label)
{
    const apr_array_header_t *own = est_checked(c)->conf->label.client_anchors;
    const apr_array_header_t *files = label->client_anchors ? label->client_anchors : own;
    brski_anchors_t *anchors = NULL;
    brski_err_t *err = files ? brski_anchors_load(&anchors, files, c->pool) : NULL;

    if (err) {
        glue_check_wrong(c, label->where ? label->where : glue_check_place(c, "ESTClientAnchor"),
                         "BRSKI3044: ESTClientAnchor of %s: %s", whose(c, label),
                         glue_check_reason(err));
        return NULL;
    }
    return anchors;
}

static brski_ca_t *make_label(glue_check_t *c, const est_label_conf_t *said, brski_ca_t *own_ca)
{
    const est_label_conf_t *own = &est_checked(c)->conf->label;
    const int clients = LABEL_GET(said, own, clients);
    brski_label_t *label = apr_pcalloc(c->pool, sizeof(*label));

    label->name = said->name;
    label->ca = find_ca(c, said, own_ca);
    label->profile = make_profile(c, said);
    label->require_voucher = LABEL_GET(said, own, require_voucher);
    label->approve = LABEL_GET(said, own, approve);
    label->accept_idevid = (clients & EST_CLIENTS_DEVICE) != 0;
    label->accept_user = (clients & EST_CLIENTS_USER) != 0;
    label->client_anchors = make_client_anchors(c, said);
    label->pop = (brski_pop_t)LABEL_GET(said, own, pop);
    label->reenroll_same_key = LABEL_GET(said, own, reenroll_same_key);
    label->reenroll_grace = LABEL_GET(said, own, reenroll_grace);
    label->reenroll_before = LABEL_GET(said, own, reenroll_before);
    APR_ARRAY_PUSH(est_checked(c)->est.labels, brski_label_t *) = label;
    return label->ca;
}

static void check_names(glue_check_t *c)
{
    const apr_array_header_t *all = est_checked(c)->conf->labels;
    int i, k;

    for (i = 0; i < all->nelts; i++) {
        const est_label_conf_t *label = APR_ARRAY_IDX(all, i, const est_label_conf_t *);

        for (k = 0; k < i; k++) {
            const est_label_conf_t *other = APR_ARRAY_IDX(all, k, const est_label_conf_t *);

            if (!strcmp(other->name, label->name)) {
                glue_check_wrong(c, label->where,
                                 "BRSKI3045: <ESTLabel %s>: there is another section of this name "
                                 "(%s); write all of a label in one",
                                 label->name, other->where);
            }
        }
    }
}

/* Our own issuers, once each: a certificate that a device has just got is known by them. */
static apr_array_header_t *issuers_of(const glue_check_t *c)
{
    const apr_array_header_t *labels = est_checked(c)->est.labels;
    apr_array_header_t *issuers = apr_array_make(c->pool, 2, sizeof(const brski_cert_t *));
    int i, k;

    for (i = 0; i < labels->nelts; i++) {
        const brski_ca_t *ca = APR_ARRAY_IDX(labels, i, const brski_label_t *)->ca;

        for (k = 0; ca && k < i; k++) {
            ca = APR_ARRAY_IDX(labels, k, const brski_label_t *)->ca == ca ? NULL : ca;
        }
        if (ca && ca->chain->nelts) {
            APR_ARRAY_PUSH(issuers, const brski_cert_t *) =
                APR_ARRAY_IDX(ca->chain, 0, const brski_cert_t *);
        }
    }
    return issuers;
}

/* ---- labels and manufacturers ---- */

static int has_text(const brski_profile_t *profile, const char *text)
{
    int i;

    for (i = 0; i < profile->san->nelts; i++) {
        if (strstr(APR_ARRAY_IDX(profile->san, i, const char *), text)) {
            return 1;
        }
    }
    return strstr(profile->subject, text) != NULL;
}

/* A serial-number is one manufacturer's: of two, each could make a device of the other's name. */
static void check_serials(glue_check_t *c)
{
    const apr_array_header_t *labels = est_checked(c)->est.labels;
    int i;

    for (i = 0; i < labels->nelts && est_checked(c)->registrar.manufacturers->nelts > 1; i++) {
        const brski_label_t *label = APR_ARRAY_IDX(labels, i, const brski_label_t *);

        if (label->accept_idevid && has_text(label->profile, "%{serial}")
            && !has_text(label->profile, "%{manufacturer}")) {
            glue_check_doubtful(c, glue_check_place(c, "ESTProfile"),
                                "BRSKI3046: ESTProfile of %s names devices by %%{serial} alone: "
                                "two devices of different manufacturers may get one name; write "
                                "%%{manufacturer} beside it",
                                *label->name
                                    ? apr_psprintf(c->temp, "<ESTLabel %s>", label->name)
                                    : "this server");
        }
    }
}

/* What was issued here would be taken for a manufacturer's word, also when it is revoked. */
static void check_own_anchors(glue_check_t *c)
{
    const apr_array_header_t *makers = est_checked(c)->registrar.manufacturers;
    const apr_array_header_t *issuers = est_checked(c)->registrar.issuers;
    int i, k;

    for (i = 0; i < makers->nelts; i++) {
        const brski_manufacturer_t *m = APR_ARRAY_IDX(makers, i, const brski_manufacturer_t *);

        for (k = 0; m->idevid_anchors && k < issuers->nelts; k++) {
            const brski_cert_t *issuer = APR_ARRAY_IDX(issuers, k, const brski_cert_t *);

            if (brski_anchors_has_key(m->idevid_anchors, issuer->spki_hash)) {
                glue_check_wrong(c, glue_check_place(c, "ESTIDevIDAnchor"),
                                 "BRSKI3047: ESTIDevIDAnchor of <ESTManufacturer %s>: %s issues "
                                 "this server's certificates, and whoever has one would be a "
                                 "device of that manufacturer; take another CA for one of both",
                                 m->name, issuer->subject);
            }
        }
    }
}

void est_check_enroll(glue_check_t *c)
{
    const est_conf_t *conf = est_checked(c)->conf;
    brski_ca_t *own;
    int i;

    est_checked(c)->est.labels = apr_array_make(c->pool, 2, sizeof(brski_label_t *));
    check_names(c);
    own = make_label(c, &conf->label, NULL);
    for (i = 0; i < conf->labels->nelts; i++) {
        make_label(c, APR_ARRAY_IDX(conf->labels, i, const est_label_conf_t *), own);
    }
    est_checked(c)->registrar.issuers = issuers_of(c);
    check_serials(c);
    check_own_anchors(c);
}
