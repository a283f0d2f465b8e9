"""From a piece of text to its first audio: over the WebSocket beside a plain streamed request, by turns.

The socket is open and known; each text is a new context of it, flushed so that it is spoken at once. `goes on` is
a further sentence of a context that has begun. The plain request is one of a keep-alive connection.
"""

from __future__ import annotations

import json
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from websockets.sync.client import ClientConnection, connect

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, TEXT, new_key
from tests.live import Service, running_service

ENGINES = {
    "null": ("tests.benchmarks.engines.NullEngine", budget.number(300, least=5)),
    "preview": ("inference.engines.preview.engine.PreviewEngine", budget.number(40, least=2)),
}
WARM_UP = 3
"""Rounds that do not count."""


def run() -> None:
    key = new_key()
    print(f"{'engine':8} {'':>8} {'p50 ms':>8} {'p95 ms':>8}")
    for name, (engine, rounds) in ENGINES.items():
        with TemporaryDirectory() as folder, running_service(Path(folder), ENGINE=engine, **NO_LIMITS) as service:
            for what, times in _measure(service, key, rounds).items():
                p50, p95 = (quantiles(times, n=100, method="inclusive")[percent - 1] for percent in (50, 95))
                print(f"{name:8} {what:>8} {p50 * 1000:8.1f} {p95 * 1000:8.1f}")
                sys.stdout.flush()


def _measure(service: Service, key: str, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"plain": [], "socket": [], "goes on": []}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    plain = HTTPConnection("127.0.0.1", service.port)
    url = f"ws://127.0.0.1:{service.port}/v1/audio/speech/stream"
    with connect(url, additional_headers=headers) as socket:
        for number in range(rounds + WARM_UP):
            times["plain"].append(_plain(plain, headers))
            times["socket"].append(_piece(socket, number))
            times["goes on"].append(_piece(socket, number))
            socket.send(json.dumps({"context_id": str(number), "text": ""}))
            _until(socket, "done")
    plain.close()
    return {what: each[WARM_UP:] for what, each in times.items()}


def _plain(connection: HTTPConnection, headers: dict[str, str]) -> float:
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "pcm"}
    began = time.perf_counter()
    connection.request("POST", "/v1/audio/speech", json.dumps(body), headers)
    answer = connection.getresponse()
    if answer.status != 200 or not answer.read(1):
        raise SystemExit(f"{answer.status}: {answer.read()[:300]!r}")
    first = time.perf_counter() - began
    answer.read()
    return first


def _piece(socket: ClientConnection, context: int) -> float:
    began = time.perf_counter()
    socket.send(json.dumps({"context_id": str(context), "text": TEXT + " ", "flush": True}))
    _until(socket, "chunk")
    first = time.perf_counter() - began
    _until(socket, "flush_done")
    return first


def _until(socket: ClientConnection, wanted: str) -> None:
    """Raises SystemExit: an error came."""
    while (event := json.loads(socket.recv(30)))["type"] != wanted:
        if event["type"] == "error":
            raise SystemExit(str(event["error"]))
