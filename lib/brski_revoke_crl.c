/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_crl.c: judges CRLs by RFC 5280 section 6.3.3, for full CRLs of the certificate's own
 * issuer. Delta and indirect CRLs, and those of some reasons only, say nothing here.
 */
#include "brski_revoke_judge.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_revoke_asn1.h"

static brski_err_t *unknown(const char *why, apr_pool_t *pool)
{
    return brski_err_openssl(BRSKI_E_REVOCATION_UNKNOWN, NULL, pool, "CRL: %s", why);
}

/* ---- where ---- */

/* The URI of a general name, NULL when it is none or hides a NUL. */
static const char *uri_of(const GENERAL_NAME *name, apr_pool_t *pool)
{
    const ASN1_IA5STRING *uri;
    const char *text;

    if (name->type != GEN_URI) {
        return NULL;
    }
    uri = name->d.uniformResourceIdentifier;
    text = apr_pstrmemdup(pool, (const char *)ASN1_STRING_get0_data(uri),
                          (apr_size_t)ASN1_STRING_length(uri));
    return strlen(text) == (size_t)ASN1_STRING_length(uri) ? text : NULL;
}

static void push_uris(apr_array_header_t *urls, const DIST_POINT_NAME *name, apr_pool_t *pool)
{
    const char *url;
    int i;

    if (!name || name->type != 0) {
        return;
    }
    for (i = 0; i < sk_GENERAL_NAME_num(name->name.fullname); i++) {
        url = uri_of(sk_GENERAL_NAME_value(name->name.fullname, i), pool);
        if (url) {
            APR_ARRAY_PUSH(urls, const char *) = url;
        }
    }
}

apr_array_header_t *brski_crl_urls(int *named, const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_array_header_t *urls = apr_array_make(pool, 1, sizeof(const char *));
    CRL_DIST_POINTS *points;
    DIST_POINT *point;
    int i, critical;

    points = X509_get_ext_d2i(cert->x509, NID_crl_distribution_points, &critical, NULL);
    *named = critical != -1;
    for (i = 0; i < sk_DIST_POINT_num(points); i++) {
        point = sk_DIST_POINT_value(points, i);
        if (!point->CRLissuer && !point->reasons) {
            push_uris(urls, point->distpoint, pool);
        }
    }
    CRL_DIST_POINTS_free(points);
    return urls;
}

/* ---- what it is worth ---- */

static X509_CRL *parse(brski_bytes_t crl)
{
    const unsigned char *p = crl.data;
    X509_CRL *parsed = NULL;
    BIO *bio;

    if (crl.len == 0 || crl.len > INT_MAX) {
        return NULL;
    }
    if (crl.data[0] == 0x30) {
        parsed = d2i_X509_CRL(NULL, &p, (long)crl.len);
        if (parsed && p != crl.data + crl.len) {
            X509_CRL_free(parsed);
            parsed = NULL;
        }
        return parsed;
    }
    bio = BIO_new_mem_buf(crl.data, (int)crl.len);
    if (bio) {
        parsed = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    return parsed;
}

/* The issuing distribution point is understood; another critical extension is a reason to stop. */
static const char *check_extensions(const X509_CRL *crl)
{
    X509_EXTENSION *ext;
    int i, nid;

    for (i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        ext = X509_CRL_get_ext(crl, i);
        nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
        if (nid == NID_delta_crl) {
            return "it is a delta CRL";
        }
        if (X509_EXTENSION_get_critical(ext) && nid != NID_issuing_distribution_point) {
            return "it has a critical extension that is not understood";
        }
    }
    return NULL;
}

static int names_url(const DIST_POINT_NAME *name, const char *url, apr_pool_t *pool)
{
    apr_array_header_t *urls = apr_array_make(pool, 1, sizeof(const char *));
    int i;

    push_uris(urls, name, pool);
    for (i = 0; i < urls->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(urls, i, const char *), url)) {
            return 1;
        }
    }
    return 0;
}

/* RFC 5280 6.3.3 (b)(2): does it cover this kind of certificate, and come from this place? */
static const char *check_scope(const ISSUING_DIST_POINT *idp, const brski_cert_t *cert,
                               const char *url, apr_pool_t *pool)
{
    if (idp->indirectCRL > 0 || idp->onlysomereasons || idp->onlyattr > 0) {
        return "it is indirect, for some reasons or for attribute certificates only";
    }
    if ((idp->onlyuser > 0 && cert->ca) || (idp->onlyCA > 0 && !cert->ca)) {
        return "it does not cover certificates of this kind";
    }
    if (idp->distpoint && !names_url(idp->distpoint, url, pool)) {
        return "it belongs to another distribution point";
    }
    return NULL;
}

static const char *check_coverage(const X509_CRL *crl, const brski_cert_t *cert, const char *url,
                                  apr_pool_t *pool)
{
    ISSUING_DIST_POINT *idp;
    const char *why = NULL;
    int critical;

    idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
    if (idp) {
        why = check_scope(idp, cert, url, pool);
        ISSUING_DIST_POINT_free(idp);
    }
    else if (critical != -1) {
        why = "its issuing distribution point cannot be read";
    }
    return why;
}

static const char *check_signature(X509_CRL *crl, const brski_cert_t *issuer)
{
    const X509_ALGOR *alg;

    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer->x509)) != 0) {
        return "it is not of the certificate's issuer";
    }
    if (!(X509_get_key_usage(issuer->x509) & KU_CRL_SIGN)) {
        return "the issuer's certificate is not for signing CRLs";
    }
    X509_CRL_get0_signature(crl, NULL, &alg);
    if (!brski_signature_allowed(alg)) {
        return "it is signed with a weak digest";
    }
    return X509_CRL_verify(crl, issuer->key) == 1 ? NULL : "its signature does not verify";
}

static const char *check(brski_revocation_state_t *state, X509_CRL *crl, const char *url,
                         const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool)
{
    const char *why = check_signature(crl, subject->issuer);

    why = why ? why : check_extensions(crl);
    why = why ? why : check_coverage(crl, subject->cert, url, pool);
    why = why ? why : brski_update_times(&state->until, X509_CRL_get0_lastUpdate(crl),
                                         X509_CRL_get0_nextUpdate(crl), now);
    /* RFC 5280 5.1.2.5: without it a CRL would be good forever. */
    return why ? why : state->until ? NULL : "it does not say when the next one comes";
}

static void look_up(brski_revocation_state_t *state, X509_CRL *crl, const brski_cert_t *cert)
{
    X509_REVOKED *entry = NULL;

    /* 2 is an entry that takes a revocation back */
    if (X509_CRL_get0_by_cert(crl, &entry, cert->x509) == 1) {
        state->revoked = 1;
        brski_asn1_time(&state->revoked_at, X509_REVOKED_get0_revocationDate(entry));
    }
}

brski_err_t *brski_crl_judge(brski_revocation_state_t *state, brski_bytes_t bytes, const char *url,
                             const brski_subject_t *subject, apr_time_t now, apr_pool_t *pool)
{
    X509_CRL *crl = parse(bytes);
    const char *why;

    memset(state, 0, sizeof(*state));
    if (!crl) {
        return unknown("the answer is neither DER nor PEM of a CRL", pool);
    }
    why = check(state, crl, url, subject, now, pool);
    if (!why) {
        look_up(state, crl, subject->cert);
    }
    X509_CRL_free(crl);
    return why ? unknown(why, pool) : BRSKI_OK;
}
