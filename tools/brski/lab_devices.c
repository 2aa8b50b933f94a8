/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_devices.c: a lab's devices and the CSV that masactl imports.
 */
#include <apr_strings.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_time.h"
#include "crew.h"
#include "files.h"
#include "lab_make.h"

/* What every device is made from. */
typedef struct work_t {
    const lab_plan_t *plan;
    const lab_made_t *made;
    const char *masa_url;
} work_t;

const char *lab_make_serial(const lab_plan_t *plan, apr_int64_t n, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s-%0*" APR_INT64_T_FMT, plan->prefix, plan->digits, n);
}

static brski_err_t *make_device(void *baton, apr_uint32_t number, apr_pool_t *pool)
{
    const work_t *work = baton;
    const char *serial = lab_make_serial(work->plan, (apr_int64_t)number + 1, pool);
    const char *dir = apr_pstrcat(pool, work->plan->dir, "/" LAB_DEVICES "/", serial, NULL);
    pki_spec_t spec = lab_make_spec(work->plan, PKI_IDEVID, "Lab Manufacturer", "Lab Device");
    pki_id_t *id;

    spec.serial_number = serial;
    spec.masa_url = work->masa_url;
    spec.not_after = 0;
    BRSKI_TRY(pki_make(&id, &spec, work->made->idevid_ca, pool));
    BRSKI_TRY(files_mkdir(dir, 0755, pool));
    /* with the CA that issued it, without the root: what a device has room for and sends in TLS */
    return pki_write(id, dir, "idevid", 2, pool);
}

brski_err_t *lab_make_devices(const lab_made_t *made, const lab_plan_t *plan, call_t *call)
{
    work_t work = { plan, made, apr_psprintf(call->pool, "%s:%d", plan->host, plan->port) };

    return crew_run(make_device, &work, (apr_uint32_t)plan->devices, "making", "devices", call->say,
                    call->pool);
}

/* What every line ends in. The signer a device trusts is a fact of its making. */
static const char *line_tail(const lab_plan_t *plan, const lab_made_t *made, apr_pool_t *pool)
{
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(made->idevid_ca->cert);
    brski_bytes_t issuer =
        brski_bytes(ASN1_STRING_get0_data(ski), (apr_size_t)ASN1_STRING_length(ski));

    return apr_psprintf(pool, ",%s,%s,%s,%s,%s\n", plan->product, plan->customer,
                        pki_key_id(made->signer->cert, pool), brski_hex(issuer, pool),
                        brski_time_rfc3339(plan->from, pool));
}

brski_err_t *lab_make_csv(const lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool)
{
    const char *tail = line_tail(plan, made, pool);
    apr_size_t room = 80 + (apr_size_t)plan->devices * (strlen(plan->prefix) + 24 + strlen(tail));
    char *text = malloc(room), *to = text;
    brski_err_t *err;
    apr_int64_t n;

    if (!text) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "out of memory");
    }
    to += apr_snprintf(to, room, "serial_number,product,customer,signer,idevid_issuer,made_at\n");
    for (n = 1; n <= plan->devices; n++) {
        to += apr_snprintf(to, room - (apr_size_t)(to - text), "%s-%0*" APR_INT64_T_FMT "%s",
                           plan->prefix, plan->digits, n, tail);
    }
    err = files_write(files_join(plan->dir, LAB_DEVICES_CSV, pool),
                      brski_bytes(text, (apr_size_t)(to - text)), FILES_PUBLIC, pool);
    free(text);
    return err;
}
