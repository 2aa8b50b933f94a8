/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.c: columns, values and oddities of a device list.
 */
#include "judge.h"
#include "import.h"
#include "brski_bytes.h"
#include "brski_snapshot.h"
#include "brski_x509.h"

#include <apr_strings.h>
#include <string.h>

#define TEXT_MAX 128                  /* octets of a name or serial number */
#define ISSUER_MAX 2048
#define NAMES_MAX 10000               /* distinct names that are remembered: memory stays flat */
#define NAMES_TOLD 10
#define LINE_LENGTH_MAX 8000          /* what stage.h takes, with room */

static const char *const column_names[STAGE_COLUMNS] = {
    "serial_number", "product", "customer", "signer", "idevid_issuer",
    "status",        "made_at", "sold_at",  "as_of"
};

/* A name that was seen, and whether somebody knows it. */
typedef struct name_t {
    const char *text;
    int known;
    apr_int64_t lines;
} name_t;

/* Names of one kind. */
typedef struct names_t {
    const char *oddity;               /* "product '%s' is served by no server" */
    apr_hash_t *seen;                 /* text -> name_t */
    const apr_hash_t *known;          /* NULL: nothing is known of this kind, or it is asked for */
    name_t *last;
} names_t;

struct judge_t {
    db_t *db;
    apr_pool_t *pool;
    int columns;
    int place[STAGE_COLUMNS];         /* of a column in the list, -1 when it has none */
    const char *as_of;
    names_t products;
    names_t signers;
    names_t customers;
    char issuer_text[ISSUER_MAX + 1]; /* last one seen, and its form: most lines have the same */
    char issuer_form[ISSUER_MAX + 1];
};

/* ---- what the servers know ---- */

static void know(apr_hash_t *known, const char *text)
{
    apr_hash_set(known, text, APR_HASH_KEY_STRING, text);
}

static void know_snapshot(const brski_masa_t *masa, apr_hash_t *products, apr_hash_t *signers)
{
    for (int i = 0; i < masa->products->nelts; i++) {
        const brski_product_t *product = APR_ARRAY_IDX(masa->products, i, const brski_product_t *);
        know(products, product->name);
        for (int j = 0; j < product->signers->nelts; j++) {
            const brski_signer_t *signer = APR_ARRAY_IDX(product->signers, j,
                                                         const brski_signer_t *);
            know(signers, signer->name);
            know(signers, brski_signer_key_id(signer));
        }
    }
}

/* Of every server's snapshot; one that cannot be read says nothing here (doctor tells). */
static brski_err_t *learn(judge_t *judge)
{
    apr_hash_t *products = apr_hash_make(judge->pool);
    apr_hash_t *signers = apr_hash_make(judge->pool);
    db_t *db = judge->db;
    apr_array_header_t *nodes;

    BRSKI_TRY(db_all(&nodes, db, STMT_SNAPSHOT_LIST, DB_ARGS(db->tenant), judge->pool));
    for (int i = 0; i < nodes->nelts; i++) {
        const char *node = brski_row_text(APR_ARRAY_IDX(nodes, i, const brski_row_t *), 0);
        brski_masa_t *masa;
        brski_row_t *row;
        BRSKI_TRY(db_one(&row, db, STMT_SNAPSHOT_GET, DB_ARGS(db->tenant, node), judge->pool));
        if (row
            && !brski_snapshot_read(&masa, brski_row_text(row, 3), db_store(db), db->call->ctx,
                                    judge->pool)) {
            know_snapshot(masa, products, signers);
        }
    }
    judge->products.known = apr_hash_count(products) ? products : NULL;
    judge->signers.known = apr_hash_count(products) ? signers : NULL;
    return BRSKI_OK;
}

static void names_start(names_t *names, const char *oddity, apr_pool_t *pool)
{
    names->oddity = oddity;
    names->seen = apr_hash_make(pool);
}

brski_err_t *judge_make(judge_t **out, db_t *db, apr_time_t as_of, apr_pool_t *pool)
{
    judge_t *judge = apr_pcalloc(pool, sizeof(*judge));

    *out = NULL;
    judge->db = db;
    judge->pool = pool;
    judge->as_of = db_num(as_of, pool);
    names_start(&judge->products, "no server is configured for product '%s'", pool);
    names_start(&judge->signers, "no server has the signer '%s'", pool);
    names_start(&judge->customers, "customer '%s' is not known; 'masactl customer add' makes it",
                pool);
    BRSKI_TRY(learn(judge));
    *out = judge;
    return BRSKI_OK;
}

/* ---- oddities ---- */

static int customer_known(judge_t *judge, const char *text)
{
    brski_row_t *row;
    apr_pool_t *pool;
    int known;

    apr_pool_create(&pool, judge->pool);
    known = db_one(&row, judge->db, STMT_CUSTOMER_GET, DB_ARGS(judge->db->tenant, text), pool)
            || row;
    apr_pool_destroy(pool);
    return known;
}

static name_t *name_make(judge_t *judge, names_t *names, const char *text)
{
    name_t *name = apr_pcalloc(judge->pool, sizeof(*name));

    name->text = apr_pstrdup(judge->pool, text);
    name->known = names->known
                      ? apr_hash_get((apr_hash_t *)names->known, text, APR_HASH_KEY_STRING) != NULL
                      : customer_known(judge, text);
    apr_hash_set(names->seen, name->text, APR_HASH_KEY_STRING, name);
    return name;
}

static void names_note(judge_t *judge, names_t *names, const char *text)
{
    name_t *name = names->last;

    if (!text || !*text || (!names->known && names != &judge->customers)) {
        return;
    }
    if (!name || strcmp(name->text, text)) {
        name = apr_hash_get(names->seen, text, APR_HASH_KEY_STRING);
    }
    if (!name && apr_hash_count(names->seen) < NAMES_MAX) {
        name = name_make(judge, names, text);
    }
    if (name) {
        names->last = name;
        name->lines++;
    }
}

static void names_tell(apr_array_header_t *told, const names_t *names, apr_pool_t *pool)
{
    int more = 0;

    for (apr_hash_index_t *i = apr_hash_first(pool, names->seen); i; i = apr_hash_next(i)) {
        const name_t *name = apr_hash_this_val(i);
        char *text;
        if (name->known) {
            continue;
        }
        if (more++ >= NAMES_TOLD) {
            continue;
        }
        text = apr_pstrdup(pool, names->oddity);
        *strstr(text, "%s") = '\0';
        APR_ARRAY_PUSH(told, const char *) =
            apr_psprintf(pool, "%s%s%s (%s line%s)", text, name->text, text + strlen(text) + 2,
                         say_count(name->lines, pool), name->lines == 1 ? "" : "s");
    }
    if (more > NAMES_TOLD) {
        APR_ARRAY_PUSH(told, const char *) = apr_psprintf(pool, "and so for %d more names",
                                                          more - NAMES_TOLD);
    }
}

apr_array_header_t *judge_oddities(judge_t *judge, apr_pool_t *pool)
{
    apr_array_header_t *told = apr_array_make(pool, 4, sizeof(const char *));

    names_tell(told, &judge->products, pool);
    names_tell(told, &judge->signers, pool);
    names_tell(told, &judge->customers, pool);
    return told;
}

/* ---- the header ---- */

static int column_of(const char *name)
{
    int i = 0;

    while (i < STAGE_COLUMNS && strcmp(column_names[i], name)) {
        i++;
    }
    return i;
}

brski_err_t *judge_header(judge_t *judge, const csv_record_t *header)
{
    if (header->bad) {
        return say_refuse(judge->pool, "the header line %s", header->bad);
    }
    for (int i = 0; i < STAGE_COLUMNS; i++) {
        judge->place[i] = -1;
    }
    for (int i = 0; i < header->count; i++) {
        int column = column_of(header->fields[i]);
        const char *name = brski_printable(header->fields[i], 40, judge->pool);
        if (column == STAGE_COLUMNS) {
            return say_refuse(judge->pool, "the header line names a column '%s'; columns are %s",
                              name, IMPORT_HEADER);
        }
        if (judge->place[column] >= 0) {
            return say_refuse(judge->pool, "the header line names the column '%s' twice", name);
        }
        judge->place[column] = i;
    }
    judge->columns = header->count;
    for (int i = STAGE_SERIAL_NUMBER; i <= STAGE_PRODUCT; i++) {
        if (judge->place[i] < 0) {
            return say_refuse(judge->pool, "the header line lacks the column '%s'",
                              column_names[i]);
        }
    }
    return BRSKI_OK;
}

/* ---- values ---- */

/* Octets of the UTF-8 character at p, 0 when it is none or a control character. */
static int character(const unsigned char *p)
{
    static const unsigned int least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    int len = *p < 0x80                 ? 1
              : *p >= 0xc2 && *p < 0xe0 ? 2
              : (*p & 0xf0) == 0xe0     ? 3
              : *p >= 0xf0 && *p < 0xf5 ? 4
                                        : 0;
    unsigned int code = len == 1 ? *p : len == 2 ? *p & 0x1fu : len == 3 ? *p & 0x0fu : *p & 0x07u;

    for (int i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x10ffff
        || (code >= 0xd800 && code < 0xe000)) {
        return 0;
    }
    return len > 1 && code < least[len] ? 0 : len;
}

/* What is wrong with a text; NULL when nothing is. */
static const char *text_fault(const char *text, apr_size_t max)
{
    const unsigned char *p = (const unsigned char *)text;
    apr_size_t len = strlen(text);

    if (len > max) {
        return "is too long";
    }
    if (len && (text[0] == ' ' || text[len - 1] == ' ')) {
        return "begins or ends with a blank";
    }
    while (*p) {
        int n = character(p);
        if (!n) {
            return "holds control characters or octets that are not UTF-8";
        }
        p += n;
    }
    return NULL;
}

int import_is_status(const char *word)
{
    static const char *const words[] = { "active", "blocked", "stolen", "end-of-life",
                                         "owner-locked" };

    for (apr_size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!strcmp(words[i], word)) {
            return 1;
        }
    }
    return 0;
}

const char *judge_idevid_issuer(const char *text, apr_pool_t *pool)
{
    brski_bytes_t octets;
    const char *keyid;
    const char *name;

    if (!strncmp(text, "name:", 5)) {
        return text[5] ? text : NULL;
    }
    if (brski_hex_decode(&octets, text, pool) && brski_base64_decode(&octets, text, pool)) {
        return NULL;
    }
    brski_idevid_issuer_parse(&keyid, &name, octets, pool);
    return keyid ? keyid : name ? apr_pstrcat(pool, "name:", name, NULL) : NULL;
}

static const char *issuer_value(const char **reason, judge_t *judge, const char *text,
                                apr_pool_t *pool)
{
    const char *form;

    if (!*text || !strcmp(text, judge->issuer_text)) {
        return *text ? judge->issuer_form : text;
    }
    form = strlen(text) <= ISSUER_MAX ? judge_idevid_issuer(text, pool) : NULL;
    if (!form || strlen(form) > ISSUER_MAX) {
        *reason = "idevid_issuer: write the key identifier in hex, the AuthorityKeyIdentifier in "
                  "base64 or hex, or name: and the issuer's name";
        return NULL;
    }
    strcpy(judge->issuer_text, text);
    strcpy(judge->issuer_form, form);
    return form;
}

static const char *time_value(const char **reason, int column, const char *text, apr_pool_t *pool)
{
    brski_err_t *err;
    apr_time_t t;

    if (!*text) {
        return column == STAGE_AS_OF ? NULL : "0";
    }
    err = opt_time_parse(&t, text, column_names[column], pool);
    if (err) {
        *reason = err->public_text;
        return NULL;
    }
    return db_num(t, pool);
}

/* A value as it is kept; sets *reason when it is wrong. */
static const char *value_of(const char **reason, judge_t *judge, int column, const char *text,
                            apr_pool_t *pool)
{
    const char *fault = text_fault(text, column == STAGE_IDEVID_ISSUER ? ISSUER_MAX : TEXT_MAX);

    if (fault) {
        *reason = apr_psprintf(pool, "%s %s", column_names[column], fault);
        return NULL;
    }
    switch (column) {
    case STAGE_SERIAL_NUMBER:
    case STAGE_PRODUCT:
        if (!*text) {
            *reason = apr_psprintf(pool, "%s is empty", column_names[column]);
        }
        return text;
    case STAGE_IDEVID_ISSUER:
        return issuer_value(reason, judge, text, pool);
    case STAGE_STATUS:
        if (*text && !import_is_status(text)) {
            *reason = apr_psprintf(pool,
                                   "status '%s' is not active, blocked, stolen, end-of-life or "
                                   "owner-locked",
                                   brski_printable(text, 40, pool));
        }
        return text;
    case STAGE_MADE_AT:
    case STAGE_SOLD_AT:
    case STAGE_AS_OF:
        return time_value(reason, column, text, pool);
    default:
        return text;
    }
}

void judge_line(const char **reason, stage_row_t *row, judge_t *judge, const csv_record_t *record,
                apr_pool_t *scratch_pool)
{
    apr_size_t length = 0;

    *reason = record->bad;
    row->line = record->line;
    if (!*reason && record->count != judge->columns) {
        *reason = apr_psprintf(scratch_pool, "has %d fields, the header line has %d", record->count,
                               judge->columns);
    }
    for (int i = 0; i < STAGE_COLUMNS && !*reason; i++) {
        row->fields[i] = judge->place[i] < 0
                             ? NULL
                             : value_of(reason, judge, i, record->fields[judge->place[i]],
                                        scratch_pool);
        length += row->fields[i] ? strlen(row->fields[i]) : 0;
    }
    if (*reason) {
        return;
    }
    if (length > LINE_LENGTH_MAX) {
        *reason = "is too long";
        return;
    }
    if (!row->fields[STAGE_AS_OF]) {
        row->fields[STAGE_AS_OF] = judge->as_of;
    }
    names_note(judge, &judge->products, row->fields[STAGE_PRODUCT]);
    names_note(judge, &judge->signers, row->fields[STAGE_SIGNER]);
    names_note(judge, &judge->customers, row->fields[STAGE_CUSTOMER]);
}
