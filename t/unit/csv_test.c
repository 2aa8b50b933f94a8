/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_test.c: the strict reader of device lists: what RFC 4180 allows, what it does not, and that
 * reading goes on.
 */
#include "unit.h"
#include "../../tools/common/csv.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* Everything read from text as one line: "1:a|b 2:c|d" and "3-5!reason" for bad ones. */
static const char *all_of(const char *text, apr_size_t len, apr_pool_t *pool)
{
    FILE *in = tmpfile();
    csv_t *csv = csv_make(in, pool);
    const char *out = "";
    csv_record_t r;
    int rv;

    fwrite(text, 1, len, in);
    rewind(in);
    while ((rv = csv_next(csv, &r)) > 0) {
        out = apr_psprintf(pool, "%s%s%d%s%s", out, *out ? " " : "", (int)r.line,
                           r.last > r.line ? apr_psprintf(pool, "-%d", (int)r.last) : "",
                           r.bad ? apr_psprintf(pool, "!%s", r.bad) : ":");
        for (int i = 0; i < r.count; i++) {
            out = apr_pstrcat(pool, out, i ? "|" : "", r.fields[i], NULL);
        }
    }
    fclose(in);
    return rv < 0 ? "read error" : out;
}

static void reads(const char *text, const char *want, const char *label, apr_pool_t *pool)
{
    is_str(all_of(text, strlen(text), pool), want, "4180-2 %s", label);
}

static void good(apr_pool_t *pool)
{
    reads("", "", "an empty file has no record", pool);
    reads("a,b\nc,d\n", "1:a|b 2:c|d", "LF ends a record", pool);
    reads("a,b\r\nc,d\r\n", "1:a|b 2:c|d", "CRLF ends a record", pool);
    reads("a,b\nc,d", "1:a|b 2:c|d", "the last line end may be missing", pool);
    reads("a,,\n", "1:a||", "empty fields are fields", pool);
    reads(",", "1:|", "a lone comma divides two empty fields", pool);
    reads("\"a,b\",\"c\nd\"\ne,f\n", "1-2:a,b|c\nd 3:e|f", "quotes keep commas and line ends",
          pool);
    reads("\"say \"\"hi\"\"\",\"\"\n", "1:say \"hi\"|", "doubled quotes are one", pool);
    reads("\"\"\"\"", "1:\"", "a quoted quote at the very end", pool);
    reads("\xef\xbb\xbfserial\nx\n", "1:serial 2:x", "a byte order mark is skipped", pool);
    reads("a\n\n\r\nb\n\n", "1:a 4:b", "empty lines are skipped and counted", pool);
    reads(" a , b \n", "1: a | b ", "blanks belong to fields", pool);
}

static void bad(apr_pool_t *pool)
{
    reads("a\"b,c\nd,e\n", "1!has a quote inside a field that is not quoted 2:d|e",
          "a quote in a plain field", pool);
    reads("\"a\"b,c\nd\n", "1!has text after a closing quote 2:d", "text after a closing quote",
          pool);
    reads("a\rb\nc\n", "1!has a carriage return without line feed 2:c", "a lone CR", pool);
    reads("a,\"b\nc,d\ne,f\n", "1!has a quote that is never closed 2:c|d 3:e|f",
          "an open quote swallows no other line", pool);
    reads("\"a\nb\" x\nc\n", "1-2!has text after a closing quote 3:c", "a bad record of two lines",
          pool);
    is_str(all_of("a\0b,c\nd\n", 8, pool), "1!contains a NUL octet 2:d", "4180-2 refuses NUL");
}

/* Records of every length around the window's and the record's limits come out as they went in. */
static void long_records(apr_pool_t *pool)
{
    char *text = malloc(CSV_RECORD_MAX + 8);
    int wrong = 0;

    for (int len = CSV_RECORD_MAX - 2; len <= CSV_RECORD_MAX + 2; len++) {
        const char *out;
        memset(text, 'x', (apr_size_t)len);
        memcpy(text + len, "\ny\n", 4);
        out = all_of(text, (apr_size_t)len + 3, pool);
        wrong += len <= CSV_RECORD_MAX ? strlen(out) != (apr_size_t)len + 6
                                       : strcmp(out, "1!is longer than 65536 octets 2:y") != 0;
    }
    is_int(wrong, 0, "4180-2 a record may have 65536 octets, not more");
    free(text);
}

static void many_fields(apr_pool_t *pool)
{
    char text[2 * CSV_FIELDS_MAX + 8] = "";

    memset(text, ',', CSV_FIELDS_MAX - 1);
    strcat(text, "\nz\n");
    ok(strstr(all_of(text, strlen(text), pool), " 2:z")
           && !strchr(all_of(text, strlen(text), pool), '!'),
       "4180-2 64 fields are read");
    memset(text, ',', CSV_FIELDS_MAX);
    strcpy(text + CSV_FIELDS_MAX, "\nz\n");
    is_str(all_of(text, strlen(text), pool), "1!has more than 64 fields 2:z",
           "4180-2 65 fields are refused");
}

/* Every record of a file much larger than the window, some quoted over two lines, at whatever place
 * the window ends. */
static void window(apr_pool_t *pool)
{
    FILE *in = tmpfile();
    csv_t *csv = csv_make(in, pool);
    csv_record_t r;
    int n = 0;
    int wrong = 0;

    for (int i = 0; i < 100000; i++) {
        fprintf(in, i % 3 ? "%d,plain\r\n" : "%d,\"quo\"\"ted\n\"\r\n", i);
    }
    rewind(in);
    for (; csv_next(csv, &r) > 0; n++) {
        wrong += r.bad || r.count != 2 || atoi(r.fields[0]) != n
            || strcmp(r.fields[1], n % 3 ? "plain" : "quo\"ted\n");
    }
    is_int(n, 100000, "4180-2 every record is found");
    is_int(wrong, 0, "4180-2 and every one is whole");
    is_int(r.line, 99999 + 1 + 33334 - 1, "4180-2 lines are counted inside quotes too");
    is_int(csv_offset(csv), ftell(in), "4180-2 the offset is the file's at the end");
    fclose(in);
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    good(pool);
    bad(pool);
    long_records(pool);
    many_fields(pool);
    window(pool);
    return done_testing();
}
