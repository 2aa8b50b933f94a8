/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_signer_file.c: signing keys in files, PEM or DER, PKCS#8 or the older forms. The file must
 * be out of everyone's reach but its owner's and group's; a passphrase is not asked for, so an
 * encrypted key is refused with words.
 */
#include "brski_signer.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "brski_err.h"

#define KEY_FILE_MAX_OCTETS (64 * 1024)
#define TOO_OPEN (APR_FPROT_GWRITE | APR_FPROT_WREAD | APR_FPROT_WWRITE)

/* A key being read: every refusal has the code that the caller owes. */
typedef struct reading_t {
    const char *path;
    brski_err_code_t code;
    int wants_passphrase;
    apr_pool_t *pool;
} reading_t;

static brski_err_t *refuse(const reading_t *r, const char *what)
{
    return brski_err_say(brski_err_openssl(r->code, NULL, r->pool, "key file %s %s", r->path, what),
                         r->pool, "The key file '%s' %s.", r->path, what);
}

static brski_err_t *unreadable(const reading_t *r, apr_status_t rv)
{
    char text[120];

    apr_strerror(rv, text, sizeof(text));
    return refuse(r, apr_psprintf(r->pool, "cannot be read: %s", text));
}

/* "file:/p", "file:///p" and "/p" are the same. */
static brski_err_t *path_of(reading_t *r, const char *uri)
{
    r->path = uri;
    if (!strncmp(uri, "file:", 5)) {
        r->path = uri + 5;
        if (!strncmp(r->path, "//", 2)) {
            r->path += 2;
        }
    }
    if (!*r->path || (r->path != uri && *r->path != '/')) {
        return refuse(r, "is not named by its path; write '/path/key.pem' or "
                         "'file:/path/key.pem'");
    }
    return BRSKI_OK;
}

static int octal(apr_fileperms_t p)
{
    return (int)((p >> 8 & 7) << 6 | (p >> 4 & 7) << 3 | (p & 7));
}

static brski_err_t *check_file(const reading_t *r, const apr_finfo_t *info)
{
    if (info->filetype != APR_REG) {
        return refuse(r, "is not a regular file");
    }
    if (info->size > KEY_FILE_MAX_OCTETS) {
        return refuse(r, "is too large for a private key");
    }
    if (info->protection & TOO_OPEN) {
        return refuse(
            r, apr_psprintf(r->pool,
                            "can be %s (its mode is 0%03o); take that away: chmod 0640 or 0600",
                            info->protection & APR_FPROT_WREAD ? "read by everyone"
                                                               : "written by others than its owner",
                            octal(info->protection)));
    }
    return BRSKI_OK;
}

static brski_err_t *read_open_file(unsigned char **data, apr_size_t *len, const reading_t *r,
                                   apr_file_t *file)
{
    apr_finfo_t info;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_NORM, file);

    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return unreadable(r, rv);
    }
    BRSKI_TRY(check_file(r, &info));
    if (!(*data = OPENSSL_malloc((size_t)info.size + 1))) {
        return unreadable(r, APR_ENOMEM);
    }
    rv = apr_file_read_full(file, *data, (apr_size_t)info.size, len);
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        OPENSSL_clear_free(*data, (size_t)info.size + 1);
        return unreadable(r, rv);
    }
    return BRSKI_OK;
}

/* The mode is looked at on the open file, so that it is the file that is read. */
static brski_err_t *read_file(unsigned char **data, apr_size_t *len, const reading_t *r)
{
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, r->path, APR_READ | APR_BINARY, 0, r->pool);
    brski_err_t *err;

    if (rv != APR_SUCCESS) {
        return unreadable(r, rv);
    }
    err = read_open_file(data, len, r, file);
    apr_file_close(file);
    return err;
}

static int note_passphrase(char *buf, int size, int writing, void *baton)
{
    (void)buf;
    (void)size;
    (void)writing;
    ((reading_t *)baton)->wants_passphrase = 1;
    return -1;
}

static EVP_PKEY *parse_der(reading_t *r, const unsigned char *data, apr_size_t len)
{
    const unsigned char *at = data;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)len);
    X509_SIG *encrypted;

    if (!key) {
        at = data;
        encrypted = d2i_X509_SIG(NULL, &at, (long)len);
        r->wants_passphrase = encrypted && at == data + len;
        X509_SIG_free(encrypted);
    }
    return key;
}

static EVP_PKEY *parse_pem(reading_t *r, const unsigned char *data, apr_size_t len)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, note_passphrase, r) : NULL;

    BIO_free(bio);
    return key;
}

/* Private and public half belong together: a damaged key would sign what nobody can verify. */
static int is_consistent(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int consistent = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return consistent;
}

static brski_err_t *check_parsed(const reading_t *r, EVP_PKEY *key)
{
    if (!key && r->wants_passphrase) {
        return refuse(r, "is encrypted, and passphrases are not asked for; store the key without "
                         "one (openssl pkey -in FILE -out NEWFILE) and protect the file instead");
    }
    if (!key) {
        return refuse(r, "holds no private key that can be read; it must hold one in PEM "
                         "(-----BEGIN PRIVATE KEY-----) or DER");
    }
    return is_consistent(key) ? BRSKI_OK
                              : refuse(r, "holds a key whose private and public half differ");
}

static brski_err_t *read_key(EVP_PKEY **key, const char *uri, brski_err_code_t code,
                             apr_pool_t *pool)
{
    reading_t r = { .code = code, .pool = pool };
    unsigned char *data = NULL;
    apr_size_t len = 0;
    brski_err_t *err;

    *key = NULL;
    BRSKI_TRY(path_of(&r, uri));
    BRSKI_TRY(read_file(&data, &len, &r));
    ERR_set_mark();
    *key = len && data[0] == 0x30 ? parse_der(&r, data, len) : parse_pem(&r, data, len);
    ERR_pop_to_mark();
    OPENSSL_clear_free(data, len + 1);
    if ((err = check_parsed(&r, *key))) {
        EVP_PKEY_free(*key);
        *key = NULL;
    }
    return err;
}

static brski_err_t *check(const char *key_uri, apr_pool_t *scratch_pool)
{
    EVP_PKEY *key;

    BRSKI_TRY(read_key(&key, key_uri, BRSKI_E_CONFIG, scratch_pool));
    EVP_PKEY_free(key);
    return BRSKI_OK;
}

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static brski_err_t *load(EVP_PKEY **key, const char *key_uri, apr_pool_t *pool)
{
    BRSKI_TRY(read_key(key, key_uri, BRSKI_E_KEY_UNAVAILABLE, pool));
    apr_pool_cleanup_register(pool, *key, free_key, apr_pool_cleanup_null);
    return BRSKI_OK;
}

const brski_signer_kind_t brski_signer_kind_file = { "file", check, load, 0 };
