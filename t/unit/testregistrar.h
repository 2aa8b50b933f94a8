/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testregistrar.h: a small world for tests of the registrar: testmasa's manufacturer with its MASA and its pledge, a domain's
 * registrar with records on SQLite, and instead of a network a client that asks the MASA's decision in this
 * process, or gets what the test wants the MASA to say. The clock is the world's; nothing happens but when a test says so.
 */
#ifndef TESTREGISTRAR_H
#define TESTREGISTRAR_H

#include "brski_registrar_steps.h"
#include "database.h"
#include "testmasa.h"

typedef struct testregistrar_t {
    apr_pool_t *pool;
    testmasa_t *maker;                /* manufacturer, its MASA, the domain's certificates, the clock */
    database_t *masa_database;
    database_t *database;             /* the registrar's tables, in the same file */
    brski_registrar_t registrar;
    brski_manufacturer_t *manufacturer; /* "maker": any pledge, configured anchors, a configured URL */
    brski_registrar_cert_t *own;
    brski_audit_policy_t policy;
    brski_peer_tls_t peer;            /* the pledge's connection */
    brski_voucher_t pvr;              /* what the pledge says; made into octets when it is sent first */
    brski_bytes_t body;
    brski_registrar_answer_t *answer; /* of the last call */
    apr_array_header_t *told;         /* const brski_note_t *: alarms */

    /* the MASA as the client meets it */
    int asked;
    int clients;                      /* that were made */
    const char *url;                  /* of the last request */
    brski_bytes_t sent;               /* its body */
    brski_client_options_t options;   /* of the last client */
    /** What it says instead of what it decides; NULL: its decision. */
    brski_err_t *(*says)(struct testregistrar_t *w, brski_client_answer_t *answer,
                         const brski_client_request_t *request);
    int status;                       /* for testregistrar_canned */
    const char *type;
    brski_bytes_t text;
    brski_voucher_t voucher;          /* for testregistrar_voucher: what it signs */
    const testpki_t *signer;          /* with what; NULL: the MASA's */
} testregistrar_t;

testregistrar_t *testregistrar_make(apr_pool_t *pool);

/** The same on another database, which has the MASA's tables and nothing of the tenant "default". */
testregistrar_t *testregistrar_on(database_t *database, apr_pool_t *pool);

/** The pledge sends its request, the same again unless body was emptied. */
brski_err_t *testregistrar_post(testregistrar_t *w);

/** One step of work: on the row that was just made, or the oldest due. The row as it is afterwards; NULL when nothing is due. */
brski_request_t *testregistrar_step(testregistrar_t *w);

/** Steps until nothing is due now; their number. */
int testregistrar_run(testregistrar_t *w);

/** The pledge's row, as the last answer names it. */
brski_request_t *testregistrar_row(testregistrar_t *w);

/** The device. */
brski_pledge_t *testregistrar_pledge(testregistrar_t *w);

/** Some time passes. */
void testregistrar_later(testregistrar_t *w, int seconds);

/** How often humans were told of a kind; the text of the last. */
int testregistrar_told(testregistrar_t *w, const char *kind);
const char *testregistrar_last(testregistrar_t *w, const char *kind);

/** The MASA answers so from now on. */
void testregistrar_canned(testregistrar_t *w, int status, const char *type, const char *text);

/** The MASA signs w->voucher from now on, which begins as the right one for the last request, and has no log. */
void testregistrar_vouches(testregistrar_t *w);

/** The MASA decides again. */
void testregistrar_decides(testregistrar_t *w);

/** What the gate says: 0 open, 202 wait, or the status of its error. */
int testregistrar_gate(testregistrar_t *w);

/** The pledge reports. */
brski_err_t *testregistrar_report(testregistrar_t *w, const char *what, const char *json);

#endif
