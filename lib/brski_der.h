/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_der.h: a small strict reader and writer of DER (X.690 section 10): definite lengths in their shortest form, one-octet
 * tags. It cuts messages and certificates into pieces without copying; what the pieces mean is for others. A reader
 * never looks outside the octets it was given, which the caller keeps alive.
 */
#ifndef BRSKI_DER_H
#define BRSKI_DER_H

#include "brski.h"

#define BRSKI_DER_INTEGER 0x02
#define BRSKI_DER_BIT_STRING 0x03
#define BRSKI_DER_OCTET_STRING 0x04
#define BRSKI_DER_NULL 0x05
#define BRSKI_DER_OID 0x06
#define BRSKI_DER_UTC_TIME 0x17
#define BRSKI_DER_GENERALIZED_TIME 0x18
#define BRSKI_DER_SEQUENCE 0x30
#define BRSKI_DER_SET 0x31
/** [n], constructed or primitive */
#define BRSKI_DER_CONTEXT(n) (0xA0 | (n))
#define BRSKI_DER_CONTEXT_PRIMITIVE(n) (0x80 | (n))

/** What is still to be read. */
typedef struct brski_der_t {
    const unsigned char *at;
    const unsigned char *end;
} brski_der_t;

/** One element: its identifier octet, its content, and all of it. */
typedef struct brski_der_tlv_t {
    int tag;
    brski_bytes_t value;
    brski_bytes_t whole;
} brski_der_tlv_t;

/** Start to read octets. */
brski_der_t brski_der(brski_bytes_t b);

/** Nonzero when everything has been read. */
int brski_der_end(const brski_der_t *in);

/** Identifier octet of the next element, or -1 at the end. */
int brski_der_peek(const brski_der_t *in);

/**
 * Take the next element.
 * @param out  all zero on failure, when nothing is taken either
 * @return NULL, or why it is not DER, as the end of a sentence ("has an indefinite length")
 */
const char *brski_der_next(brski_der_tlv_t *out, brski_der_t *in);

/** Take the next element, which must have this tag. @return NULL, or why not */
const char *brski_der_expect(brski_der_tlv_t *out, brski_der_t *in, int tag);

/** Take the next element, which must have this tag, and start to read its content. @return NULL, or why not */
const char *brski_der_enter(brski_der_t *inside, brski_der_t *in, int tag);

/** As brski_der_expect() when the next element has this tag; otherwise out is all zero and nothing is taken. */
const char *brski_der_optional(brski_der_tlv_t *out, brski_der_t *in, int tag);

/** Make an element of n pieces of content one after the other. */
brski_bytes_t brski_der_make(int tag, apr_pool_t *pool, int n, const brski_bytes_t *pieces);

/** Make a SET OF (or an element with another tag in its place), putting its n elements in the order that DER wants. */
brski_bytes_t brski_der_make_set(int tag, apr_pool_t *pool, int n, const brski_bytes_t *elements);

#endif
