/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_url.c: fuzz target of the MASA URL of a stranger's certificate: what comes out is https, has
 * nothing in it that ends a request line, and is where it leads when it is read again.
 */
#include "fuzz.h"

#include <string.h>

#include "brski_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *url, *again;
    brski_err_t *err =
        brski_client_masa_url(&url, fuzz_text(data, size, pool), "requestvoucher", pool);

    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(!strncmp(url, "https://", 8));
        FUZZ_MUST(fuzz_is_printable(url) && !strpbrk(url, " ?#@\\<>\""));
        FUZZ_MUST(strchr(url + 8, '/') != NULL);
        FUZZ_MUST(!brski_client_masa_url(&again, url, "requestvoucher", pool));
        FUZZ_MUST(!strcmp(url, again));
    }
    return 0;
}
