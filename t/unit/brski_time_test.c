/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_time_test.c: date-times of RFC 3339 there and back, and durations.
 */
#include "brski_time.h"

#include <apr_strings.h>
#include <string.h>

#include "unit.h"

static const struct {
    const char *text;
    apr_int64_t seconds;
    int usec;
} good[] = {
    { "1970-01-01T00:00:00Z", 0, 0 },
    { "2021-04-13T21:43:24Z", 1618350204, 0 },
    { "2021-04-13t21:43:24z", 1618350204, 0 },
    /* RFC 8995 appendix C.2.1 and C.2.3 */
    { "2021-04-13T17:43:23.747-04:00", 1618350203, 747000 },
    { "2021-04-13T17:43:24.589-04:00", 1618350204, 589000 },
    { "2021-04-14T03:13:24+05:30", 1618350204, 0 },
    { "2021-04-13T21:43:24-00:00", 1618350204, 0 },
    { "2021-04-13T21:43:24.1234567890123Z", 1618350204, 123456 },
    { "2000-02-29T00:00:00Z", 951782400, 0 },
    { "1969-12-31T23:59:59Z", -1, 0 },
    { "9999-12-31T23:59:59Z", APR_INT64_C(253402300799), 0 },
    { "0000-01-01T00:00:00Z", APR_INT64_C(-62167219200), 0 },
    /* RFC 3339 section 5.8: leap seconds */
    { "1990-12-31T23:59:60Z", 662688000, 0 },
    { "1990-12-31T15:59:60-08:00", 662688000, 0 },
};

static const char *const bad[] = {
    "", "now", "2021-04-13", "2021-04-13T21:43:24", "2021-04-13 21:43:24Z", "2021-04-13T21:43Z",
    "2021-4-13T21:43:24Z", "2021-04-13T21:43:24.Z", "2021-04-13T21:43:24,5Z",
    "2021-04-13T21:43:24Z ", " 2021-04-13T21:43:24Z", "2021-04-13T21:43:24ZZ",
    "2021-04-13T21:43:24+0400", "2021-04-13T21:43:24+04", "2021-04-13T21:43:24+24:00",
    "2021-04-13T21:43:24+04:60", "2021-04-13T24:00:00Z", "2021-04-13T21:60:00Z",
    "2021-04-13T21:43:61Z", "2021-04-13T21:43:60Z", "2021-00-13T21:43:24Z", "2021-13-13T21:43:24Z",
    "2021-04-00T21:43:24Z", "2021-04-31T21:43:24Z", "2021-02-29T21:43:24Z", "1900-02-29T00:00:00Z",
    "+2021-04-13T21:43:24Z", "-021-04-13T21:43:24Z", "20210413T214324Z", "12021-04-13T21:43:24Z",
    "2021-04-13T21:43:24\342\210\22204:00", "2021-04-1\xd9\xa3T21:43:24Z",
};

static void read_times(apr_pool_t *pool)
{
    apr_time_t t;
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        is_ok(brski_time_parse(&t, good[i].text, pool), "RFC 3339 reads %s", good[i].text);
        is_int(t, good[i].seconds * APR_USEC_PER_SEC + good[i].usec, "RFC 3339 %s", good[i].text);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        t = 1;
        is_err(brski_time_parse(&t, bad[i], pool), TIME, "RFC 3339 refuses \"%s\"", bad[i]);
        is_int(t, 0, "RFC 3339 gives no time for \"%s\"", bad[i]);
    }
}

static void write_times(apr_pool_t *pool)
{
    apr_time_t t, again;
    int wrong = 0;

    is_str(brski_time_rfc3339(0, pool), "1970-01-01T00:00:00Z", "RFC 3339 writes the epoch");
    is_str(brski_time_rfc3339(apr_time_make(1618350204, 999999), pool), "2021-04-13T21:43:24Z",
           "RFC 3339 cuts fractions off");
    is_str(brski_time_rfc3339(-1, pool), "1969-12-31T23:59:59Z", "RFC 3339 before the epoch");
    is_str(brski_time_rfc3339(apr_time_from_sec(APR_INT64_C(253402300799)), pool),
           "9999-12-31T23:59:59Z", "RFC 3339 writes the last second of certificates");
    /* Every 11.3 days or so, over 400 years. */
    t = apr_time_from_sec(APR_INT64_C(-2208988800));
    for (; t < apr_time_from_sec(APR_INT64_C(10413792000)); t += apr_time_from_sec(976543)) {
        if (brski_time_parse(&again, brski_time_rfc3339(t, pool), pool) || again != t) {
            wrong++;
        }
    }
    is_int(wrong, 0, "RFC 3339 there and back, from 1900 to 2299");
}

static void durations(apr_pool_t *pool)
{
    static const struct {
        const char *text;
        apr_int64_t seconds;
        const char *back;
    } fine[] = {
        { "0", 0, "0" }, { "0d", 0, "0" }, { "1s", 1, "1s" }, { "60s", 60, "1min" },
        { "20min", 1200, "20min" }, { "90min", 5400, "90min" }, { "24h", 86400, "1d" },
        { "3d", 259200, "3d" }, { "365d", 31536000, "1y" }, { "10y", 315360000, "10y" },
        { "1h", 3600, "1h" }, { "007s", 7, "7s" },
    };
    static const char *const wrong[] = {
        "", "1", "min", "-1s", "+1s", "1 h", "1m", "1H", "1hour", "1.5h", "1h30min", " 1s",
        "99999999999999999999s", "9223372036855s", "9223372036854775807y", "292472y",
    };
    apr_interval_time_t d;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        is_ok(brski_duration_parse(&d, fine[i].text, pool), "duration: reads %s", fine[i].text);
        is_int(d, fine[i].seconds * APR_USEC_PER_SEC, "duration: %s", fine[i].text);
        is_str(brski_duration_text(d, pool), fine[i].back, "duration: written %s", fine[i].back);
    }
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        err = brski_duration_parse(&d, wrong[i], pool);
        is_err(err, TIME, "duration: refuses \"%s\"", wrong[i]);
    }
    err = brski_duration_parse(&d, "ten\n", pool);
    is_str(err->public_text, "'ten\\x0a' is not a duration; write a number and s, min, h, d or y, "
           "such as 20min", "duration: says what would be right");
    is_ok(brski_duration_parse(&d, "292471y", pool), "duration: the longest fits");
    ok(d > 0, "duration: and is positive");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    read_times(pool);
    write_times(pool);
    durations(pool);
    return done_testing();
}
