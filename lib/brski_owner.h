/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_owner.h: who may have a voucher. One policy is one vtable, an httpd provider of group "masa-owner" (names any,
 * customer, sold; a third module may add one). It decides on facts already read and proven and changes nothing; it may
 * be called from many threads and must not block on anything but its own lookups.
 */
#ifndef BRSKI_OWNER_H
#define BRSKI_OWNER_H

#include "brski_store.h"

#define BRSKI_OWNER_PROVIDER_GROUP "masa-owner"
#define BRSKI_OWNER_PROVIDER_VERSION "0"

/** What an owner policy is told. */
typedef struct brski_owner_question_t {
    const brski_device_t *device;
    const brski_customer_t *customer; /**< the requester, proven; NULL when unknown */
    int nonceless;
    int proximity;                    /**< proximity has been proven */
    apr_time_t now;
} brski_owner_question_t;

typedef struct brski_owner_t {
    const char *name;
    /**
     * @param verified  set to 1 only when ownership is positively confirmed by a sales record: the voucher may say "verified"
     * @return NULL: this requester may have the device; BRSKI_E_NOT_AUTHENTICATED; BRSKI_E_NOT_OWNER
     */
    brski_err_t *(*authorize)(int *verified, const brski_owner_question_t *question, apr_pool_t *scratch_pool);
} brski_owner_t;

/** Nonzero when the sales record names the requester: what "verified" means, for policies to share. */
int brski_owner_confirmed(const brski_owner_question_t *question);

extern const brski_owner_t brski_owner_any;       /**< first come, logged; verified when the sales record names the requester */
extern const brski_owner_t brski_owner_customer;  /**< any known customer */
extern const brski_owner_t brski_owner_sold;      /**< only the customer of the sales record */

#endif
