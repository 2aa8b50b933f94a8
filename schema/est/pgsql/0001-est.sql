-- SPDX-License-Identifier: Apache-2.0
--
-- The records of a registrar and EST server. Every table begins with est_, so that one database
-- can hold a MASA's too. Times are microseconds since 1970 UTC, 0 when unknown; binaries are
-- base64, hashes, keys and serial numbers of certificates lower-case hex. What is large stands last.
-- Names and keys are compared octet by octet, as on SQLite.

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
    tenant TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    welcome TEXT COLLATE "C" NOT NULL DEFAULT 'undecided',
    welcome_by TEXT COLLATE "C",
    welcome_at BIGINT NOT NULL DEFAULT 0,
    attested BIGINT NOT NULL DEFAULT 0,
    first_seen_at BIGINT NOT NULL DEFAULT 0,
    last_seen_at BIGINT NOT NULL DEFAULT 0,
    request TEXT COLLATE "C",
    voucher_at BIGINT NOT NULL DEFAULT 0,
    voucher_spki TEXT COLLATE "C" NOT NULL DEFAULT '',
    voucher_status BIGINT NOT NULL DEFAULT -1,
    voucher_status_at BIGINT NOT NULL DEFAULT 0,
    voucher_reason TEXT,
    enroll_status BIGINT NOT NULL DEFAULT -1,
    enroll_status_at BIGINT NOT NULL DEFAULT 0,
    enroll_reason TEXT,
    verdict TEXT COLLATE "C" NOT NULL DEFAULT 'none',
    verdict_at BIGINT NOT NULL DEFAULT 0,
    verdict_rule TEXT COLLATE "C",
    verdict_text TEXT,
    idevid_spki TEXT COLLATE "C" NOT NULL DEFAULT '',
    idevid TEXT,
    PRIMARY KEY (tenant, manufacturer, serial_number)
);

-- What was made of a device's audit logs.
CREATE TABLE est_verdict (
    tenant TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C",
    text TEXT,
    log TEXT,
    PRIMARY KEY (tenant, manufacturer, serial_number, at, request)
);

-- A pledge's voucher-request and what came of it. task: none, voucher, audit, telemetry, recheck,
-- human; woken_at: somebody asked for another look while it was being worked on.
CREATE TABLE est_request (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    idevid_spki TEXT COLLATE "C" NOT NULL,
    nonce TEXT COLLATE "C",
    accept TEXT,
    masa_url TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    task TEXT COLLATE "C" NOT NULL,
    next_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT COLLATE "C",
    lease_until BIGINT NOT NULL DEFAULT 0,
    woken_at BIGINT NOT NULL DEFAULT 0,
    number BIGINT NOT NULL DEFAULT 0,
    status BIGINT NOT NULL DEFAULT 0,
    text TEXT,
    detail TEXT,
    voucher_type TEXT COLLATE "C",
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
    tenant TEXT COLLATE "C" NOT NULL,
    domain_id TEXT COLLATE "C" NOT NULL,
    subject TEXT,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, domain_id)
);

-- One certificate issued. Those for one request_key are numbered (generation); a new one follows
-- only a dead one, so that the last alone can be alive and two front ends never make the same.
CREATE TABLE est_certificate (
    tenant TEXT COLLATE "C" NOT NULL,
    ca TEXT COLLATE "C" NOT NULL,
    serial TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    subject TEXT NOT NULL,
    spki TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
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
    tenant TEXT COLLATE "C" NOT NULL,
    ca TEXT COLLATE "C" NOT NULL,
    revocations BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, ca)
);

-- The last CRL of each CA.
CREATE TABLE est_crl (
    tenant TEXT COLLATE "C" NOT NULL,
    ca TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    revocations BIGINT NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    der TEXT NOT NULL,
    PRIMARY KEY (tenant, ca)
);

-- Enrolments that a human decides. state: waiting, approved, refused.
CREATE TABLE est_approval (
    tenant TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    requester TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL DEFAULT 0,
    csr TEXT NOT NULL,
    PRIMARY KEY (tenant, request_key)
);
CREATE INDEX est_approval_state ON est_approval (tenant, state, created_at);

-- Anchors that a MASA showed. purpose: voucher, tls; state: waiting, approved, distrusted; chain:
-- its certificates, separated by blanks.
CREATE TABLE est_first_use (
    tenant TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    spki TEXT COLLATE "C" NOT NULL,
    host TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C",
    first_seen_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL DEFAULT 0,
    chain TEXT,
    PRIMARY KEY (tenant, manufacturer, purpose, spki)
);

-- What a human may want to know later.
CREATE TABLE est_note (
    tenant TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    alarm BIGINT NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    text TEXT,
    request_id TEXT COLLATE "C",
    address TEXT,
    PRIMARY KEY (tenant, at, id)
);
CREATE INDEX est_note_device ON est_note (tenant, manufacturer, serial_number, at, id);
CREATE INDEX est_note_alarm ON est_note (tenant, at, id) WHERE alarm = 1;

-- What each server was configured with when it started; no secrets.
CREATE TABLE est_node_snapshot (
    tenant TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    published_at BIGINT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (tenant, node)
);

-- Compressing certificates and what is signed, in base64, costs more CPU than it saves.
ALTER TABLE est_pledge ALTER COLUMN idevid SET STORAGE EXTERNAL;
ALTER TABLE est_request ALTER COLUMN pvr SET STORAGE EXTERNAL;
ALTER TABLE est_request ALTER COLUMN rvr SET STORAGE EXTERNAL;
ALTER TABLE est_request ALTER COLUMN voucher SET STORAGE EXTERNAL;
ALTER TABLE est_certificate ALTER COLUMN der SET STORAGE EXTERNAL;
