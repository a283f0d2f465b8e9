"""One batch of 10,000 lines, while its worker is killed again and again.

The worker speaks the lines and moves the batch, so whatever it does dies with it. Afterwards every line has its
result once, costs are exact to the nano-dollar, no money is held, and `ledger verify` is clean. Anything else ends
the benchmark with an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.db import close_old_connections
from openai import OpenAI

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, new_key
from tests.gateway.batching import results, speech_line, start
from tests.live import running_service

LINES = budget.number(10_000, least=40)
KILLS = budget.number(5, least=2)
HALF_A_FRAME = Decimal("0.000015")
SLOTS = 128
"""Of the worker; a batch takes half of them."""
LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 3600
ENVIRONMENT = {"ENGINE": "tests.benchmarks.engines.WordsEngine", **NO_LIMITS}


def words(number: int) -> int:
    return 1 + number % 7


def run() -> None:
    from accounts.models import Organization
    from gateway.models import SpeechBatch

    key = new_key()
    organization_id = Organization.objects.latest("created_at").pk
    lines = [speech_line(number, "word " * words(number)) for number in range(LINES)]
    with (
        TemporaryDirectory() as folder,
        running_service(Path(folder), concurrency=SLOTS, **ENVIRONMENT) as service,
    ):
        client = OpenAI(base_url=f"{service.url}/v1", api_key=key, timeout=120)
        began = time.monotonic()
        batch = start(client, lines)
        row = SpeechBatch.objects.filter(id=UUID(batch.id.removeprefix("batch_")))
        for kill in range(1, KILLS + 1):
            enough = LINES * kill // (KILLS + 1)
            _wait(lambda enough=enough: row.filter(completed__gte=enough).exists())
            service.kill_worker()
            service.start_worker()
            service.wait_until_ready()
        _wait(lambda: row.filter(ended_at__isnull=False).exists())
        seconds = time.monotonic() - began
        batch = client.batches.retrieve(batch.id)
        counts = batch.request_counts
        print(f"{batch.status}: {LINES} lines, {KILLS} kills of the worker, {seconds:.0f} s, {counts}", flush=True)
        _check(organization_id, [] if batch.error_file_id else results(client, batch.output_file_id))
    print("every line once, costs exact, nothing held, drift 0")


def _wait(question: Callable[[], bool]) -> None:
    """Look now and then, and ring meanwhile as the clock does."""
    from gateway.batches import doorbell

    until = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > until:
            raise SystemExit(f"not within {PATIENCE_SECONDS} s")
        doorbell.ring()
        time.sleep(LOOK_SECONDS)


def _check(organization_id: UUID, told: list[dict[str, object]]) -> None:
    """Raises SystemExit: a line is missing, is there twice, or costs something else."""
    from django.db.models import Sum

    from billing import verification
    from billing.models import Account, UsageRecord

    close_old_connections()
    records = UsageRecord.objects.filter(organization=organization_id)
    frames = sum(words(number) for number in range(LINES))
    cost = records.aggregate(all=Sum("cost"))["all"] or Decimal(0)
    found = {
        "results that are not one a line, in order": int(
            [line["custom_id"] for line in told] != [f"line {number}" for number in range(LINES)]
        ),
        "usage records too many or too few": records.count() - LINES,
        "dollars too many or too few": cost - frames * HALF_A_FRAME,
        "dollars held": Account.objects.get(organization=organization_id).held,
        "findings of the ledger's proof": sum(finding.count for finding in verification.verify().findings),
    }
    if any(found.values()):
        raise SystemExit("\n".join(f"{what}: {count}" for what, count in found.items() if count))
