/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_event.h: the chain of a device's events, and checkpoints over the heads of all chains. Pure computation: what is
 * hashed, in which order, and whether rows read back still prove it. Used where events are made, where they are read and
 * by `masactl log`. Canonical event: the text "masa-event-1" and the fields of brski_event_canonical() as netstrings
 * (length ':' octets ','), so that no two events share a text.
 */
#ifndef BRSKI_EVENT_H
#define BRSKI_EVENT_H

#include "brski_store.h"

/** Canonical text of an event, prev_hash first, hash and voucher bytes (its hash stands for them) and tls_spki left out. */
brski_bytes_t brski_event_canonical(const brski_event_t *event, apr_pool_t *pool);

/** hex SHA-256 of the canonical text. */
const char *brski_event_hash(const brski_event_t *event, apr_pool_t *pool);

/**
 * Do these rows, oldest first, form one chain? Each hash is its content's, each prev_hash the one before, seq counts from 1
 * without gap, epoch never falls; a voucher's hash is its bytes' when they are there.
 * @param reason  NULL when good, else a sentence naming the first seq that is wrong and how
 */
void brski_event_chain_check(const char **reason, const apr_array_header_t *events, apr_pool_t *pool);

/**
 * The same for one event and the one before it (NULL for the first), for who walks a log that is too long for an array.
 * @return NULL when the link holds, else what is wrong with it: the end of a sentence
 */
const char *brski_event_link_check(const brski_event_t *event, const brski_event_t *before, apr_pool_t *pool);

/** A leaf of a checkpoint: one device's head. */
typedef struct brski_head_t {
    const char *product;
    const char *serial_number;
    apr_int64_t epoch;
    apr_int64_t seq;
    const char *hash;
} brski_head_t;

/** Merkle tree hash over heads fed in order of (product, serial_number), RFC 6962 2.1 shape; log(n) memory. */
typedef struct brski_merkle_t brski_merkle_t;
brski_merkle_t *brski_merkle_make(apr_pool_t *pool);
void brski_merkle_add(brski_merkle_t *tree, const brski_head_t *head);
/** hex root of what was added; of nothing: SHA-256 of the empty string. */
const char *brski_merkle_root(const brski_merkle_t *tree, apr_pool_t *pool);
apr_int64_t brski_merkle_count(const brski_merkle_t *tree);

/** Hex leaf hash of a head. */
const char *brski_head_leaf(const brski_head_t *head, apr_pool_t *pool);

/**
 * Inclusion proof of leaf number index (from 0) among leaves (array of hex const char *); RFC 6962 2.1.1. @return array of hex.
 */
apr_array_header_t *brski_merkle_proof(const apr_array_header_t *leaves, apr_int64_t index, apr_pool_t *pool);
/** Nonzero when the proof leads from the leaf to the root. */
int brski_merkle_proof_check(const char *leaf, apr_int64_t index, apr_int64_t count,
                             const apr_array_header_t *proof, const char *root, apr_pool_t *pool);

#endif
