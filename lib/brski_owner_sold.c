/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_owner_sold.c: ownership "sold": only the customer that the sales record names may have the
 * device. RFC 8995 5.5.4, sales-channel integration.
 */
#include "brski_owner.h"

#include "brski_err.h"

static brski_err_t *authorize_sold(int *verified, const brski_owner_question_t *question,
                                   apr_pool_t *scratch_pool)
{
    *verified = brski_owner_confirmed(question);
    if (!question->customer) {
        return brski_err(BRSKI_E_NOT_AUTHENTICATED, NULL, scratch_pool,
                         "nothing in the request or its transport belongs to a known customer");
    }
    if (!*verified) {
        return brski_err(BRSKI_E_NOT_OWNER, NULL, scratch_pool, "sold to %s, asked for by %s",
                         question->device->customer ? question->device->customer : "nobody yet",
                         question->customer->name);
    }
    return BRSKI_OK;
}

const brski_owner_t brski_owner_sold = { "sold", authorize_sold };
