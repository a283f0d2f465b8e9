"""Three gateways and four workers on one database, while one part after the other is killed.

Each client repeats its request under one idempotency key, at any gateway, until it has its audio. Speed is not the
question: afterwards every request has been answered with all of its audio and billed once, no money is held, and
`ledger verify` is clean. Anything else ends the benchmark with an error.
"""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import httpx
from django.db import close_old_connections

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, TEXT, new_key
from tests.live import Service, wait_for

GATEWAYS = budget.number(3)
WORKERS = budget.number(4, least=2)
CLIENTS = budget.number(24, least=4)
SECONDS = budget.seconds(60.0)
KILLS = budget.number(20, least=2)
"""Spread over the seconds; a part is started again at once, which takes longer."""
SPOKEN_SECONDS = 1
SAMPLES = SPOKEN_SECONDS * 24_000
WAV_HEAD_BYTES = 44
PATIENCE_SECONDS = 120
ENVIRONMENT = {
    "ENGINE": "tests.benchmarks.engines.PacedEngine",
    "BENCH_SECONDS": str(SPOKEN_SECONDS),
    "BENCH_CHUNK_SECONDS": "0.2",
    "BENCH_MARKS": "/dev/null",
    "DATABASE_POOL_SIZE": "4",  # PostgreSQL as it comes takes a hundred connections
    **NO_LIMITS,
}


def run() -> None:
    from accounts.models import Organization

    key = new_key()
    organization = Organization.objects.latest("created_at")
    with TemporaryDirectory() as folder, ExitStack() as stack:
        services = []
        for number in range(max(GATEWAYS, WORKERS)):
            (part := Path(folder) / str(number)).mkdir()
            services.append(Service(part, concurrency=8, **ENVIRONMENT))
            stack.callback(services[-1].stop)
        for service in services[:WORKERS]:
            service.start_worker()
        for service in services[:GATEWAYS]:
            service.start_gateway()
        services[0].wait_until_ready()
        killed, answers = _under_fire(services, key)
        _settled(organization.pk)
    _check(organization.pk, answers)
    print(
        f"{GATEWAYS} gateways, {WORKERS} workers, {len(answers)} requests in {SECONDS:.0f} s; killed:"
        f" {killed['gateway']} gateways, {killed['worker']} workers; nothing lost, nothing double, drift 0"
    )


def _under_fire(services: Sequence[Service], key: str) -> tuple[Counter[str], list[str]]:
    """Kill parts while the clients ask; which, and the idempotency keys of the requests, all of them answered."""
    enough = threading.Event()
    urls = [service.url for service in services[:GATEWAYS]]
    with ThreadPoolExecutor(CLIENTS) as clients:
        asking = [clients.submit(_client, urls, key, enough) for _ in range(CLIENTS)]
        try:
            killed = _kill(services)
        finally:
            enough.set()
        return killed, [answered for client in asking for answered in client.result()]


def _kill(services: Sequence[Service]) -> Counter[str]:
    """End parts one after the other, most without a goodbye, and start each again."""
    chance = random.Random(0)
    killed: Counter[str] = Counter()
    until = time.monotonic() + SECONDS
    for number in range(KILLS):
        time.sleep(SECONDS / KILLS * chance.random())
        part = "gateway" if number % 3 == 2 else "worker"
        service = chance.choice(services[: GATEWAYS if part == "gateway" else WORKERS])
        process = service.gateway if part == "gateway" else service.worker
        assert process
        process.send_signal(signal.SIGTERM if chance.random() < 0.2 else signal.SIGKILL)
        process.wait(30)
        start: Callable[[], None] = service.start_gateway if part == "gateway" else service.start_worker
        start()
        killed[part] += 1
        if time.monotonic() > until:
            break
    return killed


def _client(urls: Sequence[str], key: str, enough: threading.Event) -> list[str]:
    """Ask until it is enough; the idempotency keys of the requests."""
    asked = []
    chance = random.Random()
    body = json.dumps(
        {
            "model": "boson/higgs-audio-v2.5",
            "modalities": ["text", "audio"],
            "audio": {"voice": "alloy", "format": "wav"},
            "messages": [{"role": "user", "content": TEXT}],
            "max_completion_tokens": 2 * SPOKEN_SECONDS * 25,
        }
    )
    while not enough.is_set() or not asked:
        asked.append(uuid4().hex)
        headers = {
            "authorization": f"Bearer {key}",
            "idempotency-key": asked[-1],
            "content-type": "application/json",
        }
        _ask_until_answered(urls, body, headers, chance)
    return asked


def _ask_until_answered(urls: Sequence[str], body: str, headers: dict[str, str], chance: random.Random) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    what = ""
    while time.monotonic() < until:
        try:
            url = f"{chance.choice(urls)}/v1/chat/completions"
            answer = httpx.post(url, content=body, headers=headers, timeout=30)
            if answer.status_code == 200:
                audio = b64decode(answer.json()["choices"][0]["message"]["audio"]["data"])
                if len(audio) - WAV_HEAD_BYTES != 2 * SAMPLES:
                    raise SystemExit(f"an answer of {len(audio)} bytes is not {SPOKEN_SECONDS} s of audio")
                return
            what = answer.text[:300]
        except httpx.HTTPError as error:  # its gateway was killed
            what = repr(error)
        time.sleep(0.2)
    raise SystemExit(f"not answered within {PATIENCE_SECONDS} s: {what}")


def _settled(organization_id: UUID) -> None:
    """Wait until nothing of the organization runs any more."""
    from inference.models import SynthesisJob

    live = SynthesisJob.objects.filter(organization=organization_id, state__in=["queued", "running"])
    wait_for(lambda: not live.exists(), seconds=PATIENCE_SECONDS, what="all jobs have ended")


def _check(organization_id: UUID, answers: Sequence[str]) -> None:
    """Raises SystemExit: something was lost, or is there twice."""
    from billing import verification
    from billing.models import Account, UsageRecord
    from inference import assets
    from inference.models import AudioAsset, SynthesisJob

    close_old_connections()
    jobs = SynthesisJob.objects.filter(organization=organization_id, state="succeeded")
    spoken = Counter(jobs.values_list("idempotency_key", flat=True))
    records = UsageRecord.objects.filter(organization=organization_id)
    found = {
        "requests without their one job that succeeded": sum(spoken[key] != 1 for key in answers),
        "jobs that succeeded for nobody": len(spoken.keys() - set(answers)),
        "usage records too many or too few": records.count() - len(answers),
        "usage records of another length": records.exclude(samples=SAMPLES).count(),
        "dollars held": Account.objects.get(organization=organization_id).held,
        "assets without their file": sum(
            not assets.store().exists(asset.path) for asset in AudioAsset.objects.filter(job__in=jobs)
        ),
        "findings of the ledger's proof": sum(finding.count for finding in verification.verify().findings),
    }
    if any(found.values()):
        raise SystemExit("\n".join(f"{what}: {count}" for what, count in found.items() if count))
