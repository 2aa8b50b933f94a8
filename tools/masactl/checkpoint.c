/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c: documents of checkpoints: made, signed, read, verified.
 */
#include "checkpoint.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define TYPE "masa-checkpoint-1"
#define FILE_MAX (64 * 1024 * 1024)

/* ---- keys ---- */

static apr_status_t free_key(void *data)
{
    EVP_PKEY_free(data);
    return APR_SUCCESS;
}

static EVP_PKEY *own_key(EVP_PKEY *key, apr_pool_t *pool)
{
    if (key) {
        apr_pool_cleanup_register(pool, key, free_key, apr_pool_cleanup_null);
    }
    return key;
}

static brski_err_t *open_pem(BIO **bio, const char *file, apr_pool_t *pool)
{
    ERR_clear_error();
    *bio = BIO_new_file(file, "r");
    return *bio ? BRSKI_OK : say_refuse(pool, "cannot read %s: %s", file, strerror(errno));
}

brski_err_t *checkpoint_private_key(EVP_PKEY **key, const char *file, apr_pool_t *pool)
{
    BIO *bio;

    *key = NULL;
    BRSKI_TRY(open_pem(&bio, file, pool));
    *key = own_key(PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL), pool);
    BIO_free(bio);
    return *key ? BRSKI_OK
                : say_refuse(pool, "%s holds no private key in PEM that could be read", file);
}

static EVP_PKEY *key_of_certificate(BIO *bio)
{
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = X509_get_pubkey(x509);

    X509_free(x509);
    return key;
}

brski_err_t *checkpoint_public_key(EVP_PKEY **key, const char *file, apr_pool_t *pool)
{
    BIO *bio;

    *key = NULL;
    BRSKI_TRY(open_pem(&bio, file, pool));
    *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (!*key && !BIO_reset(bio)) {
        *key = key_of_certificate(bio);
    }
    BIO_free(bio);
    own_key(*key, pool);
    return *key ? BRSKI_OK
                : say_refuse(pool,
                             "%s holds neither a public key nor a certificate in PEM; "
                             "openssl pkey -in KEY -pubout makes one",
                             file);
}

/* Ed25519 hashes for itself. */
static const EVP_MD *digest_of(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}

static brski_err_t *sign(const char **signature, const char *text, EVP_PKEY *key, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const unsigned char *data = (const unsigned char *)text;
    unsigned char *out;
    size_t len = 0;
    int good;

    good = EVP_DigestSignInit(ctx, NULL, digest_of(key), NULL, key) > 0
        && EVP_DigestSign(ctx, NULL, &len, data, strlen(text)) > 0;
    out = apr_palloc(pool, len + 1);
    good = good && EVP_DigestSign(ctx, out, &len, data, strlen(text)) > 0;
    EVP_MD_CTX_free(ctx);
    if (!good) {
        return say_refuse(pool, "the key cannot sign; an EC, RSA or Ed25519 key can");
    }
    *signature = brski_base64_encode(brski_bytes(out, len), pool);
    return BRSKI_OK;
}

static int signature_holds(const char *signature, const char *text, EVP_PKEY *key, apr_pool_t *pool)
{
    EVP_MD_CTX *ctx;
    brski_bytes_t octets;
    int good;

    if (!signature || brski_base64_decode(&octets, signature, pool)) {
        return 0;
    }
    ctx = EVP_MD_CTX_new();
    good = EVP_DigestVerifyInit(ctx, NULL, digest_of(key), NULL, key) > 0
           && EVP_DigestVerify(ctx, octets.data, octets.len, (const unsigned char *)text,
                               strlen(text))
                  > 0;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

/* ---- documents ---- */

static brski_json_t *checkpoint_json(const checkpoint_t *c, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "type", TYPE);
    brski_json_set_string(obj, "tenant", c->tenant);
    brski_json_set_int(obj, "number", c->number);
    brski_json_set_string(obj, "made_at", brski_time_rfc3339(c->made_at, pool));
    brski_json_set_int(obj, "epoch", c->epoch);
    brski_json_set_int(obj, "devices", c->devices);
    brski_json_set_int(obj, "events", c->events);
    brski_json_set_string(obj, "root", c->root);
    brski_json_set_string(obj, "previous", c->previous);
    return obj;
}

brski_err_t *checkpoint_make(const char **document, const checkpoint_t *checkpoint, EVP_PKEY *key,
                             apr_pool_t *pool)
{
    brski_json_t *body = checkpoint_json(checkpoint, pool);
    brski_json_t *doc = brski_json_object(pool);
    const char *signature = NULL;

    *document = NULL;
    BRSKI_TRY(sign(&signature, brski_json_text(body, 0, pool), key, pool));
    brski_json_set(doc, "checkpoint", body);
    brski_json_set_string(doc, "signature", signature);
    *document = apr_pstrcat(pool, brski_json_text(doc, 1, pool), "\n", NULL);
    return BRSKI_OK;
}

static brski_err_t *read_members(checkpoint_t *c, const brski_json_t *body, apr_pool_t *pool)
{
    const char *made_at = brski_json_get_string(body, "made_at");

    c->tenant = brski_json_get_string(body, "tenant");
    c->number = brski_json_int(brski_json_get(body, "number"));
    c->epoch = brski_json_int(brski_json_get(body, "epoch"));
    c->devices = brski_json_int(brski_json_get(body, "devices"));
    c->events = brski_json_int(brski_json_get(body, "events"));
    c->root = brski_json_get_string(body, "root");
    c->previous = brski_json_get_string(body, "previous");
    if (!c->tenant || !c->root || !made_at || brski_time_parse(&c->made_at, made_at, pool)) {
        return say_refuse(pool, "the checkpoint lacks tenant, root or made_at");
    }
    return BRSKI_OK;
}

brski_err_t *checkpoint_read(checkpoint_t **out, const char *document, EVP_PKEY *key,
                             apr_pool_t *pool)
{
    checkpoint_t *c = apr_pcalloc(pool, sizeof(*c));
    const brski_json_t *body;
    const char *type;
    brski_json_t *doc;

    *out = NULL;
    BRSKI_TRY(brski_json_parse(&doc, brski_bytes_str(document), &brski_limits_default, pool));
    body = brski_json_get(doc, "checkpoint");
    type = brski_json_get_string(body, "type");
    if (!type || strcmp(type, TYPE)) {
        return say_refuse(pool, "that is no checkpoint of this masactl");
    }
    if (!signature_holds(brski_json_get_string(doc, "signature"), brski_json_text(body, 0, pool),
                         key, pool)) {
        return say_refuse(pool, "the signature of the checkpoint does not verify with that key");
    }
    BRSKI_TRY(read_members(c, body, pool));
    *out = c;
    return BRSKI_OK;
}

brski_err_t *checkpoint_file(const char **text, const char *file, apr_pool_t *pool)
{
    FILE *in = fopen(file, "r");
    char *data;
    apr_size_t len;

    *text = NULL;
    if (!in) {
        return say_refuse(pool, "cannot read %s: %s", file, strerror(errno));
    }
    fseek(in, 0, SEEK_END);
    len = ftell(in) < 0 || ftell(in) > FILE_MAX ? FILE_MAX : (apr_size_t)ftell(in);
    rewind(in);
    data = apr_palloc(pool, len + 1);
    len = fread(data, 1, len, in);
    data[len] = '\0';
    fclose(in);
    *text = data;
    return BRSKI_OK;
}
