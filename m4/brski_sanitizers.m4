# SPDX-License-Identifier: Apache-2.0
#
# BRSKI_SANITIZERS: --enable-sanitizers builds everything with ASan and UBSan.
# httpd itself is not built with them, so the test runner preloads the ASan
# runtime of this compiler into httpd; ASAN_LIBRARY is where it lies.

AC_DEFUN([BRSKI_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers],
            [AddressSanitizer and UndefinedBehaviorSanitizer in library, module, tools, tests])],
        [], [enable_sanitizers=no])
    SANITIZER_FLAGS=
    ASAN_LIBRARY=
    AS_IF([test "x$enable_sanitizers" = xyes], [
        SANITIZER_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"
        brski_saved_cflags=$CFLAGS
        CFLAGS="$CFLAGS $SANITIZER_FLAGS"
        AC_MSG_CHECKING([whether $CC can build with sanitizers])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])
             AC_MSG_ERROR([--enable-sanitizers: $CC $SANITIZER_FLAGS does not link])])
        CFLAGS=$brski_saved_cflags
        for brski_name in libasan.so libclang_rt.asan-`uname -m`.so; do
            brski_path=`$CC -print-file-name=$brski_name 2>/dev/null`
            AS_IF([test -z "$ASAN_LIBRARY" && test -f "$brski_path"], [ASAN_LIBRARY=$brski_path])
        done
    ])
    AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
    AC_SUBST([SANITIZER_FLAGS])
    AC_SUBST([ASAN_LIBRARY])
])
