"""Nothing a client sends costs more than its length: twice the text is twice the work, whatever the text."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from gateway.chat_schemas import ChatRequest
from gateway.schemas import MAX_TEXT_CHARACTERS, SpeechBody
from gateway.speech import casting
from gateway.speech.speech_request import order_from_chat, order_from_speech
from inference.speech.text import normalize, split_sentences
from inference.speech.voices import VOICES
from tests.cost import cpu_seconds
from tests.security.patterns import every_pattern, hostile

NOTICED_SECONDS = 0.004
"""What takes less is not looked at: it would be noise. A quadratic step over 4,096 characters takes 30."""
MOST_TIMES = 3.0
"""How much longer twice the text may take: 2 is linear, 4 is quadratic."""
CLEARLY_LINEAR = 2.5
FEW, MANY = 5, 25
"""Tries. What else the machine does only ever adds to one, so the least of many is the work's own."""

PATTERNS = every_pattern()


def grows_too_fast(work: Callable[[str], object], text: str) -> str | None:
    """What is wrong; None where doubling the text about doubles the work."""
    half = text[: len(text) // 2]
    whole = part = math.inf
    for tries in range(1, MANY + 1):
        whole = min(whole, cpu_seconds(lambda: work(text)))
        if whole < NOTICED_SECONDS:
            return None
        part = min(part, cpu_seconds(lambda: work(half)))
        if tries == FEW and whole < CLEARLY_LINEAR * part:
            return None
    if whole < MOST_TIMES * part:
        return None
    return f"{len(half)} characters take {part * 1000:.1f} ms, {len(text)} {whole * 1000:.1f} ms"


def test_the_expressions_are_found() -> None:
    places = " ".join(f"{found.module} {found.where}" for found in PATTERNS)
    assert len(PATTERNS) > 150
    for place in (
        "abbreviations RULES",
        "money RULES",
        "characters _RUN",
        "dialogue _TAG",
        "gateway.ranges line",
        "console.",
    ):
        assert place in places, place


@pytest.mark.parametrize("module", sorted({found.module for found in PATTERNS}))
def test_no_expression_is_super_linear(module: str) -> None:
    wrong = []
    for found in PATTERNS:
        if found.module == module:
            texts = hostile(found.pattern, found.window or MAX_TEXT_CHARACTERS)
            slow = ((what, grows_too_fast(found.run, text)) for what, text in texts)
            if worst := next(((what, growth) for what, growth in slow if growth), None):
                wrong.append((found.where, found.pattern.pattern, *worst))
    assert not wrong


HOSTILE = {
    repr(unit): (unit * MAX_TEXT_CHARACTERS)[:MAX_TEXT_CHARACTERS]
    for unit in (
        *" \n\t1a.,\"'()[]@-/=$#!?…é。",
        "1.", "1,", "1-", "1/", "a.", "a@", "a@b.", "A.", "a-", "--", "$1", "1 x ", "etc. ", "Dr. ", "1. ",
        "\n1. ", "\n- ", "1:", "1:2:", "I ", "XIV ", "1st ", "1km ", "10 km/h ", "http://", "www.a",
        "[a](http://b)", "#a", "[SPEAKER0] a ", "[SPEAKER1]", "1 1/2 ", "2020-01-01 ",
        "( ", "\" ", "= ", "<", "-> ", "~ ", "½", "²", "\u0301",
    )
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_the_whole_normaliser_is_linear(what: str) -> None:
    def work(text: str) -> None:
        split_sentences(normalize(text))

    assert grows_too_fast(work, HOSTILE[what]) is None


@pytest.mark.parametrize("what", HOSTILE)
def test_the_whole_reader_of_requests_is_linear(what: str) -> None:
    tagged = "[SPEAKER0] a [SPEAKER1] b "

    def speech(text: str) -> None:
        order_from_speech(
            SpeechBody(model="tts-1", input=(tagged + text)[:MAX_TEXT_CHARACTERS], instructions=text), VOICES
        )

    def chat(text: str) -> None:
        messages = [{"role": "system", "content": text}, {"role": "user", "content": tagged}]
        body = {"model": "tts-1", "modalities": ["text", "audio"], "messages": messages, "stop": [text[:64]]}
        order_from_chat(ChatRequest.model_validate(body), VOICES)

    assert grows_too_fast(speech, HOSTILE[what]) is None
    assert grows_too_fast(chat, HOSTILE[what]) is None


def test_a_scene_of_any_length_is_read_once() -> None:
    def work(scene: str) -> None:
        casting.cast("[SPEAKER0] Hi.", scene=scene, voice="alloy", voices=None, offered=VOICES, param="voices")

    for unit in ("\n", "SPEAKER0:\n", "SPEAKER0 ", " :", "\x85 \u2028"):
        assert grows_too_fast(work, unit * 200_000) is None
