/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h: a signed statement of how far a tenant's log had come: when, how many devices have events, how many events,
 * the Merkle root over the heads of all chains, the hash of the checkpoint before. The key is never in the database; what
 * is signed is the compact JSON of the member "checkpoint". Whoever keeps the file can later prove what is missing.
 */
#ifndef MASACTL_CHECKPOINT_H
#define MASACTL_CHECKPOINT_H

#include "brski_err.h"
#include "brski_json.h"

#include <openssl/evp.h>

typedef struct checkpoint_t {
    const char *tenant;
    apr_int64_t number;               /**< from 1 */
    apr_time_t made_at;
    apr_int64_t epoch;
    apr_int64_t devices;              /**< that have events */
    apr_int64_t events;
    const char *root;                 /**< hex */
    const char *previous;             /**< hex SHA-256 of the document before, NULL for the first */
} checkpoint_t;

/** A private key from a PEM file; a passphrase is asked for on the terminal. */
brski_err_t *checkpoint_private_key(EVP_PKEY **key, const char *file, apr_pool_t *pool);

/** A public key, or that of a certificate, from a PEM file. */
brski_err_t *checkpoint_public_key(EVP_PKEY **key, const char *file, apr_pool_t *pool);

/** The document of a checkpoint, signed: JSON text that ends with a line end. */
brski_err_t *checkpoint_make(const char **document, const checkpoint_t *checkpoint, EVP_PKEY *key,
                             apr_pool_t *pool);

/** Read a document and verify its signature with key. @return NULL, or BRSKI_E_INPUT saying what is wrong */
brski_err_t *checkpoint_read(checkpoint_t **out, const char *document, EVP_PKEY *key, apr_pool_t *pool);

/** A whole file as text. */
brski_err_t *checkpoint_file(const char **text, const char *file, apr_pool_t *pool);

#endif
