/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_masa.c: trust on first use. What a manufacturer's MASA showed is shown here with its
 * fingerprints; a human who has compared them with what came with the devices approves it, and what
 * waited for that goes on. RFC 8995 5.4, 7.3.
 */
#include "db.h"
#include "words.h"
#include "brski_bytes.h"
#include "brski_time.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

#define HEX_SHA256 64
#define LAST_GROUP 4 /* digits that are typed to confirm */
#define INDENT 23

/* ---- what is there ---- */

static int is_purpose(const char *word)
{
    return !strcmp(word, "voucher") || !strcmp(word, "tls");
}

static const char *purpose_words(const char *purpose)
{
    return !strcmp(purpose, "tls") ? "as the MASA's TLS server" : "as a signer of vouchers";
}

/* Certificates as they were shown, end entity first; the last one is what is trusted. */
static brski_json_t *chain_json(const brski_first_use_t *use, apr_pool_t *pool)
{
    brski_json_t *array = brski_json_array(pool);

    for (int i = 0; use->chain && i < use->chain->nelts; i++) {
        brski_json_append(array, words_cert(APR_ARRAY_IDX(use->chain, i, brski_bytes_t), pool));
    }
    return array;
}

static brski_json_t *use_json(const brski_first_use_t *use, apr_pool_t *pool)
{
    brski_json_t *obj = brski_json_object(pool);

    brski_json_set_string(obj, "manufacturer", use->manufacturer);
    brski_json_set_string(obj, "purpose", use->purpose);
    brski_json_set_string(obj, "state", use->state);
    brski_json_set_string(obj, "host", use->host);
    brski_json_set_string(obj, "key_sha256", use->spki);
    db_json_time(obj, "first_seen_at", use->first_seen_at, pool);
    brski_json_set_string(obj, "by", use->by);
    db_json_time(obj, "decided_at", use->decided_at, pool);
    brski_json_set(obj, "chain", chain_json(use, pool));
    return obj;
}

/* ---- list ---- */

static const say_column_t list_view[] = {{"manufacturer", "MANUFACTURER", 16},
                                         {"purpose", "FOR", 8},
                                         {"state", "STATE", 10},
                                         {"host", "SHOWN BY", 24},
                                         {"first_seen_at", "FIRST SEEN", 20},
                                         {"key_sha256", "KEY SHA-256", 0},
                                         {NULL, NULL, 0}};

static brski_err_t *masa_list(call_t *call)
{
    apr_array_header_t *uses;
    db_t *db;

    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(brski_records_first_uses(&uses, db_records(db), opt_get(call, "manufacturer"), NULL,
                                       db->pool, db->pool));
    say_head(call->say, list_view);
    for (int i = 0; i < uses->nelts; i++) {
        say_row(
            call->say, list_view,
            use_json(APR_ARRAY_IDX(uses, i, const brski_first_use_t *), say_scratch(call->say)));
    }
    return BRSKI_OK;
}

/* ---- show ---- */

static void show_cert(say_t *say, const brski_json_t *cert, int number, int top, apr_pool_t *pool)
{
    const char *problem = brski_json_get_string(cert, "problem");

    if (problem) {
        say_line(say, "  %d  a certificate that cannot be read: %s", number,
                 brski_printable(problem, 400, pool));
        return;
    }
    say_line(say, "  %d  %s%s", number, brski_json_get_string(cert, "subject"),
             top ? "     <- this key is what would be trusted" : "");
    say_line(say, "     issued by         %s", brski_json_get_string(cert, "issuer"));
    say_line(say, "     valid             %s to %s", brski_json_get_string(cert, "not_before"),
             brski_json_get_string(cert, "not_after"));
    say_line(say, "     certificate       %s",
             words_groups(brski_json_get_string(cert, "certificate_sha256"), INDENT, pool));
    say_line(say, "     %s               %s", top ? "KEY" : "key",
             words_groups(brski_json_get_string(cert, "key_sha256"), INDENT, pool));
}

static void show_use(say_t *say, const brski_first_use_t *use, apr_pool_t *pool)
{
    const brski_json_t *obj = use_json(use, pool);
    const brski_json_t *chain = brski_json_get(obj, "chain");
    apr_size_t n = brski_json_size(chain);

    say_line(say, "%s, %s: %s%s%s", brski_printable(use->manufacturer, 128, pool),
             purpose_words(use->purpose), use->state, use->by ? " by " : "",
             use->by ? brski_printable(use->by, 64, pool) : "");
    say_line(say, "shown by %s, first %s; SHA-256 fingerprints of certificates and keys:",
             use->host ? brski_printable(use->host, 200, pool) : "(unknown)",
             brski_time_rfc3339(use->first_seen_at, pool));
    for (apr_size_t i = 0; i < n; i++) {
        show_cert(say, brski_json_at(chain, i), (int)i + 1, i + 1 == n, pool);
    }
}

static brski_err_t *masa_show(call_t *call)
{
    const char *purpose = call->nargs > 1 ? call->args[1] : NULL;
    brski_json_t *list = brski_json_array(call->pool);
    apr_array_header_t *uses;
    db_t *db;

    if (purpose && !is_purpose(purpose)) {
        return opt_usage(call, "what it is for is voucher or tls");
    }
    BRSKI_TRY(db_open(&db, call));
    BRSKI_TRY(brski_records_first_uses(&uses, db_records(db), call->args[0], purpose, db->pool,
                                       db->pool));
    if (!uses->nelts) {
        return say_refuse(db->pool,
                          "no MASA of manufacturer %s has shown anything that must be "
                          "approved",
                          brski_printable(call->args[0], 128, db->pool));
    }
    for (int i = 0; i < uses->nelts; i++) {
        const brski_first_use_t *use = APR_ARRAY_IDX(uses, i, const brski_first_use_t *);
        if (i) {
            say_line(call->say, "%s", "");
        }
        brski_json_append(list, use_json(use, db->pool));
        show_use(call->say, use, db->pool);
    }
    say_json(call->say, list);
    return BRSKI_OK;
}

/* ---- which one is meant ---- */

/* A fingerprint as typed: hex digits of either case, with blanks and colons between. NULL when it
 * is none. */
static const char *fingerprint(const char *text, apr_pool_t *pool)
{
    char *hex = apr_palloc(pool, HEX_SHA256 + 1);
    int n = 0;

    for (; *text; text++) {
        if (apr_isxdigit(*text) && n < HEX_SHA256) {
            hex[n++] = (char)apr_tolower(*text);
        }
        else if (*text != ':' && *text != ' ') {
            return NULL;
        }
    }
    hex[n] = '\0';
    return n == HEX_SHA256 ? hex : NULL;
}

/* Is it the fingerprint of the key, or of the certificate on top? */
static int has_fingerprint(const brski_first_use_t *use, const char *hex, apr_pool_t *pool)
{
    const apr_array_header_t *chain = use->chain;

    if (!strcmp(use->spki, hex)) {
        return 1;
    }
    return chain && chain->nelts &&
           !strcmp(brski_sha256_hex(APR_ARRAY_IDX(chain, chain->nelts - 1, brski_bytes_t), pool),
                   hex);
}

/* Without a fingerprint: the only one in this state. */
static brski_err_t *pick(const brski_first_use_t **out, const apr_array_header_t *uses,
                         const char *hex, const char *state, apr_pool_t *pool)
{
    int found = 0;

    *out = NULL;
    for (int i = 0; i < uses->nelts; i++) {
        const brski_first_use_t *use = APR_ARRAY_IDX(uses, i, const brski_first_use_t *);
        if (hex ? has_fingerprint(use, hex, pool) : !strcmp(use->state, state)) {
            *out = use;
            found++;
        }
    }
    if (found == 1) {
        return BRSKI_OK;
    }
    if (hex) {
        return say_refuse(pool, "nothing with this fingerprint was shown: compare all of it with "
                                "'estctl masa show'; when it differs, DO NOT approve");
    }
    return found ? say_refuse(pool, "%d are %s: name the FINGERPRINT of one ('estctl masa show')",
                              found, state)
                 : say_refuse(pool, "nothing is %s", state);
}

/* Arguments: MANUFACTURER voucher|tls [FINGERPRINT]. *use NULL: wrong usage, told. */
static brski_err_t *find_use(const brski_first_use_t **use, db_t **db, call_t *call,
                             const char *state)
{
    const char *hex = NULL;
    apr_array_header_t *uses;

    *use = NULL;
    if (!is_purpose(call->args[1])) {
        return opt_usage(call, "what it is for is voucher or tls");
    }
    if (call->nargs > 2 && !(hex = fingerprint(call->args[2], call->pool))) {
        return opt_usage(call,
                         "a fingerprint is all %d hex digits of a SHA-256; blanks and "
                         "colons may stand between them",
                         HEX_SHA256);
    }
    BRSKI_TRY(db_open(db, call));
    BRSKI_TRY(brski_records_first_uses(&uses, db_records(*db), call->args[0], call->args[1],
                                       call->pool, call->pool));
    return pick(use, uses, hex, state, call->pool);
}

/* ---- approve ---- */

static const char *read_answer(apr_pool_t *pool)
{
    char line[256];
    char *end;

    if (!fgets(line, sizeof(line), stdin)) {
        return "";
    }
    for (end = line + strlen(line); end > line && apr_isspace(end[-1]); end--) {
    }
    *end = '\0';
    return apr_pstrdup(pool, line);
}

/*
 * Whoever types digits of it has looked at it: all of the fingerprint, or its last group when all
 * the groups were compared.
 */
static brski_err_t *confirm(call_t *call, const brski_first_use_t *use)
{
    const char *last = use->spki + strlen(use->spki) - LAST_GROUP;
    const char *answer;

    if (!isatty(STDIN_FILENO)) {
        return say_refuse(call->pool, "nobody is there to compare fingerprints: name the "
                                      "FINGERPRINT and add --yes");
    }
    fprintf(stderr, "\nCompare the KEY fingerprint above with what came with the devices, group "
                    "by group.\nIf they are the same type the last group, anything else ends: ");
    answer = read_answer(call->pool);
    if (!strcasecmp(answer, last)) {
        return BRSKI_OK;
    }
    answer = fingerprint(answer, call->pool);
    return answer && has_fingerprint(use, answer, call->pool)
               ? BRSKI_OK
               : say_refuse(call->pool, "not approved");
}

static brski_err_t *decide(db_t *db, const brski_first_use_t *use, const char *state)
{
    int done;

    BRSKI_TRY(brski_records_first_use_decide(&done, db_records(db), use->manufacturer, use->purpose,
                                             use->spki, state, db_who(db), db_now(db), db->pool));
    if (!done) {
        return say_refuse(db->pool, "it is not there any more");
    }
    return db_note(db, !strcmp(state, "approved") ? "masa-approved" : "masa-distrusted",
                   use->manufacturer, "", "%s %s the key %s %s", db_who(db), state, use->spki,
                   purpose_words(use->purpose));
}

static void tell_decided(call_t *call, const brski_first_use_t *use, const char *state, int woken)
{
    brski_json_t *obj = brski_json_object(call->pool);

    brski_json_set_string(obj, "manufacturer", use->manufacturer);
    brski_json_set_string(obj, "purpose", use->purpose);
    brski_json_set_string(obj, "key_sha256", use->spki);
    brski_json_set_string(obj, "state", state);
    brski_json_set_int(obj, "woken", woken);
    say_json(call->say, obj);
    say_line(call->say, "%s %s", state, purpose_words(use->purpose));
    if (woken) {
        say_line(call->say, "%d request%s that waited go%s on now", woken, woken == 1 ? "" : "s",
                 woken == 1 ? "es" : "");
    }
}

static brski_err_t *masa_approve(call_t *call)
{
    const brski_first_use_t *use;
    int woken;
    db_t *db;

    if (opt_has(call, "yes") && call->nargs < 3) {
        return opt_usage(call, "--yes needs the FINGERPRINT that you compared");
    }
    if (call->say->json && !opt_has(call, "yes")) {
        return opt_usage(call, "with --json nothing is shown to be compared: name the FINGERPRINT "
                               "and add --yes");
    }
    BRSKI_TRY(find_use(&use, &db, call, "waiting"));
    if (!use) {
        return BRSKI_OK;
    }
    show_use(call->say, use, call->pool);
    if (!opt_has(call, "yes")) {
        BRSKI_TRY(confirm(call, use));
    }
    BRSKI_TRY(decide(db, use, "approved"));
    BRSKI_TRY(brski_records_request_wake(&woken, db_records(db), use->manufacturer, NULL,
                                         db_now(db), db->pool));
    tell_decided(call, use, "approved", woken);
    return BRSKI_OK;
}

static brski_err_t *masa_distrust(call_t *call)
{
    const brski_first_use_t *use;
    db_t *db;

    BRSKI_TRY(find_use(&use, &db, call, "approved"));
    if (!use) {
        return BRSKI_OK;
    }
    BRSKI_TRY(decide(db, use, "distrusted"));
    tell_decided(call, use, "distrusted", 0);
    say_note(call->say, "what devices got through it stays valid: 'estctl pledge list' and "
                        "'estctl cert revoke --device' tell and end it");
    return BRSKI_OK;
}

/* ---- the group ---- */

static const opt_t list_options[] = {
    {"manufacturer", 'm', "NAME", "only what this manufacturer's MASA showed"},
    {NULL, 0, NULL, NULL}};

static const opt_t approve_options[] = {{"yes", 'y', NULL, "do not ask: FINGERPRINT was compared"},
                                        {NULL, 0, NULL, NULL}};

static const char approve_help[] =
    "FINGERPRINT is the SHA-256 of the topmost certificate or of its key, as the\n"
    "manufacturer prints it. Without --yes it is shown and must be confirmed.";

static const command_t commands[] = {
    {"masa list", "", 0, 0, "List what MASAs showed that must be approved", list_options, NULL,
     masa_list},
    {"masa show", "MANUFACTURER [voucher|tls]", 1, 2, "Show chains with their fingerprints", NULL,
     NULL, masa_show},
    {"masa approve", "MANUFACTURER voucher|tls [FINGERPRINT]", 2, 3,
     "Trust what a MASA showed, once compared", approve_options, approve_help, masa_approve},
    {"masa distrust", "MANUFACTURER voucher|tls [FINGERPRINT]", 2, 3, "Trust it no more", NULL,
     NULL, masa_distrust},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"masa", "trust in MASAs on first use", 30, commands, NULL};
COMMAND_GROUP(group)
