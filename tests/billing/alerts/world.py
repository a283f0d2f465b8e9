"""Customers that have budgets and use them up, and a server of theirs that receives webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from accounts.models import Organization
from billing import ledger
from billing.alerts import rules
from billing.alerts.rules import Rules
from tests.billing.books import KEY, admit, usage
from webhooks.models import Delivery


def tell(organization: Organization, *percents: int, credit: str | None = None, **more: Any) -> None:
    rules.put(
        organization=organization,
        rules=Rules(percents=percents, credit=None if credit is None else Decimal(credit), **more),
    )


def spend(organization: Organization, frames: int, key: UUID = KEY) -> None:
    """So many frames of audio, asked for and billed."""
    ledger.settle(usage(admit(organization, frames=frames, key=key), frames=frames, key=key))


def make_due() -> None:
    """Let the waits of all deliveries be over."""
    Delivery.objects.filter(state="pending").update(next_try_at="2020-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_signed_by(self, secret: str) -> bool:
        """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.{self.body.decode()}"
        expected = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """A customer's server: what it received, and what it answers next."""

    received: list[Received] = field(default_factory=list)
    answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    """A status or something worse, one a request; 204 when there are no more."""
    url: str = ""


@contextmanager
def receiving(wrap: Callable[[Any], Any] | None = None) -> Iterator[Receiver]:
    """A receiver on this machine; `wrap` its socket, as in TLS."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            answer = receiver.answers.pop(0) if receiver.answers else 204
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            """Who follows a redirect comes with one."""
            receiver.received.append(Received(self.path, {}, b""))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is part of the tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if wrap:
            server.socket = wrap(server.socket)
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?of=alerts"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield receiver
        server.shutdown()
