/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_cert.h: what the files about certificates share and nobody else needs: the counted object behind a brski_cert_t, the
 * library context that decodes keys the cheap way, and what a signature check found out. Everybody else: brski_x509.h.
 */
#ifndef BRSKI_CERT_H
#define BRSKI_CERT_H

#include "brski_x509.h"

/** A brski_cert_t and what it is made of. One block of memory, not from a pool: it may outlive every pool it was made in. */
typedef struct brski_cert_full_t {
    brski_cert_t pub;                 /**< first: a brski_cert_t * is a pointer to this */
    volatile apr_uint32_t refs;
    OSSL_LIB_CTX *libctx;             /**< where pub.key lives; NULL for OpenSSL's default */
    brski_bytes_t serial_der;         /**< INTEGER of the certificate serial number, inside pub.der */
    brski_bytes_t issuer_der;         /**< Name, inside pub.der */
    brski_bytes_t spki_der;           /**< SubjectPublicKeyInfo, inside pub.der */
    brski_bytes_t key_bits;           /**< octets of its subjectPublicKey, inside pub.der */
    volatile apr_uint32_t signer_known;
    unsigned char signer_spki[32];    /**< key that the signature verified with; readable once signer_known is 2 */
} brski_cert_full_t;

#define brski_cert_full(cert) ((brski_cert_full_t *)(cert))

/** Count one holder more. */
void brski_cert_hold(const brski_cert_t *cert);

/** One holder less; the last one frees. */
void brski_cert_release(const brski_cert_t *cert);

/** Give the holder's reference to a pool. */
const brski_cert_t *brski_cert_own(const brski_cert_t *cert, apr_pool_t *pool);

/**
 * Is the signature of cert made with issuer's key? The answer does not change, so a good one is remembered in cert:
 * a registrar that comes again costs no arithmetic.
 */
int brski_cert_signed_by(const brski_cert_t *cert, const brski_cert_t *issuer);

/** Name as RFC 2253 text in malloc'ed memory, safe to print, NULL when out of memory. */
char *brski_cert_name_text(const X509_NAME *name);

/** An ASN.1 time; 0 when it is none, or before 1970. */
apr_time_t brski_cert_time(const ASN1_TIME *t);

/** The subject, cut to what fits in a sentence. */
const char *brski_cert_short_subject(const brski_cert_t *cert, apr_pool_t *pool);

/** Find by SHA-256 of the DER: a counted reference for the caller, or NULL. */
const brski_cert_t *brski_cert_cache_get(brski_cert_cache_t *cache, const unsigned char *hash);

/** Offer a certificate to the cache, which counts its own reference if it takes it. */
void brski_cert_cache_put(brski_cert_cache_t *cache, const brski_cert_t *cert);

/** The context for strangers' certificates, see brski_x509_ctx.c; NULL (OpenSSL's default) when it cannot be made. */
OSSL_LIB_CTX *brski_x509_libctx(void);

/** Digest name that a certificate's or message's signature may use, from its NID; NULL when not allowed. */
const char *brski_digest_allowed(int nid);

#endif
