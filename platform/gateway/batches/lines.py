"""A batch's input: JSON Lines, each a request (https://platform.openai.com/docs/api-reference/batch/request-input)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.errors import ApiError, invalid
from gateway.parsing import parse, read_json
from gateway.speech import chat, recordings, speech
from gateway.speech.speech_request import SpeechOrder

MAX_LINES = 50_000
MAX_LINE_BYTES = 1_048_576
MAX_ERRORS = 100
"""Of one file, told to the customer."""
ENDPOINTS = {"/v1/audio/speech": speech.create_speech, "/v1/chat/completions": chat.create_chat_completion}


class LineRequest(BaseModel):
    """A line of the input file."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    custom_id: str = Field(min_length=1, max_length=512)
    method: Literal["POST"]
    url: str = Field(max_length=200)
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands in its file."""

    number: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class LineError:
    """Why a line, or the whole file (`line` None), is refused."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "line": self.line, "param": self.param}

    @classmethod
    def of(cls, refusal: ApiError, line: int) -> LineError:
        return cls(refusal.code, refusal.message, line, refusal.param)


def places(file: IO[bytes]) -> Iterator[tuple[Place, bytes]]:
    """The lines of a file that are not blank. Of one that is too long, the first `MAX_LINE_BYTES` + 1 bytes."""
    offset = number = 0
    while data := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        start, length = offset, len(data)
        offset += length
        while len(data) > MAX_LINE_BYTES and not data.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
            offset += len(rest)
            if not rest or rest.endswith(b"\n"):
                break
        if data.strip():
            yield Place(number, start, length), data


def read(data: bytes, *, endpoint: str) -> LineRequest:
    """A line as a request to the batch's endpoint. Raises ApiError: 400, it is none."""
    if len(data) > MAX_LINE_BYTES:
        raise invalid(f"The line is longer than {MAX_LINE_BYTES} bytes.", code="line_too_long")
    request = parse(LineRequest, read_json(data))
    if "\0" in request.custom_id:
        raise invalid("Invalid value for 'custom_id': it has a NUL character.", param="custom_id")
    if request.url != endpoint:
        raise invalid(
            f"Invalid value for 'url': {request.url[:100]!r} is not the batch's endpoint, {endpoint!r}.",
            param="url",
            code="mismatched_endpoint",
        )
    return request


def understand(request: LineRequest, offered: Sequence[str], *, most_characters: int) -> SpeechOrder:
    """What the line's body asks to be spoken, by one of the voices `offered`, in at most so many characters.

    Raises:
        ApiError: its `param` is the path within the line, `body.…`.
    """
    try:
        if recordings.cut_out(request.body):
            raise invalid("A batch takes no recordings of a voice.", param="messages", code="unsupported_value")
        for name, refused in (("stream", True), ("stream_format", "sse"), ("background", True)):
            if request.body.get(name) == refused:
                raise invalid(
                    f"Invalid value for {name!r}: the requests of a batch are not streamed, and all run in the "
                    "background.",
                    param=name,
                    code="unsupported_value",
                )
        return ENDPOINTS[request.url].read(request.body, offered, most_characters).order
    except ApiError as refusal:
        param = f"body.{refusal.param}" if refusal.param else "body"
        raise ApiError(
            refusal.status, refusal.message, code=refusal.code, param=param, type=refusal.type
        ) from None
