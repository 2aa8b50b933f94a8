/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_revoke_fetch.c: the guarded fetch, on libcurl. The address is judged where the socket for
 * it is made: what was judged is what is connected to, whatever a name means by then.
 */
#include "brski_revoke_fetch.h"

#include <apr_strings.h>
#include <curl/curl.h>
#include <string.h>
#include <sys/socket.h>

#include "brski_address.h"
#include "brski_bytes.h"
#include "brski_err.h"

/* Longer than any that a CA writes. */
#define MAX_URL 2048

/* Well-known ports other than the web's belong to services that should not hear from us. */
#define FIRST_USER_PORT 1024

typedef struct exchange_t {
    const brski_fetch_t *fetch;
    apr_pool_t *pool;
    unsigned char *body;
    apr_size_t len;
    apr_size_t room;
    int too_large;
    int refused;                      /* an address was */
} exchange_t;

static apr_status_t end_curl(void *baton)
{
    (void)baton;
    curl_global_cleanup();
    return APR_SUCCESS;
}

brski_err_t *brski_fetch_init(apr_pool_t *pool)
{
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (rc != CURLE_OK) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "libcurl: %s", curl_easy_strerror(rc));
    }
    apr_pool_cleanup_register(pool, NULL, end_curl, apr_pool_cleanup_null);
    return BRSKI_OK;
}

/* ---- what curl calls ---- */

static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *addr)
{
    exchange_t *x = baton;
    brski_address_t kind = brski_address_kind(&addr->addr, addr->addrlen);

    (void)purpose;
    if (kind == BRSKI_ADDRESS_NEVER
        || (kind == BRSKI_ADDRESS_PRIVATE && !x->fetch->allow_private)) {
        x->refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    exchange_t *x = baton;
    apr_size_t len = size * count;
    unsigned char *more;

    if (len > x->fetch->max_answer - x->len) {
        x->too_large = 1;
        return 0;
    }
    if (len > x->room - x->len) {
        x->room = 2 * (x->len + len);
        more = apr_palloc(x->pool, x->room);
        if (x->len) {
            memcpy(more, x->body, x->len);
        }
        x->body = more;
    }
    memcpy(x->body + x->len, data, len);
    x->len += len;
    return len;
}

/* ---- the URL ---- */

static const char *check_port(CURLU *url)
{
    const char *why = NULL;
    char *text = NULL;
    apr_int64_t port;

    if (curl_url_get(url, CURLUPART_PORT, &text, 0) == CURLUE_OK) {
        port = apr_atoi64(text);
        if (port != 80 && port != 443 && port < FIRST_USER_PORT) {
            why = "its port is neither the web's nor above 1023";
        }
        curl_free(text);
    }
    return why;
}

/* What is wrong with a URL before anything is asked about its host. */
static const char *check_url(const char *text)
{
    CURLU *url = curl_url();
    char *part = NULL;
    const char *why = NULL;

    if (!url || strlen(text) > MAX_URL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK
        || curl_url_get(url, CURLUPART_SCHEME, &part, 0) != CURLUE_OK) {
        why = "it is no URL";
    }
    else if (strcmp(part, "http") && strcmp(part, "https")) {
        why = "it is neither http nor https";
    }
    curl_free(part);
    part = NULL;
    if (!why && curl_url_get(url, CURLUPART_USER, &part, 0) == CURLUE_OK) {
        why = "it names a user";
    }
    curl_free(part);
    why = why ? why : check_port(url);
    curl_url_cleanup(url);
    return why;
}

/* ---- the exchange ---- */

static brski_err_t *failed(const brski_fetch_t *fetch, const char *why, apr_pool_t *pool)
{
    return brski_err(BRSKI_E_IO, NULL, pool, "%s: %s", brski_printable(fetch->url, 200, pool), why);
}

static void set_guards(CURL *curl, const brski_fetch_t *fetch, exchange_t *x)
{
    long ms = (long)apr_time_as_msec(fetch->timeout);

#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");            /* not even one of the environment */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)fetch->max_answer);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
}

static struct curl_slist *set_request(CURL *curl, const brski_fetch_t *fetch, apr_pool_t *pool)
{
    struct curl_slist *headers = NULL;

    curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
    if (fetch->content_type) {
        headers = curl_slist_append(
            NULL, apr_pstrcat(pool, "Content-Type: ", fetch->content_type, NULL));
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->post.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)fetch->post.data);
    }
    return headers;
}

static brski_err_t *judge(CURLcode rc, long status, const exchange_t *x, const char *curl_says,
                          apr_pool_t *pool)
{
    if (x->too_large || rc == CURLE_FILESIZE_EXCEEDED) {
        return failed(x->fetch, apr_psprintf(pool, "the answer is larger than %" APR_SIZE_T_FMT
                                             " octets", x->fetch->max_answer), pool);
    }
    if (rc != CURLE_OK && x->refused) {
        return failed(x->fetch, "its address is not public", pool);
    }
    if (rc != CURLE_OK) {
        return failed(x->fetch, *curl_says ? brski_printable(curl_says, 200, pool)
                                           : curl_easy_strerror(rc), pool);
    }
    if (status != 200) {
        return failed(x->fetch, apr_psprintf(pool, "HTTP status %ld", status), pool);
    }
    return BRSKI_OK;
}

brski_err_t *brski_fetch(brski_bytes_t *body, const brski_fetch_t *fetch, apr_pool_t *result_pool,
                         apr_pool_t *scratch_pool)
{
    exchange_t x = { fetch, result_pool, NULL, 0, 0, 0, 0 };
    char curl_says[CURL_ERROR_SIZE] = "";
    const char *why = check_url(fetch->url);
    struct curl_slist *headers;
    long status = 0;
    brski_err_t *err;
    CURLcode rc;
    CURL *curl;

    *body = brski_bytes(NULL, 0);
    if (why) {
        return failed(fetch, why, scratch_pool);
    }
    curl = curl_easy_init();
    if (!curl) {
        return failed(fetch, "libcurl does not start", scratch_pool);
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, curl_says);
    set_guards(curl, fetch, &x);
    headers = set_request(curl, fetch, scratch_pool);
    rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    err = judge(rc, status, &x, curl_says, scratch_pool);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (!err) {
        *body = brski_bytes(x.body, x.len);
    }
    return err;
}
