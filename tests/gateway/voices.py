"""Recordings of a voice, and the voices that are made of them."""

from __future__ import annotations

import io
from typing import Any

import av
import httpx

from tests.conftest import Customer
from tests.live import Service

CONSENT = (
    "I am the owner of this voice, and I consent to Speech using this voice to create a synthetic voice model."
)
"""The phrase as the tests' service asks for it."""
CONTAINERS = {"m4a": ("mp4", "aac"), "webm": ("webm", "libopus"), "ogg": ("ogg", "libopus")}
"""What the service does not speak in: the container and the encoder."""


def recorded(service: Service, customer: Customer, text: str, format: str = "wav") -> bytes:
    """Somebody's speech in a format: what the service says, as a recording."""
    spoken = format if format not in CONTAINERS else "wav"
    answer = httpx.post(
        f"{service.url}/v1/audio/speech",
        json={"model": "tts-1", "input": text, "voice": "coral", "response_format": spoken},
        headers=customer.headers,
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.content if format not in CONTAINERS else _remade(answer.content, *CONTAINERS[format])


def _remade(data: bytes, container: str, encoder: str) -> bytes:
    file = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(file, "w", format=container) as target:
        stream: Any = target.add_stream(encoder, rate=48_000)
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000, frame_size=960)
        for frame in (*source.decode(audio=0), None):
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return file.getvalue()


class Voices:
    """A customer's voices, over the API."""

    def __init__(self, service: Service, customer: Customer) -> None:
        self._url, self._headers = f"{service.url}/v1/audio", customer.headers

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self._headers, **more.pop("headers", {})}
        return httpx.request(method, self._url + path, headers=headers, timeout=60, **more)

    def consent(self, recording: bytes, **more: Any) -> httpx.Response:
        fields = {"name": "Ada's consent", "language": "en-US", **more}
        files = {"recording": ("consent.wav", recording, "audio/wav")}
        return self.ask("POST", "/voice_consents", data=fields, files=files)

    def create(
        self, sample: bytes, consent: str, *, file: tuple[str, str] = ("sample.wav", "audio/wav"), **more: Any
    ) -> httpx.Response:
        """`file`: the sample's name and content type."""
        files = {"audio_sample": (file[0], sample, file[1])}
        return self.ask("POST", "/voices", data={"name": "Ada", "consent": consent, **more}, files=files)

    def make(self, recording: bytes, **more: Any) -> str:
        """A new voice's id."""
        consent = self.consent(recording)
        assert consent.status_code == 200, consent.text
        voice = self.create(recording, consent.json()["id"], **more)
        assert voice.status_code == 200, voice.text
        made: str = voice.json()["id"]
        return made
