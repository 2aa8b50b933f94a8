/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_crl.c: the last certificate revocation list that a server made: tell of it, write it to a
 * file. estctl has no CA's key and makes none itself.
 */
#include "cas.h"
#include "words.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PEM_LINE 64

static brski_err_t *find_crl(brski_crl_row_t **crl, db_t **db, call_t *call)
{
    const char *ca;

    BRSKI_TRY(db_open(db, call));
    BRSKI_TRY(cas_find(&ca, *db, opt_get(call, "ca")));
    BRSKI_TRY(brski_records_crl_get(crl, db_records(*db), ca, call->pool, call->pool));
    if (!*crl || !(*crl)->number) {
        return say_refuse(call->pool, "no CRL was made yet: a server makes the first when somebody "
                                      "asks it for one (SetHandler est-crl)");
    }
    return BRSKI_OK;
}

/* Is it what a relying party should see now? */
static const char *state(const brski_crl_row_t *crl, apr_time_t now)
{
    if (crl->next_update < now) {
        return "ENDED: ask a server for a new one (SetHandler est-crl)";
    }
    return crl->revocations != crl->revocations_now
               ? "behind: something was revoked since; a server makes a new one when it is asked"
               : "up to date";
}

static brski_err_t *crl_show(call_t *call)
{
    brski_json_t *obj = brski_json_object(call->pool);
    apr_array_header_t *revoked;
    brski_crl_row_t *crl;
    db_t *db;

    BRSKI_TRY(find_crl(&crl, &db, call));
    BRSKI_TRY(brski_records_certificate_revoked(&revoked, db_records(db), crl->ca, db_now(db),
                                                db->pool, db->pool));
    brski_json_set_string(obj, "ca", crl->ca);
    brski_json_set_int(obj, "number", crl->number);
    db_json_time(obj, "this_update", crl->this_update, db->pool);
    db_json_time(obj, "next_update", crl->next_update, db->pool);
    db_json_time(obj, "newest_revocation_at", crl->newest_revocation_at, db->pool);
    brski_json_set_int(obj, "revoked_now", revoked->nelts);
    brski_json_set_int(obj, "octets", (apr_int64_t)crl->der.len);
    brski_json_set_string(obj, "state", state(crl, db_now(db)));
    say_record(call->say, obj);
    return BRSKI_OK;
}

static void put_pem(FILE *out, brski_bytes_t der, apr_pool_t *pool)
{
    const char *text = brski_base64_encode(der, pool);
    int len = (int)strlen(text);

    fputs("-----BEGIN X509 CRL-----\n", out);
    for (int at = 0; at < len; at += PEM_LINE) {
        fprintf(out, "%.*s\n", PEM_LINE, text + at);
    }
    fputs("-----END X509 CRL-----\n", out);
}

static int put_crl(FILE *out, const brski_crl_row_t *crl, call_t *call)
{
    if (opt_has(call, "pem")) {
        put_pem(out, crl->der, call->pool);
    }
    else {
        fwrite(crl->der.data, 1, crl->der.len, out);
    }
    return fflush(out) || ferror(out);
}

/* Who reads the file meanwhile gets the old list or the new one, never half of one. */
static brski_err_t *write_file(const brski_crl_row_t *crl, const char *name, call_t *call)
{
    const char *made = apr_psprintf(call->pool, "%s.%ld", name, (long)getpid());
    FILE *out = fopen(made, "wx");
    int failed;

    if (!out) {
        return say_refuse(call->pool, "cannot make %s: %s", made, strerror(errno));
    }
    failed = put_crl(out, crl, call);
    failed |= fclose(out);
    if (failed || rename(made, name)) {
        brski_err_t *err = say_refuse(call->pool, "cannot write %s: %s", name, strerror(errno));
        remove(made);
        return err;
    }
    return BRSKI_OK;
}

static brski_err_t *crl_write(call_t *call)
{
    const char *name = opt_get(call, "output");
    brski_crl_row_t *crl;
    db_t *db;

    BRSKI_TRY(find_crl(&crl, &db, call));
    if (name) {
        BRSKI_TRY(write_file(crl, name, call));
    }
    else if (put_crl(call->say->out, crl, call)) {
        return say_refuse(call->pool, "cannot write the CRL: %s", strerror(errno));
    }
    say_note(call->say, "CRL %" APR_INT64_T_FMT ", ends %s: %s", crl->number,
             brski_time_rfc3339(crl->next_update, call->pool), state(crl, db_now(db)));
    return BRSKI_OK;
}

/* ---- the group ---- */

static const opt_t show_options[] = {{"ca", 0, "HEX", "of this CA (SHA-256 of its key)"},
                                     {NULL, 0, NULL, NULL}};

static const opt_t write_options[] = {{"ca", 0, "HEX", "of this CA (SHA-256 of its key)"},
                                      {"pem", 0, NULL, "as PEM; default DER"},
                                      {"output", 'o', "FILE", "default stdout"},
                                      {NULL, 0, NULL, NULL}};

static const command_t commands[] = {
    {"crl show", "", 0, 0, "Tell of the last CRL that a server made", show_options, NULL, crl_show},
    {"crl write", "", 0, 0, "Write it", write_options, NULL, crl_write},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"crl", "the list of revoked ones", 45, commands, NULL};
COMMAND_GROUP(group)
