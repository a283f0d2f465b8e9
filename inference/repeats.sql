-- The number under which a request's key is locked: of its idempotency key, or, without one, of what it asks for. Two
-- keys that have the same number wait for each other, and no more.
CREATE OR REPLACE FUNCTION inference_repeat_lock(
    organization_id uuid, api_key_id uuid, idempotency_key text, fingerprint uuid
) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtext(CASE
        WHEN idempotency_key <> '' THEN organization_id::text || idempotency_key
        ELSE api_key_id::text || fingerprint::text
    END)
$$;

-- Finds the earlier jobs that requests repeat, and joins them; see inference/repeats.py.
--
-- jobs     A JSON array of objects with id, organization_id, api_key_id, idempotency_key ('' is none), fingerprint and
--          retried (whether the client counts this as a retry). Other members are ignored.
-- patient  Whether to wait for keys and jobs that another transaction has locked. If not, their requests are `busy`,
--          and the function waits for no lock, so that it cannot deadlock.
--
-- Returns a row for each request that is not to have a job of its own now: its id, its outcome and the earlier job.
--   joined  It waits for the earlier job.
--   reused  Its key stands for another request.
--   busy    Its key or its job is locked (only if not patient), or another request of the array is about to have a
--           job under its key. It is to be asked again.
--
-- A key is locked until the end of the transaction, so that between this look and the insertion of a job under the key
-- nobody else does the same. The locks are taken in a fixed order: keys, then jobs, each in the order of their ids.
CREATE OR REPLACE FUNCTION inference_join_repeats(jobs json, patient boolean)
RETURNS TABLE (id uuid, outcome text, earlier uuid) LANGUAGE plpgsql AS $$
DECLARE
    -- Numbers of the keys that may be looked up, and that jobs of the array are to be made under.
    locked int[];
    taken int[] := '{}';
    request record;
BEGIN
    IF NOT EXISTS (
        SELECT FROM json_to_recordset(jobs) AS asked (idempotency_key text, retried boolean)
        WHERE idempotency_key <> '' OR retried
    ) THEN
        RETURN;
    END IF;

    SELECT array_agg(key) INTO locked
    FROM (
        SELECT DISTINCT inference_repeat_lock(organization_id, api_key_id, idempotency_key, fingerprint) AS key
        FROM json_to_recordset(jobs)
            AS asked (organization_id uuid, api_key_id uuid, idempotency_key text, fingerprint uuid, retried boolean)
        WHERE idempotency_key <> '' OR retried
        ORDER BY key
    ) AS wanted
    WHERE CASE
        WHEN patient THEN pg_advisory_xact_lock(hashtext('inference.repeats'), key) IS NOT NULL
        ELSE pg_try_advisory_xact_lock(hashtext('inference.repeats'), key)
    END;

    FOR request IN
        WITH asked AS MATERIALIZED (
            SELECT *, inference_repeat_lock(organization_id, api_key_id, idempotency_key, fingerprint) AS key
            FROM ROWS FROM (json_to_recordset(jobs) AS (
                id uuid, organization_id uuid, api_key_id uuid, idempotency_key text, fingerprint uuid, retried boolean
            )) WITH ORDINALITY
                AS asked (id, organization_id, api_key_id, idempotency_key, fingerprint, retried, position)
            WHERE idempotency_key <> '' OR retried
        )
        SELECT asked.*, found.id AS found_id, found.fingerprint AS found_fingerprint,
            -- It left nothing to answer with, so that the request is a new one. A key stands for its job for 24 hours.
            found.state IN ('failed', 'cancelled', 'expired') OR found.cancel_requested_at IS NOT NULL
                OR found.created_at < now() - INTERVAL '24 hours' AS void
        FROM asked LEFT JOIN LATERAL (
            -- The organization's job under the key. The last condition is the index's own, without which a prepared
            -- plan, which knows no key, would not use it.
            (SELECT job.id, job.fingerprint, state, cancel_requested_at, created_at FROM inference_synthesisjob job
            WHERE asked.idempotency_key <> '' AND job.organization_id = asked.organization_id
                AND job.idempotency_key = asked.idempotency_key AND job.idempotency_key <> '')
            UNION ALL
            -- The last job of the same request by the same API key, while it may be the try that a retry follows.
            (SELECT job.id, job.fingerprint, state, cancel_requested_at, created_at FROM inference_synthesisjob job
            WHERE asked.idempotency_key = '' AND job.fingerprint = asked.fingerprint
                AND job.api_key_id = asked.api_key_id
                AND (finished_at IS NULL OR finished_at > now() - INTERVAL '1 minute')
            ORDER BY job.created_at DESC LIMIT 1)
        ) AS found ON true
        ORDER BY found.id, position
    LOOP
        id := request.id;
        outcome := NULL;
        earlier := NULL;
        IF request.key = ANY (locked) IS NOT TRUE OR request.key = ANY (taken) THEN
            outcome := 'busy';
        ELSIF request.found_id IS NOT NULL THEN
            IF NOT patient THEN
                PERFORM FROM inference_synthesisjob job WHERE job.id = request.found_id
                FOR NO KEY UPDATE SKIP LOCKED;
                IF NOT FOUND THEN
                    outcome := 'busy';
                END IF;
            END IF;
            -- Purged audio took its fingerprint along: whatever is asked under its key, it is gone.
            IF outcome IS NULL AND NOT request.void AND request.idempotency_key <> ''
                AND request.found_fingerprint <> request.fingerprint
            THEN
                outcome := 'reused';
            ELSIF outcome IS NULL AND NOT request.void THEN
                UPDATE inference_synthesisjob job SET listeners = listeners + 1, relayed_samples = NULL
                WHERE job.id = request.found_id AND (
                    state = 'succeeded' OR state IN ('queued', 'running') AND cancel_requested_at IS NULL
                );
                IF FOUND THEN
                    outcome := 'joined';
                    earlier := request.found_id;
                END IF;
            END IF;
        END IF;
        IF outcome IS NOT NULL THEN
            RETURN NEXT;
        ELSE
            taken := taken || request.key;
            -- The key of a void job goes to the new one.
            IF request.idempotency_key <> '' AND request.found_id IS NOT NULL THEN
                UPDATE inference_synthesisjob job SET idempotency_key = '' WHERE job.id = request.found_id;
            END IF;
        END IF;
    END LOOP;
END $$;
