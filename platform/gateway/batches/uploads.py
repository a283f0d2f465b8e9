"""A multipart form with one file, spooled to the disk as it arrives: memory stays flat however large it is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from gateway.batches import files
from gateway.errors import invalid, rate_limited, unavailable, unsupported_type

AT_ONCE = 16
"""Uploads of one gateway: each may take 200 MB of the disk before it is refused."""
AT_ONCE_OF_ONE = 4
MAX_FIELDS = 16
MAX_FIELD_BYTES = 1024
MAX_HEADER_BYTES = 4096
WRITE_BYTES = 1 << 20
"""How much is gathered before a thread writes it."""


@dataclass(slots=True)
class Upload:
    """The form's fields, and its file, which lies at `path`."""

    path: Path
    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    """None where no file came."""
    size: int = 0


_receiving: Counter[UUID] = Counter()
"""By organization: uploads that arrive at this gateway now."""


@asynccontextmanager
async def turn(organization_id: UUID) -> AsyncIterator[None]:
    """Room on the disk for one more upload. Raises ApiError: 429 and 503 where too many arrive at once."""
    if _receiving[organization_id] >= AT_ONCE_OF_ONE:
        raise rate_limited(
            f"Your organization is uploading {AT_ONCE_OF_ONE} files right now. Please try again soon.",
            type="concurrency",
            headers={"retry-after": "2"},
        )
    if _receiving.total() >= AT_ONCE:
        raise unavailable(
            "The service is receiving as many files as it can. Please try again shortly.",
            code="uploads_busy",
            retry_after_seconds=2,
        )
    _receiving[organization_id] += 1
    try:
        yield
    finally:
        _receiving[organization_id] -= 1
        if not _receiving[organization_id]:
            del _receiving[organization_id]


@asynccontextmanager
async def receive(request: Request, *, file_field: str) -> AsyncIterator[Upload]:
    """Receive the form; the spooled file is deleted at the end unless it was moved away.

    Raises:
        ApiError: 415, it is no multipart form; 400, it is malformed or has too much in it; 413, the file is above
            `files.MAX_FILE_BYTES`.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if media_type != b"multipart/form-data" or not boundary:
        raise unsupported_type(media_type.decode("latin-1"), send="multipart/form-data")
    with files.spool() as path, path.open("wb") as file:
        form = _Form(Upload(path), file_field)
        try:
            parser = MultipartParser(boundary, form.callbacks())
            async for piece in request.stream():
                parser.write(piece)
                if len(form.waiting) >= WRITE_BYTES:
                    await _flush(form, file)
            parser.finalize()
        except MultipartParseError as error:
            raise invalid(f"The form could not be read: {error}.", code="invalid_form") from None
        if not form.ended:
            raise invalid("The form ends before its closing boundary.", code="invalid_form")
        await _flush(form, file)
        file.flush()
        yield form.upload


async def _flush(form: _Form, file: IO[bytes]) -> None:
    data, form.waiting = bytes(form.waiting), bytearray()
    await asyncio.to_thread(file.write, data)


class _Form:
    """What the parser's callbacks gather."""

    def __init__(self, upload: Upload, file_field: str) -> None:
        self.upload = upload
        self.waiting = bytearray()
        """Of the file, not yet written."""
        self.ended = False
        self._file_field = file_field
        self._header = self._name = b""
        self._headers: dict[bytes, bytes] = {}
        self._value = bytearray()
        self._in_file = False
        self._parts = 0

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_FIELDS:
            raise invalid(f"The form has more than {MAX_FIELDS} parts.", code="invalid_form")
        self._headers, self._value, self._in_file = {}, bytearray(), False
        self._header = self._name = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._bound(self._name)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._bound(self._header)

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._header
        self._header = self._name = b""

    def _headers_finished(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or b"name" not in options:
            raise invalid("A part of the form has no name.", code="invalid_form")
        self._field = options[b"name"].decode("utf-8", "replace")
        if self._field == self._file_field:
            if self.upload.filename is not None:
                raise invalid(f"Two files came as {self._file_field!r}: send one.", param=self._file_field)
            self._in_file = True
            self.upload.filename = options.get(b"filename", b"").decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.upload.size += end - start
            if self.upload.size > files.MAX_FILE_BYTES:
                raise files.too_large(self._file_field)
            self.waiting += data[start:end]
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise invalid(f"Invalid value for {self._field[:100]!r}: it is too long.", param=self._field[:100])

    def _end(self) -> None:
        if not self._in_file:
            self.upload.fields[self._field] = self._value.decode("utf-8", "replace")

    def _finish(self) -> None:
        self.ended = True

    def _bound(self, header: bytes) -> None:
        if len(header) > MAX_HEADER_BYTES:
            raise invalid("A header of the form is too long.", code="invalid_form")
