/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_alarm.c: what a human should know, newest first: alarms that were told, and on request all
 * that was noted.
 */
#include "db.h"
#include "brski_bytes.h"

#include <string.h>

static const say_column_t view[] = {{"at", "AT", 20},
                                    {"kind", "KIND", 16},
                                    {"manufacturer", "MANUFACTURER", 12},
                                    {"serial_number", "SERIAL NUMBER", 20},
                                    {"text", "WHAT", 0},
                                    {NULL, NULL, 0}};

static brski_json_t *note_json(const brski_note_t *note, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    db_json_time(obj, "at", note->at, pool);
    brski_json_set_string(obj, "kind", note->kind);
    brski_json_set_bool(obj, "alarm", note->alarm);
    brski_json_set_string(obj, "manufacturer", note->manufacturer);
    brski_json_set_string(obj, "serial_number", note->serial_number);
    brski_json_set_string(obj, "text", note->text);
    brski_json_set_string(obj, "request_id", note->request_id);
    brski_json_set_string(obj, "address", note->address);
    brski_json_set_string(obj, "id", note->id);
    return obj;
}

static brski_err_t *alarm_list(call_t *call)
{
    const char *manufacturer = opt_get(call, "manufacturer");
    const char *serial = opt_get(call, "serial-number");
    apr_array_header_t *notes;
    apr_int64_t limit;
    db_t *db;

    if (!manufacturer != !serial) {
        return opt_usage(call, "--manufacturer and --serial-number belong together");
    }
    BRSKI_TRY(opt_int(&limit, call, "limit", 1, 100000, 50));
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(brski_records_notes(&notes, db_records(db), manufacturer, serial,
                                  !opt_has(call, "all"), (int)limit, db->pool, db->pool));
    say_head(call->say, view);
    for (int i = 0; i < notes->nelts; i++) {
        say_row(call->say, view,
                note_json(APR_ARRAY_IDX(notes, i, const brski_note_t *), say_scratch(call->say)));
    }
    return BRSKI_OK;
}

static const opt_t list_options[] = {
    {"all", 'a', NULL, "all that was noted, not alarms alone"},
    {"manufacturer", 'm', "NAME", "of a device of this manufacturer ..."},
    {"serial-number", 0, "SERIAL", "... with this serial number"},
    {"limit", 'n', "N", "at most so many; default 50"},
    {NULL, 0, NULL, NULL}};

static const command_t commands[] = {{"alarm list", "", 0, 0,
                                      "List what a human should know, newest first", list_options,
                                      NULL, alarm_list},
                                     {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"alarm", "what a human should know", 55, commands, NULL};
COMMAND_GROUP(group)
