"""The API reference in the console: every route, its parameters, answers and errors, and code that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from console import reference
from gateway.routes import document
from tests.conftest import Customer
from tests.live import Service


@pytest.mark.django_db
def test_the_reference_tells_every_route_and_how_to_call_it() -> None:
    page = Client().get("/reference").content.decode()
    for route, item in document()["paths"].items():
        assert f"<code>{route}</code>" in page
        assert all(operation["summary"] in page for operation in item.values())
    assert "integer, 1 to 562500" in page
    assert "curl http://127.0.0.1:8000/v1/chat/completions \\" in page
    assert "curl http://127.0.0.1:8000/v1/audio/speech \\" in page
    assert "`" not in page
    for guide in ("authentication", "streaming", "limits", "billing", "errors"):
        assert f'id="{guide}"' in page
        assert f'href="#{guide}"' in page


def by_id(base_url: str) -> dict[str, reference.Operation]:
    return {each.id: each for tagged in reference.operations(base_url).values() for each in tagged}


def test_the_reference_shows_defaults_answers_and_errors() -> None:
    shown = by_id("http://speech.example/v1")
    members = {member.name: member for member in shown["createSpeech"].members}
    assert (members["response_format"].default, members["speed"].default) == ('"mp3"', "1.0")
    assert [name for name, member in members.items() if member.required] == ["model", "input"]
    assert not any(member.required for member in shown["getUsage"].members)
    assert "-o speech.mp3" in shown["createSpeech"].curl
    assert "{" not in shown["getAudio"].curl
    [success] = shown["getKey"].successes
    [(kind, sample)] = success.samples
    assert kind == "application/json"
    assert json.loads(sample)["object"] == "key"
    for operation in shown.values():
        assert all(failure.message for outcome in operation.failures for failure in outcome.failures)
        assert all(outcome.failures for outcome in operation.failures), operation.id


@pytest.mark.parametrize("name", ["createChatCompletion", "createSpeech", "listModels"])
def test_the_python_of_the_reference_runs(service: Service, customer: Customer, name: str, tmp_path: Path) -> None:
    shown = by_id(f"{service.url}/v1")
    env = {**os.environ, "OPENAI_API_KEY": customer.secret}
    ran = subprocess.run(
        [sys.executable, "-c", shown[name].python],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    files = [file.stat().st_size for file in tmp_path.iterdir()]
    assert files == [] if name == "listModels" else files[0] > 1000
    assert ran.stdout.strip()
