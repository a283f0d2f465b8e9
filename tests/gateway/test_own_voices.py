"""Voices of one's own over the API: made of a consent and a sample, listed, renamed, deleted; nobody else's."""

from __future__ import annotations

import io
import socket
import tempfile
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from django.core.management import call_command
from openai import OpenAI

from accounts.models import AuditEvent
from gateway import erasure
from inference.models import CustomVoice, VoiceConsent
from inference.speech.voices import VOICES
from tests.conftest import Customer
from tests.gateway.recorded import tone
from tests.gateway.speaking import body
from tests.gateway.voices import CONSENT, Voices, recorded
from tests.live import Service, wait_for

UNKNOWN = "voice_" + "0" * 32
_recordings: dict[str, bytes] = {}


@pytest.fixture
def recording(service: Service, customer: Customer) -> bytes:
    """Some seconds of speech, as WAV."""
    if "wav" not in _recordings:
        # Sent as it is made, a WAV file does not know its length.
        _recordings["wav"] = changed(recorded(service, customer, CONSENT), lambda speech: speech)
    return _recordings["wav"]


@pytest.fixture
def voices(service: Service, customer: Customer) -> Voices:
    return Voices(service, customer)


def changed(recording: bytes, change: Callable[[np.ndarray], np.ndarray]) -> bytes:  # type: ignore[type-arg]
    """The recording with its samples, in [-1, 1], changed."""
    with wave.open(io.BytesIO(recording)) as source:
        samples = np.frombuffer(source.readframes(source.getnframes()), "<i2") / 32768
    made = np.clip(change(samples), -1, 1)
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setparams((1, 2, 24_000, 0, "NONE", ""))
        target.writeframes((made * 32767).astype("<i2").tobytes())
    return file.getvalue()


def error(answer: httpx.Response) -> tuple[int, str, str]:
    said = answer.json()["error"]
    return answer.status_code, said["code"], said["param"]


def test_openais_client_makes_uses_and_deletes_a_voice(
    client: OpenAI, customer: Customer, recording: bytes
) -> None:
    consent = client.audio.voice_consents.create(
        name="Ada's consent", language="en-US", recording=("consent.wav", recording, "audio/wav")
    )
    assert (consent.object, consent.name, consent.language) == ("audio.voice_consent", "Ada's consent", "en-US")
    assert consent.id.startswith("cons_")
    assert client.audio.voice_consents.retrieve(consent.id) == consent
    assert client.audio.voice_consents.update(consent.id, name="Ada").name == "Ada"
    another = client.audio.voice_consents.create(
        name="Grace", language="de", recording=("consent.wav", recording, "audio/wav")
    )
    assert [each.id for each in client.audio.voice_consents.list(limit=1)] == [another.id, consent.id]
    voice = client.audio.voices.create(
        name="Ada", consent=consent.id, audio_sample=("sample.wav", recording, "audio/wav"), type="audio_sample"
    )
    assert (voice.object, voice.name, voice.type) == ("audio.voice", "Ada", "audio_sample")
    assert voice.id.startswith("voice_")
    deleted = client.audio.voices.delete(voice.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (voice.id, "audio.voice.deleted", True)
    gone = client.audio.voice_consents.delete(another.id)
    assert (gone.id, gone.deleted) == (another.id, True)
    assert not CustomVoice.objects.filter(organization=customer.organization).exists()
    assert not VoiceConsent.objects.filter(organization=customer.organization).exists(), "it went with its voice"
    done = AuditEvent.objects.filter(organization_id=customer.organization.id, actor_id=0).order_by("id")
    assert [(each.action, each.subject, each.actor) for each in done] == [
        (action, subject, f"sk-{customer.key.public_id}")
        for action, subject in [
            ("consent.created", "Ada's consent"),
            ("consent.renamed", "Ada"),
            ("consent.created", "Grace"),
            ("voice.created", "Ada"),
            ("voice.deleted", "Ada"),
            ("consent.deleted", "Grace"),
        ]
    ]


def test_a_voice_is_listed_got_and_renamed(
    service: Service, voices: Voices, recording: bytes, new_customer: Callable[..., Customer]
) -> None:
    named = voices.make(recording)
    assert voices.ask("POST", f"/voices/{named}", json={"name": "  Ada, warm "}).json()["name"] == "Ada, warm"
    got = voices.ask("GET", f"/voices/{named}").json()
    assert (got["id"], got["name"]) == (named, "Ada, warm")
    for size in (1 << 20, 3 << 20, 12 << 20):
        refused = voices.ask("POST", f"/voices/{named}", json={"name": "x" * size})
        assert error(refused)[:2] == (413, "request_too_large")
    listed = voices.ask("GET", "/voices").json()
    assert listed["data"] == [got]
    assert listed["voices"] == [
        *({"id": each, "name": each} for each in VOICES),
        {"id": named, "name": "Ada, warm"},
    ]
    others = Voices(service, new_customer()).ask("GET", "/voices").json()
    assert (others["data"], len(others["voices"])) == ([], len(VOICES))
    without_a_key = httpx.get(f"{service.url}/v1/audio/voices").json()
    assert without_a_key == {"voices": [{"id": each, "name": each} for each in VOICES]}


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("wav", "audio/x-wav"),
        ("mp3", "audio/mpeg"),
        ("flac", "audio/flac"),
        ("ogg", "audio/ogg"),
        ("aac", "audio/aac"),
        ("m4a", "audio/mp4"),
        ("webm", "audio/webm;codecs=opus"),
        ("webm", "application/octet-stream"),
    ],
)
def test_a_sample_comes_in_any_of_the_formats(
    service: Service, customer: Customer, voices: Voices, recording: bytes, format: str, media_type: str
) -> None:
    consent = voices.consent(recording).json()["id"]
    sample = recorded(service, customer, CONSENT, format)
    answer = voices.create(sample, consent, file=(f"sample.{format}", media_type))
    assert answer.status_code == 200, answer.text
    kept = CustomVoice.objects.get(organization=customer.organization).sample
    with av.open(io.BytesIO(bytes(kept))) as container, wave.open(io.BytesIO(recording)) as original:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("flac", 24_000, 1)
        length = sum(frame.samples for frame in container.decode(audio=0))
        assert abs(length - original.getnframes()) < 3_000, "an encoder's padding at most"


NOISE = np.random.default_rng(0).standard_normal(24_000 * 31)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda speech: speech[:48_000], "shorter than 3 seconds"),
        (lambda speech: np.resize(speech, 24_000 * 31), "longer than 30 seconds"),
        (lambda speech: speech * 0, "silent"),
        (lambda speech: speech * 0.005, "too quiet"),
        (lambda speech: speech * 40, "clipped"),
        (lambda speech: NOISE[: len(speech)] * 0.1, "no speech"),
        (lambda speech: 0.3 * np.sin(np.arange(len(speech)) / 20), "no speech"),
    ],
    ids=["short", "long", "silent", "quiet", "clipped", "noise", "tone"],
)
def test_a_sample_that_would_clone_badly_is_refused(
    voices: Voices,
    customer: Customer,
    recording: bytes,
    change: Callable[[np.ndarray], np.ndarray],  # type: ignore[type-arg]
    said: str,
) -> None:
    consent = voices.consent(recording).json()["id"]
    answer = voices.create(changed(recording, change), consent)
    assert error(answer) == (400, "invalid_audio", "audio_sample")
    assert said in answer.json()["error"]["message"]
    assert error(voices.consent(changed(recording, change))) == (400, "invalid_audio", "recording")
    assert not CustomVoice.objects.filter(organization=customer.organization).exists()


def test_two_who_take_turns_are_no_voice(
    service: Service, customer: Customer, voices: Voices, recording: bytes
) -> None:
    asked = {
        "model": "tts-1",
        "input": f"[SPEAKER0] {CONSENT} [SPEAKER1] {CONSENT}",
        "voices": {"SPEAKER0": "coral", "SPEAKER1": "onyx"},
        "response_format": "wav",
    }
    both = httpx.post(f"{service.url}/v1/audio/speech", json=asked, headers=customer.headers, timeout=60)
    assert both.status_code == 200
    answer = voices.create(both.content, voices.consent(recording).json()["id"])
    assert error(answer) == (400, "invalid_audio", "audio_sample")
    assert "more than one person" in answer.json()["error"]["message"]


def test_a_consent_that_cannot_be_the_phrase_is_refused(
    voices: Voices, customer: Customer, recording: bytes
) -> None:
    for change in (lambda speech: speech[: 24_000 * 3], lambda speech: np.resize(speech, 24_000 * 29)):
        cut = changed(recording, change)
        answer = voices.consent(cut)
        assert error(answer) == (400, "invalid_audio", "recording")
        assert "consent phrase" in answer.json()["error"]["message"]
        assert voices.create(cut, voices.consent(recording).json()["id"]).status_code == 200, "a sample may be so"
    assert VoiceConsent.objects.filter(organization=customer.organization).count() == 2


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.5])
def test_speech_is_taken_quiet_and_loud_and_in_a_noisy_room(voices: Voices, recording: bytes, gain: float) -> None:
    noisy = changed(recording, lambda speech: gain * (speech + 0.01 * NOISE[: len(speech)]))
    assert voices.consent(noisy).status_code == 200


def test_bad_forms_are_refused_by_their_member(voices: Voices, recording: bytes) -> None:
    consent = voices.consent(recording).json()["id"]
    file = {"audio_sample": ("sample.wav", recording, "audio/wav")}
    good = {"name": "Ada", "consent": consent}

    def post(data: dict[str, str], files: object = file) -> tuple[int, str, str]:
        return error(voices.ask("POST", "/voices", data=data, files=files))

    assert post({"consent": consent}) == (400, "missing_required_parameter", "name")
    assert post(good | {"name": " "}) == (400, "invalid_value", "name")
    assert post(good | {"name": "a\0b"}) == (400, "invalid_value", "name")
    assert post(good | {"name": "x" * 201}) == (400, "invalid_value", "name")
    assert post(good | {"pitch": "high"}) == (400, "unknown_parameter", "pitch")
    assert post(good | {"type": "prompt"}) == (400, "unsupported_value", "type")
    assert post(good | {"consent": "cons_" + "0" * 32}) == (404, "consent_not_found", "consent")
    assert post(good | {"consent": "none"}) == (404, "consent_not_found", "consent")
    assert post(good, {"other": ("x.wav", b"", "audio/wav")}) == (
        400,
        "missing_required_parameter",
        "audio_sample",
    )
    text = {"audio_sample": (None, "not a file")}
    assert post(good, text) == (400, "invalid_value", "audio_sample")
    typed = {"audio_sample": ("sample.txt", recording, "text/plain")}
    assert post(good, typed) == (400, "unsupported_value", "audio_sample")
    lied = {"audio_sample": ("sample.mp3", b"#EXTM3U\nfile:///etc/passwd\n", "audio/mpeg")}
    assert post(good, lied) == (400, "invalid_audio", "audio_sample")
    large = {"audio_sample": ("sample.wav", tone(62), "audio/wav")}
    assert post(good, large) == (400, "invalid_audio", "audio_sample")
    larger = {"audio_sample": ("sample.wav", b"0" * (12 << 20), "audio/wav")}
    assert post(good, larger)[:2] == (413, "request_too_large")
    assert error(voices.consent(recording, language="tlh")) == (400, "unsupported_value", "language")
    assert error(voices.consent(recording, language="?")) == (400, "invalid_value", "language")
    json = voices.ask("POST", "/voices", json=good)
    assert error(json)[:2] == (415, "unsupported_media_type")
    broken = voices.ask("POST", "/voices", content=b"--x", headers={"content-type": "multipart/form-data"})
    assert broken.status_code in (400, 401)


def test_a_client_that_hangs_up_in_its_upload_leaves_nothing(
    service: Service, voices: Voices, customer: Customer, recording: bytes
) -> None:
    consent = voices.consent(recording).json()["id"]
    url = f"{service.url}/v1/audio/voices"
    form = {"name": (None, "Ada"), "consent": (None, consent), "audio_sample": ("a.wav", recording, "audio/wav")}
    request = httpx.Request("POST", url, headers=customer.headers, files=form)
    body = request.read()
    port = httpx.URL(service.url).port
    for sent in (len(body) // 2, len(body)):  # midway, and before the answer
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            connection.sendall(f"POST /v1/audio/voices HTTP/1.1\r\n{head}\r\n".encode() + body[:sent])
    assert voices.create(recording, consent).status_code in (200, 429)  # the service goes on
    kept = CustomVoice.objects.filter(organization=customer.organization)
    assert (
        kept.count()
        == AuditEvent.objects.filter(organization_id=customer.organization.id, action="voice.created").count()
    )
    left = [path for path in Path(tempfile.gettempdir()).glob("speech-upload-*") if any(path.iterdir())]
    wait_for(lambda: not [path for path in left if path.exists()], what="no upload lies on the disk")


def test_a_sample_with_its_words_has_at_most_twenty_seconds(
    voices: Voices, customer: Customer, recording: bytes
) -> None:
    consent = voices.consent(recording).json()["id"]
    long = changed(recording, lambda speech: np.resize(speech, 24_000 * 21))
    answer = voices.create(long, consent, transcript=CONSENT)
    assert "longer than 20 seconds" in answer.json()["error"]["message"]
    assert voices.create(long, consent).status_code == 200
    assert voices.create(recording, consent, transcript=f" {CONSENT}\n").status_code == 200
    kept = CustomVoice.objects.filter(organization=customer.organization).order_by("id")
    assert [each.transcript for each in kept] == ["", CONSENT]


def test_an_organization_has_as_many_as_it_may(voices: Voices, customer: Customer, recording: bytes) -> None:
    call_command("set_limits", str(customer.organization.id), voices=2)
    consent = voices.consent(recording).json()["id"]
    with ThreadPoolExecutor() as pool:
        answers = [each.status_code for each in pool.map(lambda _: voices.create(recording, consent), range(4))]
    while answers.count(200) < 2:  # those that came while another was decoded were told to come again
        answers.append(voices.create(recording, consent).status_code)
    assert set(answers) <= {200, 400, 429, 503}
    refused = voices.create(recording, consent)
    assert error(refused) == (400, "voice_limit_reached", None)
    assert "has 2 voices" in refused.json()["error"]["message"]
    assert CustomVoice.objects.filter(organization=customer.organization).count() == 2


def test_a_consent_that_is_withdrawn_takes_its_voices_along(
    voices: Voices, customer: Customer, recording: bytes
) -> None:
    kept = voices.make(recording)
    consent = voices.consent(recording).json()["id"]
    gone = [voices.create(recording, consent).json()["id"] for _ in range(2)]
    assert voices.ask("DELETE", f"/voice_consents/{consent}").status_code == 200
    assert [each["id"] for each in voices.ask("GET", "/voices").json()["data"]] == [kept]
    noted = AuditEvent.objects.filter(organization_id=customer.organization.id, action="voice.deleted")
    assert {each.detail["id"] for each in noted} == {*gone}


def test_a_consent_stays_while_a_voice_rests_on_it(voices: Voices, recording: bytes) -> None:
    consent = voices.consent(recording).json()["id"]
    first, second = (voices.create(recording, consent).json()["id"] for _ in range(2))
    voices.ask("DELETE", f"/voices/{first}")
    assert voices.ask("GET", f"/voice_consents/{consent}").status_code == 200
    voices.ask("DELETE", f"/voices/{second}")
    assert voices.ask("GET", f"/voice_consents/{consent}").status_code == 404


def test_an_engine_that_cannot_clone_refuses_a_voice_by_name(
    service: Service, customer: Customer, voices: Voices, recording: bytes, new_customer: Callable[..., Customer]
) -> None:
    named = voices.make(recording)

    def speech(who: Customer, **members: object) -> httpx.Response:
        asked = {"model": "tts-1", "input": "Hello.", **members}
        return httpx.post(f"{service.url}/v1/audio/speech", json=asked, headers=who.headers)

    def chat(who: Customer, audio: dict[str, object]) -> httpx.Response:
        asked = body("[SPEAKER0] Hello. [SPEAKER1] You.", audio=audio)
        return httpx.post(f"{service.url}/v1/chat/completions", json=asked, headers=who.headers)

    stranger = new_customer()
    places = {
        "voice": lambda who, id: speech(who, voice=id),
        "voice ": lambda who, id: speech(who, voice={"id": id}),
        "voices.SPEAKER1": lambda who, id: speech(who, input="[SPEAKER1] Hi.", voices={"SPEAKER1": id}),
        "audio.voice": lambda who, id: chat(who, {"voice": {"id": id}}),
        "audio.voices.SPEAKER0": lambda who, id: chat(who, {"voices": [id]}),
    }
    for place, ask in places.items():
        assert error(ask(customer, named)) == (400, "voice_not_supported", place.strip())
        assert error(ask(customer, UNKNOWN)) == (404, "voice_not_found", place.strip())
        assert error(ask(stranger, named)) == (404, "voice_not_found", place.strip())
    offered = httpx.get(f"{service.url}/v1/voices", headers=customer.headers).json()["data"]
    assert [each["id"] for each in offered] == [*VOICES]


def test_the_voices_of_a_deleted_organization_are_deleted(
    voices: Voices, customer: Customer, recording: bytes
) -> None:
    voices.make(recording)
    erasure.delete_organization(customer.organization.id, by=None)
    assert not CustomVoice.objects.filter(organization=customer.organization).exists()
    assert not VoiceConsent.objects.filter(organization=customer.organization).exists()
