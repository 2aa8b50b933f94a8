-- SPDX-License-Identifier: Apache-2.0
--
-- Every statement there is; tools/sql2c makes the C table of them. Rules that APR DBD
-- and two databases impose: a parameter is %s (text) or %lld (a whole number) and is always
-- given as text, so SQLite compares it as text unless a column or a CAST stands on the other
-- side; a percent sign is doubled, and none may stand in quotes. Rows that differ in kind
-- come with every column as text. Key order is octet order on both databases.

-- ---- the decision ----

-- STMT_FACTS: everything a decision asks of the records, in one read
-- parameters: tenant, request_hash; tenant, serial_number; tenant, serial_number, now;
--   tenant, 16 identities (NULL: none), now; tenant
-- columns: kind, then 26 of text, by kind:
--   stored, outstanding: those of STMT_EVENT_LIST in its order, then voucher (NULL for outstanding)
--   device: those of STMT_DEVICE_GET in its order up to state_version, then the head of its chain
--     as epoch:seq:hash
--   customer: customer, identity, and of each grant what, product, value, until_at (NULL: no grant)
--   tenant: policy_version, epoch
SELECT 'stored',
       e.product, e.serial_number, CAST(e.epoch AS text), CAST(e.seq AS text), e.prev_hash,
       e.hash, CAST(e.created_at AS text), e.request_id, e.request_hash, e.nonce, e.assertion,
       CAST(e.proximity AS text), CAST(e.verified AS text), e.domain_id, e.pin_spki,
       e.signer_spki, e.issuer_spki, e.tls_spki, e.customer, e.signer, e.signer_key,
       CAST(e.expires_on AS text), e.format, e.voucher_hash, e.pin_cert, e.voucher
FROM voucher_event e
WHERE e.tenant = %s AND e.request_hash = %s
UNION ALL
SELECT 'device', d.product, d.serial_number, d.customer, d.signer, d.idevid_issuer,
       CAST(d.made_at AS text), CAST(d.sold_at AS text), CAST(d.version AS text),
       COALESCE(s.status, 'active'), s.status_text, CAST(s.downgrade_until AS text),
       CAST(s.version AS text),
       (SELECT CAST(l.epoch AS text) || ':' || CAST(l.seq AS text) || ':' || l.hash
        FROM voucher_event l
        WHERE l.tenant = d.tenant AND l.product = d.product AND l.serial_number = d.serial_number
        ORDER BY l.epoch DESC, l.seq DESC LIMIT 1),
       NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM device d
LEFT JOIN device_state s
  ON s.tenant = d.tenant AND s.serial_number = d.serial_number AND s.product = d.product
WHERE d.tenant = %s AND d.serial_number = %s
UNION ALL
SELECT 'outstanding',
       o.product, o.serial_number, CAST(o.epoch AS text), CAST(o.seq AS text), o.prev_hash,
       o.hash, CAST(o.created_at AS text), o.request_id, o.request_hash, o.nonce, o.assertion,
       CAST(o.proximity AS text), CAST(o.verified AS text), o.domain_id, o.pin_spki,
       o.signer_spki, o.issuer_spki, o.tls_spki, o.customer, o.signer, o.signer_key,
       CAST(o.expires_on AS text), o.format, o.voucher_hash, o.pin_cert, NULL
FROM voucher_event o
WHERE o.tenant = %s AND o.serial_number = %s AND o.nonce IS NULL
  AND (o.expires_on = 0 OR o.expires_on > %lld)
UNION ALL
SELECT 'customer', k.customer, k.identity, g.what, g.product, g.value, CAST(g.until_at AS text),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL
FROM customer_key k
LEFT JOIN customer_grant g ON g.tenant = k.tenant AND g.customer = k.customer
WHERE k.tenant = %s
  AND k.identity IN (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
  AND (k.retired_at = 0 OR k.retired_at > %lld)
UNION ALL
SELECT 'tenant', CAST(t.policy_version AS text), CAST(t.epoch AS text),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM tenant_state t
WHERE t.tenant = %s

-- STMT_EVENT_PUT: write an event, if all that was read is still so
-- parameters: the event's 24 columns without product and serial_number, in the order named;
--   tenant, product, serial_number, device version, state version, policy_version:epoch, head's hash
-- changes: 1, or 0 when something moved or these bytes were answered before
INSERT INTO voucher_event (
    tenant,
    product, serial_number, epoch, seq, prev_hash, hash, created_at, request_id, request_hash,
    nonce, assertion, proximity, verified, domain_id, pin_spki, signer_spki, issuer_spki,
    tls_spki, customer, signer, signer_key, expires_on, format, voucher_hash, pin_cert, voucher)
SELECT d.tenant, d.product, d.serial_number,
       %lld, %lld, %s, %s, %lld, %s, %s, %s, %s, %lld, %lld, %s, %s, %s, %s, %s, %s, %s, %s,
       %lld, %s, %s, %s, %s
FROM device d
LEFT JOIN device_state s
  ON s.tenant = d.tenant AND s.serial_number = d.serial_number AND s.product = d.product
WHERE d.tenant = %s AND d.product = %s AND d.serial_number = %s AND d.version = %lld
  AND COALESCE(s.version, 0) = CAST(%lld AS bigint)
  AND COALESCE((SELECT CAST(t.policy_version AS text) || ':' || CAST(t.epoch AS text)
                FROM tenant_state t WHERE t.tenant = d.tenant), '0:1') = %s
  AND COALESCE((SELECT l.hash FROM voucher_event l
                WHERE l.tenant = d.tenant AND l.product = d.product
                  AND l.serial_number = d.serial_number
                ORDER BY l.epoch DESC, l.seq DESC LIMIT 1), '') = %s
ON CONFLICT DO NOTHING

-- STMT_CUSTOMER_MATCH: the customers that identities belong to, with their grants
-- parameters: tenant, 16 identities (NULL: none), now
-- columns: customer, identity, what, product, value, until_at (the last four NULL: no grant)
SELECT k.customer, k.identity, g.what, g.product, g.value, g.until_at
FROM customer_key k
LEFT JOIN customer_grant g ON g.tenant = k.tenant AND g.customer = k.customer
WHERE k.tenant = %s
  AND k.identity IN (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
  AND (k.retired_at = 0 OR k.retired_at > %lld)

-- STMT_FRESH_USE_PUT: note that a fresh request opened a log
-- parameters: tenant, request_hash, tls_spki, used_at, expires_at
-- changes: 1, or 0 when it had been used before
INSERT INTO fresh_use (tenant, request_hash, tls_spki, used_at, expires_at)
VALUES (%s, %s, %s, %lld, %lld)
ON CONFLICT DO NOTHING

-- STMT_FRESH_USE_GET: who used it first
-- parameters: tenant, request_hash
-- columns: tls_spki, used_at
SELECT tls_spki, used_at FROM fresh_use WHERE tenant = %s AND request_hash = %s

-- STMT_FRESH_USE_EXPIRE: remove a number of old notes
-- parameters: tenant, tenant, now, how many
DELETE FROM fresh_use WHERE tenant = %s AND request_hash IN (
    SELECT f.request_hash FROM fresh_use f
    WHERE f.tenant = %s AND f.expires_at <= %lld
    ORDER BY f.expires_at LIMIT CAST(%lld AS bigint))

-- ---- events ----

-- STMT_EVENT_LIST: the events of one device, oldest first, without vouchers
-- parameters: tenant, product, serial_number
-- columns: product, serial_number, epoch, seq, prev_hash, hash, created_at, request_id,
--   request_hash, nonce, assertion, proximity, verified, domain_id, pin_spki, signer_spki,
--   issuer_spki, tls_spki, customer, signer, signer_key, expires_on, format, voucher_hash, pin_cert
SELECT
       e.product, e.serial_number, e.epoch, e.seq, e.prev_hash, e.hash, e.created_at,
       e.request_id, e.request_hash, e.nonce, e.assertion, e.proximity, e.verified, e.domain_id,
       e.pin_spki, e.signer_spki, e.issuer_spki, e.tls_spki, e.customer, e.signer, e.signer_key,
       e.expires_on, e.format, e.voucher_hash, e.pin_cert
FROM voucher_event e
WHERE e.tenant = %s AND e.product = %s AND e.serial_number = %s
ORDER BY e.epoch, e.seq

-- STMT_EVENT_SCAN: the events of a tenant in key order after a key, with vouchers: verify, export
-- parameters: tenant, after: product, serial_number, epoch, seq ('' '' 0 0 to begin); how many
-- columns: those of STMT_EVENT_LIST, then voucher
SELECT
       e.product, e.serial_number, e.epoch, e.seq, e.prev_hash, e.hash, e.created_at,
       e.request_id, e.request_hash, e.nonce, e.assertion, e.proximity, e.verified, e.domain_id,
       e.pin_spki, e.signer_spki, e.issuer_spki, e.tls_spki, e.customer, e.signer, e.signer_key,
       e.expires_on, e.format, e.voucher_hash, e.pin_cert, e.voucher
FROM voucher_event e
WHERE e.tenant = %s
  AND (e.product, e.serial_number, e.epoch, e.seq)
      > (%s, %s, CAST(%lld AS bigint), CAST(%lld AS bigint))
ORDER BY e.product, e.serial_number, e.epoch, e.seq
LIMIT CAST(%lld AS bigint)

-- STMT_EVENT_HEADS: the last event of each device in key order after a key: checkpoints
-- parameters: tenant, after: product, serial_number ('' '' to begin); how many
-- columns: product, serial_number, epoch, seq, hash
SELECT e.product, e.serial_number, e.epoch, e.seq, e.hash
FROM voucher_event e
WHERE e.tenant = %s AND (e.product, e.serial_number) > (%s, %s)
  AND (e.epoch, e.seq) =
      (SELECT l.epoch, l.seq FROM voucher_event l
       WHERE l.tenant = e.tenant AND l.product = e.product AND l.serial_number = e.serial_number
       ORDER BY l.epoch DESC, l.seq DESC LIMIT 1)
ORDER BY e.product, e.serial_number
LIMIT CAST(%lld AS bigint)

-- STMT_EVENT_BY_REQUEST_HASH: one event with its voucher
-- parameters: tenant, request_hash
-- columns: those of STMT_EVENT_SCAN
SELECT
       e.product, e.serial_number, e.epoch, e.seq, e.prev_hash, e.hash, e.created_at,
       e.request_id, e.request_hash, e.nonce, e.assertion, e.proximity, e.verified, e.domain_id,
       e.pin_spki, e.signer_spki, e.issuer_spki, e.tls_spki, e.customer, e.signer, e.signer_key,
       e.expires_on, e.format, e.voucher_hash, e.pin_cert, e.voucher
FROM voucher_event e
WHERE e.tenant = %s AND e.request_hash = %s

-- STMT_EVENT_PEER_PUT: keep who asked, beside the chain
-- parameters: tenant; JSON array of arrays request_id, address, tls_subject
INSERT INTO event_peer (tenant, request_id, address, tls_subject)
SELECT %s, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'),
       json_extract(j.value, '$[2]')
FROM json_each(%s) AS j WHERE true
ON CONFLICT DO NOTHING

-- STMT_EVENT_PEER_GET: who asked for this voucher
-- parameters: tenant, request_id
-- columns: address, tls_subject
SELECT address, tls_subject FROM event_peer WHERE tenant = %s AND request_id = %s

-- ---- checkpoints ----

-- STMT_CHECKPOINT_PUT: keep a signed checkpoint under the next number
-- parameters: tenant, number, made_at, epoch, heads, events, root, document
-- changes: 1, or 0 when another one has this number
INSERT INTO checkpoint (tenant, number, made_at, epoch, heads, events, root, document)
VALUES (%s, %lld, %lld, %lld, %lld, %lld, %s, %s)
ON CONFLICT DO NOTHING

-- STMT_CHECKPOINT_LAST: the last checkpoint
-- parameters: tenant
-- columns: number, made_at, epoch, heads, events, root, document
SELECT number, made_at, epoch, heads, events, root, document
FROM checkpoint WHERE tenant = %s ORDER BY number DESC LIMIT 1

-- ---- evidence ----

-- STMT_REFUSAL_PUT: keep a refused request
-- parameters: tenant, request_id, at, expires_at, operation, number, status, public_text, detail,
--   serial_number, address, content_type, accept, username, client_cert, client_chain, request,
--   octets
INSERT INTO refusal (
    tenant, request_id, at, expires_at, operation, number, status, public_text, detail,
    serial_number, address, content_type, accept, username, client_cert, client_chain, request,
    octets)
VALUES (%s, %s, %lld, %lld, %s, %lld, %lld, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %lld)
ON CONFLICT DO NOTHING

-- STMT_REFUSAL_GET: one refused request with its bytes
-- parameters: tenant, request_id
-- columns: request_id, at, operation, number, status, public_text, detail, serial_number, address,
--   content_type, accept, username, client_cert, client_chain, request
SELECT request_id, at, operation, number, status, public_text, detail, serial_number, address,
       content_type, accept, username, client_cert, client_chain, request
FROM refusal WHERE tenant = %s AND request_id = %s

-- STMT_REFUSAL_LIST: refusals before a point, newest first, without their bytes
-- parameters: tenant, before: at, request_id (9223372036854775807 and '' to begin); how many
-- columns: request_id, at, operation, number, status, public_text, serial_number, address
SELECT request_id, at, operation, number, status, public_text, serial_number, address
FROM refusal
WHERE tenant = %s AND (at, request_id) < (CAST(%lld AS bigint), %s)
ORDER BY at DESC, request_id DESC
LIMIT CAST(%lld AS bigint)

-- STMT_REFUSAL_EXPIRE: remove a number of expired refusals
-- parameters: tenant, tenant, now, how many
DELETE FROM refusal WHERE tenant = %s AND request_id IN (
    SELECT r.request_id FROM refusal r
    WHERE r.tenant = %s AND r.expires_at <= %lld
    ORDER BY r.expires_at LIMIT CAST(%lld AS bigint))

-- STMT_REFUSAL_TRIM: remove a number of refusals that are more, or more octets, than are kept, the
--   oldest
-- parameters: tenant, tenant, how many are kept, octets that are kept, how many
DELETE FROM refusal WHERE tenant = %s AND request_id IN (
    SELECT request_id FROM (
        SELECT r.request_id, r.at, row_number() OVER newest AS n, sum(r.octets) OVER newest AS total
        FROM refusal r
        WHERE r.tenant = %s
        WINDOW newest AS (ORDER BY r.at DESC, r.request_id DESC))
    WHERE n > CAST(%lld AS bigint) OR total > CAST(%lld AS bigint)
    ORDER BY at, request_id LIMIT CAST(%lld AS bigint))

-- ---- nodes ----

-- STMT_SNAPSHOT_PUT: publish a server's configuration
-- parameters: tenant, node, hash, published_at, json
INSERT INTO node_snapshot (tenant, node, hash, published_at, json)
VALUES (%s, %s, %s, %lld, %s)
ON CONFLICT (tenant, node) DO UPDATE
SET hash = excluded.hash, published_at = excluded.published_at, json = excluded.json

-- STMT_SNAPSHOT_GET: one server's configuration
-- parameters: tenant, node
-- columns: node, hash, published_at, json
SELECT node, hash, published_at, json FROM node_snapshot WHERE tenant = %s AND node = %s

-- STMT_SNAPSHOT_LAST: the configuration that was published last
-- parameters: tenant
-- columns: those of STMT_SNAPSHOT_GET
SELECT node, hash, published_at, json FROM node_snapshot
WHERE tenant = %s ORDER BY published_at DESC LIMIT 1

-- STMT_SNAPSHOT_LIST: every server, without its configuration
-- parameters: tenant
-- columns: node, hash, published_at
SELECT node, hash, published_at FROM node_snapshot WHERE tenant = %s ORDER BY node

-- STMT_SNAPSHOT_DELETE: forget a server that is gone
-- parameters: tenant, node
DELETE FROM node_snapshot WHERE tenant = %s AND node = %s

-- ---- devices ----

-- STMT_DEVICE_GET: all devices with a serial number, with state and chain head
-- parameters: tenant, serial_number
-- columns: product, serial_number, customer, signer, idevid_issuer, made_at, sold_at, version,
--   status, status_text, downgrade_until, state_version, head_epoch, head_seq, head_hash, as_of,
--   imported status
SELECT d.product, d.serial_number, d.customer, d.signer, d.idevid_issuer, d.made_at, d.sold_at,
       d.version, COALESCE(s.status, 'active'), s.status_text, s.downgrade_until, s.version,
       (SELECT l.epoch FROM voucher_event l
        WHERE l.tenant = d.tenant AND l.product = d.product AND l.serial_number = d.serial_number
        ORDER BY l.epoch DESC, l.seq DESC LIMIT 1),
       (SELECT l.seq FROM voucher_event l
        WHERE l.tenant = d.tenant AND l.product = d.product AND l.serial_number = d.serial_number
        ORDER BY l.epoch DESC, l.seq DESC LIMIT 1),
       (SELECT l.hash FROM voucher_event l
        WHERE l.tenant = d.tenant AND l.product = d.product AND l.serial_number = d.serial_number
        ORDER BY l.epoch DESC, l.seq DESC LIMIT 1),
       d.as_of, d.status
FROM device d
LEFT JOIN device_state s
  ON s.tenant = d.tenant AND s.serial_number = d.serial_number AND s.product = d.product
WHERE d.tenant = %s AND d.serial_number = %s
ORDER BY d.product

-- STMT_DEVICE_LIST: devices after a key in order of serial number, filtered: list, export
-- parameters: tenant, after: serial_number, product ('' '' to begin); product twice, customer
--   twice, status twice ('' '': any); how many
-- columns: product, serial_number, customer, signer, idevid_issuer, made_at, sold_at, version,
--   status, status_text, downgrade_until, state_version, as_of
SELECT d.product, d.serial_number, d.customer, d.signer, d.idevid_issuer, d.made_at, d.sold_at,
       d.version, COALESCE(s.status, 'active'), s.status_text, s.downgrade_until, s.version, d.as_of
FROM device d
LEFT JOIN device_state s
  ON s.tenant = d.tenant AND s.serial_number = d.serial_number AND s.product = d.product
WHERE d.tenant = %s AND (d.serial_number, d.product) > (%s, %s)
  AND (%s = '' OR d.product = %s)
  AND (%s = '' OR d.customer = %s)
  AND (%s = '' OR COALESCE(s.status, 'active') = %s)
ORDER BY d.serial_number, d.product
LIMIT CAST(%lld AS bigint)

-- STMT_DEVICE_ADD: add one device
-- parameters: tenant, serial_number, product, customer, signer, idevid_issuer, status, made_at,
--   sold_at, as_of
-- changes: 1, or 0 when it is there
INSERT INTO device (tenant, serial_number, product, customer, signer, idevid_issuer, status,
                    made_at, sold_at, as_of)
VALUES (%s, %s, %s, %s, %s, %s, %s, %lld, %lld, %lld)
ON CONFLICT DO NOTHING

-- STMT_DEVICE_ASSIGN: say to whom a device was sold
-- parameters: customer ('' nobody), sold_at, as_of, tenant, serial_number, product
UPDATE device SET customer = %s, sold_at = %lld, as_of = %lld, version = version + 1
WHERE tenant = %s AND serial_number = %s AND product = %s

-- STMT_DEVICE_STATE_PUT: block a device, or let it go again
-- parameters: status, status_text, changed_at, tenant, serial_number, product
-- changes: 1, or 0 when there is no such device
INSERT INTO device_state (status, status_text, changed_at, tenant, serial_number, product, version)
SELECT %s, %s, %lld, d.tenant, d.serial_number, d.product, 1
FROM device d WHERE d.tenant = %s AND d.serial_number = %s AND d.product = %s
ON CONFLICT (tenant, serial_number, product) DO UPDATE
SET status = excluded.status, status_text = excluded.status_text,
    changed_at = excluded.changed_at, version = device_state.version + 1

-- STMT_DEVICE_DOWNGRADE_PUT: let a device's proximity be downgraded until a time (0: no more)
-- parameters: downgrade_until, changed_at, tenant, serial_number, product
-- changes: 1, or 0 when there is no such device
INSERT INTO device_state (downgrade_until, changed_at, tenant, serial_number, product, version)
SELECT %lld, %lld, d.tenant, d.serial_number, d.product, 1
FROM device d WHERE d.tenant = %s AND d.serial_number = %s AND d.product = %s
ON CONFLICT (tenant, serial_number, product) DO UPDATE
SET downgrade_until = excluded.downgrade_until, changed_at = excluded.changed_at,
    version = device_state.version + 1

-- ---- customers; every change is followed by STMT_POLICY_BUMP in the same transaction ----

-- STMT_POLICY_BUMP: make decisions that rest on what was before decide again
-- parameters: tenant
INSERT INTO tenant_state (tenant, policy_version, epoch) VALUES (%s, 1, 1)
ON CONFLICT (tenant) DO UPDATE SET policy_version = tenant_state.policy_version + 1

-- STMT_TENANT_GET: a tenant's state; no row means 0 and 1
-- parameters: tenant
-- columns: policy_version, epoch
SELECT policy_version, epoch FROM tenant_state WHERE tenant = %s

-- STMT_CUSTOMER_PUT: add a customer, or change its note
-- parameters: tenant, customer, note, added_at
INSERT INTO customer (tenant, customer, note, added_at) VALUES (%s, %s, %s, %lld)
ON CONFLICT (tenant, customer) DO UPDATE SET note = excluded.note

-- STMT_CUSTOMER_GET: one customer
-- parameters: tenant, customer
-- columns: customer, note, added_at
SELECT customer, note, added_at FROM customer WHERE tenant = %s AND customer = %s

-- STMT_CUSTOMER_LIST: customers after a name, in order
-- parameters: tenant, after customer ('' to begin), how many
-- columns: those of STMT_CUSTOMER_GET
SELECT customer, note, added_at FROM customer
WHERE tenant = %s AND customer > %s ORDER BY customer LIMIT CAST(%lld AS bigint)

-- STMT_CUSTOMER_DELETE: remove a customer; its keys and grants go with the next two
-- parameters: tenant, customer
DELETE FROM customer WHERE tenant = %s AND customer = %s

-- STMT_CUSTOMER_KEYS_DELETE: remove a customer's keys
-- parameters: tenant, customer
DELETE FROM customer_key WHERE tenant = %s AND customer = %s

-- STMT_CUSTOMER_GRANTS_DELETE: remove what a customer was granted
-- parameters: tenant, customer
DELETE FROM customer_grant WHERE tenant = %s AND customer = %s

-- STMT_CUSTOMER_DEVICES: devices that were sold to a customer, at most so many: may it go?
-- parameters: tenant, customer, how many
-- columns: serial_number, product
SELECT serial_number, product FROM device
WHERE tenant = %s AND customer = %s LIMIT CAST(%lld AS bigint)

-- STMT_CUSTOMER_KEY_PUT: add a key to a customer, or take a retired one up again
-- parameters: tenant, identity, customer, note, added_at
INSERT INTO customer_key (tenant, identity, customer, note, added_at, retired_at)
VALUES (%s, %s, %s, %s, %lld, 0)
ON CONFLICT (tenant, identity, customer) DO UPDATE
SET note = excluded.note, added_at = excluded.added_at, retired_at = 0

-- STMT_CUSTOMER_KEY_RETIRE: let a key count no more from a time on
-- parameters: retired_at, tenant, identity, customer
-- changes: 1, or 0 when there is no such key
UPDATE customer_key SET retired_at = %lld WHERE tenant = %s AND identity = %s AND customer = %s

-- STMT_CUSTOMER_KEY_LIST: the keys of a customer, oldest first
-- parameters: tenant, customer
-- columns: identity, note, added_at, retired_at
SELECT identity, note, added_at, retired_at FROM customer_key
WHERE tenant = %s AND customer = %s ORDER BY added_at, identity

-- STMT_CUSTOMER_KEY_OWNERS: whose is this key?
-- parameters: tenant, identity
-- columns: customer, note, added_at, retired_at
SELECT customer, note, added_at, retired_at FROM customer_key
WHERE tenant = %s AND identity = %s ORDER BY customer

-- STMT_GRANT_PUT: grant something to a customer
-- parameters: tenant, customer, what, product ('' every), value, until_at
INSERT INTO customer_grant (tenant, customer, what, product, value, until_at)
VALUES (%s, %s, %s, %s, %s, %lld)
ON CONFLICT (tenant, customer, what, product) DO UPDATE
SET value = excluded.value, until_at = excluded.until_at

-- STMT_GRANT_DELETE: take a grant back
-- parameters: tenant, customer, what, product
-- changes: 1, or 0 when it was not granted
DELETE FROM customer_grant WHERE tenant = %s AND customer = %s AND what = %s AND product = %s

-- STMT_GRANT_LIST: what a customer was granted
-- parameters: tenant, customer
-- columns: what, product, value, until_at
SELECT what, product, value, until_at FROM customer_grant
WHERE tenant = %s AND customer = %s ORDER BY what, product

-- ---- import of devices ----
-- A file is a batch. masactl judges and sorts its lines outside the database; nothing of a bad file
-- reaches it. Good ones are applied in key order in short transactions, each: BLOCK for lines that say a
-- device is to be blocked, APPLY for 32 lines at a time, TOUCH when it changed fewer, ADVANCE. Between
-- transactions the importer rests a moment: on SQLite vouchers wait for the same lock.

-- STMT_IMPORT_PUT: begin a batch
-- parameters: tenant, batch, state, source, source_hash, started_at, updated_at
-- changes: 1, or 0 when there is one of this name
INSERT INTO import_batch (tenant, batch, state, source, source_hash, started_at, updated_at)
VALUES (%s, %s, %s, %s, %s, %lld, %lld)
ON CONFLICT DO NOTHING

-- STMT_IMPORT_LIST: every batch
-- parameters: tenant
-- columns: batch, state, source, source_hash, staged, bad, applied, changed, cursor_serial,
--   cursor_product, started_at, updated_at
SELECT batch, state, source, source_hash, staged, bad, applied, changed, cursor_serial,
       cursor_product, started_at, updated_at
FROM import_batch WHERE tenant = %s ORDER BY batch

-- STMT_IMPORT_STATE_PUT: move a batch on
-- parameters: state, staged, bad, updated_at, tenant, batch
UPDATE import_batch SET state = %s, staged = %lld, bad = %lld, updated_at = %lld
WHERE tenant = %s AND batch = %s

-- STMT_IMPORT_ADVANCE: note how far a batch was applied
-- parameters: lines applied, devices changed, cursor_serial, cursor_product, updated_at, tenant, batch
UPDATE import_batch
SET applied = applied + %lld, changed = changed + %lld, cursor_serial = %s, cursor_product = %s,
    updated_at = %lld
WHERE tenant = %s AND batch = %s

-- STMT_IMPORT_BLOCK: block what a list newly says is to be blocked; nothing is unblocked
-- parameters: tenant, serial_number, product, status, changed_at; tenant, serial_number, product,
--   as_of, status
INSERT INTO device_state (tenant, serial_number, product, status, status_text, changed_at, version)
SELECT %s, %s, %s, %s, NULL, CAST(%lld AS bigint), 1
WHERE NOT EXISTS (
    SELECT 1 FROM device d
    WHERE d.tenant = %s AND d.serial_number = %s AND d.product = %s
      AND (d.as_of > CAST(%lld AS bigint) OR d.status = %s))
ON CONFLICT (tenant, serial_number, product) DO UPDATE
SET status = excluded.status, changed_at = excluded.changed_at,
    version = device_state.version + 1
WHERE device_state.status = 'active'

-- STMT_IMPORT_APPLY: write up to 32 lines that say something newer to device
-- parameters: tenant; 32 times serial_number (NULL: no line), product, customer, signer,
--   idevid_issuer, status, made_at, sold_at, as_of (NULL: the list has no such column)
-- changes: devices added or changed
INSERT INTO device (tenant, serial_number, product, customer, signer, idevid_issuer, status,
                    made_at, sold_at, as_of)
SELECT %s, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7,
       v.column8, v.column9
FROM (VALUES
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld),
    (%s, %s, %s, %s, %s, %s, %lld, %lld, %lld)
) AS v
WHERE v.column1 IS NOT NULL
ON CONFLICT (tenant, serial_number, product) DO UPDATE
SET customer = COALESCE(excluded.customer, device.customer),
    signer = COALESCE(excluded.signer, device.signer),
    idevid_issuer = COALESCE(excluded.idevid_issuer, device.idevid_issuer),
    status = COALESCE(excluded.status, device.status),
    made_at = COALESCE(excluded.made_at, device.made_at),
    sold_at = COALESCE(excluded.sold_at, device.sold_at),
    as_of = excluded.as_of,
    version = device.version + 1
WHERE excluded.as_of >= device.as_of
  AND (COALESCE(excluded.customer, device.customer) IS DISTINCT FROM device.customer
       OR COALESCE(excluded.signer, device.signer) IS DISTINCT FROM device.signer
       OR COALESCE(excluded.idevid_issuer, device.idevid_issuer)
          IS DISTINCT FROM device.idevid_issuer
       OR COALESCE(excluded.status, device.status) IS DISTINCT FROM device.status
       OR COALESCE(excluded.made_at, device.made_at) IS DISTINCT FROM device.made_at
       OR COALESCE(excluded.sold_at, device.sold_at) IS DISTINCT FROM device.sold_at)

-- STMT_IMPORT_TOUCH: lines that say nothing new are newer all the same
-- parameters: tenant; 32 times serial_number (NULL: no line), product, as_of
INSERT INTO device (tenant, serial_number, product, as_of)
SELECT %s, v.column1, v.column2, v.column3
FROM (VALUES
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld),
    (%s, %s, %lld)
) AS v
WHERE v.column1 IS NOT NULL
ON CONFLICT (tenant, serial_number, product) DO UPDATE
SET as_of = excluded.as_of
WHERE excluded.as_of > device.as_of

-- ---- looking after it all (masactl doctor) ----

-- STMT_REFUSAL_KINDS: refusals since a time by what was wrong, the most frequent first
-- parameters: tenant, since
-- columns: number, how many
SELECT number, count(*) FROM refusal
WHERE tenant = %s AND at >= %lld GROUP BY number ORDER BY count(*) DESC, number

-- STMT_DEVICE_KINDS: which product lines and signers devices name
-- parameters: tenant
-- columns: product, signer ('' none), devices
SELECT product, COALESCE(signer, ''), count(*) FROM device
WHERE tenant = %s GROUP BY product, COALESCE(signer, '') ORDER BY product, COALESCE(signer, '')

-- STMT_EVENT_SAMPLE: a device that has events, found from a place anywhere in the log
-- parameters: tenant, request_hash to begin at
-- columns: product, serial_number
SELECT product, serial_number FROM voucher_event
WHERE tenant = %s AND request_hash >= %s ORDER BY request_hash LIMIT 1

-- ---- the schema and the database ----

-- STMT_SCHEMA_VERSION_GET: the last upgrade that was applied
-- columns: number, name, applied_at; no row: none
SELECT number, name, applied_at FROM schema_version ORDER BY number DESC LIMIT 1

-- STMT_SCHEMA_VERSION_PUT: note that an upgrade was applied
-- parameters: number, name, applied_at
INSERT INTO schema_version (number, name, applied_at) VALUES (%lld, %s, %lld)

-- STMT_DATABASE_SETTINGS: what the database says about durability and waiting, for doctor
-- columns: name, value
SELECT 'journal_mode', CAST(journal_mode AS text) FROM pragma_journal_mode
UNION ALL SELECT 'synchronous', CAST(synchronous AS text) FROM pragma_synchronous
UNION ALL SELECT 'busy_timeout', CAST(timeout AS text) FROM pragma_busy_timeout
UNION ALL SELECT 'query_only', CAST(query_only AS text) FROM pragma_query_only
UNION ALL SELECT 'server_version', sqlite_version()
