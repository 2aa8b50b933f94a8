/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll_who.c: who asks an EST server (RFC 7030 3.2.3, 3.3). TLS has proven the key of the
 * client certificate; what the certificate says is judged here: one that was issued here by its
 * row, an IDevID by its manufacturer, another one by the label's anchors. httpd's word on a user
 * counts where the label says so. A registration authority's certificate (id-kp-cmcRA) has no more
 * rights than any other: nobody enrols for somebody else.
 */
#include "brski_enroll_steps.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_err.h"
#include "brski_time.h"

#define SHOWN_MAX 160

static const brski_cert_t *cert_at(const apr_array_header_t *certs, int i)
{
    return APR_ARRAY_IDX(certs, i, const brski_cert_t *);
}

static brski_err_t *refuse(const brski_enroll_request_t *request, const brski_err_t *prev,
                           const char *why, apr_pool_t *pool)
{
    brski_err_code_t code = request->operation == BRSKI_SIMPLEREENROLL
                                ? BRSKI_E_REENROLL_CERTIFICATE
                                : BRSKI_E_EST_FORBIDDEN;

    return brski_err_say(brski_err(code, prev, pool, "TLS client certificate %s", why), pool,
                         "The TLS client certificate %s.", why);
}

/* ---- a certificate that was issued here ---- */

/* The CA of ours that signed it, also one that was replaced since: hex of its key; NULL when none
 * did. */
static const char *issuer_of(const brski_cert_t *cert, const brski_est_t *est)
{
    int i, j;

    for (i = 0; i < est->labels->nelts; i++) {
        const brski_ca_t *ca = APR_ARRAY_IDX(est->labels, i, brski_label_t *)->ca;

        for (j = 0; j < ca->chain->nelts; j++) {
            const brski_cert_t *issuer = cert_at(ca->chain, j);

            if (issuer->ca
                && !X509_NAME_cmp(X509_get_issuer_name(cert->x509),
                                  X509_get_subject_name(issuer->x509))
                && brski_cert_signed_by(cert, issuer)) {
                return issuer->spki_hex;
            }
        }
    }
    return NULL;
}

/* What one label gives must not open another: only who could come to this one anyway. */
static int may_use_label(const brski_issued_t *issued, const brski_label_t *label)
{
    return !strcmp(issued->label, label->name) || (*issued->manufacturer && label->accept_idevid)
           || (*issued->user && label->accept_user);
}

/* RFC 7030 4.2.2: a renewal may come a little late. */
static brski_err_t *check_own(const brski_issued_t *issued, const brski_est_t *est,
                              const brski_enroll_request_t *request, apr_pool_t *pool)
{
    const brski_cert_t *cert = request->peer->client_cert;
    apr_time_t now = est->ctx->now(est->ctx->baton), end = cert->not_after + est->skew;

    if (issued->revoked_at) {
        return refuse(request, NULL, "has been revoked", pool);
    }
    if (!may_use_label(issued, request->label)) {
        return refuse(request, NULL, "was issued under another label", pool);
    }
    if (request->operation == BRSKI_SIMPLEREENROLL) {
        end += request->label->reenroll_grace;
    }
    if (now > end) {
        return refuse(
            request, NULL,
            apr_psprintf(pool, "expired on %s", brski_time_rfc3339(cert->not_after, pool)), pool);
    }
    return now + est->skew < cert->not_before ? refuse(request, NULL, "is not valid yet", pool)
                                              : BRSKI_OK;
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void set_own(brski_enroll_who_t *who, const brski_issued_t *issued, apr_pool_t *pool)
{
    who->kind = BRSKI_ENROLL_OWN;
    who->issued = issued;
    who->requester.manufacturer = or_null(issued->manufacturer);
    who->requester.serial_number = or_null(issued->serial_number);
    who->requester.user = or_null(issued->user);
    if (who->requester.manufacturer) {
        who->identity =
            apr_pstrcat(pool, "device\n", issued->manufacturer, "\n", issued->serial_number, NULL);
        who->text = apr_psprintf(pool, "device %s of %s",
                                 brski_printable(issued->serial_number, SHOWN_MAX, pool),
                                 issued->manufacturer);
    }
    else if (who->requester.user) {
        who->identity = apr_pstrcat(pool, "user\n", issued->user, NULL);
        who->text = apr_psprintf(pool, "user %s", brski_printable(issued->user, SHOWN_MAX, pool));
    }
    else {
        who->identity = apr_pstrcat(pool, "certificate\n", issued->subject, NULL);
        who->text = apr_psprintf(pool, "certificate %s",
                                 brski_cert_short_subject(who->requester.client_cert, pool));
    }
}

/* *found 0: it is none of ours, and no error. */
static brski_err_t *try_own(int *found, brski_enroll_who_t *who, const brski_est_t *est,
                            const brski_enroll_request_t *request, apr_pool_t *result_pool,
                            apr_pool_t *scratch_pool)
{
    const brski_cert_t *cert = request->peer->client_cert;
    const char *ca = issuer_of(cert, est);
    brski_issued_t *issued;

    *found = 0;
    if (!ca) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_records_certificate_get(&issued, est->registrar->records, ca,
                                            cert->cert_serial_hex, result_pool, scratch_pool));
    if (!issued) {
        return BRSKI_OK;
    }
    BRSKI_TRY(check_own(issued, est, request, result_pool));
    set_own(who, issued, result_pool);
    *found = 1;
    return BRSKI_OK;
}

/* ---- an IDevID ---- */

static brski_err_t *try_device(int *found, brski_enroll_who_t *who, const brski_est_t *est,
                               const brski_enroll_request_t *request, apr_pool_t *result_pool,
                               apr_pool_t *scratch_pool)
{
    brski_device_id_t *device;
    brski_err_t *err =
        brski_registrar_device(&device, est->registrar, request->peer, result_pool, scratch_pool);

    *found = 0;
    if (err) {
        /* of no manufacturer: perhaps it is somebody else's */
        return err->code == BRSKI_E_MANUFACTURER_UNKNOWN ? BRSKI_OK : err;
    }
    if (!request->label->accept_idevid) {
        return refuse(request, NULL, "is an IDevID, and devices do not enrol under this label",
                      result_pool);
    }
    who->kind = BRSKI_ENROLL_DEVICE;
    who->manufacturer = device->manufacturer;
    who->requester.manufacturer = device->manufacturer->name;
    who->requester.serial_number = device->serial_number;
    who->identity = apr_pstrcat(result_pool, "device\n", device->manufacturer->name, "\n",
                                device->serial_number, NULL);
    who->text = apr_psprintf(result_pool, "device %s of %s",
                             brski_printable(device->serial_number, SHOWN_MAX, result_pool),
                             device->manufacturer->name);
    *found = 1;
    return BRSKI_OK;
}

/* ---- a certificate of configured anchors ---- */

static void try_foreign(int *found, brski_enroll_who_t *who, const brski_est_t *est,
                        const brski_enroll_request_t *request, apr_pool_t *result_pool,
                        apr_pool_t *scratch_pool)
{
    const brski_cert_t *cert = request->peer->client_cert;

    *found = request->label->client_anchors && (!cert->has_eku || cert->client_auth)
             && !brski_anchors_verify(NULL, request->label->client_anchors, cert,
                                      request->peer->client_chain, est->ctx->now(est->ctx->baton),
                                      est->skew, 0, scratch_pool, scratch_pool);
    if (*found) {
        who->kind = BRSKI_ENROLL_FOREIGN;
        who->identity =
            apr_pstrcat(result_pool, "certificate\n", cert->issuer, "\n", cert->subject, NULL);
        who->text = apr_psprintf(result_pool, "certificate %s",
                                 brski_cert_short_subject(cert, result_pool));
    }
}

static brski_err_t *by_certificate(int *found, brski_enroll_who_t *who, const brski_est_t *est,
                                   const brski_enroll_request_t *request, apr_pool_t *result_pool,
                                   apr_pool_t *scratch_pool)
{
    *found = 0;
    who->requester.client_cert = request->peer->client_cert;
    BRSKI_TRY(try_own(found, who, est, request, result_pool, scratch_pool));
    if (!*found) {
        BRSKI_TRY(try_device(found, who, est, request, result_pool, scratch_pool));
    }
    if (!*found) {
        try_foreign(found, who, est, request, result_pool, scratch_pool);
    }
    return BRSKI_OK;
}

/* ---- all of them ---- */

static brski_err_t *nobody(const brski_enroll_request_t *request, apr_pool_t *pool)
{
    if (request->peer->client_cert) {
        return refuse(request, NULL, "is none that may enrol here", pool);
    }
    if (request->user) {
        return brski_err_say(
            brski_err(BRSKI_E_EST_FORBIDDEN, NULL, pool, "user, where users may not"), pool,
            "Under this label nobody enrols by user name and password.");
    }
    return brski_err(BRSKI_E_EST_AUTH, NULL, pool, "neither certificate nor user");
}

brski_err_t *brski_enroll_who(brski_enroll_who_t **out, const brski_est_t *est,
                              const brski_enroll_request_t *request, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool)
{
    brski_enroll_who_t *who = apr_pcalloc(result_pool, sizeof(*who));
    int found = 0;

    *out = NULL;
    if (request->peer->client_cert) {
        brski_err_t *err = by_certificate(&found, who, est, request, result_pool, scratch_pool);

        if (err) {
            return err;
        }
    }
    if (!found) {
        if (!request->user || !request->label->accept_user) {
            return nobody(request, result_pool);
        }
        who->kind = BRSKI_ENROLL_USER;
        who->requester.user = request->user;
        who->identity = apr_pstrcat(result_pool, "user\n", request->user, NULL);
        who->text = apr_psprintf(result_pool, "user %s",
                                 brski_printable(request->user, SHOWN_MAX, result_pool));
    }
    *out = who;
    return BRSKI_OK;
}

brski_err_t *brski_enroll_requester(brski_requester_t **requester, const brski_est_t *est,
                                    const brski_enroll_request_t *request, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool)
{
    brski_enroll_who_t *who;

    *requester = NULL;
    BRSKI_TRY(brski_enroll_who(&who, est, request, result_pool, scratch_pool));
    *requester = &who->requester;
    return BRSKI_OK;
}
