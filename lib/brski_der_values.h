/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_der_values.h: single values in DER (X.690) as certificates, requests and CRLs have them:
 * object identifiers in dots, times, integers, and octets wrapped in a tag. Beside brski_der.h,
 * which knows only the shape.
 */
#ifndef BRSKI_DER_VALUES_H
#define BRSKI_DER_VALUES_H

#include "brski.h"
#include "brski_der.h"

#define BRSKI_DER_BOOLEAN 0x01
#define BRSKI_DER_ENUMERATED 0x0A
#define BRSKI_DER_UTF8_STRING 0x0C
#define BRSKI_DER_PRINTABLE_STRING 0x13
#define BRSKI_DER_TELETEX_STRING 0x14
#define BRSKI_DER_IA5_STRING 0x16
#define BRSKI_DER_UNIVERSAL_STRING 0x1C
#define BRSKI_DER_BMP_STRING 0x1E

/** Pieces as an initialiser: octets of an array, and elements of a local array of them. */
#define BRSKI_LITERAL(array)                                                                       \
    {                                                                                              \
        (array), sizeof(array)                                                                     \
    }
#define BRSKI_DER_MAKE(tag, array, pool)                                                           \
    brski_der_make(tag, pool, (int)(sizeof(array) / sizeof((array)[0])), array)

/** An element around content. */
brski_bytes_t brski_der_wrap(int tag, brski_bytes_t content, apr_pool_t *pool);

/** OBJECT IDENTIFIER from dots ("2.5.29.17"); len 0 when the text is none, or an arc has more than
 * 63 bits. */
brski_bytes_t brski_der_oid(const char *dotted, apr_pool_t *pool);

/** Dotted text of an identifier's content; NULL when it is not DER, or an arc has more than 63
 * bits. */
const char *brski_der_oid_text(brski_bytes_t content, apr_pool_t *pool);

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5); fractions are cut off. */
brski_bytes_t brski_der_time(apr_time_t t, apr_pool_t *pool);

/** Read either; 0 when it is none as RFC 5280 wants it, or before 1970. */
apr_time_t brski_der_time_read(const brski_der_tlv_t *tlv);

/** INTEGER of a number that is not negative. */
brski_bytes_t brski_der_integer(apr_int64_t n, apr_pool_t *pool);

/** INTEGER of octets as a positive number; leading zeros are not kept. */
brski_bytes_t brski_der_integer_octets(brski_bytes_t octets, apr_pool_t *pool);

/** An INTEGER's content without the zeros in front, in hex: how certificates' serial numbers are
 * written here. */
const char *brski_der_serial_hex(brski_bytes_t content, apr_pool_t *pool);

#endif
