/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_csr_certs_only_test.c: PKCS#7 that carries certificates: octet by octet as the RFCs print
 * it, and read by OpenSSL.
 */
#include "brski_csr.h"

#include <apr_strings.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "brski_bytes.h"
#include "testcsr.h"
#include "testpki.h"
#include "unit.h"

static apr_pool_t *pool;

static brski_bytes_t make(const apr_array_header_t *certs)
{
    apr_array_header_t *ders = apr_array_make(pool, 4, sizeof(brski_bytes_t));
    brski_bytes_t out;
    int i;

    for (i = 0; i < certs->nelts; i++) {
        APR_ARRAY_PUSH(ders, brski_bytes_t) = APR_ARRAY_IDX(certs, i, const brski_cert_t *)->der;
    }
    is_ok(brski_certs_only_make(&out, ders, pool), "7030-4.1.3 certificates become PKCS#7");
    return out;
}

static brski_err_t *parse(apr_array_header_t **certs, brski_bytes_t der)
{
    return brski_certs_only_parse(certs, der, &brski_limits_default, pool);
}

static void test_there_and_back(const testpki_t *a, const testpki_t *b)
{
    apr_array_header_t *certs;
    brski_bytes_t der = make(testpki_certs(pool, b, a, NULL));

    is_ok(parse(&certs, der), "7030-4.1.3 which is read again");
    is_int(certs ? certs->nelts : 0, 2, "7030-4.1.3 both");
    ok(certs && brski_bytes_equal(APR_ARRAY_IDX(certs, 0, const brski_cert_t *)->der, b->cert->der)
           && brski_bytes_equal(APR_ARRAY_IDX(certs, 1, const brski_cert_t *)->der, a->cert->der),
       "7030-4.1.3 in the order given");
}

static void test_openssl(const testpki_t *a)
{
    brski_bytes_t der = make(testpki_certs(pool, a, NULL));
    const unsigned char *at = der.data;
    PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);

    ok(p7 && at == der.data + der.len && PKCS7_type_is_signed(p7), "7030-4.2.3 OpenSSL reads it");
    is_int(p7 ? sk_X509_num(p7->d.sign->cert) : 0, 1, "7030-4.2.3 the one certificate");
    is_int(p7 ? sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info) : 1, 0,
           "7030-4.2.3 without a signer");
    PKCS7_free(p7);
}

/* BER: the outermost length is not told. */
static void test_ber(const testpki_t *a)
{
    static const unsigned char begin[] = { 0x30, 0x80 }, end[] = { 0, 0 };
    brski_bytes_t der = make(testpki_certs(pool, a, NULL)), content;
    apr_array_header_t *certs;

    content = brski_bytes(der.data + 4, der.len - 4);
    is_ok(parse(&certs, testcsr_join(brski_bytes(begin, 2),
                                     testcsr_join(content, brski_bytes(end, 2), pool), pool)),
          "7030-4.1.3 takes BER, which some servers write");
    is_int(certs ? certs->nelts : 0, 1, "7030-4.1.3 and its certificate");
    is_err(parse(&certs, testcsr_join(brski_bytes(begin, 2), content, pool)), INPUT,
           "7030-4.1.3 refuses BER without its end");
}

static void test_refusals(const testpki_t *a)
{
    brski_limits_t one = brski_limits_default;
    brski_bytes_t der = make(testpki_certs(pool, a, a, NULL));
    unsigned char *copy = (unsigned char *)brski_bytes_dup(der, pool).data;
    apr_array_header_t *certs, *none = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    apr_size_t len, passed = 0;

    for (len = 0; len < der.len; len++) {
        passed += !parse(&certs, brski_bytes(der.data, len));
    }
    is_int(passed, 0, "7030-4.1.3 refuses it cut off at any octet");
    is_err(parse(&certs, testcsr_join(der, der, pool)), INPUT, "7030-4.1.3 refuses two");
    is_err(parse(&certs, make(none)), INPUT, "7030-4.1.3 refuses one without certificates");
    is_err(parse(&certs, a->cert->der), INPUT, "7030-4.1.3 refuses a certificate alone");
    one.certificates = 1;
    is_err(brski_certs_only_parse(&certs, der, &one, pool), INPUT,
           "7030-4.1.3 refuses more certificates than the limit");
    copy[14] ^= 1; /* id-signedData becomes id-envelopedData */
    is_err(parse(&certs, brski_bytes(copy, der.len)), INPUT,
           "7030-4.1.3 refuses another content type");
}

/* Read and written again: no octet differs. */
static void test_vectors(void)
{
    static const struct {
        const char *file;
        int certs;
    } vectors[] = { { "est-rfc7030-cacerts-csrattrs/cacerts.p7.der", 4 },
                    { "est-coaps-rfc9148-cacerts-enroll/crts.p7.der", 1 },
                    { "est-coaps-rfc9148-cacerts-enroll/sen-resp.p7.der", 1 } };
    apr_array_header_t *certs;
    size_t i;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const char *path = unit_vector(vectors[i].file, pool);
        brski_bytes_t der, again;

        if (!path) {
            skip(1, "BRSKI_VECTORS does not name %s", vectors[i].file);
            continue;
        }
        der = unit_file(path, pool);
        is_ok(parse(&certs, der), "7030-4.1.3 reads %s", vectors[i].file);
        is_int(certs ? certs->nelts : 0, vectors[i].certs, "7030-4.1.3 all certificates");
        if (certs) {
            again = make(certs);
            is_mem(again.data, again.len, der.data, der.len, "7030-4.1.3 and writes it so");
        }
    }
}

int main(void)
{
    testpki_spec_t spec = { .cn = "root", .ca = 1 }, ee = { .cn = "device" };
    testpki_t *root, *device;

    pool = unit_start();
    root = testpki_make(&spec, NULL, pool);
    device = testpki_make(&ee, root, pool);
    test_there_and_back(root, device);
    test_openssl(device);
    test_ber(device);
    test_refusals(device);
    test_vectors();
    return done_testing();
}
