/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_test.c: revocation from end to end, with a server on loopback: what is asked, in
 * which order, what is remembered, what a failure means, and where a stranger cannot make us go.
 */
#include "brski_revoke.h"

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_log.h"
#include "brski_revoke_fetch.h"
#include "pki.h"
#include "revoke_lab.h"
#include "unit.h"

#define NOW "2026-01-15T00:00:00Z"
#define HARD BRSKI_REVOCATION_HARD
#define SOFT BRSKI_REVOCATION_SOFT

typedef struct lab_t {
    apr_pool_t *pool;
    lab_server_t *server;
    brski_ctx_t *ctx;
    brski_revoke_t *revoke;
    const pki_party_t *ca;
    apr_time_t now;
    int warnings;
    int warning;                      /* number of the last */
} lab_t;

static void count_warning(void *baton, brski_log_level_t level, int number, const char *text)
{
    lab_t *lab = baton;

    (void)text;
    if (level == BRSKI_LOG_WARNING) {
        lab->warnings++;
        lab->warning = number;
    }
}

/* A checker that may go to loopback, with a fresh memory. */
static void fresh(lab_t *lab, const brski_revoke_options_t *given)
{
    brski_revoke_options_t options = { .timeout = apr_time_from_sec(5), .allow_private = 1 };

    is_ok(brski_revoke_make(&lab->revoke, given ? given : &options, lab->ctx, lab->pool),
          "5.5.3 a checker can be made");
}

static lab_t *make_lab(apr_pool_t *pool)
{
    pki_spec_t ca = { .subject = "CN=CA", .ca = 1 };
    lab_t *lab = apr_pcalloc(pool, sizeof(*lab));
    brski_log_t *log = apr_pcalloc(pool, sizeof(*log));

    lab->pool = pool;
    lab->now = unit_time(NOW);
    lab->server = lab_server(pool);
    lab->ctx = unit_ctx(lab->now, pool);
    log->write = count_warning;
    log->baton = lab;
    log->level = BRSKI_LOG_WARNING;
    lab->ctx->log = log;
    lab->ca = pki_make(NULL, ca, pool);
    return lab;
}

/* A certificate that names these places; NULL for none. */
static const pki_party_t *named(lab_t *lab, const char *ocsp, const char *crl)
{
    pki_spec_t spec = { .subject = "CN=Registrar" };
    int n = 0;

    if (ocsp) {
        spec.ext[n++] = apr_pstrcat(lab->pool, "authorityInfoAccess=OCSP;URI:", ocsp, NULL);
    }
    if (crl) {
        spec.ext[n++] = apr_pstrcat(lab->pool, "crlDistributionPoints=URI:", crl, NULL);
    }
    return pki_make(lab->ca, spec, lab->pool);
}

/* The same with paths on our server. */
static const pki_party_t *party(lab_t *lab, const char *ocsp, const char *crl)
{
    return named(lab, ocsp ? lab_url(lab->server, ocsp, lab->pool) : NULL,
                 crl ? lab_url(lab->server, crl, lab->pool) : NULL);
}

static void answer(lab_t *lab, const char *path, brski_bytes_t body)
{
    lab_answer_t a = { .path = path, .body = body };

    lab_answer(lab->server, a);
}

static void fail_with(lab_t *lab, const char *path, int status)
{
    lab_answer_t a = { .path = path, .status = status };

    lab_answer(lab->server, a);
}

static brski_err_t *check(lab_t *lab, const pki_party_t *ee, brski_revocation_t mode)
{
    brski_chain_t chain = { pki_certs(lab->pool, ee, lab->ca, NULL, NULL), 0, 1 };

    return brski_revoke_check(lab->revoke, &chain, mode, lab->now, lab->pool);
}

static const char *detail(const brski_err_t *err)
{
    return err && err->detail ? err->detail : "";
}

static brski_bytes_t ocsp_for(lab_t *lab, const pki_party_t *ee, int status)
{
    lab_ocsp_t spec = { .status = status };

    return lab_ocsp(ee, lab->ca, spec, lab->pool);
}

static brski_bytes_t crl_of(lab_t *lab, const pki_party_t *revoked)
{
    lab_crl_t spec = { .revoked = revoked ? revoked->x509 : NULL };

    return lab_crl(lab->ca, spec, lab->pool);
}

/* ---- asking ---- */

static void ocsp(lab_t *lab)
{
    const pki_party_t *good = party(lab, "/ocsp/good", NULL);
    const pki_party_t *bad = party(lab, "/ocsp/bad", NULL);
    const char *request, *body;
    OCSP_REQUEST *parsed;
    const unsigned char *p;
    brski_err_t *err;
    int hits;

    fresh(lab, NULL);
    answer(lab, "/ocsp/good", ocsp_for(lab, good, V_OCSP_CERTSTATUS_GOOD));
    answer(lab, "/ocsp/bad", ocsp_for(lab, bad, V_OCSP_CERTSTATUS_REVOKED));
    is_ok(check(lab, good, HARD), "5.5.3 OCSP says good");
    request = (const char *)lab_last(lab->server, lab->pool).data;
    has_str(request, "POST /ocsp/good HTTP/1.1\r\n", "RFC 6960 A.1 the request is posted");
    has_str(request, "Content-Type: application/ocsp-request\r\n", "RFC 6960 A.1 with its type");
    body = strstr(request, "\r\n\r\n") + 4;
    p = (const unsigned char *)body;
    parsed = d2i_OCSP_REQUEST(NULL, &p, 1000);
    ok(parsed && OCSP_request_onereq_count(parsed) == 1, "RFC 6960 A.1 and asks one question");
    OCSP_REQUEST_free(parsed);
    hits = lab_hits(lab->server);
    is_ok(check(lab, good, HARD), "5.5.3 good again");
    is_int(lab_hits(lab->server), hits, "5.5.3 without asking again");

    err = check(lab, bad, HARD);
    is_err(err, REVOKED, "5.5.3 OCSP says revoked");
    is_int(err->status, 403, "5.5.3 revoked is 403");
    is_str(err->public_text, "The certificate of CN=Registrar has been revoked.",
           "5.5.3 and the certificate is named");
    hits = lab_hits(lab->server);
    fail_with(lab, "/ocsp/bad", 500);
    is_err(check(lab, bad, SOFT), REVOKED, "5.5.3 revoked is remembered, in mode soft too");
    is_int(lab_hits(lab->server), hits, "5.5.3 without asking again");
    is_ok(check(lab, bad, BRSKI_REVOCATION_OFF), "5.5.3 mode off asks nobody");
}

static void crl(lab_t *lab)
{
    const pki_party_t *good = party(lab, NULL, "/crl/1"), *bad = party(lab, NULL, "/crl/1");
    const pki_party_t *pem = party(lab, NULL, "/crl/pem");
    lab_crl_t spec = { .revoked = bad->x509, .pem = 1 };

    fresh(lab, NULL);
    answer(lab, "/crl/1", crl_of(lab, bad));
    answer(lab, "/crl/pem", lab_crl(lab->ca, spec, lab->pool));
    is_ok(check(lab, good, HARD), "5.5.3 the CRL does not list it");
    has_str((const char *)lab_last(lab->server, lab->pool).data, "GET /crl/1 HTTP/1.1\r\n",
            "5.5.3 the CRL is fetched");
    is_err(check(lab, bad, HARD), REVOKED, "5.5.3 the CRL lists it");
    is_ok(check(lab, pem, HARD), "5.5.3 a CRL in PEM");
}

static void one_after_the_other(lab_t *lab)
{
    const pki_party_t *ee = party(lab, "/o/1", "/c/1");
    const pki_party_t *other = party(lab, "/o/2", "/c/2");
    const pki_party_t *nowhere;
    brski_err_t *err;

    fresh(lab, NULL);
    fail_with(lab, "/o/1", 503);
    answer(lab, "/c/1", crl_of(lab, ee));
    is_err(check(lab, ee, HARD), REVOKED, "5.5.3 where OCSP fails the CRL is asked");
    answer(lab, "/o/2", ocsp_for(lab, other, V_OCSP_CERTSTATUS_UNKNOWN));
    answer(lab, "/c/2", crl_of(lab, NULL));
    is_ok(check(lab, other, HARD), "5.5.3 where OCSP does not know the CRL is asked");
    nowhere = named(lab, apr_psprintf(lab->pool, "ldap://127.0.0.1:%d/x", lab_port(lab->server)),
                    "ldap:///cn=CA?certificateRevocationList");
    err = check(lab, nowhere, HARD);
    is_err(err, REVOCATION_UNKNOWN, "5.5.3 what names only LDAP cannot be learned");
    has_str(detail(err), "nothing more to ask over http", "5.5.3 and the log says so");
    is_ok(check(lab, named(lab, NULL, NULL), HARD), "5.5.3 what names nothing is not asked about");
    is_ok(check(lab, named(lab, NULL, apr_pstrcat(lab->pool, "ldap:///a,URI:ldap:///b,URI:",
                                                  lab_url(lab->server, "/c/2", lab->pool), NULL)),
                HARD), "5.5.3 LDAP is passed over");
}

static void failing(lab_t *lab)
{
    const pki_party_t *ee = party(lab, "/missing", "/missing");
    brski_err_t *err;
    int hits, warnings = lab->warnings;

    fresh(lab, NULL);
    err = check(lab, ee, HARD);
    is_err(err, REVOCATION_UNKNOWN, "5.5.3 unreachable is refused in mode hard");
    is_int(err->status, 503, "5.5.3 with 503");
    has_str(detail(err), "HTTP status 404", "5.5.3 and the log says why");
    hits = lab_hits(lab->server);
    is_ok(check(lab, ee, SOFT), "5.5.3 unreachable counts as good in mode soft");
    is_int(lab->warnings, warnings + 1, "5.5.3 with a warning");
    is_int(lab->warning, 1026, "5.5.3 that has a number");
    is_int(lab_hits(lab->server), hits, "5.5.3 a failure is remembered");
    lab->now += apr_time_from_sec(59);
    check(lab, ee, SOFT);
    is_int(lab_hits(lab->server), hits, "5.5.3 for a minute");
    lab->now += apr_time_from_sec(2);
    answer(lab, "/missing", ocsp_for(lab, ee, V_OCSP_CERTSTATUS_GOOD));
    is_ok(check(lab, ee, HARD), "5.5.3 then it is asked again");
    is_int(lab_hits(lab->server), hits + 1, "5.5.3 and answers");
}

/* ---- remembering ---- */

static int asked(lab_t *lab, const pki_party_t *ee, apr_interval_time_t later)
{
    int hits = lab_hits(lab->server);
    apr_time_t now = lab->now;

    lab->now += later;
    is_ok(check(lab, ee, HARD), "5.5.3 good after %d s", (int)apr_time_sec(later));
    lab->now = now;
    return lab_hits(lab->server) - hits;
}

static void remembering(lab_t *lab)
{
    const pki_party_t *day = party(lab, "/day", NULL), *hour = party(lab, "/hour", NULL);
    const pki_party_t *undated = party(lab, "/undated", NULL);
    lab_ocsp_t until = { .next = "2026-01-15T01:00:00Z" }, none = { .next = "" };

    fresh(lab, NULL);
    lab->now = unit_time(NOW);
    answer(lab, "/day", ocsp_for(lab, day, V_OCSP_CERTSTATUS_GOOD));
    answer(lab, "/hour", lab_ocsp(hour, lab->ca, until, lab->pool));
    answer(lab, "/undated", lab_ocsp(undated, lab->ca, none, lab->pool));
    is_int(asked(lab, day, 0), 1, "5.5.3 asked once");
    is_int(asked(lab, day, apr_time_from_sec(86399)), 0, "5.5.3 remembered for a day");
    is_int(asked(lab, day, apr_time_from_sec(86401)), 1, "5.5.3 and no longer");
    is_int(asked(lab, hour, 0), 1, "5.5.3 asked once");
    is_int(asked(lab, hour, apr_time_from_sec(3599)), 0, "5.5.3 remembered until nextUpdate");
    is_int(asked(lab, hour, apr_time_from_sec(3601)), 1, "5.5.3 and no longer");
    is_int(asked(lab, undated, 0), 1, "5.5.3 asked once");
    is_int(asked(lab, undated, apr_time_from_sec(299)), 0, "5.5.3 undated: five minutes");
    is_int(asked(lab, undated, apr_time_from_sec(301)), 1, "5.5.3 and no longer");
}

static void bounded_memory(lab_t *lab)
{
    brski_revoke_options_t two = { .allow_private = 1, .cache_entries = 2 };
    const pki_party_t *ee[3];
    const char *path;
    int i;

    fresh(lab, &two);
    for (i = 0; i < 3; i++) {
        path = apr_psprintf(lab->pool, "/bounded/%d", i);
        ee[i] = party(lab, path, NULL);
        answer(lab, path, ocsp_for(lab, ee[i], V_OCSP_CERTSTATUS_GOOD));
    }
    is_int(asked(lab, ee[0], 0) + asked(lab, ee[1], 0), 2, "5.5.3 two are asked about");
    is_int(asked(lab, ee[0], 0) + asked(lab, ee[1], 0), 0, "5.5.3 and remembered");
    is_int(asked(lab, ee[0], 0) + asked(lab, ee[2], 0), 1, "5.5.3 a third is asked about");
    is_int(asked(lab, ee[0], 0), 0, "5.5.3 what was used lately stays");
    is_int(asked(lab, ee[1], 0), 1, "5.5.3 what was not is forgotten");
}

/* ---- chains ---- */

static void chains(lab_t *lab)
{
    pki_spec_t sub_spec = { .subject = "CN=Sub", .ca = 1 }, ee_spec = { .subject = "CN=EE" };
    pki_spec_t top_spec = { .subject = "CN=Top", .ca = 1 };
    const pki_party_t *top, *sub, *ee;
    brski_chain_t chain = { NULL, 0, 1 };
    lab_ocsp_t revoked = { .status = V_OCSP_CERTSTATUS_REVOKED };
    brski_err_t *err;
    int hits;

    fresh(lab, NULL);
    top_spec.ext[0] = apr_pstrcat(lab->pool, "crlDistributionPoints=URI:",
                                  lab_url(lab->server, "/top", lab->pool), NULL);
    sub_spec.ext[0] = apr_pstrcat(lab->pool, "authorityInfoAccess=OCSP;URI:",
                                  lab_url(lab->server, "/sub", lab->pool), NULL);
    ee_spec.ext[0] = apr_pstrcat(lab->pool, "authorityInfoAccess=OCSP;URI:",
                                 lab_url(lab->server, "/ee", lab->pool), NULL);
    top = pki_make(NULL, top_spec, lab->pool);
    sub = pki_make(top, sub_spec, lab->pool);
    ee = pki_make(sub, ee_spec, lab->pool);
    lab_answer(lab->server, (lab_answer_t){ .path = "/ee",
               .body = lab_ocsp(ee, sub, (lab_ocsp_t){ .status = 0 }, lab->pool) });
    answer(lab, "/sub", lab_ocsp(sub, top, revoked, lab->pool));
    chain.certs = pki_certs(lab->pool, ee, sub, top, NULL);
    hits = lab_hits(lab->server);
    err = brski_revoke_check(lab->revoke, &chain, HARD, lab->now, lab->pool);
    is_err(err, REVOKED, "5.5.3 a revoked CA between is found");
    has_str(err->public_text, "CN=Sub", "5.5.3 and named");
    is_int(lab_hits(lab->server), hits + 2, "5.5.3 nobody is asked about the top");
    chain.certs = pki_certs(lab->pool, top, NULL, NULL, NULL);
    is_ok(brski_revoke_check(lab->revoke, &chain, HARD, lab->now, lab->pool),
          "5.5.3 a self-signed registrar is its own top");
}

/* ---- guards ---- */

static brski_err_t *get(lab_t *lab, const char *url, int allow_private, brski_bytes_t *body)
{
    brski_fetch_t fetch = { url, NULL, { NULL, 0 }, apr_time_from_sec(5), 1000, allow_private };

    return brski_fetch(body, &fetch, lab->pool, lab->pool);
}

static void addresses(lab_t *lab)
{
    static const char *const hosts[] = {
        "127.0.0.1", "[::1]", "169.254.169.254", "localhost", "0.0.0.0", "2130706433", "0x7f.1",
        "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::]", "10.0.0.1", "192.168.1.1", "100.64.0.1",
        "172.16.0.1", "224.0.0.1", "[fe80::1]", "[fd00::1]", "[ff02::1]", "198.18.0.1",
    };
    static const char *const never[] = { "169.254.169.254", "[fe80::1]", "224.0.0.1", "0.0.0.0",
                                         "[::ffff:169.254.169.254]" };
    int hits = lab_hits(lab->server), port = lab_port(lab->server);
    const char *url;
    brski_bytes_t body;
    brski_err_t *err;
    size_t i;

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        url = apr_psprintf(lab->pool, "http://%s:%d/ok", hosts[i], port);
        err = get(lab, url, 0, &body);
        is_err(err, IO, "5.5.3 a stranger's URL does not lead to %s", hosts[i]);
        has_str(detail(err), "its address is not public", "5.5.3 %s is refused as such", hosts[i]);
    }
    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        url = apr_psprintf(lab->pool, "http://%s:%d/ok", never[i], port);
        has_str(detail(get(lab, url, 1, &body)), "its address is not public",
                "5.5.3 %s is refused on private networks too", never[i]);
    }
    is_int(lab_hits(lab->server), hits, "5.5.3 nothing was sent");
}

static void urls(lab_t *lab)
{
    static const struct {
        const char *url, *says;
    } bad[] = {
        { "ftp://192.0.2.1/x", "neither http nor https" },
        { "file:///etc/passwd", "neither http nor https" },
        { "gopher://192.0.2.1/x", "neither http nor https" },
        { "http://user:secret@127.0.0.1/", "names a user" },
        { "http://127.0.0.1:22/", "its port" },
        { "http://127.0.0.1:25/", "its port" },
        { "http://127.0.0.1:0/", "its port" },
        { "http://127.0.0.1:99999/", "no URL" },
        { "http://", "no URL" },
        { "", "no URL" },
        { "http://127.0.0.1/a\r\nHost: b", "no URL" },
    };
    brski_bytes_t body;
    brski_err_t *err;
    char *longest;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = get(lab, bad[i].url, 1, &body);
        is_err(err, IO, "5.5.3 refuses URL %d", (int)i);
        has_str(detail(err), bad[i].says, "5.5.3 because of %s", bad[i].says);
    }
    longest = apr_palloc(lab->pool, 4001);
    memset(longest, 'x', 4000);
    longest[4000] = '\0';
    err = get(lab, lab_url(lab->server, apr_pstrcat(lab->pool, "/", longest, NULL), lab->pool), 1,
              &body);
    is_err(err, IO, "5.5.3 refuses a URL of 4000 octets");
    ok(strlen(detail(err)) < 400, "5.5.3 and logs it in short");
}

static void exchanges(lab_t *lab)
{
    brski_bytes_t thousand = brski_bytes(apr_pcalloc(lab->pool, 1001), 1000), body;
    brski_bytes_t more = brski_bytes(thousand.data, 1001);
    lab_answer_t endless = { .path = "/endless", .body = more, .no_length = 1 };
    lab_answer_t redirect = { .path = "/redirect", .status = 302 };
    int hits;

    answer(lab, "/ok", brski_bytes_str("text"));
    answer(lab, "/1000", thousand);
    answer(lab, "/1001", more);
    lab_answer(lab->server, endless);
    redirect.header = apr_pstrcat(lab->pool, "Location: ", lab_url(lab->server, "/ok", lab->pool),
                                  "\r\n", NULL);
    lab_answer(lab->server, redirect);
    is_ok(get(lab, lab_url(lab->server, "/ok", lab->pool), 1, &body), "5.5.3 a fetch");
    is_mem(body.data, body.len, "text", 4, "5.5.3 and what it brings");
    setenv("http_proxy", "http://192.0.2.1:9/", 1);
    is_ok(get(lab, lab_url(lab->server, "/ok", lab->pool), 1, &body),
          "5.5.3 no proxy of the environment");
    unsetenv("http_proxy");
    is_ok(get(lab, lab_url(lab->server, "/1000", lab->pool), 1, &body), "5.5.3 up to the limit");
    is_int(body.len, 1000, "5.5.3 all of it");
    has_str(detail(get(lab, lab_url(lab->server, "/1001", lab->pool), 1, &body)),
            "larger than 1000 octets", "5.5.3 not beyond it");
    is_int(body.len, 0, "5.5.3 nothing of it");
    has_str(detail(get(lab, lab_url(lab->server, "/endless", lab->pool), 1, &body)),
            "larger than 1000 octets", "5.5.3 nor without a length");
    hits = lab_hits(lab->server);
    has_str(detail(get(lab, lab_url(lab->server, "/redirect", lab->pool), 1, &body)),
            "HTTP status 302", "5.5.3 a redirect is no answer");
    is_int(lab_hits(lab->server), hits + 1, "5.5.3 and is not followed");
}

static void slow(lab_t *lab)
{
    lab_answer_t late = { .path = "/late", .body = { NULL, 0 }, .delay = 1500 };
    brski_fetch_t fetch = { NULL, NULL, { NULL, 0 }, apr_time_from_msec(200), 1000, 1 };
    apr_time_t began = apr_time_now();
    brski_bytes_t body;

    lab_answer(lab->server, late);
    fetch.url = lab_url(lab->server, "/late", lab->pool);
    is_err(brski_fetch(&body, &fetch, lab->pool, lab->pool), IO, "5.5.3 a slow place is given up");
    ok(apr_time_now() - began < apr_time_from_sec(1), "5.5.3 after the time that was given");
}

static void loopback_by_default(lab_t *lab)
{
    const pki_party_t *ee = party(lab, "/ocsp/x", "/crl/x");
    brski_revoke_options_t options = { .allow_private = 0 };
    brski_err_t *err;
    int hits = lab_hits(lab->server);

    fresh(lab, &options);
    answer(lab, "/ocsp/x", ocsp_for(lab, ee, V_OCSP_CERTSTATUS_GOOD));
    err = check(lab, ee, HARD);
    is_err(err, REVOCATION_UNKNOWN, "5.5.3 a certificate that names loopback");
    has_str(detail(err), "its address is not public", "5.5.3 is not followed there");
    is_int(lab_hits(lab->server), hits, "5.5.3 nothing was sent");
}

/* ---- at once ---- */

typedef struct caller_t {
    lab_t *lab;
    const pki_party_t *ee;
    int ok;
} caller_t;

static void *call(void *baton)
{
    caller_t *c = baton;
    brski_chain_t chain = { NULL, 0, 1 };
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    chain.certs = pki_certs(pool, c->ee, c->lab->ca, NULL, NULL);
    c->ok = !brski_revoke_check(c->lab->revoke, &chain, HARD, c->lab->now, pool);
    apr_pool_destroy(pool);
    return NULL;
}

static void at_once(lab_t *lab)
{
    brski_revoke_options_t one = { .allow_private = 1, .at_once = 1 };
    const pki_party_t *ee = party(lab, "/slow", NULL), *other = party(lab, "/other", NULL);
    lab_answer_t late = { .path = "/slow", .delay = 700 };
    caller_t caller = { lab, ee, 0 };
    brski_err_t *err;
    pthread_t thread;
    int hits;

    fresh(lab, &one);
    late.body = ocsp_for(lab, ee, V_OCSP_CERTSTATUS_GOOD);
    lab_answer(lab->server, late);
    answer(lab, "/other", ocsp_for(lab, other, V_OCSP_CERTSTATUS_GOOD));
    hits = lab_hits(lab->server);
    pthread_create(&thread, NULL, call, &caller);
    while (lab_hits(lab->server) == hits) {
        apr_sleep(apr_time_from_msec(5));
    }
    err = check(lab, other, HARD);
    is_err(err, REVOCATION_UNKNOWN, "5.5.3 one more than may fetch at once is not kept waiting");
    has_str(detail(err), "1 fetches are under way", "5.5.3 and the log says why");
    pthread_join(thread, NULL);
    ok(caller.ok, "5.5.3 the first gets its answer");
    is_ok(check(lab, other, HARD), "5.5.3 the other can ask again at once");
}

static void *hammer(void *baton)
{
    int i;

    for (i = 0; i < 20; i++) {
        call(baton);
    }
    return NULL;
}

static void threads(lab_t *lab)
{
    brski_revoke_options_t options = { .allow_private = 1, .at_once = 8, .cache_entries = 2 };
    caller_t callers[4];
    pthread_t ids[4];
    const char *path;
    int i, good = 0;

    fresh(lab, &options);
    for (i = 0; i < 4; i++) {
        path = apr_psprintf(lab->pool, "/thread/%d", i);
        callers[i].lab = lab;
        callers[i].ee = party(lab, path, NULL);
        answer(lab, path, ocsp_for(lab, callers[i].ee, V_OCSP_CERTSTATUS_GOOD));
    }
    for (i = 0; i < 4; i++) {
        pthread_create(&ids[i], NULL, hammer, &callers[i]);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(ids[i], NULL);
        good += callers[i].ok;
    }
    is_int(good, 4, "5.5.3 threads share a checker with little memory");
}

int main(void)
{
    lab_t *lab = make_lab(unit_start());

    ocsp(lab);
    crl(lab);
    one_after_the_other(lab);
    failing(lab);
    remembering(lab);
    bounded_memory(lab);
    chains(lab);
    addresses(lab);
    urls(lab);
    exchanges(lab);
    slow(lab);
    loopback_by_default(lab);
    at_once(lab);
    threads(lab);
    return done_testing();
}
