"""The gate in front of Django, which costs each request a thread and a connection of the database: some requests
run at once, some wait, and the rest are refused. Speech does not pass here.

Who waits is let in by turns between the addresses, and of one address only some may run: so one that asks for
hundreds of pages waits behind itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter as Metric
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import unavailable

AT_ONCE = 16
AT_ONCE_OF_AN_ADDRESS = 12
WAITING = 128
RETRY_SECONDS = 2

REFUSED = Metric("speech_pages_refused", "Requests for pages and for the management API refused at the gate.")


class Busy(Exception):
    """Too many wait already."""


class Turns:
    """Decides which request runs now, and which is next."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Room for one request from there. Raises Busy: there is none, not even to wait."""
        await self._enter(address)
        try:
            yield
        finally:
            self._leave(address)

    async def _enter(self, address: str) -> None:
        if self._fits(address) and address not in self._waiting:
            self._running[address] += 1
            return
        if sum(map(len, self._waiting.values())) >= WAITING:
            self._refuse_one(address)
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(place)
        try:
            await place  # whoever leaves has counted us in already
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._leave(address)
            else:
                self._forget(address, place)
            raise

    def _leave(self, address: str) -> None:
        self._running[address] -= 1
        if not self._running[address]:
            del self._running[address]
        for next_address in [*self._waiting]:
            if self._fits(next_address):
                place = self._waiting[next_address][0]
                self._forget(next_address, place)
                if next_address in self._waiting:
                    self._waiting.move_to_end(next_address)
                self._running[next_address] += 1
                place.set_result(None)
                return

    def _fits(self, address: str) -> bool:
        return self._running.total() < AT_ONCE and self._running[address] < AT_ONCE_OF_AN_ADDRESS

    def _refuse_one(self, newcomer: str) -> None:
        """Make room for one: the last that came of the address of which most wait, be it the newcomer itself."""
        greediest = max(self._waiting, key=lambda address: len(self._waiting[address]))
        if len(self._waiting[greediest]) <= len(self._waiting.get(newcomer, ())) + 1:
            raise Busy
        place = self._waiting[greediest][-1]
        self._forget(greediest, place)
        place.set_exception(Busy())

    def _forget(self, address: str, place: asyncio.Future[None]) -> None:
        places = self._waiting.get(address, deque())
        if place in places:
            places.remove(place)
        if not places:
            self._waiting.pop(address, None)


class Gate:
    """Wraps Django's application."""

    def __init__(self, django: ASGIApp) -> None:
        self._django = django
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        turn = self._turns.turn(_network(scope))
        entered = False

        async def receive_then_enter() -> Message:
            """Django reads the whole body first: the turn begins after that, so that a slow body holds none."""
            nonlocal entered
            message = await receive()
            if not entered and message["type"] == "http.request" and not message.get("more_body"):
                await turn.__aenter__()
                entered = True
            return message

        try:
            await self._django(scope, receive_then_enter, send)
        except Busy:
            REFUSED.inc()
            await _refuse(scope, receive, send)
        finally:
            if entered:
                await turn.__aexit__(None, None, None)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    words = "Too many ask at the moment. Please try again in a few seconds."
    if scope["path"].startswith("/v1/"):
        raise unavailable(words, code="service_busy", retry_after_seconds=RETRY_SECONDS)
    headers = {"retry-after": str(RETRY_SECONDS), "cache-control": "no-store"}
    await PlainTextResponse(f"{words}\n", 503, headers)(scope, receive, send)


def _network(scope: Scope) -> str:
    """Whose turn it is: an IPv4 address, or the /64 of an IPv6 address, all of which one customer has."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address)
