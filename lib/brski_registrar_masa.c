/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_masa.c: one question to a manufacturer's MASA, RFC 8995 5.4 to 5.6: where it
 * is, which addresses may be spoken to, whom to trust there, and what its answers mean before
 * anybody looks at a voucher. The URL in an IDevID is a stranger's input.
 */
#include "brski_registrar_steps.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"

#define VOUCHER_TYPE "application/voucher-cms+json"

/* Longer a MASA cannot put us off with Retry-After. */
#define WAIT_MAX 3600

/* ---- where ---- */

brski_err_t *brski_registrar_masa_base(const char **base, const brski_registrar_t *registrar,
                                       const brski_manufacturer_t *manufacturer,
                                       const brski_cert_t *idevid, apr_pool_t *pool)
{
    const char *url;
    brski_err_t *err;

    *base = manufacturer->masa_url ? manufacturer->masa_url : brski_cert_masa_url(idevid, pool);
    if (!*base) {
        return brski_err(BRSKI_E_MASA_URL, NULL, pool, "no MASA URL in %s, no ESTMASAURL for %s",
                         idevid->subject, manufacturer->name);
    }
    /* the socket's address would be the proxy's: nothing could be judged but the name */
    if (registrar->proxy && !manufacturer->masa_url) {
        return brski_err(BRSKI_E_MASA_URL, NULL, pool, "%s: behind a proxy only a configured "
                         "ESTMASAURL is asked", brski_printable(*base, 300, pool));
    }
    err = brski_client_masa_url(&url, *base, "requestvoucher", pool);
    return err ? brski_err(BRSKI_E_MASA_URL, err, pool, "%s", err->public_text) : BRSKI_OK;
}

static int is_listed(const brski_registrar_t *registrar, const char *address, apr_pool_t *pool)
{
    apr_sockaddr_t *sa;
    int i;

    if (!registrar->addresses || !registrar->addresses->nelts
        || apr_sockaddr_info_get(&sa, address, APR_UNSPEC, 0, 0, pool) != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < registrar->addresses->nelts; i++) {
        if (apr_ipsubnet_test(APR_ARRAY_IDX(registrar->addresses, i, apr_ipsubnet_t *), sa)) {
            return 1;
        }
    }
    return 0;
}

int brski_registrar_address_ok(const brski_registrar_t *registrar, int configured,
                               const char *address, int port, apr_pool_t *scratch_pool)
{
    if (registrar->addresses_any) {
        return 1;
    }
    /* other services' ports are not for strangers to choose */
    if (!configured && port != 443 && port < 1024) {
        return 0;
    }
    /* a numeric address only: nothing here may ask DNS */
    if (brski_address_kind_text(address) == BRSKI_ADDRESS_PUBLIC) {
        return 1;
    }
    return address[strspn(address, "0123456789abcdefABCDEF.:%")] == '\0'
           && is_listed(registrar, address, scratch_pool);
}

static int address_ok(void *baton, const char *address, int port)
{
    brski_masa_line_t *line = baton;

    if (brski_registrar_address_ok(line->registrar, line->configured, address, port,
                                   line->pool)) {
        line->allowed = 1;
        return 1;
    }
    line->refused = apr_psprintf(line->pool, "%s port %d", address, port);
    return 0;
}

/* ---- whom to trust ---- */

static void untrusted(void *baton, const apr_array_header_t *chain)
{
    brski_masa_line_t *line = baton;
    int i;

    line->shown = apr_array_make(line->pool, chain->nelts, sizeof(brski_bytes_t));
    for (i = 0; i < chain->nelts; i++) {
        APR_ARRAY_PUSH(line->shown, brski_bytes_t) =
            brski_bytes_dup(APR_ARRAY_IDX(chain, i, brski_bytes_t), line->pool);
    }
}

/* Tops of the chains that a human has approved for this manufacturer's TLS servers. */
static brski_err_t *approved(const apr_array_header_t **out, const brski_registrar_job_t *job)
{
    apr_array_header_t *list, *tops = apr_array_make(job->pool, 2, sizeof(brski_bytes_t));
    int i;

    BRSKI_TRY(brski_records_first_uses(&list, job->registrar->records, job->manufacturer->name,
                                       "tls", job->pool, job->pool));
    for (i = 0; i < list->nelts; i++) {
        const brski_first_use_t *f = APR_ARRAY_IDX(list, i, const brski_first_use_t *);

        if (!strcmp(f->state, "approved") && f->chain->nelts) {
            APR_ARRAY_PUSH(tops, brski_bytes_t) =
                APR_ARRAY_IDX(f->chain, f->chain->nelts - 1, brski_bytes_t);
        }
    }
    *out = tops;
    return BRSKI_OK;
}

static brski_err_t *make_client(brski_masa_line_t *line, const brski_registrar_job_t *job,
                                apr_pool_t *pool)
{
    const brski_registrar_t *r = job->registrar;
    const brski_manufacturer_t *m = job->manufacturer;
    brski_client_options_t o;

    memset(&o, 0, sizeof(o));
    o.chain_file = m->client_chain_file;
    o.key_file = m->client_key_file;
    o.user = m->login_user;
    o.password = m->login_password;
    o.timeout = r->masa_timeout;
    o.connect_timeout = r->masa_timeout < apr_time_from_sec(10) ? r->masa_timeout : 0;
    o.max_answer = r->masa_max_answer;
    o.resolve = r->resolve;
    o.proxy = m->masa_url ? r->proxy : NULL;
    o.address_ok = o.proxy ? NULL : address_ok;
    o.baton = line;
    if (m->tls_trust == BRSKI_TRUST_ANCHORS) {
        o.anchors = m->tls_anchor_file;
    }
    else if (m->tls_trust == BRSKI_TRUST_TOFU) {
        o.untrusted = untrusted;
        BRSKI_TRY(approved(&o.trusted, job));
    }
    return (r->make_client ? r->make_client : brski_client_curl_make)(&line->client, &o, pool);
}

/* The line to the row's MASA: one that was kept, or a new one. What humans may take back any moment
 * is looked at for each question: such lines are not kept. */
static brski_err_t *get_line(brski_masa_line_t **out, const brski_registrar_job_t *job,
                             const char *base)
{
    const brski_manufacturer_t *m = job->manufacturer;
    brski_masa_lines_t *lines =
        m->tls_trust == BRSKI_TRUST_TOFU ? NULL : job->registrar->lines;
    brski_masa_line_t *line = brski_masa_line_take(lines, m, base, job->now, job->pool);

    *out = line;
    line->registrar = job->registrar;
    line->configured = m->masa_url != NULL;
    return line->client ? BRSKI_OK : make_client(line, job, line->own ? line->own : job->pool);
}

/* ---- a server of a stranger ---- */

static const char *host_of(const char *url, apr_pool_t *pool)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    return apr_pstrmemdup(pool, host, strcspn(host, "/"));
}

/* Parked until a human has compared the fingerprint; one that was distrusted is a MASA that cannot
 * be reached. */
static brski_err_t *first_use(brski_registrar_job_t *job, const brski_masa_line_t *line,
                              const char *url)
{
    brski_bytes_t top = APR_ARRAY_IDX(line->shown, line->shown->nelts - 1, brski_bytes_t);
    brski_first_use_t shown = { .purpose = "tls", .state = "waiting" }, *known;
    const brski_cert_t *cert;

    BRSKI_TRY(brski_cert_parse(&cert, top, job->registrar->limits, NULL, job->pool));
    shown.manufacturer = job->manufacturer->name;
    shown.spki = cert->spki_hex;
    shown.host = host_of(url, job->pool);
    shown.chain = line->shown;
    shown.first_seen_at = job->now;
    BRSKI_TRY(brski_records_first_use(&known, job->registrar->records, &shown, job->pool,
                                      job->pool));
    if (!strcmp(known->state, "distrusted")) {
        brski_job_trouble(job, brski_err(BRSKI_E_MASA_FAILED, NULL, job->pool,
                                         "%s showed %s, which is distrusted", shown.host,
                                         cert->subject), "masa-distrusted", 1, WAIT_MAX);
        return BRSKI_OK;
    }
    if (known->first_seen_at == job->now) {
        brski_job_alarm(job, "masa-tls-new", "The MASA of %s at %s shows certificates of an "
                        "unknown issuer, %s, SHA-256 of its key %s; compare it with the "
                        "manufacturer's and approve or distrust it", job->manufacturer->name,
                        shown.host, cert->subject, cert->spki_hex);
    }
    brski_job_park(job, "the MASA's TLS certificate waits for approval");
    return BRSKI_OK;
}

/* ---- asking ---- */

static brski_err_t *failed(const brski_registrar_job_t *job, const brski_err_t *cause,
                           const char *what)
{
    return brski_err(BRSKI_E_MASA_FAILED, cause, job->pool, "%s", what);
}

static void no_answer(brski_registrar_job_t *job, const brski_masa_line_t *line, const char *url,
                      const brski_err_t *err)
{
    if (line->refused && !line->allowed) {
        brski_job_refuse(job, brski_err(BRSKI_E_MASA_URL, NULL, job->pool,
                                        "%s leads to %s, where ESTMASAAddresses does not let us",
                                        brski_printable(url, 300, job->pool), line->refused), 0);
        return;
    }
    if (line->shown && !first_use(job, line, url)) {
        return;
    }
    brski_job_trouble(job, failed(job, err, err->public_text), "masa-failed", 0, -1);
}

static const char *base_of(const brski_registrar_job_t *job)
{
    return job->manufacturer->masa_url ? job->manufacturer->masa_url : job->request->masa_url;
}

static brski_err_t *exchange(brski_client_answer_t **answer, brski_registrar_job_t *job,
                             brski_masa_line_t *line, const char *operation, brski_bytes_t rvr,
                             const char **url)
{
    brski_client_request_t request;

    memset(&request, 0, sizeof(request));
    if (*url) {
        request.method = "GET";
    }
    else {
        BRSKI_TRY(brski_client_masa_url(url, base_of(job), operation, job->pool));
        request.method = "POST";
        request.content_type = VOUCHER_TYPE;
        request.body = rvr;
    }
    request.url = *url;
    request.accept = strcmp(operation, "requestvoucher") ? "application/json" : VOUCHER_TYPE;
    return line->client->send(answer, line->client, &request, job->pool, job->pool);
}

brski_client_answer_t *brski_registrar_ask(brski_registrar_job_t *job, const char *operation,
                                           brski_bytes_t rvr, const char *url)
{
    brski_client_answer_t *answer = NULL;
    brski_masa_line_t *line;
    brski_err_t *err = get_line(&line, job, base_of(job));

    if (!err) {
        err = exchange(&answer, job, line, operation, rvr, &url);
    }
    /* that took a while */
    job->now = job->registrar->ctx->now(job->registrar->ctx->baton);
    if (err) {
        no_answer(job, line, url ? url : job->request->masa_url, err);
        brski_masa_line_end(line);
        return NULL;
    }
    brski_masa_line_keep(job->registrar->lines, line, job->now);
    if (answer->status == 401) {
        /* 5.4: fail gracefully, and tell whoever can change the login */
        brski_job_trouble(job,
                          failed(job, NULL, apr_psprintf(job->pool, "%s wants a login: 401",
                                                         brski_printable(url, 300, job->pool))),
                          "masa-login", 1, 60);
        return NULL;
    }
    return answer;
}

/* ---- the voucher's answers ---- */

/* What a MASA says for people, cut to what a log line takes. */
static const char *words(const brski_client_answer_t *a, apr_pool_t *pool)
{
    return brski_printable(a->body.len ? (const char *)a->body.data : "", 300, pool);
}

/* 5.5: its status is passed on, with our own words; its text is for our operator. */
static void refused(brski_registrar_job_t *job, const brski_client_answer_t *a)
{
    brski_err_t *err = brski_err(BRSKI_E_MASA_REFUSED, NULL, job->pool, "the MASA answers %d: %s",
                                 a->status, words(a, job->pool));

    if (a->status == 404) {
        brski_err_say(err, job->pool, "The manufacturer's MASA does not know the device.");
    }
    else if (a->status == 406) {
        brski_err_say(err, job->pool, "The manufacturer's MASA has no voucher of a type that this "
                      "network can pass on.");
    }
    brski_job_refuse(job, err, a->status);
}

static int take_voucher(brski_registrar_job_t *job, const brski_client_answer_t *a)
{
    brski_format_t format;
    const char *why = NULL;

    if (!a->body.len) {
        why = "the MASA answers 200 without a voucher";
    }
    else if (brski_format_from_content_type(&format, a->content_type, job->pool)
             || format != BRSKI_FORMAT_CMS) {
        why = apr_psprintf(job->pool, "the MASA answers 200 with content of type %s",
                           brski_printable(a->content_type, 100, job->pool));
    }
    if (why) {
        brski_job_trouble(job, failed(job, NULL, why), "masa-failed", 0, -1);
        return 0;
    }
    job->request->voucher = a->body;
    job->request->voucher_type = VOUCHER_TYPE;
    return 1;
}

int brski_registrar_ask_voucher(brski_registrar_job_t *job)
{
    brski_client_answer_t *a = brski_registrar_ask(job, "requestvoucher", job->request->rvr,
                                                   NULL);

    if (!a) {
        return 0;
    }
    switch (a->status) {
    case 200:
        return take_voucher(job, a);
    case 403:
    case 404:
    case 406:
        refused(job, a);
        return 0;
    default:
        brski_job_trouble(job, failed(job, NULL, apr_psprintf(job->pool, "the MASA answers %d: %s",
                                                              a->status, words(a, job->pool))),
                          "masa-failed", 0, a->retry_after > WAIT_MAX ? WAIT_MAX : a->retry_after);
        return 0;
    }
}
