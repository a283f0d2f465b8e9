"""What Open WebUI, Home Assistant, LibreChat and SillyTavern send, in the shapes that their sources show.

- Open WebUI: backend/open_webui/routers/audio.py
- Home Assistant: custom_components/openai_tts of sfortis/openai_tts (engine and the check of its set-up)
- LibreChat: api/server/services/Files/Audio/TTSService.js
- SillyTavern: public/scripts/extensions/tts/openai-compatible.js, forwarded by its server
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Customer
from tests.gateway.speaking import decode
from tests.live import Service

OPEN_WEBUI = {
    "X-OpenWebUI-User-Name": "Ada",
    "X-OpenWebUI-User-Id": "1",
    "X-OpenWebUI-User-Email": "ada@example.com",
    "X-OpenWebUI-User-Role": "admin",
    "User-Agent": "Python/3.11 aiohttp/3.11.11",
}
SHAPES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "Open WebUI": ({"model": "tts-1", "input": "Hello there.", "voice": "alloy"}, OPEN_WEBUI),
    "Open WebUI, formatted": (
        {"input": "Hello there.", "voice": "nova", "model": "tts-1-hd", "response_format": "mp3", "speed": 1},
        OPEN_WEBUI,
    ),
    "Home Assistant": (
        {"model": "tts-1", "input": "The door is open.", "voice": "shimmer", "response_format": "wav", "speed": 1},
        {"User-Agent": "python-requests/2.32.3"},
    ),
    "Home Assistant, set-up": (
        {"model": "tts-1", "input": ".", "voice": "alloy", "response_format": "mp3"},
        {"User-Agent": "HomeAssistant/2026.11 aiohttp/3.13"},
    ),
    "LibreChat": (
        {"input": "A reply, read aloud.", "model": "tts-1", "voice": "echo"},
        {"User-Agent": "axios/1.8.2", "Accept": "application/json, text/plain, */*"},
    ),
    "LibreChat, a voice for a model": ({"input": "A piece.", "model": "tts-1"}, {"User-Agent": "axios/1.8.2"}),
    "SillyTavern": (
        {
            "input": "Hello . How are you . Fine .",
            "response_format": "mp3",
            "voice": "fable",
            "speed": 1.05,
            "model": "tts-1",
        },
        {"User-Agent": "node-fetch"},
    ),
}


def post(service: Service, customer: Customer, request: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    url = f"{service.url}/v1/audio/speech"
    return httpx.post(url, json=request, headers={**customer.headers, **headers}, timeout=30)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_spoken(service: Service, customer: Customer, shape: str) -> None:
    request, headers = SHAPES[shape]
    answer = post(service, customer, request, headers)
    assert answer.status_code == 200, answer.text
    samples, rate, _ = decode(answer.content)
    assert (len(samples) > rate / 4) is (request["input"] != ".")


def test_open_webui_lists_models_and_voices_as_it_asks(service: Service) -> None:
    models = httpx.get(f"{service.url}/v1/audio/models").json()["models"]
    voices = httpx.get(f"{service.url}/v1/audio/voices").json()["voices"]
    assert {"tts-1", "tts-1-hd"} <= {model["id"] for model in models}
    assert {"alloy", "echo", "fable", "onyx", "nova", "shimmer"} <= {
        voice["id"]: voice["name"] for voice in voices
    }.keys()


@pytest.mark.parametrize("pieces", [["Hello", "!", " ", "How are you?"], ["**", "Bold", "**"]])
def test_librechat_reads_a_reply_in_pieces_to_its_end(
    service: Service, customer: Customer, pieces: list[str]
) -> None:
    """It gives up at the first piece that is refused; blank pieces it does not send."""
    for piece in filter(str.strip, pieces):
        assert post(service, customer, {"input": piece, "model": "tts-1", "voice": "alloy"}, {}).status_code == 200
