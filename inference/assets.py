"""The audio store: encoded audio under a job's id, until it expires."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db.models import Q
from django.utils import timezone

from inference.models import AudioAsset

log = logging.getLogger(__name__)

PURGE_BATCH = 1000
FOLDER_DIGITS = 6
ORPHAN_MARGIN = timedelta(hours=1)
"""Longer than any job lives, so that no file is looked at while its job may still finish."""


def store() -> Storage:
    return storages["audio"]


def save(job_id: UUID, attempt: int, suffix: str, data: bytes) -> str:
    """Write an attempt's audio and return its path; each attempt has its own, so that none harms another's."""
    return store().save(f"{_folder(job_id)}/{job_id.hex}-{attempt}.{suffix}", ContentFile(data))


def load(path: str) -> bytes:
    """The bytes under a path. Raises FileNotFoundError where they are gone."""
    with store().open(path) as file:
        return bytes(file.read())


def discard(*paths: str) -> None:
    """Delete bytes that no row names."""
    for path in filter(None, paths):
        store().delete(path)


def purge(job_id: UUID) -> bool:
    """Delete one job's audio and transcript now; False where they are gone already."""
    return _purge(AudioAsset.objects.filter(job_id=job_id, purged_at=None)) == 1


def purge_expired() -> int:
    """Delete what has expired, a bounded batch a call; returns how many."""
    return _purge(AudioAsset.objects.filter(purged_at=None, expires_at__lte=timezone.now())[:PURGE_BATCH])


def purge_orphans() -> int:
    """Delete files that no row names, which a worker leaves that dies between storing and finishing.

    A folder is looked at once all audio in it must have expired; then it goes too. Returns how many files.
    """
    expired = timezone.now() - timedelta(seconds=settings.AUDIO_TTL_SECONDS) - ORPHAN_MARGIN
    oldest_alive = f"{int(expired.timestamp() * 1000):012x}"[:FOLDER_DIGITS]
    purged = 0
    for folder in _listed("")[0]:
        if folder < oldest_alive:
            paths = [f"{folder}/{name}" for name in _listed(folder)[1]]
            rows = AudioAsset.objects.filter(Q(path__in=paths) | Q(codes_path__in=paths), purged_at=None)
            kept = {path for row in rows.values_list("path", "codes_path") for path in row}
            orphans = set(paths) - kept
            discard(*orphans)
            purged += len(orphans)
            if not kept:
                store().delete(folder)
    return purged


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """(folders, files) in a folder of the store; nothing where it does not exist yet."""
    try:
        return store().listdir(folder)
    except FileNotFoundError:
        return [], []


def _folder(job_id: UUID) -> str:
    """The start of a UUIDv7 is its time: the jobs of 4.7 hours (2 ** 24 ms) share a folder."""
    return job_id.hex[:FOLDER_DIGITS]


def _purge(assets: Iterable[AudioAsset]) -> int:
    purged = 0
    for asset in assets:
        discard(
            asset.path, asset.codes_path
        )  # first: a crash in between leaves a row to be purged again, not lost bytes
        purged += AudioAsset.objects.filter(pk=asset.pk, purged_at=None).update(
            purged_at=timezone.now(), transcript=""
        )
    return purged
