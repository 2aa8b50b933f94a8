/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge.c: devices found, made into JSON, and read from lists.
 */
#include "pledge.h"
#include "words.h"
#include "../common/csv.h"
#include "brski_bytes.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>

#define NAME_MAX_LEN 128 /* octets, as brski_limits_default has for serial numbers */
#define BAD_TOLD 20

brski_err_t *pledge_find(brski_pledge_t **pledge, db_t *db, const char *manufacturer,
                         const char *serial_number)
{
    BRSKI_TRY(brski_records_pledge_get(pledge, db_records(db), manufacturer, serial_number,
                                       db->pool, db->pool));
    if (!*pledge) {
        return say_refuse(db->pool, "tenant %s has never heard of device %s of manufacturer %s",
                          db->tenant, brski_printable(serial_number, NAME_MAX_LEN, db->pool),
                          brski_printable(manufacturer, NAME_MAX_LEN, db->pool));
    }
    return BRSKI_OK;
}

/* ---- JSON ---- */

static void set_status(brski_json_t *obj, const char *key, int status)
{
    if (status < 0) {
        brski_json_set_string(obj, key, NULL);
    }
    else {
        brski_json_set_bool(obj, key, status);
    }
}

brski_json_t *pledge_json(const brski_pledge_t *p, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "manufacturer", p->manufacturer);
    brski_json_set_string(obj, "serial_number", p->serial_number);
    brski_json_set_string(obj, "welcome", words_welcome(p->welcome));
    brski_json_set_string(obj, "welcome_by", p->welcome_by);
    brski_json_set_bool(obj, "attested", p->attested);
    db_json_time(obj, "first_seen_at", p->first_seen_at, pool);
    db_json_time(obj, "last_seen_at", p->last_seen_at, pool);
    brski_json_set_string(obj, "idevid_spki",
                          p->idevid_spki && *p->idevid_spki ? p->idevid_spki : NULL);
    brski_json_set_string(obj, "request", p->request);
    db_json_time(obj, "voucher_at", p->voucher_at, pool);
    set_status(obj, "voucher_status", p->voucher_status);
    db_json_time(obj, "voucher_status_at", p->voucher_status_at, pool);
    brski_json_set_string(obj, "voucher_reason", p->voucher_reason);
    set_status(obj, "enroll_status", p->enroll_status);
    db_json_time(obj, "enroll_status_at", p->enroll_status_at, pool);
    brski_json_set_string(obj, "enroll_reason", p->enroll_reason);
    brski_json_set_string(obj, "verdict", brski_verdict_text(p->verdict));
    db_json_time(obj, "verdict_at", p->verdict_at, pool);
    brski_json_set_string(obj, "verdict_rule", p->verdict_rule);
    brski_json_set_string(obj, "verdict_text", p->verdict_text);
    brski_json_set_int(obj, "version", p->version);
    return obj;
}

/* ---- lists ---- */

/* Reading a list. */
typedef struct reader_t {
    call_t *call;
    const char *manufacturer; /* for all; NULL: a column says it */
    int column_manufacturer;  /* -1: there is none */
    int column_serial;
    apr_array_header_t *names;
    apr_hash_t *seen;
    int bad;
    apr_pool_t *pool;
} reader_t;

static void bad_line(reader_t *r, apr_int64_t line, const char *what)
{
    if (r->bad++ < BAD_TOLD) {
        say_warn(r->call->say, "line %" APR_INT64_T_FMT ": %s", line, what);
    }
}

/* Is this the first line of a CSV with names? Then the places of the columns are known. */
static int take_header(reader_t *r, const csv_record_t *record)
{
    int serial = -1;
    int manufacturer = -1;

    for (int i = 0; i < record->count; i++) {
        if (!strcmp(record->fields[i], "serial_number")) {
            serial = i;
        }
        if (!strcmp(record->fields[i], "manufacturer")) {
            manufacturer = i;
        }
    }
    if (serial < 0) {
        return 0;
    }
    r->column_serial = serial;
    r->column_manufacturer = manufacturer;
    return 1;
}

/* What a name may not be; NULL when it is fine. */
static const char *name_problem(const char *name, const char *what, apr_pool_t *pool)
{
    apr_size_t len = strlen(name);

    if (!len || len > NAME_MAX_LEN) {
        return apr_psprintf(pool, "a %s has 1 to %d octets", what, NAME_MAX_LEN);
    }
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return apr_psprintf(pool, "the %s %s holds control characters", what,
                                brski_printable(name, NAME_MAX_LEN, pool));
        }
    }
    return brski_is_utf8(name) ? NULL : apr_psprintf(pool, "the %s is not UTF-8", what);
}

static const char *field(const csv_record_t *record, int column)
{
    return column >= 0 && column < record->count ? record->fields[column] : NULL;
}

static void take_line(reader_t *r, const csv_record_t *record)
{
    const char *serial = field(record, r->column_serial);
    const char *manufacturer = field(record, r->column_manufacturer);
    const char *problem;
    const char *key;
    pledge_name_t *name;

    manufacturer = manufacturer && *manufacturer ? manufacturer : r->manufacturer;
    if (!serial || !manufacturer) {
        bad_line(r, record->line,
                 serial ? "no manufacturer: add the column, or --manufacturer"
                        : "no serial number");
        return;
    }
    problem = name_problem(manufacturer, "manufacturer's name", r->pool);
    problem = problem ? problem : name_problem(serial, "serial number", r->pool);
    if (problem) {
        bad_line(r, record->line, problem);
        return;
    }
    key = apr_pstrcat(r->pool, manufacturer, "\n", serial, NULL);
    if (!apr_hash_get(r->seen, key, APR_HASH_KEY_STRING)) {
        apr_hash_set(r->seen, key, APR_HASH_KEY_STRING, key);
        name = apr_array_push(r->names);
        name->manufacturer = apr_pstrdup(r->pool, manufacturer);
        name->serial_number = apr_pstrdup(r->pool, serial);
    }
}

static void take_record(reader_t *r, const csv_record_t *record, int first)
{
    if (record->bad) {
        bad_line(r, record->line, record->bad);
    }
    else if (!first || !take_header(r, record)) {
        take_line(r, record);
    }
}

brski_err_t *pledge_list_read(apr_array_header_t **names, FILE *in, const char *manufacturer,
                              call_t *call)
{
    reader_t r = {.call = call, .manufacturer = manufacturer, .pool = call->pool};
    csv_t *csv = csv_make(in, call->pool);
    csv_record_t record;
    int first = 1;
    int rv;

    /* without a header the last column is the serial number */
    r.column_serial = manufacturer ? 0 : 1;
    r.column_manufacturer = manufacturer ? -1 : 0;
    r.names = apr_array_make(call->pool, 100, sizeof(pledge_name_t));
    r.seen = apr_hash_make(call->pool);
    for (; (rv = csv_next(csv, &record)) > 0; first = 0) {
        take_record(&r, &record, first);
    }
    *names = r.names;
    if (rv < 0) {
        return say_refuse(call->pool, "cannot read the list: %s", strerror(errno));
    }
    if (r.bad) {
        return say_refuse(call->pool, "%d bad line%s: nothing was changed", r.bad,
                          r.bad == 1 ? "" : "s");
    }
    return r.names->nelts ? BRSKI_OK : say_refuse(call->pool, "the list names no device");
}

/* ---- manufacturers ---- */

static void know(apr_hash_t *known, const char *snapshot, apr_pool_t *pool)
{
    static const brski_limits_t limits = {.body = 1 << 24, .json_depth = 32, .string = 1 << 20};
    const brski_json_t *list;
    brski_json_t *json;

    if (brski_json_parse(&json, brski_bytes_str(snapshot), &limits, pool)) {
        return;
    }
    list = brski_json_get(json, "manufacturers");
    for (apr_size_t i = 0; i < brski_json_size(list); i++) {
        const char *name = brski_json_get_string(brski_json_at(list, i), "name");
        if (name) {
            apr_hash_set(known, name, APR_HASH_KEY_STRING, name);
        }
    }
}

brski_err_t *pledge_warn_strange(db_t *db, const apr_array_header_t *names)
{
    apr_hash_t *known = apr_hash_make(db->pool);
    apr_array_header_t *nodes;

    BRSKI_TRY(brski_records_nodes(&nodes, db_records(db), db->pool, db->pool));
    for (int i = 0; i < nodes->nelts; i++) {
        know(known, APR_ARRAY_IDX(nodes, i, const brski_node_t *)->json, db->pool);
    }
    for (int i = 0; apr_hash_count(known) && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, pledge_name_t).manufacturer;
        if (!apr_hash_get(known, name, APR_HASH_KEY_STRING)) {
            say_warn(db->call->say, "no server has <ESTManufacturer %s>",
                     brski_printable(name, NAME_MAX_LEN, db->pool));
            apr_hash_set(known, name, APR_HASH_KEY_STRING, name);
        }
    }
    return BRSKI_OK;
}
