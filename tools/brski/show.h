/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h: what an artifact says, as a document that say_record() shows to people and programs alike: vouchers, voucher-requests with what
 * is nested in them, certificates, certification requests, audit logs, keys. Nothing is trusted: what cannot be read is
 * said in a member "problem", and what can be read around it is shown.
 */
#ifndef BRSKI_TOOL_SHOW_H
#define BRSKI_TOOL_SHOW_H

#include "../common/say.h"
#include "brski.h"
#include "brski_json.h"
#include "brski_voucher.h"
#include "brski_x509.h"

/** A certificate in a few members, or with details. */
brski_json_t *show_cert(const brski_cert_t *cert, int details, apr_pool_t *pool);

/** A signed voucher or voucher-request (DER of its CMS). */
brski_json_t *show_signed(brski_bytes_t der, apr_pool_t *pool);

/** Anything: looks what it is. base64 around it is taken off first. */
brski_json_t *show_any(brski_bytes_t content, apr_pool_t *pool);

/** What an error says: the sentence made for the place, or the table's with the detail. */
const char *show_sentence(const brski_err_t *err, apr_pool_t *pool);

/** A stranger's text on one line, for a terminal: nothing that steers it, but with its quotes and apostrophes. */
const char *show_text(const char *text, apr_size_t max, apr_pool_t *pool);

/** Members of b copied into a. */
void show_merge(brski_json_t *a, const brski_json_t *b);

/** Say a document that show_any() made; the events of an audit log as a table. */
void show_say(say_t *say, brski_json_t *document);

/** Say an audit log (RFC 8995 5.8.1) as a table; with --json as it came. @return BRSKI_E_JSON when it is none */
brski_err_t *show_audit_log(say_t *say, brski_bytes_t json, apr_pool_t *pool);

#endif
