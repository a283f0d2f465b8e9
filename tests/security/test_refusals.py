"""What a request costs that is refused or cut short: no more than its length and its bill allow."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
import pytest

from accounts.models import ApiKey
from billing import ledger
from gateway.chat_schemas import MAX_MESSAGES, ChatRequest
from gateway.errors import ApiError
from gateway.parsing import parse
from gateway.speech.speech_request import order_from_chat
from inference.speech import script
from inference.speech.voices import VOICES
from tests.conftest import Customer
from tests.cost import cpu_seconds
from tests.gateway.speaking import body, scripted
from tests.live import Service, wait_for
from tests.security.asking import CHAT, SPEECH, post, refusal, system

# --- Mistakes ---


def test_newlines_freeze_nothing(service: Service, customer: Customer) -> None:
    """What froze the gateway for minutes: a megabyte of them is refused at once."""
    speech = {"model": "tts-1", "input": "[SPEAKER0] Hi.", "voice": "alloy", "instructions": "\n" * 500_000}
    began = time.monotonic()
    assert refusal(service, customer, speech, path=SPEECH)[:2] == (400, "instructions")
    assert refusal(service, customer, system("\n" * 250_000))[:2] == (400, "messages[0].content")
    assert time.monotonic() - began < 3


MANY = 100_000
PARTS = "messages[0].content[0].text"
WRONG = {
    "messages of no kind": (body(messages=[7] * MANY), "messages[0]"),
    "messages that are wrong": (body(messages=[{"role": "owl"}] * MAX_MESSAGES), "messages[0].role"),
    "parts": (body(messages=[{"role": "user", "content": [{"type": "text"}] * MANY}]), PARTS),
    "unknown members": ({**body(), **{f"x{n}": 0 for n in range(MANY)}}, None),
    "unknown members within": (body(audio={f"x{n}": 0 for n in range(MANY)}), "audio"),
    "metadata": (body(metadata={f"x{n}": 0 for n in range(MANY)}), "metadata"),
    "voices": (body(audio={"voices": {f"x{n}": 0 for n in range(MANY)}}), "audio.voices"),
    "voices listed": (body(audio={"voices": [0] * MANY}), "audio.voices[0]"),
    "stops": (body(stop=[""] * MANY), "stop"),
    "modalities": (body(modalities=["smell"] * MANY), "modalities[0]"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_request_that_is_wrong_a_hundred_thousand_times_costs_what_one_mistake_does(what: str) -> None:
    wrong, param = WRONG[what]

    def refuse() -> None:
        with pytest.raises(ApiError) as refused:
            parse(ChatRequest, wrong)
        assert (refused.value.status, refused.value.param) == (400, param)

    assert min(cpu_seconds(refuse) for _ in range(3)) < 0.05


# --- The rate, before the body ---


def test_who_is_over_the_rate_is_refused_before_the_body_is_looked_at(
    service: Service, customer: Customer
) -> None:
    ApiKey.objects.filter(id=customer.key.id).update(requests_per_minute=2)
    bad = b"this is no JSON"
    assert [post(service, customer, bad).status_code for _ in range(4)] == [400, 400, 429, 429]
    answer = post(service, customer, bad)
    assert answer.json()["error"]["type"] == "requests"
    assert int(answer.headers["retry-after"]) > 0


def test_a_body_that_never_ends_is_not_waited_for_where_the_rate_is_reached(
    service: Service, customer: Customer
) -> None:
    """The refusal comes before the body has: it was not read."""
    ApiKey.objects.filter(id=customer.key.id).update(requests_per_minute=1)
    assert post(service, customer, b"no JSON").status_code == 400
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {customer.headers['authorization']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 429")


# --- Credit, before the body ---


def test_who_has_no_credit_is_refused_before_the_body_is_read(service: Service, new_customer: Any) -> None:
    poor = new_customer(credit="0")
    bad = b"this is no JSON"
    assert post(service, poor, bad).status_code == 400
    assert refusal(service, poor, body())[2] == "insufficient_quota"
    assert refusal(service, poor, bad)[2] == "insufficient_quota"
    repeated = httpx.post(
        service.url + CHAT,
        content=bad,
        headers={**poor.headers, "content-type": "application/json", "idempotency-key": "again"},
    )
    assert repeated.status_code == 400, "a repetition costs nothing: it is looked at"
    ledger.grant(organization=poor.organization, amount=ledger.Decimal(1), cause="test: at last")
    wait_for(lambda: post(service, poor, body()).status_code == 200, seconds=5)


def test_who_has_too_little_for_one_request_may_make_a_smaller_one(service: Service, new_customer: Any) -> None:
    poor = new_customer(credit="0.00003")
    assert refusal(service, poor, body(max_completion_tokens=2))[2] == "insufficient_quota"
    assert post(service, poor, body(max_completion_tokens=1)).status_code == 200


# --- Work that is not paid for ---


def test_the_work_on_a_text_follows_from_the_frames_that_are_paid() -> None:
    text = ("1,234.5 km/h on 2020-01-01 at 10:30am for $5. " * 100)[:4096]

    def said(max_frames: int) -> str:
        return script.write(text, voice="alloy", voices={}, max_frames=max_frames).transcript

    assert said(22_500) == said(2_000) != said(500)
    assert said(500).startswith(said(1)[:-1])
    assert len(said(1)) < len(said(2_000)) / 8


@pytest.mark.parametrize("unit", ["7", "a", "%", "漢", "7 "])
def test_a_text_without_a_place_to_cut_is_cut(unit: str) -> None:
    whole, cut = (
        len(script.write("Hi " + unit * 4000, voice="alloy", voices={}, max_frames=frames).transcript)
        for frames in (22_500, 1)
    )
    assert cut * 7 < whole


def test_a_text_is_never_cut_before_its_first_word() -> None:
    written = script.write("*" * 4000 + " Hello there.", voice="alloy", voices={}, max_frames=1)
    assert "Hello" in written.transcript


def test_what_is_not_capped_is_spoken_whole() -> None:
    text = ("word " * 900)[:4094].strip() + "."
    order = order_from_chat(parse(ChatRequest, body(text)), VOICES)
    written = script.write(order.text, voice="alloy", voices={}, max_frames=order.max_frames)
    assert written.transcript == text


def test_one_frame_of_a_long_text_is_one_frame(service: Service, customer: Customer) -> None:
    answer = post(service, customer, body("word " * 800, max_completion_tokens=1)).json()
    assert (answer["usage"]["completion_tokens"], answer["usage"]["cost_usd"]) == (1, "0.000030000")
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(answer["choices"][0]["message"]["audio"]["transcript"]) < 500
    short = post(service, customer, scripted(1)).json()
    assert short["choices"][0]["message"]["audio"]["transcript"] == "A tone."
