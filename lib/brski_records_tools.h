/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_tools.h: what only people ask of a registrar's records (estctl, pages): requests by their state and device, another
 * look at a device's history, a server that is gone.
 */
#ifndef BRSKI_RECORDS_TOOLS_H
#define BRSKI_RECORDS_TOOLS_H

#include "brski_records.h"

/**
 * Requests that are being worked on, what is due first standing first; array of brski_request_t * without pvr, rvr, voucher.
 * @param task  BRSKI_TASK_NONE: any
 */
brski_err_t *brski_records_requests_open(apr_array_header_t **list, brski_records_t *records, brski_task_t task, int max,
                                         apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** The same of those that are done, newest first. */
brski_err_t *brski_records_requests_done(apr_array_header_t **list, brski_records_t *records, int max,
                                         apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** All of a device, newest first. */
brski_err_t *brski_records_requests_device(apr_array_header_t **list, brski_records_t *records, const char *manufacturer,
                                           const char *serial_number, int max, apr_pool_t *result_pool,
                                           apr_pool_t *scratch_pool);

/**
 * Have the audit log of a device's current request fetched and judged now: as a later look when it has joined, as part of
 * joining when it is at that. RFC 8995 5.8.3.
 * @param done  0 when that request is not kept any more, has no voucher, or is being worked on this moment
 */
brski_err_t *brski_records_request_judge(int *done, brski_records_t *records, const brski_pledge_t *pledge, apr_time_t now,
                                         apr_pool_t *scratch_pool);

/** Forget a node's configuration. @param done 0 when there is none of this name */
brski_err_t *brski_records_snapshot_forget(int *done, brski_records_t *records, const char *node,
                                           apr_pool_t *scratch_pool);

#endif
