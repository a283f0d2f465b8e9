"""An organization's pronunciation dictionaries: written as versions, found by request, read by the worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.identifiers import new_id
from accounts.models import Organization
from inference.models import KeyPronunciation, PronunciationDictionary, PronunciationVersion, SynthesisJob
from inference.speech.pronunciation import NO_DICTIONARY, Dictionary, PronunciationRule

MOST_DICTIONARIES = 100
"""Of an organization."""
KEPT_VERSIONS = 50
"""Of a dictionary; older ones go."""


class TooManyDictionaries(Exception):
    """The organization has as many as it may."""


@transaction.atomic
def create(*, organization_id: UUID, name: str, rules: Sequence[PronunciationRule]) -> PronunciationVersion:
    """A new dictionary's first version. Raises TooManyDictionaries."""
    Organization.objects.select_for_update(no_key=True).get(id=organization_id)  # one at a time: they are counted
    own = PronunciationDictionary.objects.filter(organization_id=organization_id)
    if own.count() >= MOST_DICTIONARIES:
        raise TooManyDictionaries
    dictionary = PronunciationDictionary.objects.create(
        id=new_id(), organization_id=organization_id, name=name, created_at=timezone.now()
    )
    return _add(dictionary, 1, rules)


@transaction.atomic
def change(
    dictionary_id: UUID,
    *,
    organization_id: UUID,
    name: str | None = None,
    rules: Sequence[PronunciationRule] | None = None,
) -> PronunciationVersion | None:
    """Rename a dictionary or write its next version; None where the organization has no such dictionary."""
    dictionary = (
        PronunciationDictionary.objects.select_for_update()
        .filter(id=dictionary_id, organization_id=organization_id)
        .first()
    )
    if dictionary is None:
        return None
    if name is not None:
        dictionary.name = name
        dictionary.save(update_fields=["name"])
    if rules is None:
        return dictionary.versions.select_related("dictionary").order_by("-number").first()
    number = (dictionary.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    dictionary.versions.filter(number__lte=number - KEPT_VERSIONS).delete()
    return _add(dictionary, number, rules)


def delete(dictionary_id: UUID, *, organization_id: UUID) -> bool:
    """Delete a dictionary with its versions; False where the organization has none of this id."""
    mine = PronunciationDictionary.objects.filter(id=dictionary_id, organization_id=organization_id)
    return bool(mine.delete()[0])


def delete_all(*, organization_id: UUID) -> int:
    """Delete what an organization has, when it goes; returns how many."""
    return PronunciationDictionary.objects.filter(organization_id=organization_id).delete()[0]


def latest(*, organization_id: UUID) -> list[PronunciationVersion]:
    """The newest version of each of the organization's dictionaries, the newest dictionary first."""
    versions = PronunciationVersion.objects.filter(dictionary__organization_id=organization_id)
    newest = versions.order_by("dictionary_id", "-number").distinct("dictionary_id").select_related("dictionary")
    return sorted(newest, key=lambda version: version.dictionary.created_at, reverse=True)


def version(
    dictionary_id: UUID, *, organization_id: UUID, number: int | None = None
) -> PronunciationVersion | None:
    """One version, or the newest one; None where the organization has no such dictionary or version."""
    found = PronunciationVersion.objects.filter(
        dictionary_id=dictionary_id, dictionary__organization_id=organization_id
    ).select_related("dictionary")
    return (found.filter(number=number) if number is not None else found.order_by("-number")).first()


def set_default(*, api_key_id: UUID, organization_id: UUID, dictionary_id: UUID | None) -> bool:
    """Set the dictionary of a key's requests that name none; None for no such dictionary.

    Returns:
        False where the organization has no dictionary of this id.
    """
    if dictionary_id is None:
        KeyPronunciation.objects.filter(api_key_id=api_key_id).delete()
        return True
    if not PronunciationDictionary.objects.filter(id=dictionary_id, organization_id=organization_id).exists():
        return False
    KeyPronunciation.objects.update_or_create(api_key_id=api_key_id, defaults={"dictionary_id": dictionary_id})
    return True


def default_keys(*, organization_id: UUID) -> dict[UUID, list[str]]:
    """By dictionary: the names of the API keys whose default it is."""
    own = KeyPronunciation.objects.filter(dictionary__organization_id=organization_id).order_by("api_key__name")
    names: defaultdict[UUID, list[str]] = defaultdict(list)
    for dictionary_id, name in own.values_list("dictionary_id", "api_key__name"):
        names[dictionary_id].append(name)
    return names


def default_dictionary(api_key_id: UUID) -> UUID | None:
    """The dictionary of a key's requests that name none."""
    own = KeyPronunciation.objects.filter(api_key_id=api_key_id).first()
    return own.dictionary_id if own else None


async def find(
    connection: psycopg.AsyncConnection, dictionary_id: UUID, *, organization_id: UUID, number: int | None
) -> UUID | None:
    """The id of the organization's version of that number, or of its newest one."""
    cursor = await connection.execute(
        """
        SELECT version.id FROM inference_pronunciationversion version
        JOIN inference_pronunciationdictionary dictionary ON dictionary.id = dictionary_id
        WHERE dictionary_id = %s AND organization_id = %s AND number = coalesce(%s, number)
        ORDER BY number DESC LIMIT 1
        """,
        (dictionary_id, organization_id, number),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def default_of(connection: psycopg.AsyncConnection, api_key_id: UUID) -> UUID | None:
    """The id of the newest version of the key's default dictionary; None where it has none."""
    cursor = await connection.execute(
        """
        SELECT version.id FROM inference_keypronunciation own
        JOIN inference_pronunciationversion version ON version.dictionary_id = own.dictionary_id
        WHERE own.api_key_id = %s ORDER BY number DESC LIMIT 1
        """,
        (api_key_id,),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


def of_job(job: SynthesisJob) -> Dictionary:
    """The rules that a job is spoken by; none where it has none, or they were deleted since."""
    return NO_DICTIONARY if job.pronunciation is None else dictionary_of(job.pronunciation)


@lru_cache(maxsize=64)
def dictionary_of(version_id: UUID) -> Dictionary:
    """The rules of a version, which never change; none where it is deleted."""
    row = PronunciationVersion.objects.filter(id=version_id).first()
    return Dictionary(rules_of(row.rules)) if row else NO_DICTIONARY


def rules_of(rows: Sequence[dict[str, Any]]) -> list[PronunciationRule]:
    return [PronunciationRule.of(row) for row in rows]


def _add(
    dictionary: PronunciationDictionary, number: int, rules: Sequence[PronunciationRule]
) -> PronunciationVersion:
    return PronunciationVersion.objects.create(
        id=new_id(),
        dictionary=dictionary,
        number=number,
        rules=[asdict(rule) for rule in rules],
        created_at=timezone.now(),
    )
