/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_ca_local.c: a CA whose key is in a file of this machine: ESTCA local CHAIN.pem KEY-URI
 * [crl=URL] [ocsp=URL]. CHAIN.pem holds the issuing certificate, its issuers up to the root and,
 * while a root is being replaced, the certificates of RFC 4210 4.4 between the old and the new one.
 * Every refusal says what would be right.
 */
#include "brski_ca.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_ca_write.h"
#include "brski_cert.h"
#include "brski_err.h"
#include "brski_signer.h"

#define SERIAL_OCTETS 16

/* Words of the directive. */
typedef struct words_t {
    const char *chain_file;
    const char *key_uri;
    const char *crl_url;
    const char *ocsp_url;
} words_t;

/* brski_ca_t.state */
typedef struct local_t {
    const brski_ctx_t *ctx;
    brski_ca_issuer_t issuer; /* key NULL while it is away */
    apr_time_t not_before;
    apr_time_t not_after;
    int signs_crls;
} local_t;

static const brski_cert_t *cert_at(const apr_array_header_t *certs, int i)
{
    return APR_ARRAY_IDX(certs, i, const brski_cert_t *);
}

/* ---- words ---- */

static brski_err_t *bad_config(const brski_err_t *prev, apr_pool_t *pool, const char *text)
{
    return brski_err_say(brski_err(BRSKI_E_CONFIG, prev, pool, "CA: %s", text), pool, "%s", text);
}

static brski_err_t *bad_chain(const words_t *w, const brski_err_t *prev, apr_pool_t *pool,
                              const char *what)
{
    return bad_config(prev, pool,
                      apr_psprintf(pool, "CA: the chain file '%s' %s.", w->chain_file, what));
}

static int is_http_url(const char *text)
{
    const char *at = text;

    while (*at > 0x20 && *at < 0x7F) {
        at++;
    }
    return !*at
           && ((!strncmp(text, "http://", 7) && text[7])
               || (!strncmp(text, "https://", 8) && text[8]));
}

static brski_err_t *read_url(const char **url, const char *name, const char *text, apr_pool_t *pool)
{
    if (!is_http_url(text)) {
        return bad_config(NULL, pool,
                          apr_psprintf(pool, "CA: '%s%s' is no URL; write %shttp://HOST/PATH.",
                                       name, brski_printable(text, 200, pool), name));
    }
    *url = text;
    return BRSKI_OK;
}

static brski_err_t *read_words(words_t *w, const apr_array_header_t *args, apr_pool_t *pool)
{
    int i;

    memset(w, 0, sizeof(*w));
    if (args->nelts < 2) {
        return bad_config(NULL, pool,
                          "CA: write local CHAIN.pem KEY-URI, and crl=URL or ocsp=URL behind it.");
    }
    w->chain_file = APR_ARRAY_IDX(args, 0, const char *);
    w->key_uri = APR_ARRAY_IDX(args, 1, const char *);
    for (i = 2; i < args->nelts; i++) {
        const char *word = APR_ARRAY_IDX(args, i, const char *);

        if (!strncmp(word, "crl=", 4)) {
            BRSKI_TRY(read_url(&w->crl_url, "crl=", word + 4, pool));
        }
        else if (!strncmp(word, "ocsp=", 5)) {
            BRSKI_TRY(read_url(&w->ocsp_url, "ocsp=", word + 5, pool));
        }
        else {
            return bad_config(NULL, pool,
                              apr_psprintf(pool,
                                           "CA: '%s' is no word of it; there are crl=URL and "
                                           "ocsp=URL.",
                                           brski_printable(word, 200, pool)));
        }
    }
    return BRSKI_OK;
}

/* ---- the chain ---- */

static int same_cert(const brski_cert_t *a, const brski_cert_t *b)
{
    return !memcmp(a->hash, b->hash, sizeof(a->hash));
}

static int same_key(const brski_cert_t *a, const brski_cert_t *b)
{
    return !memcmp(a->spki_hash, b->spki_hash, sizeof(a->spki_hash));
}

static int is_in(const apr_array_header_t *certs, const brski_cert_t *cert)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (same_cert(cert_at(certs, i), cert)) {
            return 1;
        }
    }
    return 0;
}

static brski_err_t *check_issuing(const words_t *w, const brski_cert_t *cert, apr_pool_t *pool)
{
    const char *subject = brski_cert_short_subject(cert, pool);

    if (!cert->ca) {
        return bad_chain(w, NULL, pool,
                         apr_psprintf(pool,
                                      "has '%s' for the key, whose basicConstraints do not "
                                      "say CA; name a CA's certificate and key",
                                      subject));
    }
    if (!(X509_get_key_usage(cert->x509) & KU_KEY_CERT_SIGN)) {
        return bad_chain(w, NULL, pool,
                         apr_psprintf(pool,
                                      "has '%s' for the key, whose key usage lacks "
                                      "keyCertSign; it may not issue certificates",
                                      subject));
    }
    return BRSKI_OK;
}

/* Several certificates may hold the key: one by the old root, one by the new. The first counts. */
static const brski_cert_t *find_issuing(const apr_array_header_t *certs, const EVP_PKEY *key)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (!key || EVP_PKEY_eq(cert_at(certs, i)->key, key) == 1) {
            return cert_at(certs, i);
        }
    }
    ERR_clear_error();
    return NULL;
}

static brski_err_t *check_chain(const words_t *w, const brski_chain_t *chain, apr_time_t now,
                                apr_pool_t *pool)
{
    const brski_cert_t *top = cert_at(chain->certs, chain->certs->nelts - 1);
    apr_array_header_t *root = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    brski_anchors_t *anchors;
    brski_err_t *err;

    if (!chain->self_signed_top) {
        return bad_chain(w, NULL, pool,
                         apr_psprintf(pool,
                                      "ends with '%s', whose issuer '%s' is missing; add the "
                                      "issuers up to the self-signed root",
                                      brski_cert_short_subject(top, pool), top->issuer));
    }
    APR_ARRAY_PUSH(root, const brski_cert_t *) = top;
    BRSKI_TRY(brski_anchors_make(&anchors, root, pool));
    err = brski_anchors_verify(NULL, anchors, cert_at(chain->certs, 0), chain->certs, now, 0,
                               BRSKI_VERIFY_CA, pool, pool);
    if (err) {
        apr_size_t len = strlen(err->public_text);
        const char *text = apr_pstrmemdup(pool, err->public_text,
                                          len && err->public_text[len - 1] == '.' ? len - 1 : len);

        return bad_chain(w, err, pool, apr_psprintf(pool, "is not valid: %s", text));
    }
    return BRSKI_OK;
}

/* By key or by signature: OldWithNew has a key of the chain, or is signed with one. */
static int is_connected(const brski_cert_t *cert, const apr_array_header_t *known)
{
    int i;

    for (i = 0; i < known->nelts; i++) {
        const brski_cert_t *other = cert_at(known, i);

        if (same_key(cert, other)
            || (!X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(other->x509))
                && brski_cert_signed_by(cert, other))
            || (!X509_NAME_cmp(X509_get_issuer_name(other->x509), X509_get_subject_name(cert->x509))
                && brski_cert_signed_by(other, cert))) {
            return 1;
        }
    }
    return 0;
}

/*
 * What is left beside the chain must belong to a change of roots (RFC 7030 4.1.3, RFC 4210 4.4):
 * each a CA's, each connected with the chain by its key or a signature. The order of the file may
 * be any.
 */
static brski_err_t *add_rollover(apr_array_header_t *chain, const apr_array_header_t *certs,
                                 const words_t *w, apr_pool_t *pool)
{
    const brski_cert_t *stranger;
    int i, added;

    do {
        stranger = NULL;
        added = 0;
        for (i = 0; i < certs->nelts; i++) {
            const brski_cert_t *cert = cert_at(certs, i);

            if (is_in(chain, cert)) {
                continue;
            }
            if (cert->ca && is_connected(cert, chain)) {
                APR_ARRAY_PUSH(chain, const brski_cert_t *) = cert;
                added = 1;
            }
            else {
                stranger = cert;
            }
        }
    } while (added);
    return stranger ? bad_chain(w, NULL, pool,
                                apr_psprintf(pool,
                                             "contains '%s', which does not belong to the "
                                             "chain; it must hold the issuing CA, its "
                                             "issuers up to the root and, while a root is "
                                             "replaced, old-with-new and new-with-old",
                                             brski_cert_short_subject(stranger, pool)))
                    : BRSKI_OK;
}

/* key NULL: it is away, and the file's first certificate is taken for the issuing one. */
static brski_err_t *read_chain(apr_array_header_t **out, const words_t *w, const EVP_PKEY *key,
                               apr_time_t now, apr_pool_t *pool)
{
    apr_array_header_t *certs;
    const brski_cert_t *issuing;
    brski_chain_t *chain;
    brski_err_t *err = brski_cert_load(&certs, w->chain_file, pool);

    *out = NULL;
    if (err) {
        return bad_config(err, pool, apr_psprintf(pool, "CA: %s", err->public_text));
    }
    if (!(issuing = find_issuing(certs, key))) {
        return bad_config(
            NULL, pool,
            apr_psprintf(pool,
                         "CA: the key '%s' is not the key of a certificate in the chain file "
                         "'%s'; name the key that belongs to it.",
                         w->key_uri, w->chain_file));
    }
    BRSKI_TRY(check_issuing(w, issuing, pool));
    BRSKI_TRY(brski_chain_build(&chain, issuing, certs, pool, pool));
    BRSKI_TRY(check_chain(w, chain, now, pool));
    BRSKI_TRY(add_rollover(chain->certs, certs, w, pool));
    *out = chain->certs;
    return BRSKI_OK;
}

/* ---- the kind ---- */

static brski_err_t *check_key(const words_t *w, EVP_PKEY *key, apr_pool_t *pool)
{
    brski_ca_scheme_t scheme;
    const char *why = brski_ca_scheme(&scheme, key);

    return why ? bad_config(NULL, pool,
                            apr_psprintf(pool,
                                         "CA: the key '%s' %s; use ECDSA P-256, P-384 or "
                                         "P-521, RSA or Ed25519.",
                                         w->key_uri, why))
               : BRSKI_OK;
}

static brski_err_t *check(const apr_array_header_t *args, apr_time_t now, apr_pool_t *scratch_pool)
{
    apr_array_header_t *chain;
    EVP_PKEY *key;
    words_t w;
    brski_err_t *err;

    BRSKI_TRY(read_words(&w, args, scratch_pool));
    if ((err = brski_signer_kind_file.check(w.key_uri, scratch_pool))
        || (err = brski_signer_kind_file.load(&key, w.key_uri, scratch_pool))) {
        return bad_config(err, scratch_pool,
                          apr_psprintf(scratch_pool, "CA: %s", err->public_text));
    }
    BRSKI_TRY(check_key(&w, key, scratch_pool));
    return read_chain(&chain, &w, key, now, scratch_pool);
}

static brski_err_t *make_cacerts(brski_ca_t *ca, apr_pool_t *pool)
{
    apr_array_header_t *ders = apr_array_make(pool, ca->chain->nelts, sizeof(brski_bytes_t));
    int i;

    for (i = 0; i < ca->chain->nelts; i++) {
        APR_ARRAY_PUSH(ders, brski_bytes_t) = cert_at(ca->chain, i)->der;
    }
    return brski_certs_only_make(&ca->cacerts, ders, pool);
}

static brski_err_t *make(brski_ca_t **out, const apr_array_header_t *args, const brski_ctx_t *ctx,
                         apr_pool_t *pool)
{
    brski_ca_t *ca = apr_pcalloc(pool, sizeof(*ca));
    local_t *local = apr_pcalloc(pool, sizeof(*local));
    const brski_cert_t *issuing;
    EVP_PKEY *key;
    words_t w;

    *out = NULL;
    BRSKI_TRY(read_words(&w, args, pool));
    ca->away = brski_signer_kind_file.load(&key, w.key_uri, pool);
    BRSKI_TRY(read_chain(&ca->chain, &w, ca->away ? NULL : key, ctx->now(ctx->baton), pool));
    issuing = cert_at(ca->chain, 0);
    brski_ca_issuer(&local->issuer, issuing, pool);
    if (!ca->away) {
        BRSKI_TRY(check_key(&w, key, pool));
        brski_ca_scheme(&local->issuer.scheme, key);
        local->issuer.key = key;
    }
    local->ctx = ctx;
    local->not_before = issuing->not_before;
    local->not_after = issuing->not_after;
    local->signs_crls = (X509_get_key_usage(issuing->x509) & KU_CRL_SIGN) != 0;
    ca->kind = &brski_ca_kind_local;
    ca->state = local;
    ca->key_id = issuing->spki_hex;
    ca->crl_url = w.crl_url ? apr_pstrdup(pool, w.crl_url) : NULL;
    ca->ocsp_url = w.ocsp_url ? apr_pstrdup(pool, w.ocsp_url) : NULL;
    BRSKI_TRY(make_cacerts(ca, pool));
    *out = ca;
    return BRSKI_OK;
}

static brski_err_t *unavailable(const brski_err_t *prev, const char *why, apr_pool_t *pool)
{
    return brski_err(BRSKI_E_CA_UNAVAILABLE, prev, pool, "CA: %s", why);
}

/* RFC 5280 4.1.2.2: positive, unique, at most 20 octets; 128 random bits. */
static brski_bytes_t make_serial(const local_t *local, apr_pool_t *pool)
{
    unsigned char *octets = apr_palloc(pool, SERIAL_OCTETS);

    do {
        local->ctx->random(octets, SERIAL_OCTETS, local->ctx->baton);
    } while (!octets[0]);
    return brski_bytes(octets, SERIAL_OCTETS);
}

static brski_err_t *issue(brski_bytes_t *cert, brski_ca_t *ca, const brski_template_t *tmpl,
                          apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const local_t *local = ca->state;
    brski_template_t cut = *tmpl;

    *cert = brski_bytes(NULL, 0);
    if (!local->issuer.key) {
        return unavailable(ca->away, "its key is away", result_pool);
    }
    if (cut.not_before < local->not_before) {
        cut.not_before = local->not_before;
    }
    if (cut.not_after > local->not_after) {
        cut.not_after = local->not_after;
    }
    if (cut.not_after <= local->ctx->now(local->ctx->baton)) {
        return unavailable(NULL, "its certificate has expired", result_pool);
    }
    return brski_ca_write_cert(cert, &local->issuer, &cut, make_serial(local, scratch_pool),
                               tmpl->crl_ocsp ? ca->crl_url : NULL,
                               tmpl->crl_ocsp ? ca->ocsp_url : NULL, result_pool, scratch_pool);
}

static brski_err_t *crl(brski_bytes_t *der, brski_ca_t *ca, const apr_array_header_t *revoked,
                        apr_int64_t number, apr_time_t this_update, apr_time_t next_update,
                        apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const local_t *local = ca->state;

    *der = brski_bytes(NULL, 0);
    if (!local->issuer.key) {
        return unavailable(ca->away, "its key is away", result_pool);
    }
    if (!local->signs_crls) {
        return unavailable(NULL, "its certificate's key usage lacks cRLSign", result_pool);
    }
    return brski_ca_write_crl(der, &local->issuer, revoked, number, this_update, next_update,
                              result_pool, scratch_pool);
}

const brski_ca_kind_t brski_ca_kind_local = { "local", 0, check, make, issue, crl };
