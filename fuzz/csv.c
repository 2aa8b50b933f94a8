/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.c: fuzz target of device lists: every octet is read, lines are counted upwards, and a record
 * written again is read as the same.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "../tools/common/csv.h"

static const char *quoted(const char *field, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 2 * strlen(field) + 3), *at = out;

    *at++ = '"';
    for (; *field; field++) {
        if (*field == '"') {
            *at++ = '"';
        }
        *at++ = *field;
    }
    *at++ = '"';
    *at = '\0';
    return out;
}

static void write_again(const csv_record_t *record, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, record->count, sizeof(const char *));
    csv_record_t again;
    char *text;
    FILE *in;
    int i;

    for (i = 0; i < record->count; i++) {
        APR_ARRAY_PUSH(parts, const char *) = quoted(record->fields[i], pool);
    }
    text = apr_array_pstrcat(pool, parts, ',');
    in = fmemopen(text, strlen(text), "r");
    FUZZ_MUST(in != NULL);
    FUZZ_MUST(csv_next(csv_make(in, pool), &again) == 1);
    /* Doubled quotes may have made it longer than a record may be. */
    FUZZ_MUST(again.bad ? strlen(text) > CSV_RECORD_MAX : again.count == record->count);
    for (i = 0; !again.bad && i < record->count; i++) {
        FUZZ_MUST(!strcmp(again.fields[i], record->fields[i]));
    }
    fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    csv_record_t record;
    apr_int64_t last = 0;
    FILE *in = fmemopen(apr_pmemdup(pool, size ? (const void *)data : "", size ? size : 1),
                        size ? size : 1, "r");
    csv_t *csv = csv_make(in, pool);
    int rv;

    FUZZ_MUST(in != NULL);
    while (size && (rv = csv_next(csv, &record)) > 0) {
        FUZZ_MUST(record.line > last && record.last >= record.line);
        FUZZ_MUST(record.count >= 0 && record.count <= CSV_FIELDS_MAX);
        FUZZ_MUST(record.bad ? fuzz_is_printable(record.bad) : record.count > 0);
        if (!record.bad) {
            write_again(&record, pool);
        }
        last = record.line;
    }
    FUZZ_MUST(!size || (rv == 0 && csv_offset(csv) == (apr_int64_t)size));
    fclose(in);
    return 0;
}
