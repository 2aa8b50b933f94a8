/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_der_test.c: the reader takes DER and nothing else, and never looks outside its octets; the
 * writer writes what the reader takes.
 */
#include "brski_der.h"

#include <stdlib.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

/* A copy that ends where its memory ends, so that reading on is seen. */
static const char *read_one(brski_der_tlv_t *tlv, const char *octets, size_t len)
{
    unsigned char *copy = malloc(len ? len : 1);
    brski_der_t in;
    const char *why;

    memcpy(copy, octets, len);
    in = brski_der(brski_bytes(copy, len));
    why = brski_der_next(tlv, &in);
    if (why && (in.at != copy || tlv->tag || tlv->value.len || tlv->whole.len)) {
        why = "took something after an error";
    }
    free(copy);
    return why;
}

static void refuses(const char *octets, size_t len, const char *why, const char *label)
{
    brski_der_tlv_t tlv;

    is_str(read_one(&tlv, octets, len), why, "X.690 10.1 %s", label);
}

static void reads_elements(void)
{
    brski_der_t in = brski_der(brski_bytes("\x02\x01\x05\x04\x00\xA0\x02\x05\x00", 9)), inside;
    brski_der_tlv_t tlv;

    ok(!brski_der_expect(&tlv, &in, BRSKI_DER_INTEGER), "X.690 8.1 reads an INTEGER");
    is_mem(tlv.value.data, tlv.value.len, "\x05", 1, "X.690 8.1 its content");
    is_mem(tlv.whole.data, tlv.whole.len, "\x02\x01\x05", 3, "X.690 8.1 all of it");
    is_int(brski_der_peek(&in), 0x04, "X.690 8.1 sees what comes next");
    ok(brski_der_expect(&tlv, &in, BRSKI_DER_OID) != NULL, "X.690 8.1 refuses another tag");
    ok(!brski_der_optional(&tlv, &in, BRSKI_DER_OID), "X.690 8.1 an absent element is no error");
    is_int(tlv.whole.len, 0, "X.690 8.1 and is empty");
    ok(!brski_der_expect(&tlv, &in, BRSKI_DER_OCTET_STRING), "X.690 8.1 reads empty content");
    ok(!brski_der_enter(&inside, &in, BRSKI_DER_CONTEXT(0)), "X.690 8.1 enters an element");
    ok(brski_der_end(&in), "X.690 8.1 and is at the end");
    ok(!brski_der_next(&tlv, &inside) && brski_der_end(&inside), "X.690 8.1 reads what is inside");
    ok(brski_der_next(&tlv, &in) != NULL, "X.690 8.1 nothing comes after the end");
    is_int(brski_der_peek(&in), -1, "X.690 8.1 nothing to see after the end");
    in = brski_der(brski_bytes(NULL, 0));
    ok(brski_der_end(&in) && brski_der_next(&tlv, &in), "X.690 8.1 no octets at all");
}

static void reads_lengths(void)
{
    static char octets[70000];
    brski_der_tlv_t tlv;

    memcpy(octets, "\x04\x81\x80", 3);
    ok(!read_one(&tlv, octets, 3 + 0x80), "X.690 8.1.3 reads a length of one more octet");
    is_int(tlv.value.len, 0x80, "X.690 8.1.3 which is 128");
    memcpy(octets, "\x04\x82\x01\x00", 4);
    ok(!read_one(&tlv, octets, 4 + 0x100), "X.690 8.1.3 reads a length of two more octets");
    is_int(tlv.value.len, 0x100, "X.690 8.1.3 which is 256");
    memcpy(octets, "\x04\x83\x01\x00\x00", 5);
    ok(!read_one(&tlv, octets, 5 + 0x10000), "X.690 8.1.3 reads a length of three more octets");
    is_int(tlv.value.len, 0x10000, "X.690 8.1.3 which is 65536");
}

static void refuses_ber(void)
{
    static const char *const shortest = "has a length that is not in its shortest form";

    refuses("\x30\x80\x00\x00", 4, "has an indefinite length", "refuses an indefinite length");
    refuses("\x04\x81\x05hello", 8, shortest, "refuses 5 in two octets");
    refuses("\x04\x82\x00\x81", 4, shortest, "refuses a leading zero");
    refuses("\x04", 1, "ends early", "refuses a tag alone");
    refuses("\x04\x05hell", 6, "ends early", "refuses content cut off");
    refuses("\x04\x82\x01", 3, "ends early", "refuses a length cut off");
    refuses("\x04\x84\xFF\xFF\xFF\xFF", 6, "ends early", "refuses 4 GiB");
    refuses("\x04\x89\x01\x01\x01\x01\x01\x01\x01\x01\x01", 11, "ends early",
            "refuses a length of nine octets");
    refuses("\x1F\x81\x01\x00", 4, "has a tag that does not belong there",
            "refuses a tag of more octets");
}

static void writes(apr_pool_t *pool)
{
    static const apr_size_t lengths[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 100000 };
    brski_bytes_t pieces[2], made;
    brski_der_tlv_t tlv;
    brski_der_t in;
    size_t i;

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        pieces[0] = brski_bytes(apr_pcalloc(pool, lengths[i] + 1), lengths[i]);
        pieces[1] = brski_bytes(NULL, 0);
        made = brski_der_make(BRSKI_DER_OCTET_STRING, pool, 2, pieces);
        in = brski_der(made);
        ok(!brski_der_expect(&tlv, &in, BRSKI_DER_OCTET_STRING) && brski_der_end(&in)
               && tlv.value.len == lengths[i],
           "X.690 10.1 writes %lu octets so that they can be read", (unsigned long)lengths[i]);
    }
}

static void writes_sets(apr_pool_t *pool)
{
    brski_bytes_t elements[] = { brski_bytes_str("cc"), brski_bytes_str("ab"), brski_bytes_str("a"),
                                 brski_bytes_str("b") };
    brski_bytes_t made = brski_der_make_set(BRSKI_DER_SET, pool, 4, elements);

    is_mem(made.data, made.len,
           "\x31\x06"
           "aabbcc",
           8, "X.690 11.6 a SET OF is in order");
    made = brski_der_make_set(BRSKI_DER_SET, pool, 0, elements);
    is_mem(made.data, made.len, "\x31\x00", 2, "X.690 11.6 a SET OF nothing");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    reads_elements();
    reads_lengths();
    refuses_ber();
    writes(pool);
    writes_sets(pool);
    return done_testing();
}
