"""A proxy before the gateway that fails a client's first try, as load balancers do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

Failure = Literal["503", "cut before the answer", "cut in the answer"]


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str, failure: Failure) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.failure = target, failure
        self.tries: list[str] = []
        """`x-stainless-retry-count` of each try, in order."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Proxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        first = not self.server.tries
        self.server.tries.append(self.headers.get("x-stainless-retry-count", ""))
        body = self.rfile.read(int(self.headers["content-length"]))
        self.close_connection = True
        if first and self.server.failure == "503":
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        sent = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        with httpx.stream(
            "POST", self.server.target + self.path, content=body, headers=sent, timeout=30
        ) as answer:
            if first and self.server.failure == "cut before the answer":
                return
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.end_headers()
            for piece in answer.iter_raw():
                if first and self.server.failure == "cut in the answer":
                    self.wfile.write(piece[: len(piece) // 2])
                    return
                self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def failing_once(target: str, failure: Failure) -> Iterator[_Proxy]:
    with _Proxy(target, failure) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
