/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cms_test.c: every published message gives the verdict that is known of it, what we sign
 * OpenSSL verifies, and what is changed, cut, or not in the profile is refused with its reason.
 */
#include "brski_cms.h"

#include <apr_strings.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_cms_alg.h"
#include "brski_der.h"
#include "brski_time.h"
#include "pki.h"
#include "unit.h"

#define NOW "2026-11-21T00:00:00Z"
#define CONTENT "{\"ietf-voucher:voucher\":{}}"

static brski_cms_t *parse(brski_bytes_t der, apr_pool_t *pool)
{
    brski_cms_t *cms = NULL;
    brski_err_t *err = brski_cms_parse(&cms, der, &brski_limits_default, NULL, pool);

    if (err) {
        diag("%s", brski_err_text(err, pool));
    }
    return cms;
}

/* Parse and verify. */
static brski_err_t *judge(brski_bytes_t der, apr_pool_t *pool)
{
    brski_cms_t *cms;

    BRSKI_TRY(brski_cms_parse(&cms, der, &brski_limits_default, NULL, pool));
    return brski_cms_verify(cms, pool);
}

/* OpenSSL's opinion, without chain. */
static int openssl_verifies(brski_bytes_t der)
{
    const unsigned char *at = der.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    BIO *out = BIO_new(BIO_s_mem());
    int good =
        cms && CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;

    BIO_free(out);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return good;
}

/* ---- published messages ---- */

typedef struct known_t {
    const char *file;
    const char *signed_at;
    int certs;
    int chain; /* certificates that form the signer's chain */
    const char *anchor; /* anchors that it leads to then, or NULL */
    const char *not_now; /* why it does not today; NULL when it does */
} known_t;

static const known_t known[] = {
    { "cms-rfc8995-appC/pvr.der", "2021-04-13T21:43:23Z", 1, 1, "cms-rfc8995-appC/vendor.crt.pem",
      "expired on" },
    { "cms-rfc8995-appC/rvr.der", "2021-04-13T21:43:23Z", 2, 2,
      "cms-rfc8995-appC/ownerca_secp384r1.crt.pem", "expired on" },
    { "cms-rfc8995-appC/voucher.der", "2021-04-13T21:43:24Z", 1, 1,
      "cms-rfc8995-appC/vendor.crt.pem", "expired on" },
    { "cms-minerva-2d/pvr.der", "2019-05-15T21:25:55Z", 1, 1, "cms-minerva-2d/highway-ca.crt.pem",
      "expired on" },
    { "cms-minerva-2d/rvr.der", "2019-05-15T21:25:55Z", 2, 1, NULL, "unable to get local issuer" },
    { "cms-minerva-2d/voucher-other-run.der", "2019-05-16T02:51:42Z", 1, 1,
      "cms-minerva-2d/highway-ca.crt.pem", "expired on" },
    { "cms-highway-negative/rvr-serial-and-proximity-mismatch.der", "2019-04-04T16:27:09Z", 2, 1,
      NULL, "unable to get local issuer" },
    { "cms-highway-negative/rvr-siemens-nonced-no-prior.der", "2018-12-14T05:59:09Z", 2, 2,
      "cms-highway-negative/siemens-testca.crt.pem", NULL },
    { "cms-highway-negative/rvr-f2-00-02-2017.der", "2017-10-12T18:09:12Z", 1, 1, NULL,
      "unable to get local issuer" },
    { "cms-highway-negative/rvr-prior-is-plain-json.der", "2018-11-22T20:25:17Z", 1, 1, NULL,
      "unable to get local issuer" },
    { "cms-minerva-2019-pair/pvr.der", "2019-02-14T18:10:10Z", 1, 1,
      "cms-minerva-2019-pair/highway-test-ca-2019.crt.pem", "expired on" },
    { "cms-minerva-2019-pair/voucher.der", "2019-02-14T18:10:11Z", 1, 1,
      "cms-minerva-2019-pair/highway-test-ca-2019.crt.pem", "expired on" },
    { "cms-minerva-2019-pair/voucher-f2-00-02.der", "2019-04-04T18:55:49Z", 1, 1,
      "cms-minerva-2019-pair/highway-test-ca-2019.crt.pem", "expired on" },
    { "cms-fountain/florean-pvr.der", "2019-08-21T00:02:56Z", 1, 1,
      "cms-fountain/florean-ca.crt.pem", "expired on" },
    { "cms-fountain/florean-voucher-other-run.der", "2019-07-02T14:06:10Z", 1, 1,
      "cms-fountain/florean-ca.crt.pem", "expired on" },
    { "cms-fountain/pvr-081196.der", "2017-10-10T21:04:01Z", 1, 1,
      "cms-fountain/highway-ca-2016.crt.pem", "expired on" },
    { "cms-fountain/voucher-081196.der", "2017-10-10T21:04:04Z", 1, 1,
      "cms-fountain/highway-ca-2016.crt.pem", "expired on" },
};

static brski_anchors_t *anchors_of(const char *file, apr_pool_t *pool)
{
    apr_array_header_t *paths = apr_array_make(pool, 1, sizeof(const char *));
    brski_anchors_t *anchors = NULL;

    if (file) {
        APR_ARRAY_PUSH(paths, const char *) = unit_vector(file, pool);
    }
    is_ok(brski_anchors_load(&anchors, paths, pool), "5.5.5 anchors of %s", file ? file : "nobody");
    return anchors;
}

static void judges_chain(const known_t *k, const brski_cms_t *cms, apr_pool_t *pool)
{
    brski_anchors_t *anchors = anchors_of(k->anchor, pool);
    brski_chain_t *chain;
    brski_err_t *err;

    is_ok(brski_chain_build(&chain, cms->signer, cms->certs, pool, pool), "5.5.2 %s", k->file);
    is_int(chain->certs->nelts, k->chain, "5.5.2 chain of %s", k->file);
    is_ok(brski_chain_verify(chain, cms->signing_time, 0, pool),
          "5.5.3 %s was valid in itself when it was signed", k->file);
    err = brski_anchors_verify(NULL, anchors, cms->signer, cms->certs, cms->signing_time, 0, 0,
                               pool, pool);
    ok(!err == !!k->anchor, "5.5.3 %s: its issuer was %s then", k->file,
       k->anchor ? "good" : "unknown");
    err = brski_anchors_verify(NULL, anchors, cms->signer, cms->certs, unit_time(NOW), 0, 0, pool,
                               pool);
    if (k->not_now) {
        has_str(err ? err->public_text : "", k->not_now, "5.5.3 %s is not valid today", k->file);
    }
    else {
        is_ok(err, "5.5.3 %s is valid today", k->file);
    }
}

static void judges_known(const known_t *k, apr_pool_t *pool)
{
    const char *path = unit_vector(k->file, pool);
    brski_bytes_t der;
    brski_cms_t *cms;

    if (!path) {
        skip(1, "BRSKI_VECTORS names no vectors");
        return;
    }
    der = unit_file(path, pool);
    cms = parse(der, pool);
    if (!ok(cms && cms->signer, "8366-5.4 parses %s", k->file)) {
        return;
    }
    is_int(cms->certs->nelts, k->certs, "8366-5.4 certificates of %s", k->file);
    is_int(cms->econtent, BRSKI_ECONTENT_DATA, "8366-5.4 id-data in %s", k->file);
    is_str(brski_time_rfc3339(cms->signing_time, pool), k->signed_at, "5652-11.3 signingTime");
    is_ok(brski_cms_verify(cms, pool), "5.5.3 signature of %s", k->file);
    ok(openssl_verifies(der), "5.5.3 OpenSSL agrees about %s", k->file);
    judges_chain(k, cms, pool);
}

static void judges_all_known(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        judges_known(&known[i], pool);
    }
}

/* Vectors that are not CMS at all. */
static void refuses_known_bad(apr_pool_t *pool)
{
    const char *empty = unit_vector("cms-fountain/voucher-empty.der", pool);
    const char *broken = unit_vector("cms-highway-negative/rvr-broken.b64", pool);
    const char *certs_only = unit_vector("est-rfc7030-cacerts-csrattrs/cacerts.p7.der", pool);

    if (!empty || !broken || !certs_only) {
        skip(3, "BRSKI_VECTORS names no vectors");
        return;
    }
    is_err(judge(unit_file(empty, pool), pool), CMS, "8366-5.4 refuses an empty body");
    is_err(judge(unit_file(broken, pool), pool), CMS, "8366-5.4 refuses base64");
    is_err(judge(unit_file(certs_only, pool), pool), CMS, "8366-5.4 refuses certs-only");
}

/* ---- the RFC's own, always there ---- */

static brski_bytes_t appendix(const char *file, apr_pool_t *pool)
{
    return unit_file(unit_source(apr_pstrcat(pool, "t/vectors/rfc8995-appC/", file, NULL), pool),
                     pool);
}

static void reads_the_appendix(apr_pool_t *pool)
{
    brski_cms_t *rvr = parse(appendix("rvr.der", pool), pool);
    brski_chain_t *chain;

    ok(rvr && rvr->signer && rvr->signer->cmc_ra, "C.2.2 signed by a registrar");
    is_int(rvr->certs->nelts, 2, "C.2.2 two certificates");
    is_ok(brski_cms_verify(rvr, pool), "C.2.2 signature");
    is_ok(brski_chain_build(&chain, rvr->signer, rvr->certs, pool, pool), "C.2.2 chain");
    is_int(chain->certs->nelts, 2, "C.2.2 up to the domain's CA");
    is_ok(brski_chain_verify(chain, rvr->signing_time, 0, pool),
          "C.2.2 valid then, its critical EKU notwithstanding");
    is_err(brski_chain_verify(chain, unit_time(NOW), 0, pool), PKIX, "C.2.2 not now");
    is_ok(judge(appendix("pvr.der", pool), pool), "C.2.1 signature");
    is_ok(judge(appendix("voucher.der", pool), pool), "C.2.3 signature");
    has_str((const char *)rvr->content.data, "ietf-voucher-request:voucher", "C.2.2 content");
}

/* A copy in memory of its own, whose end is guarded by the sanitizers. */
static brski_err_t *judge_copy(const unsigned char *data, size_t len, apr_pool_t *pool)
{
    unsigned char *copy = malloc(len ? len : 1);
    brski_err_t *err;

    memcpy(copy, data, len);
    err = judge(brski_bytes(copy, len), pool);
    free(copy);
    return err;
}

static void survives_truncation(apr_pool_t *pool)
{
    brski_bytes_t rvr = appendix("rvr.der", pool);
    apr_pool_t *scratch;
    size_t len, accepted = 0;

    apr_pool_create(&scratch, pool);
    for (len = 0; len < rvr.len; len++) {
        brski_err_t *err = judge_copy(rvr.data, len, scratch);

        accepted += !err || err->code != BRSKI_E_CMS;
        apr_pool_clear(scratch);
    }
    is_int(accepted, 0, "8366-5.4 a message cut anywhere is not CMS");
}

/* Where part last occurs in whole. */
static size_t last_at(brski_bytes_t whole, brski_bytes_t part)
{
    size_t at = whole.len - part.len;

    while (at > 0 && memcmp(whole.data + at, part.data, part.len)) {
        at--;
    }
    return at;
}

static int is_in(size_t at, brski_bytes_t whole, brski_bytes_t part)
{
    size_t from = last_at(whole, part);

    return at >= from && at < from + part.len;
}

/*
 * Octets that the signature does not cover: certificates, for which the chain answers; the name of
 * the signer's issuer, whose letters may be of either case, and SignerInfo's version before it;
 * what comes before the content.
 */
static int is_unsigned_octet(brski_bytes_t der, size_t at, apr_pool_t *pool)
{
    const brski_cms_t *cms = parse(der, pool);
    brski_bytes_t issuer = brski_cert_full(cms->signer)->issuer_der;
    int i;

    for (i = 0; i < cms->certs->nelts; i++) {
        if (is_in(at, der, APR_ARRAY_IDX(cms->certs, i, const brski_cert_t *)->der)) {
            return 1;
        }
    }
    return is_in(at, der, issuer) || at + 3 == last_at(der, issuer)
           || der.data + at < cms->content.data;
}

static void flip_bit(brski_bytes_t der, unsigned char *changed, size_t bit, size_t *accepted,
                     brski_cert_cache_t *cache, apr_pool_t *scratch)
{
    brski_bytes_t message = { changed, der.len };
    size_t at = bit / 8;
    brski_cms_t *cms;

    changed[at] ^= (unsigned char)(1 << bit % 8);
    if (!brski_cms_parse(&cms, message, &brski_limits_default, cache, scratch)
        && !brski_cms_verify(cms, scratch) && !is_unsigned_octet(der, at, scratch)) {
        diag("a change at %lu verifies", (unsigned long)at);
        ++*accepted;
    }
    changed[at] = der.data[at];
}

/* One bit of each octet; all of them when UNIT_ALL is set. */
static void survives_bit_flips(apr_pool_t *pool)
{
    brski_bytes_t rvr = appendix("rvr.der", pool);
    unsigned char *changed = apr_pmemdup(pool, rvr.data, rvr.len);
    brski_cert_cache_t *cache = brski_cert_cache_make(64, pool);
    size_t bit, accepted = 0, step = getenv("UNIT_ALL") ? 1 : 9;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (bit = 0; bit < rvr.len * 8; bit += step) {
        flip_bit(rvr, changed, bit, &accepted, cache, scratch);
        apr_pool_clear(scratch);
    }
    is_int(accepted, 0, "5.5.3 a changed message never verifies");
}

/* ---- made for the purpose ---- */

typedef struct cast_t {
    const pki_party_t *root;
    const pki_party_t *ee;
    const pki_party_t *other;
} cast_t;

static cast_t make_cast(const char *key, apr_pool_t *pool)
{
    cast_t c;

    c.root = pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    c.ee = pki_make(c.root, (pki_spec_t){ .subject = "CN=EE", .key = key }, pool);
    c.other = pki_make(c.root, (pki_spec_t){ .subject = "CN=Other" }, pool);
    return c;
}

static void says(brski_err_t *err, const char *what, const char *label)
{
    has_str(err ? err->public_text : "(accepted)", what, "8366-5.4 %s: says so", label);
}

static void refuses_other_profiles(const cast_t *c, apr_pool_t *pool)
{
    brski_err_t *err;

    is_ok(judge(pki_cms(CONTENT, c->ee, NULL, NULL, 0, pool), pool), "8366-5.4 OpenSSL's CMS");
    is_ok(judge(pki_cms(CONTENT, c->ee, NULL, NULL, CMS_USE_KEYID, pool), pool),
          "5652-5.3 signer named by its key identifier");
    err = judge(pki_cms(CONTENT, c->ee, NULL, NULL, CMS_DETACHED, pool), pool);
    is_err(err, CMS, "8366-5.4 refuses detached content");
    says(err, "the content is detached", "detached");
    err = judge(pki_cms(CONTENT, c->ee, c->other, NULL, 0, pool), pool);
    is_err(err, CMS, "8366-5.4 refuses two SignerInfos");
    says(err, "more than one signer", "two SignerInfos");
    err = judge(pki_cms(CONTENT, c->ee, NULL, NULL, PKI_CMS_BER, pool), pool);
    is_err(err, CMS, "8366-5.4 refuses indefinite lengths");
    says(err, "indefinite length", "indefinite");
    err = judge(pki_cms(CONTENT, c->ee, NULL, NULL, CMS_NOATTR, pool), pool);
    is_err(err, SIGNED_ATTRS, "5.5.3 refuses signed attributes missing");
    says(err, "there are none", "no attributes");
    err = judge(pki_cms(CONTENT, c->ee, NULL, NULL, CMS_NOCERTS, pool), pool);
    is_err(err, CHAIN, "5.5.2 refuses a signer whose certificate is missing");
    err = judge(brski_bytes_str("{\"ietf-voucher-request:voucher\":{}}"), pool);
    is_err(err, CMS, "8366-5.4 refuses plain JSON");
}

static void refuses_weak_algorithms(const cast_t *c, apr_pool_t *pool)
{
    const cast_t rsa = make_cast("RSA-2048", pool), short_rsa = make_cast("RSA-1024", pool);
    const cast_t koblitz = make_cast("secp256k1", pool), p384 = make_cast("P-384", pool);

    is_err(judge(pki_cms(CONTENT, c->ee, NULL, "SHA1", 0, pool), pool), ALGORITHM,
           "5.5.3 refuses SHA-1 with ECDSA");
    is_err(judge(pki_cms(CONTENT, rsa.ee, NULL, "SHA1", 0, pool), pool), ALGORITHM,
           "5.5.3 refuses SHA-1 with RSA");
    is_err(judge(pki_cms(CONTENT, rsa.ee, NULL, "MD5", 0, pool), pool), ALGORITHM,
           "5.5.3 refuses MD5");
    is_err(judge(pki_cms(CONTENT, short_rsa.ee, NULL, NULL, 0, pool), pool), ALGORITHM,
           "5.5.3 refuses RSA-1024");
    is_err(judge(pki_cms(CONTENT, koblitz.ee, NULL, NULL, 0, pool), pool), ALGORITHM,
           "5.5.3 refuses secp256k1");
    is_ok(judge(pki_cms(CONTENT, rsa.ee, NULL, NULL, 0, pool), pool), "5.5.3 takes RSA-2048");
    is_ok(judge(pki_cms(CONTENT, rsa.ee, NULL, "SHA512", 0, pool), pool), "5.5.3 takes SHA-512");
    is_ok(judge(pki_cms(CONTENT, p384.ee, NULL, "SHA384", 0, pool), pool), "5.5.3 takes P-384");
}

static void keeps_limits(const cast_t *c, apr_pool_t *pool)
{
    brski_bytes_t der = pki_cms(CONTENT, c->ee, NULL, NULL, 0, pool);
    brski_bytes_t longer = brski_bytes_dup(der, pool);
    brski_limits_t limits = brski_limits_default;
    brski_cms_t *cms;
    brski_err_t *err;

    limits.certificates = 0;
    err = brski_cms_parse(&cms, der, &limits, NULL, pool);
    is_err(err, LIMIT, "5.5 refuses more certificates than the limit");
    limits.certificates = 1;
    is_ok(brski_cms_parse(&cms, der, &limits, NULL, pool), "5.5 takes as many");
    limits.certificate = 100;
    is_err(brski_cms_parse(&cms, der, &limits, NULL, pool), LIMIT,
           "5.5 refuses a certificate over the limit");
    longer.len++; /* the NUL that follows a copy */
    err = judge(longer, pool);
    is_err(err, CMS, "8366-5.4 refuses octets after the message");
    says(err, "followed by more octets", "trailing octets");
}

/* ---- built by hand ---- */

/* A message to be; what is NULL or 0 is as it should be. */
typedef struct hand_t {
    const cast_t *cast;
    const char *content;
    brski_bytes_t oid; /* eContentType */
    brski_bytes_t attr_oid; /* contentType attribute */
    int no_type, no_digest, two_types, two_digests, two_values, wrong_digest;
    brski_bytes_t digest_algorithm; /* content of the AlgorithmIdentifier */
    brski_bytes_t signature_algorithm;
    int pss; /* sign that way */
    const char *md;
    int other_certificates; /* an attribute certificate among them */
    int no_signer;
    int crls; /* and CRLs */
    int unsigned_attrs;
} hand_t;

static const brski_bytes_t sha256_id = { (const unsigned char *)"\x06\x09\x60\x86\x48\x01\x65"
                                                                "\x03\x04\x02\x01",
                                         11 };
static const brski_bytes_t ecdsa_sha256_id = { (const unsigned char *)"\x06\x08\x2A\x86\x48\xCE"
                                                                      "\x3D\x04\x03\x02",
                                               10 };
static const brski_bytes_t one = { (const unsigned char *)"\x02\x01\x01", 3 };

static brski_bytes_t wrap(int tag, apr_pool_t *pool, brski_bytes_t a, brski_bytes_t b)
{
    brski_bytes_t pieces[] = { a, b };

    return brski_der_make(tag, pool, 2, pieces);
}

#define NOTHING brski_bytes(NULL, 0)

static brski_bytes_t attribute(brski_bytes_t oid, brski_bytes_t value, int twice, apr_pool_t *pool)
{
    return wrap(BRSKI_DER_SEQUENCE, pool, wrap(BRSKI_DER_OID, pool, oid, NOTHING),
                wrap(BRSKI_DER_SET, pool, value, twice ? value : NOTHING));
}

static brski_bytes_t hand_attributes(const hand_t *h, apr_pool_t *pool)
{
    brski_bytes_t type = wrap(BRSKI_DER_OID, pool, h->attr_oid.len ? h->attr_oid : h->oid, NOTHING);
    const brski_cms_digest_t *digest = brski_cms_digest_find(h->digest_algorithm);
    unsigned char hash[EVP_MAX_MD_SIZE];
    brski_bytes_t attrs[4];
    int n = 0, i;

    brski_cms_digest(hash, digest, brski_bytes_str(h->wrong_digest ? "{}" : h->content), NULL);
    for (i = 0; i < (h->no_type ? 0 : h->two_types ? 2 : 1); i++) {
        attrs[n++] = attribute(brski_oid_content_type, type, 0, pool);
    }
    for (i = 0; i < (h->no_digest ? 0 : h->two_digests ? 2 : 1); i++) {
        attrs[n++] =
            attribute(brski_oid_message_digest,
                      wrap(BRSKI_DER_OCTET_STRING, pool, brski_bytes(hash, digest->len), NOTHING),
                      h->two_values, pool);
    }
    return brski_der_make(BRSKI_DER_SET, pool, n, attrs);
}

static brski_bytes_t hand_signature(const hand_t *h, brski_bytes_t attrs, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx;
    size_t len = 1024;
    unsigned char *made = apr_palloc(pool, len);

    if (EVP_DigestSignInit_ex(ctx, &key_ctx, h->md, NULL, NULL, h->cast->ee->key, NULL) != 1
        || (h->pss && EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) <= 0)
        || EVP_DigestSign(ctx, made, &len, attrs.data, attrs.len) != 1) {
        bail_out("signing by hand");
    }
    EVP_MD_CTX_free(ctx);
    return brski_bytes(made, len);
}

static brski_bytes_t hand_signer_info(const hand_t *h, apr_pool_t *pool)
{
    const brski_cert_full_t *full = brski_cert_full(h->cast->ee->cert);
    brski_bytes_t attrs = hand_attributes(h, pool), signature = hand_signature(h, attrs, pool);
    brski_bytes_t pieces[] = { one,
                               wrap(BRSKI_DER_SEQUENCE, pool, full->issuer_der, full->serial_der),
                               wrap(BRSKI_DER_SEQUENCE, pool, h->digest_algorithm, NOTHING),
                               attrs,
                               wrap(BRSKI_DER_SEQUENCE, pool, h->signature_algorithm, NOTHING),
                               wrap(BRSKI_DER_OCTET_STRING, pool, signature, NOTHING),
                               h->unsigned_attrs
                                   ? wrap(BRSKI_DER_CONTEXT(1), pool,
                                          attribute(brski_oid_data, one, 0, pool), NOTHING)
                                   : NOTHING };

    *(unsigned char *)attrs.data = BRSKI_DER_CONTEXT(0);
    return brski_der_make(BRSKI_DER_SEQUENCE, pool, 7, pieces);
}

static brski_bytes_t hand_made(hand_t h, apr_pool_t *pool)
{
    brski_bytes_t pieces[6], content;
    brski_bytes_t attribute_certificate = wrap(BRSKI_DER_CONTEXT(2), pool, one, NOTHING);

    h.content = h.content ? h.content : CONTENT;
    content = wrap(BRSKI_DER_OCTET_STRING, pool, brski_bytes_str(h.content), NOTHING);
    h.oid = h.oid.len ? h.oid : brski_oid_anima_json;
    h.digest_algorithm = h.digest_algorithm.len ? h.digest_algorithm : sha256_id;
    h.signature_algorithm = h.signature_algorithm.len ? h.signature_algorithm : ecdsa_sha256_id;
    pieces[0] = one;
    pieces[1] = wrap(BRSKI_DER_SET, pool,
                     wrap(BRSKI_DER_SEQUENCE, pool, h.digest_algorithm, NOTHING), NOTHING);
    pieces[2] = wrap(BRSKI_DER_SEQUENCE, pool, wrap(BRSKI_DER_OID, pool, h.oid, NOTHING),
                     wrap(BRSKI_DER_CONTEXT(0), pool, content, NOTHING));
    pieces[3] = wrap(BRSKI_DER_CONTEXT(0), pool, h.cast->ee->cert->der,
                     h.other_certificates ? attribute_certificate : NOTHING);
    pieces[4] = h.crls ? wrap(BRSKI_DER_CONTEXT(1), pool, one, NOTHING) : NOTHING;
    pieces[5] =
        wrap(BRSKI_DER_SET, pool, h.no_signer ? NOTHING : hand_signer_info(&h, pool), NOTHING);
    content = brski_der_make(BRSKI_DER_SEQUENCE, pool, 6, pieces);
    return wrap(BRSKI_DER_SEQUENCE, pool, wrap(BRSKI_DER_OID, pool, brski_oid_signed_data, NOTHING),
                wrap(BRSKI_DER_CONTEXT(0), pool, content, NOTHING));
}

#define HAND(...) judge(hand_made((hand_t){ .cast = c, .md = "SHA256", __VA_ARGS__ }, pool), pool)

static void judges_attributes(const cast_t *c, apr_pool_t *pool)
{
    brski_err_t *err = HAND(.content = "");

    is_err(err, CMS, "8366-5.4 refuses empty content");
    says(err, "the content is empty", "empty");
    err = HAND(.no_signer = 1);
    is_err(err, CMS, "8366-5.4 refuses no SignerInfo");
    says(err, "no signer", "no SignerInfo");
    is_ok(HAND(0), "8366-5.4 id-ct-animaJSONVoucher");
    is_ok(HAND(.oid = brski_oid_data), "8366-5.4 id-data");
    is_err(HAND(.oid = brski_oid_signed_data), CMS, "8366-5.4 refuses another eContentType");
    is_err(HAND(.attr_oid = brski_oid_data), SIGNED_ATTRS,
           "5652-11.1 refuses a contentType that is not the eContentType");
    is_err(HAND(.no_type = 1), SIGNED_ATTRS, "5652-11.1 refuses no contentType");
    is_err(HAND(.no_digest = 1), SIGNED_ATTRS, "5652-11.2 refuses no messageDigest");
    is_err(HAND(.two_types = 1), SIGNED_ATTRS, "5652-11.1 refuses two contentTypes");
    is_err(HAND(.two_digests = 1), SIGNED_ATTRS, "5652-11.2 refuses two messageDigests");
    is_err(HAND(.two_values = 1), SIGNED_ATTRS, "5652-11.2 refuses two values of messageDigest");
    is_err(HAND(.wrong_digest = 1), SIGNATURE, "5652-5.6 refuses another content's digest");
    is_ok(HAND(.other_certificates = 1), "5652-10.2.2 other kinds of certificates are ignored");
    is_ok(HAND(.crls = 1), "5652-10.2.1 CRLs are ignored");
    is_ok(HAND(.unsigned_attrs = 1), "5652-11.4 unsigned attributes are ignored");
}

static void judges_algorithms(const cast_t *c, apr_pool_t *pool)
{
    static const brski_bytes_t ec_key = { (const unsigned char *)"\x06\x07\x2A\x86\x48\xCE\x3D\x02"
                                                                 "\x01",
                                          9 };
    static const brski_bytes_t ecdsa_384 = { (const unsigned char *)"\x06\x08\x2A\x86\x48\xCE\x3D"
                                                                    "\x04\x03\x03",
                                             10 };
    static const brski_bytes_t rsa_256 = { (const unsigned char *)"\x06\x09\x2A\x86\x48\x86\xF7"
                                                                  "\x0D\x01\x01\x0B\x05\x00",
                                           13 };
    static const brski_bytes_t shake = { (const unsigned char *)"\x06\x09\x60\x86\x48\x01\x65\x03"
                                                                "\x04\x02\x0C",
                                         11 };

    is_ok(HAND(.signature_algorithm = ec_key), "5.5.3 id-ecPublicKey is read as ECDSA");
    is_err(HAND(.signature_algorithm = ecdsa_384), ALGORITHM,
           "5652-5.3 refuses digestAlgorithm SHA-256 with ecdsa-with-SHA384");
    is_err(HAND(.signature_algorithm = rsa_256), ALGORITHM,
           "5652-5.3 refuses an RSA algorithm for an EC key");
    is_err(HAND(.signature_algorithm = NOTHING, .digest_algorithm = shake), ALGORITHM,
           "8419-3.1 refuses SHAKE256 for an EC key");
    is_err(HAND(.signature_algorithm = brski_bytes("\x05\x00", 2)), ALGORITHM,
           "5652-5.3 refuses an algorithm without identifier");
}

static brski_bytes_t pss_id(int with_hash, int other_mgf, apr_pool_t *pool)
{
    static const brski_bytes_t oid = { (const unsigned char *)"\x06\x09\x2A\x86\x48\x86\xF7\x0D"
                                                              "\x01\x01\x0A",
                                       11 };
    static const brski_bytes_t mgf1 = { (const unsigned char *)"\x06\x09\x2A\x86\x48\x86\xF7\x0D"
                                                               "\x01\x01\x08",
                                        11 };
    static const brski_bytes_t sha1 = { (const unsigned char *)"\x06\x05\x2B\x0E\x03\x02\x1A", 7 };
    brski_bytes_t hash = wrap(BRSKI_DER_SEQUENCE, pool, sha256_id, NOTHING);
    brski_bytes_t mgf_hash = wrap(BRSKI_DER_SEQUENCE, pool, other_mgf ? sha1 : sha256_id, NOTHING);
    brski_bytes_t mgf = wrap(BRSKI_DER_SEQUENCE, pool, mgf1, mgf_hash);
    brski_bytes_t parameters =
        wrap(BRSKI_DER_SEQUENCE, pool,
             with_hash ? wrap(BRSKI_DER_CONTEXT(0), pool, hash, NOTHING) : NOTHING,
             wrap(BRSKI_DER_CONTEXT(1), pool, mgf, NOTHING));
    brski_bytes_t pieces[] = { oid, parameters };

    return brski_bytes_dup(
        (brski_bytes_t){ brski_der_make(BRSKI_DER_SEQUENCE, pool, 2, pieces).data + 2,
                         oid.len + parameters.len },
        pool);
}

static void judges_pss(apr_pool_t *pool)
{
    const cast_t rsa = make_cast("RSA-2048", pool), *c = &rsa;

    is_ok(HAND(.pss = 1, .signature_algorithm = pss_id(1, 0, pool)), "4056-3 takes RSA-PSS");
    is_err(HAND(.pss = 1, .signature_algorithm = pss_id(0, 0, pool)), ALGORITHM,
           "4056-3 refuses RSA-PSS whose digest is left out: that is SHA-1");
    is_err(HAND(.pss = 1, .signature_algorithm = pss_id(1, 1, pool)), ALGORITHM,
           "4056-3 refuses MGF1 with SHA-1");
    is_err(HAND(.pss = 0, .signature_algorithm = pss_id(1, 0, pool)), SIGNATURE,
           "4056-3 refuses PKCS#1 v1.5 called RSA-PSS");
}

/* ---- signing ---- */

static void signs_with(const char *key, brski_econtent_t econtent, apr_pool_t *pool)
{
    const cast_t c = make_cast(key, pool);
    brski_bytes_t der;
    brski_cms_t *cms;

    is_ok(brski_cms_sign(&der, brski_bytes_str(CONTENT), econtent,
                         pki_certs(pool, c.ee, c.root, NULL, NULL), c.ee->key,
                         unit_time("2025-06-01T12:34:56Z"), pool, pool),
          "8366-5.4 signs, %s", key);
    cms = parse(der, pool);
    if (!ok(cms && cms->signer, "8366-5.4 is read again, %s", key)) {
        return;
    }
    is_ok(brski_cms_verify(cms, pool), "8366-5.4 verifies, %s", key);
    is_int(cms->econtent, econtent, "8366-5.4 content type");
    is_mem(cms->content.data, cms->content.len, CONTENT, strlen(CONTENT), "8366-5.4 content");
    is_str(brski_time_rfc3339(cms->signing_time, pool), "2025-06-01T12:34:56Z",
           "5652-11.3 signingTime is the time given");
    is_int(cms->certs->nelts, 2, "8366-5.4 the root is included");
    ok(!memcmp(cms->signer->hash, c.ee->cert->hash, 32), "8366-5.4 its signer is found");
    if (strncmp(key, "ED", 2)) { /* OpenSSL 3.0 has no EdDSA in CMS */
        ok(openssl_verifies(der), "8366-5.4 OpenSSL verifies it too, %s", key);
    }
}

/* Reading it into OpenSSL and writing it again changes nothing: it is DER, SETs included. */
static void signs_in_der(const cast_t *c, apr_pool_t *pool)
{
    apr_array_header_t *certs = pki_certs(pool, c->ee, c->root, c->other, NULL);
    brski_bytes_t der;
    const unsigned char *at;
    unsigned char *again = NULL;
    CMS_ContentInfo *cms;
    int len;

    is_ok(brski_cms_sign(&der, brski_bytes_str(CONTENT), BRSKI_ECONTENT_ANIMA_JSON, certs,
                         c->ee->key, unit_time(NOW), pool, pool),
          "8366-5.4 signs");
    at = der.data;
    cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    len = i2d_CMS_ContentInfo(cms, &again);
    is_mem(der.data, der.len, again, (size_t)len, "8366-5.4 writes DER");
    is_mem(der.data + 23, 3, "\x02\x01\x03", 3, "5652-5.1 SignedData version 3");
    OPENSSL_free(again);
    CMS_ContentInfo_free(cms);
}

static void signs_for_later(const cast_t *c, apr_pool_t *pool)
{
    static const char *const times[] = { "1999-12-31T23:59:59Z", "2049-12-31T23:59:59Z",
                                         "2050-01-01T00:00:00Z", "2120-02-29T01:02:03Z" };
    brski_bytes_t der;
    size_t i;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        brski_cms_sign(&der, brski_bytes_str(CONTENT), BRSKI_ECONTENT_DATA,
                       pki_certs(pool, c->ee, NULL, NULL, NULL), c->ee->key, unit_time(times[i]),
                       pool, pool);
        is_str(brski_time_rfc3339(parse(der, pool)->signing_time, pool), times[i],
               "5652-11.3 signingTime");
        ok(openssl_verifies(der), "5652-11.3 verifies");
    }
}

static void refuses_to_sign(const cast_t *c, apr_pool_t *pool)
{
    apr_array_header_t *none = pki_certs(pool, NULL, NULL, NULL, NULL);
    apr_array_header_t *others = pki_certs(pool, c->other, c->ee, NULL, NULL);
    brski_bytes_t content = brski_bytes_str(CONTENT), der;
    apr_time_t at = unit_time(NOW);

    is_err(brski_cms_sign(&der, content, BRSKI_ECONTENT_DATA, none, c->ee->key, at, pool, pool),
           INTERNAL, "8366-5.4 does not sign without a certificate");
    is_err(brski_cms_sign(&der, content, BRSKI_ECONTENT_DATA, NULL, c->ee->key, at, pool, pool),
           INTERNAL, "8366-5.4 nor with NULL");
    is_err(brski_cms_sign(&der, content, BRSKI_ECONTENT_DATA, others, c->ee->key, at, pool, pool),
           INTERNAL, "8366-5.4 nor with another's");
    ok(!der.data && !der.len, "8366-5.4 and makes nothing");
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    cast_t c = make_cast("P-256", pool);

    judges_all_known(pool);
    refuses_known_bad(pool);
    reads_the_appendix(pool);
    survives_truncation(pool);
    survives_bit_flips(pool);
    refuses_other_profiles(&c, pool);
    refuses_weak_algorithms(&c, pool);
    keeps_limits(&c, pool);
    judges_attributes(&c, pool);
    judges_algorithms(&c, pool);
    judges_pss(pool);
    signs_with("P-256", BRSKI_ECONTENT_ANIMA_JSON, pool);
    signs_with("P-384", BRSKI_ECONTENT_ANIMA_JSON, pool);
    signs_with("P-521", BRSKI_ECONTENT_DATA, pool);
    signs_with("RSA-2048", BRSKI_ECONTENT_ANIMA_JSON, pool);
    signs_with("ED25519", BRSKI_ECONTENT_ANIMA_JSON, pool);
    signs_with("ED448", BRSKI_ECONTENT_ANIMA_JSON, pool);
    signs_in_der(&c, pool);
    signs_for_later(&c, pool);
    refuses_to_sign(&c, pool);
    return done_testing();
}
