/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h: judges a voucher as a strict pledge does, RFC 8995 section 5.6.1 and RFC 8366 section 5.3: every check is made and told,
 * not only the first that fails. What a check needs and was not given makes it "not checked", never passed.
 */
#ifndef BRSKI_TOOL_CHECK_H
#define BRSKI_TOOL_CHECK_H

#include "../common/say.h"
#include "brski.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_x509.h"

/** What the pledge knows. */
typedef struct check_want_t {
    const brski_anchors_t *anchors;   /**< NULL: the chain is not checked */
    apr_time_t at;                    /**< its clock; 0: it has none */
    const char *serial_number;        /**< NULL: not checked */
    const char *nonce;                /**< NULL: not checked */
    int nonceless_ok;                 /**< a voucher without nonce is fine */
    const brski_cert_t *idevid;       /**< for idevid-issuer; NULL: not checked */
    const apr_array_header_t *registrar; /**< const brski_cert_t *: its chain, end entity first; NULL: not checked */
} check_want_t;

typedef struct check_t {
    const char *section;
    const char *name;
    int passed;                       /**< 1, 0, or -1 not checked */
    const char *text;                 /**< one line, printable */
} check_t;

/** Judge; checks is an array of check_t. @return nonzero when none failed */
int check_voucher(apr_array_header_t **checks, brski_bytes_t der, const check_want_t *want, apr_pool_t *pool);

/** As JSON: array of objects section, check, result ("passed", "failed", "not checked"), text. */
brski_json_t *check_json(const apr_array_header_t *checks, apr_pool_t *pool);

/** For people, a line a check. */
void check_say(say_t *say, const apr_array_header_t *checks);

#endif
