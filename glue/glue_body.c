/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_body.c: reads a body through httpd's filters, as glue_body.h says.
 */
#include "glue_body.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "brski_bytes.h"

/* Octets of client text in a log line. */
#define PRINT_MAX 200

static brski_err_t *body_length(apr_size_t *length, const glue_http_t *http)
{
    const char *text = apr_table_get(http->r->headers_in, "Content-Length");
    apr_off_t n = 0;
    char *end;

    *length = 0;
    if (!text) {
        return BRSKI_OK;
    }
    if (apr_strtoff(&n, text, &end, 10) != APR_SUCCESS || *end || n < 0) {
        return brski_err(BRSKI_E_BODY_BROKEN, NULL, http->r->pool, "Content-Length %s",
                         brski_printable(text, PRINT_MAX, http->r->pool));
    }
    if ((apr_uint64_t)n > http->engine->limits->body) {
        return brski_err(BRSKI_E_BODY_TOO_LARGE, NULL, http->r->pool, "Content-Length %s", text);
    }
    *length = (apr_size_t)n;
    return BRSKI_OK;
}

/* What a failed read means; AP_FILTER_ERROR: a filter has answered by itself. */
static brski_err_t *read_error(glue_http_t *http, apr_status_t rv)
{
    const int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    char text[128];

    http->answered = status == AP_FILTER_ERROR;
    return brski_err(status == HTTP_REQUEST_ENTITY_TOO_LARGE ? BRSKI_E_BODY_TOO_LARGE
                                                             : BRSKI_E_BODY_BROKEN,
                     NULL, http->r->pool, "reading the body: %s",
                     apr_strerror(rv, text, sizeof(text)));
}

typedef struct glue_body_t {
    unsigned char *data;
    apr_size_t len;
    apr_size_t room;
    apr_size_t limit;
} glue_body_t;

/* Room grows by doubling: a stranger who announces much and sends little costs little. */
static brski_err_t *body_append(glue_body_t *body, const char *data, apr_size_t len,
                                apr_pool_t *pool)
{
    if (len > body->limit - body->len) {
        return brski_err(BRSKI_E_BODY_TOO_LARGE, NULL, pool, "more than %" APR_SIZE_T_FMT
                         " octets", body->limit);
    }
    if (len > body->room - body->len) {
        apr_size_t room = body->room * 2;
        unsigned char *larger;

        while (room < body->len + len) {
            room *= 2;
        }
        larger = apr_palloc(pool, room);
        memcpy(larger, body->data, body->len);
        body->data = larger;
        body->room = room;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    return BRSKI_OK;
}

static brski_err_t *body_take(glue_body_t *body, int *end, apr_bucket_brigade *bb,
                              glue_http_t *http)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(b)) {
            *end = 1;
            break;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        if ((rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ)) != APR_SUCCESS) {
            return read_error(http, rv);
        }
        BRSKI_TRY(body_append(body, data, len, http->r->pool));
    }
    return BRSKI_OK;
}

brski_err_t *glue_body_read(glue_http_t *http)
{
    request_rec *r = http->r;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    glue_body_t body = { NULL, 0, 4096, http->engine->limits->body };
    apr_size_t announced;
    int end = 0;

    BRSKI_TRY(body_length(&announced, http));
    body.data = apr_palloc(r->pool, body.room);
    while (!end) {
        apr_status_t rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                                         HUGE_STRING_LEN);
        brski_err_t *err = rv == APR_SUCCESS ? body_take(&body, &end, bb, http)
                                             : read_error(http, rv);

        apr_brigade_cleanup(bb);
        http->body = brski_bytes(body.data, body.len);
        BRSKI_TRY(err);
    }
    if (body.len < announced) {
        return brski_err(BRSKI_E_BODY_BROKEN, NULL, r->pool, "%" APR_SIZE_T_FMT " of %"
                         APR_SIZE_T_FMT " octets came", body.len, announced);
    }
    http->body_done = 1;
    return body.len ? BRSKI_OK : brski_err(BRSKI_E_BODY_EMPTY, NULL, r->pool, NULL);
}

void glue_body_drop(const glue_http_t *http)
{
    apr_size_t announced;

    if (!http->body_done && (apr_table_get(http->r->headers_in, "Transfer-Encoding")
                             || body_length(&announced, http))) {
        http->r->connection->keepalive = AP_CONN_CLOSE;
    }
}
