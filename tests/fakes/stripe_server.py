"""A double of Stripe over real HTTP, for the real `stripe` package: it keeps state and money, and fails on demand.

Time is the machine's; `age` makes all that is there older instead, idempotency keys included.
"""

from __future__ import annotations

import json
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from stripe import WebhookSignature

from tests.fakes.stripe import invoices, payments
from tests.fakes.stripe.routes import ROUTES
from tests.fakes.stripe.schema import Refused, check, decode_form
from tests.fakes.stripe.store import Store, Thing

API_VERSION = "2026-10-28.endive"
KEY_LASTS_SECONDS = 86_400

Fault = Literal["none", "lost before", "lost after", "409", "429", "500 before", "500 after"]
"""What befalls the next POST. `after` is after it took effect; an answer of 500 is remembered for its key."""
Send = Callable[[bytes, str], int]
"""Delivers a body and its signature header; answers with the status."""


class _Remembered(NamedTuple):
    request: str
    status: int
    body: str
    at: int


class FakeStripe:
    """Stripe, as far as this project talks to it."""

    def __init__(self, *, key: str, webhook_secret: str) -> None:
        self.store = Store()
        self.key = key
        self.webhook_secret = webhook_secret
        self.faults: deque[Fault] = deque()
        self.requests: list[str] = []
        self.lock = threading.RLock()
        self._remembered: dict[str, _Remembered] = {}

    # What people and banks do

    def new_card(self, does: str = "pays") -> Thing:
        """A card that `pays`, `waits`, or is refused with the code that it is given."""
        card = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031}
        return self.store.add("payment_method", type="card", card=card, customer=None, _does=does)

    def pay_page(self, url: str, card: Thing | None = None) -> Thing:
        """The customer fills in a Checkout page."""
        with self.lock:
            session = self.store.get("checkout.session", url.rsplit("/", 1)[1])
            return payments.complete_session(self.store, session, card or self.new_card())

    def expire_page(self, url: str) -> None:
        with self.lock:
            payments.expire_session(self.store, self.store.get("checkout.session", url.rsplit("/", 1)[1]))

    def pay_invoice(self, invoice_id: str) -> Thing:
        with self.lock:
            return invoices.pay_by_card(self.store, self.store.get("invoice", invoice_id))

    def refund_in_dashboard(self, intent: Thing, amount: int) -> Thing:
        with self.lock:
            return payments.create_refund(self.store, {"payment_intent": intent["id"], "amount": amount})

    def fail_refund(self, refund: Thing) -> None:
        with self.lock:
            payments.fail_refund(self.store, refund)

    def dispute(self, intent: Thing) -> Thing | None:
        with self.lock:
            return payments.open_dispute(self.store, intent)

    def decide(self, dispute: Thing, *, won: bool) -> None:
        with self.lock:
            payments.close_dispute(self.store, dispute, won=won)

    def settle_waiting(self) -> None:
        """Payments that were processing come in."""
        with self.lock:
            for intent in self.store.all("payment_intent", status="processing"):
                payments.receive(self.store, intent)

    def age(self, by: timedelta) -> None:
        """Let time pass."""
        with self.lock:
            seconds = int(by.total_seconds())
            for thing in self.store.things.values():
                thing["created"] -= seconds
            self._remembered = {k: r._replace(at=r.at - seconds) for k, r in self._remembered.items()}

    def forget_keys(self) -> None:
        self._remembered.clear()

    # What Stripe tells

    def sign(self, body: str) -> str:
        return WebhookSignature.generate_signature_header(body, self.webhook_secret)

    def deliver(self, send: Send, *, chaos: random.Random | None = None) -> None:
        """Deliver what happened; with chaos in any order, some twice, some not now, some never."""
        with self.lock:
            events, self.store.undelivered = self.store.undelivered, []
        if chaos:
            chaos.shuffle(events)
        for event in events:
            fate = chaos.random() if chaos else 1.0
            if fate < 0.25:
                continue
            if fate < 0.5:
                self.store.undelivered.append(event)
                continue
            body = json.dumps(public(event))
            for _ in range(2 if fate < 0.75 else 1):
                assert send(body.encode(), self.sign(body)) < 300

    # Its books

    def balance(self) -> int:
        """What customers paid in and did not get back, in cents."""
        moved = self.store.all("balance_transaction")
        return sum(line["amount"] for line in moved)

    # Its API

    def answer(self, method: str, target: str, form: str, headers: dict[str, str]) -> tuple[int, str] | None:
        """An answer's status and JSON; None where the connection breaks."""
        url = urlsplit(target)
        if headers.get("authorization") != f"Bearer {self.key}":
            return 401, json.dumps(Refused("Invalid API Key provided.", status=401).body)
        if headers.get("stripe-version") != API_VERSION:
            return 400, json.dumps(Refused("The API version is not the pinned one.").body)
        with self.lock:
            self.requests.append(f"{method} {url.path}")
            if method == "GET":
                return self._perform(method, url.path, url.query)
            return self._post(url.path, form, headers.get("idempotency-key", ""))

    def _post(self, path: str, form: str, key: str) -> tuple[int, str] | None:
        fault = self.faults.popleft() if self.faults else None
        if fault == "lost before":
            return None
        if fault == "409":
            return 409, json.dumps(Refused("The key is in use.", code="idempotency_key_in_use", status=409).body)
        if fault == "429":
            return 429, json.dumps(Refused("Too many requests.", code="rate_limit", status=429).body)
        earlier = self._remembered.get(key)
        if earlier and earlier.at > self.store.now() - KEY_LASTS_SECONDS:
            if earlier.request != path + form:
                kind = "idempotency_error"
                return 400, json.dumps(Refused("The key was used for another request.", kind=kind).body)
            return None if fault == "lost after" else (earlier.status, earlier.body)
        answered = (500, "") if fault == "500 before" else self._perform("POST", path, form)
        if fault in ("500 before", "500 after") and answered[0] in (200, 402, 500):
            answered = 500, json.dumps({"error": {"type": "api_error", "message": "Something went wrong."}})
        if key and answered[0] not in (400, 404):
            self._remembered[key] = _Remembered(path + form, *answered, self.store.now())
        return None if fault == "lost after" else answered

    def _perform(self, method: str, path: str, form: str) -> tuple[int, str]:
        try:
            for route in ROUTES:
                if (ids := route.match(method, path)) is not None:
                    p = check(decode_form(form), route.parameters)
                    made = route.answer(self.store, *ids, p)
                    return 200, json.dumps(public(self.store.expand(made, p.get("expand", []))), default=str)
            raise Refused(f"Unrecognized request URL ({method}: {path}).", status=404)
        except Refused as refusal:
            return refusal.status, json.dumps(public(refusal.body), default=str)


def public(thing: Any) -> Any:
    """Without what the double keeps to itself."""
    if isinstance(thing, dict):
        return {name: public(value) for name, value in thing.items() if not name.startswith("_")}
    return [public(part) for part in thing] if isinstance(thing, list) else thing


@contextmanager
def serve(fake: FakeStripe) -> Iterator[str]:
    """The double's address, for as long as it is there."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: two would wait for an acknowledgement between them

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            form = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = fake.answer(self.command, self.path, form, headers)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """The tests say what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
