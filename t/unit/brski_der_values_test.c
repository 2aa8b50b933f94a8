/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_der_values_test.c: object identifiers, times and integers in DER, at their edges.
 */
#include "brski_der_values.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

static apr_pool_t *pool;

static brski_bytes_t octets(const char *hex)
{
    brski_bytes_t b;

    if (brski_hex_decode(&b, hex, pool)) {
        bail_out("hex %s", hex);
    }
    return b;
}

static void test_oids(void)
{
    static const char *const oids[][2] = {
        { "2.5.29.17", "0603551d11" },
        { "1.2.840.113549.1.9.14", "06092a864886f70d01090e" },
        { "0.0", "060100" },
        { "0.39", "060127" },
        { "1.0", "060128" },
        { "1.39", "06014f" },
        { "2.0", "060150" },
        { "2.999.1", "0603883701" },
        { "2.5.4611686018427387904", "060a55c08080808080808000" },
    };
    static const char *const bad[] = {
        "",
        "1",
        "3.1",
        "1.40",
        "1.",
        "1.2.",
        ".1.2",
        "1..2",
        "1.02",
        "1.2.x",
        "1.2 ",
        "-1.2",
        "1.2.99999999999999999999",
    };
    size_t i;

    for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        brski_bytes_t der = brski_der_oid(oids[i][0], pool);

        is_str(brski_hex(der, pool), oids[i][1], "X.690 8.19 %s is written", oids[i][0]);
        is_str(brski_der_oid_text(brski_bytes(der.data + 2, der.len - 2), pool), oids[i][0],
               "X.690 8.19 and read");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_int(brski_der_oid(bad[i], pool).len, 0, "'%s' is no object identifier", bad[i]);
    }
}

static void test_bad_oids(void)
{
    static const char *const bad[][2] = {
        { "", "nothing" },
        { "80", "a zero in front" },
        { "558001", "a zero in front of the second" },
        { "5581", "an end that is missing" },
        { "55ffffffffffffffffff7f", "an arc beyond 63 bits" },
    };
    char *long_one = apr_pstrdup(pool, "");
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!brski_der_oid_text(octets(bad[i][0]), pool), "refuses %s", bad[i][1]);
    }
    for (i = 0; i < 128; i++) {
        long_one = apr_pstrcat(pool, long_one, "7f", NULL);
    }
    ok(brski_der_oid_text(octets(long_one), pool) != NULL, "takes 128 octets");
    ok(!brski_der_oid_text(octets(apr_pstrcat(pool, long_one, "7f", NULL)), pool), "refuses 129");
}

static void test_times(void)
{
    static const char *const times[][2] = {
        { "1970-01-01T00:00:01Z", "170d3730303130313030303030315a" },
        { "2049-12-31T23:59:59Z", "170d3439313233313233353935395a" },
        { "2050-01-01T00:00:00Z", "180f32303530303130313030303030305a" },
        { "9999-12-31T23:59:59Z", "180f39393939313233313233353935395a" },
    };
    static const char *const bad[] = {
        "170b373030313031303030305a",
        "170d3730303130313030303030312b",
        "180d3730303130313030303030315a",
        "170d37303031303130303030785a5a",
        "170d3639303130313030303030305a",
        "0400",
        "181132303530303130313030303030302e355a",
    };
    brski_der_tlv_t tlv;
    brski_der_t in;
    size_t i;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        brski_bytes_t der = brski_der_time(unit_time(times[i][0]), pool);

        is_str(brski_hex(der, pool), times[i][1], "5280-4.1.2.5 %s is written", times[i][0]);
        in = brski_der(der);
        brski_der_next(&tlv, &in);
        is_int(brski_der_time_read(&tlv), unit_time(times[i][0]), "5280-4.1.2.5 and read");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        in = brski_der(octets(bad[i]));
        brski_der_next(&tlv, &in);
        is_int(brski_der_time_read(&tlv), 0, "5280-4.1.2.5 refuses %s", bad[i]);
    }
}

static void test_integers(void)
{
    static const struct {
        apr_int64_t n;
        const char *hex;
    } numbers[] = {
        { 0, "020100" },     { 1, "020101" },     { 127, "02017f" },
        { 128, "02020080" }, { 256, "02020100" }, { APR_INT64_MAX, "02087fffffffffffffff" },
    };
    size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        is_str(brski_hex(brski_der_integer(numbers[i].n, pool), pool), numbers[i].hex,
               "X.690 8.3 %" APR_INT64_T_FMT, numbers[i].n);
    }
    is_str(brski_hex(brski_der_integer_octets(octets("0000ff"), pool), pool), "020200ff",
           "X.690 8.3 zeros in front are left out, but for the sign's");
    is_str(brski_hex(brski_der_integer_octets(octets("0000"), pool), pool), "020100",
           "X.690 8.3 zero is one octet");
    is_str(brski_der_serial_hex(octets("00ff01"), pool), "ff01", "a serial number's hex");
    is_str(brski_der_serial_hex(octets("00"), pool), "00", "of zero too");
}

int main(void)
{
    pool = unit_start();
    test_oids();
    test_bad_oids();
    test_times();
    test_integers();
    return done_testing();
}
