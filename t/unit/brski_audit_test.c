/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_audit_test.c: the audit log's answer to the octet, and its abridging.
 */
#include "brski_audit.h"

#include <apr_strings.h>

#include "brski_bytes.h"
#include "brski_json.h"
#include "unit.h"

static void put(apr_array_header_t *events, const char *when, const char *domain_id,
                const char *nonce, brski_assertion_t assertion)
{
    brski_event_t *e = apr_pcalloc(events->pool, sizeof(*e));

    e->created_at = unit_time(when);
    e->domain_id = domain_id;
    e->nonce = nonce;
    e->assertion = assertion;
    APR_ARRAY_PUSH(events, brski_event_t *) = e;
}

static apr_array_header_t *none(apr_pool_t *pool)
{
    return apr_array_make(pool, 4, sizeof(brski_event_t *));
}

static const char *answer(const apr_array_header_t *events, apr_pool_t *pool)
{
    const char *json;

    is_ok(brski_audit_make(&json, events, pool), "5.8.1 an answer is made");
    return json;
}

static brski_json_t *parsed(const apr_array_header_t *events, apr_pool_t *pool)
{
    brski_json_t *json = NULL;

    is_ok(brski_json_parse(&json, brski_bytes_str(answer(events, pool)), &brski_limits_default,
                           pool), "5.8.1 it is JSON");
    return json;
}

static void test_octets(apr_pool_t *pool)
{
    apr_array_header_t *events = none(pool);

    put(events, "2017-05-15T17:25:55.644-04:00", "BduJhdHPpfhQLyponf48JzXSGZ8=", NULL,
        BRSKI_ASSERTION_LOGGED);
    put(events, "2019-05-15T21:25:55Z", "BduJhdHPpfhQLyponf48JzXSGZ8=", "VOUFT-WwrEv0NuAQEHoV7Q",
        BRSKI_ASSERTION_PROXIMITY);
    is_str(answer(events, pool),
           "{\"version\":1,\"events\":["
           "{\"date\":\"2019-05-15T21:25:55Z\",\"domainID\":\"BduJhdHPpfhQLyponf48JzXSGZ8=\","
           "\"nonce\":\"VOUFT-WwrEv0NuAQEHoV7Q\",\"assertion\":\"proximity\"},"
           "{\"date\":\"2017-05-15T21:25:55Z\",\"domainID\":\"BduJhdHPpfhQLyponf48JzXSGZ8=\","
           "\"nonce\":null,\"assertion\":\"logged\"}],"
           "\"truncation\":{\"nonced duplicates\":0,\"nonceless duplicates\":0,\"arbitrary\":0}}",
           "5.8.1 newest first, null for no nonce, integers");
}

static void test_abridged(apr_pool_t *pool)
{
    apr_array_header_t *events = none(pool);
    brski_json_t *json, *list;

    put(events, "2020-01-01T00:00:00Z", "A=", "a1", BRSKI_ASSERTION_PROXIMITY);
    put(events, "2020-01-02T00:00:00Z", "A=", NULL, BRSKI_ASSERTION_VERIFIED);
    put(events, "2020-01-03T00:00:00Z", "B=", "b1", BRSKI_ASSERTION_LOGGED);
    put(events, "2020-01-04T00:00:00Z", "A=", "a2", BRSKI_ASSERTION_LOGGED);
    put(events, "2020-01-05T00:00:00Z", "A=", NULL, BRSKI_ASSERTION_VERIFIED);
    put(events, "2020-01-06T00:00:00Z", "A=", "a3", BRSKI_ASSERTION_PROXIMITY);
    json = parsed(events, pool);
    list = brski_json_get(json, "events");
    is_int(brski_json_size(list), 3, "5.8.1 one nonced and one nonceless of a domainID remain");
    is_str(brski_json_get_string(brski_json_at(list, 0), "nonce"), "a3", "5.8.1 the newest nonced");
    is_int(brski_json_int(brski_json_get(brski_json_at(list, 0), "truncated")), 2,
           "5.8.1 the kept event counts the two it stands for");
    is_str(brski_json_get_string(brski_json_at(list, 1), "date"), "2020-01-05T00:00:00Z",
           "5.8.1 the newest nonceless");
    is_int(brski_json_int(brski_json_get(brski_json_at(list, 1), "truncated")), 1,
           "5.8.1 and the one it stands for");
    ok(!brski_json_get(brski_json_at(list, 2), "truncated"), "5.8.1 another domain stands alone");
    json = brski_json_get(json, "truncation");
    is_int(brski_json_int(brski_json_get(json, "nonced duplicates")), 2, "5.8.1 nonced duplicates");
    is_int(brski_json_int(brski_json_get(json, "nonceless duplicates")), 1,
           "5.8.1 nonceless duplicates");
}

static void test_capped(apr_pool_t *pool)
{
    apr_array_header_t *events = none(pool);
    brski_json_t *json;
    int i;

    for (i = 0; i < 1500; i++) {
        put(events, "2020-01-01T00:00:00Z", "A=", "n", BRSKI_ASSERTION_LOGGED);
    }
    json = parsed(events, pool);
    is_int(brski_json_int(brski_json_get(brski_json_at(brski_json_get(json, "events"), 0),
                                         "truncated")), 1024, "5.8.1 counting stops at 1024");
    is_int(brski_json_int(brski_json_get(brski_json_get(json, "truncation"),
                                         "nonced duplicates")), 1024, "5.8.1 in both places");
}

static void test_empty(apr_pool_t *pool)
{
    const char *json;

    is_err(brski_audit_make(&json, none(pool), pool), INTERNAL, "5.8.1 never an empty log");
    is_str(json, NULL, "5.8.1 and no answer then");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    test_octets(pool);
    test_abridged(pool);
    test_capped(pool);
    test_empty(pool);
    return done_testing();
}
