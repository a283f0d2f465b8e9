"""The request ids of jobs, for usage statements: `billing` knows jobs, and customers know `x-request-id`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from accounts.identifiers import uuid7_moment
from usage.models import RequestLog

MARGIN = timedelta(minutes=1)
"""Between a request's arrival, which its row in the log says, and its job's admission, which the job's id says."""


def of_jobs(organization_id: UUID, job_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The request that each job was made for; those whose month of the log was dropped are not in it."""
    if not job_ids:
        return {}
    first, last = (uuid7_moment(id) for id in (min(job_ids), max(job_ids)))
    rows = RequestLog.objects.filter(
        organization_id=organization_id,
        created_at__gte=first - MARGIN,
        created_at__lte=last + MARGIN,
        job_id__in=job_ids,
    )
    # Newest first, so that of a job's requests the one that made it stays; the others replayed its answer.
    return {job_id: id for job_id, id in rows.order_by("-id").values_list("job_id", "id") if job_id}
