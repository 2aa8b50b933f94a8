/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_masa_explain.c: the record of what each rule saw, and a kept request judged again. The code
 * that judges is the code that judged: there is no second copy of the rules.
 */
#include "brski_masa_steps.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#include "brski_err.h"

void brski_saw(brski_decision_t *d, int skipped, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    d->seen = apr_pvsprintf(d->result_pool, fmt, args);
    va_end(args);
    d->skipped = skipped;
}

/* What failed, in the words of the refusal and of our log. */
static const char *failure(const brski_err_t *err, apr_pool_t *pool)
{
    if (!err->detail) {
        return err->public_text;
    }
    return apr_pstrcat(pool, err->public_text, " (", err->detail, ")", NULL);
}

brski_err_t *brski_step(brski_decision_t *d, const char *section, const char *rule,
                        brski_err_t *err)
{
    brski_step_t step = { section, rule, 1, "" };

    if (d->answer->steps) {
        step.passed = err ? 0 : d->skipped ? -1 : 1;
        step.text = err ? failure(err, d->result_pool) : d->seen ? d->seen : "";
        APR_ARRAY_PUSH(d->answer->steps, brski_step_t) = step;
    }
    d->seen = NULL;
    d->skipped = 0;
    return err;
}

static brski_err_t *explain_voucher(brski_decision_t *d)
{
    BRSKI_TRY(brski_masa_verify(d));
    BRSKI_TRY(brski_masa_read(d, brski_decision_identity(d, d->request, d->chain)));
    return brski_masa_judge(d);
}

brski_err_t *brski_masa_explain(brski_masa_answer_t **answer, const brski_masa_t *masa,
                                const brski_masa_request_t *request, const char *operation,
                                apr_time_t at, apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_decision_t *d = brski_decision_make(answer, masa, request, at, result_pool,
                                              scratch_pool);

    d->judge_only = 1;
    d->answer->steps = apr_array_make(result_pool, 24, sizeof(brski_step_t));
    if (!strcmp(operation, "requestvoucher")) {
        return brski_decision_err(d, explain_voucher(d));
    }
    if (!strcmp(operation, "requestauditlog")) {
        return brski_decision_err(d, brski_masa_judge_log(d));
    }
    return brski_err(BRSKI_E_OPERATION, NULL, result_pool, "explain of \"%s\"", operation);
}
