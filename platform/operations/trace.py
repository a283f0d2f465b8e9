"""One job from admission to bill: a timeline, and every row that refers to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Model
from django.urls import reverse

from billing.models import LedgerTransaction, Reservation, UsageRecord
from inference.models import AudioAsset, SynthesisJob
from usage.models import RequestLog
from usage.request_ids import MARGIN

_State = SynthesisJob.State


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    what: str
    since_ms: int
    """Milliseconds from the admission."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of another table that refers to the job, and its page."""

    table: str
    says: str
    address: str


@dataclass(frozen=True, slots=True)
class Trace:
    steps: list[Step] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def of(job: SynthesisJob) -> Trace:
    """The job's trace, in a fixed number of queries; oldest step first."""
    happened = sorted(_happened(job), key=lambda each: each[0])
    steps = [Step(at, what, round((at - job.created_at) / timedelta(milliseconds=1))) for at, what in happened]
    return Trace(steps, list(_rows(job)))


def _happened(job: SynthesisJob) -> Iterator[tuple[datetime, str]]:
    yield job.created_at, "admitted, its cost held"
    for lost in job.lost_attempts.all():
        yield lost.started_at, f"attempt {lost.attempt} began"
        yield lost.lost_at, f"attempt {lost.attempt} was lost: {lost.get_cause_display()}"
    if job.state == _State.QUEUED:
        yield job.enqueued_at, "waits since then"
    elif job.started_at:
        yield job.started_at, f"attempt {job.attempt} began"
        if job.first_audio_ms is not None:
            yield job.started_at + timedelta(milliseconds=job.first_audio_ms), "first audio"
    if job.cancel_requested_at:
        yield job.cancel_requested_at, "cancelled; the worker is to notice"
    if job.finished_at:
        yield job.finished_at, f"{job.state} {job.finish_reason or job.error_code}".strip()
    if asset := AudioAsset.objects.filter(job=job).first():
        if asset.purged_at:
            yield asset.purged_at, "its audio was deleted"
        else:
            yield asset.expires_at, "its audio is to be deleted"


def _rows(job: SynthesisJob) -> Iterator[Row]:
    for hold in Reservation.objects.filter(job_id=job.pk):
        yield _row("Hold", hold, f"${hold.amount} {hold.state}")
    for record in UsageRecord.objects.filter(job_id=job.pk):
        yield _row("Usage", record, f"{record.duration_ms} ms at ${record.dollars_per_minute} = ${record.cost}")
    for movement in LedgerTransaction.objects.filter(pk=job.pk):
        yield _row("Ledger", movement, str(movement))
    for request in RequestLog.objects.filter(
        organization_id=job.organization_id,
        created_at__gte=job.created_at - MARGIN,
        created_at__lte=(job.finished_at or job.deadline_at) + MARGIN,
        job_id=job.pk,
    ).order_by("id"):
        yield _row("Request", request, f"req_{request.pk.hex} {request.status} after {request.total_ms} ms")


def _row(table: str, row: Model, says: str) -> Row:
    meta = row._meta
    return Row(table, says, reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,)))
