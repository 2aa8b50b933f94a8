/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.c: measures bench/arithmetic.h alone, one process that does nothing else. Prints CPU time
 * in microseconds as JSON.
 *
 *   crypto ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arithmetic.h"

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double measure(void (*what)(const arithmetic_t *), const arithmetic_t *a, int rounds)
{
    double start = cpu_us();
    int i;

    for (i = 0; i < rounds; i++) {
        what(a);
    }
    return (cpu_us() - start) / rounds;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 2000;
    arithmetic_t *a = arithmetic_make();
    double voucher, verify, sign;

    if (rounds < 1) {
        fprintf(stderr, "usage: crypto ROUNDS\n");
        return 2;
    }
    voucher = measure(arithmetic_voucher, a, rounds);
    verify = measure(arithmetic_verify, a, rounds);
    sign = measure(arithmetic_sign, a, rounds);
    printf("{\"voucher_us\": %.1f, \"verify_us\": %.1f, \"sign_us\": %.1f}\n", voucher, verify,
           sign);
    arithmetic_free(a);
    return 0;
}
