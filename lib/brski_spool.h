/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_spool.h: what is written outside the request: refusals as evidence, addresses and TLS identities of events, the
 * expiry of both. A bounded queue in memory and one thread a process; when the queue is full the oldest refusal is
 * dropped and counted, so junk can neither grow memory nor load the primary. The thread writes in batches, keeps what a
 * dead database would not take, and empties the queue when it is stopped.
 */
#ifndef BRSKI_SPOOL_H
#define BRSKI_SPOOL_H

#include "brski_store.h"

typedef struct brski_spool_t brski_spool_t;

typedef struct brski_spool_options_t {
    apr_size_t entries;               /**< at most so many wait; default 512 */
    apr_size_t octets;                /**< at most so many octets wait; default 8 MiB */
    apr_interval_time_t every;        /**< the thread writes at least so often; default 500 ms */
    apr_interval_time_t retention;    /**< of refusals; default 30 d; 0 keeps none */
    /** Called once by the thread before its first write and again after a failure until it returns NULL; may be NULL. */
    brski_err_t *(*at_start)(brski_store_t *store, void *baton, apr_pool_t *scratch_pool);
    /** Called by the thread after each round, so that brski_spool_numbers() can be shown elsewhere; may be NULL. */
    void (*each_round)(void *baton);
    void *baton;
} brski_spool_options_t;

/** Start the thread; it ends, queue written as far as possible, when the pool is destroyed. Call in child_init. */
brski_err_t *brski_spool_start(brski_spool_t **out, brski_store_t *store, const brski_spool_options_t *options,
                               const brski_ctx_t *ctx, apr_pool_t *pool);

/** Copy into the queue; never blocks on the database. */
void brski_spool_refusal(brski_spool_t *spool, const brski_refusal_t *refusal);
void brski_spool_peer(brski_spool_t *spool, const brski_peer_t *peer);

/** Entries waiting, and refusals dropped since start. */
void brski_spool_numbers(brski_spool_t *spool, apr_size_t *waiting, apr_int64_t *dropped);

#endif
