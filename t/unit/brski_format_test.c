/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_format_test.c: Content-Type and Accept: which format a request has, which one its voucher
 * gets, and which fields are refused.
 */
#include "brski_voucher.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#include "unit.h"

#define CMS BRSKI_FORMAT_CMS
#define JWS BRSKI_FORMAT_JWS
#define COSE BRSKI_FORMAT_COSE
#define NONE BRSKI_FORMAT_NONE

static apr_array_header_t *formats(apr_pool_t *pool, ...)
{
    apr_array_header_t *list = apr_array_make(pool, 3, sizeof(brski_format_t));
    va_list args;
    int f;

    va_start(args, pool);
    while ((f = va_arg(args, int)) != NONE) {
        APR_ARRAY_PUSH(list, brski_format_t) = (brski_format_t)f;
    }
    va_end(args);
    return list;
}

static void content_types(apr_pool_t *pool)
{
    static const char *const cms[] = {
        "application/voucher-cms+json", "Application/Voucher-CMS+JSON",
        " application/voucher-cms+json ", "application/voucher-cms+json; charset=utf-8",
        "application/voucher-cms+json;", "application/voucher-cms+json ; x=\"a;b\"",
        "application/pkcs7-mime", "application/pkcs7-mime; smime-type=voucher-request",
        "application/pkcs7-mime; smime-type=voucher",
    };
    static const char *const other[] = {
        "", " ", "application", "application/", "/voucher-cms+json", "application/json",
        "text/plain", "application/voucher-cms", "application/voucher-cms+json2",
        "application/voucher-cms+json, application/voucher-cms+json",
        "application/voucher-cms+json application/x", "application /voucher-cms+json",
        "application/ voucher-cms+json", "*/*", "text/voucher-cms+json", "\xff\n",
        "application/x-www-form-urlencoded",
    };
    brski_format_t f;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(cms) / sizeof(cms[0]); i++) {
        is_ok(brski_format_from_content_type(&f, cms[i], pool), "5.6 reads '%s'", cms[i]);
        is_int(f, CMS, "5.6 '%s' is CMS", cms[i]);
    }
    for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        err = brski_format_from_content_type(&f, other[i], pool);
        is_err(err, MEDIA_TYPE, "5.6 refuses Content-Type %d", (int)i);
        is_int(err ? err->status : 0, 415, "5.6 with 415");
        is_int(f, NONE, "5.6 and gives no format");
    }
    err = brski_format_from_content_type(&f, NULL, pool);
    is_err(err, MEDIA_TYPE, "5.6 refuses a missing Content-Type");
    has_str(err->public_text, "no Content-Type; send application/voucher-cms+json",
            "5.6 says what to send");
    err = brski_format_from_content_type(&f, "application/voucher-jws+json", pool);
    is_err(err, MEDIA_TYPE, "5.6 refuses JWS");
    has_str(err->public_text, "does not read application/voucher-jws+json yet", "5.6 says so");
    err = brski_format_from_content_type(&f, "application/voucher-cose+cbor", pool);
    has_str(err->public_text, "does not read application/voucher+cose yet",
            "5.6 says so of COSE under its old name");
}

/* The product offers CMS first and JWS; the request came as CMS unless said. */
static const struct {
    const char *accept;
    brski_format_t request, want;
} fine[] = {
    { NULL, CMS, CMS },
    { NULL, JWS, JWS },
    { NULL, COSE, CMS },
    { "", JWS, JWS },
    { " , ,", CMS, CMS },
    { "*/*", CMS, CMS },
    { "*/*", JWS, JWS },
    { "*/*", COSE, CMS },
    { "application/*", JWS, JWS },
    { "application/voucher-cms+json", JWS, CMS },
    { "APPLICATION/VOUCHER-CMS+JSON", JWS, CMS },
    { "application/voucher-jws+json", CMS, JWS },
    { "application/pkcs7-mime", JWS, CMS },
    { "application/pkcs7-mime;smime-type=voucher", JWS, CMS },
    { "application/voucher+cose, application/voucher-jws+json", CMS, JWS },
    { "application/voucher-cms+json, application/voucher-jws+json", JWS, JWS },
    { "application/voucher-cms+json;q=0.5, application/voucher-jws+json;q=0.6", CMS, JWS },
    { "application/voucher-cms+json;q=0.6, application/voucher-jws+json;q=0.5", JWS, CMS },
    { "application/voucher-cms+json;q=0, */*", CMS, JWS },
    { "*/*, application/voucher-cms+json;q=0", CMS, JWS },
    { "application/*;q=0, application/voucher-cms+json;q=0.001", JWS, CMS },
    { "*/*;q=0.1, application/*;q=0.2, application/voucher-jws+json;q=0.1", JWS, CMS },
    { "*/*;q=0.9, application/voucher-jws+json;q=0.8", JWS, CMS },
    { "text/html, */*;q=0.1", CMS, CMS },
    { "application/voucher-jws+json;q=1.000", CMS, JWS },
    { "application/voucher-jws+json;q=1.", CMS, JWS },
    { "application/voucher-jws+json;Q=0.5", CMS, JWS },
    { "application/voucher-jws+json ; x=\"a,\\\"b;q=0\" ; q=0.5", CMS, JWS },
    { "application/voucher-jws+json;q=0.5;ext;level=\"1\"", CMS, JWS },
    { "application/voucher-jws+json;;q=0.5;", CMS, JWS },
    { "\tapplication/voucher-jws+json\t,\t", CMS, JWS },
    { "application/pkcs7-mime;q=0.2, application/voucher-cms+json;q=0.4, "
      "application/voucher-jws+json;q=0.3", JWS, CMS },
};

static const char *const impossible[] = {
    "application/voucher+cose", "text/plain", "text/*", "application/json",
    "application/voucher-cms+json;q=0", "*/*;q=0", "*/*;q=0.000",
    "application/*;q=0, text/plain",
    "application/voucher-cms+json;q=0, application/voucher-jws+json;q=0, */*",
};

static const char *const broken[] = {
    "cms", "application", "application/", "/x", "*", "*/json",
    "application/voucher-cms+json text/html",
    "application/voucher-cms+json;q", "application/voucher-cms+json;q=", "a/b;q=2", "a/b;q=1.5",
    "a/b;q=1.001", "a/b;q=0.0001", "a/b;q=-1", "a/b;q=.5", "a/b;q=x", "a/b;q=\"1\"", "a/b;q =1",
    "a/b;x", "a/b;x=", "a/b;x=\"", "a/b;x=\"\\", "a/b;x=\"a\nb\"", "a/b;=1", "a /b", "a/b/c",
    "a/b;q=0.5 0.6", "<a/b>", "a/b, \x01", "\xc3\xa4/b",
};

static void negotiation(apr_pool_t *pool)
{
    apr_array_header_t *offered = formats(pool, CMS, JWS, NONE);
    const char *accept;
    brski_format_t f;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        accept = fine[i].accept ? fine[i].accept : "no Accept";
        is_ok(brski_format_negotiate(&f, fine[i].accept, fine[i].request, offered, pool),
              "5.6 understands '%s'", accept);
        is_int(f, fine[i].want, "5.6 answers a request in %s, '%s', in %s",
               brski_format_text(fine[i].request), accept, brski_format_text(fine[i].want));
    }
    for (i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
        err = brski_format_negotiate(&f, impossible[i], CMS, offered, pool);
        is_err(err, NOT_ACCEPTABLE, "5.6 cannot serve '%s'", impossible[i]);
        is_int(err ? err->status : 0, 406, "5.6 with 406");
    }
    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        err = brski_format_negotiate(&f, broken[i], CMS, offered, pool);
        is_err(err, ACCEPT, "5.6 does not understand '%s'", broken[i]);
        is_int(err ? err->status : 0, 415, "5.6 with 415");
        is_int(f, NONE, "5.6 and chooses nothing");
    }
}

static void devices(apr_pool_t *pool)
{
    brski_format_t f;
    brski_err_t *err;

    is_ok(brski_format_negotiate(&f, NULL, CMS, formats(pool, JWS, CMS, NONE), pool),
          "5.6 a device that prefers JWS");
    is_int(f, CMS, "5.6 gets the format of the request, when it understands it");
    is_ok(brski_format_negotiate(&f, "*/*", CMS, formats(pool, JWS, COSE, NONE), pool),
          "5.6 a device that knows no CMS");
    is_int(f, JWS, "5.6 gets its first format");
    err = brski_format_negotiate(&f, "application/voucher-cms+json", CMS,
                                 formats(pool, JWS, COSE, NONE), pool);
    is_err(err, NOT_ACCEPTABLE, "5.6 and no CMS");
    is_str(err->public_text, "This device understands vouchers of type "
           "application/voucher-jws+json or application/voucher+cose, which the Accept header "
           "field does not allow.", "5.6 says what it understands");
    is_err(brski_format_negotiate(&f, NULL, CMS, formats(pool, NONE), pool), NOT_ACCEPTABLE,
           "5.6 a device that understands nothing");
}

static void names(void)
{
    is_str(brski_format_text(CMS), "cms", "8 the name of CMS");
    is_str(brski_format_text(COSE), "cose", "8 the name of COSE");
    is_str(brski_format_media_type(JWS), "application/voucher-jws+json", "8 the media type of JWS");
    is_str(brski_format_media_type(COSE), "application/voucher+cose", "8 the media type of COSE");
    ok(!brski_format_text(NONE) && !brski_format_media_type(NONE)
       && !brski_format_text((brski_format_t)4) && !brski_format_media_type((brski_format_t)-1),
       "8 no name for none");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    content_types(pool);
    negotiation(pool);
    devices(pool);
    names();
    return done_testing();
}
