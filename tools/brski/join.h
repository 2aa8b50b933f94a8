/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join.h: the steps of a join in their order, each told in plain words with what it proves, or with --json as one object a step; and
 * the files that remain. What a step does is pledge.h's.
 */
#ifndef BRSKI_TOOL_JOIN_H
#define BRSKI_TOOL_JOIN_H

#include "../common/opts.h"
#include "pledge.h"

/** One run of `brski join`. */
typedef struct join_t {
    call_t *call;
    pledge_plan_t plan;
    identity_t idevid;
    pledge_t *pledge;
    const char *out;              /**< directory for what remains, or NULL */
    int number;                   /**< of steps so far */
    brski_json_t *doc;            /**< of the step being taken */
    brski_json_t *said;           /**< its lines */
} join_t;

/** A pledge as from the factory. */
void join_reset(join_t *j);

/** From the first TLS handshake to what the pledge says of the voucher. RFC 8995 5.1 to 5.7 */
brski_err_t *join_voucher(join_t *j);
/** The CA certificates. */
brski_err_t *join_cacerts(join_t *j);
/** The CSR attributes. */
brski_err_t *join_csrattrs(join_t *j);
/** From csrattrs (and cacerts, when they are not known) to enrollstatus on a new connection. RFC 8995 5.9 */
brski_err_t *join_enroll(join_t *j);
/** A next certificate for the one it has, on connections of its own. RFC 7030 4.2.2 */
brski_err_t *join_reenroll(join_t *j);

/** Commands from standard input until its end. */
brski_err_t *join_shell(join_t *j);

/** Make the directory for what remains. */
brski_err_t *join_files_start(const join_t *j);
/** Write what is known of voucher-request and voucher, of CA certificates, of key and certificate: nothing without --out. */
brski_err_t *join_save_voucher(const join_t *j);
brski_err_t *join_save_cacerts(const join_t *j);
brski_err_t *join_save_certificate(const join_t *j);

#endif
