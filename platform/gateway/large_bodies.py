"""Bodies with recordings: they arrive on the disk, however slowly, and few of them are in memory at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from starlette.datastructures import UploadFile

from gateway.errors import ApiError, rate_limited, unavailable
from inference import spool


class LargeBodies:
    """Those of one gateway, one of each owner's."""

    ARRIVING = 64
    """They cost a file each, so that slow senders do not keep others out."""
    IN_MEMORY = 4

    def __init__(self) -> None:
        self._arriving: set[object] = set()
        self._in_memory: set[object] = set()

    @contextmanager
    def of(self, owner: object) -> Iterator[LargeBody]:
        """What `owner` sends, should it turn out to be large; its places are free again at the end."""
        body = LargeBody(self, owner)
        try:
            yield body
        finally:
            if body.began:
                self._in_memory.discard(owner)
                self._arriving.discard(owner)

    def begin(self, owner: object) -> None:
        """Raises ApiError: 429 while the owner has another one here, 503 while there are too many."""
        if owner in self._arriving:
            raise one_at_a_time()
        if len(self._arriving) >= self.ARRIVING:
            raise _busy()
        self._arriving.add(owner)

    def hold(self, owner: object) -> None:
        """Raises ApiError: 503, there are too many in memory."""
        if len(self._in_memory) >= self.IN_MEMORY:
            raise _busy()
        self._in_memory.add(owner)


class LargeBody:
    """One of them."""

    def __init__(self, bodies: LargeBodies, owner: object) -> None:
        self._bodies, self._owner = bodies, owner
        self.began = False

    def begin(self) -> None:
        """Let it arrive. Raises ApiError: 429 while the owner has another one, 503 while there are too many."""
        self._bodies.begin(self._owner)
        self.began = True

    def hold(self) -> None:
        """Let it be in memory. Raises ApiError: 503, there are too many."""
        self._bodies.hold(self._owner)

    async def receive(self, head: bytes, rest: AsyncIterator[bytes]) -> bytes:
        """All of it, `head` being there already.

        Raises:
            ApiError: 429 while the owner has another one here, 503 while there are too many.
        """
        self.begin()
        with spool.create() as file:
            spooled = UploadFile(cast("BinaryIO", file))  # its reads and writes leave the event loop alone
            await spooled.write(head)
            async for piece in rest:
                await spooled.write(piece)
            self.hold()
            await spooled.seek(0)
            return await spooled.read()


def one_at_a_time() -> ApiError:
    return rate_limited(
        "Your organization is sending another recording right now: one at a time. Please try again soon.",
        type="concurrency",
        headers={"retry-after": "2"},
    )


def _busy() -> ApiError:
    return unavailable(
        "The service is receiving as many recordings as it can. Please try again shortly.",
        code="recordings_busy",
        retry_after_seconds=2,
    )
