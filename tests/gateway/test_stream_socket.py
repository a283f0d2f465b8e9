"""The socket for speech: text in as it is written, audio and timings out as they come."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from billing.models import Account, UsageRecord
from gateway.speech import stream_sentence
from gateway.speech.stream_context import PAUSE_MS
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.live import Service, wait_for
from usage.models import RequestLog

PATH = "/v1/audio/speech/stream"
TEXT = "Dr. Lee paid $5.20 today. Was it raining? Nobody knows."


@contextmanager
def socket(service: Service, who: Customer | None, query: str = "", **options: Any) -> Iterator[ClientConnection]:
    url = service.url.replace("http", "ws") + PATH + query
    headers = who.headers if who else {}
    with connect(url, additional_headers=headers, **options) as connection:
        yield connection


def say(connection: ClientConnection, **message: Any) -> None:
    connection.send(json.dumps(message))


def hear(connection: ClientConnection, *, until: str = "done", seconds: float = 20) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["type"] != until:
        heard.append(json.loads(connection.recv(timeout=seconds)))
        assert until == "error" or heard[-1]["type"] != "error", heard[-1]
    return heard


def audio(heard: list[dict[str, Any]], context_id: str = "") -> bytes:
    pieces = [each for each in heard if each["type"] == "chunk" and each["context_id"] == context_id]
    return b"".join(base64.b64decode(each["data"]) for each in pieces)


def of(heard: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in heard if each["type"] == kind]


def test_text_comes_in_pieces_and_is_spoken_by_the_sentence(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, voice="alloy")
        for start in range(0, len(TEXT), 4):
            say(connection, text=TEXT[start : start + 4])
        say(connection, text="")
        heard = hear(connection)
    sentences = of(heard, "sentence")
    assert [each["text"] for each in sentences] == [
        "Dr. Lee paid $5.20 today.",
        "Was it raining?",
        "Nobody knows.",
    ]
    records = UsageRecord.objects.filter(organization=customer.organization)
    samples = sum(record.samples for record in records)
    pauses = 2 * PAUSE_MS * 24
    assert len(audio(heard)) == 2 * (samples + pauses)
    usage = heard[-1]["usage"]
    assert Decimal(usage["cost_usd"]) == sum(record.cost for record in records)
    assert usage["output_tokens"] == samples // 960
    account = Account.objects.get(organization=customer.organization)
    assert account.held == 0
    for each in sentences:
        plain = {"model": "tts-1", "voice": "alloy", "input": each["text"], "response_format": "pcm"}
        alone = httpx.post(f"{service.url}/v1/audio/speech", json=plain, headers=customer.headers, timeout=30)
        assert alone.content in audio(heard)
        stored = httpx.get(f"{service.url}/v1/audio/{each['audio_id']}", headers=customer.headers)
        assert stored.content == alone.content
        logged = httpx.get(f"{service.url}/v1/requests/{each['request_id']}", headers=customer.headers).json()
        assert (logged["route"], logged["status"], logged["audio_id"]) == (PATH, 200, each["audio_id"])


def test_the_first_sentence_is_heard_while_the_text_goes_on(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, text="This one is whole. And this")
        heard = hear(connection, until="chunk")
        assert of(heard, "sentence")[0]["text"] == "This one is whole."
        say(connection, text=" is not yet", flush=True)
        assert of(hear(connection, until="flush_done"), "sentence")[-1]["text"] == "And this is not yet"
        say(connection, text="Then the end.", **{"continue": False})
        assert of(hear(connection), "sentence")[-1]["text"] == "Then the end."


def test_words_have_the_contexts_clock_and_offsets(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, timestamps="word", text=TEXT)
        say(connection, text="")
        heard = hear(connection)
    words = [word for each in of(heard, "timestamps") for word in each["words"]]
    assert [word["word"] for word in words] == TEXT.split()
    assert [word["offset"] for word in words] == [TEXT.index(word) for word in TEXT.split()]
    assert all(before["end"] <= after["start"] + 1e-9 for before, after in pairwise(words))
    assert words[-1]["end"] <= len(audio(heard)) / 48_000


def test_contexts_are_spoken_beside_each_other(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        for name in ("a", "b"):
            say(connection, context_id=name, text="script", instructions='script: {"frames": 50, "pace": 0.02}')
            say(connection, context_id=name, text="")
        heard: list[dict[str, Any]] = []
        while len(of(heard, "done")) < 2:
            heard += [json.loads(connection.recv(timeout=20))]
    order = [each["context_id"] for each in of(heard, "chunk")]
    assert order.index("b") < len(order) - 1 - order[::-1].index("a"), "not one after the other"
    assert len(audio(heard, "a")) == len(audio(heard, "b")) == 50 * 960 * 2


def test_telephony(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, response_format="mulaw", text="Hello there. Bye now.")
        say(connection, text="")
        heard = hear(connection)
    samples = sum(each.samples for each in UsageRecord.objects.filter(organization=customer.organization))
    assert len(audio(heard)) == samples // 3 + PAUSE_MS * 8


LONG = 'script: {"frames": 500, "pace": 0.02}'


def billed(customer: Customer) -> int:
    return sum(each.samples for each in UsageRecord.objects.filter(organization=customer.organization))


def test_cancel_stops_at_once_and_bills_what_was_sent(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, context_id="a", text="script. Another one. And more.", instructions=LONG)
        heard = hear(connection, until="chunk")
        say(connection, context_id="a", cancel=True)
        heard += hear(connection)
        assert heard[-1]["cancelled"] is True
        assert len(of(heard, "sentence")) == 1
        say(connection, context_id="b", text="Still here.")
        say(connection, context_id="b", text="")
        assert hear(connection)[-1]["cancelled"] is False
    cut = SynthesisJob.objects.filter(organization=customer.organization, state="cancelled").get()
    assert 0 < cut.samples < 500 * 960
    assert heard[-1]["usage"]["output_tokens"] == cut.samples // 960
    assert cut.samples * 2 <= len(audio(heard, "a")) + 10 * 960 * 2


@pytest.mark.parametrize("politely", [True, False])
def test_a_close_at_any_moment_leaves_nothing(service: Service, customer: Customer, politely: bool) -> None:
    with socket(service, customer) as connection:
        say(connection, text="script. Another one. And more. ", instructions=LONG)
        hear(connection, until="chunk")
        if not politely:
            connection.socket.close()
    live = SynthesisJob.objects.filter(organization=customer.organization)
    wait_for(lambda: not live.filter(finished_at=None).exists(), what="nothing is spoken any more")
    assert live.count() == 1
    assert 0 < billed(customer) < 500 * 960
    assert Account.objects.get(organization=customer.organization).held == 0
    rows = RequestLog.objects.filter(organization_id=customer.organization.id)
    wait_for(lambda: rows.exists(), what="the row is written")
    assert (rows.get().status, rows.get().samples) == (499, billed(customer))


def test_a_close_while_a_sentence_is_admitted_leaves_nothing(service: Service, customer: Customer) -> None:
    for number in range(12):
        with socket(service, customer) as connection:
            say(connection, text="script. ", instructions=LONG)
            time.sleep(number * 0.004)
    live = SynthesisJob.objects.filter(organization=customer.organization)
    wait_for(lambda: not live.filter(finished_at=None).exists(), what="nothing is spoken any more")
    assert all(job.state == "cancelled" and job.samples < 100 * 960 for job in live)
    assert Account.objects.get(organization=customer.organization).held == 0


def test_a_sentence_is_ended_although_what_ends_it_comes_twice() -> None:
    """A busy gateway can find that nothing can be sent, and then cancel the context: the job is left still."""
    left = []

    async def leave() -> None:
        await asyncio.sleep(0.01)
        left.append("job")

    async def close_twice() -> None:
        ending = asyncio.create_task(stream_sentence._to_its_end(leave()))
        for _ in range(2):
            await asyncio.sleep(0)
            ending.cancel()
        await ending

    asyncio.run(close_twice())
    assert left == ["job"]


def test_an_idle_socket_is_closed_and_a_speaking_one_is_not(service: Service, customer: Customer) -> None:
    with socket(service, customer, "?inactivity_timeout=5") as connection:
        script = 'script: {"frames": 350, "pace": 0.02}'
        say(connection, text="word " * 40, instructions=script, **{"continue": False})
        began = time.monotonic()
        hear(connection)
        assert time.monotonic() - began > 6
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=15)
        assert connection.close_code == 4408


def test_who_is_not_known_gets_no_socket(service: Service, customer: Customer) -> None:
    for who, options in ((None, {}), (None, {"subprotocols": ["speech", "openai-insecure-api-key.sk-a-b"]})):
        with pytest.raises(InvalidStatus) as refused, socket(service, who, **options):
            pass
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body)["error"]["code"] in ("missing_api_key", "invalid_api_key")
    with pytest.raises(InvalidStatus) as refused, socket(service, customer, "?inactivity_timeout=1"):
        pass
    assert (refused.value.response.status_code) == 400
    key = f"openai-insecure-api-key.{customer.secret}"
    with socket(service, None, subprotocols=["speech", key]) as connection:
        assert connection.subprotocol == "speech"
        say(connection, text="Hi.")
        say(connection, text="")
        assert audio(hear(connection))
    plain = httpx.get(service.url + PATH, headers=customer.headers)
    assert (plain.status_code, plain.json()["error"]["code"]) == (426, "upgrade_required")


@pytest.mark.parametrize(
    ("message", "param", "code"),
    [
        ("no json", None, "invalid_json"),
        ("[1]", None, "invalid_type"),
        ({"text": 3}, "text", "invalid_type"),
        ({"text": "Hi", "nme": "x"}, "nme", "unknown_parameter"),
        ({"text": "Hi", "voice": "nobody"}, "voice", "unsupported_value"),
        ({"text": "Hi", "model": "gpt-4o"}, "model", "model_not_found"),
        ({"text": "Hi", "response_format": "mp3"}, "response_format", "unsupported_value"),
        ({"text": "Hi", "response_format": "mulaw", "sample_rate": 16_000}, "sample_rate", "unsupported_value"),
        ({"text": "Hi.", "continue": False, "pronunciation": "pd_x"}, "pronunciation", "pronunciation_not_found"),
        ({"text": "x" * 20_001}, "text", "invalid_value"),
    ],
)
def test_what_is_wrong_is_named_and_the_socket_stays(
    service: Service, customer: Customer, message: Any, param: str | None, code: str
) -> None:
    with socket(service, customer) as connection:
        connection.send(message if isinstance(message, str) else json.dumps({**message, "context_id": "a"}))
        [error] = of(hear(connection, until="error"), "error")
        assert (error["error"]["param"], error["error"]["code"]) == (param, code)
        say(connection, context_id="b", text="Hello.")
        say(connection, context_id="b", text="")
        assert audio(hear(connection), "b")


def test_settings_are_those_of_the_first_message(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, voice="echo", text="Hello")
        say(connection, voice="alloy", text=" there.")
        [error] = of(hear(connection, until="error"), "error")
        assert error["error"]["param"] == "voice"
    jobs = SynthesisJob.objects.filter(organization=customer.organization)
    assert not jobs.exists()


def test_much_text_is_bounded(service: Service, customer: Customer) -> None:
    with socket(service, customer) as connection:
        say(connection, text="script. ", instructions='script: {"frames": 100, "pace": 0.02}')
        for _ in range(3):
            say(connection, text="word " * 3_999)
        errors = of(hear(connection, until="error"), "error")
        assert errors[-1]["error"]["code"] == "too_much_text"
        for number in range(21):
            say(connection, context_id=f"c{number}", text="half a sentence")
        assert of(hear(connection, until="error"), "error")[-1]["error"]["code"] == "too_many_contexts"


def test_without_credit_nothing_is_spoken(service: Service, new_customer: Callable[..., Customer]) -> None:
    poor = new_customer("0")
    with socket(service, poor) as connection:
        say(connection, text="Hello there. ")
        [error] = of(hear(connection, until="error"), "error")
        assert (error["status"], error["error"]["code"]) == (429, "insufficient_quota")
    rows = RequestLog.objects.filter(organization_id=poor.organization.id)
    wait_for(lambda: rows.exists(), what="the row is written")
    assert rows.get().status == 429


def test_a_revoked_key_speaks_no_further_sentence(service: Service, customer: Customer) -> None:
    from django.utils import timezone

    from accounts.models import ApiKey

    with socket(service, customer) as connection:
        say(connection, text="Hello there. ")
        hear(connection, until="chunk")
        ApiKey.objects.filter(id=customer.key.id).update(revoked_at=timezone.now())
        time.sleep(1)
        say(connection, text="Are you there? Yes. ")
        assert of(hear(connection, until="error"), "error")[-1]["error"]["code"] == "invalid_api_key"


def test_a_socket_is_refused_where_there_is_none(service: Service, customer: Customer) -> None:
    for path in ("/v1/nothing", "/console/", "/v1/audio/speech"):
        with pytest.raises(InvalidStatus), connect(service.url.replace("http", "ws") + path):
            pass
    assert httpx.get(f"{service.url}/healthz").status_code == 200
