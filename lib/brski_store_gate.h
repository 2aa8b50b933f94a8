/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_gate.h: the gate before the database. A number of threads are inside at once; others
 * wait their turn for a while. When all places are taken and the oldest of those inside has been
 * there longer than anybody has patience for, the database hangs: then nobody waits any more.
 */
#ifndef BRSKI_STORE_GATE_H
#define BRSKI_STORE_GATE_H

#include "brski.h"

typedef struct brski_gate_t brski_gate_t;

/** Make a gate; any number of threads use it. */
brski_err_t *brski_gate_make(brski_gate_t **gate, int inside, apr_interval_time_t patience,
                             apr_pool_t *pool);

/**
 * Go in, after a wait when need be.
 * @param place  to be given back to brski_gate_leave()
 * @return NULL, or BRSKI_E_STORE_BUSY
 */
brski_err_t *brski_gate_enter(int *place, brski_gate_t *gate, apr_pool_t *pool);
void brski_gate_leave(brski_gate_t *gate, int place);

/** How many are inside, and how many were turned away since the start. */
void brski_gate_numbers(brski_gate_t *gate, int *inside, apr_int64_t *turned_away);

#endif
