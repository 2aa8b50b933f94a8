# SPDX-License-Identifier: Apache-2.0
#
# BRSKI_APACHE: the httpd to build for. apxs is asked where things are; its
# compiler, LDFLAGS and libtool are those httpd was built with and stay unused.
# Sets APACHE_CPPFLAGS, APR_*, APU_*, HTTPD, APACHE_LIBEXECDIR, apachemoddir.

AC_DEFUN([BRSKI_APACHE], [
    AC_ARG_WITH([apxs],
        [AS_HELP_STRING([--with-apxs=PATH], [the apxs of the httpd to build for])],
        [APXS=$withval],
        [AC_PATH_PROGS([APXS], [apxs apxs2], [], [$PATH:/usr/sbin:/usr/local/apache2/bin])])
    AS_IF([test ! -x "$APXS"],
          [AC_MSG_ERROR([apxs not found: install apache2-dev or say --with-apxs=PATH])])
    AC_ARG_WITH([apache-moduledir],
        [AS_HELP_STRING([--with-apache-moduledir=DIR],
            [where mod_masa.so is installed, instead of where apxs says])],
        [apachemoddir=$withval],
        [apachemoddir=`$APXS -q LIBEXECDIR`])

    APACHE_LIBEXECDIR=`$APXS -q LIBEXECDIR`
    HTTPD=`$APXS -q SBINDIR`/`$APXS -q progname`
    brski_apr_config=`$APXS -q APR_CONFIG`
    brski_apu_config=`$APXS -q APU_CONFIG`
    AS_IF([test ! -x "$brski_apr_config" || test ! -x "$brski_apu_config"],
          [AC_MSG_ERROR([$APXS names no usable apr-1-config and apu-1-config])])

    APR_CPPFLAGS="`$brski_apr_config --includes --cppflags | tr '\n' ' '`"
    APU_CPPFLAGS="`$brski_apu_config --includes`"
    APR_LIBS="`$brski_apr_config --link-ld`"
    APU_LIBS="`$brski_apu_config --link-ld`"
    APACHE_CPPFLAGS="-isystem `$APXS -q INCLUDEDIR` -isystem `$brski_apr_config --includedir` `$APXS -q EXTRA_CPPFLAGS`"

    brski_saved_cppflags=$CPPFLAGS
    CPPFLAGS="$CPPFLAGS $APACHE_CPPFLAGS $APR_CPPFLAGS $APU_CPPFLAGS"
    AC_CHECK_HEADERS([httpd.h], [], [AC_MSG_ERROR([httpd.h: install apache2-dev])])
    AC_CHECK_HEADERS([mod_dbd.h], [], [AC_MSG_ERROR([mod_dbd.h: install apache2-dev])],
        [#include <httpd.h>
         #include <apr_dbd.h>])
    AC_CHECK_HEADERS([mod_ssl_openssl.h], [],
        [AC_MSG_ERROR([mod_ssl_openssl.h: install apache2-ssl-dev])],
        [#include <httpd.h>])
    AC_MSG_CHECKING([for httpd 2.4.42 or later])
    AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
        #include <ap_mmn.h>
        #if !AP_MODULE_MAGIC_AT_LEAST(20120211, 93)
        #error too old
        #endif]])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([the httpd of $APXS is too old])])
    CPPFLAGS=$brski_saved_cppflags

    AC_SUBST([APXS])
    AC_SUBST([HTTPD])
    AC_SUBST([APACHE_LIBEXECDIR])
    AC_SUBST([APACHE_CPPFLAGS])
    AC_SUBST([APR_CPPFLAGS])
    AC_SUBST([APU_CPPFLAGS])
    AC_SUBST([APR_LIBS])
    AC_SUBST([APU_LIBS])
    AC_SUBST([apachemoddir])
])
