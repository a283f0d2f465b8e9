"""GET /v1/models, /healthz, /readyz and the page at /."""

from __future__ import annotations

import httpx
from openai import OpenAI

from inference.speech.voices import VOICES
from tests.conftest import Customer
from tests.live import Service

MODEL = "boson/higgs-audio-v2.5"


def test_the_models(client: OpenAI) -> None:
    [listed] = client.models.list().data
    assert (listed.id, listed.object, listed.owned_by) == (MODEL, "model", "boson")
    assert client.models.retrieve(MODEL) == listed


def test_the_voices(service: Service, customer: Customer) -> None:
    answer = httpx.get(f"{service.url}/v1/voices", headers=customer.headers).json()
    assert [voice["id"] for voice in answer["data"]] == list(VOICES)
    assert answer["data"][0] == {
        "id": "alloy",
        "object": "voice",
        "gender": "feminine",
        "description": "American accent, moderate pitch, even and neutral tone",
    }
    assert httpx.get(f"{service.url}/v1/voices").status_code == 401


def test_health(service: Service) -> None:
    assert httpx.get(f"{service.url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{service.url}/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"database": "ok", "redis": "ok", "worker": "ok"}
    [worker] = ready.json()["workers"]
    assert worker["model"].startswith("hibari-")
    assert worker["device"] == "cpu"


def test_every_answer_has_its_headers(service: Service) -> None:
    for path in ("/", "/healthz", "/v1/models", "/nothing"):
        headers = httpx.get(service.url + path).headers
        assert headers["x-request-id"].startswith("req_")
        assert int(headers["openai-processing-ms"]) >= 0


def test_the_page_shows_price_and_first_request(service: Service) -> None:
    page = httpx.get(service.url).text
    assert "$0.045 per minute" in page
    assert f"{service.url}/v1" in page
    assert MODEL in page
