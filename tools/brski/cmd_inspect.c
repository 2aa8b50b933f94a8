/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_inspect.c: `brski inspect FILE...` tells what files are and what they say: vouchers,
 * voucher-requests with those nested in them, certificates, certification requests, audit logs;
 * DER, PEM, JSON, and base64 of any of them.
 */
#include "../common/opts.h"
#include "../common/say.h"
#include "brski_json.h"
#include "files.h"
#include "show.h"

/* One file's document. What cannot be read is said in it, and makes the exit status 1. */
static brski_err_t *inspect(call_t *call, const char *path)
{
    brski_json_t *doc = brski_json_object(call->pool), *what;
    brski_bytes_t content;

    BRSKI_TRY(files_read(&content, path, call->pool));
    what = show_any(content, call->pool);
    brski_json_set_string(doc, "file", path);
    show_merge(doc, what);
    if (brski_json_get(what, "problem")) {
        call->status = EXIT_REFUSED;
    }
    show_say(call->say, doc);
    return BRSKI_OK;
}

static brski_err_t *run(call_t *call)
{
    int i;

    for (i = 0; i < call->nargs; i++) {
        if (i > 0) {
            say_line(call->say, "%s", "");
        }
        BRSKI_TRY(inspect(call, call->args[i]));
    }
    return BRSKI_OK;
}

static const command_t commands[] = {
    { "inspect", "FILE...", 1, -1, "Tells what files are and what they say", NULL,
      "FILE may be '-'. Nothing is judged here: that is for 'brski verify'.\n"
      "Exit status 1 when something could not be read as what it seems to be.", run },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

static command_group_t group = {"inspect", "tell what a voucher, request, log or certificate says",
                                2, commands, NULL};
COMMAND_GROUP(group)
