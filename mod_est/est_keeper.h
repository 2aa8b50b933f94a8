/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_keeper.h: what a process does beside requests and jobs: it tells the records what this node is (configuration, domainIDs
 * that a MASA may pin), until they have taken it, and lets what is too old go.
 */
#ifndef EST_KEEPER_H
#define EST_KEEPER_H

#include "est_runtime.h"

/** Start the thread; it ends with the pool. */
brski_err_t *est_keeper_start(est_engine_t *engine, apr_pool_t *pool);

#endif
