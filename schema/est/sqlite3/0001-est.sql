-- SPDX-License-Identifier: Apache-2.0
--
-- The records of a registrar and EST server. Every table begins with est_, so that one database
-- can hold a MASA's too. Times are microseconds since 1970 UTC, 0 when unknown; binaries are
-- base64, hashes, keys and serial numbers of certificates lower-case hex. What is large stands last.
-- Rows that are found by their key alone live in its index (WITHOUT ROWID).

CREATE TABLE est_schema_version (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);

-- A device, by its manufacturer's name in the configuration and the serial-number of its IDevID.
-- welcome: undecided, allowed, refused; verdict: none, pending, good, warn, bad; *_status: 1 good,
-- 0 bad, -1 not heard. request: the one whose voucher it got last; voucher_spki: its IDevID's key
-- then. version grows with whatever changes what the device may do.
CREATE TABLE est_pledge (
    tenant TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    welcome TEXT NOT NULL DEFAULT 'undecided',
    welcome_by TEXT,
    welcome_at BIGINT NOT NULL DEFAULT 0,
    attested BIGINT NOT NULL DEFAULT 0,
    first_seen_at BIGINT NOT NULL DEFAULT 0,
    last_seen_at BIGINT NOT NULL DEFAULT 0,
    request TEXT,
    voucher_at BIGINT NOT NULL DEFAULT 0,
    voucher_spki TEXT NOT NULL DEFAULT '',
    voucher_status BIGINT NOT NULL DEFAULT -1,
    voucher_status_at BIGINT NOT NULL DEFAULT 0,
    voucher_reason TEXT,
    enroll_status BIGINT NOT NULL DEFAULT -1,
    enroll_status_at BIGINT NOT NULL DEFAULT 0,
    enroll_reason TEXT,
    verdict TEXT NOT NULL DEFAULT 'none',
    verdict_at BIGINT NOT NULL DEFAULT 0,
    verdict_rule TEXT,
    verdict_text TEXT,
    idevid_spki TEXT NOT NULL DEFAULT '',
    idevid TEXT,
    PRIMARY KEY (tenant, manufacturer, serial_number)
);

-- What was made of a device's audit logs.
CREATE TABLE est_verdict (
    tenant TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    at BIGINT NOT NULL,
    request TEXT NOT NULL,
    verdict TEXT NOT NULL,
    rule TEXT,
    text TEXT,
    log TEXT,
    PRIMARY KEY (tenant, manufacturer, serial_number, at, request)
);

-- A pledge's voucher-request and what came of it. task: none, voucher, audit, telemetry, recheck,
-- human; woken_at: somebody asked for another look while it was being worked on.
CREATE TABLE est_request (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    idevid_spki TEXT NOT NULL,
    nonce TEXT,
    accept TEXT,
    masa_url TEXT,
    created_at BIGINT NOT NULL,
    task TEXT NOT NULL,
    next_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    woken_at BIGINT NOT NULL DEFAULT 0,
    number BIGINT NOT NULL DEFAULT 0,
    status BIGINT NOT NULL DEFAULT 0,
    text TEXT,
    detail TEXT,
    voucher_type TEXT,
    answered_at BIGINT NOT NULL DEFAULT 0,
    pvr TEXT,
    rvr TEXT,
    voucher TEXT,
    PRIMARY KEY (tenant, id)
);
-- Work, the oldest first; a device's requests; answers, the oldest first.
CREATE INDEX est_request_due ON est_request (tenant, next_at, task) WHERE task <> 'none';
CREATE INDEX est_request_device
    ON est_request (tenant, manufacturer, serial_number, created_at);
CREATE INDEX est_request_parked ON est_request (tenant, manufacturer) WHERE task = 'human';
CREATE INDEX est_request_old ON est_request (tenant, created_at) WHERE task = 'none';

CREATE TABLE est_domain_id (
    tenant TEXT NOT NULL,
    domain_id TEXT NOT NULL,
    subject TEXT,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, domain_id)
) WITHOUT ROWID;

-- One certificate issued. Those for one request_key are numbered (generation); a new one follows
-- only a dead one, so that the last alone can be alive and two front ends never make the same.
CREATE TABLE est_certificate (
    tenant TEXT NOT NULL,
    ca TEXT NOT NULL,
    serial TEXT NOT NULL,
    label TEXT NOT NULL,
    request_key TEXT NOT NULL,
    generation BIGINT NOT NULL,
    subject TEXT NOT NULL,
    spki TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    username TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0,
    reason BIGINT NOT NULL DEFAULT 0,
    der TEXT NOT NULL,
    PRIMARY KEY (tenant, ca, serial)
);
CREATE UNIQUE INDEX est_certificate_key ON est_certificate (tenant, request_key, generation);
CREATE INDEX est_certificate_device
    ON est_certificate (tenant, manufacturer, serial_number, ca, serial);
CREATE INDEX est_certificate_revoked ON est_certificate (tenant, ca, not_after)
    WHERE revoked_at > 0;

-- Of each issuing CA how often something was revoked, which tells whether a CRL is complete.
CREATE TABLE est_ca (
    tenant TEXT NOT NULL,
    ca TEXT NOT NULL,
    revocations BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, ca)
) WITHOUT ROWID;

-- The last CRL of each CA.
CREATE TABLE est_crl (
    tenant TEXT NOT NULL,
    ca TEXT NOT NULL,
    number BIGINT NOT NULL,
    revocations BIGINT NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    der TEXT NOT NULL,
    PRIMARY KEY (tenant, ca)
);

-- Enrolments that a human decides. state: waiting, approved, refused.
CREATE TABLE est_approval (
    tenant TEXT NOT NULL,
    request_key TEXT NOT NULL,
    label TEXT NOT NULL,
    requester TEXT NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    created_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL DEFAULT 0,
    csr TEXT NOT NULL,
    PRIMARY KEY (tenant, request_key)
);
CREATE INDEX est_approval_state ON est_approval (tenant, state, created_at);

-- Anchors that a MASA showed. purpose: voucher, tls; state: waiting, approved, distrusted; chain:
-- its certificates, separated by blanks.
CREATE TABLE est_first_use (
    tenant TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    purpose TEXT NOT NULL,
    spki TEXT NOT NULL,
    host TEXT,
    state TEXT NOT NULL,
    decided_by TEXT,
    first_seen_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL DEFAULT 0,
    chain TEXT,
    PRIMARY KEY (tenant, manufacturer, purpose, spki)
);

-- What a human may want to know later.
CREATE TABLE est_note (
    tenant TEXT NOT NULL,
    at BIGINT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    alarm BIGINT NOT NULL,
    manufacturer TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    text TEXT,
    request_id TEXT,
    address TEXT,
    PRIMARY KEY (tenant, at, id)
);
CREATE INDEX est_note_device ON est_note (tenant, manufacturer, serial_number, at, id);
CREATE INDEX est_note_alarm ON est_note (tenant, at, id) WHERE alarm = 1;

-- What each server was configured with when it started; no secrets.
CREATE TABLE est_node_snapshot (
    tenant TEXT NOT NULL,
    node TEXT NOT NULL,
    hash TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (tenant, node)
);
