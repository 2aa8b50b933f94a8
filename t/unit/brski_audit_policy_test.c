/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_audit_policy_test.c: audit logs and what a registrar makes of them: the RFC's example, each
 * rule by itself, spellings, later versions, and logs that are none.
 */
#include <apr_strings.h>
#include <string.h>

#include "brski_audit_policy.h"
#include "brski_bytes.h"
#include "unit.h"

static apr_pool_t *pool;

#define OURS "BduJhdHPpfhQLyponf48JzXSGZ8="
#define THEIRS "AAECAwQFBgcICQoLDA0ODxAREhM="
#define DATE "2026-01-01T00:00:00Z"
#define OTHERS "//79/Pv6+fj39vX08/Lx8O/u7ew="

/* RFC 8995 5.8.1, figure 18. */
static const char figure18[] =
    "{ \"version\":\"1\", \"events\":["
    "{ \"date\":\"2019-05-15T17:25:55.644-04:00\", \"domainID\":\"" OURS "\","
    "  \"nonce\":\"VOUFT-WwrEv0NuAQEHoV7Q\", \"assertion\":\"proximity\", \"truncated\":\"0\" },"
    "{ \"date\":\"2017-05-15T17:25:55.644-04:00\", \"domainID\":\"" OURS "\","
    "  \"nonce\":\"f4G6Vi1t8nKo/FieCVgpBg==\", \"assertion\":\"proximity\" } ],"
    "\"truncation\": { \"nonced duplicates\": \"0\", \"nonceless duplicates\": \"1\","
    "  \"arbitrary\": \"2\" } }";

static apr_array_header_t *list(const char *a, const char *b)
{
    apr_array_header_t *ids = apr_array_make(pool, 2, sizeof(const char *));

    if (a) {
        APR_ARRAY_PUSH(ids, const char *) = a;
    }
    if (b) {
        APR_ARRAY_PUSH(ids, const char *) = b;
    }
    return ids;
}

static brski_audit_policy_t policy;
static int attested;
static apr_array_header_t *own;

static brski_audit_judgement_t *judge(const char *log)
{
    brski_audit_judgement_t *j;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    is_ok(brski_audit_judge(&j, &policy, own, brski_bytes_str(log), attested,
                            &brski_limits_default, pool, scratch), "5.8.3 judging never fails");
    apr_pool_destroy(scratch);
    return j;
}

static void verdict(const char *log, brski_verdict_t want, const char *rule, const char *label)
{
    brski_audit_judgement_t *j = judge(log);

    is_int(j->verdict, want, "5.8.3 %s", label);
    is_str(j->rule, rule, "5.8.3 %s: decided by '%s'", label, rule);
    note("%s", j->text);
}

static const char *event(const char *date, const char *domain, const char *nonce, const char *rest)
{
    return apr_psprintf(pool, "{\"date\":\"%s\",\"domainID\":\"%s\",\"nonce\":%s,%s}", date, domain,
                        nonce, rest);
}

static const char *entry(const char *domain, const char *nonce, const char *assertion)
{
    return event(DATE, domain, nonce, apr_psprintf(pool, "\"assertion\":\"%s\"", assertion));
}

/* Our own entry, and another one. */
static const char *with(const char *more)
{
    return apr_psprintf(pool, "{\"version\":1,\"events\":[%s%s%s]}",
                        entry(OURS, "\"n1\"", "proximity"), more ? "," : "", more ? more : "");
}

static void reset(void)
{
    policy = brski_audit_policy_default;
    attested = 0;
    own = list(OURS, NULL);
}

static void test_example(void)
{
    brski_audit_judgement_t *j;

    verdict(figure18, BRSKI_VERDICT_WARN, "truncated", "figure 18 is ours, and cut");
    j = judge(figure18);
    is_int(j->version, 1, "5.8.1 figure 18 is of version 1, written as text");
    is_int(j->events, 2, "5.8.1 figure 18 has two events");
    policy.truncated = BRSKI_AUDIT_ACCEPT;
    verdict(figure18, BRSKI_VERDICT_GOOD, "", "figure 18 where truncation does not matter");
    own = list(THEIRS, NULL);
    verdict(figure18, BRSKI_VERDICT_BAD, "unknown", "figure 18 in another domain");
    policy.known = list(OURS, NULL);
    verdict(figure18, BRSKI_VERDICT_BAD, "missing",
            "figure 18 of a known domain: ours is not there");
}

static void test_rules(void)
{
    verdict(with(NULL), BRSKI_VERDICT_GOOD, "", "our own entry alone");
    verdict(with(entry(OURS, "\"n0\"", "logged")), BRSKI_VERDICT_GOOD, "",
            "two of ours, as parallel requests leave them");
    verdict(with(entry(THEIRS, "\"n\"", "proximity")), BRSKI_VERDICT_BAD, "unknown",
            "a stranger's");
    verdict(with(entry(THEIRS, "\"n\"", "logged")), BRSKI_VERDICT_BAD, "unknown",
            "a stranger's that was only logged");
    policy.unknown = BRSKI_AUDIT_WARN;
    verdict(with(entry(THEIRS, "\"n\"", "proximity")), BRSKI_VERDICT_WARN, "unknown",
            "a stranger's, by a milder policy");
    verdict(with(entry(THEIRS, "\"n\"", "logged")), BRSKI_VERDICT_BAD, "logged",
            "only logged is worse than proximity");
    policy.known = list(THEIRS, NULL);
    verdict(with(entry(THEIRS, "\"n\"", "logged")), BRSKI_VERDICT_GOOD, "", "a known domain's");
    verdict(with(entry(THEIRS, "null", "logged")), BRSKI_VERDICT_BAD, "nonceless",
            "a known domain's without a nonce");
    verdict(with(entry(OURS, "null", "logged")), BRSKI_VERDICT_BAD, "nonceless",
            "ours without a nonce, for anybody may hold it");
    policy.nonceless_known = list(THEIRS, OURS);
    verdict(with(entry(THEIRS, "null", "logged")), BRSKI_VERDICT_GOOD, "",
            "nonceless of a domain that may");
    verdict(with(entry(OURS, "null", "verified")), BRSKI_VERDICT_GOOD, "", "nonceless of our own");
    verdict(with(entry(OTHERS, "null", "verified")), BRSKI_VERDICT_BAD, "nonceless",
            "nonceless of another");
    policy.nonceless = BRSKI_AUDIT_ACCEPT;
    verdict(with(entry(OTHERS, "null", "verified")), BRSKI_VERDICT_GOOD, "",
            "nonceless ones are ignored where they shall be (7.3.4)");
}

static void test_history(void)
{
    policy.ignore_before = unit_time("2026-01-01T00:00:01Z");
    verdict(with(entry(THEIRS, "\"n\"", "proximity")), BRSKI_VERDICT_GOOD, "",
            "what was before the purchase does not count");
    policy.ignore_before = unit_time("2026-01-01T00:00:00Z");
    verdict(with(entry(THEIRS, "\"n\"", "proximity")), BRSKI_VERDICT_BAD, "unknown",
            "what was from then on does");
    policy.ignore_before = 0;
    policy.ignore_history = 1;
    verdict(with(entry(THEIRS, "null", "logged")), BRSKI_VERDICT_GOOD, "", "history is ignored");
    verdict(with(entry(OURS, "null", "logged")), BRSKI_VERDICT_BAD, "nonceless",
            "history is ignored, but not ours");
    reset();
    policy.max_events = 1;
    verdict(with(entry(OURS, "\"n\"", "logged")), BRSKI_VERDICT_WARN, "max-events",
            "more events than there should be");
}

static void test_attested(void)
{
    attested = 1;
    verdict(with(entry(THEIRS, "\"n\"", "proximity")), BRSKI_VERDICT_WARN, "unknown",
            "a device that is attested keeps its history, which is told");
    has_str(judge(with(entry(THEIRS, "\"n\"", "proximity")))->text, THEIRS,
            "5.8.3 and names the stranger");
    verdict("", BRSKI_VERDICT_WARN, "missing", "attested, without a log");
    verdict("{}", BRSKI_VERDICT_BAD, "garbage", "attested, but that is no log");
}

static void test_missing(void)
{
    verdict("", BRSKI_VERDICT_BAD, "missing", "no log");
    verdict("{\"version\":1,\"events\":[]}", BRSKI_VERDICT_BAD, "missing", "an empty log");
    policy.missing = BRSKI_AUDIT_ACCEPT;
    verdict("", BRSKI_VERDICT_GOOD, "", "no log, where that is accepted");
}

/* DomainIDs are octets: line breaks and left out padding do not make another domain. */
static void test_spelling(void)
{
    own = list("BduJhdHPpfhQLyponf48JzXSGZ8", NULL);
    verdict(with(NULL), BRSKI_VERDICT_GOOD, "", "ours is configured without padding");
    own = list(OURS, NULL);
    verdict("{\"version\":1,\"events\":[{\"date\":\"2026-01-01t00:00:00z\","
            "\"domainID\":\"BduJhdHPpfhQ\\nLyponf48JzXSGZ8\",\"nonce\":\"x\","
            "\"assertion\":\"proximity\"}]}",
            BRSKI_VERDICT_GOOD, "", "ours is written with a line break");
    has_str(judge(with(entry("AAECAwQFBgcICQoLDA0ODxAREhM", "\"n\"", "proximity")))->text, THEIRS,
            "5.8.3 a human reads it in one spelling");
}

static void test_versions(void)
{
    static const char v2[] =
        "{\"version\":2,\"more\":{\"a\":[1]},\"events\":["
        "{\"date\":\"2026-01-01T00:00:00Z\",\"domainID\":\"" OURS "\",\"nonce\":\"n\","
        "\"assertion\":\"telepathy\",\"x\":1},"
        "{\"date\":\"2026-01-01T00:00:00Z\",\"domainID\":\"" OURS "\",\"nonce\":\"n\"}]}";

    verdict(v2, BRSKI_VERDICT_WARN, "version", "a later version is read as far as it is known");
    policy.version = BRSKI_AUDIT_REFUSE;
    verdict(v2, BRSKI_VERDICT_BAD, "version", "a later version is refused where it shall be");
    policy.version = BRSKI_AUDIT_ACCEPT;
    verdict(v2, BRSKI_VERDICT_GOOD, "", "a later version is accepted where it shall be");
}

static const char *cut(const char *truncated, const char *counters)
{
    return apr_psprintf(pool, "{\"version\":1,\"events\":[{\"date\":\"2026-01-01T00:00:00Z\","
                        "\"domainID\":\"" OURS "\",\"nonce\":\"n\",\"assertion\":\"logged\","
                        "\"truncated\":%s}],\"truncation\":{%s}}", truncated, counters);
}

static void test_truncation(void)
{
    verdict(cut("3", "\"nonced duplicates\":3,\"nonceless duplicates\":0,\"arbitrary\":0"),
            BRSKI_VERDICT_GOOD, "", "older events of the same domain hide nothing");
    verdict(cut("3", "\"nonced duplicates\":4"), BRSKI_VERDICT_WARN, "truncated",
            "a duplicate that no entry accounts for");
    verdict(cut("0", "\"arbitrary\":\"1\""), BRSKI_VERDICT_WARN, "truncated", "an arbitrary cut");
    policy.truncated = BRSKI_AUDIT_REFUSE;
    verdict(cut("0", "\"arbitrary\":1"), BRSKI_VERDICT_BAD, "truncated",
            "refused where it shall be");
}

static void garbage(const char *log)
{
    verdict(log, BRSKI_VERDICT_BAD, "garbage", apr_psprintf(pool, "no log: %s", log));
}

static void test_garbage(void)
{
    garbage("null");
    garbage("[]");
    garbage("{\"events\":[]}");
    garbage("{\"version\":0,\"events\":[]}");
    garbage("{\"version\":-1,\"events\":[]}");
    garbage("{\"version\":\"one\",\"events\":[]}");
    garbage("{\"version\":99999999999,\"events\":[]}");
    garbage("{\"version\":1}");
    garbage("{\"version\":1,\"events\":{}}");
    garbage("{\"version\":1,\"events\":[1]}");
    garbage("{\"version\":1,\"events\":[{}]}");
    garbage("{\"version\":1,\"version\":1,\"events\":[]}");
    garbage("{\"version\":1,\"events\":[]} x");
    garbage(with(event("yesterday", OURS, "\"n\"", "\"assertion\":\"logged\"")));
    garbage(with(event(DATE, "", "\"n\"", "\"assertion\":\"logged\"")));
    garbage(with(event(DATE, "*", "\"n\"", "\"assertion\":\"logged\"")));
    garbage(with(event(DATE, OURS, "1", "\"assertion\":\"logged\"")));
    garbage(with(event(DATE, OURS, "\"n\"", "\"assertio\":\"logged\"")));
    garbage(cut("-1", ""));
    garbage(cut("\"many\"", ""));
    garbage(cut("0", "\"arbitrary\":-1"));
    garbage("<html>");
    policy.garbage = BRSKI_AUDIT_WARN;
    verdict("<html>", BRSKI_VERDICT_WARN, "garbage", "garbage by a milder policy");
}

/* A log cut anywhere is never a good one, and never more than a verdict. */
static void test_cut_octets(void)
{
    apr_size_t len = strlen(figure18), i;
    int bad = 0;

    policy.truncated = BRSKI_AUDIT_ACCEPT;
    for (i = 1; i < len; i++) {
        brski_audit_judgement_t *j;
        apr_pool_t *scratch;

        apr_pool_create(&scratch, pool);
        if (!brski_audit_judge(&j, &policy, own, brski_bytes(apr_pmemdup(scratch, figure18, i), i),
                               0, &brski_limits_default, scratch, scratch)
            && j->verdict == BRSKI_VERDICT_BAD) {
            bad++;
        }
        apr_pool_destroy(scratch);
    }
    is_int(bad, len - 1, "5.8.1 a log cut at any octet is refused");
}

/* Any octet spoiled: no crash, and no log of another domain passes for ours. */
static void test_spoiled_octets(void)
{
    apr_size_t len = strlen(figure18), i;
    int judged = 0;

    for (i = 0; i < len; i++) {
        char *copy;
        brski_audit_judgement_t *j;
        apr_pool_t *scratch;

        apr_pool_create(&scratch, pool);
        copy = apr_pstrdup(scratch, figure18);
        copy[i] ^= 1 << (i % 8);
        if (!brski_audit_judge(&j, &policy, own, brski_bytes(copy, len), 0, &brski_limits_default,
                               scratch, scratch)
            && j->verdict != BRSKI_VERDICT_NONE && j->text) {
            judged++;
        }
        apr_pool_destroy(scratch);
    }
    is_int(judged, len, "5.8.1 a log with any octet spoiled has a verdict");
}

static void test_vector(void)
{
    const char *path = unit_vector("json-bodies/auditlog-fig18.json", pool);

    if (!path) {
        skip(2, "figure 18 as published is not here: set BRSKI_VECTORS");
        return;
    }
    verdict((const char *)unit_file(path, pool).data, BRSKI_VERDICT_WARN, "truncated",
            "figure 18 as published");
}

/* Several findings: the worst is told, and that there are more. */
static void test_text(void)
{
    const char *two = apr_pstrcat(pool, entry(THEIRS, "\"n\"", "proximity"), ",",
                                  entry(OTHERS, "\"n\"", "proximity"), NULL);
    brski_audit_judgement_t *j = judge(with(two));

    has_str(j->text, THEIRS, "5.8.3 a human reads the domainID");
    has_str(j->text, "2026-01-01T00:00:00Z", "5.8.3 and the date");
    has_str(j->text, "and 1 more", "5.8.3 and that it is not the only one");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_example, test_rules, test_history, test_attested, test_missing, test_spelling,
        test_versions, test_truncation, test_garbage, test_cut_octets, test_spoiled_octets,
        test_vector, test_text,
    };
    apr_pool_t *parent = unit_start();
    apr_size_t i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        apr_pool_create(&pool, parent);
        reset();
        tests[i]();
        apr_pool_destroy(pool);
    }
    return done_testing();
}
