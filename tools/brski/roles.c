/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles.c: from options to identities and requests, as roles.h says.
 */
#include "roles.h"

#include <apr_strings.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "files.h"

brski_err_t *role_lab(lab_t **lab, const call_t *call)
{
    const char *dir = opt_get(call, "lab");

    *lab = NULL;
    return dir ? lab_open(lab, dir, call->pool) : BRSKI_OK;
}

/* --cert and --key go together. */
static brski_err_t *from_files(lab_identity_t *out, int *found, const call_t *call)
{
    out->chain_file = opt_get(call, "cert");
    out->key_file = opt_get(call, "key");
    *found = out->chain_file && out->key_file;
    if (!*found && (out->chain_file || out->key_file)) {
        return say_refuse(call->pool, "--cert and --key go together.");
    }
    return BRSKI_OK;
}

brski_err_t *role_device(identity_t *out, int *found, const lab_t *lab, const call_t *call)
{
    const char *serial = opt_get(call, "device");
    lab_identity_t files;

    BRSKI_TRY(from_files(&files, found, call));
    if (!*found && serial) {
        if (!lab) {
            return say_refuse(call->pool, "--device needs --lab: it is a device of a lab.");
        }
        BRSKI_TRY(lab_device(&files, lab, serial, call->pool));
        *found = 1;
    }
    return *found ? identity_load(out, files.chain_file, files.key_file, call->pool) : BRSKI_OK;
}

brski_err_t *role_registrar_files(lab_identity_t *out, int *found, const lab_t *lab,
                                  const call_t *call)
{
    const char *domain = opt_get(call, "domain");

    BRSKI_TRY(from_files(out, found, call));
    if (!*found && lab) {
        *found = 1;
        return lab_registrar(out, lab, domain ? domain : LAB_DOMAIN, call->pool);
    }
    return BRSKI_OK;
}

brski_err_t *role_registrar(identity_t *out, int *found, const lab_t *lab, const call_t *call)
{
    lab_identity_t files;

    BRSKI_TRY(role_registrar_files(&files, found, lab, call));
    return *found ? identity_load(out, files.chain_file, files.key_file, call->pool) : BRSKI_OK;
}

static brski_err_t *include_parse(int *ee_only, const char *word, apr_pool_t *pool)
{
    *ee_only = word && strcmp(word, "ee") == 0;
    if (word && !*ee_only && strcmp(word, "chain") != 0) {
        return say_refuse(
            pool, "--include is ee (the signer's certificate alone) or chain (all of --cert).");
    }
    return BRSKI_OK;
}

signing_t role_signing_plain(const identity_t *who, const call_t *call)
{
    signing_t signing;

    memset(&signing, 0, sizeof(signing));
    signing.who = *who;
    signing.econtent = BRSKI_ECONTENT_ANIMA_JSON;
    signing.at = call->ctx->now(call->ctx->baton);
    return signing;
}

brski_err_t *role_signing(signing_t *out, const identity_t *who, const call_t *call)
{
    *out = role_signing_plain(who, call);
    BRSKI_TRY(econtent_parse(&out->econtent, opt_get(call, "econtent"), call->pool));
    BRSKI_TRY(include_parse(&out->ee_only, opt_get(call, "include"), call->pool));
    return defect_parse(&out->defect, opt_get(call, "defect"), call->pool);
}

edits_t role_edits(const call_t *call)
{
    edits_t edits;

    edits.set = opt_all(call, "set");
    edits.unset = opt_all(call, "unset");
    edits.content_file = opt_get(call, "content");
    return edits;
}

brski_err_t *role_created_on(apr_time_t *out, const call_t *call)
{
    const char *text = opt_get(call, "created-on");

    *out = 0;
    return text && strcmp(text, "none") == 0
               ? BRSKI_OK : opt_time(out, call, "created-on", call->ctx->now(call->ctx->baton));
}

brski_err_t *role_pvr(brski_bytes_t *out, const identity_t *device, const brski_cert_t *registrar,
                      const call_t *call)
{
    signing_t signing = role_signing_plain(device, call);
    pvr_t pvr;

    memset(&pvr, 0, sizeof(pvr));
    pvr.serial_number = identity_ee(device)->serial_number;
    pvr.nonce = request_nonce(call->ctx, call->pool);
    pvr.created_on = signing.at;
    pvr.registrar = registrar;
    return request_pvr(out, &pvr, &signing, call->pool);
}

brski_err_t *role_write(const call_t *call, const char *what, brski_bytes_t message)
{
    const char *path = opt_get(call, "output");
    brski_json_t *doc = brski_json_object(call->pool);

    BRSKI_TRY(files_write(path, message, FILES_PUBLIC, call->pool));
    if (strcmp(path, "-") == 0) {
        return BRSKI_OK;              /* standard output holds the message */
    }
    brski_json_set_string(doc, "file", path);
    brski_json_set_string(doc, "made", what);
    brski_json_set_int(doc, "octets", (apr_int64_t)message.len);
    brski_json_set_string(doc, "sha256", brski_sha256_hex(message, call->pool));
    say_json(call->say, doc);
    say_line(call->say, "%s: %s, %" APR_SIZE_T_FMT " octets", path, what, message.len);
    return BRSKI_OK;
}
