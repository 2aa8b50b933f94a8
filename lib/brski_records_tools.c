/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_tools.c: what only people ask of a registrar's records. Lists leave out what was
 * sent and received: it is large, and few look at it.
 */
#include "brski_records_tools.h"

#include "brski_records_private.h"

static const char *const tasks[] = {"", "voucher", "audit", "telemetry", "recheck", "human"};

static brski_err_t *list_requests(apr_array_header_t **list, brski_records_t *records, int stmt,
                                  const char *const *args, apr_pool_t *result_pool,
                                  apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows;
    int i;

    *list = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, stmt, args, result_pool, scratch_pool));
    *list = apr_array_make(result_pool, rows->nelts, sizeof(brski_request_t *));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(brski_records_request_row((brski_request_t **)apr_array_push(*list),
                                            APR_ARRAY_IDX(rows, i, brski_row_t *), result_pool));
    }
    return BRSKI_OK;
}

brski_err_t *brski_records_requests_open(apr_array_header_t **list, brski_records_t *records,
                                         brski_task_t task, int max, apr_pool_t *result_pool,
                                         apr_pool_t *scratch_pool)
{
    const char *args[] = {records->tenant, tasks[task], tasks[task],
                          brski_arg_number(max, scratch_pool)};

    return list_requests(list, records, STMT_EST_REQUEST_OPEN, args, result_pool, scratch_pool);
}

brski_err_t *brski_records_requests_done(apr_array_header_t **list, brski_records_t *records,
                                         int max, apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = {records->tenant, brski_arg_number(max, scratch_pool)};

    return list_requests(list, records, STMT_EST_REQUEST_OLD, args, result_pool, scratch_pool);
}

brski_err_t *brski_records_requests_device(apr_array_header_t **list, brski_records_t *records,
                                           const char *manufacturer, const char *serial_number,
                                           int max, apr_pool_t *result_pool,
                                           apr_pool_t *scratch_pool)
{
    const char *args[] = {records->tenant, manufacturer,
                          brski_records_key(serial_number, scratch_pool),
                          brski_arg_number(max, scratch_pool)};

    return list_requests(list, records, STMT_EST_REQUEST_DEVICE, args, result_pool, scratch_pool);
}

brski_err_t *brski_records_request_judge(int *done, brski_records_t *records,
                                         const brski_pledge_t *pledge, apr_time_t now,
                                         apr_pool_t *scratch_pool)
{
    const char *at = brski_arg_number(now, scratch_pool);
    const char *args[] = {at, records->tenant, pledge->request, at};

    *done = 0;
    if (!pledge->request) {
        return BRSKI_OK;
    }
    return brski_access_exec(done, records->access, STMT_EST_REQUEST_JUDGE, args, scratch_pool);
}

brski_err_t *brski_records_snapshot_forget(int *done, brski_records_t *records, const char *node,
                                           apr_pool_t *scratch_pool)
{
    const char *args[] = {records->tenant, node};

    *done = 0;
    return brski_access_exec(done, records->access, STMT_EST_SNAPSHOT_DELETE, args, scratch_pool);
}
