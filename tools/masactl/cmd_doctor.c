/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_doctor.c: is all well? Each check looks at one thing and says what it saw; each problem says
 * what to do about it.
 */
#include "db.h"
#include "../common/doctor.h"
#include "brski_bytes.h"
#include "brski_event.h"
#include "brski_snapshot.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <string.h>

#define DAY (apr_time_from_sec(86400))
#define CLOCK_SLACK (5 * 60 * APR_USEC_PER_SEC)
#define IMPORT_STALE (10 * 60 * APR_USEC_PER_SEC)
#define SAMPLE 20
#define KINDS_TOLD 10

/* brski_masa_t *: of every server's snapshot that could be read */
static apr_array_header_t *masas_of(const doctor_t *d)
{
    return d->own;
}

/* ---- what the servers run ---- */

static brski_err_t *read_node(doctor_t *d, const char *node)
{
    brski_masa_t *masa;
    brski_row_t *row;
    brski_err_t *err;

    BRSKI_TRY(db_one(&row, d->db, STMT_SNAPSHOT_GET, DB_ARGS(d->db->tenant, node), d->pool));
    if (!row) {
        return BRSKI_OK;
    }
    err =
        brski_snapshot_read(&masa, brski_row_text(row, 3), db_store(d->db), d->call->ctx, d->pool);
    if (err) {
        doctor_note(d, "servers",
                    "the configuration that %s published cannot be read by this masactl: %s", node,
                    brski_err_text(err, d->pool));
        return BRSKI_OK;
    }
    APR_ARRAY_PUSH(masas_of(d), brski_masa_t *) = masa;
    return BRSKI_OK;
}

static void check_same(doctor_t *d, const apr_array_header_t *rows)
{
    const brski_row_t *first = APR_ARRAY_IDX(rows, 0, const brski_row_t *);
    int differ = 0;

    for (int i = 1; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        if (strcmp(brski_row_text(row, 1), brski_row_text(first, 1))) {
            differ++;
            doctor_problem(
                d, "servers",
                "%s (started %s) and %s (started %s) are configured differently: "
                "make them alike and reload, or 'masactl doctor --forget NODE' one that "
                "is gone",
                brski_row_text(first, 0), brski_time_rfc3339(brski_row_int(first, 2), d->pool),
                brski_row_text(row, 0), brski_time_rfc3339(brski_row_int(row, 2), d->pool));
        }
    }
    if (!differ) {
        doctor_fine(d, "servers", "%d%s", rows->nelts,
                    rows->nelts > 1 ? ", all configured alike" : "");
    }
}

static brski_err_t *check_servers(doctor_t *d)
{
    apr_array_header_t *rows;

    BRSKI_TRY(db_all(&rows, d->db, STMT_SNAPSHOT_LIST, DB_ARGS(d->db->tenant), d->pool));
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        BRSKI_TRY(read_node(d, brski_row_text(row, 0)));
        if (brski_row_int(row, 2) > d->now + CLOCK_SLACK) {
            doctor_problem(d, "clock", "the clock of %s is ahead of this machine's: set both",
                           brski_row_text(row, 0));
        }
    }
    if (rows->nelts) {
        check_same(d, rows);
    }
    else {
        doctor_problem(d, "servers",
                       "none has published its configuration here for tenant %s: start "
                       "httpd with MASAEngine On, MASATenant %s and this database",
                       d->db->tenant, d->db->tenant);
    }
    return BRSKI_OK;
}

/* ---- certificates ---- */

static int check_product(doctor_t *d, const brski_product_t *product)
{
    const char *anchors = apr_psprintf(d->pool, "IDevID anchor of product %s", product->name);
    int good = 1;

    for (int i = 0; i < product->signers->nelts; i++) {
        const brski_signer_t *signer = APR_ARRAY_IDX(product->signers, i, const brski_signer_t *);
        good &= doctor_certificates(
            d, signer->chain,
            apr_psprintf(d->pool, "signer %s of product %s", signer->name, product->name),
            "renew its chain with the same key, or give the devices another "
            "signer");
    }
    if (product->idevid_anchors && !product->ignore_idevid_expiry) {
        good &= doctor_certificates(d, brski_anchors_certs(product->idevid_anchors), anchors,
                                    "renew it, or say MASAIgnoreIDevIDExpiry On");
    }
    return good;
}

/* Alike servers are looked at once. */
static brski_err_t *check_expiry(doctor_t *d)
{
    const brski_masa_t *masa =
        masas_of(d)->nelts ? APR_ARRAY_IDX(masas_of(d), 0, const brski_masa_t *) : NULL;
    int good = 1;

    if (!masa) {
        return BRSKI_OK;
    }
    for (int i = 0; i < masa->products->nelts; i++) {
        good &= check_product(d, APR_ARRAY_IDX(masa->products, i, const brski_product_t *));
    }
    if (masa->customer_anchors) {
        good &= doctor_certificates(d, brski_anchors_certs(masa->customer_anchors),
                                    "MASACustomerAnchor", "renew or remove it");
    }
    if (good) {
        doctor_fine(d, "expiry", "no signer or anchor expires within 30 days");
    }
    return BRSKI_OK;
}

/* ---- devices ---- */

static const brski_product_t *find_product(const doctor_t *d, const char *name)
{
    for (int i = 0; i < masas_of(d)->nelts; i++) {
        const brski_masa_t *masa = APR_ARRAY_IDX(masas_of(d), i, const brski_masa_t *);
        for (int j = 0; j < masa->products->nelts; j++) {
            const brski_product_t *product =
                APR_ARRAY_IDX(masa->products, j, const brski_product_t *);
            if (!strcmp(product->name, name)) {
                return product;
            }
        }
    }
    return NULL;
}

static int has_signer(const brski_product_t *product, const char *name)
{
    for (int i = 0; i < product->signers->nelts; i++) {
        const brski_signer_t *signer = APR_ARRAY_IDX(product->signers, i, const brski_signer_t *);
        if (!strcmp(signer->name, name) || !strcmp(brski_signer_key_id(signer), name)) {
            return 1;
        }
    }
    return 0;
}

/* What no server can serve among devices of one product and signer; NULL when all is well. */
static const char *kind_problem(doctor_t *d, const brski_row_t *row)
{
    const char *product = brski_printable(brski_row_text(row, 0), 128, d->pool);
    const char *signer = brski_row_text(row, 1);
    const char *devices = say_count(brski_row_int(row, 2), d->pool);
    const brski_product_t *found = find_product(d, brski_row_text(row, 0));

    if (!found) {
        return apr_psprintf(d->pool,
                            "%s devices are of product %s, which no server is configured for: add "
                            "<MASAProduct %s>",
                            devices, product, product);
    }
    if (*signer && !has_signer(found, signer)) {
        return apr_psprintf(d->pool,
                            "%s devices of product %s trust signer %s, which no server has: add it "
                            "to MASASignWith",
                            devices, product, brski_printable(signer, 128, d->pool));
    }
    return NULL;
}

static brski_err_t *check_devices(doctor_t *d)
{
    apr_array_header_t *rows;
    apr_int64_t devices = 0;
    int problems = 0;

    BRSKI_TRY(db_all(&rows, d->db, STMT_DEVICE_KINDS, DB_ARGS(d->db->tenant), d->pool));
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        const char *text = masas_of(d)->nelts ? kind_problem(d, row) : NULL;
        devices += brski_row_int(row, 2);
        if (text && problems++ < KINDS_TOLD) {
            doctor_problem(d, "devices", "%s", text);
        }
    }
    if (!problems) {
        doctor_fine(d, "devices", "%s%s", say_count(devices, d->pool),
                    masas_of(d)->nelts ? ", each of a product and signer that a server has" : "");
    }
    return BRSKI_OK;
}

static brski_err_t *check_imports(doctor_t *d)
{
    apr_array_header_t *rows;

    BRSKI_TRY(db_all(&rows, d->db, STMT_IMPORT_LIST, DB_ARGS(d->db->tenant), d->pool));
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        if (strcmp(brski_row_text(row, 1), "done") &&
            brski_row_int(row, 11) < d->now - IMPORT_STALE) {
            doctor_note(
                d, "devices",
                "the import of %s begun %s stopped after %s of %s devices: import the list again",
                brski_printable(brski_row_text(row, 2), 200, d->pool),
                brski_time_rfc3339(brski_row_int(row, 10), d->pool),
                say_count(brski_row_int(row, 6), d->pool),
                say_count(brski_row_int(row, 4), d->pool));
        }
    }
    return BRSKI_OK;
}

/* ---- the log, refusals ---- */

/* One device from a place anywhere in the log. */
static brski_err_t *check_sample(doctor_t *d, int *looked, int *broken, apr_pool_t *pool)
{
    unsigned char random[BRSKI_SHA256_LEN];
    apr_array_header_t *events;
    const char *reason;
    brski_row_t *row;

    d->call->ctx->random(random, sizeof(random), d->call->ctx->baton);
    BRSKI_TRY(db_one(&row, d->db, STMT_EVENT_SAMPLE,
                     DB_ARGS(d->db->tenant, brski_hex(brski_bytes(random, sizeof(random)), pool)),
                     pool));
    if (!row) { /* it was behind the last one */
        BRSKI_TRY(db_one(&row, d->db, STMT_EVENT_SAMPLE, DB_ARGS(d->db->tenant, ""), pool));
    }
    if (!row) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_store_events(&events, db_store(d->db), brski_row_text(row, 0),
                                 brski_row_text(row, 1), pool, pool));
    brski_event_chain_check(&reason, events, pool);
    ++*looked;
    if (reason) {
        ++*broken;
        doctor_problem(d, "log",
                       "the chain of %s (product %s) is broken: %s; 'masactl log verify' tells "
                       "all, then restore from a backup",
                       brski_row_text(row, 1), brski_row_text(row, 0), reason);
    }
    return BRSKI_OK;
}

static brski_err_t *check_log(doctor_t *d)
{
    apr_pool_t *pool;
    int looked = 0;
    int broken = 0;

    apr_pool_create(&pool, d->pool);
    for (int i = 0; i < SAMPLE && !broken; i++) {
        apr_pool_clear(pool);
        BRSKI_TRY(check_sample(d, &looked, &broken, pool));
    }
    if (!looked) {
        doctor_note(d, "log", "no voucher has been issued yet");
    }
    else if (!broken) {
        doctor_fine(d, "log", "the chains of %d devices picked at random are whole", looked);
    }
    return BRSKI_OK;
}

static brski_err_t *check_checkpoint(doctor_t *d)
{
    brski_row_t *row;

    BRSKI_TRY(db_one(&row, d->db, STMT_CHECKPOINT_LAST, DB_ARGS(d->db->tenant), d->pool));
    if (!row) {
        doctor_note(
            d, "log",
            "no checkpoint was ever made: masactl log checkpoint, once a day, kept elsewhere");
    }
    else {
        doctor_note(d, "log", "last checkpoint %s, %s, %s events", brski_row_text(row, 0),
                    brski_time_rfc3339(brski_row_int(row, 1), d->pool), brski_row_text(row, 4));
    }
    return BRSKI_OK;
}

static brski_err_t *check_refusals(doctor_t *d)
{
    const char *kinds = "";
    apr_array_header_t *rows;
    apr_int64_t total = 0;

    BRSKI_TRY(db_all(&rows, d->db, STMT_REFUSAL_KINDS,
                     DB_ARGS(d->db->tenant, db_num(d->now - DAY, d->pool)), d->pool));
    for (int i = 0; i < rows->nelts; i++) {
        const brski_row_t *row = APR_ARRAY_IDX(rows, i, const brski_row_t *);
        const brski_err_t *code = brski_err_row((int)brski_row_int(row, 0));
        total += brski_row_int(row, 1);
        if (i < KINDS_TOLD) {
            kinds =
                apr_psprintf(d->pool, "%s%s%s %s", kinds, i ? ", " : ": ",
                             code ? code->name : brski_row_text(row, 0), brski_row_text(row, 1));
        }
    }
    doctor_note(d, "refusals", "%s in the last day%s", say_count(total, d->pool), kinds);
    return BRSKI_OK;
}

/* ---- the command ---- */

static brski_err_t *forget(doctor_t *d, const char *node)
{
    int changed;

    BRSKI_TRY(
        db_exec(&changed, d->db, STMT_SNAPSHOT_DELETE, DB_ARGS(d->db->tenant, node), d->pool));
    return changed ? BRSKI_OK
                   : say_refuse(d->pool, "no server %s has published its configuration", node);
}

static brski_err_t *examine(doctor_t *d)
{
    static brski_err_t *(*const checks[])(doctor_t * d) = {
        doctor_clock,  doctor_files,  doctor_database, check_servers,    check_expiry,
        check_devices, check_imports, check_log,       check_checkpoint, check_refusals};

    for (apr_size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
        BRSKI_TRY(checks[i](d));
    }
    return BRSKI_OK;
}

static brski_err_t *doctor(call_t *call)
{
    doctor_t d;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    doctor_begin(&d, db);
    d.own = apr_array_make(call->pool, 4, sizeof(brski_masa_t *));
    if (opt_has(call, "forget")) {
        return forget(&d, opt_get(call, "forget"));
    }
    BRSKI_TRY(examine(&d));
    doctor_end(&d);
    return BRSKI_OK;
}

static const opt_t doctor_options[] = {
    {"forget", 0, "NODE", "forget the configuration of a server that is gone"},
    {NULL, 0, NULL, NULL}};

static const command_t commands[] = {{"doctor", "", 0, 0,
                                      "Look at everything and say what is not as it should be",
                                      doctor_options, NULL, doctor},
                                     {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"doctor", "is all well? what to do when not", 60, commands, NULL};
COMMAND_GROUP(group)
