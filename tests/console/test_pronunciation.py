"""The console's page of pronunciation dictionaries."""

from __future__ import annotations

from uuid import uuid4

import pytest

from inference import pronunciations
from inference.models import PronunciationDictionary
from tests.console.people import Office, browser, office


@pytest.fixture
def shop(committed: None) -> Office:
    return office(uuid4().hex)


def test_a_dictionary_is_made_changed_given_to_a_key_and_deleted(shop: Office) -> None:
    client = browser(shop.owner)
    client.post(shop.path("pronunciation/new"), {"name": "Ours", "rules": "Nguyen,win\nSiobhan,shi vawn\n"})
    dictionary = PronunciationDictionary.objects.get(organization=shop.organization)
    page = client.get(shop.path("pronunciation")).content.decode()
    assert f"pd_{dictionary.id.hex}" in page
    assert "Nguyen,win\nSiobhan,shi vawn" in page
    path = shop.path(f"pronunciation/{dictionary.id}")
    client.post(path, {"name": "Ours now", "rules": "Nguyen,win\nSiobhan,shi vawn\n"})
    assert dictionary.versions.count() == 1, "only the name has changed"
    client.post(path, {"name": "Ours now", "rules": "grapheme,ipa\nNguyen,wɪn\n"})
    newest = pronunciations.version(dictionary.id, organization_id=shop.organization.id)
    assert newest is not None
    assert (newest.number, newest.rules[0]["ipa"], newest.dictionary.name) == (2, "wɪn", "Ours now")
    for default in (dictionary.id, None):
        client.post(f"{path}/default", {"key": shop.key.public_id})
        assert pronunciations.default_dictionary(shop.key.id) == default
    client.post(f"{path}/delete")
    assert not PronunciationDictionary.objects.filter(organization=shop.organization).exists()


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("Nguyen", "Line 1"),
        ("<lexicon>", "not well-formed"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><lexicon/>', "no entities"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(shop: Office, rules: str, told: str) -> None:
    answer = browser(shop.owner).post(shop.path("pronunciation/new"), {"name": "Ours", "rules": rules})
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not PronunciationDictionary.objects.filter(organization=shop.organization).exists()


def test_anothers_dictionary_is_not_there(shop: Office) -> None:
    stranger = office(uuid4().hex)
    rules = pronunciations.rules_of([{"grapheme": "a", "say": "b"}])
    theirs = pronunciations.create(organization_id=stranger.organization.id, name="Theirs", rules=rules)
    client = browser(shop.owner)
    path = shop.path(f"pronunciation/{theirs.dictionary_id}")
    assert client.post(path, {"name": "Mine", "rules": ""}).status_code == 404
    assert client.post(f"{path}/delete").status_code == 404
    assert client.post(f"{path}/default", {"key": shop.key.public_id}).status_code == 404
    assert "Theirs" not in client.get(shop.path("pronunciation")).content.decode()
