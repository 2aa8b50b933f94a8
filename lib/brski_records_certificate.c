/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_certificate.c: certificates that were issued, their revocation, and the CRLs made
 * of it. A certificate is written only if no live one answers the same request, so that whoever is
 * asked, one request gets one certificate.
 */
#include "brski_records_private.h"

#include <apr_strings.h>
#include <string.h>

/* ---- rows ---- */

/* Columns of STMT_EST_CERTIFICATE_SAME. */
enum {
    C_CA,
    C_SERIAL,
    C_LABEL,
    C_REQUEST_KEY,
    C_SUBJECT,
    C_SPKI,
    C_MANUFACTURER,
    C_SERIAL_NUMBER,
    C_USERNAME,
    C_NOT_BEFORE,
    C_NOT_AFTER,
    C_ISSUED_AT,
    C_REVOKED_AT,
    C_REASON,
    C_DER
};

/* The DER is not asked for where only a CRL is made of it. */
static brski_err_t *read_issued(brski_issued_t **issued, const brski_row_t *row, apr_pool_t *pool)
{
    brski_issued_t *c = apr_pcalloc(pool, sizeof(*c));

    c->ca = brski_row_text(row, C_CA);
    c->serial = brski_row_text(row, C_SERIAL);
    c->label = brski_row_text(row, C_LABEL);
    c->request_key = brski_row_text(row, C_REQUEST_KEY);
    c->subject = brski_row_text(row, C_SUBJECT);
    c->spki = brski_row_text(row, C_SPKI);
    c->manufacturer = brski_row_text(row, C_MANUFACTURER);
    c->serial_number = brski_row_text(row, C_SERIAL_NUMBER);
    c->user = brski_row_text(row, C_USERNAME);
    c->not_before = brski_row_int(row, C_NOT_BEFORE);
    c->not_after = brski_row_int(row, C_NOT_AFTER);
    c->issued_at = brski_row_int(row, C_ISSUED_AT);
    c->revoked_at = brski_row_int(row, C_REVOKED_AT);
    c->reason = (int)brski_row_int(row, C_REASON);
    *issued = c;
    return brski_column_octets(&c->der, row, C_DER, pool);
}

static brski_err_t *read_list(apr_array_header_t **list, brski_records_t *records, int stmt,
                              const char *const *args, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool)
{
    apr_array_header_t *rows;
    int i;

    *list = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, stmt, args, result_pool, scratch_pool));
    *list = apr_array_make(result_pool, rows->nelts, sizeof(brski_issued_t *));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(read_issued((brski_issued_t **)apr_array_push(*list),
                              APR_ARRAY_IDX(rows, i, brski_row_t *), result_pool));
    }
    return BRSKI_OK;
}

/* ---- issuing ---- */

/* Of STMT_EST_CERTIFICATE_PUT until the guards. */
#define PUT_ARGS 16
#define GUARD_ARGS 7

static void put_args(const char **args, const char *tenant, const brski_issued_t *c,
                     apr_pool_t *pool)
{
    int n = 0;

    args[n++] = tenant;
    args[n++] = c->ca;
    args[n++] = c->serial;
    args[n++] = brski_records_key(c->label, pool);
    args[n++] = c->request_key;
    args[n++] = tenant;
    args[n++] = c->request_key;
    args[n++] = brski_records_key(c->subject, pool);
    args[n++] = brski_records_key(c->spki, pool);
    args[n++] = brski_records_key(c->manufacturer, pool);
    args[n++] = brski_records_key(c->serial_number, pool);
    args[n++] = brski_records_key(c->user, pool);
    args[n++] = brski_arg_number(c->not_before, pool);
    args[n++] = brski_arg_number(c->not_after, pool);
    args[n++] = brski_arg_number(c->issued_at, pool);
    args[n] = brski_arg_octets(c->der, pool);
}

brski_err_t *brski_records_certificate_put(int *put, brski_records_t *records,
                                           const brski_issued_t *certificate,
                                           const brski_pledge_t *pledge, apr_time_t now,
                                           apr_pool_t *scratch_pool)
{
    const char *args[PUT_ARGS + GUARD_ARGS];
    int stmt = STMT_EST_CERTIFICATE_PUT, n = PUT_ARGS;

    *put = 0;
    put_args(args, records->tenant, certificate, scratch_pool);
    if (pledge) {
        stmt = STMT_EST_CERTIFICATE_PUT_PLEDGE;
        args[n++] = records->tenant;
        args[n++] = pledge->manufacturer;
        args[n++] = brski_records_key(pledge->serial_number, scratch_pool);
        args[n++] = brski_arg_number(pledge->version, scratch_pool);
    }
    args[n++] = brski_arg_number(now, scratch_pool);
    args[n++] = records->tenant;
    args[n] = certificate->request_key;
    return brski_access_exec(put, records->access, stmt, args, scratch_pool);
}

brski_err_t *brski_records_certificate_same(brski_issued_t **issued, brski_records_t *records,
                                            const char *request_key, apr_time_t now,
                                            apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, request_key };
    brski_issued_t *last;
    brski_row_t *row;

    *issued = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_CERTIFICATE_SAME, args, result_pool,
                               scratch_pool));
    if (!row) {
        return BRSKI_OK;
    }
    BRSKI_TRY(read_issued(&last, row, result_pool));
    if (!last->revoked_at && last->not_after > now) {
        *issued = last;
    }
    return BRSKI_OK;
}

brski_err_t *brski_records_certificate_get(brski_issued_t **issued, brski_records_t *records,
                                           const char *ca, const char *serial,
                                           apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, ca, serial };
    brski_row_t *row;

    *issued = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_CERTIFICATE_GET, args, result_pool,
                               scratch_pool));
    return row ? read_issued(issued, row, result_pool) : BRSKI_OK;
}

brski_err_t *brski_records_certificates(apr_array_header_t **list, brski_records_t *records,
                                        const char *after_ca, const char *after_serial,
                                        const char *manufacturer, const char *serial_number,
                                        int max, apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *ca = after_ca ? after_ca : "", *serial = after_serial ? after_serial : "";
    const char *maker = brski_records_key(manufacturer, scratch_pool);
    const char *many = brski_arg_number(max, scratch_pool);
    const char *all[] = { records->tenant, ca, serial, maker, maker, many };
    const char *device[] = { records->tenant,
                             maker,
                             brski_records_key(serial_number, scratch_pool),
                             ca,
                             serial,
                             many };

    return serial_number ? read_list(list, records, STMT_EST_CERTIFICATE_LIST_DEVICE, device,
                                     result_pool, scratch_pool)
                         : read_list(list, records, STMT_EST_CERTIFICATE_LIST, all, result_pool,
                                     scratch_pool);
}

brski_err_t *brski_records_certificate_sums(int *recent, const char **revoked,
                                            brski_records_t *records, const char *manufacturer,
                                            const char *serial_number, const char *spki,
                                            apr_time_t since, apr_pool_t *result_pool,
                                            apr_pool_t *scratch_pool)
{
    const char *args[] = { brski_arg_number(since, scratch_pool), spki, records->tenant,
                           brski_records_key(manufacturer, scratch_pool),
                           brski_records_key(serial_number, scratch_pool) };
    brski_row_t *row;

    *recent = 0;
    *revoked = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_CERTIFICATE_SUMS, args,
                               result_pool, scratch_pool));
    if (row) {
        *recent = (int)brski_row_int(row, 0);
        *revoked = brski_column_text(row, 1);
    }
    return BRSKI_OK;
}

/* ---- revocation ---- */

/* A revocation on its way: of one certificate, or of those of a device. */
typedef struct revocation_t {
    const char *tenant;
    const char *at, *reason;
    const char *ca, *serial;
    const char *manufacturer, *serial_number;
    int revoked;
} revocation_t;

/* Both or nothing: a revocation that is not counted would be missing on a CRL. */
static brski_err_t *revoke_one(brski_dbd_t *db, void *baton, apr_pool_t *pool)
{
    revocation_t *r = baton;
    const char *revoke[] = { r->at, r->reason, r->tenant, r->ca, r->serial };
    const char *count[] = { r->tenant, r->ca, r->at };

    BRSKI_TRY(brski_dbd_exec(&r->revoked, db, STMT_EST_CERTIFICATE_REVOKE, revoke, pool));
    return r->revoked ? brski_dbd_exec(NULL, db, STMT_EST_CA_REVOKED, count, pool) : BRSKI_OK;
}

static brski_err_t *revoke_device(brski_dbd_t *db, void *baton, apr_pool_t *pool)
{
    revocation_t *r = baton;
    const char *revoke[] = { r->at,           r->reason,        r->tenant,
                             r->manufacturer, r->serial_number, r->at };
    const char *count[] = { r->at, r->tenant, r->manufacturer, r->serial_number, r->at };

    BRSKI_TRY(brski_dbd_exec(&r->revoked, db, STMT_EST_CERTIFICATE_REVOKE_DEVICE, revoke, pool));
    return r->revoked ? brski_dbd_exec(NULL, db, STMT_EST_CA_REVOKED_DEVICE, count, pool)
                      : BRSKI_OK;
}

brski_err_t *brski_records_certificate_revoke(int *done, brski_records_t *records, const char *ca,
                                              const char *serial, int reason, apr_time_t now,
                                              apr_pool_t *scratch_pool)
{
    revocation_t r = { .tenant = records->tenant,
                       .at = brski_arg_number(now, scratch_pool),
                       .reason = brski_arg_number(reason, scratch_pool),
                       .ca = ca,
                       .serial = serial };

    *done = 0;
    BRSKI_TRY(brski_access_together(records->access, revoke_one, &r, scratch_pool));
    *done = r.revoked;
    return BRSKI_OK;
}

brski_err_t *brski_records_certificate_revoke_device(int *revoked, brski_records_t *records,
                                                     const char *manufacturer,
                                                     const char *serial_number, int reason,
                                                     apr_time_t now, apr_pool_t *scratch_pool)
{
    revocation_t r = { .tenant = records->tenant,
                       .at = brski_arg_number(now, scratch_pool),
                       .reason = brski_arg_number(reason, scratch_pool),
                       .manufacturer = manufacturer,
                       .serial_number = brski_records_key(serial_number, scratch_pool) };

    *revoked = 0;
    BRSKI_TRY(brski_access_together(records->access, revoke_device, &r, scratch_pool));
    *revoked = r.revoked;
    return BRSKI_OK;
}

brski_err_t *brski_records_certificate_revoked(apr_array_header_t **list, brski_records_t *records,
                                               const char *ca, apr_time_t now,
                                               apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, ca, brski_arg_number(now, scratch_pool) };

    return read_list(list, records, STMT_EST_CERTIFICATE_REVOKED, args, result_pool, scratch_pool);
}

/* ---- CRLs ---- */

static brski_err_t *read_crl(brski_crl_row_t *crl, const brski_row_t *row, apr_pool_t *pool)
{
    enum { KIND, NUMBER, REVOCATIONS, THIS_UPDATE, NEXT_UPDATE, DER };
    enum { CA_REVOCATIONS = 1, CA_NEWEST_AT };

    if (strcmp(brski_row_text(row, KIND), "ca") == 0) {
        crl->revocations_now = brski_row_int(row, CA_REVOCATIONS);
        crl->newest_revocation_at = brski_row_int(row, CA_NEWEST_AT);
        return BRSKI_OK;
    }
    crl->number = brski_row_int(row, NUMBER);
    crl->revocations = brski_row_int(row, REVOCATIONS);
    crl->this_update = brski_row_int(row, THIS_UPDATE);
    crl->next_update = brski_row_int(row, NEXT_UPDATE);
    return brski_column_octets(&crl->der, row, DER, pool);
}

brski_err_t *brski_records_crl_get(brski_crl_row_t **crl, brski_records_t *records, const char *ca,
                                   apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, ca, records->tenant, ca };
    brski_crl_row_t *found = apr_pcalloc(result_pool, sizeof(*found));
    apr_array_header_t *rows;
    int i;

    *crl = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_CRL_GET, args, result_pool,
                               scratch_pool));
    found->ca = apr_pstrdup(result_pool, ca);
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(read_crl(found, APR_ARRAY_IDX(rows, i, const brski_row_t *), result_pool));
    }
    *crl = found;
    return BRSKI_OK;
}

brski_err_t *brski_records_crl_put(int *put, brski_records_t *records, const brski_crl_row_t *crl,
                                   apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant,
                           crl->ca,
                           brski_arg_number(crl->number, scratch_pool),
                           brski_arg_number(crl->this_update, scratch_pool),
                           brski_arg_number(crl->next_update, scratch_pool),
                           brski_arg_number(crl->revocations, scratch_pool),
                           brski_arg_octets(crl->der, scratch_pool) };

    *put = 0;
    return brski_access_exec(put, records->access, STMT_EST_CRL_PUT, args, scratch_pool);
}
