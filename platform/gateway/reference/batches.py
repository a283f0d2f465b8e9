"""Answers of the routes of files, batches and requests in the background, and a sample of each."""

from __future__ import annotations

from typing import Any, Literal

from gateway.errors import ApiError
from gateway.reference.answers import Answer, Deleted, ListEnds
from gateway.reference.samples import ID

FILE_ID = f"file-{ID}"
BATCH_ID = f"batch_{ID}"
State = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]


class FileObject(Answer):
    id: str
    """Id of the file, `file-…`."""
    object: Literal["file"]
    bytes: int
    created_at: int
    expires_at: int
    """When the file is deleted, in Unix seconds."""
    filename: str
    purpose: Literal["batch", "batch_output"]
    status: Literal["processed"]


class FileList(ListEnds):
    data: list[FileObject]


class BatchError(Answer):
    code: str | None
    message: str
    line: int | None
    """The line of the input file, from 1."""
    param: str | None
    """The member of that line, such as `body.voice`."""


class BatchErrors(Answer):
    object: Literal["list"]
    data: list[BatchError]


class RequestCounts(Answer):
    total: int
    completed: int
    failed: int


class Paused(Answer):
    code: str
    message: str


class BatchObject(Answer):
    id: str
    """Id of the batch, `batch_…`."""
    object: Literal["batch"]
    endpoint: str
    errors: BatchErrors | None
    """Why the input file was refused."""
    input_file_id: str
    completion_window: Literal["24h"]
    status: State
    output_file_id: str | None
    """The results: JSON Lines, one for each request that succeeded."""
    error_file_id: str | None
    """The errors: JSON Lines, one for each request that did not succeed."""
    created_at: int
    in_progress_at: int | None
    expires_at: int
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: RequestCounts
    metadata: dict[str, Any] | None
    paused: Paused | None
    """Why no further request is started now, such as a lack of credit. The batch goes on by itself once it can."""


class BatchList(ListEnds):
    data: list[BatchObject]


FILE = FileObject(
    id=FILE_ID,
    object="file",
    bytes=3120,
    created_at=1_793_491_200,
    expires_at=1_796_083_200,
    filename="chapters.jsonl",
    purpose="batch",
    status="processed",
)
FILES = FileList(object="list", data=[FILE], first_id=FILE_ID, last_id=FILE_ID, has_more=False)
FILE_DELETED = Deleted(id=FILE_ID, object="file", deleted=True)
FILE_CONTENT = (
    '{"custom_id": "chapter-1", "method": "POST", "url": "/v1/audio/speech", '
    '"body": {"model": "tts-1", "voice": "alloy", "input": "It was a bright cold day."}}\n'
)
BATCH = BatchObject(
    id=BATCH_ID,
    object="batch",
    endpoint="/v1/audio/speech",
    errors=None,
    input_file_id=FILE_ID,
    completion_window="24h",
    status="in_progress",
    output_file_id=None,
    error_file_id=None,
    created_at=1_793_491_200,
    in_progress_at=1_793_491_203,
    expires_at=1_793_577_600,
    finalizing_at=None,
    completed_at=None,
    failed_at=None,
    expired_at=None,
    cancelling_at=None,
    cancelled_at=None,
    request_counts=RequestCounts(total=24, completed=7, failed=0),
    metadata={"book": "1984"},
    paused=None,
)
BATCHES = BatchList(object="list", data=[BATCH], first_id=BATCH_ID, last_id=BATCH_ID, has_more=False)
BATCH_REQUEST: dict[str, dict[str, Any]] = {
    "A file of speech requests": {
        "input_file_id": FILE_ID,
        "endpoint": "/v1/audio/speech",
        "completion_window": "24h",
        "metadata": {"book": "1984"},
    }
}


class Accepted(Answer):
    """What a request in the background answers until its result is there."""

    id: str
    """Id to ask for the result by: `audio_…`, or `chatcmpl-…`."""
    object: Literal["audio.speech", "chat.completion"]
    created: int
    status: Literal["queued", "in_progress"]
    audio_id: str
    """Id of the audio, `audio_…`."""


SPEECH_ACCEPTED = Accepted(
    id=f"audio_{ID}", object="audio.speech", created=1_793_491_200, status="queued", audio_id=f"audio_{ID}"
)
CHAT_ACCEPTED = Accepted(
    id=f"chatcmpl-{ID}",
    object="chat.completion",
    created=1_793_491_200,
    status="queued",
    audio_id=f"audio_{ID}",
)
BACKGROUND_FAILED = ApiError(
    409,
    "The workers that spoke this request were lost; it costs nothing. Please try again.",
    code="worker_lost",
    type="service_unavailable_error",
)
