"""What a request may hold at most, and that what it may not have is refused before it costs anything."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from annotated_types import MaxLen
from django.utils import timezone
from pydantic import BaseModel

from accounts import keys, organizations
from accounts.identifiers import new_id
from accounts.models import ApiKey
from billing import ledger
from gateway import schemas
from gateway.errors import ApiError
from gateway.parsing import parse
from gateway.schemas import (
    MAX_CONTEXT_TURNS,
    MAX_MESSAGES,
    MAX_STYLE_CHARACTERS,
    ChatRequest,
    SpeechBody,
)
from gateway.speech.speech_request import order_from_chat
from inference import assets, turns
from inference.models import AudioAsset, SynthesisJob
from inference.speech import script
from inference.speech.voices import VOICES
from tests.conftest import Customer
from tests.cost import cpu_seconds
from tests.gateway.speaking import body, scripted
from tests.live import Service, wait_for

CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/speech"


def post(service: Service, customer: Customer, request: Any, *, path: str = CHAT) -> httpx.Response:
    content = request if isinstance(request, bytes) else json.dumps(request).encode()
    headers = {**customer.headers, "content-type": "application/json"}
    return httpx.post(service.url + path, content=content, headers=headers, timeout=30)


def refusal(service: Service, customer: Customer, request: Any, *, path: str = CHAT) -> tuple[int, str, str]:
    answer = post(service, customer, request, path=path)
    error = answer.json()["error"]
    return answer.status_code, error["param"], error["code"]


# --- The style ---


def system(*texts: str) -> dict[str, Any]:
    styles = [{"role": "system", "content": text} for text in texts]
    return body(messages=[*styles, {"role": "user", "content": "Hi."}])


def test_style_is_as_long_as_a_text_at_most(service: Service, customer: Customer) -> None:
    longest = "a" * MAX_STYLE_CHARACTERS
    assert post(service, customer, system(longest)).status_code == 200
    assert refusal(service, customer, system(longest + "a")) == (
        400, "messages[0].content", "string_above_max_length",
    )  # fmt: skip
    half = "a" * (MAX_STYLE_CHARACTERS // 2)
    assert refusal(service, customer, system(half, half)) == (
        400,
        "messages[1].content",
        "string_above_max_length",
    )
    speech = {"model": "tts-1", "input": "Hi.", "voice": "alloy", "instructions": longest + "a"}
    status, param, _ = refusal(service, customer, speech, path=SPEECH)
    assert (status, param) == (400, "instructions")


def test_newlines_freeze_nothing(service: Service, customer: Customer) -> None:
    """What froze the gateway for minutes: a megabyte of them is refused at once."""
    speech = {"model": "tts-1", "input": "[SPEAKER0] Hi.", "voice": "alloy", "instructions": "\n" * 500_000}
    began = time.monotonic()
    assert refusal(service, customer, speech, path=SPEECH)[:2] == (400, "instructions")
    assert refusal(service, customer, system("\n" * 250_000))[:2] == (400, "messages[0].content")
    assert time.monotonic() - began < 3


# --- Every string, list and object ---


def unbounded(schema: Any, place: str) -> Iterator[str]:
    """The places of a JSON schema that have no most."""
    kind = schema.get("type")
    if "enum" in schema or "const" in schema:
        return
    if kind == "string" and "maxLength" not in schema:
        yield place
    if kind == "array":
        if "maxItems" not in schema:
            yield f"{place}[]"
        yield from unbounded(schema["items"], f"{place}[]")
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        if "maxProperties" not in schema:
            yield f"{place}{{}}"
        yield from unbounded(schema["additionalProperties"], f"{place}{{}}")
    for name in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(name, ()):
            yield from unbounded(each, place)
    for name, each in schema.get("properties", {}).items():
        if name not in schemas.IGNORED_MEMBERS:
            yield from unbounded(each, f"{place}.{name}")


@pytest.mark.parametrize("model", [ChatRequest, SpeechBody])
def test_everything_has_a_most(model: type[BaseModel]) -> None:
    whole = model.model_json_schema()
    places = [(model.__name__, whole), *whole.get("$defs", {}).items()]
    assert [place for name, schema in places for place in unbounded(schema, name)] == []


def test_a_model_without_bounds_would_be_noticed() -> None:
    class Loose(BaseModel):
        text: str
        many: list[int]
        named: dict[str, int]

    assert [*unbounded(Loose.model_json_schema(), "")] == [".text", ".many[]", ".named{}"]
    assert MaxLen  # the bounds are pydantic's, by annotation


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


def test_what_says_too_much_is_told_how_much_is_allowed(service: Service, customer: Customer) -> None:
    answer = post(service, customer, body(stop=["a"] * 5)).json()["error"]
    assert answer["message"] == "Invalid value for 'stop': expected at most 4 items."
    answer = post(service, customer, body(user="u" * 513)).json()["error"]
    assert answer["message"] == "Invalid value for 'user': expected at most 512 characters."


@pytest.mark.parametrize(
    "raw",
    [
        b'{"model": "m", "seed": ' + b"9" * 900_000 + b"}",
        b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 900_000,
        b'{"model": "a", "model": "b", "messages": [], "messages": 7}',
        b'{"messages": [' + b"[]," * 340_000 + b"[]]}",
    ],
    ids=["integer", "objects", "lists", "twice", "wide"],
)
def test_json_that_is_meant_badly_is_a_bad_request(service: Service, customer: Customer, raw: bytes) -> None:
    assert post(service, customer, raw).status_code == 400


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
    import socket

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


# --- Earlier turns ---


def conversation(ids: list[UUID]) -> dict[str, Any]:
    answers = [{"role": "assistant", "audio": {"id": f"audio_{each.hex}"}} for each in ids]
    return body(messages=[*answers, {"role": "user", "content": "And then?"}])


def test_of_a_long_conversation_the_last_answers_are_heard() -> None:
    ids = [new_id() for _ in range(40)]
    order = order_from_chat(parse(ChatRequest, conversation(ids)), VOICES)
    assert [turn.job_id for turn in order.context] == ids[-MAX_CONTEXT_TURNS:]
    assert order.context[-1].param == "messages[39].audio.id"


def test_an_answer_that_is_named_twice_is_refused(service: Service, customer: Customer) -> None:
    once, again = new_id(), new_id()
    request = conversation([once, again, once])
    assert refusal(service, customer, request) == (400, "messages[2].audio.id", "invalid_value")


@pytest.mark.django_db
def test_no_more_of_the_earlier_audio_is_read_than_fits_the_context(settings: Any, monkeypatch: Any) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"higgs_context": 1000})
    organization = organizations.create(name="A", owner_email="a@example.com")
    key, _ = keys.create(organization=organization, name="k")
    loaded: list[str] = []
    load = assets.load
    monkeypatch.setattr(assets, "load", lambda path: loaded.append(path) or load(path))
    ids = [spoken(organization, key, frames=frames) for frames in (100, 20_000, 400, 500)]
    found = turns.load(organization.id, ids)
    assert [turn.text for turn in found] == ["400 frames", "500 frames"]
    assert [len(turn.codes) for turn in found if turn.codes is not None] == [400, 500]
    assert len(loaded) == 2, "the longer one and what is before it were not read"
    at_half_speed = spoken(organization, key, frames=600, speed=0.5)
    assert [turn.text for turn in turns.load(organization.id, [*ids, at_half_speed])] == [
        "500 frames",
        "600 frames",
    ]


def spoken(organization: Any, key: Any, *, frames: int, speed: float = 1.0) -> UUID:
    """A job whose audio is stored with its codes, as a worker leaves it."""
    now = timezone.now()
    job = SynthesisJob.objects.create(
        id=new_id(), organization=organization, api_key=key, state="succeeded", model="m", voice="alloy",
        format="wav", sampling={}, max_frames=frames, speed=speed, created_at=now, enqueued_at=now,
        deadline_at=now, finished_at=now,
    )  # fmt: skip
    file = io.BytesIO()
    np.save(file, np.zeros((frames, 8), np.int16), allow_pickle=False)
    AudioAsset.objects.create(
        job=job, organization=organization, path="x", size=1, samples=frames * 960, transcript=f"{frames} frames",
        codes_path=assets.save(job.id, 1, "codes", file.getvalue()), content_type="audio/wav", receipt={},
        created_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    return job.id


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
