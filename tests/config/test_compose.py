"""Docker Compose runs what the supervisor runs; each part is given what it reads, and may do what it must."""

from __future__ import annotations

import re
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from config.environment import Environment
from launch import parts
from launch.embedded import _valkey_program
from tests.live import ROOT, free_port, wait_for

CONCURRENCY = 8
COMMANDS = {
    "migrate": parts.MIGRATE,
    "gateway": parts.GATEWAY,
    "worker": parts.worker(CONCURRENCY, parts.SPEECH),
    "worker-gpu": parts.worker(CONCURRENCY, parts.SPEECH),
    "maintenance": parts.worker(parts.MAINTENANCE_CONCURRENCY, parts.MAINTENANCE),
    "probe": parts.PROBE,
    "beat": parts.beat(Path("/var/lib/speech")),
}
NOT_OURS = {"postgres", "valkey", "proxy"}

# Who reads which variable. Each that .env.example documents is in one of these.
EVERY_PART = {"DATABASE_URL", "REDIS_URL", "VAR_DIR", "LOG_LEVEL", "DATABASE_POOL_SIZE", "PGBOUNCER"}
SECRETS = {"SECRET_KEY", "API_KEY_PEPPERS"}
BUSINESS = {
    *SECRETS,
    *("DEBUG", "PUBLIC_URL", "ALERTS_PRIVATE_TARGETS", "EMAIL_URL", "EMAIL_FROM"),
    *("REQUEST_LOG_MONTHS", "JOB_DAYS", "MODEL_ALIASES", "BATCH_SHARE", "BATCH_RESULTS_TTL_SECONDS"),
    *("BATCH_PRICE_MULTIPLE", "FLEX_PRICE_MULTIPLE", "PRIORITY_PRICE_MULTIPLE"),
    *(f"COMPANY_{what}" for what in ("NAME", "ADDRESS", "TAX_IDS", "EMAIL", "PAYMENT", "LOGO")),
    *(f"STRIPE_{what}" for what in ("SECRET_KEY", "WEBHOOK_SECRET", "API_BASE", "METER_EVENT", "TAX")),
}
DOOR = {
    *(
        "WEB_DATABASE_URL",
        "HOST",
        "PORT",
        "ALLOWED_HOSTS",
        "PROXIES",
        "TRUSTED_PROXIES",
        "CORS_ALLOWED_ORIGINS",
        "METRICS_TOKEN",
    ),
    *("OIDC_ISSUER", "OIDC_NAME", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"),
    *("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
    *("PROMO_CREDIT_DOLLARS", "PROMO_CREDITS_PER_NETWORK", "ORGANIZATIONS_PER_PERSON"),
    "VOICES_PER_ORGANIZATION",
    "OPERATOR_CEILING_DOLLARS",
    *(
        "REQUEST_DEADLINE_SECONDS",
        "REQUESTS_PER_MINUTE",
        "AUDIO_SECONDS_PER_MINUTE",
        "CONCURRENT_JOBS",
        "INPUT_CHARACTERS",
    ),
    *("RATE_LIMIT_GRACE_SECONDS", "MAX_BODY_BYTES", "MAX_HEADER_BYTES", "MAX_CONNECTIONS"),
    *("MAX_CONNECTIONS_PER_ADDRESS", "HEAD_SECONDS", "BODY_SECONDS", "WRITE_SECONDS", "KEEP_ALIVE_SECONDS"),
}
VOICE = {
    *("ENGINE", "WORKER_CONCURRENCY", "JOB_LEASE_SECONDS", "WORKER_GRACE_SECONDS", "AUDIO_TTL_SECONDS"),
    *(f"HIGGS_{what}" for what in ("CHECKPOINT", "VOICES", "DEVICE", "DTYPE", "THREADS", "SLOTS", "CONTEXT")),
    *("HIGGS_PREFILL_TOKENS", "HIGGS_PACE_SECONDS"),
}
READS = {
    "migrate": EVERY_PART | {"KEYLESS"},
    "gateway": EVERY_PART | BUSINESS | DOOR,
    "maintenance": EVERY_PART | BUSINESS,
    "worker": EVERY_PART | VOICE | {"KEYLESS"},
    "worker-gpu": EVERY_PART | VOICE | {"KEYLESS"},
    "probe": EVERY_PART | {"KEYLESS", "PROBE_URL", "PUBLIC_URL", "ALLOWED_HOSTS"},
    "beat": EVERY_PART | {"KEYLESS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"},
}


def _fill_in(text: str) -> str:
    """What Compose makes of `${NAME:-default}`; a required one becomes its name, `:+` what it is replaced with."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    text = re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", text)
    return re.sub(r"\$\{(\w+):\?[^}]+\}", r"\1", text)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_fill_in(text))
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
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
    names = ("worker", "maintenance", "gateway", "beat", "probe")
    assert run == {name: parts.in_this_python(COMMANDS[name]) for name in names}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_part_is_given_what_it_reads_and_no_more(services: dict[str, Any], name: str) -> None:
    assert services[name]["environment"].keys() == READS[name]


def test_each_documented_variable_reaches_a_part() -> None:
    documented = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set.union(*READS.values()) == documented == {field.upper() for field in Environment.model_fields}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_container_starts_with_what_it_is_given(services: dict[str, Any], name: str) -> None:
    given = dict(services[name]["environment"])
    if "API_KEY_PEPPERS" in given:
        given |= {"SECRET_KEY": "k" * 32, "API_KEY_PEPPERS": f"1:{'ab' * 32}", "PUBLIC_URL": "https://a.example"}
    parsed = Environment.model_validate({name.lower(): value for name, value in given.items() if value})
    assert not parsed.embedded


def test_secrets_are_with_those_who_need_them(services: dict[str, Any], text: str) -> None:
    for name, part in services.items():
        holds = {
            variable for variable, value in part.get("environment", {}).items() if variable in SECRETS and value
        }
        assert holds == (SECRETS if name in ("gateway", "maintenance") else set()), name
    stripes = services["beat"]["environment"]["STRIPE_SECRET_KEY"]
    assert stripes == "known to others", "the clock needs to know that there is one"
    beat = text.partition("\n  beat:")[2]
    assert set(re.findall(r"\$\{(STRIPE_\w+)(:.)", beat)) == {
        ("STRIPE_SECRET_KEY", ":+"),
        ("STRIPE_WEBHOOK_SECRET", ":+"),
    }


def test_secrets_are_demanded_and_never_written_down(text: str) -> None:
    for name in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD", "SECRET_KEY", "API_KEY_PEPPERS", "PUBLIC_URL"):
        uses = re.findall(rf"\${{{name}[^}}]*}}", text)
        assert uses
        assert all(use.startswith(f"${{{name}:?") for use in uses)


def test_every_container_is_confined(services: dict[str, Any]) -> None:
    for name, part in services.items():
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert part["read_only"] is True, name
        assert part["tmpfs"], name
        assert part["mem_limit"], name
        assert part["pids_limit"], name
        assert "privileged" not in part, name
        assert "cap_add" not in part or name == "postgres", name


def test_images_are_pinned_and_ours_runs_as_nobody_much(services: dict[str, Any]) -> None:
    for name in NOT_OURS:
        assert re.fullmatch(r"[\w/-]+:\d+\.\d+(\.\d+)?", services[name]["image"]), name
    dockerfile = (ROOT / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim", base) for base in bases)
    assert re.search(r"^USER (?!root|0)\w+$", dockerfile, re.MULTILINE)


def test_only_the_proxy_is_reached_from_other_machines(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published.keys() == {"gateway", "proxy"}
    assert all(port.startswith("127.0.0.1:") for port in published["gateway"])


def test_the_gateway_believes_the_proxy_alone(services: dict[str, Any], compose: dict[str, Any]) -> None:
    proxy = services["proxy"]["networks"]["outside"]["ipv4_address"]
    environment = services["gateway"]["environment"]
    assert environment["PROXIES"] == 1 or environment["PROXIES"] == "1"
    assert ip_network(environment["TRUSTED_PROXIES"]) == ip_network(f"{proxy}/32")
    [subnet] = compose["networks"]["outside"]["ipam"]["config"]
    assert ip_address(proxy) in ip_network(subnet["subnet"])


def test_what_computes_reaches_nobody_outside(services: dict[str, Any], compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    reach_out = {name for name, service in services.items() if "outside" in service["networks"]}
    assert reach_out == {"gateway", "maintenance", "proxy"}


def test_valkey_has_a_password_and_an_end(services: dict[str, Any]) -> None:
    """Its command, run with the wheel's Valkey."""
    *shell, script = services["valkey"]["command"]
    port = free_port()
    script = script.replace("$$", "$").replace("valkey-server -", f"{_valkey_program()} - --port {port}")
    environment = {
        "VALKEY_PASSWORD": "hunter2",
        "VALKEY_MEMORY": services["valkey"]["environment"]["VALKEY_MEMORY"],
    }
    with subprocess.Popen([*shell, script], env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            with redis.Redis(port=port, password="hunter2") as client:
                wait_for(lambda: _answers(client), what="Valkey answers")
                bound = client.config_get("maxmemory*")
                assert (bound["maxmemory"], bound["maxmemory-policy"]) == (str(1024**3), "noeviction")
            with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
                stranger.ping()
        finally:
            server.terminate()
    assert server.returncode == 0, "the signal reaches it"
    for name in COMMANDS:
        assert services[name]["environment"]["REDIS_URL"] == "redis://:VALKEY_PASSWORD@valkey:6379/0"


def test_all_who_touch_audio_share_one_volume(services: dict[str, Any]) -> None:
    touch = {name for name in COMMANDS if services[name]["volumes"]}
    assert touch == COMMANDS.keys() - {"migrate", "probe"}
    for name in touch:
        assert services[name]["volumes"] == ["audio:/var/lib/speech"]


def test_the_proxy_streams_and_bounds() -> None:
    directives = dict(
        re.findall(r"^\s*(\w+) ([^;{]+);", (ROOT / "deploy" / "nginx.conf").read_text(), re.MULTILINE)
    )
    assert (directives["proxy_buffering"], directives["proxy_request_buffering"]) == ("off", "off")
    for bound in (
        *("client_header_timeout", "client_body_timeout", "send_timeout", "keepalive_timeout"),
        *("client_max_body_size", "large_client_header_buffers", "limit_conn"),
    ):
        assert bound in directives
    assert "X-Forwarded-For $remote_addr" in (ROOT / "deploy" / "nginx.conf").read_text()
