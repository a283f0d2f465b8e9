"""What an answer says of its price, and GET /v1/requests/{id}: timings, cost and error of one call."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.conftest import Customer
from tests.gateway.speaking import body, scripted
from tests.live import Service
from tests.security.services import connect
from usage.models import RequestLog

SECRET = "My PIN is 4711, and nobody else shall ever read it, least of all in a log."


def look(service: Service, customer: Customer, id: str) -> httpx.Response:
    return httpx.get(f"{service.url}/v1/requests/{id}", headers=customer.headers, timeout=30)


def post(
    service: Service, customer: Customer, path: str, request: dict[str, Any], **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{service.url}/v1/{path}", json=request, headers={**customer.headers, **named}, timeout=30)


def test_a_streamed_answers_price_is_found_by_its_id(service: Service, customer: Customer) -> None:
    answer = post(
        service, customer, "audio/speech", {"model": "tts-1", "input": "Hello.", "response_format": "pcm"}
    )
    logged = look(service, customer, answer.headers["x-request-id"]).json()
    samples = len(answer.content) // 2
    assert logged["id"] == answer.headers["x-request-id"]
    assert logged["audio_id"] == answer.headers["x-audio-id"]
    assert logged["audio_seconds"] == samples / 24_000
    assert Decimal(logged["cost_usd"]) == Decimal(samples // 24) * Decimal("0.00000075")
    assert (logged["route"], logged["status"], logged["error"]) == ("/v1/audio/speech", 200, None)
    assert (logged["voice"], logged["format"], logged["characters"]) == ("alloy", "pcm", 6)
    assert logged["timings"]["total_ms"] >= logged["timings"]["synthesis_ms"] >= 0


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("path", ["audio/speech", "chat/completions"])
def test_a_streamed_answer_ends_with_its_price(
    service: Service, customer: Customer, path: str, close: bool
) -> None:
    request = {"model": "tts-1", "input": "."} if path == "audio/speech" else body(".", stream=True)
    content = json.dumps(request).encode()
    head = (
        f"POST /v1/{path} HTTP/1.1\r\nhost: x\r\nauthorization: {customer.headers['authorization']}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        f"{'connection: close' if close else 'x-nothing: 1'}\r\n\r\n"
    )
    with connect(service) as connection:
        connection.sendall(head.encode() + content)
        answer = b""
        while not answer.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in answer:
            answer += connection.recv(65_536)
        assert b"trailer: x-audio-seconds, x-cost-usd\r\n" in answer
        assert answer.endswith(b"\r\n0\r\nx-audio-seconds: 0.08\r\nx-cost-usd: 0.000060000\r\n\r\n")
        if close:
            assert connection.recv(1) == b""
        else:  # the connection goes on
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_whole_answer_has_its_price_in_its_headers(service: Service, customer: Customer) -> None:
    answer = post(service, customer, "chat/completions", scripted(25))
    assert answer.headers["x-audio-seconds"] == "1.00"
    assert answer.headers["x-cost-usd"] == answer.json()["usage"]["cost_usd"] == "0.000750000"


@pytest.mark.parametrize("path", ["audio/speech", "chat/completions"])
def test_a_repeat_has_it_too_and_costs_nothing(service: Service, customer: Customer, path: str) -> None:
    request = {"model": "tts-1", "input": "."} if path == "audio/speech" else body(".", stream=True)
    first, again = (post(service, customer, path, request, idempotency_key="k") for _ in range(2))
    assert "x-cost-usd" not in first.headers
    assert (again.headers["x-audio-seconds"], again.headers["x-cost-usd"]) == ("0.08", "0.000000000")
    assert look(service, customer, again.headers["x-request-id"]).json()["cost_usd"] == "0.000000000"


def test_an_error_is_kept_with_its_words_and_its_member(service: Service, customer: Customer) -> None:
    answer = post(service, customer, "audio/speech", {"model": "tts-1", "input": "Hi.", "voice": "hal"})
    error = look(service, customer, answer.headers["x-request-id"]).json()["error"]
    assert error == {name: answer.json()["error"][name] for name in ("code", "message", "param")}
    unknown = httpx.get(f"{service.url}/v1/usage?begin=1", headers=customer.headers)
    assert look(service, customer, unknown.headers["x-request-id"]).json()["error"]["param"] == "begin"


@pytest.mark.parametrize(
    "members",
    [{"voice": SECRET}, {"model": SECRET}, {"response_format": SECRET}, {SECRET + "x" * 200: 1}, {"a\0b": 1}],
)
def test_the_log_holds_no_text_that_an_error_quotes(
    service: Service, customer: Customer, members: dict[str, Any]
) -> None:
    request = {"model": "tts-1", "input": "Hi.", **members}
    answer = post(service, customer, "audio/speech", request)
    logged = look(service, customer, answer.headers["x-request-id"]).json()
    assert logged["error"]["code"] == answer.json()["error"]["code"]
    row = RequestLog.objects.get(id=logged["id"].removeprefix("req_"))
    assert SECRET[:50] not in row.error_message
    assert len(row.error_param) <= 100


def test_what_is_no_request_is_not_found(service: Service, customer: Customer) -> None:
    for id in ("req_0", "nothing", "req_" + "0" * 32):
        answer = look(service, customer, id)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "request_not_found")
