/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h: what `masactl doctor` and `estctl doctor` share: telling what was seen, a problem with what to do about it, and the
 * checks of what both have: a clock, files, a database that keeps what it was given, certificates that end.
 */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "database.h"
#include "brski_x509.h"

/** One look at everything. */
typedef struct doctor_t {
    call_t *call;
    db_t *db;
    apr_time_t now;
    void *own;                        /**< the program's */
    brski_json_t *told;
    int problems;
    apr_pool_t *pool;
} doctor_t;

/** Fill d. */
void doctor_begin(doctor_t *d, db_t *db);

/** As it should be; worth knowing; a problem, with what to do. The first argument after d names the check. */
void doctor_fine(doctor_t *d, const char *check, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void doctor_note(doctor_t *d, const char *check, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void doctor_problem(doctor_t *d, const char *check, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

brski_err_t *doctor_clock(doctor_t *d);
brski_err_t *doctor_files(doctor_t *d);
/** Does the database keep what it was given? db_kind_t.settings asks it. */
brski_err_t *doctor_database(doctor_t *d);

/** A problem when a certificate has ended or will within 30 days. @return nonzero when it has not and will not */
int doctor_certificate(doctor_t *d, const brski_cert_t *cert, const char *what, const char *cure);
/** The same of an array of const brski_cert_t *, which may be NULL. */
int doctor_certificates(doctor_t *d, const apr_array_header_t *certs, const char *what, const char *cure);

/** Say all, and set the exit status. */
void doctor_end(doctor_t *d);

#endif
