"""The audio store: encoded audio under a job's id, until it expires."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.utils import timezone

from inference.models import AudioAsset

log = logging.getLogger(__name__)

PURGE_BATCH = 1000


def store() -> Storage:
    return storages["audio"]


def save(job_id: UUID, attempt: int, suffix: str, data: bytes) -> str:
    """Write an attempt's audio and return its path; each attempt has its own, so that none harms another's."""
    return store().save(f"{job_id.hex[:8]}/{job_id.hex}-{attempt}.{suffix}", ContentFile(data))


def load(path: str) -> bytes:
    """The bytes under a path. Raises FileNotFoundError where they are gone."""
    with store().open(path) as file:
        return bytes(file.read())


def discard(path: str) -> None:
    """Delete bytes that no row names."""
    store().delete(path)


def purge(job_id: UUID) -> bool:
    """Delete one job's audio and transcript now; False where they are gone already."""
    return _purge(AudioAsset.objects.filter(job_id=job_id, purged_at=None)) == 1


def purge_expired() -> int:
    """Delete what has expired, a bounded batch a call; returns how many."""
    return _purge(AudioAsset.objects.filter(purged_at=None, expires_at__lte=timezone.now())[:PURGE_BATCH])


def _purge(assets: Iterable[AudioAsset]) -> int:
    purged = 0
    for asset in assets:
        store().delete(asset.path)  # first: a crash in between leaves a row to be purged again, not lost bytes
        purged += AudioAsset.objects.filter(pk=asset.pk, purged_at=None).update(
            purged_at=timezone.now(), transcript=""
        )
    return purged
