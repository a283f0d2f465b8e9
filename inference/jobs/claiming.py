"""How a worker takes jobs: in fair order, and as many in one statement as it has slots free."""

from __future__ import annotations

from uuid import UUID

from accounts import prepared
from inference.models import SynthesisJob

_COLUMNS = ", ".join(f"job.{field.column}" for field in SynthesisJob._meta.concrete_fields)
_CLAIM = f"""
WITH RECURSIVE waiting AS (
    (SELECT organization_id FROM inference_synthesisjob WHERE state = 'queued' ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT organization_id FROM inference_synthesisjob
        WHERE state = 'queued' AND organization_id > waiting.organization_id ORDER BY organization_id LIMIT 1
    )
    FROM waiting WHERE organization_id IS NOT NULL
), lane AS MATERIALIZED (
    SELECT organization_id, tier.name AS tier, tier.weight, running, greatest(asked_at, served_at) AS since,
        min((running + 1) / weight) OVER (PARTITION BY organization_id) AS first_turn
    FROM waiting,
        LATERAL (
            SELECT
                (SELECT count(*) FROM inference_synthesisjob
                 WHERE state = 'running' AND organization_id = waiting.organization_id) AS running,
                (SELECT max(started_at) FROM inference_synthesisjob
                 WHERE organization_id = waiting.organization_id) AS served_at
        ) AS share,
        (VALUES ('priority', 4.0), ('default', 1.0), ('flex', 0.25)) AS tier (name, weight),
        LATERAL (
            SELECT min(created_at) AS asked_at FROM inference_synthesisjob
            WHERE state = 'queued' AND organization_id = waiting.organization_id AND service_tier = tier.name
                AND cancel_requested_at IS NULL AND deadline_at > now()
        ) AS oldest
    WHERE organization_id IS NOT NULL AND asked_at IS NOT NULL
), candidate AS MATERIALIZED (
    SELECT job.id, weight, running, since,
        row_number() OVER (PARTITION BY organization_id ORDER BY weight DESC, job.created_at) AS place
    FROM (
        SELECT *, dense_rank() OVER (ORDER BY first_turn, organization_since, organization_id) AS position
        FROM (SELECT *, min(since) OVER (PARTITION BY organization_id) AS organization_since FROM lane) AS lane
    ) AS lane, LATERAL (
        SELECT id, created_at FROM inference_synthesisjob
        WHERE state = 'queued' AND organization_id = lane.organization_id AND service_tier = lane.tier
            AND cancel_requested_at IS NULL AND deadline_at > now()
        ORDER BY created_at LIMIT %(candidates)s
    ) AS job
    WHERE position <= %(candidates)s
        AND EXISTS (SELECT FROM inference_worker WHERE id = %(worker)s AND lease_expires_at > now())
), chosen AS MATERIALIZED (
    SELECT job.id
    FROM (
        SELECT id, row_number() OVER (ORDER BY (running + place) / weight, place > 1, since) AS turn
        FROM candidate ORDER BY turn LIMIT %(candidates)s
    ) AS candidate, LATERAL (
        SELECT id FROM inference_synthesisjob
        WHERE id = candidate.id AND state = 'queued' AND cancel_requested_at IS NULL
        FOR UPDATE SKIP LOCKED
    ) AS job
    ORDER BY turn LIMIT %(limit)s
)
UPDATE inference_synthesisjob job
SET state = 'running', attempt = attempt + 1, started_at = now(), worker_id = %(worker)s
WHERE id = ANY (ARRAY(SELECT id FROM chosen))
RETURNING {_COLUMNS}
"""  # noqa: S608 - our own column names
"""Candidates are ranked without a lock, then locked in the order of their turns until there are enough.

`waiting` steps from organization to organization, so a long queue of one costs what a short one does. Only as many
organizations as there are candidates can have one, so only their jobs are read. There are more candidates than
slots, because claims that run at once rank the same jobs: what another one has locked is skipped.
"""
CANDIDATES_PER_SLOT = 3
"""How many jobs a claim ranks for each free slot: enough for three workers that claim at the same moment."""


def claim(*, worker: UUID, limit: int) -> list[SynthesisJob]:
    """Take up to `limit` jobs, those whose turn it is, for a worker whose lease has not lapsed.

    The turn is that of the organization with the fewest running jobs, divided by the weight of the service tier
    of its next job: an organization that asks for `priority` gets four times the share of one that asks for
    `default`, which gets four times the share of `flex`. Jobs taken by the same claim count as running. Ties go to
    the organization that has waited longest since it asked or was last served. An organization's own jobs go by
    tier, and within a tier first come, first served.
    """
    with prepared.cursor() as cursor:  # to plan it takes several times as long as to run it
        cursor.execute(_CLAIM, _parameters(worker, limit))
        return prepared.fetch(cursor, SynthesisJob)


def _parameters(worker: UUID, limit: int) -> dict[str, object]:
    return {"worker": worker, "limit": limit, "candidates": limit * CANDIDATES_PER_SLOT}
