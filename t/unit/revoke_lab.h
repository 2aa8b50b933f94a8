/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke_lab.h: CRLs and OCSP responses, good and bad ones, and an HTTP server on loopback that
 * hands out what it was told to. What does not work ends the program (bail_out).
 */
#ifndef REVOKE_LAB_H
#define REVOKE_LAB_H

#include "brski.h"
#include "pki.h"

/** How a CRL shall be; what is left out is as a good one has it. */
typedef struct lab_crl_t {
    const X509 *revoked;              /**< a certificate that it lists; NULL none */
    const char *last;                 /**< lastUpdate, RFC 3339; default 2026-01-14T00:00:00Z */
    const char *next;                 /**< nextUpdate; default 2026-01-20T00:00:00Z, "" none */
    const char *digest;               /**< default SHA256 */
    const char *ext[3];               /**< as in openssl.cnf: "issuingDistributionPoint=..." */
    const X509 *issuer_name;          /**< whose subject it names as issuer; default the signer's */
    int pem;
} lab_crl_t;

brski_bytes_t lab_crl(const pki_party_t *signer, lab_crl_t spec, apr_pool_t *pool);

/** How an OCSP response shall be; what is left out is as a good one has it. */
typedef struct lab_ocsp_t {
    const pki_party_t *signer;        /**< default the issuer */
    int status;                       /**< V_OCSP_CERTSTATUS_...; default good */
    const char *from;                 /**< thisUpdate; default 2026-01-14T00:00:00Z */
    const char *next;                 /**< nextUpdate; default 2026-01-20T00:00:00Z, "" none */
    const char *digest;               /**< default SHA256 */
    int by_key;                       /**< responder named by its key */
    int without_cert;                 /**< the signer's certificate is left out */
} lab_ocsp_t;

brski_bytes_t lab_ocsp(const pki_party_t *subject, const pki_party_t *issuer, lab_ocsp_t spec,
                       apr_pool_t *pool);

/** An OCSP response that says why there is none: "try later" is 3. */
brski_bytes_t lab_ocsp_error(int status, apr_pool_t *pool);

typedef struct lab_server_t lab_server_t;

/** What a path answers. */
typedef struct lab_answer_t {
    const char *path;
    int status;                       /**< default 200 */
    const char *header;               /**< one more header line with its line end; NULL none */
    brski_bytes_t body;
    int delay;                        /**< milliseconds before the answer */
    int no_length;                    /**< no Content-Length: the end of the connection ends it */
} lab_answer_t;

/** Start a server on a free port of 127.0.0.1; it ends with the pool. */
lab_server_t *lab_server(apr_pool_t *pool);

int lab_port(const lab_server_t *server);

/** "http://127.0.0.1:PORT/path" */
const char *lab_url(const lab_server_t *server, const char *path, apr_pool_t *pool);

/** Add an answer, or replace that of the path. */
void lab_answer(lab_server_t *server, lab_answer_t answer);

/** Requests so far. */
int lab_hits(lab_server_t *server);

/** The last request, head and body. */
brski_bytes_t lab_last(lab_server_t *server, apr_pool_t *pool);

#endif
