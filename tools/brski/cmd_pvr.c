/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_pvr.c: `brski pvr` makes a pledge's voucher-request, RFC 8995 section 5.2, as a device of a
 * lab or from files.
 */
#include <apr_strings.h>
#include <string.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "roles.h"

/* Whom the pledge talks to: its TLS certificate is what proximity is about. */
static brski_err_t *seen_registrar(const brski_cert_t **out, const lab_t *lab, call_t *call)
{
    const char *path = opt_get(call, "registrar-cert"), *domain = opt_get(call, "domain");
    lab_identity_t files;
    apr_array_header_t *certs;

    *out = NULL;
    if (!path && lab) {
        BRSKI_TRY(lab_registrar(&files, lab, domain ? domain : LAB_DOMAIN, call->pool));
        path = files.chain_file;
    }
    if (!path || strcmp(path, "none") == 0) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_cert_load(&certs, path, call->pool));
    if (certs->nelts == 0) {
        return say_refuse(call->pool, "%s holds no certificate.", path);
    }
    *out = APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
    return BRSKI_OK;
}

static brski_err_t *read_pvr(pvr_t *pvr, const identity_t *device, const lab_t *lab, call_t *call)
{
    const char *serial = opt_get(call, "serial"), *nonce = opt_get(call, "nonce");

    pvr->serial_number = serial ? serial : identity_ee(device)->serial_number;
    pvr->nonce = nonce ? nonce : request_nonce(call->ctx, call->pool);
    pvr->edits = role_edits(call);
    BRSKI_TRY(role_created_on(&pvr->created_on, call));
    return seen_registrar(&pvr->registrar, lab, call);
}

static brski_err_t *run(call_t *call)
{
    identity_t device;
    signing_t signing;
    pvr_t pvr;
    brski_bytes_t message;
    lab_t *lab;
    int found;

    if (!opt_has(call, "output")) {
        return opt_usage(call, "say where to write it: -o FILE, or -o - for standard output");
    }
    BRSKI_TRY(role_lab(&lab, call));
    BRSKI_TRY(role_device(&device, &found, lab, call));
    if (!found) {
        return opt_usage(
            call, "say who the pledge is: --lab DIR --device SERIAL, or --cert PEM --key FILE");
    }
    BRSKI_TRY(role_signing(&signing, &device, call));
    BRSKI_TRY(read_pvr(&pvr, &device, lab, call));
    BRSKI_TRY(request_pvr(&message, &pvr, &signing, call->pool));
    return role_write(call, "voucher-request of a pledge", message);
}

static const opt_t options[] = {
    { "lab", 0, "DIR", "the device and registrar are of this lab" },
    { "device", 0, "SERIAL", "the device" },
    { "domain", 0, "NAME", "registrar it meets: domain or stranger (domain)" },
    { "cert", 0, "PEM", "instead: the IDevID, with chain" },
    { "key", 0, "FILE", "and its key" },
    { "registrar-cert", 0, "PEM", "the registrar it meets; none: no proximity" },
    { "output", 'o', "FILE", "where to write it; - is standard output" },
    { "nonce", 0, "TEXT", "instead of a random one" },
    { "serial", 0, "TEXT", "instead of the certificate's" },
    { "created-on", 0, "TIME", "instead of now; none leaves it out" },
    { "include", 0, "WHAT", "certificates: ee or chain (chain)" },
    { "set", 0, "MEMBER=JSON", "set a member; --unset MEMBER, --content FILE" },
    { "defect", 0, "KIND", "sign it badly; see brski-pvr(1)" },
    { "unset", 0, "MEMBER", NULL },
    { "content", 0, "FILE", NULL },
    { "econtent", 0, "TYPE", NULL },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "pvr", "", 0, 0, "Makes a pledge's voucher-request", options, NULL, run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "pvr", "make a pledge's voucher-request", 4, commands, NULL };
COMMAND_GROUP(group)
