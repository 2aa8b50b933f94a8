/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_shell.c: `brski join --shell`: the steps of a pledge one by one, as a person types them;
 * what it has learnt stays until reset.
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_time.h"
#include "join.h"

#define LINE 256

/* ---- what it knows ---- */

static void put_cert(brski_json_t *doc, const char *name, const brski_cert_t *cert)
{
    if (cert) {
        brski_json_set_string(doc, name, cert->subject);
    }
}

static const char *trust_text(const pledge_t *p)
{
    static const char *const texts[] = { "provisional: nothing is known of the server",
                                         "trusted: the voucher pins it",
                                         "trusted: it leads to the CA certificates" };

    return !p->peer ? "none yet" : texts[p->trust];
}

static brski_err_t *show_status(join_t *j)
{
    pledge_t *p = j->pledge;
    brski_json_t *doc = brski_json_object(j->call->pool);

    brski_json_set_string(doc, "server", j->plan.url);
    brski_json_set_string(doc, "connection", trust_text(p));
    put_cert(doc, "idevid", p->idevid.certs ? identity_ee(&p->idevid) : NULL);
    put_cert(doc, "server_showed",
             p->peer ? APR_ARRAY_IDX(p->peer, 0, const brski_cert_t *) : NULL);
    brski_json_set_string(doc, "voucher", p->pin ? "verified" : p->voucher.len ? "not verified"
                                                                               : "none yet");
    put_cert(doc, "pinned", p->pin);
    brski_json_set_int(doc, "ca_certificates", p->cacerts ? p->cacerts->nelts : 0);
    put_cert(doc, "certificate", p->ldevid.certs ? identity_ee(&p->ldevid) : NULL);
    if (p->ldevid.certs) {
        brski_json_set_string(doc, "valid_until",
                              brski_time_rfc3339(identity_ee(&p->ldevid)->not_after,
                                                 j->call->pool));
    }
    if (j->call->say->json) {
        say_row(j->call->say, NULL, doc);
        return BRSKI_OK;
    }
    say_record(j->call->say, doc);
    return BRSKI_OK;
}

/* ---- the words ---- */

static brski_err_t *need_voucher(join_t *j, const char *word)
{
    return j->pledge->trust != PLEDGE_PROVISIONAL
               ? BRSKI_OK
               : say_refuse(j->call->pool, "%s needs a trusted connection: 'voucher' first.", word);
}

static brski_err_t *do_voucher(join_t *j)
{
    if (!j->idevid.certs) {
        return say_refuse(j->call->pool, "voucher needs an IDevID (--idevid, --key, --anchor).");
    }
    j->pledge->request = brski_bytes(NULL, 0);
    j->pledge->pin = NULL;
    j->pledge->anchors = NULL;
    j->pledge->cacerts = NULL;
    return join_voucher(j);
}

static brski_err_t *do_cacerts(join_t *j)
{
    BRSKI_TRY(need_voucher(j, "cacerts"));
    return join_cacerts(j);
}

static brski_err_t *do_csrattrs(join_t *j)
{
    BRSKI_TRY(need_voucher(j, "csrattrs"));
    return join_csrattrs(j);
}

static brski_err_t *do_enroll(join_t *j)
{
    BRSKI_TRY(need_voucher(j, "enroll"));
    return join_enroll(j);
}

static brski_err_t *do_reenroll(join_t *j)
{
    if (!j->pledge->ldevid.certs) {
        return say_refuse(j->call->pool, "There is nothing to renew: 'enroll' first.");
    }
    return join_reenroll(j);
}

static brski_err_t *do_reset(join_t *j)
{
    join_reset(j);
    say_line(j->call->say, "as from the factory");
    return BRSKI_OK;
}

static brski_err_t *do_help(join_t *j);

static const struct word_t {
    const char *word;
    const char *what;
    brski_err_t *(*run)(join_t *j);
} words[] = {
    { "voucher", "connect, ask for a voucher, judge it and the server", do_voucher },
    { "cacerts", "the CA certificates", do_cacerts },
    { "csrattrs", "what a certificate shall say", do_csrattrs },
    { "enroll", "a certificate, and say that it works", do_enroll },
    { "reenroll", "the next certificate", do_reenroll },
    { "status", "what the pledge knows", show_status },
    { "reset", "as from the factory", do_reset },
    { "help", "these words", do_help },
    { "quit", "end", NULL },
    { NULL, NULL, NULL }
};

static brski_err_t *do_help(join_t *j)
{
    const struct word_t *w;

    for (w = words; w->word; w++) {
        say_line(j->call->say, "  %-10s %s", w->word, w->what);
    }
    return BRSKI_OK;
}

/* A word's end of line and blanks around it away. */
static char *trimmed(char *line)
{
    char *end;

    while (apr_isspace(*line)) {
        line++;
    }
    for (end = line + strlen(line); end > line && apr_isspace(end[-1]); end--) {
    }
    *end = '\0';
    return line;
}

/* *more 0: it was the last one. What a step has told already is not told again. */
static brski_err_t *obey(int *more, join_t *j, const char *line)
{
    const struct word_t *w;
    int before = j->number;
    brski_err_t *err;

    for (w = words; w->word && strcmp(w->word, line); w++) {
    }
    if (!w->word) {
        err = say_refuse(j->call->pool, "There is no %s; 'help' tells what there is.",
                         brski_printable(line, 60, j->call->pool));
        say_error(j->call->say, err);
        return err;
    }
    *more = w->run != NULL;
    err = w->run ? w->run(j) : BRSKI_OK;
    if (err && j->number == before) {
        say_error(j->call->say, err);
    }
    return err;
}

/* Exit status 1 when the last word that did something failed. */
brski_err_t *join_shell(join_t *j)
{
    int more = 1, asking = isatty(STDIN_FILENO) && !j->call->say->json;
    char line[LINE];

    while (more) {
        char *word;

        if (asking) {
            fputs("pledge> ", stdout);
            fflush(stdout);
        }
        if (!fgets(line, sizeof(line), stdin)) {
            break;
        }
        word = trimmed(line);
        if (*word && *word != '#' && strcmp(word, "quit") != 0) {
            j->call->status = obey(&more, j, word) ? EXIT_REFUSED : EXIT_DONE;
        }
        else if (*word == 'q') {
            more = 0;
        }
    }
    return BRSKI_OK;
}
