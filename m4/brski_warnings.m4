# SPDX-License-Identifier: Apache-2.0
#
# BRSKI_WARNINGS: the warnings every build has, and --enable-werror for CI.
# -Werror is never the default: a newer compiler must not break a user's build.

AC_DEFUN([BRSKI_WARNINGS], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [a warning ends the build (for CI)])],
        [], [enable_werror=no])
    BRSKI_CFLAGS="-std=gnu99 -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith"
    brski_warnings_said="shown"
    AS_IF([test "x$enable_werror" = xyes], [
        BRSKI_CFLAGS="$BRSKI_CFLAGS -Werror"
        brski_warnings_said="are errors"
    ])
    AC_SUBST([BRSKI_CFLAGS])
])
