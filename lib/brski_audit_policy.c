/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_audit_policy.c: the audit log read and judged, RFC 8995 5.8.1 and 5.8.3. Reading is
 * tolerant of what a later version adds and of numbers written as text (the RFC's own example
 * has both), and strict about the rest: a log that cannot be read proves nothing. DomainIDs
 * are compared as octets.
 */
#include "brski_audit_policy.h"

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_time.h"

/* What this file knows all of. */
#define KNOWN_VERSION 1

/* Octets of the longest domainID that is worth showing; a SHA-512 has 64. */
#define DOMAIN_ID_MAX 64

const brski_audit_policy_t brski_audit_policy_default = {
    .unknown = BRSKI_AUDIT_REFUSE,
    .logged = BRSKI_AUDIT_REFUSE,
    .nonceless = BRSKI_AUDIT_REFUSE,
    .truncated = BRSKI_AUDIT_WARN,
    .version = BRSKI_AUDIT_WARN,
    .missing = BRSKI_AUDIT_REFUSE,
    .garbage = BRSKI_AUDIT_REFUSE,
};

/* One entry of the log. */
typedef struct entry_t {
    apr_time_t at;
    brski_bytes_t domain_id;
    int nonced;
    const char *assertion;            /* a word that we know, else "logged", the weakest */
} entry_t;

typedef struct log_t {
    int version;
    apr_array_header_t *entries;      /* entry_t */
    apr_int64_t arbitrary;
    apr_int64_t hidden;               /* duplicates that no entry accounts for */
} log_t;

typedef struct judge_t {
    const brski_audit_policy_t *policy;
    apr_hash_t *own, *known, *nonceless_known;
    brski_audit_judgement_t *out;
    brski_audit_word_t word;          /* the worst so far; 0 none */
    int findings;                     /* as bad as that */
    apr_pool_t *result_pool;
    apr_pool_t *pool;
} judge_t;

/* ---- reading ---- */

static brski_err_t *garbage(const char *what, apr_pool_t *pool)
{
    return brski_err(BRSKI_E_FIELD, NULL, pool, "%s", what);
}

/* 5.8.1 says numbers, its example writes text. */
static int read_count(apr_int64_t *n, const brski_json_t *v)
{
    const char *text = brski_json_string(v), *c;

    *n = 0;
    if (brski_json_type(v) == BRSKI_JSON_INTEGER) {
        *n = brski_json_int(v);
        return *n >= 0;
    }
    if (!text || !*text || strlen(text) > 9) {
        return 0;
    }
    for (c = text; *c; c++) {
        if (!apr_isdigit(*c)) {
            return 0;
        }
    }
    *n = apr_atoi64(text);
    return 1;
}

/* A counter that may be left out. */
static int read_counter(apr_int64_t *n, const brski_json_t *obj, const char *key)
{
    brski_json_t *v = brski_json_get(obj, key);

    *n = 0;
    return !v || read_count(n, v);
}

static brski_err_t *read_domain_id(brski_bytes_t *id, const brski_json_t *event, apr_pool_t *pool)
{
    const char *text = brski_json_get_string(event, "domainID");

    if (!text || brski_base64_decode_liberal(id, text, strlen(text), pool) || !id->len
        || id->len > DOMAIN_ID_MAX) {
        return garbage("an event has no domainID", pool);
    }
    return BRSKI_OK;
}

/* Absent is as good as null: the entry has no nonce. */
static brski_err_t *read_nonce(int *nonced, const brski_json_t *event, apr_pool_t *pool)
{
    brski_json_t *v = brski_json_get(event, "nonce");
    const char *text = brski_json_string(v);

    *nonced = text && *text;
    if (v && !text && brski_json_type(v) != BRSKI_JSON_NULL) {
        return garbage("the nonce of an event is neither text nor null", pool);
    }
    return BRSKI_OK;
}

/* A word of a later version proves no more than the weakest of ours. */
static brski_err_t *read_assertion(const char **word, const brski_json_t *event, int version,
                                   apr_pool_t *pool)
{
    static const char *const words[] = { "verified", "logged", "proximity", "agent-proximity" };
    const char *text = brski_json_get_string(event, "assertion");
    apr_size_t i;

    *word = "logged";
    if (!text && version <= KNOWN_VERSION) {
        return garbage("an event has no assertion", pool);
    }
    for (i = 0; text && i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strcmp(text, words[i])) {
            *word = words[i];
        }
    }
    return BRSKI_OK;
}

static brski_err_t *read_entry(log_t *log, apr_int64_t *accounted, const brski_json_t *event,
                               apr_pool_t *pool)
{
    const char *date = brski_json_get_string(event, "date");
    apr_int64_t truncated;
    entry_t *e;

    if (brski_json_type(event) != BRSKI_JSON_OBJECT) {
        return garbage("an event is no object", pool);
    }
    e = apr_array_push(log->entries);
    memset(e, 0, sizeof(*e));
    if (!date || brski_time_parse(&e->at, date, pool)) {
        return garbage("an event has no date", pool);
    }
    BRSKI_TRY(read_domain_id(&e->domain_id, event, pool));
    BRSKI_TRY(read_nonce(&e->nonced, event, pool));
    BRSKI_TRY(read_assertion(&e->assertion, event, log->version, pool));
    if (!read_counter(&truncated, event, "truncated")) {
        return garbage("\"truncated\" of an event is no number", pool);
    }
    *accounted += truncated;
    return BRSKI_OK;
}

/* Older events of a domain and kind that is shown hide nothing; what no shown event accounts for
 * may. */
static brski_err_t *read_truncation(log_t *log, const brski_json_t *json, apr_int64_t accounted,
                                    apr_pool_t *pool)
{
    brski_json_t *v = brski_json_get(json, "truncation");
    apr_int64_t nonced, nonceless;

    if (!v) {
        return BRSKI_OK;
    }
    if (brski_json_type(v) != BRSKI_JSON_OBJECT || !read_counter(&nonced, v, "nonced duplicates")
        || !read_counter(&nonceless, v, "nonceless duplicates")
        || !read_counter(&log->arbitrary, v, "arbitrary")) {
        return garbage("the counters of truncation are no numbers", pool);
    }
    if (nonced + nonceless > accounted) {
        log->hidden = nonced + nonceless - accounted;
    }
    return BRSKI_OK;
}

static brski_err_t *read_log(log_t **out, brski_bytes_t text, const brski_limits_t *limits,
                             apr_pool_t *pool)
{
    log_t *log = apr_pcalloc(pool, sizeof(*log));
    brski_json_t *json, *events;
    apr_int64_t version, accounted = 0;
    apr_size_t i;

    BRSKI_TRY(brski_json_parse(&json, text, limits, pool));
    if (!read_count(&version, brski_json_get(json, "version")) || version < 1
        || version > 1000000) {
        return garbage("there is no version", pool);
    }
    events = brski_json_get(json, "events");
    if (brski_json_type(events) != BRSKI_JSON_ARRAY) {
        return garbage("there are no events", pool);
    }
    log->version = (int)version;
    log->entries = apr_array_make(pool, 16, sizeof(entry_t));
    for (i = 0; i < brski_json_size(events); i++) {
        BRSKI_TRY(read_entry(log, &accounted, brski_json_at(events, i), pool));
    }
    BRSKI_TRY(read_truncation(log, json, accounted, pool));
    *out = log;
    return BRSKI_OK;
}

/* ---- judging ---- */

/* DomainIDs as octets, however they were spelled. */
static apr_hash_t *set_of(const apr_array_header_t *ids, apr_pool_t *pool)
{
    apr_hash_t *set = apr_hash_make(pool);
    brski_bytes_t id;
    int i;

    for (i = 0; ids && i < ids->nelts; i++) {
        const char *text = APR_ARRAY_IDX(ids, i, const char *);

        if (!brski_base64_decode_liberal(&id, text, strlen(text), pool) && id.len) {
            apr_hash_set(set, id.data, (apr_ssize_t)id.len, "");
        }
    }
    return set;
}

static int holds(apr_hash_t *set, brski_bytes_t id)
{
    return apr_hash_get(set, id.data, (apr_ssize_t)id.len) != NULL;
}

/* Note what a rule says. The worst decides, and of several the first. */
static void find(judge_t *j, brski_audit_word_t word, const char *rule, const char *text)
{
    if (word <= BRSKI_AUDIT_ACCEPT || word < j->word) {
        return;
    }
    if (word == j->word) {
        j->findings++;
        return;
    }
    j->word = word;
    j->findings = 1;
    j->out->rule = rule;
    j->out->text = apr_pstrdup(j->result_pool, text);
}

static const char *entry_text(const judge_t *j, const entry_t *e)
{
    return apr_psprintf(j->pool, "domain %s on %s (%s, %s)",
                        brski_base64_encode(e->domain_id, j->pool),
                        brski_time_rfc3339(e->at, j->pool), e->nonced ? "nonced" : "nonceless",
                        e->assertion);
}

static void judge_nonceless(judge_t *j, const entry_t *e)
{
    if (!holds(j->nonceless_known, e->domain_id)) {
        find(j, j->policy->nonceless, "nonceless",
             apr_pstrcat(j->pool, "A voucher without a nonce, which can be used again, was given "
                         "to ", entry_text(j, e), NULL));
    }
}

static void judge_stranger(judge_t *j, const entry_t *e)
{
    const brski_audit_policy_t *p = j->policy;
    int logged = !strcmp(e->assertion, "logged") && p->logged > p->unknown;

    find(j, logged ? p->logged : p->unknown, logged ? "logged" : "unknown",
         apr_pstrcat(j->pool, "A voucher was given to a stranger: ", entry_text(j, e), NULL));
}

static void judge_entry(judge_t *j, const entry_t *e)
{
    int ours = holds(j->own, e->domain_id);

    if (e->at < j->policy->ignore_before || (j->policy->ignore_history && !ours)) {
        return;
    }
    if (!e->nonced) {
        judge_nonceless(j, e);
    }
    else if (!ours && !holds(j->known, e->domain_id)) {
        judge_stranger(j, e);
    }
}

static int has_own(const judge_t *j, const log_t *log)
{
    int i;

    for (i = 0; i < log->entries->nelts; i++) {
        if (holds(j->own, APR_ARRAY_IDX(log->entries, i, entry_t).domain_id)) {
            return 1;
        }
    }
    return 0;
}

static void judge_size(judge_t *j, const log_t *log)
{
    const brski_audit_policy_t *p = j->policy;

    if (log->arbitrary || log->hidden) {
        find(j, p->truncated, "truncated",
             apr_psprintf(j->pool, "The log is cut: %" APR_INT64_T_FMT " entries left out",
                          log->arbitrary + log->hidden));
    }
    if (p->max_events && log->entries->nelts > p->max_events) {
        find(j, BRSKI_AUDIT_WARN, "max-events",
             apr_psprintf(j->pool, "The log has %d entries, more than %d", log->entries->nelts,
                          p->max_events));
    }
}

static void judge_log(judge_t *j, const log_t *log)
{
    int i;

    for (i = 0; i < log->entries->nelts; i++) {
        judge_entry(j, &APR_ARRAY_IDX(log->entries, i, entry_t));
    }
    if (!has_own(j, log)) {
        find(j, j->policy->missing, "missing",
             "The voucher that this network was given is not in the log");
    }
    judge_size(j, log);
    if (log->version > KNOWN_VERSION) {
        find(j, j->policy->version, "version",
             apr_psprintf(j->pool, "The log is of version %d; only version %d is understood",
                          log->version, KNOWN_VERSION));
    }
}

/* 5.8.3: history is overridden only where the device is vouched for by other means. */
static void conclude(judge_t *j, int attested)
{
    brski_audit_judgement_t *out = j->out;
    int refused = j->word == BRSKI_AUDIT_REFUSE;

    out->verdict = refused ? BRSKI_VERDICT_BAD
                   : j->word == BRSKI_AUDIT_WARN ? BRSKI_VERDICT_WARN
                                                 : BRSKI_VERDICT_GOOD;
    if (j->findings > 1) {
        out->text = apr_psprintf(j->result_pool, "%s; and %d more", out->text, j->findings - 1);
    }
    if (refused && attested && strcmp(out->rule, "garbage")) {
        out->verdict = BRSKI_VERDICT_WARN;
        out->text = apr_pstrcat(j->result_pool, "Overridden, the device is attested: ", out->text,
                                NULL);
    }
}

brski_err_t *brski_audit_judge(brski_audit_judgement_t **out, const brski_audit_policy_t *policy,
                               const apr_array_header_t *own, brski_bytes_t text, int attested,
                               const brski_limits_t *limits, apr_pool_t *result_pool,
                               apr_pool_t *scratch_pool)
{
    judge_t j = { .policy = policy, .result_pool = result_pool, .pool = scratch_pool };
    brski_err_t *err;
    log_t *log = NULL;

    *out = j.out = apr_pcalloc(result_pool, sizeof(**out));
    j.out->rule = j.out->text = "";
    j.own = set_of(own, scratch_pool);
    j.known = set_of(policy->known, scratch_pool);
    j.nonceless_known = set_of(policy->nonceless_known, scratch_pool);
    if (!text.len) {
        find(&j, policy->missing, "missing", "The MASA has no log of this device for this network");
        conclude(&j, attested);
        return BRSKI_OK;
    }
    err = read_log(&log, text, limits, scratch_pool);
    if (err) {
        find(&j, policy->garbage, "garbage",
             apr_pstrcat(scratch_pool, "The MASA's answer is no audit log: ",
                         err->detail ? err->detail : "unreadable", NULL));
    }
    else {
        j.out->version = log->version;
        j.out->events = log->entries->nelts;
        judge_log(&j, log);
    }
    conclude(&j, attested);
    return BRSKI_OK;
}
