"""Nobody gets audio for nothing: a job is billed for what was delivered of it, whatever its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone

from billing import verification
from billing.models import Account, UsageRecord
from gateway.speech.settlement import RELAYED_AUDIO_IS_BILLED
from inference.engines.protocol import Chunk
from inference.models import SynthesisJob, Worker
from inference.recording import Recording
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for
from usage.models import RequestLog

FRAME_COST = Decimal("0.00003")
PCM16 = {"voice": "alloy", "format": "pcm16"}


class Listener:
    """A client that streams a completion in a thread of its own and keeps what it got."""

    def __init__(self, service: Service, customer: Customer, request: dict[str, Any]) -> None:
        self.pieces = 0
        self.error: dict[str, Any] | None = None
        self.finish_reason: str | None = None
        self._ask = (service.url, {**request, "stream": True, "stream_options": {"include_usage": True}}, customer)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        url, request, customer = self._ask
        with httpx.stream(
            "POST", f"{url}/v1/chat/completions", json=request, headers=customer.headers, timeout=60
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    self._take(json.loads(line.removeprefix("data: ")))

    def _take(self, event: dict[str, Any]) -> None:
        if "error" in event:
            self.error = event
        for choice in event.get("choices", ()):
            self.pieces += bool(choice["delta"].get("audio", {}).get("data"))
            self.finish_reason = choice["finish_reason"] or self.finish_reason


@contextmanager
def listening(service: Service, customer: Customer, request: dict[str, Any]) -> Iterator[tuple[Listener, Any]]:
    """A listener that has heard something, and its job."""
    listener = Listener(service, customer, request)
    wait_for(lambda: listener.pieces > 0, what="audio comes")
    yield listener, SynthesisJob.objects.get(organization=customer.organization)
    listener.join()


def frames_billed(customer: Customer) -> int:
    """Of the one job; the account and the ledger must agree."""
    record = UsageRecord.objects.get(organization=customer.organization)
    assert record.cost == record.samples // 960 * FRAME_COST
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - record.cost, 0)
    assert verification.verify().clean
    return record.samples // 960


def test_the_deadline_does_not_end_what_is_heard(service: Service, customer: Customer) -> None:
    """A stream that takes longer than the deadline used to end there, free of charge."""
    with listening(service, customer, scripted(150, pace=0.03, audio=PCM16)) as (listener, job):
        SynthesisJob.objects.filter(id=job.id).update(deadline_at=timezone.now() + timedelta(seconds=2))
    assert (listener.error, listener.finish_reason, listener.pieces) == (None, "stop", 150)
    assert frames_billed(customer) == 150


def test_what_stalls_after_audio_is_cut_there_and_billed(service: Service, customer: Customer) -> None:
    with listening(service, customer, scripted(50, audio=PCM16, script={"stall": 20})) as (listener, job):
        wait_for(lambda: listener.pieces == 20)
        wait_for(lambda: SynthesisJob.objects.get(id=job.id).published_samples == 20 * 960, what="a heartbeat")
        SynthesisJob.objects.filter(id=job.id).update(deadline_at=timezone.now())
    assert listener.error is not None
    assert listener.error["error"]["code"] == "timeout"
    assert Decimal(listener.error["usage"]["cost_usd"]) == 20 * FRAME_COST
    assert frames_billed(customer) == 20


def test_an_engine_that_breaks_after_audio(service: Service, customer: Customer) -> None:
    with listening(service, customer, scripted(20, audio=PCM16, script={"break": 7, "always": True})) as (
        heard,
        _,
    ):
        pass
    assert heard.error is not None
    assert "what was delivered costs $0.000210000" in heard.error["error"]["message"]
    assert heard.pieces == frames_billed(customer) == 7


def test_nothing_is_billed_of_an_answer_that_never_left(service: Service, customer: Customer) -> None:
    """Not streamed: whatever the engine made before it broke, the client got none of it."""
    request = scripted(20, script={"break": 7, "always": True})
    answer = httpx.post(f"{service.url}/v1/chat/completions", json=request, headers=customer.headers, timeout=30)
    assert answer.status_code == 500
    assert "it costs nothing" in answer.json()["error"]["message"]
    assert not UsageRecord.objects.filter(organization=customer.organization).exists()
    assert Account.objects.get(organization=customer.organization).held == 0


def test_workers_that_are_all_lost(service: Service, customer: Customer) -> None:
    """Three times kill -9 ends a job; what its listener was handed meanwhile is billed."""
    with listening(service, customer, scripted(500, pace=0.05, audio=PCM16)) as (listener, job):
        for attempt in (1, 2, 3):
            wait_for(
                lambda attempt=attempt: SynthesisJob.objects.filter(
                    id=job.id, state="running", attempt=attempt, published_samples__gt=0
                ).exists(),
            )
            service.kill_worker()
            service.start_worker()
    assert listener.error is not None
    assert listener.error["error"]["code"] == "worker_lost"
    assert 0 < listener.pieces <= frames_billed(customer)


def test_a_hang_up_is_billed_to_what_was_handed_to_the_connection(service: Service, customer: Customer) -> None:
    """Though the engine is far ahead, and though the same client might have come again."""
    request = {**scripted(20_000, pace=0.002, audio=PCM16, max_completion_tokens=20_000), "stream": True}
    with httpx.stream(
        "POST",
        f"{service.url}/v1/chat/completions",
        json=request,
        headers={**customer.headers, "x-stainless-retry-count": "0"},
        timeout=30,
    ) as answer:
        lines = answer.iter_lines()
        while '"data"' not in next(lines):
            pass
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert job.published_samples > job.samples, "the engine went on until it heard of it"
    assert (row.status, row.relayed_samples, row.cost) == (499, job.samples, frames_billed(customer) * FRAME_COST)


def test_a_cancel_reaches_the_worker_at_once(service: Service, customer: Customer) -> None:
    """By a message: its heartbeat, which would tell it within a second, waits for the row that it renews."""
    request = scripted(500, pace=0.04, audio=PCM16)
    with listening(service, customer, request) as (_, job), transaction.atomic():
        worker = SynthesisJob.objects.get(id=job.id).worker_id
        Worker.objects.select_for_update().get(id=worker)
        httpx.delete(f"{service.url}/v1/chat/completions/chatcmpl-{job.id.hex}", headers=customer.headers)
        ended = wait_for(lambda: SynthesisJob.objects.filter(id=job.id, finished_at__isnull=False).first())
    assert ended.state == SynthesisJob.State.CANCELLED
    assert frames_billed(customer) == ended.samples // 960


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_fast_speech_is_no_cheaper(service: Service, customer: Customer, speed: float) -> None:
    """Generated at one speed and sold at another: the longer of the two is billed."""
    script = json.dumps({"frames": 100})
    request = {
        "model": "tts-1", "voice": "alloy", "input": "A long tone, for all that is said here at length.",
        "instructions": f"script: {script}", "speed": speed, "response_format": "pcm", "stream_format": "sse",
    }  # fmt: skip
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers, timeout=30)
    usage = json.loads(answer.text.strip().splitlines()[-1].removeprefix("data: "))["usage"]
    frames = 100 if speed > 1 else round(100 / speed)
    assert frames_billed(customer) == pytest.approx(frames, rel=0.03)
    assert usage["output_tokens"] == frames_billed(customer)


def test_the_books_show_audio_that_was_relayed_and_not_billed(service: Service, customer: Customer) -> None:
    with listening(service, customer, scripted(10, audio=PCM16)) as (_, job):
        pass
    wait_for(lambda: RequestLog.objects.filter(job_id=job.id).exists())
    with transaction.atomic():
        RequestLog.objects.create(
            id=job.id, created_at=timezone.now(), organization_id=customer.organization.id, job_id=job.id,
            method="POST", route="/v1/audio/speech", status=200, total_ms=1, relayed_samples=11 * 960,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(RELAYED_AUDIO_IS_BILLED.offenders, {"since": UUID(int=0)})
            assert cursor.fetchall() == [(f"job {job.id}", FRAME_COST)]
        transaction.set_rollback(True)


class _Unheard:
    """A channel that nobody listens to."""

    def audio(self, data: bytes, codes: Any = (), *, frames: int = 0) -> None:
        self.frames = frames


def test_an_engine_that_goes_on_beyond_the_cap_costs_no_more() -> None:
    """Money is held for the cap: what an engine makes beyond it is cut, and must not be metered either."""
    channel: Any = _Unheard()
    recording = Recording(channel, format="pcm", speed=1, max_frames=10, cover=lambda frames: frames)
    for _ in range(4):
        recording.add(Chunk(np.zeros(5 * 960, np.float32), 5))
    assert (recording.frames, recording.metered, recording.cut, channel.frames) == (10, 10, True, 10)
