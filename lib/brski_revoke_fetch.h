/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_fetch.h: one guarded HTTP exchange with a place that a stranger's certificate names: http or https,
 * to public addresses, no redirects, no proxy, no cookies, bounded in time and size. Knows nothing of revocation.
 */
#ifndef BRSKI_REVOKE_FETCH_H
#define BRSKI_REVOKE_FETCH_H

#include "brski.h"

typedef struct brski_fetch_t {
    const char *url;
    const char *content_type;         /**< of what is posted; NULL: GET */
    brski_bytes_t post;
    apr_interval_time_t timeout;      /**< of the whole exchange, name and connection included */
    apr_size_t max_answer;            /**< octets of the answer's body */
    int allow_private;                /**< loopback and private addresses too; link-local and the like never */
} brski_fetch_t;

/** To be called once before any thread fetches; undone when the pool dies. @return NULL or BRSKI_E_INTERNAL */
brski_err_t *brski_fetch_init(apr_pool_t *pool);

/**
 * Fetch. Blocks for at most the timeout.
 * @param body  of an answer with status 200; in result_pool
 * @return NULL, or BRSKI_E_IO saying what is wrong with the URL, the address, the connection or the answer
 */
brski_err_t *brski_fetch(brski_bytes_t *body, const brski_fetch_t *fetch, apr_pool_t *result_pool,
                         apr_pool_t *scratch_pool);

#endif
