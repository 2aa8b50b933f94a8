/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h: does the log prove itself? Walks every event of a tenant in key order in flat memory: each hash is that of its
 * content, each event names the one before, none is missing in between; with the heads of a checkpoint also that each
 * chain still passes through the head it had then, so that nothing was cut off.
 */
#ifndef MASACTL_VERIFY_H
#define MASACTL_VERIFY_H

#include "db.h"
#include "heads.h"

/** What was found. */
typedef struct verify_t {
    apr_int64_t devices;              /**< that have events */
    apr_int64_t events;
    apr_int64_t problems;
    brski_json_t *told;               /**< array: the first problems: product, serial_number, seq, problem */
} verify_t;

/**
 * Walk; problems are printed as they are found.
 * @param heads  of a checkpoint whose root was checked; NULL for none
 */
brski_err_t *verify_log(verify_t **out, db_t *db, heads_t *heads);

/** Called with each event of a walk; event and pool hold during the call only. */
typedef brski_err_t *verify_each_t(const brski_event_t *event, void *baton, apr_pool_t *pool);

/** Every event of the tenant in key order. */
brski_err_t *verify_walk(db_t *db, verify_each_t *each, void *baton);

#endif
