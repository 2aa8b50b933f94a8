/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_owner_any.c: ownership "any": first come, first served, and everything is in the audit log.
 * RFC 8995 11.1 and 5.8.3: the log, not the MASA, tells a later owner. A sales record that happens
 * to name the requester is still worth the word "verified".
 */
#include "brski_owner.h"

#include <string.h>

#include "brski_err.h"

int brski_owner_confirmed(const brski_owner_question_t *question)
{
    const char *sold_to = question->device->customer;

    return sold_to && *sold_to && question->customer
           && strcmp(sold_to, question->customer->name) == 0;
}

static brski_err_t *authorize_any(int *verified, const brski_owner_question_t *question,
                                  apr_pool_t *scratch_pool)
{
    (void)scratch_pool;
    *verified = brski_owner_confirmed(question);
    return BRSKI_OK;
}

const brski_owner_t brski_owner_any = { "any", authorize_any };
