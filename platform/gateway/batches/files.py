"""The file store: what customers upload for their batches, and what batches write for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import File as Content
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils import timezone

from accounts.identifiers import new_id
from accounts.models import Organization
from gateway.errors import ApiError
from gateway.models import File, SpeechBatch

MAX_FILE_BYTES = 200_000_000
MAX_KEPT_BYTES = 2_000_000_000
"""Of all files of one organization, so that nobody fills the disk."""
ORPHAN_SECONDS = 86_400
"""How old a file must be before it is deleted because no row names it: an upload may still be on its way."""


class Spooled(Content):  # type: ignore[type-arg]
    """A file on the disk that the store may move instead of copying it."""

    def __init__(self, path: Path, file: IO[Any]) -> None:
        super().__init__(file, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def store() -> Storage:
    return storages["files"]


def spool_folder() -> Path:
    """Where uploads are written while they arrive: on the disk of the store, not in memory or in /tmp."""
    folder: Path = settings.VAR_DIR / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep(
    organization_id: UUID, *, purpose: File.Purpose, filename: str, spooled: Path, expires_in: timedelta
) -> File:
    """Move a spooled file into the store and write its row.

    Raises:
        ApiError: 413, the organization keeps too much.
    """
    id = new_id()
    size = spooled.stat().st_size
    with spooled.open("rb") as file:
        path = store().save(f"{id.hex}.jsonl", Spooled(spooled, file))
    try:
        with transaction.atomic():
            Organization.objects.select_for_update(no_key=True).get(id=organization_id)
            stored = File.objects.filter(organization=organization_id, deleted_at=None)
            total = (stored.aggregate(bytes=Sum("bytes"))["bytes"] or 0) + size
            # What a batch wrote is never refused: the work has been done and paid for.
            if purpose == File.Purpose.BATCH and total > MAX_KEPT_BYTES:
                raise ApiError(
                    413,
                    f"Your organization would keep {total} bytes of files; at most {MAX_KEPT_BYTES} are allowed. "
                    "Delete files that you no longer need.",
                    code="file_storage_exceeded",
                    param="file",
                )
            return File.objects.create(
                id=id,
                organization_id=organization_id,
                purpose=purpose,
                filename=filename,
                path=path,
                bytes=size,
                expires_at=timezone.now() + expires_in,
            )
    except BaseException:
        store().delete(path)
        raise


def kept(organization_id: UUID) -> QuerySet[File]:
    """The organization's files that are there."""
    return File.objects.filter(organization=organization_id, deleted_at=None, expires_at__gt=timezone.now())


def find(organization_id: UUID, id: UUID | None) -> File | None:
    """A file of the organization's that is there; None for any other."""
    return kept(organization_id).filter(id=id).first() if id else None


def delete(file: File) -> None:
    """Delete a file now.

    Raises:
        ApiError: 409 while a batch reads it.
    """
    with transaction.atomic():
        File.objects.select_for_update().get(id=file.id)
        if SpeechBatch.objects.filter(input_file=file, ended_at=None).exists():
            raise ApiError(
                409,
                "This file is the input of a batch that has not ended. Cancel the batch first.",
                code="file_in_use",
                param="file_id",
            )
        _purge(file)


def purge_expired() -> int:
    """Delete the files whose time is up, and those that no row names; returns how many."""
    read = SpeechBatch.objects.filter(input_file=OuterRef("pk"), ended_at=None)
    due = File.objects.filter(~Exists(read), deleted_at=None, expires_at__lte=timezone.now())
    purged = 0
    for file in due.order_by("expires_at")[:1000]:
        _purge(file)
        purged += 1
    return purged + _purge_orphans()


def purge_all(organization_id: UUID) -> None:
    """Delete every file of an organization."""
    for file in File.objects.filter(organization=organization_id, deleted_at=None):
        _purge(file)


@contextmanager
def spool() -> Iterator[Path]:
    """A path to write a file at before it is kept; what is left there is deleted."""
    path = spool_folder() / new_id().hex
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _purge(file: File) -> None:
    store().delete(file.path)  # first: a crash in between leaves a row to purge again, not lost bytes
    File.objects.filter(id=file.id).update(deleted_at=timezone.now(), filename="")


def _purge_orphans() -> int:
    """Delete files that a part left behind that died between storing and writing the row."""
    purged = 0
    oldest = time.time() - ORPHAN_SECONDS
    for path in spool_folder().iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            purged += 1
    try:
        names = store().listdir("")[1]
    except FileNotFoundError:
        return purged
    old = [name for name in names if store().get_modified_time(name).timestamp() < oldest]
    with connection.cursor() as cursor:
        cursor.execute("SELECT path FROM gateway_file WHERE path = ANY (%s) AND deleted_at IS NULL", (old,))
        named = {row[0] for row in cursor.fetchall()}
    for name in set(old) - named:
        store().delete(name)
        purged += 1
    return purged


def too_large(param: str) -> ApiError:
    return ApiError(
        413,
        f"The file is larger than the {MAX_FILE_BYTES} bytes allowed.",
        code="request_too_large",
        param=param,
        headers={"connection": "close"},
    )
