/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_crl.h: SetHandler est-crl: the certificate revocation list of ESTCA, RFC 5280 5; with ?NAME that of <ESTLabel NAME>. It
 * may stand on a server without TLS, as such lists are read (RFC 5280 8): then it is the list of the engine with the same
 * ServerName, or of the only one.
 */
#ifndef EST_CRL_H
#define EST_CRL_H

/** Register the handler. */
void est_crl_hooks(void);

#endif
