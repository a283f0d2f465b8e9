"""What the marks in a text, SSML and a dictionary ask of the trained voice, through the public API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the extra [voice] is not installed")

from tests.conftest import Customer
from tests.engine.serving import environment_of, kept_codes, spoken_by
from tests.gateway.speaking import body, transcript_of
from tests.live import ROOT, Service

CHECKPOINT = ROOT / "inference/checkpoints/heart-8m"


@pytest.fixture(scope="module")
def trained(service: Service) -> Iterator[Service]:
    with spoken_by(service, environment_of(CHECKPOINT)) as serving:
        yield serving


def ask(service: Service, who: Customer, text: str, **members: Any) -> tuple[str, int, np.ndarray[Any, Any]]:
    """The transcript, the frames that are billed, and the codes."""
    url = f"{service.url}/v1/chat/completions"
    answer = httpx.post(url, json=body(text, seed=1, **members), headers=who.headers, timeout=60)
    assert answer.status_code == 200, answer.text
    audio = answer.json()["choices"][0]["message"]["audio"]["id"]
    return transcript_of(audio), answer.json()["usage"]["completion_tokens"], kept_codes(audio)


def test_a_word_is_said_as_a_dictionary_or_a_mark_has_it(trained: Service, customer: Customer) -> None:
    rules = [{"grapheme": "Smith", "ipa": "ˈdʒoʊnz"}]
    url = f"{trained.url}/v1/pronunciation_dictionaries"
    made = httpx.post(url, json={"name": "Ours", "rules": rules}, headers=customer.headers)
    assert made.status_code == 200, made.text
    _, _, jones = ask(trained, customer, "Ask Jones at noon.")
    for text, members in (
        ("Ask Smith at noon.", {"pronunciation": made.json()["id"]}),
        ("Ask [Smith](ipa:ˈdʒoʊnz) at noon.", {}),
        ('<speak>Ask <phoneme ph="ˈdʒoʊnz">Smith</phoneme> at noon.</speak>', {"input_type": "ssml"}),
    ):
        transcript, _, codes = ask(trained, customer, text, **members)
        assert transcript == "Ask Smith at noon."
        np.testing.assert_array_equal(codes, jones)


def test_a_pause_is_billed_as_long_as_it_is(trained: Service, customer: Customer) -> None:
    _, plain, _ = ask(trained, customer, "One day it rained. Then it stopped.")
    _, marked, codes = ask(trained, customer, "One day it rained. [](pause:700) Then it stopped.")
    ssml = '<speak>One day it rained. <break time="700ms"/> Then it stopped.</speak>'
    _, broken, same = ask(trained, customer, ssml, input_type="ssml")
    assert (marked, broken) == (plain + 18, plain + 18)
    np.testing.assert_array_equal(codes, same)
