/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_signer.c: a configured signer: its chain put in order and judged when the configuration is
 * read, its key matched to the chain when it is loaded. Every refusal says what would be right,
 * because an administrator reads it.
 */
#include "brski_signer.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <string.h>

#include "brski_cert.h"
#include "brski_cms_alg.h"
#include "brski_err.h"

static const brski_cert_t *cert_at(const apr_array_header_t *certs, int i)
{
    return APR_ARRAY_IDX(certs, i, const brski_cert_t *);
}

/* what: the rest of a sentence that begins with the file. */
static brski_err_t *bad_chain(const brski_signer_t *signer, const brski_err_t *prev,
                              apr_pool_t *pool, const char *what)
{
    return brski_err_say(brski_err(BRSKI_E_CONFIG, prev, pool, "signer %s: %s: %s", signer->name,
                                   signer->chain_file, what),
                         pool, "Signer '%s': the chain file '%s' %s.", signer->name,
                         signer->chain_file, what);
}

/* Whose text ends with a full stop, ours goes on. */
static const char *without_stop(const char *text, apr_pool_t *pool)
{
    apr_size_t len = strlen(text);

    return len && text[len - 1] == '.' ? apr_pstrmemdup(pool, text, len - 1) : text;
}

static int same_cert(const brski_cert_t *a, const brski_cert_t *b)
{
    return !memcmp(a->hash, b->hash, sizeof(a->hash));
}

static int issued(const brski_cert_t *issuer, const brski_cert_t *cert)
{
    return !X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(issuer->x509))
           && brski_cert_signed_by(cert, issuer);
}

static int issues_none(const brski_cert_t *cert, const apr_array_header_t *certs)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (!same_cert(cert, cert_at(certs, i)) && issued(cert, cert_at(certs, i))) {
            return 0;
        }
    }
    return 1;
}

static apr_array_header_t *without_repetitions(const apr_array_header_t *certs, apr_pool_t *pool)
{
    apr_array_header_t *out = apr_array_make(pool, certs->nelts, sizeof(const brski_cert_t *));
    int i, j;

    for (i = 0; i < certs->nelts; i++) {
        for (j = 0; j < i && !same_cert(cert_at(certs, i), cert_at(certs, j)); j++) {
        }
        if (j == i) {
            APR_ARRAY_PUSH(out, const brski_cert_t *) = cert_at(certs, i);
        }
    }
    return out;
}

/* The end entity is the one that issued none of the others. */
static brski_err_t *find_ee(const brski_cert_t **ee, const brski_signer_t *signer,
                            const apr_array_header_t *certs, apr_pool_t *pool)
{
    int i;

    *ee = NULL;
    for (i = 0; i < certs->nelts; i++) {
        const brski_cert_t *cert = cert_at(certs, i);

        if (!issues_none(cert, certs)) {
            continue;
        }
        if (*ee) {
            return bad_chain(
                signer, NULL, pool,
                apr_psprintf(pool,
                             "contains '%s' and '%s', which do not belong to one chain; it must "
                             "hold the signer's certificate, its issuers and the root, no others",
                             brski_cert_short_subject(*ee, pool),
                             brski_cert_short_subject(cert, pool)));
        }
        *ee = cert;
    }
    return *ee ? BRSKI_OK
               : bad_chain(signer, NULL, pool,
                           "contains only certificates that issued each other; it must hold the "
                           "signer's certificate, its issuers and the root");
}

/*
 * RFC 8366 5.4 and 8995 5.6: who reads a voucher must be able to follow the chain up to the root.
 */
static brski_err_t *check_complete(const brski_signer_t *signer, const brski_chain_t *chain,
                                   const apr_array_header_t *certs, apr_pool_t *pool)
{
    const brski_cert_t *top = cert_at(chain->certs, chain->certs->nelts - 1);

    if (!chain->self_signed_top) {
        return bad_chain(signer, NULL, pool,
                         apr_psprintf(pool,
                                      "ends with '%s', whose issuer '%s' is missing; add the "
                                      "issuers up to the self-signed root",
                                      brski_cert_short_subject(top, pool), top->issuer));
    }
    if (chain->certs->nelts != certs->nelts) {
        return bad_chain(signer, NULL, pool,
                         "contains certificates that its chain does not need; it must hold the "
                         "signer's certificate, its issuers and the root, no others");
    }
    return BRSKI_OK;
}

static brski_err_t *check_ee(const brski_signer_t *signer, const brski_cert_t *ee, apr_pool_t *pool)
{
    if (ee->ca) {
        return bad_chain(signer, NULL, pool,
                         apr_psprintf(pool,
                                      "has '%s' as its end, which is a CA certificate; vouchers "
                                      "are signed with an end-entity certificate, put one issued "
                                      "by it into the file",
                                      brski_cert_short_subject(ee, pool)));
    }
    return BRSKI_OK;
}

static brski_err_t *read_chain(brski_signer_t *signer, apr_time_t now, apr_pool_t *pool)
{
    apr_array_header_t *certs;
    const brski_cert_t *ee;
    brski_chain_t *chain;
    brski_err_t *err = brski_cert_load(&certs, signer->chain_file, pool);

    if (err) {
        return brski_err_say(brski_err(BRSKI_E_CONFIG, err, pool, "signer %s", signer->name), pool,
                             "Signer '%s': %s", signer->name, err->public_text);
    }
    certs = without_repetitions(certs, pool);
    BRSKI_TRY(find_ee(&ee, signer, certs, pool));
    BRSKI_TRY(check_ee(signer, ee, pool));
    BRSKI_TRY(brski_chain_build(&chain, ee, certs, pool, pool));
    BRSKI_TRY(check_complete(signer, chain, certs, pool));
    if ((err = brski_chain_verify(chain, now, 0, pool))) {
        return bad_chain(
            signer, err, pool,
            apr_psprintf(pool, "is not valid: %s", without_stop(err->public_text, pool)));
    }
    signer->chain = chain->certs;
    return BRSKI_OK;
}

brski_err_t *brski_signer_make(brski_signer_t **out, const char *name, const char *chain_file,
                               const char *key_uri, int nonceless, const brski_signer_kind_t *kind,
                               apr_time_t now, apr_pool_t *pool)
{
    brski_signer_t *signer = apr_pcalloc(pool, sizeof(*signer));

    *out = NULL;
    signer->name = apr_pstrdup(pool, name);
    signer->chain_file = apr_pstrdup(pool, chain_file);
    signer->key_uri = apr_pstrdup(pool, key_uri);
    signer->kind = kind;
    signer->nonceless = nonceless;
    BRSKI_TRY(read_chain(signer, now, pool));
    *out = signer;
    return BRSKI_OK;
}

static brski_err_t *check_key(const brski_signer_t *signer, EVP_PKEY *key, apr_pool_t *pool)
{
    const brski_cert_t *ee = cert_at(signer->chain, 0);
    const char *subject = brski_cert_short_subject(ee, pool), *why;
    brski_cms_scheme_t scheme;

    if (EVP_PKEY_eq(ee->key, key) != 1) {
        ERR_clear_error();
        return brski_err_say(
            brski_err(BRSKI_E_CONFIG, NULL, pool, "signer %s: key and chain do not match",
                      signer->name),
            pool,
            "Signer '%s': the key '%s' is not the key of the certificate '%s' in the chain file "
            "'%s'; name the key that belongs to it.",
            signer->name, signer->key_uri, subject, signer->chain_file);
    }
    if ((why = brski_cms_scheme_choose(&scheme, key))) {
        return brski_err_say(
            brski_err(BRSKI_E_CONFIG, NULL, pool, "signer %s: key %s", signer->name, why), pool,
            "Signer '%s': the key '%s' %s; use ECDSA P-256 or better, RSA or Ed25519.",
            signer->name, signer->key_uri, why);
    }
    return BRSKI_OK;
}

brski_err_t *brski_signer_load(brski_signer_t *signer, apr_pool_t *pool)
{
    EVP_PKEY *key = NULL;
    brski_err_t *err = signer->kind->load(&key, signer->key_uri, pool);

    if (!err) {
        err = check_key(signer, key, pool);
    }
    signer->key = err ? NULL : key;
    signer->away = err;
    return err;
}

const char *brski_signer_key_id(const brski_signer_t *signer)
{
    return cert_at(signer->chain, 0)->spki_hex;
}
