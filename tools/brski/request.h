/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h: makes voucher-requests: a pledge's (PVR, RFC 8995 5.2) and a registrar's (RVR, 5.5), right by default and
 * wrong where told, member by member.
 */
#ifndef BRSKI_TOOL_REQUEST_H
#define BRSKI_TOOL_REQUEST_H

#include "brski.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_voucher.h"
#include "sign.h"

/** Members that a person wants to differ. */
typedef struct edits_t {
    const apr_array_header_t *set;    /**< const char *: "member=JSON value", or text when it is not JSON */
    const apr_array_header_t *unset;  /**< const char *: members to leave out */
    const char *content_file;         /**< sign this instead of any JSON; NULL: not */
} edits_t;

/** A pledge's request. Absent members: NULL, 0, len 0. */
typedef struct pvr_t {
    const char *serial_number;
    const char *nonce;
    apr_time_t created_on;
    const brski_cert_t *registrar;    /**< proximity-registrar-cert */
    edits_t edits;
} pvr_t;

/** A registrar's request. */
typedef struct rvr_t {
    const char *serial_number;
    const char *nonce;
    apr_time_t created_on;
    const char *assertion;            /**< copied from the pledge's request */
    brski_bytes_t idevid_issuer;
    brski_bytes_t prior;              /**< the pledge's request as it came */
    edits_t edits;
} rvr_t;

/** Sign a pledge's request. */
brski_err_t *request_pvr(brski_bytes_t *out, const pvr_t *pvr, const signing_t *signing, apr_pool_t *pool);

/** Sign a registrar's request. */
brski_err_t *request_rvr(brski_bytes_t *out, const rvr_t *rvr, const signing_t *signing, apr_pool_t *pool);

/**
 * What a registrar takes over from a pledge's request: serial number from the IDevID's certificate, never from the
 * request's text; nonce and assertion as they are; idevid-issuer from the certificate. RFC 8995 5.5, 5.2.
 */
brski_err_t *request_rvr_from(rvr_t *rvr, brski_bytes_t prior, apr_pool_t *pool);

/** A fresh nonce: 16 random octets in base64. */
const char *request_nonce(const brski_ctx_t *ctx, apr_pool_t *pool);

#endif
