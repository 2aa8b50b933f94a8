-- SPDX-License-Identifier: Apache-2.0
--
-- The MASA's records. Times are microseconds since 1970 UTC, 0 when unknown;
-- binaries are base64, hashes and keys lower-case hex. What the importer says
-- of a device (device) and what the service decides about it (device_state)
-- are two tables, so that the first can be replicated from a sales system.
-- Names and serial numbers are compared octet by octet, as on SQLite.

CREATE TABLE schema_version (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);

-- Bumped by whatever changes an answer that decisions rely on (customers, keys,
-- grants); the epoch moves when the database is restored to an earlier time.
CREATE TABLE tenant_state (
    tenant TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    policy_version BIGINT NOT NULL DEFAULT 0,
    epoch BIGINT NOT NULL DEFAULT 1
);

-- NULL: the importer never said; '': it said that there is none. version grows
-- with every change that a decision could see.
CREATE TABLE device (
    tenant TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C",
    signer TEXT COLLATE "C",
    idevid_issuer TEXT COLLATE "C",
    status TEXT COLLATE "C",
    made_at BIGINT,
    sold_at BIGINT,
    as_of BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, serial_number, product)
);

-- status: active, blocked, stolen, end-of-life, owner-locked
CREATE TABLE device_state (
    tenant TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL DEFAULT 'active',
    status_text TEXT,
    downgrade_until BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, serial_number, product)
);

CREATE TABLE customer (
    tenant TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    note TEXT,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, customer)
);

-- identity: spki:HEX, ca:HEX, dns:NAME, user:NAME; retired_at 0: in use
CREATE TABLE customer_key (
    tenant TEXT COLLATE "C" NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    note TEXT,
    added_at BIGINT NOT NULL,
    retired_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, identity, customer)
);
-- The customer first, or a planner without statistics takes it to find an identity.
CREATE INDEX customer_key_customer ON customer_key (customer, tenant, identity);

-- what: nonceless, downgrade, pin; product '' for every product; until_at 0: without end
CREATE TABLE customer_grant (
    tenant TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL DEFAULT '',
    value TEXT NOT NULL DEFAULT '',
    until_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, customer, what, product)
);

-- One voucher issued, one link of its device's chain, one line of the audit log.
-- tls_spki is no part of the hash and may be blanked. What is long stands last.
CREATE TABLE voucher_event (
    tenant TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    prev_hash TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    nonce TEXT,
    assertion TEXT COLLATE "C" NOT NULL,
    proximity BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    domain_id TEXT COLLATE "C" NOT NULL,
    pin_spki TEXT COLLATE "C" NOT NULL,
    signer_spki TEXT COLLATE "C" NOT NULL,
    issuer_spki TEXT COLLATE "C" NOT NULL,
    tls_spki TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    signer TEXT COLLATE "C" NOT NULL,
    signer_key TEXT COLLATE "C" NOT NULL,
    expires_on BIGINT NOT NULL,
    format TEXT COLLATE "C" NOT NULL,
    voucher_hash TEXT COLLATE "C" NOT NULL,
    pin_cert TEXT NOT NULL,
    voucher TEXT NOT NULL,
    PRIMARY KEY (tenant, product, serial_number, epoch, seq),
    UNIQUE (tenant, request_hash)
);
-- Nonceless vouchers that may still be outstanding.
CREATE INDEX voucher_event_nonceless ON voucher_event (tenant, serial_number) WHERE nonce IS NULL;
-- Compressing signed base64 costs more CPU than it saves.
ALTER TABLE voucher_event ALTER COLUMN voucher SET STORAGE EXTERNAL;
ALTER TABLE voucher_event ALTER COLUMN pin_cert SET STORAGE EXTERNAL;

-- Who asked for an event's voucher: erasable, outside the chain.
CREATE TABLE event_peer (
    tenant TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    address TEXT,
    tls_subject TEXT,
    PRIMARY KEY (tenant, request_id)
);

-- Requests that opened an audit log by being fresh; a copy of one opens nothing.
CREATE TABLE fresh_use (
    tenant TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    tls_spki TEXT COLLATE "C" NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, request_hash)
);
CREATE INDEX fresh_use_expires_at ON fresh_use (tenant, expires_at);

-- Refused requests, kept as evidence until they expire. octets: of all texts, roughly
-- what the row takes.
CREATE TABLE refusal (
    tenant TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    operation TEXT,
    number BIGINT NOT NULL,
    status BIGINT NOT NULL,
    public_text TEXT,
    detail TEXT,
    serial_number TEXT COLLATE "C",
    address TEXT,
    content_type TEXT,
    accept TEXT,
    username TEXT,
    client_cert TEXT,
    client_chain TEXT,
    request TEXT,
    octets BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, request_id)
);
CREATE INDEX refusal_at ON refusal (tenant, at, request_id, octets);
CREATE INDEX refusal_expires_at ON refusal (tenant, expires_at);

-- The configuration that each server runs, without secrets.
CREATE TABLE node_snapshot (
    tenant TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    published_at BIGINT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (tenant, node)
);

-- Signed statements over the heads of all chains; document is what was exported.
CREATE TABLE checkpoint (
    tenant TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    heads BIGINT NOT NULL,
    events BIGINT NOT NULL,
    root TEXT COLLATE "C" NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
);

-- One import of a file. state: staging, ready, applying, done. cursor_*: the last key that was
-- applied.
CREATE TABLE import_batch (
    tenant TEXT COLLATE "C" NOT NULL,
    batch TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    source TEXT NOT NULL,
    source_hash TEXT COLLATE "C" NOT NULL,
    staged BIGINT NOT NULL DEFAULT 0,
    bad BIGINT NOT NULL DEFAULT 0,
    applied BIGINT NOT NULL DEFAULT 0,
    changed BIGINT NOT NULL DEFAULT 0,
    cursor_serial TEXT COLLATE "C" NOT NULL DEFAULT '',
    cursor_product TEXT COLLATE "C" NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, batch)
);
