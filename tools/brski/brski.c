/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski.c: the program that plays every role of RFC 8995 a person needs to try, test and debug a
 * MASA. Its commands are the cmd_*.c files, each of which registers itself.
 */
#include "../common/opts.h"

static const program_t brski = {
    "brski",
    "Makes, shows, judges and asks for BRSKI vouchers: to try and test a MASA.",
    NULL,
    "'brski COMMAND --help' tells the options of one; brski-COMMAND(1) is its manual.\n"
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage.",
    NULL,
};

int main(int argc, const char *const *argv)
{
    return command_main(&brski, argc, argv);
}
