"""Nobody reaches what another organization had made: each route of the API that names a thing, each method."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from openai import OpenAI

from accounts.keys import Reach
from gateway.routes import V1_ROUTES
from tests.conftest import Customer
from tests.gateway.batching import ended, speech_line, start, upload
from tests.gateway.speaking import speak
from tests.live import Service

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PUBLIC = {"model", "project_id"}
"""What a path may name that is nobody's own."""
PREFIXES = {
    "audio_id": "audio_",
    "completion_id": "chatcmpl-",
    "request_id": "req_",
    "file_id": "file-",
    "batch_id": "batch_",
    "key_id": "key_",
}
"""What a path may name that is somebody's, by the prefix of its ids; a new one belongs in here."""


def named(path: str) -> set[str]:
    return {*re.findall(r"\{(\w+)", path)}


OWNED = [route.path_format for route in V1_ROUTES if named(route.path_format) - PUBLIC]


@pytest.mark.parametrize("path", OWNED)
def test_a_stranger_is_told_what_they_are_told_of_an_id_that_is_nobodys(
    service: Service, client: OpenAI, customer: Customer, new_customer: Callable[..., Customer], path: str
) -> None:
    completion = speak(client)
    spoken = completion.choices[0].message.audio
    assert spoken
    assert completion._request_id
    if "key_id" in named(path):
        own = customer.key.id.hex
    elif "request_id" in named(path):
        own = completion._request_id[-32:]
    elif "file_id" in named(path):
        own = upload(client, [speech_line(1)])[-32:]
    elif "batch_id" in named(path):
        own = ended(client, start(client, [speech_line(1)])).id[-32:]
    else:
        own = spoken.id[-32:]
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
