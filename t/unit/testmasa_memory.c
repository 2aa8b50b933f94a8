/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testmasa_memory.c: the small world on a store in memory; apart from testmasa.c, so that a test on
 * a real store does not link both.
 */
#include "testmasa.h"

testmasa_t *testmasa_make(apr_pool_t *pool)
{
    teststore_t *store = teststore_make(pool);
    testmasa_t *w = testmasa_on(store->store, pool);

    w->store = store;
    w->device = teststore_device(store, "thermostat", TESTMASA_SERIAL);
    return w;
}
