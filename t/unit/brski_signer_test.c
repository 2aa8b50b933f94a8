/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_signer_test.c: a good chain and key in files sign; every wrong one is refused with a
 * sentence that names the file, what is wrong and what would be right.
 */
#include "brski_signer.h"

#include <apr_strings.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "brski_bytes.h"
#include "brski_cms.h"
#include "pki.h"
#include "unit.h"

#define NOW "2025-06-01T00:00:00Z"

typedef struct lab_t {
    const char *dir;
    const pki_party_t *root;
    const pki_party_t *sub;
    const pki_party_t *ee;
    const pki_party_t *other;
    const char *key_file;
    apr_pool_t *pool;
} lab_t;

static const char *path_in(const lab_t *lab, const char *name)
{
    return apr_pstrcat(lab->pool, lab->dir, "/", name, NULL);
}

static lab_t make_lab(apr_pool_t *pool)
{
    lab_t lab = { .dir = unit_tempdir(pool), .pool = pool };

    lab.root = pki_make(NULL, (pki_spec_t){ .subject = "CN=Root", .ca = 1 }, pool);
    lab.sub = pki_make(lab.root, (pki_spec_t){ .subject = "CN=Sub", .ca = 1 }, pool);
    lab.ee = pki_make(lab.sub, (pki_spec_t){ .subject = "CN=Signer" }, pool);
    lab.other = pki_make(NULL, (pki_spec_t){ .subject = "CN=Other", .ca = 1 }, pool);
    lab.key_file = path_in(&lab, "key.pem");
    pki_save_key(lab.key_file, lab.ee->key, 0600, NULL);
    return lab;
}

/* A signer with this chain and this key. */
static brski_err_t *make(brski_signer_t **signer, const lab_t *lab, const apr_array_header_t *certs,
                         const char *key)
{
    const char *file = path_in(lab, "chain.pem");

    pki_save_certs(file, certs);
    return brski_signer_make(signer, "m1", file, key, 0, &brski_signer_kind_file, unit_time(NOW),
                             lab->pool);
}

static brski_err_t *chain(const lab_t *lab, const pki_party_t *a, const pki_party_t *b,
                          const pki_party_t *c, const pki_party_t *d)
{
    brski_signer_t *signer;

    return make(&signer, lab, pki_certs(lab->pool, a, b, c, d), lab->key_file);
}

static void refused(brski_err_t *err, const char *what, const char *instead, const char *label)
{
    is_err(err, CONFIG, "8366-5.4 refuses %s", label);
    has_str(err ? err->public_text : "(accepted)", what, "8366-5.4 says what is wrong: %s", label);
    has_str(err ? err->public_text : "(accepted)", instead, "8366-5.4 and what is right: %s",
            label);
}

static void signs(const lab_t *lab)
{
    apr_pool_t *pool = lab->pool;
    brski_signer_t *signer;
    brski_bytes_t der;
    brski_cms_t *cms;

    is_ok(
        make(&signer, lab, pki_certs(pool, lab->root, lab->ee, lab->sub, lab->root), lab->key_file),
        "8366-5.4 takes a chain in any order");
    is_int(signer->chain->nelts, 3, "8366-5.4 a certificate given twice counts once");
    ok(APR_ARRAY_IDX(signer->chain, 0, const brski_cert_t *)->hash[0] == lab->ee->cert->hash[0]
           && APR_ARRAY_IDX(signer->chain, 2, const brski_cert_t *)->self_issued,
       "8366-5.4 and puts it in order");
    is_str(brski_signer_key_id(signer), lab->ee->cert->spki_hex, "3 a signer is named by its key");
    ok(!signer->key && !signer->away, "11.6 no key before it is loaded");
    is_ok(brski_signer_load(signer, pool), "11.6 loads the key");
    is_ok(brski_cms_sign(&der, brski_bytes_str("{}"), BRSKI_ECONTENT_ANIMA_JSON, signer->chain,
                         signer->key, unit_time(NOW), pool, pool),
          "8366-5.4 signs");
    is_ok(brski_cms_parse(&cms, der, &brski_limits_default, NULL, pool), "8366-5.4 is read");
    is_ok(brski_cms_verify(cms, pool), "8366-5.4 verifies");
    is_int(cms->certs->nelts, 3, "8366-5.4 with the whole chain, root included");
}

static void takes_a_lone_key(const lab_t *lab)
{
    const pki_party_t *lone = pki_make(NULL, (pki_spec_t){ .subject = "CN=Lone" }, lab->pool);
    const pki_party_t *plain =
        pki_make(NULL, (pki_spec_t){ .subject = "CN=Plain", .plain = 1 }, lab->pool);

    is_ok(chain(lab, lone, NULL, NULL, NULL), "8366-5.4 one self-signed end entity");
    is_ok(chain(lab, plain, NULL, NULL, NULL), "8366-5.4 without basicConstraints too");
    refused(chain(lab, lab->root, NULL, NULL, NULL), "is a CA certificate",
            "an end-entity certificate", "a lone CA");
}

static void refuses_chains(const lab_t *lab)
{
    apr_pool_t *pool = lab->pool;
    brski_signer_t *signer;

    refused(chain(lab, lab->sub, lab->root, NULL, NULL), "'CN=Sub' as its end, which is a CA",
            "an end-entity certificate", "a CA certificate as signer");
    refused(chain(lab, lab->ee, lab->sub, NULL, NULL), "ends with 'CN=Sub', whose issuer 'CN=Root'",
            "add the issuers up to the self-signed root", "a chain without its root");
    refused(chain(lab, lab->ee, lab->root, NULL, NULL), "'CN=Signer'", "no others",
            "a chain with a gap");
    refused(chain(lab, lab->ee, lab->sub, lab->root, lab->other), "do not belong to one chain",
            "no others", "a certificate too many");
    refused(make(&signer, lab, pki_certs(pool, NULL, NULL, NULL, NULL), lab->key_file),
            "contains no certificate", "-----BEGIN CERTIFICATE-----", "an empty file");
    refused(brski_signer_make(&signer, "m1", "/nonexistent/c.pem", lab->key_file, 0,
                              &brski_signer_kind_file, unit_time(NOW), pool),
            "/nonexistent/c.pem", "cannot be read", "a missing file");
    ok(!signer, "8366-5.4 and makes no signer");
}

static void refuses_invalid_chains(const lab_t *lab)
{
    pki_spec_t spec = { .subject = "CN=Signer" };
    apr_pool_t *pool = lab->pool;

    spec.to = "2025-01-01T00:00:00Z";
    refused(chain(lab, pki_make(lab->root, spec, pool), lab->root, NULL, NULL),
            "chain.pem' is not valid: The certificate of 'CN=Signer' expired on",
            "2025-01-01T00:00:00Z", "an expired certificate");
    spec.to = NULL;
    spec.from = "2026-01-01T00:00:00Z";
    refused(chain(lab, pki_make(lab->root, spec, pool), lab->root, NULL, NULL),
            "is not valid before", "2026-01-01T00:00:00Z", "one that is not valid yet");
    spec.from = NULL;
    spec.key = "RSA-1024";
    refused(chain(lab, pki_make(lab->root, spec, pool), lab->root, NULL, NULL), "too weak",
            "RSA of 2048 bits or more", "a weak key");
    spec.key = NULL;
    spec.digest = "SHA1";
    refused(chain(lab, pki_make(lab->root, spec, pool), lab->root, NULL, NULL), "too weak",
            "SHA-256 or better", "SHA-1");
    spec.digest = NULL;
    spec.ext[0] = "keyUsage=critical,keyAgreement";
    refused(chain(lab, pki_make(lab->root, spec, pool), lab->root, NULL, NULL), "key usage",
            "digitalSignature", "a certificate that may not sign");
}

/* ---- keys ---- */

static brski_err_t *check_key(const char *uri, apr_pool_t *pool)
{
    return brski_signer_kind_file.check(uri, pool);
}

static const char *write_text(const lab_t *lab, const char *name, const void *text, size_t len)
{
    const char *path = path_in(lab, name);
    FILE *file = fopen(path, "w");

    fwrite(text, 1, len, file);
    fclose(file);
    chmod(path, 0600);
    return path;
}

static const char *write_der(const lab_t *lab, const char *name, EVP_PKEY *key, int encrypted)
{
    const char *path = path_in(lab, name);
    BIO *file = BIO_new_file(path, "w");

    if (encrypted) {
        i2d_PKCS8PrivateKey_bio(file, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
    }
    else {
        i2d_PrivateKey_bio(file, key);
    }
    BIO_free(file);
    chmod(path, 0600);
    return path;
}

static const char *write_traditional(const lab_t *lab, EVP_PKEY *key)
{
    const char *path = path_in(lab, "traditional.pem");
    BIO *file = BIO_new_file(path, "w");

    PEM_write_bio_PrivateKey_traditional(file, key, NULL, NULL, 0, NULL, NULL);
    BIO_free(file);
    chmod(path, 0600);
    return path;
}

static void reads_keys(const lab_t *lab)
{
    apr_pool_t *pool = lab->pool;
    const char *uri = apr_pstrcat(pool, "file:", lab->key_file, NULL);
    EVP_PKEY *rsa = pki_key("RSA-2048", pool), *ed = pki_key("ED25519", pool);

    is_ok(check_key(lab->key_file, pool), "11.6 a path");
    is_ok(check_key(uri, pool), "11.6 a file: URI");
    is_ok(check_key(apr_pstrcat(pool, "file://", lab->key_file, NULL), pool), "11.6 file:///");
    is_ok(check_key(write_der(lab, "ec.der", lab->ee->key, 0), pool), "11.6 EC in DER");
    is_ok(check_key(write_der(lab, "rsa.der", rsa, 0), pool), "11.6 RSA in DER");
    is_ok(check_key(write_der(lab, "ed.der", ed, 0), pool), "11.6 Ed25519 in DER");
    is_ok(check_key(write_traditional(lab, lab->ee->key), pool), "11.6 BEGIN EC PRIVATE KEY");
    pki_save_key(path_in(lab, "group.pem"), lab->ee->key, 0640, NULL);
    is_ok(check_key(path_in(lab, "group.pem"), pool), "11.6 readable by its group");
}

static void key_refused(const lab_t *lab, const char *uri, const char *what, const char *label)
{
    brski_err_t *err = check_key(uri, lab->pool);

    is_err(err, CONFIG, "11.6 refuses %s", label);
    has_str(err ? err->public_text : "(accepted)", what, "11.6 and says so: %s", label);
}

static void refuses_keys(const lab_t *lab)
{
    static const int modes[] = { 0644, 0604, 0660, 0602 };
    char *big = apr_pcalloc(lab->pool, 70000);
    unsigned char *public = NULL;
    int len = i2d_PUBKEY(lab->ee->key, &public);
    size_t i;

    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        const char *path = path_in(lab, "open.pem");

        pki_save_key(path, lab->ee->key, modes[i], NULL);
        key_refused(lab, path, apr_psprintf(lab->pool, "its mode is 0%o", modes[i]),
                    apr_psprintf(lab->pool, "mode 0%o", modes[i]));
    }
    pki_save_key(path_in(lab, "secret.pem"), lab->ee->key, 0600, "secret");
    key_refused(lab, path_in(lab, "secret.pem"), "is encrypted", "an encrypted key");
    key_refused(lab, write_der(lab, "secret.der", lab->ee->key, 1), "is encrypted",
                "an encrypted key in DER");
    key_refused(lab, "/nonexistent/key.pem", "'/nonexistent/key.pem' cannot be read",
                "a missing file");
    key_refused(lab, lab->dir, "", "a directory");
    key_refused(lab, "pkcs11:token=x", "", "another scheme");
    key_refused(lab, "file:key.pem", "is not named by its path", "a URI without path");
    key_refused(lab, write_text(lab, "empty.pem", "", 0), "holds no private key", "an empty file");
    key_refused(lab, write_text(lab, "junk.der", "0\x82zz", 4), "holds no private key", "junk");
    key_refused(lab, write_text(lab, "public.der", public, (size_t)len), "holds no private key",
                "a public key");
    key_refused(lab, write_text(lab, "big.pem", big, 70000), "too large", "a large file");
    key_refused(lab, unit_source("t/vectors/rfc8995-appC/masa.crt.pem", lab->pool), "",
                "a certificate");
    OPENSSL_free(public);
}

static void matches_key_and_chain(const lab_t *lab)
{
    apr_array_header_t *certs = pki_certs(lab->pool, lab->ee, lab->sub, lab->root, NULL);
    const char *other = path_in(lab, "other.pem");
    brski_signer_t *signer;
    brski_err_t *err;

    pki_save_key(other, lab->other->key, 0600, NULL);
    is_ok(make(&signer, lab, certs, other), "8366-5.4 the chain is good");
    err = brski_signer_load(signer, lab->pool);
    is_err(err, CONFIG, "8366-5.4 refuses a key that is not the chain's");
    has_str(err->public_text, "is not the key of the certificate 'CN=Signer'", "8366-5.4 says so");
    ok(!signer->key && signer->away == err, "8366-5.4 the signer stays without a key");
    is_ok(make(&signer, lab, certs, "/nonexistent/key.pem"), "8366-5.4 the chain is good");
    err = brski_signer_load(signer, lab->pool);
    is_err(err, KEY_UNAVAILABLE, "5.6 a key that is away");
    is_int(err->status, 503, "5.6 is answered with 503");
    ok(!signer->key && signer->away == err, "5.6 and remembered");
}

int main(void)
{
    apr_pool_t *pool = unit_start();
    lab_t lab = make_lab(pool);

    signs(&lab);
    takes_a_lone_key(&lab);
    refuses_chains(&lab);
    refuses_invalid_chains(&lab);
    reads_keys(&lab);
    refuses_keys(&lab);
    matches_key_and_chain(&lab);
    return done_testing();
}
