/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.c: writing and reading the file of heads. Fields are divided by tabs; a percent sign and
 * what is not printable in a name is written %XX.
 */
#include "heads.h"
#include "../common/say.h"
#include "brski_bytes.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>

#define FIRST_LINE "masa-heads-1"
#define LINE_MAX_LEN 4096
#define FIELDS 5

struct heads_t {
    FILE *in;
    const char *file;
    apr_int64_t line;
    brski_head_t heads[2];            /* in turn, so that the one before stays */
    char lines[2][LINE_MAX_LEN];
    int turn;
    const brski_head_t *last;
    apr_pool_t *pool;
};

const char *heads_name(const char *checkpoint, apr_pool_t *pool)
{
    return apr_pstrcat(pool, checkpoint, ".heads", NULL);
}

int heads_compare(const char *product_a, const char *serial_a, const char *product_b,
                  const char *serial_b)
{
    int order = strcmp(product_a, product_b);

    return order ? order : strcmp(serial_a, serial_b);
}

/* ---- writing ---- */

static void write_name(FILE *out, const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x20 || c == 0x7f || c == '%') {
            fprintf(out, "%%%02X", c);
        }
        else {
            fputc(c, out);
        }
    }
}

void heads_write_first(FILE *out)
{
    fputs(FIRST_LINE "\n", out);
}

void heads_write(FILE *out, const brski_head_t *head)
{
    write_name(out, head->product);
    fputc('\t', out);
    write_name(out, head->serial_number);
    fprintf(out, "\t%" APR_INT64_T_FMT "\t%" APR_INT64_T_FMT "\t%s\n", head->epoch, head->seq,
            head->hash);
}

/* ---- reading ---- */

static apr_status_t close_heads(void *data)
{
    fclose(((heads_t *)data)->in);
    return APR_SUCCESS;
}

static brski_err_t *wrong(const heads_t *heads, const char *why)
{
    return say_refuse(heads->pool, "%s line %" APR_INT64_T_FMT " %s", heads->file, heads->line,
                      why);
}

/* A line without its end into the turn's buffer; *more 0 at the end of the file. */
static brski_err_t *read_line(int *more, heads_t *heads)
{
    char *line = heads->lines[heads->turn];
    apr_size_t len;

    *more = fgets(line, LINE_MAX_LEN, heads->in) != NULL;
    if (!*more) {
        return ferror(heads->in)
                   ? say_refuse(heads->pool, "cannot read %s: %s", heads->file, strerror(errno))
                   : BRSKI_OK;
    }
    heads->line++;
    len = strlen(line);
    if (!len || line[len - 1] != '\n') {
        return wrong(heads, "is cut off or too long");
    }
    line[len - 1] = '\0';
    return BRSKI_OK;
}

brski_err_t *heads_open(heads_t **out, const char *file, apr_pool_t *pool)
{
    heads_t *heads = apr_pcalloc(pool, sizeof(*heads));
    int more;

    *out = NULL;
    heads->file = file;
    heads->pool = pool;
    heads->in = fopen(file, "r");
    if (!heads->in) {
        return say_refuse(pool, "cannot read %s: %s; it was made beside the checkpoint", file,
                          strerror(errno));
    }
    apr_pool_cleanup_register(pool, heads, close_heads, apr_pool_cleanup_null);
    BRSKI_TRY(read_line(&more, heads));
    if (!more || strcmp(heads->lines[heads->turn], FIRST_LINE)) {
        return wrong(heads, "is not the first of a file of heads");
    }
    *out = heads;
    return BRSKI_OK;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX in place. @return 0 when it is wrong */
static int unescape(char *name)
{
    char *to = name;

    for (; *name; name++) {
        if (*name == '%') {
            int high = hex_value(name[1]);
            int low = high < 0 ? -1 : hex_value(name[2]);
            if (low < 0 || !(high << 4 | low)) {
                return 0;
            }
            *to++ = (char)(high << 4 | low);
            name += 2;
        }
        else {
            *to++ = *name;
        }
    }
    *to = '\0';
    return 1;
}

static int number(apr_int64_t *out, const char *text)
{
    char *end;

    errno = 0;
    *out = apr_strtoi64(text, &end, 10);
    return apr_isdigit(*text) && !*end && !errno;
}

static int split(char **fields, char *line)
{
    int n = 0;

    for (; line && n < FIELDS; n++) {
        fields[n] = line;
        line = strchr(line, '\t');
        if (line) {
            *line++ = '\0';
        }
    }
    return n == FIELDS && !line;
}

static brski_err_t *parse(brski_head_t *head, heads_t *heads)
{
    char *fields[FIELDS];

    if (!split(fields, heads->lines[heads->turn]) || !unescape(fields[0]) || !unescape(fields[1])
        || !number(&head->epoch, fields[2]) || !number(&head->seq, fields[3])
        || strlen(fields[4]) != 2 * BRSKI_SHA256_LEN) {
        return wrong(heads, "is no head");
    }
    head->product = fields[0];
    head->serial_number = fields[1];
    head->hash = fields[4];
    if (heads->last
        && heads_compare(heads->last->product, heads->last->serial_number, head->product,
                         head->serial_number)
               >= 0) {
        return wrong(heads, "is not in order");
    }
    return BRSKI_OK;
}

brski_err_t *heads_next(const brski_head_t **head, heads_t *heads)
{
    int more;

    *head = NULL;
    heads->turn = !heads->turn;
    BRSKI_TRY(read_line(&more, heads));
    if (!more) {
        return BRSKI_OK;
    }
    BRSKI_TRY(parse(&heads->heads[heads->turn], heads));
    heads->last = *head = &heads->heads[heads->turn];
    return BRSKI_OK;
}
