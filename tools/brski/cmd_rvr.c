/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_rvr.c: `brski rvr` makes a registrar's voucher-request, RFC 8995 section 5.5, around a
 * pledge's: as the registrar of a lab or from files.
 */
#include <apr_strings.h>
#include <string.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"
#include "roles.h"

/* A lab's device signs at once, with the prior request's own defect; seen is the registrar it
 * meets. */
static brski_err_t *sign_prior(brski_bytes_t *out, const identity_t *device,
                               const brski_cert_t *seen, call_t *call)
{
    signing_t signing = role_signing_plain(device, call);
    pvr_t pvr;

    memset(&pvr, 0, sizeof(pvr));
    BRSKI_TRY(defect_parse(&signing.defect, opt_get(call, "prior-defect"), call->pool));
    BRSKI_TRY(econtent_parse(&signing.econtent, opt_get(call, "econtent"), call->pool));
    pvr.serial_number = identity_ee(device)->serial_number;
    pvr.nonce = opt_get(call, "nonce");
    pvr.nonce = pvr.nonce ? pvr.nonce : request_nonce(call->ctx, call->pool);
    pvr.created_on = signing.at;
    pvr.registrar = seen;
    return request_pvr(out, &pvr, &signing, call->pool);
}

/* The pledge's request: a file, made for a device of the lab, or none. */
static brski_err_t *read_prior(rvr_t *rvr, const identity_t *registrar, const lab_t *lab,
                               call_t *call)
{
    const char *path = opt_get(call, "pvr"), *serial = opt_get(call, "device");
    lab_identity_t files;
    identity_t device;
    brski_bytes_t prior;

    if (path) {
        BRSKI_TRY(files_read(&prior, path, call->pool));
    }
    else if (serial && lab) {
        BRSKI_TRY(lab_device(&files, lab, serial, call->pool));
        BRSKI_TRY(identity_load(&device, files.chain_file, files.key_file, call->pool));
        BRSKI_TRY(sign_prior(&prior, &device, identity_ee(registrar), call));
    }
    else {
        return BRSKI_OK;
    }
    rvr->prior = prior;
    /* a broken one is sent as it is: that is for the MASA to judge */
    if (request_rvr_from(rvr, prior, call->pool)) {
        say_note(call->say, "the pledge's request cannot be read; nothing is taken over from it");
        rvr->serial_number = serial;
    }
    return BRSKI_OK;
}

static brski_err_t *read_issuer(rvr_t *rvr, call_t *call)
{
    const char *text = opt_get(call, "idevid-issuer");

    if (text && strcmp(text, "none") == 0) {
        rvr->idevid_issuer = brski_bytes(NULL, 0);
    }
    else if (text) {
        return brski_hex_decode(&rvr->idevid_issuer, text, call->pool);
    }
    return BRSKI_OK;
}

/* What the options say over what the pledge's request says. */
static brski_err_t *read_members(rvr_t *rvr, call_t *call)
{
    const char *serial = opt_get(call, "serial"), *nonce = opt_get(call, "nonce");

    rvr->serial_number = serial ? serial : rvr->serial_number;
    rvr->nonce = nonce ? nonce : rvr->nonce;
    if (opt_has(call, "nonceless")) {
        rvr->nonce = NULL;
    }
    if (opt_has(call, "no-prior") || opt_has(call, "nonceless")) {
        rvr->prior = brski_bytes(NULL, 0);
        rvr->assertion = NULL;
    }
    rvr->edits = role_edits(call);
    BRSKI_TRY(read_issuer(rvr, call));
    return role_created_on(&rvr->created_on, call);
}

static brski_err_t *make(call_t *call, const identity_t *registrar, const lab_t *lab)
{
    brski_bytes_t message;
    signing_t signing;
    rvr_t rvr;

    memset(&rvr, 0, sizeof(rvr));
    BRSKI_TRY(role_signing(&signing, registrar, call));
    BRSKI_TRY(read_prior(&rvr, registrar, lab, call));
    BRSKI_TRY(read_members(&rvr, call));
    if (!rvr.serial_number && !rvr.edits.content_file) {
        return opt_usage(
            call, "say which device: --pvr FILE, --device SERIAL with --lab, or --serial TEXT");
    }
    BRSKI_TRY(request_rvr(&message, &rvr, &signing, call->pool));
    return role_write(call, "voucher-request of a registrar", message);
}

static brski_err_t *run(call_t *call)
{
    identity_t registrar;
    lab_t *lab;
    int found;

    if (!opt_has(call, "output")) {
        return opt_usage(call, "say where to write it: -o FILE, or -o - for standard output");
    }
    BRSKI_TRY(role_lab(&lab, call));
    BRSKI_TRY(role_registrar(&registrar, &found, lab, call));
    if (!found) {
        return opt_usage(call, "say who the registrar is: --lab DIR, or --cert PEM --key FILE");
    }
    return make(call, &registrar, lab);
}

static const opt_t options[] = {
    { "lab", 0, "DIR", "the registrar is of this lab" },
    { "domain", 0, "NAME", "which: domain or stranger (domain)" },
    { "cert", 0, "PEM", "instead: the registrar's chain (--key FILE)" },
    { "key", 0, "FILE", NULL },
    { "pvr", 0, "FILE", "the pledge's request" },
    { "device", 0, "SERIAL", "instead: make it, as this device of the lab" },
    { "output", 'o', "FILE", "where to write it; - is standard output" },
    { "serial", 0, "TEXT", "instead of the IDevID's serial number" },
    { "nonce", 0, "TEXT", "instead of the pledge's" },
    { "nonceless", 0, NULL, "neither nonce nor pledge's request" },
    { "no-prior", 0, NULL, "leave the pledge's request out" },
    { "include", 0, "WHAT", "certificates: ee or chain (chain)" },
    { "set", 0, "MEMBER=JSON", "set a member; --unset MEMBER, --content FILE" },
    { "defect", 0, "KIND", "sign badly (or --prior-defect); brski-rvr(1)" },
    { "prior-defect", 0, "KIND", NULL },
    { "created-on", 0, "TIME", NULL },
    { "idevid-issuer", 0, "HEX", NULL },
    { "unset", 0, "MEMBER", NULL },
    { "content", 0, "FILE", NULL },
    { "econtent", 0, "TYPE", NULL },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    { "rvr", "", 0, 0, "Makes a registrar's voucher-request", options, NULL, run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = { "rvr", "make a registrar's voucher-request", 5, commands, NULL };
COMMAND_GROUP(group)
