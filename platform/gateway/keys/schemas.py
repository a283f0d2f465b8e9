"""The requests for keys and for client secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from accounts import names
from accounts.limits import LIMITS, MAX_INPUT_CHARACTERS, MAXIMUM, Limits
from gateway.schemas import Schema

FURTHEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
MAX_NETWORKS = 20
MAX_ORIGINS = 10


def _name(value: str) -> str:
    value = value.strip()
    try:
        names.check(value)
    except ValidationError:
        value = ""
    if not value:
        raise ValueError("one line of text, without web and e-mail addresses")
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("an IP address or network such as 203.0.113.7 or 203.0.113.0/24") from None


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.netloc or "@" in parts.netloc or value != _of(value):
        raise ValueError("an origin such as https://app.example.com")
    return value


def _of(value: str) -> str:
    parts = urlsplit(value)
    return f"{parts.scheme}://{parts.netloc}".lower()


KeyName = Annotated[str, StringConstraints(max_length=100), AfterValidator(_name)]
Network = Annotated[str, StringConstraints(max_length=43), AfterValidator(_network)]
Origin = Annotated[str, StringConstraints(max_length=200), AfterValidator(_origin)]
Limit = Annotated[int, Field(ge=1, le=MAXIMUM)]
GrantedScope = Literal["speech", "usage"]
"""What a key that the API makes may do. Only a person, in the console, makes a key that manages keys."""


class KeyTerms(Schema):
    """What a key may do. A limit that is absent is the organization's default."""

    scopes: list[GrantedScope] = Field(default=["speech", "usage"], min_length=1, max_length=4)
    """What the key may do."""
    allowed_addresses: list[Network] = Field(default=[], max_length=MAX_NETWORKS)
    """The IP networks that the key works from; none means any."""
    requests_per_minute: Limit | None = None
    """Requests a minute."""
    audio_seconds_per_minute: Limit | None = None
    """Seconds of audio a minute."""
    concurrent_jobs: Limit | None = None
    """Requests at a time."""
    input_characters: Annotated[int, Field(ge=1, le=MAX_INPUT_CHARACTERS)] | None = None
    """Characters a request; at most the organization's."""

    def limits(self) -> Limits:
        return {limit.name: getattr(self, limit.name) for limit in LIMITS}


class NewKey(KeyTerms):
    """The body of POST /v1/organization/projects/{project_id}/api_keys."""

    name: KeyName
    """For people to know it by."""
    expires_at: Annotated[int, Field(ge=0, le=FURTHEST)] | None = None
    """When the key expires, in Unix seconds; by default it does not."""


class ChangedKey(KeyTerms):
    """The body of POST /v1/organization/projects/{project_id}/api_keys/{key_id}: all of the key's terms anew."""

    name: KeyName
    """For people to know it by."""


class NewServiceAccount(KeyTerms):
    """The body of POST /v1/organization/projects/{project_id}/service_accounts: a name, and its key's terms."""

    name: KeyName
    """For people to know it by."""


class ExpiresAfter(Schema):
    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=10, le=7200)] = 600
    """How long the client secret works."""


class ClientSecretRequest(Schema):
    """The body of POST /v1/realtime/client_secrets."""

    expires_after: ExpiresAfter = ExpiresAfter()
    """When it expires."""
    scopes: list[Literal["speech"]] = Field(default=["speech"], min_length=1, max_length=1)
    """What it may do: make speech and fetch its audio."""
    origins: list[Origin] = Field(default=[], max_length=MAX_ORIGINS)
    """The web pages that may use it, such as `https://app.example.com`; none means any."""

    @model_validator(mode="before")
    @classmethod
    def _without_session(cls, body: object) -> object:
        """OpenAI's clients describe the session that the secret is for, which has no meaning here."""
        return (
            {name: value for name, value in body.items() if name != "session"} if isinstance(body, dict) else body
        )
