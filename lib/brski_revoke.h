/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke.h: has a registrar's certificate been revoked? RFC 8995 5.5.3. Asks OCSP (AIA) and CRLs (CDP) that the
 * certificates of a stranger name, so every fetch is guarded: http or https to public addresses only, checked on the
 * connected socket, no redirects, bounded in time and size; answers are verified, what they say of a certificate is
 * cached until their nextUpdate (a day at most), failures for a minute. One chain costs at most three timeouts.
 */
#ifndef BRSKI_REVOKE_H
#define BRSKI_REVOKE_H

#include "brski.h"
#include "brski_x509.h"

typedef enum brski_revocation_t {
    BRSKI_REVOCATION_OFF = 1,
    BRSKI_REVOCATION_SOFT,            /**< unreachable counts as good, and is logged */
    BRSKI_REVOCATION_HARD             /**< unreachable is BRSKI_E_REVOCATION_UNKNOWN */
} brski_revocation_t;

typedef struct brski_revoke_t brski_revoke_t;

/** How the checker behaves. */
typedef struct brski_revoke_options_t {
    apr_interval_time_t timeout;      /**< of one fetch, connection included; default 3 s */
    apr_size_t max_answer;            /**< octets; default 1 MiB */
    apr_size_t cache_entries;         /**< default 1024 */
    int allow_private;                /**< 1 only for tests and private networks: loopback and RFC 1918 too */
    int at_once;                      /**< at most so many threads fetch at the same time; default 4; others count as unreachable */
} brski_revoke_options_t;

/** Make a checker for one process; threads may share it. */
brski_err_t *brski_revoke_make(brski_revoke_t **out, const brski_revoke_options_t *options, const brski_ctx_t *ctx,
                               apr_pool_t *pool);

/**
 * Check every certificate of the chain that names a way to be checked, except the top.
 * @return NULL; BRSKI_E_REVOKED naming the certificate; BRSKI_E_REVOCATION_UNKNOWN in mode hard
 */
brski_err_t *brski_revoke_check(brski_revoke_t *revoke, const brski_chain_t *chain, brski_revocation_t mode,
                                apr_time_t now, apr_pool_t *scratch_pool);

#endif
