/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr_test.c: EST bodies in every wrapping, certification requests good and hostile, the keys
 * that are certified, and the binding to a connection.
 */
#include "brski_csr.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der_values.h"
#include "testcsr.h"
#include "testpki.h"
#include "unit.h"

#define SAN "2.5.29.17"
#define EXTENSION_REQUEST "1.2.840.113549.1.9.14"

static apr_pool_t *pool;
static EVP_PKEY *key;

static brski_err_t *parse(brski_csr_t **csr, brski_bytes_t der)
{
    return brski_csr_parse(csr, der, &brski_limits_default, pool, pool);
}

static brski_err_t *parse_only(brski_bytes_t der)
{
    brski_csr_t *csr;

    return parse(&csr, der);
}

static brski_bytes_t with(brski_bytes_t attributes)
{
    return testcsr_make(key, testcsr_name("CN=device", pool), attributes, pool);
}

/* ---- bodies ---- */

static brski_err_t *decode(brski_bytes_t *der, const char *text)
{
    return brski_est_body_decode(der, brski_bytes_str(text), &brski_limits_default, pool);
}

static void is_decoded(const char *text, brski_bytes_t want, const char *label)
{
    brski_bytes_t der;

    is_ok(decode(&der, text), "%s", label);
    is_mem(der.data, der.len, want.data, want.len, "7030-4.2.1 and its octets are those");
}

static void test_bodies(void)
{
    brski_bytes_t csr = with(NO_OCTETS), der;
    char *text = brski_base64_encode(csr, pool);
    const char *one = apr_pstrmemdup(pool, text, 20), *two = text + 20;

    is_decoded(text, csr, "7030-4.2.1 takes base64 in one line");
    is_decoded(apr_pstrcat(pool, one, "\r\n", two, "\r\n", NULL), csr,
               "8951-3.1 takes base64 in many lines");
    is_decoded(apr_pstrcat(pool, " \t", one, " ", two, "\t\n", NULL), csr,
               "8951-3.1 takes blanks and tabs between");
    is_decoded(apr_pstrcat(pool, "-----BEGIN CERTIFICATE REQUEST-----\n", one, "\n", two,
                           "\n-----END CERTIFICATE REQUEST-----\n", NULL),
               csr, "7030-4.2.1 takes PEM, which clients send");
    is_decoded(apr_pstrcat(pool, "Certificate Request:\n  Data:\n",
                           "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n", text,
                           "\r\n-----END NEW CERTIFICATE REQUEST-----", NULL),
               csr, "7030-4.2.1 takes PEM with text in front, and its older name");
    is_ok(brski_est_body_decode(&der, csr, &brski_limits_default, pool),
          "7030-4.2.1 takes plain DER, which clients send");
    is_mem(der.data, der.len, csr.data, csr.len, "7030-4.2.1 as it is");
}

static void test_bad_bodies(void)
{
    static const char *const bad[][2] = {
        { "", "it is empty" },
        { " \r\n\t ", "it is empty" },
        { "====", "it is neither base64 nor DER" },
        { "MIIB!", "it is neither base64 nor DER" },
        { "M", "it is neither base64 nor DER" },
        { "AA=A", "it is neither base64 nor DER" },
        { "{\"csr\": 1}", "it is neither base64 nor DER" },
        { "-----BEGIN CERTIFICATE REQUEST", "its PEM armour is not complete" },
        { "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n", "its PEM armour is not complete" },
        { "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE-----\n",
          "its PEM armour is not complete" },
        { "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST",
          "its PEM armour is not complete" },
        { "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\nmore",
          "more follows its PEM armour" },
        { "-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4\n-----END CERTIFICATE REQUEST-----\n",
          "its PEM armour does not hold base64" },
        { "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
          "its PEM armour holds something else" },
        { "-----BEGIN -----\nMIIB\n-----END -----\n", "its PEM armour holds something else" },
    };
    brski_limits_t small = brski_limits_default;
    brski_bytes_t der;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = decode(&der, bad[i][0]);
        is_err(err, EST_BODY, "7030-4.2.1 refuses body %d", (int)i);
        has_str(err ? err->public_text : "", bad[i][1], "7030-4.2.1 and says why");
        is_int(der.len, 0, "7030-4.2.1 and nothing is read of it");
    }
    small.body = 4;
    is_ok(brski_est_body_decode(&der, brski_bytes_str("MIIB"), &small, pool),
          "7030-4.2.1 takes a body as large as the limit");
    is_err(brski_est_body_decode(&der, brski_bytes_str("MIIBM"), &small, pool), LIMIT,
           "7030-4.2.1 refuses a larger one");
}

/* ---- requests ---- */

static void test_good_keys(void)
{
    static const char *const kinds[] = { "p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519" };
    brski_csr_t *csr;
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        EVP_PKEY *k = testcsr_key(kinds[i], pool);
        brski_bytes_t spki = testcsr_spki(k, pool);

        is_ok(parse(&csr, testcsr_make(k, testcsr_name("CN=x", pool), NO_OCTETS, pool)),
              "7030-4.2.1 takes a request with a key %s", kinds[i]);
        if (csr) {
            is_int(EVP_PKEY_eq(csr->key, k), 1, "7030-4.2.1 and the key is that key");
            is_str(csr->spki_hex, brski_sha256_hex(spki, pool), "7030-4.2.1 and named by its hash");
        }
    }
}

static void test_pieces(void)
{
    brski_bytes_t san = testcsr_ext("subjectAltName", "critical,DNS:a.example", pool);
    brski_bytes_t eku = testcsr_ext("extendedKeyUsage", "clientAuth", pool);
    brski_bytes_t attributes =
        testcsr_join(testcsr_ext_request(san, eku, pool),
                     testcsr_join(testcsr_challenge(BRSKI_DER_UTF8_STRING, "secret", pool),
                                  testcsr_attr("1.2.3.4", testcsr_name("", pool), pool), pool),
                     pool);
    brski_csr_t *csr = testcsr_parsed(
        testcsr_make(key, testcsr_name("CN=a\\,b,O=\\\"x", pool), attributes, pool), pool);
    brski_csr_extension_t *e = APR_ARRAY_IDX(csr->extensions, 0, brski_csr_extension_t *);

    is_str(csr->subject_text, "CN=a\\,b,O=\\\"x", "7030-4.2.1 the subject's text");
    is_int(csr->extensions->nelts, 2, "7030-4.2.1 two extensions are asked for");
    is_str(e->oid, SAN, "7030-4.2.1 the first is SAN");
    is_int(e->critical, 1, "7030-4.2.1 and critical");
    is_int(csr->san.len, 13, "7030-4.2.1 its value is found");
    is_str(csr->challenge_password, "secret", "7030-3.5 the challengePassword is found");
    is_int(csr->other->nelts, 1, "7030-4.2.1 another attribute is only named");
    is_str(APR_ARRAY_IDX(csr->other, 0, const char *), "1.2.3.4", "7030-4.2.1 by its type");

    csr = testcsr_parsed(testcsr_make(key, testcsr_name("", pool), NO_OCTETS, pool), pool);
    is_str(csr->subject_text, "", "7030-4.2.1 an empty subject is none");
    ok(!csr->challenge_password && !csr->san.len && !csr->change_subject.len,
       "7030-4.2.1 what is not there is not there");
}

static void test_challenges(void)
{
    static const struct {
        int tag;
        const char *text;
        apr_size_t len;
        const char *want;
    } tries[] = {
        { BRSKI_DER_UTF8_STRING, "abc", 3, "abc" },
        { BRSKI_DER_PRINTABLE_STRING, "abc", 3, "abc" },
        { BRSKI_DER_TELETEX_STRING, "abc", 3, "abc" },
        { BRSKI_DER_IA5_STRING, "abc", 3, "abc" },
        { BRSKI_DER_BMP_STRING, "\0a\0b", 4, "ab" },
        { BRSKI_DER_UNIVERSAL_STRING, "\0\0\0a\0\0\0b", 8, "ab" },
        { BRSKI_DER_BMP_STRING, "\0a\0", 3, NULL },
        { BRSKI_DER_BMP_STRING, "\1a\0b", 4, NULL },
        { BRSKI_DER_UTF8_STRING, "a\0b", 3, NULL },
        { BRSKI_DER_UTF8_STRING, "", 0, NULL },
        { BRSKI_DER_INTEGER, "abc", 3, NULL },
    };
    char long_text[257];
    brski_csr_t *csr;
    size_t i;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        brski_bytes_t value =
            brski_der_wrap(tries[i].tag, brski_bytes(tries[i].text, tries[i].len), pool);
        brski_err_t *err = parse(&csr, with(testcsr_attr("1.2.840.113549.1.9.7", value, pool)));

        if (tries[i].want) {
            is_ok(err, "7030-3.5 takes a challengePassword of tag %d", tries[i].tag);
            is_str(csr ? csr->challenge_password : NULL, tries[i].want, "7030-3.5 and reads it");
        }
        else {
            is_err(err, CSR, "7030-3.5 refuses challengePassword %d", (int)i);
        }
    }
    memset(long_text, 'a', sizeof(long_text));
    long_text[255] = '\0';
    is_ok(parse_only(with(testcsr_challenge(BRSKI_DER_UTF8_STRING, long_text, pool))),
          "7030-3.5 takes 255 characters");
    long_text[255] = 'a';
    long_text[256] = '\0';
    is_err(parse_only(with(testcsr_challenge(BRSKI_DER_UTF8_STRING, long_text, pool))), CSR,
           "7030-3.5 refuses 256");
}

static void refuses(brski_bytes_t attributes, const char *why, const char *label)
{
    brski_err_t *err = parse_only(with(attributes));

    is_err(err, CSR, "%s", label);
    has_str(err ? err->public_text : "", why, "7030-4.2.1 and says why");
}

static void test_repetitions(void)
{
    brski_bytes_t san = testcsr_ext("subjectAltName", "DNS:a.example", pool);
    brski_bytes_t request = testcsr_ext_request(san, NO_OCTETS, pool);
    brski_bytes_t challenge = testcsr_challenge(BRSKI_DER_UTF8_STRING, "a", pool);
    brski_bytes_t extensions = brski_der_wrap(BRSKI_DER_SEQUENCE, san, pool);
    brski_bytes_t microsoft = testcsr_attr("1.3.6.1.4.1.311.2.1.14", extensions, pool);
    brski_bytes_t other = testcsr_attr("1.2.3", challenge, pool);

    refuses(testcsr_join(request, request, pool), "has the attribute 1.2.840.113549.1.9.14 twice",
            "7030-4.2.1 refuses two requests for extensions");
    refuses(testcsr_join(request, microsoft, pool), "has two requests for extensions",
            "7030-4.2.1 refuses two requests for extensions under two names");
    refuses(testcsr_ext_request(san, san, pool), "asks for the extension 2.5.29.17 twice",
            "7030-4.2.1 refuses an extension asked for twice");
    refuses(testcsr_join(challenge, challenge, pool), "twice",
            "7030-3.5 refuses two challengePasswords");
    refuses(testcsr_join(other, other, pool), "has the attribute 1.2.3 twice",
            "7030-4.2.1 refuses an attribute twice");
    refuses(testcsr_attr(EXTENSION_REQUEST, testcsr_join(extensions, extensions, pool), pool),
            "with two values", "7030-4.2.1 refuses a request for extensions with two values");
    refuses(testcsr_attr(EXTENSION_REQUEST, NO_OCTETS, pool), "ends early",
            "7030-4.2.1 refuses a request for extensions without a value");
    refuses(testcsr_attr(EXTENSION_REQUEST, brski_der_wrap(4, san, pool), pool), "that is none",
            "7030-4.2.1 refuses a request for extensions of another kind");
    is_ok(parse_only(with(microsoft)), "7030-4.2.1 takes Microsoft's request for extensions");
}

static void test_broken_extensions(void)
{
    static const unsigned char half[] = { 1, 1, 0x7F }, false_value[] = { 1, 1, 0 };
    brski_bytes_t oid = brski_der_oid("2.5.29.15", pool), value = brski_der_wrap(4, oid, pool);
    brski_bytes_t bad = brski_der_wrap(
        BRSKI_DER_SEQUENCE,
        testcsr_join(oid, testcsr_join(brski_bytes(half, 3), value, pool), pool), pool);
    brski_bytes_t explicit_false = brski_der_wrap(
        BRSKI_DER_SEQUENCE,
        testcsr_join(oid, testcsr_join(brski_bytes(false_value, 3), value, pool), pool), pool);
    brski_bytes_t more = brski_der_wrap(
        BRSKI_DER_SEQUENCE, testcsr_join(oid, testcsr_join(value, value, pool), pool), pool);

    refuses(testcsr_ext_request(bad, NO_OCTETS, pool), "criticality",
            "7030-4.2.1 refuses a BOOLEAN that is neither");
    refuses(testcsr_ext_request(more, NO_OCTETS, pool), "more than belongs there",
            "7030-4.2.1 refuses an extension with two values");
    refuses(testcsr_ext_request(brski_der_wrap(BRSKI_DER_SEQUENCE, oid, pool), NO_OCTETS, pool),
            "ends early", "7030-4.2.1 refuses an extension without a value");
    is_ok(parse_only(with(testcsr_ext_request(explicit_false, NO_OCTETS, pool))),
          "7030-4.2.1 takes a FALSE that is written out");
}

static void test_floods(void)
{
    brski_bytes_t all = NO_OCTETS, extensions = NO_OCTETS;
    int i;

    for (i = 0; i < 33; i++) {
        const char *oid = apr_psprintf(pool, "1.2.3.%d", i);

        if (i == 32) {
            is_ok(parse_only(with(all)), "7030-4.2.1 takes 32 attributes");
            is_ok(parse_only(with(testcsr_ext_request(extensions, NO_OCTETS, pool))),
                  "7030-4.2.1 takes 32 extensions");
        }
        all = testcsr_join(all, testcsr_attr(oid, brski_der_oid(oid, pool), pool), pool);
        extensions =
            testcsr_join(extensions, testcsr_ext_der(oid, 0, brski_der_oid(oid, pool), pool), pool);
    }
    refuses(all, "too many attributes", "7030-4.2.1 refuses 33 attributes");
    refuses(testcsr_ext_request(extensions, NO_OCTETS, pool), "too many extensions",
            "7030-4.2.1 refuses 33 extensions");
}

/* ---- what is no request ---- */

static brski_bytes_t made_of(int version, brski_bytes_t subject, brski_bytes_t more)
{
    unsigned char v[] = { BRSKI_DER_INTEGER, 1, 0 };
    brski_bytes_t pieces[4];

    v[2] = (unsigned char)version;
    pieces[0] = brski_bytes(v, sizeof(v));
    pieces[1] = subject;
    pieces[2] = testcsr_spki(key, pool);
    pieces[3] = more;
    return testcsr_sign(key, BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool), NO_OCTETS, NULL,
                        pool);
}

static void test_shapes(void)
{
    static const unsigned char junk[] = { 0x05, 0x00 }, no_name[] = { 0x30, 2, 0x31, 0 };
    brski_bytes_t subject = testcsr_name("CN=x", pool), csr = with(NO_OCTETS);
    testpki_spec_t spec = { .cn = "a certificate" };
    brski_err_t *err;
    char *long_cn = apr_palloc(pool, 4000);

    is_ok(parse_only(made_of(0, subject, NO_OCTETS)),
          "7030-4.2.1 takes a request that leaves empty attributes out");
    is_err(parse_only(made_of(1, subject, NO_OCTETS)), CSR, "7030-4.2.1 refuses version 2");
    is_err(parse_only(made_of(0, brski_bytes(junk, 2), NO_OCTETS)), CSR,
           "7030-4.2.1 refuses a subject that is none");
    is_err(parse_only(made_of(0, brski_bytes(no_name, 4), NO_OCTETS)), CSR,
           "7030-4.2.1 refuses a subject with an empty RDN");
    is_err(parse_only(made_of(0, subject, brski_bytes(junk, 2))), CSR,
           "7030-4.2.1 refuses what does not belong behind the key");
    is_err(parse_only(testcsr_join(csr, brski_bytes(junk, 2), pool)), CSR,
           "7030-4.2.1 refuses octets behind the request");
    is_err(parse_only(NO_OCTETS), CSR, "7030-4.2.1 refuses nothing at all");
    memset(long_cn, 'a', 3999);
    long_cn[3999] = '\0';
    err = parse_only(
        made_of(0,
                brski_der_wrap(
                    BRSKI_DER_SEQUENCE,
                    brski_der_wrap(BRSKI_DER_SET,
                                   testcsr_attr("2.5.4.3", brski_bytes_str(long_cn), pool), pool),
                    pool),
                NO_OCTETS));
    ok(err != NULL, "7030-4.2.1 refuses a subject without end");
    err = parse_only(testpki_make(&spec, NULL, pool)->cert->der);
    is_err(err, CSR, "7030-4.2.1 refuses a certificate in place of a request");
    has_str(err ? err->public_text : "", "is an X.509 certificate", "7030-4.2.1 and says so");
}

/* Every prefix is refused, and no octet behind it is looked at (the sanitizers watch). */
static void test_truncated(void)
{
    brski_bytes_t csr = with(
        testcsr_ext_request(testcsr_ext("subjectAltName", "DNS:a.example", pool), NO_OCTETS, pool));
    apr_size_t len, passed = 0;
    apr_pool_t *sub;

    apr_pool_create(&sub, pool);
    for (len = 0; len < csr.len; len++) {
        unsigned char *copy = malloc(len ? len : 1);
        brski_csr_t *parsed;

        memcpy(copy, csr.data, len);
        passed +=
            !brski_csr_parse(&parsed, brski_bytes(copy, len), &brski_limits_default, sub, sub);
        free(copy);
        apr_pool_clear(sub);
    }
    is_int(passed, 0, "7030-4.2.1 refuses a request cut off at any octet");
    apr_pool_destroy(sub);
}

static void test_flipped(void)
{
    brski_bytes_t csr = with(
        testcsr_ext_request(testcsr_ext("subjectAltName", "DNS:a.example", pool), NO_OCTETS, pool));
    unsigned char *copy = (unsigned char *)brski_bytes_dup(csr, pool).data;
    apr_size_t i, passed = 0;
    apr_pool_t *sub;

    apr_pool_create(&sub, pool);
    for (i = 0; i < 8 * csr.len; i++) {
        brski_csr_t *parsed;

        copy[i / 8] ^= (unsigned char)(1 << i % 8);
        passed +=
            !brski_csr_parse(&parsed, brski_bytes(copy, csr.len), &brski_limits_default, sub, sub);
        copy[i / 8] ^= (unsigned char)(1 << i % 8);
        apr_pool_clear(sub);
    }
    is_int(passed, 0, "7030-4.2.1 no request with a flipped bit verifies");
    apr_pool_destroy(sub);
}

/* ---- keys and signatures ---- */

static brski_err_t *with_key(const char *kind)
{
    return parse_only(
        testcsr_make(testcsr_key(kind, pool), testcsr_name("CN=x", pool), NO_OCTETS, pool));
}

/* A request whose key is these octets; nobody can sign it. */
static brski_err_t *with_spki(brski_bytes_t spki)
{
    static const unsigned char version[] = { BRSKI_DER_INTEGER, 1, 0 };
    brski_bytes_t pieces[] = { BRSKI_LITERAL(version), testcsr_name("CN=x", pool), spki,
                               brski_der_wrap(BRSKI_DER_CONTEXT(0), NO_OCTETS, pool) };

    return parse_only(
        testcsr_sign(key, BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool), NO_OCTETS, NULL, pool));
}

/* An RSA key that nobody had to find primes for: so many octets of ones, but the last. */
static brski_bytes_t rsa_spki(int octets, int last, apr_int64_t e)
{
    static const unsigned char algorithm[] = { 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                               0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00 };
    unsigned char modulus[1024];
    brski_bytes_t n, numbers, bits;

    memset(modulus, 0xFF, sizeof(modulus));
    modulus[octets - 1] = (unsigned char)last;
    n = brski_der_integer_octets(brski_bytes(modulus, (apr_size_t)octets), pool);
    numbers = brski_der_wrap(BRSKI_DER_SEQUENCE, testcsr_join(n, brski_der_integer(e, pool), pool),
                             pool);
    bits = brski_der_wrap(BRSKI_DER_BIT_STRING, testcsr_join(brski_bytes("\0", 1), numbers, pool),
                          pool);
    return brski_der_wrap(BRSKI_DER_SEQUENCE,
                          testcsr_join(brski_bytes(algorithm, sizeof(algorithm)), bits, pool),
                          pool);
}

static void test_bad_keys(void)
{
    brski_bytes_t spki = testcsr_spki(key, pool);
    unsigned char *off = (unsigned char *)brski_bytes_dup(spki, pool).data;
    brski_err_t *err;

    err = with_key("rsa1024");
    is_err(err, CSR_KEY, "7030-4.2.1 refuses RSA of 1024 bits");
    has_str(err ? err->public_text : "", "smaller than 2048 bits", "7030-4.2.1 and says so");
    err = with_spki(rsa_spki(513, 0xFF, 65537));
    is_err(err, CSR_KEY, "7030-4.2.1 refuses RSA of more than 4096 bits");
    has_str(err ? err->public_text : "", "2048 to 4096 bits", "7030-4.2.1 and says what is taken");
    is_err(with_key("secp256k1"), CSR_KEY, "7030-4.2.1 refuses another curve");
    off[spki.len - 1] ^= 1;
    is_err(with_spki(brski_bytes(off, spki.len)), CSR_KEY,
           "7030-4.2.1 refuses a point that is not on the curve");
    is_err(with_spki(testcsr_name("", pool)), CSR_KEY, "7030-4.2.1 refuses no key");
}

/* RSA keys whose numbers are not those of a key. */
static void test_odd_rsa(void)
{
    static const struct {
        int last;
        apr_int64_t e;
        const char *what;
    } tries[] = { { 0xFE, 65537, "an even modulus" },
                  { 0xFF, 65536, "an even exponent" },
                  { 0xFF, 1, "the exponent 1" },
                  { 0xFF, 0, "the exponent 0" },
                  { 0xFF, (apr_int64_t)1 << 40 | 1, "an exponent that costs" } };
    size_t i;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        is_err(with_spki(rsa_spki(256, tries[i].last, tries[i].e)), CSR_KEY,
               "7030-4.2.1 refuses RSA with %s", tries[i].what);
    }
}

static void test_signatures(void)
{
    static const unsigned char sha1[] = { 0x30, 0x09, 0x06, 0x07, 0x2A, 0x86,
                                          0x48, 0xCE, 0x3D, 0x04, 0x01 };
    static const unsigned char sha384[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                            0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03 };
    static const unsigned char key_type[] = { 0x30, 0x09, 0x06, 0x07, 0x2A, 0x86,
                                              0x48, 0xCE, 0x3D, 0x02, 0x01 };
    static const unsigned char rsa[] = { 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                         0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00 };
    brski_bytes_t info = testcsr_info(key, testcsr_name("CN=x", pool), NO_OCTETS, pool), other;
    EVP_PKEY *somebody = testcsr_key("p256", pool);
    brski_err_t *err;

    is_ok(
        parse_only(testcsr_sign(key, info, brski_bytes(sha384, sizeof(sha384)), "SHA2-384", pool)),
        "7030-4.2.1 takes a stronger digest");
    err = parse_only(testcsr_sign(key, info, brski_bytes(sha1, sizeof(sha1)), "SHA1", pool));
    is_err(err, CSR_SIGNATURE, "7030-4.2.1 refuses SHA-1");
    has_str(err ? err->public_text : "", "SHA-256 or better", "7030-4.2.1 and says what to use");
    is_err(parse_only(testcsr_sign(key, info, brski_bytes(key_type, sizeof(key_type)), NULL, pool)),
           CSR_SIGNATURE, "7030-4.2.1 refuses a key type for an algorithm");
    is_err(parse_only(testcsr_sign(key, info, brski_bytes(rsa, sizeof(rsa)), NULL, pool)),
           CSR_SIGNATURE, "7030-4.2.1 refuses another key type's algorithm");
    is_err(parse_only(testcsr_sign(key, info, brski_bytes(sha384, sizeof(sha384)), NULL, pool)),
           CSR_SIGNATURE, "7030-4.2.1 refuses another digest than the algorithm's");
    other = testcsr_sign(somebody, info, NO_OCTETS, NULL, pool);
    is_err(parse_only(other), CSR_SIGNATURE, "7030-4.2.1 refuses who has not the key");
}

static void test_pss(void)
{
    brski_bytes_t pss = NO_OCTETS;
    brski_err_t *err = brski_hex_decode(
        &pss,
        "304106092a864886f70d01010a3034a00f300d0609608648016503040201"
        "0500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
        pool);
    EVP_PKEY *rsa = testcsr_key("rsa2048", pool);
    brski_bytes_t info = testcsr_info(rsa, testcsr_name("CN=x", pool), NO_OCTETS, pool);
    brski_bytes_t pieces[3];
    unsigned char made[257];
    size_t len = 256;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx;

    is_ok(err, "the algorithm");
    made[0] = 0;
    if (EVP_DigestSignInit_ex(ctx, &key_ctx, "SHA2-256", NULL, NULL, rsa, NULL) != 1
        || EVP_PKEY_CTX_set_rsa_padding(key_ctx, 6) != 1
        || EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, 32) != 1
        || EVP_DigestSign(ctx, made + 1, &len, info.data, info.len) != 1) {
        bail_out("PSS");
    }
    EVP_MD_CTX_free(ctx);
    pieces[0] = info;
    pieces[1] = pss;
    pieces[2] = brski_der_wrap(BRSKI_DER_BIT_STRING, brski_bytes(made, 257), pool);
    is_ok(parse_only(BRSKI_DER_MAKE(BRSKI_DER_SEQUENCE, pieces, pool)),
          "7030-4.2.1 takes RSA-PSS over an RSA key");
}

/* ---- binding ---- */

static void test_pop(void)
{
    const unsigned char unique[12] = "unique-value", exporter[32] = "exported";
    brski_binding_t both = { { unique, 12 }, { exporter, 32 } }, none = { NO_OCTETS, NO_OCTETS };
    const char *u = brski_base64_encode(both.unique, pool);
    const char *e = brski_base64_encode(both.exporter, pool);
    brski_csr_t *without = testcsr_parsed(with(NO_OCTETS), pool);
    brski_csr_t *by_unique =
        testcsr_parsed(with(testcsr_challenge(BRSKI_DER_PRINTABLE_STRING, u, pool)), pool);
    brski_csr_t *by_exporter =
        testcsr_parsed(with(testcsr_challenge(BRSKI_DER_UTF8_STRING, e, pool)), pool);
    brski_csr_t *wrong =
        testcsr_parsed(with(testcsr_challenge(BRSKI_DER_UTF8_STRING, "AAAA", pool)), pool);
    brski_csr_t *password =
        testcsr_parsed(with(testcsr_challenge(BRSKI_DER_UTF8_STRING, "a password!", pool)), pool);

    is_ok(brski_csr_check_pop(by_unique, &both, BRSKI_POP_REQUIRED, pool),
          "7030-3.5 takes tls-unique");
    is_ok(brski_csr_check_pop(by_exporter, &both, BRSKI_POP_REQUIRED, pool),
          "7030-3.5 takes tls-exporter (RFC 9266)");
    is_ok(brski_csr_check_pop(by_exporter, &both, BRSKI_POP_OPTIONAL, pool),
          "7030-3.5 takes it where it is optional");
    is_err(brski_csr_check_pop(without, &both, BRSKI_POP_REQUIRED, pool), POP_REQUIRED,
           "7030-3.5 refuses none where it is required");
    is_ok(brski_csr_check_pop(without, &both, BRSKI_POP_OPTIONAL, pool),
          "7030-3.5 takes none where it is optional");
    is_err(brski_csr_check_pop(wrong, &both, BRSKI_POP_OPTIONAL, pool), POP,
           "7030-3.5 refuses another connection's where it is optional too");
    is_err(brski_csr_check_pop(password, &both, BRSKI_POP_OPTIONAL, pool), POP,
           "7030-3.5 refuses a password");
    is_err(brski_csr_check_pop(by_unique, &none, BRSKI_POP_OPTIONAL, pool), POP,
           "7030-3.5 refuses what nothing can be held against");
    is_ok(brski_csr_check_pop(wrong, &both, BRSKI_POP_OFF, pool),
          "7030-3.5 does not look where it is off");
}

/* ---- other people's requests ---- */

/* RFC 7030 A.3, signed with SHA-1: read as far as that. */
static void test_appendix(void)
{
    static const char body[] =
        "MIIChTCCAW0CAQAwHzEdMBsGA1UEAxMUZGVtb3N0ZXA0IDEzNjgxNDEzNTIwggEi\r\n"
        "MA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQClNp+kdz+Nj8XpEp9kaumWxDZ3\r\n"
        "eFYJpQKz9ddD5e5OzUeCm103ZIXQIxc0eVtMCatnRr3dnZRCAxGjwbqoB3eKt29/\r\n"
        "XSQffVv+odbyw0WdkQOIbntCQry8YdcBZ+8LjI/N7M2krmjmoSLmLwU2V4aNKf0Y\r\n"
        "MLR5Krmah3Ik31jmYCSvwTnv6mx6pr2pTJ82JavhTEIIt/fAYq1RYhkM1CXoBL+y\r\n"
        "hEoDanN7TzC94skfS3VV+f53J9SkUxTYcy1Rw0k3VXfxWwy+cSKEPREl7I6k0YeK\r\n"
        "tDEVAgBIEYM/L1S69RXTLujirwnqSRjOquzkAkD31BE961KZCxeYGrhxaR4PAgMB\r\n"
        "AAGgITAfBgkqhkiG9w0BCQcxEhMQK3JyQ2lyLzcrRVl1NTBUNDANBgkqhkiG9w0B\r\n"
        "AQUFAAOCAQEARBv0AJeXaHpl1MFIdzWqoi1dOCf6U+qaYWcBzpLADvJrPK1qx5pq\r\n"
        "wXM830A1O+7RvrFv+nyd6VF2rl/MrNp+IsKuA9LYWIBjVe/LXoBO8dB/KxrYl16c\r\n"
        "VUS+Yydi1m/a+DaftYSRGolMLtWeiqbc2SDBr2kHXW1TR130hIcpwmr29kC2Kzur\r\n"
        "5thsuj276FGL1vPu0dRfGQfx4WWa9uAHBgz6tW37CepZsrUKe/0pfVhr2oHxApYh\r\n"
        "cHGBQDQHVTFVjHccdUjAXicrtbsVhU5o1lPv7f4lEApv3SBQmJcaq5O832BzHw7n\r\n"
        "PyMFcM15E9gtUVee5C62bVwuk/tbnGsbwQ==\r\n";
    brski_bytes_t der;
    brski_err_t *err;

    is_ok(decode(&der, body), "7030-4.2.1 takes the body of RFC 7030 A.3");
    err = parse_only(der);
    is_err(err, CSR_SIGNATURE, "7030-4.2.1 whose signature is with SHA-1");
}

static void test_vectors(void)
{
    static const struct {
        const char *file, *subject;
        int other;
    } good[] = {
        { "est-csr/csr_bulb03.der", "serialNumber=00-D0-E5-03-00-03", 1 },
        { "est-csr/csr_bulb1.der", "serialNumber=00-D0-E5-F2-00-01", 0 },
        { "est-csr/csr-rsa-00-16.der", "serialNumber=00-d0-e5-01-00-16", 1 },
        { "est-csr/sample1.pem",
          "serialNumber=IOTRUS-0123456789,L=RTP,ST=NC,C=US,O=IOT-R-US\\, Inc.,CN=www.iotrus.com",
          0 },
        { "est-coaps-rfc9148-cacerts-enroll/sen-req.p10.der",
          "serialNumber=Wt1234,OU=IoT,O=example Inc,L=LA,ST=CA,C=US", 0 },
    };
    const char *path = unit_vector("est-csr/ldevid-rsa-00-16.pem", pool);
    brski_bytes_t der;
    brski_csr_t *csr;
    brski_err_t *err;
    size_t i;

    if (!path) {
        skip(1, "BRSKI_VECTORS does not name the vectors");
        return;
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        path = unit_vector(good[i].file, pool);
        is_ok(brski_est_body_decode(&der, unit_file(path, pool), &brski_limits_default, pool),
              "7030-4.2.1 decodes %s", good[i].file);
        is_ok(parse(&csr, der), "7030-4.2.1 takes %s", good[i].file);
        is_str(csr ? csr->subject_text : NULL, good[i].subject, "7030-4.2.1 its subject");
        is_int(csr ? csr->other->nelts : -1, good[i].other,
               "7030-4.2.1 SAN as an attribute of its own is no extension");
    }
    is_ok(brski_est_body_decode(&der,
                                unit_file(unit_vector("est-csr/ldevid-rsa-00-16.pem", pool), pool),
                                &brski_limits_default, pool),
          "7030-4.2.1 decodes a certificate in PEM");
    err = parse_only(der);
    is_err(err, CSR, "7030-4.2.1 which is no request");
    has_str(err ? err->public_text : "", "is an X.509 certificate", "7030-4.2.1 and that is said");
}

int main(void)
{
    pool = unit_start();
    key = testcsr_key("p256", pool);
    test_bodies();
    test_bad_bodies();
    test_good_keys();
    test_pieces();
    test_challenges();
    test_repetitions();
    test_broken_extensions();
    test_floods();
    test_shapes();
    test_truncated();
    test_flipped();
    test_bad_keys();
    test_odd_rsa();
    test_signatures();
    test_pss();
    test_pop();
    test_appendix();
    test_vectors();
    return done_testing();
}
