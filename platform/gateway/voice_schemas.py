"""The bodies of the requests that make and rename voices and consents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.core.files.uploadedfile import UploadedFile
from pydantic import PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.schemas import MAX_TEXT_CHARACTERS, Name, Schema

if TYPE_CHECKING:
    File = UploadedFile[Any]
else:
    File = UploadedFile  # which is generic for the type checker alone


def _file(value: object) -> File:
    if not isinstance(value, UploadedFile):
        raise PydanticCustomError("file", "a file")
    return value


Recording = Annotated[File, PlainValidator(_file), WithJsonSchema({"type": "string", "format": "binary"})]
Title = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Words = Annotated[
    str, StringConstraints(max_length=MAX_TEXT_CHARACTERS, strip_whitespace=True, pattern=r"^[^\x00]*$")
]


class NewConsent(Schema):
    """The form of POST /v1/audio/voice_consents."""

    name: Title
    """A name for it, such as the speaker's."""
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
    """The language of the phrase, as a BCP 47 tag such as `en-US`."""
    recording: Recording
    """The speaker reads the phrase: 3 to 30 seconds, up to 10 MiB, of wav, mp3, flac, ogg, aac, m4a or webm."""


class NewVoice(Schema):
    """The form of POST /v1/audio/voices. OpenAI's has no `transcript`."""

    type: Literal["audio_sample"] = "audio_sample"
    """What it is made of. Voices of a prompt are not on offer."""
    name: Title
    """A name for it."""
    consent: Name
    """Id of the speaker's consent, `cons_…`."""
    audio_sample: Recording
    """The voice: 3 to 30 seconds of one speaker without noise or music, in the formats of a consent. 10 to 15
    seconds clone best."""
    transcript: Words | None = None
    """What is said in the sample, word for word. The clone is closer to the voice then, and the sample has at most
    20 seconds."""


class Rename(Schema):
    """The body of POST /v1/audio/voices/{voice_id} and /v1/audio/voice_consents/{consent_id}."""

    name: Title
    """The new name."""
