"""The first request: what it waits for, what it keeps, and what it says when something is wrong."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from config.environment import Environment
from launch import demo, hello
from tests.live import free_port

NOT_READY = {"checks": {"database": "ok", "redis": "ok", "worker": "none alive"}}
NO_CREDIT = {"error": {"message": "No credit.", "type": "insufficient_quota", "param": None, "code": "x"}}


class Answers(BaseHTTPRequestHandler):
    """Not ready at first, then ready; speech is refused."""

    not_ready_times = 0

    def do_GET(self) -> None:
        ready = Answers.not_ready_times == 0
        Answers.not_ready_times -= 1
        self._answer(200 if ready else 503, {} if ready else NOT_READY)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(429, NO_CREDIT)

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made without a database: "fresh" for the first customer, "renewed" for a lost key."""
    calls: list[str] = []

    def ensure() -> str | None:
        calls.append("ensured")
        return "fresh" if len(calls) == 1 else None

    monkeypatch.setattr(demo, "ensure_demo", ensure)
    monkeypatch.setattr(demo, "renew_demo_key", lambda: "renewed")
    monkeypatch.setattr(hello, "_close_connections", lambda: None)


def test_it_waits_until_all_parts_are_ready(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "not_ready_times", 2)
    hello.wait_until_ready(url, 5)
    assert Answers.not_ready_times == -1


def test_it_names_the_part_that_is_not_ready(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "not_ready_times", 1000)
    with pytest.raises(hello.NotReadyError, match="worker: none alive"):
        hello.wait_until_ready(url, 0.2)
    with pytest.raises(hello.NotReadyError, match="the gateway does not answer"):
        hello.wait_until_ready(f"http://127.0.0.1:{free_port()}", 0.2)


def test_a_refusal_is_shown_as_it_came(url: str, tmp_path: Path, made: None) -> None:
    said = hello.say_hello(url, tmp_path)
    assert json.dumps(NO_CREDIT) in said
    assert "429" in said
    assert f"goes on at {url}" in said


def test_the_key_is_kept_and_follows_the_port(tmp_path: Path, made: None) -> None:
    path = tmp_path / "demo.env"
    assert hello.demo_key(path, "http://localhost:1/v1") == ("fresh", True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hello.demo_key(path, "http://localhost:2/v1") == ("fresh", False)
    assert path.read_text() == "OPENAI_BASE_URL=http://localhost:2/v1\nOPENAI_API_KEY=fresh\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_lost_key_is_replaced(tmp_path: Path, made: None) -> None:
    path = tmp_path / "demo.env"
    hello.demo_key(path, "http://localhost:1/v1")
    path.unlink()
    assert hello.demo_key(path, "http://localhost:1/v1") == ("renewed", True)
    assert "renewed" in path.read_text()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104
        ("::", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_where_we_reach_ourselves(host: str, url: str) -> None:
    assert Environment.model_validate({"host": host, "port": 80}).local_url == url
