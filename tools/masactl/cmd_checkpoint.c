/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_checkpoint.c: log checkpoint and log prove: sign how far the log has come, and prove one
 * device's place in what was signed without showing the others.
 */
#include "cmd_checkpoint.h"
#include "verify.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEADS_PAGE 1000
#define PROOF_TYPE "masa-proof-1"

/* ---- heads and root ---- */

/* What a pass over heads comes to. */
typedef struct sum_t {
    brski_merkle_t *tree;
    apr_int64_t events;
} sum_t;

static void sum_add(sum_t *sum, const brski_head_t *head)
{
    brski_merkle_add(sum->tree, head);
    sum->events += head->seq;
}

static void head_of_row(brski_head_t *head, const brski_row_t *row)
{
    head->product = brski_row_text(row, 0);
    head->serial_number = brski_row_text(row, 1);
    head->epoch = brski_row_int(row, 2);
    head->seq = brski_row_int(row, 3);
    head->hash = brski_row_text(row, 4);
}

/* Every head of the tenant, written and summed up. */
static brski_err_t *write_heads(sum_t *sum, db_t *db, FILE *out)
{
    brski_head_t head = { .product = "", .serial_number = "" };
    apr_array_header_t *rows;
    apr_pool_t *pages[2];
    say_progress_t progress;
    int turn = 0;

    apr_pool_create(&pages[0], db->pool);
    apr_pool_create(&pages[1], db->pool);
    say_progress_start(&progress, db->call->say, "collecting", "devices", 0);
    heads_write_first(out);
    do {
        apr_pool_t *page = pages[turn = !turn];
        apr_pool_clear(page);
        BRSKI_TRY(
            db_all(&rows, db, STMT_EVENT_HEADS,
                   DB_ARGS(db->tenant, head.product, head.serial_number, db_num(HEADS_PAGE, page)),
                   page));
        for (int i = 0; i < rows->nelts; i++) {
            head_of_row(&head, APR_ARRAY_IDX(rows, i, const brski_row_t *));
            heads_write(out, &head);
            sum_add(sum, &head);
        }
        say_progress_at(&progress, brski_merkle_count(sum->tree));
    } while (rows->nelts == HEADS_PAGE);
    say_progress_end(&progress);
    return BRSKI_OK;
}

/* The file beside a checkpoint holds what the checkpoint signed. */
static brski_err_t *check_heads(const checkpoint_t *c, const char *file, apr_pool_t *pool)
{
    sum_t sum = { brski_merkle_make(pool), 0 };
    const brski_head_t *head;
    heads_t *heads;

    BRSKI_TRY(heads_open(&heads, file, pool));
    for (;;) {
        BRSKI_TRY(heads_next(&head, heads));
        if (!head) {
            break;
        }
        sum_add(&sum, head);
    }
    if (brski_merkle_count(sum.tree) != c->devices || sum.events != c->events
        || strcmp(brski_merkle_root(sum.tree, pool), c->root)) {
        return say_refuse(pool, "%s does not hold the heads that the checkpoint signed", file);
    }
    return BRSKI_OK;
}

/* ---- checkpoint ---- */

brski_err_t *checkpoint_close_file(FILE *out, const char *name, apr_pool_t *pool)
{
    int failed = fflush(out) || ferror(out) || fsync(fileno(out));

    failed |= fclose(out);
    return failed ? say_refuse(pool, "cannot write %s: %s", name, strerror(errno)) : BRSKI_OK;
}

brski_err_t *checkpoint_new_file(FILE **out, const char *name, apr_pool_t *pool)
{
    *out = fopen(name, "wx");
    return *out ? BRSKI_OK : say_refuse(pool, "cannot make %s: %s", name, strerror(errno));
}

/* Number, hash of the one before, epoch. */
static brski_err_t *follow_last(checkpoint_t *c, db_t *db)
{
    brski_row_t *row;

    BRSKI_TRY(db_one(&row, db, STMT_CHECKPOINT_LAST, DB_ARGS(db->tenant), db->pool));
    c->number = row ? brski_row_int(row, 0) + 1 : 1;
    if (row) {
        c->previous = brski_sha256_hex(brski_bytes_str(brski_row_text(row, 6)), db->pool);
    }
    BRSKI_TRY(db_one(&row, db, STMT_TENANT_GET, DB_ARGS(db->tenant), db->pool));
    c->epoch = row ? brski_row_int(row, 1) : 1;
    return BRSKI_OK;
}

static brski_err_t *keep_checkpoint(const checkpoint_t *c, const char *document, db_t *db)
{
    int changed;

    BRSKI_TRY(db_exec(&changed, db, STMT_CHECKPOINT_PUT,
                      DB_ARGS(db->tenant, db_num(c->number, db->pool), db_num(c->made_at, db->pool),
                              db_num(c->epoch, db->pool), db_num(c->devices, db->pool),
                              db_num(c->events, db->pool), c->root, document), db->pool));
    return changed
               ? BRSKI_OK
               : say_refuse(db->pool, "another checkpoint was made meanwhile; make this one again");
}

static brski_err_t *write_document(const char *document, const char *name, apr_pool_t *pool)
{
    FILE *out;

    BRSKI_TRY(checkpoint_new_file(&out, name, pool));
    fputs(document, out);
    return checkpoint_close_file(out, name, pool);
}

/* Heads first, then the document that signs them, then the copy in the database. */
static brski_err_t *make_checkpoint(checkpoint_t *c, db_t *db, EVP_PKEY *key, const char *name)
{
    sum_t sum = { brski_merkle_make(db->pool), 0 };
    const char *heads = heads_name(name, db->pool);
    const char *document;
    brski_err_t *err;
    FILE *out;

    BRSKI_TRY(follow_last(c, db));
    BRSKI_TRY(checkpoint_new_file(&out, heads, db->pool));
    err = write_heads(&sum, db, out);
    BRSKI_TRY(checkpoint_close_file(out, heads, db->pool));
    BRSKI_TRY(err);
    c->devices = brski_merkle_count(sum.tree);
    c->events = sum.events;
    c->root = brski_merkle_root(sum.tree, db->pool);
    c->made_at = db->call->ctx->now(db->call->ctx->baton);
    BRSKI_TRY(checkpoint_make(&document, c, key, db->pool));
    BRSKI_TRY(write_document(document, name, db->pool));
    return keep_checkpoint(c, document, db);
}

brski_json_t *checkpoint_record_json(const checkpoint_t *c, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "tenant", c->tenant);
    brski_json_set_int(obj, "number", c->number);
    db_json_time(obj, "made_at", c->made_at, pool);
    brski_json_set_int(obj, "devices", c->devices);
    brski_json_set_int(obj, "events", c->events);
    brski_json_set_string(obj, "root", c->root);
    return obj;
}

brski_err_t *log_checkpoint(call_t *call)
{
    const char *name = opt_get(call, "output");
    const char *key_file = opt_get(call, "key");
    checkpoint_t c = { 0 };
    EVP_PKEY *key;
    brski_err_t *err;
    db_t *db;

    if (!name || !key_file) {
        return opt_usage(call, "say --key KEY.pem and --output FILE");
    }
    BRSKI_TRY(checkpoint_private_key(&key, key_file, call->pool));
    BRSKI_TRY(db_open(&db, call));
    c.tenant = db->tenant;
    if (!access(name, F_OK) || !access(heads_name(name, call->pool), F_OK)) {
        return say_refuse(call->pool,
                          "%s or %s is there already; checkpoints are kept, not overwritten", name,
                          heads_name(name, call->pool));
    }
    err = make_checkpoint(&c, db, key, name);
    if (err) {
        unlink(name);
        unlink(heads_name(name, call->pool));
        return err;
    }
    say_record(call->say, checkpoint_record_json(&c, call->pool));
    say_note(call->say, "keep %s and %s where nobody who can change the database can change them",
             name, heads_name(name, call->pool));
    return BRSKI_OK;
}

brski_err_t *checkpoint_option(checkpoint_t **c, const char **document, call_t *call,
                               const char *tenant)
{
    const char *name = opt_get(call, "checkpoint");
    EVP_PKEY *key;

    BRSKI_TRY(checkpoint_public_key(&key, opt_get(call, "key"), call->pool));
    BRSKI_TRY(checkpoint_file(document, name, call->pool));
    BRSKI_TRY(checkpoint_read(c, *document, key, call->pool));
    if (strcmp((*c)->tenant, tenant)) {
        return say_refuse(call->pool, "the checkpoint is of tenant %s, not of %s",
                          brski_printable((*c)->tenant, 128, call->pool), tenant);
    }
    return check_heads(*c, heads_name(name, call->pool), call->pool);
}

/* ---- prove ---- */

/* Leaves of all heads, and the place of one device among them. */
typedef struct place_t {
    apr_array_header_t *leaves;
    apr_int64_t index;                /* -1: not there */
    brski_json_t *head;
} place_t;

static brski_json_t *head_json(const brski_head_t *h, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "product", h->product);
    brski_json_set_string(obj, "serial_number", h->serial_number);
    brski_json_set_int(obj, "epoch", h->epoch);
    brski_json_set_int(obj, "seq", h->seq);
    brski_json_set_string(obj, "hash", h->hash);
    return obj;
}

static brski_err_t *find_place(place_t *place, call_t *call, const char *file)
{
    const char *product = opt_get(call, "product");
    const brski_head_t *head;
    apr_pool_t *scratch;
    heads_t *heads;

    apr_pool_create(&scratch, call->pool);
    place->leaves = apr_array_make(call->pool, 1024, sizeof(const char *));
    place->index = -1;
    BRSKI_TRY(heads_open(&heads, file, call->pool));
    for (;;) {
        BRSKI_TRY(heads_next(&head, heads));
        if (!head) {
            return BRSKI_OK;
        }
        if (!strcmp(head->serial_number, call->args[0])
            && (!product || !strcmp(head->product, product))) {
            if (place->index >= 0) {
                return say_refuse(call->pool,
                                  "several devices have this serial number; add --product");
            }
            place->index = place->leaves->nelts;
            place->head = head_json(head, call->pool);
        }
        APR_ARRAY_PUSH(place->leaves, const char *) =
            apr_pstrdup(call->pool, brski_head_leaf(head, scratch));
        apr_pool_clear(scratch);
    }
}

static brski_json_t *proof_json(const place_t *place, const char *document, apr_pool_t *pool)
{
    const apr_array_header_t *path = brski_merkle_proof(place->leaves, place->index, pool);
    brski_json_t *proof = brski_json_object(pool);
    brski_json_t *list = brski_json_array(pool);

    for (int i = 0; i < path->nelts; i++) {
        brski_json_append_string(list, APR_ARRAY_IDX(path, i, const char *));
    }
    brski_json_set_string(proof, "type", PROOF_TYPE);
    brski_json_set(proof, "head", place->head);
    brski_json_set_int(proof, "index", place->index);
    brski_json_set_int(proof, "count", place->leaves->nelts);
    brski_json_set(proof, "path", list);
    brski_json_set_string(proof, "document", document);
    return proof;
}

static brski_err_t *make_proof(call_t *call)
{
    const char *name = opt_get(call, "checkpoint");
    const char *document;
    place_t place = { 0 };
    checkpoint_t *c;
    db_t *db;

    BRSKI_TRY(db_find(&db, call));
    BRSKI_TRY(checkpoint_option(&c, &document, call, db->tenant));
    BRSKI_TRY(find_place(&place, call, heads_name(name, call->pool)));
    if (place.index < 0) {
        return say_refuse(call->pool, "the checkpoint knows no events of %s",
                          brski_printable(call->args[0], 128, call->pool));
    }
    fprintf(call->say->out, "%s\n",
            brski_json_text(proof_json(&place, document, call->pool), 1, call->pool));
    return BRSKI_OK;
}

static void head_of_json(brski_head_t *head, const brski_json_t *obj)
{
    const char *product = brski_json_get_string(obj, "product");
    const char *serial = brski_json_get_string(obj, "serial_number");
    const char *hash = brski_json_get_string(obj, "hash");

    head->product = product ? product : "";
    head->serial_number = serial ? serial : "";
    head->epoch = brski_json_int(brski_json_get(obj, "epoch"));
    head->seq = brski_json_int(brski_json_get(obj, "seq"));
    head->hash = hash ? hash : "";
}

static const apr_array_header_t *path_of_json(const brski_json_t *list, apr_pool_t *pool)
{
    apr_array_header_t *path = apr_array_make(pool, 32, sizeof(const char *));

    for (apr_size_t i = 0; i < brski_json_size(list); i++) {
        const char *hash = brski_json_string(brski_json_at(list, i));
        APR_ARRAY_PUSH(path, const char *) = hash ? hash : "";
    }
    return path;
}

/* Needs no database: whoever got a proof can check it with the manufacturer's public key. */
static brski_err_t *check_proof(call_t *call)
{
    const char *file = opt_get(call, "check");
    const char *text;
    const char *document;
    brski_json_t *proof;
    brski_head_t head;
    checkpoint_t *c;
    EVP_PKEY *key;

    BRSKI_TRY(checkpoint_public_key(&key, opt_get(call, "key"), call->pool));
    BRSKI_TRY(checkpoint_file(&text, file, call->pool));
    BRSKI_TRY(brski_json_parse(&proof, brski_bytes_str(text), &brski_limits_default, call->pool));
    document = brski_json_get_string(proof, "document");
    if (!document) {
        return say_refuse(call->pool, "%s is no proof", file);
    }
    BRSKI_TRY(checkpoint_read(&c, document, key, call->pool));
    head_of_json(&head, brski_json_get(proof, "head"));
    if (!brski_merkle_proof_check(brski_head_leaf(&head, call->pool),
                                  brski_json_int(brski_json_get(proof, "index")), c->devices,
                                  path_of_json(brski_json_get(proof, "path"), call->pool), c->root,
                                  call->pool)) {
        return say_refuse(call->pool, "the proof does not lead to what the checkpoint signed");
    }
    brski_json_set(proof, "checkpoint", checkpoint_record_json(c, call->pool));
    say_json(call->say, proof);
    say_line(call->say,
             "good: on %s the log of %s (product %s) ended at event %" APR_INT64_T_FMT ", hash %s",
             brski_time_rfc3339(c->made_at, call->pool),
             brski_printable(head.serial_number, 128, call->pool),
             brski_printable(head.product, 128, call->pool), head.seq,
             brski_printable(head.hash, 64, call->pool));
    return BRSKI_OK;
}

brski_err_t *log_prove(call_t *call)
{
    int check = opt_has(call, "check");

    if (!opt_has(call, "key")) {
        return opt_usage(call, "say --key PUBLIC.pem: the key that checkpoints are verified with");
    }
    if (check ? call->nargs != 0 : call->nargs != 1 || !opt_has(call, "checkpoint")) {
        return opt_usage(call, "say SERIAL and --checkpoint FILE, or --check PROOF.json");
    }
    return check ? check_proof(call) : make_proof(call);
}

/* ---- options ---- */

const opt_t checkpoint_options[] = {
    { "key", 'k', "KEY.pem", "private key: EC, RSA or Ed25519; not in the database" },
    { "output", 'o', "FILE", "the checkpoint; FILE.heads is made beside it" },
    { NULL, 0, NULL, NULL }
};

const opt_t prove_options[] = {
    { "checkpoint", 'c', "FILE", "checkpoint, with FILE.heads beside it" },
    { "key", 'k', "PUBLIC.pem", "public key (or certificate) that signed it" },
    { "product", 'p', "NAME", "product line, if the serial stands in several" },
    { "check", 0, "PROOF.json", "check a proof instead of making one" },
    { NULL, 0, NULL, NULL }
};
