/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge_csr.c: the certification request of a pledge: its key, and the subject, names, extensions
 * and binding that csrattrs ask for. RFC 2986, RFC 7030 sections 3.5, 4.2 and 4.5.
 */
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "pki.h"
#include "pledge.h"

#define OID_SAN "2.5.29.17"

/* ---- the parts; each gives 1 when it went well, as OpenSSL does ---- */

/* An IDevID's serialNumber alone: all that a pledge knows of itself. RFC 8995 5.9.2 */
static int set_own_subject(X509_REQ *req, const pledge_t *p)
{
    const char *serial = p->idevid.certs ? identity_ee(&p->idevid)->serial_number : NULL;
    X509_NAME *name = X509_NAME_new();
    int ok = name && (!serial || X509_NAME_add_entry_by_NID(name, NID_serialNumber, MBSTRING_UTF8,
                                                            (const unsigned char *)serial, -1, -1,
                                                            0))
             && X509_REQ_set_subject_name(req, name);

    X509_NAME_free(name);
    return ok;
}

static int set_der_subject(X509_REQ *req, brski_bytes_t der)
{
    const unsigned char *at = der.data;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    int ok = name && X509_REQ_set_subject_name(req, name);

    X509_NAME_free(name);
    return ok;
}

static int set_subject(X509_REQ *req, const pledge_t *p, const brski_cert_t *old)
{
    if (old) {
        return X509_REQ_set_subject_name(req, X509_get_subject_name(old->x509));
    }
    return p->attrs && p->attrs->subject.len ? set_der_subject(req, p->attrs->subject)
                                             : set_own_subject(req, p);
}

static int push_extension(STACK_OF(X509_EXTENSION) *all, const char *oid, int critical,
                          brski_bytes_t value)
{
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;

    if (type && octets && ASN1_OCTET_STRING_set(octets, value.data, (int)value.len)) {
        ext = X509_EXTENSION_create_by_OBJ(NULL, type, critical, octets);
    }
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(type);
    if (ext && sk_X509_EXTENSION_push(all, ext) > 0) {
        return 1;
    }
    X509_EXTENSION_free(ext);
    return 0;
}

/* What csrattrs ask for with a value; the names beside the other extensions only once. */
static int push_asked(STACK_OF(X509_EXTENSION) *all, const brski_csrattrs_t *attrs)
{
    int i, ok = 1, named = 0;

    for (i = 0; ok && i < attrs->extensions->nelts; i++) {
        const brski_csr_extension_t *ext =
            APR_ARRAY_IDX(attrs->extensions, i, const brski_csr_extension_t *);

        if (ext->value.len) {
            named |= strcmp(ext->oid, OID_SAN) == 0;
            ok = push_extension(all, ext->oid, ext->critical, ext->value);
        }
    }
    return ok && attrs->san.len && !named ? push_extension(all, OID_SAN, 0, attrs->san) : ok;
}

/* RFC 7030 4.2.2: the names of the certificate being renewed, as they are. */
static int push_old_names(STACK_OF(X509_EXTENSION) *all, const brski_cert_t *old)
{
    int at = X509_get_ext_by_NID(old->x509, NID_subject_alt_name, -1);
    X509_EXTENSION *ext = at < 0 ? NULL : X509_EXTENSION_dup(X509_get_ext(old->x509, at));

    return at < 0 || (ext && sk_X509_EXTENSION_push(all, ext) > 0);
}

static int set_extensions(X509_REQ *req, const pledge_t *p, const brski_cert_t *old)
{
    STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
    int ok = all != NULL;

    if (ok && old) {
        ok = push_old_names(all, old);
    }
    else if (ok && p->attrs) {
        ok = push_asked(all, p->attrs);
    }
    if (ok && sk_X509_EXTENSION_num(all) > 0) {
        ok = X509_REQ_add_extensions(req, all);
    }
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    return ok;
}

static int set_binding(X509_REQ *req, const char *binding)
{
    return !binding || X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_ASC,
                                                 (const unsigned char *)binding, -1);
}

/* RFC 7030 4.5.2: a signature may be asked for; its digest is all that the key leaves open. */
static const EVP_MD *digest_asked(const pledge_t *p)
{
    int i, digest, key;

    for (i = 0; p->attrs && i < p->attrs->unknown->nelts; i++) {
        const char *oid = APR_ARRAY_IDX(p->attrs->unknown, i, const char *);

        if (OBJ_find_sigid_algs(OBJ_txt2nid(oid), &digest, &key) && digest != NID_undef) {
            return EVP_get_digestbynid(digest);
        }
    }
    return NULL;
}

/* Ed25519 takes no digest. */
static int sign(X509_REQ *req, EVP_PKEY *key, const pledge_t *p)
{
    const EVP_MD *digest = digest_asked(p);

    if (EVP_PKEY_is_a(key, "ED25519")) {
        digest = NULL;
    }
    else if (!digest) {
        digest = EVP_sha256();
    }
    return X509_REQ_sign(req, key, digest) > 0;
}

/* ---- the whole ---- */

static const char *binding_wanted(pledge_t *p)
{
    const char *which, *binding;

    if (!p->attrs || !p->attrs->challenge_password) {
        return NULL;
    }
    binding = pledge_binding(p, &which, p->pool);
    pledge_tell(p, binding ? "the CSR is bound to this connection (%s)"
                           : "this connection offers no %s to bind the CSR to", which);
    return binding;
}

static brski_err_t *encode(brski_bytes_t *der, X509_REQ *req, apr_pool_t *pool)
{
    unsigned char *out = NULL;
    int len = i2d_X509_REQ(req, &out);

    if (len <= 0) {
        return brski_err_openssl(BRSKI_E_INTERNAL, NULL, pool, "encoding a CSR");
    }
    *der = brski_bytes_dup(brski_bytes(out, (apr_size_t)len), pool);
    OPENSSL_free(out);
    return BRSKI_OK;
}

brski_err_t *pledge_csr(brski_bytes_t *der, pledge_t *p, const brski_cert_t *old)
{
    EVP_PKEY *signer = p->new_key;
    const char *binding = binding_wanted(p);
    X509_REQ *req;
    brski_err_t *err;

    if (p->plan.other_csr_key) {
        pledge_tell(p, "signed with another key, on purpose");
        BRSKI_TRY(pki_key_make(&signer, "p256", p->pool));
    }
    req = X509_REQ_new();
    if (req && X509_REQ_set_version(req, X509_REQ_VERSION_1) && set_subject(req, p, old)
        && X509_REQ_set_pubkey(req, p->new_key) && set_extensions(req, p, old)
        && set_binding(req, binding) && sign(req, signer, p)) {
        err = encode(der, req, p->pool);
    }
    else {
        err = brski_err_openssl(BRSKI_E_INTERNAL, NULL, p->pool, "making a CSR");
    }
    X509_REQ_free(req);
    return err;
}
