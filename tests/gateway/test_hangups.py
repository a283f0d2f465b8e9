"""Clients that hang up: the job ends, what was generated is billed, nothing stays behind."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest
import redis

from billing import verification
from billing.models import Account, Reservation, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import body, scripted
from tests.live import Service, wait_for
from usage.models import RequestLog

FRAME_COST = Decimal("0.00003")
PCM16 = {"voice": "alloy", "format": "pcm16"}


def job_of(customer: Customer) -> SynthesisJob:
    return SynthesisJob.objects.get(organization=customer.organization)


def ended(customer: Customer) -> SynthesisJob:
    return wait_for(
        lambda: SynthesisJob.objects.filter(organization=customer.organization, finished_at__isnull=False).first(),
        what="the job ends",
    )  # type: ignore[return-value]


def logged(customer: Customer) -> RequestLog:
    return wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())  # type: ignore[return-value]


@contextmanager
def asked(service: Service, customer: Customer, request: dict[str, Any]) -> Iterator[socket.socket]:
    """The connection of a request that was sent and whose answer nobody has read."""
    content = json.dumps(request).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {customer.headers['authorization']}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(head.encode() + content)
        yield connection


def hear_and_go(service: Service, customer: Customer, request: dict[str, Any], chunks: int) -> None:
    """Listen to so many pieces of audio, then close the connection."""
    with httpx.stream(
        "POST",
        f"{service.url}/v1/chat/completions",
        json={**request, "stream": True},
        headers=customer.headers,
        timeout=30,
    ) as answer:
        heard = 0
        for line in answer.iter_lines():
            if re.search('"data": ?"[^"]', line):  # the transcript's delta has no audio in it
                heard += 1
            if heard >= chunks:
                return


@pytest.mark.parametrize("chunks", [1, 5])
def test_a_listener_who_leaves_pays_what_was_generated(service: Service, customer: Customer, chunks: int) -> None:
    hear_and_go(service, customer, scripted(500, pace=0.04, audio=PCM16, max_completion_tokens=500), chunks)
    job = ended(customer)
    frames = job.samples // 960
    assert job.state == "cancelled"
    assert chunks <= frames < 100, "the engine was stopped long before the end"
    record = UsageRecord.objects.get(organization=customer.organization)
    assert (record.samples, record.cost) == (job.samples, frames * FRAME_COST)
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - record.cost, 0)
    row = logged(customer)
    assert (row.status, row.error_code, row.samples, row.cost) == (499, "client_closed", job.samples, record.cost)
    assert verification.verify().clean


@pytest.mark.parametrize("stream", [True, False])
def test_who_leaves_before_any_audio_pays_nothing(
    service: Service, customer: Customer, broker: redis.Redis, stream: bool
) -> None:
    """Not streamed, too: the connection is watched while nothing is sent."""
    request = {**scripted(100, pace=60, audio=PCM16), "stream": stream}
    with asked(service, customer, request):
        wait_for(
            lambda: SynthesisJob.objects.filter(organization=customer.organization, state="running").exists(),
            what="it is spoken",
        )
    job = ended(customer)
    assert (job.state, job.samples) == ("cancelled", 0)
    assert not UsageRecord.objects.filter(organization=customer.organization).exists()
    assert Account.objects.get(organization=customer.organization).held == 0
    assert logged(customer).error_code == "client_closed"


def test_a_queued_job_goes_with_its_listener(
    service: Service, new_customer: Callable[..., Customer], customer: Customer
) -> None:
    """Eight jobs keep the worker's threads; the ninth waits in the queue."""
    others = new_customer()
    jobs = SynthesisJob.objects.filter(organization=others.organization)
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(asked(service, others, scripted(1000, pace=0.05, audio=PCM16)))
        wait_for(lambda: jobs.filter(state="running").count() == 8, what="all threads are busy")
        with asked(service, customer, body("Hi.")):
            wait_for(lambda: SynthesisJob.objects.filter(organization=customer.organization).exists())
        job = ended(customer)
    assert (job.state, job.attempt) == ("cancelled", 0)
    wait_for(lambda: not jobs.filter(finished_at__isnull=True).exists(), what="the others end, too")


def test_delete_cancels_a_running_completion(service: Service, customer: Customer) -> None:
    url = f"{service.url}/v1/chat/completions"
    with httpx.stream(
        "POST", url, json=scripted(500, pace=0.04, audio=PCM16, stream=True), headers=customer.headers, timeout=30
    ) as answer:
        events = answer.iter_lines()
        first = json.loads(next(events).removeprefix("data: "))
        gone = httpx.delete(f"{url}/{first['id']}", headers=customer.headers)
        assert gone.json() == {"id": first["id"], "object": "chat.completion.deleted", "deleted": True}
        [error] = [json.loads(line.removeprefix("data: ")) for line in events if '"error"' in line]
        assert error["error"]["code"] == "cancelled"
    job = job_of(customer)
    assert job.state == "cancelled"
    assert UsageRecord.objects.get(organization=customer.organization).samples == job.samples


def test_delete_of_a_spoken_completion_deletes_its_audio(service: Service, customer: Customer) -> None:
    url = f"{service.url}/v1/chat/completions"
    spoken = httpx.post(url, json=body("Hi."), headers=customer.headers, timeout=30).json()
    assert httpx.delete(f"{url}/{spoken['id']}", headers=customer.headers).status_code == 200
    audio_id = spoken["choices"][0]["message"]["audio"]["id"]
    gone = httpx.get(f"{service.url}/v1/audio/{audio_id}", headers=customer.headers)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "audio_expired")


def test_nobody_cancels_anothers(
    service: Service, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    url = f"{service.url}/v1/chat/completions"
    spoken = httpx.post(url, json=body("Hi."), headers=customer.headers, timeout=30).json()
    for name in (spoken["id"], "chatcmpl-unknown", "chatcmpl-" + "0" * 32):
        answer = httpx.delete(f"{url}/{name}", headers=new_customer().headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "completion_not_found")


def test_a_slow_reader_slows_nobody_and_loses_nothing(service: Service, customer: Customer) -> None:
    """It reads a little at a time; meanwhile its job ends and others are served."""
    request = scripted(2500, audio=PCM16, stream=True, max_completion_tokens=2500)
    with asked(service, customer, request) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(5):
            assert connection.recv(1)
        ended(customer)
        other = httpx.post(
            f"{service.url}/v1/chat/completions", json=body("Hi."), headers=customer.headers, timeout=30
        )
        assert other.status_code == 200
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        rest = b""
        while b"data: [DONE]" not in rest[-100:]:
            rest += connection.recv(1 << 20)
    assert rest.count(b'"data"') >= 100
    spoken = sum(len(part.split(b'"')[0]) for part in rest.split(b'"data":"')[1:])
    assert spoken * 3 // 4 == pytest.approx(2500 * 1920, abs=3 * rest.count(b'"data"'))


def test_hundreds_of_hangups_leave_nothing(
    service: Service, new_customer: Callable[..., Customer], broker: redis.Redis
) -> None:
    customer = new_customer("100.00")
    request = scripted(200, pace=0.02, audio=PCM16, stream=True, max_completion_tokens=200)
    before = connections_of(service)

    async def one(client: httpx.AsyncClient, number: int) -> None:
        try:
            async with client.stream(
                "POST", "/v1/chat/completions", json=request, headers=customer.headers
            ) as answer:
                heard = 0
                async for line in answer.aiter_lines():
                    heard += '"data"' in line
                    if heard >= number % 3:
                        return
        except httpx.HTTPError:
            pass

    async def run() -> None:
        gate = asyncio.Semaphore(64)
        async with httpx.AsyncClient(
            base_url=service.url, timeout=2, limits=httpx.Limits(max_connections=64)
        ) as c:

            async def gated(number: int) -> None:
                async with gate:
                    await one(c, number)

            await asyncio.gather(*map(gated, range(300)))

    asyncio.run(run())
    jobs = SynthesisJob.objects.filter(organization=customer.organization)
    wait_for(lambda: not jobs.filter(finished_at__isnull=True).exists(), what="every job ends")
    account = Account.objects.get(organization=customer.organization)
    assert account.held == 0
    assert not Reservation.objects.filter(organization=customer.organization, state="pending").exists()
    limits = [f"limit:{scope}:{id.hex}:jobs" for scope, id in
              (("key", customer.key.id), ("organization", customer.organization.id))]  # fmt: skip
    wait_for(lambda: not broker.exists(*limits), what="every slot is free")
    wait_for(lambda: connections_of(service) <= before + 2, what="every connection is closed")
    assert verification.verify().clean
    for job in jobs.values_list("id", flat=True)[:20]:
        assert broker.ttl(f"spoken:{job.hex}") != -1, "a stream that stays for ever"


def connections_of(service: Service) -> int:
    """Sockets that the gateway holds to its clients."""
    import psutil

    assert service.gateway
    time.sleep(0.05)
    open_now = psutil.Process(service.gateway.pid).net_connections("tcp")
    return sum(each.laddr.port == service.port and each.status == "ESTABLISHED" for each in open_now)
