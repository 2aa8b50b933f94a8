/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h: a policy for audit logs from --policy options: each is what would stand behind ESTAuditPolicy in httpd's
 * configuration, so that a log can be judged with a policy before it is in force.
 */
#ifndef ESTCTL_POLICY_H
#define ESTCTL_POLICY_H

#include "../common/opts.h"
#include "brski_audit_policy.h"

/**
 * The default policy changed by every --policy.
 * @param wrong  nonzero when one is no rule: told, and the exit status is set
 */
brski_err_t *policy_read(int *wrong, brski_audit_policy_t *policy, call_t *call);

#endif
