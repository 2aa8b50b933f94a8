/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h: what a registrar's records say, in words that need no knowledge of the protocol: what a device's state means, what is
 * being done with a request, why a certificate was revoked.
 */
#ifndef ESTCTL_WORDS_H
#define ESTCTL_WORDS_H

#include "brski_json.h"
#include "brski_records.h"
#include "brski_x509.h"

/** "undecided", "allowed", "refused". */
const char *words_welcome(brski_welcome_t welcome);

/** May it join, and who said so: a sentence. */
const char *words_may_join(const brski_pledge_t *pledge, apr_pool_t *pool);

/** What became of its voucher: a sentence. */
const char *words_voucher(const brski_pledge_t *pledge, apr_pool_t *pool);

/** What it reported of its enrolment: a sentence. */
const char *words_enrolment(const brski_pledge_t *pledge, apr_pool_t *pool);

/** What was made of its audit log: a sentence. */
const char *words_verdict(const brski_pledge_t *pledge, apr_pool_t *pool);

/** "none", "voucher", "audit", "telemetry", "recheck", "human". */
const char *words_task(brski_task_t task);

/** What is being done with a request: a sentence. */
const char *words_request(const brski_request_t *request, apr_time_t now, apr_pool_t *pool);

/** CRLReason (RFC 5280 5.3.1) as its word: "keyCompromise"; and back: -1 when a certificate cannot be revoked for it. */
const char *words_reason(int reason);
int words_reason_parse(const char *word);
/** The words that words_reason_parse() knows. */
const char *words_reasons(apr_pool_t *pool);

/** "valid", "expired", "revoked". */
const char *words_certificate(const brski_issued_t *issued, apr_time_t now);

/** Hex as people compare it: "0123 4567 89AB CDEF ...", eight groups a line, lines after the first indented so. */
const char *words_groups(const char *hex, int indent, apr_pool_t *pool);

/** A certificate: subject, issuer, validity, SHA-256 of it and of its key. What cannot be read is said in "problem". */
brski_json_t *words_cert(brski_bytes_t der, apr_pool_t *pool);

#endif
