/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_conf_audit.c: ESTAuditPolicy and ESTAuditRecheck: which history of a device its new network
 * accepts, and when it looks again. RFC 8995 5.8.3.
 */
#include "est_conf_set.h"

#include <stddef.h>

#include <apr_strings.h>

#include "brski_bytes.h"
#include "brski_time.h"

void est_conf_audit_unset(est_audit_conf_t *audit)
{
    audit->unknown = EST_UNSET;
    audit->logged = EST_UNSET;
    audit->nonceless = EST_UNSET;
    audit->truncated = EST_UNSET;
    audit->version = EST_UNSET;
    audit->missing = EST_UNSET;
    audit->garbage = EST_UNSET;
    audit->ignore_before = EST_UNSET;
    audit->ignore_history = EST_UNSET;
    audit->max_events = EST_UNSET;
    audit->withhold = EST_UNSET;
    audit->revoke = EST_UNSET;
}

#define MERGE(field) merged->field = a->field != EST_UNSET ? a->field : b->field
#define MERGE_TEXT(field) merged->field = a->field ? a->field : b->field

void est_conf_audit_merge(est_audit_conf_t *merged, const est_audit_conf_t *b,
                          const est_audit_conf_t *a)
{
    MERGE_TEXT(known);
    MERGE_TEXT(nonceless_known);
    MERGE(unknown);
    MERGE(logged);
    MERGE(nonceless);
    MERGE(truncated);
    MERGE(version);
    MERGE(missing);
    MERGE(garbage);
    MERGE(ignore_before);
    MERGE(ignore_history);
    MERGE(max_events);
    MERGE(withhold);
    MERGE(revoke);
}

/* ---- rules ---- */

/* Rules whose value is what becomes of an entry. */
typedef struct audit_rule_t {
    const char *word;
    apr_size_t offset;
} audit_rule_t;

static const audit_rule_t rules[] = {
    { "unknown", offsetof(est_audit_conf_t, unknown) },
    { "logged", offsetof(est_audit_conf_t, logged) },
    { "nonceless", offsetof(est_audit_conf_t, nonceless) },
    { "truncated", offsetof(est_audit_conf_t, truncated) },
    { "version", offsetof(est_audit_conf_t, version) },
    { "missing", offsetof(est_audit_conf_t, missing) },
    { "garbage", offsetof(est_audit_conf_t, garbage) },
    { NULL, 0 }
};

/* Switches: On or Off. */
static const audit_rule_t switches[] = {
    { "withhold", offsetof(est_audit_conf_t, withhold) },
    { "revoke", offsetof(est_audit_conf_t, revoke) },
    { "ignore-history", offsetof(est_audit_conf_t, ignore_history) },
    { NULL, 0 }
};

static int *find_field(est_audit_conf_t *audit, const audit_rule_t *rule, const char *word)
{
    while (rule->word && ap_cstr_casecmp(rule->word, word)) {
        rule++;
    }
    return rule->word ? (int *)((char *)audit + rule->offset) : NULL;
}

/* domainIDs in base64, as audit logs have them: 20 or 32 octets usually. */
static const char *add_domains(apr_array_header_t **list, cmd_parms *cmd, int argc,
                               char *const argv[])
{
    brski_bytes_t octets;
    int i;

    for (i = 0; i < argc; i++) {
        if (ap_cstr_casecmp(argv[i], "none")
            && (brski_base64_decode(&octets, argv[i], cmd->temp_pool) || octets.len < 8)) {
            return apr_psprintf(cmd->pool, "ESTAuditPolicy: '%s' is not a domainID; write it in "
                                "base64, as the audit log and estctl audit show have it", argv[i]);
        }
    }
    est_conf_add_words(list, cmd, argc, argv);
    return NULL;
}

/* "2026-01-31" or a whole date-time. */
static const char *set_before(est_audit_conf_t *audit, cmd_parms *cmd, const char *arg)
{
    const char *text = strlen(arg) == 10 ? apr_pstrcat(cmd->temp_pool, arg, "T00:00:00Z", NULL)
                                         : arg;

    if (brski_time_parse(&audit->ignore_before, text, cmd->temp_pool)) {
        return apr_psprintf(cmd->pool, "ESTAuditPolicy ignore-before: '%s' is not a date; write "
                            "one such as 2026-01-31 or 2026-01-31T12:00:00Z", arg);
    }
    return NULL;
}

const char *est_set_audit_policy(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const glue_word_t words[] = {
        { "accept", BRSKI_AUDIT_ACCEPT }, { "warn", BRSKI_AUDIT_WARN },
        { "refuse", BRSKI_AUDIT_REFUSE }, { NULL, 0 }
    };
    static const glue_word_t on_off[] = { { "On", 1 }, { "Off", 0 }, { NULL, 0 } };
    est_audit_conf_t *audit = &est_conf_of(cmd)->audit;
    const char *word = argc > 0 ? argv[0] : "";
    int *field;

    (void)dir;
    if (argc < 2) {
        return apr_psprintf(cmd->pool, "ESTAuditPolicy %s: write a rule and its value, such as "
                            "unknown refuse", word);
    }
    if (!ap_cstr_casecmp(word, "known")) {
        return add_domains(&audit->known, cmd, argc - 1, argv + 1);
    }
    if (!ap_cstr_casecmp(word, "nonceless-known")) {
        return add_domains(&audit->nonceless_known, cmd, argc - 1, argv + 1);
    }
    if (argc > 2) {
        return apr_psprintf(cmd->pool, "ESTAuditPolicy %s: '%s' is too much; write one value",
                            word, argv[2]);
    }
    if ((field = find_field(audit, rules, word))) {
        return glue_conf_word_of(field, cmd, word, words, argv[1]);
    }
    if ((field = find_field(audit, switches, word))) {
        return glue_conf_word_of(field, cmd, word, on_off, argv[1]);
    }
    if (!ap_cstr_casecmp(word, "ignore-before")) {
        return set_before(audit, cmd, argv[1]);
    }
    if (!ap_cstr_casecmp(word, "max-events")) {
        return glue_conf_number(&audit->max_events, cmd, argv[1], 0, 1000000);
    }
    return apr_psprintf(cmd->pool, "ESTAuditPolicy: '%s' is none of known, nonceless-known, "
                        "unknown, logged, nonceless, truncated, version, missing, garbage, "
                        "ignore-before, ignore-history, max-events, withhold, revoke", word);
}

const char *est_set_audit_recheck(cmd_parms *cmd, void *dir, const char *every, const char *revoke)
{
    est_conf_t *c = est_conf_of(cmd);
    const char *problem = NULL;

    (void)dir;
    if (revoke && ap_cstr_casecmp(revoke, "revoke")) {
        return apr_psprintf(cmd->pool, "ESTAuditRecheck: '%s' is not revoke", revoke);
    }
    c->recheck_revokes = revoke != NULL;
    c->recheck = 0;
    if (ap_cstr_casecmp(every, "off")) {
        problem = glue_conf_duration(&c->recheck, cmd, every);
    }
    if (!problem && c->recheck && c->recheck < apr_time_from_sec(3600)) {
        return apr_psprintf(cmd->pool, "ESTAuditRecheck: '%s' would tire the MASAs; write 1h or "
                            "more, or off", every);
    }
    return problem;
}
