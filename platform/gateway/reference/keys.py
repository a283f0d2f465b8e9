"""Answers of the routes of keys and client secrets, and a sample of each."""

from __future__ import annotations

from typing import Any, Literal

from gateway.reference.answers import Answer, Deleted, ListEnds
from gateway.reference.samples import ID

KEY_ID = f"key_{ID}"
ACCOUNT_ID = f"svc_acct_{ID}"
KEY_BODY: dict[str, dict[str, Any]] = {
    "A key": {"name": "production", "scopes": ["speech"], "requests_per_minute": 600, "concurrent_jobs": 20}
}
ACCOUNT_BODY: dict[str, dict[str, Any]] = {"A server": {"name": "build server", "scopes": ["speech"]}}
SECRET_BODY: dict[str, dict[str, Any]] = {
    "For a web page": {"expires_after": {"seconds": 600}, "origins": ["https://app.example.com"]}
}


class OwnerAccount(Answer):
    id: str
    """Id of the service account, `svc_acct_…`."""
    name: str
    role: Literal["member"]
    created_at: int


class Owner(Answer):
    type: Literal["service_account"]
    """Keys belong to the organization, not to a person."""
    service_account: OwnerAccount | None
    """The service account of the key; null is the organization itself."""


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
    input_characters: int | None
    owner: Owner


class NewProjectKey(ProjectKey):
    value: str
    """The whole key, which is shown this once."""


class ProjectKeyList(ListEnds):
    data: list[ProjectKey]


class ServiceAccountObject(Answer):
    object: Literal["organization.project.service_account"]
    id: str
    """Id of the service account, `svc_acct_…`."""
    name: str
    role: Literal["member"]
    """Always `member`: a service account has what its keys allow, and no role in the console."""
    created_at: int


class ServiceAccountKey(Answer):
    object: Literal["organization.project.service_account.api_key"]
    id: str
    """Id of the key, `key_…`."""
    name: str
    created_at: int
    value: str
    """The whole key, which is shown this once."""


class NewServiceAccountObject(ServiceAccountObject):
    api_key: ServiceAccountKey


class ServiceAccountList(ListEnds):
    data: list[ServiceAccountObject]


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
    "input_characters": None,
    "owner": Owner(type="service_account", service_account=None),
}
KEY = ProjectKey.model_validate(_KEY)
NEW_KEY = NewProjectKey.model_validate({**_KEY, "value": "sk-4f2a9c8d7e6b5a43-…"})
KEYS = ProjectKeyList(object="list", data=[KEY], first_id=KEY_ID, last_id=KEY_ID, has_more=False)
KEY_DELETED = Deleted(id=KEY_ID, object="organization.project.api_key.deleted", deleted=True)
_ACCOUNT: dict[str, Any] = {
    "object": "organization.project.service_account",
    "id": ACCOUNT_ID,
    "name": "build server",
    "role": "member",
    "created_at": 1_793_491_200,
}
ACCOUNT = ServiceAccountObject.model_validate(_ACCOUNT)
NEW_ACCOUNT = NewServiceAccountObject(
    **_ACCOUNT,
    api_key=ServiceAccountKey(
        object="organization.project.service_account.api_key",
        id=KEY_ID,
        name="Secret Key",
        created_at=1_793_491_200,
        value="sk-4f2a9c8d7e6b5a43-…",
    ),
)
ACCOUNTS = ServiceAccountList(
    object="list", data=[ACCOUNT], first_id=ACCOUNT_ID, last_id=ACCOUNT_ID, has_more=False
)
ACCOUNT_DELETED = Deleted(id=ACCOUNT_ID, object="organization.project.service_account.deleted", deleted=True)
CLIENT_SECRET = MadeClientSecret(
    object="client_secret",
    value="ek_eyJrIjoi….c2lnbmVk…",
    expires_at=1_793_491_800,
    scopes=["speech"],
    origins=["https://app.example.com"],
)
