"""Requests as clients in the field send them: texts without a word, parts, dated names, fixed words, nulls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from billing.models import UsageRecord
from inference.audio import SAMPLES_PER_FRAME
from tests.conftest import Customer
from tests.gateway.speaking import body, decode
from tests.live import Service

SILENCE = 2 * SAMPLES_PER_FRAME


def say(service: Service, customer: Customer, **members: Any) -> httpx.Response:
    request = {"model": "tts-1", "voice": "alloy", "input": "Hello there.", **members}
    return httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers, timeout=30)


def chat(service: Service, customer: Customer, content: Any, **members: Any) -> httpx.Response:
    request = body(messages=[{"role": "user", "content": content}], **members)
    return httpx.post(f"{service.url}/v1/chat/completions", json=request, headers=customer.headers, timeout=30)


def transcript(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["choices"][0]["message"]["audio"]["transcript"]
    return said


def billed(customer: Customer) -> list[tuple[int, Decimal]]:
    rows = UsageRecord.objects.filter(organization=customer.organization)
    return [(row.samples, row.cost) for row in rows]


@pytest.mark.parametrize(
    "text", [".", "...", "?", "—", "**", "❤️", "😀🎉", "```\n```", "|---|---|", "\u3164", "\u200b", '"']
)
def test_a_text_without_a_word_is_a_short_silence(service: Service, customer: Customer, text: str) -> None:
    answer = say(service, customer, input=text, response_format="pcm")
    assert (answer.status_code, answer.content) == (200, bytes(2 * SILENCE))
    assert billed(customer) == [(SILENCE, Decimal("0.00006"))]


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac", "wav"])
@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_the_silence_can_be_played(service: Service, customer: Customer, format: str, speed: float) -> None:
    samples, rate, _ = decode(say(service, customer, input=".", response_format=format, speed=speed).content)
    assert SILENCE * rate <= 24_000 * len(samples) <= 24_000 * (SILENCE + 4 * 1152)
    assert not samples.any()
    assert billed(customer) == [(SILENCE, Decimal("0.00006"))]


@pytest.mark.parametrize(("text", "said"), [("+", "plus"), ("€", "euros"), ("∞", "infinity"), ("%", "percent")])
def test_a_sign_that_has_a_word_is_spoken(service: Service, customer: Customer, text: str, said: str) -> None:
    assert transcript(chat(service, customer, text)) == said
    assert billed(customer)[0][0] > SILENCE


def test_a_wordless_line_of_a_dialogue_is_not_spoken(service: Service, customer: Customer) -> None:
    assert transcript(chat(service, customer, "[SPEAKER0]Hi.[SPEAKER1]😀[SPEAKER0]Bye.")) == (
        "[SPEAKER0] Hi. [SPEAKER0] Bye."
    )


@pytest.mark.parametrize("text", ["", "  \n", "\0"])
def test_an_empty_text_is_refused(service: Service, customer: Customer, text: str) -> None:
    answer = say(service, customer, input=text)
    assert answer.status_code == 400
    assert answer.json()["error"] | {"message": ""} == {
        "message": "",
        "type": "invalid_request_error",
        "param": "input",
        "code": "nothing_to_speak",
    }
    assert "stop" not in answer.json()["error"]["message"]
    assert not billed(customer)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["First paragraph", "second paragraph"], "First paragraph second paragraph"),
        (["Hello there.", "General."], "Hello there. General."),
        (["Total: 5", "0 items"], "Total: five, zero items"),
        (["It costs $5", ".25 more."], None),
    ],
)
def test_parts_of_a_message_are_lines(
    service: Service, customer: Customer, parts: list[str], said: str | None
) -> None:
    heard = transcript(chat(service, customer, [{"type": "text", "text": part} for part in parts]))
    if said is None:
        assert "twenty-five cents" not in heard
    else:
        assert heard.replace(".", ",").rstrip(",") == said.replace(".", ",").rstrip(",")


MODELS = [
    "gpt-4o-mini-tts-2025-12-15",
    "gpt-4o-mini-tts-2025-03-20",
    "tts-1-1106",
    "tts-1-hd-1106",
    "gpt-4o-mini-audio-preview",
    "gpt-4o-mini-audio-preview-2024-12-17",
    "gpt-4o-audio-preview-2024-12-17",
    "gpt-audio-1.5",
    "gpt-audio-2025-08-28",
    "gpt-audio-mini-2025-10-06",
]


@pytest.mark.parametrize("model", MODELS)
def test_dated_names_of_openais_models_are_aliases(service: Service, customer: Customer, model: str) -> None:
    shown = httpx.get(f"{service.url}/v1/models/{model}", headers=customer.headers)
    assert shown.json()["id"] == "boson/higgs-audio-v2.5"


def test_a_dated_name_speaks(service: Service, customer: Customer) -> None:
    assert say(service, customer, model=MODELS[0], input=".").status_code == 200


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-2024-11-20", "tts-1-11066", "tts-2", "tts-1-", "-2024-01-01"])
def test_other_names_are_none(service: Service, customer: Customer, model: str) -> None:
    answer = say(service, customer, model=model)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_open_webui_learns_voices_and_models_without_a_key(service: Service, customer: Customer) -> None:
    listed = httpx.get(f"{service.url}/v1/voices", headers=customer.headers).json()["data"]
    voices = httpx.get(f"{service.url}/v1/audio/voices?model=tts-1").json()["voices"]
    assert voices == [{"id": voice["id"], "name": voice["id"]} for voice in listed]
    models = httpx.get(f"{service.url}/v1/audio/models").json()["models"]
    assert {"id": "tts-1", "name": "tts-1"} in models


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v1/audio/speech", 405, "POST"),
        ("DELETE", "/v1/audio/speech", 405, "POST"),
        ("POST", "/v1/audio/transcriptions", 404, None),
        ("POST", "/v1/audio/translations", 404, None),
        ("GET", "/v1/audio/anything", 404, None),
        ("GET", "/v1/models/", 404, None),
        ("DELETE", "/v1/audio/voices", 405, "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/v1/usage", 405, "GET, HEAD, OPTIONS"),
    ],
)
def test_a_fixed_word_is_no_id(
    service: Service, customer: Customer, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = httpx.request(method, service.url + path, headers=customer.headers)
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert answer.json()["error"]["code"] in ("not_found", "method_not_allowed")


NULLS = ("voice", "voices", "instructions", "response_format", "speed", "stream_format", "stream", "user", "seed")


def test_null_means_not_given(service: Service, customer: Customer) -> None:
    answer = say(service, customer, input=".", **dict.fromkeys(NULLS))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    members = {"audio": {"voice": None, "format": None}, "stop": None, "temperature": None, "unheard_of": None}
    assert chat(service, customer, "Hi.", **members).status_code == 200
    assert chat(service, customer, "Hi.", audio=None).status_code == 200


@pytest.mark.parametrize(
    "members", [{"user": "u-1"}, {"stream": False}, {"metadata": {"a": "b"}}, {"store": True}]
)
def test_members_that_mean_nothing_are_let_pass_on_both_routes(
    service: Service, customer: Customer, members: dict[str, Any]
) -> None:
    assert say(service, customer, input=".", **members).status_code == 200
    assert chat(service, customer, ".", **members).status_code == 200


def test_unknown_members_are_refused_on_both_routes(service: Service, customer: Customer) -> None:
    for answer in (say(service, customer, lang_code="a"), chat(service, customer, "Hi.", lang_code="a")):
        assert answer.status_code == 400
        assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (
            "unknown_parameter",
            "lang_code",
        )


@pytest.fixture
def post(service: Service, customer: Customer) -> Callable[..., httpx.Response]:
    def send(content: bytes, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(
            f"{service.url}/v1/audio/speech",
            content=content,
            headers={"content-type": "application/json", **customer.headers, **named},
            timeout=30,
        )

    return send


def test_a_byte_order_mark_is_skipped(post: Callable[..., httpx.Response]) -> None:
    assert post(b'\xef\xbb\xbf{"model": "tts-1", "input": "."}').status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "x-unknown"])
def test_a_compressed_body_is_refused_with_the_reason(post: Callable[..., httpx.Response], encoding: str) -> None:
    answer = post(b"\x1f\x8b\x08", content_encoding=encoding)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_encoding")
    assert repr(encoding) in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1", None),
        ("/v1/", None),
        ("/v1/nothing", None),
        ("/audio/speech", "/v1/audio/speech"),
        ("/v1/v1/audio/speech", "/v1/audio/speech"),
        ("//v1/audio/speech", "/v1/audio/speech"),
        ("/v1/audio/speech/", "/v1/audio/speech"),
        ("/openai/deployments/tts/audio/speech", "/v1/audio/speech"),
        ("/api/v1/chat/completions", "/v1/chat/completions"),
        ("/models", "/v1/models"),
        ("/v1/audio//voices", "/v1/audio/voices"),
        ("/tts", None),
        ("/", None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_base_is_told_where_the_api_is(
    service: Service, customer: Customer, path: str, meant: str | None, method: str
) -> None:
    answer = httpx.request(method, service.url + path, headers=customer.headers)
    assert answer.status_code == 404
    told = answer.json()["error"]["message"]
    assert f"The API is at {service.url}/v1." in told
    assert meant is None or f"{service.url}{meant}?" in told


@pytest.mark.parametrize(
    "moment", ["2026-11-26T13:00:00+05:45", "2026-11-26T13:00:00+05:30", "2026-11-26T13:00:00-03:30"]
)
def test_a_moment_is_on_a_whole_hour_of_utc(service: Service, customer: Customer, moment: str) -> None:
    def ask(start: str, end: str) -> httpx.Response:
        query = {"bucket": "hour", "start": start, "end": end}
        return httpx.get(f"{service.url}/v1/usage", params=query, headers=customer.headers)

    for answer, param in (
        (ask(moment, "2026-11-26T23:00:00Z"), "start"),
        (ask("2026-11-26T00:00:00Z", moment), "end"),
    ):
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
        assert "UTC" in answer.json()["error"]["message"]
    split = moment.replace("13:00", "13:45" if "05:45" in moment else "13:30")
    assert ask(split, "2026-11-26T23:00:00Z").json()["start"].endswith(":00:00Z")


def test_a_page_may_read_what_an_answer_costs(service: Service) -> None:
    from gateway.app import EXPOSED_HEADERS

    assert {"x-cost-usd", "x-audio-seconds", "etag", "content-range"} <= set(EXPOSED_HEADERS)
