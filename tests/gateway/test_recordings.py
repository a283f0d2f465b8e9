"""A recording in a chat request: taken up to 25 MB, checked, and its answer says that it was not cloned."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.conftest import Customer
from tests.gateway.recorded import cloned, tone
from tests.gateway.speaking import body
from tests.live import Service
from tests.security.services import connect

MEBIBYTE = 1_048_576


def post(service: Service, customer: Customer, request: dict[str, Any]) -> httpx.Response:
    url = f"{service.url}/v1/chat/completions"
    return httpx.post(url, json=request, headers=customer.headers, timeout=60)


def test_a_long_recording_is_taken_and_the_answer_says_what_became_of_it(
    service: Service, customer: Customer
) -> None:
    recording = tone(60)
    assert len(recording) > 10 * MEBIBYTE
    answer = post(service, customer, cloned(recording))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-voice-reference"] == "not_supported_by_engine"
    assert answer.json()["usage"]["voice_reference"] == "not_supported_by_engine"
    assert answer.json()["choices"][0]["message"]["audio"]["transcript"] == "Hello."


def test_without_a_recording_nothing_is_said_of_one(service: Service, customer: Customer) -> None:
    answer = post(service, customer, body())
    assert "x-voice-reference" not in answer.headers
    assert "voice_reference" not in answer.json()["usage"]


@pytest.mark.parametrize(
    ("data", "format", "param", "code", "said"),
    [
        (tone(60.5, rate=8000, channels=1), "wav", "data", "invalid_audio", "60 seconds"),
        (b"no audio at all", "wav", "data", "invalid_audio", "read as wav"),
        (b"", "wav", "data", "invalid_audio", "read as wav"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "mp3", "data", "invalid_audio", "read as mp3"),
        (tone(1, step=1e9), "wav", "data", "invalid_audio", "silent"),
        ("***", "wav", "data", "invalid_audio", "base64"),
        (tone(1), "hls", "format", "unsupported_value", "wav, mp3"),
    ],
)
def test_what_can_be_no_voice_is_refused(
    service: Service, customer: Customer, data: bytes | str, format: str, param: str, code: str, said: str
) -> None:
    error = post(service, customer, cloned(data, format)).json()["error"]
    assert (error["param"], error["code"]) == (f"messages[1].content[0].input_audio.{param}", code)
    assert said in error["message"]


def test_recordings_are_few(service: Service, customer: Customer) -> None:
    request = cloned(tone(0.1))
    request["messages"][1]["content"] *= 5
    assert post(service, customer, request).status_code == 400


@pytest.mark.parametrize("hidden", [False, True])
def test_json_beside_the_recordings_stays_within_a_mebibyte(
    service: Service, customer: Customer, hidden: bool
) -> None:
    request = cloned(tone(1)) if hidden else body()
    filler = [{"role": "system", "content": ""}, {"role": "tool", "content": "x" * 250_000}] * 5
    request["messages"] = [*request["messages"][:2], *filler, *request["messages"][2:]]
    answer = post(service, customer, request)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_the_speech_route_takes_no_recording(service: Service, customer: Customer) -> None:
    request = {"model": "tts-1", "input": "Hi.", "input_audio": "x" * MEBIBYTE}
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers)
    assert answer.status_code == 413


def test_a_body_above_twenty_five_megabytes_is_refused(service: Service, customer: Customer) -> None:
    text = json.dumps(cloned("A" * 25_000_000)).encode()
    headers = {**customer.headers, "content-type": "application/json"}
    answer = httpx.post(f"{service.url}/v1/chat/completions", content=text, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_a_repeat_of_the_request_is_known_by_its_recording(service: Service, customer: Customer) -> None:
    headers = {**customer.headers, "idempotency-key": "one"}
    url = f"{service.url}/v1/chat/completions"
    first, again, other = (
        httpx.post(url, json=cloned(tone(seconds)), headers=headers, timeout=60) for seconds in (1, 1, 2)
    )
    assert first.json()["choices"] == again.json()["choices"]
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


def test_slow_senders_keep_nobody_out(
    service: Service, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    request = json.dumps(cloned(tone(20))).encode()
    with ExitStack() as connections:
        for slow in [new_customer() for _ in range(8)]:
            head = (
                "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                f"authorization: Bearer {slow.secret}\r\ncontent-length: {len(request)}\r\n\r\n"
            )
            connection = connections.enter_context(connect(service))
            connection.sendall(head.encode() + request[:-1])
        again = post(service, slow, cloned(tone(20)))
        assert (again.status_code, again.json()["error"]["code"]) == (429, "rate_limit_exceeded"), "it does arrive"
        assert post(service, customer, cloned(tone(20))).status_code == 200
