/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_conf_set.h: the setters behind est_commands[], one file a subject, and what these files share. For est_conf*.c alone.
 */
#ifndef EST_CONF_SET_H
#define EST_CONF_SET_H

#include "est_conf.h"
#include "glue_conf.h"

/** The configuration that a directive belongs to. */
est_conf_t *est_conf_of(const cmd_parms *cmd);

/** Append a file's path to a list, which is made when it is NULL. */
const char *est_conf_add_file(apr_array_header_t **list, cmd_parms *cmd, const char *arg);

/** Append strings; "none" alone empties the list. */
void est_conf_add_words(apr_array_header_t **list, cmd_parms *cmd, int argc, char *const argv[]);

/** A key must be in a file here: its path. */
const char *est_conf_key_file(const char **path, const cmd_parms *cmd, const char *uri);

/**
 * Read a section's directives into what *open points to while they are read.
 * @param names  directives that may stand inside, NULL-terminated
 */
const char *est_conf_walk(cmd_parms *cmd, const char *const *names);

/* est_conf_manufacturer.c */
const char *est_set_manufacturer_section(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_idevid_anchor(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_voucher_anchor(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_tls_anchor(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_masa_url(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_masa_certificate(cmd_parms *cmd, void *dir, const char *chain, const char *key);
const char *est_set_masa_login(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_ignore_expiry(cmd_parms *cmd, void *dir, int on);
const char *est_set_serial_from(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_pledges(cmd_parms *cmd, void *dir, const char *arg);

/* est_conf_label.c */
void est_conf_label_unset(est_label_conf_t *label);
void est_conf_label_merge(est_label_conf_t *merged, const est_label_conf_t *b, const est_label_conf_t *a);
const char *est_set_label_section(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_ca(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *est_set_profile(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *est_set_require_voucher(cmd_parms *cmd, void *dir, int on);
const char *est_set_approve(cmd_parms *cmd, void *dir, int on);
const char *est_set_clients(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *est_set_client_anchor(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_pop(cmd_parms *cmd, void *dir, const char *arg);
const char *est_set_reenroll(cmd_parms *cmd, void *dir, const char *arg);

/* est_conf_audit.c */
void est_conf_audit_unset(est_audit_conf_t *audit);
void est_conf_audit_merge(est_audit_conf_t *merged, const est_audit_conf_t *b, const est_audit_conf_t *a);
const char *est_set_audit_policy(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *est_set_audit_recheck(cmd_parms *cmd, void *dir, const char *every, const char *revoke);

#endif
