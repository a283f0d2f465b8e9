"""Parts die in the middle of a batch: each line is spoken and billed once all the same."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

from openai import OpenAI

from billing.models import Account, UsageRecord
from gateway.batches import doorbell, feeding
from gateway.models import BatchLine, SpeechBatch
from inference import presence
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.batching import ended, results, start, tone_line
from tests.live import Service, wait_for

HALF_A_FRAME = Decimal("0.000015")
LINES = 150
KILLS = 2


def test_workers_are_killed_again_and_again(service: Service, client: OpenAI, customer: Customer) -> None:
    """The worker that dies also moves the batches: whatever it does dies with it."""
    batch = start(client, [tone_line(number, 1 + number % 7, pace=0.01) for number in range(LINES)])
    frames = sum(1 + number % 7 for number in range(LINES))
    for kill in range(1, KILLS + 1):
        wait_for(lambda kill=kill: done(batch.id) > kill * 15, what=f"lines before kill {kill}")
        service.kill_worker()
        service.start_worker()
        service.wait_until_ready()
    finished = ended(client, batch, seconds=180)
    assert finished.status == "completed"
    assert finished.request_counts
    assert (finished.request_counts.completed, finished.request_counts.failed) == (LINES, 0)
    lines = results(client, finished.output_file_id)
    assert [line["custom_id"] for line in lines] == [f"line {number}" for number in range(LINES)]
    assert sum(line["response"]["body"]["usage"]["output_tokens"] for line in lines) == frames
    records = UsageRecord.objects.filter(organization=customer.organization)
    assert records.count() == LINES
    assert sum(record.cost for record in records) == frames * HALF_A_FRAME
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - frames * HALF_A_FRAME, 0)


def done(batch_id: str) -> int:
    """How many lines are done. The clock rings after a death, and here it is us."""
    doorbell.ring()
    return SpeechBatch.objects.get(id=batch_id.removeprefix("batch_")).completed


def test_a_part_that_dies_between_the_job_and_its_line_admits_no_second_job(
    service: Service, client: OpenAI, customer: Customer, settings: Any
) -> None:
    settings.DATABASE_URL = service.environment["DATABASE_URL"]
    service.kill_worker()
    try:
        batch = start(client, [tone_line(1, 5)])
        row = SpeechBatch.objects.get(id=batch.id.removeprefix("batch_"))
        line = BatchLine.objects.create(batch=row, number=1, offset=0, length=10_000, custom_id="line 1")
        SpeechBatch.objects.filter(id=row.id).update(state="in_progress", total=1)
        for _ in range(2):  # what it does before it would write that the line runs
            chosen = feeding._choose(1)
            asyncio.run(feeding._admit_all(chosen, presence.voices_of(())))
            assert [each.refusal or each.pause for each in chosen] == [None]
        line.refresh_from_db()
        assert line.state == "waiting"
    finally:
        service.start_worker()
        service.wait_until_ready()
    assert ended(client, batch).status == "completed"
    assert SynthesisJob.objects.get(organization=customer.organization).id == line.job_id
    time.sleep(0.1)
    assert UsageRecord.objects.get(organization=customer.organization).cost == 5 * HALF_A_FRAME
