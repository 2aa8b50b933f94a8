/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_csrattrs_test.c: CSR attributes octet by octet, read again, and those of the RFCs
 * and of other people.
 */
#include "brski_profile.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der_values.h"
#include "testcsr.h"
#include "unit.h"

/* RFC 8951 section 4, and RFC 7030 4.5.2 before it. */
#define RFC8951                                                                                    \
    "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="

#define CHALLENGE "06092a864886f70d010907"
#define EC_P256 "301506072a8648ce3d0201310a06082a8648ce3d030107"
#define SAN_REQUEST "301f06092a864886f70d01090e31123010300e0603551d11040730058203612e62"
#define TEMPLATE_OID "060b2a864886f70d010910023d"

static apr_pool_t *pool;
static const brski_requester_t device = { .manufacturer = "acme", .serial_number = "J-1" };

static apr_array_header_t *list(const char *a)
{
    apr_array_header_t *words = apr_array_make(pool, 1, sizeof(const char *));

    if (a) {
        APR_ARRAY_PUSH(words, const char *) = a;
    }
    return words;
}

static brski_profile_t usual(void)
{
    brski_profile_t p = brski_profile_default;

    p.subject = "CN=%{serial}";
    p.key_types = list("p256");
    p.eku = list(NULL);
    return p;
}

static brski_bytes_t make(brski_profile_t p, const brski_requester_t *r, brski_pop_t pop)
{
    brski_bytes_t der;

    is_ok(brski_csrattrs_make(&der, &p, r, pop, pool, pool), "7030-4.5.2 CSR attributes are made");
    return der;
}

static brski_csrattrs_t *parse(brski_bytes_t der)
{
    brski_csrattrs_t *attrs;

    is_ok(brski_csrattrs_parse(&attrs, der, &brski_limits_default, pool),
          "7030-4.5.2 CSR attributes are read");
    if (!attrs) {
        bail_out("no CSR attributes");
    }
    return attrs;
}

/* Everything fixed: old style and template side by side. */
static void test_octets(void)
{
    brski_profile_t p = usual();

    p.san = list("DNS:a.b");
    is_str(brski_hex(make(p, &device, BRSKI_POP_REQUIRED), pool),
           "3081ad" CHALLENGE EC_P256 SAN_REQUEST "06082a8648ce3d040302"
           "305e" TEMPLATE_OID "314f304d020100"
           "300e310c300a06035504030c034a2d31"
           "a015301306072a8648ce3d020106082a8648ce3d030107"
           "a121" SAN_REQUEST,
           "9908-3.4 the old style, and the template beside it");
}

/* The order and the octets of RFC 8951's example, as far as a profile can say what it says. */
static void test_old_style(void)
{
    brski_profile_t p = usual();
    brski_bytes_t der, example;
    brski_der_t in, ours, theirs;
    brski_der_tlv_t a, b;
    int i;

    brski_base64_decode(&example, RFC8951, pool);
    p.key_types = list("p384");
    p.san = list("DNS:a.b");
    der = make(p, &device, BRSKI_POP_REQUIRED);
    in = brski_der(der);
    brski_der_enter(&ours, &in, BRSKI_DER_SEQUENCE);
    in = brski_der(example);
    brski_der_enter(&theirs, &in, BRSKI_DER_SEQUENCE);
    for (i = 0; i < 4; i++) {
        brski_der_next(&a, &ours);
        brski_der_next(&b, &theirs);
        if (i == 2) {
            is_mem(a.value.data, 11, b.value.data, 11, "8951-3.5 an extensionRequest");
            continue;
        }
        is_mem(a.whole.data, a.whole.len, b.whole.data, b.whole.len,
               "8951-3.5 item %d of the example", i);
    }
}

static void test_key_types(void)
{
    static const char *const types[] = { "p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519" };
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        brski_profile_t p = usual();

        p.key_types = list(types[i]);
        is_str(parse(make(p, &device, BRSKI_POP_OFF))->key_type, types[i],
               "9908-3.4 the key type %s is told", types[i]);
    }
}

static void test_there_and_back(void)
{
    brski_profile_t p = brski_profile_default;
    brski_csrattrs_t *attrs;
    brski_csr_extension_t *e;

    p.subject = "CN=%{serial},O=Example";
    p.san = list("DNS:%{serial}.ex.com");
    attrs = parse(make(p, &device, BRSKI_POP_REQUIRED));
    is_int(attrs->challenge_password, 1, "7030-3.5 a challengePassword is wanted");
    is_str(brski_csr_name_text(attrs->subject, pool), "CN=J-1,O=Example",
           "8995-5.9.2 the subject that the device gets");
    is_str(brski_hex(attrs->san, pool), "300c820a6a2d312e65782e636f6d",
           "8995-5.9.2 and its alternative name");
    is_int(attrs->extensions->nelts, 2, "8995-5.9.2 with its purposes");
    e = APR_ARRAY_IDX(attrs->extensions, 1, brski_csr_extension_t *);
    is_str(e->oid, "2.5.29.37", "8995-5.9.2 EKU");
    is_str(brski_hex(e->value, pool), "300a06082b06010505070302", "8995-5.9.2 clientAuth");
    is_int(parse(make(p, &device, BRSKI_POP_OPTIONAL))->challenge_password, 0,
           "7030-3.5 which is not asked for where it is optional");
}

/* What the client chooses, or what nobody is known for, only the template can leave open. */
static void test_open(void)
{
    brski_profile_t p = usual();
    brski_csrattrs_t *attrs;
    brski_bytes_t der;

    p.san = list("csr-dns:*.ex.com");
    der = make(p, &device, BRSKI_POP_OFF);
    attrs = parse(der);
    is_int(attrs->extensions->nelts, 1, "9908-3.4 SAN is asked for");
    is_int(attrs->san.len, 0, "9908-3.4 without a value");
    ok(!strstr(brski_hex(der, pool), "06092a864886f70d01090e"),
       "9908-3.4 not in the old style, which could not say so");
    has_str(brski_hex(der, pool), "060b2a864886f70d010910023e",
            "9908-3.4 but as extensionReqTemplate");
    p.san = list("DNS:%{serial}.ex.com");
    attrs = parse(make(p, NULL, BRSKI_POP_OFF));
    is_int(attrs->subject.len, 0, "7030-4.5 nobody is told a subject");
    is_int(attrs->san.len, 0, "7030-4.5 nor a name");
    p.subject = "csr";
    p.san = list(NULL);
    attrs = parse(make(p, &device, BRSKI_POP_OFF));
    is_int(attrs->subject.len, 0, "9908-3.4 a subject of the client's own is left out");
    is_int(attrs->extensions->nelts, 0, "9908-3.4 no extension is asked for");
}

/* A serial number that cannot stand in a name is refused when the CSR comes, not here. */
static void test_unfit(void)
{
    static const brski_requester_t odd = { .manufacturer = "acme", .serial_number = "a b\n" };
    brski_profile_t p = usual();

    p.san = list("DNS:%{serial}.ex.com");
    is_int(parse(make(p, &odd, BRSKI_POP_OFF))->san.len, 0,
           "7030-4.5.2 no name is told that cannot be");
}

/* What a client makes of what it was told is what the profile grants. */
static void test_obedient(void)
{
    brski_profile_t p = brski_profile_default;
    EVP_PKEY *key = testcsr_key("p256", pool);
    brski_template_t *t;
    brski_csrattrs_t *attrs;
    brski_bytes_t asked = NO_OCTETS;
    int i;

    p.subject = "CN=%{serial},O=Example";
    p.san = list("otherName:1.3.6.1.5.5.7.8.10;IA5:fd89b714f3db0000020000006400000+%{serial}@x.y");
    attrs = parse(make(p, &device, BRSKI_POP_OFF));
    for (i = 0; i < attrs->extensions->nelts; i++) {
        brski_csr_extension_t *e = APR_ARRAY_IDX(attrs->extensions, i, brski_csr_extension_t *);

        asked = testcsr_join(asked, testcsr_ext_der(e->oid, e->critical, e->value, pool), pool);
    }
    is_ok(brski_profile_apply(
              &t, &p, &device,
              testcsr_parsed(testcsr_make(key, attrs->subject,
                                          testcsr_ext_request(asked, NO_OCTETS, pool), pool),
                             pool),
              unit_time("2026-01-01T00:00:00Z"), pool, pool),
          "8995-5.9.2 who asks for what it was told gets it");
}

/* ---- other people's ---- */

static const char *unknown(const brski_csrattrs_t *attrs)
{
    return apr_array_pstrcat(pool, attrs->unknown, ' ');
}

static void test_example(void)
{
    brski_bytes_t der;
    brski_csrattrs_t *attrs;

    brski_base64_decode(&der, RFC8951, pool);
    attrs = parse(der);
    is_int(attrs->challenge_password, 1, "8951-4 challengePassword");
    is_str(attrs->key_type, "p384", "8951-4 the curve");
    is_str(unknown(attrs), "1.3.6.1.1.1.1.22 1.2.840.10045.4.3.3",
           "8951-4 a bare identifier in an extensionRequest is passed over");
    is_int(attrs->extensions->nelts, 0, "8951-4 and is no extension");
}

static void test_malformed(void)
{
    static const char *const bad[] = {
        "", /* nothing */
        "3000"
        "00",       /* more behind it */
        "0500",     /* no sequence */
        "30020500", /* an item that is neither */
        "30043002"
        "3000",               /* an attribute without a type */
        "3007300506032a0304", /* without values */
        "300b300906032a03043100"
        "0500", /* with more behind the values */
        "3080", /* an indefinite length */
        "301430120"
        "6092a864886f70d01090e31050403010203", /* an extensionRequest of octets */
    };
    brski_limits_t small = brski_limits_default;
    brski_csrattrs_t *attrs;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        brski_bytes_t der;

        if (brski_hex_decode(&der, bad[i], pool)) {
            bail_out("hex %d", (int)i);
        }
        is_err(brski_csrattrs_parse(&attrs, der, &brski_limits_default, pool), INPUT,
               "7030-4.5.2 refuses malformed CSR attributes %d", (int)i);
    }
    small.body = 1;
    is_err(brski_csrattrs_parse(&attrs, testcsr_name("", pool), &small, pool), INPUT,
           "7030-4.5.2 refuses CSR attributes beyond the limit");
    is_int(parse(testcsr_name("", pool))->extensions->nelts, 0, "7030-4.5.2 takes no wishes");
}

static void test_truncated(void)
{
    brski_profile_t p = brski_profile_default;
    brski_csrattrs_t *attrs;
    brski_bytes_t der;
    apr_size_t len, passed = 0, i;
    unsigned char *copy;

    p.san = list("DNS:a.b");
    der = make(p, &device, BRSKI_POP_REQUIRED);
    for (len = 0; len < der.len; len++) {
        passed +=
            !brski_csrattrs_parse(&attrs, brski_bytes(der.data, len), &brski_limits_default, pool);
    }
    is_int(passed, 0, "7030-4.5.2 refuses them cut off at any octet");
    copy = (unsigned char *)brski_bytes_dup(der, pool).data;
    for (i = 0; i < 8 * der.len; i++) {
        copy[i / 8] ^= (unsigned char)(1 << i % 8);
        brski_csrattrs_parse(&attrs, brski_bytes(copy, der.len), &brski_limits_default, pool);
        copy[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    pass("7030-4.5.2 and survives any flipped bit");
}

static void test_vectors(void)
{
    static const struct {
        const char *file;
        int challenge;
        const char *key_type, *unknown;
        apr_size_t san_len;
    } good[] = {
        { "est-csrattrs/harkins01.der", 1, "rsa4096", "1.2.840.113549.1.1.11", 0 },
        { "est-csrattrs/harkins02.der", 1, "p384", "2.5.4.5 1.2.840.10045.4.3.3", 0 },
        { "est-csrattrs/rfc7030-example01.der", 1, "p384", "1.3.6.1.1.1.1.22 1.2.840.10045.4.3.3",
          0 },
        { "est-csrattrs/realistic-acp.der", 0, NULL, "", 75 },
        { "est-rfc7030-cacerts-csrattrs/csrattrs-rfc8951.der", 1, "p384",
          "1.3.6.1.1.1.1.22 1.2.840.10045.4.3.3", 0 },
        { "est-rfc7030-cacerts-csrattrs/csrattrs-a2.der", 1, NULL,
          "1.3.6.1.1.1.1.22 2.999.1 2.999.2 1.3.36.3.3.2.8.1.1.11 2.16.840.1.101.3.4.2.2", 0 },
    };
    const char *path = unit_vector("est-csrattrs/legacy-rfcself.der", pool);
    brski_csrattrs_t *attrs;
    size_t i;

    if (!path) {
        skip(1, "BRSKI_VECTORS does not name the vectors");
        return;
    }
    is_err(brski_csrattrs_parse(&attrs, unit_file(path, pool), &brski_limits_default, pool), INPUT,
           "7030-4.5.2 refuses the old Minerva's, which has an octet too many");
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        note("%s", good[i].file);
        attrs = parse(unit_file(unit_vector(good[i].file, pool), pool));
        is_int(attrs->challenge_password, good[i].challenge, "7030-4.5.2 its challengePassword");
        is_str(attrs->key_type, good[i].key_type, "7030-4.5.2 its key type");
        is_str(unknown(attrs), good[i].unknown, "7030-4.5.2 what is passed over");
        is_int(attrs->san.len, good[i].san_len, "8994-6.2.2 its SAN");
    }
}

int main(void)
{
    pool = unit_start();
    test_octets();
    test_old_style();
    test_key_types();
    test_there_and_back();
    test_open();
    test_unfit();
    test_obedient();
    test_example();
    test_malformed();
    test_truncated();
    test_vectors();
    return done_testing();
}
