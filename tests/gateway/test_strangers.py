"""Nobody reaches what another organization had made: each route of the API that names a thing, each method."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from openai import OpenAI

from accounts import service_accounts
from accounts.keys import Reach
from accounts.models import ApiKey
from gateway.routes import V1_ROUTES
from inference import pronunciations
from inference.speech.pronunciation import PronunciationRule
from tests.conftest import Customer
from tests.gateway.batching import ended, speech_line, start, upload
from tests.gateway.speaking import speak
from tests.gateway.voices import CONSENT, Voices, recorded
from tests.live import Service

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PUBLIC = {"model", "project_id"}
"""What a path may name that is nobody's own."""
PREFIXES = {
    "audio_id": "audio_",
    "batch_id": "batch_",
    "completion_id": "chatcmpl-",
    "consent_id": "cons_",
    "dictionary_id": "pd_",
    "file_id": "file-",
    "key_id": "key_",
    "request_id": "req_",
    "service_account_id": "svc_acct_",
    "voice_id": "voice_",
}
"""What a path may name that is somebody's, by the prefix of its ids; a new one belongs in here."""


def named(path: str) -> set[str]:
    return {*re.findall(r"\{(\w+)", path)}


def allowed(path: str) -> set[str]:
    return {method for route in V1_ROUTES if route.path_format == path for method in route.operations}


OWNED = [route.path_format for route in V1_ROUTES if named(route.path_format) - PUBLIC]


@pytest.mark.parametrize("path", OWNED)
def test_a_stranger_is_told_what_they_are_told_of_an_id_that_is_nobodys(
    service: Service, client: OpenAI, customer: Customer, new_customer: Callable[..., Customer], path: str
) -> None:
    completion = speak(client)
    spoken = completion.choices[0].message.audio
    assert spoken
    assert completion._request_id
    ids = dict.fromkeys(named(path), spoken.id) | {"request_id": completion._request_id}
    if named(path) & {"voice_id", "consent_id"}:
        voices = Voices(service, customer)
        ids["voice_id"] = voices.make(recorded(service, customer, CONSENT))
        ids["consent_id"] = voices.ask("GET", "/voice_consents").json()["data"][0]["id"]
    if "dictionary_id" in named(path):
        rules = [PronunciationRule(grapheme="a", say="b")]
        made = pronunciations.create(organization_id=customer.organization.id, name="Ours", rules=rules)
        ids["dictionary_id"] = f"pd_{made.dictionary_id.hex}"
    if "key_id" in named(path):
        ids["key_id"] = f"key_{customer.key.id.hex}"
    if "service_account_id" in named(path):
        account, _, _ = service_accounts.create(organization=customer.organization, name="theirs", limits={})
        ids["service_account_id"] = f"svc_acct_{account.id.hex}"
    if "file_id" in named(path):
        ids["file_id"] = upload(client, [speech_line(1)])
    if "batch_id" in named(path):
        ids["batch_id"] = ended(client, start(client, [speech_line(1)])).id
    [own] = (re.split("[_-]", ids[name])[-1] for name in named(path) - {"project_id"})
    nobodys = "0" * 32

    def ask(method: str, id: str, who: Customer) -> httpx.Response:
        ids = {name: "default" if name == "project_id" else PREFIXES[name] + id for name in named(path)}
        return httpx.request(method, f"{service.url}/v1{path.format(**ids)}", headers=who.headers)

    stranger = new_customer(reach=Reach(scopes=("speech", "usage", "admin")))
    for method in METHODS:
        refused, unknown = ask(method, own, stranger), ask(method, nobodys, stranger)
        assert refused.status_code in (404, 405), method
        assert (refused.status_code, refused.text.replace(own, nobodys)) == (unknown.status_code, unknown.text)
    audio = f"{service.url}/v1/audio/{spoken.id}"
    assert httpx.get(audio, headers=customer.headers).status_code == 200
    if "key_id" in named(path):
        assert ApiKey.objects.filter(id=customer.key.id, revoked_at=None).exists()
    elif "service_account_id" in named(path):
        assert account.keys.get().revoked_at is None
    elif "DELETE" in allowed(path):  # and nothing was lost to the stranger
        assert ask("DELETE", own, customer).status_code == 200
