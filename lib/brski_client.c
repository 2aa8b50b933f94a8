/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_client.c: where a MASA's operations are, from what an IDevID or a person says.
 */
#include "brski_client.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "brski_bytes.h"
#include "brski_err.h"

#define REGISTERED_PATH "/.well-known/brski/"
#define HOST_MAX 253

static brski_err_t *no_url(const char *base, const char *why, apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_INPUT, NULL, pool, "%s", why), pool,
                         "%s is not the URL of a MASA: %s.", brski_printable(base, 300, pool), why);
}

/* Printable ASCII that neither ends an authority early nor hides another one. */
static const char *fault_of(const char *rest)
{
    const char *c;

    if (*rest == '\0' || *rest == '/' || *rest == ':') {
        return "it names no host";
    }
    for (c = rest; *c; c++) {
        if (!apr_isgraph(*c)) {
            return "it has blanks or other characters that a URL does not have";
        }
        if (strchr("?#@\\<>\"^`{|}", *c)) {
            return "it has a user, a query, a fragment or other characters that do not belong "
                   "there";
        }
    }
    return NULL;
}

/* RFC 1035 2.3.4: a name has 253 octets at most; RFC 3986 3.2.2: an IPv6 address stands in
 * brackets; the rest after it is a port. */
static const char *authority_fault(const char *authority)
{
    const char *end = *authority == '[' ? strchr(authority, ']') : authority;
    const char *port = end ? strchr(end, ':') : NULL;
    apr_int64_t number;
    char *after = NULL;

    if (!end || (*authority == '[' && end[1] && end[1] != ':')) {
        return "its host is not an address in brackets";
    }
    if ((port ? (apr_size_t)(port - authority) : strlen(authority)) > HOST_MAX) {
        return "its host has more octets than a name can have";
    }
    if (!port) {
        return NULL;
    }
    number = apr_isdigit(port[1]) ? apr_strtoi64(port + 1, &after, 10) : 0;
    return number > 0 && number < 65536 && !*after ? NULL : "its port is not a number up to 65535";
}

static int ends_with(const char *text, const char *end)
{
    apr_size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

/* The path up to the operation, with a slash at its end. */
static const char *folder_of(const char *path, apr_pool_t *pool)
{
    if (*path == '\0' || strcmp(path, "/") == 0) {
        return REGISTERED_PATH;
    }
    if (ends_with(path, "/requestvoucher") || ends_with(path, "/requestauditlog")) {
        return apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') + 1 - path));
    }
    return ends_with(path, "/") ? path : apr_pstrcat(pool, path, "/", NULL);
}

brski_err_t *brski_client_masa_url(const char **url, const char *base, const char *operation,
                                   apr_pool_t *pool)
{
    const char *rest = base, *scheme = strstr(base, "://"), *fault;
    const char *authority, *path;

    *url = NULL;
    if (scheme) {
        if (scheme - base != 5 || strncasecmp(base, "https", 5) != 0) {
            return no_url(base, "it must begin with https://", pool);
        }
        rest = scheme + 3;
    }
    fault = fault_of(rest);
    path = rest + strcspn(rest, "/");
    authority = apr_pstrmemdup(pool, rest, (apr_size_t)(path - rest));
    if (!fault) {
        fault = authority_fault(authority);
    }
    if (fault) {
        return no_url(base, fault, pool);
    }
    *url = apr_pstrcat(pool, "https://", authority, folder_of(path, pool), operation, NULL);
    return BRSKI_OK;
}
