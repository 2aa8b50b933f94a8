/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.c: voucher-requests read and made into JSON.
 */
#include "requests.h"
#include "words.h"
#include "brski_records_tools.h"

brski_err_t *requests_of(apr_array_header_t **list, db_t *db, const char *manufacturer,
                         const char *serial_number, int max)
{
    return brski_records_requests_device(list, db_records(db), manufacturer, serial_number, max,
                                         db->pool, db->pool);
}

brski_json_t *request_json(const brski_request_t *r, apr_time_t now, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "id", r->id);
    brski_json_set_string(obj, "manufacturer", r->manufacturer);
    brski_json_set_string(obj, "serial_number", r->serial_number);
    db_json_time(obj, "created_at", r->created_at, pool);
    brski_json_set_string(obj, "task", words_task(r->task));
    brski_json_set_string(obj, "state", words_request(r, now, pool));
    brski_json_set_string(obj, "masa_url", r->masa_url);
    db_json_time(obj, "next_at", r->task == BRSKI_TASK_NONE ? 0 : r->next_at, pool);
    brski_json_set_int(obj, "attempts", r->attempts);
    brski_json_set_string(obj, "lease_by", r->lease_until > now ? r->lease_by : NULL);
    brski_json_set_int(obj, "status", r->status);
    brski_json_set_int(obj, "number", r->number);
    brski_json_set_string(obj, "text", r->text);
    brski_json_set_string(obj, "detail", r->detail);
    db_json_time(obj, "answered_at", r->answered_at, pool);
    return obj;
}

brski_json_t *requests_json(const apr_array_header_t *list, apr_time_t now, apr_pool_t *pool)
{
    brski_json_t *array = brski_json_array(pool);

    for (int i = 0; i < list->nelts; i++) {
        const brski_request_t *r = APR_ARRAY_IDX(list, i, const brski_request_t *);
        brski_json_t *obj = brski_json_object(pool);
        brski_json_set_string(obj, "id", r->id);
        db_json_time(obj, "created_at", r->created_at, pool);
        brski_json_set_string(obj, "masa_url", r->masa_url);
        brski_json_set_string(obj, "task", words_task(r->task));
        brski_json_set_string(obj, "state", words_request(r, now, pool));
        brski_json_append(array, obj);
    }
    return array;
}

brski_err_t *requests_judge_again(int *done, db_t *db, const brski_pledge_t *pledge,
                                  apr_pool_t *pool)
{
    return brski_records_request_judge(done, db_records(db), pledge, db_now(db), pool);
}
