/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_gate.c: the gate before the database.
 */
#include "brski_store_gate.h"

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "brski_err.h"

struct brski_gate_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *left; /* somebody has left */
    int places;
    apr_time_t *since; /* by place: when it was taken; 0: free */
    int inside;
    apr_interval_time_t patience;
    apr_int64_t turned_away;
};

brski_err_t *brski_gate_make(brski_gate_t **out, int inside, apr_interval_time_t patience,
                             apr_pool_t *pool)
{
    brski_gate_t *gate = apr_pcalloc(pool, sizeof(*gate));

    *out = NULL;
    gate->places = inside > 0 ? inside : 1;
    gate->patience = patience;
    gate->since = apr_pcalloc(pool, (apr_size_t)gate->places * sizeof(*gate->since));
    if (apr_thread_mutex_create(&gate->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&gate->left, pool) != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no mutex for the gate of the database");
    }
    *out = gate;
    return BRSKI_OK;
}

static apr_time_t oldest(const brski_gate_t *gate)
{
    apr_time_t first = gate->since[0];
    int i;

    for (i = 1; i < gate->places; i++) {
        if (gate->since[i] < first) {
            first = gate->since[i];
        }
    }
    return first;
}

/* Wait for a place with the mutex held. Nonzero when there is one. */
static int wait_for_place(brski_gate_t *gate)
{
    apr_time_t now = apr_time_now();
    apr_time_t until = now + gate->patience;

    while (gate->inside == gate->places) {
        apr_time_t hangs_at = oldest(gate) + gate->patience;
        apr_time_t wake_at = hangs_at < until ? hangs_at : until;

        if (now >= wake_at) {
            return 0;
        }
        apr_thread_cond_timedwait(gate->left, gate->mutex, wake_at - now);
        now = apr_time_now();
    }
    return 1;
}

static int take_place(brski_gate_t *gate)
{
    int place = 0;

    while (gate->since[place]) {
        place++;
    }
    gate->since[place] = apr_time_now();
    gate->inside++;
    return place;
}

brski_err_t *brski_gate_enter(int *place, brski_gate_t *gate, apr_pool_t *pool)
{
    apr_thread_mutex_lock(gate->mutex);
    *place = wait_for_place(gate) ? take_place(gate) : -1;
    if (*place < 0) {
        gate->turned_away++;
    }
    apr_thread_mutex_unlock(gate->mutex);
    if (*place < 0) {
        return brski_err(BRSKI_E_STORE_BUSY, NULL, pool,
                         "all %d connections to the database are in use for too long",
                         gate->places);
    }
    return BRSKI_OK;
}

void brski_gate_leave(brski_gate_t *gate, int place)
{
    apr_thread_mutex_lock(gate->mutex);
    gate->since[place] = 0;
    gate->inside--;
    apr_thread_cond_signal(gate->left);
    apr_thread_mutex_unlock(gate->mutex);
}

void brski_gate_numbers(brski_gate_t *gate, int *inside, apr_int64_t *turned_away)
{
    apr_thread_mutex_lock(gate->mutex);
    *inside = gate->inside;
    *turned_away = gate->turned_away;
    apr_thread_mutex_unlock(gate->mutex);
}
