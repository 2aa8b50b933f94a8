/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_snapshot.h: a node's configuration without secrets, as JSON: products, signers with their chains, anchors,
 * policies, limits, version. The server publishes it at start; the tools (`masactl explain`, `doctor`) make a
 * brski_masa_t from it again, with signers that cannot sign. Written and read in this one file so that the two agree.
 */
#ifndef BRSKI_SNAPSHOT_H
#define BRSKI_SNAPSHOT_H

#include "brski_masa.h"

/** JSON text and its hex SHA-256 (two nodes configured alike have equal hashes: node name and times are not in it). */
brski_err_t *brski_snapshot_make(const char **json, const char **hash, const brski_masa_t *masa, apr_pool_t *pool);

/**
 * Make a MASA for judging from a snapshot; store and ctx are the caller's. Keys, the certificate cache and the list of
 * public CAs are absent (a snapshot has only that list's hash; the caller may set public_cas); an owner policy of a third
 * module is unknown here: BRSKI_E_INPUT naming it.
 */
brski_err_t *brski_snapshot_read(brski_masa_t **masa, const char *json, brski_store_t *store, const brski_ctx_t *ctx,
                                 apr_pool_t *pool);

#endif
