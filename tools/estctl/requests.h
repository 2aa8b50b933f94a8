/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.h: voucher-requests as estctl shows them, and the wish that a device's history be judged again.
 */
#ifndef ESTCTL_REQUESTS_H
#define ESTCTL_REQUESTS_H

#include "db.h"

/** Of a device, newest first, at most max; array of brski_request_t *, without what was sent and received. */
brski_err_t *requests_of(apr_array_header_t **list, db_t *db, const char *manufacturer, const char *serial_number,
                         int max);

/** One: members for programs and for people. */
brski_json_t *request_json(const brski_request_t *request, apr_time_t now, apr_pool_t *pool);

/** A list of them in a few members each. */
brski_json_t *requests_json(const apr_array_header_t *list, apr_time_t now, apr_pool_t *pool);

/**
 * Have a server fetch and judge the audit log of the voucher that a device has, now.
 * @param done  0: it has none that is kept, or a server is at work on it this moment
 */
brski_err_t *requests_judge_again(int *done, db_t *db, const brski_pledge_t *pledge, apr_pool_t *pool);

#endif
