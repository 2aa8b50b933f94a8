/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_ca_test.c: a CA at hand: what is wrong with its configuration, certificates and CRLs that
 * OpenSSL verifies, a root that is being replaced.
 */
#include "brski_ca.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_ca_write.h"
#include "brski_cert.h"
#include "pki.h"
#include "testcsr.h"
#include "testpki.h"
#include "unit.h"

#define NOW "2026-03-01T12:00:00Z"

static apr_pool_t *pool;
static brski_ctx_t *ctx;
static const char *dir;
static testpki_t *root, *sub;

static const char *path(const char *name)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

static const char *save_certs(const char *name, const apr_array_header_t *certs)
{
    pki_save_certs(path(name), certs);
    return path(name);
}

static const char *save_key(const char *name, EVP_PKEY *key)
{
    pki_save_key(path(name), key, 0600, NULL);
    return path(name);
}

static apr_array_header_t *words(const char *chain, const char *key, const char *a, const char *b)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));
    const char *all[] = { chain, key, a, b };
    int i;

    for (i = 0; i < 4; i++) {
        if (all[i]) {
            APR_ARRAY_PUSH(list, const char *) = all[i];
        }
    }
    return list;
}

static testpki_t *make_cert(testpki_spec_t spec, const testpki_t *issuer)
{
    return testpki_make(&spec, issuer, pool);
}

static brski_ca_t *make_ca(const apr_array_header_t *args)
{
    brski_ca_t *ca;

    is_ok(brski_ca_kind_local.make(&ca, args, ctx, pool), "a CA is made");
    if (!ca) {
        bail_out("no CA");
    }
    return ca;
}

static brski_ca_t *usual_ca(const char *crl, const char *ocsp)
{
    return make_ca(words(save_certs("chain.pem", testpki_certs(pool, sub, root, NULL)),
                         save_key("sub.key", sub->key), crl, ocsp));
}

/* ---- configuration ---- */

static void refuses(const apr_array_header_t *args, const char *why, const char *label)
{
    brski_err_t *err = brski_ca_kind_local.check(args, unit_time(NOW), pool);

    is_err(err, CONFIG, "%s", label);
    has_str(err ? err->public_text : "", why, "and says why");
}

static void test_words(void)
{
    const char *chain = save_certs("chain.pem", testpki_certs(pool, sub, root, NULL));
    const char *key = save_key("sub.key", sub->key);

    is_ok(brski_ca_kind_local.check(words(chain, key, NULL, NULL), unit_time(NOW), pool),
          "a CA with its chain is right");
    is_ok(brski_ca_kind_local.check(words(chain, key, "ocsp=http://x/o", "crl=https://x/c"),
                                    unit_time(NOW), pool),
          "with URLs too");
    refuses(words(chain, NULL, NULL, NULL), "write local CHAIN.pem KEY-URI", "a key is missing");
    refuses(words(chain, key, "crl=ftp://x/c", NULL), "is no URL", "no http");
    refuses(words(chain, key, "crl=http://", NULL), "is no URL", "no host");
    refuses(words(chain, key, "crl=http://x/a b", NULL), "is no URL", "a blank");
    refuses(words(chain, key, "days=7", NULL), "there are crl=URL and ocsp=URL", "no such word");
    refuses(words(path("none.pem"), key, NULL, NULL), "cannot be read", "no such file");
    refuses(words(chain, path("none.key"), NULL, NULL), "cannot be read", "no such key");
}

static void test_chains(void)
{
    testpki_t *other = make_cert((testpki_spec_t){ .cn = "other", .ca = 1 }, NULL);
    testpki_t *ee = make_cert((testpki_spec_t){ .cn = "server" }, root);
    testpki_t *old = make_cert(
        (testpki_spec_t){ .cn = "old CA", .ca = 1, .not_after = "2026-01-01T00:00:00Z" }, root);
    testpki_t *weak = make_cert((testpki_spec_t){ .cn = "weak", .ca = 1, .digest = "sha1" }, root);
    pki_spec_t no_sign = { .subject = "CN=no sign",
                           .plain = 1,
                           .ext = { "basicConstraints=critical,CA:TRUE",
                                    "keyUsage=critical,cRLSign" } };
    const pki_party_t *mute = pki_make(NULL, no_sign, pool);
    const char *chain = save_certs("chain.pem", testpki_certs(pool, sub, root, NULL));

    refuses(words(chain, save_key("other.key", other->key), NULL, NULL),
            "is not the key of a certificate in the chain file", "another key");
    refuses(
        words(save_certs("short.pem", testpki_certs(pool, sub, NULL)), path("sub.key"), NULL, NULL),
        "whose issuer 'CN=root' is missing", "a chain without its root");
    refuses(words(save_certs("ee.pem", testpki_certs(pool, ee, root, NULL)),
                  save_key("ee.key", ee->key), NULL, NULL),
            "do not say CA", "an end entity");
    refuses(words(save_certs("old.pem", testpki_certs(pool, old, root, NULL)),
                  save_key("old.key", old->key), NULL, NULL),
            "expired on 2026-01-01", "one that has expired");
    refuses(words(save_certs("weak.pem", testpki_certs(pool, weak, root, NULL)),
                  save_key("weak.key", weak->key), NULL, NULL),
            "digest that is too weak", "one signed with SHA-1");
    refuses(words(save_certs("mute.pem", pki_certs(pool, mute, NULL, NULL, NULL)),
                  save_key("mute.key", mute->key), NULL, NULL),
            "lacks keyCertSign", "one that may not sign certificates");
    refuses(words(save_certs("more.pem", testpki_certs(pool, sub, root, other, NULL)),
                  path("sub.key"), NULL, NULL),
            "does not belong to the chain", "a stranger in the file");
    is_ok(brski_ca_kind_local.check(
              words(save_certs("turned.pem", testpki_certs(pool, root, sub, sub, NULL)),
                    path("sub.key"), NULL, NULL),
              unit_time(NOW), pool),
          "any order is right, and twice is once");
    is_ok(brski_ca_kind_local.check(words(save_certs("root.pem", testpki_certs(pool, root, NULL)),
                                          save_key("root.key", root->key), NULL, NULL),
                                    unit_time(NOW), pool),
          "a root alone is a CA too");
}

/* RFC 7030 4.1.3: the four certificates of a change of roots. */
static void test_rollover(void)
{
    testpki_t *next = make_cert((testpki_spec_t){ .cn = "root 2", .ca = 1 }, NULL);
    testpki_t *old_new =
        make_cert((testpki_spec_t){ .cn = "root", .ca = 1, .same_key = root->key }, next);
    testpki_t *new_old =
        make_cert((testpki_spec_t){ .cn = "root 2", .ca = 1, .same_key = next->key }, root);
    testpki_t *fresh = make_cert((testpki_spec_t){ .cn = "sub 2", .ca = 1 }, next);
    const char *file =
        save_certs("rollover.pem", testpki_certs(pool, old_new, new_old, root, fresh, next, NULL));
    brski_ca_t *ca = make_ca(words(file, save_key("fresh.key", fresh->key), NULL, NULL));
    apr_array_header_t *certs;

    is_int(ca->chain->nelts, 5, "7030-4.1.3 all certificates of the change are there");
    is_str(APR_ARRAY_IDX(ca->chain, 0, const brski_cert_t *)->subject, "CN=sub 2",
           "7030-4.1.3 the issuing CA first");
    ok(!memcmp(APR_ARRAY_IDX(ca->chain, 1, const brski_cert_t *)->hash, next->cert->hash, 32),
       "7030-4.1.3 then its root, which is self-signed");
    is_ok(brski_certs_only_parse(&certs, ca->cacerts, &brski_limits_default, pool),
          "7030-4.1.3 cacerts can be read");
    is_int(certs ? certs->nelts : 0, 5, "7030-4.1.3 and has them all");
}

/* ---- certificates ---- */

static brski_template_t *template_of(EVP_PKEY *key, int crl_ocsp)
{
    brski_profile_t p = brski_profile_default;
    brski_requester_t device = { .manufacturer = "acme", .serial_number = "J-1" };
    brski_template_t *t;
    brski_err_t *err;

    p.subject = "CN=%{serial}";
    p.crl_ocsp = crl_ocsp;
    err = brski_profile_apply(
        &t, &p, &device,
        testcsr_parsed(testcsr_make(key, testcsr_name("", pool), NO_OCTETS, pool), pool),
        unit_time(NOW), pool, pool);
    if (err) {
        bail_out("%s", brski_err_text(err, pool));
    }
    return t;
}

static const brski_cert_t *issue(brski_ca_t *ca, const brski_template_t *t)
{
    const brski_cert_t *cert = NULL;
    brski_bytes_t der;

    is_ok(ca->kind->issue(&der, ca, t, pool, pool), "7030-4.2.3 a certificate is issued");
    is_ok(brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool),
          "7030-4.2.3 which can be read");
    if (!cert) {
        bail_out("no certificate");
    }
    return cert;
}

static void test_issue(void)
{
    brski_ca_t *ca = usual_ca("crl=http://x.example/a.crl", "ocsp=http://x.example/ocsp");
    EVP_PKEY *key = testcsr_key("p256", pool);
    const brski_cert_t *cert = issue(ca, template_of(key, 1)), *other;
    brski_anchors_t *anchors;
    unsigned char *again = NULL;
    int len;

    brski_anchors_make(&anchors, testpki_certs(pool, root, NULL), pool);
    is_ok(brski_anchors_verify(NULL, anchors, cert, testpki_certs(pool, sub, NULL), unit_time(NOW),
                               0, 0, pool, pool),
          "5280-6.1 its chain is valid");
    is_str(cert->subject, "CN=J-1", "7030-4.2.3 its subject");
    is_str(cert->issuer, "CN=sub", "5280-4.1.2.4 its issuer");
    is_int(EVP_PKEY_eq(cert->key, key), 1, "7030-4.2.3 its key");
    is_mem(cert->aki_keyid.data, cert->aki_keyid.len, sub->cert->ski.data, sub->cert->ski.len,
           "5280-4.2.1.1 AKI is the issuer's SKI");
    is_int(cert->ski.len, 20, "5280-4.2.1.2 and it has one itself");
    is_int(X509_get_version(cert->x509), 2, "5280-4.1.2.1 version 3");
    is_int(cert->not_before, unit_time("2026-03-01T11:55:00Z"), "5280-4.1.2.5 its begin");
    is_int(cert->not_after, unit_time("2027-03-01T12:00:00Z"), "5280-4.1.2.5 and end");
    len = i2d_re_X509_tbs(cert->x509, &again);
    ok(len > 0 && !memcmp(again, cert->der.data + 4, (size_t)len),
       "5280-4.1 OpenSSL writes the same octets");
    OPENSSL_free(again);
    is_int(cert->client_auth, 1, "5280-4.2.1.12 its purpose");
    ok(X509_get_ext_by_NID(cert->x509, NID_crl_distribution_points, -1) >= 0,
       "5280-4.2.1.13 where the CRL is");
    ok(X509_get_ext_by_NID(cert->x509, NID_info_access, -1) >= 0, "5280-4.2.2.1 and OCSP");
    other = issue(ca, template_of(key, 0));
    ok(X509_get_ext_by_NID(other->x509, NID_crl_distribution_points, -1) < 0
           && X509_get_ext_by_NID(other->x509, NID_info_access, -1) < 0,
       "5280-4.2.2.1 neither when the profile does not want it");
    ok(strcmp(cert->cert_serial_hex, other->cert_serial_hex), "5280-4.1.2.2 another serial number");
}

static void test_urls(void)
{
    const brski_cert_t *cert = issue(usual_ca("crl=http://a/c", "ocsp=http://b/o"),
                                     template_of(testcsr_key("p256", pool), 1));
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert->x509, NID_crl_distribution_points, NULL, NULL);
    STACK_OF(OPENSSL_STRING) *ocsp = X509_get1_ocsp(cert->x509);
    const GENERAL_NAME *name =
        points ? sk_GENERAL_NAME_value(sk_DIST_POINT_value(points, 0)->distpoint->name.fullname, 0)
               : NULL;

    is_int(name ? name->type : -1, GEN_URI, "5280-4.2.1.13 the point is a URI");
    is_str(name ? (const char *)ASN1_STRING_get0_data(name->d.ia5) : NULL, "http://a/c",
           "5280-4.2.1.13 the one that was named");
    is_str(ocsp ? sk_OPENSSL_STRING_value(ocsp, 0) : NULL, "http://b/o", "5280-4.2.2.1 and OCSP's");
    CRL_DIST_POINTS_free(points);
    X509_email_free(ocsp);
}

/* Serial numbers begin with any octet and stay positive. */
static void test_serials(void)
{
    brski_ca_t *ca = usual_ca(NULL, NULL);
    brski_template_t *t = template_of(testcsr_key("p256", pool), 0);
    int i, longest = 0, shortest = 99, negative = 0;

    for (i = 0; i < 64; i++) {
        const brski_cert_t *cert = NULL;
        brski_bytes_t der;
        int len;

        if (ca->kind->issue(&der, ca, t, pool, pool)
            || brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool)) {
            bail_out("no certificate");
        }
        len = ASN1_STRING_length(X509_get0_serialNumber(cert->x509));
        negative += X509_get0_serialNumber(cert->x509)->type == V_ASN1_NEG_INTEGER;
        longest = len > longest ? len : longest;
        shortest = len < shortest ? len : shortest;
    }
    is_int(negative, 0, "5280-4.1.2.2 serial numbers are positive");
    is_int(longest, 16, "5280-4.1.2.2 and of 128 bits");
    is_int(shortest, 16, "5280-4.1.2.2 all of them");
}

static void test_ca_keys(void)
{
    static const char *const kinds[][2] = { { "P-256", "ecdsa-with-SHA256" },
                                            { "P-384", "ecdsa-with-SHA384" },
                                            { "P-521", "ecdsa-with-SHA512" },
                                            { "RSA-2048", "sha256WithRSAEncryption" },
                                            { "ED25519", "Ed25519" } };
    apr_array_header_t *none = apr_array_make(pool, 1, sizeof(brski_issued_t *));
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const pki_party_t *p =
            pki_make(NULL, (pki_spec_t){ .subject = "CN=ca", .key = kinds[i][0], .ca = 1 }, pool);
        brski_ca_t *ca = make_ca(words(save_certs("ca.pem", pki_certs(pool, p, NULL, NULL, NULL)),
                                       save_key("ca.key", p->key), NULL, NULL));
        const brski_cert_t *cert = issue(ca, template_of(testcsr_key("p256", pool), 0));
        brski_bytes_t der;

        is_int(X509_verify(cert->x509, p->key), 1, "5280-4.1.1.3 signed with %s", kinds[i][0]);
        is_str(OBJ_nid2ln(X509_get_signature_nid(cert->x509)),
               kinds[i][1][0] == 'E' ? "ED25519" : kinds[i][1], "5280-4.1.1.2 and its algorithm");
        is_ok(ca->kind->crl(&der, ca, none, 1, unit_time(NOW), unit_time(NOW), pool, pool),
              "5280-5.1 a CRL too");
    }
}

static void test_end(void)
{
    testpki_t *brief = make_cert(
        (testpki_spec_t){ .cn = "brief", .ca = 1, .not_after = "2026-04-01T00:00:00Z" }, root);
    brski_ca_t *ca = make_ca(words(save_certs("brief.pem", testpki_certs(pool, brief, root, NULL)),
                                   save_key("brief.key", brief->key), NULL, NULL));
    brski_template_t *t = template_of(testcsr_key("p256", pool), 0);
    brski_bytes_t der;

    is_int(issue(ca, t)->not_after, unit_time("2026-04-01T00:00:00Z"),
           "5280-4.1.2.5 a certificate does not outlive its CA");
    t->not_before = brief->cert->not_before - apr_time_from_sec(1);
    is_int(issue(ca, t)->not_before, brief->cert->not_before,
           "5280-4.1.2.5 nor is it older than it");
    unit_ctx_set_now(ctx, unit_time("2026-04-01T00:00:00Z"));
    is_err(ca->kind->issue(&der, ca, t, pool, pool), CA_UNAVAILABLE,
           "7030-4.2.3 a CA that has expired issues nothing");
    unit_ctx_set_now(ctx, unit_time(NOW));
}

/* RFC 5280 4.1.2.5: UTCTime up to 2049. */
static void test_centuries(void)
{
    brski_ca_t *ca;
    brski_template_t *t = template_of(testcsr_key("p256", pool), 0);
    testpki_t *long_one = make_cert(
        (testpki_spec_t){ .cn = "long", .ca = 1, .not_after = "2120-01-01T00:00:00Z" }, NULL);
    const char *times[] = { "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z",
                            "2119-12-31T00:00:00Z" };
    size_t i;

    ca = make_ca(words(save_certs("long.pem", testpki_certs(pool, long_one, NULL)),
                       save_key("long.key", long_one->key), NULL, NULL));
    for (i = 0; i < 3; i++) {
        const brski_cert_t *cert;

        t->not_after = unit_time(times[i]);
        cert = issue(ca, t);
        is_int(cert->not_after, t->not_after, "5280-4.1.2.5 the end %s", times[i]);
        is_int(X509_get0_notAfter(cert->x509)->type, i ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME,
               "5280-4.1.2.5 as its time wants it");
    }
}

static void test_away(void)
{
    const char *chain = save_certs("chain.pem", testpki_certs(pool, sub, root, NULL));
    brski_ca_t *ca = make_ca(words(chain, path("nowhere.key"), NULL, NULL));
    apr_array_header_t *none = apr_array_make(pool, 1, sizeof(brski_issued_t *));
    brski_bytes_t der;
    brski_err_t *err;

    ok(ca->away != NULL, "7030-4.2.3 a CA whose key is away says so");
    is_str(ca->key_id, sub->cert->spki_hex, "7030-4.2.3 and which it is");
    err = ca->kind->issue(&der, ca, template_of(testcsr_key("p256", pool), 0), pool, pool);
    is_err(err, CA_UNAVAILABLE, "7030-4.2.3 it issues nothing");
    is_int(err ? err->status : 0, 503, "7030-4.2.3 now");
    is_err(ca->kind->crl(&der, ca, none, 1, unit_time(NOW), unit_time(NOW), pool, pool),
           CA_UNAVAILABLE, "5280-5 nor a CRL");
    ok(ca->cacerts.len > 0, "7030-4.1 its chain is told all the same");
}

/* ---- CRLs ---- */

static brski_issued_t *revoked(const char *serial, const char *at, int reason)
{
    brski_issued_t *issued = apr_pcalloc(pool, sizeof(*issued));

    issued->serial = serial;
    issued->revoked_at = unit_time(at);
    issued->reason = reason;
    return issued;
}

static X509_CRL *make_crl(brski_ca_t *ca, const apr_array_header_t *list, apr_int64_t number)
{
    const unsigned char *at;
    brski_bytes_t der;
    X509_CRL *crl;

    is_ok(ca->kind->crl(&der, ca, list, number, unit_time(NOW), unit_time("2026-03-02T12:00:00Z"),
                        pool, pool),
          "5280-5.1 a CRL is made");
    at = der.data;
    crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    if (!crl || at != der.data + der.len) {
        bail_out("OpenSSL does not read the CRL");
    }
    return crl;
}

static void test_crl(void)
{
    brski_ca_t *ca = usual_ca(NULL, NULL);
    apr_array_header_t *list = apr_array_make(pool, 3, sizeof(brski_issued_t *));
    X509_REVOKED *entry;
    ASN1_INTEGER *number;
    ASN1_ENUMERATED *reason;
    AUTHORITY_KEYID *aki;
    X509_CRL *crl;

    APR_ARRAY_PUSH(list, brski_issued_t *) = revoked("80ff", "2026-02-01T00:00:00Z", 1);
    APR_ARRAY_PUSH(list, brski_issued_t *) = revoked("01", "2026-02-02T00:00:00Z", 0);
    crl = make_crl(ca, list, 300);
    is_int(X509_CRL_verify(crl, sub->key), 1, "5280-5.1.1.3 its signature verifies");
    is_int(X509_CRL_get_version(crl), 1, "5280-5.1.2.1 version 2");
    ok(!X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(sub->cert->x509)),
       "5280-5.1.2.3 its issuer");
    is_int(brski_cert_time(X509_CRL_get0_nextUpdate(crl)), unit_time("2026-03-02T12:00:00Z"),
           "5280-5.1.2.5 nextUpdate");
    number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    is_int(number ? ASN1_INTEGER_get(number) : 0, 300, "5280-5.2.3 its number");
    ASN1_INTEGER_free(number);
    aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
    ok(aki && aki->keyid && ASN1_STRING_length(aki->keyid) == 20, "5280-5.2.1 AKI");
    AUTHORITY_KEYID_free(aki);
    is_int(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 2, "5280-5.1.2.6 both entries");
    entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);
    is_int(X509_REVOKED_get0_serialNumber(entry)->type, V_ASN1_INTEGER,
           "5280-5.1.2.6 a serial number with its high bit set is positive");
    is_int(brski_cert_time(X509_REVOKED_get0_revocationDate(entry)),
           unit_time("2026-02-01T00:00:00Z"), "5280-5.1.2.6 when it was revoked");
    reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    is_int(reason ? ASN1_ENUMERATED_get(reason) : -1, 1, "5280-5.3.1 and why");
    ASN1_ENUMERATED_free(reason);
    entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 1);
    is_int(X509_REVOKED_get_ext_count(entry), 0, "5280-5.3.1 unspecified is left out");
    X509_CRL_free(crl);
    apr_array_clear(list);
    crl = make_crl(ca, list, 301);
    ok(!X509_CRL_get_REVOKED(crl), "5280-5.1.2.6 an empty list is left out");
    X509_CRL_free(crl);
}

static void test_no_crl_sign(void)
{
    pki_spec_t spec = { .subject = "CN=no crl",
                        .plain = 1,
                        .ext = { "basicConstraints=critical,CA:TRUE",
                                 "keyUsage=critical,keyCertSign" } };
    const pki_party_t *p = pki_make(NULL, spec, pool);
    brski_ca_t *ca = make_ca(words(save_certs("nocrl.pem", pki_certs(pool, p, NULL, NULL, NULL)),
                                   save_key("nocrl.key", p->key), NULL, NULL));
    apr_array_header_t *none = apr_array_make(pool, 1, sizeof(brski_issued_t *));
    brski_bytes_t der;

    is_err(ca->kind->crl(&der, ca, none, 1, unit_time(NOW), unit_time(NOW), pool, pool),
           CA_UNAVAILABLE, "5280-4.2.1.3 a CA without cRLSign signs none");
    is_int(issue(ca, template_of(testcsr_key("p256", pool), 0))->aki_keyid.len, 20,
           "5280-4.2.1.1 a CA without SKI is named by its key");
}

int main(void)
{
    pool = unit_start();
    ctx = unit_ctx(unit_time(NOW), pool);
    dir = unit_tempdir(pool);
    root = make_cert((testpki_spec_t){ .cn = "root", .ca = 1 }, NULL);
    sub = make_cert((testpki_spec_t){ .cn = "sub", .ca = 1 }, root);
    test_words();
    test_chains();
    test_rollover();
    test_issue();
    test_urls();
    test_serials();
    test_ca_keys();
    test_end();
    test_centuries();
    test_away();
    test_crl();
    test_no_crl_sign();
    return done_testing();
}
