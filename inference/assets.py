"""The audio store: encoded audio under a job's id, until it expires."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from django.utils import timezone

from inference.failures import place_of
from inference.models import AudioAsset, SynthesisJob

log = logging.getLogger(__name__)

PURGE_BATCH = 200
"""Rows purged in a transaction, which are locked while their files are deleted."""
_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtext('inference.purge'))"
"""A purge is due every minute. One that takes longer must not occupy a second thread of the maintenance worker."""
FOLDER_DIGITS = 6
ORPHAN_MARGIN = timedelta(hours=1)
"""Longer than any job lives, so that no file is looked at while its job may still finish."""


def store() -> Storage:
    return storages["audio"]


def save(job_id: UUID, attempt: int, suffix: str, data: bytes | IO[bytes]) -> str:
    """Write an attempt's audio and return its path; each attempt has its own, so that none harms another's."""
    file = ContentFile(data) if isinstance(data, bytes) else File(data)
    return store().save(f"{_folder(job_id)}/{job_id.hex}-{attempt}.{suffix}", file)


def load(path: str) -> bytes:
    """The bytes under a path. Raises FileNotFoundError where they are gone."""
    with store().open(path) as file:
        return bytes(file.read())


def pieces(path: str, *, start: int, size: int) -> Iterator[bytes]:
    """The bytes under a path from `start` on, `size` at a time. Raises FileNotFoundError where they are gone."""
    with store().open(path) as file:
        file.seek(start)
        while data := file.read(size):
            yield bytes(data)


@contextmanager
def local(path: str) -> Iterator[Path]:
    """The bytes under a path as a file of this machine's: itself, or a copy where the store is elsewhere.

    Raises:
        FileNotFoundError: they are gone.
    """
    try:
        here = Path(store().path(path))
    except NotImplementedError:
        with NamedTemporaryFile() as copy:
            with store().open(path) as file:
                shutil.copyfileobj(file, copy)
            copy.flush()
            yield Path(copy.name)
    else:
        if not here.exists():
            raise FileNotFoundError(path)
        yield here


def keep_conversion(job_id: UUID, *, path: str, format: str, converted: Path) -> str | None:
    """Store a converted copy beside its original, with which it expires and is purged.

    Returns:
        Where it is: another's copy where one was faster; None where the original was purged meanwhile.
    """
    with converted.open("rb") as file:
        return keep_beside(job_id, path=path, name=format, file=File(file))


def keep_beside(job_id: UUID, *, path: str, name: str, file: File[bytes]) -> str | None:
    """Store what belongs to an audio under its path and a name, with which it expires and is purged.

    Returns:
        Where it is: another's of that name where one was faster; None where the original was purged meanwhile.
    """
    kept = store().save(f"{path}.{name}", file)
    # Waits for a purge that is under way and then finds nothing: no copy outlives its original.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inference_audioasset SET conversions = %s::jsonb || conversions
            WHERE job_id = %s AND purged_at IS NULL RETURNING conversions ->> %s
            """,
            (json.dumps({name: kept}), job_id, name),
        )
        row = cursor.fetchone()
    path_now: str | None = row[0] if row else None
    if path_now != kept:
        discard(kept)
    return path_now


def discard(*paths: str) -> None:
    """Delete bytes that no row names."""
    for path in filter(None, paths):
        store().delete(path)


def keep_until(job_ids: Collection[UUID], until: datetime) -> None:
    """Let the audio of these jobs expire no sooner than then."""
    kept = AudioAsset.objects.filter(job_id__in=job_ids, purged_at=None, expires_at__lt=until)
    kept.update(expires_at=until)


@transaction.atomic
def purge(job_id: UUID) -> bool:
    """Delete one job's audio, converted copies, codes and transcript now, and the hash by which a repetition of
    its request is known; False where they are gone already.
    """
    asset = AudioAsset.objects.select_for_update().filter(job_id=job_id, purged_at=None).first()
    if asset is None:
        return False
    _discard_bytes(asset)
    _mark_purged([job_id])
    return True


def expire_by(job_ids: Collection[UUID], moment: datetime) -> int:
    """Let audio expire at a moment where it would have later; returns how many do."""
    kept = AudioAsset.objects.filter(job_id__in=job_ids, purged_at=None, expires_at__gt=moment)
    return kept.update(expires_at=moment)


def purge_expired() -> int:
    """Delete what has expired, batch after batch until nothing is due; returns how many.

    It ends where another process purges already. The next call tries again what could not be deleted.
    """
    purged = 0
    refused: set[UUID] = set()
    while (batch := _purge_batch(refused)) is not None:
        purged += batch
    return purged


@transaction.atomic
def _purge_batch(refused: set[UUID]) -> int | None:
    """Purge up to PURGE_BATCH jobs' audio in one transaction.

    Args:
        refused: jobs to leave alone; those whose files could not be deleted are added.

    Returns:
        How many; None where nothing is due, or another process is at it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
        if not cursor.fetchone()[0]:
            return None
    due = AudioAsset.objects.filter(purged_at=None, expires_at__lte=timezone.now()).exclude(job_id__in=refused)
    batch = list(due.select_for_update(skip_locked=True).order_by("expires_at")[:PURGE_BATCH])
    if not batch:
        return None
    gone = []
    for asset in batch:
        try:
            _discard_bytes(asset)
        except Exception as error:
            log.error("audio of job %s cannot be deleted\n%s", asset.job_id, place_of(error))
            refused.add(asset.job_id)
        else:
            gone.append(asset.job_id)
    _mark_purged(gone)
    return len(gone)


def _discard_bytes(asset: AudioAsset) -> None:
    """Delete the bytes, before the row says so: a crash in between leaves a row to be purged again."""
    discard(asset.path, asset.codes_path, *asset.conversions.values())


def _mark_purged(job_ids: list[UUID]) -> None:
    AudioAsset.objects.filter(pk__in=job_ids).update(purged_at=timezone.now(), transcript="", conversions={})
    SynthesisJob.objects.filter(pk__in=job_ids, fingerprint__isnull=False).update(fingerprint=None)


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
            jobs = {job_id for path in paths if (job_id := _job_of(path))}
            rows = AudioAsset.objects.filter(job_id__in=jobs, purged_at=None)
            kept = {path for row in rows for path in (row.path, row.codes_path, *row.conversions.values())}
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


def _job_of(path: str) -> UUID | None:
    """The job whose audio a path holds; None where the name is not one of `save`'s."""
    try:
        return UUID(hex=path.rpartition("/")[2].partition("-")[0])
    except ValueError:
        return None


def _folder(job_id: UUID) -> str:
    """The start of a UUIDv7 is its time: the jobs of 4.7 hours (2 ** 24 ms) share a folder."""
    return job_id.hex[:FOLDER_DIGITS]
