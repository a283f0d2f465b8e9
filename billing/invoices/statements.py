"""A usage statement: every request of a span of time, with all that its price follows from.

Rows are read as they are written out, so that a statement of any length takes the same memory.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import islice
from uuid import UUID

from django.db import transaction

from accounts.models import Organization
from accounts.ports import Port
from billing import plain
from billing.models import UsageRecord
from billing.models.usage import SAMPLES_PER_FRAME, SAMPLES_PER_MS

BATCH = 2_000

request_ids = Port[[UUID, Collection[UUID]], dict[UUID, UUID]]("knows the requests of jobs")
"""By job: the request that it was made for, where the log still has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A request: `samples` / `sample_rate` = `duration_ms` / 1,000, x `dollars_per_minute` / 60 = `cost`."""

    billed_at: datetime
    request_id: UUID | None
    """What its answer said as `x-request-id`; None once the request log of its month is gone."""
    job_id: UUID
    api_key_id: UUID
    model: str
    voice: str
    frames: int
    samples: int
    sample_rate: int
    duration_ms: int
    dollars_per_minute: Decimal
    cost: Decimal


def items(*, organization: Organization, start: datetime, end: datetime) -> Iterator[Item]:
    """The requests billed from `start` up to, and without, `end`, in the order in which they were billed."""
    records = UsageRecord.objects.filter(
        organization=organization, created_at__gte=start, created_at__lt=end
    ).order_by("created_at", "job_id")
    with transaction.atomic():  # whose cursor reads on at the server, in one view of the books
        for batch in _in_batches(records.iterator(chunk_size=BATCH)):
            known = request_ids(organization.pk, [record.job_id for record in batch])
            for record in batch:
                yield _item(record, known.get(record.job_id))


def as_csv(*, organization: Organization, start: datetime, end: datetime) -> Generator[str]:
    """The statement as CSV, line by line."""
    writer = csv.writer(_Echo())
    yield writer.writerow([field.name for field in fields(Item)])
    for item in items(organization=organization, start=start, end=end):
        yield writer.writerow([plain.as_text(getattr(item, field.name)) for field in fields(Item)])


def as_json_lines(*, organization: Organization, start: datetime, end: datetime) -> Iterator[str]:
    """The statement as JSON, one object a line."""
    for item in items(organization=organization, start=start, end=end):
        yield plain.as_json(item) + "\n"


class _Echo:
    """A file whose `write` returns its argument."""

    def write(self, text: str) -> str:
        return text


def _in_batches(records: Iterator[UsageRecord]) -> Iterator[Collection[UsageRecord]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def _item(record: UsageRecord, request_id: UUID | None) -> Item:
    return Item(
        billed_at=record.created_at,
        request_id=request_id,
        job_id=record.job_id,
        api_key_id=record.api_key_id,
        model=record.model,
        voice=record.voice,
        frames=-(-record.samples // SAMPLES_PER_FRAME),
        samples=record.samples,
        sample_rate=SAMPLES_PER_MS * 1000,
        duration_ms=record.duration_ms,
        dollars_per_minute=record.dollars_per_minute,
        cost=record.cost,
    )
