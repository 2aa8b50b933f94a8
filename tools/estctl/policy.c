/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.c: the words of ESTAuditPolicy, as mod_est reads them.
 */
#include "policy.h"
#include "../common/say.h"
#include "brski_bytes.h"

#include <apr_strings.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 1000000

/* A rule whose value says what becomes of an entry. */
typedef struct rule_t {
    const char *word;
    apr_size_t offset;
} rule_t;

static const rule_t rules[] = {{"unknown", offsetof(brski_audit_policy_t, unknown)},
                               {"logged", offsetof(brski_audit_policy_t, logged)},
                               {"nonceless", offsetof(brski_audit_policy_t, nonceless)},
                               {"truncated", offsetof(brski_audit_policy_t, truncated)},
                               {"version", offsetof(brski_audit_policy_t, version)},
                               {"missing", offsetof(brski_audit_policy_t, missing)},
                               {"garbage", offsetof(brski_audit_policy_t, garbage)},
                               {NULL, 0}};

static brski_audit_word_t *find_field(brski_audit_policy_t *policy, const char *word)
{
    for (const rule_t *r = rules; r->word; r++) {
        if (!strcasecmp(r->word, word)) {
            return (brski_audit_word_t *)(void *)((char *)policy + r->offset);
        }
    }
    return NULL;
}

/* Each of these returns what is wrong, or NULL. */

static const char *set_word(brski_audit_word_t *field, const char *value)
{
    static const char *const words[] = {NULL, "accept", "warn", "refuse"};

    for (int i = BRSKI_AUDIT_ACCEPT; i <= BRSKI_AUDIT_REFUSE; i++) {
        if (!strcasecmp(words[i], value)) {
            *field = (brski_audit_word_t)i;
            return NULL;
        }
    }
    return "its value is accept, warn or refuse";
}

static const char *add_domains(apr_array_header_t **list, char **words, apr_pool_t *pool)
{
    if (!*list || (!strcasecmp(words[0], "none") && !words[1])) {
        *list = apr_array_make(pool, 4, sizeof(const char *));
    }
    for (; *words && strcasecmp(*words, "none"); words++) {
        brski_bytes_t octets;
        if (brski_base64_decode(&octets, *words, pool)) {
            return "its values are domainIDs in base64";
        }
        APR_ARRAY_PUSH(*list, const char *) = *words;
    }
    return NULL;
}

static const char *set_events(int *out, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);

    if (end == value || *end || n < 0 || n > EVENTS_MAX) {
        return "its value is a number, 0 for any";
    }
    *out = (int)n;
    return NULL;
}

static const char *set_switch(int *out, const char *value)
{
    if (strcasecmp(value, "on") && strcasecmp(value, "off")) {
        return "its value is On or Off";
    }
    *out = !strcasecmp(value, "on");
    return NULL;
}

/* words: the rule, its values, NULL. */
static const char *set_rule(brski_audit_policy_t *policy, char **words, apr_pool_t *pool)
{
    brski_audit_word_t *field;

    if (!words[0] || !words[1]) {
        return "write a rule and its value, such as \"unknown warn\"";
    }
    if (!strcasecmp(words[0], "known")) {
        return add_domains(&policy->known, words + 1, pool);
    }
    if (!strcasecmp(words[0], "nonceless-known")) {
        return add_domains(&policy->nonceless_known, words + 1, pool);
    }
    if (words[2]) {
        return "it has one value";
    }
    if ((field = find_field(policy, words[0]))) {
        return set_word(field, words[1]);
    }
    if (!strcasecmp(words[0], "ignore-before")) {
        return opt_time_parse(&policy->ignore_before, words[1], "--policy", pool)
                   ? "its value is a day such as 2026-01-31"
                   : NULL;
    }
    if (!strcasecmp(words[0], "ignore-history")) {
        return set_switch(&policy->ignore_history, words[1]);
    }
    if (!strcasecmp(words[0], "max-events")) {
        return set_events(&policy->max_events, words[1]);
    }
    return "rules are known, nonceless-known, unknown, logged, nonceless, truncated, version, "
           "missing, garbage, ignore-before, ignore-history, max-events";
}

brski_err_t *policy_read(int *wrong, brski_audit_policy_t *policy, call_t *call)
{
    const apr_array_header_t *all = opt_all(call, "policy");

    *wrong = 0;
    *policy = brski_audit_policy_default;
    for (int i = 0; i < all->nelts; i++) {
        const char *text = APR_ARRAY_IDX(all, i, const char *);
        const char *problem;
        char **words;
        apr_tokenize_to_argv(text, &words, call->pool);
        problem = set_rule(policy, words, call->pool);
        if (problem) {
            *wrong = 1;
            return opt_usage(call, "--policy '%s': %s", brski_printable(text, 200, call->pool),
                             problem);
        }
    }
    return BRSKI_OK;
}
