/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_conf_label.c: <ESTLabel>, and what a label may have of its own: a CA, a profile, who may
 * enrol and how. The same directives at the server are what labels take where they say nothing.
 */
#include "est_conf_set.h"

#include <apr_strings.h>

void est_conf_label_unset(est_label_conf_t *label)
{
    label->profile.key_usage = EST_UNSET;
    label->profile.lifetime = EST_UNSET;
    label->profile.backdate = EST_UNSET;
    label->profile.excess = EST_UNSET;
    label->profile.crl_ocsp = EST_UNSET;
    label->require_voucher = EST_UNSET;
    label->approve = EST_UNSET;
    label->clients = EST_UNSET;
    label->pop = EST_UNSET;
    label->reenroll_same_key = EST_UNSET;
    label->reenroll_grace = EST_UNSET;
    label->reenroll_before = EST_UNSET;
}

#define MERGE(field) merged->field = a->field != EST_UNSET ? a->field : b->field
#define MERGE_TEXT(field) merged->field = a->field ? a->field : b->field

static void profile_merge(est_profile_conf_t *merged, const est_profile_conf_t *b,
                          const est_profile_conf_t *a)
{
    MERGE_TEXT(where);
    MERGE_TEXT(subject);
    MERGE_TEXT(san);
    MERGE(key_usage);
    MERGE_TEXT(eku);
    MERGE_TEXT(policies);
    MERGE(lifetime);
    MERGE(backdate);
    MERGE_TEXT(key_types);
    MERGE(excess);
    MERGE(crl_ocsp);
}

void est_conf_label_merge(est_label_conf_t *merged, const est_label_conf_t *b,
                          const est_label_conf_t *a)
{
    MERGE_TEXT(name);
    MERGE_TEXT(where);
    MERGE_TEXT(ca_where);
    MERGE_TEXT(ca);
    profile_merge(&merged->profile, &b->profile, &a->profile);
    MERGE(require_voucher);
    MERGE(approve);
    MERGE(clients);
    MERGE(pop);
    MERGE(reenroll_same_key);
    MERGE(reenroll_grace);
    MERGE(reenroll_before);
    MERGE_TEXT(client_anchors);
}

/* ---- the section ---- */

/* A path may name a label or an operation in the same place. RFC 7030 3.2.2. */
static int is_operation(const char *name)
{
    static const char *const operations[] = {
        "cacerts", "csrattrs", "simpleenroll", "simplereenroll", "serverkeygen", "fullcmc",
        "requestvoucher", "voucher_status", "enrollstatus", "requestauditlog", NULL
    };
    int i;

    for (i = 0; operations[i] && ap_cstr_casecmp(operations[i], name); i++) {
        ;
    }
    return operations[i] != NULL;
}

static const char *check_label(const cmd_parms *cmd, const char *name)
{
    const apr_array_header_t *all = est_conf_of(cmd)->labels;
    int i;

    if (is_operation(name)) {
        return apr_psprintf(cmd->pool, "<ESTLabel %s>: this is the name of an operation, which a "
                            "label must not have (RFC 7030 3.2.2); choose another", name);
    }
    for (i = 0; i < all->nelts; i++) {
        const est_label_conf_t *other = APR_ARRAY_IDX(all, i, const est_label_conf_t *);

        if (!strcmp(other->name, name)) {
            return apr_psprintf(cmd->pool, "<ESTLabel %s>: there is another section of this name "
                                "(%s); write all of a label in one", name, other->where);
        }
    }
    return NULL;
}

const char *est_set_label_section(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char *const inside[] = {
        "ESTCA", "ESTProfile", "ESTRequireVoucher", "ESTApprove", "ESTClients", "ESTClientAnchor",
        "ESTPoP", "ESTReenroll", NULL
    };
    est_conf_t *c = est_conf_of(cmd);
    est_label_conf_t *label = apr_pcalloc(cmd->pool, sizeof(*label));
    const char *problem = glue_conf_section(&label->name, cmd, arg);

    (void)dir;
    problem = problem ? problem : check_label(cmd, label->name);
    if (problem) {
        return problem;
    }
    est_conf_label_unset(label);
    label->where = glue_conf_where(cmd);
    APR_ARRAY_PUSH(c->labels, est_label_conf_t *) = label;
    c->open_label = label;
    problem = est_conf_walk(cmd, inside);
    c->open_label = NULL;
    return problem;
}

/* The label whose section is being read, else the server's own. */
static est_label_conf_t *label_of(const cmd_parms *cmd)
{
    est_conf_t *c = est_conf_of(cmd);

    return c->open_label ? c->open_label : &c->label;
}

/* ---- the CA ---- */

/* Of a CA here the files get their place; another module's kind knows its own words. */
static const char *place_files(cmd_parms *cmd, const apr_array_header_t *words)
{
    const char *problem;

    if (words->nelts < 3) {
        return "ESTCA local: write local CHAIN.pem KEY, and where clients learn what was revoked: "
               "crl=URL, ocsp=URL";
    }
    problem = glue_conf_file(&APR_ARRAY_IDX(words, 1, const char *), cmd,
                             APR_ARRAY_IDX(words, 1, const char *));
    return problem ? problem : est_conf_key_file(&APR_ARRAY_IDX(words, 2, const char *), cmd,
                                                 APR_ARRAY_IDX(words, 2, const char *));
}

const char *est_set_ca(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    est_label_conf_t *label = label_of(cmd);

    (void)dir;
    if (argc < 1) {
        return "ESTCA: write local CHAIN.pem KEY";
    }
    label->ca = NULL;
    label->ca_where = glue_conf_where(cmd);
    est_conf_add_words(&label->ca, cmd, argc, argv);
    return ap_cstr_casecmp(argv[0], "local") ? NULL : place_files(cmd, label->ca);
}

/* ---- the profile ---- */

/* One setting of ESTProfile: its values are argv. */
typedef const char *profile_set_t(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                  char *const argv[]);

static const char *profile_subject(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                   char *const argv[])
{
    (void)cmd;
    profile->subject = argv[0];
    return argc == 1 ? NULL : "ESTProfile subject: write one name, in quotes when it has blanks, "
                              "such as \"CN=%{serial},O=Example\"; or csr";
}

static const char *profile_san(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    est_conf_add_words(&profile->san, cmd, argc, argv);
    return NULL;
}

static const char *profile_usage(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                 char *const argv[])
{
    static const glue_word_t words[] = {
        { "digitalSignature", BRSKI_KU_DIGITAL_SIGNATURE },
        { "keyEncipherment", BRSKI_KU_KEY_ENCIPHERMENT },
        { "keyAgreement", BRSKI_KU_KEY_AGREEMENT }, { NULL, 0 }
    };
    const char *problem = NULL;
    int i, bit;

    profile->key_usage = 0;
    for (i = 0; i < argc && !problem; i++) {
        problem = glue_conf_word_of(&bit, cmd, "usage", words, argv[i]);
        profile->key_usage |= problem ? 0 : bit;
    }
    return problem;
}

/* Object identifiers in numbers. */
static int is_oid(const char *text)
{
    return *text && strspn(text, "0123456789.") == strlen(text) && ap_strchr_c(text, '.');
}

static const char *profile_eku(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    static const struct { const char *word, *oid; } known[] = {
        { "serverAuth", "1.3.6.1.5.5.7.3.1" }, { "clientAuth", "1.3.6.1.5.5.7.3.2" },
        { "emailProtection", "1.3.6.1.5.5.7.3.4" }, { "ipsecIKE", "1.3.6.1.5.5.7.3.17" },
        { "none", "none" }
    };
    const apr_size_t count = sizeof(known) / sizeof(known[0]);
    apr_size_t k;
    int i;

    for (i = 0; i < argc; i++) {
        const char *oid = argv[i];

        for (k = 0; k < count && ap_cstr_casecmp(known[k].word, oid); k++) {
            ;
        }
        if (k == count && !is_oid(oid)) {
            return apr_psprintf(cmd->pool, "ESTProfile eku: '%s' is none of clientAuth, "
                                "serverAuth, ipsecIKE, emailProtection, none and no object "
                                "identifier such as 1.3.6.1.5.5.7.3.2", oid);
        }
        oid = k < count ? known[k].oid : oid;
        est_conf_add_words(&profile->eku, cmd, 1, (char *const *)&oid);
    }
    return NULL;
}

static const char *profile_policy(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    int i;

    for (i = 0; i < argc; i++) {
        if (!is_oid(argv[i]) && ap_cstr_casecmp(argv[i], "none")) {
            return apr_psprintf(cmd->pool, "ESTProfile policy: '%s' is not an object identifier; "
                                "write numbers with dots, such as 1.3.6.1.4.1.32473.1", argv[i]);
        }
    }
    est_conf_add_words(&profile->policies, cmd, argc, argv);
    return NULL;
}

static const char *profile_lifetime(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                    char *const argv[])
{
    const char *problem = glue_conf_duration(&profile->lifetime, cmd, argv[0]);

    return problem || argc == 1 ? problem : "ESTProfile lifetime: write one duration, such as 90d";
}

static const char *profile_backdate(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                    char *const argv[])
{
    const char *problem = glue_conf_duration(&profile->backdate, cmd, argv[0]);

    return problem || argc == 1 ? problem : "ESTProfile backdate: write one duration, such as 5min";
}

static const char *profile_key(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    profile->key_types = NULL;
    est_conf_add_words(&profile->key_types, cmd, argc, argv);
    return NULL;
}

static const char *profile_excess(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                  char *const argv[])
{
    static const glue_word_t words[] = {
        { "refuse", BRSKI_EXCESS_REFUSE }, { "drop", BRSKI_EXCESS_DROP }, { NULL, 0 }
    };

    (void)argc;
    return glue_conf_word_of(&profile->excess, cmd, "excess", words, argv[0]);
}

static const char *profile_urls(est_profile_conf_t *profile, cmd_parms *cmd, int argc,
                                char *const argv[])
{
    static const glue_word_t words[] = { { "On", 1 }, { "Off", 0 }, { NULL, 0 } };

    (void)argc;
    return glue_conf_word_of(&profile->crl_ocsp, cmd, "revocation-urls", words, argv[0]);
}

const char *est_set_profile(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const struct { const char *word; profile_set_t *set; } settings[] = {
        { "subject", profile_subject }, { "san", profile_san }, { "usage", profile_usage },
        { "eku", profile_eku }, { "policy", profile_policy }, { "lifetime", profile_lifetime },
        { "backdate", profile_backdate }, { "key", profile_key }, { "excess", profile_excess },
        { "revocation-urls", profile_urls }
    };
    est_profile_conf_t *profile = &label_of(cmd)->profile;
    apr_size_t i;

    (void)dir;
    for (i = 0; argc > 0 && i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (!ap_cstr_casecmp(settings[i].word, argv[0])) {
            profile->where = glue_conf_where(cmd);
            return argc > 1 ? settings[i].set(profile, cmd, argc - 1, argv + 1)
                            : apr_psprintf(cmd->pool, "ESTProfile %s: write a value", argv[0]);
        }
    }
    return apr_psprintf(cmd->pool, "ESTProfile: '%s' is none of subject, san, usage, eku, policy, "
                        "lifetime, backdate, key, excess, revocation-urls",
                        argc > 0 ? argv[0] : "");
}

/* ---- who may enrol, and how ---- */

const char *est_set_require_voucher(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    label_of(cmd)->require_voucher = on;
    return NULL;
}

const char *est_set_approve(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    label_of(cmd)->approve = on;
    return NULL;
}

const char *est_set_clients(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const glue_word_t words[] = {
        { "device", EST_CLIENTS_DEVICE }, { "user", EST_CLIENTS_USER }, { "none", 0 }, { NULL, 0 }
    };
    est_label_conf_t *label = label_of(cmd);
    const char *problem = argc < 1 ? "ESTClients: write device, user, both, or none" : NULL;
    int i, bit;

    (void)dir;
    label->clients = 0;
    for (i = 0; i < argc && !problem; i++) {
        problem = glue_conf_word(&bit, cmd, words, argv[i]);
        label->clients |= problem ? 0 : bit;
    }
    return problem;
}

const char *est_set_client_anchor(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return est_conf_add_file(&label_of(cmd)->client_anchors, cmd, arg);
}

const char *est_set_pop(cmd_parms *cmd, void *dir, const char *arg)
{
    static const glue_word_t words[] = {
        { "optional", BRSKI_POP_OPTIONAL }, { "required", BRSKI_POP_REQUIRED },
        { "off", BRSKI_POP_OFF }, { NULL, 0 }
    };

    (void)dir;
    return glue_conf_word(&label_of(cmd)->pop, cmd, words, arg);
}

const char *est_set_reenroll(cmd_parms *cmd, void *dir, const char *arg)
{
    static const glue_word_t words[] = {
        { "same-key", 1 }, { "new-key", 0 }, { NULL, 0 }
    };
    est_label_conf_t *label = label_of(cmd);
    const char *value = ap_strchr_c(arg, '=');

    (void)dir;
    if (!value) {
        return glue_conf_word(&label->reenroll_same_key, cmd, words, arg);
    }
    if (!strncmp(arg, "grace=", 6)) {
        return glue_conf_duration(&label->reenroll_grace, cmd, value + 1);
    }
    if (!strncmp(arg, "before=", 7)) {
        return glue_conf_duration(&label->reenroll_before, cmd, value + 1);
    }
    return apr_psprintf(cmd->pool, "ESTReenroll: '%s' is none of same-key, new-key, "
                        "grace=DURATION, before=DURATION", arg);
}
