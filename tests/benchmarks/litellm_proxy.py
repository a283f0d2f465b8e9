"""LiteLLM's proxy before an upstream that answers at once, beside our gateway before a worker that does.

LiteLLM runs as it comes, without its database, which needs a binary that it cannot get everywhere: so it keeps no
keys, no budgets and no log there, while ours holds, queues, settles and logs each request. Both ask for audio by
chat completion and get one second of it, as base64 in JSON.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.benchmarks import budget
from tests.benchmarks.customers import chat, new_key
from tests.benchmarks.load import Load, put_under_load
from tests.benchmarks.wire import null_service
from tests.clients import environments
from tests.live import free_port, wait_for

REQUIREMENTS = ("litellm[proxy]==1.*",)
SECONDS = budget.seconds(3.0)
ROUNDS = budget.number(3)
CLIENTS = budget.first_of((1, 8, 32, 64))
KEY = "sk-bench"
AUDIO = base64.b64encode(bytes(48_044)).decode()
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 0,
    "model": "null",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": None,
                "audio": {"id": "audio_1", "data": AUDIO, "expires_at": 0, "transcript": ""},
            },
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 25, "total_tokens": 26},
}
_UPSTREAM = """
import sys
import uvicorn

body = open(sys.argv[2], "rb").read()
headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]


async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


uvicorn.run(app, port=int(sys.argv[1]), http="httptools", log_level="error", lifespan="off", access_log=False)
"""


def run() -> None:
    try:
        python = environments.python(*REQUIREMENTS)
    except pytest.skip.Exception as reason:
        print(f"LiteLLM's proxy: {reason}")
        return
    key = new_key()
    with (
        tempfile.TemporaryDirectory() as folder,
        _proxy(Path(folder), Path(python[0]).parent) as (port, process),
        null_service() as service,
    ):
        assert service.gateway
        parties = (
            _Party("LiteLLM", port, chat(KEY), process),
            _Party("ours", service.port, chat(key), psutil.Process(service.gateway.pid)),
        )
        for party in parties:
            put_under_load(party.port, party.request, clients=8, seconds=budget.seconds(1))
        for clients in CLIENTS:
            _compare(parties, clients)


@dataclass(frozen=True, slots=True)
class _Party:
    name: str
    port: int
    request: bytes
    process: psutil.Process

    def load(self, clients: int) -> Load:
        return put_under_load(self.port, self.request, clients=clients, seconds=SECONDS)


def _compare(parties: Sequence[_Party], clients: int) -> None:
    """Both in turns, so that what else the machine does falls on both; the medians."""
    rounds = [[party.load(clients) for party in parties] for _ in range(ROUNDS)]
    for party, loads in zip(parties, zip(*rounds, strict=True), strict=True):
        rate, p50, p99 = (
            statistics.median(values)
            for values in zip(
                *((load.rate, load.percentile(50), load.percentile(99)) for load in loads), strict=True
            )
        )
        print(
            f"{party.name:8} {clients:3} clients {rate:7.1f} requests/s, p50 {p50:7.1f}, p99 {p99:7.1f} ms,"
            f" {party.process.memory_info().rss / 2**20:.0f} MB"
        )
    times = statistics.median(ours.rate / theirs.rate for theirs, ours in rounds)
    print(f"{'':8} {clients:3} clients: ours {times:.2f} times LiteLLM's requests/s")
    sys.stdout.flush()


@contextmanager
def _proxy(folder: Path, programs: Path) -> Iterator[tuple[int, psutil.Process]]:
    """LiteLLM's proxy and its upstream; the proxy's port and process."""
    upstream, port = free_port(), free_port()
    (folder / "answer.json").write_text(json.dumps(ANSWER))
    where = {"model": "openai/null", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    config = {"model_list": [{"model_name": "boson/higgs-audio-v2.5", "litellm_params": where}]}
    (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    commands = (
        [sys.executable, "-c", _UPSTREAM, str(upstream), str(folder / "answer.json")],
        [
            str(programs / "litellm"),
            "--config",
            str(folder / "config.yaml"),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ],
    )
    environment = {**os.environ, "LITELLM_MASTER_KEY": KEY, "LITELLM_LOG": "ERROR"}
    with (folder / "log").open("w") as log:
        processes = [subprocess.Popen(command, env=environment, stdout=log, stderr=log) for command in commands]
    try:
        wait_for(lambda: _is_alive(port), seconds=90, what=(folder / "log").read_text()[-500:])
        yield port, psutil.Process(processes[1].pid)
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def _is_alive(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/liveliness", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
