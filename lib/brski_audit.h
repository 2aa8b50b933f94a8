/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_audit.h: the audit log's answer, RFC 8995 section 5.8.1, from a device's events.
 */
#ifndef BRSKI_AUDIT_H
#define BRSKI_AUDIT_H

#include "brski_store.h"

/**
 * Make the version 1 response: newest first; of each domainID only the most recent nonced and the most recent nonceless
 * event, the others counted in the kept event's "truncated" and in "truncation", counters at most 1024.
 * @param events  brski_event_t *, oldest first; at least one
 * @param json    compact UTF-8 text, NUL-terminated
 */
brski_err_t *brski_audit_make(const char **json, const apr_array_header_t *events, apr_pool_t *pool);

#endif
