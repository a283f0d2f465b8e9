"""A recording in a request is its voice, where the checkpoint's codec can encode, and leaves nothing behind."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from safetensors.torch import load_file, save_file

from inference.models import CustomVoice, SynthesisJob
from tests.conftest import Customer
from tests.engine.serving import environment_of, kept_codes, spoken_by
from tests.gateway.recorded import cloned, syllables, tone
from tests.gateway.speaking import body
from tests.gateway.voices import Voices
from tests.live import Service, wait_for
from usage.models import RequestLog

TEXT = "Hello there, how do you do?"
LOW, HIGH = tone(2, step=20), tone(2, step=3)


@pytest.fixture(scope="module")
def environment(checkpoint: Path) -> dict[str, str]:
    return environment_of(checkpoint)


@pytest.fixture(scope="module")
def spoken_sample() -> bytes:
    return syllables(5)


@pytest.fixture(scope="module")
def higgs(service: Service, environment: dict[str, str]) -> Iterator[Service]:
    with spoken_by(service, environment) as serving:
        yield serving


def post(service: Service, customer: Customer, request: dict[str, Any]) -> httpx.Response:
    url = f"{service.url}/v1/chat/completions"
    return httpx.post(url, json=request, headers=customer.headers, timeout=60)


def codes(answer: httpx.Response) -> np.ndarray[Any, Any]:
    assert answer.status_code == 200, answer.text
    return kept_codes(answer.headers["x-audio-id"])


def request(recording: bytes, **more: Any) -> dict[str, Any]:
    return cloned(recording, text=TEXT, seed=1, max_completion_tokens=20, **more)


def test_the_recording_is_the_voice(higgs: Service, customer: Customer) -> None:
    answer = post(higgs, customer, request(LOW))
    assert answer.headers["x-voice-reference"] == "cloned"
    assert answer.json()["usage"]["voice_reference"] == "cloned"
    low = codes(answer)
    again, high = codes(post(higgs, customer, request(LOW))), codes(post(higgs, customer, request(HIGH)))
    plain = codes(post(higgs, customer, body(TEXT, seed=1, max_completion_tokens=20)))
    np.testing.assert_array_equal(low, again)
    assert not np.array_equal(low, high)
    assert not np.array_equal(low, plain)


def test_the_words_of_the_recording_count(higgs: Service, customer: Customer) -> None:
    told = codes(post(higgs, customer, request(LOW)))
    untold = request(LOW)
    del untold["messages"][0]
    assert not np.array_equal(told, codes(post(higgs, customer, untold)))


def test_each_speaker_of_a_dialogue_has_a_recording(higgs: Service, customer: Customer) -> None:
    def talk(first: bytes, second: bytes) -> dict[str, Any]:
        messages = [
            *cloned(first, said="[SPEAKER0] Good morning.")["messages"][:2],
            *cloned(second, said="[SPEAKER1] And to you.")["messages"][:2],
            {"role": "user", "content": "[SPEAKER0] One. [SPEAKER1] Two."},
        ]
        return body(messages=messages, seed=1, max_completion_tokens=40)

    answer = post(higgs, customer, talk(LOW, HIGH))
    job = SynthesisJob.objects.get(id=answer.headers["x-audio-id"].removeprefix("audio_"))
    assert job.voices == {"SPEAKER0": "recording_0", "SPEAKER1": "recording_1"}
    assert not np.array_equal(codes(answer), codes(post(higgs, customer, talk(LOW, LOW))))


def test_a_long_recording_leaves_room_to_speak(higgs: Service, customer: Customer) -> None:
    assert len(codes(post(higgs, customer, request(tone(60)))))


def kept(customer: Customer) -> list[SynthesisJob]:
    return list(
        SynthesisJob.objects.filter(organization=customer.organization).exclude(recordings=[], recorded_texts=[])
    )


def test_what_was_recorded_goes_with_the_jobs_text(higgs: Service, customer: Customer) -> None:
    codes(post(higgs, customer, request(LOW)))
    assert not kept(customer)
    job = SynthesisJob.objects.get(organization=customer.organization)
    with pytest.raises(IntegrityError, match="job_ended_keeps_no_recording"), transaction.atomic():
        SynthesisJob.objects.filter(id=job.id).update(recordings=[b"a voice"])


def test_a_client_that_hangs_up_leaves_no_recording(higgs: Service, customer: Customer) -> None:
    asked = request(LOW) | {"max_completion_tokens": 2000, "stream": True}
    asked["messages"][-1]["content"] = "This goes on and on. " * 20
    url = f"{higgs.url}/v1/chat/completions"
    with httpx.stream("POST", url, json=asked, headers=customer.headers, timeout=60) as answer:
        assert next(answer.iter_bytes())
        assert kept(customer)
    ended = SynthesisJob.objects.filter(organization=customer.organization, finished_at__isnull=False)
    wait_for(ended.exists, what="the job has ended")
    assert ended.get().state == "cancelled"
    assert not kept(customer)


def test_a_killed_workers_job_keeps_its_voice(
    higgs: Service, customer: Customer, environment: dict[str, str]
) -> None:
    asked = request(LOW) | {"max_completion_tokens": 400}
    asked["messages"][-1]["content"] = "This is one sentence. This is another. And this is the last one."
    expected = codes(post(higgs, customer, asked))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(post, higgs, customer, asked)
        running = SynthesisJob.objects.filter(organization=customer.organization, state="running")
        job = wait_for(running.first, what="the job runs")
        higgs.kill_worker()
        higgs.start_worker(**environment)
        np.testing.assert_array_equal(codes(answer.result()), expected)
    assert SynthesisJob.objects.get(id=job.id).attempt == 2
    assert not kept(customer)


def test_no_table_and_no_log_holds_the_recordings_words(higgs: Service, customer: Customer) -> None:
    words = "These words are nobody else's business."
    codes(post(higgs, customer, request(LOW, said=words)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM inference_synthesisjob job WHERE job::text LIKE %s", (f"%{words[:20]}%",)
        )
        assert cursor.fetchone() == (0,)
    for part in ("gateway", "worker"):
        assert words not in higgs.log(part)


def row_of(answer: httpx.Response) -> RequestLog:
    id = answer.headers["x-request-id"].removeprefix("req_")
    row: RequestLog = wait_for(RequestLog.objects.filter(id=id).first, what="the call is in the log")
    return row


def test_a_voice_of_ones_own_speaks_everywhere(
    higgs: Service, customer: Customer, new_customer: Callable[..., Customer], spoken_sample: bytes
) -> None:
    voices = Voices(higgs, customer)
    named = voices.make(spoken_sample)
    encoded = CustomVoice.objects.filter(organization=customer.organization, codes__isnull=False)
    kept = wait_for(encoded.first, what="a worker has encoded the sample").codes

    def chat(voice: Any, **more: Any) -> httpx.Response:
        audio = {"voice": voice, "format": "wav", **more}
        return post(higgs, customer, body(TEXT, seed=1, max_completion_tokens=20, audio=audio))

    def speech(who: Customer) -> httpx.Response:
        asked = {"model": "tts-1", "input": TEXT, "voice": named, "seed": 1, "max_completion_tokens": 20}
        return httpx.post(f"{higgs.url}/v1/audio/speech", json=asked, headers=who.headers, timeout=60)

    answer = chat({"id": named})
    own = codes(answer)
    np.testing.assert_array_equal(own, codes(chat(named)))
    np.testing.assert_array_equal(own, codes(speech(customer)))
    assert not np.array_equal(own, codes(chat("alloy")))
    assert bytes(encoded.get().codes) == bytes(kept), "computed once"
    assert row_of(answer).voice == named
    assert row_of(speech(new_customer())).error_code == "voice_not_found"
    dialogue = {"audio": {"voices": [named, "echo"]}, "seed": 1, "max_completion_tokens": 20}
    talk = body("[SPEAKER0] One. [SPEAKER1] Two.", **dialogue)
    assert len(codes(post(higgs, customer, talk)))
    listed = httpx.get(f"{higgs.url}/v1/voices", headers=customer.headers).json()["data"]
    assert {"id": named, "object": "voice", "gender": None, "description": "Ada"} in listed

    turn = body(TEXT, seed=1, max_completion_tokens=20)
    turn["messages"][:0] = [{"role": "assistant", "audio": {"id": answer.headers["x-audio-id"]}}]
    assert voices.ask("DELETE", f"/voices/{named}").status_code == 200
    refused = chat(named)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "voice_not_found")
    assert len(codes(post(higgs, customer, turn))), "what the voice has said can still be gone on from"


def test_codes_of_another_codec_are_computed_anew(
    higgs: Service, customer: Customer, spoken_sample: bytes
) -> None:
    named = Voices(higgs, customer).make(spoken_sample)
    of_it = CustomVoice.objects.filter(organization=customer.organization)
    right = wait_for(of_it.filter(codes__isnull=False).first, what="it is encoded")
    request = body(TEXT, seed=1, max_completion_tokens=20, audio={"voice": named, "format": "wav"})
    expected = codes(post(higgs, customer, request))
    for lost in ({"codes": None, "codec": ""}, {"codes": b"of another", "codec": "another"}):
        of_it.update(**lost)
        np.testing.assert_array_equal(codes(post(higgs, customer, request)), expected)
        assert (bytes(of_it.get().codes), of_it.get().codec) == (bytes(right.codes), right.codec)


def test_a_voice_that_is_deleted_before_its_turn_costs_nothing(
    higgs: Service, customer: Customer, spoken_sample: bytes, environment: dict[str, str]
) -> None:
    voices = Voices(higgs, customer)
    named = voices.make(spoken_sample)
    asked = body(TEXT, audio={"voice": named, "format": "wav"})
    with ThreadPoolExecutor() as pool:
        higgs.kill_worker()
        answer = pool.submit(post, higgs, customer, asked)
        waiting = SynthesisJob.objects.filter(organization=customer.organization, state="queued")
        wait_for(waiting.exists, what="the job waits")
        assert voices.ask("DELETE", f"/voices/{named}").status_code == 200
        higgs.start_worker(**environment)
        refused = answer.result()
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "voice_not_found")
    assert row_of(refused).cost == 0


def test_a_codec_without_its_encoder_clones_nothing(
    service: Service, customer: Customer, checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "decodes"
    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / "codec" / "model.safetensors")
    decoding = {name: tensor for name, tensor in weights.items() if not name.startswith("semantic_model.")}
    save_file(decoding, folder / "codec" / "model.safetensors", {"format": "pt"})
    with spoken_by(service, environment_of(folder)):
        answer = post(service, customer, request(LOW))
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-voice-reference"] == "not_supported_by_engine"
        assert base64.b64decode(answer.json()["choices"][0]["message"]["audio"]["data"])
