/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_masa_test.c: MASAs that fail, refuse, lie or are strangers, and what becomes
 * of the pledge's row: tried again, refused, parked for a human, told to one; and the log's
 * places and looks.
 */
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "testregistrar.h"

static apr_pool_t *pool;

#define VOUCHER_TYPE "application/voucher-cms+json"
#define GOOD "{\"version\":1,\"status\":true}"

static testregistrar_t *posted(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    is_ok(testregistrar_post(w), "5.5 a pledge asks");
    return w;
}

/* ---- trouble ---- */

/* Three tries: quiet, quiet, told. */
static void fails(testregistrar_t *w, const char *label)
{
    brski_request_t *row = testregistrar_step(w);

    is_int(row->task, BRSKI_TASK_VOUCHER, "5.5 %s: it will be tried again", label);
    ok(row->next_at > w->maker->ctx->now(w->maker->ctx->baton), "5.5 %s: after a pause", label);
    is_int(row->status, 0, "5.5 %s: the pledge waits", label);
    is_int(w->told->nelts, 0, "5.5 %s: nobody is told yet", label);
    ok(testregistrar_step(w) == NULL, "5.5 %s: not at once", label);
    testregistrar_later(w, 10);
    testregistrar_step(w);
    testregistrar_later(w, 20);
    row = testregistrar_step(w);
    is_int(row->status, 503, "5.5 %s: after the third try the pledge is told", label);
    is_int(testregistrar_told(w, "masa-failed"), 1, "5.5 %s: and a human", label);
    is_err(testregistrar_post(w), MASA_FAILED, "5.5 %s: the pledge's answer", label);
    ok(w->answer->retry_after > 0, "5.5 %s: with the time to come back", label);
    testregistrar_later(w, 400);
    testregistrar_step(w);
    is_int(testregistrar_told(w, "masa-failed"), 1, "5.5 %s: a human is told once", label);
    testregistrar_later(w, 400);
    testregistrar_decides(w);
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.5 %s: when the MASA is back", label);
    is_int(w->answer->status, 200, "5.5 %s: the pledge has its voucher", label);
}

static brski_err_t *silent(testregistrar_t *w, brski_client_answer_t *answer,
                           const brski_client_request_t *r)
{
    (void)answer;
    return brski_err_say(brski_err(BRSKI_E_IO, NULL, w->pool, "timeout"), w->pool,
                         "No answer from %s: it took too long.", r->url);
}

static brski_err_t *endless(testregistrar_t *w, brski_client_answer_t *answer,
                            const brski_client_request_t *r)
{
    (void)answer;
    return brski_err_say(brski_err(BRSKI_E_LIMIT, NULL, w->pool, NULL), w->pool,
                         "The answer of %s is larger than 262144 octets.", r->url);
}

static void test_failures(void)
{
    static const struct {
        int status;
        const char *type, *text, *label;
    } faults[] = {
        { 500, "text/plain", "oops", "a failing MASA" },
        { 503, "text/plain", "busy", "a busy MASA" },
        { 400, "text/plain", "what?", "a MASA that does not understand" },
        { 302, NULL, "", "a redirect" },
        { 307, NULL, "", "another redirect" },
        { 202, NULL, "", "a MASA that wants time" },
        { 204, NULL, "", "an answer without content" },
        { 200, VOUCHER_TYPE, "", "an empty voucher" },
        { 200, "text/html", "<html>", "another type" },
        { 200, NULL, "x", "no type" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        testregistrar_t *w = posted();

        testregistrar_canned(w, faults[i].status, faults[i].type, faults[i].text);
        fails(w, faults[i].label);
    }
}

static void test_no_answer(void)
{
    testregistrar_t *w = posted();

    w->says = silent;
    fails(w, "a MASA that does not answer");
    w = posted();
    w->says = endless;
    fails(w, "an answer without end");
}

static brski_err_t *later(testregistrar_t *w, brski_client_answer_t *answer,
                          const brski_client_request_t *r)
{
    (void)w;
    (void)r;
    answer->status = 503;
    answer->retry_after = 7200;
    return BRSKI_OK;
}

static void test_retry_after(void)
{
    testregistrar_t *w = posted();
    brski_request_t *row;
    apr_time_t now = w->maker->ctx->now(w->maker->ctx->baton);

    w->says = later;
    row = testregistrar_step(w);
    ok(row->next_at > now + apr_time_from_sec(1800), "5.6 Retry-After is heeded");
    ok(row->next_at < now + apr_time_from_sec(7200), "5.6 within bounds");
}

/* As long as the pledge may come back, and no longer. */
static void test_gives_up(void)
{
    testregistrar_t *w = posted();
    int i;

    testregistrar_canned(w, 500, "text/plain", "oops");
    for (i = 0; i < 3; i++) {
        testregistrar_step(w);
        testregistrar_later(w, 100);
    }
    testregistrar_later(w, 4 * 86400);
    is_int(testregistrar_step(w)->task, BRSKI_TASK_NONE, "5.6 after four days nothing is tried");
    is_err(testregistrar_post(w), MASA_FAILED, "5.6 and that is the answer");
}

/* ---- logins ---- */

static void test_login(void)
{
    testregistrar_t *w = posted();

    testregistrar_canned(w, 401, "text/plain", "who are you?");
    testregistrar_step(w);
    is_int(testregistrar_told(w, "masa-login"), 1, "5.4 a MASA that wants a login is told at once");
    is_err(testregistrar_post(w), MASA_FAILED, "5.4 the pledge can do nothing about it");
    testregistrar_later(w, 400);
    testregistrar_step(w);
    is_int(testregistrar_told(w, "masa-login"), 1, "5.4 and told once");
}

/* As a server keeps what it told. */
static void keep_alarm(const brski_note_t *note, void *baton)
{
    testregistrar_t *w = baton;

    APR_ARRAY_PUSH(w->told, const brski_note_t *) = apr_pmemdup(pool, note, sizeof(*note));
    is_ok(brski_records_note_put(w->registrar.records, note, pool), "an alarm is kept");
}

static void test_told_for_all(void)
{
    testregistrar_t *w = posted();
    int n;

    w->registrar.alarm = keep_alarm;
    testregistrar_canned(w, 401, "text/plain", "who are you?");
    testregistrar_step(w);
    n = w->told->nelts;
    is_int(n, 1, "5.4 a MASA that wants a login is told");
    w->pvr.nonce = "a new nonce, 123456";
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.4 the next request");
    testregistrar_step(w);
    is_int(w->told->nelts, n, "5.4 is not told again within the hour");
    testregistrar_later(w, 3700);
    w->pvr.nonce = "another nonce, 123456";
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.4 an hour later");
    testregistrar_step(w);
    is_int(w->told->nelts, n + 1, "5.4 it is");
}

/* What is configured for the manufacturer is what the client gets. */
static void test_client(void)
{
    testregistrar_t *w = posted();

    w->manufacturer->login_user = "me";
    w->manufacturer->login_password = "secret";
    w->manufacturer->client_chain_file = "client.pem";
    w->manufacturer->client_key_file = "client.key";
    w->manufacturer->tls_trust = BRSKI_TRUST_ANCHORS;
    w->manufacturer->tls_anchor_file = "anchors.pem";
    w->registrar.masa_timeout = apr_time_from_sec(5);
    testregistrar_step(w);
    is_str(w->options.user, "me", "5.4 login");
    is_str(w->options.password, "secret", "5.4 password");
    is_str(w->options.chain_file, "client.pem", "5.4 client certificate");
    is_str(w->options.key_file, "client.key", "5.4 and its key");
    is_str(w->options.anchors, "anchors.pem", "5.4 anchors");
    ok(w->options.trusted == NULL, "5.4 and no others");
    is_int(w->options.timeout, apr_time_from_sec(5), "5.4 bounded time");
    is_int(w->options.max_answer, 256 * 1024, "5.4 bounded size");
    ok(w->options.address_ok != NULL, "11.4 addresses are judged");
    w->registrar.proxy = "http://proxy.example:3128";
    testregistrar_step(w);
    is_str(w->options.proxy, "http://proxy.example:3128", "5.4 through a proxy");
    ok(w->options.address_ok == NULL, "5.4 whose address is not judged");
}

/* ---- refusals ---- */

static void refuses(int status, const char *part)
{
    testregistrar_t *w = posted();
    brski_request_t *row;
    brski_err_t *err;

    testregistrar_canned(w, status, "text/plain", "not\nfor you \x01");
    row = testregistrar_step(w);
    is_int(row->task, BRSKI_TASK_HUMAN, "5.6 a refusal %d rests until somebody comes", status);
    err = testregistrar_post(w);
    is_err(err, MASA_REFUSED, "5.6 the pledge is told");
    is_int(err ? err->status : 0, status, "5.6 with the MASA's status %d", status);
    has_str(err ? err->public_text : "", part, "5.6 in our words");
    ok(err && !strstr(err->public_text, "for you"), "5.6 not in the MASA's");
    has_str(row->detail, "not\\x0afor you \\x01", "5.6 which are kept, printable");
    is_int(testregistrar_told(w, "masa-refused"), 1, "5.6 a human is told");
    testregistrar_later(w, 60);
    is_ok(testregistrar_post(w), "5.6 a pledge that comes back later");
    is_int(w->answer->status, 202, "5.6 has the MASA asked again");
    testregistrar_step(w);
    is_int(testregistrar_told(w, "masa-refused"), 1, "5.6 a human is told once");
    is_err(testregistrar_post(w), MASA_REFUSED, "5.6 refused again");
    testregistrar_later(w, 600);
    is_ok(testregistrar_post(w), "5.6 and again");
    testregistrar_decides(w);
    testregistrar_run(w);
    is_ok(testregistrar_post(w), "5.6 until the MASA agrees");
    is_int(w->answer->status, 200, "5.6 then there is a voucher");
}

static void test_refusals(void)
{
    refuses(403, "does not give this network a voucher");
    refuses(404, "does not know the device");
    refuses(406, "no voucher of a type");
}

static brski_err_t *private_place(testregistrar_t *w, brski_client_answer_t *answer,
                                  const brski_client_request_t *r)
{
    (void)answer;
    is_int(w->options.address_ok(w->options.baton, "169.254.169.254", 443), 0,
           "11.4 a metadata service is nobody's MASA");
    return brski_err_say(brski_err(BRSKI_E_IO, NULL, w->pool, NULL), w->pool,
                         "%s leads to 169.254.169.254, an address that is not allowed.", r->url);
}

static void test_private_place(void)
{
    testregistrar_t *w = posted();

    w->says = private_place;
    testregistrar_step(w);
    is_err(testregistrar_post(w), MASA_URL, "11.4 a MASA at a private address is not asked");
    is_int(testregistrar_told(w, "masa-url"), 1, "11.4 and a human is told");
    has_str(testregistrar_last(w, "masa-url"), "ESTMASAAddresses", "11.4 what would allow it");
}

/* ---- wrong vouchers ---- */

static void wrong(testregistrar_t *w, const char *part, const char *label)
{
    brski_request_t *row = testregistrar_step(w);

    is_int(row->voucher.len, 0, "5.6 %s: not kept", label);
    is_int(row->task, BRSKI_TASK_VOUCHER, "5.6 %s: asked for again", label);
    is_int(testregistrar_told(w, "voucher-wrong"), 1, "5.6 %s: told at once", label);
    has_str(testregistrar_last(w, "voucher-wrong"), part, "5.6 %s: saying what is wrong", label);
    is_err(testregistrar_post(w), VOUCHER_WRONG, "5.6 %s: never forwarded", label);
    testregistrar_later(w, 400);
    testregistrar_step(w);
    is_int(testregistrar_told(w, "voucher-wrong"), 1, "5.6 %s: told once", label);
}

static testregistrar_t *vouched(void)
{
    testregistrar_t *w = posted();

    testregistrar_vouches(w);
    return w;
}

static void test_wrong_vouchers(void)
{
    testregistrar_t *w = vouched();

    is_int(testregistrar_step(w)->status, 200, "5.6 what the test's MASA signs is good");
    w = vouched();
    w->voucher.nonce = "another nonce";
    wrong(w, "nonce is another nonce", "another nonce");
    w = vouched();
    w->voucher.nonce = NULL;
    wrong(w, "nonce is (none)", "no nonce");
    w = vouched();
    w->voucher.serial_number = "another";
    wrong(w, "for the device another", "another device");
    w = vouched();
    w->voucher.pinned_domain_cert = w->maker->masa_root->cert->der;
    wrong(w, "Maker MASA root", "another domain's pin");
    w = vouched();
    w->voucher.pinned_domain_cert = brski_bytes_str("no certificate");
    wrong(w, "no certificate", "a pin that is none");
    w = vouched();
    w->voucher.created_on = unit_time("2030-01-01T00:00:00Z");
    wrong(w, "2030-01-01", "made in the future");
    w = vouched();
    w->voucher.created_on = unit_time("2020-01-01T00:00:00Z");
    wrong(w, "2020-01-01", "made long ago");
    w = posted();
    testregistrar_canned(w, 200, VOUCHER_TYPE, "garbage");
    wrong(w, "no voucher", "garbage");
}

/* A voucher that was copied or spoiled. */
static brski_err_t *spoiled(testregistrar_t *w, brski_client_answer_t *answer,
                            const brski_client_request_t *r)
{
    (void)r;
    answer->content_type = VOUCHER_TYPE;
    answer->body = testmasa_spoiled(
        testpki_sign_voucher(&w->voucher, w->maker->masa_ee,
                             testpki_chain(w->maker->masa_ee, 0, w->pool), w->pool), w->pool);
    return BRSKI_OK;
}

/* The registrar's own request comes back as an answer. */
static brski_err_t *mirror(testregistrar_t *w, brski_client_answer_t *answer,
                           const brski_client_request_t *r)
{
    (void)w;
    answer->content_type = VOUCHER_TYPE;
    answer->body = r->body;
    return BRSKI_OK;
}

static void test_forged_vouchers(void)
{
    testregistrar_t *w = vouched();

    w->says = spoiled;
    wrong(w, "signature does not verify", "a spoiled signature");
    w = vouched();
    w->signer = testpki_impostor(w->maker->masa_ee, pool);
    wrong(w, "signature does not verify", "an impostor's");
    w = posted();
    w->says = mirror;
    wrong(w, "no voucher", "our own request");
}

static brski_err_t *expired(testregistrar_t *w, brski_client_answer_t *answer,
                            const brski_client_request_t *r)
{
    (void)r;
    answer->content_type = VOUCHER_TYPE;
    w->voucher.nonce = NULL;
    w->voucher.expires_on = unit_time("2025-12-31T00:00:00Z");
    answer->body = testpki_sign_voucher(&w->voucher, w->maker->masa_ee,
                                        testpki_chain(w->maker->masa_ee, 0, w->pool), w->pool);
    return BRSKI_OK;
}

static void test_expired_voucher(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    w->pvr.nonce = NULL;
    is_ok(testregistrar_post(w), "5.5 a request without a nonce");
    testregistrar_vouches(w);
    w->says = expired;
    wrong(w, "expired on 2025-12-31", "an expired voucher");
}

/* ---- who signs ---- */

static void test_strange_signer(void)
{
    testregistrar_t *w = vouched();

    w->signer = w->maker->pledge;
    testregistrar_step(w);
    is_err(testregistrar_post(w), VOUCHER_SIGNER,
           "5.6 an IDevID's issuer does not sign vouchers unless it is configured to");
    is_int(testregistrar_told(w, "voucher-signer"), 1, "5.6 a human is told");
}

static brski_first_use_t *shown(testregistrar_t *w, const char *purpose)
{
    apr_array_header_t *list;

    is_ok(brski_records_first_uses(&list, w->registrar.records, "maker", purpose, pool, pool),
          "list");
    is_int(list->nelts, 1, "5.6 a human finds one chain");
    return list->nelts ? APR_ARRAY_IDX(list, 0, brski_first_use_t *) : NULL;
}

static void decide(testregistrar_t *w, const char *purpose, const char *state)
{
    apr_time_t now = w->maker->ctx->now(w->maker->ctx->baton);
    int done, woken;

    is_ok(brski_records_first_use_decide(&done, w->registrar.records, "maker", purpose,
                                         shown(w, purpose)->spki, state, "me", now, pool),
          "decide");
    is_ok(brski_records_request_wake(&woken, w->registrar.records, "maker", NULL, now, pool),
          "wake");
}

static void test_tofu_signer(void)
{
    testregistrar_t *w = posted();
    int asked;

    w->manufacturer->voucher_trust = BRSKI_TRUST_TOFU;
    w->manufacturer->voucher_anchors = NULL;
    is_int(testregistrar_step(w)->task, BRSKI_TASK_HUMAN,
           "7.4 an unknown signer waits for a human");
    is_ok(testregistrar_post(w), "7.4 and the pledge");
    is_int(w->answer->status, 202, "7.4 waits too");
    is_int(testregistrar_told(w, "voucher-signer-new"), 1, "7.4 who is told");
    has_str(testregistrar_last(w, "voucher-signer-new"), w->maker->masa_root->cert->spki_hex,
            "7.4 what to compare");
    is_str(shown(w, "voucher")->spki, w->maker->masa_root->cert->spki_hex,
           "7.4 the top of what the voucher carries");
    asked = w->asked;
    testregistrar_later(w, 86400);
    decide(w, "voucher", "approved");
    is_int(testregistrar_step(w)->status, 200, "7.4 approved, the voucher is good");
    is_int(w->asked, asked, "7.4 without asking the MASA again");
    is_ok(testregistrar_post(w), "7.4 the pledge");
    is_int(w->answer->status, 200, "7.4 has it");
}

static void test_tofu_distrusted(void)
{
    testregistrar_t *w = posted();

    w->manufacturer->voucher_trust = BRSKI_TRUST_TOFU;
    w->manufacturer->voucher_anchors = NULL;
    testregistrar_step(w);
    decide(w, "voucher", "distrusted");
    testregistrar_step(w);
    is_err(testregistrar_post(w), VOUCHER_SIGNER, "7.4 distrusted, the voucher never goes");
}

/* ---- a MASA's TLS server that nobody knows ---- */

static int tls_known;

static brski_err_t *strange_server(testregistrar_t *w, brski_client_answer_t *answer,
                                   const brski_client_request_t *r)
{
    apr_array_header_t *chain = apr_array_make(w->pool, 2, sizeof(brski_bytes_t));

    (void)answer;
    (void)r;
    tls_known = w->options.trusted->nelts;
    APR_ARRAY_PUSH(chain, brski_bytes_t) = w->maker->masa_ee->cert->der;
    APR_ARRAY_PUSH(chain, brski_bytes_t) = w->maker->masa_root->cert->der;
    w->options.untrusted(w->options.baton, chain);
    return brski_err_say(brski_err(BRSKI_E_IO, NULL, w->pool, NULL), w->pool,
                         "No answer: unable to get local issuer certificate.");
}

static void test_tofu_tls(void)
{
    testregistrar_t *w = posted();

    w->manufacturer->tls_trust = BRSKI_TRUST_TOFU;
    w->says = strange_server;
    is_int(testregistrar_step(w)->task, BRSKI_TASK_HUMAN,
           "5.4 an unknown server waits for a human");
    is_int(tls_known, 0, "5.4 for nobody was trusted");
    is_int(testregistrar_told(w, "masa-tls-new"), 1, "5.4 who is told");
    is_str(shown(w, "tls")->host, "masa.example", "5.4 where");
    is_ok(testregistrar_post(w), "5.4 the pledge");
    is_int(w->answer->status, 202, "5.4 waits");
    decide(w, "tls", "approved");
    testregistrar_decides(w);
    is_int(testregistrar_step(w)->status, 200, "5.4 approved, it is asked");
    is_int(w->options.trusted->nelts, 1, "5.4 with that one anchor");
    ok(brski_bytes_equal(APR_ARRAY_IDX(w->options.trusted, 0, brski_bytes_t),
                         w->maker->masa_root->cert->der), "5.4 the top of what was shown");
}

static void test_tofu_tls_distrusted(void)
{
    testregistrar_t *w = posted();

    w->manufacturer->tls_trust = BRSKI_TRUST_TOFU;
    w->says = strange_server;
    testregistrar_step(w);
    decide(w, "tls", "distrusted");
    testregistrar_step(w);
    is_err(testregistrar_post(w), MASA_FAILED, "5.4 distrusted, there is no MASA");
    is_int(testregistrar_told(w, "masa-distrusted"), 1, "5.4 and that is told");
}

/* ---- the log ---- */

static void location(const char *header, const char *want)
{
    is_str(brski_registrar_location("https://masa.example:9443/a/requestauditlog", header, pool),
           want, "5.8 Location %s", header ? header : "missing");
}

static void test_locations(void)
{
    location("/log/1", "https://masa.example:9443/log/1");
    location("https://masa.example:9443/log/1", "https://masa.example:9443/log/1");
    location("HTTPS://MASA.example:9443/log", "HTTPS://MASA.example:9443/log");
    location("https://masa.example/log", NULL);
    location("https://masa.example:94431/log", NULL);
    location("https://masa.example:9443", NULL);
    location("https://masa.example:9443@evil.example/", NULL);
    location("http://masa.example:9443/log", NULL);
    location("//evil.example/log", NULL);
    location("log/1", NULL);
    location("", NULL);
    location("/a b", NULL);
    location("/a\\b", NULL);
    location(NULL, NULL);
}

static const char *log_location;

static brski_err_t *log_elsewhere(testregistrar_t *w, brski_client_answer_t *answer,
                                  const brski_client_request_t *r)
{
    if (!strcmp(r->method, "GET")) {
        answer->body = brski_bytes_str(apr_psprintf(
            w->pool, "{\"version\":1,\"events\":[{\"date\":\"2026-01-01T00:00:00Z\",\"domainID\":"
            "\"%s\",\"nonce\":\"n\",\"assertion\":\"proximity\"}]}",
            brski_domain_id(w->maker->domain_ca->cert, w->pool)));
        return BRSKI_OK;
    }
    answer->status = 201;
    answer->location = log_location;
    return BRSKI_OK;
}

static void test_created_log(void)
{
    testregistrar_t *w = posted();

    testregistrar_step(w);
    w->says = log_elsewhere;
    log_location = "/logs/42";
    testregistrar_step(w);
    is_str(w->url, "https://masa.example/logs/42", "5.8 a log elsewhere at the MASA is fetched");
    is_ok(testregistrar_post(w), "5.8 the pledge has its voucher");
    is_int(testregistrar_gate(w), 0, "5.8 and may enrol");

    w = posted();
    testregistrar_step(w);
    w->says = log_elsewhere;
    log_location = "https://evil.example/logs/42";
    testregistrar_step(w);
    is_str(w->url, "https://masa.example/.well-known/brski/requestauditlog",
           "5.8 a log at another place is not");
    is_ok(testregistrar_post(w), "5.8 the pledge has its voucher");
    is_int(testregistrar_gate(w), 202, "5.8 and waits with enrolling");
}

/* The log cannot be had: the voucher stands, EST waits, a human is told. */
static void test_log_trouble(void)
{
    testregistrar_t *w = posted();
    int i;

    testregistrar_step(w);
    testregistrar_canned(w, 500, "text/plain", "oops");
    for (i = 0; i < 4; i++) {
        testregistrar_step(w);
        testregistrar_later(w, 60);
    }
    is_int(testregistrar_told(w, "audit-failed"), 1, "5.8 a human is told once");
    is_ok(testregistrar_post(w), "5.8 the voucher stands");
    is_int(w->answer->status, 200, "5.8 and goes to the pledge");
    is_int(testregistrar_gate(w), 202, "5.8 which waits with enrolling");
    testregistrar_decides(w);
    testregistrar_later(w, 400);
    testregistrar_run(w);
    is_int(testregistrar_gate(w), 0, "5.8 until the log is there");
}

static void logs(const char *log, int gate, const char *label)
{
    testregistrar_t *w = posted();

    testregistrar_step(w);
    testregistrar_canned(w, 200, "application/json", log);
    testregistrar_step(w);
    if (gate == 403) {
        is_err(testregistrar_post(w), AUDIT_BAD, "5.8.3 %s: refused", label);
        is_int(testregistrar_told(w, "audit-bad"), 1, "5.8.3 %s: told", label);
    }
}

static void test_bad_logs(void)
{
    logs("", 403, "an empty log");
    logs("<html>", 403, "a log that is none");
    logs("{\"version\":1,\"events\":[]}", 403, "a log without events");
}

/* Withheld for a log that never comes: never released. */
static void test_withheld_for_ever(void)
{
    testregistrar_t *w = testregistrar_make(pool);

    w->registrar.withhold = 1;
    is_ok(testregistrar_post(w), "5.8.3 a request");
    testregistrar_step(w);
    testregistrar_canned(w, 500, "text/plain", "oops");
    testregistrar_step(w);
    is_ok(testregistrar_post(w), "5.8.3 the pledge waits");
    is_int(w->answer->status, 202, "5.8.3 while the log is not there");
    testregistrar_later(w, 4 * 86400);
    testregistrar_step(w);
    is_err(testregistrar_post(w), MASA_FAILED, "5.8.3 and has no voucher in the end");
}

/* A MASA is asked for voucher and audit log on one connection, which waits for half a minute. */
static void test_kept_line(void)
{
    testregistrar_t *w = posted();

    w->registrar.lines = brski_masa_lines_make(4, pool);
    testregistrar_run(w);
    ok(w->asked > 1, "5.5 the MASA is asked for a voucher and for the log");
    is_int(w->clients, 1, "5.5 on one connection");
    testregistrar_later(w, 20);
    w->body = brski_bytes(NULL, 0);
    w->pvr.nonce = "another nonce of 16";
    is_ok(testregistrar_post(w), "5.5 another request");
    testregistrar_run(w);
    is_int(w->clients, 1, "5.5 soon afterwards goes out on it too");
    testregistrar_later(w, 40);
    w->body = brski_bytes(NULL, 0);
    w->pvr.nonce = "a third nonce of 16.";
    is_ok(testregistrar_post(w), "5.5 a third request");
    testregistrar_run(w);
    is_int(w->clients, 2, "5.5 later makes its own");
}

/* What went wrong on a connection is no reason to use it again. */
static void test_broken_line(void)
{
    testregistrar_t *w = posted();

    w->registrar.lines = brski_masa_lines_make(4, pool);
    w->says = silent;
    testregistrar_step(w);
    testregistrar_later(w, 10);
    testregistrar_step(w);
    is_int(w->clients, 2, "5.5 a connection without answer is not kept");
}

/* Approved anchors may be distrusted any moment. RFC 8995 10.3 */
static void test_tofu_line(void)
{
    testregistrar_t *w = posted();

    w->registrar.lines = brski_masa_lines_make(4, pool);
    w->manufacturer->tls_trust = BRSKI_TRUST_TOFU;
    testregistrar_run(w);
    is_int(w->clients, w->asked, "5.5 a connection on an approved anchor is not kept");
    ok(w->asked > 1, "5.5 though it is asked twice");
}

/* A process that died: another takes its work. */
static void test_taken_over(void)
{
    testregistrar_t *w = posted();
    brski_request_t *mine = apr_pmemdup(pool, w->answer->row, sizeof(*mine));

    w->answer->fresh = 0;
    ok(testregistrar_step(w) == NULL, "5.5 a row that is worked on is nobody else's");
    testregistrar_later(w, 600);
    is_int(testregistrar_step(w)->status, 200, "5.5 whose lease ran out is");
    testregistrar_canned(w, 401, "text/plain", "");
    is_ok(brski_registrar_work(&w->registrar, mine, pool), "5.5 who comes back late");
    is_int(testregistrar_told(w, "masa-login"), 0, "5.5 has nothing to tell");
    is_int(testregistrar_row(w)->status, 200, "5.5 and changes nothing");
}

/* A manufacturer that this front end does not know (any more) is left to others. */
static void test_no_manufacturer(void)
{
    testregistrar_t *w = posted();

    w->manufacturer->name = "renamed";
    is_int(testregistrar_step(w)->task, BRSKI_TASK_VOUCHER, "5.5 its work waits");
    is_int(w->asked, 0, "5.5 and nobody is asked");
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_failures, test_no_answer, test_retry_after, test_gives_up, test_login,
        test_told_for_all, test_client,
        test_refusals, test_private_place, test_wrong_vouchers, test_forged_vouchers,
        test_expired_voucher, test_strange_signer, test_tofu_signer, test_tofu_distrusted,
        test_tofu_tls, test_tofu_tls_distrusted, test_locations, test_created_log,
        test_log_trouble, test_bad_logs, test_withheld_for_ever, test_taken_over,
        test_kept_line, test_broken_line, test_tofu_line, test_no_manufacturer,
    };
    apr_pool_t *parent = unit_start();
    apr_size_t i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        apr_pool_create(&pool, parent);
        tests[i]();
        apr_pool_destroy(pool);
    }
    return done_testing();
}
