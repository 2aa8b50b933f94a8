/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_x509_ctx.c: the OpenSSL library context in which certificates are parsed. OpenSSL 3.0 looks
 * through all key types and all their decoders for every public key it meets, under locks that all
 * threads share; this costs more than verifying a signature. Our context has one provider, which
 * lends everything of OpenSSL's default provider except the key types and decoders that a
 * certificate of this protocol cannot use: parsing costs less than half, and hostile bytes reach
 * less code. It is a context of our own: nothing else in the process notices.
 */
#include "brski_cert.h"

#include <apr_atomic.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <string.h>

#define KEPT_MAX 16

/*
 * One a process: a provider is found by its functions alone, because its context is the lender's
 * (see start()).
 */
static struct {
    pthread_mutex_t lock; /* making and ending */
    volatile apr_uint32_t tried;
    OSSL_LIB_CTX *lender_ctx;
    OSSL_PROVIDER *lender; /* OpenSSL's default provider, an instance of our own */
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *provider;
    OSSL_ALGORITHM decoders[KEPT_MAX + 1];
    OSSL_ALGORITHM keymgmts[KEPT_MAX + 1];
} our = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The first of an algorithm's names is the one that OpenSSL calls it. */
static int is_wanted_key_type(const char *names)
{
    static const char *const wanted[] = { "EC", "RSA", "RSA-PSS", "ED25519", "ED448" };
    size_t i, len = strcspn(names, ":");

    for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (strlen(wanted[i]) == len && !strncmp(names, wanted[i], len)) {
            return 1;
        }
    }
    return 0;
}

static int is_spki_decoder(const char *properties)
{
    return strstr(properties, "input=der") && strstr(properties, "structure=SubjectPublicKeyInfo");
}

/* Copy what is wanted; 0 when nothing is, or more than there is room for. */
static int keep(OSSL_ALGORITHM *kept, int operation)
{
    int n = 0, no_cache;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(our.lender, operation, &no_cache);

    memset(kept, 0, sizeof(*kept) * (KEPT_MAX + 1));
    for (; all && all->algorithm_names; all++) {
        if (!is_wanted_key_type(all->algorithm_names)
            || (operation == OSSL_OP_DECODER && !is_spki_decoder(all->property_definition))) {
            continue;
        }
        if (n == KEPT_MAX) {
            return 0;
        }
        kept[n++] = *all;
    }
    return n;
}

static const OSSL_ALGORITHM *lend(void *lender_provctx, int operation, int *no_cache)
{
    (void)lender_provctx;
    *no_cache = 0;
    if (operation == OSSL_OP_DECODER) {
        return our.decoders;
    }
    if (operation == OSSL_OP_KEYMGMT) {
        return our.keymgmts;
    }
    return OSSL_PROVIDER_query_operation(our.lender, operation, no_cache);
}

/*
 * The lent algorithms are made with our provider's context and expect the lender's: so it is the
 * lender's.
 */
static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                 void **provctx)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))lend }, { 0, NULL }
    };

    (void)handle;
    (void)in;
    *out = functions;
    *provctx = OSSL_PROVIDER_get0_provider_ctx(our.lender);
    return 1;
}

static void unmake(void)
{
    OSSL_PROVIDER_unload(our.provider);
    OSSL_LIB_CTX_free(our.ctx);
    OSSL_PROVIDER_unload(our.lender);
    OSSL_LIB_CTX_free(our.lender_ctx);
    our.provider = our.lender = NULL;
    our.ctx = our.lender_ctx = NULL;
}

static int make(void)
{
    return (our.lender_ctx = OSSL_LIB_CTX_new())
           && (our.lender = OSSL_PROVIDER_load(our.lender_ctx, "default"))
           && keep(our.decoders, OSSL_OP_DECODER) && keep(our.keymgmts, OSSL_OP_KEYMGMT)
           && (our.ctx = OSSL_LIB_CTX_new()) && OSSL_PROVIDER_add_builtin(our.ctx, "brski", start)
           && (our.provider = OSSL_PROVIDER_load(our.ctx, "brski"));
}

OSSL_LIB_CTX *brski_x509_libctx(void)
{
    if (apr_atomic_read32(&our.tried)) {
        return our.ctx;
    }
    pthread_mutex_lock(&our.lock);
    if (!apr_atomic_read32(&our.tried)) {
        ERR_set_mark();
        if (!make()) {
            unmake(); /* OpenSSL's default context does it too, dearer */
        }
        ERR_pop_to_mark();
        apr_atomic_set32(&our.tried, 1);
    }
    pthread_mutex_unlock(&our.lock);
    return our.ctx;
}

static apr_status_t end(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&our.lock);
    if (apr_atomic_read32(&our.tried)) {
        apr_atomic_set32(&our.tried, 0);
        unmake();
    }
    pthread_mutex_unlock(&our.lock);
    return APR_SUCCESS;
}

void brski_x509_end_with(apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, NULL, end, apr_pool_cleanup_null);
}
