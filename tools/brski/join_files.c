/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_files.c: what remains of a join, for --out: voucher-request and voucher as they were, CA
 * certificates, and the device's new key (mode 0600) and certificate with its chain.
 */
#include <apr_strings.h>

#include "brski_bytes.h"
#include "files.h"
#include "join.h"
#include "pki.h"

static brski_err_t *save(const join_t *j, const char *name, brski_bytes_t content, int mode)
{
    return files_write(files_join(j->out, name, j->call->pool), content, mode, j->call->pool);
}

static brski_err_t *save_certs(const join_t *j, const char *name, const apr_array_header_t *certs)
{
    const char *text = "";
    int i;

    for (i = 0; i < certs->nelts; i++) {
        text = apr_pstrcat(j->call->pool, text,
                           brski_cert_pem(APR_ARRAY_IDX(certs, i, const brski_cert_t *),
                                          j->call->pool), NULL);
    }
    return save(j, name, brski_bytes_str(text), FILES_PUBLIC);
}

brski_err_t *join_files_start(const join_t *j)
{
    return j->out ? files_mkdir(j->out, 0755, j->call->pool) : BRSKI_OK;
}

brski_err_t *join_save_voucher(const join_t *j)
{
    if (!j->out) {
        return BRSKI_OK;
    }
    BRSKI_TRY(save(j, "request.vcj", j->pledge->request, FILES_PUBLIC));
    return save(j, "voucher.vcj", j->pledge->voucher, FILES_PUBLIC);
}

brski_err_t *join_save_cacerts(const join_t *j)
{
    return j->out ? save_certs(j, "cacerts.pem", j->pledge->cacerts) : BRSKI_OK;
}

brski_err_t *join_save_certificate(const join_t *j)
{
    brski_bytes_t key;

    if (!j->out) {
        return BRSKI_OK;
    }
    BRSKI_TRY(pki_key_pem(&key, j->pledge->ldevid.key, j->call->pool));
    BRSKI_TRY(save(j, "device.key", key, FILES_SECRET));
    return save_certs(j, "device.pem", j->pledge->ldevid.certs);
}
