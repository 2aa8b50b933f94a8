/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll.c: the EST server's decision (RFC 7030 4.2, RFC 8995 5.9), step by step: who asks,
 * may it, what does it ask for, is that bound to its connection, what does it get, was that asked
 * before, a human's word, and only then the CA. What was issued is recorded before anybody sees it,
 * guarded by what was read; who comes second reads what the first one wrote.
 */
#include "brski_enroll_steps.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_log.h"

/* RFC 7030 4.2.3: seconds. The audit log of a device is judged within one or two; a human takes
 * longer. */
#define RETRY_VERDICT 2
#define RETRY_HUMAN 60
#define TRIES 4

/* So many certificates a device gets within an hour: it must not fill the records. */
#define CERTIFICATES_MAX 100
#define CERTIFICATES_WITHIN apr_time_from_sec(3600)

/* One decision on its way. */
typedef struct deciding_t {
    const brski_est_t *est;
    const brski_enroll_request_t *request;
    const brski_label_t *label;
    brski_enroll_answer_t *answer;
    brski_enroll_who_t *who;
    brski_pledge_t *pledge; /* of a device; NULL */
    brski_csr_t *csr;
    brski_template_t *tmpl;
    const char *request_key;
    apr_time_t now;
    apr_pool_t *pool; /* of the result */
    apr_pool_t *scratch_pool;
} deciding_t;

const brski_label_t *brski_est_label(const brski_est_t *est, const char *name)
{
    int i;

    for (i = 0; i < est->labels->nelts; i++) {
        const brski_label_t *label = APR_ARRAY_IDX(est->labels, i, brski_label_t *);

        if (!strcmp(label->name, name)) {
            return label;
        }
    }
    return NULL;
}

static void let_wait(deciding_t *d, apr_int64_t seconds)
{
    d->answer->status = 202;
    d->answer->retry_after = seconds;
}

static int is_answered(const deciding_t *d)
{
    return d->answer->status != 0;
}

/* ---- may it? ---- */

/* A device for which no voucher is wanted is still one that somebody lets in. */
static brski_err_t *check_welcome(deciding_t *d)
{
    brski_pledges_t rule = d->who->manufacturer ? d->who->manufacturer->pledges : BRSKI_PLEDGES_ANY;

    BRSKI_TRY(brski_records_pledge_get(&d->pledge, d->est->registrar->records,
                                       d->who->requester.manufacturer,
                                       d->who->requester.serial_number, d->pool, d->scratch_pool));
    if (d->pledge && d->pledge->verdict == BRSKI_VERDICT_BAD) {
        return brski_err(BRSKI_E_AUDIT_BAD, NULL, d->pool, "%s has a bad history", d->who->text);
    }
    if (rule == BRSKI_PLEDGES_ANY || (d->pledge && d->pledge->welcome == BRSKI_WELCOME_ALLOWED)) {
        return BRSKI_OK;
    }
    if (rule == BRSKI_PLEDGES_APPROVE) {
        BRSKI_TRY(brski_records_pledge_seen(
            d->est->registrar->records, d->who->requester.manufacturer,
            d->who->requester.serial_number, d->who->requester.client_cert->der,
            d->who->requester.client_cert->spki_hex, d->now, d->scratch_pool));
        let_wait(d, RETRY_HUMAN);
        return BRSKI_OK;
    }
    return brski_err(BRSKI_E_PLEDGE_UNKNOWN, NULL, d->pool, "%s is not on the list", d->who->text);
}

/* A certificate of a label that wants no voucher must not stand for one where it is wanted. */
static int wants_voucher(const deciding_t *d)
{
    return d->label->require_voucher
           && (d->who->kind == BRSKI_ENROLL_DEVICE
               || strcmp(d->who->issued->label, d->label->name));
}

/*
 * RFC 8995 5.9, for enrolment and renewal alike: a device whose history is bad gets nothing any
 * more. The voucher itself is wanted, where the label says so, of one that has no certificate of
 * this label yet.
 */
static brski_err_t *check_gate(deciding_t *d)
{
    const brski_requester_t *r = &d->who->requester;
    int by_idevid = d->who->kind == BRSKI_ENROLL_DEVICE;
    brski_gate_answer_t gate = BRSKI_GATE_OPEN;
    brski_err_t *err;

    d->pledge = NULL;
    if (!r->manufacturer) {
        return BRSKI_OK;
    }
    err = brski_registrar_gate(&gate, &d->pledge, d->est->registrar, r->manufacturer,
                               r->serial_number, by_idevid ? r->client_cert->spki_hex : NULL,
                               d->pool, d->scratch_pool);
    if (err && err->code == BRSKI_E_NO_VOUCHER && !wants_voucher(d)) {
        return by_idevid ? check_welcome(d) : BRSKI_OK;
    }
    if (!err && gate == BRSKI_GATE_WAIT) {
        let_wait(d, RETRY_VERDICT);
        d->answer->waits_for = d->pledge ? d->pledge->request : NULL;
    }
    return err;
}

/* ---- what does it ask for? ---- */

/* RFC 7030 4.2.1; who sends none is not told off. */
static brski_err_t *check_media_type(const deciding_t *d)
{
    static const char wanted[] = "application/pkcs10";
    const char *type = d->request->content_type;
    apr_size_t len = strlen(wanted);

    if (!type || (!strncasecmp(type, wanted, len) && (!type[len] || strchr("; \t", type[len])))) {
        return BRSKI_OK;
    }
    return brski_err_say(brski_err(BRSKI_E_MEDIA_TYPE, NULL, d->pool, "Content-Type %s",
                                   brski_printable(type, 200, d->pool)),
                         d->pool, "The Content-Type is not application/pkcs10.");
}

static brski_err_t *read_csr(deciding_t *d)
{
    brski_bytes_t der;

    BRSKI_TRY(check_media_type(d));
    BRSKI_TRY(brski_est_body_decode(&der, d->request->body, d->est->limits, d->scratch_pool));
    BRSKI_TRY(brski_csr_parse(&d->csr, der, d->est->limits, d->pool, d->scratch_pool));
    return brski_csr_check_pop(d->csr, &d->request->binding, d->label->pop, d->pool);
}

/* ---- what does it get? ---- */

static brski_err_t *not_renewable(const deciding_t *d)
{
    return brski_err_say(
        brski_err(BRSKI_E_REENROLL_CERTIFICATE, NULL, d->pool, "reenrolment by %s", d->who->text),
        d->pool,
        "Only a certificate that was issued here can be renewed, by itself as TLS client "
        "certificate.");
}

/* The certificate to be renewed, as it stands, while its end is far. A new key is taken at any
 * time. */
static int is_early(const deciding_t *d)
{
    const brski_issued_t *old = d->who->issued;

    return d->label->reenroll_before && !strcmp(d->csr->spki_hex, old->spki)
           && d->now < old->not_after - d->label->reenroll_before;
}

static brski_err_t *renew(deciding_t *d)
{
    const brski_issued_t *old = d->who->issued;

    if (d->who->kind != BRSKI_ENROLL_OWN) {
        return not_renewable(d);
    }
    BRSKI_TRY(brski_profile_renew(&d->tmpl, d->label->profile, &d->who->requester, d->csr,
                                  d->who->requester.client_cert, d->now, d->pool, d->scratch_pool));
    if (!d->label->reenroll_same_key && !strcmp(d->csr->spki_hex, old->spki)) {
        return brski_err_say(
            brski_err(BRSKI_E_CSR_KEY, NULL, d->pool, "renewal with the same key"), d->pool,
            "A certificate is renewed with a new key here; the certification request has the old "
            "one.");
    }
    return BRSKI_OK;
}

static brski_err_t *make_template(deciding_t *d)
{
    if (d->request->operation == BRSKI_SIMPLEREENROLL) {
        return renew(d);
    }
    return brski_profile_apply(&d->tmpl, d->label->profile, &d->who->requester, d->csr, d->now,
                               d->pool, d->scratch_pool);
}

/* ---- was it asked before? ---- */

static const char *hex_of(brski_bytes_t b, apr_pool_t *pool)
{
    return b.len ? brski_sha256_hex(b, pool) : "-";
}

/*
 * RFC 8995 5.9.3: who asks for the same gets the same. The same is: label and CA, requester, key
 * and names, and for a device the voucher by which it is here (one that was reset has another), for
 * a renewal what is renewed.
 */
static const char *make_request_key(const deciding_t *d)
{
    const char *text = apr_pstrcat(
        d->scratch_pool, "enrolment 1\n", d->label->name, "\n", d->label->ca->key_id, "\n",
        hex_of(brski_bytes_str(d->who->identity), d->scratch_pool), "\n", d->csr->spki_hex, "\n",
        hex_of(d->csr->subject, d->scratch_pool), "\n", hex_of(d->csr->san, d->scratch_pool), "\n",
        d->pledge && d->pledge->request ? d->pledge->request : "-", "\n",
        d->request->operation == BRSKI_SIMPLEREENROLL ? d->who->issued->serial : "-", NULL);

    return brski_sha256_hex(brski_bytes_str(text), d->pool);
}

static brski_err_t *answer_with(deciding_t *d, const brski_issued_t *issued, int again)
{
    apr_array_header_t *one = apr_array_make(d->pool, 1, sizeof(brski_bytes_t));

    APR_ARRAY_PUSH(one, brski_bytes_t) = issued->der;
    BRSKI_TRY(brski_certs_only_make(&d->answer->certs_only, one, d->pool));
    d->answer->issued = issued;
    d->answer->again = again;
    d->answer->status = 200;
    return BRSKI_OK;
}

static brski_err_t *look_for_same(deciding_t *d)
{
    brski_issued_t *issued;

    if (d->request->operation == BRSKI_SIMPLEREENROLL && is_early(d)) {
        return answer_with(d, d->who->issued, 1);
    }
    BRSKI_TRY(brski_records_certificate_same(&issued, d->est->registrar->records, d->request_key,
                                             d->now, d->pool, d->scratch_pool));
    return issued ? answer_with(d, issued, 1) : BRSKI_OK;
}

/* A key that was revoked is not certified again, whatever the voucher says. */
static brski_err_t *check_history(const deciding_t *d)
{
    const brski_requester_t *r = &d->who->requester;
    const char *revoked;
    int recent;

    if (!r->manufacturer) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_certificate_sums(&recent, &revoked, d->est->registrar->records,
                                             r->manufacturer, r->serial_number, d->csr->spki_hex,
                                             d->now - CERTIFICATES_WITHIN, d->pool,
                                             d->scratch_pool));
    if (revoked) {
        return brski_err_say(
            brski_err(BRSKI_E_CSR_KEY, NULL, d->pool, "key of revoked certificate %s", revoked),
            d->pool, "A certificate of this key has been revoked; make a new key.");
    }
    return recent < CERTIFICATES_MAX
               ? BRSKI_OK
               : brski_err(BRSKI_E_RACE, NULL, d->pool, "%s got %d certificates within an hour",
                           d->who->text, recent);
}

/* ---- a human's word ---- */

static brski_err_t *check_approval(deciding_t *d)
{
    brski_approval_t asked = { d->request_key, d->label->name, d->who->text, d->csr->der,
                               "waiting",      NULL,           d->now,       0 };
    brski_approval_t *approval;

    if (!d->label->approve) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_approval(&approval, d->est->registrar->records, &asked, d->pool,
                                     d->scratch_pool));
    if (!strcmp(approval->state, "refused")) {
        return brski_err(BRSKI_E_ENROLL_REFUSED, NULL, d->pool, "%s refused it",
                         approval->by ? approval->by : "somebody");
    }
    if (strcmp(approval->state, "approved")) {
        let_wait(d, RETRY_HUMAN);
    }
    return BRSKI_OK;
}

/* ---- issue and record ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The event is for people; the certificate's own row is what counts. */
static void note_issued(const deciding_t *d, const brski_issued_t *issued)
{
    brski_note_t note = { .at = d->now,
                          .id = apr_pstrcat(d->pool, "issued-", issued->serial, NULL),
                          .kind = "issued",
                          .manufacturer = issued->manufacturer,
                          .serial_number = issued->serial_number,
                          .request_id = d->request->peer->request_id,
                          .address = d->request->peer->address };
    brski_err_t *err;

    note.text = apr_psprintf(d->pool, "certificate %s of '%s' for %s", issued->serial,
                             issued->subject, d->who->text);
    err = brski_records_note_put(d->est->registrar->records, &note, d->scratch_pool);
    if (err) {
        brski_logf(d->request->peer->log, BRSKI_LOG_INFO, err->code,
                   "the event of certificate %s was not recorded: %s", issued->serial,
                   brski_err_text(err, d->scratch_pool));
    }
}

/* Without an answer: somebody was faster, or something moved. */
static brski_err_t *issue(deciding_t *d)
{
    brski_issued_t *row;
    brski_bytes_t der;
    int put;

    BRSKI_TRY(check_history(d));
    BRSKI_TRY(d->label->ca->kind->issue(&der, d->label->ca, d->tmpl, d->pool, d->scratch_pool));
    BRSKI_TRY(brski_enroll_row(&row, der, d->label->ca, d->csr, d->pool, d->scratch_pool));
    row->label = d->label->name;
    row->request_key = d->request_key;
    row->manufacturer = or_empty(d->who->requester.manufacturer);
    row->serial_number = or_empty(d->who->requester.serial_number);
    row->user = or_empty(d->who->requester.user);
    row->issued_at = d->now;
    BRSKI_TRY(brski_records_certificate_put(&put, d->est->registrar->records, row, d->pledge,
                                            d->now, d->scratch_pool));
    if (put) {
        BRSKI_TRY(answer_with(d, row, 0));
        note_issued(d, row);
    }
    return BRSKI_OK;
}

/* From the gate on: what may move between reading and writing. */
static brski_err_t *decide_once(deciding_t *d)
{
    BRSKI_TRY(check_gate(d));
    if (is_answered(d)) {
        return BRSKI_OK;
    }
    if (!d->csr) {
        BRSKI_TRY(read_csr(d));
        BRSKI_TRY(make_template(d));
    }
    d->request_key = make_request_key(d);
    BRSKI_TRY(look_for_same(d));
    if (is_answered(d)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(check_approval(d));
    return is_answered(d) ? BRSKI_OK : issue(d);
}

static brski_err_t *decide(deciding_t *d)
{
    int tries;

    BRSKI_TRY(brski_enroll_who(&d->who, d->est, d->request, d->pool, d->scratch_pool));
    d->answer->requester = d->who->text;
    d->answer->manufacturer = d->who->requester.manufacturer;
    d->answer->serial_number = d->who->requester.serial_number;
    for (tries = 0; tries < TRIES; tries++) {
        BRSKI_TRY(decide_once(d));
        if (is_answered(d)) {
            return BRSKI_OK;
        }
    }
    return brski_err(BRSKI_E_RACE, NULL, d->pool, "something moved %d times", TRIES);
}

brski_err_t *brski_enroll(brski_enroll_answer_t **answer, const brski_est_t *est,
                          const brski_enroll_request_t *request, apr_pool_t *result_pool,
                          apr_pool_t *scratch_pool)
{
    deciding_t d = { .est = est,
                     .request = request,
                     .label = request->label,
                     .now = est->ctx->now(est->ctx->baton),
                     .pool = result_pool,
                     .scratch_pool = scratch_pool };

    *answer = d.answer = apr_pcalloc(result_pool, sizeof(*d.answer));
    return decide(&d);
}

/* ---- CSR attributes ---- */

brski_err_t *brski_enroll_csrattrs(brski_bytes_t *der, const brski_est_t *est,
                                   const brski_enroll_request_t *request, apr_pool_t *result_pool,
                                   apr_pool_t *scratch_pool)
{
    brski_enroll_who_t *who;
    brski_err_t *err = brski_enroll_who(&who, est, request, scratch_pool, scratch_pool);

    *der = brski_bytes(NULL, 0);
    if (err && err->status >= 500) {
        return err;
    }
    return brski_csrattrs_make(der, request->label->profile, who ? &who->requester : NULL,
                               request->label->pop, result_pool, scratch_pool);
}
