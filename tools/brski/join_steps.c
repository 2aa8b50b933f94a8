/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_steps.c: the order of a join, and telling it: for each step what it is, what was seen, and
 * what it proves, or why the pledge goes no further.
 */
#include <apr_strings.h>
#include <string.h>

#include "../common/say.h"
#include "check.h"
#include "join.h"
#include "show.h"

/* What the registrar has to be told when a step fails. */
typedef enum fault_t { FAULT_NONE = 0, FAULT_VOUCHER, FAULT_ENROLL } fault_t;

typedef struct step_t {
    const char *name;
    const char *section;
    const char *title;
    const char *proves;
    fault_t fault;
    brski_err_t *(*run)(join_t *j);
} step_t;

/* ---- telling ---- */

static void tell_line(void *baton, const char *line)
{
    join_t *j = baton;

    brski_json_append_string(j->said, line);
    say_line(j->call->say, "   %s", line);
    fflush(j->call->say->out);        /* a wait may follow */
}

static void tell_fact(void *baton, const char *name, const char *value)
{
    join_t *j = baton;

    brski_json_set_string(j->doc, name, value);
}

static void begin(join_t *j, const step_t *step)
{
    j->number++;
    j->doc = brski_json_object(j->call->pool);
    j->said = brski_json_array(j->call->pool);
    brski_json_set_int(j->doc, "number", j->number);
    brski_json_set_string(j->doc, "step", step->name);
    brski_json_set_string(j->doc, "section", step->section);
    say_line(j->call->say, "%d. %s (RFC %s%s)", j->number, step->title,
             step->section[1] == '.' ? "8995 " : "", step->section);
    fflush(j->call->say->out);
}

static void finish(join_t *j, const step_t *step, const brski_err_t *err)
{
    const char *text = err ? show_sentence(err, j->call->pool) : step->proves;

    brski_json_set_string(j->doc, "result", err ? "failed" : "done");
    brski_json_set_string(j->doc, err ? "reason" : "proves", text);
    brski_json_set(j->doc, "said", j->said);
    say_line(j->call->say, "   %s %s", err ? "STOP:" : "=>", text);
    if (j->call->say->json) {
        say_row(j->call->say, NULL, j->doc);
    }
    fflush(j->call->say->out);
}

/* ---- the steps ---- */

static brski_err_t *run_connect(join_t *j)
{
    return pledge_connect(j->pledge);
}

static brski_err_t *run_request(join_t *j)
{
    return pledge_make_request(j->pledge);
}

static brski_err_t *run_voucher(join_t *j)
{
    BRSKI_TRY(pledge_ask_voucher(j->pledge));
    return join_save_voucher(j);
}

static brski_err_t *run_verify(join_t *j)
{
    brski_err_t *err = pledge_verify_voucher(j->pledge);

    brski_json_set(j->doc, "checks", check_json(j->pledge->checks, j->call->pool));
    return err;
}

static brski_err_t *run_registrar(join_t *j)
{
    return pledge_judge_registrar(j->pledge);
}

static brski_err_t *run_status(join_t *j)
{
    return pledge_voucher_status(j->pledge, NULL);
}

/* RFC 8995 5.7: a stranger may be reading, so no more than that. */
static brski_err_t *run_status_bad(join_t *j)
{
    return pledge_voucher_status(j->pledge, "the voucher was not accepted");
}

static brski_err_t *run_cacerts(join_t *j)
{
    BRSKI_TRY(pledge_get_cacerts(j->pledge));
    return join_save_cacerts(j);
}

static brski_err_t *run_csrattrs(join_t *j)
{
    return pledge_get_csrattrs(j->pledge);
}

static brski_err_t *run_enroll(join_t *j)
{
    return pledge_enroll(j->pledge);
}

static brski_err_t *run_reenroll(join_t *j)
{
    return pledge_reenroll(j->pledge);
}

static brski_err_t *run_certificate(join_t *j)
{
    BRSKI_TRY(pledge_check_certificate(j->pledge));
    return join_save_certificate(j);
}

static brski_err_t *run_reconnect(join_t *j)
{
    return pledge_connect_trusted(j->pledge, &j->pledge->ldevid);
}

static brski_err_t *run_enrolled(join_t *j)
{
    return pledge_enroll_status(j->pledge, NULL);
}

static brski_err_t *run_enrolled_bad(join_t *j)
{
    return pledge_enroll_status(j->pledge, "no certificate that the pledge can use");
}

static const step_t voucher_steps[] = {
    { "connect", "5.1", "TLS with a registrar that is not trusted yet",
      "It knows now that we hold the key of our IDevID. Of it we know nothing, but will remember"
      " its certificate.", FAULT_NONE, run_connect },
    { "request", "5.2", "A signed request that names the certificate it showed",
      "Nobody else can use this request: it says which registrar we met, and its nonce serves"
      " once.", FAULT_NONE, run_request },
    { "voucher", "5.4", "It asks our manufacturer for a voucher",
      "Something came back; nobody has looked at it yet.", FAULT_NONE, run_voucher },
    { "verify", "5.6.1", "What the voucher says, and who signed it",
      "Our manufacturer signed it, for this device, for this request, now.", FAULT_VOUCHER,
      run_verify },
    { "registrar", "5.6.2", "Is the server that we are connected to the one that the voucher names",
      "Our manufacturer speaks of this very server: the connection is trusted from here on.",
      FAULT_VOUCHER, run_registrar },
    { "voucher_status", "5.7", "We tell the registrar what we think of the voucher",
      "Its owner can see that the device has accepted the network.", FAULT_NONE, run_status },
    { NULL, NULL, NULL, NULL, FAULT_NONE, NULL }
};

static const step_t status_bad = {
    "voucher_status", "5.7", "We tell the registrar that the voucher is no good",
    "Its owner can see that the device went away, and that something is wrong.", FAULT_NONE,
    run_status_bad
};

static const step_t cacerts = {
    "cacerts", "5.9.1", "The CA certificates of the domain",
    "They came over the trusted connection: whom this network trusts, the device trusts.",
    FAULT_ENROLL, run_cacerts
};

static const step_t csrattrs = {
    "csrattrs", "5.9.2", "What the certificate shall say",
    "The request for a certificate will say what this network wants it to.", FAULT_ENROLL,
    run_csrattrs
};

static const step_t enroll_steps[] = {
    { "enroll", "5.9.3", "A new key, and the request for its certificate",
      "The CSR is signed with the new key: that the device has it needs no belief.", FAULT_ENROLL,
      run_enroll },
    { "certificate", "7030 4.2.3", "The certificate that was issued",
      "It is of our key and leads to the domain's CA: the device is a member of the network.",
      FAULT_ENROLL, run_certificate },
    { "reconnect", "5.9.4", "A new connection, with the new certificate",
      "The network accepts it, and its server leads to the CA certificates.", FAULT_NONE,
      run_reconnect },
    { "enrollstatus", "5.9.4", "We tell the registrar that we are enrolled",
      "The registrar has seen the new certificate in use.", FAULT_NONE, run_enrolled },
    { NULL, NULL, NULL, NULL, FAULT_NONE, NULL }
};

static const step_t enrolled_bad = {
    "enrollstatus", "5.9.4", "We tell the registrar that it did not work",
    "Its owner can see that the device has no certificate.", FAULT_NONE, run_enrolled_bad
};

static const step_t renew_connect = {
    "connect", "7030 3.6.1", "TLS with the certificate that we have",
    "The server leads to the CA certificates that we know, and is the host or a registrar.",
    FAULT_NONE, run_reconnect
};

static const step_t reenroll_steps[] = {
    { "reenroll", "7030 4.2.2", "The request for the next certificate, with the same names",
      "The old certificate says who asks, the CSR's signature that the device has the key.",
      FAULT_NONE, run_reenroll },
    { "certificate", "7030 4.2.3", "The certificate that was issued",
      "It is of our key, for the same subject, and leads to the domain's CA.", FAULT_NONE,
      run_certificate },
    { "reconnect", "7030 3.3.2", "A new connection, with the new certificate",
      "The network accepts it.", FAULT_NONE, run_reconnect },
    { NULL, NULL, NULL, NULL, FAULT_NONE, NULL }
};

/* ---- their order ---- */

static brski_err_t *take(join_t *j, const step_t *step)
{
    brski_err_t *err;

    begin(j, step);
    err = step->run(j);
    finish(j, step, err);
    return err;
}

/* Take a step; if it fails, tell the registrar. What comes of that changes nothing. */
static brski_err_t *take_or_tell(join_t *j, const step_t *step)
{
    brski_err_t *err = take(j, step);

    if (err && step->fault == FAULT_VOUCHER) {
        take(j, &status_bad);
        pledge_hang_up(j->pledge);
    }
    if (err && step->fault == FAULT_ENROLL) {
        take(j, &enrolled_bad);
    }
    return err;
}

static brski_err_t *take_all(join_t *j, const step_t *steps)
{
    for (; steps->name; steps++) {
        BRSKI_TRY(take_or_tell(j, steps));
    }
    return BRSKI_OK;
}

void join_reset(join_t *j)
{
    if (j->pledge) {
        pledge_hang_up(j->pledge);
    }
    j->plan.tell = tell_line;
    j->plan.fact = tell_fact;
    j->plan.baton = j;
    j->pledge = pledge_make(&j->plan, j->idevid.certs ? &j->idevid : NULL, j->call->ctx,
                            j->call->pool);
}

brski_err_t *join_voucher(join_t *j)
{
    j->pledge->waited = 0;
    return take_all(j, voucher_steps);
}

brski_err_t *join_cacerts(join_t *j)
{
    return take_or_tell(j, &cacerts);
}

brski_err_t *join_csrattrs(join_t *j)
{
    return take_or_tell(j, &csrattrs);
}

brski_err_t *join_enroll(join_t *j)
{
    j->pledge->waited = 0;
    j->pledge->ldevid.certs = NULL;   /* a first certificate, whatever there was before */
    if (!j->pledge->cacerts) {
        BRSKI_TRY(join_cacerts(j));
    }
    if (!j->pledge->attrs_known) {
        BRSKI_TRY(join_csrattrs(j));
    }
    return take_all(j, enroll_steps);
}

brski_err_t *join_reenroll(join_t *j)
{
    j->pledge->waited = 0;
    BRSKI_TRY(take(j, &renew_connect));
    if (!j->pledge->cacerts) {
        BRSKI_TRY(take(j, &cacerts));
    }
    BRSKI_TRY(take(j, &csrattrs));
    return take_all(j, reenroll_steps);
}
