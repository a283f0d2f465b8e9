"""Recordings in forms: which files they are, and their decoding, each in a process of its own."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from gateway import decoders
from gateway.errors import client_closed, invalid, unsupported_type
from gateway.large_bodies import LargeBodies
from inference.speech import reference

MAX_BYTES = 10 << 20
PATIENCE_SECONDS = 30.0
"""Half a minute of audio takes under a second of a processor that is free."""
FORMATS = {
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/m4a": "m4a",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/vnd.wave": "wav",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/webm": "webm",
    "audio/x-flac": "flac",
    "audio/x-m4a": "m4a",
    "audio/x-wav": "wav",
    "video/mp4": "m4a",
    "video/webm": "webm",
}
"""What clients and browsers call the formats. Where a file has no such type, its name's ending tells."""
_uploads = LargeBodies()
_taking = threading.Lock()
"""Views run in threads: of two that look at once, one finds the other's place taken."""


def read_form(request: HttpRequest) -> dict[str, Any]:
    """The members of a multipart form, texts and files.

    Raises:
        ApiError: 415 for another content type, 400 for a form that is broken, 499 where the client has gone.
    """
    media_type = (request.content_type or "").lower()
    if media_type != "multipart/form-data":
        raise unsupported_type(media_type, send="multipart/form-data")
    try:
        members: dict[str, Any] = {name: request.POST[name] for name in request.POST}
        files = {name: request.FILES[name] for name in request.FILES}
    except UnreadablePostError:
        raise client_closed() from None
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise invalid(f"We could not parse the form of your request: {error}.", code="invalid_form") from None
    return members | files


def decode(
    upload: UploadedFile[Any], *, param: str, organization_id: UUID, seconds: int, phrase: str = ""
) -> bytes:
    """An uploaded recording as FLAC, if it is good enough to be a voice, and `phrase` may be what is read in it.

    One is decoded at a time for an organization, and a few in all.

    Raises:
        ApiError: 400, it is too large, of no format on offer, or has a flaw; 429 or 503, another one is decoded.
    """
    if (upload.size or 0) > MAX_BYTES:
        raise decoders.unusable(param, f"it is larger than {MAX_BYTES >> 20} MiB")
    format = _format_of(upload)
    if format is None:
        raise invalid(
            f"Invalid value for {param!r}: a file of one of the types {', '.join(reference.DEMUXERS)}, by its "
            "content type or its name.",
            param=param,
            code="unsupported_value",
        )
    with (
        _uploads.of(organization_id) as body,
        tempfile.TemporaryDirectory(prefix="speech-upload-") as folder,
    ):
        with _taking:
            body.begin()
            body.hold()
        source = Path(folder) / "source"
        with source.open("wb") as file:
            for piece in upload.chunks():
                file.write(piece)
        reading = decoders.read_recording(
            source,
            format=format,
            seconds=seconds,
            purpose="voice",
            param=param,
            patience_seconds=PATIENCE_SECONDS,
            phrase=phrase,
        )
        return asyncio.run(reading)


def _format_of(upload: UploadedFile[Any]) -> str | None:
    media_type = (upload.content_type or "").partition(";")[0].strip().lower()
    ending = (upload.name or "").rpartition(".")[2].lower()
    return FORMATS.get(media_type) or (ending if ending in reference.DEMUXERS else None)
