"""One POST to a customer's server: to the address that was looked at, in so many seconds, no redirect followed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from webhooks import targets

SECONDS = 10
"""For all of it, from the connection to the answer's head: a server that drips bytes gains no time."""


class Failed(Exception):
    """It did not arrive, or was not accepted; says why in a few words of ours, for the customer to read."""


def post(url: str, *, headers: Mapping[str, str], body: bytes) -> None:
    """Send it, and be content with any answer of 2xx. Nothing of the answer is read but its head.

    Raises:
        Failed: it is to be tried again.
    """
    try:
        target = targets.parse(url)
        address = targets.resolve(target)
    except targets.Refused as refusal:
        raise Failed(str(refusal)) from None
    request_url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    network = _Pinned(address, time.monotonic() + SECONDS)
    sent = {"content-type": "application/json", "user-agent": "Speech-Webhooks/1", **headers}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=network) as pool,
            pool.stream("POST", request_url, headers=_lines(sent), content=body) as answer,
        ):
            status = answer.status
    except httpcore.TimeoutException:
        raise Failed(f"no answer within {SECONDS} seconds") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Failed(_reason(error)) from None
    if not 200 <= status < 300:
        raise Failed(f"answered {status}")


def _lines(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _reason(error: BaseException) -> str:
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "its certificate is not valid"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "no TLS connection"
    return "no connection" if isinstance(error, httpcore.ConnectError) else "the connection broke"


class _Pinned(httpcore.NetworkBackend):
    """Connects to one address, whatever is asked for; the name is still what TLS asks for and checks."""

    def __init__(self, address: str, deadline: float) -> None:
        self._address, self._deadline = address, deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._network.connect_tcp(self._address, port, timeout=left), self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection on which everything ends at one moment."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=_left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout=left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    if (left := deadline - time.monotonic()) <= 0:
        raise late
    return left
