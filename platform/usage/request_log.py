"""Writing the request log: in batches behind the answers, so that no answer waits for its row."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from inference.failures import place_of

log = logging.getLogger(__name__)

MAX_WAITING = 50_000
RETRY_SECONDS = 1.0
GATHER_SECONDS = 0.05
"""How long a row waits for others: one transaction for all takes no more than one for each."""
CLOSE_SECONDS = 10.0
MESSAGE_CHARACTERS = 500
PARAM_CHARACTERS = 100
NAME_CHARACTERS = 40
_QUOTED = re.compile(r"'[^']*+'|\"[^\"]*+\"")


@dataclass(slots=True, kw_only=True)
class Row:
    """One call, filled in as it is served; the members are RequestLog's columns."""

    id: UUID
    created_at: datetime
    method: str
    route: str
    client_address: str | None
    user_agent: str
    organization_id: UUID | None = None
    api_key_id: UUID | None = None
    job_id: UUID | None = None
    status: int = 500
    error_code: str = ""
    error_message: str = ""
    error_param: str = ""
    model: str = ""
    voice: str = ""
    format: str = ""
    characters: int | None = None
    service_tier: str = ""
    samples: int | None = None
    cost: Decimal | None = None
    relayed_samples: int | None = None
    queue_ms: int | None = None
    first_audio_ms: int | None = None
    synthesis_ms: int | None = None
    total_ms: int = 0

    def refuse(self, code: str, message: str, param: str | None) -> None:
        """Keep why the call failed.

        A message may quote a value of the request, such as the name of a voice. A value that is longer than a name
        may be the text that was to be spoken, which the log never holds.
        """
        self.error_code = code
        self.error_message = _storable(_QUOTED.sub(_shown, message), MESSAGE_CHARACTERS)
        self.error_param = _storable(param or "", PARAM_CHARACTERS)


def _shown(quoted: re.Match[str]) -> str:
    """A quoted value, if it is no longer than a name."""
    return quoted[0] if len(quoted[0]) <= NAME_CHARACTERS + 2 else "'…'"


def _storable(text: str, most: int) -> str:
    """`text` as PostgreSQL can hold it: without NUL and lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()[:most]


_TYPES = {"UUID": "uuid", "datetime": "timestamptz", "str": "text", "int": "bigint", "Decimal": "numeric"}
_COLUMNS = {field.name: _TYPES[str(field.type).removesuffix(" | None")] for field in fields(Row)}
_COLUMNS["client_address"] = "inet"
"""Each column, and the type in which its values are sent."""
_INSERT = f"""
INSERT INTO gateway_requestlog ({", ".join(_COLUMNS)})
SELECT * FROM unnest({", ".join(f"%s::{type}[]" for type in _COLUMNS.values())})
ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 - our own column names
"""One statement for a batch: the trigger that notes the hours to sum up runs once for it."""


class RequestLogWriter:
    """Collects rows and inserts whatever has gathered in one go; a database that is away is waited for."""

    def __init__(self, database: AsyncConnectionPool) -> None:
        self._database = database
        self._rows: asyncio.Queue[Row | None] = asyncio.Queue(MAX_WAITING)

    def add(self, row: Row) -> None:
        try:
            self._rows.put_nowait(row)
        except asyncio.QueueFull:
            log.error("request %s not logged: %d rows wait for the database", row.id, MAX_WAITING)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write())  # held here, or the loop would let it be collected
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rows.put(None)
        try:
            await asyncio.wait_for(self._task, CLOSE_SECONDS)
        except TimeoutError:
            log.error("%d rows of the request log were not written", self._rows.qsize())

    async def _write(self) -> None:
        closing = False
        while not closing:
            batch = [await self._rows.get()]
            if None not in batch:
                await asyncio.sleep(GATHER_SECONDS)
            while not self._rows.empty():
                batch.append(self._rows.get_nowait())
            closing = None in batch
            await self._insert([row for row in batch if row is not None])

    async def _insert(self, rows: list[Row]) -> None:
        """Insert a batch. One that is refused is halved, until the row that is wrong is alone, and is lost."""
        while rows:
            try:
                async with self._database.connection() as connection:  # in autocommit: one round trip
                    await connection.execute(_INSERT, [[getattr(row, name) for row in rows] for name in _COLUMNS])
                return
            except (psycopg.OperationalError, PoolTimeout) as error:
                log.warning("the request log waits for the database: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            except psycopg.Error as error:
                if len(rows) == 1:
                    log.error("request %s not logged: its row was refused\n%s", rows[0].id, place_of(error))
                    return
                middle = len(rows) // 2
                await self._insert(rows[:middle])
                rows = rows[middle:]
