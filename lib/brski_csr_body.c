/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr_body.c: the octets of an EST body, whatever a client wrapped them in: RFC 7030 says
 * base64 of DER, RFC 8951 forgives white space, and in the field there are PEM and plain DER too.
 */
#include "brski_csr.h"

#include <string.h>

#include "brski_bytes.h"
#include "brski_der.h"
#include "brski_err.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

static brski_err_t *refuse(apr_pool_t *pool, const brski_err_t *prev, const char *why)
{
    return brski_err_say(brski_err(BRSKI_E_EST_BODY, prev, pool, "EST body: %s", why), pool,
                         "The body cannot be decoded: %s.", why);
}

/* PEM of a certificate passes, so that who reads it can say what it is. */
static int is_readable_label(brski_bytes_t label)
{
    static const char *const labels[] = { "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
                                          "CERTIFICATE" };
    size_t i;

    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (brski_bytes_equal(label, brski_bytes_str(labels[i]))) {
            return 1;
        }
    }
    return 0;
}

static const char *find(const char *text, const char *end, const char *what)
{
    size_t len = strlen(what);

    for (; (size_t)(end - text) >= len; text++) {
        if (!memcmp(text, what, len)) {
            return text;
        }
    }
    return NULL;
}

static int is_blank(brski_bytes_t text)
{
    while (text.len && memchr(" \t\r\n", *text.data, 4)) {
        text.data++;
        text.len--;
    }
    return !text.len;
}

/* After the dashes of "-----END LABEL-----" with the same label; NULL when it is not there. */
static const char *after_end(const char *at, const char *end, brski_bytes_t label)
{
    at += strlen(END);
    if ((apr_size_t)(end - at) < label.len + strlen(DASHES) || memcmp(at, label.data, label.len)
        || memcmp(at + label.len, DASHES, strlen(DASHES))) {
        return NULL;
    }
    return at + label.len + strlen(DASHES);
}

/* RFC 7468, one object; text in front of it is passed over, as openssl req -text writes it. */
static brski_err_t *decode_pem(brski_bytes_t *der, const char *begin, const char *end,
                               apr_pool_t *pool)
{
    const char *label_at = begin + strlen(BEGIN), *text, *stop, *after;
    const char *dashes = find(label_at, end, DASHES);
    brski_bytes_t label;
    brski_err_t *err;

    if (!dashes) {
        return refuse(pool, NULL, "its PEM armour is not complete");
    }
    label = brski_bytes(label_at, (apr_size_t)(dashes - label_at));
    if (!is_readable_label(label)) {
        return refuse(pool, NULL, "its PEM armour holds something else");
    }
    text = dashes + strlen(DASHES);
    if (!(stop = find(text, end, END)) || !(after = after_end(stop, end, label))) {
        return refuse(pool, NULL, "its PEM armour is not complete");
    }
    if (!is_blank(brski_bytes(after, (apr_size_t)(end - after)))) {
        return refuse(pool, NULL, "more follows its PEM armour");
    }
    err = brski_base64_decode_liberal(der, text, (apr_size_t)(stop - text), pool);
    return err ? refuse(pool, err, "its PEM armour does not hold base64") : BRSKI_OK;
}

brski_err_t *brski_est_body_decode(brski_bytes_t *der, brski_bytes_t body,
                                   const brski_limits_t *limits, apr_pool_t *pool)
{
    const char *text = (const char *)body.data, *end = text + body.len, *begin;
    brski_err_t *err;

    *der = brski_bytes(NULL, 0);
    if (body.len > limits->body) {
        return brski_err_say(
            brski_err(BRSKI_E_LIMIT, NULL, pool, "EST body of %lu octets", (unsigned long)body.len),
            pool, "The body is larger than %lu octets.", (unsigned long)limits->body);
    }
    if (is_blank(body)) {
        return refuse(pool, NULL, "it is empty");
    }
    /* base64 of DER never begins with this octet, which is the digit 0 */
    if (*body.data == BRSKI_DER_SEQUENCE) {
        *der = body;
        return BRSKI_OK;
    }
    if ((begin = find(text, end, BEGIN))) {
        return decode_pem(der, begin, end, pool);
    }
    err = brski_base64_decode_liberal(der, text, body.len, pool);
    if (err || !der->len) {
        *der = brski_bytes(NULL, 0);
        return refuse(pool, err, "it is neither base64 nor DER");
    }
    return BRSKI_OK;
}
