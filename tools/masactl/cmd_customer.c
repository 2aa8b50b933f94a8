/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_customer.c: known customers: by which keys and names they are recognised, and what they were
 * granted. Decisions rest on all of it, so every change bumps the tenant's policy version in its
 * transaction.
 */
#include "db.h"
#include "brski_bytes.h"
#include "brski_x509.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define PAGE 500
#define NAME_MAX_LEN 128
#define HEX_SPKI_LEN 64

/* What a changing command is about. */
typedef struct change_t {
    const char *customer;
    const char *identity;
    const char *note;
    const char *what;
    const char *product;
    const char *value;
    apr_time_t at;
    int changed;
} change_t;

static brski_err_t *require_customer(db_t *db, const char *customer)
{
    brski_row_t *row;

    BRSKI_TRY(db_one(&row, db, STMT_CUSTOMER_GET, DB_ARGS(db->tenant, customer), db->pool));
    return row ? BRSKI_OK : say_refuse(db->pool, "there is no customer '%s'",
                                       brski_printable(customer, NAME_MAX_LEN, db->pool));
}

/* ---- add, list, show, remove ---- */

static brski_err_t *check_name(call_t *call, const char *name)
{
    apr_size_t len = strlen(name);

    if (!len || len > NAME_MAX_LEN || name[0] == ' ' || name[len - 1] == ' ') {
        return say_refuse(call->pool,
                          "a customer's name has 1 to %d octets and no blank at its ends",
                          NAME_MAX_LEN);
    }
    for (const char *c = name; *c; c++) {
        if (apr_iscntrl(*c)) {
            return say_refuse(call->pool, "a customer's name has no control characters");
        }
    }
    return BRSKI_OK;
}

static brski_err_t *put_customer(db_t *db, void *baton)
{
    const change_t *c = baton;

    return db_exec(NULL, db, STMT_CUSTOMER_PUT,
                   DB_ARGS(db->tenant, c->customer, c->note, db_num(c->at, db->pool)), db->pool);
}

static brski_err_t *customer_add(call_t *call)
{
    change_t c = { .customer = call->args[0], .note = opt_get(call, "note") };
    db_t *db;

    BRSKI_TRY(check_name(call, c.customer));
    BRSKI_TRY(db_open(&db, call));
    c.at = call->ctx->now(call->ctx->baton);
    BRSKI_TRY(db_change_policy(db, put_customer, &c));
    say_note(call->say,
             "customer %s is known; 'masactl customer key add' says how it is recognised",
             c.customer);
    return BRSKI_OK;
}

static const db_column_t customer_columns[] = {
    { "customer", DB_TEXT, 0 }, { "note", DB_TEXT, 0 }, { "added_at", DB_TIME, 0 }, DB_END
};
static const say_column_t customer_view[] = { { "customer", "CUSTOMER", 24 },
                                              { "added_at", "ADDED", 20 },
                                              { "note", "NOTE", 0 },
                                              { NULL, NULL, 0 } };

static brski_err_t *customer_list(call_t *call)
{
    const char *after = "";
    apr_array_header_t *rows;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    say_head(call->say, customer_view);
    do {
        BRSKI_TRY(db_all(&rows, db, STMT_CUSTOMER_LIST,
                         DB_ARGS(db->tenant, after, db_num(PAGE, db->pool)), db->pool));
        for (int i = 0; i < rows->nelts; i++) {
            const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
            after = brski_row_text(row, 0);
            say_row(call->say, customer_view,
                    db_row_json(row, customer_columns, say_scratch(call->say)));
        }
    } while (rows->nelts == PAGE);
    return BRSKI_OK;
}

static const db_column_t key_columns[] = { { "identity", DB_TEXT, 0 },
                                           { "note", DB_TEXT, 0 },
                                           { "added_at", DB_TIME, 0 },
                                           { "retired_at", DB_TIME, 0 },
                                           DB_END };
static const db_column_t grant_columns[] = { { "what", DB_TEXT, 0 },
                                             { "product", DB_TEXT, 0 },
                                             { "value", DB_TEXT, 0 },
                                             { "until", DB_TIME, 0 },
                                             DB_END };

static brski_err_t *rows_json(brski_json_t **out, db_t *db, int stmt, const char *customer,
                              const db_column_t *columns)
{
    apr_array_header_t *rows;

    *out = brski_json_array(db->pool);
    BRSKI_TRY(db_all(&rows, db, stmt, DB_ARGS(db->tenant, customer), db->pool));
    for (int i = 0; i < rows->nelts; i++) {
        brski_json_append(*out, db_row_json(APR_ARRAY_IDX(rows, i, const brski_row_t *), columns,
                                            db->pool));
    }
    return BRSKI_OK;
}

static brski_err_t *customer_show(call_t *call)
{
    const char *name = call->args[0];
    brski_json_t *record;
    brski_json_t *list;
    brski_row_t *row;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(require_customer(db, name));
    BRSKI_TRY(db_one(&row, db, STMT_CUSTOMER_GET, DB_ARGS(db->tenant, name), db->pool));
    record = db_row_json(row, customer_columns, db->pool);
    BRSKI_TRY(rows_json(&list, db, STMT_CUSTOMER_KEY_LIST, name, key_columns));
    brski_json_set(record, "keys", list);
    BRSKI_TRY(rows_json(&list, db, STMT_GRANT_LIST, name, grant_columns));
    brski_json_set(record, "grants", list);
    say_record(call->say, record);
    return BRSKI_OK;
}

static brski_err_t *delete_customer(db_t *db, void *baton)
{
    const char *const *args = DB_ARGS(db->tenant, ((const change_t *)baton)->customer);

    BRSKI_TRY(db_exec(NULL, db, STMT_CUSTOMER_KEYS_DELETE, args, db->pool));
    BRSKI_TRY(db_exec(NULL, db, STMT_CUSTOMER_GRANTS_DELETE, args, db->pool));
    return db_exec(NULL, db, STMT_CUSTOMER_DELETE, args, db->pool);
}

static brski_err_t *customer_remove(call_t *call)
{
    change_t c = { .customer = call->args[0] };
    apr_array_header_t *rows;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(require_customer(db, c.customer));
    BRSKI_TRY(
        db_all(&rows, db, STMT_CUSTOMER_DEVICES, DB_ARGS(db->tenant, c.customer, "1"), db->pool));
    if (rows->nelts && !opt_has(call, "force")) {
        return say_refuse(call->pool,
                          "devices were sold to %s (%s is one): assign them to others, or say "
                          "--force and they keep its name",
                          c.customer,
                          brski_row_text(APR_ARRAY_IDX(rows, 0, const brski_row_t *), 0));
    }
    return db_change_policy(db, delete_customer, &c);
}

/* ---- keys ---- */

/* A registrar's file may hold its chain too, its own certificate first; of CAs one is meant. */
static brski_err_t *identity_of_cert(const char **identity, const char *file, int ca,
                                     apr_pool_t *pool)
{
    apr_array_header_t *certs;
    const brski_cert_t *cert;

    BRSKI_TRY(brski_cert_load(&certs, file, pool));
    cert = APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
    if (ca && certs->nelts > 1) {
        return say_refuse(pool, "%s holds %d certificates; say which CA", file, certs->nelts);
    }
    if (ca && !cert->ca) {
        return say_refuse(pool, "%s is not a CA's certificate; --cert takes a registrar's own",
                          file);
    }
    if (!ca && cert->ca) {
        return say_refuse(pool, "%s is a CA's certificate; --ca makes all that it issued count",
                          file);
    }
    *identity = apr_pstrcat(pool, ca ? "ca:" : "spki:", cert->spki_hex, NULL);
    return BRSKI_OK;
}

static brski_err_t *identity_of_spki(const char **identity, const char *hex, apr_pool_t *pool)
{
    brski_bytes_t octets;

    if (brski_hex_decode(&octets, hex, pool) || octets.len != HEX_SPKI_LEN / 2) {
        return say_refuse(pool,
                          "--spki: write the SHA-256 of the SubjectPublicKeyInfo as 64 hex digits");
    }
    *identity = apr_pstrcat(pool, "spki:", brski_hex(octets, pool), NULL);
    return BRSKI_OK;
}

static brski_err_t *identity_of_dns(const char **identity, const char *name, apr_pool_t *pool)
{
    char *lower = apr_pstrcat(pool, "dns:", name, NULL);

    for (char *c = lower; *c; c++) {
        *c = (char)apr_tolower(*c);
        if (!apr_isalnum(*c) && !strchr("-._:", *c)) {
            return say_refuse(pool,
                              "--dns: '%s' is not a DNS name; an internationalised one is written "
                              "xn--...",
                              brski_printable(name, 64, pool));
        }
    }
    *identity = lower;
    return *name ? BRSKI_OK : say_refuse(pool, "--dns: the name is empty");
}

/* Which identity the options name; exactly one must be given. *usage is set when not. */
static brski_err_t *identity_of_options(const char **identity, int *usage, call_t *call)
{
    const char *cert = opt_get(call, "cert");
    const char *ca = opt_get(call, "ca");
    const char *spki = opt_get(call, "spki");
    const char *dns = opt_get(call, "dns");
    const char *user = opt_get(call, "user");

    *usage = !!cert + !!ca + !!spki + !!dns + !!user != 1;
    if (*usage) {
        return opt_usage(call, "say one of --cert, --spki, --ca, --dns and --user");
    }
    if (cert || ca) {
        return identity_of_cert(identity, cert ? cert : ca, ca != NULL, call->pool);
    }
    if (spki) {
        return identity_of_spki(identity, spki, call->pool);
    }
    if (dns) {
        return identity_of_dns(identity, dns, call->pool);
    }
    *identity = apr_pstrcat(call->pool, "user:", user, NULL);
    return *user ? BRSKI_OK : say_refuse(call->pool, "--user: the name is empty");
}

/* A key that two customers have would make the server guess. */
static brski_err_t *refuse_shared(db_t *db, const change_t *c)
{
    apr_array_header_t *rows;

    BRSKI_TRY(
        db_all(&rows, db, STMT_CUSTOMER_KEY_OWNERS, DB_ARGS(db->tenant, c->identity), db->pool));
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        apr_time_t retired_at = brski_row_int(row, 3);
        if (strcmp(brski_row_text(row, 0), c->customer) && (!retired_at || retired_at > c->at)) {
            return say_refuse(db->pool, "%s is a key of customer %s; retire it there first",
                              c->identity, brski_row_text(row, 0));
        }
    }
    return BRSKI_OK;
}

static brski_err_t *put_key(db_t *db, void *baton)
{
    const change_t *c = baton;

    return db_exec(NULL, db, STMT_CUSTOMER_KEY_PUT,
                   DB_ARGS(db->tenant, c->identity, c->customer, c->note, db_num(c->at, db->pool)),
                   db->pool);
}

static void tell_key(call_t *call, const change_t *c)
{
    brski_json_t *record = brski_json_object(call->pool);

    brski_json_set_string(record, "customer", c->customer);
    brski_json_set_string(record, "identity", c->identity);
    say_record(call->say, record);
}

static brski_err_t *key_add(call_t *call)
{
    change_t c = { .customer = call->args[0], .note = opt_get(call, "note") };
    int usage;
    db_t *db;

    BRSKI_TRY(identity_of_options(&c.identity, &usage, call));
    if (usage) {
        return BRSKI_OK;
    }
    c.at = call->ctx->now(call->ctx->baton);
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(require_customer(db, c.customer));
    BRSKI_TRY(refuse_shared(db, &c));
    BRSKI_TRY(db_change_policy(db, put_key, &c));
    tell_key(call, &c);
    return BRSKI_OK;
}

static brski_err_t *retire_key(db_t *db, void *baton)
{
    change_t *c = baton;

    return db_exec(&c->changed, db, STMT_CUSTOMER_KEY_RETIRE,
                   DB_ARGS(db_num(c->at, db->pool), db->tenant, c->identity, c->customer),
                   db->pool);
}

/* "spki:..." as customer show prints it, or the same options as for adding. */
static brski_err_t *key_retire(call_t *call)
{
    change_t c = { .customer = call->args[0] };
    int usage = 0;
    db_t *db;

    if (call->nargs > 1) {
        c.identity = call->args[1];
    }
    else {
        BRSKI_TRY(identity_of_options(&c.identity, &usage, call));
    }
    if (usage) {
        return BRSKI_OK;
    }
    BRSKI_TRY(opt_time(&c.at, call, "at", call->ctx->now(call->ctx->baton)));
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(require_customer(db, c.customer));
    BRSKI_TRY(db_change_policy(db, retire_key, &c));
    return c.changed ? BRSKI_OK
                     : say_refuse(call->pool, "customer %s has no key %s", c.customer, c.identity);
}

/* ---- grants ---- */

static int is_pin(const char *value)
{
    return !strcmp(value, "ee") || !strcmp(value, "lowest-ca") || !strcmp(value, "highest-ca");
}

/* What is granted, and of pin which. @return nonzero when it is wrong: usage was told */
static int wrong_grant(call_t *call, const change_t *c)
{
    int pin = !strcmp(c->what, "pin");

    if (!pin && strcmp(c->what, "nonceless") && strcmp(c->what, "downgrade")) {
        opt_usage(call, "'%s' cannot be granted; nonceless, downgrade and pin can",
                  brski_printable(c->what, 40, call->pool));
        return 1;
    }
    if (pin ? !is_pin(c->value) : *c->value != '\0') {
        opt_usage(call, "pin needs --value ee, lowest-ca or highest-ca; the others take none");
        return 1;
    }
    return 0;
}

static brski_err_t *put_grant(db_t *db, void *baton)
{
    const change_t *c = baton;

    return db_exec(NULL, db, STMT_GRANT_PUT,
                   DB_ARGS(db->tenant, c->customer, c->what, c->product, c->value,
                           db_num(c->at, db->pool)),
                   db->pool);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static brski_err_t *customer_grant(call_t *call)
{
    change_t c = { .customer = call->args[0],
                   .what = call->args[1],
                   .product = or_empty(opt_get(call, "product")),
                   .value = or_empty(opt_get(call, "value")) };
    db_t *db;

    if (wrong_grant(call, &c)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(opt_time(&c.at, call, "until", 0));
    if (c.at && c.at <= call->ctx->now(call->ctx->baton)) {
        return say_refuse(call->pool, "--until: that time has passed");
    }
    if (!c.at && !strcmp(c.what, "downgrade")) {
        return opt_usage(call, "downgrade needs --until DATE: going without proximity must end");
    }
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(require_customer(db, c.customer));
    return db_change_policy(db, put_grant, &c);
}

static brski_err_t *delete_grant(db_t *db, void *baton)
{
    change_t *c = baton;

    return db_exec(&c->changed, db, STMT_GRANT_DELETE,
                   DB_ARGS(db->tenant, c->customer, c->what, c->product), db->pool);
}

static brski_err_t *customer_revoke(call_t *call)
{
    change_t c = { .customer = call->args[0],
                   .what = call->args[1],
                   .product = or_empty(opt_get(call, "product")) };
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(require_customer(db, c.customer));
    BRSKI_TRY(db_change_policy(db, delete_grant, &c));
    return c.changed ? BRSKI_OK
                     : say_refuse(call->pool, "customer %s was not granted %s%s%s", c.customer,
                                  brski_printable(c.what, 40, call->pool),
                                  *c.product ? " for product " : "", c.product);
}

/* ---- the group ---- */

/* clang-format off */
#define IDENTITY_OPTIONS                                                           \
    { "cert", 0, "FILE", "the key of a registrar's or client's certificate" },     \
    { "spki", 0, "HEX", "that key as the SHA-256 of its SubjectPublicKeyInfo" },   \
    { "ca", 0, "FILE", "all certificates that this CA of theirs issued" },  \
    { "dns", 0, "NAME", "a name in certificates below a MASACustomerAnchor" },     \
    { "user", 0, "NAME", "a user that httpd has authenticated" }
/* clang-format on */

static const opt_t note_options[] = {
    { "note", 0, "TEXT", "for people" },
    { NULL, 0, NULL, NULL }
};

static const opt_t remove_options[] = {
    { "force", 0, NULL, "even when devices were sold to it" },
    { NULL, 0, NULL, NULL }
};

static const opt_t key_options[] = {
    IDENTITY_OPTIONS,
    { "note", 0, "TEXT", "for people" },
    { NULL, 0, NULL, NULL }
};

static const opt_t retire_options[] = {
    IDENTITY_OPTIONS,
    { "at", 0, "TIME", "from when on it does not count; default now" },
    { NULL, 0, NULL, NULL }
};

static const opt_t grant_options[] = {
    { "product", 'p', "NAME", "only for this product line" },
    { "until", 0, "DATE", "until when; default without end" },
    { "value", 0, "WORD", "of pin: ee, lowest-ca or highest-ca" },
    { NULL, 0, NULL, NULL }
};

static const opt_t revoke_options[] = {
    { "product", 'p', "NAME", "that of the grant" },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "customer add", "NAME", 1, 1, "Make a customer known, or change its note", note_options, NULL,
      customer_add },
    { "customer list", "", 0, 0, "List customers", NULL, NULL, customer_list },
    { "customer show", "NAME", 1, 1, "Show a customer's keys and grants", NULL, NULL,
      customer_show },
    { "customer remove", "NAME", 1, 1, "Forget a customer with its keys and grants", remove_options,
      NULL, customer_remove },
    { "customer key add", "NAME", 1, 1, "Say how a customer is recognised", key_options, NULL,
      key_add },
    { "customer key retire", "NAME [IDENTITY]", 1, 2, "Let a key count no more", retire_options,
      NULL, key_retire },
    { "customer grant", "NAME nonceless|downgrade|pin", 2, 2, "Grant something to a customer",
      grant_options, NULL, customer_grant },
    { "customer revoke", "NAME nonceless|downgrade|pin", 2, 2, "Take a grant back", revoke_options,
      NULL, customer_revoke },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "customer", "known customers, their keys and grants", 30, commands,
                                 NULL };
COMMAND_GROUP(group)
