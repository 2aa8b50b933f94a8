/* SPDX-License-Identifier: Apache-2.0 */
/*
 * teststore.h: a store in memory for tests of the decision: the questions of brski_store.h that a
 * decision asks, answered as the SQL answers them, and the accidents that a test wants: another
 * decider in between, a reply that is lost, a database that is away. Linked instead of
 * brski_store.c; one thread.
 */
#ifndef TESTSTORE_H
#define TESTSTORE_H

#include "brski_err.h"
#include "brski_store.h"

/** A customer with one key; several rows of one name are one customer with several keys. */
typedef struct teststore_key_t {
    const char *customer;
    const char *key;                  /**< "spki:..." */
} teststore_key_t;

typedef struct teststore_t {
    brski_store_t *store;             /**< to give to brski_masa_t */
    apr_array_header_t *devices;      /**< brski_device_t *; heads are worked out */
    apr_array_header_t *events;       /**< brski_event_t *, in order of arrival */
    apr_array_header_t *keys;         /**< teststore_key_t */
    apr_array_header_t *grants;       /**< brski_grant_t *, of every customer */
    apr_int64_t policy_version;
    apr_int64_t epoch;

    /** Called before each put looks at the records; may change them. Unset while it runs. */
    void (*before_put)(struct teststore_t *t);
    void *baton;
    int lose_replies;                 /**< of so many puts: written, but reported as unknown */
    int fail_puts;                    /**< so many puts fail with fail_code and write nothing */
    brski_err_code_t fail_code;
    brski_err_code_t read_fails;      /**< every read fails with this; 0 none */
    int reads;
    int puts;
    const char *put_hashes[8];        /**< of the voucher in each put, written or not */
    int fresh_uses;
} teststore_t;

teststore_t *teststore_make(apr_pool_t *pool);

/** Add a device; what is not said is as the importer leaves it. */
brski_device_t *teststore_device(teststore_t *t, const char *product, const char *serial_number);

/** Add a key of a customer. */
void teststore_customer(teststore_t *t, const char *name, const char *kind, const char *value);

/** Grant something to every customer. */
brski_grant_t *teststore_grant(teststore_t *t, const char *what, const char *product);

/** The nth event, counted from the last: 0 is the newest. */
brski_event_t *teststore_event(const teststore_t *t, int from_last);

#endif
