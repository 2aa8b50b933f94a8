/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pledge_tls.c: a pledge's connection to a registrar: provisional, then judged by the voucher, then
 * by the domain's CA certificates; whom it speaks to is looked at whenever it is opened.
 */
#include <apr_date.h>
#include <apr_strings.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "pledge.h"
#include "show.h"

#define SKEW apr_time_from_sec(300)
#define RETRY_DEFAULT 5
#define RETRY_MAX 60              /* RFC 8995 5.6: not longer, whatever the server says */

void pledge_tell(pledge_t *p, const char *fmt, ...)
{
    va_list ap;

    if (p->plan.tell) {
        va_start(ap, fmt);
        p->plan.tell(p->plan.baton, apr_pvsprintf(p->pool, fmt, ap));
        va_end(ap);
    }
}

void pledge_fact(pledge_t *p, const char *name, const char *value)
{
    if (p->plan.fact && value) {
        p->plan.fact(p->plan.baton, name, value);
    }
}

static apr_status_t free_conn(void *p)
{
    https_conn_free(((pledge_t *)p)->conn);
    ((pledge_t *)p)->conn = NULL;
    return APR_SUCCESS;
}

pledge_t *pledge_make(const pledge_plan_t *plan, const identity_t *idevid, const brski_ctx_t *ctx,
                      apr_pool_t *pool)
{
    pledge_t *p = apr_pcalloc(pool, sizeof(*p));

    p->plan = *plan;
    p->ctx = ctx;
    if (idevid) {
        p->idevid = *idevid;
    }
    p->pool = pool;
    apr_pool_cleanup_register(pool, p, free_conn, apr_pool_cleanup_null);
    return p;
}

void pledge_hang_up(pledge_t *p)
{
    if (p->conn) {
        https_close(p->conn);
    }
}

/* ---- whom it met ---- */

static const brski_cert_t *ee_of(const apr_array_header_t *chain)
{
    return APR_ARRAY_IDX(chain, 0, const brski_cert_t *);
}

static brski_err_t *look_at_peer(apr_array_header_t **chain, const pledge_t *p)
{
    STACK_OF(X509) *shown = SSL_get_peer_cert_chain(https_ssl(p->conn));
    int i;

    *chain = apr_array_make(p->pool, 4, sizeof(const brski_cert_t *));
    for (i = 0; shown && i < sk_X509_num(shown) && i < brski_limits_default.certificates; i++) {
        const brski_cert_t *cert;

        BRSKI_TRY(brski_cert_wrap(&cert, sk_X509_value(shown, i), NULL, p->pool));
        APR_ARRAY_PUSH(*chain, const brski_cert_t *) = cert;
    }
    return (*chain)->nelts ? BRSKI_OK
                           : say_refuse(p->pool, "The server showed no certificate.");
}

/* RFC 8995 5.6.2, 5.9.1: the pin, and once they are known the CA certificates with it. */
static brski_err_t *chain_holds(const pledge_t *p, const apr_array_header_t *chain)
{
    brski_anchors_t *pinned;
    apr_array_header_t *one;

    if (p->anchors) {
        return brski_anchors_verify(NULL, p->anchors, ee_of(chain), chain,
                                    p->ctx->now(p->ctx->baton), SKEW, 0, p->pool, p->pool);
    }
    one = apr_array_make(p->pool, 1, sizeof(const brski_cert_t *));
    APR_ARRAY_PUSH(one, const brski_cert_t *) = p->pin;
    BRSKI_TRY(brski_anchors_make(&pinned, one, p->pool));
    return brski_anchors_verify(NULL, pinned, ee_of(chain), chain, p->ctx->now(p->ctx->baton),
                                SKEW, 0, p->pool, p->pool);
}

/* Where it stands in words: "CN=Registrar (key 3a5f...)". */
static const char *cert_words(const brski_cert_t *cert, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s (key %.16s...)", cert->subject, cert->spki_hex);
}

static const char *chain_words(const apr_array_header_t *chain, apr_pool_t *pool)
{
    const char *text = cert_words(ee_of(chain), pool);
    int i;

    for (i = 1; i < chain->nelts; i++) {
        text = apr_pstrcat(pool, text, ", issued by ",
                           APR_ARRAY_IDX(chain, i, const brski_cert_t *)->subject, NULL);
    }
    return text;
}

brski_err_t *pledge_judge_registrar(pledge_t *p)
{
    brski_err_t *err;
    int same = !memcmp(ee_of(p->peer)->spki_hash, p->pin->spki_hash, sizeof(p->pin->spki_hash));

    /* the key alone counts: a pinned end entity needs no chain */
    err = same ? BRSKI_OK : chain_holds(p, p->peer);
    if (err) {
        return brski_err_say(err, p->pool, "The voucher pins %s, but the server showed %s: %s",
                             cert_words(p->pin, p->pool), chain_words(p->peer, p->pool),
                             err->detail ? err->detail : err->public_text);
    }
    p->trust = PLEDGE_PINNED;
    pledge_tell(p, "the voucher pins  %s", cert_words(p->pin, p->pool));
    pledge_tell(p, "the server showed %s", chain_words(p->peer, p->pool));
    pledge_fact(p, "pinned", p->pin->subject);
    pledge_fact(p, "pinned_key", p->pin->spki_hex);
    pledge_fact(p, "registrar", ee_of(p->peer)->subject);
    return BRSKI_OK;
}

/* RFC 7030 3.6.1: it is the host that was asked for, or says that it is a registrar. */
static int is_est_server(const pledge_t *p, const brski_cert_t *cert)
{
    const char *host = https_host(p->target);

    return cert->cmc_ra || X509_check_host(cert->x509, host, 0, 0, NULL) == 1
           || X509_check_ip_asc(cert->x509, host, 0) == 1;
}

/* Who is there now may be nobody else than before. RFC 8995 5.1, 5.6.2 */
static brski_err_t *judge_again(pledge_t *p, const apr_array_header_t *chain)
{
    brski_err_t *err;

    if (p->trust == PLEDGE_PROVISIONAL) {
        return !p->peer || !memcmp(ee_of(chain)->hash, ee_of(p->peer)->hash, BRSKI_SHA256_LEN)
                   ? BRSKI_OK
                   : say_refuse(p->pool, "The server now showed %s; before it was %s. A voucher-"
                                "request speaks to one server.", chain_words(chain, p->pool),
                                chain_words(p->peer, p->pool));
    }
    err = p->pin && !memcmp(ee_of(chain)->spki_hash, p->pin->spki_hash, BRSKI_SHA256_LEN)
              ? BRSKI_OK : chain_holds(p, chain);
    if (err) {
        return brski_err_say(err, p->pool, "The server showed %s, which does not lead to what the"
                             " pledge trusts: %s", chain_words(chain, p->pool),
                             err->detail ? err->detail : err->public_text);
    }
    return p->trust == PLEDGE_PINNED || is_est_server(p, ee_of(chain))
               ? BRSKI_OK
               : say_refuse(p->pool, "The server showed %s, which is neither for %s nor of a"
                            " registrar (id-kp-cmcRA).", chain_words(chain, p->pool),
                            brski_printable(https_host(p->target), 200, p->pool));
}

/* ---- opening ---- */

static brski_err_t *failed(const pledge_t *p, https_failure_t failure)
{
    const char *why = brski_printable(https_why(p->conn), 160, p->pool);
    brski_err_t *err = brski_err(BRSKI_E_IO, NULL, p->pool, NULL);

    switch (failure) {
    case HTTPS_CONNECT:
        return brski_err_say(err, p->pool, "No connection to the server: %s.", why);
    case HTTPS_HANDSHAKE:
        return brski_err_say(err, p->pool, "TLS could not be agreed upon: %s.", why);
    default:
        return brski_err_say(err, p->pool, "No answer from the server (%s): %s.",
                             https_failure_text(failure), why);
    }
}

/* Open, or see that it is open. Nothing is sent before the server has been looked at. */
static brski_err_t *open_and_look(pledge_t *p)
{
    apr_array_header_t *chain;
    https_failure_t failure;

    if (https_ssl(p->conn)) {
        return BRSKI_OK;
    }
    failure = https_open(p->conn);
    if (failure) {
        return failed(p, failure);
    }
    BRSKI_TRY(look_at_peer(&chain, p));
    BRSKI_TRY(judge_again(p, chain));
    p->peer = chain;
    return BRSKI_OK;
}

static brski_err_t *dial(pledge_t *p, const identity_t *as)
{
    https_options_t o;

    memset(&o, 0, sizeof(o));
    o.url = p->plan.url;
    o.certs = as->certs;
    o.key = as->key;
    o.tls12 = p->plan.tls12;
    o.tls_any = !p->plan.tls12;
    o.any_host = 1;
    o.provisional = 1;
    o.timeout = p->plan.timeout;
    o.like = p->plan.like;
    BRSKI_TRY(https_target_make(&p->target, &o, p->pool));
    p->plan.like = p->target;
    https_conn_free(p->conn);
    p->conn = https_conn_make(p->target);
    p->as = as;
    return p->conn ? open_and_look(p) : brski_err(BRSKI_E_INTERNAL, NULL, p->pool, "out of memory");
}

static void tell_connection(pledge_t *p)
{
    SSL *ssl = https_ssl(p->conn);

    pledge_tell(p, "%s, %s; the server showed %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl),
                chain_words(p->peer, p->pool));
    pledge_tell(p, "as %s", identity_ee(p->as)->subject);
    pledge_fact(p, "tls", SSL_get_version(ssl));
    pledge_fact(p, "server", ee_of(p->peer)->subject);
    pledge_fact(p, "server_key", ee_of(p->peer)->spki_hex);
    pledge_fact(p, "client", identity_ee(p->as)->subject);
}

brski_err_t *pledge_connect(pledge_t *p)
{
    p->trust = PLEDGE_PROVISIONAL;
    p->peer = NULL;
    BRSKI_TRY(dial(p, &p->idevid));
    tell_connection(p);
    return BRSKI_OK;
}

brski_err_t *pledge_connect_trusted(pledge_t *p, const identity_t *as)
{
    p->trust = PLEDGE_ANCHORED;
    BRSKI_TRY(dial(p, as));
    tell_connection(p);
    return BRSKI_OK;
}

/* ---- binding ---- */

/* RFC 5929 3: the first Finished; ours, since sessions are never resumed. */
static apr_size_t tls_unique(unsigned char *out, apr_size_t room, SSL *ssl)
{
    return SSL_get_extms_support(ssl) == 1 ? SSL_get_finished(ssl, out, room) : 0;
}

const char *pledge_binding(const pledge_t *p, const char **which, apr_pool_t *pool)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    SSL *ssl = https_ssl(p->conn);
    unsigned char octets[64];
    apr_size_t len = 0;

    *which = "tls-exporter";
    if (ssl && SSL_version(ssl) >= TLS1_3_VERSION) {
        len = SSL_export_keying_material(ssl, octets, 32, label, sizeof(label) - 1, NULL, 0, 0) == 1
                  ? 32 : 0;
    }
    else if (ssl) {
        *which = "tls-unique";
        len = tls_unique(octets, sizeof(octets), ssl);
    }
    return len ? brski_base64_encode(brski_bytes(octets, len), pool) : NULL;
}

/* ---- sending ---- */

static https_failure_t exchange(https_answer_t *answer, pledge_t *p, const pledge_send_t *send,
                                brski_bytes_t body)
{
    https_request_t request = { send->method, send->path, send->content_type, send->accept, body };

    return https_exchange(answer, p->conn, &request);
}

/* Once; and once more when the server had closed the connection that was kept. */
static brski_err_t *send_once(https_answer_t *answer, pledge_t *p, const pledge_send_t *send)
{
    https_failure_t failure;
    brski_bytes_t body = send->body;
    int tries;

    for (tries = 0; tries < 2; tries++) {
        BRSKI_TRY(open_and_look(p));
        if (send->remake) {
            BRSKI_TRY(send->remake(&body, p));
        }
        failure = exchange(answer, p, send, body);
        if (!failure || !https_was_stale(p->conn)) {
            break;
        }
    }
    return failure ? failed(p, failure) : BRSKI_OK;
}

/* RFC 9110 10.2.3: seconds, or a date. -1: the server says nothing that can be read. */
static apr_int64_t retry_after(const pledge_t *p)
{
    const char *text = https_field(p->conn, "Retry-After", p->pool);
    apr_time_t date;

    if (!text || !*text) {
        return -1;
    }
    if (strspn(text, "0123456789") == strlen(text)) {
        return strlen(text) > 9 ? RETRY_MAX : apr_atoi64(text);
    }
    date = apr_date_parse_http(text);
    if (date == APR_DATE_BAD) {
        return -1;
    }
    date -= p->ctx->now(p->ctx->baton);
    return date > 0 ? apr_time_sec(date) + 1 : 0;
}

/* Wait as the server asks; an error when that is more than the plan allows. */
static brski_err_t *wait_for_it(pledge_t *p, int status, apr_int64_t seconds)
{
    if (seconds < 0) {
        seconds = RETRY_DEFAULT;
    }
    seconds = seconds < 1 ? 1 : seconds > RETRY_MAX ? RETRY_MAX : seconds;
    if (p->waited + seconds > p->plan.max_wait) {
        return brski_err_say(brski_err(BRSKI_E_IO, NULL, p->pool, NULL), p->pool,
                             "The server still answers %d, to come again in %" APR_INT64_T_FMT
                             " s, after %" APR_INT64_T_FMT " s of waiting (--max-wait).",
                             status, seconds, p->waited);
    }
    pledge_tell(p, "%d: the server asks to come again in %" APR_INT64_T_FMT " s", status, seconds);
    apr_sleep(apr_time_from_sec(seconds));
    p->waited += seconds;
    return BRSKI_OK;
}

brski_err_t *pledge_send(pledge_answer_t *answer, pledge_t *p, const pledge_send_t *send)
{
    https_answer_t got;

    for (;;) {
        apr_int64_t seconds;

        BRSKI_TRY(send_once(&got, p, send));
        seconds = retry_after(p);
        if (got.status != 202 && !(got.status == 503 && seconds >= 0)) {
            break;
        }
        BRSKI_TRY(wait_for_it(p, got.status, seconds));
    }
    answer->status = got.status;
    answer->content_type = https_field(p->conn, "Content-Type", p->pool);
    answer->body = brski_bytes_dup(brski_bytes(got.body, got.len), p->pool);
    return BRSKI_OK;
}

/* ---- judging an answer ---- */

brski_err_t *pledge_refused(const pledge_t *p, const char *what, const pledge_answer_t *answer)
{
    char *text = apr_pstrmemdup(p->pool, (const char *)answer->body.data, answer->body.len);
    int is_text = answer->content_type && strncmp(answer->content_type, "text/plain", 10) == 0;

    text[strcspn(text, "\r\n")] = '\0';
    return say_refuse(p->pool, "%s: the server answered %d%s%s", what, answer->status,
                      is_text && *text ? ": " : ".",
                      is_text && *text ? show_text(text, 500, p->pool) : "");
}

brski_err_t *pledge_expect_type(const pledge_t *p, const pledge_answer_t *answer, const char *type)
{
    const char *is = answer->content_type;
    apr_size_t len = strlen(type);

    if (is && strncasecmp(is, type, len) == 0 && (!is[len] || strchr("; \t", is[len]))) {
        return BRSKI_OK;
    }
    return say_refuse(p->pool, "The server's answer is %s, not %s.",
                      is ? brski_printable(is, 100, p->pool) : "of no media type", type);
}
