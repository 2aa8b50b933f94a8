/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic.h: the signatures of one voucher with nothing of this project in them, as OpenSSL's
 * EVP does them: what a decision cannot do without when the registrar's certificates are known
 * already. Verify the registrar's request, the pledge's request and the IDevID's certificate, decode
 * the one key that is new (the IDevID's), hash each message, sign the voucher.
 */
#ifndef BENCH_ARITHMETIC_H
#define BENCH_ARITHMETIC_H

typedef struct arithmetic_t arithmetic_t;

/** Keys and signed messages, P-256; ends the process when OpenSSL fails. Threads may share it. */
arithmetic_t *arithmetic_make(void);

/** All that one voucher needs. */
void arithmetic_voucher(const arithmetic_t *a);

/** One verification of it. */
void arithmetic_verify(const arithmetic_t *a);

/** The signature of it. */
void arithmetic_sign(const arithmetic_t *a);

void arithmetic_free(arithmetic_t *a);

#endif
