/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_time.c: RFC 3339 date-times and administrators' durations, read strictly. The calendar is
 * worked out here: no local time zone, no locale and no 32-bit time_t can reach it.
 */
#include "brski_time.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"

#define DAY 86400

/* Days from 1970-01-01 to a date of the Gregorian calendar; March is the year's first month. */
static apr_int64_t days_of(int year, int month, int day)
{
    apr_int64_t y = year - (month <= 2);
    apr_int64_t era = (y >= 0 ? y : y - 399) / 400;
    apr_int64_t year_of_era = y - era * 400;
    apr_int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
           - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

char *brski_time_rfc3339(apr_time_t t, apr_pool_t *pool)
{
    apr_time_exp_t x;
    apr_time_t whole = t / APR_USEC_PER_SEC;

    if (t % APR_USEC_PER_SEC < 0) {
        whole--;
    }
    apr_time_exp_gmt(&x, whole * APR_USEC_PER_SEC);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", x.tm_year + 1900, x.tm_mon + 1,
                        x.tm_mday, x.tm_hour, x.tm_min, x.tm_sec);
}

/* Exactly n digits at *p, which moves on; -1 when they are not there. */
static int digits(const char **p, int n)
{
    int value = 0;

    while (n-- > 0) {
        if (**p < '0' || **p > '9') {
            return -1;
        }
        value = 10 * value + (*(*p)++ - '0');
    }
    return value;
}

static int skip(const char **p, char c)
{
    return **p == c ? (*p)++, 1 : 0;
}

/* "2021-04-13" */
static int read_date(apr_int64_t *days, const char **p)
{
    int year, month, day;

    year = digits(p, 4);
    if (year < 0 || !skip(p, '-')) {
        return 0;
    }
    month = digits(p, 2);
    if (month < 1 || month > 12 || !skip(p, '-')) {
        return 0;
    }
    day = digits(p, 2);
    if (day < 1 || day > days_in_month(year, month)) {
        return 0;
    }
    *days = days_of(year, month, day);
    return 1;
}

/* "21:43:24", a leap second included, and its fraction. */
static int read_clock(int *seconds, int *usec, int *leap, const char **p)
{
    int hour, minute, second, scale = 100000;

    hour = digits(p, 2);
    if (hour < 0 || hour > 23 || !skip(p, ':')) {
        return 0;
    }
    minute = digits(p, 2);
    if (minute < 0 || minute > 59 || !skip(p, ':')) {
        return 0;
    }
    second = digits(p, 2);
    if (second < 0 || second > 60) {
        return 0;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    *leap = second == 60;
    *usec = 0;
    if (!skip(p, '.')) {
        return 1;
    }
    if (**p < '0' || **p > '9') {
        return 0;
    }
    for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10) {
        *usec += (**p - '0') * scale;
    }
    return 1;
}

/* "Z" or "-04:00", as seconds east of UTC. */
static int read_offset(int *offset, const char **p)
{
    int sign, hour, minute;

    *offset = 0;
    if (skip(p, 'Z') || skip(p, 'z')) {
        return 1;
    }
    sign = skip(p, '+') ? 1 : skip(p, '-') ? -1 : 0;
    hour = sign ? digits(p, 2) : -1;
    if (hour < 0 || hour > 23 || !skip(p, ':')) {
        return 0;
    }
    minute = digits(p, 2);
    if (minute < 0 || minute > 59) {
        return 0;
    }
    *offset = sign * (hour * 3600 + minute * 60);
    return 1;
}

brski_err_t *brski_time_parse(apr_time_t *t, const char *text, apr_pool_t *pool)
{
    const char *p = text;
    apr_int64_t days, seconds;
    int clock, usec, leap, offset;

    *t = 0;
    if (read_date(&days, &p) && (skip(&p, 'T') || skip(&p, 't'))
        && read_clock(&clock, &usec, &leap, &p) && read_offset(&offset, &p) && !*p) {
        seconds = days * DAY + clock - offset;
        /* A leap second is the last one of a day in UTC, and nowhere else. */
        if (!leap || seconds % DAY == 0) {
            *t = seconds * APR_USEC_PER_SEC + usec;
            return BRSKI_OK;
        }
    }
    return brski_err(BRSKI_E_TIME, NULL, pool, "\"%s\" is no RFC 3339 date-time",
                     brski_printable(text, 40, pool));
}

/* ---- durations ---- */

/* Largest first, as brski_duration_text() tries them. */
static const struct {
    const char *name;
    apr_int64_t seconds;
} units[] = {
    { "y", 365 * (apr_int64_t)DAY },
    { "d", DAY },
    { "h", 3600 },
    { "min", 60 },
    { "s", 1 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static brski_err_t *bad_duration(const char *text, apr_pool_t *pool)
{
    const char *why = apr_psprintf(pool, "'%s' is not a duration; write a number and s, min, h, d "
                                   "or y, such as 20min", brski_printable(text, 40, pool));

    return brski_err_say(brski_err(BRSKI_E_TIME, NULL, pool, "%s", why), pool, "%s", why);
}

brski_err_t *brski_duration_parse(apr_interval_time_t *d, const char *text, apr_pool_t *pool)
{
    apr_int64_t number = 0, most;
    const char *p;
    apr_size_t i;

    *d = 0;
    for (p = text; *p >= '0' && *p <= '9'; p++) {
        if (number > (APR_INT64_MAX - 9) / 10) {
            return bad_duration(text, pool);
        }
        number = 10 * number + (*p - '0');
    }
    if (p == text) {
        return bad_duration(text, pool);
    }
    if (!*p && number == 0) {
        return BRSKI_OK;
    }
    for (i = 0; i < UNITS; i++) {
        most = APR_INT64_MAX / APR_USEC_PER_SEC / units[i].seconds;
        if (!strcmp(p, units[i].name) && number <= most) {
            *d = number * units[i].seconds * APR_USEC_PER_SEC;
            return BRSKI_OK;
        }
    }
    return bad_duration(text, pool);
}

char *brski_duration_text(apr_interval_time_t d, apr_pool_t *pool)
{
    apr_int64_t seconds = d / APR_USEC_PER_SEC;
    apr_size_t i = 0;

    if (seconds == 0) {
        return apr_pstrdup(pool, "0");
    }
    while (seconds % units[i].seconds) {
        i++;
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", seconds / units[i].seconds, units[i].name);
}
