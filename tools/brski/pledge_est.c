/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge_est.c: how a pledge gets its certificate: CA certificates, CSR attributes, enrolment and
 * renewal by EST, RFC 8995 section 5.9 and RFC 7030 sections 4.1, 4.2 and 4.5.
 */
#include <apr_strings.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_time.h"
#include "pki.h"
#include "pledge.h"

#define CERTS_TYPE "application/pkcs7-mime"
#define SKEW apr_time_from_sec(300)

static const char *est_path(const pledge_t *p, const char *operation)
{
    return p->plan.label ? apr_pstrcat(p->pool, "/.well-known/est/", p->plan.label, "/", operation,
                                       NULL)
                         : apr_pstrcat(p->pool, "/.well-known/est/", operation, NULL);
}

static brski_err_t *read_certs(apr_array_header_t **certs, const pledge_t *p,
                               const pledge_answer_t *answer)
{
    brski_bytes_t der;

    BRSKI_TRY(pledge_expect_type(p, answer, CERTS_TYPE));
    BRSKI_TRY(brski_est_body_decode(&der, answer->body, &brski_limits_default, p->pool));
    return brski_certs_only_parse(certs, der, &brski_limits_default, p->pool);
}

static const brski_cert_t *cert_at(const apr_array_header_t *certs, int i)
{
    return APR_ARRAY_IDX(certs, i, const brski_cert_t *);
}

/* ---- CA certificates ---- */

/* Roots of the domain from now on; the pinned certificate stays one of them. */
static brski_err_t *trust_cacerts(pledge_t *p)
{
    apr_array_header_t *all = apr_array_make(p->pool, 4, sizeof(const brski_cert_t *));
    brski_anchors_t *anchors;
    int i;

    for (i = 0; i < p->cacerts->nelts; i++) {
        if (cert_at(p->cacerts, i)->ca && cert_at(p->cacerts, i)->self_issued) {
            APR_ARRAY_PUSH(all, const brski_cert_t *) = cert_at(p->cacerts, i);
        }
    }
    if (all->nelts == 0) {
        return say_refuse(p->pool, "None of the %d certificates is the root of a CA.",
                          p->cacerts->nelts);
    }
    if (p->pin) {
        APR_ARRAY_PUSH(all, const brski_cert_t *) = p->pin;
    }
    BRSKI_TRY(brski_anchors_make(&anchors, all, p->pool));
    p->anchors = anchors;
    return BRSKI_OK;
}

brski_err_t *pledge_get_cacerts(pledge_t *p)
{
    pledge_send_t send = { "GET", est_path(p, "cacerts"), NULL, CERTS_TYPE,
                           brski_bytes(NULL, 0), NULL };
    pledge_answer_t answer;
    int i;

    BRSKI_TRY(pledge_send(&answer, p, &send));
    if (answer.status != 200) {
        return pledge_refused(p, "No CA certificates", &answer);
    }
    BRSKI_TRY(read_certs(&p->cacerts, p, &answer));
    BRSKI_TRY(trust_cacerts(p));
    for (i = 0; i < p->cacerts->nelts; i++) {
        pledge_tell(p, "%s%s", cert_at(p->cacerts, i)->subject,
                    cert_at(p->cacerts, i)->self_issued ? ", root" : "");
    }
    pledge_fact(p, "certificates", apr_itoa(p->pool, p->cacerts->nelts));
    return BRSKI_OK;
}

/* ---- CSR attributes ---- */

/* A signature algorithm, or what the pledge may ignore. */
static void tell_other(pledge_t *p, const char *oid)
{
    int nid = OBJ_txt2nid(oid), digest, key;

    if (nid != NID_undef && OBJ_find_sigid_algs(nid, &digest, &key)) {
        pledge_tell(p, "signed with %s", OBJ_nid2ln(nid));
    }
    else {
        pledge_tell(p, "%s, which the pledge does not know and may ignore", oid);
    }
}

static void tell_attrs(pledge_t *p)
{
    const brski_csrattrs_t *a = p->attrs;
    int i;

    pledge_tell(p, "asks for: key %s, %s, %s%s", a->key_type ? a->key_type : "of any type",
                a->subject.len ? "a subject" : "no certain subject",
                a->san.len ? "subjectAltName" : "no names",
                a->challenge_password ? ", binding to this TLS connection" : "");
    for (i = 0; i < a->unknown->nelts; i++) {
        tell_other(p, APR_ARRAY_IDX(a->unknown, i, const char *));
    }
    pledge_fact(p, "key_type", a->key_type);
    pledge_fact(p, "challenge_password", a->challenge_password ? "asked" : "not asked");
}

brski_err_t *pledge_get_csrattrs(pledge_t *p)
{
    pledge_send_t send = { "GET", est_path(p, "csrattrs"), NULL, "application/csrattrs",
                           brski_bytes(NULL, 0), NULL };
    pledge_answer_t answer;
    brski_bytes_t der;

    p->attrs = NULL;
    BRSKI_TRY(pledge_send(&answer, p, &send));
    if (answer.status == 204 || answer.status == 404) {
        p->attrs_known = 1;
        pledge_tell(p, "%d: the server has no wishes", answer.status);
        return BRSKI_OK;
    }
    if (answer.status != 200) {
        return pledge_refused(p, "No CSR attributes", &answer);
    }
    BRSKI_TRY(pledge_expect_type(p, &answer, "application/csrattrs"));
    BRSKI_TRY(brski_est_body_decode(&der, answer.body, &brski_limits_default, p->pool));
    BRSKI_TRY(brski_csrattrs_parse(&p->attrs, der, &brski_limits_default, p->pool));
    p->attrs_known = 1;
    tell_attrs(p);
    return BRSKI_OK;
}

/* ---- enrolment ---- */

/* RFC 8951 3: base64, on one line. */
static brski_err_t *csr_body(brski_bytes_t *body, pledge_t *p, const brski_cert_t *old)
{
    brski_bytes_t der;

    BRSKI_TRY(pledge_csr(&der, p, old));
    *body = brski_bytes_str(brski_base64_encode(der, p->pool));
    return BRSKI_OK;
}

static brski_err_t *first_csr(brski_bytes_t *body, pledge_t *p)
{
    return csr_body(body, p, NULL);
}

static brski_err_t *next_csr(brski_bytes_t *body, pledge_t *p)
{
    return csr_body(body, p, identity_ee(&p->ldevid));
}

/*
 * A CSR that is bound to its connection is made anew for every connection (RFC 7030 3.5); one that
 * is not is sent again as it is.
 */
static brski_err_t *ask_certificate(pledge_t *p, const char *operation,
                                    brski_err_t *(*make)(brski_bytes_t *, pledge_t *))
{
    pledge_send_t send = { "POST", est_path(p, operation), "application/pkcs10", CERTS_TYPE,
                           brski_bytes(NULL, 0), NULL };
    pledge_answer_t answer;

    if (p->attrs && p->attrs->challenge_password) {
        send.remake = make;
    }
    else {
        BRSKI_TRY(make(&send.body, p));
    }
    BRSKI_TRY(pledge_send(&answer, p, &send));
    if (answer.status != 200) {
        return pledge_refused(p, "No certificate", &answer);
    }
    return read_certs(&p->issued, p, &answer);
}

static brski_err_t *make_key(pledge_t *p)
{
    const char *type = p->plan.key_type ? p->plan.key_type
                       : p->attrs && p->attrs->key_type ? p->attrs->key_type : "p256";

    pledge_tell(p, "a new key, %s, which stays here", type);
    return pki_key_make(&p->new_key, type, p->pool);
}

brski_err_t *pledge_enroll(pledge_t *p)
{
    BRSKI_TRY(make_key(p));
    return ask_certificate(p, "simpleenroll", first_csr);
}

brski_err_t *pledge_reenroll(pledge_t *p)
{
    if (p->plan.same_key) {
        p->new_key = p->ldevid.key;
    }
    else {
        BRSKI_TRY(make_key(p));
    }
    return ask_certificate(p, "simplereenroll", next_csr);
}

/* ---- what was issued ---- */

/* RFC 7030 4.2.3: the certificate, and nothing else. */
static brski_err_t *judge_issued(const pledge_t *p, const brski_cert_t *cert)
{
    apr_array_header_t *helpers = p->cacerts ? p->cacerts : p->peer;

    if (p->issued->nelts != 1) {
        return say_refuse(p->pool, "The server sent %d certificates where one was asked for.",
                          p->issued->nelts);
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(cert->x509), p->new_key) != 1) {
        return say_refuse(p->pool, "The certificate %s is for another key.", cert->subject);
    }
    if (cert->ca) {
        return say_refuse(p->pool, "The certificate %s is a CA's: a device did not ask for that.",
                          cert->subject);
    }
    return brski_anchors_verify(NULL, p->anchors, cert, helpers, p->ctx->now(p->ctx->baton), SKEW,
                                0, p->pool, p->pool);
}

/* With what issued it, so that TLS can show it: the root stays behind. */
static void take_certificate(pledge_t *p, const brski_cert_t *cert)
{
    apr_array_header_t *chain = apr_array_make(p->pool, 3, sizeof(const brski_cert_t *));
    brski_chain_t *path;
    int i;

    APR_ARRAY_PUSH(chain, const brski_cert_t *) = cert;
    if (p->cacerts && !brski_chain_build(&path, cert, p->cacerts, p->pool, p->pool)) {
        for (i = 1; i < path->certs->nelts && !cert_at(path->certs, i)->self_issued; i++) {
            APR_ARRAY_PUSH(chain, const brski_cert_t *) = cert_at(path->certs, i);
        }
    }
    p->ldevid.certs = chain;
    p->ldevid.key = p->new_key;
}

static brski_err_t *judge_renewed(const pledge_t *p, const brski_cert_t *cert)
{
    const brski_cert_t *old = identity_ee(&p->ldevid);

    return X509_NAME_cmp(X509_get_subject_name(cert->x509), X509_get_subject_name(old->x509)) == 0
               ? BRSKI_OK
               : say_refuse(p->pool, "The certificate is for %s; it was to renew %s.",
                            cert->subject, old->subject);
}

brski_err_t *pledge_check_certificate(pledge_t *p)
{
    const brski_cert_t *cert = p->issued->nelts ? cert_at(p->issued, 0) : NULL;
    brski_err_t *err;

    if (!cert) {
        return say_refuse(p->pool, "The server sent no certificate.");
    }
    err = judge_issued(p, cert);
    if (!err && p->ldevid.certs) {
        err = judge_renewed(p, cert);
    }
    if (err) {
        return err;
    }
    take_certificate(p, cert);
    pledge_tell(p, "%s", cert->subject);
    pledge_tell(p, "issued by %s, until %s", cert->issuer,
                brski_time_rfc3339(cert->not_after, p->pool));
    pledge_fact(p, "subject", cert->subject);
    pledge_fact(p, "issuer", cert->issuer);
    pledge_fact(p, "certificate_serial", cert->cert_serial_hex);
    pledge_fact(p, "not_after", brski_time_rfc3339(cert->not_after, p->pool));
    return BRSKI_OK;
}
