"""Code that people already have, unchanged: the official SDKs, LiteLLM, LangChain, each in an own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from billing.models import UsageRecord
from tests.clients import environments
from tests.clients.proxy import Failure, failing_once
from tests.conftest import Customer
from tests.gateway.voices import CONSENT, recorded
from tests.live import Service, wait_for

SCRIPTS = Path(__file__).parent / "scripts"
WAV_HEADER = 44
MODEL = "boson/higgs-audio-v2.5"
TEXT = "The quick brown fox jumps over the lazy dog."

SDKS = {
    "openai 2": lambda: [*environments.python("openai==2.*"), str(SCRIPTS / "openai_python.py")],
    "openai 3.3": lambda: [*environments.python("openai==3.3.*"), str(SCRIPTS / "openai_python.py")],
    "openai newest": lambda: [*environments.python("openai>=3.54"), str(SCRIPTS / "openai_python.py")],
    "openai js": lambda: _script(environments.node("openai@7"), "openai_js.mjs"),
}
CALLERS = {
    "litellm": lambda: [*environments.python("litellm==1.*"), str(SCRIPTS / "litellm_caller.py")],
    "langchain": lambda: [*environments.python("langchain-openai==1.*"), str(SCRIPTS / "langchain_caller.py")],
}


def _script(node: list[str], name: str) -> list[str]:
    interpreter, folder = node
    return [interpreter, str(SCRIPTS / name), folder]


def run(command: list[str], url: str, customer: Customer, **more: str) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": customer.secret,
        **more,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


def records(customer: Customer) -> list[UsageRecord]:
    return list(UsageRecord.objects.filter(organization=customer.organization))


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_works_as_it_is(
    service: Service, customer: Customer, new_customer: Callable[..., Customer], sdk: str
) -> None:
    poor = new_customer(credit="0")
    seen = run(SDKS[sdk](), service.url, customer, POOR_KEY=poor.secret)
    assert MODEL in seen["models"]
    seconds = seen["chat"]["seconds"]
    whole = round(seconds * 24_000) * 2
    assert seconds > 1
    assert seen["chat"] == {"bytes": WAV_HEADER + whole, "seconds": seconds, "transcript": TEXT}
    assert seen["chat stream"] == {"bytes": whole, "seconds": seconds}
    assert seen["speech"] == seen["speech stream"] == whole
    headers = seen["headers"]
    assert headers["x-request-id"].startswith("req_")
    assert int(headers["openai-processing-ms"]) >= 0
    assert Decimal(seen["cost"]) == Decimal("0.045") * Decimal(str(seconds)) / 60
    requests = 4
    if also := seen.get("asynchronous"):
        assert also == {"chat": seen["chat"], "chat stream": seen["chat stream"], "speech": whole}
        requests += 3
    assert seen["wrong key"] == {"type": "AuthenticationError", "status": 401, "code": "invalid_api_key"}
    assert seen["no such model"] == {"type": "NotFoundError", "status": 404, "code": "model_not_found"}
    assert seen["no credit"] == {"type": "RateLimitError", "status": 429, "code": "insufficient_quota"}
    assert [record.duration_ms for record in records(customer)] == [round(seconds * 1000)] * requests
    assert not records(poor)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_library_that_calls_openai_calls_us(service: Service, customer: Customer, caller: str) -> None:
    seen = run(CALLERS[caller](), service.url, customer)
    seconds = seen["chat"]["seconds"]
    whole = round(seconds * 24_000) * 2
    assert seen["chat"] == {"bytes": WAV_HEADER + whole, "seconds": seconds, "transcript": TEXT}
    assert seen["asynchronous"]["chat"] == seen["chat"]
    assert seen.get("chat stream", {"bytes": whole})["bytes"] == whole
    assert seen.get("speech", whole) == whole


@pytest.mark.parametrize(
    ("sdk", "failure"),
    [
        *product(SDKS, ["503", "cut before the answer"]),
        *product(list(SDKS)[:3], ["cut in the answer"]),  # the JavaScript one does not try again once headers came
    ],
)
def test_an_sdks_own_retry_is_charged_once(
    service: Service, customer: Customer, sdk: str, failure: Failure
) -> None:
    command = SDKS[sdk]()
    with failing_once(service.url, failure) as proxy:
        seen = run(command, proxy.url, customer, RETRIED="1")
        assert proxy.tries == ["0", "1"]
    assert seen["chat"]["bytes"] == WAV_HEADER + round(seen["chat"]["seconds"] * 24_000) * 2
    wait_for(lambda: records(customer))
    assert [record.duration_ms for record in records(customer)] == [round(seen["chat"]["seconds"] * 1000)]


@pytest.mark.parametrize("sdk", ["openai==1.*", "openai>=3.54"])
def test_the_model_makers_example_does_its_five_tasks(service: Service, customer: Customer, sdk: str) -> None:
    seen = run([*environments.python(sdk), str(SCRIPTS / "model_maker_python.py")], service.url, customer)
    assert {task["rate"] for task in seen.values()} == {24_000}
    assert seen["plain"]["text"] == "The sun rises in the east and sets in the west."
    assert seen["two speakers"]["text"].startswith("[SPEAKER0] I cannot find the keys.")
    assert seen["two speakers streamed"]["samples"] == seen["two speakers"]["samples"]
    assert seen["cloned streamed"]["samples"] == seen["cloned"]["samples"] > 24_000
    assert len(records(customer)) == 5


def test_a_batch_of_the_javascript_sdk(service: Service, customer: Customer) -> None:
    seen = run(_script(environments.node("openai@7"), "openai_js_batches.mjs"), service.url, customer)
    assert seen == {
        "status": "completed",
        "counts": {"total": 2, "completed": 2, "failed": 0},
        "metadata": {"book": "one"},
        "results": ["line 1", "line 2"],
        "listed": True,
        "deleted": True,
    }


def test_a_voice_of_the_javascript_sdk(service: Service, customer: Customer, tmp_path: Path) -> None:
    recording = tmp_path / "consent.wav"
    recording.write_bytes(recorded(service, customer, CONSENT))
    command = [*_script(environments.node("openai@7"), "openai_js_voices.mjs"), str(recording)]
    assert run(command, service.url, customer) == {
        "object": "audio.voice",
        "retrieved": True,
        "listed": True,
        "refused": "voice_not_supported",  # by the preview voice, which cannot clone
        "deleted": True,
        "gone": 404,
    }
