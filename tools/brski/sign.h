/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.h: signing what brski makes, well, and badly in named ways, so that whoever tests a MASA, registrar or pledge has
 * every wrong message at hand. Source: RFC 8366 section 5.4, RFC 5652.
 */
#ifndef BRSKI_TOOL_SIGN_H
#define BRSKI_TOOL_SIGN_H

#include "brski.h"
#include "brski_cms.h"
#include "brski_err.h"

/** Who signs, and what goes along. */
typedef struct identity_t {
    apr_array_header_t *certs;    /**< const brski_cert_t *, end entity first */
    EVP_PKEY *key;
} identity_t;

typedef enum defect_t {
    DEFECT_NONE = 0,
    DEFECT_SIGNATURE,             /**< one bit of the signature turned */
    DEFECT_CONTENT,               /**< one bit of the content turned after signing */
    DEFECT_DETACHED,              /**< content left out */
    DEFECT_NO_ATTRIBUTES,         /**< without signed attributes */
    DEFECT_TWO_SIGNERS,           /**< two SignerInfos */
    DEFECT_NO_SIGNER,             /**< none */
    DEFECT_NO_CERTIFICATES,       /**< the signer's certificate is not included */
    DEFECT_SHA1,                  /**< digest SHA-1 */
    DEFECT_EMPTY,                 /**< signs nothing */
    DEFECT_OTHER_KEY,             /**< signed with a key that is not the certificate's */
    DEFECT_TRAILING,              /**< an octet after the end */
    DEFECT_TRUNCATED              /**< the last octet is missing */
} defect_t;

/** How to sign. */
typedef struct signing_t {
    identity_t who;
    brski_econtent_t econtent;
    defect_t defect;
    int ee_only;                  /**< include the end entity's certificate alone */
    apr_time_t at;                /**< signingTime */
} signing_t;

/** Read an identity from files; the key must be that of the first certificate. */
brski_err_t *identity_load(identity_t *out, const char *chain_file, const char *key_file, apr_pool_t *pool);

/** Its end entity. */
const brski_cert_t *identity_ee(const identity_t *identity);

/** "signature", "detached", ...; NULL gives DEFECT_NONE. @return BRSKI_E_INPUT telling those there are */
brski_err_t *defect_parse(defect_t *out, const char *word, apr_pool_t *pool);

/** "anima" (RFC 8366) or "data" (what most software writes); NULL gives anima. @return BRSKI_E_INPUT */
brski_err_t *econtent_parse(brski_econtent_t *out, const char *word, apr_pool_t *pool);

/** Sign content, with the defect if one was asked for. */
brski_err_t *sign_content(brski_bytes_t *out, brski_bytes_t content, const signing_t *signing, apr_pool_t *pool);

#endif
