/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_voucher_test.c: the JSON of vouchers and voucher-requests: what RFC 8366 and RFC 8995 print
 * is read, what breaks their rules is refused by name, and what is written can be read again.
 */
#include "brski_voucher.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

#define PVR(members) "{\"ietf-voucher-request:voucher\":{" members "}}"
#define VOUCHER(members) "{\"ietf-voucher:voucher\":{" members "}}"
#define SERIAL "\"serial-number\":\"JADA123456789\""

static brski_err_t *parse(brski_voucher_t **v, const char *json, brski_voucher_kind_t kind,
                          apr_pool_t *pool)
{
    return brski_voucher_parse(v, brski_bytes_str(json), kind, &brski_limits_default, pool);
}

static brski_err_t *request(brski_voucher_t **v, const char *json, apr_pool_t *pool)
{
    return parse(v, json, BRSKI_VOUCHER_REQUEST, pool);
}

static const char *unknown(const brski_voucher_t *v, apr_pool_t *pool)
{
    return apr_array_pstrcat(pool, v->unknown, ' ');
}

/* RFC 8366 section 5.2, the elided values replaced by base64 of three octets. */
static void rfc8366(apr_pool_t *pool)
{
    brski_voucher_t *v;

    is_ok(parse(&v, "{\n"
        "  \"ietf-voucher:voucher\": {\n"
        "    \"created-on\": \"2016-10-07T19:31:42Z\",\n"
        "    \"assertion\": \"logged\",\n"
        "    \"serial-number\": \"JADA123456789\",\n"
        "    \"idevid-issuer\": \"AQID\",\n"
        "    \"pinned-domain-cert\": \"BAUG\",\n"
        "    \"nonce\": \"base64encodedvalue==\"\n"
        "  }\n"
        "}\n", BRSKI_VOUCHER, pool), "8366-5.2 reads the voucher with a nonce");
    is_int(v->kind, BRSKI_VOUCHER, "8366-5.2 a voucher");
    is_int(v->assertion, BRSKI_ASSERTION_LOGGED, "8366-5.2 assertion");
    is_int(v->created_on, unit_time("2016-10-07T19:31:42Z"), "8366-5.2 created-on");
    is_str(v->serial_number, "JADA123456789", "8366-5.2 serial-number");
    is_mem(v->idevid_issuer.data, v->idevid_issuer.len, "\1\2\3", 3, "8366-5.2 idevid-issuer");
    is_mem(v->pinned_domain_cert.data, v->pinned_domain_cert.len, "\4\5\6", 3,
           "8366-5.2 pinned-domain-cert");
    is_str(v->nonce, "base64encodedvalue==", "8366-5.2 the nonce as it was written");
    is_int(v->expires_on, 0, "8366-5.2 no expires-on");
    is_int(v->domain_cert_revocation_checks, -1, "8366-5.2 no domain-cert-revocation-checks");
    is_int(v->unknown->nelts, 0, "8366-5.2 nothing unknown");

    is_ok(parse(&v, VOUCHER(
        "\"created-on\": \"2016-10-07T19:31:42Z\","
        "\"expires-on\": \"2016-10-21T19:31:42Z\","
        "\"assertion\": \"verified\","
        "\"serial-number\": \"JADA123456789\","
        "\"idevid-issuer\": \"AQID\","
        "\"pinned-domain-cert\": \"BAUG\","
        "\"domain-cert-revocation-checks\": \"true\","
        "\"last-renewal-date\": \"2017-10-07T19:31:42Z\""), BRSKI_VOUCHER, pool),
        "8366-5.2 reads the voucher without a nonce");
    is_int(v->assertion, BRSKI_ASSERTION_VERIFIED, "8366-5.2 verified");
    ok(v->nonce == NULL, "8366-5.2 no nonce");
    is_int(v->expires_on, unit_time("2016-10-21T19:31:42Z"), "8366-5.2 expires-on");
    is_int(v->last_renewal_date, unit_time("2017-10-07T19:31:42Z"), "8366-5.2 last-renewal-date");
    is_int(v->domain_cert_revocation_checks, 1, "8366-5.2 a quoted boolean");
}

/* RFC 8995 section 3.3, figures 6 to 8, the elided values replaced likewise. */
static void rfc8995(apr_pool_t *pool)
{
    brski_voucher_t *v;

    is_ok(request(&v, PVR(
        "\"assertion\": \"proximity\","
        "\"nonce\": \"62a2e7693d82fcda2624de58fb6722e5\","
        "\"serial-number\" : \"JADA123456789\","
        "\"created-on\": \"2017-01-01T00:00:00.000Z\","
        "\"proximity-registrar-cert\": \"AQID\""), pool), "3.3 reads the pledge's request");
    is_int(v->kind, BRSKI_VOUCHER_REQUEST, "3.3 a voucher-request");
    is_int(v->assertion, BRSKI_ASSERTION_PROXIMITY, "3.3 assertion");
    is_str(v->nonce, "62a2e7693d82fcda2624de58fb6722e5", "3.3 nonce");
    is_int(v->created_on, unit_time("2017-01-01T00:00:00Z"), "3.3 created-on");
    is_mem(v->proximity_registrar_cert.data, v->proximity_registrar_cert.len, "\1\2\3", 3,
           "3.3 proximity-registrar-cert");
    is_int(v->prior_signed_voucher_request.len, 0, "3.3 no prior-signed-voucher-request");

    is_ok(request(&v, PVR(
        "\"assertion\" : \"proximity\","
        "\"nonce\": \"62a2e7693d82fcda2624de58fb6722e5\","
        "\"created-on\": \"2017-01-01T00:00:02.000Z\","
        "\"idevid-issuer\": \"AQID\","
        "\"serial-number\": \"JADA123456789\","
        "\"prior-signed-voucher-request\": \"BAUGBw==\""), pool), "3.3 reads the registrar's");
    is_mem(v->prior_signed_voucher_request.data, v->prior_signed_voucher_request.len,
           "\4\5\6\7", 4, "3.3 prior-signed-voucher-request");

    is_ok(request(&v, PVR(
        "\"created-on\":    \"2017-01-01T00:00:02.000Z\","
        "\"idevid-issuer\": \"AQID\","
        "\"serial-number\": \"JADA123456789\""), pool), "3.3 reads the offline request");
    ok(v->nonce == NULL && v->assertion == BRSKI_ASSERTION_NONE, "3.3 no nonce, no assertion");
}

static void tolerated(apr_pool_t *pool)
{
    brski_voucher_t *v;

    is_ok(request(&v, PVR(SERIAL), pool), "5.5 a serial-number is enough");
    is_int(v->created_on, 0, "5.5 no created-on");
    is_ok(request(&v, PVR(SERIAL ",\"created-on\":\"2017-09-01\",\"assertion\":\"Proximity\""),
                  pool), "5.5 a request's unreadable date and unknown assertion do not matter");
    is_str(unknown(v, pool), "created-on assertion", "5.5 and are noted");
    is_int(v->created_on, 0, "5.5 unreadable is as absent");
    is_int(v->assertion, BRSKI_ASSERTION_NONE, "5.5 so is an unknown assertion");
    is_ok(request(&v, PVR(SERIAL ",\"pinned-domain-cert\":7,\"last-renewal-date\":\"soon\","
                          "\"domain-cert-revocation-checks\":\"maybe\",\"expires-on\":[]"), pool),
          "5.5 what a request has no use for is not judged");
    is_str(unknown(v, pool),
           "expires-on pinned-domain-cert domain-cert-revocation-checks last-renewal-date",
           "5.5 but noted");
    is_ok(request(&v, PVR("\"new\":{\"deep\":[1]},\"bad\\nname'\":null," SERIAL), pool),
          "8366-5 unknown members are ignored");
    is_str(unknown(v, pool), "new bad\\x0aname\\x27", "8366-5 and noted, printable");
    is_ok(request(&v, PVR(SERIAL ",\"nonce\":\"-_XE9zK9q8Ll1qylMtLKeg\""), pool),
          "5.5.6 a nonce is opaque");
    is_str(v->nonce, "-_XE9zK9q8Ll1qylMtLKeg", "5.5.6 and kept as it was");
    is_ok(request(&v, PVR("\"serial-number\":\"\\u00e4 \\/\",\"nonce\":\"1\",\"idevid-issuer\":"
                          "\"AQ\\u0049D\",\"domain-cert-revocation-checks\":false"), pool),
          "8366-5 escapes are JSON's");
    is_str(v->serial_number, "\xc3\xa4 /", "8366-5 and decoded");
    is_int(v->domain_cert_revocation_checks, 0, "8366-5 a boolean");
    is_ok(parse(&v, VOUCHER(SERIAL ",\"prior-signed-voucher-request\":\"AQID\""), BRSKI_VOUCHER,
                pool), "8366-5 a request's leaf in a voucher is ignored");
    is_str(unknown(v, pool), "prior-signed-voucher-request", "8366-5 and noted");
    is_int(v->prior_signed_voucher_request.len, 0, "8366-5 and not read");
    is_ok(brski_voucher_parse(&v, brski_bytes_str(PVR(SERIAL)), BRSKI_VOUCHER_REQUEST, NULL, pool),
          "8366-5 default limits");
}

static void many_unknown(apr_pool_t *pool)
{
    const char *json = "";
    brski_voucher_t *v;
    int i;

    for (i = 0; i < 1000; i++) {
        json = apr_psprintf(pool, "%s\"m%d\":1,", json, i);
    }
    json = apr_pstrcat(pool, "{\"ietf-voucher-request:voucher\":{", json, SERIAL, "}}", NULL);
    is_ok(request(&v, json, pool), "8366-5 a thousand unknown members are ignored");
    is_int(v->unknown->nelts, 16, "8366-5 sixteen are noted");
    json = apr_psprintf(pool, PVR(SERIAL ",\"%01000d\":1"), 0);
    is_ok(request(&v, json, pool), "8366-5 an unknown member with a long name");
    ok(strlen(APR_ARRAY_IDX(v->unknown, 0, const char *)) < 100, "8366-5 is noted in short");
}

static const struct {
    const char *json;
    brski_err_code_t code;
    const char *says;
    const char *why;
} refused[] = {
    { "", BRSKI_E_JSON, "empty", "nothing" },
    { "[]", BRSKI_E_JSON, "it is not an object", "an array" },
    { "[" PVR(SERIAL) "]", BRSKI_E_JSON, "it is not an object", "a request in an array" },
    { "{}", BRSKI_E_JSON, "exactly one member", "an empty object" },
    { "{\"ietf-voucher-request:voucher\":{" SERIAL "},\"x\":1}", BRSKI_E_JSON, "exactly one member",
      "two top-level members" },
    { "{" SERIAL "}", BRSKI_E_JSON, "its member is called 'serial-number'", "no envelope" },
    { VOUCHER(SERIAL), BRSKI_E_JSON, "called 'ietf-voucher:voucher'", "a voucher" },
    { "{\"ietf-voucher-request-prm:voucher\":{" SERIAL "}}", BRSKI_E_JSON, "request-prm",
      "a request of BRSKI-PRM" },
    { "{\"ietf-voucher-request:voucher-request\":{" SERIAL "}}", BRSKI_E_JSON, "is called",
      "a wrong inner name" },
    { "{\"ietf-voucher-request:voucher\":[{" SERIAL "}]}", BRSKI_E_JSON, "member is not an object",
      "an array inside" },
    { "{\"ietf-voucher-request:voucher\":\"x\"}", BRSKI_E_JSON, "member is not an object",
      "a string inside" },
    { PVR(SERIAL "," SERIAL), BRSKI_E_JSON, "duplicate", "duplicate members" },
    { PVR(SERIAL ",\"nonce\":\"a\",\"nonce\":\"b\""), BRSKI_E_JSON, "duplicate", "two nonces" },
    { PVR(SERIAL) " x", BRSKI_E_JSON, "line 1", "something after it" },
    { PVR("\"serial-number\":\"a\\u0000b\""), BRSKI_E_JSON, "line 1", "an escaped NUL" },
    { PVR("\"serial-number\":\"\xff\""), BRSKI_E_JSON, "line 1", "invalid UTF-8" },
    { PVR(SERIAL ",\"x\":[[[[[[[[[[1]]]]]]]]]]"), BRSKI_E_LIMIT, "deeper than 8", "deep nesting" },
    { PVR(""), BRSKI_E_FIELD, "The voucher-request's serial-number is missing.",
      "no serial-number" },
    { PVR("\"serial-number\":\"\""), BRSKI_E_FIELD, "serial-number is empty", "an empty serial" },
    { PVR("\"serial-number\":1.5"), BRSKI_E_FIELD, "serial-number is not a string", "a real" },
    { PVR("\"serial-number\":123"), BRSKI_E_FIELD, "serial-number is not a string", "a number" },
    { PVR("\"serial-number\":null"), BRSKI_E_FIELD, "serial-number is not a string", "a null" },
    { PVR("\"serial-number\":{}"), BRSKI_E_FIELD, "serial-number is not a string", "an object" },
    { PVR(SERIAL ",\"nonce\":1.0"), BRSKI_E_FIELD, "nonce is not a string", "a real nonce" },
    { PVR(SERIAL ",\"nonce\":null"), BRSKI_E_FIELD, "nonce is not a string", "a null nonce" },
    { PVR(SERIAL ",\"nonce\":\"\""), BRSKI_E_FIELD, "nonce is empty", "an empty nonce" },
    { PVR(SERIAL ",\"created-on\":1.5e9"), BRSKI_E_FIELD, "created-on is not a string",
      "a real time" },
    { PVR(SERIAL ",\"assertion\":2"), BRSKI_E_FIELD, "assertion is not a string",
      "a numbered assertion" },
    { PVR(SERIAL ",\"idevid-issuer\":\"AQI\""), BRSKI_E_FIELD, "idevid-issuer is not base64",
      "base64 without padding" },
    { PVR(SERIAL ",\"idevid-issuer\":\"\""), BRSKI_E_FIELD, "idevid-issuer is empty",
      "an empty binary" },
    { PVR(SERIAL ",\"prior-signed-voucher-request\":{}"), BRSKI_E_FIELD,
      "prior-signed-voucher-request is not a string", "a prior request that is an object" },
    { PVR(SERIAL ",\"prior-signed-voucher-request\":\"AQID\\n\""), BRSKI_E_FIELD,
      "prior-signed-voucher-request is not base64", "line breaks in base64" },
    { PVR(SERIAL ",\"proximity-registrar-cert\":\"AQI_\""), BRSKI_E_FIELD,
      "proximity-registrar-cert is not base64", "base64url" },
    { PVR(SERIAL ",\"proximity-registrar-pubk\":\"====\""), BRSKI_E_FIELD,
      "proximity-registrar-pubk is not base64", "padding alone" },
    { PVR(SERIAL ",\"proximity-registrar-pubk-sha256\":\"AQID\""), BRSKI_E_FIELD,
      "proximity-registrar-pubk-sha256 is not the 32 octets", "a short hash" },
};

static void refusals(apr_pool_t *pool)
{
    brski_voucher_t *v;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        err = request(&v, refused[i].json, pool);
        ok(err && err->code == refused[i].code, "5.5 refuses %s", refused[i].why);
        has_str(err ? err->public_text : "", refused[i].says, "5.5 says what is wrong with %s",
                refused[i].why);
        ok(v == NULL, "5.5 gives nothing for %s", refused[i].why);
    }
    err = parse(&v, PVR(SERIAL), BRSKI_VOUCHER, pool);
    is_err(err, JSON, "8366-5 a request is no voucher");
    is_str(err->public_text, "The signed content is not the JSON of a voucher: its member is "
           "called 'ietf-voucher-request:voucher'; an object with the one member "
           "'ietf-voucher:voucher' was expected.", "8366-5 and is told so");
    err = parse(&v, VOUCHER(SERIAL ",\"created-on\":\"2017-09-01\""), BRSKI_VOUCHER, pool);
    is_err(err, FIELD, "8366-5 a voucher's created-on must be one");
    is_str(err->public_text, "The voucher's created-on is not an RFC 3339 date-time.",
           "8366-5 and it is named");
    ok(brski_err_is(err, BRSKI_E_TIME), "8366-5 with its cause");
    is_err(parse(&v, VOUCHER(SERIAL ",\"assertion\":\"maybe\""), BRSKI_VOUCHER, pool), FIELD,
           "8366-5 a voucher's assertion must be known");
    is_err(parse(&v, VOUCHER(SERIAL ",\"expires-on\":7"), BRSKI_VOUCHER, pool), FIELD,
           "8366-5 a voucher's expires-on must be a string");
    is_err(parse(&v, VOUCHER(SERIAL ",\"domain-cert-revocation-checks\":1"), BRSKI_VOUCHER, pool),
           FIELD, "8366-5 a voucher's boolean must be one");
}

/* {"ietf-voucher-request:voucher":{"NAME":"xxx..."}} with a serial where NAME is not it. */
static const char *sized(const char *name, apr_size_t len, apr_pool_t *pool)
{
    char *value = apr_palloc(pool, len + 1);

    memset(value, 'x', len);
    value[len] = '\0';
    return apr_pstrcat(pool, "{\"ietf-voucher-request:voucher\":{\"", name, "\":\"", value, "\"",
                       strcmp(name, "serial-number") ? "," SERIAL : "", "}}", NULL);
}

static void limits(apr_pool_t *pool)
{
    brski_voucher_t *v;
    brski_err_t *err;

    is_ok(request(&v, sized("serial-number", 128, pool), pool), "limit: a serial-number of 128");
    err = request(&v, sized("serial-number", 129, pool), pool);
    is_err(err, LIMIT, "limit: a serial-number of 129");
    is_str(err->public_text, "The voucher-request's serial-number is longer than 128 octets.",
           "limit: is named");
    is_err(request(&v, sized("serial-number", 1 << 20, pool), pool), LIMIT,
           "limit: a serial-number of 1 MB");
    is_ok(request(&v, sized("nonce", 128, pool), pool), "limit: a nonce of 128");
    is_err(request(&v, sized("nonce", 129, pool), pool), LIMIT, "limit: a nonce of 129");
    is_ok(request(&v, sized("unknown", 48 * 1024, pool), pool),
          "limit: an unknown string of 48 KiB");
    is_err(request(&v, sized("unknown", 48 * 1024 + 1, pool), pool), LIMIT, "limit: and no more");
}

static void writing(apr_pool_t *pool)
{
    brski_voucher_t v = { 0 };
    const char *json;

    v.kind = BRSKI_VOUCHER;
    v.domain_cert_revocation_checks = -1;
    v.assertion = BRSKI_ASSERTION_PROXIMITY;
    v.created_on = unit_time("2021-04-13T21:43:24Z");
    v.serial_number = "a\"b";
    v.nonce = "-_XE/";
    v.pinned_domain_cert = brski_bytes("\1\2\3", 3);
    v.prior_signed_voucher_request = brski_bytes("\1", 1);
    v.proximity_registrar_cert = brski_bytes("\1", 1);
    is_ok(brski_voucher_json(&json, &v, pool), "8366-5.1 writes a voucher");
    is_str(json, VOUCHER("\"created-on\":\"2021-04-13T21:43:24Z\",\"assertion\":\"proximity\","
           "\"serial-number\":\"a\\\"b\",\"pinned-domain-cert\":\"AQID\",\"nonce\":\"-_XE/\""),
           "8366-5.1 in the order of the tree, without a request's leaves");
    v.kind = BRSKI_VOUCHER_REQUEST;
    v.pinned_domain_cert.len = 0;
    v.assertion = BRSKI_ASSERTION_NONE;
    is_ok(brski_voucher_json(&json, &v, pool), "3.2 writes a voucher-request");
    is_str(json, PVR("\"created-on\":\"2021-04-13T21:43:24Z\",\"serial-number\":\"a\\\"b\","
           "\"nonce\":\"-_XE/\",\"prior-signed-voucher-request\":\"AQ==\","
           "\"proximity-registrar-cert\":\"AQ==\""), "3.2 in the order of the tree");
    v.expires_on = 1;
    is_err(brski_voucher_json(&json, &v, pool), INTERNAL, "8366-5.3 never a nonce with expires-on");
    ok(json == NULL, "8366-5.3 and nothing is written");
    v.nonce = NULL;
    is_ok(brski_voucher_json(&json, &v, pool), "8366-5.3 expires-on alone");
    v.expires_on = 0;
    v.last_renewal_date = 1;
    is_err(brski_voucher_json(&json, &v, pool), INTERNAL,
           "8366-5.3 no last-renewal-date without expires-on");
    v.last_renewal_date = 0;
    v.serial_number = "";
    is_err(brski_voucher_json(&json, &v, pool), INTERNAL, "8366-5.3 no empty serial-number");
    v.serial_number = "x";
    v.nonce = "";
    is_err(brski_voucher_json(&json, &v, pool), INTERNAL, "8366-5.3 no empty nonce");
    v.nonce = NULL;
    v.kind = 0;
    is_err(brski_voucher_json(&json, &v, pool), INTERNAL, "8366-5.3 a kind is needed");
}

static void there_and_back(apr_pool_t *pool)
{
    static const char all[] = PVR(
        "\"created-on\":\"2021-04-13T21:43:24Z\",\"expires-on\":\"2022-04-13T21:43:24Z\","
        "\"assertion\":\"agent-proximity\",\"serial-number\":\"S\xc3\xa4\","
        "\"idevid-issuer\":\"AQID\","
        "\"pinned-domain-cert\":\"BAU=\",\"domain-cert-revocation-checks\":false,"
        "\"last-renewal-date\":\"2023-04-13T21:43:24Z\",\"prior-signed-voucher-request\":\"BA==\","
        "\"proximity-registrar-cert\":\"AQID\",\"proximity-registrar-pubk\":\"AQIE\","
        "\"proximity-registrar-pubk-sha256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"");
    brski_voucher_t *v;
    const char *json;

    is_ok(request(&v, all, pool), "3.2 reads every leaf");
    is_int(v->unknown->nelts, 0, "3.2 knows them all");
    is_ok(brski_voucher_json(&json, v, pool), "3.2 writes every leaf");
    is_str(json, all, "3.2 as it was");
}

static void words(void)
{
    int a, wrong = 0;

    for (a = BRSKI_ASSERTION_VERIFIED; a <= BRSKI_ASSERTION_AGENT_PROXIMITY; a++) {
        wrong += (int)brski_assertion_parse(brski_assertion_text((brski_assertion_t)a)) != a;
    }
    is_int(wrong, 0, "8366-5.3 assertions there and back");
    is_str(brski_assertion_text(BRSKI_ASSERTION_AGENT_PROXIMITY), "agent-proximity",
           "8366-5.3 agent-proximity is known");
    ok(!brski_assertion_text(BRSKI_ASSERTION_NONE) && !brski_assertion_text((brski_assertion_t)9)
       && !brski_assertion_text((brski_assertion_t)-1), "8366-5.3 no word for none");
    ok(!brski_assertion_parse(NULL) && !brski_assertion_parse("") && !brski_assertion_parse("x"),
       "8366-5.3 no assertion of another word");
}

/* RFC 8995 appendix C.2, with its certificates and signatures around the JSON. */
static void appendix_c(apr_pool_t *pool)
{
    static const struct {
        const char *file;
        brski_voucher_kind_t kind;
    } vectors[] = {
        { "cms-rfc8995-appC/pvr.der", BRSKI_VOUCHER_REQUEST },
        { "cms-rfc8995-appC/rvr.der", BRSKI_VOUCHER_REQUEST },
        { "cms-rfc8995-appC/voucher.der", BRSKI_VOUCHER },
    };
    brski_signed_t *s[3], *prior;
    const char *path;
    size_t i;

    for (i = 0; i < 3; i++) {
        path = unit_vector(vectors[i].file, pool);
        if (!path) {
            skip(9 - (int)i, "BRSKI_VECTORS names no vectors");
            return;
        }
        is_ok(brski_signed_open(&s[i], unit_file(path, pool), BRSKI_FORMAT_CMS, vectors[i].kind,
                                &brski_limits_default, NULL, pool),
              "C.2 opens %s", vectors[i].file);
        if (!s[i]) {
            return;
        }
    }
    is_str(s[0]->voucher->serial_number, "00-D0-E5-F2-00-02", "C.2.1 serial-number");
    is_int(s[0]->voucher->created_on, unit_time("2021-04-13T21:43:23.747Z"), "C.2.1 created-on");
    is_ok(brski_signed_open(&prior, s[1]->voucher->prior_signed_voucher_request, BRSKI_FORMAT_CMS,
                            BRSKI_VOUCHER_REQUEST, &brski_limits_default, NULL, pool),
          "C.2.2 opens the pledge's request inside the registrar's");
    ok(prior && brski_bytes_equal(prior->raw, s[0]->raw), "C.2.2 it is that of C.2.1");
    is_str(s[2]->voucher->nonce, s[0]->voucher->nonce, "C.2.3 the voucher has its nonce");
    ok(brski_bytes_equal(s[2]->voucher->pinned_domain_cert,
                         s[0]->voucher->proximity_registrar_cert),
       "C.2.3 the voucher pins the certificate that the pledge saw");
}

static void other_formats(apr_pool_t *pool)
{
    brski_signed_t *s;

    is_err(brski_signed_open(&s, brski_bytes_str("{}"), BRSKI_FORMAT_JWS, BRSKI_VOUCHER_REQUEST,
                             &brski_limits_default, NULL, pool), MEDIA_TYPE,
           "5.6 JWS is not opened yet");
    is_err(brski_signed_open(&s, brski_bytes_str("{}"), BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                             &brski_limits_default, NULL, pool), CMS,
           "8366-5.4 JSON alone is no CMS");
    ok(s == NULL, "8366-5.4 and nothing comes of it");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    rfc8366(pool);
    rfc8995(pool);
    tolerated(pool);
    many_unknown(pool);
    refusals(pool);
    limits(pool);
    writing(pool);
    there_and_back(pool);
    words();
    appendix_c(pool);
    other_formats(pool);
    return done_testing();
}
