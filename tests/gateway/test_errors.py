"""Every refusal is OpenAI's envelope, names what is wrong, and costs nothing. No client gets a 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from billing.models import Account, Reservation, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import ask, body, scripted, speak
from tests.live import Service, wait_for

CHAT = "/v1/chat/completions"


def post(service: Service, customer: Customer, content: Any, **headers: str) -> httpx.Response:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {**customer.headers, "content-type": "application/json", **headers}
    return httpx.post(service.url + CHAT, content=raw, headers=sent, timeout=60)


def error(answer: httpx.Response) -> dict[str, Any]:
    """The envelope's inside, whole."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    envelope = answer.json()
    assert set(envelope) == {"error"}
    inside: dict[str, Any] = envelope["error"]
    assert set(inside) == {"message", "type", "param", "code"}
    assert isinstance(inside["message"], str)
    return inside


def message(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


BAD = [
    ({"model": "gpt-4o"}, 404, "model", "model_not_found", "boson/higgs-audio-v2.5"),
    ({"model": None}, 400, "model", "missing_required_parameter", "model"),
    ({"model": 5}, 400, "model", "invalid_type", "string"),
    ({"messages": []}, 400, "messages", "invalid_value", "at least 1"),
    ({"messages": "hi"}, 400, "messages", "invalid_type", "list"),
    ({"messages": [{"role": "assistant", "content": "hi"}]}, 400, "messages", "invalid_value", "user message"),
    ({"messages": [{"role": "owl", "content": "hi"}]}, 400, "messages[0].role", "unsupported_value", "'user'"),
    ({"messages": message("")}, 400, "messages[0].content", "nothing_to_speak", "empty"),
    ({"messages": message(" \n\t")}, 400, "messages[0].content", "nothing_to_speak", "empty"),
    ({"messages": message(None)}, 400, "messages[0].content", "nothing_to_speak", "empty"),
    ({"messages": message("a" * 4097)}, 400, "messages[0].content", "string_above_max_length", "4096"),
    ({"messages": message([{"type": "image_url"}])}, 400, "messages[0].content", "unsupported_value", "text"),
    (
        {"messages": message([{"type": "text"}])},
        400,
        "messages[0].content[0].text",
        "missing_required_parameter",
        "",
    ),
    ({"messages": message(7)}, 400, "messages[0].content", "invalid_type", "string"),
    ({"modalities": ["text"]}, 400, "modalities", "unsupported_value", "audio"),
    ({"modalities": ["video"]}, 400, "modalities[0]", "unsupported_value", "'audio'"),
    ({"audio": {"voice": "hal"}}, 400, "audio.voice", "unsupported_value", "alloy, ash, ballad"),
    ({"audio": {"format": "ogg"}}, 400, "audio.format", "unsupported_value", "wav, mp3"),
    ({"audio": {"pitch": 2}}, 400, "audio.pitch", "unknown_parameter", ""),
    ({"audio": "alloy"}, 400, "audio", "invalid_type", ""),
    ({"temperature": 2.1}, 400, "temperature", "invalid_value", "2"),
    ({"temperature": "hot"}, 400, "temperature", "invalid_type", "number"),
    ({"temperature": True}, 400, "temperature", "invalid_type", "number"),
    ({"top_p": -0.1}, 400, "top_p", "invalid_value", "0"),
    ({"top_k": 0}, 400, "top_k", "invalid_value", "1"),
    ({"top_k": 1.5}, 400, "top_k", "invalid_type", "integer"),
    ({"extra_body": {"top_k": 0}}, 400, "top_k", "invalid_value", "1"),
    ({"extra_body": {"beam": 3}}, 400, "beam", "unknown_parameter", ""),
    ({"extra_body": 3}, 400, "extra_body", "unknown_parameter", ""),
    ({"max_completion_tokens": 0}, 400, "max_completion_tokens", "invalid_value", "1"),
    ({"max_tokens": 10**30}, 400, "max_tokens", "invalid_value", "562500"),
    ({"stop": ["a", "b", "c", "d", "e"]}, 400, "stop", "invalid_value", "4"),
    ({"stop": [""]}, 400, "stop[0]", "invalid_value", "1"),
    ({"stop": "Hello"}, 400, "messages[0].content", "nothing_to_speak", "stop"),
    ({"seed": 2**63}, 400, "seed", "invalid_value", ""),
    ({"n": 2}, 400, "n", "unsupported_value", "1"),
    ({"stream": "yes"}, 400, "stream", "invalid_value", "boolean"),
    ({"metadata": {str(i): "" for i in range(17)}}, 400, "metadata", "invalid_value", "16"),
    ({"metadata": {"k": 1}}, 400, "metadata.k", "invalid_type", "string"),
    ({"user": 1}, 400, "user", "invalid_type", "string"),
    ({"temprature": 1}, 400, "temprature", "unknown_parameter", "temprature"),
]


@pytest.mark.parametrize(("members", "status", "param", "code", "said"), BAD)
def test_a_wrong_member_is_named(
    service: Service,
    customer: Customer,
    members: dict[str, Any],
    status: int,
    param: str,
    code: str,
    said: str,
) -> None:
    answer = post(service, customer, body("Hello", **members))
    inside = error(answer)
    assert (answer.status_code, inside["param"], inside["code"]) == (status, param, code), inside
    assert inside["type"] == "invalid_request_error"
    assert said in inside["message"]
    assert not SynthesisJob.objects.filter(organization=customer.organization).exists()


@pytest.mark.parametrize("member", ["model", "messages", "modalities"])
def test_a_missing_member_is_named(service: Service, customer: Customer, member: str) -> None:
    request = body()
    del request[member]
    inside = error(post(service, customer, request))
    assert (inside["param"], inside["code"]) == (member, "missing_required_parameter")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"model": NaN}',
        b'{"temperature": Infinity}',
        b'{"model": "\xff"}',
        b'{"model": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5000,
    ],
    ids=["empty", "cut", "nan", "infinity", "not-utf8", "lone-surrogate", "deep", "deep-object"],
)
def test_what_is_not_json_is_refused(service: Service, customer: Customer, raw: bytes) -> None:
    answer = post(service, customer, raw)
    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"hi"', b"1"])
def test_json_that_is_no_object_is_refused(service: Service, customer: Customer, raw: bytes) -> None:
    answer = post(service, customer, raw)
    assert answer.status_code == 400
    assert "JSON object" in error(answer)["message"]


def test_nul_and_odd_characters_are_spoken_around(service: Service, customer: Customer) -> None:
    answer = post(service, customer, body("Hel\0lo\u202e there\ufeff.", user="\0", metadata={"\0": "\0"}))
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["audio"]["transcript"] == "Hello there."


def test_a_body_over_the_limit_is_refused(service: Service, customer: Customer) -> None:
    answer = post(service, customer, b" " * 1_048_577)
    assert (answer.status_code, error(answer)["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", ""])
def test_another_content_type_is_refused(service: Service, customer: Customer, media_type: str) -> None:
    answer = post(service, customer, body(), **{"content-type": media_type})
    assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("PUT", "/v1/models", 405),
        ("POST", "/v1/audio/audio_0", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/models/gpt-4o", 404),
        ("GET", "/v1/models/boson/higgs-audio-v9", 404),
        ("GET", "/v1/audio/audio_xyz", 404),
        ("GET", "/v1/audio/%00", 404),
        ("DELETE", "/v1/audio/audio_" + "0" * 32, 404),
    ],
)
def test_a_wrong_route_or_method(
    service: Service, customer: Customer, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, service.url + path, headers=customer.headers)
    assert answer.status_code == status
    error(answer)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_api_key"),
        ({"authorization": "Basic abc"}, "missing_api_key"),
        ({"authorization": "Bearer"}, "missing_api_key"),
        ({"authorization": "Bearer sk-nope"}, "invalid_api_key"),
        ({"authorization": "Bearer sk-" + "a" * 16 + "-" + "b" * 43}, "invalid_api_key"),
        ({"authorization": "Bearer sk-" + "a" * 16 + "-" + "'" * 43}, "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/v1/audio/audio_" + "0" * 32])
def test_no_key_no_service(service: Service, path: str, headers: dict[str, str], code: str) -> None:
    method = "POST" if path.endswith("completions") else "GET"
    answer = httpx.request(method, service.url + path, headers=headers, json=None)
    assert (answer.status_code, error(answer)["code"]) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_sdk_raises_its_own_errors(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        speak(client, audio={"voice": "hal"})
    assert refused.value.param == "audio.voice"
    with pytest.raises(openai.NotFoundError):
        ask(client, body(model="tts-9"))


def test_without_credit_the_sdk_is_told_not_to_retry(
    service: Service, new_customer: Callable[..., Customer]
) -> None:
    for credit in ("0", "0.00074"):
        poor = new_customer(credit=credit)
        answer = post(service, poor, scripted(25, max_completion_tokens=25))
        inside = error(answer)
        assert answer.status_code == 429
        assert inside["code"] == inside["type"] == "insufficient_quota"
        assert answer.headers["x-should-retry"] == "false"
        assert not Reservation.objects.filter(organization=poor.organization).exists()
    enough = new_customer(credit="0.00075")
    assert post(service, enough, scripted(25, max_completion_tokens=25)).status_code == 200
    assert Account.objects.get(organization=enough.organization).balance == 0


def test_a_broken_engine_is_a_500_that_costs_nothing_and_quotes_nobody(
    service: Service, client: OpenAI, customer: Customer
) -> None:
    with pytest.raises(openai.InternalServerError) as failed:
        ask(client, scripted(5, script={"fail": 9}))
    assert failed.value.code == "internal_error"
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert (job.state, job.attempt, job.error_code) == ("failed", 3, "engine_error")
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (Decimal(1), Decimal(0))
    assert not UsageRecord.objects.filter(organization=customer.organization).exists()
    assert "secret words" not in service.log("worker")


def test_an_engine_that_recovers_is_a_success_billed_once(client: OpenAI, customer: Customer) -> None:
    completion = ask(client, scripted(5, script={"fail": 2}))
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 5
    assert UsageRecord.objects.get(organization=customer.organization).duration_ms == 200


def test_past_the_deadline_the_answer_is_504_and_nothing_is_charged(service: Service, customer: Customer) -> None:
    answer = post(service, customer, scripted(1000, pace=60, max_completion_tokens=1000))
    assert (answer.status_code, error(answer)["code"]) == (504, "timeout")
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert job.state in ("cancelled", "expired")
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (Decimal(1), Decimal(0))
    wait_for(lambda: str(job.id) in service.log("worker"), what="the worker drops the job")
