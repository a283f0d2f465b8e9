"""Ids in addresses, as customers see them everywhere else: `org_…`, `req_…`, `sk-…`."""

from __future__ import annotations

from uuid import UUID

from django.urls import register_converter


class PrefixedId:
    """A UUID as a prefix and 32 hex digits."""

    prefix = ""
    regex = ""

    def __init_subclass__(cls) -> None:
        cls.regex = cls.prefix + "[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        return UUID(hex=value.removeprefix(self.prefix))

    def to_url(self, value: UUID) -> str:
        return f"{self.prefix}{value.hex}"


class OrganizationId(PrefixedId):
    prefix = "org_"


class RequestId(PrefixedId):
    prefix = "req_"


class InvitationId(PrefixedId):
    prefix = "inv_"


class VoiceId(PrefixedId):
    prefix = "voice_"


class ConsentId(PrefixedId):
    prefix = "cons_"


class KeyId:
    """The public id of an API key."""

    regex = "sk-[A-Za-z0-9]{16}"

    def to_python(self, value: str) -> str:
        return value.removeprefix("sk-")

    def to_url(self, value: str) -> str:
        return f"sk-{value}"


def register() -> None:
    register_converter(OrganizationId, "organization")
    register_converter(RequestId, "request")
    register_converter(InvitationId, "invitation")
    register_converter(KeyId, "key")
    register_converter(VoiceId, "voice")
    register_converter(ConsentId, "consent")
