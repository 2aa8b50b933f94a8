/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_signer.h: a key that signs vouchers, and the vtable of its homes. A kind is an httpd provider of group
 * "masa-signer" (name "file"; a third module may add one): given a key URI it opens, loads when it may, and says whether the key is there.
 * One brski_signer_t a configured MASASigner; used by many threads at once after load.
 */
#ifndef BRSKI_SIGNER_H
#define BRSKI_SIGNER_H

#include "brski.h"
#include "brski_x509.h"

#define BRSKI_SIGNER_PROVIDER_GROUP "masa-signer"
#define BRSKI_SIGNER_PROVIDER_VERSION "0"

typedef struct brski_signer_kind_t {
    const char *name;                 /**< "file": scheme of the key URI */
    /**
     * Check what can be checked without using the key, in check_config and by tools: the file is there, readable,
     * not writable by others, holds a private key. May be called as root before the user is dropped.
     * @return NULL, or BRSKI_E_CONFIG whose public text says what is wrong and what would be right
     */
    brski_err_t *(*check)(const char *key_uri, apr_pool_t *scratch_pool);
    /**
     * Make the key usable in this process; called in child_init as the run user when late is set, else in post_config.
     * @param key  the key; belongs to pool. A home that cannot lend an EVP_PKEY cannot sign CMS.
     * @return NULL, or BRSKI_E_KEY_UNAVAILABLE; the server goes on, and answers 503 for its devices
     */
    brski_err_t *(*load)(EVP_PKEY **key, const char *key_uri, apr_pool_t *pool);
    int late;                         /**< must not cross a fork (tokens) */
} brski_signer_kind_t;

struct brski_signer_t {
    const char *name;                 /**< of the MASASigner */
    const char *chain_file;
    const char *key_uri;
    const brski_signer_kind_t *kind;
    int nonceless;                    /**< signs nonceless vouchers, and only those */
    apr_array_header_t *chain;        /**< const brski_cert_t *: end entity, intermediates, root */
    EVP_PKEY *key;                    /**< NULL while it is away */
    const brski_err_t *away;          /**< why */
};

/** Keys in PEM or DER files, bare path or file: URI. Passphrases are not asked for. */
extern const brski_signer_kind_t brski_signer_kind_file;

/**
 * Read a signer's chain and check it at a time: EE first (any order is put right), not a CA, each issued by the next,
 * root included and self-signed, valid now, strong; complete up to the root, because vouchers carry it. RFC 8366 5.4.
 * @return NULL, or BRSKI_E_CONFIG whose public text names the file, what is wrong and what would be right
 */
brski_err_t *brski_signer_make(brski_signer_t **out, const char *name, const char *chain_file, const char *key_uri,
                               int nonceless, const brski_signer_kind_t *kind, apr_time_t now, apr_pool_t *pool);

/** Load the key and check that it is the chain's. On failure key stays NULL and away says why. */
brski_err_t *brski_signer_load(brski_signer_t *signer, apr_pool_t *pool);

/** Hex SHA-256 of the signer's SPKI: the name a factory row or an event gives it. */
const char *brski_signer_key_id(const brski_signer_t *signer);

#endif
