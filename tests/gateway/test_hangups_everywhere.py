"""Whoever hangs up, on whichever route and in whichever moment, holds nothing and breaks nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import httpx
import pytest
from django.core.management import call_command
from openai import OpenAI

from accounts.keys import Reach
from billing import verification
from billing.models import Account
from gateway.routes import V1_ROUTES
from tests.conftest import Customer
from tests.gateway.batching import ended, speech_line, start
from tests.gateway.speaking import body, speak
from tests.gateway.voices import CONSENT, Voices, recorded
from tests.live import Service, wait_for
from usage.models import RequestLog

OPERATIONS = [(method, route.path_format) for route in V1_ROUTES for method in sorted(route.operations)]
LINE = json.dumps(speech_line(1)).encode() + b"\n"


@pytest.fixture
def hasty(service: Service, new_customer: Callable[..., Customer]) -> Customer:
    """A customer who may do everything, but only one thing at a time."""
    customer = new_customer(reach=Reach(scopes=("speech", "usage", "admin")))
    limits = {"concurrent_jobs": 1, "requests_per_minute": 10_000, "audio_seconds_per_minute": 100_000}
    call_command("set_limits", str(customer.organization.id), **limits)
    return customer


def test_a_hang_up_at_any_route_leaves_the_service_as_it_was(service: Service, hasty: Customer) -> None:
    with OpenAI(base_url=f"{service.url}/v1", api_key=hasty.secret, max_retries=2) as client:
        spoken = speak(client)
        batch = ended(client, start(client, [speech_line(1)]))
    assert spoken.choices[0].message.audio
    voices = Voices(service, hasty)
    recording = recorded(service, hasty, CONSENT)
    consent = voices.consent(recording).json()["id"]
    ids = {
        "audio_id": spoken.choices[0].message.audio.id,
        "batch_id": batch.id,
        "completion_id": spoken.id,
        "consent_id": consent,
        "dictionary_id": "pd_" + "0" * 32,
        "file_id": batch.input_file_id,
        "key_id": f"key_{hasty.key.id.hex}",
        "model": "tts-1",
        "project_id": "default",
        "request_id": spoken._request_id,
        "service_account_id": "svc_acct_" + "0" * 32,
        "voice_id": "voice_" + "0" * 32,
    }
    forms: dict[str, dict[str, object]] = {
        "/files": {"purpose": (None, "batch"), "file": ("a.jsonl", LINE)},
        "/audio/voices": {"name": (None, "A"), "consent": (None, consent), "audio_sample": ("a.wav", recording)},
        "/audio/voice_consents": {
            "name": (None, "A"),
            "language": (None, "en-US"),
            "recording": ("a.wav", recording),
        },
    }
    bodies: dict[str, object] = {
        "/chat/completions": body(background=True),
        "/audio/speech": {"model": "tts-1", "input": "Hello there."},
        "/batches": {
            "input_file_id": batch.input_file_id,
            "endpoint": "/v1/audio/speech",
            "completion_window": "24h",
        },
        "/pronunciation_dictionaries": {"name": "A", "rules": [{"grapheme": "a", "say": "b"}]},
        "/organization/projects/{project_id}/api_keys": {"name": "A"},
        "/organization/projects/{project_id}/service_accounts": {"name": "A"},
    }
    began = len(service.log("gateway"))
    # What deletes comes last, and of that the key in use.
    for method, path in sorted(OPERATIONS, key=lambda each: (each[0] == "DELETE", "key_id" in each[1])):
        request = httpx.Request(
            method,
            f"{service.url}/v1{path.format(**ids)}",
            headers=hasty.headers,
            files=forms.get(path) if method == "POST" else None,
            json=bodies.get(path, {}) if method == "POST" and path not in forms else None,
        )
        content = request.read()
        moments = (len(content) // 2, len(content)) if content else (0,)
        if (method, path) == ("DELETE", "/organization/projects/{project_id}/api_keys/{key_id}"):
            break  # nobody could ask anything after it
        for sent in moments:
            hang_up(service, request, content[:sent])
        wait_for(lambda: usable(service, hasty), what=f"{method} {path} gave its place back")
    said = service.log("gateway")[began:]
    assert "Traceback" not in said
    rows = RequestLog.objects.filter(organization_id=hasty.organization.id)
    assert rows.count() > len(OPERATIONS)
    assert not rows.filter(status__gte=500).exists()
    wait_for(lambda: Account.objects.get(organization=hasty.organization).held == 0)
    assert verification.verify().clean


def hang_up(service: Service, request: httpx.Request, content: bytes) -> None:
    head = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(f"{head}\r\n".encode() + content)


def usable(service: Service, customer: Customer) -> bool:
    """Whether the one place is free."""
    asked = {"model": "tts-1", "input": "Hi.", "max_completion_tokens": 2}
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=asked, headers=customer.headers, timeout=30)
    return answer.status_code == 200
