/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll_steps.h: what the files of the EST server's decision share: who asks, as far as it
 * was found out. Everybody else: brski_enroll.h.
 */
#ifndef BRSKI_ENROLL_STEPS_H
#define BRSKI_ENROLL_STEPS_H

#include "brski_enroll.h"

typedef enum brski_enroll_kind_t {
    BRSKI_ENROLL_DEVICE = 1, /**< by its IDevID */
    BRSKI_ENROLL_OWN,        /**< by a certificate that was issued here */
    BRSKI_ENROLL_FOREIGN,    /**< by a certificate of client_anchors */
    BRSKI_ENROLL_USER        /**< whom httpd authenticated */
} brski_enroll_kind_t;

/** Who asks. */
typedef struct brski_enroll_who_t {
    brski_enroll_kind_t kind;
    brski_requester_t requester;
    const brski_manufacturer_t *manufacturer; /**< of a device by IDevID; NULL */
    const brski_issued_t *issued;             /**< OWN: its row */
    const char *identity;                     /**< unique text: part of the request key */
    const char *text;                         /**< printable, for logs */
} brski_enroll_who_t;

/** Errors as brski_enroll_requester(). */
brski_err_t *brski_enroll_who(brski_enroll_who_t **out, const brski_est_t *est,
                              const brski_enroll_request_t *request, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool);

/** What a certificate that a CA has just made says, as a row; and that it is what was asked for.
 *  @return NULL or BRSKI_E_CA_UNAVAILABLE */
brski_err_t *brski_enroll_row(brski_issued_t **out, brski_bytes_t der, const brski_ca_t *ca,
                              const brski_csr_t *csr, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool);

#endif
