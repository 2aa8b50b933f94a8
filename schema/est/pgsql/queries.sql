-- SPDX-License-Identifier: Apache-2.0
--
-- What PostgreSQL must be asked differently. Here writers do not wait for each other by
-- themselves, so what is decided on is locked.

-- STMT_EST_REQUEST_TAKE: lease the oldest work that is due and that nobody holds
UPDATE est_request SET lease_by = %s, lease_until = %lld, woken_at = 0
WHERE tenant = %s AND id = (
    SELECT r.id FROM est_request r
    WHERE r.tenant = %s AND r.task <> 'none' AND r.next_at <= %lld AND r.lease_until <= %lld
    ORDER BY r.next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, manufacturer, serial_number, idevid_spki, nonce, accept, masa_url, created_at, task,
       next_at, attempts, lease_by, lease_until, number, status, text, detail, voucher_type,
       answered_at, pvr, rvr, voucher

-- STMT_EST_REQUEST_EXPIRE: remove a number of old answers
-- An array, so that the planner cannot join it with the whole table.
DELETE FROM est_request WHERE tenant = %s AND id = ANY (ARRAY(
    SELECT r.id FROM est_request r
    WHERE r.tenant = %s AND r.task = 'none' AND r.created_at < %lld
    ORDER BY r.created_at LIMIT CAST(%lld AS bigint)))

-- STMT_EST_CERTIFICATE_PUT_PLEDGE: the same, if the device's row is still as it was read
-- The share lock lets who changes the row at this moment go first, or wait until the certificate
-- is there to be revoked.
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
FOR SHARE OF p
ON CONFLICT DO NOTHING

-- STMT_EST_DATABASE_SETTINGS: what the database says about durability and waiting, for doctor
SELECT s.name, current_setting(s.name, true)
FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names',
                  'transaction_read_only', 'statement_timeout', 'server_version']) AS s(name)
