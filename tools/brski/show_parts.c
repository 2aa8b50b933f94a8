/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show_parts.c: certificates, certification requests and keys for people, as show_parts.h says.
 */
#include "show_parts.h"

#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_time.h"
#include "brski_x509.h"
#include "show.h"

/* ---- certificates ---- */

static const char *key_text(EVP_PKEY *key, apr_pool_t *pool)
{
    char group[80];

    if (!key) {
        return "unknown";
    }
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
        return apr_psprintf(pool, "EC %s", group);
    }
    ERR_clear_error();
    return apr_psprintf(pool, "%s, %d bits", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

static void set_names(brski_json_t *doc, const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_array_header_t *names = brski_cert_dns_names(cert, pool);
    brski_json_t *list = brski_json_array(pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        brski_json_append_string(list, APR_ARRAY_IDX(names, i, const char *));
    }
    if (brski_json_size(list)) {
        brski_json_set(doc, "dns_names", list);
    }
}

/* What the certificate may be used for, as far as BRSKI asks. */
static void set_uses(brski_json_t *doc, const brski_cert_t *cert, apr_pool_t *pool)
{
    brski_json_t *list = brski_json_array(pool);

    if (cert->ca) {
        brski_json_append_string(list, "CA");
    }
    if (cert->cmc_ra) {
        brski_json_append_string(list, "registrar (id-kp-cmcRA)");
    }
    if (cert->client_auth) {
        brski_json_append_string(list, "TLS client");
    }
    if (cert->weak_key) {
        brski_json_append_string(list, "nothing: its key is too weak");
    }
    if (brski_json_size(list)) {
        brski_json_set(doc, "may_be", list);
    }
}

static void set_details(brski_json_t *doc, const brski_cert_t *cert, apr_pool_t *pool)
{
    const char *url = brski_cert_masa_url(cert, pool);

    if (url) {
        brski_json_set_string(doc, "masa_url", url);
    }
    if (cert->ski.len) {
        brski_json_set_string(doc, "subject_key_id", brski_hex(cert->ski, pool));
    }
    if (cert->aki_keyid.len) {
        brski_json_set_string(doc, "authority_key_id", brski_hex(cert->aki_keyid, pool));
    }
    brski_json_set_string(doc, "certificate_serial", cert->cert_serial_hex);
    brski_json_set_string(doc, "fingerprint", brski_hex(brski_bytes(cert->hash, 32), pool));
    set_names(doc, cert, pool);
}

static const char *validity(const brski_cert_t *cert, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s to %s", brski_time_rfc3339(cert->not_before, pool),
                        brski_time_rfc3339(cert->not_after, pool));
}

brski_json_t *show_cert(const brski_cert_t *cert, int details, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);

    brski_json_set_string(doc, "subject", cert->subject);
    brski_json_set_string(doc, "issuer", cert->self_issued ? "itself" : cert->issuer);
    if (cert->serial_number) {
        brski_json_set_string(doc, "device_serial", cert->serial_number);
    }
    brski_json_set_string(doc, "valid", validity(cert, pool));
    brski_json_set_string(doc, "key", key_text(cert->key, pool));
    brski_json_set_string(doc, "key_sha256", cert->spki_hex);
    brski_json_set_string(doc, "domainID", brski_domain_id(cert, pool));
    set_uses(doc, cert, pool);
    if (details) {
        set_details(doc, cert, pool);
    }
    return doc;
}

/* ---- certification requests ---- */

static brski_json_t *show_csr(X509_REQ *csr, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);
    EVP_PKEY *key = X509_REQ_get0_pubkey(csr);
    BIO *bio = BIO_new(BIO_s_mem());
    char *name = NULL;
    long len = 0;

    if (bio) {
        X509_NAME_print_ex(bio, X509_REQ_get_subject_name(csr), 0, XN_FLAG_RFC2253);
        len = BIO_get_mem_data(bio, &name);
    }
    brski_json_set_string(doc, "kind", "certification request");
    brski_json_set_string(doc, "subject", apr_pstrmemdup(pool, name ? name : "", (apr_size_t)len));
    brski_json_set_string(doc, "key", key_text(key, pool));
    brski_json_set_string(doc, "signature",
                          key && X509_REQ_verify(csr, key) == 1 ? "holds" : "does not verify");
    BIO_free(bio);
    ERR_clear_error();
    return doc;
}

/* ---- by encoding ---- */

brski_json_t *show_part_der(brski_bytes_t der, apr_pool_t *pool)
{
    const unsigned char *p = der.data;
    const brski_cert_t *cert;
    brski_json_t *doc = NULL;
    X509_REQ *csr;

    if (!brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool)) {
        doc = brski_json_object(pool);
        brski_json_set_string(doc, "kind", "certificate");
        show_merge(doc, show_cert(cert, 1, pool));
        return doc;
    }
    csr = d2i_X509_REQ(NULL, &p, (long)der.len);
    if (csr) {
        doc = show_csr(csr, pool);
        X509_REQ_free(csr);
    }
    ERR_clear_error();
    return doc;
}

static brski_json_t *show_key(const char *label, apr_pool_t *pool)
{
    brski_json_t *doc = brski_json_object(pool);

    brski_json_set_string(doc, "kind", strstr(label, "PRIVATE") ? "private key, not shown" : "key");
    brski_json_set_string(doc, "label", brski_printable(label, 60, pool));
    return doc;
}

static brski_json_t *show_pem_block(const char *label, brski_bytes_t der, apr_pool_t *pool)
{
    brski_json_t *doc = NULL;

    if (strstr(label, "KEY") || strstr(label, "PARAMETERS")) {
        return show_key(label, pool);
    }
    if (strcmp(label, "CMS") != 0 && strcmp(label, "PKCS7") != 0) {
        doc = show_part_der(der, pool);
    }
    return doc ? doc : show_signed(der, pool);
}

brski_json_t *show_part_pem(brski_bytes_t text, apr_pool_t *pool)
{
    brski_json_t *all = brski_json_array(pool), *doc;
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    char *label, *header;
    unsigned char *der;
    long len;

    while (bio && PEM_read_bio(bio, &label, &header, &der, &len)) {
        brski_json_append(
            all,
            show_pem_block(label, brski_bytes_dup(brski_bytes(der, (apr_size_t)len), pool), pool));
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (brski_json_size(all) == 1) {
        return brski_json_at(all, 0);
    }
    doc = brski_json_object(pool);
    brski_json_set_string(doc, "kind", brski_json_size(all) ? "PEM file" : "broken PEM file");
    brski_json_set(doc, "parts", all);
    return doc;
}
