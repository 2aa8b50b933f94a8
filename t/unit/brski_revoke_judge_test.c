/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_judge_test.c: what OCSP responses and CRLs are worth: only those of the right
 * signer, for this certificate, of now, count.
 */
#include "brski_revoke_judge.h"

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <string.h>

#include "brski_bytes.h"
#include "pki.h"
#include "revoke_lab.h"
#include "unit.h"

#define NOW "2026-01-15T00:00:00Z"
#define URL "http://ca.example/crl"

typedef struct lab_t {
    apr_pool_t *pool;
    apr_time_t now;
    const pki_party_t *ca;
    const pki_party_t *ee;
    const pki_party_t *stranger;      /* with the CA's name and another key */
    brski_subject_t subject;
} lab_t;

static lab_t *make_lab(apr_pool_t *pool)
{
    pki_spec_t ca = { .subject = "CN=CA", .ca = 1 };
    pki_spec_t ee = { .subject = "CN=Registrar", .ext = { "crlDistributionPoints=URI:" URL } };
    lab_t *lab = apr_pcalloc(pool, sizeof(*lab));

    lab->pool = pool;
    lab->now = unit_time(NOW);
    lab->ca = pki_make(NULL, ca, pool);
    lab->stranger = pki_make(NULL, ca, pool);
    lab->ee = pki_make(lab->ca, ee, pool);
    lab->subject.cert = lab->ee->cert;
    lab->subject.issuer = lab->ca->cert;
    return lab;
}

static brski_err_t *judge_ocsp(lab_t *lab, brski_bytes_t der, brski_revocation_state_t *state)
{
    return brski_ocsp_judge(state, der, &lab->subject, lab->now, lab->pool);
}

static void good_ocsp(lab_t *lab, lab_ocsp_t spec, const char *what)
{
    brski_revocation_state_t state;

    is_ok(judge_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), &state),
          "RFC 6960 3.2 accepts %s", what);
    is_int(state.revoked, spec.status == V_OCSP_CERTSTATUS_REVOKED, "RFC 6960 3.2 state of %s",
           what);
}

static void bad_ocsp(lab_t *lab, brski_bytes_t der, const char *says, const char *what)
{
    brski_revocation_state_t state;
    brski_err_t *err = judge_ocsp(lab, der, &state);

    is_err(err, REVOCATION_UNKNOWN, "RFC 6960 3.2 does not count %s", what);
    has_str(err ? brski_err_text(err, lab->pool) : "", says, "RFC 6960 3.2 says why not: %s", what);
}

static void ocsp_times(lab_t *lab)
{
    lab_ocsp_t spec = { .next = "2026-01-14T23:56:00Z" };
    brski_revocation_state_t state;

    good_ocsp(lab, spec, "one that ended four minutes ago");
    spec.next = "2026-01-14T23:54:00Z";
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "out of date",
             "one that ended six minutes ago");
    spec.next = NULL;
    spec.from = "2026-01-15T00:04:00Z";
    good_ocsp(lab, spec, "one of a clock four minutes ahead");
    spec.from = "2026-01-15T00:06:00Z";
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "not valid yet",
             "one of a clock six minutes ahead");
    spec.from = NULL;
    spec.next = "";
    good_ocsp(lab, spec, "one without nextUpdate");
    judge_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), &state);
    is_int(state.until, 0, "RFC 6960 3.2 without nextUpdate there is no end");
    spec.next = "2026-01-16T00:00:00Z";
    judge_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), &state);
    is_int(state.until, unit_time("2026-01-16T00:00:00Z"), "RFC 6960 3.2 nextUpdate is the end");
}

static void ocsp_states(lab_t *lab)
{
    lab_ocsp_t spec = { .status = V_OCSP_CERTSTATUS_GOOD };
    brski_revocation_state_t state;

    good_ocsp(lab, spec, "good");
    spec.by_key = 1;
    good_ocsp(lab, spec, "a responder named by its key");
    spec.without_cert = 1;
    good_ocsp(lab, spec, "the issuer's own response without its certificate");
    spec.status = V_OCSP_CERTSTATUS_REVOKED;
    good_ocsp(lab, spec, "revoked");
    judge_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), &state);
    is_int(state.revoked_at, unit_time("2026-01-14T00:00:00Z"), "RFC 6960 3.2 revoked when");
    spec.status = V_OCSP_CERTSTATUS_UNKNOWN;
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "does not know the certificate",
             "unknown");
}

static void ocsp_signers(lab_t *lab)
{
    pki_spec_t signer = { .subject = "CN=OCSP", .ext = { "extendedKeyUsage=OCSPSigning" } };
    pki_spec_t plain = { .subject = "CN=OCSP" };
    pki_spec_t old = { .subject = "CN=OCSP", .ext = { "extendedKeyUsage=OCSPSigning" },
                       .to = "2025-12-31T00:00:00Z" };
    pki_spec_t any = { .subject = "CN=OCSP", .ext = { "extendedKeyUsage=anyExtendedKeyUsage" } };
    lab_ocsp_t spec = { 0 };

    spec.signer = pki_make(lab->ca, signer, lab->pool);
    good_ocsp(lab, spec, "a delegated responder");
    spec.without_cert = 1;
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "neither the issuer nor in",
             "a delegated responder without its certificate");
    spec.without_cert = 0;
    spec.signer = pki_make(lab->ca, plain, lab->pool);
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "not for signing OCSP",
             "another certificate of the issuer");
    spec.signer = pki_make(lab->ca, any, lab->pool);
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "not for signing OCSP",
             "anyExtendedKeyUsage");
    spec.signer = lab->ee;
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "not for signing OCSP",
             "the certificate itself");
    spec.signer = pki_make(lab->ca, old, lab->pool);
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "PKIX", "an expired responder");
    spec.signer = pki_make(lab->stranger, signer, lab->pool);
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "not issued by",
             "a responder of another CA of the same name");
    spec.signer = lab->stranger;
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "signature does not verify",
             "another CA of the same name");
    spec.by_key = 1;
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, spec, lab->pool), "not for signing OCSP",
             "the same, named by its key");
}

static void ocsp_forms(lab_t *lab)
{
    const pki_party_t *other = pki_make(lab->ca, (pki_spec_t){ .subject = "CN=Other" }, lab->pool);
    lab_ocsp_t spec = { 0 }, sha1 = { .digest = "SHA1" };
    brski_bytes_t der = lab_ocsp(lab->ee, lab->ca, spec, lab->pool), more, cut, bent;
    unsigned char *octets;

    bad_ocsp(lab, lab_ocsp(other, lab->ca, spec, lab->pool), "does not speak of",
             "one about another certificate");
    bad_ocsp(lab, lab_ocsp(lab->ee, lab->ca, sha1, lab->pool), "weak digest", "one with SHA-1");
    bad_ocsp(lab, lab_ocsp_error(OCSP_RESPONSE_STATUS_TRYLATER, lab->pool), "trylater",
             "\"try later\"");
    bad_ocsp(lab, brski_bytes_str("<html>"), "no OCSP response", "a page");
    bad_ocsp(lab, brski_bytes(NULL, 0), "no OCSP response", "nothing");
    octets = apr_pcalloc(lab->pool, der.len + 1);
    memcpy(octets, der.data, der.len);
    more = brski_bytes(octets, der.len + 1);
    bad_ocsp(lab, more, "no OCSP response", "one with an octet too many");
    cut = brski_bytes(octets, der.len - 1);
    bad_ocsp(lab, cut, "no OCSP response", "one cut short");
    bent = brski_bytes_dup(der, lab->pool);
    octets = memmem((void *)bent.data, bent.len, "20260114", 8);
    octets[7] = '3';
    bad_ocsp(lab, bent, "signature does not verify", "one that was altered");
}

/* ---- CRLs ---- */

static brski_err_t *judge_crl(lab_t *lab, brski_bytes_t der, brski_revocation_state_t *state)
{
    return brski_crl_judge(state, der, URL, &lab->subject, lab->now, lab->pool);
}

static void good_crl(lab_t *lab, lab_crl_t spec, int revoked, const char *what)
{
    brski_revocation_state_t state;

    is_ok(judge_crl(lab, lab_crl(lab->ca, spec, lab->pool), &state), "RFC 5280 6.3.3 accepts %s",
          what);
    is_int(state.revoked, revoked, "RFC 5280 6.3.3 state by %s", what);
}

static void bad_crl(lab_t *lab, brski_bytes_t der, const char *says, const char *what)
{
    brski_revocation_state_t state;
    brski_err_t *err = judge_crl(lab, der, &state);

    is_err(err, REVOCATION_UNKNOWN, "RFC 5280 6.3.3 does not count %s", what);
    has_str(err ? err->detail : "", says, "RFC 5280 6.3.3 says why not: %s", what);
}

static void bad_ext(lab_t *lab, const char *ext, const char *says, const char *what)
{
    lab_crl_t spec = { .ext = { ext } };

    bad_crl(lab, lab_crl(lab->ca, spec, lab->pool), says, what);
}

static void crl_states(lab_t *lab)
{
    const pki_party_t *other = pki_make(lab->ca, (pki_spec_t){ .subject = "CN=Other" }, lab->pool);
    lab_crl_t spec = { 0 };
    brski_revocation_state_t state;

    good_crl(lab, spec, 0, "an empty CRL");
    spec.revoked = other->x509;
    good_crl(lab, spec, 0, "a CRL that lists another");
    spec.revoked = lab->ee->x509;
    good_crl(lab, spec, 1, "a CRL that lists it");
    spec.pem = 1;
    good_crl(lab, spec, 1, "a CRL in PEM");
    judge_crl(lab, lab_crl(lab->ca, spec, lab->pool), &state);
    is_int(state.revoked_at, unit_time("2026-01-14T00:00:00Z"), "RFC 5280 5.1.2.6 revoked when");
    is_int(state.until, unit_time("2026-01-20T00:00:00Z"), "RFC 5280 5.1.2.5 the next one");
}

static void crl_times(lab_t *lab)
{
    lab_crl_t spec = { .next = "2026-01-14T23:56:00Z" };

    good_crl(lab, spec, 0, "one four minutes late");
    spec.next = "2026-01-14T23:54:00Z";
    bad_crl(lab, lab_crl(lab->ca, spec, lab->pool), "out of date", "one six minutes late");
    spec.next = "";
    bad_crl(lab, lab_crl(lab->ca, spec, lab->pool), "when the next one comes",
            "one without nextUpdate");
    spec.next = NULL;
    spec.last = "2026-01-15T00:06:00Z";
    bad_crl(lab, lab_crl(lab->ca, spec, lab->pool), "not valid yet", "one of tomorrow");
}

static void crl_scopes(lab_t *lab)
{
    lab_crl_t spec = { .ext = { "issuingDistributionPoint=critical,fullname:URI:" URL } };

    good_crl(lab, spec, 0, "one that names where it came from");
    spec.ext[0] = "issuingDistributionPoint=critical,onlyuser:TRUE";
    good_crl(lab, spec, 0, "one for end entities");
    spec.ext[0] = "2.5.29.20=DER:020107";
    good_crl(lab, spec, 0, "one with a number");
    bad_ext(lab, "issuingDistributionPoint=critical,fullname:URI:http://ca.example/other",
            "another distribution point", "another part of the CRL");
    bad_ext(lab, "issuingDistributionPoint=critical,onlyCA:TRUE", "of this kind",
            "one for CAs only");
    bad_ext(lab, "issuingDistributionPoint=critical,onlyAA:TRUE", "attribute",
            "one for attribute certificates");
    bad_ext(lab, "issuingDistributionPoint=critical,indirectCRL:TRUE", "indirect",
            "an indirect one");
    bad_ext(lab, "issuingDistributionPoint=critical,onlysomereasons:keyCompromise", "reasons",
            "one for some reasons");
    bad_ext(lab, "2.5.29.27=critical,DER:020103", "delta", "a delta CRL");
    bad_ext(lab, "1.2.3.4=critical,ASN1:NULL", "not understood", "an unknown critical extension");
    bad_ext(lab, "issuingDistributionPoint=critical,DER:0500", "cannot be read",
            "a broken issuing distribution point");
    lab->subject.cert = lab->ca->cert;
    bad_ext(lab, "issuingDistributionPoint=critical,onlyuser:TRUE", "of this kind",
            "one for end entities, asked about a CA");
    lab->subject.cert = lab->ee->cert;
}

static void crl_signers(lab_t *lab)
{
    pki_spec_t no_crl = { .subject = "CN=CA", .ca = 1, .same_key = lab->ca->key,
                          .ext = { "keyUsage=critical,keyCertSign" } };
    lab_crl_t spec = { 0 }, sha1 = { .digest = "SHA1" }, named = { .issuer_name = lab->ee->x509 };

    bad_crl(lab, lab_crl(lab->stranger, spec, lab->pool), "signature does not verify",
            "another CA of the same name");
    bad_crl(lab, lab_crl(lab->ca, named, lab->pool), "not of the certificate's issuer",
            "another issuer's name");
    bad_crl(lab, lab_crl(lab->ca, sha1, lab->pool), "weak digest", "one with SHA-1");
    lab->subject.issuer = pki_make(NULL, no_crl, lab->pool)->cert;
    bad_crl(lab, lab_crl(lab->ca, spec, lab->pool), "not for signing CRLs",
            "one of a CA that may not sign them");
    lab->subject.issuer = lab->ca->cert;
}

static void crl_forms(lab_t *lab)
{
    brski_bytes_t der = lab_crl(lab->ca, (lab_crl_t){ .pem = 0 }, lab->pool), bent;
    unsigned char *octets = apr_pcalloc(lab->pool, der.len + 1);

    memcpy(octets, der.data, der.len);
    bad_crl(lab, brski_bytes(octets, der.len + 1), "neither DER nor PEM", "an octet too many");
    bad_crl(lab, brski_bytes(octets, der.len - 1), "neither DER nor PEM", "one cut short");
    bad_crl(lab, brski_bytes_str("<html>"), "neither DER nor PEM", "a page");
    bad_crl(lab, brski_bytes_str("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
            "neither DER nor PEM", "PEM of something else");
    bad_crl(lab, brski_bytes(NULL, 0), "neither DER nor PEM", "nothing");
    bent = brski_bytes_dup(der, lab->pool);
    octets = memmem((void *)bent.data, bent.len, "260120", 6);
    octets[5] = '9';
    bad_crl(lab, bent, "signature does not verify", "one that was altered");
}

/* ---- what certificates name ---- */

static void places(lab_t *lab)
{
    pki_spec_t spec = { .subject = "CN=X", .ext = {
        "authorityInfoAccess=OCSP;URI:http://a.example/,caIssuers;URI:http://b.example/,"
        "OCSP;URI:http://c.example/,OCSP;email:d@e.example",
        "crlDistributionPoints=URI:http://f.example/,URI:ldap:///g" } };
    /* fullName URI:http://r, reasons keyCompromise and cACompromise */
    pki_spec_t some = { .subject = "CN=X", .ext = {
        "2.5.29.31=DER:30143012A00CA00A8608687474703A2F2F7281020560" } };
    const pki_party_t *x = pki_make(lab->ca, spec, lab->pool);
    int named;

    is_str(apr_array_pstrcat(lab->pool, brski_ocsp_urls(x->cert, lab->pool), ' '),
           "http://a.example/ http://c.example/", "5.5.3 OCSP responders of AIA");
    is_str(apr_array_pstrcat(lab->pool, brski_crl_urls(&named, x->cert, lab->pool), ' '),
           "http://f.example/ ldap:///g", "5.5.3 URLs of CDP");
    is_int(named, 1, "5.5.3 CDP is named");
    is_int(brski_ocsp_urls(lab->ca->cert, lab->pool)->nelts, 0, "5.5.3 no AIA");
    is_int(brski_crl_urls(&named, lab->ca->cert, lab->pool)->nelts, 0, "5.5.3 no CDP");
    is_int(named, 0, "5.5.3 and none named");
    x = pki_make(lab->ca, some, lab->pool);
    is_int(brski_crl_urls(&named, x->cert, lab->pool)->nelts, 0, "5.5.3 a CRL of some reasons");
    is_int(named, 1, "5.5.3 is named nevertheless");
}

int main(void)
{
    lab_t *lab = make_lab(unit_start());

    ocsp_states(lab);
    ocsp_times(lab);
    ocsp_signers(lab);
    ocsp_forms(lab);
    crl_states(lab);
    crl_times(lab);
    crl_scopes(lab);
    crl_signers(lab);
    crl_forms(lab);
    places(lab);
    return done_testing();
}
