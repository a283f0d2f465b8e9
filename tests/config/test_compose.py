"""Docker Compose runs what the supervisor runs, with names that the environment knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import parts
from config.environment import Environment
from tests.live import ROOT

CONCURRENCY = 8
COMMANDS = {
    "migrate": parts.MIGRATE,
    "gateway": parts.GATEWAY,
    "worker": parts.worker(CONCURRENCY),
    "worker-gpu": parts.worker(CONCURRENCY),
    "probe": parts.PROBE,
    "beat": parts.beat(Path("/var/lib/speech")),
}
NOT_OURS = {"postgres", "valkey"}


def _fill_in(text: str) -> str:
    """What Compose makes of `${NAME:-default}`; a required one becomes its name."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return re.sub(r"\$\{(\w+):\?[^}]+\}", r"\1", text)


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_fill_in(text))["services"]
    return found


def test_every_part_is_there(services: dict[str, Any]) -> None:
    assert services.keys() == COMMANDS.keys() | NOT_OURS
    names = {part.name for part in parts.of_service(Path("var"), CONCURRENCY)}
    assert names == services.keys() - NOT_OURS - {"migrate", "worker-gpu"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_the_supervisors(services: dict[str, Any], name: str) -> None:
    assert tuple(services[name]["command"]) == COMMANDS[name]


def test_the_supervisor_runs_the_same_table() -> None:
    run = {part.name: part.command for part in parts.of_service(Path("/var/lib/speech"), CONCURRENCY)}
    assert run == {name: parts.in_this_python(COMMANDS[name]) for name in ("gateway", "worker", "beat", "probe")}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_variable_is_known(services: dict[str, Any], name: str) -> None:
    known = {field.upper() for field in Environment.model_fields}
    assert services[name]["environment"].keys() <= known


def test_a_container_starts_with_what_it_is_given(services: dict[str, Any]) -> None:
    given = services["gateway"]["environment"] | {"SECRET_KEY": "k" * 32, "API_KEY_PEPPERS": f"1:{'ab' * 32}"}
    given["PUBLIC_URL"] = "https://speech.example"
    parsed = Environment.model_validate({name.lower(): value for name, value in given.items() if value})
    assert not parsed.embedded


def test_whoever_writes_letters_can_send_them(services: dict[str, Any]) -> None:
    """The gateway writes those of sign-up, the workers those about invoices."""
    for name in ("gateway", "worker", "worker-gpu"):
        assert {"EMAIL_URL", "EMAIL_FROM", "PUBLIC_URL"} <= services[name]["environment"].keys()


def test_only_the_gateway_is_reached_from_outside(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["gateway"]


def test_secrets_are_demanded_and_never_written_down(text: str) -> None:
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY", "API_KEY_PEPPERS", "PUBLIC_URL"):
        uses = re.findall(rf"\${{{name}[^}}]*}}", text)
        assert uses
        assert all(use.startswith(f"${{{name}:?") for use in uses)


def test_all_who_touch_audio_share_one_volume(services: dict[str, Any]) -> None:
    for name in COMMANDS:
        assert services[name]["volumes"] == ["audio:/var/lib/speech"]


def test_all_who_send_letters_know_the_mail_server(services: dict[str, Any]) -> None:
    """The gateway sends invitations, the workers invoices and alerts."""
    for name in ("gateway", "worker", "worker-gpu"):
        assert {"EMAIL_URL", "EMAIL_FROM"} <= services[name]["environment"].keys()
