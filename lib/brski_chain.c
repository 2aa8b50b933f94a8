/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_chain.c: chains of certificates. The path and the rules of RFC 5280 section 6.1 are
 * OpenSSL's; the last step, signatures and validity of each certificate, is ours
 * (X509_STORE_CTX_set_verify): signatures that are known to be good are not computed again, the
 * clock may differ on both sides, and the answer says which certificate and why.
 */
#include "brski_cert.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_time.h"

struct brski_anchors_t {
    apr_array_header_t *certs; /* const brski_cert_t * */
    X509_STORE *store; /* the same; its own locks make it safe for threads */
};

/* One verification on its way through OpenSSL and back. */
typedef struct verify_t {
    const brski_cert_t *ee;
    const apr_array_header_t *lists[2]; /* where else the certificates of the path come from */
    apr_time_t at;
    apr_interval_time_t skew;
    int flags;
    int anchors; /* the top is configured, not taken from the message */
    brski_err_code_t weak; /* what a weak key or digest is called */
    apr_pool_t *pool;
    brski_err_t *err; /* what we found */
} verify_t;

static const brski_cert_t *cert_at(const apr_array_header_t *certs, int i)
{
    return APR_ARRAY_IDX(certs, i, const brski_cert_t *);
}

/* ---- building ---- */

static int in_list(const apr_array_header_t *certs, const brski_cert_t *cert)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (!memcmp(cert_at(certs, i)->hash, cert->hash, sizeof(cert->hash))) {
            return 1;
        }
    }
    return 0;
}

static int may_be_issuer(const brski_cert_t *issuer, const brski_cert_t *cert)
{
    if (cert->aki_keyid.len && issuer->ski.len
        && !brski_bytes_equal(cert->aki_keyid, issuer->ski)) {
        return 0;
    }
    return !X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(issuer->x509));
}

/*
 * Self-signed ones first: they end the chain, where a cross-certificate of the same key would need
 * more. A stranger's look-alikes cost arithmetic, so tries are counted.
 */
static const brski_cert_t *find_issuer(const brski_cert_t *cert, const apr_array_header_t *certs,
                                       const apr_array_header_t *used, int *tries)
{
    int self_issued, i;

    for (self_issued = 1; self_issued >= 0; self_issued--) {
        for (i = 0; i < certs->nelts && 0 < *tries; i++) {
            const brski_cert_t *issuer = cert_at(certs, i);

            if ((int)issuer->self_issued != self_issued || !may_be_issuer(issuer, cert)
                || in_list(used, issuer)) {
                continue;
            }
            --*tries;
            if (brski_cert_signed_by(cert, issuer)) {
                return issuer;
            }
        }
    }
    return NULL;
}

brski_err_t *brski_chain_build(brski_chain_t **out, const brski_cert_t *ee,
                               const apr_array_header_t *certs, apr_pool_t *result_pool,
                               apr_pool_t *scratch_pool)
{
    brski_chain_t *chain = apr_pcalloc(result_pool, sizeof(*chain));
    int tries = 2 * certs->nelts;

    (void)scratch_pool;
    chain->certs = apr_array_make(result_pool, 4, sizeof(const brski_cert_t *));
    while (ee) {
        APR_ARRAY_PUSH(chain->certs, const brski_cert_t *) = brski_cert_ref(ee, result_pool);
        if (ee->self_issued && may_be_issuer(ee, ee) && brski_cert_signed_by(ee, ee)) {
            chain->self_signed_top = 1;
            break;
        }
        ee = find_issuer(ee, certs, chain->certs, &tries);
    }
    *out = chain;
    return BRSKI_OK;
}

/* ---- judging ---- */

static brski_err_t *refuse(const verify_t *v, brski_err_code_t code, const brski_cert_t *cert,
                           const char *why)
{
    const char *subject = brski_cert_short_subject(cert, v->pool);

    return brski_err_say(brski_err(code, NULL, v->pool, "certificate %s (serial %s) %s", subject,
                                   cert->cert_serial_hex, why),
                         v->pool, "The certificate of '%s' %s.", subject, why);
}

static brski_err_t *check_time(const verify_t *v, const brski_cert_t *cert)
{
    if (v->flags & BRSKI_VERIFY_IGNORE_EXPIRY) {
        return BRSKI_OK;
    }
    if (v->at + v->skew < cert->not_before) {
        return refuse(v, BRSKI_E_PKIX, cert,
                      apr_psprintf(v->pool, "is not valid before %s",
                                   brski_time_rfc3339(cert->not_before, v->pool)));
    }
    if (v->at - v->skew > cert->not_after) {
        return refuse(
            v, BRSKI_E_PKIX, cert,
            apr_psprintf(v->pool, "expired on %s", brski_time_rfc3339(cert->not_after, v->pool)));
    }
    return BRSKI_OK;
}

static brski_err_t *check_strength(const verify_t *v, const brski_cert_t *cert, int top)
{
    if (cert->weak_key) {
        return refuse(v, v->weak, cert,
                      "has a key that is too weak or of a type that is not allowed; "
                      "use ECDSA P-256 or better or RSA of 2048 bits or more");
    }
    if (!top && cert->weak_signature) {
        return refuse(v, v->weak, cert,
                      "is signed with a digest that is too weak; use SHA-256 or better");
    }
    return BRSKI_OK;
}

/* RFC 5280 4.2.1.3: who signs messages must be allowed to. */
static brski_err_t *check_ee(const verify_t *v, const brski_cert_t *ee)
{
    if (!(v->flags & BRSKI_VERIFY_CA)
        && !(X509_get_key_usage(ee->x509) & KU_DIGITAL_SIGNATURE)) {
        return refuse(v, BRSKI_E_PKIX, ee, "has a key usage without digitalSignature");
    }
    return BRSKI_OK;
}

/*
 * A configured anchor is trusted as such: version 1 has no basicConstraints, and OpenSSL turns
 * away the rest.
 */
static brski_err_t *check_issuer(const verify_t *v, const brski_cert_t *cert,
                                 const brski_cert_t *issuer, int top)
{
    if (!issuer->ca && !(top && v->anchors)) {
        return refuse(v, BRSKI_E_PKIX, issuer,
                      "issued another one, but its basicConstraints do not say CA");
    }
    if (!brski_cert_signed_by(cert, issuer)) {
        return refuse(v, BRSKI_E_PKIX, cert, "is not signed with its issuer's key");
    }
    return BRSKI_OK;
}

static const brski_cert_t *cert_of(const verify_t *v, const X509 *x509)
{
    int list, i;

    for (list = 0; list < 2; list++) {
        for (i = 0; v->lists[list] && i < v->lists[list]->nelts; i++) {
            if (cert_at(v->lists[list], i)->x509 == x509) {
                return cert_at(v->lists[list], i);
            }
        }
    }
    return v->ee->x509 == x509 ? v->ee : NULL;
}

/* The path that OpenSSL found, in our certificates. */
static apr_array_header_t *path_of(const verify_t *v, X509_STORE_CTX *ctx, apr_pool_t *pool)
{
    const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    apr_array_header_t *certs = apr_array_make(pool, 4, sizeof(const brski_cert_t *));
    int i;

    for (i = 0; i < sk_X509_num(path); i++) {
        const brski_cert_t *cert = cert_of(v, sk_X509_value(path, i));

        if (!cert) {
            return NULL;
        }
        APR_ARRAY_PUSH(certs, const brski_cert_t *) = cert;
    }
    return certs->nelts ? certs : NULL;
}

static brski_err_t *check_path(const verify_t *v, const apr_array_header_t *path)
{
    int i;

    BRSKI_TRY(check_ee(v, cert_at(path, 0)));
    for (i = path->nelts - 1; i >= 0; i--) {
        BRSKI_TRY(check_time(v, cert_at(path, i)));
        BRSKI_TRY(check_strength(v, cert_at(path, i), i == path->nelts - 1));
        if (i > 0) {
            BRSKI_TRY(
                check_issuer(v, cert_at(path, i - 1), cert_at(path, i), i == path->nelts - 1));
        }
    }
    return BRSKI_OK;
}

/* In place of OpenSSL's last step; 0 fails the verification. */
static int last_step(X509_STORE_CTX *ctx)
{
    verify_t *v = X509_STORE_CTX_get_app_data(ctx);
    apr_array_header_t *path = path_of(v, ctx, v->pool);

    v->err =
        path ? check_path(v, path)
             : brski_err(BRSKI_E_INTERNAL, NULL, v->pool, "a path with a certificate from nowhere");
    if (v->err) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    }
    return !v->err;
}

static brski_err_t *openssl_says(const verify_t *v, X509_STORE_CTX *ctx)
{
    const X509 *at = X509_STORE_CTX_get_current_cert(ctx);
    const brski_cert_t *cert = at ? cert_of(v, at) : NULL;
    int code = X509_STORE_CTX_get_error(ctx);

    if (v->err) {
        return v->err;
    }
    return refuse(v, BRSKI_E_PKIX, cert ? cert : v->ee,
                  apr_psprintf(v->pool, "does not pass: %s", X509_verify_cert_error_string(code)));
}

/* trusted or store: one of them. */
static brski_err_t *run(verify_t *v, apr_array_header_t **path, STACK_OF(X509) *helpers,
                        STACK_OF(X509) *trusted, X509_STORE *store, apr_pool_t *result_pool)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    brski_err_t *err = BRSKI_OK;

    ERR_set_mark();
    if (!ctx || !X509_STORE_CTX_init(ctx, store, v->ee->x509, helpers)) {
        err = brski_err_openssl(BRSKI_E_INTERNAL, NULL, v->pool, "X509_STORE_CTX_init");
    }
    else {
        if (trusted) {
            X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
        }
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
        /* of several issuers OpenSSL prefers one that is valid then */
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)apr_time_sec(v->at));
        X509_STORE_CTX_set_verify(ctx, last_step);
        X509_STORE_CTX_set_app_data(ctx, v);
        if (X509_verify_cert(ctx) != 1) {
            err = openssl_says(v, ctx);
        }
        else if (path) {
            *path = path_of(v, ctx, result_pool);
        }
    }
    ERR_pop_to_mark();
    X509_STORE_CTX_free(ctx);
    return err;
}

static STACK_OF(X509) *stack_of(const apr_array_header_t *certs, int from, int to)
{
    STACK_OF(X509) *stack = sk_X509_new_reserve(NULL, to - from);
    int i;

    for (i = from; stack && i < to; i++) {
        sk_X509_push(stack, cert_at(certs, i)->x509);
    }
    return stack;
}

brski_err_t *brski_chain_verify(const brski_chain_t *chain, apr_time_t at, apr_interval_time_t skew,
                                apr_pool_t *scratch_pool)
{
    int n = chain->certs->nelts;
    verify_t v = { .ee = cert_at(chain->certs, 0),
                   .lists = { chain->certs },
                   .at = at,
                   .skew = skew,
                   .weak = BRSKI_E_ALGORITHM,
                   .pool = scratch_pool };
    STACK_OF(X509) *trusted = stack_of(chain->certs, n - 1, n);
    STACK_OF(X509) *helpers = stack_of(chain->certs, n > 1 ? 1 : n, n > 1 ? n - 1 : n);
    brski_err_t *err;

    /* every certificate of the chain, even if OpenSSL knows a shorter way to the top */
    err = check_path(&v, chain->certs);
    if (!err) {
        err = run(&v, NULL, helpers, trusted, NULL, scratch_pool);
    }
    sk_X509_free(trusted);
    sk_X509_free(helpers);
    return err;
}

/* ---- anchors ---- */

static apr_status_t free_store(void *store)
{
    X509_STORE_free(store);
    return APR_SUCCESS;
}

brski_err_t *brski_anchors_make(brski_anchors_t **out, const apr_array_header_t *certs,
                                apr_pool_t *pool)
{
    brski_anchors_t *anchors = apr_pcalloc(pool, sizeof(*anchors));
    int i;

    *out = NULL;
    anchors->certs = apr_array_make(pool, certs->nelts, sizeof(const brski_cert_t *));
    if (!(anchors->store = X509_STORE_new())) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "X509_STORE_new");
    }
    apr_pool_cleanup_register(pool, anchors->store, free_store, apr_pool_cleanup_null);
    for (i = 0; i < certs->nelts; i++) {
        const brski_cert_t *cert = cert_at(certs, i);

        if (in_list(anchors->certs, cert)) {
            continue;
        }
        if (!X509_STORE_add_cert(anchors->store, cert->x509)) {
            return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "X509_STORE_add_cert");
        }
        APR_ARRAY_PUSH(anchors->certs, const brski_cert_t *) = brski_cert_ref(cert, pool);
    }
    *out = anchors;
    return BRSKI_OK;
}

brski_err_t *brski_anchors_load(brski_anchors_t **out, const apr_array_header_t *paths,
                                apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 4, sizeof(const brski_cert_t *)), *certs;
    int i;

    *out = NULL;
    for (i = 0; i < paths->nelts; i++) {
        BRSKI_TRY(brski_cert_load(&certs, APR_ARRAY_IDX(paths, i, const char *), pool));
        apr_array_cat(all, certs);
    }
    return brski_anchors_make(out, all, pool);
}

const apr_array_header_t *brski_anchors_certs(const brski_anchors_t *anchors)
{
    return anchors->certs;
}

int brski_anchors_has_key(const brski_anchors_t *anchors, const unsigned char *spki_hash)
{
    int i;

    for (i = 0; i < anchors->certs->nelts; i++) {
        if (!memcmp(cert_at(anchors->certs, i)->spki_hash, spki_hash, BRSKI_SHA256_LEN)) {
            return 1;
        }
    }
    return 0;
}

static brski_chain_t *chain_of(apr_array_header_t *path, apr_pool_t *pool)
{
    brski_chain_t *chain = apr_pcalloc(pool, sizeof(*chain));
    const brski_cert_t *top = cert_at(path, path->nelts - 1);
    int i;

    for (i = 0; i < path->nelts; i++) {
        brski_cert_ref(cert_at(path, i), pool);
    }
    chain->certs = path;
    chain->anchored = 1;
    chain->self_signed_top = top->self_issued && brski_cert_signed_by(top, top);
    return chain;
}

brski_err_t *brski_anchors_verify(brski_chain_t **chain, const brski_anchors_t *anchors,
                                  const brski_cert_t *ee, const apr_array_header_t *certs,
                                  apr_time_t at, apr_interval_time_t skew, int flags,
                                  apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    verify_t v = { .ee = ee,
                   .lists = { certs, anchors->certs },
                   .at = at,
                   .skew = skew,
                   .flags = flags,
                   .anchors = 1,
                   .weak = BRSKI_E_PKIX,
                   .pool = scratch_pool };
    STACK_OF(X509) *helpers = certs ? stack_of(certs, 0, certs->nelts) : NULL;
    apr_array_header_t *path = NULL;
    brski_err_t *err;

    if (chain) {
        *chain = NULL;
    }
    err = run(&v, &path, helpers, NULL, anchors->store, result_pool);
    sk_X509_free(helpers);
    BRSKI_TRY(err);
    if (chain) {
        *chain = chain_of(path, result_pool);
    }
    return BRSKI_OK;
}
