/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_client_test.c: where a MASA is, from what an IDevID says; and what the client refuses
 * before it asks. What it does with servers is t/tools/brski-ask.t's.
 */
#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_client.h"
#include "unit.h"

static apr_pool_t *pool;

static void leads_to(const char *base, const char *want)
{
    const char *url;

    is_ok(brski_client_masa_url(&url, base, "requestvoucher", pool), "2.3.2 understands %s", base);
    is_str(url, want, "2.3.2 %s leads to the right place", base);
}

static void is_no_url(const char *base)
{
    const char *url = "set";

    is_err(brski_client_masa_url(&url, base, "requestvoucher", pool), INPUT, "2.3.2 refuses '%s'",
           base);
    ok(url == NULL, "2.3.2 '%s' leads nowhere", base);
}

static void test_urls(void)
{
    leads_to("masa.example", "https://masa.example/.well-known/brski/requestvoucher");
    leads_to("masa.example:9443", "https://masa.example:9443/.well-known/brski/requestvoucher");
    leads_to("[::1]:9443", "https://[::1]:9443/.well-known/brski/requestvoucher");
    leads_to("https://masa.example", "https://masa.example/.well-known/brski/requestvoucher");
    leads_to("HTTPS://masa.example/", "https://masa.example/.well-known/brski/requestvoucher");
    leads_to("https://masa.example/a/b", "https://masa.example/a/b/requestvoucher");
    leads_to("https://masa.example/a/b/", "https://masa.example/a/b/requestvoucher");
    leads_to("https://masa.example/a/requestvoucher", "https://masa.example/a/requestvoucher");
    leads_to("https://masa.example/a/requestauditlog", "https://masa.example/a/requestvoucher");
}

static void test_no_urls(void)
{
    is_no_url("");
    is_no_url("/path");
    is_no_url(":9443");
    is_no_url("https://");
    is_no_url("https:///path");
    is_no_url("http://masa.example");
    is_no_url("ftp://masa.example");
    is_no_url("https://user@masa.example");
    is_no_url("masa.example:99999");
    is_no_url("masa.example:0");
    is_no_url("masa.example:x");
    is_no_url("masa.example:");
    is_no_url("masa.example:443:443");
    is_no_url("2001:db8::1");
    is_no_url("[2001:db8::1");
    is_no_url("[2001:db8::1]9443");
    is_no_url(apr_psprintf(pool, "%0300d.example", 1));
    is_no_url("https://masa.example?x");
    is_no_url("https://masa.example/#x");
    is_no_url("https://masa example");
    is_no_url("https://masa.example/\n");
    is_no_url("https://masa\\example");
    is_no_url("m\xc3\xa4sa.example");
}

static void test_making(void)
{
    brski_client_options_t options;
    brski_client_request_t request;
    brski_client_answer_t *answer;
    brski_client_t *client;

    memset(&options, 0, sizeof(options));
    memset(&request, 0, sizeof(request));
    options.anchors = "/nonexistent/anchors.pem";
    is_err(brski_client_curl_make(&client, &options, pool), INPUT, "5.4 anchors must be readable");
    options.anchors = NULL;
    options.chain_file = "/nonexistent/chain.pem";
    is_err(brski_client_curl_make(&client, &options, pool), INPUT, "5.4 a chain must be readable");
    options.chain_file = NULL;
    is_ok(brski_client_curl_make(&client, &options, pool),
          "5.4 without files the system's anchors");
    request.method = "GET";
    request.url = "http://127.0.0.1:1/";
    is_err(client->send(&answer, client, &request, pool, pool), INPUT, "5.4 nothing but https");
    request.url = "file:///etc/passwd";
    is_err(client->send(&answer, client, &request, pool, pool), INPUT, "5.4 no file either");
    ok(answer == NULL, "5.4 and there is no answer");
    request.url = "https://127.0.0.1:1/";
    is_err(client->send(&answer, client, &request, pool, pool), IO, "5.4 nobody there is said");
}

int main(void)
{
    pool = unit_start();
    test_urls();
    test_no_urls();
    test_making();
    return done_testing();
}
