/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_snapshot_est.h: a registrar's and EST server's configuration without secrets, as JSON: manufacturers, certificates,
 * policies, labels with their CAs and profiles, version. Each node publishes it at start, so that the tools show nodes that
 * differ and certificates that end.
 */
#ifndef BRSKI_SNAPSHOT_EST_H
#define BRSKI_SNAPSHOT_EST_H

#include "brski_enroll.h"

/**
 * JSON text, and a hex SHA-256. Two nodes configured alike have equal hashes: node name, paths and times are not in it, and of
 * the registrar's certificates, of which nodes may have each their own, the issuers alone; they themselves stand in the text.
 * @param networks  const char *: what ESTMASAAddresses lists; may be NULL
 */
brski_err_t *brski_snapshot_est_make(const char **json, const char **hash, const brski_est_t *est,
                                     const apr_array_header_t *networks, apr_pool_t *pool);

#endif
