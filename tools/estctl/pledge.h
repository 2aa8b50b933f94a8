/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge.h: a device as estctl shows it, and lists of devices that come in on stdin.
 */
#ifndef ESTCTL_PLEDGE_H
#define ESTCTL_PLEDGE_H

#include "db.h"

/** One device that a list names. */
typedef struct pledge_name_t {
    const char *manufacturer;
    const char *serial_number;
} pledge_name_t;

/**
 * Read a list: CSV with a header line (manufacturer,serial_number; the first may be left out when one is given for all), or
 * plain serial numbers, one a line, when a manufacturer is given. Bad lines are told on stderr with their numbers.
 * @param names  pledge_name_t; each device once
 * @return NULL, or BRSKI_E_INPUT when a line is bad: then nothing of the list is to be used
 */
brski_err_t *pledge_list_read(apr_array_header_t **names, FILE *in, const char *manufacturer, call_t *call);

/** Warn of manufacturers that no server is configured for, as far as servers have told: most are mistyped. */
brski_err_t *pledge_warn_strange(db_t *db, const apr_array_header_t *names);

/** For programs: every member is there, null where nothing is known. */
brski_json_t *pledge_json(const brski_pledge_t *pledge, apr_pool_t *pool);

/** The device, or BRSKI_E_INPUT saying that it never came. */
brski_err_t *pledge_find(brski_pledge_t **pledge, db_t *db, const char *manufacturer, const char *serial_number);

#endif
