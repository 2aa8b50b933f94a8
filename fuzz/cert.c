/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert.c: fuzz target of certificates and of everything that decisions ask of one: names for
 * people are printable, the DER is kept, and the idevid-issuer made of it can be read.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_revoke_judge.h"

static void ask(const brski_cert_t *cert, apr_pool_t *pool)
{
    apr_array_header_t *names = brski_cert_dns_names(cert, pool);
    brski_bytes_t issuer = brski_idevid_issuer_make(cert, pool);
    const char *keyid, *name;
    int i, named;

    FUZZ_MUST(fuzz_is_printable(brski_cert_masa_url(cert, pool)));
    FUZZ_MUST(fuzz_is_printable(brski_domain_id(cert, pool)));
    FUZZ_MUST(fuzz_is_printable(cert->cert_serial_hex));
    FUZZ_MUST(!cert->serial_number || brski_is_utf8(cert->serial_number));
    FUZZ_MUST(brski_is_utf8(cert->subject) && brski_is_utf8(cert->issuer));
    for (i = 0; i < names->nelts; i++) {
        FUZZ_MUST(APR_ARRAY_IDX(names, i, const char *) != NULL);
    }
    brski_idevid_issuer_parse(&keyid, &name, issuer, pool);
    brski_ocsp_urls(cert, pool);
    brski_crl_urls(&named, cert, pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_bytes_t der = brski_bytes(data, size);
    const brski_cert_t *cert, *again;
    brski_err_t *err = brski_cert_parse(&cert, der, &brski_limits_default, NULL, pool);

    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(brski_bytes_equal(cert->der, der));
        FUZZ_MUST(cert->key || cert->weak_key);
        ask(cert, pool);
        FUZZ_MUST(!brski_cert_parse(&again, cert->der, &brski_limits_default, NULL, pool));
        FUZZ_MUST(!memcmp(again->spki_hash, cert->spki_hash, sizeof(cert->spki_hash)));
    }
    return 0;
}
