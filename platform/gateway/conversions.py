"""Stored audio in another format, made once in a process of its own while somebody waits for it, then kept.

It is free, so it is bounded: one at a time an organization and a few in all; a request above that is refused at
once. Requests for the same copy wait for it together; when the last one hangs up, its process is killed.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from starlette.types import Receive

from gateway import database_threads, decoders
from gateway.errors import ApiError, client_closed, expired, internal, rate_limited, unavailable
from gateway.speech import hangups
from inference import assets
from inference.speech import conversion

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Of one gateway: each takes a processor and about 100 MB."""
PATIENCE_SECONDS = 120.0
"""The longest audio takes about ten seconds of a processor that is free."""
RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A copy of a job's stored audio."""

    job_id: UUID
    organization_id: UUID
    path: str
    source_format: str
    target_format: str
    samples: int


@dataclass(slots=True)
class _Running:
    organization_id: UUID
    task: asyncio.Task[str]
    waiting: int = 0


class Conversions:
    """Those of one gateway."""

    def __init__(self) -> None:
        self._running: dict[tuple[UUID, str], _Running] = {}

    async def make(self, wanted: Wanted, receive: Receive) -> str:
        """The copy's path in the store.

        Raises:
            ApiError: 429 while another one is made for the organization, 503 where too many are made or this one
                takes too long, 410 where the audio was purged meanwhile, 499 where the client has gone.
        """
        name = (wanted.job_id, wanted.target_format)
        running = self._running.get(name)
        if running is None:
            running = self._running[name] = self._begin(wanted)
            running.task.add_done_callback(lambda _: self._forget(name, running))
        running.waiting += 1
        try:
            async with hangups.noticed(receive):
                return await asyncio.shield(running.task)
        except hangups.ClientClosed:
            raise client_closed() from None
        finally:
            running.waiting -= 1
            if not running.waiting:
                self._forget(name, running)
                running.task.cancel()

    def _forget(self, name: tuple[UUID, str], running: _Running) -> None:
        if self._running.get(name) is running:  # and not the next one of its name
            del self._running[name]

    def _begin(self, wanted: Wanted) -> _Running:
        running = self._running.values()
        if any(each.organization_id == wanted.organization_id for each in running):
            raise rate_limited(
                "Your organization has another audio converted right now: one at a time. Please try again soon.",
                type="concurrency",
                headers={"retry-after": str(RETRY_SECONDS)},
            )
        if len(running) >= AT_ONCE:
            raise _busy()
        return _Running(wanted.organization_id, asyncio.create_task(_convert(wanted)))


def _busy() -> ApiError:
    return unavailable(
        "Audio cannot be converted right now. Please try again shortly, or fetch it as it was made.",
        code="conversions_busy",
        retry_after_seconds=RETRY_SECONDS,
    )


async def _convert(wanted: Wanted) -> str:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="speech-conversion-"))
        target = Path(folder) / wanted.target_format
        try:
            source = await asyncio.to_thread(stack.enter_context, assets.local(wanted.path))
        except FileNotFoundError:
            raise expired() from None
        await _run(wanted, source, target)
        kept = await database_threads.run(
            assets.keep_conversion,
            wanted.job_id,
            path=wanted.path,
            format=wanted.target_format,
            converted=target,
        )
    if kept is None:
        raise expired()
    return kept


async def _run(wanted: Wanted, source: Path, target: Path) -> None:
    """Run the conversion. Raises ApiError: 503, it takes too long; 500, it failed."""
    command = conversion.command(
        source,
        target,
        source_format=wanted.source_format,
        target_format=wanted.target_format,
        samples=wanted.samples,
    )
    try:
        code = await decoders.run(command, seconds=PATIENCE_SECONDS)
    except TimeoutError:
        log.error("job %s: its audio as %s took too long", wanted.job_id, wanted.target_format)
        raise _busy() from None
    if code:
        log.error(
            "job %s: its audio could not be converted to %s: code %d", wanted.job_id, wanted.target_format, code
        )
        raise internal()
