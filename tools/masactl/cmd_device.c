/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_device.c: what is known of devices: show, list and export it, say to whom one was sold, block
 * it and let it go. Lists of many come in through device import (cmd_import.c).
 */
#include "device.h"
#include "import.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 1000
#define LAST_PRODUCT "\xf4\x8f\xbf\xbf"   /* U+10FFFF: behind every product's name */

/* ---- show ---- */

static brski_err_t *device_show(call_t *call)
{
    const char *product = opt_get(call, "product");
    brski_json_t *list = brski_json_array(call->pool);
    apr_array_header_t *rows;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(db_all(&rows, db, STMT_DEVICE_GET, DB_ARGS(db->tenant, call->args[0]), db->pool));
    for (int i = 0; i < rows->nelts; i++) {
        brski_json_t *device = db_row_json(APR_ARRAY_IDX(rows, i, brski_row_t *), device_columns,
                                           db->pool);
        if (product && strcmp(product, brski_json_get_string(device, "product"))) {
            continue;
        }
        if (brski_json_size(list)) {
            say_line(call->say, "%s", "");
        }
        brski_json_append(list, device);
        if (!call->say->json) {
            say_record(call->say, device);
        }
    }
    if (!brski_json_size(list)) {
        return say_refuse(db->pool, "tenant %s has no device %s", db->tenant,
                          brski_printable(call->args[0], 128, db->pool));
    }
    say_json(call->say, list);
    return BRSKI_OK;
}

/* ---- list and export ---- */

/* Columns of STMT_DEVICE_LIST. */
static const db_column_t list_columns[] = {
    { "product", DB_TEXT, 0 },         { "serial_number", DB_TEXT, 0 },
    { "customer", DB_TEXT, 0 },        { "signer", DB_TEXT, 0 },
    { "idevid_issuer", DB_TEXT, 0 },   { "made_at", DB_TIME, 0 },
    { "sold_at", DB_TIME, 0 },         { "version", DB_INT, 0 },
    { "status", DB_TEXT, 0 },          { "status_text", DB_TEXT, 0 },
    { "downgrade_until", DB_TIME, 0 }, { "state_version", DB_INT, 0 },
    { "as_of", DB_TIME, 0 },           DB_END
};

static const say_column_t list_view[] = { { "serial_number", "SERIAL NUMBER", 24 },
                                          { "product", "PRODUCT", 16 },
                                          { "customer", "CUSTOMER", 16 },
                                          { "status", "STATUS", 12 },
                                          { "sold_at", "SOLD", 0 },
                                          { NULL, NULL, 0 } };

/* Where a walk over devices stands, and what it does with each. */
typedef struct walk_t {
    db_t *db;
    const char *serial;
    const char *product;
    apr_int64_t left;                 /* -1: all */
    apr_int64_t done;
    void (*each)(struct walk_t *walk, const brski_row_t *row);
    FILE *out;
} walk_t;

static const char *filter(call_t *call, const char *name)
{
    const char *value = opt_get(call, name);

    return value ? value : "";
}

/* One page; *more is 0 behind the last. The key of its last row is kept beyond the page's pool. */
static brski_err_t *walk_page(walk_t *walk, int *more, apr_pool_t *pool, apr_pool_t *keep)
{
    call_t *call = walk->db->call;
    const char *product = filter(call, "product");
    const char *customer = filter(call, "customer");
    const char *status = filter(call, "status");
    apr_int64_t page = walk->left >= 0 && walk->left < PAGE ? walk->left : PAGE;
    apr_array_header_t *rows;

    BRSKI_TRY(db_all(&rows, walk->db, STMT_DEVICE_LIST,
                     DB_ARGS(walk->db->tenant, walk->serial, walk->product, product, product,
                             customer, customer, status, status, db_num(page, pool)),
                     pool));
    for (int i = 0; i < rows->nelts; i++) {
        walk->each(walk, APR_ARRAY_IDX(rows, i, const brski_row_t *));
    }
    *more = rows->nelts == page;
    walk->done += rows->nelts;
    walk->left -= walk->left >= 0 ? rows->nelts : 0;
    if (rows->nelts) {
        const brski_row_t *last = APR_ARRAY_IDX(rows, rows->nelts - 1, const brski_row_t *);
        walk->product = apr_pstrdup(keep, brski_row_text(last, 0));
        walk->serial = apr_pstrdup(keep, brski_row_text(last, 1));
    }
    return BRSKI_OK;
}

/* Page by page, with two pools in turn: the last key outlives its page. */
static brski_err_t *walk_devices(walk_t *walk)
{
    apr_pool_t *page;
    apr_pool_t *keep[2];
    int more = walk->left != 0;

    apr_pool_create(&page, walk->db->pool);
    apr_pool_create(&keep[0], walk->db->pool);
    apr_pool_create(&keep[1], walk->db->pool);
    for (int turn = 0; more && walk->left != 0; turn = !turn) {
        apr_pool_clear(page);
        apr_pool_clear(keep[turn]);
        BRSKI_TRY(walk_page(walk, &more, page, keep[turn]));
    }
    return BRSKI_OK;
}

static void list_row(walk_t *walk, const brski_row_t *row)
{
    say_t *say = walk->db->call->say;

    say_row(say, list_view, db_row_json(row, list_columns, say_scratch(say)));
}

static brski_err_t *device_list(call_t *call)
{
    walk_t walk = { .serial = "", .product = "", .each = list_row };

    BRSKI_TRY(opt_int(&walk.left, call, "limit", 0, APR_INT32_MAX, 100));
    if (walk.left == 0) {
        walk.left = -1;
    }
    BRSKI_TRY(db_open(&walk.db, call));
    if (opt_get(call, "after")) {
        walk.serial = opt_get(call, "after");
        walk.product = LAST_PRODUCT;
    }
    say_head(call->say, list_view);
    BRSKI_TRY(walk_devices(&walk));
    if (walk.left == 0) {
        say_note(call->say, "more may follow: --after %s",
                 brski_printable(walk.serial, 128, call->pool));
    }
    return BRSKI_OK;
}

/* A field of CSV, in quotes where it needs them. */
static void put_field(FILE *out, const char *text, int first)
{
    if (!first) {
        fputc(',', out);
    }
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

static const char *time_field(const brski_row_t *row, int column, apr_pool_t *pool)
{
    apr_time_t t = brski_row_int(row, column);

    return t ? brski_time_rfc3339(t, pool) : "";
}

/* A line that device import reads back. */
static void export_row(walk_t *walk, const brski_row_t *row)
{
    apr_pool_t *scratch = say_scratch(walk->db->call->say);

    put_field(walk->out, brski_row_text(row, 1), 1);
    put_field(walk->out, brski_row_text(row, 0), 0);
    put_field(walk->out, brski_row_text(row, 2), 0);
    put_field(walk->out, brski_row_text(row, 3), 0);
    put_field(walk->out, brski_row_text(row, 4), 0);
    put_field(walk->out, brski_row_text(row, 8), 0);
    put_field(walk->out, time_field(row, 5, scratch), 0);
    put_field(walk->out, time_field(row, 6, scratch), 0);
    put_field(walk->out, time_field(row, 12, scratch), 0);
    fputs("\r\n", walk->out);
    apr_pool_clear(scratch);
}

static brski_err_t *close_export(walk_t *walk, const char *name)
{
    int failed = ferror(walk->out);

    if (walk->out != stdout) {
        failed |= fclose(walk->out);
    }
    return failed ? say_refuse(walk->db->pool, "cannot write %s: %s", name, strerror(errno))
                  : BRSKI_OK;
}

static brski_err_t *device_export(call_t *call)
{
    walk_t walk = { .serial = "", .product = "", .left = -1, .each = export_row, .out = stdout };
    const char *name = opt_get(call, "output");

    BRSKI_TRY(db_open(&walk.db, call));
    if (name && !(walk.out = fopen(name, "w"))) {
        return say_refuse(call->pool, "cannot make %s: %s", name, strerror(errno));
    }
    if (call->say->json) {
        walk.each = list_row;
    }
    else {
        fputs(IMPORT_HEADER "\r\n", walk.out);
    }
    BRSKI_TRY(walk_devices(&walk));
    return close_export(&walk, name ? name : "the output");
}

/* ---- changes ---- */

/* What a changing command is about. */
typedef struct change_t {
    db_t *db;
    const char *serial;
    const char *product;
    const brski_row_t *row;
} change_t;

static brski_err_t *begin_change(change_t *c, call_t *call)
{
    brski_row_t *row;

    BRSKI_TRY(db_open(&c->db, call));
    BRSKI_TRY(device_find(&row, c->db, call->args[0]));
    c->row = row;
    c->serial = call->args[0];
    c->product = brski_row_text(row, 0);
    return BRSKI_OK;
}

/* Say what a device is now. */
static brski_err_t *show_changed(const change_t *c)
{
    brski_row_t *row;

    BRSKI_TRY(device_find(&row, c->db, c->serial));
    say_record(c->db->call->say, db_row_json(row, device_columns, c->db->pool));
    return BRSKI_OK;
}

static brski_err_t *require_customer(db_t *db, const char *customer)
{
    brski_row_t *row;

    BRSKI_TRY(db_one(&row, db, STMT_CUSTOMER_GET, DB_ARGS(db->tenant, customer), db->pool));
    return row ? BRSKI_OK
               : say_refuse(db->pool, "there is no customer '%s'; 'masactl customer add' makes one",
                            brski_printable(customer, 128, db->pool));
}

static brski_err_t *device_assign(call_t *call)
{
    const char *customer = opt_get(call, "customer");
    apr_time_t now = call->ctx->now(call->ctx->baton);
    apr_time_t sold_at;
    change_t c;

    if (!customer == !opt_has(call, "nobody")) {
        return opt_usage(call, "say --customer NAME or --nobody");
    }
    BRSKI_TRY(opt_time(&sold_at, call, "sold-at", customer ? now : 0));
    BRSKI_TRY(begin_change(&c, call));
    if (customer) {
        BRSKI_TRY(require_customer(c.db, customer));
    }
    BRSKI_TRY(db_exec(NULL, c.db, STMT_DEVICE_ASSIGN,
                      DB_ARGS(customer ? customer : "", db_num(sold_at, call->pool),
                              db_num(now, call->pool), c.db->tenant, c.serial, c.product),
                      call->pool));
    return show_changed(&c);
}

static brski_err_t *put_state(change_t *c, const char *status, const char *reason)
{
    call_t *call = c->db->call;
    apr_time_t now = call->ctx->now(call->ctx->baton);

    BRSKI_TRY(db_exec(NULL, c->db, STMT_DEVICE_STATE_PUT,
                      DB_ARGS(status, reason, db_num(now, call->pool), c->db->tenant, c->serial,
                              c->product),
                      call->pool));
    return show_changed(c);
}

static brski_err_t *device_block(call_t *call)
{
    const char *status = opt_get(call, "status") ? opt_get(call, "status") : "blocked";
    const char *reason = opt_get(call, "reason");
    change_t c;

    if (!import_is_status(status) || !strcmp(status, "active")) {
        return opt_usage(call, "--status is one of blocked, stolen, end-of-life, owner-locked");
    }
    if (!reason || !*reason) {
        return opt_usage(call, "say --reason TEXT: it is told to whoever asks for a voucher");
    }
    BRSKI_TRY(begin_change(&c, call));
    return put_state(&c, status, reason);
}

static brski_err_t *device_unblock(call_t *call)
{
    change_t c;

    BRSKI_TRY(begin_change(&c, call));
    if (!strcmp(brski_row_text(c.row, 8), "active")) {
        say_note(call->say, "%s was not blocked", brski_printable(c.serial, 128, call->pool));
        return BRSKI_OK;
    }
    return put_state(&c, "active", NULL);
}

static brski_err_t *device_downgrade(call_t *call)
{
    apr_time_t now = call->ctx->now(call->ctx->baton);
    apr_time_t until;
    change_t c;

    if (!opt_has(call, "until") == !opt_has(call, "never")) {
        return opt_usage(call, "say --until DATE or --never");
    }
    BRSKI_TRY(opt_time(&until, call, "until", 0));
    if (until && until <= now) {
        return say_refuse(call->pool,
                          "--until: that time has passed; --never takes the grant back");
    }
    BRSKI_TRY(begin_change(&c, call));
    BRSKI_TRY(db_exec(NULL, c.db, STMT_DEVICE_DOWNGRADE_PUT,
                      DB_ARGS(db_num(until, call->pool), db_num(now, call->pool), c.db->tenant,
                              c.serial, c.product),
                      call->pool));
    return show_changed(&c);
}

/* ---- the group ---- */

/* clang-format off */
#define PRODUCT_OPTION \
    { "product", 'p', "NAME", "product line, if the serial stands in several" }
/* clang-format on */

static const opt_t show_options[] = { PRODUCT_OPTION, { NULL, 0, NULL, NULL } };

static const opt_t list_options[] = {
    { "product", 'p', "NAME", "only this product line" },
    { "customer", 'c', "NAME", "only those sold to this customer" },
    { "status", 's', "WORD", "only those that are so: active, blocked, stolen, ..." },
    { "after", 0, "SERIAL", "go on behind this serial number" },
    { "limit", 'n', "N", "at most so many; 0: all; default 100" },
    { NULL, 0, NULL, NULL }
};

static const opt_t export_options[] = {
    { "product", 'p', "NAME", "only this product line" },
    { "customer", 'c', "NAME", "only those sold to this customer" },
    { "status", 's', "WORD", "only those that are so: active, blocked, stolen, ..." },
    { "output", 'o', "FILE", "default stdout" },
    { NULL, 0, NULL, NULL }
};

static const opt_t assign_options[] = {
    { "customer", 'c', "NAME", "to whom the device was sold" },
    { "nobody", 0, NULL, "to nobody: it is in stock again" },
    { "sold-at", 0, "TIME", "when; default now" },
    PRODUCT_OPTION,
    { NULL, 0, NULL, NULL }
};

static const opt_t block_options[] = {
    { "reason", 'r', "TEXT", "told to whoever asks for a voucher" },
    { "status", 's', "WORD", "blocked (default), stolen, end-of-life, owner-locked" },
    PRODUCT_OPTION,
    { NULL, 0, NULL, NULL }
};

static const opt_t downgrade_options[] = {
    { "until", 0, "DATE", "until when" },
    { "never", 0, NULL, "take the grant back" },
    PRODUCT_OPTION,
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "device import", "FILE.csv|-", 1, 1, "Import a list of devices", import_options, IMPORT_HELP,
      device_import },
    { "device show", "SERIAL", 1, 1, "Show all that is known of a device", show_options, NULL,
      device_show },
    { "device list", "", 0, 0, "List devices", list_options, NULL, device_list },
    { "device assign", "SERIAL", 1, 1, "Say to whom a device was sold", assign_options, NULL,
      device_assign },
    { "device block", "SERIAL", 1, 1, "Issue no vouchers for a device", block_options, NULL,
      device_block },
    { "device unblock", "SERIAL", 1, 1, "Issue vouchers for a device again", show_options, NULL,
      device_unblock },
    { "device downgrade", "SERIAL", 1, 1, "Let a device go without proximity for a while",
      downgrade_options, NULL, device_downgrade },
    { "device export", "", 0, 0, "Write devices as a list that device import reads", export_options,
      NULL, device_export },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "device", "what is known of devices", 20, commands, NULL };
COMMAND_GROUP(group)
