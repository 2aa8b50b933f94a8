/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_chain_test.c: chains are built from a message alone and in any order, and judged at the
 * time that the caller says; anchors are looked up and used by several callers.
 */
#include "brski_x509.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "pki.h"
#include "unit.h"

#define NOW "2025-06-01T00:00:00Z"
#define MINUTE apr_time_from_sec(60)

typedef struct domain_t {
    const pki_party_t *root;
    const pki_party_t *sub;
    const pki_party_t *ee;
} domain_t;

static domain_t make_domain(apr_pool_t *pool)
{
    domain_t d;

    d.root = pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    d.sub = pki_make(d.root, (pki_spec_t){ .subject = "CN=Sub", .ca = 1 }, pool);
    d.ee = pki_make(d.sub, (pki_spec_t){ .subject = "CN=EE" }, pool);
    return d;
}

static brski_chain_t *build(const pki_party_t *ee, const apr_array_header_t *certs,
                            apr_pool_t *pool)
{
    brski_chain_t *chain = NULL;

    is_ok(brski_chain_build(&chain, ee->cert, certs, pool, pool), "5.5.2 builds");
    return chain;
}

/* Build from these and judge now. */
static brski_err_t *judge(const pki_party_t *ee, const pki_party_t *a, const pki_party_t *b,
                          apr_pool_t *pool)
{
    brski_chain_t *chain = build(ee, pki_certs(pool, a, b, ee, NULL), pool);

    return brski_chain_verify(chain, unit_time(NOW), 0, pool);
}

static int chain_is(const brski_chain_t *chain, const pki_party_t *a, const pki_party_t *b,
                    const pki_party_t *c, apr_pool_t *pool)
{
    apr_array_header_t *want = pki_certs(pool, a, b, c, NULL);

    return chain->certs->nelts == want->nelts
           && !memcmp(chain->certs->elts, want->elts, (size_t)want->nelts * sizeof(void *));
}

static void builds(const domain_t *d, apr_pool_t *pool)
{
    const pki_party_t *stranger =
        pki_make(NULL, (pki_spec_t){ .subject = "CN=Other", .ca = 1 }, pool);
    brski_chain_t *chain = build(d->ee, pki_certs(pool, d->root, stranger, d->ee, d->sub), pool);

    ok(chain_is(chain, d->ee, d->sub, d->root, pool),
       "5.5.2 in order, from certificates in any order, superfluous ones left out");
    ok(chain->self_signed_top && !chain->anchored, "5.5.2 up to a self-signed root");
    chain = build(d->ee, pki_certs(pool, d->ee, NULL, NULL, NULL), pool);
    ok(chain_is(chain, d->ee, NULL, NULL, pool) && !chain->self_signed_top,
       "5.5.2 an end entity alone is a chain");
    chain = build(d->ee, pki_certs(pool, d->root, NULL, NULL, NULL), pool);
    ok(chain_is(chain, d->ee, NULL, NULL, pool), "5.5.2 a gap ends it");
    chain = build(d->ee, pki_certs(pool, d->sub, NULL, NULL, NULL), pool);
    ok(chain_is(chain, d->ee, d->sub, NULL, pool) && !chain->self_signed_top,
       "5.5.2 up to an issuing CA");
}

/* A CA of the name of another, without a key identifier that could tell. */
static const pki_spec_t look_alike = { .subject = "CN=Sub",
                                       .plain = 1,
                                       .ext = { "basicConstraints=critical,CA:TRUE" } };

/* Same names, other keys: only a signature makes an issuer. */
static void sees_through_look_alikes(const domain_t *d, apr_pool_t *pool)
{
    const pki_party_t *fake = pki_make(NULL, look_alike, pool);
    const pki_party_t *fake_root =
        pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    brski_chain_t *chain = build(d->ee, pki_certs(pool, fake, d->sub, fake_root, d->root), pool);

    ok(chain_is(chain, d->ee, d->sub, d->root, pool), "5.5.2 a copied name issues nothing");
    chain = build(d->ee, pki_certs(pool, fake, NULL, NULL, NULL), pool);
    ok(chain_is(chain, d->ee, NULL, NULL, pool), "5.5.2 not even alone");
}

static void ends_loops(apr_pool_t *pool)
{
    const pki_party_t *a = pki_make(NULL, (pki_spec_t){ .subject = "CN=A", .ca = 1 }, pool);
    const pki_party_t *b = pki_make(NULL, (pki_spec_t){ .subject = "CN=B", .ca = 1 }, pool);
    const pki_party_t *ab =
        pki_make(b, (pki_spec_t){ .subject = "CN=A", .ca = 1, .same_key = a->key }, pool);
    const pki_party_t *ba =
        pki_make(a, (pki_spec_t){ .subject = "CN=B", .ca = 1, .same_key = b->key }, pool);
    const pki_party_t *ee = pki_make(ab, (pki_spec_t){ .subject = "CN=EE" }, pool);
    brski_chain_t *chain = build(ee, pki_certs(pool, ab, ba, NULL, NULL), pool);

    is_int(chain->certs->nelts, 3, "5.5.2 certificates that issued each other end a chain");
    ok(!chain->self_signed_top, "5.5.2 without a root");
    chain = build(ee, pki_certs(pool, ab, ba, a, NULL), pool);
    ok(chain_is(chain, ee, a, NULL, pool), "5.5.2 a self-signed root is preferred");
}

static void takes_self_signed(apr_pool_t *pool)
{
    const pki_party_t *plain = pki_make(NULL, (pki_spec_t){ .subject = "CN=R", .plain = 1 }, pool);
    const pki_party_t *usual = pki_make(
        NULL,
        (pki_spec_t){ .subject = "CN=R",
                      .ext = { "keyUsage=critical,digitalSignature", "extendedKeyUsage=cmcRA" } },
        pool);
    const pki_party_t *ca = pki_make(NULL, (pki_spec_t){ .subject = "CN=R", .ca = 1 }, pool);

    ok(build(plain, pki_certs(pool, plain, NULL, NULL, NULL), pool)->self_signed_top,
       "5.5.2 a self-signed end entity is its own top");
    is_ok(judge(plain, NULL, NULL, pool), "5.5.3 without extensions it is valid");
    is_ok(judge(usual, NULL, NULL, pool), "5.5.3 with a registrar's extensions too");
    is_ok(judge(ca, NULL, NULL, pool), "5.5.3 a CA may sign too");
}

static void follows_the_clock(const domain_t *d, apr_pool_t *pool)
{
    brski_chain_t *chain = build(d->ee, pki_certs(pool, d->sub, d->root, NULL, NULL), pool);
    apr_time_t from = unit_time("2020-01-01T00:00:00Z"), to = unit_time("2030-01-01T00:00:00Z");
    brski_err_t *err;

    is_ok(brski_chain_verify(chain, unit_time(NOW), 0, pool), "5.5.3 a good chain");
    is_ok(brski_chain_verify(chain, from, 0, pool), "5.5.3 in its first second");
    is_ok(brski_chain_verify(chain, to, 0, pool), "5.5.3 in its last second");
    err = brski_chain_verify(chain, from - MINUTE, 0, pool);
    is_err(err, PKIX, "5.5.3 refuses what is not valid yet");
    has_str(err->public_text, "is not valid before 2020-01-01T00:00:00Z", "5.5.3 and says so");
    err = brski_chain_verify(chain, to + MINUTE, 0, pool);
    is_err(err, PKIX, "5.5.3 refuses what has expired");
    has_str(err->public_text, "expired on 2030-01-01T00:00:00Z", "5.5.3 and says when");
    is_ok(brski_chain_verify(chain, from - MINUTE, MINUTE, pool), "5.5.3 skew before");
    is_ok(brski_chain_verify(chain, to + MINUTE, MINUTE, pool), "5.5.3 skew after");
    is_err(brski_chain_verify(chain, to + 2 * MINUTE, MINUTE, pool), PKIX, "5.5.3 not twice");
}

static void names_the_culprit(apr_pool_t *pool)
{
    const pki_party_t *root = pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    const pki_party_t *old = pki_make(
        root, (pki_spec_t){ .subject = "CN=Old Sub", .ca = 1, .to = "2024-05-04T03:02:01Z" }, pool);
    const pki_party_t *ee = pki_make(old, (pki_spec_t){ .subject = "CN=EE" }, pool);
    brski_err_t *err = judge(ee, old, root, pool);

    is_err(err, PKIX, "5.5.3 refuses an expired issuer");
    is_str(err->public_text, "The certificate of 'CN=Old Sub' expired on 2024-05-04T03:02:01Z.",
           "5.5.3 and names it");
}

static void keeps_constraints(apr_pool_t *pool)
{
    const pki_party_t *root =
        pki_make(NULL,
                 (pki_spec_t){ .subject = "CN=Root",
                               .plain = 1,
                               .ext = { "basicConstraints=critical,CA:TRUE,pathlen:0" } },
                 pool);
    const pki_party_t *sub = pki_make(root, (pki_spec_t){ .subject = "CN=Sub", .ca = 1 }, pool);
    const pki_party_t *deep = pki_make(sub, (pki_spec_t){ .subject = "CN=Deep" }, pool);
    const pki_party_t *ee = pki_make(root, (pki_spec_t){ .subject = "CN=EE" }, pool);
    const pki_party_t *leaf = pki_make(ee, (pki_spec_t){ .subject = "CN=Leaf" }, pool);
    const pki_party_t *no_sign = pki_make(
        NULL,
        (pki_spec_t){
            .subject = "CN=NoSign", .ca = 1, .ext = { "keyUsage=critical,digitalSignature" } },
        pool);
    const pki_party_t *no_basic = pki_make(
        NULL, (pki_spec_t){ .subject = "CN=V1", .plain = 1, .ext = { "keyUsage=keyCertSign" } },
        pool);
    const pki_party_t *over = pki_make(no_basic, (pki_spec_t){ .subject = "CN=Over" }, pool);
    const pki_party_t *under = pki_make(no_sign, (pki_spec_t){ .subject = "CN=Under" }, pool);

    is_ok(judge(ee, root, NULL, pool), "5280-4.2.1.9 pathlen 0 allows an end entity");
    is_err(judge(deep, sub, root, pool), PKIX, "5280-4.2.1.9 refuses a CA below pathlen 0");
    is_err(judge(leaf, ee, root, pool), PKIX, "5280-4.2.1.9 refuses an issuer that is no CA");
    is_err(judge(under, no_sign, NULL, pool), PKIX,
           "5280-4.2.1.3 refuses an issuer without keyCertSign");
    is_err(judge(over, no_basic, NULL, pool), PKIX,
           "5280-4.2.1.9 refuses an issuer without basicConstraints");
}

static brski_err_t *judge_with(const char *ext, apr_pool_t *pool)
{
    const pki_party_t *root = pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    const pki_party_t *ee =
        pki_make(root, (pki_spec_t){ .subject = "CN=EE", .ext = { ext } }, pool);

    return judge(ee, root, NULL, pool);
}

static void keeps_usages(apr_pool_t *pool)
{
    is_ok(judge_with("keyUsage=critical,digitalSignature", pool), "5280-4.2.1.3 digitalSignature");
    is_err(judge_with("keyUsage=critical,keyAgreement", pool), PKIX,
           "5280-4.2.1.3 refuses an end entity that may not sign");
    is_err(judge_with("1.2.3.4=critical,ASN1:NULL", pool), PKIX,
           "5280-4.2 refuses an unknown critical extension");
    is_ok(judge_with("1.2.3.4=ASN1:NULL", pool), "5280-4.2 takes an unknown extension");
    is_ok(judge_with("extendedKeyUsage=critical,cmcRA", pool),
          "5.5.4 takes a critical EKU with id-kp-cmcRA alone");
    is_ok(judge_with("extendedKeyUsage=critical,emailProtection", pool),
          "5.5.3 asks no purpose of the end entity");
}

static void keeps_name_constraints(apr_pool_t *pool)
{
    const pki_party_t *root =
        pki_make(NULL,
                 (pki_spec_t){ .subject = "CN=Root",
                               .ca = 1,
                               .ext = { "nameConstraints=critical,permitted;DNS:a.example" } },
                 pool);
    const pki_party_t *in = pki_make(
        root, (pki_spec_t){ .subject = "CN=x", .ext = { "subjectAltName=DNS:r.a.example" } }, pool);
    const pki_party_t *out = pki_make(
        root, (pki_spec_t){ .subject = "CN=x", .ext = { "subjectAltName=DNS:r.b.example" } }, pool);

    is_ok(judge(in, root, NULL, pool), "5280-4.2.1.10 a permitted name");
    is_err(judge(out, root, NULL, pool), PKIX, "5280-4.2.1.10 refuses a name that is not");
}

static void refuses_weakness(apr_pool_t *pool)
{
    static const struct {
        const char *root, *root_digest, *ee, *ee_digest;
        int weak;
        const char *label;
    } cases[] = {
        { "RSA-2048", "SHA256", "P-256", "SHA256", 0, "RSA-2048 signs P-256" },
        { "P-256", "SHA1", "P-256", "SHA256", 0, "a root's own SHA-1 is of no matter" },
        { "RSA-1024", "SHA256", "P-256", "SHA256", 1, "RSA-1024 of the root" },
        { "P-256", "SHA256", "RSA-1024", "SHA256", 1, "RSA-1024 of the end entity" },
        { "P-256", "SHA256", "P-256", "SHA1", 1, "SHA-1 under the end entity" },
        { "RSA-2048", "SHA256", "P-256", "MD5", 1, "MD5 under the end entity" },
        { "P-256", "SHA256", "secp256k1", "SHA256", 1, "a curve that is not allowed" },
        { "ED25519", NULL, "ED25519", NULL, 0, "Ed25519" },
        { "P-521", "SHA512", "P-384", "SHA384", 0, "P-521 signs P-384" },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const pki_party_t *root = pki_make(NULL,
                                           (pki_spec_t){ .subject = "CN=Root",
                                                         .ca = 1,
                                                         .key = cases[i].root,
                                                         .digest = cases[i].root_digest },
                                           pool);
        const pki_party_t *ee = pki_make(
            root,
            (pki_spec_t){ .subject = "CN=EE", .key = cases[i].ee, .digest = cases[i].ee_digest },
            pool);
        brski_err_t *err = judge(ee, root, NULL, pool);

        is_int(err ? err->code : 0, cases[i].weak ? BRSKI_E_ALGORITHM : 0, "5.5.3 %s",
               cases[i].label);
    }
}

/* The chain's own list may not be what the caller built. */
static void verifies_signatures(const domain_t *d, apr_pool_t *pool)
{
    const pki_party_t *fake = pki_make(NULL, look_alike, pool);
    brski_chain_t chain = { .certs = pki_certs(pool, d->ee, fake, NULL, NULL) };

    is_err(brski_chain_verify(&chain, unit_time(NOW), 0, pool), PKIX,
           "5.5.3 refuses an issuer that did not sign");
}

/* ---- anchors ---- */

static brski_anchors_t *anchors_of(const pki_party_t *a, const pki_party_t *b, apr_pool_t *pool)
{
    brski_anchors_t *anchors = NULL;

    is_ok(brski_anchors_make(&anchors, pki_certs(pool, a, b, NULL, NULL), pool),
          "5280-6.1 anchors");
    return anchors;
}

static brski_err_t *anchored(brski_chain_t **chain, const brski_anchors_t *anchors,
                             const pki_party_t *ee, const apr_array_header_t *certs, int flags,
                             apr_pool_t *pool)
{
    return brski_anchors_verify(chain, anchors, ee->cert, certs, unit_time(NOW), 0, flags, pool,
                                pool);
}

static void verifies_to_anchors(const domain_t *d, apr_pool_t *pool)
{
    const pki_party_t *other = pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    brski_anchors_t *roots = anchors_of(other, d->root, pool), *subs, *ees, *others;
    apr_array_header_t *helpers = pki_certs(pool, d->ee, d->sub, NULL, NULL);
    brski_chain_t *chain;

    subs = anchors_of(d->sub, NULL, pool);
    ees = anchors_of(d->ee, NULL, pool);
    others = anchors_of(other, NULL, pool);
    is_ok(anchored(&chain, roots, d->ee, helpers, 0, pool), "5.5.5 up to a root");
    ok(chain && chain_is(chain, d->ee, d->sub, d->root, pool), "5.5.5 the path it took");
    ok(chain && chain->anchored && chain->self_signed_top, "5.5.5 its top is the anchor");
    is_ok(anchored(&chain, subs, d->ee, NULL, 0, pool), "5.5.5 an anchor needs no root");
    ok(chain && chain_is(chain, d->ee, d->sub, NULL, pool) && !chain->self_signed_top,
       "5.5.5 the path ends there");
    is_ok(anchored(NULL, ees, d->ee, NULL, 0, pool), "5.5.5 an anchor may be the end entity");
    is_err(anchored(&chain, roots, d->ee, NULL, 0, pool), PKIX, "5.5.5 refuses a gap");
    ok(!chain, "5.5.5 and gives no path");
    is_err(anchored(NULL, others, d->ee, pki_certs(pool, d->sub, d->root, NULL, NULL), 0, pool),
           PKIX, "5.5.5 refuses another root of the same name");
    is_err(anchored(NULL, anchors_of(NULL, NULL, pool), d->ee, helpers, 0, pool), PKIX,
           "5.5.5 no anchors, no trust");
}

static void knows_its_keys(const domain_t *d, apr_pool_t *pool)
{
    brski_anchors_t *anchors = anchors_of(d->root, d->root, pool);

    is_int(brski_anchors_certs(anchors)->nelts, 1, "5280-6.1 an anchor given twice is one");
    ok(brski_anchors_has_key(anchors, d->root->cert->spki_hash), "5280-6.1 its key is known");
    ok(!brski_anchors_has_key(anchors, d->sub->cert->spki_hash), "5280-6.1 another is not");
}

static void ignores_expiry_when_told(apr_pool_t *pool)
{
    const pki_party_t *root = pki_make(
        NULL, (pki_spec_t){ .subject = "CN=V", .ca = 1, .to = "2022-01-01T00:00:00Z" }, pool);
    const pki_party_t *ee =
        pki_make(root, (pki_spec_t){ .subject = "CN=D", .to = "2023-01-01T00:00:00Z" }, pool);
    const pki_party_t *other = pki_make(NULL, (pki_spec_t){ .subject = "CN=V", .ca = 1 }, pool);
    brski_anchors_t *anchors = anchors_of(root, NULL, pool);

    is_err(anchored(NULL, anchors, ee, NULL, 0, pool), PKIX, "5.5.5 an IDevID expired");
    is_ok(anchored(NULL, anchors, ee, NULL, BRSKI_VERIFY_IGNORE_EXPIRY, pool),
          "5.5.5 unless it is to be ignored");
    is_err(
        anchored(NULL, anchors_of(other, NULL, pool), ee, NULL, BRSKI_VERIFY_IGNORE_EXPIRY, pool),
        PKIX, "5.5.5 which does not make a stranger's good");
}

static void loads_anchors(apr_pool_t *pool)
{
    apr_array_header_t *paths = apr_array_make(pool, 2, sizeof(const char *)), *certs;
    const char *idevid =
        unit_source("t/vectors/rfc8995-appC/idevid_00-D0-E5-F2-00-02.crt.pem", pool);
    brski_anchors_t *anchors = NULL;
    brski_err_t *err;

    APR_ARRAY_PUSH(paths, const char *) =
        unit_source("t/vectors/rfc8995-appC/vendor.crt.pem", pool);
    is_ok(brski_anchors_load(&anchors, paths, pool), "5.5.5 loads an anchor");
    if (brski_cert_load(&certs, idevid, pool)) {
        bail_out("%s", idevid);
    }
    is_ok(brski_anchors_verify(NULL, anchors, APR_ARRAY_IDX(certs, 0, const brski_cert_t *), NULL,
                               unit_time("2021-05-01T00:00:00Z"), 0, 0, pool, pool),
          "5.5.5 the RFC's device is the RFC's manufacturer's");
    err = brski_anchors_verify(NULL, anchors, APR_ARRAY_IDX(certs, 0, const brski_cert_t *), NULL,
                               unit_time(NOW), 0, 0, pool, pool);
    is_err(err, PKIX, "5.5.5 whose CA has expired since");
    has_str(err->public_text, "expired on 2023-04-13T", "5.5.5 in 2023");
    APR_ARRAY_PUSH(paths, const char *) = "/nonexistent/anchor.pem";
    err = brski_anchors_load(&anchors, paths, pool);
    is_err(err, IO, "5.5.5 a missing file");
    has_str(err->public_text, "/nonexistent/anchor.pem", "5.5.5 is named");
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    domain_t d = make_domain(pool);

    builds(&d, pool);
    sees_through_look_alikes(&d, pool);
    ends_loops(pool);
    takes_self_signed(pool);
    follows_the_clock(&d, pool);
    names_the_culprit(pool);
    keeps_constraints(pool);
    keeps_usages(pool);
    keeps_name_constraints(pool);
    refuses_weakness(pool);
    verifies_signatures(&d, pool);
    verifies_to_anchors(&d, pool);
    knows_its_keys(&d, pool);
    ignores_expiry_when_told(pool);
    loads_anchors(pool);
    return done_testing();
}
