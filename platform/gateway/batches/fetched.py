"""Audio of batches that is not to be stored: it waits until it is fetched, and goes a minute later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.keys import UNSTORED_SECONDS
from gateway import database_threads
from gateway.models import BatchLine
from inference import assets


async def noted(content: AsyncIterator[bytes], job_ids: Sequence[UUID]) -> AsyncIterator[bytes]:
    """A download's bytes. Before the last of them leave, the audio that is not to be stored is noted as fetched.

    Not after: a client that knows the length is gone by then. The minute is for one whose connection breaks at the
    end; one that leaves sooner has not fetched it.
    """
    last = b""
    async for piece in content:
        if last:
            yield last
        last = piece
    await database_threads.run(note, job_ids)
    yield last


def note(job_ids: Sequence[UUID]) -> int:
    """Let the audio of these jobs expire, as far as it is of a batch and not to be stored; returns how much is."""
    unstored = BatchLine.objects.filter(job_id__in=job_ids, stored=False).values_list("job_id", flat=True)
    ids = [job_id for job_id in unstored if job_id is not None]
    return assets.expire_by(ids, timezone.now() + timedelta(seconds=UNSTORED_SECONDS)) if ids else 0
