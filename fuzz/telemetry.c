/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry.c: fuzz target of what pledges report: what is kept of it can be printed.
 */
#include "fuzz.h"

#include "brski_registrar_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    brski_report_t report;
    brski_err_t *err =
        brski_report_read(&report, brski_bytes(data, size), &brski_limits_default, pool);

    fuzz_check_err(err, pool);
    if (!err) {
        FUZZ_MUST(report.version >= 1 && (report.status == 0 || report.status == 1));
        FUZZ_MUST(fuzz_is_printable(report.reason) && fuzz_is_printable(report.unknown));
    }
    return 0;
}
