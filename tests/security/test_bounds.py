"""What a request may hold at most: every string, list and object, and a conversation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from annotated_types import MaxLen
from django.utils import timezone
from pydantic import BaseModel

from accounts import keys, organizations
from accounts.identifiers import new_id
from gateway import schemas
from gateway.chat_schemas import MAX_CONTEXT_TURNS, ChatRequest
from gateway.parsing import parse
from gateway.schemas import MAX_STYLE_CHARACTERS, SpeechBody
from gateway.speech.speech_request import order_from_chat
from inference import assets, turns
from inference.models import AudioAsset, SynthesisJob
from inference.speech.voices import VOICES
from tests.conftest import Customer
from tests.gateway.speaking import body
from tests.live import Service
from tests.security.asking import SPEECH, post, refusal, system


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
