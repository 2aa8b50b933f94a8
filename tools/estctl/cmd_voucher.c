/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_voucher.c: requests for vouchers and how far they are.
 */
#include "requests.h"
#include "words.h"
#include "brski_records_tools.h"

#include <string.h>

static const say_column_t view[] = {{"created_at", "CAME", 20},
                                    {"manufacturer", "MANUFACTURER", 12},
                                    {"serial_number", "SERIAL NUMBER", 20},
                                    {"task", "TASK", 9},
                                    {"state", "STATE", 0},
                                    {NULL, NULL, 0}};

static int task_parse(brski_task_t *task, const char *word)
{
    for (int i = BRSKI_TASK_VOUCHER; i <= BRSKI_TASK_HUMAN; i++) {
        if (!strcmp(words_task((brski_task_t)i), word)) {
            *task = (brski_task_t)i;
            return 1;
        }
    }
    return 0;
}

static brski_err_t *voucher_list(call_t *call)
{
    brski_task_t task = BRSKI_TASK_NONE;
    apr_array_header_t *list;
    apr_int64_t limit;
    db_t *db;

    if (opt_get(call, "task") && !task_parse(&task, opt_get(call, "task"))) {
        return opt_usage(call, "--task is one of voucher, audit, telemetry, recheck, human");
    }
    if (opt_has(call, "done") && opt_has(call, "task")) {
        return opt_usage(call, "--done ones have no task any more");
    }
    BRSKI_TRY(opt_int(&limit, call, "limit", 1, 100000, 100));
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(opt_has(call, "done") ? brski_records_requests_done(&list, db_records(db), (int)limit,
                                                                  db->pool, db->pool)
                                    : brski_records_requests_open(&list, db_records(db), task,
                                                                  (int)limit, db->pool, db->pool));
    say_head(call->say, view);
    for (int i = 0; i < list->nelts; i++) {
        say_row(call->say, view,
                request_json(APR_ARRAY_IDX(list, i, const brski_request_t *), db_now(db),
                             say_scratch(call->say)));
    }
    return BRSKI_OK;
}

static brski_err_t *voucher_prefetch(call_t *call)
{
    return opt_usage(call, "vouchers cannot be fetched before a device comes: this version does "
                           "not have it yet");
}

static const opt_t list_options[] = {
    {"task", 't', "WORD", "only voucher, audit, telemetry, recheck, human"},
    {"done", 0, NULL, "those that are done instead, the newest first"},
    {"limit", 'n', "N", "at most so many; default 100"},
    {NULL, 0, NULL, NULL}};

static const command_t commands[] = {
    {"voucher list", "", 0, 0, "List requests that are being worked on, next first", list_options,
     NULL, voucher_list},
    {"voucher prefetch", "", 0, -1, "Not in this version: fetch vouchers beforehand", NULL, NULL,
     voucher_prefetch},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"voucher", "requests for vouchers", 25,
                                commands, NULL};
COMMAND_GROUP(group)
