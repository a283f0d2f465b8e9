"""What one route of the API says about itself. `gateway.routes` holds one for every route and method, and
`gateway.reference.document` makes the OpenAPI document of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from gateway.errors import ApiError

Method = Literal["GET", "POST", "DELETE"]
Tag = Literal["Speech", "Audio", "Voices", "Pronunciation", "Batches", "Models", "Account"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path or a request header. Query parameters come from `Operation.query`."""

    description: str
    example: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. The schema of a JSON `sample` is its class; a text sample is shown as it is; without a
    sample the answer is binary.
    """

    description: str
    sample: BaseModel | str | None = None
    media_types: Sequence[str] = ("application/json",)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Name -> description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    id: str
    """In camelCase; generated clients name their functions after it."""
    tag: Tag
    summary: str
    description: str = ""
    path: Mapping[str, Parameter] = field(default_factory=dict)
    """One for each `{name}` in the route's path."""
    query: type[BaseModel] | None = None
    """The model that the route parses its query string with."""
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    """The model that the route parses its body with."""
    body_type: Literal["application/json", "multipart/form-data"] = "application/json"
    requests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Title -> sample body."""
    answers: Sequence[Answer]
    errors: Sequence[ApiError] = ()
    """Samples, made by the functions that make the real ones. Those of every route with a key are added."""
    public: bool = False
    """Whether it answers without an API key."""
