/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_dbd_trouble.c: what a database means by an error text.
 */
#include "brski_dbd_trouble.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define SQLSTATE_LEN 5
#define MAX_TEXT 512

typedef struct trouble_row_t {
    const char *says; /* a part of the text, or the start of an SQLSTATE */
    brski_trouble_t trouble;
} trouble_row_t;

/* Longer codes before the classes they belong to. */
static const trouble_row_t sqlstates[] = {
    { "26000", BRSKI_TROUBLE_FORGOTTEN }, /* invalid_sql_statement_name */
    { "0A000", BRSKI_TROUBLE_FORGOTTEN }, /* cached plan must not change result type */
    { "42P05", BRSKI_TROUBLE_PREPARED },  /* duplicate_prepared_statement */
    { "42P01", BRSKI_TROUBLE_SCHEMA },    /* undefined_table */
    { "42703", BRSKI_TROUBLE_SCHEMA },    /* undefined_column */
    { "42P10", BRSKI_TROUBLE_SCHEMA },    /* no constraint matching ON CONFLICT */
    { "3F000", BRSKI_TROUBLE_SCHEMA },    /* invalid_schema_name */
    { "25006", BRSKI_TROUBLE_READONLY },  /* read_only_sql_transaction: a standby */
    { "53100", BRSKI_TROUBLE_READONLY },  /* disk_full */
    { "58030", BRSKI_TROUBLE_READONLY },  /* io_error */
    { "53300", BRSKI_TROUBLE_LOCKED },    /* too_many_connections */
    { "55P03", BRSKI_TROUBLE_LOCKED },    /* lock_not_available */
    { "57014", BRSKI_TROUBLE_LOCKED },    /* query_canceled: statement_timeout */
    { "57P0", BRSKI_TROUBLE_DEAD },       /* shutdown, crash, cannot connect now */
    { "08", BRSKI_TROUBLE_DEAD },         /* connection exception */
    { "40", BRSKI_TROUBLE_LOCKED },       /* serialization failure, deadlock */
    { "22", BRSKI_TROUBLE_DATA },         /* data exception */
    { "23", BRSKI_TROUBLE_DATA },         /* integrity constraint violation */
    { NULL, BRSKI_TROUBLE_OTHER }
};

static const trouble_row_t sqlite_texts[] = {
    { "database schema has changed", BRSKI_TROUBLE_FORGOTTEN },
    { "not an error", BRSKI_TROUBLE_FORGOTTEN }, /* spoiled by a PRAGMA before it ran */
    { "is locked", BRSKI_TROUBLE_LOCKED },
    { "locking protocol", BRSKI_TROUBLE_LOCKED },
    { "readonly database", BRSKI_TROUBLE_READONLY },
    { "disk is full", BRSKI_TROUBLE_READONLY },
    { "disk I/O error", BRSKI_TROUBLE_READONLY },
    { "no such table", BRSKI_TROUBLE_SCHEMA },
    { "no such column", BRSKI_TROUBLE_SCHEMA },
    { "has no column", BRSKI_TROUBLE_SCHEMA },
    { "does not match any PRIMARY KEY", BRSKI_TROUBLE_SCHEMA },
    { "constraint failed", BRSKI_TROUBLE_DATA },
    { "datatype mismatch", BRSKI_TROUBLE_DATA },
    { "too big", BRSKI_TROUBLE_DATA },
    { NULL, BRSKI_TROUBLE_OTHER }
};

static brski_trouble_t sqlite_trouble(const char *text)
{
    const trouble_row_t *row;

    for (row = sqlite_texts; row->says; row++) {
        if (strstr(text, row->says)) {
            return row->trouble;
        }
    }
    return BRSKI_TROUBLE_OTHER;
}

/* "ERROR:  42P01: relation ..." in whatever language: the code stands between two colons. */
static const char *find_sqlstate(const char *text)
{
    const char *colon;
    int i;

    for (colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
        const char *code = colon + 1 + strspn(colon + 1, " ");

        for (i = 0; i < SQLSTATE_LEN && (apr_isdigit(code[i]) || apr_isupper(code[i])); i++) {
        }
        if (i == SQLSTATE_LEN && code[i] == ':') {
            return code;
        }
    }
    return NULL;
}

static brski_trouble_t pgsql_trouble(const char *text)
{
    const char *code = find_sqlstate(text);
    const trouble_row_t *row;

    /* What the server says has a code; without one the client library speaks, of the connection. */
    if (!code) {
        return BRSKI_TROUBLE_DEAD;
    }
    for (row = sqlstates; row->says; row++) {
        if (strncmp(code, row->says, strlen(row->says)) == 0) {
            return row->trouble;
        }
    }
    return BRSKI_TROUBLE_OTHER;
}

brski_trouble_t brski_dbd_trouble(brski_dialect_t dialect, const char *text)
{
    text = text ? text : "";
    return dialect == BRSKI_PGSQL ? pgsql_trouble(text) : sqlite_trouble(text);
}

brski_err_code_t brski_dbd_trouble_code(brski_trouble_t trouble)
{
    switch (trouble) {
    case BRSKI_TROUBLE_LOCKED:
        return BRSKI_E_STORE_BUSY;
    case BRSKI_TROUBLE_READONLY:
        return BRSKI_E_STORE_READONLY;
    case BRSKI_TROUBLE_SCHEMA:
        return BRSKI_E_STORE_SCHEMA;
    case BRSKI_TROUBLE_DATA:
        return BRSKI_E_INTERNAL;
    default:
        return BRSKI_E_STORE;
    }
}

/* Runs of blanks and control characters become one blank; what is not ASCII is shown as such. */
static void make_line(char *text)
{
    char *in, *out = text;

    for (in = text; *in; in++) {
        unsigned char c = (unsigned char)*in;

        if (c > ' ' && c < 0x7F) {
            *out++ = *in;
        }
        else if (c >= 0x7F) {
            *out++ = '?';
        }
        else if (out > text && out[-1] != ' ') {
            *out++ = ' ';
        }
    }
    while (out > text && out[-1] == ' ') {
        out--;
    }
    *out = '\0';
}

const char *brski_dbd_trouble_text(const char *text, apr_pool_t *pool)
{
    const char *place;
    char *line;

    if (!text || !*text) {
        return "the driver gave no reason";
    }
    if (strstr(text, "connection info string") || strstr(text, "connection option")) {
        return "the connection parameters are not such as PostgreSQL reads";
    }
    place = strstr(text, "\nLOCATION:");
    line = place ? apr_pstrmemdup(pool, text, (apr_size_t)(place - text)) : apr_pstrdup(pool, text);
    make_line(line);
    if (strlen(line) > MAX_TEXT) {
        line[MAX_TEXT] = '\0';
    }
    return line;
}
