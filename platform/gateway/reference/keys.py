"""Answers of the routes of keys and client secrets, and a sample of each."""

from __future__ import annotations

from typing import Any, Literal

from gateway.reference.answers import Answer, Deleted, ListEnds
from gateway.reference.samples import ID

KEY_ID = f"key_{ID}"
KEY_BODY: dict[str, dict[str, Any]] = {
    "A key": {"name": "production", "scopes": ["speech"], "requests_per_minute": 600, "concurrent_jobs": 20}
}
SECRET_BODY: dict[str, dict[str, Any]] = {
    "For a web page": {"expires_after": {"seconds": 600}, "origins": ["https://app.example.com"]}
}


class Owner(Answer):
    type: Literal["service_account"]
    """Keys belong to the organization, not to a person."""


class ProjectKey(Answer):
    object: Literal["organization.project.api_key"]
    id: str
    """Id of the key, `key_…`."""
    name: str
    redacted_value: str
    """Enough of the key to recognize it."""
    created_at: int
    last_used_at: int | None
    expires_at: int | None
    scopes: list[str]
    allowed_addresses: list[str]
    requests_per_minute: int | None
    """Null is the default."""
    audio_seconds_per_minute: int | None
    concurrent_jobs: int | None
    owner: Owner


class NewProjectKey(ProjectKey):
    value: str
    """The whole key, which is shown this once."""


class ProjectKeyList(ListEnds):
    data: list[ProjectKey]


class MadeClientSecret(Answer):
    object: Literal["client_secret"]
    value: str
    """The secret, `ek_…`, to be used in place of an API key."""
    expires_at: int
    scopes: list[str]
    origins: list[str]


_KEY: dict[str, Any] = {
    "object": "organization.project.api_key",
    "id": KEY_ID,
    "name": "production",
    "redacted_value": "sk-4f2a9c8d7e6b5a43-…x9Qz",
    "created_at": 1_793_491_200,
    "last_used_at": None,
    "expires_at": None,
    "scopes": ["speech"],
    "allowed_addresses": [],
    "requests_per_minute": 600,
    "audio_seconds_per_minute": None,
    "concurrent_jobs": 20,
    "owner": Owner(type="service_account"),
}
KEY = ProjectKey.model_validate(_KEY)
NEW_KEY = NewProjectKey.model_validate({**_KEY, "value": "sk-4f2a9c8d7e6b5a43-…"})
KEYS = ProjectKeyList(object="list", data=[KEY], first_id=KEY_ID, last_id=KEY_ID, has_more=False)
KEY_DELETED = Deleted(id=KEY_ID, object="organization.project.api_key.deleted", deleted=True)
CLIENT_SECRET = MadeClientSecret(
    object="client_secret",
    value="ek_eyJrIjoi….c2lnbmVk…",
    expires_at=1_793_491_800,
    scopes=["speech"],
    origins=["https://app.example.com"],
)
