/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles.h: from options to the one who signs: the device or registrar of a lab, or files; how to sign, and what to make
 * differently. Shared by the commands that make requests, so that one option means one thing in all of them.
 */
#ifndef BRSKI_TOOL_ROLES_H
#define BRSKI_TOOL_ROLES_H

#include "../common/opts.h"
#include "lab.h"
#include "request.h"
#include "sign.h"

/** The lab of --lab; NULL when the option was not given. */
brski_err_t *role_lab(lab_t **lab, const call_t *call);

/** The device of --device in the lab, or --cert and --key. *found 0: neither was given. */
brski_err_t *role_device(identity_t *out, int *found, const lab_t *lab, const call_t *call);

/** --cert and --key, or the registrar of --domain (LAB_DOMAIN) in the lab. *found 0: neither was given. */
brski_err_t *role_registrar(identity_t *out, int *found, const lab_t *lab, const call_t *call);

/** As role_registrar(), but the files. */
brski_err_t *role_registrar_files(lab_identity_t *out, int *found, const lab_t *lab, const call_t *call);

/** --econtent, --include, --defect, and now. */
brski_err_t *role_signing(signing_t *out, const identity_t *who, const call_t *call);

/** Right, at a time: what commands without those options use. */
signing_t role_signing_plain(const identity_t *who, const call_t *call);

/** --set, --unset, --content. */
edits_t role_edits(const call_t *call);

/** --created-on: a time, "none" (0), or now. */
brski_err_t *role_created_on(apr_time_t *out, const call_t *call);

/** A right request of a device that sees this registrar. */
brski_err_t *role_pvr(brski_bytes_t *out, const identity_t *device, const brski_cert_t *registrar,
                      const call_t *call);

/** Write what was made to -o and tell what it is. */
brski_err_t *role_write(const call_t *call, const char *what, brski_bytes_t message);

#endif
