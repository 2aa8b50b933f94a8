/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_owner_customer.c: ownership "customer": any authenticated customer of the manufacturer may
 * have any device of the product line. RFC 8995 5.5.4.
 */
#include "brski_owner.h"

#include "brski_err.h"

static brski_err_t *authorize_customer(int *verified, const brski_owner_question_t *question,
                                       apr_pool_t *scratch_pool)
{
    *verified = brski_owner_confirmed(question);
    if (!question->customer) {
        return brski_err(BRSKI_E_NOT_AUTHENTICATED, NULL, scratch_pool,
                         "nothing in the request or its transport belongs to a known customer");
    }
    return BRSKI_OK;
}

const brski_owner_t brski_owner_customer = { "customer", authorize_customer };
