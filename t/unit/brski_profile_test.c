/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_test.c: what goes into a certificate: names filled by value, alternative names, key
 * types, wishes beyond the profile, renewals, and the words of a profile.
 */
#include "brski_profile.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der_values.h"
#include "brski_profile_parts.h"
#include "testcsr.h"
#include "testpki.h"
#include "unit.h"

#define NOW "2026-03-01T12:00:00Z"

static apr_pool_t *pool;
static EVP_PKEY *key;
static const brski_requester_t device = { .manufacturer = "acme", .serial_number = "JADA-0001" };

static apr_array_header_t *list(const char *a, const char *b)
{
    apr_array_header_t *words = apr_array_make(pool, 2, sizeof(const char *));

    if (a) {
        APR_ARRAY_PUSH(words, const char *) = a;
    }
    if (b) {
        APR_ARRAY_PUSH(words, const char *) = b;
    }
    return words;
}

static brski_profile_t usual(void)
{
    brski_profile_t p = brski_profile_default;

    p.subject = "CN=%{serial},O=Example";
    p.lifetime = apr_time_from_sec(86400);
    return p;
}

/* A request for a subject, with up to two extensions. */
static brski_csr_t *csr_of(const char *subject, brski_bytes_t a, brski_bytes_t b)
{
    return testcsr_parsed(testcsr_make(key, testcsr_name(subject, pool),
                                       a.len ? testcsr_ext_request(a, b, pool) : NO_OCTETS, pool),
                          pool);
}

static brski_err_t *apply_as(brski_template_t **t, brski_profile_t p, const brski_requester_t *r,
                             const brski_csr_t *csr)
{
    return brski_profile_apply(t, &p, r, csr, unit_time(NOW), pool, pool);
}

static brski_err_t *apply(brski_template_t **t, brski_profile_t p, const brski_csr_t *csr)
{
    return apply_as(t, p, &device, csr);
}

static const char *subject_of(const brski_template_t *t)
{
    return t ? brski_csr_name_text(t->subject, pool) : NULL;
}

static brski_bytes_t extension_of(const brski_template_t *t, const char *oid)
{
    int i;

    for (i = 0; t && i < t->extensions->nelts; i++) {
        const brski_csr_extension_t *e = APR_ARRAY_IDX(t->extensions, i, brski_csr_extension_t *);

        if (!strcmp(e->oid, oid)) {
            return e->value;
        }
    }
    return NO_OCTETS;
}

static void is_hex(brski_bytes_t got, const char *want, const char *label)
{
    is_str(brski_hex(got, pool), want, "%s", label);
}

/* ---- names ---- */

static void test_name_octets(void)
{
    static const char *const names[][2] = {
        { "CN=a,O=b", "3018310a3008060355040a0c0162310a300806035504030c0161" },
        { "CN=a+O=b", "30163114300806035504030c01613008060355040a0c0162" },
        { "O=b+CN=a", "30163114300806035504030c01613008060355040a0c0162" },
        { " cn = a , o = b ", "3018310a3008060355040a0c0162310a300806035504030c0161" },
        { "C=DE", "300d310b3009060355040613024445" },
        { "serialNumber=1", "300c310a30080603550405130131" },
        { "serialNumber=1*", "300d310b300906035504050c02312a" },
        { "DC=x", "30133111300f060a0992268993f22c640119160178" },
        { "2.5.4.3=a", "300c310a300806035504030c0161" },
        { "CN=a\\,b", "300e310c300a06035504030c03612c62" },
        { "CN=\\C3\\A9", "300d310b300906035504030c02c3a9" },
        { "CN=\\ a\\ ", "300e310c300a06035504030c03206120" },
        { "CN=%", "300c310a300806035504030c0125" },
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        is_hex(testcsr_name(names[i][0], pool), names[i][1],
               apr_psprintf(pool, "5280-4.1.2.4 the octets of %s", names[i][0]));
    }
}

static void test_bad_patterns(void)
{
    static const char *const bad[][2] = {
        { "", "write it as CN=...,O=..." },
        { "device", "write it as CN=...,O=..." },
        { "CN=a,", "write it as CN=...,O=..." },
        { "CN=", "without a value" },
        { "CN=,O=b", "without a value" },
        { "XY=a", "is no attribute of a name" },
        { "=a", "is no attribute of a name" },
        { "CN=a\\", "ends in a backslash" },
        { "CN=a\\00b", "has a NUL" },
        { "CN=%{name}", "is no placeholder" },
        { "CN=%{serial", "is no placeholder" },
        { "C=DEU", "longer than the 2 characters" },
        { "DC=\\C3\\A9", "cannot stand in its place" },
        { "CN=\\C3", "cannot stand in a name" },
        { "CN=\\01", "cannot stand in a name" },
    };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        brski_profile_t p = usual();
        const char *why;

        p.subject = bad[i][0];
        why = brski_profile_check(&p, pool);
        has_str(why ? why : "(nothing)", bad[i][1], "5280-4.1.2.4 a profile's subject '%s'",
                bad[i][0]);
    }
}

/* A serial number is a value, whatever it looks like. */
static void test_injection(void)
{
    static const char *const serials[] = {
        "x,O=Evil", "x+O=Evil", "x\\,O=Evil", "\"x\"", "#0401",     "a=b",     "x;O=Evil",
        "<x>",      " x ",      "%{cn}",      "x\\",   "CN=x,CN=y", "../../x", "x'y",
    };
    size_t i;

    for (i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        brski_requester_t r = { .manufacturer = "acme", .serial_number = serials[i] };
        apr_array_header_t *attributes;
        brski_template_t *t;

        is_ok(apply_as(&t, usual(), &r, csr_of("", NO_OCTETS, NO_OCTETS)),
              "8995-5.9.2 a certificate for serial number '%s'", serials[i]);
        if (!t || brski_profile_attributes(&attributes, t->subject, pool)) {
            fail("8995-5.9.2 its subject can be read");
            continue;
        }
        is_int(attributes->nelts, 2, "8995-5.9.2 has two attributes");
        is_str(APR_ARRAY_IDX(attributes, 0, brski_profile_attribute_t).text, "Example",
               "8995-5.9.2 the profile's O");
        is_str(APR_ARRAY_IDX(attributes, 1, brski_profile_attribute_t).text, serials[i],
               "8995-5.9.2 and the serial number as it is");
    }
}

static void test_unfit_serials(void)
{
    char long_one[66];
    const char *serials[] = { "x\ny", "x\033[2J", "x\xC2\x9B", "\xFF", "", NULL, long_one };
    brski_requester_t r = { .manufacturer = "acme" };
    brski_template_t *t;
    size_t i;

    memset(long_one, '1', sizeof(long_one));
    long_one[65] = '\0';
    for (i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        r.serial_number = serials[i];
        is_err(apply_as(&t, usual(), &r, csr_of("", NO_OCTETS, NO_OCTETS)), CSR_SUBJECT,
               "8995-5.9.2 refuses serial number %d in a name", (int)i);
    }
    long_one[64] = '\0';
    r.serial_number = long_one;
    is_ok(apply_as(&t, usual(), &r, csr_of("", NO_OCTETS, NO_OCTETS)),
          "8995-5.9.2 takes 64 characters");
}

static void test_facts(void)
{
    static const brski_requester_t user = { .user = "alice" };
    brski_profile_t p = usual();
    brski_template_t *t;

    p.subject = "CN=%{cn},OU=%{manufacturer},serialNumber=%{serial}";
    is_ok(apply(&t, p, csr_of("CN=box", NO_OCTETS, NO_OCTETS)), "7030-4.2.1 fills what is known");
    is_str(subject_of(t), "CN=box,OU=acme,serialNumber=JADA-0001", "7030-4.2.1 all of it");
    is_err(apply(&t, p, csr_of("", NO_OCTETS, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses a request without the CN that is wanted");
    is_err(apply(&t, p, csr_of("CN=a,CN=b", NO_OCTETS, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses to choose between two");
    is_err(apply_as(&t, p, &user, csr_of("CN=box", NO_OCTETS, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses a user where devices are named");
    p.subject = "UID=%{user}";
    is_ok(apply_as(&t, p, &user, csr_of("", NO_OCTETS, NO_OCTETS)), "7030-4.2.1 names a user");
    is_str(subject_of(t), "UID=alice", "7030-4.2.1 by its name");
}

static void test_own_subject(void)
{
    brski_profile_t p = usual();
    brski_template_t *t;

    p.subject = "csr";
    is_ok(apply(&t, p, csr_of("CN=whatever,O=else", NO_OCTETS, NO_OCTETS)),
          "7030-4.2.1 takes the request's subject where that is allowed");
    is_str(subject_of(t), "CN=whatever,O=else", "7030-4.2.1 as it is");
    is_ok(apply(&t, p, csr_of("serialNumber=JADA-0001", NO_OCTETS, NO_OCTETS)),
          "8995-5.9.2 with the device's own serial number");
    is_err(apply(&t, p, csr_of("serialNumber=JADA-0002", NO_OCTETS, NO_OCTETS)), CSR_SUBJECT,
           "8995-5.9.2 refuses another device's");
    is_err(apply(&t, p, csr_of("", NO_OCTETS, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses a certificate without any name");
    p.san = list("DNS:%{serial}.example", NULL);
    is_ok(apply(&t, p, csr_of("", NO_OCTETS, NO_OCTETS)), "7030-4.2.1 an alternative name is one");
    is_int(APR_ARRAY_IDX(t->extensions, 3, brski_csr_extension_t *)->critical, 1,
           "5280-4.2.1.6 it is critical then");
}

/* ---- alternative names ---- */

static brski_err_t *san_for(brski_bytes_t *value, const char *serial, const char *pattern)
{
    brski_requester_t r = { .manufacturer = "acme", .serial_number = serial, .user = "alice" };
    brski_profile_t p = usual();
    brski_template_t *t;
    brski_err_t *err;

    p.subject = "O=x";
    p.san = list(pattern, NULL);
    err = apply_as(&t, p, &r, csr_of("", NO_OCTETS, NO_OCTETS));
    *value = extension_of(t, BRSKI_EXT_SAN);
    return err;
}

static void test_san_octets(void)
{
    static const char *const sans[][2] = {
        { "DNS:%{serial}.Ex.com", "300c820a6a2d312e65782e636f6d" },
        { "URI:urn:x:%{serial}", "300b860975726e3a783a4a2d31" },
        { "IP:192.0.2.1", "30068704c0000201" },
        { "IP:2001:db8::1", "3012871020010db8000000000000000000000001" },
        { "email:%{user}@ex.com", "300e810c616c6963654065782e636f6d" },
        { "otherName:1.3.6.1.5.5.7.8.10;IA5:a+b@c",
          "3015a01306082b0601050507080aa0071605612b624063" },
        { "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:%{user}",
          "3017a015060a2b060104018237140203a0070c05616c696365" },
    };
    brski_bytes_t value;
    size_t i;

    for (i = 0; i < sizeof(sans) / sizeof(sans[0]); i++) {
        is_ok(san_for(&value, "J-1", sans[i][0]), "5280-4.2.1.6 a certificate with %s", sans[i][0]);
        is_hex(value, sans[i][1], "5280-4.2.1.6 and its octets");
    }
}

static void test_san_fit(void)
{
    static const struct {
        const char *serial, *pattern, *want;
    } tries[] = {
        { "a b/c?d#%", "URI:urn:x:%{serial}", "301b861975726e3a783a6125323062253246" },
        { "a.evil.com", "DNS:%{serial}.ex.com", "30" },
        { "a b", "DNS:%{serial}.ex.com", NULL },
        { "*", "DNS:%{serial}.ex.com", NULL },
        { "-a", "DNS:%{serial}.ex.com", NULL },
        { "a.", "DNS:%{serial}.ex.com", NULL },
        { "a\xC3\xA9", "DNS:%{serial}.ex.com", NULL },
        { "0123456789012345678901234567890123456789012345678901234567890123",
          "DNS:%{serial}.ex.com", NULL },
        { "a@b", "email:%{serial}@ex.com", NULL },
        { "a+evil", "otherName:1.3.6.1.5.5.7.8.10;IA5:fd00+%{serial}@acp.ex.com", NULL },
        { "a@evil.com", "otherName:1.3.6.1.5.5.7.8.10;IA5:%{serial}@acp.ex.com", NULL },
        { "a;b", "otherName:1.2.3;UTF8:%{serial}", NULL },
    };
    brski_bytes_t value;
    size_t i;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        brski_err_t *err = san_for(&value, tries[i].serial, tries[i].pattern);

        if (tries[i].want) {
            is_ok(err, "8995-5.9.2 takes '%s' in %s", tries[i].serial, tries[i].pattern);
            ok(!strncmp(brski_hex(value, pool), tries[i].want, strlen(tries[i].want)),
               "8995-5.9.2 made fit: %s", brski_hex(value, pool));
        }
        else {
            is_err(err, CSR_SUBJECT, "8995-5.9.2 refuses '%s' in %s", tries[i].serial,
                   tries[i].pattern);
        }
    }
}

static void test_bad_san_patterns(void)
{
    static const char *const bad[][2] = {
        { "host.example", "write DNS:, URI:" },
        { "DNS:", "is no host name" },
        { "DNS:*.example", "is no host name" },
        { "DNS:a..b", "is no host name" },
        { "URI:nothing", "is no URI" },
        { "URI:x:", "is no URI" },
        { "URI:1x:y", "is no URI" },
        { "URI:x:a b", "is no URI" },
        { "IP:1.2.3", "is no IP address" },
        { "email:a", "is no mailbox" },
        { "email:@b", "is no mailbox" },
        { "email:a b@c", "is no mailbox" },
        { "otherName:x;IA5:a", "write otherName:" },
        { "otherName:1.2.3", "write otherName:" },
        { "otherName:1.2.3;XYZ:a", "write otherName:" },
        { "otherName:1.2.3;IA5:", "cannot stand" },
        { "otherName:1.2.3;IA5:\xC3\xA9", "cannot stand" },
        { "csr-dns:example.com", "write csr-dns:*." },
        { "csr-dns:*.", "write csr-dns:*." },
        { "DNS:%{x}.example", "is no placeholder" },
    };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        brski_profile_t p = usual();
        const char *why;

        p.san = list(bad[i][0], NULL);
        why = brski_profile_check(&p, pool);
        has_str(why ? why : "(nothing)", bad[i][1], "5280-4.2.1.6 a profile's name '%s'",
                bad[i][0]);
    }
}

static void test_csr_dns(void)
{
    brski_bytes_t asked = testcsr_ext("subjectAltName", "DNS:A.ex.com,DNS:b.c.ex.com", pool);
    brski_bytes_t foreign = testcsr_ext("subjectAltName", "DNS:a.ex.com,DNS:www.other.com", pool);
    brski_bytes_t domain = testcsr_ext("subjectAltName", "DNS:ex.com", pool);
    brski_bytes_t near = testcsr_ext("subjectAltName", "DNS:evilex.com", pool);
    brski_bytes_t wild = testcsr_ext("subjectAltName", "DNS:*.ex.com", pool);
    brski_profile_t p = usual();
    brski_template_t *t;

    p.san = list("csr-dns:*.ex.com", NULL);
    is_ok(apply(&t, p, csr_of("", asked, NO_OCTETS)), "7030-4.2.1 names below a domain are taken");
    is_hex(extension_of(t, BRSKI_EXT_SAN), "30168208612e65782e636f6d820a622e632e65782e636f6d",
           "7030-4.2.1 in lower case");
    is_ok(apply(&t, p, csr_of("", NO_OCTETS, NO_OCTETS)), "7030-4.2.1 none is fine too");
    is_int(extension_of(t, BRSKI_EXT_SAN).len, 0, "7030-4.2.1 and makes none");
    is_err(apply(&t, p, csr_of("", foreign, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses a name of another domain");
    is_err(apply(&t, p, csr_of("", domain, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses the domain itself");
    is_err(apply(&t, p, csr_of("", near, NO_OCTETS)), CSR_SUBJECT,
           "7030-4.2.1 refuses a domain that ends alike");
    is_err(apply(&t, p, csr_of("", wild, NO_OCTETS)), CSR_SUBJECT, "7030-4.2.1 refuses a wildcard");
    p.excess = BRSKI_EXCESS_DROP;
    is_ok(apply(&t, p, csr_of("", foreign, NO_OCTETS)), "7030-4.2.1 or leaves the foreign one out");
    is_hex(extension_of(t, BRSKI_EXT_SAN), "300a8208612e65782e636f6d", "7030-4.2.1 and takes ours");
}

/* ---- the template ---- */

static void test_template(void)
{
    brski_profile_t p = usual();
    brski_template_t *t;
    brski_csr_t *csr = csr_of("", NO_OCTETS, NO_OCTETS);

    p.policies = list("1.2.3", "2.5.29.32.0");
    p.eku = list("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
    is_ok(apply(&t, p, csr), "7030-4.2.1 a template");
    is_str(subject_of(t), "CN=JADA-0001,O=Example", "7030-4.2.1 its subject");
    is_int(t->not_before, unit_time("2026-03-01T11:55:00Z"), "7030-4.2.1 begins a little earlier");
    is_int(t->not_after, unit_time("2026-03-02T12:00:00Z"), "7030-4.2.1 ends after its lifetime");
    is_mem(t->spki.data, t->spki.len, csr->spki.data, csr->spki.len, "7030-4.2.1 its key");
    is_hex(extension_of(t, BRSKI_EXT_BASIC_CONSTRAINTS), "3000", "5280-4.2.1.9 no CA");
    is_hex(extension_of(t, BRSKI_EXT_KEY_USAGE), "03020388",
           "5280-4.2.1.3 an EC key signs and agrees");
    is_hex(extension_of(t, BRSKI_EXT_EKU), "301406082b0601050507030106082b06010505070302",
           "5280-4.2.1.12 its purposes");
    is_hex(extension_of(t, BRSKI_EXT_POLICIES), "300e300406022a0330060604551d2000",
           "5280-4.2.1.4 its policies");
    is_int(t->extensions->nelts, 4, "7030-4.2.1 and nothing else");
    is_int(t->crl_ocsp, 1, "7030-4.2.1 the CA's URLs stand in it");
}

static void test_key_types(void)
{
    static const struct {
        const char *key, *allowed, *usage;
    } tries[] = {
        { "p256", "p256", "03020388" },
        { "p384", "p384", "03020388" },
        { "p521", "p521", "03020388" },
        { "rsa2048", "rsa2048", "030205a0" },
        { "rsa3072", "rsa2048", "030205a0" },
        { "ed25519", "ed25519", "03020780" },
        { "p256", "p384", NULL },
        { "p384", "p256", NULL },
        { "rsa2048", "rsa3072", NULL },
        { "rsa2048", "p256", NULL },
        { "ed25519", "p256", NULL },
        { "p521", "p384", NULL },
    };
    size_t i;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        brski_profile_t p = usual();
        brski_template_t *t;
        brski_err_t *err;

        p.key_types = list(tries[i].allowed, NULL);
        err = apply(&t, p,
                    testcsr_parsed(testcsr_make(testcsr_key(tries[i].key, pool),
                                                testcsr_name("", pool), NO_OCTETS, pool),
                                   pool));
        if (tries[i].usage) {
            is_ok(err, "7030-4.2.1 takes %s where %s is", tries[i].key, tries[i].allowed);
            is_hex(extension_of(t, BRSKI_EXT_KEY_USAGE), tries[i].usage,
                   "5280-4.2.1.3 with the usages that it can have");
        }
        else {
            is_err(err, CSR_KEY, "7030-4.2.1 refuses %s where %s is", tries[i].key,
                   tries[i].allowed);
            has_str(err ? err->public_text : "", tries[i].allowed, "7030-4.2.1 and says what is");
        }
    }
}

/* ---- wishes ---- */

static void test_wishes(void)
{
    static const struct {
        const char *subject, *name, *value;
        brski_err_code_t code;
    } tries[] = {
        { "", "keyUsage", "critical,digitalSignature", 0 },
        { "", "keyUsage", "digitalSignature,keyAgreement", 0 },
        { "", "keyUsage", "keyCertSign", BRSKI_E_CSR_EXTENSION },
        { "", "keyUsage", "cRLSign", BRSKI_E_CSR_EXTENSION },
        { "", "keyUsage", "digitalSignature,nonRepudiation", BRSKI_E_CSR_EXTENSION },
        { "", "keyUsage", "decipherOnly", BRSKI_E_CSR_EXTENSION },
        { "", "basicConstraints", "CA:FALSE", 0 },
        { "", "basicConstraints", "critical,CA:TRUE", BRSKI_E_CSR_EXTENSION },
        { "", "basicConstraints", "CA:FALSE,pathlen:0", BRSKI_E_CSR_EXTENSION },
        { "", "extendedKeyUsage", "clientAuth", 0 },
        { "", "extendedKeyUsage", "serverAuth", BRSKI_E_CSR_EXTENSION },
        { "", "extendedKeyUsage", "clientAuth,1.3.6.1.5.5.7.3.28", BRSKI_E_CSR_EXTENSION },
        { "", "extendedKeyUsage", "anyExtendedKeyUsage", BRSKI_E_CSR_EXTENSION },
        { "", "subjectAltName", "DNS:jada-0001.ex.com", 0 },
        { "", "subjectAltName", "DNS:JADA-0001.EX.COM", 0 },
        { "", "subjectAltName", "DNS:jada-0002.ex.com", BRSKI_E_CSR_SUBJECT },
        { "", "subjectAltName", "DNS:jada-0001.ex.com,email:a@b.c", BRSKI_E_CSR_SUBJECT },
        { "", "subjectAltName", "IP:127.0.0.1", BRSKI_E_CSR_SUBJECT },
        { "", "certificatePolicies", "DER:3006300406022a03", 0 },
        { "", "certificatePolicies", "DER:3006300406022a04", BRSKI_E_CSR_EXTENSION },
        { "", "nsComment", "hello", BRSKI_E_CSR_EXTENSION },
        { "", "nameConstraints", "permitted;DNS:.com", BRSKI_E_CSR_EXTENSION },
        { "", "1.3.6.1.5.5.7.1.32", "ASN1:IA5:masa.evil.com", BRSKI_E_CSR_EXTENSION },
        { "", "crlDistributionPoints", "URI:http://evil/", BRSKI_E_CSR_EXTENSION },
        { "", "authorityInfoAccess", "OCSP;URI:http://evil/", BRSKI_E_CSR_EXTENSION },
        { "", "subjectKeyIdentifier", "00:11", 0 },
        { "CN=JADA-0001,O=Example", "keyUsage", "digitalSignature", 0 },
        { "CN=jada-0001,O=EXAMPLE", "keyUsage", "digitalSignature", 0 },
        { "CN=JADA-0001", "keyUsage", "digitalSignature", 0 },
        { "serialNumber=JADA-0001", "keyUsage", "digitalSignature", 0 },
        { "O=Example", "keyUsage", "digitalSignature", 0 },
        { "CN=JADA-0002,O=Example", "keyUsage", "digitalSignature", BRSKI_E_CSR_SUBJECT },
        { "serialNumber=JADA-0002", "keyUsage", "digitalSignature", BRSKI_E_CSR_SUBJECT },
        { "CN=JADA-0001,OU=Admins", "keyUsage", "digitalSignature", BRSKI_E_CSR_SUBJECT },
        { "OU=JADA-0001", "keyUsage", "digitalSignature", BRSKI_E_CSR_SUBJECT },
    };
    brski_template_t *t, *plain;
    brski_profile_t p = usual();
    size_t i;
    int j;

    p.san = list("DNS:%{serial}.ex.com", NULL);
    p.policies = list("1.2.3", NULL);
    apply(&plain, p, csr_of("", NO_OCTETS, NO_OCTETS));
    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        brski_csr_t *csr =
            csr_of(tries[i].subject, testcsr_ext(tries[i].name, tries[i].value, pool), NO_OCTETS);
        brski_err_t *err;

        p.excess = BRSKI_EXCESS_REFUSE;
        err = apply(&t, p, csr);
        is_int(err ? err->code : 0, tries[i].code, "7030-4.2.1 '%s' asks for %s %s",
               tries[i].subject, tries[i].name, tries[i].value);
        p.excess = BRSKI_EXCESS_DROP;
        is_ok(apply(&t, p, csr), "7030-4.2.1 or is passed over");
        for (j = 0; t && j < plain->extensions->nelts; j++) {
            const brski_csr_extension_t *a, *b;

            a = APR_ARRAY_IDX(t->extensions, j, brski_csr_extension_t *);
            b = APR_ARRAY_IDX(plain->extensions, j, brski_csr_extension_t *);
            if (strcmp(a->oid, b->oid) || !brski_bytes_equal(a->value, b->value)) {
                fail("7030-4.2.1 and changes nothing: %s", a->oid);
            }
        }
        is_int(t ? t->extensions->nelts : 0, plain->extensions->nelts,
               "7030-4.2.1 and nothing of it is in the certificate");
    }
}

static void test_broken_wishes(void)
{
    static const char *const oids[] = { BRSKI_EXT_KEY_USAGE, BRSKI_EXT_EKU, BRSKI_EXT_POLICIES,
                                        BRSKI_EXT_BASIC_CONSTRAINTS, BRSKI_EXT_SAN };
    static const unsigned char junk[] = { 0x05, 0x00 }, bits[] = { 3, 2, 9, 0x80 };
    brski_template_t *t;
    size_t i;

    for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        ok(apply(&t, usual(),
                 csr_of("", testcsr_ext_der(oids[i], 0, brski_bytes(junk, 2), pool), NO_OCTETS)),
           "7030-4.2.1 refuses %s that cannot be read", oids[i]);
        ok(apply(&t, usual(), csr_of("", testcsr_ext_der(oids[i], 0, NO_OCTETS, pool), NO_OCTETS)),
           "7030-4.2.1 refuses %s that is empty", oids[i]);
    }
    ok(apply(&t, usual(),
             csr_of("", testcsr_ext_der(BRSKI_EXT_KEY_USAGE, 0, brski_bytes(bits, 4), pool),
                    NO_OCTETS)),
       "7030-4.2.1 refuses a key usage with nine unused bits");
}

/* What old Minerva clients do: the extension's type as an attribute's. */
static void test_attributes(void)
{
    brski_bytes_t value = testcsr_name("", pool);
    brski_bytes_t san = testcsr_attr(BRSKI_EXT_SAN, value, pool);
    brski_bytes_t other = testcsr_attr("1.3.6.1.4.1.311.13.2.3", value, pool);
    brski_bytes_t change = testcsr_attr("1.3.6.1.5.5.7.7.36", value, pool);
    brski_bytes_t empty = testcsr_name("", pool);
    brski_profile_t p = usual(), drop = usual();
    brski_template_t *t;
    brski_err_t *err;

    drop.excess = BRSKI_EXCESS_DROP;
    err = apply(&t, p, testcsr_parsed(testcsr_make(key, empty, san, pool), pool));
    is_err(err, CSR_EXTENSION, "7030-4.2.1 refuses SAN as an attribute of its own");
    has_str(err ? err->public_text : "", "as an attribute of its own", "7030-4.2.1 and says so");
    is_ok(apply(&t, p, testcsr_parsed(testcsr_make(key, empty, other, pool), pool)),
          "7030-4.2.1 passes over attributes that ask for nothing");
    is_err(apply(&t, p, testcsr_parsed(testcsr_make(key, empty, change, pool), pool)), CSR_SUBJECT,
           "7030-4.2.1 refuses ChangeSubjectName");
    is_ok(apply(&t, drop, testcsr_parsed(testcsr_make(key, empty, san, pool), pool)),
          "7030-4.2.1 or passes it over");
    is_int(extension_of(t, BRSKI_EXT_SAN).len, 0, "7030-4.2.1 without giving anything");
}

/* Requests of Minerva's pledges, RFC 9148's and an old product's, held against their devices. */
static void test_vectors(void)
{
    static const struct {
        const char *file, *serial;
        int refused;
    } tries[] = {
        { "est-csr/csr_bulb1.der", "00-D0-E5-F2-00-01", 0 },
        { "est-csr/csr_bulb1.der", "00-D0-E5-F2-00-02", BRSKI_E_CSR_SUBJECT },
        { "est-csr/csr_bulb03.der", "00-D0-E5-03-00-03", BRSKI_E_CSR_EXTENSION },
        { "est-csr/csr-rsa-00-16.der", "00-d0-e5-01-00-16", BRSKI_E_CSR_EXTENSION },
        { "est-csr/sample1.pem", "IOTRUS-0123456789", BRSKI_E_CSR_SUBJECT },
        { "est-coaps-rfc9148-cacerts-enroll/sen-req.p10.der", "Wt1234", BRSKI_E_CSR_SUBJECT },
    };
    size_t i;

    if (!unit_vector(tries[0].file, pool)) {
        skip(1, "BRSKI_VECTORS does not name the vectors");
        return;
    }
    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        brski_requester_t r = { .manufacturer = "acme", .serial_number = tries[i].serial };
        brski_profile_t p = brski_profile_default;
        brski_bytes_t der;
        brski_template_t *t;
        brski_err_t *err;

        brski_est_body_decode(&der, unit_file(unit_vector(tries[i].file, pool), pool),
                              &brski_limits_default, pool);
        err = apply_as(&t, p, &r, testcsr_parsed(der, pool));
        is_int(err ? err->code : 0, tries[i].refused, "8995-5.9.2 %s for device %s", tries[i].file,
               tries[i].serial);
        p.excess = BRSKI_EXCESS_DROP;
        is_ok(apply_as(&t, p, &r, testcsr_parsed(der, pool)), "8995-5.9.2 with excess dropped");
        is_str(subject_of(t), apr_pstrcat(pool, "serialNumber=", tries[i].serial, NULL),
               "8995-5.9.2 it gets the device's own name");
        is_int(extension_of(t, BRSKI_EXT_SAN).len, 0, "8995-5.9.2 and no other");
    }
}

/* ---- renewal ---- */

static void test_renewal(void)
{
    testpki_spec_t spec = { .cn = "old", .serial_number = "JADA-0001", .dns = "a.ex.com" };
    testpki_spec_t plain = { .cn = "old" };
    const brski_cert_t *old = testpki_make(&spec, NULL, pool)->cert;
    const brski_cert_t *no_san = testpki_make(&plain, NULL, pool)->cert;
    brski_bytes_t san = testcsr_ext("subjectAltName", "DNS:a.ex.com", pool);
    brski_bytes_t more = testcsr_ext("subjectAltName", "DNS:a.ex.com,DNS:b.ex.com", pool);
    const char *name = "serialNumber=JADA-0001,CN=old";
    struct {
        const brski_cert_t *old;
        const char *subject;
        brski_bytes_t san;
        int code;
        const char *what;
    } tries[] = {
        { old, name, san, 0, "the same names" },
        { old, "serialNumber=jada-0001,CN=OLD", san, 0, "the same names in other case" },
        { no_san, "CN=old", NO_OCTETS, 0, "no SAN where there was none" },
        { old, "CN=old", san, BRSKI_E_REENROLL_SUBJECT, "another subject" },
        { old, "CN=old,serialNumber=JADA-0001", san, BRSKI_E_REENROLL_SUBJECT, "another order" },
        { old, "", san, BRSKI_E_REENROLL_SUBJECT, "no subject" },
        { old, name, NO_OCTETS, BRSKI_E_REENROLL_SUBJECT, "no SAN where there was one" },
        { old, name, more, BRSKI_E_REENROLL_SUBJECT, "one name more" },
        { no_san, "CN=old", san, BRSKI_E_REENROLL_SUBJECT, "a SAN where there was none" },
    };
    brski_profile_t p = usual();
    brski_template_t *t;
    size_t i;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        brski_err_t *err =
            brski_profile_renew(&t, &p, &device, csr_of(tries[i].subject, tries[i].san, NO_OCTETS),
                                tries[i].old, unit_time(NOW), pool, pool);

        is_int(err ? err->code : 0, tries[i].code, "7030-4.2.2 renewal with %s", tries[i].what);
        if (!tries[i].code) {
            is_str(subject_of(t), tries[i].old->subject, "7030-4.2.2 has the old subject");
            is_int(extension_of(t, BRSKI_EXT_SAN).len, tries[i].san.len ? 12 : 0,
                   "7030-4.2.2 and the old SAN");
        }
    }
    is_err(brski_profile_renew(&t, &p, &device,
                               csr_of(name, san, testcsr_ext("keyUsage", "keyCertSign", pool)), old,
                               unit_time(NOW), pool, pool),
           CSR_EXTENSION, "7030-4.2.2 refuses other wishes as always");
}

static void test_renewal_with_change(void)
{
    testpki_spec_t spec = { .cn = "old" };
    brski_bytes_t change = testcsr_attr("1.3.6.1.5.5.7.7.36", testcsr_name("", pool), pool);
    brski_profile_t p = usual();
    brski_template_t *t;

    p.excess = BRSKI_EXCESS_DROP;
    is_err(brski_profile_renew(
               &t, &p, &device,
               testcsr_parsed(testcsr_make(key, testcsr_name("CN=old", pool), change, pool), pool),
               testpki_make(&spec, NULL, pool)->cert, unit_time(NOW), pool, pool),
           REENROLL_SUBJECT, "7030-4.2.2 refuses ChangeSubjectName, which is no excess to drop");
}

/* ---- words ---- */

static void test_words(void)
{
    brski_profile_t p = usual();
    const char *why;

    ok(!brski_profile_check(&brski_profile_default, pool), "the default profile is right");
    p.subject = "csr";
    p.san = list("csr-dns:*.example.com", "IP:::1");
    ok(!brski_profile_check(&p, pool), "the request's own subject and names are right");
    p = usual();
    p.key_types = list("p256", "rsa1024");
    why = brski_profile_check(&p, pool);
    has_str(why ? why : "", "'rsa1024' is no key type", "a weak key type is none");
    p.key_types = list("rsa4097", NULL);
    ok(brski_profile_check(&p, pool) != NULL, "a huge one is none");
    p.key_types = list("rsa2048x", NULL);
    ok(brski_profile_check(&p, pool) != NULL, "a word with more behind it is none");
    p.key_types = list(NULL, NULL);
    ok(brski_profile_check(&p, pool) != NULL, "none is too few");
    p = usual();
    p.eku = list("clientAuth", NULL);
    why = brski_profile_check(&p, pool);
    has_str(why ? why : "", "write it in dots", "a purpose is written in dots");
    p = usual();
    p.policies = list("3.1", NULL);
    ok(brski_profile_check(&p, pool) != NULL, "and so is a policy");
    p = usual();
    p.lifetime = 0;
    ok(brski_profile_check(&p, pool) != NULL, "a certificate lives for a while");
    p = usual();
    p.backdate = -1;
    ok(brski_profile_check(&p, pool) != NULL, "and does not begin later");
    p = usual();
    p.key_usage = 8;
    ok(brski_profile_check(&p, pool) != NULL, "there are no other key usages");
}

int main(void)
{
    pool = unit_start();
    key = testcsr_key("p256", pool);
    test_name_octets();
    test_bad_patterns();
    test_injection();
    test_unfit_serials();
    test_facts();
    test_own_subject();
    test_san_octets();
    test_san_fit();
    test_bad_san_patterns();
    test_csr_dns();
    test_template();
    test_key_types();
    test_wishes();
    test_broken_wishes();
    test_attributes();
    test_vectors();
    test_renewal();
    test_renewal_with_change();
    test_words();
    return done_testing();
}
