"""When each word of the given text is spoken: in answers, as events, as captions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest
from openai import OpenAI

from gateway.speech import relay
from inference.channel import Started, TimesKnown
from inference.models import AudioAsset
from inference.speech.alignment import Timed
from tests.conftest import Customer
from tests.gateway.speaking import ask, body, scripted, speak
from tests.live import Service

TEXT = 'Dr. Lee paid $5.20 for 3 apples on May 3, 2027. "Was it <b>raining</b>?" she asked.'
WORDS = ["Dr.", "Lee", "paid", "$5.20", "for", "3", "apples", "on", "May", "3,", "2027.", '"Was', "it", "raining",
         "she", "asked."]  # fmt: skip


def say(service: Service, customer: Customer, text: str = TEXT, **members: Any) -> httpx.Response:
    asked = {"model": "tts-1", "input": text, "response_format": "pcm", **members}
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=asked, headers=customer.headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


def captions(service: Service, customer: Customer, audio_id: str, kind: str) -> httpx.Response:
    return httpx.get(f"{service.url}/v1/audio/{audio_id}/captions.{kind}", headers=customer.headers)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def checked(words: list[dict[str, Any]], seconds: float, text: str = TEXT) -> list[str]:
    """The words, which are in order, within the audio, and where they say they are in the text."""
    assert all(each["start"] < each["end"] for each in words)
    assert all(before["end"] <= after["start"] + 1e-9 for before, after in pairwise(words))
    assert words[0]["start"] >= 0
    assert words[-1]["end"] <= seconds + 1e-9
    for each in words:
        assert text[each["offset"] :].startswith(each["word"])
    return [each["word"] for each in words]


def test_each_word_of_the_given_text_has_its_time(client: OpenAI, service: Service, customer: Customer) -> None:
    completion = speak(client, TEXT, timestamps="word")
    audio: Any = completion.choices[0].message.audio
    assert audio.timestamps["alignment"] == "exact"
    words = audio.timestamps["words"]
    seconds = completion.usage.audio_seconds  # type: ignore[union-attr]
    assert checked(words, seconds) == WORDS
    length = {each["word"]: each["end"] - each["start"] for each in words}
    assert length["$5.20"] > 3 * length["paid"], "five dollars and twenty cents"
    stored = captions(service, customer, audio.id, "json").json()
    assert stored == {
        "id": audio.id, "object": "audio.captions", "duration": seconds, "alignment": "exact", "words": words,
    }  # fmt: skip


def test_times_come_as_events_beside_the_audio(service: Service, customer: Customer) -> None:
    sent = events(say(service, customer, stream_format="sse", timestamps="word"))
    kinds = [each["type"] for each in sent]
    assert kinds[0] == "speech.audio.delta"
    assert kinds.index("speech.audio.timestamps") < len(kinds) - 1 - kinds[::-1].index("speech.audio.delta")
    words = [word for each in sent if each["type"] == "speech.audio.timestamps" for word in each["words"]]
    assert checked(words, sent[-1]["usage"]["audio_seconds"]) == WORDS
    chat = {**body(TEXT), "stream": True, "timestamps": "word", "audio": {"voice": "alloy"}}
    answer = httpx.post(f"{service.url}/v1/chat/completions", json=chat, headers=customer.headers, timeout=30)
    deltas = [each["choices"][0]["delta"] for each in events(answer)]
    told = [each["audio"]["timestamps"] for each in deltas if "timestamps" in each.get("audio", {})]
    assert [word["word"] for each in told for word in each["words"]] == WORDS


def test_without_asking_there_are_none(client: OpenAI, service: Service, customer: Customer) -> None:
    audio = speak(client, TEXT).choices[0].message.audio
    assert audio is not None
    assert not hasattr(audio, "timestamps")
    answer = captions(service, customer, audio.id, "vtt")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "timestamps_not_found")


def test_sentences_of_an_engine_that_knows_no_words_share_the_audio(client: OpenAI) -> None:
    request = scripted(100, text="A short one. And then a much longer sentence, with more words.")
    completion = ask(client, {**request, "timestamps": "sentence"})
    audio: Any = completion.choices[0].message.audio
    assert audio.timestamps["alignment"] == "estimated"
    first, second = audio.timestamps["segments"]
    assert (first["text"], first["start"], second["end"]) == ("A short one.", 0.0, pytest.approx(4.0, abs=0.1))
    assert second["end"] - second["start"] > 2 * (first["end"] - first["start"])


def test_sentences_of_the_preview_voice(client: OpenAI) -> None:
    audio: Any = speak(client, TEXT, timestamps="sentence").choices[0].message.audio
    assert audio.timestamps["alignment"] == "exact"
    segments = audio.timestamps["segments"]
    assert [each["text"] for each in segments] == [TEXT[:47], TEXT[48:]]
    assert segments[0]["end"] + 0.3 < segments[1]["start"], "the pause between them belongs to neither"


def test_times_follow_the_speed(service: Service, customer: Customer) -> None:
    ends = {}
    for speed in (1.0, 2.0):
        audio_id = say(service, customer, timestamps="word", speed=speed).headers["x-audio-id"]
        told = captions(service, customer, audio_id, "json").json()
        checked(told["words"], told["duration"])
        ends[speed] = told["words"][-1]["end"]
    assert ends[2.0] == pytest.approx(ends[1.0] / 2, abs=0.05)


def test_what_was_not_heard_has_no_time(service: Service, customer: Customer) -> None:
    audio_id = say(service, customer, timestamps="word", max_completion_tokens=50).headers["x-audio-id"]
    told = captions(service, customer, audio_id, "json").json()
    assert told["duration"] == 2.0
    heard = checked(told["words"], 2.0)
    assert 0 < len(heard) < len(WORDS)
    assert heard == WORDS[: len(heard)]


def test_a_dialogue_has_one_clock(service: Service, customer: Customer) -> None:
    text = "[SPEAKER0] How are you? [SPEAKER1] Fine, thanks."
    audio_id = say(service, customer, text, timestamps="word").headers["x-audio-id"]
    told = captions(service, customer, audio_id, "json").json()
    assert checked(told["words"], told["duration"], text) == ["How", "are", "you?", "Fine,", "thanks."]


def test_a_repeat_has_the_same_times(service: Service, customer: Customer) -> None:
    asked = {**body(TEXT), "timestamps": "word"}
    answers = [
        httpx.post(
            f"{service.url}/v1/chat/completions",
            json=asked,
            headers={**customer.headers, "idempotency-key": "once"},
            timeout=30,
        )
        for _ in range(2)
    ]
    assert answers[1].headers["idempotency-replayed"] == "true"
    first, again = (each.json()["choices"][0]["message"]["audio"]["timestamps"] for each in answers)
    assert first == again


def test_captions_are_files_that_players_read(service: Service, customer: Customer) -> None:
    text = f"{TEXT} AT&T said so. " + "And so it went on and on, as it does, word after word after word. " * 2
    audio_id = say(service, customer, text, timestamps="word").headers["x-audio-id"]
    vtt, srt = (captions(service, customer, audio_id, kind) for kind in ("vtt", "srt"))
    assert vtt.headers["content-type"].startswith("text/vtt")
    assert srt.headers["content-type"].startswith("application/x-subrip")
    assert vtt.text.startswith("WEBVTT\n\n00:00:00.")
    assert "AT&amp;T said so." in vtt.text
    blocks = srt.text.strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(n + 1) for n in range(len(blocks))]
    times = [re.fullmatch(r"(\S+) --> (\S+)", block.split("\n")[1]) for block in blocks]
    assert all(time and time[1] < time[2] for time in times)
    assert all(len(block.split("\n")[2]) <= 84 for block in blocks)


def test_a_deleted_audio_takes_its_captions_along(
    service: Service, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    audio_id = say(service, customer, timestamps="word").headers["x-audio-id"]
    assert captions(service, new_customer(), audio_id, "json").status_code == 404
    path = AudioAsset.objects.get(job_id=audio_id.removeprefix("audio_")).conversions["times"]
    assert httpx.delete(f"{service.url}/v1/audio/{audio_id}", headers=customer.headers).status_code == 200
    assert captions(service, customer, audio_id, "json").status_code == 410
    from inference import assets

    assert not assets.store().exists(path)


def test_another_attempt_tells_only_what_is_new() -> None:
    words = [Timed(word, n * 100, n * 100 + 90, n * 4) for n, word in enumerate(("one", "two", "six", "ten"))]
    heard = relay._Heard()
    told: list[str] = []
    for attempt, pieces in ((1, (words[:1], words[1:2])), (2, (words[:3], words[3:]))):
        known = [TimesKnown(attempt, tuple(piece), "exact") for piece in pieces]
        for event in (Started(attempt, "model", "one two six ten"), *known):
            told += [each.text for new in heard.take(event) if isinstance(new, relay.Times) for each in new.times]
    assert told == ["one", "two", "six", "ten"]
