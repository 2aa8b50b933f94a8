/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew.h: many like jobs done by as many threads as there are processors, with progress on the terminal. The first
 * error ends the work.
 */
#ifndef BRSKI_TOOL_CREW_H
#define BRSKI_TOOL_CREW_H

#include "../common/say.h"
#include "brski.h"
#include "brski_err.h"

/** One job: numbers from 0. Jobs run at the same time; pool is the thread's own and cleared after each. */
typedef brski_err_t *(*crew_job_t)(void *baton, apr_uint32_t number, apr_pool_t *pool);

/** Do jobs 0 to count - 1; what and unit are for the progress: "making", "devices". */
brski_err_t *crew_run(crew_job_t job, void *baton, apr_uint32_t count, const char *what, const char *unit,
                      say_t *say, apr_pool_t *pool);

#endif
