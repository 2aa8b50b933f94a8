-- SPDX-License-Identifier: Apache-2.0
--
-- Every statement of a registrar and EST server; tools/sql2c makes the C table of them. The rules
-- are those of schema/queries.sql: parameters are %s and %lld and are given as text, so SQLite
-- compares them as text unless a column or a CAST stands on the other side; a percent sign is
-- doubled and never in quotes. The condition of a partial index stands in a statement word for word.

-- ---- pledges ----

-- STMT_EST_PLEDGE_GET: one device
-- parameters: tenant, manufacturer, serial_number
-- columns: manufacturer, serial_number, version, welcome, welcome_by, attested, first_seen_at,
--   last_seen_at, request, voucher_at, voucher_status, voucher_status_at, voucher_reason,
--   enroll_status, enroll_status_at, enroll_reason, verdict, verdict_at, verdict_rule,
--   verdict_text, idevid_spki, idevid, voucher_spki
SELECT manufacturer, serial_number, version, welcome, welcome_by, attested, first_seen_at,
       last_seen_at, request, voucher_at, voucher_status, voucher_status_at, voucher_reason,
       enroll_status, enroll_status_at, enroll_reason, verdict, verdict_at, verdict_rule,
       verdict_text, idevid_spki, idevid, voucher_spki
FROM est_pledge WHERE tenant = %s AND manufacturer = %s AND serial_number = %s

-- STMT_EST_PLEDGE_LIST: devices in key order after a key, with all of it
-- parameters: tenant, after: manufacturer, serial_number ('' '' to begin); how many
-- columns: those of STMT_EST_PLEDGE_GET
SELECT manufacturer, serial_number, version, welcome, welcome_by, attested, first_seen_at,
       last_seen_at, request, voucher_at, voucher_status, voucher_status_at, voucher_reason,
       enroll_status, enroll_status_at, enroll_reason, verdict, verdict_at, verdict_rule,
       verdict_text, idevid_spki, idevid, voucher_spki
FROM est_pledge
WHERE tenant = %s AND (manufacturer, serial_number) > (%s, %s)
ORDER BY manufacturer, serial_number
LIMIT CAST(%lld AS bigint)

-- STMT_EST_PLEDGE_SEEN_GET: when a device was noted last, and with which key
-- parameters: tenant, manufacturer, serial_number
-- columns: last_seen_at, idevid_spki
SELECT last_seen_at, idevid_spki
FROM est_pledge WHERE tenant = %s AND manufacturer = %s AND serial_number = %s

-- STMT_EST_PLEDGE_SEEN_PUT: note that a device knocked
-- parameters: tenant, manufacturer, serial_number, first_seen_at, last_seen_at, idevid_spki, idevid
INSERT INTO est_pledge (tenant, manufacturer, serial_number, first_seen_at, last_seen_at,
                        idevid_spki, idevid)
VALUES (%s, %s, %s, %lld, %lld, %s, %s)
ON CONFLICT (tenant, manufacturer, serial_number) DO UPDATE
SET first_seen_at = CASE WHEN est_pledge.first_seen_at = 0 THEN excluded.first_seen_at
                         ELSE est_pledge.first_seen_at END,
    last_seen_at = excluded.last_seen_at, idevid_spki = excluded.idevid_spki,
    idevid = excluded.idevid

-- STMT_EST_PLEDGE_WELCOME: what a human decided about a device, whether it ever came or not
-- parameters: tenant, manufacturer, serial_number, welcome, welcome_by, welcome_at, attested of a
--   new row; attested (-1: leave it), attested
INSERT INTO est_pledge (tenant, manufacturer, serial_number, welcome, welcome_by, welcome_at,
                        attested)
VALUES (%s, %s, %s, %s, %s, %lld, %lld)
ON CONFLICT (tenant, manufacturer, serial_number) DO UPDATE
SET welcome = excluded.welcome, welcome_by = excluded.welcome_by,
    welcome_at = excluded.welcome_at, version = est_pledge.version + 1,
    attested = CASE WHEN CAST(%lld AS bigint) < 0 THEN est_pledge.attested
                    ELSE CAST(%lld AS bigint) END

-- STMT_EST_PLEDGE_VOUCHER: another request's voucher goes to the device
-- parameters: request, tenant, request, voucher_at, verdict, verdict_at; tenant, manufacturer,
--   serial_number, version, request
-- changes: 1, or 0 when something moved or the request is the current one already
UPDATE est_pledge
SET request = %s,
    voucher_spki = COALESCE((SELECT r.idevid_spki FROM est_request r
                             WHERE r.tenant = %s AND r.id = %s), ''),
    voucher_at = %lld, voucher_status = -1, voucher_status_at = 0,
    voucher_reason = NULL, enroll_status = -1, enroll_status_at = 0, enroll_reason = NULL,
    verdict = %s, verdict_at = %lld, verdict_rule = NULL, verdict_text = NULL,
    version = version + 1
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND version = %lld
  AND (request IS NULL OR request <> %s)

-- STMT_EST_PLEDGE_VOUCHER_STATUS: what the device says of its voucher
-- parameters: voucher_status, voucher_status_at, voucher_reason; tenant, manufacturer, serial_number
-- changes: 1, or 0 when it never got one
UPDATE est_pledge
SET voucher_status = %lld, voucher_status_at = %lld, voucher_reason = %s, version = version + 1
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND request IS NOT NULL

-- STMT_EST_PLEDGE_ENROLL_STATUS: what the device says of its enrolment
-- parameters: enroll_status, enroll_status_at, enroll_reason; tenant, manufacturer, serial_number
-- changes: 1, or 0 when it never got a voucher
UPDATE est_pledge
SET enroll_status = %lld, enroll_status_at = %lld, enroll_reason = %s, version = version + 1
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND request IS NOT NULL

-- STMT_EST_PLEDGE_VERDICT: make a verdict the device's own; follows STMT_EST_PLEDGE_TOUCH
-- parameters: verdict, verdict_at, verdict_rule, verdict_text; tenant, manufacturer, serial_number,
--   request
-- changes: 1, or 0 when the request is not its current one
UPDATE est_pledge
SET verdict = %s, verdict_at = %lld, verdict_rule = %s, verdict_text = %s
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND request = %s

-- STMT_EST_PLEDGE_TOUCH: make decisions that rest on what was before decide again
-- parameters: tenant, manufacturer, serial_number
UPDATE est_pledge SET version = version + 1
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s

-- STMT_EST_VERDICT_PUT: keep a verdict in the history
-- parameters: tenant, manufacturer, serial_number, at, request, verdict, rule, text, log
INSERT INTO est_verdict (tenant, manufacturer, serial_number, at, request, verdict, rule, text, log)
VALUES (%s, %s, %s, %lld, %s, %s, %s, %s, %s)
ON CONFLICT (tenant, manufacturer, serial_number, at, request) DO UPDATE
SET verdict = excluded.verdict, rule = excluded.rule, text = excluded.text, log = excluded.log

-- STMT_EST_VERDICT_TRIM: forget a device's verdicts before the last so many
-- parameters: tenant, manufacturer, serial_number; the same again, how many are kept
DELETE FROM est_verdict
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s
  AND at <= (SELECT v.at FROM est_verdict v
             WHERE v.tenant = %s AND v.manufacturer = %s AND v.serial_number = %s
             ORDER BY v.at DESC LIMIT 1 OFFSET CAST(%lld AS bigint))

-- STMT_EST_VERDICT_LIST: the history of a device's verdicts, newest first
-- parameters: tenant, manufacturer, serial_number
-- columns: request, verdict, rule, text, log, at
SELECT request, verdict, rule, text, log, at FROM est_verdict
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s
ORDER BY at DESC, request DESC

-- ---- voucher-requests and the work on them ----

-- STMT_EST_REQUEST_GET: one request
-- parameters: tenant, id
-- columns: id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
--   next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
--   answered_at, pvr, rvr, voucher
SELECT id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
       next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
       answered_at, pvr, rvr, voucher
FROM est_request WHERE tenant = %s AND id = %s

-- STMT_EST_REQUEST_COUNT: how many requests of a device are newer than a time
-- parameters: tenant, manufacturer, serial_number, since
-- columns: how many
SELECT count(*) FROM est_request
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND created_at > %lld

-- STMT_EST_REQUEST_PUT: keep a new request, leased to who will work on it
-- parameters: tenant, id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url,
--   created_at, next_at, lease_by, lease_until, pvr, rvr
-- changes: 1, or 0 when it is there
INSERT INTO est_request (
    tenant, id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at,
    next_at, lease_by, lease_until, pvr, rvr, task)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %lld, %lld, %s, %lld, %s, %s, 'voucher')
ON CONFLICT DO NOTHING

-- STMT_EST_REQUEST_TAKE: lease the oldest work that is due and that nobody holds
-- parameters: lease_by, lease_until; tenant, tenant, now, now
-- columns: those of STMT_EST_REQUEST_GET
UPDATE est_request SET lease_by = %s, lease_until = %lld, woken_at = 0
WHERE tenant = %s AND id = (
    SELECT r.id FROM est_request r
    WHERE r.tenant = %s AND r.task <> 'none' AND r.next_at <= %lld AND r.lease_until <= %lld
    ORDER BY r.next_at LIMIT 1)
RETURNING id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
       next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
       answered_at, pvr, rvr, voucher

-- STMT_EST_REQUEST_DONE: write back what was done, and end the lease
-- parameters: task, next_at, next_at, attempts, number, status, text, detail, voucher,
--   voucher_type, answered_at; tenant, id, lease_by, lease_until
-- changes: 1, or 0 when the lease was lost
UPDATE est_request
SET task = %s,
    next_at = CASE WHEN woken_at > 0 AND woken_at < CAST(%lld AS bigint) THEN woken_at
                   ELSE CAST(%lld AS bigint) END,
    attempts = %lld, number = %lld, status = %lld, text = %s, detail = %s, voucher = %s,
    voucher_type = %s, answered_at = %lld, lease_by = NULL, lease_until = 0, woken_at = 0
WHERE tenant = %s AND id = %s AND lease_by = %s AND lease_until = %lld

-- STMT_EST_REQUEST_RELEASE: let others have what somebody holds and will not work on
-- parameters: tenant, now, lease_by, now
UPDATE est_request SET lease_by = NULL, lease_until = 0
WHERE tenant = %s AND task <> 'none' AND next_at <= %lld AND lease_by = %s AND lease_until > %lld

-- STMT_EST_REQUEST_WAKE_DEVICE: let a device's waiting work be due now; what is being worked on is
--   looked at once more
-- parameters: now, now, now; tenant, manufacturer, serial_number, now
UPDATE est_request
SET woken_at = CASE WHEN lease_until > %lld THEN CAST(%lld AS bigint) ELSE 0 END, next_at = %lld
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND task <> 'none'
  AND (task IN ('human', 'telemetry') OR lease_until > %lld)

-- STMT_EST_REQUEST_WAKE_WORKED: what is being worked on of a manufacturer's devices is looked at once
--   more; found by what is due, which is less than what there is
-- parameters: now; tenant, now, now, manufacturer
UPDATE est_request SET woken_at = %lld
WHERE tenant = %s AND task <> 'none' AND next_at <= %lld AND lease_until > %lld
  AND task <> 'human' AND manufacturer || '' = %s

-- STMT_EST_REQUEST_WAKE_PARKED: let what waits for a human be due now, of all devices of a
--   manufacturer; follows STMT_EST_REQUEST_WAKE_WORKED
-- parameters: now, now, now; tenant, manufacturer
UPDATE est_request
SET woken_at = CASE WHEN lease_until > %lld THEN CAST(%lld AS bigint) ELSE 0 END, next_at = %lld
WHERE tenant = %s AND manufacturer = %s AND task = 'human'

-- STMT_EST_REQUEST_OPEN: work, what is due first standing first
-- parameters: tenant, task twice ('' any), how many
-- columns: those of STMT_EST_REQUEST_GET; pvr, rvr and voucher are NULL
SELECT id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
       next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
       answered_at, NULL, NULL, NULL
FROM est_request
WHERE tenant = %s AND task <> 'none' AND (%s = '' OR task = %s)
ORDER BY next_at
LIMIT CAST(%lld AS bigint)

-- STMT_EST_REQUEST_OLD: what is done, the newest first
-- parameters: tenant, how many
-- columns: those of STMT_EST_REQUEST_OPEN
SELECT id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
       next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
       answered_at, NULL, NULL, NULL
FROM est_request
WHERE tenant = %s AND task = 'none'
ORDER BY created_at DESC
LIMIT CAST(%lld AS bigint)

-- STMT_EST_REQUEST_DEVICE: all of a device, the newest first
-- parameters: tenant, manufacturer, serial_number, how many
-- columns: those of STMT_EST_REQUEST_OPEN
SELECT id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
       next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
       answered_at, NULL, NULL, NULL
FROM est_request
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s
ORDER BY created_at DESC
LIMIT CAST(%lld AS bigint)

-- STMT_EST_REQUEST_JUDGE: have the log of a device that joined looked at now; one that is joining is
--   judged as such
-- parameters: next_at; tenant, id, now
-- changes: 1, or 0 when there is no voucher or somebody works on it
UPDATE est_request
SET task = CASE task WHEN 'none' THEN 'recheck' WHEN 'telemetry' THEN 'audit' ELSE task END,
    next_at = %lld, attempts = 0
WHERE tenant = %s AND id = %s AND voucher IS NOT NULL AND lease_until <= %lld

-- STMT_EST_REQUEST_EXPIRE: remove a number of old answers
-- parameters: tenant, tenant, created before, how many
DELETE FROM est_request WHERE tenant = %s AND id IN (
    SELECT r.id FROM est_request r
    WHERE r.tenant = %s AND r.task = 'none' AND r.created_at < %lld
    ORDER BY r.created_at LIMIT CAST(%lld AS bigint))

-- STMT_EST_WORK_COUNT: how much work there is
-- parameters: tenant
-- columns: task, how many
SELECT task, count(*) FROM est_request
WHERE tenant = %s AND task <> 'none' GROUP BY task

-- STMT_EST_WORK_DUE: the oldest work that is due and that nobody holds
-- parameters: tenant, now, now
-- columns: next_at
SELECT next_at FROM est_request
WHERE tenant = %s AND task <> 'none' AND next_at <= %lld AND lease_until <= %lld
ORDER BY next_at LIMIT 1

-- ---- our own domainIDs ----

-- STMT_EST_DOMAIN_ID_PUT: note a domainID that may be pinned
-- parameters: tenant, domain_id, subject, first_at
INSERT INTO est_domain_id (tenant, domain_id, subject, first_at) VALUES (%s, %s, %s, %lld)
ON CONFLICT DO NOTHING

-- STMT_EST_DOMAIN_ID_LIST: all of them, the oldest first
-- parameters: tenant
-- columns: domain_id, subject, first_at
SELECT domain_id, subject, first_at FROM est_domain_id
WHERE tenant = %s ORDER BY first_at, domain_id

-- ---- certificates ----

-- STMT_EST_CERTIFICATE_PUT: keep a certificate, unless a live one has its request_key
-- parameters: tenant, ca, serial, label, request_key; tenant, request_key; subject, spki,
--   manufacturer, serial_number, username, not_before, not_after, issued_at, der; now, tenant,
--   request_key
-- changes: 1, or 0 when there is a live one
INSERT INTO est_certificate (
    tenant, ca, serial, label, request_key, generation, subject, spki, manufacturer,
    serial_number, username, not_before, not_after, issued_at, der)
SELECT %s, %s, %s, %s, %s,
       COALESCE((SELECT max(g.generation) FROM est_certificate g
                 WHERE g.tenant = %s AND g.request_key = %s), 0) + 1,
       %s, %s, %s, %s, %s, CAST(%lld AS bigint), CAST(%lld AS bigint), CAST(%lld AS bigint), %s
WHERE COALESCE((SELECT CASE WHEN l.revoked_at > 0 OR l.not_after <= %lld THEN 1 ELSE 0 END
                FROM est_certificate l WHERE l.tenant = %s AND l.request_key = %s
                ORDER BY l.generation DESC LIMIT 1), 1) = 1
ON CONFLICT DO NOTHING

-- STMT_EST_CERTIFICATE_PUT_PLEDGE: the same, if the device's row is still as it was read
-- parameters: tenant, ca, serial, label, request_key; tenant, request_key; subject, spki,
--   manufacturer, serial_number, username, not_before, not_after, issued_at, der; tenant,
--   manufacturer, serial_number, version of the pledge; now, tenant, request_key
-- changes: 1, or 0 when something moved or there is a live one
INSERT INTO est_certificate (
    tenant, ca, serial, label, request_key, generation, subject, spki, manufacturer,
    serial_number, username, not_before, not_after, issued_at, der)
SELECT %s, %s, %s, %s, %s,
       COALESCE((SELECT max(g.generation) FROM est_certificate g
                 WHERE g.tenant = %s AND g.request_key = %s), 0) + 1,
       %s, %s, %s, %s, %s, CAST(%lld AS bigint), CAST(%lld AS bigint), CAST(%lld AS bigint), %s
FROM est_pledge p
WHERE p.tenant = %s AND p.manufacturer = %s AND p.serial_number = %s AND p.version = %lld
  AND COALESCE((SELECT CASE WHEN l.revoked_at > 0 OR l.not_after <= %lld THEN 1 ELSE 0 END
                FROM est_certificate l WHERE l.tenant = %s AND l.request_key = %s
                ORDER BY l.generation DESC LIMIT 1), 1) = 1
ON CONFLICT DO NOTHING

-- STMT_EST_CERTIFICATE_SAME: the last certificate of a request_key, alive or not
-- parameters: tenant, request_key
-- columns: ca, serial, label, request_key, subject, spki, manufacturer, serial_number, username,
--   not_before, not_after, issued_at, revoked_at, reason, der
SELECT ca, serial, label, request_key, subject, spki, manufacturer, serial_number, username,
       not_before, not_after, issued_at, revoked_at, reason, der
FROM est_certificate
WHERE tenant = %s AND request_key = %s ORDER BY generation DESC LIMIT 1

-- STMT_EST_CERTIFICATE_GET: one certificate
-- parameters: tenant, ca, serial
-- columns: those of STMT_EST_CERTIFICATE_SAME
SELECT ca, serial, label, request_key, subject, spki, manufacturer, serial_number, username,
       not_before, not_after, issued_at, revoked_at, reason, der
FROM est_certificate WHERE tenant = %s AND ca = %s AND serial = %s

-- STMT_EST_CERTIFICATE_LIST: certificates in key order after a key
-- parameters: tenant, after: ca, serial ('' '' to begin); manufacturer twice ('' any); how many
-- columns: those of STMT_EST_CERTIFICATE_SAME
SELECT ca, serial, label, request_key, subject, spki, manufacturer, serial_number, username,
       not_before, not_after, issued_at, revoked_at, reason, der
FROM est_certificate
WHERE tenant = %s AND (ca, serial) > (%s, %s) AND (%s = '' OR manufacturer = %s)
ORDER BY ca, serial
LIMIT CAST(%lld AS bigint)

-- STMT_EST_CERTIFICATE_LIST_DEVICE: those of one device in key order after a key
-- parameters: tenant, manufacturer, serial_number, after: ca, serial; how many
-- columns: those of STMT_EST_CERTIFICATE_SAME
SELECT ca, serial, label, request_key, subject, spki, manufacturer, serial_number, username,
       not_before, not_after, issued_at, revoked_at, reason, der
FROM est_certificate
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND (ca, serial) > (%s, %s)
ORDER BY ca, serial
LIMIT CAST(%lld AS bigint)

-- STMT_EST_CERTIFICATE_SUMS: what a device has had: how many since a time; one of a key that was
--   revoked
-- parameters: since, spki; tenant, manufacturer, serial_number
-- columns: how many, serial or ''
SELECT count(CASE WHEN issued_at > %lld THEN 1 END),
       max(CASE WHEN revoked_at > 0 AND spki = %s THEN serial ELSE '' END)
FROM est_certificate
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s

-- STMT_EST_CERTIFICATE_REVOKE: revoke one
-- parameters: revoked_at, reason; tenant, ca, serial
-- changes: 1, or 0 when it is not there or revoked already
UPDATE est_certificate SET revoked_at = %lld, reason = %lld
WHERE tenant = %s AND ca = %s AND serial = %s AND revoked_at = 0

-- STMT_EST_CERTIFICATE_REVOKE_DEVICE: revoke all live ones of a device
-- parameters: revoked_at, reason; tenant, manufacturer, serial_number, now
UPDATE est_certificate SET revoked_at = %lld, reason = %lld
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND revoked_at = 0
  AND not_after > %lld

-- STMT_EST_CA_REVOKED: count a revocation of a CA
-- parameters: tenant, ca, now
INSERT INTO est_ca (tenant, ca, revocations, newest_at) VALUES (%s, %s, 1, %lld)
ON CONFLICT (tenant, ca) DO UPDATE
SET revocations = est_ca.revocations + 1,
    newest_at = CASE WHEN excluded.newest_at > est_ca.newest_at THEN excluded.newest_at
                     ELSE est_ca.newest_at END

-- STMT_EST_CA_REVOKED_DEVICE: count one for each CA whose certificates a device was just deprived of
-- parameters: now; tenant, manufacturer, serial_number, now
INSERT INTO est_ca (tenant, ca, revocations, newest_at)
SELECT DISTINCT c.tenant, c.ca, 1, CAST(%lld AS bigint)
FROM est_certificate c
WHERE c.tenant = %s AND c.manufacturer = %s AND c.serial_number = %s AND c.revoked_at = %lld
ON CONFLICT (tenant, ca) DO UPDATE
SET revocations = est_ca.revocations + 1,
    newest_at = CASE WHEN excluded.newest_at > est_ca.newest_at THEN excluded.newest_at
                     ELSE est_ca.newest_at END

-- STMT_EST_CERTIFICATE_REVOKED: what belongs on a CRL
-- parameters: tenant, ca, now
-- columns: those of STMT_EST_CERTIFICATE_SAME without der
SELECT ca, serial, label, request_key, subject, spki, manufacturer, serial_number, username,
       not_before, not_after, issued_at, revoked_at, reason
FROM est_certificate
WHERE tenant = %s AND ca = %s AND revoked_at > 0 AND not_after > %lld
ORDER BY not_after, serial

-- STMT_EST_CRL_GET: a CA's last CRL, and what was revoked until now
-- parameters: tenant, ca; tenant, ca
-- columns: kind, then by kind:
--   crl: number, revocations, this_update, next_update, der
--   ca: revocations until now, newest_at
SELECT 'crl', c.number, c.revocations, c.this_update, c.next_update, c.der
FROM est_crl c WHERE c.tenant = %s AND c.ca = %s
UNION ALL
SELECT 'ca', a.revocations, a.newest_at, 0, 0, NULL
FROM est_ca a WHERE a.tenant = %s AND a.ca = %s

-- STMT_EST_CRL_PUT: keep a CA's new CRL instead of the last
-- parameters: tenant, ca, number, this_update, next_update, revocations, der
-- changes: 1, or 0 when one of this number or a later one is there
INSERT INTO est_crl (tenant, ca, number, this_update, next_update, revocations, der)
VALUES (%s, %s, %lld, %lld, %lld, %lld, %s)
ON CONFLICT (tenant, ca) DO UPDATE
SET number = excluded.number, this_update = excluded.this_update,
    next_update = excluded.next_update, revocations = excluded.revocations, der = excluded.der
WHERE est_crl.number < excluded.number

-- ---- enrolments that wait for a human ----

-- STMT_EST_APPROVAL_GET: one
-- parameters: tenant, request_key
-- columns: request_key, label, requester, state, decided_by, created_at, decided_at, csr
SELECT request_key, label, requester, state, decided_by, created_at, decided_at, csr
FROM est_approval WHERE tenant = %s AND request_key = %s

-- STMT_EST_APPROVAL_PUT: keep a new one, unless too many wait, or too many of this requester
-- parameters: tenant, request_key, label, requester, created_at, csr; tenant, how many may wait less
--   one; tenant, requester, how many of his may wait
-- changes: 1, or 0 when it is there or too many wait
INSERT INTO est_approval (tenant, request_key, label, requester, created_at, csr, state)
SELECT %s, %s, %s, %s, CAST(%lld AS bigint), %s, 'waiting'
WHERE NOT EXISTS (SELECT 1 FROM est_approval a WHERE a.tenant = %s AND a.state = 'waiting'
                  ORDER BY a.created_at LIMIT 1 OFFSET CAST(%lld AS bigint))
  AND (SELECT count(*) FROM est_approval o
       WHERE o.tenant = %s AND o.state = 'waiting' AND o.requester = %s) < CAST(%lld AS bigint)
ON CONFLICT DO NOTHING

-- STMT_EST_APPROVAL_DECIDE: what a human decided
-- parameters: state, decided_by, decided_at; tenant, request_key
-- changes: 1, or 0 when there is no such request
UPDATE est_approval SET state = %s, decided_by = %s, decided_at = %lld
WHERE tenant = %s AND request_key = %s

-- STMT_EST_APPROVAL_LIST: all in a state, the oldest first
-- parameters: tenant, state
-- columns: those of STMT_EST_APPROVAL_GET
SELECT request_key, label, requester, state, decided_by, created_at, decided_at, csr
FROM est_approval WHERE tenant = %s AND state = %s ORDER BY created_at

-- ---- trust on first use ----

-- STMT_EST_FIRST_USE_GET: one anchor that was shown
-- parameters: tenant, manufacturer, purpose, spki
-- columns: manufacturer, purpose, spki, host, state, decided_by, first_seen_at, decided_at, chain
SELECT manufacturer, purpose, spki, host, state, decided_by, first_seen_at, decided_at, chain
FROM est_first_use WHERE tenant = %s AND manufacturer = %s AND purpose = %s AND spki = %s

-- STMT_EST_FIRST_USE_PUT: keep a new one, unless too many of this manufacturer wait
-- parameters: tenant, manufacturer, purpose, spki, host, first_seen_at, chain; tenant,
--   manufacturer, how many may wait
-- changes: 1, or 0 when it is there or too many wait
INSERT INTO est_first_use (tenant, manufacturer, purpose, spki, host, first_seen_at, chain, state)
SELECT %s, %s, %s, %s, %s, CAST(%lld AS bigint), %s, 'waiting'
WHERE (SELECT count(*) FROM est_first_use u
       WHERE u.tenant = %s AND u.manufacturer = %s AND u.state = 'waiting') < CAST(%lld AS bigint)
ON CONFLICT DO NOTHING

-- STMT_EST_FIRST_USE_LIST: all of a tenant
-- parameters: tenant
-- columns: those of STMT_EST_FIRST_USE_GET
SELECT manufacturer, purpose, spki, host, state, decided_by, first_seen_at, decided_at, chain
FROM est_first_use WHERE tenant = %s ORDER BY manufacturer, purpose, spki

-- STMT_EST_FIRST_USE_LIST_OF: all of a manufacturer
-- parameters: tenant, manufacturer
-- columns: those of STMT_EST_FIRST_USE_GET
SELECT manufacturer, purpose, spki, host, state, decided_by, first_seen_at, decided_at, chain
FROM est_first_use WHERE tenant = %s AND manufacturer = %s ORDER BY manufacturer, purpose, spki

-- STMT_EST_FIRST_USE_DECIDE: what a human decided
-- parameters: state, decided_by, decided_at; tenant, manufacturer, purpose, spki
-- changes: 1, or 0 when there is no such anchor
UPDATE est_first_use SET state = %s, decided_by = %s, decided_at = %lld
WHERE tenant = %s AND manufacturer = %s AND purpose = %s AND spki = %s

-- ---- what a human may want to know ----

-- STMT_EST_NOTE_PUT: keep a note
-- parameters: tenant, at, id, kind, alarm, manufacturer, serial_number, text, request_id, address
INSERT INTO est_note (tenant, at, id, kind, alarm, manufacturer, serial_number, text, request_id,
                      address)
VALUES (%s, %lld, %s, %s, %lld, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- STMT_EST_NOTE_LIST: the newest
-- parameters: tenant, how many
-- columns: at, id, kind, alarm, manufacturer, serial_number, text, request_id, address
SELECT at, id, kind, alarm, manufacturer, serial_number, text, request_id, address
FROM est_note WHERE tenant = %s
ORDER BY at DESC, id DESC LIMIT CAST(%lld AS bigint)

-- STMT_EST_NOTE_ALARMS: the newest alarms
-- parameters: tenant, how many
-- columns: those of STMT_EST_NOTE_LIST
SELECT at, id, kind, alarm, manufacturer, serial_number, text, request_id, address
FROM est_note WHERE tenant = %s AND alarm = 1
ORDER BY at DESC, id DESC LIMIT CAST(%lld AS bigint)

-- STMT_EST_NOTE_DEVICE: the newest of one device
-- parameters: tenant, manufacturer, serial_number, alarms only, how many
-- columns: those of STMT_EST_NOTE_LIST
SELECT at, id, kind, alarm, manufacturer, serial_number, text, request_id, address
FROM est_note
WHERE tenant = %s AND manufacturer = %s AND serial_number = %s AND alarm >= %lld
ORDER BY at DESC, id DESC LIMIT CAST(%lld AS bigint)

-- STMT_EST_NOTE_EXPIRE: remove a number of old ones
-- parameters: tenant, tenant, before, how many
DELETE FROM est_note WHERE tenant = %s AND at <= (
    SELECT max(o.at) FROM (
        SELECT n.at FROM est_note n
        WHERE n.tenant = %s AND n.at < %lld
        ORDER BY n.at LIMIT CAST(%lld AS bigint)) o)

-- ---- nodes ----

-- STMT_EST_SNAPSHOT_PUT: publish a server's configuration
-- parameters: tenant, node, hash, published_at, json
INSERT INTO est_node_snapshot (tenant, node, hash, published_at, json)
VALUES (%s, %s, %s, %lld, %s)
ON CONFLICT (tenant, node) DO UPDATE
SET hash = excluded.hash, published_at = excluded.published_at, json = excluded.json

-- STMT_EST_SNAPSHOT_LIST: every server
-- parameters: tenant
-- columns: node, hash, json, published_at
SELECT node, hash, json, published_at FROM est_node_snapshot WHERE tenant = %s ORDER BY node

-- STMT_EST_SNAPSHOT_DELETE: forget a server that is gone
-- parameters: tenant, node
DELETE FROM est_node_snapshot WHERE tenant = %s AND node = %s

-- ---- for pages ----

-- STMT_EST_PLEDGE_COUNT: how many devices are how, among the first so many by key
-- parameters: tenant, how many
-- columns: welcome, verdict, how many
SELECT v.welcome, v.verdict, count(*)
FROM (SELECT welcome, verdict FROM est_pledge
      WHERE tenant = %s ORDER BY manufacturer, serial_number LIMIT CAST(%lld AS bigint)) v
GROUP BY v.welcome, v.verdict

-- STMT_EST_CERTIFICATE_COUNT: how many certificates are how, among the first so many by key
-- parameters: now, tenant, how many
-- columns: state (live, expired, revoked), how many
SELECT v.state, count(*)
FROM (SELECT CASE WHEN revoked_at > 0 THEN 'revoked' WHEN not_after < %lld THEN 'expired'
                  ELSE 'live' END AS state
      FROM est_certificate
      WHERE tenant = %s ORDER BY ca, serial LIMIT CAST(%lld AS bigint)) v
GROUP BY v.state

-- ---- the schema and the database ----

-- STMT_EST_SCHEMA_VERSION_GET: the last upgrade that was applied
-- columns: number, name, applied_at; no row: none
SELECT number, name, applied_at FROM est_schema_version ORDER BY number DESC LIMIT 1

-- STMT_EST_SCHEMA_VERSION_PUT: note that an upgrade was applied
-- parameters: number, name, applied_at
INSERT INTO est_schema_version (number, name, applied_at) VALUES (%lld, %s, %lld)

-- STMT_EST_DATABASE_SETTINGS: what the database says about durability and waiting, for doctor
-- columns: name, value
SELECT 'journal_mode', CAST(journal_mode AS text) FROM pragma_journal_mode
UNION ALL SELECT 'synchronous', CAST(synchronous AS text) FROM pragma_synchronous
UNION ALL SELECT 'busy_timeout', CAST(timeout AS text) FROM pragma_busy_timeout
UNION ALL SELECT 'query_only', CAST(query_only AS text) FROM pragma_query_only
UNION ALL SELECT 'server_version', sqlite_version()
