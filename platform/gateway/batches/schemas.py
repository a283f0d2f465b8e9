"""The requests for files and batches, within OpenAI's bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from gateway.batches.archive import Format
from gateway.pages import Page
from gateway.schemas import Metadata, Name, Schema

SECONDS_A_DAY = 86_400
Binary = Annotated[str, WithJsonSchema({"type": "string", "format": "binary"})]


class FileForm(BaseModel):
    """The multipart form of POST /v1/files."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    file: Binary
    """A JSON Lines file: one request a line, up to 50,000 lines and 200 MB."""
    purpose: Literal["batch"]
    """What the file is for."""
    expires_after_seconds: Annotated[
        int, Field(alias="expires_after[seconds]", ge=3600, le=30 * SECONDS_A_DAY)
    ] = 30 * SECONDS_A_DAY
    """How long the file is kept."""
    expires_after_anchor: Annotated[Literal["created_at"], Field(alias="expires_after[anchor]")] = "created_at"
    """From when on that is counted."""


class BatchRequest(Schema):
    """The body of POST /v1/batches."""

    input_file_id: Name
    """Id of the uploaded file."""
    endpoint: Literal["/v1/audio/speech", "/v1/chat/completions"]
    """The endpoint of all requests in the file."""
    completion_window: Literal["24h"]
    """How long the batch may take. What is not spoken by then is not billed."""
    metadata: Metadata | None = None
    """Up to 16 pairs of strings of your own, which come back with the batch."""


class ArchiveQuery(BaseModel):
    """The query string of GET /v1/batches/{batch_id}/audio."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True)

    format: Format = "tar"
    """The kind of archive."""


class FilePage(Page):
    """The query string of GET /v1/files."""

    purpose: Literal["batch", "batch_output"] | None = None
    """Only files of this purpose."""
    order: Literal["asc", "desc"] = "desc"
    """By creation; `desc` lists the newest first."""


def named(fields: dict[str, str], filename: str | None) -> dict[str, Any]:
    """A received form as `FileForm` reads it; the file's content is not among it."""
    return {**fields, **({} if filename is None else {"file": filename})}
