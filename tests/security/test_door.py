"""What one connection can make the gateway hold, and for how long: raw sockets against the real server."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service, running_service, wait_for
from tests.security import services
from tests.security.services import connect, resident_bytes, rest_of

MEGABYTE = 1_000_000
CONNECTIONS = 40


@pytest.fixture(scope="module")
def door(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose clients have two seconds for everything."""
    with running_service(
        tmp_path_factory.mktemp("door"),
        **services.environment(),
        HEAD_SECONDS="2",
        BODY_SECONDS="2",
        WRITE_SECONDS="2",
        KEEP_ALIVE_SECONDS="2",
        MAX_CONNECTIONS="700",
        MAX_CONNECTIONS_PER_ADDRESS="650",
    ) as running:
        yield running


def code(answer: bytes) -> tuple[int, str]:
    """The status and the error's code of an answer as it came over the wire."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def flood(connection: socket.socket, piece: bytes, megabytes: int) -> None:
    try:
        for _ in range(megabytes):
            connection.sendall(piece * (MEGABYTE // len(piece)))
    except ConnectionError:
        pass  # closed, as it should be


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-endless: ",
        b"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: ",
    ],
)
def test_a_line_without_end_takes_no_memory(door: Service, beginning: bytes) -> None:
    before = resident_bytes(door)
    with connect(door) as connection:
        connection.sendall(beginning)
        flood(connection, b"a", 100)
        assert resident_bytes(door) - before < 20 * MEGABYTE
    assert httpx.get(f"{door.url}/healthz").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"x-long": "a" * 33_000}, {f"x-{number}": "" for number in range(101)}], ids=["bytes", "number"]
)
def test_large_heads_are_refused(door: Service, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{door.url}/v1/models", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (431, "headers_too_large")
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


def test_ordinary_heads_are_not(door: Service) -> None:
    headers = {f"x-{number}": "a" * 300 for number in range(90)}
    assert httpx.get(f"{door.url}/healthz", headers=headers).status_code == 200


def test_endless_trailers_are_no_headers(door: Service) -> None:
    """One by one, they are whole lines that the parser hands over."""
    before = resident_bytes(door)
    with connect(door) as connection:
        connection.sendall(b"POST /v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n")
        flood(connection, b"x-trailer: " + b"a" * 87 + b"\r\n", 40)
    assert resident_bytes(door) - before < 20 * MEGABYTE


def test_six_hundred_idle_connections_are_cut(door: Service) -> None:
    beginnings = [
        b"",
        b"GET /healthz HTT",
        b"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
    ]
    with ExitStack() as open_ones:
        connections = [open_ones.enter_context(connect(door)) for _ in range(600)]
        for number, connection in enumerate(connections):
            connection.sendall(beginnings[number % 3])
        began = time.monotonic()
        answers = [rest_of(connection) for connection in connections]
        assert time.monotonic() - began < 15
    assert {code(answer) for answer in answers[0::3] + answers[1::3]} == {(408, "request_timeout")}
    assert {code(answer)[0] for answer in answers[2::3]} == {401}, "answered before the body was read, and cut"


def test_a_body_that_drips_is_cut(door: Service, customer: Customer) -> None:
    """Never a pause, and yet too slow."""
    with connect(door) as connection:
        connection.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            + f"authorization: {customer.headers['authorization']}\r\ncontent-length: 100000\r\n\r\n".encode()
        )
        began = time.monotonic()
        connection.settimeout(0.2)
        answer = b""
        while not answer and time.monotonic() - began < 15:
            connection.sendall(b" ")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue
        assert code(answer) == (408, "request_timeout")
    assert time.monotonic() - began < 10


def test_keep_alive_ends(door: Service) -> None:
    with connect(door) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b'{"status":"ok"}'):  # head and body may come apart
            answer += connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        assert rest_of(connection) == b""
        assert 1 < time.monotonic() - began < 4.5


def ask(door: Service, customer: Customer, frames: int, *, receive_buffer: int, stream: bool) -> socket.socket:
    """The connection of an answer that nobody has read."""
    audio = {"voice": "alloy", "format": "pcm16" if stream else "wav"}
    request = scripted(frames, stream=stream, audio=audio, max_completion_tokens=frames)
    content = json.dumps(request).encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", door.port))
    connection.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {customer.headers['authorization']}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n".encode()
        + content
    )
    return connection


@pytest.mark.parametrize("stream", [True, False])
def test_whoever_does_not_read_is_cut(door: Service, customer: Customer, stream: bool) -> None:
    """More audio than the kernel's buffers take: the gateway would hold the rest for as long as nobody reads."""
    before = refused(door, "slow_reader")
    with ask(door, customer, 10_000, receive_buffer=4_096, stream=stream) as connection:
        wait_for(lambda: refused(door, "slow_reader") > before, what="the connection is broken off")
        assert len(rest_of(connection)) < 10_000 * 1_920
    wait_for(lambda: ended(customer), what="the job ends")


def test_whoever_pauses_hears_it_to_the_end(door: Service, customer: Customer) -> None:
    with ask(door, customer, 1_500, receive_buffer=4_096, stream=True) as connection:
        assert connection.recv(2_000).startswith(b"HTTP/1.1 200")
        for _ in range(3):
            time.sleep(1.2)
            received = sum(len(connection.recv(65_536)) for _ in range(40))
            assert received
        # The price comes behind it, in trailers.
        assert b"data: [DONE]\n\n\r\n0\r\n" in rest_of(connection)


def ended(customer: Customer) -> bool:
    return SynthesisJob.objects.filter(organization=customer.organization, finished_at__isnull=False).exists()


def refused(door: Service, reason: str) -> float:
    name = f'speech_connections_refused_total{{reason="{reason}"}}'
    lines = httpx.get(f"{door.url}/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


def test_connections_are_counted_by_address_and_in_all(door: Service) -> None:
    with ExitStack() as open_ones:
        for _ in range(650):
            open_ones.enter_context(connect(door))
        with connect(door) as one_more:
            assert code(rest_of(one_more)) == (429, "too_many_connections")
        others = []
        for number in range(60):
            connection = open_ones.enter_context(socket.socket())
            connection.bind((f"127.0.0.{number + 2}", 0))
            connection.connect(("127.0.0.1", door.port))
            others.append(connection)
        others[-1].settimeout(10)
        assert code(rest_of(others[-1])) == (503, "too_many_connections")
    wait_for(lambda: httpx.get(f"{door.url}/healthz").status_code == 200, what="there is room again")


def test_malformed_requests_are_told_so_and_do_not_fill_the_log(door: Service) -> None:
    before = len(door.log("gateway"))
    for _ in range(20):
        with connect(door) as connection:
            connection.sendall(b"NONSENSE\r\n\r\n")
            assert code(rest_of(connection)) == (400, "invalid_http")
    assert len(door.log("gateway")) == before
