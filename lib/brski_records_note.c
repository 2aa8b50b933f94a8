/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_note.c: what a human may want to know later.
 */
#include "brski_records_private.h"

#include <apr_strings.h>

/* How many rows one call removes: a short transaction. */
#define EXPIRE_AT_ONCE 500

brski_err_t *brski_records_note_put(brski_records_t *records, const brski_note_t *note,
                                    apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant,
                           brski_arg_number(note->at, scratch_pool),
                           note->id,
                           note->kind,
                           note->alarm ? "1" : "0",
                           brski_records_key(note->manufacturer, scratch_pool),
                           brski_records_key(note->serial_number, scratch_pool),
                           brski_arg_clean(note->text, scratch_pool),
                           brski_arg_clean(note->request_id, scratch_pool),
                           brski_arg_clean(note->address, scratch_pool) };

    return brski_access_exec(NULL, records->access, STMT_EST_NOTE_PUT, args, scratch_pool);
}

static brski_note_t *read_note(const brski_row_t *row, apr_pool_t *pool)
{
    enum { AT, ID, KIND, ALARM, MANUFACTURER, SERIAL_NUMBER, TEXT, REQUEST_ID, ADDRESS };
    brski_note_t *note = apr_palloc(pool, sizeof(*note));

    note->at = brski_row_int(row, AT);
    note->id = brski_row_text(row, ID);
    note->kind = brski_row_text(row, KIND);
    note->alarm = (int)brski_row_int(row, ALARM);
    note->manufacturer = brski_row_text(row, MANUFACTURER);
    note->serial_number = brski_row_text(row, SERIAL_NUMBER);
    note->text = brski_row_text(row, TEXT);
    note->request_id = brski_column_text(row, REQUEST_ID);
    note->address = brski_column_text(row, ADDRESS);
    return note;
}

brski_err_t *brski_records_notes(apr_array_header_t **list, brski_records_t *records,
                                 const char *manufacturer, const char *serial_number,
                                 int alarms_only, int max, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    const char *many = brski_arg_number(max, scratch_pool);
    const char *all[] = { records->tenant, many };
    const char *device[] = { records->tenant, brski_records_key(manufacturer, scratch_pool),
                             brski_records_key(serial_number, scratch_pool),
                             alarms_only ? "1" : "0", many };
    int stmt = manufacturer  ? STMT_EST_NOTE_DEVICE
               : alarms_only ? STMT_EST_NOTE_ALARMS
                             : STMT_EST_NOTE_LIST;
    apr_array_header_t *rows;
    int i;

    *list = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, stmt, manufacturer ? device : all,
                               result_pool, scratch_pool));
    *list = apr_array_make(result_pool, rows->nelts, sizeof(brski_note_t *));
    for (i = 0; i < rows->nelts; i++) {
        APR_ARRAY_PUSH(*list, brski_note_t *) =
            read_note(APR_ARRAY_IDX(rows, i, const brski_row_t *), result_pool);
    }
    return BRSKI_OK;
}

brski_err_t *brski_records_note_expire(int *removed, brski_records_t *records, apr_time_t before,
                                       apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, records->tenant, brski_arg_number(before, scratch_pool),
                           brski_arg_number(EXPIRE_AT_ONCE, scratch_pool) };

    *removed = 0;
    return brski_access_exec(removed, records->access, STMT_EST_NOTE_EXPIRE, args, scratch_pool);
}
