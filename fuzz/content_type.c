/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content_type.c: fuzz target of Content-Type: the only format read today is CMS.
 */
#include "fuzz.h"

#include "brski_voucher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_format_t format;
    brski_err_t *err = brski_format_from_content_type(&format, fuzz_text(data, size, pool), pool);

    fuzz_check_err(err, pool);
    FUZZ_MUST(format == (err ? BRSKI_FORMAT_NONE : BRSKI_FORMAT_CMS));
    return 0;
}
