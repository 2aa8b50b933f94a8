/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idevid_issuer.c: fuzz target of the forms of idevid-issuer: each says a key identifier, a name,
 * or nothing.
 */
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *keyid, *name;

    brski_idevid_issuer_parse(&keyid, &name, brski_bytes(data, size), pool);
    if (keyid) {
        FUZZ_MUST(strspn(keyid, "0123456789abcdef") == strlen(keyid));
        FUZZ_MUST(strlen(keyid) <= 2 * size);
    }
    FUZZ_MUST(!name || brski_is_utf8(name));
    return 0;
}
