"""`background: true`: an id at once, the result when it is asked for."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.utils import timezone
from openai import OpenAI

from accounts.identifiers import new_id
from billing.models import Account, UsageRecord
from gateway.models import BackgroundRequest
from gateway.speech import background
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import decode, scripted
from tests.live import Service, wait_for


def speech(frames: int, pace: float = 0, **members: Any) -> dict[str, Any]:
    style = scripted(frames, pace=pace, **members)["messages"][0]["content"]
    return {
        "model": "tts-1",
        "input": "A tone.",
        "instructions": style,
        "response_format": "wav",
        "background": True,
    }


@pytest.fixture
def http(service: Service, customer: Customer) -> httpx.Client:
    return httpx.Client(base_url=f"{service.url}/v1", headers=customer.headers, timeout=30)


def done(http: httpx.Client, path: str) -> httpx.Response:
    def look() -> httpx.Response | None:
        answer = http.get(path)
        return None if answer.status_code == 202 else answer

    found = wait_for(look)
    assert found is not None
    return found


def test_speech_is_asked_for_by_its_id(http: httpx.Client, customer: Customer) -> None:
    accepted = http.post("/audio/speech", json=speech(40, pace=0.02))
    assert accepted.status_code == 202
    told = accepted.json()
    assert (told["object"], told["status"]) == ("audio.speech", "queued")
    waiting = http.get(f"/audio/{told['id']}")
    assert waiting.status_code == 202
    assert waiting.json()["status"] in ("queued", "in_progress")
    assert waiting.headers["retry-after"] == "1"
    audio = done(http, f"/audio/{told['id']}")
    assert audio.status_code == 200
    assert len(decode(audio.content)[0]) == 40 * 960
    assert audio.headers["x-cost-usd"] == "0.001200000"
    assert str(UsageRecord.objects.get(organization=customer.organization).cost) == "0.001200000"


def test_a_chat_completion_is_asked_for_by_its_id(
    http: httpx.Client, service: Service, customer: Customer
) -> None:
    accepted = http.post("/chat/completions", json=scripted(20, pace=0.02, background=True))
    assert accepted.status_code == 202
    completion_id = accepted.json()["id"]
    completion = done(http, f"/chat/completions/{completion_id}").json()
    assert completion["id"] == completion_id
    assert len(decode(base64.b64decode(completion["choices"][0]["message"]["audio"]["data"]))[0]) == 20 * 960
    assert completion["usage"]["cost_usd"] == "0.000600000"
    with OpenAI(base_url=f"{service.url}/v1", api_key=customer.secret) as client:
        assert (
            client.chat.completions.retrieve(completion_id).usage
            == client.chat.completions.retrieve(completion_id).usage
        )


def test_the_same_key_gives_the_same_id(http: httpx.Client, customer: Customer) -> None:
    answers = [
        http.post("/audio/speech", json=speech(10), headers={"idempotency-key": "one"}).json()["id"]
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    done(http, f"/audio/{answers[0]}")
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 1


def test_a_failure_is_told_to_who_asks(http: httpx.Client, customer: Customer) -> None:
    told = http.post("/audio/speech", json=speech(5, script={"fail": 9})).json()
    refused = done(http, f"/audio/{told['id']}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "internal_error")
    assert refused.headers["x-should-retry"] == "false"
    assert Account.objects.get(organization=customer.organization).held == 0


@pytest.mark.parametrize("path", ["/audio/{id}", "/chat/completions/{completion}"])
def test_it_can_be_cancelled(http: httpx.Client, customer: Customer, path: str) -> None:
    told = http.post("/audio/speech", json=speech(400, pace=0.05)).json()
    named = path.format(id=told["id"], completion="chatcmpl-" + told["id"].removeprefix("audio_"))
    assert http.delete(named).json()["deleted"]
    refused = done(http, f"/audio/{told['id']}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "cancelled")
    assert not UsageRecord.objects.filter(organization=customer.organization).exists()


def test_it_is_not_streamed(http: httpx.Client) -> None:
    refused = http.post("/audio/speech", json=speech(1) | {"stream_format": "sse"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "stream_format")
    refused = http.post("/chat/completions", json=scripted(1, background=True, stream=True))
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "stream")


def test_a_stranger_finds_nothing(
    http: httpx.Client, service: Service, new_customer: Callable[..., Customer]
) -> None:
    told = http.post("/audio/speech", json=speech(20, pace=0.02)).json()
    stranger = new_customer()
    for method in ("GET", "DELETE"):
        answer = httpx.request(method, f"{service.url}/v1/audio/{told['id']}", headers=stranger.headers)
        assert answer.status_code == 404
    assert done(http, f"/audio/{told['id']}").status_code == 200


def test_there_is_room_for_a_thousand_however_many_ask_at_once(http: httpx.Client, customer: Customer) -> None:
    organization = customer.organization
    others = [
        BackgroundRequest(job_id=new_id(), organization=organization, kind="audio.speech") for _ in range(998)
    ]
    BackgroundRequest.objects.bulk_create(others)
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: http.post("/audio/speech", json=speech(100, pace=0.05)), range(8)))
        assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 6
        [code] = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 429}
        assert code == "too_many_background_requests"
        assert SynthesisJob.objects.filter(organization=organization).count() == 2
    finally:
        BackgroundRequest.objects.filter(job_id__in=[each.job_id for each in others]).delete()


def test_one_that_is_refused_takes_no_room(service: Service, new_customer: Callable[..., Customer]) -> None:
    poor = new_customer(credit="0.0001")
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=speech(10), headers=poor.headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    assert not BackgroundRequest.objects.filter(organization=poor.organization).exists()


def test_one_whose_job_never_came_to_be_is_forgotten(http: httpx.Client, customer: Customer) -> None:
    """Its gateway died before the admission."""
    lost = BackgroundRequest.objects.create(
        job_id=new_id(),
        organization=customer.organization,
        kind="audio.speech",
        created_at=timezone.now() - background.ADMITTED_WITHIN,
    )
    assert http.get(f"/audio/audio_{lost.job_id.hex}").status_code == 404
    told = http.post("/audio/speech", json=speech(1)).json()
    wait_for(lambda: not BackgroundRequest.objects.filter(job_id=lost.job_id).exists())
    assert done(http, f"/audio/{told['id']}").status_code == 200
