"""A body that is too large is refused in front of every route; it is kept neither in memory nor on the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.door.bodies import LIMITS, limit_of
from tests.conftest import Customer
from tests.live import Service, wait_for
from tests.security.services import connect, resident_bytes, rest_of
from usage.models import RequestLog

PATHS = (
    "/nonexistent",
    "/accounts/login/",
    "/console/x",
    "/healthz",
    "/v1/pronunciation_dictionaries",
    "/v1/audio/speech",
)
MEBIBYTE = 1_048_576


def pieces(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes * 16):
        yield bytes(MEBIBYTE // 16)


def key_for(path: str, customer: Customer) -> dict[str, str]:
    """A key that is sent to a page is refused without its body."""
    return customer.headers if path.startswith("/v1/") else {}


def check(answer: httpx.Response, path: str) -> None:
    assert answer.status_code == 413
    if path.startswith("/v1/"):
        assert answer.json()["error"]["code"] == "request_too_large"
    else:
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", PATHS)
def test_a_declared_length_is_refused_at_once(service: Service, customer: Customer, path: str) -> None:
    with connect(service) as connection:
        headers = {"host": "localhost", "content-type": "application/json", **key_for(path, customer)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"POST {path} HTTP/1.1\r\n{head}content-length: {MEBIBYTE + 1}\r\n\r\n".encode())
        began = time.monotonic()
        answer = connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 413")
        rest_of(connection)
        assert time.monotonic() - began < 10, "not waited for to the end of the body's time"


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/healthz"])
def test_a_chunked_body_is_counted(service: Service, customer: Customer, path: str) -> None:
    headers = {**key_for(path, customer), "content-type": "application/json"}
    answer = httpx.post(service.url + path, content=pieces(2), headers=headers, timeout=30)
    check(answer, path)


def open_bytes(service: Service) -> int:
    """Of the files that the gateway holds open and has deleted, as Django does with a body."""
    assert service.gateway
    total = 0
    for descriptor in Path(f"/proc/{service.gateway.pid}/fd").iterdir():
        try:
            if "(deleted)" in os.readlink(descriptor):
                total += descriptor.stat().st_size
        except OSError:
            continue
    return total


def test_three_hundred_megabytes_are_kept_nowhere(service: Service) -> None:
    before = resident_bytes(service)
    with connect(service) as connection:
        connection.sendall(b"POST /nonexistent HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            for piece in pieces(300):
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        except ConnectionError:
            pass  # it stopped listening
        assert open_bytes(service) < 2 * MEBIBYTE
        assert resident_bytes(service) - before < 30 * MEBIBYTE


def test_the_connection_goes_on_where_the_body_was_short(service: Service) -> None:
    """What was refused is read to its end where that comes soon: the client needs no other connection."""
    with httpx.Client(base_url=service.url) as client:
        assert client.post("/nonexistent", content=bytes(MEBIBYTE + 1)).status_code == 413
        assert client.get("/healthz").status_code == 200


def test_stripe_sends_little(service: Service) -> None:
    answer = httpx.post(f"{service.url}/stripe/webhook", content=bytes(262_145))
    check(answer, "/stripe/webhook")


def test_the_longest_prefix_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "/v1/voices", 25_000_000)
    monkeypatch.setitem(LIMITS, "/v1/voices/x", 10)
    assert limit_of("/v1/voices/abc") == 25_000_000
    assert limit_of("/v1/voices/x/y") == 10
    assert limit_of("/v1/audio/speech") == limit_of("/") == MEBIBYTE


def test_the_customer_finds_the_refusal_in_the_log(service: Service, customer: Customer) -> None:
    headers = {**customer.headers, "content-type": "application/json"}
    httpx.post(f"{service.url}/v1/audio/speech", content=bytes(MEBIBYTE + 1), headers=headers)
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())
    assert (row.route, row.status, row.error_code) == ("/v1/audio/speech", 413, "request_too_large")


def test_a_body_with_recordings_has_a_limit_of_its_own() -> None:
    assert limit_of("/v1/chat/completions") == 25_000_000
    assert limit_of("/v1/audio/speech") == MEBIBYTE


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_without_a_recording_is_refused(service: Service, customer: Customer, chunked: bool) -> None:
    headers = {**customer.headers, "content-type": "application/json"}
    content = pieces(2) if chunked else bytes(MEBIBYTE + 1)
    answer = httpx.post(f"{service.url}/v1/chat/completions", content=content, headers=headers, timeout=30)
    check(answer, "/v1/chat/completions")


def test_what_does_not_exist_reads_no_body(service: Service) -> None:
    answer = httpx.post(f"{service.url}/v1/nonexistent", content=bytes(MEBIBYTE + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
