/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_commit.h: one commit for all who wait. SQLite lets one writer in at a time, and on a disk
 * that really flushes each commit takes milliseconds. So the threads of a process that have
 * the same statement to run form a group: the first becomes its leader, takes the connection, runs
 * everybody's statement in one transaction and hands out the results; who comes meanwhile waits
 * for the next group, led by one of them. The statements are the same as without a group.
 */
#ifndef BRSKI_COMMIT_H
#define BRSKI_COMMIT_H

#include "brski_dbd.h"

typedef struct brski_commit_t brski_commit_t;

/** How a leader gets the connection; may wait, and fail with BRSKI_E_STORE_BUSY. Called by one thread at a time. */
typedef struct brski_commit_host_t {
    brski_err_t *(*lend)(brski_dbd_t **db, void **loan, void *baton, apr_pool_t *pool);
    void (*take_back)(brski_dbd_t *db, void *loan, void *baton);
    void *baton;
} brski_commit_host_t;

/**
 * Make a group for one statement of one database; threads of one process share it.
 * @param stmt      a change (brski_stmt_t)
 * @param patience  how long a caller waits for its result before it goes without
 */
brski_err_t *brski_commit_make(brski_commit_t **out, const brski_commit_host_t *host, int stmt,
                               apr_interval_time_t patience, apr_pool_t *pool);

/**
 * Run the statement with args as a member of a group; durable when it returns.
 * @param changed  rows changed
 * @param args     as many as the statement has marks; copied
 * @return NULL; BRSKI_E_STORE_BUSY: did not run, and others may be waiting as well; BRSKI_E_STORE when the
 *         outcome is unknown; else as brski_dbd_exec()
 */
brski_err_t *brski_commit_put(int *changed, brski_commit_t *commit, const char *const *args, int nargs,
                              apr_pool_t *pool);

/** How many callers went without a result since the start. */
apr_int64_t brski_commit_turned_away(brski_commit_t *commit);

#endif
